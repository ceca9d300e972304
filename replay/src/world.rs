//! Replicas, network and clock put together: what one act of the adversary makes happen.
//!
//! The schedule's driver (`run`), the heal phase and the random executions all act through a
//! [`World`]; it logs every event and chooses nothing.

use crate::{
    clock::Clock,
    network::{Network, Parcel, rank},
    protocols::{Output, Position, Replica, Rules},
    signature::{Keys, Signature, Signatures},
};
use milp_schema::{
    Height, Instance, Kind, Message, ReplicaId, Slot, View,
    instance::{FaultKind, Timeouts},
    schedule::Copy,
    trace::{Phase, TraceEvent, What},
};
use std::collections::BTreeMap;

/// One place at the table.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    /// The honest replica; meaningless if Byzantine.
    pub(crate) state: Replica,
    /// How it may misbehave.
    pub(crate) fault: Option<FaultKind>,
    /// Whether it is not crashed.
    pub(crate) up: bool,
    /// How often its timer fired since the count was last reset.
    pub(crate) fired: u32,
    /// Signatures of what it may have to repeat in a recovery message.
    vault: BTreeMap<(ReplicaId, Message), Signature>,
    /// What it said for recovery in the slot named, each with what it repeated.
    said: (Slot, Vec<Repeated>),
}

/// A message for recovery and what it carries.
type Repeated = (Message, Vec<(ReplicaId, Message)>);

impl Seat {
    /// Whether it follows the protocol and is not crashed now.
    pub(crate) fn is_live(&self) -> bool {
        self.up && self.is_honest()
    }

    /// Whether it follows the protocol while up.
    pub(crate) fn is_honest(&self) -> bool {
        self.fault != Some(FaultKind::Byzantine)
    }
}

/// The whole system at one moment.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) rules: Rules,
    pub(crate) seats: Vec<Seat>,
    pub(crate) network: Network,
    pub(crate) clock: Clock,
    pub(crate) phase: Phase,
    pub(crate) log: Vec<TraceEvent>,
    keys: Keys,
    /// Signatures on single messages that were found genuine: the same bytes need no second look,
    /// whoever receives them.
    genuine: BTreeMap<(ReplicaId, Message), Signature>,
}

impl World {
    /// Slot 0: everybody at height 0, view 0, timers armed if they follow the protocol.
    pub(crate) fn new(
        instance: &Instance,
        rules: Rules,
        faulty: &[(ReplicaId, FaultKind)],
        signatures: Signatures,
    ) -> Self {
        let n = instance.replicas;
        let fault = |id| {
            faulty
                .iter()
                .find(|(who, _)| *who == id)
                .map(|&(_, kind)| kind)
        };
        let seats = ReplicaId::all(n)
            .map(|id| Seat {
                state: Replica::new(id),
                fault: fault(id),
                up: true,
                fired: 0,
                vault: BTreeMap::new(),
                said: (Slot(0), Vec::new()),
            })
            .collect();
        let block_time = match instance.timeouts {
            Timeouts::Free => None,
            Timeouts::Protocol => instance.block_time.or(Some(instance.quorum())),
        };
        let mut world = Self {
            rules,
            seats,
            network: Network::new(n),
            clock: Clock::new(n, block_time),
            phase: Phase::Schedule,
            log: Vec::new(),
            keys: Keys::new(signatures, n),
            genuine: BTreeMap::new(),
        };
        for id in ReplicaId::all(n) {
            world.arm(id);
        }
        world
    }

    /// The honest state of a replica.
    pub(crate) fn state(&self, id: ReplicaId) -> &Replica {
        &self.seats[id.index()].state
    }

    /// Whether the timer armed for (`height`, `view`) can fire at `id` now.
    pub(crate) fn can_fire(&self, id: ReplicaId, height: Height, view: View) -> bool {
        let seat = &self.seats[id.index()];
        seat.is_live()
            && !seat.state.stopped(&self.rules)
            && (seat.state.height, seat.state.view) == (height, view)
    }

    /// Takes the copy out of flight and gives it to its receiver; whether it was in flight.
    pub(crate) fn deliver(&mut self, copy: &Copy) -> bool {
        let Some(parcel) = self.network.take(copy) else {
            return false;
        };
        let id = copy.receiver;
        let genuine = self.vouches(&parcel);
        let seat = &self.seats[id.index()];
        let what = match seat.state.position(&copy.message) {
            // A Byzantine replica takes everything and does nothing by rule (E11).
            _ if !seat.is_honest() => What::Deliver,
            _ if !seat.up || !genuine => What::Ignore,
            Position::Ahead => What::HoldBack,
            Position::Here => What::Deliver,
            Position::Passed => What::Ignore,
        };
        let (live, peer) = (seat.is_live() && genuine, Some(copy.sender));
        let (times, message) = (Some((copy.sent, copy.copy)), Some(copy.message.clone()));
        self.note(id, what, |event| TraceEvent {
            peer,
            copy: times,
            message,
            ..event
        });
        if what == What::HoldBack {
            self.network.hold_back(id, parcel);
        } else if live {
            self.hand(id, &parcel);
        }
        true
    }

