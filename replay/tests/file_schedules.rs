//! What replicas made from protocol files do on schedules made by hand, line by line of the pages.

mod common;

use common::{OWN, any, instance};
use milp_replay::{Replayed, replay};
use milp_schema::{
    Choice, Height, Instance, Message, ReplicaId, Schedule, Slot, View,
    instance::FaultKind,
    schedule::Copy,
    trace::{Phase, What},
    verdict::{Holds, Liveness},
};

/// Rows of a schedule, slot by slot.
struct Rows {
    instance: Instance,
    slot: Slot,
    choices: Vec<Choice>,
}

impl Rows {
    fn of(protocol: &str, replicas: u32, byzantine: &[u32]) -> Self {
        let faults = [any(FaultKind::Byzantine, byzantine.len() as u32)];
        Self {
            instance: Instance {
                faults: faults.into_iter().filter(|it| it.count() > 0).collect(),
                blocks_per_proposal: 2,
                ..instance(protocol, replicas, 3, 20)
            },
            slot: Slot(1),
            choices: Vec::new(),
        }
    }

    /// Of a file that does not come with the program.
    fn of_tests(byzantine: &[u32]) -> Self {
        let folder = std::path::Path::new("tests/fixtures");
        let file = milp_schema::protocol::beside(folder, "./qbft.yaml").expect("a sound file");
        let mut rows = Self::of("tendermint", 4, byzantine);
        rows.instance.protocol = file;
        rows
    }

    fn at(&mut self, slot: u32) -> &mut Self {
        self.slot = Slot(slot);
        self
    }

    /// `propose v1 v0b0 by v0`.
    fn message(&self, text: &str) -> Message {
        let mut words = text.split(' ').filter(|word| *word != "by");
        let kind = self.instance.protocol.the(words.next().expect("a kind"));
        let view = |word: &str| View(word[1..].parse().expect("a letter and a number"));
        Message {
            kind,
            height: Height(0),
            view: view(words.next().expect("a view")),
            value: words.next().map(|word| word.parse().expect("a value")),
            justification: words.next().map(view),
        }
    }

    fn copy(&self, sent: u32, sender: u32, receiver: u32, text: &str) -> Copy {
        Copy {
            sender: ReplicaId(sender),
            receiver: ReplicaId(receiver),
            message: self.message(text),
            sent: Slot(sent),
            copy: 0,
        }
    }

    /// What each of `from` sent in slot `sent` arrives at each of `to`.
    fn get(&mut self, to: &[u32], sent: u32, from: &[u32], text: &str) -> &mut Self {
        for &receiver in to {
            for &sender in from.iter().filter(|it| **it != receiver) {
                let (slot, copy) = (self.slot, self.copy(sent, sender, receiver, text));
                self.choices.push(Choice::Deliver { slot, copy });
            }
        }
        self
    }

    fn fire(&mut self, replicas: &[u32], timer: &str, view: u32) -> &mut Self {
        let mut timers = self.instance.protocol.timers.iter();
        let timer = timers.find(|it| *it == timer).expect("a timer");
        for &replica in replicas {
            self.choices.push(Choice::Timeout {
                slot: self.slot,
                replica: ReplicaId(replica),
                timer,
                height: Height(0),
                view: View(view),
            });
        }
        self
    }

    fn inject(&mut self, by: u32, to: &[u32], text: &str) -> &mut Self {
        for &receiver in to {
            let copy = self.copy(self.slot.0, by, receiver, text);
            self.choices.push(Choice::Inject { copy });
        }
        self
    }

    fn play(&self, mutant: Option<&str>, byzantine: &[u32]) -> Replayed {
        let instance = Instance {
            mutant: mutant.map(str::to_owned),
            ..self.instance.clone()
        };
        let faulty: Vec<_> = byzantine
            .iter()
            .map(|id| (ReplicaId(*id), FaultKind::Byzantine))
            .collect();
        let schedule = Schedule {
            choices: self.choices.clone(),
            predictions: Vec::new(),
        };
        let options = milp_replay::Options {
            compare: false,
            ..OWN
        };
        replay(&instance, &faulty, &schedule, &options).expect("good input")
    }

