//! Who counts as alive: heard in the view, and no commit held from it.

use super::super::columns::Timed;
use crate::{expr::Expr, group::Group, rule::Negation};

/// Replica i in view v of the height.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    pub(super) i: u32,
    pub(super) h: u32,
    pub(super) v: u32,
}

impl Seat {
    fn label(self, j: u32, t: u32) -> String {
        format!("_i{}_j{j}_h{}_v{}_t{t}", self.i, self.h, self.v)
    }

    /// One expression for each message that makes j heard.
    fn sources(self, timed: &Timed, negation: &Negation, j: u32, t: u32) -> Vec<Expr> {
        let Self { i, h, v } = self;
        let mut sources = vec![];
        for kind in &negation.heard {
            let c = timed.channel(kind);
            for b in timed.channel_blocks(c, h, v) {
                // What is guarded for another reason than its view is heard when it is ignored.
                let lost = timed.protocol.channels[c].lost_ahead;
                sources.push(if lost {
                    timed.took(c, i, j, h, v, b, t)
                } else {
                    timed.got(c, i, j, h, v, b, t)
                });
            }
        }
        let c = timed.channel(&negation.heard_ahead);
        sources.extend((v..timed.views).map(|u| timed.got(c, i, j, h, u, 0, t)));
        sources.retain(|source| !source.is_constant());
        sources
    }

    /// Whether i holds a commit of j from view v or an earlier one.
    fn committed(self, timed: &Timed, negation: &Negation, j: u32, t: u32) -> Expr {
        let Self { i, h, v } = self;
        let c = timed.channel(&negation.without);
        (0..=v)
            .flat_map(|u| timed.channel_blocks(c, h, u).map(move |b| (u, b)))
            .map(|(u, b)| timed.got(c, i, j, h, u, b, t) - timed.cleared(i, j, h, u, b, t))
            .sum()
    }
}

/// Heard is who sent something of the view, or a request to leave a later one:
/// `heard = ∨ got`, rows `got ≤ heard` and `heard ≤ Σ got`.
pub(super) fn receive_defines_heard(timed: &mut Timed, negation: &Negation, seat: Seat) {
    let family = timed
        .draft
        .family("receive_defines_heard", negation.line, &[], Group::LOST);
    for j in (0..timed.n).filter(|&j| j != seat.i) {
        for t in timed.slots() {
            let heard = timed.heard(seat.i, j, seat.h, seat.v, t);
            if heard.is_constant() {
                continue;
            }
            let sources = seat.sources(timed, negation, j, t);
            let label = seat.label(j, t);
            for (number, source) in sources.iter().enumerate() {
                timed.draft.at_most(
                    family,
                    &format!("{label}_{number}"),
                    source.clone(),
                    heard.clone(),
                );
            }
            timed
                .draft
                .at_most(family, &label, heard, sources.into_iter().sum());
        }
    }
}

/// Alive is who was heard and is not known to have committed: `alive ≤ heard`,
/// `alive ≤ 1 − committed`, `heard − committed ≤ alive`.
pub(super) fn heard_defines_alive(timed: &mut Timed, negation: &Negation, seat: Seat) {
    let family = timed
        .draft
        .family("heard_defines_alive", negation.line, &[], Group::LOST);
    for j in (0..timed.n).filter(|&j| j != seat.i) {
        for t in timed.slots() {
            let heard = timed.heard(seat.i, j, seat.h, seat.v, t);
            let alive = timed.alive(seat.i, j, seat.h, seat.v, t);
            if alive.is_constant() {
                continue;
            }
            let committed = seat.committed(timed, negation, j, t);
            let label = seat.label(j, t);
            timed
                .draft
                .at_most(family, &format!("{label}_a"), alive.clone(), heard.clone());
            timed.draft.at_most(
                family,
                &format!("{label}_b"),
                alive.clone(),
                1 - committed.clone(),
            );
            timed
                .draft
                .at_most(family, &format!("{label}_c"), heard - committed, alive);
        }
    }
}

/// More than f are committed or lost when fewer than q − 1 others are alive:
/// `Σ alive ≤ q − 2 + (n − q + 1) · (1 − lost)` and `q − 1 ≤ Σ alive + (q − 1) · lost`.
pub(super) fn alive_defines_lost(timed: &mut Timed, negation: &Negation, seat: Seat) {
    let family = timed.draft.family(
        &format!("alive_defines_{}", negation.name),
        negation.line,
        &[],
        Group::LOST,
    );
    let Seat { i, h, v } = seat;
    let quorum = i64::from(timed.instance.quorum());
    let n = i64::from(timed.n);
    for t in timed.slots() {
        let alive: Expr = (0..timed.n)
            .filter(|&j| j != i)
            .map(|j| timed.alive(i, j, h, v, t))
            .sum();
        let lost = timed.lost(i, h, v, t);
        let label = format!("_i{i}_h{h}_v{v}_t{t}");
        let most = (1 - lost.clone()) * (n - quorum + 1) + (quorum - 2);
        timed
            .draft
            .at_most(family, &format!("{label}_a"), alive.clone(), most);
        let least = alive + lost * (quorum - 1);
        timed
            .draft
            .at_most(family, &format!("{label}_b"), (quorum - 1).into(), least);
    }
}
