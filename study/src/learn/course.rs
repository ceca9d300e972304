//! The steps of learning: solve, replay, and learn from the first divergence.

use super::{
    alarm::{self, Alarm},
    cut::{self, Act, Cut, Literal},
    cuts::Cuts,
    divergence::{self, Divergence, by_timer},
    history::{Fact, Reaction, Situation},
    learned::{Ending, Kept, Learned, Lost, News, Request, settled},
    phrase::{divergence_words, forbidden_words},
    shrink::{self, Bench, Effort, Shrunk, Tests},
    witness::Witness,
    words::Said,
};
use crate::{
    Error,
    clock::{Clock, Halt},
    confirm::{Engine, How},
    folder::Driven,
    sentence,
    solve::{self, Solution},
};
use milp_model::formulation::{
    self,
    timed::{self, Built},
};
use milp_replay::{Recovery, Replayed};
use milp_schema::{
    Instance, ReplicaId, Slot, Verdict,
    instance::{Goal, Sense},
    verdict::{Holds, Liveness},
};
use milp_solver::{Progress, Settings};
use std::{collections::BTreeSet, path::PathBuf};

/// Why nothing is learned of a protocol whose rules are no list.
const OF_A_FILE: &str = "cuts are about blocks of the view they are named in, and of other \
                         protocol files nothing is learned";

/// What a look at a solution gave.
pub(super) enum Look {
    Over(Ending),
    Learned,
}

/// How far it has come.
pub(super) struct Course<'a, 'r> {
    request: &'a Request<'a>,
    clock: &'a Clock<'a>,
    report: &'r mut dyn FnMut(News<'_>),
    cuts: Cuts,
    alarms: Vec<Alarm>,
    lost: Vec<Lost>,
    /// The value of the last schedule that the engine did not follow.
    value: Option<i64>,
    /// Whether the last solve was one with proof.
    pub(super) proved: bool,
}

