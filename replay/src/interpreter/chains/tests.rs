//! Protocols whose blocks are a chain: replicas go on after a decision, and each mutant of a shipped
//! file decides two branches in a run made by hand in which the file does not.

use super::Interpreter;
use crate::{
    Recovery, Replicas, Signatures, drive,
    engine::{self, Effect, Engine, MessageId, Start},
    input::Driven,
};
use milp_schema::{
    BlockId, Height, Instance, Message, Protocol, ReplicaId, Schedule, View,
    instance::Network,
    trace::What,
    verdict::{Holds, Liveness},
};
use std::collections::{BTreeMap, BTreeSet};

fn instance(protocol: &str, mutant: Option<&str>) -> Instance {
    Instance {
        mutant: mutant.map(str::to_owned),
        ..Instance::builder(protocol)
            .network(Network::Asynchronous)
            .build()
    }
}

fn chains() -> impl Iterator<Item = &'static str> {
    let shipped = milp_schema::protocol::shipped().iter();
    let chains = shipped.filter(|it| it.rules.chain);
    chains.map(|it| {
        let name: &str = &it.words.name;
        name
    })
}

/// Four replicas without a stage: messages are handed over one by one, without slots.
struct Run {
    replicas: Interpreter,
    protocol: Protocol,
    bad: u32,
    /// Whether what nobody said is passed over; rules may forbid it.
    lenient: bool,
    said: BTreeMap<(u32, Message), MessageId>,
    decided: BTreeMap<u32, BlockId>,
}

impl Run {
    fn of(instance: &Instance, bad: u32) -> Self {
        let mut run = Self {
            replicas: Interpreter::of(instance).expect("a file"),
            protocol: instance.protocol,
            bad,
            lenient: instance.mutant.is_none(),
            said: BTreeMap::new(),
            decided: BTreeMap::new(),
        };
        let start = Start {
            protocol: instance.protocol,
            replicas: 4,
            power: vec![1; 4],
            heights: 1,
            byzantine: vec![ReplicaId(bad)],
            block_time: 1,
            seed: 0,
            signatures: Signatures::Symbolic,
            recovery: engine::Recovery::Ideal,
        };
        let started = run.replicas.start(&start).expect("replicas start");
        run.note(started);
        let opened = run.replicas.open().expect("they do what needs nothing");
        run.note(opened);
        run
    }

    fn note(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send {
                    replica,
                    id,
                    message,
                    ..
                } => {
                    self.said.insert((replica.0, message), id);
                }
                Effect::Decide { replica, block } => {
                    let before = self.decided.insert(replica.0, block);
                    assert_eq!(before, None, "replica {replica} decides again");
                }
                _ => {}
            }
        }
    }

    /// `propose v1 v0b0 v0`: kind, view, value or `-`, justification.
    fn message(&self, text: &str) -> Message {
        let mut words = text.split(' ');
        let kind = self.protocol.the(words.next().expect("a kind"));
        let view = |word: &str| View(word[1..].parse().expect("a letter and a number"));
        Message {
            kind,
            height: Height(0),
            view: view(words.next().expect("a view")),
            value: words
                .next()
                .filter(|word| *word != "-")
                .map(|word| word.parse().expect("a value")),
            justification: words.next().map(view),
        }
    }

    /// What each of `from` said is handed to each of `to`; the Byzantine one says anything.
    fn give(&mut self, text: &str, from: &[u32], to: &[u32]) -> &mut Self {
        let message = self.message(text);
        for sender in from {
            let id = match self.said.get(&(*sender, message.clone())) {
                Some(id) => *id,
                None if *sender == self.bad => {
                    let sent = self.replicas.inject(ReplicaId(*sender), &message);
                    sent.expect("a message")
                }
                None if self.lenient => continue,
                None => panic!("{sender} never said `{text}`, but {:#?}", self.said.keys()),
            };
            let not = [*sender, self.bad];
            for receiver in to.iter().filter(|it| !not.contains(it)) {
                let effects = self.replicas.deliver(ReplicaId(*receiver), id);
                self.note(effects.expect("a delivery"));
            }
        }
        self
    }

    /// A block is proposed to those who vote for it, and their votes are handed over.
    fn certify(&mut self, block: &str, voters: &[u32], to: &[u32]) -> &mut Self {
        let leader = self.message(&format!("propose {block}")).view.0 % 4;
        self.give(&format!("propose {block}"), &[leader], voters);
        self.give(&format!("block_vote {block}"), voters, to)
    }

    fn fire(&mut self, who: &[u32]) -> &mut Self {
        let timer = self.protocol.timer();
        for id in who {
            let place = (Height(0), View(0));
            let fired = self.replicas.timeout(ReplicaId(*id), timer, place);
            self.note(fired.expect("a firing"));
        }
        self
    }
}

