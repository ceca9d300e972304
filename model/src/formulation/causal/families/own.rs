//! What a replica's own acts say of each other: where it is, how often, in which order.

use super::super::columns::{Act, Causal};
use crate::{
    expr::Expr,
    group::Group,
    program::FamilyId,
    rule::{Range, Scope},
};

/// Everything about the acts of one replica.
pub(in super::super) fn own(causal: &mut Causal) {
    for i in 0..causal.n {
        for e in 0..causal.events.len() {
            requires_view(causal, e, i);
            at_most_once(causal, e, i);
            excluded(causal, e, i);
        }
        enters(causal, i);
        decides_once(causal, i);
        if causal.guards() {
            comes_before(causal, i);
        }
    }
    free_order(causal);
    change_views_at_most(causal);
}

/// An event happens in a view that the replica enters: `did_v ≤ entered_v`.
fn requires_view(causal: &mut Causal, e: usize, i: u32) {
    let rule = causal.events[e].clone();
    if rule.scope != Scope::View {
        return;
    }
    let name = format!("{}_requires_view", rule.name);
    let family = causal
        .draft
        .family(&name, rule.line, rule.equations(), Group::PLACE);
    for v in (1..causal.views)
        .filter(|&v| causal.does(e, i, v))
        .collect::<Vec<_>>()
    {
        let did = causal.did_in_view(e, i, v);
        causal
            .draft
            .at_most(family, &format!("_i{i}_v{v}"), did, causal.entered(i, v));
    }
}

/// An event happens at most once in its range, and never at a Byzantine replica:
/// `Σ_range did + byzantine_i ≤ 1`; events that send one kind into a pool count together.
fn at_most_once(causal: &mut Causal, e: usize, i: u32) {
    let rule = causal.events[e].clone();
    let together = causal.counted_with(e);
    if together.first() != Some(&e) {
        return;
    }
    let name = format!("{}_at_most_once", rule.name);
    let family = causal
        .draft
        .family(&name, rule.line, &[37], rule.happens_once());
    let step = match rule.once {
        Range::View => 1,
        Range::Height => causal.views,
    };
    for first in (0..causal.views).step_by(step as usize) {
        let views = first..first + step;
        let v = views.start;
        let did: Expr = together
            .iter()
            .filter(|&&e| (0..causal.views).any(|v| causal.does(e, i, v)))
            .map(|&e| causal.did_in(e, i, views.clone()))
            .sum();
        if !did.is_constant() {
            let all = did + causal.byzantine(i);
            causal
                .draft
                .at_most(family, &format!("_i{i}_v{v}"), all, 1.into());
        }
    }
}

/// An own event that forbids this one comes after it, or not at all where it would be in an
/// earlier view or forbids it both ways: `did_v + Σ earlier ≤ 1` over these views.
fn excluded(causal: &mut Causal, e: usize, i: u32) {
    let rule = causal.events[e].clone();
    for exclusion in &rule.excludes {
        let other = causal.event(exclusion.event);
        let name = format!("{}_excludes_{}", rule.name, exclusion.event);
        let family = causal.draft.family(
            &name,
            rule.line,
            rule.equations(),
            causal.events[other].forbids(),
        );
        for v in (0..causal.views)
            .filter(|&v| causal.does(e, i, v))
            .collect::<Vec<_>>()
        {
            let mut views = Causal::up_to(exclusion.range, v);
            if !causal.order.apart[e][other] {
                views.end = v;
            }
            let did = causal.did_in_view(e, i, v);
            for earlier in earlier(causal, other, i, views) {
                let label = format!("_i{i}_v{v}_{}", earlier.0);
                causal
                    .draft
                    .at_most(family, &label, did.clone() + earlier.1, 1.into());
            }
        }
    }
}

/// The own events of these views that a row may add up: all of them if it happens once per height.
fn earlier(causal: &Causal, e: usize, i: u32, views: std::ops::Range<u32>) -> Vec<(u32, Expr)> {
    if causal.events[e].once == Range::Height {
        return vec![(views.end, causal.did_in(e, i, views))];
    }
    views.map(|v| (v, causal.did_in_view(e, i, v))).collect()
}

