//! Random legal executions replay without divergence, get far and are cheap.

mod common;

use common::{OWN, any, instance};
use milp_replay::{Options, Signatures, random, replay};
use milp_schema::{
    Instance,
    instance::{FaultKind, Network, Timers},
    schedule::Event,
    verdict::{Holds, Liveness},
};
use std::collections::BTreeMap;

fn instances() -> Vec<Instance> {
    let mut all = Vec::new();
    for protocol in ["dbft1", "dbft2", "dbft2-nspcc"] {
        let plain = instance(protocol, 4, 2, 12);
        let byzantine = Instance {
            faults: vec![any(FaultKind::Byzantine, 1)],
            blocks_per_proposal: 2,
            views: 3,
            ..plain.clone()
        };
        let eventual = Instance {
            network: Network::Eventual,
            slots: 16,
            ..byzantine.clone()
        };
        let crashing = Instance {
            faults: vec![any(FaultKind::Crash, 1)],
            network: Network::Bounded {
                delay_min: 1,
                delay_max: 3,
                gst: 4,
            },
            slots: 16,
            ..plain.clone()
        };
        let heights = Instance {
            heights: if protocol == "dbft2-nspcc" { 1 } else { 2 },
            faults: vec![any(FaultKind::Network, 1)],
            ..plain.clone()
        };
        let mutant = Instance {
            mutant: Some("small-quorum".to_owned()),
            ..plain.clone()
        };
        let timers = Instance {
            network: Network::Bounded {
                delay_min: 1,
                delay_max: 3,
                gst: 0,
            },
            timers: Timers::Protocol,
            block_time: Some(3),
            slots: 20,
            ..plain.clone()
        };
        let seven = Instance {
            replicas: 7,
            faults: vec![any(FaultKind::Byzantine, 2)],
            ..plain
        };
        all.extend([
            byzantine, eventual, crashing, heights, mutant, timers, seven,
        ]);
    }
    let lockless = instance("dbft2", 4, 2, 12);
    all.push(Instance {
        mutant: Some("no-commit-lock".to_owned()),
        ..lockless
    });
    all
}

#[test]
fn random_executions_replay_without_divergence() {
    for instance in instances() {
        for seed in 0..60 {
            let executed = random::execution(&instance, seed);
            assert!(
                !executed.left_out,
                "{instance:?}: seed {seed} leaves the views"
            );
            let replayed = replay(&instance, &executed.faulty, &executed.schedule, &OWN)
                .unwrap_or_else(|error| panic!("{instance:?}: seed {seed}: {error}"));
            let notes = &replayed.verdict.notes;
            assert!(
                replayed.verdict.confirms(),
                "{instance:?}: seed {seed}: {notes:?}"
            );
        }
    }
}

#[test]
fn the_verdict_does_not_depend_on_the_mode_of_signatures() {
    for instance in instances() {
        let executed = random::execution(&instance, 5);
        let play = |signatures| {
            let options = Options { signatures, ..OWN };
            replay(&instance, &executed.faulty, &executed.schedule, &options).expect("good input")
        };
        assert_eq!(
            play(Signatures::P256),
            play(Signatures::Symbolic),
            "{instance:?}"
        );
    }
}

#[test]
fn a_seed_names_an_execution() {
    let instance = &instances()[0];
    assert_eq!(
        random::execution(instance, 7),
        random::execution(instance, 7)
    );
    assert_ne!(
        random::execution(instance, 7),
        random::execution(instance, 8)
    );
}

#[test]
fn ten_thousand_executions_fire_every_rule_often() {
    let instance = instance("dbft2", 4, 2, 12);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..10_000 {
        let executed = random::execution(&instance, seed);
        for prediction in executed.schedule.predictions {
            let name = match prediction.event {
                Event::Send(message) if message.kind.name() == "Block" => continue,
                Event::Send(message) => format!("{} v{}", message.kind, message.view),
                Event::EnterView { view, .. } => format!("enter v{view}"),
                Event::Decide(block) => format!("decide v{}", block.view),
            };
            *counts.entry(name).or_default() += 1;
        }
    }
    for view in 0..2 {
        for name in [
            "PrepareRequest",
            "PrepareResponse",
            "Commit",
            "ChangeView",
            "decide",
        ] {
            let name = format!("{name} v{view}");
            let count = counts.get(&name).copied().unwrap_or(0);
            assert!(count >= 1_000, "{name} happened {count} times: {counts:?}");
        }
    }
    assert!(counts["enter v1"] >= 1_000, "{counts:?}");
    // Printed so that a change of the profiles can be judged.
    eprintln!("{counts:?}");
}

#[test]
fn dbft2_is_safe_in_every_random_execution_and_the_heal_phase_always_ends() {
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for instance in instances() {
        let safe = instance.protocol.has_binding_vote() && instance.mutant.is_none();
        for seed in 100..250 {
            let executed = random::execution(&instance, seed);
            let replayed = replay(&instance, &executed.faulty, &executed.schedule, &OWN)
                .expect("a random execution is good input");
            let verdict = replayed.verdict;
            assert_eq!(verdict.validity, Holds::Holds, "{instance:?}: seed {seed}");
            assert_eq!(verdict.integrity, Holds::Holds, "{instance:?}: seed {seed}");
            if safe {
                let found = [verdict.agreement, verdict.finality, verdict.lock];
                assert_eq!(found, [Holds::Holds; 3], "{instance:?}: seed {seed}");
            }
            assert_ne!(
                verdict.termination,
                Liveness::Open,
                "{instance:?}: seed {seed}"
            );
            *ends
                .entry(format!("{} {:?}", instance.protocol, verdict.termination))
                .or_default() += 1;
        }
    }
    eprintln!("{ends:?}");
    let dbft2 = |end: &str| ends[&format!("dbft2 {end}")] + ends[&format!("dbft2-nspcc {end}")];
    assert!(dbft2("Decided") > 500 && dbft2("Stuck") > 0, "{ends:?}");
}
