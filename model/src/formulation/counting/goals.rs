//! The goals' columns, rows and objectives.

use super::{
    columns::{Counting, Key},
    families::{crashes_at_most, most_decisions},
    walk::{Arc, Need, Role, adopts, only_primary},
};
use crate::{expr::Expr, group::Group, program::Tag};
use milp_schema::instance::{Goal, Sense};

/// States the goal of the instance.
pub(super) fn state(counting: &mut Counting) {
    counting.draft.objective = match counting.book.instance.goal {
        Goal::Fork => {
            let blocks = decided_blocks(counting);
            (Sense::Maximize, at_most_by_votes(counting, blocks))
        }
        Goal::Finality => {
            let certificates = certificates(counting);
            (Sense::Maximize, at_most_by_votes(counting, certificates))
        }
        Goal::Views => (Sense::Maximize, views(counting)),
        Goal::Stall => stall(counting),
        Goal::Weighted {
            sense,
            blocks,
            views: by_view,
            messages,
        } => {
            let decided = decided_blocks(counting);
            let decided = at_most_by_votes(counting, decided);
            let value = decided * blocks + views(counting) * by_view;
            (sense, value + sent(counting) * messages)
        }
        Goal::Slow | Goal::Blame | Goal::Wasted { .. } => {
            unreachable!("refused before anything is built")
        }
    };
}

/// Whether a step decides by the replica's own tally.
fn decides(counting: &Counting, arc: &Arc, b: Option<u32>) -> bool {
    arc.acts.iter().any(|&(e, block)| {
        counting.book.events[e].decides
            && adopts(&counting.book, e).is_none()
            && b.is_none_or(|b| b == block)
    })
}

/// How many replicas decide (v, b), or any block of the view, by their own tally.
pub(super) fn deciding(counting: &Counting, v: u32, b: Option<u32>) -> Expr {
    counting.sum(v, &|arc| decides(counting, arc, b))
}

/// `block_vb`: some honest replica decided (v, b); (38) in both directions, and with the tally behind
/// it: `block ≤ Σ decide ≤ n · block`, `block ≤ open`.
fn decided_blocks(counting: &mut Counting) -> Vec<Expr> {
    let defines = counting
        .draft
        .family("decide_defines_block", "E13", &[2, 38], Tag::Goal);
    let quorum = counting
        .draft
        .family("block_requires_quorum", "E13", &[39], Tag::Valid);
    let n = i64::from(counting.book.n);
    let mut blocks = vec![];
    for (v, b) in counting.book.view_blocks() {
        let block = counting.goal_column("block", [v, b]);
        let decided = deciding(counting, v, Some(b));
        let label = format!("_v{v}_b{b}");
        counting
            .draft
            .at_most(defines, &label, block.clone(), decided.clone());
        counting
            .draft
            .at_most(defines, &format!("{label}_all"), decided, block.clone() * n);
        for open in opens(counting, v, b) {
            counting.draft.at_most(quorum, &label, block.clone(), open);
        }
        blocks.push(block);
    }
    adoptions(counting, &blocks);
    blocks
}

/// The tallies that every decision of (v, b) needs.
fn opens(counting: &Counting, v: u32, b: u32) -> Vec<Expr> {
    let mut needs: Option<Vec<Need>> = None;
    for (arc, _) in counting.all_steps(v) {
        if decides(counting, arc, Some(b)) {
            let tallies = |need: &&Need| matches!(need, Need::Senders { .. });
            let here: Vec<Need> = arc.needs.iter().filter(tallies).cloned().collect();
            needs = Some(match needs {
                None => here,
                Some(known) => known.into_iter().filter(|it| here.contains(it)).collect(),
            });
        }
    }
    needs
        .unwrap_or_default()
        .into_iter()
        .map(|need| counting.draft.get(&Key::Open(v, need)))
        .collect()
}

