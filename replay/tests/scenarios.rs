//! Published schedules: forks of dBFT 1.0, what dBFT 2.0 makes of them, its known locks, and the
//! forks of its mutants.

mod common;

use common::{OWN, any, crash, deliver, drop_copy, inject, instance, play, restart, timeout};
use milp_replay::{Options, Protocol, Recovery, Replayed, Signatures};
use milp_schema::{
    Instance, ReplicaId,
    instance::FaultKind,
    schedule::Choice,
    trace::{Phase, What, to_ndjson},
    verdict::{Holds, Liveness, Verdict},
};

const AS_DBFT2: &str = "dbft2";

/// Every row of a scenario applies: nothing diverges but the predictions that it does not have.
fn applies(replayed: &Replayed) {
    let verdict = &replayed.verdict;
    assert_eq!(verdict.impossible, 0, "{:?}", verdict.notes);
}

fn run(instance: &Instance, choices: Vec<Choice>) -> Verdict {
    let replayed = play(instance, &[], choices, &OWN);
    applies(&replayed);
    replayed.verdict
}

fn run_as(instance: &Instance, choices: Vec<Choice>, protocol: &str) -> Verdict {
    let protocol = Protocol::As(protocol.to_owned());
    let options = Options {
        protocol,
        compare: false,
        foreign: true,
        signatures: Signatures::P256,
        recovery: Recovery::Ideal,
    };
    play(instance, &[], choices, &options).verdict
}

fn mutant(name: &str) -> Instance {
    Instance {
        mutant: Some(name.to_owned()),
        ..instance("dbft2", 4, 2, 12)
    }
}

/// Everybody of `who` asks to leave view 0 in `slot`, hears the others in the next one, and the
/// primary of view 1, replica 1, proposes then.
fn change_view(slot: u32, who: [u32; 3]) -> Vec<Choice> {
    let mut rows: Vec<Choice> = who
        .iter()
        .map(|&replica| timeout(slot, replica, 0))
        .collect();
    rows.extend(to_all(slot + 1, slot, &who, &who, "ChangeView v0"));
    rows.push(timeout(slot + 1, 1, 1));
    rows
}

/// `text` of every sender to every receiver but itself.
fn to_all(slot: u32, sent: u32, from: &[u32], to: &[u32], text: &str) -> Vec<Choice> {
    let pairs = to
        .iter()
        .flat_map(|to| from.iter().map(move |from| (*from, *to)));
    pairs
        .filter(|(from, to)| from != to)
        .map(|(from, to)| deliver(slot, sent, from, to, text))
        .collect()
}

/// View 0 prepared by everybody, view 1 entered and prepared by `leavers`; `winner` alone hears a
/// quorum of preparations of view 0.
fn spork(winner: u32, heard: &[u32], leavers: [u32; 3], responders: [u32; 2]) -> Vec<Choice> {
    let mut rows = vec![timeout(1, 0, 0)];
    rows.extend(to_all(2, 1, &[0], &[1, 2, 3], "PrepareRequest v0 b0"));
    rows.extend(to_all(3, 2, heard, &[winner], "PrepareResponse v0 b0"));
    rows.extend(change_view(3, leavers));
    rows.extend(to_all(5, 4, &[1], &responders, "PrepareRequest v1 b0"));
    rows.extend(to_all(6, 5, &responders, &leavers, "PrepareResponse v1 b0"));
    rows
}

fn spork_a() -> Vec<Choice> {
    spork(0, &[1, 2], [1, 2, 3], [2, 3])
}

fn spork_b() -> Vec<Choice> {
    spork(3, &[1], [0, 1, 2], [0, 2])
}

#[test]
fn spork_a_forks_dbft1_and_leaves_dbft2_safe() {
    let instance = instance("dbft1", 4, 2, 12);
    let verdict = run(&instance, spork_a());
    assert_eq!(
        (verdict.agreement, verdict.finality),
        (Holds::Violated, Holds::Violated)
    );
    assert_eq!(
        (verdict.validity, verdict.integrity),
        (Holds::Holds, Holds::Holds)
    );
    assert!(
        verdict.notes[0]
            .contains("height 0 has h0v0b0 by replicas 0 and h0v1b0 by replicas 1, 2, 3"),
        "{:?}",
        verdict.notes
    );
    assert_eq!(verdict.engine, "dbft1-paper");

    // Replica 0 commits and is stranded until it gets the unique block of view 1.
    let verdict = run_as(&instance, spork_a(), AS_DBFT2);
    assert_eq!(
        (verdict.agreement, verdict.finality),
        (Holds::Holds, Holds::Holds)
    );
    assert_eq!(verdict.termination, Liveness::Decided);
    assert_eq!(
        (verdict.engine.as_str(), verdict.divergences),
        ("dbft2-paper", None)
    );
}

