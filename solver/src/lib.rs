//! Solves a [`Program`](milp_model::program::Program) and says exactly as much about the result
//! as was checked.
//!
//! This crate knows columns, rows and an objective. It never sees an instance, a protocol or a
//! replica.
//!
//! # The words
//!
//! *Incumbent*: the best integer point found. It is rounded and re-evaluated on every row and
//! column bound in exact integers before it leaves ([`exact::certify`]); if the rounded point
//! violates anything, the solve fails with [`Error::NotExact`] and never returns it.
//! [`Solved::primal`] is its objective in exact integers, the objective's constant included.
//!
//! *Bound* ([`Solved::dual`]): no integer point of the program has a better objective. It is as
//! strong as its source. The solver's bound is floating point, rounded to the objective's grid
//! (the constant plus multiples of the greatest common divisor of the weights) with a tolerance
//! of one in a million. A safe bound is a weighted sum of rows evaluated in exact integers
//! ([`exact::safe_dual_bound`]) and holds whatever the solver did.
//!
//! *Optimal* ([`Termination::Optimal`]): the bound, rounded to the grid, equals the incumbent's
//! objective. If nothing more is said, this is the solver's word.
//!
//! *Proved* ([`Solved::proved`]): optimality, or infeasibility, does not rest on one
//! floating-point search alone. [`Solved::certificate`] says on what it rests:
//!
//! - [`Certificate::SafeDualBound`]: an exact bound equals the incumbent's objective. Anyone can
//!   check it from [`Solved::multipliers`] without a solver.
//! - [`Certificate::PermutedInfeasible`]: after the solver called the incumbent optimal, the
//!   program with the further row "at least one grid step better" was solved again with rows,
//!   columns and seed changed, and found infeasible. For an infeasible program: the program
//!   itself was found infeasible in both orders. Two searches on different paths agreed; it is
//!   still the solver's arithmetic.
//! - [`Certificate::None`]: nothing was checked beyond the incumbent.
//!
//! *Feasible*: a limit or an interrupt came first and there is an incumbent; *undecided*: there
//! is none, and nothing was learned but the bound; *infeasible*: no integer point exists.
//!
//! The same program and settings give the same result, seconds aside, as long as no time limit
//! or interrupt strikes.

mod aside;
mod backend;
pub mod close;
mod corner;
pub mod cubes;
pub mod every;
pub mod exact;
mod proof;
mod search;
mod solution;
mod solve;
mod statement;
mod text;

#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;

pub use aside::{GRACE, Limits, Voice, aside, hurry, left};
pub use corner::weights;
pub use solution::{is_solution, read_solution, solution};
pub use solve::{Again, Searcher, again, again_by, relaxed, solve};
pub use text::{NEGATED, lp, mps};

use exact::Multipliers;
use milp_schema::outcome::{Certificate, Termination};

/// Version of `good_lp`; a test compares it with the lock file.
const GOOD_LP: &str = "1.15.3";

/// How to solve. There is no default: a caller says everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Wall-clock seconds for everything, proof included.
    pub time_limit_seconds: f64,
    /// The search may stop at this gap, a fraction of the incumbent's objective. With anything
    /// but 0 the result may be feasible only.
    pub relative_gap: f64,
    /// Threads of the solver; 0 lets it choose, 1 keeps results reproducible.
    pub threads: u32,
    /// Seed of the solver's random choices and of the permutations.
    pub seed: u32,
    /// Whether to attempt a proof: the exact bounds, then the permuted re-solve.
    pub prove: bool,
    /// Whether the solver may presolve.
    pub presolve: bool,
    /// A point to start from, one entry per column; `None` for a value that is not known. A
    /// partial point is completed with the known values fixed, by a search of at most 500 nodes
    /// and a quarter of the time.
    /// A start that violates a row or a bound is not used: see [`Solved::started_from`].
    pub warm_start: Option<Vec<Option<i64>>>,
    /// Further options of `HiGHS` by name; those that the settings above imply win. Options that
    /// loosen its tolerances weaken its word and with it a permuted proof, but nothing exact.
    pub options: Vec<(String, String)>,
}

impl Default for Settings {
    /// Ten minutes, one thread, seed 0, no gap, proofs.
    fn default() -> Self {
        Self {
            time_limit_seconds: 600.0,
            relative_gap: 0.0,
            threads: 1,
            seed: 0,
            prove: true,
            presolve: true,
            warm_start: None,
            options: Vec::new(),
        }
    }
}

/// What a solve is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Completing a partial warm start.
    WarmStart,
    /// Solving the linear relaxation, for an exact bound.
    Relaxation,
    /// Branch and bound.
    Search,
    /// Asking for something better in another order.
    Proof,
}

