//! `milp replay`: replicas driven by a schedule.

use crate::{document, exit, print};
use milp_schema::{
    Verdict,
    verdict::{Holds, Liveness},
    write,
};
use milp_show::words::{INTERPRETER, followers};
use milp_study::{
    Error, Recovery,
    confirm::{Confirmed, Engine, How, OWN, is_clean},
    every::family,
    folder::Driven,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The schedule and who is driven.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of a result, or a schedule.csv
    path: PathBuf,
    /// Whose replicas to drive: own, sound (without the mutant), interpreter (of the protocol's
    /// file), nspcc-dbft (the production engine), PROTOCOL[:MUTANT], or cmd:COMMAND, the adapter of
    /// an engine of one's own; may be given again, or as a list with commas. Those that follow
    /// other rules than the schedule's are not compared with the predictions, only the properties
    /// are checked
    #[arg(
        long = "engine",
        visible_alias = "as",
        value_name = "ENGINE",
        value_delimiter = ',',
        default_value = OWN
    )]
    engines: Vec<Engine>,
    /// Compare with the predictions whatever rules the replicas follow
    #[arg(long)]
    compare: bool,
    /// How an engine rebuilds what a recovery message carries: as sent, or as neo-go does
    #[arg(long, value_name = "HOW", value_parser = recovery, default_value = "ideal")]
    recovery: Recovery,
    /// Instance file, in place of the one in outcome.yaml beside the schedule
    #[arg(long, value_name = "FILE")]
    instance: Option<PathBuf>,
    /// Of an attack for every number of replicas, the one with so many
    #[arg(long, value_name = "N", conflicts_with = "instance")]
    replicas: Option<u32>,
    /// Leave real signatures out, for speed
    #[arg(long)]
    symbolic: bool,
    /// Write no trace and no verdict into the folder
    #[arg(long)]
    dry_run: bool,
}

/// What replicas did.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// In the order of the engines asked for.
    verdicts: Vec<Judged>,
}

/// What the replicas of one engine did.
#[derive(Debug, Serialize, JsonSchema)]
struct Judged {
    /// Which replicas.
    engine: String,
    /// `the interpreter of the file`, `replicas written from the page` or `the engine`: how much the
    /// word of those who followed weighs.
    followed_by: String,
    /// `holds` or `violated`: no two honest replicas decide different blocks at a height.
    agreement: String,
    /// `holds` or `violated`: at most one valid certificate exists at a height.
    finality: String,
    /// `holds` or `violated`: decided blocks come from the primary.
    validity: String,
    /// `holds` or `violated`: a replica decides at most once at a height.
    integrity: String,
    /// `holds` or `violated`: binding votes bind.
    lock: String,
    /// `decided`, `stuck` or `open`.
    termination: String,
    /// How many good views passed without a decision; null where the goal does not ask.
    wasted: Option<u32>,
    /// How many replicas what honest ones have proves guilty; null where the goal does not ask.
    guilty: Option<u32>,
    /// Differences between prediction and trace; null where nothing was compared.
    divergences: Option<u32>,
    /// Rows that could not happen, and promises of network and timers that the schedule breaks.
    impossible: u32,
    /// The same where the replicas follow other rules than those the schedule is for.
    unapplied: u32,
    /// How often the engine broke down.
    faults: u32,
    /// One sentence for each violation, divergence, row that could not happen and breakdown.
    notes: Vec<String>,
}

