//! A state of the model: what every replica is, and the pool of messages.

use crate::protocols::Name;
use milp_schema::{ReplicaId, View, covers::MODEL_VIEWS};
use std::fmt;

/// `MaxView` is at most this; the model says so in an `ASSUME`.
pub(super) const MAX_VIEW: u32 = MODEL_VIEWS - 1;

const VIEWS: usize = MAX_VIEW as usize + 1;

/// `rmState[r].type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Type {
    Initialized,
    PrepareSent,
    CommitSent,
    Cv,
    BlockAccepted,
    Bad,
    Dead,
}

impl Type {
    /// In the order of the model's definition of `RMStates`.
    pub(super) const ALL: [Self; 7] = [
        Self::Initialized,
        Self::PrepareSent,
        Self::CommitSent,
        Self::Cv,
        Self::BlockAccepted,
        Self::Bad,
        Self::Dead,
    ];

    /// As the model writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Initialized => "initialized",
            Self::PrepareSent => "prepareSent",
            Self::CommitSent => "commitSent",
            Self::Cv => "cv",
            Self::BlockAccepted => "blockAccepted",
            Self::Bad => "bad",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// `rmState[r]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seat {
    pub(super) kind: Type,
    pub(super) view: View,
}

impl Seat {
    /// Neither bad nor dead.
    pub(super) fn is_honest(self) -> bool {
        !matches!(self.kind, Type::Bad | Type::Dead)
    }
}

/// The kinds of messages, in the order of the model's definition of `Messages`.
pub(super) const KINDS: [Name; 4] = [
    Name::PrepareRequest,
    Name::PrepareResponse,
    Name::Commit,
    Name::ChangeView,
];

/// `msgs`: for each kind and view the set of its senders, a bit for each replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Pool([[u64; VIEWS]; KINDS.len()]);

/// Which row of the pool a kind has.
///
/// # Panics
/// Never for the kinds of the model, and nothing else reaches the pool.
fn row(kind: Name) -> usize {
    let place = KINDS.iter().position(|known| *known == kind);
    place.expect("one of the four kinds of the model")
}

impl Pool {
    /// Who sent `kind` in `view`; nobody in a view that is not modelled.
    pub(super) fn senders(&self, kind: Name, view: View) -> u64 {
        let of_kind = &self.0[row(kind)];
        of_kind.get(view.index()).copied().unwrap_or(0)
    }

    /// Who sent `kind` in `first` or a later view.
    pub(super) fn senders_from(&self, kind: Name, first: View) -> u64 {
        let of_kind = &self.0[row(kind)];
        of_kind
            .iter()
            .skip(first.index())
            .fold(0, |all, senders| all | senders)
    }

    pub(super) fn has(&self, kind: Name, sender: ReplicaId, view: View) -> bool {
        self.senders(kind, view) >> sender.0 & 1 == 1
    }

    /// Adds a message of a modelled view; one that is there already changes nothing.
    pub(super) fn insert(&mut self, kind: Name, sender: ReplicaId, view: View) {
        self.0[row(kind)][view.index()] |= 1 << sender.0;
    }

    /// Every message, by kind, view and sender.
    pub(super) fn messages(&self) -> impl Iterator<Item = (Name, ReplicaId, View)> {
        let by_view = |kind| View::all(MAX_VIEW + 1).map(move |view| (kind, view));
        KINDS
            .into_iter()
            .flat_map(by_view)
            .flat_map(move |(kind, view)| {
                let senders = self.senders(kind, view);
                let there = move |id: &ReplicaId| senders >> id.0 & 1 == 1;
                ReplicaId::all(u64::BITS)
                    .filter(there)
                    .map(move |id| (kind, id, view))
            })
    }
}

/// How many replicas a set has.
pub(super) fn size(senders: u64) -> u32 {
    senders.count_ones()
}

/// A state: `rmState` and `msgs`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State {
    pub(super) seats: Vec<Seat>,
    pub(super) pool: Pool,
}

impl State {
    /// `Init`.
    pub(super) fn initial(replicas: u32) -> Self {
        let seat = Seat {
            kind: Type::Initialized,
            view: View(0),
        };
        Self {
            seats: vec![seat; replicas as usize],
            pool: Pool::default(),
        }
    }

    pub(super) fn seat(&self, id: ReplicaId) -> Seat {
        self.seats[id.index()]
    }

    /// How many replicas have a type.
    pub(super) fn count(&self, kind: Type) -> u32 {
        self.seats.iter().filter(|seat| seat.kind == kind).count() as u32
    }
}
