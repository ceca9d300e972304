//! What honest replicas do not do.

use super::super::{
    columns::{CHANGE_VIEW, COMMIT, Model, PRE_COMMIT, RELAY, REQUEST, RESPONSE},
    index::{Index, PLAIN, Priority},
};
use milp_model::expr::Expr;

/// One decision per height: `Σ_v Σ_p Σ_(t>1) BlockRelay(p,t,i,v) ≤ 1`.
///
/// Scope: honest.
pub(super) fn second_decision(model: &mut Model) {
    for i in model.honest() {
        let views = model.all_views();
        let decided: Expr = views.map(|v| model.did_any(RELAY, (i, v))).sum();
        model.at_most("blockRelayLimitToOneForNonByz", [i], decided, 1.into());
    }
}

/// Nothing is sent in a view without a quorum of requests to leave the view before:
/// `M · Σ_(t>1) Send…(t,i,v) ≤ changeViewRecvPerNodeAndView(i,v−1)` for v > 1.
///
/// Scope: honest.
pub(super) fn acts_before_the_view(model: &mut Model) {
    for (phase, p) in model.messages() {
        let family = format!("send{}OnlyIfViewBeforeOk", phase.short);
        for (i, v) in model.honest_pairs().into_iter().filter(|&(_, v)| v > 1) {
            let sent = model.did(phase.send, p, (i, v)) * model.m();
            let asked = model.asked((i, v - 1));
            model.at_most(&family, p.then([i, v]), sent, asked);
        }
    }
}

/// Nothing is sent in a view after a request to leave it: `Send…(t,i,v) ≤ 1 − Σ_(1<u≤t)
/// SendCV(u,i,v)` for t > 1; and no such request after a commit: `SendCV(t,i,v) ≤ 1 −
/// Σ_p Σ_(1<u≤t) SendCommit(p,u,i,v)`.
///
/// Scope: honest.
pub(super) fn acts_after_change_view(model: &mut Model) {
    for p in model.priorities() {
        for phase in model.phases() {
            let family = format!("no{}IfCV", phase.short);
            for (i, v) in model.honest_pairs() {
                for t in model.later_slots() {
                    let sent = model.var(phase.send, p.then([t, i, v]));
                    let asked = model.by(CHANGE_VIEW.send, PLAIN, (i, v), t);
                    model.at_most(&family, p.then([i, v, t]), sent, 1 - asked);
                }
            }
        }
    }
    for (i, v) in model.honest_pairs() {
        for t in model.later_slots() {
            let asked = model.var(CHANGE_VIEW.send, [t, i, v]);
            let committed = model.by_any(COMMIT.send, (i, v), t);
            model.at_most("noCVIfCommit", [i, v, t], asked, 1 - committed);
        }
    }
}

/// Nothing is sent in a view after a decision in it: `Send…(t,i,v) ≤ 1 − Σ_p Σ_(1<u≤t)
/// BlockRelay(p,u,i,v)` for t > 1.
///
/// Scope: honest.
pub(super) fn acts_after_decision(model: &mut Model) {
    for (phase, p) in model.messages() {
        let family = format!("noBlockYes{}", phase.short);
        for (i, v) in model.honest_pairs() {
            for t in model.later_slots() {
                let sent = model.var(phase.send, p.then([t, i, v]));
                let decided = model.by_any(RELAY, (i, v), t);
                model.at_most(&family, p.then([i, v, t]), sent, 1 - decided);
            }
        }
    }
}

/// Who sent a message for one priority does not send one of that kind for the other:
/// `Send…(p,t,i,v) ≤ 1 − Σ_(1<u≤t) Send…(p′,u,i,v)` for t > 1, p ≠ p′.
///
/// Scope: honest; dBFT 3.0.
pub(super) fn both_priorities(model: &mut Model) {
    let (one, two) = (Priority(Some(1)), Priority(Some(2)));
    for phase in model.phases() {
        for (p, other, digit) in [(one, two, 1), (two, one, 2)] {
            let family = format!("noAttackII{}{digit}", phase.short);
            for (i, v) in model.honest_pairs() {
                for t in model.later_slots() {
                    let sent = model.var(phase.send, p.then([t, i, v]));
                    let before = model.by(phase.send, other, (i, v), t);
                    model.at_most(&family, [i, v, t], sent, 1 - before);
                }
            }
        }
    }
}