impl From<&Verdict> for Judged {
    fn from(verdict: &Verdict) -> Self {
        Self {
            engine: verdict.engine.clone(),
            followed_by: followers(&verdict.engine).to_owned(),
            agreement: holds(verdict.agreement).to_owned(),
            finality: holds(verdict.finality).to_owned(),
            validity: holds(verdict.validity).to_owned(),
            integrity: holds(verdict.integrity).to_owned(),
            lock: holds(verdict.lock).to_owned(),
            termination: termination(verdict.termination).to_owned(),
            wasted: verdict.wasted,
            guilty: verdict.guilty,
            divergences: verdict.divergences,
            impossible: verdict.impossible,
            unapplied: verdict.unapplied,
            faults: verdict.faults,
            notes: verdict.notes.clone(),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let driven = match args.replicas {
        Some(n) => family::read(&args.path)?.at(n, &args.path)?,
        None => Driven::read(&args.path, args.instance.as_deref())?,
    };
    if driven.edited {
        print::note("schedule.csv is not the one outcome.yaml is about, it was edited");
    }
    let how = How {
        symbolic: args.symbolic,
        recovery: args.recovery,
        compare: args.compare,
    };
    let mut clean = true;
    let mut verdicts = Vec::new();
    for engine in &args.engines {
        let confirmed = driven.confirm(engine, how)?;
        let verdict = &confirmed.verdict;
        // What is kept beside a result is about its own number of replicas.
        if !args.dry_run && args.replicas.is_none() {
            keep(&driven.dir, &confirmed)?;
        }
        verdicts.push(Judged::from(verdict));
        table(verdict);
        for line in lines(&verdict.notes) {
            print::line(&line);
        }
        clean &= is_clean(verdict);
    }
    document::result(&Found { verdicts });
    Ok(if clean { exit::DONE } else { exit::VIOLATION })
}

fn recovery(name: &str) -> Result<Recovery, String> {
    match name {
        "ideal" => Ok(Recovery::Ideal),
        "neo-go" => Ok(Recovery::NeoGo),
        _ => Err("expected ideal or neo-go".to_owned()),
    }
}

/// How many rows that do not apply are shown.
const SHOWN: usize = 5;

/// The notes for a terminal. To replicas of other rules most of a schedule may not apply.
fn lines(notes: &[String]) -> Vec<String> {
    let unapplied = |note: &&String| note.starts_with("not applied: ");
    let mut left = SHOWN;
    let mut lines = Vec::new();
    for note in notes {
        if unapplied(&note) {
            if left == 0 {
                continue;
            }
            left -= 1;
        }
        lines.push(note.clone());
    }
    let more = notes.iter().filter(unapplied).count().saturating_sub(SHOWN);
    if more > 0 {
        lines.push(format!("not applied: {more} more, which --json prints"));
    }
    lines
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

fn holds(holds: Holds) -> &'static str {
    match holds {
        Holds::Holds => "holds",
        Holds::Violated => "violated",
        Holds::NotJudged => "not judged",
    }
}

fn termination(liveness: Liveness) -> &'static str {
    match liveness {
        Liveness::Decided => "decided",
        Liveness::Stuck => "stuck",
        Liveness::Open => "open",
    }
}

fn table(verdict: &Verdict) {
    let divergences = verdict
        .divergences
        .map_or_else(|| "not compared".to_owned(), |count| count.to_string());
    // What is hardly ever there is said where it is.
    let some = |count: u32| {
        Some(count)
            .filter(|count| *count > 0)
            .map(|it| it.to_string())
    };
    print::facts([
        ("engine", Some(verdict.engine.clone())),
        (
            "followed by",
            Some(followers(&verdict.engine).to_owned()).filter(|it| it == INTERPRETER),
        ),
        ("agreement", Some(holds(verdict.agreement).to_owned())),
        ("finality", Some(holds(verdict.finality).to_owned())),
        ("validity", Some(holds(verdict.validity).to_owned())),
        ("integrity", Some(holds(verdict.integrity).to_owned())),
        ("lock", Some(holds(verdict.lock).to_owned())),
        (
            "termination",
            Some(termination(verdict.termination).to_owned()),
        ),
        ("good views wasted", verdict.wasted.map(|it| it.to_string())),
        ("proved guilty", verdict.guilty.map(|it| it.to_string())),
        ("divergences", Some(divergences)),
        ("impossible", some(verdict.impossible)),
        ("not applied", some(verdict.unapplied)),
        ("breakdowns", some(verdict.faults)),
    ]);
}
