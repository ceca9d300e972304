//! One case for each line of the page.

use super::Case;

pub(super) const REQUEST: &str = "0 PrepareRequest h0 v0 b0";
const ANSWERED: &[&str] = &[REQUEST];
pub(super) const COMMITTED: &[&str] = &[REQUEST, "2 PrepareResponse h0 v0 b0"];

pub(super) const PREPARING: &[Case] = &[
    Case {
        says: "L39, L44, L45: the primary proposes when its timer fires",
        me: 0,
        given: &["at 3"],
        input: "timeout",
        effects: &["PrepareRequest h0 v0 b0", "timer 6"],
    },
    Case {
        says: "L2: a primary that starts again proposes at once, another block than before",
        me: 0,
        given: &["at 3", "timeout", "crash"],
        input: "restart",
        effects: &["PrepareRequest h0 v0 b1", "timer 6"],
    },
    Case {
        says: "L12, L15: a request makes the timer longer and is answered",
        me: 1,
        given: &[],
        input: REQUEST,
        effects: &["PrepareResponse h0 v0 b0", "timer 8"],
    },
    Case {
        says: "L11: a second request is ignored",
        me: 1,
        given: ANSWERED,
        input: "0 PrepareRequest h0 v0 b1",
        effects: &[],
    },
    Case {
        says: "L11, L53: a replica that asked to leave answers the request, and its timer stays",
        me: 1,
        given: &[
            "2 PrepareResponse h0 v0 b1",
            "3 PrepareResponse h0 v0 b1",
            "timeout",
        ],
        input: REQUEST,
        effects: &["PrepareResponse h0 v0 b0"],
    },
    Case {
        says: "L13, L16: responses to another request do not count",
        me: 1,
        given: &["2 PrepareResponse h0 v0 b1", "3 PrepareResponse h0 v0 b1"],
        input: REQUEST,
        effects: &["PrepareResponse h0 v0 b0", "timer 12"],
    },
    Case {
        says: "L13, L16: those to this one do",
        me: 1,
        given: &["2 PrepareResponse h0 v0 b0"],
        input: REQUEST,
        effects: &["PrepareResponse h0 v0 b0", "Commit h0 v0 b0", "timer 3"],
    },
    Case {
        says: "L18: a response to another request is dropped and the timer stays",
        me: 1,
        given: ANSWERED,
        input: "2 PrepareResponse h0 v0 b1",
        effects: &[],
    },
    Case {
        says: "L17: the primary's own response counts for nothing",
        me: 1,
        given: ANSWERED,
        input: "0 PrepareResponse h0 v0 b0",
        effects: &[],
    },
    Case {
        says: "L23-25: the third preparation makes it commit",
        me: 1,
        given: ANSWERED,
        input: "2 PrepareResponse h0 v0 b0",
        effects: &["Commit h0 v0 b0", "timer 3"],
    },
];

pub(super) const COMMITTING: &[Case] = &[
    Case {
        says: "L28: a commit makes the timer longer",
        me: 1,
        given: ANSWERED,
        input: "2 Commit h0 v0 b0",
        effects: &["timer 12"],
    },
    Case {
        says: "L53: not when the replica committed",
        me: 1,
        given: COMMITTED,
        input: "2 Commit h0 v0 b0",
        effects: &[],
    },
    Case {
        says: "L28: a commit of another block is dropped, so the next one counts",
        me: 1,
        given: &[
            REQUEST,
            "2 Commit h0 v0 b1",
            "2 Commit h0 v0 b0",
            "0 Commit h0 v0 b0",
        ],
        input: "3 Commit h0 v0 b0",
        effects: &["decide h0v0b0", "Block h0 v0 b0", "timer 3"],
    },
    Case {
        says: "L14, L29, L30: commits that came before the request count, whatever they sign",
        me: 1,
        given: &["2 Commit h0 v0 b1", "3 Commit h0 v0 b1", REQUEST],
        input: "0 Commit h0 v0 b0",
        effects: &["fault", "no timer"],
    },
    Case {
        says: "L29: a request that arrives last does not decide",
        me: 1,
        given: &[
            "0 Commit h0 v0 b0",
            "2 Commit h0 v0 b0",
            "3 Commit h0 v0 b0",
        ],
        input: REQUEST,
        effects: &["PrepareResponse h0 v0 b0", "timer 20"],
    },
    Case {
        says: "L26, L27: the first commit stays, of whatever view",
        me: 1,
        given: &[
            "0 ChangeView h0 v0",
            "2 ChangeView h0 v0",
            "3 ChangeView h0 v0",
            "2 Commit h0 v0 b0",
        ],
        input: "2 Commit h0 v1 b0",
        effects: &[],
    },
    Case {
        says: "L40: a committed replica repeats what it knows",
        me: 1,
        given: &[REQUEST, "2 PrepareResponse h0 v0 b0", "at 3"],
        input: "timeout",
        effects: &[
            "RecoveryMessage h0 v0 [0 PrepareRequest h0 v0 b0, 1 PrepareResponse h0 v0 b0, \
             2 PrepareResponse h0 v0 b0, 1 Commit h0 v0 b0]",
            "timer 9",
        ],
    },
    Case {
        says: "L32: and so it does for every change view",
        me: 1,
        given: COMMITTED,
        input: "3 ChangeView h0 v0",
        effects: &[
            "RecoveryMessage h0 v0 [0 PrepareRequest h0 v0 b0, 1 PrepareResponse h0 v0 b0, \
             2 PrepareResponse h0 v0 b0, 1 Commit h0 v0 b0]",
        ],
    },
];

