//! From a point of the program to a schedule.

use super::columns::{Deed, FAULTS, Key, Slots, What};
use crate::{
    decoded::Decoded,
    expr::Expr,
    ground::{Record, Value, Values},
};
use milp_schema::{
    BlockId, Choice, Height, Message, Prediction, ReplicaId, Schedule, Slot, View,
    instance::FaultKind,
    protocol::Goes,
    schedule::{Copy, Event as Seen, Value as Named},
};
use std::collections::BTreeMap;

/// Where a row stands inside its slot (E59): phase, replica, height, what it serves, kind, view and
/// sender; of a firing its view before what it does.
type Order = (Slot, u32, ReplicaId, Height, u32, u32, u32, u32);

/// The slot in which each deed was done, and each copy delivered.
struct Course<'a> {
    slots: &'a Slots,
    point: &'a [i64],
    did: BTreeMap<(u32, u32), Vec<(u32, usize)>>,
}

pub(super) fn decode(slots: &Slots, point: &[i64]) -> Decoded {
    let mut course = Course {
        slots,
        point,
        did: BTreeMap::new(),
    };
    let keys = || {
        slots
            .draft
            .keys()
            .filter(|(key, col)| point[col.index()] == 1 && course_began(slots, point, key))
    };
    for (key, _) in keys() {
        if let Key::Did { h, deed, i, t } = *key {
            course.did.entry((i, t)).or_default().push((h, deed));
        }
    }
    let mut rows: Vec<(Order, Choice)> = Vec::new();
    let mut predictions: Vec<Prediction> = Vec::new();
    for (key, _) in keys() {
        match *key {
            Key::Crashed { i, t } => {
                let (slot, replica) = (Slot(t), ReplicaId(i));
                let order = (slot, 0, replica, Height(0), 0, 0, 0, 0);
                rows.push((order, Choice::Crash { slot, replica }));
            }
            Key::Did { h, deed, i, t } => {
                let events = seen(slots, h, slots.deed(h, deed));
                let of = |event| Prediction {
                    slot: Slot(t),
                    replica: ReplicaId(i),
                    event,
                };
                predictions.extend(events.into_iter().map(of));
                rows.extend(course.firing(h, deed, i, t));
            }
            Key::Got { h, record, i, j, t } => course.delivery((h, record, i, j), t, &mut rows),
            _ => {}
        }
    }
    rows.sort_by_key(|(order, _)| *order);
    predictions.sort();
    let choices = rows.into_iter().map(|(_, choice)| choice).collect();
    Decoded {
        schedule: Schedule {
            choices,
            predictions,
        },
        faulty: faulty(slots, point),
        slots: slots.horizon,
    }
}

fn value(expr: &Expr, point: &[i64]) -> i64 {
    let terms = expr.terms().map(|(col, k)| k * point[col.index()]);
    expr.constant() + terms.sum::<i64>()
}

/// Whether a cumulative column that is 1 was 0 in the slot before.
fn course_began(slots: &Slots, point: &[i64], key: &Key) -> bool {
    let before = match *key {
        Key::Crashed { i, t } => Key::Crashed { i, t: t - 1 },
        Key::Did { h, deed, i, t } => Key::Did {
            h,
            deed,
            i,
            t: t - 1,
        },
        Key::Got { h, record, i, j, t } => Key::Got {
            h,
            record,
            i,
            j,
            t: t - 1,
        },
        _ => return false,
    };
    value(&slots.draft.get(&before), point) == 0
}

fn faulty(slots: &Slots, point: &[i64]) -> Vec<(ReplicaId, FaultKind)> {
    let all = (0..slots.n).flat_map(|i| FAULTS.iter().map(move |(kind, _)| (i, *kind)));
    let is = all.filter(|(i, kind)| value(&slots.faulty(*kind, *i), point) == 1);
    is.map(|(i, kind)| (ReplicaId(i), kind)).collect()
}

/// The name of a value in schedules.
pub(super) fn named(slots: &Slots, h: u32, value: Value) -> Option<Named> {
    let Values::Named { per_view } = slots.at[h as usize].ground.setting.values else {
        return None;
    };
    match value {
        Value::None => None,
        Value::Nil => Some(Named::Nil),
        Value::Bad => Some(Named::Bad),
        Value::Of(x) => Some(Named::Block {
            view: View(x / per_view),
            index: x % per_view,
        }),
    }
}

pub(super) fn message(slots: &Slots, h: u32, record: &Record) -> Message {
    Message {
        kind: slots.message_kind(h, record),
        height: Height(h),
        view: View(record.view),
        value: named(slots, h, record.value),
        justification: record.justification.map(View),
    }
}

