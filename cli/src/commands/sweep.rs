//! `milp sweep`: every combination of a sweep file.

use crate::{document, exit, limits::Limits, print, stop};
use milp_schema::read;
use milp_study::{
    Error,
    sweep::{CSV, Far, HTML, Request, Swept, place, replaceable, sweep},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{
    io::{self, IsTerminal as _, Write as _},
    num::NonZeroU32,
    path::{Path, PathBuf},
};

/// The sweep, the limits, and where everything goes.
#[derive(Debug, clap::Args)]
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
        program: &program,
    };
    let interrupt = stop::interrupt();
    let mut shown = Shown::new(args.quiet);
    let swept = sweep(&request, &interrupt, &mut |far| shown.show(far));
    shown.wipe();
    let swept = swept?;
    table(&swept, &out);
    Ok(code(&swept))
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

fn table(swept: &Swept, out: &Path) {
    print::table(&swept.header(true), &swept.table(true), &swept.numbers());
    print::line(&format!("{}; {} reused", swept.words(), swept.reused));
    let [csv, html] = [CSV, HTML].map(|name| out.join(name).display().to_string());
    print::line(&format!("{csv} and {html} are written"));
    document::result(&Found {
        combinations: swept.rows.len(),
        reused: swept.reused,
        settled: swept.settled(),
        written: vec![csv, html],
    });
}

/// One line on a terminal that is written over and over; nothing in a pipe.
struct Shown {
    on: bool,
    last: Option<Far>,
    length: usize,
}

impl Shown {
    fn new(quiet: bool) -> Self {
        Self {
            on: !quiet && io::stderr().is_terminal(),
            last: None,
            length: 0,
        }
    }

    fn show(&mut self, far: &Far) {
        if !self.on || self.last.as_ref() == Some(far) {
            return;
        }
        self.last = Some(far.clone());
        let names = far.at_work.join(", ");
        let text = format!("{} of {} ended; at work: {names}", far.ended, far.all);
        // On one line, whatever the names.
        let text = text.chars().take(78).collect::<String>();
        // Progress is a courtesy: a closed standard error must not end a sweep.
        let _ = write!(io::stderr().lock(), "\r{text:<width$}", width = self.length);
        self.length = text.len();
    }

    fn wipe(&self) {
        if self.on && self.length > 0 {
            let _ = write!(
                io::stderr().lock(),
                "\r{:width$}\r",
                "",
                width = self.length
            );
        }
    }
}
