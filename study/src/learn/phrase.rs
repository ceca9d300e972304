//! Messages and acts in a few words.

use super::divergence::{Divergence, by_timer};
use milp_schema::{Message, schedule::Event};

/// `sends Commit v1 b0`, `enters view 1`, `decides v0 b0`.
pub(crate) fn does_instead(event: &Event) -> String {
    match event {
        Event::Send(said) => format!("sends {}", short(said)),
        Event::EnterView { view, .. } => format!("enters view {view}"),
        Event::Decide(block) => format!("decides v{} b{}", block.view, block.index),
    }
}

/// `ChangeView v0`, `Commit v1 b0`.
pub(crate) fn short(message: &Message) -> String {
    let Message { kind, view, .. } = message;
    match message.index() {
        Some(block) => format!("{kind} v{view} b{block}"),
        None => format!("{kind} v{view}"),
    }
}

/// `what replica 2 does in slot 5 (it decides v0 b0)`.
pub(super) fn divergence_words(divergence: &Divergence) -> String {
    let Divergence {
        replica,
        slot,
        act,
        does,
    } = divergence;
    let act = does_instead(act);
    let act = if *does {
        format!("it {act}")
    } else {
        format!("not what is predicted: it {act}")
    };
    format!("what replica {replica} does in slot {slot} ({act})")
}

/// `replica 2 decides v0 b0 in slot 5, which the rules forbid`.
pub(super) fn forbidden_words(divergence: &Divergence) -> String {
    let Divergence {
        replica, slot, act, ..
    } = divergence;
    let timer = if by_timer(act) {
        " when its timer fires"
    } else {
        ""
    };
    let act = does_instead(act);
    format!("replica {replica} {act}{timer} in slot {slot}, which the rules forbid")
}
