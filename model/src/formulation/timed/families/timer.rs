//! What a timer triggers under `timers: protocol`.

use super::{super::columns::Timed, event::Act};
use crate::{expr::Expr, group::Group, rule::Event};

/// With protocol timers the event happens exactly D slots after the entry into the view, if the
/// replica is still there and nothing forbids it (E15).
///
/// `Δ^t ≤ entered_v^(t−D) − entered_v^(t−D−1)` and
/// `entered_v^(t−D) ≤ did^t + (1 − in_v^t) + excluded^t + decided^t + crashed_i^t + byzantine_i`.
pub(super) fn timer(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    let Some(duration) = timed.timer(&rule, act.v) else {
        return;
    };
    let name = format!("timer_forces_{}", rule.name);
    let forces = timed.draft.family(&name, rule.line, &[], Group::TIMERS);
    let name = format!("{}_requires_timer", rule.name);
    let requires = timed.draft.family(&name, rule.line, &[], Group::TIMERS);
    for t in timed.slots() {
        let label = act.label(None, t);
        let due = entered_at(timed, act, t, duration) - entered_at(timed, act, t, duration + 1);
        timed
            .draft
            .at_most(requires, &label, act.happens(timed, t), due);
        let entered = entered_at(timed, act, t, duration);
        let excused = excused(timed, &rule, act, t);
        timed
            .draft
            .at_most(forces, &label, entered, act.did_any(timed, t) + excused);
    }
}

/// The view was entered at least `ago` slots before t.
fn entered_at(timed: &Timed, act: Act, t: u32, ago: u32) -> Expr {
    if t < ago {
        Expr::default()
    } else {
        timed.entered(act.i, act.h, act.v, t - ago)
    }
}

fn excused(timed: &Timed, rule: &Event, act: Act, t: u32) -> Expr {
    let Act { i, h, v, .. } = act;
    let own: Expr = rule
        .excludes
        .iter()
        .map(|exclusion| {
            let views = Timed::up_to(exclusion.range, v);
            timed.did_in(timed.event(exclusion.event), i, h, views, t)
        })
        .sum();
    (1 - timed.is_in(i, h, v, t))
        + own
        + timed.decided_before(act.e, i, h, v, t)
        + timed.crashed(i, t)
        + timed.byzantine(i)
}
