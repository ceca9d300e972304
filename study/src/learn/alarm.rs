//! What shows that an engine left the model, so that no bound of the program covers it.

use super::cut::Cut;
use crate::{
    Error,
    confirm::{Engine, How},
    folder::Driven,
};
use milp_replay::Recovery;
use milp_schema::Verdict;

/// Something that the rules forbid, and the engine does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// What it does, in a sentence.
    pub what: String,
    /// The shortest history of one replica that shows it, step by step; empty where only a whole
    /// schedule does.
    pub history: Vec<String>,
    /// Whether the program allows it from then on.
    pub allowed: bool,
}

impl Alarm {
    /// An act that the program allows from then on.
    pub(super) fn of(cut: &Cut) -> Self {
        Self {
            what: cut.sentence.clone(),
            history: cut.history.clone(),
            allowed: true,
        }
    }

    /// What only a schedule shows.
    pub(super) fn seen(what: String) -> Self {
        Self {
            what,
            history: Vec::new(),
            allowed: false,
        }
    }

    /// The alarm on a line or two.
    pub fn words(&self) -> String {
        let Self { what, history, .. } = self;
        if history.is_empty() {
            return what.clone();
        }
        format!("{what}; the shortest history: it {}", history.join(", "))
    }
}

/// The properties that the engine violates under a schedule under which the replicas of the rules
/// keep them, a sentence for each violation.
pub(super) fn violations(driven: &Driven, verdict: &Verdict) -> Result<Vec<String>, Error> {
    let violated = verdict.violated();
    if violated.is_empty() {
        return Ok(Vec::new());
    }
    let how = How {
        symbolic: true,
        recovery: Recovery::Ideal,
        compare: true,
    };
    let own = driven.replay(&Engine::Own, how)?.verdict.violated();
    let notes = violated
        .into_iter()
        .filter(|name| !own.contains(name))
        .flat_map(|name| {
            let start = format!("{name} violated: ");
            let notes = verdict.notes.iter();
            notes.filter(move |note| note.starts_with(&start)).cloned()
        });
    Ok(notes.collect())
}
