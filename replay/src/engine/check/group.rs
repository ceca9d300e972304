//! The caller's side of an execution.

use super::{Bench, Missing, demand, expected};
use crate::engine::said::all;
use crate::engine::{Effect, Engine, MessageId, Nanos, Sidecar, Start, State, Timer, Working};
use crate::protocols::Name;
use milp_schema::{BlockId, Height, Message, ReplicaId, View, vocabulary::Role};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

/// So many timer firings are enough for anything that is waited for here.
const PATIENCE: usize = 200;

/// All replicas of a run and what is on its way between them.
pub(super) struct Group {
    pub(super) engine: Sidecar,
    pub(super) start: Start,
    /// Honest replicas.
    places: BTreeMap<ReplicaId, Place>,
    /// Everything sent, by number.
    pub(super) sent: BTreeMap<MessageId, (ReplicaId, Message)>,
    /// Every effect, in order.
    pub(super) log: Vec<Effect>,
    now: Nanos,
    inbox: VecDeque<(ReplicaId, MessageId)>,
    held_back: Vec<(ReplicaId, MessageId)>,
}

/// Where a replica is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) height: Height,
    pub(super) view: View,
    pub(super) up: bool,
    pub(super) timers: Vec<Timer>,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "height {}, view {}", self.height, self.view)
    }
}

impl Group {
    /// Begins a run.
    pub(super) fn begin(bench: &Bench, start: &Start) -> Result<Self, Missing> {
        let place = Place {
            height: Height(0),
            view: View(0),
            up: true,
            timers: Vec::new(),
        };
        let honest = ReplicaId::all(start.replicas).filter(|id| !start.byzantine.contains(id));
        let mut group = Self {
            engine: bench.open()?,
            start: start.clone(),
            places: honest.map(|id| (id, place.clone())).collect(),
            sent: BTreeMap::new(),
            log: Vec::new(),
            now: 0,
            inbox: VecDeque::new(),
            held_back: Vec::new(),
        };
        let effects = group.engine.start(start)?;
        group.absorb(effects)?;
        Ok(group)
    }

    /// Honest replicas, ascending.
    pub(super) fn honest(&self) -> Vec<ReplicaId> {
        self.places.keys().copied().collect()
    }

    pub(super) fn place(&self, who: ReplicaId) -> &Place {
        &self.places[&who]
    }

    fn stopped(&self, who: ReplicaId) -> bool {
        self.places[&who].height.0 == self.start.heights
    }

    /// Those that are up and have not decided everything.
    pub(super) fn working(&self) -> Vec<ReplicaId> {
        let working = |who: &ReplicaId| self.places[who].up && !self.stopped(*who);
        self.honest().into_iter().filter(working).collect()
    }

    /// Fires the timer of a replica where it is.
    pub(super) fn fire(&mut self, who: ReplicaId) -> Result<Vec<Effect>, Missing> {
        let Place { height, view, .. } = self.places[&who];
        let effects = self
            .engine
            .timeout(who, self.start.protocol.timer(), (height, view))?;
        self.absorb(effects)
    }

