//! Instances in code: what is not said is the plainest that there is.

use crate::{
    instance::{
        Budget, Fault, FaultKind, Formulation, Goal, Instance, Network, Primary, Timers, Who,
    },
    vocabulary::Protocol,
};

/// An instance in the making; see [`Instance::builder`].
#[derive(Debug, Clone)]
pub struct Builder(Instance);

impl Instance {
    /// The question how far one height of a protocol forks with four replicas, none of them
    /// faulty, in two views of one block each and slots 0..=12, on a network that delivers
    /// everything within the horizon, with timers that fire when the adversary likes.
    ///
    /// What is built is not judged: only `read::instance` says whether the values go together.
    ///
    /// # Panics
    /// If no protocol of that name comes with the program.
    pub fn builder(protocol: &str) -> Builder {
        Self::asking(Protocol::shipped(protocol))
    }

    /// The same of a protocol that need not come with the program.
    pub fn asking(protocol: Protocol) -> Builder {
        Builder(Self {
            protocol,
            replicas: 4,
            power: None,
            faults: Vec::new(),
            beyond_budget: false,
            heights: 1,
            views: 2,
            blocks_per_proposal: 1,
            slots: 12,
            network: Network::Eventual,
            timers: Timers::Free,
            block_time: None,
            primary: Primary::Rotation,
            gossip: false,
            goal: Goal::Fork,
            formulation: Formulation::Auto,
            budget: Budget::default(),
            mutant: None,
        })
    }
}

impl Fault {
    /// At most `count` replicas, whichever the adversary chooses, have a fault of `kind`.
    pub fn any(kind: FaultKind, count: u32) -> Self {
        let who = Who::Any(count);
        Self { kind, who }
    }
}

impl Builder {
    /// n, the number of replicas.
    pub fn replicas(mut self, replicas: u32) -> Self {
        self.0.replicas = replicas;
        self
    }

    /// The voting power of each replica, by id.
    pub fn power(mut self, power: impl IntoIterator<Item = u32>) -> Self {
        self.0.power = Some(power.into_iter().collect());
        self
    }

    /// Who may be faulty and how.
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.0.faults = faults.into_iter().collect();
        self
    }

    /// More than f replicas may be faulty.
    pub fn beyond_budget(mut self) -> Self {
        self.0.beyond_budget = true;
        self
    }

    /// Number of heights.
    pub fn heights(mut self, heights: u32) -> Self {
        self.0.heights = heights;
        self
    }

    /// Number of views of each height.
    pub fn views(mut self, views: u32) -> Self {
        self.0.views = views;
        self
    }

    /// Number of blocks that may be proposed in a view.
    pub fn blocks_per_proposal(mut self, blocks: u32) -> Self {
        self.0.blocks_per_proposal = blocks;
        self
    }

    /// The last slot.
    pub fn slots(mut self, slots: u32) -> Self {
        self.0.slots = slots;
        self
    }

    /// What the network guarantees.
    pub fn network(mut self, network: Network) -> Self {
        self.0.network = network;
        self
    }

    /// What one honest replica took in a good view all have before it ends.
    pub fn gossip(mut self) -> Self {
        self.0.gossip = true;
        self
    }

    /// What the adversary optimises.
    pub fn goal(mut self, goal: Goal) -> Self {
        self.0.goal = goal;
        self
    }

    /// Which formulation builds the program.
    pub fn formulation(mut self, formulation: Formulation) -> Self {
        self.0.formulation = formulation;
        self
    }

    /// The instance.
    pub fn build(self) -> Instance {
        self.0
    }
}
