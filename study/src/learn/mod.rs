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
//! It ends when the engine follows a schedule, when no schedule is left, or at a limit. A cut that
//! is true of the engine never removes a schedule that the engine would follow; whether it is true
//! rests on the tests that it names.

mod cut;
mod divergence;
mod history;
mod shrink;
mod words;

pub use cut::{Act, Cut, Cuts, FORMAT, Literal};
pub use shrink::{Reach, Tests};

use crate::{
    Error,
    confirm::{Engine, How},
    folder::Driven,
    sentence,
    solve::{self, Solution},
};
use divergence::Divergence;
use history::{Fact, Situation};
use milp_model::formulation::timed::{self, Built};
use milp_replay::{
    Options, Protocol, Recovery, Replayed, Signatures,
    engine::nspcc::{Nspcc, Switches},
};
use milp_schema::{
    Instance, ReplicaId, Verdict,
    instance::{Goal, REFERENCE_2020},
    outcome::Termination,
    verdict::{Holds, Liveness},
};
use milp_solver::{Progress, Settings};
use shrink::{Bench, Effort, Shrunk};
use std::{collections::BTreeSet, fmt, path::PathBuf, str::FromStr, sync::atomic::AtomicBool};
use words::Said;

/// The production rules' own replicas, in this process.
pub const TWIN: &str = "dbft2-nspcc";

/// Whom a solve asks to confirm its schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witness {
    /// Replicas as `milp replay` knows them.
    Engine(Engine),
    /// The own replicas of rule set `nspcc`, for schedules of rule set `paper` too.
    Twin,
}

impl FromStr for Witness {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == TWIN {
            return Ok(Self::Twin);
        }
        let engine = text.parse();
        engine
            .map(Self::Engine)
            .map_err(|why| format!("{why}, {TWIN}"))
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(engine) => engine.fmt(out),
            Self::Twin => out.write_str(TWIN),
        }
    }
}

impl Witness {
    /// Drives fresh replicas with a schedule and compares where there are predictions.
    fn drive(&self, driven: &Driven, symbolic: bool) -> Result<Replayed, Error> {
        match self {
            Self::Engine(engine) => driven.replay(
                engine,
                How {
                    symbolic,
                    recovery: Recovery::Ideal,
                    compare: true,
                },
            ),
            Self::Twin => Ok(milp_replay::replay_on(
                &mut Nspcc::new(Switches::default()),
                &driven.instance,
                &driven.faulty,
                &driven.schedule,
                &Options {
                    protocol: Protocol::Own,
                    compare: driven.predicted,
                    signatures: Signatures::Symbolic,
                    recovery: Recovery::Ideal,
                },
            )?),
        }
    }
}

/// What to solve, and who confirms it.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The solve; its limit of time is for all of them together, the engine's time aside.
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
}

/// A value that no schedule reaches on the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// The value.
    pub value: i64,
    /// With how many cuts it was gone.
    pub cuts: usize,
}

/// The last solve, and what was learned on the way.
#[derive(Debug, Clone)]
pub struct Learned {
    /// The last solve.
    pub solution: Solution,
    /// What was learned.
    pub cuts: Cuts,
    /// How it ended.
    pub ending: Ending,
    /// Values that turned out not to survive, in order.
    pub lost: Vec<Lost>,
}

impl Learned {
    /// The ending in words.
    pub fn words(&self, instance: &Instance) -> String {
        let Cuts { engine, cuts, .. } = &self.cuts;
        let count = |cuts: usize| sentence::count(cuts as i64, "cut");
        let mut words: Vec<String> = self
            .lost
            .iter()
            .map(|lost| {
                format!(
                    "no schedule of value {} within this model survives {engine} ({})",
                    sentence::value(instance, lost.value),
                    count(lost.cuts)
                )
            })
            .collect();
        let cuts = count(cuts.len());
        let last = match (&self.ending, self.solution.outcome.primal) {
            (Ending::Confirmed, Some(value)) => format!(
                "confirmed on {engine} ({cuts}): {}",
                sentence::value(instance, value)
            ),
            (Ending::Confirmed, None) => unreachable!("a schedule has a value"),
            (Ending::NoneLeft, _) => {
                format!("no schedule within this model survives {engine} ({cuts})")
            }
            (Ending::Stopped(why), _) => format!("stopped after {cuts}: {why}"),
        };
        words.push(last);
        words.join("; ")
    }

    /// The files of the result, by name.
    ///
    /// # Errors
    ///
    /// When the cuts cannot be expressed in YAML.
    pub fn files(&self) -> Result<std::collections::BTreeMap<String, Vec<u8>>, Error> {
        let mut files = self.solution.files();
        if !self.cuts.cuts.is_empty() {
            let text = self.cuts.yaml().into_bytes();
            files.insert(crate::folder::CUTS.to_owned(), text);
        }
        Ok(files)
    }
}

