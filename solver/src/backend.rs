//! The solvers behind a stated program.

pub(crate) mod highs;
