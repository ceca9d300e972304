//! The same engine under other names of its replicas.

use crate::engine::{Effect, Engine, EngineError, Habits, MessageId, Nanos, Start, State};
use milp_schema::{Height, Message, ReplicaId, View, schedule::Event};

/// An engine whose replica i is called (n − i) mod n here.
///
/// The paper rotates primaries by (h + v) mod n, production engines by (h − v) mod n.
/// At height 0 the renaming turns one rotation into the other. It is its own inverse.
pub(crate) struct Mirrored<'a> {
    engine: &'a mut dyn Engine,
    replicas: u32,
}

/// What that replica of n is called.
pub(crate) fn other_name(id: ReplicaId, replicas: u32) -> ReplicaId {
    ReplicaId((replicas - id.0) % replicas)
}

impl<'a> Mirrored<'a> {
    pub(crate) fn new(engine: &'a mut dyn Engine, replicas: u32) -> Self {
        Self { engine, replicas }
    }

    fn other_name(&self, id: ReplicaId) -> ReplicaId {
        other_name(id, self.replicas)
    }

    fn effects(&self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut effects = effects;
        for effect in &mut effects {
            match effect {
                Effect::Send {
                    replica, carried, ..
                } => {
                    *replica = self.other_name(*replica);
                    for (author, _) in carried {
                        *author = self.other_name(*author);
                    }
                }
                Effect::EnterView { replica, .. }
                | Effect::Decide { replica, .. }
                | Effect::Timer { replica, .. }
                | Effect::Fault { replica, .. } => *replica = self.other_name(*replica),
            }
        }
        effects
    }

    /// Votes ascend, so they are sorted again.
    fn state_of(&self, state: State) -> State {
        let State::Working(mut working) = state else {
            return state;
        };
        for votes in [&mut working.votes, &mut working.entry] {
            for vote in &mut *votes {
                vote.author = self.other_name(vote.author);
            }
            votes.sort_unstable();
        }
        let heard = working.seen.clone();
        for (here, view) in (0..).map(ReplicaId).zip(heard) {
            working.seen[self.other_name(here).index()] = view;
        }
        State::Working(working)
    }
}

impl Engine for Mirrored<'_> {
    fn name(&self) -> String {
        self.engine.name()
    }

    fn habits(&self) -> Habits {
        self.engine.habits()
    }

    fn start(&mut self, start: &Start) -> Result<Vec<Effect>, EngineError> {
        let mut byzantine: Vec<ReplicaId> = start
            .byzantine
            .iter()
            .map(|id| self.other_name(*id))
            .collect();
        byzantine.sort_unstable();
        let start = Start {
            byzantine,
            ..start.clone()
        };
        let effects = self.engine.start(&start)?;
        Ok(self.effects(effects))
    }

    fn deliver(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        let effects = self.engine.deliver(self.other_name(to), id)?;
        Ok(self.effects(effects))
    }

    fn hand_over(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        let effects = self.engine.hand_over(self.other_name(to), id)?;
        Ok(self.effects(effects))
    }

    fn pass(&mut self, at: ReplicaId, timer: &str) -> Result<Vec<Effect>, EngineError> {
        let effects = self.engine.pass(self.other_name(at), timer)?;
        Ok(self.effects(effects))
    }

    fn matters(&mut self, at: ReplicaId, timer: &str) -> Result<bool, EngineError> {
        self.engine.matters(self.other_name(at), timer)
    }

    fn may(&mut self, at: ReplicaId, act: &Event) -> Result<Vec<Effect>, EngineError> {
        let effects = self.engine.may(self.other_name(at), act)?;
        Ok(self.effects(effects))
    }

    fn likes(&mut self, at: ReplicaId) -> Result<Vec<Event>, EngineError> {
        self.engine.likes(self.other_name(at))
    }

    fn open(&mut self) -> Result<Vec<Effect>, EngineError> {
        let effects = self.engine.open()?;
        Ok(self.effects(effects))
    }

    fn arm_anew(&mut self) -> Result<Vec<Effect>, EngineError> {
        let effects = self.engine.arm_anew()?;
        Ok(self.effects(effects))
    }

    fn timeout(
        &mut self,
        at: ReplicaId,
        timer: &str,
        place: (Height, View),
    ) -> Result<Vec<Effect>, EngineError> {
        let effects = self.engine.timeout(self.other_name(at), timer, place)?;
        Ok(self.effects(effects))
    }

    fn inject(&mut self, by: ReplicaId, message: &Message) -> Result<MessageId, EngineError> {
        self.engine.inject(self.other_name(by), message)
    }

    fn crash(&mut self, who: ReplicaId) -> Result<Vec<Effect>, EngineError> {
        let effects = self.engine.crash(self.other_name(who))?;
        Ok(self.effects(effects))
    }

    fn restart(&mut self, who: ReplicaId, backup: bool) -> Result<Vec<Effect>, EngineError> {
        let effects = self.engine.restart(self.other_name(who), backup)?;
        Ok(self.effects(effects))
    }

    fn advance(&mut self, now: Nanos) -> Result<Vec<Effect>, EngineError> {
        let effects = self.engine.advance(now)?;
        Ok(self.effects(effects))
    }

    fn state(&mut self, who: ReplicaId) -> Result<State, EngineError> {
        let state = self.engine.state(self.other_name(who))?;
        Ok(self.state_of(state))
    }

    fn remarks(&self) -> Vec<String> {
        self.engine.remarks()
    }
}
