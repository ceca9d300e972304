//! When a message may be sent.

use super::super::{
    columns::{CHANGE_VIEW, COMMIT, Model, PRE_COMMIT, RELAY, REQUEST, RESPONSE},
    index::{PLAIN, Priority},
};

/// The name of the family that keeps the first slot free of receipts; the published one of
/// responses is spelled otherwise than their column.
fn first_receipt(receive: &str) -> String {
    match receive {
        "RecvPrepResp" => "initRecvPrepRes".to_owned(),
        other => format!("init{other}"),
    }
}

/// Nothing happens in the first slot of a view: `Send…(1,i,v) = 0`, `BlockRelay(1,i,v) = 0`,
/// `Recv…(1,i,j,v) = 0`.
///
/// Scope: all.
pub(super) fn nothing_in_the_first_slot(model: &mut Model) {
    let sends = model.messages().into_iter().map(|(it, p)| (it.send, p));
    let relays = model.priorities().into_iter().map(|p| (RELAY, p));
    for (name, p) in sends.chain(relays) {
        let family = format!("init{name}");
        for (i, v) in model.pairs() {
            let act = model.var(name, p.then([1, i, v]));
            model.equal(&family, p.then([i, v]), act, 0.into());
        }
    }
    for (phase, p) in model.messages() {
        let family = first_receipt(phase.receive);
        for (i, j, v) in model.triples() {
            let receipt = model.var(phase.receive, p.then([1, i, j, v]));
            model.equal(&family, p.then([i, j, v]), receipt, 0.into());
        }
    }
}

/// `k · act(p,t,i,v) ≤ Σ_(u≤t) Σ_j received(p,u,i,j,v)` for t > 1: an act of anybody needs k
/// messages received by then, own ones included.
fn needs(
    model: &mut Model,
    family: &str,
    (act, received): (&'static str, &'static str),
    (p, k): (Priority, i64),
    label: Priority,
) {
    for t in model.later_slots() {
        for (i, v) in model.pairs() {
            let act = model.var(act, p.then([t, i, v])) * k;
            let held = model.received_by(received, p, (i, v), t);
            model.at_most(family, label.then([t, i, v]), act, held);
        }
    }
}

/// A response needs the request, a decision a quorum of commits:
/// `SendPrepRes(t,i,v) ≤ Σ_(u≤t) Σ_j RecvPrepReq(u,i,j,v)`,
/// `M · BlockRelay(t,i,v) ≤ Σ_(u≤t) Σ_j RecvCommit(u,i,j,v)`.
///
/// Scope: all, of each priority.
pub(super) fn responses_and_decisions(model: &mut Model) {
    let m = model.m();
    for p in model.priorities() {
        let response = (RESPONSE.send, REQUEST.receive);
        needs(model, "prepRespSendOptionally", response, (p, 1), p);
        let family = "blockRelayOptionallyOnlyIfEnoughCommits";
        needs(model, family, (RELAY, COMMIT.receive), (p, m), p);
    }
}

/// A commit needs a quorum of responses: `M · SendCommit(t,i,v) ≤ Σ_(u≤t) Σ_j
/// RecvPrepResp(u,i,j,v)`.
///
/// Scope: all; dBFT 2.0.
pub(super) fn commits(model: &mut Model) {
    let (family, m) = ("commitSentIfMPrepRespOptionally", model.m());
    let commit = (COMMIT.send, RESPONSE.receive);
    needs(model, family, commit, (PLAIN, m), PLAIN);
}

/// A pre-commit needs f + 1 responses to the first primary or a quorum of those to the second; a
/// commit needs a quorum of pre-commits or, with speed-up and the first priority, of responses:
/// `(f+1) · SendPreCommit(1,…) ≤ Σ RecvPrepResp(1,…)`, `M · SendPreCommit(2,…) ≤ Σ
/// RecvPrepResp(2,…)`, `M · AllowByPreCommit(1,…) ≤ Σ RecvPreCommit(1,…)`,
/// `M · AllowByPrepRes(1,…) ≤ Σ RecvPrepResp(1,…)`, `AllowByPreCommit + AllowByPrepRes ≤ 1`,
/// `SendCommit(1,…) ≤ AllowByPreCommit(1,…) [+ AllowByPrepRes(1,…)]`,
/// `M · SendCommit(2,…) ≤ Σ RecvPreCommit(2,…)`.
///
/// Scope: all; dBFT 3.0.
pub(super) fn pre_commits_and_commits(model: &mut Model) {
    let (m, support) = (model.m(), i64::from(model.f) + 1);
    let (one, two) = (Priority(Some(1)), Priority(Some(2)));
    let pre_commit = (PRE_COMMIT.send, RESPONSE.receive);
    let by_pre_commit = ("AllowByPreCommit", PRE_COMMIT.receive);
    let by_response = ("AllowByPrepRes", RESPONSE.receive);
    let commit = (COMMIT.send, PRE_COMMIT.receive);
    let family = "preCommitSendIfHonestP1lightf";
    needs(model, family, pre_commit, (one, support), PLAIN);
    let family = "preCommitSendIfHonestP2harderM";
    needs(model, family, pre_commit, (two, m), PLAIN);
    let family = "allowCommitByPreCommit";
    needs(model, family, by_pre_commit, (one, m), PLAIN);
    let family = "allowCommitByPrepRes";
    needs(model, family, by_response, (one, m), PLAIN);
    needs(model, "commitSentIfMPreCommits2", commit, (two, m), PLAIN);
    let (family, speed_up) = if model.question.speed_up {
        ("commitSentIfMPreCommits1WithSpeedUp", true)
    } else {
        ("commitSentIfMPreCommits1WithoutSpeedUp", false)
    };
    for t in model.later_slots() {
        for (i, v) in model.pairs() {
            let index = one.then([t, i, v]);
            let by_pre_commit = model.var("AllowByPreCommit", index.clone());
            let by_response = model.var("AllowByPrepRes", index.clone());
            let both = by_pre_commit.clone() + by_response.clone();
            let once = "allowCommitByPrepResOrPreCommit";
            model.at_most(once, [t, i, v], both.clone(), 1.into());
            let allowed = if speed_up { both } else { by_pre_commit };
            let commit = model.var(COMMIT.send, index);
            model.at_most(family, [t, i, v], commit, allowed);
        }
    }
}

/// Everything is sent or decided once in a view, a request by the primary only:
/// `Σ_(t>1) SendPrepReq(t,i,v) ≤ Primary(i,v)`, `Σ_(t>1) Send…(t,i,v) ≤ 1`,
/// `Σ_(t>1) BlockRelay(t,i,v) ≤ 1`.
///
/// Scope: all, of each priority.
pub(super) fn once(model: &mut Model) {
    for p in model.priorities() {
        for (i, v) in model.pairs() {
            let index = p.then([i, v]);
            let request = model.did(REQUEST.send, p, (i, v));
            let primary = model.var("Primary", index.clone());
            model.at_most("prepReqOOIfPrimary", index.clone(), request, primary);
            for phase in model.phases().into_iter().skip(1) {
                let sent = model.did(phase.send, p, (i, v));
                let family = format!("send{}OO", phase.short);
                model.at_most(&family, index.clone(), sent, 1.into());
            }
            let decided = model.did(RELAY, p, (i, v));
            model.at_most("blockRelayOO", index, decided, 1.into());
        }
    }
    for (i, v) in model.pairs() {
        let asked = model.did(CHANGE_VIEW.send, PLAIN, (i, v));
        model.at_most("sendCVOO", [i, v], asked, 1.into());
    }
}
