//! dBFT 2.0, protocol `dbft2-nspcc`: `docs/protocols/dbft2-nspcc.md`, the rules of the production engine.
//!
//! What differs from the paper's: requests and responses are taken after one's own change view
//! (responses only with more than f replicas committed or lost), so a replica may commit after it
//! asked to leave; a timeout asks for recovery instead when more than f are committed or lost;
//! change views held are forgotten on entering a view; a decision is looked for when a commit
//! comes.

use super::dbft2;
use crate::rule::{
    About, Arming, Channel, Checked, Duration, Enter, Event, Excludes, Hold, Keeps, Modality,
    Negation, Protocol, Range, Requires, Rule, Scope, Threshold, Who,
};
use milp_schema::{Kind, Protocol as Words};

const LOST: &str = "more_than_f_lost";

/// The rules of the page, in handling order.
pub fn rules(of: Words) -> Protocol {
    Protocol {
        name: of.name.clone(),
        rotation: of.primary,
        channels: channels(of),
        rules: vec![
            Rule::Event(dbft2::adopt(of, "dbft2-nspcc 54")),
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
        ],
    }
}

/// Recovery requests travel too; a Byzantine replica makes none (the engine leaves their
/// authenticity to whoever embeds it).
fn channels(of: Words) -> Vec<Channel> {
    let mut channels = dbft2::channels(of);
    channels.push(Channel {
        kind: of.the("RecoveryRequest"),
        forgeable: false,
        lost_ahead: true,
        pool: false,
    });
    channels
}

/// A backup answers the first request of the view, even if it asked to leave.
fn prepare_response(of: Words) -> Event {
    Event {
        excludes: vec![],
        ..dbft2::prepare_response(of, "dbft2-nspcc 11-15")
    }
}

/// A request and a quorum of preparations bind the replica, even if it asked to leave.
fn commit(of: Words) -> Event {
    Event {
        line: "dbft2-nspcc 22-24",
        excludes: vec![],
        ..dbft2::commit(of)
    }
}

/// A quorum of commits of this view for the block requested here makes it final; looked for when
/// a commit comes or is sent, not when the request comes late.
fn decide(of: Words) -> Event {
    Event {
        requires: vec![
            Requires::Own(vec!["prepare_request", "prepare_response"]),
            Requires::Tally {
                of: vec![of.the("Commit")],
                at_least: Threshold::Quorum,
            },
        ],
        checked: Checked::OnVote { own: "commit" },
        ..dbft2::decide(of, "dbft2-nspcc 26-30", vec![of.the("Commit")])
    }
}

fn enter(of: Words) -> Enter {
    Enter {
        keeps: Keeps::View,
        ..dbft2::enter(of, "dbft2-nspcc 31-37", vec!["commit"])
    }
}

fn prepare_request(of: Words) -> Event {
    Event {
        modality: Modality::Timer {
            after: Duration::Armed,
        },
        ..dbft2::prepare_request(of, "dbft2-nspcc 39,44")
    }
}

/// What any other timeout does, by whether more than f are committed or lost.
fn on_timeout(name: &'static str, kind: Kind, condition: Requires) -> Event {
    Event {
        name,
        line: "dbft2-nspcc 41-43",
        broadcasts: Some(kind),
        who: Who::Any,
        about: About::View,
        once: Range::View,
        scope: Scope::View,
        modality: Modality::Timer {
            after: Duration::Armed,
        },
        requires: vec![Requires::OwnAsPrimary("prepare_request"), condition],
        checked: Checked::Always,
        excludes: vec![Excludes {
            event: "commit",
            range: Range::Height,
        }],
        decides: false,
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
