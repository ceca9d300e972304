//! From a point of the program to a schedule.

use super::columns::{FAULTS, Indices, Key, Timed};
use crate::{
    decoded::Decoded,
    expr::Expr,
    program::Col,
    rule::{About, Modality, Requires},
};
use milp_schema::{
    BlockId, Choice, Height, Message, Prediction, ReplicaId, Schedule, Slot, View,
    instance::FaultKind,
    schedule::{Copy, Event as Seen},
};

/// Where a row stands inside its slot (E7): phase, replica, height, kind or view, and the finer
/// order among copies of one kind.
type Order = (Slot, u32, ReplicaId, Height, u32, u32, u32, u32);

/// The schedule of a point.
pub(super) fn decode(timed: &Timed, point: &[i64]) -> Decoded {
    let mut rows: Vec<(Order, Choice)> = vec![];
    let mut predictions: Vec<Prediction> = vec![];
    for (key, col) in timed.draft.keys() {
        let Some(t) = begins(timed, point, key, col) else {
            continue;
        };
        match *key {
            Key::Crashed(i, _) => {
                let (slot, replica) = (Slot(t), ReplicaId(i));
                let order = (slot, 0, replica, Height(0), 0, 0, 0, 0);
                rows.push((order, Choice::Crash { slot, replica }));
            }
            Key::Did(e, i, at) => {
                predictions.extend(seen(timed, e, i, at));
                if matches!(timed.events[e].modality, Modality::Timer { .. }) {
                    rows.push(timeout(timed, i, at, e));
                }
            }
            Key::Injected(c, j, at) => rows.push(inject(timed, c, j, at)),
            Key::Got(c, i, j, at) => deliver(timed, point, (c, i, j, at), &mut rows),
            // Only the highest view entered in the slot is a step of its own.
            Key::Entered(i, at) if value(&timed.entered(i, at.h, at.v + 1, t), point) == 0 => {
                predictions.push(Prediction {
                    slot: Slot(t),
                    replica: ReplicaId(i),
                    event: Seen::EnterView {
                        height: Height(at.h),
                        view: View(at.v),
                    },
                });
            }
            _ => {} // nothing to see, or a view that the replica did not stop in
        }
    }
    rows.sort_by_key(|(order, _)| *order);
    predictions.sort();
    let choices = rows.into_iter().map(|(_, choice)| choice).collect();
    Decoded {
        schedule: Schedule {
            choices,
            predictions,
        },
        faulty: faulty(timed, point),
        slots: timed.horizon,
    }
}

fn value(expr: &Expr, point: &[i64]) -> i64 {
    expr.constant()
        + expr
            .terms()
            .map(|(col, k)| k * point[col.index()])
            .sum::<i64>()
}

/// The slot in which a cumulative column rises, if this is the column of that slot.
fn begins(timed: &Timed, point: &[i64], key: &Key, col: Col) -> Option<u32> {
    let (t, before) = match *key {
        Key::Crashed(i, t) => (t, Key::Crashed(i, t - 1)),
        Key::Did(e, i, at) => (at.t, Key::Did(e, i, Indices { t: at.t - 1, ..at })),
        Key::Got(c, i, j, at) => (at.t, Key::Got(c, i, j, Indices { t: at.t - 1, ..at })),
        Key::Entered(i, at) => (at.t, Key::Entered(i, Indices { t: at.t - 1, ..at })),
        Key::Injected(c, j, at) => (at.t, Key::Injected(c, j, Indices { t: at.t - 1, ..at })),
        _ => return None, // what follows from the others, or is about no slot
    };
    let was = timed
        .draft
        .col(&before)
        .map_or(0, |before| point[before.index()]);
    (point[col.index()] == 1 && was == 0).then_some(t)
}

fn faulty(timed: &Timed, point: &[i64]) -> Vec<(ReplicaId, FaultKind)> {
    let mut faulty = vec![];
    for i in 0..timed.n {
        for (kind, _) in FAULTS {
            if value(&timed.faulty(kind, i), point) == 1 {
                faulty.push((ReplicaId(i), kind));
            }
        }
    }
    faulty
}

/// The message of channel c about (h, v, b).
pub(super) fn message(timed: &Timed, c: usize, at: Indices) -> Message {
    let kind = timed.protocol.channels[c].kind;
    let names_block = timed
        .senders(c)
        .any(|e| timed.events[e].about != About::View);
    Message::new(kind, Height(at.h), View(at.v), names_block.then_some(at.b))
}

