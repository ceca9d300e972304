//! The program and the replicas, written separately, compared in both directions: random
//! executions of the replicas are points of the program.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

use milp_model::program::Tag;
use milp_replay::random;
use milp_schema::{
    Instance, Kind,
    instance::{Budget, Fault, FaultKind, Formulation, Goal, Network, Primary, Timeouts, Who},
    schedule::{Choice, Event},
};
use std::collections::BTreeMap;

fn instance(protocol: &str) -> Instance {
    Instance {
        protocol: protocol.into(),
        rules: "paper".into(),
        replicas: 4,
        faults: vec![],
        beyond_budget: false,
        heights: 1,
        views: 3,
        blocks_per_proposal: 1,
        slots: 12,
        network: Network::Asynchronous,
        timeouts: Timeouts::Free,
        block_time: None,
        primary: Primary::Rotation,
        goal: Goal::Fork,
        formulation: Formulation::Timed,
        budget: Budget::default(),
        mutant: None,
    }
}

fn any(kind: FaultKind, count: u32) -> Fault {
    Fault {
        kind,
        who: Who::Any(count),
    }
}

/// Every construct that has rows: protocols, mutants, faults, networks, timers, heights, n.
fn variants() -> Vec<(&'static str, Instance)> {
    let with = |protocol: &str, change: &dyn Fn(&mut Instance)| {
        let mut instance = instance(protocol);
        change(&mut instance);
        instance
    };
    let byzantine = any(FaultKind::Byzantine, 1);
    vec![
        ("dbft1 asynchronous", with("dbft1", &|_| {})),
        ("dbft2 asynchronous", with("dbft2", &|_| {})),
        (
            "dbft2 eventual",
            with("dbft2", &|i| i.network = Network::Eventual),
        ),
        (
            "dbft2 equivocation",
            with("dbft2", &|i| {
                i.faults = vec![byzantine.clone()];
                i.blocks_per_proposal = 2;
            }),
        ),
        (
            "dbft1 equivocation",
            with("dbft1", &|i| {
                i.faults = vec![byzantine.clone()];
                i.blocks_per_proposal = 2;
                i.network = Network::Eventual;
            }),
        ),
        (
            "dbft2 beyond budget",
            with("dbft2", &|i| {
                i.faults = vec![any(FaultKind::Byzantine, 2)];
                i.beyond_budget = true;
                i.blocks_per_proposal = 2;
            }),
        ),
        (
            "dbft2 crash",
            with("dbft2", &|i| {
                i.faults = vec![any(FaultKind::Crash, 1)];
                i.network = Network::Eventual;
            }),
        ),
        (
            "dbft2 network faults, two heights",
            with("dbft2", &|i| {
                i.faults = vec![any(FaultKind::Network, 1)];
                i.network = Network::Eventual;
                i.heights = 2;
                i.slots = 16;
            }),
        ),
        (
            "dbft1 two heights",
            with("dbft1", &|i| {
                i.heights = 2;
                i.slots = 16;
            }),
        ),
        (
            "dbft2 bounded, protocol timers",
            with("dbft2", &|i| {
                i.faults = vec![any(FaultKind::Crash, 1)];
                i.network = Network::Bounded {
                    delay_min: 1,
                    delay_max: 3,
                    gst: 2,
                };
                i.timeouts = Timeouts::Protocol;
                i.block_time = Some(3);
                i.views = 2;
                i.slots = 18;
            }),
        ),
        (
            "slow network, gst",
            with("dbft2", &|i| {
                i.faults = vec![any(FaultKind::Byzantine, 1)];
                i.network = Network::Bounded {
                    delay_min: 2,
                    delay_max: 4,
                    gst: 3,
                };
                i.views = 2;
                i.slots = 14;
            }),
        ),
        (
            "no commit lock",
            with("dbft2", &|i| i.mutant = Some("no-commit-lock".into())),
        ),
        (
            "small quorum",
            with("dbft2", &|i| i.mutant = Some("small-quorum".into())),
        ),
        (
            "dbft2 seven replicas",
            with("dbft2", &|i| {
                i.replicas = 7;
                i.views = 2;
                i.faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
            }),
        ),
    ]
}

