//! The published families, in the published order.

mod exclude;
mod force;
mod fork;
mod primary;
mod receive;
mod send;
mod sums;
mod valid;

use crate::{columns::Model, question::Goal};

/// The programs about liveness, dBFT 2.0 and dBFT 3.0 with two primaries.
pub(super) fn liveness(model: &mut Model, goal: Goal) {
    send::nothing_in_the_first_slot(model);
    primary::one_per_view(model);
    primary::second_priority(model);
    primary::views_in_order(model);
    send::responses_and_decisions(model);
    if model.version == 3 {
        send::pre_commits_and_commits(model);
    } else {
        send::commits(model);
    }
    send::once(model);
    receive::own(model);
    receive::after_sent(model);
    receive::with_the_request(model);
    receive::once(model);
    sums::blocks(model);
    receive::forced(model);
    exclude::second_decision(model);
    force::next_primary(model);
    force::requests_and_responses(model);
    if model.version == 3 {
        force::pre_commits_and_commits(model);
    } else {
        force::commits(model);
    }
    force::decisions(model);
    exclude::acts_before_the_view(model);
    force::change_views(model);
    exclude::acts_after_change_view(model);
    exclude::acts_after_decision(model);
    if model.version == 3 {
        exclude::both_priorities(model);
        exclude::acts_without_request(model);
    }
    exclude::acts_after_decision_in_earlier_view(model);
    exclude::acts_after_commit_in_earlier_view(model);
    sums::totals(model);
    sums::goal(model, goal);
}

/// The programs about forks, dBFT 1.0, 2.0 and 3.0.
pub(super) fn fork(model: &mut Model, goal: Goal) {
    fork::all(model);
    sums::goal(model, goal);
}

/// What the rows above imply and the relaxation does not know.
pub(super) fn valid(model: &mut Model) {
    valid::all(model);
}
