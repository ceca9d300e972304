//! Values and bounds of goals, in words and as tables have them.

use crate::reading::unbounded;
use milp_schema::{
    instance::{Goal, Instance, Sense},
    outcome::Termination,
};
use milp_show::words::{count, own};

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

/// The side of a bound and the number, as a sentence has it: "at most 3", "at least view 2";
/// nothing where nothing finite is known.
pub(super) fn limit(instance: &Instance, primal: Option<i64>, dual: f64) -> Option<String> {
    bound(instance, primal, dual).filter(|it| it != "none")?;
    let side = match sense(instance.goal) {
        Sense::Maximize => "at most",
        Sense::Minimize => "at least",
    };
    let bound = grid(instance.goal, dual);
    Some(match instance.goal {
        Goal::Views => format!("{side} view {}", bound - 1),
        Goal::Slow => format!("{side} slot {bound}"),
        _ => format!("{side} {bound}"),
    })
}

/// What a solve has so far: "2 blocks found, at most 3 possible".
pub fn so_far(instance: &Instance, primal: Option<i64>, dual: f64) -> String {
    let found = match (primal, instance.goal) {
        (None, _) => "no schedule found".to_owned(),
        (Some(value), Goal::Views) => format!("view {} found", value - 1),
        (Some(value), Goal::Slow) if !unbounded(instance, value) => {
            format!("a first decision in slot {value} found")
        }
        (Some(value), Goal::Fork) => format!("{} found", count(value, "block")),
        (Some(value), Goal::Finality) => format!("{} found", count(value, "certificate")),
        (Some(value), Goal::Weighted { .. }) => format!("a sum of {value} found"),
        (Some(value), _) => format!("{} found", valued(instance, value)),
    };
    let bound = match limit(instance, primal, dual) {
        Some(limit) => format!("{limit} possible"),
        None => "no bound".to_owned(),
    };
    own(instance.protocol, &format!("{found}, {bound}"))
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
