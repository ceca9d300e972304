//! Every rule can fire in every modelled view: a proof over an execution space in which something
//! cannot happen would be vacuous.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    formulation::timed::Key,
    program::{Col, FamilyId, Row},
};
use milp_replay::random;
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::AtomicBool,
};
use support::{any, instance, production, settings};

/// The events of the program by name and view, each with its columns at the last slot.
fn happenings(instance: &Instance) -> BTreeMap<(String, u32), Vec<Col>> {
    let built = milp_model::formulation::timed::of(instance).expect("timed supports it");
    let mut happenings: BTreeMap<(String, u32), Vec<Col>> = BTreeMap::new();
    for number in 0..built.program.columns.len() as u32 {
        let col = Col(number);
        let (name, at) = match built.key(col) {
            Key::Did(..) => {
                let name = built.program.columns[col.index()].name.clone();
                let event = name.split("_i").next().unwrap_or_default().to_owned();
                let Key::Did(_, _, at) = built.key(col) else {
                    continue;
                };
                (event, *at)
            }
            Key::Entered(_, at) => ("entered".to_owned(), *at),
            _ => continue,
        };
        if at.t == instance.slots {
            happenings.entry((name, at.v)).or_default().push(col);
        }
    }
    happenings
}

fn can_happen(instance: &Instance, cols: &[Col]) -> bool {
    let mut program = milp_model::formulation::timed::of(instance)
        .expect("timed supports it")
        .program;
    program.objective.clear();
    program.constant = 0;
    program.rows.push(Row {
        name: "it_happens".into(),
        family: FamilyId(0),
        terms: cols.iter().map(|&col| (col, 1)).collect(),
        lower: Some(1),
        upper: None,
    });
    let stop = AtomicBool::new(false);
    let solved = milp_solver::solve(&program, &settings(60.0, false), &stop, &mut |_| {});
    solved.expect("the solver runs").point.is_some()
}

#[test]
fn every_event_can_happen_in_every_view() {
    for (protocol, slots) in [("dbft1", 12), ("dbft2", 13)] {
        let mut instance = instance(protocol, 3, slots, Goal::Fork);
        instance.network = Network::Eventual;
        instance.faults = vec![any(FaultKind::Byzantine, 1)];
        let happenings = happenings(&instance);
        let names: BTreeSet<&String> = happenings.keys().map(|(name, _)| name).collect();
        println!("{protocol}: {names:?}");
        assert!(names.len() >= 6, "{names:?}");
        for ((name, view), cols) in &happenings {
            assert!(
                can_happen(&instance, cols),
                "{protocol}: {name} in view {view}"
            );
        }
    }
}

/// Drops what happens in random executions that are points of the program, budgets included.
fn drop_what_happens(instance: &Instance, happenings: &mut BTreeMap<(String, u32), Vec<Col>>) {
    let built = milp_model::formulation::timed::of(instance).expect("timed supports it");
    for seed in 0..3_000 {
        let executed = random::execution(instance, seed);
        let Ok(point) = built.encode(&executed.schedule, &executed.faulty) else {
            continue;
        };
        let values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
        let happens = |cols: &[Col]| cols.iter().any(|col| values[col.index()] == 1);
        let news = happenings.values().any(|cols| happens(cols));
        if news && support::fits(&built, &point) {
            happenings.retain(|_, cols| !happens(cols));
        }
    }
}

#[test]
fn every_event_of_the_production_rules_can_happen_in_every_view() {
    let mut instance = production(3, 13);
    instance.faults = vec![any(FaultKind::Byzantine, 1)];
    let mut happenings = happenings(&instance);
    assert!(happenings.len() >= 20, "{happenings:?}");
    drop_what_happens(&instance, &mut happenings);
    // What replicas do needs no solver.
    for ((name, view), cols) in &happenings {
        println!("nspcc: {name} in view {view} happens in no execution drawn");
        assert!(can_happen(&instance, cols), "{name} in view {view}");
    }
}
