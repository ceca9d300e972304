//! A family of protocols that exists only in tests: words, rules, and the worst that an adversary
//! can do.

use milp_model::{
    Decoded,
    formulation::timed,
    rule::{
        About, Channel, Checked, Duration, Event, Modality, Protocol, Range, Requires, Rule, Scope,
        Threshold, Who,
    },
};
use milp_schema::{
    Instance, Kind, Protocol as Words,
    instance::{Fault, FaultKind, Formulation},
};
use milp_solver::{Settings, solve};
use std::sync::{LazyLock, atomic::AtomicBool};

/// What its messages are called, what they do and how they are drawn.
pub(crate) static WORDS: LazyLock<Words> = LazyLock::new(|| {
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
pub(crate) fn echo_broadcast(threshold: Threshold) -> Protocol {
    let mut offer = event(
        "offer",
        "Offer",
        Who::Primary,
        Modality::Timer {
            after: Duration::Fixed(["2^v*T"; 2].map(|it| it.parse().expect("a duration"))),
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
        rotation: WORDS.primary,
        channels: channels.to_vec(),
        rules: [echo, deliver, offer].map(Rule::Event).to_vec(),
    }
}

/// The question how far it forks, with one faulty offerer.
pub(crate) fn question() -> Instance {
    Instance::asking(*WORDS)
        .faults([Fault::any(FaultKind::Byzantine, 1)])
        .views(1)
        .blocks_per_proposal(2)
        .slots(5)
        .formulation(Formulation::Timed)
        .build()
}

/// The answer, proved: how many values are delivered, and by which schedule.
pub(crate) fn worst(protocol: &Protocol) -> (i64, Decoded) {
    let built = timed::build(&question(), protocol).expect("timed supports it");
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
    (solved.primal.expect("feasible"), decoded)
}
