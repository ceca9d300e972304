//! What an honest replica has to do, in the slot in which it can.

use super::{
    acts::{Seat, barring, family},
    columns::{Slots, What},
    moments::Moment,
};
use crate::{expr::Expr, group::Group, program::Tag};
use milp_schema::protocol::Scope;

/// Rows for everything that must be done.
pub(super) fn forced(slots: &mut Slots) {
    for h in 0..slots.heights {
        for deed in 0..slots.at[h as usize].deeds.len() {
            let it = slots.deed(h, deed);
            if !it.is_must() || it.is_plain_start() {
                continue;
            }
            let entry = it.is_entry();
            for i in 0..slots.n {
                let seat = Seat { h, deed, i };
                if !slots.does(h, deed, i) {
                    continue;
                }
                if entry {
                    forces_entry(slots, seat);
                } else {
                    forces(slots, seat);
                }
            }
        }
    }
}

/// One way for all needs to be met: the number of them, and the sum that reaches it then.
pub(super) fn ways(slots: &Slots, seat: Seat, t: u32) -> Vec<(i64, Expr)> {
    let mut ways = vec![(0, Expr::default())];
    for need in &seat.deed(slots).act.needs {
        let met = slots.met(seat.h, need, seat.i, t);
        ways = ways
            .iter()
            .flat_map(|(count, sum)| {
                met.iter()
                    .map(move |one| (count + 1, sum.clone() + one.clone()))
            })
            .collect();
    }
    ways
}

/// Who does nothing by rule, or nothing more at the height: Byzantine, crashed, decided.
fn absent(slots: &Slots, seat: Seat, t: u32, decided: Moment) -> Expr {
    slots.byzantine(seat.i)
        + slots.crashed(seat.i, t)
        + slots.decided(seat.h, seat.i, decided.of(t))
}

/// What bars a deed, as an excuse.
fn barred(slots: &Slots, seat: Seat, t: u32, moment: Option<Moment>) -> Expr {
    let bars = seat.deed(slots).act.bars.clone();
    let by = |other| {
        moment
            .unwrap_or_else(|| slots.excuses(seat.h, seat.deed, other))
            .of(t)
    };
    bars.iter()
        .flat_map(|bar| barring(slots, seat, bar, t, by))
        .sum()
}

/// The same record made, whatever the rule, or another one of its kind and view before.
pub(super) fn done(slots: &Slots, seat: Seat, t: u32) -> Expr {
    let Seat { h, deed, i } = seat;
    let at = &slots.at[h as usize];
    let it = &at.deeds[deed];
    let Some(record) = it.makes() else {
        let alike = |other: &super::columns::Deed| {
            matches!(other.what, What::Starts(_))
                && (other.act.rule, other.view()) == (it.act.rule, it.view())
        };
        let all = at
            .deeds
            .iter()
            .enumerate()
            .filter(|(_, other)| alike(other));
        return all.map(|(other, _)| slots.did(h, other, i, t)).sum();
    };
    let decides = at.ground.is_final(record.kind);
    let mut done = Expr::default();
    for (made, makers) in &at.makers {
        let same = made.kind == record.kind && made.view == record.view;
        for &other in makers {
            let firing = slots.timer_of(h, other).is_some() && slots.timer_of(h, deed).is_none();
            if *made == record && !firing {
                done += slots.did(h, other, i, t);
            } else if same && !decides {
                let s = slots.excuses(h, deed, other).of(t);
                done += slots.did(h, other, i, s);
            }
        }
    }
    done
}

/// Entered, on a firing only before: deliveries come first.
fn led(slots: &Slots, seat: Seat, t: u32) -> Expr {
    let Seat { h, deed, i } = seat;
    let ways = slots.ways(h, slots.deed(h, deed).act.letters.v).into_iter();
    let by = |way: usize| {
        if slots.timer_of(h, way).is_some() {
            t - 1
        } else {
            t
        }
    };
    ways.map(|way| slots.did(h, way, i, by(way))).sum()
}

