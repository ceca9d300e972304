//! The constructs a protocol is made of.
//!
//! A [`Protocol`] is data: an ordered list of [`Rule`]s, in the order in which a replica tries
//! them inside a slot (`docs/EXECUTION.md`, E7). Another protocol is another list, a mutant a list with
//! one thing changed; a formulation reads the list and knows no protocol by name. What a
//! formulation cannot express it refuses by the name of the construct.

pub(crate) mod file;
mod groups;
mod names;

pub use milp_schema::{formula::Rotation, vocabulary::By as Who};

use milp_schema::{
    Kind, Protocol as Words, View,
    formula::{Count, Duration as Lasts},
    vocabulary::{Ahead, Role},
};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// A protocol, perhaps weakened by a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// Name of the protocol.
    pub name: String,
    /// Who is primary of which view, as its words have it.
    pub rotation: Rotation,
    /// What travels between replicas.
    pub channels: Vec<Channel>,
    /// The rules, in the order in which a replica tries them.
    pub rules: Vec<Rule>,
}

impl Protocol {
    /// The protocol with these rules, and a channel for whatever they send. Nobody forges what
    /// passes on a decision, which has others' signatures, or asks for recovery; those are last.
    pub(crate) fn new(of: Words, rules: Vec<Rule>) -> Self {
        let channel = |kind: Kind| Channel {
            kind,
            forgeable: ![Role::Decision, Role::Question].contains(&kind.does().role),
            lost_ahead: kind.does().ahead == Ahead::Lose,
            pool: of.pools(),
        };
        let mut protocol = Self {
            name: of.name.clone(),
            rotation: of.primary,
            channels: of.kinds().map(channel).collect(),
            rules,
        };
        let sent: BTreeSet<Kind> = protocol.events().filter_map(|it| it.broadcasts).collect();
        protocol
            .channels
            .retain(|channel| sent.contains(&channel.kind));
        protocol.channels.sort_by_key(|channel| !channel.forgeable);
        protocol
    }

    /// The event rules, in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.rules.iter().filter_map(|rule| match rule {
            Rule::Event(event) => Some(event),
            _ => None,
        })
    }

    /// The moving timer, if the protocol has one.
    pub fn arming(&self) -> Option<&Arming> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Timer(arming) => Some(arming),
            _ => None,
        })
    }

    /// The count of that name.
    pub fn negation(&self, name: &str) -> Option<&Negation> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Negation(negation) if negation.name == name => Some(negation),
            _ => None,
        })
    }

    /// Whether messages go into one pool instead of travelling as copies.
    pub fn pools(&self) -> bool {
        self.channels.iter().any(|channel| channel.pool)
    }

    /// Whether an event only repeats a message: it requires an own event that sent the same kind.
    /// The pool does not change by it, the replica that does it does.
    pub fn repeats(&self, event: &Event) -> bool {
        let required = |own: &Event| {
            event.requires.iter().any(
                |requirement| matches!(requirement, Requires::Own(names) if names.contains(&own.name)),
            )
        };
        event.broadcasts.is_some()
            && self
                .events()
                .any(|own| own.broadcasts == event.broadcasts && required(own))
    }

    /// The kinds of message of which a number makes a block final, each once.
    pub fn final_votes(&self) -> Vec<&Kind> {
        let deciding = self.events().filter(|event| event.decides);
        let votes: BTreeSet<&Kind> = deciding
            .flat_map(|event| &event.requires)
            .filter_map(|requirement| match requirement {
                Requires::Tally { of, .. } => Some(of),
                _ => None,
            })
            .flatten()
            .collect();
        votes.into_iter().collect()
    }

    /// Whether what a replica did decides which messages it accepts.
    pub fn guards(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::Hold(_)))
    }

    /// The acceptance guard of a kind, if it has one.
    pub fn hold(&self, kind: &Kind) -> Option<&Hold> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Hold(hold) if hold.kind == *kind => Some(hold),
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

