//! From an instance to what is known about its worst schedule.

use crate::{
    Error,
    best::Shown,
    clock::Clock,
    deepen::{self, Execution},
    evidence,
    folder::{self, Driven, Folder},
    learn::Cuts,
    minimize,
    reading::{After, Reading},
    sentence,
    size::Size,
    start,
};
use milp_model::{
    Built,
    Error::NoSchedule,
    formulation::{self, timed},
    program::{Col, Column, Program},
};
use milp_schema::{
    Evidence, Instance, Outcome, Schedule, Verdict,
    instance::{Formulation, Sense, Timeouts},
    outcome::Termination,
    write,
};
use milp_solver::{Progress, Settings};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

/// How many more slots the check of the horizon allows.
pub const ADEQUACY_SLOTS: u32 = 4;

/// What to solve and how.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The question.
    pub instance: &'a Instance,
    /// Limits, proof, threads, seed. A warm start comes from the field below.
    pub settings: &'a Settings,
    /// An earlier result to start from; it may be for another horizon or
    /// budget: what lies beyond the horizon is left out.
    pub warm_start: Option<&'a Folder>,
    /// Whether to solve again with [`ADEQUACY_SLOTS`] more slots.
    pub adequacy: bool,
    /// The command line, for the outcome.
    pub command: &'a str,
}

/// What a solve found, and what the outcome file does not keep.
#[derive(Debug, Clone)]
pub struct Solution {
    /// What is written and promoted.
    pub outcome: Outcome,
    /// The worst schedule found, if any.
    pub schedule: Option<Schedule>,
    /// The incumbent, one value for each column.
    pub point: Option<Vec<i64>>,
    /// The numbers behind it; nothing if there is neither a schedule nor a proof.
    pub evidence: Evidence,
    /// Size of the program.
    pub size: Size,
    /// Optimum of the linear relaxation, where it was solved.
    pub root_bound: Option<f64>,
    /// Objective of the completed warm start; `None` if there was none or it did not fit.
    pub started_from: Option<i64>,
    /// Whether a second search refuted what the first one said.
    pub refuted: bool,
    /// What more slots change, if that was asked.
    pub adequacy: Option<Adequacy>,
    /// Whether the interrupt came before the result was settled.
    pub interrupted: bool,
}

/// Whether the horizon is long enough for what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adequacy {
    /// Timers of the protocol run for longer: without firing them nobody leaves the views before
    /// the last one, or nothing begins.
    TimersRunLonger {
        /// The slots that they take.
        slots: u32,
    },
    /// Nobody decides within the horizon, and what its execution goes on to do says the rest.
    Undecided(After),
    /// The optimum with more slots.
    Longer {
        /// The longer horizon.
        slots: u32,
        /// Why the second solve ended.
        termination: Termination,
        /// Its incumbent's objective, in words.
        primal: Option<String>,
        /// Whether both solves ended optimal with the same answer.
        unchanged: bool,
    },
}

impl Adequacy {
    /// The check in words.
    pub fn words(&self) -> String {
        match self {
            Self::TimersRunLonger { slots } => {
                format!("not adequate: the timers of the views take {slots} slots")
            }
            Self::Undecided(After::Never) => {
                "adequate: the execution found never decides".to_owned()
            }
            Self::Undecided(After::Decides(_)) => {
                "not adequate: the execution found decides after it".to_owned()
            }
            Self::Undecided(After::Unknown) => {
                "not known: the execution found may decide after it".to_owned()
            }
            Self::Longer {
                slots,
                termination,
                primal,
                unchanged,
            } => match (termination, primal) {
                (Termination::Optimal, Some(_)) if *unchanged => {
                    format!("adequate: the optimum is the same with {slots} slots")
                }
                (Termination::Optimal, Some(value)) => {
                    format!("not adequate: the optimum is {value} with {slots} slots")
                }
                (Termination::Infeasible, _) => {
                    format!("not adequate: infeasible with {slots} slots")
                }
                _ => format!("not known: the limit came first with {slots} slots"),
            },
        }
    }

    /// Whether the horizon is known to be long enough.
    pub fn is_adequate(&self) -> bool {
        match self {
            Self::TimersRunLonger { .. } => false,
            Self::Undecided(after) => *after == After::Never,
            Self::Longer { unchanged, .. } => *unchanged,
        }
    }

