//! The search: cubes are cut until each is closed by a combination of rows.

use super::forms::{Cube, Form, Forms, Part, Sum};
use crate::{Error, backend::cone::Cone};
use milp_model::every::{Kind, Parametric};
use milp_schema::certificate;
use std::sync::atomic::{AtomicBool, Ordering};

/// The largest denominators that multipliers are tried with.
const DENOMINATORS: [i64; 9] = [1, 2, 3, 6, 12, 60, 240, 1000, 100_000];

/// What is less than this at n = 1 may be nothing.
const NOTHING: f64 = 1e-6;

/// What a search came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Proof {
    /// In no program of the region the goal is reached: the regions and trees of cubes.
    Closed {
        /// As in `certificate.csv`.
        parts: Vec<certificate::Part>,
        /// How many cubes were closed.
        cubes: usize,
    },
    /// A cube in which nothing is left to be cut is not closed: what is 1 there.
    Open {
        /// Names of columns.
        ones: Vec<String>,
    },
    /// An interrupt, or more cubes than are asked for, came first.
    Stopped,
}

/// Looks for a proof that in none of the programs the goal reaches `at_least`.
///
/// # Errors
///
/// [`Error::Backend`] if the solver breaks down.
pub fn prove(
    programs: &[Parametric],
    at_least: i64,
    most_cubes: usize,
    interrupt: &AtomicBool,
) -> Result<Proof, Error> {
    let (mut parts, mut cubes) = (Vec::new(), 0);
    for program in programs {
        let region = program.region.iter();
        parts.extend(region.map(|it| certificate::Part::Region { condition: it.0 }));
        let mut search = Search::new(program, at_least, most_cubes - cubes, interrupt)?;
        match search.tree(&mut Cube::new())? {
            End::Closed => {
                parts.append(&mut search.parts);
                cubes += search.cubes;
            }
            End::Open(ones) => return Ok(Proof::Open { ones }),
            End::Stopped => return Ok(Proof::Stopped),
        }
    }
    Ok(Proof::Closed { parts, cubes })
}

enum End {
    Closed,
    Open(Vec<String>),
    Stopped,
}

struct Search<'a> {
    program: &'a Parametric,
    names: Vec<String>,
    forms: Vec<Form>,
    /// The parts of the relaxation, and of each column the rows that hold it at 1.
    places: Vec<Part>,
    cone: Cone,
    parts: Vec<certificate::Part>,
    cubes: usize,
    most_cubes: usize,
    interrupt: &'a AtomicBool,
}

impl<'a> Search<'a> {
    fn new(
        program: &'a Parametric,
        at_least: i64,
        most_cubes: usize,
        interrupt: &'a AtomicBool,
    ) -> Result<Self, Error> {
        let all = Forms::new(program, at_least);
        let names = all.names();
        let forms: Vec<Form> = names.iter().filter_map(|name| all.named(name)).collect();
        debug_assert_eq!(names.len(), forms.len());
        let mut places: Vec<Part> = (0..4).map(Part::Parameter).collect();
        for (at, column) in program.columns.iter().enumerate() {
            match column.kind {
                Kind::Binary => places.extend((0..4).map(|p| Part::Product(at, p))),
                Kind::Unit | Kind::Count => places.push(Part::Column(at)),
            }
        }
        let cone = Cone::new(&places, &forms)?;
        Ok(Self {
            program,
            names,
            forms,
            places,
            cone,
            parts: Vec::new(),
            cubes: 0,
            most_cubes,
            interrupt,
        })
    }

    fn tree(&mut self, cube: &mut Cube) -> Result<End, Error> {
        if self.cubes >= self.most_cubes || self.interrupt.load(Ordering::Relaxed) {
            return Ok(End::Stopped);
        }
        let (value, point, duals) = self.cone.solve(cube)?;
        if value < NOTHING
            && let Some(multipliers) = self.multipliers(&duals, cube)
        {
            self.cubes += 1;
            self.parts.push(certificate::Part::Bound {
                shift: 0,
                multipliers,
            });
            return Ok(End::Closed);
        }
        let Some(column) = self.cut(cube, value, &point) else {
            return Ok(End::Open(self.ones(cube, value, &point)));
        };
        let expression = self.program.columns[column].name.clone();
        self.parts
            .push(certificate::Part::Split { expression, at: 0 });
        for value in [false, true] {
            cube.insert(column, value);
            let end = self.tree(cube)?;
            if !matches!(end, End::Closed) {
                return Ok(end);
            }
        }
        cube.remove(&column);
        Ok(End::Closed)
    }

    /// How much of a column there is, from 0 to 1: of a binary also by its share of n.
    fn shares(&self, column: usize, value: f64, point: &[f64]) -> [f64; 2] {
        let at = |part| {
            self.places
                .iter()
                .position(|it| *it == part)
                .map_or(0.0, |it| point[it])
        };
        let number = value.max(1e-9);
        match self.program.columns[column].kind {
            Kind::Binary => [
                at(Part::Product(column, 1)) / at(Part::Parameter(1)).max(1e-9),
                at(Part::Product(column, 0)) / number,
            ],
            Kind::Unit | Kind::Count => [at(Part::Column(column)) / number; 2],
        }
    }

