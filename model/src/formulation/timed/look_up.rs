//! What columns say, as expressions by index: each is 0 where its column does not exist.

use super::columns::{Indices, Key, Timed, Views};
use crate::{
    expr::Expr,
    rule::{About, Event, Modality, Range, Requires, Scope, Threshold},
};
use milp_schema::instance::{FaultKind, Timers};

impl Timed {
    /// How many columns there are for copies alone: by far the most, where there are any.
    pub(crate) fn copies(&self) -> u64 {
        if self.pools() {
            return 0;
        }
        let slots = u64::from(self.horizon.saturating_sub(self.delay_min));
        let mut messages = 0;
        for (h, v) in self.height_views() {
            for c in 0..self.protocol.channels.len() {
                let senders = (0..self.n).filter(|&j| self.may_send(c, j, h, v)).count();
                messages += senders as u64 * self.channel_blocks(c, h, v).len() as u64;
            }
        }
        messages * u64::from(self.n - 1) * slots
    }

    fn look_up(&self, key: &Key) -> Expr {
        self.draft.get(key)
    }

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

    /// Replica i did event e in one of `views` of height h by slot t.
    pub(crate) fn did_in(&self, e: usize, i: u32, h: u32, views: Views, t: u32) -> Expr {
        views.map(|v| self.did_in_view(e, i, h, v, t)).sum()
    }

    /// All views.
    pub(crate) fn all_views(&self) -> Views {
        0..self.views
    }

    /// The views of `range` in which an event can have happened before one of view v: a later view
    /// comes later, perhaps in the same slot.
    pub(crate) fn up_to(range: Range, v: u32) -> Views {
        match range {
            Range::View => v..v + 1,
            Range::Height => 0..v + 1,
        }
    }

    /// Replica j sent the channel's message about (h, v, b) by slot t.
    pub(crate) fn sent(&self, c: usize, j: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        self.senders(c).map(|e| self.did(e, j, h, v, b, t)).sum()
    }

    /// The pool has the channel's message about (h, v, b) from j by slot t.
    pub(crate) fn pooled(&self, c: usize, j: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        self.sent(c, j, h, v, b, t) + self.injected(c, j, h, v, b, t)
    }

    /// Byzantine j put the channel's message about (h, v, b) into the pool by slot t.
    pub(crate) fn injected(&self, c: usize, j: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        self.look_up(&Key::Injected(c, j, Indices { h, v, b, t }))
    }

    /// The number of replicas with a message of the channel about any view of height h in the pool
    /// by slot t; honest ones send it once per height.
    pub(crate) fn pooled_over_views(&self, c: usize, h: u32, t: u32) -> Expr {
        let from = |j: u32| -> Expr {
            let sent: Expr = self.all_views().map(|v| self.sent(c, j, h, v, 0, t)).sum();
            sent + self.injected_since(c, j, h, 0, t)
        };
        (0..self.n).map(from).sum()
    }

    /// The number of replicas whose request to leave view w − 1 or a later one is in the pool by
    /// slot t, or a number on the same side of a quorum: of honest ones, those that asked to leave
    /// view w − 1.
    ///
    /// An honest replica can ask to leave a later view only if it has entered w. When the first
    /// one did, nobody honest had asked to leave a later view, so the quorum behind that step was
    /// one of requests made in w − 1 and of Byzantine ones, and these stay. Until then the two
    /// numbers are the same, from then on both are quorums.
    pub(crate) fn pooled_asks(&self, c: usize, h: u32, w: u32, t: u32) -> Expr {
        (0..self.n)
            .map(|j| self.sent(c, j, h, w - 1, 0, t) + self.injected_since(c, j, h, w - 1, t))
            .sum()
    }

    /// The pool has a message of the channel from Byzantine j about view v or a later one by slot
    /// t.
    pub(crate) fn injected_since(&self, c: usize, j: u32, h: u32, v: u32, t: u32) -> Expr {
        let at = Indices { h, v, b: 0, t };
        if v + 1 == self.views {
            return self.look_up(&Key::Injected(c, j, at));
        }
        self.look_up(&Key::Since(c, j, at))
    }

