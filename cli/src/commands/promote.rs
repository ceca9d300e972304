//! `milp promote`: keeps a result as a regression case.

use crate::{document, exit, print};
use milp_study::{
    Error,
    confirm::Engine,
    promote::{RESULTS, Request, promote},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// The result to keep.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the result
    dir: PathBuf,
    /// Folder of kept results
    #[arg(long, value_name = "DIR", default_value = RESULTS)]
    results: PathBuf,
    /// Path below it [default: the path of DIR below out/]
    #[arg(long, value_name = "PATH")]
    name: Option<PathBuf>,
    /// Keep the verdict of these replicas beside that of the instance's own: nspcc-dbft (the
    /// production engine) or PROTOCOL[:MUTANT]; may be given again, or as a list with commas
    /// [default: the sound protocol for a mutant, dbft2 for dbft1]
    #[arg(
        long = "engine",
        visible_alias = "as",
        value_name = "ENGINE",
        value_delimiter = ','
    )]
    engines: Vec<Engine>,
    /// Replace what is kept there already
    #[arg(long)]
    force: bool,
}

/// What was kept.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The folder.
    dir: String,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let promoted = promote(&Request {
        from: &args.dir,
        results: &args.results,
        name: args.name.as_deref(),
        engines: Some(args.engines.as_slice()).filter(|engines| !engines.is_empty()),
        force: args.force,
    })?;
    document::result(&Found {
        dir: promoted.dir.display().to_string(),
    });
    print::line(&format!("kept in {}", promoted.dir.display()));
    Ok(exit::DONE)
}
