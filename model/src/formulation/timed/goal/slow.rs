//! `slow`: latest first honest decision, at height 0.

use crate::{expr::Expr, formulation::timed::Timed, program::Tag};
use milp_schema::instance::Sense;

/// The slot of the first decision is the number of slots, slot 0 included, at whose end nobody has
/// decided: `Σ_t (1 − first^t)` with `decided_i^t ≤ first^t`. An execution without a decision has
/// the value T + 1, which is "not bounded within the horizon", never a slot.
pub(super) fn objective(timed: &mut Timed) -> (Sense, Expr) {
    let defines = timed
        .draft
        .family("decide_defines_first", "E13", &[], Tag::Goal);
    let stays = timed.draft.family("first_stays", "E13", &[], Tag::Goal);
    let mut undecided = Expr::from(1); // slot 0
    let mut before = Expr::default();
    for t in timed.slots() {
        let first = timed.goal_column("first", [t, 0, 0]);
        for i in 0..timed.n {
            let decided = timed.decided(i, 0, t);
            timed
                .draft
                .at_most(defines, &format!("_i{i}_t{t}"), decided, first.clone());
        }
        timed
            .draft
            .at_most(stays, &format!("_t{t}"), before, first.clone());
        before = first.clone();
        undecided += 1 - first;
    }
    (Sense::Maximize, undecided)
}
