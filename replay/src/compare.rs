//! Prediction against trace: every difference is a divergence with a sentence.

use milp_schema::{
    ReplicaId, Slot,
    schedule::{Event, Prediction},
    trace::{Phase, TraceEvent},
};
use std::cmp::Ordering;

/// What honest replicas did in the slots of the schedule, ascending.
///
/// Byzantine replicas do nothing a prediction could name, so every such event is an honest one.
pub(crate) fn observed(trace: &[TraceEvent]) -> Vec<Prediction> {
    let mut seen: Vec<Prediction> = trace
        .iter()
        .filter(|event| event.phase == Phase::Schedule)
        .filter_map(|event| {
            let (slot, replica) = (event.slot, event.replica);
            event.event().map(|event| Prediction {
                slot,
                replica,
                event,
            })
        })
        .collect();
    seen.sort_unstable();
    seen
}

/// Compares as multisets per slot; one sentence for each event on one side only.
pub(crate) fn divergences(predicted: &[Prediction], observed: &[Prediction]) -> Vec<String> {
    let mut predicted = predicted.to_vec();
    predicted.sort_unstable();
    assert!(observed.is_sorted(), "observed events come sorted");
    let (mut left, mut right) = (predicted.iter().peekable(), observed.iter().peekable());
    let mut sentences = Vec::new();
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return sentences,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(expected), Some(happened)) => expected.cmp(happened),
        };
        if order == Ordering::Equal {
            left.next();
            right.next();
        } else if order == Ordering::Less {
            sentences.extend(
                left.next()
                    .map(|p| sentence(p, "was predicted", "and did not")),
            );
        } else {
            sentences.extend(
                right
                    .next()
                    .map(|p| sentence(p, "did", "which was not predicted")),
            );
        }
    }
}

/// `slot 5: replica 2 sent Commit h0 v0 b0, which was not predicted`.
fn sentence(event: &Prediction, side: &str, tail: &str) -> String {
    let Prediction {
        slot,
        replica,
        event,
    } = event;
    let verb = |past: &'static str, plain: &'static str| {
        if side == "did" {
            past.to_owned()
        } else {
            format!("was predicted to {plain}")
        }
    };
    let (comma, act) = (
        if side == "did" { "," } else { "" },
        match event {
            Event::Send(message) => format!("{} {message}", verb("sent", "send")),
            Event::EnterView { height, view } => {
                format!("{} h{height} v{view}", verb("entered", "enter"))
            }
            Event::Decide(block) => format!("{} {block}", verb("decided", "decide")),
        },
    );
    at(*slot, *replica, &format!("{act}{comma} {tail}"))
}

/// A sentence about a replica in a slot.
pub(crate) fn at(slot: Slot, replica: ReplicaId, what: &str) -> String {
    format!("slot {slot}: replica {replica} {what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::testing::at as message;
    use milp_schema::{BlockId, Height, View};

    fn sends(slot: u32, replica: u32, text: &str) -> Prediction {
        let event = Event::Send(message(0, text));
        Prediction {
            slot: Slot(slot),
            replica: ReplicaId(replica),
            event,
        }
    }

    #[test]
    fn equal_multisets_do_not_diverge_whatever_their_order() {
        let events = [sends(5, 2, "Commit v0 b0"), sends(4, 1, "ChangeView v0")];
        let mut sorted = events.to_vec();
        sorted.sort_unstable();
        assert_eq!(divergences(&events, &sorted), Vec::<String>::new());
    }

    #[test]
    fn each_side_gets_its_sentence_and_multiplicity_counts() {
        let commit = sends(5, 2, "Commit v0 b0");
        assert_eq!(
            divergences(&[], &[commit.clone(), commit.clone()]),
            ["slot 5: replica 2 sent Commit h0 v0 b0, which was not predicted"; 2]
        );
        let block = BlockId {
            height: Height(0),
            view: View(1),
            index: 0,
        };
        let decide = Prediction {
            event: Event::Decide(block),
            ..commit
        };
        assert_eq!(
            divergences(&[decide], &[]),
            ["slot 5: replica 2 was predicted to decide h0v1b0 and did not"]
        );
    }
}
