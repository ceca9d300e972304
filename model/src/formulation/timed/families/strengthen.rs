//! Valid inequalities: implied for integer points, decisive for the relaxation.
//!
//! Without them the relaxation lets every replica do a fraction of everything; with them most
//! instances close at the root.

use super::{super::columns::Timed, event::Act};
use crate::{
    expr::Expr,
    group::Group,
    program::FamilyId,
    rule::{Range, Requires},
};
use milp_schema::{Kind, instance::FaultKind};

/// Behind a quorum stand at least q − B honest senders, each of whom sent before; and at least q
/// senders who are honest or Byzantine.
///
/// `(q − B) · did_b^t ≤ Σ_(j≠i) sent_jb^(t−d) + sent_ib^t` and the same with q on the left and
/// `+ Σ_j byzantine_j` on the right. Proof: of the q senders held at most B are Byzantine, and a
/// copy of another one arrived, so it was sent d slots before. The second row is the stronger one
/// when the adversary uses fewer than B Byzantine replicas, the first when it uses all.
pub(super) fn honest_quorum(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    for requirement in &rule.requires {
        let Requires::Tally { of, at_least } = requirement else {
            continue;
        };
        let honest = timed.count(*at_least) - byzantine_count(timed);
        if honest <= 0 || said_by_pool(timed) {
            continue;
        }
        let name = format!("{}_requires_honest_quorum", rule.name);
        let family = timed
            .draft
            .family(&name, rule.line, rule.equations(), Group::BEHIND_A_QUORUM);
        for b in act.blocks(timed) {
            for t in timed.slots() {
                let sent = sent_by_others(timed, act, of, b, t);
                let did = act.did(timed, b, t);
                let label = act.label(Some(b), t);
                timed
                    .draft
                    .at_most(family, &label, did.clone() * honest, sent.clone());
                if byzantine_count(timed) > 0 && !timed.pools() {
                    let count = timed.count(*at_least);
                    let any = sent + all_byzantine(timed);
                    timed
                        .draft
                        .at_most(family, &format!("{label}_any"), did * count, any);
                }
            }
        }
    }
}

fn sent_by_others(timed: &Timed, act: Act, of: &[Kind], b: u32, t: u32) -> Expr {
    let Act { i, h, v, .. } = act;
    let mut sent = Expr::default();
    for kind in of {
        let c = timed.channel(kind);
        for j in 0..timed.n {
            let by = if i == j {
                t
            } else {
                t.saturating_sub(timed.delay_min)
            };
            sent += timed.sent(c, j, h, v, b, by);
        }
    }
    sent
}

/// The number of Byzantine replicas.
fn all_byzantine(timed: &Timed) -> Expr {
    (0..timed.n).map(|j| timed.byzantine(j)).sum()
}

/// Whether the rows on the pool say it all: a message in it was sent, unless somebody may be
/// Byzantine; and they are never weaker than those with q on the left.
fn said_by_pool(timed: &Timed) -> bool {
    timed.pools() && byzantine_count(timed) == 0
}

/// B, the number of replicas that may be Byzantine.
pub(crate) fn byzantine_count(timed: &Timed) -> i64 {
    i64::from(timed.instance.fault_count(FaultKind::Byzantine))
}

