//! From an instance to a program.

pub mod program;
