//! The step of an honest replica into the next view.

use super::{
    acts::{Seat, family, seats},
    columns::Slots,
};
use crate::{ground::Need, group::Group, program::Tag};

/// Views are entered one by one, for one reason, and by who is not Byzantine.
pub(super) fn entries(slots: &mut Slots) {
    for seat in seats(slots) {
        if seat.deed(slots).is_entry() {
            requires_view_before(slots, seat);
        } else if slots.timer_of(seat.h, seat.deed).is_some() {
            entry_excludes_firing(slots, seat);
        }
    }
    let family = slots
        .draft
        .family("enter_at_most_once", "E8", &[], Group::PLACE);
    for h in 0..slots.heights {
        for i in 0..slots.n {
            for w in 1..slots.views {
                let entered = slots.entered(h, i, w, slots.horizon);
                let label = format!("_i{i}_h{h}_v{w}");
                if !entered.is_constant() {
                    let sum = entered + slots.byzantine(i);
                    slots.draft.at_most(family, &label, sum, 1.into());
                }
            }
        }
    }
}

/// A replica enters one view above 0 in a slot (E8): `did^t ≤ entered_(w−1)^(t−1)`, and for w = 1
/// `did^t ≤ entered_0^t`.
fn requires_view_before(slots: &mut Slots, seat: Seat) {
    let family = family(
        slots,
        seat,
        "requires_view_before",
        Some("E8"),
        Group::PLACE,
    );
    let w = seat.deed(slots).act.letters.v;
    for t in slots.slots() {
        let before = slots.entered(seat.h, seat.i, w - 1, if w == 1 { t } else { t - 1 });
        slots
            .draft
            .at_most(family, &seat.label(slots, t), seat.did(slots, t), before);
    }
}

/// Deliveries come before firings, so that a timer does not fire in a view that they make its
/// replica leave: `Δ^t + Δentered_(v+1)^t ≤ 1`. What the firing makes may itself complete the quorum
/// that leads out of the view: `Σ_(j≠i) counted_ij^t ≤ q − 1 + (m − q + 1) · (2 − Δ^t − Δentered^t)`
/// with m what the others can have.
fn entry_excludes_firing(slots: &mut Slots, seat: Seat) {
    let family = family(
        slots,
        seat,
        "excludes_enter",
        Some("E8"),
        (Tag::Legal, Group::ORDER),
    );
    let Seat { h, i, .. } = seat;
    let w = seat.deed(slots).view() + 1;
    for way in slots.ways(h, w) {
        if !slots.deed(h, way).is_must() || !slots.does(h, way, i) || w >= slots.views {
            continue;
        }
        let quorum = completes(slots, seat, way);
        for t in slots.slots() {
            let both = seat.now(slots, t) + slots.does_in(h, way, i, t);
            let label = format!("{}_{way}", seat.label(slots, t));
            let Some(quorum) = quorum else {
                slots.draft.at_most(family, &label, both, 1.into());
                continue;
            };
            let others = (0..slots.n).filter(|&j| j != i);
            let held = others.map(|j| slots.counted(h, quorum, i, j, t)).sum();
            let least = slots.at_least(h, quorum);
            let slack = slots.most(h, quorum, i) - slots.power(i) - least + 1;
            if slack > 0 {
                let right = (2 - both) * slack + (least - 1);
                slots.draft.at_most(family, &label, held, right);
            }
        }
    }
}

/// The quorum of a way into the next view that what a firing makes counts in, if it asks for no more.
fn completes(slots: &Slots, seat: Seat, way: usize) -> Option<usize> {
    let made = seat.deed(slots).makes()?;
    match slots.deed(seat.h, way).act.needs.as_slice() {
        [Need::Quorum(quorum)] => {
            let own = slots.of_quorum(seat.h, *quorum, seat.i, seat.i);
            own.contains(&made).then_some(*quorum)
        }
        _ => None,
    }
}
