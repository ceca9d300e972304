//! What the optimiser and the interpreter make of a protocol file, beside one another.

use crate::{exit, print, progress::Printer, stop};
use milp_schema::{
    protocol::{self, Position},
    write,
};
use milp_study::{
    Error,
    protocol_check::{self, Checked, Corners, Difference, Effort, Executions, Fires},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::atomic::Ordering,
};

/// What to judge, and how much to try.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Protocol file, as docs/LANGUAGE.md says
    pub(super) file: PathBuf,
    /// Judge the file and say what is in it, compare nothing
    #[arg(long)]
    quick: bool,
    /// Seconds for the comparison
    #[arg(long, value_name = "SECONDS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Replicas of every setting; unless said the fewest from four on with which every count can be
    /// reached
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10))]
    replicas: Option<u32>,
    /// Random executions of the protocol and of each mutant, in each setting
    #[arg(long, value_name = "N", default_value_t = Effort::default().executions)]
    executions: u64,
    /// Random corners of the program, likewise
    #[arg(long, value_name = "N", default_value_t = Effort::default().corners)]
    corners: u64,
    /// The most states of an exhaustive search
    #[arg(long, value_name = "N", default_value_t = Effort::default().states)]
    states: usize,
    /// Do not show progress
    #[arg(long, short)]
    quiet: bool,
}

/// How the optimiser's reading of a file compares with the interpreter's.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Compared {
    /// Random executions of the interpreter: setting, drawn, points of the program, outside of it,
    /// wrong.
    executions: Vec<[String; 5]>,
    /// Random corners of the program: setting, drawn, followed, with a decision, points refused,
    /// given up, without a point, wrong.
    corners: Vec<[String; 8]>,
    /// Why points were refused, with how often.
    reasons: Vec<[String; 2]>,
    /// Optimum and exhaustive search: setting, optimum, best state, how far the search came.
    searched: Vec<[String; 4]>,
    /// Rules: lines, views in which executions do them, in which points of the program do, in which
    /// none can, that are open.
    rules: Vec<[String; 5]>,
    /// Mutants: name, views, optimum of the protocol, of the mutant, whether the verdict changes.
    mutants: Vec<[String; 5]>,
    /// Settings that were not compared, each with why.
    refused: Vec<String>,
    /// Settings that were not compared because the time was over.
    untried: Vec<String>,
    /// What is worth a look.
    warnings: Vec<Warning>,
    /// Where the readings differ, each as short as it was found.
    differences: Vec<Differs>,
    /// Whether time or an interrupt ended it before everything was tried.
    cut_short: bool,
}

/// Something worth a look.
#[derive(Debug, Serialize, JsonSchema)]
struct Warning {
    /// The line, from 1; 0 when the file as a whole is meant.
    line: usize,
    /// The character in the line, from 1; 0 when the file as a whole is meant.
    column: usize,
    /// What it is.
    what: String,
    /// What may be meant.
    hint: String,
}

/// A difference.
#[derive(Debug, Serialize, JsonSchema)]
struct Differs {
    /// What differs.
    what: String,
    /// The instance file of the question.
    instance: String,
    /// Who is faulty, and how.
    faulty: Vec<String>,
    /// The adversary's choices, as `schedule.csv`.
    schedule: String,
    /// What the optimiser's reading predicts, as `predictions.csv`.
    predictions: String,
}

/// The comparison, if it is asked for, and the exit code.
pub(super) fn run(args: &Args, text: &str) -> Result<(u8, Option<Compared>), Error> {
    if args.quick {
        return Ok((exit::DONE, None));
    }
    let protocol = protocol::embedded(text)?;
    let effort = Effort {
        replicas: args.replicas,
        executions: args.executions,
        corners: args.corners,
        states: args.states,
        search_seconds: f64::from(args.seconds) / 9.0,
        seconds: f64::from(args.seconds),
    };
    let mut printer = Printer::new(args.quiet, Some(f64::from(args.seconds)));
    let interrupt = stop::interrupt();
    let mut say = |_: f64, what: &str| printer.say(what, "");
    let checked = protocol_check::check(protocol, &effort, &interrupt, &mut say);
    printer.finish();
    let checked = checked?;
    let compared = Compared::of(&checked);
    compared.show(&args.file.display().to_string());
    let code = if checked.differs() {
        exit::VIOLATION
    } else if interrupt.load(Ordering::SeqCst) {
        exit::INTERRUPTED
    } else if checked.refused.is_empty() {
        exit::DONE
    } else {
        exit::UNDECIDED
    };
    Ok((code, Some(compared)))
}

fn views(views: &BTreeSet<u32>) -> String {
    let views = views.iter().map(u32::to_string);
    views.collect::<Vec<_>>().join(" ")
}

fn value(value: Option<i64>) -> String {
    value.map_or_else(|| "open".to_owned(), |value| value.to_string())
}

fn drawn(it: &Executions) -> [String; 5] {
    let outside: u64 = it.outside.values().sum();
    let reasons: Vec<&str> = it.outside.keys().copied().collect();
    let outside = match outside {
        0 => "0".to_owned(),
        _ => format!("{outside} ({})", reasons.join(", ")),
    };
    let [tried, points, wrong] = [it.tried, it.points, it.wrong].map(|it| it.to_string());
    [it.setting.clone(), tried, points, outside, wrong]
}

