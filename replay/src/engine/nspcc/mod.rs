//! dBFT 2.0, protocol `dbft2-nspcc`: our own replicas, in process, doing exactly what the Go engine does.
//!
//! The rules of `docs/protocols/dbft2-nspcc.md`, by line (`L23`); names mirror nspcc-dev/dbft
//! (`on_prepare_request`, `check_prepare`, `send_commit`), so the two can be read side by side.
//! [`crate::engine::fuzz`] compares them with the engine itself.
//!
//! ```text
//! Nspcc        all replicas of a run, the messages sent, the clock
//!   replica    what one replica knows; entering heights and views       L1–6, L22, L52–53
//!   receive    preparations, commits, the decision                      L7–30
//!   change_view                                                         L31–37, L41–43
//!   timeout    timeouts and proposals                                   L38–40, L44–45
//!   recovery                                                            L46–51
//!   rules, payload, ledger, timer, defect
//! ```

mod change_view;
mod defect;
mod ledger;
mod payload;
mod receive;
mod recovery;
mod replica;
mod rules;
mod timeout;
mod timer;

#[cfg(test)]
mod tests;

pub use defect::Defect;
pub use rules::Switches;

use super::{Effect, Engine, EngineError, MessageId, Nanos, Start, State};
use crate::protocols::Name;
use ledger::{Branches, Sealed, Tip};
use milp_schema::{BlockId, Height, Instance, Message, Protocol, ReplicaId, View};
use payload::{Body, Payload};
use replica::Replica;
use rules::Rules;
use std::collections::{BTreeMap, BTreeSet};
use timer::Duration;

/// The engine counts views with eight bits.
const LAST_VIEW: View = View(255);

/// What was ever said, by whomever.
#[derive(Debug, Clone, Default)]
struct Record {
    /// Message number i + 1 at position i.
    messages: Vec<Payload>,
    /// How many blocks the honest primary of a view proposed.
    proposals: BTreeMap<(Height, View), u32>,
    /// Every block a request was made for.
    proposed: BTreeSet<BlockId>,
    branches: Branches,
}

impl Record {
    fn add(&mut self, payload: Payload) -> MessageId {
        if let Body::PrepareRequest(block) = payload.body {
            self.proposed.insert(block);
        }
        self.messages.push(payload);
        MessageId(self.messages.len() as u64)
    }

    fn get(&self, id: MessageId) -> Option<&Payload> {
        let position = usize::try_from(id.0).ok()?.checked_sub(1)?;
        self.messages.get(position)
    }

    /// The next block of the honest primary of a view, whatever it forgot in a crash.
    fn propose(&mut self, height: Height, view: View) -> BlockId {
        let next = self.proposals.entry((height, view)).or_default();
        let index = *next;
        *next += 1;
        BlockId {
            height,
            view,
            index,
        }
    }
}

/// One act at one replica: what it may look at and what it makes happen.
#[derive(Debug)]
struct Act<'a> {
    rules: &'a Rules,
    record: &'a mut Record,
    now: Nanos,
    effects: Vec<Effect>,
    /// The block that became final in this act.
    decided: Option<Sealed>,
    /// Why the engine stopped short.
    fault: Option<&'static str>,
}

impl Act<'_> {
    fn broadcast(&mut self, payload: Payload) {
        let (replica, message, carried) = (payload.author, payload.label(), payload.carried());
        let recovery = message.kind == Name::RecoveryMessage;
        let id = self.record.add(payload);
        self.effects.push(Effect::Send {
            replica,
            id,
            message,
            carried,
            recovery,
        });
    }
}

/// Where a replica is.
#[derive(Debug, Clone)]
enum Place {
    Byzantine,
    Down,
    Stopped,
    Working(Box<Replica>),
}

/// A replica with what survives its crashes.
#[derive(Debug, Clone)]
struct Seat {
    /// How many blocks it decided: its height.
    decided: Height,
    /// The last of them.
    tip: Tip,
    place: Place,
}

/// A run: all replicas, what they said, and the clock.
#[derive(Debug, Clone)]
struct Run {
    rules: Rules,
    record: Record,
    seats: Vec<Seat>,
    now: Nanos,
}

