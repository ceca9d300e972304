//! A schedule: the adversary's choices in time, and what the model predicts will follow.

use crate::{
    ids::{BlockId, Height, ReplicaId, Slot, View},
    kind::Kind,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// What a message names: a proposed value, or the lack of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Proposal number `index` of `view`; it keeps the view in which it was first proposed.
    Block {
        /// The view it was first proposed in.
        view: View,
        /// Which proposal of that view; an honest primary proposes index 0 only.
        index: u32,
    },
    /// No value.
    Nil,
    /// An invalid value, which only a Byzantine primary proposes.
    Bad,
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block { view, index } => write!(out, "v{view}b{index}"),
            Self::Nil => out.write_str("nil"),
            Self::Bad => out.write_str("bad"),
        }
    }
}

impl FromStr for Value {
    type Err = ();

    /// The inverse of `to_string`; every value has one spelling.
    fn from_str(text: &str) -> Result<Self, ()> {
        let block = || {
            let (view, index) = text.strip_prefix('v')?.split_once('b')?;
            let view = View(view.parse().ok()?);
            let index = index.parse().ok()?;
            Some(Self::Block { view, index })
        };
        let value = match text {
            "nil" => Self::Nil,
            "bad" => Self::Bad,
            _ => block().ok_or(())?,
        };
        (value.to_string() == text).then_some(value).ok_or(())
    }
}

/// A value as JSON has it: `{"view", "index"}`, `"nil"` or `"bad"`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Block(Proposed),
    Word(Word),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposed {
    view: View,
    index: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Nil,
    Bad,
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match *self {
            Self::Block { view, index } => Written::Block(Proposed { view, index }),
            Self::Nil => Written::Word(Word::Nil),
            Self::Bad => Written::Word(Word::Bad),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Block(Proposed { view, index }) => Self::Block { view, index },
            Written::Word(Word::Nil) => Self::Nil,
            Written::Word(Word::Bad) => Self::Bad,
        })
    }
}

/// A message without its sender: what was said, not who said it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    /// What kind of message.
    pub kind: Kind,
    /// The height it is for.
    pub height: Height,
    /// The view its sender was in; of a published block the view of the block.
    pub view: View,
    /// What it names; `None` of a kind that names nothing.
    pub value: Option<Value>,
    /// The view of the votes that justify it; `None` where none are needed.
    pub justification: Option<View>,
}

impl Message {
    /// A message that names block `index` of its own view, or nothing.
    pub fn new(kind: Kind, height: Height, view: View, index: Option<u32>) -> Self {
        Self {
            kind,
            height,
            view,
            value: index.map(|index| Value::Block { view, index }),
            justification: None,
        }
    }

    /// A message of that kind about a block, of the view of the block.
    pub fn about(kind: Kind, block: BlockId) -> Self {
        Self::new(kind, block.height, block.view, Some(block.index))
    }

    /// The block the message names, if it names one.
    pub fn block_id(&self) -> Option<BlockId> {
        match self.value? {
            Value::Block { view, index } => Some(BlockId {
                height: self.height,
                view,
                index,
            }),
            Value::Nil | Value::Bad => None,
        }
    }

    /// The index of the block the message names, if it names one.
    pub fn index(&self) -> Option<u32> {
        self.block_id().map(|block| block.index)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} h{} v{}", self.kind, self.height, self.view)?;
        match self.value {
            Some(Value::Block { view, index }) if view == self.view => write!(out, " b{index}"),
            Some(value) => write!(out, " {value}"),
            None => Ok(()),
        }?;
        if let Some(justification) = self.justification {
            write!(out, " by v{justification}")?;
        }
        Ok(())
    }
}

/// One copy of a message on its way from `sender` to `receiver`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Copy {
    /// Who sent it (column `peer` of a delivery).
    pub sender: ReplicaId,
    /// Who gets it (column `replica` of a delivery).
    pub receiver: ReplicaId,
    /// What it says.
    pub message: Message,
    /// The slot it was sent in.
    pub sent: Slot,
    /// Tells equal messages sent in one slot to one receiver apart; 0 for the first.
    pub copy: u32,
}

