//! Valid rows: what quorums have in common (`ground/meet.rs`), wherever they are complete.

use super::{
    columns::{Key, Slots},
    families::most_faulty,
};
use crate::{
    expr::Expr,
    formulation::meet::{ONE_VALUE, RESTS_ON, SHARED},
    ground::Meet,
    program::Tag,
};
use milp_schema::instance::FaultKind;
use std::collections::BTreeSet;

/// `there` is 1 iff a quorum is complete at somebody in the end; `Σ there ≤ 1` over the values of a
/// kind and view, and `there₁ + there₂ ≤ 1 + Σ there₃`.
pub(super) fn state(slots: &mut Slots) {
    let most = most_faulty(slots, FaultKind::Byzantine);
    for h in 0..slots.heights {
        let open = |quorum: usize| (0..slots.n).any(|i| !ever(slots, h, quorum, i).is_constant());
        let most = u32::try_from(most).unwrap_or(u32::MAX / 2);
        let meet = Meet::new(&slots.at[h as usize].ground, most, open);
        let (same, pairs) = (meet.one_value(), meet.pairs());
        let same: Vec<_> = same.into_iter().filter(|(_, it)| it.len() > 1).collect();
        let mut named: BTreeSet<usize> = same.iter().flat_map(|(_, it)| it.clone()).collect();
        for (first, second, thirds) in &pairs {
            named.extend([*first, *second]);
            named.extend(thirds);
        }
        for quorum in named {
            there(slots, h, quorum);
        }
        let get = |slots: &Slots, quorum: usize| slots.draft.get(&key(h, quorum));
        let family = slots.draft.family(ONE_VALUE, "E6", &[], RESTS_ON);
        for ((kind, v), values) in same {
            let all: Expr = values.iter().map(|&it| get(slots, it)).sum();
            let label = format!("_h{h}_k{}_v{v}", kind.0);
            slots.draft.at_most(family, &label, all, 1.into());
        }
        let family = slots.draft.family(SHARED, "E6", &[], RESTS_ON);
        for (first, second, thirds) in pairs {
            let two = get(slots, first) + get(slots, second);
            let third: Expr = thirds.iter().map(|&it| get(slots, it)).sum();
            let label = format!("_h{h}_m{first}_m{second}");
            slots.draft.at_most(family, &label, two, third + 1);
        }
    }
}

/// Whether a quorum is complete at somebody in the end, where that has a column.
pub(super) fn there_of(slots: &Slots, h: u32, quorum: usize) -> Option<Expr> {
    slots.draft.col(&key(h, quorum)).map(Expr::from)
}

fn key(h: u32, quorum: usize) -> Key {
    Key::Goal("there", [h, quorum as u32, 0])
}

/// Whether a quorum is complete at replica i in the end.
fn ever(slots: &Slots, h: u32, quorum: usize, i: u32) -> Expr {
    slots.complete(h, quorum, i, slots.horizon)
}

/// `complete_i ≤ there ≤ Σ complete_i`.
fn there(slots: &mut Slots, h: u32, quorum: usize) {
    let family = slots
        .draft
        .family("complete_defines_there", "E60", &[], Tag::Goal);
    let there = slots.goal_column("there", [h, quorum as u32, 0]);
    let mut any = Expr::default();
    for i in 0..slots.n {
        let complete = ever(slots, h, quorum, i);
        let label = format!("_{quorum}_i{i}_h{h}");
        slots
            .draft
            .at_most(family, &label, complete.clone(), there.clone());
        any += complete;
    }
    slots
        .draft
        .at_most(family, &format!("_{quorum}_h{h}"), there, any);
}
