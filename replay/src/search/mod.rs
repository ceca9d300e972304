//! Exhaustive search over the replicas: the best value of a goal on a small instance.
//!
//! An oracle for the optimiser: untimed, one height, asynchronous network, free timers. It drives
//! the same replicas as a replay, so it shares no rule with the program either.
//!
//! # A step is "one replica acts after just the deliveries it needs"
//!
//! Letting every single delivery be a step explodes. Under the paper's rules every guard asks for
//! *at least* so many held messages, and negations look only at what the replica itself sent. So:
//!
//! * **Nothing is lost by delivering late.** Take any execution and look at its acts (broadcasts,
//!   views entered, decisions) in their order. Deliver to each replica, just before each of its
//!   acts, only a smallest set of what it held then that enables the act. Fewer held messages
//!   enable no other rule that had to fire before, so the same acts follow.
//! * **Nothing is gained by forgetting.** What a replica needed for an act stays held and might
//!   force a later one. Preparations and commits do not: the act they completed excludes every
//!   other that they could complete, and a request with one's own response is less than a quorum
//!   or acts at once. Change views do: those above the view entered are remembered.
//! * **Which of several equal senders** made a quorum full does not matter, except where a change
//!   view asks for a later view than was entered, or where it is remembered who got what from a
//!   faulty replica (goal `stall`): these choices are steps of their own.
//! * A decision by somebody else's `Block` adds no block, no certificate and no view, so it is not
//!   a step. It adds a message: where messages have a weight, whoever has not decided may adopt a
//!   block last of all, or not.
//!
//! A state is therefore what every replica sent, its view and the remembered change views. That
//! the argument is right is tested against searches in which every delivery is a step.
//!
//! # Goal `stall`
//!
//! A state is final in the sense of E19 if every live honest replica, after everything that live
//! honest ones sent and everything that any live one got from a faulty one, can do nothing, and
//! its timer can do nothing either. What a crashed replica sent may be lost unless a live one got
//! it: then recovery would hand it on, as it would a Byzantine replica's. A state in which
//! somebody decided counts 1, because its block decides everybody.

mod layout;
mod step;
#[cfg(test)]
mod tests;
mod value;

pub use crate::interpreter::search::{Searched, search as file};
use crate::{Error, protocols::Rules};
use layout::Layout;
use milp_schema::{
    Height, Instance, Kind, ReplicaId, View,
    instance::{Budget, Fault, FaultKind, Goal, Network, Timers, Who},
    vocabulary::By,
};
use std::collections::{BTreeMap, BTreeSet};

/// What an exhaustive search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The best value for the adversary; `None` if no state has one, that is, for `stall`, if none
    /// is final within the modelled views.
    pub value: Option<i64>,
    /// How many states there are.
    pub states: usize,
}

