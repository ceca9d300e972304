//! Who is faulty (§8.8).

use super::super::columns::{FAULTS, Timed};
use crate::{expr::Expr, group::Group};
use milp_schema::instance::{Fault, FaultKind};

/// At most the instance's number of replicas is faulty in each way.
///
/// `Σ_i faulty_i ≤ count` for each kind of fault: the instance's budget, not the protocol's.
pub(super) fn faulty_at_most(timed: &mut Timed) {
    for (kind, name) in FAULTS {
        let count: u32 = timed
            .instance
            .faults
            .iter()
            .filter(|fault| fault.kind == kind)
            .map(Fault::count)
            .sum();
        let family = timed
            .draft
            .family(&format!("{name}_at_most"), "E9", &[], Group::BUDGET);
        let all: Expr = (0..timed.n).map(|i| timed.faulty(kind, i)).sum();
        timed
            .draft
            .at_most(family, "", all, i64::from(count).into());
    }
}

/// A replica is faulty in one way only.
///
/// `Σ_kinds faulty_i ≤ 1` for each i.
pub(super) fn faulty_in_one_way(timed: &mut Timed) {
    let family = timed
        .draft
        .family("faulty_in_one_way", "E9", &[], Group::CRASHES);
    for i in 0..timed.n {
        let all: Expr = FAULTS.iter().map(|&(kind, _)| timed.faulty(kind, i)).sum();
        timed
            .draft
            .at_most(family, &format!("_i{i}"), all, 1.into());
    }
}

/// Only a crash-faulty or network-faulty replica crashes, and it stays crashed.
///
/// `crashed_i^T ≤ crashing_i + disconnected_i`; `crashed_i^(t−1) ≤ crashed_i^t`.
pub(super) fn crash_requires_fault(timed: &mut Timed, i: u32) {
    let family = timed
        .draft
        .family("crash_requires_fault", "E12", &[], Group::CRASHES);
    let may = timed.faulty(FaultKind::Crash, i) + timed.faulty(FaultKind::Network, i);
    let last = timed.crashed(i, timed.horizon);
    timed.draft.at_most(family, &format!("_i{i}"), last, may);
    let family = timed
        .draft
        .family("crash_stays", "E12", &[], Group::CRASHES);
    for t in timed.slots() {
        let (before, now) = (timed.crashed(i, t - 1), timed.crashed(i, t));
        timed
            .draft
            .at_most(family, &format!("_i{i}_t{t}"), before, now);
    }
}
