//! The fewest acts of a minimisation, against all executions of a few replicas: every delay of
//! every copy and every timer, replayed one by one.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_replay::{Options, Protocol, Recovery, Replayed, Signatures, replay};
use milp_schema::{
    Act, Choice, Height, Instance, Message, ReplicaId, Schedule, Slot, View,
    instance::{Goal, Sense},
    schedule::{Copy, Prediction},
    trace::{Phase, TraceEvent},
};
use milp_show::acts::counts;
use milp_study::{
    folder::Folder,
    minimize::{Minimized, minimize},
    solve::{Request, solve},
};
use std::{cmp::Reverse, sync::atomic::AtomicBool};
use support::{instance, settings};

/// Two replicas, one view: most messages without a block.
fn silent(slots: u32, timeouts: Option<u32>) -> Instance {
    let goal = Goal::Weighted {
        sense: Sense::Maximize,
        blocks: -100,
        views: 0,
        messages: 1,
    };
    let mut instance = instance("dbft2", 1, slots, goal);
    instance.replicas = 2;
    instance.budget.timeouts = timeouts;
    instance
}

fn replayed(instance: &Instance, schedule: &Schedule) -> Replayed {
    let options = Options {
        protocol: Protocol::Own,
        compare: false,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    replay(instance, &[], schedule, &options).expect("a schedule")
}

/// What the replicas do within the horizon.
fn predictions(replayed: &Replayed) -> Vec<Prediction> {
    let within = |event: &&TraceEvent| event.phase == Phase::Schedule;
    let seen = replayed.trace.iter().filter(within).filter_map(|event| {
        Some(Prediction {
            slot: event.slot,
            replica: event.replica,
            event: event.event()?,
        })
    });
    seen.collect()
}

/// Value, late copies and timer requests of the best execution: most value, then fewest late
/// copies, then fewest requests; and how many executions there are.
fn best_of_all(instance: &Instance) -> ((i64, i64, i64), u32) {
    let slots = instance.slots;
    let (mut best, mut all) = (None, 0);
    // The first timer of the primary proposes; the one after it, or any of a backup, asks.
    let never = slots + 1;
    for first in 1..=never {
        for second in first..=never {
            for other in 1..=never {
                let fires = [(0, first), (0, second), (1, other)];
                let timers: Vec<Choice> = fires
                    .into_iter()
                    .filter(|&(_, slot)| slot < never)
                    .map(|(id, slot)| timer(id, slot))
                    .collect();
                executions(instance, &timers, &mut vec![], &mut |schedule| {
                    all += 1;
                    let has = counts(instance, schedule, &[]);
                    let most = instance.budget.timeouts.unwrap_or(u32::MAX);
                    if has[&Act::Timeout] > i64::from(most) {
                        return;
                    }
                    let value = support::value_of(instance.goal, &decoded(schedule, slots));
                    let found = (
                        value.expect("a weighted goal"),
                        Reverse((has[&Act::Late], has[&Act::Timeout])),
                    );
                    best = best.max(Some(found));
                });
            }
        }
    }
    let (value, Reverse((late, requests))) = best.expect("an execution");
    ((value, late, requests), all)
}

fn timer(id: u32, slot: u32) -> Choice {
    Choice::Timeout {
        slot: Slot(slot),
        replica: ReplicaId(id),
        timer: "view",
        height: Height(0),
        view: View(0),
    }
}

fn decoded(schedule: &Schedule, slots: u32) -> milp_model::Decoded {
    milp_model::Decoded {
        schedule: schedule.clone(),
        faulty: vec![],
        slots,
    }
}

/// A copy: when it was sent, by whom, to whom, what.
type Sent = (Slot, ReplicaId, ReplicaId, Message);

/// Every choice of delays that goes with the timers. `fixed` are the copies that have a slot, or
/// none, already; later copies do not change what was sent before them.
fn executions(
    instance: &Instance,
    timers: &[Choice],
    fixed: &mut Vec<(Sent, Option<u32>)>,
    seen: &mut dyn FnMut(&Schedule),
) {
    let mut choices: Vec<Choice> = timers.to_vec();
    choices.extend(fixed.iter().filter_map(|(sent, slot)| {
        let (at, sender, receiver, message) = sent.clone();
        let copy = Copy {
            sender,
            receiver,
            message,
            sent: at,
            copy: 0,
        };
        slot.map(|slot| Choice::Deliver {
            slot: Slot(slot),
            copy,
        })
    }));
    choices.sort_by_key(order);
    let mut schedule = Schedule {
        choices,
        predictions: vec![],
    };
    schedule.predictions = predictions(&replayed(instance, &schedule));
    let mut copies: Vec<Sent> = vec![];
    for prediction in &schedule.predictions {
        let milp_schema::schedule::Event::Send(message) = &prediction.event else {
            continue;
        };
        for receiver in ReplicaId::all(instance.replicas).filter(|id| *id != prediction.replica) {
            copies.push((
                prediction.slot,
                prediction.replica,
                receiver,
                message.clone(),
            ));
        }
    }
    copies.sort();
    let next = copies
        .into_iter()
        .find(|copy| !fixed.iter().any(|(sent, _)| sent == copy));
    let Some(next) = next else {
        seen(&schedule);
        return;
    };
    let soonest = next.0.0 + 1;
    for slot in (soonest..=instance.slots).map(Some).chain([None]) {
        fixed.push((next.clone(), slot));
        executions(instance, timers, fixed, seen);
        fixed.pop();
    }
}

/// The canonical order of a slot (E7).
fn order(choice: &Choice) -> (Slot, u32, ReplicaId, usize) {
    match choice {
        Choice::Deliver { slot, copy } => {
            let kinds = [
                "Block",
                "PrepareRequest",
                "PrepareResponse",
                "Commit",
                "ChangeView",
            ];
            let name = copy.message.kind.name();
            let kind = kinds.iter().position(|kind| *kind == name);
            (*slot, 1, copy.receiver, kind.expect("a kind"))
        }
        Choice::Timeout { slot, replica, .. } => (*slot, 2, *replica, 0),
        _ => unreachable!("deliveries and timers only"),
    }
}

fn minimized(instance: &Instance) -> Minimized {
    let none = AtomicBool::new(false);
    let settings = settings(3_600.0, true);
    let request = Request {
        instance,
        settings: &settings,
        warm_start: None,
        adequacy: false,
        command: "test",
    };
    let solution = solve(&request, &none, &mut |_| ()).expect("it solves");
    let dir = tempfile::tempdir().expect("a folder");
    for (name, bytes) in solution.files() {
        std::fs::write(dir.path().join(name), bytes).expect("it can be written");
    }
    let from = Folder::read(dir.path()).expect("a result");
    minimize(&from, &settings, "test", &none, &mut |_| ()).expect("it minimises")
}

fn found(minimized: &Minimized) -> (i64, i64, i64) {
    assert!(minimized.proved(), "{:?}", minimized.stages);
    let after = |act| {
        let stage = minimized.stages.iter().find(|stage| stage.act == act);
        stage.map_or(0, |stage| stage.after)
    };
    let value = minimized.outcome.primal.expect("a value");
    (value, after(Act::Late), after(Act::Timeout))
}

#[test]
fn no_execution_of_all_has_fewer_acts() {
    for (slots, timeouts) in [(4, Some(0)), (5, Some(0)), (4, None)] {
        let instance = silent(slots, timeouts);
        let (best, all) = best_of_all(&instance);
        println!("{slots} slots, {timeouts:?}: {best:?} of {all} executions");
        // Something is needed: a copy, or a timer in its place.
        assert_eq!(
            (best.1 > 0, best.2 > 0),
            (timeouts.is_some(), timeouts.is_none())
        );
        assert_eq!(found(&minimized(&instance)), best, "{slots} {timeouts:?}");
    }
}
