//! From plans to a schedule: slot by slot whoever can take its next step takes it.
//!
//! Every step is delivered just the copies it needs, and the rules say what follows: a [`Seat`] per
//! replica follows them, so that the predictions are theirs and not the plan's. A step that makes a
//! replica do anything else than planned is refused. What others sent only grows, so it does not
//! matter which of several possible steps comes first.

use super::{
    assign::Plan,
    book::Book,
    columns::Counting,
    seat::{At, Did, Seat},
    walk::{Arc, Cause, To, adopts, aimed},
};
use crate::{decoded::Decoded, error::Error};
use milp_schema::{
    Choice, Height, Prediction, ReplicaId, Schedule, Slot, View,
    instance::{FaultKind, Network},
    schedule::{Copy, Event as Seen},
};
use std::collections::{BTreeMap, BTreeSet};

fn refused(why: impl Into<String>) -> Error {
    Error::NoSchedule { why: why.into() }
}

/// A copy from somebody: what and from whom.
type From = (At, u32);

/// An execution under construction.
struct Stage<'a> {
    counting: &'a Counting,
    plan: &'a Plan,
    seats: Vec<Seat>,
    /// Steps taken, by replica.
    taken: Vec<usize>,
    /// What honest replicas broadcast, and the slot.
    sent: BTreeMap<From, u32>,
    /// What honest replicas were handed of Byzantine ones.
    used: BTreeSet<From>,
    /// Rows by slot and phase (E7), in the order in which they were made.
    rows: Vec<((u32, u32), Choice)>,
    predictions: Vec<Prediction>,
    slot: u32,
}

/// The schedule of a plan.
pub(super) fn unfold(counting: &Counting, plan: &Plan) -> Result<Decoded, Error> {
    let seats = (0..counting.book.n).map(Seat::new).collect();
    let mut stage = Stage {
        counting,
        plan,
        seats,
        taken: vec![0; counting.book.n as usize],
        sent: BTreeMap::new(),
        used: BTreeSet::new(),
        rows: vec![],
        predictions: vec![],
        slot: 1,
    };
    while stage.round()? {
        stage.slot += 1;
    }
    stage.crashes();
    if counting.book.instance.network == Network::Eventual {
        stage.deliver_everything()?;
    }
    stage.rows.sort_by_key(|(order, _)| *order);
    stage.predictions.sort();
    let last = stage.rows.last().map_or(1, |((slot, _), _)| *slot);
    let faults = |who: &BTreeSet<u32>, kind| {
        let named = who.iter().map(move |&i| (ReplicaId(i), kind));
        named.collect::<Vec<_>>()
    };
    let mut faulty = faults(&plan.byzantine, FaultKind::Byzantine);
    faulty.extend(faults(&plan.crashing, FaultKind::Crash));
    faulty.sort();
    Ok(Decoded {
        schedule: Schedule {
            choices: stage.rows.into_iter().map(|(_, choice)| choice).collect(),
            predictions: stage.predictions,
        },
        faulty,
        slots: last,
    })
}

