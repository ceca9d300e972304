//! A result in one plain sentence, exactly as strong as what was checked.

mod scope;

pub use scope::patterns;
pub(crate) use scope::scope;

use crate::reading::{After, Reading, unbounded};
use milp_schema::{
    Outcome, Schedule,
    instance::{Goal, Instance, Sense},
    outcome::{Certificate, Termination},
};
use milp_show::words::{count, own};

/// What the sentence is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Why the solve ended.
    pub termination: Termination,
    /// Objective of the incumbent, if there is one.
    pub primal: Option<i64>,
    /// The best bound anything says holds.
    pub dual: Option<f64>,
    /// What was checked without trusting the solver.
    pub certificate: Certified,
    /// Whether the program knows slots; what a program without them says holds for any number.
    pub within_slots: bool,
    /// What the incumbent's schedule says beside its value, if there is one.
    pub reading: Option<Reading>,
}

/// How strong the bound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certified {
    /// Only the solver says so.
    No,
    /// The bound follows in exact arithmetic.
    Exactly(i64),
    /// One unit better is infeasible with rows and columns permuted.
    Permuted,
    /// The program was cut into cubes, of which so many rest on two searches.
    Cubes {
        /// All cubes that were closed.
        all: u32,
        /// Those of them that two searches closed.
        searched: u32,
    },
}

impl Certified {
    /// The strength of a certificate that closes the gap, or none if `proved` is false.
    pub fn of(certificate: &Certificate, proved: bool) -> Self {
        match certificate {
            _ if !proved => Self::No,
            Certificate::None => Self::No,
            Certificate::SafeDualBound { bound } => Self::Exactly(*bound),
            Certificate::PermutedInfeasible { .. } => Self::Permuted,
            Certificate::Cubes {
                exact,
                symmetric,
                searched,
                ..
            } => Self::Cubes {
                all: exact.saturating_add(*symmetric).saturating_add(*searched),
                searched: *searched,
            },
        }
    }
}

/// The result as one sentence without a full stop, say "at height 0 at most 1 block can be
/// decided with 1 Byzantine replica of 4, within 4 views and 24 slots: proved (exact bound 1)".
pub fn sentence(instance: &Instance, result: &Found) -> String {
    let scope = scope_of(instance, result);
    let closed = result.termination == Termination::Optimal;
    let (said, strength) = match (result.termination, result.primal) {
        (Termination::Optimal | Termination::Feasible, Some(value)) => {
            let said = if unbounded(instance, value) {
                undecided(instance, result.reading.and_then(|it| it.after))
            } else if closed {
                best(instance, value)
            } else {
                found(instance, value)
            };
            (said, strength(instance, result))
        }
        (Termination::Infeasible, _) => {
            let strength = match result.certificate {
                Certified::No => "infeasible, says the solver",
                _ => "proved (infeasible, solved again permuted)",
            };
            (nothing_fits(instance).to_owned(), strength.to_owned())
        }
        (Termination::Undecided | Termination::Optimal | Termination::Feasible, _) => (
            "nothing was learned about the worst case".to_owned(),
            "undecided, stopped before any schedule was found".to_owned(),
        ),
    };
    own(instance.protocol, &format!("{said} {scope}: {strength}"))
}

/// The sentence of what an outcome and its schedule say, with nothing beside the instance's program.
pub(crate) fn again(outcome: &Outcome, schedule: Option<&Schedule>, within_slots: bool) -> String {
    let instance = &outcome.instance;
    let reading = |(schedule, value)| Reading::of(instance, value, schedule, &outcome.faulty);
    let found = Found {
        termination: outcome.termination,
        primal: outcome.primal,
        dual: outcome.dual,
        certificate: Certified::of(&outcome.certificate, outcome.proved),
        within_slots,
        reading: schedule.zip(outcome.primal).map(reading),
    };
    sentence(instance, &found)
}

/// The value of the goal in words; a number except where a number would mislead.
pub fn value(instance: &Instance, primal: i64) -> String {
    own(instance.protocol, &valued(instance, primal))
}

fn valued(instance: &Instance, primal: i64) -> String {
    match instance.goal {
        Goal::Fork => format!("{} at one height", count(primal, "block")),
        Goal::Finality => format!("{} at one height", count(primal, "certificate")),
        Goal::Stall => format!("{primal} of {} heights decided", instance.heights),
        Goal::Slow if unbounded(instance, primal) => {
            format!(
                "no decision within {}",
                count(instance.slots.into(), "slot")
            )
        }
        Goal::Slow => format!("slot {primal}"),
        Goal::Views => format!(
            "{} (the highest is view {})",
            count(primal, "view"),
            primal - 1
        ),
        Goal::Blame => format!("{} proved guilty", count(primal, "replica")),
        Goal::Wasted { up_to, .. } => format!("{primal} of {up_to} good views wasted"),
        Goal::Weighted { .. } => primal.to_string(),
    }
}

