//! From a schedule to a behaviour of the model (E25 to E30).

use super::{
    action::{Action, REVISIONS, Spec},
    state::{Pool, State},
};
use crate::{Error, compare::at, input, protocols::Name};
use milp_schema::{
    BlockId, Height, Instance, Message, Protocol, ReplicaId, Slot, View,
    covers::{self, Uncovered},
    instance::{Fault, FaultKind, Who},
    schedule::{Choice, Copy, Event, Prediction, Schedule},
    trace::{TraceEvent, What},
};
use std::collections::{BTreeMap, BTreeSet};

/// An action that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) replica: ReplicaId,
    pub(super) action: Action,
}

/// The behaviour that a schedule says, as far as it is one.
#[derive(Debug, Clone)]
pub(super) struct Behaviour {
    pub(super) spec: Spec,
    /// What was taken.
    pub(super) steps: Vec<Step>,
    /// The states before the first step, between steps and after the last.
    pub(super) states: Vec<State>,
    /// The same, as a replay says it.
    pub(super) trace: Vec<TraceEvent>,
    /// Why it ends before the schedule does, if so.
    pub(super) refused: Option<String>,
}

impl Behaviour {
    /// The state after the last step.
    ///
    /// # Panics
    /// Never: there is always the initial one.
    pub(super) fn last(&self) -> &State {
        self.states.last().expect("there is an initial state")
    }
}

impl Spec {
    /// The model of an instance (E25).
    ///
    /// # Errors
    /// An instance the model does not cover, with what it does not.
    pub(super) fn of(
        instance: &Instance,
        faulty: &[(ReplicaId, FaultKind)],
    ) -> Result<Self, Error> {
        let mut revisions = REVISIONS.into_iter();
        let known = revisions.find(|(name, _)| *name == instance.protocol.name);
        let (_, revision) = known.ok_or_else(|| Error::NotTheModel {
            protocol: instance.protocol.to_string(),
        })?;
        let of_kind = |kind: FaultKind| {
            let these = faulty.iter().filter(|(_, other)| *other == kind);
            these.map(|(id, _)| *id).collect::<BTreeSet<_>>()
        };
        // Who is faulty here may be others than the instance allows.
        let these = faulty.iter().map(|(id, kind)| Fault {
            kind: *kind,
            who: Who::These(vec![*id]),
        });
        let asked = Instance {
            faults: these.collect(),
            ..instance.clone()
        };
        let uncovered = [covers::uncovered(instance), covers::uncovered(&asked)].concat();
        if let Some(Uncovered { what, .. }) = uncovered.first() {
            let protocol = instance.protocol.to_string();
            return Err(Error::NotInModel { protocol, what });
        }
        Ok(Self {
            revision,
            replicas: instance.replicas,
            max_view: View(instance.views - 1),
            fault: of_kind(FaultKind::Byzantine),
            dead: of_kind(FaultKind::Crash),
        })
    }

    /// The protocol of the text.
    fn protocol(&self) -> Protocol {
        let mut revisions = REVISIONS.into_iter();
        let (name, _) = revisions
            .find(|(_, revision)| *revision == self.revision)
            .expect("a revision is one of two");
        Protocol::shipped(name)
    }

    /// What a replica in `view` says by `action`, which sends.
    ///
    /// # Panics
    /// For an action that sends nothing.
    pub(super) fn message(&self, action: Action, view: View) -> Message {
        let name = action.message().expect("an action that sends");
        let names_block = name != Name::ChangeView;
        let kind = name.kind(self.protocol());
        Message::new(kind, Height(0), view, names_block.then_some(0))
    }
}

