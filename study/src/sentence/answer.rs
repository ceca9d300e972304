//! What an answer means, and the answer itself.

use super::found::Found;
use crate::reading::{After, unbounded};
use milp_schema::{
    instance::{Goal, Instance, Sense},
    outcome::Termination,
};
use milp_show::words::{count, no_more};
use std::fmt;

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Two blocks at one height, or two certificates.
    Forks,
    /// Replicas that decide nothing more.
    Stalls,
    /// Not everything is proved, and what was found says nothing for ever.
    NotSettled,
    /// The first decision comes by that slot.
    DecidesBy(i64),
    /// Nothing bad exists within the instance.
    Safe,
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forks => out.write_str("FORKS"),
            Self::Stalls => out.write_str("STALLS"),
            Self::NotSettled => out.write_str("NOT SETTLED"),
            Self::DecidesBy(slot) => write!(out, "DECIDES BY SLOT {slot}"),
            Self::Safe => out.write_str("SAFE"),
        }
    }
}

impl Verdict {
    /// Whether something bad was found.
    pub fn is_broken(self) -> bool {
        matches!(self, Self::Forks | Self::Stalls)
    }
}

/// What agreement is.
pub(crate) const NO_FORK: &str = "no two blocks can be decided at one height";
/// What finality is.
pub(crate) const NO_TWO_CERTIFICATES: &str = "no two certificates can exist at one height";
/// What it is that no final state is undecided.
pub(crate) const NO_STALL: &str = "nobody comes to rest before all have decided";

/// Whether a protocol can break what the goal counts; the others only measure.
pub(crate) fn can_break(goal: Goal) -> bool {
    !matches!(goal, Goal::Views | Goal::Blame | Goal::Weighted { .. })
}

/// Whether none of the good views asked for decides.
pub(crate) fn passes_all(instance: &Instance, value: i64) -> bool {
    matches!(instance.goal, Goal::Wasted { up_to, .. } if value >= up_to.into())
}

/// Whether the value is one that the protocol should not allow, or says how far the adversary gets.
pub(super) fn harms(instance: &Instance, value: i64) -> bool {
    match instance.goal {
        Goal::Fork | Goal::Finality | Goal::Views => value > 1,
        Goal::Stall => value < instance.heights.into(),
        Goal::Wasted { .. } => value > 0,
        Goal::Blame | Goal::Slow | Goal::Weighted { .. } => true,
    }
}

pub(super) fn verdict(instance: &Instance, result: &Found) -> Option<Verdict> {
    let broken = |value: i64| match instance.goal {
        Goal::Fork | Goal::Finality => (value > 1).then_some(Verdict::Forks),
        Goal::Stall => harms(instance, value).then_some(Verdict::Stalls),
        // That none of those asked for decides does not say that none ever will.
        Goal::Wasted { .. } if passes_all(instance, value) => Some(Verdict::NotSettled),
        _ => None,
    };
    if !can_break(instance.goal) {
        return None;
    }
    // One schedule is enough, whatever the bound.
    if let Some(verdict) = result.primal.and_then(broken) {
        return Some(verdict);
    }
    Some(match (result.termination, result.primal) {
        _ if !result.certificate.is_there() => Verdict::NotSettled,
        // No final state but decided ones is what the goal asks of a protocol.
        (Termination::Infeasible, _) => Verdict::Safe,
        (Termination::Optimal, Some(value)) => match instance.goal {
            Goal::Slow if unbounded(instance, value) => Verdict::NotSettled,
            Goal::Slow => Verdict::DecidesBy(value),
            _ => Verdict::Safe,
        },
        _ => Verdict::NotSettled,
    })
}

/// The answer to the goal's question.
pub(super) fn answer(instance: &Instance, result: &Found) -> String {
    let Some(value) = result.primal else {
        return match result.termination {
            Termination::Infeasible => nothing_fits(instance),
            _ => "no schedule was found",
        }
        .to_owned();
    };
    if unbounded(instance, value) {
        return undecided(instance, result.reading.and_then(|it| it.after));
    }
    if result.termination == Termination::Optimal {
        worst(instance, value)
    } else {
        found(instance, value)
    }
}

