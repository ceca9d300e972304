//! Drawing schedules: how a run begins, and the next act. How likely what is differs from run to run:
//! where everything happens all the time, nothing rare is ever reached.

use super::{Act, Pair, Seat, Setting};
use milp_replay::random::Random;
use milp_schema::{Instance, Message, Protocol, ReplicaId, Value, View, vocabulary::Role};
use std::collections::BTreeSet;

/// 4 to 7 replicas, powers, 1 to 3 heights, mostly no more Byzantine power than f.
pub(super) fn setting(random: &mut Random, protocol: Protocol) -> Setting {
    let replicas = 4 + random.below(4);
    let mut instance = Instance {
        protocol,
        ..Instance::builder("tendermint")
            .replicas(replicas)
            .heights(1 + random.below(3))
            .build()
    };
    if random.percent(35) {
        let power = (0..replicas).map(|_| 1 + random.below(3)).collect();
        instance.power = Some(power);
    }
    let beyond = random.percent(15);
    let mut left = instance.f() + u32::from(beyond);
    let mut byzantine = BTreeSet::new();
    for _ in 0..replicas {
        let who = ReplicaId(random.below(replicas));
        let power = instance.power_of(who);
        if power <= left && byzantine.insert(who) {
            left -= power;
        }
    }
    Setting {
        instance,
        byzantine: byzantine.into_iter().collect(),
        knows: true,
    }
}

/// A copy on its way.
struct Parcel {
    to: ReplicaId,
    by: ReplicaId,
    message: Message,
}

/// The adversary of one run.
pub(super) struct Adversary {
    random: Random,
    twice: bool,
    copies: Vec<Parcel>,
    known: usize,
    delivered: Vec<(ReplicaId, ReplicaId, Message)>,
    /// What Byzantine replicas told whom, without its value.
    told: BTreeSet<(ReplicaId, ReplicaId, Message)>,
    /// Deliver, repeat, lose, fire, advance, crash, inject.
    weights: [u32; 7],
    /// Percent of deliveries that take the oldest copy.
    in_order: u32,
    /// Percent of copies that a receiver gets.
    hears: Vec<u32>,
}

impl Adversary {
    pub(super) fn new(mut random: Random, setting: &Setting, twice: bool) -> Self {
        const SCALE: [u32; 5] = [0, 3, 10, 30, 80];
        let byzantine = !setting.byzantine.is_empty();
        let mut of = |from: u32| SCALE[(from + random.below(5 - from)) as usize];
        let weights = [
            200,
            of(0) / 3,
            of(0) / 8,
            of(1),
            3,
            of(0) / 10,
            of(2) * u32::from(byzantine),
        ];
        let hears = (0..setting.instance.replicas)
            .map(|_| 100 - of(0) / 2)
            .collect();
        Self {
            in_order: of(0),
            random,
            twice,
            copies: Vec::new(),
            known: 0,
            delivered: Vec::new(),
            told: BTreeSet::new(),
            weights,
            hears,
        }
    }

    /// The next act; none when nobody works.
    pub(super) fn next(&mut self, pair: &Pair) -> Option<Act> {
        for (by, message) in &pair.said[self.known..] {
            for to in ReplicaId::all(pair.setting.instance.replicas) {
                if to != *by && !pair.seats[to.index()].byzantine {
                    let (by, message) = (*by, message.clone());
                    self.copies.push(Parcel { to, by, message });
                }
            }
        }
        self.known = pair.said.len();
        let works = |seat: &Seat| !seat.byzantine && !seat.stopped;
        if !pair.seats.iter().any(works) {
            return None;
        }
        (0..40).find_map(|_| {
            let total: u32 = self.weights.iter().sum();
            let mut rest = self.random.below(total);
            let drawn = self.weights.iter().position(|weight| {
                let hit = rest < *weight;
                rest = rest.saturating_sub(*weight);
                hit
            })?;
            self.act(drawn, pair)
        })
    }

