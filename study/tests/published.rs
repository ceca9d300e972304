//! Published schedules of the production engine, as points of the program.

mod support;

use milp_model::{
    formulation::timed::{self, Built, Key},
    program::Tag,
};
use milp_schema::{
    Choice, Instance, Schedule,
    instance::{Goal, Network},
    read,
};
use std::{path::Path, sync::atomic::AtomicBool};
use support::settings;

/// The slot after which the four good nodes are where the abstract model has a lock: replicas 0
/// and 3 have asked to leave view 1, replica 1 has committed in view 0, replica 2 in view 1.
const LOCK: u32 = 7;

fn four_good_nodes() -> (Instance, Schedule) {
    let dir =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../replay/tests/fixtures/four-good-nodes");
    let instance = read::instance(&dir.join("instance.yaml")).expect("a good instance");
    let schedule = read::schedule(instance.protocol, &dir).expect("a good schedule");
    (instance, schedule)
}

fn values(built: &Built, schedule: &Schedule) -> Vec<i64> {
    let point = built.encode(schedule, &[]).expect("it has columns");
    point.into_iter().map(|value| value.unwrap_or(0)).collect()
}

fn slot(key: &Key) -> Option<u32> {
    match key {
        Key::Did(_, _, at) | Key::Got(_, _, _, at) | Key::Entered(_, at) => Some(at.t),
        _ => None,
    }
}

#[test]
fn what_the_four_good_nodes_do_is_a_point_of_the_program() {
    let (instance, schedule) = four_good_nodes();
    let built = timed::of(&instance).expect("it builds");
    let point = values(&built, &schedule);
    let broken: Vec<&str> = built
        .program
        .rows
        .iter()
        .filter(|row| built.program.family(row).tag != Tag::Goal && !row.holds(&point))
        .map(|row| row.name.as_str())
        .collect();
    assert_eq!(broken, Vec::<&str>::new());
}

/// The program with everything up to slot 7 as published, and then free: from the state that the
/// abstract model calls a lock every final state has a decision.
#[test]
fn the_published_lock_of_four_good_nodes_is_none_under_the_engines_rules() {
    let (fixture, schedule) = four_good_nodes();
    let instance = Instance {
        goal: Goal::Stall,
        network: Network::Eventual,
        slots: 16,
        ..fixture
    };
    let mut built = timed::of(&instance).expect("it builds");
    let until = |slot: u32| slot <= LOCK;
    let prefix = Schedule {
        choices: schedule
            .choices
            .iter()
            .filter(|choice| until(choice.slot().0))
            .cloned()
            .collect(),
        predictions: schedule
            .predictions
            .iter()
            .filter(|p| until(p.slot.0))
            .cloned()
            .collect(),
    };
    let delivered = |choice: &&Choice| matches!(choice, Choice::Deliver { .. });
    assert!(
        prefix.choices.iter().filter(delivered).count() > 15,
        "a real prefix"
    );
    let point = values(&built, &prefix);
    for (index, value) in point.iter().enumerate() {
        let col = milp_model::program::Col(index as u32);
        if slot(built.key(col)).is_some_and(until) {
            let column = &mut built.program.columns[index];
            column.lower = *value;
            column.upper = *value;
        }
    }
    let stop = AtomicBool::new(false);
    let solved = milp_solver::solve(&built.program, &settings(120.0, true), &stop, &mut |_| {});
    let solved = solved.expect("it solves");
    // A decision in every final state, and that is proved.
    assert_eq!((solved.primal, solved.proved), (Some(1), true));
}
