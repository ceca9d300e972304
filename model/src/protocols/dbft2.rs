//! dBFT 2.0, protocol `dbft2`: `docs/protocols/dbft2.md`.

use crate::rule::{
    About, Channel, Checked, Duration, Enter, Event, Excludes, Keeps, Modality, Protocol, Range,
    Requires, Rule, Scope, Threshold, Who,
};
use milp_schema::{Kind, Protocol as Words};

/// The rules of the page, in handling order: what a delivery triggers, by the order of kinds
/// inside a slot, then the step into a view, then what a timer triggers.
pub fn paper(of: Words) -> Protocol {
    Protocol {
        name: of.name.clone(),
        rotation: of.primary,
        channels: channels(of),
        rules: vec![
            Rule::Event(adopt(of, "dbft2 12-14")),
            Rule::Event(prepare_response(of, "dbft2 6-7")),
            Rule::Event(commit(of)),
            Rule::Event(decide(of, "dbft2 10-11,14", vec![of.the("Commit")])),
            Rule::Enter(enter(of, "dbft2 15-16", vec!["commit"])),
            Rule::Event(prepare_request(of, "dbft2 2-3")),
            Rule::Event(change_view(of, "dbft2 4-5", Some("commit"))),
        ],
    }
}

/// Mutant `no-commit-lock`: a commit no longer keeps a replica in its view, and it may commit
/// again in a later one (lines 4, 8 and 15 without "no Commit sent at h").
pub(crate) fn no_commit_lock(protocol: &mut Protocol) {
    for rule in &mut protocol.rules {
        match rule {
            Rule::Event(event) if event.name == "commit" => event.once = Range::View,
            Rule::Event(event) => event.excludes.retain(|own| own.event != "commit"),
            Rule::Enter(enter) => enter.excludes.clear(),
            _ => {}
        }
    }
}

pub(super) fn channels(of: Words) -> Vec<Channel> {
    let named = |kind, forgeable| Channel {
        kind,
        forgeable,
        lost_ahead: false,
        pool: of.pools(),
    };
    let forgeable = ["PrepareRequest", "PrepareResponse", "Commit", "ChangeView"];
    let forgeable = forgeable.into_iter().filter_map(|name| of.kind(name));
    let block = of.kind("Block").filter(|_| !of.pools());
    let block = block.map(|kind| named(kind, false));
    forgeable
        .map(|kind| named(kind, true))
        .chain(block)
        .collect()
}

/// Lines 12–14: whoever holds a published block regards it as final, in any view.
pub(super) fn adopt(of: Words, line: &'static str) -> Event {
    Event {
        name: "adopt",
        line,
        broadcasts: Some(of.the("Block")),
        who: Who::Any,
        about: About::Block,
        once: Range::Height,
        scope: Scope::Height,
        modality: Modality::Must,
        requires: vec![Requires::HeldFromAnother(of.the("Block"))],
        checked: Checked::Always,
        excludes: vec![],
        decides: true,
    }
}

/// Lines 6–7: a backup answers the first request of the view, unless it asked to leave.
pub(super) fn prepare_response(of: Words, line: &'static str) -> Event {
    Event {
        name: "prepare_response",
        line,
        broadcasts: Some(of.the("PrepareResponse")),
        who: Who::Backup,
        about: About::Block,
        once: Range::View,
        scope: Scope::View,
        modality: Modality::Must,
        requires: vec![Requires::Held(of.the("PrepareRequest"))],
        checked: Checked::Always,
        excludes: vec![Excludes {
            event: "change_view",
            range: Range::View,
        }],
        decides: false,
    }
}

/// Lines 8–9: a quorum of preparations binds the replica, once per height.
pub(super) fn commit(of: Words) -> Event {
    Event {
        name: "commit",
        line: "dbft2 8-9",
        broadcasts: Some(of.the("Commit")),
        who: Who::Any,
        about: About::Block,
        once: Range::Height,
        scope: Scope::View,
        modality: Modality::Must,
        requires: vec![
            Requires::Own(vec!["prepare_request", "prepare_response"]),
            Requires::Tally {
                of: vec![of.the("PrepareRequest"), of.the("PrepareResponse")],
                at_least: Threshold::Quorum,
            },
        ],
        checked: Checked::Always,
        excludes: vec![Excludes {
            event: "change_view",
            range: Range::View,
        }],
        decides: false,
    }
}

/// Lines 10–11 and 14: the request and a quorum of votes of `kinds` for it make a block final.
pub(super) fn decide(of: Words, line: &'static str, kinds: Vec<Kind>) -> Event {
    Event {
        name: "decide",
        line,
        broadcasts: Some(of.the("Block")),
        who: Who::Any,
        about: About::Block,
        once: Range::Height,
        scope: Scope::View,
        modality: Modality::Must,
        requires: vec![
            Requires::Held(of.the("PrepareRequest")),
            Requires::Tally {
                of: kinds,
                at_least: Threshold::Quorum,
            },
        ],
        checked: Checked::Always,
        excludes: vec![],
        decides: true,
    }
}

/// Lines 15–16: a quorum of requests for a view or a later one enters it; a lock forbids it.
pub(super) fn enter(of: Words, line: &'static str, locks: Vec<&'static str>) -> Enter {
    Enter {
        line,
        of: of.the("ChangeView"),
        at_least: Threshold::Quorum,
        modality: Modality::Must,
        excludes: locks,
        keeps: Keeps::Height,
    }
}

/// Lines 2–3: the primary's timer makes it propose; one proposal per view.
pub(super) fn prepare_request(of: Words, line: &'static str) -> Event {
    Event {
        name: "prepare_request",
        line,
        broadcasts: Some(of.the("PrepareRequest")),
        who: Who::Primary,
        about: About::Proposal,
        once: Range::View,
        scope: Scope::View,
        modality: Modality::Timer {
            after: lasts("T", "0"),
        },
        requires: vec![],
        checked: Checked::Always,
        excludes: vec![],
        decides: false,
    }
}

/// Lines 4–5: any other timeout asks to leave the view, unless a lock forbids it.
pub(super) fn change_view(of: Words, line: &'static str, lock: Option<&'static str>) -> Event {
    Event {
        name: "change_view",
        line,
        broadcasts: Some(of.the("ChangeView")),
        who: Who::Any,
        about: About::View,
        once: Range::View,
        scope: Scope::View,
        modality: Modality::Timer {
            after: lasts("2*2^v*T", "2*2^v*T"),
        },
        requires: vec![Requires::OwnAsPrimary("prepare_request")],
        checked: Checked::Always,
        excludes: lock
            .into_iter()
            .map(|event| Excludes {
                event,
                range: Range::Height,
            })
            .collect(),
        decides: false,
    }
}

fn lasts(first: &str, later: &str) -> Duration {
    Duration::Fixed([first, later].map(|it| it.parse().expect("a duration")))
}