/// Behind a view entered stand at least q − B honest requests made in the view before it:
/// `(q − B) · entered_iw^t ≤ Σ_(j≠i) ask_j(w−1)^(t−1) + ask_i(w−1)^t`, and the same with q on the
/// left and `+ Σ_j byzantine_j` on the right.
///
/// Proof: take the first slot in which any honest replica reaches w. The honest requests it holds
/// for w or later were sent before by replicas not yet at w, hence in view w − 1. By the slot in
/// which i reaches w they have been sent, and its own by then as well.
pub(super) fn enter_requires_honest_quorum(timed: &mut Timed) {
    let Some(enter) = timed.protocol.enter().cloned() else {
        return;
    };
    let count = timed.count(enter.at_least);
    let honest = count - byzantine_count(timed);
    if honest <= 0 || said_by_pool(timed) {
        return;
    }
    let name = "enter_requires_honest_change_view_quorum";
    let family = timed
        .draft
        .family(name, enter.line, &[], Group::BEHIND_AN_ENTRY);
    let c = timed.channel(&enter.of);
    for (h, w) in timed.height_views().into_iter().filter(|&(_, w)| w > 0) {
        for i in 0..timed.n {
            for t in timed.slots() {
                let by = |j: u32| if i == j { t } else { t - 1 };
                let asked: Expr = (0..timed.n)
                    .map(|j| timed.sent(c, j, h, w - 1, 0, by(j)))
                    .sum();
                let entered = timed.entered(i, h, w, t);
                let label = format!("_i{i}_h{h}_v{w}_t{t}");
                timed
                    .draft
                    .at_most(family, &label, entered.clone() * honest, asked.clone());
                if byzantine_count(timed) > 0 && !timed.pools() {
                    let any = asked + all_byzantine(timed);
                    timed
                        .draft
                        .at_most(family, &format!("{label}_any"), entered * count, any);
                }
            }
        }
    }
}

/// A view reached by anyone has q − B honest requests made in the view before it, at some height:
/// `(q − B) · reached_w ≤ Σ_h Σ_j ask_jh(w−1)^T`; proof as above.
pub(crate) fn reached_quorum(timed: &mut Timed, family: FamilyId, reached: &Expr, w: u32) {
    let Some(enter) = timed.protocol.enter().cloned() else {
        return;
    };
    let honest = timed.count(enter.at_least) - byzantine_count(timed);
    if honest <= 0 || timed.is_loose() {
        return;
    }
    let (c, last) = (timed.channel(&enter.of), timed.horizon);
    let asked: Expr = (0..timed.heights)
        .flat_map(|h| (0..timed.n).map(move |j| (h, j)))
        .map(|(h, j)| timed.sent(c, j, h, w - 1, 0, last))
        .sum();
    timed
        .draft
        .at_most(family, &format!("_v{w}"), reached.clone() * honest, asked);
}

/// One binding event per honest replica: a request to leave view v, or a lock in any view up to
/// v, not both: `ask_v^T + Σ_(u≤v) lock_u^T + byzantine_i ≤ 1`.
///
/// Holds when the lock excludes the request over the height and the request excludes the lock in
/// its view; the family exists only for pairs of events whose rules say so.
pub(super) fn one_binding_event(timed: &mut Timed) {
    for (ask, lock) in asks_and_locks(timed) {
        let name = format!(
            "{}_or_{}_at_most_once",
            timed.events[ask].name, timed.events[lock].name
        );
        let family = timed
            .draft
            .family(&name, timed.events[ask].line, &[], Group::ONE_BOND);
        let last = timed.horizon;
        for (h, v) in timed.height_views() {
            for i in 0..timed.n {
                let locked: Expr = (0..=v)
                    .map(|u| timed.did_in_view(lock, i, h, u, last))
                    .sum();
                let sum = timed.did_in_view(ask, i, h, v, last) + locked + timed.byzantine(i);
                timed
                    .draft
                    .at_most(family, &format!("_i{i}_h{h}_v{v}"), sum, 1.into());
            }
        }
    }
}

/// Pairs of a request to leave a view and a lock of which the latter excludes the former over the
/// height, and the former the latter in its view.
fn asks_and_locks(timed: &Timed) -> Vec<(usize, usize)> {
    (0..timed.events.len())
        .flat_map(|ask| (0..timed.events.len()).map(move |lock| (ask, lock)))
        .filter(|&(ask, lock)| {
            let excludes = |one: usize, other: usize, range: Range| {
                timed.events[one].excludes.iter().any(|exclusion| {
                    exclusion.event == timed.events[other].name && exclusion.range == range
                })
            };
            excludes(ask, lock, Range::Height) && excludes(lock, ask, Range::View)
        })
        .collect()
}

