//! The deterministic network: copies in flight, copies held back, copies kept for the heal phase.
//!
//! It decides nothing. The schedule says which copy is delivered or dropped when; the network
//! knows which copies exist, and holds back what is ahead of its receiver (E4).

use crate::engine::MessageId;
use milp_schema::{Height, Kind, Message, ReplicaId, Slot, View, schedule::Copy, vocabulary::Role};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What travels in a copy: a message of the replicas by its number, with its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) author: ReplicaId,
    pub(crate) message: Message,
    pub(crate) id: MessageId,
    /// What it repeats, author and message each; one for all copies.
    pub(crate) carried: Arc<[(ReplicaId, Message)]>,
}

/// The order of E7 among deliveries to one replica: by height, then by kind, the
/// highest view first among change views.
pub(crate) fn rank(message: &Message) -> (Height, Kind, Reverse<Option<View>>) {
    let asked = (message.kind.is(Role::Leave)).then_some(message.view);
    (message.height, message.kind, Reverse(asked))
}

/// Place in the queue of a receiver: E7, then arrival.
type Place = ((Height, Kind, Reverse<Option<View>>), u64);

/// Every copy that is neither delivered nor lost.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    /// Copies the schedule may deliver.
    in_flight: BTreeMap<Copy, Posted>,
    /// Recovery of the schedule's slots, kept for the heal phase (E17).
    kept: BTreeMap<Copy, Posted>,
    /// Per receiver, delivered copies that are ahead of it.
    held_back: Vec<BTreeMap<Place, Posted>>,
    /// Per receiver, who says what in them.
    held: Vec<BTreeSet<(ReplicaId, Message)>>,
    arrivals: u64,
}

impl Network {
    pub(crate) fn new(replicas: u32) -> Self {
        Self {
            in_flight: BTreeMap::new(),
            kept: BTreeMap::new(),
            held_back: vec![BTreeMap::new(); replicas as usize],
            held: vec![BTreeSet::new(); replicas as usize],
            arrivals: 0,
        }
    }

    /// Makes one copy of a broadcast. An equal recovery message of the same slot carries nothing
    /// new and makes none.
    pub(crate) fn send(&mut self, receiver: ReplicaId, sent: Slot, posted: &Posted, kept: bool) {
        let (sender, message) = (posted.author, posted.message.clone());
        let mut copy = Copy {
            sender,
            receiver,
            message,
            sent,
            copy: 0,
        };
        let last = Copy {
            copy: u32::MAX,
            ..copy.clone()
        };
        let equal = || {
            let flying = self.in_flight.range(&copy..=&last);
            flying.chain(self.kept.range(&copy..=&last))
        };
        if kept && equal().any(|(_, other)| other.carried == posted.carried) {
            return;
        }
        // Numbers of one slot ascend: nothing that it sent is gone before it ends.
        let ends =
            [&self.in_flight, &self.kept].map(|copies| copies.range(&copy..=&last).next_back());
        let ends = ends.into_iter().flatten().map(|(copy, _)| copy.copy + 1);
        copy.copy = ends.max().unwrap_or(0);
        let copies = if kept {
            &mut self.kept
        } else {
            &mut self.in_flight
        };
        copies.insert(copy, posted.clone());
    }

    /// Puts the copy a Byzantine replica made into flight.
    pub(crate) fn inject(&mut self, copy: Copy, posted: Posted) {
        self.in_flight.insert(copy, posted);
    }

    /// Takes a copy out of flight, to deliver or to lose it; `None` if there is none.
    pub(crate) fn take(&mut self, copy: &Copy) -> Option<Posted> {
        self.in_flight.remove(copy)
    }

    /// Copies in flight, in the order of their names.
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = &Copy> {
        self.in_flight.keys()
    }

    /// Whether such a copy is on its way to the receiver, in flight or held back.
    pub(crate) fn carries(&self, to: ReplicaId, said: &(ReplicaId, Message)) -> bool {
        let (author, message) = said;
        let same = |copy: &Copy| (copy.sender, copy.receiver) == (*author, to);
        let mut flying = self.in_flight();
        flying.any(|copy| same(copy) && copy.message == *message)
            || self.held[to.index()].contains(said)
    }

    /// Copies sent before that slot, canonical order within each receiver (E7).
    pub(crate) fn deliverable(&self, sent_before: Slot) -> Vec<Copy> {
        let before = |copy: &&Copy| copy.sent < sent_before;
        let mut copies: Vec<Copy> = self.in_flight().filter(before).cloned().collect();
        copies.sort_by_cached_key(|copy| {
            (
                copy.receiver,
                rank(&copy.message),
                copy.sent,
                copy.sender,
                copy.copy,
            )
        });
        copies
    }

