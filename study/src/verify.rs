//! Checks a result again from its instance, its schedule and its certificate, and believes no
//! number in it.
//!
//! Everything an outcome says of the question is derived again and compared: the program (by its
//! digest), the incumbent row by row, the value, the bound, termination, gap, sentence, who is
//! faulty, the hashes, and what `run` tells of the answer. What it says of the search (`nodes`,
//! `seconds`, `command`, the rest of `run`) changes nothing about the answer and is not looked at.

mod told;
mod verified;

pub use verified::{Bound, Horizon, Verified};

use crate::{
    Error,
    beside::{Beside, Further},
    clock::Clock,
    confirm::{self, Engine, How},
    evidence,
    folder::{self, CERTIFICATE, Driven, Folder, OUTCOME, SCHEDULE},
    learn::cuts::Cuts,
    sentence,
    solve::{self, VALUES, leaves_values_open},
};
use milp_model::{Built, formulation};
use milp_replay::Recovery;
use milp_schema::{
    Evidence, Instance, Outcome, Schedule, Slot,
    instance::Formulation,
    outcome::{Certificate, Termination},
    read,
};
use milp_solver::{
    Again, Progress, Searcher, Settings,
    cubes::{self, Closed},
    exact,
};
use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

/// What to check and how far.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// A result folder or its outcome.yaml.
    pub path: &'a Path,
    /// How to search again where the bound rests on searches; not at all if `None`.
    pub resolve: Option<(Searcher, &'a Settings)>,
}

