//! Instances and settings that the tests of this crate share.

#![allow(dead_code, reason = "every test file uses a part of it")]

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

/// Every construct that has rows: protocols, mutants, faults, networks, timers, heights, n.
pub(crate) fn variants(views: u32, slots: u32) -> Vec<(&'static str, Instance)> {
    let mut all = vec![];
    let mut push = |name: &'static str, protocol: &str, change: &dyn Fn(&mut Instance)| {
        let mut instance = instance(protocol, views, slots, Goal::Fork);
        change(&mut instance);
        all.push((name, instance));
    };
    push("dbft1", "dbft1", &|_| {});
    push("dbft2", "dbft2", &|_| {});
    push("eventual", "dbft2", &|i| i.network = Network::Eventual);
    push("equivocation", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 1)];
        i.blocks_per_proposal = 2;
    });
    push("dbft1 equivocation", "dbft1", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 1)];
        i.blocks_per_proposal = 2;
        i.network = Network::Eventual;
    });
    push("beyond budget", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 2)];
        i.blocks_per_proposal = 2;
    });
    push("crash", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Crash, 1)];
        i.network = Network::Eventual;
    });
    push("network faults, two heights", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Network, 1)];
        i.network = Network::Eventual;
        i.heights = 2;
        i.slots += 4;
    });
    push("dbft1, two heights", "dbft1", &|i| {
        i.heights = 2;
        i.slots += 4;
    });
    push("bounded, protocol timers", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Crash, 1)];
        i.network = Network::Bounded {
            delay_min: 1,
            delay_max: 3,
            gst: 2,
        };
        i.timeouts = Timeouts::Protocol;
        i.block_time = Some(3);
        i.views = 2;
        i.slots += 6;
    });
    push("slow network, gst", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 1)];
        i.network = Network::Bounded {
            delay_min: 2,
            delay_max: 4,
            gst: 3,
        };
        i.views = 2;
        i.slots += 2;
    });
    push("no commit lock", "dbft2", &|i| {
        i.mutant = Some("no-commit-lock".into());
    });
    push("small quorum", "dbft2", &|i| {
        i.mutant = Some("small-quorum".into());
    });
    push("seven replicas", "dbft2", &|i| {
        i.replicas = 7;
        i.views = 2;
        i.faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
    });
    all
}
