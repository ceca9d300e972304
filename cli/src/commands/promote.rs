//! `milp promote`: keeps a result as a regression case.

use crate::{document, exit, limits::Limits, print, progress::Printer, stop};
use milp_study::{
    Error,
    confirm::Engine,
    every,
    folder::RESULTS,
    promote::{Request, promote, promote_proof},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{path::PathBuf, sync::atomic::Ordering};

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
    /// production engine), PROTOCOL[:MUTANT] or cmd:COMMAND, an adapter; may be given again, or as
    /// a list with commas
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
    /// Repeat no search that the result rests on and no solve of a longer horizon, and say so
    #[arg(long)]
    no_resolve: bool,
    #[command(flatten)]
    limits: Limits,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// What was kept.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The folder.
    dir: String,
    /// What was derived again, in words.
    verdict: String,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let interrupt = stop::interrupt();
    let settings = args.limits.settings();
    let request = Request {
        from: &args.dir,
        results: &args.results,
        name: args.name.as_deref(),
        engines: Some(args.engines.as_slice()).filter(|engines| !engines.is_empty()),
        force: args.force,
        resolve: (!args.no_resolve).then_some(&settings),
    };
    if every::is_proof(&args.dir) {
        let (dir, verdict) = promote_proof(&request)?;
        print::line(&verdict);
        document::result(&Found {
            dir: dir.display().to_string(),
            verdict,
        });
        print::line(&format!("kept in {}", dir.display()));
        return Ok(exit::DONE);
    }
    let mut printer = Printer::new(args.quiet || args.no_resolve);
    let promoted = promote(&request, &interrupt, &mut |progress| printer.show(progress));
    printer.finish();
    if interrupt.load(Ordering::SeqCst) && promoted.is_err() {
        return Ok(exit::INTERRUPTED);
    }
    let promoted = promoted?;
    let words = promoted.verified.words();
    print::line(&words);
    document::result(&Found {
        dir: promoted.dir.display().to_string(),
        verdict: words,
    });
    print::line(&format!("kept in {}", promoted.dir.display()));
    Ok(exit::DONE)
}
