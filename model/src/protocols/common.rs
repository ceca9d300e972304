//! What the lists written here have in common.

use crate::rule::{About, Checked, Event, Modality, Range, Requires, Scope, Threshold, Who};
use milp_schema::Kind;

/// Something about the block of the view, once in it, without guards yet.
pub(super) fn event(
    name: &'static str,
    line: &'static str,
    broadcasts: Option<Kind>,
    modality: Modality,
) -> Event {
    Event {
        name,
        line,
        broadcasts,
        who: Who::Any,
        about: About::Block,
        once: Range::View,
        scope: Scope::View,
        modality,
        requires: vec![],
        checked: Checked::Always,
        excludes: vec![],
        decides: false,
    }
}

pub(super) fn quorum(of: Vec<Kind>) -> Requires {
    Requires::Tally {
        of,
        at_least: Threshold::Quorum,
    }
}