    /// Plays it as the file is; every row applies.
    fn run(&self, byzantine: &[u32]) -> Replayed {
        let replayed = self.play(None, byzantine);
        let verdict = &replayed.verdict;
        assert_eq!(verdict.impossible, 0, "{:?}", verdict.notes);
        replayed
    }
}

/// What a replica did in the slots of the schedule: `3 prevote h0 v0 b0`.
fn did(replayed: &Replayed, replica: u32) -> Vec<String> {
    let events = replayed
        .trace
        .iter()
        .filter(|event| (event.phase, event.replica) == (Phase::Schedule, ReplicaId(replica)));
    let lines = events.filter_map(|event| {
        let slot = event.slot;
        Some(match (event.what, event.place, &event.message) {
            (What::Send, _, Some(message)) => format!("{slot} {message}"),
            (What::EnterView, Some((_, view)), _) => format!("{slot} enter v{view}"),
            (What::Decide, ..) => format!("{slot} decide {}", event.decided()?),
            _ => return None,
        })
    });
    lines.collect()
}

const ALL: [u32; 4] = [0, 1, 2, 3];

#[test]
fn tendermint_decides_in_its_first_round_without_a_timer() {
    let mut rows = Rows::of("tendermint", 4, &[]);
    rows.at(2).get(&ALL, 1, &[0], "propose v0 v0b0");
    rows.at(3).get(&ALL, 1, &[0], "prevote v0 v0b0");
    rows.get(&ALL, 2, &[1, 2, 3], "prevote v0 v0b0");
    rows.at(4).get(&ALL, 3, &ALL, "precommit v0 v0b0");
    let replayed = rows.run(&[]);
    let primary = ["1 propose h0 v0 b0", "1 prevote h0 v0 b0"];
    let both = ["3 precommit h0 v0 b0", "4 decide h0v0b0"];
    assert_eq!(did(&replayed, 0), [primary, both].concat());
    for backup in 1..4 {
        let vote = ["2 prevote h0 v0 b0"];
        assert_eq!(did(&replayed, backup), [&vote[..], &both].concat());
    }
    assert_eq!(replayed.verdict.engine, "tendermint-file");
    assert_eq!(replayed.verdict.termination, Liveness::Decided);
}

/// Lines 34, 44, 47, 57 to 67: nobody hears the proposer.
#[test]
fn tendermint_leaves_a_round_by_three_timers() {
    let mut rows = Rows::of("tendermint", 4, &[]);
    rows.fire(&[1, 2, 3], "propose", 0);
    rows.at(2).get(&[1], 1, &[0], "prevote v0 v0b0");
    rows.get(&[1], 1, &[2], "prevote v0 nil")
        .fire(&[1], "prevote", 0);
    rows.get(&[2, 3], 1, &[1, 2, 3], "prevote v0 nil");
    rows.at(3).get(&[1], 2, &[2, 3], "precommit v0 nil");
    rows.fire(&[1], "precommit", 0);
    let replayed = rows.run(&[]);
    let expected = [
        "1 prevote h0 v0 nil",
        "2 precommit h0 v0 nil",
        "3 enter v1",
        "3 propose h0 v1 b0",
        "3 prevote h0 v1 b0",
    ];
    assert_eq!(did(&replayed, 1), expected);
    // 44: two nil prevotes of others and its own, no timer.
    assert_eq!(
        did(&replayed, 2),
        ["1 prevote h0 v0 nil", "2 precommit h0 v0 nil"]
    );
}

#[test]
fn a_timer_that_no_rule_started_does_not_fire_nor_one_that_fired() {
    for (timer, fires) in [("prevote", 0), ("propose", 1)] {
        let mut rows = Rows::of("tendermint", 4, &[]);
        rows.fire(&[1], timer, 0).at(2).fire(&[1], timer, 0);
        let verdict = rows.play(None, &[]).verdict;
        assert_eq!(verdict.impossible, 2 - fires, "{:?}", verdict.notes);
        let sentence = format!("replica 1 has no timer `{timer}` for h0 v0, so it cannot fire");
        assert!(
            verdict.notes.iter().any(|it| it.contains(&sentence)),
            "{:?}",
            verdict.notes
        );
    }
}

