//! Messages and acts in a few words.

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
