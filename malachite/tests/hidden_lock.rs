//! Hidden locks (malachite #956): four replicas, replica 0 Byzantine, everything honest arrives at once.
//! Round by round replica 0 lets one replica alone see a quorum of prevotes, by a vote that to the others
//! is its second. What the engine adds to the paper is delivered or kept back, each alone.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

use milp_malachite::engine;
use milp_replay::{
    Recovery, Signatures,
    engine::{Effect, Engine, MessageId, Start, State},
};
use milp_schema::{Height, Message, Protocol, ReplicaId, Value, View};
use std::collections::BTreeSet;

const BYZANTINE: ReplicaId = ReplicaId(0);
const HONEST: [ReplicaId; 3] = [ReplicaId(1), ReplicaId(2), ReplicaId(3)];
/// No decision so far is none.
const ROUNDS: u32 = 40;

/// What arrives beside votes and proposals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Adds {
    /// Quorums of prevotes that go with a value that is proposed again.
    Proposed,
    /// Those that go with a precommit.
    Locked,
    /// Certificates of who enters a round.
    Entered,
    /// Everything again in each round.
    Again,
}

const ALL: [Adds; 4] = [Adds::Proposed, Adds::Locked, Adds::Entered, Adds::Again];

/// A run in the making.
struct Run {
    engine: Box<dyn Engine>,
    protocol: Protocol,
    adds: Vec<Adds>,
    view: View,
    /// What was sent and not delivered yet.
    sent: Vec<(ReplicaId, MessageId)>,
    all: Vec<(ReplicaId, MessageId)>,
    /// The prevotes of the round.
    prevotes: Vec<(ReplicaId, Value)>,
    proposed: Option<Value>,
    decided: bool,
}

impl Run {
    fn new(name: &str, adds: &[Adds]) -> Self {
        let protocol = Protocol::shipped("tendermint-malachite");
        let mut run = Self {
            engine: engine(name).unwrap(),
            protocol,
            adds: adds.to_vec(),
            view: View(0),
            sent: Vec::new(),
            all: Vec::new(),
            prevotes: Vec::new(),
            proposed: None,
            decided: false,
        };
        let start = Start {
            protocol,
            replicas: 4,
            power: vec![1; 4],
            heights: 1,
            byzantine: vec![BYZANTINE],
            block_time: 1000,
            seed: 1,
            signatures: Signatures::Symbolic,
            recovery: Recovery::Ideal,
        };
        let effects = run.engine.start(&start).unwrap();
        run.saw(effects);
        let effects = run.engine.open().unwrap();
        run.saw(effects);
        run
    }

    fn saw(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send {
                    replica,
                    id,
                    message,
                    recovery,
                    ..
                } => {
                    if recovery && !self.passes(&message) {
                        continue;
                    }
                    if message.kind == self.protocol.kind("propose").unwrap() {
                        self.proposed = message.value;
                    }
                    if message.kind == self.protocol.kind("prevote").unwrap() && !recovery {
                        self.prevotes.push((replica, message.value.unwrap()));
                    }
                    self.sent.push((replica, id));
                    self.all.push((replica, id));
                }
                Effect::Decide { .. } => self.decided = true,
                Effect::Fault { text, .. } => panic!("{text}"),
                Effect::EnterView { .. } | Effect::Timer { .. } => {}
            }
        }
    }

    /// Whether a certificate arrives: one of an earlier round's prevotes for a value goes with a
    /// proposal, one of this round's with a precommit.
    fn passes(&self, certificate: &Message) -> bool {
        let polka = certificate.value.is_some_and(|it| it != Value::Nil);
        let is = match polka {
            true if certificate.view == self.view => Adds::Locked,
            true => Adds::Proposed,
            false => Adds::Entered,
        };
        self.adds.contains(&is)
    }

    /// What was sent arrives at all, and what they then send.
    fn spread(&mut self) {
        while !self.sent.is_empty() {
            for (by, id) in std::mem::take(&mut self.sent) {
                for to in HONEST.into_iter().filter(|it| *it != by) {
                    let effects = self.engine.deliver(to, id).unwrap();
                    self.saw(effects);
                }
            }
        }
    }

    fn inject(&mut self, to: ReplicaId, kind: &str, value: Value) {
        let message = Message {
            kind: self.protocol.kind(kind).unwrap(),
            height: Height(0),
            view: self.view,
            value: Some(value),
            justification: None,
        };
        let id = self.engine.inject(BYZANTINE, &message).unwrap();
        let effects = self.engine.deliver(to, id).unwrap();
        self.saw(effects);
    }

    /// A timer fires wherever it runs.
    fn fire(&mut self, timer: &str) {
        for at in HONEST {
            if self.engine.matters(at, timer).unwrap() {
                let place = (Height(0), self.view);
                let effects = self.engine.timeout(at, timer, place).unwrap();
                self.saw(effects);
            }
        }
        self.spread();
    }

    /// One round, in which at most these see a quorum of prevotes.
    fn round(&mut self, sees: &BTreeSet<ReplicaId>) {
        let first = View(0);
        if self.view == first {
            let value = Value::Block {
                view: first,
                index: 0,
            };
            for to in [2, 3].map(ReplicaId) {
                self.inject(to, "propose", value);
            }
            self.proposed = Some(value);
        }
        self.spread();
        self.fire("propose");
        let value = self.proposed.unwrap_or(Value::Nil);
        let votes = self.prevotes.iter().filter(|it| it.1 == value).count();
        for to in HONEST {
            let shown = votes == 2 && value != Value::Nil && sees.contains(&to);
            self.inject(to, "prevote", if shown { value } else { Value::Nil });
        }
        self.spread();
        self.fire("prevote");
        for to in HONEST {
            self.inject(to, "precommit", Value::Nil);
        }
        self.spread();
        if self.adds.contains(&Adds::Again) {
            self.sent.clone_from(&self.all);
            self.spread();
        }
        (self.proposed, self.view) = (None, View(self.view.0 + 1));
        self.prevotes.clear();
        if !self.decided {
            self.fire_into_the_next();
        }
    }

    fn fire_into_the_next(&mut self) {
        let at = View(self.view.0 - 1);
        for who in HONEST {
            let effects = self.engine.timeout(who, "precommit", (Height(0), at));
            self.saw(effects.unwrap());
        }
        for who in HONEST {
            let State::Working(working) = self.engine.state(who).unwrap() else {
                panic!("{who} works");
            };
            assert_eq!(working.view, self.view, "replica {who}");
        }
    }
}

