//! What replicas say to each other: labels in place of hashes and signatures.

use super::{ledger::Sealed, protocol};
use crate::protocols::Name;
use milp_schema::{BlockId, Height, Kind, Message, ReplicaId, Value, View};

/// A message with its author. The hash of a request is the block it proposes, the signature in a
/// commit is the block it signs with everything before: two are equal if and only if these are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Payload {
    pub(super) author: ReplicaId,
    pub(super) height: Height,
    /// The view it claims to be from. A commit relabelled by recovery signs a block of another.
    pub(super) view: View,
    pub(super) body: Body,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Body {
    PrepareRequest(BlockId),
    /// The block of the request it answers.
    PrepareResponse(BlockId),
    /// The block it signs.
    Commit(Sealed),
    /// It asks for the view after its own.
    ChangeView,
    RecoveryRequest,
    /// What it carries, as its receiver rebuilds it and in the order of handling (L49–51).
    RecoveryMessage(Vec<Payload>),
    /// A decided block; a quorum signs it.
    Block(Sealed),
}

impl Payload {
    pub(super) fn kind(&self) -> Kind {
        let name = match self.body {
            Body::PrepareRequest(_) => Name::PrepareRequest,
            Body::PrepareResponse(_) => Name::PrepareResponse,
            Body::Commit(_) => Name::Commit,
            Body::ChangeView => Name::ChangeView,
            Body::RecoveryRequest => Name::RecoveryRequest,
            Body::RecoveryMessage(_) => Name::RecoveryMessage,
            Body::Block(_) => Name::Block,
        };
        name.kind(protocol())
    }

    /// The block it stands for.
    pub(super) fn names(&self) -> Option<BlockId> {
        match self.body {
            Body::PrepareRequest(block)
            | Body::PrepareResponse(block)
            | Body::Commit(Sealed { block, .. }) => Some(block),
            Body::Block(ref sealed) => Some(sealed.block),
            Body::ChangeView | Body::RecoveryRequest | Body::RecoveryMessage(_) => None,
        }
    }

    /// The same as labels and states have it.
    pub(super) fn value(&self) -> Option<Value> {
        self.names()
            .map(|BlockId { view, index, .. }| Value::Block { view, index })
    }

    /// The view asked for, 0 for everything but a change view.
    pub(super) fn target(&self) -> View {
        match self.body {
            Body::ChangeView => self.view.next(),
            _ => View(0),
        }
    }

    pub(super) fn label(&self) -> Message {
        Message {
            value: self.value(),
            ..Message::new(self.kind(), self.height, self.view, None)
        }
    }

    /// What it carries with the authors; empty for everything but a recovery message.
    pub(super) fn carried(&self) -> Vec<(ReplicaId, Message)> {
        match &self.body {
            Body::RecoveryMessage(carried) => carried
                .iter()
                .map(|payload| (payload.author, payload.label()))
                .collect(),
            _ => Vec::new(),
        }
    }
}
