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

mod heal;
mod mirror;
mod stuck;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;

pub(crate) use heal::heal;
pub(crate) use mirror::Mirrored;

use crate::{
    Error, Signatures,
    engine::{self, Effect, Engine, MessageId, Nanos, Recovery, Start, State, Timer, Working},
    network::{Letter, Network},
    run::Stage,
    trace::{Phase, TraceEvent, What},
};
use milp_schema::{
    Height, Instance, Kind, Message, ReplicaId, Slot, View, instance::FaultKind, schedule::Copy,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What proposals are derived from: labels name blocks, so any number gives the same trace.
const SEED: u64 = 1;

/// A message of the engine on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Posted {
    author: ReplicaId,
    message: Message,
    id: MessageId,
    carried: Arc<[(ReplicaId, Message)]>,
}

impl Letter for Posted {
    fn author(&self) -> ReplicaId {
        self.author
    }

    fn message(&self) -> &Message {
        &self.message
    }

    fn carried(&self) -> Arc<[(ReplicaId, Message)]> {
        Arc::clone(&self.carried)
    }
}

/// One place at the table, as far as effects tell.
#[derive(Debug, Clone)]
struct Seat {
    fault: Option<FaultKind>,
    up: bool,
    height: Height,
    view: View,
    timer: Option<Timer>,
    /// The slot in which the timer last changed.
    armed: Slot,
    /// How often the timer fired.
    fired: u32,
}

impl Seat {
    /// Whether it follows the protocol and is not crashed now.
    fn is_live(&self) -> bool {
        self.up && self.fault != Some(FaultKind::Byzantine)
    }

    /// Where a message stands relative to this replica (E4, E20).
    fn position(&self, message: &Message) -> Position {
        let votes = matches!(
            message.kind,
            Kind::PrepareRequest | Kind::PrepareResponse | Kind::Commit
        );
        let recovery = matches!(message.kind, Kind::RecoveryRequest | Kind::RecoveryMessage);
        if message.height < self.height {
            Position::Passed
        } else if recovery {
            // An engine drops these where it has not got there itself.
            let question = message.kind == Kind::RecoveryRequest && message.view > self.view;
            let early = message.height > self.height || question;
            if early {
                Position::Lost
            } else {
                Position::Here
            }
        } else if message.height > self.height || (votes && message.view > self.view) {
            Position::Ahead
        } else {
            Position::Here
        }
    }
}

/// Where a message stands relative to its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// The network holds it back until the receiver gets there.
    Ahead,
    /// It is recovery, never held back, and comes too early to say anything.
    Lost,
    /// The receiver judges it. What it does with a vote of a passed view is its own rule.
    Here,
    /// The receiver has left the height.
    Passed,
}

/// The whole system at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Session<E> {
    engine: E,
    heights: u32,
    quorum: usize,
    /// How long a slot is for the engine.
    slot: Nanos,
    seats: Vec<Seat>,
    network: Network<Posted>,
    now: Slot,
    phase: Phase,
    log: Vec<TraceEvent>,
    /// What the engine said when it broke down, one sentence each.
    faults: Vec<String>,
    /// The published block of everybody who decided a height.
    ledger: BTreeMap<(ReplicaId, Height), (Message, MessageId)>,
    /// Who answered with which height's block in this slot.
    answered: BTreeSet<(ReplicaId, Height)>,
}

/// What is left of a session.
pub(crate) struct Ended {
    /// The engine's name, which one in another process says only when it starts.
    pub(crate) engine: String,
    pub(crate) log: Vec<TraceEvent>,
    pub(crate) faults: Vec<String>,
}

