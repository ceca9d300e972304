//! When a state is final under rules that take recovery for granted (E23): no message, timer or
//! recovery message changes it.
//!
//! `excused_i` stands for: committed in any view, decided, crashed or Byzantine. Everything is
//! said about the last slot T.

use crate::{
    expr::Expr,
    formulation::timed::Timed,
    program::Tag,
    rule::{Enter, Hold, Rule},
};
use milp_schema::instance::FaultKind;

/// The rows of a final state beyond "nothing is pending".
pub(super) fn state(timed: &mut Timed, enter: &Enter) {
    let rules = timed.protocol.rules.clone();
    proposed_and_asked(timed, enter);
    one_view(timed, enter);
    too_few_asked(timed, enter);
    for rule in &rules {
        match rule {
            Rule::Negation(_) => everyone_is_heard(timed, enter),
            Rule::Hold(hold) => everything_is_taken(timed, enter, hold),
            _ => {}
        }
    }
}

fn excused(timed: &Timed, enter: &Enter, i: u32) -> Expr {
    let last = timed.horizon;
    let locked: Expr = enter
        .excludes
        .iter()
        .map(|name| timed.did_in(timed.event(name), i, 0, timed.all_views(), last))
        .sum();
    locked + timed.decided(i, 0, last) + timed.crashed(i, last) + timed.byzantine(i)
}

/// Every timer has fired: a primary has proposed, and everybody has asked to leave the view,
/// unless its rules make it ask for recovery, and has asked for one of the two:
/// `in_v ≤ proposed_v + excused`, `in_v ≤ asked_v + lost_v + excused`,
/// `in_v ≤ asked_v + asked for recovery_v + excused`.
fn proposed_and_asked(timed: &mut Timed, enter: &Enter) {
    let family = timed
        .draft
        .family("final_state_has_no_enabled_timer", "E49", &[], Tag::Budget);
    let last = timed.horizon;
    let leaves = timed.channel(&enter.of);
    let timers: Vec<usize> = timed.timer_events();
    for (h, v) in timed.height_views() {
        for i in 0..timed.n {
            let label = format!("_i{i}_v{v}");
            let is_in = timed.is_in(i, h, v, last);
            let excused = excused(timed, enter, i);
            let asked = timed.sent(leaves, i, h, v, 0, last);
            let lost = timed.lost(i, h, v, last);
            let mut any = asked.clone() + excused.clone();
            for &e in &timers {
                if timed.events[e].about == crate::rule::About::Proposal {
                    if timed.primary(h, v) == i {
                        let did = timed.did_in_view(e, i, h, v, last) + excused.clone();
                        timed
                            .draft
                            .at_most(family, &format!("{label}_first"), is_in.clone(), did);
                    }
                } else if !timed.senders(leaves).any(|ask| ask == e) {
                    any += timed.did_in_view(e, i, h, v, last);
                }
            }
            timed
                .draft
                .at_most(family, &format!("{label}_any"), is_in.clone(), any);
            timed
                .draft
                .at_most(family, &label, is_in, asked + lost + excused);
        }
    }
}

/// Whoever is not excused is in one view, and no live replica is in a later one, because a
/// recovery message of a later view leads there: `in_v(i) + in_w(k) ≤ 1 + excused_i + crashed_k +
/// byzantine_k` for v < w.
fn one_view(timed: &mut Timed, enter: &Enter) {
    let family = timed
        .draft
        .family("final_state_has_one_view", "E48", &[], Tag::Budget);
    let last = timed.horizon;
    for v in 0..timed.views {
        for w in v + 1..timed.views {
            for i in 0..timed.n {
                for k in (0..timed.n).filter(|&k| k != i) {
                    let both = timed.is_in(i, 0, v, last) + timed.is_in(k, 0, w, last);
                    let right =
                        excused(timed, enter, i) + timed.crashed(k, last) + timed.byzantine(k) + 1;
                    timed
                        .draft
                        .at_most(family, &format!("_i{i}_k{k}_v{v}_w{w}"), both, right);
                }
            }
        }
    }
}

/// Whoever is not excused counts right: it has heard everybody else who is not, in its view:
/// `in_v(i) + in_v(k) − 1 ≤ heard_ik + excused_i + excused_k`.
fn everyone_is_heard(timed: &mut Timed, enter: &Enter) {
    let family = timed
        .draft
        .family("final_state_has_everyone_heard", "E23", &[], Tag::Budget);
    let last = timed.horizon;
    for v in 0..timed.views {
        for i in 0..timed.n {
            for k in (0..timed.n).filter(|&k| k != i) {
                let both = timed.is_in(i, 0, v, last) + timed.is_in(k, 0, v, last) + (-1);
                let right = timed.heard(i, k, 0, v, last)
                    + excused(timed, enter, i)
                    + excused(timed, enter, k);
                timed
                    .draft
                    .at_most(family, &format!("_i{i}_k{k}_v{v}"), both, right);
            }
        }
    }
}

