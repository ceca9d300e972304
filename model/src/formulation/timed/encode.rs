//! From a schedule to a point of the program.

use super::{
    behaviour,
    columns::{Indices, Key, Timed},
    derive,
    first::{First, channel_of},
};
use crate::rule::Scope;
use milp_schema::{
    Choice, Message, Prediction, ReplicaId, Schedule, instance::FaultKind, schedule::Event as Seen,
};

/// The point of a schedule: every column that stands for something that happens.
pub(super) fn encode(
    timed: &Timed,
    schedule: &Schedule,
    faulty: &[(ReplicaId, FaultKind)],
) -> Result<Vec<Option<i64>>, String> {
    let first = if timed.pools() {
        behaviour::happenings(timed, schedule)?
    } else {
        happenings(timed, schedule)?
    };
    Ok(fill(timed, &first, faulty))
}

/// What a schedule of copies says.
fn happenings<'a>(timed: &'a Timed, schedule: &Schedule) -> Result<First<'a>, String> {
    let mut first = First::new(timed);
    let mut happened = |key: Key, t: u32| first.add(&key, t);
    for choice in &schedule.choices {
        match choice {
            Choice::Deliver { slot, copy } => {
                let message = &copy.message;
                let (height, view) = (message.height, message.view);
                let c = channel_of(timed, &message.kind)?;
                if !timed.may_send(c, copy.sender.0, height.0, view.0) {
                    continue; // a Byzantine primary answering itself: everybody ignores it
                }
                let at = Indices {
                    h: height.0,
                    v: view.0,
                    b: message.index().unwrap_or(0),
                    t: slot.0,
                };
                happened(Key::Got(c, copy.receiver.0, copy.sender.0, at), slot.0)?;
            }
            Choice::Crash { slot, replica } => happened(Key::Crashed(replica.0, slot.0), slot.0)?,
            Choice::Restart { .. } => return Err("the program has no restarts".into()),
            Choice::Drop { .. } | Choice::Timeout { .. } | Choice::Inject { .. } => {}
        }
    }
    for Prediction {
        slot,
        replica,
        event,
    } in &schedule.predictions
    {
        match event {
            Seen::Send(message) => {
                if let Some(key) = did_key(timed, schedule, replica.0, message, slot.0)? {
                    happened(key, slot.0)?;
                }
            }
            Seen::EnterView { height, view } => {
                for v in 1..=view.0 {
                    let at = Indices {
                        h: height.0,
                        v,
                        b: 0,
                        t: slot.0,
                    };
                    happened(Key::Entered(replica.0, at), slot.0)?;
                }
            }
            Seen::Decide(_) => {} // its broadcast says the same
        }
    }
    Ok(first)
}

/// The event behind a broadcast. Of two events with one kind, the one that needs a copy from
/// another replica is meant if such a copy was delivered by then.
fn did_key(
    timed: &Timed,
    schedule: &Schedule,
    i: u32,
    message: &Message,
    t: u32,
) -> Result<Option<Key>, String> {
    let c = channel_of(timed, &message.kind)?;
    let at = Indices {
        h: message.height.0,
        v: message.view.0,
        b: message.index().unwrap_or(0),
        t,
    };
    let delivered = schedule.choices.iter().any(|choice| {
        matches!(choice, Choice::Deliver { slot, copy }
            if slot.0 <= t && copy.receiver.0 == i && copy.message == *message)
    });
    let events: Vec<usize> = timed
        .senders(c)
        .filter(|&e| timed.does(&timed.events[e], i, at.h, at.v))
        .collect();
    let meant = |&&e: &&usize| (timed.events[e].scope == Scope::Height) == delivered;
    Ok(events
        .iter()
        .find(meant)
        .or(events.first())
        .map(|&e| Key::Did(e, i, at)))
}

fn fill(timed: &Timed, first: &First, faulty: &[(ReplicaId, FaultKind)]) -> Vec<Option<i64>> {
    let mut point: Vec<Option<i64>> = vec![];
    let slot_of = |key: &Key| match *key {
        Key::Crashed(_, t) => t,
        Key::Did(_, _, at)
        | Key::Got(_, _, _, at)
        | Key::Entered(_, at)
        | Key::Asked(_, _, at)
        | Key::Injected(_, _, at) => at.t,
        _ => 0,
    };
    let by = |key: &Key, t: u32| first.by(key, t);
    for (key, col) in timed.draft.keys() {
        let value = match key {
            Key::Faulty(kind, i) => Some(i64::from(faulty.contains(&(ReplicaId(*i), *kind)))),
            Key::Goal(..)
            | Key::Permitted(..)
            | Key::Took(..)
            | Key::Kept(..)
            | Key::Heard(..)
            | Key::Alive(..)
            | Key::Lost(..)
            | Key::Cleared(..)
            | Key::Stray(..)
            | Key::Due(..) => None,
            Key::Asked(..) if timed.forgets() => None,
            Key::Since(c, j, at) => Some(i64::from((at.v..timed.views).any(|v| {
                let injected = Key::Injected(*c, *j, Indices { v, ..*at });
                by(&injected, at.t)
            }))),
            Key::Asked(i, j, at) => Some(i64::from(
                (at.v - 1..timed.views).any(|u| asked_in(timed, &by, *i, *j, *at, u)),
            )),
            _ => Some(i64::from(by(key, slot_of(key)))),
        };
        if point.len() <= col.index() {
            point.resize(col.index() + 1, None);
        }
        point[col.index()] = value;
    }
    derive::fill(timed, &mut point);
    point
}

/// Whether i holds the request j sent in view u.
fn asked_in(
    timed: &Timed,
    by: &dyn Fn(&Key, u32) -> bool,
    i: u32,
    j: u32,
    at: Indices,
    u: u32,
) -> bool {
    let Some(enter) = timed.protocol.enter() else {
        return false;
    };
    let c = timed.channel(&enter.of);
    let at = Indices { v: u, b: 0, ..at };
    if i == j {
        return timed.senders(c).any(|e| by(&Key::Did(e, i, at), at.t));
    }
    by(&Key::Got(c, i, j, at), at.t)
}
