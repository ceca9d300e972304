//! Drives replicas with a schedule.

use crate::{Error, folder::Driven};
use milp_replay::{
    Options, Protocol, Recovery, Replayed, Signatures,
    engine::{self, ANSWER_LIMIT, Engine as _, SECOND, Sidecar, Start},
};
use milp_schema::{Instance, Verdict, instance::Goal, verdict::Liveness, vocabulary};
use milp_show::export::model_meta;
use std::{collections::BTreeSet, fmt, str::FromStr};

/// The replicas a schedule was made for.
pub const OWN: &str = "own";
/// Those of the same protocol without its mutant.
pub const SOUND: &str = "sound";
/// The interpreter of the file that the schedule was made for.
pub const INTERPRETER: &str = "interpreter";

/// Production engines with an adapter.
pub fn adapters() -> Vec<&'static str> {
    let protocols = vocabulary::Protocol::all();
    let engines = protocols.flat_map(|protocol| protocol.engines.iter());
    let names: BTreeSet<&str> = engines.map(String::as_str).collect();
    names.into_iter().collect()
}

/// Which replicas to drive: `own`, `sound`, `interpreter`, the name of a production engine, or
/// `PROTOCOL[:MUTANT]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// Those the instance is about, mutant included.
    Own,
    /// Those of the instance's protocol without its mutant.
    Sound,
    /// The file of the instance's protocol as it is interpreted, mutant included.
    Interpreter,
    /// Built-in ones of a protocol.
    BuiltIn {
        /// Name of the protocol.
        protocol: String,
        /// Name of the mutant, if any.
        mutant: Option<String>,
    },
    /// Those of a production engine.
    Adapter(String),
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = [
            (OWN, Self::Own),
            (SOUND, Self::Sound),
            (INTERPRETER, Self::Interpreter),
        ];
        if let Some((_, engine)) = plain.into_iter().find(|(name, _)| *name == text) {
            return Ok(engine);
        }
        if adapters().contains(&text) {
            return Ok(Self::Adapter(text.to_owned()));
        }
        let (protocol, mutant) = match text.split_once(':') {
            Some((protocol, mutant)) => (protocol, Some(mutant)),
            None => (text, None),
        };
        let Some(known) = vocabulary::Protocol::named(protocol) else {
            let protocols = vocabulary::Protocol::all().map(|it| it.name.as_str());
            let names = [OWN, SOUND, INTERPRETER];
            let names = names.into_iter().chain(adapters()).chain(protocols);
            return Err(format!(
                "no replicas for protocol `{protocol}`: expected one of {}",
                names.collect::<Vec<_>>().join(", ")
            ));
        };
        if let Some(mutant) = mutant.filter(|mutant| !known.mutants.contains_key(*mutant)) {
            let mutants = known.mutants.keys().map(String::as_str);
            return Err(format!(
                "{protocol} has no mutant `{mutant}`: expected one of {}",
                mutants.collect::<Vec<_>>().join(", ")
            ));
        }
        Ok(Self::BuiltIn {
            protocol: protocol.to_owned(),
            mutant: mutant.map(str::to_owned),
        })
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => out.write_str(OWN),
            Self::Sound => out.write_str(SOUND),
            Self::Interpreter => out.write_str(INTERPRETER),
            Self::BuiltIn {
                protocol,
                mutant: None,
            } => out.write_str(protocol),
            Self::BuiltIn {
                protocol,
                mutant: Some(mutant),
            } => write!(out, "{protocol}:{mutant}"),
            Self::Adapter(name) => out.write_str(name),
        }
    }
}

impl Engine {
    /// The instance with these replicas in place of its own.
    pub(crate) fn put_into(&self, instance: &Instance) -> Result<Instance, Error> {
        let (protocol, mutant) = match self {
            Self::Own | Self::Interpreter => return Ok(instance.clone()),
            // A production engine has no mutants.
            Self::Adapter(_) | Self::Sound => (instance.protocol, &None),
            Self::BuiltIn { protocol, mutant } => (vocabulary::Protocol::shipped(protocol), mutant),
        };
        // A schedule drives no replicas whose primaries take turns in another order.
        let turns = protocol.primary == instance.protocol.primary;
        if !turns || protocol.messages != instance.protocol.messages {
            return Err(Error::Refused(format!(
                "a schedule of `{}` cannot drive {self}: primaries take turns or messages travel \
                 in another way there",
                instance.protocol
            )));
        }
        Ok(Instance {
            protocol,
            mutant: mutant.clone(),
            ..instance.clone()
        })
    }

    /// Whether these replicas follow the rules that the predictions are by.
    pub(crate) fn follows(&self, instance: &Instance) -> bool {
        match self {
            Self::Own | Self::Interpreter => true,
            Self::Sound => instance.mutant.is_none(),
            Self::BuiltIn { protocol, mutant } => {
                (protocol, mutant) == (&instance.protocol.name, &instance.mutant)
            }
            Self::Adapter(name) => {
                instance.protocol.engines.contains(name) && instance.mutant.is_none()
            }
        }
    }
}

