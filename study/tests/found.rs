//! Final states of the production engine are found by the optimiser: nothing but the instance is
//! given, and replicas stay stuck.

mod support;

use milp_schema::{
    Instance,
    instance::{FaultKind, Formulation, Goal, Network},
    verdict::Liveness,
};
use milp_study::{
    confirm::{Engine, How},
    folder::Driven,
    solve::{Request, Solution, solve},
};
use std::{path::PathBuf, sync::atomic::AtomicBool};
use support::{any, instance, settings};

fn solved(instance: &Instance) -> Solution {
    let request = Request {
        instance,
        settings: &settings(300.0, true),
        warm_start: None,
        adequacy: false,
        command: "test",
    };
    solve(&request, &AtomicBool::new(false), &mut |_| ()).expect("solved")
}

fn stall(replicas: u32, views: u32) -> Instance {
    Instance {
        formulation: Formulation::Auto,
        replicas,
        network: Network::Eventual,
        ..instance("dbft2-nspcc", views, 12, Goal::Stall)
    }
}

/// The schedule leaves replicas stuck without a decision.
#[track_caller]
fn stays_stuck(solution: &Solution) {
    let outcome = &solution.outcome;
    assert!(outcome.proved, "{}", outcome.sentence);
    assert_eq!(outcome.primal, Some(0), "{}", outcome.sentence);
    let driven = Driven {
        dir: PathBuf::new(),
        instance: outcome.instance.clone(),
        faulty: outcome.faulty.clone(),
        schedule: solution.schedule.clone().expect("a schedule"),
        predicted: true,
        edited: false,
    };
    let replayed = driven.replay(&Engine::Own, How::default());
    let replayed = replayed.expect("a legal schedule");
    let verdict = &replayed.verdict;
    assert!(verdict.confirms(), "{:?}", verdict.notes);
    assert_eq!(verdict.termination, Liveness::Stuck);
    assert!(replayed.trace.iter().all(|event| event.decided().is_none()));
}

#[test]
fn locks_of_the_production_engine_are_found_without_a_start() {
    for replicas in [4, 5, 7] {
        let solution = solved(&stall(replicas, 2));
        assert_eq!(solution.outcome.formulation, "causal", "{replicas}");
        assert_eq!(solution.started_from, None, "{replicas}");
        stays_stuck(&solution);
    }
}

#[test]
fn a_stall_that_causal_refuses_starts_from_what_causal_finds_of_less() {
    let refused = [
        Instance {
            blocks_per_proposal: 2,
            ..stall(4, 2)
        },
        Instance {
            faults: vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)],
            slots: 14,
            ..stall(7, 2)
        },
    ];
    for instance in refused {
        let solution = solved(&instance);
        assert_eq!(solution.outcome.formulation, "timed");
        assert_eq!(solution.started_from, Some(0));
        let why = solution.passed_over().expect("another was passed over");
        assert!(
            why.contains("counting (") && why.contains("causal ("),
            "{why}"
        );
        stays_stuck(&solution);
    }
}

#[test]
fn views_of_the_production_engine_are_proved_however_many() {
    for replicas in [4, 7] {
        let solution = solved(&Instance {
            goal: Goal::Views,
            network: Network::Asynchronous,
            ..stall(replicas, 6)
        });
        assert_eq!(solution.outcome.formulation, "causal");
        assert_eq!(solution.outcome.primal, Some(6));
        assert!(solution.outcome.proved, "{}", solution.outcome.sentence);
    }
}
