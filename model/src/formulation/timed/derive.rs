//! The columns that follow from what happened: what was taken, who counts as alive.
//!
//! They are filled slot by slot from the columns of the happenings, by the sentences of the
//! families that define them.

use super::{
    columns::{Indices, Key, Timed},
    families,
};
use crate::{
    expr::Expr,
    program::Col,
    rule::{Hold, Negation, Rule},
};

/// Fills the columns that `encode` left empty, the goal's aside.
pub(super) fn fill(timed: &Timed, point: &mut [Option<i64>]) {
    let negations: Vec<&Negation> = timed
        .protocol
        .rules
        .iter()
        .filter_map(|rule| match rule {
            Rule::Negation(negation) => Some(negation),
            _ => None,
        })
        .collect();
    let mut by_slot: Vec<Vec<(u32, &Key, Col)>> = vec![vec![]; timed.horizon as usize + 1];
    for (key, col) in timed.draft.keys() {
        // Within a slot: receipts lost ahead and thrown away, then who is alive, then guards.
        let (t, stage) = match key {
            Key::Took(c, _, _, at) if timed.protocol.channels[*c].lost_ahead => (at.t, 0),
            Key::Cleared(_, _, at) => (at.t, 0),
            Key::Heard(_, _, at) => (at.t, 1),
            Key::Alive(_, _, at) => (at.t, 2),
            Key::Lost(_, at) => (at.t, 3),
            Key::Took(_, _, _, at) | Key::Kept(_, _, _, at) => (at.t, 4),
            Key::Asked(_, _, at) if timed.forgets() => (at.t, 5),
            Key::Stray(_, _, at) => (at.t, 5),
            Key::Due(_, t) => (*t, 6),
            _ => continue,
        };
        by_slot[t as usize].push((stage, key, col));
    }
    let negation = negations.first().copied();
    for mut keys in by_slot {
        keys.sort_by_key(|(stage, _, _)| *stage);
        for (_, key, col) in keys {
            let filler = Filler { timed, point };
            let value = match *key {
                Key::Due(i, t) => families::due(timed, i, t, &|expr| filler.number(expr)),
                _ => i64::from(filler.value(key, negation)),
            };
            point[col.index()] = Some(value);
        }
    }
}

struct Filler<'a> {
    timed: &'a Timed,
    point: &'a [Option<i64>],
}

