//! When an honest replica may do an event.

use super::super::{
    columns::{Timed, Views},
    look_up::blocks_by,
};
use crate::{
    expr::Expr,
    group::Group,
    rule::{Checked, Event, Modality, Range, Requires, Threshold, snake},
};
use milp_schema::Kind;

/// Event number e of replica i in view v of height h.
#[derive(Debug, Clone, Copy)]
pub(super) struct Act {
    pub(super) e: usize,
    pub(super) i: u32,
    pub(super) h: u32,
    pub(super) v: u32,
}

impl Act {
    /// About block b, by slot t.
    pub(super) fn did(self, timed: &Timed, b: u32, t: u32) -> Expr {
        timed.did(self.e, self.i, self.h, self.v, b, t)
    }

    /// About any block of the view, by slot t.
    pub(super) fn did_any(self, timed: &Timed, t: u32) -> Expr {
        timed.did_in_view(self.e, self.i, self.h, self.v, t)
    }

    /// About any block of the view, in slot t: Δ of the docstrings.
    pub(super) fn happens(self, timed: &Timed, t: u32) -> Expr {
        self.did_any(timed, t) - self.did_any(timed, t - 1)
    }

    /// About block b, by slot t, resting on a permit.
    pub(super) fn permitted(self, timed: &Timed, b: u32, t: u32) -> Expr {
        timed.permitted(self.e, self.i, self.h, self.v, b, t)
    }

    /// About any block of the view, in slot t, resting on a permit.
    fn permitted_now(self, timed: &Timed, t: u32) -> Expr {
        let by = |t| timed.permitted_in(self.e, self.i, self.h, self.v..self.v + 1, t);
        by(t) - by(t - 1)
    }

    /// The block indices it may be about.
    pub(super) fn blocks(self, timed: &Timed) -> std::ops::Range<u32> {
        timed.about(&timed.events[self.e], self.h, self.v)
    }

    pub(super) fn label(self, b: Option<u32>, t: u32) -> String {
        let Self { i, h, v, .. } = self;
        let block = b.map(|b| format!("_b{b}")).unwrap_or_default();
        format!("_i{i}_h{h}_v{v}{block}_t{t}")
    }

    /// Whether doing it asks to leave the view.
    pub(super) fn leaves(self, timed: &Timed) -> bool {
        let asks = timed.protocol.enter().map(|enter| &enter.of);
        timed.events[self.e].broadcasts.as_ref() == asks && asks.is_some()
    }
}

/// What was done stays done: `did^(t−1) ≤ did^t`, the rest of (22), (29), (33).
pub(super) fn stays(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    let family = timed.draft.family(
        &format!("{}_stays", rule.name),
        "E6",
        &[22, 29, 33],
        Group::MEMORY,
    );
    for b in act.blocks(timed) {
        for t in timed.slots() {
            let (before, now) = (act.did(timed, b, t - 1), act.did(timed, b, t));
            timed
                .draft
                .at_most(family, &act.label(Some(b), t), before, now);
        }
    }
}

/// An event happens in the view it names (20), (26): at the start of the slot or at its end,
/// because what a delivery triggers comes before the step into the next view; a timer that does
/// not itself leave the view fires at the end. An event of the height needs the height only.
///
/// `did_v^t ≤ entered_v^t`; `Δ_v^t ≤ in_v^(t−1) + in_v^t` (v ≥ 1), `Δ_0^t ≤ 1 − entered_1^(t−1)`;
/// for such a timer `Δ_v^t ≤ in_v^t`.
pub(super) fn requires_view(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    let name = format!("{}_requires_view", rule.name);
    let family = timed
        .draft
        .family(&name, rule.line, rule.equations(), Group::PLACE);
    let Act { i, h, v, .. } = act;
    let at_end = matches!(rule.modality, Modality::Timer { .. }) && !act.leaves(timed);
    let view = if timed.in_view(act.e) { v } else { 0 };
    for t in timed.slots() {
        let label = act.label(None, t);
        let entered = timed.entered(i, h, view, t);
        timed
            .draft
            .at_most(family, &label, act.did_any(timed, t), entered);
        if !timed.in_view(act.e) {
            continue;
        }
        let happens = act.happens(timed, t);
        let (was_in, is_in) = (timed.is_in(i, h, v, t - 1), timed.is_in(i, h, v, t));
        let there = match (at_end, v) {
            (true, _) => is_in,
            (false, 0) => 1 - timed.entered(i, h, 1, t - 1),
            (false, _) => was_in + is_in,
        };
        timed
            .draft
            .at_most(family, &format!("{label}_in"), happens, there);
    }
}

