//! A result in plain words, exactly as strong as what was checked: the answer, what it holds under,
//! how it is known and what the program leaves out.

mod answer;
mod proof;
mod scope;

pub use answer::Verdict;
pub(crate) use answer::{NO_FORK, can_break, passes_all};
pub use scope::patterns;
pub(crate) use scope::scope;

use crate::reading::{Reading, unbounded};
use milp_schema::{
    Outcome, Schedule,
    instance::{Formulation, Goal, Instance, Sense},
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
    /// Whether more than one search says so.
    pub(crate) fn is_there(self) -> bool {
        self != Self::No
    }

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

/// A result in words, in the protocol's own for a view and its primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What it means, where the goal is one that a protocol can break.
    pub verdict: Option<Verdict>,
    /// The answer, without a full stop: "no two blocks can be decided at one height".
    pub answer: String,
    /// What it holds under: "with 1 Byzantine replica of 4, within 4 views and 24 slots".
    pub scope: String,
    /// How it is known: "proved by a bound in exact integers".
    pub proof: String,
    /// What the program leaves out, each in words; empty where nothing is.
    pub left_out: Vec<String>,
}

/// What stands in an outcome's sentence between the result and what its program leaves out.
pub(crate) const LEFT_OUT: &str = ". Left out: ";

impl Said {
    /// What is known of an instance.
    pub fn of(instance: &Instance, result: &Found) -> Self {
        let own = |text: &str| own(instance.protocol, text);
        Self {
            verdict: answer::verdict(instance, result),
            answer: own(&answer::answer(instance, result)),
            scope: own(&scope_of(instance, result)),
            proof: own(&proof::proof(instance, result)),
            left_out: scope::left_out(instance).map(own).collect(),
        }
    }

    /// What an outcome and its schedule say.
    pub fn again(outcome: &Outcome, schedule: Option<&Schedule>) -> Self {
        let instance = &outcome.instance;
        let formulation = Formulation::named(&outcome.formulation);
        let reading = |(schedule, value)| Reading::of(instance, value, schedule, &outcome.faulty);
        let found = Found {
            termination: outcome.termination,
            primal: outcome.primal,
            dual: outcome.dual,
            certificate: Certified::of(&outcome.certificate, outcome.proved),
            within_slots: formulation.is_none_or(Formulation::knows_slots),
            reading: schedule.zip(outcome.primal).map(reading),
        };
        Self::of(instance, &found)
    }

    /// All of it as an outcome has it, without the last full stop; `relative` is what it rests on
    /// besides the program of the instance.
    pub(crate) fn sentence(&self, relative: &str) -> String {
        let Self {
            answer,
            scope,
            proof,
            left_out,
            ..
        } = self;
        // That replicas can stop is said of one schedule, and not that they do.
        let after = match self.verdict {
            Some(Verdict::Stalls) => "after its schedule ",
            _ => "",
        };
        let mut said = format!("{after}{answer}, {scope}: {proof}{relative}");
        if !left_out.is_empty() {
            said += LEFT_OUT;
            said += &left_out.join("; ");
        }
        said
    }
}

/// The sentence of what an outcome and its schedule say; `relative` is what it rests on besides the
/// program of the instance.
pub fn again(outcome: &Outcome, schedule: Option<&Schedule>, relative: &str) -> String {
    Said::again(outcome, schedule).sentence(relative)
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

/// The side of a bound and the number, as a sentence has it: "at most 3", "at least view 2";
/// nothing where nothing finite is known.
pub(crate) fn limit(instance: &Instance, primal: Option<i64>, dual: f64) -> Option<String> {
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

/// The assumptions, with the faults that the schedule of the result uses where it could use more.
fn scope_of(instance: &Instance, result: &Found) -> String {
    let bad = result
        .primal
        .is_some_and(|value| answer::harms(instance, value));
    let used = result.reading.filter(|_| bad);
    let used = used.map_or_else(String::new, |reading| scope::used_of(instance, &reading));
    scope::assumed(instance, result.within_slots, &used)
}

#[cfg(test)]
mod tests;
