//! What a state is worth to the adversary.

use super::{Seat, Space, State};
use crate::protocols::Position;
use milp_schema::{
    ReplicaId, View,
    instance::{Goal, Sense},
};
use std::collections::BTreeSet;

impl Space {
    /// The value of the goal in a state, if the state has one.
    pub fn value(&self, state: &State) -> Option<i64> {
        let honest = || state.0.iter().filter(|seat| !seat.byzantine);
        let decided: BTreeSet<(View, u32)> = honest().filter_map(|seat| seat.decided).collect();
        let highest = honest().map(|seat| i64::from(seat.view.0) + 1).max();
        let highest = highest.unwrap_or(1);
        match self.goal {
            Goal::Fork => Some(decided.len() as i64),
            Goal::Views => Some(highest),
            Goal::Finality => Some(i64::from(self.certificates(state))),
            Goal::Weighted {
                blocks,
                views,
                messages,
                ..
            } => {
                let sum = blocks * decided.len() as i64 + views * highest;
                Some(sum + self.weight_of_messages(state, messages))
            }
            _ if !decided.is_empty() => Some(1),
            _ => self.is_final(state).then_some(0),
        }
    }

    /// Whether a smaller value is better for the adversary.
    pub(super) fn minimizes(&self) -> bool {
        match self.goal {
            Goal::Stall => true,
            Goal::Weighted { sense, .. } => sense == Sense::Minimize,
            _ => false,
        }
    }

    /// What the honest broadcasts weigh, blocks included; whoever has not decided adopts a block
    /// if there is one and the adversary is better off.
    fn weight_of_messages(&self, state: &State, weight: i64) -> i64 {
        let honest = || state.0.iter().filter(|seat| !seat.byzantine);
        let sent: u32 = honest().map(|seat| seat.said.count_ones()).sum();
        let decided = honest().filter(|seat| seat.decided.is_some()).count();
        let adopt = decided > 0
            && if self.minimizes() {
                weight < 0
            } else {
                weight > 0
            };
        let blocks = if adopt { honest().count() } else { decided };
        weight * (i64::from(sent) + blocks as i64)
    }

    /// Blocks for which honest votes and Byzantine replicas make a quorum.
    fn certificates(&self, state: &State) -> u32 {
        let kinds = self.layout.votes.iter();
        let kinds = kinds.filter(|kind| kind.does().is_final);
        let mut count = 0;
        for view in self.layout.all_views() {
            for block in 0..self.layout.blocks {
                let votes = kinds
                    .clone()
                    .map(|kind| self.layout.vote(*kind, view, block));
                let bits = votes.fold(0, |bits, vote| bits | vote);
                let honest = |seat: &&Seat| !seat.byzantine && seat.said & bits != 0;
                let votes = state.0.iter().filter(honest).count();
                let byzantine = state.0.iter().filter(|seat| seat.byzantine).count();
                count += u32::from(votes > 0 && votes + byzantine >= self.rules.quorum());
            }
        }
        count
    }

    /// E19 for a state in which nobody decided.
    fn is_final(&self, state: &State) -> bool {
        let shared = |seat: &Seat| {
            if seat.faulty { seat.used } else { seat.said }
        };
        let last = self.layout.change(View(self.layout.views - 1));
        let leaving = state
            .0
            .iter()
            .filter(|seat| shared(seat) & last != 0)
            .count();
        leaving < self.rules.quorum()
            && ReplicaId::all(self.rules.replicas)
                .filter(|id| !state.0[id.index()].faulty)
                .all(|id| self.is_quiet(state, id, &shared))
    }

    /// Whether a live replica, given everything that is shared, does nothing, timer included.
    fn is_quiet(&self, state: &State, id: ReplicaId, shared: &dyn Fn(&Seat) -> u64) -> bool {
        let mut replica = self.replica(state, id);
        let mut out = Vec::new();
        for from in ReplicaId::all(self.rules.replicas).filter(|from| *from != id) {
            let said = shared(&state.0[from.index()]);
            for message in self.layout.messages(said) {
                // What is ahead waits for a view that is never entered if nothing happens.
                if replica.position(&message) == Position::Here {
                    replica.on_receive(&self.rules, from, &message, false, &mut out);
                }
            }
        }
        out.is_empty() && !replica.timeout_matters(&self.rules)
    }
}