/// How a kind of message travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The kind.
    pub kind: Kind,
    /// Whether a Byzantine replica may make copies of it (E11); it cannot make what takes other
    /// replicas' signatures.
    pub forgeable: bool,
    /// Whether a copy of a view its receiver has not reached is lost on it instead of waiting or
    /// being taken (E20).
    pub lost_ahead: bool,
    /// Whether there are no copies of it but one pool, which everybody sees: what a replica puts
    /// there in a slot stands there for all from the next slot on (E26).
    pub pool: bool,
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
    /// A count that events ask about both ways: reached or not.
    Negation(Negation),
    /// A relation between blocks of different views or heights.
    Relation {
        /// What relates them.
        name: &'static str,
    },
    /// An acceptance guard at delivery other than "held once handed over".
    Hold(Hold),
    /// A timer with a deadline that moves.
    Timer(Arming),
}

/// More than f of the replicas are committed or were not heard: a replica counts the others it
/// has heard in its view and holds no commit of, and there are fewer than a quorum less one.
///
/// The count falls when a commit arrives and rises when someone is heard, so it is asked at
/// handling time, both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negation {
    /// Name, for [`Requires::When`] and [`Requires::Unless`].
    pub name: &'static str,
    /// Line of the protocol page.
    pub line: &'static str,
    /// A message of one of these kinds from the view makes its sender heard.
    pub heard: Vec<Kind>,
    /// A message of this kind from the view or a later one does.
    pub heard_ahead: Kind,
    /// A message of this kind, from the view or an earlier one, takes its sender out.
    pub without: Kind,
}

/// A timer whose deadline moves, block time T: armed on entering a view (a primary T in view 0 and
/// 0 above, everybody else T · 2^(v+1)), on proposing (T in view 0, T · 2^(v+1) above) and on any
/// other timeout (T · 2^(v+2)); put off by messages taken in the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arming {
    /// Line of the protocol page.
    pub line: &'static str,
    /// The own event after which a firing does nothing that a program knows.
    pub stops: &'static str,
    /// The own event, in the view, after which nothing puts the deadline off.
    pub frozen_by: &'static str,
    /// The own event that a primary's timer triggers first.
    pub proposes: &'static str,
    /// Kinds that put the deadline off when taken, and by how many T / q.
    pub extended_by: Vec<(Kind, u32)>,
}

/// A message is handed over but not held: ignored if the receiver did an event in the view,
/// unless a count says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The kind it concerns.
    pub kind: Kind,
    /// Line of the protocol page.
    pub line: &'static str,
    /// The own event, in the message's view, that makes the replica ignore it.
    pub after: &'static str,
    /// The count that makes it take the message nevertheless.
    pub unless: &'static str,
}

/// Something an honest replica does at a height, in a view, perhaps about a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Name, the first word of the families made from it.
    pub name: &'static str,
    /// Line of the protocol page.
    pub line: &'static str,
    /// The kind it broadcasts, if any.
    pub broadcasts: Option<Kind>,
    /// Who does it.
    pub who: Who,
    /// Whether it is about the view or about one block of it.
    pub about: About,
    /// How often it may happen; in a pool the events that send one kind count together.
    pub once: Range,
    /// The view the replica has to be in.
    pub scope: Scope,
    /// Whether it happens by itself.
    pub modality: Modality,
    /// All of these are needed.
    pub requires: Vec<Requires>,
    /// At which moments the requirements are looked at.
    pub checked: Checked,
    /// Any of these, done before, forbids it.
    pub excludes: Vec<Excludes>,
    /// Whether it makes a block final and ends the height.
    pub decides: bool,
}

