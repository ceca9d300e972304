//! Small instances at random: any protocol, mutant, goal, fault and budget that a program
//! and a search settle in a moment.

use super::instance;
use milp_schema::{
    Instance, ReplicaId,
    instance::{Budget, Fault, FaultKind, Goal, Network, Sense, Who},
    write::instance_yaml,
};
use proptest::{option, prelude::*};
use std::fmt;

/// Views of an instance of the production engine.
const VIEWS_OF_NSPCC: u32 = 2;

/// A small instance; shown as the file that asks for it.
#[derive(Clone)]
pub(crate) struct Small(pub(crate) Instance);

impl fmt::Debug for Small {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", instance_yaml(&self.0))
    }
}

/// A protocol and the mutants to choose from.
type Drawn = (&'static str, &'static [&'static str]);

/// The simplest comes first: shrinking goes there.
fn protocol() -> impl Strategy<Value = Drawn> {
    let mutants = &["small-quorum", "no-commit-lock"];
    prop_oneof![
        4 => Just(("dbft2", &mutants[..])),
        3 => Just(("dbft1", &mutants[..1])),
        2 => Just(("dbft2-nspcc", &mutants[..1])),
        1 => Just(("dbft2-tla", &[][..])),
        1 => Just(("dbft2-tla-per-view", &[][..])),
    ]
}

fn goal() -> impl Strategy<Value = Goal> {
    let weight = || -9..=9_i64;
    let sense = prop_oneof![Just(Sense::Maximize), Just(Sense::Minimize)];
    // Fewer formulations take a goal in which messages count.
    let messages = prop_oneof![Just(0), weight()];
    let weighted =
        (sense, weight(), weight(), messages).prop_map(|(sense, blocks, views, messages)| {
            Goal::Weighted {
                sense,
                blocks,
                views,
                messages,
            }
        });
    prop_oneof![
        2 => Just(Goal::Fork),
        2 => Just(Goal::Finality),
        2 => Just(Goal::Views),
        3 => Just(Goal::Stall),
        3 => weighted,
    ]
}

/// Kind, whether the replicas are named, which is the first of them, and how many.
type DrawnFault = (FaultKind, bool, u32, u32);

fn fault() -> impl Strategy<Value = DrawnFault> {
    let kind = prop_oneof![
        2 => Just(FaultKind::Crash),
        3 => Just(FaultKind::Byzantine),
        1 => Just(FaultKind::Network),
    ];
    (kind, any::<bool>(), 0..4_u32, 1..=2_u32)
}

/// A small limit, so often.
fn limit(often: f64) -> impl Strategy<Value = Option<u32>> {
    option::weighted(often, 0..=4_u32)
}

/// Small instances.
pub(crate) fn small() -> impl Strategy<Value = Small> {
    let replicas =
        prop_oneof![12 => Just(4_u32), 1 => 1..=3_u32, 2 => Just(5_u32), 1 => Just(7_u32)];
    let views = prop_oneof![3 => Just(1_u32), 1 => Just(2_u32)];
    let network = prop_oneof![Just(Network::Asynchronous), Just(Network::Eventual)];
    let faults = (
        option::weighted(0.7, fault()),
        option::weighted(0.1, fault()),
    );
    let size = (replicas, views, 1..=2_u32);
    let limits = (limit(0.05), limit(0.1), limit(0.05));
    let mutant = option::weighted(0.2, 0..2_usize);
    let all = (protocol(), mutant, size, goal(), network, faults, limits);
    all.prop_map(|(drawn, mutant, size, goal, network, faults, limits)| {
        let (protocol, mutants) = drawn;
        let (replicas, views, blocks) = size;
        let mut small = Instance {
            replicas,
            network,
            blocks_per_proposal: blocks,
            mutant: mutant
                .and_then(|at| mutants.get(at))
                .map(|&it| it.to_owned()),
            ..instance(protocol, views, 1, goal)
        };
        for drawn in [faults.0, faults.1].into_iter().flatten() {
            add(&mut small, drawn);
        }
        let (late, timeouts, injects) = limits;
        small.budget = Budget {
            late,
            timeouts,
            injects,
        };
        restrict(&mut small);
        let faulty: u32 = small.faults.iter().map(Fault::count).sum();
        small.beyond_budget = faulty > small.f();
        small.slots = enough(&small);
        Small(small)
    })
}

/// Adds a fault, as far as there are replicas for it and none has two.
fn add(instance: &mut Instance, (kind, named, first, count): DrawnFault) {
    let taken: u32 = instance.faults.iter().map(Fault::count).sum();
    let count = count.min(instance.replicas - taken);
    let twice = instance.faults.iter().any(|fault| fault.kind == kind);
    if count == 0 || twice {
        return;
    }
    let named = named && instance.faults.is_empty();
    let who = if named {
        let first = first.min(instance.replicas - count);
        Who::These((first..first + count).map(ReplicaId).collect())
    } else {
        Who::Any(count)
    };
    instance.faults.push(Fault { kind, who });
}

/// What protocols do not have, and what takes too long.
fn restrict(instance: &mut Instance) {
    let pool = instance.protocol.pools();
    if instance.protocol.mutants.is_empty() {
        instance.mutant = None;
    }
    if instance.replicas == 1 && instance.mutant.as_deref() == Some("small-quorum") {
        instance.mutant = None; // a quorum of nobody
    }
    if instance.protocol.name == "dbft2-nspcc" {
        instance.views = instance.views.min(VIEWS_OF_NSPCC);
        instance.replicas = instance.replicas.min(5);
    }
    if pool {
        instance.replicas = instance.replicas.max(4);
        instance.blocks_per_proposal = 1;
        instance.budget.late = None;
        instance
            .faults
            .retain(|fault| fault.kind != FaultKind::Network);
        instance.faults.truncate(1);
        for fault in &mut instance.faults {
            match &mut fault.who {
                Who::Any(count) | Who::Power(count) => *count = 1,
                Who::These(replicas) => replicas.truncate(1),
            }
        }
    }
    if instance.replicas > 4 {
        instance.views = 1;
    }
    let byzantine = instance.fault_count(FaultKind::Byzantine) > 0;
    if !byzantine || instance.views > 1 || instance.replicas > 4 {
        instance.blocks_per_proposal = 1;
    }
}

/// Slots in which everything that matters happens: what formulations without slots find takes no
/// more, or is given more.
fn enough(instance: &Instance) -> u32 {
    let (one, two) = match instance.protocol.name.as_str() {
        "dbft1" => (7, 11),
        "dbft2" => (8, 13),
        "dbft2-nspcc" => (8, 14),
        _ => (7, 9),
    };
    if instance.views == 1 { one } else { two }
}
