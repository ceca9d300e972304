//! Validity: nobody decides what was not proposed.

use super::{Facts, Property};
use milp_schema::{
    BlockId,
    trace::{TraceEvent, What},
    vocabulary::Role,
};
use std::collections::BTreeSet;

pub(crate) const VALIDITY: Property = Property {
    name: "validity",
    expectation: "every decided block was proposed by the primary of its view",
    violations,
};

fn violations(facts: &Facts, trace: &[TraceEvent]) -> Vec<String> {
    let mut proposed: BTreeSet<BlockId> = BTreeSet::new();
    let mut sentences = Vec::new();
    for event in trace {
        let said = matches!(event.what, What::Send | What::Inject);
        if let Some(message) = event.message.as_ref().filter(|_| said)
            && message.kind.is(Role::Proposal)
            && event.replica == (facts.primary)(message.height, message.view)
        {
            proposed.extend(message.block_id());
        }
        if let Some(block) = event.decided().filter(|block| !proposed.contains(block)) {
            let slot = event.slot;
            sentences.push(format!(
                "replica {} decided {block} in slot {slot} before its primary proposed it",
                event.replica
            ));
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, facts, judge};
    use super::*;
    use milp_schema::verdict::Holds;

    #[test]
    fn a_block_is_valid_if_its_primary_proposed_it_before() {
        let facts = facts("dbft2", &[3]);
        let decide = event(What::Decide, 2, "Block v0 b0");
        for (proposal, holds) in [
            (event(What::Send, 0, "PrepareRequest v0 b0"), Holds::Holds),
            (
                event(What::Send, 1, "PrepareRequest v0 b0"),
                Holds::Violated,
            ),
            (
                event(What::Send, 0, "PrepareRequest v0 b1"),
                Holds::Violated,
            ),
            (event(What::Inject, 0, "PrepareRequest v0 b0"), Holds::Holds),
        ] {
            let trace = [proposal, decide.clone()];
            assert_eq!(judge(&VALIDITY, &facts, &trace), holds, "{:?}", trace[0]);
        }
    }
}
