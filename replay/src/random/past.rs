//! What one replica did and got so far, and whether what comes next is something that the program
//! leaves out: E8, under the protocol of an engine E38 to E46 too.

use milp_schema::trace::{TraceEvent, What};
use milp_schema::{
    Height, Instance, Message, ReplicaId, Slot, View,
    schedule::Copy,
    vocabulary::{By, Does, Role},
};
use std::collections::{BTreeMap, BTreeSet};

/// Height and view.
type Place = (Height, View);

/// The past of one replica.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// Whether E38 to E46 are left out.
    strict: bool,
    /// Where it was when the slot began.
    began: Place,
    /// The views it entered in this slot.
    entered: Vec<Place>,
    /// Whether it proposed in this slot.
    proposed: bool,
    /// The views it asked to leave, and when.
    asked: BTreeMap<Place, Slot>,
    /// The views it asked for recovery in.
    begged: BTreeSet<Place>,
    /// Every copy it got, and when.
    got: Vec<(Slot, ReplicaId, Message)>,
    /// Requests for more than the next view that it got while in a view.
    far: BTreeMap<Place, usize>,
}

/// What the program cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LeftOut;

/// Whether the program of the instance leaves out E38 to E46.
pub(super) fn is_strict(instance: &Instance) -> bool {
    crate::engine::nspcc::follows(instance)
}

impl Past {
    /// Of a replica that has done nothing.
    pub(super) fn of(instance: &Instance) -> Self {
        Self {
            strict: is_strict(instance),
            ..Self::default()
        }
    }

    /// A slot begins with the replica at `place`, if it is still at work.
    pub(super) fn begin(&mut self, works: bool, place: Place) {
        if works {
            self.began = place;
        }
        self.entered.clear();
        self.proposed = false;
    }

    /// Whether it has asked to leave `place`.
    pub(super) fn asked(&self, place: Place) -> bool {
        self.asked.contains_key(&place)
    }

    /// Whether its request to leave `place` still counts, now that it is at another: under an
    /// engine's rules whoever asked once counts (E52), otherwise only who is at that height.
    pub(super) fn still_asks(&self, place: Place, now: Place) -> bool {
        self.asked(place) && (self.strict || now.0 == place.0)
    }

    /// Whether nothing is left that a firing in `place` could do once more.
    pub(super) fn is_spent(&self, place: Place) -> bool {
        self.asked(place) && self.begged.contains(&place)
    }

    /// Whether a response of a view that the replica asked to leave in an earlier slot: it comes
    /// alone.
    pub(super) fn is_guarded(&self, message: &Message, now: Slot) -> bool {
        let place = (message.height, message.view);
        let asked = self.asked.get(&place);
        self.strict
            && message.kind.does().by == By::Backup
            && asked.is_some_and(|&asked| asked < now)
    }

    fn got_now(&self, now: Slot) -> impl Iterator<Item = &Message> {
        let recent = self.got.iter().rev().take_while(move |got| got.0 == now);
        recent.map(|(_, _, message)| message)
    }

    /// Whether the copy may arrive now, `quorum` replicas being one.
    pub(super) fn may_get(&self, copy: &Copy, now: Slot, quorum: usize) -> Result<(), LeftOut> {
        if !self.strict {
            return Ok(());
        }
        let message = &copy.message;
        let lone = self.got_now(now).any(|got| self.is_guarded(got, now));
        let first = self.got_now(now).next().is_none();
        if lone || (self.is_guarded(message, now) && !first) {
            return Err(LeftOut);
        }
        match message.kind.does().role {
            Role::Leave => self.may_get_change_view(copy, quorum),
            // It would be lost on the replica or not, by the order inside the slot.
            Role::Question if self.entered.contains(&(message.height, message.view)) => {
                Err(LeftOut)
            }
            _ => Ok(()),
        }
    }

