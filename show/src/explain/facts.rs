//! What a trace says: who proposed, who reached which quorum with whose messages, which message
//! came too late.

use milp_schema::{
    BlockId, Height, Instance, Kind, Message, ReplicaId, Slot, View,
    instance::FaultKind,
    trace::{Phase, TraceEvent, What},
};
use std::collections::{BTreeMap, BTreeSet};

/// One thing worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A primary, honest or Byzantine, put a block forward.
    Proposed {
        /// When.
        slot: Slot,
        /// Who.
        by: ReplicaId,
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
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) instance: Instance,
    pub(super) faulty: Vec<(ReplicaId, FaultKind)>,
    /// Messages go into one pool (E26).
    pub(super) pool: bool,
}

impl Scene {
    pub(super) fn new(instance: &Instance, faulty: &[(ReplicaId, FaultKind)]) -> Self {
        Self {
            instance: instance.clone(),
            faulty: faulty.to_vec(),
            pool: milp_schema::covers::is_formal_model(&instance.rules),
        }
    }

    pub(super) fn quorum(&self) -> usize {
        let less = u32::from(self.instance.mutant.as_deref() == Some("small-quorum"));
        (self.instance.quorum() - less) as usize
    }

    pub(super) fn byzantine(&self, who: ReplicaId) -> bool {
        self.faulty.contains(&(who, FaultKind::Byzantine))
    }

    /// The kinds whose quorum makes a block final.
    fn votes(&self) -> &'static [Kind] {
        if self.instance.protocol == "dbft1" {
            &PREPARATIONS
        } else {
            &[Kind::Commit]
        }
    }
}

const PREPARATIONS: [Kind; 2] = [Kind::PrepareRequest, Kind::PrepareResponse];

/// What one replica holds and where it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Seat {
    /// Messages by their sender, its own included.
    held: BTreeSet<(ReplicaId, Message)>,
    /// Responses handed over after its own request to leave: a rule set may ignore them.
    doubtful: BTreeSet<(ReplicaId, Message)>,
    /// The view of each height it entered, and when.
    pub(super) entered: BTreeMap<(Height, View), Slot>,
    pub(super) asked: BTreeMap<(Height, View), Slot>,
    pub(super) committed: BTreeMap<Height, BlockId>,
    pub(super) decided: BTreeMap<Height, (BlockId, Slot)>,
    pub(super) crashed: bool,
}

impl Seat {
    pub(super) fn view(&self, height: Height) -> View {
        let views = self.entered.keys().filter(|(at, _)| *at == height);
        views.map(|(_, view)| *view).max().unwrap_or(View(0))
    }

    /// Who committed to the block.
    pub(super) fn commits(&self, block: BlockId) -> BTreeSet<ReplicaId> {
        self.senders(&[Kind::Commit], block, 0)
    }

    /// Who sent one of these kinds for the block; doubtful ones only if there are too few.
    fn senders(&self, kinds: &[Kind], block: BlockId, quorum: usize) -> BTreeSet<ReplicaId> {
        let about = |(_, message): &&(ReplicaId, Message)| {
            kinds.contains(&message.kind) && message.block_id() == Some(block)
        };
        let who = |(sender, _): &(ReplicaId, Message)| *sender;
        let sure = self.held.iter().filter(about).map(who);
        let mut from = sure.collect::<BTreeSet<_>>();
        if from.len() < quorum {
            from.extend(self.doubtful.iter().filter(about).map(who));
        }
        from
    }

    /// Who asks for that view of the height or a later one.
    pub(super) fn asking(&self, height: Height, view: View) -> BTreeSet<ReplicaId> {
        let asks = |(_, message): &&(ReplicaId, Message)| {
            message.height == height && message.target.is_some_and(|target| target >= view)
        };
        let asking = self.held.iter().filter(asks);
        asking.map(|(sender, _)| *sender).collect()
    }
}

