//! A replica of a protocol file: what it made and took at its height, and what its rules do then.

use super::{
    World,
    guard::{self, Letters},
};
use milp_schema::{
    BlockId, Height, Message, ReplicaId, Value, View,
    protocol::{Counts, Goes, Head, Justifies, KindId, Made, Mode, Rule, Scope, TimerId, Views},
    vocabulary::{Ahead, By, Passed},
};
use std::collections::{BTreeMap, BTreeSet};

/// How many rules a replica does in one act: who does more never comes to rest.
const RULES_IN_AN_ACT: usize = 1_000;

/// What a replica made, or says that it made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Record {
    pub(super) kind: KindId,
    pub(super) view: View,
    pub(super) value: Option<Value>,
    pub(super) justification: Option<View>,
}

/// A record of anybody that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Taken {
    pub(super) record: Record,
    pub(super) sender: ReplicaId,
    /// How many messages there were when it was sent, where the rules read proofs.
    pub(super) existed: usize,
}

/// Something that a replica does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// Sends the message of that place among those posted.
    Send(usize),
    /// Enters a view of its height.
    Enter(View),
    /// Regards a block as final.
    Decide(BlockId),
    /// Starts a timer anew.
    Start(TimerId),
}

/// The rules never come to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Restless;

/// The state of an honest replica; everything but `proposed` is of its height.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Replica {
    pub(super) me: ReplicaId,
    /// The number of heights once it has stopped.
    pub(super) height: Height,
    pub(super) view: View,
    /// What it made, sent or kept, in the order in which it did.
    pub(super) own: Vec<Record>,
    /// What it took, what it sent itself included.
    pub(super) taken: BTreeSet<Taken>,
    /// The timers that run, with the block times that they were started for.
    pub(super) timers: BTreeMap<TimerId, u64>,
    /// The rules that started a timer in this view.
    started: BTreeSet<usize>,
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
            own: Vec::new(),
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
    pub(super) fn receive(
        &mut self,
        world: &mut World,
        place: usize,
        out: &mut Vec<Output>,
    ) -> Result<(), Restless> {
        let post = &world.posts[place];
        let Some(record) = post.record.filter(|_| post.message.height == self.height) else {
            return Ok(());
        };
        let setup = &world.setup;
        let kind = setup.rules.kind(record.kind);
        let passed = kind.passed == Passed::Ignore && record.view < self.view;
        let ahead = kind.ahead != Ahead::Take && record.view > self.view;
        let sender = post.author;
        let may = setup.may(sender, kind.by, self.height, record.view);
        let same = |it: &Taken| {
            let (one, other) = (it.record, record);
            it.sender == sender && (one.kind, one.view) == (other.kind, other.view)
        };
        let late = kind.counts == Counts::First && self.taken.iter().any(same);
        if passed || ahead || late || !may || self.stopped(world) {
            return Ok(());
        }
        let existed = if setup.proves { place } else { 0 };
        self.taken.insert(Taken {
            record,
            sender,
            existed,
        });
        self.complete(world, out)
    }

    /// A timer that runs fires.
    pub(super) fn fire(
        &mut self,
        world: &mut World,
        timer: TimerId,
        out: &mut Vec<Output>,
    ) -> Result<(), Restless> {
        let first = self.first(world, Mode::Timer(timer));
        self.timers.remove(&timer);
        if let Some((rule, at)) = first {
            self.perform(world, rule, &at, out);
        }
        self.complete(world, out)
    }

    /// Whether a firing of the timer would do anything now.
    pub(super) fn would(&self, world: &World, timer: TimerId) -> bool {
        self.first(world, Mode::Timer(timer)).is_some()
    }

    /// Every rule that must be done is, the first of the file first, until none can be.
    pub(super) fn complete(
        &mut self,
        world: &mut World,
        out: &mut Vec<Output>,
    ) -> Result<(), Restless> {
        for _ in 0..RULES_IN_AN_ACT {
            let Some((rule, at)) = self.first(world, Mode::Must) else {
                return Ok(());
            };
            self.perform(world, rule, &at, out);
        }
        Err(Restless)
    }

    /// The timers that who does nothing yet starts.
    pub(super) fn start_timers(&mut self, world: &mut World, out: &mut Vec<Output>) {
        let setup = std::sync::Arc::clone(&world.setup);
        for (place, rule) in setup.rules.rules.iter().enumerate() {
            let starts = matches!(rule.head, Head::Arm { .. }) && rule.mode == Mode::Must;
            if let Some(at) = self.way(world, place, rule).filter(|_| starts) {
                self.perform(world, place, &at, out);
            }
        }
    }

    /// The first rule of that mode that can be done, and with what.
    fn first(&self, world: &World, mode: Mode) -> Option<(usize, Letters)> {
        if self.stopped(world) {
            return None;
        }
        let rules = world.setup.rules.rules.iter().enumerate();
        let mut of_mode = rules.filter(|(_, rule)| rule.mode == mode);
        of_mode.find_map(|(place, rule)| Some((place, self.way(world, place, rule)?)))
    }

    /// A way in which a rule can be done: the latest view entered, the first value, the latest
    /// earlier view of those that there are.
    fn way(&self, world: &World, place: usize, rule: &Rule) -> Option<Letters> {
        let bound = world.setup.bound[place];
        let some = |bound: bool, of: &dyn Fn() -> Vec<View>| {
            if bound {
                of().into_iter().map(Some).collect()
            } else {
                vec![None]
            }
        };
        let xs: Vec<Option<Value>> = if bound.x {
            self.values().into_iter().map(Some).collect()
        } else {
            vec![None]
        };
        for v in self.views(rule) {
            if !self.is_open(world, place, rule, v) {
                continue;
            }
            for &x in &xs {
                for c in some(bound.c, &|| self.earlier(v)) {
                    for d in some(bound.d, &|| self.earlier(v)) {
                        let at = Letters { v, x, c, d };
                        if guard::all_hold(world, self, rule, &at) {
                            return Some(at);
                        }
                    }
                }
            }
        }
        None
    }

    fn records(&self) -> impl Iterator<Item = &Record> {
        let taken = self.taken.iter().map(|it| &it.record);
        taken.chain(&self.own)
    }

    /// The valid values that it knows of.
    fn values(&self) -> BTreeSet<Value> {
        let values = self.records().filter_map(|record| record.value);
        let valid = |value: &Value| matches!(value, Value::Block { .. });
        values.filter(valid).collect()
    }

    /// The views before `v` that records are of or name, the latest first.
    fn earlier(&self, v: View) -> Vec<View> {
        let named = |record: &Record| [Some(record.view), record.justification];
        let views = self.records().flat_map(named).flatten();
        let views: BTreeSet<View> = views.filter(|view| *view < v).collect();
        views.into_iter().rev().collect()
    }

    /// What `v` can be.
    fn views(&self, rule: &Rule) -> Vec<View> {
        let here = self.records().map(|record| record.view);
        match (&rule.head, rule.scope) {
            (Head::Enter, _) => vec![self.view.next()],
            (Head::Skip, _) => {
                let back = rule.guards().map(|guard| match guard.pattern.view {
                    Views::Back(back) | Views::From(back) => back,
                    _ => 0,
                });
                let most = back.max().unwrap_or(0);
                let after = here.flat_map(|view| view.0..=view.0.saturating_add(most));
                let after: BTreeSet<u32> = after.filter(|view| *view > self.view.0).collect();
                after.into_iter().rev().map(View).collect()
            }
            (_, Scope::View) => vec![self.view],
            (_, Scope::Height) => {
                let views: BTreeSet<View> = here.chain([self.view]).collect();
                views.into_iter().collect()
            }
        }
    }

    /// Whether who and what is done leave the rule open in view `v`.
    fn is_open(&self, world: &World, place: usize, rule: &Rule, v: View) -> bool {
        let setup = &world.setup;
        let once = match rule.head {
            Head::Make {
                kind,
                justification,
                ..
            } => {
                let made = |record: &Record| (record.kind, record.view) == (kind, v);
                let before = !matches!(justification, Justifies::Back(back) if back > v.0);
                before && !self.own.iter().any(made)
            }
            Head::Arm { .. } => v == self.view && !self.started.contains(&place),
            Head::Stop { timer } => v == self.view && self.timers.contains_key(&timer),
            Head::Enter | Head::Skip => true,
        };
        once && setup.may(self.me, rule.who, self.height, v)
    }

    fn perform(&mut self, world: &mut World, place: usize, at: &Letters, out: &mut Vec<Output>) {
        let setup = std::sync::Arc::clone(&world.setup);
        match setup.rules.rules[place].head {
            Head::Make {
                kind,
                value,
                justification,
            } => {
                let value = match value {
                    Made::X => Some(at.x.unwrap_or_else(|| self.new_value(at.v))),
                    Made::Nil => Some(Value::Nil),
                    Made::None => None,
                };
                let justification = match justification {
                    Justifies::C => at.c,
                    Justifies::Back(back) => Some(View(at.v.0 - back)),
                    Justifies::None => None,
                };
                let record = Record {
                    kind,
                    view: at.v,
                    value,
                    justification,
                };
                self.make(world, record, out);
            }
            Head::Enter | Head::Skip => {
                self.move_to(at.v);
                out.push(Output::Enter(at.v));
            }
            Head::Arm { timer, lasts } => {
                self.started.insert(place);
                let blocks = lasts.map_or(1, |lasts| lasts.of(at.v));
                self.timers.insert(timer, blocks);
                out.push(Output::Start(timer));
            }
            Head::Stop { timer } => {
                self.timers.remove(&timer);
            }
        }
    }

    /// Number 0 of the view, unless it proposed there and forgot.
    fn new_value(&mut self, view: View) -> Value {
        let count = self.proposed.entry((self.height, view)).or_insert(0);
        let index = *count;
        *count += 1;
        Value::Block { view, index }
    }

    /// Keeps a record, sends it if its kind is sent, and leaves the height if it is a decision.
    fn make(&mut self, world: &mut World, record: Record, out: &mut Vec<Output>) {
        let setup = std::sync::Arc::clone(&world.setup);
        let kind = setup.rules.kind(record.kind);
        self.own.push(record);
        if let Some(name) = setup.kinds[record.kind.0].filter(|_| kind.goes == Goes::Sent) {
            let message = Message {
                kind: name,
                height: self.height,
                view: record.view,
                value: record.value,
                justification: record.justification,
            };
            let place = world.post(self.me, message);
            let existed = if setup.proves { place } else { 0 };
            self.taken.insert(Taken {
                record,
                sender: self.me,
                existed,
            });
            out.push(Output::Send(place));
        }
        if kind.is_final {
            if let Some(Value::Block { view, index }) = record.value {
                out.push(Output::Decide(BlockId {
                    height: self.height,
                    view,
                    index,
                }));
            }
            self.height = self.height.next();
            self.forget();
        }
    }
}

impl super::Setup {
    /// Whether a replica is one of `who` in that view.
    pub(super) fn may(&self, id: ReplicaId, who: By, height: Height, view: View) -> bool {
        match who {
            By::Any => true,
            By::Primary => self.primary(height, view) == id,
            By::Backup => self.primary(height, view) != id,
        }
    }
}
