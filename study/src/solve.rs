//! From an instance to what is known about its worst schedule: a row of stages.
//!
//! ```text
//! build    the program of the request, by the formulation that is taken
//! begin    where the search begins
//! search   milp-solver
//! decode   the point as a schedule; once more with a value more, or without a point that is none
//! horizon  whether more slots would change the answer, if that is asked
//! word     what is written
//! follow   whether replicas follow a schedule that was made of an order of acts
//! ```

mod adequacy;
mod begin;
mod build;
mod decode;
mod horizon;
mod probe;
mod request;
mod word;

pub use adequacy::Adequacy;
pub use horizon::ADEQUACY_SLOTS;
pub use probe::probe;
pub use request::{PASSED_OVER, Request, Solution};

pub(crate) use build::build;
pub(crate) use decode::{VALUES, leaves_values_open, of_these_values};
pub(crate) use horizon::{at_once, check_horizon, longer};
pub(crate) use word::{OF_THE_SEARCH, note_limit, of_a_file};

use crate::{Error, beside::Beside, clock::Clock, confirm, learn::cuts::Cuts, lemmas::Lemmas};
use milp_model::{Built, Error::NoSchedule};
use milp_schema::{Outcome, instance::Formulation};
use milp_solver::{Progress, Settings};
use std::sync::atomic::AtomicBool;

