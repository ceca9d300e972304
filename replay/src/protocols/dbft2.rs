//! dBFT 2.0, rule set `paper`: the rules of `docs/protocols/dbft2.md`, by line.

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
        replica.send_prepare_request(out); // L3
    } else if !locked && !replica.change_view_sent() {
        replica.send_change_view(out); // L5
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
    replica.send_prepare_response(block, out);
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
    replica.send_commit(block, out);
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
