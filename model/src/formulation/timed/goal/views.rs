//! `views`: the highest view an honest replica enters, plus one.

use super::counted::reached_views;
use crate::{expr::Expr, formulation::timed::Timed};
use milp_schema::instance::Sense;

/// Views are nested, so the number of views above 0 that someone reached is the highest of them.
pub(super) fn objective(timed: &mut Timed) -> (Sense, Expr) {
    let reached: Expr = reached_views(timed).into_iter().sum();
    (Sense::Maximize, reached + 1)
}
