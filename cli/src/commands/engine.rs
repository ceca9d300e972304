//! `milp engine`: engines in other processes.

use crate::{document, exit, print};
use milp_replay::engine::{ANSWER_LIMIT, CommandLine, check};
use schemars::JsonSchema;
use serde::Serialize;
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
    /// Seconds that an answer may take; all answers of the check together may take three times that
    #[arg(long, value_name = "SECONDS", default_value_t = ANSWER_LIMIT.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    limit: u64,
    /// The adapter's program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// What an adapter does and lacks.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// Whether nothing is missing.
    passed: bool,
    /// Check by check.
    checks: Vec<Checked>,
}

/// One check.
#[derive(Debug, Serialize, JsonSchema)]
struct Checked {
    /// What was checked, in words.
    name: String,
    /// The part of docs/ENGINE-PROTOCOL.md that asks for it.
    page: String,
    /// Whether it is done.
    passed: bool,
    /// A remark, or what is missing.
    words: Option<String>,
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
    let mut checks = Vec::new();
    let passed = check::check(&command, limit, |finding| {
        print::line(&finding.to_string());
        checks.push(Checked {
            name: finding.name.to_owned(),
            page: finding.page.to_owned(),
            passed: finding.result.is_ok(),
            words: finding.result.clone().unwrap_or_else(Some),
        });
    });
    document::result(&Found { passed, checks });
    if passed { exit::DONE } else { exit::FAILURE }
}
