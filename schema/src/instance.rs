//! The question asked: protocol, fault budget, timing assumption, horizon and goal.

use crate::{
    ids::{Height, ReplicaId, View},
    protocol::Rules,
    vocabulary::{Mutant, Protocol},
};
use serde::{Deserialize, Serialize};

/// A validated instance; `read::instance` makes one of a file, [`Instance::builder`] in code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The protocol.
    pub protocol: Protocol,
    /// n, the number of replicas.
    pub replicas: u32,
    /// The voting power of each replica, by id; none where each has one vote.
    pub power: Option<Vec<u32>>,
    /// Who may be faulty and how; empty for none. A replica has at most one kind of fault.
    pub faults: Vec<Fault>,
    /// Whether more than f replicas may be faulty.
    pub beyond_budget: bool,
    /// Number of heights |H|.
    pub heights: u32,
    /// Number of views |V| of each height.
    pub views: u32,
    /// Number of blocks that may be proposed in a view; 2 or more lets a Byzantine primary
    /// equivocate.
    pub blocks_per_proposal: u32,
    /// The last modelled slot, the horizon; slots are 0..=slots and nothing happens in slot 0.
    pub slots: u32,
    /// What the network guarantees.
    pub network: Network,
    /// Who decides when a timer fires.
    pub timers: Timers,
    /// Block time in slots; `Some` iff timers follow the protocol.
    pub block_time: Option<u32>,
    /// How the primary of a view is chosen.
    pub primary: Primary,
    /// Whether what one honest replica took in a good view all have before the view ends.
    pub gossip: bool,
    /// What the adversary optimises.
    pub goal: Goal,
    /// Which formulation builds the program.
    pub formulation: Formulation,
    /// Optional limits on the adversary's acts.
    pub budget: Budget,
    /// Name of a deliberate weakening of the protocol, if any.
    pub mutant: Option<String>,
}

impl Instance {
    /// The votes of all replicas together: n, or the sum of their powers.
    pub fn votes(&self) -> u32 {
        self.power
            .as_ref()
            .map_or(self.replicas, |power| power.iter().sum())
    }

    /// The votes of a replica.
    pub fn power_of(&self, replica: ReplicaId) -> u32 {
        self.power
            .as_ref()
            .map_or(1, |power| power[replica.index()])
    }

    /// f = ⌊(n − 1) / 3⌋, the votes of faulty replicas that the protocol is made for.
    pub fn f(&self) -> u32 {
        (self.votes() - 1) / 3
    }

    /// The protocol's quorum; a mutant may use another one, see [`Instance::threshold`].
    pub fn quorum(&self) -> u32 {
        self.protocol.quorum.of(self.votes(), self.f())
    }

    /// The rules of the protocol, changed by the mutant, where its file has them.
    pub fn rules(&self) -> Option<Rules> {
        let rules = &self.protocol.definition()?.rules;
        match &self.mutant {
            None => Some(rules.clone()),
            Some(mutant) => rules.with(mutant),
        }
    }

    /// What the protocol's file says of the mutant, if there is one.
    pub fn weakening(&self) -> Option<&'static Mutant> {
        self.protocol.mutants.get(self.mutant.as_deref()?)
    }

    /// The quorum that replicas count to: the protocol's, or that of the mutant.
    pub fn threshold(&self) -> u32 {
        let weakened = self.weakening().and_then(|mutant| mutant.quorum);
        weakened.map_or(self.quorum(), |quorum| quorum.of(self.votes(), self.f()))
    }

    /// The primary of view v at height h, where the protocol's rotation chooses it.
    pub fn primary(&self, height: Height, view: View) -> ReplicaId {
        self.protocol.primary(self.replicas, height, view)
    }

    /// The fewest views that honest replicas lead of those from `bad` on, whoever is Byzantine.
    pub fn honest_views(&self, bad: u32) -> u32 {
        let mut led = vec![0; self.replicas as usize];
        for v in bad..self.views {
            led[self.primary(Height(0), View(v)).index()] += 1;
        }
        let may = (0..self.replicas).filter(|i| self.may_be(FaultKind::Byzantine, *i));
        let mut byzantine: Vec<u32> = may.map(|i| led[i as usize]).collect();
        byzantine.sort_unstable_by(|a, b| b.cmp(a));
        let count = self.fault_count(FaultKind::Byzantine) as usize;
        led.iter().sum::<u32>() - byzantine.iter().take(count).sum::<u32>()
    }

    /// How many replicas may have a fault of `kind`.
    pub fn fault_count(&self, kind: FaultKind) -> u32 {
        self.faults
            .iter()
            .filter(|fault| fault.kind == kind)
            .map(Fault::count)
            .sum()
    }

    /// Whether replica i may have a fault of `kind`.
    pub fn may_be(&self, kind: FaultKind, i: u32) -> bool {
        self.faults.iter().any(|fault| {
            fault.kind == kind
                && match &fault.who {
                    Who::Any(count) | Who::Power(count) => *count > 0,
                    Who::These(replicas) => replicas.iter().any(|replica| replica.0 == i),
                }
        })
    }

    /// Smallest and, if there is one, largest delay of a copy, in slots.
    pub fn delays(&self) -> (u32, Option<u32>) {
        match self.network {
            Network::Bounded {
                delay_min,
                delay_max,
                ..
            } => (delay_min, Some(delay_max)),
            Network::Asynchronous | Network::Eventual => (1, None),
        }
    }
}