/// Views are entered one by one, `entered_(w+1) ≤ entered_w`, by honest replicas,
/// `entered_1 + byzantine_i ≤ 1`, that neither locked nor decided in a lower one:
/// `entered_w + Σ_(u<w) lock_u ≤ 1`, `entered_w + Σ_(u<w) decided_u ≤ 1`.
fn enters(causal: &mut Causal, i: u32) {
    let Some(enter) = causal.protocol.enter().cloned() else {
        return;
    };
    let nested = causal.draft.family(
        "enter_requires_view_below",
        enter.line,
        enter.equations(),
        Group::PLACE,
    );
    let honest = causal
        .draft
        .family("enter_excludes_byzantine", "E11", &[], Group::CRASHES);
    let done = causal
        .draft
        .family("enter_excludes_decide", enter.line, &[], Group::STOPS);
    for w in 1..causal.views {
        let label = format!("_i{i}_v{w}");
        let entered = causal.entered(i, w);
        if w > 1 {
            causal
                .draft
                .at_most(nested, &label, entered.clone(), causal.entered(i, w - 1));
        } else {
            let both = entered.clone() + causal.byzantine(i);
            causal.draft.at_most(honest, &label, both, 1.into());
        }
        for name in &enter.excludes {
            let lock = causal.event(name);
            if causal.events[lock].decides {
                continue;
            }
            let rule = causal.events[lock].forbids();
            let name = format!("enter_excludes_{name}");
            let family = causal.draft.family(&name, enter.line, &[], rule);
            for (u, locked) in earlier(causal, lock, i, 0..w) {
                let label = format!("{label}_u{u}");
                causal
                    .draft
                    .at_most(family, &label, entered.clone() + locked, 1.into());
            }
        }
        let decided: Expr = causal
            .deciding()
            .into_iter()
            .filter(|&d| causal.in_view(d))
            .map(|d| causal.did_in(d, i, 0..w))
            .sum();
        causal
            .draft
            .at_most(done, &label, entered + decided, 1.into());
    }
}

/// A replica decides once, in whatever way: `Σ decided ≤ 1`.
fn decides_once(causal: &mut Causal, i: u32) {
    let family = causal
        .draft
        .family("decide_at_most_once", "E5", &[37], Group::ONE_DECISION);
    let decided = causal.decided(i);
    causal
        .draft
        .at_most(family, &format!("_i{i}"), decided, 1.into());
}

/// What comes first has a lower level: `ℓ(x) + happens_y ≤ ℓ(y)` for an act x that comes before y,
/// as the rules or the views have it, and `happens_y ≤ ℓ(y)` for the first ones.
///
/// No constant is needed: the level of an act that does not happen may be that of the one before.
fn comes_before(causal: &mut Causal, i: u32) {
    let family = causal
        .draft
        .family("act_requires_act_before", "E3", &[], Group::MEMORY);
    let mut last: Vec<Act> = vec![];
    for v in 0..causal.views {
        let enters = v > 0 && causal.protocol.enter().is_some();
        if enters {
            let act = Act::Enters(i, v);
            follow(causal, family, &last, act);
            last = vec![act];
        }
        let here: Vec<usize> = (0..causal.events.len())
            .filter(|&e| causal.in_view(e) && causal.does(e, i, v))
            .collect();
        let before = causal.order.before.clone();
        for &e in &here {
            let direct = |&&f: &&usize| {
                let between = here.iter().any(|&k| before[f][k] && before[k][e]);
                before[f][e] && !between
            };
            let acts: Vec<Act> = here
                .iter()
                .filter(direct)
                .map(|&f| Act::Does(f, i, v))
                .collect();
            let first = if acts.is_empty() { last.clone() } else { acts };
            follow(causal, family, &first, Act::Does(e, i, v));
        }
        let is_last = |&&e: &&usize| !here.iter().any(|&f| before[e][f]);
        let ends: Vec<Act> = here
            .iter()
            .filter(is_last)
            .map(|&e| Act::Does(e, i, v))
            .collect();
        if !ends.is_empty() {
            last = ends;
        }
    }
    for e in (0..causal.events.len())
        .filter(|&e| !causal.in_view(e))
        .collect::<Vec<_>>()
    {
        for v in (0..causal.views)
            .filter(|&v| causal.does(e, i, v))
            .collect::<Vec<_>>()
        {
            follow(causal, family, &last, Act::Does(e, i, v));
        }
    }
}

