//! dBFT 1.0, protocol `dbft1`: `docs/protocols/dbft1.md`. No commit phase and no lock: a quorum
//! of preparations makes a block final.

use super::dbft2;
use crate::rule::{Protocol, Rule};
use milp_schema::Protocol as Words;

/// The rules of the page, in handling order; what both versions share is `dbft2`'s.
pub fn paper(of: Words) -> Protocol {
    let preparations = vec![of.the("PrepareRequest"), of.the("PrepareResponse")];
    Protocol {
        name: of.name.clone(),
        rotation: of.primary,
        channels: dbft2::channels(of),
        rules: vec![
            Rule::Event(dbft2::adopt(of, "dbft1 10-12")),
            Rule::Event(dbft2::prepare_response(of, "dbft1 6-7")),
            Rule::Event(dbft2::decide(of, "dbft1 8-9,12", preparations)),
            Rule::Enter(dbft2::enter(of, "dbft1 13-14", vec![])),
            Rule::Event(dbft2::prepare_request(of, "dbft1 2-3")),
            Rule::Event(dbft2::change_view(of, "dbft1 4-5", None)),
        ],
    }
}
