//! The replicas of any protocol that is a file, made from its rules.
//!
//! What a rule means stands in [`milp_schema::protocol`]; this is one of two readings of it, and
//! shares nothing with the other. [`replica`] is what a replica made and took and which rules it
//! does then, [`guard`] what a guard reads; here they stand behind [`Engine`], with deadlines and
//! numbers of messages. A replica is a state machine without a clock, a network or a key, plain
//! data that can be cloned and compared.
//!
//! What a restart without backup forgets is everything of the height, own records included.

#[cfg(test)]
#[path = "chains/tests.rs"]
mod chains;
pub(crate) mod good;
mod guard;
pub(crate) mod guilt;
mod replica;
pub(crate) mod search;
#[cfg(test)]
mod tests;

use crate::{
    Error,
    engine::{
        Bond, Effect, Engine, EngineError, Habits, MessageId, Nanos, Start, State, Timer, Vote,
        Working,
    },
};
use milp_schema::{
    Height, Instance, Kind, Message, Protocol, ReplicaId, Value, View,
    instance::Primary,
    protocol::{Number, Rules, TimerId},
    schedule::Event,
    vocabulary::By,
};
use replica::{Record, Replica, Taken};
use std::{collections::BTreeMap, sync::Arc};

/// What a run's replicas are told before it starts.
#[derive(Debug)]
struct Setup {
    name: String,
    protocol: Protocol,
    rules: Rules,
    /// The kinds of messages by their place in the rules; none for what is kept.
    kinds: Vec<Option<Kind>>,
    /// Whether some guard reads proofs.
    proves: bool,
    replicas: u32,
    heights: u32,
    /// Voting power by replica.
    power: Vec<u32>,
}

impl Setup {
    fn primary(&self, height: Height, view: View) -> ReplicaId {
        self.protocol.primary(self.replicas, height, view)
    }

    /// Whether a replica is one of `who` in that view.
    fn may(&self, id: ReplicaId, who: By, height: Height, view: View) -> bool {
        let leads = self.primary(height, view) == id;
        match who {
            By::Any => true,
            By::Primary => leads,
            By::Backup => !leads,
        }
    }

    /// How much voting power that is.
    fn needs(&self, number: &Number) -> u32 {
        let all: u32 = self.power.iter().sum();
        self.rules.count(number).of(all, all.saturating_sub(1) / 3)
    }
}

/// A message, with the record that it is.
#[derive(Debug, Clone)]
struct Post {
    author: ReplicaId,
    message: Message,
    /// None if nobody takes it, whatever they are told.
    record: Option<Record>,
}

impl Post {
    /// The record for who is at a height, if its author may make it.
    fn for_height(&self, setup: &Setup, height: Height) -> Option<Taken> {
        let record = self.record.filter(|_| self.message.height == height)?;
        let by = setup.rules.kind(record.kind).by;
        let may = setup.may(self.author, by, height, record.view);
        may.then_some(record.of(self.author, 0))
    }
}

/// What everybody's replicas share.
#[derive(Debug, Clone)]
struct World {
    setup: Arc<Setup>,
    /// Message number i + 1 at position i.
    posts: Vec<Post>,
    /// What a replica has done in its act.
    effects: Vec<Effect>,
    /// The timers that it has started anew.
    started: Vec<TimerId>,
}

impl World {
    /// A message is there from now on; where among those posted.
    fn post(&mut self, author: ReplicaId, message: Message) -> usize {
        let rules = &self.setup.rules;
        let record = rules.named(message.kind.name()).map(|kind| Record {
            kind,
            view: message.view,
            value: message.value,
            justification: message.justification,
        });
        let record = record.filter(|record| guard::well_formed(rules, record));
        self.posts.push(Post {
            author,
            message,
            record,
        });
        self.posts.len() - 1
    }
}

/// One place at the table.
#[derive(Debug, Clone)]
struct Seat {
    /// The honest replica; meaningless if Byzantine.
    replica: Replica,
    /// Whether it follows the protocol and is not crashed.
    live: bool,
    /// When its timers are due.
    deadlines: BTreeMap<TimerId, Nanos>,
}

/// All replicas of one run.
#[derive(Debug, Clone)]
pub(crate) struct Interpreter {
    world: World,
    seats: Vec<Seat>,
    block_time: Nanos,
    now: Nanos,
}

/// The rules of an instance's protocol, mutant included; none if no file states them.
///
/// # Errors
/// A mutant that the rules do not have.
pub(crate) fn rules(instance: &Instance) -> Result<Option<Rules>, Error> {
    if instance.protocol.definition().is_none() {
        return Ok(None);
    }
    instance
        .rules()
        .map(Some)
        .ok_or_else(|| Error::UnknownMutant {
            mutant: instance.mutant.clone().unwrap_or_default(),
            protocol: instance.protocol.to_string(),
        })
}

/// The voting power of each replica.
pub(crate) fn power(instance: &Instance) -> Vec<u32> {
    let everybody = ReplicaId::all(instance.replicas);
    everybody.map(|id| instance.power_of(id)).collect()
}

