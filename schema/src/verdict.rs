//! What a replay found.

use serde::{Deserialize, Serialize};

/// Whether a property held on the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// It held throughout.
    Holds,
    /// It was violated; the verdict's notes say where.
    Violated,
    /// The protocol promises nothing of the kind.
    NotJudged,
}

/// How the heal phase ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Liveness {
    /// Every correct replica decided every height.
    Decided,
    /// The joint state repeated with every live timer fired at least three times.
    Stuck,
    /// The step limit of the heal phase came first.
    Open,
}

/// What [`Verdict::format`] says.
pub const FORMAT: &str = "milp-verdict/2.0";

/// The outcome of every property on one trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// [`FORMAT`].
    pub format: String,
    /// Which replicas were driven, say `dbft2-paper`.
    pub engine: String,
    /// No two honest replicas decide different blocks at a height.
    pub agreement: Holds,
    /// At most one block with a valid certificate exists at a height.
    pub finality: Holds,
    /// Every decided block was proposed by the primary of its view.
    pub validity: Holds,
    /// A replica decides at most once per height.
    pub integrity: Holds,
    /// No honest replica sends another binding vote at a height, nor a change view after one; the
    /// same vote once more is none.
    pub lock: Holds,
    /// How the heal phase ended.
    pub termination: Liveness,
    /// How many good views passed without a decision; none where the goal does not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wasted: Option<u32>,
    /// How many replicas what honest ones have proves guilty; none where the goal does not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guilty: Option<u32>,
    /// Differences between prediction and trace; none, which is not 0, where nothing was compared.
    #[serde(deserialize_with = "Option::deserialize")]
    pub divergences: Option<u32>,
    /// Rows of the schedule that could not happen, and promises of network and timers that it
    /// breaks: it is no execution of the replicas it is for.
    pub impossible: u32,
    /// The same where the replicas follow other rules than those the schedule is for, which says
    /// nothing against it: what they did, they did without these rows.
    pub unapplied: u32,
    /// How often an engine broke down on this legal schedule.
    pub faults: u32,
    /// One sentence for each violation, divergence and breakdown, for each row that could not
    /// happen, and for the state called stuck.
    pub notes: Vec<String>,
}

impl Verdict {
    /// The properties by name, without termination.
    pub fn properties(&self) -> [(&'static str, Holds); 5] {
        [
            ("agreement", self.agreement),
            ("finality", self.finality),
            ("validity", self.validity),
            ("integrity", self.integrity),
            ("lock", self.lock),
        ]
    }

    /// The names of those that are violated.
    pub fn violated(&self) -> Vec<&'static str> {
        let violated = |(name, holds)| (holds == Holds::Violated).then_some(name);
        self.properties().into_iter().filter_map(violated).collect()
    }

    /// Whether the whole schedule happened and everything predicted was compared and is so. Where
    /// nothing was compared, nothing is confirmed.
    pub fn confirms(&self) -> bool {
        self.divergences == Some(0) && self.impossible == 0 && self.unapplied == 0
    }
}
