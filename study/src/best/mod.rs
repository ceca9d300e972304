//! The worst schedules that differ: one after the other, each without what was shown before.
//!
//! What a projection sees of a schedule, and every renaming of it by interchangeable replicas, is
//! excluded by rows of its own; then the next solve has the worst of what is left, and its proof
//! says that nothing else that looks otherwise is worse. Every schedule is replayed before it is
//! offered.

pub mod look;
pub(crate) mod shown;
pub mod symmetry;
mod words;

pub use milp_model::formulation::projection::Projection;
pub use shown::{FORMAT, PROJECTIONS, Shown, name, projection, words};

use crate::{
    Error,
    beside::Beside,
    clock::Clock,
    error::LIST,
    folder::{self, Driven, SHOWN},
    sentence,
    solve::{self, Solution},
};
use look::{Look, Seen};
use milp_schema::{
    Instance,
    instance::{Formulation, Goal, Sense},
    outcome::Termination,
    write,
};
use milp_solver::Progress;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

/// The summary beside the folders of the results.
pub const BEST: &str = "best.csv";
/// The folder of what is left when there are no more, beside those that are numbered.
pub const REST: &str = "rest";

/// What to solve, and how many times.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The solve; its limit of time is for all of them together.
    pub solve: solve::Request<'a>,
    /// How many schedules.
    pub most: u32,
    /// What tells two apart.
    pub projection: Projection,
}

/// One of the results.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// From 1; what is left in the end has the number after the last.
    pub rank: usize,
    /// The solve.
    pub solution: Solution,
    /// What it leaves aside.
    pub shown: Shown,
    /// What the projection sees of the schedule, in words; empty without one.
    pub words: String,
}

impl Ranked {
    /// The files of the result, by name.
    ///
    /// # Errors
    ///
    /// When what it leaves aside cannot be expressed in YAML.
    pub fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let mut files = self.solution.files();
        if !self.shown.schedules.is_empty() {
            files.insert(SHOWN.to_owned(), self.shown.yaml().into_bytes());
        }
        Ok(files)
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With as many as were asked for; whether there are more was not looked at.
    Asked,
    /// No schedule is left that looks otherwise; whether that is proved.
    NoneLeft(bool),
    /// What is left does no harm, its value is this; whether that is proved.
    Harmless(i64, bool),
    /// Before that, with the reason.
    Stopped(String),
}

/// The worst schedules that differ.
#[derive(Debug, Clone)]
pub struct Best {
    /// Worst first.
    pub ranked: Vec<Ranked>,
    /// The solve that says that there are no more.
    pub rest: Option<Ranked>,
    /// How it ended.
    pub ending: Ending,
    /// Which replicas are interchangeable, in words.
    pub group: String,
    /// Whether an interrupt came before the end.
    pub interrupted: bool,
}

impl Best {
    /// Whether everything that was asked for is there, with its proof.
    pub fn proved(&self) -> bool {
        let all = self
            .ranked
            .iter()
            .all(|ranked| ranked.solution.outcome.proved);
        let end = match self.ending {
            Ending::Asked => true,
            Ending::NoneLeft(proved) | Ending::Harmless(_, proved) => proved,
            Ending::Stopped(_) => false,
        };
        all && end
    }

    /// The ending in words.
    pub fn words(&self, instance: &Instance, projection: Projection) -> String {
        let count = milp_show::words::count(self.ranked.len() as i64, "schedule");
        let by = words(projection);
        let sure = |proved: bool| if proved { "proved" } else { "says the solver" };
        match &self.ending {
            Ending::Asked => format!("{count} that differ in {by}; there may be more"),
            Ending::NoneLeft(proved) => format!(
                "{count} that differ in {by}; there are no more: {}",
                sure(*proved)
            ),
            Ending::Harmless(value, proved) => format!(
                "{count} that differ in {by}; there are no more, the worst of what is left has {}: \
                 {}",
                sentence::value(instance, *value),
                sure(*proved)
            ),
            Ending::Stopped(why) => format!("{count} that differ in {by}; stopped: {why}"),
        }
    }

    /// The text of `best.csv`.
    pub fn csv(&self) -> String {
        csv(&self.ranked)
    }
}

/// The text of `best.csv`: one line for each result.
pub fn csv(ranked: &[Ranked]) -> String {
    let mut text = "rank,value,proved,projection,folder\n".to_owned();
    for ranked in ranked {
        let outcome = &ranked.solution.outcome;
        let value = outcome
            .primal
            .map_or(String::new(), |value| value.to_string());
        let proved = if outcome.proved { "yes" } else { "no" };
        let (rank, words) = (ranked.rank, &ranked.words);
        let line = format!("{rank},{value},{proved},{words},{rank}\n");
        text.push_str(&line);
    }
    text
}

