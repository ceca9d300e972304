//! The command line as a whole.

use crate::{commands::Command, exit};
use clap::Parser;

/// Worst-case schedules for BFT consensus: optimised, proved, and replayed on real replicas.
#[derive(Debug, Parser)]
#[command(name = "milp", version, after_help = exit::HELP, arg_required_else_help = true)]
pub(crate) struct Milp {
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
}
