//! What the replicas of a run share: its beginning, the clock, the messages, and what one has done in
//! its act.

use crate::types::{Address, Height, Proposal, Proposed, Rotation, Validators, Vote, view};
use arc_malachitebft_core_types::{
    NilOrVal, PolkaCertificate, Round, RoundCertificate, RoundCertificateType, SignedProposal,
    SignedVote, ThresholdParam, TimeoutKind, Validator, ValidatorSet, Validity, VoteType,
};
use milp_replay::{
    Keys,
    engine::{Effect, EngineError, MessageId, Nanos, Start},
};
use milp_schema::{
    Kind, Message, ReplicaId, Value, View,
    protocol::{Head, TimerId},
};
use std::collections::BTreeSet;

/// The names in the file of the protocol, in the order of what they are here.
const KINDS: [&str; 3] = ["propose", "prevote", "precommit"];
const TIMERS: [&str; 3] = ["propose", "prevote", "precommit"];

/// A message for the engine.
pub(crate) enum Told {
    /// A proposal, and whether the application takes its value.
    Proposal(SignedProposal<Rotation>, Validity),
    /// A vote.
    Vote(SignedVote<Rotation>),
    /// A quorum of prevotes.
    Polka(PolkaCertificate<Rotation>),
    /// What leads into a round.
    Round(RoundCertificate<Rotation>),
}

/// Votes that are passed on together.
#[derive(Clone)]
pub(crate) enum Certificate {
    /// A quorum of prevotes for a value.
    Polka(PolkaCertificate<Rotation>),
    /// What leads into a round.
    Round(RoundCertificate<Rotation>),
}

/// A message that was made.
pub(crate) struct Post {
    pub(crate) author: ReplicaId,
    pub(crate) message: Message,
    certificate: Option<Certificate>,
}

/// What the replicas of a run share.
pub(crate) struct World {
    pub(crate) rotation: Rotation,
    pub(crate) validators: Validators,
    pub(crate) heights: u32,
    /// Whether replicas may propose what needs no message.
    pub(crate) opened: bool,
    pub(crate) now: Nanos,
    block_time: Nanos,
    keys: Keys,
    kinds: [Kind; 3],
    timers: [&'static str; 3],
    /// Message number i + 1 at position i.
    posts: Vec<Post>,
    /// What a replica has done in its act.
    pub(crate) effects: Vec<Effect>,
}

impl World {
    /// # Errors
    /// A protocol that has other messages or timers.
    pub(crate) fn new(start: &Start) -> Result<Self, EngineError> {
        let protocol = start.protocol;
        let refuse = |what: &str| EngineError::Refused {
            act: format!("protocol `{protocol}`"),
            why: format!("it has no {what}"),
        };
        let kind = |name| protocol.kind(name).ok_or_else(|| refuse(name));
        let timer = |name| {
            let named = protocol.timers.iter().find(|it| *it == name);
            named.map(String::as_str).ok_or_else(|| refuse(name))
        };
        let [a, b, c] = KINDS;
        let kinds = [kind(a)?, kind(b)?, kind(c)?];
        let [a, b, c] = TIMERS;
        let timers = [timer(a)?, timer(b)?, timer(c)?];
        Ok(Self {
            rotation: Rotation {
                protocol,
                replicas: start.replicas,
            },
            validators: Validators::new(&start.power),
            heights: start.heights,
            opened: false,
            now: 0,
            block_time: start.block_time,
            keys: Keys::new(start.signatures, start.replicas),
            kinds,
            timers,
            posts: Vec::new(),
            effects: Vec::new(),
        })
    }

    pub(crate) fn proposer(&self, height: Height, round: Round) -> Address {
        let Rotation { protocol, replicas } = self.rotation;
        Address(protocol.primary(replicas, height.plain(), view(round)))
    }

    /// The timer of the protocol that a timeout of the engine is, if it is one.
    pub(crate) fn timer(&self, kind: TimeoutKind) -> Option<&'static str> {
        let [propose, prevote, precommit] = self.timers;
        match kind {
            TimeoutKind::Propose => Some(propose),
            TimeoutKind::Prevote => Some(prevote),
            TimeoutKind::Precommit => Some(precommit),
            TimeoutKind::Rebroadcast | TimeoutKind::FinalizeHeight(_) => None,
        }
    }

    /// The inverse.
    pub(crate) fn timeout(&self, timer: &str) -> Option<TimeoutKind> {
        let kinds = [
            TimeoutKind::Propose,
            TimeoutKind::Prevote,
            TimeoutKind::Precommit,
        ];
        kinds.into_iter().find(|it| self.timer(*it) == Some(timer))
    }

    /// When a timer that is started now in that view is due: durations are the embedder's to choose,
    /// and the protocol's file has them.
    pub(crate) fn deadline(&self, timer: &str, view: View) -> Nanos {
        let definition = self.rotation.protocol.definition();
        let rules = definition.map_or(&[][..], |it| &it.rules.rules);
        let place = self.rotation.protocol.timers.iter();
        let place = place.clone().position(|it| it == timer).map(TimerId);
        let lasts = rules.iter().find_map(|rule| match rule.head {
            Head::Arm { timer, lasts } if Some(timer) == place => lasts,
            _ => None,
        });
        let blocks = lasts.map_or(1, |lasts| lasts.of(view));
        let lasts = self.block_time.saturating_mul(blocks);
        self.now.saturating_add(lasts)
    }

    /// A message is there from now on.
    pub(crate) fn post(&mut self, author: ReplicaId, message: Message) -> MessageId {
        self.certified(author, message, None)
    }