#[test]
fn spork_b_forks_dbft1_with_a_backup_cut_off_and_leaves_dbft2_safe() {
    let instance = instance("dbft1", 4, 2, 12);
    let verdict = run(&instance, spork_b());
    assert_eq!(verdict.agreement, Holds::Violated);
    assert!(
        verdict.notes[0].contains("h0v0b0 by replicas 3 and h0v1b0 by replicas 0, 1, 2"),
        "{:?}",
        verdict.notes
    );
    let verdict = run_as(&instance, spork_b(), AS_DBFT2);
    assert_eq!(
        (verdict.agreement, verdict.termination),
        (Holds::Holds, Liveness::Decided)
    );
}

/// "3 gathers the preparations and commits in view 0, so it refuses to change view; 0, 1, 2 change
/// view and produce the unique block; 3 is stranded until it fetches it."
#[test]
fn dbft2_strands_who_committed_until_it_fetches_the_block() {
    let mut rows = spork_b();
    rows.extend(to_all(7, 6, &[0, 1, 2], &[0, 1, 2], "Commit v1 b0"));
    let instance = instance("dbft2", 4, 2, 12);
    let replayed = play(&instance, &[], rows.clone(), &OWN);
    applies(&replayed);
    assert_eq!(replayed.verdict.agreement, Holds::Holds);
    assert_eq!(replayed.verdict.termination, Liveness::Decided);
    let decided = |phase, replica| {
        replayed.trace.iter().any(|event| {
            event.what == What::Decide
                && event.phase == phase
                && event.replica == ReplicaId(replica)
                && event.decided().is_some_and(|block| block.view.0 == 1)
        })
    };
    assert!((0..3).all(|replica| decided(Phase::Schedule, replica)));
    assert!(decided(Phase::Heal, 3) && !decided(Phase::Schedule, 3));
    // Even if every copy of the block is lost: what it repeats is answered with the block.
    rows.extend((0..3).map(|from| drop_copy(7, 7, from, 3, "Block v1 b0")));
    let lossy = play(&instance, &[], rows, &OWN);
    applies(&lossy);
    assert_eq!(lossy.verdict.termination, Liveness::Decided);
}

/// The lock of the TLA+ base model with four good replicas; it ends with 0 and 1 asking to leave
/// view 1, 2 committed in view 0 and 3 in view 1.
fn base_lock() -> Vec<Choice> {
    let mut rows = vec![timeout(1, 0, 0)];
    rows.extend(to_all(2, 1, &[0], &[1, 2], "PrepareRequest v0 b0"));
    rows.extend([timeout(2, 0, 0), timeout(2, 1, 0), timeout(2, 3, 0)]);
    rows.extend(to_all(3, 2, &[1], &[2], "PrepareResponse v0 b0"));
    rows.extend(to_all(3, 2, &[0, 1, 3], &[0, 1], "ChangeView v0"));
    rows.push(timeout(3, 1, 1));
    rows.extend(to_all(4, 3, &[1], &[0], "PrepareRequest v1 b0"));
    rows.extend(to_all(4, 2, &[0, 1], &[3], "ChangeView v0"));
    rows.extend([timeout(4, 0, 1), timeout(4, 1, 1)]);
    rows.extend(to_all(5, 3, &[1], &[3], "PrepareRequest v1 b0"));
    rows.extend(to_all(5, 4, &[0], &[3], "PrepareResponse v1 b0"));
    rows
}