impl Interpreter {
    /// The voting power of a quorum.
    pub(crate) fn quorum(&self) -> usize {
        let quorum = Number::Named("q".to_owned());
        self.world.setup.needs(&quorum) as usize
    }

    /// The replicas of the rules of an instance, mutant included, not started.
    ///
    /// # Errors
    /// A protocol without rules, an unknown mutant, or primaries that the adversary chooses.
    pub(crate) fn of(instance: &Instance) -> Result<Self, Error> {
        let protocol = instance.protocol;
        let Some(rules) = rules(instance)? else {
            let protocol = protocol.to_string();
            return Err(Error::NoRules { protocol });
        };
        if instance.primary == Primary::Free {
            return Err(Error::FreePrimary);
        } else if rules.chain && instance.heights > 1 {
            return Err(Error::HeightsOfChain);
        }
        let mutant = instance.mutant.iter().map(|mutant| format!("+{mutant}"));
        let kinds = rules.kinds.iter().map(|kind| protocol.kind(&kind.name));
        let setup = Setup {
            name: format!("{protocol}-file{}", mutant.collect::<String>()),
            protocol,
            kinds: kinds.collect(),
            proves: rules.rules.iter().any(|it| it.guards().any(|it| it.proof)),
            rules,
            replicas: instance.replicas,
            heights: instance.heights,
            power: power(instance),
        };
        Ok(Self {
            world: World {
                setup: Arc::new(setup),
                posts: Vec::new(),
                effects: Vec::new(),
                started: Vec::new(),
            },
            seats: Vec::new(),
            block_time: 0,
            now: 0,
        })
    }

    /// Something happens at a replica.
    fn act(
        &mut self,
        id: ReplicaId,
        act: impl FnOnce(&mut Replica, &mut World) -> Result<(), EngineError>,
    ) -> Result<Vec<Effect>, EngineError> {
        let (world, seat) = (&mut self.world, &mut self.seats[id.index()]);
        act(&mut seat.replica, world)?;
        let before = seat.deadlines.clone();
        let timers = &seat.replica.timers;
        for timer in world.started.drain(..) {
            let blocks = timers.get(&timer).copied().unwrap_or_default();
            let lasts = self.block_time.saturating_mul(blocks);
            let deadline = self.now.saturating_add(lasts);
            seat.deadlines.insert(timer, deadline);
        }
        seat.deadlines.retain(|timer, _| timers.contains_key(timer));
        let mut effects = std::mem::take(&mut world.effects);
        if seat.deadlines != before {
            effects.push(self.timers(id));
        }
        Ok(effects)
    }

    /// The timers of a replica that run, as an effect.
    fn timers(&self, replica: ReplicaId) -> Effect {
        let timers = self.running(replica);
        Effect::Timer { replica, timers }
    }

    fn running(&self, id: ReplicaId) -> Vec<Timer> {
        let Seat {
            replica,
            live,
            deadlines,
        } = &self.seats[id.index()];
        let timer = |(timer, deadline): (&TimerId, &Nanos)| Timer {
            name: &self.world.setup.protocol.timers[timer.0],
            height: replica.height,
            view: replica.view,
            deadline: *deadline,
        };
        let running = deadlines.iter().filter(|_| *live);
        running.map(timer).collect()
    }

    /// Every timer of a replica runs from now on.
    fn start_anew(&mut self, id: ReplicaId) -> Effect {
        let Seat {
            replica, deadlines, ..
        } = &mut self.seats[id.index()];
        let (now, block_time) = (self.now, self.block_time);
        let due = |blocks: u64| now.saturating_add(block_time.saturating_mul(blocks));
        let timers = replica.timers.iter();
        *deadlines = timers
            .map(|(timer, blocks)| (*timer, due(*blocks)))
            .collect();
        self.timers(id)
    }

    fn live(&self) -> Vec<ReplicaId> {
        let everybody = ReplicaId::all(self.world.setup.replicas);
        let live = everybody.filter(|id| self.seats[id.index()].live);
        live.collect()
    }

    fn timer(&self, name: &str) -> Option<TimerId> {
        let timers = &self.world.setup.rules.timers;
        timers.iter().position(|it| it == name).map(TimerId)
    }

    fn working(&self, id: ReplicaId) -> Working {
        let (replica, setup) = (&self.seats[id.index()].replica, &self.world.setup);
        let vote = |author: ReplicaId, record: &Record| {
            Some(Vote {
                author,
                kind: setup.kinds[record.kind.0]?,
                view: record.view,
                value: record.value,
            })
        };
        let votes = replica.taken.iter();
        let votes = votes.filter_map(|it| vote(it.sender, &it.record));
        let mut votes: Vec<Vote> = votes.collect();
        votes.sort_unstable();
        // What binds is the last one: a lock may move.
        let own = replica.own.iter().filter_map(|record| vote(id, record));
        let binds =
            |vote: &Vote| vote.kind.does().binds && matches!(vote.value, Some(Value::Block { .. }));
        let last = own.filter(binds).max_by_key(|vote| vote.view);
        Working {
            height: replica.height,
            view: replica.view,
            votes,
            entry: Vec::new(),
            bonds: last.map(Bond::from).into_iter().collect(),
            seen: Vec::new(),
            timers: self.running(id),
        }
    }
}

