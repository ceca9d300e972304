//! `milp cubes`: cuts the program of an instance into cubes and closes each.

use super::solve::{command_line, destination, formulation, place};
use crate::{
    document,
    found::{self, code, summary},
    limits::Limits,
    print,
    progress::Printer,
    set::Set,
    stop,
};
use milp_schema::instance::Formulation;
use milp_study::{
    Error, cubes,
    folder::{self, Folder},
    solve::Request,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// The question, the limits, and where the answer goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Instance file
    file: PathBuf,
    #[command(flatten)]
    set: Set,
    /// Folder for the result [default: out/ and the path of the instance, below instances/ if it
    /// lies there]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    /// Take the schedule of an earlier result to start from
    #[arg(long, value_name = "DIR")]
    warm_start: Option<PathBuf>,
    /// Formulation, in place of the instance's own
    #[arg(long, value_name = "NAME", value_parser = formulation)]
    formulation: Option<Formulation>,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// What was found, and how it was closed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// As a solve says it.
    solve: found::Found,
    /// How the cubes were closed, in words.
    cubes: String,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let mut instance = args.set.read(&args.file)?;
    if let Some(formulation) = args.formulation {
        instance.formulation = formulation;
    }
    let warm_start = args.warm_start.as_deref().map(Folder::read).transpose()?;
    let out = destination(args.out.as_deref(), place, &args.file, &instance)?;
    folder::replaceable(&out)?;
    let interrupt = stop::interrupt();
    let request = Request {
        instance: &instance,
        settings: &args.limits.settings(),
        warm_start: warm_start.as_ref(),
        adequacy: false,
        command: &command_line(),
    };
    let mut printer = Printer::new(args.quiet, Some(args.limits.seconds()));
    printer.about(&instance, "");
    let cut = cubes::cut(&request, &interrupt, &mut |progress| printer.show(progress));
    printer.finish();
    let cut = cut?;
    folder::write(&out, &cut.solution.files())?;
    summary(&cut.solution, &out);
    print::line(&cut.words());
    document::result(&Found {
        solve: found::Found::of(&cut.solution, &out, None),
        cubes: cut.words(),
    });
    Ok(code(&cut.solution))
}
