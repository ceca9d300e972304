//! The rules of a program as groups of families: what is taken away together, and what it is for.

use milp_model::program::{Family, Tag};

/// One rule, as a reader of the protocol's page would name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// What it is for, a sentence without a full stop.
    pub purpose: &'static str,
    /// Whether the rule makes something happen rather than forbid it. No proof of a valid row
    /// needs such a rule (`docs/MODEL.md`), so valid rows stay when only such rules go.
    pub forces: bool,
}

const fn guard(name: &'static str, purpose: &'static str) -> Group {
    Group {
        name,
        purpose,
        forces: false,
    }
}

const fn force(name: &'static str, purpose: &'static str) -> Group {
    Group {
        name,
        purpose,
        forces: true,
    }
}

/// The groups, in the order in which tables show them.
pub const GROUPS: [Group; 23] = [
    LOCK,
    PREPARATIONS,
    COMMITS,
    CHANGE_VIEWS,
    SILENCE,
    ONE_PROPOSAL,
    ONE_RESPONSE,
    ONE_REQUEST,
    ONE_DECISION,
    PROPOSAL,
    PROPOSES_FIRST,
    PUBLISHED,
    LOST,
    PLACE,
    STOPS,
    PROMPT,
    TIMERS,
    SIGNATURES,
    DELIVERY,
    CRASHES,
    MEMORY,
    ORDER,
    BUDGET,
];

const LOCK: Group = guard(
    "commit lock",
    "a replica commits once per height and never asks to leave or leaves a view after it, so that \
     no quorum of another view can form beside a quorum of commits",
);
const PREPARATIONS: Group = guard(
    "quorum size, preparations",
    "two quorums of preparations share an honest replica, so that no two blocks of a view are both \
     prepared and nobody is locked on a block that the others cannot commit",
);
const COMMITS: Group = guard(
    "quorum size, commits",
    "a decision needs commits of n - f replicas; any other quorum shares an honest one with them, \
     which is locked",
);
const CHANGE_VIEWS: Group = guard(
    "quorum size, change views",
    "a view is left only when n - f replicas ask for it, so that f of them cannot drag the others \
     along",
);
const SILENCE: Group = guard(
    "silence after asking to leave",
    "who asked to leave a view no longer responds or commits in it, so that nobody who counts \
     among those who leave is locked in the view and missing in the next",
);
const ONE_PROPOSAL: Group = guard(
    "one proposal per view",
    "an honest primary proposes once in a view, so that all backups answer the same block",
);
const ONE_RESPONSE: Group = guard(
    "one response per view",
    "an honest backup responds to one proposal of a view only, so that two of them do not both get \
     a quorum",
);
const ONE_REQUEST: Group = guard(
    "one request per view",
    "a replica asks to leave a view, or for recovery, once; more would change nothing",
);
const ONE_DECISION: Group = guard(
    "one decision per height",
    "a replica regards one block of a height as final and never another, so that its own chain \
     does not fork",
);
const PROPOSAL: Group = guard(
    "proposal before votes",
    "nobody responds to, commits to or decides what was not proposed to it, so that no block comes \
     from nowhere",
);
const PROPOSES_FIRST: Group = guard(
    "primary proposes before leaving",
    "the first timer of a primary proposes and only a later one asks to leave, so that a view is \
     tried before it is given up",
);
const PUBLISHED: Group = guard(
    "adopted blocks were published",
    "a block is taken over from another replica only if that one decided and published it",
);
const LOST: Group = guard(
    "more than f committed or lost",
    "whether more than f replicas are committed or not heard decides between asking to leave and \
     asking for recovery, and lets replicas come back to a view they wanted to leave",
);
const PLACE: Group = guard(
    "one view at a time",
    "a replica acts in the view and height it is in and never goes back, so that its votes are \
     about what it promised last",
);
const STOPS: Group = guard(
    "nothing after a decision",
    "a replica that decided a height does nothing more there, so that the height comes to rest",
);
const PROMPT: Group = force(
    "prompt reactions",
    "what a rule enables happens at once, so that only the network and the timers are slow",
);
const TIMERS: Group = guard(
    "timers by the protocol",
    "timers fire when the protocol says and not when the adversary likes",
);
const SIGNATURES: Group = guard(
    "nothing is received that was not sent",
    "messages are signed: the adversary cannot make one in the name of an honest replica",
);
const DELIVERY: Group = force(
    "delivery guarantee",
    "copies between honest replicas arrive within what the network guarantees",
);
const CRASHES: Group = guard(
    "faults keep to their kind",
    "a crashed replica is silent for good, an honest one never crashes, and nobody is faulty in \
     two ways",
);
const MEMORY: Group = guard(
    "what happened stays so",
    "what a replica did or holds is not undone, and what it counts is what it holds",
);
const ORDER: Group = guard(
    "order of handling",
    "the canonical order inside a slot and the patterns that the program leaves out; no rule of \
     the protocol",
);
const BUDGET: Group = guard(
    "fault budget",
    "only so many replicas are faulty, and only so many acts are allowed; the question's, not the \
     protocol's",
);

