//! One file for each command: its arguments and how it runs.

mod check;
mod doctor;
mod engine;
mod explain;
mod export;
mod fuzz;
mod minimize;
mod promote;
mod regress;
mod replay;
mod schema;
mod solve;

use clap::Subcommand;
use milp_study::Error;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find the worst schedule of an instance and prove that none is worse
    Solve(solve::Args),
    /// Drive replicas with a schedule and check every property on what they do
    Replay(replay::Args),
    /// Keep a result as a regression case, if its replay follows the predictions
    Promote(promote::Args),
    /// Tell in words what happens in a schedule, or why no schedule is worse
    Explain(explain::Args),
    /// Find, among the schedules with the same value, one with the fewest acts of the adversary
    Minimize(minimize::Args),
    /// Check every kept result again
    Regress(regress::Args),
    /// Validate an instance and print the size of its program, rule by rule
    Check(check::Args),
    /// Print the JSON Schema of instance files
    Schema,
    /// Write the program of an instance for another solver
    Export(export::Args),
    /// Compare our replicas with a production engine on random schedules
    Fuzz(fuzz::Args),
    /// Check an adapter that drives an engine in another process
    #[command(subcommand)]
    Engine(engine::Args),
    /// Say whether this machine has what building and running need
    Doctor,
}

/// Runs a command and gives its exit code.
pub(crate) fn run(command: Command) -> Result<u8, Error> {
    match command {
        Command::Solve(args) => solve::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Promote(args) => promote::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Minimize(args) => minimize::run(&args),
        Command::Regress(args) => regress::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Schema => Ok(schema::run()),
        Command::Export(args) => export::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Engine(args) => Ok(engine::run(&args)),
        Command::Doctor => Ok(doctor::run()),
    }
}
