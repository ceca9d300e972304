//! `milp export`: a program for another solver, a schedule for another model checker.

use crate::{document, exit, print};
use milp_schema::{read, write};
use milp_study::{Error, folder::Driven};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// What is exported and the format.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one flag per format, of which one is given"
)]
#[command(group(clap::ArgGroup::new("format").required(true).args(["lp", "mps", "itf", "tla"])))]
#[command(group(clap::ArgGroup::new("behaviour").args(["itf", "tla"])))]
pub(crate) struct Args {
    /// Instance file; for --itf and --tla the folder of a result, or a schedule.csv
    file: PathBuf,
    /// The program in the LP format of CPLEX
    #[arg(long)]
    lp: bool,
    /// The program in free MPS
    #[arg(long)]
    mps: bool,
    /// The behaviour of the TLA+ model in the Informal Trace Format
    #[arg(long)]
    itf: bool,
    /// The behaviour as a module Trace with which TLC confirms it on the published model
    #[arg(long)]
    tla: bool,
    /// Instance file of a schedule, in place of the one in outcome.yaml beside it
    #[arg(long, value_name = "FILE", requires = "behaviour")]
    instance: Option<PathBuf>,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The file, if it went into one.
    file: Option<String>,
    /// The text, if it did not.
    text: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let text = if args.itf || args.tla {
        let driven = Driven::read(&args.file, args.instance.as_deref())?;
        if args.itf {
            driven.itf()?
        } else {
            driven.tla_module()?
        }
    } else {
        program(args)?
    };
    if let Some(path) = &args.out {
        write::file(path, text.as_bytes()).map_err(|source| Error::Io {
            doing: "write",
            path: path.clone(),
            source,
        })?;
    } else {
        print::text(&text);
    }
    document::result(&Found {
        file: args.out.as_ref().map(|path| path.display().to_string()),
        text: args.out.is_none().then_some(text),
    });
    Ok(exit::DONE)
}

/// The program of the instance as text.
fn program(args: &Args) -> Result<String, Error> {
    let instance = read::instance(&args.file)?;
    let built = milp_model::build(&instance)?;
    let program = built.program();
    Ok(if args.lp {
        milp_solver::lp(program)
    } else {
        milp_solver::mps(program)
    })
}
