//! Taking what is delivered: acceptance is an event of its own where a rule guards it.
//!
//! These families exist for protocols with one height (see `refuse`), so a replica is at the
//! height from slot 0 on.

use super::{super::columns::Timed, delivery::Copies};
use crate::{
    expr::Expr,
    group::Group,
    left_out::LeftOut,
    rule::{Hold, snake},
};

fn name(timed: &Timed, copies: Copies) -> String {
    snake(timed.protocol.channels[copies.c].kind.name())
}

fn took(timed: &Timed, copies: Copies, t: u32) -> Expr {
    let Copies { c, i, j, h, v, b } = copies;
    timed.took(c, i, j, h, v, b, t)
}

/// What a replica takes was delivered, and stays taken: `took^t ≤ got^t`, `took^(t−1) ≤ took^t`.
pub(super) fn take_requires_receive(timed: &mut Timed, copies: Copies) {
    let kind = name(timed, copies);
    let requires = format!("take_{kind}_requires_receive_{kind}");
    let requires = timed.draft.family(&requires, "E6", &[], Group::MEMORY);
    let stays = timed
        .draft
        .family(&format!("take_{kind}_stays"), "E6", &[], Group::MEMORY);
    for t in timed.slots() {
        let now = took(timed, copies, t);
        let before = took(timed, copies, t - 1);
        timed
            .draft
            .at_most(stays, &copies.label(t), before, now.clone());
        timed
            .draft
            .at_most(requires, &copies.label(t), now, copies.got(timed, t));
    }
}

/// A copy of a view its receiver has not reached is lost on it (E20): it is taken if the receiver
/// was there when the slot began, `Δtook^t ≤ Δgot^t`, `Δtook^t ≤ entered_v^(t−1)` and
/// `Δgot^t + entered_v^(t−1) − 1 ≤ took^t + crashed_i^t + byzantine_i`. It does not arrive in the
/// slot of the entry, `Δgot^t + Δentered_v^t ≤ 1` (E45).
pub(super) fn lost_ahead(timed: &mut Timed, copies: Copies) {
    if !timed.protocol.channels[copies.c].lost_ahead {
        return;
    }
    let kind = name(timed, copies);
    let requires = timed.draft.family(
        &format!("take_{kind}_requires_view"),
        "E20",
        &[],
        Group::PLACE,
    );
    let forces = timed.draft.family(
        &format!("receive_{kind}_forces_take_{kind}"),
        "E20",
        &[],
        Group::MEMORY,
    );
    let apart = timed.draft.leaves_out(
        &format!("enter_excludes_receive_{kind}"),
        LeftOut::RequestOnEntry,
    );
    let Copies { i, h, v, .. } = copies;
    for t in timed.slots() {
        let label = copies.label(t);
        let arrives = copies.got(timed, t) - copies.got(timed, t - 1);
        if arrives.is_constant() {
            continue;
        }
        let takes = took(timed, copies, t) - took(timed, copies, t - 1);
        let there = timed.entered(i, h, v, t - 1);
        timed
            .draft
            .at_most(requires, &label, takes.clone(), there.clone());
        timed
            .draft
            .at_most(requires, &format!("{label}_now"), takes, arrives.clone());
        let excused = timed.crashed(i, t) + timed.byzantine(i);
        let right = took(timed, copies, t) + excused;
        timed.draft.at_most(
            forces,
            &label,
            arrives.clone() + there.clone() + (-1),
            right,
        );
        let enters = timed.entered(i, h, v, t) - there;
        timed
            .draft
            .at_most(apart, &label, arrives + enters, 1.into());
    }
}

