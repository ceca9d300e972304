//! What the adversary does to a session, act by act.

use super::{Session, seat::Position};
use crate::{
    Error,
    engine::{Engine, Nanos},
    network::Posted,
};
use milp_schema::trace::{TraceEvent, What};
use milp_schema::{
    Height, ReplicaId, Slot, View,
    instance::FaultKind,
    schedule::{Copy, Event},
};
use std::sync::Arc;

impl<E: Engine> Session<E> {
    /// The slot begins.
    ///
    /// # Errors
    /// The engine's, as for every act.
    pub(crate) fn begin(&mut self, slot: Slot) -> Result<(), Error> {
        self.now = slot;
        self.answered.clear();
        let effects = self.engine.advance(Nanos::from(slot.0) * self.slot)?;
        self.absorb(effects);
        Ok(())
    }

    /// What live replicas do of their own accord, once the first slot has begun and its crashes are
    /// over (E1, E12).
    pub(crate) fn open(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.opened, true) {
            return Ok(());
        }
        let effects = self.engine.open()?;
        self.absorb(effects);
        Ok(())
    }

    /// Takes the copy out of flight and gives it to its receiver; whether it was in flight.
    pub(crate) fn deliver(&mut self, copy: &Copy) -> Result<bool, Error> {
        let Some(posted) = self.network.take(copy) else {
            return Ok(false);
        };
        let id = copy.receiver;
        let seat = self.seat(id);
        let position = seat.position(&copy.message, self.habits);
        let what = match position {
            // A Byzantine replica takes everything and does nothing by rule (E11).
            _ if seat.fault == Some(FaultKind::Byzantine) => What::Deliver,
            _ if !seat.up => What::Ignore,
            // Nobody is ahead of a replica that has decided every height.
            Position::Passed | Position::Lost => What::Ignore,
            Position::Ahead => What::HoldBack,
            Position::Here => What::Deliver,
        };
        let live = seat.is_live();
        self.note_copy(id, copy.sender, what, copy);
        match position {
            _ if !live => {}
            Position::Ahead => self.network.hold_back(id, posted),
            Position::Passed if !self.habits.answers_passed => self.answer(id, &copy.message),
            // What is lost on the engine is its own doing: it gets it and drops it.
            Position::Here | Position::Lost | Position::Passed => self.hand(id, &posted)?,
        }
        Ok(true)
    }

    /// Loses the copy for ever; whether it was in flight.
    pub(crate) fn drop_copy(&mut self, copy: &Copy) -> bool {
        let known = self.network.take(copy).is_some();
        if known {
            self.note_copy(copy.receiver, copy.sender, What::Drop, copy);
        }
        known
    }

    /// A Byzantine replica makes a copy.
    pub(crate) fn inject(&mut self, copy: &Copy) -> Result<(), Error> {
        let id = self.engine.inject(copy.sender, &copy.message)?;
        let posted = Posted {
            author: copy.sender,
            message: copy.message.clone(),
            id,
            carried: Arc::default(),
        };
        self.number(&posted);
        self.network.inject(copy.clone(), posted);
        self.note_copy(copy.sender, copy.receiver, What::Inject, copy);
        Ok(())
    }

    /// A replica that is up stops.
    pub(crate) fn crash(&mut self, id: ReplicaId) -> Result<(), Error> {
        self.note(id, What::Crash, |event| event);
        let seat = &mut self.seats[id.index()];
        seat.up = false;
        seat.timers.clear();
        let effects = self.engine.crash(id)?;
        self.absorb(effects);
        Ok(())
    }

    /// A replica that is down returns.
    pub(crate) fn restart(&mut self, id: ReplicaId, backup: bool) -> Result<(), Error> {
        self.note(id, What::Restart, |event| TraceEvent {
            backup: Some(backup),
            ..event
        });
        let seat = &mut self.seats[id.index()];
        seat.up = true;
        if !backup {
            seat.view = View(0);
            seat.given.clear();
        }
        let effects = self.engine.restart(id, backup)?;
        self.absorb(effects);
        self.settle(id)
    }

    /// A live replica does what it may do when it likes.
    pub(crate) fn may(&mut self, id: ReplicaId, act: &Event) -> Result<(), Error> {
        let effects = self.engine.may(id, act)?;
        if effects.is_empty() {
            return Ok(());
        }
        self.absorb(effects);
        self.settle(id)
    }

    /// What a live replica may do when it likes.
    pub(crate) fn likes(&mut self, id: ReplicaId) -> Result<Vec<Event>, Error> {
        Ok(self.engine.likes(id)?)
    }

    /// The timers that may run at a replica, in the order of its protocol.
    pub(crate) fn timers(&self, id: ReplicaId) -> Vec<&'static str> {
        let timers = self.protocol.timers.iter().map(String::as_str);
        let runs = |name: &&str| !self.habits.starts_timers || self.due(id, name).is_some();
        timers.filter(runs).collect()
    }

    /// Whether the timer armed for (`height`, `view`) can fire at `id` now.
    pub(crate) fn can_fire(
        &self,
        id: ReplicaId,
        timer: &str,
        (height, view): (Height, View),
    ) -> bool {
        let seat = self.seat(id);
        let runs = !self.habits.starts_timers || self.due(id, timer).is_some();
        let here = (seat.height, seat.view) == (height, view);
        seat.is_live() && !self.stopped(id) && here && runs
    }

    /// What a sentence calls a timer: by its name where there are several.
    pub(crate) fn called(&self, timer: &str) -> String {
        if self.protocol.timers.len() > 1 {
            return format!("timer `{timer}`");
        }
        "timer".to_owned()
    }

    /// A timer that cannot fire was asked to.
    pub(crate) fn refuse_timeout(
        &mut self,
        id: ReplicaId,
        timer: &'static str,
        place: (Height, View),
    ) {
        let named = self.protocol.timers.len() > 1;
        self.note(id, What::Ignore, |event| TraceEvent {
            place: Some(place),
            timer: named.then_some(timer),
            ..event
        });
    }

    /// The slot in which the timer is due, if it runs.
    pub(crate) fn deadline(&self, id: ReplicaId, timer: &str) -> Option<Slot> {
        self.due(id, timer)
    }

    /// The timer of a live replica fires.
    pub(crate) fn fire(&mut self, id: ReplicaId, timer: &'static str) -> Result<(), Error> {
        let seat = &mut self.seats[id.index()];
        let timer = if self.habits.starts_timers {
            timer
        } else {
            self.protocol.timer()
        };
        *seat.fired.entry(timer).or_default() += 1;
        let (height, view) = (seat.height, seat.view);
        self.note(id, What::Timeout, |event| TraceEvent {
            timer: Some(timer),
            place: Some((height, view)),
            ..event
        });
        let effects = self.engine.timeout(id, timer, (height, view))?;
        self.absorb(effects);
        self.settle(id)
    }

    /// The slot ends: the place of a timer that was due by now, should have fired and did not. It stays
    /// due: the heal phase fires it.
    pub(crate) fn missed(
        &mut self,
        id: ReplicaId,
        timer: &str,
    ) -> Result<Option<(Height, View)>, Error> {
        let due = self.due(id, timer) == Some(self.now);
        if !due || !self.seat(id).is_live() || self.stopped(id) {
            return Ok(None);
        }
        if self.firing_matters(id, timer)? {
            return Ok(Some(self.place(id)));
        }
        let effects = self.engine.pass(id, timer)?;
        self.absorb(effects);
        Ok(None)
    }

    /// Whether a firing at a live replica that has not decided everything does more than ask for
    /// recovery.
    pub(crate) fn firing_matters(&mut self, id: ReplicaId, timer: &str) -> Result<bool, Error> {
        Ok(self.engine.matters(id, timer)?)
    }

    /// Whether the replica is not crashed.
    pub(crate) fn is_up(&self, id: ReplicaId) -> bool {
        self.seat(id).up
    }

    /// How the replica may misbehave.
    pub(crate) fn fault(&self, id: ReplicaId) -> Option<FaultKind> {
        self.seat(id).fault
    }

    /// What happened so far.
    pub(crate) fn log(&self) -> &[TraceEvent] {
        &self.log
    }
}
