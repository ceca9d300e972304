//! Drawing schedules: how a run begins, and the next act from what can be seen so far.
//!
//! Every run draws anew how likely each kind of act and each kind of message is, most of them over
//! two orders of magnitude: where everything happens all the time, nothing rare is ever reached.

use super::{
    pair::{Pair, Seat},
    script::{Act, Named},
};
use crate::{
    Signatures,
    engine::{Nanos, Recovery, Start, nspcc},
    random::Random,
};
use crate::{engine::nspcc::protocol, protocols::Name};
use milp_schema::{Height, Message, ReplicaId, View, vocabulary::By};
use std::collections::VecDeque;

/// Copies of a kind kept at most; beyond that the oldest are lost.
const MOST_COPIES: usize = 150;

/// How a run begins: 4 to 10 replicas, 1 to 3 heights, mostly few Byzantine ones.
pub(super) fn start(random: &mut Random, signatures: Signatures) -> Start {
    const BLOCK_TIMES: [Nanos; 6] = [
        1_000_000_000,
        15_000_000_000,
        3_000_000_000,
        999_999_937,
        100,
        7,
    ];
    let replicas = match random.below(10) {
        0..=5 => 4,
        6..=7 => 7,
        _ => 4 + random.below(7),
    };
    let faults = (replicas - 1) / 3;
    let count = match random.below(10) {
        0..=2 => 0,
        3..=6 => 1,
        7 => faults,
        _ => faults + 1,
    };
    // The primary of the first view, where most happens, is one of too many.
    let first = (count > faults).then_some(ReplicaId(0));
    let mut byzantine: Vec<ReplicaId> = first.into_iter().collect();
    while (byzantine.len() as u32) < count {
        let who = ReplicaId(random.below(replicas));
        if !byzantine.contains(&who) {
            byzantine.push(who);
        }
    }
    byzantine.sort_unstable();
    Start {
        protocol: nspcc::protocol(),
        replicas,
        power: vec![1; replicas as usize],
        heights: 1 + random.below(3),
        byzantine,
        block_time: BLOCK_TIMES[random.below(BLOCK_TIMES.len() as u32) as usize],
        seed: u64::from(random.below(1000)),
        signatures,
        recovery: if random.percent(60) {
            Recovery::Ideal
        } else {
            Recovery::NeoGo
        },
    }
}

/// What can be done next.
#[derive(Debug, Clone, Copy)]
enum Choice {
    Deliver,
    Repeat,
    Lose,
    Due,
    Early,
    Stale,
    Advance,
    Crash,
    Restart,
    Inject,
}

/// How likely each is in a run.
#[derive(Debug, Clone)]
struct Weights {
    choices: [(Choice, u32); 10],
    /// In the order of [`Name`].
    kinds: [u32; 7],
    /// By receiver: some hear less than others.
    receivers: Vec<u32>,
    /// Percent of deliveries that take the oldest copy.
    in_order: u32,
    /// Whether Byzantine replicas tell different replicas different things.
    two_faced: bool,
    /// By replica: which of two blocks it is told about then.
    faces: Vec<u32>,
}

impl Weights {
    fn draw(random: &mut Random, start: &Start) -> Self {
        const SCALE: [u32; 6] = [0, 1, 3, 10, 30, 100];
        let mut scaled = |from: u32, to: u32| SCALE[(from + random.below(to - from + 1)) as usize];
        let too_many = start.byzantine.len() > (start.replicas as usize - 1) / 3;
        let choices = [
            (Choice::Deliver, 300),
            (Choice::Repeat, scaled(0, 4)),
            (Choice::Lose, scaled(0, 4)),
            (Choice::Due, scaled(1, if too_many { 3 } else { 5 })),
            (Choice::Early, scaled(0, 3)),
            (Choice::Stale, scaled(0, 2)),
            (Choice::Advance, scaled(0, 3)),
            (Choice::Crash, scaled(0, 2)),
            (Choice::Restart, scaled(1, 3)),
            (Choice::Inject, scaled(if too_many { 5 } else { 2 }, 5)),
        ];
        let kinds = std::array::from_fn(|_| scaled(if too_many { 3 } else { 0 }, 5));
        let receivers = (0..start.replicas).map(|_| scaled(2, 5).min(100)).collect();
        Self {
            choices,
            kinds,
            receivers,
            in_order: [0, 20, 60, 95][random.below(4) as usize],
            faces: faces(start),
            two_faced: random.percent(if too_many { 80 } else { 20 }),
        }
    }
}

/// Every other honest replica is told about block 1.
fn faces(start: &Start) -> Vec<u32> {
    let mut honest = 0;
    let face = |who| {
        honest += u32::from(!start.byzantine.contains(&who));
        honest % 2
    };
    ReplicaId::all(start.replicas).map(face).collect()
}

