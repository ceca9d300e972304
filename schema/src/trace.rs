//! What really happened, event by event, with labels only: no hash, no signature.

use crate::{BlockId, Height, Kind, Message, ReplicaId, Slot, View, schedule::Event};
use serde::{Deserialize, Serialize};

/// Which part of the execution an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The slots of the instance, driven by the schedule.
    Schedule,
    /// The slots after them: synchronous, timers by the protocol (E16).
    Heal,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A copy reached its receiver, which took it.
    Deliver,
    /// A copy reached its receiver's machine before the receiver got there (E4).
    HoldBack,
    /// A held-back message, or one that a recovery message carried, was taken by the receiver.
    HandOver,
    /// A copy, or a timer, changed nothing: too late (E5), or the receiver is down.
    Ignore,
    /// A broadcast by a rule of the protocol.
    Send,
    /// A broadcast by the rules of recovery.
    Recover,
    /// A timer fired.
    Timeout,
    /// A replica entered a view above 0.
    EnterView,
    /// A replica regards a block as final.
    Decide,
    /// A replica stopped.
    Crash,
    /// A replica came back.
    Restart,
    /// A Byzantine replica made a copy.
    Inject,
    /// A copy was lost for ever.
    Drop,
    /// The engine of a replica broke down; the replica counts as crashed.
    Fault,
}

/// One event; one line of `trace.ndjson`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Line", try_from = "Line")]
pub struct TraceEvent {
    /// When.
    pub slot: Slot,
    /// In which part.
    pub phase: Phase,
    /// At which replica: the receiver of a copy, the sender of what is sent.
    pub replica: ReplicaId,
    /// What.
    pub what: What,
    /// The other end: the author of what is received, the receiver of what is injected.
    pub peer: Option<ReplicaId>,
    /// Slot of sending and number of the copy, for what the schedule delivers, drops or injects.
    pub copy: Option<(Slot, u32)>,
    /// The message, the block (as a [`Kind::Block`] message) or none.
    pub message: Option<Message>,
    /// Height and view of a timer or of a view entered.
    pub place: Option<(Height, View)>,
    /// Whether a restarted replica kept its local backup.
    pub backup: Option<bool>,
    /// What an engine said when it broke down.
    pub text: Option<String>,
}

impl TraceEvent {
    /// An event of the schedule's slots that has no further words.
    pub fn at(slot: Slot, replica: ReplicaId, what: What) -> Self {
        Self {
            slot,
            phase: Phase::Schedule,
            replica,
            what,
            peer: None,
            copy: None,
            message: None,
            place: None,
            backup: None,
            text: None,
        }
    }

    /// The block a `Decide` event decides.
    pub fn decided(&self) -> Option<BlockId> {
        let message = self
            .message
            .as_ref()
            .filter(|_| self.what == What::Decide)?;
        message.block_id()
    }

    /// The message a `Send` event sends.
    pub fn sent(&self) -> Option<&Message> {
        self.message.as_ref().filter(|_| self.what == What::Send)
    }

    /// The event as a prediction names it, if predictions name such events.
    pub fn event(&self) -> Option<Event> {
        match self.what {
            What::Send => self.sent().cloned().map(Event::Send),
            What::Decide => self.decided().map(Event::Decide),
            What::EnterView => self
                .place
                .map(|(height, view)| Event::EnterView { height, view }),
            _ => None,
        }
    }
}

/// A [`TraceEvent`] as its line has it: one level, absent fields left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    slot: u32,
    phase: Phase,
    replica: u32,
    what: What,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    peer: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    block: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copy: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backup: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl From<TraceEvent> for Line {
    fn from(event: TraceEvent) -> Self {
        let message = event.message.as_ref();
        let place = event.place.or(message.map(|m| (m.height, m.view)));
        Self {
            slot: event.slot.0,
            phase: event.phase,
            replica: event.replica.0,
            what: event.what,
            peer: event.peer.map(|peer| peer.0),
            kind: message.map(|m| m.kind.name().to_owned()),
            height: place.map(|(height, _)| height.0),
            view: place.map(|(_, view)| view.0),
            block: message.and_then(|m| m.block),
            target: message.and_then(|m| m.target).map(|target| target.0),
            sent: event.copy.map(|(sent, _)| sent.0),
            copy: event.copy.map(|(_, copy)| copy),
            backup: event.backup,
            text: event.text,
        }
    }
}

impl TryFrom<Line> for TraceEvent {
    type Error = &'static str;

    fn try_from(line: Line) -> Result<Self, Self::Error> {
        let place = match (line.height, line.view) {
            (Some(height), Some(view)) => Some((Height(height), View(view))),
            (None, None) => None,
            _ => return Err("height and view must come together"),
        };
        let message = match (line.kind, place) {
            (Some(kind), Some((height, view))) => Some(Message {
                kind: Kind::named(&kind).ok_or("there is no such kind of message")?,
                height,
                view,
                block: line.block,
                target: line.target.map(View),
            }),
            (Some(_), None) => return Err("a message needs a height and a view"),
            (None, _) => None,
        };
        Ok(Self {
            slot: Slot(line.slot),
            phase: line.phase,
            replica: ReplicaId(line.replica),
            what: line.what,
            peer: line.peer.map(ReplicaId),
            copy: line
                .sent
                .zip(line.copy)
                .map(|(sent, copy)| (Slot(sent), copy)),
            place: if message.is_some() { None } else { place },
            message,
            backup: line.backup,
            text: line.text,
        })
    }
}

/// The first line of a trace file.
pub const TRACE_HEADER: &str = r#"{"format":"milp-trace/1.1"}"#;

/// The trace as newline-delimited JSON: [`TRACE_HEADER`], then one line per event, each line
/// ending in a newline.
///
/// # Panics
/// Never: an event is plain data, which always serialises.
pub fn to_ndjson(trace: &[TraceEvent]) -> String {
    let mut text = format!("{TRACE_HEADER}\n");
    for event in trace {
        text += &serde_json::to_string(event).expect("a trace event is plain data");
        text.push('\n');
    }
    text
}
