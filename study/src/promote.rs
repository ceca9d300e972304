//! Keeps a confirmed result as a regression case.

use crate::{
    Error,
    confirm::Engine,
    every::{self, family},
    expected::Expected,
    folder::{
        self, CERTIFICATE, EXPECTED, Folder, OF_FAMILY, OUTCOME, PREDICTIONS, PROGRAM, PROOF,
        QUESTION, SCHEDULE,
    },
    verify::{self, Verified, verify},
};
use milp_schema::{Instance, Protocol, protocol::WRITTEN, read, write};
use milp_solver::{Progress, Searcher, Settings};
use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// What was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Promoted {
    /// Where.
    pub dir: PathBuf,
    /// What it must give from now on.
    pub expected: Expected,
    /// What was derived again before it was kept, and what was not.
    pub verified: Verified,
}

/// What to keep, and how.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The folder of the result.
    pub from: &'a Path,
    /// Below which folder it is kept, usually `folder::RESULTS`.
    pub results: &'a Path,
    /// Its path there; by default that of `from` below its innermost folder `out`.
    pub name: Option<&'a Path>,
    /// Replicas whose verdict is kept beside that of the instance's own, which always is; by
    /// default [`controls`].
    pub engines: Option<&'a [Engine]>,
    /// Whether to replace what is kept there already.
    pub force: bool,
    /// How to repeat the searches that the result rests on, and the solve of a longer horizon; they
    /// are not repeated if `None`.
    pub resolve: Option<&'a Settings>,
}

