//! What `run:` tells of the answer: whether more slots change it, how its cubes were closed, which
//! of several schedules it is. Each is derived again like everything else, or said not to be.

use super::{Check, Horizon};
use crate::{
    Error,
    best::{PROJECTIONS, Shown},
    cubes,
    folder::Folder,
    lemmas::{BY, Lemmas},
    reading::Reading,
    sentence,
    solve::{self, Adequacy, OF_THE_SEARCH, VALUES, of_a_file},
};
use milp_model::Built;
use milp_schema::{
    Instance,
    outcome::{Certificate, Termination},
    protocol::WRITTEN,
};
use milp_show::acts;
use milp_solver::{Progress, Searcher, Settings};
use std::sync::atomic::AtomicBool;

impl Check {
    /// What is told beside the sentence follows as well.
    pub(super) fn told(
        &mut self,
        resolve: Option<(Searcher, &Settings)>,
        interrupt: &AtomicBool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(), Error> {
        let lemmas = self.further.lemmas.as_ref().map(Lemmas::count);
        let lemmas = lemmas.map_or_else(String::new, |it| it.to_string());
        for (key, words) in self.outcome.run.clone() {
            let known = match key.as_str() {
                "horizon" => {
                    self.horizon(&words, resolve.map(|(_, how)| how), interrupt, progress)?
                }
                "cubes" => said_of_cubes(&self.outcome.certificate, &words),
                "acts" => self.said_of_acts(&words)?,
                // What an engine does only the engine says; `Verified::words` tells that it was not
                // asked.
                "confirm" | "alarm" => true,
                // The program is compared, and it was built with so many.
                VALUES => {
                    matches!(self.built, Built::Levels(_) | Built::Counts(_)) && lemmas.is_empty()
                }
                BY => words == lemmas,
                WRITTEN => of_a_file(&self.outcome.instance).is_some_and(|(_, it)| it == words),
                "distinct" => said_of_others(self.further.shown.as_ref(), &words),
                search => OF_THE_SEARCH.contains(&search),
            };
            if !known {
                self.differs(&format!("run.{key}"), "this does not follow");
            }
        }
        let by = self.outcome.run.iter().any(|(key, _)| key == BY);
        if by == lemmas.is_empty() {
            self.differs(&format!("run.{BY}"), "it says nothing of its lemmas");
        }
        // A protocol file that is not said to be one might be taken for that of the program.
        let told = |key: &String| self.outcome.run.iter().any(|(other, _)| other == key);
        if let Some((key, _)) = of_a_file(&self.outcome.instance).filter(|(key, _)| !told(key)) {
            self.differs(
                &format!("run.{key}"),
                "its file does not come with the program",
            );
        }
        Ok(())
    }

    /// Whether the schedule has as many acts as the words say. That none has fewer is for searches to
    /// say, and [`Verified::words`](super::Verified::words) that they were not repeated.
    fn said_of_acts(&self, words: &str) -> Result<bool, Error> {
        let told = ["proved minimal, in this order: ", "not proved minimal: "];
        let Some(told) = told.iter().find_map(|start| words.strip_prefix(start)) else {
            return Ok(false);
        };
        let schedule = Folder::read(&self.dir)?.schedule;
        let faulty = &self.outcome.faulty;
        let mut counts = acts::counts(&self.outcome.instance, &schedule, faulty);
        for part in told.split(", ") {
            let said = part.split_once(" (before ").filter(|(_, before)| {
                let before = before.strip_suffix(')').map(|it| it.split("; at least "));
                before.is_some_and(|mut parts| parts.all(|part| part.parse::<u32>().is_ok()))
            });
            let act = counts.iter().find(|(act, count)| {
                let count = milp_show::words::count(**count, acts::name(**act));
                said.is_some_and(|(said, _)| said == count)
            });
            let Some(act) = act.map(|(act, _)| *act) else {
                return Ok(false);
            };
            counts.remove(&act);
        }
        // Kinds that the instance does not know are not counted.
        Ok(counts.values().all(|count| *count == 0))
    }

    /// Whether more slots change the optimum as the words say: they are words of a solve, and a
    /// solve done again, if one is asked for, says the same.
    fn horizon(
        &mut self,
        words: &str,
        settings: Option<&Settings>,
        interrupt: &AtomicBool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<bool, Error> {
        // The same formulation that gave the optimum, whatever `auto` would take by now.
        let instance = Instance {
            formulation: self.built.formulation(),
            ..self.outcome.instance.clone()
        };
        let optimal = self.outcome.termination == Termination::Optimal;
        let (Some(value), true, true) = (self.value, optimal, self.built.knows_slots()) else {
            return Ok(false);
        };
        let folder = Folder::read(&self.dir)?;
        let faulty = self.outcome.faulty.clone();
        let reading = Reading::of(&instance, value, &folder.schedule, &faulty);
        if let Some(known) = solve::at_once(&instance, &reading) {
            self.horizon = Horizon::Derived;
            return Ok(known.words() == words);
        }
        let Some(claimed) = claimed(&instance, value, words) else {
            return Ok(false);
        };
        self.horizon = Horizon::Word;
        let Some(settings) = settings.filter(|_| claimed.is_settled()) else {
            return Ok(true);
        };
        let execution = (folder.schedule, faulty);
        let question = (&instance, self.further.beside(), value, &execution);
        let found = solve::check_horizon(question, settings, interrupt, progress)?;
        if !found.is_settled() {
            return Ok(true);
        }
        self.horizon = Horizon::Again;
        Ok(found.words() == words)
    }
}

/// What the words claim of more slots, if they are words that a solve can say here.
fn claimed(instance: &Instance, value: i64, words: &str) -> Option<Adequacy> {
    let longer = solve::longer(instance);
    let slots = longer.slots;
    let other = words
        .strip_prefix("not adequate: the optimum is ")
        .and_then(|rest| rest.strip_suffix(&format!(" with {slots} slots")))
        .and_then(|other| {
            let number = other
                .strip_prefix('>')
                .unwrap_or(other)
                .parse::<i64>()
                .ok()?;
            // Without a decision the value is one past the horizon.
            Some(if other.starts_with('>') {
                number + 1
            } else {
                number
            })
        })
        .filter(|other| *other != value)
        .map(|other| sentence::plain(&longer, other));
    let says = |termination, primal, unchanged| Adequacy::Longer {
        slots,
        termination,
        primal,
        unchanged,
    };
    let same = Some(sentence::plain(&longer, value));
    [
        says(Termination::Optimal, same, true),
        says(Termination::Optimal, other, false),
        says(Termination::Infeasible, None, false),
        says(Termination::Undecided, None, false),
    ]
    .into_iter()
    .find(|claim| claim.words() == words)
}

/// Whether the cubes that were checked are told like that. Those that stayed open prove nothing, and
/// how many there were is of the search.
fn said_of_cubes(certificate: &Certificate, words: &str) -> bool {
    let count = |count: u32| count as usize;
    let closed = match certificate {
        Certificate::None => return words.contains(" open"),
        Certificate::SafeDualBound { .. } => cubes::closed(1, 1, 0, 0),
        Certificate::PermutedInfeasible { .. } => cubes::closed(1, 0, 0, 1),
        Certificate::Cubes {
            exact,
            symmetric,
            searched,
            ..
        } => {
            let [exact, symmetric, searched] = [*exact, *symmetric, *searched].map(count);
            let all = exact.saturating_add(symmetric).saturating_add(searched);
            cubes::closed(all, exact, symmetric, searched)
        }
    };
    words == closed
}

/// Whether the schedule comes behind as many others as were left aside.
fn said_of_others(shown: Option<&Shown>, words: &str) -> bool {
    let before = shown.map_or(0, |shown| shown.schedules.len());
    PROJECTIONS
        .iter()
        .filter(|(_, name)| shown.is_none_or(|shown| shown.distinct == *name))
        .any(|(_, name)| words == format!("number {} by {name}", before + 1))
}
