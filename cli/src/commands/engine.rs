//! `milp engine`: engines in other processes.

use crate::{exit, print};
use milp_replay::engine::{ANSWER_LIMIT, CommandLine, check};
use std::{ffi::OsString, time::Duration};

/// What to do with an engine.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Say what an adapter lacks of docs/ENGINE-PROTOCOL.md
    Check(Check),
}

/// The adapter and how long it may think.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Seconds that an answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = ANSWER_LIMIT.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    limit: u64,
    /// The adapter's program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> u8 {
    let Args::Check(Check { limit, command }) = args;
    let [program, arguments @ ..] = command.as_slice() else {
        return exit::INPUT;
    };
    let command = CommandLine {
        program: program.clone(),
        arguments: arguments.to_vec(),
    };
    let limit = Duration::from_secs(*limit);
    let passed = check::check(&command, limit, |finding| print::line(&finding.to_string()));
    if passed { exit::DONE } else { exit::FAILURE }
}
