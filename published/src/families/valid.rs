//! Valid inequalities and an order of equal replicas, proved in
//! `docs/PUBLISHED.md`; without them the relaxation lets everybody do a fraction of
//! everything.
//!
//! h = M is the number of honest replicas, b = N − M that of Byzantine ones.

use super::super::{
    columns::{CHANGE_VIEW, COMMIT, Model, PRE_COMMIT, RELAY, REQUEST, RESPONSE},
    index::{Index, PLAIN, Priority},
};
use crate::question::Published;
use milp_model::expr::Expr;

pub(super) fn all(model: &mut Model) {
    primaries_in_order(model);
    if !model.is_liveness() {
        return one_block_or_the_next_view(model);
    }
    receipts_by_slot(model);
    needs_by_slot(model);
    speed_up(model);
    acts_need_the_primary(model);
    binding_event(model);
    quorums_behind_views(model);
    quorums_behind_blocks(model);
}

/// Replicas of one kind are interchangeable, so the honest ones are primaries (of the first
/// priority) in the order of their numbers, and so are the Byzantine ones:
/// `Primary(i+1,v) ≤ Σ_(u<v) Primary(i,u)`.
fn primaries_in_order(model: &mut Model) {
    let (first, name) = (model.first(), model.primary_name());
    for (i, v) in model.pairs() {
        if i == model.quorum || i == model.n {
            continue;
        }
        let later = model.var(name, first.then([i + 1, v]));
        let earlier: Expr = (1..v).map(|u| model.var(name, first.then([i, u]))).sum();
        model.symmetry("primary_requires_earlier_primary", [i, v], later, earlier);
    }
}

/// What was received by slot t was sent before: `Σ_(1<u≤t) Recv…(u,i,j,v) ≤ Σ_(1<u<t)
/// Send…(u,j,v)` for t > 2, i ≠ j.
fn receipts_by_slot(model: &mut Model) {
    for (phase, p) in model.messages() {
        let family = format!("receive_{}_requires_send_by_slot", phase.short);
        for t in 3..=model.slots {
            for (i, j, v) in model.triples().into_iter().filter(|&(i, j, _)| i != j) {
                let received = model.received_from_by(phase.receive, p, (i, j, v), t);
                let sent = model.by(phase.send, p, (j, v), t - 1);
                model.valid(&family, p.then([t, i, j, v]), received, sent);
            }
        }
    }
}

