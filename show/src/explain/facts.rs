//! What a trace says: who proposed, who reached which quorum with whose messages, which message
//! came too late.

use crate::{
    known::Known,
    words::{self, Does},
};
use milp_schema::{
    BlockId, Height, Instance, Message, ReplicaId, Slot, View,
    instance::FaultKind,
    trace::{Phase, TraceEvent, What},
};
use std::collections::BTreeSet;

/// One thing worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A primary, honest or Byzantine, put a block forward.
    Proposed {
        /// When.
        slot: Slot,
        /// Who.
        by: ReplicaId,
        /// In which view.
        view: View,
        /// What.
        block: BlockId,
    },
    /// A replica asked to leave its view, or for recovery.
    Asked {
        /// When.
        slot: Slot,
        /// Who.
        by: ReplicaId,
        /// At which height.
        height: Height,
        /// In which view.
        view: View,
        /// Whether it asked for recovery instead.
        recovery: bool,
    },
    /// A replica acted on a quorum.
    Quorum(Quorum),
    /// A replica took over a block that another one published.
    Adopted {
        /// When.
        slot: Slot,
        /// Who.
        by: ReplicaId,
        /// Which block.
        block: BlockId,
        /// Who had published it.
        from: ReplicaId,
    },
    /// A message that could not count any more.
    Missed(Missed),
    /// A replica stopped.
    Crashed {
        /// When.
        slot: Slot,
        /// Who.
        who: ReplicaId,
    },
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tally {
    /// Requests and responses for a block, on which a replica commits.
    Prepared(BlockId),
    /// The votes that make a block final: commits, or preparations where there are no commits.
    Decided(BlockId),
    /// Requests for a view of a height, or a later one.
    Entered(Height, View),
}

/// A quorum as its replica saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// When the replica acted on it.
    pub slot: Slot,
    /// Who.
    pub at: ReplicaId,
    /// In which view, or which view it left.
    pub view: View,
    /// Of what.
    pub of: Tally,
    /// Whose messages it held by then, its own included; ascending.
    pub from: BTreeSet<ReplicaId>,
}

/// Why a message could not count any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Too {
    /// Its receiver had left the view.
    Left(Slot),
    /// Its receiver had asked to leave the view.
    Asked(Slot),
    /// Its receiver had decided another block.
    Decided(Slot),
}

impl Too {
    /// When it was that the receiver did so.
    pub fn slot(self) -> Slot {
        match self {
            Self::Left(slot) | Self::Asked(slot) | Self::Decided(slot) => slot,
        }
    }
}

/// A message that came when its receiver could not use it any more, though a copy without delay
/// would have come before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// Who got it.
    pub by: ReplicaId,
    /// Who sent it.
    pub from: ReplicaId,
    /// What it says.
    pub message: Message,
    /// When it was sent.
    pub sent: Slot,
    /// When it arrived; `None`: not in the slots of the schedule.
    pub arrived: Option<Slot>,
    /// What had happened before.
    pub too: Too,
}

/// What has to be known about an instance to read a trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) instance: &'a Instance,
    pub(super) faulty: &'a [(ReplicaId, FaultKind)],
}

