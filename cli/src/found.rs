//! What a solve found: for people, for programs, and as the code with which the program ends.

use crate::{exit, print};
use milp_schema::{
    Outcome,
    instance::Goal,
    outcome::{Certificate, Termination},
};
use milp_study::{
    every::Said,
    folder::SCHEDULE,
    learn::Alarm,
    reading, sentence,
    solve::{Adequacy, Solution},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// How the program ends after a solve.
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
    pub(crate) follows: bool,
    /// Whether it gave no answer.
    pub(crate) failed: bool,
    /// In words.
    pub(crate) words: String,
    /// What it does and the rules forbid: it left the model, and the bound does not cover it.
    pub(crate) alarms: Vec<Alarmed>,
}

/// Something that an engine does and the rules forbid.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Alarmed {
    /// What it does.
    words: String,
    /// The shortest history of one replica that shows it, step by step; empty where only a whole
    /// schedule does.
    history: Vec<String>,
    /// Whether the program allows it from then on.
    allowed: bool,
}

impl Alarmed {
    pub(crate) fn of(alarm: &Alarm) -> Self {
        Self {
            words: alarm.what.clone(),
            history: alarm.history.clone(),
            allowed: alarm.allowed,
        }
    }
}

impl Witnessed {
    /// What was seen on the engine counts more than what the solve says of the rules.
    pub(crate) fn code(&self, solution: &Solution) -> u8 {
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
    /// What is proved for every n; there is no incumbent.
    pub(crate) fn of_every(said: &Said, goal: Goal, out: &Path) -> Self {
        Self {
            goal: goal.name().to_owned(),
            termination: termination(Termination::Optimal).to_owned(),
            primal: None,
            dual: Some(1.0),
            proved: true,
            sentence: said.sentence.clone(),
            formulation: "counting".to_owned(),
            passed_over: None,
            columns: said.columns,
            rows: said.rows,
            nodes: said.cubes as i64,
            root_bound: None,
            horizon: None,
            seconds: said.seconds,
            written: out.display().to_string(),
            schedule: false,
            confirmed: None,
        }
    }

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
            horizon: adequacy.map(Adequacy::words),
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

/// What a solve found, for people.
pub(crate) fn summary(solution: &Solution, out: &Path) {
    let outcome = &solution.outcome;
    let instance = &outcome.instance;
    let size = &solution.size;
    let undecided = outcome
        .primal
        .is_some_and(|value| reading::unbounded(instance, value));
    let bound = |bound| sentence::bound(instance, outcome.primal, bound);
    let root_bound = solution.root_bound.filter(|_| !undecided);
    let value = |value| sentence::value(instance, value);
    let started_from = |value| sentence::plain(instance, value);
    let written = match solution.schedule {
        Some(_) => out.join(SCHEDULE),
        None => out.to_owned(),
    };
    let said = |text: &str| Some(text.to_owned());
    print::facts([
        ("goal", said(instance.goal.name())),
        ("termination", said(termination(outcome.termination))),
        ("value", outcome.primal.map(value)),
        ("bound", outcome.dual.and_then(bound)),
        ("proved by", Some(proved_by(outcome, undecided))),
        ("nodes", Some(outcome.nodes.to_string())),
        ("root bound", root_bound.map(print::number)),
        (
            "program",
            Some(format!("{} columns x {} rows", size.columns, size.rows)),
        ),
        ("formulation", said(&outcome.formulation)),
        ("passed over", solution.passed_over().map(str::to_owned)),
        ("started from", solution.started_from.map(started_from)),
        ("horizon", solution.adequacy.as_ref().map(Adequacy::words)),
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

/// What the bound rests on; that of an execution in which nothing is decided is no slot.
fn proved_by(outcome: &Outcome, undecided: bool) -> String {
    match Some(&outcome.certificate).filter(|_| outcome.proved) {
        Some(Certificate::SafeDualBound { .. }) if undecided => {
            "that execution, nothing is later".to_owned()
        }
        Some(Certificate::SafeDualBound { bound }) => {
            format!("a bound of {bound} in exact arithmetic")
        }
        Some(Certificate::PermutedInfeasible { seed }) => {
            format!("a second search, permuted with seed {seed}")
        }
        Some(Certificate::Cubes {
            exact,
            symmetric,
            searched,
            ..
        }) => format!(
            "cubes: {exact} closed in exact integers, {symmetric} by symmetry, {searched} by two \
             searches"
        ),
        Some(Certificate::None) | None => match outcome.termination {
            Termination::Feasible => "nothing, the bound is open",
            Termination::Undecided => "nothing",
            Termination::Optimal | Termination::Infeasible => "nothing but the solver's word",
        }
        .to_owned(),
    }
}
