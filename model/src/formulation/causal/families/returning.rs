//! Valid inequalities of a stall where replicas that asked to leave come back once more than a
//! number of others committed, in whatever view, and nobody is faulty.
//!
//! The final state and the order say of such a stall that there is none in two views, but only
//! together and case by case; each of these rows says one of the cases. Proofs are in
//! `docs/MODEL.md`. They hold for a shape of rules, which is looked for in the list.

use super::super::columns::{Causal, Quorum};
use crate::{
    expr::Expr,
    program::{FamilyId, Tag},
    rule::{About, Enter, Event, Excludes, Modality, Range, Requires, Scope, Threshold, Who},
};
use milp_schema::{Kind, instance::FaultKind};

/// Numbers of the events that play the parts, and what they ask for.
#[derive(Debug, Clone)]
struct Parts {
    /// Binds a replica that did not ask to leave.
    binds: usize,
    /// The number of bound replicas after which those that asked to leave come back.
    enough: i64,
    /// What both ways to bind oneself require of preparations.
    prepared: Requires,
}

/// The rows of a stall, `height` being whether a block is decided.
pub(in super::super) fn stalls(causal: &mut Causal, height: &Expr) {
    let Some(parts) = parts(causal) else { return };
    first_view_is_left(causal, height);
    prepared_views_are_left(causal, &parts, height);
    enough_are_bound(causal, &parts);
}

fn family(causal: &mut Causal, what: &str) -> FamilyId {
    causal
        .draft
        .family(&format!("final_state_{what}"), "E32", &[], Tag::Valid)
}

/// A quorum leaves the first view, if nobody decides: `1 ≤ complete_0 + height`.
fn first_view_is_left(causal: &mut Causal, height: &Expr) {
    let family = family(causal, "requires_first_view_left");
    let left = left(causal, 0);
    causal
        .draft
        .at_most(family, "", 1.into(), left + height.clone());
}

/// A view with a quorum of preparations is left by a quorum, if nobody decides:
/// `complete_preparations_v ≤ complete_v + height`, and nobody leaves the last view.
fn prepared_views_are_left(causal: &mut Causal, parts: &Parts, height: &Expr) {
    let family = family(causal, "requires_prepared_view_left");
    for v in 0..causal.views {
        for quorum in quorums(causal, &parts.prepared, v) {
            let prepared = causal.complete(causal.quorum_number(&quorum));
            let right = left(causal, v) + height.clone();
            let label = format!("_{}", quorum.name);
            causal.draft.at_most(family, &label, prepared, right);
        }
    }
}

/// Enough replicas bind themselves before any comes back: `k ≤ Σ_iv binds_iv`.
fn enough_are_bound(causal: &mut Causal, parts: &Parts) {
    let family = family(causal, "requires_more_than_f_commits");
    let bound: Expr = (0..causal.n)
        .map(|i| causal.did_in(parts.binds, i, 0..causal.views))
        .sum();
    causal.draft.at_most(family, "", parts.enough.into(), bound);
}

/// Whether a quorum asked to leave view v; in the last view nobody counts such requests.
fn left(causal: &Causal, v: u32) -> Expr {
    match causal.protocol.enter() {
        Some(enter) if v + 1 < causal.views => {
            let quorum = causal.asks(enter, v + 1);
            causal.complete(causal.quorum_number(&quorum))
        }
        _ => Expr::default(),
    }
}

fn quorums(causal: &Causal, requirement: &Requires, v: u32) -> Vec<Quorum> {
    causal
        .blocks(v)
        .filter_map(|b| causal.quorum_of(requirement, v, b))
        .collect()
}

/// The parts, if the rules have this shape and nobody may be faulty.
fn parts(causal: &Causal) -> Option<Parts> {
    let kinds = [FaultKind::Byzantine, FaultKind::Crash, FaultKind::Network];
    let fault = |i: u32| kinds.iter().any(|&kind| causal.may_be(kind, i));
    let enter = causal.protocol.enter()?;
    if (0..causal.n).any(fault) || !causal.pools() || causal.guards() {
        return None;
    }
    let plain = |event: &Event| event.modality == Modality::May && event.scope == Scope::View;
    let counts = |event: &Event| {
        let over_views = event
            .requires
            .iter()
            .find_map(|requirement| match requirement {
                Requires::TallyOverViews { of, at_least } => Some((*of, *at_least)),
                _ => None,
            });
        over_views.filter(|(of, _)| event.broadcasts.as_ref() == Some(of))
    };
    let returns = one(causal, &|event| counts(event).is_some())?;
    let (kind, enough) = counts(&causal.events[returns])?;
    let binds = one(causal, &|event| {
        event.broadcasts.as_ref() == Some(&kind) && counts(event).is_none()
    })?;
    let leaves = one(causal, &|event| {
        event.broadcasts.as_ref() == Some(&enter.of)
    })?;
    let decides = one(causal, &|event| event.decides)?;
    let tally = |event: &Event| {
        let is_tally = |it: &&Requires| matches!(it, Requires::Tally { .. });
        event.requires.iter().find(is_tally).cloned()
    };
    let prepared = tally(&causal.events[binds])?;
    let request = held(&causal.events[binds])?;
    let names = [binds, returns, decides].map(|e| causal.events[e].name);
    let shape = causal.events.iter().all(plain)
        && returns_by(
            &causal.events[returns],
            causal.events[leaves].name,
            &prepared,
            &request,
        )
        && asks(&causal.events[leaves], names[0])
        && proposes(causal, leaves, &request)
        && enter_is_free(enter, &names)
        && decided_by(&causal.events[decides], &kind, &request)
        && stand_on(causal, &prepared, &request);
    (shape && numbers_fit(causal, enter, (&prepared, enough), decides)).then(|| Parts {
        binds,
        enough: causal.count(enough),
        prepared,
    })
}

