//! The families of rows, one function each: a sentence, the formula, the scope, the reason.
//!
//! Notation: q is a threshold, B the number of replicas that may be Byzantine, β the number that is;
//! `took_a` the number of honest replicas that take step a. Names are `<event>_<relation>_<event>`.

use super::{
    columns::{Counting, Key},
    walk::{Arc, Need, Role, To},
};
use crate::{expr::Expr, group::Group, program::Tag, rule::Range};
use milp_schema::instance::FaultKind;
use std::collections::BTreeSet;

/// All rows but the goal's.
pub(super) fn all(counting: &mut Counting) {
    byzantine_at_most(counting);
    request_requires_byzantine(counting);
    here_requires_honest(counting);
    for v in 0..counting.book.views {
        for role in Role::ALL {
            for node in 0..counting.walks[role as usize].nodes.len() {
                leave_requires_reach(counting, v, role, node);
            }
        }
        steps_require(counting, v);
        tally_requires_senders(counting, v);
        if v > 0 {
            enter_requires_quorum(counting, v);
            enter_defines_reached(counting, v);
            primaries_come_along(counting, v);
            absent_primaries_left(counting, v);
        }
    }
    change_views_at_most(counting);
}

/// At most B replicas are Byzantine: `β ≤ B`, the instance's budget.
fn byzantine_at_most(counting: &mut Counting) {
    let family = counting
        .draft
        .family("byzantine_at_most", "E9", &[], Group::BUDGET);
    let most = i64::from(counting.book.byzantine);
    let all = counting.byzantine();
    counting.draft.at_most(family, "", all, most.into());
}

/// A Byzantine primary may make a request for any block: `request_vb ≤ byzantine_v`.
fn request_requires_byzantine(counting: &mut Counting) {
    let family = counting
        .draft
        .family("request_requires_byzantine", "E11", &[], Group::SIGNATURES);
    for (v, b) in counting.book.view_blocks() {
        let (made, may) = (
            counting.draft.get(&Key::Request(v, b)),
            counting.draft.get(&Key::Byzantine(v)),
        );
        counting
            .draft
            .at_most(family, &format!("_v{v}_b{b}"), made, may);
    }
}

/// A primary that follows the rules in its view is honest: `here_v + byzantine_v ≤ 1`; and in view
/// 0 everybody is: `here_0 + byzantine_0 ≥ 1`.
fn here_requires_honest(counting: &mut Counting) {
    let family = counting
        .draft
        .family("here_requires_honest", "E11", &[], Group::CRASHES);
    for v in 0..counting.book.views {
        let both = counting.draft.get(&Key::Here(v)) + counting.draft.get(&Key::Byzantine(v));
        counting
            .draft
            .at_most(family, &format!("_v{v}"), both.clone(), 1.into());
        if v == 0 {
            counting.draft.at_most(family, "_start", 1.into(), both);
        }
    }
}

/// Nobody leaves a state of its walk who did not reach it: `Σ_(a out of s) took_a ≤ Σ_(a into s)
/// took_a`, into the first state of view v those who enter it, in view 0 everybody. Where executions
/// end in a final state, `=` with those who rest or crash there.
///
/// The states are sets of own events, so this is what own events require and exclude, once per view
/// and once per height: one vote per honest replica over all views, a request to leave or a lock but
/// not both, a view only after the previous one.
fn leave_requires_reach(counting: &mut Counting, v: u32, role: Role, node: usize) {
    let family = counting
        .draft
        .family("leave_requires_reach", "E3", &[5, 6, 37], Group::MEMORY);
    let into: Expr = counting
        .steps(v, role)
        .filter(|(arc, _)| arc.to == To::Node(node))
        .map(|(_, taken)| taken)
        .sum();
    let out: Expr = counting
        .steps(v, role)
        .filter(|(arc, _)| arc.from == node)
        .map(|(_, taken)| taken)
        .sum();
    let first = if node == 0 {
        counting.arriving_as(v, role)
    } else {
        Expr::default()
    };
    let into = into + first;
    let label = format!(
        "_v{v}_{}_{}",
        role.name(),
        counting.walks[role as usize].nodes[node].name
    );
    if counting.ends() {
        let ends = counting.draft.get(&Key::Rests(v, role, node))
            + counting.draft.get(&Key::Crashes(v, role, node));
        counting
            .draft
            .at_most(family, &label, out.clone() + ends.clone(), into.clone());
        counting
            .draft
            .at_most(family, &format!("{label}_all"), into, out + ends);
    } else {
        counting.draft.at_most(family, &label, out, into);
    }
}

