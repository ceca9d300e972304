//! Executions of the interpreter are points of the program.

use super::setting::{Difference, Until, words};
use crate::Error;
use milp_model::{
    formulation::levels::{Built, Encoder, Unencoded},
    program::Tag,
};
use milp_replay::{Options, Protocol, Recovery, Replayed, Signatures, random, replay};
use milp_schema::{Choice, Instance, ReplicaId, Schedule, instance::FaultKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// What random executions of one setting showed.
#[derive(Debug, Clone, Default)]
pub struct Executions {
    /// The setting in words.
    pub setting: String,
    /// How many were drawn.
    pub tried: u64,
    /// How many of them are points of every program.
    pub points: u64,
    /// Those for which programs have no columns, and why.
    pub outside: BTreeMap<&'static str, u64>,
    /// How often a rule of that number was done in that view.
    pub fired: BTreeMap<(usize, u32), u64>,
    /// How many of them are no points of a program, or are read in another way.
    pub wrong: u64,
    /// One of them.
    pub differs: Option<Difference>,
}

/// Who is faulty.
type Faulty = [(ReplicaId, FaultKind)];

/// Draws executions by the interpreter and looks for them in programs of the same instance.
///
/// # Errors
/// What the formulation refuses of the protocol.
pub fn executions(
    instance: &Instance,
    programs: &[Built],
    seeds: Range<u64>,
    until: &Until<'_>,
) -> Result<Executions, Error> {
    let encoders: Result<Vec<_>, _> = programs.iter().map(|it| Ok((it, it.encoder()?))).collect();
    let encoders: Vec<(&Built, Encoder<'_>)> = encoders.map_err(Error::Model)?;
    let mut found = Executions {
        setting: words(instance),
        ..Executions::default()
    };
    let mut shortest: Option<random::Executed> = None;
    for seed in seeds {
        if until.over() {
            break;
        }
        found.tried += 1;
        let execution = random::interpreted(instance, seed);
        let (schedule, faulty) = (&execution.schedule, &execution.faulty);
        let mut fired = BTreeSet::new();
        let all = encoders.iter().try_for_each(|(built, encoder)| {
            let encoded = encoder.encode(schedule, faulty, seed);
            let encoded = encoded.map_err(|why| match why {
                Unencoded::Outside(why) => Some(why),
                Unencoded::Differs(_) => None,
            })?;
            fired.extend(encoded.fired);
            broken(built, &encoded.point).map_or(Ok(()), |_| Err(None))
        });
        match all {
            Ok(()) => {
                found.points += 1;
                for at in fired {
                    *found.fired.entry(at).or_default() += 1;
                }
            }
            Err(Some(why)) => *found.outside.entry(why).or_default() += 1,
            Err(None) => {
                found.wrong += 1;
                let length = |it: &random::Executed| it.schedule.choices.len();
                if shortest
                    .as_ref()
                    .is_none_or(|it| length(&execution) < length(it))
                {
                    shortest = Some(execution);
                }
            }
        }
    }
    found.differs = shortest.map(|it| shrunk(instance, &encoders, it));
    Ok(found)
}

/// The first row that every execution satisfies and the point does not.
fn broken<'a>(built: &'a Built, point: &[Option<i64>]) -> Option<&'a str> {
    let values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
    let mut rows = built.program.rows.iter().filter(|row| {
        let family = built.program.family(row);
        family.left_out.is_some() || matches!(family.tag, Tag::Legal | Tag::Valid)
    });
    let broken = rows.find(|row| {
        let mut terms = row.terms.iter();
        let known = terms.all(|(col, _)| point[col.index()].is_some());
        known && !row.holds(&values)
    });
    broken.map(|row| row.name.as_str())
}

/// What the interpreter does with a schedule.
pub(super) fn interpret(
    instance: &Instance,
    faulty: &Faulty,
    schedule: &Schedule,
) -> Result<Replayed, milp_replay::Error> {
    let options = Options {
        protocol: Protocol::Interpreter,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    replay(instance, faulty, schedule, &options)
}

/// What is wrong with a schedule's choices, with what the program predicts of them.
fn wrong(
    instance: &Instance,
    encoders: &[(&Built, Encoder<'_>)],
    choices: &[Choice],
    faulty: &Faulty,
) -> Option<(String, Schedule)> {
    let follow = |(_, encoder): &(&Built, Encoder<'_>)| encoder.follow(choices, faulty).ok();
    let schedule = encoders.first().and_then(follow)?;
    let verdict = interpret(instance, faulty, &schedule).ok()?.verdict;
    if verdict.impossible > 0 {
        return None;
    }
    if verdict.divergences != Some(0) {
        let what = verdict.notes.first().cloned().unwrap_or_default();
        return Some((what, schedule));
    }
    let what =
        encoders.iter().find_map(
            |(built, encoder)| match encoder.encode(&schedule, faulty, 0) {
                Ok(encoded) => {
                    let row = broken(built, &encoded.point)?;
                    Some(format!("row `{row}` cuts it"))
                }
                Err(Unencoded::Differs(what)) => Some(what),
                Err(Unencoded::Outside(_)) => None,
            },
        );
    what.map(|what| (what, schedule))
}

/// A part of an execution that shows the same, of which nothing can be left out.
fn shrunk(
    instance: &Instance,
    encoders: &[(&Built, Encoder<'_>)],
    execution: random::Executed,
) -> Difference {
    let random::Executed {
        faulty, schedule, ..
    } = execution;
    let mut choices = schedule.choices.clone();
    let mut shown = wrong(instance, encoders, &choices, &faulty);
    let mut at = if shown.is_some() { choices.len() } else { 0 };
    while at > 0 {
        at -= 1;
        let mut fewer = choices.clone();
        fewer.remove(at);
        if let Some(found) = wrong(instance, encoders, &fewer, &faulty) {
            (choices, shown) = (fewer, Some(found));
            at = at.min(choices.len());
        }
    }
    let whole = || ("in the execution as it was drawn".to_owned(), schedule);
    let (what, schedule) = shown.unwrap_or_else(whole);
    Difference {
        what,
        instance: instance.clone(),
        faulty,
        schedule,
    }
}