/// Builds the program of an instance, solves it, and puts what was found into words.
///
/// `interrupt` may be set from elsewhere at any time; the incumbent and the bound are then kept.
///
/// # Errors
///
/// When no formulation can build the instance, or the solver fails. Limits and infeasible
/// programs are outcomes.
pub fn solve(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Solution, Error> {
    solve_with(request, None, interrupt, progress)
}

/// [`solve`] without a smaller program first, to see what deepening brings.
///
/// # Errors
///
/// As for [`solve`].
pub fn solve_cold(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Solution, Error> {
    row(request, Beside::Nothing, false, interrupt, progress)
}

/// [`solve`] with what was learned from an engine as further rows. Whatever is proved is then
/// proved of the program with these rows, and the sentence says so.
///
/// # Errors
///
/// As for [`solve`].
pub fn solve_with(
    request: &Request<'_>,
    cuts: Option<&Cuts>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Solution, Error> {
    solve_beside(request, Beside::learned(cuts), interrupt, progress)
}

/// [`solve`] with further rows, relative to which everything is then said.
///
/// # Errors
///
/// As for [`solve`], and when the rows do not fit the instance.
pub fn solve_beside(
    request: &Request<'_>,
    beside: Beside<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Solution, Error> {
    row(request, beside, true, interrupt, progress)
}

/// The stages, one after the other; once more in slots, if the schedule of the formulation that
/// `auto` took has no order that replicas follow.
fn row(
    request: &Request<'_>,
    beside: Beside<'_>,
    deepens: bool,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Solution, Error> {
    // Building, smaller programs and a first try take part of the time limit.
    let clock = Clock::start(request.settings, interrupt);
    let plain = match beside {
        // They are found again.
        Beside::Lemmas(_) => Beside::Nothing,
        other => other,
    };
    let built = build::build_for(request, plain, &clock)?;
    let lemmas = lemmas_of((request, plain), &built, &clock, progress)?;
    let (beside, built) = match &lemmas {
        Some(lemmas) => {
            let beside = Beside::Lemmas(lemmas);
            (
                beside,
                build::build_within(request.instance, beside, &clock)?,
            )
        }
        None => (plain, built),
    };
    let found = stages(
        (request, beside, deepens),
        &built,
        &clock,
        interrupt,
        progress,
    );
    match found {
        Err(Error::Model(NoSchedule { why }))
            if request.instance.formulation == Formulation::Auto =>
        {
            again_in_slots((request, &why), &clock, interrupt, progress)
        }
        found => found,
    }
}

/// Share of the time that is left that lemmas may take.
const OF_LEMMAS: f64 = 0.5;

/// The lemmas by which a question is closed, where a proof is asked for.
fn lemmas_of(
    (request, beside): (&Request<'_>, Beside<'_>),
    built: &Built,
    clock: &Clock<'_>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Option<Lemmas>, Error> {
    let asked = request.settings.prove && beside.is_nothing();
    match built {
        Built::Levels(_) if asked => {
            let share = Settings {
                time_limit_seconds: clock.left() * OF_LEMMAS,
                ..request.settings.clone()
            };
            let clock = Clock::start(&share, clock.interrupt);
            Lemmas::find(request.instance, (&clock, &share), progress)
        }
        _ => Ok(None),
    }
}

/// The same stages for the program in slots.
fn again_in_slots(
    (request, why): (&Request<'_>, &str),
    clock: &Clock<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Solution, Error> {
    let built = build::in_slots(request.instance, clock)?;
    let again = (request, Beside::Nothing, true);
    let mut solution = stages(again, &built, clock, interrupt, progress)?;
    let facts = &mut solution.outcome.run;
    facts.retain(|(key, _)| key != PASSED_OVER);
    facts.push((PASSED_OVER.to_owned(), why.to_owned()));
    Ok(solution)
}

/// From a program to a solution that replicas follow.
fn stages(
    (request, beside, deepens): (&Request<'_>, Beside<'_>, bool),
    built: &Built,
    clock: &Clock<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Solution, Error> {
    let from = (request, built, beside, deepens);
    let warm_start = begin::begin(from, clock, interrupt, progress)?;
    let settings = Settings {
        warm_start,
        time_limit_seconds: clock.left(),
        ..request.settings.clone()
    };
    let solved = milp_solver::solve(built.program(), &settings, interrupt, progress)?;
    let goal = request.instance.goal;
    if let Ok(Some((values, more))) = decode::with_one_more(request.instance, built, &solved, clock)
    {
        let again = (request, Beside::Nothing, deepens);
        let further = stages(again, &more, clock, interrupt, progress);
        // A search that was cut short may know less.
        if let Ok(mut further) = further
            && further.outcome.primal >= solved.primal
        {
            let run = &mut further.outcome.run;
            if !run.iter().any(|(key, _)| key == VALUES) {
                run.push((VALUES.to_owned(), values.to_string()));
            }
            return Ok(further);
        }
    }
    let mut found = decode::followed(request, built, solved, clock, interrupt, progress)?;
    decode::of_these_values(built, goal, &mut found.solved);
    let seconds = clock.spent();
    let about = (request, beside, built);
    let known = (&found.solved, found.decoded.as_ref());
    let adequacy = horizon::checked(about, known, clock, interrupt, progress)?;
    let solution = word::word(about, found, (seconds, adequacy), interrupt);
    follow(built, solution)
}

/// A solution whose schedule, where the formulation made it of an order of acts, replicas follow.
fn follow(built: &Built, solution: Solution) -> Result<Solution, Error> {
    if built.orders_acts() && solution.schedule.is_some() {
        let shown = solution.replayed().and_then(|verdict| {
            let Outcome {
                instance, primal, ..
            } = &solution.outcome;
            confirm::shows(instance, *primal, &verdict)
        });
        shown.map_err(|why| match built {
            Built::Levels(_) | Built::Counts(_) => {
                Error::Refused(format!("the schedule found is none: {why}"))
            }
            _ => Error::Model(NoSchedule {
                why: why.to_string(),
            }),
        })?;
    }
    Ok(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_without_slots_that_replicas_do_not_follow_is_passed_over() {
        let file = std::path::Path::new("../instances/dbft2/tla/n4-fork.yaml");
        let instance = milp_schema::read::instance(file).expect("an instance");
        let settings = crate::testing::settings();
        let request = Request {
            instance: &instance,
            settings: &settings,
            warm_start: None,
            adequacy: false,
            command: "test",
        };
        let never = AtomicBool::new(false);
        let mut solution = solve(&request, &never, &mut |_| {}).expect("solved");
        assert_eq!(solution.outcome.formulation, "causal");
        let whole = solution.clone();
        let clock = Clock::start(&settings, &never);
        let built = build::build(&instance, Beside::Nothing).expect("a program");
        assert!(follow(&built, whole.clone()).is_ok());
        let schedule = solution.schedule.as_mut().expect("a schedule");
        schedule.predictions.remove(0);
        let Err(why) = follow(&built, solution) else {
            panic!("nobody proposed, and replicas follow it");
        };
        let why = why.to_string();
        assert!(why.contains("diverges"), "{why}");

        let again = (&request, why.as_str());
        let timed = again_in_slots(again, &clock, &never, &mut |_| {}).expect("solved");
        assert_eq!(timed.outcome.formulation, "timed");
        assert_eq!(timed.outcome.instance.formulation, Formulation::Auto);
        assert_eq!(timed.outcome.primal, whole.outcome.primal);
        let said = timed.outcome.run.iter().any(|(key, _)| key == PASSED_OVER);
        assert!(said);
    }
}
