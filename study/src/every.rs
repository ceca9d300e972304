//! Questions about every number of replicas (`replicas: any`): proved at once, or answered by the
//! smallest number that has an attack.

use crate::{
    Error,
    folder::{CERTIFICATE, PROGRAM, PROOF, QUESTION, sha256},
    solve::{Request, Solution, solve as solve_one},
};
use milp_model::every::{self, Affine, Kind, Lemma, Parametric, Region};
use milp_schema::{
    Every, Evidence, Instance,
    instance::{FaultKind, Goal},
    protocol::WRITTEN,
    read, write,
};
use milp_show::words::{count, own};
use milp_solver::{
    Progress,
    every::{Proof, check},
};
use program_file::program_json;
use search::{MOST_CUBES, Searched, search};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path, sync::atomic::AtomicBool, time::Instant};

pub mod family;
mod program_file;
mod search;
mod words;

pub use milp_model::every::at_least;

/// How many numbers of replicas are asked for an attack, one by one.
const TRIED: u32 = 12;

/// The answer.
#[derive(Debug)]
pub enum Answer {
    /// Nothing bad exists, whatever n.
    Proved(Box<Proved>),
    /// With so few replicas there is an attack.
    Attack(Box<Attack>),
    /// Neither was found; why.
    Open(String),
}

/// A proof for every n.
#[derive(Debug)]
pub struct Proved {
    /// The claim.
    pub said: Said,
    /// The files of the result.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// `proof.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    format: String,
    /// What is proved.
    pub sentence: String,
    /// How many cubes were closed.
    pub cubes: usize,
    /// The pairs of quorums that are not there together, each by a program of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lemmas: Vec<Lemma>,
    /// Columns of the program for all n that are no fewer than the views, n, f and b aside.
    pub columns: usize,
    /// Its rows.
    pub rows: usize,
    program_sha256: String,
    certificate_sha256: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// The command line that made this.
    pub command: String,
}

impl Said {
    /// What is never reached, of what it is said, and how strong the proof is.
    pub fn parts(&self, goal: Goal) -> [&str; 3] {
        let answer = words::good(goal);
        let rest = self.sentence.strip_prefix(answer);
        let rest = rest.map(|it| it.trim_start_matches(", "));
        match rest.and_then(|it| it.rsplit_once(": ")) {
            Some((scope, proof)) => [answer, scope, proof],
            None => [&self.sentence, "", ""],
        }
    }
}

/// An attack, and that there is none below.
#[derive(Debug)]
pub struct Attack {
    /// The schedule for the smallest number.
    pub solution: Solution,
    /// In words, with what was proved of fewer.
    pub sentence: String,
    /// The same for every n, where one was found.
    pub family: Option<family::Whole>,
}

impl Attack {
    /// The files of the result: of the smallest n, and of every n.
    ///
    /// # Errors
    ///
    /// When a program has no text.
    pub fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let mut files = self.solution.files();
        if let Some(family) = &self.family {
            files.extend(family.files()?);
        }
        Ok(files)
    }
}

