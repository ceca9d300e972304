//! `weighted`: a weighted sum of blocks, views and messages, in either sense.

use super::{decided_blocks, reached_views};
use crate::{expr::Expr, formulation::timed::Timed};
use milp_schema::instance::Sense;

/// Blocks decided at all heights, views entered (view 0 included), honest broadcasts.
pub(super) fn objective(
    timed: &mut Timed,
    sense: Sense,
    [blocks, views, messages]: [i64; 3],
) -> (Sense, Expr) {
    let decided: Expr = decided_blocks(timed)
        .into_iter()
        .map(|(_, block)| block)
        .sum();
    let reached: Expr = reached_views(timed).into_iter().sum::<Expr>() + 1;
    let mut sent = Expr::default();
    for c in 0..timed.protocol.channels.len() {
        for (h, v) in timed.height_views() {
            for b in timed.channel_blocks(c, h, v) {
                sent += (0..timed.n)
                    .map(|i| timed.sent(c, i, h, v, b, timed.horizon))
                    .sum();
            }
        }
    }
    (sense, decided * blocks + reached * views + sent * messages)
}