#[test]
fn the_base_lock_is_stuck_for_ever() {
    let verdict = run(&instance("dbft2", 4, 2, 8), base_lock());
    assert_eq!(verdict.termination, Liveness::Stuck, "{:?}", verdict.notes);
    let says = "stuck: replica 0 in h0 v1 asks for v2; replica 1 in h0 v1 asks for v2; \
                replica 2 in h0 v0 has committed v0 b0; replica 3 in h0 v1 has committed v1 b0";
    assert!(
        verdict.notes.iter().any(|note| note == says),
        "{:?}",
        verdict.notes
    );
    assert!(
        verdict
            .notes
            .iter()
            .any(|note| note == "no replica decides")
    );
    assert_eq!(
        (verdict.agreement, verdict.lock),
        (Holds::Holds, Holds::Holds)
    );
    // Without the last delivery replica 3 hears the response in the heal phase only: same end.
    let mut rows = base_lock();
    rows.pop();
    let verdict = run(&instance("dbft2", 4, 2, 8), rows);
    assert_eq!(verdict.termination, Liveness::Stuck);
    // If replica 3 asks to leave view 1 before it hears of the proposal, three go on and decide.
    let mut rows = base_lock();
    rows.truncate(rows.len() - 2);
    rows.push(timeout(5, 3, 1));
    let verdict = run(&instance("dbft2", 4, 2, 8), rows);
    assert_eq!(verdict.termination, Liveness::Decided);
}

#[test]
fn one_dead_replica_locks_the_others() {
    let faults = vec![any(FaultKind::Crash, 1)];
    let instance = Instance {
        faults,
        ..instance("dbft2", 4, 2, 8)
    };
    let faulty = [(ReplicaId(0), FaultKind::Crash)];
    let mut rows = vec![timeout(1, 0, 0), crash(2, 0)];
    rows.extend(to_all(2, 1, &[0], &[1, 2], "PrepareRequest v0 b0"));
    rows.extend([timeout(2, 1, 0), timeout(2, 3, 0)]);
    rows.extend(to_all(3, 2, &[1], &[2], "PrepareResponse v0 b0"));
    let replayed = play(&instance, &faulty, rows.clone(), &OWN);
    applies(&replayed);
    assert_eq!(replayed.verdict.termination, Liveness::Stuck);
    let says = "stuck: replica 1 in h0 v0 asks for v1; replica 2 in h0 v0 has committed v0 b0; \
                replica 3 in h0 v0 asks for v1";
    assert!(replayed.verdict.notes.iter().any(|note| note == says));

    // Should it come back and ask too, three requests take the uncommitted to view 1.
    rows.extend([restart(4, 0, true), timeout(4, 0, 0)]);
    let replayed = play(&instance, &faulty, rows, &OWN);
    applies(&replayed);
    assert_eq!(
        replayed.verdict.termination,
        Liveness::Decided,
        "{:?}",
        replayed.verdict.notes
    );
}

/// Everybody prepares and commits in view 0, replica 0 decides alone, the others change view.
fn forget_the_lock() -> Vec<Choice> {
    let mut rows = vec![timeout(1, 0, 0)];
    rows.extend(to_all(2, 1, &[0], &[1, 2, 3], "PrepareRequest v0 b0"));
    rows.extend(to_all(
        3,
        2,
        &[1, 2, 3],
        &[0, 1, 2],
        "PrepareResponse v0 b0",
    ));
    rows.extend(to_all(4, 3, &[1, 2], &[0], "Commit v0 b0"));
    rows.extend(change_view(4, [1, 2, 3]));
    rows.extend(to_all(6, 5, &[1], &[2, 3], "PrepareRequest v1 b0"));
    rows.extend(to_all(7, 6, &[2, 3], &[1, 2, 3], "PrepareResponse v1 b0"));
    rows.extend(to_all(8, 7, &[1, 2, 3], &[1, 2, 3], "Commit v1 b0"));
    rows
}

#[test]
fn without_the_commit_lock_delays_fork_dbft2() {
    let verdict = run(&mutant("no-commit-lock"), forget_the_lock());
    assert_eq!(
        (verdict.agreement, verdict.finality),
        (Holds::Violated, Holds::Violated)
    );
    assert_eq!(verdict.lock, Holds::Violated);
    assert_eq!(verdict.engine, "dbft2-paper+no-commit-lock");
    let verdict = run_as(&mutant("no-commit-lock"), forget_the_lock(), AS_DBFT2);
    assert_eq!(
        (verdict.agreement, verdict.lock),
        (Holds::Holds, Holds::Holds)
    );
    assert_eq!(verdict.termination, Liveness::Decided);
}

