//! What a session does with copies, timers and the heal phase, on an engine that follows a script.

use super::{
    Session, heal,
    toy::{HOW, Toy},
};
use crate::{
    Options, Protocol, Recovery, Replayed, Signatures, compare,
    engine::{
        self, ANSWER_LIMIT, Sidecar,
        nspcc::{Nspcc, Switches},
    },
    input,
    protocols::testing::nspcc as at,
    replay, replay_on,
};
use milp_schema::{
    Height, Instance, ReplicaId, Schedule, Slot, View,
    instance::{Fault, FaultKind, Network, Who},
    schedule::{Choice, Copy},
    trace::{Phase, TraceEvent, What},
    verdict::Liveness,
};
use std::collections::BTreeMap;

fn instance(heights: u32) -> Instance {
    Instance::builder("dbft2-nspcc")
        .heights(heights)
        .views(3)
        .slots(8)
        .network(Network::Asynchronous)
        .build()
}

fn session<'a>(toy: &'a mut Toy, faulty: &[(u32, FaultKind)]) -> Session<&'a mut Toy> {
    let faulty: Vec<(ReplicaId, FaultKind)> = faulty
        .iter()
        .map(|&(id, kind)| (ReplicaId(id), kind))
        .collect();
    Session::new(toy, &instance(2), 3, &faulty, HOW).expect("the toy starts")
}

/// `text` of `height`, sent in `sent` by `sender` to `receiver`.
fn copy(sent: u32, sender: u32, receiver: u32, (height, text): (u32, &str)) -> Copy {
    Copy {
        sender: ReplicaId(sender),
        receiver: ReplicaId(receiver),
        message: at(height, text),
        sent: Slot(sent),
        copy: 0,
    }
}

/// What happened at a replica, a line per event.
fn events(session: &Session<&mut Toy>, replica: u32) -> Vec<String> {
    let at = |event: &&TraceEvent| event.replica == ReplicaId(replica);
    session
        .log
        .iter()
        .filter(at)
        .map(|event| match (&event.message, event.place) {
            (Some(message), _) => format!("{:?} {message}", event.what),
            (None, Some((height, view))) => format!("{:?} h{height} v{view}", event.what),
            (None, None) => format!("{:?}", event.what),
        })
        .collect()
}

fn fires(session: &mut Session<&mut Toy>, slot: u32, replicas: &[u32]) {
    session.begin(Slot(slot)).expect("time runs forward");
    for &replica in replicas {
        session
            .fire(ReplicaId(replica), "view")
            .expect("the toy speaks");
    }
}

fn gets(session: &mut Session<&mut Toy>, copies: &[Copy]) {
    for copy in copies {
        assert!(session.deliver(copy).expect("the toy listens"), "{copy:?}");
    }
}

#[test]
fn what_is_ahead_is_held_back_and_handed_over_in_the_order_of_a_slot() {
    let mut toy = Toy::saying(&[
        (1, "Commit v1 b0; ChangeView v1"),
        (2, "PrepareRequest v1 b0"),
        (3, "PrepareResponse v1 b0"),
        (0, "enter v1"),
    ]);
    let mut session = session(&mut toy, &[]);
    fires(&mut session, 1, &[1, 2, 3]);
    session.begin(Slot(2)).expect("time runs forward");
    let ahead = [
        copy(1, 1, 0, (0, "Commit v1 b0")),
        copy(1, 3, 0, (0, "PrepareResponse v1 b0")),
        copy(1, 2, 0, (0, "PrepareRequest v1 b0")),
        copy(1, 1, 0, (0, "ChangeView v1")),
    ];
    gets(&mut session, &ahead);
    fires(&mut session, 3, &[0]);
    assert_eq!(
        events(&session, 0),
        [
            "HoldBack Commit h0 v1 b0",
            "HoldBack PrepareResponse h0 v1 b0",
            "HoldBack PrepareRequest h0 v1 b0",
            // E20: a request to leave a later view is handed over at once.
            "Deliver ChangeView h0 v1",
            "Timeout h0 v0",
            "EnterView h0 v1",
            "HandOver PrepareRequest h0 v1 b0",
            "HandOver PrepareResponse h0 v1 b0",
            "HandOver Commit h0 v1 b0",
        ]
    );
}

