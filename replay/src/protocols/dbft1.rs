//! dBFT 1.0, protocol `dbft1`: the rules of `docs/protocols/dbft1.md`, by line.

use super::{Output, Replica, Rules, recovery};
use milp_schema::BlockId;

/// Lines 2–5; a firing that finds nothing left to do asks for recovery (line 18).
pub(super) fn on_timeout(replica: &mut Replica, rules: &Rules, out: &mut Vec<Output>) {
    if replica.is_primary(rules) && !replica.request_sent(rules) {
        replica.send_prepare_request(rules, out); // L3
    } else if !replica.change_view_sent() {
        replica.send_change_view(rules, out); // L5
    } else if rules.recovery {
        recovery::on_timeout(replica, rules, out);
    }
}

/// Fires the first rule of lines 6–14 that can; whether one could.
pub(super) fn check(replica: &mut Replica, rules: &Rules, out: &mut Vec<Output>) -> bool {
    check_request(replica, rules, out)
        || check_prepare(replica, rules, out)
        || check_change_view(replica, rules, out)
}

/// Lines 6–7.
fn check_request(replica: &mut Replica, rules: &Rules, out: &mut Vec<Output>) -> bool {
    if replica.is_primary(rules) || replica.response_sent() || replica.change_view_sent() {
        return false;
    }
    let Some(block) = replica.requested().next() else {
        return false;
    };
    replica.send_prepare_response(rules, block, out);
    true
}

/// Lines 8–9. Asking to leave does not stop a decision, and neither does not having responded.
fn check_prepare(replica: &mut Replica, rules: &Rules, out: &mut Vec<Output>) -> bool {
    let quorum = rules.quorum();
    let Some(index) = replica
        .requested()
        .find(|&block| replica.preparations(rules, block) >= quorum)
    else {
        return false;
    };
    replica.decide(
        rules,
        BlockId {
            height: replica.height,
            view: replica.view,
            index,
        },
        out,
    );
    true
}

/// Lines 13–14.
fn check_change_view(replica: &mut Replica, rules: &Rules, out: &mut Vec<Output>) -> bool {
    let Some(view) = replica.wanted_view(rules) else {
        return false;
    };
    replica.enter_view(view, out);
    true
}

#[cfg(test)]
mod tests {
    use super::super::{
        Family,
        testing::{Case, check, rules},
    };

    const LINES: &[Case] = &[
        Case {
            says: "L3: the primary proposes when its timer fires",
            me: 0,
            given: &[],
            input: "timeout",
            outputs: &["send PrepareRequest h0 v0 b0"],
            then: (0, 0),
        },
        Case {
            says: "L5: a primary that proposed asks to leave",
            me: 0,
            given: &["timeout"],
            input: "timeout",
            outputs: &["send ChangeView h0 v0"],
            then: (0, 0),
        },
        Case {
            says: "L7: a backup responds to the primary's request",
            me: 1,
            given: &[],
            input: "0 PrepareRequest v0 b0",
            outputs: &["send PrepareResponse h0 v0 b0"],
            then: (0, 0),
        },
        Case {
            says: "L6: not after it asked to leave",
            me: 1,
            given: &["timeout"],
            input: "0 PrepareRequest v0 b0",
            outputs: &[],
            then: (0, 0),
        },
        Case {
            says: "L9: a quorum of preparations, own included, makes the block final",
            me: 1,
            given: &["0 PrepareRequest v0 b0"],
            input: "2 PrepareResponse v0 b0",
            outputs: &["decide h0v0b0", "send Block h0 v0 b0"],
            then: (1, 0),
        },
        Case {
            says: "L8: without the request responses decide nothing",
            me: 1,
            given: &["2 PrepareResponse v0 b0"],
            input: "3 PrepareResponse v0 b0",
            outputs: &[],
            then: (0, 0),
        },
        Case {
            says: "L8: who asked to leave decides on three preparations of others",
            me: 1,
            given: &[
                "timeout",
                "2 PrepareResponse v0 b0",
                "3 PrepareResponse v0 b0",
            ],
            input: "0 PrepareRequest v0 b0",
            outputs: &["decide h0v0b0", "send Block h0 v0 b0"],
            then: (1, 0),
        },
        Case {
            says: "L11: a block of any view is accepted",
            me: 1,
            given: &[],
            input: "3 Block v2 b1",
            outputs: &["decide h0v2b1", "send Block h0 v2 b1"],
            then: (1, 0),
        },
        Case {
            says: "L14: a quorum of requests, own included, enters the view",
            me: 1,
            given: &["timeout", "2 ChangeView v0"],
            input: "3 ChangeView v0",
            outputs: &["enter v1"],
            then: (0, 1),
        },
        Case {
            says: "a commit means nothing here",
            me: 1,
            given: &["0 PrepareRequest v0 b0", "2 Commit v0 b0", "3 Commit v0 b0"],
            input: "0 Commit v0 b0",
            outputs: &[],
            then: (0, 0),
        },
    ];

    #[test]
    fn every_handler_does_what_its_lines_say() {
        check(&rules(Family::Dbft1, 1), LINES);
    }
}
