//! dBFT 2.0, protocol `dbft2-nspcc`: `docs/protocols/dbft2-nspcc.md`, the rules of the production engine.
//!
//! What differs from the paper's: requests and responses are taken after one's own change view
//! (responses only with more than f replicas committed or lost), so a replica may commit after it
//! asked to leave; a timeout asks for recovery instead when more than f are committed or lost;
//! change views held are forgotten on entering a view; a decision is looked for when a commit
//! comes.

use crate::rule::{
    About, Arming, Checked, Duration, Enter, Event, Excludes, Hold, Keeps, Modality, Negation,
    Protocol, Range, Requires, Rule, Scope, Threshold, Who,
};
use milp_schema::{Kind, Protocol as Words};

const LOST: &str = "more_than_f_lost";

/// The rules of the page, in handling order.
pub fn rules(of: Words) -> Protocol {
    let rules = vec![
        Rule::Event(adopt(of)),
        Rule::Event(prepare_response(of)),
        Rule::Hold(Hold {
            kind: of.the("PrepareResponse"),
            line: "dbft2-nspcc 17",
            after: "change_view",
            unless: LOST,
        }),
        Rule::Event(commit(of)),
        Rule::Event(decide(of)),
        Rule::Enter(enter(of)),
        Rule::Negation(Negation {
            name: LOST,
            line: "dbft2-nspcc 42",
            heard: vec![
                of.the("PrepareRequest"),
                of.the("PrepareResponse"),
                of.the("Commit"),
                of.the("RecoveryRequest"),
            ],
            heard_ahead: of.the("ChangeView"),
            without: of.the("Commit"),
        }),
        Rule::Event(prepare_request(of)),
        Rule::Event(on_timeout(
            "recovery_request",
            of.the("RecoveryRequest"),
            Requires::When(LOST),
        )),
        Rule::Event(on_timeout(
            "change_view",
            of.the("ChangeView"),
            Requires::Unless(LOST),
        )),
        Rule::Timer(arming(of)),
    ];
    Protocol::new(of, rules)
}

fn must(name: &'static str, line: &'static str, broadcasts: Kind) -> Event {
    Event::new(name, line, Some(broadcasts), Modality::Must)
}

fn on_timer(name: &'static str, line: &'static str, broadcasts: Kind) -> Event {
    let after = Duration::Armed;
    Event::new(name, line, Some(broadcasts), Modality::Timer { after })
}

/// Whoever holds a published block regards it as final, in any view.
fn adopt(of: Words) -> Event {
    Event {
        once: Range::Height,
        scope: Scope::Height,
        requires: vec![Requires::HeldFromAnother(of.the("Block"))],
        decides: true,
        ..must("adopt", "dbft2-nspcc 54", of.the("Block"))
    }
}

/// A backup answers the first request of the view, even if it asked to leave.
fn prepare_response(of: Words) -> Event {
    let kind = of.the("PrepareResponse");
    Event {
        who: Who::Backup,
        requires: vec![Requires::Held(of.the("PrepareRequest"))],
        ..must("prepare_response", "dbft2-nspcc 11-15", kind)
    }
}

/// A request and a quorum of preparations bind the replica once per height, even if it asked to
/// leave.
fn commit(of: Words) -> Event {
    Event {
        once: Range::Height,
        requires: vec![
            Requires::Own(vec!["prepare_request", "prepare_response"]),
            Requires::quorum(vec![of.the("PrepareRequest"), of.the("PrepareResponse")]),
        ],
        ..must("commit", "dbft2-nspcc 22-24", of.the("Commit"))
    }
}

/// A quorum of commits of this view for the block requested here makes it final; looked for when
/// a commit comes or is sent, not when the request comes late.
fn decide(of: Words) -> Event {
    Event {
        once: Range::Height,
        requires: vec![
            Requires::Own(vec!["prepare_request", "prepare_response"]),
            Requires::quorum(vec![of.the("Commit")]),
        ],
        checked: Checked::OnVote { own: "commit" },
        decides: true,
        ..must("decide", "dbft2-nspcc 26-30", of.the("Block"))
    }
}

/// A quorum of requests for a view or a later one enters it; a lock forbids it.
fn enter(of: Words) -> Enter {
    Enter {
        line: "dbft2-nspcc 31-37",
        of: of.the("ChangeView"),
        at_least: Threshold::Quorum,
        modality: Modality::Must,
        excludes: vec!["commit"],
        keeps: Keeps::View,
    }
}

/// The primary's timer makes it propose.
fn prepare_request(of: Words) -> Event {
    let kind = of.the("PrepareRequest");
    Event {
        who: Who::Primary,
        about: About::Proposal,
        ..on_timer("prepare_request", "dbft2-nspcc 39,44", kind)
    }
}

/// What any other timeout does, by whether more than f are committed or lost.
fn on_timeout(name: &'static str, kind: Kind, condition: Requires) -> Event {
    Event {
        about: About::View,
        requires: vec![Requires::OwnAsPrimary("prepare_request"), condition],
        excludes: vec![Excludes {
            event: "commit",
            range: Range::Height,
        }],
        ..on_timer(name, "dbft2-nspcc 41-43", kind)
    }
}

/// How the production timer runs: armed for a duration on entering a view, on proposing and on
/// every other timeout, and put off by what is taken until the replica asks to leave.
fn arming(of: Words) -> Arming {
    Arming {
        line: "dbft2-nspcc 52-53",
        stops: "commit",
        frozen_by: "change_view",
        proposes: "prepare_request",
        extended_by: vec![
            (of.the("PrepareRequest"), 2),
            (of.the("PrepareResponse"), 2),
            (of.the("Commit"), 4),
        ],
    }
}
