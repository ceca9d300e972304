//! The words of a protocol: what its messages are called, what they do and how they are drawn.
//!
//! They stand in `protocols/*.yaml` and nowhere else: who wants to know what votes, what binds, who
//! is primary or which letters stand beside a mark asks here. A word says nothing about when a
//! replica does something; rules are told in `model` and, independently, in `replay`.

pub use crate::kind::{Ahead, By, Does, Kind, KindWords, Mark, Names, Passed, Role, Sent, Shape};

use crate::{
    Height, ReplicaId, View,
    formula::{Count, Rotation},
};
use serde::{Deserialize, de::IgnoredAny};
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
    /// What [`crate::protocol`] reads.
    #[serde(rename = "counts", default)]
    _counts: IgnoredAny,
    #[serde(rename = "chain", default)]
    _chain: IgnoredAny,
    #[serde(rename = "kept", default)]
    _kept: IgnoredAny,
    #[serde(rename = "rules", default)]
    rules: Option<IgnoredAny>,
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
    /// What [`crate::protocol`] reads.
    #[serde(rename = "counts", default)]
    _counts: IgnoredAny,
    #[serde(rename = "without", default)]
    _without: IgnoredAny,
    #[serde(rename = "drop", default)]
    _drop: IgnoredAny,
    #[serde(rename = "replace", default)]
    _replace: IgnoredAny,
    #[serde(rename = "only", default)]
    _only: IgnoredAny,
}

/// A safeguard that a mutant may take away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Safeguard {
    /// That a binding vote binds its sender beyond its view.
    Lock,
}

impl Vocabulary {
    /// The kind of that name.
    pub fn kind(&'static self, name: &str) -> Option<Kind> {
        self.kinds().find(|kind| kind.name() == name)
    }

    /// The kind of that name, where rules or an engine of the protocol are written.
    ///
    /// # Panics
    /// If the protocol has none.
    pub fn the(&'static self, name: &str) -> Kind {
        let kind = self.kind(name);
        kind.unwrap_or_else(|| panic!("protocol `{}` has no kind `{name}`", self.name))
    }

    /// The kind of that name, or the kind itself, of another protocol, if there is none.
    pub fn own(&'static self, kind: Kind) -> Kind {
        self.kind(kind.name()).unwrap_or(kind)
    }

    /// The kind under which a trace names a decided block: the one that passes it on, otherwise one
    /// that makes it final, or else the last vote.
    ///
    /// # Panics
    /// If the protocol has no kind.
    pub fn decision(&'static self) -> Kind {
        let passes_on = self.kinds().find(|kind| kind.is(Role::Decision));
        let votes = self.kinds().filter(|kind| kind.is(Role::Vote));
        let kind = passes_on.or_else(|| self.final_kinds().next());
        let kind = kind
            .or_else(|| votes.last())
            .or_else(|| self.kinds().last());
        kind.unwrap_or_else(|| panic!("protocol `{}` has no kind", self.name))
    }

    /// Every kind, in handling order.
    pub fn kinds(&'static self) -> impl Iterator<Item = Kind> + Clone {
        let kinds = (0..).zip(&self.kinds);
        kinds.map(|(rank, words)| Kind::new(rank, words))
    }

    /// What is said of a kind; `None` for one of another protocol.
    pub fn of(&self, kind: Kind) -> Option<&KindWords> {
        self.kinds.iter().find(|words| words.kind == kind.name())
    }

    /// The primary of view v at height h of n replicas.
    pub fn primary(&self, replicas: u32, height: Height, view: View) -> ReplicaId {
        self.primary.of(replicas, height, view)
    }

    /// The kinds of which a quorum makes a block final.
    pub fn final_kinds(&'static self) -> impl Iterator<Item = Kind> + Clone {
        self.kinds().filter(|kind| kind.does().is_final)
    }

    /// What the votes that make a block final are called together.
    pub fn final_tally(&'static self) -> &'static str {
        let mut kinds = self.kinds.iter().filter(|words| words.does.is_final);
        let tally = kinds.find_map(|words| words.does.tally.as_deref());
        tally.unwrap_or("votes")
    }

    /// What proposals and the votes that count with them are called together.
    pub fn proposal_tally(&'static self) -> &'static str {
        let proposes = |words: &&KindWords| words.does.role == Role::Proposal;
        let tally = self.kinds.iter().find(proposes);
        tally
            .and_then(|words| words.does.tally.as_deref())
            .unwrap_or("votes")
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

    /// Whether its file has its rules.
    pub(crate) fn has_rules(&self) -> bool {
        self.rules.is_some()
    }

    /// Whether messages lie in one pool that everybody reads.
    pub fn pools(&self) -> bool {
        self.messages == Messages::Pool
    }
}

/// The files that come with the program, in the order in which they are listed.
pub(crate) const SHIPPED: [&str; 16] = [
    include_str!("../../protocols/dbft1.yaml"),
    include_str!("../../protocols/dbft2.yaml"),
    include_str!("../../protocols/tendermint.yaml"),
    include_str!("../../protocols/tendermint-malachite.yaml"),
    include_str!("../../protocols/ibft1.yaml"),
    include_str!("../../protocols/pbft.yaml"),
    include_str!("../../protocols/qbft.yaml"),
    include_str!("../../protocols/hotstuff.yaml"),
    include_str!("../../protocols/hotstuff-two-phase.yaml"),
    include_str!("../../protocols/hotstuff-chained.yaml"),
    include_str!("../../protocols/hotstuff-complaints.yaml"),
    include_str!("../../protocols/jolteon.yaml"),
    include_str!("../../protocols/simplex.yaml"),
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

    /// `milp_show::words::style` writes these into style sheets and pictures.
    #[test]
    fn what_goes_into_style_sheets_can_do_nothing_there() {
        for (from, to) in [
            ("colour: '#1a5fc4'", "colour: 'red; } * { fill: red'"),
            ("colour: '#1a5fc4'", "colour: '#1a5fc'"),
            ("colour: '#1a5fc4'", "colour: '#ääääää'"),
            ("text: '#14602c'", "text: 'url(//a)'"),
            ("fill: '#e0a800'", "fill: ''"),
            ("kind: Commit", "kind: 'Commit { } *'"),
            ("kind: Commit", "kind: ''"),
        ] {
            let text = SHIPPED[1].replace(from, to);
            assert!(text != SHIPPED[1], "{from}");
            let error = Protocol::of_text(&text).expect_err(to).to_string();
            assert!(
                error.contains("is no ") && error.contains("line"),
                "{error}"
            );
        }
    }
}
