//! The heal phase (E16–E18): a synchronous network, timers by the protocol, nobody attacks.

use crate::{network::Labels, protocols::Replica, trace::Phase, world::World};
use milp_schema::{ReplicaId, Slot, verdict::Liveness};
use std::collections::BTreeMap;

/// Slots handled before the phase gives up; slots in which nothing is due are skipped.
const STEP_LIMIT: usize = 2_000;

/// A live timer must have fired this often between a state and its repetition (E18).
const FIRINGS: u32 = 3;

/// The joint state, timers aside.
type Joint = (Vec<(Replica, bool)>, Vec<Labels>);

/// Runs the phase to its end; for `stuck` also a sentence about the state.
///
/// `block_time` is used where the schedule's timers were free; they are armed anew then.
pub(crate) fn heal(world: &mut World, block_time: u32) -> (Liveness, Option<String>) {
    world.phase = Phase::Heal;
    world.network.release_kept();
    if world.clock.block_time.is_none() {
        world.clock.block_time = Some(block_time);
        for id in ReplicaId::all(world.rules.replicas) {
            world.arm(id);
        }
    }
    let mut seen: BTreeMap<Joint, Vec<u32>> = BTreeMap::new();
    if decided(world) {
        return (Liveness::Decided, None);
    }
    for _ in 0..STEP_LIMIT {
        let tomorrow = world.clock.now.next();
        let idle = world.network.in_flight().next().is_none();
        // With something in flight the next slot has work, otherwise the next deadline does.
        world.clock.now = match world.clock.earliest() {
            Some(deadline) if idle => deadline.max(tomorrow),
            _ => tomorrow,
        };
        slot(world);
        if decided(world) {
            return (Liveness::Decided, None);
        }
        let fired: Vec<u32> = world.seats.iter().map(|seat| seat.fired).collect();
        let states = world
            .seats
            .iter()
            .map(|seat| (seat.state.clone(), seat.up))
            .collect();
        let then = seen
            .entry((states, world.network.labels()))
            .or_insert_with(|| fired.clone());
        let timers = |id: &ReplicaId| !world.state(*id).stopped(&world.rules);
        if live(world)
            .filter(timers)
            .all(|id| fired[id.index()] >= then[id.index()] + FIRINGS)
        {
            return (Liveness::Stuck, Some(describe(world)));
        }
    }
    (Liveness::Open, None)
}

fn live(world: &World) -> impl Iterator<Item = ReplicaId> {
    ReplicaId::all(world.rules.replicas).filter(|id| world.seats[id.index()].is_live())
}

/// Whether every live honest replica decided every height.
fn decided(world: &World) -> bool {
    live(world).all(|id| world.state(id).stopped(&world.rules))
}

/// One slot: everything sent before arrives, then due timers fire.
fn slot(world: &mut World) {
    let now: Slot = world.clock.now;
    for copy in world.deliverable(now) {
        if world.seats[copy.receiver.index()].is_live() {
            world.deliver(&copy);
        } else {
            // Nobody is there; what is not taken would stay in flight for ever.
            world.network.take(&copy);
        }
    }
    let due: Vec<ReplicaId> = live(world).collect();
    for id in due {
        // A view entered by its own change view may have a timer of duration 0.
        while world.clock.is_due(id) {
            world.fire(id);
        }
    }
}

/// What holds each live replica, for a state called stuck.
fn describe(world: &World) -> String {
    let seats = live(world).map(|id| {
        let replica = world.state(id);
        let place = format!("replica {id} in h{} v{}", replica.height, replica.view);
        let own = replica.commits.iter().find(|(_, _, author)| *author == id);
        if replica.stopped(&world.rules) {
            format!("replica {id} has decided")
        } else if let Some((view, block, _)) = own {
            format!("{place} has committed v{view} b{block}")
        } else if replica.change_view_sent() {
            format!("{place} asks for v{}", replica.view.next())
        } else {
            format!("{place} waits")
        }
    });
    format!("stuck: {}", seats.collect::<Vec<_>>().join("; "))
}
