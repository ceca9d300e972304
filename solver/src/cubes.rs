//! Why nothing is better than the incumbent, checked part by part in exact integers.
//!
//! The reason is a tree in preorder (`Evidence::cubes` of the schema). The root is the whole program. A split
//! cuts a cube at an integer k of an integer expression e: the points with `e ≤ k` and those with
//! `e ≥ k + 1` are all points, so a tree whose leaves are all closed covers the program. Nothing
//! here calls a solver, and nothing rests on what the expressions mean.
//!
//! A leaf is closed by multipliers (see [`exact::safe_dual_bound`], with the rows of the splits
//! above as further rows), by symmetry, or by the word of two searches, which is passed on as that.
//!
//! *Symmetry.* A renaming of the columns that maps the program onto itself, row by row, and keeps
//! the objective maps points to points of the same value. Let it exchange the expressions of
//! replicas i < j in a list with one expression per replica, and keep the others. Of all best
//! points take the one whose list of values is lexicographically largest. It is in no cube in
//! which the expression of i is at most k and that of j at least k + 1: its image would be as
//! good and larger. So such cubes need no search, however many of them there are.

use crate::{
    Error,
    exact::{self, Grid, Multipliers},
};
use milp_model::{
    meaning::{Exchange, Expression, Meaning},
    program::{Col, FamilyId, Program, Row},
};
use milp_schema::certificate::Part;
use std::collections::{BTreeMap, BTreeSet};

/// Splits above a cube; a deeper tree is no sensible one.
pub const DEEPEST: usize = 64;

/// What a tree that covers the program amounts to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closed {
    /// No point outside the searched cubes is better than this; `None` if no cube has a bound.
    pub bound: Option<i64>,
    /// Cubes closed by multipliers.
    pub exact: u32,
    /// Cubes closed by symmetry.
    pub symmetric: u32,
    /// Seeds of the second searches, with the splits above, in order of the cubes.
    pub searched: Vec<(u64, Vec<Side>)>,
}

/// One side of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// What is split.
    pub expression: Expression,
    /// Where.
    pub at: i64,
    /// Whether this is the part above `at`.
    pub above: bool,
}

impl Side {
    /// The row that says it, the `depth`-th split from the root, which is 1.
    pub fn row(&self, depth: usize) -> Row {
        let (lower, upper) = if self.above {
            (self.at.checked_add(1), None)
        } else {
            (None, Some(self.at))
        };
        Row {
            name: format!("cube_{depth}"),
            family: FamilyId(0),
            terms: self.expression.terms.clone(),
            lower,
            upper,
        }
    }
}

/// Checks that the parts are a tree of cubes and that no cube with multipliers has anything better
/// than `value`.
///
/// # Errors
///
/// What is wrong with the first cube that does not close, or with the tree.
pub fn check<'a>(
    program: &Program,
    meaning: &Meaning,
    exchange: Exchange<'_>,
    value: i64,
    parts: impl IntoIterator<Item = &'a Part>,
) -> Result<Closed, String> {
    let names = program.rows.iter().zip(0..);
    let mut walk = Walk {
        rows: names.map(|(row, at)| (row.name.clone(), at)).collect(),
        extended: program.clone(),
        program,
        meaning,
        exchange,
        value,
        path: Vec::new(),
        alike: BTreeMap::new(),
        closed: Closed::default(),
    };
    let mut parts = parts.into_iter();
    walk.cube(&mut parts)?;
    if parts.next().is_some() {
        return Err("it goes on after the last cube".to_owned());
    }
    Ok(walk.closed)
}

struct Walk<'a> {
    program: &'a Program,
    meaning: &'a Meaning,
    exchange: Exchange<'a>,
    /// The program with the rows of the splits above.
    extended: Program,
    /// Positions of its own rows.
    rows: BTreeMap<String, usize>,
    value: i64,
    path: Vec<Side>,
    alike: BTreeMap<(u32, u32), Option<String>>,
    closed: Closed,
}

