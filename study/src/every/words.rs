//! Questions about every n in words.

use milp_model::every::at_least;
use milp_schema::{
    Every, Instance,
    instance::{Goal, Network},
};
use milp_show::words::count;

/// What is not reached.
pub(super) fn good(goal: Goal) -> String {
    let most = at_least(goal) - 1;
    match goal {
        Goal::Finality => format!(
            "at height 0 at most {} can exist",
            count(most, "valid certificate")
        ),
        Goal::Stall => "in every final state a block is decided".to_owned(),
        _ => format!(
            "at height 0 at most {} can be decided",
            count(most, "block")
        ),
    }
}

/// What can happen.
pub(super) fn bad(goal: Goal) -> String {
    let least = at_least(goal);
    match goal {
        Goal::Finality => format!(
            "at height 0 {} can exist",
            count(least, "valid certificate")
        ),
        Goal::Stall => "no block is decided in a final state".to_owned(),
        _ => format!("at height 0 {} can be decided", count(least, "block")),
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
    let cubes = count(cubes as i64, "cube");
    let lemmas = match lemmas {
        0 => String::new(),
        some => format!(", by way of {}", count(some as i64, "lemma")),
    };
    format!("proved (for every n, exactly, in {cubes}{lemmas})")
}

fn mutant(instance: &Instance) -> String {
    let name = instance.mutant.as_ref();
    name.map_or(String::new(), |name| format!(" under the mutant {name}"))
}
