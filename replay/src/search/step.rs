//! What one act of one replica leads to.

use super::{Seat, Space, State};
use crate::protocols::{Output, Replica};
use milp_schema::{Height, Kind, Message, ReplicaId, View, instance::Goal, vocabulary::Role};
use std::collections::BTreeSet;

impl Space {
    /// Every state that one act of one replica leads to.
    pub fn next(&self, state: &State) -> Vec<State> {
        let mut states = Vec::new();
        for id in ReplicaId::all(self.rules.replicas) {
            let seat = &state.0[id.index()];
            if seat.byzantine || seat.decided.is_some() {
                continue;
            }
            self.timer(state, id, &mut states);
            for block in 0..self.layout.blocks {
                for kinds in self.rounds() {
                    self.votes(state, id, block, &kinds, &mut states);
                }
            }
            for view in (seat.view.0 + 1..self.layout.views).map(View) {
                self.change_views(state, id, view, &mut states);
            }
        }
        states
    }

    /// Which votes are delivered together: a proposal alone, or before votes of one kind.
    fn rounds(&self) -> Vec<Vec<Kind>> {
        let (proposals, votes): (Vec<Kind>, Vec<Kind>) = {
            let all = self.layout.votes.iter().copied();
            all.partition(|kind| kind.is(Role::Proposal))
        };
        let with = |kind: Kind| [proposals.clone(), vec![kind]].concat();
        let rounds = votes.into_iter().map(with);
        [proposals.clone()].into_iter().chain(rounds).collect()
    }

    /// The timer fires.
    fn timer(&self, state: &State, id: ReplicaId, states: &mut Vec<State>) {
        let mut replica = self.replica(state, id);
        if replica.timeout_matters(&self.rules) {
            let mut out = Vec::new();
            replica.on_timeout(&self.rules, &mut out);
            states.extend(self.after(state, &replica, &out, &[]));
        }
    }

    /// Votes for a block of the replica's view are delivered until it acts, those of faulty
    /// replicas last.
    fn votes(
        &self,
        state: &State,
        id: ReplicaId,
        block: u32,
        kinds: &[Kind],
        states: &mut Vec<State>,
    ) {
        let view = state.0[id.index()].view;
        let mut copies: Vec<(ReplicaId, Message)> = Vec::new();
        for kind in kinds {
            let bit = self.layout.vote(*kind, view, block);
            let mut senders: Vec<ReplicaId> = ReplicaId::all(self.rules.replicas)
                .filter(|from| *from != id && state.0[from.index()].said & bit != 0)
                .collect();
            senders.sort_by_key(|from| state.0[from.index()].faulty);
            let vote = Message::new(*kind, Height(0), view, Some(block));
            copies.extend(senders.into_iter().map(|from| (from, vote.clone())));
        }
        states.extend(self.give(state, id, &copies));
    }

    /// Change views are delivered that make a quorum for `view`: of each sender the earliest that
    /// asks for it, and every choice of senders that matters.
    fn change_views(&self, state: &State, id: ReplicaId, view: View, states: &mut Vec<State>) {
        let asks = |seat: &Seat, from: u32| {
            (from..self.layout.views)
                .map(View)
                .find(|&v| seat.said & self.layout.change(v) != 0)
        };
        let replica = self.replica(state, id);
        let held: BTreeSet<ReplicaId> = replica
            .change_views
            .iter()
            .filter(|(target, _)| *target >= view)
            .map(|&(_, author)| author)
            .collect();
        let Some(needed) = self.rules.quorum().checked_sub(held.len()) else {
            return;
        };
        let others: Vec<(ReplicaId, View)> = ReplicaId::all(self.rules.replicas)
            .filter(|from| *from != id && !held.contains(from))
            .filter_map(|from| Some((from, asks(&state.0[from.index()], view.0 - 1)?)))
            .collect();
        // Honest requests for just this view leave nothing behind, so no other choice does better.
        let plain: Vec<(ReplicaId, View)> = others
            .iter()
            .filter(|(from, v)| v.next() == view && !state.0[from.index()].faulty)
            .copied()
            .collect();
        let choices = if plain.len() >= needed {
            &plain[..needed]
        } else {
            &others[..]
        };
        for chosen in subsets(choices, needed) {
            let copies: Vec<(ReplicaId, Message)> = chosen
                .into_iter()
                .map(|(from, sent_in)| (from, self.layout.leaves(sent_in)))
                .collect();
            states.extend(self.give(state, id, &copies));
        }
    }

    /// Delivers copies one by one until the replica acts; the state after the act.
    fn give(&self, state: &State, id: ReplicaId, copies: &[(ReplicaId, Message)]) -> Option<State> {
        let mut replica = self.replica(state, id);
        let mut out = Vec::new();
        for (count, (author, message)) in copies.iter().enumerate() {
            replica.on_receive(&self.rules, *author, message, false, &mut out);
            if !out.is_empty() {
                return self.after(state, &replica, &out, &copies[..=count]);
            }
        }
        None
    }

    /// The replica with what it sent and the change views it remembers, and nothing else held.
    pub(super) fn replica(&self, state: &State, id: ReplicaId) -> Replica {
        let seat = &state.0[id.index()];
        let mut replica = Replica::new(id);
        replica.view = seat.view;
        for message in self.layout.messages(seat.said) {
            replica.hold(&self.rules, id, &message);
        }
        for view in self.layout.all_views() {
            for from in ReplicaId::all(self.rules.replicas) {
                if seat.kept & self.layout.kept(from, view) != 0 {
                    replica.hold(&self.rules, from, &self.layout.leaves(view));
                }
            }
        }
        replica
    }

    /// The joint state after a replica's act; `None` if it left the modelled views.
    fn after(
        &self,
        state: &State,
        replica: &Replica,
        out: &[Output],
        given: &[(ReplicaId, Message)],
    ) -> Option<State> {
        let mut state = state.clone();
        for (author, message) in given {
            let seat = &mut state.0[author.index()];
            if self.goal == Goal::Stall && seat.faulty {
                seat.used |= self.layout.bit(message);
            }
        }
        let seat = &mut state.0[replica.me.index()];
        for output in out {
            match output {
                Output::Send(message) if message.kind.is(Role::Decision) => {}
                Output::Send(message) => seat.said |= self.layout.bit(message),
                Output::EnterView(view) if view.0 >= self.layout.views => return None,
                Output::EnterView(view) => seat.view = *view,
                Output::Decide(block) => seat.decided = Some((block.view, block.index)),
                Output::Recover { .. } => unreachable!("recovery is switched off"),
            }
        }
        let above = replica.change_views.iter().filter(|(target, author)| {
            *target > replica.view && *author != replica.me && seat.decided.is_none()
        });
        seat.kept = above.fold(0, |kept, &(target, author)| {
            kept | self.layout.kept(author, View(target.0 - 1))
        });
        Some(state)
    }
}

/// All choices of `count` elements, in order.
fn subsets<T: Copy>(items: &[T], count: usize) -> Vec<Vec<T>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, &first) in items.iter().enumerate() {
        for mut rest in subsets(&items[index + 1..], count - 1) {
            rest.insert(0, first);
            all.push(rest);
        }
    }
    all
}