/// Replica 3 locks v0b0 in round 0 and everybody goes on to round 1.
fn locked() -> Rows {
    let mut rows = Rows::of("tendermint", 4, &[]);
    rows.at(2).get(&[2, 3], 1, &[0], "propose v0 v0b0");
    rows.fire(&[1], "propose", 0);
    rows.at(3).get(&[3], 1, &[0], "prevote v0 v0b0");
    rows.get(&[3], 2, &[2], "prevote v0 v0b0");
    for id in [0, 1, 2] {
        rows.get(&[id], 2, &[1], "prevote v0 nil");
    }
    rows.get(&[0, 1], 2, &[2], "prevote v0 v0b0");
    rows.get(&[1, 2], 1, &[0], "prevote v0 v0b0");
    rows.fire(&[0, 1, 2], "prevote", 0);
    rows.at(4).get(&ALL, 3, &[0, 1, 2], "precommit v0 nil");
    rows.fire(&ALL, "precommit", 0);
    rows
}

/// Lines 22 to 27, 36 to 41: the lock forbids a prevote, and moves with a quorum of prevotes.
#[test]
fn tendermint_prevotes_nil_when_locked_and_locks_what_a_later_quorum_prevotes() {
    let mut rows = locked();
    rows.at(5).get(&[0, 2, 3], 4, &[1], "propose v1 v1b0");
    rows.at(6).get(&ALL, 5, &[0, 2], "prevote v1 v1b0");
    rows.get(&ALL, 4, &[1], "prevote v1 v1b0");
    rows.at(7).get(&ALL, 6, &ALL, "precommit v1 v1b0");
    let replayed = rows.run(&[]);
    let expected = [
        "2 prevote h0 v0 b0",
        "3 precommit h0 v0 b0",
        "4 enter v1",
        "5 prevote h0 v1 nil",
        "6 precommit h0 v1 b0",
        "7 decide h0v1b0",
    ];
    assert_eq!(did(&replayed, 3), expected);
    let verdict = &replayed.verdict;
    // A lock that moves is not judged.
    assert_eq!(verdict.lock, Holds::NotJudged, "{:?}", verdict.notes);
    assert_eq!(verdict.agreement, Holds::Holds);
}

/// Round 0: everybody prevotes v0b0, and only replica 1 sees a quorum of it.
fn valid() -> Rows {
    let mut rows = Rows::of("tendermint", 4, &[]);
    rows.at(2).get(&[1, 2], 1, &[0], "propose v0 v0b0");
    rows.fire(&[3], "propose", 0);
    rows.at(3).get(&[1], 1, &[0], "prevote v0 v0b0");
    rows.get(&[1], 2, &[2], "prevote v0 v0b0");
    for id in [0, 2] {
        rows.get(&[id], 2, &[3], "prevote v0 nil");
    }
    rows.get(&[0], 2, &[2], "prevote v0 v0b0");
    rows.get(&[2], 1, &[0], "prevote v0 v0b0");
    rows.fire(&[0, 2], "prevote", 0);
    rows.get(&[3], 2, &[1, 2], "prevote v0 v0b0");
    rows.fire(&[3], "prevote", 0);
    rows.at(4).get(&ALL, 3, &[0, 2, 3], "precommit v0 nil");
    rows.fire(&ALL, "precommit", 0);
    rows
}