/// A position by chance, as likely as its weight; `None` if there is none to have.
fn pick(random: &mut Random, weights: impl Iterator<Item = u32> + Clone) -> Option<usize> {
    let total: u32 = weights.clone().sum();
    let mut rest = (total > 0).then(|| random.below(total))?;
    weights.enumerate().find_map(|(position, weight)| {
        let hit = rest < weight;
        rest = rest.saturating_sub(weight);
        hit.then_some(position)
    })
}

/// A copy on its way: a position in the messages sent, and its receiver.
#[derive(Debug, Clone, Copy)]
struct Parcel {
    sent: usize,
    to: ReplicaId,
}

/// The adversary of one run.
pub(super) struct Adversary {
    random: Random,
    weights: Weights,
    /// By kind, in the order of [`Name`].
    copies: [VecDeque<Parcel>; 7],
    /// What was delivered lately, to be repeated.
    delivered: VecDeque<(ReplicaId, Named)>,
    /// How many messages were made into copies.
    known: usize,
    /// An act that the last one only prepared.
    next: Option<Act>,
}

impl Adversary {
    pub(super) fn new(mut random: Random, start: &Start) -> Self {
        let weights = Weights::draw(&mut random, start);
        Self {
            random,
            weights,
            copies: Default::default(),
            delivered: VecDeque::new(),
            known: 0,
            next: None,
        }
    }

    /// The next act; `None` when there is nothing left to do.
    pub(super) fn next(&mut self, pair: &Pair) -> Option<Act> {
        self.collect(pair);
        if let Some(act) = self.next.take() {
            return Some(act);
        }
        if !pair.seats.iter().any(Seat::works) && self.random.percent(30) {
            return None;
        }
        let choices = self.weights.choices;
        // What is drawn may be impossible now; what is possible comes up after a few attempts.
        (0..64).find_map(|_| {
            let weights = choices.iter().map(|(_, weight)| *weight);
            let drawn = pick(&mut self.random, weights)?;
            self.act(choices[drawn].0, pair)
        })
    }

    /// Makes copies of what was sent since.
    fn collect(&mut self, pair: &Pair) {
        for sent in self.known..pair.sent.len() {
            let Named {
                author, message, ..
            } = &pair.sent[sent].named;
            let name = Name::of(message.kind);
            let Some(copies) = name.map(|name| &mut self.copies[name as usize]) else {
                continue;
            };
            for to in ReplicaId::all(pair.start.replicas) {
                if to != *author && !pair.seats[to.index()].byzantine {
                    copies.push_back(Parcel { sent, to });
                }
            }
            let beyond = copies.len().saturating_sub(MOST_COPIES);
            copies.drain(..beyond);
        }
        self.known = pair.sent.len();
    }

    fn act(&mut self, choice: Choice, pair: &Pair) -> Option<Act> {
        match choice {
            Choice::Deliver => self.deliver(pair),
            Choice::Repeat => self.repeat(pair),
            Choice::Lose => {
                let (kind, place) = self.place()?;
                self.copies[kind].remove(place);
                None
            }
            Choice::Due => self.due(pair),
            Choice::Early => {
                let at = self.seat(pair, Seat::works)?;
                let Seat { height, view, .. } = pair.seats[at.index()];
                Some(Act::Timeout { at, height, view })
            }
            Choice::Stale => {
                let at = self.seat(pair, |seat| !seat.byzantine && seat.up)?;
                let height = Height(self.random.below(pair.start.heights));
                let view = View(self.random.below(4));
                Some(Act::Timeout { at, height, view })
            }
            Choice::Advance => Some(Act::Advance(self.some_time(pair))),
            Choice::Crash => {
                let who = self.seat(pair, |seat| !seat.byzantine && seat.up)?;
                Some(Act::Crash(who))
            }
            Choice::Restart => {
                let who = self.seat(pair, |seat| !seat.byzantine && !seat.up)?;
                Some(Act::Restart(who))
            }
            Choice::Inject => self.inject(pair),
        }
    }

    /// A copy, by kind and place, by chance as its kind has it.
    fn place(&mut self) -> Option<(usize, usize)> {
        let weights = self.weights.kinds.iter().zip(&self.copies);
        let weights = weights.map(|(weight, copies)| weight * u32::from(!copies.is_empty()));
        let kind = pick(&mut self.random, weights)?;
        let place = if self.random.percent(self.weights.in_order) {
            0
        } else {
            self.random.below(self.copies[kind].len() as u32) as usize
        };
        Some((kind, place))
    }

    fn seat(&mut self, pair: &Pair, fits: impl Fn(&Seat) -> bool) -> Option<ReplicaId> {
        let who = ReplicaId(self.random.below(pair.start.replicas));
        fits(&pair.seats[who.index()]).then_some(who)
    }

    /// Hands a copy over, if its receiver can have it and hears it.
    fn deliver(&mut self, pair: &Pair) -> Option<Act> {
        for _ in 0..16 {
            let (kind, place) = self.place()?;
            let parcel = self.copies[kind].remove(place)?;
            let Parcel { sent, to } = parcel;
            let named = &pair.sent[sent].named;
            let seat = &pair.seats[to.index()];
            let hears = self.random.percent(self.weights.receivers[to.index()])
                && (self.is_meant_for(pair, named, to) || self.random.percent(5));
            if hears && seat.up && !seat.is_behind(&named.message) {
                self.delivered.push_back((to, named.clone()));
                if self.delivered.len() > 50 {
                    self.delivered.pop_front();
                }
                let named = named.clone();
                return Some(Act::Deliver { to, named });
            }
            // Not now; something else comes first the next time.
            self.copies[kind].push_back(parcel);
        }
        None
    }