impl Scene<'_> {
    pub(super) fn quorum(self) -> usize {
        self.instance.threshold() as usize
    }

    /// Whether the votes of these replicas are a quorum.
    pub(super) fn enough(self, who: &BTreeSet<ReplicaId>) -> bool {
        words::power(self.instance, who) as usize >= self.quorum()
    }

    pub(super) fn byzantine(self, who: ReplicaId) -> bool {
        self.faulty.contains(&(who, FaultKind::Byzantine))
    }

    /// Moves on, and gives the quorum or the source that the event rests on.
    fn fact(self, known: &mut Known, event: &TraceEvent) -> Option<Fact> {
        let (slot, at) = (event.slot, event.replica);
        known.begin(slot);
        // Who enters a view may forget at once who asked for it.
        let asking = event
            .place
            .map(|(height, view)| known.of(at).asking(height, view));
        known.event(event);
        match event.what {
            What::Send => self.sent(known, event),
            What::Inject => proposed(event),
            What::EnterView => {
                let (height, view) = event.place?;
                // Fewer lead nowhere: it was a timer, or votes for a block.
                let from = Some(asking?).filter(|from| self.enough(from));
                Some(Fact::Quorum(Quorum {
                    slot,
                    at,
                    view: View(view.0.saturating_sub(1)),
                    of: Tally::Entered(height, view),
                    from: from.unwrap_or_default(),
                }))
            }
            What::Decide => self.decided(known, slot, at, event.decided()?),
            What::Crash | What::Fault => Some(Fact::Crashed { slot, who: at }),
            _ => None,
        }
    }

    fn sent(self, known: &Known, event: &TraceEvent) -> Option<Fact> {
        let (slot, at) = (event.slot, event.replica);
        let message = event.message.as_ref()?;
        match (words::does(&message.kind), message.block_id()) {
            (Does::Proposes, _) => proposed(event),
            (Does::Binds, Some(block)) => {
                let votes = words::leading(self.instance.protocol)?;
                let enough = |who: &_| self.enough(who);
                let from = known.of(at).senders(votes, block, &enough).1;
                // Votes of another tally may count among them, as those of who was bound before.
                let all = || known.of(at).voting(message.view, block);
                Some(Fact::Quorum(Quorum {
                    slot,
                    at,
                    view: message.view,
                    of: Tally::Prepared(block),
                    from: if enough(&from) { from } else { all() },
                }))
            }
            (does @ (Does::Leaves | Does::Asks), _) => Some(Fact::Asked {
                slot,
                by: at,
                height: message.height,
                view: message.view,
                recovery: does == Does::Asks,
            }),
            _ => None,
        }
    }

    fn decided(self, known: &Known, slot: Slot, at: ReplicaId, block: BlockId) -> Option<Fact> {
        let replica = known.of(at);
        let enough = |who: &_| self.enough(who);
        let votes = words::decisive(self.instance.protocol);
        let from = votes.map(|votes| replica.senders(votes, block, &enough));
        if let Some((view, from)) = from.filter(|(_, from)| enough(from)) {
            return Some(Fact::Quorum(Quorum {
                slot,
                at,
                view,
                of: Tally::Decided(block),
                from,
            }));
        }
        let published = replica.publishers(block);
        let from = published.into_iter().find(|sender| *sender != at)?;
        Some(Fact::Adopted {
            slot,
            by: at,
            block,
            from,
        })
    }

    /// Why the copy of the event cannot count any more, before the event.
    fn too_late(self, known: &Known, event: &TraceEvent) -> Option<Missed> {
        let (sent, _) = event.copy?;
        let message = event.message.as_ref()?;
        let from = event.peer?;
        let does = words::does(&message.kind);
        let soonest = Slot(sent.0 + self.instance.delays().0);
        if words::votes(message.kind).is_none() || event.slot <= soonest {
            return None;
        }
        let replica = known.of(event.replica);
        if replica.down || self.byzantine(event.replica) {
            return None;
        }
        let block = message.block_id()?;
        let decided = replica.decided_at(message.height);
        // Who has this very block, or is bound to it, lacks nothing.
        if decided.is_some_and(|(other, _)| other == block)
            || replica.bound.get(&message.height) == Some(&block)
        {
            return None;
        }
        let later = replica
            .entered
            .iter()
            .filter(|((height, view), _)| *height == message.height && *view > message.view);
        let left = later.map(|(_, slot)| *slot).min();
        let asked = replica.asked.get(&(message.height, message.view)).copied();
        // A vote that binds counts as long as its receiver is in the view, and the production engine
        // answers a request even then.
        let asked = asked.filter(|_| match does {
            Does::Proposes => !words::answers_when_leaving(self.instance),
            does => does != Does::Binds,
        });
        let reasons = [
            asked.map(Too::Asked),
            left.map(Too::Left),
            decided.map(|(_, slot)| Too::Decided(slot)),
        ];
        let too = reasons.into_iter().flatten().min_by_key(|too| too.slot())?;
        // A copy without delay would have been in time.
        if soonest > too.slot() {
            return None;
        }
        Some(Missed {
            by: event.replica,
            from,
            message: message.clone(),
            sent,
            arrived: (event.phase == Phase::Schedule).then_some(event.slot),
            too,
        })
    }
}

/// The block that the event puts forward.
fn proposed(event: &TraceEvent) -> Option<Fact> {
    let message = event.message.as_ref()?;
    let proposes = words::does(&message.kind) == Does::Proposes;
    proposes.then_some(Fact::Proposed {
        slot: event.slot,
        by: event.replica,
        view: message.view,
        block: message.block_id()?,
    })
}

/// The facts of the slots of the schedule, and which messages missed them.
pub(super) fn facts(scene: Scene, trace: &[TraceEvent]) -> Vec<Fact> {
    let mut known = Known::new(scene.instance);
    let mut found = Vec::new();
    for (number, event) in trace.iter().enumerate() {
        if matches!(event.what, What::Deliver | What::Ignore) {
            // A reaction follows at once: such a message did count.
            let counted = trace.get(number + 1).is_some_and(|next| {
                next.replica == event.replica && matches!(next.what, What::Send | What::Decide)
            });
            if !counted {
                found.extend(scene.too_late(&known, event).map(Fact::Missed));
            }
        }
        let fact = scene.fact(&mut known, event);
        if event.phase == Phase::Schedule {
            found.extend(fact);
        }
    }
    dedup(found)
}

/// A Byzantine primary proposes with one copy per receiver: the first one is told.
fn dedup(facts: Vec<Fact>) -> Vec<Fact> {
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for fact in facts {
        if let Fact::Proposed {
            by, view, block, ..
        } = &fact
            && !seen.insert((*by, *view, *block))
        {
            continue;
        }
        kept.push(fact);
    }
    kept
}
