//! dBFT 2.0, protocol `dbft2`: the rules of `docs/protocols/dbft2.md`, by line.

use super::{Output, Replica, Rules, recovery};
use milp_schema::BlockId;

/// The commit lock of lines 2, 4 and 15 (§8.6.2): "Commit sent at h".
pub(super) fn locked(replica: &Replica, rules: &Rules) -> bool {
    !rules.switches.no_commit_lock && replica.commit_sent()
}

/// Lines 2–5; a firing that finds nothing left to do asks for recovery (lines 17–18).
pub(super) fn on_timeout(replica: &mut Replica, rules: &Rules, out: &mut Vec<Output>) {
    let locked = locked(replica, rules);
    if !locked && replica.is_primary(rules) && !replica.request_sent(rules) {
        replica.send_prepare_request(rules, out); // L3
    } else if !locked && !replica.change_view_sent() {
        replica.send_change_view(rules, out); // L5
    } else if rules.recovery {
        recovery::on_timeout(replica, rules, out);
    }
}

/// Fires the first rule of lines 6–16 that can; whether one could.
pub(super) fn check(replica: &mut Replica, rules: &Rules, out: &mut Vec<Output>) -> bool {
    check_request(replica, rules, out)
        || check_prepare(replica, rules, out)
        || check_commit(replica, rules, out)
        || check_change_view(replica, rules, out)
}

/// Lines 6–7. Rules are tried after every delivery, so the lowest block among the held requests is
/// the first one handed over: a later one finds the response sent.
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

/// Lines 8–9.
fn check_prepare(replica: &mut Replica, rules: &Rules, out: &mut Vec<Output>) -> bool {
    // The mutant forgets what it committed in earlier views.
    let committed = if rules.switches.no_commit_lock {
        replica
            .commits
            .iter()
            .any(|&(view, _, by)| view == replica.view && by == replica.me)
    } else {
        replica.commit_sent()
    };
    if committed || replica.change_view_sent() {
        return false;
    }
    let prepared = |block: u32| {
        replica.is_primary(rules)
            || replica
                .responses
                .contains(&(replica.view, block, replica.me))
    };
    let quorum = rules.quorum();
    let Some(block) = replica
        .requested()
        .find(|&block| prepared(block) && replica.preparations(rules, block) >= quorum)
    else {
        return false;
    };
    replica.send_commit(rules, block, out);
    true
}

