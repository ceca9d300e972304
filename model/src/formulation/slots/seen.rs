//! What projections ask of the columns.

use super::{
    columns::{Deed, FAULTS, Key, Slots, What},
    decode::{message, named},
};
use crate::{
    draft::Draft,
    expr::Expr,
    formulation::projection::{Asks, Happens, Moments, Place, Projection, Seen, Subject},
    ground::{Need, Record, Value},
};
use milp_schema::{Height, Kind, ReplicaId, View, protocol::Goes, schedule::Value as Named};
use std::collections::{BTreeMap, BTreeSet};

impl Seen for Slots {
    type Key = Key;

    fn asks(&self, projection: Projection) -> BTreeMap<Subject, Asks> {
        match projection {
            Projection::Committed => committed(self),
            Projection::Quorums => quorums(self),
            Projection::Schedule => schedule(self),
        }
    }

    fn draft(&mut self) -> &mut Draft<Key> {
        &mut self.draft
    }

    fn key(number: u32) -> Key {
        Key::Goal("projection", [number, 0, 0])
    }
}

fn about(what: Happens, replicas: &[u32], place: Option<Place>) -> Subject {
    Subject {
        what,
        replicas: replicas.iter().copied().map(ReplicaId).collect(),
        place,
    }
}

/// The place of a record, and its kind, as a schedule names them.
fn placed(slots: &Slots, h: u32, record: &Record) -> (Kind, Option<Place>) {
    let said = message(slots, h, record);
    let place = Place {
        height: said.height,
        view: said.view,
        value: said.value,
        justification: said.justification,
    };
    (said.kind, Some(place))
}

/// The place of a decision.
fn decided(slots: &Slots, h: u32, value: Value) -> Option<Place> {
    let value = named(slots, h, value)?;
    let Named::Block { view, .. } = value else {
        return None;
    };
    Some(Place {
        height: Height(h),
        view,
        value: Some(value),
        justification: None,
    })
}

fn heights_replicas(slots: &Slots) -> impl Iterator<Item = (u32, u32)> {
    let n = slots.n;
    (0..slots.heights).flat_map(move |h| (0..n).map(move |i| (h, i)))
}

/// `Σ did^T` over the deeds that make a vote, and over those that decide.
fn committed(slots: &Slots) -> BTreeMap<Subject, Asks> {
    let mut lines = BTreeMap::new();
    let last = slots.horizon;
    for (h, i) in heights_replicas(slots) {
        let at = &slots.at[h as usize];
        let needs = slots.deciding(h).into_iter();
        let needs = needs.flat_map(|deed| at.deeds[deed].act.needs.clone());
        let counted = needs.filter(|need| matches!(need, Need::Quorum(_)));
        let votes: BTreeSet<Record> = counted
            .flat_map(|need| need.taken(&at.ground).to_vec())
            .collect();
        for vote in votes.iter().filter(|it| !at.ground.is_final(it.kind)) {
            let (kind, place) = placed(slots, h, vote);
            let made = slots.made(h, vote, i, last);
            let subject = about(Happens::Sent(kind), &[i], place);
            lines.insert(subject, Asks::First(vec![made]));
        }
        for (subject, steps) in decisions(slots, h, i) {
            let by = steps.into_iter().next_back().unwrap_or_default();
            lines.insert(subject, Asks::First(vec![by]));
        }
    }
    lines
}

/// When a replica decides which value.
fn decisions(slots: &Slots, h: u32, i: u32) -> Vec<(Subject, Vec<Expr>)> {
    let at = &slots.at[h as usize];
    let finals = at.makers.iter();
    let finals = finals.filter(|(record, _)| at.ground.is_final(record.kind));
    let mut by_value: BTreeMap<Value, Vec<usize>> = BTreeMap::new();
    for (record, deeds) in finals {
        by_value.entry(record.value).or_default().extend(deeds);
    }
    let lines = by_value.into_iter().filter_map(|(value, deeds)| {
        let place = decided(slots, h, value)?;
        let by = |t| deeds.iter().map(|&deed| slots.did(h, deed, i, t)).sum();
        let steps = slots.slots().map(by).collect();
        Some((about(Happens::Decided, &[i], Some(place)), steps))
    });
    lines.collect()
}

