//! The inequalities that multipliers name, and exact sums of them.

use milp_model::every::{Affine, Kind, Parametric};
use std::collections::BTreeMap;

/// The names of 1, n, f and b.
const PARAMETERS: [&str; 4] = ["1", "n", "f", "b"];

/// What an inequality is made of; each is at least 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// 1, n, f or b.
    Parameter(usize),
    /// A column that is no binary.
    Column(usize),
    /// A binary times 1, n, f or b.
    Product(usize, usize),
}

/// `Σ coefficient · part ≤ 0`.
pub(crate) type Form = BTreeMap<Part, i64>;

/// The inequalities of a program, in which the goal's columns are at least a number.
pub(crate) struct Forms<'a> {
    pub(crate) program: &'a Parametric,
    at_least: i64,
    columns: BTreeMap<&'a str, usize>,
    rows: BTreeMap<&'a str, usize>,
}

impl<'a> Forms<'a> {
    pub(crate) fn new(program: &'a Parametric, at_least: i64) -> Self {
        let columns = program.columns.iter().enumerate();
        let rows = program.rows.iter().enumerate();
        Self {
            program,
            at_least,
            columns: columns.map(|(at, it)| (it.name.as_str(), at)).collect(),
            rows: rows.map(|(at, it)| (it.name.as_str(), at)).collect(),
        }
    }

    /// The column of a name that a cube may be cut at.
    pub(crate) fn splits(&self, name: &str) -> Option<usize> {
        let column = *self.columns.get(name)?;
        (self.program.columns[column].kind != Kind::Count).then_some(column)
    }

    /// The inequality that a name stands for.
    pub(crate) fn named(&self, name: &str) -> Option<Form> {
        let words: Vec<&str> = name.split(':').collect();
        let binary = |name: &str| {
            let column = *self.columns.get(name)?;
            (self.program.columns[column].kind == Kind::Binary).then_some(column)
        };
        let condition = |at: &str| self.program.region.get(at.parse::<usize>().ok()?).copied();
        match words[..] {
            ["row", row] => Some(self.row(*self.rows.get(row)?)),
            ["rlt", row, at] => times(&self.row(*self.rows.get(row)?), condition(at)?),
            ["ub", column] => Some(self.upper(*self.columns.get(column)?)),
            ["theta", at] => Some(parameters(-condition(at)?)),
            ["in", column, at] => Some(product(binary(column)?, -condition(at)?)),
            ["out", column, at] => {
                let mut form = product(binary(column)?, condition(at)?);
                form.extend(parameters(-condition(at)?));
                Some(form)
            }
            ["cap", column, parameter] => {
                let at = PARAMETERS.iter().position(|it| *it == parameter)?;
                Some(cap(binary(column)?, at))
            }
            ["goal"] => Some(self.goal()),
            ["goal", at] => times(&self.goal(), condition(at)?),
            _ => None,
        }
    }

    /// The names of all inequalities.
    pub(crate) fn names(&self) -> Vec<String> {
        let conditions = 0..self.program.region.len();
        let mut names: Vec<String> = vec!["goal".to_owned()];
        names.extend(conditions.clone().map(|at| format!("goal:{at}")));
        for (number, row) in self.program.rows.iter().enumerate() {
            names.push(format!("row:{}", row.name));
            if times(&self.row(number), Affine::ONE).is_some() {
                names.extend(
                    conditions
                        .clone()
                        .map(|at| format!("rlt:{}:{at}", row.name)),
                );
            }
        }
        names.extend(conditions.clone().map(|at| format!("theta:{at}")));
        for column in &self.program.columns {
            let name = &column.name;
            if column.kind != Kind::Binary {
                names.push(format!("ub:{name}"));
                continue;
            }
            for at in conditions.clone() {
                names.extend([format!("in:{name}:{at}"), format!("out:{name}:{at}")]);
            }
            names.extend(PARAMETERS.iter().map(|it| format!("cap:{name}:{it}")));
        }
        names
    }

    fn row(&self, row: usize) -> Form {
        let row = &self.program.rows[row];
        let mut form = parameters(-row.upper);
        for &(column, coefficient) in &row.terms {
            if self.program.columns[column].kind == Kind::Binary {
                form.extend(product(column, coefficient));
            } else {
                form.insert(Part::Column(column), coefficient.0[0]);
            }
        }
        form
    }

    fn upper(&self, column: usize) -> Form {
        let mut form = parameters(-self.program.columns[column].upper);
        form.insert(
            match self.program.columns[column].kind {
                Kind::Binary => Part::Product(column, 0),
                Kind::Unit | Kind::Count => Part::Column(column),
            },
            1,
        );
        form
    }

    /// `at_least − Σ block ≤ 0`.
    fn goal(&self) -> Form {
        let blocks = self.program.goal.iter();
        let mut form: Form = blocks.map(|it| (Part::Product(*it, 0), -1)).collect();
        form.insert(Part::Parameter(0), self.at_least);
        form
    }
}

fn parameters(affine: Affine) -> Form {
    let parts = affine.0.into_iter().enumerate();
    let parts = parts.map(|(at, it)| (Part::Parameter(at), it));
    parts.filter(|(_, it)| *it != 0).collect()
}

fn product(column: usize, affine: Affine) -> Form {
    let parts = affine.0.into_iter().enumerate();
    let parts = parts.map(|(at, it)| (Part::Product(column, at), it));
    parts.filter(|(_, it)| *it != 0).collect()
}

/// A binary times a parameter is at most the parameter.
fn cap(column: usize, parameter: usize) -> Form {
    Form::from([
        (Part::Product(column, parameter), 1),
        (Part::Parameter(parameter), -1),
    ])
}

/// An inequality of binaries and numbers alone, times what is at least 0.
fn times(form: &Form, condition: Affine) -> Option<Form> {
    let mut sum = Form::new();
    let mut add = |part, it: i64| *sum.entry(part).or_default() += it;
    for (part, coefficient) in form {
        for (at, it) in condition.0.into_iter().enumerate() {
            match *part {
                Part::Parameter(0) => add(Part::Parameter(at), coefficient * it),
                Part::Product(column, 0) => add(Part::Product(column, at), coefficient * it),
                _ => return None,
            }
        }
    }
    sum.retain(|_, it| *it != 0);
    Some(sum)
}

/// What columns are in a cube: 0 or 1.
pub(crate) type Cube = BTreeMap<usize, bool>;

/// A sum of inequalities in a cube, exactly.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sum(BTreeMap<Part, i128>);

impl Sum {
    /// Adds `times` of an inequality; false where it overflows.
    pub(crate) fn add(&mut self, form: &Form, times: i64, cube: &Cube) -> bool {
        for (part, coefficient) in form {
            let part = match *part {
                Part::Product(column, at) => match cube.get(&column) {
                    Some(true) => Part::Parameter(at),
                    Some(false) => continue,
                    None => *part,
                },
                Part::Column(column) => match cube.get(&column) {
                    Some(true) => Part::Parameter(0),
                    Some(false) => continue,
                    None => *part,
                },
                Part::Parameter(_) => *part,
            };
            let more = i128::from(*coefficient) * i128::from(times);
            let sum = self.0.entry(part).or_default();
            match sum.checked_add(more) {
                Some(new) => *sum = new,
                None => return false,
            }
        }
        true
    }

    /// Whether the sum says that something positive is at most 0: no part has a negative
    /// coefficient, and the number's is positive.
    pub(crate) fn closes(&self) -> bool {
        let one = self.0.get(&Part::Parameter(0));
        one.is_some_and(|it| *it > 0) && self.0.values().all(|it| *it >= 0)
    }
}
