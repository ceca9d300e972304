//! What columns say, as expressions by index: each is 0 where its column does not exist.

use super::columns::{Act, Causal, Counted, Key, Quorum};
use crate::{
    expr::Expr,
    rule::{Range, Scope, Threshold},
};
use milp_schema::instance::FaultKind;

impl Causal {
    pub(crate) fn look_up(&self, key: &Key) -> Expr {
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

    /// The number of Byzantine replicas.
    pub(crate) fn all_byzantine(&self) -> Expr {
        (0..self.n).map(|j| self.byzantine(j)).sum()
    }

    /// B, the number of replicas that may be Byzantine.
    pub(crate) fn byzantine_count(&self) -> i64 {
        i64::from(self.instance.fault_count(FaultKind::Byzantine))
    }

    /// Replica i crashes.
    pub(crate) fn crashed(&self, i: u32) -> Expr {
        self.look_up(&Key::Crashed(i))
    }

    /// Replica i does event e about block b of view v.
    pub(crate) fn did(&self, e: usize, i: u32, v: u32, b: u32) -> Expr {
        self.look_up(&Key::Did(e, i, v, b))
    }

    /// Replica i does event e about any block of view v.
    pub(crate) fn did_in_view(&self, e: usize, i: u32, v: u32) -> Expr {
        self.about(e, v).map(|b| self.did(e, i, v, b)).sum()
    }

    /// Replica i does event e in one of `views`.
    pub(crate) fn did_in(&self, e: usize, i: u32, views: std::ops::Range<u32>) -> Expr {
        views.map(|v| self.did_in_view(e, i, v)).sum()
    }

    /// The views of `range` up to view v.
    pub(crate) fn up_to(range: Range, v: u32) -> std::ops::Range<u32> {
        match range {
            Range::View => v..v + 1,
            Range::Height => 0..v + 1,
        }
    }

    /// Replica i enters view v.
    pub(crate) fn entered(&self, i: u32, v: u32) -> Expr {
        if v == 0 {
            return 1.into();
        }
        self.look_up(&Key::Entered(i, v))
    }

    /// Replica i ends in view v.
    pub(crate) fn is_in(&self, i: u32, v: u32) -> Expr {
        self.entered(i, v) - self.entered(i, v + 1)
    }

    /// Whether the act happens: 0 or 1.
    pub(crate) fn happens(&self, act: Act) -> Expr {
        match act {
            Act::Enters(i, v) => self.entered(i, v),
            Act::Does(e, i, v) => self.did_in_view(e, i, v),
        }
    }

    /// The level of an act.
    pub(crate) fn level(&self, act: Act) -> Expr {
        self.look_up(&Key::Level(act))
    }

    /// An honest j sends the channel's message about block b of view v.
    pub(crate) fn sent(&self, c: usize, j: u32, v: u32, b: u32) -> Expr {
        self.senders(c)
            .into_iter()
            .map(|e| self.did(e, j, v, b))
            .sum()
    }

    /// A Byzantine j makes the channel's message about block b of view v, if it is made for all.
    pub(crate) fn made(&self, c: usize, j: u32, v: u32, b: u32) -> Expr {
        self.look_up(&Key::Made(c, j, v, b))
    }

    /// A Byzantine j makes one about view v or a later one.
    pub(crate) fn made_later(&self, c: usize, j: u32, v: u32) -> Expr {
        if v + 1 == self.views {
            return self.made(c, j, v, 0);
        }
        self.look_up(&Key::MadeLater(c, j, v))
    }

    /// The message of the channel about block b of view v from j exists in the end, for everybody.
    pub(crate) fn exists(&self, c: usize, j: u32, v: u32, b: u32) -> Expr {
        self.sent(c, j, v, b) + self.made(c, j, v, b)
    }

    /// A Byzantine j can supply the channel's message about block b of view v.
    pub(crate) fn forged(&self, c: usize, j: u32, v: u32, b: u32) -> Expr {
        if !self.may_make(c, j, v) {
            return Expr::default();
        }
        if self.makes_for_all() {
            return self.made(c, j, v, b);
        }
        self.byzantine(j)
    }

    /// The number of Byzantine replicas whose messages count in the quorum.
    pub(crate) fn forged_votes(&self, quorum: &Quorum) -> Expr {
        (0..self.n).map(|j| self.forged_vote(quorum, j)).sum()
    }

    /// A message of Byzantine j counts in the quorum.
    pub(crate) fn forged_vote(&self, quorum: &Quorum, j: u32) -> Expr {
        let mut vote = Expr::default();
        for &c in &quorum.of {
            let one = match quorum.about {
                Counted::Block(v, b) => self.forged(c, j, v, b),
                _ if !self.protocol.channels[c].forgeable => Expr::default(),
                Counted::AnyView if self.makes_for_all() => self.made_later(c, j, 0),
                Counted::ViewOrLater(v) if self.makes_for_all() => self.made_later(c, j, v),
                _ => self.byzantine(j),
            };
            vote += one;
        }
        vote
    }

    /// The number of a quorum that guards ask for.
    pub(crate) fn quorum_number(&self, quorum: &Quorum) -> usize {
        let position = self.quorums.iter().position(|known| known == quorum);
        position.expect("every quorum that a guard asks for has columns")
    }

    /// Quorum m is complete.
    pub(crate) fn complete(&self, m: usize) -> Expr {
        self.look_up(&Key::Complete(m))
    }

    /// Numbers of the events that decide.
    pub(crate) fn deciding(&self) -> Vec<usize> {
        (0..self.events.len())
            .filter(|&e| self.events[e].decides)
            .collect()
    }

    /// Replica i decides.
    pub(crate) fn decided(&self, i: u32) -> Expr {
        self.deciding()
            .into_iter()
            .map(|e| self.did_in(e, i, 0..self.views))
            .sum()
    }

    /// Replica i is Byzantine, has crashed or decided.
    pub(crate) fn gone(&self, i: u32) -> Expr {
        self.byzantine(i) + self.crashed(i) + self.decided(i)
    }

    /// Replica i decides block b of view v.
    pub(crate) fn decided_block(&self, i: u32, v: u32, b: u32) -> Expr {
        self.deciding()
            .into_iter()
            .map(|e| self.did(e, i, v, b))
            .sum()
    }

    /// Number of senders a threshold asks for.
    pub(crate) fn count(&self, threshold: Threshold) -> i64 {
        i64::from(threshold.count(self.n, self.instance.f()))
    }

    /// Whether the event happens in the view it names.
    pub(crate) fn in_view(&self, e: usize) -> bool {
        self.events[e].scope == Scope::View
    }

    /// Events that happen as often together as event e: those that send its kind into the pool.
    pub(crate) fn counted_with(&self, e: usize) -> Vec<usize> {
        match &self.events[e].broadcasts {
            Some(kind) if self.pools() && !self.order.repeats[e] => {
                self.senders(self.channel(kind))
            }
            _ => vec![e],
        }
    }
}
