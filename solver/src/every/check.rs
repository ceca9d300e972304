//! The checker: a tree of cubes for every program, in exact integers, without a solver.

use super::forms::{Cube, Forms, Sum};
use milp_model::every::Parametric;
use milp_schema::certificate::Part;

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    /// Cubes that were closed.
    pub cubes: usize,
    /// The largest multiplier.
    pub largest: i64,
}

/// Whether the parts prove that in none of the programs the goal reaches `at_least`: for each its
/// region, then a tree of cubes, each closed by a combination of rows.
///
/// # Errors
///
/// The first thing that does not hold.
pub fn check(programs: &[Parametric], at_least: i64, parts: &[Part]) -> Result<Checked, String> {
    let mut checker = Checker {
        parts: parts.iter(),
        checked: Checked::default(),
    };
    for program in programs {
        for condition in &program.region {
            match checker.parts.next() {
                Some(Part::Region { condition: said }) if *said == condition.0 => {}
                _ => return Err("the region is another one".to_owned()),
            }
        }
        let forms = Forms::new(program, at_least);
        checker.tree(&forms, &mut Cube::new())?;
    }
    match checker.parts.next() {
        None => Ok(checker.checked),
        Some(_) => Err("something comes after the last cube".to_owned()),
    }
}

struct Checker<'a> {
    parts: std::slice::Iter<'a, Part>,
    checked: Checked,
}

impl Checker<'_> {
    fn tree(&mut self, forms: &Forms<'_>, cube: &mut Cube) -> Result<(), String> {
        match self.parts.next() {
            Some(Part::Split { expression, at: 0 }) => {
                let column = forms.splits(expression).filter(|it| !cube.contains_key(it));
                let column = column.ok_or(format!("no cube is cut at {expression}"))?;
                for value in [false, true] {
                    cube.insert(column, value);
                    self.tree(forms, cube)?;
                }
                cube.remove(&column);
                Ok(())
            }
            Some(Part::Bound {
                shift: 0,
                multipliers,
            }) => self.leaf(forms, cube, multipliers),
            _ => Err(format!("cube {} is open", self.checked.cubes + 1)),
        }
    }

    fn leaf(
        &mut self,
        forms: &Forms<'_>,
        cube: &Cube,
        multipliers: &[(String, i64)],
    ) -> Result<(), String> {
        let mut sum = Sum::default();
        self.checked.cubes += 1;
        for (name, times) in multipliers {
            let form = forms.named(name).ok_or(format!("no row is named {name}"))?;
            if *times < 0 || !sum.add(&form, *times, cube) {
                return Err(format!("the multiplier of {name} is negative or too large"));
            }
            self.checked.largest = self.checked.largest.max(*times);
        }
        if sum.closes() {
            return Ok(());
        }
        Err(format!("cube {} does not close", self.checked.cubes))
    }
}
