//! The files of a result and where they belong.

use crate::{Error, error::LIST};
use milp_schema::{
    Choice, Instance, Outcome, ReplicaId, Schedule,
    instance::{FaultKind, Formulation, Who},
    protocol::WRITTEN,
    read, write,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Component, Path, PathBuf},
};

/// The adversary's choices.
pub const SCHEDULE: &str = "schedule.csv";
/// What the model predicts.
pub const PREDICTIONS: &str = "predictions.csv";
/// Where kept results lie.
pub const RESULTS: &str = "results";
/// What the solve found.
pub const OUTCOME: &str = "outcome.yaml";
/// The numbers behind the outcome.
pub const CERTIFICATE: &str = "certificate.csv";
/// What was learned from an engine.
pub const CUTS: &str = "cuts.yaml";
/// What was shown before and is left aside.
pub const SHOWN: &str = "shown.yaml";
/// What its program has as rows that programs of their own prove.
pub const LEMMAS: &str = "lemmas.yaml";
/// What was proved, and of what.
pub const PROOF: &str = "proof.yaml";
/// The question for every n.
pub const QUESTION: &str = "instance.yaml";
/// The programs, for who checks the certificate without anything of ours.
pub const PROGRAM: &str = "program.json";
/// What is said of an attack for every n.
pub const FAMILY: &str = "family.yaml";
/// Its base and steps.
pub const MEMBERS: &str = "family.csv";
/// The question that it answers, whose smallest n the result beside it is about.
pub const ASKED: &str = "question.yaml";
/// Programs for those n and f that it leaves out.
pub const REST: &str = "rest.json";
/// That there is no attack there.
pub const REST_PROOF: &str = "rest.csv";
/// The files of an attack for every n, beside those of its smallest n.
pub(crate) const OF_FAMILY: [&str; 6] = [FAMILY, MEMBERS, ASKED, PROGRAM, REST, REST_PROOF];
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
            return Err(no_schedule(dir, &outcome));
        }
        let schedule = read::schedule(outcome.instance.protocol, dir)?;
        check(&outcome.instance, &schedule, dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            outcome,
            schedule,
        })
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

/// A schedule to drive replicas with, from a result folder or from elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Driven {
    /// Where the schedule lies.
    pub dir: PathBuf,
    /// What it is for.
    pub instance: Instance,
    /// Who is faulty, and how; ascending.
    pub faulty: Vec<(ReplicaId, FaultKind)>,
    /// The choices, and the predictions if there are any.
    pub schedule: Schedule,
    /// Whether there are predictions to compare with.
    pub predicted: bool,
    /// Whether the choices are other ones than the outcome beside them is about.
    pub edited: bool,
}

impl From<&Folder> for Driven {
    fn from(folder: &Folder) -> Self {
        Self {
            dir: folder.dir.clone(),
            instance: folder.outcome.instance.clone(),
            faulty: folder.outcome.faulty.clone(),
            schedule: folder.schedule.clone(),
            predicted: true,
            edited: false,
        }
    }
}

impl Driven {
    /// Reads a schedule from `path`, a result folder or a schedule.csv. The instance and who is
    /// faulty come from the outcome.yaml beside it; `instance` replaces the former, and without
    /// an outcome.yaml the choices say who is faulty. Without a predictions.csv there is nothing
    /// to compare with.
    ///
    /// # Errors
    ///
    /// With every problem of the first broken file, and when nothing says what the schedule is
    /// for.
    pub fn read(path: &Path, instance: Option<&Path>) -> Result<Self, Error> {
        let dir = if path.is_dir() {
            path
        } else {
            // The parent of a bare file name is the empty path, which is no folder to open.
            path.parent()
                .filter(|dir| *dir != Path::new(""))
                .unwrap_or(Path::new("."))
        };
        let file = if path.is_dir() {
            path.join(SCHEDULE)
        } else {
            path.to_owned()
        };
        let outcome = dir.join(OUTCOME);
        let outcome = is_there(&outcome)
            .then(|| read::outcome(&outcome))
            .transpose()?;
        let given = instance.map(read::instance).transpose()?;
        let about = given.as_ref().or(outcome.as_ref().map(|it| &it.instance));
        let Some(protocol) = about.map(|instance| instance.protocol) else {
            return Err(Error::Refused(format!(
                "nothing says what {} is for: there is no {OUTCOME} beside it, give --instance",
                path.display()
            )));
        };
        if let Some(outcome) = &outcome
            && outcome.schedule_sha256.is_none()
            && !is_there(&file)
        {
            return Err(no_schedule(dir, outcome));
        }
        let choices = read::choices(protocol, &file)?;
        let predictions = dir.join(PREDICTIONS);
        let predicted = is_there(&predictions);
        let predictions = if predicted {
            read::predictions(protocol, &predictions)?
        } else {
            Vec::new()
        };
        let schedule = Schedule {
            choices,
            predictions,
        };
        let hash = outcome
            .as_ref()
            .and_then(|outcome| outcome.schedule_sha256.clone());
        let edited = hash.is_some_and(|hash| sha256(&file).is_ok_and(|found| found != hash));
        let (instance, faulty) = match (given, outcome) {
            (Some(given), Some(outcome)) => (given, outcome.faulty),
            (None, Some(outcome)) => (outcome.instance, outcome.faulty),
            (Some(given), None) => {
                let faulty = faulty(&given, &schedule);
                (given, faulty)
            }
            (None, None) => unreachable!("refused above"),
        };
        check(&instance, &schedule, dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            instance,
            faulty,
            schedule,
            predicted,
            edited,
        })
    }
}