/// Solves until an engine confirms the schedule or none is left, learning a cut from the first
/// divergence of each schedule it does not follow. `report` hears of every cut at once.
///
/// # Errors
///
/// As for [`solve::solve`] and [`Driven::confirm`].
pub fn learn(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
    report: &mut dyn FnMut(&Cut),
) -> Result<Learned, Error> {
    if request.solve.instance.rules == REFERENCE_2020 {
        return Err(Error::Refused(
            "no engine can confirm a point of a published program, which is no schedule: remove \
             --confirm"
                .to_owned(),
        ));
    }
    let mut course = Course {
        request,
        cuts: Cuts::of(&request.witness.to_string()),
        lost: Vec::new(),
        value: None,
        seconds: 0.0,
    };
    // Proofs and the check of the horizon are for the last program only.
    let mut last = false;
    let (solution, ending) = loop {
        let solution = course.solve(last, interrupt, progress)?;
        let ending = match course.look(&solution, report)? {
            Look::Over(ending) => ending,
            Look::Learned => {
                last = false;
                continue;
            }
        };
        let settled = matches!(ending, Ending::Confirmed | Ending::NoneLeft);
        if last || !settled {
            break (solution, ending);
        }
        last = true;
    };
    let mut learned = Learned {
        solution,
        cuts: course.cuts,
        ending,
        lost: course.lost,
    };
    let words = learned.words(request.solve.instance);
    let outcome = &mut learned.solution.outcome;
    outcome.seconds = course.seconds;
    outcome.run.push(("confirm".to_owned(), words));
    Ok(learned)
}

/// What a look at a solution gave.
enum Look {
    Over(Ending),
    Learned,
}

struct Course<'a> {
    request: &'a Request<'a>,
    cuts: Cuts,
    lost: Vec<Lost>,
    /// The value of the last schedule.
    value: Option<i64>,
    seconds: f64,
}

impl Course<'_> {
    fn solve(
        &mut self,
        last: bool,
        interrupt: &AtomicBool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Solution, Error> {
        let asked = &self.request.solve;
        let left = asked.settings.time_limit_seconds - self.seconds;
        let settings = Settings {
            time_limit_seconds: left.max(0.0),
            prove: last && asked.settings.prove,
            ..asked.settings.clone()
        };
        let request = solve::Request {
            settings: &settings,
            adequacy: last && asked.adequacy,
            ..asked.clone()
        };
        let solution = solve::solve_with(&request, Some(&self.cuts), interrupt, progress)?;
        self.seconds += solution.outcome.seconds;
        Ok(solution)
    }

    fn look(&mut self, solution: &Solution, report: &mut dyn FnMut(&Cut)) -> Result<Look, Error> {
        let outcome = &solution.outcome;
        let over = |ending| Ok(Look::Over(ending));
        let stopped = |why: &str| Ok(Look::Over(Ending::Stopped(why.to_owned())));
        let settled = matches!(
            outcome.termination,
            Termination::Optimal | Termination::Infeasible
        );
        if let Some(value) = self
            .value
            .filter(|&value| Some(value) != outcome.primal && settled)
        {
            let cuts = self.cuts.cuts.len();
            self.lost.push(Lost { value, cuts });
            self.value = None;
        }
        let (Some(schedule), Some(value)) = (&solution.schedule, outcome.primal) else {
            return if settled {
                over(Ending::NoneLeft)
            } else {
                stopped("the limit of time came first")
            };
        };
        let driven = Driven {
            dir: PathBuf::new(),
            instance: self.request.solve.instance.clone(),
            faulty: outcome.faulty.clone(),
            schedule: schedule.clone(),
            predicted: true,
            edited: false,
        };
        let replayed = self.request.witness.drive(&driven, false)?;
        replayed.verdict.engine.clone_into(&mut self.cuts.engine);
        if solution.interrupted {
            return stopped("interrupted");
        }
        if replayed.verdict.divergences == 0 {
            return match unlike(driven.instance.goal, value, &replayed.verdict) {
                None => over(Ending::Confirmed),
                Some(why) => stopped(&why),
            };
        }
        self.value = Some(value);
        self.learn_from(&driven, &replayed, report)
    }

    /// A cut for each replica that parts in the first slot in which any does.
    fn learn_from(
        &mut self,
        driven: &Driven,
        replayed: &Replayed,
        report: &mut dyn FnMut(&Cut),
    ) -> Result<Look, Error> {
        let built = timed::of(&driven.instance)?;
        let parting = divergence::first(&driven.schedule.predictions, &replayed.trace);
        if parting.is_empty() {
            let note = replayed.verdict.notes.iter();
            let note = note
                .map(String::as_str)
                .find(|note| note.starts_with("slot "));
            let note = note.unwrap_or("no act differs");
            return Ok(Look::Over(Ending::Stopped(format!(
                "the engine differs in time only, which no cut can say: {note}"
            ))));
        }
        let before = self.cuts.cuts.len();
        for divergence in &parting {
            if self.cuts.cuts.len() >= self.request.limit {
                return Ok(Look::Over(Ending::Stopped("that is the limit".to_owned())));
            }
            let situation = Situation::of(&built, &driven.schedule, divergence);
            let equal = cut::equal(&built, &driven.instance, divergence::view(&divergence.act));
            let known = situation.as_ref().is_some_and(|situation| {
                let mut cuts = self.cuts.cuts.iter();
                cuts.any(|cut| cut.covers(situation, &equal))
            });
            if known {
                continue;
            }
            let cut = match situation {
                Some(situation) => self.cut(&built, &driven.instance, &situation)?,
                None => None,
            };
            let Some(cut) = cut else {
                let who = divergence_words(divergence);
                return Ok(Look::Over(Ending::Stopped(format!(
                    "{who} cannot be had from a replica alone"
                ))));
            };
            report(&cut);
            self.cuts.cuts.push(cut);
        }
        if self.cuts.cuts.len() == before {
            let who = divergence_words(&parting[0]);
            return Ok(Look::Over(Ending::Stopped(format!(
                "an earlier cut speaks about {who} and does not exclude it"
            ))));
        }
        Ok(Look::Learned)
    }

    /// The cut of a situation; `None` if a replica alone does not do the same.
    fn cut(
        &self,
        built: &Built,
        instance: &Instance,
        situation: &Situation,
    ) -> Result<Option<Cut>, Error> {
        let equal = cut::equal(built, instance, situation.view);
        let witness = self.request.witness;
        let mut drive = |driven: &Driven| witness.drive(driven, true);
        let (effort, start) = match witness {
            Witness::Engine(Engine::Adapter(_)) => {
                (Effort::Few, rehearsed(instance, situation, &equal)?)
            }
            _ => (Effort::Full, BTreeSet::new()),
        };
        let mut bench = Bench::new(instance, situation, &equal, &mut drive, effort);
        let last = bench.reaction()?.last;
        let (facts, tests, exactly) = match bench.shrink(start)? {
            Shrunk::NotReproduced => return Ok(None),
            Shrunk::To(kept, tests) => (shrink::literals(situation, &kept), tests, false),
            Shrunk::OrderMatters => {
                let everything = (0..situation.universe.len()).collect();
                (shrink::literals(situation, &everything), Tests::ONE, true)
            }
        };
        let slot_of = |fact: &Fact| {
            let there = situation.facts.iter().find(|(other, _)| other == fact);
            there.map(|(_, slot)| *slot).filter(|_| exactly)
        };
        let literals = facts
            .iter()
            .map(|(fact, has)| Literal::of(fact, *has, slot_of(fact)))
            .collect();
        let said = Said {
            built,
            situation,
            literals: &facts,
            last: &last,
            number: self.cuts.cuts.len() + 1,
            tests,
            exactly,
        };
        Ok(Some(Cut {
            sentence: said.sentence(),
            replica: situation.replica,
            view: situation.view,
            act: Act::of(&situation.act),
            does: situation.does,
            literals,
            slot: situation.slot,
            tests,
        }))
    }
}