pub(super) const LEAVING: &[Case] = &[
    Case {
        says: "L42: who hears nobody asks for recovery",
        me: 1,
        given: &["at 6"],
        input: "timeout",
        effects: &["RecoveryRequest h0 v0", "timer 18"],
    },
    Case {
        says: "L43: who hears two others, one committed, asks to leave",
        me: 1,
        given: &[REQUEST, "2 PrepareResponse h0 v0 b1", "at 6"],
        input: "timeout",
        effects: &["ChangeView h0 v0", "timer 18"],
    },
    Case {
        says: "L42: one committed and one unheard are more than f",
        me: 1,
        given: &["0 Commit h0 v0 b5", "2 PrepareResponse h0 v0 b1", "at 6"],
        input: "timeout",
        effects: &["RecoveryRequest h0 v0", "timer 18"],
    },
    Case {
        says: "L35, L37: a quorum moves a replica that never asked; L6: a backup waits 4T",
        me: 1,
        given: &["0 ChangeView h0 v0", "2 ChangeView h0 v0"],
        input: "3 ChangeView h0 v0",
        effects: &["enter v1", "timer 12"],
    },
    Case {
        says: "L6: the new primary is due at once",
        me: 3,
        given: &["at 1", "0 ChangeView h0 v0", "1 ChangeView h0 v0"],
        input: "2 ChangeView h0 v0",
        effects: &["enter v1", "timer 1"],
    },
    Case {
        says: "L35: only the target of the last message is tried, although v2 has a quorum",
        me: 1,
        given: &["0 ChangeView h0 v1", "2 ChangeView h0 v1"],
        input: "3 ChangeView h0 v2",
        effects: &[],
    },
    Case {
        says: "L36: who asked for less says that it agrees",
        me: 1,
        given: &[
            REQUEST,
            "2 PrepareResponse h0 v0 b1",
            "timeout",
            "0 ChangeView h0 v1",
            "2 ChangeView h0 v1",
        ],
        input: "3 ChangeView h0 v1",
        effects: &["ChangeView h0 v0", "enter v2", "timer 24"],
    },
    Case {
        says: "L31, L46: a change view to a passed view is a question, answered by the next f + 1",
        me: 1,
        given: &[
            "0 ChangeView h0 v0",
            "2 ChangeView h0 v0",
            "3 ChangeView h0 v0",
        ],
        input: "0 ChangeView h0 v0",
        effects: &[
            "RecoveryMessage h0 v1 [0 ChangeView h0 v0, 2 ChangeView h0 v0, \
             3 ChangeView h0 v0]",
        ],
    },
    Case {
        says: "L46: and by nobody else",
        me: 1,
        given: &[
            "0 ChangeView h0 v0",
            "2 ChangeView h0 v0",
            "3 ChangeView h0 v0",
        ],
        input: "2 ChangeView h0 v0",
        effects: &[],
    },
    Case {
        says: "L17: a response does not reach who is leaving",
        me: 1,
        given: &[REQUEST, "2 PrepareResponse h0 v0 b1", "timeout"],
        input: "2 PrepareResponse h0 v0 b0",
        effects: &[],
    },
    Case {
        says: "L17, L23, L25: unless more than f committed; then it commits, and may decide",
        me: 1,
        given: &[
            REQUEST,
            "2 PrepareResponse h0 v0 b1",
            "timeout",
            "2 Commit h0 v0 b0",
            "3 Commit h0 v0 b0",
        ],
        input: "2 PrepareResponse h0 v0 b0",
        effects: &[
            "Commit h0 v0 b0",
            "decide h0v0b0",
            "Block h0 v0 b0",
            "timer 3",
        ],
    },
];

/// The first timers of height 1, whose primary is replica 1.
pub(super) const NEXT_HEIGHT: &[Case] = &[
    Case {
        says: "L6: the primary waits T less the time since it first checked preparations",
        me: 1,
        given: &[
            "at 1",
            REQUEST,
            "2 PrepareResponse h0 v0 b0",
            "at 2",
            "2 Commit h0 v0 b0",
        ],
        input: "3 Commit h0 v0 b0",
        effects: &["decide h0v0b0", "Block h0 v0 b0", "timer 4"],
    },
    Case {
        says: "L6: a backup waits 2T less that",
        me: 2,
        given: &[
            "at 1",
            REQUEST,
            "1 PrepareResponse h0 v0 b0",
            "at 2",
            "1 Commit h0 v0 b0",
        ],
        input: "3 Commit h0 v0 b0",
        effects: &["decide h0v0b0", "Block h0 v0 b0", "timer 7"],
    },
    Case {
        says: "L6: never less than nothing",
        me: 2,
        given: &[
            REQUEST,
            "1 PrepareResponse h0 v0 b0",
            "at 9",
            "1 Commit h0 v0 b0",
        ],
        input: "3 Commit h0 v0 b0",
        effects: &["decide h0v0b0", "Block h0 v0 b0", "timer 9"],
    },
    Case {
        says: "L7: what is of a passed height is ignored",
        me: 1,
        given: &[
            REQUEST,
            "2 PrepareResponse h0 v0 b0",
            "2 Commit h0 v0 b0",
            "3 Commit h0 v0 b0",
        ],
        input: "0 ChangeView h0 v0",
        effects: &[],
    },
];