/// Solves again and again. `keep` hears of every result at once.
///
/// # Errors
///
/// As for [`solve::solve`]; when formulation `timed` cannot build the instance; when a replay
/// diverges; whatever `keep` says.
pub fn best(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
    keep: &mut dyn FnMut(&Ranked) -> Result<(), Error>,
) -> Result<Best, Error> {
    let instance = in_slots(request.solve.instance)?;
    let clock = Clock::start(request.solve.settings, interrupt);
    let (of, projection) = (instance.clone(), request.projection);
    let look = clock.build(move || Look::of(&of, projection))?;
    let mut course = Course {
        request,
        instance: &instance,
        look: &look,
        shown: Shown::by(request.projection),
        orbits: BTreeSet::new(),
        clock,
    };
    let mut best = Best {
        ranked: Vec::new(),
        rest: None,
        ending: Ending::Asked,
        group: look.group(),
        interrupted: false,
    };
    while best.ranked.len() < request.most as usize {
        let ranked = match course.solve(best.ranked.len() + 1, interrupt, progress) {
            // What was found before is kept.
            Err(Error::Stopped { interrupted }) if !best.ranked.is_empty() => {
                best.interrupted = interrupted;
                let why = if interrupted { INTERRUPTED } else { LIMIT };
                best.ending = Ending::Stopped(why.to_owned());
                break;
            }
            ranked => ranked?,
        };
        best.interrupted = ranked.solution.interrupted;
        if let Some(ending) = over(&instance, &best.ranked, &ranked.solution) {
            best.ending = ending;
            let said = !matches!(best.ending, Ending::Stopped(_));
            best.rest = said.then_some(ranked);
            break;
        }
        course.check(&best.ranked, &ranked)?;
        keep(&ranked)?;
        let stopped = stopped(&ranked.solution).or_else(|| course.exclude(&ranked.solution));
        best.ranked.push(ranked);
        if let Some(why) = stopped.filter(|_| best.ranked.len() < request.most as usize) {
            best.ending = Ending::Stopped(why);
            break;
        }
    }
    Ok(best)
}

/// The instance in formulation `timed`, which has the columns that projections ask for.
fn in_slots(instance: &Instance) -> Result<Instance, Error> {
    let slots = matches!(instance.formulation, Formulation::Auto | Formulation::Timed);
    if !slots {
        return Err(Error::Refused(
            "schedules are told apart in formulation timed only: remove `formulation` from the \
             instance or give --formulation timed"
                .to_owned(),
        ));
    }
    Ok(Instance {
        formulation: Formulation::Timed,
        ..instance.clone()
    })
}

/// Whether a solve says that there are no more, or nothing.
fn over(instance: &Instance, before: &[Ranked], solution: &Solution) -> Option<Ending> {
    let outcome = &solution.outcome;
    if outcome.termination == Termination::Infeasible {
        return Some(Ending::NoneLeft(outcome.proved));
    }
    let Some(value) = outcome.primal.filter(|_| solution.schedule.is_some()) else {
        let why = stopped(solution);
        return Some(Ending::Stopped(why.unwrap_or_default()));
    };
    let first = before.first()?.solution.outcome.primal?;
    let settled = outcome.termination == Termination::Optimal;
    (settled && harmless(instance, value) && !harmless(instance, first))
        .then_some(Ending::Harmless(value, outcome.proved))
}

/// Why no more are looked for.
const INTERRUPTED: &str = "interrupted";
const LIMIT: &str = "the limit came first";

/// Why nothing that comes after a solve could be said to be the next.
fn stopped(solution: &Solution) -> Option<String> {
    let why = match solution.outcome.termination {
        _ if solution.interrupted => INTERRUPTED,
        Termination::Optimal | Termination::Infeasible => return None,
        Termination::Feasible | Termination::Undecided => LIMIT,
    };
    Some(why.to_owned())
}

/// Whether a value is that of executions in which nothing goes wrong.
pub fn harmless(instance: &Instance, value: i64) -> bool {
    match instance.goal {
        Goal::Fork | Goal::Finality | Goal::Views => value <= 1,
        Goal::Stall => value >= i64::from(instance.heights),
        Goal::Wasted { .. } => value == 0,
        Goal::Slow | Goal::Blame | Goal::Weighted { .. } => false,
    }
}

struct Course<'a> {
    request: &'a Request<'a>,
    instance: &'a Instance,
    look: &'a Look,
    shown: Shown,
    /// Everything that was shown, and its renamings.
    orbits: BTreeSet<Seen>,
    clock: Clock<'a>,
}