/// Lines 14 to 19, 28 to 33: the proposal names the round of its prevotes, which must be there.
#[test]
fn tendermint_takes_an_earlier_value_once_it_has_the_proof_of_lock() {
    let mut rows = valid();
    rows.at(5).get(&[0, 2, 3], 4, &[1], "propose v1 v0b0 by v0");
    // Two prevotes of v0b0 are known to replica 2 besides that of replica 1, which comes late.
    rows.at(6).get(&[2], 2, &[1], "prevote v0 v0b0");
    rows.get(&[0], 2, &[1], "prevote v0 v0b0");
    rows.at(7).get(&ALL, 6, &[0, 2], "prevote v1 v0b0");
    rows.get(&ALL, 4, &[1], "prevote v1 v0b0");
    rows.fire(&[3], "propose", 1);
    rows.at(8)
        .get(&[0, 1, 2], 7, &[0, 1, 2], "precommit v1 v0b0");
    let replayed = rows.run(&[]);
    let round_1 = |id| {
        did(&replayed, id)
            .into_iter()
            .skip_while(|it| it != "4 enter v1")
    };
    let expected = [
        "4 enter v1",
        "4 propose h0 v1 v0b0 by v0",
        "4 prevote h0 v1 v0b0",
    ];
    assert_eq!(round_1(1).take(3).collect::<Vec<_>>(), expected);
    let expected = [
        "4 enter v1",
        "6 prevote h0 v1 v0b0",
        "7 precommit h0 v1 v0b0",
        "8 decide h0v0b0",
    ];
    assert_eq!(round_1(2).collect::<Vec<_>>(), expected);
    // Without the third prevote of round 0 the timer is left; 36 asks for no step but a prevote.
    let expected = [
        "4 enter v1",
        "7 prevote h0 v1 nil",
        "7 precommit h0 v1 v0b0",
    ];
    assert_eq!(round_1(3).collect::<Vec<_>>(), expected);
    for verdict in [&replayed.verdict.validity, &replayed.verdict.finality] {
        assert_eq!(*verdict, Holds::Holds, "{:?}", replayed.verdict.notes);
    }
    // Believing the proposer needs no prevotes.
    let believed = rows.play(Some("no-pol"), &[]);
    assert!(did(&believed, 2).contains(&"5 prevote h0 v1 v0b0".to_owned()));
}

/// Lines 23, 26, 49, 55: an invalid value gets nil at once, f + 1 of a later round are followed, and
/// a passed round decides.
#[test]
fn tendermint_refuses_what_is_bad_skips_rounds_and_decides_a_passed_one() {
    let mut rows = Rows::of("tendermint", 4, &[0]);
    rows.inject(0, &[1], "propose v0 bad");
    rows.inject(0, &[2, 3], "propose v0 v0b0");
    rows.inject(0, &[2, 3], "prevote v0 v0b0");
    rows.inject(0, &[1], "prevote v1 nil");
    rows.at(2).get(&[1], 1, &[0], "propose v0 bad");
    rows.get(&[2, 3], 1, &[0], "propose v0 v0b0");
    rows.inject(0, &[1], "precommit v2 nil");
    rows.inject(0, &[1], "propose v0 v0b0");
    rows.inject(0, &[3], "precommit v0 v0b0");
    rows.at(3).get(&[2, 3], 1, &[0], "prevote v0 v0b0");
    rows.get(&[2], 2, &[3], "prevote v0 v0b0");
    rows.get(&[3], 2, &[2], "prevote v0 v0b0");
    // One sender of later rounds is not enough, however much it says.
    rows.get(&[1], 1, &[0], "prevote v1 nil");
    rows.get(&[1], 2, &[0], "precommit v2 nil");
    rows.at(4).get(&[3], 2, &[0], "precommit v0 v0b0");
    rows.inject(0, &[1, 2], "precommit v0 nil");
    rows.at(5).get(&[2], 4, &[0], "precommit v0 nil");
    rows.get(&[2], 2, &[1], "prevote v0 nil");
    let bad = rows.run(&[0]);
    assert_eq!(did(&bad, 1), ["2 prevote h0 v0 nil"]);

    let mut rows = locked();
    // Everybody but replica 3 is in round 1 in slot 4; replica 3 is now too. A laggard hears two.
    rows.choices
        .retain(|it| it.replica() != ReplicaId(2) || it.slot() < Slot(4));
    rows.at(5).get(&[0], 4, &[1], "propose v1 v1b0");
    rows.at(6).get(&[2], 5, &[0], "prevote v1 v1b0");
    rows.at(7).get(&[2], 4, &[1], "prevote v1 v1b0");
    let skipped = rows.run(&[]);
    assert_eq!(
        did(&skipped, 2).last().map(String::as_str),
        Some("7 enter v1")
    );
}

