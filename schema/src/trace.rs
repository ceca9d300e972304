//! What really happened, event by event, with labels only: no hash, no signature.

use crate::{BlockId, Height, Message, ReplicaId, Slot, Value, View, schedule::Event};
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "Line")]
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
    /// The message, the block (as a message of the kind that passes it on) or none.
    pub message: Option<Message>,
    /// Height and view of a timer or of a view entered.
    pub place: Option<(Height, View)>,
    /// Which of the timers of its protocol fired.
    pub timer: Option<&'static str>,
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
            timer: None,
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
#[derive(Serialize)]
struct Line {
    slot: u32,
    phase: Phase,
    replica: u32,
    what: What,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timer: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
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
            kind: message.map(|m| m.kind.name()),
            height: place.map(|(height, _)| height.0),
            view: place.map(|(_, view)| view.0),
            value: message.and_then(|m| m.value),
            justification: message.and_then(|m| m.justification).map(|view| view.0),
            timer: event.timer,
            sent: event.copy.map(|(sent, _)| sent.0),
            copy: event.copy.map(|(_, copy)| copy),
            backup: event.backup,
            text: event.text,
        }
    }
}

/// The first line of a trace file.
pub const TRACE_HEADER: &str = r#"{"format":"milp-trace/2.0"}"#;

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
