//! What unit tests of this crate share.

use milp_solver::Settings;

/// One thread, seed 0, with a proof; instances of unit tests are far from the limit.
pub(crate) fn settings() -> Settings {
    Settings {
        time_limit_seconds: 3_600.0,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove: true,
        presolve: true,
        warm_start: None,
        options: Vec::new(),
    }
}
