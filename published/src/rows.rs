//! How rows are added.

use super::{columns::Model, index::Index};
use milp_model::{
    expr::Expr,
    program::{Row, Tag},
};

/// How the two sides of a row compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    AtMost,
    AtLeast,
    Equal,
}

impl Model {
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
        // The section of the page that restates the family is its line.
        let family = self.draft.family(name, "reference-2020", &[], tag);
        let side = -difference.constant();
        self.draft.push(Row {
            name: format!("{name}{index}"),
            family,
            terms: difference.terms().collect(),
            lower: (compare != Compare::AtMost).then_some(side),
            upper: (compare != Compare::AtLeast).then_some(side),
        });
    }
}
