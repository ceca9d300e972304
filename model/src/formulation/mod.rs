//! Formulations: how rules become columns and rows.

pub mod causal;
pub mod counting;
pub mod reference;
pub mod timed;

use crate::{Built, Error};
use milp_schema::Instance;

/// `formulation: auto`: the cheapest formulation that is exact for the instance. Each refuses by name
/// what it does not express exactly, so the first that takes the instance is the one.
pub(crate) fn cheapest(instance: &Instance) -> Result<Built, Error> {
    match counting::of(instance) {
        Ok(built) => Ok(Built::Counting(built)),
        Err(Error::Unsupported { .. }) => timed::of(instance).map(Built::Timed),
        Err(error) => Err(error),
    }
}