/// Proves that no two blocks are decided whatever n, or looks for the smallest n at which they are.
///
/// # Errors
///
/// When no program says the question, or a solver breaks down.
pub fn solve(
    every: &Every,
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Answer, Error> {
    #[expect(clippy::disallowed_methods, reason = "seconds are reported")]
    let began = Instant::now();
    let Searched {
        programs,
        lemmas,
        proof,
    } = search(every, interrupt)?;
    match proof {
        Proof::Closed { parts, cubes } => {
            let program = program_json(&programs, every.instance.goal)?;
            let certificate = write::certificate_csv(&Evidence { parts });
            let last = programs.last();
            let said = Said {
                format: "milp-proof/2.0".to_owned(),
                sentence: sentence(every, &programs, (cubes, lemmas.len()))?,
                cubes,
                lemmas,
                columns: last.map_or(0, |it| it.columns.len()),
                rows: last.map_or(0, |it| it.rows.len()),
                program_sha256: write::sha256_hex(program.as_bytes()),
                certificate_sha256: write::sha256_hex(certificate.as_bytes()),
                seconds: (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
                command: request.command.to_owned(),
            };
            let texts = [
                (PROOF, write::yaml(&said)),
                (QUESTION, write::every_yaml(every)),
                (PROGRAM, program),
                (CERTIFICATE, certificate),
            ];
            let given = every.instance.protocol.given();
            let texts = texts
                .into_iter()
                .chain(given.map(|it| (WRITTEN, it.to_owned())));
            let files = texts.map(|(name, text)| (name.to_owned(), text.into_bytes()));
            let files = files.collect();
            Ok(Answer::Proved(Box::new(Proved { said, files })))
        }
        Proof::Open { ones } => attack(every, request, interrupt, progress, (&programs, &ones)),
        Proof::Stopped => Ok(Answer::Open(format!(
            "stopped after {} or before: nothing was learned",
            count(MOST_CUBES as i64, "cube")
        ))),
    }
}

/// The smallest n at which two blocks can be decided: one after the other is solved by itself.
fn attack(
    every: &Every,
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
    (programs, ones): (&[Parametric], &[String]),
) -> Result<Answer, Error> {
    let (mut fewer, mut open) = (Vec::new(), Vec::new());
    for n in every.at_least..=every.at_least + TRIED {
        let Some(instance) = every.of(n).filter(|it| covers(programs, it)) else {
            continue;
        };
        let request = Request {
            instance: &instance,
            ..*request
        };
        let solution = solve_one(&request, interrupt, progress)?;
        let outcome = &solution.outcome;
        if outcome
            .primal
            .is_some_and(|it| is_bad(every.instance.goal, it))
        {
            let sentence = smallest(every, n, &outcome.sentence, [&fewer, &open]);
            let family = family::find(every, request.settings, interrupt)?;
            return Ok(Answer::Attack(Box::new(Attack {
                solution,
                sentence,
                family,
            })));
        }
        let known = if outcome.proved {
            &mut fewer
        } else {
            &mut open
        };
        known.push(n.to_string());
    }
    Ok(Answer::Open(format!(
        "not proved for every n, and no attack with f = ⌊(n − 1)/3⌋ and n up to {}; a cube that is \
         not closed has {}",
        every.at_least + TRIED,
        ones.join(", ")
    )))
}

/// An attack in words, and what is known of fewer replicas: of which it is proved that they have none,
/// and of which nothing is.
fn smallest(every: &Every, n: u32, sentence: &str, [fewer, open]: [&[String]; 2]) -> String {
    let smallest = match (every.any_views, open) {
        (true, _) => "an attack, though in few views".to_owned(),
        (false, []) => format!("{n} is the smallest number of replicas"),
        (false, open) => format!("of {} replicas nothing is known", open.join(", ")),
    };
    let below = match fewer {
        [] => String::new(),
        all => format!(
            "; with {} replicas {}: proved",
            all.join(", "),
            words::good(every.instance.goal)
        ),
    };
    format!("{smallest}: {sentence}{below}")
}

/// Whether a value of one n is an attack.
fn is_bad(goal: Goal, value: i64) -> bool {
    match goal {
        Goal::Stall => value == 0,
        _ => value >= at_least(goal),
    }
}

/// Whether one instance of the question is in the region of a program.
fn covers(programs: &[Parametric], instance: &Instance) -> bool {
    let b = instance.fault_count(FaultKind::Byzantine);
    let point = [instance.replicas, instance.f(), b].map(i64::from);
    programs.iter().any(|it| it.covers(point))
}

/// What is proved, in a sentence without a full stop.
fn sentence(
    every: &Every,
    programs: &[Parametric],
    (cubes, lemmas): (usize, usize),
) -> Result<String, Error> {
    let instance = &every.instance;
    let least = least(every, programs)?;
    let said = format!(
        "{}, {}, for every n ≥ {least} and every f < n/3, {}: {}",
        words::good(instance.goal),
        words::setting(every),
        words::views(every),
        words::proved(cubes, lemmas)
    );
    Ok(own(instance.protocol, &said))
}

/// The smallest n from which on all conditions of the regions hold for every f < n/3 but those on b.
/// They are affine, so that what holds at f = 0 and at f = (n − 1)/3 and does not fall with n holds
/// from there on.
fn least(every: &Every, programs: &[Parametric]) -> Result<u32, Error> {
    let conditions: Vec<Affine> = programs
        .last()
        .into_iter()
        .flat_map(|it| &it.region)
        .filter(|it| it.0[3] == 0 && it.0[1] > 0 && **it != Affine([-1, 1, -3, 0]))
        .copied()
        .collect();
    let views = if every.any_views {
        1
    } else {
        every.instance.views
    };
    let views = i64::from(views);
    // That there are no fewer replicas than views is no condition: fewer have programs of their own.
    let conditions = conditions
        .iter()
        .filter(|it| it.0[1..] != [1, 0, 0] || -it.0[0] > views);
    let ends = |n: i64, it: &Affine| {
        let [one, of_n, of_f, _] = it.0;
        [3 * (one + of_n * n), 3 * (one + of_n * n) + of_f * (n - 1)]
    };
    let conditions: Vec<&Affine> = conditions.collect();
    let rises = conditions
        .iter()
        .all(|it| it.0[1] >= 0 && 3 * it.0[1] + it.0[2] >= 0);
    let holds = |n: &u32| {
        let n = i64::from(*n);
        conditions
            .iter()
            .all(|it| ends(n, it).into_iter().all(|it| it >= 0))
    };
    let first = (every.at_least..1000).find(holds).filter(|_| rises);
    first
        .ok_or_else(|| Error::Refused("counts of the protocol fall below 1 for large n".to_owned()))
}

/// What a result for every n claims, derived again.
#[derive(Debug)]
pub struct Verified {
    /// The claim as it is written.
    pub said: Said,
    /// What it is about.
    pub goal: Goal,
    /// What is proved, in short.
    pub value: String,
    /// What is not as claimed.
    pub differences: Vec<String>,
}

/// Whether a folder, or the `proof.yaml` in it, is a proof for every n.
pub fn is_proof(path: &Path) -> bool {
    path.join(PROOF).is_file() || path.file_name().is_some_and(|it| it == PROOF)
}

/// Derives again what the folder of a proof for every n claims: its programs, in exact integers that
/// every cube closes, and its sentence.
///
/// # Errors
///
/// When a file is missing or broken.
pub fn verify(path: &Path) -> Result<Verified, Error> {
    let dir = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(Path::new(""))
    };
    let said: Said = read::yaml(&dir.join(PROOF), "proof")?;
    let question = dir.join(QUESTION);
    let every = read::every_of_result(&question)?;
    let every = every.ok_or_else(|| {
        Error::Refused(format!(
            "{} asks for one number of replicas",
            question.display()
        ))
    })?;
    let programs = every::with_lemmas(&every, &Region::of(&every), &said.lemmas)?;
    let evidence = read::certificate(&dir.join(CERTIFICATE))?;
    let mut differences = Vec::new();
    let mut same = |what: &str, found: String, claimed: &str| {
        if found != claimed {
            differences.push(format!("{what}: {found}, claimed is {claimed}"));
        }
    };
    let program = program_json(&programs, every.instance.goal)?;
    let program_sha256 = write::sha256_hex(program.as_bytes());
    same(
        "program derived",
        program_sha256.clone(),
        &said.program_sha256,
    );
    same(PROGRAM, sha256(&dir.join(PROGRAM))?, &program_sha256);
    same(
        CERTIFICATE,
        sha256(&dir.join(CERTIFICATE))?,
        &said.certificate_sha256,
    );
    match check(&programs, at_least(every.instance.goal), &evidence.parts) {
        Err(why) => same("certificate", why, "a proof"),
        Ok(checked) => {
            same("cubes", checked.cubes.to_string(), &said.cubes.to_string());
            same(
                "sentence",
                sentence(&every, &programs, (checked.cubes, said.lemmas.len()))?,
                &said.sentence,
            );
        }
    }
    let last = programs.last();
    let size = last.map_or((0, 0), |it| (it.columns.len(), it.rows.len()));
    same(
        "size",
        format!("{size:?}"),
        &format!("{:?}", (said.columns, said.rows)),
    );
    Ok(Verified {
        said,
        goal: every.instance.goal,
        value: format!("{}, proved for every n", words::good(every.instance.goal)),
        differences,
    })
}

/// What `milp check` says of a question: the size of its programs.
///
/// # Errors
///
/// As for [`solve`].
pub fn size(every: &Every) -> Result<String, Error> {
    let programs = every::of(every, &Region::of(every))?;
    let few = count(programs.len() as i64 - 1, "program");
    let last = programs.last();
    let binaries = last.map_or(0, |it| {
        it.columns
            .iter()
            .filter(|it| it.kind == Kind::Binary)
            .count()
    });
    Ok(format!(
        "{} columns ({binaries} of them times n, f and b), {} rows for every n ≥ {}; {few} for fewer replicas than views",
        last.map_or(0, |it| it.columns.len()),
        last.map_or(0, |it| it.rows.len()),
        every.at_least.max(if every.any_views {
            1
        } else {
            every.instance.views
        }),
    ))
}
