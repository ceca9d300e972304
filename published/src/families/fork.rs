//! The published programs about forks: dBFT 1.0 and 2.0 in two variants each, dBFT 3.0 in one.
//!
//! In the first variant every replica keeps the rules; in the second (and dBFT 3.0, mostly) the
//! Byzantine ones are free of those said to be of honest replicas. Sums that are defined and used
//! nowhere are left out.

use super::super::{
    columns::{CHANGE_VIEW, COMMIT, Model, PRE_COMMIT, Phase, RELAY, REQUEST},
    index::{Index, PLAIN, Priority},
};
use crate::question::Published;
use milp_model::expr::Expr;

/// All families, in the published order.
pub(super) fn all(model: &mut Model) {
    nothing_in_the_first_slot(model);
    primaries(model);
    for (phase, p) in model.messages() {
        sent_once(model, phase, p);
        received(model, phase, p);
    }
    requests(model);
    responses(model);
    pre_commits(model);
    commits(model);
    decisions(model);
    views(model);
    change_views(model);
    sums(model);
}

/// What the published names of the families about a kind of message are made of.
fn words(phase: Phase) -> (&'static str, &'static str) {
    match phase.short {
        "PrepReq" => ("PrepareReq", "prepReq"),
        "PrepRes" => ("PrepareResp", "prepResp"),
        "PreCommit" => ("PreCommit", "preCommit"),
        "Commit" => ("Commit", "commit"),
        _ => ("CV", "changeView"),
    }
}

/// Who keeps the rules of honest replicas: everybody in the first variant.
fn bound(model: &Model) -> Vec<u32> {
    if model.question.model == Published::Fork && model.version < 3 {
        model.everybody().collect()
    } else {
        model.honest().collect()
    }
}

/// Whether it is the first variant of dBFT 1.0 or 2.0, or the second one of dBFT 1.0, which are
/// older texts.
fn is_older(model: &Model) -> bool {
    model.version == 1 || (model.version == 2 && model.question.model == Published::Fork)
}

/// Nothing happens in the first slot of a view.
fn nothing_in_the_first_slot(model: &mut Model) {
    for (phase, p) in model.messages() {
        let sends = match phase.short {
            "CV" => "ChangeView",
            _ => words(phase).0,
        };
        for (i, v) in model.pairs() {
            let act = model.var(phase.send, p.then([1, i, v]));
            let family = format!("initializeSend{sends}");
            model.equal(&family, p.then([i, v]), act, 0.into());
        }
        let family = format!("initializeRecv{}", words(phase).0);
        for (i, j, v) in model.triples() {
            let receipt = model.var(phase.receive, p.then([1, i, j, v]));
            model.equal(&family, p.then([i, j, v]), receipt, 0.into());
        }
    }
    for p in model.priorities() {
        for (i, v) in model.pairs() {
            let act = model.var(RELAY, p.then([1, i, v]));
            model.equal("initializeBlockRelay", p.then([i, v]), act, 0.into());
        }
    }
}

/// One primary per view, nobody twice; a second one in the first view of dBFT 3.0 only.
fn primaries(model: &mut Model) {
    let (first, name) = (model.first(), model.primary_name());
    let single = if model.version == 3 {
        "singlePrimary1EveryView"
    } else {
        "singlePrimaryEveryView"
    };
    for v in model.all_views() {
        let in_view = model.has_primary(first, v);
        model.at_most(single, [v], in_view, 1.into());
    }
    for p in model.priorities() {
        for i in model.everybody() {
            let views = model.all_views();
            let often: Expr = views.map(|v| model.var(name, p.then([i, v]))).sum();
            model.at_most("primaryOnlyOnce", p.then([i]), often, 1.into());
        }
    }
    if let [_, second] = model.priorities()[..] {
        let alone = || Index(vec![]);
        let in_view = model.has_primary(second, 1);
        model.at_most("primary2OnlyFirstView", alone(), in_view, 1.into());
        let views = model.later_views();
        let later: Expr = views.map(|v| model.has_primary(second, v)).sum();
        model.equal("primary20ForOtherViews", alone(), later, 0.into());
    }
}