impl<'a> Stage<'a> {
    fn book(&self) -> &'a Book {
        &self.counting.book
    }

    /// Everybody who can takes a step; whether steps are left.
    fn round(&mut self) -> Result<bool, Error> {
        let (mut moved, mut left) = (false, false);
        for i in 0..self.book().n {
            let done = self.taken[i as usize];
            let Some(&(v, role, arc)) = self.plan.steps[i as usize].get(done) else {
                continue;
            };
            left = true;
            let arc = &self.counting.walks[role as usize].arcs[arc];
            if self.step(i, v, arc)? {
                self.taken[i as usize] += 1;
                moved = true;
            }
        }
        // In slot 1 nobody holds a Byzantine copy yet.
        if left && !moved && self.slot > 1 {
            return Err(refused("steps that wait for one another"));
        }
        Ok(left)
    }

    /// Takes the step if what it needs was sent in earlier slots; whether it was.
    fn step(&mut self, i: u32, v: u32, arc: &Arc) -> Result<bool, Error> {
        let mut seat = self.seats[i as usize].clone();
        let (mut copies, mut did) = (vec![], vec![]);
        if arc.cause == Cause::Timer {
            did = seat.timeout(self.book());
        }
        for (copy, from) in self.candidates(&seat, v, arc) {
            did = seat.deliver(self.book(), copy, from);
            copies.push((copy, from));
            if !did.is_empty() {
                break;
            }
        }
        if did.is_empty() {
            return Ok(false);
        }
        self.check(i, v, arc, &did)?;
        for &(copy, from) in &copies {
            self.hand(i, copy, from);
        }
        if arc.cause == Cause::Timer {
            let choice = Choice::Timeout {
                slot: Slot(self.slot),
                replica: ReplicaId(i),
                timer: self.counting.book.instance.protocol.timer(),
                height: Height(0),
                view: View(v),
            };
            self.rows.push(((self.slot, 2), choice));
        }
        self.seats[i as usize] = seat;
        self.note(i, &did);
        Ok(true)
    }

    /// The copies to try for a step, in order: the primary's, honest votes, Byzantine ones.
    fn candidates(&self, seat: &Seat, v: u32, arc: &Arc) -> Vec<From> {
        let book = self.book();
        let all: Vec<From> = match arc.cause {
            Cause::Timer => vec![],
            Cause::Aim { e, b } => {
                let aimed = aimed(book, seat, e, b);
                aimed.into_iter().map(|(c, j)| ((c, v, b), j)).collect()
            }
            Cause::Enter => {
                let c = book.channel(&book.enter.of);
                let others = (0..book.n).filter(|&j| j != seat.me);
                others.map(|j| ((c, v, 0), j)).collect()
            }
            Cause::Adopt { e } => {
                let of = adopts(book, e).expect("an adopting event");
                let blocks = self.sent.keys().filter(|((c, _, _), _)| *c == of);
                blocks.copied().collect()
            }
        };
        let mut known: Vec<From> = all.into_iter().filter(|from| self.is_there(from)).collect();
        // Stable: the kinds stay in order, honest copies come first within one.
        known.sort_by_key(|((c, _, _), from)| {
            let votes = !super::walk::only_primary(book, *c);
            (votes, self.plan.byzantine.contains(from))
        });
        known
    }

    /// Whether the copy can arrive in this slot.
    fn is_there(&self, from: &From) -> bool {
        let ((c, _, _), sender) = *from;
        if self.plan.byzantine.contains(&sender) {
            return self.slot > 1 && self.book().protocol.channels[c].forgeable;
        }
        self.sent.get(from).is_some_and(|&slot| slot < self.slot)
    }

    /// Whether a replica did what was planned and nothing else.
    fn check(&self, i: u32, v: u32, arc: &Arc, did: &[Did]) -> Result<(), Error> {
        let mut planned: Vec<Did> = arc
            .acts
            .iter()
            .map(|&(e, b)| Did::Event { e, v, b })
            .collect();
        if arc.to == To::Next {
            planned.push(Did::Enter(v + 1));
        }
        // Which of several decided blocks is adopted is open.
        let adopts = matches!(arc.cause, Cause::Adopt { .. });
        let alike = |(did, planned): (&Did, &Did)| match (did, planned) {
            (Did::Event { e, .. }, Did::Event { e: other, .. }) => e == other,
            _ => did == planned,
        };
        let adopted = adopts && did.len() == planned.len() && did.iter().zip(&planned).all(alike);
        if did == planned || adopted {
            return Ok(());
        }
        let (slot, book) = (self.slot, self.book());
        let words = |did: &[Did]| {
            let word = |did: &Did| match *did {
                Did::Event { e, v, b } => format!("{} v{v} b{b}", book.events[e].name),
                Did::Enter(w) => format!("enter v{w}"),
            };
            did.iter().map(word).collect::<Vec<_>>().join(", ")
        };
        Err(refused(format!(
            "in slot {slot} replica {i} would do {} instead of {}",
            words(did),
            words(&planned)
        )))
    }

    /// Rows for a copy handed over now.
    fn hand(&mut self, i: u32, at: At, from: u32) {
        let (c, v, b) = at;
        let byzantine = self.plan.byzantine.contains(&from);
        let sent = match self.sent.get(&(at, from)) {
            Some(&sent) => sent,
            None => self.slot - 1,
        };
        let copy = Copy {
            sender: ReplicaId(from),
            receiver: ReplicaId(i),
            message: self.book().message(c, v, b),
            sent: Slot(sent),
            copy: 0,
        };
        if byzantine {
            self.used.insert((at, from));
            let choice = Choice::Inject { copy: copy.clone() };
            self.rows.push(((sent, 3), choice));
        }
        let slot = Slot(self.slot);
        self.rows
            .push(((self.slot, 1), Choice::Deliver { slot, copy }));
    }

    /// What replica i did, for the predictions and for others to receive.
    fn note(&mut self, i: u32, did: &[Did]) {
        let (slot, replica) = (Slot(self.slot), ReplicaId(i));
        let mut predict = |event| {
            self.predictions.push(Prediction {
                slot,
                replica,
                event,
            });
        };
        for did in did {
            let (e, v, b) = match *did {
                Did::Enter(w) => {
                    predict(Seen::EnterView {
                        height: Height(0),
                        view: View(w),
                    });
                    continue;
                }
                Did::Event { e, v, b } => (e, v, b),
            };
            if let Some(c) = self.counting.book.sends(e) {
                predict(Seen::Send(self.counting.book.message(c, v, b)));
                self.sent.insert(((c, v, b), i), self.slot);
            }
            if self.counting.book.events[e].decides {
                predict(Seen::Decide(Book::block(v, b)));
            }
        }
    }

    /// Who is to crash does, after everybody's last step.
    fn crashes(&mut self) {
        for &i in &self.plan.crashing {
            let choice = Choice::Crash {
                slot: Slot(self.slot),
                replica: ReplicaId(i),
            };
            self.rows.push(((self.slot, 0), choice));
        }
    }

    /// In the last slot everything that is under way arrives (E10): blocks, then requests to leave,
    /// the highest view first, then what is about views; and where the execution has to end in a
    /// final state, whatever of a Byzantine replica anybody was handed.
    ///
    /// What replicas do then is predicted like anything else; a final state is one in which they do
    /// nothing.
    fn deliver_everything(&mut self) -> Result<(), Error> {
        let book = self.book();
        let mut copies: Vec<From> = self.sent.keys().copied().collect();
        if self.counting.ends() {
            copies.extend(self.used.iter().copied());
        }
        let asks = book.channel(&book.enter.of);
        copies.sort_by_key(|&((c, v, b), from)| {
            if c == asks {
                (1, book.views - v, c, b, from)
            } else {
                (if book.waits(c) { 2 } else { 0 }, v, c, b, from)
            }
        });
        for i in 0..book.n {
            if self.plan.byzantine.contains(&i) || self.plan.crashing.contains(&i) {
                continue;
            }
            let mut all = vec![];
            for &(copy, from) in &copies {
                if from == i || self.seats[i as usize].has(copy, from) {
                    continue;
                }
                // Whatever was sent in this slot, by replicas before, arrives after the last one.
                if self
                    .sent
                    .get(&(copy, from))
                    .is_some_and(|&slot| slot >= self.slot)
                {
                    continue;
                }
                self.hand(i, copy, from);
                all.extend(self.seats[i as usize].deliver(book, copy, from));
            }
            let outside = |did: &Did| matches!(did, Did::Enter(w) if *w >= book.views);
            if all.iter().any(outside) {
                return Err(refused(
                    "what arrives at the end leads out of the modelled views",
                ));
            }
            if self.counting.ends() && !all.is_empty() {
                return Err(refused(format!(
                    "replica {i} would act on what arrives at the end: no final state"
                )));
            }
            self.note(i, &all);
        }
        Ok(())
    }
}
