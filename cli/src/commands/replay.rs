//! `milp replay`: replicas driven by a schedule.

use crate::{exit, print};
use milp_schema::{
    Verdict,
    verdict::{Holds, Liveness},
    write,
};
use milp_study::{
    Error,
    confirm::{Confirmed, Engine, is_clean},
    folder::Driven,
};
use std::path::{Path, PathBuf};

/// The schedule and who is driven.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of a result, or a schedule.csv
    path: PathBuf,
    /// Drive other replicas: no comparison with the predictions, properties only
    #[arg(long = "as", value_name = "PROTOCOL[:MUTANT]")]
    engine: Option<Engine>,
    /// Instance file, in place of the one in outcome.yaml beside the schedule
    #[arg(long, value_name = "FILE")]
    instance: Option<PathBuf>,
    /// Leave real signatures out, for speed
    #[arg(long)]
    symbolic: bool,
    /// Write no trace and no verdict into the folder
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let driven = Driven::read(&args.path, args.instance.as_deref())?;
    if driven.edited {
        eprintln!("milp: note: schedule.csv is not the one outcome.yaml is about, it was edited");
    }
    let confirmed = driven.confirm(args.engine.as_ref(), args.symbolic)?;
    let verdict = &confirmed.verdict;
    if !args.dry_run {
        keep(&driven.dir, &confirmed)?;
    }
    table(verdict);
    for note in &verdict.notes {
        print::line(note);
    }
    Ok(if is_clean(verdict) {
        exit::DONE
    } else {
        exit::VIOLATION
    })
}

/// Writes the trace and then the verdict, so that a verdict is never there without its trace.
fn keep(dir: &Path, confirmed: &Confirmed) -> Result<(), Error> {
    let engine = &confirmed.verdict.engine;
    let files = [
        (format!("trace.{engine}.ndjson"), confirmed.trace.clone()),
        (
            format!("verdict.{engine}.yaml"),
            write::verdict_yaml(&confirmed.verdict),
        ),
    ];
    for (name, text) in files {
        let path = dir.join(name);
        write::file(&path, text.as_bytes()).map_err(|source| Error::Io {
            doing: "write",
            path,
            source,
        })?;
    }
    Ok(())
}

fn table(verdict: &Verdict) {
    let holds = |holds| match holds {
        Holds::Holds => "holds",
        Holds::Violated => "violated",
    };
    let termination = match verdict.termination {
        Liveness::Decided => "decided",
        Liveness::Stuck => "stuck",
        Liveness::Open => "open",
    };
    print::facts([
        ("engine", Some(verdict.engine.clone())),
        ("agreement", Some(holds(verdict.agreement).to_owned())),
        ("finality", Some(holds(verdict.finality).to_owned())),
        ("validity", Some(holds(verdict.validity).to_owned())),
        ("integrity", Some(holds(verdict.integrity).to_owned())),
        ("lock", Some(holds(verdict.lock).to_owned())),
        ("termination", Some(termination.to_owned())),
        ("divergences", Some(verdict.divergences.to_string())),
    ]);
}