/// Every chain that is shipped: with everybody honest and an empty schedule all decide one branch in
/// the heal phase, and where there is something to do they go on.
#[test]
fn everybody_decides_and_goes_on() {
    let mut went_on = BTreeSet::new();
    for protocol in chains() {
        let instance = instance(protocol, None);
        let mut engine = Interpreter::of(&instance).expect("a file");
        let replicas = Replicas {
            driven: Driven::Paper,
            protocol: instance.protocol,
            quorum: crate::quorum(&instance),
        };
        let options = crate::Options {
            protocol: crate::Protocol::Own,
            compare: true,
            foreign: false,
            signatures: Signatures::Symbolic,
            recovery: Recovery::Ideal,
        };
        let schedule = Schedule {
            choices: Vec::new(),
            predictions: Vec::new(),
        };
        let engine: &mut dyn Engine = &mut engine;
        let replayed = drive(engine, replicas, &instance, &[], &schedule, &options);
        let replayed = replayed.expect("good input");
        let verdict = &replayed.verdict;
        assert_eq!(
            verdict.termination,
            Liveness::Decided,
            "{protocol}: {:?}",
            verdict.notes
        );
        assert_eq!(verdict.agreement, Holds::Holds, "{protocol}");
        assert_eq!(verdict.integrity, Holds::Holds, "{protocol}");
        let mut decided = BTreeSet::new();
        for event in &replayed.trace {
            let says = matches!(event.what, What::Send | What::EnterView);
            if says && decided.contains(&event.replica) {
                went_on.insert(protocol);
            }
            decided.extend((event.what == What::Decide).then_some(event.replica));
        }
    }
    assert!(went_on.contains("hotstuff-chained"), "{went_on:?}");
}

/// Replicas 0 to 2 build on v0b0 until replica 2 decides it; the others then follow the Byzantine one.
fn hotstuff_without_lock(run: &mut Run) {
    run.certify("v0 v0b0", &[0, 1, 2], &[0, 1, 2])
        .certify("v1 v0b0 v0", &[0, 1, 2], &[0, 1, 2])
        .certify("v2 v0b0 v1", &[0, 1, 2], &[2])
        .certify("v3 v3b0", &[0, 1, 3], &[0, 1])
        .certify("v4 v3b0 v3", &[0, 1, 3], &[0, 1])
        .certify("v5 v3b0 v4", &[0, 1, 3], &[0, 1]);
}

/// Two branches in turns; nobody hears of a certificate but by the Byzantine one.
fn hotstuff_with_gaps(run: &mut Run) {
    run.certify("v0 v0b0", &[0, 1, 2], &[]).fire(&[0, 1, 2]);
    run.give("newview v1 -", &[0, 2], &[1])
        .certify("v1 v1b0", &[0, 1, 2], &[])
        .fire(&[0, 1, 2])
        .give("newview v2 v0b0 v0", &[3], &[2])
        .give("newview v2 -", &[0], &[2])
        .certify("v2 v0b0 v0", &[0, 1, 2], &[])
        .certify("v3 v1b0 v1", &[0, 1, 2, 3], &[])
        .fire(&[0, 1, 2])
        .give("newview v4 v0b0 v2", &[3], &[0])
        .give("newview v4 -", &[1], &[0])
        .certify("v4 v0b0 v2", &[0, 1, 2], &[])
        .fire(&[0, 1, 2])
        .give("newview v5 v1b0 v3", &[3], &[1])
        .give("newview v5 -", &[2], &[1])
        .certify("v5 v1b0 v3", &[0, 1, 2], &[]);
    run.give("block_vote v2 v0b0 v0", &[0, 1, 2], &[0])
        .give("block_vote v4 v0b0 v2", &[0, 1, 2], &[0])
        .give("block_vote v3 v1b0 v1", &[0, 1, 2], &[1])
        .give("block_vote v5 v1b0 v3", &[0, 1, 2], &[1]);
}

/// Replica 2 decides v0b0; the others time out and follow the Byzantine leader onto genesis.
fn jolteon_without_comparison(run: &mut Run) {
    run.certify("v0 v0b0", &[0, 1, 2], &[0, 1, 2])
        .certify("v1 v0b0 v0", &[0, 1, 2], &[2]);
    for view in 1..3 {
        run.fire(&[0, 1]);
        run.give(&format!("round_timeout v{view} v0b0 v0"), &[0, 1], &[0, 1])
            .give(&format!("round_timeout v{view} -"), &[3], &[0, 1]);
    }
    run.certify("v3 v3b0", &[0, 1, 3], &[0, 1])
        .certify("v4 v3b0 v3", &[0, 1, 3], &[0, 1]);
}

/// Who knows the certificates of v0b0 and of v1b0, the later one, times out with the former.
fn jolteon_with_old_certificates(run: &mut Run) {
    run.certify("v0 v0b0", &[0, 1, 2], &[]).fire(&[0, 1, 2]);
    run.give("round_timeout v0 -", &[0, 1, 2], &[0, 1, 2])
        .give("block_vote v0 v0b0", &[0, 1, 2], &[0, 1])
        .certify("v1 v1b0", &[0, 1, 2], &[0, 1, 2])
        .certify("v2 v1b0 v1", &[0, 1, 2], &[2])
        .fire(&[0, 1])
        .give("round_timeout v2 v0b0 v0", &[0, 1], &[0, 1])
        .give("round_timeout v2 -", &[3], &[0, 1])
        .certify("v3 v0b0 v0", &[0, 1, 3], &[0, 1])
        .certify("v4 v0b0 v3", &[0, 1, 3], &[0, 1]);
}

