//! A program with n, f and b as columns.

use super::Affine;
use crate::program::{Col, Column, Family, FamilyId, Program, Row as Fixed, Tag};
use milp_schema::instance::Sense;

/// What a column may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 0 or 1, and rows may multiply it by n, f and b.
    Binary,
    /// 0 or 1.
    Unit,
    /// How many replicas.
    Count,
}

/// One integer variable, at least 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Readable name, unique in the program, of letters, digits and `_`.
    pub name: String,
    /// What it may be.
    pub kind: Kind,
    /// Its largest value.
    pub upper: Affine,
}

/// `Σ coefficient · column ≤ upper`; only binaries have coefficients that are no numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Unique in the program.
    pub name: String,
    /// Columns ascending and distinct, coefficients not zero.
    pub terms: Vec<(usize, Affine)>,
    /// The largest value of the sum.
    pub upper: Affine,
}

/// The goal's columns sum up to as many as they can, for all n, f and b of a region.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parametric {
    /// The variables.
    pub columns: Vec<Unknown>,
    /// The constraints.
    pub rows: Vec<Line>,
    /// What n, f and b satisfy: each of these is at least 0.
    pub region: Vec<Affine>,
    /// The binaries that count.
    pub goal: Vec<usize>,
}

impl Parametric {
    /// Adds a column.
    pub(super) fn column(&mut self, name: String, kind: Kind, upper: Affine) -> usize {
        self.columns.push(Unknown { name, kind, upper });
        self.columns.len() - 1
    }

    /// Adds `Σ terms ≤ upper`; terms of one column are summed up, and a row of nothing that says
    /// nothing is left out.
    pub(super) fn at_most(
        &mut self,
        name: String,
        terms: impl IntoIterator<Item = (usize, Affine)>,
        upper: Affine,
    ) {
        let mut sums = std::collections::BTreeMap::<usize, Affine>::new();
        for (column, coefficient) in terms {
            let sum = sums.entry(column).or_default();
            *sum = *sum + coefficient;
        }
        sums.retain(|_, it| !it.is_zero());
        let numbers = |(column, it): (&usize, &Affine)| {
            it.is_constant() || self.columns[*column].kind == Kind::Binary
        };
        assert!(sums.iter().all(numbers), "a product with a count in {name}");
        let terms = sums.into_iter().collect();
        self.rows.push(Line { name, terms, upper });
    }

    /// Whether n, f and b lie in the region.
    pub fn covers(&self, at: [i64; 3]) -> bool {
        self.region.iter().all(|it| it.at(at) >= 0)
    }

    /// The program for one n, f and b.
    pub fn at(&self, at: [i64; 3]) -> Program {
        let columns = self.columns.iter().map(|it| Column {
            name: it.name.clone(),
            lower: 0,
            upper: it.upper.at(at).max(0),
        });
        let rows = self.rows.iter().map(|row| Fixed {
            name: row.name.clone(),
            family: FamilyId(0),
            terms: (row.terms.iter())
                .map(|(column, it)| (Col(*column as u32), it.at(at)))
                .filter(|(_, it)| *it != 0)
                .collect(),
            lower: None,
            upper: Some(row.upper.at(at)),
        });
        Program {
            columns: columns.collect(),
            families: vec![Family::new("for_every_n", "E3", Tag::Legal)],
            rows: rows.filter(|row| !row.terms.is_empty()).collect(),
            sense: Sense::Maximize,
            objective: self.goal.iter().map(|it| (Col(*it as u32), 1)).collect(),
            constant: 0,
        }
    }
}
