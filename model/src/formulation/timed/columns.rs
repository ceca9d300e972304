//! The columns; over what they range is in `index_sets`, what is said with them in `look_up`, the
//! loops and the algebra in `families`.

pub use super::key::{Indices, Key};
use crate::{
    draft::Draft,
    error::Error,
    expr::Expr,
    limits,
    program::Col,
    rule::{About, Event, Protocol, Rule},
};
use milp_schema::{Instance, instance::FaultKind};
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
    pub(super) repeats: Vec<bool>,
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

    fn add_columns(&mut self) {
        for i in 0..self.n {
            for (kind, name) in FAULTS {
                if self.may_be(kind, i) {
                    self.binary(Key::Faulty(kind, i), format!("{name}_i{i}"));
                }
            }
            if self.may_be(FaultKind::Crash, i) || self.may_be(FaultKind::Network, i) {
                for t in self.slots() {
                    self.binary(Key::Crashed(i, t), format!("crashed_i{i}_t{t}"));
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
                        self.binary(Key::Did(e, i, at), format!("did_{name}_i{i}{label}"));
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
                    self.binary(Key::Entered(i, at), format!("entered_i{i}{label}"));
                    let own = !self.forgets();
                    let others = (0..self.n).filter(|&j| (j != i || own) && !self.pools());
                    for j in others.collect::<Vec<_>>() {
                        self.binary(Key::Asked(i, j, at), format!("asked_i{i}_j{j}{label}"));
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

    /// What a replica in view v takes of the requests sent in view v or later.
    fn add_kept(&mut self, i: u32, h: u32, v: u32) {
        for j in (0..self.n).filter(|&j| j != i) {
            for u in v..self.views {
                for t in 1 + self.delay_min..=self.horizon {
                    let at = Indices { h, v, b: 0, t };
                    let name = format!("kept_i{i}_j{j}_u{u}{}", label(h, v, None, t));
                    self.binary(Key::Kept(i, j, u, at), name);
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
                self.binary(Key::Heard(i, j, at), format!("heard_i{i}_j{j}{label}"));
                self.binary(Key::Alive(i, j, at), format!("alive_i{i}_j{j}{label}"));
            }
            self.binary(Key::Lost(i, at), format!("lost_i{i}{label}"));
        }
    }

    /// Receipts exist from the first slot in which a copy can arrive.
    fn add_receipts(&mut self, c: usize, i: u32, j: u32, h: u32, v: u32) {
        if !self.may_send(c, j, h, v) {
            return;
        }
        let kind = self.protocol.channels[c].kind.name().to_owned();
        let names_block = self.names_block(c);
        for b in self.channel_blocks(c, h, v) {
            for t in 1 + self.delay_min..=self.horizon {
                let label = label(h, v, names_block.then_some(b), t);
                let at = Indices { h, v, b, t };
                let name = format!("{kind}_i{i}_j{j}{label}");
                self.binary(Key::Got(c, i, j, at), format!("got_{name}"));
                if self.guards(c) {
                    self.binary(Key::Took(c, i, j, at), format!("took_{name}"));
                }
                if self.clears(c, h, v) {
                    self.binary(Key::Cleared(i, j, at), format!("cleared_{name}"));
                }
                if self.strays(c, h, v) {
                    self.binary(Key::Stray(i, j, at), format!("stray_{name}"));
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
        let names_block = self.names_block(c);
        let since = v + 1 < self.views && self.asked_since(c).contains(&v);
        for t in self.slots() {
            for b in self.channel_blocks(c, h, v) {
                let label = label(h, v, names_block.then_some(b), t);
                let at = Indices { h, v, b, t };
                let name = format!("injected_{kind}_i{j}{label}");
                self.binary(Key::Injected(c, j, at), name);
            }
            if since {
                let at = Indices { h, v, b: 0, t };
                let name = format!("since_{kind}_i{j}{}", label(h, v, None, t));
                self.binary(Key::Since(c, j, at), name);
            }
        }
    }

    /// A column from 0 to 1.
    fn binary(&mut self, key: Key, name: String) -> Col {
        self.draft.add(key, name, 1)
    }

    /// A binary column of the goal.
    pub(crate) fn goal_column(&mut self, name: &'static str, at: [u32; 3]) -> Expr {
        let [x, y, z] = at;
        self.binary(Key::Goal(name, at), format!("{name}_{x}_{y}_{z}"))
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
