//! `milp verify`: derives again what a result claims.

use crate::{document, exit, limits::Limits, print, progress::Printer, stop};
use milp_schema::outcome::Termination;
use milp_solver::Searcher;
use milp_study::{
    Error,
    every::{self, family},
    sentence,
    verify::{Bound, Request, Verified, verify},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

/// What is checked and how far.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of a result, or its outcome.yaml
    path: PathBuf,
    /// Where the bound is the word of two searches, search again; without it that word is not
    /// checked
    #[arg(long)]
    resolve: bool,
    /// By which solver: highs, or cbc in a build with that feature
    #[arg(
        long = "with",
        value_name = "SOLVER",
        value_parser = searcher,
        default_value = "highs",
        requires = "resolve"
    )]
    searcher: Searcher,
    #[command(flatten)]
    limits: Limits,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// What was derived.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// Value of the incumbent, derived.
    value: Option<i64>,
    /// `exact`, `searched` again here, `searches` that were not repeated, or the solver's `word`.
    bound: &'static str,
    /// What is not as claimed.
    differences: Vec<String>,
    /// All of it in words.
    verdict: String,
}

impl Found {
    /// What was derived of a proof for every n.
    pub(super) fn of_every(verified: &every::Verified) -> Self {
        Self {
            value: None,
            bound: "exact",
            differences: verified.differences.clone(),
            verdict: verified.said.sentence.clone(),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    if every::is_proof(&args.path) {
        return super::every::verify(&args.path);
    }
    // Without searches there is nothing to keep, and the first Ctrl-C is the end.
    let interrupt = if args.resolve {
        stop::interrupt()
    } else {
        Arc::default()
    };
    let settings = args.limits.settings();
    let request = Request {
        path: &args.path,
        resolve: args.resolve.then_some((args.searcher, &settings)),
    };
    let mut printer = Printer::new(args.quiet || !args.resolve, Some(args.limits.seconds()));
    let verified = verify(&request, &interrupt, &mut |progress| printer.show(progress));
    printer.finish();
    let mut verified = verified?;
    let mut of_every = None;
    if family::is_family(&args.path) {
        let (sentence, differences) = family::verify(&args.path)?;
        verified.differences.extend(differences);
        of_every = Some(sentence);
    }
    summary(&verified);
    for difference in &verified.differences {
        print::line(difference);
    }
    if let Some(sentence) = &of_every {
        print::line(sentence);
    }
    print::line(&verified.words());
    document::result(&Found {
        value: verified.value,
        bound: match verified.bound {
            Bound::Exact => "exact",
            Bound::SearchedAgain(_) => "searched",
            Bound::Searches(_) => "searches",
            Bound::Word => "word",
        },
        differences: verified.differences.clone(),
        verdict: verified.words(),
    });
    Ok(match verified.bound {
        _ if !verified.differences.is_empty() => exit::VIOLATION,
        Bound::Exact | Bound::SearchedAgain(_) => exit::DONE,
        Bound::Searches(_) if interrupt.load(Ordering::SeqCst) => exit::INTERRUPTED,
        Bound::Searches(_) | Bound::Word => exit::UNPROVED,
    })
}

fn searcher(name: &str) -> Result<Searcher, String> {
    match name {
        "highs" => Ok(Searcher::Highs),
        "cbc" => Ok(Searcher::Cbc),
        _ => Err("expected highs or cbc".to_owned()),
    }
}

fn summary(verified: &Verified) {
    let outcome = &verified.outcome;
    let instance = &outcome.instance;
    let program = outcome.program.as_ref();
    let cubes = match verified.cubes {
        (0 | 1, 0) => None,
        (exact, symmetric) => Some(format!(
            "{exact} closed in exact integers, {symmetric} by symmetry"
        )),
    };
    let proved = verified.differences.is_empty()
        && matches!(verified.bound, Bound::Exact | Bound::SearchedAgain(_));
    let bound = outcome
        .dual
        .filter(|_| proved && outcome.termination == Termination::Optimal);
    print::facts([
        ("goal", Some(instance.goal.name().to_owned())),
        (
            "value",
            verified.value.map(|value| sentence::value(instance, value)),
        ),
        (
            "bound",
            bound.and_then(|bound| sentence::bound(instance, verified.value, bound)),
        ),
        (
            "program",
            program.map(|program| format!("{} columns x {} rows", program.columns, program.rows)),
        ),
        ("formulation", Some(outcome.formulation.clone())),
        ("cubes", cubes),
    ]);
}
