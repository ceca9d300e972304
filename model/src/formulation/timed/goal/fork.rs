//! `fork`: most blocks decided by honest replicas at one height; equation (2), per height.

use super::counted::{decided_blocks, most_at_one_height};
use crate::{expr::Expr, formulation::timed::Timed};
use milp_schema::instance::Sense;

pub(super) fn objective(timed: &mut Timed) -> (Sense, Expr) {
    let blocks = decided_blocks(timed);
    (Sense::Maximize, most_at_one_height(timed, blocks))
}
