//! Learning what an engine does otherwise than the rules that a program is made of.
//!
//! ```text
//! solve --schedule--> engine --trace--> divergence: the first act that only one side knows
//!   ^                                        |
//!   |                                   situation: what the replica had been told by then
//!   |                                        |
//! rows <--cut-- shrink: the same told to a replica alone, facts added and left out
//! ```
//!
//! It ends when the engine follows a schedule, when no schedule is left, or at a limit. What the
//! engine does not do becomes a cut: if it is true of the engine it never removes a schedule that
//! the engine would follow; whether it is true rests on the tests that it names. What the engine
//! does and the rules forbid is an [`Alarm`], and from then on the program allows it.

mod alarm;
mod combinations;
mod course;
mod cut;
pub mod cuts;
mod divergence;
mod history;
mod learned;
mod phrase;
mod shrink;
mod witness;
mod words;

pub use alarm::Alarm;
pub use cut::{Act, Cut, Literal};
pub use learned::{Ending, Learned, Lost, News, Request};
pub use shrink::{Reach, Tests};
pub use witness::{TWIN, Witness};

use crate::{
    Error,
    clock::{Clock, Halt},
    solve::Solution,
};
use course::{Course, Look};
use learned::{Kept, settled};
use milp_solver::Progress;
use std::sync::atomic::AtomicBool;

/// Solves until an engine confirms the schedule or none is left, learning a cut from the first
/// divergence of each schedule it does not follow. `report` hears of everything learned at once.
///
/// Whatever ends it, what was found is in the answer: the limit of time and the interrupt, which
/// every phase looks at, and an engine that fails, too.
///
/// # Errors
///
/// As for [`solve`](crate::solve::solve) and [`Driven::confirm`](crate::folder::Driven::confirm), the failure of
/// an engine that was there at first aside.
pub fn learn(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
    report: &mut dyn FnMut(News<'_>),
) -> Result<Learned, Error> {
    let Request { solve, witness, .. } = request;
    witness.probe(solve.instance.protocol)?;
    let clock = Clock::start(solve.settings, interrupt);
    let mut course = Course::new(request, &clock, report);
    let first = course.solve(false, progress)?;
    let mut kept = Kept {
        solution: first,
        told: 0,
    };
    let (ending, undone) = confirmed(&mut course, &mut kept, progress)?;
    let mut learned = course.end(kept, ending, undone);
    let words = learned.words(solve.instance);
    let outcome = &mut learned.solution.outcome;
    outcome.seconds = clock.spent();
    for (name, fact) in &mut outcome.run {
        if name == "time_limit_seconds" {
            *fact = solve.settings.time_limit_seconds.to_string();
        }
    }
    let alarms = learned.alarms.iter();
    let alarms = alarms.map(|alarm| ("alarm".to_owned(), alarm.words()));
    outcome.run.extend(alarms);
    outcome.run.push(("confirm".to_owned(), words));
    Ok(learned)
}

/// The loop, from the first solve to how it ended and what was left undone after that.
fn confirmed(
    course: &mut Course<'_, '_>,
    kept: &mut Kept,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(Ending, Option<String>), Error> {
    loop {
        let ending = match course.look(&kept.solution) {
            Ok(Look::Over(ending)) => ending,
            Ok(Look::Learned) => {
                match course.again(false, progress) {
                    Ok(solution) => {
                        let (found, told) = (finds(&solution), course.told());
                        kept.replace(solution, told);
                        if !found {
                            let why = course.why_unfinished("solving with what was learned");
                            return Ok((Ending::Stopped(why), None));
                        }
                    }
                    Err(halt) => return Ok((course.halted(halt, "solving")?, None)),
                }
                continue;
            }
            Err(halt) => {
                let doing = "replaying the schedule and testing what the engine does otherwise";
                return Ok((course.halted(halt, doing)?, None));
            }
        };
        // Proofs and the check of the horizon are for the last program only.
        let lasts = matches!(ending, Ending::Confirmed | Ending::NoneLeft);
        if !lasts || course.proved || !course.proves() {
            return Ok((ending, None));
        }
        let undone = |why: &str| {
            Some(format!(
                "{why} before the last program was solved with proof"
            ))
        };
        let solution = match course.again(true, progress) {
            Ok(solution) if settled(&solution) => solution,
            Ok(_) | Err(Halt::Limit | Halt::Interrupt) => {
                let why = course.reason();
                return Ok((ending, undone(why)));
            }
            Err(Halt::Failed(error)) => return Err(error),
        };
        kept.replace(solution, course.told());
    }
}

/// Whether a solve found something to go on with.
fn finds(solution: &Solution) -> bool {
    settled(solution) || solution.schedule.is_some()
}
