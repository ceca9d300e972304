//! A result in plain words, exactly as strong as what was checked: the answer, what it holds under,
//! how it is known and what the program leaves out.

mod answer;
mod found;
mod proof;
mod scope;
mod value;

pub use answer::Verdict;
pub(crate) use answer::{NO_FORK, NO_STALL, NO_TWO_CERTIFICATES, can_break, passes_all};
pub use found::{Certified, Found};
pub use scope::patterns;
pub(crate) use scope::scope;
pub use value::{bound, grid, plain, sense, so_far, termination, unit, value};

use crate::reading::Reading;
use milp_schema::{
    Outcome, Schedule,
    instance::{Formulation, Instance},
};
use milp_show::words::own;

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
        let left_out = scope::left_out(instance).filter(|_| result.of_program);
        Self {
            verdict: answer::verdict(instance, result),
            answer: own(&answer::answer(instance, result)),
            scope: own(&scope_of(instance, result)),
            proof: own(&proof::proof(instance, result)),
            left_out: left_out.map(own).collect(),
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
            certificate: Certified::of_outcome(outcome),
            of_program: outcome.program.is_some(),
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
