//! Schedules on replicas behind the engine trait: a published execution, the renaming of replicas,
//! and what is refused.

mod common;

use common::{OWN, any, crash, deliver, inject, instance, restart, timeout};
use milp_replay::{
    Error, Options, Protocol, Recovery, Replayed, Signatures,
    engine::{
        self, ANSWER_LIMIT, Effect, Engine, EngineError, MessageId, Nanos, Sidecar, Start, State,
        nspcc::{Nspcc, Switches},
    },
    random, replay, replay_on,
};
use milp_schema::{
    Height, Instance, Message, ReplicaId, Schedule, View,
    instance::{FaultKind, Network, Timers},
    read,
    schedule::{Choice, Event},
    trace::{Phase, What, to_ndjson},
    verdict::Liveness,
};
use std::path::Path;

/// A folder of `tests/fixtures`: the instance and its schedule.
fn fixture(name: &str) -> (Instance, Schedule) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let dir = dir.join(name);
    let instance = read::instance(&dir.join("instance.yaml")).expect("a good instance");
    let schedule = read::schedule(instance.protocol, &dir).expect("a good schedule");
    read::check_schedule(&instance, &schedule, name).expect("it fits");
    (instance, schedule)
}

fn four_good_nodes() -> (Instance, Schedule) {
    fixture("four-good-nodes")
}

fn nspcc(views: u32, slots: u32) -> Instance {
    instance("dbft2-nspcc", 4, views, slots)
}

fn on_twin(instance: &Instance, faulty: &[(ReplicaId, FaultKind)], rows: Vec<Choice>) -> Replayed {
    let schedule = Schedule {
        choices: rows,
        predictions: Vec::new(),
    };
    replay(instance, faulty, &schedule, &OWN).expect("good input")
}

/// A lock of the abstract model that the engine escapes: the dead primary's request reaches replica
/// 3, which answers although it has asked to leave, and commits; then more than f are committed, so
/// that replica 1 takes responses again.
#[test]
fn the_published_lock_of_one_dead_replica_is_none_of_the_engine() {
    let (instance, schedule) = fixture("one-dead");
    let faulty = [(ReplicaId(0), FaultKind::Crash)];
    let own = replay(&instance, &faulty, &schedule, &OWN).expect("good input");
    let mut go = production();
    let engine = replay_on(&mut go, &instance, &faulty, &schedule, &OWN).expect("good input");
    for replayed in [&own, &engine] {
        let verdict = &replayed.verdict;
        assert!(verdict.confirms(), "{:#?}", verdict.notes);
        assert_eq!(verdict.termination, Liveness::Decided, "{}", verdict.engine);
        assert!(replayed.trace.iter().any(|e| e.phase == Phase::Heal));
    }
    assert_eq!(own.trace, engine.trace);
}

#[test]
fn the_published_schedule_of_four_good_nodes_ends_in_a_decision_as_predicted() {
    let (instance, schedule) = four_good_nodes();
    let replayed = replay(&instance, &[], &schedule, &OWN).expect("good input");
    let verdict = &replayed.verdict;
    assert!(verdict.confirms(), "{:#?}", verdict.notes);
    assert_eq!(verdict.termination, Liveness::Decided);
    assert_eq!(verdict.engine, "dbft2-nspcc");
    // "replicas 0 and 1 still can commit at view 1 even after CV sent": 3 and 0 here.
    for id in [3, 0] {
        let sent = schedule.predictions.iter().filter_map(|p| match &p.event {
            Event::Send(message) if p.replica == ReplicaId(id) => Some(message.to_string()),
            _ => None,
        });
        let sent: Vec<String> = sent.collect();
        let place = |text: &str| sent.iter().position(|sent| sent == text).expect("sent");
        assert!(place("ChangeView h0 v1") < place("Commit h0 v1 b0"));
    }
    // Nothing is left for the heal phase.
    assert!(replayed.trace.iter().all(|e| e.phase == Phase::Schedule));
}

