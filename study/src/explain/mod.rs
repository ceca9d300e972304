//! A schedule as a story: from what replicas did to facts, from facts to sentences.
//!
//! ```text
//! Driven --replay--> trace --facts--> Story { facts, ending } --words--> lines
//! ```
//!
//! `facts` reads the trace alone and knows messages, views and quorums, no solver and no row of
//! a program. The sentences say nothing that is not in a fact. Same schedule, same story.

mod ending;
mod facts;
mod words;

pub use ending::{Block, Ending, Lock};
pub use facts::{Fact, Missed, Quorum, Tally, Too};

use crate::{
    Error,
    confirm::{Engine, How},
    folder::Driven,
};
use milp_replay::TraceEvent;
use milp_schema::{Instance, ReplicaId, Verdict, instance::FaultKind};

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

/// Replays the schedule on the instance's own replicas and tells what they did.
///
/// # Errors
///
/// When the schedule is impossible on paper.
pub fn story(driven: &Driven) -> Result<Story, Error> {
    let how = How {
        // The story is the same with real signatures, only later.
        symbolic: true,
        ..How::default()
    };
    let replayed = driven.replay(&Engine::Own, how)?;
    let scene = facts::Scene::new(&driven.instance, &driven.faulty);
    let facts = facts::facts(&scene, &replayed.trace);
    let ending = ending::ending(&scene, &replayed.trace, &facts, &replayed.verdict);
    Ok(Story {
        instance: driven.instance.clone(),
        faulty: driven.faulty.clone(),
        facts,
        ending,
        verdict: replayed.verdict,
        trace: replayed.trace,
    })
}

impl Story {
    /// The story, one sentence per line.
    pub fn lines(&self) -> Vec<String> {
        words::lines(self)
    }
}