/// What of an execution counts as a rule that fired.
fn fired(execution: &random::Executed, counts: &mut BTreeMap<String, u64>) {
    for prediction in &execution.schedule.predictions {
        let name = match &prediction.event {
            Event::Send(message) => format!("send {}", message.kind),
            Event::EnterView { view, .. } => format!("enter view {view}"),
            Event::Decide(block) => format!("decide in view {}", block.view),
        };
        *counts.entry(name).or_default() += 1;
    }
    for choice in &execution.schedule.choices {
        let name = match choice {
            Choice::Deliver { .. } => "deliver",
            Choice::Timeout { .. } => "timeout",
            Choice::Inject { .. } => "inject",
            Choice::Crash { .. } => "crash",
            Choice::Drop { .. } | Choice::Restart { .. } => continue,
        };
        *counts.entry(name.into()).or_default() += 1;
    }
}

#[test]
fn random_executions_satisfy_every_legal_row() {
    const EACH: u64 = 1_000;
    let (mut executions, mut encoded) = (0_u64, 0_u64);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (name, instance) in variants() {
        let built = milp_model::build(&instance).expect("timed supports it");
        let program = &built.program;
        let mut here = 0;
        let mut outside: BTreeMap<String, u64> = BTreeMap::new();
        for seed in 0..EACH {
            let execution = random::execution(&instance, seed);
            executions += 1;
            let point = match built.encode(&execution.schedule, &execution.faulty) {
                Ok(point) => point,
                Err(why) => {
                    *outside.entry(why).or_default() += 1;
                    continue;
                }
            };
            let known = |row: &milp_model::program::Row| {
                row.terms
                    .iter()
                    .all(|(col, _)| point[col.index()].is_some())
            };
            let values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
            let broken: Vec<&str> = program
                .rows
                .iter()
                .filter(|row| matches!(program.family(row).tag, Tag::Legal | Tag::Valid))
                .filter(|row| known(row) && !row.holds(&values))
                .map(|row| row.name.as_str())
                .collect();
            assert!(
                broken.is_empty(),
                "{name}, seed {seed}, faulty {:?}: {broken:?}\n{}\n{}",
                execution.faulty,
                milp_schema::write::choices_csv(&execution.schedule.choices),
                milp_schema::write::predictions_csv(&execution.schedule.predictions),
            );
            here += 1;
            fired(&execution, &mut counts);
        }
        println!("{name}: {here} of {EACH} executions are points of the program {outside:?}");
        encoded += here;
    }
    println!("{encoded} of {executions} executions; what happened in them: {counts:#?}");
    assert!(executions >= 10_000);
    assert!(
        encoded * 100 >= executions * 95,
        "{encoded} of {executions}"
    );
    for rule in [
        "send PrepareRequest",
        "send PrepareResponse",
        "send Commit",
        "send ChangeView",
        "send Block",
        "enter view 1",
        "enter view 2",
        "decide in view 0",
        "decide in view 1",
        "decide in view 2",
        "deliver",
        "timeout",
        "inject",
        "crash",
    ] {
        let count = counts.get(rule).copied().unwrap_or(0);
        assert!(count >= 100, "{rule} fired {count} times");
    }
}

#[test]
fn an_execution_without_one_of_its_reactions_is_not_a_point() {
    let mut instance = instance("dbft2");
    instance.network = Network::Eventual;
    let built = milp_model::build(&instance).expect("timed supports it");
    let mut tried = 0;
    for seed in 0..300 {
        let execution = random::execution(&instance, seed);
        for dropped in 0..execution.schedule.predictions.len() {
            let mut schedule = execution.schedule.clone();
            let reaction = match &schedule.predictions[dropped].event {
                // The timer's own sends may as well not happen, and a decision's broadcast says
                // the same as the decision.
                Event::Send(message) => {
                    !matches!(message.kind, Kind::ChangeView | Kind::PrepareRequest)
                }
                Event::EnterView { .. } => true,
                Event::Decide(_) => false,
            };
            if !reaction {
                continue;
            }
            schedule.predictions.remove(dropped);
            let point = built
                .encode(&schedule, &execution.faulty)
                .expect("it has columns");
            let values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
            let legal = built
                .program
                .rows
                .iter()
                .all(|row| built.program.family(row).tag != Tag::Legal || row.holds(&values));
            // Entering a later view may make an earlier entry of the same replica redundant.
            let original = built.encode(&execution.schedule, &execution.faulty);
            assert!(
                !legal || original == Ok(point),
                "seed {seed}, prediction {dropped}"
            );
            tried += 1;
        }
    }
    println!("{tried} reactions dropped");
    assert!(tried > 1_000, "{tried}");
}
