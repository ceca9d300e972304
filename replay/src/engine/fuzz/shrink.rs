//! Making a script that tells two engines apart, or shows a fork of one, as short as it gets.

use super::{
    Mismatch, Sides,
    difference::Difference,
    pair::{Pair, Step},
    script::{Act, Script},
};
use crate::engine::EngineError;

/// Runs a script from the start. Gives what differs first and how many acts came before, the acts
/// that were skipped not among them.
///
/// # Errors
/// An adapter that cannot be started.
pub fn replay(sides: Sides<'_>, script: &Script) -> Result<Option<Mismatch>, EngineError> {
    let (mut pair, first) = Pair::new(sides.started()?, &script.start, sides.against);
    let mut done = Vec::new();
    let mut found = differs(first);
    for act in &script.acts {
        if found.is_some() {
            break;
        }
        let act = pair.exactly(act);
        let step = pair.step(&act);
        if !matches!(step, Step::Skipped | Step::Refused) {
            done.push(act);
        }
        found = differs(step);
    }
    if found.is_none() {
        found = pair.look_around();
    }
    Ok(found.map(|difference| Mismatch {
        engines: pair.names(),
        script: Script {
            start: script.start.clone(),
            acts: done,
        },
        difference,
        failure: pair.failure,
    }))
}

fn differs(step: Step) -> Option<Difference> {
    match step {
        Step::Differ(difference) => Some(difference),
        Step::Same(_) | Step::Skipped | Step::Refused => None,
    }
}

/// Takes acts out of the script as long as the engines still differ: halves, quarters, and so on
/// to single acts, until none can be missed.
pub(super) fn shrink(
    sides: Sides<'_>,
    found: Mismatch,
    interrupt: &mut dyn FnMut() -> bool,
) -> Result<Mismatch, EngineError> {
    let mut best = found;
    let mut size = best.script.acts.len().div_ceil(2).max(1);
    loop {
        let mut shorter = false;
        let mut from = 0;
        while from < best.script.acts.len() && !interrupt() {
            let candidate = without(&best.script, from, size);
            match replay(sides, &candidate)? {
                // A failure is not traded for a difference, nor the other way round.
                Some(mismatch)
                    if mismatch.script.acts.len() < best.script.acts.len()
                        && mismatch.failure.is_some() == best.failure.is_some() =>
                {
                    best = mismatch;
                    shorter = true;
                }
                _ => from += size,
            }
        }
        if interrupt() || (size == 1 && !shorter) {
            return Ok(best);
        }
        size = size.div_ceil(2);
    }
}

fn without(script: &Script, from: usize, size: usize) -> Script {
    let kept = script.acts.iter().enumerate();
    let kept = kept.filter(|(place, _)| !(from..from + size).contains(place));
    let acts: Vec<Act> = kept.map(|(_, act)| act.clone()).collect();
    Script {
        start: script.start.clone(),
        acts,
    }
}
