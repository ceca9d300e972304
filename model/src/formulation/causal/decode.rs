//! From a point of the program to a schedule: every act gets the first slot in which all it needs
//! can have arrived, and what it needs arrives in that slot.

mod guarded;
mod needs;

use super::columns::{Act, Causal, FAULTS};
use crate::{
    decoded::Decoded,
    error::Error,
    expr::Expr,
    rule::{About, Modality},
};
use milp_schema::{
    BlockId, Choice, Height, Message, Prediction, ReplicaId, Schedule, Slot, View,
    instance::FaultKind,
    schedule::{Copy, Event as Seen},
};
use std::collections::{BTreeMap, BTreeSet};

/// A message: channel, sender, view, block.
pub(super) type Said = (usize, u32, u32, u32);

/// Where a row stands inside its slot: phase, replica, a finer order, kind, view, sender.
type Order = (u32, u32, u32, u32, u32, u32, u32);

/// What is known of a point while its schedule is made.
pub(super) struct Reading<'a> {
    pub(super) causal: &'a Causal,
    point: &'a [i64],
    /// The slots of the acts so far.
    slots: BTreeMap<Act, u32>,
    /// What every replica has, and what is on its way to it, by receiver.
    got: BTreeSet<(u32, Said)>,
    rows: Vec<(Order, Choice)>,
    predictions: Vec<Prediction>,
}

/// The schedule of a point.
pub(super) fn decode(causal: &Causal, point: &[i64]) -> Result<Decoded, Error> {
    let mut reading = Reading {
        causal,
        point,
        slots: BTreeMap::new(),
        got: BTreeSet::new(),
        rows: vec![],
        predictions: vec![],
    };
    for act in reading.acts()? {
        reading.place(act)?;
    }
    let slots = reading.finish();
    reading.rows.sort_by_key(|(order, _)| *order);
    reading.predictions.sort();
    let faulty = reading.faulty();
    let choices = reading.rows.into_iter().map(|(_, choice)| choice).collect();
    Ok(Decoded {
        schedule: Schedule {
            choices,
            predictions: reading.predictions,
        },
        faulty,
        slots,
    })
}