/// Whether every vote that counts towards a decision in its view excludes every request that
/// counts towards entering another view, and the other way round, and as many of the latter are
/// needed as of the former.
pub(crate) fn asks_or_votes_once(timed: &Timed) -> bool {
    let Some(enter) = timed.protocol.enter() else {
        return false;
    };
    if timed.is_loose() {
        return false;
    }
    let pairs = asks_and_locks(timed);
    let asks: Vec<usize> = timed.senders(timed.channel(&enter.of)).collect();
    let asked = timed.count(enter.at_least);
    let tallies = timed
        .events
        .iter()
        .filter(|event| event.decides)
        .flat_map(|event| &event.requires)
        .filter_map(|requirement| match requirement {
            Requires::Tally { of, at_least } => Some((of, *at_least)),
            _ => None,
        });
    let excluded = |kind: &Kind| {
        let votes: Vec<usize> = timed.senders(timed.channel(kind)).collect();
        votes
            .iter()
            .all(|&vote| asks.iter().all(|&ask| pairs.contains(&(ask, vote))))
    };
    let mut tallies = tallies.peekable();
    tallies.peek().is_some()
        && !timed.pools()
        && !asks.is_empty()
        && tallies.all(|(of, at_least)| asked >= timed.count(at_least) && of.iter().all(excluded))
}

/// A block decided by anyone has q − B honest votes, and q votes of honest or Byzantine replicas:
/// `(q − B) · block ≤ Σ_j sent_jb^T`, `q · block ≤ Σ_j sent_jb^T + Σ_j byzantine_j`, for every
/// tally of the events that decide it in its view.
pub(crate) fn decision_quorums(
    timed: &mut Timed,
    family: FamilyId,
    block: &Expr,
    (h, v, b): (u32, u32, u32),
) {
    if timed.is_loose() {
        return;
    }
    let last = timed.horizon;
    for event in timed.events.clone().iter().filter(|event| event.decides) {
        for requirement in &event.requires {
            let Requires::Tally { of, at_least } = requirement else {
                continue;
            };
            let honest = timed.count(*at_least) - byzantine_count(timed);
            if honest <= 0 {
                continue;
            }
            let mut sent = Expr::default();
            for kind in of {
                let c = timed.channel(kind);
                sent += (0..timed.n).map(|j| timed.sent(c, j, h, v, b, last)).sum();
            }
            let label = format!("_h{h}_v{v}_b{b}_{}", event.name);
            timed
                .draft
                .at_most(family, &label, block.clone() * honest, sent.clone());
            if byzantine_count(timed) > 0 {
                let any = sent + all_byzantine(timed);
                let count = timed.count(*at_least);
                timed
                    .draft
                    .at_most(family, &format!("{label}_any"), block.clone() * count, any);
            }
        }
    }
}

/// The most blocks that can have a quorum of votes at one height, if a rule of the protocol says
/// that an honest replica votes once per height: ⌊(n − B) / (q − B)⌋; `None` otherwise.
///
/// Proof: with β ≤ B Byzantine replicas each block has at least q − β honest votes and there are
/// at most n − β of them, so there are at most (n − β) / (q − β) blocks, which grows with β.
pub(crate) fn most_decisions(timed: &Timed) -> Option<i64> {
    if timed.is_loose() {
        return None;
    }
    let byzantine = byzantine_count(timed);
    let n = i64::from(timed.n);
    timed
        .events
        .iter()
        .filter(|event| event.decides)
        .flat_map(|event| &event.requires)
        .find_map(|requirement| {
            let Requires::Tally { of, at_least } = requirement else {
                return None;
            };
            let once = of.iter().all(|kind| {
                let votes: Vec<usize> = timed.senders(timed.channel(kind)).collect();
                let height = |&e: &usize| timed.events[e].once == Range::Height;
                votes.iter().all(height) && (votes.len() == 1 || timed.pools())
            });
            let honest = timed.count(*at_least) - byzantine;
            (once && of.len() == 1 && honest > 0).then(|| (n - byzantine) / honest)
        })
}