    fn act(&mut self, drawn: usize, pair: &Pair) -> Option<Act> {
        let who = ReplicaId(self.random.below(pair.setting.instance.replicas));
        let seat = &pair.seats[who.index()];
        match drawn {
            // Where nothing arrives, time passes.
            0 => self
                .deliver(pair)
                .or_else(|| self.fire(pair, who).filter(|_| self.copies.len() < 8)),
            1 => {
                let count = self.delivered.len() as u32;
                let place = (count > 0).then(|| self.random.below(count))?;
                let (to, by, message) = self.delivered[place as usize].clone();
                Some(Act::Deliver(to, by, message))
            }
            2 => {
                let place = self.place()?;
                self.copies.remove(place);
                None
            }
            3 => self.fire(pair, who),
            4 => Some(Act::Advance(
                pair.now + u64::from(1 + self.random.below(700)),
            )),
            5 if seat.byzantine => None,
            5 if seat.up => self.random.percent(20).then_some(Act::Crash(who)),
            5 => Some(Act::Restart(who)),
            _ => self.inject(pair),
        }
    }

    fn fire(&mut self, pair: &Pair, who: ReplicaId) -> Option<Act> {
        let seat = &pair.seats[who.index()];
        let timers: Vec<&'static str> = seat.timers.iter().copied().collect();
        let place = (!timers.is_empty()).then(|| self.random.below(timers.len() as u32))?;
        (seat.up && !seat.stopped).then_some(Act::Fire(who, timers[place as usize]))
    }

    fn place(&mut self) -> Option<usize> {
        let count = self.copies.len() as u32;
        let drawn = (count > 0).then(|| self.random.below(count))?;
        let first = self.random.percent(self.in_order);
        Some(if first { 0 } else { drawn as usize })
    }

    fn deliver(&mut self, pair: &Pair) -> Option<Act> {
        let place = self.place()?;
        let Parcel { to, by, message } = self.copies.remove(place);
        let seat = &pair.seats[to.index()];
        if message.height > seat.height || !seat.up {
            // Held back by the network.
            self.copies.push(Parcel { to, by, message });
            return None;
        }
        if !self.random.percent(self.hears[to.index()]) || seat.stopped {
            return None;
        }
        if self.delivered.len() > 40 {
            self.delivered.remove(0);
        }
        self.delivered.push((to, by, message.clone()));
        Some(Act::Deliver(to, by, message))
    }

    /// A Byzantine replica says something to one of the others, about where that one is.
    fn inject(&mut self, pair: &Pair) -> Option<Act> {
        let all = &pair.setting.byzantine;
        let by = all[self.random.below(all.len() as u32) as usize];
        let to = ReplicaId(self.random.below(pair.setting.instance.replicas));
        let seat = &pair.seats[to.index()];
        if seat.byzantine || seat.stopped || !seat.up {
            return None;
        }
        let ahead = match self.random.below(12) {
            0..=6 => 0,
            7..=9 => 1,
            _ => 2,
        };
        let behind = u32::from(self.random.percent(15));
        let view = View((seat.view.0 + ahead).saturating_sub(behind));
        let protocol = pair.setting.instance.protocol;
        let kinds: Vec<_> = protocol.kinds().collect();
        let kind = kinds[self.random.below(kinds.len() as u32) as usize];
        let proposes = kind.is(Role::Proposal);
        if proposes && pair.setting.instance.primary(seat.height, view) != by {
            return None;
        }
        let value = self.value(pair, seat, view, proposes);
        let earlier = (proposes && view.0 > 0 && self.random.percent(50))
            .then(|| View(self.random.below(view.0)));
        let message = Message {
            kind,
            height: seat.height,
            view,
            value: Some(value),
            justification: earlier,
        };
        let without = Message {
            value: None,
            justification: None,
            ..message.clone()
        };
        let first = self.told.insert((by, to, without));
        // The same again is a duplicate, and legal.
        (first || self.twice).then_some(Act::Deliver(to, by, message))
    }

    /// A value that somebody spoke of at that height, a new one, none or an invalid one.
    fn value(&mut self, pair: &Pair, seat: &Seat, view: View, proposes: bool) -> Value {
        let new = Value::Block {
            view,
            index: self.random.below(2),
        };
        let spoken = pair.said.iter().rev().take(12);
        let spoken = spoken.filter(|(_, it)| it.height == seat.height);
        let spoken = spoken.filter_map(|(_, it)| it.value);
        let spoken: BTreeSet<Value> = spoken.filter(|it| *it != Value::Nil).collect();
        let spoken: Vec<Value> = spoken.into_iter().collect();
        match self.random.below(20) {
            0..=10 if !spoken.is_empty() => spoken[self.random.below(spoken.len() as u32) as usize],
            11..=12 => Value::Bad,
            13..=16 if !proposes => Value::Nil,
            _ => new,
        }
    }
}
