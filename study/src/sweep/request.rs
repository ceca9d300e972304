//! What is swept, and what a sweep gives back.

use super::row::{Row, State};
use milp_schema::sweep::Sweep;
use milp_solver::Settings;
use std::path::Path;

/// What to sweep and how.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The combinations.
    pub sweep: &'a Sweep,
    /// The name of the sweep, for the page.
    pub name: &'a str,
    /// The folder of the sweep.
    pub out: &'a Path,
    /// Limits of each solve.
    pub settings: &'a Settings,
    /// How many solves run at once.
    pub jobs: usize,
    /// Whether to solve also what was solved before.
    pub fresh: bool,
    /// Whether to solve nothing, and take what tasks left.
    pub collect: bool,
    /// The command `milp`.
    pub program: &'a Path,
}

/// A sweep that ended, one way or the other.
#[derive(Debug, Clone)]
pub struct Swept {
    /// The names of the fields that change.
    pub fields: Vec<String>,
    /// One row for each combination, in the order of the file.
    pub rows: Vec<Row>,
    /// How many of them were solved before.
    pub reused: usize,
    /// Whether an interrupt came.
    pub interrupted: bool,
}

impl Swept {
    /// The names of rows that nobody solved yet.
    pub fn missing(&self) -> Vec<String> {
        let rows = self.rows.iter();
        let missing = rows.filter(|row| row.state == State::Missing);
        missing.map(|row| row.name.clone()).collect()
    }
}
