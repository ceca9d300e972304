//! The constructs a protocol is made of.
//!
//! A [`Protocol`] is data: an ordered list of [`Rule`]s, in the order in which a replica tries
//! them inside a slot (`docs/EXECUTION.md`, E7). A rule set is another list, a mutant a list with
//! one thing changed; a formulation reads the list and knows no protocol by name. What a
//! formulation cannot express it refuses by the name of the construct.

use milp_schema::Kind;

/// A protocol under one rule set, perhaps weakened by a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// Name of the protocol.
    pub name: String,
    /// Name of the rule set.
    pub rule_set: String,
    /// Who is primary of which view.
    pub rotation: Rotation,
    /// What travels between replicas.
    pub channels: Vec<Channel>,
    /// The rules, in the order in which a replica tries them.
    pub rules: Vec<Rule>,
}

impl Protocol {
    /// The event rules, in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.rules.iter().filter_map(|rule| match rule {
            Rule::Event(event) => Some(event),
            _ => None,
        })
    }

    /// The view change, if the protocol has one.
    pub fn enter(&self) -> Option<&Enter> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Enter(enter) => Some(enter),
            _ => None,
        })
    }
}

/// Who is primary of view v at height h, among n replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// (h + v) mod n, the paper's.
    HeightPlusView,
    /// (h − v) mod n, the production engine's.
    HeightMinusView,
    /// v mod n, the TLA+ models'.
    ViewOnly,
}

/// How a kind of message travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The kind.
    pub kind: Kind,
    /// Whether a Byzantine replica may make copies of it (E11); it cannot make what takes other
    /// replicas' signatures.
    pub forgeable: bool,
}

/// One construct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Something a replica does.
    Event(Event),
    /// The step into a later view.
    Enter(Enter),
    /// A message that contains others; receipt implies their receipts.
    Carry {
        /// The kind that carries.
        kind: Kind,
    },
    /// A guard on something that is absent, a tally below a threshold for instance.
    Negation {
        /// The event it guards.
        event: &'static str,
    },
    /// A relation between blocks of different views or heights.
    Relation {
        /// What relates them.
        name: &'static str,
    },
    /// An acceptance guard at delivery other than "held once handed over".
    Hold {
        /// The kind it concerns.
        kind: Kind,
    },
}

/// Something an honest replica does at a height, in a view, perhaps about a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Name, the first word of the families made from it.
    pub name: &'static str,
    /// Line of the protocol page.
    pub line: &'static str,
    /// Equations of the paper that its families are the corrected form of.
    pub equations: &'static [u32],
    /// The kind it broadcasts, if any.
    pub broadcasts: Option<Kind>,
    /// Who does it.
    pub who: Who,
    /// Whether it is about the view or about one block of it.
    pub about: About,
    /// How often it may happen.
    pub once: Range,
    /// The view the replica has to be in.
    pub scope: Scope,
    /// Whether it happens by itself.
    pub modality: Modality,
    /// All of these are needed.
    pub requires: Vec<Requires>,
    /// Any of these, done before, forbids it.
    pub excludes: Vec<Excludes>,
    /// Whether it makes a block final and ends the height.
    pub decides: bool,
}

/// Who does an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The primary of the view.
    Primary,
    /// Every replica but the primary of the view.
    Backup,
    /// Every replica.
    Any,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The view itself.
    View,
    /// One block of the view.
    Block,
    /// The one block an honest primary proposes, index 0.
    Proposal,
}

/// A range of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// The same view.
    View,
    /// All views of the height.
    Height,
}

/// Where a replica must be for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In the view of the event.
    View,
    /// At the height of the event, in any view.
    Height,
}

/// Whether an event happens by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// As soon as it can.
    Must,
    /// When the replica's timer fires: never sooner, and under protocol timers always then.
    Timer {
        /// How long after the entry into the view.
        after: Duration,
    },
}

/// Time from the entry into a view to the firing of a timer, in block times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duration {
    /// So many in view 0, none in later views.
    FirstViewOnly(u32),
    /// So many in view 0, twice as many in each next view.
    Doubling(u32),
}

impl Duration {
    /// The duration in block times in that view.
    pub fn in_view(self, view: u32) -> u32 {
        match self {
            Self::FirstViewOnly(count) => {
                if view == 0 {
                    count
                } else {
                    0
                }
            }
            Self::Doubling(count) => count << view,
        }
    }
}

/// A condition on what a replica did or holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requires {
    /// One of these own events, about the same block.
    Own(Vec<&'static str>),
    /// This own event in the same view, if the replica is the primary of the view.
    OwnAsPrimary(&'static str),
    /// A message of this kind about the same block, own one included.
    Held(Kind),
    /// A message of this kind about the same block from another replica.
    HeldFromAnother(Kind),
    /// Messages of these kinds about the same block from a number of replicas, oneself included.
    Tally {
        /// The kinds; a sender counts once.
        of: Vec<Kind>,
        /// How many senders.
        at_least: Threshold,
    },
}

/// An own earlier event that forbids another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excludes {
    /// The earlier event, about any block.
    pub event: &'static str,
    /// In which views.
    pub range: Range,
}

/// A number of replicas, by n and f.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// n − f.
    Quorum,
    /// n − f − 1, a mutant's.
    QuorumLessOne,
}

impl Threshold {
    /// The number among `n` replicas of which `f` may be faulty.
    pub fn count(self, n: u32, f: u32) -> u32 {
        match self {
            Self::Quorum => n - f,
            Self::QuorumLessOne => n - f - 1,
        }
    }
}

/// The step into a later view of the same height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enter {
    /// Line of the protocol page.
    pub line: &'static str,
    /// Equations of the paper.
    pub equations: &'static [u32],
    /// The kind that asks for it; one sent in view u asks for view u + 1.
    pub of: Kind,
    /// How many replicas have to ask for the view or a later one.
    pub at_least: Threshold,
    /// Own earlier events, in any lower view of the height, that forbid it.
    pub excludes: Vec<&'static str>,
}