    /// Loses the copy for ever; whether it was in flight.
    pub(crate) fn drop_copy(&mut self, copy: &Copy) -> bool {
        let known = self.network.take(copy).is_some();
        if known {
            let (peer, times) = (Some(copy.sender), Some((copy.sent, copy.copy)));
            let message = Some(copy.message.clone());
            self.note(copy.receiver, What::Drop, |event| TraceEvent {
                peer,
                copy: times,
                message,
                ..event
            });
        }
        known
    }

    /// A Byzantine replica makes a copy.
    pub(crate) fn inject(&mut self, copy: &Copy) {
        let (author, message) = (copy.sender, copy.message.clone());
        let signature = self.keys.sign(author, &message, &[]);
        let parcel = Parcel::new(author, message.clone(), signature, Vec::new());
        self.network.inject(copy.clone(), parcel);
        let (peer, times) = (Some(copy.receiver), Some((copy.sent, copy.copy)));
        self.note(author, What::Inject, |event| TraceEvent {
            peer,
            copy: times,
            message: Some(message),
            ..event
        });
    }

    /// The timer of a live replica fires; timers of the protocol run again for the same view.
    pub(crate) fn fire(&mut self, id: ReplicaId) {
        let (height, view) = (self.state(id).height, self.state(id).view);
        self.note(id, What::Timeout, |e| TraceEvent {
            place: Some((height, view)),
            ..e
        });
        self.seats[id.index()].fired += 1;
        self.rearm(id);
        let (rules, mut out) = (self.rules, Vec::new());
        self.seats[id.index()].state.on_timeout(&rules, &mut out);
        self.absorb(id, height, out);
        self.settle(id);
    }

    /// A timer that cannot fire was asked to.
    pub(crate) fn refuse_timeout(&mut self, id: ReplicaId, place: (Height, View)) {
        self.note(id, What::Ignore, |event| TraceEvent {
            place: Some(place),
            ..event
        });
    }

    /// Arms the timer after a firing: never the primary's first one again, and after that one for
    /// what is left of the duration that counts from the entry into the view.
    pub(crate) fn rearm(&mut self, id: ReplicaId) {
        let Some(block_time) = self.clock.block_time else {
            return;
        };
        let state = self.state(id);
        let first = state.is_primary(&self.rules) && !state.request_sent(&self.rules);
        let whole = Rules::duration(block_time, state.view, false);
        let due = self.clock.deadline(id);
        match due.filter(|_| first) {
            None => self.clock.arm(id, whole),
            Some(due) => {
                let entered = due.0 - Rules::duration(block_time, state.view, true);
                self.clock.arm_at(id, Slot(entered.saturating_add(whole)));
            }
        }
    }

    /// The replica stops (E12).
    pub(crate) fn crash(&mut self, id: ReplicaId) {
        self.note(id, What::Crash, |event| event);
        self.seats[id.index()].up = false;
        self.clock.disarm(id);
    }

    /// The replica returns (lines 22–23).
    pub(crate) fn restart(&mut self, id: ReplicaId, backup: bool) {
        self.note(id, What::Restart, |e| TraceEvent {
            backup: Some(backup),
            ..e
        });
        let (rules, mut out) = (self.rules, Vec::new());
        let seat = &mut self.seats[id.index()];
        seat.up = true;
        if !backup {
            seat.vault.clear();
        }
        seat.state.restart(&rules, backup, &mut out);
        let height = seat.state.height;
        self.absorb(id, height, out);
        self.arm(id);
        self.settle(id);
    }

    /// Arms the timer for the view a replica is in.
    pub(crate) fn arm(&mut self, id: ReplicaId) {
        let Some(block_time) = self.clock.block_time else {
            return;
        };
        let seat = &self.seats[id.index()];
        if !seat.is_live() || seat.state.stopped(&self.rules) {
            self.clock.disarm(id);
            return;
        }
        let first = seat.state.is_primary(&self.rules) && !seat.state.request_sent(&self.rules);
        self.clock
            .arm(id, Rules::duration(block_time, seat.state.view, first));
    }

    /// Whether the parcel is what its author signed.
    fn vouches(&mut self, parcel: &Parcel) -> bool {
        if !parcel.carried.is_empty() {
            return self.keys.verify(parcel);
        }
        let label = (parcel.author, parcel.message.clone());
        if self.genuine.get(&label) == Some(&parcel.signature) {
            return true;
        }
        let genuine = self.keys.verify(parcel);
        if genuine {
            self.genuine.insert(label, parcel.signature);
        }
        genuine
    }

    /// A genuine parcel that is not ahead is handed over, and with it what it carries (line 21).
    fn hand(&mut self, id: ReplicaId, parcel: &Parcel) {
        self.take(id, parcel, false);
        if parcel.message.kind == Kind::RecoveryMessage {
            let mut carried: Vec<&Parcel> = parcel.carried.iter().collect();
            carried.sort_by_key(|p| (p.message.kind != Kind::ChangeView, rank(&p.message)));
            for parcel in carried {
                self.hand_carried(id, parcel);
            }
        }
        self.settle(id);
    }