impl Filler<'_> {
    fn number(&self, expr: &Expr) -> i64 {
        let term = |(col, k): (Col, i64)| k * self.point[col.index()].unwrap_or(0);
        expr.constant() + expr.terms().map(term).sum::<i64>()
    }

    fn is(&self, expr: &Expr) -> bool {
        self.number(expr) >= 1
    }

    fn value(&self, key: &Key, negation: Option<&Negation>) -> bool {
        let timed = self.timed;
        match *key {
            Key::Took(c, i, j, at) => self.took(c, i, j, at),
            Key::Cleared(i, j, at) => negation.is_some_and(|n| self.cleared(n, i, j, at)),
            Key::Stray(i, j, at) => self.stray(i, j, at),
            Key::Heard(i, j, at) => negation.is_some_and(|n| self.heard(n, i, j, at)),
            Key::Alive(i, j, at) => {
                let Indices { h, v, t, .. } = at;
                let heard = self.is(&timed.heard(i, j, h, v, t));
                heard && !negation.is_some_and(|n| self.committed(n, i, j, at))
            }
            Key::Lost(i, Indices { h, v, t, .. }) => {
                let alive: Expr = (0..timed.n)
                    .filter(|&j| j != i)
                    .map(|j| timed.alive(i, j, h, v, t))
                    .sum();
                self.number(&alive) < i64::from(timed.instance.quorum()) - 1
            }
            Key::Kept(i, j, u, at) => self.kept(i, j, u, at),
            Key::Asked(i, j, Indices { h, v, t, .. }) => {
                (v - 1..timed.views).any(|u| self.is(&timed.kept(i, j, u, h, v - 1, t)))
            }
            _ => false,
        }
    }

    fn took(&self, c: usize, i: u32, j: u32, at: Indices) -> bool {
        let (timed, Indices { h, v, b, t }) = (self.timed, at);
        if self.is(&timed.took(c, i, j, h, v, b, t - 1)) {
            return true;
        }
        let got = self.is(&timed.got(c, i, j, h, v, b, t));
        if !got || self.is(&(timed.byzantine(i) + timed.crashed(i, t))) {
            return false;
        }
        let arrives = !self.is(&timed.got(c, i, j, h, v, b, t - 1));
        let kind = &timed.protocol.channels[c].kind;
        let Some(hold) = timed.protocol.hold(kind) else {
            return arrives && self.is(&timed.entered(i, h, v, t - 1));
        };
        let enters = v > 0 && self.is(&(timed.entered(i, h, v, t) - timed.entered(i, h, v, t - 1)));
        enters || (arrives && self.is(&timed.was_in(i, h, v, t)) && !self.ignores(hold, i, at))
    }

    fn ignores(&self, hold: &Hold, i: u32, Indices { h, v, t, .. }: Indices) -> bool {
        let after = self.timed.event(hold.after);
        self.is(&self.timed.did_in_view(after, i, h, v, t - 1))
            && !self.is(&self.timed.lost(i, h, v, t))
    }

    fn cleared(&self, negation: &Negation, i: u32, j: u32, at: Indices) -> bool {
        let (timed, Indices { h, v, b, t }) = (self.timed, at);
        if self.is(&timed.cleared(i, j, h, v, b, t - 1)) {
            return true;
        }
        let c = timed.channel(&negation.without);
        let there = timed.was_in(i, h, v, t) + timed.is_in(i, h, v, t);
        let other = self.is(&timed.prepared_other(i, h, v, b, t));
        other && self.is(&timed.got(c, i, j, h, v, b, t)) && self.is(&there)
    }

    fn stray(&self, i: u32, j: u32, at: Indices) -> bool {
        let (timed, Indices { h, v, b, t }) = (self.timed, at);
        if self.is(&timed.stray(i, j, h, v, b, t - 1)) {
            return true;
        }
        let taken = |c| timed.took(c, i, j, h, v, b, t) - timed.took(c, i, j, h, v, b, t - 1);
        let mut strays = (0..timed.protocol.channels.len()).filter(|&c| timed.strays(c, h, v));
        let takes = strays.any(|c| self.is(&taken(c)));
        takes && self.is(&timed.prepared_other(i, h, v, b, t))
    }

    fn heard(&self, negation: &Negation, i: u32, j: u32, at: Indices) -> bool {
        let (timed, Indices { h, v, t, .. }) = (self.timed, at);
        let ahead = timed.channel(&negation.heard_ahead);
        let in_view = negation.heard.iter().any(|kind| {
            let c = timed.channel(kind);
            let lost = timed.protocol.channels[c].lost_ahead;
            timed.channel_blocks(c, h, v).any(|b| {
                self.is(&if lost {
                    timed.took(c, i, j, h, v, b, t)
                } else {
                    timed.got(c, i, j, h, v, b, t)
                })
            })
        });
        in_view || (v..timed.views).any(|u| self.is(&timed.got(ahead, i, j, h, u, 0, t)))
    }

    fn committed(&self, negation: &Negation, i: u32, j: u32, at: Indices) -> bool {
        let (timed, Indices { h, v, t, .. }) = (self.timed, at);
        let c = timed.channel(&negation.without);
        (0..=v).any(|u| {
            timed.channel_blocks(c, h, u).any(|b| {
                self.is(&timed.got(c, i, j, h, u, b, t))
                    && !self.is(&timed.cleared(i, j, h, u, b, t))
            })
        })
    }

    fn kept(&self, i: u32, j: u32, u: u32, at: Indices) -> bool {
        let (timed, Indices { h, v, t, .. }) = (self.timed, at);
        if self.is(&timed.kept(i, j, u, h, v, t - 1)) {
            return true;
        }
        let enter = timed
            .protocol
            .enter()
            .expect("kept columns belong to a view change");
        let c = timed.channel(&enter.of);
        let arrives = timed.got(c, i, j, h, u, 0, t) - timed.got(c, i, j, h, u, 0, t - 1);
        let ask = timed.senders(c).next().expect("somebody asks");
        let locked: Expr = enter
            .excludes
            .iter()
            .map(|name| timed.did_in(timed.event(name), i, h, 0..v + 1, t))
            .sum();
        let gone = locked
            + timed.decided_before(ask, i, h, v, t)
            + timed.crashed(i, t)
            + timed.byzantine(i);
        self.is(&arrives) && self.is(&timed.was_in(i, h, v, t)) && !self.is(&gone)
    }
}
