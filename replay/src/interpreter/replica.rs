//! A replica of a protocol file: what it made and took at its height, and what its rules do then.

use super::{
    World,
    guard::{Letters, Reader},
};
use crate::engine::{Effect, EngineError, MessageId};
use milp_schema::{
    BlockId, Height, Kind, Message, ReplicaId, Value, View,
    protocol::{Counts, Goes, Head, Justifies, KindId, Made, Mode, Rule, Scope, TimerId, Views},
    schedule::Event,
    vocabulary::{Ahead, Passed},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many rules a replica does in one act: who does more never comes to rest.
pub(super) const RULES_IN_AN_ACT: usize = 1_000;

/// What a replica made, or says that it made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Record {
    pub(super) kind: KindId,
    pub(super) view: View,
    pub(super) value: Option<Value>,
    pub(super) justification: Option<View>,
}

impl Record {
    /// None of that kind and view comes before it, none of earlier views after.
    pub(super) fn first(kind: KindId, view: View) -> Self {
        Self {
            kind,
            view,
            value: None,
            justification: None,
        }
    }

    /// The record as a message of that kind.
    pub(super) fn message(self, kind: Kind, height: Height) -> Message {
        let Self {
            view,
            value,
            justification,
            ..
        } = self;
        Message {
            kind,
            height,
            view,
            value,
            justification,
        }
    }

    /// The record as one of a sender.
    pub(super) fn of(self, sender: ReplicaId, existed: usize) -> Taken {
        Taken {
            record: self,
            sender,
            existed,
        }
    }
}

/// A record of anybody that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Taken {
    pub(super) record: Record,
    pub(super) sender: ReplicaId,
    /// How many messages there were when it was sent, where the rules read proofs.
    pub(super) existed: usize,
}

/// The state of an honest replica; everything but `proposed` is of its height.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Replica {
    pub(super) me: ReplicaId,
    /// The number of heights once it has stopped.
    pub(super) height: Height,
    pub(super) view: View,
    /// What it made, sent or kept.
    pub(super) own: BTreeSet<Record>,
    /// What it took, what it sent itself included.
    pub(super) taken: BTreeSet<Taken>,
    /// The timers that run, with the block times that they were started for.
    pub(super) timers: BTreeMap<TimerId, u64>,
    /// The rules that started a timer in this view.
    pub(super) started: BTreeSet<usize>,
    /// New values by (height, view): the world's memory, not the replica's. A value proposed after
    /// an amnesia is another one, and needs another number.
    proposed: BTreeMap<(Height, View), u32>,
}

impl Replica {
    /// At height 0, view 0, with nothing done.
    pub(super) fn new(me: ReplicaId) -> Self {
        Self {
            me,
            height: Height(0),
            view: View(0),
            own: BTreeSet::new(),
            taken: BTreeSet::new(),
            timers: BTreeMap::new(),
            started: BTreeSet::new(),
            proposed: BTreeMap::new(),
        }
    }

    /// Nothing made, nothing taken, view 0: a height begins, or was forgotten.
    pub(super) fn forget(&mut self) {
        self.own.clear();
        self.taken.clear();
        self.move_to(View(0));
    }

    fn move_to(&mut self, view: View) {
        self.view = view;
        self.timers.clear();
        self.started.clear();
    }

    /// Whether it decided every height.
    pub(super) fn stopped(&self, world: &World) -> bool {
        self.height.0 >= world.setup.heights
    }

    /// A message of that place among those posted is handed over. What is ahead is held back by
    /// whoever hands over.
    pub(super) fn receive(&mut self, world: &mut World, place: usize) -> Result<(), EngineError> {
        let Some(taken) = self.takes(world, place) else {
            return Ok(());
        };
        self.taken.insert(taken);
        self.complete(world)
    }

    /// What it takes if a message is handed over.
    pub(super) fn takes(&self, world: &World, place: usize) -> Option<Taken> {
        let setup = &world.setup;
        let post = world.posts[place].for_height(setup, self.height);
        let taken = post.filter(|_| !self.stopped(world))?;
        let (kind, view) = (setup.rules.kind(taken.record.kind), taken.record.view);
        let passed = kind.passed == Passed::Ignore && view < self.view;
        let ahead = kind.ahead != Ahead::Take && view > self.view;
        // Of a sender's different records of a view the first may be the one that counts.
        let other = |it: &Taken| {
            let of = |it: &Taken| (it.sender, it.record.kind, it.record.view);
            of(it) == of(&taken) && it.record != taken.record
        };
        let late = kind.counts == Counts::First && self.taken.iter().any(other);
        let existed = if setup.proves { place } else { 0 };
        (!passed && !ahead && !late).then_some(Taken { existed, ..taken })
    }

