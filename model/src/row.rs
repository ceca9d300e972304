//! A row of a program: a sum of columns between two bounds.

/// Position of a column in [`crate::program::Program::columns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Col(pub u32);

impl Col {
    /// The position as an index into `Program::columns`.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Position of a family in [`crate::program::Program::families`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FamilyId(pub u32);

/// `lower ≤ Σ coefficient · column ≤ upper`; at least one side is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The family and the indices, unique in the program.
    pub name: String,
    /// The family.
    pub family: FamilyId,
    /// Columns ascending and distinct, coefficients not zero.
    pub terms: Vec<(Col, i64)>,
    /// Smallest value of the sum.
    pub lower: Option<i64>,
    /// Largest value of the sum.
    pub upper: Option<i64>,
}

impl Row {
    /// The value of the row's sum at `point` (one value per column).
    pub fn activity(&self, point: &[i64]) -> i64 {
        self.terms
            .iter()
            .map(|&(col, coefficient)| coefficient * point[col.index()])
            .sum()
    }

    /// Whether `point` satisfies the row.
    pub fn holds(&self, point: &[i64]) -> bool {
        let activity = self.activity(point);
        self.lower.is_none_or(|lower| lower <= activity)
            && self.upper.is_none_or(|upper| activity <= upper)
    }
}
