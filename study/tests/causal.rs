//! Formulation `causal` has the optimum of `timed` and of exhaustive search, and its schedules are
//! followed by the replicas.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    Error,
    formulation::{causal, timed},
    program::{Col, Tag},
};
use milp_replay::{search, tla};
use milp_schema::{
    Instance, ReplicaId,
    instance::{Fault, FaultKind, Goal, Network, Sense, Who},
    outcome::{Certificate, Termination},
};
use milp_solver::{Settings, Solved};
use std::sync::atomic::AtomicBool;
use support::{any, instance, replicas_object, settings, short, weights};

fn solved(program: &milp_model::program::Program) -> Solved {
    let stop = AtomicBool::new(false);
    let solved = milp_solver::solve(program, &settings(120.0, false), &stop, &mut |_| {})
        .expect("the solver runs");
    assert!(
        matches!(
            solved.termination,
            Termination::Optimal | Termination::Infeasible
        ),
        "{:?}",
        solved.termination
    );
    solved
}

/// The optimum without slots, whose schedule the replicas follow.
#[track_caller]
fn optimum(what: &str, instance: &Instance) -> Option<i64> {
    let built = causal::of(instance).expect("causal supports it");
    let solved = solved(&built.program);
    if let Some(point) = &solved.point {
        let decoded = built.decode(point).expect("an order of acts");
        let mut instance = instance.clone();
        instance.slots = decoded.slots;
        if replicas_object(&instance, &decoded) {
            println!(
                "{what}, faulty {:?}\n{}\n{}",
                decoded.faulty,
                milp_schema::write::choices_csv(&decoded.schedule.choices),
                milp_schema::write::predictions_csv(&decoded.schedule.predictions),
            );
            for (col, value) in point.iter().enumerate().filter(|(_, value)| **value != 0) {
                println!("  {} = {value}", built.program.columns[col].name);
            }
            support::explain(&instance, &decoded);
            panic!("{what}: the replicas do something else");
        }
        if instance.goal == Goal::Stall && solved.primal == Some(0) {
            assert!(support::is_stuck(&instance, &decoded), "{what}: not stuck");
        }
    }
    println!(
        "{what}: {:?}, {} columns, {} rows, {} nodes, {:.2} s",
        solved.primal,
        built.program.columns.len(),
        built.program.rows.len(),
        solved.nodes,
        solved.seconds
    );
    solved.primal
}

/// The optimum is that of `timed`, with the instance's slots.
#[track_caller]
fn same(what: &str, instance: &Instance) {
    let mine = optimum(what, instance);
    let built = timed::of(instance).expect("timed supports it");
    let theirs = solved(&built.program);
    println!("  timed: {:?}, {:.2} s", theirs.primal, theirs.seconds);
    assert_eq!(mine, theirs.primal, "{what}");
}

const GOALS: [Goal; 4] = [Goal::Fork, Goal::Finality, Goal::Views, Goal::Stall];

fn model(protocol: &str, views: u32, slots: u32, goal: Goal) -> Instance {
    Instance {
        network: Network::Eventual,
        ..instance(protocol, views, slots, goal)
    }
}

#[test]
fn the_formal_model_agrees_with_timed() {
    for protocol in ["dbft2-tla", "dbft2-tla-per-view"] {
        for goal in GOALS {
            for kind in [None, Some(FaultKind::Crash), Some(FaultKind::Byzantine)] {
                let mut instance = model(protocol, 1, 7, goal);
                instance.faults = kind.into_iter().map(|kind| any(kind, 1)).collect();
                same(&format!("{protocol} {goal:?} {kind:?}"), &instance);
            }
        }
    }
}

