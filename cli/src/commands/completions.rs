//! `milp completions`: what a shell needs to complete command lines.

use crate::{args::Milp, document, exit, print};
use clap::CommandFactory;
use clap_complete::Shell;
use schemars::JsonSchema;
use serde::Serialize;

/// Which shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// What was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// Name of the shell.
    shell: String,
    /// What it reads.
    script: String,
}

pub(crate) fn run(args: &Args) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Milp::command(), "milp", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    print::text(&script);
    document::result(&Found {
        shell: args.shell.to_string(),
        script,
    });
    exit::DONE
}
