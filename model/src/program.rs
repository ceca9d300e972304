//! The solver-neutral mixed-integer linear program: named integer columns with finite bounds,
//! and named rows tagged by family and by what they are for.

use crate::{group::Group, left_out::LeftOut};
use milp_schema::instance::Sense;

pub use crate::row::{Col, FamilyId, Row};

/// One integer variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Readable name, unique in the program, made of `[A-Za-z0-9_(),]` so that LP files take it.
    pub name: String,
    /// Smallest value.
    pub lower: i64,
    /// Largest value; finite, because a safe bound needs it.
    pub upper: i64,
}

/// What a family of rows is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// Every real execution (in the canonical order of a slot) satisfies it.
    Legal,
    /// Implied by the legal rows for integer points; there to close the gap.
    Valid,
    /// Implied as well, which a program of its own proves.
    Lemma,
    /// Removes equivalent points only.
    Symmetry,
    /// Limits the adversary or the horizon: the instance asks for it, the protocol does not.
    Budget,
    /// Ties the objective's columns to the execution's.
    Goal,
}

/// One template of constraints; its members are rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// `<event>_<relation>_<event>`, unique.
    pub name: String,
    /// The line of the protocol page or of `docs/EXECUTION.md` it states.
    pub line: String,
    /// The paper's equations it is the corrected form of.
    pub equations: Vec<u32>,
    /// What it is for.
    pub tag: Tag,
    /// The rule that it states a part of: none for rows that say what the goal means, which stay
    /// in every question, and for those that only help the solver.
    pub group: Option<Group>,
    /// Of a valid family the rules that its proof rests on (`docs/MODEL.md`), beside those that
    /// every proof does; none where it is not known to hold without all of them.
    pub rests_on: Option<&'static [Group]>,
    /// The pattern of executions that it leaves out, if that is what it does.
    pub left_out: Option<LeftOut>,
}

impl Family {
    /// A family that is part of no rule of the protocol.
    pub fn new(name: &str, line: &str, tag: Tag) -> Self {
        Self {
            name: name.to_owned(),
            line: line.to_owned(),
            equations: Vec::new(),
            tag,
            group: None,
            rests_on: None,
            left_out: None,
        }
    }
}

/// `sense` of `constant + Σ coefficient · column` over the integer points of columns and rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The variables.
    pub columns: Vec<Column>,
    /// The templates the rows come from.
    pub families: Vec<Family>,
    /// The constraints.
    pub rows: Vec<Row>,
    /// Direction of the optimisation.
    pub sense: Sense,
    /// Linear part of the objective, columns ascending and distinct.
    pub objective: Vec<(Col, i64)>,
    /// Constant part of the objective.
    pub constant: i64,
}

impl Program {
    /// The objective at `point`.
    pub fn value(&self, point: &[i64]) -> i64 {
        self.constant
            + self
                .objective
                .iter()
                .map(|&(col, weight)| weight * point[col.index()])
                .sum::<i64>()
    }

    /// The rows that `point` violates and the columns it puts out of bounds, by name.
    ///
    /// # Panics
    /// If `point` does not have one value per column.
    pub fn violations<'a>(&'a self, point: &'a [i64]) -> impl Iterator<Item = &'a str> {
        assert_eq!(
            point.len(),
            self.columns.len(),
            "a point has one value per column"
        );
        let columns = self
            .columns
            .iter()
            .zip(point)
            .filter(|(column, value)| !(column.lower..=column.upper).contains(value))
            .map(|(column, _)| column.name.as_str());
        let rows = self
            .rows
            .iter()
            .filter(|row| !row.holds(point))
            .map(|row| row.name.as_str());
        columns.chain(rows)
    }

    /// The family of a row.
    pub fn family(&self, row: &Row) -> &Family {
        &self.families[row.family.0 as usize]
    }

    /// Non-zero coefficients of the rows.
    pub fn nonzeros(&self) -> usize {
        self.rows.iter().map(|row| row.terms.len()).sum()
    }
}