/// `Σ_(t≥1)`, as the published sums here begin in the first slot.
fn did(model: &Model, name: &'static str, p: Priority, at: (u32, u32)) -> Expr {
    by(model, name, p, at, model.slots)
}

fn by(model: &Model, name: &'static str, p: Priority, (i, v): (u32, u32), last: u32) -> Expr {
    (1..=last).map(|t| model.var(name, p.then([t, i, v]))).sum()
}

/// [`did`] in all views before v.
fn did_before(model: &Model, name: &'static str, p: Priority, (i, v): (u32, u32)) -> Expr {
    (1..v).map(|u| did(model, name, p, (i, u))).sum()
}

/// `Σ_t Σ_j RecvCV(t,i,j,v)`.
fn asked(model: &Model, at: (u32, u32)) -> Expr {
    model.received_by(CHANGE_VIEW.receive, PLAIN, at, model.slots)
}

/// Everything is sent once in a view, a request by the primary only.
fn sent_once(model: &mut Model, phase: Phase, p: Priority) {
    let version = model.version;
    let family = match phase.short {
        "PrepReq" => "prepReqOnlyOnce",
        "PrepRes" if version == 3 => "sendPrepResponseOnlyOnceForAll",
        "PrepRes" => "sendPrepResponseOnlyOnce",
        "PreCommit" => "sendPreCommitOnlyOnce",
        "Commit" => "sendCommitOnlyOnce",
        _ if is_older(model) => "sendCVOnlyOnce",
        _ => "sendCVOnlyOncePerView",
    };
    for (i, v) in model.pairs() {
        let index = p.then([i, v]);
        let most = if phase == REQUEST {
            model.var(model.primary_name(), index.clone())
        } else {
            1.into()
        };
        let sent = did(model, phase.send, p, (i, v));
        model.at_most(family, index, sent, most);
    }
}

/// An own message is received at once, another's later in the view and once. In the older texts
/// a request to leave a view is received in *every* later slot and yet once, so that it can be
/// sent in the last two slots only.
fn received(model: &mut Model, phase: Phase, p: Priority) {
    let start = words(phase).1;
    let own = format!("{start}ReceivedWhenSelfSended");
    let (others, once) = match phase.short {
        "PrepReq" => ("prepReqReceivedSendByJ", "prepReqReceivedOnlyOnce"),
        "PrepRes" => ("prepRespReceivedSendByJ", "receivedPrepResponseOnlyOnce"),
        "PreCommit" => ("preCommitReceivedSendByJ", "receivedPreCommitOnlyOnce"),
        "Commit" => ("commitReceivedSendByJ", "receivedCommitOnlyOnce"),
        _ => ("receivedCV", "receivedChangeViewOnlyOnce"),
    };
    // The families about requests begin in the first slot.
    let begin = if phase == REQUEST { 1 } else { 2 };
    let exactly = phase == CHANGE_VIEW && is_older(model);
    for t in begin..=model.slots {
        for (i, v) in model.pairs() {
            let received = model.var(phase.receive, p.then([t, i, i, v]));
            let sent = model.var(phase.send, p.then([t, i, v]));
            model.equal(&own, p.then([t, i, v]), received, sent);
        }
        for (i, j, v) in model.triples().into_iter().filter(|&(i, j, _)| i != j) {
            let index = p.then([t, i, j, v]);
            let received = model.var(phase.receive, index.clone());
            let sent = by(model, phase.send, p, (j, v), t - 1);
            if exactly {
                model.equal(others, index, received, sent);
            } else {
                model.at_most(others, index, received, sent);
            }
        }
    }
    for (i, j, v) in model.triples() {
        let slots = model.all_slots();
        let received: Expr = slots
            .map(|t| model.var(phase.receive, p.then([t, i, j, v])))
            .sum();
        model.at_most(once, p.then([i, j, v]), received, 1.into());
    }
}

