//! Tries to close a cube: by multipliers, or by two searches.

use crate::{
    Error, Progress, Settings,
    cubes::{Side, within},
    exact::{self, Grid, Multipliers},
    search::Relaxed,
    solve::{Again, again, relaxation},
};
use milp_model::{
    meaning::Expression,
    program::{Col, Column, Program},
};
use milp_schema::instance::Sense;
use std::sync::atomic::AtomicBool;

/// What is asked of every attempt.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The whole program.
    pub program: &'a Program,
    /// The value that nothing in the cube may better.
    pub value: i64,
    /// Limits of the attempt.
    pub settings: &'a Settings,
    /// Set from anywhere to stop.
    pub interrupt: &'a AtomicBool,
}

/// What the relaxation of a cube says.
#[derive(Debug, Clone, PartialEq)]
pub enum Relaxation {
    /// Multipliers of the program's rows and of the splits' rows that prove the cube to hold
    /// nothing better.
    Closed(Multipliers),
    /// It says nothing; its point, if it was found, one value per column. A guide only.
    Open(Option<Vec<f64>>),
}

impl Relaxation {
    /// What an expression is at the point.
    pub fn value(&self, expression: &Expression) -> Option<f64> {
        let Self::Open(Some(point)) = self else {
            return None;
        };
        let terms = expression.terms.iter();
        Some(
            terms
                .map(|&(col, coefficient)| coefficient as f64 * point[col.index()])
                .sum(),
        )
    }
}

/// Solves the relaxation of a cube.
///
/// In a cube without points the relaxation has none either, and no duals. So the splits' rows may
/// be violated at a price; the duals are then those of a program that has points, and the bound
/// that follows from them falls with the price.
///
/// # Errors
///
/// See [`Error`].
pub fn by_multipliers(
    attempt: Attempt<'_>,
    path: &[Side],
    progress: &mut dyn FnMut(&Progress),
) -> Result<Relaxation, Error> {
    let Attempt {
        program,
        value,
        settings,
        interrupt,
    } = attempt;
    let cube = within(program, path)?;
    let elastic = elastic(&cube, program.rows.len());
    let Some(Relaxed { duals, point }) = relaxation(&elastic, settings, interrupt, progress)?
    else {
        return Ok(Relaxation::Open(None));
    };
    let best = exact::best_rounding(&cube, &duals);
    let grid = Grid::of(program);
    Ok(match best {
        Some((bound, multipliers)) if !grid.improves(bound, value) => {
            Relaxation::Closed(multipliers)
        }
        _ => Relaxation::Open(point),
    })
}

/// The program with the rows from `first` on violable, at a price beyond all that the objective
/// can give.
fn elastic(cube: &Program, first: usize) -> Program {
    /// Larger prices make duals that round badly.
    const DEAREST: i64 = 1 << 20;
    let most = |&(col, weight): &(Col, i64)| {
        let Column { lower, upper, .. } = cube.columns[col.index()];
        weight
            .saturating_mul(upper.saturating_sub(lower))
            .saturating_abs()
    };
    let range = cube.objective.iter().map(most);
    let range = range.fold(1i64, i64::saturating_add);
    let price = range.saturating_mul(2).min(DEAREST);
    let mut elastic = cube.clone();
    for row in elastic.rows.iter_mut().skip(first) {
        let reach = row.terms.iter().map(|&(col, coefficient)| {
            let Column { lower, upper, .. } = cube.columns[col.index()];
            coefficient
                .saturating_abs()
                .saturating_mul(lower.saturating_abs().max(upper.saturating_abs()))
        });
        let side = row.lower.or(row.upper).unwrap_or_default();
        let reach = reach.fold(side.saturating_abs(), i64::saturating_add);
        let col = Col(elastic.columns.len() as u32);
        elastic.columns.push(Column {
            name: format!("violation_{}", row.name),
            lower: 0,
            upper: reach.min(exact::LARGEST),
        });
        row.terms
            .push((col, if row.lower.is_some() { 1 } else { -1 }));
        let weight = match cube.sense {
            Sense::Maximize => -price,
            Sense::Minimize => price,
        };
        elastic.objective.push((col, weight));
    }
    elastic
}

/// The seed of the second of two searches in different orders, if both find nothing better in the
/// cube; what the first that finds something finds otherwise.
///
/// # Errors
///
/// See [`Error`].
pub fn by_searches(
    attempt: Attempt<'_>,
    path: &[Side],
    progress: &mut dyn FnMut(&Progress),
) -> Result<Result<u64, Again>, Error> {
    let cube = within(attempt.program, path)?;
    let seed = u64::from(attempt.settings.seed);
    for seed in [seed, seed + 1] {
        let found = again(
            &cube,
            Some(attempt.value),
            seed,
            attempt.settings,
            attempt.interrupt,
            progress,
        )?;
        if found != Again::Nothing {
            return Ok(Err(found));
        }
    }
    Ok(Ok(seed + 1))
}
