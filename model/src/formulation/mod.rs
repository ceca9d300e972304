//! Formulations: how rules become columns and rows.

pub mod causal;
pub mod counting;
pub mod reference;
pub mod timed;

use crate::{Built, Error, protocols};
use milp_schema::{Instance, instance::Goal};

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

/// Where `causal` is taken without being asked for: in a pool, and where acceptance is guarded for
/// as many views as it was compared with `timed` in (`study/tests/causal_views.rs`). There `timed`
/// starts a stall from a known lock, which is faster than any search.
fn causal_pays(instance: &Instance) -> bool {
    let Ok(protocol) = protocols::of(instance) else {
        return false;
    };
    let compared = instance.views <= 3 && instance.mutant.is_none();
    protocol.pools() || (protocol.guards() && compared && instance.goal != Goal::Stall)
}
