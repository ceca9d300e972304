//! The words of a protocol: what its messages are called, what they do and how they are drawn.
//!
//! They stand in `protocols/*.yaml` and nowhere else: who wants to know what votes, what binds, who
//! is primary or which letters stand beside a mark asks here. A word says nothing about when a
//! replica does something; rules are told in `model` and, independently, in `replay`.

use crate::{
    Height, ReplicaId, View,
    formula::{Count, Rotation},
    ids::Kind,
};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt, ops::Deref, sync::LazyLock};

/// What a protocol file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// Kind and version of the file.
    #[serde(rename = "format")]
    _format: Format,
    /// The name of the protocol in an instance.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// The page with its numbered pseudo-code and its sources.
    pub page: String,
    /// What it calls things that every protocol has.
    pub words: Words,
    /// Who is primary, modulo the number of replicas.
    pub primary: Rotation,
    /// How many replicas make a quorum.
    pub quorum: Count,
    /// How messages travel.
    pub messages: Messages,
    /// Production engines that speak it.
    pub engines: Vec<String>,
    /// The protocol that was made because of what breaks this one.
    #[serde(default)]
    pub repaired_by: Option<String>,
    /// Deliberate weakenings by name.
    pub mutants: BTreeMap<String, Mutant>,
    /// The timers of a replica.
    pub timers: Vec<String>,
    /// The kinds of messages, in the order in which a replica handles the copies of one slot.
    pub kinds: Vec<KindWords>,
}

#[derive(Debug, Deserialize)]
enum Format {
    #[serde(rename = "milp-protocol/2.0")]
    Current,
}

/// What a protocol calls things that every protocol has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// An attempt within a height.
    pub view: String,
    /// Who proposes in it.
    pub primary: String,
}

/// How messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Messages {
    /// A copy for each receiver, each with a delay of its own.
    Copies,
    /// One pool that everybody reads at once.
    Pool,
}

/// A deliberate weakening.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// What it changes, to follow the name.
    pub says: String,
    /// The quorum in place of the protocol's.
    #[serde(default)]
    pub quorum: Option<Count>,
    /// The safeguard it takes away.
    #[serde(default)]
    pub takes: Option<Safeguard>,
}

/// A safeguard that a mutant may take away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Safeguard {
    /// That a binding vote binds its sender beyond its view.
    Lock,
}

/// A kind of message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindWords {
    /// Its name in files.
    pub kind: String,
    /// What it is, in words.
    pub says: String,
    /// What it does.
    pub does: Does,
    /// How it is drawn.
    pub mark: Mark,
}

/// What a kind of message does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of its own in a protocol's file"
)]
pub struct Does {
    /// What it names beside height and view.
    pub names: Names,
    /// Who may make it.
    pub by: By,
    /// What it is for.
    pub role: Role,
    /// What becomes of a copy of a later view than its receiver's.
    pub ahead: Ahead,
    /// What becomes of a copy of an earlier view than its receiver's.
    pub passed: Passed,
    /// What becomes of a copy whose receiver has asked to leave the view.
    #[serde(default)]
    pub leaving: Passed,
    /// Whether who enters a view forgets those that led there.
    #[serde(default)]
    pub forgotten: bool,
    /// What makes a replica send it.
    pub sent: Sent,
    /// What it is counted as, if votes of its kind are counted.
    #[serde(default)]
    pub tally: Option<String>,
    /// Whether it says which votes justify it.
    #[serde(default)]
    pub justified: bool,
    /// Whether it binds its sender.
    #[serde(default)]
    pub binds: bool,
    /// Whether a quorum of them makes a block final.
    #[serde(default, rename = "final")]
    pub is_final: bool,
}

/// What a message names beside its height and view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// A block of its own view.
    Value,
    /// A block of any view, nil or an invalid value.
    AnyValue,
    /// Nothing.
    Nothing,
}

/// Who may make a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Everybody.
    Any,
    /// The primary of its view.
    Primary,
    /// Everybody but the primary of its view.
    Backup,
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It proposes a value.
    Proposal,
    /// It votes.
    Vote,
    /// It asks to leave its view.
    Leave,
    /// It passes on a decision.
    Decision,
    /// It asks for what was missed.
    Question,
    /// It repeats what others sent.
    Answer,
}

/// What becomes of a copy of a later view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ahead {
    /// The network holds it back until its receiver gets there.
    Hold,
    /// Its receiver takes it.
    Take,
    /// Nobody ever takes it.
    Lose,
}

/// What becomes of a copy that comes late for its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passed {
    /// Its receiver takes it.
    #[default]
    Take,
    /// Its receiver ignores it.
    Ignore,
}

/// What makes a replica send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// What it received and did.
    Rule,
    /// Only a timer.
    Timer,
}

/// How a kind of message is drawn.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The letters beside a mark.
    pub letters: String,
    /// The shape of its sending.
    pub shape: Shape,
    /// The colour of lines, `#rrggbb`.
    pub colour: String,
    /// Lengths of dashes and gaps in turn; empty for a solid line.
    pub dash: Vec<u32>,
    /// The colour of filled shapes, where it is not that of lines.
    #[serde(default)]
    pub fill: Option<String>,
    /// The colour behind white letters, where it is not that of lines.
    #[serde(default)]
    pub text: Option<String>,
}

/// The shape of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "a shape is its name")]
pub enum Shape {
    Square,
    Circle,
    Diamond,
    Triangle,
    Frame,
    Ring,
    Hexagon,
}