/// What an observer sees of an event: the broadcast, the decision.
fn seen(timed: &Timed, e: usize, i: u32, at: Indices) -> Vec<Prediction> {
    let (slot, replica) = (Slot(at.t), ReplicaId(i));
    let rule = &timed.events[e];
    let sends = rule.broadcasts.as_ref().map(|kind| {
        let event = Seen::Send(message(timed, timed.channel(kind), at));
        Prediction {
            slot,
            replica,
            event,
        }
    });
    let decides = rule.decides.then(|| {
        let block = BlockId {
            height: Height(at.h),
            view: View(at.v),
            index: at.b,
        };
        Prediction {
            slot,
            replica,
            event: Seen::Decide(block),
        }
    });
    sends.into_iter().chain(decides).collect()
}

fn timeout(timed: &Timed, i: u32, at: Indices, e: usize) -> (Order, Choice) {
    let (slot, replica) = (Slot(at.t), ReplicaId(i));
    let choice = Choice::Timeout {
        slot,
        replica,
        timer: timed.instance.protocol.timer(),
        height: Height(at.h),
        view: View(at.v),
    };
    (
        (slot, 2, replica, Height(at.h), at.v, e as u32, 0, 0),
        choice,
    )
}

/// A message that a Byzantine replica puts into the pool, by view (E29). The row names the first
/// other replica as receiver; the pool has no receivers.
fn inject(timed: &Timed, c: usize, j: u32, at: Indices) -> (Order, Choice) {
    let slot = Slot(at.t);
    let copy = Copy {
        sender: ReplicaId(j),
        receiver: ReplicaId(u32::from(j == 0)),
        message: message(timed, c, at),
        sent: slot,
        copy: 0,
    };
    let kind = copy.message.kind.rank();
    let order = (slot, 3, ReplicaId(j), Height(at.h), at.v, kind, 0, 0);
    (order, Choice::Inject { copy })
}

/// The delivery of a copy, and its making if the sender is Byzantine.
fn deliver(
    timed: &Timed,
    point: &[i64],
    (c, i, j, at): (usize, u32, u32, Indices),
    rows: &mut Vec<(Order, Choice)>,
) {
    let message = message(timed, c, at);
    let byzantine = value(&timed.byzantine(j), point) == 1;
    let sent = if byzantine {
        at.t - timed.delay_min
    } else {
        (1..at.t)
            .find(|&s| value(&timed.sent(c, j, at.h, at.v, at.b, s), point) == 1)
            .unwrap_or(at.t - timed.delay_min)
    };
    let copy = Copy {
        sender: ReplicaId(j),
        receiver: ReplicaId(i),
        message,
        sent: Slot(sent),
        copy: 0,
    };
    let kind = copy.message.kind.rank();
    let finer = finer(timed, point, (c, i, j, at), &copy.message);
    let slot = Slot(at.t);
    if byzantine {
        let order = (
            Slot(sent),
            3,
            ReplicaId(j),
            Height(at.h),
            kind,
            finer,
            i,
            at.v,
        );
        rows.push((order, Choice::Inject { copy: copy.clone() }));
    }
    let order = (slot, 1, ReplicaId(i), Height(at.h), kind, finer, j, at.v);
    rows.push((order, Choice::Deliver { slot, copy }));
}

/// The order among copies of one kind in one slot at one replica: what the replica acts on comes
/// first, requests to leave a later view first.
fn finer(
    timed: &Timed,
    point: &[i64],
    (c, i, j, at): (usize, u32, u32, Indices),
    message: &Message,
) -> u32 {
    let enter = timed.protocol.enter();
    if enter.is_some_and(|enter| enter.of == message.kind) {
        // Who asked before comes first: the number of those who ask does not grow by it, so that
        // no lower quorum is complete before the one that counts.
        let asked = |u: u32| timed.got(c, i, j, at.h, u, 0, at.t - 1);
        let before: Expr = (0..timed.views).map(asked).sum();
        let last = u32::from(value(&before, point) == 0);
        return u32::MAX - 1 - 2 * (message.view.0 + 1) + last;
    }
    let Some(block) = message.block_id() else {
        return 0;
    };
    let BlockId {
        height,
        view,
        index,
    } = block;
    // The first event that a message of this kind can trigger: the answer to a request, the commit
    // for responses, the decision for commits and blocks.
    let triggered = timed.events.iter().position(|event| {
        event.requires.iter().any(|requirement| match requirement {
            Requires::Held(kind) | Requires::HeldFromAnother(kind) => *kind == message.kind,
            Requires::Tally { of, .. } => of.contains(&message.kind),
            _ => false,
        })
    });
    let acts = triggered.is_some_and(|e| {
        let did = timed.did(e, i, height.0, view.0, index, timed.horizon);
        value(&did, point) == 1
    });
    u32::from(!acts)
}