fn follow(causal: &mut Causal, family: FamilyId, before: &[Act], act: Act) {
    let name = |act: Act| match act {
        Act::Does(e, i, v) => format!("_i{i}_v{v}_{}", causal.events[e].name),
        Act::Enters(i, v) => format!("_i{i}_v{v}_enter"),
    };
    let label = name(act);
    let labels: Vec<String> = before.iter().map(|&first| name(first)).collect();
    if before.is_empty() {
        let (happens, level) = (causal.happens(act), causal.level(act));
        causal.draft.at_most(family, &label, happens, level);
    }
    for (&first, other) in before.iter().zip(labels) {
        let left = causal.level(first) + causal.happens(act);
        let level = causal.level(act);
        causal
            .draft
            .at_most(family, &format!("{label}{other}"), left, level);
    }
}

/// At most so many timers make honest replicas ask to leave their view: `Σ ask ≤ most`.
fn change_views_at_most(causal: &mut Causal) {
    let (Some(most), Some(enter)) = (
        causal.instance.budget.timeouts,
        causal.protocol.enter().cloned(),
    ) else {
        return;
    };
    let family = causal
        .draft
        .family("change_view_at_most", "E9", &[], Group::BUDGET);
    let c = causal.channel(&enter.of);
    let all: Expr = (0..causal.n)
        .flat_map(|j| (0..causal.views).map(move |v| (j, v)))
        .map(|(j, v)| causal.sent(c, j, v, 0))
        .sum();
    causal
        .draft
        .at_most(family, "", all, i64::from(most).into());
}

/// Where a replica may answer before or after it asks to leave, `first` says which:
/// `ℓ(answer) + 1 ≤ ℓ(leave) + (L + 1)(1 − first)` and
/// `ℓ(leave) + 1 ≤ ℓ(answer) + (L + 1)(first + 2 − answers − leaves)`.
fn free_order(causal: &mut Causal) {
    let Some(guarded) = causal.order.guarded.clone() else {
        return;
    };
    let line = causal.events[guarded.answers].line;
    let family = causal
        .draft
        .family("answer_before_or_after_leave", line, &[], Group::MEMORY);
    let most = causal.highest + 1;
    for i in 0..causal.n {
        for v in 0..causal.views {
            if !causal.does(guarded.answers, i, v) {
                continue;
            }
            let answer = Act::Does(guarded.answers, i, v);
            let leave = Act::Does(guarded.leaves, i, v);
            let key = super::super::columns::Key::AnswersFirst(i, v);
            let first = causal.add(key, format!("answers_first_i{i}_v{v}"), 1);
            let label = format!("_i{i}_v{v}");
            let (early, late) = (causal.level(answer), causal.level(leave));
            let one = late.clone() + (1 - first.clone()) * most;
            causal
                .draft
                .at_most(family, &format!("{label}_a"), early.clone() + 1, one);
            let both = 2 - causal.happens(answer) - causal.happens(leave);
            let other = early + (first.clone() + both) * most;
            causal
                .draft
                .at_most(family, &format!("{label}_b"), late + 1, other);
            causal.draft.at_most(
                family,
                &format!("{label}_c"),
                first.clone(),
                causal.happens(answer),
            );
            causal
                .draft
                .at_most(family, &format!("{label}_d"), first, causal.happens(leave));
        }
    }
}
