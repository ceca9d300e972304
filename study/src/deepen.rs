//! Deepening: what a smaller program knows, as a start for the longer horizon.
//!
//! Where formulation `counting` is exact, its schedule is one of some number of slots, found in
//! hundredths of a second. A final state that it does not know is found by formulation `causal`,
//! with fewer faults if need be. Elsewhere fewer slots are searched.
//!
//! With few slots a program is small. Its schedule becomes one of the longer horizon by idle slots
//! behind it or, where pending copies would have to arrive then, before it. Nothing is concluded
//! from a shorter horizon: the start is certified against every row of the longer program like any
//! other point, and what is claimed of an instance is solved at its own horizon.

use crate::{
    Error,
    clock::Clock,
    start::{self, Point, fits},
};
use milp_model::{
    Built,
    formulation::{causal, counting},
};
use milp_schema::{
    Choice, Instance, ReplicaId, Schedule, Slot,
    instance::{Budget, FaultKind, Goal, Network, Timers},
};
use milp_solver::{Progress, Settings};
use std::sync::atomic::AtomicBool;

/// Nodes of the search in a smaller program.
const NODES: &str = "200";

/// Share of the time limit that one smaller program may take; the nodes end it before, except on
/// programs so large that the search at the instance's own horizon would have no time either.
const SHARE: f64 = 0.25;

/// With fewer slots saved the shorter program is hardly smaller.
const LEAST_SAVED: u32 = 4;

/// A schedule and who is faulty in it.
pub(crate) type Execution = (Schedule, Vec<(ReplicaId, FaultKind)>);

/// Whether a shorter horizon is tried: for goals that count messages.
///
/// The other goals close at the root, and a random execution meets the bound. Not where timers or
/// delay bounds count slots: a shorter horizon is then another question.
fn shorter_helps(instance: &Instance) -> bool {
    let counts_slots =
        instance.timers == Timers::Protocol || matches!(instance.network, Network::Bounded { .. });
    matches!(instance.goal, Goal::Weighted { messages, .. } if messages != 0) && !counts_slots
}

