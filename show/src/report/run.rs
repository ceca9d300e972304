//! A schedule together with what replicas did with it.

use crate::{
    acts::{self, Deed},
    expected, known, words,
};
use milp_schema::{
    Instance, ReplicaId, Schedule, TraceEvent, Verdict, instance::FaultKind, outcome::Certificate,
};
use std::collections::BTreeMap;

/// A schedule, and what replicas did with it or what the program says they do.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What the run is called: the folder's path below `results/` or `out/`, else its name.
    pub name: String,
    /// Who acted: the engine's name, or `model` for predictions.
    pub engine: String,
    /// Whether a vote that binds its sender did so for the rest of the height.
    pub locks: bool,
    /// What the schedule is for.
    pub instance: Instance,
    /// Who is faulty, and how.
    pub faulty: Vec<(ReplicaId, FaultKind)>,
    /// The choices and the predictions.
    pub schedule: Schedule,
    /// How many slots earlier all this is than in the files: nothing happens before.
    pub earlier: u32,
    /// Whether there are predictions.
    pub predicted: bool,
    /// The result of the solve in one sentence, where there is an outcome.
    pub sentence: Option<String>,
    /// What the proof rests on, where there is an outcome.
    pub certificate: Option<Certificate>,
    /// What programs of the instance leave out, a heading and a list entry each; nothing where
    /// there is no sentence or nothing is left out.
    pub left_out: Vec<String>,
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
            locks: words::locks(&self.instance),
            trace: expected::trace(self.instance.protocol, &self.schedule),
            verdict: None,
            ..self.clone()
        })
    }

    /// What the adversary does: the choices, and what honest replicas send in this run.
    pub(crate) fn acts(&self) -> Vec<Deed> {
        let schedule = Schedule {
            choices: self.schedule.choices.clone(),
            predictions: known::done(&self.trace).collect(),
        };
        acts::of(&self.instance, &schedule, &self.faulty)
    }

    /// Whether a replica is Byzantine.
    pub(crate) fn is_byzantine(&self, replica: ReplicaId) -> bool {
        self.faulty.contains(&(replica, FaultKind::Byzantine))
    }
}
