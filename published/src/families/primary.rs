//! Who is the primary of a view.

use super::super::{Model, index::Index};
use milp_model::expr::Expr;

/// The first view has a primary, every view at most one, and nobody is the primary twice:
/// `Σ_i Primary(i,1) = 1`, `Σ_i Primary(i,v) ≤ 1`, `Σ_v Primary(i,v) ≤ 1`.
///
/// Scope: all; of the first priority, the last one of each priority.
pub(super) fn one_per_view(model: &mut Model) {
    let first = model.first();
    let in_view = model.has_primary(first, 1);
    model.equal("consensusShouldStart", Index(vec![]), in_view, 1.into());
    for v in model.all_views() {
        let in_view = model.has_primary(first, v);
        model.at_most("singlePrimaryEveryView", [v], in_view, 1.into());
    }
    for p in model.priorities() {
        for i in model.everybody() {
            let often: Expr = model
                .all_views()
                .map(|v| model.var("Primary", p.then([i, v])))
                .sum();
            model.at_most("primaryOO", p.then([i]), often, 1.into());
        }
    }
}

/// A second primary exists in the first view only, and is another replica:
/// `Σ_i Primary(2,i,1) = 1`, `Σ_i Σ_(v>1) Primary(2,i,v) = 0`, `Σ_p Primary(p,i,1) ≤ 1`.
///
/// Scope: all; dBFT 3.0.
pub(super) fn second_priority(model: &mut Model) {
    let [_, second] = model.priorities()[..] else {
        return;
    };
    let in_view = model.has_primary(second, 1);
    model.equal("primary2OnlyFirstView", Index(vec![]), in_view, 1.into());
    let later: Expr = model
        .later_views()
        .map(|v| model.has_primary(second, v))
        .sum();
    model.equal("primary20ForOtherViews", Index(vec![]), later, 0.into());
    for i in model.everybody() {
        let both: Expr = model
            .priorities()
            .into_iter()
            .map(|p| model.var("Primary", p.then([i, 1])))
            .sum();
        model.at_most("differentPrimariesOnView1", [i], both, 1.into());
    }
}

/// A view has a primary only if all views before it had one, and the primary holds a quorum of
/// requests to leave the view before: `(v−1) · Σ_i Primary(i,v) ≤ Σ_(u<v) Σ_i Primary(i,u)`,
/// `M · Primary(i,v) ≤ changeViewRecvPerNodeAndView(i,v−1)`.
///
/// Scope: all, of the first priority.
pub(super) fn views_in_order(model: &mut Model) {
    let first = model.first();
    for v in model.later_views() {
        let before: Expr = (1..v).map(|u| model.has_primary(first, u)).sum();
        let in_view = model.has_primary(first, v) * i64::from(v - 1);
        model.at_most("avoidJumpingViews", [v], in_view, before);
    }
    for (i, v) in model.pairs().into_iter().filter(|&(_, v)| v > 1) {
        let primary = model.var("Primary", first.then([i, v])) * model.m();
        let asked = model.asked((i, v - 1));
        model.at_most("nextPrimaryOnlyIfEnoughCV", [i, v], primary, asked);
    }
}
