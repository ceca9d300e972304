//! Formulations: how rules become columns and rows.

pub mod timed;
