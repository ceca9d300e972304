//! The optimum of the program is what an exhaustive search over the replicas finds.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_replay::search;
use milp_schema::{
    Instance, ReplicaId,
    instance::{Fault, FaultKind, Formulation, Goal, Network, Sense, Who},
    outcome::Termination,
};
use std::sync::atomic::AtomicBool;
use support::{any, instance, settings};

/// The optimum of the program, checked to be one.
fn optimum(instance: &Instance) -> Option<i64> {
    let built = milp_model::formulation::timed::of(instance).expect("timed supports it");
    let solved = milp_solver::solve(
        &built.program,
        &settings(120.0, true),
        &AtomicBool::new(false),
        &mut |_| {},
    )
    .expect("the solver runs");
    assert!(
        solved.proved,
        "{:?} {:?}",
        solved.termination, solved.certificate
    );
    assert!(matches!(
        solved.termination,
        Termination::Optimal | Termination::Infeasible
    ));
    solved.primal
}

#[track_caller]
fn check(what: &str, mut instance: Instance) {
    let found = search::best(&instance).expect("small enough to search");
    if instance.goal == Goal::Stall {
        instance.network = Network::Eventual;
    }
    let solved = optimum(&instance);
    println!(
        "{what}: {:?} in {} states, program {solved:?}",
        found.value, found.states
    );
    assert_eq!(found.value, solved, "{what}");
}

const GOALS: [Goal; 4] = [Goal::Fork, Goal::Finality, Goal::Views, Goal::Stall];

#[test]
fn without_faults_search_and_program_agree() {
    for (protocol, views, slots) in [
        ("dbft1", 1, 7),
        ("dbft1", 2, 11),
        ("dbft2", 1, 8),
        ("dbft2", 2, 13),
    ] {
        for goal in GOALS {
            check(
                &format!("{protocol}, {views} views, {goal:?}"),
                instance(protocol, views, slots, goal),
            );
        }
    }
}

#[test]
fn with_a_mutant_search_and_program_agree() {
    for mutant in ["no-commit-lock", "small-quorum"] {
        for goal in GOALS {
            let mut instance = instance("dbft2", 2, 12, goal);
            instance.mutant = Some(mutant.into());
            check(&format!("{mutant}, {goal:?}"), instance);
        }
    }
}

#[test]
fn with_one_replica_that_may_crash_search_and_program_agree() {
    for protocol in ["dbft1", "dbft2"] {
        for goal in GOALS {
            let mut instance = instance(protocol, 1, 9, goal);
            instance.faults = vec![any(FaultKind::Crash, 1)];
            check(&format!("{protocol}, a crash, {goal:?}"), instance);
        }
    }
}

#[test]
fn with_a_byzantine_primary_search_and_program_agree() {
    for protocol in ["dbft1", "dbft2"] {
        for goal in [Goal::Fork, Goal::Finality, Goal::Views] {
            let mut instance = instance(protocol, 1, 8, goal);
            instance.blocks_per_proposal = 2;
            let who = Who::These(vec![ReplicaId(0)]);
            instance.faults = vec![Fault {
                kind: FaultKind::Byzantine,
                who,
            }];
            check(
                &format!("{protocol}, Byzantine primary, {goal:?}"),
                instance,
            );
        }
    }
}

/// Weights in either sense, messages included, in every formulation.
#[test]
fn weighted_sums_are_those_of_the_search() {
    let (most, least) = (Sense::Maximize, Sense::Minimize);
    for (protocol, slots) in [("dbft1", 7), ("dbft2", 8)] {
        for (sense, blocks, views, messages) in [
            (most, 5, 2, 1),
            (most, -5, 2, 1),
            (least, -9, 2, 1),
            (least, 3, 2, -1),
        ] {
            let goal = Goal::Weighted {
                sense,
                blocks,
                views,
                messages,
            };
            let mut instance = instance(protocol, 1, slots, goal);
            for kind in [None, Some(FaultKind::Crash), Some(FaultKind::Byzantine)] {
                instance.faults = kind.into_iter().map(|kind| any(kind, 1)).collect();
                let found = search::best(&instance).expect("small enough to search");
                for formulation in [
                    Formulation::Timed,
                    Formulation::Counting,
                    Formulation::Causal,
                ] {
                    instance.formulation = formulation;
                    let built = milp_model::build(&instance).expect("it is supported");
                    let none = AtomicBool::new(false);
                    let settings = settings(120.0, true);
                    let solved = milp_solver::solve(built.program(), &settings, &none, &mut |_| {})
                        .expect("the solver runs");
                    assert!(solved.proved);
                    let what = format!("{protocol} {kind:?} {goal:?} {formulation:?}");
                    assert_eq!(found.value, solved.primal, "{what}");
                }
            }
        }
    }
}
