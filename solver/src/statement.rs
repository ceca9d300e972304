//! A program stated through `good_lp`: as it is, relaxed, with columns fixed, permuted, or with
//! the demand for a better objective.

use crate::{Error, exact::Grid};
use good_lp::{
    Expression, ProblemVariables, SolverModel, Variable, variable, variable::UnsolvedProblem,
};
use milp_model::program::{Col, Program};
use milp_schema::instance::Sense;

/// The order in which columns and rows are stated: position → index in the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    columns: Vec<usize>,
    rows: Vec<usize>,
}

impl Order {
    /// The program's own order.
    pub(crate) fn natural(program: &Program) -> Self {
        Self {
            columns: (0..program.columns.len()).collect(),
            rows: (0..program.rows.len()).collect(),
        }
    }

    /// An order that depends on the seed only; presolve, pricing and branching take other paths
    /// on it, so that two answers that agree are more than one answer twice.
    pub(crate) fn shuffled(program: &Program, seed: u64) -> Self {
        let mut order = Self::natural(program);
        let mut random = SplitMix(seed);
        shuffle(&mut order.columns, &mut random);
        shuffle(&mut order.rows, &mut random);
        order
    }
}

/// The generator `SplitMix64` (Steele, Lea, Flood 2014): seeded, and the same everywhere.
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// Fisher and Yates; the bias of the remainder is below 2⁻³² and irrelevant here.
fn shuffle(values: &mut [usize], random: &mut SplitMix) {
    for end in (1..values.len()).rev() {
        values.swap(end, (random.next() % (end as u64 + 1)) as usize);
    }
}

/// What is stated of a program.
pub(crate) struct Variant<'a> {
    /// Whether columns are integer; otherwise this is the linear relaxation.
    pub(crate) integer: bool,
    /// In which order.
    pub(crate) order: Order,
    /// Columns held at a value, one entry per column of the program; empty for none.
    pub(crate) fixed: &'a [Option<i64>],
    /// The objective must be at least as good as this.
    pub(crate) at_least: Option<i64>,
}

impl Variant<'_> {
    /// The program as it is.
    pub(crate) fn plain(program: &Program) -> Self {
        Self {
            integer: true,
            order: Order::natural(program),
            fixed: &[],
            at_least: None,
        }
    }
}

/// Where the columns and rows of a program are in its stated form.
pub(crate) struct Layout {
    order: Order,
    /// Row of the program behind each stated row; a row with two sides is stated twice.
    sources: Vec<Option<usize>>,
}

impl Layout {
    /// Values in stated order back to one per column of the program, rounded to integers.
    pub(crate) fn point(&self, values: &[f64]) -> Vec<i64> {
        let mut point = vec![0; self.order.columns.len()];
        for (&index, value) in self.order.columns.iter().zip(values) {
            point[index] = value.round() as i64;
        }
        point
    }

    /// Values in stated order back to one per column of the program, as they are.
    pub(crate) fn values(&self, stated: &[f64]) -> Vec<f64> {
        let mut values = vec![0.0; self.order.columns.len()];
        for (&index, value) in self.order.columns.iter().zip(stated) {
            values[index] = *value;
        }
        values
    }

    /// A point of the program in stated order.
    pub(crate) fn positions(&self, point: &[i64]) -> Vec<f64> {
        self.order
            .columns
            .iter()
            .map(|&index| point[index] as f64)
            .collect()
    }

    /// Row duals in stated order summed up to one multiplier per row of the program.
    pub(crate) fn multipliers(&self, duals: &[f64], rows: usize) -> Vec<f64> {
        let mut multipliers = vec![0.0; rows];
        for (source, dual) in self.sources.iter().zip(duals) {
            if let Some(row) = source {
                multipliers[*row] += dual;
            }
        }
        multipliers
    }
}

/// States `variant` of `program`, or nothing if `stopped` says so before the end. The objective's
/// constant is not in the model: `good_lp` drops it.
pub(crate) fn state(
    program: &Program,
    variant: Variant<'_>,
    stopped: &dyn Fn() -> bool,
) -> Result<Option<(highs::Model, Layout)>, Error> {
    let stated = state_for(program, variant, good_lp::highs, stopped)?;
    let Some(Stated {
        problem, layout, ..
    }) = stated
    else {
        return Ok(None);
    };
    let model = problem.try_into_inner().map_err(|error| Error::Backend {
        what: error.to_string(),
    })?;
    Ok(Some((model, layout)))
}

/// After so many rows it is asked whether to go on: a small program is stated whatever happens.
const ROWS_BETWEEN_LOOKS: usize = 10_000;