/// A crashed replica does nothing: `Δ^t + crashed_i^t ≤ 1`.
pub(super) fn excluded_by_crash(timed: &mut Timed, act: Act) {
    let name = format!("{}_excludes_crash", timed.events[act.e].name);
    let family = timed.draft.family(&name, "E12", &[], Group::CRASHES);
    for t in timed.slots() {
        let sum = act.happens(timed, t) + timed.crashed(act.i, t);
        timed
            .draft
            .at_most(family, &act.label(None, t), sum, 1.into());
    }
}

/// A replica that decided has left the height: `Δ^t + Σ decided^s ≤ 1`, with s = t for the
/// decisions handled before the event inside a slot and s = t − 1 for the others.
pub(super) fn excluded_by_decision(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    if rule.decides {
        return; // decide_at_most_once says it
    }
    let name = format!("{}_excludes_decide", rule.name);
    let family = timed.draft.family(&name, "E5", &[5, 6], Group::STOPS);
    for t in timed.slots() {
        let decided = timed.decided_before(act.e, act.i, act.h, act.v, t);
        let sum = act.happens(timed, t) + decided;
        timed
            .draft
            .at_most(family, &act.label(None, t), sum, 1.into());
    }
}

/// An own earlier event forbids this one: `Δ^t + Σ_range earlier^s ≤ 1`, s as above.
pub(super) fn excluded_by_own(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    for exclusion in &rule.excludes {
        let name = format!("{}_excludes_{}", rule.name, exclusion.event);
        let family = timed.draft.family(
            &name,
            rule.line,
            rule.equations(),
            timed.protocol.forbidding(exclusion.event),
        );
        let earlier = timed.event(exclusion.event);
        for t in timed.slots() {
            let by = blocks_by(earlier, act.e, t);
            let views = Timed::up_to(exclusion.range, act.v);
            let done = timed.did_in(earlier, act.i, act.h, views, by);
            let sum = act.happens(timed, t) + done;
            let most = act.permitted_now(timed, t) + 1;
            timed.draft.at_most(family, &act.label(None, t), sum, most);
        }
    }
}

/// What the event requires, as rows on the cumulative columns (nothing required is ever undone).
///
/// - own events: `did_b^t ≤ Σ own_b^t`;
/// - the primary's own first: `did^t ≤ own^t` for i the primary;
/// - held: `did_b^t ≤ Σ_j got_ij^t`, own message included or not, (28), (39);
/// - tally: `q · did_b^t ≤ Σ_j got_ij^t`, (39).
pub(super) fn requires(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    for requirement in &rule.requires {
        if asked_now(timed, act, &rule, requirement) {
            continue;
        }
        let name = format!("{}_requires_{}", rule.name, what(requirement));
        let family = timed.draft.family(
            &name,
            rule.line,
            rule.equations(),
            timed.protocol.requiring(requirement),
        );
        for b in act.blocks(timed) {
            for t in timed.slots() {
                let did = act.did(timed, b, t);
                let label = act.label(Some(b), t);
                if let Some((factor, needed)) = condition(timed, act, requirement, b, t) {
                    let permitted = act.permitted(timed, b, t);
                    timed
                        .draft
                        .at_most(family, &label, (did - permitted) * factor, needed);
                }
            }
        }
    }
}