impl Event {
    /// Something about the block of the view, once in it, without guards yet.
    pub(crate) fn new(
        name: &'static str,
        line: &'static str,
        broadcasts: Option<Kind>,
        modality: Modality,
    ) -> Self {
        Self {
            name,
            line,
            broadcasts,
            who: Who::Any,
            about: About::Block,
            once: Range::View,
            scope: Scope::View,
            modality,
            requires: vec![],
            checked: Checked::Always,
            excludes: vec![],
            decides: false,
        }
    }
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

/// At which moments a replica looks at what an event requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// Whenever something changes.
    Always,
    /// Only when one of the tally's messages arrives, or the own event happens.
    OnVote {
        /// The own event that sends such a message.
        own: &'static str,
    },
}

/// Whether an event happens by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// As soon as it can.
    Must,
    /// In any slot in which it can, or never; at most one such action per replica and slot, on
    /// what was there when the slot began (E26, E27).
    May,
    /// When the replica's timer fires: never sooner, and under protocol timers always then.
    Timer {
        /// How long after the entry into the view.
        after: Duration,
    },
}

/// Time from the entry into a view to the firing of a timer, in block times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duration {
    /// That of view 0 and that of later views.
    Fixed([Lasts; 2]),
    /// As the rule [`Arming`] has it.
    Armed,
}

impl Duration {
    /// The duration in block times in that view, if it is a fixed one.
    pub fn in_view(self, view: u32) -> Option<u32> {
        match self {
            Self::Fixed(lasts) => {
                let time = lasts[usize::from(view > 0)].of(View(view));
                Some(u32::try_from(time).unwrap_or(u32::MAX))
            }
            Self::Armed => None,
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
    /// Messages of this kind about any view of the height from a number of replicas, oneself
    /// included.
    TallyOverViews {
        /// The kind; a sender counts once.
        of: Kind,
        /// How many senders.
        at_least: Threshold,
    },
    /// The count of that name is reached ([`Negation`]).
    When(&'static str),
    /// The count of that name is not reached.
    Unless(&'static str),
}

impl Requires {
    /// Messages of these kinds about the same block from a quorum.
    pub(crate) fn quorum(of: Vec<Kind>) -> Self {
        let at_least = Threshold::Quorum;
        Self::Tally { of, at_least }
    }
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
    /// f + 1: at least one of them is honest.
    MoreThanF,
}

impl Threshold {
    /// The one with that formula.
    pub(crate) fn of(count: Count) -> Option<Self> {
        match (count.n, count.f, count.constant, count.divisor) {
            (1, -1, 0, 1) => Some(Self::Quorum),
            (1, -1, -1, 1) => Some(Self::QuorumLessOne),
            (0, 1, 1, 1) => Some(Self::MoreThanF),
            _ => None,
        }
    }

    /// The number among `n` replicas of which `f` may be faulty.
    pub fn count(self, n: u32, f: u32) -> u32 {
        match self {
            Self::Quorum => n - f,
            Self::QuorumLessOne => n - f - 1,
            Self::MoreThanF => f + 1,
        }
    }
}

/// The step into a later view of the same height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enter {
    /// Line of the protocol page.
    pub line: &'static str,
    /// The kind that asks for it; one sent in view u asks for view u + 1.
    pub of: Kind,
    /// How many replicas have to ask for the view or a later one.
    pub at_least: Threshold,
    /// Whether it happens by itself; one that may happen goes one view up.
    pub modality: Modality,
    /// Own earlier events, in any lower view of the height, that forbid it.
    pub excludes: Vec<&'static str>,
    /// What a replica keeps of the requests it holds.
    pub keeps: Keeps,
}

/// What becomes of held requests for a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// They stay for the height, and are counted whenever something changes.
    Height,
    /// They are forgotten on entering a view, and counted for the view that the message just
    /// taken asks for.
    View,
}

/// `PrepareRequest` → `prepare_request`.
pub(crate) fn snake(kind: &str) -> String {
    let mut name = String::new();
    for letter in kind.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// A name or a line that the program keeps from now on, each once.
pub(crate) fn kept(text: String) -> &'static str {
    static KEPT: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let known = kept.get(text.as_str()).copied();
    let text = known.unwrap_or_else(|| text.leak());
    kept.insert(text);
    text
}
