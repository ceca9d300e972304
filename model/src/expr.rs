//! Integer-linear expressions over columns, the language the families are written in.

use crate::program::Col;
use std::{
    iter::Sum,
    ops::{Add, AddAssign, Mul, Sub},
};

/// `constant + Σ coefficient · column`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expr {
    /// Ascending by column, each once; coefficients that cancelled out may remain as zero.
    terms: Vec<(Col, i64)>,
    constant: i64,
}

impl Expr {
    /// The constant part.
    pub fn constant(&self) -> i64 {
        self.constant
    }

    /// The columns with a coefficient other than zero, ascending.
    pub fn terms(&self) -> impl Iterator<Item = (Col, i64)> + '_ {
        self.terms
            .iter()
            .copied()
            .filter(|&(_, coefficient)| coefficient != 0)
    }

    /// Whether no column is left in it.
    pub fn is_constant(&self) -> bool {
        self.terms().next().is_none()
    }
}

impl From<i64> for Expr {
    fn from(constant: i64) -> Self {
        Self {
            terms: Vec::new(),
            constant,
        }
    }
}

impl From<Col> for Expr {
    fn from(col: Col) -> Self {
        Self {
            terms: vec![(col, 1)],
            constant: 0,
        }
    }
}

impl AddAssign for Expr {
    fn add_assign(&mut self, other: Self) {
        self.constant += other.constant;
        // Sums are mostly written in the order of the columns: then this only appends.
        for (col, coefficient) in other.terms {
            if self.terms.last().is_none_or(|&(last, _)| last < col) {
                self.terms.push((col, coefficient));
                continue;
            }
            match self.terms.binary_search_by_key(&col, |&(col, _)| col) {
                Ok(at) => self.terms[at].1 += coefficient,
                Err(at) => self.terms.insert(at, (col, coefficient)),
            }
        }
    }
}

impl Add for Expr {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Add<i64> for Expr {
    type Output = Self;
    fn add(mut self, constant: i64) -> Self {
        self.constant += constant;
        self
    }
}

impl Sub for Expr {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + other * -1
    }
}

impl Sub<Expr> for i64 {
    type Output = Expr;
    fn sub(self, other: Expr) -> Expr {
        other * -1 + self
    }
}

impl Mul<i64> for Expr {
    type Output = Self;
    fn mul(mut self, factor: i64) -> Self {
        self.constant *= factor;
        for (_, coefficient) in &mut self.terms {
            *coefficient *= factor;
        }
        self
    }
}

impl Sum for Expr {
    fn sum<I: Iterator<Item = Self>>(exprs: I) -> Self {
        exprs.fold(Self::default(), Add::add)
    }
}
