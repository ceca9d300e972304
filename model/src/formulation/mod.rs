//! Formulations: how rules become columns and rows.

pub mod causal;
pub mod counting;
pub mod reference;
pub mod timed;

use crate::{Built, Error, protocols};
use milp_schema::Instance;

/// `formulation: auto`: the cheapest formulation that is exact for the instance. Each refuses by name
/// what it does not express exactly: `counting` first, then `causal` where it pays, then `timed`.
pub(crate) fn cheapest(instance: &Instance) -> Result<Built, Error> {
    let unsupported = |error: &Error| matches!(error, Error::Unsupported { .. });
    match counting::of(instance).map(Built::Counting) {
        Err(error) if unsupported(&error) => {}
        other => return other,
    }
    if causal_pays(instance) {
        match causal::of(instance).map(Built::Causal) {
            Err(error) if unsupported(&error) => {}
            other => return other,
        }
    }
    timed::of(instance).map(Built::Timed)
}

/// Where `causal` is taken without being asked for: in a pool, and where acceptance is guarded. There
/// a schedule in slots is found by search, one without them by diving from the relaxation.
fn causal_pays(instance: &Instance) -> bool {
    protocols::of(instance).is_ok_and(|protocol| protocol.pools() || protocol.guards())
}
