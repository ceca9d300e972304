//! `milp solve`: the worst schedule of an instance.

use crate::{document, exit, print, progress::Printer, stop};
use milp_schema::{
    Instance,
    instance::Formulation,
    outcome::{Certificate, Termination},
    read,
};
use milp_solver::Settings;
use milp_study::{
    Error, best,
    folder::{self, Folder, Held, SCHEDULE},
    learn::{self, Alarm, Ending, News, Witness},
    sentence,
    solve::{Request, Solution, solve},
};
use schemars::JsonSchema;
use serde::{
    Deserialize as _, Serialize,
    de::{
        IntoDeserializer as _,
        value::{Error as Unknown, StrDeserializer},
    },
};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

/// The question, the limits, and where the answer goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Instance file
    file: PathBuf,
    /// Folder for the result [default: out/ and the path of the instance, below instances/ if it
    /// lies there]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    /// Start from the schedule of an earlier result
    #[arg(long, value_name = "DIR")]
    warm_start: Option<PathBuf>,
    /// Formulation, in place of the instance's own
    #[arg(long, value_name = "NAME", value_parser = formulation)]
    formulation: Option<Formulation>,
    /// Do not solve again with four more slots to see whether the optimum is the same
    #[arg(long)]
    no_adequacy: bool,
    /// Confirm the schedule on an engine (own, nspcc-dbft, dbft2-nspcc[:DEFECT] or PROTOCOL[:MUTANT]); what
    /// the engine does not do is learned as cuts, what it does and the rules forbid is an alarm and
    /// allowed from then on; solved again until it follows a schedule or none is left
    #[arg(long, value_name = "ENGINE")]
    confirm: Option<Witness>,
    /// Stop after so many cuts
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "CUTS",
        default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(1..),
        requires = "confirm",
    )]
    confirm_limit: u32,
    #[command(flatten)]
    best: super::best::Args,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// Limits and switches of the solver.
#[derive(Debug, clap::Args)]
pub(crate) struct Limits {
    /// Seconds for each instance, from building its program to the last proof; with --confirm the
    /// engine's runs and tests too
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "SECONDS",
        default_value_t = 600.0,
        value_parser = positive,
    )]
    time_limit: f64,
    /// Stop at this gap, a fraction; with anything but 0 the result may be unproved
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "FRACTION",
        default_value_t = 0.0,
        value_parser = not_negative,
    )]
    gap: f64,
    /// Threads of the solver; 1 keeps results reproducible
    #[arg(
        long,
        allow_negative_numbers = true,
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=1024),
    )]
    threads: u32,
    /// Seed of the solver's random choices
    #[arg(
        long,
        allow_negative_numbers = true,
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=2_147_483_647),
    )]
    seed: u32,
    /// Take the solver's word, attempt no proof
    #[arg(long)]
    no_prove: bool,
}

impl Limits {
    /// The solver's settings.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            time_limit_seconds: self.time_limit,
            relative_gap: self.gap,
            threads: self.threads,
            seed: self.seed,
            prove: !self.no_prove,
            presolve: true,
            warm_start: None,
            options: Vec::new(),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let mut instance = read::instance(&args.file)?;
    if let Some(formulation) = args.formulation {
        instance.formulation = formulation;
    }
    let warm_start = args.warm_start.as_deref().map(Folder::read).transpose()?;
    let out = destination(args.out.as_deref(), place, &args.file, &instance)?;
    match args.best.k_best {
        Some(_) => best::replaceable(&out)?,
        None => folder::replaceable(&out)?,
    }
    let interrupt = stop::interrupt();
    let request = Request {
        instance: &instance,
        settings: &args.limits.settings(),
        warm_start: warm_start.as_ref(),
        adequacy: !args.no_adequacy,
        command: &command_line(),
    };
    let mut printer = Printer::new(args.quiet);
    if args.best.k_best.is_some() {
        return super::best::run(&args.best, request, &out, &interrupt, &mut printer);
    }
    let answer = answer(args, request, &interrupt, &mut printer);
    printer.finish();
    let Answer {
        solution,
        files,
        confirmed,
    } = answer?;
    folder::write(&out, &files)?;
    summary(&solution, &out);
    if let Some(witnessed) = &confirmed {
        print::line(&witnessed.words);
    }
    let code = match &confirmed {
        Some(witnessed) => witnessed.code(&solution),
        None => code(&solution),
    };
    document::result(&Found::of(&solution, &out, confirmed));
    Ok(code)
}

/// Where the result of an instance goes. A result of another one that is there is not replaced
/// unless the folder was named or the file is the same, and never without a word.
pub(crate) fn destination(
    out: Option<&Path>,
    place: impl FnOnce(&Path) -> Result<PathBuf, Error>,
    file: &Path,
    instance: &Instance,
) -> Result<PathBuf, Error> {
    let dir = match out {
        Some(dir) => dir.to_owned(),
        None => place(file)?,
    };
    if let Some(Held { command, changed }) = folder::held(&dir, instance, file) {
        let words = format!(
            "{} holds the result of another instance, of `{command}`",
            dir.display()
        );
        if out.is_none() && !changed {
            return Err(Error::Refused(format!(
                "{words}: give another --out, or remove it"
            )));
        }
        print::note(&format!("{words}, which this one replaces"));
    }
    Ok(dir)
}