/// The best value of the instance's goal, which is any but `slow`.
///
/// # Errors
/// An instance outside of what is searched: more than one height, network faults, clocks, limits
/// on the adversary's acts, a quorum of Byzantine replicas for `finality`, more than 64 different
/// messages of a replica.
pub fn best(instance: &Instance) -> Result<Found, Error> {
    let space = Space::new(instance)?;
    let mut seen: BTreeSet<State> = space.initial().into_iter().collect();
    let mut open: Vec<State> = seen.iter().cloned().collect();
    let mut value = None;
    while let Some(state) = open.pop() {
        if let Some(here) = space.value(&state) {
            let better = if space.minimizes() {
                i64::min
            } else {
                i64::max
            };
            value = Some(value.map_or(here, |best| better(best, here)));
        }
        for next in space.next(&state) {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    Ok(Found {
        value,
        states: seen.len(),
    })
}

/// The state space of an instance, for any explorer.
#[derive(Debug, Clone)]
pub struct Space {
    rules: Rules,
    layout: Layout,
    goal: Goal,
    faults: Vec<Fault>,
}

/// A joint state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State(Vec<Seat>);

/// One replica's part of a joint state; sets are bits in the order of [`Layout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Seat {
    /// Byzantine, or may stop acting for good.
    faulty: bool,
    byzantine: bool,
    view: View,
    decided: Option<(View, u32)>,
    /// What it broadcast; a Byzantine replica may send everything it can sign.
    said: u64,
    /// Change views of others, above its view, that it was given.
    kept: u64,
    /// What live honest replicas got of it, if it is faulty and the goal asks.
    used: u64,
}

impl Space {
    /// The state space of the instance.
    ///
    /// # Errors
    /// As [`best`].
    pub fn new(instance: &Instance) -> Result<Self, Error> {
        let rules = Rules {
            recovery: false,
            ..Rules::of(instance)?
        };
        let blocks = instance.blocks_per_proposal;
        let sizes = [instance.replicas, instance.views, blocks];
        let layout = Layout::new(rules.protocol(), sizes);
        let goal = instance.goal;
        let network = instance.fault_count(FaultKind::Network) > 0;
        let bounded = matches!(instance.network, Network::Bounded { .. });
        let byzantine = instance.fault_count(FaultKind::Byzantine) as usize;
        let why = if instance.heights != 1 {
            "more than one height"
        } else if goal == Goal::Slow {
            "this goal"
        } else if network {
            "network faults"
        } else if bounded || instance.timers == Timers::Protocol {
            "a clock"
        } else if instance.budget != Budget::default() {
            "limits on the adversary's acts"
        } else if goal == Goal::Finality && byzantine >= rules.quorum() {
            "certificates of Byzantine replicas alone"
        } else if !layout.fits() {
            "so many views, blocks or replicas"
        } else {
            return Ok(Self {
                rules,
                layout,
                goal,
                faults: instance.faults.clone(),
            });
        };
        Err(Error::NotSearched { why })
    }

    /// The states an execution may begin with, one per choice of who is faulty.
    pub fn initial(&self) -> Vec<State> {
        let nobody: BTreeMap<ReplicaId, FaultKind> = BTreeMap::new();
        let mut choices = BTreeSet::from([nobody]);
        for fault in &self.faults {
            for _ in 0..fault.count() {
                let mut more = choices.clone();
                for chosen in &choices {
                    for id in ReplicaId::all(self.rules.replicas) {
                        let named = match &fault.who {
                            Who::Any(_) | Who::Power(_) => true,
                            Who::These(these) => these.contains(&id),
                        };
                        if named && !chosen.contains_key(&id) {
                            let mut chosen = chosen.clone();
                            chosen.insert(id, fault.kind);
                            more.insert(chosen);
                        }
                    }
                }
                choices = more;
            }
        }
        choices
            .into_iter()
            .map(|faulty| self.start(&faulty))
            .collect()
    }

    fn start(&self, faulty: &BTreeMap<ReplicaId, FaultKind>) -> State {
        let seat = |id: ReplicaId| {
            let mut seat = Seat {
                faulty: faulty.contains_key(&id),
                byzantine: faulty.get(&id) == Some(&FaultKind::Byzantine),
                view: View(0),
                decided: None,
                said: 0,
                kept: 0,
                used: 0,
            };
            if seat.byzantine {
                seat.said = self.everything(id);
            }
            seat
        };
        State(ReplicaId::all(self.rules.replicas).map(seat).collect())
    }

    /// Everything a Byzantine replica can sign and somebody would listen to.
    fn everything(&self, id: ReplicaId) -> u64 {
        let mut said = 0;
        for view in self.layout.all_views() {
            said |= self.layout.change(view);
            let primary = id == self.rules.primary(Height(0), view);
            let makes = |kind: &&Kind| match kind.does().by {
                By::Any => true,
                By::Primary => primary,
                By::Backup => !primary,
            };
            for block in 0..self.layout.blocks {
                let votes = self.layout.votes.iter().filter(makes);
                said |= votes.fold(0, |said, kind| said | self.layout.vote(*kind, view, block));
            }
        }
        said
    }
}
