//! From a schedule to the counts of its execution.

use super::draft::Draft;
use milp_schema::{ReplicaId, Schedule, instance::FaultKind};

/// The counts of what a schedule predicts.
pub(super) fn encode(
    _draft: &Draft,
    _schedule: &Schedule,
    _faulty: &[(ReplicaId, FaultKind)],
) -> Result<Vec<Option<i64>>, String> {
    Err("formulation counting takes no schedules".into())
}
