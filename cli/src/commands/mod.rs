//! One file for each command: its arguments and how it runs.

mod bench;
mod best;
mod check;
mod cubes;
mod doctor;
mod engine;
mod explain;
mod export;
mod fuzz;
mod import;
mod minimize;
mod promote;
mod regress;
mod replay;
mod report;
mod schema;
mod solve;
mod verify;

use clap::Subcommand;
use milp_study::Error;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find the worst schedule of an instance and prove that none is worse
    Solve(solve::Args),
    /// Drive replicas with a schedule and check every property on what they do
    Replay(replay::Args),
    /// Cut the program of an instance into cubes in words of the protocol and close each
    Cubes(cubes::Args),
    /// Derive again everything a result claims, from its instance and its certificate
    Verify(verify::Args),
    /// Keep a result as a regression case, if its replay follows the predictions
    Promote(promote::Args),
    /// Tell in words what happens in a schedule
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
    /// Show a schedule and its replay: one HTML file, or a picture
    Report(report::Args),
    /// Take the schedule out of a report again
    Import(import::Args),
    /// Compare our replicas with a production engine on random schedules
    Fuzz(fuzz::Args),
    /// Check an adapter that drives an engine in another process
    #[command(subcommand)]
    Engine(engine::Args),
    /// Solve an instance and print what that took, as one JSON line
    Bench(bench::Args),
    /// Say whether this machine has what building and running need
    Doctor,
}

/// Runs a command and gives its exit code.
pub(crate) fn run(command: Command) -> Result<u8, Error> {
    match command {
        Command::Solve(args) => solve::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Cubes(args) => cubes::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Promote(args) => promote::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Minimize(args) => minimize::run(&args),
        Command::Regress(args) => regress::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Schema => Ok(schema::run()),
        Command::Export(args) => export::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Engine(args) => Ok(engine::run(&args)),
        Command::Bench(args) => bench::run(&args),
        Command::Doctor => Ok(doctor::run()),
    }
}
