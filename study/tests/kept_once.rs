//! What is kept is not one schedule under several questions.

use milp_schema::{
    Instance,
    verdict::{Holds, Liveness},
};
use milp_study::{
    expected::{Expected, ExpectedVerdict},
    folder::{FAMILY, Folder},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Every folder below `results/` that has a schedule.
fn kept() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../results")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the repository") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path);
            // What is there for every n is there for its smallest one.
            } else if path.ends_with("expected.yaml") && !folder.join(FAMILY).exists() {
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
    for dir in kept() {
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
