//! The index sets, the columns and the look-ups over them: loops and algebra are elsewhere.

use crate::{
    error::Error,
    expr::Expr,
    program::{Col, Column, Family, FamilyId, Program, Row, Tag},
    rule::{About, Event, Modality, Protocol, Range, Requires, Rotation, Scope, Who},
};
use milp_schema::{
    Instance, Kind,
    instance::{FaultKind, Sense, Timeouts, Who as Whom},
};
use std::{collections::BTreeMap, fmt::Write as _};

/// What a column stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Replica i is faulty in that way.
    Faulty(FaultKind, u32),
    /// Replica i has crashed by slot t.
    Crashed(u32, u32),
    /// Replica i did event number e at (h, v, b) by slot t.
    Did(usize, u32, Indices),
    /// A copy of channel number c about (h, v, b) from j was delivered to i by slot t.
    Got(usize, u32, u32, Indices),
    /// Replica i reached view v of height h by slot t.
    Entered(u32, Indices),
    /// Replica i holds a request from j for view v of height h or a later one, by slot t.
    Asked(u32, u32, Indices),
    /// A column of the goal, by name and numbers.
    Goal(&'static str, [u32; 3]),
}

/// Height, view, block and slot of a column; `b` is 0 where there is no block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Indices {
    /// Height.
    pub h: u32,
    /// View.
    pub v: u32,
    /// Index of the block.
    pub b: u32,
    /// Slot.
    pub t: u32,
}

/// A program under construction, with its index sets.
#[derive(Debug)]
pub(crate) struct Timed {
    pub(crate) instance: Instance,
    pub(crate) protocol: Protocol,
    /// The events, in handling order.
    pub(crate) events: Vec<Event>,
    /// n, H, V, T of the instance.
    pub(crate) n: u32,
    pub(crate) heights: u32,
    pub(crate) views: u32,
    pub(crate) horizon: u32,
    pub(crate) delay_min: u32,
    keys: Vec<Key>,
    columns: Vec<Column>,
    at: BTreeMap<Key, Col>,
    families: Vec<Family>,
    family_at: BTreeMap<String, FamilyId>,
    rows: Vec<Row>,
    /// The objective: direction and expression.
    pub(crate) objective: (Sense, Expr),
}

impl Timed {
    pub(crate) fn new(instance: Instance, protocol: Protocol) -> Result<Self, Error> {
        let events: Vec<Event> = protocol.events().cloned().collect();
        let mut timed = Self {
            n: instance.replicas,
            heights: instance.heights,
            views: instance.views,
            horizon: instance.slots,
            delay_min: instance.delays().0,
            events,
            instance,
            protocol,
            keys: vec![],
            columns: vec![],
            at: BTreeMap::new(),
            families: vec![],
            family_at: BTreeMap::new(),
            rows: vec![],
            objective: (Sense::Maximize, Expr::default()),
        };
        timed.check_names()?;
        timed.add_columns();
        Ok(timed)
    }

    /// Every event and channel a rule names exists.
    fn check_names(&self) -> Result<(), Error> {
        let dangling = |rule: &str, missing: &str| Error::Dangling {
            protocol: self.protocol.name.clone(),
            rule: rule.into(),
            missing: missing.into(),
        };
        let event = |rule: &str, name: &str| {
            let known = self.events.iter().any(|event| event.name == name);
            if known {
                Ok(())
            } else {
                Err(dangling(rule, name))
            }
        };
        let channel = |rule: &str, kind: &Kind| {
            let known = self
                .protocol
                .channels
                .iter()
                .any(|channel| channel.kind == *kind);
            if known {
                Ok(())
            } else {
                Err(dangling(rule, kind.name()))
            }
        };
        for rule in &self.events {
            rule.broadcasts
                .iter()
                .try_for_each(|kind| channel(rule.name, kind))?;
            rule.excludes
                .iter()
                .try_for_each(|own| event(rule.name, own.event))?;
            for requirement in &rule.requires {
                match requirement {
                    Requires::Own(names) => {
                        names.iter().try_for_each(|name| event(rule.name, name))?;
                    }
                    Requires::OwnAsPrimary(name) => event(rule.name, name)?,
                    Requires::Held(kind) | Requires::HeldFromAnother(kind) => {
                        channel(rule.name, kind)?;
                    }
                    Requires::Tally { of, .. } => {
                        of.iter().try_for_each(|kind| channel(rule.name, kind))?;
                    }
                }
            }
        }
        if let Some(enter) = self.protocol.enter() {
            channel("enter", &enter.of)?;
            enter
                .excludes
                .iter()
                .try_for_each(|name| event("enter", name))?;
        }
        Ok(())
    }

