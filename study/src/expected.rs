//! `expected.yaml`: what a kept result must give for ever.

use crate::{
    Error,
    confirm::{Engine, How},
    folder::{Driven, Folder},
};
use milp_schema::{
    Outcome, Verdict,
    outcome::{Certificate, Termination},
    verdict::{Holds, Liveness},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// What [`Expected::format`] says.
pub const FORMAT: &str = "milp-expected/2.0";

/// What a kept result must give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// [`FORMAT`].
    pub format: String,
    /// SHA-256 of schedule.csv, lower-case hex.
    pub schedule_sha256: String,
    /// SHA-256 of predictions.csv, lower-case hex.
    pub predictions_sha256: String,
    /// Why the solve ended.
    pub termination: Termination,
    /// Objective of the incumbent.
    pub primal: i64,
    /// Whether a certificate closes the gap.
    pub proved: bool,
    /// Kind of the certificate.
    pub certificate: CertificateKind,
    /// What the replicas of the instance do.
    pub verdict: ExpectedVerdict,
    /// What other replicas do with the same choices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replays: Vec<ExpectedReplay>,
}

/// What other replicas do with the same choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedReplay {
    /// `PROTOCOL[:MUTANT]`, or the name of a production engine.
    #[serde(rename = "as")]
    pub engine: String,
    /// What they do.
    pub verdict: ExpectedVerdict,
}

/// What the proof rests on, without its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateKind {
    /// The solver's word.
    None,
    /// A bound in exact arithmetic.
    SafeDualBound,
    /// A second search in another order.
    PermutedInfeasible,
    /// Cubes, each closed.
    Cubes,
}

impl CertificateKind {
    /// What there is to expect where this one was kept and `found` was found again: an exact bound
    /// is as good as any.
    pub(crate) fn or_exact(self, found: Self) -> Self {
        match found {
            Self::SafeDualBound => self,
            other => other,
        }
    }
}

impl From<&Certificate> for CertificateKind {
    fn from(certificate: &Certificate) -> Self {
        match certificate {
            Certificate::None => Self::None,
            Certificate::SafeDualBound { .. } => Self::SafeDualBound,
            Certificate::PermutedInfeasible { .. } => Self::PermutedInfeasible,
            Certificate::Cubes { .. } => Self::Cubes,
        }
    }
}

/// The fields of a verdict; its notes are for people and may be worded better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedVerdict {
    /// Which replicas were driven.
    pub engine: String,
    /// One block per height among honest replicas.
    pub agreement: Holds,
    /// One certificate per height.
    pub finality: Holds,
    /// Decided blocks come from the primary.
    pub validity: Holds,
    /// One decision per height and replica.
    pub integrity: Holds,
    /// Binding votes bind.
    pub lock: Holds,
    /// How the heal phase ended.
    pub termination: Liveness,
    /// Differences between prediction and trace; none where nothing is compared.
    #[serde(deserialize_with = "Option::deserialize")]
    pub divergences: Option<u32>,
    /// Where the schedule is none of these replicas'.
    #[serde(default, skip_serializing_if = "none")]
    pub impossible: u32,
    /// How often the engine broke down.
    #[serde(default, skip_serializing_if = "none")]
    pub faults: u32,
}

/// Files say only what there is: most engines never break down, and no kept schedule is impossible.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn none(count: &u32) -> bool {
    *count == 0
}

impl From<&Verdict> for ExpectedVerdict {
    fn from(verdict: &Verdict) -> Self {
        Self {
            engine: verdict.engine.clone(),
            agreement: verdict.agreement,
            finality: verdict.finality,
            validity: verdict.validity,
            integrity: verdict.integrity,
            lock: verdict.lock,
            termination: verdict.termination,
            divergences: verdict.divergences,
            impossible: verdict.impossible,
            faults: verdict.faults,
        }
    }
}

impl Expected {
    /// What `folder` gives now: its files' hashes, its outcome, and a replay on its own replicas
    /// and on each other one of `engines`.
    ///
    /// # Errors
    ///
    /// When a replay is impossible, or the solve left no incumbent.
    pub fn observe(folder: &Folder, engines: &[Engine]) -> Result<Self, Error> {
        let verdict = observed(folder, &Engine::Own)?;
        Self::with(folder, verdict, engines)
    }

    /// [`Expected::observe`] without a replay on its own replicas, which is taken to give
    /// `verdict`.
    ///
    /// # Errors
    ///
    /// As for [`Expected::observe`].
    pub fn with(
        folder: &Folder,
        verdict: ExpectedVerdict,
        engines: &[Engine],
    ) -> Result<Self, Error> {
        let others = engines.iter().filter(|engine| **engine != Engine::Own);
        let replays = others
            .map(|engine| {
                Ok(ExpectedReplay {
                    engine: engine.to_string(),
                    verdict: observed(folder, engine)?,
                })
            })
            .collect::<Result<_, Error>>()?;
        let Outcome {
            termination,
            primal,
            proved,
            certificate,
            ..
        } = &folder.outcome;
        Ok(Self {
            format: FORMAT.to_owned(),
            schedule_sha256: folder.schedule_sha256()?,
            predictions_sha256: folder.predictions_sha256()?,
            termination: *termination,
            primal: primal.ok_or_else(|| {
                Error::Refused(format!("{} has no incumbent", folder.dir.display()))
            })?,
            proved: *proved,
            certificate: certificate.into(),
            verdict,
            replays,
        })
    }

