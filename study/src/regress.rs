//! Checks every kept result again.

use crate::{
    Error,
    confirm::Engine,
    expected::{CertificateKind, Expected},
    folder::{EXPECTED, Folder},
    junit, sentence,
    solve::{self, Solution},
};
use milp_schema::Outcome;
use milp_solver::Settings;
use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
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
    /// The kept value in words, and whether it is proved.
    pub value: String,
    /// The replicas driven: the instance's own, then the others.
    pub engines: Vec<String>,
}

/// Checks every folder below `results` that has an `expected.yaml`, in order of their paths.
/// With `settings` every instance is solved again as well. A case whose files cannot be read or
/// replayed is a difference, so one broken case hides no other. An empty list says that there
/// was nothing to check.
///
/// # Errors
///
/// When the folder itself cannot be read.
pub fn regress(
    results: &Path,
    settings: Option<&Settings>,
    report: &mut dyn FnMut(&Case),
) -> Result<Vec<Case>, Error> {
    let mut dirs = Vec::new();
    collect(results, &mut dirs)?;
    dirs.sort();
    let mut cases = Vec::new();
    for dir in dirs {
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
        let case = check(name, &dir, settings);
        report(&case);
        cases.push(case);
    }
    Ok(cases)
}

/// The report in the `JUnit` format.
///
/// # Errors
///
/// When it cannot be expressed in XML.
pub fn junit(cases: &[Case]) -> Result<String, Error> {
    junit::report(cases)
}

/// All folders at or below `dir` that have an `expected.yaml`.
fn collect(dir: &Path, dirs: &mut Vec<PathBuf>) -> Result<(), Error> {
    if dir.join(EXPECTED).is_file() {
        dirs.push(dir.to_owned());
    }
    for entry in std::fs::read_dir(dir).map_err(Error::io("list", dir))? {
        let path = entry.map_err(Error::io("list", dir))?.path();
        if path.is_dir() {
            collect(&path, dirs)?;
        }
    }
    Ok(())
}

fn check(name: String, dir: &Path, settings: Option<&Settings>) -> Case {
    let read = || Ok((Expected::read(&dir.join(EXPECTED))?, Folder::read(dir)?));
    let (expected, folder) = match read() {
        Ok(both) => both,
        Err(error) => return broken(name, &error),
    };
    let engines = expected.replays.iter().map(|replay| replay.engine.clone());
    let Outcome {
        instance,
        primal,
        proved,
        ..
    } = &folder.outcome;
    let value = primal.map_or_else(String::new, |primal| sentence::value(instance, primal));
    let about = About {
        goal: sentence::goal_name(instance.goal),
        value: if *proved {
            format!("{value}, proved")
        } else {
            value
        },
        engines: [expected.verdict.engine.clone()]
            .into_iter()
            .chain(engines)
            .collect(),
    };
    match differences(&expected, &folder, settings) {
        Ok(differences) => Case {
            name,
            about: Some(about),
            differences,
        },
        Err(error) => Case {
            about: Some(about),
            ..broken(name, &error)
        },
    }
}

fn broken(name: String, error: &Error) -> Case {
    Case {
        name,
        about: None,
        differences: vec![error.to_string()],
    }
}

fn differences(
    expected: &Expected,
    folder: &Folder,
    settings: Option<&Settings>,
) -> Result<Vec<String>, Error> {
    let engines = expected
        .replays
        .iter()
        .map(|replay| replay.engine.parse::<Engine>().map_err(Error::Refused))
        .collect::<Result<Vec<_>, _>>()?;
    let mut differences = expected.differences(&Expected::observe(folder, &engines)?);
    if folder.outcome.schedule_sha256.as_ref() != Some(&expected.schedule_sha256) {
        differences.push("outcome.yaml is about another schedule".to_owned());
    }
    if let Some(settings) = settings {
        differences.extend(solved_again(expected, folder, settings)?);
    }
    Ok(differences)
}

/// What a new solve says differently. The schedule may be another one that is as bad.
fn solved_again(
    expected: &Expected,
    folder: &Folder,
    settings: &Settings,
) -> Result<Vec<String>, Error> {
    let request = solve::Request {
        instance: &folder.outcome.instance,
        settings,
        warm_start: None,
        adequacy: false,
        command: "milp regress --solve",
    };
    let Solution { outcome, .. } = solve::solve(&request, &AtomicBool::new(false), &mut |_| ())?;
    let found = Expected {
        termination: outcome.termination,
        primal: outcome.primal.unwrap_or(i64::MIN),
        proved: outcome.proved,
        certificate: CertificateKind::from(&outcome.certificate),
        ..expected.clone()
    };
    let again = |difference| format!("solved again, {difference}");
    Ok(expected
        .differences(&found)
        .into_iter()
        .map(again)
        .collect())
}
