//! `milp explain`: a schedule in words.

use crate::{exit, print};
use milp_study::{Error, explain::story, folder::Driven};
use std::path::PathBuf;

/// A schedule to tell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  milp explain results/dbft1/n4-delays-fork
  milp explain results/dbft2/n4-stall-nspcc

Exit code 0: told.")]
pub(crate) struct Args {
    /// Folder of a result or a schedule.csv
    path: PathBuf,
    /// Instance file, in place of the one in outcome.yaml beside the schedule
    #[arg(long, value_name = "FILE")]
    instance: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let driven = Driven::read(&args.path, args.instance.as_deref())?;
    for line in story(&driven)?.lines() {
        print::line(&line);
    }
    Ok(exit::DONE)
}
