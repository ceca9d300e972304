//! Formulations: how rules become columns and rows.

pub mod counting;
pub mod timed;
