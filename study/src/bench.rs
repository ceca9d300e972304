//! One solve, measured: what a line of the benchmarks says.

use crate::{
    Error,
    clock::Clock,
    size::Size,
    solve::{Request, solve, solve_cold},
};
use milp_schema::{Instance, outcome::Termination};
use milp_solver::Settings;
use serde::Serialize;
use std::sync::atomic::AtomicBool;

/// What a solve took and found. Nodes and the root bound tell more than seconds on a busy machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// Name of the formulation that was solved.
    pub formulation: String,
    /// Number of columns.
    pub columns: usize,
    /// Number of rows.
    pub rows: usize,
    /// Number of non-zero coefficients.
    pub nonzeros: usize,
    /// Seconds to build the program.
    pub build_seconds: f64,
    /// Seconds of the solve as a whole: program, start, search and proof.
    pub seconds: f64,
    /// Why the solve ended.
    pub termination: Termination,
    /// The incumbent's objective.
    pub primal: Option<i64>,
    /// The bound.
    pub dual: Option<f64>,
    /// Whether the result is proved.
    pub proved: bool,
    /// Nodes of the search.
    pub nodes: i64,
    /// Optimum of the linear relaxation.
    pub root_bound: Option<f64>,
    /// Objective of the start.
    pub started_from: Option<i64>,
    /// What solved it.
    pub solver: String,
}

/// Builds and solves `instance`; with `cold` no smaller program is tried first.
///
/// # Errors
///
/// As for [`solve`].
pub fn measure(
    instance: &Instance,
    settings: &Settings,
    cold: bool,
    interrupt: &AtomicBool,
) -> Result<Measured, Error> {
    let clock = Clock::start(settings, interrupt);
    let of = instance.clone();
    let built = clock.build(move || milp_model::build(&of))?;
    let build_seconds = clock.spent();
    let size = Size::of(built.program());
    drop(built);
    let request = Request {
        instance,
        settings: &clock.settings(settings),
        warm_start: None,
        adequacy: false,
        command: "milp bench",
    };
    let before = clock.spent();
    let solved = if cold {
        solve_cold(&request, interrupt, &mut |_| ())
    } else {
        solve(&request, interrupt, &mut |_| ())
    }?;
    let seconds = clock.spent() - before;
    let outcome = solved.outcome;
    let version = outcome.run.iter().find(|(name, _)| name == "highs");
    Ok(Measured {
        formulation: outcome.formulation,
        columns: size.columns,
        rows: size.rows,
        nonzeros: size.nonzeros,
        build_seconds,
        seconds,
        termination: outcome.termination,
        primal: outcome.primal,
        dual: outcome.dual,
        proved: outcome.proved,
        nodes: outcome.nodes,
        root_bound: solved.root_bound,
        started_from: solved.started_from,
        solver: version.map_or_else(String::new, |(_, version)| format!("HiGHS {version}")),
    })
}
