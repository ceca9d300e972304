//! Instances and settings that the tests of this crate share.

use milp_schema::{
    Instance,
    instance::{Budget, Fault, FaultKind, Formulation, Goal, Network, Primary, Timeouts, Who},
};
use milp_solver::Settings;

/// n = 4 without faults, asynchronous, free timers; tests change what they are about.
pub(crate) fn instance(protocol: &str, views: u32, slots: u32, goal: Goal) -> Instance {
    Instance {
        protocol: protocol.into(),
        rules: "paper".into(),
        replicas: 4,
        faults: vec![],
        beyond_budget: true,
        heights: 1,
        views,
        blocks_per_proposal: 1,
        slots,
        network: Network::Asynchronous,
        timeouts: Timeouts::Free,
        block_time: None,
        primary: Primary::Rotation,
        goal,
        formulation: Formulation::Timed,
        budget: Budget::default(),
        mutant: None,
    }
}

/// At most `count` replicas with that fault.
pub(crate) fn any(kind: FaultKind, count: u32) -> Fault {
    Fault {
        kind,
        who: Who::Any(count),
    }
}

/// One thread, seed 0.
pub(crate) fn settings(seconds: f64, prove: bool) -> Settings {
    Settings {
        time_limit_seconds: seconds,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove,
        presolve: true,
        warm_start: None,
        options: vec![],
    }
}