impl Course<'_> {
    fn solve(
        &mut self,
        rank: usize,
        interrupt: &AtomicBool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Ranked, Error> {
        let asked = &self.request.solve;
        let settings = self.clock.settings(asked.settings);
        let request = solve::Request {
            instance: self.instance,
            settings: &settings,
            // Whether the horizon is long enough is a question about the worst of all.
            adequacy: asked.adequacy && rank == 1,
            warm_start: asked.warm_start.filter(|_| rank == 1),
            command: asked.command,
        };
        let beside = match rank {
            1 => Beside::Nothing,
            _ => Beside::Shown(&self.shown),
        };
        let mut solution = solve::solve_beside(&request, beside, interrupt, progress)?;
        let by = name(self.request.projection);
        let fact = ("distinct".to_owned(), format!("number {rank} by {by}"));
        solution.outcome.run.push(fact);
        solve::note_limit(&mut solution.outcome, asked.settings);
        let seen = solution.point.as_ref().map(|point| self.look.seen(point));
        let words = seen.map_or_else(String::new, |seen| words::of(self.look.subjects(&seen)));
        let words = milp_show::words::own(self.instance.protocol, &words);
        Ok(Ranked {
            rank,
            solution,
            shown: self.shown.clone(),
            words,
        })
    }

    /// The schedule is followed by replicas, looks otherwise than those before, and is no worse.
    fn check(&self, before: &[Ranked], ranked: &Ranked) -> Result<(), Error> {
        let outcome = &ranked.solution.outcome;
        let defect = |what: &str| Err(Error::Refused(format!("{what}: a defect here")));
        let (Some(schedule), Some(point)) = (&ranked.solution.schedule, &ranked.solution.point)
        else {
            return defect("a schedule without a point");
        };
        Driven {
            dir: PathBuf::new(),
            instance: self.instance.clone(),
            faulty: outcome.faulty.clone(),
            schedule: schedule.clone(),
            predicted: true,
            edited: false,
        }
        .followed()?;
        if self.orbits.contains(&self.look.seen(point)) {
            return defect("a schedule was found twice");
        }
        let last = before.last().map(|last| &last.solution.outcome);
        let worse = match (last.and_then(|last| last.primal), outcome.primal) {
            (Some(last), Some(value)) => match sentence::sense(self.instance.goal) {
                Sense::Maximize => value > last,
                Sense::Minimize => value < last,
            },
            _ => false,
        };
        if worse && last.is_some_and(|last| last.proved) {
            return defect("a schedule is worse than one that was proved to be the worst");
        }
        Ok(())
    }

    /// Leaves the schedule of a solution aside from now on; or why that is not possible.
    fn exclude(&mut self, solution: &Solution) -> Option<String> {
        let seen = self.look.seen(solution.point.as_deref()?);
        let Some(orbit) = self.look.orbit(&seen) else {
            return Some(shown::too_many(self.look).to_string());
        };
        let smallest = orbit.first().unwrap_or(&seen);
        self.shown.schedules.push(self.look.names(smallest));
        self.orbits.extend(orbit);
        None
    }
}

/// Makes sure that the results may replace what is in `dir`: nothing, an earlier result, or
/// earlier ones of several schedules.
///
/// # Errors
///
/// When something else is there.
pub fn replaceable(dir: &Path) -> Result<(), Error> {
    if !dir.is_dir() {
        return folder::replaceable(dir);
    }
    for path in entries(dir)? {
        if is_ours(&path) && path.is_dir() {
            folder::replaceable(&path)?;
        } else if !is_ours(&path)
            && !is_left(&path)
            && !folder::is_part_of_a_result(&name_of(&path))
        {
            return Err(Error::Refused(format!(
                "{} is not replaced: it holds {}, which is no part of a result; give another --out",
                dir.display(),
                name_of(&path)
            )));
        }
    }
    Ok(())
}

/// Removes the results that are in `dir`; [`replaceable`] was asked before.
///
/// # Errors
///
/// When the operating system refuses.
pub fn clear(dir: &Path) -> Result<(), Error> {
    replaceable(dir)?;
    if !dir.is_dir() {
        return Ok(());
    }
    // What a killed run left is not in the way, and what is at work stays.
    write::remove_leftovers(dir, &|name| is_ours(Path::new(name)));
    for path in entries(dir)?.into_iter().filter(|path| !is_left(path)) {
        let removed = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        removed.map_err(Error::io("remove", path))?;
    }
    Ok(())
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(dir).map_err(Error::io(LIST, dir))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths
        .collect::<Result<_, _>>()
        .map_err(Error::io(LIST, dir))
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Whether a killed run left it, or one at work has not yet finished it.
fn is_left(path: &Path) -> bool {
    let name = name_of(path);
    write::temporary_of(&name).is_some_and(|target| is_ours(Path::new(target)))
}

fn is_ours(path: &Path) -> bool {
    let name = name_of(path);
    let numbered = !name.is_empty() && name.chars().all(|digit| digit.is_ascii_digit());
    [BEST, REST].contains(&name.as_str()) || numbered
}
