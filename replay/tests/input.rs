//! Every kind of bad input is refused with its row; nothing runs.

mod common;

use common::{OWN, any, crash, deliver, drop_copy, inject, instance, restart, timeout};
use milp_replay::{Error, Options, Protocol, replay};
use milp_schema::{
    Instance, ReplicaId, Schedule,
    instance::{FaultKind, Primary},
    schedule::Choice,
};

const BYZANTINE: [(ReplicaId, FaultKind); 1] = [(ReplicaId(3), FaultKind::Byzantine)];
const CRASHING: [(ReplicaId, FaultKind); 1] = [(ReplicaId(2), FaultKind::Crash)];

fn allowing_one_fault() -> Instance {
    let faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
    Instance {
        faults,
        ..instance("dbft2", 4, 2, 12)
    }
}

/// The message of the error that `choices` give after one good row.
fn refusal(faulty: &[(ReplicaId, FaultKind)], choices: &[Choice]) -> String {
    let choices = [&[timeout(1, 0, 0)], choices].concat();
    let schedule = Schedule {
        choices,
        predictions: Vec::new(),
    };
    let error = replay(&allowing_one_fault(), faulty, &schedule, &OWN).expect_err("bad input");
    error.to_string()
}

#[test]
fn slots_replicas_and_journeys_that_cannot_be_are_refused_by_row() {
    let request = "PrepareRequest v0 b0";
    for (faulty, choices, says) in [
        (
            &[][..],
            vec![timeout(13, 0, 0)],
            "row 2: slot 13 is not one of 1 to 12",
        ),
        (
            &[],
            vec![timeout(0, 0, 0)],
            "row 2: slot 0 is not one of 1 to 12",
        ),
        (
            &[],
            vec![deliver(2, 0, 0, 1, request)],
            "row 2: slot 0 is not one of 1 to 12",
        ),
        (
            &[],
            vec![timeout(5, 0, 0), timeout(4, 0, 0)],
            "row 3: slot 4 comes after slot 5; rows are ascending by slot",
        ),
        (
            &[],
            vec![timeout(2, 4, 0)],
            "row 2: replica 4 does not exist: replicas are 0 to 3",
        ),
        (
            &[],
            vec![deliver(2, 1, 9, 1, request)],
            "row 2: replica 9 does not exist: replicas are 0 to 3",
        ),
        (
            &[],
            vec![deliver(2, 1, 1, 1, request)],
            "row 2: replica 1 gets a copy from itself",
        ),
        (
            &[],
            vec![deliver(1, 1, 0, 1, request)],
            "row 2: delivered in slot 1, but sent in slot 1",
        ),
        (
            &[],
            vec![drop_copy(1, 2, 0, 1, request)],
            "row 2: dropped in slot 1, but sent in slot 2",
        ),
    ] {
        assert_eq!(refusal(faulty, &choices), says);
    }
}

#[test]
fn acts_that_nobody_may_do_are_refused_by_row() {
    let request = "PrepareRequest v0 b0";
    for (faulty, choices, says) in [
        (
            &[][..],
            vec![deliver(2, 1, 0, 1, request), drop_copy(3, 1, 0, 1, request)],
            "row 3: row 2 delivers or drops the same copy already",
        ),
        (
            &[],
            vec![deliver(2, 1, 0, 1, "RecoveryMessage v0")],
            "row 2: RecoveryMessage h0 v0 belongs to the heal phase, it cannot be delivered by a row",
        ),
        (
            &[],
            vec![inject(1, 3, 0, request)],
            "row 2: replica 3 injects but is not Byzantine",
        ),
        (
            &BYZANTINE,
            vec![deliver(2, 1, 3, 0, "Commit v0 b0")],
            "row 2: no earlier row injects Commit h0 v0 b0 of Byzantine replica 3",
        ),
        (
            &BYZANTINE,
            vec![timeout(1, 3, 0)],
            "row 2: replica 3 is Byzantine: it has no timer, crash or restart",
        ),
        (
            &CRASHING,
            vec![crash(1, 1)],
            "row 2: replica 1 crashes but is neither crash- nor network-faulty",
        ),
        (
            &CRASHING,
            vec![crash(1, 2), crash(2, 2)],
            "row 3: replica 2 is down when the row applies",
        ),
        (
            &CRASHING,
            vec![restart(1, 2, true)],
            "row 2: replica 2 is up when the row applies",
        ),
    ] {
        assert_eq!(refusal(faulty, &choices), says);
    }
}

#[test]
fn a_byzantine_replica_makes_only_what_it_could_sign() {
    for (text, why) in [
        ("Block v0 b0", "certificate"),
        ("RecoveryMessage v0", "no such message"),
        ("Gossip v0", "no such message"),
        ("Commit v0", "needs a block"),
        (
            "ChangeView v0 b0",
            "it asks for the next view, and names no block",
        ),
    ] {
        let says = refusal(&BYZANTINE, &[inject(1, 3, 0, text)]);
        assert!(
            says.starts_with("row 2: a Byzantine replica cannot make"),
            "{says}"
        );
        assert!(says.contains(why), "{says}");
    }
}

#[test]
fn faulty_replicas_must_be_allowed_distinct_and_real() {
    let schedule = Schedule::default();
    let three = (ReplicaId(3), FaultKind::Byzantine);
    for (faulty, says) in [
        (vec![three, three], "replica 3 is listed as faulty twice"),
        (
            vec![(ReplicaId(4), FaultKind::Crash)],
            "faulty replica 4 does not exist: replicas are 0 to 3",
        ),
        (
            vec![three, (ReplicaId(2), FaultKind::Byzantine)],
            "2 replicas are listed as Byzantine, the instance allows 1",
        ),
        (
            vec![(ReplicaId(2), FaultKind::Network)],
            "1 replicas are listed as Network, the instance allows 0",
        ),
    ] {
        let error = replay(&allowing_one_fault(), &faulty, &schedule, &OWN).expect_err("refused");
        assert_eq!(error.to_string(), says);
    }
}

#[test]
fn unknown_protocols_mutants_and_free_primaries_have_no_replicas() {
    let good = instance("dbft2", 4, 2, 12);
    let words = include_str!("../../protocols/dbft2.yaml");
    let pbft = milp_schema::Protocol::of_text(&words.replace("name: dbft2", "name: pbft"));
    let pbft = pbft.expect("a sound vocabulary without replicas");
    let bad = |change: &dyn Fn(&mut Instance)| {
        let mut instance = good.clone();
        change(&mut instance);
        replay(&instance, &[], &Schedule::default(), &OWN).expect_err("refused")
    };
    assert!(matches!(
        bad(&|i| i.protocol = pbft),
        Error::UnknownProtocol { protocol } if protocol == "pbft"
    ));
    assert!(matches!(
        bad(&|i| i.mutant = Some("no-lock".to_owned())),
        Error::UnknownMutant { .. }
    ));
    assert!(matches!(
        bad(&|i| i.primary = Primary::Free),
        Error::FreePrimary
    ));
    let options = Options {
        protocol: Protocol::As("dbft4".to_owned()),
        ..OWN
    };
    let error = replay(&good, &[], &Schedule::default(), &options).expect_err("refused");
    assert!(matches!(error, Error::UnknownProtocol { .. }));
}
