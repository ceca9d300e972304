//! What replicas hold when the slots of a schedule are over.

use super::{Story, words::list};
use crate::{
    known::Known,
    words::{self, Does},
};
use milp_schema::{
    Message, ReplicaId,
    trace::{Phase, TraceEvent},
};
use std::collections::{BTreeMap, BTreeSet};

/// A heading, and for each replica that follows the rules and is up: the view that it is in, the last
/// own vote that binds it to a block, and the messages of its height that it has, with their senders.
pub(super) fn lines(story: &Story) -> Vec<String> {
    let scene = story.scene();
    let within = story.trace.iter();
    let within = within.filter(|it| it.phase == Phase::Schedule).cloned();
    let trace: Vec<TraceEvent> = within.collect();
    let known = Known::after(&story.instance, &trace);
    let mut lines = vec!["What replicas hold when the slots are over".to_owned()];
    for replica in ReplicaId::all(story.instance.replicas) {
        let knowledge = known.of(replica);
        if scene.byzantine(replica) || knowledge.down {
            continue;
        }
        let mut senders: BTreeMap<&Message, BTreeSet<ReplicaId>> = BTreeMap::new();
        for (sender, message) in knowledge.held() {
            senders.entry(message).or_default().insert(sender);
        }
        let binds = |it: &&Message| words::does(&it.kind) == Does::Binds && it.block_id().is_some();
        let own = senders.iter().filter(|(_, who)| who.contains(&replica));
        let last = own.map(|(message, _)| *message).filter(binds);
        let last = last.max_by_key(|message| message.view);
        let last = last.map_or_else(String::new, |it| format!(", bound by {it}"));
        let mut held: Vec<_> = senders.iter().collect();
        held.sort_by_key(|(message, _)| (message.view, *message));
        let held = held.into_iter();
        let held = held.map(|(message, who)| format!("{message} from {}", list(who)));
        let held: Vec<_> = held.collect();
        let held = if held.is_empty() {
            "nothing".to_owned()
        } else {
            held.join("; ")
        };
        let view = knowledge.place.1;
        lines.push(format!(
            "  replica {replica}, in view {view}{last}: {held}."
        ));
    }
    lines
}
