//! What every replica knows at every moment of a trace: the one reader of traces.
//!
//! [`Known`] is moved on event by event, so that whoever reads a trace asks at the moment that
//! matters to it, before an event or behind it. Votes, requests and what binds are what [`words`]
//! says of kinds.

use crate::words::{self, Does, Votes};
use milp_schema::{
    BlockId, Height, Instance, Message, Prediction, ReplicaId, Slot, View,
    trace::{Phase, TraceEvent, What},
};
use std::collections::{BTreeMap, BTreeSet};

/// What one replica has and did, and where it is.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// Height and view.
    pub place: (Height, View),
    /// Whether it is down now.
    pub down: bool,
    /// Whether it ever was.
    pub stopped: bool,
    /// The views above 0 that it entered, and when.
    pub entered: BTreeMap<(Height, View), Slot>,
    /// The views that it asked to leave, and when it did so first.
    pub asked: BTreeMap<(Height, View), Slot>,
    /// The view that it asked for last at its height.
    pub wants: Option<View>,
    /// The block of each height that its vote binds it to.
    pub bound: BTreeMap<Height, BlockId>,
    /// What it decided, and when.
    pub decided: Vec<(BlockId, Slot)>,
    /// Messages by their sender, its own included, and whether each is in doubt: an answer that it
    /// took after its own request to leave, which a rule set may ignore.
    held: BTreeMap<(ReplicaId, Message), bool>,
}

impl Knowledge {
    /// The view that it is in at a height, or was.
    pub fn view(&self, height: Height) -> View {
        let views = self.entered.keys().filter(|(at, _)| *at == height);
        views.map(|(_, view)| *view).max().unwrap_or(View(0))
    }

    /// What it decided at a height, and when.
    pub fn decided_at(&self, height: Height) -> Option<(BlockId, Slot)> {
        let decided = self.decided.iter().rev();
        decided.copied().find(|(block, _)| block.height == height)
    }

    /// The messages that it has of its height, with their senders; ascending by sender.
    pub fn held(&self) -> impl Iterator<Item = (ReplicaId, &Message)> {
        let held = self.held.keys().map(|(sender, message)| (*sender, message));
        held.filter(|(_, message)| message.height == self.place.0)
    }

    /// Whose votes for the block it has, and of which view: the latest in which they are `enough`, or
    /// else of all, said to be of the block's; those in doubt only if there are not enough without
    /// them.
    pub fn senders(
        &self,
        votes: Votes,
        block: BlockId,
        enough: &dyn Fn(&BTreeSet<ReplicaId>) -> bool,
    ) -> (View, BTreeSet<ReplicaId>) {
        let counts = |message: &Message| words::votes(message.kind) == Some(votes);
        let about = self
            .held
            .iter()
            .filter(|((_, message), _)| message.block_id() == Some(block) && counts(message));
        let who = |doubts: bool, view: Option<View>| -> BTreeSet<ReplicaId> {
            let about = about.clone().filter(|((_, message), doubt)| {
                (doubts || !**doubt) && view.is_none_or(|view| message.view == view)
            });
            about.map(|((sender, _), _)| *sender).collect()
        };
        let views = about.clone().map(|((_, message), _)| message.view);
        let views: BTreeSet<View> = views.collect();
        let found = [false, true].into_iter().find_map(|doubts| {
            let views = views.iter().rev().map(|view| (*view, Some(*view)));
            let mut each = views.chain([(block.view, None)]);
            each.find_map(|(of, view)| Some((of, who(doubts, view))).filter(|(_, it)| enough(it)))
        });
        found.unwrap_or_else(|| (block.view, who(true, None)))
    }

    /// Whose votes of that view for the block it has, of whatever tally.
    pub fn voting(&self, view: View, block: BlockId) -> BTreeSet<ReplicaId> {
        let votes = self.held.keys().filter(|(_, message)| {
            let of_it = message.view == view && message.block_id() == Some(block);
            of_it && words::votes(message.kind).is_some()
        });
        votes.map(|(sender, _)| *sender).collect()
    }

    /// Who published the block.
    pub fn publishers(&self, block: BlockId) -> BTreeSet<ReplicaId> {
        let held = self.held.keys().filter(|(_, message)| {
            message.block_id() == Some(block) && words::does(&message.kind) == Does::Publishes
        });
        held.map(|(sender, _)| *sender).collect()
    }

    /// Who asks for that view of the height or a later one.
    pub fn asking(&self, height: Height, view: View) -> BTreeSet<ReplicaId> {
        let asks = self.held.keys().filter(|(_, message)| {
            let leaves = words::does(&message.kind) == Does::Leaves;
            leaves && message.height == height && message.view.next() >= view
        });
        asks.map(|(sender, _)| *sender).collect()
    }

