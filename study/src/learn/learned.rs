//! What is asked of learning, and what it gives back.

use super::{alarm::Alarm, cut::Cut, cuts::Cuts, witness::Witness};
use crate::{
    Error, sentence,
    solve::{self, Solution},
};
use milp_schema::{Instance, outcome::Termination};
use std::collections::BTreeMap;

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

/// The solution to be written, and how much of what was learned its program was told.
pub(super) struct Kept {
    pub(super) solution: Solution,
    pub(super) told: usize,
}

impl Kept {
    /// Takes the place of the one before, unless it found nothing where that one found something.
    pub(super) fn replace(&mut self, solution: Solution, told: usize) {
        if settled(&solution) || solution.schedule.is_some() || self.solution.schedule.is_none() {
            *self = Self { solution, told };
        }
    }
}

/// Whether a solve came to its end.
pub(super) fn settled(solution: &Solution) -> bool {
    matches!(
        solution.outcome.termination,
        Termination::Optimal | Termination::Infeasible
    )
}