    /// A timer that runs fires.
    pub(super) fn fire(&mut self, world: &mut World, timer: TimerId) -> Result<(), EngineError> {
        let first = self.first(world, Mode::Timer(timer));
        self.timers.remove(&timer);
        if let Some((rule, at)) = first {
            self.perform(world, rule, &at);
        }
        self.complete(world)
    }

    /// Whether a firing of the timer would do anything now.
    pub(super) fn would(&self, world: &World, timer: TimerId) -> bool {
        self.first(world, Mode::Timer(timer)).is_some()
    }

    /// Every rule that must be done is, the first of the file first, until none can be.
    pub(super) fn complete(&mut self, world: &mut World) -> Result<(), EngineError> {
        for _ in 0..RULES_IN_AN_ACT {
            let Some((rule, at)) = self.first(world, Mode::Must) else {
                return Ok(());
            };
            self.perform(world, rule, &at);
        }
        Err(EngineError::Refused {
            act: format!("an act at replica {}", self.me),
            why: "its rules never come to rest".to_owned(),
        })
    }

    /// The timers that who does nothing yet starts.
    pub(super) fn start_timers(&mut self, world: &mut World) {
        let setup = Arc::clone(&world.setup);
        for (place, rule) in setup.rules.rules.iter().enumerate() {
            let starts = matches!(rule.head, Head::Arm { .. }) && rule.mode == Mode::Must;
            let at = self.way(world, place, rule, &|_| starts);
            if let Some(at) = at {
                self.perform(world, place, &at);
            }
        }
    }

    /// Does what it may do when it likes, if it may do just that.
    pub(super) fn may(&mut self, world: &mut World, act: &Event) -> Result<(), EngineError> {
        let setup = Arc::clone(&world.setup);
        let suits = |rule: &Rule, at: &Letters| match (self.record(rule, at), act) {
            (Some(record), Event::Send(message)) => {
                let said = |kind: &Kind| record.message(*kind, self.height) == *message;
                setup.kinds[record.kind.0].is_some_and(|kind| said(&kind))
            }
            (None, Event::EnterView { view, .. }) => at.v == *view,
            _ => false,
        };
        if let Some((rule, at)) = self.first_that(world, Mode::May, &suits) {
            self.perform(world, rule, &at);
            return self.complete(world);
        }
        Ok(())
    }

    /// What it may do when it likes and others would see, a way of each rule.
    pub(super) fn likes(&self, world: &World) -> Vec<Event> {
        let rules = world.setup.rules.rules.iter().enumerate();
        let of_mode = rules.filter(|(_, rule)| rule.mode == Mode::May && !self.stopped(world));
        let acts = of_mode.filter_map(|(place, rule)| {
            let at = self.way(world, place, rule, &|_| true)?;
            match self.record(rule, &at) {
                Some(record) => {
                    let kind = world.setup.kinds[record.kind.0]?;
                    Some(Event::Send(record.message(kind, self.height)))
                }
                None if matches!(rule.head, Head::Enter | Head::Skip) => Some(Event::EnterView {
                    height: self.height,
                    view: at.v,
                }),
                None => None,
            }
        });
        acts.collect()
    }

    /// The first rule of that mode that can be done, and with what.
    pub(super) fn first(&self, world: &World, mode: Mode) -> Option<(usize, Letters)> {
        self.first_that(world, mode, &|_, _| true)
    }

    fn first_that(
        &self,
        world: &World,
        mode: Mode,
        suits: &dyn Fn(&Rule, &Letters) -> bool,
    ) -> Option<(usize, Letters)> {
        let rules = world.setup.rules.rules.iter().enumerate();
        let mut of_mode = rules.filter(|(_, rule)| rule.mode == mode && !self.stopped(world));
        of_mode.find_map(|(place, rule)| {
            let at = self.way(world, place, rule, &|at| suits(rule, at))?;
            Some((place, at))
        })
    }

    /// A way in which a rule can be done, of the latest view entered.
    fn way(
        &self,
        world: &World,
        place: usize,
        rule: &Rule,
        suits: &dyn Fn(&Letters) -> bool,
    ) -> Option<Letters> {
        let views = self.views(rule).into_iter();
        let mut views = views.filter(|v| self.is_open(world, place, rule, *v));
        let reader = Reader {
            world,
            replica: self,
        };
        let at = |v| Letters {
            v,
            x: None,
            c: None,
            d: None,
        };
        views.find_map(|v| reader.way(rule, 0, at(v), suits))
    }