/// A block is adopted only if somebody decided one: `Σ adopt + Σ decide ≤ n · any`, and
/// `any ≤ Σ block` where blocks have columns, `any ≤ Σ decide` elsewhere.
///
/// Whoever adopts a block decides none of its own. Both forms say the same of integer points; a
/// fraction of a decision makes a smaller fraction of a block (`decide ≤ n · block`), which would
/// pay for n times as many adoptions.
fn adoptions(counting: &mut Counting, blocks: &[Expr]) {
    let adopts = |arc: &Arc| arc.needs.contains(&Need::Decision);
    let views = 0..counting.book.views;
    let adopted: Expr = views.clone().map(|v| counting.sum(v, &adopts)).sum();
    if adopted.is_constant() {
        return;
    }
    let family = counting
        .draft
        .family("adopt_requires_decide", "E13", &[39], Group::PUBLISHED);
    let decided: Expr = views.map(|v| deciding(counting, v, None)).sum();
    let some = if blocks.is_empty() {
        decided.clone()
    } else {
        blocks.iter().cloned().sum()
    };
    let any = counting.goal_column("any", [0; 2]);
    counting.draft.at_most(family, "", any.clone(), some);
    let most = any * i64::from(counting.book.n);
    counting
        .draft
        .at_most(family, "_all", adopted + decided, most);
}

/// The number of the things, and at most as many as quorums fit into the votes.
fn at_most_by_votes(counting: &mut Counting, things: Vec<Expr>) -> Expr {
    let family = counting.draft.family(
        "decisions_at_most_by_votes",
        "E13",
        &[2],
        Group::VOTES_FOR_DECISIONS,
    );
    let all: Expr = things.into_iter().sum();
    if let Some(most) = most_decisions(counting) {
        counting.draft.at_most(family, "", all.clone(), most.into());
    }
    all
}

/// A certificate of (v, b) exists iff the honest replicas that voted for it and the Byzantine ones
/// reach the quorum: `q · certificate ≤ Σ voted + β`, and `(q − B) · certificate ≤ Σ voted`.
fn certificates(counting: &mut Counting) -> Vec<Expr> {
    let defines = counting
        .draft
        .family("certificate_requires_quorum", "E13", &[1], Tag::Goal);
    let valid = counting.draft.family(
        "certificate_requires_honest_quorum",
        "E13",
        &[1],
        Group::BEHIND_A_QUORUM,
    );
    let mut certificates = vec![];
    for (v, b) in counting.book.view_blocks() {
        let certificate = counting.goal_column("certificate", [v, b]);
        for (of, count) in deciding_tallies(counting) {
            let voted = counting.sent(&of, v, b);
            let all = voted.clone() + counting.byzantine();
            let label = format!("_v{v}_b{b}");
            let count = i64::from(count);
            counting
                .draft
                .at_most(defines, &label, certificate.clone() * count, all);
            let least = count - i64::from(counting.book.byzantine);
            if counting.book.byzantine > 0 && least > 0 {
                counting
                    .draft
                    .at_most(valid, &label, certificate.clone() * least, voted);
            }
        }
        certificates.push(certificate);
    }
    certificates
}

/// The tallies that make a block final.
fn deciding_tallies(counting: &Counting) -> Vec<(Vec<usize>, u32)> {
    let book = &counting.book;
    (0..book.events.len())
        .filter(|&e| book.events[e].decides)
        .filter_map(|e| book.tally(e))
        .collect()
}

/// The number of views somebody reached, view 0 included.
fn views(counting: &Counting) -> Expr {
    let reached: Expr = (1..counting.book.views)
        .map(|v| counting.draft.get(&Key::Reached(v)))
        .sum();
    reached + 1
}

/// The number of honest broadcasts.
fn sent(counting: &Counting) -> Expr {
    let mut all = Expr::default();
    for v in 0..counting.book.views {
        for (arc, taken) in counting.all_steps(v) {
            let broadcasts = arc
                .acts
                .iter()
                .filter(|&&(e, _)| counting.book.sends(e).is_some())
                .count();
            all += taken * broadcasts as i64;
        }
    }
    all
}

/// Whether anything is decided, over the executions that end in a final state (E19), minimised.
///
/// Either somebody decides; its block reaches everybody alive, who all end decided. Or nobody does,
/// and everybody alive rests in a state that nothing which was sent leads out of.
fn stall(counting: &mut Counting) -> (Sense, Expr) {
    adoptions(counting, &[]);
    crashes_at_most(counting);
    let height = counting.goal_column("height", [0; 2]);
    decide_defines_height(counting, &height);
    rest_excludes_decide(counting, &height);
    for v in 0..counting.book.views {
        rest_excludes_enter(counting, v);
        rest_excludes_deciding_quorum(counting, v);
    }
    (Sense::Minimize, height)
}

