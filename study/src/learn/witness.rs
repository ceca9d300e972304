//! Whom a solve asks to confirm its schedule.

use crate::{
    Error,
    confirm::{Engine, How},
    folder::Driven,
};
use milp_replay::{
    Options, Protocol, Recovery, Replayed, Signatures,
    engine::nspcc::{Defect, Nspcc, Switches},
};
use std::{fmt, str::FromStr};

/// The production rules' own replicas, in this process.
pub const TWIN: &str = "dbft2-nspcc";

/// Who confirms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witness {
    /// Replicas as `milp replay` knows them.
    Engine(Engine),
    /// The own replicas of protocol `dbft2-nspcc`, for schedules of protocol `dbft2` too; perhaps with a
    /// deliberate defect, to see what is said of it.
    Twin(Option<Defect>),
}

impl FromStr for Witness {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == TWIN {
            return Ok(Self::Twin(None));
        }
        if let Some((TWIN, defect)) = text.split_once(':') {
            let defect = Defect::named(defect).ok_or_else(|| {
                let names = Defect::ALL.map(Defect::name);
                format!(
                    "{TWIN} has no such defect: expected one of {}",
                    names.join(", ")
                )
            })?;
            return Ok(Self::Twin(Some(defect)));
        }
        let engine = text.parse();
        engine
            .map(Self::Engine)
            .map_err(|why| format!("{why}, {TWIN}"))
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(engine) => engine.fmt(out),
            Self::Twin(None) => out.write_str(TWIN),
            Self::Twin(Some(defect)) => write!(out, "{TWIN}:{}", defect.name()),
        }
    }
}

impl Witness {
    /// Makes sure that it is there, before anything is solved.
    pub(super) fn probe(&self, protocol: milp_schema::Protocol) -> Result<(), Error> {
        match self {
            Self::Engine(engine) => engine.probe(protocol),
            Self::Twin(_) => Ok(()),
        }
    }

    /// Drives fresh replicas with a schedule and compares where there are predictions.
    pub(super) fn drive(&self, driven: &Driven, symbolic: bool) -> Result<Replayed, Error> {
        match self {
            Self::Engine(engine) => driven.replay(
                engine,
                How {
                    symbolic,
                    recovery: Recovery::Ideal,
                    compare: true,
                },
            ),
            Self::Twin(defect) => Ok(milp_replay::replay_on(
                &mut twin(*defect),
                &driven.instance,
                &driven.faulty,
                &driven.schedule,
                &Options {
                    protocol: Protocol::Own,
                    compare: driven.predicted,
                    foreign: false,
                    signatures: Signatures::Symbolic,
                    recovery: Recovery::Ideal,
                },
            )?),
        }
    }
}

fn twin(defect: Option<Defect>) -> Nspcc {
    let twin = Nspcc::new(Switches::default());
    match defect {
        Some(defect) => twin.with_defect(defect),
        None => twin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn witnesses_are_named_as_replays_name_engines() {
        for name in [
            "own",
            "nspcc-dbft",
            TWIN,
            "dbft2-nspcc:few-commits-decide",
            "dbft2:small-quorum",
        ] {
            assert_eq!(name.parse::<Witness>().unwrap().to_string(), name);
        }
        let error = "paxos".parse::<Witness>().unwrap_err();
        assert!(error.ends_with(TWIN), "{error}");
        let error = "dbft2-nspcc:small-quorum".parse::<Witness>().unwrap_err();
        assert!(error.contains("few-commits-decide"), "{error}");
    }
}
