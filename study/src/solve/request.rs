//! What is asked of a solve, and what it gives back.

use super::adequacy::Adequacy;
use crate::{
    Error, evidence,
    folder::{self, Driven, Folder},
    sentence::Said,
    size::Size,
};
use milp_schema::{Evidence, Instance, Outcome, Schedule, Verdict};
use milp_solver::Settings;
use std::path::PathBuf;

/// The key under which `run:` names the formulations that `auto` did not take, each with why.
pub const PASSED_OVER: &str = "passed over";

/// The key under which `run:` counts the points that replicas did not follow.
pub(super) const REFUSED: &str = "refused points";

/// What to solve and how.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The question.
    pub instance: &'a Instance,
    /// Limits, proof, threads, seed. A warm start comes from the field below.
    pub settings: &'a Settings,
    /// An earlier result to start from; it may be for another horizon or
    /// budget: what lies beyond the horizon is left out.
    pub warm_start: Option<&'a Folder>,
    /// Whether to solve again with [`ADEQUACY_SLOTS`](super::ADEQUACY_SLOTS) more slots.
    pub adequacy: bool,
    /// The command line, for the outcome.
    pub command: &'a str,
}

/// What a solve found, and what the outcome file does not keep.
#[derive(Debug, Clone)]
pub struct Solution {
    /// What is written and promoted.
    pub outcome: Outcome,
    /// The worst schedule found, if any.
    pub schedule: Option<Schedule>,
    /// The incumbent, one value for each column.
    pub point: Option<Vec<i64>>,
    /// The numbers behind it; nothing if there is neither a schedule nor a proof.
    pub evidence: Evidence,
    /// The file of the lemmas that its program has as rows, if it has any.
    pub lemmas: Option<String>,
    /// Size of the program.
    pub size: Size,
    /// Optimum of the linear relaxation, where it was solved.
    pub root_bound: Option<f64>,
    /// Objective of the completed warm start; `None` if there was none or it did not fit.
    pub started_from: Option<i64>,
    /// Whether a second search refuted what the first one said.
    pub refuted: bool,
    /// What more slots change, if that was asked.
    pub adequacy: Option<Adequacy>,
    /// Whether the interrupt came before the result was settled.
    pub interrupted: bool,
}

impl Solution {
    /// The formulations that `auto` passed over, each with why.
    pub fn passed_over(&self) -> Option<&str> {
        self.fact(PASSED_OVER)
    }

    /// Whether replicas did not follow what a search found first.
    pub(crate) fn was_refused(&self) -> bool {
        self.fact(REFUSED).is_some()
    }

    fn fact(&self, of: &str) -> Option<&str> {
        let facts = &self.outcome.run;
        let fact = facts.iter().find(|(key, _)| key == of);
        fact.map(|(_, said)| said.as_str())
    }

    /// What it says, for people.
    pub fn said(&self) -> Said {
        Said::again(&self.outcome, self.schedule.as_ref())
    }

    /// What the instance's own replicas do with the schedule.
    ///
    /// # Errors
    ///
    /// When they do something else than was predicted.
    pub(crate) fn replayed(&self) -> Result<Verdict, Error> {
        let folder = Folder {
            dir: PathBuf::from("."),
            outcome: self.outcome.clone(),
            schedule: self.schedule.clone().unwrap_or_default(),
        };
        Driven::from(&folder).followed()
    }

    /// The files of the result, by name.
    pub fn files(&self) -> std::collections::BTreeMap<String, Vec<u8>> {
        let certificate = evidence::text(&self.evidence);
        let mut files = folder::files(
            &self.outcome,
            self.schedule.as_ref(),
            certificate.as_deref(),
        );
        let lemmas = self.lemmas.as_ref();
        files.extend(lemmas.map(|it| (folder::LEMMAS.to_owned(), it.as_bytes().to_vec())));
        files
    }
}