/// Who must be faulty for these choices: who injects is Byzantine, who crashes has the fault of
/// the instance that allows it, and whom the instance names is faulty, whatever they do.
fn faulty(instance: &Instance, schedule: &Schedule) -> Vec<(ReplicaId, FaultKind)> {
    let crash = match instance.fault_count(FaultKind::Crash) {
        0 => FaultKind::Network,
        _ => FaultKind::Crash,
    };
    let faulty = schedule.choices.iter().filter_map(|choice| match choice {
        Choice::Inject { copy } => Some((copy.sender, FaultKind::Byzantine)),
        Choice::Crash { replica, .. } => Some((*replica, crash)),
        _ => None,
    });
    let named = instance.faults.iter().flat_map(|fault| match &fault.who {
        Who::These(replicas) => replicas.iter().map(|id| (*id, fault.kind)).collect(),
        Who::Any(_) | Who::Power(_) => Vec::new(),
    });
    faulty
        .chain(named)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn check(instance: &Instance, schedule: &Schedule, dir: &Path) -> Result<(), Error> {
    let file = dir.join(SCHEDULE);
    Ok(read::check_schedule(
        instance,
        schedule,
        &file.to_string_lossy(),
    )?)
}

fn no_schedule(dir: &Path, outcome: &Outcome) -> Error {
    let dir = dir.display();
    Error::Refused(format!("{dir} holds no schedule: {}", outcome.sentence))
}

/// SHA-256 of a file, lower-case hex.
pub(crate) fn sha256(path: &Path) -> Result<String, Error> {
    Ok(write::sha256_hex(&read::bytes(path)?))
}

/// Whether there is anything of that name, whatever it is: what is no file is not passed over but
/// read, which says so.
pub(crate) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The files of a solve; without a schedule the outcome, and a certificate and a protocol file if
/// there are such.
pub fn files(
    outcome: &Outcome,
    schedule: Option<&Schedule>,
    certificate: Option<&str>,
) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::from([(
        OUTCOME.to_owned(),
        write::outcome_yaml(outcome).into_bytes(),
    )]);
    if let Some(text) = outcome.instance.protocol.given() {
        files.insert(WRITTEN.to_owned(), text.as_bytes().to_vec());
    }
    if let Some(text) = certificate {
        files.insert(CERTIFICATE.to_owned(), text.as_bytes().to_vec());
    }
    if let Some(schedule) = schedule {
        files.insert(
            SCHEDULE.to_owned(),
            write::choices_csv(&schedule.choices).into_bytes(),
        );
        files.insert(
            PREDICTIONS.to_owned(),
            write::predictions_csv(&schedule.predictions).into_bytes(),
        );
    }
    files
}

/// Writes a result: the folder appears whole, in place of an earlier result and of nothing else.
///
/// # Errors
///
/// Whatever the file system reports, and when the folder holds a file that is no part of a result.
pub fn write(dir: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
    write::folder(dir, files, &is_part_of_a_result).map_err(Error::io("write", dir))
}

/// Makes sure that a result may replace `dir`: it is not there yet, empty, or an earlier result.
/// To be asked before a long solve; a mistyped folder must not lose its files.
///
/// # Errors
///
/// When something else is there, a kept result included.
pub fn replaceable(dir: &Path) -> Result<(), Error> {
    holds_only(dir, &is_part_of_a_result, "give another --out")
}

/// Removes an earlier result, if there is one and nothing else.
///
/// # Errors
///
/// As for [`replaceable`], and whatever the file system reports.
pub fn remove(dir: &Path) -> Result<(), Error> {
    replaceable(dir)?;
    if dir.is_dir() {
        std::fs::remove_dir_all(dir).map_err(Error::io("remove", dir))?;
    }
    Ok(())
}

