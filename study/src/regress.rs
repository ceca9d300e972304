//! Checks every kept result again.

use crate::{
    Error,
    confirm::{Engine, adapters},
    error::{LIST, LOOK},
    every::{self, family},
    expected::Expected,
    folder::{EXPECTED, Folder, PROOF},
    sentence,
    solve::{self, Solution},
    verify::{self, Bound, Verified, verify},
};
use milp_schema::{Outcome, write};
use milp_solver::{Searcher, Settings};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// How one kept result fared.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its path below the folder of results.
    pub name: String,
    /// The goal and the replicas, where its outcome could be read.
    pub about: Option<About>,
    /// Everything that is not as expected, one sentence each; empty when all is.
    pub differences: Vec<String>,
}

/// What a case is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Name of the goal.
    pub goal: &'static str,
    /// The kept value in words, and what is proved of it, where all that is claimed was verified.
    pub value: String,
    /// The replicas driven: the instance's own, then the others, as far as they were asked for.
    pub engines: Vec<String>,
    /// Engines whose verdict is kept, too, and that were not asked for.
    pub unasked: Vec<String>,
}

/// Which replicas to run of those that the kept results name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The built-in ones: the instance's own and, where they are kept, those of other protocols.
    own: bool,
    /// Engines in processes of their own; their adapters are there.
    adapters: BTreeSet<Engine>,
}

impl Asked {
    /// `own` stands for everything built in, the others are looked for.
    ///
    /// # Errors
    ///
    /// When an adapter is missing or broken, so that no engine asked for is passed over; for the name of a
    /// protocol, because each result has its own.
    pub fn of(engines: &[Engine]) -> Result<Self, Error> {
        let mut asked = Self {
            own: false,
            adapters: BTreeSet::new(),
        };
        for engine in engines {
            match engine {
                Engine::Own => asked.own = true,
                engine if engine.is_outside() => {
                    engine.speaks()?;
                    asked.adapters.insert(engine.clone());
                }
                _ => {
                    return Err(Error::Refused(format!(
                        "{engine} is no choice here: own stands for all replicas built in, the \
                         others are cmd:COMMAND and {}",
                        adapters().join(", ")
                    )));
                }
            }
        }
        Ok(asked)
    }

    fn includes(&self, engine: &Engine) -> bool {
        match engine {
            engine if engine.is_outside() => self.adapters.contains(engine),
            _ => self.own,
        }
    }
}

/// What a solver does again; everything else is derived again in any case.
#[derive(Debug, Clone, Copy)]
pub enum Again<'a> {
    /// Nothing: the word of searches is said not to be repeated.
    Nothing,
    /// The searches that a bound rests on, and the solve of a longer horizon.
    Searches(&'a Settings),
    /// Every solve.
    Solves(&'a Settings),
}

/// Verifies every folder below `results` that has an `expected.yaml`, in order of their paths, and
/// drives the replicas that it names as far as they are `asked` for. A case whose files cannot be
/// read, verified or replayed is a difference, so one broken case hides no other. An empty list says
/// that there was nothing to check. After an interrupt the list has what was checked until then.
///
/// # Errors
///
/// When the folder itself cannot be read, or an adapter is at fault, which says nothing about any
/// result.
pub fn regress(
    results: &Path,
    asked: &Asked,
    again: Again<'_>,
    interrupt: &AtomicBool,
    report: &mut dyn FnMut(&Case),
) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for dir in folders(results, &[EXPECTED, PROOF])? {
        let name = dir
            .strip_prefix(results)
            .unwrap_or(&dir)
            .display()
            .to_string();
        let name = if name.is_empty() {
            ".".to_owned()
        } else {
            name
        };
        let case = check(name, &dir, asked, again, interrupt)?;
        // What was interrupted says nothing about its result.
        if interrupt.load(Ordering::SeqCst) {
            break;
        }
        report(&case);
        cases.push(case);
    }
    Ok(cases)
}

/// The folders of kept results at or below one, ascending; none where there is no such folder.
pub(crate) fn kept(results: &Path) -> Result<Vec<PathBuf>, Error> {
    folders(results, &[EXPECTED])
}

/// The same of folders that have one of these files.
fn folders(results: &Path, marks: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let mut dirs = Vec::new();
    if results.is_dir() {
        collect(results, marks, &mut dirs)?;
    }
    dirs.sort();
    Ok(dirs)
}

/// All folders at or below `dir` that have one of these files, and links to folders. What a killed
/// writer left under a temporary name is none; a link is not followed, because it may lead in a
/// circle.
fn collect(dir: &Path, marks: &[&str], dirs: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in std::fs::read_dir(dir).map_err(Error::io(LIST, dir))? {
        let entry = entry.map_err(Error::io(LIST, dir))?;
        let (name, path) = (entry.file_name(), entry.path());
        let kind = entry.file_type().map_err(Error::io(LOOK, &path))?;
        let leftover = |name: &str| write::temporary_of(name).is_some();
        if marks.iter().any(|it| name == *it) {
            // Whatever it is: reading it says so.
            dirs.push(dir.to_owned());
        } else if kind.is_symlink() && path.is_dir() {
            dirs.push(path);
        } else if kind.is_dir() && !name.to_str().is_some_and(leftover) {
            collect(&path, marks, dirs)?;
        }
    }
    Ok(())
}

