//! Chained protocols in formulation `levels`, views that are entered by records of their own, timers
//! that are stopped: optima, and schedules that replicas made from the same file follow without a
//! divergence.

mod support;

use milp_schema::{
    Instance, Protocol,
    instance::{Fault, FaultKind, Network},
    protocol,
};
use std::sync::LazyLock;
use support::levels::fork;

/// Chained `HotStuff`: who proposes extends the highest certificate, a proposal carries the
/// certificate of its parent, that of its grandparent locks, and three certificates decide.
static CHAINED: LazyLock<Protocol> = LazyLock::new(|| {
    protocol::embedded(include_str!("support/chained.yaml")).expect("it is sound")
});

/// Who complained is called into the next view by its leader; who voted complains no more.
static COMPLAINTS: LazyLock<Protocol> = LazyLock::new(|| {
    protocol::embedded(include_str!("support/complaints.yaml")).expect("it is sound")
});

fn question(protocol: Protocol, mutant: &str, views: u32) -> Instance {
    let mut instance = Instance::asking(protocol)
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
    assert_eq!(fork(&question(*CHAINED, "", 6)), 1);
}

#[test]
fn without_a_lock() {
    assert_eq!(fork(&question(*CHAINED, "no-lock", 5)), 1);
    assert_eq!(fork(&question(*CHAINED, "no-lock", 6)), 2);
}

/// Of four replicas three voted or complained before two blocks are decided: a replica that voted
/// does not complain, but the leader calls it.
#[test]
fn a_leader_calls() {
    assert_eq!(fork(&question(*COMPLAINTS, "", 3)), 1);
    assert_eq!(fork(&question(*COMPLAINTS, "votes-again", 2)), 2);
}

/// A promise and a vote for the dummy exclude each other, and promises are made of such votes too.
#[test]
fn promises_and_dummies() {
    let simplex = |mutant| fork(&question(Protocol::shipped("simplex"), mutant, 3));
    assert_eq!(simplex(""), 1);
    assert_eq!(simplex("both"), 2);
}