/// The group of a family; `None` for rows that only help the solver, and for those that say what
/// the goal means, which stay in every question.
pub fn group_of(family: &Family) -> Option<Group> {
    let name = family.name.as_str();
    match family.tag {
        Tag::Valid | Tag::Goal | Tag::Symmetry => None,
        Tag::Budget if name.starts_with("final_state_") => None,
        Tag::Budget if family.line == "E9" || name.contains("_defines_") => Some(BUDGET),
        Tag::Budget => Some(ORDER),
        Tag::Legal => Some(legal(name, &family.line)),
    }
}

fn legal(name: &str, line: &str) -> Group {
    structural(name, line)
        .or_else(|| counting(name))
        .or_else(|| forbidding(name))
        .unwrap_or_else(|| reaction(name, line))
}

/// What holds of any protocol.
fn structural(name: &str, line: &str) -> Option<Group> {
    Some(match name {
        _ if name.ends_with("_requires_timer")
            || name.starts_with("timer_forces_")
            || name.contains("due")
            || name.contains("deadline") =>
        {
            TIMERS
        }
        _ if name.starts_with("receive_") && name.contains("_requires_send_") => SIGNATURES,
        "inject_requires_byzantine" => SIGNATURES,
        _ if name.starts_with("send_") && name.contains("_forces_receive_") => DELIVERY,
        _ if name.contains("more_than_f") || name.contains("alive") || name.contains("heard") => {
            LOST
        }
        "enter_stays" => PLACE,
        _ if name.starts_with("crash_")
            || name.ends_with("_excludes_crash")
            || matches!(name, "faulty_in_one_way" | "enter_excludes_byzantine") =>
        {
            CRASHES
        }
        _ if name.ends_with("_stays") => MEMORY,
        _ if line.starts_with('E') && matches!(line, "E4" | "E7" | "E8" | "E29") => ORDER,
        _ => return None,
    })
}

/// Quorums and "at most once".
fn counting(name: &str) -> Option<Group> {
    Some(match name {
        _ if name.contains("_forces_") && !name.contains("keep") => return None,
        "enter_requires_change_view_quorum" | "enter_requires_change_view" => CHANGE_VIEWS,
        _ if name.contains("asked") || name.contains("keep") => CHANGE_VIEWS,
        _ if name.ends_with("_requires_commit_quorum") => COMMITS,
        _ if name.contains("_requires_") && name.ends_with("_quorum") => PREPARATIONS,
        "decide_requires_vote" => ORDER,
        "commit_at_most_once" | "returning_commit_at_most_once" => LOCK,
        "prepare_request_at_most_once" => ONE_PROPOSAL,
        "change_view_at_most_once" | "recovery_request_at_most_once" => ONE_REQUEST,
        "decide_at_most_once" | "adopt_at_most_once" => ONE_DECISION,
        _ if name.ends_with("_at_most_once") => ONE_RESPONSE,
        _ => return None,
    })
}

/// Guards of single events.
fn forbidding(name: &str) -> Option<Group> {
    Some(match name {
        _ if name.contains("_forces_") => return None,
        _ if name.ends_with("_excludes_commit") || name.ends_with("_excludes_returning_commit") => {
            LOCK
        }
        _ if name.ends_with("_excludes_change_view") => SILENCE,
        _ if name.ends_with("_excludes_decide") => STOPS,
        _ if name.ends_with("_as_primary") => PROPOSES_FIRST,
        "adopt_requires_block" => PUBLISHED,
        _ if name.contains("_requires_view") => PLACE,
        _ if name.contains("_requires_prepare_request")
            || name.contains("_requires_prepare_response") =>
        {
            PROPOSAL
        }
        _ if name.contains("_requires_receive_") => MEMORY,
        _ if name.contains("_requires_change_view") => LOST,
        _ => return None,
    })
}

/// What is left: reactions that are forced, else bookkeeping.
fn reaction(name: &str, line: &str) -> Group {
    if name.contains("_forces_take_") {
        MEMORY
    } else if name.contains("_forces_") {
        PROMPT
    } else if line.starts_with("E26") || name.contains("excludes") {
        ORDER
    } else {
        MEMORY
    }
}

/// Whether a valid family still follows from the rules when `dropped` are taken away, by the
/// proofs in `docs/MODEL.md`: none of them needs a rule that forces something. Where one is not
/// known to hold, it goes.
pub fn stays(valid: &Family, dropped: &[Group]) -> bool {
    let needs: &[Group] = match valid.name.as_str() {
        "change_view_or_commit_at_most_once" => &[LOCK, SILENCE, ORDER, ONE_REQUEST],
        "decisions_at_most_by_votes" => &[LOCK, COMMITS, PREPARATIONS, PUBLISHED, ONE_RESPONSE],
        "enter_requires_honest_change_view_quorum" | "reached_requires_honest_quorum" => {
            &[CHANGE_VIEWS, LOST, ORDER]
        }
        name if name.ends_with("_requires_honest_quorum") => {
            &[PREPARATIONS, COMMITS, PUBLISHED, LOST]
        }
        _ => return dropped.iter().all(|group| group.forces),
    };
    let common = [PLACE, SIGNATURES, CRASHES, MEMORY, BUDGET];
    dropped
        .iter()
        .all(|group| !needs.contains(group) && !common.contains(group))
}