/// One act of the adversary. The order of the rows of a slot is the order of handling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The network hands the copy to its receiver in `slot`.
    Deliver {
        /// When.
        slot: Slot,
        /// Which copy.
        copy: Copy,
    },
    /// The copy is lost for ever.
    Drop {
        /// When it is given up.
        slot: Slot,
        /// Which copy.
        copy: Copy,
    },
    /// The timer of `replica`, armed for (`height`, `view`), fires.
    Timeout {
        /// When.
        slot: Slot,
        /// Whose timer.
        replica: ReplicaId,
        /// Which of the timers of its protocol.
        timer: &'static str,
        /// The height it was armed for.
        height: Height,
        /// The view it was armed for.
        view: View,
    },
    /// A Byzantine replica makes one copy for one receiver; `copy.sent` is the slot of the row.
    Inject {
        /// The copy made.
        copy: Copy,
    },
    /// The replica stops; nothing reaches it and it does nothing until it restarts.
    Crash {
        /// When, before anything else of that slot at that replica.
        slot: Slot,
        /// Who.
        replica: ReplicaId,
    },
    /// A crashed replica returns.
    Restart {
        /// When.
        slot: Slot,
        /// Who.
        replica: ReplicaId,
        /// Whether it kept the local backup of §8.7 (column `backup`).
        backup: bool,
    },
}

impl Choice {
    /// The slot of the row.
    pub fn slot(&self) -> Slot {
        match self {
            Self::Deliver { slot, .. }
            | Self::Drop { slot, .. }
            | Self::Timeout { slot, .. }
            | Self::Crash { slot, .. }
            | Self::Restart { slot, .. } => *slot,
            Self::Inject { copy } => copy.sent,
        }
    }

    /// The replica the row is about: the receiver of a copy, the sender of an injected one.
    pub fn replica(&self) -> ReplicaId {
        match self {
            Self::Deliver { copy, .. } | Self::Drop { copy, .. } => copy.receiver,
            Self::Inject { copy } => copy.sender,
            Self::Timeout { replica, .. }
            | Self::Crash { replica, .. }
            | Self::Restart { replica, .. } => *replica,
        }
    }
}

/// One thing the model says an honest replica does as a consequence of the choices.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prediction {
    /// When.
    pub slot: Slot,
    /// Who.
    pub replica: ReplicaId,
    /// What.
    pub event: Event,
}

/// What an honest replica can be seen to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Broadcasts a message; a broadcast is one event, whatever the number of receivers.
    Send(Message),
    /// Enters a view above 0 of a height.
    EnterView {
        /// At which height.
        height: Height,
        /// Which view.
        view: View,
    },
    /// Regards a block as final.
    Decide(BlockId),
}

/// The adversary's choices and the model's predictions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {
    /// What drives the replay, ascending by slot; ties in handling order.
    pub choices: Vec<Choice>,
    /// What the replay is compared with, ascending.
    pub predictions: Vec<Prediction>,
}

impl Schedule {
    /// What honest replicas send, when and who.
    pub fn sent(&self) -> impl Iterator<Item = ((Slot, ReplicaId), &Message)> {
        let predictions = self.predictions.iter();
        predictions.filter_map(|prediction| match &prediction.event {
            Event::Send(message) => Some(((prediction.slot, prediction.replica), message)),
            _ => None,
        })
    }

    /// The copies that broadcasts of honest replicas make among so many, one for everybody else.
    pub fn copies(&self, replicas: u32) -> impl Iterator<Item = Copy> {
        self.sent().flat_map(move |((sent, sender), message)| {
            let others = ReplicaId::all(replicas).filter(move |id| *id != sender);
            others.map(move |receiver| Copy {
                sender,
                receiver,
                message: message.clone(),
                sent,
                copy: 0,
            })
        })
    }
}

/// What becomes of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// It arrives.
    Arrives(Slot),
    /// It is lost for ever.
    Lost(Slot),
    /// It does not arrive within the horizon.
    Open,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_spelling_in_tables_and_one_in_json() {
        let block = Value::Block {
            view: View(0),
            index: 12,
        };
        for (value, spelled, json) in [
            (block, "v0b12", r#"{"view":0,"index":12}"#),
            (Value::Nil, "nil", r#""nil""#),
            (Value::Bad, "bad", r#""bad""#),
        ] {
            assert_eq!(value.to_string(), spelled);
            assert_eq!(spelled.parse(), Ok(value));
            assert_eq!(serde_json::to_string(&value).expect("plain data"), json);
            let back: Value = serde_json::from_str(json).expect(json);
            assert_eq!(back, value);
        }
        for text in [
            "", "v0", "0", "v00b1", "V0b1", "v0b", "v+0b1", " nil", "Nil", "v0b1 ",
        ] {
            assert_eq!(text.parse::<Value>(), Err(()), "{text}");
        }
        for json in [
            "null",
            "0",
            r#""v0b0""#,
            r#"{"view":0}"#,
            r#"{"view":0,"index":0,"x":0}"#,
        ] {
            assert!(serde_json::from_str::<Value>(json).is_err(), "{json}");
        }
    }
}
