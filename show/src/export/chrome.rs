//! Trace events as Chrome and Perfetto read them: a thread for each replica, a slice for each view
//! and each act, an arrow for each copy that arrives.

use super::story::{Act, Story};
use milp_schema::{Height, Message, ReplicaId, Slot, View};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Microseconds of a slot.
const SLOT: u64 = 1000;

/// When an act is drawn: the acts of one replica in one slot stand behind one another.
struct Drawn {
    start: u64,
    length: u64,
}

pub(super) fn write(story: &Story<'_>) -> String {
    let mut events = vec![json!({
        "name": "process_name", "ph": "M", "pid": 1, "tid": 0, "ts": 0,
        "args": {"name": story.title()},
    })];
    for replica in story.replicas() {
        events.push(json!({
            "name": "thread_name", "ph": "M", "pid": 1, "tid": thread(replica), "ts": 0,
            "args": {"name": story.name(replica)},
        }));
    }
    views(story, &mut events);
    acts(story, &mut events);
    let document = json!({
        "displayTimeUnit": "ms",
        "otherData": {"slot": format!("{SLOT} microseconds"), "what": story.title()},
        "traceEvents": events,
    });
    format!("{document:#}\n")
}

/// A thread of number 0 is the process's own.
fn thread(replica: ReplicaId) -> u32 {
    replica.0 + 1
}

/// A slice from the entry of a view to the next, or to the end of the horizon.
fn views(story: &Story<'_>, events: &mut Vec<Value>) {
    let end = u64::from(story.instance.slots + 1) * SLOT;
    for replica in story.replicas() {
        let mut entered = vec![(0, Height(0), View(0))];
        for (slot, who, act) in &story.acts {
            match act {
                Act::Enter(height, view) if *who == replica => {
                    entered.push((u64::from(slot.0) * SLOT, *height, *view));
                }
                // The next height begins with its view 0.
                Act::Decide(block)
                    if *who == replica && block.height.0 + 1 < story.instance.heights =>
                {
                    entered.push((u64::from(slot.0) * SLOT, block.height.next(), View(0)));
                }
                _ => {}
            }
        }
        let ends = entered.iter().skip(1).map(|(start, ..)| *start);
        let ends = ends.chain([end]).collect::<Vec<_>>();
        for ((start, height, view), end) in entered.iter().zip(ends) {
            events.push(json!({
                "name": format!("h{height} v{view}"), "cat": "view", "ph": "X", "pid": 1,
                "tid": thread(replica), "ts": start, "dur": end - start,
            }));
        }
    }
}

/// A slice for each act, and arrows from sends to deliveries.
fn acts(story: &Story<'_>, events: &mut Vec<Value>) {
    let mut counts: BTreeMap<(Slot, ReplicaId), u64> = BTreeMap::new();
    for (slot, replica, _) in &story.acts {
        *counts.entry((*slot, *replica)).or_default() += 1;
    }
    let mut done: BTreeMap<(Slot, ReplicaId), u64> = BTreeMap::new();
    let mut sent: BTreeMap<(Slot, ReplicaId, &Message), u64> = BTreeMap::new();
    let mut injected: BTreeMap<usize, u64> = BTreeMap::new();
    for (slot, replica, act) in &story.acts {
        let before = done.entry((*slot, *replica)).or_default();
        let length = (SLOT / (counts[&(*slot, *replica)] + 1)).max(1);
        let drawn = Drawn {
            start: u64::from(slot.0) * SLOT + *before * length,
            length,
        };
        *before += 1;
        let (name, category, message) = named(story, act);
        let mut event = json!({
            "name": name, "cat": category, "ph": "X", "pid": 1, "tid": thread(*replica),
            "ts": drawn.start, "dur": drawn.length,
            "args": {"slot": slot.0, "words": story.words(act)},
        });
        if let Some(message) = message {
            event["args"]["kind"] = message.kind.name().into();
        }
        events.push(event);
        match act {
            Act::Send(message) => {
                sent.insert((*slot, *replica, message), drawn.start);
            }
            Act::Inject(number) => {
                injected.insert(*number, drawn.start);
            }
            Act::Receive(number) => {
                let copy = &story.trips[*number].copy;
                let start = injected
                    .get(number)
                    .or_else(|| sent.get(&(copy.sent, copy.sender, &copy.message)));
                if let Some(start) = start {
                    events.extend(arrow(*number, copy.sender, *start, *replica, drawn.start));
                }
            }
            _ => {}
        }
    }
}

fn named<'a>(story: &'a Story<'_>, act: &'a Act) -> (String, &'static str, Option<&'a Message>) {
    let of = |number: &usize| &story.trips[*number].copy.message;
    match act {
        Act::Receive(number) => (
            format!("receive {}", of(number)),
            "receive",
            Some(of(number)),
        ),
        Act::Inject(number) => (format!("make {}", of(number)), "inject", Some(of(number))),
        Act::Send(message) => (format!("send {message}"), "send", Some(message)),
        Act::Decide(_) => (story.words(act), "decide", None),
        Act::Timeout(..) => (story.words(act), "timeout", None),
        Act::Enter(..) => (story.words(act), "enter", None),
        Act::Crash | Act::Restart => (story.words(act), "crash", None),
    }
}

/// The two ends of an arrow.
fn arrow(number: usize, from: ReplicaId, start: u64, to: ReplicaId, end: u64) -> [Value; 2] {
    [("s", from, start), ("f", to, end)].map(|(phase, replica, ts)| {
        json!({
            "name": "copy", "cat": "copy", "ph": phase, "bp": "e", "id": number + 1, "pid": 1,
            "tid": thread(replica), "ts": ts,
        })
    })
}
