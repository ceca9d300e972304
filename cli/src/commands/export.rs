//! `milp export`: the program for another solver.

use crate::{exit, print};
use milp_schema::{read, write};
use milp_study::Error;
use std::path::PathBuf;

/// The instance and the format.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("format").required(true).args(["lp", "mps"])))]
pub(crate) struct Args {
    /// Instance file
    file: PathBuf,
    /// In the LP format of CPLEX
    #[arg(long)]
    lp: bool,
    /// In free MPS
    #[arg(long)]
    mps: bool,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let instance = read::instance(&args.file)?;
    let program = milp_model::build(&instance)?.program;
    let text = if args.lp {
        milp_solver::lp(&program)
    } else {
        milp_solver::mps(&program)
    };
    match &args.out {
        Some(path) => write::file(path, text.as_bytes()).map_err(|source| Error::Io {
            doing: "write",
            path: path.clone(),
            source,
        })?,
        None => print::line(text.trim_end()),
    }
    Ok(exit::DONE)
}
