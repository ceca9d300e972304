//! From a schedule to a point of the program.

use super::columns::{Key, Slots, What};
use crate::ground::{Need, Own, Record, Value, Values};
use milp_schema::{
    Choice, Message, Prediction, ReplicaId, Schedule,
    instance::FaultKind,
    protocol::{Goes, Scope},
    schedule::{Event as Seen, Value as Named},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a schedule says happens, and what follows from it that nobody sees.
struct First<'a> {
    slots: &'a Slots,
    /// The slot of each deed, by height, deed, replica.
    did: BTreeMap<(u32, usize, u32), u32>,
    /// The slot of each delivery, by height, record, receiver, sender.
    got: BTreeMap<(u32, usize, u32, u32), u32>,
    crashed: BTreeMap<u32, u32>,
}

/// What is predicted of a replica in a slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    /// It makes one of these records.
    Makes(u32, Vec<Record>),
    /// It enters a view.
    Enters(u32, u32),
}

/// The point of a schedule: every column that stands for something that happens.
pub(super) fn encode(
    slots: &Slots,
    schedule: &Schedule,
    faulty: &[(ReplicaId, FaultKind)],
) -> Result<Vec<Option<i64>>, String> {
    let mut first = First {
        slots,
        did: BTreeMap::new(),
        got: BTreeMap::new(),
        crashed: BTreeMap::new(),
    };
    for choice in &schedule.choices {
        match choice {
            Choice::Deliver { slot, copy } => {
                let (h, record) = record_of(slots, &copy.message)?;
                let (i, j) = (copy.receiver.0, copy.sender.0);
                let at = slots.at[h as usize].records.binary_search(&record);
                // What nobody reads, or a message of who cannot make it: everybody ignores it.
                if let (Ok(at), true) = (at, slots.may_send(h, &record, j)) {
                    let got = first.got.entry((h, at, i, j)).or_insert(slot.0);
                    *got = slot.0.min(*got);
                }
            }
            Choice::Crash { slot, replica } => {
                first.crashed.insert(replica.0, slot.0);
            }
            Choice::Restart { .. } => return Err("the program has no restarts".into()),
            Choice::Drop { .. } | Choice::Timeout { .. } | Choice::Inject { .. } => {}
        }
    }
    one_by_one(schedule)?;
    let wanted = wanted(slots, schedule)?;
    let byzantine: BTreeSet<u32> = faulty
        .iter()
        .filter(|(_, kind)| *kind == FaultKind::Byzantine)
        .map(|(i, _)| i.0)
        .collect();
    for t in slots.slots() {
        for i in (0..slots.n).filter(|i| !byzantine.contains(i)) {
            if first.crashed.get(&i).is_none_or(|crash| *crash > t) {
                first.follow(i, t, wanted.get(&(t, i)).cloned().unwrap_or_default());
            }
        }
    }
    let known = |(key, col): (&Key, crate::program::Col)| {
        let fits = match key {
            Key::Faulty(kind, i) => faulty.contains(&(ReplicaId(*i), *kind)),
            Key::Crashed { i, t } => first.crashed.get(i).is_some_and(|crash| crash <= t),
            Key::Did { h, deed, i, t } => first.has_done(*h, *deed, *i, *t),
            Key::Got { h, record, i, j, t } => first
                .got
                .get(&(*h, *record, *i, *j))
                .is_some_and(|got| got <= t),
            Key::Counted { h, quorum, i, j, t } => first.counts(*h, *quorum, *i, *j, *t),
            Key::Complete { h, quorum, i, t } => first.is_complete(*h, *quorum, *i, *t),
            Key::Last { h, own, i, t } => {
                let own = &slots.at[*h as usize].lasts[*own];
                first.holds(*h, own, *i, *t)
            }
            Key::Goal(..) | Key::Shared { .. } | Key::Enough { .. } | Key::Sends { .. } => {
                return (col, None);
            }
        };
        (col, Some(i64::from(fits)))
    };
    let mut point: Vec<_> = slots.draft.keys().map(known).collect();
    point.sort_by_key(|(col, _)| *col);
    Ok(point.into_iter().map(|(_, value)| value).collect())
}

/// The record that a message is.
fn record_of(slots: &Slots, message: &Message) -> Result<(u32, Record), String> {
    let h = message.height.0;
    let Some(at) = slots.at.get(h as usize) else {
        return Err(format!("height {h} is outside the program"));
    };
    let rules = &at.ground.setting.rules;
    let name = message.kind.name();
    let kind = rules
        .named(name)
        .ok_or_else(|| format!("no kind `{name}` in the program"))?;
    let Values::Named { per_view } = at.ground.setting.values else {
        return Err("values have no names".into());
    };
    let value = match message.value {
        None => Value::None,
        Some(Named::Nil) => Value::Nil,
        Some(Named::Bad) => Value::Bad,
        Some(Named::Block { view, index }) if view.0 < slots.views && index < per_view => {
            Value::Of(view.0 * per_view + index)
        }
        Some(other) => return Err(format!("value {other} is outside the program")),
    };
    if message.view.0 >= slots.views {
        return Err(format!("view {} is outside the program", message.view));
    }
    if matches!(message.value, Some(Named::Block { view, .. }) if view > message.view) {
        return Err(format!(
            "a value of view {} is named before",
            message.view.next()
        ));
    }
    let justification = message.justification.map(|view| view.0);
    Ok((
        h,
        Record {
            view: message.view.0,
            kind,
            value,
            justification,
        },
    ))
}