    /// The column that a cube is cut at: of the goal's first, then binaries, then the others, the
    /// first that is neither 0 nor 1.
    fn cut(&self, cube: &Cube, value: f64, point: &[f64]) -> Option<usize> {
        let free = |column: &usize| {
            self.program.columns[*column].kind != Kind::Count && !cube.contains_key(column)
        };
        let between = |column: &usize| {
            let mut shares = self.shares(*column, value, point).into_iter();
            shares.any(|it| it.min(1.0 - it) > 1e-5)
        };
        let free: Vec<usize> = (0..self.program.columns.len()).filter(free).collect();
        let order = |column: &usize| {
            let kind = self.program.columns[*column].kind;
            (
                !self.program.goal.contains(column),
                kind != Kind::Binary,
                *column,
            )
        };
        let cut = free.iter().copied().filter(between).min_by_key(order);
        // What is a number by the relaxation's word alone may be none.
        let any = || free.iter().copied().min_by_key(order);
        if value < NOTHING {
            cut.or_else(any)
        } else {
            cut
        }
    }

    fn ones(&self, cube: &Cube, value: f64, point: &[f64]) -> Vec<String> {
        let columns = self.program.columns.iter().enumerate();
        let one = |(at, _): &(usize, _)| match cube.get(at) {
            Some(value) => *value,
            None => self.shares(*at, value, point)[0] > 0.5,
        };
        let binary = columns.filter(|it| it.1.kind != Kind::Count).filter(one);
        binary.map(|(_, it)| it.name.clone()).collect()
    }

    /// Whole multipliers near these that close the cube, as few as leaving them out one by one
    /// leaves.
    fn multipliers(&self, duals: &[f64], cube: &Cube) -> Option<Vec<(String, i64)>> {
        let used = |(_, it): &(usize, &f64)| it.abs() > 1e-9;
        let duals: Vec<(usize, f64)> = (duals.iter().enumerate().filter(used))
            .map(|(row, it)| (row, it.abs()))
            .collect();
        for most in DENOMINATORS {
            let fractions: Vec<(usize, (i64, i64))> = (duals.iter())
                .map(|&(row, it)| (row, fraction(it, most)))
                .collect();
            let common = fractions.iter().try_fold(1_i64, |common, (_, (_, below))| {
                (common / gcd(common, *below)).checked_mul(*below)
            });
            let Some(common) = common else { continue };
            let whole = |(row, (above, below)): &(usize, (i64, i64))| {
                Some((*row, above.checked_mul(common / below)?))
            };
            let times: Option<Vec<(usize, i64)>> = fractions.iter().map(whole).collect();
            let Some(mut times) = times else { continue };
            times.retain(|(_, it)| *it > 0);
            if self.closes(&times, cube) {
                return Some(self.fewer(times, cube));
            }
        }
        None
    }

    fn sum(&self, times: &[(usize, i64)], cube: &Cube) -> Option<Sum> {
        let mut sum = Sum::default();
        let fits = times
            .iter()
            .all(|&(row, it)| sum.add(&self.forms[row], it, cube));
        fits.then_some(sum)
    }

    fn closes(&self, times: &[(usize, i64)], cube: &Cube) -> bool {
        self.sum(times, cube).is_some_and(|it| it.closes())
    }

    fn fewer(&self, mut times: Vec<(usize, i64)>, cube: &Cube) -> Vec<(String, i64)> {
        let divisor = times
            .iter()
            .fold(0, |divisor, &(_, it)| gcd(divisor, it))
            .max(1);
        times.iter_mut().for_each(|it| it.1 /= divisor);
        let mut sum = self.sum(&times, cube).unwrap_or_default();
        let mut kept = Vec::new();
        for (row, it) in times {
            let mut without = sum.clone();
            if without.add(&self.forms[row], -it, cube) && without.closes() {
                sum = without;
            } else {
                kept.push((self.names[row].clone(), it));
            }
        }
        kept
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The fraction near a number with a denominator of at most `most`, by continued fractions.
fn fraction(number: f64, most: i64) -> (i64, i64) {
    let (mut before, mut last) = ((0, 1), (1, 0));
    let mut rest = number;
    for _ in 0..40 {
        let whole = rest.floor();
        if whole > 1e12 {
            break;
        }
        let whole = whole as i64;
        let next = (whole * last.0 + before.0, whole * last.1 + before.1);
        if next.1 > most {
            break;
        }
        (before, last) = (last, next);
        let part = rest - rest.floor();
        if part < 1e-9 {
            break;
        }
        rest = 1.0 / part;
    }
    last
}
