//! dBFT 2.0, protocols `dbft2-tla` and `dbft2-tla-per-view`: `docs/protocols/dbft2-tla.md`, the actions of two
//! revisions of the formal model.
//!
//! Every action is *may*, there is one pool of messages and no copy of any. A replica's type in its
//! view is what it did there: `cv` is to have asked to leave and not to have come back, and coming
//! back takes more than f replicas that committed. An action open to two types with different
//! guards is two events here (lines 3 and 5), so that each guard is a plain list.

use crate::rule::{
    About, Enter, Event, Excludes, Keeps, Modality, Protocol, Range, Requires, Rule, Threshold, Who,
};
use milp_schema::{Kind, Protocol as Words};

/// What differs between the revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Revision {
    /// More than f committed: in any view; a primary proposes before it asks to leave.
    Current,
    /// More than f committed: in the replica's view; any replica asks to leave at once.
    PerView,
}

/// Protocol `dbft2-tla`.
pub fn current(of: Words) -> Protocol {
    rules(of, Revision::Current)
}

/// Protocol `dbft2-tla-per-view`.
pub fn per_view(of: Words) -> Protocol {
    rules(of, Revision::PerView)
}

/// The rules of the page, in its order; all actions start from the same pool, so that the order
/// says nothing else.
fn rules(of: Words, revision: Revision) -> Protocol {
    let rules = vec![
        Rule::Event(prepare_request(of)),
        Rule::Event(prepare_response(of)),
        Rule::Event(returning_response(of, revision)),
        Rule::Event(repeated_response(of, revision)),
        Rule::Event(commit(of)),
        Rule::Event(returning_commit(of, revision)),
        Rule::Event(decide(of)),
        Rule::Event(change_view(of, revision)),
        Rule::Enter(enter(of)),
    ];
    Protocol::new(of, rules)
}

/// An action about the block of the view, once per view, without guards yet.
fn action(name: &'static str, line: &'static str, broadcasts: Option<Kind>) -> Event {
    Event::new(name, line, broadcasts, Modality::May)
}

fn in_view(event: &'static str) -> Excludes {
    Excludes {
        event,
        range: Range::View,
    }
}

/// `MoreThanFNodesCommitted`.
fn more_than_f_committed(of: Words, revision: Revision) -> Requires {
    let at_least = Threshold::MoreThanF;
    match revision {
        Revision::Current => Requires::TallyOverViews {
            of: of.the("Commit"),
            at_least,
        },
        Revision::PerView => Requires::Tally {
            of: vec![of.the("Commit")],
            at_least,
        },
    }
}

/// Lines 1–2: the primary proposes while it is initialized.
fn prepare_request(of: Words) -> Event {
    Event {
        who: Who::Primary,
        about: About::Proposal,
        excludes: vec![in_view("change_view")],
        ..action(
            "prepare_request",
            "dbft2-tla 1-2",
            Some(of.the("PrepareRequest")),
        )
    }
}

/// Lines 3–4, first case: an initialized backup answers the request.
fn prepare_response(of: Words) -> Event {
    Event {
        who: Who::Backup,
        requires: vec![Requires::Held(of.the("PrepareRequest"))],
        excludes: vec![in_view("change_view")],
        ..action(
            "prepare_response",
            "dbft2-tla 3-4",
            Some(of.the("PrepareResponse")),
        )
    }
}

/// Lines 3–4, second case: a backup that asked to leave answers if more than f committed.
fn returning_response(of: Words, revision: Revision) -> Event {
    Event {
        requires: vec![
            Requires::Own(vec!["change_view"]),
            more_than_f_committed(of, revision),
            Requires::Held(of.the("PrepareRequest")),
        ],
        excludes: vec![in_view("returning_commit")],
        ..back(of, "returning_response")
    }
}

/// Lines 3–4, second case, for a backup that had answered before it asked to leave: it is
/// prepared again, and the pool has its answer already.
fn repeated_response(of: Words, revision: Revision) -> Event {
    Event {
        requires: vec![
            Requires::Own(vec!["change_view"]),
            Requires::Own(vec!["prepare_response"]),
            more_than_f_committed(of, revision),
            Requires::Held(of.the("PrepareRequest")),
        ],
        excludes: vec![in_view("returning_commit")],
        ..back(of, "repeated_response")
    }
}

fn back(of: Words, name: &'static str) -> Event {
    Event {
        who: Who::Backup,
        ..action(name, "dbft2-tla 3-4", Some(of.the("PrepareResponse")))
    }
}

/// Lines 5–6, first case: a prepared replica commits with a quorum of preparations.
fn commit(of: Words) -> Event {
    Event {
        once: Range::Height,
        requires: vec![
            Requires::Own(vec!["prepare_request", "prepare_response"]),
            Requires::quorum(vec![of.the("PrepareRequest"), of.the("PrepareResponse")]),
            Requires::Held(of.the("PrepareRequest")),
        ],
        excludes: vec![in_view("change_view")],
        ..action("commit", "dbft2-tla 5-6", Some(of.the("Commit")))
    }
}

/// Lines 5–6, second case: a replica that asked to leave commits if more than f did, prepared or
/// not. One that came back by a response has more than f committed too, so its first case is here.
fn returning_commit(of: Words, revision: Revision) -> Event {
    Event {
        once: Range::Height,
        requires: vec![
            Requires::Own(vec!["change_view"]),
            more_than_f_committed(of, revision),
            Requires::quorum(vec![of.the("PrepareRequest"), of.the("PrepareResponse")]),
            Requires::Held(of.the("PrepareRequest")),
        ],
        ..action("returning_commit", "dbft2-tla 5-6", Some(of.the("Commit")))
    }
}

/// Lines 7–8: the request and a quorum of commits of the view; nobody publishes a block.
fn decide(of: Words) -> Event {
    Event {
        once: Range::Height,
        requires: vec![
            Requires::Held(of.the("PrepareRequest")),
            Requires::quorum(vec![of.the("Commit")]),
        ],
        decides: true,
        ..action("decide", "dbft2-tla 7-8", None)
    }
}

/// Lines 9–10: whoever has not committed asks to leave its view, once.
fn change_view(of: Words, revision: Revision) -> Event {
    Event {
        about: About::View,
        requires: match revision {
            Revision::Current => vec![Requires::OwnAsPrimary("prepare_request")],
            Revision::PerView => vec![],
        },
        excludes: vec![Excludes {
            event: "commit",
            range: Range::Height,
        }],
        ..action("change_view", "dbft2-tla 9-10", Some(of.the("ChangeView")))
    }
}

/// Lines 11–12: a quorum that asked to leave the view or a later one leads to the next view.
fn enter(of: Words) -> Enter {
    Enter {
        line: "dbft2-tla 11-12",
        of: of.the("ChangeView"),
        at_least: Threshold::Quorum,
        modality: Modality::May,
        excludes: vec!["commit", "returning_commit", "decide"],
        keeps: Keeps::Height,
    }
}