/// A bound of the goal, as it may stand beside [`value`]; nothing beside an execution without a
/// decision, which nothing is later than.
pub fn bound(instance: &Instance, primal: Option<i64>, dual: f64) -> Option<String> {
    let side = match sense(instance.goal) {
        Sense::Maximize => "at most",
        Sense::Minimize => "at least",
    };
    match grid(instance.goal, dual) {
        _ if primal.is_some_and(|value| unbounded(instance, value)) => None,
        bound if !dual.is_finite() || unbounded(instance, bound) => Some("none".to_owned()),
        bound => Some(format!("{side} {}", value(instance, bound))),
    }
}

/// The value of the goal as a table has it: a number except where a number would mislead.
pub fn plain(instance: &Instance, value: i64) -> String {
    if unbounded(instance, value) {
        format!(">{}", instance.slots)
    } else {
        value.to_string()
    }
}

/// What the values of a goal count, and which are worse.
pub fn unit(goal: Goal) -> &'static str {
    match goal {
        Goal::Fork => "blocks decided at one height",
        Goal::Finality => "certificates at one height",
        Goal::Stall => "heights decided (fewer is worse)",
        Goal::Slow => "slot of the first decision",
        Goal::Views => "views entered",
        Goal::Blame => "replicas proved guilty (fewer is worse)",
        Goal::Wasted { .. } => "good views without a decision",
        Goal::Weighted {
            sense: Sense::Maximize,
            ..
        } => "weighted sum",
        Goal::Weighted {
            sense: Sense::Minimize,
            ..
        } => "weighted sum (less is worse)",
    }
}

/// Why a solve ended, in one word.
pub fn termination(termination: Termination) -> &'static str {
    match termination {
        Termination::Optimal => "optimal",
        Termination::Feasible => "feasible",
        Termination::Infeasible => "infeasible",
        Termination::Undecided => "undecided",
    }
}

/// Whether a larger value is worse for the protocol.
pub fn sense(goal: Goal) -> Sense {
    match goal {
        Goal::Stall | Goal::Blame => Sense::Minimize,
        Goal::Weighted { sense, .. } => sense,
        Goal::Fork | Goal::Finality | Goal::Slow | Goal::Views | Goal::Wasted { .. } => {
            Sense::Maximize
        }
    }
}

/// A bound from the solver, moved to the nearest integer that it still implies.
pub fn grid(goal: Goal, dual: f64) -> i64 {
    // A solver's bound carries rounding errors of about 1e-9; one step too strict would be a lie.
    const TOLERANCE: f64 = 1e-6;
    match sense(goal) {
        Sense::Maximize => (dual + TOLERANCE).floor() as i64,
        Sense::Minimize => (dual - TOLERANCE).ceil() as i64,
    }
}

/// What holds when nothing is worse than `value`.
fn best(instance: &Instance, value: i64) -> String {
    let place = place(instance);
    match instance.goal {
        Goal::Fork => format!("{place} at most {} can be decided", count(value, "block")),
        Goal::Finality => {
            format!(
                "{place} at most {} can exist",
                count(value, "valid certificate")
            )
        }
        Goal::Slow => format!("the first block is decided in slot {value} at the latest"),
        Goal::Views => format!(
            "the highest view an honest replica can enter is view {}",
            value - 1
        ),
        Goal::Wasted { bad, up_to } => passing(bad, value, value < up_to.into()),
        Goal::Weighted {
            sense: Sense::Maximize,
            ..
        } => format!("{} is at most {value}", sum(instance)),
        Goal::Weighted {
            sense: Sense::Minimize,
            ..
        } => format!("{} is at least {value}", sum(instance)),
        Goal::Blame if value > 0 => format!(
            "{place} two decided blocks prove at least {} guilty {HELD}",
            count(value, "replica")
        ),
        // Said by a witness: nothing is fewer than "as few as".
        Goal::Stall | Goal::Blame => found(instance, value),
    }
}

