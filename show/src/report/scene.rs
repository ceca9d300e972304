//! What a picture of a run shows: marks on the replicas' lanes, arrows between them, bands.

use super::{
    repeat::{self, ForEver},
    run::Run,
    words,
};
use crate::{
    acts::Deed,
    known::{self, Known, is_sending},
    words::{Does, does},
};
use milp_schema::{
    BlockId, Height, Kind, Message, ReplicaId, Slot, View,
    schedule::Copy,
    trace::{Phase, TraceEvent, What},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many marks one picture has at most. More of them make browsers slow, and nobody reads them.
pub const MARKS: usize = 3000;

/// Which part of a run is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The first slot.
    pub from: u32,
    /// The last slot; nothing for the last that fits.
    pub to: Option<u32>,
    /// Whether the heal phase is drawn.
    pub heal: bool,
}

impl Part {
    /// The slots of the instance, as many as fit.
    pub const SCHEDULE: Self = Self {
        from: 0,
        to: None,
        heal: false,
    };
}

/// Something that happened at a replica in a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// What; of several copies of one message that a Byzantine replica makes, the first.
    pub event: TraceEvent,
    /// Height and view of the message or, without one, of the replica.
    pub place: (Height, View),
    /// The mark of the sending, for the arrival of a copy.
    pub cause: Option<usize>,
    /// Whether another message of the same kind, height and view by this replica names another
    /// block.
    pub equivocates: bool,
    /// Whether another honest replica decides another block of the height.
    pub forks: bool,
    /// Whether the other run has no such event.
    pub differs: bool,
}

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrived.
    Arrives {
        /// The mark of its arrival.
        mark: usize,
        /// How much later than the smallest delay.
        late: u32,
    },
    /// It was dropped.
    Lost {
        /// When.
        slot: u32,
    },
    /// It does not arrive in the slots drawn.
    Open {
        /// Whether it could have.
        withheld: bool,
        /// When it arrives after them.
        later: Option<u32>,
    },
}

/// A copy on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrow {
    /// The mark of the sending.
    pub from: usize,
    /// Who it is for.
    pub to: ReplicaId,
    /// What became of it.
    pub fate: Fate,
    /// Whether the adversary did something to it.
    pub acted: bool,
}

/// A stretch of a lane with one height and view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// Whose lane.
    pub replica: ReplicaId,
    /// The mark it begins at; nothing for the left edge.
    pub begin: Option<usize>,
    /// The mark it ends at; nothing for the right edge.
    pub end: Option<usize>,
    /// Height and view; nothing when the last height was decided.
    pub place: Option<(Height, View)>,
}

/// Everything drawn of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// The marks, in the order of the trace.
    pub marks: Vec<Mark>,
    /// The copies.
    pub arrows: Vec<Arrow>,
    /// The bands.
    pub bands: Vec<Band>,
    /// First and last slot drawn.
    pub slots: (u32, u32),
    /// What is not drawn, in sentences; empty when everything is.
    pub left_out: Vec<String>,
    /// How the run goes on for ever, where it is stuck.
    pub for_ever: Option<ForEver>,
    /// What the adversary does, in the slots that are not drawn, too.
    pub acts: Vec<Deed>,
}

impl Scene {
    /// The kinds of messages that occur, in the order of their file.
    pub(crate) fn kinds(&self) -> BTreeSet<Kind> {
        let messages = self.marks.iter().filter_map(|it| it.event.message.as_ref());
        messages.map(|message| message.kind).collect()
    }

    /// Whether the attack needs a copy: the adversary delays, loses or makes it, or its sender
    /// contradicts itself with it.
    pub(crate) fn is_attack(&self, run: &Run, arrow: &Arrow) -> bool {
        let mark = &self.marks[arrow.from];
        arrow.acted || mark.equivocates || run.is_byzantine(mark.event.replica)
    }
}

/// A copy: who sent what when to whom, and which of equal ones it is.
type Key<'a> = (ReplicaId, ReplicaId, &'a Message, Slot, u32);

/// A copy as an act is on it: equal ones are not told apart.
fn on(copy: &Copy) -> (ReplicaId, ReplicaId, Slot, &Message) {
    (copy.sender, copy.receiver, copy.sent, &copy.message)
}

