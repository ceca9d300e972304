//! Drives a world with the rows of a schedule, slot by slot, in row order.

use crate::{Error, compare, input, signature::Signatures, trace::TraceEvent, world::World};
use milp_schema::{
    Instance, ReplicaId, Slot,
    instance::{FaultKind, Network, Timeouts},
    schedule::{Choice, Copy, Schedule},
};

/// The world after the last slot, and the divergences of the choices themselves.
pub(crate) struct Driven {
    pub(crate) world: World,
    pub(crate) divergences: Vec<String>,
}

struct Driver<'a> {
    instance: &'a Instance,
    world: World,
    compare: bool,
    divergences: Vec<String>,
    /// Copies to lose at the end of the slot they are sent in.
    doomed: Vec<Copy>,
    /// Every copy of an honest replica that was delivered, with its slot.
    delivered: Vec<(Copy, Slot)>,
    /// Who was ever down.
    crashed: Vec<bool>,
}

/// Applies every row of the schedule.
///
/// # Errors
/// A crash or restart of a replica that is in the wrong state for it.
pub(crate) fn drive(
    instance: &Instance,
    rules: crate::protocols::Rules,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
    compare: bool,
    signatures: Signatures,
) -> Result<Driven, Error> {
    input::check(instance, faulty, schedule)?;
    let mut driver = Driver {
        instance,
        world: World::new(instance, rules, faulty, signatures),
        compare,
        divergences: Vec::new(),
        doomed: Vec::new(),
        delivered: Vec::new(),
        crashed: vec![false; instance.replicas as usize],
    };
    let mut rows = schedule.choices.iter().enumerate().peekable();
    for slot in 1..=instance.slots {
        driver.world.clock.now = Slot(slot);
        while let Some((row, choice)) = rows.next_if(|(_, choice)| choice.slot().0 == slot) {
            driver.apply(row + 1, choice)?;
        }
        driver.end_slot();
    }
    if compare {
        let observed = compare::observed(&driver.world.log);
        driver
            .divergences
            .extend(compare::divergences(&schedule.predictions, &observed));
        driver.check_network();
    }
    Ok(Driven {
        world: driver.world,
        divergences: driver.divergences,
    })
}

