//! Integrity: a decision is taken once.

use super::{Facts, Property};
use milp_schema::{Height, ReplicaId, trace::TraceEvent};
use std::collections::BTreeSet;

pub(crate) const INTEGRITY: Property = Property {
    name: "integrity",
    expectation: "a replica decides at most once per height",
    violations,
};

fn violations(_: &Facts, trace: &[TraceEvent]) -> Vec<String> {
    let mut decided: BTreeSet<(ReplicaId, Height)> = BTreeSet::new();
    trace
        .iter()
        .filter_map(|event| event.decided().map(|block| (event, block)))
        .filter(|(event, block)| !decided.insert((event.replica, block.height)))
        .map(|(event, block)| {
            format!(
                "replica {} decided {block} in slot {}, again",
                event.replica, event.slot
            )
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
    fn a_second_decision_of_one_replica_violates_even_for_the_same_block() {
        let facts = facts("dbft2", &[]);
        let decide = |replica| event(What::Decide, replica, "Block v0 b0");
        assert_eq!(
            judge(&INTEGRITY, &facts, &[decide(0), decide(1)]),
            Holds::Holds
        );
        assert_eq!(
            judge(&INTEGRITY, &facts, &[decide(0), decide(0)]),
            Holds::Violated
        );
    }
}