#[test]
fn tendermint_decides_by_precommits_of_a_round_that_it_left() {
    let mut rows = Rows::of("tendermint", 4, &[]);
    rows.at(2).get(&[1, 2], 1, &[0], "propose v0 v0b0");
    rows.at(3).get(&[0, 1, 2], 1, &[0], "prevote v0 v0b0");
    rows.get(&[0, 1, 2], 2, &[1, 2], "prevote v0 v0b0");
    rows.at(4).get(&[3], 3, &[0, 1, 2], "precommit v0 v0b0");
    rows.fire(&[3], "precommit", 0);
    rows.at(5).get(&[3], 1, &[0], "propose v0 v0b0");
    let replayed = rows.run(&[]);
    assert_eq!(did(&replayed, 3), ["4 enter v1", "5 decide h0v0b0"]);
}

/// Two blocks where one guard is taken away, one where it is there.
#[test]
fn mutants_change_the_verdict() {
    for (mutant, proposal) in [
        ("no-lock", "propose v1 v1b0"),
        ("no-pol", "propose v1 v1b0 by v0"),
    ] {
        let mut rows = Rows::of("tendermint", 4, &[1]);
        rows.inject(1, &[2, 3], "precommit v0 nil");
        rows.at(2).get(&[2, 3], 1, &[0], "propose v0 v0b0");
        rows.at(3).get(&[2, 3], 1, &[0], "prevote v0 v0b0");
        rows.get(&[0, 2, 3], 2, &[2, 3], "prevote v0 v0b0");
        rows.at(4).get(&[0], 3, &[2, 3], "precommit v0 v0b0");
        rows.get(&[2, 3], 1, &[1], "precommit v0 nil");
        rows.get(&[2, 3], 3, &[2, 3], "precommit v0 v0b0");
        rows.fire(&[2, 3], "precommit", 0);
        rows.inject(1, &[2, 3], proposal);
        rows.inject(1, &[2, 3], "prevote v1 v1b0");
        rows.inject(1, &[2, 3], "precommit v1 v1b0");
        rows.at(5).get(&[2, 3], 4, &[1], proposal);
        rows.at(6).get(&[2, 3], 4, &[1], "prevote v1 v1b0");
        rows.get(&[2, 3], 5, &[2, 3], "prevote v1 v1b0");
        rows.at(7).get(&[2, 3], 4, &[1], "precommit v1 v1b0");
        rows.get(&[2, 3], 6, &[2, 3], "precommit v1 v1b0");
        let changed = rows.play(Some(mutant), &[1]).verdict;
        assert_eq!(changed.impossible, 0, "{:?}", changed.notes);
        assert_eq!(changed.agreement, Holds::Violated, "{mutant}");
        assert_eq!(changed.finality, Holds::Violated, "{mutant}");
        assert_eq!(changed.engine, format!("tendermint-file+{mutant}"));
        let as_it_is = rows.play(None, &[1]).verdict;
        assert_eq!(as_it_is.agreement, Holds::Holds, "{:?}", as_it_is.notes);
    }
}

/// Lines 4 to 16, 22 to 25: replica 1 locks v0b0 in round 0 and proposes it in round 1.
#[test]
fn ibft_proposes_its_lock_again_and_counts_a_commit_without_prepare() {
    let mut rows = Rows::of("ibft1", 4, &[]);
    rows.at(2).get(&ALL, 1, &[0], "preprepare v0 v0b0");
    rows.at(3).get(&[1], 1, &[0], "prepare v0 v0b0");
    rows.get(&[1], 2, &[2], "prepare v0 v0b0");
    rows.fire(&ALL, "round", 0);
    rows.at(4).get(&ALL, 3, &ALL, "round_change v0");
    rows.at(5).get(&ALL, 4, &[1], "preprepare v1 v0b0");
    rows.at(6).get(&ALL, 4, &[1], "recommit v1 v0b0");
    rows.get(&ALL, 5, &[0, 2, 3], "prepare v1 v0b0");
    rows.at(7).get(&ALL, 6, &[0, 2, 3], "commit v1 v0b0");
    let replayed = rows.run(&[]);
    let expected = [
        "2 prepare h0 v0 b0",
        "3 commit h0 v0 b0",
        "3 round_change h0 v0",
        "4 enter v1",
        "4 preprepare h0 v1 v0b0",
        "4 recommit h0 v1 v0b0",
        "7 sealed h0 v1 v0b0",
        "7 decide h0v0b0",
    ];
    assert_eq!(did(&replayed, 1), expected);
    let own = did(&replayed, 2);
    assert_eq!(own[3..5], ["5 prepare h0 v1 v0b0", "6 commit h0 v1 v0b0"]);
    assert_eq!(replayed.verdict.finality, Holds::Holds);
    assert_eq!(replayed.verdict.lock, Holds::NotJudged);
}