    /// Whether a solve with more slots came to an end.
    pub(crate) fn is_settled(&self) -> bool {
        let ends = [Termination::Optimal, Termination::Infeasible];
        matches!(self, Self::Longer { termination, .. } if ends.contains(termination))
    }

    /// What is known without solving again.
    pub(crate) fn at_once(instance: &Instance, reading: &Reading) -> Option<Self> {
        let slots = timers(instance).filter(|slots| *slots > instance.slots);
        match (reading.after, slots) {
            // Timers went on in the heal phase.
            (Some(After::Never), _) => Some(Self::Undecided(After::Never)),
            (_, Some(slots)) => Some(Self::TimersRunLonger { slots }),
            (after, None) => after.map(Self::Undecided),
        }
    }
}

/// The slots in which timers of the protocol lead through all views but the last: T · 2^(v+1) in
/// view v; with one view, T, before which nobody proposes.
fn timers(instance: &Instance) -> Option<u32> {
    let time = instance
        .block_time
        .filter(|_| instance.timeouts == Timeouts::Protocol)?;
    let of_view = |view| time.saturating_mul(2_u32.saturating_pow(view + 1));
    let all = (0..instance.views - 1).map(of_view);
    Some(all.fold(0, u32::saturating_add).max(time))
}

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
    solve_from(request, Beside::Nothing, false, interrupt, progress)
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
    #[expect(clippy::disallowed_methods, reason = "the time limit is by the clock")]
    let began = Instant::now();
    let chosen = request.instance.formulation == Formulation::Auto;
    match followed(solve_from(request, beside, true, interrupt, progress)) {
        Err(Error::Model(NoSchedule { why })) if chosen => {
            let spent = began.elapsed().as_secs_f64();
            let left = Settings {
                time_limit_seconds: (request.settings.time_limit_seconds - spent).max(0.0),
                ..request.settings.clone()
            };
            let request = Request {
                settings: &left,
                ..request.clone()
            };
            in_slots(&request, &why, interrupt, progress)
        }
        other => other,
    }
}

/// A solution whose schedule, where formulation `causal` made it of an order of acts, replicas
/// follow.
fn followed(solution: Result<Solution, Error>) -> Result<Solution, Error> {
    let solution = solution?;
    if solution.outcome.formulation == "causal" && solution.schedule.is_some() {
        solution.replayed().map_err(|why| {
            let why = why.to_string();
            Error::Model(NoSchedule { why })
        })?;
    }
    Ok(solution)
}

