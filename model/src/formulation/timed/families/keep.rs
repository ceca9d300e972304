//! Requests to leave under rules that forget them on entering a view.

use super::{super::columns::Timed, view_change::Step};
use crate::{expr::Expr, group::Group, left_out::LeftOut, rule::Enter};

/// A request is kept by a replica that was in view v when the slot began, has not committed and
/// not decided: with `ask` the request of j sent in view u ≥ v,
/// `Δkept^t ≤ Δask^t`, `Δkept^t ≤ was_v^t`, `Δkept^t + x^t ≤ 1` for x = commit, decided, crashed, and
/// `Δask^t + was_v^t − 1 ≤ kept^t + commit^t + decided^t + crashed^t + byzantine_i`.
pub(super) fn receive_defines_kept(timed: &mut Timed, enter: &Enter, i: u32, h: u32, v: u32) {
    let requires = timed.draft.family(
        "keep_requires_receive_change_view",
        enter.line,
        &[],
        Group::CHANGE_VIEWS,
    );
    let forces = timed.draft.family(
        "receive_change_view_forces_keep",
        enter.line,
        &[],
        Group::CHANGE_VIEWS,
    );
    let stays = timed
        .draft
        .family("keep_stays", enter.line, &[], Group::MEMORY);
    let c = timed.channel(&enter.of);
    let ask = timed.senders(c).next().expect("somebody asks");
    for j in (0..timed.n).filter(|&j| j != i) {
        for u in v..timed.views {
            for t in timed.slots() {
                let now = timed.kept(i, j, u, h, v, t);
                let before = timed.kept(i, j, u, h, v, t - 1);
                let arrives = timed.got(c, i, j, h, u, 0, t) - timed.got(c, i, j, h, u, 0, t - 1);
                if arrives.is_constant() {
                    continue;
                }
                let label = format!("_i{i}_j{j}_h{h}_u{u}_v{v}_t{t}");
                let was = timed.was_in(i, h, v, t);
                let locked: Expr = enter
                    .excludes
                    .iter()
                    .map(|name| timed.did_in(timed.event(name), i, h, 0..v + 1, t))
                    .sum();
                let decided = timed.decided_before(ask, i, h, v, t);
                let gone = [locked, decided, timed.crashed(i, t)];
                let takes = now.clone() - before.clone();
                timed.draft.at_most(stays, &label, before, now.clone());
                timed.draft.at_most(
                    requires,
                    &format!("{label}_a"),
                    takes.clone(),
                    arrives.clone(),
                );
                timed
                    .draft
                    .at_most(requires, &format!("{label}_b"), takes.clone(), was.clone());
                let mut right = now + timed.byzantine(i);
                for (number, gone) in gone.into_iter().enumerate() {
                    right += gone.clone();
                    let label = format!("{label}_c{number}");
                    timed
                        .draft
                        .at_most(requires, &label, takes.clone() + gone, 1.into());
                }
                timed
                    .draft
                    .at_most(forces, &label, arrives + was + (-1), right);
            }
        }
    }
}

/// In view v a replica holds a request of j for view v + 1 or later if it kept one in that view:
/// `asked_(v+1) = ∨_(u≥v) kept_u`.
pub(super) fn keep_defines_asked(timed: &mut Timed, enter: &Enter, i: u32, h: u32, v: u32) {
    let family = timed
        .draft
        .family("keep_defines_asked", enter.line, &[], Group::CHANGE_VIEWS);
    for j in (0..timed.n).filter(|&j| j != i) {
        for t in timed.slots() {
            let asked = timed.asked(i, j, h, v + 1, t);
            let label = format!("_i{i}_j{j}_h{h}_v{v}_t{t}");
            let kept: Vec<Expr> = (v..timed.views)
                .map(|u| timed.kept(i, j, u, h, v, t))
                .collect();
            for (number, kept) in kept.iter().enumerate() {
                timed.draft.at_most(
                    family,
                    &format!("{label}_{number}"),
                    kept.clone(),
                    asked.clone(),
                );
            }
            timed
                .draft
                .at_most(family, &label, asked, kept.into_iter().sum());
        }
    }
}

/// The requests that complete a quorum for view w when they come: those that ask for w itself.
fn triggers(timed: &Timed, enter: &Enter, step: Step, t: u32) -> Vec<Expr> {
    let Step { i, h, w } = step;
    let c = timed.channel(&enter.of);
    let own = timed.sent(c, i, h, w - 1, 0, t) - timed.sent(c, i, h, w - 1, 0, t - 1);
    (0..timed.n)
        .filter(|&j| j != i)
        .map(|j| timed.kept(i, j, w - 1, h, w - 1, t) - timed.kept(i, j, w - 1, h, w - 1, t - 1))
        .chain([own])
        .filter(|trigger| !trigger.is_constant())
        .collect()
}

