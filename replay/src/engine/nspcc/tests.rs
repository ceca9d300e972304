//! Step tables, by line of `docs/protocols/dbft2-nspcc.md`.
//!
//! One replica `me` is honest, the other three inject what a row says. T is 3 s and q is 3, so an
//! extension by 2 is 2 s and one by 4 is 4 s.

mod cases;

use super::{Nspcc, Switches};
use crate::{
    Signatures,
    engine::{Effect, Engine, MessageId, Nanos, Recovery, Start, State, Timer, Working},
};
use cases::{COMMITTED, COMMITTING, LEAVING, NEXT_HEIGHT, PREPARING, REQUEST};
use milp_schema::{Height, Message, ReplicaId, Value, View};

const SECOND: Nanos = 1_000_000_000;

/// Four replicas of which only `honest` are not Byzantine.
fn engine(honest: &[u32], switches: Switches, recovery: Recovery) -> Nspcc {
    let mut engine = Nspcc::new(switches);
    let byzantine = ReplicaId::all(4).filter(|id| !honest.contains(&id.0));
    let start = Start {
        protocol: super::protocol(),
        replicas: 4,
        power: vec![1; 4],
        heights: 2,
        byzantine: byzantine.collect(),
        block_time: 3 * SECOND,
        seed: 0,
        signatures: Signatures::Symbolic,
        recovery,
    };
    engine.start(&start).expect("a start");
    engine
}

/// `PrepareRequest h0 v0 b0`, `ChangeView h0 v0`, as messages print.
fn message(text: &str) -> Message {
    let mut words = text.split(' ');
    let kind = super::protocol().the(words.next().expect("a kind"));
    let mut number = |letter: &str| {
        let word = words.clone().find(|word| word.starts_with(letter))?;
        words.next();
        word[letter.len()..].parse::<u32>().ok()
    };
    let height = Height(number("h").expect("a height"));
    let view = View(number("v").expect("a view"));
    let block = number("b");
    Message::new(kind, height, view, block)
}

/// `timeout`, `at SECONDS`, `crash`, `restart`, or `AUTHOR MESSAGE`.
fn step(engine: &mut Nspcc, me: u32, input: &str) -> Vec<Effect> {
    let me = ReplicaId(me);
    let answer = match input.split_once(' ') {
        None if input == "crash" => engine.crash(me),
        None if input == "restart" => engine.restart(me, false),
        None => {
            let Working { height, view, .. } = working(engine, me.0);
            engine.timeout(me, "view", (height, view))
        }
        Some(("at", seconds)) => engine.advance(seconds.parse::<Nanos>().expect("a time") * SECOND),
        Some((author, text)) => {
            let author = ReplicaId(author.parse().expect("an author"));
            let id = engine.inject(author, &message(text)).expect("a message");
            engine.deliver(me, id)
        }
    };
    answer.expect(input)
}

/// Author, view and value of every commit a replica holds.
fn commits(engine: &mut Nspcc, who: u32) -> Vec<(u32, u32, Option<Value>)> {
    let votes = working(engine, who).votes.into_iter();
    let commits = votes.filter(|vote| vote.kind.name() == "Commit");
    commits
        .map(|vote| (vote.author.0, vote.view.0, vote.value))
        .collect()
}

fn working(engine: &mut Nspcc, who: u32) -> Working {
    match engine.state(ReplicaId(who)).expect("a state") {
        State::Working(working) => *working,
        other => panic!("{who} does not work: {other:?}"),
    }
}

fn say(effects: &[Effect]) -> Vec<String> {
    let words = |effect: &Effect| match effect {
        Effect::Send {
            message, carried, ..
        } if carried.is_empty() => message.to_string(),
        Effect::Send {
            message, carried, ..
        } => {
            let carried: Vec<String> = carried
                .iter()
                .map(|(author, message)| format!("{author} {message}"))
                .collect();
            format!("{message} [{}]", carried.join(", "))
        }
        Effect::EnterView { view, .. } => format!("enter v{view}"),
        Effect::Decide { block, .. } => format!("decide {block}"),
        Effect::Timer { timers, .. } => match timers[..] {
            [Timer { deadline, .. }] => {
                assert_eq!(deadline % SECOND, 0, "tables are in seconds");
                format!("timer {}", deadline / SECOND)
            }
            _ => "no timer".to_owned(),
        },
        Effect::Fault { .. } => "fault".to_owned(),
    };
    effects.iter().map(words).collect()
}

/// What went before, one input, and what it makes happen.
struct Case {
    says: &'static str,
    me: u32,
    given: &'static [&'static str],
    input: &'static str,
    effects: &'static [&'static str],
}

