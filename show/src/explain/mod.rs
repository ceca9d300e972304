//! A schedule as a story: from what replicas did to facts, from facts to sentences.
//!
//! ```text
//! trace --facts--> Story { facts, ending } --words--> lines
//! ```
//!
//! `facts` reads the trace alone and knows messages, views and quorums, no solver and no row of
//! a program. The sentences say nothing that is not in a fact. Same schedule, same story.

mod ending;
mod facts;
mod held;
mod words;

pub use ending::{Block, Crossing, Ending, Lock};
pub use facts::{Fact, Missed, Quorum, Tally, Too};

use milp_schema::{Instance, ReplicaId, Verdict, instance::FaultKind, trace::TraceEvent};

/// What happened, and why it ended so.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// The question the schedule answers.
    pub instance: Instance,
    /// Who is faulty, and how.
    pub faulty: Vec<(ReplicaId, FaultKind)>,
    /// In the order of the trace; the slots of the schedule only.
    pub facts: Vec<Fact>,
    /// How it ended, the heal phase included.
    pub ending: Ending,
    /// What the replay says of it.
    pub verdict: Verdict,
    /// What the facts were read from.
    pub trace: Vec<TraceEvent>,
}

impl Story {
    /// The story of what replicas did with a schedule.
    pub fn of(
        instance: Instance,
        faulty: Vec<(ReplicaId, FaultKind)>,
        trace: Vec<TraceEvent>,
        verdict: Verdict,
    ) -> Self {
        let scene = facts::Scene {
            instance: &instance,
            faulty: &faulty,
        };
        let facts = facts::facts(scene, &trace);
        let ending = ending::ending(scene, &trace, &facts, &verdict);
        Self {
            instance,
            faulty,
            facts,
            ending,
            verdict,
            trace,
        }
    }

    fn scene(&self) -> facts::Scene<'_> {
        facts::Scene {
            instance: &self.instance,
            faulty: &self.faulty,
        }
    }

    /// How it ended, in a sentence.
    pub fn answer(&self) -> String {
        words::answer(self)
    }

    /// Why it ended so, a sentence each.
    pub fn reasons(&self) -> Vec<String> {
        words::reasons(self)
    }

    /// The story, one sentence per line.
    pub fn lines(&self) -> Vec<String> {
        words::lines(self)
    }
}
