//! One pool of messages instead of copies (E26 to E29): what is in it in a slot is seen by all from
//! the next slot on, and each replica takes at most one action in a slot.
//!
//! `pool_j^t` is `sent_j^t` for a replica that follows the rules and `injected_j^t` for a Byzantine
//! one; nothing is ever taken out. Guards read `pool^(t−1)`, so that actions of different replicas
//! in one slot are independent, and the order of a slot says nothing.

use super::{super::columns::Timed, event::Act, view_change::Step};
use crate::{expr::Expr, group::Group, program::Tag, rule::snake};

/// What a Byzantine replica puts into the pool.
pub(super) fn injections(timed: &mut Timed) {
    for c in 0..timed.protocol.channels.len() {
        for (h, v) in timed.height_views() {
            for j in (0..timed.n)
                .filter(|&j| timed.may_inject(c, j, h, v))
                .collect::<Vec<_>>()
            {
                let message = Message { c, j, h, v };
                inject_stays(timed, message);
                inject_requires_byzantine(timed, message);
                injects_ascend(timed, message);
                inject_defines_since(timed, message);
            }
        }
    }
}

/// The message of channel c about view v of height h from j.
#[derive(Debug, Clone, Copy)]
struct Message {
    c: usize,
    j: u32,
    h: u32,
    v: u32,
}

impl Message {
    /// What only a Byzantine sender adds to the pool.
    fn injected(self, timed: &Timed, t: u32) -> Expr {
        let Self { c, j, h, v } = self;
        timed
            .channel_blocks(c, h, v)
            .map(|b| timed.injected(c, j, h, v, b, t))
            .sum()
    }

    fn label(self, timed: &Timed, t: u32) -> String {
        let Self { c, j, h, v } = self;
        let kind = snake(timed.protocol.channels[c].kind.name());
        format!("_{kind}_i{j}_h{h}_v{v}_t{t}")
    }
}

/// What is in the pool stays there: `injected^(t−1) ≤ injected^t`.
fn inject_stays(timed: &mut Timed, message: Message) {
    let family = timed
        .draft
        .family("inject_stays", "E26", &[], Group::MEMORY);
    for t in timed.slots() {
        let (before, now) = (message.injected(timed, t - 1), message.injected(timed, t));
        timed
            .draft
            .at_most(family, &message.label(timed, t), before, now);
    }
}

/// Only a Byzantine replica injects: `injected^T ≤ byzantine_j`.
fn inject_requires_byzantine(timed: &mut Timed, message: Message) {
    let family = timed
        .draft
        .family("inject_requires_byzantine", "E29", &[], Group::SIGNATURES);
    let last = timed.horizon;
    let injected = message.injected(timed, last);
    let label = message.label(timed, last);
    timed
        .draft
        .at_most(family, &label, injected, timed.byzantine(message.j));
}

/// A Byzantine replica's view never falls: `Δinjected_v^t + injected_w^(t−1) ≤ 1` for w > v and
/// whatever two kinds; within one slot it may pass through several views.
fn injects_ascend(timed: &mut Timed, message: Message) {
    let family = timed.draft.family(
        "inject_excludes_inject_of_later_view",
        "E29",
        &[],
        Group::ORDER,
    );
    let Message { j, h, v, .. } = message;
    for other in 0..timed.protocol.channels.len() {
        for w in v + 1..timed.views {
            if !timed.may_inject(other, j, h, w) {
                continue;
            }
            let later = Message {
                c: other,
                v: w,
                ..message
            };
            for t in timed.slots().skip(1) {
                let now = message.injected(timed, t) - message.injected(timed, t - 1);
                let label = format!("{}{}", message.label(timed, t), later.label(timed, t - 1));
                timed
                    .draft
                    .at_most(family, &label, now + later.injected(timed, t - 1), 1.into());
            }
        }
    }
}

