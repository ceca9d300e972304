//! Formulation `levels` on protocols that are files: optima, and schedules that replicas made from
//! the same file follow without a divergence.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    Error,
    formulation::levels,
    program::{Col, Row},
};
use milp_schema::{
    Instance,
    instance::{Fault, FaultKind, Goal, Network, Sense, Who},
};
use milp_solver::solve;
use std::sync::atomic::AtomicBool;
use support::{
    CORNER_NODES,
    levels::{best, follow, fork, question, run},
    settings, short, value_of, weights,
};

/// The same where replicas have powers.
fn by_power(power: &[u32], byzantine: u32, views: u32) -> Instance {
    let n = power.len() as u32;
    let mut instance = question("tendermint", n, 0, views);
    instance.power = Some(power.to_vec());
    let (kind, who) = (FaultKind::Byzantine, Who::Power(byzantine));
    instance.faults = vec![Fault { kind, who }];
    instance
}

#[test]
fn tendermint() {
    for (name, views, blocks) in [
        ("tendermint", 2, 1),
        ("tendermint", 3, 1),
        ("tendermint", 5, 1),
        ("tendermint no-lock", 2, 2),
        ("tendermint no-pol", 2, 2),
    ] {
        assert_eq!(fork(&question(name, 4, 1, views)), blocks, "{name}");
    }
}

#[test]
fn tendermint_by_power() {
    assert_eq!(fork(&by_power(&[40, 30, 20, 10], 33, 2)), 1);
    assert_eq!(fork(&by_power(&[3, 2, 2, 2, 1], 3, 2)), 1);
    assert_eq!(fork(&by_power(&[3, 2, 2, 2, 1], 4, 2)), 2);
}

#[test]
fn ibft1() {
    for (name, n, byzantine, views, blocks) in [
        ("ibft1", 4, 1, 3, 1),
        ("ibft1", 5, 1, 2, 2),
        ("ibft1", 6, 0, 2, 2),
        ("ibft1 ceil-quorum", 5, 1, 3, 1),
        ("ibft1 ceil-quorum", 6, 0, 2, 1),
        ("ibft1 no-lock", 4, 1, 2, 2),
    ] {
        let instance = question(name, n, byzantine, views);
        assert_eq!(fork(&instance), blocks, "{name}, n = {n}");
    }
}

/// Evidence travels with proposals.
#[test]
fn qbft_and_pbft() {
    for (name, views, blocks) in [
        ("./qbft.yaml", 2, 1),
        ("./qbft.yaml", 3, 1),
        ("./qbft.yaml no-certificate", 2, 2),
        ("./qbft.yaml no-justification", 2, 2),
        ("./qbft.yaml any-prepared", 2, 1),
        ("./qbft.yaml any-prepared", 3, 2),
        ("./pbft.yaml", 3, 1),
        ("./pbft.yaml no-certificate", 2, 2),
    ] {
        assert_eq!(fork(&question(name, 4, 1, views)), blocks, "{name}");
    }
}

#[test]
fn hotstuff() {
    for (name, views, blocks) in [
        ("hotstuff", 3, 1),
        ("hotstuff no-lock", 2, 2),
        ("hotstuff no-qc", 2, 1),
        ("hotstuff no-qc", 3, 2),
        ("hotstuff any-qc", 3, 1),
        ("hotstuff-two-phase", 3, 1),
        ("hotstuff-two-phase no-lock", 2, 2),
        ("hotstuff-two-phase no-qc", 2, 1),
        ("hotstuff-two-phase no-qc", 3, 2),
    ] {
        assert_eq!(fork(&question(name, 4, 1, views)), blocks, "{name}");
    }
}

#[test]
fn dbft() {
    for (name, byzantine, views, blocks) in [
        ("dbft1", 0, 2, 2),
        ("dbft2", 1, 2, 1),
        ("dbft2", 1, 4, 1),
        ("dbft2 no-commit-lock", 1, 2, 2),
        ("dbft2 small-quorum", 0, 2, 2),
    ] {
        assert_eq!(fork(&question(name, 4, byzantine, views)), blocks, "{name}");
    }
}

#[test]
fn other_goals() {
    let weighted = |messages| Goal::Weighted {
        sense: Sense::Maximize,
        blocks: 2,
        views: 1,
        messages,
    };
    for (name, views, goal, eventual) in [
        ("dbft2", 2, Goal::Finality, true),
        ("dbft2", 3, Goal::Views, true),
        ("dbft2", 2, weighted(0), true),
        ("dbft1", 2, Goal::Finality, true),
        ("dbft1", 2, Goal::Fork, true),
        ("tendermint", 3, Goal::Views, true),
        ("tendermint", 2, Goal::Finality, true),
        ("tendermint no-lock", 2, Goal::Fork, true),
        ("tendermint", 2, weighted(1), false),
        ("ibft1", 2, Goal::Views, true),
        ("ibft1 no-lock", 2, Goal::Fork, true),
    ] {
        let mut instance = question(name, 4, 1, views);
        instance.goal = goal;
        if eventual {
            instance.network = Network::Eventual;
        }
        let found = best(&instance, 2);
        let says = value_of(goal, &found.decoded.expect("it is feasible"));
        assert!(
            says.is_none() || says >= found.value,
            "{name} {goal:?}: {says:?}"
        );
    }
}

#[test]
fn dbft2_stalls() {
    for (kind, count, views) in [
        (FaultKind::Crash, 0, 2),
        (FaultKind::Crash, 1, 2),
        (FaultKind::Byzantine, 1, 2),
        (FaultKind::Byzantine, 1, 3),
    ] {
        let mut instance = question("dbft2", 4, 0, views);
        instance.faults = vec![Fault::any(kind, count)];
        instance.goal = Goal::Stall;
        instance.network = Network::Eventual;
        let found = best(&instance, 2);
        assert_eq!(found.value, Some(0));
        let decoded = found.decoded.expect("it is feasible");
        assert_eq!(value_of(Goal::Stall, &decoded), Some(0));
        instance.slots = decoded.slots;
        assert!(support::is_stuck(&instance, &decoded));
    }
}

