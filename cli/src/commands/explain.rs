//! `milp explain`: a schedule in words, or the rules that forbid a worse one.

use super::solve::{Limits, interrupt_on_ctrl_c};
use crate::{exit, print, progress::Printer};
use milp_schema::{Instance, read};
use milp_study::{
    Error,
    explain::story,
    folder::Driven,
    why::{self, How, necessity, necessity_words, why_not, why_not_words},
};
use std::path::{Path, PathBuf};

/// A schedule, or a question about an instance.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  milp explain results/dbft1/n4-delays-fork
  milp explain instances/n4.yaml --why-not 2 --views 2 --slots 10
  milp explain instances/n4.yaml --rules --views 2 --slots 10
  milp explain instances/dbft2/n4-stall.yaml --infeasible

Exit code 0: answered; 10: a limit came before the whole answer, or it is not proved;
130: interrupted. The limits hold for each single solve.")]
pub(crate) struct Args {
    /// Folder of a result or a schedule.csv; with one of the questions below, an instance file
    path: PathBuf,
    /// Why can the adversary not reach this value? The rules that together forbid it
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        group = "question"
    )]
    why_not: Option<i64>,
    /// Why is there no execution at all? The rules that together forbid it
    #[arg(long, group = "question")]
    infeasible: bool,
    /// The optimum without each single rule, and what the rule is for
    #[arg(long, group = "question")]
    rules: bool,
    /// Instance file, in place of the one in outcome.yaml beside the schedule
    #[arg(long, value_name = "FILE", conflicts_with = "question")]
    instance: Option<PathBuf>,
    /// Views, in place of the instance's own
    #[arg(long, value_name = "VIEWS", requires = "question",
        value_parser = clap::value_parser!(u32).range(1..=16))]
    views: Option<u32>,
    /// Slots, in place of the instance's own
    #[arg(long, value_name = "SLOTS", requires = "question",
        value_parser = clap::value_parser!(u32).range(2..=200))]
    slots: Option<u32>,
    #[command(flatten)]
    limits: Limits,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    if args.why_not.is_none() && !args.infeasible && !args.rules {
        return tell(&args.path, args.instance.as_deref());
    }
    let mut instance = read::instance(&args.path)?;
    instance.views = args.views.unwrap_or(instance.views);
    instance.slots = args.slots.unwrap_or(instance.slots);
    let interrupt = interrupt_on_ctrl_c()?;
    let settings = args.limits.settings();
    let how = How {
        settings: &settings,
        interrupt: &interrupt,
    };
    let mut printer = Printer::new(args.quiet);
    let answer = answer(args, &instance, how, &mut printer);
    printer.finish();
    let whole = answer?;
    Ok(match whole {
        true => exit::DONE,
        false if interrupt.load(std::sync::atomic::Ordering::SeqCst) => exit::INTERRUPTED,
        false => exit::UNPROVED,
    })
}

/// Prints the answer; whether it is whole and proved.
fn answer(
    args: &Args,
    instance: &Instance,
    how: How<'_>,
    printer: &mut Printer,
) -> Result<bool, Error> {
    if args.rules {
        let table = necessity(instance, how, &mut |progress| printer.show(progress))?;
        printer.finish();
        print::rows(
            ["rules", "lines", "optimum", "necessary", "what for"],
            necessity_words(instance, &table),
            &[],
        );
        let settled = |found: &why::Optimum| table.better(found).is_some();
        let mutants = table.mutants.iter().map(|(_, found)| found);
        let mut all = table.rules.iter().map(|(_, found)| found).chain(mutants);
        return Ok(all.all(settled));
    }
    let answer = why_not(instance, args.why_not, how, &mut |progress| {
        printer.show(progress);
    })?;
    printer.finish();
    for line in why_not_words(instance, &answer) {
        print::line(&line);
    }
    Ok(answer.possible || answer.proved && answer.undecided.is_empty())
}

fn tell(path: &Path, instance: Option<&Path>) -> Result<u8, Error> {
    let driven = Driven::read(path, instance)?;
    for line in story(&driven)?.lines() {
        print::line(&line);
    }
    Ok(exit::DONE)
}
