//! Two exact formulations and the exhaustive search over the replicas find the same optimum, and what
//! `counting` finds is an execution that the replicas follow.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{Decoded, formulation::counting};
use milp_replay::{Options, Protocol, Recovery, Replayed, Signatures, replay, search};
use milp_schema::{
    Instance, ReplicaId,
    instance::{Fault, FaultKind, Goal, Network, Sense, Who},
};
use std::sync::atomic::AtomicBool;
use support::{any, instance, settings, value_of};

/// An optimum of `counting`, proved, and the execution found.
struct Best {
    value: Option<i64>,
    decoded: Option<Decoded>,
}

#[track_caller]
fn counted(instance: &Instance) -> Best {
    let built = counting::of(instance).expect("counting supports it");
    let solved = milp_solver::solve(
        &built.program,
        &settings(120.0, true),
        &AtomicBool::new(false),
        &mut |_| {},
    )
    .expect("the solver runs");
    assert!(
        solved.proved,
        "{instance:?}: {:?} {:?}",
        solved.termination, solved.certificate
    );
    let decoded = solved.point.map(|point| {
        built
            .decode(&point)
            .unwrap_or_else(|error| panic!("{instance:?}: {error}"))
    });
    println!(
        "  counting {:?}, root {:?}, {} nodes, {} s, {} columns, {} rows",
        solved.primal,
        solved.root_bound,
        solved.nodes,
        solved.seconds,
        built.program.columns.len(),
        built.program.rows.len()
    );
    Best {
        value: solved.primal,
        decoded,
    }
}

/// The replicas follow the schedule, and it is as bad as the program says.
#[track_caller]
fn confirm(what: &str, instance: &Instance, best: &Best) -> Option<Replayed> {
    let decoded = best.decoded.as_ref()?;
    let instance = &Instance {
        slots: decoded.slots,
        ..instance.clone()
    };
    let options = Options {
        protocol: Protocol::Own,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let replayed = replay(instance, &decoded.faulty, &decoded.schedule, &options)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(
        replayed.verdict.confirms(),
        "{what}: {:?}",
        replayed.verdict
    );
    let value = best.value.expect("a schedule has a value");
    let Some(found) = value_of(instance.goal, decoded) else {
        return Some(replayed);
    };
    let enough = match instance.goal {
        Goal::Weighted {
            sense: Sense::Minimize,
            ..
        }
        | Goal::Stall => found <= value,
        _ => found >= value,
    };
    assert!(
        enough,
        "{what}: {found} in the schedule, {value} in the program"
    );
    Some(replayed)
}

const GOALS: [Goal; 4] = [Goal::Fork, Goal::Finality, Goal::Views, Goal::Stall];

/// Counting and the search agree.
#[track_caller]
fn check(what: &str, mut instance: Instance) {
    let found = search::best(&instance).expect("small enough to search");
    if instance.goal == Goal::Stall {
        instance.network = Network::Eventual;
    }
    println!(
        "{what}: search {:?} in {} states",
        found.value, found.states
    );
    let best = counted(&instance);
    assert_eq!(found.value, best.value, "{what}");
    confirm(what, &instance, &best);
    if instance.network == Network::Asynchronous {
        instance.network = Network::Eventual;
        let best = counted(&instance);
        assert_eq!(found.value, best.value, "{what}, eventual");
        confirm(what, &instance, &best);
    }
}

#[test]
fn without_faults_search_and_counting_agree() {
    for (protocol, views) in [("dbft1", 1), ("dbft1", 2), ("dbft2", 1), ("dbft2", 2)] {
        for goal in GOALS {
            let what = format!("{protocol}, {views} views, {goal:?}");
            check(&what, instance(protocol, views, 1, goal));
        }
    }
}

#[test]
fn with_a_mutant_search_and_counting_agree() {
    for mutant in ["no-commit-lock", "small-quorum"] {
        for goal in GOALS {
            let mut instance = instance("dbft2", 2, 1, goal);
            instance.mutant = Some(mutant.into());
            check(&format!("{mutant}, {goal:?}"), instance);
        }
    }
}

#[test]
fn with_faults_search_and_counting_agree() {
    for protocol in ["dbft1", "dbft2"] {
        for goal in GOALS {
            let mut instance = instance(protocol, 1, 1, goal);
            instance.faults = vec![any(FaultKind::Crash, 1)];
            check(&format!("{protocol}, a crash, {goal:?}"), instance.clone());
            instance.blocks_per_proposal = 2;
            let who = Who::These(vec![ReplicaId(0)]);
            let kind = FaultKind::Byzantine;
            instance.faults = vec![Fault { kind, who }];
            check(
                &format!("{protocol}, Byzantine primary, {goal:?}"),
                instance.clone(),
            );
            instance.faults = vec![any(FaultKind::Byzantine, 2)];
            check(&format!("{protocol}, 2 Byzantine, {goal:?}"), instance);
        }
    }
}

/// The optimum of `timed`, proved.
#[track_caller]
fn timed(instance: &Instance) -> Option<i64> {
    let built = milp_model::formulation::timed::of(instance).expect("timed supports it");
    let mut settings = settings(240.0, true);
    settings.warm_start = support::start(instance, &built, 0);
    let solved = milp_solver::solve(
        &built.program,
        &settings,
        &AtomicBool::new(false),
        &mut |_| {},
    )
    .expect("the solver runs");
    assert!(solved.proved, "{:?}", solved.termination);
    solved.primal
}

fn weighted(sense: Sense, [blocks, views, messages]: [i64; 3]) -> Goal {
    Goal::Weighted {
        sense,
        blocks,
        views,
        messages,
    }
}

#[test]
fn timed_with_enough_slots_and_counting_agree() {
    let (most, least) = (Sense::Maximize, Sense::Minimize);
    let mut asked: Vec<(&str, Instance)> = vec![];
    let mut ask =
        |what: &'static str, protocol: &str, slots, goal, change: &dyn Fn(&mut Instance)| {
            let mut instance = instance(protocol, 2, slots, goal);
            change(&mut instance);
            asked.push((what, instance));
        };
    for weights in [
        [1000, -100, 0],
        [1000, 100, 1],
        [0, 100, -1],
        [-10, 100, -1],
    ] {
        ask("weighted", "dbft2", 13, weighted(most, weights), &|_| {});
    }
    ask(
        "least messages",
        "dbft2",
        11,
        weighted(least, [-1000, 100, 1]),
        &|_| {},
    );
    ask(
        "weighted, eventual",
        "dbft2",
        12,
        weighted(most, [1000, 100, 0]),
        &|i| {
            i.network = Network::Eventual;
        },
    );
    ask(
        "dbft1, most messages",
        "dbft1",
        9,
        weighted(most, [10, 1, 1]),
        &|i| i.views = 1,
    );
    ask(
        "no commit lock, weighted",
        "dbft2",
        13,
        weighted(most, [1000, -100, -1]),
        &|i| {
            i.mutant = Some("no-commit-lock".into());
        },
    );
    ask("few timeouts", "dbft2", 10, Goal::Views, &|i| {
        i.budget.timeouts = Some(2);
    });
    ask("enough timeouts", "dbft2", 10, Goal::Views, &|i| {
        i.budget.timeouts = Some(3);
    });
    ask("network faults", "dbft2", 12, Goal::Fork, &|i| {
        i.faults = vec![any(FaultKind::Network, 1)];
        i.network = Network::Eventual;
    });
    ask("a crash, stall", "dbft2", 12, Goal::Stall, &|i| {
        i.faults = vec![any(FaultKind::Crash, 1)];
        i.network = Network::Eventual;
    });
    ask("beyond budget", "dbft2", 10, Goal::Fork, &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 2)];
        i.blocks_per_proposal = 2;
    });
    for (what, instance) in asked {
        let best = counted(&instance);
        let value = timed(&instance);
        println!("{what}: timed {value:?}");
        assert_eq!(value, best.value, "{what}");
        confirm(what, &instance, &best);
    }
}

