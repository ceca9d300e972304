//! A log with vector clocks for `ShiViz`, with the regular expression that reads it in its first
//! line, as the upload of a file expects.

use super::story::{Act, Story};
use milp_schema::{Message, ReplicaId, Slot};
use std::{collections::BTreeMap, fmt::Write as _};

/// Reads the lines below: an event, and then its host with the clock.
pub(super) const REGEX: &str = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})";

/// How much of each replica's past an event knows.
type Clock = BTreeMap<ReplicaId, u32>;

/// Two lines for each event: when and what, then who with the clock. A delivery knows what its
/// sender knew; of the acts of one replica in one slot deliveries come first, as nothing that is
/// sent in a slot arrives in it.
pub(super) fn write(story: &Story<'_>) -> String {
    // The second line would be the delimiter of several executions.
    let mut text = format!("{REGEX}\n\n");
    let mut now: BTreeMap<ReplicaId, Clock> = BTreeMap::new();
    let mut broadcasts: BTreeMap<(Slot, ReplicaId, &Message), Clock> = BTreeMap::new();
    let mut injected: BTreeMap<usize, Clock> = BTreeMap::new();
    for (slot, replica, act) in &story.acts {
        let mut clock = now.remove(replica).unwrap_or_default();
        *clock.entry(*replica).or_default() += 1;
        if let Act::Receive(number) = act {
            let copy = &story.trips[*number].copy;
            let sender = injected
                .get(number)
                .or_else(|| broadcasts.get(&(copy.sent, copy.sender, &copy.message)));
            merge(&mut clock, sender.into_iter());
        }
        if story.pool {
            // There all see what was sent in earlier slots.
            let earlier = broadcasts.iter().filter(|((sent, ..), _)| sent < slot);
            merge(&mut clock, earlier.map(|(_, clock)| clock));
        }
        match act {
            Act::Send(message) => {
                broadcasts.insert((*slot, *replica, message), clock.clone());
            }
            Act::Inject(number) => {
                injected.insert(*number, clock.clone());
                if story.pool {
                    let message = &story.trips[*number].copy.message;
                    broadcasts.insert((*slot, *replica, message), clock.clone());
                }
            }
            _ => {}
        }
        let entries = clock.iter().map(|(id, count)| format!("\"r{id}\":{count}"));
        let entries = entries.collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            text,
            "slot {slot}: {}\nr{replica} {{{entries}}}",
            story.words(act)
        );
        now.insert(*replica, clock);
    }
    text
}

/// Puts into `clock` what others know.
fn merge<'a>(clock: &mut Clock, others: impl Iterator<Item = &'a Clock>) {
    for (id, count) in others.flatten() {
        let known = clock.entry(*id).or_default();
        *known = (*known).max(*count);
    }
}
