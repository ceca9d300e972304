//! That a combination ended and how: of which instance, with which limits, by which version.

use super::row::State;
use crate::{
    Error,
    folder::{self, OUTCOME, SCHEDULE},
};
use milp_schema::{Outcome, read, write};
use milp_solver::Settings;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// `ended/NAME.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stamp {
    format: String,
    milp: String,
    instance_sha256: String,
    limits: String,
    outcome_sha256: String,
    /// `invalid` or `failed`, if the solve left no outcome, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    without: Option<(String, String)>,
}

fn path(out: &Path, name: &str) -> PathBuf {
    out.join("ended").join(format!("{name}.yaml"))
}

fn result(out: &Path, name: &str) -> PathBuf {
    out.join("results").join(name)
}

impl Stamp {
    /// What a solve of that instance file is about.
    pub(crate) fn of(text: &str, settings: &Settings) -> Self {
        Self {
            format: "milp-sweep-row/2.0".to_owned(),
            milp: env!("CARGO_PKG_VERSION").to_owned(),
            instance_sha256: write::sha256_hex(text.as_bytes()),
            limits: super::child::limits(settings).join(" "),
            outcome_sha256: String::new(),
            without: None,
        }
    }

    /// How an earlier solve ended, if it was of the same and what it left is whole.
    pub(crate) fn still_holds(&self, out: &Path, name: &str) -> Option<State> {
        let mut found: Self = read::yaml(&path(out, name), "sweep-row").ok()?;
        if let Some((state, why)) = found.without.take() {
            return match state.as_str() {
                _ if found != *self => None,
                "invalid" => Some(State::Invalid(why)),
                _ => Some(State::Failed(why)),
            };
        }
        let outcome = self.outcome(&found, out, name)?;
        Some(State::Solved(Box::new(outcome)))
    }

    fn outcome(&self, found: &Self, out: &Path, name: &str) -> Option<Outcome> {
        let dir = result(out, name);
        let digest = folder::sha256(&dir.join(OUTCOME)).ok()?;
        let expected = Self {
            outcome_sha256: digest,
            ..self.clone()
        };
        if *found != expected {
            return None;
        }
        let outcome = read::outcome(&dir.join(OUTCOME)).ok()?;
        let schedule = folder::sha256(&dir.join(SCHEDULE)).ok();
        (outcome.schedule_sha256 == schedule).then_some(outcome)
    }

    /// Says that the result is whole.
    pub(crate) fn write(&self, out: &Path, name: &str) -> Result<(), Error> {
        let stamp = Self {
            outcome_sha256: folder::sha256(&result(out, name).join(OUTCOME))?,
            ..self.clone()
        };
        stamp.put(out, name)
    }

    /// Says that the solve left no outcome: the word for it, and why.
    pub(crate) fn write_without(
        self,
        out: &Path,
        name: &str,
        state: &str,
        why: &str,
    ) -> Result<(), Error> {
        let without = Some((state.to_owned(), why.to_owned()));
        Self { without, ..self }.put(out, name)
    }

    fn put(&self, out: &Path, name: &str) -> Result<(), Error> {
        let text = write::yaml(self);
        let path = path(out, name);
        write::file(&path, text.as_bytes()).map_err(Error::io("write", path))
    }
}

/// Takes away an earlier result and what says that it is whole.
pub(crate) fn forget(out: &Path, name: &str) -> Result<(), Error> {
    let (stamp, dir) = (path(out, name), result(out, name));
    if stamp.exists() {
        std::fs::remove_file(&stamp).map_err(Error::io("remove", &stamp))?;
    }
    if dir.exists() {
        folder::replaceable(&dir)?;
        std::fs::remove_dir_all(&dir).map_err(Error::io("remove", &dir))?;
    }
    Ok(())
}
