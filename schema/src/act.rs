//! What the adversary can do, kind by kind.

/// A kind of act of the adversary, in the order in which a minimal schedule avoids them: what
/// assumes most comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// A replica that is faulty, in whatever way.
    Faulty,
    /// A copy made by a Byzantine replica; of a pool, a message.
    Made,
    /// A replica that crashes.
    Crash,
    /// A copy of an honest message that is late or not within the horizon.
    Late,
    /// A timer that makes a replica ask to leave its view, or for recovery.
    Timeout,
}

impl Act {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [
        Self::Faulty,
        Self::Made,
        Self::Crash,
        Self::Late,
        Self::Timeout,
    ];
}