    /// Reads an `expected.yaml`.
    ///
    /// # Errors
    ///
    /// With every problem found in it.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Ok(milp_schema::read::yaml(path, "expected")?)
    }

    /// The file's text.
    pub fn yaml(&self) -> String {
        milp_schema::write::yaml(self)
    }

    /// Every field in which `found` is not as expected, one sentence each.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let (expected, found) = (self.facts(), found.facts());
        let names = expected.keys().chain(found.keys()).collect::<BTreeSet<_>>();
        let word = |fact: Option<&String>| fact.map_or("nothing", String::as_str).to_owned();
        names
            .into_iter()
            .map(|name| (name, word(expected.get(name)), word(found.get(name))))
            .filter(|(_, expected, found)| expected != found)
            .map(|(name, expected, found)| format!("{name}: expected {expected}, found {found}"))
            .collect()
    }

    /// Every field by its path, so that a field added to the format is compared as well.
    fn facts(&self) -> BTreeMap<String, String> {
        let tree = serde_json::to_value(self).expect("these types have no map with odd keys");
        let mut facts = BTreeMap::new();
        flatten("", &tree, &mut facts);
        facts
    }
}

/// What the replicas of `engine` do with a kept schedule.
fn observed(folder: &Folder, engine: &Engine) -> Result<ExpectedVerdict, Error> {
    let confirmed = Driven::from(folder).confirm(engine, How::default())?;
    Ok((&confirmed.verdict).into())
}

/// Puts the leaves of `tree` into `facts`. An entry of a list goes by its `as`, because the order
/// of the replays means nothing.
fn flatten(at: &str, tree: &Value, facts: &mut BTreeMap<String, String>) {
    let below = |name: &str| {
        if at.is_empty() {
            name.to_owned()
        } else {
            format!("{at}.{name}")
        }
    };
    match tree {
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(&below(name), value, facts);
            }
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                let index = index.to_string();
                let name = entry.get("as").and_then(Value::as_str).unwrap_or(&index);
                flatten(&below(name), entry, facts);
            }
        }
        Value::String(word) => {
            facts.insert(at.to_owned(), word.clone());
        }
        leaf => {
            facts.insert(at.to_owned(), leaf.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Expected {
        let verdict = ExpectedVerdict {
            engine: "dbft1-paper".into(),
            agreement: Holds::Violated,
            finality: Holds::Violated,
            validity: Holds::Holds,
            integrity: Holds::Holds,
            lock: Holds::Holds,
            termination: Liveness::Decided,
            divergences: Some(0),
            impossible: 0,
            faults: 0,
        };
        let other = ExpectedVerdict {
            engine: "dbft2-paper".into(),
            agreement: Holds::Holds,
            divergences: None,
            ..verdict.clone()
        };
        Expected {
            format: FORMAT.into(),
            schedule_sha256: "aa".into(),
            predictions_sha256: "bb".into(),
            termination: Termination::Optimal,
            primal: 2,
            proved: true,
            certificate: CertificateKind::SafeDualBound,
            verdict,
            replays: vec![ExpectedReplay {
                engine: "dbft2".into(),
                verdict: other,
            }],
        }
    }

    #[test]
    fn every_changed_field_is_a_difference_with_its_place() {
        let expected = expected();
        assert_eq!(expected.differences(&expected), [""; 0]);

        let mut found = expected.clone();
        found.primal = 1;
        found.verdict.divergences = Some(3);
        found.replays[0].verdict.agreement = Holds::Violated;
        assert_eq!(
            expected.differences(&found),
            [
                "primal: expected 2, found 1",
                "replays.dbft2.verdict.agreement: expected holds, found violated",
                "verdict.divergences: expected 0, found 3",
            ]
        );
    }

    #[test]
    fn a_replay_that_is_missing_is_a_difference() {
        let expected = expected();
        let found = Expected {
            replays: vec![],
            ..expected.clone()
        };
        let differences = expected.differences(&found);
        assert!(
            differences
                .contains(&"replays.dbft2.verdict.agreement: expected holds, found nothing".into()),
            "{differences:?}"
        );
    }

    #[test]
    fn an_exact_bound_is_as_good_as_any_proof_and_no_other_is_as_good_as_it() {
        use CertificateKind::{Cubes, None, PermutedInfeasible, SafeDualBound};
        for kept in [None, SafeDualBound, PermutedInfeasible, Cubes] {
            assert_eq!(kept.or_exact(SafeDualBound), kept);
            assert_eq!(kept.or_exact(PermutedInfeasible), PermutedInfeasible);
        }
    }

    #[test]
    fn what_is_written_reads_back_equal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("expected.yaml");
        std::fs::write(&path, expected().yaml()).unwrap();
        assert_eq!(Expected::read(&path).unwrap(), expected());
    }
}