/// Lines 10–11. Asking to leave a view does not stop a decision in it.
fn check_commit(replica: &mut Replica, rules: &Rules, out: &mut Vec<Output>) -> bool {
    let commits = |block: u32| {
        replica
            .commits
            .iter()
            .filter(|vote| (vote.0, vote.1) == (replica.view, block))
            .count()
    };
    let Some(index) = replica
        .requested()
        .find(|&block| commits(block) >= rules.quorum())
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

/// Lines 15–16.
fn check_change_view(replica: &mut Replica, rules: &Rules, out: &mut Vec<Output>) -> bool {
    if locked(replica, rules) {
        return false;
    }
    let Some(view) = replica.wanted_view(rules) else {
        return false;
    };
    replica.enter_view(view, out);
    true
}

#[cfg(test)]
mod tests {
    use super::super::{
        Family, Rules,
        testing::{Case, check, rules},
    };

    const PREPARING: &[Case] = &[
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
            says: "L5: a backup asks to leave",
            me: 2,
            given: &[],
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
            says: "L6: not to anybody else's",
            me: 1,
            given: &[],
            input: "2 PrepareRequest v0 b0",
            outputs: &[],
            then: (0, 0),
        },
        Case {
            says: "L6: the first request decides which block",
            me: 1,
            given: &["0 PrepareRequest v0 b1"],
            input: "0 PrepareRequest v0 b0",
            outputs: &[],
            then: (0, 0),
        },
        Case {
            says: "L6: a request after one's own change view is not answered",
            me: 1,
            given: &["timeout"],
            input: "0 PrepareRequest v0 b0",
            outputs: &[],
            then: (0, 0),
        },
        Case {
            says: "L9: request, own response and another one make a quorum",
            me: 1,
            given: &["0 PrepareRequest v0 b0"],
            input: "2 PrepareResponse v0 b0",
            outputs: &["send Commit h0 v0 b0"],
            then: (0, 0),
        },
        Case {
            says: "L8: early responses wait for the request",
            me: 1,
            given: &["2 PrepareResponse v0 b0", "3 PrepareResponse v0 b0"],
            input: "0 PrepareRequest v0 b0",
            outputs: &["send PrepareResponse h0 v0 b0", "send Commit h0 v0 b0"],
            then: (0, 0),
        },
        Case {
            says: "L8: a response by the primary is not a preparation",
            me: 1,
            given: &["0 PrepareRequest v0 b0"],
            input: "0 PrepareResponse v0 b0",
            outputs: &[],
            then: (0, 0),
        },
        Case {
            says: "L8: tallies are per block",
            me: 1,
            given: &["0 PrepareRequest v0 b0"],
            input: "2 PrepareResponse v0 b1",
            outputs: &[],
            then: (0, 0),
        },
        Case {
            says: "L8: no commit without an own preparation of that block",
            me: 1,
            given: &[
                "0 PrepareRequest v0 b0",
                "0 PrepareRequest v0 b1",
                "2 PrepareResponse v0 b1",
            ],
            input: "3 PrepareResponse v0 b1",
            outputs: &[],
            then: (0, 0),
        },
        Case {
            says: "L8: no commit after one's own change view",
            me: 1,
            given: &["0 PrepareRequest v0 b0", "timeout"],
            input: "2 PrepareResponse v0 b0",
            outputs: &[],
            then: (0, 0),
        },
        Case {
            says: "L9: the primary commits on two responses",
            me: 0,
            given: &["timeout", "1 PrepareResponse v0 b0"],
            input: "2 PrepareResponse v0 b0",
            outputs: &["send Commit h0 v0 b0"],
            then: (0, 0),
        },
    ];

    const DECIDING: &[Case] = &[
        Case {
            says: "L11, L14: a quorum of commits decides and starts the next height",
            me: 1,
            given: &["0 PrepareRequest v0 b0", "0 Commit v0 b0", "2 Commit v0 b0"],
            input: "3 Commit v0 b0",
            outputs: &["decide h0v0b0", "send Block h0 v0 b0"],
            then: (1, 0),
        },
        Case {
            says: "L10: commits without the request decide nothing",
            me: 1,
            given: &["0 Commit v0 b0", "2 Commit v0 b0"],
            input: "3 Commit v0 b0",
            outputs: &[],
            then: (0, 0),
        },
        Case {
            says: "L10: a late request decides, also after a change view",
            me: 1,
            given: &[
                "timeout",
                "0 Commit v0 b0",
                "2 Commit v0 b0",
                "3 Commit v0 b0",
            ],
            input: "0 PrepareRequest v0 b0",
            outputs: &["decide h0v0b0", "send Block h0 v0 b0"],
            then: (1, 0),
        },
        Case {
            says: "L6 before L10: the request is answered before it decides",
            me: 1,
            given: &["0 Commit v0 b0", "2 Commit v0 b0", "3 Commit v0 b0"],
            input: "0 PrepareRequest v0 b0",
            outputs: &[
                "send PrepareResponse h0 v0 b0",
                "decide h0v0b0",
                "send Block h0 v0 b0",
            ],
            then: (1, 0),
        },
        Case {
            says: "L13: a block of any view is accepted",
            me: 1,
            given: &[],
            input: "3 Block v2 b0",
            outputs: &["decide h0v2b0", "send Block h0 v2 b0"],
            then: (1, 0),
        },
        Case {
            says: "line 20: a passed height's question is answered with the block",
            me: 1,
            given: &["3 Block v0 b0"],
            input: "2 RecoveryRequest v0",
            outputs: &["recover Block h0 v0 b0"],
            then: (1, 0),
        },
    ];

    const CHANGING: &[Case] = &[
        Case {
            says: "L16: three requests enter the view",
            me: 3,
            given: &["0 ChangeView v0", "1 ChangeView v0"],
            input: "2 ChangeView v0",
            outputs: &["enter v1"],
            then: (0, 1),
        },
        Case {
            says: "L15: own request included",
            me: 3,
            given: &["0 ChangeView v0", "1 ChangeView v0"],
            input: "timeout",
            outputs: &["send ChangeView h0 v0", "enter v1"],
            then: (0, 1),
        },
        Case {
            says: "L15: a later target counts for an earlier view",
            me: 3,
            given: &["0 ChangeView v2", "1 ChangeView v1"],
            input: "2 ChangeView v0",
            outputs: &["enter v1"],
            then: (0, 1),
        },
        Case {
            says: "L16: the highest view a quorum asks for",
            me: 3,
            given: &["0 ChangeView v2", "1 ChangeView v1"],
            input: "2 ChangeView v1",
            outputs: &["enter v2"],
            then: (0, 2),
        },
        Case {
            says: "L15: a replica counts once",
            me: 3,
            given: &["0 ChangeView v0", "1 ChangeView v0"],
            input: "0 ChangeView v1",
            outputs: &[],
            then: (0, 0),
        },
        Case {
            says: "L17: a committed replica never asks, it repeats what it holds",
            me: 1,
            given: &["0 PrepareRequest v0 b0", "2 PrepareResponse v0 b0"],
            input: "timeout",
            outputs: &["recover RecoveryMessage h0 v0 carrying 4"],
            then: (0, 0),
        },
        Case {
            says: "L15, L19: a committed replica stays and answers change views",
            me: 1,
            given: &[
                "0 PrepareRequest v0 b0",
                "2 PrepareResponse v0 b0",
                "0 ChangeView v0",
                "2 ChangeView v0",
            ],
            input: "3 ChangeView v0",
            outputs: &["recover RecoveryMessage h0 v0 carrying 6"],
            then: (0, 0),
        },
        Case {
            says: "L18: a second firing repeats the change view and asks for recovery",
            me: 1,
            given: &["timeout"],
            input: "timeout",
            outputs: &["recover ChangeView h0 v0", "recover RecoveryRequest h0 v0"],
            then: (0, 0),
        },
        Case {
            says: "L19: a change view that comes too late is answered with recovery",
            me: 1,
            given: &["0 ChangeView v0", "2 ChangeView v0", "3 ChangeView v0"],
            input: "0 ChangeView v0",
            outputs: &["recover RecoveryMessage h0 v1 carrying 3"],
            then: (0, 1),
        },
        Case {
            says: "L3: the primary of view 1 is replica 1",
            me: 1,
            given: &["0 ChangeView v0", "2 ChangeView v0", "3 ChangeView v0"],
            input: "timeout",
            outputs: &["send PrepareRequest h0 v1 b0"],
            then: (0, 1),
        },
        Case {
            says: "E5: what is of a passed view is ignored",
            me: 3,
            given: &["0 ChangeView v0", "1 ChangeView v0", "2 ChangeView v0"],
            input: "0 PrepareRequest v0 b0",
            outputs: &[],
            then: (0, 1),
        },
    ];

    #[test]
    fn proposing_and_preparing_follow_lines_2_to_9() {
        check(&rules(Family::Dbft2, 1), PREPARING);
    }

    #[test]
    fn deciding_follows_lines_10_to_14() {
        check(&rules(Family::Dbft2, 2), DECIDING);
    }

    #[test]
    fn changing_views_follows_lines_15_and_16_and_the_commit_lock() {
        check(&rules(Family::Dbft2, 1), CHANGING);
    }

    #[test]
    fn mutants_differ_from_the_page_where_their_line_says() {
        let mut lockless: Rules = rules(Family::Dbft2, 1);
        lockless.switches.no_commit_lock = true;
        let committed: &[&str] = &["0 PrepareRequest v0 b0", "2 PrepareResponse v0 b0"];
        let mut small: Rules = rules(Family::Dbft2, 1);
        small.switches.small_quorum = true;
        check(
            &lockless,
            &[Case {
                says: "no-commit-lock, L4: a committed replica asks to leave",
                me: 1,
                given: committed,
                input: "timeout",
                outputs: &["send ChangeView h0 v0"],
                then: (0, 0),
            }],
        );
        check(
            &lockless,
            &[Case {
                says: "no-commit-lock, L8, L15: it leaves and commits again",
                me: 1,
                given: &[
                    "0 PrepareRequest v0 b0",
                    "2 PrepareResponse v0 b0",
                    "0 ChangeView v0",
                    "2 ChangeView v0",
                    "3 ChangeView v0",
                    "timeout",
                    "2 PrepareResponse v1 b0",
                ],
                input: "3 PrepareResponse v1 b0",
                outputs: &["send Commit h0 v1 b0"],
                then: (0, 1),
            }],
        );
        check(
            &small,
            &[Case {
                says: "small-quorum: request and own response are enough",
                me: 1,
                given: &[],
                input: "0 PrepareRequest v0 b0",
                outputs: &["send PrepareResponse h0 v0 b0", "send Commit h0 v0 b0"],
                then: (0, 0),
            }],
        );
    }

    #[test]
    fn timers_of_the_protocol_double_with_the_view() {
        use milp_schema::View;
        let slots = |view, first| Rules::duration(3, View(view), first);
        assert_eq!([slots(0, true), slots(1, true), slots(2, true)], [3, 0, 0]);
        assert_eq!(
            [slots(0, false), slots(1, false), slots(2, false)],
            [6, 12, 24]
        );
        assert_eq!(slots(80, false), u64::MAX, "no overflow");
    }
}