/// What holds when nothing is worse than `value`.
fn worst(instance: &Instance, value: i64) -> String {
    match instance.goal {
        Goal::Fork | Goal::Finality if value > 1 => {
            format!("{}, and no more", found(instance, value))
        }
        Goal::Fork => NO_FORK.to_owned(),
        Goal::Finality => NO_TWO_CERTIFICATES.to_owned(),
        Goal::Stall if harms(instance, value) && value > 0 => {
            format!("{}, and every one below it always is", no_more(value))
        }
        Goal::Stall if !harms(instance, value) => NO_STALL.to_owned(),
        Goal::Slow => format!("the first block is decided in slot {value} at the latest"),
        Goal::Views => format!(
            "the highest view an honest replica can enter is view {}",
            value - 1
        ),
        Goal::Wasted { bad, up_to } if value < up_to.into() => {
            let after = after(bad);
            match value {
                0 => format!("{after}the first good view decides"),
                _ => format!(
                    "{after}at most {} can pass without a decision",
                    count(value, "good view")
                ),
            }
        }
        Goal::Weighted { sense, .. } => {
            let side = match sense {
                Sense::Maximize => "at most",
                Sense::Minimize => "at least",
            };
            format!("{} is {side} {value}", sum(instance))
        }
        Goal::Blame if value > 0 => format!(
            "two decided blocks at one height prove at least {} guilty {HELD}",
            count(value, "replica")
        ),
        // Said by a schedule, than which nothing is worse.
        Goal::Stall | Goal::Blame | Goal::Wasted { .. } => found(instance, value),
    }
}

/// What is known from an execution with that value, whether or not a worse one exists.
fn found(instance: &Instance, value: i64) -> String {
    match instance.goal {
        Goal::Fork if value > 1 => {
            format!("{} can be decided at one height", count(value, "block"))
        }
        Goal::Finality if value > 1 => {
            format!("{} can exist at one height", count(value, "certificate"))
        }
        Goal::Fork => "no schedule was found that decides two blocks at one height".to_owned(),
        Goal::Finality => "no schedule was found with two certificates at one height".to_owned(),
        Goal::Stall if harms(instance, value) => no_more(value),
        Goal::Stall => "no schedule was found that comes to rest undecided".to_owned(),
        Goal::Blame => {
            let few = match value {
                0 => "nobody".to_owned(),
                _ => format!("as few as {}", count(value, "replica")),
            };
            format!("two blocks can be decided at one height with {few} proved guilty {HELD}")
        }
        Goal::Slow => format!("the first decision can be as late as slot {value}"),
        Goal::Views => format!("an honest replica can enter view {}", value - 1),
        Goal::Wasted { bad, .. } => {
            let views = count(value, "good view");
            let said = format!("{}{views} can pass without a decision", after(bad));
            if passes_all(instance, value) {
                format!(
                    "{said}, as many as were asked for; whether a later one decides is not known"
                )
            } else {
                said
            }
        }
        Goal::Weighted { .. } => format!("{} can be {value}", sum(instance)),
    }
}

fn after(bad: u32) -> String {
    match bad {
        0 => String::new(),
        some => format!("after {} ", count(some.into(), "bad view")),
    }
}

/// What is known from an execution in which nobody decides by the last slot: that nobody ever does
/// only if replicas went on and came to rest.
fn undecided(instance: &Instance, after: Option<After>) -> String {
    let last = instance.slots;
    let known = match after {
        Some(After::Never) => return "it can be that nobody ever decides".to_owned(),
        Some(After::Decides(slot)) => {
            format!("the execution found decides in slot {slot} of the heal phase")
        }
        Some(After::Unknown) | None => {
            "what the execution found does after it is not known".to_owned()
        }
    };
    format!("the first decision can be later than slot {last}, the last ({known})")
}

fn nothing_fits(instance: &Instance) -> &'static str {
    match instance.goal {
        Goal::Stall => "nobody comes to rest, decided or not",
        Goal::Blame => "no execution decides two blocks, so that nobody is to blame",
        _ => "no execution exists",
    }
}

/// What proves guilt, and what does not.
const HELD: &str =
    "by two messages that honest replicas have (what only absence would prove proves nothing)";

fn sum(instance: &Instance) -> String {
    let Goal::Weighted {
        blocks,
        views,
        messages,
        ..
    } = instance.goal
    else {
        unreachable!("only a weighted goal has weights");
    };
    format!("the weighted sum (blocks {blocks}, views {views}, messages {messages})")
}