/// `Σ decide ≤ n · height`.
fn decide_defines_height(counting: &mut Counting, height: &Expr) {
    let family = counting
        .draft
        .family("decide_defines_height", "E19", &[], Tag::Goal);
    let decided: Expr = (0..counting.book.views)
        .map(|v| deciding(counting, v, None))
        .sum();
    let all = height.clone() * i64::from(counting.book.n);
    counting.draft.at_most(family, "", decided, all);
}

/// Who is alive rests undecided in a state of view v, by whether a quorum of requests would lead out
/// of it.
fn resting(counting: &Counting, v: u32, leaves: Option<bool>) -> Expr {
    let mut all = Expr::default();
    for role in Role::ALL {
        for (node, state) in counting.walks[role as usize].nodes.iter().enumerate() {
            if leaves.is_none_or(|leaves| leaves == state.leaves) {
                all += counting.draft.get(&Key::Rests(v, role, node));
            }
        }
    }
    all
}

/// A block that was decided reaches everybody alive: `Σ rests ≤ n · (1 − height)`.
fn rest_excludes_decide(counting: &mut Counting, height: &Expr) {
    let family = counting
        .draft
        .family("final_state_excludes_decide", "E19", &[], Tag::Budget);
    let resting: Expr = (0..counting.book.views)
        .map(|v| resting(counting, v, None))
        .sum();
    let none = (1 - height.clone()) * i64::from(counting.book.n);
    counting.draft.at_most(family, "", resting, none);
}

/// Nobody rests unlocked in view v when a quorum asks to leave it, or when somebody has:
/// `Σ rests ≤ n · open_v`, `open_v + reached_(v+1) ≤ 1`, `Σ ask_v ≤ q − 1 + (n − q + 1) · (1 − open_v)`.
///
/// All honest requests arrive. Requests for later views come from replicas that reached v + 1.
/// Byzantine ones stay silent unless somebody needed them to reach v + 1.
fn rest_excludes_enter(counting: &mut Counting, v: u32) {
    let family = counting
        .draft
        .family("final_state_has_no_enabled_enter", "E19", &[], Tag::Budget);
    let n = i64::from(counting.book.n);
    let count = i64::from(counting.book.count(counting.book.enter.at_least));
    let open = counting.goal_column("unlocked", [v, 0]);
    let label = format!("_v{v}");
    let resting = resting(counting, v, Some(true));
    counting
        .draft
        .at_most(family, &label, resting, open.clone() * n);
    let reached = counting.draft.get(&Key::Reached(v + 1));
    counting.draft.at_most(
        family,
        &format!("{label}_next"),
        open.clone() + reached,
        1.into(),
    );
    let asks = counting.did(counting.book.ask, v, 0);
    let most = (1 - open) * (n - count + 1) + (count - 1);
    counting
        .draft
        .at_most(family, &format!("{label}_asks"), asks, most);
}

/// Nobody rests in a view in which the votes for a block make a quorum: `Σ rests ≤ n · stays_v`,
/// `Σ voted ≤ k − 1 + (n − k + 1) · (1 − stays_v)`.
///
/// Every honest vote arrives, and so does the request, because whoever voted had it. Of Byzantine
/// messages only requests are needed when nobody decides; they are votes where the tally takes them.
fn rest_excludes_deciding_quorum(counting: &mut Counting, v: u32) {
    let family =
        counting
            .draft
            .family("final_state_has_no_enabled_decide", "E19", &[], Tag::Budget);
    let n = i64::from(counting.book.n);
    let stays = counting.goal_column("stays", [v, 0]);
    let label = format!("_v{v}");
    let resting = resting(counting, v, None);
    counting
        .draft
        .at_most(family, &label, resting, stays.clone() * n);
    for b in counting.book.blocks(v) {
        for (of, count) in deciding_tallies(counting) {
            let mut voted = counting.sent(&of, v, b);
            if of.iter().any(|&c| only_primary(&counting.book, c)) {
                voted += counting.draft.get(&Key::Request(v, b));
            }
            let count = i64::from(count);
            let most = (1 - stays.clone()) * (n - count + 1) + (count - 1);
            counting
                .draft
                .at_most(family, &format!("{label}_b{b}"), voted, most);
        }
    }
}