/// What an observer sees of a deed: a message, a view entered, a decision (E57).
fn seen(slots: &Slots, h: u32, deed: &Deed) -> Vec<Seen> {
    let height = Height(h);
    let record = match deed.what {
        What::Makes(record) => record,
        What::Starts(_) => return Vec::new(),
        What::Enters | What::Skips => {
            return vec![Seen::EnterView {
                height,
                view: View(deed.act.letters.v),
            }];
        }
    };
    let ground = &slots.at[h as usize].ground;
    let sent = ground.setting.rules.kind(record.kind).goes == Goes::Sent;
    let sends = sent.then(|| Seen::Send(message(slots, h, &record)));
    let decides = match named(slots, h, record.value) {
        Some(Named::Block { view, index }) if ground.is_final(record.kind) => {
            Some(Seen::Decide(BlockId {
                height,
                view,
                index,
            }))
        }
        _ => None,
    };
    sends.into_iter().chain(decides).collect()
}

impl Course<'_> {
    /// The row of a firing, if the deed is one.
    fn firing(&self, h: u32, deed: usize, i: u32, t: u32) -> Option<(Order, Choice)> {
        let slots = self.slots;
        let (timer, v) = slots.timer_of(h, deed)?;
        let kind = slots
            .deed(h, deed)
            .makes()
            .map_or(u32::MAX, |it| it.kind.0 as u32);
        let (slot, replica, height) = (Slot(t), ReplicaId(i), Height(h));
        let choice = Choice::Timeout {
            slot,
            replica,
            timer: &slots.instance.protocol.timers[timer.0],
            height,
            view: View(v),
        };
        Some(((slot, 2, replica, height, v, kind, 0, 0), choice))
    }

    /// The delivery of a copy, and its making if the sender is Byzantine.
    fn delivery(
        &self,
        (h, record, i, j): (u32, usize, u32, u32),
        t: u32,
        rows: &mut Vec<(Order, Choice)>,
    ) {
        let slots = self.slots;
        let record = slots.at[h as usize].records[record];
        let byzantine = value(&slots.byzantine(j), self.point) == 1;
        let made = |s: &u32| value(&slots.made(h, &record, j, *s), self.point) == 1;
        let made = (1..t).find(made).filter(|_| !byzantine);
        let copy = Copy {
            sender: ReplicaId(j),
            receiver: ReplicaId(i),
            message: message(slots, h, &record),
            sent: Slot(made.unwrap_or(t - slots.delay_min)),
            copy: 0,
        };
        let kind = record.kind.0 as u32;
        if byzantine {
            let order = (
                copy.sent,
                3,
                ReplicaId(j),
                Height(h),
                kind,
                i,
                record.view,
                0,
            );
            rows.push((order, Choice::Inject { copy: copy.clone() }));
        }
        let slot = Slot(t);
        let serves = self.serves(h, &record, i, t);
        let order = (
            slot,
            1,
            ReplicaId(i),
            Height(h),
            serves,
            kind,
            record.view,
            j,
        );
        rows.push((order, Choice::Deliver { slot, copy }));
    }

    /// What a copy is for in its slot: what is done before a decision, the decision, first the one made
    /// of votes and then the one taken over, or the rest: what leads out of a view comes after what
    /// keeps its replica there.
    fn serves(&self, h: u32, record: &Record, i: u32, t: u32) -> u32 {
        let at = &self.slots.at[h as usize];
        let done = self.did.get(&(i, t)).into_iter().flatten();
        let here = done.filter(|(height, _)| *height == h);
        // Which of the rules that make a record did is nobody's to tell.
        let alike = |(_, deed): &(u32, usize)| match at.deeds[*deed].makes() {
            Some(record) => at.makers[&record].clone(),
            None => vec![*deed],
        };
        let here = here.flat_map(alike);
        let reading = here.filter(|deed| {
            let mut needs = at.deeds[*deed].act.needs.iter();
            needs.any(|need| need.taken(&at.ground).contains(record))
        });
        let serves = reading.map(|deed| {
            let deed = &at.deeds[deed];
            match deed.makes() {
                Some(made) if at.ground.is_final(made.kind) => 1,
                None if deed.is_entry() => 3,
                _ => 0,
            }
        });
        let all: Vec<u32> = serves.collect();
        let decides = all.contains(&1);
        match all.into_iter().min() {
            _ if decides && at.ground.is_final(record.kind) => 2,
            _ if decides => 1,
            serves => serves.unwrap_or(3),
        }
    }
}
