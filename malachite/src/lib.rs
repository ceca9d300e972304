//! The production engine [malachite](https://github.com/circlefin/malachite) of Tendermint, in this
//! process, behind the trait that own replicas and adapters of other engines stand behind.
//!
//! ```text
//! types    what malachite is generic over
//! world    what the replicas of a run share: clock, messages, what was done
//! core     a replica of either engine, for the stage
//!   replica  `malachite-driver`: the paper's rules alone
//!   node     `malachite`: `core-consensus`, with its remedies
//! ```
//!
//! The application makes a value as soon as it is asked and refuses none but `bad`. Timers are the
//! stage's, for as long as the protocol's file says. Nothing is kept through a crash but decisions:
//! there is no write-ahead log.

mod core;
mod node;
mod replica;
mod types;
mod world;

use crate::core::{Core, Evidence};
use milp_replay::engine::{Effect, Engine, EngineError, Habits, MessageId, Nanos, Start, State};
use milp_schema::{Height, Message, ReplicaId, View};
use node::Node;
use replica::Replica;
use std::collections::{BTreeMap, BTreeSet};
use world::World;

/// The engine of that name that is linked here, not started.
pub fn engine(name: &str) -> Option<Box<dyn Engine>> {
    match name {
        Replica::NAME => Some(Box::new(Table::<Replica>::new(None))),
        Node::NAME => Some(Box::new(Table::<Node>::new(None))),
        _ => None,
    }
}

/// The driver with a mistake in it.
pub fn weakened(defect: Defect) -> Box<dyn Engine> {
    Box::new(Table::<Replica>::new(Some(defect)))
}

/// A deliberate mistake, to see that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A quorum is one vote less.
    SmallQuorum,
    /// A lock keeps nobody from prevoting another value.
    ForgetsLock,
}

/// One place at the table.
struct Seat<C> {
    replica: C,
    /// Whether it follows the protocol and is not crashed.
    live: bool,
}

/// All replicas of one run.
struct Table<C> {
    defect: Option<Defect>,
    /// None before the start.
    run: Option<(World, Vec<Seat<C>>)>,
}

impl<C: Core> Table<C> {
    fn new(defect: Option<Defect>) -> Self {
        Self { defect, run: None }
    }

    fn seat(&self, id: ReplicaId) -> Result<(&World, &Seat<C>), EngineError> {
        let run = self.run.as_ref();
        let found = run.and_then(|(world, seats)| Some((world, seats.get(id.index())?)));
        found.ok_or_else(|| refused(id))
    }

    /// Something happens at a replica.
    fn act(
        &mut self,
        id: ReplicaId,
        act: impl FnOnce(&mut C, &mut World) -> Result<(), String>,
    ) -> Result<Vec<Effect>, EngineError> {
        let run = self.run.as_mut();
        let found = run.and_then(|(world, seats)| Some((world, seats.get_mut(id.index())?)));
        let (world, seat) = found.ok_or_else(|| refused(id))?;
        let before = seat.replica.running();
        if let Err(text) = act(&mut seat.replica, world) {
            seat.live = false;
            seat.replica.shell_mut().timers.clear();
            world.effects.push(Effect::Fault { replica: id, text });
        }
        let mut effects = std::mem::take(&mut world.effects);
        let timers = seat.replica.running();
        if timers != before {
            effects.push(Effect::Timer {
                replica: id,
                timers,
            });
        }
        Ok(effects)
    }

    /// The same at every live replica.
    fn all_act(
        &mut self,
        act: impl Fn(&mut C, &mut World) -> Result<(), String>,
    ) -> Result<Vec<Effect>, EngineError> {
        let seats = self.run.iter().flat_map(|(_, seats)| seats);
        let live = (0..).map(ReplicaId).zip(seats);
        let live: Vec<ReplicaId> = live.filter(|it| it.1.live).map(|it| it.0).collect();
        let mut effects = Vec::new();
        for id in live {
            effects.extend(self.act(id, &act)?);
        }
        Ok(effects)
    }
}

fn refused(id: ReplicaId) -> EngineError {
    EngineError::Refused {
        act: format!("an act at replica {id}"),
        why: "there is no such replica".to_owned(),
    }
}

impl<C: Core> Engine for Table<C> {
    fn name(&self) -> String {
        C::NAME.to_owned()
    }

    /// Nobody repeats anything, and rules start timers.
    fn habits(&self) -> Habits {
        Habits::FILE
    }