/// A step is taken only if others sent what it needs: `took_a ≤ m_a · proposed_vb` for the primary's
/// message, `took_a ≤ m_a · open` for a number of senders; `m_a` is the largest number of replicas
/// that may take it. Steps of which a replica takes only one, whatever its walk, count together.
fn steps_require(counting: &mut Counting, v: u32) {
    let mut rows: Vec<((&str, Group), String, Expr, Expr)> = vec![];
    let needs: BTreeSet<Need> = counting
        .all_steps(v)
        .flat_map(|(arc, _)| arc.needs.iter().cloned())
        .filter(|need| matches!(need, Need::Held { .. } | Need::Senders { .. }))
        .collect();
    for need in needs {
        let needing = |arc: &Arc| arc.needs.contains(&need);
        let met = match &need {
            Need::Held { c, b } => {
                counting.sent(&[*c], v, *b) + counting.draft.get(&Key::Request(v, *b))
            }
            other => counting.draft.get(&Key::Open(v, other.clone())),
        };
        for role in Role::ALL {
            let most = match role {
                Role::Backup => i64::from(counting.book.n) - 1,
                Role::Primary => 1,
            };
            let steps: Vec<(&Arc, Expr)> = counting
                .steps(v, role)
                .filter(|(arc, _)| needing(arc))
                .collect();
            let together = counting.walks[role as usize].most(&needing) <= 1;
            let of = match &need {
                Need::Held { c, b } => format!("{}_b{b}", counting.kind(*c)),
                Need::Senders { of, b, at_least } => {
                    let of: Vec<&str> = of.iter().map(|&c| counting.kind(c)).collect();
                    format!("{}_b{b}_{at_least}", of.join("_"))
                }
                _ => continue,
            };
            let label = format!("_v{v}_{}_{of}", role.name());
            let family = match &need {
                Need::Held { .. } => ("step_requires_request", Group::PROPOSAL),
                _ => ("step_requires_quorum", Group::PREPARATIONS),
            };
            let groups: Vec<Expr> = if together {
                vec![steps.into_iter().map(|(_, taken)| taken).sum()]
            } else {
                steps.into_iter().map(|(_, taken)| taken).collect()
            };
            for (number, group) in groups.into_iter().enumerate() {
                let label = format!("{label}_{number}");
                rows.push((family, label, group, met.clone() * most));
            }
        }
    }
    for ((name, rule), label, left, right) in rows {
        let family = counting.draft.family(name, "E2", &[26, 27, 28, 39], rule);
        counting.draft.at_most(family, &label, left, right);
    }
}

/// There are enough senders: `k · open ≤ Σ honest senders + Byzantine ones`; the legal form. And at
/// least k − B of them are honest: `(k − B) · open ≤ Σ honest senders`, valid because β ≤ B.
fn tally_requires_senders(counting: &mut Counting, v: u32) {
    let legal = counting
        .draft
        .family("quorum_requires_senders", "E2", &[39], Group::MEMORY);
    let valid = counting
        .draft
        .family("quorum_requires_honest_senders", "E2", &[39], Tag::Valid);
    let needs: Vec<Need> = counting
        .draft
        .keys()
        .filter_map(|(key, _)| match key {
            Key::Open(at, need) if *at == v => Some(need.clone()),
            _ => None,
        })
        .collect();
    for need in needs {
        let Need::Senders { of, b, at_least } = &need else {
            continue;
        };
        let open = counting.draft.get(&Key::Open(v, need.clone()));
        let honest = counting.sent(of, v, *b);
        let all = honest.clone() + counting.forgers(of, v);
        let count = i64::from(*at_least);
        let kinds: Vec<&str> = of.iter().map(|&c| counting.kind(c)).collect();
        let label = format!("_v{v}_b{b}_{}_{at_least}", kinds.join("_"));
        counting
            .draft
            .at_most(legal, &label, open.clone() * count, all);
        let least = count - i64::from(counting.book.byzantine);
        if counting.book.byzantine > 0 && least > 0 {
            counting.draft.at_most(valid, &label, open * least, honest);
        }
    }
}

/// A view is reached only if a quorum asks to leave the one before: `q · reached_v ≤ Σ ask_(v−1) + β`
/// and `(q − B) · reached_v ≤ Σ ask_(v−1)`, which is valid because β ≤ B.
///
/// Requests of later views ask for v too, but they come from replicas that were at v: the first one
/// to get there had none of them.
fn enter_requires_quorum(counting: &mut Counting, v: u32) {
    let line = counting.book.enter.line;
    let equations = counting.book.enter.equations();
    let legal = counting.draft.family(
        "enter_requires_change_view_quorum",
        line,
        equations,
        Group::CHANGE_VIEWS,
    );
    let valid = counting.draft.family(
        "enter_requires_honest_change_view_quorum",
        line,
        &[],
        Group::BEHIND_AN_ENTRY,
    );
    let count = i64::from(counting.book.count(counting.book.enter.at_least));
    let reached = counting.draft.get(&Key::Reached(v));
    let asks = counting.did(counting.book.ask, v - 1, 0);
    let all =
        asks.clone() + counting.forgers(&[counting.book.channel(&counting.book.enter.of)], v - 1);
    let label = format!("_v{v}");
    counting
        .draft
        .at_most(legal, &label, reached.clone() * count, all);
    let least = count - i64::from(counting.book.byzantine);
    if counting.book.byzantine > 0 && least > 0 {
        counting.draft.at_most(valid, &label, reached * least, asks);
    }
}

