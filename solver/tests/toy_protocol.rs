//! A protocol that exists only in this file: rules are data, so `timed` solves it as it is.

use milp_model::{
    formulation::timed,
    rule::{
        About, Channel, Checked, Duration, Event, Modality, Protocol, Range, Requires, Rotation,
        Rule, Scope, Threshold, Who,
    },
};
use milp_schema::{
    Instance, Kind,
    instance::{
        Budget, Fault, FaultKind, Formulation, Goal, Network, Primary, Timeouts, Who as Whom,
    },
    schedule::Event as Seen,
};
use milp_solver::{Settings, solve};
use std::sync::atomic::AtomicBool;

fn kind(name: &str) -> Kind {
    Kind::Other(name.into())
}

fn event(name: &'static str, sends: &str, who: Who, modality: Modality) -> Event {
    Event {
        name,
        line: "toy",
        equations: &[],
        broadcasts: Some(kind(sends)),
        who,
        about: About::Block,
        once: Range::Height,
        scope: Scope::View,
        modality,
        requires: vec![],
        checked: Checked::Always,
        excludes: vec![],
        decides: false,
    }
}

/// Consistent broadcast: the primary offers, everybody echoes the first offer, a number of equal
/// echoes delivers.
fn echo_broadcast(threshold: Threshold) -> Protocol {
    let mut offer = event(
        "offer",
        "Offer",
        Who::Primary,
        Modality::Timer {
            after: Duration::Doubling(1),
        },
    );
    offer.about = About::Proposal;
    let mut echo = event("echo", "Echo", Who::Any, Modality::Must);
    echo.requires = vec![Requires::Held(kind("Offer"))];
    let mut deliver = event("deliver", "Delivered", Who::Any, Modality::Must);
    deliver.requires = vec![Requires::Tally {
        of: vec![kind("Echo")],
        at_least: threshold,
    }];
    deliver.decides = true;
    let channels = ["Offer", "Echo", "Delivered"].map(|name| Channel {
        kind: kind(name),
        forgeable: name != "Delivered",
        lost_ahead: false,
        pool: false,
    });
    Protocol {
        name: "echo-broadcast".into(),
        rule_set: "toy".into(),
        rotation: Rotation::HeightPlusView,
        channels: channels.to_vec(),
        rules: [echo, deliver, offer].map(Rule::Event).to_vec(),
    }
}

fn worst(protocol: &Protocol) -> (i64, usize) {
    let instance = Instance {
        protocol: protocol.name.clone(),
        rules: protocol.rule_set.clone(),
        replicas: 4,
        faults: vec![Fault {
            kind: FaultKind::Byzantine,
            who: Whom::Any(1),
        }],
        beyond_budget: false,
        heights: 1,
        views: 1,
        blocks_per_proposal: 2,
        slots: 5,
        network: Network::Eventual,
        timeouts: Timeouts::Free,
        block_time: None,
        primary: Primary::Rotation,
        goal: Goal::Fork,
        formulation: Formulation::Timed,
        budget: Budget::default(),
        mutant: None,
    };
    let built = timed::build(&instance, protocol).expect("timed supports it");
    let settings = Settings {
        time_limit_seconds: 60.0,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove: true,
        presolve: true,
        warm_start: None,
        options: vec![],
    };
    let solved = solve(
        &built.program,
        &settings,
        &AtomicBool::new(false),
        &mut |_| {},
    )
    .expect("the solver runs");
    assert!(solved.proved);
    let decoded = built.decode(&solved.point.expect("feasible"));
    let decisions = decoded
        .schedule
        .predictions
        .iter()
        .filter(|prediction| matches!(prediction.event, Seen::Decide(_)))
        .count();
    (solved.primal.expect("feasible"), decisions)
}

#[test]
fn a_quorum_of_echoes_delivers_one_value_whatever_the_offerer_does() {
    let (blocks, decisions) = worst(&echo_broadcast(Threshold::Quorum));
    assert_eq!(blocks, 1);
    assert!(decisions >= 1, "the schedule predicts who delivers");
}

#[test]
fn with_fewer_echoes_an_equivocating_offerer_makes_two() {
    let (blocks, decisions) = worst(&echo_broadcast(Threshold::QuorumLessOne));
    assert_eq!(blocks, 2);
    assert!(decisions >= 2);
}
