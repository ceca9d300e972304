//! What the adversary optimises, said of acts without slots.

use super::{columns::Causal, families};
use crate::{
    expr::Expr,
    group::Group,
    program::{FamilyId, Tag},
    rule::{Range, Requires},
};
use milp_schema::instance::{Goal, Sense};

/// States the goal of the instance: its columns, its rows and the objective.
pub(super) fn state(causal: &mut Causal) {
    causal.draft.objective = match causal.instance.goal {
        Goal::Fork => {
            let blocks = decided_blocks(causal);
            (Sense::Maximize, most(causal, blocks))
        }
        Goal::Finality => {
            let certificates = certificates(causal);
            (Sense::Maximize, most(causal, certificates))
        }
        Goal::Stall => (Sense::Minimize, stalled(causal)),
        Goal::Views => (Sense::Maximize, reached(causal) + 1),
        Goal::Weighted {
            sense,
            blocks,
            views,
            messages,
        } => {
            let decided: Expr = decided_blocks(causal).into_iter().sum();
            let reached = reached(causal) + 1;
            let sent = broadcasts(causal);
            (sense, decided * blocks + reached * views + sent * messages)
        }
        // Refused: it asks for a slot.
        Goal::Slow | Goal::Blame | Goal::Wasted { .. } => (Sense::Maximize, Expr::default()),
    };
}

/// `block_vb`: some honest replica decides block b of view v: `block ≤ Σ_i decided_ib`,
/// `decided_ib ≤ block`, and the votes behind it.
fn decided_blocks(causal: &mut Causal) -> Vec<Expr> {
    let defines = causal
        .draft
        .family("decide_defines_block", "E13", &[2, 38], Tag::Goal);
    let votes = causal.draft.family(
        "block_requires_honest_quorum",
        "E13",
        &[39],
        Group::BEHIND_A_QUORUM,
    );
    let mut blocks = vec![];
    for v in 0..causal.views {
        for b in causal.blocks(v) {
            let block = causal.goal_column("block", [0, v, b]);
            let mut all = Expr::default();
            for i in 0..causal.n {
                let decided = causal.decided_block(i, v, b);
                let label = format!("_i{i}_v{v}_b{b}");
                causal
                    .draft
                    .at_most(defines, &label, decided.clone(), block.clone());
                all += decided;
            }
            causal
                .draft
                .at_most(defines, &format!("_v{v}_b{b}"), block.clone(), all);
            behind(causal, votes, &block, v, b);
            blocks.push(block);
        }
    }
    blocks
}

/// A block decided by anyone has q − B honest votes, and q votes of honest or Byzantine replicas:
/// `(q − B) · block ≤ Σ_j sent_jb`, `q · block ≤ Σ_j sent_jb + Σ_j byzantine_j`.
///
/// Proof: somebody decided it by its votes, of which at most B are Byzantine.
fn behind(causal: &mut Causal, family: FamilyId, block: &Expr, v: u32, b: u32) {
    for (event, sent, count) in votes(causal, v, b) {
        let honest = count - causal.byzantine_count();
        if honest <= 0 {
            continue;
        }
        let label = format!("_v{v}_b{b}_{event}");
        causal
            .draft
            .at_most(family, &label, block.clone() * honest, sent.clone());
        if causal.byzantine_count() > 0 {
            let any = sent + causal.all_byzantine();
            causal
                .draft
                .at_most(family, &format!("{label}_any"), block.clone() * count, any);
        }
    }
}

/// For every tally of an event that decides block b of view v: its name, honest votes, threshold.
fn votes(causal: &Causal, v: u32, b: u32) -> Vec<(&'static str, Expr, i64)> {
    let mut all = vec![];
    for event in causal.events.iter().filter(|event| event.decides) {
        for requirement in &event.requires {
            if let Requires::Tally { of, at_least } = requirement {
                let sent = of
                    .iter()
                    .map(|kind| causal.channel(kind))
                    .flat_map(|c| (0..causal.n).map(move |j| (c, j)))
                    .map(|(c, j)| causal.sent(c, j, v, b))
                    .sum();
                all.push((event.name, sent, causal.count(*at_least)));
            }
        }
    }
    all
}

