//! The protocols, each an ordered list of rules beside its page in `docs/protocols/`.

pub mod dbft1;
pub mod dbft2;
pub mod nspcc;
pub mod tla;

use crate::{
    error::Error,
    rule::{Protocol, Requires, Rule, Threshold},
};
use milp_schema::{
    Instance, covers,
    instance::{Fault, Who},
    vocabulary::Safeguard,
};

/// The protocol an instance names, weakened by its mutant.
///
/// # Errors
/// [`Error::UnknownProtocol`] when the protocol or mutant has no rules here,
/// [`Error::Uncovered`] when the instance asks for more than its protocol has.
pub fn of(instance: &Instance) -> Result<Protocol, Error> {
    let of = instance.protocol;
    let mut protocol = match of.name.as_str() {
        "dbft1" => dbft1::paper(of),
        "dbft2" => dbft2::paper(of),
        "dbft2-nspcc" => nspcc::rules(of),
        "dbft2-tla" => tla::current(of),
        "dbft2-tla-per-view" => tla::per_view(of),
        _ => return Err(unknown(instance)),
    };
    if let Some(first) = covers::uncovered(instance).first() {
        return Err(Error::Uncovered {
            protocol: instance.protocol.to_string(),
            what: first.what,
            hint: first.hint,
        });
    }
    let by_power = |fault: &Fault| matches!(fault.who, Who::Power(_));
    if instance.power.is_some() || instance.faults.iter().any(by_power) {
        return Err(Error::Unsupported {
            formulation: instance.formulation.name(),
            construct: "voting power".into(),
            hint: "remove `power`, or use `formulation: levels`".into(),
        });
    }
    let Some(mutant) = instance.weakening() else {
        return match instance.mutant {
            None => Ok(protocol),
            Some(_) => Err(unknown(instance)),
        };
    };
    if mutant.quorum.is_some() {
        small_quorum(&mut protocol);
    }
    match mutant.takes {
        None => {}
        Some(Safeguard::Lock) if protocol.name == "dbft2" => dbft2::no_commit_lock(&mut protocol),
        Some(Safeguard::Lock) => return Err(unknown(instance)),
    }
    Ok(protocol)
}

fn unknown(instance: &Instance) -> Error {
    Error::UnknownProtocol {
        protocol: instance.protocol.to_string(),
        mutant: instance.mutant.clone(),
    }
}

/// Mutant `small-quorum`: every quorum is one replica smaller, so that two of them may meet in
/// faulty replicas only.
pub(crate) fn small_quorum(protocol: &mut Protocol) {
    for rule in &mut protocol.rules {
        match rule {
            Rule::Event(event) => {
                for requirement in &mut event.requires {
                    if let Requires::Tally { at_least, .. } = requirement {
                        *at_least = Threshold::QuorumLessOne;
                    }
                }
            }
            Rule::Enter(enter) => enter.at_least = Threshold::QuorumLessOne,
            _ => {}
        }
    }
}
