//! What the adversary does to a session, act by act.

use super::{Session, seat::Position};
use crate::{
    Error,
    engine::{Engine, Nanos, State, Working},
    network::Posted,
};
use milp_schema::trace::{TraceEvent, What};
use milp_schema::{Height, ReplicaId, Slot, View, instance::FaultKind, schedule::Copy};
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
        (seat.up, seat.timer) = (false, None);
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

    /// Whether the timer armed for (`height`, `view`) can fire at `id` now.
    pub(crate) fn can_fire(&self, id: ReplicaId, height: Height, view: View) -> bool {
        let seat = self.seat(id);
        seat.is_live() && !self.stopped(id) && (seat.height, seat.view) == (height, view)
    }

    /// A timer that cannot fire was asked to.
    pub(crate) fn refuse_timeout(&mut self, id: ReplicaId, place: (Height, View)) {
        self.note(id, What::Ignore, |event| TraceEvent {
            place: Some(place),
            ..event
        });
    }

    /// The slot in which the timer is due, if it runs.
    pub(crate) fn deadline(&self, id: ReplicaId) -> Option<Slot> {
        self.due(id)
    }

    /// The timer of a live replica fires.
    pub(crate) fn fire(&mut self, id: ReplicaId) -> Result<(), Error> {
        let seat = &mut self.seats[id.index()];
        seat.fired += 1;
        let (height, view) = (seat.height, seat.view);
        let timer = self.protocol.timer();
        self.note(id, What::Timeout, |event| TraceEvent {
            timer: Some(timer),
            place: Some((height, view)),
            ..event
        });
        let effects = self.engine.timeout(id, timer, (height, view))?;
        self.absorb(effects);
        self.settle(id)
    }

    /// The slot ends: the place of a timer that was due by now, should have fired and did not.
    pub(crate) fn missed(&mut self, id: ReplicaId) -> Result<Option<(Height, View)>, Error> {
        if self.due(id) != Some(self.now) || !self.seat(id).is_live() || self.stopped(id) {
            return Ok(None);
        }
        let matters = self.firing_matters(id)?;
        let place = matters.then_some(self.place(id));
        let effects = self.engine.pass(id)?;
        self.absorb(effects);
        Ok(place)
    }

    /// Whether a firing at a live replica that has not decided everything does more than ask for
    /// recovery: not if it is locked.
    pub(crate) fn firing_matters(&mut self, id: ReplicaId) -> Result<bool, Error> {
        let asked = |working: &Working| self.habits.asks_once && working.asks_to_leave(id);
        let working = self.engine.state(id)?;
        Ok(match working {
            State::Working(working) => working.bonds.is_empty() && !asked(&working),
            State::Down(_) | State::Stopped(_) => false,
        })
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
