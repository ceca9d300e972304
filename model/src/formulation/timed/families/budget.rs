//! Limits on the adversary's acts that the instance asks for.

use super::super::columns::{Key, Timed};
use crate::{expr::Expr, group::Group, program::Col};
use milp_schema::instance::FaultKind;

/// The families of `budget:`; none without it.
pub(crate) fn budgets(timed: &mut Timed) {
    let budget = timed.instance.budget;
    if let Some(most) = budget.late {
        late_at_most(timed, most);
    }
    if let Some(most) = budget.timeouts {
        timeouts_at_most(timed, most);
    }
    if let Some(most) = budget.injects {
        injects_at_most(timed, most);
    }
}

/// At most so many copies of honest messages are late or not within the horizon: `Σ late ≤ most`.
fn late_at_most(timed: &mut Timed, most: u32) {
    let total = late_copies(timed);
    let limit = timed.draft.family("late_at_most", "E9", &[], Group::BUDGET);
    timed
        .draft
        .at_most(limit, "", total, i64::from(most).into());
}

/// The number of copies of honest messages that are late or not within the horizon, where it
/// leaves room for them.
///
/// `late_ij ≥ sent_j^s − got_ij^(s+d)` for every s with s + d ≤ T; the number is `Σ late`, from
/// above only: whoever counts limits or minimises it.
pub(super) fn late_copies(timed: &mut Timed) -> Expr {
    let defines = timed
        .draft
        .family("late_defines_late", "E2", &[], Group::BUDGET);
    let mut total = Expr::default();
    let mut number = 0;
    for c in 0..timed.protocol.channels.len() {
        for (h, v) in timed.height_views() {
            for b in timed.channel_blocks(c, h, v) {
                for i in 0..timed.n {
                    for j in (0..timed.n).filter(|&j| j != i) {
                        if !timed.may_send(c, j, h, v) {
                            continue;
                        }
                        let (late, new) = once(timed, "late", number);
                        for s in 1..=timed.horizon.saturating_sub(timed.delay_min) {
                            if !new {
                                break;
                            }
                            let sent = timed.sent(c, j, h, v, b, s);
                            let got = timed.got(c, i, j, h, v, b, s + timed.delay_min);
                            let label = format!("_{number}_t{s}");
                            timed
                                .draft
                                .at_most(defines, &label, sent - got, late.clone());
                        }
                        total += late;
                        number += 1;
                    }
                }
            }
        }
    }
    total
}

/// The column of that name and number, and whether it is new: a budget and a count share theirs.
fn once(timed: &mut Timed, name: &'static str, number: u32) -> (Expr, bool) {
    match timed.draft.col(&Key::Goal(name, [number, 0, 0])) {
        Some(col) => (col.into(), false),
        None => (timed.goal_column(name, [number, 0, 0]), true),
    }
}

/// At most so many timer firings make an honest replica ask to leave its view.
fn timeouts_at_most(timed: &mut Timed, most: u32) {
    let Some(enter) = timed.protocol.enter().cloned() else {
        return;
    };
    let family = timed
        .draft
        .family("change_view_at_most", "E9", &[], Group::BUDGET);
    let (c, last) = (timed.channel(&enter.of), timed.horizon);
    let all: Expr = timed
        .height_views()
        .into_iter()
        .map(|(h, v)| {
            (0..timed.n)
                .map(|j| timed.sent(c, j, h, v, 0, last))
                .sum::<Expr>()
        })
        .sum();
    timed.draft.at_most(family, "", all, i64::from(most).into());
}

/// At most so many copies are made by Byzantine replicas: `Σ made ≤ most`.
fn injects_at_most(timed: &mut Timed, most: u32) {
    let total = made_copies(timed);
    let limit = timed
        .draft
        .family("inject_at_most", "E9", &[], Group::BUDGET);
    timed
        .draft
        .at_most(limit, "", total, i64::from(most).into());
}

/// The number of copies made by Byzantine replicas, from above only: `made ≥ got^T + byzantine_j −
/// 1` for every copy, and the number is `Σ made`; of a pool `Σ injected^T`.
pub(super) fn made_copies(timed: &mut Timed) -> Expr {
    let last = timed.horizon;
    if timed.pools() {
        let injected = |(key, col): (&Key, Col)| match key {
            Key::Injected(_, _, at) if at.t == last => Some(Expr::from(col)),
            _ => None,
        };
        return timed.draft.keys().filter_map(injected).sum();
    }
    let defines = timed
        .draft
        .family("inject_defines_inject", "E11", &[], Group::BUDGET);
    let copies: Vec<(u32, Key)> = timed
        .draft
        .keys()
        .filter_map(|(key, _)| match key {
            Key::Got(c, _, j, at)
                if at.t == last
                    && timed.protocol.channels[*c].forgeable
                    && timed.may_be(FaultKind::Byzantine, *j) =>
            {
                Some((*j, key.clone()))
            }
            _ => None,
        })
        .collect();
    let mut total = Expr::default();
    for (number, (j, key)) in copies.into_iter().enumerate() {
        let (made, new) = once(timed, "made", number as u32);
        if new {
            let got: Expr = timed.draft.col(&key).map(Expr::from).unwrap_or_default();
            let both = got + timed.byzantine(j) + (-1);
            timed
                .draft
                .at_most(defines, &format!("_{number}"), both, made.clone());
        }
        total += made;
    }
    total
}
