//! Readers: every file is judged whole, and all that is wrong is reported together, each problem
//! with its place, what was expected and what to do.

mod certificate;
mod check;
mod every;
pub(crate) mod fields;
pub(crate) mod format;
mod instance;
mod outcome;
pub(crate) mod problem;
mod rows;
mod schedule;
mod sweep;
pub(crate) mod tree;

pub use problem::{Problem, Quote, ReadError};

pub(crate) use format::current as current_format;

use crate::{
    Choice, Every, Evidence, Instance, Outcome, Prediction, Protocol, Schedule, Verdict,
    sweep::Sweep,
    write::{CHOICE_COLUMNS, PREDICTION_COLUMNS, choice_cells, prediction_cells},
};
use problem::{CSV_BYTES, MOST_BYTES, Place, Problems, YAML_BYTES, bytes_of, text_of};
use serde::de::DeserializeOwned;
use std::path::Path;

/// Where a text finds the file of a protocol that does not come with the program.
#[derive(Debug, Clone, Copy)]
pub enum Near<'a> {
    /// Nowhere.
    Nothing,
    /// In this folder or below.
    Folder(&'a Path),
    /// In this folder, under the name that it has beside a result, [`WRITTEN`](crate::protocol::WRITTEN).
    Result(&'a Path),
    /// This is its text, and that is its name.
    Text(&'a str),
}

impl<'a> Near<'a> {
    /// The text that stands beside another one, if there is any.
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Nothing, Self::Text)
    }
}

/// The bytes of any file of ours.
///
/// # Errors
/// When it is missing, unreadable, no regular file, or larger than any file of ours.
pub fn bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    bytes_of(path, MOST_BYTES)
}

/// The text of any file of ours.
///
/// # Errors
/// As for [`bytes`], and when it is not UTF-8.
pub fn text(path: &Path) -> Result<String, ReadError> {
    text_of(path, MOST_BYTES).map(|(_, text)| text)
}

/// Reads an instance file.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn instance(path: &Path) -> Result<Instance, ReadError> {
    let (file, text) = text_of(path, YAML_BYTES)?;
    instance_near(&file, &text, Near::Folder(folder_of(path)))
}

/// Reads the text of an instance file; `file` is the name that problems are reported under. It has no
/// folder, so its protocol is one that comes with the program.
///
/// # Errors
/// Everything that is wrong with the text.
pub fn instance_text(file: &str, text: &str) -> Result<Instance, ReadError> {
    instance_near(file, text, Near::Nothing)
}

/// Reads the text of an instance file that may name a protocol file.
///
/// # Errors
/// Everything that is wrong with the text, or with the protocol file.
pub fn instance_near(file: &str, text: &str, near: Near<'_>) -> Result<Instance, ReadError> {
    let mut problems = Problems::new(file);
    let tree = tree::parse(text, &mut problems);
    let instance = tree.and_then(|tree| self::instance::convert(&tree, near, &mut problems));
    problems.finish(instance, &|line, column| Quote::of(text, line, column))
}

/// Reads an instance file that may ask for every number of replicas (`replicas: any`); none if it
/// asks for one number, which [`instance`] then reads.
///
/// # Errors
/// Everything that is wrong with a file that does ask for that.
pub fn every(path: &Path) -> Result<Option<Every>, ReadError> {
    let (file, text) = text_of(path, YAML_BYTES)?;
    every_near(&file, &text, Near::Folder(folder_of(path)))
}

/// The same of a question that lies in the folder of its result.
///
/// # Errors
/// As for [`every`].
pub fn every_of_result(path: &Path) -> Result<Option<Every>, ReadError> {
    let (file, text) = text_of(path, YAML_BYTES)?;
    every_near(&file, &text, Near::Result(folder_of(path)))
}

