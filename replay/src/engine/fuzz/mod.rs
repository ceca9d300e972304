//! Telling two engines apart: random legal schedules on both, and a comparison after every act.
//!
//! Effects must be the same in the same order, numbers of messages aside, and so must the states
//! of replicas. A difference is made into the shortest script that still shows one. What an
//! engine may keep in a cache is held back (E4, E20), so that caches cannot differ.
//!
//! ```text
//! draw        how a run begins, and the next act
//! pair        both engines under an act
//! difference  what differs, field by field
//! script      acts in words
//! shrink      fewer acts
//! ```

mod difference;
mod draw;
mod pair;
mod script;
mod shrink;

#[cfg(test)]
mod tests;

pub use difference::{Difference, Field};
pub use script::{Act, Named, Script};
pub use shrink::replay;

use super::{Effect, Engine, EngineError, Start};
use crate::{Signatures, protocols::Name, random::Random};
use draw::Adversary;
use milp_schema::{BlockId, Height, ReplicaId, View};
use pair::{Pair, Step};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Makes an engine that has not started.
pub type Make<'a> = &'a dyn Fn() -> Result<Box<dyn Engine>, EngineError>;

/// How long to look, and at what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Names the schedules: equal seeds give equal ones.
    pub seed: u64,
    /// How many acts; `None` for until interrupted.
    pub steps: Option<u64>,
    /// How many acts a run has at most; most have fewer.
    pub steps_per_run: u32,
    /// After how many acts the states of all replicas are compared, not only that of the one
    /// concerned.
    pub look_around_every: u32,
    /// How messages are signed.
    pub signatures: Signatures,
}

impl Settings {
    /// Runs of up to 800 acts, everybody looked at every 25.
    pub fn new(seed: u64, steps: Option<u64>) -> Self {
        Self {
            seed,
            steps,
            steps_per_run: 800,
            look_around_every: 25,
            signatures: Signatures::Symbolic,
        }
    }
}

/// What was seen of two engines that could not be told apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How many schedules.
    pub runs: u64,
    /// How many acts in them.
    pub steps: u64,
    /// How often what happened.
    pub happened: BTreeMap<&'static str, u64>,
}

impl Report {
    fn count(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} steps in {} runs", self.steps, self.runs)?;
        for (what, count) in &self.happened {
            writeln!(out, "{count:>10}  {what}")?;
        }
        Ok(())
    }
}

/// How two engines differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Their names, `a` and `b` of the difference; one of an engine alone.
    pub engines: Vec<String>,
    /// What to do to see it; the difference comes with the last act, or at the end.
    pub script: Script,
    /// What differs then.
    pub difference: Difference,
    /// Why there was no answer, if an adapter failed: the script shows that, and says nothing of
    /// the engine.
    pub failure: Option<EngineError>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, engine) in ["a", "b"].iter().zip(&self.engines) {
            writeln!(out, "{name}: {engine}")?;
        }
        writeln!(out, "\n{}\n{}", self.script, self.difference)
    }
}

/// What the comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing.
    Same(Report),
    /// A difference, after what the report says.
    Differ(Report, Box<Mismatch>),
}

/// Compares two engines on random schedules until they differ, the steps are done, or `interrupt`
/// says so. `progress` is called after every run.
///
/// # Errors
/// An adapter that cannot be started. One that fails later differs, a refusal is an answer like any
/// other.
pub fn fuzz(
    make_a: Make,
    make_b: Make,
    settings: &Settings,
    interrupt: &mut dyn FnMut() -> bool,
    progress: &mut dyn FnMut(&Report),
) -> Result<Outcome, EngineError> {
    let makes = &[make_a, make_b];
    look(
        Sides {
            makes,
            against: None,
        },
        settings,
        interrupt,
        progress,
    )
}

/// The same of one engine, with no more faulty replicas than it has to bear: until what it is held
/// `against` happens.
///
/// # Errors
/// As for [`fuzz`].
pub fn alone(
    make: Make,
    against: Against,
    settings: &Settings,
    interrupt: &mut dyn FnMut() -> bool,
    progress: &mut dyn FnMut(&Report),
) -> Result<Outcome, EngineError> {
    let (makes, against) = (&[make], Some(against));
    look(Sides { makes, against }, settings, interrupt, progress)
}

/// What an engine alone must not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Decide two blocks at one height, or one without a quorum of votes that bind.
    Fork,
    /// Report that a replica broke down.
    Breakdown,
}

/// Two engines that are compared, or one that is held against something.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// How they are made.
    pub makes: &'a [Make<'a>],
    /// What one alone is held against.
    pub against: Option<Against>,
}

impl Sides<'_> {
    /// The engines of a run, not started.
    fn started(&self) -> Result<Vec<Box<dyn Engine>>, EngineError> {
        self.makes.iter().map(|make| make()).collect()
    }
}