#[test]
fn with_a_small_quorum_two_halves_fork_dbft2() {
    let mut rows = vec![timeout(1, 0, 0)];
    rows.extend(to_all(2, 1, &[0], &[2], "PrepareRequest v0 b0"));
    rows.extend([timeout(2, 1, 0), timeout(2, 3, 0)]);
    rows.extend(to_all(3, 2, &[2], &[0], "PrepareResponse v0 b0"));
    rows.extend(to_all(3, 2, &[2], &[0], "Commit v0 b0"));
    rows.extend(to_all(3, 2, &[1, 3], &[1, 3], "ChangeView v0"));
    rows.push(timeout(3, 1, 1));
    rows.extend(to_all(4, 3, &[1], &[3], "PrepareRequest v1 b0"));
    rows.extend(to_all(5, 4, &[3], &[1], "PrepareResponse v1 b0"));
    rows.extend(to_all(5, 4, &[3], &[1], "Commit v1 b0"));
    let verdict = run(&mutant("small-quorum"), rows.clone());
    assert_eq!(verdict.agreement, Holds::Violated, "{:?}", verdict.notes);
    assert_eq!(verdict.lock, Holds::Holds, "the lock is not what fails");
    let verdict = run_as(&mutant("small-quorum"), rows, AS_DBFT2);
    assert_eq!(verdict.agreement, Holds::Holds);
}

#[test]
fn an_equivocating_primary_alone_cannot_fork_dbft2_but_two_byzantine_replicas_can() {
    // Byzantine 0 and 3 show one block to 1 and another to 2.
    let split = |byzantine: &[u32]| {
        let mut rows = Vec::new();
        for (receiver, block) in [(1, "b0"), (2, "b1")] {
            for &sender in byzantine {
                let kind = if sender == 0 {
                    "PrepareRequest"
                } else {
                    "PrepareResponse"
                };
                rows.push((1, sender, receiver, format!("{kind} v0 {block}")));
                rows.push((1, sender, receiver, format!("Commit v0 {block}")));
            }
        }
        let injects = rows
            .iter()
            .map(|(slot, from, to, text)| inject(*slot, *from, *to, text));
        let delivers = rows
            .iter()
            .map(|(slot, from, to, text)| deliver(slot + 1, *slot, *from, *to, text));
        injects.chain(delivers).collect::<Vec<Choice>>()
    };
    let instance = |count| Instance {
        faults: vec![any(FaultKind::Byzantine, count)],
        beyond_budget: count > 1,
        blocks_per_proposal: 2,
        ..instance("dbft2", 4, 1, 6)
    };
    let byzantine = |who: &[u32]| -> Vec<(ReplicaId, FaultKind)> {
        who.iter()
            .map(|&id| (ReplicaId(id), FaultKind::Byzantine))
            .collect()
    };
    let one = play(&instance(1), &byzantine(&[0]), split(&[0]), &OWN);
    applies(&one);
    assert_eq!(
        (one.verdict.agreement, one.verdict.finality),
        (Holds::Holds, Holds::Holds)
    );
    let two = play(&instance(2), &byzantine(&[0, 3]), split(&[0, 3]), &OWN);
    applies(&two);
    assert_eq!(
        (two.verdict.agreement, two.verdict.finality),
        (Holds::Violated, Holds::Violated)
    );
    assert_eq!(two.verdict.validity, Holds::Holds);
}

#[test]
fn amnesia_breaks_the_lock_and_a_backup_keeps_it() {
    let faults = vec![any(FaultKind::Crash, 1)];
    let instance = Instance {
        faults,
        ..instance("dbft2", 4, 2, 8)
    };
    let faulty = [(ReplicaId(2), FaultKind::Crash)];
    for (backup, lock) in [(true, Holds::Holds), (false, Holds::Violated)] {
        let mut rows = vec![timeout(1, 0, 0)];
        rows.extend(to_all(2, 1, &[0], &[1, 2], "PrepareRequest v0 b0"));
        rows.extend(to_all(3, 2, &[1], &[2], "PrepareResponse v0 b0"));
        rows.extend([crash(4, 2), restart(5, 2, backup), timeout(6, 2, 0)]);
        let replayed = play(&instance, &faulty, rows, &OWN);
        applies(&replayed);
        assert_eq!(
            replayed.verdict.lock, lock,
            "backup {backup}: {:?}",
            replayed.verdict.notes
        );
    }
}

