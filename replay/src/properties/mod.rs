//! What must hold on every trace, one file per property: name, expectation, predicate.
//!
//! A predicate looks at what honest replicas really did and returns one sentence per violation.
//! `termination` is judged by the heal phase. [`sometimes()`] keeps a trace in which nothing happens
//! from passing unnoticed.

mod agreement;
pub(crate) mod blame;
mod finality;
mod integrity;
mod lock;
mod sometimes;
mod termination;
mod validity;

pub(crate) use agreement::AGREEMENT;
pub(crate) use finality::FINALITY;
pub(crate) use integrity::INTEGRITY;
pub(crate) use lock::{LOCK, moves};
pub(crate) use sometimes::sometimes;
pub(crate) use termination::termination;
pub(crate) use validity::VALIDITY;

use milp_schema::{Height, ReplicaId, View, trace::TraceEvent, verdict::Holds};
use std::collections::BTreeSet;

/// What a predicate may know besides the trace.
pub(crate) struct Facts {
    /// How many votes make a certificate, by voting power.
    pub(crate) quorum: usize,
    /// The voting power of each replica.
    pub(crate) power: Vec<u32>,
    /// The primary of a view of a height.
    pub(crate) primary: Box<dyn Fn(Height, View) -> ReplicaId>,
    /// Who did not follow them.
    pub(crate) byzantine: BTreeSet<ReplicaId>,
}

/// One property of a trace.
pub(crate) struct Property {
    /// As the verdict names it.
    pub(crate) name: &'static str,
    /// What is expected always.
    pub(crate) expectation: &'static str,
    /// One sentence per violation.
    pub(crate) violations: fn(&Facts, &[TraceEvent]) -> Vec<String>,
}

impl Property {
    /// Judges a trace and adds a note per violation.
    pub(crate) fn judge(
        &self,
        facts: &Facts,
        trace: &[TraceEvent],
        notes: &mut Vec<String>,
    ) -> Holds {
        let violations = (self.violations)(facts, trace);
        let holds = if violations.is_empty() {
            Holds::Holds
        } else {
            Holds::Violated
        };
        let Self {
            name, expectation, ..
        } = self;
        notes.extend(
            violations
                .iter()
                .map(|what| format!("{name} violated: {what} ({expectation})")),
        );
        holds
    }
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::protocols::testing;
    use milp_schema::{Protocol, Slot, trace::What};

    pub(super) fn facts(protocol: &str, byzantine: &[u32]) -> Facts {
        let byzantine = byzantine.iter().copied().map(ReplicaId).collect();
        let protocol = Protocol::shipped(protocol);
        Facts {
            quorum: 3,
            power: vec![1; 4],
            primary: Box::new(move |height, view| protocol.primary(4, height, view)),
            byzantine,
        }
    }

    /// `replica` does `what` with a message of height 0.
    pub(super) fn event(what: What, replica: u32, text: &str) -> TraceEvent {
        TraceEvent {
            message: Some(testing::at(0, text)),
            ..TraceEvent::at(Slot(1), ReplicaId(replica), what)
        }
    }

    pub(super) fn entered(replica: u32, view: u32) -> TraceEvent {
        let place = Some((Height(0), View(view)));
        let event = event(What::EnterView, replica, "ChangeView v0");
        TraceEvent {
            message: None,
            place,
            ..event
        }
    }

    /// Judges and returns only the outcome.
    pub(super) fn judge(property: &Property, facts: &Facts, trace: &[TraceEvent]) -> Holds {
        let mut notes = Vec::new();
        let holds = property.judge(facts, trace, &mut notes);
        assert_eq!(
            notes.is_empty(),
            holds == Holds::Holds,
            "a note for each violation"
        );
        holds
    }
}