/// The production engine in its own process. It must be there: `scripts/engines.sh` builds it.
fn production() -> Sidecar {
    let command = engine::find("nspcc-dbft").expect("the adapter is built");
    Sidecar::open(&command, ANSWER_LIMIT).expect("the adapter starts")
}

/// The same on the production engine, with real signatures.
fn on_production(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
    options: &Options,
) -> Replayed {
    let mut engine = production();
    let replayed = replay_on(&mut engine, instance, faulty, schedule, options).expect("good input");
    engine.shutdown().expect("a good end");
    replayed
}

#[test]
fn the_production_engine_does_the_same_on_the_published_schedule_event_by_event() {
    let (instance, schedule) = four_good_nodes();
    let own = replay(&instance, &[], &schedule, &OWN).expect("good input");
    for signatures in [Signatures::P256, Signatures::Symbolic] {
        for recovery in [Recovery::Ideal, Recovery::NeoGo] {
            let options = Options {
                signatures,
                recovery,
                ..OWN
            };
            let theirs = on_production(&instance, &[], &schedule, &options);
            assert_eq!(theirs.trace, own.trace, "{options:?}");
            let name = match recovery {
                Recovery::Ideal => "nspcc-dbft",
                Recovery::NeoGo => "nspcc-dbft+neo-go",
            };
            assert_eq!(theirs.verdict.engine, name);
            assert!(theirs.verdict.confirms());
            assert_eq!(theirs.verdict.notes, own.verdict.notes);
        }
    }
}

#[test]
fn the_production_engine_repeats_the_same_lock_through_the_whole_heal_phase() {
    let faulty = [(ReplicaId(3), FaultKind::Crash)];
    let instance = Instance {
        faults: vec![any(FaultKind::Crash, 1)],
        ..nspcc(2, 8)
    };
    for rows in [lock(), [lock(), vec![restart(7, 3, false)]].concat()] {
        let schedule = Schedule {
            choices: rows,
            predictions: Vec::new(),
        };
        let own = replay(&instance, &faulty, &schedule, &OWN).expect("good input");
        let theirs = on_production(&instance, &faulty, &schedule, &OWN);
        assert_eq!(theirs.verdict.termination, Liveness::Stuck);
        assert_eq!(theirs.trace, own.trace);
        assert_eq!(theirs.verdict.notes, own.verdict.notes);
    }
}

#[test]
fn both_follow_a_schedule_of_the_paper_under_the_same_names() {
    let paper = instance("dbft2", 4, 2, 8);
    for seed in 0..20 {
        let executed = random::execution(&paper, seed);
        let options = Options {
            compare: false,
            ..OWN
        };
        let mut twin = Nspcc::new(Switches::default());
        let schedule = &executed.schedule;
        let own = replay_on(&mut twin, &paper, &executed.faulty, schedule, &options);
        let theirs = on_production(&paper, &executed.faulty, schedule, &options);
        assert_eq!(own.expect("good input").trace, theirs.trace, "seed {seed}");
    }
}

/// The twin, but replica 2 breaks down when its timer fires.
struct Breaking(Nspcc);

impl Engine for Breaking {
    fn name(&self) -> String {
        "breaking".to_owned()
    }

    fn start(&mut self, start: &Start) -> Result<Vec<Effect>, EngineError> {
        self.0.start(start)
    }

    fn deliver(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        self.0.deliver(to, id)
    }

    fn timeout(
        &mut self,
        at: ReplicaId,
        timer: &str,
        place: (Height, View),
    ) -> Result<Vec<Effect>, EngineError> {
        if at != ReplicaId(2) {
            return self.0.timeout(at, timer, place);
        }
        self.0.crash(at)?;
        let text = "nil pointer".to_owned();
        Ok(vec![Effect::Fault { replica: at, text }])
    }

