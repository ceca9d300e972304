//! Rows from outside: what happens in an execution as expressions over the columns of a built
//! program, by the schema's words, and a way to state more about them.
//!
//! What has no column is 0 here, as everywhere: it does not happen within the program.

use super::{Built, columns::Key, decode::message};
use crate::expr::Expr;
use milp_schema::{BlockId, Height, Message, ReplicaId, Slot, View, schedule::Event};
use std::collections::BTreeSet;

impl Built {
    /// The primary of a view.
    pub fn primary(&self, height: Height, view: View) -> ReplicaId {
        ReplicaId(self.timed.primary(height.0, view.0))
    }

    /// Every message that a copy delivered to the replica may carry, with its sender; ascending.
    pub fn receivable(&self, at: ReplicaId) -> BTreeSet<(ReplicaId, Message)> {
        let keys = self.timed.draft.keys().map(|(key, _)| key);
        keys.filter_map(|key| match *key {
            Key::Got(c, i, j, indices) if i == at.0 => {
                Some((ReplicaId(j), message(&self.timed, c, indices)))
            }
            _ => None,
        })
        .collect()
    }

    /// 1 iff a copy of the message from that sender was delivered to the replica by the slot.
    pub fn received(&self, at: ReplicaId, from: ReplicaId, said: &Message, by: Slot) -> Expr {
        self.copy(at, from, said, |c, (h, v, b)| {
            self.timed.got(c, at.0, from.0, h, v, b, by.0)
        })
    }

    /// 1 iff the replica took it, too: where a rule guards what is taken it may not have.
    pub fn taken(&self, at: ReplicaId, from: ReplicaId, said: &Message, by: Slot) -> Expr {
        self.copy(at, from, said, |c, (h, v, b)| {
            self.timed.took(c, at.0, from.0, h, v, b, by.0)
        })
    }

    fn copy(
        &self,
        at: ReplicaId,
        from: ReplicaId,
        said: &Message,
        becomes: impl Fn(usize, (u32, u32, u32)) -> Expr,
    ) -> Expr {
        let channels = &self.timed.protocol.channels;
        let Some(c) = channels
            .iter()
            .position(|channel| channel.kind == said.kind)
        else {
            return Expr::default();
        };
        let (h, v) = (said.height.0, said.view.0);
        if at == from || v >= self.timed.views {
            return Expr::default();
        }
        becomes(c, (h, v, said.index().unwrap_or(0)))
    }

    /// 1 iff the replica did it by the slot: broadcast a message, entered a view or a later one,
    /// decided a block.
    pub fn done(&self, by: ReplicaId, event: &Event, until: Slot) -> Expr {
        let (i, t) = (by.0, until.0);
        match event {
            Event::Send(said) => {
                let (h, v, b) = (said.height.0, said.view.0, said.index().unwrap_or(0));
                let events = self.timed.events.iter().enumerate();
                events
                    .filter(|(_, event)| event.broadcasts.as_ref() == Some(&said.kind))
                    .map(|(e, _)| self.timed.did(e, i, h, v, b, t))
                    .sum()
            }
            Event::EnterView { height, view } => self.timed.entered(i, height.0, view.0, t),
            Event::Decide(BlockId {
                height,
                view,
                index,
            }) => self.timed.decided_block(i, height.0, view.0, *index, t),
        }
    }

    /// 1 iff the replica decided the height by the slot.
    pub fn decided(&self, by: ReplicaId, height: Height, until: Slot) -> Expr {
        self.timed.decided(by.0, height.0, until.0)
    }

    /// 1 iff the replica follows no rules in the slot: it is Byzantine or has crashed.
    pub fn lawless(&self, who: ReplicaId, in_slot: Slot) -> Expr {
        self.timed.byzantine(who.0) + self.timed.crashed(who.0, in_slot.0)
    }

    /// Whether the act has a column of the replica's, so that a [`Permit`](super::Permit) for it means
    /// something.
    pub fn permits(&self, by: ReplicaId, act: &Event) -> bool {
        self.timed.place(act, by.0).is_some()
    }

    /// 1 iff by the slot the replica of the permit of that number did its act and rests on the
    /// permit; a row that bounds it says when it may.
    pub fn permitted(&self, number: u32, until: Slot) -> Expr {
        self.timed.draft.get(&Key::Permitted(number, until.0))
    }
}
