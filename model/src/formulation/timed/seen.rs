//! What projections ask of the columns.

use super::{
    columns::{FAULTS, Indices, Key, Timed},
    first::with_slot,
};
use crate::{
    draft::Draft,
    expr::Expr,
    formulation::projection::{Asks, Happens, Place, Projection, Seen, Subject},
    rule::{Enter, Requires},
};
use milp_schema::{Height, Kind, ReplicaId, View, schedule::Value};
use std::collections::BTreeMap;

impl Seen for Timed {
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

fn place(h: u32, v: u32, block: Option<u32>) -> Place {
    let view = View(v);
    Place {
        height: Height(h),
        view,
        value: block.map(|index| Value::Block { view, index }),
        justification: None,
    }
}

/// `Σ did^T` over the events that send a vote, and over those that decide.
fn committed(timed: &Timed) -> BTreeMap<Subject, Asks> {
    let votes = votes(timed);
    let last = timed.horizon;
    let mut lines = BTreeMap::new();
    for (h, v) in timed.height_views() {
        for b in timed.blocks(h, v) {
            for i in 0..timed.n {
                let mut line = |what: Happens, by: Expr| {
                    let subject = Subject {
                        what,
                        replicas: vec![ReplicaId(i)],
                        place: Some(place(h, v, Some(b))),
                    };
                    lines.insert(subject, Asks::First(vec![by]));
                };
                for kind in &votes {
                    let sent = timed.sent(timed.channel(kind), i, h, v, b, last);
                    line(Happens::Sent(*kind), sent);
                }
                line(Happens::Decided, timed.decided_block(i, h, v, b, last));
            }
        }
    }
    lines
}

/// The kinds of message that decisions count.
fn votes(timed: &Timed) -> Vec<Kind> {
    let deciding = timed.events.iter().filter(|event| event.decides);
    let mut kinds: Vec<Kind> = vec![];
    for requirement in deciding.flat_map(|event| &event.requires) {
        if let Requires::Tally { of, .. } = requirement {
            let new = of.iter().filter(|kind| !kinds.contains(kind)).copied();
            let new: Vec<Kind> = new.collect();
            kinds.extend(new);
        }
    }
    kinds
}

/// Everything that a decoded schedule is read off from.
fn schedule(timed: &Timed) -> BTreeMap<Subject, Asks> {
    let last = timed.horizon;
    let mut lines = BTreeMap::new();
    for (key, col) in timed.draft.keys() {
        let Some((what, replicas, at)) = said(timed, key) else {
            continue;
        };
        let steps = match at {
            Some((_, t)) if t < last => continue,
            None => vec![Expr::from(col)],
            Some(_) => timed
                .slots()
                .map(|t| {
                    timed
                        .draft
                        .col(&with_slot(key, t))
                        .map(Expr::from)
                        .unwrap_or_default()
                })
                .collect(),
        };
        let subject = Subject {
            what,
            replicas: replicas.into_iter().map(ReplicaId).collect(),
            place: at.and_then(|(place, _)| place),
        };
        lines.insert(subject, Asks::First(steps));
    }
    lines
}

/// What a column says, of whom, where and by which slot, if a schedule says it.
type Said = (Happens, Vec<u32>, Option<(Option<Place>, u32)>);

fn said(timed: &Timed, key: &Key) -> Option<Said> {
    let kind = |c: usize| timed.protocol.channels[c].kind;
    let at = |at: Indices| Some((Some(place(at.h, at.v, Some(at.b))), at.t));
    Some(match *key {
        Key::Faulty(kind, i) => {
            let (_, name) = FAULTS.iter().find(|(fault, _)| *fault == kind)?;
            (Happens::Fault(name), vec![i], None)
        }
        Key::Crashed(i, t) => (Happens::Fault("crashed"), vec![i], Some((None, t))),
        Key::Did(e, i, indices) => {
            let did = Happens::Did(timed.events[e].name);
            (did, vec![i], at(indices))
        }
        Key::Got(c, i, j, indices) => (Happens::Got(kind(c)), vec![i, j], at(indices)),
        Key::Injected(c, i, indices) => (Happens::Injected(kind(c)), vec![i], at(indices)),
        Key::Entered(i, indices) => {
            let place = Some(place(indices.h, indices.v, None));
            (Happens::Entered, vec![i], Some((place, indices.t)))
        }
        _ => return None,
    })
}

/// Whose messages stand behind every event with a tally, and behind every step into a view.
fn quorums(timed: &Timed) -> BTreeMap<Subject, Asks> {
    let mut drafts = BTreeMap::new();
    for (h, v) in timed.height_views() {
        for e in 0..timed.events.len() {
            tallies(timed, (e, h, v), &mut drafts);
        }
        if let Some(enter) = timed.protocol.enter().filter(|_| v > 0) {
            steps(timed, enter, (h, v), &mut drafts);
        }
    }
    drafts
}

/// The senders that event e may count in view v of height h.
fn tallies(timed: &Timed, (e, h, v): (usize, u32, u32), drafts: &mut BTreeMap<Subject, Asks>) {
    let event = &timed.events[e];
    for requirement in &event.requires {
        let (kinds, over) = match requirement {
            Requires::Tally { of, .. } => (of.as_slice(), v..v + 1),
            Requires::TallyOverViews { of, .. } => (std::slice::from_ref(of), timed.all_views()),
            _ => continue,
        };
        for b in timed.about(event, h, v) {
            for i in (0..timed.n).filter(|&i| timed.does(event, i, h, v)) {
                for j in 0..timed.n {
                    let held = |t: u32| -> Expr {
                        let views = over.clone();
                        let held = views.flat_map(|u| kinds.iter().map(move |kind| (u, kind)));
                        held.map(|(u, kind)| timed.took(timed.channel(kind), i, j, h, u, b, t))
                            .sum()
                    };
                    let did = |t: u32| timed.did(e, i, h, v, b, t);
                    let moments = timed.slots().map(|t| (did(t) - did(t - 1), held(t)));
                    let subject = Subject {
                        what: Happens::Counts(event.name.to_owned(), kinds.to_vec()),
                        replicas: vec![ReplicaId(i), ReplicaId(j)],
                        place: Some(place(h, v, Some(b))),
                    };
                    drafts.insert(subject, Asks::Both(moments.collect()));
                }
            }
        }
    }
}

/// Whose requests lead a replica into view v or a later one.
fn steps(timed: &Timed, enter: &Enter, (h, v): (u32, u32), drafts: &mut BTreeMap<Subject, Asks>) {
    let c = timed.channel(&enter.of);
    for i in 0..timed.n {
        for j in 0..timed.n {
            let held = |t: u32| match () {
                () if timed.pools() => {
                    timed.sent(c, j, h, v - 1, 0, t - 1)
                        + timed.injected_since(c, j, h, v - 1, t - 1)
                }
                () if i == j => timed.sent(c, i, h, v - 1, 0, t),
                () => timed.asked(i, j, h, v, t),
            };
            let entered = |t: u32| timed.entered(i, h, v, t);
            let moments = timed
                .slots()
                .map(|t| (entered(t) - entered(t - 1), held(t)));
            let subject = Subject {
                what: Happens::Counts("enter".to_owned(), vec![enter.of]),
                replicas: vec![ReplicaId(i), ReplicaId(j)],
                place: Some(place(h, v, None)),
            };
            drafts.insert(subject, Asks::Both(moments.collect()));
        }
    }
}
