//! One solve, measured: what a line of the benchmarks says.

use crate::{
    Error,
    size::Size,
    solve::{Request, solve, solve_cold},
};
use milp_schema::{Instance, outcome::Termination};
use milp_solver::Settings;
use serde::Serialize;
use std::{sync::atomic::AtomicBool, time::Instant};

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
pub fn measure(instance: &Instance, settings: &Settings, cold: bool) -> Result<Measured, Error> {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    let began = Instant::now();
    let built = milp_model::build(instance)?;
    let build_seconds = began.elapsed().as_secs_f64();
    let size = Size::of(built.program());
    drop(built);
    let request = Request {
        instance,
        settings,
        warm_start: None,
        adequacy: false,
        command: "milp bench",
    };
    let interrupt = AtomicBool::new(false);
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    let began = Instant::now();
    let solved = if cold {
        solve_cold(&request, &interrupt, &mut |_| ())
    } else {
        solve(&request, &interrupt, &mut |_| ())
    }?;
    let seconds = began.elapsed().as_secs_f64();
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
