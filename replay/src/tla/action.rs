//! The actions of the model: when each is enabled, and what it does.
//!
//! Line numbers are those of `docs/protocols/dbft2-tla.md`; the order of the conjuncts is the
//! model's, so that the two can be read side by side.

use super::state::{Pool, Seat, State, Type, size};
use crate::protocols::Name;
use milp_schema::{Kind, ReplicaId, View};
use std::{collections::BTreeSet, fmt};

/// Which text of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Revision {
    /// v0.4.0: commits of all views count.
    Current,
    /// 93bb5bb: commits of the own view count, and a primary may ask to leave before it proposes.
    PerView,
}

/// The protocols and the texts they are.
pub(super) const REVISIONS: [(&str, Revision); 2] = [
    ("dbft2-tla", Revision::Current),
    ("dbft2-tla-per-view", Revision::PerView),
];

/// The constants of the model and its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) revision: Revision,
    /// N.
    pub(super) replicas: u32,
    /// `MaxView`.
    pub(super) max_view: View,
    /// `RMFault`.
    pub(super) fault: BTreeSet<ReplicaId>,
    /// `RMDead`.
    pub(super) dead: BTreeSet<ReplicaId>,
}

/// A named action of the model, taken by a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    SendPrepareRequest,
    SendPrepareResponse,
    SendCommit,
    AcceptBlock,
    SendChangeView,
    ReceiveChangeView,
    Die,
    BeBad,
    FaultySendCv,
    FaultyDoCv,
    FaultySendCommit,
    FaultySendPReq,
    FaultySendPResp,
}

impl Action {
    /// Those of replicas that follow the protocol (lines 1 to 12).
    pub(super) const PROTOCOL: [Self; 6] = [
        Self::SendPrepareRequest,
        Self::SendPrepareResponse,
        Self::SendCommit,
        Self::AcceptBlock,
        Self::SendChangeView,
        Self::ReceiveChangeView,
    ];

    /// Those of faults (lines 13 to 22).
    pub(super) const FAULT: [Self; 7] = [
        Self::Die,
        Self::BeBad,
        Self::FaultySendCv,
        Self::FaultyDoCv,
        Self::FaultySendCommit,
        Self::FaultySendPReq,
        Self::FaultySendPResp,
    ];

    /// As the model names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SendPrepareRequest => "RMSendPrepareRequest",
            Self::SendPrepareResponse => "RMSendPrepareResponse",
            Self::SendCommit => "RMSendCommit",
            Self::AcceptBlock => "RMAcceptBlock",
            Self::SendChangeView => "RMSendChangeView",
            Self::ReceiveChangeView => "RMReceiveChangeView",
            Self::Die => "RMDie",
            Self::BeBad => "RMBeBad",
            Self::FaultySendCv => "RMFaultySendCV",
            Self::FaultyDoCv => "RMFaultyDoCV",
            Self::FaultySendCommit => "RMFaultySendCommit",
            Self::FaultySendPReq => "RMFaultySendPReq",
            Self::FaultySendPResp => "RMFaultySendPResp",
        }
    }

    /// What the action adds to the pool.
    pub(super) fn message(self) -> Option<Name> {
        match self {
            Self::SendPrepareRequest | Self::FaultySendPReq => Some(Name::PrepareRequest),
            Self::SendPrepareResponse | Self::FaultySendPResp => Some(Name::PrepareResponse),
            Self::SendCommit | Self::FaultySendCommit => Some(Name::Commit),
            Self::SendChangeView | Self::FaultySendCv => Some(Name::ChangeView),
            Self::AcceptBlock
            | Self::ReceiveChangeView
            | Self::Die
            | Self::BeBad
            | Self::FaultyDoCv => None,
        }
    }

    /// The action of a replica that follows the protocol and sends `kind`.
    pub(super) fn sending(kind: Kind) -> Option<Self> {
        let mut sends = Self::PROTOCOL.into_iter();
        sends.find(|action| action.message().is_some_and(|name| kind == name))
    }

    /// The action of a bad replica that sends `kind`.
    pub(super) fn forging(kind: Kind) -> Option<Self> {
        let mut sends = Self::FAULT.into_iter();
        sends.find(|action| action.message().is_some_and(|name| kind == name))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// The conjunct of a guard that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacking {
    /// The replica has the wrong type.
    Type(Type),
    /// It is `cv`, and not more than f replicas are known to have committed.
    Committed { have: u32, over: u32 },
    /// It is not primary of its view.
    NotPrimary(View),
    /// It is primary of its view.
    IsPrimary(View),
    /// The pool lacks the request of its view.
    Request(View),
    /// The pool has too little of something.
    Few {
        what: &'static str,
        view: View,
        have: u32,
        need: u32,
    },
    /// The pool has its message of this view already.
    Said(View),
    /// It may not die or turn bad, or f others did.
    NoFault,
}

