//! Our own replicas of protocol `dbft2-nspcc` and the production engine cannot be told apart.
//!
//! The engine runs behind its adapter, which `scripts/engines.sh` builds; without it these tests
//! fail.

use milp_replay::{
    Signatures,
    engine::{
        ANSWER_LIMIT, Effect, Engine, EngineError, MessageId, Recovery, Sidecar, Start, find,
        fuzz::{Act, Named, Outcome, Script, Settings, Sides, fuzz, replay},
        nspcc::{self, Defect, Nspcc, Switches},
    },
};
use milp_schema::{BlockId, Height, Message, Protocol, ReplicaId, View, vocabulary::Names};

fn twin() -> Nspcc {
    Nspcc::new(Switches::default())
}

fn engine() -> Result<Box<dyn Engine>, EngineError> {
    let command = find("nspcc-dbft")?;
    Ok(Box::new(Sidecar::open(&command, ANSWER_LIMIT)?))
}

fn compare(own: &Nspcc, settings: &Settings) -> Outcome {
    let own = || -> Result<Box<dyn Engine>, EngineError> { Ok(Box::new(own.clone())) };
    fuzz(&own, &engine, settings, &mut || false, &mut |_| {}).expect("the adapter works")
}

#[test]
fn random_schedules_do_not_tell_twin_and_engine_apart() {
    let steps = 100_000;
    let report = match compare(&twin(), &Settings::new(20, Some(steps))) {
        Outcome::Same(report) => report,
        Outcome::Differ(report, found) => panic!("after\n{report}\n{found}"),
    };
    assert_eq!(report.steps, steps);
    for what in [
        "Commit sent, a lock formed",
        "RecoveryRequest sent",
        "crash",
        "decision above view 0",
        "engine failed",
        "message injected",
        "recovery message delivered",
        "view above 1 entered",
    ] {
        let count = report.happened.get(what).copied().unwrap_or(0);
        assert!(count >= 5, "{what}: {count} times in\n{report}");
    }
}

#[test]
fn with_real_signatures_neither() {
    let settings = Settings {
        signatures: Signatures::P256,
        ..Settings::new(21, Some(4_000))
    };
    if let Outcome::Differ(report, found) = compare(&twin(), &settings) {
        panic!("after\n{report}\n{found}");
    }
}

#[test]
fn a_twin_with_a_defect_is_told_apart_from_the_engine() {
    for defect in [
        Defect::EarlyCommitsChecked,
        Defect::RecoveringIsForgotten,
        Defect::ResponseTakenWhileLeaving,
        Defect::TimerNotShortened,
    ] {
        let own = twin().with_defect(defect);
        let outcome = compare(&own, &Settings::new(22, Some(40_000)));
        assert!(matches!(outcome, Outcome::Differ(..)), "{}", defect.name());
    }
}

/// What replica 0, the Byzantine primary, does to the other three in
/// [`early_commits_for_another_block_break_twin_and_engine_alike`].
struct Attack<'a> {
    engine: &'a mut dyn Engine,
    decided: Vec<(ReplicaId, BlockId)>,
    failed: Vec<ReplicaId>,
}

impl Attack<'_> {
    fn inject(&mut self, kind: &str, block: u32) -> MessageId {
        let kind = Protocol::shipped("dbft2-nspcc").the(kind);
        let message = Message::new(kind, Height(0), View(0), Some(block));
        let made = self.engine.inject(ReplicaId(0), &message);
        made.expect("a Byzantine primary says what it likes")
    }

    /// Hands the message over and gives what was sent in answer.
    fn deliver(&mut self, to: u32, id: MessageId) -> Vec<MessageId> {
        let effects = self.engine.deliver(ReplicaId(to), id).expect("a delivery");
        let mut sent = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { id, .. } => sent.push(id),
                Effect::Decide { replica, block } => self.decided.push((replica, block)),
                Effect::Fault { replica, .. } => self.failed.push(replica),
                _ => {}
            }
        }
        sent
    }

    fn run(&mut self) {
        let start = Start {
            protocol: nspcc::protocol(),
            replicas: 4,
            power: vec![1; 4],
            heights: 1,
            byzantine: vec![ReplicaId(0)],
            block_time: 1_000_000_000,
            seed: 0,
            signatures: Signatures::P256,
            recovery: Recovery::Ideal,
        };
        self.engine.start(&start).expect("a start");
        // 1 and 2 prepare and commit block 1 with the primary, and 1 decides it.
        let request = self.inject("PrepareRequest", 1);
        let response_of_1 = self.deliver(1, request)[0];
        let response_of_2 = self.deliver(2, request)[0];
        let commit_of_1 = self.deliver(1, response_of_2)[0];
        let commit_of_2 = self.deliver(2, response_of_1)[0];
        let commit = self.inject("Commit", 1);
        self.deliver(1, commit);
        self.deliver(1, commit_of_2);
        // 3 knows of no request when it is handed their commits; then it gets another request,
        // and one commit for that block, which makes three commits.
        self.deliver(3, commit_of_1);
        self.deliver(3, commit_of_2);
        let request = self.inject("PrepareRequest", 0);
        self.deliver(3, request);
        let commit = self.inject("Commit", 0);
        self.deliver(3, commit);
    }
}