/// Reads the text of such a file.
///
/// # Errors
/// As for [`every`].
pub fn every_near(file: &str, text: &str, near: Near<'_>) -> Result<Option<Every>, ReadError> {
    let mut problems = Problems::new(file);
    let tree = tree::parse(text, &mut problems);
    let Some(tree) = tree.filter(|tree| self::every::any(tree).is_some()) else {
        return Ok(None);
    };
    let every = self::every::convert(&tree, near, &mut problems);
    let quote = |line, column| Quote::of(text, line, column);
    problems.finish(every, &quote).map(Some)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Reads a sweep file, and the instance it starts from if that is a file of its own. The
/// combinations are not judged here; each is the text of an instance file.
///
/// # Errors
/// Everything that is wrong with the file, or with the syntax of the other one.
pub fn sweep(path: &Path) -> Result<Sweep, ReadError> {
    let (file, text) = text_of(path, YAML_BYTES)?;
    let folder = folder_of(path);
    sweep_text(&file, &text, folder)
}

/// Reads the text of a sweep file; `file` is the name that problems are reported under, `folder`
/// what the path of the base is relative to.
///
/// # Errors
/// As for [`sweep`].
pub fn sweep_text(file: &str, text: &str, folder: &Path) -> Result<Sweep, ReadError> {
    let mut problems = Problems::new(file);
    let tree = tree::parse(text, &mut problems);
    let sweep = tree.and_then(|tree| self::sweep::convert(&tree, folder, &mut problems));
    problems.finish(sweep, &|line, column| Quote::of(text, line, column))
}

/// Reads a `schedule.csv`.
///
/// # Errors
/// Everything that is wrong with the file, rows that no execution can have included;
/// [`check_schedule`] compares it with an instance.
pub fn choices(protocol: Protocol, path: &Path) -> Result<Vec<Choice>, ReadError> {
    let (file, text) = text_of(path, CSV_BYTES)?;
    choices_text(protocol, &file, &text)
}

/// Reads the text of a `schedule.csv`; `file` is the name that problems are reported under.
///
/// # Errors
/// As for [`choices`].
pub fn choices_text(protocol: Protocol, file: &str, text: &str) -> Result<Vec<Choice>, ReadError> {
    let mut problems = Problems::new(file);
    let rows = self::schedule::choices(protocol, text, &mut problems);
    check::choices(protocol, &rows, &mut problems);
    let choices = rows.into_iter().map(|(_, choice)| choice).collect();
    problems.finish(Some(choices), &|line, column| Quote::of(text, line, column))
}

/// Reads a `predictions.csv`.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn predictions(protocol: Protocol, path: &Path) -> Result<Vec<Prediction>, ReadError> {
    let (file, text) = text_of(path, CSV_BYTES)?;
    predictions_text(protocol, &file, &text)
}

/// Reads the text of a `predictions.csv`; `file` is the name that problems are reported under.
///
/// # Errors
/// Everything that is wrong with the text.
pub fn predictions_text(
    protocol: Protocol,
    file: &str,
    text: &str,
) -> Result<Vec<Prediction>, ReadError> {
    let mut problems = Problems::new(file);
    let rows = self::schedule::predictions(protocol, text, &mut problems);
    check::predictions(protocol, &rows, &mut problems);
    let predictions = rows.into_iter().map(|(_, prediction)| prediction).collect();
    problems.finish(Some(predictions), &|line, column| {
        Quote::of(text, line, column)
    })
}

/// Reads a `certificate.csv`.
///
/// # Errors
/// Everything that is wrong with the file; whether it proves anything is not read here.
pub fn certificate(path: &Path) -> Result<Evidence, ReadError> {
    let (file, text) = text_of(path, CSV_BYTES)?;
    certificate_text(&file, &text)
}

/// Reads the text of a `certificate.csv`; `file` is the name that problems are reported under.
///
/// # Errors
/// As for [`certificate`].
pub fn certificate_text(file: &str, text: &str) -> Result<Evidence, ReadError> {
    let mut problems = Problems::new(file);
    let evidence = self::certificate::convert(text, &mut problems);
    problems.finish(Some(evidence), &|line, column| {
        Quote::of(text, line, column)
    })
}

