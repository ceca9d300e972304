//! Proofs for every n at once: n, f and b are columns, and so is each of them times a binary.
//!
//! All inequalities are homogeneous in 1, n, f, b, counts and products, so that "1 is 0 in all points
//! of the cone" is what has to be shown: in a cube, where binaries are numbers, by a combination of
//! inequalities with multipliers that are whole numbers (`docs/CERTIFICATES.md`).

mod check;
pub(crate) mod forms;
mod prove;

pub use check::{Checked, check};
pub use prove::{Proof, prove};
