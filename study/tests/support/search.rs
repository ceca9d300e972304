//! Searches that do not depend on the machine, and what they are asked for.

use milp_model::program::Row;
use milp_solver::Settings;
#[allow(unused_imports, reason = "every test file uses a part of it")]
pub(crate) use milp_solver::weights;
use std::cmp::Reverse;

/// One thread, seed 0.
pub(crate) fn settings(seconds: f64, prove: bool) -> Settings {
    Settings {
        time_limit_seconds: seconds,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove,
        presolve: true,
        warm_start: None,
        options: vec![],
    }
}

/// A search that ends after so many nodes and never by the clock, so that what it finds does not
/// depend on the machine or on what else it does.
pub(crate) fn short(nodes: u32) -> Settings {
    let mut settings = settings(3_600.0, false);
    settings.options = vec![("mip_max_nodes".into(), nodes.to_string())];
    settings
}

/// Some rows that stand for all: of those with the most terms, late ones first, because early in an
/// execution little can be broken.
pub(crate) fn representatives(mut rows: Vec<&Row>) -> Vec<&Row> {
    rows.reverse();
    rows.sort_by_key(|row| Reverse(row.terms.len()));
    let step = (rows.len() / 7).max(1);
    rows.into_iter().step_by(step).collect()
}
