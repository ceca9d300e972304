//! Chained protocols in formulation `levels`: branches decided, and schedules that replicas made
//! from the same file follow without a divergence.

mod support;

use milp_schema::{
    Instance, Protocol,
    instance::{Fault, FaultKind, Network},
    protocol,
};
use std::sync::LazyLock;
use support::levels::fork;

/// Chained HotStuff: who proposes extends the highest certificate, a proposal carries the
/// certificate of its parent, that of its grandparent locks, and three certificates decide.
static CHAINED: LazyLock<Protocol> = LazyLock::new(|| {
    protocol::embedded(include_str!("support/chained.yaml")).expect("it is sound")
});

fn question(mutant: &str, views: u32) -> Instance {
    let mut instance = Instance::asking(*CHAINED)
        .replicas(4)
        .views(views)
        .network(Network::Asynchronous)
        .faults([Fault::any(FaultKind::Byzantine, 1)])
        .build();
    instance.mutant = (!mutant.is_empty()).then(|| mutant.to_owned());
    instance
}

#[test]
fn locked() {
    assert_eq!(fork(&question("", 6)), 1);
}

#[test]
fn without_a_lock() {
    assert_eq!(fork(&question("no-lock", 5)), 1);
    assert_eq!(fork(&question("no-lock", 6)), 2);
}

#[test]
fn views_that_are_not_consecutive() {
    assert_eq!(fork(&question("any-views", 6)), 2);
    assert_eq!(fork(&question("any-views", 7)), 2);
    assert_eq!(fork(&question("any-views", 8)), 2);
}
