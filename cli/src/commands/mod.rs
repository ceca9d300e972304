//! One file for each command: its arguments and how it runs.

mod check;
mod completions;
mod doctor;
mod engine;
mod export;
mod fuzz;
mod import;
mod man;
mod new;
mod promote;
mod regress;
mod replay;
mod schema;
mod solve;

use crate::examples;
use clap::Subcommand;
use milp_study::Error;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find the worst schedule of an instance and prove that none is worse
    #[command(after_help = examples::SOLVE)]
    Solve(solve::Args),
    /// Drive replicas with a schedule and check every property on what they do
    #[command(after_help = examples::REPLAY)]
    Replay(replay::Args),
    /// Keep a result as a regression case, if its replay follows the predictions
    #[command(after_help = examples::PROMOTE)]
    Promote(promote::Args),
    /// Check every kept result again
    #[command(after_help = examples::REGRESS)]
    Regress(regress::Args),
    /// Validate an instance and print the size of its program, rule by rule
    #[command(after_help = examples::CHECK)]
    Check(check::Args),
    /// Print the JSON Schema of instance files, or of what a command prints with --json
    #[command(after_help = examples::SCHEMA)]
    Schema(schema::Args),
    /// Write a program for another solver, or a schedule for another viewer or checker
    #[command(after_help = examples::EXPORT)]
    Export(export::Args),
    /// Compare our replicas with a production engine on random schedules
    #[command(after_help = examples::FUZZ)]
    Fuzz(fuzz::Args),
    /// Check an adapter that drives an engine in another process
    #[command(subcommand, after_help = examples::ENGINE)]
    Engine(engine::Args),
    /// Say whether this machine has what building and running need
    #[command(after_help = examples::DOCTOR)]
    Doctor,
    /// Make a result of what another program wrote: a scenario of Twins, a solution of a solver
    #[command(after_help = examples::IMPORT)]
    Import(import::Args),
    /// Write an instance file with a comment on every key
    #[command(after_help = examples::NEW)]
    New(new::Args),
    /// Print the completions of a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(completions::Args),
    /// Write manual pages into a folder
    #[command(after_help = examples::MAN)]
    Man(man::Args),
}

/// Runs a command and gives its exit code.
pub(crate) fn run(command: Command) -> Result<u8, Error> {
    match command {
        Command::Solve(args) => solve::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Promote(args) => promote::run(&args),
        Command::Regress(args) => regress::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Schema(args) => Ok(schema::run(&args)),
        Command::Export(args) => export::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Engine(args) => Ok(engine::run(&args)),
        Command::Doctor => Ok(doctor::run()),
        Command::Import(args) => import::run(&args),
        Command::New(args) => new::run(&args),
        Command::Completions(args) => Ok(completions::run(&args)),
        Command::Man(args) => man::run(&args),
    }
}