/// One entry of `faults`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// How the replicas may misbehave.
    pub kind: FaultKind,
    /// Who they are.
    pub who: Who,
}

impl Fault {
    /// How many replicas this entry makes faulty at most; of a power, each having one vote at least.
    pub fn count(&self) -> u32 {
        match &self.who {
            Who::Any(count) | Who::Power(count) => *count,
            Who::These(replicas) => replicas.len() as u32,
        }
    }
}

/// Which replicas are faulty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// At most this many; the adversary chooses which.
    Any(u32),
    /// These may be, ascending and distinct.
    These(Vec<ReplicaId>),
    /// Replicas of at most this voting power together; the adversary chooses which.
    Power(u32),
}

/// How a faulty replica may misbehave.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// May crash, and copies to or from it may exceed any delay bound or be lost.
    Network,
    /// May crash; what it sent before still arrives.
    Crash,
    /// Does anything but forge another replica's signature.
    Byzantine,
}

/// What the network guarantees for copies between honest replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Network {
    /// Nothing: a copy may arrive in any later slot or not within the horizon.
    Asynchronous,
    /// Every copy sent before the last slot arrives within the horizon.
    Eventual,
    /// A copy sent in slot s arrives in s + `delay_min` ..= max(s, gst) + `delay_max`.
    Bounded {
        /// Smallest delay, at least 1.
        delay_min: u32,
        /// Largest delay after `gst`.
        delay_max: u32,
        /// Global stabilisation time: the slot from which `delay_max` holds.
        #[serde(default)]
        gst: u32,
    },
}

/// Who decides when a timer fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Timers {
    /// The adversary: any armed timer in any slot, or never.
    Free,
    /// The protocol's durations, counted in slots from `block_time`.
    Protocol,
}

/// How the primary of a view is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Primary {
    /// By the protocol's rotation.
    Rotation,
    /// By the adversary, one per view.
    Free,
}

/// What the adversary optimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Goal {
    /// Most blocks decided by honest replicas at one height.
    Fork,
    /// Most valid commit certificates that exist at one height, whoever holds them.
    Finality,
    /// Fewest heights decided in a final state.
    Stall,
    /// Latest first honest decision.
    Slow,
    /// Highest view an honest replica enters, plus one.
    Views,
    /// Fewest replicas proved guilty by what honest ones hold, where two blocks are decided.
    Blame,
    /// Most good views without a decision, after some that are not.
    Wasted {
        /// How many views come first in which anything may happen.
        bad: u32,
        /// No more good views than these are asked for.
        up_to: u32,
    },
    /// A weighted sum.
    Weighted {
        /// Direction of the optimisation.
        sense: Sense,
        /// Weight of a decided block.
        #[serde(default)]
        blocks: i64,
        /// Weight of a view entered, view 0 included.
        #[serde(default)]
        views: i64,
        /// Weight of an honest broadcast.
        #[serde(default)]
        messages: i64,
    },
}

impl Goal {
    /// The name as instances have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Finality => "finality",
            Self::Stall => "stall",
            Self::Slow => "slow",
            Self::Views => "views",
            Self::Blame => "blame",
            Self::Wasted { .. } => "wasted",
            Self::Weighted { .. } => "weighted",
        }
    }
}

/// Direction of an optimisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sense {
    /// Larger is worse for the protocol.
    Maximize,
    /// Smaller is worse for the protocol.
    Minimize,
}

/// Which formulation builds the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Formulation {
    /// The cheapest that is exact for the goal.
    Auto,
    /// One binary per event, indices and slot.
    Timed,
    /// Time-free counts.
    Counting,
    /// Time-free levels.
    Causal,
    /// No time: acts by view and rank of kind.
    Levels,
}

impl Formulation {
    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Timed => "timed",
            Self::Counting => "counting",
            Self::Causal => "causal",
            Self::Levels => "levels",
        }
    }

    /// The one of that name that a program can have.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Timed, Self::Counting, Self::Causal, Self::Levels];
        all.into_iter()
            .find(|formulation| formulation.name() == name)
    }

    /// Whether its programs have slots, so that an optimum may depend on how many.
    pub fn knows_slots(self) -> bool {
        self == Self::Timed
    }
}

/// Optional limits on the adversary's acts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Copies that arrive later than `delay_min`, or not within the horizon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<u32>,
    /// Timer firings that make an honest replica ask for a view change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<u32>,
    /// Copies that Byzantine replicas make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub injects: Option<u32>,
}