    fn certified(
        &mut self,
        author: ReplicaId,
        message: Message,
        certificate: Option<Certificate>,
    ) -> MessageId {
        self.posts.push(Post {
            author,
            message,
            certificate,
        });
        MessageId(self.posts.len() as u64)
    }

    /// The message of that number.
    pub(crate) fn posted(&self, id: MessageId) -> Option<&Post> {
        let place = usize::try_from(id.0).ok()?.checked_sub(1)?;
        self.posts.get(place)
    }

    /// What was posted as the engine has it.
    pub(crate) fn told_of(&self, post: &Post) -> Option<Told> {
        match &post.certificate {
            Some(Certificate::Polka(it)) => Some(Told::Polka(it.clone())),
            Some(Certificate::Round(it)) => Some(Told::Round(it.clone())),
            None => self.told(post.author, &post.message),
        }
    }

    pub(crate) fn seal(&self, author: Address, message: &Message) -> Vec<u8> {
        self.keys.seal(author.0, message)
    }

    pub(crate) fn is_sealed(&self, author: Address, message: &Message, seal: &[u8]) -> bool {
        self.keys.is_sealed(author.0, message, seal)
    }

    /// Whether votes are by whom they say, of enough power, nobody counting twice.
    pub(crate) fn carries(&self, votes: &[SignedVote<Rotation>], least: ThresholdParam) -> bool {
        let sealed =
            |it: &SignedVote<Rotation>| self.is_sealed(it.by, &self.of_vote(it), &it.signature);
        let by: BTreeSet<Address> = votes.iter().map(|it| it.by).collect();
        let power = by
            .iter()
            .filter_map(|it| self.validators.get_by_address(it));
        let power = power.map(Validator::voting_power).sum();
        let total = self.validators.total_voting_power();
        votes.iter().all(sealed) && by.len() == votes.len() && least.is_met(power, total)
    }

    /// A message as the engine has it; none if it is no message of the protocol, or its author may not
    /// make it.
    pub(crate) fn told(&self, author: ReplicaId, message: &Message) -> Option<Told> {
        let by = Address(author);
        let seal = self.seal(by, message);
        let (height, round) = (Height::of(message.height), Round::new(message.view.0));
        let [propose, prevote, _] = self.kinds;
        if message.kind == propose {
            let validity = match message.value? {
                Value::Block { .. } => Validity::Valid,
                Value::Bad => Validity::Invalid,
                Value::Nil => return None,
            };
            let earlier = message.justification.is_none_or(|it| it < message.view);
            let proposal = Proposal {
                height,
                round,
                value: Proposed(message.value?),
                pol_round: Round::from(message.justification.map(|it| it.0)),
                by,
            };
            let proposes = earlier && self.proposer(height, round) == by;
            return proposes.then(|| Told::Proposal(SignedProposal::new(proposal, seal), validity));
        }
        let kind = if message.kind == prevote {
            VoteType::Prevote
        } else {
            VoteType::Precommit
        };
        let value = match message.value? {
            Value::Nil => NilOrVal::Nil,
            value => NilOrVal::Val(value),
        };
        let vote = Vote {
            kind,
            height,
            round,
            value,
            by,
        };
        Some(Told::Vote(SignedVote::new(vote, seal)))
    }

    /// A proposal of the engine as a message.
    pub(crate) fn of_proposal(&self, proposal: &Proposal) -> Message {
        Message {
            kind: self.kinds[0],
            height: proposal.height.plain(),
            view: view(proposal.round),
            value: Some(proposal.value.0),
            justification: proposal.pol_round.as_u32().map(View),
        }
    }

    /// A vote of the engine as a message.
    pub(crate) fn of_vote(&self, vote: &Vote) -> Message {
        let [_, prevote, precommit] = self.kinds;
        Message {
            kind: match vote.kind {
                VoteType::Prevote => prevote,
                VoteType::Precommit => precommit,
            },
            height: vote.height.plain(),
            view: view(vote.round),
            value: Some(match vote.value {
                NilOrVal::Nil => Value::Nil,
                NilOrVal::Val(value) => value,
            }),
            justification: None,
        }
    }

    /// The kind of the vote that binds.
    pub(crate) fn binds(&self) -> Kind {
        self.kinds[2]
    }

    /// A replica publishes a certificate: a vote with the view that justifies it, which no vote is.
    pub(crate) fn certify(&mut self, replica: ReplicaId, certificate: Certificate) {
        let [_, prevote, precommit] = self.kinds;
        let (kind, height, round, value) = match &certificate {
            Certificate::Polka(it) => (prevote, it.height, it.round, it.value_id),
            Certificate::Round(it) => match it.cert_type {
                RoundCertificateType::Precommit => (precommit, it.height, it.round, Value::Nil),
                RoundCertificateType::Skip => (prevote, it.height, it.round, Value::Nil),
            },
        };
        let message = Message {
            kind,
            height: height.plain(),
            view: view(round),
            value: Some(value),
            justification: Some(view(round)),
        };
        let id = self.certified(replica, message.clone(), Some(certificate));
        self.effects.push(Effect::Send {
            replica,
            id,
            message,
            carried: Vec::new(),
            recovery: true,
        });
    }

    /// A replica sends a message.
    pub(crate) fn send(&mut self, replica: ReplicaId, message: Message) {
        let id = self.post(replica, message.clone());
        self.effects.push(Effect::Send {
            replica,
            id,
            message,
            carried: Vec::new(),
            recovery: false,
        });
    }
}
