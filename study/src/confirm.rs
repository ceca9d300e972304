//! Drives replicas with a schedule.

use crate::{Error, folder::Driven};
use milp_replay::{Options, Protocol, Signatures};
use milp_schema::{
    Instance, Verdict,
    instance::PROTOCOLS,
    verdict::{Holds, Liveness},
};
use std::{fmt, str::FromStr};

/// Which replicas to drive when not those the schedule was made for: `PROTOCOL[:MUTANT]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Engine {
    /// Name of the protocol.
    pub protocol: String,
    /// Name of the mutant, if any.
    pub mutant: Option<String>,
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (protocol, mutant) = match text.split_once(':') {
            Some((protocol, mutant)) => (protocol, Some(mutant)),
            None => (text, None),
        };
        let Some((_, _, mutants)) = PROTOCOLS.iter().find(|(name, _, _)| *name == protocol) else {
            let names = PROTOCOLS.map(|(name, _, _)| name).join(", ");
            return Err(format!(
                "no replicas for protocol `{protocol}`: expected one of {names}"
            ));
        };
        if let Some(mutant) = mutant.filter(|mutant| !mutants.contains(mutant)) {
            return Err(format!(
                "{protocol} has no mutant `{mutant}`: expected one of {}",
                mutants.join(", ")
            ));
        }
        Ok(Self {
            protocol: protocol.to_owned(),
            mutant: mutant.map(str::to_owned),
        })
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.protocol)?;
        match &self.mutant {
            Some(mutant) => write!(out, ":{mutant}"),
            None => Ok(()),
        }
    }
}

impl Engine {
    /// The replicas an instance is about.
    pub fn of(instance: &Instance) -> Self {
        Self {
            protocol: instance.protocol.clone(),
            mutant: instance.mutant.clone(),
        }
    }

    /// The instance with these replicas in place of its own.
    fn put_into(&self, instance: &Instance) -> Instance {
        // Another protocol has its own rule sets; the first one named is the paper's.
        let rules = PROTOCOLS
            .iter()
            .find(|(name, _, _)| *name == self.protocol && *name != instance.protocol)
            .and_then(|(_, rules, _)| rules.first())
            .map_or_else(|| instance.rules.clone(), |rules| (*rules).to_owned());
        Instance {
            protocol: self.protocol.clone(),
            rules,
            mutant: self.mutant.clone(),
            ..instance.clone()
        }
    }
}

/// What replicas did with a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed {
    /// What was found.
    pub verdict: Verdict,
    /// The trace as lines of JSON.
    pub trace: String,
}

impl Driven {
    /// Drives replicas with the schedule. `engine` replaces the replicas the instance is about;
    /// then nothing is compared with the predictions, only the properties are checked.
    /// `symbolic` leaves real signatures out, for speed.
    ///
    /// # Errors
    ///
    /// When the schedule is impossible on paper; a violated property or a divergence is part of
    /// the verdict.
    pub fn confirm(&self, engine: Option<&Engine>, symbolic: bool) -> Result<Confirmed, Error> {
        let own = Engine::of(&self.instance);
        let engine = engine.unwrap_or(&own);
        let driven = engine.put_into(&self.instance);
        let compare = self.predicted && *engine == own;
        let signatures = if symbolic {
            Signatures::Symbolic
        } else {
            Signatures::P256
        };
        let options = Options {
            protocol: Protocol::Own,
            compare,
            signatures,
        };
        let replayed = milp_replay::replay(&driven, &self.faulty, &self.schedule, &options)?;
        let trace = milp_replay::to_ndjson(&replayed.trace);
        Ok(Confirmed {
            verdict: replayed.verdict,
            trace,
        })
    }
}

/// Whether every property holds, the heal phase decided and nothing diverged. A heal phase that
/// met its step limit shows nothing bad.
pub fn is_clean(verdict: &Verdict) -> bool {
    let properties = [
        verdict.agreement,
        verdict.finality,
        verdict.validity,
        verdict.integrity,
        verdict.lock,
    ];
    properties.iter().all(|property| *property == Holds::Holds)
        && verdict.termination != Liveness::Stuck
        && verdict.divergences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean() -> Verdict {
        Verdict {
            format: "milp-verdict/1.0".into(),
            engine: "dbft2-paper".into(),
            agreement: Holds::Holds,
            finality: Holds::Holds,
            validity: Holds::Holds,
            integrity: Holds::Holds,
            lock: Holds::Holds,
            termination: Liveness::Decided,
            divergences: 0,
            notes: vec![],
        }
    }

    #[test]
    fn any_violation_or_divergence_or_stuck_state_is_not_clean() {
        assert!(is_clean(&clean()));
        assert!(is_clean(&Verdict {
            termination: Liveness::Open,
            ..clean()
        }));
        for bad in [
            Verdict {
                agreement: Holds::Violated,
                ..clean()
            },
            Verdict {
                finality: Holds::Violated,
                ..clean()
            },
            Verdict {
                validity: Holds::Violated,
                ..clean()
            },
            Verdict {
                integrity: Holds::Violated,
                ..clean()
            },
            Verdict {
                lock: Holds::Violated,
                ..clean()
            },
            Verdict {
                termination: Liveness::Stuck,
                ..clean()
            },
            Verdict {
                divergences: 1,
                ..clean()
            },
        ] {
            assert!(!is_clean(&bad), "{bad:?}");
        }
    }

    #[test]
    fn engines_are_named_with_an_optional_mutant() {
        for name in [
            "dbft1",
            "dbft2",
            "dbft2:no-commit-lock",
            "dbft1:small-quorum",
        ] {
            assert_eq!(name.parse::<Engine>().unwrap().to_string(), name);
        }
        for (name, names) in [
            ("pbft", "dbft1, dbft2"),
            ("", "dbft1, dbft2"),
            ("dbft2:", "no-commit-lock, small-quorum"),
            ("dbft1:no-commit-lock", "small-quorum"),
        ] {
            let error = name.parse::<Engine>().unwrap_err();
            assert!(error.ends_with(names), "{error}");
        }
    }
}