impl Run {
    /// Does something at a working replica and what follows from it: the next height after a
    /// decision, the end after the last one, a crash after a fault.
    fn act(&mut self, who: ReplicaId, what: impl FnOnce(&mut Replica, &mut Act)) -> Vec<Effect> {
        let seat = &mut self.seats[who.index()];
        let Place::Working(replica) = &mut seat.place else {
            return Vec::new();
        };
        let before = replica.timers(&self.rules);
        let mut act = Act {
            rules: &self.rules,
            record: &mut self.record,
            now: self.now,
            effects: Vec::new(),
            decided: None,
            fault: None,
        };
        what(replica, &mut act);
        while let Some(sealed) = act.decided.take() {
            act.record.branches.note(sealed);
            seat.tip = act.record.branches.tip(sealed);
            seat.decided = seat.decided.next();
            if seat.decided.0 == act.rules.heights {
                break;
            }
            replica.start_height(&mut act, seat.decided, seat.tip);
        }
        let (mut effects, fault) = (act.effects, act.fault);
        let mut timers = replica.timers(&self.rules);
        if let Some(text) = fault {
            effects.push(Effect::Fault {
                replica: who,
                text: text.to_owned(),
            });
            seat.place = Place::Down;
            timers.clear();
        } else if seat.decided.0 == self.rules.heights {
            seat.place = Place::Stopped;
            timers.clear();
        }
        if timers != before {
            effects.push(Effect::Timer {
                replica: who,
                timers,
            });
        }
        effects
    }
}

/// The protocol of these replicas.
pub fn protocol() -> Protocol {
    Protocol::shipped("dbft2-nspcc")
}

/// Whether the instance's protocol is the one of these replicas.
pub(crate) fn follows(instance: &Instance) -> bool {
    instance.protocol == protocol()
}

/// All replicas of a run.
///
/// A message that is ahead of its receiver should be held back by the caller: the engine would
/// keep it and replay what it kept in a random order, and these replicas replay it by author.
#[derive(Debug, Clone)]
pub struct Nspcc {
    switches: Switches,
    defect: Option<Defect>,
    run: Option<Run>,
}

impl Nspcc {
    /// Replicas that have not started.
    pub fn new(switches: Switches) -> Self {
        Self {
            switches,
            defect: None,
            run: None,
        }
    }

    /// The same with a deliberate defect.
    pub fn with_defect(self, defect: Defect) -> Self {
        Self {
            defect: Some(defect),
            ..self
        }
    }

    fn run(&mut self, act: &str) -> Result<&mut Run, EngineError> {
        let run = self.run.as_mut();
        run.ok_or_else(|| refused(act, "nothing has started"))
    }

    /// The run and the honest replica that `act` is about.
    fn honest(&mut self, act: &str, who: ReplicaId) -> Result<(&mut Run, usize), EngineError> {
        let run = self.run(act)?;
        match run.seats.get(who.index()).map(|seat| &seat.place) {
            None => Err(refused(act, format!("there is no replica {who}"))),
            Some(Place::Byzantine) => Err(refused(act, format!("replica {who} is Byzantine"))),
            Some(_) => Ok((run, who.index())),
        }
    }

    /// The run, if the honest replica that `act` is about is up.
    fn up(&mut self, act: &str, who: ReplicaId) -> Result<&mut Run, EngineError> {
        let (run, seat) = self.honest(act, who)?;
        if matches!(run.seats[seat].place, Place::Down) {
            return Err(refused(act, format!("replica {who} is down")));
        }
        Ok(run)
    }
}

fn refused(act: &str, why: impl Into<String>) -> EngineError {
    EngineError::Refused {
        act: act.to_owned(),
        why: why.into(),
    }
}

impl Engine for Nspcc {
    fn name(&self) -> String {
        let mut name = "dbft2-nspcc".to_owned();
        if self.switches.no_commit_lock {
            name += "+no-commit-lock";
        }
        if self.switches.small_quorum {
            name += "+small-quorum";
        }
        if let Some(defect) = self.defect {
            name += "+defect:";
            name += defect.name();
        }
        name
    }

    fn start(&mut self, start: &Start) -> Result<Vec<Effect>, EngineError> {
        if self.run.is_some() {
            return Err(refused("a start", "the run has started"));
        }
        let Ok(block_time) = Duration::try_from(start.block_time) else {
            return Err(refused("a start", "the block time is too long"));
        };
        if start.replicas == 0 || start.heights == 0 {
            return Err(refused("a start", "there is nobody, or nothing to decide"));
        }
        let rules = Rules {
            timer: start.protocol.timer(),
            switches: self.switches,
            defect: self.defect,
            replicas: start.replicas,
            heights: start.heights,
            block_time,
            recovery: start.recovery,
        };
        let seat = |id| Seat {
            decided: Height(0),
            tip: Tip::GENESIS,
            place: if start.byzantine.contains(&id) {
                Place::Byzantine
            } else {
                Place::Working(Box::new(Replica::new(id, &rules)))
            },
        };
        let seats = ReplicaId::all(start.replicas).map(seat).collect();
        let run = self.run.insert(Run {
            rules,
            record: Record::default(),
            seats,
            now: 0,
        });
        let effects = ReplicaId::all(start.replicas).flat_map(|id| {
            run.act(id, |replica, act| {
                replica.start_height(act, Height(0), Tip::GENESIS);
            })
        });
        Ok(effects.collect())
    }

