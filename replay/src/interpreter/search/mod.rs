//! Exhaustive search over the replicas of a protocol file: the best value of a goal on a small
//! instance.
//!
//! One height, an asynchronous network, free timers. It drives the same [`Replica`](super::replica)
//! as a replay; no rule is written twice. [`table`] has the messages there can be and what each way
//! of a rule needs of them, [`local`] one replica and its steps, [`joint`] all of them together.
//!
//! # A step is one act with a smallest set of deliveries
//!
//! Take any execution and look at the acts of its replicas in their order. Hand to each replica,
//! just before each of its acts, only a smallest set of what it held then that lets it act. Nothing
//! is lost:
//!
//! * *Guards are monotone.* They ask for records that are there; `unless` reads own ones. So who
//!   holds less can do less, and is at rest wherever it was at rest with more.
//! * *What comes late still counts.* A copy of a later view may wait, and where one of a passed view
//!   is ignored nothing may read it later: a file in which something does is refused. Where only the
//!   first record of a sender counts, who holds less is bound less.
//! * *An act is the first of a delivery or follows others.* As the first it needs the message that
//!   was delivered last, and before that the replica was at rest with everything else: so of a
//!   smallest set one message is handed over last, and nothing happens before. If something does,
//!   the act did not come first.
//! * *Acts that follow* are done at once if they can be, the first of the file first. With less held,
//!   a rule further below may come first, or another way of the same one. Where that matters (one
//!   bars the other, both make the same record, or one leaves the view) the set of the rule above is
//!   handed over as well, if it can have been held all the time; so too if it could not be handed
//!   over afterwards without something else coming first. Only what one act lets come first is
//!   looked at, not what a chain of them does: no shipped file needs more.
//! * *What was handed over stays* and may make the replica act later; then it would have with more.
//!
//! The tests of this folder compare it with searches in which every delivery and every firing is a
//! step: the same acts in the same combinations.
//!
//! # What is no state of its own
//!
//! * What no rule can read any more: records of rules that are done or barred for good, timers
//!   whose firing does nothing, everything of a replica whose height ended with its decision.
//! * Acts that nobody else can see (timers, kept records, entered views unless the goal counts them)
//!   are done just before the next act of the same replica that is seen: they need no less then, and
//!   others do not wait for them.
//! * Of two steps to the same records, one that needs less sent and hands over less can do whatever
//!   the other can: what the other was handed is still there.
//! * Replicas that lead no modelled view and have the same power may change names, and so may the
//!   first two values of a Byzantine primary.
//! * A decision that is adopted adds no value.
//!
//! # Byzantine replicas
//!
//! They send what they like without a step: every kind but decisions, which others would check, any
//! justification, nil, *bad*, and the valid values of views up to the message's own. A value of an
//! honest primary they can name once it was sent. In views that they lead they have as many values
//! as the instance allows, and at least two: a quorum for a value has honest senders whom no quorum
//! of that view for another one shares unless more than the protocol's faulty replicas lie, so
//! values without a quorum only split votes, and one of them does that. With faults beyond the
//! budget ask for as many values as there may be quorums.
//! Fewer of them are searched only where that might be worse: of an execution in which k replicas
//! decide, any other may as well be Byzantine and say the same.

mod joint;
mod local;
mod step;
mod table;
#[cfg(test)]
mod tests;

use super::{Interpreter, Setup};
use crate::Error;
use joint::Space;
use milp_schema::{
    Height, Instance, ReplicaId, View,
    instance::{Budget, FaultKind, Goal, Network, Timers, Who},
};
use std::collections::{BTreeMap, BTreeSet};
use table::Table;

/// What an exhaustive search of a protocol file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Searched {
    /// The best value for the adversary among the states seen.
    pub value: i64,
    /// How many joint states were seen, over all choices of who is faulty.
    pub states: usize,
    /// How many different states of single replicas these are made of.
    pub replicas: usize,
    /// How many states were waiting at most.
    pub waiting: usize,
    /// Whether there are no more states.
    pub complete: bool,
}

