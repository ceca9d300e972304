//! From an instance to a mixed-integer linear program.
//!
//! Three axes that never mix: a protocol is a list of rules ([`rule`], [`protocols`]), a
//! formulation turns rules into columns and rows ([`formulation`]), a goal adds the objective.
//! [`build`] puts the three together into a solver-neutral [`program::Program`], with the way back
//! from a point to a schedule ([`Built::decode`]).
//!
//! This crate knows no solver, no clock and no replica.

mod built;
mod decoded;
pub mod draft;
mod error;
pub mod every;
pub mod expr;
pub mod formulation;
pub mod ground;
pub mod group;
pub mod left_out;
pub mod limits;
pub mod meaning;
pub mod program;
pub mod protocols;
mod row;
pub mod rule;

pub use built::Built;
pub use decoded::Decoded;
pub use error::Error;

use milp_schema::{Instance, instance::Formulation};

/// Builds the program of an instance.
///
/// # Errors
/// Whatever the instance asks for and nothing here provides, by name: see [`Error`].
pub fn build(instance: &Instance) -> Result<Built, Error> {
    match instance.formulation {
        Formulation::Auto => formulation::cheapest(instance),
        Formulation::Timed => formulation::in_slots(instance),
        Formulation::Counting => formulation::counted(instance),
        Formulation::Causal => formulation::causal::of(instance).map(Built::Causal),
        Formulation::Levels => formulation::levels::of(instance).map(Built::Levels),
    }
}
