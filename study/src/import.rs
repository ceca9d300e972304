//! Results made of what other programs wrote.

mod embedded;
mod imported;
mod model;
mod trace;

pub use embedded::{embedded, is_edited};
pub use imported::{INSTANCE, Imported};
pub use model::model;

use crate::{
    Error, evidence,
    folder::{Driven, OUTCOME},
    sentence, solve,
};
use imported::carried_files;
use milp_model::Built;
use milp_schema::{
    Evidence, Instance, Outcome,
    outcome::{Certificate, Termination},
    read, write,
};
use milp_show::{
    export::{read_itf, read_twins},
    report::Embedded,
};
use milp_solver::{Settings, exact};
use std::{
    path::{Component, Path, PathBuf},
    sync::atomic::AtomicBool,
};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A page that `milp report` wrote.
    Report,
    /// A trace in the Informal Trace Format that was written here.
    Itf,
    /// A trace of the TLA+ model, written here or by a model checker.
    Model,
    /// Scenarios of Twins.
    Twins,
    /// A solution of some solver for an exported program.
    Solution,
}

impl Kind {
    /// What a text is, by what stands in it.
    pub fn of(text: &str) -> Option<Self> {
        if trace::is_in(text) {
            return Some(Self::Model);
        }
        if text.trim_start().starts_with('{') {
            let value = serde_json::from_str::<serde_json::Value>(text).ok()?;
            let has = |key: &str| value.get(key).is_some();
            return if has("states") {
                Some(Self::Itf)
            } else if has("scenarios") {
                Some(Self::Twins)
            } else {
                None
            };
        }
        if Embedded::is_in(text) {
            return Some(Self::Report);
        }
        milp_solver::is_solution(text).then_some(Self::Solution)
    }
}

/// The files of the first or the second run that a report shows, byte for byte.
///
/// # Errors
///
/// When it is no report, or has no second run, or the run's name leads out of `out/`.
pub fn report(file: &str, html: &str, second: bool) -> Result<Imported, Error> {
    let mut embedded = embedded(file, html)?;
    let at = usize::from(second);
    if at >= embedded.runs.len() {
        return Err(Error::Refused(format!(
            "{file} shows one run, there is no second"
        )));
    }
    let run = embedded.runs.swap_remove(at);
    let place = PathBuf::from(&run.name);
    // The name is from the file, and must not lead elsewhere.
    let mut components = place.components();
    if run.name.is_empty() || !components.all(|it| matches!(it, Component::Normal(_))) {
        return Err(Error::Refused(format!(
            "the run is called `{}`, which is no path below out/",
            run.name
        )));
    }
    let sentence = if is_edited(&run)? {
        "the files of the run that the report shows, byte for byte; schedule.csv is not the one \
         outcome.yaml is about, it was edited"
    } else {
        "the files of the run that the report shows, byte for byte"
    };
    let files = run.files.into_iter();
    Ok(Imported {
        files: files
            .map(|(name, text)| (name, text.into_bytes()))
            .collect(),
        lost: Vec::new(),
        sentence: sentence.to_owned(),
        place: Some(place),
    })
}

/// A trace that `milp export --itf` wrote: the same schedule again.
///
/// # Errors
///
/// When it is none.
pub fn itf(file: &str, text: &str) -> Result<Imported, Error> {
    Ok(carried_files(&read_itf(file, text)?))
}

/// The first scenario of a file of Twins as an instance and choices.
///
/// # Errors
///
/// When it is no such file.
pub fn twins(file: &str, text: &str) -> Result<Imported, Error> {
    let skeleton = read_twins(file, text)?;
    Ok(Imported {
        files: imported::skeleton(&skeleton.instance, &skeleton.schedule.choices),
        lost: skeleton.lost,
        sentence: "a schedule in the spirit of the scenario, without predictions".to_owned(),
        place: None,
    })
}

