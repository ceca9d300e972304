//! An execution of rule set `nspcc` that ends in a lock, for any number of replicas.
//!
//! A lock takes more than chance: so many replicas have to ask to leave a view and commit in it
//! all the same that those who leave are too few for a quorum, and everything must have arrived in
//! the end. This one needs no fault. With q the quorum, and the primary of view 0 called 0:
//!
//! ```text
//! stayers  0 and the last f replicas      commit in view 0: f + 1 of them
//! leavers  the other q − 1                enter view 1
//! askers   the leavers and replica n − 1  ask to leave view 0: q of them
//! readers  the leavers but the last       take the request early: q − 2 of them
//!
//! slot 1      0 proposes; everybody else asks for recovery, nobody was heard
//!      2      these questions arrive; the request reaches the readers, who answer
//!      3      the answers arrive, too few to commit; the askers ask to leave
//!      4      the request reaches the stayers, who commit, n − 1 after it asked;
//!             the leavers get the requests to leave, and do
//!      5      0 gets the stayers' answers, and commits
//!   5 … 4 + f every asker gets them one by one, too late
//!      5 + f  the commits, and the request at the last leaver, too late as well
//!      6 + f  the leavers time out: more than f committed, so they ask for recovery for ever
//!      7 + f  these questions arrive
//! ```

use super::Executed;
use crate::{Recovery, Signatures, compare, network::rank, run::Stage, session::Session};
use milp_schema::{
    Instance, Kind, ReplicaId, Schedule, Slot,
    instance::Timeouts,
    schedule::{Choice, Copy},
};

/// Who does what.
#[derive(Debug, Clone, Copy)]
struct Roles {
    n: u32,
    f: u32,
}

impl Roles {
    fn stays(self, ReplicaId(id): ReplicaId) -> bool {
        id == 0 || id >= self.n - self.f
    }

    fn asks(self, id: ReplicaId) -> bool {
        !self.stays(id) || id.0 == self.n - 1
    }

    fn reads(self, id: ReplicaId) -> bool {
        !self.stays(id) && id.0 + 1 < self.n - self.f
    }

    /// The slot in which everything is over that could have made somebody commit or leave.
    fn late(self) -> u32 {
        5 + self.f
    }

    /// The slot of the delivery.
    fn delivers(self, copy: &Copy) -> u32 {
        let (from, to) = (copy.sender, copy.receiver);
        match copy.message.kind {
            Kind::PrepareRequest if self.reads(to) => 2,
            Kind::PrepareRequest if self.stays(to) => 4,
            Kind::PrepareResponse if self.reads(from) => 3,
            // One after the other, the last replica's first.
            Kind::PrepareResponse if self.asks(to) => 4 + self.n - from.0,
            Kind::PrepareResponse => 5,
            Kind::ChangeView if to.0 == 0 => 5,
            Kind::ChangeView => 4,
            Kind::RecoveryRequest => copy.sent.0 + 1,
            _ => self.late(),
        }
    }

    fn fires(self, id: ReplicaId, Slot(slot): Slot) -> bool {
        match slot {
            1 => true,
            3 => self.asks(id),
            _ => slot == self.late() + 1 && !self.stays(id),
        }
    }
}

/// The execution; `None` where it does not fit: too few slots or views, several heights, slow
/// networks, timers or quorums other than the rule set's own.
///
/// # Errors
/// The replicas', if they refuse what they are told, which is a mistake in them.
pub(super) fn lock(instance: &Instance) -> Result<Option<Executed>, crate::Error> {
    let roles = Roles {
        n: instance.replicas,
        f: instance.f(),
    };
    let fits = instance.heights == 1
        && instance.views >= 2
        && instance.slots >= roles.late() + 2
        && instance.delays().0 == 1
        && instance.timeouts == Timeouts::Free
        && instance.mutant.is_none()
        && roles.f > 0;
    if !fits {
        return Ok(None);
    }
    let (twin, quorum) = (crate::twin(instance)?, crate::quorum(instance));
    let how = (Signatures::Symbolic, Recovery::Ideal);
    let mut session = Session::new(twin, instance, quorum, &[], how)?;
    let mut choices = Vec::new();
    for slot in (1..=instance.slots).map(Slot) {
        session.begin(slot)?;
        for copy in due(&session, roles, slot) {
            session.deliver(&copy)?;
            choices.push(Choice::Deliver { slot, copy });
        }
        for replica in ReplicaId::all(roles.n).filter(|id| roles.fires(*id, slot)) {
            let (height, view) = session.place(replica);
            session.fire(replica)?;
            choices.push(Choice::Timeout {
                slot,
                replica,
                height,
                view,
            });
        }
    }
    let predictions = compare::observed(session.log());
    Ok(Some(Executed {
        faulty: Vec::new(),
        schedule: Schedule {
            choices,
            predictions,
        },
        left_out: false,
    }))
}

/// The copies of the slot, by receiver and in the order of E7.
fn due<E: crate::engine::Engine>(session: &Session<E>, roles: Roles, slot: Slot) -> Vec<Copy> {
    let copies = session.copies();
    let mut due: Vec<Copy> = copies
        .filter(|copy| copy.message.kind != Kind::RecoveryMessage && copy.sent < slot)
        .filter(|copy| roles.delivers(copy) <= slot.0)
        .cloned()
        .collect();
    due.sort_by_cached_key(|copy| (copy.receiver, rank(&copy.message), copy.sender));
    due
}
