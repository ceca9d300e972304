//! What a checker needs besides the instance and the schedule: the rest of the incumbent's point,
//! and why nothing is better.
//!
//! The reason is a tree of cubes in preorder. A [`Part::Split`] cuts the cube it stands for in
//! two at an integer, the part at or below it first; every other part but [`Part::Point`] closes
//! the cube it stands for. A result that needed no cubes is one closed cube.

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The incumbent has this value, not 0, in a column that its schedule leaves open.
    Point {
        /// Name of the column.
        column: String,
        /// Its value.
        value: i64,
    },
    /// The cube consists of two: the expression is at most `at`, and it is at least `at + 1`.
    Split {
        /// Name of the expression.
        expression: String,
        /// Where it is cut.
        at: i64,
    },
    /// Nothing in the cube is better than the incumbent, by a weighted sum of rows.
    Bound {
        /// Binary logarithm of the common denominator.
        shift: u32,
        /// Row and numerator; rows not named have the multiplier 0. Besides the rows of the
        /// program there are those of the splits above, `cube_1` for the outermost.
        multipliers: Vec<(String, i64)>,
    },
    /// Whatever is in the cube has a mirror image in another one: these replicas change places.
    Symmetric {
        /// The two replicas, the smaller one first.
        replicas: (u32, u32),
    },
    /// A condition on n, f and b of a proof for all n: `c0 + c1·n + c2·f + c3·b ≥ 0`. All of them
    /// come before the tree that they are the region of.
    Region {
        /// The coefficients.
        condition: [i64; 4],
    },
    /// A value, not 0, of the point that a family of attacks begins with; a family begins with its
    /// `n`.
    Base {
        /// Name of the column, or n, f or b.
        column: String,
        /// Its value.
        value: i64,
    },
    /// How much a step of the family adds to it; a step begins with its `n`.
    Step {
        /// Name of the column, or n, f or b.
        column: String,
        /// Its value.
        value: i64,
    },
    /// Two searches in different orders found nothing in the cube that is better.
    Searched {
        /// Seed of the second order.
        seed: u64,
    },
}

/// The parts of a `certificate.csv`, points first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// In the order of the file.
    pub parts: Vec<Part>,
}

impl Evidence {
    /// The values of the columns that the schedule leaves open, by name.
    pub fn point(&self) -> impl Iterator<Item = (&str, i64)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Point { column, value } => Some((column.as_str(), *value)),
            _ => None,
        })
    }

    /// The tree of cubes in preorder.
    pub fn cubes(&self) -> impl Iterator<Item = &Part> {
        self.parts
            .iter()
            .filter(|part| !matches!(part, Part::Point { .. }))
    }
}