/// Where the result of an instance file goes by default.
pub(crate) fn place(file: &Path) -> Result<PathBuf, Error> {
    Ok(Path::new("out").join(folder::place(file)?))
}

/// What is written and printed.
struct Answer {
    solution: Solution,
    files: BTreeMap<String, Vec<u8>>,
    /// What an engine said to it, if one was asked.
    confirmed: Option<Witnessed>,
}

fn answer(
    args: &Args,
    request: Request<'_>,
    interrupt: &AtomicBool,
    printer: &mut Printer,
) -> Result<Answer, Error> {
    let Some(witness) = &args.confirm else {
        let solution = solve(&request, interrupt, &mut |progress| printer.show(progress))?;
        return Ok(Answer {
            files: solution.files(),
            solution,
            confirmed: None,
        });
    };
    let instance = request.instance;
    let request = learn::Request {
        solve: request,
        witness,
        limit: args.confirm_limit as usize,
    };
    let printer = RefCell::new(printer);
    let learned = learn::learn(
        &request,
        interrupt,
        &mut |progress| printer.borrow_mut().show(progress),
        &mut |news| {
            printer.borrow_mut().finish();
            match news {
                News::Cut(cut) => print::line(&cut.sentence),
                News::Alarm(alarm) => print::line(&format!("alarm: {}", alarm.words())),
            }
        },
    )?;
    let confirmed = Witnessed {
        follows: learned.ending == Ending::Confirmed,
        failed: matches!(learned.ending, Ending::Failed(_)),
        words: learned.words(instance),
        alarms: learned.alarms.iter().map(Alarmed::of).collect(),
    };
    Ok(Answer {
        files: learned.files()?,
        solution: learned.solution,
        confirmed: Some(confirmed),
    })
}

pub(crate) fn code(solution: &Solution) -> u8 {
    let outcome = &solution.outcome;
    match outcome.termination {
        _ if solution.interrupted => exit::INTERRUPTED,
        Termination::Infeasible => exit::INFEASIBLE,
        Termination::Undecided => exit::UNDECIDED,
        Termination::Optimal if outcome.proved => exit::DONE,
        Termination::Optimal | Termination::Feasible => exit::UNPROVED,
    }
}

/// What a solve found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The goal.
    goal: String,
    /// `optimal`, `feasible`, `infeasible` or `undecided`.
    termination: String,
    /// Objective of the incumbent, exact.
    primal: Option<i64>,
    /// The best bound; absent where nothing finite is known.
    dual: Option<f64>,
    /// Whether more than one floating-point search says so.
    proved: bool,
    /// The result in one sentence.
    sentence: String,
    /// Name of the formulation.
    formulation: String,
    /// The formulations that `auto` passed over, each with why; absent where there are none.
    passed_over: Option<String>,
    /// Columns of the program.
    columns: usize,
    /// Rows of the program.
    rows: usize,
    /// Branch-and-bound nodes.
    nodes: i64,
    /// Optimum of the linear relaxation, where it was solved.
    root_bound: Option<f64>,
    /// What four more slots change, where that was asked.
    horizon: Option<String>,
    /// Seconds, proof included.
    seconds: f64,
    /// The folder of the result.
    written: String,
    /// Whether there is a schedule in it.
    schedule: bool,
    /// What the engine asked with `--confirm` says.
    confirmed: Option<Witnessed>,
}

/// What an engine said.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Witnessed {
    /// Whether it follows the schedule.
    follows: bool,
    /// Whether it gave no answer.
    failed: bool,
    /// In words.
    words: String,
    /// What it does and the rules forbid: it left the model, and the bound does not cover it.
    alarms: Vec<Alarmed>,
}

/// Something that an engine does and the rules forbid.
#[derive(Debug, Serialize, JsonSchema)]
struct Alarmed {
    /// What it does.
    words: String,
    /// The shortest history of one replica that shows it, step by step; empty where only a whole
    /// schedule does.
    history: Vec<String>,
    /// Whether the program allows it from then on.
    allowed: bool,
}

impl Alarmed {
    fn of(alarm: &Alarm) -> Self {
        Self {
            words: alarm.what.clone(),
            history: alarm.history.clone(),
            allowed: alarm.allowed,
        }
    }
}

impl Witnessed {
    /// What was seen on the engine counts more than what the solve says of the rules.
    fn code(&self, solution: &Solution) -> u8 {
        match code(solution) {
            _ if !self.alarms.is_empty() => exit::VIOLATION,
            _ if self.failed => exit::FAILURE,
            // A proof without a witness who was asked for is not what was asked for.
            exit::DONE if !self.follows => exit::UNPROVED,
            code => code,
        }
    }
}