/// Lines 14, 29 and 30 of the protocol page, with real signatures: the engine counts commits that
/// it never compared with the request, and hands over a block that no quorum signs.
#[test]
fn early_commits_for_another_block_break_twin_and_engine_alike() {
    let mut go = engine().expect("the adapter is built");
    let block = BlockId {
        height: Height(0),
        view: View(0),
        index: 1,
    };
    for engine in [&mut twin() as &mut dyn Engine, go.as_mut()] {
        let mut attack = Attack {
            engine,
            decided: Vec::new(),
            failed: Vec::new(),
        };
        attack.run();
        let Attack {
            engine,
            decided,
            failed,
        } = attack;
        assert_eq!(decided, [(ReplicaId(1), block)], "{}", engine.name());
        assert_eq!(failed, [ReplicaId(3)], "{}", engine.name());
    }
}

/// Of a kind and view at height 0, about block 0.
fn label(kind: &str, view: u32) -> Message {
    let kind = Protocol::shipped("dbft2-nspcc").the(kind);
    let names_a_block = kind.does().names == Names::Value;
    Message::new(kind, Height(0), View(view), names_a_block.then_some(0))
}

/// Line 15: a primary that crashed is given its own request after a response to it. The response
/// it then makes takes the request's slot, and nothing fails yet.
#[test]
fn a_primary_that_answers_its_forgotten_request_is_the_same_on_both() {
    let leave = || label("ChangeView", 0);
    let deliver = |to: u32, author: u32, message: Message| Act::Deliver {
        to: ReplicaId(to),
        named: Named {
            author: ReplicaId(author),
            message,
            nth: 0,
        },
    };
    let timeout = |at: u32, view: u32| Act::Timeout {
        at: ReplicaId(at),
        height: Height(0),
        view: View(view),
    };
    let inject = |by: u32| Act::Inject {
        by: ReplicaId(by),
        message: leave(),
    };
    let acts = vec![
        inject(0),
        inject(2),
        deliver(1, 0, leave()),
        deliver(1, 2, leave()),
        timeout(1, 0),
        deliver(3, 0, leave()),
        deliver(3, 2, leave()),
        deliver(3, 1, leave()),
        timeout(3, 1),
        deliver(1, 3, label("PrepareRequest", 1)),
        Act::Crash(ReplicaId(3)),
        Act::Restart(ReplicaId(3)),
        deliver(3, 0, leave()),
        deliver(3, 2, leave()),
        deliver(3, 1, leave()),
        deliver(3, 1, label("PrepareResponse", 1)),
        // A change view to a passed view asks replica 1 to repeat what it holds.
        deliver(1, 0, leave()),
        deliver(3, 1, label("RecoveryMessage", 1)),
    ];
    let start = Start {
        protocol: nspcc::protocol(),
        replicas: 4,
        power: vec![1; 4],
        heights: 1,
        byzantine: vec![ReplicaId(0), ReplicaId(2)],
        block_time: 1_000_000_000,
        seed: 0,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let own = || -> Result<Box<dyn Engine>, EngineError> { Ok(Box::new(twin())) };
    let sides = Sides {
        makes: &[&own, &engine],
        against: None,
    };
    let script = Script { start, acts };
    let found = replay(sides, &script).expect("the adapter works");
    assert_eq!(found, None);
    // Nothing was skipped: the last act does what the line says.
    let mut broken = script;
    broken.acts.push(timeout(3, 1));
    let found = replay(sides, &broken).expect("the adapter works");
    assert_eq!(found, None);
}