/// A message is taken in its view only, ignored after the own event `after` unless more than f
/// replicas are committed or lost, and taken otherwise.
///
/// With `left` = the own event by slot t − 1, `was`/`is` in the view at the end of t − 1/t:
/// - `Δtook^t ≤ was^t + is^t`, `took^t ≤ entered_v^t`;
/// - ignored: `took^T + Δgot^t + left^(t−1) + (1 − lost^t) ≤ 3`;
/// - taken on arrival: `Δgot^t + was^t − 1 ≤ took^t + left^(t−1) + excused^t` and the same with
///   `1 − lost^t` for `left^(t−1)`;
/// - taken on entering, if held back: `got^t + Δentered_v^t − 1 ≤ took^t + byzantine_i`.
///
/// Excused: Byzantine, crashed, decided before responses are handled in the slot.
pub(super) fn guarded(timed: &mut Timed, copies: Copies, hold: &Hold) {
    let kind = name(timed, copies);
    let ignores = timed.draft.family(
        &format!("{}_excludes_take_{kind}", hold.after),
        hold.line,
        &[],
        Group::ORDER,
    );
    let forces = timed.draft.family(
        &format!("receive_{kind}_forces_take_{kind}"),
        hold.line,
        &[],
        Group::MEMORY,
    );
    let place = timed.draft.family(
        &format!("take_{kind}_requires_view"),
        hold.line,
        &[],
        Group::PLACE,
    );
    let Copies { i, h, v, .. } = copies;
    let after = timed.event(hold.after);
    let triggered = timed.triggered_by(copies.c);
    let last = took(timed, copies, timed.horizon);
    for t in timed.slots() {
        let label = copies.label(t);
        let got = copies.got(timed, t);
        let arrives = got.clone() - copies.got(timed, t - 1);
        let now = took(timed, copies, t);
        let (was, is) = (timed.was_in(i, h, v, t), timed.is_in(i, h, v, t));
        let takes = now.clone() - took(timed, copies, t - 1);
        timed
            .draft
            .at_most(place, &label, now.clone(), timed.entered(i, h, v, t));
        timed
            .draft
            .at_most(place, &format!("{label}_in"), takes, was.clone() + is);
        if arrives.is_constant() {
            continue;
        }
        let left = timed.did_in_view(after, i, h, v, t - 1);
        let kept = 1 - timed.lost(i, h, v, t);
        let refused = last.clone() + arrives.clone() + left.clone() + kept.clone();
        timed.draft.at_most(ignores, &label, refused, 3.into());
        let decided = triggered.map_or_else(Expr::default, |e| timed.decided_before(e, i, h, v, t));
        let excused = timed.byzantine(i) + timed.crashed(i, t) + decided;
        for (number, excuse) in [left, kept].into_iter().enumerate() {
            let arrived = arrives.clone() + was.clone() + (-1);
            let right = now.clone() + excuse + excused.clone();
            timed
                .draft
                .at_most(forces, &format!("{label}_{number}"), arrived, right);
        }
        if v > 0 {
            let enters = timed.entered(i, h, v, t) - timed.entered(i, h, v, t - 1);
            let right = now + timed.byzantine(i);
            timed
                .draft
                .at_most(forces, &format!("{label}_held"), got + enters + (-1), right);
        }
    }
}

/// At a replica that has asked to leave its view a guarded message of that view arrives alone in
/// its slot (E46): `Σ Δgot_i^t ≤ 1 + (m − 1) · (2 − Δgot^t − left^(t−1))` for m copies that may
/// arrive, and the replica stays in the view in that slot.
///
/// So that what it counts at the end of the slot is what it counted when the message came.
pub(super) fn arrives_alone(timed: &mut Timed, hold: &Hold) {
    let family = timed
        .draft
        .leaves_out("guarded_receive_is_alone", LeftOut::ResponseBesideCopy);
    let stays = timed.draft.leaves_out(
        "guarded_receive_excludes_enter",
        LeftOut::ResponseBesideCopy,
    );
    let c = timed.channel(&hold.kind);
    let after = timed.event(hold.after);
    for i in 0..timed.n {
        for t in timed.slots() {
            let all = super::delivery::arrivals(timed, i, t);
            let most = all.terms().filter(|&(_, k)| k > 0).count() as i64;
            for (h, v) in timed.height_views() {
                for j in (0..timed.n)
                    .filter(|&j| j != i && timed.may_send(c, j, h, v))
                    .collect::<Vec<_>>()
                {
                    let arrives: Expr = timed
                        .channel_blocks(c, h, v)
                        .map(|b| {
                            timed.got(c, i, j, h, v, b, t) - timed.got(c, i, j, h, v, b, t - 1)
                        })
                        .sum();
                    if arrives.is_constant() || t == 1 {
                        continue;
                    }
                    let both = arrives + timed.did_in_view(after, i, h, v, t - 1);
                    let label = format!("_i{i}_j{j}_h{h}_v{v}_t{t}");
                    let right = (2 - both.clone()) * (most - 1) + 1;
                    timed.draft.at_most(family, &label, all.clone(), right);
                    let enters = timed.entered(i, h, v + 1, t) - timed.entered(i, h, v + 1, t - 1);
                    timed.draft.at_most(stays, &label, both + enters, 2.into());
                }
            }
        }
    }
}

/// A commit for another block than the one requested in its view is thrown away when it comes, and
/// leaves the place of its sender empty: with `other^t` = the own response for another block by
/// slot t or the own proposal of one by t − 1, `cleared^t = got^t ∧ other^t` while in the view.
///
/// One that came before the request is never looked at again and counts for whatever is requested;
/// such executions are left out (E44): `other^T − other^t + got^t + is^t ≤ 2`.
pub(super) fn cleared(timed: &mut Timed, copies: Copies) {
    let Copies { c, i, j, h, v, b } = copies;
    if !timed.clears(c, h, v) {
        return;
    }
    let kind = name(timed, copies);
    let line = "dbft2-nspcc 28";
    let family = timed.draft.family(
        &format!("{kind}_of_other_block_is_cleared"),
        line,
        &[],
        Group::MEMORY,
    );
    let early = timed.draft.leaves_out(
        &format!("{kind}_of_other_block_is_not_early"),
        LeftOut::CommitBeforePreparation,
    );
    let ever = timed.ever_prepared_other(i, h, v, b);
    for t in timed.slots() {
        let label = copies.label(t);
        let now = timed.cleared(i, j, h, v, b, t);
        let before = timed.cleared(i, j, h, v, b, t - 1);
        let other = timed.prepared_other(i, h, v, b, t);
        let got = copies.got(timed, t);
        let (was, is) = (timed.was_in(i, h, v, t), timed.is_in(i, h, v, t));
        let steps = now.clone() - before.clone();
        timed
            .draft
            .at_most(family, &format!("{label}_a"), before, now.clone());
        timed
            .draft
            .at_most(family, &format!("{label}_b"), now.clone(), got.clone());
        timed
            .draft
            .at_most(family, &format!("{label}_c"), now.clone(), other.clone());
        timed.draft.at_most(
            family,
            &format!("{label}_d"),
            steps,
            was.clone() + is.clone(),
        );
        for (number, there) in [was, is.clone()].into_iter().enumerate() {
            let both = got.clone() + other.clone() + there + (-2);
            timed
                .draft
                .at_most(family, &format!("{label}_e{number}"), both, now.clone());
        }
        let later = ever.clone() - other;
        timed
            .draft
            .at_most(early, &label, later + got + is, 2.into());
    }
}