/// Replica 0 votes for the dummy and promises not to.
fn simplex_with_both(run: &mut Run) {
    run.give("propose v0 v0b0", &[0], &[1, 2]).fire(&[0, 1]);
    run.give("dummy v0", &[0, 3], &[1])
        .give("block_vote v0 v0b0", &[0, 1, 2], &[0, 2])
        .give("finalize v0", &[0, 2, 3], &[2])
        .certify("v1 v1b0", &[0, 1, 3], &[0, 1])
        .give("finalize v1", &[0, 1, 3], &[0, 1]);
}

/// A Byzantine leader of view 1 builds on genesis although nobody voted for a dummy.
fn simplex_without_dummies(run: &mut Run) {
    run.certify("v0 v0b0", &[0, 2, 3], &[0, 2, 3])
        .give("finalize v0", &[0, 2, 3], &[0])
        .certify("v1 v1b0", &[0, 1, 2, 3], &[2, 3])
        .give("finalize v1", &[1, 2, 3], &[2, 3]);
}

/// Two branches in turns; leaders enter by complaints, and hear of certificates of their own branch.
fn complaints_with_gaps(run: &mut Run) {
    run.fire(&[1, 2]);
    run.give("complain v0", &[1, 2, 3], &[1])
        .give("propose v0 v0b0", &[0], &[2])
        .fire(&[0, 2])
        .give("propose v1 v1b0", &[1], &[0, 2])
        .give("block_vote v0 v0b0", &[0, 2, 3], &[0, 2])
        .give("complain v1", &[0, 2, 3], &[2])
        .give("propose v2 v0b0 v0", &[2], &[0, 1])
        .give("block_vote v1 v1b0", &[1, 2, 3], &[0, 1])
        .fire(&[0, 2])
        .give("propose v3 v1b0 v1", &[3], &[0, 1, 2])
        .give("block_vote v2 v0b0 v0", &[0, 2, 3], &[0, 2])
        .give("complain v3", &[0, 2, 3], &[0])
        .fire(&[1, 2])
        .give("propose v4 v0b0 v2", &[0], &[1, 2])
        .give("block_vote v4 v0b0 v2", &[0, 2, 3], &[2])
        .give("block_vote v3 v1b0 v1", &[0, 1, 3], &[0, 1])
        .give("complain v4", &[1, 2, 3], &[1])
        .give("propose v5 v1b0 v3", &[1], &[0])
        .give("block_vote v5 v1b0 v3", &[0, 1, 3], &[1]);
}

/// Every mutant of a chain decides two branches in a run of its own, in which its file decides one at
/// most.
#[test]
fn every_mutant_decides_two_branches() {
    let mut played = BTreeSet::new();
    for (protocol, mutant, bad, script) in [
        (
            "hotstuff-chained",
            "no-lock",
            3,
            hotstuff_without_lock as fn(&mut Run),
        ),
        ("hotstuff-chained", "gaps", 3, hotstuff_with_gaps),
        ("hotstuff-complaints", "no-lock", 3, hotstuff_without_lock),
        ("hotstuff-complaints", "gaps", 3, complaints_with_gaps),
        ("jolteon", "no-tc", 3, jolteon_without_comparison),
        ("jolteon", "any-qc", 3, jolteon_without_comparison),
        (
            "jolteon",
            "stale-timeouts",
            3,
            jolteon_with_old_certificates,
        ),
        ("simplex", "both", 3, simplex_with_both),
        ("simplex", "no-dummies", 1, simplex_without_dummies),
    ] {
        let branches = |mutant: Option<&str>| {
            let mut run = Run::of(&instance(protocol, mutant), bad);
            script(&mut run);
            run.decided.into_values().collect::<BTreeSet<BlockId>>()
        };
        assert_eq!(branches(Some(mutant)).len(), 2, "{protocol} {mutant}");
        assert!(branches(None).len() < 2, "{protocol}");
        played.insert((protocol, mutant.to_owned()));
    }
    let all = chains().flat_map(|name| {
        let rules = &milp_schema::protocol::named(name)
            .expect("it is shipped")
            .rules;
        rules
            .mutants
            .keys()
            .map(move |mutant| (name, mutant.clone()))
    });
    assert_eq!(all.collect::<BTreeSet<_>>(), played);
}

/// The new leader's word takes others along, with the complaints as its proof, before its own proposal
/// takes it on.
#[test]
fn a_new_leader_passes_on_that_a_quorum_complained() {
    let mut run = Run::of(&instance("hotstuff-complaints", None), 3);
    run.lenient = false;
    run.fire(&[1, 2]);
    run.give("complain v0", &[1, 2, 3], &[1])
        .give("nextview v1", &[1], &[2])
        .give("propose v1 v1b0", &[1], &[2])
        .give("block_vote v1 v1b0", &[1, 2], &[0]);
}
