//! Choices drive, predictions are compared: whatever is wrong with either is seen.

mod common;

use common::{OWN, any, crash, deliver, drop_copy, instance, play, timeout};
use milp_replay::{Error, Options, Protocol, Recovery, Replayed, Signatures, random, replay};
use milp_schema::{
    Height, Instance, ReplicaId, Schedule, Slot, View,
    instance::{FaultKind, Network, Timers},
    schedule::Choice,
    trace::{Phase, What},
};
use proptest::prelude::*;

/// What is said where nothing is compared: what is impossible is so without predictions.
fn notes(instance: &Instance, choices: Vec<Choice>) -> Vec<String> {
    let options = Options {
        compare: false,
        ..OWN
    };
    let verdict = play(instance, &[], choices, &options).verdict;
    assert_eq!(verdict.divergences, None, "nothing was compared");
    verdict.notes
}

fn small_instances() -> Vec<Instance> {
    let plain = instance("dbft2", 4, 2, 10);
    let byzantine = Instance {
        faults: vec![any(FaultKind::Byzantine, 1)],
        views: 3,
        ..plain.clone()
    };
    let crashing = Instance {
        faults: vec![any(FaultKind::Crash, 1)],
        ..plain.clone()
    };
    vec![instance("dbft1", 4, 2, 10), plain, byzantine, crashing]
}

fn again(instance: &Instance, executed: &random::Executed, schedule: &Schedule) -> Replayed {
    replay(instance, &executed.faulty, schedule, &OWN).expect("good input")
}

#[test]
fn removing_any_delivery_changes_the_trace() {
    for instance in small_instances() {
        for seed in 0..6 {
            let executed = random::execution(&instance, seed);
            let whole = again(&instance, &executed, &executed.schedule);
            for row in 0..executed.schedule.choices.len() {
                if !matches!(executed.schedule.choices[row], Choice::Deliver { .. }) {
                    continue;
                }
                let mut schedule = executed.schedule.clone();
                schedule.choices.remove(row);
                let without = again(&instance, &executed, &schedule);
                assert_ne!(without.trace, whole.trace, "seed {seed}, row {}", row + 1);
            }
        }
    }
}

#[test]
fn dropping_or_shifting_any_prediction_diverges() {
    for instance in small_instances() {
        for seed in 0..6 {
            let executed = random::execution(&instance, seed);
            for row in 0..executed.schedule.predictions.len() {
                let mut dropped = executed.schedule.clone();
                dropped.predictions.remove(row);
                let verdict = again(&instance, &executed, &dropped).verdict;
                assert_eq!((verdict.divergences, verdict.impossible), (Some(1), 0));
                let mut shifted = executed.schedule.clone();
                shifted.predictions[row].slot = shifted.predictions[row].slot.next();
                let verdict = again(&instance, &executed, &shifted).verdict;
                assert_eq!((verdict.divergences, verdict.impossible), (Some(2), 0));
            }
        }
    }
}

