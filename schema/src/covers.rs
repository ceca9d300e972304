//! What a protocol covers: one list, asked by whoever reads an instance, builds its program or
//! drives its replicas.

use crate::{
    Instance,
    instance::{FaultKind, Network, Primary, Timers},
};

/// Something that an instance asks for and its protocol does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncovered {
    /// The key of the instance file.
    pub key: &'static str,
    /// What is not covered, to follow "protocol … does not cover".
    pub what: &'static str,
    /// What to do.
    pub hint: &'static str,
}

/// The most views of the formal model, whose messages lie in a pool (`MaxView` is at most 2).
pub const MODEL_VIEWS: u32 = 3;

/// Everything that the instance's protocol does not cover (`docs/EXECUTION.md`, E25, E64), in the order of
/// the keys of an instance file.
pub fn uncovered(instance: &Instance) -> Vec<Uncovered> {
    let mutant = Uncovered {
        key: "mutant",
        what: "a mutant",
        hint: "remove `mutant`",
    };
    let mut found = if instance.protocol.pools() {
        beyond_model(instance)
    } else {
        Vec::new()
    };
    let definition = instance.protocol.definition();
    if definition.is_some_and(|it| it.rules.chain) && instance.heights != 1 {
        found.push(Uncovered {
            key: "heights",
            what: "more than one height",
            hint: "use `heights: 1`: a chain grows within it",
        });
    }
    if instance.protocol.mutants.is_empty() && instance.mutant.is_some() {
        found.push(mutant);
    }
    if definition.is_none() && instance.power.is_some() {
        found.push(Uncovered {
            key: "power",
            what: "voting power",
            hint: "remove `power`",
        });
    }
    found
}

fn beyond_model(instance: &Instance) -> Vec<Uncovered> {
    let faulty: u32 = instance
        .faults
        .iter()
        .map(crate::instance::Fault::count)
        .sum();
    let bounded = matches!(instance.network, Network::Bounded { .. });
    let network = instance.fault_count(FaultKind::Network) > 0;
    let limits = [
        (
            instance.replicas < 4,
            ("replicas", "fewer than four replicas", "use 4 or more"),
        ),
        (
            network,
            (
                "faults",
                "network faults",
                "use `kind: crash`, there is no network but a pool",
            ),
        ),
        (
            faulty > instance.f(),
            (
                "faults",
                "more than f faulty replicas",
                "use at most f, as the formal model assumes",
            ),
        ),
        (
            instance.heights != 1,
            ("heights", "more than one height", "use `heights: 1`"),
        ),
        (
            instance.views > MODEL_VIEWS,
            ("views", "more than three views", "use at most 3"),
        ),
        (
            instance.blocks_per_proposal != 1,
            (
                "blocks_per_proposal",
                "equivocation",
                "use `blocks_per_proposal: 1`",
            ),
        ),
        (
            bounded,
            (
                "network",
                "a bounded network",
                "use `network: eventual`, a pool has no delays",
            ),
        ),
        (
            instance.timers != Timers::Free,
            ("timers", "timers with a duration", "use `timers: free`"),
        ),
        (
            instance.primary != Primary::Rotation,
            ("primary", "`primary: free`", "use `primary: rotation`"),
        ),
    ];
    let beyond = limits.into_iter().filter(|(beyond, _)| *beyond);
    beyond
        .map(|(_, (key, what, hint))| Uncovered { key, what, hint })
        .collect()
}
