//! The sums, and the goal made of them.

use super::super::{
    columns::{Model, RELAY},
    index::Index,
};
use crate::question::{BigM, Goal};
use milp_model::expr::Expr;

/// A view has a block iff somebody decides in it: `blockRelayed(v) ≤ Σ_p Σ_i Σ_(t>1)
/// BlockRelay(p,t,i,v) ≤ N · blockRelayed(v)`.
///
/// Scope: all. With two priorities more than N decisions are possible, as Byzantine replicas may
/// decide for both: the corrected constant is M + |P|·(N − M).
pub(super) fn blocks(model: &mut Model) {
    let most = match model.question.big_m {
        BigM::Published => i64::from(model.n),
        BigM::Corrected => {
            model.m() + i64::from(model.n - model.quorum) * model.priorities().len() as i64
        }
    };
    for v in model.all_views() {
        let everybody = model.everybody();
        let decided: Expr = everybody.map(|i| model.did_any(RELAY, (i, v))).sum();
        let block = model.var("blockRelayed", [v]);
        let family = "blockRelayedOnlyIfNodeRelay";
        model.at_most(family, [v], block.clone(), decided.clone());
        model.at_least("blockRelayedCounterForced", [v], block * most, decided);
    }
}

/// `totalBlockRelayed = Σ_v blockRelayed(v)`, `numberOfRounds = Σ_v Σ_i Primary(i,v)`,
/// `changeViewRecvPerNodeAndView(i,v) = Σ_t Σ_j RecvCV(t,i,j,v)`, and
/// `lastRelayedBlock ≥ ((v−1)·tMax + t) · BlockRelay(t,i,v)`, a lower bound only.
///
/// Scope: all; rounds and the last block of the first priority.
pub(super) fn totals(model: &mut Model) {
    let (first, alone) = (model.first(), Index(vec![]));
    let views = || model.all_views();
    let blocks: Expr = views().map(|v| model.var("blockRelayed", [v])).sum();
    let rounds: Expr = views().map(|v| model.has_primary(first, v)).sum();
    let total = model.var("totalBlockRelayed", alone.clone());
    model.equal("calcSumBlockRelayed", alone.clone(), total, blocks);
    let number = model.var("numberOfRounds", alone.clone());
    model.equal("calcTotalPrimaries", alone.clone(), number, rounds);
    for (i, v) in model.pairs() {
        let received = model.received_by("RecvCV", super::super::index::PLAIN, (i, v), model.slots);
        let family = "calcChangeViewEveryNodeAndView";
        let asked = model.asked((i, v));
        model.equal(family, [i, v], asked, received);
    }
    for t in model.all_slots() {
        for (i, v) in model.pairs() {
            let slot = i64::from((v - 1) * model.slots + t);
            let relay = model.var(RELAY, first.then([t, i, v])) * slot;
            let last = model.var("lastRelayedBlock", alone.clone());
            model.at_least("calcLastRelayedBlockMaxProblem", [t, i, v], last, relay);
        }
    }
}

/// The messages sent, those received, and their sum.
fn messages(model: &mut Model) {
    let (mut sent, mut received) = (Expr::default(), Expr::default());
    for (phase, p) in model.messages() {
        for t in model.all_slots() {
            for (i, v) in model.pairs() {
                sent += model.var(phase.send, p.then([t, i, v]));
            }
            for (i, j, v) in model.triples() {
                received += model.var(phase.receive, p.then([t, i, j, v]));
            }
        }
    }
    let alone = || Index(vec![]);
    let [sends, receipts, all] = [
        "totalNumberSendMsg",
        "totalNumberRcvdMsg",
        "totalNumberMsgs",
    ]
    .map(|name| model.var(name, alone()));
    let family = "calcTotalNumberOfSentMsgs";
    model.equal(family, alone(), sends.clone(), sent);
    let family = "calcTotalNumberOfRcvdMsgs";
    model.equal(family, alone(), receipts.clone(), received);
    model.equal("calcTotalNumberOfMsgs", alone(), all, sends + receipts);
}

/// `w1 · totalBlockRelayed + w2 · numberOfRounds + w3 · totalNumberMsgs`, and if asked for
/// `+ Σ_v 10^v · Σ_i Primary(i,v)`; the messages are counted only if they have a weight.
pub(super) fn goal(model: &mut Model, goal: Goal) {
    let Goal {
        sense,
        blocks,
        views,
        messages: weight,
    } = goal;
    let alone = || Index(vec![]);
    let mut sum = model.var("totalBlockRelayed", alone()) * blocks;
    if model.is_liveness() {
        if weight != 0 {
            messages(model);
        }
        sum += model.var("numberOfRounds", alone()) * views;
        sum += model.var("totalNumberMsgs", alone()) * weight;
    }
    if model.question.ten_to_the_view {
        for v in model.all_views() {
            sum += model.has_primary(model.first(), v) * 10_i64.pow(v);
        }
    }
    model.draft.objective = (sense, sum);
}