impl<E: Engine> Session<E> {
    /// Slot 0: starts all replicas. `quorum` is what the engine's replicas wait for.
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
        let block_time = block_time(instance);
        let slot = engine::slot(quorum);
        let effects = engine.start(&Start {
            replicas,
            heights: instance.heights,
            byzantine: ReplicaId::all(replicas).filter(byzantine).collect(),
            block_time: Nanos::from(block_time) * slot,
            seed: SEED,
            signatures,
            recovery,
        })?;
        let seats = ReplicaId::all(replicas).map(|id| Seat {
            fault: fault(id),
            up: true,
            height: Height(0),
            view: View(0),
            timer: None,
            armed: Slot(0),
            fired: 0,
        });
        let mut session = Self {
            engine,
            heights: instance.heights,
            quorum,
            slot,
            seats: seats.collect(),
            network: Network::new(replicas),
            now: Slot(0),
            phase: Phase::Schedule,
            log: Vec::new(),
            faults: Vec::new(),
            ledger: BTreeMap::new(),
            answered: BTreeSet::new(),
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

    /// The slot in which the timer is due: the first one that is not before its deadline, but none
    /// before it was armed.
    fn due(&self, id: ReplicaId) -> Option<Slot> {
        let Seat { timer, armed, .. } = self.seat(id);
        let slot = timer.as_ref()?.deadline.div_ceil(self.slot);
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
                } => self.broadcast(replica, id, message, carried),
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
                    (seat.height, seat.view) = (block.height.next(), View(0));
                    let message = Message {
                        kind: Kind::Block,
                        height: block.height,
                        view: block.view,
                        block: Some(block.index),
                        target: None,
                    };
                    self.note(replica, What::Decide, |event| TraceEvent {
                        message: Some(message),
                        ..event
                    });
                }
                Effect::Timer { replica, timer } => {
                    let now = self.now;
                    let seat = &mut self.seats[replica.index()];
                    (seat.timer, seat.armed) = (timer, now);
                }
                Effect::Fault { replica, text } => {
                    let seat = &mut self.seats[replica.index()];
                    (seat.up, seat.timer) = (false, None);
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
        author: ReplicaId,
        id: MessageId,
        message: Message,
        carried: Vec<(ReplicaId, Message)>,
    ) {
        // Recovery messages are not predicted, recovery requests are (E21).
        let what = if message.kind == Kind::RecoveryMessage {
            What::Recover
        } else {
            What::Send
        };
        if message.kind == Kind::Block {
            let place = (author, message.height);
            self.ledger.entry(place).or_insert((message.clone(), id));
        }
        self.post(&Posted {
            author,
            message: message.clone(),
            id,
            carried: carried.into(),
        });
        self.note(author, what, |event| TraceEvent {
            message: Some(message),
            ..event
        });
    }

    /// One copy for every other replica.
    fn post(&mut self, posted: &Posted) {
        for receiver in self.everybody().filter(|&id| id != posted.author) {
            self.network.send(receiver, self.now, posted, false);
        }
    }

    /// Hands over what was held back, for as long as the receiver has got there (E4).
    fn settle(&mut self, id: ReplicaId) -> Result<(), Error> {
        while self.seat(id).is_live() && !self.stopped(id) {
            let seat = &self.seats[id.index()];
            let ahead = |message: &Message| seat.position(message) == Position::Ahead;
            let Some(posted) = self.network.hand_over(id, ahead) else {
                return Ok(());
            };
            let here = seat.position(&posted.message) == Position::Here;
            let what = if here { What::HandOver } else { What::Ignore };
            let (peer, message) = (Some(posted.author), Some(posted.message));
            self.note(id, what, |event| TraceEvent {
                peer,
                message,
                ..event
            });
            if here {
                let effects = self.engine.deliver(id, posted.id)?;
                self.absorb(effects);
            }
        }
        Ok(())
    }

