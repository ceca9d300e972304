//! What one replica was told before an act, and a run in which another replica is told that.

use super::{
    divergence::{Divergence, by_timer, view},
    phrase::{does_instead, short},
};
use crate::folder::Driven;
use milp_model::formulation::timed::Built;
use milp_schema::{
    Choice, Height, Instance, Kind, Message, Prediction, Protocol, ReplicaId, Schedule, Slot, View,
    instance::{Fault, FaultKind, Goal, Network, Timers},
    schedule::{Copy, Event},
    trace::{Phase, TraceEvent, What},
    vocabulary::Sent,
};
use milp_show::{
    known,
    words::{self, Does, does, kind_that},
};
use std::{collections::BTreeSet, path::PathBuf};

/// A message that a replica has: received from its author, or made by its own timer.
///
/// What else a replica sends follows from these, on the engine and in the program alike up to
/// their first divergence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fact {
    /// Who says it; the replica itself for what its timer made.
    pub(crate) author: ReplicaId,
    /// What it says.
    pub(crate) message: Message,
}

/// The situation in which a replica acts or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Situation {
    pub(crate) replica: ReplicaId,
    /// The view it is in.
    pub(crate) view: View,
    pub(crate) act: Event,
    /// Whether the engine does it, otherwise the program.
    pub(crate) does: bool,
    pub(crate) slot: Slot,
    /// Every fact that may matter, ascending.
    pub(crate) universe: Vec<Fact>,
    /// Those there are before the act, in the order of handling, with their slots.
    pub(crate) facts: Vec<(Fact, Slot)>,
}

impl Situation {
    /// The situation of a divergence; `None` if the replica was told something that no Byzantine
    /// replica can make, so that no other run can tell it that. A question for recovery is not
    /// missed where the engine acts: if it acts without it, too, that is shown.
    pub(crate) fn of(built: &Built, driven: &Driven, divergence: &Divergence) -> Option<Self> {
        let (of, schedule) = (driven.instance.protocol, &driven.schedule);
        let Divergence {
            slot,
            replica,
            act,
            does,
        } = divergence.clone();
        let view = view(&act);
        let mut situation = Self {
            replica,
            view,
            does,
            slot,
            universe: universe(of, built, (replica, view), &act),
            facts: Vec::new(),
            act,
        };
        let mut own = situation.fired(schedule);
        for choice in &schedule.choices {
            match choice {
                Choice::Deliver { slot: when, copy }
                    if copy.receiver == replica && *when <= slot =>
                {
                    let asks = words::does(&copy.message.kind) == Does::Asks;
                    if !(tellable(&copy.message.kind) || asks && does) {
                        return None;
                    }
                    let fact = Fact {
                        author: copy.sender,
                        message: copy.message.clone(),
                    };
                    // What is of a later view waits for it; a second copy says nothing.
                    let known = situation.facts.iter().any(|(other, _)| *other == fact);
                    if !known && situation.universe.contains(&fact) {
                        situation.facts.push((fact, *when));
                    }
                }
                Choice::Timeout {
                    slot: when,
                    replica: at,
                    view,
                    ..
                } if *at == replica => {
                    own.retain(|(fact, since)| {
                        let made = since == when && fact.message.view == *view;
                        if made {
                            situation.facts.push((fact.clone(), *since));
                        }
                        !made
                    });
                }
                _ => {}
            }
        }
        Some(situation)
    }

    /// What the replica's own timer made before the act.
    fn fired(&self, schedule: &Schedule) -> Vec<(Fact, Slot)> {
        let own = schedule.predictions.iter().filter_map(|prediction| {
            let Event::Send(message) = &prediction.event else {
                return None;
            };
            let fact = Fact {
                author: prediction.replica,
                message: message.clone(),
            };
            let before = prediction.slot.0 <= self.slot.0 - self.lag(&fact);
            (self.universe.contains(&fact) && fact.author == self.replica && before)
                .then_some((fact, prediction.slot))
        });
        own.collect()
    }