/// Replica 2 commits, forgets it, and is told the same again: it repeats its vote word for word,
/// which binds it to nothing new.
#[test]
fn a_vote_repeated_after_a_crash_breaks_no_lock() {
    let instance = Instance {
        faults: vec![any(FaultKind::Crash, 1)],
        ..instance("dbft2", 4, 2, 8)
    };
    let faulty = [(ReplicaId(2), FaultKind::Crash)];
    let mut rows = vec![timeout(1, 0, 0)];
    rows.extend(to_all(2, 1, &[0], &[1, 2], "PrepareRequest v0 b0"));
    rows.extend(to_all(3, 2, &[1], &[2], "PrepareResponse v0 b0"));
    rows.extend([crash(4, 2), restart(5, 2, false)]);
    let replayed = play(&instance, &faulty, rows, &OWN);
    applies(&replayed);
    let commits = replayed.trace.iter().filter(|event| {
        let sent = event.sent().map(ToString::to_string);
        event.replica == ReplicaId(2) && sent.as_deref() == Some("Commit h0 v0 b0")
    });
    assert_eq!(commits.count(), 2, "{:#?}", replayed.trace);
    let verdict = replayed.verdict;
    assert_eq!(verdict.lock, Holds::Holds, "{:?}", verdict.notes);
}

#[test]
fn a_restarted_primary_without_backup_proposes_another_block() {
    let faults = vec![any(FaultKind::Crash, 1)];
    let instance = Instance {
        faults,
        ..instance("dbft2", 4, 1, 8)
    };
    let faulty = [(ReplicaId(0), FaultKind::Crash)];
    let rows = vec![
        timeout(1, 0, 0),
        crash(2, 0),
        restart(3, 0, false),
        timeout(4, 0, 0),
    ];
    let replayed = play(&instance, &faulty, rows, &OWN);
    let proposals: Vec<String> = replayed
        .trace
        .iter()
        .filter_map(|event| event.sent().map(ToString::to_string))
        .filter(|sent| sent.starts_with("PrepareRequest h0 v0"))
        .collect();
    assert_eq!(
        proposals,
        ["PrepareRequest h0 v0 b0", "PrepareRequest h0 v0 b1"]
    );
}

#[test]
fn the_heal_phase_decides_from_scratch_and_what_was_dropped_stays_lost() {
    let instance = instance("dbft2", 4, 2, 8);
    let verdict = run(&instance, Vec::new());
    assert_eq!(
        (verdict.termination, verdict.divergences),
        (Liveness::Decided, Some(0))
    );
    // Replica 3 never hears the request again; recovery gives it what others hold.
    let rows = vec![
        timeout(1, 0, 0),
        drop_copy(1, 1, 0, 3, "PrepareRequest v0 b0"),
    ];
    let replayed = play(&instance, &[], rows, &OWN);
    applies(&replayed);
    assert_eq!(replayed.verdict.termination, Liveness::Decided);
    let got = replayed.trace.iter().any(|event| {
        event.what == What::Deliver
            && event.replica == ReplicaId(3)
            && event
                .message
                .as_ref()
                .is_some_and(|m| m.to_string() == "PrepareRequest h0 v0 b0")
    });
    assert!(!got, "lost for ever");
}

#[test]
fn the_same_replay_gives_the_same_bytes() {
    let instance = instance("dbft2", 4, 2, 8);
    let options = Options {
        signatures: Signatures::P256,
        ..OWN
    };
    let bytes = || {
        let replayed = play(&instance, &[], base_lock(), &options);
        (to_ndjson(&replayed.trace), replayed.verdict)
    };
    let (trace, verdict) = bytes();
    assert_eq!(trace.lines().next(), Some(r#"{"format":"milp-trace/2.0"}"#));
    assert_eq!(bytes(), (trace.clone(), verdict.clone()));
    assert_eq!(
        trace.lines().nth(1),
        Some(
            r#"{"slot":1,"phase":"schedule","replica":0,"what":"timeout","height":0,"view":0,"timer":"view"}"#
        )
    );
    // The mode of signatures leaves no trace.
    let symbolic = play(&instance, &[], base_lock(), &OWN);
    assert_eq!(
        (to_ndjson(&symbolic.trace), &symbolic.verdict),
        (trace.clone(), &verdict)
    );
}
