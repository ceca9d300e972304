//! Questions about every n in words.

use crate::sentence::{NO_FORK, NO_STALL, NO_TWO_CERTIFICATES};
use milp_model::every::at_least;
use milp_schema::{
    Every, Instance,
    instance::{Goal, Network},
};
use milp_show::words::{count, no_more};

/// What is not reached.
pub(super) fn good(goal: Goal) -> &'static str {
    match goal {
        Goal::Finality => NO_TWO_CERTIFICATES,
        Goal::Stall => NO_STALL,
        _ => NO_FORK,
    }
}

/// What can happen.
pub(super) fn bad(goal: Goal) -> String {
    let least = at_least(goal);
    match goal {
        Goal::Finality => format!("{} can exist at one height", count(least, "certificate")),
        Goal::Stall => no_more(0),
        _ => format!("{} can be decided at one height", count(least, "block")),
    }
}

/// Who is faulty, and in what network.
pub(super) fn setting(every: &Every) -> String {
    let instance = &every.instance;
    let byzantine = every.byzantine.to_string();
    let faulty = match byzantine.as_str() {
        "0" => "no faulty replica".to_owned(),
        "1" => "at most 1 Byzantine replica".to_owned(),
        many => format!("at most {many} Byzantine replicas"),
    };
    let mut all = vec![format!("with {faulty} of n{}", mutant(instance))];
    if instance.blocks_per_proposal > 1 {
        all.push(format!(
            "up to {} blocks per proposal",
            instance.blocks_per_proposal
        ));
    }
    if instance.network == Network::Asynchronous {
        all.push("copies may never arrive".to_owned());
    }
    all.join(", ")
}

/// In how many views.
pub(super) fn views(every: &Every) -> String {
    if every.any_views {
        return "in any number of views and of slots".to_owned();
    }
    let views = count(every.instance.views.into(), "view");
    format!("within {views} and any number of slots")
}

/// How strong a proof is.
pub(super) fn proved(cubes: usize, lemmas: usize) -> String {
    let cases = count(cubes as i64, "case");
    let lemmas = match lemmas {
        0 => String::new(),
        some => format!(", by way of {}", count(some as i64, "lemma")),
    };
    format!("proved for every n, case by case ({cases}{lemmas}), in exact integers")
}

fn mutant(instance: &Instance) -> String {
    let name = instance.mutant.as_ref();
    name.map_or(String::new(), |name| format!(" under the mutant {name}"))
}
