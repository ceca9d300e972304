//! What columns say, as expressions by index: each is 0 where its column does not exist.

use super::columns::{Indices, Key, Timed, Views};
use crate::{
    expr::Expr,
    rule::{Event, Modality, Range, Scope, Threshold},
};
use milp_schema::instance::{FaultKind, Timeouts};

impl Timed {
    fn look_up(&self, key: &Key) -> Expr {
        self.col(key).map(Expr::from).unwrap_or_default()
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
        let asks = self.protocol.enter().map(|enter| &enter.of);
        let proposes = matches!(event.modality, Modality::Timer { .. })
            && (asks.is_none() || event.broadcasts.as_ref() != asks);
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
}

/// The slot by which event `first` blocks event `second` at slot t: t itself if the replica
/// handles `first` earlier in a slot, t − 1 otherwise (E7).
pub(crate) fn blocks_by(first: usize, second: usize, t: u32) -> u32 {
    if first < second { t } else { t - 1 }
}