impl Scene {
    /// What is drawn of a run.
    pub fn new(run: &Run, part: Part) -> Self {
        let slots = fitting(run, part);
        let drawn = |event: &TraceEvent| {
            (slots.0..=slots.1).contains(&event.slot.0)
                && (part.heal || event.phase == Phase::Schedule)
        };
        let places = places(run);
        let mut scene = Self {
            marks: Vec::new(),
            arrows: Vec::new(),
            bands: Vec::new(),
            slots,
            left_out: words::left_out(run, part, slots),
            for_ever: repeat::of(run),
            acts: run.acts(),
        };
        let mut mark_of = Vec::new();
        let mut made: BTreeMap<(Slot, ReplicaId, Option<&Message>), usize> = BTreeMap::new();
        for (event, place) in run.trace.iter().zip(&places) {
            let merge = (event.what == What::Inject).then_some((
                event.slot,
                event.replica,
                event.message.as_ref(),
            ));
            let known = merge.as_ref().and_then(|key| made.get(key)).copied();
            mark_of.push(known.or_else(|| drawn(event).then(|| scene.add(event, *place))));
            if let (Some(key), Some(Some(mark))) = (merge, mark_of.last()) {
                made.insert(key, *mark);
            }
        }
        scene.connect(run, &mark_of);
        scene.find_equivocation();
        scene.find_forks(run);
        scene.lay_bands(run);
        scene
    }

    fn add(&mut self, event: &TraceEvent, place: (Height, View)) -> usize {
        self.marks.push(Mark {
            event: event.clone(),
            place,
            cause: None,
            equivocates: false,
            forks: false,
            differs: false,
        });
        self.marks.len() - 1
    }

    /// Makes an arrow for every copy whose sending is drawn.
    fn connect(&mut self, run: &Run, mark_of: &[Option<usize>]) {
        let sent = sent(run);
        let mut ends: BTreeMap<Key, (What, usize)> = BTreeMap::new();
        for (at, event) in run.trace.iter().enumerate() {
            let arrived = matches!(
                event.what,
                What::Deliver | What::HoldBack | What::Ignore | What::Drop
            );
            if let (true, Some(peer), Some((slot, copy)), Some(message)) =
                (arrived, event.peer, event.copy, &event.message)
            {
                let key = (peer, event.replica, message, slot, copy);
                ends.entry(key).or_insert((event.what, at));
            }
        }
        let (delay_min, _) = run.instance.delays();
        let known = Known::after(&run.instance, &run.trace);
        let acts = self.acts.iter();
        let acted = acts.filter_map(|deed| match deed {
            Deed::Late(copy, _) | Deed::Made(copy, _) => Some(on(copy)),
            _ => None,
        });
        let acted = acted.collect::<BTreeSet<_>>();
        for (key, at) in sent {
            let (sender, to, message, slot, _) = key;
            let Some(from) = mark_of[at] else { continue };
            let end = ends
                .get(&key)
                .map(|&(what, at)| (what, at, run.trace[at].slot.0));
            let fate = match end {
                Some((What::Drop, _, slot)) => Fate::Lost { slot },
                Some((_, at, arrival)) if mark_of[at].is_some() => Fate::Arrives {
                    mark: mark_of[at].unwrap_or_default(),
                    late: (arrival - slot.0).saturating_sub(delay_min),
                },
                other => Fate::Open {
                    withheld: slot.0 + delay_min <= self.slots.1
                        && !run.is_byzantine(to)
                        && !known.of(to).stopped
                        && does(&message.kind) != Does::Repeats,
                    later: other.map(|(_, _, arrival)| arrival),
                },
            };
            if let Fate::Arrives { mark, .. } = fate {
                self.marks[mark].cause = Some(from);
            }
            debug_assert_ne!(sender, to);
            let acted = acted.contains(&(sender, to, slot, message));
            self.arrows.push(Arrow {
                from,
                to,
                fate,
                acted,
            });
        }
    }

