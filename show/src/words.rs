//! Words that all that is shown has in common: the kinds of messages with what each does and how it
//! is drawn, and what else an instance decides about how a trace reads.
//!
//! This is the one place in the crate that knows kinds by their names.

use milp_schema::{
    Instance, Kind, Protocol,
    vocabulary::{By, Passed, Role, Safeguard},
};

/// What a message of a kind does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Does {
    /// It relays a block that its sender decided.
    Publishes,
    /// The primary puts a block forward.
    Proposes,
    /// A backup accepts a proposal.
    Answers,
    /// It is a vote for a block, and nothing more is known of it.
    Votes,
    /// It is a vote that binds its sender to the block.
    Binds,
    /// It asks to leave the view.
    Leaves,
    /// It asks for what was missed.
    Asks,
    /// It repeats what others sent.
    Repeats,
}

impl Does {
    /// Whether only a timer makes a replica send it.
    pub fn by_timer(self) -> bool {
        matches!(self, Self::Proposes | Self::Leaves | Self::Asks)
    }
}

/// What a vote is counted with, and how the count is called; earlier ones are shown first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Votes<'a>(u8, &'a str);

impl<'a> Votes<'a> {
    /// How the count is called.
    pub fn name(self) -> &'a str {
        self.1
    }
}

/// The votes of which a quorum lets a replica bind itself.
pub const PREPARATIONS: Votes<'_> = Votes(0, "preparations");
/// The votes that bind.
pub const COMMITS: Votes<'_> = Votes(2, "commits");

/// A kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// The name as files have it.
    pub name: &'a str,
    /// What it does.
    pub does: Does,
    /// What a message of it is counted with, if it is a vote.
    pub votes: Option<Votes<'a>>,
    /// The letters beside a mark.
    pub letters: &'a str,
    /// The class in SVG and HTML, for which `diagram.css` has colour and dash.
    pub class: &'a str,
    /// The shape of a mark, as the path of an SVG around 0, 0.
    pub shape: &'a str,
    /// The colour, as six hexadecimal digits, and the dash in pictures for LaTeX.
    pub tikz: Option<(&'a str, &'a str)>,
}

const HEXAGON: &str = "M-6 -3L0 -7L6 -3V3L0 7L-6 3z";

/// Every kind with a word of its own, in the order of a legend.
pub const KINDS: [Word<'_>; 8] = [
    Word {
        name: "PrepareRequest",
        does: Does::Proposes,
        votes: Some(PREPARATIONS),
        letters: "Req",
        class: "k-request",
        shape: "M-5.5 -5.5H5.5V5.5H-5.5z",
        tikz: Some(("1F5FBF", "solid")),
    },
    Word {
        name: "PrepareResponse",
        does: Does::Answers,
        votes: Some(PREPARATIONS),
        letters: "Resp",
        class: "k-response",
        shape: "M-6 0A6 6 0 1 1 6 0A6 6 0 1 1 -6 0z",
        tikz: Some(("2E8B3D", "dashed")),
    },
    Word {
        name: "PreCommit",
        does: Does::Votes,
        votes: Some(Votes(1, "PreCommit")),
        letters: "PreC",
        class: "k-precommit",
        shape: HEXAGON,
        tikz: None,
    },
    Word {
        name: "Commit",
        does: Does::Binds,
        votes: Some(COMMITS),
        letters: "Commit",
        class: "k-commit",
        shape: "M0 -7.5L7 0L0 7.5L-7 0z",
        tikz: Some(("B58900", "densely dotted")),
    },
    Word {
        name: "ChangeView",
        does: Does::Leaves,
        votes: None,
        letters: "CV",
        class: "k-change",
        shape: "M0 -7L7 6H-7z",
        tikz: Some(("C62828", "dash dot")),
    },
    Word {
        name: "Block",
        does: Does::Publishes,
        votes: None,
        letters: "Block",
        class: "k-block",
        shape: "M-6 -6H6V6H-6zM-3 -3V3H3V-3z",
        tikz: Some(("333333", "solid")),
    },
    Word {
        name: "RecoveryRequest",
        does: Does::Asks,
        votes: None,
        letters: "RecReq",
        class: "k-ask",
        shape: "M-5 0A5 5 0 1 1 5 0A5 5 0 1 1 -5 0zM-2 0A2 2 0 1 0 2 0A2 2 0 1 0 -2 0z",
        tikz: Some(("7B4FA3", "loosely dashed")),
    },
    Word {
        name: "RecoveryMessage",
        does: Does::Repeats,
        votes: None,
        letters: "Rec",
        class: "k-recovery",
        shape: HEXAGON,
        tikz: Some(("7B4FA3", "loosely dotted")),
    },
];

/// The word for a kind that has none of its own.
pub const fn other(name: &str) -> Word<'_> {
    Word {
        name,
        does: Does::Votes,
        votes: Some(Votes(1, name)),
        letters: name,
        class: "k-other",
        shape: HEXAGON,
        tikz: None,
    }
}

/// The word for a kind.
pub fn word(kind: &Kind) -> Word<'_> {
    let known = KINDS.iter().find(|word| word.name == kind.name());
    known.copied().unwrap_or_else(|| other(kind.name()))
}

/// The words of a legend: those of [`KINDS`], then one for all others.
pub(crate) fn legend() -> impl Iterator<Item = Word<'static>> {
    KINDS.into_iter().chain([other("other")])
}

/// What a message of the kind does.
pub fn does(kind: &Kind) -> Does {
    let does = kind.does();
    match does.role {
        Role::Decision => Does::Publishes,
        Role::Proposal => Does::Proposes,
        Role::Vote if does.binds => Does::Binds,
        Role::Vote if does.by == By::Backup => Does::Answers,
        Role::Vote => Does::Votes,
        Role::Leave => Does::Leaves,
        Role::Question => Does::Asks,
        Role::Answer => Does::Repeats,
    }
}

/// The word of the kind that does this; of several, of the first.
///
/// # Panics
///
/// Never: some kind does each.
pub fn that(does: Does) -> Word<'static> {
    let word = KINDS.into_iter().find(|word| word.does == does);
    word.expect("some kind does each")
}

/// The kind of a protocol that does this; of several, the first.
///
/// # Panics
///
/// If none does.
pub fn kind_that(protocol: Protocol, does: Does) -> Kind {
    let kind = protocol.kinds().find(|kind| self::does(kind) == does);
    kind.unwrap_or_else(|| panic!("protocol `{protocol}` has no kind that {does:?}"))
}

/// The votes that make a block final under the protocol.
pub fn decisive(protocol: Protocol) -> Votes<'static> {
    if protocol.final_tally() == PREPARATIONS.name() {
        PREPARATIONS
    } else {
        COMMITS
    }
}

/// Whether a vote that binds does so for the rest of the height.
pub fn locks(instance: &Instance) -> bool {
    let taken = instance.weakening().and_then(|mutant| mutant.takes);
    taken != Some(Safeguard::Lock)
}

/// Whether whoever enters a view forgets all requests to leave one.
pub(crate) fn forgets_requests(instance: &Instance) -> bool {
    let mut kinds = instance.protocol.kinds.iter();
    kinds.any(|words| words.does.forgotten)
}

/// Whether whoever asked to leave a view still answers a proposal of it.
pub(crate) fn answers_when_leaving(instance: &Instance) -> bool {
    let mut kinds = instance.protocol.kinds.iter();
    kinds.any(|words| words.does.role == Role::Proposal && words.does.leaving == Passed::Take)
}

/// So many of something, in words.
pub fn count(number: i64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
