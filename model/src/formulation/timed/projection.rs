//! What is looked at when schedules are told apart: lines, each of which has one value in a
//! schedule, and the columns that say it.
//!
//! A line asks when something happens first; where slots do not matter, whether it has happened by
//! the last one.

use super::{
    Built, close,
    columns::{FAULTS, Indices, Key, Timed},
    first::with_slot,
    open,
};
use crate::{
    error::Error,
    expr::Expr,
    limits::{self, Grows},
    program::{FamilyId, Tag},
    protocols,
    rule::{Enter, Requires},
};
use milp_schema::{Height, Instance, Kind, ReplicaId, View};
use std::{cmp::Ordering, collections::BTreeMap};

/// What of a schedule counts when two are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Projection {
    /// Which honest replica casts the vote that decisions count, and which decides, for which
    /// block.
    Committed,
    /// From whom every honest replica holds the messages of a tally when it acts on it.
    Quorums,
    /// Everything that a schedule says, in which slot.
    Schedule,
}

/// Where a line is about something that happens at a height, in a view, perhaps about a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Height.
    pub height: Height,
    /// View.
    pub view: View,
    /// Index of the block, if one is meant.
    pub block: Option<u32>,
}

/// What happens in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happens {
    /// Somebody is faulty in that way, or crashed.
    Fault(&'static str),
    /// An event of that name happens, if it is one of a rule and no message is named.
    Did(&'static str),
    /// A message of the kind is sent.
    Sent(Kind),
    /// A copy of it arrives.
    Got(Kind),
    /// A Byzantine replica puts one into the pool.
    Injected(Kind),
    /// A view is entered.
    Entered,
    /// The event, or the step into a view, counts messages of these kinds.
    Counts(&'static str, Vec<Kind>),
    /// A block is decided.
    Decided,
}

impl Happens {
    /// In letters that a column's name may have.
    fn name(&self) -> String {
        match self {
            Self::Fault(name) => (*name).to_owned(),
            Self::Did(event) => format!("did_{event}"),
            Self::Sent(kind) => format!("sent_{}", kind.name()),
            Self::Got(kind) => format!("got_{}", kind.name()),
            Self::Injected(kind) => format!("injected_{}", kind.name()),
            Self::Entered => "entered".to_owned(),
            Self::Counts(event, kinds) => {
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                format!("{event}_counts_{}", kinds.join("_"))
            }
            Self::Decided => "decided".to_owned(),
        }
    }
}

/// In the order of the names.
impl Ord for Happens {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(&other.name())
    }
}

impl PartialOrd for Happens {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a line is about; a renaming of the replicas changes `replicas` only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// What happens.
    pub what: Happens,
    /// To whom: who acts, and then whose message it is about, if any.
    pub replicas: Vec<ReplicaId>,
    /// Where.
    pub place: Option<Place>,
}

impl Subject {
    /// Its name, like that of a column: `sent_Commit_i2_h0_v0_b0`.
    pub fn name(&self) -> String {
        let replicas = self.replicas.iter().zip(["i", "j"]);
        let replicas = replicas.map(|(replica, letter)| format!("_{letter}{}", replica.0));
        let place = self.place.map_or_else(String::new, |place| {
            format!("_h{}_v{}", place.height.0, place.view.0)
        });
        let block = self.place.and_then(|place| place.block);
        let block = block.map_or_else(String::new, |block| format!("_b{block}"));
        format!(
            "{}{}{place}{block}",
            self.what.name(),
            replicas.collect::<String>()
        )
    }
}

/// One question that a projection asks of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is about.
    pub subject: Subject,
    says: Says,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Says {
    /// The first of these that is 1; from one to the next they never fall.
    First(Vec<Expr>),
    /// Whether both of a pair are 1 at some moment, which the column says.
    Both {
        column: Expr,
        moments: Vec<(Expr, Expr)>,
    },
}

impl Line {
    /// How many values there are besides none.
    pub fn values(&self) -> u32 {
        match &self.says {
            Says::First(steps) => steps.len() as u32,
            Says::Both { .. } => 1,
        }
    }

    /// The value of the line at a point: when it happens, from 0; `None` if it does not. The point
    /// may lack the columns that are there for projections only.
    ///
    /// # Panics
    /// If the point lacks others.
    pub fn value(&self, point: &[i64]) -> Option<u32> {
        let at = |expr: &Expr| {
            let terms = expr.terms().map(|(col, k)| k * point[col.index()]);
            expr.constant() + terms.sum::<i64>()
        };
        match &self.says {
            Says::First(steps) => (0..)
                .zip(steps)
                .find(|(_, step)| at(step) > 0)
                .map(|(s, _)| s),
            Says::Both { moments, .. } => {
                let both = |(one, other): &(Expr, Expr)| at(one) > 0 && at(other) > 0;
                moments.iter().any(both).then_some(0)
            }
        }
    }

    /// 0 iff the line has that value; otherwise 1 or more.
    pub fn differs_from(&self, value: Option<u32>) -> Expr {
        match (&self.says, value) {
            (Says::First(steps), None) => steps.last().cloned().unwrap_or_default(),
            (Says::First(steps), Some(value)) => {
                let at = value as usize;
                let before = at.checked_sub(1).map(|before| steps[before].clone());
                1 - steps[at].clone() + before.unwrap_or_default()
            }
            (Says::Both { column, .. }, None) => column.clone(),
            (Says::Both { column, .. }, Some(_)) => 1 - column.clone(),
        }
    }
}

/// Builds the program of an instance with the columns that a projection asks for, which come last,
/// and the projection's lines, ascending by subject.
///
/// # Errors
/// As for [`super::of`].
pub fn projected(instance: &Instance, projection: Projection) -> Result<(Built, Vec<Line>), Error> {
    limits::within(instance, Grows::WithSlots, || seen(instance, projection))
}

fn seen(instance: &Instance, projection: Projection) -> Result<(Built, Vec<Line>), Error> {
    let mut timed = open(instance, &protocols::of(instance)?, &[])?;
    let mut lines = match projection {
        Projection::Committed => committed(&timed),
        Projection::Quorums => quorums(&mut timed),
        Projection::Schedule => schedule(&timed),
    };
    lines.retain(
        |line| !matches!(&line.says, Says::First(steps) if steps.iter().all(Expr::is_constant)),
    );
    lines.sort_by(|one, other| one.subject.cmp(&other.subject));
    Ok((close(timed), lines))
}

fn place(h: u32, v: u32, block: Option<u32>) -> Place {
    Place {
        height: Height(h),
        view: View(v),
        block,
    }
}

/// `Σ did^T` over the events that send a vote, and over those that decide.
fn committed(timed: &Timed) -> Vec<Line> {
    let votes = votes(timed);
    let last = timed.horizon;
    let mut lines = vec![];
    for (h, v) in timed.height_views() {
        for b in timed.blocks(h, v) {
            for i in 0..timed.n {
                let mut line = |what: Happens, by: Expr| {
                    let subject = Subject {
                        what,
                        replicas: vec![ReplicaId(i)],
                        place: Some(place(h, v, Some(b))),
                    };
                    let says = Says::First(vec![by]);
                    lines.push(Line { subject, says });
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
fn schedule(timed: &Timed) -> Vec<Line> {
    let last = timed.horizon;
    let mut lines = vec![];
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
        let says = Says::First(steps);
        lines.push(Line { subject, says });
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
fn quorums(timed: &mut Timed) -> Vec<Line> {
    let mut drafts = BTreeMap::new();
    for (h, v) in timed.height_views() {
        for e in 0..timed.events.len() {
            tallies(timed, (e, h, v), &mut drafts);
        }
        if let Some(enter) = timed.protocol.enter().filter(|_| v > 0) {
            steps(timed, enter, (h, v), &mut drafts);
        }
    }
    // A sender who never can be held needs no line.
    drafts.retain(|_, moments: &mut Moments| moments.iter().any(|(_, held)| !held.is_constant()));
    let family = timed.draft.family("counts_is_held", "E7", &[], Tag::Goal);
    let lines = drafts.into_iter().zip(0..);
    lines
        .map(|((subject, moments), number)| {
            let column = defined(timed, family, &subject, &moments, number);
            let says = Says::Both { column, moments };
            Line { subject, says }
        })
        .collect()
}

/// What happens in a slot and what is held at its end, for every slot.
type Moments = Vec<(Expr, Expr)>;

/// The senders that event e may count in view v of height h.
fn tallies(timed: &Timed, (e, h, v): (usize, u32, u32), drafts: &mut BTreeMap<Subject, Moments>) {
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
                        what: Happens::Counts(event.name, kinds.to_vec()),
                        replicas: vec![ReplicaId(i), ReplicaId(j)],
                        place: Some(place(h, v, Some(b))),
                    };
                    drafts.insert(subject, moments.collect());
                }
            }
        }
    }
}

/// Whose requests lead a replica into view v or a later one.
fn steps(
    timed: &Timed,
    enter: &Enter,
    (h, v): (u32, u32),
    drafts: &mut BTreeMap<Subject, Moments>,
) {
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
                what: Happens::Counts("enter", vec![enter.of]),
                replicas: vec![ReplicaId(i), ReplicaId(j)],
                place: Some(place(h, v, None)),
            };
            drafts.insert(subject, moments.collect());
        }
    }
}

/// A column that is 1 iff both of a pair are at some moment, of which the first is at one at most:
/// `happens^t + held^t − 1 ≤ counts ≤ 1 − happens^t + held^t`, `counts ≤ Σ_t happens^t`.
fn defined(
    timed: &mut Timed,
    family: FamilyId,
    subject: &Subject,
    moments: &Moments,
    number: u32,
) -> Expr {
    let column = timed.projection_column(subject.name(), number);
    let label = format!("_{}", subject.name());
    let mut ever = Expr::default();
    for ((happens, held), t) in moments.iter().zip(timed.slots()) {
        let both = happens.clone() + held.clone() + (-1);
        timed
            .draft
            .at_most(family, &format!("{label}_t{t}_a"), both, column.clone());
        let held = 1 - happens.clone() + held.clone();
        timed
            .draft
            .at_most(family, &format!("{label}_t{t}_b"), column.clone(), held);
        ever += happens.clone();
    }
    timed.draft.at_most(family, &label, column.clone(), ever);
    column
}
