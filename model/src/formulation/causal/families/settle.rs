//! Final states where acceptance is guarded (E23), and the end of an execution in which everything
//! arrives: no message, timer or recovery message changes anything.
//!
//! *Excused*: bound in any view, decided, crashed or Byzantine.

use super::{
    super::{columns::Causal, order::Guarded},
    guard::Seat,
};
use crate::{
    expr::Expr,
    program::{FamilyId, Tag},
    rule::{Enter, Requires},
};

/// The rows of a final state; without `stall` those of must events only.
pub(super) fn final_states(causal: &mut Causal, stall: bool) {
    let Some(parts) = causal.order.guarded.clone() else {
        return;
    };
    let enter = causal.protocol.enter().cloned();
    let enter = enter.expect("an acceptance guard is about a view change");
    if stall {
        alive(causal, &parts);
        one_view(causal, &enter);
    }
    for v in 0..causal.views {
        for i in 0..causal.n {
            let seat = Seat::new(causal, &parts, i, v);
            everyone_answered(causal, &seat);
            nobody_can_bind(causal, &seat, stall);
            nobody_can_decide(causal, &seat, stall);
            too_few_ask(causal, &seat, &enter, stall);
            if stall {
                timers_rest(causal, &seat);
            }
        }
    }
}

fn excused(causal: &Causal, i: u32) -> Expr {
    let parts = causal.order.guarded.as_ref();
    let binds = parts.map_or(0, |parts| parts.binds);
    causal.did_in(binds, i, 0..causal.views) + causal.gone(i)
}

fn family(causal: &mut Causal, what: &str, line: &str) -> FamilyId {
    causal
        .draft
        .family(&format!("final_state_{what}"), line, &[], Tag::Budget)
}

/// Who counts as alive in view v in the end: whoever was heard there and is not bound in it or a
/// view below. `x_j ≤ alive_j + Σ_(u≤v) bind_j` for everything that is heard, `alive_j ≤ Σ x_j`,
/// `alive_j + Σ_(u≤v) bind_j ≤ 1`.
fn alive(causal: &mut Causal, parts: &Guarded) {
    let defines = causal
        .draft
        .family("heard_defines_alive", "E23", &[], Tag::Goal);
    let Guarded {
        proposes,
        answers,
        leaves,
        calls,
        binds,
    } = *parts;
    for v in 0..causal.views {
        for j in 0..causal.n {
            let seat = Seat::new(causal, parts, j, v);
            let lives = causal.goal_column("alive", [j, v, 0]);
            let label = format!("_j{j}_v{v}");
            let mut bound = causal.did_in(binds, j, 0..v + 1);
            for u in 0..=v {
                bound += causal.made(seat.bound, j, u, 0);
            }
            let mut signs = vec![
                causal.did_in_view(proposes, j, v),
                causal.did_in_view(answers, j, v) + causal.made(seat.answers, j, v, 0),
                causal.did_in_view(calls, j, v),
            ];
            let kind = causal.events[proposes].broadcasts;
            let request = causal.channel(&kind.expect("parts broadcast"));
            signs.push(causal.made(request, j, v, 0));
            for u in v..causal.views {
                let ask = causal.did_in_view(leaves, j, u) + causal.made(seat.asks, j, u, 0);
                signs.push(ask);
            }
            for (number, sign) in signs.iter().enumerate() {
                let right = lives.clone() + bound.clone();
                let label = format!("{label}_{number}");
                causal.draft.at_most(defines, &label, sign.clone(), right);
            }
            causal
                .draft
                .at_most(defines, &label, lives.clone(), signs.into_iter().sum());
            let label = format!("{label}_bound");
            causal.draft.at_most(defines, &label, bound, 1 - lives);
        }
    }
}