    fn hand_carried(&mut self, id: ReplicaId, parcel: &Parcel) {
        // A replica never receives a copy from itself (E2), not even inside another's message.
        if parcel.author == id || !self.vouches(parcel) {
            return;
        }
        match self.state(id).position(&parcel.message) {
            Position::Ahead => self.network.hold_back(id, parcel.clone()),
            Position::Passed => {}
            Position::Here => {
                let known = (parcel.author, parcel.message.clone());
                if !self.seats[id.index()].vault.contains_key(&known) {
                    self.log_hand_over(id, parcel, What::HandOver);
                }
                self.take(id, parcel, true);
                self.settle(id);
            }
        }
    }

    /// The receiver's handlers run.
    fn take(&mut self, id: ReplicaId, parcel: &Parcel, carried: bool) {
        let (rules, mut out) = (self.rules, Vec::new());
        let seat = &mut self.seats[id.index()];
        let height = seat.state.height;
        if rules.recovery && parcel.message.height == height {
            seat.vault
                .insert((parcel.author, parcel.message.clone()), parcel.signature);
        }
        seat.state
            .on_receive(&rules, parcel.author, &parcel.message, carried, &mut out);
        self.absorb(id, height, out);
    }

    /// Hands over what was held back, for as long as the receiver has got there (E4).
    fn settle(&mut self, id: ReplicaId) {
        loop {
            let state = &self.seats[id.index()].state;
            let ahead = |message: &Message| state.position(message) == Position::Ahead;
            let Some(parcel) = self.network.hand_over(id, ahead) else {
                return;
            };
            let passed = state.position(&parcel.message) == Position::Passed;
            let what = if passed { What::Ignore } else { What::HandOver };
            self.log_hand_over(id, &parcel, what);
            self.take(id, &parcel, false);
        }
    }

    fn log_hand_over(&mut self, id: ReplicaId, parcel: &Parcel, what: What) {
        let (peer, message) = (Some(parcel.author), Some(parcel.message.clone()));
        self.note(id, what, |event| TraceEvent {
            peer,
            message,
            ..event
        });
    }

    /// Outputs become copies, log entries and timers. `height` is the one the replica was at.
    fn absorb(&mut self, id: ReplicaId, height: Height, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(message) => self.broadcast(id, message, &[], What::Send),
                Output::Recover { message, carried } => {
                    self.broadcast(id, message, &carried, What::Recover);
                }
                Output::EnterView(view) => {
                    self.note(id, What::EnterView, |e| TraceEvent {
                        place: Some((height, view)),
                        ..e
                    });
                    self.arm(id);
                }
                Output::Decide(block) => {
                    let (view, index) = (block.view, Some(block.index));
                    let kind = Kind::Block;
                    let message = Message {
                        kind,
                        height,
                        view,
                        block: index,
                        target: None,
                    };
                    self.note(id, What::Decide, |e| TraceEvent {
                        message: Some(message),
                        ..e
                    });
                    self.arm(id);
                    self.seats[id.index()]
                        .vault
                        .retain(|(_, m), _| m.height > height);
                }
            }
        }
    }

    fn broadcast(
        &mut self,
        id: ReplicaId,
        message: Message,
        carried: &[(ReplicaId, Message)],
        what: What,
    ) {
        if what == What::Recover && self.repeats(id, &message, carried) {
            self.note(id, what, |event| TraceEvent {
                message: Some(message),
                ..event
            });
            return;
        }
        let vault = &self.seats[id.index()].vault;
        let carried: Vec<Parcel> = carried
            .iter()
            .map(|(author, message)| {
                let signature = vault[&(*author, message.clone())];
                Parcel::new(*author, message.clone(), signature, Vec::new())
            })
            .collect();
        let signature = self.keys.sign(id, &message, &carried);
        let parcel = Parcel::new(id, message.clone(), signature, carried);
        let kept = what == What::Recover && self.phase == Phase::Schedule;
        for receiver in ReplicaId::all(self.rules.replicas).filter(|&receiver| receiver != id) {
            self.network.send(receiver, self.clock.now, &parcel, kept);
        }
        if self.rules.recovery && message.height == self.state(id).height {
            self.seats[id.index()]
                .vault
                .insert((id, message.clone()), signature);
        }
        self.note(id, what, |event| TraceEvent {
            message: Some(message),
            ..event
        });
    }

    /// Whether the replica said the same for recovery in this slot already: once more would carry
    /// nothing new and arrive at the same time.
    fn repeats(
        &mut self,
        id: ReplicaId,
        message: &Message,
        carried: &[(ReplicaId, Message)],
    ) -> bool {
        let now = self.clock.now;
        let (slot, said) = &mut self.seats[id.index()].said;
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

    fn note(&mut self, id: ReplicaId, what: What, with: impl FnOnce(TraceEvent) -> TraceEvent) {
        self.log.push(with(TraceEvent {
            slot: self.clock.now,
            phase: self.phase,
            replica: id,
            what,
            peer: None,
            copy: None,
            message: None,
            place: None,
            backup: None,
            text: None,
        }));
    }
}
