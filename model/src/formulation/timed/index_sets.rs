//! The index sets: over what events, messages and columns range, and deadlines.

use super::columns::{Timed, Views};
use crate::rule::{About, Event, Keeps, Requires, Rule, Who};
use milp_schema::{Kind, instance::FaultKind};

impl Timed {
    /// The primary of view v at height h.
    pub(crate) fn primary(&self, h: u32, v: u32) -> u32 {
        self.protocol
            .rotation
            .of(self.n, milp_schema::Height(h), milp_schema::View(v))
            .0
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

    /// Whether messages of the channel name a block.
    pub(super) fn names_block(&self, channel: usize) -> bool {
        let mut senders = self.senders(channel);
        senders.any(|e| self.events[e].about != About::View)
    }

    /// The block indices a message of the channel may name in view v of height h.
    pub(crate) fn channel_blocks(&self, channel: usize, h: u32, v: u32) -> std::ops::Range<u32> {
        let names_block = self.names_block(channel);
        if names_block { self.blocks(h, v) } else { 0..1 }
    }

    /// Whether requests to leave are forgotten on entering a view.
    pub(crate) fn forgets(&self) -> bool {
        self.protocol
            .enter()
            .is_some_and(|enter| enter.keeps == Keeps::View)
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
}
