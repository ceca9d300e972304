//! How large a program is, rule by rule.

use milp_model::program::{Program, Tag};

/// The rows of one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilySize {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub tag: Tag,
    /// The line of the protocol page or of `docs/EXECUTION.md` it states.
    pub line: String,
    /// The paper's equations it is the corrected form of.
    pub equations: Vec<u32>,
    /// Number of its rows.
    pub rows: usize,
    /// Number of their non-zero coefficients.
    pub nonzeros: usize,
}

/// The size of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// Number of columns.
    pub columns: usize,
    /// Number of columns that their bounds leave no choice.
    pub fixed: usize,
    /// Number of rows.
    pub rows: usize,
    /// Number of non-zero coefficients of the rows.
    pub nonzeros: usize,
    /// One entry per family, in the program's order; families without a row included.
    pub families: Vec<FamilySize>,
}

impl Size {
    /// Counts the columns, rows and coefficients of `program`.
    pub fn of(program: &Program) -> Self {
        let mut families = program
            .families
            .iter()
            .map(|family| FamilySize {
                name: family.name.clone(),
                tag: family.tag,
                line: family.line.clone(),
                equations: family.equations.clone(),
                rows: 0,
                nonzeros: 0,
            })
            .collect::<Vec<_>>();
        for row in &program.rows {
            let family = &mut families[row.family.0 as usize];
            family.rows += 1;
            family.nonzeros += row.terms.len();
        }
        Self {
            columns: program.columns.len(),
            fixed: program
                .columns
                .iter()
                .filter(|column| column.lower == column.upper)
                .count(),
            rows: program.rows.len(),
            nonzeros: program.nonzeros(),
            families,
        }
    }
}

/// The word for a tag.
pub const fn tag_name(tag: Tag) -> &'static str {
    match tag {
        Tag::Legal => "legal",
        Tag::Valid => "valid",
        Tag::Lemma => "lemma",
        Tag::Symmetry => "symmetry",
        Tag::Budget => "budget",
        Tag::Goal => "goal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milp_model::program::{Col, Column, Family, FamilyId, Row};
    use milp_schema::instance::Sense;

    #[test]
    fn sizes_add_up_over_the_families_and_name_the_empty_ones() {
        let family = |name: &str| Family {
            equations: vec![3],
            ..Family::new(name, "1", Tag::Legal)
        };
        let row = |name: &str, family, terms| Row {
            name: name.into(),
            family: FamilyId(family),
            terms,
            lower: None,
            upper: Some(1),
        };
        let column = |name: &str, upper| Column {
            name: name.into(),
            lower: 0,
            upper,
        };
        let program = Program {
            columns: vec![column("x", 1), column("y", 0)],
            families: vec![family("first"), family("empty"), family("last")],
            rows: vec![
                row("a", 0, vec![(Col(0), 1), (Col(1), 1)]),
                row("b", 2, vec![(Col(0), 1)]),
                row("c", 2, vec![(Col(1), 1)]),
            ],
            sense: Sense::Maximize,
            objective: vec![],
            constant: 0,
        };
        let size = Size::of(&program);
        assert_eq!(
            (size.columns, size.fixed, size.rows, size.nonzeros),
            (2, 1, 3, 4)
        );
        let counts = size
            .families
            .iter()
            .map(|f| (f.rows, f.nonzeros))
            .collect::<Vec<_>>();
        assert_eq!(counts, [(1, 2), (0, 0), (2, 2)]);
    }
}