/// `Σ_t act(p,t,i,v) ≤ 1 − Σ_t Σ_(u<v) BlockRelay(p,t,i,u)` for v > 1: nothing after a decision in
/// an earlier view.
fn not_after_decision(
    model: &mut Model,
    family: &str,
    act: &'static str,
    (p, who): (Priority, &[u32]),
) {
    for &i in who {
        for v in model.later_views() {
            let acted = did(model, act, p, (i, v));
            let decided = did_before(model, RELAY, p, (i, v));
            model.at_most(family, p.then([i, v]), acted, 1 - decided);
        }
    }
}

/// `M · Σ_t act(p,t,i,v) ≤ Σ_t Σ_j RecvCV(t,i,j,v−1)` for v > 1: nothing before the view.
fn not_before_view(
    model: &mut Model,
    family: &str,
    act: &'static str,
    (p, who): (Priority, &[u32]),
) {
    for &i in who {
        for v in model.later_views() {
            let acted = did(model, act, p, (i, v)) * model.m();
            let asked = asked(model, (i, v - 1));
            model.at_most(family, p.then([i, v]), acted, asked);
        }
    }
}

/// `Σ_t act(p,t,i,v) ≤ 1 − Σ_t other(q,t,i,v)`.
fn not_both(
    model: &mut Model,
    family: &str,
    ((act, p), (other, q)): ((&'static str, Priority), (&'static str, Priority)),
    (label, who): (Priority, &[u32]),
) {
    for &i in who {
        for v in model.all_views() {
            let acted = did(model, act, p, (i, v));
            let others = did(model, other, q, (i, v));
            model.at_most(family, label.then([i, v]), acted, 1 - others);
        }
    }
}

/// `k · act(p,t,i,v) ≤ Σ_(u≤last) Σ_j received(p,u,i,j,v)` for t > 1, where last is t or t − 1.
fn needs(
    model: &mut Model,
    family: &str,
    (act, received): (&'static str, &'static str),
    (p, k, lag): (Priority, i64, u32),
    label: Priority,
) {
    for t in model.later_slots() {
        for (i, v) in model.pairs() {
            let act = model.var(act, p.then([t, i, v])) * k;
            let held = model.received_by(received, p, (i, v), t - lag);
            model.at_most(family, label.then([t, i, v]), act, held);
        }
    }
}

/// A request not after a decision nor before the view; of everybody in dBFT 3.0.
fn requests(model: &mut Model) {
    let who: Vec<u32> = if model.version == 3 {
        model.everybody().collect()
    } else {
        bound(model)
    };
    let after = if model.version == 3 {
        "sendPrepReqOnlyIfBlockNotRelayedInPastView"
    } else {
        "sendPrepReqOnlyIfBlockNotRelayed"
    };
    for p in model.priorities() {
        not_after_decision(model, after, REQUEST.send, (p, &who));
        let family = "sendPrepReqOnlyIfViewBeforeWasAccomplished";
        not_before_view(model, family, REQUEST.send, (p, &who));
    }
}

/// A response only after the request, in the older texts in the very next slot if honest; not
/// after a decision nor before the view. In dBFT 3.0 an honest replica receives one response of a
/// replica for both priorities.
fn responses(model: &mut Model) {
    let (who, response) = (bound(model), model.phases()[1]);
    let older = is_older(model);
    // The second text of dBFT 2.0 lets a replica respond in the slot of the receipt.
    let lag = u32::from(older || model.version == 3);
    for p in model.priorities() {
        let family = "prepRespSendOrNotIfYouAreByzantine";
        let columns = (response.send, REQUEST.receive);
        needs(model, family, columns, (p, 1, lag), p);
        let family = "sendPrepResponseOnlyIfBlockNotRelayed";
        not_after_decision(model, family, response.send, (p, &who));
        let family = "sendPrepResponseOnlyIfViewBeforeWasAccomplished";
        not_before_view(model, family, response.send, (p, &who));
    }
    if older {
        for t in model.later_slots() {
            for (i, v) in model.honest_pairs() {
                let sent = model.var(response.send, [t, i, v]);
                let everybody = model.everybody();
                let received: Expr = everybody
                    .map(|j| model.var(REQUEST.receive, [t - 1, i, j, v]))
                    .sum();
                model.at_least("prepRespQuicklySendIfHonest", [t, i, v], sent, received);
            }
        }
    }
    if model.version == 3 {
        for (i, j, v) in model.triples() {
            if i > model.quorum {
                continue;
            }
            let all = model.priorities();
            let received: Expr = all
                .into_iter()
                .flat_map(|p| model.all_slots().map(move |t| p.then([t, i, j, v])))
                .map(|index| model.var(response.receive, index))
                .sum();
            let family = "receivedPrepResponseOnlyOnceForAnyPrimary";
            model.at_most(family, [i, j, v], received, 1.into());
        }
    }
}