    fn deliver(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        const ACT: &str = "a delivery";
        let run = self.up(ACT, to)?;
        let Some(payload) = run.record.get(id).cloned() else {
            return Err(refused(ACT, format!("there is no message {}", id.0)));
        };
        if payload.author == to {
            return Err(refused(ACT, format!("message {} is its own", id.0)));
        }
        Ok(run.act(to, |replica, act| match &payload.body {
            Body::Block(block) => replica.on_block(act, block),
            _ => replica.on_receive(act, &payload),
        }))
    }

    fn timeout(
        &mut self,
        at: ReplicaId,
        timer: &str,
        (height, view): (Height, View),
    ) -> Result<Vec<Effect>, EngineError> {
        const ACT: &str = "a timeout";
        let run = self.up(ACT, at)?;
        if timer != run.rules.timer {
            return Err(refused(ACT, format!("there is no timer `{timer}`")));
        }
        Ok(run.act(at, |replica, act| replica.on_timeout(act, height, view)))
    }

    fn inject(&mut self, by: ReplicaId, message: &Message) -> Result<MessageId, EngineError> {
        const ACT: &str = "an injection";
        let run = self.run(ACT)?;
        let place = run.seats.get(by.index()).map(|seat| &seat.place);
        if !matches!(place, Some(Place::Byzantine)) {
            return Err(refused(ACT, format!("replica {by} is not Byzantine")));
        }
        if message.height.0 >= run.rules.heights {
            return Err(refused(
                ACT,
                format!("there is no height {}", message.height),
            ));
        }
        let asks = message.kind == Name::ChangeView;
        if message.view.0 + u32::from(asks) > LAST_VIEW.0 {
            return Err(refused(ACT, format!("views end at {LAST_VIEW}")));
        }
        let plain = Message::new(message.kind, message.height, message.view, message.index());
        let block = message.block_id().filter(|_| *message == plain);
        let body = match (Name::of(message.kind), block) {
            (Some(Name::PrepareRequest), Some(block))
                if by == run.rules.primary(message.height, message.view) =>
            {
                Body::PrepareRequest(block)
            }
            (Some(Name::PrepareResponse), Some(block)) => Body::PrepareResponse(block),
            (Some(Name::Commit), Some(block)) => Body::Commit(Sealed {
                block,
                on: run.record.branches.below(block.height),
            }),
            (Some(Name::ChangeView), None) if *message == plain => Body::ChangeView,
            _ => return Err(refused(ACT, format!("no replica says `{message}`"))),
        };
        Ok(run.record.add(Payload {
            author: by,
            height: message.height,
            view: message.view,
            body,
        }))
    }

    fn crash(&mut self, who: ReplicaId) -> Result<Vec<Effect>, EngineError> {
        let run = self.up("a crash", who)?;
        let place = std::mem::replace(&mut run.seats[who.index()].place, Place::Down);
        Ok(match place {
            Place::Working(_) => vec![Effect::Timer {
                replica: who,
                timers: Vec::new(),
            }],
            Place::Byzantine | Place::Down | Place::Stopped => Vec::new(),
        })
    }

    fn restart(&mut self, who: ReplicaId, _backup: bool) -> Result<Vec<Effect>, EngineError> {
        let (run, seat) = self.honest("a restart", who)?;
        let Seat {
            decided,
            tip,
            place,
        } = &mut run.seats[seat];
        if !matches!(place, Place::Down) {
            return Err(refused("a restart", format!("replica {who} is up")));
        }
        if decided.0 == run.rules.heights {
            *place = Place::Stopped;
            return Ok(Vec::new());
        }
        let (height, tip) = (*decided, *tip);
        *place = Place::Working(Box::new(Replica::new(who, &run.rules)));
        Ok(run.act(who, |replica, act| {
            replica.start_height(act, height, tip);
            if replica.is_primary(act.rules) {
                replica.send_prepare_request(act); // L2
            }
        }))
    }

    fn advance(&mut self, now: Nanos) -> Result<Vec<Effect>, EngineError> {
        let run = self.run("an advance")?;
        if now < run.now {
            return Err(refused("an advance", "the clock would run backwards"));
        }
        run.now = now;
        Ok(Vec::new())
    }

    fn state(&mut self, who: ReplicaId) -> Result<State, EngineError> {
        let (run, seat) = self.honest("a look", who)?;
        let Seat { decided, place, .. } = &run.seats[seat];
        Ok(match place {
            Place::Byzantine | Place::Down => State::Down(*decided),
            Place::Stopped => State::Stopped(*decided),
            Place::Working(replica) => {
                State::Working(Box::new(replica.working(&run.rules, &run.record.proposed)))
            }
        })
    }
}
