//! Whether the horizon is long enough: what is known at once, and the same question with more slots.

use super::{adequacy::Adequacy, build::build_within, request::Request};
use crate::{
    Error,
    beside::Beside,
    clock::Clock,
    deepen::{self, Execution},
    reading::{After, Reading},
    sentence, start,
};
use milp_model::{Built, Decoded};
use milp_schema::{Instance, instance::Timers, outcome::Termination};
use milp_solver::{Progress, Settings, Solved};
use std::sync::atomic::AtomicBool;

/// How many more slots the check of the horizon allows.
pub const ADEQUACY_SLOTS: u32 = 4;

/// What is known without solving again.
pub(crate) fn at_once(instance: &Instance, reading: &Reading) -> Option<Adequacy> {
    let slots = timers(instance).filter(|slots| *slots > instance.slots);
    match (reading.after, slots) {
        // Timers went on in the heal phase.
        (Some(After::Never), _) => Some(Adequacy::Undecided(After::Never)),
        (_, Some(slots)) => Some(Adequacy::TimersRunLonger { slots }),
        (after, None) => after.map(Adequacy::Undecided),
    }
}

/// The slots in which timers of the protocol lead through all views but the last: T · 2^(v+1) in
/// view v; with one view, T, before which nobody proposes.
fn timers(instance: &Instance) -> Option<u32> {
    let time = instance
        .block_time
        .filter(|_| instance.timers == Timers::Protocol)?;
    let of_view = |view| time.saturating_mul(2_u32.saturating_pow(view + 1));
    let all = (0..instance.views - 1).map(of_view);
    Some(all.fold(0, u32::saturating_add).max(time))
}

/// The check, where it was asked for and the program knows slots.
pub(super) fn checked(
    (request, beside, built): (&Request<'_>, Beside<'_>, &Built),
    (solved, decoded): (&Solved, Option<&Decoded>),
    clock: &Clock<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Option<Adequacy>, Error> {
    let optimal = solved.termination == Termination::Optimal;
    let (Some(primal), Some(decoded)) = (solved.primal, decoded) else {
        return Ok(None);
    };
    if !request.adequacy || !built.knows_slots() || !optimal {
        return Ok(None);
    }
    let execution = (decoded.schedule.clone(), decoded.faulty.clone());
    let reading = Reading::of(request.instance, primal, &execution.0, &execution.1);
    if let Some(known) = at_once(request.instance, &reading) {
        return Ok(Some(known));
    }
    let first = (request.instance, beside, primal, &execution);
    let left = clock.settings(request.settings);
    check_horizon(first, &left, interrupt, progress).map(Some)
}

/// Solves again with more slots: an optimum that grows says that the horizon was too short.
///
/// The schedule found, idle in the slots added, is the start; where the bound at the root is the
/// same, nothing has to be searched.
pub(crate) fn check_horizon(
    (instance, beside, primal, execution): (&Instance, Beside<'_>, i64, &Execution),
    settings: &Settings,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Adequacy, Error> {
    let longer = longer(instance);
    let clock = Clock::start(settings, interrupt);
    let built = match build_within(&longer, beside, &clock) {
        // What was found at the instance's own horizon is kept.
        Err(Error::Stopped { .. }) => {
            return Ok(Adequacy::Longer {
                slots: longer.slots,
                termination: Termination::Undecided,
                primal: None,
                unchanged: false,
            });
        }
        built => built?,
    };
    let from = deepen::lengthened(&built, longer.slots, execution);
    let settings = &Settings {
        warm_start: from.or_else(|| start::random_start(&longer, &built, &clock)),
        ..clock.settings(settings)
    };
    let solved = milp_solver::solve(built.program(), settings, interrupt, progress)?;
    Ok(Adequacy::Longer {
        slots: longer.slots,
        termination: solved.termination,
        primal: solved.primal.map(|value| sentence::plain(&longer, value)),
        unchanged: solved.primal == Some(primal) && solved.termination == Termination::Optimal,
    })
}

/// The same question with more slots.
pub(crate) fn longer(instance: &Instance) -> Instance {
    Instance {
        slots: instance.slots + ADEQUACY_SLOTS,
        ..instance.clone()
    }
}
