//! Sets of messages as bits.

use milp_schema::{Height, Kind, Message, Protocol, ReplicaId, View, vocabulary::Role};

/// Which bit a message of a replica has: for each kind that proposes or votes one per view and
/// block, then per view a request to leave it. Those that are kept have one bit per sender and view.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) replicas: u32,
    pub(super) views: u32,
    pub(super) blocks: u32,
    /// What proposes, then what votes.
    pub(super) votes: Vec<Kind>,
    leave: Kind,
}

impl Layout {
    /// Of a protocol that has a kind to propose and one to leave.
    pub(super) fn new(protocol: Protocol, [replicas, views, blocks]: [u32; 3]) -> Self {
        let of = |role| protocol.kinds().filter(move |kind| kind.is(role));
        Self {
            replicas,
            views,
            blocks,
            votes: of(Role::Proposal).chain(of(Role::Vote)).collect(),
            leave: of(Role::Leave).next().expect("a kind that asks to leave"),
        }
    }

    pub(super) fn vote(&self, kind: Kind, view: View, block: u32) -> u64 {
        let row = self.votes.iter().position(|vote| *vote == kind);
        let row = row.expect("a kind that proposes or votes") as u32;
        1 << ((row * self.views + view.0) * self.blocks + block)
    }

    /// The request to leave `view`.
    pub(super) fn change(&self, view: View) -> u64 {
        let rows = self.votes.len() as u32;
        1 << (rows * self.views * self.blocks + view.0)
    }

    pub(super) fn kept(&self, author: ReplicaId, view: View) -> u64 {
        1 << (author.0 * self.views + view.0)
    }

    pub(super) fn bit(&self, message: &Message) -> u64 {
        match message.index() {
            Some(block) => self.vote(message.kind, message.view, block),
            None => self.change(message.view),
        }
    }

    pub(super) fn fits(&self) -> bool {
        let rows = self.votes.len() as u32;
        (rows * self.blocks + 1) * self.views <= 64 && self.replicas * self.views <= 64
    }

    pub(super) fn all_views(&self) -> impl Iterator<Item = View> + use<> {
        View::all(self.views)
    }

    /// The request to leave `view` itself.
    pub(super) fn leaves(&self, view: View) -> Message {
        Message::new(self.leave, Height(0), view, None)
    }

    /// The messages of a set of bits.
    pub(super) fn messages(&self, said: u64) -> Vec<Message> {
        let mut messages = Vec::new();
        for view in self.all_views() {
            messages.push(self.leaves(view));
            for block in 0..self.blocks {
                let vote = |kind: &Kind| Message::new(*kind, Height(0), view, Some(block));
                messages.extend(self.votes.iter().map(vote));
            }
        }
        messages.retain(|message| said & self.bit(message) != 0);
        messages
    }
}