/// A pre-commit needs f + 1 responses to the first primary or a quorum of those to the second;
/// not with a request to leave the view, after a decision or before the view.
fn pre_commits(model: &mut Model) {
    if model.version < 3 {
        return;
    }
    let (who, response) = (bound(model), model.phases()[1].receive);
    let columns = (PRE_COMMIT.send, response);
    let (m, support) = (model.m(), i64::from(model.f) + 1);
    let (one, two) = (Priority(Some(1)), Priority(Some(2)));
    let family = "preCommitSendIfHonestP1lightf";
    needs(model, family, columns, (one, support, 0), PLAIN);
    let family = "preCommitSendIfHonestP2harderM";
    needs(model, family, columns, (two, m, 0), PLAIN);
    for p in [one, two] {
        let acts = ((PRE_COMMIT.send, p), (CHANGE_VIEW.send, PLAIN));
        let family = "sendPreCommitOnlyIfChangeViewNotSent";
        not_both(model, family, acts, (p, &who));
        let family = "sendPreCommitOnlyIfBlockNotRelayed";
        not_after_decision(model, family, PRE_COMMIT.send, (p, &who));
        let family = "sendPreCommitOnlyIfViewBeforeWasAccomplished";
        not_before_view(model, family, PRE_COMMIT.send, (p, &who));
    }
}

/// A commit needs a quorum of responses, in dBFT 3.0 of pre-commits or, with speed-up, M of both
/// kinds together; not with a request to leave the view, after a decision or before the view.
fn commits(model: &mut Model) {
    if model.version == 1 {
        return;
    }
    let (who, m, response) = (bound(model), model.m(), model.phases()[1].receive);
    if model.version == 2 {
        let columns = (COMMIT.send, response);
        needs(
            model,
            "commitSentIfMPrepResp",
            columns,
            (PLAIN, m, 0),
            PLAIN,
        );
    } else {
        let (one, two) = (Priority(Some(1)), Priority(Some(2)));
        for t in model.later_slots() {
            for (i, v) in model.pairs() {
                let commit = model.var(COMMIT.send, one.then([t, i, v])) * m;
                let mut held = model.received_by(PRE_COMMIT.receive, one, (i, v), t);
                if model.question.speed_up {
                    held += model.received_by(response, one, (i, v), t);
                }
                let family = "commitSentIfMPreCommits1WithSpeedUp";
                model.at_most(family, [t, i, v], commit, held);
            }
        }
        let columns = (COMMIT.send, PRE_COMMIT.receive);
        needs(
            model,
            "commitSentIfMPreCommits2",
            columns,
            (two, m, 0),
            PLAIN,
        );
        for (i, v) in model.honest_pairs() {
            let sent = did(model, COMMIT.send, one, (i, v)) + did(model, COMMIT.send, two, (i, v));
            model.at_most("sendCommitOnlyOnceForNonByz", [i, v], sent, 1.into());
        }
    }
    for p in model.priorities() {
        let acts = ((COMMIT.send, p), (CHANGE_VIEW.send, PLAIN));
        not_both(model, "sendCommitOnlyIfChangeViewNotSent", acts, (p, &who));
        let family = "sendCommitOnlyIfBlockNotRelayed";
        not_after_decision(model, family, COMMIT.send, (p, &who));
        let family = "sendCommitOnlyIfViewBeforeWasAccomplished";
        not_before_view(model, family, COMMIT.send, (p, &who));
    }
}

