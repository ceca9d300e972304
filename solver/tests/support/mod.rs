//! Small programs for the tests of this crate.
#![allow(dead_code, reason = "every test file uses its own part of this")]

use milp_model::program::{Col, Column, Family, FamilyId, Program, Row, Tag};
use milp_schema::instance::Sense;

/// One row: lower side, dense coefficients, upper side.
pub(crate) type DenseRow<'a> = (Option<i64>, &'a [i64], Option<i64>);

fn terms(dense: &[i64]) -> Vec<(Col, i64)> {
    let nonzero = dense
        .iter()
        .enumerate()
        .filter(|&(_, &coefficient)| coefficient != 0);
    nonzero
        .map(|(index, &coefficient)| (Col(index as u32), coefficient))
        .collect()
}

/// A program from dense numbers: columns `x0`, `x1`, …, rows `row_0`, `row_1`, ….
pub(crate) fn program(
    sense: Sense,
    bounds: &[(i64, i64)],
    objective: &[i64],
    constant: i64,
    rows: &[DenseRow<'_>],
) -> Program {
    let column = |(index, &(lower, upper)): (usize, &(i64, i64))| Column {
        name: format!("x{index}"),
        lower,
        upper,
    };
    let row = |(index, &(lower, dense, upper)): (usize, &DenseRow<'_>)| Row {
        name: format!("row_{index}"),
        family: FamilyId(0),
        terms: terms(dense),
        lower,
        upper,
    };
    Program {
        columns: bounds.iter().enumerate().map(column).collect(),
        families: vec![Family::new("row", "test", Tag::Legal)],
        rows: rows.iter().enumerate().map(row).collect(),
        sense,
        objective: terms(objective),
        constant,
    }
}

/// Two-sided, equal, lower, upper and empty rows over one binary and two general columns.
pub(crate) fn rows_of_every_kind() -> Program {
    let rows: [DenseRow<'_>; 5] = [
        (Some(-5), &[1, 1, -1], Some(4)),
        (Some(6), &[2, 3], Some(6)),
        (Some(-1), &[0, 1], None),
        (None, &[0, 0, 1], Some(1)),
        (None, &[], Some(0)),
    ];
    program(
        Sense::Maximize,
        &[(-2, 5), (0, 1), (-4, 4)],
        &[3, -1, 2],
        7,
        &rows,
    )
}

/// Choose the most of seven items of which no two neighbours in a ring go together: 3. The
/// relaxation takes half of each, 3.5, so rounding closes it.
pub(crate) fn ring(sense: Sense, length: usize) -> Program {
    let edges: Vec<Vec<i64>> = (0..length)
        .map(|first| {
            let mut dense = vec![0; length];
            dense[first] = 1;
            dense[(first + 1) % length] = 1;
            dense
        })
        .collect();
    let rows: Vec<DenseRow<'_>> = edges
        .iter()
        .map(|dense| match sense {
            Sense::Maximize => (None, dense.as_slice(), Some(1)),
            Sense::Minimize => (Some(1), dense.as_slice(), None),
        })
        .collect();
    program(sense, &vec![(0, 1); length], &vec![1; length], 0, &rows)
}

/// `count` rings of five next to each other: 2 each, and a relaxation of 2.5 each, which no
/// rounding of the sum closes from two rings on.
pub(crate) fn rings(sense: Sense, count: usize) -> Program {
    let mut joined = ring(sense, 5);
    joined.rows.clear();
    joined.columns.clear();
    joined.objective.clear();
    for copy in 0..count {
        let part = ring(sense, 5);
        let shift = (copy * 5) as u32;
        joined.columns.extend(
            part.columns
                .into_iter()
                .enumerate()
                .map(|(index, column)| Column {
                    name: format!("x{}", copy * 5 + index),
                    ..column
                }),
        );
        joined.objective.extend(
            part.objective
                .iter()
                .map(|&(col, one)| (Col(col.0 + shift), one)),
        );
        joined
            .rows
            .extend(part.rows.into_iter().enumerate().map(|(index, row)| {
                Row {
                    name: format!("row_{}", copy * 5 + index),
                    terms: row
                        .terms
                        .iter()
                        .map(|&(col, one)| (Col(col.0 + shift), one))
                        .collect(),
                    ..row
                }
            }));
    }
    joined
}

/// The best objective over all integer points, by looking at each of them.
pub(crate) fn brute_force(program: &Program) -> Option<i64> {
    let mut point: Vec<i64> = program.columns.iter().map(|column| column.lower).collect();
    let mut best: Option<i64> = None;
    loop {
        if program.rows.iter().all(|row| row.holds(&point)) {
            let value = program.value(&point);
            let better = |best: i64| match program.sense {
                Sense::Maximize => best.max(value),
                Sense::Minimize => best.min(value),
            };
            best = Some(best.map_or(value, better));
        }
        let next = program
            .columns
            .iter()
            .zip(&mut point)
            .find_map(|(column, value)| {
                *value += 1;
                if *value > column.upper {
                    *value = column.lower;
                    return None;
                }
                Some(())
            });
        if next.is_none() {
            return best;
        }
    }
}

/// A seeded generator of small numbers (a linear congruential one; quality does not matter).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number from `low` to `high`.
    pub(crate) fn roll(&mut self, low: i64, high: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        low + ((self.0 >> 33) % ((high - low + 1) as u64)) as i64
    }

    /// A program of up to five columns with up to four values each, and up to four rows, with
    /// both senses, all kinds of rows, and sometimes no point at all.
    pub(crate) fn program(&mut self) -> Program {
        let width = self.roll(1, 5) as usize;
        let bounds: Vec<(i64, i64)> = (0..width)
            .map(|_| {
                let lower = self.roll(-2, 1);
                (lower, lower + self.roll(0, 3))
            })
            .collect();
        let scale = self.roll(1, 3);
        let objective: Vec<i64> = (0..width).map(|_| scale * self.roll(-4, 4)).collect();
        let dense: Vec<(Vec<i64>, Option<i64>, Option<i64>)> = (0..self.roll(0, 4))
            .map(|_| {
                let coefficients = (0..width).map(|_| self.roll(-3, 3)).collect();
                let lower = self.roll(-6, 4);
                match self.roll(0, 3) {
                    0 => (coefficients, Some(lower), None),
                    1 => (coefficients, None, Some(lower + 3)),
                    2 => (coefficients, Some(lower), Some(lower)),
                    _ => (coefficients, Some(lower), Some(lower + self.roll(1, 6))),
                }
            })
            .collect();
        let rows: Vec<DenseRow<'_>> = dense
            .iter()
            .map(|(coefficients, lower, upper)| (*lower, coefficients.as_slice(), *upper))
            .collect();
        let sense = if self.roll(0, 1) == 0 {
            Sense::Maximize
        } else {
            Sense::Minimize
        };
        program(sense, &bounds, &objective, self.roll(-9, 9), &rows)
    }
}