/// Something a schedule says happens.
#[derive(Debug, Clone, Copy)]
enum Said<'a> {
    Crash(ReplicaId),
    Act(&'a Prediction),
    Inject(&'a Copy),
}

/// Follows a schedule for as long as it is a behaviour.
///
/// # Errors
/// Instances and rows that are none of this protocol's.
pub(super) fn follow(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
) -> Result<Behaviour, Error> {
    let spec = Spec::of(instance, faulty)?;
    input::check(instance, faulty, schedule, input::Driven::Paper)?;
    check_rows(&spec, schedule)?;
    let mut walk = Walk::new(spec);
    for (slot, said) in in_order(schedule) {
        let taken = if slot.0 == 0 || slot.0 > instance.slots {
            Err(format!("is beyond slot {}", instance.slots))
        } else {
            walk.take(slot, said)
        };
        if let Err(why) = taken {
            let (replica, number) = (said.replica(), walk.number + 1);
            let what = format!("cannot take step {number}, {}: {why}", said.name());
            walk.behaviour.refused = Some(at(slot, replica, &what));
            break;
        }
        walk.number += 1;
    }
    Ok(walk.behaviour)
}

/// What no schedule of this protocol has (E27, E29).
fn check_rows(spec: &Spec, schedule: &Schedule) -> Result<(), Error> {
    let mut views: BTreeMap<ReplicaId, View> = BTreeMap::new();
    for (index, choice) in schedule.choices.iter().enumerate() {
        let row = index + 1;
        let kind = match choice {
            Choice::Crash { .. } => continue,
            Choice::Inject { copy } => {
                let before = views.insert(copy.sender, copy.message.view);
                check_inject(spec, copy, before).map_err(|why| Error::CannotInject {
                    row,
                    message: copy.message.clone(),
                    why,
                })?;
                continue;
            }
            Choice::Deliver { .. } => "deliver",
            Choice::Drop { .. } => "drop",
            Choice::Timeout { .. } => "timeout",
            Choice::Restart { .. } => "restart",
        };
        return Err(Error::NoSuchRow { row, kind });
    }
    Ok(())
}

fn check_inject(spec: &Spec, copy: &Copy, before: Option<View>) -> Result<(), &'static str> {
    let message = &copy.message;
    let is_primary = spec.primary(message.view) == copy.sender;
    if message.view > spec.max_view {
        Err("its view is not modelled")
    } else if before.is_some_and(|before| message.view < before) {
        Err("its view is below that of an earlier row of the replica")
    } else if message.index().is_some_and(|block| block != 0) {
        Err("there is one block per view, number 0")
    } else if message.kind == Name::PrepareRequest && !is_primary {
        Err("the replica is not primary of that view")
    } else if message.kind == Name::PrepareResponse && is_primary {
        Err("the replica is primary of that view")
    } else {
        Ok(())
    }
}

/// Everything that is said, in the order of E28.
fn in_order(schedule: &Schedule) -> Vec<(Slot, Said<'_>)> {
    let mut said: Vec<((Slot, u8, ReplicaId), Said)> = Vec::new();
    for choice in &schedule.choices {
        let slot = choice.slot();
        match choice {
            Choice::Crash { replica, .. } => {
                said.push(((slot, 0, *replica), Said::Crash(*replica)));
            }
            // A stable sort leaves injections in the order of their rows.
            Choice::Inject { copy } => said.push(((slot, 2, ReplicaId(0)), Said::Inject(copy))),
            _ => {}
        }
    }
    for act in &schedule.predictions {
        said.push(((act.slot, 1, act.replica), Said::Act(act)));
    }
    said.sort_by_key(|(key, _)| *key);
    said.into_iter()
        .map(|((slot, _, _), said)| (slot, said))
        .collect()
}

impl Said<'_> {
    fn replica(self) -> ReplicaId {
        match self {
            Self::Crash(replica) => replica,
            Self::Act(act) => act.replica,
            Self::Inject(copy) => copy.sender,
        }
    }

    /// The action it stands for; for a message that the model does not have, none.
    fn action(self) -> Option<Action> {
        match self {
            Self::Crash(_) => Some(Action::Die),
            Self::Inject(copy) => Action::forging(copy.message.kind),
            Self::Act(act) => match &act.event {
                Event::Send(message) => Action::sending(message.kind),
                Event::EnterView { .. } => Some(Action::ReceiveChangeView),
                Event::Decide(_) => Some(Action::AcceptBlock),
            },
        }
    }

    fn name(self) -> &'static str {
        self.action().map_or("no action of the model", Action::name)
    }
}

/// A behaviour being followed.
struct Walk {
    behaviour: Behaviour,
    /// How many things that were said have been done.
    number: usize,
    slot: Slot,
    /// The pool as the slot began.
    seen: Pool,
    /// Who acted in the slot.
    acted: BTreeSet<ReplicaId>,
}

impl Walk {
    /// Byzantine replicas are bad from the start (E29).
    fn new(spec: Spec) -> Self {
        let bad = spec.fault.clone();
        let initial = State::initial(spec.replicas);
        let mut walk = Self {
            behaviour: Behaviour {
                spec,
                steps: Vec::new(),
                states: vec![initial],
                trace: Vec::new(),
                refused: None,
            },
            number: 0,
            slot: Slot(0),
            seen: Pool::default(),
            acted: BTreeSet::new(),
        };
        for id in bad {
            walk.push(id, Action::BeBad);
        }
        walk
    }

    fn push(&mut self, replica: ReplicaId, action: Action) {
        let next = Spec::step(self.behaviour.last(), replica, action);
        self.behaviour.steps.push(Step { replica, action });
        self.behaviour.states.push(next);
    }