    /// Requests of one sender come in order, and no quorum asks for more than the next view.
    fn may_get_change_view(&self, copy: &Copy, quorum: usize) -> Result<(), LeftOut> {
        let message = &copy.message;
        let (height, view) = self.began;
        if message.height != height || message.view < view {
            return Ok(());
        }
        let overtaken = self.got.iter().any(|(_, sender, got)| {
            *sender == copy.sender
                && (&got.kind, got.height) == (&message.kind, height)
                && got.view > message.view
        });
        let far = self.far.get(&self.began).copied().unwrap_or(0);
        if overtaken || (message.view > view && far + 1 >= quorum) {
            return Err(LeftOut);
        }
        Ok(())
    }

    /// The copy arrived.
    pub(super) fn get(&mut self, copy: &Copy, now: Slot) {
        let message = copy.message.clone();
        let (height, view) = self.began;
        if message.kind.is(Role::Leave) && message.height == height && message.view > view {
            *self.far.entry(self.began).or_default() += 1;
        }
        self.got.push((now, copy.sender, message));
    }

    /// What the replica did in one act, if all of it can be said; `views` are modelled.
    ///
    /// # Errors
    /// [`LeftOut`]; the past is then to be thrown away.
    pub(super) fn did(
        &mut self,
        events: &[TraceEvent],
        now: Slot,
        views: u32,
    ) -> Result<(), LeftOut> {
        for event in events {
            match (event.what, event.place, &event.message) {
                (What::EnterView, Some(place), _) => self.enter(place, now, views)?,
                (What::Send, _, Some(message)) => self.send(message, now)?,
                (What::Fault, _, _) => return Err(LeftOut),
                _ => {}
            }
        }
        Ok(())
    }

    /// Views are entered one per slot and none is skipped; a proposal, a question of the new view and
    /// a lone response do not come in that slot.
    fn enter(&mut self, (height, view): Place, now: Slot, views: u32) -> Result<(), LeftOut> {
        let next = (self.began.0, self.began.1.next());
        let lone = self.got_now(now).any(|got| self.is_guarded(got, now));
        let question = self
            .got_now(now)
            .any(|got| got.kind.is(Role::Question) && (got.height, got.view) == (height, view));
        if !self.strict {
            let twice = self.entered.iter().any(|(entered, _)| *entered == height);
            if view.0 >= views || twice {
                return Err(LeftOut);
            }
            self.entered.push((height, view));
            return Ok(());
        }
        if view.0 >= views || next != (height, view) || lone || question || self.proposed {
            return Err(LeftOut);
        }
        self.entered.push((height, view));
        Ok(())
    }

    fn send(&mut self, message: &Message, now: Slot) -> Result<(), LeftOut> {
        let place = (message.height, message.view);
        let does = message.kind.does();
        let again = match does.role {
            Role::Leave => self.asked.insert(place, now).is_some(),
            Role::Question => !self.begged.insert(place),
            Role::Vote if does.by == By::Backup => {
                self.got_for_another(message, now, false, |does| does.binds)
            }
            Role::Proposal => {
                self.proposed = true;
                self.got_for_another(message, now, true, |does| does.role == Role::Vote)
            }
            Role::Vote | Role::Decision | Role::Answer => false,
        };
        if again && self.strict {
            Err(LeftOut)
        } else {
            Ok(())
        }
    }

    /// Whether a vote for another block than the one prepared now was handed over before: in an
    /// earlier slot, or by now if `by_now`.
    fn got_for_another(
        &self,
        own: &Message,
        now: Slot,
        by_now: bool,
        votes: fn(&Does) -> bool,
    ) -> bool {
        let place = (own.height, own.view);
        // What waited for the replica to enter is handed over after the request.
        let late = self.entered.contains(&place);
        self.got.iter().any(|(slot, _, got)| {
            votes(got.kind.does())
                && (got.height, got.view) == place
                && got.value != own.value
                && (by_now || (*slot < now && !late))
        })
    }
}