    /// By how many slots a fact must be earlier than the act to come before it: a delivery of the
    /// slot does, a timer of the slot only before what comes after timers.
    pub(crate) fn lag(&self, fact: &Fact) -> u32 {
        lag(self.replica, self.view, &self.act, fact)
    }

    /// Which facts there are, by their places in the universe.
    pub(crate) fn held(&self) -> Vec<bool> {
        let there: BTreeSet<&Fact> = self.facts.iter().map(|(fact, _)| fact).collect();
        let universe = self.universe.iter();
        universe.map(|fact| there.contains(fact)).collect()
    }
}

/// [`Situation::lag`], in terms of a replica and its act in a view.
pub(crate) fn lag(replica: ReplicaId, view: View, act: &Event, fact: &Fact) -> u32 {
    let after_timers = match act {
        Event::EnterView { .. } => true,
        Event::Send(said) => {
            (does(&said.kind), does(&fact.message.kind)) == (Does::Leaves, Does::Proposes)
        }
        Event::Decide(_) => false,
    };
    let same_slot = fact.author != replica || fact.message.view < view || after_timers;
    u32::from(!same_slot)
}

/// Whether a Byzantine replica can make it for another to be told (E11).
fn tellable(kind: &Kind) -> bool {
    matches!(
        does(kind),
        Does::Proposes | Does::Answers | Does::Binds | Does::Leaves
    )
}

/// What may matter to a replica up to its act in a view: what the network hands it there (E4), and
/// what its timer made. A block is left out: whoever holds one has left the height.
fn universe(
    of: Protocol,
    built: &Built,
    (replica, view): (ReplicaId, View),
    act: &Event,
) -> Vec<Fact> {
    let arrives = |message: &Message| {
        does(&message.kind) == Does::Leaves || (tellable(&message.kind) && message.view <= view)
    };
    let received = built.receivable(replica).into_iter();
    let received = received
        .filter(|(_, message)| arrives(message))
        .map(|(author, message)| Fact { author, message });
    let own = View::all(view.0 + 1).flat_map(|at| {
        let primary = built.primary(Height(0), at) == replica;
        [
            primary.then(|| Message::new(kind_that(of, Does::Proposes), Height(0), at, Some(0))),
            Some(Message::new(
                kind_that(of, Does::Leaves),
                Height(0),
                at,
                None,
            )),
        ]
    });
    let own = own.flatten().map(|message| Fact {
        author: replica,
        message,
    });
    let others = received.chain(own);
    let others =
        others.filter(|fact| Event::Send(fact.message.clone()) != *act || fact.author != replica);
    others.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What a replica is told in a local run: facts one after the other, then perhaps its timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Local {
    pub(crate) replica: ReplicaId,
    pub(crate) view: View,
    pub(crate) act: Event,
    pub(crate) facts: Vec<Fact>,
}

/// What the replica of a local run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reaction {
    /// Whether the run is what it was meant to be: its timer made what it should, it is in the view
    /// when it comes to act, and has not decided.
    pub(crate) arrived: bool,
    /// Whether its timer made what it should.
    pub(crate) told: bool,
    /// Whether it did the act.
    pub(crate) acted: bool,
    /// What it did last: at its timer, or in answer to the last message.
    pub(crate) last: Vec<Event>,
}

