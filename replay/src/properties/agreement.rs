//! Agreement; its violation is a fork.

use super::{Facts, Property};
use milp_schema::{BlockId, Height, ReplicaId, trace::TraceEvent};
use std::collections::BTreeMap;

pub(crate) const AGREEMENT: Property = Property {
    name: "agreement",
    expectation: "no two honest replicas decide different blocks at a height",
    violations,
};

fn violations(_: &Facts, trace: &[TraceEvent]) -> Vec<String> {
    let mut decided: BTreeMap<Height, BTreeMap<BlockId, Vec<ReplicaId>>> = BTreeMap::new();
    for event in trace {
        if let Some(block) = event.decided() {
            let by = decided
                .entry(block.height)
                .or_default()
                .entry(block)
                .or_default();
            by.push(event.replica);
        }
    }
    let forks = decided.into_iter().filter(|(_, blocks)| blocks.len() > 1);
    forks
        .map(|(height, blocks)| {
            let sides: Vec<String> = blocks
                .into_iter()
                .map(|(block, by)| {
                    let who: Vec<String> = by.iter().map(ReplicaId::to_string).collect();
                    format!("{block} by replicas {}", who.join(", "))
                })
                .collect();
            format!("height {height} has {}", sides.join(" and "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, facts, judge};
    use super::*;
    use milp_schema::trace::What;
    use milp_schema::verdict::Holds;

    #[test]
    fn one_block_decided_by_all_agrees_and_two_blocks_fork() {
        let facts = facts("dbft2", &[]);
        let mut trace = vec![
            event(What::Decide, 0, "Block v0 b0"),
            event(What::Decide, 1, "Block v0 b0"),
        ];
        assert_eq!(judge(&AGREEMENT, &facts, &trace), Holds::Holds);
        trace.push(event(What::Decide, 2, "Block v1 b0"));
        assert_eq!(judge(&AGREEMENT, &facts, &trace), Holds::Violated);
    }
}
