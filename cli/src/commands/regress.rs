//! `milp regress`: checks every kept result again.

use crate::{document, exit, limits::Limits, print, stop};
use milp_schema::write;
use milp_study::{
    Error,
    confirm::{Engine, OWN},
    folder::RESULTS,
    junit,
    regress::{Again, Asked, Case, regress},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf, sync::atomic::Ordering};

/// Which results, and how thoroughly.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of kept results
    #[arg(default_value = RESULTS)]
    dir: PathBuf,
    /// Which replicas to run of those that a result's expected.yaml names: own stands for all that
    /// are built in, nspcc-dbft is the production engine, cmd:COMMAND an adapter of one's own; may
    /// be given again, or as a list with commas
    #[arg(
        long = "engine",
        value_name = "ENGINE",
        value_delimiter = ',',
        default_value = OWN
    )]
    engines: Vec<Engine>,
    /// Write a report as `JUnit` XML as well
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Where a bound rests on searches, search again, and solve longer horizons again; without it
    /// their word is said not to be repeated
    #[arg(long, conflicts_with = "solve")]
    resolve: bool,
    /// Solve every instance again as well
    #[arg(long)]
    solve: bool,
    #[command(flatten)]
    limits: Limits,
}

/// How the kept results fared.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// Result by result.
    results: Vec<Checked>,
}

/// How one kept result fared.
#[derive(Debug, Serialize, JsonSchema)]
struct Checked {
    /// Its path below the folder of results.
    name: String,
    /// The goal, where the outcome could be read.
    goal: Option<String>,
    /// The value in words.
    value: Option<String>,
    /// The replicas driven.
    engines: Vec<String>,
    /// Engines that it names and that were not asked for.
    unasked: Vec<String>,
    /// What is not as expected; empty when all is.
    differences: Vec<String>,
}

impl From<&Case> for Checked {
    fn from(case: &Case) -> Self {
        let about = case.about.as_ref();
        Self {
            name: case.name.clone(),
            goal: about.map(|about| about.goal.to_owned()),
            value: about.map(|about| about.value.clone()),
            engines: about.map_or_else(Vec::new, |about| about.engines.clone()),
            unasked: about.map_or_else(Vec::new, |about| about.unasked.clone()),
            differences: case.differences.clone(),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    if !args.dir.is_dir() {
        return Err(Error::Refused(format!(
            "{} is not a folder",
            args.dir.display()
        )));
    }
    let settings = args.limits.settings();
    let again = match (args.resolve, args.solve) {
        (_, true) => Again::Solves(&settings),
        (true, false) => Again::Searches(&settings),
        (false, false) => Again::Nothing,
    };
    let asked = Asked::of(&args.engines)?;
    let interrupt = stop::interrupt();
    let cases = regress(&args.dir, &asked, again, &interrupt, &mut |_| ())?;
    let interrupted = interrupt.load(Ordering::SeqCst);
    if !interrupted && cases.is_empty() {
        return Err(Error::Refused(format!(
            "nothing to check: no folder in {} has an expected.yaml, see milp promote",
            args.dir.display()
        )));
    }
    if let Some(path) = &args.junit {
        write::file(path, junit::report(&cases)?.as_bytes()).map_err(|source| Error::Io {
            doing: "write",
            path: path.clone(),
            source,
        })?;
    }
    document::result(&Found {
        results: cases.iter().map(Checked::from).collect(),
    });
    table(&cases);
    unasked(&cases, &args.engines);
    let bad = cases
        .iter()
        .filter(|case| !case.differences.is_empty())
        .count();
    print::line(&format!(
        "{} of {} results are as expected",
        cases.len() - bad,
        cases.len()
    ));
    if interrupted {
        print::line("interrupted: further results were not checked");
    }
    Ok(match bad {
        0 if interrupted => exit::INTERRUPTED,
        0 => exit::DONE,
        _ => exit::VIOLATION,
    })
}

/// Says which engines were passed over, and which were asked for in vain.
fn unasked(cases: &[Case], asked: &[Engine]) {
    let about = cases.iter().filter_map(|case| case.about.as_ref());
    let mut passed: BTreeMap<&str, usize> = BTreeMap::new();
    for engine in about.clone().flat_map(|about| &about.unasked) {
        *passed.entry(engine).or_default() += 1;
    }
    for (engine, results) in passed {
        print::note(&format!(
            "{engine} was not driven, though {results} of the results name it: --engine \
             '{engine}' does"
        ));
    }
    for engine in asked.iter().filter(|engine| **engine != Engine::Own) {
        let name = engine.to_string();
        if !about.clone().any(|about| about.engines.contains(&name)) {
            print::note(&format!("no result names {name}, so it was not driven"));
        }
    }
}

fn table(cases: &[Case]) {
    print::rows(
        ["result", "goal", "value", "replayed on", "found"],
        cases.iter().map(|case| {
            let about = case.about.as_ref();
            let found = match case.differences.len() {
                0 => "as expected".to_owned(),
                1 => "1 difference".to_owned(),
                number => format!("{number} differences"),
            };
            [
                case.name.clone(),
                about.map_or_else(String::new, |about| about.goal.to_owned()),
                about.map_or_else(String::new, |about| about.value.clone()),
                about.map_or_else(String::new, |about| about.engines.join(", ")),
                found,
            ]
        }),
        &[],
    );
    for case in cases {
        for difference in &case.differences {
            print::line(&format!("{}: {difference}", case.name));
        }
    }
}
