//! What a step of a replica needs and leads to, and which steps make others needless.

use super::local::Local;
use milp_schema::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

/// Records of a replica by bits.
pub(super) type Said = (ReplicaId, u128);

/// What one act leads to.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// What must have been sent, all of it.
    pub(super) needs: BTreeMap<ReplicaId, u128>,
    /// Of each of these, something must have been sent: an honest value that a Byzantine replica
    /// names.
    pub(super) names: BTreeSet<Said>,
    pub(super) to: Local,
    /// The highest view entered on the way.
    pub(super) entered: u32,
}

/// Without the steps that need more than another one which leads to the same with less handed over.
pub(super) fn least(steps: Vec<Step>) -> Vec<Step> {
    let mut groups: BTreeMap<Local, Vec<Step>> = BTreeMap::new();
    for step in steps {
        let group = groups.entry(step.without_taken()).or_default();
        if !group.iter().any(|other| other.is_within(&step)) {
            group.retain(|other| !step.is_within(other));
            group.push(step);
        }
    }
    groups.into_values().flatten().collect()
}

impl Step {
    pub(super) fn nothing(local: &Local) -> Self {
        Self {
            needs: BTreeMap::new(),
            names: BTreeSet::new(),
            to: local.clone(),
            entered: 0,
        }
    }

    /// The one step and then the other.
    pub(super) fn then(&self, next: &Self) -> Self {
        let mut both = next.clone();
        for (id, bits) in &self.needs {
            *both.needs.entry(*id).or_default() |= bits;
        }
        both.names.extend(&self.names);
        both.entered = both.entered.max(self.entered);
        both
    }

    pub(super) fn without_taken(&self) -> Local {
        let mut local = self.to.clone();
        local.replica.taken.clear();
        local
    }

    /// Whether the other step needs as much and has as much handed over.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let covers =
            |(id, bits): (&ReplicaId, &u128)| other.needs.get(id).is_some_and(|of| bits & !of == 0);
        self.needs.iter().all(covers)
            && self.names.is_subset(&other.names)
            && self.entered >= other.entered
            && self.to.replica.taken.len() <= other.to.replica.taken.len()
            && self.to.replica.taken.is_subset(&other.to.replica.taken)
    }
}