    /// Replica i holds the channel's message about (h, v, b) from j by slot t; its own at once, or
    /// sees it in the pool when slot t begins.
    #[expect(
        clippy::too_many_arguments,
        reason = "the indices of the paper's Recv variables"
    )]
    pub(crate) fn got(&self, c: usize, i: u32, j: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        if self.pools() {
            return self.pooled(c, j, h, v, b, t.saturating_sub(1));
        }
        if i == j {
            return self.sent(c, i, h, v, b, t);
        }
        self.look_up(&Key::Got(c, i, j, Indices { h, v, b, t }))
    }

    /// Replica i took the channel's message about (h, v, b) from j by slot t; where nothing guards
    /// it, that is to hold it.
    #[expect(
        clippy::too_many_arguments,
        reason = "the indices of the paper's Recv variables"
    )]
    pub(crate) fn took(&self, c: usize, i: u32, j: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        if i == j || !self.guards(c) {
            return self.got(c, i, j, h, v, b, t);
        }
        self.look_up(&Key::Took(c, i, j, Indices { h, v, b, t }))
    }

    /// Replica i, in view v, took the request of j sent in view u, by slot t.
    pub(crate) fn kept(&self, i: u32, j: u32, u: u32, h: u32, v: u32, t: u32) -> Expr {
        self.look_up(&Key::Kept(i, j, u, Indices { h, v, b: 0, t }))
    }

    /// Replica i heard j in view v or a later one, by slot t.
    pub(crate) fn heard(&self, i: u32, j: u32, h: u32, v: u32, t: u32) -> Expr {
        self.look_up(&Key::Heard(i, j, Indices { h, v, b: 0, t }))
    }

    /// Replica i counts j as alive in view v at slot t.
    pub(crate) fn alive(&self, i: u32, j: u32, h: u32, v: u32, t: u32) -> Expr {
        self.look_up(&Key::Alive(i, j, Indices { h, v, b: 0, t }))
    }

    /// Replica i counts more than f replicas as committed or lost in view v at slot t.
    pub(crate) fn lost(&self, i: u32, h: u32, v: u32, t: u32) -> Expr {
        self.look_up(&Key::Lost(i, Indices { h, v, b: 0, t }))
    }

    /// Replica i threw away the commit of j for (h, v, b) by slot t.
    pub(crate) fn cleared(&self, i: u32, j: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        self.look_up(&Key::Cleared(i, j, Indices { h, v, b, t }))
    }

    /// The response of j for (h, v, b) came to replica i, by slot t, when it held the request of
    /// another block.
    pub(crate) fn stray(&self, i: u32, j: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        self.look_up(&Key::Stray(i, j, Indices { h, v, b, t }))
    }

    /// Replica i has prepared another block of view v than b before it handles the votes of slot t:
    /// requests come before votes inside a slot, and an own proposal after them (E7).
    pub(crate) fn prepared_other(&self, i: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        self.prepared_other_by(i, (h, v, b), |proposes| t - u32::from(proposes))
    }

    /// Replica i ever prepares another block of view v than b.
    pub(crate) fn ever_prepared_other(&self, i: u32, h: u32, v: u32, b: u32) -> Expr {
        self.prepared_other_by(i, (h, v, b), |_| self.horizon)
    }

    /// The same by a slot that depends on whether the event is a proposal.
    fn prepared_other_by(
        &self,
        i: u32,
        (h, v, b): (u32, u32, u32),
        by: impl Fn(bool) -> u32,
    ) -> Expr {
        let prepares = self.preparing();
        self.blocks(h, v)
            .filter(|&other| other != b)
            .flat_map(|other| prepares.iter().map(move |&e| (e, other)))
            .map(|(e, other)| {
                let proposes = self.events[e].about == About::Proposal;
                self.did(e, i, h, v, other, by(proposes))
            })
            .sum()
    }

    /// The slot in which the timer of replica i is due, at the end of slot t.
    pub(crate) fn due(&self, i: u32, t: u32) -> Expr {
        self.look_up(&Key::Due(i, t))
    }

    /// Replica i was in view v at the start of slot t.
    pub(crate) fn was_in(&self, i: u32, h: u32, v: u32, t: u32) -> Expr {
        self.is_in(i, h, v, t - 1)
    }

    /// Replica i holds a request from j for view w of height h or a later one, by slot t; under
    /// rules that forget requests on entering a view, while in view w − 1.
    pub(crate) fn asked(&self, i: u32, j: u32, h: u32, w: u32, t: u32) -> Expr {
        if self.forgets() && w == self.views {
            return self.kept(i, j, w - 1, h, w - 1, t);
        }
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
            .map(|&e| self.did_in(e, i, h, self.all_views(), t))
            .sum()
    }

    /// Replica i decided height h before it could do event e of view v in slot t.
    ///
    /// A decision in a later view comes after the event, even in the same slot: the own request
    /// to leave may complete a quorum, and what was held back for the next view a decision. So
    /// does a decision in the same view after a timer that keeps the replica in it, a proposal.
    pub(crate) fn decided_before(&self, e: usize, i: u32, h: u32, v: u32, t: u32) -> Expr {
        let event = &self.events[e];
        let proposes =
            matches!(event.modality, Modality::Timer { .. }) && event.about == About::Proposal;
        let mut decided = Expr::default();
        for d in self.deciding().into_iter().filter(|&d| d != e) {
            let by = blocks_by(d, e, t);
            if !self.in_view(d) || !self.in_view(e) {
                decided += self.did_in(d, i, h, self.all_views(), by);
                continue;
            }
            decided += self.did_in(d, i, h, 0..v, by);
            decided += self.did_in_view(d, i, h, v, if proposes { t - 1 } else { by });
        }
        decided
    }

    /// The first event that a message of the channel can trigger.
    pub(crate) fn triggered_by(&self, c: usize) -> Option<usize> {
        let kind = &self.protocol.channels[c].kind;
        self.events.iter().position(|event| {
            event.requires.iter().any(
                |requirement| matches!(requirement, Requires::Tally { of, .. } if of.contains(kind)),
            )
        })
    }

    /// Numbers of the events by which a replica prepares a block: what a decision requires as own.
    pub(crate) fn preparing(&self) -> Vec<usize> {
        let mut events: Vec<usize> = self
            .events
            .iter()
            .filter(|event| event.decides)
            .flat_map(|event| &event.requires)
            .filter_map(|requirement| match requirement {
                Requires::Own(names) => Some(names),
                _ => None,
            })
            .flatten()
            .map(|name| self.event(name))
            .collect();
        events.sort_unstable();
        events.dedup();
        events
    }

    /// Numbers of the events a timer triggers.
    pub(crate) fn timer_events(&self) -> Vec<usize> {
        (0..self.events.len())
            .filter(|&e| matches!(self.events[e].modality, Modality::Timer { .. }))
            .collect()
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
    pub(crate) fn count(&self, threshold: Threshold) -> i64 {
        i64::from(threshold.count(self.n, self.instance.f()))
    }

    /// Slots between entry into view v and the firing of event e's timer; `None` when free.
    pub(crate) fn timer(&self, event: &Event, v: u32) -> Option<u32> {
        match (self.instance.timers, event.modality) {
            (Timers::Protocol, Modality::Timer { after }) => {
                let slots = after.in_view(v)?.saturating_mul(self.block_time());
                // One that outlasts the horizon is as good as any.
                Some(slots.min(self.horizon + 1))
            }
            _ => None,
        }
    }

    /// T in slots, under timers of the protocol.
    pub(crate) fn block_time(&self) -> u32 {
        self.instance
            .block_time
            .expect("validated with the instance")
    }

    /// Whether the event happens in the view it names.
    pub(crate) fn in_view(&self, e: usize) -> bool {
        self.events[e].scope == Scope::View
    }
}

/// The slot by which event `first` blocks event `second` at slot t: t itself if the replica
/// handles `first` earlier in a slot, t − 1 otherwise (E7).
pub(crate) fn blocks_by(first: usize, second: usize, t: u32) -> u32 {
    if first < second { t } else { t - 1 }
}
