//! A first incumbent for the solver: the worst of some random executions of the replicas.
//!
//! The solver closes most bounds at the root and then spends its time on finding any execution at
//! all. Replicas know how to execute. The start is a point like any other: the solver certifies it
//! against every row, so it cannot make a result wrong, only sooner.

use crate::clock::Clock;
use milp_model::Built;
use milp_replay::random;
use milp_schema::{
    Instance, Schedule,
    instance::{Goal, Sense},
    schedule::Event,
};
use std::collections::BTreeSet;

/// How many executions are drawn; seeds 0, 1, 2, …
const EXECUTIONS: u64 = 300;

/// One entry per column, `None` for what is not known.
pub(crate) type Point = Vec<Option<i64>>;

/// The point of the worst execution drawn; none for a goal that needs a final state, in which
/// random executions rarely end.
pub(crate) fn random_start(instance: &Instance, built: &Built, clock: &Clock<'_>) -> Option<Point> {
    worst_random(instance, built, clock).map(|(_, point)| point)
}

/// The same with how bad it is.
pub(crate) fn worst_random(
    instance: &Instance,
    built: &Built,
    clock: &Clock<'_>,
) -> Option<(i64, Point)> {
    // Without slots in the program the solver needs no help to find an execution.
    if !built.knows_slots() || instance.goal == Goal::Stall || !random::covers(instance) {
        return None;
    }
    let mut worst: Option<(i64, Point)> = None;
    for seed in (0..EXECUTIONS).take_while(|_| !clock.over()) {
        let execution = random::execution(instance, seed);
        let badness = badness(instance, &execution.schedule);
        if execution.left_out || worst.as_ref().is_some_and(|(most, _)| *most >= badness) {
            continue;
        }
        let Ok(point) = built.encode(&execution.schedule, &execution.faulty) else {
            continue;
        };
        if fits(built, &point) {
            worst = Some((badness, point));
        }
    }
    worst
}

/// Whether no row among the columns that are known is violated; budgets can be.
pub(crate) fn fits(built: &Built, point: &[Option<i64>]) -> bool {
    let values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
    built.program().rows.iter().all(|row| {
        let known = row
            .terms
            .iter()
            .all(|(col, _)| point[col.index()].is_some());
        !known || row.holds(&values)
    })
}

/// The goal's value of an execution, larger for worse; a guide only, the program has the last word.
pub(crate) fn badness(instance: &Instance, schedule: &Schedule) -> i64 {
    let mut blocks = BTreeSet::new();
    let (mut views, mut messages) = (1_i64, 0_i64);
    let mut first = i64::from(instance.slots) + 1;
    for prediction in &schedule.predictions {
        match &prediction.event {
            Event::Send(_) => messages += 1,
            Event::EnterView { view, .. } => views = views.max(i64::from(view.0) + 1),
            Event::Decide(block) => {
                blocks.insert(*block);
                first = first.min(i64::from(prediction.slot.0));
            }
        }
    }
    let at_one_height = |h: u32| blocks.iter().filter(|block| block.height.0 == h).count() as i64;
    match instance.goal {
        Goal::Fork | Goal::Finality => (0..instance.heights).map(at_one_height).max().unwrap_or(0),
        Goal::Stall | Goal::Blame | Goal::Wasted { .. } => 0,
        Goal::Slow => first,
        Goal::Views => views,
        Goal::Weighted {
            sense,
            blocks: by_block,
            views: by_view,
            messages: by_message,
        } => {
            let value = by_block * blocks.len() as i64 + by_view * views + by_message * messages;
            signed(sense, value)
        }
    }
}

/// How bad a value of the goal is, on the scale of random executions.
pub(crate) fn badness_of(instance: &Instance, value: i64) -> i64 {
    match instance.goal {
        Goal::Weighted { sense, .. } => signed(sense, value),
        // The fewest are the worst.
        Goal::Stall | Goal::Blame => -value,
        Goal::Fork | Goal::Finality | Goal::Slow | Goal::Views | Goal::Wasted { .. } => value,
    }
}

fn signed(sense: Sense, value: i64) -> i64 {
    match sense {
        Sense::Maximize => value,
        Sense::Minimize => -value,
    }
}
