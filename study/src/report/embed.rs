//! The schedule inside a report, and how it is taken out again.

use super::run::{INSTANCE, Run};
use crate::{
    Error,
    folder::{CERTIFICATE, CUTS, OUTCOME, PREDICTIONS, SCHEDULE, SHOWN},
};
use milp_schema::{Schedule, read};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the embedded document says it is; older minors are read, other majors are not.
const FORMAT: &str = "milp-report/1.0";
/// The element around the document.
const START: &str = "<script type=\"application/json\" id=\"milp-report\">";
const END: &str = "</script>";

/// The files of the runs that a report shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedded {
    /// [`FORMAT`].
    format: String,
    /// The runs, at most two.
    pub runs: Vec<EmbeddedRun>,
}

/// The files of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedRun {
    /// What the run is called.
    pub name: String,
    /// Who acted.
    pub engine: String,
    /// Name to text, byte for byte.
    pub files: BTreeMap<String, String>,
}

/// JSON that may stand in HTML: nothing in it ends or begins an element.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Error> {
    let json = serde_json::to_string(value).map_err(|error| Error::Write {
        what: "a report",
        why: error.to_string(),
    })?;
    Ok(json
        .replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029"))
}

/// The element that holds the files of some runs.
pub(crate) fn element(runs: &[&Run]) -> Result<String, Error> {
    let embedded = Embedded {
        format: FORMAT.to_owned(),
        runs: runs
            .iter()
            .map(|run| EmbeddedRun {
                name: run.name.clone(),
                engine: run.engine.clone(),
                files: run.files.clone(),
            })
            .collect(),
    };
    Ok(format!("{START}{}{END}\n", json(&embedded)?))
}

impl Embedded {
    /// Whether a text is a page with files in it.
    pub(crate) fn is_in(text: &str) -> bool {
        text.contains(START)
    }

    /// Takes the files out of the text of a report and judges them as the files of a folder;
    /// `file` is the name that problems are reported under.
    ///
    /// # Errors
    ///
    /// When there are none, when a newer version made them, or with what is wrong with them.
    pub fn read(file: &str, html: &str) -> Result<Self, Error> {
        let refuse = |why: String| Error::Refused(format!("{file} {why}"));
        let none = || refuse("is no report: it has no embedded schedule".to_owned());
        let (_, rest) = html.split_once(START).ok_or_else(none)?;
        let (json, _) = rest.split_once(END).ok_or_else(none)?;
        let value: serde_json::Value = serde_json::from_str(json)
            .map_err(|error| refuse(format!("has a broken embedded schedule: {error}")))?;
        let format = value["format"].as_str().unwrap_or_default().to_owned();
        if !format.starts_with("milp-report/1.") {
            return Err(refuse(format!(
                "has an embedded schedule of format `{format}`, and this version reads {FORMAT}"
            )));
        }
        let embedded: Self = serde_json::from_value(value)
            .map_err(|error| refuse(format!("has a broken embedded schedule: {error}")))?;
        for run in &embedded.runs {
            run.check(file)?;
        }
        if embedded.runs.is_empty() {
            return Err(none());
        }
        Ok(embedded)
    }
}

impl EmbeddedRun {
    /// Makes sure that the files are what a folder of a result has, and fit together.
    fn check(&self, file: &str) -> Result<(), Error> {
        let known = [
            SCHEDULE,
            PREDICTIONS,
            OUTCOME,
            INSTANCE,
            CERTIFICATE,
            CUTS,
            SHOWN,
        ];
        if let Some(name) = self.files.keys().find(|it| !known.contains(&it.as_str())) {
            return Err(Error::Refused(format!(
                "{file} embeds `{name}`, which is no file of a result"
            )));
        }
        let text = |name: &str| self.files.get(name).map(String::as_str);
        let at = |name: &str| format!("{name} in {file}");
        let lacks = |name: &str| Error::Refused(format!("{file} embeds no {name}"));
        let choices = text(SCHEDULE).ok_or_else(|| lacks(SCHEDULE))?;
        let choices = read::choices_text(&at(SCHEDULE), choices)?;
        let predictions = match text(PREDICTIONS) {
            Some(text) => read::predictions_text(&at(PREDICTIONS), text)?,
            None => Vec::new(),
        };
        let instance = match (text(OUTCOME), text(INSTANCE)) {
            (Some(outcome), _) => {
                let outcome = read::outcome_text(&at(OUTCOME), outcome)?;
                let certificate = text(CERTIFICATE);
                if outcome.certificate_sha256.is_some() && certificate.is_none() {
                    return Err(lacks(CERTIFICATE));
                }
                certificate
                    .map(|text| read::certificate_text(&at(CERTIFICATE), text))
                    .transpose()?;
                outcome.instance
            }
            (None, Some(text)) => read::instance_text(&at(INSTANCE), text)?,
            (None, None) => return Err(lacks(OUTCOME)),
        };
        let schedule = Schedule {
            choices,
            predictions,
        };
        Ok(read::check_schedule(&instance, &schedule, file)?)
    }

    /// Whether the embedded choices are those that the embedded outcome is about.
    ///
    /// # Errors
    ///
    /// With what is wrong with the outcome.
    pub fn is_edited(&self) -> Result<bool, Error> {
        let (Some(outcome), Some(schedule)) = (self.files.get(OUTCOME), self.files.get(SCHEDULE))
        else {
            return Ok(false);
        };
        let hash = read::outcome_text(OUTCOME, outcome)?.schedule_sha256;
        let found = milp_schema::write::sha256_hex(schedule.as_bytes());
        Ok(hash.is_some_and(|hash| hash != found))
    }
}