/// Recovery offers ignored messages again: whoever would take one now has taken every one that
/// exists in its view, from honest senders, and from Byzantine ones if somebody in the view did:
/// `sent_jb ≤ took_ijb + (1 − in_v(i)) + excused_i + byzantine_j + x` and
/// `took_kjb + in_v(k) + byzantine_j − 2 ≤ took_ijb + (1 − in_v(i)) + excused_i + excused'_k + x`,
/// each for `x = left_v(i)` and `x = 1 − lost_v(i)`, because only both together make it ignore.
fn everything_is_taken(timed: &mut Timed, enter: &Enter, hold: &Hold) {
    let family = timed
        .draft
        .family("final_state_has_everything_taken", "E50", &[], Tag::Budget);
    let last = timed.horizon;
    let c = timed.channel(&hold.kind);
    let after = timed.event(hold.after);
    for (h, v) in timed.height_views() {
        for b in timed.channel_blocks(c, h, v) {
            for i in 0..timed.n {
                let left = timed.did_in_view(after, i, h, v, last);
                let ignores = [left, 1 - timed.lost(i, h, v, last)];
                let away = 1 - timed.is_in(i, h, v, last) + excused(timed, enter, i);
                for j in (0..timed.n)
                    .filter(|&j| j != i && timed.may_send(c, j, h, v))
                    .collect::<Vec<_>>()
                {
                    for (number, ignores) in ignores.iter().enumerate() {
                        let took = timed.took(c, i, j, h, v, b, last);
                        let right = took + away.clone() + ignores.clone();
                        let label = format!("_i{i}_j{j}_v{v}_b{b}_{number}");
                        let sent = timed.sent(c, j, h, v, b, last);
                        let honest = right.clone() + timed.byzantine(j);
                        timed.draft.at_most(family, &label, sent, honest);
                        if !timed.may_be(FaultKind::Byzantine, j) {
                            continue;
                        }
                        for k in (0..timed.n).filter(|&k| k != i && k != j) {
                            let held = timed.took(c, k, j, h, v, b, last)
                                + timed.is_in(k, h, v, last)
                                + timed.byzantine(j)
                                + (-2);
                            let gone = timed.crashed(k, last) + timed.byzantine(k);
                            let right = right.clone() + gone;
                            timed
                                .draft
                                .at_most(family, &format!("{label}_k{k}"), held, right);
                        }
                    }
                }
            }
        }
    }
}

/// Fewer than a quorum have ever asked to leave a view in which somebody is not excused, as
/// requests are sent again: `Σ_j asking_ij ≤ q − 1 + n · (1 − in_v(i) + excused_i)` with
/// `asking_ij` = j asked, or i holds a request that looks like it.
fn too_few_asked(timed: &mut Timed, enter: &Enter) {
    let family = timed.draft.family(
        "final_state_has_too_few_change_views",
        "E52",
        &[],
        Tag::Budget,
    );
    let defines = timed
        .draft
        .family("ask_defines_asking", "E52", &[], Tag::Goal);
    let last = timed.horizon;
    let c = timed.channel(&enter.of);
    let count = timed.count(enter.at_least);
    for v in 0..timed.views {
        for i in 0..timed.n {
            let mut asking = Expr::default();
            for j in 0..timed.n {
                let asked = timed.sent(c, j, 0, v, 0, last);
                if j == i || !timed.may_be(FaultKind::Byzantine, j) {
                    asking += asked;
                    continue;
                }
                let column = timed.goal_column("asking", [v, i, j]);
                let held = timed.asked(i, j, 0, v + 1, last);
                let label = format!("_i{i}_j{j}_v{v}");
                timed
                    .draft
                    .at_most(defines, &format!("{label}_a"), asked, column.clone());
                timed
                    .draft
                    .at_most(defines, &format!("{label}_b"), held, column.clone());
                asking += column;
            }
            let away = 1 - timed.is_in(i, 0, v, last) + excused(timed, enter, i);
            let right = away * i64::from(timed.n) + (count - 1);
            timed
                .draft
                .at_most(family, &format!("_i{i}_v{v}"), asking, right);
        }
    }
}
