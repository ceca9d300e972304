//! The rules of a protocol file: data that is read twice, by the lowering of `model` and by the
//! interpreter of `replay`, and given meaning nowhere else.
//!
//! A **record** is (kind, view, value, justification). Sent it is a message, kept it is a mark; one
//! kind is final, its record is a decision. A rule makes one record of its own view `v`, enters a
//! view, or arms a timer:
//!
//! ```text
//! rule      = head [ "<-" item {"," item} ] [ "unless" guard {"," guard} ]
//! head      = KIND "(v" ["," made value] ["," made justification] ")"
//!           | "enter(v)" | "skip(v)" | "timer" TIMER ["for" duration] | "stop" TIMER
//! item      = "primary" | "backup" | "may" | "height" | "timer" TIMER | condition | guard
//! condition = "v =" NUMBER | "v >" NUMBER | ("c" | "d") "< v-" NUMBER
//! guard     = ["proof"] ["each"] reads kinds "(" view ["," value] ["," justification] ")"
//! reads     = "own" | "last own" | "primary" | COUNT | NUMBER
//! kinds     = "*" | KIND {"|" KIND}
//! view      = "v" | "v-"N | "c" | "<v" | "<=v" | ">c" | ">=c" | ">=v" | ">=v-"N | "*"
//! value     = "x" | "!x" | "nil" | "bad" | "-" | "*"
//! justif.   = "c" | "d" | "<=c" | ">c" | ">=c" | "v-"N | "+" | "-" | "*"
//! duration  = sums of products of numbers, "v", "2^v", and "T", the block time: "2*2^v*T - T"
//! ```
//!
//! `*` for kinds is all that are sent but decisions and recovery. Fields that are left out match
//! anything.
//!
//! # Meaning
//!
//! *Letters.* A rule holds for every way to fill them in: `v` is the view of the replica (any view
//! of the height if the rule says `height`; in `enter` and `skip` the view entered), `x` a valid
//! value, `c` and `d` views before `v`. An `x` that only the head has is a new value. Of several
//! ways of one rule that are enabled at once any is done.
//!
//! *Guards.* All of `when` must hold and none of `unless`. Own records are those that the replica
//! made at the height; others' are those that it took, its own included. A sender counts once in a
//! guard, however many of its records match, over all kinds and views of the pattern; `each` asks
//! for the count in every single view. `last own` finds the own record of the latest view among
//! those of the kind that have a value, and asks whether that one matches. What a `proof` reads need
//! not be taken: it travels with what the rule's first guard on messages reads, if it existed then.
//!
//! *Acts.* A handler is atomic and runs to completion: of the rules that must be done and can be,
//! the first of the file is, then again. A replica makes at most one record of a kind in a view and
//! one final record in a height, and a decision ends the height for it, chains aside. A firing of a
//! timer does the first of its rules that is enabled, and no other; a timer that was not started, or
//! belongs to a view that was left, does not fire.
//!
//! *Chains.* With `chain: true` a value is a branch, named by its first block, whose justification is
//! `-`. Who extends it proposes the value again, `c` being the view of the parent: a block is (value,
//! view, view of the parent). Decisions of two branches conflict; who decides goes on.
//!
//! What a kind is for people, and how it is drawn, is [`crate::vocabulary`]'s.
//!
//! ```
//! let tendermint = milp_schema::protocol::named("tendermint").expect("it is shipped");
//! let rules = tendermint.rules.with("no-pol").expect("it has the mutant");
//! let text = rules.text(&rules.rules[6]);
//! assert_eq!(text, "prevote(v, x) <- primary propose(v, x, c) unless last own precommit(>c, !x)");
//! ```

mod check;
mod file;
mod load;
mod mutant;
mod notation;
mod notes;
mod page;
mod print;
mod reader;
mod schema;
mod whole;

pub use file::{Definition, WRITTEN, beside, embedded, named, read, read_text, shipped, weakened};
pub use notes::Note;
pub use page::cited;
pub use schema::json_schema;

use crate::{
    formula::{Count, Duration},
    read::problem::Place,
    vocabulary::{Ahead, By, Passed},
};
use std::collections::BTreeMap;