/// A count that falls and rises is asked for in the slot of the event: `Δ^t ≤ lost^t` or
/// `Δ^t ≤ 1 − lost^t`; whether the requirement is such a count.
fn asked_now(timed: &mut Timed, act: Act, rule: &Event, requirement: &Requires) -> bool {
    let (name, reached) = match requirement {
        Requires::When(name) => (name, true),
        Requires::Unless(name) => (name, false),
        _ => return false,
    };
    let verb = if reached { "requires" } else { "excludes" };
    let family = format!("{}_{verb}_{name}", rule.name);
    let family = timed.draft.family(
        &family,
        rule.line,
        rule.equations(),
        timed.protocol.requiring(requirement),
    );
    for t in timed.slots() {
        let lost = timed.lost(act.i, act.h, act.v, t);
        let right = if reached { lost } else { 1 - lost };
        let happens = act.happens(timed, t) - act.permitted_now(timed, t);
        timed
            .draft
            .at_most(family, &act.label(None, t), happens, right);
    }
    true
}

/// A requirement that is looked at only when a vote comes needs one in the slot of the event, or
/// the own one, or the entry into the view, when the votes held back come:
/// `Δ_b^t ≤ Σ_(j≠i) Δgot_ijb^t + Δown_b^t + Δentered_v^t`.
pub(super) fn requires_vote(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    let Checked::OnVote { own } = rule.checked else {
        return;
    };
    let name = format!("{}_requires_vote", rule.name);
    let family = timed
        .draft
        .family(&name, rule.line, rule.equations(), Group::ORDER);
    for b in act.blocks(timed) {
        for t in timed.slots() {
            let happens = act.did(timed, b, t) - act.did(timed, b, t - 1);
            let any: Expr = votes(timed, act, &rule, own, b, t).into_iter().sum();
            let permitted = act.permitted(timed, b, t) - act.permitted(timed, b, t - 1);
            timed
                .draft
                .at_most(family, &act.label(Some(b), t), happens - permitted, any);
        }
    }
}

/// The moments of slot t at which such a requirement is looked at.
pub(super) fn votes(timed: &Timed, act: Act, rule: &Event, own: &str, b: u32, t: u32) -> Vec<Expr> {
    let Act { i, h, v, .. } = act;
    let own = timed.event(own);
    let mut moments = vec![timed.did(own, i, h, v, b, t) - timed.did(own, i, h, v, b, t - 1)];
    if v > 0 {
        moments.push(timed.entered(i, h, v, t) - timed.entered(i, h, v, t - 1));
    }
    for requirement in &rule.requires {
        if let Requires::Tally { of, .. } = requirement {
            for kind in of {
                let now = held(timed, act, kind, b, t, false);
                let before = held(timed, act, kind, b, t - 1, false);
                moments.extend(
                    now.into_iter()
                        .zip(before)
                        .map(|(now, before)| now - before),
                );
            }
        }
    }
    moments.retain(|moment| !moment.is_constant());
    moments
}

/// The word for a requirement in the name of a family.
fn what(requirement: &Requires) -> String {
    match requirement {
        Requires::Own(names) => names.join("_or_"),
        Requires::OwnAsPrimary(name) => format!("{name}_as_primary"),
        Requires::Held(kind) | Requires::HeldFromAnother(kind) => snake(kind.name()),
        Requires::Tally { of, at_least } => {
            let kinds: Vec<_> = of.iter().map(|kind| snake(kind.name())).collect();
            format!("{}_{}", kinds.join("_or_"), many(*at_least))
        }
        Requires::TallyOverViews { of, at_least } => {
            format!("{}_over_views_{}", snake(of.name()), many(*at_least))
        }
        Requires::When(name) | Requires::Unless(name) => (*name).to_owned(),
    }
}

/// The word for a number of senders in the name of a family.
fn many(threshold: Threshold) -> &'static str {
    match threshold {
        Threshold::Quorum | Threshold::QuorumLessOne => "quorum",
        Threshold::MoreThanF => "more_than_f",
    }
}

/// What makes the event happen, its last requirement, in the name of a family.
pub(super) fn trigger(rule: &Event) -> String {
    rule.requires.last().map_or_else(|| "view".into(), what)
}

