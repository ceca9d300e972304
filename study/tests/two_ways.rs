//! The program and the replicas, written separately, compared in both directions: random
//! executions of the replicas are points of the program.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::program::Tag;
use milp_replay::random;
use milp_schema::{
    Kind,
    instance::{Goal, Network},
    schedule::{Choice, Event},
};
use std::collections::BTreeMap;
use support::{instance, variants};

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
    for (name, instance) in variants(3, 12) {
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
    let mut instance = instance("dbft2", 3, 12, Goal::Fork);
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
