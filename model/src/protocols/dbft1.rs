//! dBFT 1.0, protocol `dbft1`: `docs/protocols/dbft1.md`. No commit phase and no lock: a quorum
//! of preparations makes a block final.

use super::dbft2;
use crate::rule::{Protocol, Rotation, Rule};
use milp_schema::Kind;

/// The rules of the page, in handling order; what both versions share is `dbft2`'s.
pub fn paper() -> Protocol {
    let mut channels = dbft2::channels();
    channels.retain(|channel| channel.kind != Kind::Commit);
    let preparations = vec![Kind::PrepareRequest, Kind::PrepareResponse];
    Protocol {
        name: "dbft1".into(),
        rotation: Rotation::HeightPlusView,
        channels,
        rules: vec![
            Rule::Event(dbft2::adopt("dbft1 10-12")),
            Rule::Event(dbft2::prepare_response("dbft1 6-7")),
            Rule::Event(dbft2::decide("dbft1 8-9,12", preparations)),
            Rule::Enter(dbft2::enter("dbft1 13-14", vec![])),
            Rule::Event(dbft2::prepare_request("dbft1 2-3")),
            Rule::Event(dbft2::change_view("dbft1 4-5", None)),
        ],
    }
}