/// Makes sure that `dir` is not there, or a folder of files that are all `ours`.
pub(crate) fn holds_only(
    dir: &Path,
    ours: &dyn Fn(&str) -> bool,
    instead: &str,
) -> Result<(), Error> {
    if dir.exists() && !dir.is_dir() {
        return Err(Error::Refused(format!(
            "{} is a file, expected a folder",
            dir.display()
        )));
    }
    if !dir.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir).map_err(Error::io(LIST, dir))? {
        let entry = entry.map_err(Error::io(LIST, dir))?;
        let name = entry.file_name();
        let file = entry.file_type().is_ok_and(|kind| !kind.is_dir());
        if !file || !name.to_str().is_some_and(ours) {
            return Err(Error::Refused(format!(
                "{} is not replaced: it holds {}, which is no part of a result; {instead}",
                dir.display(),
                name.display()
            )));
        }
    }
    Ok(())
}

pub(crate) fn is_part_of_a_result(name: &str) -> bool {
    [
        SCHEDULE,
        PREDICTIONS,
        OUTCOME,
        CERTIFICATE,
        CUTS,
        SHOWN,
        LEMMAS,
        WRITTEN,
        PROOF,
        QUESTION,
        PROGRAM,
    ]
    .contains(&name)
        || OF_FAMILY.contains(&name)
        || ["report.html", "report.svg", "report.png"].contains(&name)
        || between(name, "trace.", ".ndjson")
        || between(name, "verdict.", ".yaml")
        // What a killed replay or report left.
        || write::temporary_of(name).is_some_and(is_part_of_a_result)
}

fn between(name: &str, start: &str, end: &str) -> bool {
    name.strip_prefix(start)
        .and_then(|rest| rest.strip_suffix(end))
        .is_some()
}

/// Where results of an instance belong below `out/` or `results/`, without `.yaml`: its path below
/// the innermost folder named `instances`; for an instance that lies elsewhere its path below the
/// current folder, or its whole path, so that files of one name in two folders have two places.
///
/// # Errors
///
/// When the path has no file name.
pub fn place(instance: &Path) -> Result<PathBuf, Error> {
    if instance.file_name().is_none() {
        let instance = instance.display();
        return Err(Error::Refused(format!("{instance} names no file")));
    }
    let below = match below(instance, "instances") {
        Some(below) => below,
        None => here(instance)?,
    };
    Ok(below.with_extension(""))
}

/// The path from the current folder on, or from the root on where it lies elsewhere, without a
/// step upwards.
pub(crate) fn here(path: &Path) -> Result<PathBuf, Error> {
    let current = std::env::current_dir().map_err(Error::io("find", "the current folder"))?;
    let whole = plain(&current.join(path));
    let below = whole.strip_prefix(plain(&current)).unwrap_or(&whole);
    Ok(below
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect())
}

/// The path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// A result that lies where another one is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The command line that it was made with.
    pub command: String,
    /// Whether that names the same file, which has changed since.
    pub changed: bool,
}

/// The result in `dir`, or the first of several there, if it is of another instance than this one
/// in `file`, a folder where the result is made of one. What a sequence of results changes in the
/// instance is left aside.
pub fn held(dir: &Path, instance: &Instance, file: &Path) -> Option<Held> {
    let entries = std::fs::read_dir(dir).ok()?;
    let mut results: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    results.sort();
    results.insert(0, dir.to_owned());
    let outcomes = results
        .iter()
        .map(|dir| (dir, read::outcome(&dir.join(OUTCOME))));
    let (result, outcome) = outcomes
        .into_iter()
        .find_map(|(dir, outcome)| Some((dir, outcome.ok()?)))?;
    let mut instance = instance.clone();
    if result != dir {
        instance.budget = outcome.instance.budget;
        instance.faults.clone_from(&outcome.instance.faults);
    }
    let slots = match Formulation::named(&outcome.formulation) {
        // As many as its schedule takes.
        Some(formulation) if !formulation.knows_slots() => instance.slots,
        _ => outcome.instance.slots,
    };
    let known = Instance {
        slots,
        formulation: instance.formulation,
        ..outcome.instance
    };
    if known == instance {
        return None;
    }
    let file = here(file).ok();
    let mut words = outcome.command.split(' ');
    let changed = words.any(|word| here(Path::new(word)).ok() == file);
    Some(Held {
        command: outcome.command,
        changed,
    })
}

/// The part of `path` below its innermost folder `name`; nothing when what is below is empty or
/// climbs out again.
pub(crate) fn below(path: &Path, name: &str) -> Option<PathBuf> {
    let parts = path.components().collect::<Vec<_>>();
    let at = parts
        .iter()
        .rposition(|part| part.as_os_str() == OsStr::new(name))?;
    down(&parts[at + 1..])
}

/// The path of these parts, if it leads down and nowhere else.
pub(crate) fn down(parts: &[Component<'_>]) -> Option<PathBuf> {
    let leads = parts
        .iter()
        .all(|part| matches!(part, Component::Normal(_)));
    (leads && !parts.is_empty()).then(|| parts.iter().collect())
}

#[cfg(test)]
mod tests;
