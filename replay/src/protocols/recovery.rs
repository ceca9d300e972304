//! Recovery (§8.7), lines 17–23 of both protocol pages.
//!
//! Nothing here changes the state of who says it; line 21, which hands over what a recovery
//! message carries, is the network's part.

use super::{Name, Output, Replica, Rules};
use milp_schema::{BlockId, Message, ReplicaId, View};

/// Lines 17–18: a firing that no rule of the protocol proper used.
pub(super) fn on_timeout(replica: &Replica, rules: &Rules, out: &mut Vec<Output>) {
    if replica.commit_sent() {
        out.push(recovery_message(replica, rules)); // L17
    }
    if replica.change_view_sent() {
        for kind in [Name::ChangeView, Name::RecoveryRequest] {
            let message = replica.message(rules.kind(kind), None);
            out.push(Output::Recover {
                message,
                carried: Vec::new(),
            }); // L18
        }
    }
}

/// Lines 19–20. Only a message that came by itself is answered: were a change view inside a
/// recovery message answered too, two committed replicas would answer each other for ever.
pub(super) fn answer(replica: &Replica, rules: &Rules, message: &Message, out: &mut Vec<Output>) {
    let asks = matches!(
        Name::of(message.kind),
        Some(Name::RecoveryRequest | Name::ChangeView | Name::RecoveryMessage)
    );
    if asks && let Some(&block) = replica.decided.get(message.height.index()) {
        // A committed replica asks for nothing (line 17), so what it repeats is its question.
        out.push(block_again(rules, block));
        return;
    }
    if replica.stopped(rules) || message.height != replica.height {
        return;
    }
    let passed = message.view < replica.view || replica.commit_sent();
    if message.kind == Name::RecoveryRequest || (message.kind == Name::ChangeView && passed) {
        out.push(recovery_message(replica, rules)); // L19
    }
}

fn block_again(rules: &Rules, block: BlockId) -> Output {
    Output::Recover {
        message: Message::about(rules.kind(Name::Block), block),
        carried: Vec::new(),
    }
}

/// Line 20: everything of the height that the replica holds or sent, change views first, then by
/// the order inside a slot (line 21).
fn recovery_message(replica: &Replica, rules: &Rules) -> Output {
    let height = replica.height;
    let of = |name, view, block| Message::new(rules.kind(name), height, view, Some(block));
    let mut carried: Vec<(ReplicaId, Message)> = Vec::new();
    for &(target, author) in replica.change_views.iter().rev() {
        let view = View(target.0 - 1);
        let asked = Message::new(rules.kind(Name::ChangeView), height, view, None);
        carried.push((author, asked));
    }
    for &(view, block) in &replica.requests {
        carried.push((
            rules.primary(height, view),
            of(Name::PrepareRequest, view, block),
        ));
    }
    for &(view, block, author) in &replica.responses {
        carried.push((author, of(Name::PrepareResponse, view, block)));
    }
    for &(view, block, author) in &replica.commits {
        carried.push((author, of(Name::Commit, view, block)));
    }
    Output::Recover {
        message: replica.message(rules.kind(Name::RecoveryMessage), None),
        carried,
    }
}
