//! `milp bench`: one solve, measured.

use super::solve::{Limits, formulation};
use crate::{exit, print};
use milp_schema::{instance::Formulation, read};
use milp_study::{Error, bench};
use std::path::PathBuf;

/// What is solved and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Instance file
    file: PathBuf,
    #[command(flatten)]
    limits: Limits,
    /// Formulation, in place of the instance's own
    #[arg(long, value_name = "NAME", value_parser = formulation)]
    formulation: Option<Formulation>,
    /// Try no shorter horizon first
    #[arg(long)]
    cold: bool,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let mut instance = read::instance(&args.file)?;
    if let Some(formulation) = args.formulation {
        instance.formulation = formulation;
    }
    let measured = bench::measure(&instance, &args.limits.settings(), args.cold)?;
    let line = serde_json::to_string(&measured).map_err(|error| Error::Write {
        what: "the line",
        why: error.to_string(),
    })?;
    print::line(&line);
    Ok(exit::DONE)
}
