//! The heal phase (E16–E18): a synchronous network, timers by the protocol, nobody attacks.

use crate::{network::Labels, protocols::Replica, world::World};
use milp_schema::{ReplicaId, Slot, trace::Phase, verdict::Liveness};
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
        // Timers double with the view: in some thirty views they outlast all slots there are.
        if world.clock.now.0 == u32::MAX {
            break;
        }
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
    for copy in world.network.deliverable(now) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Signatures,
        protocols::{Rules, testing::at},
        random, run,
    };
    use milp_schema::{
        Instance,
        instance::{Budget, Fault, FaultKind, Formulation, Goal, Network, Primary, Timeouts, Who},
    };

    fn instance(protocol: &str, faults: Vec<Fault>) -> Instance {
        Instance {
            protocol: protocol.to_owned(),
            rules: "paper".to_owned(),
            replicas: 4,
            faults,
            beyond_budget: false,
            heights: 1,
            views: 3,
            blocks_per_proposal: 1,
            slots: 8,
            network: Network::Asynchronous,
            timeouts: Timeouts::Free,
            block_time: None,
            primary: Primary::Rotation,
            goal: Goal::Stall,
            formulation: Formulation::Auto,
            budget: Budget::default(),
            mutant: None,
        }
    }

    /// Goes on until the state is one of E19: everything delivered, every timer fired that does
    /// anything. Views may be passed without end, so there is a limit.
    fn finish(world: &mut World) -> bool {
        for _ in 0..40 {
            world.clock.now = world.clock.now.next();
            for copy in world.network.deliverable(world.clock.now) {
                world.deliver(&copy);
            }
            let firing = |id: &ReplicaId| {
                let seat = &world.seats[id.index()];
                seat.is_live() && seat.state.timeout_matters(&world.rules)
            };
            let firing: Vec<ReplicaId> = ReplicaId::all(world.rules.replicas)
                .filter(firing)
                .collect();
            if firing.is_empty() && world.network.in_flight().next().is_none() {
                return true;
            }
            for id in firing {
                world.fire(id);
            }
        }
        false
    }

    /// Questions of one slot get one answer, as long as there is nothing new to repeat.
    #[test]
    fn equal_answers_of_one_slot_are_one() {
        let instance = instance("dbft2", Vec::new());
        let rules = Rules::of(&instance).expect("known names");
        let mut world = World::new(&instance, rules, &[], Signatures::P256);
        world.phase = Phase::Heal;
        let ask = |world: &mut World, sender: u32, now: u32| {
            world.clock.now = Slot(now);
            let copy = milp_schema::schedule::Copy {
                sender: ReplicaId(sender),
                receiver: ReplicaId(0),
                message: at(0, "RecoveryRequest v0"),
                sent: Slot(now),
                copy: 0,
            };
            world.inject(&copy);
            assert!(world.deliver(&copy), "it is in flight");
            world.network.in_flight().count()
        };
        let counts = [(1, 2), (2, 2), (3, 2), (1, 3)].map(|(who, now)| ask(&mut world, who, now));
        assert_eq!(counts, [3, 3, 3, 6], "three receivers, two slots");
    }

    /// "No rule is enabled in such a state, no timer changes it, and recovery offers nothing new:
    /// it is stuck unless it is decided." (E19)
    #[test]
    fn a_final_state_without_decision_is_stuck_and_recovery_does_not_help() {
        let crash = Fault {
            kind: FaultKind::Crash,
            who: Who::Any(1),
        };
        let (mut stuck, mut decided_count) = (0, 0);
        for faults in [Vec::new(), vec![crash]] {
            let instance = instance("dbft2", faults);
            for seed in 0..400 {
                let executed = random::execution(&instance, seed);
                // What was lost for ever is not "delivered", which E19 asks for.
                let mut schedule = executed.schedule;
                schedule
                    .choices
                    .retain(|c| !matches!(c, milp_schema::Choice::Drop { .. }));
                let rules = Rules::of(&instance).expect("known names");
                let mode = Signatures::Symbolic;
                let mut world = World::new(&instance, rules, &executed.faulty, mode);
                run::drive(&mut world, &instance, &schedule, false).expect("good input");
                if !finish(&mut world) {
                    continue;
                }
                let undecided = live(&world).any(|id| world.state(id).decided.is_empty());
                let (liveness, _) = heal(&mut world, 3);
                if undecided {
                    assert_eq!(liveness, Liveness::Stuck, "seed {seed}");
                    stuck += 1;
                } else {
                    assert_eq!(liveness, Liveness::Decided, "seed {seed}");
                    decided_count += 1;
                }
            }
        }
        assert!(
            stuck >= 20 && decided_count >= 20,
            "{stuck} stuck, {decided_count} decided"
        );
    }
}