/// What is known from an execution with that value, whether or not a worse one exists.
fn found(instance: &Instance, value: i64) -> String {
    let place = place(instance);
    match instance.goal {
        Goal::Fork => format!("{place} {} can be decided", count(value, "block")),
        Goal::Finality => format!("{place} {} can exist", count(value, "valid certificate")),
        Goal::Stall => format!(
            "in a final state as few as {value} of {} heights can be decided",
            instance.heights
        ),
        Goal::Blame => {
            let few = match value {
                0 => "nobody".to_owned(),
                _ => format!("as few as {}", count(value, "replica")),
            };
            format!("{place} two blocks can be decided with {few} proved guilty {HELD}")
        }
        Goal::Slow => format!("the first decision can be as late as slot {value}"),
        Goal::Views => format!("an honest replica can enter view {}", value - 1),
        Goal::Wasted { bad, .. } => passing(bad, value, false),
        Goal::Weighted { .. } => format!("{} can be {value}", sum(instance)),
    }
}

/// How many good views can pass, or at most as many.
fn passing(bad: u32, value: i64, at_most: bool) -> String {
    let views = match (value, at_most) {
        (0, true) => "no good view".to_owned(),
        (_, true) => format!("at most {}", count(value, "good view")),
        _ => count(value, "good view"),
    };
    let after = count(bad.into(), "bad view");
    format!("after {after} {views} can pass without a decision")
}

/// What is known from an execution in which nobody decides by the last slot: that nobody ever does
/// only if replicas went on and came to rest.
fn undecided(instance: &Instance, after: Option<After>) -> String {
    let last = instance.slots;
    match after {
        Some(After::Never) => "the time of the first decision is not bounded within the horizon, \
             an execution without any decision exists"
            .to_owned(),
        Some(After::Decides(slot)) => format!(
            "the first decision can be later than slot {last}, the last (the execution found \
             decides in slot {slot} of the heal phase),"
        ),
        Some(After::Unknown) | None => format!(
            "the first decision can be later than slot {last}, the last (what the execution found \
             does after it is not known),"
        ),
    }
}

/// Whether the value is one that the protocol should not allow, or says how far the adversary gets.
fn harms(instance: &Instance, value: i64) -> bool {
    match instance.goal {
        Goal::Fork | Goal::Finality | Goal::Views => value > 1,
        Goal::Stall => value < instance.heights.into(),
        Goal::Wasted { .. } => value > 0,
        Goal::Blame | Goal::Slow | Goal::Weighted { .. } => true,
    }
}

fn nothing_fits(instance: &Instance) -> &'static str {
    match instance.goal {
        Goal::Stall => "no execution reaches a final state",
        Goal::Blame => "no execution decides two blocks, so that nobody is to blame,",
        _ => "no execution exists",
    }
}

/// What proves guilt, and what does not.
const HELD: &str =
    "by two messages that honest replicas have (what only absence would prove proves nothing)";

/// How much the words before it rest on.
fn strength(instance: &Instance, result: &Found) -> String {
    if result.termination == Termination::Optimal {
        return match result.certificate {
            Certified::Exactly(_) if result.primal.is_some_and(|v| unbounded(instance, v)) => {
                "proved (by that execution)".to_owned()
            }
            Certified::Exactly(bound) => format!("proved (exact bound {bound})"),
            Certified::Permuted => {
                "proved (one step worse is infeasible, solved again permuted)".to_owned()
            }
            Certified::Cubes { all, searched: 0 } => {
                format!("proved (in {}, exactly)", count(all.into(), "cube"))
            }
            Certified::Cubes { all, searched } => format!(
                "proved (in {}, {searched} of them solved again permuted)",
                count(all.into(), "cube")
            ),
            Certified::No => "optimal, says the solver".to_owned(),
        };
    }
    let Some(dual) = result.dual.filter(|dual| dual.is_finite()) else {
        return "feasible, bound not closed".to_owned();
    };
    let bound = grid(instance.goal, dual);
    let side = match sense(instance.goal) {
        Sense::Maximize => "at most",
        Sense::Minimize => "at least",
    };
    match instance.goal {
        Goal::Slow if unbounded(instance, bound) => "feasible, bound not closed".to_owned(),
        Goal::Views => format!(
            "feasible, bound not closed ({side} view {}, says the solver)",
            bound - 1
        ),
        _ => format!("feasible, bound not closed ({side} {bound}, says the solver)"),
    }
}

fn place(instance: &Instance) -> &'static str {
    if instance.heights == 1 {
        "at height 0"
    } else {
        "at any one height"
    }
}

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

/// The assumptions, with the faults that the schedule of the result uses where it could use more.
fn scope_of(instance: &Instance, result: &Found) -> String {
    let bad = result.primal.is_some_and(|value| harms(instance, value));
    let used = result.reading.filter(|_| bad);
    let used = used.map_or_else(String::new, |reading| scope::used_of(instance, &reading));
    scope::assumed(instance, result.within_slots, &used)
}

#[cfg(test)]
mod tests;
