//! `weighted`: a weighted sum of blocks, views and messages, in either sense.

use super::counted::{decided_blocks, quorums_that_fit, reached_views};
use crate::{expr::Expr, formulation::timed::Timed};
use milp_schema::instance::Sense;

/// Blocks decided at all heights, views entered (view 0 included), honest broadcasts.
pub(super) fn objective(
    timed: &mut Timed,
    sense: Sense,
    [blocks, views, messages]: [i64; 3],
) -> (Sense, Expr) {
    let things = decided_blocks(timed);
    let views_reached = reached_views(timed);
    quorums_that_fit(timed, &things, &views_reached);
    let decided: Expr = things.into_iter().map(|(_, block)| block).sum();
    let reached: Expr = views_reached.into_iter().sum::<Expr>() + 1;
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
