//! What a state is when nothing more comes: decided, open, out of views or stuck.

use super::{
    action::{Action, Spec},
    state::{State, Type},
};
use milp_schema::ReplicaId;

/// "What *stuck* means" of the protocol's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// A quorum has accepted.
    Decided,
    /// This honest replica can take this action, and something changes.
    Open(ReplicaId, Action),
    /// All that honest replicas can do is leave the modelled views; this one can.
    OutOfViews(ReplicaId),
    /// No honest replica can do anything.
    Stuck,
}

impl Spec {
    /// What `state` is.
    pub(super) fn end(&self, state: &State) -> End {
        if state.count(Type::BlockAccepted) >= self.quorum() {
            return End::Decided;
        }
        let mut leaves = None;
        for id in self.replicas().filter(|id| state.seat(*id).is_honest()) {
            for action in Action::PROTOCOL {
                if self.guard(state, id, action).is_err() {
                    continue;
                }
                let next = Self::step(state, id, action);
                if !self.is_modelled(&next) {
                    leaves = leaves.or(Some(id));
                } else if next != *state {
                    return End::Open(id, action);
                }
            }
        }
        leaves.map_or(End::Stuck, End::OutOfViews)
    }
}

/// What holds each replica.
pub(super) fn describe(state: &State) -> String {
    let seats = state.seats.iter().enumerate().map(|(id, seat)| {
        let view = seat.view;
        match seat.kind {
            Type::Initialized | Type::PrepareSent => {
                format!("replica {id} in v{view} waits ({})", seat.kind)
            }
            Type::CommitSent => format!("replica {id} has committed in v{view}"),
            Type::Cv => format!("replica {id} in v{view} asks for v{}", view.next()),
            Type::BlockAccepted => format!("replica {id} has accepted the block of v{view}"),
            Type::Bad => format!("replica {id} is Byzantine and silent"),
            Type::Dead => format!("replica {id} is dead"),
        }
    });
    seats.collect::<Vec<_>>().join("; ")
}
