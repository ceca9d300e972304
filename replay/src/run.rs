//! Drives replicas with the rows of a schedule, slot by slot, in row order.
//!
//! Every row leaves its event in the trace or a sentence that it could not happen; what the
//! network and the timers promise (E10, E15) is held against the rows, predictions or not.

use crate::{Error, compare, engine::Engine, session::Session};
use milp_schema::trace::{TraceEvent, What};
use milp_schema::{
    Height, Instance, ReplicaId, Slot, View,
    instance::{FaultKind, Network, Timers},
    schedule::{Choice, Copy, Prediction, Schedule},
    vocabulary::Role,
};
use std::collections::BTreeMap;

/// How a schedule fared, one sentence for each.
#[derive(Debug)]
pub(crate) struct Applied {
    /// What the replicas did otherwise than predicted; `None` where that was not asked.
    pub(crate) divergences: Option<Vec<String>>,
    /// Rows that could not happen, and promises of network and timers that the rows break.
    pub(crate) impossible: Vec<String>,
}

struct Driver<'a, E> {
    instance: &'a Instance,
    stage: &'a mut Session<E>,
    impossible: Vec<String>,
    /// Copies to lose at the end of the slot they are sent in, with the row that says so.
    doomed: Vec<(usize, Copy)>,
    /// Every copy of an honest replica that was delivered, with its slot.
    delivered: Vec<(Copy, Slot)>,
}

/// Applies every row of a schedule that passed `input::check`, and says what of it could not
/// happen; with `compare` also what the replicas did otherwise than predicted.
///
/// # Errors
/// A crash or restart of a replica that is in the wrong state for it; what the stage cannot do.
pub(crate) fn drive<E: Engine>(
    stage: &mut Session<E>,
    instance: &Instance,
    schedule: &Schedule,
    compare: bool,
) -> Result<Applied, Error> {
    let mut driver = Driver {
        instance,
        stage,
        impossible: Vec::new(),
        doomed: Vec::new(),
        delivered: Vec::new(),
    };
    let mut rows = schedule.choices.iter().enumerate().peekable();
    for slot in 1..=instance.slots {
        driver.stage.begin(Slot(slot))?;
        while let Some((row, choice)) = rows.next_if(|(_, choice)| choice.slot().0 == slot) {
            if !matches!(choice, Choice::Crash { .. }) {
                driver.stage.open()?;
            }
            driver.apply(row + 1, choice)?;
        }
        driver.stage.open()?;
        driver.liked(&schedule.predictions, Slot(slot))?;
        driver.end_slot(Slot(slot))?;
    }
    driver.check_network();
    let observed = compare::observed(driver.stage.log());
    Ok(Applied {
        divergences: compare.then(|| compare::divergences(&schedule.predictions, &observed)),
        impossible: driver.impossible,
    })
}