/// Verifies and replays a result and keeps it with what it gave.
///
/// # Errors
///
/// When anything is not as the result claims, the replay diverges from the predictions, the
/// schedule is not the one the outcome is about, or something is kept there already.
pub fn promote(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Promoted, Error> {
    let from = Folder::read(request.from)?;
    let expected = observe(&from, request.engines)?;
    let verified = verified(&from, request.resolve, interrupt, progress)?;
    if interrupt.load(Ordering::SeqCst) {
        return Err(Error::Refused("interrupted, nothing is kept".to_owned()));
    }
    let dir = place(request)?;
    let mut files = BTreeMap::from([(EXPECTED.to_owned(), expected.yaml().into_bytes())]);
    let beside = from.further()?;
    let certified = from
        .outcome
        .certificate_sha256
        .as_ref()
        .map(|_| CERTIFICATE);
    let protocol = from.outcome.instance.protocol.given().map(|_| WRITTEN);
    let further = beside.files().into_iter().chain(certified).chain(protocol);
    for name in [SCHEDULE, PREDICTIONS, OUTCOME].into_iter().chain(further) {
        files.insert(name.to_owned(), read::bytes(&from.dir.join(name))?);
    }
    if family::is_family(&from.dir) {
        refuse(&from.dir, &family::verify(&from.dir)?.1)?;
        let there = OF_FAMILY.into_iter();
        for name in there.filter(|it| from.dir.join(it).is_file()) {
            files.insert(name.to_owned(), read::bytes(&from.dir.join(name))?);
        }
    }
    write::folder(&dir, &files, &is_kept).map_err(Error::io("write", &dir))?;
    Ok(Promoted {
        dir,
        expected,
        verified,
    })
}

/// Verifies a proof for every n and keeps it; gives where, and what it proves.
///
/// # Errors
///
/// As for [`promote`].
pub fn promote_proof(request: &Request<'_>) -> Result<(PathBuf, String), Error> {
    let verified = every::verify(request.from)?;
    refuse(request.from, &verified.differences)?;
    let dir = place(request)?;
    let mut files = BTreeMap::new();
    for name in [PROOF, QUESTION, PROGRAM, CERTIFICATE, WRITTEN] {
        let path = request.from.join(name);
        if path.is_file() {
            files.insert(name.to_owned(), read::bytes(&path)?);
        }
    }
    write::folder(&dir, &files, &is_kept).map_err(Error::io("write", &dir))?;
    Ok((dir, verified.said.sentence))
}

/// Nothing is kept that is not as claimed.
fn refuse(at: &Path, differences: &[String]) -> Result<(), Error> {
    differences.first().map_or(Ok(()), |first| {
        let at = at.display();
        Err(Error::Refused(format!(
            "{at} is not kept: {first}, see `milp verify {at}`"
        )))
    })
}

/// Whether a folder of a kept result may hold it.
fn is_kept(name: &str) -> bool {
    let temporary = write::temporary_of(name).is_some_and(is_kept);
    name == EXPECTED || folder::is_part_of_a_result(name) || temporary
}

/// The folder to write: below that of the results, not reached through links, and empty or of an
/// earlier result that may be replaced.
fn place(request: &Request<'_>) -> Result<PathBuf, Error> {
    let name = name(request)?;
    let mut dir = request.results.to_owned();
    for part in &name {
        dir.push(part);
        if dir.is_symlink() {
            return Err(Error::Refused(format!(
                "{} is a link, and what is kept lies in {} itself: give another --name",
                dir.display(),
                request.results.display()
            )));
        }
    }
    if dir.exists() && !request.force {
        return Err(Error::Refused(format!(
            "{} exists already: give --force to replace it or --name to keep both",
            dir.display()
        )));
    }
    folder::holds_only(&dir, &is_kept, "move it, or give another --name")?;
    Ok(dir)
}

/// What is derived again of the result, refused unless all of it is as claimed.
fn verified(
    from: &Folder,
    resolve: Option<&Settings>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Verified, Error> {
    let request = verify::Request {
        path: &from.dir,
        resolve: resolve.map(|settings| (Searcher::Highs, settings)),
    };
    let verified = verify(&request, interrupt, progress)?;
    refuse(&from.dir, &verified.differences)?;
    Ok(verified)
}

/// What the result gives, refused unless it is one consistent whole.
fn observe(from: &Folder, engines: Option<&[Engine]>) -> Result<Expected, Error> {
    let at = from.dir.display();
    if from.outcome.schedule_sha256.as_ref() != Some(&from.schedule_sha256()?) {
        return Err(Error::Refused(format!(
            "{at}/{SCHEDULE} is not the schedule that {OUTCOME} is about, the hashes differ: \
             solve again"
        )));
    }
    let by_default = controls(&from.outcome.instance);
    let engines = engines.unwrap_or(&by_default);
    let expected = Expected::observe(from, engines)?;
    let own = (crate::confirm::OWN, &expected.verdict);
    let others = expected.replays.iter();
    let others = others.map(|replay| (replay.engine.as_str(), &replay.verdict));
    for (engine, verdict) in [own].into_iter().chain(others) {
        let divergences = verdict.divergences.unwrap_or(0);
        if divergences > 0 || verdict.impossible > 0 {
            return Err(Error::Refused(format!(
                "{at} is not kept: the replay diverges from the predictions in {divergences} \
                 places and the schedule is impossible in {}, see `milp replay {at} --engine \
                 {engine}`",
                verdict.impossible
            )));
        }
    }
    Ok(expected)
}

/// The replicas that should resist what was found: a mutant's choices are tried on the protocol
/// itself, those for a protocol that was repaired on the repaired one.
pub fn controls(instance: &Instance) -> Vec<Engine> {
    let sound = |protocol: &str| Engine::BuiltIn {
        protocol: protocol.to_owned(),
        mutant: None,
    };
    let protocol = instance.protocol;
    // A file of one's own may name a repair that nobody knows.
    let repaired = protocol.repaired_by.as_deref().and_then(Protocol::named);
    match (&instance.mutant, repaired) {
        (Some(_), _) if protocol.given().is_some() => vec![Engine::Sound],
        (Some(_), _) => vec![sound(&protocol.name)],
        (None, Some(repaired)) => vec![sound(&repaired.name)],
        (None, None) => Vec::new(),
    }
}

/// The path below the folder of results.
fn name(request: &Request<'_>) -> Result<PathBuf, Error> {
    if let Some(name) = request.name {
        let parts = name.components().collect::<Vec<_>>();
        // A temporary name would be taken for what a killed run left.
        let temporary = |part: &Component<'_>| {
            let part = part.as_os_str().to_str();
            part.is_some_and(|part| write::temporary_of(part).is_some())
        };
        let below = folder::down(&parts).filter(|_| !parts.iter().any(temporary));
        return below.ok_or_else(|| {
            Error::Refused(format!(
                "--name {} is no path below {}: give one of plain names, such as dbft2/n4-fork",
                name.display(),
                request.results.display()
            ))
        });
    }
    folder::below(request.from, "out")
        .or_else(|| request.from.file_name().map(PathBuf::from))
        .ok_or_else(|| {
            Error::Refused(format!(
                "{} has no name: give one with --name",
                request.from.display()
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_kept_where_it_lay_below_out() {
        let request = |from| Request {
            from: Path::new(from),
            results: Path::new(folder::RESULTS),
            name: None,
            engines: None,
            force: false,
            resolve: None,
        };
        let name = |from| name(&request(from)).unwrap().to_str().unwrap().to_owned();
        assert_eq!(name("out/dbft2/n4-fork"), "dbft2/n4-fork");
        assert_eq!(name("out/n4/"), "n4");
        assert_eq!(name("/some/where/n4"), "n4");
        assert!(super::name(&request("/")).is_err());
    }

    #[test]
    fn a_name_leads_to_a_folder_below_the_results_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let results = dir.path().join("results");
        let place = |name: &str| {
            let request = Request {
                from: Path::new("out/n4"),
                results: &results,
                name: Some(Path::new(name)),
                engines: None,
                force: true,
                resolve: None,
            };
            place(&request).map_err(|error| error.to_string())
        };
        assert_eq!(place("a/b"), Ok(results.join("a/b")));
        for name in [
            "../x",
            "../../x",
            "a/../../x",
            "/tmp/x",
            "..",
            "",
            ".",
            ".x.milp-tmp-abc123",
        ] {
            let refused = place(name).unwrap_err();
            assert!(refused.contains("is no path below"), "{name}: {refused}");
        }
        #[cfg(unix)]
        {
            std::fs::create_dir_all(dir.path().join("elsewhere")).unwrap();
            std::fs::create_dir_all(&results).unwrap();
            std::os::unix::fs::symlink("../elsewhere", results.join("link")).unwrap();
            for name in ["link", "link/x"] {
                let refused = place(name).unwrap_err();
                assert!(refused.contains("is a link"), "{name}: {refused}");
            }
        }
        std::fs::create_dir_all(results.join("full/inner")).unwrap();
        assert!(place("full").unwrap_err().contains("holds inner"));
    }

    #[test]
    fn weakened_protocols_are_tried_on_the_sound_one() {
        let controls = |names: &str| {
            let (protocol, mutant) = names.split_once(':').unzip();
            let mut instance = Instance::builder(protocol.unwrap_or(names)).build();
            instance.mutant = mutant.map(str::to_owned);
            let engines = controls(&instance);
            engines.iter().map(Engine::to_string).collect::<Vec<_>>()
        };
        assert_eq!(controls("dbft1"), ["dbft2"]);
        assert_eq!(controls("dbft1:small-quorum"), ["dbft1"]);
        assert_eq!(controls("dbft2:no-commit-lock"), ["dbft2"]);
        assert_eq!(controls("dbft2"), [""; 0]);
    }
}
