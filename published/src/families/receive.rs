//! When a message is received.

use super::super::columns::{Model, REQUEST, RESPONSE};

/// An own message is received at once: `Recv…(t,i,i,v) = Send…(t,i,v)` for t > 1.
///
/// Scope: all.
pub(super) fn own(model: &mut Model) {
    for (phase, p) in model.messages() {
        let family = format!("{}ReceivedSS", phase.start);
        for t in model.later_slots() {
            for (i, v) in model.pairs() {
                let received = model.var(phase.receive, p.then([t, i, i, v]));
                let sent = model.var(phase.send, p.then([t, i, v]));
                model.equal(&family, p.then([t, i, v]), received, sent);
            }
        }
    }
}

/// Another's message is received in a later slot of the same view:
/// `Recv…(t,i,j,v) ≤ Σ_(1<u<t) Send…(u,j,v)` for t > 1, i ≠ j.
///
/// Scope: all. A copy that is not received in its view is lost.
pub(super) fn after_sent(model: &mut Model) {
    for (phase, p) in model.messages() {
        let family = format!("{}Received", phase.start);
        for t in model.later_slots() {
            for (i, j, v) in model.triples().into_iter().filter(|&(i, j, _)| i != j) {
                let received = model.var(phase.receive, p.then([t, i, j, v]));
                let sent = model.by(phase.send, p, (j, v), t - 1);
                model.at_most(&family, p.then([t, i, j, v]), received, sent);
            }
        }
    }
}

/// A request is received as a response, too: `RecvPrepResp(t,i,j,v) ≥ RecvPrepReq(t,i,j,v)` for
/// t > 1; and in dBFT 3.0 the primary's response is its request:
/// `RecvPrepReq(p,t,i,j,v) ≥ RecvPrepResp(p,t,i,j,v) − (1 − Primary(p,j,v))`.
///
/// Scope: all.
pub(super) fn with_the_request(model: &mut Model) {
    for p in model.priorities() {
        for t in model.later_slots() {
            for (i, j, v) in model.triples() {
                let index = p.then([t, i, j, v]);
                let request = model.var(REQUEST.receive, index.clone());
                let response = model.var(RESPONSE.receive, index.clone());
                let family = "prepResReceivedAlongWithPrepReq";
                model.at_least(family, index.clone(), response.clone(), request.clone());
                if model.version == 3 {
                    let primary = model.var("Primary", p.then([j, v]));
                    let family = "prepReqReceivedAlongWithPrepRes";
                    model.at_least(family, index, request, response + primary + -1);
                }
            }
        }
    }
}

/// A message is received once in its view: `Σ_(t>1) Recv…(t,i,j,v) ≤ 1`.
///
/// Scope: all.
pub(super) fn once(model: &mut Model) {
    for (phase, p) in model.messages() {
        let family = format!("rcvd{}OO", phase.short);
        for (i, j, v) in model.triples() {
            let received = model.received_from(phase.receive, p, (i, j, v));
            model.at_most(&family, p.then([i, j, v]), received, 1.into());
        }
    }
}

/// What `deliver` names arrives in its view: `Σ_(t>1) Recv…(t,i,j,v) ≥ Σ_(t>1) Send…(t,j,v)` for
/// i ≠ j.
///
/// Scope: between honest replicas. Comments in the published text.
pub(super) fn forced(model: &mut Model) {
    for (phase, p) in model.messages() {
        if !model.question.deliver.contains(&phase.receipt) {
            continue;
        }
        let family = format!("{}ReceivedNonByz", phase.start);
        for i in model.honest() {
            for (j, v) in model.honest_pairs().into_iter().filter(|&(j, _)| i != j) {
                let received = model.received_from(phase.receive, p, (i, j, v));
                let sent = model.did(phase.send, p, (j, v));
                model.at_least(&family, p.then([i, j, v]), received, sent);
            }
        }
    }
}
