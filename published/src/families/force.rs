//! What honest replicas have to do before the slots of a view are over.

use super::super::{
    columns::{CHANGE_VIEW, COMMIT, Model, PRE_COMMIT, RELAY, REQUEST, RESPONSE},
    index::{PLAIN, Priority},
};
use milp_model::expr::Expr;

/// A quorum of requests at an honest replica makes the next view have a primary:
/// `c · Σ_i Primary(i,v) ≥ changeViewRecvPerNodeAndView(i,v−1) − M + 1` for v > 1, where c is the
/// constant of `big_m`.
///
/// Scope: honest i.
pub(super) fn next_primary(model: &mut Model) {
    let (first, constant) = (model.first(), model.big_m(model.m()));
    for (i, v) in model.honest_pairs().into_iter().filter(|&(_, v)| v > 1) {
        let in_view = model.has_primary(first, v) * constant;
        let asked = model.asked((i, v - 1)) + (1 - model.m());
        model.at_least("assertAtLeastOnePrimaryIfEnoughCV", [i, v], in_view, asked);
    }
}

/// A primary proposes, who received the request responds:
/// `Σ_(t>1) SendPrepReq(t,i,v) ≥ Primary(i,v)`,
/// `Σ_(t>1) SendPrepRes(t,i,v) ≥ Σ_(t>1) Σ_j RecvPrepReq(t,i,j,v)`.
///
/// Scope: honest, of each priority.
pub(super) fn requests_and_responses(model: &mut Model) {
    for p in model.priorities() {
        for (i, v) in model.honest_pairs() {
            let index = p.then([i, v]);
            let requested = model.did(REQUEST.send, p, (i, v));
            let primary = model.var("Primary", index.clone());
            let family = "assertSendPrepReqWithinSimLimit";
            model.at_least(family, index.clone(), requested, primary);
            let responded = model.did(RESPONSE.send, p, (i, v));
            let received = model.received(REQUEST.receive, p, (i, v));
            let family = "assertSendPrepResWithinSimLimit";
            model.at_least(family, index, responded, received);
        }
    }
}

/// `c · Σ_(t>1) act(p,t,i,v) ≥ Σ_(t>1) Σ_j received(p,t,i,j,v) − k + 1`: k messages force the
/// act, where c is the constant of `big_m`.
fn amount_forces(
    model: &mut Model,
    family: &str,
    (act, received): (&'static str, &'static str),
    (p, k): (Priority, i64),
    label: Priority,
) {
    let constant = model.big_m(k);
    for (i, v) in model.honest_pairs() {
        let acted = model.did(act, p, (i, v)) * constant;
        let held = model.received(received, p, (i, v)) + (1 - k);
        model.at_least(family, label.then([i, v]), acted, held);
    }
}

/// A quorum of responses forces a commit: `c · Σ_(t>1) SendCommit(t,i,v) ≥
/// Σ_(t>1) Σ_j RecvPrepResp(t,i,j,v) − M + 1`.
///
/// Scope: honest; dBFT 2.0.
pub(super) fn commits(model: &mut Model) {
    let (family, m) = ("assertSendCommitWithinSimLimit", model.m());
    let commit = (COMMIT.send, RESPONSE.receive);
    amount_forces(model, family, commit, (PLAIN, m), PLAIN);
}

/// f + 1 responses to the first primary, or a quorum of those to the second, force a pre-commit;
/// a quorum of pre-commits forces a commit, and one of responses to the first primary as well,
/// with and without speed-up.
///
/// Scope: honest; dBFT 3.0. Rows as in [`commits`].
pub(super) fn pre_commits_and_commits(model: &mut Model) {
    let (m, support) = (model.m(), i64::from(model.f) + 1);
    let (one, two) = (Priority(Some(1)), Priority(Some(2)));
    let pre_commit = (PRE_COMMIT.send, RESPONSE.receive);
    let commit = (COMMIT.send, PRE_COMMIT.receive);
    let early = (COMMIT.send, RESPONSE.receive);
    for (family, acts, limit) in [
        (
            "assertSendPreCommitWithinSimLimit1",
            pre_commit,
            (one, support),
        ),
        ("assertSendPreCommitWithinSimLimit2", pre_commit, (two, m)),
        ("assertSendCommitWithinSimLimit1", commit, (one, m)),
        ("assertSendCommitWithinSimLimit1SpeedUp", early, (one, m)),
        ("assertSendCommitWithinSimLimit2", commit, (two, m)),
    ] {
        amount_forces(model, family, acts, limit, PLAIN);
    }
}

/// A quorum of commits forces a decision: `c · Σ_(t>1) BlockRelay(t,i,v) ≥
/// Σ_(t>1) Σ_j RecvCommit(t,i,j,v) − M + 1`.
///
/// Scope: honest, of each priority.
pub(super) fn decisions(model: &mut Model) {
    let (family, m) = ("assertBlockRelayWithinSimLimit", model.m());
    for p in model.priorities() {
        amount_forces(model, family, (RELAY, COMMIT.receive), (p, m), p);
    }
}

/// Who did not commit asks to leave the view: `Σ_(t>1) SendCV(t,i,1) ≥ 1 − Σ_(t>1)
/// SendCommit(t,i,1)`, and for v > 1 `Σ_(t>1) SendCV(t,i,v) ≥ 1 − Σ_(u≤v) Σ_(t>1)
/// SendCommit(t,i,u) − (1 − Σ_j Primary(j,v−1))`.
///
/// Scope: honest. The last term is of view v − 1 as published, although the comment there is about
/// a view that is active.
pub(super) fn change_views(model: &mut Model) {
    for (i, v) in model.honest_pairs() {
        let asked = model.did(CHANGE_VIEW.send, PLAIN, (i, v));
        let committed = model.did_before(COMMIT.send, (i, v)) + model.did_any(COMMIT.send, (i, v));
        if v == 1 {
            let family = "assertSendCVIfNotSendCommitV1";
            model.at_least(family, [i], asked, 1 - committed);
        } else {
            let before: Expr = model.has_primary(model.first(), v - 1);
            let family = "assertSendCVIfNotCommitAndYesPrimary";
            model.at_least(family, [i, v], asked, before - committed);
        }
    }
}
