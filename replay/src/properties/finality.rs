//! Block finality: at most one block of a height can be shown to be final.
//!
//! A certificate is a quorum of signed votes of one view for one value, whoever holds them. Byzantine replicas vote for
//! anything, so a block has one as soon as honest votes and Byzantine replicas make a quorum. Which
//! votes these are the protocol says: commits in dBFT 2.0 and preparations in dBFT 1.0.

use super::{Facts, Property};
use milp_schema::{BlockId, Height, ReplicaId, View, trace::TraceEvent};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const FINALITY: Property = Property {
    name: "finality",
    expectation: "at most one block with a valid certificate exists at a height",
    violations,
};

/// Blocks for which a certificate exists, by height.
fn certified(facts: &Facts, trace: &[TraceEvent]) -> BTreeMap<Height, BTreeSet<BlockId>> {
    let mut votes: BTreeMap<(BlockId, View), BTreeSet<ReplicaId>> = BTreeMap::new();
    for event in trace {
        let Some(message) = event.sent() else {
            continue;
        };
        let counts = message.kind.does().is_final;
        if let Some(block) = message.block_id().filter(|_| counts) {
            let ballot = (block, message.view);
            votes.entry(ballot).or_default().insert(event.replica);
        }
    }
    let mut certified: BTreeMap<Height, BTreeSet<BlockId>> = BTreeMap::new();
    for ((block, _), by) in votes {
        let by = by.union(&facts.byzantine);
        let power = by.map(|id| facts.power[id.index()] as usize);
        if power.sum::<usize>() >= facts.quorum {
            certified.entry(block.height).or_default().insert(block);
        }
    }
    certified
}

fn violations(facts: &Facts, trace: &[TraceEvent]) -> Vec<String> {
    certified(facts, trace)
        .into_iter()
        .filter(|(_, blocks)| blocks.len() > 1)
        .map(|(height, blocks)| {
            let names: Vec<String> = blocks.iter().map(BlockId::to_string).collect();
            format!(
                "height {height} has certificates for {}",
                names.join(" and ")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, facts, judge};
    use super::*;
    use crate::words;
    use milp_schema::Protocol;
    use milp_schema::trace::What;
    use milp_schema::verdict::Holds;

    #[test]
    fn byzantine_replicas_complete_the_certificates_of_two_blocks() {
        let trace = [
            event(What::Send, 0, "Commit v0 b0"),
            event(What::Send, 1, "Commit v0 b0"),
            event(What::Send, 2, "Commit v1 b0"),
        ];
        assert_eq!(
            judge(&FINALITY, &facts("dbft2", &[3]), &trace),
            Holds::Holds
        );
        // Two Byzantine replicas: replica 2's lonely commit is a third of a quorum.
        let trace = [&trace[1..], &[]].concat();
        assert_eq!(
            judge(&FINALITY, &facts("dbft2", &[0, 3]), &trace),
            Holds::Violated
        );
    }

    #[test]
    fn preparations_are_the_votes_of_dbft1_only() {
        let mut trace = Vec::new();
        for view in 0..2 {
            trace.push(event(
                What::Send,
                view,
                &format!("PrepareRequest v{view} b0"),
            ));
            for backup in 2..4 {
                trace.push(event(
                    What::Send,
                    backup,
                    &format!("PrepareResponse v{view} b0"),
                ));
            }
        }
        for (protocol, holds) in [("dbft1", Holds::Violated), ("dbft2", Holds::Holds)] {
            words::trace(Protocol::shipped(protocol), &mut trace);
            let found = judge(&FINALITY, &facts(protocol, &[]), &trace);
            assert_eq!(found, holds, "{protocol}");
        }
    }
}