/// The facts that matter to the twin. A process of its own takes long to drive, so the twin finds
/// out first where to look; whatever is claimed of the engine is tested on the engine.
fn rehearsed(
    instance: &Instance,
    situation: &Situation,
    equal: &[ReplicaId],
) -> Result<BTreeSet<usize>, Error> {
    let mut drive = |driven: &Driven| Witness::Twin.drive(driven, true);
    let mut bench = Bench::new(instance, situation, equal, &mut drive, Effort::Full);
    Ok(match bench.shrink(BTreeSet::new())? {
        Shrunk::To(kept, _) => kept,
        Shrunk::OrderMatters | Shrunk::NotReproduced => BTreeSet::new(),
    })
}

/// `what replica 2 does in slot 5`.
fn divergence_words(divergence: &Divergence) -> String {
    let Divergence { replica, slot, .. } = divergence;
    format!("what replica {replica} does in slot {slot}")
}

/// Why a schedule that the engine followed does not show what its goal says, if it does not.
fn unlike(goal: Goal, value: i64, verdict: &Verdict) -> Option<String> {
    if verdict.faults > 0 {
        return Some("the engine broke down, see the notes of a replay".to_owned());
    }
    let shown = match goal {
        Goal::Stall => verdict.termination == Liveness::Stuck || value > 0,
        Goal::Fork => verdict.agreement == Holds::Violated || value < 2,
        Goal::Finality => verdict.finality == Holds::Violated || value < 2,
        Goal::Slow | Goal::Views | Goal::Weighted { .. } => true,
    };
    let what = match goal {
        Goal::Stall => "decides in the heal phase",
        _ => "violates nothing",
    };
    (!shown).then(|| format!("the engine follows the schedule and {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn witnesses_are_named_as_replays_name_engines() {
        for name in ["own", "nspcc-dbft", TWIN, "dbft2:small-quorum"] {
            assert_eq!(name.parse::<Witness>().unwrap().to_string(), name);
        }
        let error = "pbft".parse::<Witness>().unwrap_err();
        assert!(error.ends_with(TWIN), "{error}");
    }
}