/// The rules of a protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The counts by name, of voting power; `q` is the file's `quorum`.
    pub counts: BTreeMap<String, Count>,
    /// The kinds of records: those that are sent in the order of the file, which is the order in
    /// which a replica handles copies, then those that are kept.
    pub kinds: Vec<RecordKind>,
    /// The timers of a replica.
    pub timers: Vec<String>,
    /// Whether decided values are blocks of one chain, so that of two of them one must extend the
    /// other; a justification is the view of a block's parent then.
    pub chain: bool,
    /// The rules in the order of the file.
    pub rules: Vec<Rule>,
    /// Deliberate changes by name; [`Rules::with`] makes one.
    pub mutants: BTreeMap<String, Mutant>,
}

/// A place among [`Rules::kinds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(pub usize);

/// A place among [`Rules::timers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub usize);

/// A kind of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordKind {
    /// Where it stands.
    pub at: Position,
    /// Its name in files.
    pub name: String,
    /// Who may make it.
    pub by: By,
    /// What its value may be.
    pub value: ValueField,
    /// Whether it names the earlier view that justifies it; it may then have neither value nor
    /// justification, `-`.
    pub justified: bool,
    /// Who gets it.
    pub goes: Goes,
    /// Whether it is a decision. A final record that is sent may be adopted from another replica.
    pub is_final: bool,
    /// What becomes of a copy of a later view than its receiver's.
    pub ahead: Ahead,
    /// What becomes of a copy of an earlier view than its receiver's.
    pub passed: Passed,
    /// Which of a sender's different records of the kind and one view a receiver counts.
    pub counts: Counts,
}

/// Who gets a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    /// Everybody: it is a message.
    Sent,
    /// Its maker alone keeps it.
    Kept,
    /// Those who recover; no rule states when.
    Recovery,
}

/// What the value of a record may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueField {
    /// It has none.
    None,
    /// A block that was proposed in the record's own view.
    Block,
    /// A block that was proposed in any view, nil, or *bad*: an invalid one, which only Byzantine
    /// primaries propose.
    Any,
}

/// Which of a sender's different records of one kind and view count for a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// The first that it took.
    First,
    /// Each.
    Each,
}

/// Where something stands in its file, both numbers from 1. Two things that say the same are equal
/// wherever they stand.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl From<Place> for Position {
    fn from(Place { line, column }: Place) -> Self {
        Self { line, column }
    }
}

impl From<Position> for Place {
    fn from(Position { line, column }: Position) -> Self {
        Self { line, column }
    }
}

impl PartialEq for Position {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Position {}

/// The lines of the protocol's page that a rule states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Where they are named.
    pub at: Position,
    /// From the first to the last, both included.
    pub ranges: Vec<(u32, u32)>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The lines of the page that it states.
    pub lines: Lines,
    /// Where it stands.
    pub at: Position,
    /// What it does.
    pub head: Head,
    /// Who: anybody, the primary of `v`, or everybody else.
    pub who: By,
    /// Whether it is done as soon as it can be, may be, or on a firing.
    pub mode: Mode,
    /// The views that `v` ranges over.
    pub scope: Scope,
    /// Between the views of the rule.
    pub conditions: Vec<Condition>,
    /// What must hold.
    pub when: Vec<Guard>,
    /// What must not.
    pub unless: Vec<Guard>,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// It makes a record of view `v`.
    Make {
        /// The kind.
        kind: KindId,
        /// Its value; [`Made::None`] if the kind has none.
        value: Made,
        /// Its justification.
        justification: Justifies,
    },
    /// It enters view `v` from `v - 1`.
    Enter,
    /// It enters view `v` from any earlier one; of several the highest.
    Skip,
    /// It starts a timer of view `v` anew, once in a view. Leaving the view stops it.
    Arm {
        /// The timer.
        timer: TimerId,
        /// How long it runs where timers are the protocol's.
        lasts: Option<Duration>,
    },
    /// It stops a timer of view `v`.
    Stop {
        /// The timer.
        timer: TimerId,
    },
}

/// The value of a record that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// `x`.
    X,
    /// `nil`.
    Nil,
    /// `-`, or of a kind that has none.
    None,
}

/// The justification of a record that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Justifies {
    /// `c`.
    C,
    /// `d`.
    D,
    /// `v-k`.
    Back(u32),
    /// `-`, or of a kind that has none.
    None,
}

/// When a rule that is enabled is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// At once.
    Must,
    /// When its replica likes.
    May,
    /// On a firing of a timer of view `v`; of view `v - 1` for who enters `v`. It must be armed.
    Timer(TimerId),
}

/// The views in which a rule can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `v` is the view of the replica.
    View,
    /// `v` is any view of the height.
    Height,
}

