//! When an honest replica has to do an event.

use super::{
    super::{columns::Timed, look_up::blocks_by},
    event::{self, Act},
};
use crate::{
    expr::Expr,
    group::Group,
    rule::{Checked, Event, Modality, Requires},
};

/// An event that must happen does, in the slot in which everything it requires is there, unless
/// something forbids it (27); without this row the adversary could make honest replicas idle,
/// and no replay would follow.
///
/// With a tally of at least q out of m possible senders, all other requirements r ∈ {0, 1}:
/// `Σ_j got_ij^t ≤ q − 1 + (m − q + 1) · (done^t + excused^t + Σ (1 − r^t))`;
/// without one: `1 ≤ done^t + excused^t + Σ (1 − r^t)`.
/// Excused is who is Byzantine, crashed, no longer or not yet in the view, decided or excluded by
/// an own earlier event. The view counts as at the start and as at the end of the slot, one row
/// each, since a replica can act in both.
pub(super) fn forced(timed: &mut Timed, act: Act) {
    let rule = timed.events[act.e].clone();
    if rule.modality != Modality::Must {
        return;
    }
    let name = format!("{}_forces_{}", event::trigger(&rule), rule.name);
    let family = timed
        .draft
        .family(&name, rule.line, rule.equations(), Group::PROMPT);
    for b in act.blocks(timed) {
        for t in timed.slots() {
            let excuse = done(timed, &rule, act, t) + excused(timed, &rule, act, t);
            let moments = moments(timed, &rule, act, b, t);
            for (row, held) in conditions(timed, &rule, act, b, t).into_iter().enumerate() {
                let places = absent(timed, act, t);
                let cases = places
                    .iter()
                    .flat_map(|place| moments.iter().map(move |m| (place, m)));
                for (number, (absent, moment)) in cases.enumerate() {
                    let label = format!("{}_{row}_{number}", act.label(Some(b), t));
                    let slack =
                        excuse.clone() + absent.clone() + moment.clone() + held.missing.clone();
                    let (left, factor) = match held.tally.clone() {
                        Some((count, most, tally)) => {
                            (tally - (count - 1).into(), most - count + 1)
                        }
                        None => (1.into(), 1),
                    };
                    timed.draft.at_most(family, &label, left, slack * factor);
                }
            }
        }
    }
}

/// When the requirements are looked at, each as what is missing for it: 0, or 1 minus the vote that
/// comes.
fn moments(timed: &Timed, rule: &Event, act: Act, b: u32, t: u32) -> Vec<Expr> {
    match rule.checked {
        Checked::Always => vec![Expr::default()],
        Checked::OnVote { own } => event::votes(timed, act, rule, own, b, t)
            .into_iter()
            .map(|vote| 1 - vote)
            .collect(),
    }
}

/// Already done in the range in which it happens once; what is done in a later view comes later.
fn done(timed: &Timed, rule: &Event, act: Act, t: u32) -> Expr {
    let views = if timed.in_view(act.e) {
        Timed::up_to(rule.once, act.v)
    } else {
        timed.all_views()
    };
    timed.did_in(act.e, act.i, act.h, views, t)
}

/// Excused by being faulty, decided, or by an own earlier event.
fn excused(timed: &Timed, rule: &Event, act: Act, t: u32) -> Expr {
    let Act { e, i, h, v } = act;
    let decided = timed.decided_before(e, i, h, v, t);
    let own: Expr = rule
        .excludes
        .iter()
        .map(|exclusion| {
            let earlier = timed.event(exclusion.event);
            let views = Timed::up_to(exclusion.range, v);
            timed.did_in(earlier, i, h, views, blocks_by(earlier, e, t))
        })
        .sum();
    timed.byzantine(i) + timed.crashed(i, t) + decided + own
}

/// Not in the view, by the ways of being there in slot t.
fn absent(timed: &Timed, act: Act, t: u32) -> Vec<Expr> {
    let Act { i, h, v, .. } = act;
    if !timed.in_view(act.e) {
        return vec![1 - timed.entered(i, h, 0, t)];
    }
    if v == 0 {
        return vec![1 - timed.entered(i, h, 0, t) + timed.entered(i, h, 1, t - 1)];
    }
    vec![1 - timed.is_in(i, h, v, t - 1), 1 - timed.is_in(i, h, v, t)]
}

/// One way in which everything required is there.
struct Held {
    /// Σ (1 − r) over the requirements that are not tallies.
    missing: Expr,
    /// Threshold, possible senders and number of senders held.
    tally: Option<(i64, i64, Expr)>,
}

/// The ways: one per sender that could supply the message required.
fn conditions(timed: &Timed, rule: &Event, act: Act, b: u32, t: u32) -> Vec<Held> {
    let mut ways = vec![Held {
        missing: Expr::default(),
        tally: None,
    }];
    for requirement in &rule.requires {
        let alternatives = match requirement {
            Requires::Own(names) => vec![event::own(timed, act, names, b, t)],
            // Counts over views belong to what may happen (`refuse`).
            Requires::OwnAsPrimary(_)
            | Requires::When(_)
            | Requires::Unless(_)
            | Requires::TallyOverViews { .. } => continue,
            Requires::Held(kind) => event::held(timed, act, kind, b, t, true),
            Requires::HeldFromAnother(kind) => event::held(timed, act, kind, b, t, false),
            Requires::Tally { of, at_least } => {
                let most: usize = of
                    .iter()
                    .map(|kind| event::held(timed, act, kind, b, t, true).len())
                    .sum();
                for way in &mut ways {
                    let tally = event::tally(timed, act, of, b, t);
                    way.tally = Some((timed.count(*at_least), most as i64, tally));
                }
                continue;
            }
        };
        ways = ways
            .iter()
            .flat_map(|way| {
                alternatives.iter().map(|held| Held {
                    missing: way.missing.clone() + (1 - held.clone()),
                    tally: way.tally.clone(),
                })
            })
            .collect();
    }
    ways
}