    // Index sets.

    /// The primary of view v at height h.
    pub(crate) fn primary(&self, h: u32, v: u32) -> u32 {
        match self.protocol.rotation {
            Rotation::HeightPlusView => (h + v) % self.n,
            Rotation::HeightMinusView => (h + self.n * v - v) % self.n,
            Rotation::ViewOnly => v % self.n,
        }
    }

    /// Whether replica i may have that fault.
    pub(crate) fn may_be(&self, kind: FaultKind, i: u32) -> bool {
        self.instance.faults.iter().any(|fault| {
            fault.kind == kind
                && match &fault.who {
                    Whom::Any(count) => *count > 0,
                    Whom::These(replicas) => replicas.iter().any(|replica| replica.0 == i),
                }
        })
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
        position.expect("check_names found every kind that a rule names")
    }

    /// Number of the event of that name.
    pub(crate) fn event(&self, name: &str) -> usize {
        let position = self.events.iter().position(|event| event.name == name);
        position.expect("check_names found every event that a rule names")
    }

    /// Events that broadcast the channel's kind.
    pub(crate) fn senders(&self, channel: usize) -> impl Iterator<Item = usize> + '_ {
        let kind = &self.protocol.channels[channel].kind;
        (0..self.events.len()).filter(move |&e| self.events[e].broadcasts.as_ref() == Some(kind))
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

    fn add(&mut self, key: Key, name: String, upper: i64) -> Col {
        let col = Col(self.columns.len() as u32);
        self.columns.push(Column {
            name,
            lower: 0,
            upper,
        });
        let previous = self.at.insert(key.clone(), col);
        assert!(previous.is_none(), "every key has one column");
        self.keys.push(key);
        col
    }

