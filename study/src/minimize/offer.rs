//! A schedule with fewer acts and what it has to agree with before it is offered.

use super::fewest::Stage;
use crate::{
    Error, evidence,
    folder::{self, CERTIFICATE, Driven, Folder},
    sentence::{self, Said},
};
use milp_schema::{
    Act, Evidence, Outcome, ReplicaId, Schedule, Verdict,
    instance::{FaultKind, Goal},
    read, write,
};
use milp_show::acts::{self, name};
use std::collections::BTreeMap;

/// A schedule with the fewest acts.
#[derive(Debug, Clone)]
pub struct Minimized {
    /// As of a solve: the value is the one given, the run says what was minimised.
    pub outcome: Outcome,
    /// The schedule.
    pub schedule: Schedule,
    /// The bound of the one given, and the point of this schedule.
    pub evidence: Evidence,
    /// One entry for each kind of act the instance knows.
    pub stages: Vec<Stage>,
    /// What the replicas did with the schedule.
    pub verdict: Verdict,
    /// Whether an interrupt came before the last stage was settled.
    pub interrupted: bool,
    /// How many acts were left when no replay could do without one more; `None` where none was
    /// undone.
    pub left: Option<i64>,
    /// How many acts of each kind replicas can do with in a schedule that the program leaves out, where
    /// that is less.
    pub beyond: Option<BTreeMap<Act, i64>>,
}

impl Minimized {
    /// Whether every stage has its certificate.
    pub fn proved(&self) -> bool {
        self.stages.iter().all(|stage| stage.proved)
    }

    /// What the result says.
    pub fn said(&self) -> Said {
        Said::again(&self.outcome, Some(&self.schedule))
    }

    /// Whether fewer acts do, in words.
    pub fn claim(&self) -> &'static str {
        if self.proved() {
            "proved minimal, in this order"
        } else {
            "not proved minimal"
        }
    }

    /// The files of the result, by name.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let certificate = evidence::text(&self.evidence);
        folder::files(&self.outcome, Some(&self.schedule), certificate.as_deref())
    }

    /// How the schedule was found, where that was by undoing acts.
    pub fn found(&self) -> Option<String> {
        let left = self.left?;
        let after: i64 = self.stages.iter().map(|stage| stage.after).sum();
        let acts = milp_show::words::count(left, "act");
        Some(if after == left {
            format!("found by deleting acts: {acts} left")
        } else {
            format!("deleting left {acts}, a search {after}")
        })
    }

    /// What replicas can do with where the program knows no such schedule.
    pub fn without_program(&self) -> Option<String> {
        let some = self
            .beyond
            .as_ref()?
            .iter()
            .filter(|(_, count)| **count > 0);
        let some = some.map(|(act, count)| milp_show::words::count(*count, name(*act)));
        Some(format!(
            "replicas can do with less, in a schedule that the program leaves out and `milp ask` \
             keeps: {}",
            some.collect::<Vec<_>>().join(", ")
        ))
    }

    /// The counts in one sentence, say "proved minimal, in this order: 3 late or missing copies
    /// (before 8), 2 timer requests (before 5)".
    pub fn words(&self) -> String {
        let counts = self.stages.iter().map(|stage| {
            let count = milp_show::words::count(stage.after, name(stage.act));
            let (before, least) = (stage.before, stage.least);
            if stage.proved {
                format!("{count} (before {before})")
            } else {
                format!("{count} (before {before}; at least {least})")
            }
        });
        let counts = counts.collect::<Vec<_>>().join(", ");
        format!("{}: {counts}", self.claim())
    }
}

/// What a schedule with fewer acts has to agree with.
pub(super) struct Offer<'a> {
    pub(super) from: &'a Folder,
    pub(super) given: &'a Verdict,
    pub(super) command: &'a str,
    pub(super) interrupted: bool,
    /// As [`Minimized::left`].
    pub(super) left: Option<i64>,
}

impl Offer<'_> {
    /// The result with that schedule, if its replay says what that of the one given says.
    pub(super) fn checked(
        &self,
        (schedule, faulty): (Schedule, Vec<(ReplicaId, FaultKind)>),
        evidence: Evidence,
        stages: Vec<Stage>,
    ) -> Result<Minimized, Error> {
        let mut minimized = Minimized {
            outcome: Outcome {
                faulty,
                schedule_sha256: Some(write::sha256_hex(
                    write::choices_csv(&schedule.choices).as_bytes(),
                )),
                certificate_sha256: evidence::hash(&evidence),
                command: self.command.to_owned(),
                ..self.from.outcome.clone()
            },
            evidence,
            verdict: self.given.clone(),
            interrupted: self.interrupted,
            left: self.left,
            beyond: None,
            schedule,
            stages,
        };
        let schedule = Some(&minimized.schedule);
        minimized.outcome.sentence = sentence::again(&minimized.outcome, schedule, "");
        minimized.outcome.run.retain(|(key, _)| key != "acts");
        let words = minimized.words();
        minimized.outcome.run.push(("acts".to_owned(), words));
        agree(self.from, &mut minimized, self.given)?;
        Ok(minimized)
    }
}

/// What the result given leaves for a stranger.
pub(super) fn given_evidence(from: &Folder) -> Result<Evidence, Error> {
    match from.outcome.certificate_sha256 {
        Some(_) => Ok(read::certificate(&from.dir.join(CERTIFICATE))?),
        None => Ok(Evidence::default()),
    }
}

/// The replay of the new schedule says what that of the old one says, and what was counted in the
/// program is what the schedule has.
fn agree(from: &Folder, minimized: &mut Minimized, given: &Verdict) -> Result<(), Error> {
    let instance = &from.outcome.instance;
    let found = Driven {
        dir: from.dir.clone(),
        instance: instance.clone(),
        faulty: minimized.outcome.faulty.clone(),
        schedule: minimized.schedule.clone(),
        predicted: true,
        edited: false,
    }
    .followed()?;
    // Of good views it is asked how many pass, not what else is broken or comes behind the last.
    let all = !matches!(instance.goal, Goal::Wasted { .. });
    let same = |verdict: &Verdict| {
        let others = all.then(|| (verdict.properties(), verdict.termination));
        (others, verdict.wasted, verdict.guilty)
    };
    if same(&found) != same(given) {
        return Err(Error::Refused(format!(
            "the schedule with the fewest acts is not offered, its replay says otherwise: {}",
            found.notes.join("; ")
        )));
    }
    let has = acts::counts(instance, &minimized.schedule, &minimized.outcome.faulty);
    for stage in &minimized.stages {
        let count = has[&stage.act];
        if count != stage.after {
            return Err(Error::Refused(format!(
                "the schedule has {}, the program counted {}: a defect here",
                milp_show::words::count(count, name(stage.act)),
                stage.after
            )));
        }
    }
    minimized.verdict = found;
    Ok(())
}