#[test]
fn a_copy_that_was_never_sent_is_impossible_and_does_not_apply_to_other_replicas() {
    let instance = instance("dbft2", 4, 2, 8);
    let rows = vec![
        timeout(1, 0, 0),
        deliver(3, 2, 0, 1, "PrepareRequest v0 b0"),
    ];
    let says = "slot 3: replica 1 cannot receive PrepareRequest h0 v0 b0 of replica 0: \
                it was not sent in slot 2 (row 2)";
    for compare in [true, false] {
        let options = Options { compare, ..OWN };
        let verdict = play(&instance, &[], rows.clone(), &options).verdict;
        // The proposal was not predicted.
        assert_eq!(verdict.divergences, compare.then_some(1));
        assert_eq!((verdict.impossible, verdict.unapplied), (1, 0));
        assert!(verdict.notes.contains(&format!("impossible: {says}")));
    }
    let protocol = Protocol::As("dbft1".to_owned());
    let options = Options {
        protocol,
        compare: false,
        foreign: true,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let other = play(&instance, &[], rows, &options).verdict;
    assert_eq!(
        (other.divergences, other.engine.as_str()),
        (None, "dbft1-paper")
    );
    assert_eq!((other.impossible, other.unapplied), (0, 1));
    assert!(other.notes.contains(&format!("not applied: {says}")));
    // Neither can it be lost, at once or later.
    for slot in [1, 2] {
        let says = format!(
            "impossible: slot {slot}: replica 1 cannot lose Commit h0 v0 b0 of replica 0: \
             it was not sent in slot 1 (row 1)"
        );
        let rows = vec![drop_copy(slot, 1, 0, 1, "Commit v0 b0")];
        assert!(notes(&instance, rows).contains(&says));
    }
}

#[test]
fn a_timer_fires_only_where_its_replica_is() {
    let faults = vec![any(FaultKind::Crash, 1)];
    let instance = Instance {
        faults,
        ..instance("dbft2", 4, 2, 8)
    };
    let says = "impossible: slot 2: replica 1 has no timer for h0 v1, so it cannot fire (row 1)";
    assert!(
        notes(&instance, vec![timeout(2, 1, 1)])
            .iter()
            .any(|note| note == says)
    );
    let rows = vec![crash(1, 2), timeout(2, 2, 0)];
    let faulty = [(ReplicaId(2), FaultKind::Crash)];
    let replayed = play(&instance, &faulty, rows, &OWN);
    assert_eq!(
        replayed.verdict.impossible, 1,
        "a crashed replica has no timer"
    );
    let ignored = |event: &milp_schema::trace::TraceEvent| event.what == What::Ignore;
    assert!(replayed.trace.iter().any(ignored), "the row leaves a trace");
}

fn with_timers() -> Instance {
    Instance {
        timers: Timers::Protocol,
        block_time: Some(3),
        ..instance("dbft2", 4, 2, 8)
    }
}

#[test]
fn under_protocol_timers_a_row_off_the_deadline_and_a_deadline_without_row_are_impossible() {
    let notes = notes(&with_timers(), vec![timeout(2, 0, 0)]);
    let says =
        "impossible: slot 2: replica 0 fires its timer of h0 v0, which is due in slot 3 (row 1)";
    assert!(notes.iter().any(|note| note == says), "{notes:?}");
    // Both timers of the primary count from its entry into the view.
    for replica in 0..4 {
        let says = format!(
            "impossible: slot 6: replica {replica} has its timer of h0 v0 due, but no row fires it"
        );
        assert!(notes.contains(&says), "{notes:?}");
    }
}

#[test]
fn under_protocol_timers_rows_at_the_deadlines_are_possible() {
    let rows = vec![
        timeout(3, 0, 0),
        timeout(6, 0, 0),
        timeout(6, 1, 0),
        timeout(6, 2, 0),
        timeout(6, 3, 0),
    ];
    let notes = notes(&with_timers(), rows);
    assert!(
        !notes.iter().any(|note| note.contains("timer")),
        "{notes:?}"
    );
}

#[test]
fn a_primary_that_enters_a_view_by_the_protocol_timers_proposes_in_that_slot() {
    let mut rows = vec![timeout(3, 0, 0)];
    rows.extend((1..4).map(|replica| timeout(6, replica, 0)));
    rows.extend([2, 3].map(|from| deliver(7, 6, from, 1, "ChangeView v0")));
    let with_row = [rows.clone(), vec![timeout(7, 1, 1)]].concat();
    let says =
        "impossible: slot 7: replica 1 has its timer of h0 v1 due, but no row fires it".to_owned();
    assert!(notes(&with_timers(), rows).contains(&says));
    let with = notes(&with_timers(), with_row.clone());
    assert!(!with.contains(&says), "{with:?}");
    let notes = play(&with_timers(), &[], with_row, &OWN).verdict.notes;
    let proposal = "slot 7: replica 1 sent PrepareRequest h0 v1 b0, which was not predicted";
    assert!(notes.iter().any(|note| note == proposal), "{notes:?}");
}

#[test]
fn a_network_that_breaks_its_promise_is_impossible() {
    let promise = "should have received PrepareRequest h0 v0 b0 of replica 0 sent in slot 1";
    let broken = |network, rows: Vec<Choice>| {
        let instance = Instance {
            network,
            ..instance("dbft2", 4, 1, 8)
        };
        let notes = notes(&instance, rows);
        notes.iter().filter(|note| note.contains(promise)).count()
    };
    let request = |slot, to| deliver(slot, 1, 0, to, "PrepareRequest v0 b0");
    let rows = vec![timeout(1, 0, 0), request(2, 1), request(5, 2)];
    assert_eq!(broken(Network::Asynchronous, rows.clone()), 0);
    assert_eq!(
        broken(Network::Eventual, rows.clone()),
        1,
        "replica 3 never gets it"
    );
    let bounded = |gst| Network::Bounded {
        delay_min: 1,
        delay_max: 3,
        gst,
    };
    assert_eq!(
        broken(bounded(0), rows.clone()),
        2,
        "replica 2 gets it too late as well"
    );
    assert_eq!(
        broken(bounded(2), rows),
        1,
        "not too late if the bound holds from slot 2"
    );
}

#[test]
fn a_receiver_that_crashes_should_have_received_what_was_due_before() {
    let instance = Instance {
        network: Network::Bounded {
            delay_min: 1,
            delay_max: 2,
            gst: 0,
        },
        faults: vec![any(FaultKind::Crash, 1)],
        ..instance("dbft2", 4, 1, 8)
    };
    let faulty = [(ReplicaId(1), FaultKind::Crash)];
    let request = |to| deliver(2, 1, 0, to, "PrepareRequest v0 b0");
    for (crashes, impossible) in [(2, 0), (3, 0), (4, 1)] {
        let rows = vec![timeout(1, 0, 0), request(2), request(3), crash(crashes, 1)];
        let notes = play(&instance, &faulty, rows, &OWN).verdict.notes;
        let says = "impossible: slot 3: replica 1 should have received PrepareRequest h0 v0 b0 of \
                    replica 0 sent in slot 1 by now (network)";
        let found = notes.iter().filter(|note| *note == says).count();
        assert_eq!(found, impossible, "crash in slot {crashes}: {notes:?}");
    }
}

/// Whether the trace has what a row says, whatever came of it.
fn has(trace: &[milp_schema::trace::TraceEvent], choice: &Choice) -> bool {
    let whats: &[What] = match choice {
        Choice::Deliver { .. } => &[What::Deliver, What::HoldBack, What::Ignore],
        Choice::Drop { .. } => &[What::Drop],
        Choice::Timeout { .. } => &[What::Timeout],
        Choice::Inject { .. } => &[What::Inject],
        Choice::Crash { .. } => &[What::Crash],
        Choice::Restart { .. } => &[What::Restart],
    };
    let copy = match choice {
        Choice::Deliver { copy, .. } | Choice::Drop { copy, .. } | Choice::Inject { copy } => {
            Some(copy)
        }
        _ => None,
    };
    trace.iter().any(|event| {
        let times = copy.map(|copy| (copy.sent, copy.copy));
        whats.contains(&event.what)
            && (event.slot, event.replica) == (choice.slot(), choice.replica())
            && copy.is_none_or(|copy| event.message.as_ref() == Some(&copy.message))
            && event.copy == times
    })
}

#[test]
fn what_is_ahead_is_held_back_and_handed_over() {
    let mut rows: Vec<Choice> = (1..4).map(|replica| timeout(1, replica, 0)).collect();
    rows.extend([2, 3].map(|from| deliver(2, 1, from, 1, "ChangeView v0")));
    rows.push(timeout(2, 1, 1));
    rows.push(deliver(3, 2, 1, 2, "PrepareRequest v1 b0"));
    rows.extend([1, 3].map(|from| deliver(4, 1, from, 2, "ChangeView v0")));
    let replayed = play(&instance("dbft2", 4, 2, 8), &[], rows, &OWN);
    let at_two: Vec<(u32, What)> = replayed
        .trace
        .iter()
        .filter(|event| event.replica == ReplicaId(2) && event.phase == Phase::Schedule)
        .map(|event| (event.slot.0, event.what))
        .collect();
    assert_eq!(
        at_two,
        [
            (1, What::Timeout),
            (1, What::Send),
            (3, What::HoldBack),
            (4, What::Deliver),
            (4, What::Deliver),
            (4, What::EnterView),
            (4, What::HandOver),
            (4, What::Send),
        ]
    );
}

fn any_choice() -> impl Strategy<Value = Choice> {
    let kinds = [
        "PrepareRequest v0 b0",
        "PrepareResponse v0 b0",
        "Commit v0 b0",
        "ChangeView v0",
    ];
    (0..5_u8, 1..9_u32, 0..4_u32, 0..4_u32, 0..2_u32, 0..4_usize).prop_map(
        move |(act, slot, a, b, view, kind)| {
            let text = kinds[kind].replace("v0", &format!("v{view}"));
            match act {
                0 => timeout(slot, a, view),
                1 => crash(slot, 2),
                2 => common::inject(slot, 3, b, &text),
                3 => common::restart(slot, 2, view == 0),
                _ => deliver(slot + 1, slot, a, b, &text),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Arbitrary rows are replayed or refused, twice the same, and never break a replica; each one
    /// is in the trace or named as one that could not happen.
    #[test]
    fn arbitrary_rows_never_break_the_replay(mut choices in prop::collection::vec(any_choice(), 0..25)) {
        choices.sort_by_key(Choice::slot);
        let faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
        let instance = Instance { faults, ..instance("dbft2", 4, 2, 9) };
        let faulty = [(ReplicaId(2), FaultKind::Crash), (ReplicaId(3), FaultKind::Byzantine)];
        let schedule = Schedule { choices, predictions: Vec::new() };
        let options = Options { compare: false, ..OWN };
        let first = replay(&instance, &faulty, &schedule, &options);
        prop_assert_eq!(&first, &replay(&instance, &faulty, &schedule, &options));
        if let Ok(Replayed { trace, verdict }) = &first {
            for (row, choice) in schedule.choices.iter().enumerate() {
                let named = format!("(row {})", row + 1);
                let named = verdict.notes.iter().any(|note| note.ends_with(&named));
                prop_assert!(named || has(trace, choice), "row {}: {choice:?}", row + 1);
            }
        }
        let in_range = !matches!(first, Err(Error::SlotOutOfRange { .. }));
        prop_assert!(in_range, "rows are made within the horizon");
    }
}

#[test]
fn two_heights_follow_each_other() {
    let instance = Instance {
        heights: 2,
        ..instance("dbft2", 4, 2, 24)
    };
    let decided = (0..200).any(|seed| {
        let executed = random::execution(&instance, seed);
        let second = |h: &milp_schema::schedule::Event| {
            matches!(h, milp_schema::schedule::Event::Decide(block) if block.height == Height(1))
        };
        executed.schedule.predictions.iter().any(|prediction| second(&prediction.event))
    });
    assert!(
        decided,
        "some execution decides the second height within the horizon"
    );
    let verdict = play(&instance, &[], Vec::new(), &OWN).verdict;
    assert_eq!(
        verdict.notes.last().map(String::as_str),
        Some("some replica decides: replica 0 decides h0v0b0 in slot 30 of the heal phase")
    );
    let late = Choice::Timeout {
        slot: Slot(3),
        replica: ReplicaId(1),
        timer: "view",
        height: Height(1),
        view: View(0),
    };
    assert_eq!(play(&instance, &[], vec![late], &OWN).verdict.impossible, 1);
}

#[test]
fn what_comes_too_late_or_to_nobody_is_ignored() {
    let faults = vec![any(FaultKind::Crash, 1)];
    let instance = Instance {
        faults,
        ..instance("dbft2", 4, 2, 8)
    };
    let mut rows: Vec<Choice> = (0..4).map(|replica| timeout(1, replica, 0)).collect();
    rows.push(crash(2, 0));
    rows.extend([2, 3].map(|from| deliver(2, 1, from, 1, "ChangeView v0")));
    rows.push(deliver(3, 1, 0, 1, "PrepareRequest v0 b0"));
    rows.push(deliver(3, 1, 2, 0, "ChangeView v0"));
    let faulty = [(ReplicaId(0), FaultKind::Crash)];
    let replayed = play(&instance, &faulty, rows, &OWN);
    let late: Vec<(ReplicaId, What)> = replayed
        .trace
        .iter()
        .filter(|event| event.slot == Slot(3))
        .map(|event| (event.replica, event.what))
        .collect();
    assert_eq!(
        late,
        [(ReplicaId(1), What::Ignore), (ReplicaId(0), What::Ignore)]
    );
}