impl Walk<'_> {
    fn cube<'p>(&mut self, parts: &mut impl Iterator<Item = &'p Part>) -> Result<(), String> {
        match parts.next() {
            None => Err(format!("it ends within {}", place(&self.path))),
            Some(Part::Split { expression, at }) => {
                if self.path.len() == DEEPEST {
                    return Err(format!("it is deeper than {DEEPEST} splits"));
                }
                let known = self.meaning.expression(expression);
                let known = known.ok_or_else(|| format!("no expression is named {expression}"))?;
                if at.checked_add(1).is_none() {
                    return Err(format!("{expression} is split beyond all integers"));
                }
                for above in [false, true] {
                    let side = Side {
                        expression: known.clone(),
                        at: *at,
                        above,
                    };
                    self.extended.rows.push(side.row(self.path.len() + 1));
                    self.path.push(side);
                    self.cube(parts)?;
                    self.path.pop();
                    self.extended.rows.pop();
                }
                Ok(())
            }
            Some(Part::Bound { shift, multipliers }) => self.bound(*shift, multipliers),
            Some(Part::Symmetric { replicas }) => self.symmetric(*replicas),
            Some(Part::Searched { seed }) => {
                self.closed.searched.push((*seed, self.path.clone()));
                Ok(())
            }
            Some(Part::Point { .. }) => Err("a point is among the cubes".to_owned()),
            Some(Part::Region { .. } | Part::Base { .. } | Part::Step { .. }) => {
                Err("a part of a proof for every n is among the cubes".to_owned())
            }
        }
    }

    fn bound(&mut self, shift: u32, multipliers: &[(String, i64)]) -> Result<(), String> {
        let place = place(&self.path);
        let mut numerators = vec![0; self.extended.rows.len()];
        for (name, numerator) in multipliers {
            let position = self.position(name);
            let position = position.ok_or_else(|| format!("{place}: no row is named {name}"))?;
            if numerators[position] != 0 || *numerator == 0 {
                return Err(format!("{place}: {name} is named twice, or with 0"));
            }
            numerators[position] = *numerator;
        }
        let multipliers = Multipliers { shift, numerators };
        let bound = exact::safe_dual_bound(&self.extended, &multipliers)
            .map_err(|error| format!("{place}: {error}"))?;
        let grid = Grid::of(self.program);
        if grid.improves(bound, self.value) {
            return Err(format!(
                "{place}: the bound that follows from the multipliers is {bound}, which leaves \
                 room for something better than {}",
                self.value
            ));
        }
        // The weakest of the bounds holds for all.
        let known = self.closed.bound;
        if known.is_none_or(|known| grid.improves(bound, known)) {
            self.closed.bound = Some(bound);
        }
        self.closed.exact += 1;
        Ok(())
    }

    fn position(&self, name: &str) -> Option<usize> {
        let own = self.rows.get(name).copied();
        own.or_else(|| {
            let depth: usize = name.strip_prefix("cube_")?.parse().ok()?;
            let known = (1..=self.path.len()).contains(&depth) && name == format!("cube_{depth}");
            known.then(|| self.program.rows.len() + depth - 1)
        })
    }

    fn symmetric(&mut self, (first, second): (u32, u32)) -> Result<(), String> {
        let place = place(&self.path);
        let of = |replica: u32| {
            let list = &self.meaning.faulty;
            let expression = list.get(replica as usize);
            expression.ok_or_else(|| format!("{place}: there is no replica {replica}"))
        };
        let (small, large) = (of(first)?, of(second)?);
        let least = self
            .path
            .iter()
            .filter(|side| side.above && side.expression == *large);
        let most = self
            .path
            .iter()
            .filter(|side| !side.above && side.expression == *small);
        let least = least.map(|side| side.at).max();
        let most = most.map(|side| side.at).min();
        let larger = matches!((least, most), (Some(least), Some(most)) if least >= most);
        if first >= second || !larger {
            return Err(format!(
                "{place}: its image under the exchange of replicas {first} and {second} is not \
                 said to be larger"
            ));
        }
        if let Some(why) = self.alike(first, second) {
            return Err(format!(
                "{place}: replicas {first} and {second} differ: {why}"
            ));
        }
        self.closed.symmetric += 1;
        Ok(())
    }

    /// Why two replicas are not alike, looked at once for each pair.
    fn alike(&mut self, first: u32, second: u32) -> Option<String> {
        let (program, meaning, exchange) = (self.program, self.meaning, self.exchange);
        let found = self.alike.entry((first, second));
        let found =
            found.or_insert_with(|| alike(program, meaning, exchange, (first, second)).err());
        found.clone()
    }
}