/// A view is reached if somebody enters it: `reached_v ≤ entering_v ≤ n · reached_v`.
fn enter_defines_reached(counting: &mut Counting, v: u32) {
    let family = counting
        .draft
        .family("enter_defines_reached", "E13", &[], Group::MEMORY);
    let (n, entering) = (i64::from(counting.book.n), counting.entering(v - 1));
    let reached = counting.draft.get(&Key::Reached(v));
    let label = format!("_v{v}");
    counting
        .draft
        .at_most(family, &label, reached.clone(), entering.clone());
    counting
        .draft
        .at_most(family, &format!("{label}_all"), entering, reached * n);
}

/// The primaries that are to act are among those who reach view v: `Σ_(u ≥ v) here_u + entering as
/// primary of v − 1 ≤ entering_v`.
///
/// They are different replicas, each primary of one modelled view, and whoever is in view u went
/// through view v.
fn primaries_come_along(counting: &mut Counting, v: u32) {
    let family = counting
        .draft
        .family("here_requires_enter", "E3", &[20, 21], Group::MEMORY);
    let later: Expr = (v..counting.book.views)
        .map(|u| counting.draft.get(&Key::Here(u)))
        .sum();
    let before: Expr = counting
        .steps(v - 1, Role::Primary)
        .filter(|(arc, _)| arc.to == To::Next)
        .map(|(_, taken)| taken)
        .sum();
    let entering = counting.entering(v - 1);
    counting
        .draft
        .at_most(family, &format!("_v{v}"), later + before, entering);
}

/// An honest primary that is not there when its view begins for others has stayed in a lower one:
/// `Σ_(u ≤ v) (1 − byzantine_u − here_u) ≤ Σ_(u < v) backups that stay in u`.
///
/// It stayed as a backup, because it is primary of no lower view.
fn absent_primaries_left(counting: &mut Counting, v: u32) {
    let family = counting
        .draft
        .family("stay_requires_backup", "E3", &[20, 21], Group::MEMORY);
    let absent: Expr = (1..=v)
        .map(|u| 1 - (counting.draft.get(&Key::Byzantine(u)) + counting.draft.get(&Key::Here(u))))
        .sum();
    let stay: Expr = (0..v)
        .map(|u| {
            let on: Expr = counting
                .steps(u, Role::Backup)
                .filter(|(arc, _)| arc.to == To::Next)
                .map(|(_, taken)| taken)
                .sum();
            counting.arriving_as(u, Role::Backup) - on
        })
        .sum();
    counting
        .draft
        .at_most(family, &format!("_v{v}"), absent, stay);
}

/// At most so many requests to leave a view: the instance's `budget: {timeouts: …}`.
fn change_views_at_most(counting: &mut Counting) {
    let Some(most) = counting.book.instance.budget.timeouts else {
        return;
    };
    let family = counting
        .draft
        .family("change_view_at_most", "E9", &[], Group::BUDGET);
    let all: Expr = (0..counting.book.views)
        .map(|v| counting.did(counting.book.ask, v, 0))
        .sum();
    counting
        .draft
        .at_most(family, "", all, i64::from(most).into());
}

/// If honest replicas vote once per height, at most ⌊(n − B)/(q − B)⌋ blocks have a quorum of them.
///
/// b blocks with quorums need b (q − β) ≤ n − β votes, and the quotient grows with β ≤ B. None where
/// votes are per view, or where Byzantine replicas alone make a quorum.
pub(super) fn most_decisions(counting: &Counting) -> Option<i64> {
    let book = &counting.book;
    let least = book
        .events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.decides)
        .filter_map(|(e, _)| book.tally(e))
        .map(|(of, count)| {
            let once = of
                .iter()
                .flat_map(|&c| book.senders(c))
                .all(|e| book.events[e].once == Range::Height);
            (once, i64::from(count) - i64::from(book.byzantine))
        })
        .map(|(once, least)| (once && least > 0).then_some(least))
        .min()??;
    Some((i64::from(book.n) - i64::from(book.byzantine)) / least)
}

/// At most the instance's number of replicas crash: `Σ crashes ≤ C`.
pub(super) fn crashes_at_most(counting: &mut Counting) {
    let family = counting
        .draft
        .family("crashing_at_most", "E9", &[], Group::BUDGET);
    let most = i64::from(counting.book.instance.fault_count(FaultKind::Crash));
    let views = 0..counting.book.views;
    let all: Expr = views.map(|v| counting.crashing(v)).sum();
    counting.draft.at_most(family, "", all, most.into());
}
