//! What comes again for ever, where a replay found that the state does.

use super::run::Run;
use crate::words::count;
use milp_schema::{
    Message, ReplicaId,
    trace::{Phase, TraceEvent, What},
    verdict::Liveness,
};
use std::collections::{BTreeMap, BTreeSet};

/// The slots of the heal phase that repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repetition {
    /// The first slot of the first round.
    pub from: u32,
    /// The last slot that was driven.
    pub to: u32,
    /// The slots of a round.
    pub period: u32,
    /// What one round has, in words.
    pub round: String,
}

/// How the end of a run that is stuck goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForEver {
    /// The same events in equal steps.
    Rounds(Repetition),
    /// Nothing happens after the slot.
    Silence(u32),
    /// The state comes again, the events do not come in equal steps.
    Unequal,
}

/// An event without its slot: who, what, with whom, which message, how long it was on its way.
type Said<'a> = (
    ReplicaId,
    What,
    Option<ReplicaId>,
    Option<&'a Message>,
    Option<u32>,
);

fn said(event: &TraceEvent) -> Said<'_> {
    let delay = event
        .copy
        .map(|(sent, _)| event.slot.0.saturating_sub(sent.0));
    let message = event.message.as_ref();
    (event.replica, event.what, event.peer, message, delay)
}

/// How a run goes on after its trace; nothing where the replay saw no state twice.
pub(crate) fn of(run: &Run) -> Option<ForEver> {
    let stuck = run.verdict.as_ref()?.termination == Liveness::Stuck;
    let mut slots: BTreeMap<u32, Vec<Said>> = BTreeMap::new();
    let healing = run.trace.iter().filter(|it| it.phase == Phase::Heal);
    for event in healing {
        slots.entry(event.slot.0).or_default().push(said(event));
    }
    if !stuck {
        return None;
    }
    let Some((&first, &last)) = slots.keys().next().zip(slots.keys().next_back()) else {
        return Some(ForEver::Silence(run.instance.slots));
    };
    // A round ends where the trace does, so its length is how far an earlier slot is from there.
    let periods = slots.keys().rev().skip(1).map(|slot| last - slot);
    let mut periods = periods.filter(|period| 2 * period <= last - first + 1);
    let found = periods.find_map(|period| {
        let from = begins(&slots, period)?;
        let round = slots.range(last - period + 1..=last);
        Some(Repetition {
            from,
            to: last,
            period,
            round: words(round.flat_map(|(_, events)| events)),
        })
    });
    Some(found.map_or(ForEver::Unequal, ForEver::Rounds))
}

/// The first slot from which on every slot is like the one a period later, if that makes two
/// rounds at least.
fn begins(slots: &BTreeMap<u32, Vec<Said>>, period: u32) -> Option<u32> {
    let (first, last) = (*slots.keys().next()?, *slots.keys().next_back()?);
    let earlier = slots.keys().filter_map(|slot| slot.checked_sub(period));
    let compared: BTreeSet<u32> = slots.keys().copied().chain(earlier).collect();
    let mut compared = compared.range(first..=last - period).rev();
    let other = compared.find(|slot| slots.get(slot) != slots.get(&(*slot + period)));
    let from = other.map_or(first, |slot| slot + 1);
    (last - from + 1 >= 2 * period).then_some(from)
}

/// How many of what happen.
fn words<'a>(events: impl Iterator<Item = &'a Said<'a>>) -> String {
    let mut counts: BTreeMap<(usize, String), i64> = BTreeMap::new();
    for (_, what, _, message, _) in events {
        let kind = message.map(|it| it.kind.to_string()).unwrap_or_default();
        let (turn, noun) = match what {
            What::Timeout => (0, "timer".to_owned()),
            What::Send | What::Recover => (1, format!("broadcast of {kind}")),
            What::Deliver | What::HandOver | What::HoldBack | What::Ignore => {
                (2, "arrival".to_owned())
            }
            _ => (3, "other event".to_owned()),
        };
        *counts.entry((turn, noun)).or_default() += 1;
    }
    let counts = counts.into_iter().map(|((_, noun), number)| {
        let (head, rest) = noun.split_once(' ').unwrap_or((noun.as_str(), ""));
        format!("{} {rest}", count(number, head))
            .trim_end()
            .to_owned()
    });
    counts.collect::<Vec<_>>().join(", ")
}

impl ForEver {
    /// In a sentence; whether the heal phase is drawn decides what it points to.
    pub(crate) fn sentence(&self, drawn: bool) -> String {
        match self {
            Self::Rounds(Repetition {
                from,
                to,
                period,
                round,
            }) => format!(
                "For ever: from slot {from} of the heal phase on the same comes again every {} \
                 ({round}). The replay drove {} of it, and after each the state is the same.{}",
                count(i64::from(*period), "slot"),
                count(i64::from((to - from + 1) / period), "round"),
                if drawn {
                    " These slots are shaded."
                } else {
                    ""
                }
            ),
            Self::Silence(slot) => format!(
                "For ever: after slot {slot} no message is on its way and no timer runs, so nothing \
                 happens any more."
            ),
            Self::Unequal => "For ever: what everybody knows at the end of the heal phase is what \
                              they knew before in it, and every timer that runs has fired or was \
                              put off in between. So it comes again and again; the steps are not \
                              equal."
                .to_owned(),
        }
    }
}