/// A solution of the instance's program, certified row by row in exact integers: a result that a
/// replay takes. No bound comes with it.
///
/// # Errors
///
/// When the file has no point of this program, or the point violates a row: the first ones are
/// named.
pub fn solution(
    file: &str,
    text: &str,
    instance: &Instance,
    command: &str,
) -> Result<Imported, Error> {
    let built = milp_model::build(instance)?;
    let program = built.program();
    let point = milp_solver::read_solution(program, text)
        .map_err(|why| Error::Refused(format!("{file}: {why}")))?;
    exact::certify(program, &point).map_err(|violations| {
        let first = violations.iter().take(5).cloned().collect::<Vec<_>>();
        Error::Refused(format!(
            "{file}: the point is none of the program: {}",
            first.join("; ")
        ))
    })?;
    let decoded = built.decode(&point)?;
    let evidence = Evidence {
        parts: evidence::point(&built, &point, &decoded.schedule, &decoded.faulty),
    };
    let primal = program.value(&point);
    let asked_slots = instance.slots;
    let instance = Instance {
        slots: decoded.slots,
        ..instance.clone()
    };
    let schedule = decoded.schedule;
    let hash = write::sha256_hex(write::choices_csv(&schedule.choices).as_bytes());
    let mut outcome = Outcome {
        termination: Termination::Feasible,
        primal: Some(primal),
        dual: None,
        proved: false,
        nodes: 0,
        seconds: 0.0,
        formulation: built.formulation().name().to_owned(),
        certificate: Certificate::None,
        program: Some(evidence::digest(program)),
        certificate_sha256: evidence::hash(&evidence),
        sentence: String::new(),
        faulty: decoded.faulty,
        schedule_sha256: Some(hash),
        instance,
        asked_slots,
        command: command.to_owned(),
        run: vec![("milp".to_owned(), env!("CARGO_PKG_VERSION").to_owned())],
    };
    outcome.run.extend(solve::of_a_file(&outcome.instance));
    outcome.sentence = sentence::again(&outcome, Some(&schedule), "");
    let certificate = evidence::text(&evidence);
    let files = crate::folder::files(&outcome, Some(&schedule), certificate.as_deref());
    Ok(Imported {
        sentence: outcome.sentence,
        files,
        lost: Vec::new(),
        place: None,
    })
}

/// The point of a schedule as a solution file of `HiGHS` for the exported program. Columns that
/// serve the goal only are completed by a search with all others fixed; where a formulation takes
/// no schedules, the point is the one beside it.
///
/// # Errors
///
/// When the schedule is no point of the program.
pub fn solution_of(driven: &Driven) -> Result<String, Error> {
    let instance = &driven.instance;
    let built = milp_model::build(instance)?;
    let point = match built.encode(&driven.schedule, &driven.faulty) {
        Ok(known) => completed(&built, &known)?,
        Err(why) => beside(&built, driven, &why)?,
    };
    exact::certify(built.program(), &point).map_err(|violations| {
        Error::Refused(format!(
            "the schedule is no point of the program: {}",
            violations.join("; ")
        ))
    })?;
    Ok(milp_solver::solution(
        built.program(),
        &point,
        status(&driven.dir),
    ))
}

/// The point that the certificate beside the schedule names, if it is about this program.
fn beside(built: &Built, driven: &Driven, why: &str) -> Result<Vec<i64>, Error> {
    let refused = || Error::Refused(format!("the schedule is no point of the program: {why}"));
    let outcome = read::outcome(&driven.dir.join(OUTCOME)).map_err(|_| refused())?;
    let kept = evidence::kept(built, &driven.dir, &outcome, &driven.schedule)?;
    kept.ok_or_else(refused)
}

/// The whole point of which `known` is a part.
fn completed(built: &Built, known: &[Option<i64>]) -> Result<Vec<i64>, Error> {
    let mut fixed = built.program().clone();
    for (column, value) in fixed.columns.iter_mut().zip(known) {
        if let Some(value) = value {
            (column.lower, column.upper) = (*value, *value);
        }
    }
    let settings = Settings {
        time_limit_seconds: 600.0,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove: false,
        presolve: true,
        warm_start: None,
        options: Vec::new(),
    };
    let solved = milp_solver::solve(&fixed, &settings, &AtomicBool::new(false), &mut |_| ())?;
    solved.point.ok_or_else(|| {
        Error::Refused("the schedule is no point of the program: a row forbids it".to_owned())
    })
}

/// The model status that the outcome beside the schedule stands for.
fn status(dir: &Path) -> &'static str {
    let outcome = milp_schema::read::outcome(&dir.join(OUTCOME));
    match outcome.map(|outcome| outcome.termination) {
        Ok(Termination::Optimal) => "Optimal",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_what_stands_in_them() {
        assert_eq!(Kind::of("{\"states\": []}"), Some(Kind::Itf));
        assert_eq!(Kind::of(" {\"scenarios\": []}"), Some(Kind::Twins));
        assert_eq!(Kind::of("{}"), None);
        let raw = "Model status\nOptimal\n\n# Columns 1\nx 1\n";
        assert_eq!(Kind::of(raw), Some(Kind::Solution));
        assert_eq!(Kind::of("Columns\n"), Some(Kind::Solution));
        let cbc = "Optimal - objective value 1.00000000\n";
        assert_eq!(Kind::of(cbc), Some(Kind::Solution));
        assert_eq!(Kind::of("slot,choice\n"), None);
    }
}