fn pulled(it: &Corners) -> [String; 8] {
    let counts = [
        it.tried,
        it.followed,
        it.decide,
        it.refused,
        it.given_up,
        it.none,
        it.wrong,
    ];
    let [tried, followed, decide, refused, given_up, none, wrong] = counts.map(|it| it.to_string());
    let setting = it.setting.clone();
    [
        setting, tried, followed, decide, refused, given_up, none, wrong,
    ]
}

fn warning(at: Option<Position>, what: String, hint: &str) -> Warning {
    Warning {
        line: at.map_or(0, |at| at.line),
        column: at.map_or(0, |at| at.column),
        what,
        hint: hint.to_owned(),
    }
}

fn never(it: &Fires) -> Warning {
    let what = format!("rule `{}` is done in no view of these settings", it.text);
    let hint = if it.open.is_empty() && !it.never.is_empty() {
        "no execution does it, as was proved: a guard may never hold"
    } else {
        "no execution drawn does it; more may"
    };
    warning(Some(it.at), what, hint)
}

fn differs(it: &Difference) -> Differs {
    let faulty = it.faulty.iter();
    let instance = &it.instance;
    Differs {
        what: it.what.clone(),
        instance: write::instance_yaml(instance),
        faulty: faulty
            .map(|(i, kind)| format!("{i} {kind:?}").to_lowercase())
            .collect(),
        schedule: write::choices_csv(&it.schedule.choices),
        predictions: write::predictions_csv(&it.schedule.predictions),
    }
}

impl Compared {
    fn of(checked: &Checked) -> Self {
        let mutants = checked.optima.mutants.iter().map(|it| {
            let changes = match it.changes() {
                Some(true) => "yes",
                Some(false) => "not of agreement",
                None => "open",
            };
            let optima = [it.protocol, it.mutant].map(value);
            let [protocol, mutant] = optima;
            let views = it.views.to_string();
            [it.name.clone(), views, protocol, mutant, changes.to_owned()]
        });
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for (why, count) in checked.corners.iter().flat_map(|it| &it.reasons) {
            *reasons.entry(why).or_default() += count;
        }
        let reasons = reasons.into_iter();
        let reasons = reasons.map(|(why, count)| [why.to_owned(), count.to_string()]);
        let searched = checked.optima.searched.iter().map(|it| {
            let [optimum, found] = [it.optimum, it.found].map(value);
            [it.setting.clone(), optimum, found, it.how.clone()]
        });
        let rules = checked.fires.iter().map(|it| {
            let [done, program, never, open] =
                [&it.executions, &it.program, &it.never, &it.open].map(views);
            [it.lines.to_string(), done, program, never, open]
        });
        let notes = checked.notes.iter();
        let notes = notes.map(|it| warning(it.at, it.what.clone(), &it.hint));
        let nowhere = checked.fires.iter().filter(|it| it.nowhere()).map(never);
        Self {
            executions: checked.executions.iter().map(drawn).collect(),
            corners: checked.corners.iter().map(pulled).collect(),
            reasons: reasons.collect(),
            searched: searched.collect(),
            rules: rules.collect(),
            mutants: mutants.collect(),
            refused: checked.refused.clone(),
            untried: checked.untried.clone(),
            warnings: notes.chain(nowhere).collect(),
            differences: checked.differences().map(differs).collect(),
            cut_short: checked.cut_short,
        }
    }

    fn show(&self, file: &str) {
        let header = ["random executions", "drawn", "points", "outside", "wrong"];
        print::rows(header, self.executions.clone(), &[1, 2]);
        let header = [
            "random corners",
            "drawn",
            "followed",
            "decide",
            "refused",
            "given up",
            "no point",
            "wrong",
        ];
        print::rows(header, self.corners.clone(), &[1, 2, 3, 4, 5, 6, 7]);
        if !self.reasons.is_empty() {
            let header = ["points are refused because", "times"];
            print::rows(header, self.reasons.clone(), &[1]);
        }
        let header = ["exhaustive search", "optimum", "best state", "how"];
        print::rows(header, self.searched.clone(), &[1, 2]);
        let header = ["lines", "done in views", "by the program", "never", "open"];
        print::rows(header, self.rules.clone(), &[]);
        let header = ["mutant", "views", "protocol", "mutated", "verdict changes"];
        print::rows(header, self.mutants.clone(), &[1, 2, 3]);
        for why in &self.refused {
            print::line(&format!("not compared: {why}"));
        }
        for it in &self.warnings {
            let (line, column) = (it.line, it.column);
            print::line(&format!(
                "[{file}:{line}:{column}] {}; {}",
                it.what, it.hint
            ));
        }
        for it in &self.differences {
            let faulty = it.faulty.join(", ");
            print::line(&format!("The readings differ: {}", it.what));
            print::verbatim(&format!("{}\nfaulty: {faulty}", it.instance.trim_end()));
            print::verbatim(it.schedule.trim_end());
            print::verbatim(it.predictions.trim_end());
        }
        if !self.untried.is_empty() {
            print::line(&format!("Not tried: {}.", self.untried.join("; ")));
        }
        if self.cut_short {
            print::line("Not everything was tried: the time was over. --seconds gives more.");
        }
        if self.differences.is_empty() && self.refused.is_empty() && !self.executions.is_empty() {
            print::line("No difference between the optimiser's reading and the interpreter's.");
        }
    }
}
