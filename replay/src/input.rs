//! What no execution could contain, found before anything runs: what no rows can say, by the judge
//! of `schema`, and what depends on who is faulty and on whose replicas are driven.

use crate::Error;
use milp_schema::{
    Height, Instance, ReplicaId, Slot, Value, View,
    instance::{FaultKind, Who},
    journey::{Flaw, Journeys},
    schedule::{Choice, Copy, Schedule},
    vocabulary::{Names, Role},
};

/// Whose replicas the rows are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driven {
    /// The paper's: recovery belongs to the heal phase, a backup survives a crash.
    Paper,
    /// An engine's, by the schedule of such a protocol: recovery travels like anything else.
    Engine,
    /// An engine's, by a schedule of the protocol `dbft2`.
    EngineByPaper,
}

/// Refuses schedules that are impossible on paper, whatever the replicas do.
///
/// # Errors
/// The first problem, with its row.
pub(crate) fn check(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
    driven: Driven,
) -> Result<(), Error> {
    check_faulty(instance, faulty)?;
    let fault_of = |id: ReplicaId| faulty.iter().find(|(who, _)| *who == id).map(|f| f.1);
    let mut journeys = Journeys::new("row");
    for (index, choice) in schedule.choices.iter().enumerate() {
        let row = index + 1;
        check_ranges(row, choice, instance)?;
        let flaw = journeys.row(row, choice).into_iter().next();
        if let Some(Flaw { what, .. }) = flaw {
            return Err(Error::Impossible { row, what });
        }
        match choice {
            Choice::Deliver { copy, .. } | Choice::Drop { copy, .. } => {
                check_recovery(row, copy, driven)?;
                let byzantine = fault_of(copy.sender) == Some(FaultKind::Byzantine);
                if byzantine && !journeys.is_made(copy) {
                    let (sender, message) = (copy.sender, copy.message.clone());
                    return Err(Error::NotInjected {
                        row,
                        sender,
                        message,
                    });
                }
            }
            Choice::Inject { copy } => {
                check_inject(row, copy, instance, fault_of(copy.sender), driven)?;
            }
            Choice::Timeout { timer, .. }
                if !instance.protocol.timers.iter().any(|it| it == timer) =>
            {
                let protocol = instance.protocol;
                let what = format!("protocol `{protocol}` has no timer `{timer}`");
                return Err(Error::Impossible { row, what });
            }
            Choice::Timeout { replica, .. }
            | Choice::Crash { replica, .. }
            | Choice::Restart { replica, .. } => {
                let (replica, fault) = (*replica, fault_of(*replica));
                if fault == Some(FaultKind::Byzantine) {
                    return Err(Error::IsByzantine { row, replica });
                }
                if fault.is_none() && matches!(choice, Choice::Crash { .. }) {
                    return Err(Error::MayNotCrash { row, replica });
                }
                if driven != Driven::Paper && matches!(choice, Choice::Restart { backup: true, .. })
                {
                    return Err(Error::NoBackup { row, replica });
                }
            }
        }
    }
    Ok(())
}

/// E17, E21: whether a row may name recovery.
fn check_recovery(row: usize, copy: &Copy, driven: Driven) -> Result<(), Error> {
    let recovery = matches!(copy.message.kind.does().role, Role::Question | Role::Answer);
    if recovery && driven != Driven::Engine {
        let message = copy.message.clone();
        return Err(Error::Recovery { row, message });
    }
    Ok(())
}

fn check_faulty(instance: &Instance, faulty: &[(ReplicaId, FaultKind)]) -> Result<(), Error> {
    for (index, &(replica, _)) in faulty.iter().enumerate() {
        if replica.0 >= instance.replicas {
            return Err(Error::UnknownFaulty {
                replica,
                last: instance.replicas - 1,
            });
        }
        if faulty[..index].iter().any(|(other, _)| *other == replica) {
            return Err(Error::FaultyTwice { replica });
        }
    }
    for &(_, kind) in faulty {
        let listed = faulty.iter().filter(|(_, other)| *other == kind).count() as u32;
        let allowed = instance.fault_count(kind);
        if listed > allowed {
            return Err(Error::TooManyFaulty {
                kind,
                listed,
                allowed,
            });
        }
        let of_kind = instance.faults.iter().filter(|fault| fault.kind == kind);
        let powers = of_kind.map(|fault| match fault.who {
            Who::Power(power) => Some(power),
            Who::Any(_) | Who::These(_) => None,
        });
        let listed = faulty.iter().filter(|(_, other)| *other == kind);
        let listed = listed.map(|(id, _)| instance.power_of(*id)).sum::<u32>();
        let allowed: Option<u32> = powers.sum();
        if let Some(allowed) = allowed.filter(|allowed| listed > *allowed) {
            return Err(Error::TooMuchPower {
                kind,
                listed,
                allowed,
            });
        }
    }
    Ok(())
}