    /// Has a message of its height or an earlier one; what is of a later height is not for it (E4).
    fn hold(&mut self, from: ReplicaId, message: &Message, doubt: bool) {
        if message.height <= self.place.0 {
            let known = self.held.entry((from, message.clone())).or_insert(doubt);
            *known &= doubt;
        }
    }

    fn take(&mut self, from: ReplicaId, message: &Message) {
        let asked = self.asked.contains_key(&(message.height, message.view));
        let doubt = asked && words::does(&message.kind) == Does::Answers;
        self.hold(from, message, doubt);
    }

    fn send(&mut self, slot: Slot, own: ReplicaId, message: &Message) {
        self.hold(own, message, false);
        match (words::does(&message.kind), message.block_id()) {
            (Does::Binds, Some(block)) => {
                self.bound.insert(block.height, block);
            }
            (Does::Leaves, _) => {
                let place = (message.height, message.view);
                self.asked.entry(place).or_insert(slot);
                self.wants = Some(message.view.next());
            }
            _ => {}
        }
    }
}

/// What all replicas know.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    instance: &'a Instance,
    replicas: Vec<Knowledge>,
    /// What was sent in this slot and lies in the pool; empty where messages are copies.
    fresh: Vec<(Slot, ReplicaId, Message)>,
}

impl<'a> Known<'a> {
    /// Before anything happened.
    pub fn new(instance: &'a Instance) -> Self {
        let all = ReplicaId::all(instance.replicas);
        Self {
            instance,
            replicas: all.map(|_| Knowledge::default()).collect(),
            fresh: Vec::new(),
        }
    }

    /// After all of a trace.
    pub fn after(instance: &'a Instance, trace: &[TraceEvent]) -> Self {
        let mut known = Self::new(instance);
        for event in trace {
            known.event(event);
        }
        known
    }

    /// What one replica knows.
    pub fn of(&self, replica: ReplicaId) -> &Knowledge {
        &self.replicas[replica.index()]
    }

    /// Begins a slot: what lies in the pool from earlier ones is had by all (E26).
    pub fn begin(&mut self, slot: Slot) {
        let (now, before) = std::mem::take(&mut self.fresh)
            .into_iter()
            .partition(|(sent, ..)| *sent >= slot);
        self.fresh = now;
        for (_, sender, message) in &before {
            for replica in &mut self.replicas {
                replica.hold(*sender, message, false);
            }
        }
    }

    /// Moves on.
    pub fn event(&mut self, event: &TraceEvent) {
        self.begin(event.slot);
        let replica = &mut self.replicas[event.replica.index()];
        match (event.what, &event.message, event.peer) {
            (What::Deliver | What::HandOver, Some(message), Some(peer)) => {
                replica.take(peer, message);
            }
            (What::Send, Some(message), _) => replica.send(event.slot, event.replica, message),
            (What::EnterView, ..) => {
                if let Some(place) = event.place {
                    replica.entered.insert(place, event.slot);
                    if words::forgets_requests(self.instance) {
                        replica
                            .held
                            .retain(|(_, message), _| words::does(&message.kind) != Does::Leaves);
                    }
                }
            }
            (What::Decide, ..) => {
                let block = event.decided().map(|block| (block, event.slot));
                replica.decided.extend(block);
                replica.wants = None;
            }
            (What::Crash | What::Fault, ..) => (replica.down, replica.stopped) = (true, true),
            (What::Restart, ..) => replica.down = false,
            _ => {}
        }
        replica.place = leads_to(event).unwrap_or(replica.place);
        let said = event.message.as_ref().filter(|_| is_sending(event.what));
        if let Some(message) = said.filter(|_| self.instance.protocol.pools()) {
            let message = message.clone();
            self.fresh.push((event.slot, event.replica, message));
        }
    }
}

/// Whether the event makes copies.
pub fn is_sending(what: What) -> bool {
    matches!(what, What::Send | What::Recover | What::Inject)
}

/// Height and view that an event leads its replica to, if it leads anywhere.
pub fn leads_to(event: &TraceEvent) -> Option<(Height, View)> {
    match event.what {
        What::EnterView => event.place,
        What::Decide => event.decided().map(|it| (it.height.next(), View(0))),
        _ => None,
    }
}

/// What replicas did in the slots of the schedule, as predictions name it; in the order of the
/// trace.
pub fn done(trace: &[TraceEvent]) -> impl Iterator<Item = Prediction> {
    let within = trace.iter().filter(|it| it.phase == Phase::Schedule);
    within.filter_map(|seen| {
        Some(Prediction {
            slot: seen.slot,
            replica: seen.replica,
            event: seen.event()?,
        })
    })
}