    fn start(&mut self, start: &Start) -> Result<Vec<Effect>, EngineError> {
        let world = World::new(start)?;
        let seat = |id| Seat {
            replica: C::new(id, self.defect, &world),
            live: !start.byzantine.contains(&id),
        };
        let seats = ReplicaId::all(start.replicas).map(seat).collect();
        self.run = Some((world, seats));
        self.all_act(C::restart)
    }

    fn open(&mut self) -> Result<Vec<Effect>, EngineError> {
        if let Some((world, _)) = &mut self.run {
            world.opened = true;
        }
        self.all_act(C::settle)
    }

    fn deliver(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        let (world, _) = self.seat(to)?;
        let posted = world.posted(id);
        let post = posted.ok_or_else(|| EngineError::Refused {
            act: "a delivery".to_owned(),
            why: format!("there is no message {}", id.0),
        })?;
        let Some(told) = world.told_of(post) else {
            return Ok(Vec::new());
        };
        let message = post.message.clone();
        self.act(to, |replica, world| replica.receive(world, told, &message))
    }

    fn timeout(
        &mut self,
        at: ReplicaId,
        timer: &str,
        _: (Height, View),
    ) -> Result<Vec<Effect>, EngineError> {
        self.act(at, |replica, world| replica.fire(world, timer))
    }

    fn matters(&mut self, at: ReplicaId, timer: &str) -> Result<bool, EngineError> {
        let (world, seat) = self.seat(at)?;
        Ok(seat.replica.would(world, timer))
    }

    fn pass(&mut self, at: ReplicaId, timer: &str) -> Result<Vec<Effect>, EngineError> {
        self.act(at, |replica, _| {
            replica.shell_mut().timers.remove(timer);
            Ok(())
        })
    }

    fn arm_anew(&mut self) -> Result<Vec<Effect>, EngineError> {
        self.all_act(|replica, world| {
            replica.start_anew(world);
            Ok(())
        })
    }

    fn inject(&mut self, by: ReplicaId, message: &Message) -> Result<MessageId, EngineError> {
        let run = self.run.as_mut().ok_or_else(|| refused(by))?;
        Ok(run.0.post(by, message.clone()))
    }

    fn crash(&mut self, who: ReplicaId) -> Result<Vec<Effect>, EngineError> {
        let effects = self.act(who, |replica, _| {
            replica.shell_mut().timers.clear();
            Ok(())
        });
        self.set_live(who, false);
        effects
    }

    fn restart(&mut self, who: ReplicaId, _: bool) -> Result<Vec<Effect>, EngineError> {
        self.set_live(who, true);
        self.act(who, |replica, world| {
            if replica.stopped(world) {
                return Ok(());
            }
            replica.restart(world)
        })
    }

    fn advance(&mut self, now: Nanos) -> Result<Vec<Effect>, EngineError> {
        if let Some((world, _)) = &mut self.run {
            world.now = now;
        }
        Ok(Vec::new())
    }

    fn state(&mut self, who: ReplicaId) -> Result<State, EngineError> {
        let (world, Seat { replica, live }) = self.seat(who)?;
        Ok(if !live {
            State::Down(replica.shell().height)
        } else if replica.stopped(world) {
            State::Stopped(replica.shell().height)
        } else {
            State::Working(Box::new(replica.working(world)))
        })
    }

    fn remarks(&self) -> Vec<String> {
        let Some((world, seats)) = &self.run else {
            return Vec::new();
        };
        let mut holders: BTreeMap<Evidence, BTreeSet<ReplicaId>> = BTreeMap::new();
        for (id, seat) in (0..).map(ReplicaId).zip(seats) {
            for evidence in seat.replica.evidence(world) {
                holders.entry(evidence).or_default().insert(id);
            }
        }
        let sentence = |((who, both), by): (Evidence, BTreeSet<ReplicaId>)| {
            let by: Vec<String> = by.iter().map(ReplicaId::to_string).collect();
            let by = by.join(", ");
            format!("evidence against replica {who}: {both} (held by {by})")
        };
        holders.into_iter().map(sentence).collect()
    }
}

impl<C: Core> Table<C> {
    fn set_live(&mut self, id: ReplicaId, live: bool) {
        let seats = self.run.as_mut().map(|(_, seats)| seats);
        if let Some(seat) = seats.and_then(|seats| seats.get_mut(id.index())) {
            seat.live = live;
        }
    }
}
