//! The `milp` command: parses arguments, calls one function, prints, and ends with an exit code.

mod args;
mod commands;
mod exit;
mod print;
mod progress;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = args::Milp::parse();
    let code = commands::run(args.command).unwrap_or_else(|error| {
        eprintln!("milp: {error}");
        if error.is_input() {
            exit::INPUT
        } else {
            exit::FAILURE
        }
    });
    ExitCode::from(code)
}