fn check_slot(row: usize, slot: Slot, instance: &Instance) -> Result<(), Error> {
    if slot.0 == 0 || slot.0 > instance.slots {
        return Err(Error::SlotOutOfRange {
            row,
            slot: slot.0,
            slots: instance.slots,
        });
    }
    Ok(())
}

fn check_replica(row: usize, replica: ReplicaId, instance: &Instance) -> Result<(), Error> {
    if replica.0 >= instance.replicas {
        return Err(Error::UnknownReplica {
            row,
            replica,
            last: instance.replicas - 1,
        });
    }
    Ok(())
}

/// Slots and replicas are those of the instance.
fn check_ranges(row: usize, choice: &Choice, instance: &Instance) -> Result<(), Error> {
    check_slot(row, choice.slot(), instance)?;
    check_replica(row, choice.replica(), instance)?;
    match choice {
        Choice::Deliver { copy, .. } | Choice::Drop { copy, .. } | Choice::Inject { copy } => {
            check_replica(row, copy.sender, instance)?;
            check_replica(row, copy.receiver, instance)?;
            check_slot(row, copy.sent, instance)
        }
        Choice::Timeout { .. } | Choice::Crash { .. } | Choice::Restart { .. } => Ok(()),
    }
}

/// E11: only certain messages, well formed, and only by Byzantine replicas.
fn check_inject(
    row: usize,
    copy: &Copy,
    instance: &Instance,
    fault: Option<FaultKind>,
    driven: Driven,
) -> Result<(), Error> {
    if fault != Some(FaultKind::Byzantine) {
        return Err(Error::NotByzantine {
            row,
            replica: copy.sender,
        });
    }
    let message = &copy.message;
    let does = message.kind.does();
    let role = does.role;
    let own_view = matches!(message.value, Some(Value::Block { view, .. }) if view == message.view);
    let votes = matches!(role, Role::Proposal | Role::Vote);
    let next = message.view.0.checked_add(1).map(View);
    // An engine's adapter signs no proposal that nobody could have made; the paper's replicas
    // ignore it themselves.
    let proposes = role == Role::Proposal && driven != Driven::Paper;
    let primary = rotation(instance)(message.height, message.view);
    let why = if role == Role::Decision {
        "what it could relay is a certificate, and certificates need honest signatures"
    } else if !votes && role != Role::Leave {
        "there is no such message to send"
    } else if message.height.0 >= instance.heights {
        "no such height"
    } else if votes && does.names == Names::Value && !own_view {
        "it needs a block"
    } else if does.names == Names::AnyValue && message.value.is_none() && !does.justified {
        "it needs a value"
    } else if votes && does.names == Names::Nothing && message.value.is_some() {
        "it names no value"
    } else if message.justification.is_some() && !does.justified {
        "no view justifies it"
    } else if message.justification >= Some(message.view) {
        "the view that justifies it is none before its own"
    } else if !votes && (message.value.is_some() || next.is_none()) {
        "it asks for the next view, and names no block"
    } else if proposes && copy.sender != primary {
        "it is not the primary of that view"
    } else {
        return Ok(());
    };
    Err(Error::CannotInject {
        row,
        message: message.clone(),
        why,
    })
}

/// Who is the primary of a view, by the protocol that the schedule is for.
pub(crate) fn rotation(instance: &Instance) -> impl Fn(Height, View) -> ReplicaId + use<> {
    let (protocol, replicas) = (instance.protocol, instance.replicas);
    move |height, view| protocol.primary(replicas, height, view)
}
