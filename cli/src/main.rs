//! The `milp` command: parses arguments, calls one function, prints, and ends with an exit code.

#![allow(
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "the comments on arguments are the help that a terminal shows, `PROTOCOL[:MUTANT]` included"
)]

mod args;
mod commands;
mod document;
mod examples;
mod exit;
mod found;
mod limits;
mod print;
mod problem;
mod progress;
mod set;
mod stop;
mod terminal;

use clap::{CommandFactory, FromArgMatches};
use milp_study::Error;
use std::{
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
};

fn main() -> ExitCode {
    let parsed = args::Milp::command()
        .try_get_matches()
        .and_then(|matches| Ok((args::Milp::from_arg_matches(&matches)?, verb(&matches))));
    let (args, verb) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return refused(&error),
    };
    if args.json {
        document::begin(&verb);
    }
    ended(run(args.command))
}

/// Runs the command and says why it failed, if it did. A panic is a defect, said like any failure.
fn run(command: commands::Command) -> u8 {
    panic::set_hook(Box::new(problem::defect));
    let command = AssertUnwindSafe(|| stop::watch().and_then(|()| commands::run(command)));
    match panic::catch_unwind(command) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            problem::report(&error);
            match error {
                Error::Stopped { interrupted: true } => exit::INTERRUPTED,
                Error::Stopped { interrupted: false } => exit::UNDECIDED,
                error if error.is_input() => exit::INPUT,
                _ => exit::FAILURE,
            }
        }
        Err(_) => exit::FAILURE,
    }
}

/// Prints what is printed last, and ends.
fn ended(code: u8) -> ExitCode {
    let code = print::end(code);
    if milp_solver::left() {
        stop::end(code);
    }
    ExitCode::from(code)
}

/// The name of the command given.
fn verb(matches: &clap::ArgMatches) -> String {
    matches.subcommand_name().unwrap_or("error").to_owned()
}

/// A command line that clap refuses, or a help text, which is no failure.
fn refused(error: &clap::Error) -> ExitCode {
    let failed = error.use_stderr();
    if failed && std::env::args_os().any(|argument| argument == "--json") {
        document::begin("error");
        document::add(|document| {
            document.error = Some(document::Failure {
                message: error.to_string().trim_end().to_owned(),
                problems: Vec::new(),
            });
        });
    }
    print::written(error.print());
    ended(if failed { exit::INPUT } else { exit::DONE })
}
