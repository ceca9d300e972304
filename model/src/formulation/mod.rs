//! Formulations: how rules become columns and rows.

pub mod causal;
pub mod timed;
