//! `milp explain`: a schedule in words, or the rules that forbid a worse one.

use super::{guards, why};
use crate::{document, exit, limits::Limits, print};
use clap::builder::RangedI64ValueParser;
use milp_schema::limits;
use milp_study::{
    Error,
    confirm::{Engine, OWN},
    folder::Driven,
    sentence::patterns,
    show::story,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{ops::RangeInclusive, path::PathBuf};

/// A schedule to tell, or a question about an instance.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each question")]
pub(crate) struct Args {
    /// Folder of a result or a schedule.csv; with one of the questions below, an instance file, with
    /// --guards a protocol file
    pub(super) path: PathBuf,
    /// Why can the adversary not reach this value? The smallest set of rules that forbids it
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        group = "question"
    )]
    pub(super) why_not: Option<i64>,
    /// Why is there no execution at all? The smallest set of rules that forbids all
    #[arg(long, group = "question")]
    pub(super) infeasible: bool,
    /// The optimum without each single rule, and what the rule is for
    #[arg(long, group = "question")]
    pub(super) rules: bool,
    /// Of a protocol file: the most blocks of a height, and the most good views without a decision,
    /// without each rule and each single guard, and from how many views on it matters
    #[arg(long, group = "question")]
    guards: bool,
    /// Print that table in Markdown
    #[arg(long, requires = "guards")]
    pub(super) markdown: bool,
    /// Another instance of the protocol, say with another goal, whose optima stand beside them
    #[arg(long, value_name = "FILE", requires = "rules")]
    pub(super) beside: Option<PathBuf>,
    /// Instance file, in place of the one in outcome.yaml beside the schedule
    #[arg(long, value_name = "FILE", conflicts_with = "question")]
    instance: Option<PathBuf>,
    /// Whose replicas to drive, as in milp replay
    #[arg(long, value_name = "ENGINE", default_value = OWN, conflicts_with = "question")]
    engine: Engine,
    /// Views, in place of the instance's own
    #[arg(long, value_name = "VIEWS", requires = "question",
        value_parser = within(&limits::VIEWS))]
    pub(super) views: Option<u32>,
    /// Slots, in place of the instance's own
    #[arg(long, value_name = "SLOTS", requires = "question",
        value_parser = within(&limits::SLOTS))]
    pub(super) slots: Option<u32>,
    #[command(flatten)]
    pub(super) limits: Limits,
    /// Show no progress
    #[arg(long)]
    pub(super) quiet: bool,
}

/// What instances may have.
fn within(range: &RangeInclusive<u32>) -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(i64::from(*range.start())..=i64::from(*range.end()))
}

/// A story or an answer; the table of rules is among the document's tables.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// One sentence or heading each.
    pub(super) story: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    if args.guards {
        return guards::run(args);
    }
    if args.why_not.is_some() || args.infeasible || args.rules {
        return why::run(&args.path, args);
    }
    let driven = Driven::read(&args.path, args.instance.as_deref())?;
    let mut story = story(&driven, &args.engine)?.lines();
    story.extend(patterns(&driven.instance));
    for line in &story {
        print::line(line);
    }
    document::result(&Found { story });
    Ok(exit::DONE)
}
