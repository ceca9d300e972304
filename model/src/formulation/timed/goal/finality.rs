//! `finality`: most valid certificates that exist at one height, whoever holds them; equation (1).

use super::super::families::decision_quorums;
use super::counted::most_at_one_height;
use crate::{expr::Expr, formulation::timed::Timed, group::Group, program::Tag, rule::Requires};
use milp_schema::instance::Sense;

/// A certificate of (h, v, b) exists iff the honest replicas that voted for it and the Byzantine
/// ones, who can always add their votes, reach the quorum:
/// `q · certificate ≤ Σ_i voted_ib^T + Σ_i byzantine_i`.
pub(super) fn objective(timed: &mut Timed) -> (Sense, Expr) {
    let family = timed
        .draft
        .family("certificate_requires_quorum", "E13", &[1], Tag::Goal);
    let last = timed.horizon;
    let deciding: Vec<_> = timed
        .events
        .iter()
        .filter(|event| event.decides)
        .flat_map(|event| event.requires.clone())
        .filter_map(|requirement| match requirement {
            Requires::Tally { of, at_least } => Some((of, at_least)),
            _ => None,
        })
        .collect();
    let mut certificates = vec![];
    for (h, v) in timed.height_views() {
        for b in timed.blocks(h, v) {
            let certificate = timed.goal_column("certificate", [h, v, b]);
            for (of, at_least) in &deciding {
                let mut votes: Expr = (0..timed.n).map(|i| timed.byzantine(i)).sum();
                for kind in of {
                    let c = timed.channel(kind);
                    votes += (0..timed.n).map(|i| timed.sent(c, i, h, v, b, last)).sum();
                }
                let count = timed.count(*at_least);
                let label = format!("_h{h}_v{v}_b{b}");
                timed
                    .draft
                    .at_most(family, &label, certificate.clone() * count, votes);
            }
            let honest = timed.draft.family(
                "certificate_requires_honest_quorum",
                "E13",
                &[1],
                Group::BEHIND_A_QUORUM,
            );
            decision_quorums(timed, honest, &certificate, (h, v, b));
            certificates.push(((h, v, b), certificate));
        }
    }
    (Sense::Maximize, most_at_one_height(timed, certificates))
}