#[test]
fn locks_of_the_formal_model_are_found_and_excluded() {
    for (protocol, views, kind, value) in [
        ("dbft2-tla", 2, None, 1),
        ("dbft2-tla-per-view", 2, None, 0),
        ("dbft2-tla-per-view", 1, None, 1),
        ("dbft2-tla", 1, Some(FaultKind::Crash), 0),
        ("dbft2-tla", 2, Some(FaultKind::Byzantine), 0),
    ] {
        let mut instance = model(protocol, views, 7, Goal::Stall);
        instance.faults = kind.into_iter().map(|kind| any(kind, 1)).collect();
        let what = format!("{protocol}, {views} views, {kind:?}");
        assert_eq!(optimum(&what, &instance), Some(value), "{what}");
    }
}

#[test]
fn that_the_formal_model_has_no_lock_is_an_exact_bound() {
    for n in [4, 7, 10] {
        let mut instance = model("dbft2-tla", 2, 7, Goal::Stall);
        instance.replicas = n;
        let built = causal::of(&instance).expect("causal supports it");
        let settings = Settings {
            prove: true,
            ..short(100)
        };
        let stop = AtomicBool::new(false);
        let solved = milp_solver::solve(&built.program, &settings, &stop, &mut |_| {});
        let solved = solved.expect("the solver runs");
        assert_eq!(solved.primal, Some(1), "{n} replicas");
        let bound = Certificate::SafeDualBound { bound: 1 };
        assert_eq!(solved.certificate, bound, "{n} replicas");
    }
}

#[test]
fn what_a_lock_would_imply_holds_in_every_final_state() {
    for (n, views, questions) in [(4, 1, 4), (4, 2, 2), (4, 3, 1), (5, 2, 1), (6, 2, 1)] {
        let mut instance = model("dbft2-tla", views, 7, Goal::Stall);
        instance.replicas = n;
        let built = causal::of(&instance).expect("causal supports it");
        let mut bare = built.program.clone();
        bare.rows
            .retain(|row| built.program.family(row).tag != Tag::Valid);
        assert!(bare.rows.len() + 3 <= built.program.rows.len());
        // The goal itself, then whatever else.
        for seed in 0..questions {
            let (mut with, mut without) = (built.program.clone(), bare.clone());
            if seed > 0 {
                let mut weight = weights(seed);
                let columns = 0..built.program.columns.len() as u32;
                let objective: Vec<(Col, i64)> = columns.map(|col| (Col(col), weight())).collect();
                with.objective.clone_from(&objective);
                without.objective = objective;
            }
            let found = [with, without].map(|program| solved(&program).primal);
            assert_eq!(
                found[0], found[1],
                "{n} replicas, {views} views, seed {seed}"
            );
        }
    }
}

#[test]
fn the_paper_s_rules_agree_with_timed() {
    for (protocol, views, slots) in [
        ("dbft1", 1, 7),
        ("dbft2", 1, 8),
        ("dbft1", 2, 11),
        ("dbft2", 2, 13),
    ] {
        for goal in GOALS {
            for network in [Network::Asynchronous, Network::Eventual] {
                if goal == Goal::Stall && network == Network::Asynchronous {
                    continue;
                }
                let mut instance = instance(protocol, views, slots, goal);
                instance.network = network;
                same(
                    &format!("{protocol} {views} {goal:?} {network:?}"),
                    &instance,
                );
            }
        }
    }
}

#[test]
fn the_paper_s_rules_with_faults_agree_with_timed() {
    for (protocol, slots) in [("dbft1", 7), ("dbft2", 8)] {
        for goal in GOALS {
            for kind in [FaultKind::Crash, FaultKind::Network, FaultKind::Byzantine] {
                if goal == Goal::Stall && kind == FaultKind::Network {
                    continue;
                }
                let mut instance = instance(protocol, 1, slots, goal);
                instance.network = Network::Eventual;
                instance.faults = vec![any(kind, 1)];
                instance.blocks_per_proposal = 2;
                same(&format!("{protocol} {goal:?} {kind:?}"), &instance);
                instance.network = Network::Asynchronous;
                if goal != Goal::Stall {
                    same(
                        &format!("{protocol} {goal:?} {kind:?}, any delay"),
                        &instance,
                    );
                }
            }
        }
    }
}