/// The one event of which that holds.
fn one(causal: &Causal, fits: &dyn Fn(&Event) -> bool) -> Option<usize> {
    let mut all = (0..causal.events.len()).filter(|&e| fits(&causal.events[e]));
    all.next().filter(|_| all.next().is_none())
}

/// The kind that an event requires to be held.
fn held(event: &Event) -> Option<Kind> {
    event
        .requires
        .iter()
        .find_map(|requirement| match requirement {
            Requires::Held(kind) => Some(*kind),
            _ => None,
        })
}

/// Whoever asked to leave, and nobody else, comes back as soon as enough are bound and the view is
/// prepared.
fn returns_by(event: &Event, leaves: &'static str, prepared: &Requires, request: &Kind) -> bool {
    let expected = |requirement: &Requires| match requirement {
        Requires::Own(names) => *names == [leaves],
        Requires::TallyOverViews { .. } => true,
        Requires::Held(kind) => kind == request,
        other => other == prepared,
    };
    event.who == Who::Any && event.excludes.is_empty() && event.requires.iter().all(expected)
}

/// Whoever is not bound may ask to leave, a primary after it proposed.
fn asks(event: &Event, binds: &'static str) -> bool {
    let bound = |own: &Excludes| own.event == binds;
    let proposed = |it: &Requires| matches!(it, Requires::OwnAsPrimary(_));
    event.who == Who::Any
        && event.about == About::View
        && event.once == Range::View
        && event.excludes.iter().all(bound)
        && event.requires.iter().all(proposed)
}

/// A primary that did not ask to leave may propose, and it is what it must have done to ask.
fn proposes(causal: &Causal, leaves: usize, request: &Kind) -> bool {
    let leaves = &causal.events[leaves];
    let sends = |event: &Event| event.broadcasts.as_ref() == Some(request);
    let Some(e) = one(causal, &sends) else {
        return false;
    };
    let event = &causal.events[e];
    let left = |own: &Excludes| (own.event, own.range) == (leaves.name, Range::View);
    let this = |it: &Requires| matches!(it, Requires::OwnAsPrimary(name) if *name == event.name);
    event.who == Who::Primary
        && event.requires.is_empty()
        && event.excludes.iter().all(left)
        && leaves.requires.iter().all(this)
}

/// Only what binds or decides keeps a replica in its view.
fn enter_is_free(enter: &Enter, names: &[&'static str]) -> bool {
    enter.modality == Modality::May && enter.excludes.iter().all(|name| names.contains(name))
}

/// Everybody in the view accepts what a number of bound replicas stand behind.
fn decided_by(event: &Event, kind: &Kind, request: &Kind) -> bool {
    let expected = |requirement: &Requires| match requirement {
        Requires::Held(held) => held == request,
        Requires::Tally { of, .. } => of.as_slice() == std::slice::from_ref(kind),
        _ => false,
    };
    event.who == Who::Any && event.excludes.is_empty() && event.requires.iter().all(expected)
}

/// Every preparation is the request or an answer to it, and both ways to bind oneself require
/// them.
fn stand_on(causal: &Causal, prepared: &Requires, request: &Kind) -> bool {
    let Requires::Tally { of, .. } = prepared else {
        return false;
    };
    let answers = |kind: &Kind| {
        let senders = causal.senders(causal.channel(kind)).into_iter();
        kind == request
            || senders
                .map(|e| held(&causal.events[e]))
                .all(|held| held.as_ref() == Some(request))
    };
    of.iter().all(answers)
}

/// Thresholds: e to leave a view, k to come back, p preparations, d to decide, of n replicas:
/// `n − e + 1 ≥ k` and `d ≥ k`, so that whoever does not leave, or decides, rests on enough; `p ≥ d`.
fn numbers_fit(
    causal: &Causal,
    enter: &Enter,
    (prepared, enough): (&Requires, Threshold),
    decides: usize,
) -> bool {
    let number = |it: &Requires| match it {
        Requires::Tally { at_least, .. } => Some(causal.count(*at_least)),
        _ => None,
    };
    let n = i64::from(causal.n);
    let decide = causal.events[decides].requires.iter().find_map(number);
    let (Some(prepare), Some(decide)) = (number(prepared), decide) else {
        return false;
    };
    let leave = causal.count(enter.at_least);
    let back = causal.count(enough);
    back >= 1 && n - leave + 1 >= back && decide >= back && prepare >= decide
}
