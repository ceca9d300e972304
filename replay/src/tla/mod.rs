//! The TLA+ base model of dBFT 2.0 as an explicit-state checker: protocols `dbft2-tla` and
//! `dbft2-tla-per-view`.
//!
//! Written from the published text of the model; `docs/protocols/dbft2-tla.md` has it line by
//! line, `docs/EXECUTION.md` E25 to E32 say how a schedule is a behaviour of it.
//!
//! ```text
//! state      rmState and msgs
//! action     the named actions: guard and effect
//! behaviour  a schedule as a sequence of actions, each of them enabled
//! end        decided, open, out of views or stuck
//! search     every reachable state, breadth first
//! export     a behaviour for other tools: ITF, a module for TLC
//! read       a behaviour that a model checker wrote
//! ```

mod action;
mod behaviour;
mod end;
mod export;
mod read;
mod search;
mod state;

pub use export::{itf, module};
pub use read::{Read, read};
pub use search::{Explored, StuckBehaviour, explore};

use crate::{
    Error, Replayed, input,
    properties::{AGREEMENT, FINALITY, Facts, INTEGRITY, LOCK, VALIDITY, sometimes},
};
use action::two_blocks_accepted;
use behaviour::Behaviour;
use end::{End, describe};
use milp_schema::{
    Instance, ReplicaId, Schedule, Verdict,
    instance::FaultKind,
    verdict::{Holds, Liveness},
};

/// Whether an instance is about one of these protocols.
pub(crate) fn covers(instance: &Instance) -> bool {
    instance.protocol.pools()
}

/// Confirms that a schedule is a behaviour of the instance's model and judges it.
///
/// # Errors
/// Instances and rows that are none of the protocol's; what is no behaviour is a divergence.
pub(crate) fn replay(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
) -> Result<Replayed, Error> {
    let behaviour = behaviour::follow(instance, faulty, schedule)?;
    let facts = Facts {
        power: crate::interpreter::power(instance),
        quorum: instance.quorum() as usize,
        primary: Box::new(input::rotation(instance)),
        byzantine: behaviour.spec.fault.clone(),
    };
    let trace = &behaviour.trace;
    let mut notes = Vec::new();
    let [mut agreement, finality, validity, integrity, lock] =
        [AGREEMENT, FINALITY, VALIDITY, INTEGRITY, LOCK]
            .map(|property| property.judge(&facts, trace, &mut notes));
    if let Some(note) = broken_invariant(&behaviour) {
        agreement = Holds::Violated;
        notes.push(note);
    }
    let (termination, note) = termination(&behaviour);
    notes.extend(note);
    notes.extend(behaviour.refused.clone());
    notes.push(sometimes(trace));
    let verdict = Verdict {
        format: milp_schema::verdict::FORMAT.to_owned(),
        engine: instance.protocol.to_string(),
        agreement,
        finality,
        validity,
        integrity,
        lock,
        termination,
        wasted: None,
        guilty: None,
        divergences: Some(u32::from(behaviour.refused.is_some())),
        impossible: 0,
        unapplied: 0,
        faults: 0,
        notes,
    };
    Ok(Replayed {
        trace: behaviour.trace,
        verdict,
    })
}

/// `InvTwoBlocksAccepted` in every state.
fn broken_invariant(behaviour: &Behaviour) -> Option<String> {
    let broken = behaviour.states.iter().find_map(two_blocks_accepted)?;
    let (first, last) = broken;
    Some(format!(
        "agreement violated: InvTwoBlocksAccepted does not hold, blocks of v{first} and v{last} are accepted"
    ))
}

/// How the behaviour ends (E30, E31), and a note unless it is decided.
fn termination(behaviour: &Behaviour) -> (Liveness, Option<String>) {
    if behaviour.refused.is_some() {
        let note = "termination open: the schedule is no behaviour of the model to its end";
        return (Liveness::Open, Some(note.to_owned()));
    }
    let last = behaviour.last();
    let (termination, what) = match behaviour.spec.end(last) {
        End::Decided => return (Liveness::Decided, None),
        End::Stuck => (Liveness::Stuck, "stuck".to_owned()),
        End::Open(id, action) => {
            let view = last.seat(id).view;
            let what = format!("termination open: replica {id} can take {action} in v{view}");
            (Liveness::Open, what)
        }
        End::OutOfViews(id) => {
            let next = last.seat(id).view.next();
            let what = format!("ran out of views: replica {id} can enter v{next}, not modelled");
            (Liveness::Open, format!("termination open: {what}"))
        }
    };
    (termination, Some(format!("{what}: {}", describe(last))))
}

/// The protocols of the model's texts, for people.
pub(crate) fn names() -> String {
    let names: Vec<String> = action::REVISIONS
        .iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    names.join(" and ")
}
