//! The `milp` command: parses arguments, calls one function, prints, and ends with an exit code.

#![allow(
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "the comments on arguments are the help that a terminal shows, `PROTOCOL[:MUTANT]` included"
)]

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
