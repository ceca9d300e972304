//! The rules as the formulation looks things up in them.

use crate::{
    error::Error,
    rule::{About, Enter, Event, Protocol, Range, Requires, Scope, Threshold, Who},
};
use milp_schema::{BlockId, Height, Instance, Kind, Message, View, instance::FaultKind};

/// Name of the formulation.
pub(super) const NAME: &str = "counting";

/// An instance of one height and the rules of its protocol. Kinds are numbers of channels.
#[derive(Debug, Clone)]
pub(super) struct Book {
    pub(super) instance: Instance,
    pub(super) protocol: Protocol,
    /// The events, in handling order.
    pub(super) events: Vec<Event>,
    /// The view change.
    pub(super) enter: Enter,
    /// The event that asks to leave a view.
    pub(super) ask: usize,
    pub(super) n: u32,
    pub(super) views: u32,
    /// B, the number of replicas that may be Byzantine.
    pub(super) byzantine: u32,
    /// Whether every view is taken to have all the blocks that any has: for what one view is like.
    pub(super) all_blocks: bool,
}

impl Book {
    /// # Errors
    /// [`Error::Dangling`] when a rule names what the protocol does not have, and a protocol without
    /// a view change as [`Error::Unsupported`].
    pub(super) fn new(instance: &Instance, protocol: &Protocol) -> Result<Self, Error> {
        let events: Vec<Event> = protocol.events().cloned().collect();
        let Some(enter) = protocol.enter().cloned() else {
            return Err(Error::Unsupported {
                formulation: NAME,
                construct: "a protocol without a view change".into(),
                hint: "use `formulation: timed`".into(),
            });
        };
        protocol.check_names()?;
        let sends = |event: &Event| event.broadcasts.as_ref() == Some(&enter.of);
        let ask = events.iter().position(sends).expect("checked just above");
        Ok(Self {
            n: instance.replicas,
            views: instance.views,
            byzantine: instance.fault_count(FaultKind::Byzantine),
            instance: instance.clone(),
            protocol: protocol.clone(),
            events,
            enter,
            ask,
            all_blocks: false,
        })
    }

    /// The same with all blocks in every view.
    pub(super) fn with_all_blocks(&self) -> Self {
        Self {
            all_blocks: true,
            ..self.clone()
        }
    }

    pub(super) fn primary(&self, v: u32) -> u32 {
        self.protocol.rotation.of(self.n, Height(0), View(v)).0
    }

    pub(super) fn count(&self, threshold: Threshold) -> u32 {
        threshold.count(self.n, self.instance.f())
    }

    /// Whether replica i may be faulty in that way.
    pub(super) fn may_be(&self, kind: FaultKind, i: u32) -> bool {
        self.instance.may_be(kind, i)
    }

    /// The blocks that may be proposed in view v; an honest primary proposes number 0.
    pub(super) fn blocks(&self, v: u32) -> std::ops::Range<u32> {
        let byzantine = self.may_be(FaultKind::Byzantine, self.primary(v));
        if byzantine || (self.all_blocks && self.byzantine > 0) {
            0..self.instance.blocks_per_proposal
        } else {
            0..1
        }
    }

    pub(super) fn view_blocks(&self) -> Vec<(u32, u32)> {
        (0..self.views)
            .flat_map(|v| self.blocks(v).map(move |b| (v, b)))
            .collect()
    }

    pub(super) fn event(&self, name: &str) -> usize {
        let named = |event: &Event| event.name == name;
        self.events.iter().position(named).expect("not dangling")
    }

    pub(super) fn channel(&self, kind: &Kind) -> usize {
        let channels = &self.protocol.channels;
        let of = |channel: &crate::rule::Channel| channel.kind == *kind;
        channels.iter().position(of).expect("not dangling")
    }

    /// The channel of what the event sends.
    pub(super) fn sends(&self, e: usize) -> Option<usize> {
        let kind = self.events[e].broadcasts.as_ref()?;
        Some(self.channel(kind))
    }

    /// The events that send on the channel.
    pub(super) fn senders(&self, c: usize) -> impl Iterator<Item = usize> {
        (0..self.events.len()).filter(move |&e| self.sends(e) == Some(c))
    }

    /// Whether replica i in view v may send on the channel, honestly or not.
    pub(super) fn may_send(&self, c: usize, i: u32, v: u32) -> bool {
        self.senders(c).any(|e| self.does(e, i == self.primary(v)))
    }

    /// Whether the event is the primary's, or a backup's.
    pub(super) fn does(&self, e: usize, primary: bool) -> bool {
        match self.events[e].who {
            Who::Primary => primary,
            Who::Backup => !primary,
            Who::Any => true,
        }
    }

    /// Whether a copy of the channel ahead of its receiver waits until the receiver gets there (E4):
    /// what is about the view that its receiver has to be in.
    pub(super) fn waits(&self, c: usize) -> bool {
        let kind = &self.protocol.channels[c].kind;
        let about_view = |event: &&Event| event.scope == Scope::View;
        self.events.iter().filter(about_view).any(|event| {
            event.requires.iter().any(|requirement| match requirement {
                Requires::Held(held) => held == kind,
                Requires::Tally { of, .. } => of.contains(kind),
                _ => false,
            })
        })
    }

    /// The kinds and the number of the event's tally.
    pub(super) fn tally(&self, e: usize) -> Option<(Vec<usize>, u32)> {
        let tally = |requirement: &Requires| match requirement {
            Requires::Tally { of, at_least } => {
                let channels = of.iter().map(|kind| self.channel(kind)).collect();
                Some((channels, self.count(*at_least)))
            }
            _ => None,
        };
        self.events[e].requires.iter().find_map(tally)
    }

    /// The message of channel c about view v and block b.
    pub(super) fn message(&self, c: usize, v: u32, b: u32) -> Message {
        let kind = self.protocol.channels[c].kind;
        let about_block = |e: usize| self.events[e].about != About::View;
        let names_block = self.senders(c).any(about_block);
        Message::new(kind, Height(0), View(v), names_block.then_some(b))
    }

    pub(super) fn block(v: u32, b: u32) -> BlockId {
        BlockId {
            height: Height(0),
            view: View(v),
            index: b,
        }
    }

    /// Whether what a replica did by the event may matter in a later view.
    pub(super) fn is_remembered(&self, e: usize) -> bool {
        let name = self.events[e].name;
        let excluded_later = |event: &Event| {
            let by = |own: &crate::rule::Excludes| own.event == name && own.range == Range::Height;
            event.excludes.iter().any(by)
        };
        self.events[e].once == Range::Height || self.events.iter().any(excluded_later)
    }
}