impl Found {
    pub(crate) fn of(solution: &Solution, out: &Path, confirmed: Option<Witnessed>) -> Self {
        let outcome = &solution.outcome;
        let size = &solution.size;
        let adequacy = solution.adequacy.as_ref();
        Self {
            goal: outcome.instance.goal.name().to_owned(),
            termination: termination(outcome.termination).to_owned(),
            primal: outcome.primal,
            dual: outcome.dual.filter(|bound| bound.is_finite()),
            proved: outcome.proved,
            sentence: outcome.sentence.clone(),
            formulation: outcome.formulation.clone(),
            passed_over: solution.passed_over().map(str::to_owned),
            columns: size.columns,
            rows: size.rows,
            nodes: outcome.nodes,
            root_bound: solution.root_bound.filter(|bound| bound.is_finite()),
            horizon: adequacy.map(milp_study::solve::Adequacy::words),
            seconds: outcome.seconds,
            written: out.display().to_string(),
            schedule: solution.schedule.is_some(),
            confirmed,
        }
    }
}

fn termination(termination: Termination) -> &'static str {
    match termination {
        Termination::Optimal => "optimal",
        Termination::Feasible => "feasible",
        Termination::Infeasible => "infeasible",
        Termination::Undecided => "undecided",
    }
}

pub(crate) fn summary(solution: &Solution, out: &Path) {
    let outcome = &solution.outcome;
    let instance = &outcome.instance;
    let undecided = outcome
        .primal
        .is_some_and(|value| milp_study::reading::unbounded(instance, value));
    let proved_by = match &outcome.certificate {
        // Its bound is no slot.
        Certificate::SafeDualBound { .. } if outcome.proved && undecided => {
            "that execution, nothing is later".to_owned()
        }
        Certificate::SafeDualBound { bound } if outcome.proved => {
            format!("a bound of {bound} in exact arithmetic")
        }
        Certificate::PermutedInfeasible { seed } if outcome.proved => {
            format!("a second search, permuted with seed {seed}")
        }
        Certificate::Cubes {
            exact,
            symmetric,
            searched,
            ..
        } if outcome.proved => format!(
            "cubes: {exact} closed in exact integers, {symmetric} by symmetry, {searched} by two \
             searches"
        ),
        _ if outcome.termination == Termination::Feasible => {
            "nothing, the bound is open".to_owned()
        }
        _ if outcome.termination == Termination::Undecided => "nothing".to_owned(),
        _ => "nothing but the solver's word".to_owned(),
    };
    let size = &solution.size;
    let written = if solution.schedule.is_some() {
        out.join(SCHEDULE)
    } else {
        out.to_owned()
    };
    print::facts([
        ("goal", Some(instance.goal.name().to_owned())),
        (
            "termination",
            Some(termination(outcome.termination).to_owned()),
        ),
        (
            "value",
            outcome.primal.map(|value| sentence::value(instance, value)),
        ),
        (
            "bound",
            outcome
                .dual
                .and_then(|bound| sentence::bound(instance, outcome.primal, bound)),
        ),
        ("proved by", Some(proved_by)),
        ("nodes", Some(outcome.nodes.to_string())),
        (
            "root bound",
            solution
                .root_bound
                .filter(|_| !undecided)
                .map(print::number),
        ),
        (
            "program",
            Some(format!("{} columns x {} rows", size.columns, size.rows)),
        ),
        ("formulation", Some(outcome.formulation.clone())),
        ("passed over", solution.passed_over().map(str::to_owned)),
        (
            "started from",
            solution
                .started_from
                .map(|value| sentence::plain(instance, value)),
        ),
        (
            "horizon",
            solution
                .adequacy
                .as_ref()
                .map(milp_study::solve::Adequacy::words),
        ),
        ("seconds", Some(format!("{:.2}", outcome.seconds))),
        ("written", Some(written.display().to_string())),
    ]);
    if solution.refuted {
        print::line(
            "A second search refuted what the first one had said; see the manual of the solver crate.",
        );
    }
    print::line(&outcome.sentence);
}

/// The command line for the outcome, without the path of the binary.
pub(crate) fn command_line() -> String {
    let arguments = std::env::args_os()
        .skip(1)
        .map(|part| part.to_string_lossy().into_owned());
    ["milp".to_owned()]
        .into_iter()
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn formulation(text: &str) -> Result<Formulation, String> {
    let name: StrDeserializer<'_, Unknown> = text.into_deserializer();
    Formulation::deserialize(name)
        .map_err(|_| "expected auto, timed, counting or causal".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    let value = not_negative(text)?;
    if value > 0.0 {
        Ok(value)
    } else {
        Err("expected a number above 0".to_owned())
    }
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("expected a finite number of at least 0".to_owned()),
    }
}
