//! The order of hand-over: arrival for what waited, the canonical order inside a slot.

use super::{
    super::columns::Timed,
    event::{Act, held},
};
use crate::{
    expr::Expr,
    group::Group,
    program::Tag,
    rule::{Event, Modality, Requires, snake},
};

/// Of two blocks whose messages each would trigger the event, the one that arrived first does
/// (E4): `did_b^T + got_ijb'^s ≤ 1 + Σ_k got_ikb^s` for every slot s, sender j and other block b'.
///
/// In the replica's own view an earlier arrival acts at once. What arrives ahead of the replica is
/// held back and handed over in the order of arrival, so it is arrival that decides there too.
pub(super) fn first_arrival_triggers(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    let Some((kind, own)) = only_trigger(&rule) else {
        return;
    };
    let name = format!("{}_requires_first_{}", rule.name, snake(kind.name()));
    let family = timed
        .draft
        .family(&name, "E4", rule.equations(), Group::ORDER);
    let last = timed.horizon;
    for (b, other) in rivals(timed, &rule, act) {
        for s in timed.slots() {
            let mine: Expr = held(timed, act, kind, b, s, own).into_iter().sum();
            let rival = Act { v: other.0, ..act };
            for (j, theirs) in held(timed, rival, kind, other.1, s, own)
                .into_iter()
                .enumerate()
            {
                let did = act.did(timed, b, last) - act.permitted(timed, b, last);
                let label = format!("{}_v{}b{}_{j}", act.label(Some(b), s), other.0, other.1);
                timed
                    .draft
                    .at_most(family, &label, did + theirs, mine.clone() + 1);
            }
        }
    }
}

/// The kind of a must event that one held message triggers, and whether an own one counts.
fn only_trigger(rule: &Event) -> Option<(&milp_schema::Kind, bool)> {
    match (rule.modality, rule.requires.as_slice()) {
        (Modality::Must, [Requires::Held(kind)]) => Some((kind, true)),
        (Modality::Must, [Requires::HeldFromAnother(kind)]) => Some((kind, false)),
        _ => None,
    }
}

/// Pairs of a block of this view and another (view, block) of the same range.
fn rivals(timed: &Timed, rule: &Event, act: Act) -> Vec<(u32, (u32, u32))> {
    let views = match rule.once {
        crate::rule::Range::View => act.v..act.v + 1,
        crate::rule::Range::Height => timed.all_views(),
    };
    let mut pairs = vec![];
    for b in act.blocks(timed) {
        for v in views.clone() {
            let blocks = timed.about(rule, act.h, v);
            pairs.extend(
                blocks
                    .filter(|&o| (v, o) != (act.v, b))
                    .map(|o| (b, (v, o))),
            );
        }
    }
    pairs
}

/// In the slot in which a replica starts a height, only what was held back for it is handed over
/// (E8): `Δgot_ij^t + Δstarted_h^t ≤ 1` for h ≥ 1.
///
/// What was held back comes before the rest of the slot's copies, so that together they would not
/// be in the canonical order.
pub(super) fn start_excludes_receive(timed: &mut Timed) {
    let family = timed.draft.family(
        "start_excludes_receive",
        "E8",
        &[],
        (Tag::Budget, Group::ORDER),
    );
    for c in 0..timed.protocol.channels.len() {
        for (h, v) in timed.height_views().into_iter().filter(|&(h, _)| h > 0) {
            for b in timed.channel_blocks(c, h, v) {
                for i in 0..timed.n {
                    for j in (0..timed.n).filter(|&j| j != i) {
                        for t in timed.slots() {
                            let got =
                                timed.got(c, i, j, h, v, b, t) - timed.got(c, i, j, h, v, b, t - 1);
                            let starts = timed.entered(i, h, 0, t) - timed.entered(i, h, 0, t - 1);
                            let label = format!("_{c}_i{i}_j{j}_h{h}_v{v}_b{b}_t{t}");
                            if !got.is_constant() {
                                timed.draft.at_most(family, &label, got + starts, 1.into());
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A request that completes a decision at once does not come with later votes in its slot (E8).
///
/// If a quorum of the deciding votes is held when the request arrives, the request alone makes the
/// replica decide, and votes of the earlier phase in the same slot, handled after it, come too
/// late to bind the replica: `Σ_j vote_ij^(t−1) ≤ q − 1 + (n − q + 1) · (2 − Δrequest_i^t −
/// Δearlier_ij^t)` for every sender j of the earlier phase.
pub(super) fn deciding_request_excludes_votes(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    if !rule.decides || rule.modality != Modality::Must {
        return;
    }
    let [Requires::Held(request), Requires::Tally { of, at_least }] = rule.requires.as_slice()
    else {
        return;
    };
    let count = timed.count(*at_least);
    let factor = i64::from(timed.n) - count + 1;
    let earlier: Vec<_> = timed.events[..act.e]
        .iter()
        .filter(|event| !event.decides)
        .flat_map(|event| &event.requires)
        .filter_map(|requirement| match requirement {
            Requires::Tally { of, .. } => Some(of.clone()),
            _ => None,
        })
        .flatten()
        .filter(|kind| kind != request && !of.contains(kind))
        .collect();
    let family = timed.draft.family(
        "deciding_request_excludes_votes",
        "E8",
        &[],
        (Tag::Budget, Group::ORDER),
    );
    for b in act.blocks(timed) {
        for t in timed.slots() {
            let votes: Expr = of
                .iter()
                .flat_map(|kind| held(timed, act, kind, b, t - 1, true))
                .sum();
            let sum = |kind, t| {
                held(timed, act, kind, b, t, false)
                    .into_iter()
                    .sum::<Expr>()
            };
            let arrives = sum(request, t) - sum(request, t - 1);
            if votes.is_constant() || arrives.is_constant() {
                continue;
            }
            for kind in &earlier {
                let now = held(timed, act, kind, b, t, false);
                let before = held(timed, act, kind, b, t - 1, false);
                for (j, (now, before)) in now.into_iter().zip(before).enumerate() {
                    let slack = 2 - arrives.clone() - (now - before);
                    let label = format!("{}_{j}", act.label(Some(b), t));
                    let right = slack * factor + (count - 1);
                    timed.draft.at_most(family, &label, votes.clone(), right);
                }
            }
        }
    }
}
