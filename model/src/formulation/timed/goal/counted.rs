//! What several goals count: blocks decided and views reached.

use super::super::families::{
    asks_or_votes_once, decision_quorums, most_decisions, reached_quorum,
};
use crate::{expr::Expr, formulation::timed::Timed, group::Group, program::Tag};

/// `block_hvb`: some honest replica decided (h, v, b) by the horizon; (38) in both directions.
///
/// `block ≤ Σ_i decided_ib^T`, `decided_ib^T ≤ block`, and the honest quorum behind it.
pub(super) fn decided_blocks(timed: &mut Timed) -> Vec<((u32, u32, u32), Expr)> {
    let defines = timed
        .draft
        .family("decide_defines_block", "E13", &[2, 38], Tag::Goal);
    let quorum = timed.draft.family(
        "block_requires_honest_quorum",
        "E13",
        &[39],
        Group::BEHIND_A_QUORUM,
    );
    let mut blocks = vec![];
    for (h, v) in timed.height_views() {
        for b in timed.blocks(h, v) {
            let block = timed.goal_column("block", [h, v, b]);
            let mut all = Expr::default();
            for i in 0..timed.n {
                let decided = timed.decided_block(i, h, v, b, timed.horizon);
                let label = format!("_i{i}_h{h}_v{v}_b{b}");
                timed
                    .draft
                    .at_most(defines, &label, decided.clone(), block.clone());
                all += decided;
            }
            timed
                .draft
                .at_most(defines, &format!("_h{h}_v{v}_b{b}"), block.clone(), all);
            decision_quorums(timed, quorum, &block, (h, v, b));
            blocks.push(((h, v, b), block));
        }
    }
    blocks
}

/// `reached_v`: some honest replica entered view v ≥ 1 of some height; both directions.
pub(super) fn reached_views(timed: &mut Timed) -> Vec<Expr> {
    let defines = timed
        .draft
        .family("enter_defines_reached", "E13", &[], Tag::Goal);
    let quorum = timed.draft.family(
        "reached_requires_honest_quorum",
        "E13",
        &[],
        Group::BEHIND_AN_ENTRY,
    );
    let mut reached = vec![];
    for v in 1..timed.views {
        let column = timed.goal_column("reached", [v, 0, 0]);
        let mut all = Expr::default();
        for h in 0..timed.heights {
            for i in 0..timed.n {
                let entered = timed.entered(i, h, v, timed.horizon);
                let label = format!("_i{i}_h{h}_v{v}");
                timed
                    .draft
                    .at_most(defines, &label, entered.clone(), column.clone());
                all += entered;
            }
        }
        timed
            .draft
            .at_most(defines, &format!("_v{v}"), column.clone(), all);
        reached_quorum(timed, quorum, &column, v);
        reached.push(column);
    }
    reached
}

/// At every height only so many quorums of votes fit as [`most_decisions`] says, and a view
/// reached takes as many honest replicas from them as a block:
/// `Σ_v block_v ≤ most` and, with one height, `Σ_(u<w) block_u + reached_w ≤ most` for every view w.
///
/// The second rows exist where a vote and a request to leave a view exclude each other
/// ([`asks_or_votes_once`]). Proof: behind each block of a view u < w stand q − β honest votes, and
/// behind w the q − β honest requests made in w − 1. All these replicas differ: votes are cast
/// once, and who asked to leave w − 1 neither votes in it nor voted in a view before. So the blocks
/// and w are together at most (n − β) / (q − β), which grows with β.
///
pub(super) fn quorums_that_fit(
    timed: &mut Timed,
    blocks: &[((u32, u32, u32), Expr)],
    reached: &[Expr],
) {
    let Some(most) = most_decisions(timed) else {
        return;
    };
    let votes = timed.draft.family(
        "decisions_at_most_by_votes",
        "E13",
        &[2],
        Group::VOTES_FOR_DECISIONS,
    );
    let before = |h: u32, end: u32| -> Expr {
        let counted = blocks.iter().filter(|((at, v, _), _)| *at == h && *v < end);
        counted.map(|(_, block)| block.clone()).sum()
    };
    for h in 0..timed.heights {
        let all = before(h, timed.views);
        timed
            .draft
            .at_most(votes, &format!("_h{h}"), all, most.into());
    }
    if timed.heights > 1 || !asks_or_votes_once(timed) {
        return;
    }
    let family = timed.draft.family(
        "decisions_and_reached_at_most_by_votes",
        "E13",
        &[],
        Tag::Valid,
    );
    for (w, reached) in (1..).zip(reached) {
        let sum = before(0, w) + reached.clone();
        timed
            .draft
            .at_most(family, &format!("_v{w}"), sum, most.into());
    }
}

/// At one height chosen by the optimiser, the number of the `things` counted per height.
///
/// With one height the sum itself; with more, `counted ≤ thing`, `counted ≤ chosen_h`,
/// `Σ_h chosen_h ≤ 1`, because blocks at different heights are normal and two at one are not.
/// Where votes are cast once per height the count is at most the number of quorums that fit.
pub(super) fn most_at_one_height(timed: &mut Timed, things: Vec<((u32, u32, u32), Expr)>) -> Expr {
    let most = most_decisions(timed);
    let votes = timed.draft.family(
        "decisions_at_most_by_votes",
        "E13",
        &[2],
        Group::VOTES_FOR_DECISIONS,
    );
    if timed.heights == 1 {
        let all: Expr = things.into_iter().map(|(_, thing)| thing).sum();
        if let Some(most) = most {
            timed.draft.at_most(votes, "", all.clone(), most.into());
        }
        return all;
    }
    let family = timed
        .draft
        .family("count_at_one_height", "E13", &[2], Tag::Goal);
    let chosen: Vec<Expr> = (0..timed.heights)
        .map(|h| timed.goal_column("chosen", [h, 0, 0]))
        .collect();
    timed
        .draft
        .at_most(family, "", chosen.iter().cloned().sum(), 1.into());
    let mut counted = Expr::default();
    let mut at_height = vec![Expr::default(); timed.heights as usize];
    for ((h, v, b), thing) in things {
        let column = timed.goal_column("counted", [h, v, b]);
        let label = format!("_h{h}_v{v}_b{b}");
        timed
            .draft
            .at_most(family, &format!("{label}_a"), column.clone(), thing);
        timed.draft.at_most(
            family,
            &format!("{label}_b"),
            column.clone(),
            chosen[h as usize].clone(),
        );
        at_height[h as usize] += column.clone();
        counted += column;
    }
    for ((h, all), chosen) in at_height.into_iter().enumerate().zip(chosen) {
        if let Some(most) = most {
            timed
                .draft
                .at_most(votes, &format!("_h{h}"), all, chosen * most);
        }
    }
    counted
}
