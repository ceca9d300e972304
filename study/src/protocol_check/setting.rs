//! The questions that are asked of a protocol, and the time for each.

use crate::{Error, clock::Clock};
use milp_model::formulation::levels::{self, Built};
use milp_schema::{
    Instance, Protocol, ReplicaId, Schedule,
    instance::{Fault, FaultKind, Formulation, Goal, Network, Sense},
    protocol::Rules,
};
use milp_solver::{Limits, Settings, Voice, aside};
use std::sync::atomic::AtomicBool;

/// Where both readings of a file differ, or a row cuts an execution.
#[derive(Debug, Clone)]
pub struct Difference {
    /// What differs.
    pub what: String,
    /// The question in which it does.
    pub instance: Instance,
    /// Who is faulty.
    pub faulty: Vec<(ReplicaId, FaultKind)>,
    /// The shortest schedule that was found for it, with what the program predicts.
    pub schedule: Schedule,
}

/// A share of the time.
#[derive(Debug, Clone, Copy)]
pub struct Until<'a> {
    pub(super) clock: Clock<'a>,
    end: f64,
}

impl<'a> Until<'a> {
    /// So many seconds from now, unless somebody interrupts.
    pub fn within(seconds: f64, interrupt: &'a AtomicBool) -> Self {
        let clock = Clock::start(&settings(seconds), interrupt);
        Self {
            clock,
            end: seconds,
        }
    }

    /// A part of what is left.
    pub(super) fn part(self, share: f64) -> Self {
        let end = self.clock.spent() + share * self.left();
        Self { end, ..self }
    }

    /// What does not look at the time itself; nothing if it takes longer than so many seconds.
    pub(super) fn aside<T: Send + 'static>(
        &self,
        most: f64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let limits = Limits {
            interrupt: self.clock.interrupt,
            seconds: most.min(self.left()),
        };
        let done = aside(limits, |_: &Voice<()>| work(), &mut |()| ());
        done.map_err(Error::io("start", "a thread"))
    }

    /// A part of what is left of everything, if that is more than what is left here.
    pub(super) fn at_least(self, share: f64) -> Self {
        let end = self.clock.spent() + share * self.clock.left();
        Self {
            end: end.max(self.end),
            ..self
        }
    }

    /// What builds programs, aside; nothing if the time is over, before or after.
    pub(super) fn built<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        if self.over() {
            return Ok(None);
        }
        self.aside(self.left(), work)?.transpose()
    }

    pub(super) fn left(&self) -> f64 {
        (self.end - self.clock.spent()).max(0.0)
    }

    pub(super) fn over(&self) -> bool {
        self.clock.interrupted() || self.left() <= 0.0
    }
}

/// One thread, seed 0.
pub(super) fn settings(seconds: f64) -> Settings {
    Settings {
        time_limit_seconds: seconds,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove: false,
        presolve: true,
        warm_start: None,
        options: Vec::new(),
    }
}

/// The fewest replicas from four on with which every count of the rules can be reached.
pub(super) fn fewest(rules: &Rules) -> u32 {
    let reached = |n: &u32| {
        let mut counts = rules.counts.values();
        counts.all(|count| (1..=*n).contains(&count.of(*n, (n - 1) / 3)))
    };
    (4..=10).find(reached).unwrap_or(4)
}

/// A question of n replicas, one of them Byzantine.
pub(super) fn setting(protocol: Protocol, n: u32, views: u32, blocks: u32) -> Instance {
    let mut instance = Instance::asking(protocol)
        .replicas(n)
        .views(views)
        .slots(4 + 5 * views)
        .network(Network::Asynchronous)
        .faults([Fault::any(FaultKind::Byzantine, 1)])
        .goal(Goal::Fork)
        .formulation(Formulation::Levels)
        .build();
    instance.blocks_per_proposal = blocks;
    instance
}

/// The settings of a protocol or mutant: two values in two views, and three views.
pub(super) fn variants(protocol: Protocol, n: u32, mutant: Option<&String>) -> Vec<Instance> {
    let mut variants = vec![
        setting(protocol, n, 2, 2),
        setting(protocol, n, 3, 1),
        Instance {
            network: Network::Eventual,
            ..setting(protocol, n, 2, 1)
        },
    ];
    for variant in &mut variants {
        variant.mutant = mutant.cloned();
    }
    variants
}

/// A setting in words.
pub(super) fn words(instance: &Instance) -> String {
    let mutant = instance.mutant.as_deref().unwrap_or("protocol");
    let network = match instance.network {
        Network::Eventual => "eventual",
        _ => "asynchronous",
    };
    let (n, views, blocks) = (
        instance.replicas,
        instance.views,
        instance.blocks_per_proposal,
    );
    format!("{mutant}: n {n}, {views} views, {blocks} a proposal, {network}")
}

/// The programs of a setting: with few values and a class of all others, and with all values.
///
/// # Errors
/// What the formulation refuses.
pub fn programs(instance: &Instance) -> Result<Vec<Built>, Error> {
    let few = levels::of(instance)?;
    let all = few.values().map(|_| levels::of_with(instance, u32::MAX));
    Ok([few].into_iter().chain(all.transpose()?).collect())
}

/// The same question, in which everything that is done counts.
pub(super) fn everything(instance: &Instance) -> Instance {
    let goal = Goal::Weighted {
        sense: Sense::Maximize,
        blocks: 1,
        views: 1,
        messages: 0,
    };
    Instance {
        goal,
        ..instance.clone()
    }
}
