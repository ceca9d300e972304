//! What the exporters tell: who did what when, and the way of every copy.

use super::Carried;
use milp_schema::{
    BlockId, Choice, Height, Instance, Message, ReplicaId, Slot, View,
    instance::FaultKind,
    schedule::{Copy, End, Event},
};
use std::collections::{BTreeMap, BTreeSet};

/// A copy and how its way ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Trip {
    /// The copy.
    pub(super) copy: Copy,
    /// How its way ends.
    pub(super) end: End,
}

/// What a replica does or what happens to it, in the order of handling within a slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    /// It stops.
    Crash,
    /// It returns.
    Restart,
    /// It receives a copy: the number of the trip.
    Receive(usize),
    /// Its timer fires.
    Timeout(Height, View),
    /// It enters a view above 0.
    Enter(Height, View),
    /// It broadcasts.
    Send(Message),
    /// It decides.
    Decide(BlockId),
    /// It is Byzantine and makes a copy for one receiver: the number of the trip.
    Inject(usize),
}

/// A schedule as it is told.
#[derive(Debug)]
pub(super) struct Story<'a> {
    /// What it is for.
    pub(super) instance: &'a Instance,
    /// Who is faulty, and how.
    pub(super) faulty: BTreeMap<ReplicaId, FaultKind>,
    /// Every copy, ascending.
    pub(super) trips: Vec<Trip>,
    /// Every act, ascending by slot, replica and order of handling.
    pub(super) acts: Vec<(Slot, ReplicaId, Act)>,
    /// Whether there are no copies, but one pool that all see from the next slot on.
    pub(super) pool: bool,
}

impl<'a> Story<'a> {
    pub(super) fn of(carried: &'a Carried) -> Self {
        let instance = &carried.instance;
        let pool = instance.protocol.pools();
        let (trips, made) = trips(carried, pool);
        let mut acts = Vec::new();
        let mut sent = BTreeSet::new();
        for (number, trip) in trips.iter().enumerate() {
            let copy = &trip.copy;
            if let End::Arrives(slot) = trip.end {
                acts.push((slot, copy.receiver, Act::Receive(number)));
            }
            if made.contains(copy) {
                acts.push((copy.sent, copy.sender, Act::Inject(number)));
            } else {
                sent.insert((copy.sent, copy.sender, copy.message.clone()));
            }
        }
        for prediction in &carried.schedule.predictions {
            let (slot, replica) = (prediction.slot, prediction.replica);
            match &prediction.event {
                Event::Send(message) => {
                    sent.insert((slot, replica, message.clone()));
                }
                Event::EnterView { height, view } => {
                    acts.push((slot, replica, Act::Enter(*height, *view)));
                }
                Event::Decide(block) => acts.push((slot, replica, Act::Decide(*block))),
            }
        }
        for choice in &carried.schedule.choices {
            let act = match choice {
                Choice::Crash { .. } => Act::Crash,
                Choice::Restart { .. } => Act::Restart,
                Choice::Timeout { height, view, .. } => Act::Timeout(*height, *view),
                Choice::Deliver { .. } | Choice::Drop { .. } | Choice::Inject { .. } => continue,
            };
            acts.push((choice.slot(), choice.replica(), act));
        }
        let sends = sent.into_iter();
        acts.extend(sends.map(|(slot, replica, message)| (slot, replica, Act::Send(message))));
        acts.sort();
        Self {
            instance,
            faulty: carried.faulty.iter().copied().collect(),
            trips,
            acts,
            pool,
        }
    }

    /// The replicas, ascending.
    pub(super) fn replicas(&self) -> impl DoubleEndedIterator<Item = ReplicaId> + Clone {
        ReplicaId::all(self.instance.replicas)
    }

    /// Whether a copy is late: it took longer than the shortest delay.
    pub(super) fn is_late(&self, trip: &Trip) -> bool {
        let (shortest, _) = self.instance.delays();
        match trip.end {
            End::Arrives(slot) => slot.0 > trip.copy.sent.0 + shortest,
            End::Lost(_) | End::Open => false,
        }
    }

    /// The replica with its fault, say `replica 3 (Byzantine)`.
    pub(super) fn name(&self, replica: ReplicaId) -> String {
        match self.faulty.get(&replica) {
            None => format!("replica {replica}"),
            Some(FaultKind::Network) => format!("replica {replica} (network-faulty)"),
            Some(FaultKind::Crash) => format!("replica {replica} (may crash)"),
            Some(FaultKind::Byzantine) => format!("replica {replica} (Byzantine)"),
        }
    }

    /// The act in words, without who and when.
    pub(super) fn words(&self, act: &Act) -> String {
        match act {
            Act::Crash => "crashes".to_owned(),
            Act::Restart => "restarts".to_owned(),
            Act::Receive(number) => {
                let copy = &self.trips[*number].copy;
                let late = if self.is_late(&self.trips[*number]) {
                    ", late"
                } else {
                    ""
                };
                let Copy {
                    sender,
                    message,
                    sent,
                    ..
                } = copy;
                format!("receives {message} from replica {sender}, sent in slot {sent}{late}")
            }
            Act::Timeout(height, view) => format!("timeout h{height} v{view}"),
            Act::Enter(height, view) => format!("enters h{height} v{view}"),
            Act::Send(message) => format!("sends {message}"),
            Act::Decide(block) => format!("decides {block}"),
            Act::Inject(number) => {
                let copy = &self.trips[*number].copy;
                format!("makes {} for replica {}", copy.message, copy.receiver)
            }
        }
    }

    /// One line about the whole.
    pub(super) fn title(&self) -> String {
        let Instance {
            protocol, replicas, ..
        } = self.instance;
        let mutant = self.instance.mutant.as_deref();
        let mutant = mutant.map_or_else(String::new, |name| format!(", mutant {name}"));
        let goal = self.instance.goal.name();
        format!("{protocol}{mutant}, {replicas} replicas, goal {goal}")
    }
}

/// What is not known where there are no predictions.
pub(super) fn without_predictions(carried: &Carried) -> Vec<String> {
    if carried.predicted {
        return Vec::new();
    }
    vec![
        "there is no predictions.csv: views entered, decisions and what was sent and never \
         delivered are not known"
            .to_owned(),
    ]
}

/// Every copy with the end of its way, and those that Byzantine replicas made.
fn trips(carried: &Carried, pool: bool) -> (Vec<Trip>, BTreeSet<Copy>) {
    let mut ends = BTreeMap::new();
    let mut made = BTreeSet::new();
    for choice in &carried.schedule.choices {
        match choice {
            Choice::Deliver { slot, copy } => {
                ends.insert(copy.clone(), End::Arrives(*slot));
            }
            Choice::Drop { slot, copy } => {
                ends.insert(copy.clone(), End::Lost(*slot));
            }
            Choice::Inject { copy } => {
                ends.entry(copy.clone()).or_insert(End::Open);
                made.insert(copy.clone());
            }
            _ => {}
        }
    }
    if !pool {
        for copy in carried.schedule.copies(carried.instance.replicas) {
            ends.entry(copy).or_insert(End::Open);
        }
    }
    let trips = ends.into_iter().map(|(copy, end)| Trip { copy, end });
    (trips.collect(), made)
}
