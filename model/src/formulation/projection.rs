//! What is looked at when schedules are told apart: lines, each of which has one value in a
//! schedule, and the columns that say it. A formulation gives the lines (`Seen`); the rest is
//! stated here.
//!
//! A line asks when something happens first; where slots do not matter, whether it has happened by
//! the last one.

use crate::{draft::Draft, expr::Expr, program::Tag};
use milp_schema::{Height, Kind, ReplicaId, View, schedule::Value};
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

/// Where a line is about something that happens at a height, in a view, perhaps about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Height.
    pub height: Height,
    /// View.
    pub view: View,
    /// The value, if one is meant.
    pub value: Option<Value>,
    /// The view that justifies it, if one does.
    pub justification: Option<View>,
}

impl Place {
    /// In letters that a column's name may have: a value of another view is named with it.
    fn name(self) -> String {
        let value = match self.value {
            None => String::new(),
            Some(Value::Nil) => "_nil".to_owned(),
            Some(Value::Bad) => "_bad".to_owned(),
            Some(Value::Block { view, index }) if view == self.view => format!("_b{index}"),
            Some(Value::Block { view, index }) => format!("_u{view}_b{index}"),
        };
        let justified = self.justification.map(|view| format!("_c{view}"));
        format!(
            "_h{}_v{}{value}{}",
            self.height,
            self.view,
            justified.unwrap_or_default()
        )
    }
}

/// What happens in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happens {
    /// Somebody is faulty in that way, or crashed.
    Fault(&'static str),
    /// An event of that name happens, if it is one of a rule and no message is named.
    Did(&'static str),
    /// A timer fires for a record of that kind, or for a step into a view.
    Fired(String, String),
    /// A message of the kind is sent.
    Sent(Kind),
    /// A copy of it arrives.
    Got(Kind),
    /// A Byzantine replica puts one into the pool.
    Injected(Kind),
    /// A view is entered.
    Entered,
    /// The event, or the step into a view, counts messages of these kinds.
    Counts(String, Vec<Kind>),
    /// A block is decided.
    Decided,
}

impl Happens {
    /// In letters that a column's name may have.
    fn name(&self) -> String {
        let name = match self {
            Self::Fault(name) => (*name).to_owned(),
            Self::Did(event) => format!("did_{event}"),
            Self::Fired(timer, for_what) => format!("fired_{timer}_{for_what}"),
            Self::Sent(kind) => format!("sent_{}", kind.name()),
            Self::Got(kind) => format!("got_{}", kind.name()),
            Self::Injected(kind) => format!("injected_{}", kind.name()),
            Self::Entered => "entered".to_owned(),
            Self::Counts(event, kinds) => {
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                format!("{event}_counts_{}", kinds.join("_"))
            }
            Self::Decided => "decided".to_owned(),
        };
        name.replace('-', "_")
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
        let place = self.place.map_or_else(String::new, Place::name);
        format!(
            "{}{}{place}",
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
    Both { column: Expr, moments: Moments },
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

/// What happens in a slot and what is held at its end, for every moment; at one of them at most it
/// happens.
pub(crate) type Moments = Vec<(Expr, Expr)>;

/// What a line asks.
#[derive(Debug)]
pub(crate) enum Asks {
    /// Which of these is the first that is 1; from one to the next they never fall.
    First(Vec<Expr>),
    /// Whether both of a pair are 1 at some moment.
    Both(Moments),
}

/// What a formulation gives so that schedules can be told apart.
pub(crate) trait Seen {
    /// What a column stands for.
    type Key: Clone + Ord;

    /// What a projection asks.
    fn asks(&self, projection: Projection) -> BTreeMap<Subject, Asks>;

    /// The program under construction.
    fn draft(&mut self) -> &mut Draft<Self::Key>;

    /// What column number `number` of a projection stands for.
    fn key(number: u32) -> Self::Key;
}

/// The lines of a projection, their columns stated.
pub(super) fn stated<S: Seen>(seen: &mut S, projection: Projection) -> Vec<Line> {
    let mut asks = seen.asks(projection);
    // Who never can be held, and what never can happen, needs no line.
    asks.retain(|_, asks| match asks {
        Asks::First(steps) => steps.iter().any(|step| !step.is_constant()),
        Asks::Both(moments) => moments.iter().any(|(_, held)| !held.is_constant()),
    });
    let lines = asks.into_iter().zip(0..);
    lines
        .map(|((subject, asks), number)| {
            let says = match asks {
                Asks::First(steps) => Says::First(steps),
                Asks::Both(moments) => {
                    let column = seen.draft().add(S::key(number), subject.name(), 1);
                    defined(seen.draft(), &subject, &moments, &column.into());
                    let column = column.into();
                    Says::Both { column, moments }
                }
            };
            Line { subject, says }
        })
        .collect()
}

/// A column that is 1 iff both of a pair are at some moment, of which the first is at one at most:
/// `happens^t + held^t − 1 ≤ counts ≤ 1 − happens^t + held^t`, `counts ≤ Σ_t happens^t`.
fn defined<K: Clone + Ord>(
    draft: &mut Draft<K>,
    subject: &Subject,
    moments: &Moments,
    column: &Expr,
) {
    let family = draft.family("counts_is_held", "E7", &[], Tag::Goal);
    let label = format!("_{}", subject.name());
    let mut ever = Expr::default();
    for ((happens, held), t) in moments.iter().zip(1..) {
        let both = happens.clone() + held.clone() + (-1);
        draft.at_most(family, &format!("{label}_t{t}_a"), both, column.clone());
        let held = 1 - happens.clone() + held.clone();
        draft.at_most(family, &format!("{label}_t{t}_b"), column.clone(), held);
        ever += happens.clone();
    }
    draft.at_most(family, &label, column.clone(), ever);
}
