//! The worst schedules that differ, against brute force over everything that looks otherwise and
//! over all permutations of the replicas.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

#[path = "support/mod.rs"]
mod support;

use milp_model::formulation::{projected, projection::Projection};
use milp_replay::{Options, Protocol, Recovery, Signatures, replay};
use milp_schema::{
    Choice, Instance, ReplicaId, Schedule, Verdict,
    instance::{FaultKind, Goal, Network},
};
use milp_study::{
    Error,
    best::{self, Best, Ending, Ranked, Request, look::Look, look::Seen},
    folder::SHOWN,
    solve, verify,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
};
use support::{any, instance, settings};

type Execution = (Schedule, Vec<(ReplicaId, FaultKind)>);

/// Two Byzantine replicas of four and one view: forks of two blocks in a few ways.
fn equivocation(protocol: &str) -> Instance {
    let mut instance = instance(protocol, 1, 5, Goal::Fork);
    instance.faults = vec![any(FaultKind::Byzantine, 2)];
    instance.blocks_per_proposal = 2;
    instance
}

/// Everything in time but so many copies, nobody faulty.
fn prompt(protocol: &str, slots: u32, late: u32) -> Instance {
    let mut instance = instance(protocol, 1, slots, Goal::Fork);
    instance.network = Network::Eventual;
    instance.budget.late = Some(late);
    instance
}

/// Every look that a schedule of the worst value can have, each with such a schedule: solved again
/// and again without the looks found, one row for each and no renaming.
fn every(instance: &Instance, projection: Projection) -> BTreeMap<Seen, Execution> {
    let look = Look::of(instance, projection).unwrap();
    let (mut built, _) = projected(instance, projection).unwrap();
    let family = built
        .program_mut()
        .add_family(milp_model::program::Family::new(
            "found",
            "test",
            milp_model::program::Tag::Budget,
        ));
    let (mut found, mut worst) = (BTreeMap::new(), None);
    loop {
        let none = AtomicBool::new(false);
        let settings = settings(3_600.0, false);
        let solved = milp_solver::solve(built.program(), &settings, &none, &mut |_| {}).unwrap();
        let (Some(point), Some(value)) = (solved.point, solved.primal) else {
            return found;
        };
        if *worst.get_or_insert(value) != value {
            return found;
        }
        let decoded = built.decode(&point).unwrap();
        let seen = look.seen(&point);
        let differs = look.differs_from(&seen);
        let label = format!("_{}", found.len());
        built
            .program_mut()
            .add_at_most(family, &label, 1.into(), differs);
        let execution = (decoded.schedule, decoded.faulty);
        assert_eq!(look_of(&look, &execution), Some(seen.clone()));
        assert!(found.insert(seen, execution).is_none());
    }
}

fn look_of(look: &Look, (schedule, faulty): &Execution) -> Option<Seen> {
    let point = look.built.encode(schedule, faulty).ok()?;
    let point: Vec<i64> = point.into_iter().map(Option::unwrap_or_default).collect();
    Some(look.seen(&point))
}

/// All orders of so many replicas.
fn permutations(n: u32) -> Vec<Vec<u32>> {
    if n == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(n - 1);
    let with_last = |order: &Vec<u32>| {
        (0..=order.len())
            .map(|at| {
                let mut order = order.clone();
                order.insert(at, n - 1);
                order
            })
            .collect::<Vec<_>>()
    };
    shorter.iter().flat_map(with_last).collect()
}

/// The execution with every replica renamed.
fn renamed((schedule, faulty): &Execution, names: &[u32]) -> Execution {
    let rename = |id: &mut ReplicaId| id.0 = names[id.0 as usize];
    let mut schedule = schedule.clone();
    for choice in &mut schedule.choices {
        match choice {
            Choice::Deliver { copy, .. } | Choice::Drop { copy, .. } | Choice::Inject { copy } => {
                rename(&mut copy.sender);
                rename(&mut copy.receiver);
            }
            Choice::Timeout { replica, .. }
            | Choice::Crash { replica, .. }
            | Choice::Restart { replica, .. } => rename(replica),
        }
    }
    for prediction in &mut schedule.predictions {
        rename(&mut prediction.replica);
    }
    schedule.predictions.sort();
    let mut faulty = faulty.clone();
    for (id, _) in &mut faulty {
        rename(id);
    }
    faulty.sort();
    (schedule, faulty)
}

