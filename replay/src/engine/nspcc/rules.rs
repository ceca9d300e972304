//! What every replica of a group goes by: numbers, switches of a mutant, a defect.

use super::{Defect, timer::Duration};
use crate::engine::Recovery;
use milp_schema::{
    Height, ReplicaId, View,
    vocabulary::{Mutant, Safeguard},
};

/// What a mutant switches off or weakens; the engine as it is has none set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Switches {
    /// Mutant `no-commit-lock`: a commit binds its view only.
    pub no_commit_lock: bool,
    /// Mutant `small-quorum`: n − f − 1 instead of n − f.
    pub small_quorum: bool,
}

impl Switches {
    /// Those of a mutant of the protocol page.
    pub fn of(mutant: Option<&Mutant>) -> Self {
        let takes = mutant.and_then(|mutant| mutant.takes);
        Self {
            no_commit_lock: takes == Some(Safeguard::Lock),
            small_quorum: mutant.is_some_and(|mutant| mutant.quorum.is_some()),
        }
    }
}

/// Everything a replica of the group is told before it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    /// The name of the one timer.
    pub(super) timer: &'static str,
    pub(super) switches: Switches,
    pub(super) defect: Option<Defect>,
    pub(super) replicas: u32,
    pub(super) heights: u32,
    pub(super) block_time: Duration,
    pub(super) recovery: Recovery,
}

impl Rules {
    pub(super) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// f = ⌊(n − 1) / 3⌋.
    pub(super) fn faults(&self) -> usize {
        (self.replicas as usize - 1) / 3
    }

    /// q = n − f, one less for the mutant `small-quorum`.
    pub(super) fn quorum(&self) -> usize {
        let quorum = self.replicas as usize - self.faults();
        if self.switches.small_quorum {
            (quorum - 1).max(1)
        } else {
            quorum
        }
    }

    /// The primary of view v at height h: (h − v) mod n.
    pub(super) fn primary(&self, height: Height, view: View) -> ReplicaId {
        let n = self.replicas;
        ReplicaId((height.0 % n + n - view.0 % n) % n)
    }
}
