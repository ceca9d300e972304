//! A schedule together with what replicas did with it.

use crate::acts::{self, Deed};
use milp_schema::{
    Choice, Instance, Kind, Message, ReplicaId, Schedule, Slot, Verdict,
    instance::FaultKind,
    schedule::{Copy, Event, Prediction},
    trace::{Phase, TraceEvent, What},
};
use std::collections::BTreeMap;

/// A schedule, and what replicas did with it or what the program says they do.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What the run is called: the folder's path below `results/` or `out/`, else its name.
    pub name: String,
    /// Who acted: the engine's name, or `model` for predictions.
    pub engine: String,
    /// What the schedule is for.
    pub instance: Instance,
    /// Who is faulty, and how.
    pub faulty: Vec<(ReplicaId, FaultKind)>,
    /// The choices and the predictions.
    pub schedule: Schedule,
    /// Whether there are predictions.
    pub predicted: bool,
    /// The result of the solve in one sentence, where there is an outcome.
    pub sentence: Option<String>,
    /// What happened, event by event.
    pub trace: Vec<TraceEvent>,
    /// What the replay found; nothing for predictions.
    pub verdict: Option<Verdict>,
    /// The files the run came from, name to text, as `milp import` gives them back.
    pub files: BTreeMap<String, String>,
}

impl Run {
    /// The same schedule as the program sees it: its choices and its predictions, no replica; nothing
    /// where there are no predictions.
    pub fn expected(&self) -> Option<Self> {
        self.predicted.then(|| Self {
            engine: "model".to_owned(),
            trace: predicted_trace(&self.schedule),
            verdict: None,
            ..self.clone()
        })
    }

    /// What the adversary does: the choices, and what honest replicas send in this run.
    pub(crate) fn acts(&self) -> Vec<Deed> {
        let within = |event: &&TraceEvent| event.phase == Phase::Schedule;
        let happens = self.trace.iter().filter(within).filter_map(|event| {
            Some(Prediction {
                slot: event.slot,
                replica: event.replica,
                event: event.event()?,
            })
        });
        let schedule = Schedule {
            choices: self.schedule.choices.clone(),
            predictions: happens.collect(),
        };
        acts::of(&self.instance, &schedule, &self.faulty)
    }

    /// Whether a replica is Byzantine.
    pub(crate) fn is_byzantine(&self, replica: ReplicaId) -> bool {
        self.faulty.contains(&(replica, FaultKind::Byzantine))
    }

    /// Whether messages lie in a pool that all see (rule sets `tla`), without deliveries.
    pub(crate) fn is_pool(&self) -> bool {
        milp_schema::covers::is_formal_model(&self.instance.rules)
    }

    /// How many senders a quorum needs, the mutant included.
    pub(crate) fn quorum(&self) -> u32 {
        let small = self.instance.mutant.as_deref() == Some("small-quorum");
        self.instance.quorum() - u32::from(small)
    }

    /// Whether a commit binds its sender for the rest of the height.
    pub(crate) fn commit_locks(&self) -> bool {
        !self.engine.contains("no-commit-lock")
            && self.instance.mutant.as_deref() != Some("no-commit-lock")
    }
}

/// Choices and predictions in the canonical order of a slot: crashes, deliveries, timers, what
/// follows from them, injections.
fn predicted_trace(schedule: &Schedule) -> Vec<TraceEvent> {
    let choices = schedule.choices.iter().map(|choice| {
        let order = match choice {
            Choice::Crash { .. } | Choice::Restart { .. } => 0,
            Choice::Deliver { .. } | Choice::Drop { .. } => 1,
            Choice::Timeout { .. } => 2,
            Choice::Inject { .. } => 4,
        };
        (order, chosen(choice))
    });
    let predictions = schedule.predictions.iter().map(|it| (3, expected(it)));
    let mut events = choices.chain(predictions).collect::<Vec<_>>();
    // Stable: rows of one slot and kind stay in their order.
    events.sort_by_key(|(order, event)| (event.slot, event.replica, *order));
    events.into_iter().map(|(_, event)| event).collect()
}

fn blank(slot: Slot, replica: ReplicaId, what: What) -> TraceEvent {
    TraceEvent {
        slot,
        phase: Phase::Schedule,
        replica,
        what,
        peer: None,
        copy: None,
        message: None,
        place: None,
        backup: None,
        text: None,
    }
}

fn chosen(choice: &Choice) -> TraceEvent {
    let of_copy = |what, peer, copy: &Copy| TraceEvent {
        peer: Some(peer),
        copy: Some((copy.sent, copy.copy)),
        message: Some(copy.message.clone()),
        ..blank(choice.slot(), choice.replica(), what)
    };
    let plain = |what| blank(choice.slot(), choice.replica(), what);
    match choice {
        Choice::Deliver { copy, .. } => of_copy(What::Deliver, copy.sender, copy),
        Choice::Drop { copy, .. } => of_copy(What::Drop, copy.sender, copy),
        Choice::Inject { copy } => of_copy(What::Inject, copy.receiver, copy),
        Choice::Timeout { height, view, .. } => TraceEvent {
            place: Some((*height, *view)),
            ..plain(What::Timeout)
        },
        Choice::Crash { .. } => plain(What::Crash),
        Choice::Restart { backup, .. } => TraceEvent {
            backup: Some(*backup),
            ..plain(What::Restart)
        },
    }
}

fn expected(prediction: &Prediction) -> TraceEvent {
    let plain = |what| blank(prediction.slot, prediction.replica, what);
    match &prediction.event {
        Event::Send(message) => TraceEvent {
            message: Some(message.clone()),
            ..plain(What::Send)
        },
        Event::EnterView { height, view } => TraceEvent {
            place: Some((*height, *view)),
            ..plain(What::EnterView)
        },
        Event::Decide(block) => TraceEvent {
            message: Some(Message {
                kind: Kind::Block,
                height: block.height,
                view: block.view,
                block: Some(block.index),
                target: None,
            }),
            ..plain(What::Decide)
        },
    }
}