/// A program stated for some solver.
pub(crate) struct Stated<S> {
    pub(crate) problem: S,
    /// One per column of the program.
    #[cfg_attr(
        not(feature = "cbc"),
        expect(dead_code, reason = "CBC's values are by variable")
    )]
    pub(crate) variables: Vec<Variable>,
    pub(crate) layout: Layout,
}

/// [`state`] for any solver of `good_lp`.
pub(crate) fn state_for<S: SolverModel>(
    program: &Program,
    variant: Variant<'_>,
    solver: impl FnMut(UnsolvedProblem) -> S,
    stopped: &dyn Fn() -> bool,
) -> Result<Option<Stated<S>>, Error> {
    let (declared, variables) = declare(program, &variant);
    let objective = expression(&program.objective, &variables);
    let unsolved = match program.sense {
        Sense::Maximize => declared.maximise(objective),
        Sense::Minimize => declared.minimise(objective),
    };
    let mut problem = unsolved.using(solver);
    let mut sources = Vec::with_capacity(program.rows.len() + 1);
    let mut add = |source: Option<usize>, terms: &[(Col, i64)], sides: (_, _)| {
        for constraint in constraints(expression(terms, &variables), sides) {
            problem.add_constraint(constraint);
            sources.push(source);
        }
    };
    for (stated, &index) in (1..).zip(&variant.order.rows) {
        if stated % ROWS_BETWEEN_LOOKS == 0 && stopped() {
            return Ok(None);
        }
        let row = &program.rows[index];
        add(Some(index), &row.terms, (row.lower, row.upper));
    }
    if let Some(value) = variant.at_least {
        let side = Some(value.checked_sub(program.constant).ok_or(Error::Overflow)?);
        let sides = match program.sense {
            Sense::Maximize => (side, None),
            Sense::Minimize => (None, side),
        };
        add(None, &program.objective, sides);
    }
    Ok(Some(Stated {
        problem,
        variables,
        layout: Layout {
            order: variant.order,
            sources,
        },
    }))
}

/// The columns in their order, each held where it is fixed, and the variable of each.
fn declare(program: &Program, variant: &Variant<'_>) -> (ProblemVariables, Vec<Variable>) {
    let mut declared = ProblemVariables::new();
    let mut variables = vec![None; program.columns.len()];
    for &index in &variant.order.columns {
        let column = &program.columns[index];
        let value = variant.fixed.get(index).copied().flatten();
        let (lower, upper) = value.map_or((column.lower, column.upper), |value| (value, value));
        let definition = variable()
            .min(lower as f64)
            .max(upper as f64)
            .name(&column.name);
        variables[index] = Some(declared.add(if variant.integer {
            definition.integer()
        } else {
            definition
        }));
    }
    let variables: Vec<Variable> = variables.into_iter().flatten().collect();
    assert_eq!(
        variables.len(),
        program.columns.len(),
        "an order states every column once"
    );
    (declared, variables)
}

fn expression(terms: &[(Col, i64)], variables: &[Variable]) -> Expression {
    let mut sum = Expression::with_capacity(terms.len());
    for &(col, coefficient) in terms {
        sum.add_mul(coefficient as f64, variables[col.index()]);
    }
    sum
}

/// `good_lp` knows no row with two different sides, hence one or two constraints.
fn constraints(
    sum: Expression,
    sides: (Option<i64>, Option<i64>),
) -> impl Iterator<Item = good_lp::Constraint> {
    let (first, second) = match sides {
        (Some(lower), Some(upper)) if lower == upper => (Some(sum.eq(lower as f64)), None),
        (Some(lower), Some(upper)) => (
            Some(sum.clone().geq(lower as f64)),
            Some(sum.leq(upper as f64)),
        ),
        (Some(lower), None) => (Some(sum.geq(lower as f64)), None),
        (None, Some(upper)) => (Some(sum.leq(upper as f64)), None),
        (None, None) => (None, None),
    };
    first.into_iter().chain(second)
}

/// The absolute gap at which the solver may call an incumbent optimal.
///
/// All columns are integer, so an objective value better than the incumbent is better by at
/// least one step of the grid. A bound closer than one step therefore proves the incumbent. A
/// gap just below one step would be sound only for an error-free bound; half a step costs
/// nothing, since the solver rounds bounds of integer objectives to the grid itself, and stays
/// sound while the bound is off by less than half a step.
pub(crate) fn absolute_gap(grid: Grid) -> f64 {
    grid.step as f64 / 2.0
}
