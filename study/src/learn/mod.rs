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
mod course;
mod cut;
pub mod cuts;
mod divergence;
mod history;
mod shrink;
mod witness;
mod words;

pub use alarm::Alarm;
pub use cut::{Act, Cut, Literal};
pub use shrink::{Reach, Tests};
pub use witness::{TWIN, Witness};

use crate::{
    Error,
    clock::{Clock, Halt},
    sentence,
    solve::{self, Solution},
};
use course::{Course, Look};
use cuts::Cuts;
use milp_schema::{Instance, outcome::Termination};
use milp_solver::Progress;
use std::{collections::BTreeMap, sync::atomic::AtomicBool};

/// What to solve, and who confirms it.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The solve; its limit of time is for all there is to do: every solve, the engine's runs, the
    /// tests of what is learned and the last proof.
    pub solve: solve::Request<'a>,
    /// Who confirms.
    pub witness: &'a Witness,
    /// The number of cuts after which to stop.
    pub limit: usize,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The engine follows the last schedule, with the verdict that its goal promises.
    Confirmed,
    /// With the cuts no schedule is left.
    NoneLeft,
    /// Before that, with the reason.
    Stopped(String),
    /// The engine gave no answer, with what it said.
    Failed(String),
}

/// A value that no schedule reaches on the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The value.
    pub value: i64,
    /// With what it was gone, counted.
    pub with: String,
}

/// What is learned on the way, as soon as it is.
#[derive(Debug, Clone, Copy)]
pub enum News<'a> {
    /// What the engine does not do.
    Cut(&'a Cut),
    /// What it does and the rules forbid.
    Alarm(&'a Alarm),
}

/// The last solve, and what was learned on the way.
#[derive(Debug, Clone)]
pub struct Learned {
    /// The last solve that found anything.
    pub solution: Solution,
    /// What was learned, and with how much of it that was solved.
    pub cuts: Cuts,
    /// How it ended.
    pub ending: Ending,
    /// Values that turned out not to survive, in order.
    pub lost: Vec<Lost>,
    /// What shows that the engine left the model, in order.
    pub alarms: Vec<Alarm>,
    /// What the limit of time or an interrupt kept from being done after the ending was known.
    pub undone: Option<String>,
}

impl Learned {
    /// The ending in words.
    pub fn words(&self, instance: &Instance) -> String {
        let engine = &self.cuts.engine;
        let mut words = Vec::new();
        if !self.alarms.is_empty() {
            let count = milp_show::words::count(self.alarms.len() as i64, "alarm");
            words.push(format!(
                "{count}: {engine} left the model, and no bound here covers it"
            ));
        }
        words.extend(self.lost.iter().map(|lost| {
            format!(
                "no schedule of value {} within this model survives {engine} ({})",
                sentence::value(instance, lost.value),
                lost.with
            )
        }));
        let solved = Cuts::counted(&self.cuts.cuts);
        let all: Vec<Cut> = [&self.cuts.cuts[..], &self.cuts.later].concat();
        let all = Cuts::counted(&all);
        words.push(match (&self.ending, self.solution.outcome.primal) {
            (Ending::Confirmed, Some(value)) => format!(
                "confirmed on {engine} ({solved}): {}",
                sentence::value(instance, value)
            ),
            (Ending::Confirmed, None) => unreachable!("a schedule has a value"),
            (Ending::NoneLeft, _) => {
                format!("no schedule within this model survives {engine} ({solved})")
            }
            (Ending::Stopped(why), _) => format!("stopped after {all}: {why}"),
            (Ending::Failed(why), _) => format!("stopped after {all}: the engine failed: {why}"),
        });
        words.extend(self.undone.clone());
        words.join("; ")
    }

    /// The files of the result, by name.
    ///
    /// # Errors
    ///
    /// When the cuts cannot be expressed in YAML.
    pub fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let mut files = self.solution.files();
        if !self.cuts.cuts.is_empty() || !self.cuts.later.is_empty() {
            let text = self.cuts.yaml().into_bytes();
            files.insert(crate::folder::CUTS.to_owned(), text);
        }
        Ok(files)
    }
}

/// Solves until an engine confirms the schedule or none is left, learning a cut from the first
/// divergence of each schedule it does not follow. `report` hears of everything learned at once.
///
/// Whatever ends it, what was found is in the answer: the limit of time and the interrupt, which
/// every phase looks at, and an engine that fails, too.
///
/// # Errors
///
/// As for [`solve::solve`] and [`Driven::confirm`](crate::folder::Driven::confirm), the failure of
/// an engine that was there at first aside.
pub fn learn(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
    report: &mut dyn FnMut(News<'_>),
) -> Result<Learned, Error> {
    let Request { solve, witness, .. } = request;
    witness.probe()?;
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

/// The solution to be written, and how much of what was learned its program was told.
struct Kept {
    solution: Solution,
    told: usize,
}

impl Kept {
    /// Takes the place of the one before, unless it found nothing where that one found something.
    fn replace(&mut self, solution: Solution, told: usize) {
        if settled(&solution) || solution.schedule.is_some() || self.solution.schedule.is_none() {
            *self = Self { solution, told };
        }
    }
}

/// Whether a solve came to its end.
fn settled(solution: &Solution) -> bool {
    matches!(
        solution.outcome.termination,
        Termination::Optimal | Termination::Infeasible
    )
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