impl Driver<'_> {
    fn diverge(&mut self, sentence: String) {
        if self.compare {
            self.divergences.push(sentence);
        }
    }

    fn apply(&mut self, row: usize, choice: &Choice) -> Result<(), Error> {
        match choice {
            Choice::Deliver { slot, copy } => {
                if self.world.deliver(copy) {
                    self.delivered.push((copy.clone(), *slot));
                } else {
                    self.diverge(missing(*slot, copy, "receive"));
                }
            }
            Choice::Drop { slot, copy } if *slot == copy.sent => self.doomed.push(copy.clone()),
            Choice::Drop { slot, copy } => {
                if !self.world.drop_copy(copy) {
                    self.diverge(missing(*slot, copy, "lose"));
                }
            }
            Choice::Timeout {
                slot,
                replica,
                height,
                view,
            } => {
                self.timeout(*slot, *replica, (*height, *view));
            }
            Choice::Inject { copy } => self.world.inject(copy),
            Choice::Crash { replica, .. } => {
                if !self.world.seats[replica.index()].up {
                    return Err(Error::WrongState {
                        row,
                        replica: *replica,
                        state: "down",
                    });
                }
                self.crashed[replica.index()] = true;
                self.world.crash(*replica);
            }
            Choice::Restart {
                replica, backup, ..
            } => {
                if self.world.seats[replica.index()].up {
                    return Err(Error::WrongState {
                        row,
                        replica: *replica,
                        state: "up",
                    });
                }
                self.world.restart(*replica, *backup);
            }
        }
        Ok(())
    }

    /// E14, E15: the row fires the timer if the replica is where the row says; under the
    /// protocol's timers a firing in another slot than the deadline's is a divergence.
    fn timeout(
        &mut self,
        slot: Slot,
        replica: ReplicaId,
        (height, view): (milp_schema::Height, milp_schema::View),
    ) {
        if !self.world.can_fire(replica, height, view) {
            self.world.refuse_timeout(replica, (height, view));
            let what = format!("has no timer for h{height} v{view}, so it cannot fire");
            self.diverge(compare::at(slot, replica, &what));
            return;
        }
        let deadline = self.world.clock.deadline(replica);
        if self.instance.timeouts == Timeouts::Protocol && deadline != Some(slot) {
            let due = deadline.map_or_else(|| "never".to_owned(), |due| format!("in slot {due}"));
            let what = format!("fires its timer of h{height} v{view}, which is due {due}");
            self.diverge(compare::at(slot, replica, &what));
        }
        self.world.fire(replica);
    }

    /// Loses what was sent and given up in this slot, and looks for timers that should have fired.
    fn end_slot(&mut self) {
        let slot = self.world.clock.now;
        for copy in std::mem::take(&mut self.doomed) {
            if !self.world.drop_copy(&copy) {
                self.diverge(missing(slot, &copy, "lose"));
            }
        }
        for id in ReplicaId::all(self.instance.replicas) {
            if !self.world.clock.is_due(id) {
                continue;
            }
            let replica = self.world.state(id);
            if replica.timeout_matters(&self.world.rules) {
                let (height, view) = (replica.height, replica.view);
                let what = format!("has its timer of h{height} v{view} due, but no row fires it");
                self.diverge(compare::at(slot, id, &what));
            }
            self.world.rearm(id);
        }
    }

    /// E10: what the network promised between replicas it makes promises to.
    fn check_network(&mut self) {
        let promised = |id: ReplicaId| {
            let fault = self.world.seats[id.index()].fault;
            let faulty = matches!(fault, Some(FaultKind::Byzantine | FaultKind::Network));
            !faulty && !self.crashed[id.index()]
        };
        let latest = |sent: Slot| match self.instance.network {
            Network::Asynchronous => None,
            Network::Eventual => (sent.0 < self.instance.slots).then_some(self.instance.slots),
            Network::Bounded { delay_max, gst, .. } => {
                Some(sent.0.max(gst) + delay_max).filter(|&due| due <= self.instance.slots)
            }
        };
        let mut late: Vec<String> = Vec::new();
        let mut complain = |copy: &Copy, due: u32| {
            let what = format!(
                "should have received {} of replica {} sent in slot {} by now (network)",
                copy.message, copy.sender, copy.sent
            );
            late.push(compare::at(Slot(due), copy.receiver, &what));
        };
        let undelivered = self.world.network.in_flight().map(|copy| (copy, None));
        let delivered = self
            .delivered
            .iter()
            .map(|(copy, slot)| (copy, Some(slot.0)));
        let lost = lost(&self.world.log);
        let lost = lost.iter().map(|copy| (copy, None));
        for (copy, arrived) in undelivered.chain(delivered).chain(lost) {
            let due =
                latest(copy.sent).filter(|_| promised(copy.sender) && promised(copy.receiver));
            if let Some(due) = due
                && arrived.is_none_or(|arrived| arrived > due)
            {
                complain(copy, due);
            }
        }
        let least = self.instance.delays().0;
        for (copy, slot) in &self.delivered {
            if slot.0 < copy.sent.0 + least {
                let what = format!(
                    "received {} of replica {} before the smallest delay {least} was over",
                    copy.message, copy.sender
                );
                late.push(compare::at(*slot, copy.receiver, &what));
            }
        }
        self.divergences.extend(late);
    }
}

/// Copies the trace says were lost.
fn lost(log: &[TraceEvent]) -> Vec<Copy> {
    log.iter()
        .filter(|event| event.what == crate::trace::What::Drop)
        .filter_map(|event| {
            let (sent, copy) = event.copy?;
            let (sender, message) = (event.peer?, event.message.clone()?);
            Some(Copy {
                sender,
                receiver: event.replica,
                message,
                sent,
                copy,
            })
        })
        .collect()
}

fn missing(slot: Slot, copy: &Copy, verb: &str) -> String {
    let what = format!(
        "cannot {verb} {} of replica {}: it was not sent in slot {}",
        copy.message, copy.sender, copy.sent
    );
    compare::at(slot, copy.receiver, &what)
}
