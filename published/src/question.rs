//! What is asked of the published programs.

use crate::{Error, refuse};
use milp_schema::{instance::Sense, read};
use serde::Deserialize;
use std::path::Path;

/// A program, and what is optimised. The rest is as published: the last f replicas are Byzantine,
/// any replica may be the primary of a view, and what is sent may never arrive.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Kind and version of the file, [`FORMAT`].
    pub format: String,
    /// The protocol.
    pub protocol: Protocol,
    /// Which of the published programs of the protocol.
    #[serde(default)]
    pub model: Published,
    /// N = 3f + 1.
    pub replicas: u32,
    /// |V|.
    pub views: u32,
    /// tMax, the slots of each view.
    pub slots: u32,
    /// What is optimised.
    pub goal: Goal,
    /// Whether an honest replica may commit on a quorum of responses to the first primary; of
    /// dBFT 3.0 only.
    #[serde(default)]
    pub speed_up: bool,
    /// The constant that stands for a large number.
    #[serde(default)]
    pub big_m: BigM,
    /// Which honest messages must arrive at honest replicas; distinct.
    #[serde(default)]
    pub deliver: Vec<Receipt>,
    /// Whether the goal also adds 10^v for view v = 1, 2, … if it has a primary.
    #[serde(default)]
    pub ten_to_the_view: bool,
    /// Whether implied inequalities are added to the published rows.
    #[serde(default)]
    pub valid_inequalities: bool,
}

/// The `format` of a question's file.
pub const FORMAT: &str = "milp-published/2.0";

/// The protocols with published programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// dBFT 1.0.
    Dbft1,
    /// dBFT 2.0.
    Dbft2,
    /// dBFT 3.0, with two primaries in the first view.
    Dbft3,
}

/// The published programs of a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Published {
    /// Most blocks; Byzantine replicas follow the protocol.
    Fork,
    /// Most blocks; Byzantine replicas are free of the rules for honest ones.
    ForkByzantine,
    /// Blocks, views and messages; honest replicas also have to act.
    #[default]
    Liveness,
}

/// A weighted sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// Direction of the optimisation.
    pub sense: Sense,
    /// Weight of a view with a block.
    #[serde(default)]
    pub blocks: i64,
    /// Weight of a view with a primary.
    #[serde(default)]
    pub views: i64,
    /// Weight of a message sent or received.
    #[serde(default)]
    pub messages: i64,
}

/// What stands for a large number in the published rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BigM {
    /// The published 2, which forbids to receive more than one message beyond a quorum.
    #[default]
    Published,
    /// The smallest number that forbids nothing.
    Corrected,
}

/// Messages between honest replicas that may be forced to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// The primary's proposal.
    PrepareRequest,
    /// A backup's acceptance.
    PrepareResponse,
    /// The middle phase of dBFT 3.0.
    PreCommit,
    /// The binding message.
    Commit,
    /// The wish to leave a view.
    ChangeView,
}

impl Question {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with the file, or what it asks for and no published program has.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::judged(read::yaml(path, KIND)?)
    }

    /// Reads text; `file` is the name that problems are reported under.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn read_text(file: &str, text: &str) -> Result<Self, Error> {
        Self::judged(read::yaml_text(file, text, KIND)?)
    }

    fn judged(mut question: Self) -> Result<Self, Error> {
        question.deliver.sort_unstable();
        refuse::unsupported(&question)?;
        Ok(question)
    }

    /// f = ⌊(N − 1) / 3⌋, the number of Byzantine replicas.
    pub fn f(&self) -> u32 {
        (self.replicas - 1) / 3
    }
}

/// The kind of file that [`FORMAT`] names.
const KIND: &str = "published";
