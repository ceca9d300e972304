//! What is kept is not one schedule under several questions.

use milp_schema::{
    Instance, Outcome,
    verdict::{Holds, Liveness},
    write,
};
use milp_study::{
    expected::{Expected, ExpectedVerdict},
    folder::{FAMILY, Folder},
    sentence,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Every folder below `results/` that has this file.
fn kept(name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../results")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the repository") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.ends_with(name) {
                found.push(folder.clone());
            }
        }
    }
    found.sort();
    assert!(found.len() > 30, "{}", found.len());
    found
}

/// Whether something is violated, or replicas stop for ever.
fn is_bad(verdict: &ExpectedVerdict) -> bool {
    let properties = [
        verdict.agreement,
        verdict.finality,
        verdict.validity,
        verdict.integrity,
        verdict.lock,
    ];
    properties.contains(&Holds::Violated) || verdict.termination == Liveness::Stuck
}

#[test]
fn no_violation_or_stall_is_kept_twice_unless_its_sentence_says_which_faults_it_does_not_use() {
    let mut seen: BTreeMap<Vec<u8>, Vec<(PathBuf, Instance)>> = BTreeMap::new();
    for dir in kept("expected.yaml") {
        // What is there for every n is there for its smallest one.
        if dir.join(FAMILY).exists() {
            continue;
        }
        let outcome = Folder::read(&dir).expect("a result").outcome;
        let expected = Expected::read(&dir.join("expected.yaml"));
        if !is_bad(&expected.expect("a kept result").verdict) {
            continue;
        }
        if outcome.sentence.contains("(the schedule uses ") {
            continue;
        }
        let text = |name: &str| std::fs::read(dir.join(name)).expect("a file of the result");
        let rows = [text("schedule.csv"), text("predictions.csv")].concat();
        seen.entry(rows).or_default().push((dir, outcome.instance));
    }
    assert!(seen.len() > 12, "{}", seen.len());
    // More views may give nothing worse.
    let but_for_views = |instance: &Instance| Instance {
        views: 0,
        slots: 0,
        ..instance.clone()
    };
    let other = |(_, one): &(PathBuf, Instance), (_, other): &(PathBuf, Instance)| {
        one.views == other.views || but_for_views(one) != but_for_views(other)
    };
    let several = |kept: &Vec<_>| kept.windows(2).any(|pair| other(&pair[0], &pair[1]));
    let twice: Vec<_> = seen.into_values().filter(several).collect();
    assert!(
        twice.is_empty(),
        "one schedule under several questions: {twice:?}"
    );
}

/// `UPDATE=1` writes the sentences again.
#[test]
fn every_sentence_kept_is_what_its_outcome_and_its_schedule_say() {
    let (mut said, mut stale) = (0, Vec::new());
    for dir in kept("outcome.yaml") {
        let folder = Folder::read(&dir).expect("a result");
        let relative = folder.further().expect("what lies beside it").relative();
        let kept = Some(&folder.schedule).filter(|_| folder.outcome.schedule_sha256.is_some());
        let sentence = sentence::again(&folder.outcome, kept, &relative);
        said += 1;
        if folder.outcome.sentence == sentence {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            let outcome = Outcome {
                sentence,
                ..folder.outcome
            };
            let text = write::outcome_yaml(&outcome);
            std::fs::write(dir.join("outcome.yaml"), text).expect("it can be written");
        } else {
            stale.push(format!("{}: {sentence}", dir.display()));
        }
    }
    assert!(said > 120, "{said}");
    assert!(stale.is_empty(), "UPDATE=1: {stale:#?}");
}
