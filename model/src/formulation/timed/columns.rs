//! The index sets and the columns; what is said with them is in `look_up`, how rows are added in
//! `rows`, the loops and the algebra in `families`.

pub use super::key::{Indices, Key};
use crate::{
    draft::Draft,
    error::Error,
    expr::Expr,
    limits,
    rule::{About, Event, Keeps, Protocol, Requires, Rule, Who},
};
use milp_schema::{Instance, Kind, instance::FaultKind};
use std::fmt::Write as _;

/// The act of a permit by its place among the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permitted {
    /// Event number e about (h, v, b).
    Did(usize, Indices),
    /// Reaching view w of height h.
    Entered(u32, u32),
}

/// A range of views.
pub(crate) type Views = std::ops::Range<u32>;

/// A program under construction, with its index sets.
#[derive(Debug)]
pub(crate) struct Timed {
    pub(crate) instance: Instance,
    pub(crate) protocol: Protocol,
    /// The events, in handling order.
    pub(crate) events: Vec<Event>,
    /// Which of them only repeat a message in the pool.
    repeats: Vec<bool>,
    /// n, H, V, T of the instance.
    pub(crate) n: u32,
    pub(crate) heights: u32,
    pub(crate) views: u32,
    pub(crate) horizon: u32,
    pub(crate) delay_min: u32,
    /// Who may do what the rules forbid, and the act's place, if it has one.
    pub(super) permits: Vec<(u32, Option<Permitted>)>,
    pub(crate) draft: Draft<Key>,
}

impl Timed {
    pub(crate) fn new(instance: Instance, protocol: Protocol) -> Result<Self, Error> {
        let events: Vec<Event> = protocol.events().cloned().collect();
        let repeat = |event: &Event| protocol.pools() && protocol.repeats(event);
        let repeats = events.iter().map(repeat).collect();
        protocol.check_names()?;
        let mut timed = Self {
            n: instance.replicas,
            heights: instance.heights,
            views: instance.views,
            horizon: instance.slots,
            delay_min: instance.delays().0,
            events,
            repeats,
            instance,
            protocol,
            permits: Vec::new(),
            draft: Draft::new(),
        };
        limits::refuse(&timed.instance, timed.copies())?;
        timed.add_columns();
        Ok(timed)
    }

    // Index sets.

    /// The primary of view v at height h.
    pub(crate) fn primary(&self, h: u32, v: u32) -> u32 {
        self.protocol.rotation.primary(self.n, h, v)
    }

    /// Whether replica i may have that fault.
    pub(crate) fn may_be(&self, kind: FaultKind, i: u32) -> bool {
        self.instance.may_be(kind, i)
    }

    /// The block indices that may be proposed in view v of height h: more than one only if its
    /// primary may be Byzantine, because an honest one proposes index 0.
    pub(crate) fn blocks(&self, h: u32, v: u32) -> std::ops::Range<u32> {
        let byzantine = self.may_be(FaultKind::Byzantine, self.primary(h, v));
        0..if byzantine {
            self.instance.blocks_per_proposal
        } else {
            1
        }
    }

    /// The block indices an event of view v is about; the view itself counts as one.
    pub(crate) fn about(&self, event: &Event, h: u32, v: u32) -> std::ops::Range<u32> {
        match event.about {
            About::Block => self.blocks(h, v),
            About::View | About::Proposal => 0..1,
        }
    }

    /// Whether replica i does that event in view v of height h.
    pub(crate) fn does(&self, event: &Event, i: u32, h: u32, v: u32) -> bool {
        match event.who {
            Who::Primary => self.primary(h, v) == i,
            Who::Backup => self.primary(h, v) != i,
            Who::Any => true,
        }
    }

    /// All (h, v).
    pub(crate) fn height_views(&self) -> Vec<(u32, u32)> {
        (0..self.heights)
            .flat_map(|h| (0..self.views).map(move |v| (h, v)))
            .collect()
    }

    /// All slots in which something may happen.
    pub(crate) fn slots(&self) -> std::ops::RangeInclusive<u32> {
        1..=self.horizon
    }

    /// Number of the channel of that kind.
    pub(crate) fn channel(&self, kind: &Kind) -> usize {
        let position = self
            .protocol
            .channels
            .iter()
            .position(|channel| channel.kind == *kind);
        position.expect("`check_names` found every kind that a rule names")
    }

