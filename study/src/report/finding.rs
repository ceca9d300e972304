//! What a page begins with: the result in plain words, and why.

use super::{
    run::Run,
    scene::{Fate, Scene},
    words,
};
use crate::{
    explain::{Ending, Story},
    sentence::count,
};
use milp_replay::What;
use milp_schema::{ReplicaId, instance::FaultKind};

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
    let mut lines = story.ending_lines().into_iter();
    let heading = lines.next().unwrap_or_default();
    let result = match &story.ending {
        Ending::Fork { blocks, .. } => {
            let each = blocks.iter().map(|block| {
                let who = who(block.by.iter().copied());
                let verb = if block.by.len() == 1 {
                    "decides"
                } else {
                    "decide"
                };
                format!("{who} {verb} {}", block.block)
            });
            format!(
                "Agreement is broken: {}, another block of the same height.",
                each.collect::<Vec<_>>().join(", and ")
            )
        }
        Ending::Stuck { height, .. } => format!(
            "Liveness is broken: no block of height {height} can be decided any more, and that \
             stays so after every message has arrived."
        ),
        Ending::Other { .. } => heading,
    };
    Some(Finding {
        result,
        adversary: adversary(run, scene),
        why: lines.map(|line| sentence(&line)).collect(),
    })
}

/// A line of a story as a sentence that stands alone.
fn sentence(line: &str) -> String {
    let line = line.trim_start();
    let mut letters = line.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// Who is faulty, and how many acts of each kind there are in the slots drawn.
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
    first = sentence(&first);
    let acted = || {
        let arrows = scene.arrows.iter();
        arrows.filter(|arrow| words::is_acted_on(scene, arrow))
    };
    let copies = |wanted: &dyn Fn(Fate) -> bool| acted().filter(|it| wanted(it.fate)).count();
    let late = copies(&|fate| matches!(fate, Fate::Arrives { late, .. } if late > 0));
    let withheld = copies(&|fate| matches!(fate, Fate::Open { withheld: true, .. }));
    let lost = copies(&|fate| matches!(fate, Fate::Lost { .. }));
    let marks = |wanted: &dyn Fn(What) -> bool| {
        let marks = scene.marks.iter();
        let acts = marks.filter(|mark| words::is_act(run, mark) && wanted(mark.event.what));
        acts.count()
    };
    let numbers = [
        (late, "late copy", "late copies"),
        (withheld, "copy withheld", "copies withheld"),
        (lost, "copy lost", "copies lost"),
        (
            marks(&|what| what == What::Inject),
            "message made up",
            "messages made up",
        ),
        (marks(&|what| what == What::Crash), "crash", "crashes"),
        (
            marks(&|what| what == What::Timeout),
            "timer that fires",
            "timers that fire",
        ),
    ];
    let numbers = numbers
        .into_iter()
        .filter(|(number, _, _)| *number > 0)
        .map(|(number, one, many)| format!("{number} {}", if number == 1 { one } else { many }))
        .collect::<Vec<_>>();
    if numbers.is_empty() {
        return format!("{first}; the adversary does nothing.");
    }
    // Nobody acts in slot 0.
    let slots = (scene.slots.1 + 1).saturating_sub(scene.slots.0.max(1));
    format!(
        "{first}; what the adversary does in {}: {}.",
        count(i64::from(slots), "slot"),
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