/// A requirement as `factor · did ≤ expression`; `None` where it asks nothing.
fn condition(
    timed: &Timed,
    act: Act,
    requirement: &Requires,
    b: u32,
    t: u32,
) -> Option<(i64, Expr)> {
    let Act { i, h, v, .. } = act;
    Some(match requirement {
        Requires::Own(names) => (1, own(timed, act, names, b, t)),
        Requires::OwnAsPrimary(name) => {
            if timed.primary(h, v) != i {
                return None;
            }
            (1, timed.did_in_view(timed.event(name), i, h, v, t))
        }
        Requires::Held(kind) => (1, held(timed, act, kind, b, t, true).into_iter().sum()),
        Requires::HeldFromAnother(kind) => {
            (1, held(timed, act, kind, b, t, false).into_iter().sum())
        }
        Requires::Tally { of, at_least } => (timed.count(*at_least), tally(timed, act, of, b, t)),
        Requires::TallyOverViews { of, at_least } => {
            let sent = timed.pooled_over_views(timed.channel(of), h, t - 1);
            (timed.count(*at_least), sent)
        }
        Requires::When(_) | Requires::Unless(_) => return None,
    })
}

/// Any of these own events about block b.
pub(super) fn own(timed: &Timed, act: Act, names: &[&'static str], b: u32, t: u32) -> Expr {
    let Act { i, h, v, .. } = act;
    names
        .iter()
        .map(|name| timed.did(timed.event(name), i, h, v, b, t))
        .sum()
}

/// A message of that kind about block b, one expression per possible sender.
pub(super) fn held(
    timed: &Timed,
    act: Act,
    kind: &Kind,
    b: u32,
    t: u32,
    own_included: bool,
) -> Vec<Expr> {
    let Act { i, h, v, .. } = act;
    let c = timed.channel(kind);
    (0..timed.n)
        .filter(|&j| timed.may_send(c, j, h, v) && (own_included || j != i))
        .map(|j| timed.took(c, i, j, h, v, b, t))
        .collect()
}

/// The number of senders of these kinds about block b that replica i holds.
pub(super) fn tally(timed: &Timed, act: Act, of: &[Kind], b: u32, t: u32) -> Expr {
    of.iter()
        .flat_map(|kind| held(timed, act, kind, b, t, true))
        .sum()
}

/// An event happens at most once in its range, and never at a Byzantine replica:
/// `Σ_range did^T + byzantine_i ≤ 1`; (37) and the paper's "only once" comments. Events that send
/// one kind into a pool count together.
pub(super) fn at_most_once(timed: &mut Timed, e: usize, i: u32) {
    let rule = timed.events[e].clone();
    let together = timed.counted_with(e);
    if together.first() != Some(&e) {
        return;
    }
    let family = timed.draft.family(
        &format!("{}_at_most_once", rule.name),
        rule.line,
        &[37],
        rule.happens_once(),
    );
    let byzantine = timed.byzantine(i);
    for h in 0..timed.heights {
        let ranges: Vec<Views> = match rule.once {
            Range::View => (0..timed.views).map(|v| v..v + 1).collect(),
            Range::Height => vec![timed.all_views()],
        };
        for views in ranges {
            let v = views.start;
            let did: Expr = together
                .iter()
                .map(|&e| timed.did_in(e, i, h, views.clone(), timed.horizon))
                .sum();
            if !did.is_constant() {
                let label = format!("_i{i}_h{h}_v{v}");
                let permitted: Expr = together
                    .iter()
                    .map(|&e| timed.permitted_in(e, i, h, views.clone(), timed.horizon))
                    .sum();
                let most = permitted + 1;
                timed
                    .draft
                    .at_most(family, &label, did + byzantine.clone(), most);
            }
        }
    }
}

/// An honest replica decides once per height, in whatever way: `Σ decided^T ≤ 1`, (37).
pub(super) fn decide_at_most_once(timed: &mut Timed, i: u32, h: u32) {
    let family = timed
        .draft
        .family("decide_at_most_once", "E5", &[37], Group::ONE_DECISION);
    let decided = timed.decided(i, h, timed.horizon);
    timed
        .draft
        .at_most(family, &format!("_i{i}_h{h}"), decided, 1.into());
}
