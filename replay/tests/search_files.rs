//! The exhaustive search over the replicas of protocol files finds the known values.

mod common;

use common::{any, instance};
use milp_replay::{
    Error,
    search::{Searched, file},
};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal},
};

const LIMIT: usize = 2_000_000;

fn of(protocol: &str, mutant: Option<&str>, [replicas, views, byzantine]: [u32; 3]) -> Instance {
    let faults = (byzantine > 0).then(|| any(FaultKind::Byzantine, byzantine));
    Instance {
        faults: faults.into_iter().collect(),
        mutant: mutant.map(str::to_owned),
        goal: Goal::Fork,
        ..instance(protocol, replicas, views, 12)
    }
}

fn found(instance: &Instance) -> Searched {
    let found = file(instance, LIMIT).expect("searched");
    let Instance {
        protocol,
        mutant,
        replicas,
        views,
        faults,
        goal,
        ..
    } = instance;
    eprintln!(
        "{protocol} {mutant:?} n = {replicas}, {views} views, {faults:?}, {goal:?}: {found:?}"
    );
    found
}

#[test]
fn forks_are_found_where_there_are_any() {
    for (protocol, mutant, sizes, value) in [
        ("dbft1", None, [4, 1, 0], 1),
        ("dbft1", None, [4, 2, 0], 2),
        ("dbft2", None, [4, 2, 0], 1),
        ("dbft2", None, [4, 2, 1], 1),
        ("dbft2", None, [4, 3, 1], 1),
        ("dbft2", Some("no-commit-lock"), [4, 2, 0], 2),
        ("dbft2", Some("small-quorum"), [4, 2, 0], 2),
        ("tendermint", None, [4, 1, 0], 1),
        ("tendermint", None, [4, 1, 1], 1),
        ("ibft1", None, [4, 2, 1], 1),
        ("ibft1", Some("no-lock"), [4, 2, 0], 2),
        ("hotstuff", None, [4, 1, 1], 1),
        ("hotstuff-two-phase", None, [4, 1, 1], 1),
        ("hotstuff-two-phase", Some("no-lock"), [4, 2, 1], 2),
    ] {
        let found = found(&of(protocol, mutant, sizes));
        assert_eq!(
            (found.value, found.complete),
            (value, true),
            "{protocol} {mutant:?} {sizes:?}"
        );
    }
}

/// The search stops at its limit, and what it found by then is there.
#[test]
fn forks_are_found_in_spaces_that_are_too_large() {
    for (protocol, mutant, sizes) in [
        ("ibft1", None, [5, 2, 1]),
        ("tendermint", Some("no-lock"), [4, 2, 1]),
    ] {
        let found = file(&of(protocol, mutant, sizes), 100_000).expect("searched");
        eprintln!("{protocol} {mutant:?} {sizes:?}: {found:?}");
        assert_eq!(
            (found.value, found.complete),
            (2, false),
            "{protocol} {mutant:?}"
        );
    }
}

#[test]
fn every_view_is_entered_and_every_decision_has_a_certificate() {
    for (protocol, sizes) in [
        ("dbft2", [4, 2, 1]),
        ("tendermint", [3, 2, 0]),
        ("ibft1", [4, 2, 0]),
    ] {
        let instance = of(protocol, None, sizes);
        let views = Instance {
            goal: Goal::Views,
            ..instance.clone()
        };
        assert_eq!(found(&views).value, 2, "{protocol}");
        let finality = Instance {
            goal: Goal::Finality,
            ..instance
        };
        assert_eq!(found(&finality).value, 1, "{protocol}");
    }
}

/// dBFT has replicas of its own: the search over those has the same values.
#[test]
fn own_replicas_and_files_have_the_same_values() {
    for (protocol, mutant, sizes) in [
        ("dbft1", None, [3, 2, 0]),
        ("dbft1", None, [4, 2, 0]),
        ("dbft2", None, [4, 2, 0]),
        ("dbft2", Some("small-quorum"), [3, 2, 0]),
        ("dbft2", None, [4, 1, 1]),
    ] {
        for goal in [Goal::Fork, Goal::Views, Goal::Finality] {
            let instance = Instance {
                goal,
                blocks_per_proposal: 1 + u32::from(sizes[2] > 0),
                ..of(protocol, mutant, sizes)
            };
            let own = milp_replay::search::best(&instance).expect("searched");
            assert_eq!(
                own.value,
                Some(found(&instance).value),
                "{protocol} {mutant:?} {sizes:?}"
            );
        }
    }
}

#[test]
fn what_is_not_searched_is_refused_by_name() {
    let good = of("dbft2", None, [4, 1, 0]);
    let refused = |instance: &Instance| match file(instance, LIMIT) {
        Err(Error::NotSearched { why }) => why,
        other => panic!("{other:?}"),
    };
    let slow = Instance {
        goal: Goal::Slow,
        ..good.clone()
    };
    assert_eq!(refused(&slow), "this goal");
    let two = Instance { heights: 2, ..good };
    assert_eq!(refused(&two), "more than one height");
}