/// Searches the states of an instance whose protocol is a file, at most so many.
///
/// # Errors
/// An instance outside of what is searched: more than one height, network faults, clocks, limits
/// on the adversary's acts, another goal than fork, views or finality, proofs that travel, copies
/// that are read after they would have been ignored, too many messages; rules that never come to
/// rest.
pub fn search(instance: &Instance, limit: usize) -> Result<Searched, Error> {
    let setup = Interpreter::of(instance)?.world.setup;
    let byzantine = instance.fault_count(FaultKind::Byzantine);
    let not = |why| Err(Error::NotSearched { why });
    if instance.heights != 1 {
        return not("more than one height");
    } else if !matches!(instance.goal, Goal::Fork | Goal::Views | Goal::Finality) {
        return not("this goal");
    } else if instance.fault_count(FaultKind::Network) > 0 {
        return not("network faults");
    } else if instance.network != Network::Asynchronous || instance.timers == Timers::Protocol {
        return not("a clock");
    } else if instance.budget != Budget::default() {
        return not("limits on the adversary's acts");
    } else if instance.replicas > 8 || instance.views > 8 {
        return not("so many views, blocks or replicas");
    } else if setup.proves {
        return not("proofs that travel");
    } else if Table::reads_ignored(&setup) {
        return not("copies that are read after they would have been ignored");
    }
    let any = |who: &Who| matches!(who, Who::Any(_));
    let named = instance.faults.iter().all(|fault| any(&fault.who));
    let mut choices = choices(instance, &setup);
    let mut found = Searched {
        complete: true,
        ..Searched::default()
    };
    // Who is honest in an execution may as well be Byzantine, unless it is one of those who decide.
    choices.sort_by_key(|chosen| std::cmp::Reverse(chosen.len()));
    let most = choices.first().map_or(0, BTreeSet::len);
    for chosen in choices {
        let others = i64::from(instance.replicas) - i64::from(byzantine);
        if named && chosen.len() < most && found.complete && found.value < others {
            continue;
        }
        let mut space = Space::new(instance, &setup, chosen)?;
        space.explore(limit, &mut found)?;
    }
    Ok(found)
}

/// Who may be Byzantine together, one choice of those that only names tell apart. Who crashes says
/// nothing more, as anybody may in an asynchronous network.
fn choices(instance: &Instance, setup: &Setup) -> Vec<BTreeSet<ReplicaId>> {
    let mut choices = BTreeSet::from([BTreeSet::new()]);
    let byzantine = instance
        .faults
        .iter()
        .filter(|fault| fault.kind == FaultKind::Byzantine);
    for fault in byzantine {
        let named = |id: &ReplicaId| match &fault.who {
            Who::Any(_) | Who::Power(_) => true,
            Who::These(these) => these.contains(id),
        };
        let before = choices.clone();
        let budget = |chosen: &BTreeSet<ReplicaId>| {
            let (new, power) = chosen.iter().fold((0, 0), |(new, power), id| {
                (new + 1, power + setup.power[id.index()])
            });
            match fault.who {
                Who::Power(most) => power <= most,
                _ => {
                    new <= fault.count() as usize
                        + before.iter().map(BTreeSet::len).max().unwrap_or(0)
                }
            }
        };
        for id in ReplicaId::all(instance.replicas).filter(named) {
            let more: Vec<BTreeSet<ReplicaId>> = choices
                .iter()
                .map(|chosen| {
                    let mut chosen = chosen.clone();
                    chosen.insert(id);
                    chosen
                })
                .filter(budget)
                .collect();
            choices.extend(more);
        }
    }
    let leads = |id: &ReplicaId| {
        View::all(instance.views).any(|view| setup.primary(Height(0), view) == *id)
    };
    let alike = |chosen: &BTreeSet<ReplicaId>| {
        let mut powers: Vec<u32> = chosen
            .iter()
            .filter(|id| !leads(id))
            .map(|id| setup.power[id.index()])
            .collect();
        powers.sort_unstable();
        let leading: Vec<ReplicaId> = chosen.iter().filter(|id| leads(id)).copied().collect();
        (leading, powers)
    };
    let distinct: BTreeMap<_, BTreeSet<ReplicaId>> = choices
        .iter()
        .map(|chosen| (alike(chosen), chosen.clone()))
        .collect();
    distinct.into_values().collect()
}