    /// Whether a two-faced author wants that receiver to hear it.
    fn is_meant_for(&self, pair: &Pair, named: &Named, to: ReplicaId) -> bool {
        let two_faced = self.weights.two_faced && pair.seats[named.author.index()].byzantine;
        named
            .message
            .index()
            .is_none_or(|block| !two_faced || block % 2 == self.weights.faces[to.index()])
    }

    fn repeat(&mut self, pair: &Pair) -> Option<Act> {
        let count = self.delivered.len() as u32;
        let place = (count > 0).then(|| self.random.below(count))?;
        let (to, named) = self.delivered[place as usize].clone();
        let seat = &pair.seats[to.index()];
        (seat.up && !seat.is_behind(&named.message)).then_some(Act::Deliver { to, named })
    }

    /// The timer that is due first fires, the clock moving there; at times too late.
    fn due(&mut self, pair: &Pair) -> Option<Act> {
        let armed = pair.seats.iter().enumerate();
        let armed =
            armed.flat_map(|(index, seat)| seat.timers.iter().map(move |timer| (timer, index)));
        let (timer, index) = armed.min_by_key(|(timer, _)| timer.deadline)?;
        let fires = Act::Timeout {
            at: ReplicaId(index as u32),
            height: timer.height,
            view: timer.view,
        };
        let mut wait = timer.deadline.saturating_sub(pair.now);
        if self.random.percent(20) {
            wait += self.some_time(pair);
        }
        // The engine's clock ends some day, and its durations overflow before.
        if wait > pair.start.block_time << 12 {
            return Some(fires);
        }
        self.next = Some(fires);
        Some(Act::Advance(wait))
    }

    /// Nanoseconds, fractions and multiples of the block time.
    fn some_time(&mut self, pair: &Pair) -> Nanos {
        let block_time = pair.start.block_time;
        let part = u64::from(1 + self.random.below(8));
        match self.random.below(4) {
            0 => part,
            1 => block_time / part,
            2 => block_time / 100 * part,
            _ => block_time * part / 2,
        }
    }

    /// A Byzantine replica says something about where one of the others is.
    fn inject(&mut self, pair: &Pair) -> Option<Act> {
        let by = self.seat(pair, |seat| seat.byzantine)?;
        let near = self.seat(pair, Seat::works)?;
        let Seat { height, view, .. } = pair.seats[near.index()];
        let face = self.weights.faces[near.index()];
        let message = if self.weights.two_faced && self.random.percent(80) {
            // What serves the block that this one is told about, step by step.
            let labels = [Name::PrepareRequest, Name::PrepareResponse, Name::Commit]
                .map(|kind| label(kind, height, view, Some(face)));
            let is_primary = by == primary(pair, height, view);
            let labels = labels
                .into_iter()
                .filter(|message| match message.kind.does().by {
                    By::Primary => is_primary,
                    By::Backup => !is_primary,
                    By::Any => true,
                });
            let mut missing = labels.filter(|message| !pair.knows(by, message));
            missing.next()?
        } else {
            self.any_label(pair, by, height, view)
        };
        Some(Act::Inject { by, message })
    }

    /// Anything, mostly about that view.
    fn any_label(&mut self, pair: &Pair, by: ReplicaId, height: Height, view: View) -> Message {
        let height = match self.random.below(10) {
            0 if height.0 + 1 < pair.start.heights => height.next(),
            _ => height,
        };
        let view = match self.random.below(10) {
            0..=6 => view,
            7..=8 => view.next(),
            _ => View(view.0.saturating_sub(1)),
        };
        let block = match self.random.below(10) {
            0..=5 => 0,
            6..=8 => 1,
            _ => 2,
        };
        match self.random.below(10) {
            0..=3 if by == primary(pair, height, view) => {
                label(Name::PrepareRequest, height, view, Some(block))
            }
            0..=3 => label(Name::PrepareResponse, height, view, Some(block)),
            4..=6 => label(Name::Commit, height, view, Some(block)),
            distance => {
                let view = View(view.0 + u32::from(distance == 9));
                label(Name::ChangeView, height, view, None)
            }
        }
    }
}

fn label(name: Name, height: Height, view: View, block: Option<u32>) -> Message {
    Message::new(name.kind(protocol()), height, view, block)
}

/// The primary by the rotation of protocol `dbft2-nspcc`. An engine with another one refuses more
/// injections, and less is tried.
fn primary(pair: &Pair, height: Height, view: View) -> ReplicaId {
    let n = pair.start.replicas;
    ReplicaId((height.0 % n + n - view.0 % n) % n)
}