impl Engine for Interpreter {
    fn name(&self) -> String {
        self.world.setup.name.clone()
    }

    fn habits(&self) -> Habits {
        Habits {
            goes_on: self.world.setup.rules.chain,
            ..Habits::FILE
        }
    }

    fn start(&mut self, start: &Start) -> Result<Vec<Effect>, EngineError> {
        let seat = |id| Seat {
            replica: Replica::new(id),
            live: !start.byzantine.contains(&id),
            deadlines: BTreeMap::new(),
        };
        self.seats = ReplicaId::all(start.replicas).map(seat).collect();
        self.block_time = start.block_time;
        let mut effects = Vec::new();
        for id in self.live() {
            effects.extend(self.act(id, |replica, world| {
                replica.start_timers(world);
                Ok(())
            })?);
        }
        Ok(effects)
    }

    fn open(&mut self) -> Result<Vec<Effect>, EngineError> {
        let mut effects = Vec::new();
        for id in self.live() {
            effects.extend(self.act(id, Replica::complete)?);
        }
        Ok(effects)
    }

    fn deliver(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        let place = usize::try_from(id.0).ok().and_then(|id| id.checked_sub(1));
        let there = place.filter(|place| *place < self.world.posts.len());
        let Some(place) = there else {
            return Err(EngineError::Refused {
                act: "a delivery".to_owned(),
                why: format!("there is no message {}", id.0),
            });
        };
        self.act(to, |replica, world| replica.receive(world, place))
    }

    fn timeout(
        &mut self,
        at: ReplicaId,
        timer: &str,
        _: (Height, View),
    ) -> Result<Vec<Effect>, EngineError> {
        let timer = self.timer(timer);
        self.act(at, |replica, world| match timer {
            Some(timer) if replica.timers.contains_key(&timer) => replica.fire(world, timer),
            _ => Ok(()),
        })
    }

    fn matters(&mut self, at: ReplicaId, timer: &str) -> Result<bool, EngineError> {
        let replica = &self.seats[at.index()].replica;
        let timer = self.timer(timer);
        Ok(timer.is_some_and(|timer| replica.would(&self.world, timer)))
    }

    fn may(&mut self, at: ReplicaId, act: &Event) -> Result<Vec<Effect>, EngineError> {
        self.act(at, |replica, world| replica.may(world, act))
    }

    fn likes(&mut self, at: ReplicaId) -> Result<Vec<Event>, EngineError> {
        Ok(self.seats[at.index()].replica.likes(&self.world))
    }

    fn pass(&mut self, at: ReplicaId, timer: &str) -> Result<Vec<Effect>, EngineError> {
        let timer = self.timer(timer);
        self.act(at, |replica, _| {
            timer.map(|timer| replica.timers.remove(&timer));
            Ok(())
        })
    }

    fn arm_anew(&mut self) -> Result<Vec<Effect>, EngineError> {
        let live = self.live().into_iter();
        Ok(live.map(|id| self.start_anew(id)).collect())
    }

    fn inject(&mut self, by: ReplicaId, message: &Message) -> Result<MessageId, EngineError> {
        let place = self.world.post(by, message.clone());
        Ok(MessageId(place as u64 + 1))
    }

    fn crash(&mut self, who: ReplicaId) -> Result<Vec<Effect>, EngineError> {
        self.seats[who.index()].live = false;
        Ok(vec![self.timers(who)])
    }

    fn restart(&mut self, who: ReplicaId, backup: bool) -> Result<Vec<Effect>, EngineError> {
        let seat = &mut self.seats[who.index()];
        seat.live = true;
        if !backup {
            // A decision stands in a ledger.
            let rules = &self.world.setup.rules;
            let mut own = std::mem::take(&mut seat.replica.own);
            own.retain(|record| rules.kind(record.kind).is_final);
            seat.replica.forget();
            seat.replica.own = own;
        }
        let mut effects = vec![self.start_anew(who)];
        effects.extend(self.act(who, Replica::complete)?);
        Ok(effects)
    }

    fn advance(&mut self, now: Nanos) -> Result<Vec<Effect>, EngineError> {
        self.now = now;
        Ok(Vec::new())
    }

    fn state(&mut self, who: ReplicaId) -> Result<State, EngineError> {
        let Seat { replica, live, .. } = &self.seats[who.index()];
        Ok(if !live {
            State::Down(replica.height)
        } else if replica.stopped(&self.world) {
            State::Stopped(replica.height)
        } else {
            State::Working(Box::new(self.working(who)))
        })
    }
}