/// Views are entered one by one, each in a slot of its own (E8, E40).
fn one_by_one(schedule: &Schedule) -> Result<(), String> {
    let mut last: BTreeMap<(u32, u32), (u32, u32)> = BTreeMap::new();
    for Prediction {
        slot,
        replica,
        event,
    } in &schedule.predictions
    {
        let Seen::EnterView { height, view } = event else {
            continue;
        };
        let before = last.insert((height.0, replica.0), (view.0, slot.0));
        let (from, at) = before.unwrap_or((0, 0));
        if view.0 != from + 1 || (from > 0 && slot.0 == at) {
            return Err(format!(
                "{replica} enters view {view} beside or without another one"
            ));
        }
    }
    Ok(())
}

/// What is predicted, by slot and replica.
fn wanted(slots: &Slots, schedule: &Schedule) -> Result<BTreeMap<(u32, u32), Vec<Wanted>>, String> {
    let mut wanted: BTreeMap<(u32, u32), Vec<Wanted>> = BTreeMap::new();
    for Prediction {
        slot,
        replica,
        event,
    } in &schedule.predictions
    {
        if slot.0 > slots.horizon {
            return Err(format!("slot {slot} is outside the program"));
        }
        let one = match event {
            Seen::Send(message) => {
                let (h, record) = record_of(slots, message)?;
                Wanted::Makes(h, vec![record])
            }
            Seen::EnterView { height, view } if view.0 < slots.views => {
                Wanted::Enters(height.0, view.0)
            }
            Seen::EnterView { view, .. } => {
                return Err(format!("view {view} is outside the program"));
            }
            Seen::Decide(block) => {
                let at = &slots.at[block.height.index()];
                let Values::Named { per_view } = at.ground.setting.values else {
                    continue;
                };
                let x = Value::Of(block.view.0 * per_view + block.index);
                let kept = |it: &&Record| {
                    let kind = at.ground.setting.rules.kind(it.kind);
                    kind.is_final && kind.goes != Goes::Sent && it.value == x
                };
                let records: Vec<Record> = at.makers.keys().filter(kept).copied().collect();
                if records.is_empty() {
                    continue; // its message says the same
                }
                Wanted::Makes(block.height.0, records)
            }
        };
        wanted.entry((slot.0, replica.0)).or_default().push(one);
    }
    Ok(wanted)
}

