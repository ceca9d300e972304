//! The protocols as lists of rules: from their files, or, where a file has no rules, written here
//! beside their pages in `docs/protocols/`.

pub mod nspcc;
pub mod tla;

use crate::{
    error::Error,
    rule::{Protocol, Requires, Rule, Threshold, file},
};
use milp_schema::{
    Instance, covers,
    instance::{Fault, Who},
};

/// The protocol an instance names, weakened by its mutant.
///
/// # Errors
/// [`Error::UnknownProtocol`] when the protocol or mutant has no rules, [`Error::Unsupported`] when
/// its file says more than a list can, [`Error::Uncovered`] when the instance asks for more than its protocol has.
pub fn of(instance: &Instance) -> Result<Protocol, Error> {
    let of = instance.protocol;
    let mut protocol = match of.name.as_str() {
        _ if of.definition().is_some() => {
            let rules = instance.rules().ok_or_else(|| unknown(instance))?;
            file::of(instance.formulation.name(), of, &rules)?
        }
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
    if instance.mutant.is_some() && of.definition().is_none() {
        let mutant = instance.weakening().filter(|it| it.takes.is_none());
        mutant.ok_or_else(|| unknown(instance))?;
        small_quorum(&mut protocol);
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
fn small_quorum(protocol: &mut Protocol) {
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
