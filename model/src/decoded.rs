//! What a point of a program says, whatever the formulation.

use milp_schema::{ReplicaId, Schedule, instance::FaultKind};

/// What a point of a program says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The adversary's choices and the predictions.
    pub schedule: Schedule,
    /// Who is faulty, ascending.
    pub faulty: Vec<(ReplicaId, FaultKind)>,
    /// The last slot of the schedule's execution: the instance's own where the formulation knows
    /// slots, as many as the schedule takes where it does not.
    pub slots: u32,
}
