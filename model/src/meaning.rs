//! What a program's columns say about the protocol, for whoever cuts the program into cubes or
//! looks for replicas that are alike. Nothing rests on it being complete or even right: an
//! expression over integer columns is cut at integers, and an exchange is checked row by row.

use crate::{
    expr::Expr,
    program::{Col, Program},
};

/// The renaming of the columns in which two replicas change places, if there is one: what each
/// column stands for says whom it is about ([`Built::exchange`](crate::Built::exchange)).
pub type Exchange<'a> = &'a dyn Fn(u32, u32) -> Option<Vec<Col>>;

/// A named sum over columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// Its name, made of `[A-Za-z0-9_]`.
    pub name: String,
    /// Columns ascending and distinct, coefficients not zero.
    pub terms: Vec<(Col, i64)>,
}

impl Expression {
    /// What the columns of a sum say under that name; its constant is left out.
    pub(crate) fn new(name: String, sum: &Expr) -> Self {
        let terms = sum.terms().collect();
        Self { name, terms }
    }
}

/// What can be said about points of a program in words of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meaning {
    /// Whether a replica is faulty in the instance's first way, one for each replica, ascending;
    /// empty if nobody is, or if replicas have no names.
    pub faulty: Vec<Expression>,
    /// How many replicas of the same part are faulty, where they have no names.
    pub faulty_parts: Vec<Expression>,
    /// How many honest replicas decide in a view, by height and view.
    pub decided: Vec<Expression>,
    /// How many honest replicas commit in a view, by height and view.
    pub commits: Vec<Expression>,
    /// What else a replica does, or how many do it, under the names of the columns.
    pub acts: Vec<Expression>,
}

impl Meaning {
    /// The expression of that name.
    pub fn expression(&self, name: &str) -> Option<&Expression> {
        let lists = [
            &self.faulty,
            &self.faulty_parts,
            &self.decided,
            &self.commits,
            &self.acts,
        ];
        let mut all = lists.into_iter().flatten();
        all.find(|expression| expression.name == name)
    }

    /// The least and the most that the bounds of the columns let an expression be.
    pub fn range(&self, expression: &Expression, program: &Program) -> (i64, i64) {
        let ends = |&(col, coefficient): &(Col, i64)| {
            let column = &program.columns[col.index()];
            let ends = (coefficient * column.lower, coefficient * column.upper);
            (ends.0.min(ends.1), ends.0.max(ends.1))
        };
        let terms = expression.terms.iter().map(ends);
        terms.fold((0, 0), |sum, ends| (sum.0 + ends.0, sum.1 + ends.1))
    }
}