    fn inject(&mut self, by: ReplicaId, message: &Message) -> Result<MessageId, EngineError> {
        self.0.inject(by, message)
    }

    fn crash(&mut self, who: ReplicaId) -> Result<Vec<Effect>, EngineError> {
        self.0.crash(who)
    }

    fn restart(&mut self, who: ReplicaId, backup: bool) -> Result<Vec<Effect>, EngineError> {
        self.0.restart(who, backup)
    }

    fn advance(&mut self, now: Nanos) -> Result<Vec<Effect>, EngineError> {
        self.0.advance(now)
    }

    fn state(&mut self, who: ReplicaId) -> Result<State, EngineError> {
        self.0.state(who)
    }
}

#[test]
fn an_engine_that_breaks_down_has_a_verdict_which_says_so() {
    let schedule = Schedule {
        choices: vec![timeout(1, 0, 0), timeout(2, 2, 0), timeout(3, 2, 0)],
        predictions: Vec::new(),
    };
    let mut engine = Breaking(Nspcc::new(Switches::default()));
    let replayed = replay_on(&mut engine, &nspcc(2, 8), &[], &schedule, &OWN).expect("good input");
    let verdict = replayed.verdict;
    assert_eq!((verdict.faults, verdict.engine.as_str()), (1, "breaking"));
    let says = "slot 2: the engine of replica 2 broke down: nil pointer";
    assert!(verdict.notes.iter().any(|note| note == says));
    // It is down from then on, and the other three decide without it.
    let says = "impossible: slot 3: replica 2 has no timer for h0 v0, so it cannot fire (row 3)";
    assert!(verdict.notes.iter().any(|note| note == says));
    assert_eq!(verdict.termination, Liveness::Decided);
    let line = to_ndjson(&replayed.trace);
    let line = line.lines().find(|line| line.contains("fault"));
    assert_eq!(
        line,
        Some(r#"{"slot":2,"phase":"schedule","replica":2,"what":"fault","text":"nil pointer"}"#)
    );
}

#[test]
fn every_delivery_and_every_prediction_of_the_published_schedule_counts() {
    let (instance, schedule) = four_good_nodes();
    let whole = replay(&instance, &[], &schedule, &OWN).expect("good input");
    for row in 0..schedule.predictions.len() {
        let mut less = schedule.clone();
        less.predictions.remove(row);
        let verdict = replay(&instance, &[], &less, &OWN)
            .expect("good input")
            .verdict;
        assert_eq!(verdict.divergences, Some(1), "prediction {}", row + 1);
    }
    for row in 0..schedule.choices.len() {
        let mut less = schedule.clone();
        less.choices.remove(row);
        let other = replay(&instance, &[], &less, &OWN).expect("good input");
        assert_ne!(other.trace, whole.trace, "row {}", row + 1);
    }
}

#[test]
fn recovery_travels_by_rows_and_is_predicted_as_far_as_it_is_asked_for() {
    let rows = vec![
        timeout(1, 1, 0),
        deliver(2, 1, 1, 2, "RecoveryRequest v0"),
        deliver(3, 2, 2, 1, "RecoveryMessage v0"),
    ];
    let replayed = on_twin(&nspcc(2, 6), &[], rows);
    let names = |what: What| {
        let events = replayed.trace.iter();
        let events = events.filter(move |e| e.what == what && e.phase == Phase::Schedule);
        events.filter_map(|e| e.message.as_ref().map(ToString::to_string))
    };
    assert_eq!(
        names(What::Send).collect::<Vec<_>>(),
        ["RecoveryRequest h0 v0"]
    );
    assert_eq!(
        names(What::Recover).collect::<Vec<_>>(),
        ["RecoveryMessage h0 v0"]
    );
    assert_eq!(
        names(What::Deliver).collect::<Vec<_>>(),
        ["RecoveryRequest h0 v0", "RecoveryMessage h0 v0"]
    );
    assert_eq!(
        replayed.verdict.divergences,
        Some(1),
        "the request was not predicted"
    );
}

/// Replica 1 alone commits in view 0; 0, 2 and 3 ask to leave, and 3, the primary of view 1, dies.
fn lock() -> Vec<Choice> {
    vec![
        timeout(1, 0, 0),
        deliver(2, 1, 0, 1, "PrepareRequest v0 b0"),
        deliver(2, 1, 0, 3, "PrepareRequest v0 b0"),
        deliver(3, 2, 3, 0, "PrepareResponse v0 b0"),
        deliver(3, 2, 3, 1, "PrepareResponse v0 b0"),
        deliver(3, 2, 1, 2, "PrepareResponse v0 b0"),
        deliver(3, 2, 3, 2, "PrepareResponse v0 b0"),
        timeout(3, 2, 0),
        deliver(4, 3, 2, 0, "ChangeView v0"),
        deliver(4, 3, 2, 3, "ChangeView v0"),
        timeout(4, 0, 0),
        timeout(4, 3, 0),
        crash(5, 3),
        deliver(5, 4, 3, 0, "ChangeView v0"),
        deliver(5, 4, 0, 2, "ChangeView v0"),
        deliver(5, 4, 3, 2, "ChangeView v0"),
    ]
}

#[test]
fn a_commit_and_a_crash_stop_the_engine_for_good_and_the_words_say_what_would_help() {
    let faulty = [(ReplicaId(3), FaultKind::Crash)];
    let instance = Instance {
        faults: vec![any(FaultKind::Crash, 1)],
        ..nspcc(2, 8)
    };
    let verdict = on_twin(&instance, &faulty, lock()).verdict;
    assert_eq!(verdict.termination, Liveness::Stuck);
    let words = "stuck: replica 0 in h0 v1 asks for recovery; replica 1 in h0 v0 has committed \
                 v0 b0; replica 2 in h0 v1 asks for recovery; replica 3 is down; v0 b0 has 1 of 3 \
                 commits (replica 1), 2 more would decide it, from among replica 0 (has left v0), \
                 replica 2 (has left v0), replica 3 (is down); a view is left by 3 replicas that \
                 have not committed, and 2 can ask (replicas 0, 2)";
    let stuck = verdict.notes.iter().find(|note| note.starts_with("stuck"));
    assert_eq!(stuck.map(String::as_str), Some(words));
    // The replica that died comes back, has forgotten that it asked to leave, and commits too.
    let rows = [lock(), vec![restart(7, 3, false)]].concat();
    let verdict = on_twin(&instance, &faulty, rows).verdict;
    assert_eq!(verdict.termination, Liveness::Stuck);
    let words = "v0 b0 has 2 of 3 commits (replicas 1, 3), 1 more would decide it, from among \
                 replica 0 (has left v0), replica 2 (has left v0)";
    assert!(
        verdict.notes.iter().any(|note| note.contains(words)),
        "{:#?}",
        verdict.notes
    );
}

#[test]
fn under_protocol_timers_the_engines_deadlines_are_the_ones_that_count() {
    let instance = Instance {
        timers: Timers::Protocol,
        block_time: Some(3),
        ..nspcc(2, 8)
    };
    let timers = |rows| {
        let notes = on_twin(&instance, &[], rows).verdict.notes;
        let timers = notes.into_iter().filter(|note| note.contains("timer"));
        timers.collect::<Vec<_>>()
    };
    // Everybody else is silent: T for the primary, 2T for the others; a request accepted in slot 4
    // gives 2T/q = 2 slots more, and one sent gives the primary another T.
    let proposed = vec![
        timeout(3, 0, 0),
        deliver(4, 3, 0, 1, "PrepareRequest v0 b0"),
    ];
    let on_time = vec![
        timeout(6, 0, 0),
        timeout(6, 2, 0),
        timeout(6, 3, 0),
        timeout(8, 1, 0),
    ];
    let rows = [proposed.clone(), on_time].concat();
    assert_eq!(timers(rows), [""; 0]);
    let early = [proposed, vec![timeout(5, 2, 0), timeout(6, 1, 0)]].concat();
    assert_eq!(
        timers(early),
        [
            "impossible: slot 5: replica 2 fires its timer of h0 v0, which is due in slot 6 (row 3)",
            "impossible: slot 6: replica 1 fires its timer of h0 v0, which is due in slot 8 (row 4)",
            "impossible: slot 6: replica 0 has its timer of h0 v0 due, but no row fires it",
            "impossible: slot 6: replica 3 has its timer of h0 v0 due, but no row fires it",
        ]
    );
}

/// A replica that accepts a request gets 2T/q slots more, whole or not: its timer fires in the first
/// slot that begins when it is due or later. The production engine is driven by the same clock.
#[test]
fn a_block_time_is_any_number_of_slots() {
    for (replicas, block_time) in [
        (4, 1),
        (4, 2),
        (4, 3),
        (4, 5),
        (4, 15),
        (7, 1),
        (7, 3),
        (7, 5),
        (7, 15),
    ] {
        let instance = Instance {
            replicas,
            timers: Timers::Protocol,
            block_time: Some(block_time),
            slots: 4 * block_time + 4,
            ..nspcc(2, 8)
        };
        let (quorum, proposal) = (instance.quorum(), block_time);
        let due = 2 * block_time + (2 * block_time).div_ceil(quorum);
        let accepts = deliver(proposal + 1, proposal, 0, 1, "PrepareRequest v0 b0");
        let says = |slot: u32| {
            let rows = vec![
                timeout(proposal, 0, 0),
                accepts.clone(),
                timeout(slot, 1, 0),
            ];
            let (choices, predictions) = (rows, Vec::new());
            let schedule = Schedule {
                choices,
                predictions,
            };
            let own = replay(&instance, &[], &schedule, &OWN).expect("good input");
            let theirs = on_production(&instance, &[], &schedule, &OWN);
            assert_eq!(own.trace, theirs.trace, "n = {replicas}, T = {block_time}");
            assert_eq!(own.verdict.notes, theirs.verdict.notes);
            let notes = own.verdict.notes.into_iter();
            notes
                .filter(|note| note.contains("replica 1 ") && note.contains("timer of h0 v0"))
                .filter(|note| note.contains(&format!("slot {slot}:")))
                .collect::<Vec<_>>()
        };
        let at = format!("n = {replicas}, T = {block_time}, due in slot {due}");
        assert_eq!(says(due), [""; 0], "{at}");
        let late = says(due + 1);
        assert!(
            late[0].contains(&format!("due in slot {due}")),
            "{at}: {late:?}"
        );
    }
}

#[test]
fn nothing_is_promised_for_recovery_messages_but_for_questions_it_is() {
    let instance = Instance {
        network: Network::Eventual,
        ..nspcc(2, 6)
    };
    let rows = vec![
        timeout(1, 1, 0),
        deliver(2, 1, 1, 2, "RecoveryRequest v0"),
        deliver(2, 1, 1, 3, "RecoveryRequest v0"),
    ];
    let notes = on_twin(&instance, &[], rows).verdict.notes;
    let network: Vec<String> = notes
        .into_iter()
        .filter(|n| n.contains("(network)"))
        .collect();
    assert_eq!(
        network,
        [
            "impossible: slot 6: replica 0 should have received RecoveryRequest h0 v0 of replica 1 sent in slot \
          1 by now (network)"
        ]
    );
}

#[test]
fn what_cannot_drive_the_engine_is_refused_by_name() {
    let good = nspcc(2, 8);
    let refused = |instance: &Instance, faulty: &[(ReplicaId, FaultKind)], rows: Vec<Choice>| {
        let schedule = Schedule {
            choices: rows,
            predictions: Vec::new(),
        };
        let mut twin = Nspcc::new(Switches::default());
        replay_on(&mut twin, instance, faulty, &schedule, &OWN)
            .expect_err("refused")
            .to_string()
    };
    let faulty = [(ReplicaId(3), FaultKind::Crash)];
    let crashing = Instance {
        faults: vec![any(FaultKind::Crash, 1)],
        ..good.clone()
    };
    let rows = vec![crash(1, 3), restart(2, 3, true)];
    assert_eq!(
        refused(&crashing, &faulty, rows),
        "row 2: replica 3 restarts with `backup`: an engine keeps its ledger only"
    );
    // The primary of view 1 is replica 3 here, and replica 1 in the paper.
    let byzantine = |instance: Instance| Instance {
        faults: vec![any(FaultKind::Byzantine, 1)],
        ..instance
    };
    let faulty = [(ReplicaId(1), FaultKind::Byzantine)];
    let proposal = vec![inject(1, 1, 0, "PrepareRequest v1 b0")];
    assert_eq!(
        refused(&byzantine(good), &faulty, proposal.clone()),
        "row 1: a Byzantine replica cannot make `PrepareRequest h0 v1 b0`: it is not the primary \
         of that view"
    );
    let paper = byzantine(instance("dbft2", 4, 2, 8));
    let schedule = Schedule {
        choices: proposal,
        predictions: Vec::new(),
    };
    let mut twin = Nspcc::new(Switches::default());
    replay_on(&mut twin, &paper, &faulty, &schedule, &OWN).expect("replica 1 is the primary");
    let heights = Instance {
        heights: 2,
        ..instance("dbft2", 4, 2, 8)
    };
    assert!(refused(&heights, &[], Vec::new()).contains("not the same in all views"));
    assert!(
        refused(&instance("dbft1", 4, 2, 8), &[], Vec::new()).contains("it is of protocol `dbft1`")
    );
    let rows = vec![timeout(1, 1, 0), deliver(2, 1, 1, 2, "RecoveryRequest v0")];
    let paper = instance("dbft2", 4, 2, 8);
    assert!(refused(&paper, &[], rows).contains("belongs to the heal phase"));
}

#[test]
fn the_papers_replicas_do_not_follow_a_schedule_of_the_engine() {
    let options = Options {
        protocol: Protocol::As("dbft2".to_owned()),
        ..OWN
    };
    let error = replay(&nspcc(2, 8), &[], &Schedule::default(), &options).expect_err("refused");
    assert!(matches!(error, Error::OtherPrimaries { protocol } if protocol == "dbft2-nspcc"));
}

#[test]
fn a_schedule_of_the_paper_drives_the_engine_under_other_names() {
    // Replica 1 is the primary of view 1 in the paper's rotation and 3 in the engine's.
    let paper = instance("dbft2", 4, 2, 8);
    let rows = vec![
        timeout(1, 0, 0),
        deliver(2, 1, 0, 1, "PrepareRequest v0 b0"),
        deliver(2, 1, 0, 2, "PrepareRequest v0 b0"),
        deliver(3, 2, 1, 2, "PrepareResponse v0 b0"),
    ];
    let schedule = Schedule {
        choices: rows,
        predictions: Vec::new(),
    };
    let mut twin = Nspcc::new(Switches::default());
    let replayed = replay_on(&mut twin, &paper, &[], &schedule, &OWN).expect("good input");
    let sent: Vec<String> = replayed
        .trace
        .iter()
        .filter(|e| e.what == What::Send && e.phase == Phase::Schedule)
        .filter_map(|e| Some(format!("{} {}", e.replica, e.message.as_ref()?.kind)))
        .collect();
    assert_eq!(
        sent,
        [
            "0 PrepareRequest",
            "1 PrepareResponse",
            "2 PrepareResponse",
            "2 Commit"
        ]
    );
    assert_eq!(replayed.verdict.engine, "dbft2-nspcc");
    assert_eq!(replayed.verdict.termination, Liveness::Decided);
}