/// A relation between views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// `v = k`.
    At(u32),
    /// `v > k`.
    After(u32),
    /// `c < v-k` or `d < v-k`.
    Below(Earlier, u32),
}

/// The letters that stand for earlier views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "a letter is its name")]
pub enum Earlier {
    C,
    D,
}

/// A guard: whose records it reads, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// Where it stands.
    pub at: Position,
    /// Whether the records travel with the message that the rule reads beside it.
    pub proof: bool,
    /// Whether it must hold in each of the views of its pattern, not in one or over all.
    pub each: bool,
    /// Whose records.
    pub reads: Reads,
    /// Which records.
    pub pattern: Pattern,
}

/// Whose records a guard reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// An own one.
    Own,
    /// The own one of the latest view among those of its kind that have a value; nil is none.
    LastOwn,
    /// One of the primary of its view, oneself if that is who one is.
    Primary,
    /// Those of so many distinct senders, oneself included, by voting power.
    Senders(Number),
}

/// How many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    /// The count of that name.
    Named(String),
    /// So many replicas.
    Exactly(u32),
}

/// Which records a guard reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Of which kinds, ascending; not empty.
    pub kinds: Vec<KindId>,
    /// Of which views.
    pub view: Views,
    /// Of which values; any for kinds that have none.
    pub value: Values,
    /// With which justification; any for kinds that have none.
    pub justification: Justified,
}

/// The views of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Views {
    /// `v`.
    Own,
    /// `v-k`.
    Back(u32),
    /// `c`.
    C,
    /// `<v`.
    Before,
    /// `<=v`.
    UpTo,
    /// `>c`, and before `v`.
    AfterC,
    /// `>=c`, and before `v`.
    FromC,
    /// `>=v-k`, where a view is entered.
    From(u32),
    /// `*`, any view of the height.
    Any,
}

/// The values of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// `x`.
    X,
    /// `!x`: another value, valid or bad; nil is none.
    Other,
    /// `nil`.
    Nil,
    /// `bad`: an invalid value.
    Bad,
    /// `-`: none.
    None,
    /// `*`: anything, nil and none included.
    Any,
}

/// The justifications of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Justified {
    /// `c`.
    C,
    /// `d`.
    D,
    /// `<=c`, none included.
    UpToC,
    /// `>c`.
    AfterC,
    /// `>=c`.
    FromC,
    /// `v-k`.
    Back(u32),
    /// `+`: some view.
    Some,
    /// `-`: none.
    None,
    /// `*`: anything, none included.
    Any,
}

/// A deliberate change of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// Where it stands.
    pub at: Position,
    /// Counts in place of the protocol's.
    pub counts: BTreeMap<String, Count>,
    /// Rules that are taken away, by their lines.
    pub without: Vec<Lines>,
    /// Guards that are taken away, or replaced.
    pub edits: Vec<Edit>,
    /// The rules whose guards change, by their lines; all if empty.
    pub only: Vec<Lines>,
}

/// A guard that is taken away, or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The guard as the rules have it.
    pub guard: Guard,
    /// What stands there instead.
    pub by: Option<Guard>,
}

impl Rule {
    /// What must hold and what must not.
    pub fn guards(&self) -> impl Iterator<Item = &Guard> {
        self.when.iter().chain(&self.unless)
    }

    /// The kind of record that it makes, if it makes one.
    pub fn makes(&self) -> Option<KindId> {
        match self.head {
            Head::Make { kind, .. } => Some(kind),
            _ => None,
        }
    }
}

impl Rules {
    /// The kind at a place.
    pub fn kind(&self, id: KindId) -> &RecordKind {
        &self.kinds[id.0]
    }

    /// The kind of that name.
    pub fn named(&self, name: &str) -> Option<KindId> {
        self.kinds.iter().position(|it| it.name == name).map(KindId)
    }

    /// The kind of decisions.
    ///
    /// # Panics
    /// Never: a loader refuses rules without one.
    pub fn final_kind(&self) -> KindId {
        let found = self.kinds.iter().position(|kind| kind.is_final);
        KindId(found.expect("a loader refuses rules without a final kind"))
    }

    /// The formula of a number, of voting power.
    pub fn count(&self, number: &Number) -> Count {
        match number {
            Number::Named(name) => self.counts[name],
            Number::Exactly(number) => Count::exactly(*number),
        }
    }
}
