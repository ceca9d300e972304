//! The solvers behind a stated program.

#[cfg(feature = "cbc")]
pub(crate) mod cbc;
pub(crate) mod cone;
pub(crate) mod highs;