fn check(cases: &[Case], switches: Switches, recovery: Recovery) {
    for case in cases {
        let mut engine = engine(&[case.me], switches, recovery);
        for input in case.given {
            step(&mut engine, case.me, input);
        }
        let effects = step(&mut engine, case.me, case.input);
        assert_eq!(say(&effects), case.effects, "{}", case.says);
    }
}

#[test]
fn preparations_by_line() {
    check(PREPARING, Switches::default(), Recovery::Ideal);
}

#[test]
fn commits_by_line() {
    check(COMMITTING, Switches::default(), Recovery::Ideal);
}

#[test]
fn change_views_by_line() {
    check(LEAVING, Switches::default(), Recovery::Ideal);
}

#[test]
fn the_next_height_by_line() {
    check(NEXT_HEIGHT, Switches::default(), Recovery::Ideal);
}

#[test]
fn without_the_commit_lock_a_committed_replica_leaves_and_commits_again() {
    let switches = Switches {
        no_commit_lock: true,
        ..Switches::default()
    };
    let cases = [
        Case {
            says: "L40",
            me: 1,
            given: &[
                REQUEST,
                "2 PrepareResponse h0 v0 b0",
                "3 PrepareResponse h0 v0 b0",
            ],
            input: "timeout",
            effects: &["ChangeView h0 v0", "timer 12"],
        },
        Case {
            says: "L24",
            me: 1,
            given: &[
                REQUEST,
                "2 PrepareResponse h0 v0 b0",
                "0 ChangeView h0 v0",
                "2 ChangeView h0 v0",
                "3 ChangeView h0 v0",
                "3 PrepareRequest h0 v1 b0",
            ],
            input: "2 PrepareResponse h0 v1 b0",
            effects: &["Commit h0 v1 b0", "timer 3"],
        },
    ];
    check(&cases, switches, Recovery::Ideal);
}

#[test]
fn with_the_small_quorum_two_preparations_are_enough() {
    let switches = Switches {
        small_quorum: true,
        ..Switches::default()
    };
    let case = Case {
        says: "L23",
        me: 1,
        given: &[],
        input: REQUEST,
        effects: &["PrepareResponse h0 v0 b0", "Commit h0 v0 b0", "timer 3"],
    };
    check(&[case], switches, Recovery::Ideal);
}

/// The last message sent.
fn sent(effects: &[Effect]) -> MessageId {
    let ids = effects.iter().rev().find_map(|effect| match effect {
        Effect::Send { id, .. } => Some(*id),
        _ => None,
    });
    ids.expect("something was sent")
}

fn deliver(engine: &mut Nspcc, to: u32, id: MessageId) -> Vec<Effect> {
    engine.deliver(ReplicaId(to), id).expect("a delivery")
}

#[test]
fn l50_a_recovery_message_makes_up_for_what_was_missed() {
    let mut engine = engine(&[1, 3], Switches::default(), Recovery::Ideal);
    for input in COMMITTED {
        step(&mut engine, 1, input);
    }
    let recovery = sent(&step(&mut engine, 1, "timeout"));
    let effects = deliver(&mut engine, 3, recovery);
    let expected = ["PrepareResponse h0 v0 b0", "Commit h0 v0 b0", "timer 3"];
    assert_eq!(say(&effects), expected);
    let view = View(0);
    let first = Some(Value::Block { view, index: 0 });
    assert_eq!(commits(&mut engine, 3), [1, 3].map(|by| (by, 0, first)));
}

#[test]
fn l51_neo_go_relabels_commits_and_drops_those_that_no_longer_fit() {
    for (recovery, label, kept) in [
        (Recovery::Ideal, "0 Commit h0 v0 b0", true),
        (Recovery::NeoGo, "0 Commit h0 v1 v0b0", false),
    ] {
        let mut engine = engine(&[1, 2], Switches::default(), recovery);
        step(&mut engine, 1, "0 Commit h0 v0 b0");
        for who in [1, 2] {
            step(&mut engine, who, "0 ChangeView h0 v0");
            step(&mut engine, who, "3 ChangeView h0 v0");
        }
        let effects = step(&mut engine, 2, "timeout");
        let effects = deliver(&mut engine, 1, sent(&effects));
        assert_eq!(say(&effects)[0], "enter v1");
        step(&mut engine, 1, "3 PrepareRequest h0 v1 b0");
        step(&mut engine, 1, "0 PrepareResponse h0 v1 b0");
        let effects = step(&mut engine, 1, "timeout");
        assert!(say(&effects)[0].contains(label), "{:?}", say(&effects));
        deliver(&mut engine, 2, sent(&effects));
        let commits = commits(&mut engine, 2);
        let old = commits.iter().any(|(author, ..)| *author == 0);
        assert_eq!(old, kept, "{recovery:?}: {commits:?}");
    }
}