impl Vocabulary {
    /// The kind of that name.
    pub fn kind(&'static self, name: &str) -> Option<Kind> {
        self.kinds().find(|kind| kind.name() == name)
    }

    /// Every kind, in handling order.
    pub fn kinds(&'static self) -> impl DoubleEndedIterator<Item = Kind> + Clone {
        // A protocol that leaves kinds of dBFT out has the others under their constants: a kind is
        // equal to itself whichever of these protocols names it.
        let constants = self
            .kinds
            .iter()
            .all(|words| Kind::named(&words.kind).is_some());
        let kinds = self.kinds.iter().enumerate();
        kinds.map(move |(rank, words)| {
            let constant = Kind::named(&words.kind).filter(|_| constants);
            constant.unwrap_or_else(|| Kind::new(rank, &words.kind))
        })
    }

    /// What is said of a kind; `None` for one of another protocol.
    pub fn of(&self, kind: Kind) -> Option<&KindWords> {
        self.kinds.iter().find(|words| words.kind == kind.name())
    }

    /// Whether a quorum of messages of the kind makes a block final.
    pub fn is_final(&self, kind: Kind) -> bool {
        self.of(kind).is_some_and(|words| words.does.is_final)
    }

    /// The primary of view v at height h of n replicas.
    pub fn primary(&self, replicas: u32, height: Height, view: View) -> ReplicaId {
        self.primary.of(replicas, height, view)
    }

    /// The kinds of which a quorum makes a block final.
    pub fn final_kinds(&'static self) -> impl Iterator<Item = Kind> + Clone {
        self.kinds().filter(|kind| self.is_final(*kind))
    }

    /// What the votes that make a block final are called together.
    pub fn final_tally(&'static self) -> &'static str {
        let mut kinds = self.kinds.iter().filter(|words| words.does.is_final);
        let tally = kinds.find_map(|words| words.does.tally.as_deref());
        tally.unwrap_or("votes")
    }

    /// Whether some vote binds its sender.
    pub fn has_binding_vote(&self) -> bool {
        self.kinds.iter().any(|words| words.does.binds)
    }

    /// The timer of protocols that have one; the first of several.
    ///
    /// # Panics
    /// If the protocol has no timer.
    pub fn timer(&'static self) -> &'static str {
        self.timers.first().expect("a protocol has a timer")
    }

    /// Whether messages lie in one pool that everybody reads.
    pub fn pools(&self) -> bool {
        self.messages == Messages::Pool
    }
}

/// The files that come with the program, in the order in which they are listed.
const SHIPPED: [&str; 5] = [
    include_str!("../../protocols/dbft1.yaml"),
    include_str!("../../protocols/dbft2.yaml"),
    include_str!("../../protocols/dbft2-nspcc.yaml"),
    include_str!("../../protocols/dbft2-tla.yaml"),
    include_str!("../../protocols/dbft2-tla-per-view.yaml"),
];

static TABLE: LazyLock<Vec<Vocabulary>> = LazyLock::new(|| {
    let read = |text: &&str| serde_yaml::from_str(text).expect("a shipped protocol file is sound");
    SHIPPED.iter().map(read).collect()
});

/// A protocol, by its vocabulary.
#[derive(Clone, Copy)]
pub struct Protocol(&'static Vocabulary);

impl Protocol {
    /// The protocol of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|protocol| protocol.name == name)
    }

    /// The protocol of that name, which comes with the program.
    ///
    /// # Panics
    /// If there is none.
    pub fn shipped(name: &str) -> Self {
        Self::named(name).unwrap_or_else(|| panic!("no protocol `{name}` comes with the program"))
    }

    /// Every protocol that comes with the program.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        TABLE.iter().map(Self)
    }

    /// The vocabulary of a text, kept for as long as the program runs.
    ///
    /// # Errors
    /// What the text has that a vocabulary has not, with line and column.
    pub fn of_text(text: &str) -> Result<Self, serde_yaml::Error> {
        let vocabulary = serde_yaml::from_str::<Vocabulary>(text)?;
        Ok(Self(Box::leak(Box::new(vocabulary))))
    }
}

impl Deref for Protocol {
    type Target = &'static Vocabulary;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl PartialEq for Protocol {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Protocol {}

impl fmt::Debug for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Protocol({})", self.name)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_file_is_read_and_its_page_exists() {
        for protocol in Protocol::all() {
            let page = std::path::Path::new("..").join(&protocol.page);
            assert!(page.is_file(), "{protocol}: no page {}", page.display());
            for kind in protocol.kinds() {
                assert_eq!(protocol.kind(kind.name()), Some(kind), "{protocol}");
                assert_eq!(Kind::named(kind.name()), Some(kind), "{protocol}");
            }
            assert!(protocol.kinds().is_sorted(), "{protocol}: handling order");
        }
    }

    #[test]
    fn the_files_of_a_folder_are_those_that_are_listed() {
        let mut found: Vec<String> = std::fs::read_dir("../protocols")
            .expect("the folder of protocol files")
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.to_string_lossy().replace(".yaml", ""))
            .collect();
        let mut listed: Vec<String> = Protocol::all().map(|it| it.name.clone()).collect();
        found.sort();
        listed.sort();
        assert_eq!(found, listed);
    }

    #[test]
    fn a_word_that_is_not_known_is_refused_with_its_place() {
        let text = SHIPPED[0].replace("role: vote", "role: singing");
        let error = Protocol::of_text(&text).expect_err("no such role");
        assert!(error.to_string().contains("singing"), "{error}");
        assert!(error.to_string().contains("line"), "{error}");
    }
}