/// A sign of life of a solve, at least about every second outside the solver's presolve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Objective of the incumbent, not yet certified while the search runs.
    pub incumbent: Option<i64>,
    /// The tightest bound so far, constant included.
    pub bound: f64,
    /// `|bound − incumbent| / |incumbent|`, a fraction; `None` without an incumbent, and for an
    /// incumbent of 0 that is not the bound.
    pub gap: Option<f64>,
    /// Branch-and-bound nodes of all searches so far.
    pub nodes: i64,
    /// Wall-clock seconds since the start.
    pub seconds: f64,
}

/// What a solve found; the words are defined at the top of this crate.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    /// Why it ended.
    pub termination: Termination,
    /// The incumbent, one value per column, certified.
    pub point: Option<Vec<i64>>,
    /// Its objective.
    pub primal: Option<i64>,
    /// The tightest bound that anything gave; `None` if the program is infeasible.
    pub dual: Option<f64>,
    /// Optimum of the linear relaxation; `None` if it was not solved to its end, which also is
    /// so when no proof was asked for.
    pub root_bound: Option<f64>,
    /// What was checked without trusting one search.
    pub certificate: Certificate,
    /// The multipliers of a [`Certificate::SafeDualBound`].
    pub multipliers: Option<Multipliers>,
    /// Whether the certificate settles optimality or infeasibility.
    pub proved: bool,
    /// Whether a re-solve refuted what the solver had said before. The result is then what two
    /// later searches agreed on if it is proved, and one search's word otherwise.
    pub refuted: bool,
    /// Objective of the completed warm start; `None` if there was none or it did not fit.
    pub started_from: Option<i64>,
    /// Branch-and-bound nodes of the search, those of the proof not counted.
    pub nodes: i64,
    /// Branch-and-bound nodes of the proof.
    pub proof_nodes: i64,
    /// What auxiliary runs (warm start, relaxation, proof) lost to a breakdown of the solver, one
    /// sentence each; the result is sound without them.
    pub setbacks: Vec<String>,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Names and versions of what solved it.
    pub versions: Vec<(String, String)>,
}

/// Why a solve failed; limits and infeasible programs are results, not errors.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A program without columns.
    #[error("the program has no columns, there is nothing to decide")]
    NoColumns,
    /// A column that can take no value.
    #[error("column {name} has the lower bound {lower} above the upper bound {upper}")]
    EmptyColumn {
        /// The column.
        name: String,
        /// Its lower bound.
        lower: i64,
        /// Its upper bound.
        upper: i64,
    },
    /// A number that floating point or exact sums cannot hold.
    #[error("{name} has the number {value}, the largest allowed is 2^50: rescale the program")]
    TooLarge {
        /// The column, the row or the objective.
        name: String,
        /// The number.
        value: i64,
    },
    /// A row or an objective that is not what the program promises.
    #[error("{name} is malformed: {why}")]
    Malformed {
        /// The row or the objective.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A setting that has no meaning.
    #[error("the setting {name} is {value}, expected a finite number of at least 0")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A warm start for another program.
    #[error("the warm start has {found} entries for {expected} columns")]
    WarmStart {
        /// Columns of the program.
        expected: usize,
        /// Entries given.
        found: usize,
    },
    /// Multipliers for another program.
    #[error("found {found} multipliers for {expected} rows, or a denominator above 2^62")]
    Multipliers {
        /// Rows of the program.
        expected: usize,
        /// Multipliers given.
        found: usize,
    },
    /// An option the solver does not take.
    #[error("HiGHS refused the option {name} = {value}: check its name, type and range")]
    Option {
        /// The option.
        name: String,
        /// The value.
        value: String,
    },
    /// A solver that this build does without.
    #[error("this build has no {name}: build it with `--features cbc`")]
    NoSolver {
        /// The solver.
        name: &'static str,
    },
    /// The solver broke down.
    #[error("the solver failed: {what}")]
    Backend {
        /// What it said.
        what: String,
    },
    /// The solver's point is none of the integer program.
    #[error("the solver's point violates the program once rounded: {}", .violations.join("; "))]
    NotExact {
        /// The first violations, at most five, one sentence each.
        violations: Vec<String>,
    },
    /// A certified point beats an exact bound: one of the two evaluations is wrong.
    #[error("a certified point reaches {primal}, beyond the exact bound {bound}: a defect here")]
    Contradiction {
        /// Objective of the point.
        primal: i64,
        /// The bound.
        bound: i64,
    },
    /// Sums beyond the integers used.
    #[error("an exact sum overflows: rescale the program")]
    Overflow,
}