/// A certificate exists iff honest votes and the Byzantine ones, who can always add theirs, reach
/// the quorum: `q · certificate ≤ Σ_i voted_ib + Σ_i byzantine_i`; equation (1).
fn certificates(causal: &mut Causal) -> Vec<Expr> {
    let family = causal
        .draft
        .family("certificate_requires_quorum", "E13", &[1], Tag::Goal);
    let honest = causal.draft.family(
        "certificate_requires_honest_quorum",
        "E13",
        &[1],
        Group::BEHIND_A_QUORUM,
    );
    let mut certificates = vec![];
    for v in 0..causal.views {
        for b in causal.blocks(v) {
            let certificate = causal.goal_column("certificate", [0, v, b]);
            for (_, sent, count) in votes(causal, v, b) {
                let all = sent + causal.all_byzantine();
                let label = format!("_v{v}_b{b}");
                causal
                    .draft
                    .at_most(family, &label, certificate.clone() * count, all);
            }
            behind(causal, honest, &certificate, v, b);
            certificates.push(certificate);
        }
    }
    certificates
}

/// The number of the things, at most ⌊(n − B) / (q − B)⌋ where honest replicas vote once per height.
///
/// Proof: each has at least q − β honest votes, and there are at most n − β of them for β ≤ B
/// Byzantine replicas; (n − β) / (q − β) grows with β.
fn most(causal: &mut Causal, things: Vec<Expr>) -> Expr {
    let all: Expr = things.into_iter().sum();
    let byzantine = causal.byzantine_count();
    let mut tallies = vec![];
    for event in causal.events.iter().filter(|event| event.decides) {
        for requirement in &event.requires {
            if let Requires::Tally { of, at_least } = requirement {
                tallies.push((of.clone(), causal.count(*at_least) - byzantine));
            }
        }
    }
    for (of, honest) in tallies {
        let once = of.iter().all(|kind| {
            let senders = causal.senders(causal.channel(kind));
            senders
                .iter()
                .all(|&e| causal.events[e].once == Range::Height)
                && (senders.len() == 1 || causal.pools())
        });
        if once && of.len() == 1 && honest > 0 {
            let family = causal.draft.family(
                "decisions_at_most_by_votes",
                "E13",
                &[2],
                Group::VOTES_FOR_DECISIONS,
            );
            let most = (i64::from(causal.n) - byzantine) / honest;
            causal.draft.at_most(family, "", all.clone(), most.into());
        }
    }
    all
}

/// Whether a block is decided, `block ≤ height`, minimised.
fn stalled(causal: &mut Causal) -> Expr {
    let family = causal
        .draft
        .family("block_defines_height", "E19", &[], Tag::Goal);
    let height = causal.goal_column("height", [0; 3]);
    for (number, block) in decided_blocks(causal).into_iter().enumerate() {
        causal
            .draft
            .at_most(family, &format!("_{number}"), block, height.clone());
    }
    families::stalls(causal, &height);
    height
}

/// The number of views above 0 that an honest replica enters: `entered_iv ≤ reached_v ≤ Σ_i
/// entered_iv`.
fn reached(causal: &mut Causal) -> Expr {
    let defines = causal
        .draft
        .family("enter_defines_reached", "E13", &[], Tag::Goal);
    let mut all = Expr::default();
    for v in 1..causal.views {
        let reached = causal.goal_column("reached", [v, 0, 0]);
        let mut any = Expr::default();
        for i in 0..causal.n {
            let entered = causal.entered(i, v);
            causal.draft.at_most(
                defines,
                &format!("_i{i}_v{v}"),
                entered.clone(),
                reached.clone(),
            );
            any += entered;
        }
        causal
            .draft
            .at_most(defines, &format!("_v{v}"), reached.clone(), any);
        all += reached;
    }
    all
}

/// The number of honest broadcasts.
fn broadcasts(causal: &Causal) -> Expr {
    let mut sent = Expr::default();
    for c in 0..causal.protocol.channels.len() {
        for v in 0..causal.views {
            for b in causal.channel_blocks(c, v) {
                sent += (0..causal.n).map(|i| causal.sent(c, i, v, b)).sum();
            }
        }
    }
    sent
}