/// Checks a result.
///
/// # Errors
///
/// When a file is missing or broken, when the outcome is from before there were certificates, or
/// when the solver breaks down. What is not as claimed is no error.
pub fn verify(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Verified, Error> {
    let dir = folder_of(request.path)?;
    let outcome = read::outcome(&dir.join(OUTCOME))?;
    let mut check = Check::of(&dir, outcome)?;
    check.program();
    if check.differences.is_empty() {
        check.incumbent()?;
        check.bound(request.resolve, interrupt, progress)?;
        check.claims();
        check.told(request.resolve, interrupt, progress)?;
    }
    Ok(check.finish())
}

/// [`verify`] of a folder without a solver.
///
/// # Errors
///
/// As for [`verify`].
pub fn unsolved(dir: &Path) -> Result<Verified, Error> {
    let request = Request {
        path: dir,
        resolve: None,
    };
    verify(&request, &AtomicBool::new(false), &mut |_| ())
}

/// The folder that a path means.
fn folder_of(path: &Path) -> Result<PathBuf, Error> {
    if path.is_dir() {
        return Ok(path.to_owned());
    }
    let whole = path.is_file() && path.file_name().is_some_and(|name| name == OUTCOME);
    let parent = path.parent().filter(|_| whole);
    let parent = parent.ok_or_else(|| {
        Error::Refused(format!(
            "{} is not a result: expected its folder or its {OUTCOME}",
            path.display()
        ))
    })?;
    // The parent of a bare file name is the empty path, which is no folder to open.
    Ok(if parent == Path::new("") {
        PathBuf::from(".")
    } else {
        parent.to_owned()
    })
}

struct Check {
    dir: PathBuf,
    outcome: Outcome,
    further: Further,
    built: Built,
    evidence: Evidence,
    differences: Vec<String>,
    value: Option<i64>,
    /// What the incumbent says, where it is a schedule.
    schedule: Option<Schedule>,
    closed: Closed,
    bound: Bound,
    horizon: Horizon,
}

impl Check {
    /// Reads what the outcome names and builds its program.
    fn of(dir: &Path, outcome: Outcome) -> Result<Self, Error> {
        if outcome.program.is_none() {
            return Err(Error::Refused(format!(
                "{} has no certificate, it was written before there were any: solve the instance \
                 again",
                dir.join(OUTCOME).display()
            )));
        }
        let path = dir.join(CERTIFICATE);
        let mut differences = Vec::new();
        let mut evidence = match &outcome.certificate_sha256 {
            Some(hash) => {
                if folder::sha256(&path)? != *hash {
                    differences.push(format!(
                        "certificate_sha256: {CERTIFICATE} is another one than {OUTCOME} is about"
                    ));
                }
                read::certificate(&path)?
            }
            None => Evidence::default(),
        };
        let further = Further::read(dir)?;
        let (built, other) = rebuilt(&outcome, further.beside())?;
        differences.extend(other);
        differences.extend(further.check(&outcome, &mut evidence)?);
        Ok(Self {
            dir: dir.to_owned(),
            further,
            built,
            evidence,
            differences,
            value: None,
            schedule: None,
            closed: Closed::default(),
            bound: Bound::Word,
            horizon: Horizon::Unclaimed,
            outcome,
        })
    }

    fn differs(&mut self, key: &str, found: impl std::fmt::Display) {
        self.differences.push(format!("{key}: {found}"));
    }

    /// The program is the one that was solved.
    fn program(&mut self) {
        let found = evidence::digest(self.built.program());
        if self.outcome.program.as_ref() != Some(&found) {
            self.differs(
                "program",
                format!(
                    "the instance gives {} columns x {} rows with SHA-256 {}",
                    found.columns, found.rows, found.sha256
                ),
            );
        }
    }

    /// The point is one of the program, and what replicas do.
    fn incumbent(&mut self) -> Result<(), Error> {
        if self.outcome.primal.is_none() {
            if self.evidence.point().next().is_some() {
                self.differs("primal", format!("{CERTIFICATE} has a point"));
            }
            return Ok(());
        }
        let folder = Folder::read(&self.dir)?;
        if folder.outcome.schedule_sha256.as_ref() != Some(&folder.schedule_sha256()?) {
            self.differs(
                "schedule_sha256",
                format!("{SCHEDULE} is another one than {OUTCOME} is about"),
            );
        }
        let faulty = &self.outcome.faulty;
        let point = evidence::completed(&self.built, &self.evidence, &folder.schedule, faulty);
        let point = match point {
            Ok(point) => point,
            Err(why) => {
                self.differs(CERTIFICATE, why);
                return Ok(());
            }
        };
        let program = self.built.program();
        if let Err(violations) = exact::certify(program, &point) {
            let more = violations.len() - 1;
            let first = &violations[0];
            self.differs(
                "incumbent",
                format!("it is no point of the program, {first} (and {more} more)"),
            );
            return Ok(());
        }
        let value = program.value(&point);
        if self.outcome.primal != Some(value) {
            self.differs("primal", format!("the incumbent's value is {value}"));
        }
        self.value = Some(value);
        self.decoded(&folder, &point);
        if !self.loosened() {
            self.replayed(&folder)?;
        }
        self.schedule = Some(folder.schedule);
        Ok(())
    }

    /// Whether the program allows acts that the rules forbid.
    fn loosened(&self) -> bool {
        self.further.cuts.as_ref().is_some_and(Cuts::loosen)
    }

    /// The point says the schedule, and nothing but it; of a schedule with fewer acts than what is
    /// made of its point, the schedule says the point.
    fn decoded(&mut self, folder: &Folder, point: &[i64]) {
        let (schedule, faulty) = (&folder.schedule, &self.outcome.faulty);
        let last = Slot(self.outcome.instance.slots);
        let within = schedule.choices.iter().all(|it| it.slot() <= last);
        if self.built.orders_acts()
            && within
            && evidence::is_said(&self.built, point, schedule, faulty)
        {
            return;
        }
        let decoded = match self.built.decode(point) {
            Ok(decoded) => decoded,
            Err(why) => return self.differs("incumbent", why),
        };
        if decoded.schedule.choices != folder.schedule.choices {
            self.differs(SCHEDULE, "the point stands for other choices");
        }
        if decoded.schedule.predictions != folder.schedule.predictions {
            self.differs(folder::PREDICTIONS, "the point predicts other events");
        }
        if decoded.faulty != self.outcome.faulty {
            self.differs("faulty", "in the point others are");
        }
        if decoded.slots != self.outcome.instance.slots {
            self.differs(
                "instance",
                format!("the schedule takes {} slots", decoded.slots),
            );
        }
    }

    /// Replicas do what is predicted.
    fn replayed(&mut self, folder: &Folder) -> Result<(), Error> {
        let how = How {
            symbolic: true,
            recovery: Recovery::Ideal,
            compare: true,
        };
        let replayed = Driven::from(folder).replay(&Engine::Own, how)?;
        let verdict = &replayed.verdict;
        if !verdict.confirms() {
            self.differs(
                "replay",
                format!(
                    "the replicas differ from the predictions in {} places, and {} rows could not \
                     happen",
                    verdict.divergences.unwrap_or(0),
                    verdict.impossible
                ),
            );
        }
        let Outcome {
            instance, primal, ..
        } = &self.outcome;
        if let Err(why) = confirm::shows(instance, *primal, verdict) {
            self.differs("replay", why);
        }
        Ok(())
    }

    /// Nothing is better.
    fn bound(
        &mut self,
        resolve: Option<(Searcher, &Settings)>,
        interrupt: &AtomicBool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(), Error> {
        if self.outcome.certificate == Certificate::None {
            if self.evidence.cubes().next().is_some() {
                self.differs("certificate", format!("{CERTIFICATE} has one"));
            }
            return Ok(());
        }
        let program = self.built.program();
        let checked = match self.value {
            Some(value) => {
                let meaning = self.built.meaning();
                let exchange = |first, second| self.built.exchange(first, second);
                cubes::check(program, &meaning, &exchange, value, self.evidence.cubes())
            }
            None if self.outcome.primal.is_some() => return Ok(()),
            None => searched_only(&self.evidence),
        };
        match checked {
            Ok(closed) => self.closed = closed,
            Err(why) => {
                self.differs("certificate", why);
                return Ok(());
            }
        }
        let bound = self.value.unwrap_or_default() as f64;
        if leaves_values_open(&self.built, self.outcome.instance.goal, bound) {
            self.differs(
                "certificate",
                "the program has no more values than are decided",
            );
        }
        let expected = certificate(&self.closed, &self.evidence, self.value);
        if expected != self.outcome.certificate {
            self.differs("certificate", format!("what was checked is {expected:?}"));
        }
        let searches = self.closed.searched.len();
        self.bound = match (searches, resolve) {
            (0, _) => Bound::Exact,
            (_, None) => Bound::Searches(searches),
            (_, Some(how)) => self.again(how, interrupt, progress)?,
        };
        Ok(())
    }

    /// Searches again where two searches said that there is nothing.
    fn again(
        &mut self,
        (searcher, settings): (Searcher, &Settings),
        interrupt: &AtomicBool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Bound, Error> {
        let searched = self.closed.searched.clone();
        let clock = Clock::start(settings, interrupt);
        let mut silent = 0;
        for (seed, path) in &searched {
            let program = cubes::within(self.built.program(), path)?;
            let left = clock.settings(settings);
            let answer = milp_solver::again_by(
                searcher, &program, self.value, *seed, &left, interrupt, progress,
            )?;
            match answer {
                Again::Nothing => {}
                Again::Better(value) => {
                    self.differs("certificate", format!("a search finds the value {value}"));
                }
                Again::Silence => silent += 1,
            }
        }
        Ok(if silent > 0 {
            Bound::Searches(silent)
        } else {
            Bound::SearchedAgain(searched.len())
        })
    }

    /// What follows from the incumbent and the bound is what the outcome says.
    fn claims(&mut self) {
        let proved = self.outcome.certificate != Certificate::None;
        if self.outcome.proved != proved {
            self.differs("proved", format!("it is {proved}"));
        }
        let value = self.value.or(self.outcome.primal);
        // Without a certificate the bound is the solver's word, and what it says may be compared
        // with itself only.
        let closed = proved || self.outcome.dual == value.map(|value| value as f64);
        let termination = match value {
            Some(_) if closed => Termination::Optimal,
            Some(_) => Termination::Feasible,
            None if proved || self.outcome.termination == Termination::Infeasible => {
                Termination::Infeasible
            }
            None => Termination::Undecided,
        };
        if self.outcome.termination != termination {
            self.differs("termination", format!("it is {termination:?}"));
        }
        let dual = match termination {
            Termination::Optimal => value.map(|value| value as f64),
            Termination::Infeasible => None,
            Termination::Feasible | Termination::Undecided => self.outcome.dual,
        };
        if self.outcome.dual != dual {
            self.differs("dual", format!("it is {dual:?}"));
        }
        let claimed = Outcome {
            termination,
            primal: value,
            dual,
            proved,
            ..self.outcome.clone()
        };
        let schedule = self.schedule.as_ref();
        let sentence = sentence::again(&claimed, schedule, &self.further.relative());
        if self.outcome.sentence != sentence {
            self.differs("sentence", format!("what follows is: {sentence}"));
        }
    }

    fn finish(self) -> Verified {
        Verified {
            driven: !self.loosened(),
            among: self
                .further
                .shown
                .map_or_else(String::new, |shown| shown.relative()),
            believed: self
                .further
                .cuts
                .filter(|cuts| !cuts.is_empty())
                .map(|cuts| cuts.relative()),
            cubes: (self.closed.exact, self.closed.symmetric),
            outcome: self.outcome,
            differences: self.differences,
            value: self.value,
            bound: self.bound,
            horizon: self.horizon,
        }
    }
}

/// The program of an outcome, in the formulation it names, and what is wrong with that name.
pub(crate) fn rebuilt(
    outcome: &Outcome,
    beside: Beside<'_>,
) -> Result<(Built, Option<String>), Error> {
    let asked = outcome.instance.formulation;
    let (formulation, differs) = match Formulation::named(&outcome.formulation) {
        Some(named) if [named, Formulation::Auto].contains(&asked) => (named, None),
        _ => {
            let why = "formulation: the instance asks for another, or none has that name";
            (asked, Some(why.to_owned()))
        }
    };
    let instance = Instance {
        formulation,
        ..outcome.instance.clone()
    };
    // How many values the program has is in the outcome only.
    let mut values = outcome.run.iter().filter(|(key, _)| key == VALUES);
    let values = values.next().and_then(|it| it.1.parse::<u32>().ok());
    let built = match (solve::build(&instance, beside)?, values) {
        (Built::Levels(_) | Built::Counts(_), Some(values)) => {
            formulation::with_values(&instance, formulation, values)?
        }
        (built, _) => built,
    };
    Ok((built, differs))
}

/// A program without a point is claimed to be empty, which only searches say.
fn searched_only(evidence: &Evidence) -> Result<Closed, String> {
    let mut cubes = evidence.cubes();
    match (cubes.next(), cubes.next()) {
        (Some(&milp_schema::certificate::Part::Searched { seed }), None) => Ok(Closed {
            searched: vec![(seed, Vec::new())],
            ..Closed::default()
        }),
        _ => Err("without a schedule only two searches can say that there is none".to_owned()),
    }
}

/// What the outcome must say of a tree that was checked.
pub(crate) fn certificate(closed: &Closed, evidence: &Evidence, value: Option<i64>) -> Certificate {
    let split = evidence.cubes().count() > 1;
    match (closed.searched.as_slice(), closed.bound) {
        ([(seed, _)], None) if !split => Certificate::PermutedInfeasible { seed: *seed },
        ([], Some(bound)) if !split => Certificate::SafeDualBound { bound },
        // Searches speak about what is better than the value, no matter how much.
        (searched, bound) => Certificate::Cubes {
            bound: value.or(bound).unwrap_or_default(),
            exact: closed.exact,
            symmetric: closed.symmetric,
            searched: searched.len() as u32,
        },
    }
}