    fn add_columns(&mut self) {
        for i in 0..self.n {
            for (kind, name) in FAULTS {
                if self.may_be(kind, i) {
                    self.add(Key::Faulty(kind, i), format!("{name}_i{i}"), 1);
                }
            }
            if self.may_be(FaultKind::Crash, i) || self.may_be(FaultKind::Network, i) {
                for t in self.slots() {
                    self.add(Key::Crashed(i, t), format!("crashed_i{i}_t{t}"), 1);
                }
            }
        }
        for (h, v) in self.height_views() {
            self.add_view_columns(h, v);
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
                        self.add(Key::Did(e, i, at), format!("did_{name}_i{i}{label}"), 1);
                    }
                }
            }
            for j in (0..self.n).filter(|&j| j != i) {
                for c in 0..self.protocol.channels.len() {
                    self.add_receipts(c, i, j, h, v);
                }
            }
            if changes_views && v > 0 {
                for t in self.slots() {
                    let at = Indices { h, v, b: 0, t };
                    let label = label(h, v, None, t);
                    self.add(Key::Entered(i, at), format!("entered_i{i}{label}"), 1);
                    for j in 0..self.n {
                        self.add(Key::Asked(i, j, at), format!("asked_i{i}_j{j}{label}"), 1);
                    }
                }
            }
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
                self.add(
                    Key::Got(c, i, j, at),
                    format!("got_{kind}_i{i}_j{j}{label}"),
                    1,
                );
            }
        }
    }

    /// A binary column of the goal.
    pub(crate) fn goal_column(&mut self, name: &'static str, at: [u32; 3]) -> Expr {
        let [x, y, z] = at;
        self.add(Key::Goal(name, at), format!("{name}_{x}_{y}_{z}"), 1)
            .into()
    }

    pub(crate) fn key(&self, col: Col) -> &Key {
        &self.keys[col.index()]
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = (&Key, Col)> {
        self.at.iter().map(|(key, &col)| (key, col))
    }

    pub(crate) fn col(&self, key: &Key) -> Option<Col> {
        self.at.get(key).copied()
    }

    fn look_up(&self, key: &Key) -> Expr {
        self.col(key).map(Expr::from).unwrap_or_default()
    }

    // Expressions: each is 0 where its column does not exist.

    /// Replica i has that fault.
    pub(crate) fn faulty(&self, kind: FaultKind, i: u32) -> Expr {
        self.look_up(&Key::Faulty(kind, i))
    }

    /// Replica i is Byzantine.
    pub(crate) fn byzantine(&self, i: u32) -> Expr {
        self.faulty(FaultKind::Byzantine, i)
    }

    /// Replica i has crashed by slot t.
    pub(crate) fn crashed(&self, i: u32, t: u32) -> Expr {
        self.look_up(&Key::Crashed(i, t))
    }

    /// Replica i did event e about (h, v, b) by slot t.
    pub(crate) fn did(&self, e: usize, i: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        self.look_up(&Key::Did(e, i, Indices { h, v, b, t }))
    }

    /// Replica i did event e about any block of view v by slot t.
    pub(crate) fn did_in_view(&self, e: usize, i: u32, h: u32, v: u32, t: u32) -> Expr {
        self.blocks(h, v).map(|b| self.did(e, i, h, v, b, t)).sum()
    }

    /// Replica i did event e in a view of `range` by slot t.
    pub(crate) fn did_in(&self, e: usize, i: u32, h: u32, v: u32, range: Range, t: u32) -> Expr {
        match range {
            Range::View => self.did_in_view(e, i, h, v, t),
            Range::Height => (0..self.views)
                .map(|v| self.did_in_view(e, i, h, v, t))
                .sum(),
        }
    }

    /// Replica j sent the channel's message about (h, v, b) by slot t.
    pub(crate) fn sent(&self, c: usize, j: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        self.senders(c).map(|e| self.did(e, j, h, v, b, t)).sum()
    }

    /// Replica i holds the channel's message about (h, v, b) from j by slot t; its own at once.
    #[expect(
        clippy::too_many_arguments,
        reason = "the indices of the paper's Recv variables"
    )]
    pub(crate) fn got(&self, c: usize, i: u32, j: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        if i == j {
            return self.sent(c, i, h, v, b, t);
        }
        self.look_up(&Key::Got(c, i, j, Indices { h, v, b, t }))
    }

    /// Replica i holds a request from j for view w of height h or a later one, by slot t.
    pub(crate) fn asked(&self, i: u32, j: u32, h: u32, w: u32, t: u32) -> Expr {
        if w < self.views {
            return self.look_up(&Key::Asked(i, j, Indices { h, v: w, b: 0, t }));
        }
        // Only the last view's request asks for the view behind the last.
        let enter = self
            .protocol
            .enter()
            .expect("only a view change asks for views");
        self.got(self.channel(&enter.of), i, j, h, self.views - 1, 0, t)
    }

    /// Replica i decided height h, by slot t, through any of the events numbered.
    pub(crate) fn decided_by(&self, events: &[usize], i: u32, h: u32, t: u32) -> Expr {
        events
            .iter()
            .map(|&e| self.did_in(e, i, h, 0, Range::Height, t))
            .sum()
    }

    /// Numbers of the events that decide.
    pub(crate) fn deciding(&self) -> Vec<usize> {
        (0..self.events.len())
            .filter(|&e| self.events[e].decides)
            .collect()
    }

    /// Replica i decided height h by slot t.
    pub(crate) fn decided(&self, i: u32, h: u32, t: u32) -> Expr {
        self.decided_by(&self.deciding(), i, h, t)
    }

    /// Replica i decided block (h, v, b) by slot t.
    pub(crate) fn decided_block(&self, i: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        self.deciding()
            .into_iter()
            .map(|e| self.did(e, i, h, v, b, t))
            .sum()
    }

    /// Replica i reached view v of height h by slot t; view 0 with the height itself.
    pub(crate) fn entered(&self, i: u32, h: u32, v: u32, t: u32) -> Expr {
        match (h, v) {
            (0, 0) => Expr::from(1),
            (h, 0) => self.decided(i, h - 1, t),
            (h, v) => self.look_up(&Key::Entered(i, Indices { h, v, b: 0, t })),
        }
    }

    /// Replica i is in view v of height h, or decided in it, at the end of slot t.
    pub(crate) fn is_in(&self, i: u32, h: u32, v: u32, t: u32) -> Expr {
        self.entered(i, h, v, t) - self.entered(i, h, v + 1, t)
    }

    /// Number of senders a threshold asks for.
    pub(crate) fn count(&self, threshold: crate::rule::Threshold) -> i64 {
        i64::from(threshold.count(self.n, self.instance.f()))
    }

    /// Slots between entry into view v and the firing of event e's timer; `None` when free.
    pub(crate) fn timer(&self, event: &Event, v: u32) -> Option<u32> {
        match (self.instance.timeouts, event.modality) {
            (Timeouts::Protocol, Modality::Timer { after }) => Some(
                after.in_view(v)
                    * self
                        .instance
                        .block_time
                        .expect("validated with the instance"),
            ),
            _ => None,
        }
    }

    /// Whether the event happens in the view it names.
    pub(crate) fn in_view(&self, e: usize) -> bool {
        self.events[e].scope == Scope::View
    }

    // Rows.

    /// The family of that name, registered at its first use.
    pub(crate) fn family(
        &mut self,
        name: &str,
        line: &str,
        equations: &[u32],
        tag: Tag,
    ) -> FamilyId {
        if let Some(&id) = self.family_at.get(name) {
            return id;
        }
        let id = FamilyId(self.families.len() as u32);
        self.families.push(Family {
            name: name.into(),
            line: line.into(),
            equations: equations.to_vec(),
            tag,
        });
        self.family_at.insert(name.into(), id);
        id
    }

    /// Adds `left ≤ right`, unless the columns' bounds imply it.
    pub(crate) fn at_most(&mut self, family: FamilyId, indices: &str, left: Expr, right: Expr) {
        let difference = left - right;
        let most: i64 = difference
            .terms()
            .map(|(col, k)| k.max(0) * self.columns[col.index()].upper)
            .sum::<i64>()
            + difference.constant();
        if most <= 0 {
            return;
        }
        let name = format!("{}{indices}", self.families[family.0 as usize].name);
        let upper = Some(-difference.constant());
        let terms = difference.terms().collect();
        self.rows.push(Row {
            name,
            family,
            terms,
            lower: None,
            upper,
        });
    }

    pub(crate) fn finish(&mut self) -> Program {
        let (sense, objective) =
            std::mem::replace(&mut self.objective, (Sense::Maximize, Expr::default()));
        Program {
            columns: std::mem::take(&mut self.columns),
            families: std::mem::take(&mut self.families),
            rows: std::mem::take(&mut self.rows),
            sense,
            objective: objective.terms().collect(),
            constant: objective.constant(),
        }
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

/// The slot by which event `first` blocks event `second` at slot t: t itself if the replica
/// handles `first` earlier in a slot, t − 1 otherwise (E7).
pub(crate) fn blocks_by(first: usize, second: usize, t: u32) -> u32 {
    if first < second { t } else { t - 1 }
}
