//! Everything that is decided in integers, so that no conclusion rests on a rounding error.
//!
//! Nothing here calls a solver: a point is certified by evaluating every row on it, and a bound
//! by evaluating a weighted sum of rows over the column bounds.

use crate::Error;
use milp_model::program::{Col, Column, Program, Row};
use milp_schema::instance::Sense;

/// Largest absolute value of a number in a program: with it every integer is exact as `f64`, and
/// products of two of them leave room in `i128`.
pub const LARGEST: i64 = 1 << 50;

/// Row multipliers as dyadic rationals: that of row i is `numerators[i] / 2^shift`.
///
/// Any multipliers give a valid bound ([`safe_dual_bound`]), good ones a tight bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipliers {
    /// Binary logarithm of the common denominator; at most 62.
    pub shift: u32,
    /// One numerator per row of the program.
    pub numerators: Vec<i64>,
}

impl Multipliers {
    /// No row is used: the bound is the objective's own range over the column bounds.
    pub fn zero(program: &Program) -> Self {
        Self {
            shift: 0,
            numerators: vec![0; program.rows.len()],
        }
    }

    /// The nearest multipliers with denominator `2^shift`; what is not finite or too large to be
    /// useful becomes zero, which only weakens the bound.
    pub(crate) fn rounded(multipliers: &[f64], shift: u32) -> Self {
        let scale = 2f64.powi(shift as i32);
        let round = |multiplier: &f64| {
            let scaled = (multiplier * scale).round();
            if scaled.is_finite() && scaled.abs() < LARGEST as f64 {
                scaled as i64
            } else {
                0
            }
        };
        Self {
            shift,
            numerators: multipliers.iter().map(round).collect(),
        }
    }
}

/// The values the objective can take: `constant + step · k`.
///
/// All columns are integer, so every objective value is the constant plus a multiple of the
/// greatest common divisor of the weights; an objective without weights has the one value
/// `constant` and gets the step 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Distance of two neighbouring values; positive.
    pub(crate) step: i64,
    constant: i64,
    sense: Sense,
}

impl Grid {
    pub(crate) fn of(program: &Program) -> Self {
        let divisor = program
            .objective
            .iter()
            .fold(0u64, |divisor, &(_, weight)| {
                greatest_common_divisor(divisor, weight.unsigned_abs())
            });
        let step = i64::try_from(divisor.max(1)).unwrap_or(1);
        Self {
            step,
            constant: program.constant,
            sense: program.sense,
        }
    }

    /// The best grid value that `numerator / denominator` (constant excluded) still allows.
    fn round(self, numerator: i128, denominator: i128) -> Option<i64> {
        let unit = denominator.checked_mul(i128::from(self.step))?;
        let steps = match self.sense {
            Sense::Maximize => numerator.div_euclid(unit),
            Sense::Minimize => numerator.checked_neg()?.div_euclid(unit).checked_neg()?,
        };
        let value = steps
            .checked_mul(i128::from(self.step))?
            .checked_add(i128::from(self.constant))?;
        i64::try_from(value).ok()
    }

    /// The best grid value that a floating-point bound allows, granting the solver its
    /// tolerance of one in a million; `None` if the bound is not finite.
    pub(crate) fn round_solver_bound(self, bound: f64) -> Option<i64> {
        if !bound.is_finite() || bound.abs() >= LARGEST as f64 {
            return None;
        }
        let steps = (bound - self.constant as f64) / self.step as f64;
        let tolerance = 1e-6 * bound.abs().max(1.0) / self.step as f64;
        let steps = match self.sense {
            Sense::Maximize => (steps + tolerance).floor(),
            Sense::Minimize => (steps - tolerance).ceil(),
        };
        self.constant
            .checked_add(self.step.checked_mul(steps as i64)?)
    }

    /// The next better value than `value`.
    pub(crate) fn better(self, value: i64) -> i64 {
        match self.sense {
            Sense::Maximize => value.saturating_add(self.step),
            Sense::Minimize => value.saturating_sub(self.step),
        }
    }

