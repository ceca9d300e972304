//! The schedule inside a report, and how it is taken out again.

use super::run::Run;
use crate::Error;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the embedded document says it is; nothing else is read.
const FORMAT: &str = "milp-report/2.0";
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
    pub fn is_in(text: &str) -> bool {
        text.contains(START)
    }

    /// Takes the files out of the text of a report, as they are; `file` is the name that problems are
    /// reported under.
    ///
    /// # Errors
    ///
    /// When there are none, or when another version made them.
    pub fn read(file: &str, html: &str) -> Result<Self, Error> {
        let refuse = |why: String| Error::Refused(format!("{file} {why}"));
        let none = || refuse("is no report: it has no embedded schedule".to_owned());
        let (_, rest) = html.split_once(START).ok_or_else(none)?;
        let (json, _) = rest.split_once(END).ok_or_else(none)?;
        let value: serde_json::Value = serde_json::from_str(json)
            .map_err(|error| refuse(format!("has a broken embedded schedule: {error}")))?;
        let format = value["format"].as_str().unwrap_or_default().to_owned();
        if format != FORMAT {
            return Err(refuse(format!(
                "has an embedded schedule of format `{format}`, and this version reads {FORMAT}; make \
                 the report anew, or use the version of milp it is from"
            )));
        }
        let embedded: Self = serde_json::from_value(value)
            .map_err(|error| refuse(format!("has a broken embedded schedule: {error}")))?;
        if embedded.runs.is_empty() {
            return Err(none());
        }
        Ok(embedded)
    }
}