impl<E: Engine> Driver<'_, E> {
    /// A row, counted from 1, that could not happen or could not happen so.
    fn refuse(&mut self, row: usize, sentence: &str) {
        self.impossible.push(format!("{sentence} (row {row})"));
    }

    fn apply(&mut self, row: usize, choice: &Choice) -> Result<(), Error> {
        match choice {
            Choice::Deliver { slot, copy } => {
                if self.stage.deliver(copy)? {
                    self.delivered.push((copy.clone(), *slot));
                } else {
                    self.refuse(row, &missing(*slot, copy, "receive"));
                }
            }
            Choice::Drop { slot, copy } if *slot == copy.sent => {
                self.doomed.push((row, copy.clone()));
            }
            Choice::Drop { slot, copy } => self.lose(row, *slot, copy),
            Choice::Timeout {
                slot,
                replica,
                timer,
                height,
                view,
            } => {
                self.timeout(row, *slot, (*replica, *timer), (*height, *view))?;
            }
            Choice::Inject { copy } => self.stage.inject(copy)?,
            Choice::Crash { replica, .. } => {
                if !self.stage.is_up(*replica) {
                    return Err(Error::WrongState {
                        row,
                        replica: *replica,
                        state: "down",
                    });
                }
                self.stage.crash(*replica)?;
            }
            Choice::Restart {
                replica, backup, ..
            } => {
                if self.stage.is_up(*replica) {
                    return Err(Error::WrongState {
                        row,
                        replica: *replica,
                        state: "up",
                    });
                }
                self.stage.restart(*replica, *backup)?;
            }
        }
        Ok(())
    }

    fn lose(&mut self, row: usize, slot: Slot, copy: &Copy) {
        if !self.stage.drop_copy(copy) {
            self.refuse(row, &missing(slot, copy, "lose"));
        }
    }

    /// E14, E15: the row fires the timer if the replica is where the row says; under the
    /// protocol's timers a firing in another slot than the deadline's cannot be.
    fn timeout(
        &mut self,
        row: usize,
        slot: Slot,
        (replica, timer): (ReplicaId, &'static str),
        (height, view): (Height, View),
    ) -> Result<(), Error> {
        let named = self.stage.called(timer);
        if !self.stage.can_fire(replica, timer, (height, view)) {
            self.stage.refuse_timeout(replica, timer, (height, view));
            let what = format!("has no {named} for h{height} v{view}, so it cannot fire");
            self.refuse(row, &compare::at(slot, replica, &what));
            return Ok(());
        }
        let deadline = self.stage.deadline(replica, timer);
        if self.instance.timers == Timers::Protocol && deadline != Some(slot) {
            let due = deadline.map_or_else(|| "never".to_owned(), |due| format!("in slot {due}"));
            let what = format!("fires its {named} of h{height} v{view}, which is due {due}");
            self.refuse(row, &compare::at(slot, replica, &what));
        }
        self.stage.fire(replica, timer)
    }

    /// What a replica may do when it likes has no row: it does what is predicted, once the rows of the
    /// slot are done.
    fn liked(&mut self, predictions: &[Prediction], slot: Slot) -> Result<(), Error> {
        for it in predictions.iter().filter(|it| it.slot == slot) {
            if self.stage.live().any(|id| id == it.replica) {
                self.stage.may(it.replica, &it.event)?;
            }
        }
        Ok(())
    }

    /// Loses what was sent and given up in this slot, and looks for timers that should have fired.
    fn end_slot(&mut self, slot: Slot) -> Result<(), Error> {
        for (row, copy) in std::mem::take(&mut self.doomed) {
            self.lose(row, slot, &copy);
        }
        if self.instance.timers == Timers::Free {
            return Ok(());
        }
        for id in ReplicaId::all(self.instance.replicas) {
            for timer in self.stage.timers(id) {
                if let Some((height, view)) = self.stage.missed(id, timer)? {
                    let timer = self.stage.called(timer);
                    let what =
                        format!("has its {timer} of h{height} v{view} due, but no row fires it");
                    self.impossible.push(compare::at(slot, id, &what));
                }
            }
        }
        Ok(())
    }

    /// E10: what the network promised between replicas it makes promises to.
    fn check_network(&mut self) {
        let promised = |id: ReplicaId| {
            !matches!(
                self.stage.fault(id),
                Some(FaultKind::Byzantine | FaultKind::Network)
            )
        };
        let down = down(self.stage.log());
        // One that crashes later should have received by then what was due before.
        let receives = |id: ReplicaId, due: u32| {
            promised(id) && down.get(&id).is_none_or(|crashed| crashed.0 > due)
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
        let undelivered = self.stage.copies().map(|copy| (copy, None));
        let delivered = self
            .delivered
            .iter()
            .map(|(copy, slot)| (copy, Some(slot.0)));
        let lost = lost(self.stage.log());
        let lost = lost.iter().map(|copy| (copy, None));
        for (copy, arrived) in undelivered.chain(delivered).chain(lost) {
            // Nothing is promised for recovery messages (E21).
            let covered = promised(copy.sender) && !copy.message.kind.is(Role::Answer);
            let due = latest(copy.sent).filter(|_| covered);
            if let Some(due) = due
                && receives(copy.receiver, due)
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
        self.impossible.extend(late);
    }
}

/// The slot in which each replica that was ever down went down first, by a row or by itself.
fn down(log: &[TraceEvent]) -> BTreeMap<ReplicaId, Slot> {
    let mut down = BTreeMap::new();
    for event in log {
        if matches!(event.what, What::Crash | What::Fault) {
            down.entry(event.replica).or_insert(event.slot);
        }
    }
    down
}

/// Copies the trace says were lost.
fn lost(log: &[TraceEvent]) -> Vec<Copy> {
    log.iter()
        .filter(|event| event.what == What::Drop)
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
