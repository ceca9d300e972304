//! A question answered, and a point of another solver judged.

use crate::{Built, Error, Question, build};
use milp_solver::{Progress, Settings, Solved, exact};
use std::sync::atomic::AtomicBool;

/// What a solve found.
#[derive(Debug)]
pub struct Answer {
    /// The program.
    pub built: Built,
    /// What the solver found, and on what it rests.
    pub solved: Solved,
}

impl Answer {
    /// The incumbent as CSV, see [`Built::table`].
    pub fn table(&self) -> Option<String> {
        let point = self.solved.point.as_deref();
        point.map(|point| self.built.table(point))
    }
}

/// Builds and solves the published program.
///
/// # Errors
/// As for [`build`], and what the solver failed of; limits and infeasible programs are answers.
pub fn solve(
    question: &Question,
    settings: &Settings,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Answer, Error> {
    let built = build(question)?;
    let solved = milp_solver::solve(&built.program, settings, interrupt, progress)?;
    Ok(Answer { built, solved })
}

/// The point in a solution file of the program, certified row by row in exact integers, and its
/// value. `file` is the name that problems are reported under.
///
/// # Errors
/// [`Error::NoPoint`] when the file has no point of this program, or the point violates a row: the
/// first ones are named.
pub fn certified(built: &Built, file: &str, text: &str) -> Result<(Vec<i64>, i64), Error> {
    let point = milp_solver::read_solution(&built.program, text)
        .map_err(|why| Error::NoPoint(format!("{file}: {why}")))?;
    exact::certify(&built.program, &point).map_err(|violations| {
        let first: Vec<String> = violations.into_iter().take(5).collect();
        let first = first.join("; ");
        Error::NoPoint(format!("{file}: the point is none of the program: {first}"))
    })?;
    let value = built.program.value(&point);
    Ok((point, value))
}