impl fmt::Display for Lacking {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(kind) => write!(out, "the replica is {kind}"),
            Self::Committed { have, over } => write!(
                out,
                "the replica is cv and sees {have} committed, it would need more than {over}"
            ),
            Self::NotPrimary(view) => write!(out, "the replica is not primary of v{view}"),
            Self::IsPrimary(view) => write!(out, "the replica is primary of v{view}"),
            Self::Request(view) => write!(out, "the pool has no PrepareRequest of v{view}"),
            Self::Few {
                what,
                view,
                have,
                need,
            } => write!(out, "the pool has {have} {what} v{view} of {need} needed"),
            Self::Said(view) => write!(out, "the pool has the replica's message of v{view}"),
            Self::NoFault => write!(out, "the replica may not, or as many as may already did"),
        }
    }
}

/// `what` does not hold unless `holds`.
fn require(holds: bool, what: Lacking) -> Result<(), Lacking> {
    if holds { Ok(()) } else { Err(what) }
}

impl Spec {
    /// F.
    pub(super) fn f(&self) -> u32 {
        (self.replicas - 1) / 3
    }

    /// M.
    pub(super) fn quorum(&self) -> u32 {
        self.replicas - self.f()
    }

    /// `GetPrimary(view)`.
    pub(super) fn primary(&self, view: View) -> ReplicaId {
        ReplicaId(view.0 % self.replicas)
    }

    pub(super) fn replicas(&self) -> impl DoubleEndedIterator<Item = ReplicaId> + Clone + use<> {
        ReplicaId::all(self.replicas)
    }

    /// `CountCommitted` of a replica in `view`.
    fn committed(&self, pool: &Pool, view: View) -> u32 {
        size(match self.revision {
            Revision::Current => pool.senders_from(Name::Commit, View(0)),
            Revision::PerView => pool.senders(Name::Commit, view),
        })
    }

    /// The replica has `kind`, or is `cv` while more than f committed (first conjunct of lines 3
    /// and 5).
    fn has_type_or_returns(&self, pool: &Pool, seat: Seat, kind: Type) -> Result<(), Lacking> {
        if seat.kind == kind {
            return Ok(());
        }
        require(seat.kind == Type::Cv, Lacking::Type(seat.kind))?;
        let (have, over) = (self.committed(pool, seat.view), self.f());
        require(have > over, Lacking::Committed { have, over })
    }

    /// `PrepareRequestSentOrReceived`.
    fn has_request(&self, pool: &Pool, view: View) -> Result<(), Lacking> {
        let there = pool.has(Name::PrepareRequest, self.primary(view), view);
        require(there, Lacking::Request(view))
    }

    fn has_quorum(&self, what: &'static str, view: View, senders: u64) -> Result<(), Lacking> {
        let (have, need) = (size(senders), self.quorum());
        require(
            have >= need,
            Lacking::Few {
                what,
                view,
                have,
                need,
            },
        )
    }

    fn is_primary(&self, id: ReplicaId, view: View) -> Result<(), Lacking> {
        require(self.primary(view) == id, Lacking::NotPrimary(view))
    }

    fn is_backup(&self, id: ReplicaId, view: View) -> Result<(), Lacking> {
        require(self.primary(view) != id, Lacking::IsPrimary(view))
    }