fn verdict(instance: &Instance, (schedule, faulty): &Execution) -> Option<Verdict> {
    let options = Options {
        protocol: Protocol::Own,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let replayed = replay(instance, faulty, schedule, &options).ok()?;
    replayed.verdict.confirms().then_some(replayed.verdict)
}

fn same(one: &Verdict, other: &Verdict) -> bool {
    let properties = |verdict: &Verdict| {
        [
            verdict.agreement,
            verdict.finality,
            verdict.validity,
            verdict.lock,
        ]
    };
    properties(one) == properties(other) && one.termination == other.termination
}

/// The permutations under which replicas follow every one of the executions as before.
fn symmetries(instance: &Instance, all: &BTreeMap<Seen, Execution>) -> Vec<Vec<u32>> {
    let follow = |names: &Vec<u32>| {
        all.values().all(|execution| {
            let before = verdict(instance, execution).unwrap();
            let after = verdict(instance, &renamed(execution, names));
            after.is_some_and(|after| same(&before, &after))
        })
    };
    permutations(instance.replicas)
        .into_iter()
        .filter(follow)
        .collect()
}

/// The looks, those together that a renaming makes of each other.
fn orbits(
    instance: &Instance,
    projection: Projection,
    all: &BTreeMap<Seen, Execution>,
) -> BTreeSet<BTreeSet<Seen>> {
    let look = Look::of(instance, projection).unwrap();
    let names = symmetries(instance, all);
    let images = |execution: &Execution| {
        names
            .iter()
            .map(|names| look_of(&look, &renamed(execution, names)).unwrap())
            .collect::<BTreeSet<_>>()
    };
    let orbits: BTreeSet<BTreeSet<Seen>> = all.values().map(images).collect();
    let together: usize = orbits.iter().map(BTreeSet::len).sum();
    assert_eq!(
        together,
        all.len(),
        "what a renaming makes is found by itself"
    );
    orbits
}

fn k_best(instance: &Instance, projection: Projection, most: u32) -> Best {
    let none = AtomicBool::new(false);
    k_best_until(instance, projection, most, &none, &mut |_| Ok(()))
}

fn k_best_until(
    instance: &Instance,
    projection: Projection,
    most: u32,
    stop: &AtomicBool,
    keep: &mut dyn FnMut(&Ranked) -> Result<(), Error>,
) -> Best {
    let settings = settings(3_600.0, true);
    let solve = solve::Request {
        instance,
        settings: &settings,
        warm_start: None,
        adequacy: false,
        command: "milp solve",
    };
    let request = Request {
        solve,
        most,
        projection,
    };
    best::best(&request, stop, &mut |_| {}, keep).unwrap()
}

/// The worst schedules shown are one of each orbit that brute force knows; how many looks and how
/// many orbits.
fn one_of_each(instance: &Instance, projection: Projection) -> (usize, usize, Best) {
    let all = every(instance, projection);
    let orbits = orbits(instance, projection, &all);
    let look = Look::of(instance, projection).unwrap();
    let found = k_best(instance, projection, orbits.len() as u32 + 1);
    assert!(found.proved(), "{:?}", found.ending);
    let worst = found.ranked[0].solution.outcome.primal;
    let mut open = orbits.clone();
    for ranked in &found.ranked {
        let outcome = &ranked.solution.outcome;
        if outcome.primal != worst {
            continue;
        }
        let schedule = ranked.solution.schedule.clone().unwrap();
        let seen = look_of(&look, &(schedule, outcome.faulty.clone())).unwrap();
        let orbit = open.iter().find(|orbit| orbit.contains(&seen)).cloned();
        assert!(open.remove(&orbit.expect("no two are renamings of each other")));
    }
    assert!(open.is_empty(), "{open:?}");
    (all.len(), orbits.len(), found)
}

#[test]
fn forks_by_equivocation_are_shown_once_each_and_then_there_are_no_more() {
    let (looks, orbits, found) = one_of_each(&equivocation("dbft2"), Projection::Committed);
    assert_eq!(found.group, "interchangeable: replicas 1 2 3");
    assert_eq!(found.ending, Ending::Harmless(1, true));
    assert_eq!(found.ranked.len(), orbits);
    assert!(looks > orbits && orbits > 1);
}

#[test]
fn forks_of_a_protocol_file_are_shown_once_each() {
    for protocol in ["tendermint", "ibft1"] {
        let (looks, orbits, found) = one_of_each(&equivocation(protocol), Projection::Committed);
        assert_eq!(found.group, "interchangeable: replicas 1 2 3", "{protocol}");
        assert_eq!(found.ending, Ending::Harmless(1, true), "{protocol}");
        assert_eq!(found.ranked.len(), orbits, "{protocol}");
        assert!(looks > orbits && orbits > 1, "{protocol}: {looks} {orbits}");
        let rank = &found.ranked[0].solution.outcome;
        assert_eq!(rank.formulation, "timed", "{protocol}");
    }
}

#[test]
fn quorums_are_shown_once_each() {
    let (looks, orbits, _) = one_of_each(&prompt("dbft1", 5, 1), Projection::Quorums);
    assert!(looks > orbits && orbits > 1);
}

/// In one view of four nobody decides if two are committed and two ask to leave; the primary is
/// among the former, among the latter, and nothing else differs but names.
#[test]
fn stalls_are_shown_once_each() {
    let mut instance = instance("dbft2", 1, 5, Goal::Stall);
    instance.network = Network::Eventual;
    let (looks, orbits, found) = one_of_each(&instance, Projection::Committed);
    assert_eq!((looks, orbits), (6, 2));
    assert_eq!(found.ending, Ending::Harmless(1, true));
}

#[test]
fn certificates_are_shown_once_each() {
    let mut instance = equivocation("dbft2");
    instance.goal = Goal::Finality;
    instance.slots = 3;
    let (looks, orbits, found) = one_of_each(&instance, Projection::Committed);
    assert!(looks > orbits && orbits > 1, "{looks} {orbits}");
    assert_eq!(found.ending, Ending::Harmless(1, true));
}

#[test]
fn schedules_of_the_production_rules_are_shown_once_each() {
    let mut instance = equivocation("dbft2");
    instance.protocol = milp_schema::Protocol::shipped("dbft2-nspcc");
    instance.slots = 4;
    let (looks, orbits, found) = one_of_each(&instance, Projection::Committed);
    assert!(looks > orbits, "{looks} {orbits}");
    assert_eq!(found.ending, Ending::Harmless(1, true));
}

#[test]
fn behaviours_of_the_formal_model_are_shown_once_each() {
    let mut instance = instance("dbft2", 1, 3, Goal::Stall);
    instance.protocol = milp_schema::Protocol::shipped("dbft2-tla");
    instance.faults = vec![any(FaultKind::Crash, 1)];
    let (looks, orbits, found) = one_of_each(&instance, Projection::Committed);
    assert!(looks > orbits, "{looks} {orbits}");
    assert_eq!(found.group, "interchangeable: replicas 1 2 3");
}

/// An interrupt after the first result: what is there stays, and nothing is said of the rest.
#[test]
fn an_interrupt_keeps_what_is_there() {
    let instance = equivocation("dbft2");
    let whole = k_best(&instance, Projection::Committed, 9);
    let stop = AtomicBool::new(false);
    let mut kept = vec![];
    let found = k_best_until(&instance, Projection::Committed, 9, &stop, &mut |ranked| {
        kept.push(ranked.rank);
        stop.store(true, Ordering::SeqCst);
        Ok(())
    });
    assert!(whole.ranked.len() > 1 && !whole.interrupted);
    assert_eq!(found.ending, Ending::Stopped("interrupted".into()));
    assert!(found.interrupted && !found.proved() && found.rest.is_none());
    assert_eq!(kept.len(), found.ranked.len());
    let (one, other) = (&whole.ranked[0].solution, &found.ranked[0].solution);
    assert!(other.outcome.proved);
    assert_eq!(one.schedule, other.schedule);
}

#[test]
fn in_two_views_the_primaries_are_told_apart() {
    let mut instance = instance("dbft1", 2, 7, Goal::Fork);
    instance.network = Network::Asynchronous;
    let found = k_best(&instance, Projection::Committed, 1);
    assert_eq!(found.group, "interchangeable: replicas 2 3");
    assert_eq!(found.ending, Ending::Asked);
    assert_eq!(found.ranked.len(), 1);
}

/// What is shown can be derived again by a stranger, and not without what it leaves aside.
#[test]
fn every_result_is_derived_again_with_what_it_leaves_aside() {
    let found = k_best(&equivocation("dbft2"), Projection::Committed, 9);
    assert!(found.ranked.len() > 1);
    for ranked in found.ranked.iter().chain(&found.rest) {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in ranked.files().unwrap() {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        let verified = verify::unsolved(dir.path()).unwrap();
        assert_eq!(
            verified.differences,
            Vec::<String>::new(),
            "{}",
            ranked.rank
        );
        assert_eq!(verified.value, ranked.solution.outcome.primal);
        let shown = dir.path().join(SHOWN);
        if shown.is_file() {
            std::fs::remove_file(&shown).unwrap();
            let without = verify::unsolved(dir.path());
            assert!(without.is_err() || !without.unwrap().differences.is_empty());
        }
    }
}