/// What an act needs: act, messages received, the sends behind these, and how many.
type Need = (&'static str, &'static str, &'static str, Priority, i64);

fn needs(model: &Model) -> Vec<Need> {
    let (m, support) = (model.m(), i64::from(model.f) + 1);
    let mut all: Vec<Need> = vec![];
    for p in model.priorities() {
        all.push((RESPONSE.send, REQUEST.receive, REQUEST.send, p, 1));
        all.push((RELAY, COMMIT.receive, COMMIT.send, p, m));
    }
    let (response, pre_commit) = (RESPONSE, PRE_COMMIT);
    if model.version == 2 {
        all.push((COMMIT.send, response.receive, response.send, PLAIN, m));
    } else {
        let (one, two) = (Priority(Some(1)), Priority(Some(2)));
        for (p, k) in [(one, support), (two, m)] {
            all.push((pre_commit.send, response.receive, response.send, p, k));
        }
        all.push((COMMIT.send, pre_commit.receive, pre_commit.send, two, m));
    }
    all
}

/// Who acted by slot t had received enough by then, and of k senders at least k − b are honest:
/// `k · Σ_(1<u≤t) act(u,i,v) ≤ Σ_(1<u≤t) Σ_j Recv…(u,i,j,v)`,
/// `(k − b) · Σ_t act(t,i,v) ≤ Σ_t Σ_(j honest) Send…(t,j,v)`. With k and all j it follows from the
/// receipts in the relaxation.
fn needs_by_slot(model: &mut Model) {
    for (act, receive, send, p, k) in needs(model) {
        let honest = k - i64::from(model.n - model.quorum);
        for (i, v) in model.pairs() {
            for t in model.later_slots() {
                let acted = model.by(act, p, (i, v), t) * k;
                let held = received_until(model, receive, p, (i, v), t);
                let family = format!("{act}_requires_{receive}_by_slot");
                model.valid(&family, p.then([t, i, v]), acted, held);
            }
            if honest > 0 && k > 1 {
                let acted = model.did(act, p, (i, v));
                let sent = sent_by(model, send, p, v, model.quorum);
                let family = format!("{act}_requires_honest_{send}");
                model.valid(&family, p.then([i, v]), acted * honest, sent);
            }
        }
    }
}

/// `Σ_(1<u≤t) Σ_j Recv…(u,i,j,v)`.
fn received_until(
    model: &Model,
    name: &'static str,
    p: Priority,
    (i, v): (u32, u32),
    last: u32,
) -> Expr {
    let from = |j| model.received_from_by(name, p, (i, j, v), last);
    model.everybody().map(from).sum()
}

/// `Σ_(j≤last) Σ_t send(t,j,v)`.
fn sent_by(model: &Model, send: &'static str, p: Priority, v: u32, last: u32) -> Expr {
    (1..=last).map(|j| model.did(send, p, (j, v))).sum()
}

/// A commit for the first primary of dBFT 3.0 rests on M pre-commits or, with speed-up, on M
/// responses: `M · Σ_(u≤t) SendCommit(1,u,i,v) ≤ Σ_(u≤t) Σ_j RecvPreCommit(1,…) [+
/// RecvPrepResp(1,…)]`, and the same with M − b honest senders.
fn speed_up(model: &mut Model) {
    if model.version != 3 {
        return;
    }
    let one = Priority(Some(1));
    let honest = model.m() - i64::from(model.n - model.quorum);
    for (i, v) in model.pairs() {
        for t in model.later_slots() {
            let acted = model.by(COMMIT.send, one, (i, v), t) * model.m();
            let mut held = received_until(model, PRE_COMMIT.receive, one, (i, v), t);
            if model.question.speed_up {
                held += received_until(model, RESPONSE.receive, one, (i, v), t);
            }
            let family = "SendCommit1_requires_receipts_by_slot";
            model.valid(family, [t, i, v], acted, held);
        }
        let acted = model.did(COMMIT.send, one, (i, v)) * honest;
        let mut sent = sent_by(model, PRE_COMMIT.send, one, v, model.quorum);
        if model.question.speed_up {
            sent += sent_by(model, RESPONSE.send, one, v, model.quorum);
        }
        model.valid("SendCommit1_requires_honest_sends", [i, v], acted, sent);
    }
}

/// What rests on responses to a proposal needs its primary: `Σ_(t>1) act(t,i,v) ≤ Σ_j
/// Primary(j,v)`. For responses the published rows imply it in the relaxation.
fn acts_need_the_primary(model: &mut Model) {
    for p in model.priorities() {
        let later = model.phases().into_iter().skip(2).map(|phase| phase.send);
        for act in later.chain([RELAY]) {
            let family = format!("{act}_requires_Primary");
            for (i, v) in model.pairs() {
                let acted = model.did(act, p, (i, v));
                let primary = model.has_primary(p, v);
                model.valid(&family, p.then([i, v]), acted, primary);
            }
        }
    }
}

/// One binding event: an honest replica asks to leave view v, or commits in a view up to v, once:
/// `Σ_t SendCV(t,i,v) + Σ_(u≤v) Σ_p Σ_t SendCommit(p,t,i,u) ≤ 1`.
fn binding_event(model: &mut Model) {
    for (i, v) in model.honest_pairs() {
        let asked = model.did(CHANGE_VIEW.send, PLAIN, (i, v));
        let committed = model.did_before(COMMIT.send, (i, v)) + model.did_any(COMMIT.send, (i, v));
        let family = "SendCV_or_SendCommit_at_most_once";
        model.valid(family, [i, v], asked + committed, 1.into());
    }
}

/// Behind a view stand M requests to leave the one before, M − b of them honest:
/// `(M − b) · Σ_i Primary(i,v) ≤ Σ_(j honest) Σ_t SendCV(t,j,v−1)`, the same with M and all j, and
/// the first with `Σ_t SendCV(t,i,v)` of honest i on the left, who asks only in a view it entered.
fn quorums_behind_views(model: &mut Model) {
    let honest = model.m() - i64::from(model.n - model.quorum);
    for v in model.later_views() {
        let from_honest = sent_by(model, CHANGE_VIEW.send, PLAIN, v - 1, model.quorum);
        let from_all = sent_by(model, CHANGE_VIEW.send, PLAIN, v - 1, model.n);
        let primary = model.has_primary(model.first(), v);
        let family = "Primary_requires_honest_SendCV";
        model.valid(family, [v], primary.clone() * honest, from_honest.clone());
        let family = "Primary_requires_SendCV";
        model.valid(family, [v], primary * model.m(), from_all);
        for i in model.honest() {
            let asked = model.did(CHANGE_VIEW.send, PLAIN, (i, v));
            let family = "SendCV_requires_honest_SendCV";
            model.valid(family, [i, v], asked * honest, from_honest.clone());
        }
    }
}

/// Behind a block stand M commits for one priority, M − b of them honest, received by one replica;
/// so blocks up to a view and the next view share the h binding events of honest replicas:
/// `(M − b) · blockRelayed(v) ≤ Σ_(j honest) Σ_p Σ_t SendCommit(p,t,j,v)`, the same with M and all
/// j, and `Σ_(u≤v) blockRelayed(u) + Σ_i Primary(i,v+1) ≤ ⌊h / (M − b)⌋`.
fn quorums_behind_blocks(model: &mut Model) {
    let honest = model.m() - i64::from(model.n - model.quorum);
    for v in model.all_views() {
        let block = model.var("blockRelayed", [v]);
        let by_honest = model.honest();
        let committed: Expr = by_honest.map(|j| model.did_any(COMMIT.send, (j, v))).sum();
        let by_all = model.everybody();
        let sent: Expr = by_all.map(|j| model.did_any(COMMIT.send, (j, v))).sum();
        let m = model.m();
        let family = "blockRelayed_requires_honest_SendCommit";
        model.valid(family, [v], block.clone() * honest, committed);
        model.valid("blockRelayed_requires_SendCommit", [v], block * m, sent);
        let blocks: Expr = (1..=v).map(|u| model.var("blockRelayed", [u])).sum();
        let next = if v < model.views {
            model.has_primary(model.first(), v + 1)
        } else {
            Expr::default()
        };
        let most = m / honest;
        let family = "blockRelayed_or_Primary_at_most_by_binding_events";
        model.valid(family, Index(vec![v]), blocks + next, most.into());
    }
}

/// The programs about forks with a commit phase: a replica that keeps the rules does not both
/// commit in a view and ask to leave it, so blocks up to a view and the next view share the
/// binding events of those h replicas; M − (N − h) of them stand behind each:
/// `Σ_p Σ_(u≤v) blockRelayed(p,u) + Σ_i Primary(i,v+1) ≤ ⌊h / (M − (N − h))⌋`.
///
/// Only where the right side is 1: then no view follows one with a block, and the sum over the
/// views before holds as well.
fn one_block_or_the_next_view(model: &mut Model) {
    let everybody = model.question.model == Published::Fork && model.version == 2;
    let bound = i64::from(if everybody { model.n } else { model.quorum });
    let most = bound / (model.m() - (i64::from(model.n) - bound));
    if model.version == 1 || most != 1 {
        return;
    }
    for v in model.all_views() {
        let mut blocks = Expr::default();
        for p in model.priorities() {
            let views = 1..=v;
            blocks += views.map(|u| model.var("blockRelayed", p.then([u]))).sum();
        }
        let next = if v < model.views {
            model.has_primary(model.first(), v + 1)
        } else {
            Expr::default()
        };
        let family = "blockRelayed_or_Primary_at_most_by_binding_events";
        model.valid(family, [v], blocks + next, most.into());
    }
}