    pub(super) fn deliver(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, Missing> {
        let effects = self.engine.deliver(to, id)?;
        self.absorb(effects)
    }

    pub(super) fn crash(&mut self, who: ReplicaId) -> Result<Vec<Effect>, Missing> {
        let effects = self.engine.crash(who)?;
        self.place_mut(who)?.up = false;
        self.absorb(effects)
    }

    pub(super) fn restart(&mut self, who: ReplicaId) -> Result<Vec<Effect>, Missing> {
        let place = self.place_mut(who)?;
        place.up = true;
        place.view = View(0);
        let effects = self.engine.restart(who, false)?;
        self.absorb(effects)
    }

    pub(super) fn advance(&mut self, to: Nanos) -> Result<(), Missing> {
        let effects = self.engine.advance(to)?;
        self.now = to;
        demand(effects.is_empty(), || {
            expected(&format!("no effects of `advance` to {to}"), all(&effects))
        })
    }

    /// A Byzantine replica makes a message for every honest one.
    pub(super) fn inject_for_all(
        &mut self,
        by: ReplicaId,
        message: &Message,
    ) -> Result<MessageId, Missing> {
        let id = self.inject(by, message)?;
        for to in self.honest() {
            self.inbox.push_back((to, id));
        }
        Ok(id)
    }

    pub(super) fn inject(
        &mut self,
        by: ReplicaId,
        message: &Message,
    ) -> Result<MessageId, Missing> {
        let id = self.engine.inject(by, message)?;
        self.sent.insert(id, (by, message.clone()));
        Ok(id)
    }

    /// What a replica at work knows.
    pub(super) fn knows(&mut self, who: ReplicaId) -> Result<Working, Missing> {
        match self.engine.state(who)? {
            State::Working(working) => Ok(*working),
            other => Err(Missing(expected(&format!("replica {who} at work"), &other))),
        }
    }

    /// Delivers what is on its way and what follows, except what is lost.
    pub(super) fn settle(
        &mut self,
        lose: impl Fn(ReplicaId, &Message) -> bool,
    ) -> Result<(), Missing> {
        while let Some((to, id)) = self.inbox.pop_front() {
            let (_, message) = &self.sent[&id];
            let place = &self.places[&to];
            if !place.up || lose(to, message) {
                continue;
            }
            if ahead(place, message) {
                self.held_back.push((to, id));
            } else {
                self.deliver(to, id)?;
                self.release();
            }
        }
        Ok(())
    }

    /// Puts what is no longer ahead of its receiver first.
    fn release(&mut self) {
        let (places, sent) = (&self.places, &self.sent);
        let (ahead, here): (Vec<_>, Vec<_>) = self
            .held_back
            .iter()
            .partition(|(to, id)| ahead(&places[to], &sent[id].1));
        self.held_back = ahead;
        for copy in here.into_iter().rev() {
            self.inbox.push_front(copy);
        }
    }

    /// Fires the timers of replicas at work as they are due, and delivers what is not lost, until
    /// something is so.
    pub(super) fn drive(
        &mut self,
        what: &str,
        lose: impl Fn(ReplicaId, &Message) -> bool,
        until: impl Fn(&Self) -> bool,
    ) -> Result<(), Missing> {
        self.settle(&lose)?;
        for _ in 0..PATIENCE {
            if until(self) {
                return Ok(());
            }
            let timers = self.working().into_iter().filter_map(|who| {
                let deadlines = self.places[&who].timers.iter().map(|timer| timer.deadline);
                Some((deadlines.min()?, who))
            });
            let (deadline, who) = timers
                .min()
                .ok_or_else(|| Missing(format!("no timer runs any more, before {what}")))?;
            if deadline > self.now {
                self.advance(deadline)?;
            }
            self.fire(who)?;
            self.settle(&lose)?;
        }
        Err(Missing(format!(
            "expected {what}; got {PATIENCE} firings of timers, as they were due, without it"
        )))
    }

    /// Fires timers as they are due until somebody proposes at that place; nothing proposed is
    /// delivered. Gives the proposer.
    pub(super) fn proposer(&mut self, height: Height, view: View) -> Result<ReplicaId, Missing> {
        let proposed = |group: &Self| group.request_at(height, view).map(|(_, by)| by);
        self.drive(
            &format!("a PrepareRequest of height {height}, view {view}"),
            |_, message| message.kind == Name::PrepareRequest,
            |group| proposed(group).is_some(),
        )?;
        proposed(self).ok_or_else(|| Missing("nobody proposed".to_owned()))
    }

    /// The last request that an honest replica sent at a place.
    pub(super) fn request_at(&self, height: Height, view: View) -> Option<(MessageId, ReplicaId)> {
        let mut sent = self.sent.iter().rev();
        let found = sent.find(|(_, (by, message))| {
            message.kind == Name::PrepareRequest
                && (message.height, message.view) == (height, view)
                && self.places.contains_key(by)
        });
        found.map(|(id, (by, _))| (*id, *by))
    }

    /// What was decided, by whom, in order.
    pub(super) fn decided(&self) -> Vec<(ReplicaId, BlockId)> {
        let decide = |effect: &Effect| match effect {
            Effect::Decide { replica, block } => Some((*replica, *block)),
            _ => None,
        };
        self.log.iter().filter_map(decide).collect()
    }

    /// Whether every honest replica that is up has decided a height.
    pub(super) fn all_decided(&self, height: Height) -> bool {
        let mut up = self.places.values().filter(|place| place.up);
        up.all(|place| place.height > height)
    }

    /// The timers that were reported are those of the states.
    pub(super) fn timers_agree(&mut self) -> Result<(), Missing> {
        for who in self.working() {
            let known = self.knows(who)?.timers;
            let reported = &self.places[&who].timers;
            demand(*reported == known, || {
                expected(
                    &format!(
                        "timers as effects reported them of replica {who}, {}",
                        all(reported)
                    ),
                    all(&known),
                )
            })?;
        }
        Ok(())
    }

    fn place_mut(&mut self, who: ReplicaId) -> Result<&mut Place, Missing> {
        let place = self.places.get_mut(&who);
        place.ok_or_else(|| Missing(format!("replica {who} is not honest")))
    }

    /// Keeps book of what happened.
    fn absorb(&mut self, effects: Vec<Effect>) -> Result<Vec<Effect>, Missing> {
        for effect in &effects {
            match effect {
                Effect::Send {
                    replica,
                    id,
                    message,
                    ..
                } => {
                    self.sent.insert(*id, (*replica, message.clone()));
                    let others = self.honest().into_iter().filter(|to| to != replica);
                    self.inbox.extend(others.map(|to| (to, *id)));
                }
                Effect::EnterView {
                    replica,
                    height,
                    view,
                } => {
                    let place = self.place_mut(*replica)?;
                    demand(place.height == *height && *view > place.view, || {
                        expected(&format!("an effect that fits a replica at {place}"), effect)
                    })?;
                    place.view = *view;
                }
                Effect::Decide { replica, block } => {
                    let place = self.place_mut(*replica)?;
                    demand(place.height == block.height, || {
                        expected(&format!("an effect that fits a replica at {place}"), effect)
                    })?;
                    (place.height, place.view) = (block.height.next(), View(0));
                }
                Effect::Timer { replica, timers } => {
                    self.place_mut(*replica)?.timers.clone_from(timers);
                }
                Effect::Fault { replica, text } => {
                    return Err(Missing(format!("a fault at replica {replica}: {text}")));
                }
            }
        }
        self.log.extend(effects.iter().cloned());
        Ok(effects)
    }
}

/// Whether the caller holds the message back (the page's *Early messages*).
fn ahead(place: &Place, message: &Message) -> bool {
    match message.kind.does().role {
        Role::Question | Role::Answer => false,
        Role::Proposal | Role::Vote => {
            (message.height, message.view) > (place.height, place.view)
                && message.height >= place.height
        }
        Role::Leave | Role::Decision => message.height > place.height,
    }
}
