//! A protocol that exists only in this file: rules are data, so `timed` solves it as it is.

use milp_model::{
    formulation::timed,
    rule::{
        About, Channel, Checked, Duration, Event, Modality, Protocol, Range, Requires, Rotation,
        Rule, Scope, Threshold, Who,
    },
};
use milp_schema::{
    Instance, Kind, Protocol as Words,
    instance::{Fault, FaultKind, Formulation},
    read,
    schedule::Event as Seen,
    write,
};
use milp_solver::{Settings, solve};
use std::sync::{LazyLock, atomic::AtomicBool};

/// The words of a protocol that exists only in this file.
static WORDS: LazyLock<Words> = LazyLock::new(|| {
    Words::of_text(
        "format: milp-protocol/2.0
name: echo-broadcast
title: consistent broadcast
page: none
words: {view: view, primary: offerer}
primary: h + v
quorum: n - f
messages: copies
engines: []
mutants: {}
timers: [view]
kinds:
- kind: Offer
  says: a value to deliver
  does: {names: value, by: primary, role: proposal, ahead: hold, passed: ignore, sent: timer}
  mark: {letters: O, shape: square, colour: '#1a5fc4', dash: []}
- kind: Echo
  says: that somebody saw the value
  does: {names: value, by: any, role: vote, ahead: hold, passed: ignore, sent: rule, tally: echoes, final: true}
  mark: {letters: E, shape: circle, colour: '#1b7f3b', dash: []}
- kind: Delivered
  says: the delivered value
  does: {names: value, by: any, role: decision, ahead: take, passed: take, sent: rule}
  mark: {letters: D, shape: frame, colour: '#a67c00', dash: []}
",
    )
    .expect("a sound vocabulary")
});

fn kind(name: &str) -> Kind {
    WORDS.kind(name).expect("a kind of this protocol")
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
        name: WORDS.name.clone(),
        rotation: Rotation::HeightPlusView,
        channels: channels.to_vec(),
        rules: [echo, deliver, offer].map(Rule::Event).to_vec(),
    }
}

fn worst(protocol: &Protocol) -> (i64, usize) {
    let instance = Instance::asking(*WORDS)
        .faults([Fault::any(FaultKind::Byzantine, 1)])
        .views(1)
        .blocks_per_proposal(2)
        .slots(5)
        .formulation(Formulation::Timed)
        .build();
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
    let choices = write::choices_csv(&decoded.schedule.choices);
    let choices = read::choices_text(*WORDS, "schedule.csv", &choices);
    assert_eq!(choices.as_ref(), Ok(&decoded.schedule.choices));
    let predictions = write::predictions_csv(&decoded.schedule.predictions);
    let predictions = read::predictions_text(*WORDS, "predictions.csv", &predictions);
    assert_eq!(predictions.as_ref(), Ok(&decoded.schedule.predictions));
    read::check_schedule(&instance, &decoded.schedule, "toy").expect("it fits");
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