/// Lines 12 and 13: who is locked on another block asks for the next round at once.
#[test]
fn ibft_asks_for_a_round_change_when_locked_on_another_block() {
    let mut rows = Rows::of("ibft1", 4, &[]);
    rows.at(2).get(&ALL, 1, &[0], "preprepare v0 v0b0");
    rows.at(3).get(&[2], 1, &[0], "prepare v0 v0b0");
    rows.get(&[2], 2, &[3], "prepare v0 v0b0");
    rows.fire(&ALL, "round", 0);
    rows.at(4).get(&ALL, 3, &ALL, "round_change v0");
    rows.at(5).get(&ALL, 4, &[1], "preprepare v1 v1b0");
    let replayed = rows.run(&[]);
    assert_eq!(
        did(&replayed, 2).last().map(String::as_str),
        Some("5 round_change h0 v1")
    );
    assert_eq!(
        did(&replayed, 3).last().map(String::as_str),
        Some("5 prepare h0 v1 b0")
    );
}

/// 2F + 1 of 5 meet in one replica, which may be Byzantine; two thirds rounded up do not.
#[test]
fn five_replicas_of_ibft_decide_two_blocks() {
    let mut rows = Rows::of("ibft1", 5, &[0]);
    for (block, half) in [("v0b0", [1, 2]), ("v0b1", [3, 4])] {
        for kind in ["preprepare", "prepare", "commit"] {
            rows.inject(0, &half, &format!("{kind} v0 {block}"));
        }
    }
    for (slot, kind, sent) in [(2, "preprepare", 1), (3, "prepare", 2), (4, "commit", 3)] {
        rows.at(slot);
        for (block, half) in [("v0b0", [1, 2]), ("v0b1", [3, 4])] {
            let text = format!("{kind} v0 {block}");
            rows.get(&half, 1, &[0], &text);
            if slot > 2 {
                rows.get(&half, sent, &half, &text);
            }
        }
    }
    let forked = rows.run(&[0]).verdict;
    assert_eq!(forked.agreement, Holds::Violated, "{:?}", forked.notes);
    assert_eq!(forked.finality, Holds::Violated);
    let repaired = rows.play(Some("ceil-quorum"), &[0]).verdict;
    assert_eq!(repaired.agreement, Holds::Holds, "{:?}", repaired.notes);
}

/// A file that only tests know: replica 2 alone is prepared in round 0, and the proof of that travels
/// with the proposal of round 1.
#[test]
fn a_proof_travels_with_its_message() {
    let mut rows = Rows::of_tests(&[]);
    rows.at(2).get(&ALL, 1, &[0], "preprepare v0 v0b0");
    rows.at(3).get(&[1, 2], 2, &[1, 2, 3], "prepare v0 v0b0");
    rows.fire(&ALL, "round", 0);
    rows.at(4).get(&[1], 3, &[2], "round_change v1 v0b0 by v0");
    rows.get(&[1], 3, &[3], "round_change v1");
    rows.at(5).get(&[0, 3], 4, &[1], "preprepare v1 v0b0 by v0");
    let replayed = rows.run(&[]);
    let expected = [
        "2 prepare h0 v0 b0",
        "3 commit h0 v0 b0",
        "3 enter v1",
        "3 round_change h0 v1 v0b0 by v0",
        "4 preprepare h0 v1 v0b0 by v0",
        "4 prepare h0 v1 v0b0",
    ];
    assert_eq!(did(&replayed, 1), expected);
    // Neither heard a round change of another; what the leader had seen is enough.
    for backup in [0, 3] {
        let own = did(&replayed, backup);
        assert_eq!(own.last().map(String::as_str), Some("5 prepare h0 v1 v0b0"));
    }
    assert_eq!(replayed.verdict.engine, "qbft-of-tests-file");
    assert_eq!(replayed.verdict.impossible, 0);
}