#[test]
fn mutants_agree_with_timed() {
    for mutant in ["no-commit-lock", "small-quorum"] {
        for goal in GOALS {
            let mut instance = instance("dbft2", 2, 12, goal);
            instance.network = Network::Eventual;
            instance.mutant = Some(mutant.into());
            same(&format!("{mutant} {goal:?}"), &instance);
        }
    }
}

/// Two messages are a quorum, so a backup that answers has decided and asks for nothing.
#[test]
fn an_answer_that_completes_a_quorum_leaves_no_time_to_ask() {
    for (replicas, mutant) in [(2, None), (4, Some("small-quorum"))] {
        for (blocks, views) in [(1, 0), (1, 1), (-1, 1)] {
            let goal = Goal::Weighted {
                sense: Sense::Maximize,
                blocks,
                views,
                messages: 0,
            };
            let mut instance = instance("dbft1", 2, 11, goal);
            instance.replicas = replicas;
            instance.mutant = mutant.map(str::to_owned);
            same(
                &format!("{replicas} {mutant:?} {blocks} {views}"),
                &instance,
            );
        }
    }
}

/// With the request of a Byzantine primary too: what it completes is done before others answer.
#[test]
fn a_forged_request_that_completes_a_quorum_is_used_at_once() {
    for goal in GOALS {
        let mut instance = instance("dbft1", 1, 7, goal);
        instance.network = Network::Eventual;
        instance.mutant = Some("small-quorum".into());
        instance.faults = vec![any(FaultKind::Byzantine, 1)];
        instance.blocks_per_proposal = 2;
        same(&format!("{goal:?}"), &instance);
    }
}

#[test]
fn the_production_rules_agree_with_timed_in_one_view() {
    for goal in GOALS {
        for kind in [None, Some(FaultKind::Crash), Some(FaultKind::Byzantine)] {
            for network in [Network::Asynchronous, Network::Eventual] {
                if goal == Goal::Stall && network == Network::Asynchronous {
                    continue;
                }
                let mut instance = model("dbft2-nspcc", 1, 7, goal);
                instance.network = network;
                instance.faults = kind.into_iter().map(|kind| any(kind, 1)).collect();
                same(
                    &format!("dbft2-nspcc {goal:?} {kind:?} {network:?}"),
                    &instance,
                );
            }
        }
    }
}

#[test]
fn weighted_sums_of_the_production_rules_agree_with_timed() {
    for (sense, blocks, views) in [(Sense::Maximize, 3, 2), (Sense::Minimize, -3, 2)] {
        let goal = Goal::Weighted {
            sense,
            blocks,
            views,
            messages: 0,
        };
        let mut instance = model("dbft2-nspcc", 1, 7, goal);
        instance.network = Network::Asynchronous;
        same(&format!("dbft2-nspcc {goal:?}"), &instance);
    }
}

#[test]
fn locks_of_the_production_rules_are_found() {
    for (views, kind) in [
        (2, None),
        (2, Some(FaultKind::Crash)),
        (2, Some(FaultKind::Byzantine)),
    ] {
        let mut instance = model("dbft2-nspcc", views, 10, Goal::Stall);
        instance.faults = kind.into_iter().map(|kind| any(kind, 1)).collect();
        let what = format!("dbft2-nspcc {views} {kind:?}");
        assert_eq!(optimum(&what, &instance), Some(0), "{what}");
    }
}