/// The round of the first decision if those see a quorum whom the adversary says.
fn decides(name: &str, adds: &[Adds], sees: impl Fn(u32) -> BTreeSet<ReplicaId>) -> Option<u32> {
    let mut run = Run::new(name, adds);
    (0..ROUNDS).find(|&round| {
        run.round(&sees(round));
        run.decided
    })
}

/// In the first round replica 3, from then on replicas 1 and 3 where they propose: of replica 3's lock
/// replica 1 does not know when it proposes a new value, and each proposes its own from then on.
fn in_turn(round: u32) -> BTreeSet<ReplicaId> {
    let who = [if round == 0 { 3 } else { round % 4 }];
    let who = who.into_iter().filter(|it| it % 2 == 1);
    who.map(ReplicaId).collect()
}

/// One lock, and replica 0 is silent from then on.
fn once(round: u32) -> BTreeSet<ReplicaId> {
    if round == 0 {
        in_turn(0)
    } else {
        BTreeSet::new()
    }
}

#[test]
fn a_hidden_lock_is_answered_by_what_malachite_adds() {
    let with =
        |adds: &[Adds], sees: fn(u32) -> BTreeSet<ReplicaId>| decides("malachite", adds, sees);
    assert_eq!(decides("malachite-driver", &[], once), None);
    assert_eq!(with(&[], once), None);
    // Each alone: what goes with a proposal ends one lock when its owner proposes, and nothing ends many.
    assert_eq!(ALL.map(|it| with(&[it], once)), [Some(3), None, None, None]);
    assert_eq!(ALL.map(|it| with(&[it], in_turn)), [None; 4]);
    // All but one: both kinds of quorums of prevotes are needed.
    let without = |one: Adds| -> Vec<Adds> { ALL.into_iter().filter(|it| *it != one).collect() };
    let found = ALL.map(|it| with(&without(it), in_turn));
    assert_eq!(found, [None, None, Some(11), Some(11)]);
}

#[test]
fn malachite_decides_a_full_turn_after_round_ten_at_the_latest() {
    // Locks up to round 8 as they are worst, then whoever is shown what.
    let mut latest = 0;
    for choice in 0..4_u32.pow(4) {
        let sees = |round: u32| match round.checked_sub(9) {
            Some(later) => {
                let who = if later < 4 {
                    choice >> (2 * later) & 3
                } else {
                    0
                };
                BTreeSet::from([ReplicaId(who)])
            }
            None => in_turn(round),
        };
        let round = decides("malachite", &ALL, sees);
        latest = latest.max(round.unwrap());
    }
    assert_eq!(latest, 13);
}