    /// The smaller claim of two bounds.
    pub(crate) fn tighter(self, left: i64, right: i64) -> i64 {
        match self.sense {
            Sense::Maximize => left.min(right),
            Sense::Minimize => left.max(right),
        }
    }

    /// Whether `left` is a strictly better objective value than `right`.
    pub(crate) fn improves(self, left: i64, right: i64) -> bool {
        match self.sense {
            Sense::Maximize => left > right,
            Sense::Minimize => left < right,
        }
    }
}

fn greatest_common_divisor(left: u64, right: u64) -> u64 {
    if right == 0 {
        left
    } else {
        greatest_common_divisor(right, left % right)
    }
}

/// Evaluates every row and every column bound on `point` in exact integers.
///
/// # Errors
///
/// One sentence for each violated column or row, its name first, in program order; or the one
/// sentence that the point has the wrong length.
pub fn certify(program: &Program, point: &[i64]) -> Result<(), Vec<String>> {
    if point.len() != program.columns.len() {
        let (found, expected) = (point.len(), program.columns.len());
        return Err(vec![format!(
            "the point has {found} values for {expected} columns"
        )]);
    }
    let mut violations = Vec::new();
    for (column, &value) in program.columns.iter().zip(point) {
        let Column { name, lower, upper } = column;
        if !(*lower..=*upper).contains(&value) {
            violations.push(format!("{name}: {value} is outside {lower}..={upper}"));
        }
    }
    for row in &program.rows {
        match activity(&row.terms, point) {
            None => violations.push(format!("{}: the sum overflows", row.name)),
            Some(sum) => violations.extend(violation(row, sum)),
        }
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}

fn violation(row: &Row, sum: i128) -> Option<String> {
    let Row {
        name, lower, upper, ..
    } = row;
    match (*lower, *upper) {
        (Some(lower), _) if sum < i128::from(lower) => {
            Some(format!("{name}: {sum} is below {lower}"))
        }
        (_, Some(upper)) if sum > i128::from(upper) => {
            Some(format!("{name}: {sum} is above {upper}"))
        }
        _ => None,
    }
}

fn activity(terms: &[(Col, i64)], point: &[i64]) -> Option<i128> {
    terms.iter().try_fold(0i128, |sum, &(col, coefficient)| {
        let product = i128::from(coefficient).checked_mul(i128::from(point[col.index()]))?;
        sum.checked_add(product)
    })
}

/// The objective at a point of the right length.
pub(crate) fn value(program: &Program, point: &[i64]) -> Result<i64, Error> {
    activity(&program.objective, point)
        .and_then(|sum| sum.checked_add(i128::from(program.constant)))
        .and_then(|value| i64::try_from(value).ok())
        .ok_or(Error::Overflow)
}

/// A bound on the objective of every integer point of the program, from any multipliers y.
///
/// For a maximisation, with A the rows, c the weights and X the box of the column bounds:
///
/// `c·x = y·Ax + (c − yA)·x ≤ Σᵢ max(yᵢ·lowerᵢ, yᵢ·upperᵢ) + max over x in X of (c − yA)·x`
///
/// where a row that lacks the side its multiplier needs is left out. All of it is evaluated in
/// integers (numerators over a power of two) and rounded to the objective's grid, the multiples
/// of the greatest common divisor of the weights. A minimisation mirrors it.
///
/// # Errors
///
/// [`Error::Multipliers`] if there is not one numerator per row or the denominator is above
/// `2^62`, [`Error::Overflow`] if the sums leave 128 bits.
pub fn safe_dual_bound(program: &Program, multipliers: &Multipliers) -> Result<i64, Error> {
    let Multipliers { shift, numerators } = multipliers;
    if numerators.len() != program.rows.len() || *shift > 62 {
        return Err(Error::Multipliers {
            expected: program.rows.len(),
            found: numerators.len(),
        });
    }
    bound(program, *shift, numerators).ok_or(Error::Overflow)
}

/// As [`safe_dual_bound`]; `None` on overflow.
fn bound(program: &Program, shift: u32, numerators: &[i64]) -> Option<i64> {
    let denominator = 1i128 << shift;
    let maximize = program.sense == Sense::Maximize;
    let mut total = 0i128;
    let mut reduced = vec![0i128; program.columns.len()];
    for &(col, weight) in &program.objective {
        reduced[col.index()] = i128::from(weight).checked_mul(denominator)?;
    }
    for (row, &numerator) in program.rows.iter().zip(numerators) {
        // y·Ax is at most y·upper for y > 0 and y·lower for y < 0; the other way round below.
        let side = if (numerator > 0) == maximize {
            row.upper
        } else {
            row.lower
        };
        let (false, Some(side)) = (numerator == 0, side) else {
            continue;
        };
        let numerator = i128::from(numerator);
        total = total.checked_add(numerator.checked_mul(i128::from(side))?)?;
        for &(col, coefficient) in &row.terms {
            let product = numerator.checked_mul(i128::from(coefficient))?;
            let cost = &mut reduced[col.index()];
            *cost = cost.checked_sub(product)?;
        }
    }
    for (column, cost) in program.columns.iter().zip(reduced) {
        let end = if (cost > 0) == maximize {
            column.upper
        } else {
            column.lower
        };
        total = total.checked_add(cost.checked_mul(i128::from(end))?)?;
    }
    Grid::of(program).round(total, denominator)
}

/// The tightest bound that rounding `multipliers` to ever finer dyadic rationals gives, with the
/// multipliers that give it; coarse ones first, so that the reported ones are the simplest.
pub(crate) fn best_rounding(program: &Program, multipliers: &[f64]) -> Option<(i64, Multipliers)> {
    let grid = Grid::of(program);
    let mut best: Option<(i64, Multipliers)> = None;
    for shift in [0, 4, 10, 20, 30] {
        let candidate = Multipliers::rounded(multipliers, shift);
        let Ok(bound) = safe_dual_bound(program, &candidate) else {
            continue;
        };
        // A bound is the better one when the other improves on it: smaller when maximising.
        if best
            .as_ref()
            .is_none_or(|&(known, _)| grid.improves(known, bound))
        {
            best = Some((bound, candidate));
        }
    }
    best
}

/// Refuses a program whose numbers or shape the rest of this crate does not stand for.
pub(crate) fn check_shape(program: &Program) -> Result<(), Error> {
    if program.columns.is_empty() {
        return Err(Error::NoColumns);
    }
    for Column { name, lower, upper } in &program.columns {
        check_size(name, [*lower, *upper])?;
        if lower > upper {
            return Err(Error::EmptyColumn {
                name: name.clone(),
                lower: *lower,
                upper: *upper,
            });
        }
    }
    check_terms("the objective", &program.objective, program.columns.len())?;
    check_size("the objective", [program.constant])?;
    for row in &program.rows {
        check_terms(&row.name, &row.terms, program.columns.len())?;
        check_size(&row.name, row.lower.into_iter().chain(row.upper))?;
        if row.lower.is_none() && row.upper.is_none() {
            return Err(Error::Malformed {
                name: row.name.clone(),
                why: "it has no side",
            });
        }
    }
    Ok(())
}

fn check_size(name: &str, values: impl IntoIterator<Item = i64>) -> Result<(), Error> {
    for value in values {
        if value.unsigned_abs() > LARGEST.unsigned_abs() {
            return Err(Error::TooLarge {
                name: name.to_owned(),
                value,
            });
        }
    }
    Ok(())
}

fn check_terms(name: &str, terms: &[(Col, i64)], columns: usize) -> Result<(), Error> {
    let malformed = |why| {
        Err(Error::Malformed {
            name: name.to_owned(),
            why,
        })
    };
    if terms.iter().any(|&(col, _)| col.index() >= columns) {
        return malformed("a term names no column");
    }
    if !terms.is_sorted_by(|left, right| left.0 < right.0) {
        return malformed("its columns do not ascend");
    }
    check_size(name, terms.iter().map(|&(_, coefficient)| coefficient))
}
