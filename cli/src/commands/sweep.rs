//! `milp sweep`: every combination of a sweep file.

use crate::{document, exit, limits::Limits, print, progress::Printer, stop};
use milp_schema::read;
use milp_study::{
    Error,
    sweep::{CSV, HTML, Request, State, Swept, left, limits, place, replaceable, sweep, task},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
};

/// The sweep, the limits, and where everything goes.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch")]
pub(crate) struct Args {
    /// Sweep file
    file: PathBuf,
    /// Folder for the table, the plot and the results [default: out/ and the path of FILE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Limits of each combination
    #[command(flatten)]
    limits: Limits,
    /// Solves at once
    #[arg(long, value_name = "N", default_value = "1")]
    jobs: NonZeroU32,
    /// Solve also what was solved before
    #[arg(long)]
    fresh: bool,
    /// Print a command for each combination that is not solved yet, one a line, and solve none: they
    /// may run on any machine that sees this folder
    #[arg(long, conflicts_with_all = ["jobs", "collect", "task"])]
    tasks: bool,
    /// Solve that combination alone and keep what becomes of it, whatever that is
    #[arg(long, value_name = "NAME", conflicts_with_all = ["jobs", "collect"])]
    task: Option<String>,
    /// Solve nothing: make the table of what was solved, and say what is missing
    #[arg(long, conflicts_with_all = ["jobs", "fresh"])]
    collect: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// How many combinations there are.
    combinations: usize,
    /// How many were not solved again.
    reused: usize,
    /// Whether every combination is proved, or no valid instance.
    settled: bool,
    /// The names of combinations that nobody solved yet.
    missing: Vec<String>,
    /// With --tasks, a command for each of them.
    tasks: Vec<String>,
    /// The files.
    written: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let combinations = read::sweep(&args.file)?;
    let out = match &args.out {
        Some(dir) => dir.clone(),
        None => place(&args.file)?,
    };
    replaceable(&out)?;
    let program = std::env::current_exe().map_err(|source| Error::Io {
        doing: "find",
        path: PathBuf::from("milp"),
        source,
    })?;
    let request = Request {
        sweep: &combinations,
        name: &args.file.display().to_string(),
        out: &out,
        settings: &args.limits.settings(),
        jobs: args.jobs.get() as usize,
        fresh: args.fresh,
        collect: args.collect,
        program: &program,
    };
    if args.tasks {
        return tasks(&request, &args.file);
    }
    let interrupt = stop::interrupt();
    if let Some(name) = &args.task {
        let state = task(&request, name, &interrupt)?;
        return Ok(alone(&request, name, &state));
    }
    let mut printer = Printer::new(args.quiet, None);
    let swept = sweep(&request, &interrupt, &mut |far| {
        let stage = format!("{} of {} ended", far.ended, far.all);
        printer.say(&stage, &format!("at work on {}", far.at_work.join(", ")));
    });
    printer.finish();
    let swept = swept?;
    table(&swept, &out, args.collect);
    Ok(code(&swept))
}

/// One command a line, fit for a shell in any folder.
fn tasks(request: &Request<'_>, file: &Path) -> Result<u8, Error> {
    let absolute = |path: &Path| {
        let path = std::path::absolute(path).map_err(|source| Error::Io {
            doing: "find",
            path: path.to_owned(),
            source,
        })?;
        Ok::<_, Error>(path.display().to_string())
    };
    let common = [
        vec![request.program.display().to_string(), "sweep".to_owned()],
        vec![absolute(file)?, "--out".to_owned(), absolute(request.out)?],
        limits(request.settings),
        request
            .fresh
            .then(|| "--fresh".to_owned())
            .into_iter()
            .collect(),
    ];
    let common = common.into_iter().flatten().map(|word| quoted(&word));
    let common = common.collect::<Vec<_>>().join(" ");
    let missing = left(request);
    let tasks = missing
        .iter()
        .map(|name| format!("{common} --task {}", quoted(name)));
    let tasks: Vec<String> = tasks.collect();
    for task in &tasks {
        print::verbatim(task);
    }
    document::result(&Found {
        combinations: request.sweep.len(),
        reused: request.sweep.len() - missing.len(),
        settled: missing.is_empty(),
        missing,
        tasks,
        written: Vec::new(),
    });
    Ok(exit::DONE)
}

/// What became of a single combination; the exit code says whether that is kept.
fn alone(request: &Request<'_>, name: &str, state: &State) -> u8 {
    let why = match state {
        State::Invalid(why) | State::Failed(why) => format!(": {why}"),
        State::Missing | State::Solved(_) | State::Interrupted(_) => String::new(),
    };
    print::line(&format!("{name} {}{why}", state.name()));
    let open = matches!(state, State::Missing | State::Interrupted(_));
    document::result(&Found {
        combinations: 1,
        reused: 0,
        settled: state.settled(),
        missing: open.then(|| name.to_owned()).into_iter().collect(),
        tasks: Vec::new(),
        written: vec![request.out.display().to_string()],
    });
    if open { exit::INTERRUPTED } else { exit::DONE }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn code(swept: &Swept) -> u8 {
    let any = |name: &str| swept.rows.iter().any(|row| row.state.name() == name);
    let all_invalid = swept.rows.iter().all(|row| row.state.name() == "invalid");
    match () {
        () if swept.interrupted => exit::INTERRUPTED,
        () if any("failed") => exit::FAILURE,
        () if all_invalid => exit::INPUT,
        () if swept.settled() => exit::DONE,
        () => exit::UNPROVED,
    }
}

fn table(swept: &Swept, out: &Path, collected: bool) {
    print::table(&swept.header(true), &swept.table(true), &swept.numbers());
    let missing = swept.missing();
    if collected {
        print::line(&swept.words());
        for name in &missing {
            print::line(&format!("missing: {name}"));
        }
    } else {
        print::line(&format!("{}; {} reused", swept.words(), swept.reused));
    }
    let [csv, html] = [CSV, HTML].map(|name| out.join(name).display().to_string());
    print::line(&format!("{csv} and {html} are written"));
    document::result(&Found {
        combinations: swept.rows.len(),
        reused: swept.reused,
        settled: swept.settled(),
        missing,
        tasks: Vec::new(),
        written: vec![csv, html],
    });
}
