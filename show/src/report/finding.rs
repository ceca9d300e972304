//! What a page begins with: the result in plain words, and why.

use super::{run::Run, scene::Scene, words};
use crate::{
    acts,
    explain::Story,
    words::{capital, count},
};
use milp_schema::{Act, ReplicaId, instance::FaultKind};

/// The result in a sentence or two, and what it rests on, a sentence each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) result: String,
    pub(crate) adversary: String,
    pub(crate) why: Vec<String>,
}

/// What a run shows; nothing where no replica was driven.
pub(crate) fn of(run: &Run, scene: &Scene, story: Option<&Story>) -> Option<Finding> {
    let story = story?;
    Some(Finding {
        result: story.answer(),
        adversary: adversary(run, scene),
        why: story
            .reasons()
            .iter()
            .map(|it| capital(it.trim_start()))
            .collect(),
    })
}

/// Who is faulty, and how many acts of each kind there are.
fn adversary(run: &Run, scene: &Scene) -> String {
    let of = |kind: FaultKind| {
        let faulty = run.faulty.iter().filter(move |(_, other)| *other == kind);
        faulty.map(|(who, _)| *who).collect::<Vec<_>>()
    };
    let kinds = [
        (FaultKind::Byzantine, "Byzantine"),
        (FaultKind::Crash, "allowed to crash"),
        (FaultKind::Network, "badly connected"),
    ];
    let mut faulty = Vec::new();
    for (kind, word) in kinds {
        let whom = of(kind);
        if !whom.is_empty() {
            let verb = if whom.len() == 1 { "is" } else { "are" };
            faulty.push(format!("{} {verb} {word}", who(whom.into_iter())));
        }
    }
    let mut first = if faulty.is_empty() {
        "nobody is faulty".to_owned()
    } else {
        faulty.join(", ")
    };
    first = capital(&first);
    // Who is faulty is said already.
    let kinds = Act::ALL.into_iter().filter(|act| *act != Act::Faulty);
    let numbers = kinds.filter_map(|act| {
        let number = scene.acts.iter().filter(|deed| deed.act() == act).count();
        (number > 0).then(|| count(number as i64, acts::name(act)))
    });
    let numbers = numbers.collect::<Vec<_>>();
    if numbers.is_empty() {
        return format!("{first}; the adversary does nothing.");
    }
    format!(
        "{first}; what the adversary does in {}: {}.",
        count(i64::from(run.instance.slots), "slot"),
        numbers.join(", ")
    )
}

/// `replica 3`, `replicas 0, 1, 2`.
fn who(replicas: impl Iterator<Item = ReplicaId>) -> String {
    let replicas = replicas.collect::<Vec<_>>();
    let word = if replicas.len() == 1 {
        "replica"
    } else {
        "replicas"
    };
    format!("{word} {}", words::list(&replicas))
}
