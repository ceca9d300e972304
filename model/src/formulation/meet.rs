//! What the valid rows about quorums that meet are called, and what their proofs rest on.

use crate::group::Group;

/// Of one kind and view at most one value has a quorum.
pub(super) const ONE_VALUE: &str = "one_value_has_a_quorum";
/// Two quorums share an honest sender.
pub(super) const SHARED: &str = "quorums_share_an_honest_sender";

/// What the proofs rest on.
pub(super) const RESTS_ON: &[Group] = &[
    Group::LOCK,
    Group::PREPARATIONS,
    Group::COMMITS,
    Group::CHANGE_VIEWS,
    Group::SILENCE,
    Group::ONE_PROPOSAL,
    Group::ONE_RESPONSE,
    Group::ONE_REQUEST,
    Group::ONE_DECISION,
    Group::PROPOSAL,
    Group::STOPS,
];
