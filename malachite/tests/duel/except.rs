//! What an engine does otherwise than the file by design, and is left out of the schedules.

use super::Seat;
use milp_schema::{Message, ReplicaId, vocabulary::Role};

/// Something that an engine does otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Except {
    /// Of several proposals of a view that arrive before it is entered the driver takes the one that
    /// came first, the file the first that a rule of its order is for.
    SeveralEarlyProposals,
    /// `malachite` looks at two proposals of a view, and of one value at one.
    FurtherProposals,
    /// `malachite` drops what is more than ten views ahead.
    FarAhead,
    /// With a precommit for a value `malachite` forgets the votes of earlier views.
    Forgotten,
}

/// So many views ahead are looked at.
const AHEAD: u32 = 10;

/// What the engine of that name does otherwise.
pub(crate) fn except(engine: &str) -> &'static [Except] {
    match engine {
        "malachite" => &[
            Except::SeveralEarlyProposals,
            Except::FurtherProposals,
            Except::FarAhead,
            Except::Forgotten,
        ],
        _ => &[Except::SeveralEarlyProposals],
    }
}

impl Except {
    /// Whether the message, given to that replica now, would show it.
    pub(super) fn bars(self, seat: &Seat, by: ReplicaId, message: &Message) -> bool {
        let proposes = message.kind.is(Role::Proposal);
        let early = message.view > seat.view;
        let given = seat.given.iter();
        let others = given.filter(|(author, it)| {
            *author == by && (it.kind, it.view) == (message.kind, message.view) && it != message
        });
        match self {
            Self::SeveralEarlyProposals => proposes && early && others.count() > 0,
            Self::FurtherProposals => {
                let same = |(_, it): &(ReplicaId, Message)| it.value == message.value;
                proposes && (others.clone().count() > 1 || others.clone().any(same))
            }
            Self::FarAhead => message.view.0 > seat.view.0 + AHEAD,
            Self::Forgotten => {
                // Who proposes a value again early may meet a precommit in between.
                let of = message.justification.unwrap_or(message.view);
                let again = proposes && message.justification.is_some();
                (early && again) || seat.bound.is_some_and(|bound| of < bound)
            }
        }
    }
}
