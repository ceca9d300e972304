//! What is asked of a program: to be solved, whether there is anything better, its relaxation.

use crate::{
    Error, Progress, Settings, Solved,
    backend::highs::Ending,
    exact,
    proof::{Answer, Proof, Question, prove},
    search::{Relaxed, Search},
};
use milp_model::program::Program;
use std::sync::atomic::AtomicBool;

/// Solves `program` within the limits of `settings`.
///
/// `interrupt` may be set from anywhere at any time; the solve then returns what it has, at the
/// latest [`crate::GRACE`] later: a run of the solver that hears nothing, in presolve say, is left
/// behind. The same holds for the limit of time. `progress` is called on the calling thread.
///
/// # Errors
///
/// See [`Error`]; a limit, an interrupt and an infeasible program are no errors.
pub fn solve(
    program: &Program,
    settings: &Settings,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Solved, Error> {
    check(program, settings)?;
    let mut search = Search::new(program, settings, interrupt, progress)?;
    search.warm_start()?;
    if settings.prove && !search.closed() {
        search.relax()?;
    }
    if !search.closed() {
        search.branch_and_bound()?;
    }
    let proof = if settings.prove && !search.closed() && search.claims() {
        prove(
            search.grid,
            settings.seed,
            search.best_value(),
            &mut |question| search.ask(question),
        )?
    } else {
        Proof::default()
    };
    search.finish(proof)
}

/// What a further search says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// There is nothing better.
    Nothing,
    /// There is something better, certified, with this objective.
    Better(i64),
    /// A limit or an interrupt came first, or the search broke down.
    Silence,
}

/// Who searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Searcher {
    /// The solver that everything else here is solved with.
    #[default]
    Highs,
    /// Another one, in builds with the feature `cbc`.
    Cbc,
}

/// [`again`] by a solver of choice.
///
/// # Errors
///
/// As for [`again`], and if this build has no such solver.
pub fn again_by(
    searcher: Searcher,
    program: &Program,
    value: Option<i64>,
    seed: u64,
    settings: &Settings,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Again, Error> {
    match searcher {
        Searcher::Highs => again(program, value, seed, settings, interrupt, progress),
        #[cfg(feature = "cbc")]
        Searcher::Cbc => {
            check(program, settings)?;
            crate::backend::cbc::again(program, value, seed, settings, interrupt)
        }
        #[cfg(not(feature = "cbc"))]
        Searcher::Cbc => Err(Error::NoSolver { name: "CBC" }),
    }
}

/// Searches `program`, its rows and columns permuted by `seed`, for a point that is better than
/// `value`; for any point if there is no value. Of `settings` the limit of time, the threads and
/// the options count.
///
/// # Errors
///
/// See [`Error`].
pub fn again(
    program: &Program,
    value: Option<i64>,
    seed: u64,
    settings: &Settings,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Again, Error> {
    check(program, settings)?;
    let mut search = Search::new(program, settings, interrupt, progress)?;
    let at_least = value.map(|value| search.grid.better(value));
    Ok(match search.ask(Question { seed, at_least })? {
        Answer::Nothing => Again::Nothing,
        Answer::Better { value, .. } => Again::Better(value),
        Answer::Silence => Again::Silence,
    })
}

/// The optimum of the linear relaxation in the solver's floating point, the objective's constant
/// included; `None` if the relaxation has no point or no end, or the limit of time came first. Of
/// `settings` the limit of time, of which this takes a part, the threads and the options count.
///
/// # Errors
///
/// See [`Error`].
pub fn relaxed(
    program: &Program,
    settings: &Settings,
    interrupt: &AtomicBool,
) -> Result<Option<f64>, Error> {
    check(program, settings)?;
    let mut silent = |_: &Progress| {};
    let mut search = Search::new(program, settings, interrupt, &mut silent)?;
    let run = search.relaxation()?.map(|(run, _)| run);
    let solved = run.filter(|run| run.ending == Ending::Optimal);
    Ok(solved.map(|run| run.objective))
}

/// The duals and the point of the linear relaxation; `None` if it was not solved.
pub(crate) fn relaxation(
    program: &Program,
    settings: &Settings,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Option<Relaxed>, Error> {
    exact::check_shape(program)?;
    let mut search = Search::new(program, settings, interrupt, progress)?;
    Ok(search.relaxation()?.map(|(_, relaxed)| relaxed))
}

fn check(program: &Program, settings: &Settings) -> Result<(), Error> {
    exact::check_shape(program)?;
    for (name, value) in [
        ("time_limit_seconds", settings.time_limit_seconds),
        ("relative_gap", settings.relative_gap),
    ] {
        if !value.is_finite() || value < 0.0 {
            return Err(Error::Setting { name, value });
        }
    }
    match &settings.warm_start {
        Some(start) if start.len() != program.columns.len() => Err(Error::WarmStart {
            expected: program.columns.len(),
            found: start.len(),
        }),
        _ => Ok(()),
    }
}