impl<'a, 'r> Course<'a, 'r> {
    pub(super) fn new(
        request: &'a Request<'a>,
        clock: &'a Clock<'a>,
        report: &'r mut dyn FnMut(News<'_>),
    ) -> Self {
        Self {
            request,
            clock,
            report,
            cuts: Cuts::of(&request.witness.to_string()),
            alarms: Vec::new(),
            lost: Vec::new(),
            value: None,
            proved: false,
        }
    }

    /// What was found, with the solution kept.
    pub(super) fn end(self, kept: Kept, ending: Ending, undone: Option<String>) -> Learned {
        let mut cuts = self.cuts;
        cuts.later = cuts.cuts.split_off(kept.told);
        let mut solution = kept.solution;
        solution.interrupted |= self.clock.interrupted() && !solution.outcome.proved;
        Learned {
            solution,
            cuts,
            ending,
            lost: self.lost,
            alarms: self.alarms,
            undone,
        }
    }

    /// How much was learned, all of which the next program is told.
    pub(super) fn told(&self) -> usize {
        self.cuts.cuts.len()
    }

    /// Whether there is something to be proved once the engine has confirmed a schedule.
    pub(super) fn proves(&self) -> bool {
        self.request.solve.settings.prove || self.request.solve.adequacy
    }

    /// Solves in what is left of the time, if anything is.
    pub(super) fn again(
        &mut self,
        last: bool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Solution, Halt> {
        self.clock.check()?;
        Ok(self.solve(last, progress)?)
    }

    pub(super) fn solve(
        &mut self,
        last: bool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Solution, Error> {
        let asked = &self.request.solve;
        let settings = Settings {
            time_limit_seconds: self.clock.left(),
            prove: last && asked.settings.prove,
            ..asked.settings.clone()
        };
        let request = solve::Request {
            settings: &settings,
            adequacy: last && asked.adequacy,
            ..asked.clone()
        };
        self.proved = last;
        solve::solve_with(&request, Some(&self.cuts), self.clock.interrupt, progress)
    }

    /// The ending after a phase that did not get done.
    pub(super) fn halted(&self, halt: Halt, doing: &str) -> Result<Ending, Error> {
        match halt {
            Halt::Failed(error) if error.is_engine() => Ok(Ending::Failed(error.to_string())),
            Halt::Failed(error) => Err(error),
            Halt::Limit | Halt::Interrupt => Ok(Ending::Stopped(self.why_unfinished(doing))),
        }
    }

    /// What stopped it, and at what.
    pub(super) fn why_unfinished(&self, doing: &str) -> String {
        format!("{}, while {doing}", self.reason())
    }

    pub(super) fn reason(&self) -> &'static str {
        if self.clock.interrupted() {
            "interrupted"
        } else {
            "the limit of time came first"
        }
    }

    /// Replays the schedule of a solution and learns from it.
    ///
    /// The replay itself is done even if the limit of time has passed: it is short, and says
    /// whether what the solve ended with is any good.
    pub(super) fn look(&mut self, solution: &Solution) -> Result<Look, Halt> {
        let outcome = &solution.outcome;
        self.note_lost(solution);
        let (Some(schedule), Some(value)) = (&solution.schedule, outcome.primal) else {
            return if settled(solution) {
                Ok(Look::Over(Ending::NoneLeft))
            } else {
                let why = self.why_unfinished("solving");
                Ok(Look::Over(Ending::Stopped(why)))
            };
        };
        self.clock.check_interrupt()?;
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
        for what in alarm::violations(&driven, &replayed.verdict)? {
            self.alarm(Alarm::seen(what));
        }
        if replayed.verdict.confirms() {
            return Ok(Look::Over(
                match unlike(driven.instance.goal, value, &replayed.verdict) {
                    None => Ending::Confirmed,
                    Some(why) => Ending::Stopped(why),
                },
            ));
        }
        self.value = Some(value);
        self.learn_from(&driven, &replayed)
    }

    /// A value that no schedule has any more, because the optimum is better now.
    fn note_lost(&mut self, solution: &Solution) {
        if !settled(solution) {
            return;
        }
        let Some(value) = self
            .value
            .filter(|&value| Some(value) != solution.outcome.primal)
        else {
            return;
        };
        let better = |now: i64| match sentence::sense(self.request.solve.instance.goal) {
            Sense::Maximize => now < value,
            Sense::Minimize => now > value,
        };
        // What is said of acts that the rules forbid rests on the tests of these acts.
        if solution.outcome.primal.is_none_or(better) && !self.cuts.loosen() {
            let with = Cuts::counted(&self.cuts.cuts);
            self.lost.push(Lost { value, with });
        }
        self.value = None;
    }

    /// Tells of an alarm once.
    fn alarm(&mut self, alarm: Alarm) {
        if !self.alarms.contains(&alarm) {
            (self.report)(News::Alarm(&alarm));
            self.alarms.push(alarm);
        }
    }

    /// A cut, or an alarm, for each replica that parts in the first slot in which any does.
    fn learn_from(&mut self, driven: &Driven, replayed: &Replayed) -> Result<Look, Halt> {
        let mut parting = divergence::first(&driven.schedule.predictions, &replayed.trace);
        if !formulation::is_listed(&driven.instance) {
            let first = parting.first().map(divergence_words);
            let first = first.unwrap_or_else(|| "the engine differs in time only".to_owned());
            return Ok(Look::Over(Ending::Stopped(format!("{first}: {OF_A_FILE}"))));
        }
        let built = timed::of(&driven.instance).map_err(Error::from)?;
        parting.extend(self.forbidden_timers(&built, driven, replayed)?);
        if parting.is_empty() {
            let mut notes = replayed.verdict.notes.iter().map(String::as_str);
            let note = notes.find(|note| note.starts_with("slot ") || note.contains(": slot "));
            let note = note.unwrap_or("no act differs");
            return Ok(Look::Over(Ending::Stopped(format!(
                "the engine differs in time only, which no cut can say: {note}"
            ))));
        }
        let before = self.cuts.cuts.len();
        let mut seen: Vec<ReplicaId> = Vec::new();
        for divergence in &parting {
            let beside = seen.contains(&divergence.replica);
            seen.push(divergence.replica);
            if let Some(ending) = self.learn(&built, driven, divergence, beside)? {
                return Ok(Look::Over(ending));
            }
        }
        if self.cuts.cuts.len() == before {
            let who = divergence_words(&parting[0]);
            return Ok(Look::Over(Ending::Stopped(format!(
                "what was learned before speaks about {who} and does not exclude it"
            ))));
        }
        Ok(Look::Learned)
    }

    /// Learns from one divergence; how it ends if nothing can be learned from it. What the engine
    /// does `beside` an act that it does not is an alarm, and if no more can be said of it the cut
    /// of the other one is enough to go on.
    fn learn(
        &mut self,
        built: &Built,
        driven: &Driven,
        divergence: &Divergence,
        beside: bool,
    ) -> Result<Option<Ending>, Halt> {
        let Divergence { act, does, .. } = divergence;
        let stopped = |why: &str| {
            let who = divergence_words(divergence);
            Ok((!beside).then(|| Ending::Stopped(format!("{who} {why}"))))
        };
        let equal = cut::equal(built, &driven.instance, divergence::view(act));
        let situation = Situation::of(built, driven, divergence);
        let known = situation.as_ref().is_some_and(|situation| {
            let mut cuts = self.cuts.cuts.iter();
            cuts.any(|cut| cut.covers(driven.instance.protocol, situation, &equal))
        });
        // An act that is allowed happens in the history in which it was not predicted.
        let exactly = known && *does && !by_timer(act);
        if known && !exactly {
            return Ok(None);
        }
        let seen = || Alarm::seen(forbidden_words(divergence));
        if *does && !built.permits(divergence.replica, act) {
            self.alarm(seen());
            return stopped("has no column in the program, which therefore cannot allow it");
        }
        if self.cuts.cuts.len() >= self.request.limit {
            if *does && !exactly {
                self.alarm(seen());
            }
            return Ok(Some(Ending::Stopped(
                "that is the limit of cuts".to_owned(),
            )));
        }
        let learned = match &situation {
            Some(situation) => self.cut(built, &driven.instance, situation, exactly),
            None => Ok(None),
        };
        match learned {
            Ok(Some(cut)) => {
                if exactly && self.cuts.cuts.iter().any(|other| other.says(&cut)) {
                    return Ok(None);
                }
                if *does && !exactly {
                    self.alarm(Alarm::of(&cut));
                } else {
                    (self.report)(News::Cut(&cut));
                }
                self.cuts.cuts.push(cut);
                Ok(None)
            }
            // An alarm needs no tests.
            other => {
                if *does && !exactly {
                    self.alarm(seen());
                }
                other?;
                stopped("cannot be had from a replica alone")
            }
        }
    }

    /// What timers made the engine do in the first slot with a difference that the replicas of the
    /// rules, told the same, would not do at any time. What they would do only happened at another
    /// time, and what the program has no column for, recovery under the paper's rules, is not its
    /// subject.
    fn forbidden_timers(
        &self,
        built: &Built,
        driven: &Driven,
        replayed: &Replayed,
    ) -> Result<Vec<Divergence>, Halt> {
        let last = Slot(driven.instance.slots);
        let mut forbidden = Vec::new();
        for fired in divergence::fired(&driven.schedule.predictions, &replayed.trace) {
            if built.done(fired.replica, &fired.act, last).is_constant() {
                continue;
            }
            let Some(situation) = Situation::of(built, driven, &fired) else {
                continue;
            };
            let mut own = |driven: &Driven| self.own(driven);
            let equal = cut::equal(built, &driven.instance, situation.view);
            let mut bench = Bench::new(&driven.instance, &situation, &equal, &mut own, Effort::Few);
            if !bench.reaction()?.acted {
                forbidden.push(fired);
            }
        }
        Ok(forbidden)
    }

    /// A local run on the replicas of the rules.
    fn own(&self, driven: &Driven) -> Result<Replayed, Halt> {
        self.clock.check()?;
        let how = How {
            symbolic: true,
            recovery: Recovery::Ideal,
            compare: false,
        };
        Ok(driven.replay(&Engine::Own, how)?)
    }

    /// The cut of a situation, perhaps `exactly` as it happened; `None` if a replica alone does not
    /// do the same.
    fn cut(
        &self,
        built: &Built,
        instance: &Instance,
        situation: &Situation,
        exactly: bool,
    ) -> Result<Option<Cut>, Halt> {
        let equal = cut::equal(built, instance, situation.view);
        let witness = self.request.witness;
        let mut drive = |driven: &Driven| self.alone(witness, driven);
        let (effort, start) = match witness {
            Witness::Engine(engine) if engine.is_outside() && !exactly => {
                (Effort::Few, self.rehearsed(instance, situation, &equal)?)
            }
            _ => (Effort::Full, BTreeSet::new()),
        };
        let mut bench = Bench::new(instance, situation, &equal, &mut drive, effort);
        let Reaction { acted, last, .. } = bench.reaction()?;
        let shrunk = match (exactly, acted) {
            (true, true) => Shrunk::OrderMatters,
            (true, false) => Shrunk::NotReproduced,
            (false, _) => bench.shrink(start)?,
        };
        let first = situation.does && !exactly;
        let (facts, tests, exactly) = match shrunk {
            Shrunk::NotReproduced => return Ok(None),
            Shrunk::To(kept, tests) => (shrink::literals(situation, &kept), tests, false),
            Shrunk::OrderMatters => {
                let everything = (0..situation.universe.len()).collect();
                (shrink::literals(situation, &everything), Tests::ONE, true)
            }
        };
        let history = if first {
            bench.shortest(&mut |driven: &Driven| self.own(driven))?
        } else {
            Vec::new()
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
            history,
        }))
    }

    /// A local run, if there is time for it.
    fn alone(&self, witness: &Witness, driven: &Driven) -> Result<Replayed, Halt> {
        self.clock.check()?;
        Ok(witness.drive(driven, true)?)
    }

    /// The facts that matter to the twin. A process of its own takes long to drive, so the twin
    /// finds out first where to look; whatever is claimed of the engine is tested on the engine.
    fn rehearsed(
        &self,
        instance: &Instance,
        situation: &Situation,
        equal: &[ReplicaId],
    ) -> Result<BTreeSet<usize>, Halt> {
        let mut drive = |driven: &Driven| self.alone(&Witness::Twin(None), driven);
        let mut bench = Bench::new(instance, situation, equal, &mut drive, Effort::Full);
        Ok(match bench.shrink(BTreeSet::new())? {
            Shrunk::To(kept, _) => kept,
            Shrunk::OrderMatters | Shrunk::NotReproduced => BTreeSet::new(),
        })
    }
}

/// Why a schedule that the engine followed does not show what its goal says, if it does not.
fn unlike(goal: Goal, value: i64, verdict: &Verdict) -> Option<String> {
    if verdict.faults > 0 {
        return Some("the engine broke down, see the notes of a replay".to_owned());
    }
    let shown = match goal {
        Goal::Stall => verdict.termination == Liveness::Stuck || value > 0,
        Goal::Fork => verdict.agreement == Holds::Violated || value < 2,
        Goal::Blame => verdict.agreement == Holds::Violated,
        Goal::Finality => verdict.finality == Holds::Violated || value < 2,
        Goal::Slow | Goal::Views | Goal::Wasted { .. } | Goal::Weighted { .. } => true,
    };
    let what = match goal {
        Goal::Stall => "decides in the heal phase",
        _ => "violates nothing",
    };
    (!shown).then(|| format!("the engine follows the schedule and {what}"))
}
