//! The virtual clock: which slot it is, and when whose timer is due.

use milp_schema::{ReplicaId, Slot};

/// The time of all replicas and their timers' deadlines.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// The slot being handled.
    pub(crate) now: Slot,
    /// Block time in slots; `None` while the adversary owns the timers.
    pub(crate) block_time: Option<u32>,
    deadlines: Vec<Option<Slot>>,
}

impl Clock {
    /// Slot 0, nothing armed.
    pub(crate) fn new(replicas: u32, block_time: Option<u32>) -> Self {
        Self {
            now: Slot(0),
            block_time,
            deadlines: vec![None; replicas as usize],
        }
    }

    /// Arms the timer of `replica` for `duration` slots from now, whatever it was before.
    pub(crate) fn arm(&mut self, replica: ReplicaId, duration: u32) {
        self.deadlines[replica.index()] = Some(Slot(self.now.0.saturating_add(duration)));
    }

    /// Arms the timer of `replica` for that slot.
    pub(crate) fn arm_at(&mut self, replica: ReplicaId, slot: Slot) {
        self.deadlines[replica.index()] = Some(slot);
    }

    /// Stops the timer of `replica`.
    pub(crate) fn disarm(&mut self, replica: ReplicaId) {
        self.deadlines[replica.index()] = None;
    }

    /// When the timer of `replica` is due, if it runs.
    pub(crate) fn deadline(&self, replica: ReplicaId) -> Option<Slot> {
        self.deadlines[replica.index()]
    }

    /// Whether the timer of `replica` is due now or was before.
    pub(crate) fn is_due(&self, replica: ReplicaId) -> bool {
        self.deadline(replica)
            .is_some_and(|deadline| deadline <= self.now)
    }

    /// The earliest deadline of all.
    pub(crate) fn earliest(&self) -> Option<Slot> {
        self.deadlines.iter().flatten().copied().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_due_from_its_deadline_until_it_is_armed_again_or_stopped() {
        let mut clock = Clock::new(2, Some(3));
        clock.now = Slot(4);
        clock.arm(ReplicaId(1), 3);
        assert_eq!(clock.earliest(), Some(Slot(7)));
        clock.now = Slot(6);
        assert!(!clock.is_due(ReplicaId(1)));
        clock.now = Slot(7);
        assert!(clock.is_due(ReplicaId(1)) && !clock.is_due(ReplicaId(0)));
        clock.arm(ReplicaId(1), 0);
        assert!(
            clock.is_due(ReplicaId(1)),
            "a duration of 0 fires in the slot of the entry"
        );
        clock.disarm(ReplicaId(1));
        assert!(!clock.is_due(ReplicaId(1)));
    }
}