/// A message about view v or a later one is in the pool if one about some such view is:
/// `since_v^t = ∨_(u≥v) injected_u^t`, a row for every u and one for all.
fn inject_defines_since(timed: &mut Timed, message: Message) {
    let Message { c, j, h, v } = message;
    if !timed.asked_since(c).contains(&v) || v + 1 == timed.views {
        return;
    }
    let family = timed
        .draft
        .family("inject_defines_since", "E26", &[], Group::ORDER);
    for t in timed.slots() {
        let since = timed.injected_since(c, j, h, v, t);
        let mut any = Expr::default();
        for u in v..timed.views {
            let injected = Message { v: u, ..message }.injected(timed, t);
            let label = format!("{}_u{u}", message.label(timed, t));
            timed
                .draft
                .at_most(family, &label, injected.clone(), since.clone());
            any += injected;
        }
        timed
            .draft
            .at_most(family, &message.label(timed, t), since, any);
    }
}

/// A replica acts in the view in which the slot finds it: `did_v^t ≤ entered_v^(t−1)` and
/// `Δ_v^t + entered_(v+1)^(t−1) ≤ 1`.
pub(super) fn requires_view(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    let name = format!("{}_requires_view", rule.name);
    let family = timed
        .draft
        .family(&name, rule.line, rule.equations(), Group::PLACE);
    let Act { i, h, v, .. } = act;
    for t in timed.slots() {
        let label = act.label(None, t);
        let entered = timed.entered(i, h, v, t - 1);
        timed
            .draft
            .at_most(family, &label, act.did_any(timed, t), entered);
        let gone = act.happens(timed, t) + timed.entered(i, h, v + 1, t - 1);
        timed
            .draft
            .at_most(family, &format!("{label}_in"), gone, 1.into());
    }
}

/// A replica takes at most one action in a slot, events and steps into a view alike, and none once
/// it died, none once it accepted a block, none if it is Byzantine:
/// `Σ Δ_i^t + crashed_i^t + byzantine_i ≤ 1` and `Σ Δ_i^t + decided_i^(t−1) ≤ 1`.
///
/// Two rows, because a replica that accepted may die. So views are entered one by one, and what
/// excludes an action was done in an earlier slot.
pub(super) fn one_action(timed: &mut Timed) {
    let alive = timed
        .draft
        .family("act_excludes_crash", "E26", &[], Group::CRASHES);
    let done = timed
        .draft
        .family("act_excludes_decide", "E26", &[], Group::STOPS);
    for i in 0..timed.n {
        for t in timed.slots() {
            let acts = actions(timed, i, t) - actions(timed, i, t - 1);
            let label = format!("_i{i}_t{t}");
            let gone = timed.crashed(i, t) + timed.byzantine(i);
            timed
                .draft
                .at_most(alive, &label, acts.clone() + gone, 1.into());
            let decided: Expr = (0..timed.heights).map(|h| timed.decided(i, h, t - 1)).sum();
            timed.draft.at_most(done, &label, acts + decided, 1.into());
        }
    }
}

/// The number of actions of replica i by slot t.
fn actions(timed: &Timed, i: u32, t: u32) -> Expr {
    let mut all = Expr::default();
    for (h, v) in timed.height_views() {
        for e in 0..timed.events.len() {
            all += timed.did_in_view(e, i, h, v, t);
        }
        if v > 0 {
            all += timed.entered(i, h, v, t);
        }
    }
    all
}

/// A view is entered from the one below, in which the slot finds the replica:
/// `entered_w^t ≤ entered_(w−1)^(t−1)`.
///
/// Proof: `enter_stays` nests the views and `act_excludes_crash` allows one step in a slot.
pub(super) fn enters_one_by_one(timed: &mut Timed, line: &str, step: Step) {
    let family = timed
        .draft
        .family("enter_requires_view_below", line, &[], Tag::Valid);
    let Step { i, h, w } = step;
    for t in timed.slots() {
        let (now, below) = (timed.entered(i, h, w, t), timed.entered(i, h, w - 1, t - 1));
        timed.draft.at_most(family, &step.label(t), now, below);
    }
}
