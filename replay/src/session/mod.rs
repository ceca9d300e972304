//! An [`Engine`] put together with a network and a clock: what one act of the adversary makes
//! happen.
//!
//! The engine knows its replicas and numbers its messages; the session knows which copies of them
//! are in flight, held back or lost, which slot it is, and logs every event by its labels. It
//! chooses nothing: rows choose (`run`), then the heal phase (`heal`).
//!
//! ```text
//! rows --run--> Session --acts--> Engine
//!                  ^---- effects ----'     sends become copies, the rest the log
//!                  heal, stuck             what follows the last row, in acts and in words
//! mirror        the same engine under other names of replicas
//! ```

mod acts;
mod heal;
mod mirror;
mod rotation;
mod seat;
mod stuck;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;

pub(crate) use heal::heal;
pub(crate) use mirror::{Mirrored, other_name};

use crate::{
    Error, Signatures,
    engine::{self, Effect, Engine, Habits, MessageId, Nanos, Recovery, Start, State, Working},
    interpreter,
    network::{Network, Posted, rank},
};
use milp_schema::trace::{Phase, TraceEvent, What};
use milp_schema::{
    Height, Instance, Message, Protocol, ReplicaId, Slot, View,
    instance::{FaultKind, Timers},
    schedule::Copy,
    vocabulary::Role,
};
use seat::{Position, Seat};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What proposals are derived from: labels name blocks, so any number gives the same trace.
const SEED: u64 = 1;

/// The whole system at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Session<E> {
    engine: E,
    habits: Habits,
    /// Whose kinds and timer the replicas have.
    protocol: Protocol,
    /// Whether rows own the timers.
    free: bool,
    heights: u32,
    quorum: usize,
    /// How long a slot is for the engine.
    slot: Nanos,
    seats: Vec<Seat>,
    network: Network,
    now: Slot,
    phase: Phase,
    /// Whether replicas have done what they do of their own accord.
    opened: bool,
    log: Vec<TraceEvent>,
    /// What the engine said when it broke down, one sentence each.
    faults: Vec<String>,
    /// The published block of everybody who decided a height.
    ledger: BTreeMap<(ReplicaId, Height), (Message, MessageId)>,
    /// Who answered with which height's block in this slot.
    answered: BTreeSet<(ReplicaId, Height)>,
    /// Under [`Habits::unpacks`] and [`Habits::offers_again`]: the first number of every message, by its labels.
    numbers: BTreeMap<(ReplicaId, Message), MessageId>,
}

/// What is left of a session.
pub(crate) struct Ended {
    /// The engine's name, which one in another process says only when it starts.
    pub(crate) engine: String,
    pub(crate) log: Vec<TraceEvent>,
    pub(crate) faults: Vec<String>,
    /// What the engine has to say besides.
    pub(crate) remarks: Vec<String>,
}