    /// The record that a rule makes, if it makes one.
    pub(super) fn record(&self, rule: &Rule, at: &Letters) -> Option<Record> {
        let Head::Make {
            kind,
            value,
            justification,
        } = rule.head
        else {
            return None;
        };
        // Number 0 of the view, unless it proposed there and forgot.
        let proposed = self.proposed.get(&(self.height, at.v)).copied();
        let new = Value::Block {
            view: at.v,
            index: proposed.unwrap_or_default(),
        };
        let value = match value {
            Made::X => Some(at.x.unwrap_or(new)),
            Made::Nil => Some(Value::Nil),
            Made::None => None,
        };
        let justification = match justification {
            Justifies::C => at.c,
            Justifies::D => at.d,
            Justifies::Back(back) => at.v.0.checked_sub(back).map(View),
            Justifies::None => None,
        };
        Some(Record {
            kind,
            view: at.v,
            value,
            justification,
        })
    }

    /// What `v` can be.
    fn views(&self, rule: &Rule) -> Vec<View> {
        match (&rule.head, rule.scope) {
            (Head::Enter, _) => vec![self.view.next()],
            (Head::Skip, _) => {
                let reached = self.reached(rule).into_iter();
                reached.filter(|view| *view > self.view).rev().collect()
            }
            (_, Scope::View) => vec![self.view],
            (_, Scope::Height) => {
                let mut views = self.reached(rule);
                views.insert(self.view);
                views.into_iter().collect()
            }
        }
    }

    /// The views whose rule may read a record that was taken: its own view or one before.
    fn reached(&self, rule: &Rule) -> BTreeSet<View> {
        let back = rule.guards().map(|guard| match guard.pattern.view {
            Views::Back(back) | Views::From(back) => back,
            _ => 0,
        });
        let most = back.max().unwrap_or(0);
        let taken = self.taken.iter().map(|it| it.record.view.0);
        let reached = taken.flat_map(|view| view..=view.saturating_add(most));
        reached.map(View).collect()
    }

    /// Whether who and what is done leave the rule open in view `v`.
    pub(super) fn is_open(&self, world: &World, place: usize, rule: &Rule, v: View) -> bool {
        let setup = &world.setup;
        let once = match rule.head {
            Head::Make {
                kind,
                justification,
                ..
            } => {
                let [from, to] = [v, v.next()].map(|view| Record::first(kind, view));
                let before = !matches!(justification, Justifies::Back(back) if back > v.0);
                let decided = |record: &Record| record.kind == kind;
                let again = setup.rules.kind(kind).is_final && self.own.iter().any(decided);
                before && !again && self.own.range(from..to).next().is_none()
            }
            Head::Arm { .. } => v == self.view && !self.started.contains(&place),
            Head::Stop { timer } => v == self.view && self.timers.contains_key(&timer),
            Head::Enter | Head::Skip => true,
        };
        once && setup.may(self.me, rule.who, self.height, v)
    }

    pub(super) fn perform(&mut self, world: &mut World, place: usize, at: &Letters) {
        let setup = Arc::clone(&world.setup);
        let rule = &setup.rules.rules[place];
        if let Some(record) = self.record(rule, at) {
            // What is made of nothing that was read is new.
            if at.x.is_none() && record.value.is_some_and(|it| it != Value::Nil) {
                *self.proposed.entry((self.height, at.v)).or_default() += 1;
            }
            self.make(world, record);
        }
        match rule.head {
            Head::Make { .. } => {}
            Head::Enter | Head::Skip => {
                self.move_to(at.v);
                world.effects.push(Effect::EnterView {
                    replica: self.me,
                    height: self.height,
                    view: at.v,
                });
            }
            Head::Arm { timer, lasts } => {
                self.started.insert(place);
                let blocks = lasts.map_or(1, |lasts| lasts.of(at.v));
                self.timers.insert(timer, blocks);
                world.started.push(timer);
            }
            Head::Stop { timer } => {
                self.timers.remove(&timer);
            }
        }
    }

    /// Keeps a record, sends it if its kind is sent, and leaves the height if it is a decision that
    /// ends it.
    fn make(&mut self, world: &mut World, record: Record) {
        let setup = Arc::clone(&world.setup);
        let kind = setup.rules.kind(record.kind);
        self.own.insert(record);
        if let Some(name) = setup.kinds[record.kind.0].filter(|_| kind.goes == Goes::Sent) {
            let message = record.message(name, self.height);
            let place = world.post(self.me, message.clone());
            let existed = if setup.proves { place } else { 0 };
            self.taken.insert(record.of(self.me, existed));
            world.effects.push(Effect::Send {
                replica: self.me,
                id: MessageId(place as u64 + 1),
                message,
                carried: Vec::new(),
                recovery: false,
            });
        }
        if kind.is_final {
            if let Some(Value::Block { view, index }) = record.value {
                let height = self.height;
                world.effects.push(Effect::Decide {
                    replica: self.me,
                    block: BlockId {
                        height,
                        view,
                        index,
                    },
                });
            }
            if !setup.rules.chain {
                self.height = self.height.next();
                self.forget();
            }
        }
    }
}