impl Local {
    /// The run: all others are Byzantine, so that whatever they say, they can.
    pub(crate) fn driven(&self, instance: &Instance) -> Driven {
        let others = ReplicaId::all(instance.replicas).filter(|&id| id != self.replica);
        let faulty: Vec<_> = others.map(|id| (id, FaultKind::Byzantine)).collect();
        let mut choices = Vec::new();
        for fact in self.facts.iter().filter(|fact| fact.author != self.replica) {
            choices.push(Choice::Inject {
                copy: self.copy(fact),
            });
        }
        // One slot for each: the order is all that an engine with free timers can tell.
        let mut slots = (2..).map(Slot);
        let timer = |slot, view| Choice::Timeout {
            slot,
            replica: self.replica,
            timer: instance.protocol.timer(),
            height: Height(0),
            view,
        };
        for (fact, slot) in self.facts.iter().zip(&mut slots) {
            choices.push(if fact.author == self.replica {
                timer(slot, fact.message.view)
            } else {
                let copy = self.copy(fact);
                Choice::Deliver { slot, copy }
            });
        }
        let last = self.last();
        if by_timer(&self.act) {
            choices.push(timer(last, self.view));
        }
        Driven {
            dir: PathBuf::new(),
            instance: Instance {
                faults: vec![Fault::any(FaultKind::Byzantine, instance.replicas - 1)],
                beyond_budget: true,
                slots: last.0,
                network: Network::Asynchronous,
                timers: Timers::Free,
                block_time: None,
                goal: Goal::Fork,
                ..instance.clone()
            },
            faulty,
            schedule: Schedule {
                choices,
                predictions: Vec::new(),
            },
            predicted: false,
            edited: false,
        }
    }

    /// The slot of the timer that comes last, or the one after the last message.
    fn last(&self) -> Slot {
        Slot(2 + self.facts.len() as u32)
    }

    fn copy(&self, fact: &Fact) -> Copy {
        Copy {
            sender: fact.author,
            receiver: self.replica,
            message: fact.message.clone(),
            sent: Slot(1),
            copy: 0,
        }
    }

    /// What the replica is told and does in the run, up to the act.
    pub(crate) fn steps(&self, trace: &[TraceEvent]) -> Vec<String> {
        let mine = trace
            .iter()
            .filter(|seen| seen.replica == self.replica && seen.phase == Phase::Schedule);
        let mut steps = Vec::new();
        for seen in mine {
            if let Some(event) = seen.event() {
                let timer = if by_timer(&event) {
                    " when its timer fires"
                } else {
                    ""
                };
                steps.push(format!("{}{timer}", does_instead(&event)));
                if event == self.act {
                    break;
                }
                continue;
            }
            let taken = [What::Deliver, What::HandOver].contains(&seen.what);
            if let (true, Some(from), Some(said)) = (taken, seen.peer, &seen.message) {
                steps.push(format!("gets {} from replica {from}", short(said)));
            }
        }
        steps
    }

    /// What the trace of the run says.
    pub(crate) fn reaction(&self, trace: &[TraceEvent]) -> Reaction {
        let timer = by_timer(&self.act);
        let broken = |seen: &TraceEvent| {
            (seen.replica, seen.phase, seen.what) == (self.replica, Phase::Schedule, What::Fault)
        };
        let (mut view, mut acted) = (View(0), false);
        let mut left = trace.iter().any(broken);
        let (mut made, mut last) = (Vec::new(), Vec::new());
        let at_the_end = Slot(self.last().0 - u32::from(!timer));
        for Prediction { slot, event, .. } in
            known::done(trace).filter(|seen| seen.replica == self.replica)
        {
            let act = event == self.act;
            acted |= act && (!timer || slot == at_the_end);
            if slot == at_the_end {
                last.push(event.clone());
                if timer {
                    continue;
                }
            }
            match event {
                Event::EnterView { view: entered, .. } if !act => view = entered,
                Event::Decide(_) => left |= !act,
                // A timer that acts too early would make the last one a repetition.
                Event::Send(_) if act && timer => left = true,
                Event::Send(said) if said.kind.does().sent == Sent::Timer && !act => {
                    made.push(said);
                }
                _ => {}
            }
        }
        let own = self.facts.iter().filter(|fact| fact.author == self.replica);
        let mut meant: Vec<_> = own.map(|fact| fact.message.clone()).collect();
        meant.sort();
        made.sort();
        let told = made == meant;
        Reaction {
            arrived: !left && view == self.view && told,
            told,
            acted,
            last,
        }
    }
}
