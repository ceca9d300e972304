//! A sequence diagram for Mermaid: an arrow where a copy arrives, a cross where it is lost.

use super::story::{Act, Story, Trip};
use milp_schema::{ReplicaId, Slot, schedule::End};
use std::fmt::Write as _;

/// Slot by slot: what arrives, then what replicas do. Copies that arrive nowhere within the
/// horizon come last.
pub(super) fn write(story: &Story<'_>) -> String {
    let mut text = format!("%% {}\nsequenceDiagram\n", story.title());
    for replica in story.replicas() {
        let _ = writeln!(
            text,
            "    participant r{replica} as {}",
            story.name(replica)
        );
    }
    if story.pool {
        over_all(
            story,
            &mut text,
            "one pool: what is sent is seen by all from the next slot on",
        );
    }
    let mut lost = story
        .trips
        .iter()
        .filter_map(|trip| match trip.end {
            End::Lost(slot) => Some((slot, trip)),
            End::Arrives(_) | End::Open => None,
        })
        .collect::<Vec<_>>();
    lost.sort();
    let mut slots = story
        .acts
        .iter()
        .map(|(slot, ..)| *slot)
        .collect::<Vec<_>>();
    slots.extend(lost.iter().map(|(slot, _)| *slot));
    slots.sort_unstable();
    slots.dedup();
    for now in slots {
        over_all(story, &mut text, &format!("slot {now}"));
        for (_, replica, act) in story.acts.iter().filter(|(slot, ..)| *slot == now) {
            arrow_or_note(story, &mut text, *replica, act);
        }
        for (_, trip) in lost.iter().filter(|(slot, _)| *slot == now) {
            arrow(&mut text, "-x", trip, ", lost");
        }
    }
    let open = story.trips.iter().filter(|trip| trip.end == End::Open);
    let open = open.collect::<Vec<_>>();
    if !open.is_empty() {
        over_all(story, &mut text, "not delivered within the horizon");
        for trip in open {
            arrow(&mut text, "--x", trip, "");
        }
    }
    text
}

fn arrow_or_note(story: &Story<'_>, text: &mut String, replica: ReplicaId, act: &Act) {
    if let Act::Receive(number) = act {
        let trip = &story.trips[*number];
        let late = if story.is_late(trip) { ", late" } else { "" };
        arrow(text, "->>", trip, late);
    } else {
        let _ = writeln!(
            text,
            "    Note over r{replica}: {}",
            escaped(&story.words(act))
        );
    }
}

/// The text without the word that ends a block.
fn escaped(text: &str) -> String {
    let words = text.split(' ');
    let words = words.map(|word| match word {
        "end" => "(end)",
        word => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

fn arrow(text: &mut String, arrow: &str, trip: &Trip, more: &str) {
    let copy = &trip.copy;
    let Slot(sent) = copy.sent;
    let _ = writeln!(
        text,
        "    r{}{arrow}r{}: {} (sent in {sent}{more})",
        copy.sender,
        copy.receiver,
        escaped(&copy.message.to_string())
    );
}

fn over_all(story: &Story<'_>, text: &mut String, words: &str) {
    let all = match story.instance.replicas {
        1 => "r0".to_owned(),
        replicas => format!("r0,r{}", replicas - 1),
    };
    let _ = writeln!(text, "    Note over {all}: {words}");
}
