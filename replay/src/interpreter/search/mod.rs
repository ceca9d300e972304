//! Exhaustive search over the replicas of a protocol file: the best value of a goal on a small
//! instance.

mod joint;
mod local;
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
    /// The most acts in a row.
    pub deepest: usize,
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