/// Everything that a decoded schedule is read off from.
fn schedule(slots: &Slots) -> BTreeMap<Subject, Asks> {
    let mut lines = BTreeMap::new();
    for i in 0..slots.n {
        for (kind, name) in FAULTS {
            let subject = about(Happens::Fault(name), &[i], None);
            lines.insert(subject, Asks::First(vec![slots.faulty(kind, i)]));
        }
        let crashed = slots.slots().map(|t| slots.crashed(i, t)).collect();
        let subject = about(Happens::Fault("crashed"), &[i], None);
        lines.insert(subject, Asks::First(crashed));
    }
    for (h, i) in heights_replicas(slots) {
        for (subject, steps) in deeds(slots, h, i) {
            lines.insert(subject, Asks::First(steps));
        }
        for (subject, steps) in decisions(slots, h, i) {
            lines.insert(subject, Asks::First(steps));
        }
        for record in &slots.at[h as usize].records {
            for j in (0..slots.n).filter(|&j| j != i && slots.may_send(h, record, j)) {
                let (kind, place) = placed(slots, h, record);
                let got = slots.slots().map(|t| slots.got(h, record, i, j, t));
                let subject = about(Happens::Got(kind), &[i, j], place);
                lines.insert(subject, Asks::First(got.collect()));
            }
        }
    }
    lines
}

/// When a replica sends what, enters which view, and which timer makes it.
fn deeds(slots: &Slots, h: u32, i: u32) -> BTreeMap<Subject, Vec<Expr>> {
    let at = &slots.at[h as usize];
    let mut lines: BTreeMap<Subject, Vec<Expr>> = BTreeMap::new();
    for (number, deed) in at.deeds.iter().enumerate() {
        if deed.doubled || matches!(deed.what, What::Starts(_)) || !slots.does(h, number, i) {
            continue;
        }
        let (name, place) = done(slots, h, deed);
        let sent = deed.makes().filter(|record| {
            let kind = at.ground.setting.rules.kind(record.kind);
            kind.goes == Goes::Sent
        });
        let shown = match sent {
            Some(record) => Some(Happens::Sent(slots.message_kind(h, &record))),
            None => deed.is_entry().then_some(Happens::Entered),
        };
        let fired = slots.timer_of(h, number).map(|(timer, _)| {
            let timer = at.ground.setting.rules.timers[timer.0].clone();
            Happens::Fired(timer, name)
        });
        for what in shown.into_iter().chain(fired) {
            let by = lines.entry(about(what, &[i], place)).or_default();
            by.resize(slots.horizon as usize, Expr::default());
            for (step, t) in by.iter_mut().zip(slots.slots()) {
                *step += slots.did(h, number, i, t);
            }
        }
    }
    lines
}

/// The name of what a deed makes, and where.
fn done(slots: &Slots, h: u32, deed: &Deed) -> (String, Option<Place>) {
    if let Some(record) = deed.makes() {
        let place = Place {
            height: Height(h),
            view: View(record.view),
            value: named(slots, h, record.value),
            justification: record.justification.map(View),
        };
        return (slots.kind(h, &record), Some(place));
    }
    let place = Place {
        height: Height(h),
        view: View(deed.act.letters.v),
        value: None,
        justification: None,
    };
    ("enter".to_owned(), Some(place))
}

/// Whose messages stand behind every record, and behind every step into a view, that asks for a
/// quorum.
fn quorums(slots: &Slots) -> BTreeMap<Subject, Asks> {
    let mut moments: BTreeMap<Subject, Moments> = BTreeMap::new();
    for (h, i) in heights_replicas(slots) {
        let at = &slots.at[h as usize];
        for (number, deed) in at.deeds.iter().enumerate() {
            if deed.doubled || matches!(deed.what, What::Starts(_)) || !slots.does(h, number, i) {
                continue;
            }
            // A deed that asks for two quorums of the same kinds counts in two ways.
            let mut before: BTreeMap<Vec<Kind>, u32> = BTreeMap::new();
            for need in &deed.act.needs {
                let Need::Quorum(quorum) = *need else {
                    continue;
                };
                let records = at.ground.quorums[quorum].records.iter();
                let kinds = records.map(|it| slots.message_kind(h, it));
                let kinds: Vec<Kind> = kinds.collect::<BTreeSet<_>>().into_iter().collect();
                let ways = before.entry(kinds.clone()).or_default();
                *ways += 1;
                let (mut name, place) = done(slots, h, deed);
                if *ways > 1 {
                    name = format!("{name}_{ways}");
                }
                for j in 0..slots.n {
                    let counts = Happens::Counts(name.clone(), kinds.clone());
                    let held = slots.slots().map(|t| {
                        let now = slots.does_in(h, number, i, t);
                        (now, slots.counted(h, quorum, i, j, t))
                    });
                    let subject = about(counts, &[i, j], place);
                    moments.entry(subject).or_default().extend(held);
                }
            }
        }
    }
    let asks = moments.into_iter();
    asks.map(|(subject, moments)| (subject, Asks::Both(moments)))
        .collect()
}
