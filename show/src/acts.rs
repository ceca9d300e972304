//! What the adversary does, act by act: the one definition for whoever counts or lists it.
//!
//! The program counts the same kinds; here they are read off the rows of a schedule, and the program
//! is not asked.

use crate::words::{self, Does};
use milp_schema::{
    Act, Choice, Instance, Message, ReplicaId, Schedule, Slot,
    instance::FaultKind,
    schedule::{Copy, End},
};
use std::collections::{BTreeMap, BTreeSet};

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A replica is faulty, in whatever way.
    Faulty(ReplicaId),
    /// A copy is made by a Byzantine replica; of a pool, a message.
    Made(Copy, End),
    /// A replica crashes.
    Crash(Slot, ReplicaId),
    /// A copy of an honest message does not arrive with the smallest delay, though the horizon
    /// leaves room for it, or is lost.
    Late(Copy, End),
    /// A timer makes a replica ask to leave its view, or for recovery.
    Timeout(Slot, ReplicaId),
}

impl Deed {
    /// The kind.
    pub fn act(&self) -> Act {
        match self {
            Self::Faulty(_) => Act::Faulty,
            Self::Made(..) => Act::Made,
            Self::Crash(..) => Act::Crash,
            Self::Late(..) => Act::Late,
            Self::Timeout(..) => Act::Timeout,
        }
    }
}

/// One act of the kind, in words.
pub fn name(act: Act) -> &'static str {
    match act {
        Act::Faulty => "faulty replica",
        Act::Made => "Byzantine message",
        Act::Crash => "crashed replica",
        Act::Late => "late or missing message",
        Act::Timeout => "timer request",
    }
}

/// Every act of a schedule, kind by kind in the order of [`Act::ALL`], then as they happen.
pub fn of(
    instance: &Instance,
    schedule: &Schedule,
    faulty: &[(ReplicaId, FaultKind)],
) -> Vec<Deed> {
    let ends = ends(schedule);
    let end = |copy: &Copy| ends.get(&key(copy)).copied().unwrap_or(End::Open);
    let mut deeds: Vec<Deed> = faulty.iter().map(|(id, _)| Deed::Faulty(*id)).collect();
    for choice in &schedule.choices {
        match choice {
            Choice::Inject { copy } => deeds.push(Deed::Made(copy.clone(), end(copy))),
            Choice::Crash { slot, replica } => deeds.push(Deed::Crash(*slot, *replica)),
            _ => {}
        }
    }
    // In a pool nothing is late (E26).
    if !instance.protocol.pools() {
        let late = late(instance, schedule, &ends);
        deeds.extend(late.into_iter().map(|copy| {
            let end = end(&copy);
            Deed::Late(copy, end)
        }));
    }
    // Timers that follow the protocol are nobody's act.
    if instance.block_time.is_none() {
        let asked = schedule.sent().filter(|(_, message)| asks(message));
        deeds.extend(asked.map(|((slot, replica), _)| Deed::Timeout(slot, replica)));
        // Where nobody asks, views are left by the timers themselves.
        let mut kinds = instance.protocol.kinds();
        if !kinds.any(|kind| words::does(&kind) == Does::Leaves) {
            let fired = schedule.choices.iter().filter_map(|choice| match choice {
                Choice::Timeout { slot, replica, .. } => Some(Deed::Timeout(*slot, *replica)),
                _ => None,
            });
            deeds.extend(fired);
        }
    }
    deeds.sort_by_key(Deed::act);
    deeds
}

/// How many acts of each kind a schedule has.
pub fn counts(
    instance: &Instance,
    schedule: &Schedule,
    faulty: &[(ReplicaId, FaultKind)],
) -> BTreeMap<Act, i64> {
    let mut counts: BTreeMap<Act, i64> = Act::ALL.into_iter().map(|act| (act, 0)).collect();
    for deed in of(instance, schedule, faulty) {
        *counts.entry(deed.act()).or_default() += 1;
    }
    counts
}

/// A message that only a timer makes a replica send.
fn asks(message: &Message) -> bool {
    matches!(words::does(&message.kind), Does::Leaves | Does::Asks)
}

/// A copy, whichever of equal ones it is.
type Key<'a> = (ReplicaId, ReplicaId, Slot, &'a Message);

fn key(copy: &Copy) -> Key<'_> {
    (copy.sender, copy.receiver, copy.sent, &copy.message)
}

/// What becomes of the copies that rows speak of; of equal ones, of the first.
fn ends(schedule: &Schedule) -> BTreeMap<Key<'_>, End> {
    let mut ends = BTreeMap::new();
    for choice in &schedule.choices {
        let (copy, end) = match choice {
            Choice::Deliver { slot, copy } => (copy, End::Arrives(*slot)),
            Choice::Drop { slot, copy } => (copy, End::Lost(*slot)),
            _ => continue,
        };
        ends.entry(key(copy)).or_insert(end);
    }
    ends
}

/// The copies of honest messages that are late, missing or lost.
fn late(instance: &Instance, schedule: &Schedule, ends: &BTreeMap<Key<'_>, End>) -> Vec<Copy> {
    let soonest = instance.delays().0;
    let copies = schedule.copies(instance.replicas).collect::<Vec<_>>();
    let seen = copies.iter().map(key).collect::<BTreeSet<_>>();
    let is_late = |copy: &&Copy| {
        let end = ends.get(&key(copy));
        let prompt = end == Some(&End::Arrives(Slot(copy.sent.0 + soonest)));
        let room = copy.sent.0 + soonest <= instance.slots;
        (room && !prompt) || matches!(end, Some(End::Lost(_)))
    };
    let mut late = copies.iter().filter(is_late).cloned().collect::<Vec<_>>();
    // What is not predicted, say a recovery message, is lost by somebody all the same.
    let made = |copy: &Copy| {
        let mut choices = schedule.choices.iter();
        choices.any(|it| matches!(it, Choice::Inject { copy: made } if made == copy))
    };
    late.extend(schedule.choices.iter().filter_map(|choice| match choice {
        Choice::Drop { copy, .. } if !seen.contains(&key(copy)) && !made(copy) => {
            Some(copy.clone())
        }
        _ => None,
    }));
    late
}
