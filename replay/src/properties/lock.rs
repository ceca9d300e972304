//! The commit lock of §8.6.2.
//!
//! dBFT 1.0 has no binding vote, so nothing there can break the lock; a vote that binds to a block
//! of an earlier view binds to what may change. The same vote once more, word
//! for word, binds to nothing new: a replica that lost its memory in a crash may well repeat it.

use super::{Facts, Property};
use milp_schema::{
    Height, Message, Protocol, ReplicaId,
    trace::TraceEvent,
    vocabulary::{Names, Role},
};
use std::collections::BTreeMap;

pub(crate) const LOCK: Property = Property {
    name: "lock",
    expectation: "after a commit no honest replica commits to anything else or asks for a view at the height",
    violations,
};

/// What binds to a block of any view may be let go of later, and no vocabulary says when.
pub(crate) fn moves(protocol: Protocol) -> bool {
    let mut kinds = protocol.kinds().map(milp_schema::Kind::does);
    kinds.any(|does| does.binds && does.names == Names::AnyValue)
}

fn violations(_: &Facts, trace: &[TraceEvent]) -> Vec<String> {
    let mut bound: BTreeMap<(ReplicaId, Height), &Message> = BTreeMap::new();
    let mut sentences = Vec::new();
    for event in trace {
        let Some(message) = event.sent() else {
            continue;
        };
        let place = (event.replica, message.height);
        let does = message.kind.does();
        let binds = does.binds && does.names == Names::Value;
        let breaks = |vote: &&&Message| {
            if binds {
                **vote != message
            } else {
                message.kind.is(Role::Leave)
            }
        };
        if let Some(vote) = bound.get(&place).filter(breaks) {
            sentences.push(format!(
                "replica {} sent {message} in slot {} after {vote}",
                event.replica, event.slot
            ));
        }
        if binds {
            bound.entry(place).or_insert(message);
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, facts, judge};
    use super::*;
    use milp_schema::trace::What;
    use milp_schema::verdict::Holds;

    #[test]
    fn a_commit_forbids_another_commit_and_a_change_view_of_the_same_replica_but_not_itself() {
        let facts = facts("dbft2", &[]);
        let commit = event(What::Send, 1, "Commit v0 b0");
        for (then, holds) in [
            (event(What::Send, 1, "Commit v1 b0"), Holds::Violated),
            (event(What::Send, 1, "Commit v0 b1"), Holds::Violated),
            (event(What::Send, 1, "Commit v0 b0"), Holds::Holds),
            (event(What::Send, 1, "ChangeView v0"), Holds::Violated),
            (event(What::Send, 2, "ChangeView v0"), Holds::Holds),
            (event(What::Send, 1, "Block v0 b0"), Holds::Holds),
        ] {
            assert_eq!(
                judge(&LOCK, &facts, &[commit.clone(), then.clone()]),
                holds,
                "{then:?}"
            );
        }
        let before = event(What::Send, 1, "ChangeView v0");
        assert_eq!(
            judge(&LOCK, &facts, &[before, commit]),
            Holds::Holds,
            "the other order"
        );
    }
}
