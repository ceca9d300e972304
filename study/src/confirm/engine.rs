//! Which replicas a schedule drives, by name.

use crate::Error;
use milp_replay::{
    Recovery, Signatures,
    engine::{self, ANSWER_LIMIT, CommandLine, EngineError, SECOND, Sidecar, Start},
};
use milp_schema::{Instance, vocabulary};
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

/// What comes before the command line of an engine that nobody here knows.
const COMMAND: &str = "cmd:";

/// Which replicas to drive: `own`, `sound`, `interpreter`, the name of a production engine,
/// `PROTOCOL[:MUTANT]`, or `cmd:` and the command line of an adapter.
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
    /// Those of a production engine, in this process if it is linked, otherwise in one of their own.
    Adapter(String),
    /// Those behind an adapter that is started with these words, which have no quotes.
    Command(String),
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
        if let Some(words) = text.strip_prefix(COMMAND) {
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            return if words.is_empty() {
                Err(format!("expected a command line after {COMMAND}"))
            } else {
                Ok(Self::Command(words))
            };
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
                "no replicas for protocol `{protocol}`: expected {COMMAND}COMMAND or one of {}",
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
            Self::Command(words) => write!(out, "{COMMAND}{words}"),
        }
    }
}

impl Engine {
    /// The instance with these replicas in place of its own.
    pub(crate) fn put_into(&self, instance: &Instance) -> Result<Instance, Error> {
        let (protocol, mutant) = match self {
            Self::Own | Self::Interpreter => return Ok(instance.clone()),
            // An engine has no mutants.
            Self::Adapter(_) | Self::Command(_) | Self::Sound => (instance.protocol, &None),
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
            // It is held against the rules of engines, not against those of a paper.
            Self::Command(_) => !instance.protocol.engines.is_empty() && instance.mutant.is_none(),
        }
    }

    /// Whether they are a production engine's or behind an adapter.
    pub fn is_outside(&self) -> bool {
        matches!(self, Self::Adapter(_) | Self::Command(_))
    }

    /// The adapter at work.
    ///
    /// # Errors
    ///
    /// When it is not there or cannot be started; of replicas that are none of an engine.
    pub fn adapter(&self) -> Result<Box<dyn engine::Engine>, EngineError> {
        let command = match self {
            Self::Adapter(name) => match milp_malachite::engine(name) {
                Some(linked) => return Ok(linked),
                None => Some(engine::find(name)?),
            },
            Self::Command(words) => CommandLine::parse(words),
            Self::Own | Self::Sound | Self::Interpreter | Self::BuiltIn { .. } => None,
        };
        let command = command.ok_or_else(|| EngineError::Adapter {
            command: self.to_string(),
            what: "is no engine".to_owned(),
        })?;
        Ok(Box::new(Sidecar::open(&command, ANSWER_LIMIT)?))
    }
}

impl Engine {
    /// Makes sure that an adapter is there and answers, for replicas of `protocol`.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub(crate) fn probe(&self, protocol: vocabulary::Protocol) -> Result<(), Error> {
        if !self.is_outside() {
            return Ok(());
        }
        let mut adapter = self.adapter()?;
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
        adapter.start(&alone)?;
        Ok(adapter.shutdown()?)
    }

    /// The protocol whose words it speaks: the first of those that have engines in which it answers.
    ///
    /// # Errors
    ///
    /// When it answers in none.
    pub(crate) fn speaks(&self) -> Result<vocabulary::Protocol, Error> {
        let mut refused = Error::Refused("no protocol has engines".to_owned());
        for protocol in vocabulary::Protocol::all().filter(|it| !it.engines.is_empty()) {
            match self.probe(protocol) {
                Ok(()) => return Ok(protocol),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milp_schema::Protocol;

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
            ("cmd:mine", "dbft2-nspcc", None, true),
            ("cmd:mine", "dbft2-nspcc", Some("small-quorum"), false),
            ("cmd:mine", "dbft2", None, false),
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
            "cmd:python3 my.py --x=1",
            "dbft1",
            "dbft2",
            "dbft2:no-commit-lock",
            "dbft1:small-quorum",
        ] {
            assert_eq!(name.parse::<Engine>().unwrap().to_string(), name);
        }
        let all: Vec<&str> = Protocol::all().map(|it| it.name.as_str()).collect();
        let names = format!(
            "own, sound, interpreter, malachite, malachite-driver, nspcc-dbft, {}",
            all.join(", ")
        );
        let names = names.as_str();
        for (name, names) in [
            ("paxos", names),
            ("", names),
            ("dbft2:", "no-commit-lock, small-quorum"),
            ("dbft1:no-commit-lock", "small-quorum"),
            ("cmd: ", "after cmd:"),
        ] {
            let error = name.parse::<Engine>().unwrap_err();
            assert!(error.ends_with(names), "{error}");
        }
    }
}
