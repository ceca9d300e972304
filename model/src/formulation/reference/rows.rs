//! How families and rows are added, and the program when all are.

use super::{columns::Model, index::Index};
use crate::{
    expr::Expr,
    program::{Family, FamilyId, Program, Row, Tag},
};
use milp_schema::instance::Sense;

/// How the two sides of a row compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    AtMost,
    AtLeast,
    Equal,
}

impl Model {
    /// The family of that name, registered at its first use; the section of the page that
    /// restates it is its line.
    fn family(&mut self, name: &str, tag: Tag) -> FamilyId {
        if let Some(&id) = self.family_at.get(name) {
            return id;
        }
        let id = FamilyId(self.families.len() as u32);
        self.families.push(Family {
            name: name.into(),
            line: "reference-2020".into(),
            equations: vec![],
            tag,
        });
        self.family_at.insert(name.into(), id);
        id
    }

    /// Adds `left ≤ right` to the published family.
    pub(crate) fn at_most(&mut self, name: &str, index: impl Into<Index>, left: Expr, right: Expr) {
        self.row(
            name,
            Tag::Legal,
            &index.into(),
            Compare::AtMost,
            &(left - right),
        );
    }

    /// Adds `left ≥ right` to the published family.
    pub(crate) fn at_least(
        &mut self,
        name: &str,
        index: impl Into<Index>,
        left: Expr,
        right: Expr,
    ) {
        self.row(
            name,
            Tag::Legal,
            &index.into(),
            Compare::AtLeast,
            &(left - right),
        );
    }

    /// Adds `left = right` to the published family.
    pub(crate) fn equal(&mut self, name: &str, index: impl Into<Index>, left: Expr, right: Expr) {
        self.row(
            name,
            Tag::Legal,
            &index.into(),
            Compare::Equal,
            &(left - right),
        );
    }

    /// Adds `left ≤ right`, which the published rows imply for integer points.
    pub(crate) fn valid(&mut self, name: &str, index: impl Into<Index>, left: Expr, right: Expr) {
        self.row(
            name,
            Tag::Valid,
            &index.into(),
            Compare::AtMost,
            &(left - right),
        );
    }

    /// Adds `left ≤ right`, which removes points that others are copies of.
    pub(crate) fn symmetry(
        &mut self,
        name: &str,
        index: impl Into<Index>,
        left: Expr,
        right: Expr,
    ) {
        self.row(
            name,
            Tag::Symmetry,
            &index.into(),
            Compare::AtMost,
            &(left - right),
        );
    }

    /// A row about nothing, which the published text has when there is only one view, is left
    /// out.
    fn row(&mut self, name: &str, tag: Tag, index: &Index, compare: Compare, difference: &Expr) {
        if difference.is_constant() {
            return;
        }
        let family = self.family(name, tag);
        let side = -difference.constant();
        self.rows.push(Row {
            name: format!("{name}{index}"),
            family,
            terms: difference.terms().collect(),
            lower: (compare != Compare::AtMost).then_some(side),
            upper: (compare != Compare::AtLeast).then_some(side),
        });
    }

    pub(crate) fn finish(self) -> Program {
        let (sense, objective): (Sense, Expr) = self.objective;
        Program {
            columns: self.columns,
            families: self.families,
            rows: self.rows,
            sense,
            objective: objective.terms().collect(),
            constant: objective.constant(),
        }
    }
}