/// All replicas, moved on event by event.
pub(super) struct Stage<'a> {
    scene: &'a Scene,
    pub(super) seats: BTreeMap<ReplicaId, Seat>,
    /// What is in the pool, with its slot; empty where messages are copies.
    pool: Vec<(Slot, ReplicaId, Message)>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(scene: &'a Scene) -> Self {
        let all = (0..scene.instance.replicas).map(|i| (ReplicaId(i), Seat::default()));
        Self {
            scene,
            seats: all.collect(),
            pool: Vec::new(),
        }
    }

    fn seat(&mut self, who: ReplicaId) -> &mut Seat {
        self.seats.entry(who).or_default()
    }

    /// Moves on, and gives the quorum or the source that the event rests on.
    pub(super) fn event(&mut self, event: &TraceEvent) -> Option<Fact> {
        let (slot, at) = (event.slot, event.replica);
        match event.what {
            What::Deliver | What::HandOver => self.take(at, event.peer?, event.message.as_ref()?),
            What::Send => return self.send(slot, at, event.message.clone()?),
            What::Inject => {
                let message = event.message.clone()?;
                let proposed = (message.kind == Kind::PrepareRequest)
                    .then(|| message.block_id())
                    .flatten();
                self.pool.push((slot, at, message));
                return proposed.map(|block| Fact::Proposed {
                    slot,
                    by: at,
                    block,
                });
            }
            What::EnterView => return Some(self.enter(slot, at, event.place?)),
            What::Decide => return self.decide(slot, at, event.decided()?),
            What::Crash | What::Fault => {
                self.seat(at).crashed = true;
                return Some(Fact::Crashed { slot, who: at });
            }
            What::Restart => self.seat(at).crashed = false,
            What::HoldBack | What::Ignore | What::Recover | What::Timeout | What::Drop => {}
        }
        None
    }

    fn take(&mut self, at: ReplicaId, from: ReplicaId, message: &Message) {
        let key = (from, message.clone());
        let seat = self.seat(at);
        let asked = seat.asked.contains_key(&(message.height, message.view));
        if asked && message.kind == Kind::PrepareResponse {
            seat.doubtful.insert(key);
        } else {
            seat.held.insert(key);
        }
    }

    /// What the pool had when the slot began.
    fn look(&mut self, slot: Slot, at: ReplicaId) {
        if self.scene.pool {
            let earlier = self.pool.iter().filter(|(sent, _, _)| *sent < slot);
            let earlier = earlier.map(|(_, sender, message)| (*sender, message.clone()));
            let earlier = earlier.collect::<Vec<_>>();
            self.seat(at).held.extend(earlier);
        }
    }

    fn send(&mut self, slot: Slot, at: ReplicaId, message: Message) -> Option<Fact> {
        self.look(slot, at);
        let place = (message.height, message.view);
        let quorum = self.scene.quorum();
        let pool = self.scene.pool;
        let seat = self.seat(at);
        seat.held.insert((at, message.clone()));
        let fact = match (&message.kind, message.block_id()) {
            (Kind::PrepareRequest, Some(block)) => Some(Fact::Proposed {
                slot,
                by: at,
                block,
            }),
            (Kind::Commit, Some(block)) => {
                seat.committed.insert(block.height, block);
                Some(Fact::Quorum(Quorum {
                    slot,
                    at,
                    of: Tally::Prepared(block),
                    from: seat.senders(&PREPARATIONS, block, quorum),
                }))
            }
            (Kind::ChangeView | Kind::RecoveryRequest, _) => {
                let recovery = message.kind == Kind::RecoveryRequest;
                if !recovery {
                    seat.asked.entry(place).or_insert(slot);
                }
                Some(Fact::Asked {
                    slot,
                    by: at,
                    height: message.height,
                    view: message.view,
                    recovery,
                })
            }
            _ => None,
        };
        if pool {
            self.pool.push((slot, at, message));
        }
        fact
    }

    fn enter(&mut self, slot: Slot, at: ReplicaId, (height, view): (Height, View)) -> Fact {
        self.look(slot, at);
        let forgets = self.scene.instance.rules == "nspcc";
        let seat = self.seat(at);
        seat.entered.insert((height, view), slot);
        let from = seat.asking(height, view);
        if forgets {
            seat.held.retain(|(_, message)| message.target.is_none());
        }
        Fact::Quorum(Quorum {
            slot,
            at,
            of: Tally::Entered(height, view),
            from,
        })
    }

    fn decide(&mut self, slot: Slot, at: ReplicaId, block: BlockId) -> Option<Fact> {
        self.look(slot, at);
        let (votes, quorum) = (self.scene.votes(), self.scene.quorum());
        let seat = self.seat(at);
        seat.decided.insert(block.height, (block, slot));
        let from = seat.senders(votes, block, quorum);
        if from.len() >= quorum {
            return Some(Fact::Quorum(Quorum {
                slot,
                at,
                of: Tally::Decided(block),
                from,
            }));
        }
        let published = seat.senders(&[Kind::Block], block, 1);
        let from = published.into_iter().find(|sender| *sender != at)?;
        Some(Fact::Adopted {
            slot,
            by: at,
            block,
            from,
        })
    }

    /// Why the copy of the event cannot count any more, before the event.
    fn too_late(&self, event: &TraceEvent) -> Option<Missed> {
        let (sent, _) = event.copy?;
        let message = event.message.as_ref()?;
        let from = event.peer?;
        let counts = PREPARATIONS.contains(&message.kind) || message.kind == Kind::Commit;
        let soonest = Slot(sent.0 + self.scene.instance.delays().0);
        if !counts || event.slot <= soonest {
            return None;
        }
        let seat = self.seats.get(&event.replica)?;
        if seat.crashed || self.scene.byzantine(event.replica) {
            return None;
        }
        let block = message.block_id()?;
        let decided = seat.decided.get(&message.height);
        // Who has this very block, or is bound to it, lacks nothing.
        if decided.is_some_and(|(other, _)| *other == block)
            || seat.committed.get(&message.height) == Some(&block)
        {
            return None;
        }
        let later = seat
            .entered
            .iter()
            .filter(|((height, view), _)| *height == message.height && *view > message.view);
        let left = later.map(|(_, slot)| *slot).min();
        let asked = seat.asked.get(&(message.height, message.view)).copied();
        // A commit counts as long as its receiver is in the view, and the production engine
        // answers a request even then.
        let answers = self.scene.instance.rules == "nspcc";
        let asked = asked.filter(|_| match message.kind {
            Kind::PrepareRequest => !answers,
            _ => message.kind != Kind::Commit,
        });
        let reasons = [
            asked.map(Too::Asked),
            left.map(Too::Left),
            decided.map(|(_, slot)| Too::Decided(*slot)),
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

/// The facts of the slots of the schedule, and which messages missed them.
pub(super) fn facts(scene: &Scene, trace: &[TraceEvent]) -> Vec<Fact> {
    let mut stage = Stage::new(scene);
    let mut found = Vec::new();
    for (number, event) in trace.iter().enumerate() {
        if matches!(event.what, What::Deliver | What::Ignore) {
            // A reaction follows at once: such a message did count.
            let counted = trace.get(number + 1).is_some_and(|next| {
                next.replica == event.replica && matches!(next.what, What::Send | What::Decide)
            });
            if !counted {
                found.extend(stage.too_late(event).map(Fact::Missed));
            }
        }
        let fact = stage.event(event);
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
        if let Fact::Proposed { by, block, .. } = &fact
            && !seen.insert((*by, *block))
        {
            continue;
        }
        kept.push(fact);
    }
    kept
}
