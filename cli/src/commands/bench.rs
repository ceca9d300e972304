//! `milp bench`: one solve, measured.

use super::solve::formulation;
use crate::{document, exit, limits::Limits, print, set::Set, stop};
use milp_schema::instance::Formulation;
use milp_study::{Error, bench};
use schemars::JsonSchema;
use serde::Serialize;
use std::{path::PathBuf, sync::atomic::Ordering};

/// What is solved and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Instance file
    file: PathBuf,
    #[command(flatten)]
    set: Set,
    #[command(flatten)]
    limits: Limits,
    /// Formulation, in place of the instance's own
    #[arg(long, value_name = "NAME", value_parser = formulation)]
    formulation: Option<Formulation>,
    /// Try no smaller program first
    #[arg(long)]
    cold: bool,
}

/// What the solve took.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The line that is printed otherwise, in fields.
    measured: serde_json::Value,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let mut instance = args.set.read(&args.file)?;
    if let Some(formulation) = args.formulation {
        instance.formulation = formulation;
    }
    let interrupt = stop::interrupt();
    let settings = args.limits.settings();
    let measured = bench::measure(&instance, &settings, args.cold, &interrupt)?;
    let failed = |error: serde_json::Error| Error::Write {
        what: "the line",
        why: error.to_string(),
    };
    print::text(&serde_json::to_string(&measured).map_err(failed)?);
    document::result(&Found {
        measured: serde_json::to_value(&measured).map_err(failed)?,
    });
    Ok(if interrupt.load(Ordering::SeqCst) {
        exit::INTERRUPTED
    } else {
        exit::DONE
    })
}
