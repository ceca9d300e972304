//! The command line as a whole.

use crate::{commands::Command, examples, exit};
use clap::Parser;

/// Worst-case schedules for BFT consensus: optimised, proved, and replayed on real replicas.
#[derive(Debug, Parser)]
#[command(
    name = "milp",
    version,
    after_help = format!("{}\n\n{}", examples::MILP, exit::HELP),
    arg_required_else_help = true
)]
pub(crate) struct Milp {
    /// Print one JSON document in place of text; `milp schema --of COMMAND` has its schema
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Milp::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_and_every_example_is_a_command_line() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_else(|| panic!("{} has no examples", command.get_name()));
            let lines = help
                .lines()
                .filter_map(|line| line.strip_prefix("  milp "))
                .collect::<Vec<_>>();
            assert!(!lines.is_empty(), "{}", command.get_name());
            for line in lines {
                let line = line.split(['#', '>', '|']).next().unwrap();
                let arguments = ["milp"].into_iter().chain(line.split_whitespace());
                let parsed = Milp::try_parse_from(arguments);
                assert!(parsed.is_ok(), "milp {line}: {}", parsed.unwrap_err());
            }
        }
        let milp = Milp::command();
        check(&milp);
        let commands = milp.get_subcommands();
        for command in commands.filter(|command| command.get_name() != "help") {
            check(command);
        }
    }
}
