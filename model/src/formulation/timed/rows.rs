//! How families and rows are added, and the program when all are.

use super::columns::Timed;
use crate::{
    expr::Expr,
    program::{Family, FamilyId, Program, Row, Tag},
};
use milp_schema::instance::Sense;

impl Timed {
    /// The family of that name, registered at its first use.
    pub(crate) fn family(
        &mut self,
        name: &str,
        line: &str,
        equations: &[u32],
        tag: Tag,
    ) -> FamilyId {
        if let Some(&id) = self.family_at.get(name) {
            return id;
        }
        let id = FamilyId(self.families.len() as u32);
        self.families.push(Family {
            name: name.into(),
            line: line.into(),
            equations: equations.to_vec(),
            tag,
        });
        self.family_at.insert(name.into(), id);
        id
    }

    /// Adds `left ≤ right`, unless the columns' bounds imply it.
    pub(crate) fn at_most(&mut self, family: FamilyId, indices: &str, left: Expr, right: Expr) {
        let name = format!("{}{indices}", self.families[family.0 as usize].name);
        let row = Row::at_most(name, family, &self.columns, left, right);
        self.rows.extend(row);
    }

    pub(crate) fn finish(&mut self) -> Program {
        let (sense, objective) =
            std::mem::replace(&mut self.objective, (Sense::Maximize, Expr::default()));
        Program {
            columns: std::mem::take(&mut self.columns),
            families: std::mem::take(&mut self.families),
            rows: std::mem::take(&mut self.rows),
            sense,
            objective: objective.terms().collect(),
            constant: objective.constant(),
        }
    }
}
