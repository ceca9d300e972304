//! What no execution could contain, found before anything runs.

use crate::Error;
use milp_schema::{
    Instance, Kind, ReplicaId, Slot, View,
    instance::FaultKind,
    schedule::{Choice, Copy, Schedule},
};
use std::collections::BTreeMap;

/// Refuses schedules that are impossible on paper, whatever the replicas do.
///
/// # Errors
/// The first problem, with its row.
pub(crate) fn check(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
) -> Result<(), Error> {
    check_faulty(instance, faulty)?;
    let fault_of = |id: ReplicaId| faulty.iter().find(|(who, _)| *who == id).map(|f| f.1);
    let mut before = Slot(1);
    let mut made: BTreeMap<&Copy, usize> = BTreeMap::new();
    let mut used: BTreeMap<&Copy, usize> = BTreeMap::new();
    for (index, choice) in schedule.choices.iter().enumerate() {
        let row = index + 1;
        check_slot(row, choice.slot(), instance)?;
        if choice.slot() < before {
            let (slot, before) = (choice.slot().0, before.0);
            return Err(Error::SlotsNotAscending { row, slot, before });
        }
        before = choice.slot();
        check_replica(row, choice.replica(), instance)?;
        match choice {
            Choice::Deliver { slot, copy } | Choice::Drop { slot, copy } => {
                check_copy(row, copy, instance)?;
                let travels = u32::from(matches!(choice, Choice::Deliver { .. }));
                if slot.0 < copy.sent.0 + travels {
                    let (slot, sent) = (slot.0, copy.sent.0);
                    return Err(Error::DeliveredBeforeSent { row, slot, sent });
                }
                if matches!(
                    copy.message.kind,
                    Kind::RecoveryRequest | Kind::RecoveryMessage
                ) {
                    return Err(Error::Recovery {
                        row,
                        message: copy.message.clone(),
                    });
                }
                once(row, copy, &mut used)?;
                let byzantine = fault_of(copy.sender) == Some(FaultKind::Byzantine);
                if byzantine && !made.contains_key(copy) {
                    let (sender, message) = (copy.sender, copy.message.clone());
                    return Err(Error::NotInjected {
                        row,
                        sender,
                        message,
                    });
                }
            }
            Choice::Inject { copy } => {
                check_copy(row, copy, instance)?;
                check_inject(row, copy, instance, fault_of(copy.sender))?;
                once(row, copy, &mut made)?;
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
            }
        }
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

fn check_copy(row: usize, copy: &Copy, instance: &Instance) -> Result<(), Error> {
    check_replica(row, copy.sender, instance)?;
    check_replica(row, copy.receiver, instance)?;
    if copy.sender == copy.receiver {
        return Err(Error::ToItself {
            row,
            replica: copy.sender,
        });
    }
    check_slot(row, copy.sent, instance)
}

fn once<'a>(row: usize, copy: &'a Copy, rows: &mut BTreeMap<&'a Copy, usize>) -> Result<(), Error> {
    match rows.insert(copy, row) {
        None => Ok(()),
        Some(first) => {
            let (message, receiver) = (copy.message.clone(), copy.receiver);
            Err(Error::CopyTwice {
                row,
                first,
                message,
                receiver,
            })
        }
    }
}

/// E11: only certain messages, well formed, and only by Byzantine replicas.
fn check_inject(
    row: usize,
    copy: &Copy,
    instance: &Instance,
    fault: Option<FaultKind>,
) -> Result<(), Error> {
    if fault != Some(FaultKind::Byzantine) {
        return Err(Error::NotByzantine {
            row,
            replica: copy.sender,
        });
    }
    let message = &copy.message;
    let votes = matches!(
        message.kind,
        Kind::PrepareRequest | Kind::PrepareResponse | Kind::Commit
    );
    let next = message.view.0.checked_add(1).map(View);
    let why = if message.kind == Kind::Block {
        "what it could relay is a certificate, and certificates need honest signatures"
    } else if !votes && message.kind != Kind::ChangeView {
        "there is no such message to send"
    } else if message.height.0 >= instance.heights {
        "no such height"
    } else if votes && (message.block.is_none() || message.target.is_some()) {
        "it needs a block and no target"
    } else if !votes && (message.block.is_some() || message.target != next || next.is_none()) {
        "its target is the next view, and it names no block"
    } else {
        return Ok(());
    };
    Err(Error::CannotInject {
        row,
        message: message.clone(),
        why,
    })
}