    fn note(&mut self, id: ReplicaId, what: What, with: impl FnOnce(TraceEvent) -> TraceEvent) {
        self.log.push(with(TraceEvent {
            slot: self.now,
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

/// T in slots. Free timers have no duration while rows fire them; theirs is so long that none is
/// overdue when the heal phase begins, which would fire before what is in flight can arrive.
fn block_time(instance: &Instance) -> u32 {
    let quorum = instance.quorum();
    let beyond_horizon = (instance.slots / quorum + 1) * quorum;
    instance.block_time.unwrap_or(beyond_horizon)
}

impl<E: Engine> Stage for Session<E> {
    fn begin(&mut self, slot: Slot) -> Result<(), Error> {
        self.now = slot;
        self.answered.clear();
        let effects = self.engine.advance(Nanos::from(slot.0) * self.slot)?;
        self.absorb(effects);
        Ok(())
    }

    fn deliver(&mut self, copy: &Copy) -> Result<bool, Error> {
        let Some(posted) = self.network.take(copy) else {
            return Ok(false);
        };
        let id = copy.receiver;
        let seat = self.seat(id);
        let position = seat.position(&copy.message);
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
            Position::Passed => self.answer(id, &copy.message),
            // What is lost on the engine is its own doing: it gets it and drops it.
            Position::Here | Position::Lost => {
                let effects = self.engine.deliver(id, posted.id)?;
                self.absorb(effects);
                self.settle(id)?;
            }
        }
        Ok(true)
    }

    fn drop_copy(&mut self, copy: &Copy) -> bool {
        let known = self.network.take(copy).is_some();
        if known {
            self.note_copy(copy.receiver, copy.sender, What::Drop, copy);
        }
        known
    }

    fn inject(&mut self, copy: &Copy) -> Result<(), Error> {
        let id = self.engine.inject(copy.sender, &copy.message)?;
        let posted = Posted {
            author: copy.sender,
            message: copy.message.clone(),
            id,
            carried: Arc::default(),
        };
        self.network.inject(copy.clone(), posted);
        self.note_copy(copy.sender, copy.receiver, What::Inject, copy);
        Ok(())
    }

    fn crash(&mut self, id: ReplicaId) -> Result<(), Error> {
        self.note(id, What::Crash, |event| event);
        let seat = &mut self.seats[id.index()];
        (seat.up, seat.timer) = (false, None);
        let effects = self.engine.crash(id)?;
        self.absorb(effects);
        Ok(())
    }

    /// Input with a backup was refused: an engine keeps its ledger and nothing else.
    fn restart(&mut self, id: ReplicaId, backup: bool) -> Result<(), Error> {
        self.note(id, What::Restart, |event| TraceEvent {
            backup: Some(backup),
            ..event
        });
        let seat = &mut self.seats[id.index()];
        (seat.up, seat.view) = (true, View(0));
        let effects = self.engine.restart(id)?;
        self.absorb(effects);
        self.settle(id)
    }

    fn can_fire(&self, id: ReplicaId, height: Height, view: View) -> bool {
        let seat = self.seat(id);
        seat.is_live() && !self.stopped(id) && (seat.height, seat.view) == (height, view)
    }

    fn refuse_timeout(&mut self, id: ReplicaId, place: (Height, View)) {
        self.note(id, What::Ignore, |event| TraceEvent {
            place: Some(place),
            ..event
        });
    }

    fn deadline(&self, id: ReplicaId) -> Option<Slot> {
        self.due(id)
    }

    fn fire(&mut self, id: ReplicaId) -> Result<(), Error> {
        let seat = &mut self.seats[id.index()];
        seat.fired += 1;
        let (height, view) = (seat.height, seat.view);
        self.note(id, What::Timeout, |event| TraceEvent {
            place: Some((height, view)),
            ..event
        });
        let effects = self.engine.timeout(id, height, view)?;
        self.absorb(effects);
        self.settle(id)
    }

    /// A firing at a replica that has committed only asks for recovery.
    fn missed(&mut self, id: ReplicaId) -> Result<Option<(Height, View)>, Error> {
        if self.due(id) != Some(self.now) || !self.seat(id).is_live() || self.stopped(id) {
            return Ok(None);
        }
        let State::Working(working) = self.engine.state(id)? else {
            return Ok(None);
        };
        let matters = working.bonds.is_empty();
        Ok(matters.then_some((working.height, working.view)))
    }

    fn is_up(&self, id: ReplicaId) -> bool {
        self.seat(id).up
    }

    fn fault(&self, id: ReplicaId) -> Option<FaultKind> {
        self.seat(id).fault
    }

    fn in_flight(&self) -> Vec<Copy> {
        self.network.in_flight().cloned().collect()
    }

    fn log(&self) -> &[TraceEvent] {
        &self.log
    }
}
