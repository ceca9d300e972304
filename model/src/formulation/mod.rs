//! Formulations: how rules become columns and rows.

pub mod reference;
pub mod timed;