/// Reads `schedule.csv` and `predictions.csv` of a folder.
///
/// # Errors
/// Everything that is wrong with the two files.
pub fn schedule(protocol: Protocol, folder: &Path) -> Result<Schedule, ReadError> {
    let choices = choices(protocol, &folder.join("schedule.csv"));
    let predictions = predictions(protocol, &folder.join("predictions.csv"));
    match (choices, predictions) {
        (Ok(choices), Ok(predictions)) => Ok(Schedule {
            choices,
            predictions,
        }),
        (Err(first), Err(second)) => Err(first.and(second)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// Checks that a schedule is possible and fits the instance: ranges of all indices, deliveries
/// after sends and not earlier than `delay_min`, ascending slots, one fate per copy, injections
/// and crashes only by replicas that may be faulty in that way.
///
/// `file` is the `schedule.csv` the choices came from, or its folder; problems of predictions
/// are reported under the `predictions.csv` beside it. Rows are taken to be in lines 2, 3, …
/// and spelled as they are written, without quotes.
///
/// # Errors
/// Everything that is wrong.
pub fn check_schedule(
    instance: &Instance,
    schedule: &Schedule,
    file: &str,
) -> Result<(), ReadError> {
    let path = Path::new(file);
    let (choices_file, predictions_file) = if path.extension().is_some_and(|end| end == "csv") {
        (path.to_owned(), path.with_file_name("predictions.csv"))
    } else {
        (path.join("schedule.csv"), path.join("predictions.csv"))
    };
    let choices = check::as_written(&schedule.choices, choice_cells);
    let mut problems = Problems::new(&choices_file.display().to_string());
    check::choices(instance.protocol, &choices, &mut problems);
    check::against_instance(instance, &choices, &mut problems);
    let rows = |at: usize| {
        schedule
            .choices
            .get(at)
            .map(|it| choice_cells(it).join(","))
    };
    let first = problems.finish(Some(()), &|line, column| {
        written(&CHOICE_COLUMNS, &rows, line, column)
    });

    let predictions = check::as_written(&schedule.predictions, prediction_cells);
    let mut problems = Problems::new(&predictions_file.display().to_string());
    check::predictions(instance.protocol, &predictions, &mut problems);
    check::predictions_against_instance(instance, &choices, &predictions, &mut problems);
    let rows = |at: usize| {
        schedule
            .predictions
            .get(at)
            .map(|it| prediction_cells(it).join(","))
    };
    let second = problems.finish(Some(()), &|line, column| {
        written(&PREDICTION_COLUMNS, &rows, line, column)
    });
    match (first, second) {
        (Err(first), Err(second)) => Err(first.and(second)),
        (first, second) => first.and(second),
    }
}

/// What would stand at a place if the rows were in a file, below their header.
fn written(
    header: &[&str],
    rows: &dyn Fn(usize) -> Option<String>,
    line: usize,
    column: usize,
) -> Option<Quote> {
    let first = line.checked_sub(1)?.max(1);
    let lines = (first..=line + 1).filter_map(|line| match line {
        1 => Some(header.join(",")),
        _ => rows(line - 2),
    });
    let lines = lines.collect::<Vec<_>>().join("\n");
    let quote = Quote::of(&lines, line + 1 - first, column)?;
    Some(Quote { first, ..quote })
}

/// Reads an `outcome.yaml`.
///
/// # Errors
/// Everything that is wrong with the file, the instance in it included.
pub fn outcome(path: &Path) -> Result<Outcome, ReadError> {
    let (file, text) = text_of(path, YAML_BYTES)?;
    outcome_near(&file, &text, Near::Result(folder_of(path)))
}

/// Reads the text of an `outcome.yaml`; `file` is the name that problems are reported under.
///
/// # Errors
/// As for [`outcome`].
pub fn outcome_text(file: &str, text: &str) -> Result<Outcome, ReadError> {
    outcome_near(file, text, Near::Nothing)
}

/// Reads the text of an `outcome.yaml` whose instance may name a protocol file.
///
/// # Errors
/// As for [`outcome`].
pub fn outcome_near(file: &str, text: &str, near: Near<'_>) -> Result<Outcome, ReadError> {
    let mut problems = Problems::new(file);
    let tree = tree::parse(text, &mut problems);
    let outcome = tree.and_then(|tree| self::outcome::convert(&tree, near, &mut problems));
    problems.finish(outcome, &|line, column| Quote::of(text, line, column))
}

/// Reads a `verdict.<engine>.yaml`.
///
/// # Errors
/// What is wrong with the file.
pub fn verdict(path: &Path) -> Result<Verdict, ReadError> {
    yaml(path, "verdict")
}

/// Reads any other YAML file of ours; `kind` is the middle of its `format: milp-<kind>/2.0`,
/// which the type must have as a field (`format: String`).
///
/// # Errors
/// Syntax, duplicate keys and the version are reported as for an instance; of what does not fit
/// the type, the first problem is.
pub fn yaml<T: DeserializeOwned>(path: &Path, kind: &str) -> Result<T, ReadError> {
    let (file, text) = text_of(path, YAML_BYTES)?;
    yaml_text(&file, &text, kind)
}

/// [`yaml`] from text; `file` is the name that problems are reported under.
///
/// # Errors
/// As for [`yaml`].
pub fn yaml_text<T: DeserializeOwned>(file: &str, text: &str, kind: &str) -> Result<T, ReadError> {
    let mut problems = Problems::new(file);
    let value = tree::parse(text, &mut problems).and_then(|tree| {
        let fields = fields::Fields::any(&tree, &format!("a {kind}"), &mut problems)?;
        if !format::check(&fields, kind, &mut problems) {
            return None;
        }
        typed(text, &mut problems)
    });
    problems.finish(value, &|line, column| Quote::of(text, line, column))
}

fn typed<T: DeserializeOwned>(text: &str, problems: &mut Problems) -> Option<T> {
    match serde_saphyr::from_str(text) {
        Ok(value) => Some(value),
        Err(error) => {
            let place = error.location().map_or(Place::START, |at| Place {
                line: at.line() as usize,
                column: at.column() as usize,
            });
            // The message repeats the place in words and may quote the file below.
            let message = error.without_snippet().to_string();
            let line = message.lines().next().unwrap_or_default();
            let what = line.split(" at line ").next().unwrap_or(line).to_owned();
            problems.at(place, what, "compare with a file that this version wrote");
            None
        }
    }
}
