//! A schedule: the adversary's choices in time, and what the model predicts will follow.

use crate::ids::{BlockId, Height, Kind, ReplicaId, Slot, View};
use std::fmt;

/// A message without its sender: what was said, not who said it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    /// What kind of message.
    pub kind: Kind,
    /// The height it is for.
    pub height: Height,
    /// The view its sender was in; for [`Kind::Block`] the view of the block.
    pub view: View,
    /// The index of the block it names; `None` for change views and recovery.
    pub block: Option<u32>,
    /// The view a change view asks for; `None` for every other kind.
    pub target: Option<View>,
}

impl Message {
    /// The block the message names, if it names one.
    pub fn block_id(&self) -> Option<BlockId> {
        self.block.map(|index| BlockId {
            height: self.height,
            view: self.view,
            index,
        })
    }
}

impl fmt::Display for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} h{} v{}", self.kind, self.height, self.view)?;
        if let Some(block) = self.block {
            write!(out, " b{block}")?;
        }
        if let Some(target) = self.target {
            write!(out, " to v{target}")?;
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
        /// Whether it kept the local backup of §8.7 (column `kind`: `backup` or `no-backup`).
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
