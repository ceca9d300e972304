//! From a behaviour on a pool (E27, E29) to what happens in which slot.

use super::{
    columns::{Indices, Key, Timed},
    first::{First, channel_of},
};
use crate::rule::Requires;
use milp_schema::{Choice, Message, Prediction, Schedule, schedule::Event as Seen};

/// The first slot of everything the schedule says.
pub(super) fn happenings<'a>(timed: &'a Timed, schedule: &Schedule) -> Result<First<'a>, String> {
    let mut first = First::new(timed);
    for choice in &schedule.choices {
        match choice {
            Choice::Crash { slot, replica } => {
                first.add(&Key::Crashed(replica.0, slot.0), slot.0)?;
            }
            Choice::Inject { copy } => {
                let c = channel_of(timed, &copy.message.kind)?;
                let at = indices(&copy.message, copy.sent.0);
                first.add(&Key::Injected(c, copy.sender.0, at), copy.sent.0)?;
            }
            _ => return Err("a pool knows no row but crashes and injections".into()),
        }
    }
    // What an action is depends on what its replica did before.
    let mut steps: Vec<&Prediction> = schedule.predictions.iter().collect();
    steps.sort_by_key(|step| step.slot);
    for Prediction {
        slot,
        replica,
        event,
    } in steps
    {
        let (i, t) = (replica.0, slot.0);
        let key = match event {
            Seen::Send(message) => {
                let channel = channel_of(timed, &message.kind)?;
                let kind = &timed.protocol.channels[channel].kind;
                let sends = |e: &usize| timed.events[*e].broadcasts.as_ref() == Some(kind);
                let at = indices(message, t);
                Key::Did(meant(timed, &first, sends, i, at)?, i, at)
            }
            Seen::Decide(block) => {
                let at = Indices {
                    h: block.height.0,
                    v: block.view.0,
                    b: block.index,
                    t,
                };
                let decides = |e: &usize| timed.events[*e].decides;
                Key::Did(meant(timed, &first, decides, i, at)?, i, at)
            }
            Seen::EnterView { height, view } => Key::Entered(
                i,
                Indices {
                    h: height.0,
                    v: view.0,
                    b: 0,
                    t,
                },
            ),
        };
        first.add(&key, t)?;
    }
    Ok(first)
}

fn indices(message: &Message, t: u32) -> Indices {
    Indices {
        h: message.height.0,
        v: message.view.0,
        b: message.index().unwrap_or(0),
        t,
    }
}

/// The event of replica i that is meant: of those that look the same, the last in the order of
/// rules whose own requirements were done before; where none were, the first.
///
/// Later rules are for those who did more in the view: who came back, who answers again.
fn meant(
    timed: &Timed,
    first: &First,
    looks: impl Fn(&usize) -> bool,
    i: u32,
    at: Indices,
) -> Result<usize, String> {
    let done = |name: &'static str| first.by(&Key::Did(timed.event(name), i, at), at.t);
    let mut candidates = (0..timed.events.len())
        .filter(looks)
        .filter(|&e| timed.does(&timed.events[e], i, at.h, at.v));
    let earliest = candidates.next();
    let fits = |&e: &usize| {
        timed.events[e]
            .requires
            .iter()
            .all(|requirement| match requirement {
                Requires::Own(names) => names.iter().copied().any(done),
                _ => true,
            })
    };
    candidates
        .rfind(fits)
        .or(earliest)
        .ok_or_else(|| format!("replica {i} does no such thing in view {}", at.v))
}
