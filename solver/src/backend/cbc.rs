//! CBC, another solver by other people, where its library is there: a search by it agrees with one
//! by `HiGHS` for no common reason but that they are right.

use crate::{
    Error, Settings,
    aside::{Limits, Voice, aside},
    exact::{self, Grid},
    solve::Again,
    statement::{Order, Stated, Variant, state_for},
};
use good_lp::{ResolutionError, Solution as _, SolverModel as _, solvers::SolutionStatus};
use milp_model::program::Program;
use std::sync::atomic::AtomicBool;

/// Searches the permuted program for something better than `value`, as [`crate::again`] does. CBC
/// takes no interrupt, so it works aside.
///
/// Only the exact check of its point is believed, and its word that there is none.
pub(crate) fn again(
    program: &Program,
    value: Option<i64>,
    seed: u64,
    settings: &Settings,
    interrupt: &AtomicBool,
) -> Result<Again, Error> {
    let limits = Limits {
        interrupt,
        seconds: settings.time_limit_seconds,
    };
    let (program, settings) = (program.clone(), settings.clone());
    let search = move |voice: &Voice<()>| search(&program, value, seed, &settings, voice);
    let found = aside(limits, search, &mut |()| ()).map_err(|error| Error::Backend {
        what: format!("no thread for CBC: {error}"),
    })?;
    found.unwrap_or(Ok(Again::Silence))
}

fn search(
    program: &Program,
    value: Option<i64>,
    seed: u64,
    settings: &Settings,
    voice: &Voice<()>,
) -> Result<Again, Error> {
    let grid = Grid::of(program);
    let at_least = value.map(|value| grid.better(value));
    let variant = Variant {
        integer: true,
        order: Order::shuffled(program, seed),
        fixed: &[],
        at_least,
    };
    let stated = state_for(program, variant, good_lp::coin_cbc, &|| voice.stopped())?;
    let Some(Stated {
        mut problem,
        variables,
        layout: _,
    }) = stated
    else {
        return Ok(Again::Silence);
    };
    let seconds = settings.time_limit_seconds.max(0.0).ceil();
    // Seeds of CBC have 31 bits.
    let seed = (seed & 0x7FFF_FFFF).to_string();
    for (name, value) in [
        ("sec", seconds.to_string().as_str()),
        ("ratioGap", "0"),
        ("allowableGap", "0"),
        ("randomCbcSeed", &seed),
    ] {
        problem.set_parameter(name, value);
    }
    let solution = match problem.solve() {
        Ok(solution) => solution,
        Err(ResolutionError::Infeasible) => return Ok(Again::Nothing),
        Err(ResolutionError::Other(_) | ResolutionError::Str(_)) => return Ok(Again::Silence),
        Err(error) => {
            return Err(Error::Backend {
                what: format!("CBC: {error}"),
            });
        }
    };
    if matches!(solution.status(), SolutionStatus::TimeLimit) {
        return Ok(Again::Silence);
    }
    let point: Vec<i64> = variables
        .iter()
        .map(|&variable| solution.value(variable).round() as i64)
        .collect();
    // A point that is none in exact integers says nothing.
    if exact::certify(program, &point).is_err() {
        return Ok(Again::Silence);
    }
    let found = exact::value(program, &point)?;
    Ok(match at_least {
        Some(wanted) if grid.improves(wanted, found) => Again::Silence,
        _ => Again::Better(found),
    })
}