fn look(
    sides: Sides<'_>,
    settings: &Settings,
    interrupt: &mut dyn FnMut() -> bool,
    progress: &mut dyn FnMut(&Report),
) -> Result<Outcome, EngineError> {
    let mut report = Report::default();
    let mut seeds = Random(settings.seed);
    while !interrupt() && settings.steps.is_none_or(|steps| report.steps < steps) {
        let seed = seeds.next();
        if let Some(found) = run(sides, settings, seed, &mut report, interrupt)? {
            let found = shrink::shrink(sides, found, interrupt)?;
            return Ok(Outcome::Differ(report, Box::new(found)));
        }
        report.runs += 1;
        progress(&report);
    }
    Ok(Outcome::Same(report))
}

/// How many faulty replicas a protocol has to bear.
fn bearable(start: &Start) -> usize {
    (start.replicas as usize - 1) / 3
}

/// One schedule; what differs, if anything does.
fn run(
    sides: Sides<'_>,
    settings: &Settings,
    seed: u64,
    report: &mut Report,
    interrupt: &mut dyn FnMut() -> bool,
) -> Result<Option<Mismatch>, EngineError> {
    let mut random = Random(seed);
    let alone = sides.against.is_some();
    let start = loop {
        let start = draw::start(&mut random, settings.signatures);
        if !alone || start.byzantine.len() <= bearable(&start) {
            break start;
        }
    };
    // Who crashes forgets its votes, which is as bad as a Byzantine replica.
    let mut faulty: BTreeSet<ReplicaId> = start.byzantine.iter().copied().collect();
    let length = (settings.steps_per_run / 8).max(1) * (1 + random.below(8));
    let (mut pair, mut step) = Pair::new(sides.started()?, &start, sides.against);
    let mut adversary = Adversary::new(random, &start);
    let mut acts = Vec::new();
    let mut seen = Seen::default();
    let difference = loop {
        match step {
            Step::Differ(difference) => break Some(difference),
            Step::Same(effects) => seen.note(&effects, report),
            Step::Refused | Step::Skipped => {}
        }
        let due = (acts.len() as u32).is_multiple_of(settings.look_around_every);
        if due && let Some(difference) = pair.look_around() {
            break Some(difference);
        }
        let enough = acts.len() as u32 >= length
            || settings.steps.is_some_and(|steps| report.steps >= steps);
        if enough || interrupt() {
            break pair.look_around();
        }
        let Some(act) = adversary.next(&pair) else {
            break pair.look_around();
        };
        report.steps += 1;
        let bears = |who: &ReplicaId| faulty.contains(who) || faulty.len() < bearable(&start);
        let beyond = match &act {
            Act::Crash(who) => alone && !bears(who),
            // It broke down by itself, and forgets.
            Act::Restart(who) => alone && !faulty.contains(who),
            _ => false,
        };
        if beyond {
            step = Step::Skipped;
            continue;
        }
        if let Act::Crash(who) = &act {
            faulty.insert(*who);
        }
        note_act(&act, report);
        step = pair.step(&act);
        acts.push(act);
    };
    Ok(difference.map(|difference| Mismatch {
        engines: pair.names(),
        script: Script { start, acts },
        difference,
        failure: pair.failure,
    }))
}

/// What a run needs to remember for the report.
#[derive(Debug, Default)]
struct Seen {
    decided: BTreeMap<Height, Vec<BlockId>>,
}

fn note_act(act: &Act, report: &mut Report) {
    report.count(match act {
        Act::Advance(_) => "clock advanced",
        Act::Deliver { named, .. } if named.message.kind == Name::RecoveryMessage => {
            "recovery message delivered"
        }
        Act::Deliver { .. } => "message delivered",
        Act::Timeout { .. } => "timeout",
        Act::Inject { .. } => "message injected",
        Act::Crash(_) => "crash",
        Act::Restart(_) => "restart",
    });
}

impl Seen {
    fn note(&mut self, effects: &[Effect], report: &mut Report) {
        for effect in effects {
            match effect {
                Effect::Send { message, .. } => report.count(match Name::of(message.kind) {
                    Some(Name::PrepareRequest) => "PrepareRequest sent",
                    Some(Name::PrepareResponse) => "PrepareResponse sent",
                    Some(Name::Commit) => "Commit sent, a lock formed",
                    Some(Name::ChangeView) => "ChangeView sent",
                    Some(Name::RecoveryRequest) => "RecoveryRequest sent",
                    Some(Name::RecoveryMessage) => "RecoveryMessage sent",
                    Some(Name::Block) | None => "Block sent",
                }),
                Effect::EnterView { view: View(1), .. } => report.count("view 1 entered"),
                Effect::EnterView { .. } => report.count("view above 1 entered"),
                Effect::Decide { block, .. } => self.decide(*block, report),
                Effect::Fault { .. } => report.count("engine failed"),
                Effect::Timer { .. } => {}
            }
        }
    }

    fn decide(&mut self, block: BlockId, report: &mut Report) {
        report.count("decision");
        let decided = self.decided.entry(block.height).or_default();
        if !decided.contains(&block) {
            decided.push(block);
            if decided.len() == 2 {
                report.count("fork");
            }
        }
        if block.view > View(0) {
            report.count("decision above view 0");
        }
    }
}