/// Nothing is sent about a proposal before it was received: `Send…(p,t,i,v) ≤ Σ_(u≤t) Σ_j
/// RecvPrepReq(p,u,i,j,v)` for t > 1.
///
/// Scope: honest; dBFT 3.0.
pub(super) fn acts_without_request(model: &mut Model) {
    for p in model.priorities() {
        for phase in [RESPONSE, PRE_COMMIT, COMMIT] {
            let family = format!("Send{}IfYesRecvPrepReq", phase.short);
            for (i, v) in model.honest_pairs() {
                for t in model.later_slots() {
                    let sent = model.var(phase.send, p.then([t, i, v]));
                    let held = model.received_by(REQUEST.receive, p, (i, v), t);
                    model.at_most(&family, p.then([i, v, t]), sent, held);
                }
            }
        }
    }
}

/// The indices of the families about earlier views; the published text of dBFT 3.0 has no comma
/// behind the priority.
fn no_comma(p: Priority, (i, v): (u32, u32)) -> Index {
    match p.0 {
        Some(p) => Index(vec![format!("{p}{i}").parse().unwrap_or(0), v]),
        None => [i, v].into(),
    }
}

/// Who decided in an earlier view is no primary, proposes, responds and commits no more:
/// `Primary(i,v) ≤ 1 − Σ_(u<v) Σ_p Σ_(t>1) BlockRelay(p,t,i,u)` for v > 1, and the same with
/// `Σ_(t>1) Send…(t,i,v)` on the left.
///
/// Scope: honest.
pub(super) fn acts_after_decision_in_earlier_view(model: &mut Model) {
    for p in model.priorities() {
        for (i, v) in model.honest_pairs().into_iter().filter(|&(_, v)| v > 1) {
            let decided = model.did_before(RELAY, (i, v));
            let primary = model.var("Primary", p.then([i, v]));
            let family = "noBlockOldViewsYesPrimary";
            model.at_most(family, p.then([i, v]), primary, 1 - decided.clone());
            for phase in [REQUEST, RESPONSE, COMMIT] {
                let sent = model.did(phase.send, p, (i, v));
                let family = format!("noBlockOldViewsYes{}", phase.short);
                let index = no_comma(p, (i, v));
                model.at_most(&family, index, sent, 1 - decided.clone());
            }
        }
    }
}

/// Who committed in an earlier view proposes, responds, commits and asks no more:
/// `Σ_(t>1) Send…(t,i,v) ≤ 1 − Σ_(u<v) Σ_p Σ_(t>1) SendCommit(p,t,i,u)` for v > 1.
///
/// Scope: honest.
pub(super) fn acts_after_commit_in_earlier_view(model: &mut Model) {
    for p in model.priorities() {
        for (i, v) in model.honest_pairs().into_iter().filter(|&(_, v)| v > 1) {
            let committed = model.did_before(COMMIT.send, (i, v));
            for phase in [REQUEST, RESPONSE, COMMIT] {
                let sent = model.did(phase.send, p, (i, v));
                let family = format!("noCommitOldViewsYes{}", phase.short);
                let index = no_comma(p, (i, v));
                model.at_most(&family, index, sent, 1 - committed.clone());
            }
        }
    }
    for (i, v) in model.honest_pairs().into_iter().filter(|&(_, v)| v > 1) {
        let committed = model.did_before(COMMIT.send, (i, v));
        let asked = model.did(CHANGE_VIEW.send, PLAIN, (i, v));
        model.at_most("noCommitOldViewsYesCV", [i, v], asked, 1 - committed);
    }
}