/// The same by formulation `timed`, after a point of the one that `auto` took had no schedule.
fn in_slots(
    request: &Request<'_>,
    why: &str,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Solution, Error> {
    let instance = Instance {
        formulation: Formulation::Timed,
        ..request.instance.clone()
    };
    let timed = Request {
        instance: &instance,
        ..request.clone()
    };
    let mut solution = solve_from(&timed, Beside::Nothing, true, interrupt, progress)?;
    solution.outcome.instance.formulation = Formulation::Auto;
    let facts = &mut solution.outcome.run;
    facts.push((PASSED_OVER.to_owned(), why.to_owned()));
    Ok(solution)
}

/// The key under which `run:` names the formulations that `auto` did not take, each with why.
pub const PASSED_OVER: &str = "passed over";

/// The formulations that `auto` passed over for that of the program, each with why.
fn passed_over(request: &Request<'_>, beside: Beside<'_>, built: &Built) -> Option<String> {
    let instance = request.instance;
    if instance.formulation != Formulation::Auto {
        return None;
    }
    let mut passed = formulation::passed_over(instance, built.formulation());
    // What would have been taken, but for what comes with the request.
    let given = match beside {
        Beside::Nothing => request
            .warm_start
            .map(|_| "its program takes no start of another"),
        Beside::Learned(_) => Some("what is learned names slots"),
        Beside::Shown(_) => Some("how schedules differ is said in slots"),
    };
    for name in ["counting", "causal"] {
        let known = passed.iter().any(|(other, _)| *other == name);
        if let (Built::Timed(_), Some(why), false) = (built, given, known) {
            passed.push((name, why.to_owned()));
        }
    }
    let words = passed.iter().map(|(name, why)| format!("{name} ({why})"));
    Some(words.collect::<Vec<_>>().join(", ")).filter(|words| !words.is_empty())
}

/// What a program has beside the rows of its instance.
#[derive(Debug, Clone, Copy)]
pub enum Beside<'a> {
    /// Nothing.
    Nothing,
    /// What was learned from an engine.
    Learned(&'a Cuts),
    /// That the schedule differs from others that were shown before.
    Shown(&'a Shown),
}

impl<'a> Beside<'a> {
    /// What was learned, if anything was.
    pub fn learned(cuts: Option<&'a Cuts>) -> Self {
        cuts.map_or(Self::Nothing, Self::Learned)
    }

    fn is_nothing(self) -> bool {
        matches!(self, Self::Nothing)
    }
}

fn solve_from(
    request: &Request<'_>,
    beside: Beside<'_>,
    deepens: bool,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Solution, Error> {
    let instance = request.instance;
    // Building and smaller programs take part of the time limit.
    let clock = Clock::start(request.settings, interrupt);
    let built = build_for(request, beside, &clock)?;
    let program = built.program();
    let mut settings = request.settings.clone();
    settings.warm_start = match request.warm_start {
        // What was learned names slots, which another horizon would shift.
        None if deepens && beside.is_nothing() && matches!(built, Built::Timed(_)) => {
            let left = clock.settings(request.settings);
            deepen::start(instance, &built, &left, interrupt, progress)?
        }
        None => {
            let left = clock.settings(request.settings);
            deepen::start_at_once(instance, &built, &left, interrupt)?
        }
        Some(folder) => Some(encoded(&built, folder)?),
    };
    settings.time_limit_seconds = clock.left();
    let solved = milp_solver::solve(program, &settings, interrupt, progress)?;
    let point = solved.point.as_deref();
    let decoded = point.map(|point| built.decode(point)).transpose()?;
    let seconds = clock.spent();
    let adequacy = match (request.adequacy, solved.primal, &decoded) {
        (true, Some(primal), Some(decoded))
            if built.knows_slots() && solved.termination == Termination::Optimal =>
        {
            let left = clock.settings(request.settings);
            let execution = (decoded.schedule.clone(), decoded.faulty.clone());
            let reading = Reading::of(instance, primal, &execution.0, &execution.1);
            let first = (instance, beside, primal, &execution);
            Some(match Adequacy::at_once(instance, &reading) {
                Some(known) => known,
                None => check_horizon(first, &left, interrupt, progress)?,
            })
        }
        _ => None,
    };

    let mut instance = instance.clone();
    let mut evidence = Evidence::default();
    let (schedule, faulty) = match decoded {
        Some(decoded) => {
            let point = solved.point.as_deref().unwrap_or_default();
            let parts = evidence::point(&built, point, &decoded.schedule, &decoded.faulty);
            evidence.parts.extend(parts);
            // Without slots in the program the schedule says how many its replay takes.
            instance.slots = decoded.slots;
            (Some(decoded.schedule), decoded.faulty)
        }
        None => (None, Vec::new()),
    };
    let multipliers = solved.multipliers.as_ref();
    let whole = evidence::whole(program, &solved.certificate, multipliers);
    evidence.parts.extend(whole);
    let sha256 =
        |schedule: &Schedule| write::sha256_hex(write::choices_csv(&schedule.choices).as_bytes());
    let mut outcome = Outcome {
        termination: solved.termination,
        primal: solved.primal,
        dual: solved.dual,
        proved: solved.proved,
        nodes: solved.nodes,
        seconds,
        formulation: built.formulation().to_owned(),
        certificate: solved.certificate,
        program: Some(evidence::digest(program)),
        certificate_sha256: evidence::hash(&evidence),
        sentence: String::new(),
        faulty,
        schedule_sha256: schedule.as_ref().map(sha256),
        instance,
        command: request.command.to_owned(),
        run: run_facts(request.settings, solved.versions, adequacy.as_ref())
            .into_iter()
            .chain(passed_over(request, beside, &built).map(|it| (PASSED_OVER.to_owned(), it)))
            .collect(),
    };
    outcome.sentence =
        sentence::again(&outcome, schedule.as_ref(), built.knows_slots()) + &relative(beside);
    Ok(Solution {
        interrupted: interrupt.load(Ordering::SeqCst) && !outcome.proved,
        outcome,
        schedule,
        point: solved.point,
        evidence,
        size: Size::of(program),
        root_bound: solved.root_bound,
        started_from: solved.started_from,
        refuted: solved.refuted,
        adequacy,
    })
}

/// The program of a request. A start is a schedule, so where `auto` takes `causal`, which takes none,
/// a start that is no result of that very program makes it `timed`.
fn build_for(request: &Request<'_>, beside: Beside<'_>, clock: &Clock<'_>) -> Result<Built, Error> {
    let built = build_within(request.instance, beside, clock)?;
    let chosen = request.instance.formulation == Formulation::Auto;
    let other = |folder: &&Folder| !evidence::is_of(&built, &folder.outcome);
    match (&built, request.warm_start.filter(other)) {
        (Built::Causal(_), Some(_)) if chosen => {
            let instance = request.instance.clone();
            clock.build(move || timed::of(&instance).map(Built::Timed))
        }
        _ => Ok(built),
    }
}

/// [`build`] as long as there is time.
fn build_within(
    instance: &Instance,
    beside: Beside<'_>,
    clock: &Clock<'_>,
) -> Result<Built, Error> {
    let instance = instance.clone();
    match beside {
        Beside::Nothing => clock.build(move || build(&instance, Beside::Nothing)),
        Beside::Learned(cuts) => {
            let cuts = cuts.clone();
            clock.build(move || build(&instance, Beside::Learned(&cuts)))
        }
        Beside::Shown(shown) => {
            let shown = shown.clone();
            clock.build(move || build(&instance, Beside::Shown(&shown)))
        }
    }
}

/// The program of the instance with what is beside it; then in slots, because such rows speak of
/// them.
pub(crate) fn build(instance: &Instance, beside: Beside<'_>) -> Result<Built, Error> {
    match beside {
        Beside::Nothing => Ok(milp_model::build(instance)?),
        Beside::Learned(cuts) => Ok(Built::Timed(cuts.program(instance)?)),
        Beside::Shown(shown) => Ok(Built::Timed(shown.program(instance)?)),
    }
}

/// What the sentence rests on besides the program of the instance.
pub(crate) fn relative(beside: Beside<'_>) -> String {
    match beside {
        Beside::Learned(cuts) if !cuts.is_empty() => format!(", {}", cuts.relative()),
        Beside::Shown(shown) => shown.relative(),
        Beside::Nothing | Beside::Learned(_) => String::new(),
    }
}

/// The point of an earlier result: what its schedule says or, where the formulation takes none, what
/// its certificate says of the same program.
fn encoded(built: &Built, folder: &Folder) -> Result<Vec<Option<i64>>, Error> {
    let at = folder.dir.display();
    let refused = |why: String| {
        Error::Refused(format!(
            "the schedule in {at} is no start for this instance: {why}"
        ))
    };
    match built.encode(&folder.schedule, &folder.outcome.faulty) {
        Ok(point) => Ok(point),
        Err(why) => {
            let kept = evidence::kept(built, &folder.dir, &folder.outcome, &folder.schedule)?;
            let point = kept.ok_or_else(|| refused(why))?;
            Ok(point.into_iter().map(Some).collect())
        }
    }
}

impl Solution {
    /// The formulations that `auto` passed over, each with why.
    pub fn passed_over(&self) -> Option<&str> {
        let mut facts = self.outcome.run.iter();
        facts
            .find(|(key, _)| key == PASSED_OVER)
            .map(|(_, why)| why.as_str())
    }

    /// What the instance's own replicas do with the schedule.
    ///
    /// # Errors
    ///
    /// When they do something else than was predicted.
    pub(crate) fn replayed(&self) -> Result<Verdict, Error> {
        let folder = Folder {
            dir: PathBuf::from("."),
            outcome: self.outcome.clone(),
            schedule: self.schedule.clone().unwrap_or_default(),
        };
        minimize::replayed(&Driven::from(&folder))
    }

    /// The files of the result, by name.
    pub fn files(&self) -> std::collections::BTreeMap<String, Vec<u8>> {
        let certificate = evidence::text(&self.evidence);
        folder::files(
            &self.outcome,
            self.schedule.as_ref(),
            certificate.as_deref(),
        )
    }
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

/// The keys of `run:` that tell of the search. Others tell something of the answer, and
/// `milp verify` derives that again.
pub(crate) const OF_THE_SEARCH: [&str; 10] = [
    "milp",
    "milp-solver",
    "good_lp",
    "highs",
    "seed",
    "threads",
    "time_limit_seconds",
    "system",
    "cores",
    "passed over",
];

/// Notes the limit that is for several solves together: what each had of it differs from run to run.
pub(crate) fn note_limit(outcome: &mut Outcome, settings: &Settings) {
    let limits = outcome.run.iter_mut();
    for (_, value) in limits.filter(|(key, _)| key == "time_limit_seconds") {
        *value = settings.time_limit_seconds.to_string();
    }
}

/// What `run:` records. Nothing else of an outcome but `seconds` may differ between two runs.
fn run_facts(
    settings: &Settings,
    versions: Vec<(String, String)>,
    adequacy: Option<&Adequacy>,
) -> Vec<(String, String)> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut facts = vec![fact("milp", env!("CARGO_PKG_VERSION").to_owned())];
    facts.extend(versions);
    facts.extend([
        fact("seed", settings.seed.to_string()),
        fact("threads", settings.threads.to_string()),
        fact(
            "time_limit_seconds",
            settings.time_limit_seconds.to_string(),
        ),
        fact(
            "system",
            format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        ),
        fact("cores", cores.to_string()),
    ]);
    facts.extend(adequacy.map(|adequacy| fact("horizon", adequacy.words())));
    facts
}

/// Solves a program of one column and gives the names and versions of what solved it.
///
/// # Errors
///
/// When the solver does not do even that.
pub fn probe() -> Result<Vec<(String, String)>, Error> {
    let column = Column {
        name: "x".to_owned(),
        lower: 0,
        upper: 3,
    };
    let program = Program {
        columns: vec![column],
        families: Vec::new(),
        rows: Vec::new(),
        sense: Sense::Maximize,
        objective: vec![(Col(0), 1)],
        constant: 0,
    };
    let settings = Settings {
        time_limit_seconds: 10.0,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove: false,
        presolve: true,
        warm_start: None,
        options: Vec::new(),
    };
    let solved = milp_solver::solve(&program, &settings, &AtomicBool::new(false), &mut |_| ())?;
    match solved.primal {
        Some(3) => Ok(solved.versions),
        found => Err(Error::Solver(milp_solver::Error::Backend {
            what: format!("the largest x of 0 ≤ x ≤ 3 is {found:?}, it says"),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_solver_linked_here_solves_and_says_its_version() {
        let versions = probe().unwrap();
        assert!(
            versions
                .iter()
                .any(|(name, version)| name == "highs" && !version.is_empty())
        );
    }

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
        assert!(followed(Ok(whole.clone())).is_ok());
        let schedule = solution.schedule.as_mut().expect("a schedule");
        schedule.predictions.remove(0);
        let Err(why) = followed(Ok(solution)) else {
            panic!("nobody proposed, and replicas follow it");
        };
        let why = why.to_string();
        assert!(why.contains("diverges"), "{why}");

        let timed = in_slots(&request, &why, &never, &mut |_| {}).expect("solved");
        assert_eq!(timed.outcome.formulation, "timed");
        assert_eq!(timed.outcome.instance.formulation, Formulation::Auto);
        assert_eq!(timed.outcome.primal, whole.outcome.primal);
        let said = timed.outcome.run.iter().any(|(key, _)| key == PASSED_OVER);
        assert!(said);
    }

    #[test]
    fn the_horizon_is_adequate_only_if_two_optima_agree() {
        let adequacy = |termination, unchanged| {
            Adequacy::Longer {
                slots: 28,
                termination,
                primal: Some("1".to_owned()),
                unchanged,
            }
            .words()
        };
        assert_eq!(
            adequacy(Termination::Optimal, true),
            "adequate: the optimum is the same with 28 slots"
        );
        assert_eq!(
            adequacy(Termination::Optimal, false),
            "not adequate: the optimum is 1 with 28 slots"
        );
        assert_eq!(
            adequacy(Termination::Feasible, false),
            "not known: the limit came first with 28 slots"
        );
    }
}