/// What did not exist when a copy was sent is no part of it; the same words sent later have it.
#[test]
fn a_proof_is_what_existed_when_the_copy_was_sent() {
    let mut rows = Rows::of_tests(&[1]);
    rows.fire(&[0, 2], "round", 0);
    rows.inject(1, &[3], "preprepare v1 v1b0");
    rows.at(2).get(&[3], 1, &[1], "preprepare v1 v1b0");
    rows.fire(&[3], "round", 0)
        .inject(1, &[3], "preprepare v1 v1b0");
    let early = rows.run(&[1]);
    assert_eq!(did(&early, 3), ["2 enter v1", "2 round_change h0 v1"]);
    rows.at(3).get(&[3], 2, &[1], "preprepare v1 v1b0");
    let late = rows.run(&[1]);
    assert_eq!(
        did(&late, 3).last().map(String::as_str),
        Some("3 prepare h0 v1 b0")
    );
    // Another proposal of the round comes too late: the first one counts.
    let mut rows = Rows::of_tests(&[1]);
    rows.fire(&[0, 2, 3], "round", 0);
    rows.at(2).inject(1, &[3], "preprepare v1 v1b0 by v0");
    rows.inject(1, &[3], "preprepare v1 v1b1");
    rows.at(3).get(&[3], 2, &[1], "preprepare v1 v1b0 by v0");
    rows.get(&[3], 2, &[1], "preprepare v1 v1b1");
    let first = did(&rows.run(&[1]), 3);
    assert_eq!(first, ["1 enter v1", "1 round_change h0 v1"]);
}

/// A Byzantine replica makes what the file lets it make, and no other word.
#[test]
fn what_a_byzantine_replica_says_is_of_the_file() {
    let says = |text: &str| {
        let mut rows = Rows::of("tendermint", 4, &[0]);
        rows.inject(0, &[1], text);
        let schedule = Schedule {
            choices: rows.choices.clone(),
            predictions: Vec::new(),
        };
        let faulty = [(ReplicaId(0), FaultKind::Byzantine)];
        let replayed = replay(&rows.instance, &faulty, &schedule, &OWN);
        replayed.err().map(|error| error.to_string())
    };
    for text in [
        "propose v0 bad",
        "prevote v2 nil",
        "prevote v0 v3b1",
        "propose v1 v0b0 by v0",
    ] {
        assert_eq!(says(text), None, "{text}");
    }
    for (text, why) in [
        ("prevote v0", "it needs a value"),
        ("prevote v1 v0b0 by v0", "no view justifies it"),
        (
            "propose v1 v0b0 by v1",
            "the view that justifies it is none before its own",
        ),
    ] {
        let error = says(text).unwrap_or_else(|| panic!("{text} is taken"));
        assert!(error.ends_with(why), "{text}: {error}");
    }
}

/// Powers 40, 30, 20, 10: two replicas are a quorum of 67, three others are none.
#[test]
fn votes_count_by_voting_power() {
    let power = |rows: &mut Rows| rows.instance.power = Some(vec![40, 30, 20, 10]);
    let mut rows = Rows::of("tendermint", 4, &[]);
    power(&mut rows);
    rows.at(2).get(&[1], 1, &[0], "propose v0 v0b0");
    rows.at(3).get(&[1], 1, &[0], "prevote v0 v0b0");
    rows.get(&[0], 2, &[1], "prevote v0 v0b0");
    rows.at(4).get(&[0, 1], 3, &[0, 1], "precommit v0 v0b0");
    let two = rows.run(&[]);
    for id in [0, 1] {
        let decides = did(&two, id).last().cloned();
        assert_eq!(decides.as_deref(), Some("4 decide h0v0b0"));
    }
    let mut rows = Rows::of("tendermint", 4, &[]);
    power(&mut rows);
    rows.at(2).get(&[1, 2, 3], 1, &[0], "propose v0 v0b0");
    rows.at(3).get(&[1, 2, 3], 2, &[1, 2, 3], "prevote v0 v0b0");
    let three = rows.run(&[]);
    for id in 1..4 {
        assert_eq!(did(&three, id), ["2 prevote h0 v0 b0"]);
    }
}