#[test]
fn exhaustive_search_over_the_replicas_agrees() {
    for (protocol, views, kind, mutant) in [
        ("dbft1", 2, None, None),
        ("dbft2", 2, None, None),
        ("dbft1", 1, Some(FaultKind::Crash), None),
        ("dbft2", 1, Some(FaultKind::Crash), None),
        ("dbft1", 1, Some(FaultKind::Byzantine), None),
        ("dbft2", 1, Some(FaultKind::Byzantine), None),
        ("dbft2", 2, None, Some("small-quorum")),
    ] {
        for goal in GOALS {
            let mut instance = instance(protocol, views, 1, goal);
            instance.mutant = mutant.map(str::to_owned);
            if kind == Some(FaultKind::Byzantine) {
                if goal == Goal::Stall {
                    continue; // the search does not look for it
                }
                instance.blocks_per_proposal = 2;
                let who = Who::These(vec![ReplicaId(0)]);
                let kind = FaultKind::Byzantine;
                instance.faults = vec![Fault { kind, who }];
            } else {
                instance.faults = kind.into_iter().map(|kind| any(kind, 1)).collect();
            }
            let found = search::best(&instance).expect("small enough to search");
            if goal == Goal::Stall {
                instance.network = Network::Eventual;
            }
            let what = format!("{protocol} {views} {kind:?} {mutant:?} {goal:?}");
            assert_eq!(optimum(&what, &instance), found.value, "{what}");
        }
    }
}

#[test]
fn the_state_space_of_the_formal_model_agrees() {
    for protocol in ["dbft2-tla", "dbft2-tla-per-view"] {
        for kind in [None, Some(FaultKind::Crash), Some(FaultKind::Byzantine)] {
            let mut instance = model(protocol, 1, 1, Goal::Stall);
            let replica = ReplicaId(1);
            let who = Who::These(vec![replica]);
            instance.faults = kind
                .into_iter()
                .map(|kind| Fault {
                    kind,
                    who: who.clone(),
                })
                .collect();
            let faulty: Vec<_> = kind.into_iter().map(|kind| (replica, kind)).collect();
            let found = tla::explore(&instance, &faulty).expect("small enough");
            let expected = i64::from(found.stuck == 0);
            let what = format!("{protocol} {kind:?}, {} stuck states", found.stuck);
            assert_eq!(optimum(&what, &instance), Some(expected), "{what}");
        }
    }
}

#[test]
fn messages_are_counted_as_timed_counts_them() {
    for (protocol, sense) in [
        ("dbft2", Sense::Maximize),
        ("dbft2", Sense::Minimize),
        ("dbft2-tla", Sense::Maximize),
        ("dbft2-tla-per-view", Sense::Minimize),
    ] {
        let (blocks, views, messages) = (-2, 5, 1);
        let goal = Goal::Weighted {
            sense,
            blocks,
            views,
            messages,
        };
        let mut instance = model(protocol, 2, 10, goal);
        instance.network = Network::Asynchronous;
        same(&format!("{protocol} {sense:?}"), &instance);
    }
}

/// Two replicas that asked to leave answer because more than f committed, who commit because these
/// two answered: a circle. Only the order of milestones excludes it, and its point has no schedule.
#[test]
fn without_an_order_acts_wait_for_each_other() {
    let instance = model("dbft2-tla", 1, 1, Goal::Fork);
    let built = causal::of(&instance).expect("causal supports it");
    let mut program = built.program.clone();
    let silent = [
        "did_prepare_response_i2_v0_b0",
        "did_prepare_response_i3_v0_b0",
    ];
    let mut commits = vec![];
    for (number, column) in program.columns.iter_mut().enumerate() {
        if silent.contains(&column.name.as_str()) {
            column.upper = 0;
        } else if column.name.starts_with("did_commit") {
            commits.push((Col(number as u32), 1));
        }
    }
    assert_eq!(commits.len(), 4);
    program.objective = commits;
    program.constant = 0;
    assert_eq!(solved(&program).primal, Some(0));
    let family = built.program.families.iter();
    let order = family
        .zip(0..)
        .find(|(family, _)| family.name == "act_is_between_milestones");
    let (_, order) = order.expect("the family is there");
    program.rows.retain(|row| row.family.0 != order);
    let solved = solved(&program);
    assert_eq!(solved.primal, Some(2));
    let point = solved.point.expect("a point");
    assert!(matches!(
        built.decode(&point),
        Err(Error::NoSchedule { .. })
    ));
}