/// Whoever is not excused is in one view, and no live replica is in a later one:
/// `in_v(i) + in_w(k) ≤ 1 + excused_i + crashed_k + byzantine_k` for v < w.
fn one_view(causal: &mut Causal, _enter: &Enter) {
    let family = family(causal, "has_one_view", "E48");
    for v in 0..causal.views {
        for w in v + 1..causal.views {
            for i in 0..causal.n {
                for k in (0..causal.n).filter(|&k| k != i) {
                    let both = causal.is_in(i, v) + causal.is_in(k, w);
                    let right = excused(causal, i) + causal.crashed(k) + causal.byzantine(k) + 1;
                    causal
                        .draft
                        .at_most(family, &format!("_i{i}_k{k}_v{v}_w{w}"), both, right);
                }
            }
        }
    }
}

/// Every timer has fired: a primary has proposed, everybody has asked to leave the view or called,
/// and asked to leave unless too few others are alive in the end:
/// `in_v ≤ proposed + excused`, `in_v ≤ leave + call + excused`, `in_v ≤ leave + lost + excused`,
/// `Σ_(j≠i) alive_j ≤ q − 2 + n (1 − lost_i)`.
fn timers_rest(causal: &mut Causal, seat: &Seat) {
    let family = family(causal, "has_no_enabled_timer", "E49");
    let Guarded {
        proposes,
        leaves,
        calls,
        ..
    } = seat.parts;
    let (i, v, label) = (seat.i, seat.v, seat.label());
    let is_in = causal.is_in(i, v);
    let excused = excused(causal, i);
    if i == seat.primary {
        let right = seat.did(causal, proposes) + excused.clone();
        causal
            .draft
            .at_most(family, &format!("{label}_first"), is_in.clone(), right);
    }
    let left = seat.did(causal, leaves) + excused;
    let any = left.clone() + seat.did(causal, calls);
    causal
        .draft
        .at_most(family, &format!("{label}_any"), is_in.clone(), any);
    let lost = causal.goal_column("lost", [i, v, 0]);
    causal
        .draft
        .at_most(family, &label, is_in, left + lost.clone());
    let most = (1 - lost) * i64::from(causal.n) + (i64::from(causal.instance.quorum()) - 2);
    let alive = living(causal, seat);
    causal
        .draft
        .at_most(family, &format!("{label}_lost"), alive, most);
}

fn living(causal: &Causal, seat: &Seat) -> Expr {
    let column = |j: &u32| {
        let key = super::super::columns::Key::Goal("alive", [*j, seat.v, 0]);
        causal.look_up(&key)
    };
    seat.others.iter().map(column).sum()
}

/// A request that exists is answered: `request ≤ answer_i + 1 − in_v + gone_i`.
fn everyone_answered(causal: &mut Causal, seat: &Seat) {
    if seat.i == seat.primary {
        return;
    }
    let family = family(causal, "has_every_request_answered", "E50");
    let kind = causal.events[seat.parts.proposes].broadcasts;
    let c = causal.channel(&kind.expect("parts broadcast"));
    let away = 1 - causal.is_in(seat.i, seat.v) + causal.gone(seat.i);
    for b in causal.channel_blocks(c, seat.v) {
        let request = causal.exists(c, seat.primary, seat.v, b);
        let right = seat.did(causal, seat.parts.answers) + away.clone();
        causal
            .draft
            .at_most(family, &format!("{}_b{b}", seat.label()), request, right);
    }
}