/// The point of the worst execution that a smaller program and random executions know.
pub(crate) fn start(
    instance: &Instance,
    built: &Built,
    settings: &Settings,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Option<Point>, Error> {
    let clock = Clock::start(settings, interrupt);
    let random = start::worst_random(instance, built, &clock);
    let placed = |(value, execution): (i64, Execution)| {
        lengthened(built, instance.slots, &execution).map(|point| (value, point))
    };
    let mut known = counted(instance, &clock.settings(settings), interrupt)?.and_then(placed);
    if known.is_none() && !clock.over() {
        known = ordered(instance, &clock.settings(settings), interrupt)?.and_then(placed);
    }
    if known.is_none() && shorter_helps(instance) && !clock.over() {
        let left = clock.settings(settings);
        known = shorter(instance, &left, interrupt, progress)?.and_then(placed);
    }
    // A random execution of the whole horizon can be as bad.
    Ok(match (random, known) {
        (Some((random, point)), Some((value, _))) if random >= value => Some(point),
        (random, known) => known.or(random).map(|(_, point)| point),
    })
}

/// The point of the worst random execution or, where the goal needs a final state that `counting`
/// does not know, of one that ends in one; what [`start`] tries but for smaller programs.
pub(crate) fn start_at_once(
    instance: &Instance,
    built: &Built,
    settings: &Settings,
    interrupt: &AtomicBool,
) -> Result<Option<Point>, Error> {
    let clock = Clock::start(settings, interrupt);
    if let Some(point) = start::random_start(instance, built, &clock) {
        return Ok(Some(point));
    }
    if !built.knows_slots() || clock.over() || counting::of(instance).is_ok() {
        return Ok(None);
    }
    let found = ordered(instance, &clock.settings(settings), interrupt)?;
    Ok(found.and_then(|(_, execution)| lengthened(built, instance.slots, &execution)))
}

/// The worst execution that formulation `counting` finds, and how bad it is; nothing where it is
/// not exact, or finds none that can be put into slots.
fn counted(
    instance: &Instance,
    settings: &Settings,
    interrupt: &AtomicBool,
) -> Result<Option<(i64, Execution)>, Error> {
    let Ok(built) = counting::of(instance).map(Built::Counting) else {
        return Ok(None);
    };
    dived(instance, &built, settings, interrupt)
}

/// The worst final state that formulation `causal` finds, and how bad it is: of the instance without
/// what asks for slots, with its faults if it takes them, else with none.
fn ordered(
    instance: &Instance,
    settings: &Settings,
    interrupt: &AtomicBool,
) -> Result<Option<(i64, Execution)>, Error> {
    if instance.goal != Goal::Stall {
        return Ok(None);
    }
    let timeless = Instance {
        network: Network::Eventual,
        timers: Timers::Free,
        block_time: None,
        blocks_per_proposal: 1,
        budget: Budget {
            late: None,
            injects: None,
            ..instance.budget
        },
        ..instance.clone()
    };
    let faultless = Instance {
        faults: Vec::new(),
        ..timeless.clone()
    };
    let mut simpler = [timeless, faultless].into_iter();
    let built = simpler.find_map(|instance| causal::of(&instance).map(Built::Causal).ok());
    let Some(built) = built else {
        return Ok(None);
    };
    dived(instance, &built, settings, interrupt)
}

/// The execution that a short search in another formulation's program finds, and how bad it is.
fn dived(
    instance: &Instance,
    other: &Built,
    settings: &Settings,
    interrupt: &AtomicBool,
) -> Result<Option<(i64, Execution)>, Error> {
    let mut settings = Settings {
        time_limit_seconds: settings.time_limit_seconds * SHARE,
        prove: false,
        warm_start: None,
        ..settings.clone()
    };
    let nodes = ("mip_max_nodes".to_owned(), NODES.to_owned());
    settings.options.push(nodes);
    let solved = milp_solver::solve(other.program(), &settings, interrupt, &mut |_| ())?;
    let (Some(point), Some(value)) = (&solved.point, solved.primal) else {
        return Ok(None);
    };
    let Ok(decoded) = other.decode(point) else {
        return Ok(None);
    };
    let execution = (decoded.schedule, decoded.faulty);
    Ok(Some((start::badness_of(instance, value), execution)))
}

/// The worst execution that a search at the shorter horizon finds, and how bad it is.
fn shorter(
    instance: &Instance,
    settings: &Settings,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Option<(i64, Execution)>, Error> {
    let Some(slots) = fewer_slots(instance) else {
        return Ok(None);
    };
    let shorter = Instance {
        slots,
        ..instance.clone()
    };
    let clock = Clock::start(settings, interrupt);
    let of = shorter.clone();
    let built = match clock.build(move || milp_model::build(&of)) {
        Err(Error::Stopped { .. }) => return Ok(None),
        built => built?,
    };
    let mut settings = Settings {
        time_limit_seconds: clock.left() * SHARE,
        // So that the search ends when it meets the bound of the relaxation.
        prove: true,
        warm_start: start::random_start(&shorter, &built, &clock),
        ..settings.clone()
    };
    let nodes = ("mip_max_nodes".to_owned(), NODES.to_owned());
    settings.options.push(nodes);
    let solved = milp_solver::solve(built.program(), &settings, interrupt, progress)?;
    let (Some(point), Some(value)) = (&solved.point, solved.primal) else {
        return Ok(None);
    };
    let decoded = built.decode(point)?;
    let execution = (decoded.schedule, decoded.faulty);
    Ok(Some((start::badness_of(instance, value), execution)))
}

/// The shorter horizon: two slots for each view, in which everybody asks to leave it and is heard,
/// and two more in which a block of the last one is prepared and decided. `None` if that is not
/// much shorter.
fn fewer_slots(instance: &Instance) -> Option<u32> {
    let slots = 2 * instance.views + 2;
    (slots + LEAST_SAVED <= instance.slots).then_some(slots)
}

/// The point of an execution of a shorter horizon: with idle slots behind it if that is one of
/// this program, else before it.
pub(crate) fn lengthened(built: &Built, slots: u32, execution: &Execution) -> Option<Point> {
    let (schedule, faulty) = execution;
    let last = last_slot(schedule);
    [0, slots.saturating_sub(last)].into_iter().find_map(|by| {
        let later = shifted(schedule, by.cast_signed());
        let point = built.encode(&later, faulty).ok()?;
        fits(built, &point).then_some(point)
    })
}

/// The last slot in which anything happens.
fn last_slot(schedule: &Schedule) -> u32 {
    let choices = schedule.choices.iter().map(|choice| choice.slot().0);
    let predictions = schedule.predictions.iter().map(|it| it.slot.0);
    choices.chain(predictions).max().unwrap_or(0)
}

/// The same schedule, `by` slots later, or earlier if that is negative.
pub(crate) fn shifted(schedule: &Schedule, by: i32) -> Schedule {
    let mut later = schedule.clone();
    let shift = |slot: &mut Slot| slot.0 = slot.0.saturating_add_signed(by);
    for choice in &mut later.choices {
        match choice {
            Choice::Deliver { slot, copy } | Choice::Drop { slot, copy } => {
                shift(slot);
                shift(&mut copy.sent);
            }
            Choice::Inject { copy } => shift(&mut copy.sent),
            Choice::Timeout { slot, .. }
            | Choice::Crash { slot, .. }
            | Choice::Restart { slot, .. } => shift(slot),
        }
    }
    for prediction in &mut later.predictions {
        shift(&mut prediction.slot);
    }
    later
}

#[cfg(test)]
mod tests {
    use super::*;
    use milp_schema::instance::{Fault, Formulation, Sense};

    fn instance(network: Network, slots: u32) -> Instance {
        Instance::builder("dbft2")
            .faults([Fault::any(FaultKind::Byzantine, 1)])
            .slots(slots)
            .network(network)
            .goal(Goal::Weighted {
                sense: Sense::Maximize,
                blocks: 1000,
                views: 100,
                messages: 1,
            })
            .formulation(Formulation::Timed)
            .build()
    }

    #[test]
    fn random_executions_of_a_shorter_horizon_are_some_of_a_longer_one() {
        for network in [Network::Asynchronous, Network::Eventual] {
            let longer = instance(network, 12);
            let built = milp_model::build(&longer).unwrap();
            let mut pending = 0;
            for seed in 0..20 {
                let executed = milp_replay::random::execution(&instance(network, 8), seed);
                if executed.left_out {
                    continue;
                }
                let execution = (executed.schedule, executed.faulty);
                let behind = built.encode(&execution.0, &execution.1).unwrap();
                pending += u32::from(!fits(&built, &behind));
                assert!(lengthened(&built, 12, &execution).is_some(), "seed {seed}");
            }
            // Both ways of appending are met with where copies must arrive.
            assert_eq!(pending > 0, network == Network::Eventual);
        }
    }

    #[test]
    fn a_shifted_schedule_ends_later_and_is_the_same_otherwise() {
        let schedule = milp_replay::random::execution(&instance(Network::Eventual, 8), 0).schedule;
        assert!(last_slot(&schedule) > 0);
        let later = shifted(&schedule, 3);
        assert_eq!(last_slot(&later), last_slot(&schedule) + 3);
        assert_eq!(shifted(&schedule, 0), schedule);
        assert_ne!(later, schedule);
    }

    #[test]
    fn the_deepened_start_is_a_point_and_is_tried_only_where_slots_are_saved() {
        let instance = instance(Network::Eventual, 18);
        let built = milp_model::build(&instance).unwrap();
        let settings = Settings {
            prove: false,
            ..crate::testing::settings()
        };
        assert!(shorter_helps(&instance));
        assert_eq!(fewer_slots(&instance), Some(6));
        assert_eq!(
            fewer_slots(&super::tests::instance(Network::Eventual, 9)),
            None
        );
        let point = start(
            &instance,
            &built,
            &settings,
            &AtomicBool::new(false),
            &mut |_| (),
        );
        let point = point.unwrap().expect("random executions exist");
        assert!(fits(&built, &point));
    }
}