    fn log(&mut self, replica: ReplicaId, what: What) -> &mut TraceEvent {
        let event = TraceEvent::at(self.slot, replica, what);
        self.behaviour.trace.push(event);
        let last = self.behaviour.trace.len() - 1;
        &mut self.behaviour.trace[last]
    }

    /// Does one thing that was said.
    ///
    /// # Errors
    /// Why it is no step of a behaviour.
    fn take(&mut self, slot: Slot, said: Said) -> Result<(), String> {
        if slot != self.slot {
            self.slot = slot;
            self.seen = self.behaviour.last().pool;
            self.acted.clear();
        }
        match said {
            Said::Crash(replica) => {
                self.act(replica, Action::Die)?;
                self.log(replica, What::Crash);
                Ok(())
            }
            Said::Inject(copy) => self.inject(copy),
            Said::Act(act) => self.predicted(act),
        }
    }

    /// Takes an action that is enabled on the pool as the slot began, and now.
    fn act(&mut self, replica: ReplicaId, action: Action) -> Result<(), String> {
        let spec = &self.behaviour.spec;
        let now = self.behaviour.last();
        let seen = State {
            seats: now.seats.clone(),
            pool: self.seen,
        };
        // E28: what the first call allows the second one does too; it is the model's own guard.
        spec.guard(&seen, replica, action)
            .and_then(|()| spec.guard(now, replica, action))
            .map_err(|lacking| lacking.to_string())?;
        let next = Spec::step(now, replica, action);
        if next == *now {
            return Err("it would change nothing".to_owned());
        }
        if !spec.is_modelled(&next) {
            return Err(format!("v{} is not modelled", spec.max_view.next()));
        }
        self.push(replica, action);
        Ok(())
    }

    /// An event of `predictions.csv`.
    fn predicted(&mut self, act: &Prediction) -> Result<(), String> {
        let Prediction { replica, event, .. } = act;
        let spec = &self.behaviour.spec;
        if replica.0 >= spec.replicas {
            return Err("there is no such replica".to_owned());
        }
        if spec.fault.contains(replica) {
            return Err("a Byzantine replica acts by `inject` rows only".to_owned());
        }
        if !self.acted.insert(*replica) {
            return Err("the replica has acted in this slot already".to_owned());
        }
        let action = Said::Act(act).action();
        let action = action.ok_or_else(|| "the model has no such message".to_owned())?;
        let here = self.behaviour.last().seat(*replica).view;
        let made = match event {
            Event::Send(_) => Event::Send(self.behaviour.spec.message(action, here)),
            Event::EnterView { .. } => Event::EnterView {
                height: Height(0),
                view: here.next(),
            },
            Event::Decide(_) => Event::Decide(block(here)),
        };
        if made != *event {
            return Err(format!("in v{here} the replica would {}", plain(&made)));
        }
        self.act(*replica, action)?;
        let decision = self.behaviour.spec.protocol().decision();
        let line = self.log(*replica, What::Send);
        match made {
            Event::Send(message) => line.message = Some(message),
            Event::EnterView { height, view } => {
                line.what = What::EnterView;
                line.place = Some((height, view));
            }
            Event::Decide(block) => {
                line.what = What::Decide;
                line.message = Some(Message::about(decision, block));
            }
        }
        Ok(())
    }

    /// A row `inject`: the views up to its own are gone through first (line 21).
    fn inject(&mut self, copy: &Copy) -> Result<(), String> {
        let (sender, message) = (copy.sender, &copy.message);
        let action = Action::forging(message.kind);
        let action = action.ok_or_else(|| "the model has no such message".to_owned())?;
        let last = self.behaviour.last();
        let name = action.message().expect("an action that sends");
        if !last.pool.has(name, sender, message.view) {
            while self.behaviour.last().seat(sender).view < message.view {
                self.act(sender, Action::FaultyDoCv)?;
            }
            self.act(sender, action)?;
        }
        let line = self.log(sender, What::Inject);
        line.peer = Some(copy.receiver);
        line.copy = Some((copy.sent, copy.copy));
        line.message = Some(message.clone());
        Ok(())
    }
}

/// The one block of a view.
pub(super) fn block(view: View) -> BlockId {
    BlockId {
        height: Height(0),
        view,
        index: 0,
    }
}

fn plain(event: &Event) -> String {
    match event {
        Event::Send(message) => format!("send {message}"),
        Event::EnterView { height, view } => format!("enter h{height} v{view}"),
        Event::Decide(block) => format!("decide {block}"),
    }
}