/// L15, L18: the request of a primary that crashed comes back to it.
#[test]
fn a_primary_that_is_given_its_forgotten_request_answers_it_and_fails() {
    let mut engine = engine(&[1, 3], Switches::default(), Recovery::Ideal);
    for who in [1, 3] {
        step(&mut engine, who, "0 ChangeView h0 v0");
        step(&mut engine, who, "2 ChangeView h0 v0");
    }
    let asked = sent(&step(&mut engine, 1, "timeout"));
    deliver(&mut engine, 3, asked);
    let request = sent(&step(&mut engine, 3, "timeout"));
    deliver(&mut engine, 1, request);
    step(&mut engine, 3, "crash");
    step(&mut engine, 3, "restart");
    let recovery = sent(&step(&mut engine, 1, "0 ChangeView h0 v0"));
    let effects = deliver(&mut engine, 3, recovery);
    let expected = ["enter v1", "PrepareResponse h0 v1 b0", "fault", "no timer"];
    assert_eq!(say(&effects), expected);
    assert_eq!(
        engine.state(ReplicaId(3)).expect("a state"),
        State::Down(Height(0))
    );
}

#[test]
fn l14_l29_l30_one_byzantine_replica_among_four_breaks_another_with_early_commits() {
    let mut engine = engine(&[1, 2, 3], Switches::default(), Recovery::Ideal);
    let inject = |engine: &mut Nspcc, text: &str| {
        engine
            .inject(ReplicaId(0), &message(text))
            .expect("a message")
    };
    // 1 and 2 prepare, commit and decide block 1; 3 holds their commits, but no request.
    let request = inject(&mut engine, "PrepareRequest h0 v0 b1");
    let response = sent(&deliver(&mut engine, 1, request));
    let commit_of_2 = {
        deliver(&mut engine, 2, request);
        sent(&deliver(&mut engine, 2, response))
    };
    let response_of_2 = MessageId(commit_of_2.0 - 1);
    let commit_of_1 = sent(&deliver(&mut engine, 1, response_of_2));
    let own = inject(&mut engine, "Commit h0 v0 b1");
    deliver(&mut engine, 1, own);
    let effects = deliver(&mut engine, 1, commit_of_2);
    assert_eq!(say(&effects)[0], "decide h0v0b1");
    for commit in [commit_of_1, commit_of_2] {
        deliver(&mut engine, 3, commit);
    }
    // The other request needs one more commit to become a block that only one commit of three
    // signs, which the ledger refuses.
    let other = inject(&mut engine, "PrepareRequest h0 v0 b0");
    deliver(&mut engine, 3, other);
    let own = inject(&mut engine, "Commit h0 v0 b0");
    let effects = deliver(&mut engine, 3, own);
    assert_eq!(say(&effects), ["fault", "no timer"]);
}

#[test]
fn l8_what_comes_early_is_replayed_on_entry_and_recovery_is_lost() {
    let mut engine = engine(&[1], Switches::default(), Recovery::Ideal);
    for input in [
        "3 PrepareRequest h0 v1 b0",
        "0 ChangeView h0 v0",
        "2 ChangeView h0 v0",
    ] {
        assert_eq!(say(&step(&mut engine, 1, input)), [""; 0]);
    }
    let effects = step(&mut engine, 1, "3 ChangeView h0 v0");
    let expected = ["enter v1", "PrepareResponse h0 v1 b0", "timer 12"];
    assert_eq!(say(&effects), expected);
}

#[test]
fn what_cannot_be_is_refused() {
    let mut engine = engine(&[1, 2], Switches::default(), Recovery::Ideal);
    let [one, two] = [1, 2].map(ReplicaId);
    let mut refused = |text: &str, by: u32| {
        let answer = engine.inject(ReplicaId(by), &message(text));
        assert!(answer.is_err(), "{text} by {by}");
    };
    refused("PrepareRequest h0 v0 b0", 3);
    refused("Commit h0 v0 b0", 1);
    refused("Commit h2 v0 b0", 0);
    refused("RecoveryRequest h0 v0", 0);
    refused("ChangeView h0 v255", 0);
    assert!(engine.deliver(two, MessageId(1)).is_err(), "never sent");
    let effects = step(&mut engine, 1, "timeout");
    assert!(engine.deliver(one, sent(&effects)).is_err(), "its own");
    assert!(engine.restart(one, false).is_err(), "up");
    let propose = engine.timeout(one, "propose", (Height(0), View(0)));
    assert!(propose.is_err(), "no such timer");
    engine.crash(one).expect("a crash");
    assert!(engine.crash(one).is_err(), "down");
    assert!(
        engine.timeout(one, "view", (Height(0), View(0))).is_err(),
        "down"
    );
    assert!(engine.crash(ReplicaId(0)).is_err(), "Byzantine");
    assert!(engine.crash(ReplicaId(4)).is_err(), "nobody");
    engine.advance(5).expect("forward");
    assert!(engine.advance(4).is_err(), "backwards");
}