/// How to drive them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct How {
    /// Leave real signatures out, for speed.
    pub symbolic: bool,
    /// How an engine rebuilds what a recovery message carries.
    pub recovery: Recovery,
    /// Compare with the predictions even if the replicas follow other rules.
    pub compare: bool,
}

/// What replicas did with a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed {
    /// What was found.
    pub verdict: Verdict,
    /// The trace as lines of JSON.
    pub trace: String,
}

/// Whether replicas waste the good views that a value says, or prove as many guilty.
///
/// # Errors
///
/// When they waste fewer, or prove another number.
pub(crate) fn shows(
    instance: &Instance,
    value: Option<i64>,
    verdict: &Verdict,
) -> Result<(), Error> {
    let wasted = verdict.wasted.map(i64::from);
    if matches!(instance.goal, Goal::Wasted { .. }) && wasted < value {
        return Err(Error::Refused(format!(
            "its replay wastes fewer good views: {}",
            verdict.notes.join("; ")
        )));
    }
    let guilty = verdict.guilty.map(i64::from);
    if instance.goal == Goal::Blame && guilty != value {
        return Err(Error::Refused(format!(
            "its replay proves another number of replicas guilty: {}",
            verdict.notes.join("; ")
        )));
    }
    Ok(())
}

impl Driven {
    /// The verdict of the instance's own replicas, which do what was predicted.
    ///
    /// # Errors
    ///
    /// When they do something else.
    pub(crate) fn followed(&self) -> Result<Verdict, Error> {
        let verdict = self.replay(&Engine::Own, How::default())?.verdict;
        if !verdict.confirms() {
            return Err(Error::Refused(format!(
                "the replay diverges from the predictions: {}",
                verdict.notes.join("; ")
            )));
        }
        Ok(verdict)
    }

    /// Drives the replicas of `engine` with the schedule. Only what follows the rules the schedule
    /// was made by is compared with the predictions, unless `how` says otherwise: the instance's
    /// own replicas, and the production engine under its own protocol.
    ///
    /// # Errors
    ///
    /// When the schedule is impossible on paper or not one for these replicas, or the adapter is
    /// missing or at fault; a violated property, a divergence or a row that could not happen is
    /// part of the verdict.
    pub fn confirm(&self, engine: &Engine, how: How) -> Result<Confirmed, Error> {
        let replayed = self.replay(engine, how)?;
        let trace = milp_schema::trace::to_ndjson(&replayed.trace);
        Ok(Confirmed {
            verdict: replayed.verdict,
            trace,
        })
    }

    /// [`Driven::confirm`] with the trace as events.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn replay(&self, engine: &Engine, how: How) -> Result<Replayed, Error> {
        let instance = engine.put_into(&self.instance)?;
        let signatures = if how.symbolic {
            Signatures::Symbolic
        } else {
            Signatures::P256
        };
        let options = Options {
            protocol: match engine {
                Engine::Interpreter => Protocol::Interpreter,
                _ => Protocol::Own,
            },
            compare: self.predicted && (how.compare || engine.follows(&self.instance)),
            foreign: !engine.follows(&self.instance),
            signatures,
            recovery: how.recovery,
        };
        match engine {
            Engine::Adapter(name) => self.adapted(name, &instance, &options),
            _ => Ok(milp_replay::replay(
                &instance,
                &self.faulty,
                &self.schedule,
                &options,
            )?),
        }
    }

    /// The same on a production engine: in this process if it is linked, otherwise in another one,
    /// which ends with the replay.
    fn adapted(
        &self,
        name: &str,
        instance: &Instance,
        options: &Options,
    ) -> Result<Replayed, Error> {
        let on = |engine: &mut dyn milp_replay::engine::Engine| {
            milp_replay::replay_on(engine, instance, &self.faulty, &self.schedule, options)
        };
        if let Some(mut engine) = milp_malachite::engine(name) {
            return Ok(on(engine.as_mut())?);
        }
        let mut sidecar = adapter(name)?;
        let replayed = on(&mut sidecar)?;
        sidecar.shutdown()?;
        Ok(replayed)
    }
}

/// The adapter of a production engine, at work.
fn adapter(name: &str) -> Result<Sidecar, Error> {
    Ok(Sidecar::open(&engine::find(name)?, ANSWER_LIMIT)?)
}

