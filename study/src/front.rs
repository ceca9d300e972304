//! The front door: from an instance to what is known of it, and from that to what replicas do.

use crate::{
    Error,
    confirm::{Engine, How},
    folder::{Driven, Folder},
    solve::{Request, Solution},
};
use milp_schema::{Instance, Verdict};
use milp_solver::Settings;
use std::{path::PathBuf, sync::atomic::AtomicBool};

/// Finds the worst schedule of an instance and proves, if it can, that none is worse: with one
/// thread, seed 0 and at most ten minutes. [`mod@crate::solve`] has the same with settings,
/// progress, an interrupt and a start.
///
/// # Errors
///
/// When no formulation can build the instance, or the solver fails. That a limit came first, or
/// that there is no execution at all, is a solution, and [`Solution::said`] says so.
pub fn solve(instance: &Instance) -> Result<Solution, Error> {
    let request = Request {
        instance,
        settings: &Settings::default(),
        warm_start: None,
        adequacy: false,
        command: "milp_study::solve",
    };
    crate::solve::solve(&request, &AtomicBool::new(false), &mut |_| {})
}

/// Drives the instance's own replicas, which share no rule with the program, with the schedule of a
/// solution: what they violate, whether they come to rest, and in how many places they do otherwise
/// than predicted. [`mod@crate::confirm`] drives others.
///
/// # Errors
///
/// When there is no schedule, or it is none for these replicas.
pub fn replay(solution: &Solution) -> Result<Verdict, Error> {
    let Some(schedule) = &solution.schedule else {
        return Err(Error::Refused(format!(
            "there is no schedule to replay: {}",
            solution.outcome.sentence
        )));
    };
    let folder = Folder {
        dir: PathBuf::from("."),
        outcome: solution.outcome.clone(),
        schedule: schedule.clone(),
    };
    let replayed = Driven::from(&folder).replay(&Engine::Own, How::default())?;
    Ok(replayed.verdict)
}