/// A decision needs a quorum of commits, of earlier responses in dBFT 1.0; once in a view, and
/// once at all.
fn decisions(model: &mut Model) {
    let m = model.m();
    let once = if model.version == 3 {
        "blockRelayOnlyOncePerViewPerPrimaryForAll"
    } else {
        "blockRelayOnlyOncePerView"
    };
    for p in model.priorities() {
        if model.version == 1 {
            let columns = (RELAY, model.phases()[1].receive);
            needs(model, "blockRelayIfEnoughPrepResp", columns, (p, m, 1), p);
        } else {
            let columns = (RELAY, COMMIT.receive);
            needs(model, "blockRelayIfEnoughCommits", columns, (p, m, 0), p);
        }
        for (i, v) in model.pairs() {
            let decided = did(model, RELAY, p, (i, v));
            model.at_most(once, p.then([i, v]), decided, 1.into());
        }
    }
    for i in bound(model) {
        let mut decided = Expr::default();
        for p in model.priorities() {
            for v in model.all_views() {
                decided += did(model, RELAY, p, (i, v));
            }
        }
        model.at_most("blockRelayLimitToOneForNonByz", [i], decided, 1.into());
    }
}

/// The next view has a primary only with a quorum of requests, after one in the view before, and
/// not after an own decision.
fn views(model: &mut Model) {
    let (name, m) = (model.primary_name(), model.m());
    let who: Vec<u32> = if model.version == 3 {
        model.everybody().collect()
    } else {
        bound(model)
    };
    for p in model.priorities() {
        for (i, v) in model.pairs().into_iter().filter(|&(_, v)| v > 1) {
            let index = p.then([i, v]);
            let primary = model.var(name, index.clone());
            let asked = asked(model, (i, v - 1));
            let family = "nextPrimaryOnlyIfEnoughChangeView";
            model.at_most(family, index.clone(), primary.clone() * m, asked);
            let before = model.has_primary(p, v - 1);
            let family = "nextPrimaryOnlyIfPreviousPrimary";
            model.at_most(family, index.clone(), primary.clone(), before);
            if who.contains(&i) {
                let all = model.priorities().into_iter();
                let decided: Expr = all.map(|q| did_before(model, RELAY, q, (i, v))).sum();
                let family = "nextPrimaryOnlyIfBlockNotRelayed";
                model.at_most(family, index, primary, 1 - decided);
            }
        }
    }
}

/// A request to leave a view not after a decision in it, before the view, or with a commit.
fn change_views(model: &mut Model) {
    let who = bound(model);
    let lag = u32::from(is_older(model));
    for t in model.all_slots() {
        for &i in &who {
            for v in model.all_views() {
                let sent = model.var(CHANGE_VIEW.send, [t, i, v]);
                let all = model.priorities().into_iter();
                let decided: Expr = all.map(|p| by(model, RELAY, p, (i, v), t - lag)).sum();
                let family = "sendCVIfNonByzAndBlockNotRelayed";
                model.at_most(family, [t, i, v], sent, 1 - decided);
            }
        }
    }
    let family = "sendCVOnlyIfViewBeforeWasAccomplished";
    not_before_view(model, family, CHANGE_VIEW.send, (PLAIN, &who));
    if model.version > 1 {
        for p in model.priorities() {
            let acts = ((CHANGE_VIEW.send, PLAIN), (COMMIT.send, p));
            not_both(model, "sendCVOnlyIfCommitNotSent", acts, (p, &who));
        }
    }
}

/// `blockRelayed(v) ≤ Σ_t Σ_i BlockRelay(t,i,v)`, `totalBlockRelayed = Σ_v blockRelayed(v)`; of
/// each priority.
fn sums(model: &mut Model) {
    let mut blocks = Expr::default();
    for p in model.priorities() {
        for v in model.all_views() {
            let everybody = model.everybody();
            let decided: Expr = everybody.map(|i| did(model, RELAY, p, (i, v))).sum();
            let block = model.var("blockRelayed", p.then([v]));
            blocks += block.clone();
            model.at_most("calcIfBlockRelayedOnView", p.then([v]), block, decided);
        }
    }
    let total = model.var("totalBlockRelayed", Index(vec![]));
    model.equal("calcSumBlockRelayed", Index(vec![]), total, blocks);
}
