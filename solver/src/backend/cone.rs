//! A linear program over a cone, solved again and again with binaries held at 0 or 1.

#![expect(unsafe_code, reason = "`highs` changes no bounds of rows")]

use crate::{
    Error,
    every::forms::{Cube, Form, Part},
};
use highs::{Col, HighsModelStatus, Model, RowProblem, Sense};
use highs_sys::{Highs_changeColBounds, Highs_changeRowBounds, HighsInt, STATUS_ERROR};
use std::collections::BTreeMap;

/// The largest that 1 can be where n is at most 1.
pub(crate) struct Cone {
    model: Option<Model>,
    rows: usize,
    /// The columns of a binary's products, or of another column.
    columns: BTreeMap<usize, Vec<usize>>,
    /// The rows that say that a column is at most 1, or its products at most the parameters.
    caps: BTreeMap<usize, Vec<usize>>,
    held: Cube,
}

impl Cone {
    pub(crate) fn new(places: &[Part], forms: &[Form]) -> Result<Self, Error> {
        let mut problem = RowProblem::new();
        let mut at: BTreeMap<Part, Col> = BTreeMap::new();
        let mut columns: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, part) in places.iter().enumerate() {
            let gain = f64::from(u8::from(*part == Part::Parameter(0)));
            let col = match part {
                Part::Parameter(1) => problem.add_column(gain, 0.0..=1.0),
                _ => problem.add_column(gain, 0.0..),
            };
            at.insert(*part, col);
            if let Part::Product(column, _) | Part::Column(column) = part {
                columns.entry(*column).or_default().push(number);
            }
        }
        let mut caps: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, form) in forms.iter().enumerate() {
            let terms = form.iter().map(|(part, it)| (at[part], *it as f64));
            problem.add_row(..=0.0, terms.collect::<Vec<_>>());
            if let Some(column) = capped(form) {
                caps.entry(column).or_default().push(number);
            }
        }
        let mut model = problem.optimise(Sense::Maximise);
        let failed = |_| Error::Backend {
            what: "HiGHS refused an option".to_owned(),
        };
        model.try_set_option("presolve", "off").map_err(failed)?;
        model.try_set_option("threads", 1).map_err(failed)?;
        model
            .try_set_option("primal_feasibility_tolerance", 1e-9)
            .map_err(failed)?;
        model
            .try_set_option("dual_feasibility_tolerance", 1e-9)
            .map_err(failed)?;
        Ok(Self {
            model: Some(model),
            rows: forms.len(),
            columns,
            caps,
            held: Cube::new(),
        })
    }

    /// The value, the point and the duals of rows in a cube; rows that hold columns at 1 have none.
    pub(crate) fn solve(&mut self, cube: &Cube) -> Result<(f64, Vec<f64>, Vec<f64>), Error> {
        let broken = |what: &str| Error::Backend {
            what: what.to_owned(),
        };
        let mut model = self
            .model
            .take()
            .ok_or_else(|| broken("no model is left"))?;
        let changed: Vec<usize> = (self.columns.keys().copied())
            .filter(|it| self.held.get(it) != cube.get(it))
            .collect();
        for column in changed {
            self.hold(&mut model, column, cube.get(&column).copied())?;
        }
        self.held.clone_from(cube);
        let solved = model
            .try_solve()
            .map_err(|it| broken(&format!("HiGHS returned {it:?}")))?;
        if solved.status() != HighsModelStatus::Optimal {
            return Err(broken(&format!("HiGHS ended with {:?}", solved.status())));
        }
        let value = solved.objective_value();
        let solution = solved.get_solution();
        let point = solution.columns().to_vec();
        let mut duals = solution.dual_rows().to_vec();
        debug_assert_eq!(duals.len(), self.rows);
        for (column, rows) in &self.caps {
            if cube.get(column) == Some(&true) {
                rows.iter().for_each(|row| duals[*row] = 0.0);
            }
        }
        self.model = Some(Model::from(solved));
        Ok((value, point, duals))
    }

    fn hold(&self, model: &mut Model, column: usize, value: Option<bool>) -> Result<(), Error> {
        let highs = model.as_mut_ptr();
        let upper = if value == Some(false) {
            0.0
        } else {
            f64::INFINITY
        };
        let lower = if value == Some(true) {
            0.0
        } else {
            f64::NEG_INFINITY
        };
        let mut failed = false;
        for col in self.columns.get(&column).into_iter().flatten() {
            // SAFETY: the pointer is that of a live model, and the column is one of it.
            let status = unsafe { Highs_changeColBounds(highs, *col as HighsInt, 0.0, upper) };
            failed |= status == STATUS_ERROR;
        }
        for row in self.caps.get(&column).into_iter().flatten() {
            // SAFETY: the pointer is that of a live model, and the row is one of it.
            let status = unsafe { Highs_changeRowBounds(highs, *row as HighsInt, lower, 0.0) };
            failed |= status == STATUS_ERROR;
        }
        if failed {
            return Err(Error::Backend {
                what: "HiGHS refused a bound".to_owned(),
            });
        }
        Ok(())
    }
}

/// The column whose inequality says that it, or a product of it, is at most a parameter.
fn capped(form: &Form) -> Option<usize> {
    let parts: Vec<(Part, i64)> = form.iter().map(|(part, it)| (*part, *it)).collect();
    match parts[..] {
        [(Part::Parameter(p), -1), (Part::Product(column, q), 1)] if p == q => Some(column),
        [(Part::Parameter(0), -1), (Part::Column(column), 1)] => Some(column),
        _ => None,
    }
}