/// What must be done and can be is done in that slot, one row for each way to meet the needs:
/// `Σ met^t ≤ needs − 1 + done^t + barred^s + absent`, absent being who is Byzantine, crashed, decided
/// before the slot, not in the view by its end or beyond it before.
///
/// What excludes it counts as an excuse from the next slot on (s = t − 1): in one slot it could come
/// first or last, by the order of the copies (E62).
fn forces(slots: &mut Slots, seat: Seat) {
    let family = family(slots, seat, "is_forced", None, Group::PROMPT);
    let Seat { h, i, .. } = seat;
    let (view, scope) = (seat.deed(slots).view(), seat.deed(slots).act.scope);
    let decides = seat
        .deed(slots)
        .makes()
        .is_some_and(|it| slots.at[h as usize].ground.is_final(it.kind));
    for t in slots.slots() {
        let place = match scope {
            Scope::View => 1 - slots.entered(h, i, view, t) + slots.entered(h, i, view + 1, t - 1),
            Scope::Height => 1 - slots.entered(h, i, 0, t),
        };
        let decided = match seat.deed(slots).what {
            What::Starts(_) => Moment::Now,
            _ => Moment::Before,
        };
        let mut excuse = place + absent(slots, seat, t, decided);
        excuse += barred(slots, seat, t, None);
        excuse += if decides {
            // What was decided before is an excuse already.
            done(slots, seat, t) - done(slots, seat, t - 1)
        } else {
            done(slots, seat, t)
        };
        for (number, (count, met)) in ways(slots, seat, t).into_iter().enumerate() {
            let label = format!("{}_{number}", seat.label(slots, t));
            slots
                .draft
                .at_most(family, &label, met - (count - 1).into(), excuse.clone());
        }
    }
}

/// A view is entered in the slot in which it can be. Behind the last view nobody can be: executions
/// in which somebody would are outside the horizon, and so are those in which a view is skipped (E40).
///
/// As above, from who is in the view before at the end of the slot. Who was in it before the slot is
/// excused by what happens in the same slot where the copies that lead out can wait for that.
fn forces_entry(slots: &mut Slots, seat: Seat) {
    let Seat { h, i, deed } = seat;
    let w = seat.deed(slots).act.letters.v;
    let skips = seat.deed(slots).what == What::Skips;
    let waits = slots.can_wait(h, deed);
    let (verb, purpose) = if w >= slots.views {
        ("ends_horizon", (Tag::Budget, Group::ORDER))
    } else {
        ("is_forced", (Tag::Legal, Group::PROMPT))
    };
    let forces = family(slots, seat, verb, None, purpose);
    let skipped = slots
        .draft
        .leaves_out("enter_excludes_skip", crate::left_out::LeftOut::SkippedView);
    for t in slots.slots() {
        // From which view, where at the start or the end of the slot, and what excuses.
        let mut cases = Vec::new();
        if !seat.deed(slots).doubled {
            let here = |s| slots.entered(h, i, w - 1, s);
            if waits {
                cases.push((forces, here(t - 1), Moment::Now));
            }
            cases.push((forces, here(t), Moment::Before));
        }
        if skips && w > 1 {
            let above = slots.entered(h, i, 0, t) - slots.entered(h, i, w - 1, t);
            cases.push((skipped, above, Moment::Before));
        }
        for (case, (family, here, moment)) in cases.into_iter().enumerate() {
            let newly = (moment == Moment::Before && waits && case == 1)
                .then(|| slots.entered(h, i, w - 1, t - 1));
            let mut excuse = 1 - here + absent(slots, seat, t, moment);
            excuse += barred(slots, seat, t, (moment == Moment::Now).then_some(moment));
            excuse += led(slots, seat, t);
            excuse += newly.unwrap_or_default();
            for (number, (count, met)) in ways(slots, seat, t).into_iter().enumerate() {
                let label = format!("{}_{case}_{number}", seat.label(slots, t));
                slots
                    .draft
                    .at_most(family, &label, met - (count - 1).into(), excuse.clone());
            }
        }
    }
}