/// Solves, replays, and says how large and how long.
fn large(n: u32, views: u32, goal: Goal, network: Network) {
    let mut instance = instance("dbft2", views, 1, goal);
    instance.replicas = n;
    instance.network = network;
    instance.faults = vec![any(FaultKind::Byzantine, (n - 1) / 3)];
    let best = counted(&instance);
    let what = format!("n {n}, {views} views, {goal:?}");
    let replayed = confirm(&what, &instance, &best).expect("there is a schedule");
    let decoded = best.decoded.expect("there is a schedule");
    println!(
        "{what}: {:?}, {} slots, {} rows, {:?}",
        best.value,
        decoded.slots,
        decoded.schedule.choices.len(),
        replayed.verdict.termination,
    );
}

#[test]
fn schedules_of_many_replicas_replay() {
    let messages = weighted(Sense::Maximize, [1000, 100, 1]);
    large(13, 13, Goal::Stall, Network::Eventual);
    large(13, 13, messages, Network::Asynchronous);
    large(31, 31, Goal::Fork, Network::Asynchronous);
    large(100, 7, Goal::Fork, Network::Eventual);
}

#[test]
fn schedules_of_every_goal_replay() {
    let weighted = |weights| weighted(Sense::Maximize, weights);
    for (n, views) in [(4, 4), (7, 7), (13, 13)] {
        for (goal, network) in [
            (Goal::Fork, Network::Asynchronous),
            (Goal::Stall, Network::Eventual),
            (Goal::Views, Network::Eventual),
            (Goal::Finality, Network::Asynchronous),
            (weighted([1000, -100, 0]), Network::Asynchronous),
            (weighted([1000, 100, 1]), Network::Asynchronous),
            (weighted([0, 100, -1]), Network::Asynchronous),
        ] {
            large(n, views, goal, network);
        }
    }
}
