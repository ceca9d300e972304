//! Executions in which everything is prompt but what somebody says: copies arrive as soon as the
//! network can hand them over, in the canonical order of E7, and nothing else happens of itself.
//!
//! What an adversary does is a [`Plan`]. Taking one act out of it gives another plan, whose
//! execution is whatever replicas make of that: other messages, other views. So a shorter schedule
//! is found without a program.

use crate::{
    Error, Recovery, Signatures, compare,
    engine::Engine,
    interpreter::Interpreter,
    network::rank,
    protocols::{Rules, Table},
    session::Session,
};
use milp_schema::{
    Instance, Message, Prediction, ReplicaId, Schedule, Slot,
    instance::{FaultKind, Timers},
    schedule::{Choice, Copy, End},
    vocabulary::Role,
};
use std::collections::{BTreeMap, BTreeSet};

/// A copy, whenever it is sent: sender, receiver, what it says, and how many equal ones were sent
/// before it.
pub type Subject = (ReplicaId, ReplicaId, Message, usize);

/// What an adversary does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The copies that are not prompt: they arrive in that slot or as soon as they can after it, or are
    /// lost in it if they were sent by then.
    pub held: BTreeMap<Subject, End>,
    /// Crashes, restarts, firings and injections, in their order.
    pub acts: Vec<Choice>,
    /// What replicas do when they like, beside what they must.
    pub liked: Vec<Prediction>,
    /// Places of copies among those that arrive in one slot.
    order: BTreeMap<Subject, usize>,
}

impl Plan {
    /// What the adversary does in a schedule: its execution is the schedule again, up to the order
    /// of copies in a slot.
    pub fn of(instance: &Instance, schedule: &Schedule) -> Self {
        let soonest = instance.delays().0;
        let ends = ends(schedule);
        let mut held = BTreeMap::new();
        let mut order = BTreeMap::new();
        for (copy, subject) in numbered(sent(instance, schedule)) {
            let end = ends.get(&copy);
            if let Some((place, _)) = end {
                order.insert(subject.clone(), *place);
            }
            let end = end.map_or(End::Open, |(_, end)| *end);
            let first = Slot(copy.sent.0 + soonest);
            if end != End::Arrives(first) && (end != End::Open || first.0 <= instance.slots) {
                held.insert(subject, end);
            }
        }
        let is_act =
            |choice: &&Choice| !matches!(choice, Choice::Deliver { .. } | Choice::Drop { .. });
        Self {
            held,
            acts: schedule.choices.iter().filter(is_act).cloned().collect(),
            liked: schedule.predictions.clone(),
            order,
        }
    }
}

/// Every copy that a schedule speaks of or that a broadcast makes, as they are sent.
fn sent(instance: &Instance, schedule: &Schedule) -> BTreeSet<Copy> {
    let named = schedule.choices.iter().filter_map(|choice| match choice {
        Choice::Deliver { copy, .. } | Choice::Drop { copy, .. } | Choice::Inject { copy } => {
            Some(copy.clone())
        }
        _ => None,
    });
    schedule.copies(instance.replicas).chain(named).collect()
}

/// Copies with what they are called, in the order in which they are sent.
fn numbered(copies: BTreeSet<Copy>) -> Vec<(Copy, Subject)> {
    let mut copies: Vec<Copy> = copies.into_iter().collect();
    copies.sort_by_key(|copy| (copy.sent, copy.copy));
    let mut seen = Seen::default();
    let named = copies.into_iter().map(|copy| {
        let subject = seen.next(&copy);
        (copy, subject)
    });
    named.collect()
}

/// How many equal copies were sent.
#[derive(Debug, Clone, Default)]
struct Seen(BTreeMap<(ReplicaId, ReplicaId, Message), usize>);

impl Seen {
    fn next(&mut self, copy: &Copy) -> Subject {
        let key = (copy.sender, copy.receiver, copy.message.clone());
        let count = self.0.entry(key).or_default();
        *count += 1;
        (copy.sender, copy.receiver, copy.message.clone(), *count)
    }
}

/// What rows say of copies, with the number of the row.
fn ends(schedule: &Schedule) -> BTreeMap<Copy, (usize, End)> {
    let rows = schedule.choices.iter().enumerate();
    let ends = rows.filter_map(|(row, choice)| match choice {
        Choice::Deliver { slot, copy } => Some((copy.clone(), (row, End::Arrives(*slot)))),
        Choice::Drop { slot, copy } => Some((copy.clone(), (row, End::Lost(*slot)))),
        _ => None,
    });
    ends.collect()
}

/// What the instance's own replicas make of a plan: its choices, and what honest replicas do.
///
/// # Errors
/// An instance without replicas here, and what replicas refuse.
pub fn execute(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    plan: &Plan,
) -> Result<Schedule, Error> {
    if crate::engine::nspcc::follows(instance) {
        return run(crate::twin(instance)?, instance, faulty, plan);
    }
    if crate::interprets(instance) {
        return run(Interpreter::of(instance)?, instance, faulty, plan);
    }
    run(Table::new(Rules::of(instance)?), instance, faulty, plan)
}

fn run<E: Engine>(
    engine: E,
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    plan: &Plan,
) -> Result<Schedule, Error> {
    let how = (Signatures::Symbolic, Recovery::Ideal);
    let session = Session::new(engine, instance, crate::quorum(instance), faulty, how)?;
    let mut run = Run {
        instance,
        plan,
        session,
        seen: Seen::default(),
        subjects: BTreeMap::new(),
        firings: firings(plan),
        choices: Vec::new(),
        now: Slot(0),
    };
    for slot in 1..=instance.slots {
        run.slot(Slot(slot))?;
    }
    Ok(Schedule {
        predictions: compare::observed(run.session.log()),
        choices: run.choices,
    })
}

