//! A point for each of infinitely many n: a base, and steps that can be added any number of times.
//!
//! With the binaries fixed, all rows are linear in 1, n, f, b and counts. If a base satisfies them, and
//! each step satisfies them with 0 in place of 1, so does base + Σ k · step for all k ≥ 0.

use super::{
    affine::Affine,
    program::{Kind, Parametric},
};
use crate::program::{Col, Column, Program, Row};
use milp_schema::instance::Sense;

/// n, f and b, and a value for each column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// n, f and b.
    pub at: [i64; 3],
    /// By column.
    pub values: Vec<i64>,
}

/// A base and steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The point of the smallest n.
    pub base: Point,
    /// What can be added to it.
    pub steps: Vec<Point>,
}

impl Affine {
    /// How much it grows with a step.
    fn along(self, step: [i64; 3]) -> i64 {
        self.at(step) - self.0[0]
    }
}

impl Family {
    /// The program whose points are families of `program` with such a base and such steps, in which
    /// the goal's columns are at least a number: the base's columns, then those of each step.
    pub fn program(
        program: &Parametric,
        at_least: i64,
        base: [i64; 3],
        steps: &[[i64; 3]],
    ) -> Program {
        let mut all = program.at(base);
        let goal = all.objective.clone();
        all.rows.push(Row {
            name: "goal".to_owned(),
            family: crate::program::FamilyId(0),
            terms: goal,
            lower: Some(at_least),
            upper: None,
        });
        for (number, &step) in steps.iter().enumerate() {
            add_step(program, &mut all, number, step);
        }
        all.sense = Sense::Minimize;
        let columns = 0..all.columns.len();
        all.objective = columns.map(|at| (Col(at as u32), 1)).collect();
        all
    }

    /// The family of a point of [`Self::program`].
    pub fn of(program: &Parametric, base: [i64; 3], steps: &[[i64; 3]], point: &[i64]) -> Self {
        let width = program.columns.len();
        let mut parts = point.chunks(width).map(<[i64]>::to_vec);
        let mut part = |at: [i64; 3]| Point {
            at,
            values: parts.next().unwrap_or_default(),
        };
        Self {
            base: part(base),
            steps: steps.iter().map(|it| part(*it)).collect(),
        }
    }

    /// The member with these numbers of steps; as many as steps.
    pub fn member(&self, times: &[i64]) -> Point {
        let mut point = self.base.clone();
        for (step, k) in self.steps.iter().zip(times) {
            for (sum, it) in point.at.iter_mut().zip(&step.at) {
                *sum += k * it;
            }
            for (sum, it) in point.values.iter_mut().zip(&step.values) {
                *sum += k * it;
            }
        }
        point
    }

    /// The member at n, f and b, if steps lead there.
    pub fn at(&self, at: [i64; 3]) -> Option<Point> {
        self.reaches(at, self.steps.len())
            .map(|times| self.member(&times))
    }

    /// How often each of the first `steps` is taken on the way to n, f and b.
    fn reaches(&self, at: [i64; 3], steps: usize) -> Option<Vec<i64>> {
        let Some(last) = steps.checked_sub(1) else {
            return (at == self.base.at).then(Vec::new);
        };
        let step = self.steps[last].at;
        let most = (at[0] - self.base.at[0]) / step[0].max(1);
        (0..=most).find_map(|k| {
            let rest = std::array::from_fn(|it| at[it] - k * step[it]);
            let mut times = self.reaches(rest, last)?;
            times.push(k);
            Some(times)
        })
    }

    /// Whether base + Σ k · step is a point of the program with a goal of `at_least`, for all k ≥ 0.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn check(&self, program: &Parametric, at_least: i64) -> Result<(), String> {
        let Self { base, steps } = self;
        let width = program.columns.len();
        if base.values.len() != width || steps.iter().any(|it| it.values.len() != width) {
            return Err("the program has other columns".to_owned());
        }
        if !program.covers(base.at) {
            return Err("the base is not in the region".to_owned());
        }
        let fixed = program.at(base.at);
        if let Some(broken) = fixed.violations(&base.values).next() {
            return Err(format!("the base breaks {broken}"));
        }
        if fixed.value(&base.values) < at_least {
            return Err("the base does not reach the goal".to_owned());
        }
        steps.iter().enumerate().try_for_each(|(number, step)| {
            let broken = self.broken(program, step);
            broken.map_or(Ok(()), |it| Err(format!("step {} breaks {it}", number + 1)))
        })
    }

    /// What a step breaks.
    fn broken(&self, program: &Parametric, step: &Point) -> Option<String> {
        if program.region.iter().any(|it| it.along(step.at) < 0) || step.at[0] <= 0 {
            return Some("the region".to_owned());
        }
        for (column, value) in program.columns.iter().zip(&step.values) {
            let most = match column.kind {
                Kind::Count => column.upper.along(step.at),
                Kind::Binary | Kind::Unit => 0,
            };
            if !(0..=most).contains(value) {
                return Some(column.name.clone());
            }
        }
        let row = program.rows.iter().find(|row| {
            let terms = row.terms.iter().map(|&(column, it)| {
                let stays = it.along(step.at) * self.base.values[column];
                match program.columns[column].kind {
                    Kind::Binary => stays,
                    Kind::Unit | Kind::Count => it.0[0] * step.values[column],
                }
            });
            terms.sum::<i64>() > row.upper.along(step.at)
        });
        row.map(|it| it.name.clone())
    }
}

/// The columns and rows of a step.
fn add_step(program: &Parametric, all: &mut Program, number: usize, step: [i64; 3]) {
    let first = all.columns.len();
    all.columns.extend(program.columns.iter().map(|it| Column {
        name: format!("{}_step{number}", it.name),
        lower: 0,
        upper: match it.kind {
            Kind::Count => it.upper.along(step).max(0),
            Kind::Binary | Kind::Unit => 0,
        },
    }));
    for row in &program.rows {
        let terms = row.terms.iter().map(|&(column, it)| {
            match program.columns[column].kind {
                // A binary stays what it is.
                Kind::Binary => (Col(column as u32), it.along(step)),
                Kind::Unit | Kind::Count => (Col((first + column) as u32), it.0[0]),
            }
        });
        let terms: Vec<_> = terms.filter(|it| it.1 != 0).collect();
        let upper = row.upper.along(step);
        if terms.is_empty() && upper >= 0 {
            continue;
        }
        let mut terms = terms;
        terms.sort_unstable();
        all.rows.push(Row {
            name: format!("{}_step{number}", row.name),
            family: crate::program::FamilyId(0),
            terms,
            lower: None,
            upper: Some(upper),
        });
    }
}
