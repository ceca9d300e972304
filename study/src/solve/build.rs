//! The program of a request, and the formulations that were not taken for it.

use super::request::Request;
use crate::{Error, beside::Beside, clock::Clock, evidence, folder::Folder};
use milp_model::{Built, formulation};
use milp_schema::{Instance, instance::Formulation};

/// The program of a request. A start is a schedule, so where `auto` takes `causal`, which takes none,
/// a start that is no result of that very program makes it `timed`.
pub(super) fn build_for(
    request: &Request<'_>,
    beside: Beside<'_>,
    clock: &Clock<'_>,
) -> Result<Built, Error> {
    let built = build_within(request.instance, beside, clock)?;
    let chosen = request.instance.formulation == Formulation::Auto;
    let other = |folder: &&Folder| !evidence::is_of(&built, &folder.outcome);
    match (&built, request.warm_start.filter(other)) {
        (Built::Causal(_), Some(_)) if chosen => in_slots(request.instance, clock),
        _ => Ok(built),
    }
}

/// [`build`] as long as there is time.
pub(super) fn build_within(
    instance: &Instance,
    beside: Beside<'_>,
    clock: &Clock<'_>,
) -> Result<Built, Error> {
    let instance = instance.clone();
    match beside {
        Beside::Nothing => clock.build(move || build(&instance, Beside::Nothing)),
        Beside::Learned(cuts) => {
            let cuts = cuts.clone();
            clock.build(move || build(&instance, Beside::Learned(&cuts)))
        }
        Beside::Shown(shown) => {
            let shown = shown.clone();
            clock.build(move || build(&instance, Beside::Shown(&shown)))
        }
        Beside::Lemmas(lemmas) => {
            let lemmas = lemmas.clone();
            clock.build(move || build(&instance, Beside::Lemmas(&lemmas)))
        }
    }
}

/// The program of the instance with what is beside it; then in slots, because such rows speak of
/// them.
pub(crate) fn build(instance: &Instance, beside: Beside<'_>) -> Result<Built, Error> {
    match beside {
        Beside::Nothing => Ok(milp_model::build(instance)?),
        // Nothing is learned of a protocol that is a file only.
        Beside::Learned(cuts) if cuts.is_empty() && !formulation::is_listed(instance) => {
            Ok(milp_model::build(instance)?)
        }
        Beside::Learned(cuts) => Ok(Built::Timed(cuts.program(instance)?)),
        Beside::Shown(shown) => shown.program(instance),
        Beside::Lemmas(lemmas) => Ok(Built::Levels(lemmas.program(instance)?)),
    }
}

/// The formulations that `auto` passed over for that of the program, each with why.
pub(super) fn passed_over(
    request: &Request<'_>,
    beside: Beside<'_>,
    built: &Built,
) -> Option<String> {
    let instance = request.instance;
    if instance.formulation != Formulation::Auto {
        return None;
    }
    let mut passed = formulation::passed_over(instance, built.formulation());
    // What would have been taken, but for what comes with the request.
    let given = match beside {
        Beside::Nothing | Beside::Lemmas(_) => request
            .warm_start
            .map(|_| "its program takes no start of another"),
        Beside::Learned(_) => Some("what is learned names slots"),
        Beside::Shown(_) => Some("how schedules differ is said in slots"),
    };
    for formulation in [Formulation::Counting, Formulation::Causal] {
        let known = passed.iter().any(|(other, _)| *other == formulation);
        if let (Built::Timed(_) | Built::Slots(_), Some(why), false) = (built, given, known) {
            passed.push((formulation, why.to_owned()));
        }
    }
    let words = passed
        .iter()
        .map(|(formulation, why)| format!("{} ({why})", formulation.name()));
    Some(words.collect::<Vec<_>>().join(", ")).filter(|words| !words.is_empty())
}

/// The program of a request in slots.
pub(super) fn in_slots(instance: &Instance, clock: &Clock<'_>) -> Result<Built, Error> {
    let instance = instance.clone();
    clock.build(move || formulation::in_slots(&instance))
}
