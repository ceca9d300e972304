//! The kinds of dBFT as its pages name them, where rules or an engine of it are written.

use milp_schema::{Kind, Protocol};
use std::fmt;

/// A name of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    Block,
    PrepareRequest,
    PrepareResponse,
    Commit,
    ChangeView,
    RecoveryRequest,
    RecoveryMessage,
}

impl Name {
    const ALL: [(Self, &str); 7] = [
        (Self::Block, "Block"),
        (Self::PrepareRequest, "PrepareRequest"),
        (Self::PrepareResponse, "PrepareResponse"),
        (Self::Commit, "Commit"),
        (Self::ChangeView, "ChangeView"),
        (Self::RecoveryRequest, "RecoveryRequest"),
        (Self::RecoveryMessage, "RecoveryMessage"),
    ];

    /// The name of a kind, if dBFT has one of that name.
    pub(crate) fn of(kind: Kind) -> Option<Self> {
        let known = Self::ALL.iter().find(|(_, text)| *text == kind.name());
        known.map(|(name, _)| *name)
    }

    /// As files have it.
    pub(crate) fn text(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The kind of a protocol that has it.
    ///
    /// # Panics
    /// If the protocol has no such kind.
    pub(crate) fn kind(self, protocol: Protocol) -> Kind {
        protocol.the(self.text())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.text())
    }
}

impl PartialEq<Name> for Kind {
    fn eq(&self, name: &Name) -> bool {
        self.name() == name.text()
    }
}