    /// Makes what was kept for the heal phase deliverable.
    pub(crate) fn release_kept(&mut self) {
        let kept = std::mem::take(&mut self.kept);
        self.in_flight.extend(kept);
    }

    /// Holds back a posted that is ahead of its receiver. One of equal ones is enough (E6).
    pub(crate) fn hold_back(&mut self, receiver: ReplicaId, posted: Posted) {
        let said = (posted.author, posted.message.clone());
        if self.held[receiver.index()].insert(said) {
            let queue = &mut self.held_back[receiver.index()];
            queue.insert((rank(&posted.message), self.arrivals), posted);
            self.arrivals += 1;
        }
    }

    /// The first posted held back from `receiver` that is not ahead of it any more.
    pub(crate) fn hand_over(
        &mut self,
        receiver: ReplicaId,
        ahead: impl Fn(&Message) -> bool,
    ) -> Option<Posted> {
        let queue = &mut self.held_back[receiver.index()];
        let place = *queue.iter().find(|(_, posted)| !ahead(&posted.message))?.0;
        let posted = queue.remove(&place)?;
        let said = (posted.author, posted.message.clone());
        self.held[receiver.index()].remove(&said);
        Some(posted)
    }

    /// Everything undelivered without times and signatures, for the joint state: per copy the
    /// receiver, whether it is held back, author, message and what it carries.
    pub(crate) fn labels(&self) -> Vec<Labels> {
        let label = |receiver, held, posted: &Posted| {
            let (author, message) = (posted.author, posted.message.clone());
            (receiver, held, author, message, Arc::clone(&posted.carried))
        };
        let in_flight = self.in_flight.iter();
        let mut labels: Vec<Labels> = in_flight
            .map(|(copy, posted)| label(copy.receiver, false, posted))
            .collect();
        for (receiver, queue) in self.held_back.iter().enumerate() {
            let receiver = ReplicaId(receiver as u32);
            labels.extend(queue.values().map(|posted| label(receiver, true, posted)));
        }
        labels.sort_unstable();
        labels
    }
}

/// See [`Network::labels`].
pub(crate) type Labels = (
    ReplicaId,
    bool,
    ReplicaId,
    Message,
    Arc<[(ReplicaId, Message)]>,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::testing::at;

    fn posted(author: u32, text: &str) -> Posted {
        Posted {
            author: ReplicaId(author),
            message: at(0, text),
            id: MessageId(1),
            carried: Arc::default(),
        }
    }

    #[test]
    fn held_back_copies_come_in_the_order_of_a_slot_then_of_arrival() {
        let mut network = Network::new(4);
        for (author, text) in [
            (3, "ChangeView v1"),
            (2, "Commit v1 b0"),
            (3, "PrepareResponse v1 b0"),
            (2, "PrepareResponse v1 b0"),
            (1, "PrepareRequest v1 b0"),
            (1, "ChangeView v2"),
        ] {
            network.hold_back(ReplicaId(0), posted(author, text));
        }
        network.hold_back(ReplicaId(0), posted(1, "PrepareRequest v1 b0"));
        let mut order = Vec::new();
        while let Some(posted) = network.hand_over(ReplicaId(0), |_| false) {
            order.push(format!("{} {}", posted.author, posted.message.kind));
        }
        assert_eq!(
            order,
            [
                "1 PrepareRequest",
                "3 PrepareResponse",
                "2 PrepareResponse",
                "2 Commit",
                "1 ChangeView",
                "3 ChangeView"
            ]
        );
    }

    #[test]
    fn a_copy_can_be_taken_once() {
        let mut network = Network::new(4);
        let posted = posted(1, "Commit v0 b0");
        network.send(ReplicaId(0), Slot(3), &posted, false);
        let copy = network.in_flight().next().expect("one copy").clone();
        assert_eq!(copy.sent, Slot(3));
        assert!(network.take(&copy).is_some());
        assert!(network.take(&copy).is_none());
    }

    #[test]
    fn equal_recovery_of_one_slot_makes_one_copy() {
        let mut network = Network::new(4);
        for _ in 0..2 {
            network.send(
                ReplicaId(0),
                Slot(3),
                &posted(1, "RecoveryMessage v0"),
                true,
            );
        }
        assert_eq!(network.in_flight().count(), 0, "kept until the heal phase");
        network.release_kept();
        assert_eq!(network.in_flight().count(), 1);
    }
}
