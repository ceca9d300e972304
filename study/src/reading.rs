//! What the schedule of an incumbent says beside its value: which faults it uses and, where nobody
//! decides within its slots, what happens after them.

use crate::{
    confirm::{Engine, How},
    folder::Driven,
};
use milp_schema::{
    Choice, Instance, ReplicaId, Schedule,
    instance::{FaultKind, Goal},
    trace::Phase,
    verdict::Liveness,
};
use std::{collections::BTreeSet, path::PathBuf};

/// What is read off a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Byzantine replicas, those that crash, those with network faults.
    pub(crate) used: [u32; 3],
    /// What replicas go on to do, where the goal is a slot and nobody decides by the last one.
    pub after: Option<After>,
}

/// What the instance's own replicas do after the last slot, the heal phase included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nobody ever decides.
    Never,
    /// Somebody decides first in that slot of the heal phase.
    Decides(u32),
    /// The heal phase was left at its limit, or replicas do not follow.
    Unknown,
}

impl Reading {
    /// What the schedule of an incumbent of that value says.
    pub(crate) fn of(
        instance: &Instance,
        value: i64,
        schedule: &Schedule,
        faulty: &[(ReplicaId, FaultKind)],
    ) -> Self {
        let named = |kind| faulty.iter().filter(move |(_, other)| *other == kind);
        // Whoever may crash and does not is like any other.
        let crashes = schedule.choices.iter().filter_map(|choice| match choice {
            Choice::Crash { replica, .. } => Some(replica),
            _ => None,
        });
        let crashes = crashes.collect::<BTreeSet<_>>();
        let crashed = named(FaultKind::Crash).filter(|(replica, _)| crashes.contains(replica));
        Self {
            used: [
                named(FaultKind::Byzantine).count() as u32,
                crashed.count() as u32,
                named(FaultKind::Network).count() as u32,
            ],
            after: unbounded(instance, value).then(|| after(instance, schedule, faulty)),
        }
    }

    /// How many replicas are faulty in that way.
    pub(crate) fn used(&self, kind: FaultKind) -> u32 {
        match kind {
            FaultKind::Byzantine => self.used[0],
            FaultKind::Crash => self.used[1],
            FaultKind::Network => self.used[2],
        }
    }
}

/// The program's value for an execution without any decision is one slot past the horizon.
pub fn unbounded(instance: &Instance, primal: i64) -> bool {
    instance.goal == Goal::Slow && primal > instance.slots.into()
}

fn after(instance: &Instance, schedule: &Schedule, faulty: &[(ReplicaId, FaultKind)]) -> After {
    let driven = Driven {
        dir: PathBuf::from("."),
        instance: instance.clone(),
        faulty: faulty.to_vec(),
        schedule: schedule.clone(),
        predicted: true,
        edited: false,
    };
    let Ok(replayed) = driven.replay(&Engine::Own, How::default()) else {
        return After::Unknown;
    };
    let verdict = &replayed.verdict;
    let first = replayed.trace.iter().find(|it| it.decided().is_some());
    match first {
        _ if !verdict.confirms() => After::Unknown,
        Some(event) if event.phase == Phase::Heal => After::Decides(event.slot.0),
        None if verdict.termination == Liveness::Stuck => After::Never,
        _ => After::Unknown,
    }
}