#[test]
fn recovery_is_never_held_back_and_a_vote_of_a_passed_view_is_the_engines_to_judge() {
    let mut toy = Toy::saying(&[
        (
            1,
            "Commit v0 b0; enter v2; RecoveryRequest v2; RecoveryMessage v2",
        ),
        (0, "enter v1"),
    ]);
    let mut session = session(&mut toy, &[]);
    fires(&mut session, 1, &[0, 1]);
    session.begin(Slot(2)).expect("time runs forward");
    let copies = ["Commit v0 b0", "RecoveryRequest v2", "RecoveryMessage v2"]
        .map(|text| copy(1, 1, 0, (0, text)));
    gets(&mut session, &copies);
    assert_eq!(
        events(&session, 0)[2..],
        [
            "Deliver Commit h0 v0 b0",
            "Ignore RecoveryRequest h0 v2",
            "Deliver RecoveryMessage h0 v2"
        ]
    );
    // E21: the one is predicted, the other is not.
    let sent = |what| move |event: &&TraceEvent| event.what == what;
    let names = |what| {
        let events = session.log.iter().filter(sent(what));
        let kinds = events.filter_map(|event| event.message.as_ref());
        kinds
            .map(|message| message.kind.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(What::Send), ["Commit", "RecoveryRequest"]);
    assert_eq!(names(What::Recover), ["RecoveryMessage"]);
}

#[test]
fn equal_labels_of_one_slot_are_two_copies_and_each_is_taken_once() {
    let mut toy = Toy::saying(&[(1, "ChangeView v0; ChangeView v0")]);
    let mut session = session(&mut toy, &[]);
    fires(&mut session, 1, &[1]);
    session.begin(Slot(2)).expect("time runs forward");
    let first = copy(1, 1, 0, (0, "ChangeView v0"));
    let second = Copy {
        copy: 1,
        ..first.clone()
    };
    let third = Copy {
        copy: 2,
        ..first.clone()
    };
    gets(&mut session, &[second.clone(), first.clone()]);
    for gone in [first, second, third] {
        assert!(!session.deliver(&gone).expect("no error"), "{gone:?}");
        assert!(!session.drop_copy(&gone));
    }
    let lost = copy(1, 1, 2, (0, "ChangeView v0"));
    assert!(session.drop_copy(&lost));
    assert!(!session.deliver(&lost).expect("no error"), "lost for ever");
}

#[test]
fn an_engine_that_breaks_down_counts_as_crashed_and_is_named() {
    let mut toy = Toy::saying(&[(1, "ChangeView v0; break down")]);
    let mut session = session(&mut toy, &[]);
    fires(&mut session, 4, &[1]);
    assert!(!session.is_up(ReplicaId(1)));
    assert!(!session.can_fire(ReplicaId(1), "view", (Height(0), View(0))));
    assert_eq!(session.deadline(ReplicaId(1), "view"), None);
    let fault = session.log.last().expect("an event");
    assert_eq!(fault.what, What::Fault);
    assert_eq!(fault.text.as_deref(), Some("index out of range"));
    assert_eq!(
        session.end().faults,
        ["slot 4: the engine of replica 1 broke down: index out of range"]
    );
}

#[test]
fn a_timer_is_due_in_the_first_slot_that_is_not_before_its_deadline() {
    let mut toy = Toy::saying(&[(1, "ChangeView v0")]);
    let mut session = session(&mut toy, &[]);
    assert_eq!(session.deadline(ReplicaId(1), "view"), Some(Slot(3)));
    fires(&mut session, 2, &[1]);
    assert_eq!(session.deadline(ReplicaId(1), "view"), Some(Slot(5)));
    // A part of a slot is a slot more; a deadline that is over when it is set is due at once.
    let slot = session.slot;
    for (deadline, due) in [(5 * slot, 5), (5 * slot + 1, 6), (4 * slot + 1, 5), (0, 2)] {
        session.seats[1].timers[0].0.deadline = deadline;
        assert_eq!(session.deadline(ReplicaId(1), "view"), Some(Slot(due)));
    }
    // Nobody fires it: said in its slot, and once.
    session.seats[1].timers[0].0.deadline = 5 * slot;
    let place = Some((Height(0), View(0)));
    for (slot, missed) in [(4, None), (5, place), (6, None)] {
        session.begin(Slot(slot)).expect("time runs forward");
        assert_eq!(
            session.missed(ReplicaId(1), "view").expect("a state"),
            missed
        );
    }
}

#[test]
fn a_state_that_repeats_is_stuck_only_after_every_timer_fired_three_times() {
    let mut toy = Toy::saying(&[]);
    toy.refrain = Some("RecoveryRequest v0");
    let mut session = session(
        &mut toy,
        &[(3, FaultKind::Byzantine), (2, FaultKind::Crash)],
    );
    session.begin(Slot(1)).expect("time runs forward");
    session.crash(ReplicaId(2)).expect("it is up");
    let (liveness, sentence) = heal(&mut session).expect("the toy answers");
    assert_eq!(liveness, Liveness::Stuck);
    assert_eq!(
        sentence.as_deref(),
        Some(
            "stuck: replica 0 in h0 v0 asks for recovery; replica 1 in h0 v0 asks for recovery; \
             replica 2 is down; replica 3 is silent; nobody has committed; a view is left by 3 \
             replicas that have not committed, and 2 can ask (replicas 0, 1)"
        )
    );
    for id in [0, 1] {
        let fired = session.seats[id].fired["view"];
        assert!(fired >= 4, "{fired}: once to get there, three times since");
    }
    assert!(session.log.iter().all(|event| event.what != What::Decide));
}

#[test]
fn timers_that_change_the_state_each_time_leave_the_end_open() {
    // A view after the other, for ever: no state repeats. The steps end it.
    let views: &'static [&'static str] = Vec::leak(
        (1..3_000)
            .map(|view| &*String::leak(format!("enter v{view}")))
            .collect(),
    );
    let script: Vec<(u32, &'static str)> = views.iter().map(|words| (0, *words)).collect();
    let mut toy = Toy::saying(&script);
    let mut session = session(&mut toy, &[]);
    let (liveness, sentence) = heal(&mut session).expect("the toy answers");
    assert_eq!((liveness, sentence), (Liveness::Open, None));
}

#[test]
fn who_has_decided_answers_who_has_not_with_the_block_and_a_slot_has_one_answer() {
    let mut toy = Toy::saying(&[
        (0, "decide v0 b0"),
        (0, "decide v0 b0"),
        (1, "RecoveryRequest v0; RecoveryRequest v0"),
        (1, "RecoveryRequest v0"),
    ]);
    toy.refrain = Some("RecoveryRequest v0");
    let mut session = session(&mut toy, &[]);
    fires(&mut session, 1, &[0]);
    fires(&mut session, 2, &[0]);
    // The published blocks are lost; in the slots of the schedule nobody answers.
    for (sent, height) in [(1, 0), (2, 1)] {
        for receiver in 1..4 {
            let lost = copy(sent, 0, receiver, (height, "Block v0 b0"));
            assert!(session.drop_copy(&lost));
        }
    }
    fires(&mut session, 3, &[1]);
    gets(&mut session, &[copy(3, 1, 0, (0, "RecoveryRequest v0"))]);
    assert!(session.log.iter().all(|event| event.what != What::Recover));
    let (liveness, _) = heal(&mut session).expect("the toy answers");
    assert_eq!(liveness, Liveness::Decided);
    let answers: Vec<&TraceEvent> = session
        .log
        .iter()
        .filter(|event| event.what == What::Recover)
        .collect();
    assert!(answers.iter().all(|event| event.phase == Phase::Heal));
    let mut places: Vec<(Slot, ReplicaId, Height)> = answers
        .iter()
        .filter_map(|event| Some((event.slot, event.replica, event.message.as_ref()?.height)))
        .collect();
    let number = places.len();
    places.dedup();
    assert_eq!(places.len(), number, "one answer per replica and slot");
    assert!(number >= 2, "one per height at least");
}

#[test]
fn a_byzantine_copy_is_made_for_one_receiver_and_delivering_to_its_maker_does_nothing() {
    let mut toy = Toy::saying(&[(0, "ChangeView v0")]);
    let mut session = session(&mut toy, &[(3, FaultKind::Byzantine)]);
    session.begin(Slot(1)).expect("time runs forward");
    let made = copy(1, 3, 0, (0, "Commit v0 b1"));
    session.inject(&made).expect("the toy signs anything");
    fires(&mut session, 1, &[0]);
    session.begin(Slot(2)).expect("time runs forward");
    gets(
        &mut session,
        &[made.clone(), copy(1, 0, 3, (0, "ChangeView v0"))],
    );
    let other = Copy {
        receiver: ReplicaId(1),
        ..made
    };
    assert!(!session.deliver(&other).expect("no error"));
    assert_eq!(
        events(&session, 3),
        ["Inject Commit h0 v0 b1", "Deliver ChangeView h0 v0"]
    );
}

#[test]
fn free_timers_are_not_overdue_when_the_heal_phase_begins() {
    let mut engine = Nspcc::new(Switches::default());
    let session = Session::new(&mut engine, &instance(1), 3, &[], HOW).expect("it starts");
    // T is 9 slots, the first multiple of 3 above 8: once for the primary, twice for the others.
    let due = ReplicaId::all(4).map(|id| session.deadline(id, "view").expect("it runs").0);
    assert_eq!(due.collect::<Vec<_>>(), [9, 18, 18, 18]);
}

/// Plays at random on the twin and writes down the rows; gives them with what happened.
fn play(instance: &Instance, faulty: &[(ReplicaId, FaultKind)], seed: u64) -> Schedule {
    let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut roll = move |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    let mut engine = Nspcc::new(Switches::default());
    let mut session = Session::new(&mut engine, instance, 3, faulty, HOW).expect("it starts");
    let mut choices = Vec::new();
    for slot in (1..=instance.slots).map(Slot) {
        session.begin(slot).expect("time runs forward");
        for copy in session.network.deliverable(slot) {
            // Recovery messages travel like anything else, and some copies are lost.
            match roll(8) {
                0..=4 => {
                    session.deliver(&copy).expect("the twin listens");
                    choices.push(Choice::Deliver { slot, copy });
                }
                5 if roll(4) == 0 => {
                    session.drop_copy(&copy);
                    choices.push(Choice::Drop { slot, copy });
                }
                _ => {}
            }
        }
        for replica in ReplicaId::all(instance.replicas) {
            let seat = session.seat(replica).clone();
            if seat.fault == Some(FaultKind::Byzantine) {
                if let Some(copy) = forge(instance, slot, replica, &mut roll) {
                    session.inject(&copy).expect("the twin signs it");
                    choices.push(Choice::Inject { copy });
                }
                continue;
            }
            let (height, view) = (seat.height, seat.view);
            if seat.fault == Some(FaultKind::Crash) && roll(10) == 0 {
                if seat.up {
                    session.crash(replica).expect("it is up");
                    choices.push(Choice::Crash { slot, replica });
                } else {
                    session.restart(replica, false).expect("it is down");
                    let backup = false;
                    choices.push(Choice::Restart {
                        slot,
                        replica,
                        backup,
                    });
                }
            } else if roll(6) == 0 && session.can_fire(replica, "view", (height, view)) {
                session.fire(replica, "view").expect("the twin speaks");
                choices.push(Choice::Timeout {
                    slot,
                    replica,
                    timer: "view",
                    height,
                    view,
                });
            }
        }
    }
    let predictions = compare::observed(&session.log);
    Schedule {
        choices,
        predictions,
    }
}

/// Anything a Byzantine replica may say, or nothing.
fn forge(
    instance: &Instance,
    sent: Slot,
    sender: ReplicaId,
    roll: &mut impl FnMut(u64) -> u64,
) -> Option<Copy> {
    let (height, view, block) = (roll(2) as u32, roll(3) as u32, roll(2));
    let receiver = ReplicaId(roll(u64::from(instance.replicas)) as u32);
    let kind = ["PrepareRequest", "PrepareResponse", "Commit", "ChangeView"][roll(4) as usize];
    let message = at(
        height,
        &match kind {
            "ChangeView" => format!("{kind} v{view}"),
            _ => format!("{kind} v{view} b{block}"),
        },
    );
    let primary = input::rotation(instance)(Height(height), View(view));
    let allowed = receiver != sender && (kind != "PrepareRequest" || primary == sender);
    allowed.then_some(Copy {
        sender,
        receiver,
        message,
        sent,
        copy: 0,
    })
}

/// The first event or note in which two replays differ. Each engine has its own words for a
/// breakdown, so those are left out.
fn difference(own: Replayed, theirs: Replayed) -> Option<String> {
    let lines = |replayed: Replayed| {
        let events = replayed.trace.into_iter().map(|event| {
            let wordless = TraceEvent {
                text: None,
                ..event
            };
            format!("{wordless:?}")
        });
        let notes = replayed.verdict.notes.into_iter();
        let notes = notes.map(|note| match note.split_once(" broke down: ") {
            Some((who, _)) => who.to_owned(),
            None => note,
        });
        events.chain(notes).collect::<Vec<_>>()
    };
    let (own, theirs) = (lines(own), lines(theirs));
    let at = (0..own.len().max(theirs.len())).find(|&at| own.get(at) != theirs.get(at))?;
    Some(format!("{at}: {:?}\n{:?}", own.get(at), theirs.get(at)))
}

/// Copies, copy numbers, held-back messages, recovery, crashes and heights: the rows alone give
/// the same execution again, on the twin and on the production engine.
#[test]
fn what_was_written_down_as_rows_happens_again_on_both_engines() {
    let command = engine::find("nspcc-dbft").expect("the adapter is built");
    let options = Options {
        protocol: Protocol::Own,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let mut seen: BTreeMap<What, usize> = BTreeMap::new();
    for seed in 1..=100 {
        let kind = [FaultKind::Crash, FaultKind::Byzantine][seed as usize % 2];
        let faulty = [(ReplicaId(2), kind)];
        let who = Who::Any(1);
        let instance = Instance {
            faults: vec![Fault { kind, who }],
            slots: 30,
            views: 16,
            ..instance(2)
        };
        let schedule = play(&instance, &faulty, seed);
        let own = replay(&instance, &faulty, &schedule, &options).expect("good rows");
        assert!(own.verdict.confirms(), "{seed}: {:#?}", own.verdict);
        let mut theirs = Sidecar::open(&command, ANSWER_LIMIT).expect("the adapter starts");
        let theirs =
            replay_on(&mut theirs, &instance, &faulty, &schedule, &options).expect("good rows");
        assert_eq!(difference(own.clone(), theirs), None, "seed {seed}");
        for event in own.trace.iter().filter(|e| e.phase == Phase::Schedule) {
            *seen.entry(event.what).or_default() += 1;
        }
    }
    for what in [
        What::Deliver,
        What::HoldBack,
        What::HandOver,
        What::Ignore,
        What::Send,
        What::Recover,
        What::EnterView,
        What::Decide,
        What::Crash,
        What::Restart,
        What::Drop,
        What::Inject,
    ] {
        let times = seen.get(&what).copied().unwrap_or_default();
        assert!(times >= 10, "{what:?} happened {times} times");
    }
}