/// The requests for a view travel with its proposal: that makes no other final states, since nobody
/// rests who could answer a proposal by what travels with it.
#[test]
fn proofs_in_final_states() {
    for (kind, count) in [
        (FaultKind::Crash, 0),
        (FaultKind::Crash, 1),
        (FaultKind::Byzantine, 1),
    ] {
        for (mutant, views) in [("", 2), (" small-quorum", 2), ("", 3)] {
            let value = |file: &str| {
                let mut instance = question(&format!("{file}{mutant}"), 4, 0, views);
                instance.faults = vec![Fault::any(kind, count)];
                instance.goal = Goal::Stall;
                instance.network = Network::Eventual;
                let program = levels::of(&instance).expect("levels say it").program;
                let responses = |row: &&Row| {
                    let family = &program.family(row).name;
                    family == "final_state_has_no_enabled_prepareresponse"
                };
                let rows = program.rows.iter().filter(responses).count();
                assert!(rows > 0, "{file}");
                (best(&instance, 2).value, rows)
            };
            assert_eq!(
                value("./dbft2.yaml"),
                value("dbft2"),
                "{kind:?} {count}{mutant}"
            );
        }
    }
}

/// What `causal` says of the same rules as Rust code.
#[test]
fn causal_agrees() {
    let weighted = |messages| Goal::Weighted {
        sense: Sense::Maximize,
        blocks: 3,
        views: 2,
        messages,
    };
    let goals = [
        (Goal::Fork, Network::Eventual),
        (Goal::Finality, Network::Asynchronous),
        (Goal::Views, Network::Eventual),
        (Goal::Stall, Network::Eventual),
        (weighted(0), Network::Eventual),
        (weighted(1), Network::Asynchronous),
    ];
    let mut compared = 0;
    for name in [
        "dbft1",
        "dbft2",
        "dbft2 no-commit-lock",
        "dbft2 small-quorum",
    ] {
        for (kind, count) in [
            (FaultKind::Byzantine, 1),
            (FaultKind::Crash, 1),
            (FaultKind::Byzantine, 2),
        ] {
            for (n, views, blocks) in [(4, 2, 1), (4, 1, 2), (4, 2, 2), (5, 2, 1), (4, 3, 1)] {
                for (goal, network) in goals {
                    let mut instance = question(name, n, 0, views);
                    instance.faults = vec![Fault::any(kind, count)];
                    (instance.goal, instance.network) = (goal, network);
                    instance.blocks_per_proposal = blocks;
                    let Ok(causal) = milp_model::formulation::causal::of(&instance) else {
                        continue;
                    };
                    if levels::of(&instance).is_err() {
                        continue;
                    }
                    let stop = AtomicBool::new(false);
                    let other = solve(&causal.program, &settings(120.0, false), &stop, &mut |_| {});
                    let value = best(&instance, 2).value;
                    let other = other.expect("the solver runs").primal;
                    assert_eq!(
                        value, other,
                        "{name} {kind:?} {count} n {n} views {views} {goal:?}"
                    );
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 200, "{compared} compared");
}

/// What is too large is refused before it is made, with the key to lower.
#[test]
fn too_large_is_refused_at_once() {
    let error = levels::of(&question("tendermint", 100, 33, 64)).expect_err("it is too large");
    assert!(error.to_string().contains("`views` (64)"), "{error}");
}

/// Random corners of programs that weigh everything, all of it followed.
#[test]
fn corners_replay() {
    for (name, n, byzantine, views) in [
        ("tendermint", 4, 1, 2),
        ("tendermint no-lock", 4, 1, 2),
        ("tendermint no-pol", 4, 1, 3),
        ("ibft1", 4, 1, 2),
        ("ibft1 no-lock", 4, 1, 3),
        ("dbft1", 4, 1, 2),
        ("dbft2", 4, 1, 3),
        ("dbft2 no-commit-lock", 4, 1, 3),
        ("./qbft.yaml", 4, 1, 2),
        ("./qbft.yaml any-prepared", 4, 1, 3),
        ("./qbft.yaml no-justification", 4, 1, 3),
        ("./pbft.yaml no-certificate", 4, 1, 3),
    ] {
        let mut instance = question(name, n, byzantine, views);
        instance.goal = Goal::Weighted {
            sense: Sense::Maximize,
            blocks: 1,
            views: 1,
            messages: 0,
        };
        let built = levels::of(&instance).expect("levels say it");
        let (mut followed, mut refused) = (0, 0);
        for seed in 0..CORNERS {
            let mut corner = levels::of(&instance).expect("levels say it");
            let mut weight = weights(seed);
            let columns = 0..built.program.columns.len() as u32;
            let objective = columns.map(|col| (Col(col), weight()));
            corner.program.objective = objective.filter(|(_, weight)| *weight != 0).collect();
            let mut settings = short(CORNER_NODES);
            settings
                .options
                .push(("mip_max_improving_sols".into(), "2".into()));
            let Some(point) = run(&corner, &settings).point else {
                continue;
            };
            match corner.decode(&point) {
                Ok(decoded) => {
                    follow(&instance, &decoded);
                    followed += 1;
                }
                Err(Error::Refused { why, .. }) => {
                    println!("{name}, seed {seed}: {why}");
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
        println!("{name}: {followed} followed, {refused} refused");
        assert!(followed > 0, "{name}");
    }
}

/// How many corners of each program.
const CORNERS: u64 = 10;