impl<E: Engine> Session<E> {
    /// Slot 0: starts all replicas, which speak the instance's protocol. `quorum` is what the engine's replicas wait for.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn new(
        mut engine: E,
        instance: &Instance,
        quorum: usize,
        faulty: &[(ReplicaId, FaultKind)],
        (signatures, recovery): (Signatures, Recovery),
    ) -> Result<Self, Error> {
        let fault = |id| {
            let named = faulty.iter().find(|(who, _)| *who == id);
            named.map(|&(_, kind)| kind)
        };
        let replicas = instance.replicas;
        let byzantine = |id: &ReplicaId| fault(*id) == Some(FaultKind::Byzantine);
        let habits = engine.habits();
        let block_time = block_time(instance, habits);
        let slot = engine::slot(quorum);
        let start = Start {
            protocol: instance.protocol,
            replicas,
            power: interpreter::power(instance),
            heights: instance.heights,
            byzantine: ReplicaId::all(replicas).filter(byzantine).collect(),
            block_time: Nanos::from(block_time) * slot,
            seed: SEED,
            signatures,
            recovery,
        };
        let effects = engine.start(&start)?;
        let seats = ReplicaId::all(replicas).map(|id| Seat::new(fault(id)));
        let mut session = Self {
            engine,
            habits,
            protocol: instance.protocol,
            free: instance.timers == Timers::Free,
            heights: instance.heights,
            quorum,
            slot,
            seats: seats.collect(),
            network: Network::new(replicas),
            now: Slot(0),
            phase: Phase::Schedule,
            opened: false,
            log: Vec::new(),
            faults: Vec::new(),
            ledger: BTreeMap::new(),
            answered: BTreeSet::new(),
            numbers: BTreeMap::new(),
        };
        session.absorb(effects);
        Ok(session)
    }

    /// Takes the session apart.
    pub(crate) fn end(self) -> Ended {
        Ended {
            engine: self.engine.name(),
            log: self.log,
            faults: self.faults,
            remarks: self.engine.remarks(),
        }
    }

    fn seat(&self, id: ReplicaId) -> &Seat {
        &self.seats[id.index()]
    }

    fn everybody(&self) -> impl Iterator<Item = ReplicaId> + use<E> {
        ReplicaId::all(self.seats.len() as u32)
    }

    /// Where a replica is, as far as effects tell.
    pub(crate) fn place(&self, id: ReplicaId) -> (Height, View) {
        let seat = self.seat(id);
        (seat.height, seat.view)
    }

    /// What a live replica that has not decided every height knows.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn working(&mut self, id: ReplicaId) -> Result<Option<Working>, Error> {
        if !self.seat(id).is_live() || self.stopped(id) {
            return Ok(None);
        }
        Ok(match self.engine.state(id)? {
            State::Working(working) => Some(*working),
            State::Down(_) | State::Stopped(_) => None,
        })
    }

    /// Copies neither delivered nor lost.
    pub(crate) fn copies(&self) -> impl Iterator<Item = &Copy> {
        self.network.in_flight()
    }

    /// Whether the replica has decided every height.
    fn stopped(&self, id: ReplicaId) -> bool {
        self.seat(id).height.0 >= self.heights
    }

    /// The slot in which the timer of that name is due, if it runs: the first one that is not before
    /// its deadline, but none before it was armed.
    fn due(&self, id: ReplicaId, timer: &str) -> Option<Slot> {
        let (timer, armed) = self.seat(id).timer(timer, self.habits)?;
        let slot = timer.deadline.div_ceil(self.slot);
        let slot = Slot(u32::try_from(slot).unwrap_or(u32::MAX));
        Some(slot.max(*armed))
    }

    /// What an engine did: sends become copies, the rest moves a seat; everything is logged.
    fn absorb(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send {
                    replica,
                    id,
                    message,
                    carried,
                    recovery,
                } => self.broadcast((replica, id), message, carried, recovery),
                Effect::EnterView {
                    replica,
                    height,
                    view,
                } => {
                    self.seats[replica.index()].view = view;
                    self.note(replica, What::EnterView, |event| TraceEvent {
                        place: Some((height, view)),
                        ..event
                    });
                }
                Effect::Decide { replica, block } => {
                    let seat = &mut self.seats[replica.index()];
                    seat.decided = self.habits.goes_on;
                    if !seat.decided {
                        (seat.height, seat.view) = (block.height.next(), View(0));
                        seat.given.retain(|(_, given)| given.height > block.height);
                    }
                    let message = Message::about(self.protocol.decision(), block);
                    self.note(replica, What::Decide, |event| TraceEvent {
                        message: Some(message),
                        ..event
                    });
                }
                Effect::Timer { replica, timers } => {
                    self.seats[replica.index()].set(timers, self.now, self.habits);
                }
                Effect::Fault { replica, text } => {
                    let seat = &mut self.seats[replica.index()];
                    seat.up = false;
                    seat.timers.clear();
                    let slot = self.now;
                    self.faults.push(format!(
                        "slot {slot}: the engine of replica {replica} broke down: {text}"
                    ));
                    self.note(replica, What::Fault, |event| TraceEvent {
                        text: Some(text),
                        ..event
                    });
                }
            }
        }
    }

    fn broadcast(
        &mut self,
        (author, id): (ReplicaId, MessageId),
        message: Message,
        carried: Vec<(ReplicaId, Message)>,
        recovery: bool,
    ) {
        let what = if recovery { What::Recover } else { What::Send };
        let waits = recovery && self.habits.recovery_waits;
        let seat = &mut self.seats[author.index()];
        let again = waits && seat.repeats(self.now, &message, &carried);
        if !again {
            if message.kind.is(Role::Decision) {
                let place = (author, message.height);
                self.ledger.entry(place).or_insert((message.clone(), id));
            }
            let posted = Posted {
                author,
                message: message.clone(),
                id,
                carried: carried.into(),
            };
            self.number(&posted);
            self.post(&posted, waits && self.phase == Phase::Schedule);
        }
        self.note(author, what, |event| TraceEvent {
            message: Some(message),
            ..event
        });
    }

    fn number(&mut self, posted: &Posted) {
        if self.habits.unpacks || self.habits.offers_again {
            let labels = (posted.author, posted.message.clone());
            self.numbers.entry(labels).or_insert(posted.id);
        }
    }

    /// One copy for every other replica.
    fn post(&mut self, posted: &Posted, kept: bool) {
        for receiver in self.everybody().filter(|&id| id != posted.author) {
            self.network.send(receiver, self.now, posted, kept);
        }
    }

    /// The receiver gets a message, and what it carries where the stage unpacks that.
    fn hand(&mut self, id: ReplicaId, posted: &Posted) -> Result<(), Error> {
        self.give(id, posted)?;
        if self.habits.unpacks {
            let mut carried = posted.carried.to_vec();
            carried.sort_by_key(|(_, it)| (!it.kind.is(Role::Leave), rank(it)));
            for (author, message) in carried {
                self.hand_carried(id, author, message)?;
            }
        }
        self.settle(id)
    }

    fn give(&mut self, id: ReplicaId, posted: &Posted) -> Result<(), Error> {
        if self.habits.unpacks || self.habits.offers_again {
            self.seats[id.index()].is_given(posted.author, &posted.message);
        }
        let effects = self.engine.deliver(id, posted.id)?;
        self.absorb(effects);
        Ok(())
    }

    fn hand_carried(
        &mut self,
        id: ReplicaId,
        author: ReplicaId,
        message: Message,
    ) -> Result<(), Error> {
        // A replica never receives a copy from itself (E2), not even inside another's message.
        let number = self.numbers.get(&(author, message.clone()));
        let Some(&number) = number.filter(|_| author != id) else {
            return Ok(());
        };
        match self.seat(id).position(&message, self.habits) {
            Position::Ahead => {
                let posted = Posted {
                    author,
                    message,
                    id: number,
                    carried: Arc::default(),
                };
                self.network.hold_back(id, posted);
                Ok(())
            }
            Position::Here => {
                if self.seats[id.index()].is_given(author, &message) {
                    self.note_message(id, author, What::HandOver, message);
                }
                let effects = self.engine.hand_over(id, number)?;
                self.absorb(effects);
                self.settle(id)
            }
            Position::Passed | Position::Lost => Ok(()),
        }
    }

    /// Hands over what was held back, for as long as the receiver has got there (E4).
    fn settle(&mut self, id: ReplicaId) -> Result<(), Error> {
        let answers = self.habits.answers_passed;
        while self.seat(id).is_live() && (answers || !self.stopped(id)) {
            let (seat, habits) = (&self.seats[id.index()], self.habits);
            let ahead = |message: &Message| seat.position(message, habits) == Position::Ahead;
            let Some(posted) = self.network.hand_over(id, ahead) else {
                return Ok(());
            };
            let here = seat.position(&posted.message, habits) == Position::Here;
            let what = if here { What::HandOver } else { What::Ignore };
            self.note_message(id, posted.author, what, posted.message.clone());
            if here || answers {
                self.give(id, &posted)?;
            }
        }
        Ok(())
    }

    fn note_message(&mut self, id: ReplicaId, author: ReplicaId, what: What, message: Message) {
        self.note(id, what, |event| TraceEvent {
            peer: Some(author),
            message: Some(message),
            ..event
        });
    }

    fn note(&mut self, id: ReplicaId, what: What, with: impl FnOnce(TraceEvent) -> TraceEvent) {
        self.log.push(with(TraceEvent {
            phase: self.phase,
            ..TraceEvent::at(self.now, id, what)
        }));
    }

    fn note_copy(&mut self, at: ReplicaId, peer: ReplicaId, what: What, copy: &Copy) {
        let (times, message) = (Some((copy.sent, copy.copy)), Some(copy.message.clone()));
        self.note(at, what, |event| TraceEvent {
            peer: Some(peer),
            copy: times,
            message,
            ..event
        });
    }
}

/// T in slots. Free timers have no duration while rows fire them. Those that are armed anew take
/// the quorum; those that run all along one so long that none is overdue when the heal phase begins,
/// which would fire before what is in flight can arrive.
fn block_time(instance: &Instance, habits: Habits) -> u32 {
    let quorum = instance.quorum();
    match (habits.arms_anew, instance.timers) {
        (true, Timers::Free) => quorum,
        (true, Timers::Protocol) => instance.block_time.unwrap_or(quorum),
        (false, _) => {
            let beyond_horizon = (instance.slots / quorum + 1) * quorum;
            instance.block_time.unwrap_or(beyond_horizon)
        }
    }
}
