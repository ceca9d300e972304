//! One file for each command: its arguments and how it runs.

mod ask;
mod bench;
mod best;
mod check;
mod completions;
mod cubes;
mod doctor;
mod engine;
mod every;
mod explain;
mod export;
mod fuzz;
mod guards;
mod import;
mod man;
mod minimize;
mod new;
mod pareto;
mod promote;
mod protocol;
mod regress;
mod replay;
mod report;
mod resilience;
mod schema;
mod solve;
mod sweep;
mod verify;
mod watch;
mod why;

use crate::examples;
use clap::Subcommand;
use milp_study::Error;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say whether a protocol forks or stalls, what the adversary needs, and how that is known
    #[command(after_help = examples::ASK)]
    Ask(ask::Args),
    /// Find the worst schedule of an instance and prove that none is worse
    #[command(after_help = examples::SOLVE)]
    Solve(solve::Args),
    /// Drive replicas with a schedule and check every property on what they do
    #[command(after_help = examples::REPLAY)]
    Replay(replay::Args),
    /// Cut the program of an instance into cubes in words of the protocol and close each
    #[command(after_help = examples::CUBES)]
    Cubes(cubes::Args),
    /// Derive again everything a result claims, from its instance and its certificate
    #[command(after_help = examples::VERIFY)]
    Verify(verify::Args),
    /// Keep a result as a regression case, if its replay follows the predictions
    #[command(after_help = examples::PROMOTE)]
    Promote(promote::Args),
    /// Tell in words what happens in a schedule
    #[command(after_help = examples::EXPLAIN)]
    Explain(explain::Args),
    /// Find, among the schedules with the same value, one with the fewest acts of the adversary
    #[command(after_help = examples::MINIMIZE)]
    Minimize(minimize::Args),
    /// Say under which conditions on n, f and the number of Byzantine replicas no two blocks are decided
    #[command(after_help = examples::RESILIENCE)]
    Resilience(resilience::Args),
    /// Find how much damage how much effort of the adversary does, with a table and a plot
    #[command(after_help = examples::PARETO)]
    Pareto(pareto::Args),
    /// Solve every combination of values of fields of an instance, with a table and a plot
    #[command(after_help = examples::SWEEP)]
    Sweep(sweep::Args),
    /// Check every kept result again
    #[command(after_help = examples::REGRESS)]
    Regress(regress::Args),
    /// Validate an instance and print the size of its program, rule by rule
    #[command(after_help = examples::CHECK)]
    Check(check::Args),
    /// Print the JSON Schema of instance files, or of what a command prints with --json
    #[command(after_help = examples::SCHEMA)]
    Schema(schema::Args),
    /// List the protocols, write a protocol file to start from, or judge one
    #[command(subcommand, after_help = examples::PROTOCOL)]
    Protocol(protocol::Args),
    /// Write a program for another solver, or a schedule for another viewer or checker
    #[command(after_help = examples::EXPORT)]
    Export(export::Args),
    /// Show a schedule and its replay: one HTML file, or a picture
    #[command(after_help = examples::REPORT)]
    Report(report::Args),
    /// Compare our replicas with a production engine on random schedules
    #[command(after_help = examples::FUZZ)]
    Fuzz(fuzz::Args),
    /// Check an adapter that drives an engine in another process
    #[command(subcommand, after_help = examples::ENGINE)]
    Engine(engine::Args),
    /// Solve an instance and print what that took, as one JSON line
    #[command(after_help = examples::BENCH)]
    Bench(bench::Args),
    /// Say whether this machine has what building and running need
    #[command(after_help = examples::DOCTOR)]
    Doctor,
    /// Make a result of a report, or of what another program wrote: a scenario of Twins, a solution
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
        Command::Ask(args) => ask::run(&args),
        Command::Solve(args) => solve::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Cubes(args) => cubes::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Promote(args) => promote::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Minimize(args) => minimize::run(&args),
        Command::Pareto(args) => pareto::run(&args),
        Command::Resilience(args) => resilience::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::Regress(args) => regress::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Protocol(args) => protocol::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Engine(args) => engine::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Doctor => Ok(doctor::run()),
        Command::Import(args) => import::run(&args),
        Command::New(args) => new::run(&args),
        Command::Completions(args) => Ok(completions::run(&args)),
        Command::Man(args) => man::run(&args),
    }
}