    /// Whether `id` can take `action` in `state`; otherwise what its guard lacks.
    ///
    /// # Errors
    /// The first conjunct that does not hold.
    pub(super) fn guard(
        &self,
        state: &State,
        id: ReplicaId,
        action: Action,
    ) -> Result<(), Lacking> {
        let seat = state.seat(id);
        let view = seat.view;
        let pool = &state.pool;
        let is = |kind: Type| require(seat.kind == kind, Lacking::Type(seat.kind));
        let is_none_of =
            |kinds: &[Type]| require(!kinds.contains(&seat.kind), Lacking::Type(seat.kind));
        let unsaid = |kind: Name| require(!pool.has(kind, id, view), Lacking::Said(view));
        match action {
            Action::SendPrepareRequest => {
                is(Type::Initialized)?;
                self.is_primary(id, view)
            }
            Action::SendPrepareResponse => {
                self.has_type_or_returns(pool, seat, Type::Initialized)?;
                self.is_backup(id, view)?;
                self.has_request(pool, view)
            }
            Action::SendCommit => {
                self.has_type_or_returns(pool, seat, Type::PrepareSent)?;
                // A sender has one of the two in a view, so their union is counted.
                let prepared = pool.senders(Name::PrepareRequest, view)
                    | pool.senders(Name::PrepareResponse, view);
                self.has_quorum("preparations of", view, prepared)?;
                self.has_request(pool, view)
            }
            Action::AcceptBlock => {
                is_none_of(&[Type::Bad, Type::Dead])?;
                self.has_request(pool, view)?;
                self.has_quorum("Commits of", view, pool.senders(Name::Commit, view))
            }
            Action::SendChangeView => {
                if seat.kind == Type::Initialized && self.revision == Revision::Current {
                    self.is_backup(id, view)?;
                } else if seat.kind != Type::Initialized {
                    is(Type::PrepareSent)?;
                }
                unsaid(Name::ChangeView)
            }
            Action::ReceiveChangeView => {
                is_none_of(&[Type::Bad, Type::Dead, Type::BlockAccepted, Type::CommitSent])?;
                let asked = pool.senders_from(Name::ChangeView, view);
                self.has_quorum("senders of ChangeViews from or after", view, asked)
            }
            Action::Die
            | Action::BeBad
            | Action::FaultyDoCv
            | Action::FaultySendCv
            | Action::FaultySendCommit
            | Action::FaultySendPReq
            | Action::FaultySendPResp => self.guard_of_fault(state, id, action),
        }
    }

    /// [`Self::guard`] of the actions of faults; those of the protocol have none here.
    fn guard_of_fault(&self, state: &State, id: ReplicaId, action: Action) -> Result<(), Lacking> {
        let Seat { kind, view } = state.seat(id);
        match action {
            Action::Die => {
                let room = state.count(Type::Dead) < self.f();
                return require(self.dead.contains(&id) && room, Lacking::NoFault);
            }
            Action::BeBad => {
                let room = state.count(Type::Bad) < self.f();
                return require(self.fault.contains(&id) && room, Lacking::NoFault);
            }
            _ => require(kind == Type::Bad, Lacking::Type(kind))?,
        }
        match action {
            Action::FaultySendPReq => self.is_primary(id, view)?,
            Action::FaultySendPResp => self.is_backup(id, view)?,
            _ => {}
        }
        let said = |name| state.pool.has(name, id, view);
        require(!action.message().is_some_and(said), Lacking::Said(view))
    }

    /// The state after `id` took `action`, which must be enabled, in a state within `MaxView`.
    pub(super) fn step(state: &State, id: ReplicaId, action: Action) -> State {
        let mut next = state.clone();
        let seat = &mut next.seats[id.index()];
        if let Some(kind) = action.message() {
            next.pool.insert(kind, id, seat.view);
        }
        match action {
            Action::SendPrepareRequest | Action::SendPrepareResponse => {
                seat.kind = Type::PrepareSent;
            }
            Action::SendCommit => seat.kind = Type::CommitSent,
            Action::AcceptBlock => seat.kind = Type::BlockAccepted,
            Action::SendChangeView => seat.kind = Type::Cv,
            Action::ReceiveChangeView => {
                seat.kind = Type::Initialized;
                seat.view = seat.view.next();
            }
            Action::Die => seat.kind = Type::Dead,
            Action::BeBad => seat.kind = Type::Bad,
            Action::FaultyDoCv => seat.view = seat.view.next(),
            Action::FaultySendCv
            | Action::FaultySendCommit
            | Action::FaultySendPReq
            | Action::FaultySendPResp => {}
        }
        next
    }

    /// `MaxViewConstraint`. Messages have their senders' views, so these say it all.
    pub(super) fn is_modelled(&self, state: &State) -> bool {
        state.seats.iter().all(|seat| seat.view <= self.max_view)
    }
}

/// `InvTwoBlocksAccepted`: the views of two accepted blocks, if there are two.
pub(super) fn two_blocks_accepted(state: &State) -> Option<(View, View)> {
    let accepted = state
        .seats
        .iter()
        .filter(|seat| seat.kind == Type::BlockAccepted);
    let views: BTreeSet<View> = accepted.map(|seat| seat.view).collect();
    let (first, last) = (views.first()?, views.last()?);
    (first != last).then_some((*first, *last))
}
