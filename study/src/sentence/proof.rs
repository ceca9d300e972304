//! How an answer is known: how much the words before it rest on.

use super::{
    answer::{harms, passes_all},
    found::{Certified, Found},
    value::limit,
};
use crate::reading::unbounded;
use milp_schema::{
    instance::{Goal, Instance},
    outcome::Termination,
};
use milp_show::words::count;

/// How the answer is known, in words.
pub(super) fn proof(instance: &Instance, result: &Found) -> String {
    let Some(value) = result.primal else {
        return match result.termination {
            Termination::Infeasible => by(result.certificate),
            _ => "nothing was learned about the worst case".to_owned(),
        };
    };
    let shows = match instance.goal {
        Goal::Fork | Goal::Finality | Goal::Stall => harms(instance, value),
        Goal::Wasted { .. } => passes_all(instance, value),
        Goal::Slow => unbounded(instance, value),
        Goal::Blame => value == 0,
        Goal::Views | Goal::Weighted { .. } => false,
    };
    // Than the worst that a goal can ask for nothing is worse.
    let ends = match instance.goal {
        Goal::Fork | Goal::Finality | Goal::Views | Goal::Weighted { .. } => false,
        Goal::Stall | Goal::Blame => value == 0,
        Goal::Slow | Goal::Wasted { .. } => shows,
    };
    let worst = if result.termination == Termination::Optimal {
        by(result.certificate)
    } else {
        open(instance, result)
    };
    let shown = if result.of_program { SHOWN } else { DONE };
    match (shows, ends) {
        (false, _) => worst,
        (true, true) => shown.to_owned(),
        (true, false) if result.termination == Termination::Optimal => {
            format!("{shown}; nothing worse: {worst}")
        }
        (true, false) => format!("{shown}; {worst}"),
    }
}

/// What needs no proof but itself.
pub(super) const SHOWN: &str = "shown by its schedule, which satisfies every row in exact integers";

/// What no program was asked about.
pub(super) const DONE: &str = "shown by replicas that follow its schedule";

/// How a bound that closes the gap is known.
fn by(certificate: Certified) -> String {
    match certificate {
        Certified::No => "says the solver, nothing confirms it".to_owned(),
        Certified::Exactly(_) => "proved by a bound in exact integers".to_owned(),
        Certified::ByLemmas(lemmas) => {
            let lemmas = count(lemmas.into(), "lemma");
            format!("proved by way of {lemmas}, in exact integers")
        }
        Certified::Permuted => {
            "proved by two searches on different paths, in floating-point arithmetic".to_owned()
        }
        Certified::Cubes { all, searched } => {
            let cases = count(all.into(), "case");
            let rest = match searched {
                0 => "in exact integers".to_owned(),
                some => format!("{some} of them by two searches in floating-point arithmetic"),
            };
            format!("proved case by case ({cases}), {rest}")
        }
    }
}

/// What is not known of the worst, with the bound where there is one.
fn open(instance: &Instance, result: &Found) -> String {
    let bound = result
        .dual
        .and_then(|dual| limit(instance, result.primal, dual));
    match bound {
        Some(bound) => format!("not proved to be the worst, {bound} says the solver"),
        None => "not proved to be the worst".to_owned(),
    }
}