impl First<'_> {
    fn has_done(&self, h: u32, deed: usize, i: u32, t: u32) -> bool {
        self.did.get(&(h, deed, i)).is_some_and(|did| *did <= t)
    }

    fn has_made(&self, h: u32, record: &Record, i: u32, t: u32) -> bool {
        let makers = self.slots.at[h as usize].makers.get(record);
        makers
            .into_iter()
            .flatten()
            .any(|deed| self.has_done(h, *deed, i, t))
    }

    fn has_got(&self, h: u32, record: &Record, i: u32, j: u32, t: u32) -> bool {
        if i == j {
            return self.has_made(h, record, i, t);
        }
        let at = self.slots.at[h as usize].records.binary_search(record);
        at.is_ok_and(|at| self.got.get(&(h, at, i, j)).is_some_and(|got| *got <= t))
    }

    fn counts(&self, h: u32, quorum: usize, i: u32, j: u32, t: u32) -> bool {
        let records = self.slots.of_quorum(h, quorum, i, j);
        records.iter().any(|it| self.has_got(h, it, i, j, t))
    }

    fn is_complete(&self, h: u32, quorum: usize, i: u32, t: u32) -> bool {
        let counting = (0..self.slots.n).filter(|&j| self.counts(h, quorum, i, j, t));
        let power: i64 = counting.map(|j| self.slots.power(j)).sum();
        power >= self.slots.at_least(h, quorum)
    }

    /// Whether what a guard reads of the own past holds.
    fn holds(&self, h: u32, own: &Own, i: u32, t: u32) -> bool {
        let made = |it: &&Record| self.has_made(h, it, i, t);
        match own {
            Own::One(records) => records.iter().any(|it| made(&it)),
            Own::Last(matching, rest) => {
                let last = matching
                    .iter()
                    .chain(rest)
                    .filter(made)
                    .map(|it| it.view)
                    .max();
                let mut own = matching.iter().filter(made);
                last.is_some() && own.any(|it| Some(it.view) == last)
            }
        }
    }

    fn is_entered(&self, h: u32, i: u32, v: u32, t: u32) -> bool {
        match (h, v) {
            (0, 0) => true,
            (h, 0) => self.has_decided(h - 1, i, t),
            (h, v) => self
                .slots
                .ways(h, v)
                .iter()
                .any(|way| self.has_done(h, *way, i, t)),
        }
    }

    fn has_decided(&self, h: u32, i: u32, t: u32) -> bool {
        self.slots
            .deciding(h)
            .iter()
            .any(|deed| self.has_done(h, *deed, i, t))
    }

    /// Whether a deed can be done, its timer aside.
    fn can(&self, h: u32, deed: usize, i: u32, t: u32) -> bool {
        let slots = self.slots;
        let it = slots.deed(h, deed);
        let primaries = &slots.at[h as usize].ground.setting.primaries;
        let met = |need: &Need| match need {
            Need::Own(own) => self.holds(h, own, i, t),
            Need::Primary(records) => {
                let mut records = records.iter();
                records.any(|it| self.has_got(h, it, i, primaries[it.view as usize], t))
            }
            Need::Quorum(quorum) => self.is_complete(h, *quorum, i, t),
        };
        let place = match it.act.scope {
            Scope::View => {
                let v = it.view();
                self.is_entered(h, i, v, t) && (it.is_entry() || !self.is_entered(h, i, v + 1, t))
            }
            Scope::Height => self.is_entered(h, i, 0, t),
        };
        slots.does(h, deed, i)
            && place
            && it.act.needs.iter().all(met)
            && !it.act.bars.iter().any(|bar| self.holds(h, bar, i, t))
    }

    /// What a replica does in a slot: what is predicted, each by the first deed that can be done
    /// then, and what must be done and nobody sees.
    fn follow(&mut self, i: u32, t: u32, mut wanted: Vec<Wanted>) {
        loop {
            let silent = self.silent(i, t);
            let able = wanted.iter().enumerate().find_map(|(at, one)| {
                let deeds = self.candidates(one, i);
                let able = deeds
                    .into_iter()
                    .find(|(h, deed)| self.can(*h, *deed, i, t));
                able.map(|deed| (at, deed))
            });
            let (h, deed) = match (silent, able) {
                (Some(deed), _) => deed,
                (None, Some((at, deed))) => {
                    wanted.remove(at);
                    deed
                }
                (None, None) => break,
            };
            self.did.insert((h, deed, i), t);
        }
        // What cannot be done is told as it stands; some row does not hold.
        for one in wanted {
            if let Some((h, deed)) = self.candidates(&one, i).first() {
                self.did.entry((*h, *deed, i)).or_insert(t);
            }
        }
    }

    /// The deeds that a prediction can be, those that must be done first.
    fn candidates(&self, wanted: &Wanted, i: u32) -> Vec<(u32, usize)> {
        let slots = self.slots;
        let (h, mut deeds) = match wanted {
            Wanted::Makes(h, records) => {
                let makers = &slots.at[*h as usize].makers;
                let deeds = records.iter().filter_map(|it| makers.get(it)).flatten();
                (*h, deeds.copied().collect::<Vec<_>>())
            }
            Wanted::Enters(h, w) => (*h, slots.ways(*h, *w)),
        };
        deeds.retain(|&deed| slots.does(h, deed, i) && !self.did.contains_key(&(h, deed, i)));
        deeds.sort_by_key(|&deed| (!slots.deed(h, deed).is_must(), deed));
        deeds.into_iter().map(|deed| (h, deed)).collect()
    }

    /// A deed that nobody sees and that must be done now, if there is one.
    fn silent(&self, i: u32, t: u32) -> Option<(u32, usize)> {
        let slots = self.slots;
        let all = (0..slots.heights)
            .flat_map(|h| (0..slots.at[h as usize].deeds.len()).map(move |deed| (h, deed)));
        let mut silent = all.filter(|&(h, deed)| {
            let at = &slots.at[h as usize];
            let it = &at.deeds[deed];
            let unseen = match it.what {
                What::Makes(record) => {
                    let kind = at.ground.setting.rules.kind(record.kind);
                    kind.goes != Goes::Sent && !kind.is_final
                }
                What::Starts(_) => !it.is_plain_start(),
                What::Enters | What::Skips => false,
            };
            unseen && it.is_must()
        });
        silent.find(|&(h, deed)| {
            let it = slots.deed(h, deed);
            let alike = |other: &super::columns::Deed| match (it.what, other.what) {
                (What::Makes(one), What::Makes(two)) => {
                    (one.kind, one.view) == (two.kind, two.view)
                }
                (What::Starts(_), What::Starts(_)) => {
                    (it.act.rule, it.view()) == (other.act.rule, other.view())
                }
                _ => false,
            };
            let deeds = slots.at[h as usize].deeds.iter().enumerate();
            let taken = deeds
                .filter(|(_, other)| alike(other))
                .any(|(other, _)| self.did.contains_key(&(h, other, i)));
            !taken && !self.has_decided(h, i, t) && self.can(h, deed, i, t)
        })
    }
}
