//! Coefficients that are affine in n, f and b.

use milp_schema::formula::Count;
use std::ops::{Add, Mul, Neg, Sub};

/// `one + n·n + f·f + b·b`: n replicas, f tolerated, b Byzantine at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Affine(pub [i64; 4]);

impl Affine {
    /// 1.
    pub const ONE: Self = Self([1, 0, 0, 0]);
    /// n.
    pub const N: Self = Self([0, 1, 0, 0]);
    /// f.
    pub const F: Self = Self([0, 0, 1, 0]);
    /// b.
    pub const B: Self = Self([0, 0, 0, 1]);

    /// A number.
    pub const fn number(number: i64) -> Self {
        Self([number, 0, 0, 0])
    }

    /// A count without a fraction.
    pub(super) fn of_count(count: Count) -> Self {
        Self([count.constant, count.n, count.f, 0])
    }

    /// Its value for such n, f and b.
    pub fn at(self, [n, f, b]: [i64; 3]) -> i64 {
        let [one, of_n, of_f, of_b] = self.0;
        one + of_n * n + of_f * f + of_b * b
    }

    /// Whether it is the same for all n, f and b.
    pub fn is_constant(self) -> bool {
        self.0[1..] == [0; 3]
    }

    /// Whether it is 0 for all n, f and b.
    pub fn is_zero(self) -> bool {
        self.0 == [0; 4]
    }
}

impl Add for Affine {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] + other.0[at]))
    }
}

impl Neg for Affine {
    type Output = Self;

    fn neg(self) -> Self {
        self * -1
    }
}

impl Sub for Affine {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul<i64> for Affine {
    type Output = Self;

    fn mul(self, times: i64) -> Self {
        Self(self.0.map(|it| it * times))
    }
}

/// A term with that column once.
pub(super) fn one(column: usize) -> (usize, Affine) {
    (column, Affine::ONE)
}

/// A term that takes that column away once.
pub(super) fn less(column: usize) -> (usize, Affine) {
    (column, -Affine::ONE)
}