    /// Marks the messages of which their sender also sent a version for another block.
    fn find_equivocation(&mut self) {
        let said = |mark: &Mark| {
            let message = mark.event.message.as_ref();
            let message = message.filter(|_| is_sending(mark.event.what))?;
            let vote = (message.kind, message.height, message.view);
            Some(((mark.event.replica, vote), message.block_id()?))
        };
        let mut blocks: BTreeMap<_, BTreeSet<BlockId>> = BTreeMap::new();
        for (vote, block) in self.marks.iter().filter_map(said) {
            blocks.entry(vote).or_default().insert(block);
        }
        for mark in &mut self.marks {
            mark.equivocates = said(mark).is_some_and(|(vote, _)| blocks[&vote].len() > 1);
        }
    }

    /// Marks the decisions that contradict another one, of the heal phase included.
    fn find_forks(&mut self, run: &Run) {
        let decided = run.trace.iter().filter_map(TraceEvent::decided);
        let decided = decided.collect::<BTreeSet<_>>();
        for mark in &mut self.marks {
            mark.forks = mark.event.decided().is_some_and(|block| {
                let other = |it: &BlockId| it.height == block.height && *it != block;
                decided.iter().any(other)
            });
        }
    }

    fn lay_bands(&mut self, run: &Run) {
        for replica in ReplicaId::all(run.instance.replicas) {
            if run.is_byzantine(replica) {
                // It is in no view.
                continue;
            }
            let mut open = Band {
                replica,
                begin: None,
                end: None,
                place: Some((Height(0), View(0))),
            };
            for (at, mark) in self.marks.iter().enumerate() {
                let event = &mark.event;
                let next = known::leads_to(event);
                if let Some(next) = next.filter(|_| event.replica == replica) {
                    let left = next.0.0 < run.instance.heights;
                    let following = Band {
                        begin: Some(at),
                        place: left.then_some(next),
                        ..open.clone()
                    };
                    open.end = Some(at);
                    self.bands.push(std::mem::replace(&mut open, following));
                }
            }
            self.bands.push(open);
        }
    }
}

/// Every copy sent, with the place of its sending in the trace. Copies in a pool are none.
fn sent(run: &Run) -> BTreeMap<Key<'_>, usize> {
    let mut sent = BTreeMap::new();
    if run.instance.protocol.pools() {
        return sent;
    }
    for (at, event) in run.trace.iter().enumerate() {
        let Some(message) = &event.message else {
            continue;
        };
        match (event.what, event.peer, event.copy) {
            (What::Inject, Some(to), Some((slot, copy))) => {
                sent.insert((event.replica, to, message, slot, copy), at);
            }
            (What::Send | What::Recover, _, _) => {
                let others = ReplicaId::all(run.instance.replicas);
                for to in others.filter(|to| *to != event.replica) {
                    let key = |copy| (event.replica, to, message, event.slot, copy);
                    let mut copy = 0;
                    while sent.contains_key(&key(copy)) {
                        copy += 1;
                    }
                    sent.insert(key(copy), at);
                }
            }
            _ => {}
        }
    }
    sent
}

/// Height and view of each event: those of its message, or those its replica is in.
fn places(run: &Run) -> Vec<(Height, View)> {
    let mut known = Known::new(&run.instance);
    let place = |event: &TraceEvent| {
        known.event(event);
        let of_message = event.message.as_ref().map(|it| (it.height, it.view));
        let of_event = of_message.or(event.place);
        of_event.unwrap_or(known.of(event.replica).place)
    };
    run.trace.iter().map(place).collect()
}

/// The slots that are drawn: whole ones, as many as have few enough marks.
fn fitting(run: &Run, part: Part) -> (u32, u32) {
    let mut last = run.instance.slots;
    if part.heal {
        last = run
            .trace
            .iter()
            .map(|event| event.slot.0)
            .fold(last, u32::max);
    }
    let last = part.to.map_or(last, |to| to.min(last));
    let from = part.from.min(last);
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for event in &run.trace {
        if part.heal || event.phase == Phase::Schedule {
            *counts.entry(event.slot.0).or_default() += 1;
        }
    }
    let mut marks = 0;
    for (&slot, here) in counts.range(from..=last) {
        marks += here;
        // One slot is drawn however large it is: a picture of nothing helps nobody.
        if marks > MARKS && slot > from {
            return (from, slot - 1);
        }
    }
    (from, last)
}
