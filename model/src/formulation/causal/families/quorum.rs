//! Numbers of messages that guards ask for, and since when they are there.

use super::super::columns::{Act, Causal, Counted, Key, Quorum};
use crate::{expr::Expr, group::Group, program::Tag};

/// The quorums that more than one replica may wait for.
///
/// A quorum is complete when enough of its messages count, `q · complete ≤ Σ counts + Byzantine
/// votes`; a message counts that was sent, `counts ≤ sent`, and by then:
/// `ℓ(send) ≤ ℓ(Q) + L (1 − counts)`.
///
/// One quorum stands for all replicas: whoever has the guard met could have had it met by the same
/// messages, because they are among those under way to it, and what it takes them for nothing else
/// reads (`docs/MODEL.md`).
pub(in super::super) fn quorums(causal: &mut Causal) {
    for m in 0..causal.quorums.len() {
        let quorum = causal.quorums[m].clone();
        let complete = causal
            .draft
            .family("quorum_requires_messages", "E6", &[39], Group::MEMORY);
        let counts = causal.draft.family(
            "count_requires_send",
            "E2",
            &[23, 30, 34],
            Group::SIGNATURES,
        );
        let guards = causal.guards();
        let level = causal
            .draft
            .family("quorum_requires_message_before", "E2", &[], Group::MEMORY);
        let mut all = causal.forged_votes(&quorum);
        for (e, j, v) in members(causal, &quorum) {
            let counted = causal.look_up(&Key::Counts(m, e, j, v));
            let label = format!("_{}_{}_i{j}_v{v}", quorum.name, causal.events[e].name);
            let sent = match quorum.about {
                Counted::Block(_, b) => causal.did(e, j, v, b),
                _ => causal.did_in_view(e, j, v),
            };
            causal.draft.at_most(counts, &label, counted.clone(), sent);
            all += counted.clone();
            if !guards {
                continue;
            }
            let since = causal.look_up(&Key::Since(m));
            let right = since + (1 - counted) * causal.highest;
            causal
                .draft
                .at_most(level, &label, causal.level(Act::Does(e, j, v)), right);
        }
        let needs = causal.complete(m) * quorum.at_least;
        causal
            .draft
            .at_most(complete, &format!("_{}", quorum.name), needs, all);
        sent_anyway(causal, m, &quorum);
    }
}

/// The acts whose messages may count: (event, sender, view).
pub(in super::super) fn members(causal: &Causal, quorum: &Quorum) -> Vec<(usize, u32, u32)> {
    let of = quorum.of.iter();
    of.flat_map(|&c| causal.counted(c, quorum.about)).collect()
}

/// Behind a quorum stand at least q − B honest senders: `(q − B) · complete ≤ Σ sent`.
///
/// Proof: at most B of the votes are Byzantine, and every other one was sent.
fn sent_anyway(causal: &mut Causal, m: usize, quorum: &Quorum) {
    let honest = quorum.at_least - causal.byzantine_count();
    if honest <= 0 || causal.byzantine_count() == 0 {
        return;
    }
    let family = causal
        .draft
        .family("quorum_requires_honest_messages", "E6", &[], Tag::Valid);
    let counted: Expr = members(causal, quorum)
        .into_iter()
        .map(|(e, j, v)| causal.look_up(&Key::Counts(m, e, j, v)))
        .sum();
    let needs = causal.complete(m) * honest;
    causal
        .draft
        .at_most(family, &format!("_{}", quorum.name), needs, counted);
}
