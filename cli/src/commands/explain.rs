//! `milp explain`: a schedule in words.

use crate::{document, exit, print};
use milp_study::{Error, explain::story, folder::Driven};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// A schedule to tell.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of a result or a schedule.csv
    path: PathBuf,
    /// Instance file, in place of the one in outcome.yaml beside the schedule
    #[arg(long, value_name = "FILE")]
    instance: Option<PathBuf>,
}

/// A story.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// One sentence or heading each.
    story: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let driven = Driven::read(&args.path, args.instance.as_deref())?;
    let story = story(&driven)?.lines();
    for line in &story {
        print::line(line);
    }
    document::result(&Found { story });
    Ok(exit::DONE)
}