/// Only a request for w itself makes a replica enter w, and it was in w − 1 before (E40):
/// `Δentered_w^t ≤ Σ triggers^t`, `entered_w^t ≤ entered_(w−1)^(t−1)`.
pub(super) fn requires_trigger(timed: &mut Timed, enter: &Enter, step: Step) {
    let family = timed.draft.family(
        "enter_requires_change_view",
        enter.line,
        &[],
        Group::CHANGE_VIEWS,
    );
    let one = timed
        .draft
        .leaves_out("enter_excludes_skip", LeftOut::SkippedView);
    let Step { i, h, w } = step;
    for t in timed.slots() {
        let label = format!("_i{i}_h{h}_v{w}_t{t}");
        let steps = timed.entered(i, h, w, t) - timed.entered(i, h, w, t - 1);
        let permitted = step.permitted(timed, t) - step.permitted(timed, t - 1);
        let any = triggers(timed, enter, step, t).into_iter().sum();
        timed.draft.at_most(family, &label, steps - permitted, any);
        let lower = timed.entered(i, h, w - 1, t - 1);
        timed
            .draft
            .at_most(one, &label, timed.entered(i, h, w, t), lower);
    }
}

/// A request for w that comes when a quorum asks for w or later makes the replica enter:
/// `Σ asked_w^t ≤ q − 1 + (n − q + 1) · (entered_w^t + excused^t + 1 − trigger^t)` for each one.
pub(super) fn forced(timed: &mut Timed, enter: &Enter, step: Step) {
    let family = timed.draft.family(
        "change_view_quorum_forces_enter",
        enter.line,
        &[],
        Group::PROMPT,
    );
    let Step { i, h, w } = step;
    let count = timed.count(enter.at_least);
    let factor = i64::from(timed.n) - count + 1;
    for t in timed.slots() {
        let locked: Expr = enter
            .excludes
            .iter()
            .map(|name| step.below(timed, name, t))
            .sum();
        let excused = timed.entered(i, h, w, t)
            + locked
            + timed.decided(i, h, t)
            + timed.crashed(i, t)
            + timed.byzantine(i);
        for (number, trigger) in triggers(timed, enter, step, t).into_iter().enumerate() {
            let right = (excused.clone() + (1 - trigger)) * factor + (count - 1);
            let label = format!("_i{i}_h{h}_v{w}_t{t}_{number}");
            timed
                .draft
                .at_most(family, &label, step.asked(timed, enter, t), right);
        }
    }
}

/// A view is not skipped (E40): fewer than a quorum of kept requests ask for more than the next
/// view, `Σ_j Σ_(u>v) kept_u^T ≤ q − 1`.
pub(super) fn no_skip(timed: &mut Timed, enter: &Enter, i: u32, h: u32, v: u32) {
    let family = timed
        .draft
        .leaves_out("change_view_quorum_excludes_skip", LeftOut::SkippedView);
    let count = timed.count(enter.at_least);
    let last = timed.horizon;
    let all: Expr = (0..timed.n)
        .filter(|&j| j != i)
        .flat_map(|j| (v + 1..timed.views).map(move |u| (j, u)))
        .map(|(j, u)| timed.kept(i, j, u, h, v, last))
        .sum();
    timed
        .draft
        .at_most(family, &format!("_i{i}_h{h}_v{v}"), all, (count - 1).into());
}

/// Requests of one sender do not overtake each other on their way to a replica that still counts
/// the earlier one (E39): `Δask_u^t + ask_u'^t + was_v^t ≤ 2` for v ≤ u < u'.
pub(super) fn no_overtaking(timed: &mut Timed, enter: &Enter, i: u32, h: u32, v: u32) {
    let family = timed
        .draft
        .leaves_out("change_views_come_in_order", LeftOut::OvertakenChangeView);
    let c = timed.channel(&enter.of);
    for j in (0..timed.n).filter(|&j| j != i) {
        for u in v..timed.views {
            for later in u + 1..timed.views {
                for t in timed.slots() {
                    let arrives =
                        timed.got(c, i, j, h, u, 0, t) - timed.got(c, i, j, h, u, 0, t - 1);
                    let before = timed.got(c, i, j, h, later, 0, t);
                    let label = format!("_i{i}_j{j}_h{h}_u{u}_{later}_v{v}_t{t}");
                    let sum = arrives + before + timed.was_in(i, h, v, t);
                    timed.draft.at_most(family, &label, sum, 2.into());
                }
            }
        }
    }
}

/// A timer does not fire for a view that deliveries make the replica leave in the same slot (E8):
/// if another's request for w comes in the slot of the own one, the others' were too few:
/// `Σ_(j≠i) asked_w^t ≤ q − 1 + (n − q) · (2 − Δown^t − trigger_j^t)`.
pub(super) fn quorum_excludes_timeout(timed: &mut Timed, enter: &Enter, step: Step) {
    let family = timed.draft.family(
        "change_view_quorum_excludes_timeout",
        "E8",
        &[],
        Group::ORDER,
    );
    let Step { i, h, w } = step;
    let count = timed.count(enter.at_least);
    for t in timed.slots() {
        let others: Expr = (0..timed.n)
            .filter(|&j| j != i)
            .map(|j| timed.asked(i, j, h, w, t))
            .sum();
        let mut all = triggers(timed, enter, step, t);
        let own = all.pop().expect("the own request is the last");
        for (number, trigger) in all.into_iter().enumerate() {
            let right = (2 - own.clone() - trigger) * (i64::from(timed.n) - count) + (count - 1);
            let label = format!("_i{i}_h{h}_v{w}_t{t}_{number}");
            timed.draft.at_most(family, &label, others.clone(), right);
        }
    }
}