/// A response for another block than the one requested is thrown away when it comes, so it puts no
/// timer off: `Δstray^t = Δtook^t ∧ other^t`, `other` as for [`cleared`].
pub(super) fn stray(timed: &mut Timed, copies: Copies) {
    let Copies { c, i, j, h, v, b } = copies;
    if !timed.strays(c, h, v) {
        return;
    }
    let kind = name(timed, copies);
    let family = format!("{kind}_of_other_block_is_stray");
    let family = timed
        .draft
        .family(&family, "dbft2-nspcc 18", &[], Group::MEMORY);
    for t in timed.slots() {
        let label = copies.label(t);
        let now = timed.stray(i, j, h, v, b, t);
        let before = timed.stray(i, j, h, v, b, t - 1);
        let steps = now.clone() - before.clone();
        let takes = took(timed, copies, t) - took(timed, copies, t - 1);
        let other = timed.prepared_other(i, h, v, b, t);
        let both = takes.clone() + other.clone() + (-1);
        timed
            .draft
            .at_most(family, &format!("{label}_a"), before, now.clone());
        timed
            .draft
            .at_most(family, &format!("{label}_b"), steps.clone(), takes);
        timed
            .draft
            .at_most(family, &format!("{label}_c"), steps, other);
        timed
            .draft
            .at_most(family, &format!("{label}_d"), both, now);
    }
}

/// A proposal does not look at the responses that came before it, so one for a block that is not
/// proposed would count; such executions are left out (E42): for a block other than the proposed
/// one `propose^T + got^t ≤ 1 + propose^(t−1)`.
pub(super) fn not_before_proposal(timed: &mut Timed, copies: Copies) {
    let Copies { c, i, h, v, b, .. } = copies;
    let guarded = timed.protocol.hold(&timed.protocol.channels[c].kind);
    if guarded.is_none() || b == 0 || timed.primary(h, v) != i {
        return;
    }
    let kind = name(timed, copies);
    let family = format!("{kind}_of_other_block_is_not_early");
    let family = timed
        .draft
        .leaves_out(&family, LeftOut::ResponseBeforeProposal);
    for t in timed.slots() {
        let left = timed.ever_prepared_other(i, h, v, b) + copies.got(timed, t);
        let proposed = timed.prepared_other(i, h, v, b, t);
        timed
            .draft
            .at_most(family, &copies.label(t), left, proposed + 1);
    }
}

/// A Byzantine replica sends each receiver one response per view and one commit (E41), so that the
/// first one, which counts, is the only one.
pub(super) fn one_vote_from_byzantine(timed: &mut Timed) {
    let last = timed.horizon;
    let mut votes: Vec<(usize, bool)> = vec![];
    for rule in timed.protocol.rules.clone() {
        match rule {
            crate::rule::Rule::Hold(hold) => votes.push((timed.channel(&hold.kind), false)),
            crate::rule::Rule::Negation(n) => votes.push((timed.channel(&n.without), true)),
            _ => {}
        }
    }
    if votes.is_empty() {
        return;
    }
    let family = timed
        .draft
        .leaves_out("byzantine_votes_once", LeftOut::SecondByzantineVote);
    for (c, over_height) in votes {
        for i in 0..timed.n {
            for j in (0..timed.n).filter(|&j| j != i).collect::<Vec<_>>() {
                if !timed.may_be(milp_schema::instance::FaultKind::Byzantine, j) {
                    continue;
                }
                let in_view = |timed: &Timed, v: u32| -> Expr {
                    timed
                        .channel_blocks(c, 0, v)
                        .map(|b| timed.got(c, i, j, 0, v, b, last))
                        .sum()
                };
                if over_height {
                    let all: Expr = (0..timed.views).map(|v| in_view(timed, v)).sum();
                    timed
                        .draft
                        .at_most(family, &format!("_{c}_i{i}_j{j}"), all, 1.into());
                } else {
                    for v in 0..timed.views {
                        let all = in_view(timed, v);
                        timed
                            .draft
                            .at_most(family, &format!("_{c}_i{i}_j{j}_v{v}"), all, 1.into());
                    }
                }
            }
        }
    }
}