impl Reading<'_> {
    pub(super) fn value(&self, expr: &Expr) -> i64 {
        let term = |(col, k): (crate::program::Col, i64)| k * self.point[col.index()];
        expr.constant() + expr.terms().map(term).sum::<i64>()
    }

    pub(super) fn is(&self, expr: &Expr) -> bool {
        self.value(expr) >= 1
    }

    pub(super) fn byzantine(&self, i: u32) -> bool {
        self.is(&self.causal.byzantine(i))
    }

    pub(super) fn slot(&self, act: Act) -> Option<u32> {
        self.slots.get(&act).copied()
    }

    /// What happens, so that everything comes after what it waits for.
    fn acts(&self) -> Result<Vec<Act>, Error> {
        let acts = (0..self.causal.n).flat_map(|i| self.causal.acts(i));
        let mut rest: Vec<Act> = acts
            .filter(|&act| self.is(&self.causal.happens(act)))
            .collect();
        if self.causal.guards() {
            rest.sort_by_key(|&act| (self.value(&self.causal.level(act)), act));
            return Ok(rest);
        }
        let is = |expr: &Expr| self.is(expr);
        let mut done: Vec<Act> = vec![];
        while !rest.is_empty() {
            let ready = |&act: &Act| {
                let own = |&other: &Act| {
                    replica(other) == replica(act) && self.causal.comes_before(other, act)
                };
                let waits = self.causal.waits_for(act, &is);
                !rest.iter().any(|other| own(other) || waits.contains(other))
            };
            let (now, later): (Vec<Act>, Vec<Act>) = rest.iter().partition(|&act| ready(act));
            if now.is_empty() {
                return Err(Error::NoSchedule {
                    why: format!("{} acts wait for each other", rest.len()),
                });
            }
            done.extend(now);
            rest = later;
        }
        Ok(done)
    }

    /// The block that an event of view v is about.
    pub(super) fn block(&self, e: usize, i: u32, v: u32) -> u32 {
        let mut blocks = self.causal.about(e, v);
        let did = |&b: &u32| self.is(&self.causal.did(e, i, v, b));
        blocks.find(did).unwrap_or(0)
    }

    /// The last slot in which replica i acts.
    fn last_slot(&self, i: u32) -> u32 {
        let slots = self.slots.iter().filter(|(act, _)| replica(**act) == i);
        slots.map(|(_, &slot)| slot).max().unwrap_or(0)
    }

    /// Whether an act happens as soon as it can.
    fn must(&self, act: Act) -> bool {
        match act {
            Act::Does(e, ..) => self.causal.events[e].modality == Modality::Must,
            Act::Enters(..) => true,
        }
    }

    /// Gives an act its slot, and says what arrives for it and what is seen of it.
    fn place(&mut self, act: Act) -> Result<(), Error> {
        let (i, b) = match act {
            Act::Does(e, i, v) => (i, self.block(e, i, v)),
            Act::Enters(i, _) => (i, 0),
        };
        let wants = self.wants(act, b)?;
        // What needs nothing more to arrive happens at once.
        let news = |said: &Said| !self.got.contains(&(i, *said));
        let waits = wants.iter().flat_map(|wants| &wants.messages).any(news);
        let at_once = !self.causal.pools() && self.must(act) && !waits;
        let mut slot = (self.last_slot(i) + u32::from(!at_once)).max(1);
        for wanted in wants.iter().flat_map(|wants| &wants.messages) {
            slot = slot.max(self.arrives_from(*wanted)?);
        }
        let mut taken = false;
        for (place, wants) in wants.into_iter().enumerate() {
            for wanted in wants.messages {
                if self.got.contains(&(i, wanted)) {
                    continue;
                }
                slot += u32::from(taken && wants.alone);
                taken = true;
                self.deliver(i, wanted, slot, place as u32);
            }
        }
        self.slots.insert(act, slot);
        self.show(act, b, slot);
        Ok(())
    }

    /// The first slot in which the message can be there: the one after it was sent.
    fn arrives_from(&self, said: Said) -> Result<u32, Error> {
        let (_, j, v, _) = said;
        if self.byzantine(j) {
            return Ok(2);
        }
        let sent = self.sent_in(said).ok_or_else(|| Error::NoSchedule {
            why: format!("a message of replica {j} about view {v} is read before it is sent"),
        })?;
        Ok(sent + 1)
    }

    /// The slot in which an honest replica sent the message, if it did.
    pub(super) fn sent_in(&self, (c, j, v, b): Said) -> Option<u32> {
        self.causal
            .senders(c)
            .into_iter()
            .filter(|&e| self.is(&self.causal.did(e, j, v, b)))
            .find_map(|e| self.slot(Act::Does(e, j, v)))
    }

    /// A copy arrives at replica i, once; one of a Byzantine sender is made the slot before.
    fn deliver(&mut self, i: u32, said: Said, slot: u32, place: u32) {
        let (_, j, v, _) = said;
        if self.causal.pools() || i == j || !self.got.insert((i, said)) {
            return;
        }
        let sent = self.sent_in(said);
        let copy = Copy {
            sender: ReplicaId(j),
            receiver: ReplicaId(i),
            message: message(self.causal, said),
            sent: Slot(sent.unwrap_or(slot - 1)),
            copy: 0,
        };
        let kind = copy.message.kind.rank();
        if sent.is_none() {
            let order = (slot - 1, 3, j, kind, v, i, 0);
            self.rows
                .push((order, Choice::Inject { copy: copy.clone() }));
        }
        let order = (slot, 1, i, place, kind, v, j);
        let slot = Slot(slot);
        self.rows.push((order, Choice::Deliver { slot, copy }));
    }

    /// What an observer sees of an act, and the timer behind it.
    fn show(&mut self, act: Act, b: u32, slot: u32) {
        let (height, at) = (Height(0), Slot(slot));
        let mut see = |replica: u32, event: Seen| {
            self.predictions.push(Prediction {
                slot: at,
                replica: ReplicaId(replica),
                event,
            });
        };
        match act {
            Act::Enters(i, v) => see(
                i,
                Seen::EnterView {
                    height,
                    view: View(v),
                },
            ),
            Act::Does(e, i, v) => {
                let rule = &self.causal.events[e];
                if let Some(kind) = &rule.broadcasts {
                    let c = self.causal.channel(kind);
                    see(i, Seen::Send(message(self.causal, (c, i, v, b))));
                }
                if rule.decides {
                    let (view, index) = (View(v), b);
                    see(
                        i,
                        Seen::Decide(BlockId {
                            height,
                            view,
                            index,
                        }),
                    );
                }
                if matches!(rule.modality, Modality::Timer { .. }) {
                    let (replica, view) = (ReplicaId(i), View(v));
                    let row = Choice::Timeout {
                        slot: at,
                        replica,
                        timer: self.causal.instance.protocol.timer(),
                        height,
                        view,
                    };
                    self.rows.push(((slot, 2, i, v, 0, 0, 0), row));
                }
            }
        }
    }

    /// Crashes, what Byzantine replicas put into a pool, and what arrives after all acts; the last
    /// slot.
    fn finish(&mut self) -> u32 {
        let causal = self.causal;
        let mut last = (0..causal.n).map(|i| self.last_slot(i)).max().unwrap_or(0);
        for i in 0..causal.n {
            if self.is(&causal.crashed(i)) {
                let slot = self.last_slot(i) + 1;
                let row = Choice::Crash {
                    slot: Slot(slot),
                    replica: ReplicaId(i),
                };
                self.rows.push(((slot, 0, i, 0, 0, 0, 0), row));
                last = last.max(slot);
            }
        }
        if causal.pools() {
            for said in self.made() {
                self.inject(said);
            }
            return last.max(1);
        }
        if !causal.arrives() {
            return last.max(1);
        }
        self.flood(last.max(1) + 1)
    }

    /// What arrives in the end, at every live honest replica; the last slot.
    fn flood(&mut self, from: u32) -> u32 {
        let mut last = from;
        for i in 0..self.causal.n {
            if self.byzantine(i) || self.is(&self.causal.crashed(i)) {
                continue;
            }
            let mut pending = self.all_sent();
            pending.extend(self.made());
            pending.retain(|&said| said.1 != i && !self.got.contains(&(i, said)));
            for (place, messages) in self.in_order(i, pending).into_iter().enumerate() {
                let slot = from + place as u32;
                last = last.max(slot);
                for said in messages {
                    self.deliver(i, said, slot, 0);
                }
            }
        }
        last
    }

    /// What honest replicas sent.
    fn all_sent(&self) -> Vec<Said> {
        let mut all = vec![];
        for c in 0..self.causal.protocol.channels.len() {
            for v in 0..self.causal.views {
                for b in self.causal.channel_blocks(c, v) {
                    let sent = |&j: &u32| self.sent_in((c, j, v, b)).is_some();
                    all.extend((0..self.causal.n).filter(sent).map(|j| (c, j, v, b)));
                }
            }
        }
        all
    }

    /// What Byzantine replicas made for all.
    fn made(&self) -> Vec<Said> {
        let causal = self.causal;
        let mut all = vec![];
        for c in 0..causal.protocol.channels.len() {
            for v in 0..causal.views {
                for b in causal.channel_blocks(c, v) {
                    let made = |&j: &u32| self.is(&causal.made(c, j, v, b));
                    all.extend((0..causal.n).filter(made).map(|j| (c, j, v, b)));
                }
            }
        }
        all
    }

    /// A message in the pool from the first slot on; the row names the first other replica.
    fn inject(&mut self, said: Said) {
        let (_, j, v, _) = said;
        let copy = Copy {
            sender: ReplicaId(j),
            receiver: ReplicaId(u32::from(j == 0)),
            message: message(self.causal, said),
            sent: Slot(1),
            copy: 0,
        };
        let kind = copy.message.kind.rank();
        self.rows
            .push(((1, 3, j, v, kind, 0, 0), Choice::Inject { copy }));
    }

    fn faulty(&self) -> Vec<(ReplicaId, FaultKind)> {
        let mut faulty = vec![];
        for i in 0..self.causal.n {
            for (kind, _) in FAULTS {
                if self.is(&self.causal.faulty(kind, i)) {
                    faulty.push((ReplicaId(i), kind));
                }
            }
        }
        faulty
    }
}

fn replica(act: Act) -> u32 {
    match act {
        Act::Does(_, i, _) | Act::Enters(i, _) => i,
    }
}

/// The message as files have it.
fn message(causal: &Causal, (c, _, v, b): Said) -> Message {
    let kind = causal.protocol.channels[c].kind;
    let names_block = causal
        .senders(c)
        .into_iter()
        .any(|e| causal.events[e].about != About::View);
    Message::new(kind, Height(0), View(v), names_block.then_some(b))
}
