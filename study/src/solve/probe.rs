//! Whether the solver linked here solves.

use crate::Error;
use milp_model::program::{Col, Column, Program};
use milp_schema::instance::Sense;
use milp_solver::Settings;
use std::sync::atomic::AtomicBool;

/// Solves a program of one column and gives the names and versions of what solved it.
///
/// # Errors
///
/// When the solver does not do even that.
pub fn probe() -> Result<Vec<(String, String)>, Error> {
    let column = Column {
        name: "x".to_owned(),
        lower: 0,
        upper: 3,
    };
    let program = Program {
        columns: vec![column],
        families: Vec::new(),
        rows: Vec::new(),
        sense: Sense::Maximize,
        objective: vec![(Col(0), 1)],
        constant: 0,
    };
    let settings = Settings {
        time_limit_seconds: 10.0,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove: false,
        presolve: true,
        warm_start: None,
        options: Vec::new(),
    };
    let solved = milp_solver::solve(&program, &settings, &AtomicBool::new(false), &mut |_| ())?;
    match solved.primal {
        Some(3) => Ok(solved.versions),
        found => Err(Error::Solver(milp_solver::Error::Backend {
            what: format!("the largest x of 0 ≤ x ≤ 3 is {found:?}, it says"),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_solver_linked_here_solves_and_says_its_version() {
        let versions = probe().unwrap();
        assert!(
            versions
                .iter()
                .any(|(name, version)| name == "highs" && !version.is_empty())
        );
    }
}
