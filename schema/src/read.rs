//! Readers: every file is judged whole, and all that is wrong is reported together, each problem
//! with its place, what was expected and what to do.

mod certificate;
mod check;
mod fields;
mod format;
mod instance;
mod outcome;
mod problem;
mod rows;
mod sweep;
pub(crate) mod tree;

pub use problem::{Problem, ReadError};

pub(crate) use format::{MAJOR, current as current_format, minor};

use crate::{
    Choice, Evidence, Instance, Outcome, Prediction, Schedule, Verdict,
    sweep::Sweep,
    write::{choice_cells, prediction_cells},
};
use problem::{Place, Problems, text_of};
use serde::de::DeserializeOwned;
use std::path::Path;

/// Reads an instance file.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn instance(path: &Path) -> Result<Instance, ReadError> {
    let (file, text) = text_of(path)?;
    instance_text(&file, &text)
}

/// Reads the text of an instance file; `file` is the name that problems are reported under.
///
/// # Errors
/// Everything that is wrong with the text.
pub fn instance_text(file: &str, text: &str) -> Result<Instance, ReadError> {
    let mut problems = Problems::new(file);
    let tree = tree::parse(text, &mut problems);
    let instance = tree.and_then(|tree| self::instance::convert(&tree, &mut problems));
    problems.finish(instance)
}

/// Reads a sweep file, and the instance it starts from if that is a file of its own. The
/// combinations are not judged here; each is the text of an instance file.
///
/// # Errors
/// Everything that is wrong with the file, or with the syntax of the other one.
pub fn sweep(path: &Path) -> Result<Sweep, ReadError> {
    let (file, text) = text_of(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
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
    problems.finish(sweep)
}

/// Reads a `schedule.csv`.
///
/// # Errors
/// Everything that is wrong with the file, rows that no execution can have included;
/// [`check_schedule`] compares it with an instance.
pub fn choices(path: &Path) -> Result<Vec<Choice>, ReadError> {
    let (file, text) = text_of(path)?;
    choices_text(&file, &text)
}

/// Reads the text of a `schedule.csv`; `file` is the name that problems are reported under.
///
/// # Errors
/// As for [`choices`].
pub fn choices_text(file: &str, text: &str) -> Result<Vec<Choice>, ReadError> {
    let mut problems = Problems::new(file);
    let rows = rows::choices(text, &mut problems);
    check::choices(&rows, &mut problems);
    problems.finish(Some(rows.into_iter().map(|(_, choice)| choice).collect()))
}

/// Reads a `predictions.csv`.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn predictions(path: &Path) -> Result<Vec<Prediction>, ReadError> {
    let (file, text) = text_of(path)?;
    predictions_text(&file, &text)
}

/// Reads the text of a `predictions.csv`; `file` is the name that problems are reported under.
///
/// # Errors
/// Everything that is wrong with the text.
pub fn predictions_text(file: &str, text: &str) -> Result<Vec<Prediction>, ReadError> {
    let mut problems = Problems::new(file);
    let rows = rows::predictions(text, &mut problems);
    check::predictions(&rows, &mut problems);
    problems.finish(Some(
        rows.into_iter().map(|(_, prediction)| prediction).collect(),
    ))
}

/// Reads a `certificate.csv`.
///
/// # Errors
/// Everything that is wrong with the file; whether it proves anything is not read here.
pub fn certificate(path: &Path) -> Result<Evidence, ReadError> {
    let (file, text) = text_of(path)?;
    certificate_text(&file, &text)
}

/// Reads the text of a `certificate.csv`; `file` is the name that problems are reported under.
///
/// # Errors
/// As for [`certificate`].
pub fn certificate_text(file: &str, text: &str) -> Result<Evidence, ReadError> {
    let mut problems = Problems::new(file);
    let evidence = self::certificate::convert(text, &mut problems);
    problems.finish(Some(evidence))
}

/// Reads `schedule.csv` and `predictions.csv` of a folder.
///
/// # Errors
/// Everything that is wrong with the two files.
pub fn schedule(folder: &Path) -> Result<Schedule, ReadError> {
    let choices = choices(&folder.join("schedule.csv"));
    let predictions = predictions(&folder.join("predictions.csv"));
    match (choices, predictions) {
        (Ok(choices), Ok(predictions)) => Ok(Schedule {
            choices,
            predictions,
        }),
        (choices, predictions) => {
            let problems = [choices.err(), predictions.err()];
            let problems = problems
                .into_iter()
                .flatten()
                .flat_map(|error| error.problems);
            Err(ReadError {
                problems: problems.collect(),
            })
        }
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
    check::choices(&choices, &mut problems);
    check::against_instance(instance, &choices, &mut problems);
    let first = problems.finish(Some(()));

    let predictions = check::as_written(&schedule.predictions, prediction_cells);
    let mut problems = Problems::new(&predictions_file.display().to_string());
    check::predictions(&predictions, &mut problems);
    check::predictions_against_instance(instance, &choices, &predictions, &mut problems);
    let second = problems.finish(Some(()));

    let found: Vec<Problem> = [first, second]
        .into_iter()
        .filter_map(Result::err)
        .flat_map(|error| error.problems)
        .collect();
    if found.is_empty() {
        Ok(())
    } else {
        Err(ReadError { problems: found })
    }
}

/// Reads an `outcome.yaml`.
///
/// # Errors
/// Everything that is wrong with the file, the instance in it included.
pub fn outcome(path: &Path) -> Result<Outcome, ReadError> {
    let (file, text) = text_of(path)?;
    outcome_text(&file, &text)
}

/// Reads the text of an `outcome.yaml`; `file` is the name that problems are reported under.
///
/// # Errors
/// As for [`outcome`].
pub fn outcome_text(file: &str, text: &str) -> Result<Outcome, ReadError> {
    let mut problems = Problems::new(file);
    let tree = tree::parse(text, &mut problems);
    let outcome = tree.and_then(|tree| self::outcome::convert(&tree, &mut problems));
    problems.finish(outcome)
}

/// Reads a `verdict.<engine>.yaml`.
///
/// # Errors
/// What is wrong with the file.
pub fn verdict(path: &Path) -> Result<Verdict, ReadError> {
    yaml(path, "verdict")
}

/// Reads any other YAML file of ours; `kind` is the middle of its `format: milp-<kind>/1.x`,
/// which the type must have as a field (`format: String`).
///
/// # Errors
/// Syntax, duplicate keys and the version are reported as for an instance; of what does not fit
/// the type, the first problem is.
pub fn yaml<T: DeserializeOwned>(path: &Path, kind: &str) -> Result<T, ReadError> {
    let (file, text) = text_of(path)?;
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
    problems.finish(value)
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