fn check(
    name: String,
    dir: &Path,
    asked: &Asked,
    again: Again<'_>,
    interrupt: &AtomicBool,
) -> Result<Case, Error> {
    if dir.is_symlink() && name != "." {
        let why = "it is a link, which is not followed: check the folder it leads to by itself";
        return Ok(broken(name, &Error::Refused(why.to_owned())));
    }
    if every::is_proof(dir) {
        return Ok(proof(name, dir));
    }
    let read = || {
        let folder = Folder::read(dir)?;
        let kept = Expected::read(&dir.join(EXPECTED))?;
        Ok((kept, folder))
    };
    let (kept, folder) = match read() {
        Ok(both) => both,
        Err(error) => return Ok(broken(name, &error)),
    };
    let plan = match Plan::of(&kept, asked) {
        Ok(plan) => plan,
        Err(error) => return Ok(broken(name, &error)),
    };
    let Outcome {
        instance, primal, ..
    } = &folder.outcome;
    let value = primal.map_or_else(String::new, |primal| sentence::value(instance, primal));
    let own = asked.own.then(|| kept.verdict.engine.clone());
    let others = plan.engines.iter().map(Engine::to_string);
    let about = |proof: Option<&str>| {
        Some(About {
            goal: instance.goal.name(),
            value: match proof {
                Some(proof) => format!("{value}, {proof}"),
                None => value.clone(),
            },
            engines: own.into_iter().chain(others).collect(),
            unasked: plan.unasked.iter().map(Engine::to_string).collect(),
        })
    };
    match differences(&plan, &folder, again, interrupt) {
        Ok((differences, proof)) => Ok(Case {
            name,
            about: about(proof),
            differences,
        }),
        Err(error) if error.is_engine() => Err(error),
        Err(error) => Ok(Case {
            about: about(None),
            ..broken(name, &error)
        }),
    }
}

/// A proof for every n, derived again.
fn proof(name: String, dir: &Path) -> Case {
    match every::verify(dir) {
        Ok(verified) => Case {
            name,
            about: Some(About {
                goal: verified.goal.name(),
                value: verified.value,
                engines: Vec::new(),
                unasked: Vec::new(),
            }),
            differences: verified.differences,
        },
        Err(error) => broken(name, &error),
    }
}

/// What is run of a kept result.
struct Plan {
    own: bool,
    engines: Vec<Engine>,
    /// Engines that are kept and not run.
    unasked: Vec<Engine>,
    /// What is expected of those that are run.
    expected: Expected,
}

impl Plan {
    fn of(kept: &Expected, asked: &Asked) -> Result<Self, Error> {
        let (mut engines, mut unasked, mut replays) = (Vec::new(), Vec::new(), Vec::new());
        for replay in &kept.replays {
            let engine = replay.engine.parse::<Engine>().map_err(Error::Refused)?;
            if asked.includes(&engine) {
                engines.push(engine);
                replays.push(replay.clone());
            } else if engine.is_outside() {
                unasked.push(engine);
            }
        }
        Ok(Self {
            own: asked.own,
            engines,
            unasked,
            expected: Expected {
                replays,
                ..kept.clone()
            },
        })
    }
}

fn broken(name: String, error: &Error) -> Case {
    Case {
        name,
        about: None,
        differences: vec![error.to_string()],
    }
}

/// Everything that is not as expected or not as claimed; if nothing is, what is proved.
fn differences(
    plan: &Plan,
    folder: &Folder,
    again: Again<'_>,
    interrupt: &AtomicBool,
) -> Result<(Vec<String>, Option<&'static str>), Error> {
    let expected = &plan.expected;
    let found = if plan.own {
        Expected::observe(folder, &plan.engines)?
    } else {
        Expected::with(folder, expected.verdict.clone(), &plan.engines)?
    };
    let mut differences = expected.differences(&found);
    if folder.outcome.schedule_sha256.as_ref() != Some(&expected.schedule_sha256) {
        differences.push("outcome.yaml is about another schedule".to_owned());
    }
    let verified = verified(folder, again, interrupt)?;
    let mut proof = verified.proof();
    differences.extend(verified.differences);
    if family::is_family(&folder.dir) {
        differences.extend(family::verify(&folder.dir)?.1);
    }
    if let Again::Solves(settings) = again {
        differences.extend(solved_again(expected, folder, (settings, interrupt))?);
        if matches!(verified.bound, Bound::Searches(_)) {
            proof = proof.map(|_| "proved, solved again");
        }
    }
    let proof = proof.filter(|_| differences.is_empty());
    Ok((differences, proof))
}

/// What is derived again of the result; what is not as claimed is no error.
fn verified(folder: &Folder, again: Again<'_>, interrupt: &AtomicBool) -> Result<Verified, Error> {
    let resolve = match again {
        Again::Searches(settings) => Some((Searcher::Highs, settings)),
        Again::Nothing | Again::Solves(_) => None,
    };
    let request = verify::Request {
        path: &folder.dir,
        resolve,
    };
    verify(&request, interrupt, &mut |_| ())
}

/// What a new solve says differently, with what was learned the first time. The schedule may be
/// another one that is as bad, and the proof an exact bound where it was none.
fn solved_again(
    expected: &Expected,
    folder: &Folder,
    (settings, interrupt): (&Settings, &AtomicBool),
) -> Result<Vec<String>, Error> {
    let request = solve::Request {
        instance: &folder.outcome.instance,
        settings,
        warm_start: None,
        adequacy: false,
        command: "milp regress --solve",
    };
    let Solution { outcome, .. } =
        solve::solve_beside(&request, folder.further()?.beside(), interrupt, &mut |_| ())?;
    let found = Expected {
        termination: outcome.termination,
        primal: outcome.primal.unwrap_or(i64::MIN),
        proved: outcome.proved,
        certificate: expected.certificate.or_exact((&outcome.certificate).into()),
        ..expected.clone()
    };
    let again = |difference| format!("solved again, {difference}");
    Ok(expected
        .differences(&found)
        .into_iter()
        .map(again)
        .collect())
}