/// Makes sure that the adapter of a production engine is there and answers.
///
/// # Errors
///
/// When it does not.
pub(crate) fn probe(name: &str) -> Result<(), Error> {
    if milp_malachite::engine(name).is_some() {
        return Ok(());
    }
    let mut sidecar = adapter(name)?;
    let mut protocols = vocabulary::Protocol::all();
    let spoken = protocols.find(|protocol| protocol.engines.iter().any(|engine| engine == name));
    let protocol =
        spoken.ok_or_else(|| Error::Refused(format!("no protocol is spoken by {name}")))?;
    let alone = Start {
        protocol,
        replicas: 1,
        power: vec![1],
        heights: 1,
        byzantine: Vec::new(),
        block_time: SECOND,
        seed: 1,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    sidecar.start(&alone)?;
    Ok(sidecar.shutdown()?)
}

impl Driven {
    /// The schedule as a behaviour of the TLA+ model in the Informal Trace Format, on one line. Its
    /// `#meta` has the schedule whole, so it can be read again.
    ///
    /// # Errors
    ///
    /// When the instance is about other rules, or the schedule is no behaviour of the model.
    pub fn itf(&self) -> Result<String, Error> {
        let mut itf = milp_replay::tla::itf(&self.instance, &self.faulty, &self.schedule)?;
        if let (Some(meta), serde_json::Value::Object(more)) =
            (itf["#meta"].as_object_mut(), model_meta(&self.into()))
        {
            meta.extend(more);
        }
        Ok(format!("{itf}\n"))
    }

    /// The schedule as a module that TLC checks together with the published model.
    ///
    /// # Errors
    ///
    /// As for [`Driven::itf`].
    pub fn tla_module(&self) -> Result<String, Error> {
        let module = milp_replay::tla::module(&self.instance, &self.faulty, &self.schedule)?;
        Ok(module)
    }
}

/// Whether every property holds, the heal phase decided, nothing diverged, every row could happen
/// and no engine broke down. A heal phase that met its step limit shows nothing bad, and neither do
/// rows that do not apply to replicas of other rules.
pub fn is_clean(verdict: &Verdict) -> bool {
    verdict.violated().is_empty()
        && verdict.termination != Liveness::Stuck
        && verdict.divergences.unwrap_or(0) == 0
        && verdict.impossible == 0
        && verdict.faults == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use milp_schema::{Protocol, verdict::Holds};

    fn clean() -> Verdict {
        Verdict {
            format: milp_schema::verdict::FORMAT.into(),
            engine: "dbft2-paper".into(),
            agreement: Holds::Holds,
            finality: Holds::Holds,
            validity: Holds::Holds,
            integrity: Holds::Holds,
            lock: Holds::Holds,
            termination: Liveness::Decided,
            wasted: None,
            guilty: None,
            divergences: Some(0),
            impossible: 0,
            unapplied: 0,
            faults: 0,
            notes: vec![],
        }
    }

    #[test]
    fn any_violation_divergence_stuck_state_or_breakdown_is_not_clean() {
        assert!(is_clean(&clean()));
        assert!(is_clean(&Verdict {
            termination: Liveness::Open,
            ..clean()
        }));
        assert!(is_clean(&Verdict {
            divergences: None,
            unapplied: 3,
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
                divergences: Some(1),
                ..clean()
            },
            Verdict {
                divergences: None,
                impossible: 1,
                ..clean()
            },
            Verdict {
                faults: 1,
                ..clean()
            },
        ] {
            assert!(!is_clean(&bad), "{bad:?}");
        }
    }

    fn instance(protocol: &str, mutant: Option<&str>) -> Instance {
        Instance {
            mutant: mutant.map(str::to_owned),
            ..Instance::builder(protocol).slots(8).build()
        }
    }

    #[test]
    fn only_replicas_that_follow_the_rules_are_compared_and_other_primaries_are_refused() {
        for (engine, protocol, mutant, follows) in [
            ("own", "dbft2", Some("small-quorum"), true),
            ("dbft2", "dbft2", None, true),
            ("dbft2", "dbft2", Some("small-quorum"), false),
            ("dbft2", "dbft1", None, false),
            ("nspcc-dbft", "dbft2-nspcc", None, true),
            ("nspcc-dbft", "dbft2-nspcc", Some("small-quorum"), false),
            ("nspcc-dbft", "dbft2", None, false),
        ] {
            let engine: Engine = engine.parse().unwrap();
            let instance = instance(protocol, mutant);
            assert_eq!(engine.follows(&instance), follows, "{engine} {instance:?}");
            let put = engine.put_into(&instance).unwrap();
            assert_eq!(put.protocol.primary, instance.protocol.primary);
            assert!(engine == Engine::Own || put.mutant.is_none());
        }
        let old: Engine = "dbft1".parse().unwrap();
        let error = old.put_into(&instance("dbft2-nspcc", None)).unwrap_err();
        assert!(error.to_string().contains("cannot drive dbft1"), "{error}");
    }

    #[test]
    fn engines_are_named_with_an_optional_mutant() {
        for name in [
            "own",
            "nspcc-dbft",
            "dbft1",
            "dbft2",
            "dbft2:no-commit-lock",
            "dbft1:small-quorum",
        ] {
            assert_eq!(name.parse::<Engine>().unwrap().to_string(), name);
        }
        let all: Vec<&str> = Protocol::all().map(|it| it.name.as_str()).collect();
        let names = format!("own, sound, interpreter, nspcc-dbft, {}", all.join(", "));
        let names = names.as_str();
        for (name, names) in [
            ("paxos", names),
            ("", names),
            ("dbft2:", "no-commit-lock, small-quorum"),
            ("dbft1:no-commit-lock", "small-quorum"),
        ] {
            let error = name.parse::<Engine>().unwrap_err();
            assert!(error.ends_with(names), "{error}");
        }
    }
}
