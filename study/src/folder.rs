//! The files of a result and where they belong.

use crate::Error;
use milp_schema::{Outcome, Schedule, read, write};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Component, Path, PathBuf},
};

/// The adversary's choices.
pub const SCHEDULE: &str = "schedule.csv";
/// What the model predicts.
pub const PREDICTIONS: &str = "predictions.csv";
/// What the solve found.
pub const OUTCOME: &str = "outcome.yaml";
/// What a replay must find for ever.
pub const EXPECTED: &str = "expected.yaml";

/// A result as it lies in a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Folder {
    /// Where.
    pub dir: PathBuf,
    /// What the solve found, the whole instance included.
    pub outcome: Outcome,
    /// The choices and predictions, checked against the instance.
    pub schedule: Schedule,
}

impl Folder {
    /// Reads the outcome and the schedule of a result folder.
    ///
    /// # Errors
    ///
    /// With every problem of the first broken file; with words when the solve left no schedule.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        if !dir.is_dir() {
            return Err(Error::Refused(format!(
                "{} is not a folder: expected the folder of a result, as `milp solve` writes it",
                dir.display()
            )));
        }
        let outcome = read::outcome(&dir.join(OUTCOME))?;
        if outcome.schedule_sha256.is_none() {
            return Err(Error::Refused(format!(
                "{} holds no schedule, the solve found none: {}",
                dir.display(),
                outcome.sentence
            )));
        }
        let schedule = read::schedule(dir)?;
        read::check_schedule(&outcome.instance, &schedule, &dir.join(SCHEDULE))?;
        Ok(Self { dir: dir.to_owned(), outcome, schedule })
    }

    /// SHA-256 of schedule.csv as it lies on the disk, lower-case hex.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn schedule_sha256(&self) -> Result<String, Error> {
        sha256(&self.dir.join(SCHEDULE))
    }

    /// SHA-256 of predictions.csv as it lies on the disk, lower-case hex.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn predictions_sha256(&self) -> Result<String, Error> {
        sha256(&self.dir.join(PREDICTIONS))
    }
}

/// SHA-256 of a file, lower-case hex.
pub(crate) fn sha256(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    Ok(write::sha256_hex(&bytes))
}

/// The files of a solve; without a schedule the outcome alone.
pub fn files(outcome: &Outcome, schedule: Option<&Schedule>) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::from([(OUTCOME.to_owned(), write::outcome_yaml(outcome).into_bytes())]);
    if let Some(schedule) = schedule {
        files.insert(SCHEDULE.to_owned(), write::choices_csv(schedule).into_bytes());
        files.insert(PREDICTIONS.to_owned(), write::predictions_csv(schedule).into_bytes());
    }
    files
}

/// Where results of an instance belong below `out/` or `results/`: its path below the innermost
/// folder named `instances`, without `.yaml`; the bare name for an instance that lies elsewhere.
///
/// # Errors
///
/// When the path has no file name.
pub fn place(instance: &Path) -> Result<PathBuf, Error> {
    let below = below(instance, "instances")
        .or_else(|| instance.file_name().map(PathBuf::from))
        .ok_or_else(|| Error::Refused(format!("{} names no file", instance.display())))?;
    Ok(below.with_extension(""))
}

/// The part of `path` below its innermost folder `name`; nothing when what is below is empty or
/// climbs out again.
pub(crate) fn below(path: &Path, name: &str) -> Option<PathBuf> {
    let parts = path.components().collect::<Vec<_>>();
    let at = parts.iter().rposition(|part| part.as_os_str() == OsStr::new(name))?;
    let rest = &parts[at + 1..];
    let plain = rest.iter().all(|part| matches!(part, Component::Normal(_)));
    (plain && !rest.is_empty()).then(|| rest.iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_lie_where_their_instance_lies() {
        let place = |path: &str| place(Path::new(path)).unwrap().to_str().unwrap().to_owned();
        assert_eq!(place("instances/n4.yaml"), "n4");
        assert_eq!(place("/a/instances/b/instances/dbft2/n4-fork.yaml"), "dbft2/n4-fork");
        assert_eq!(place("elsewhere/mine.yaml"), "mine");
        assert_eq!(place("instances/../mine.yaml"), "mine");
        assert_eq!(place("./instances/dbft1/n4.two.yaml"), "dbft1/n4.two");
    }

    #[test]
    fn a_path_without_a_file_name_is_refused() {
        assert!(place(Path::new("..")).is_err());
    }
}