    /// Number of the event of that name.
    pub(crate) fn event(&self, name: &str) -> usize {
        let position = self.events.iter().position(|event| event.name == name);
        position.expect("`check_names` found every event that a rule names")
    }

    /// Events that broadcast the channel's kind, what only repeats a message in a pool aside.
    pub(crate) fn senders(&self, channel: usize) -> impl Iterator<Item = usize> + '_ {
        let kind = &self.protocol.channels[channel].kind;
        (0..self.events.len())
            .filter(move |&e| self.events[e].broadcasts.as_ref() == Some(kind) && !self.repeats[e])
    }

    /// Events that happen as often together as event e: those that send its kind into the pool.
    pub(crate) fn counted_with(&self, e: usize) -> Vec<usize> {
        match &self.events[e].broadcasts {
            Some(kind) if self.pools() && !self.repeats[e] => {
                self.senders(self.channel(kind)).collect()
            }
            _ => vec![e],
        }
    }

    /// Whether messages go into one pool.
    pub(crate) fn pools(&self) -> bool {
        self.protocol.pools()
    }

    /// Whether j may send the channel's kind in view v of height h.
    pub(crate) fn may_send(&self, channel: usize, j: u32, h: u32, v: u32) -> bool {
        self.senders(channel)
            .any(|e| self.does(&self.events[e], j, h, v))
    }

    /// The block indices a message of the channel may name in view v of height h.
    pub(crate) fn channel_blocks(&self, channel: usize, h: u32, v: u32) -> std::ops::Range<u32> {
        let names_block = self
            .senders(channel)
            .any(|e| self.events[e].about != About::View);
        if names_block { self.blocks(h, v) } else { 0..1 }
    }

    // Columns.

    fn add_columns(&mut self) {
        for i in 0..self.n {
            for (kind, name) in FAULTS {
                if self.may_be(kind, i) {
                    self.draft
                        .add(Key::Faulty(kind, i), format!("{name}_i{i}"), 1);
                }
            }
            if self.may_be(FaultKind::Crash, i) || self.may_be(FaultKind::Network, i) {
                for t in self.slots() {
                    self.draft
                        .add(Key::Crashed(i, t), format!("crashed_i{i}_t{t}"), 1);
                }
            }
        }
        for (h, v) in self.height_views() {
            self.add_view_columns(h, v);
        }
        if self.protocol.arming().is_some() && self.instance.block_time.is_some() {
            let latest = self.latest_due();
            for i in 0..self.n {
                for t in 0..=self.horizon {
                    self.draft
                        .add(Key::Due(i, t), format!("due_i{i}_t{t}"), latest);
                }
            }
        }
    }

    /// No timer is ever due after this moment, in units of [`Timed::units_of_a_slot`]: armed in the
    /// last slot for the longest duration and put off by every message of a view.
    pub(crate) fn latest_due(&self) -> i64 {
        let (slot, block_time) = (self.units_of_a_slot(), i64::from(self.block_time()));
        let step = block_time * slot / self.quorum_of_timers();
        let most: u32 = self.protocol.arming().map_or(0, |arming| {
            arming
                .extended_by
                .iter()
                .map(|(_, count)| count * self.n)
                .sum()
        });
        let longest = i64::from(self.horizon) + (block_time << (self.views + 1));
        longest * slot + step * i64::from(most)
    }

    /// What divides T where messages put timers off: the quorum in force.
    pub(crate) fn quorum_of_timers(&self) -> i64 {
        let enter = self.protocol.enter();
        enter.map_or(1, |enter| self.count(enter.at_least))
    }

    /// In how many parts of a slot deadlines are counted: 1 where T is divided by whole slots.
    pub(crate) fn units_of_a_slot(&self) -> i64 {
        let quorum = self.quorum_of_timers();
        if i64::from(self.block_time()) % quorum == 0 {
            1
        } else {
            quorum
        }
    }

    fn add_view_columns(&mut self, h: u32, v: u32) {
        let changes_views = self.protocol.enter().is_some();
        for i in 0..self.n {
            for e in 0..self.events.len() {
                if !self.does(&self.events[e], i, h, v) {
                    continue;
                }
                let (name, about) = (self.events[e].name, self.events[e].about);
                for b in self.about(&self.events[e], h, v) {
                    for t in self.slots() {
                        let at = Indices { h, v, b, t };
                        let label = label(h, v, (about != About::View).then_some(b), t);
                        self.draft
                            .add(Key::Did(e, i, at), format!("did_{name}_i{i}{label}"), 1);
                    }
                }
            }
            let channels = 0..self.protocol.channels.len();
            if self.pools() {
                channels
                    .clone()
                    .for_each(|c| self.add_injections(c, i, h, v));
            } else {
                for j in (0..self.n).filter(|&j| j != i) {
                    channels
                        .clone()
                        .for_each(|c| self.add_receipts(c, i, j, h, v));
                }
            }
            if changes_views && v > 0 {
                for t in self.slots() {
                    let at = Indices { h, v, b: 0, t };
                    let label = label(h, v, None, t);
                    self.draft
                        .add(Key::Entered(i, at), format!("entered_i{i}{label}"), 1);
                    let own = !self.forgets();
                    let others = (0..self.n).filter(|&j| (j != i || own) && !self.pools());
                    for j in others.collect::<Vec<_>>() {
                        self.draft
                            .add(Key::Asked(i, j, at), format!("asked_i{i}_j{j}{label}"), 1);
                    }
                }
            }
            if self.forgets() {
                self.add_kept(i, h, v);
            }
            if self
                .protocol
                .rules
                .iter()
                .any(|rule| matches!(rule, Rule::Negation(_)))
            {
                self.add_counts(i, h, v);
            }
        }
    }

    /// Whether requests to leave are forgotten on entering a view.
    pub(crate) fn forgets(&self) -> bool {
        self.protocol
            .enter()
            .is_some_and(|enter| enter.keeps == Keeps::View)
    }

    /// What a replica in view v takes of the requests sent in view v or later.
    fn add_kept(&mut self, i: u32, h: u32, v: u32) {
        for j in (0..self.n).filter(|&j| j != i) {
            for u in v..self.views {
                for t in 1 + self.delay_min..=self.horizon {
                    let at = Indices { h, v, b: 0, t };
                    let name = format!("kept_i{i}_j{j}_u{u}{}", label(h, v, None, t));
                    self.draft.add(Key::Kept(i, j, u, at), name, 1);
                }
            }
        }
    }

    /// Who counts as alive in view v.
    fn add_counts(&mut self, i: u32, h: u32, v: u32) {
        for t in self.slots() {
            let at = Indices { h, v, b: 0, t };
            let label = label(h, v, None, t);
            let earliest = self.delay_min;
            for j in (0..self.n).filter(|&j| j != i && t > earliest) {
                self.draft
                    .add(Key::Heard(i, j, at), format!("heard_i{i}_j{j}{label}"), 1);
                self.draft
                    .add(Key::Alive(i, j, at), format!("alive_i{i}_j{j}{label}"), 1);
            }
            self.draft
                .add(Key::Lost(i, at), format!("lost_i{i}{label}"), 1);
        }
    }

    /// Receipts exist from the first slot in which a copy can arrive.
    fn add_receipts(&mut self, c: usize, i: u32, j: u32, h: u32, v: u32) {
        if !self.may_send(c, j, h, v) {
            return;
        }
        let kind = self.protocol.channels[c].kind.name().to_owned();
        let names_block = self.senders(c).any(|e| self.events[e].about != About::View);
        for b in self.channel_blocks(c, h, v) {
            for t in 1 + self.delay_min..=self.horizon {
                let label = label(h, v, names_block.then_some(b), t);
                let at = Indices { h, v, b, t };
                let name = format!("{kind}_i{i}_j{j}{label}");
                self.draft
                    .add(Key::Got(c, i, j, at), format!("got_{name}"), 1);
                if self.guards(c) {
                    self.draft
                        .add(Key::Took(c, i, j, at), format!("took_{name}"), 1);
                }
                if self.clears(c, h, v) {
                    self.draft
                        .add(Key::Cleared(i, j, at), format!("cleared_{name}"), 1);
                }
                if self.strays(c, h, v) {
                    self.draft
                        .add(Key::Stray(i, j, at), format!("stray_{name}"), 1);
                }
            }
        }
    }

    /// What replica j puts into the pool if it is Byzantine.
    fn add_injections(&mut self, c: usize, j: u32, h: u32, v: u32) {
        if !self.may_inject(c, j, h, v) {
            return;
        }
        let kind = self.protocol.channels[c].kind.name().to_owned();
        let names_block = self.senders(c).any(|e| self.events[e].about != About::View);
        let since = v + 1 < self.views && self.asked_since(c).contains(&v);
        for t in self.slots() {
            for b in self.channel_blocks(c, h, v) {
                let label = label(h, v, names_block.then_some(b), t);
                let at = Indices { h, v, b, t };
                let name = format!("injected_{kind}_i{j}{label}");
                self.draft.add(Key::Injected(c, j, at), name, 1);
            }
            if since {
                let at = Indices { h, v, b: 0, t };
                let name = format!("since_{kind}_i{j}{}", label(h, v, None, t));
                self.draft.add(Key::Since(c, j, at), name, 1);
            }
        }
    }

    /// Whether replica j may put a message of the channel into the pool as a Byzantine one.
    pub(crate) fn may_inject(&self, c: usize, j: u32, h: u32, v: u32) -> bool {
        let channel = &self.protocol.channels[c];
        channel.pool
            && channel.forgeable
            && self.may_be(FaultKind::Byzantine, j)
            && self.may_send(c, j, h, v)
    }

    /// The views for which somebody asks whether a message of the channel about the view or a
    /// later one is in the pool.
    pub(crate) fn asked_since(&self, c: usize) -> Views {
        let kind = &self.protocol.channels[c].kind;
        if self.protocol.enter().is_some_and(|enter| enter.of == *kind) {
            return self.all_views();
        }
        let over_views = |requirement: &Requires| matches!(requirement, Requires::TallyOverViews { of, .. } if of == kind);
        let any = self
            .events
            .iter()
            .flat_map(|event| &event.requires)
            .any(over_views);
        0..u32::from(any)
    }

    /// Whether a copy of the channel may be delivered and not taken.
    pub(crate) fn guards(&self, c: usize) -> bool {
        let channel = &self.protocol.channels[c];
        channel.lost_ahead || self.protocol.hold(&channel.kind).is_some()
    }

    /// Whether a copy of the channel is thrown away if another block of the view was requested.
    pub(crate) fn clears(&self, c: usize, h: u32, v: u32) -> bool {
        let kind = &self.protocol.channels[c].kind;
        let counts = self
            .protocol
            .rules
            .iter()
            .any(|rule| matches!(rule, Rule::Negation(negation) if negation.without == *kind));
        counts && self.blocks(h, v).len() > 1
    }

    /// Whether a guarded copy of the channel is of no use if another block of the view was requested,
    /// and timers ask about it.
    pub(crate) fn strays(&self, c: usize, h: u32, v: u32) -> bool {
        let timers = self.protocol.arming().is_some() && self.instance.block_time.is_some();
        let guarded = self
            .protocol
            .hold(&self.protocol.channels[c].kind)
            .is_some();
        timers && guarded && self.blocks(h, v).len() > 1
    }

    /// A binary column of the goal.
    pub(crate) fn goal_column(&mut self, name: &'static str, at: [u32; 3]) -> Expr {
        let [x, y, z] = at;
        self.draft
            .add(Key::Goal(name, at), format!("{name}_{x}_{y}_{z}"), 1)
            .into()
    }

    /// A binary column that a projection asks for.
    pub(super) fn projection_column(&mut self, name: String, number: u32) -> Expr {
        self.draft
            .add(Key::Goal("projection", [number, 0, 0]), name, 1)
            .into()
    }
}

/// The kinds of fault and the names of their columns.
pub(crate) const FAULTS: [(FaultKind, &str); 3] = [
    (FaultKind::Byzantine, "byzantine"),
    (FaultKind::Crash, "crashing"),
    (FaultKind::Network, "disconnected"),
];

/// `_h0_v1_b0_t3`.
fn label(h: u32, v: u32, b: Option<u32>, t: u32) -> String {
    let mut label = format!("_h{h}_v{v}");
    if let Some(b) = b {
        write!(label, "_b{b}").expect("writing to a string cannot fail");
    }
    write!(label, "_t{t}").expect("writing to a string cannot fail");
    label
}