/// Whether two replicas may change places.
///
/// # Errors
///
/// Why not.
pub fn alike(
    program: &Program,
    meaning: &Meaning,
    exchange: Exchange<'_>,
    (first, second): (u32, u32),
) -> Result<(), String> {
    let map = exchange(first, second);
    let map = map.ok_or("some of their columns have no counterparts")?;
    exchanges(&meaning.faulty, &map, first as usize, second as usize)?;
    is_symmetry(program, &map)
}

/// A cube in words.
fn place(path: &[Side]) -> String {
    if path.is_empty() {
        return "the whole program".to_owned();
    }
    let side = |side: &Side| {
        let Side {
            expression,
            at,
            above,
        } = side;
        let name = &expression.name;
        if *above {
            format!("{name} > {at}")
        } else {
            format!("{name} <= {at}")
        }
    };
    let sides: Vec<String> = path.iter().map(side).collect();
    format!("the cube {}", sides.join(", "))
}

/// The terms with their columns renamed, ascending again.
fn renamed(terms: &[(Col, i64)], map: &[Col]) -> Vec<(Col, i64)> {
    let mut terms: Vec<(Col, i64)> = terms
        .iter()
        .map(|&(col, coefficient)| (map[col.index()], coefficient))
        .collect();
    terms.sort_unstable();
    terms
}

/// Whether the renaming exchanges two expressions of the list and keeps the others.
fn exchanges(list: &[Expression], map: &[Col], first: usize, second: usize) -> Result<(), String> {
    for (at, expression) in list.iter().enumerate() {
        let image = match at {
            at if at == first => second,
            at if at == second => first,
            at => at,
        };
        if renamed(&expression.terms, map) != list[image].terms {
            return Err(format!("{} is not exchanged as it should", expression.name));
        }
    }
    Ok(())
}

/// Whether a renaming of the columns maps the program onto itself.
///
/// # Errors
///
/// The first column, the objective or the first row that has no image.
pub fn is_symmetry(program: &Program, map: &[Col]) -> Result<(), String> {
    let images: BTreeSet<Col> = map.iter().copied().collect();
    let whole = images.len() == program.columns.len() && map.len() == program.columns.len();
    let inside = images
        .last()
        .is_none_or(|last| last.index() < program.columns.len());
    if !whole || !inside {
        return Err("not every column is the image of one".to_owned());
    }
    for (column, image) in program.columns.iter().zip(map) {
        let image = &program.columns[image.index()];
        if (column.lower, column.upper) != (image.lower, image.upper) {
            return Err(format!(
                "{} and {} have other bounds",
                column.name, image.name
            ));
        }
    }
    if renamed(&program.objective, map) != program.objective {
        return Err("the objective changes".to_owned());
    }
    let mut rows = BTreeMap::new();
    for row in &program.rows {
        *rows
            .entry((row.terms.clone(), row.lower, row.upper))
            .or_insert(0i64) += 1;
    }
    for row in &program.rows {
        let image = (renamed(&row.terms, map), row.lower, row.upper);
        match rows.get_mut(&image) {
            Some(count) if *count > 0 => *count -= 1,
            _ => return Err(format!("row {} has no image", row.name)),
        }
    }
    Ok(())
}

/// The program with the rows of a cube.
///
/// # Errors
///
/// [`Error::Overflow`] at a split beyond all integers.
pub fn within(program: &Program, path: &[Side]) -> Result<Program, Error> {
    let mut extended = program.clone();
    for (side, depth) in path.iter().zip(1..) {
        let row = side.row(depth);
        if row.lower.is_none() && row.upper.is_none() {
            return Err(Error::Overflow);
        }
        extended.rows.push(row);
    }
    Ok(extended)
}
