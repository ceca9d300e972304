//! A kind of message: what it is called, what it does and how it is drawn.

use serde::{Deserialize, Deserializer, de::Error as _, de::IgnoredAny};
use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

/// What a message is: an entry of the vocabulary of its protocol.
///
/// Its order is that of the file, in which a replica handles the copies of one slot (see
/// `docs/MODEL.md`, order inside a slot). Two kinds are equal if they have one name at one place:
/// only kinds of one protocol are to be compared, so who drives replicas of a protocol with what is
/// said in another's words puts it in theirs first ([`crate::vocabulary::Vocabulary::own`]).
#[derive(Clone, Copy)]
pub struct Kind {
    rank: u32,
    words: &'static KindWords,
}

impl Kind {
    /// The kind at that place of a vocabulary.
    pub(crate) fn new(rank: u32, words: &'static KindWords) -> Self {
        Self { rank, words }
    }

    /// The name as files have it.
    pub fn name(self) -> &'static str {
        &self.words.kind
    }

    /// Its place in the file.
    pub fn rank(self) -> u32 {
        self.rank
    }

    /// What a message of the kind does.
    pub fn does(self) -> &'static Does {
        &self.words.does
    }

    /// How a message of the kind is drawn.
    pub fn mark(self) -> &'static Mark {
        &self.words.mark
    }

    /// What a message of the kind is, in words.
    pub fn says(self) -> &'static str {
        &self.words.says
    }

    /// Whether that is what a message of the kind is for.
    pub fn is(self, role: Role) -> bool {
        self.does().role == role
    }

    fn place(self) -> (u32, &'static str) {
        (self.rank, self.name())
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Kind {}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl Hash for Kind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place().hash(state);
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Kind({})", self.name())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// A kind of message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindWords {
    /// Its name in files, of letters, digits, `_` and `-`.
    #[serde(deserialize_with = "name")]
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
    reason = "each is a word of its own in the file"
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
    /// What [`crate::protocol`] reads.
    #[serde(rename = "counts", default)]
    _counts: IgnoredAny,
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
    #[serde(deserialize_with = "colour")]
    pub colour: String,
    /// Lengths of dashes and gaps in turn; empty for a solid line.
    pub dash: Vec<u32>,
    /// The colour of filled shapes, where it is not that of lines.
    #[serde(default, deserialize_with = "some_colour")]
    pub fill: Option<String>,
    /// The colour behind white letters, where it is not that of lines.
    #[serde(default, deserialize_with = "some_colour")]
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

/// Whether a text is `#rrggbb`: style sheets and pictures have it as it is.
pub(crate) fn is_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|it| it.is_ascii_hexdigit())
}

fn colour<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if is_colour(&text) {
        return Ok(text);
    }
    let what = format!("`{text}` is no colour like `#rrggbb`");
    Err(D::Error::custom(what))
}

fn some_colour<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    colour(from).map(Some)
}

/// A name, which style sheets and pictures have as it is.
fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let inside = |it: char| it.is_ascii_alphanumeric() || "_-".contains(it);
    if !text.is_empty() && text.chars().all(inside) {
        return Ok(text);
    }
    let what = format!("`{text}` is no name of letters, digits, `_` and `-`");
    Err(D::Error::custom(what))
}
