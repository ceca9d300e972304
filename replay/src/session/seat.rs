//! One place at the table, as far as effects tell, and where a message stands relative to it.

use crate::engine::{Habits, Timer};
use milp_schema::{
    Height, Message, ReplicaId, Slot, View,
    instance::FaultKind,
    vocabulary::{Ahead, Passed, Role},
};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

/// One place at the table.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    pub(super) fault: Option<FaultKind>,
    pub(super) up: bool,
    pub(super) height: Height,
    pub(super) view: View,
    /// Under [`Habits::goes_on`]: whether it has decided.
    pub(super) decided: bool,
    /// The timers that run, each with the slot in which it was armed.
    pub(super) timers: Vec<(Timer, Slot)>,
    /// How often each timer fired.
    pub(super) fired: BTreeMap<&'static str, u32>,
    /// Under [`Habits::unpacks`] and [`Habits::offers_again`]: what it was given of its height and later ones.
    pub(super) given: BTreeSet<(ReplicaId, Message)>,
    /// Under [`Habits::recovery_waits`]: what it said for recovery in the slot named.
    pub(super) said: (Slot, Vec<Repeated>),
}

/// A message for recovery and what it carries.
pub(super) type Repeated = (Message, Vec<(ReplicaId, Message)>);

/// Where a message stands relative to its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// The network holds it back until the receiver gets there.
    Ahead,
    /// It is recovery, never held back, and comes too early to say anything.
    Lost,
    /// The receiver judges it.
    Here,
    /// It comes too late to change anything.
    Passed,
}

impl Seat {
    /// At height 0, view 0.
    pub(super) fn new(fault: Option<FaultKind>) -> Self {
        Self {
            fault,
            up: true,
            height: Height(0),
            view: View(0),
            decided: false,
            timers: Vec::new(),
            fired: BTreeMap::new(),
            given: BTreeSet::new(),
            said: (Slot(0), Vec::new()),
        }
    }

    /// Whether it follows the protocol and is not crashed now.
    pub(super) fn is_live(&self) -> bool {
        self.up && self.fault != Some(FaultKind::Byzantine)
    }

    /// Its timers are these from now on. One that was there goes on where timers are started by
    /// rules; a replica's only timer is armed whenever it speaks of it.
    pub(super) fn set(&mut self, timers: Vec<Timer>, now: Slot, habits: Habits) {
        let armed = |timer: Timer| {
            let known = self.timers.iter().find(|(known, _)| *known == timer);
            let known = known.filter(|_| habits.starts_timers);
            (timer, known.map_or(now, |(_, armed)| *armed))
        };
        self.timers = timers.into_iter().map(armed).collect();
    }

    /// The timer of that name, if it runs; a replica's only timer has any name.
    pub(super) fn timer(&self, name: &str, habits: Habits) -> Option<&(Timer, Slot)> {
        let named = |timer: &Timer| !habits.starts_timers || timer.name == name;
        self.timers.iter().find(|(timer, _)| named(timer))
    }

    /// Where a message stands relative to this replica (E4, E5, E20).
    pub(super) fn position(&self, message: &Message, habits: Habits) -> Position {
        let does = message.kind.does();
        let recovery = matches!(does.role, Role::Question | Role::Answer);
        if message.height > self.height {
            return if recovery && !habits.holds_recovery {
                // An engine drops these where it has not got there itself.
                Position::Lost
            } else {
                Position::Ahead
            };
        }
        match message.view.cmp(&self.view) {
            _ if message.height < self.height => Position::Passed,
            Ordering::Less if does.passed == Passed::Ignore => Position::Passed,
            Ordering::Greater => match does.ahead {
                Ahead::Hold => Position::Ahead,
                Ahead::Take => Position::Here,
                Ahead::Lose => Position::Lost,
            },
            _ => Position::Here,
        }
    }

    /// It is given a message; whether for the first time at its height.
    pub(super) fn is_given(&mut self, author: ReplicaId, message: &Message) -> bool {
        message.height != self.height || self.given.insert((author, message.clone()))
    }

    /// Whether it said the same for recovery in this slot already: once more would carry nothing
    /// new and arrive at the same time.
    pub(super) fn repeats(
        &mut self,
        now: Slot,
        message: &Message,
        carried: &[(ReplicaId, Message)],
    ) -> bool {
        let (slot, said) = &mut self.said;
        if *slot != now {
            *slot = now;
            said.clear();
        }
        let same = |(known, with): &Repeated| known == message && with == carried;
        let repeats = said.iter().any(same);
        if !repeats {
            said.push((message.clone(), carried.to_vec()));
        }
        repeats
    }
}