/// Nobody who prepared and takes what exists has a quorum of preparations, unless it ignores
/// answers: `own + Σ answer_j ≤ q − 1 + n (2 − own_i − in_v + excused_i + ignores_i)`.
///
/// It ignores them if it asked to leave; in a state that recovery does not change it counts q − 1
/// others as alive to the end: `ignores_i ≤ leave_i`, `(q − 1) · ignores_i ≤ Σ_(j≠i) alive_j`.
fn nobody_can_bind(causal: &mut Causal, seat: &Seat, stall: bool) {
    let family = family(causal, "has_everything_taken", "E50");
    let n = i64::from(causal.n);
    let label = seat.label();
    let ignores = causal.goal_column("ignores", [seat.i, seat.v, 0]);
    let left = seat.did(causal, seat.parts.leaves);
    causal
        .draft
        .at_most(family, &format!("{label}_a"), ignores.clone(), left);
    if stall {
        let quorum = i64::from(causal.instance.quorum());
        let alive = living(causal, seat);
        let needs = ignores.clone() * (quorum - 1);
        causal
            .draft
            .at_most(family, &format!("{label}_b"), needs, alive);
    }
    let answers: Expr = seat
        .others
        .iter()
        .filter(|&&j| j != seat.primary)
        .map(|&j| {
            causal.did_in_view(seat.parts.answers, j, seat.v)
                + causal.made(seat.answers, j, seat.v, 0)
        })
        .sum();
    let slack = (1 - seat.prepared(causal))
        + (1 - causal.is_in(seat.i, seat.v))
        + excused(causal, seat.i)
        + ignores;
    let right = slack * n + (seat.quorum - 1 - seat.own);
    causal.draft.at_most(family, &label, answers, right);
}

/// Nobody who prepared is left with a quorum of binding messages of its view:
/// `Σ_j bind_j ≤ q − 1 + n (2 − own_i − in_v + gone_i)`, with those Byzantine ones that it knows.
fn nobody_can_decide(causal: &mut Causal, seat: &Seat, stall: bool) {
    let family = family(causal, "has_no_quorum_of_votes", "E47");
    let count = causal
        .events
        .iter()
        .filter(|event| event.decides)
        .flat_map(|event| &event.requires)
        .find_map(|requirement| match requirement {
            Requires::Tally { at_least, .. } => Some(causal.count(*at_least)),
            _ => None,
        });
    let Some(count) = count else { return };
    let label = seat.label();
    let n = i64::from(causal.n);
    let mut votes: Expr = (0..causal.n)
        .map(|j| {
            causal.did_in_view(seat.parts.binds, j, seat.v) + causal.made(seat.bound, j, seat.v, 0)
        })
        .sum();
    for &j in &seat.others {
        if !stall && causal.may_make(seat.bound, j, seat.v) {
            let forged = causal.goal_column("knows_forged", [seat.i, j, seat.v]);
            let both = seat.knows(causal, j) + causal.byzantine(j) + (-1);
            causal
                .draft
                .at_most(family, &format!("{label}_j{j}"), both, forged.clone());
            votes += forged;
        }
    }
    let slack =
        (1 - seat.prepared(causal)) + (1 - causal.is_in(seat.i, seat.v)) + causal.gone(seat.i);
    causal
        .draft
        .at_most(family, &label, votes, slack * n + (count - 1));
}

/// Fewer than a quorum have asked to leave a view in which somebody is not excused:
/// `Σ_j leave_j ≤ q − 1 + n (1 − in_v + excused_i)`, with those Byzantine ones that made themselves
/// heard by it.
fn too_few_ask(causal: &mut Causal, seat: &Seat, enter: &Enter, stall: bool) {
    let family = family(causal, "has_too_few_change_views", "E52");
    let (c, v) = (seat.asks, seat.v);
    let asks = (0..causal.n).map(|j| causal.sent(c, j, v, 0) + causal.made_later(c, j, v));
    let mut asks: Expr = asks.sum();
    for &j in seat.others.iter().filter(|_| !stall) {
        if !causal.may_make(c, j, v) {
            continue;
        }
        let forged = causal.goal_column("heard_forged", [seat.i, j, v]);
        let mut otherwise = forged.clone() + seat.took_first(causal, j);
        if j == seat.primary {
            otherwise += seat.answers_first(causal);
        }
        let heard = seat.heard(causal, j) + causal.byzantine(j) + (-1);
        let label = format!("{}_j{j}", seat.label());
        causal.draft.at_most(family, &label, heard, otherwise);
        asks += forged;
    }
    let away = 1 - causal.is_in(seat.i, v) + excused(causal, seat.i);
    let right = away * i64::from(causal.n) + (causal.count(enter.at_least) - 1);
    causal.draft.at_most(family, &seat.label(), asks, right);
}