fn firings(plan: &Plan) -> Vec<Choice> {
    let acts = plan.acts.iter();
    let firings = acts.filter(|choice| matches!(choice, Choice::Timeout { .. }));
    firings.cloned().collect()
}

struct Run<'a, E> {
    instance: &'a Instance,
    plan: &'a Plan,
    session: Session<E>,
    seen: Seen,
    /// What the copies in flight are called.
    subjects: BTreeMap<Copy, Subject>,
    /// The firings that are still to come.
    firings: Vec<Choice>,
    choices: Vec<Choice>,
    now: Slot,
}

impl<E: Engine> Run<'_, E> {
    fn slot(&mut self, slot: Slot) -> Result<(), Error> {
        self.now = slot;
        self.session.begin(slot)?;
        let acts = self.plan.acts.iter().filter(|act| act.slot() == slot);
        for act in acts.clone() {
            if let Choice::Crash { replica, .. } = act
                && self.session.is_up(*replica)
            {
                self.session.crash(*replica)?;
                self.choices.push(act.clone());
            }
        }
        self.session.open()?;
        for act in acts.clone() {
            if let Choice::Restart {
                replica, backup, ..
            } = act
                && !self.session.is_up(*replica)
            {
                self.session.restart(*replica, *backup)?;
                self.choices.push(act.clone());
            }
        }
        self.deliveries()?;
        self.timers()?;
        for act in acts {
            if let Choice::Inject { copy } = act {
                self.session.inject(copy)?;
                self.choices.push(act.clone());
            }
        }
        for it in self.plan.liked.iter().filter(|it| it.slot == slot) {
            if self.session.live().any(|id| id == it.replica) {
                self.session.may(it.replica, &it.event)?;
            }
        }
        self.losses();
        Ok(())
    }

    /// What was sent since is called by its name.
    fn call(&mut self) {
        let named = &self.subjects;
        let new = self
            .session
            .copies()
            .filter(|copy| !named.contains_key(copy));
        let mut new: Vec<Copy> = new.cloned().collect();
        new.sort_by_key(|copy| (copy.sent, copy.copy));
        for copy in new {
            let subject = self.seen.next(&copy);
            self.subjects.insert(copy, subject);
        }
    }

    fn deliveries(&mut self) -> Result<(), Error> {
        self.call();
        let soonest = self.instance.delays().0;
        let due = |copy: &&Copy| {
            let first = Slot(copy.sent.0 + soonest);
            let arrives = match self.plan.held.get(&self.subjects[copy]) {
                Some(End::Arrives(slot)) => Some(first.max(*slot)),
                Some(End::Lost(_) | End::Open) => None,
                // Nobody counts on what is sent for recovery.
                None if copy.message.kind.is(Role::Answer) => None,
                None => Some(first),
            };
            arrives == Some(self.now)
        };
        let mut due: Vec<Copy> = self.session.copies().filter(due).cloned().collect();
        let place = |copy: &Copy| self.plan.order.get(&self.subjects[copy]).copied();
        due.sort_by_cached_key(|copy| {
            let place = place(copy).unwrap_or(usize::MAX);
            (copy.receiver, rank(&copy.message), place, copy.clone())
        });
        for copy in due {
            self.session.deliver(&copy)?;
            let slot = self.now;
            self.choices.push(Choice::Deliver { slot, copy });
        }
        Ok(())
    }

    /// Firings that are planned come when their replica is where they name, not before their slot;
    /// timers that follow the protocol fire when they are due.
    fn timers(&mut self) -> Result<(), Error> {
        if self.instance.timers == Timers::Protocol {
            for id in ReplicaId::all(self.instance.replicas) {
                for timer in self.session.timers(id) {
                    while self.session.deadline(id, timer) == Some(self.now)
                        && self.session.can_fire(id, timer, self.session.place(id))
                        && self.session.firing_matters(id, timer)?
                    {
                        self.fire(id, timer)?;
                    }
                }
            }
            return Ok(());
        }
        for act in std::mem::take(&mut self.firings) {
            let Choice::Timeout {
                slot,
                replica,
                timer,
                height,
                view,
            } = act
            else {
                continue;
            };
            let place = (height, view);
            if slot <= self.now && self.session.can_fire(replica, timer, place) {
                self.fire(replica, timer)?;
            } else if self.session.place(replica) <= place {
                self.firings.push(act);
            }
        }
        Ok(())
    }

    fn fire(&mut self, replica: ReplicaId, timer: &'static str) -> Result<(), Error> {
        let (height, view) = self.session.place(replica);
        self.session.fire(replica, timer)?;
        self.choices.push(Choice::Timeout {
            slot: self.now,
            replica,
            timer,
            height,
            view,
        });
        Ok(())
    }

    fn losses(&mut self) {
        self.call();
        let lost = |copy: &&Copy| {
            let end = self.plan.held.get(&self.subjects[copy]);
            matches!(end, Some(End::Lost(slot)) if *slot <= self.now)
        };
        let lost: Vec<Copy> = self.session.copies().filter(lost).cloned().collect();
        for copy in lost {
            self.session.drop_copy(&copy);
            let slot = self.now;
            self.choices.push(Choice::Drop { slot, copy });
        }
    }
}
