//! Which two records of one replica no honest one makes both, by the rules of a file: the guards behind
//! `unless` are asked of replicas that made the first record, and of those that made others since.

use super::{
    Interpreter,
    guard::{Letters, Reader, allows},
    replica::{Record, Replica},
};
use crate::{Error, error::Error::NoRules};
use milp_schema::{
    Height, Instance, Message, ReplicaId, Value, View,
    protocol::{Goes, Guard, Head, Justifies, KindId, Made, Mode, Reads, Rule, Scope, Views},
};
use std::collections::BTreeSet;

/// The rules that judge.
pub(crate) struct Guilt {
    replicas: Interpreter,
}

impl Guilt {
    /// Of an instance's protocol file; `None` where no file has rules.
    ///
    /// # Errors
    /// Rules that cannot be followed.
    pub(crate) fn of(instance: &Instance) -> Result<Option<Self>, Error> {
        match Interpreter::of(instance) {
            Ok(replicas) => Ok(Some(Self { replicas })),
            Err(NoRules { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Whether nobody honest makes both: two of one kind and view, or one that bars the other; of one
    /// view either, since nobody knows which came first.
    pub(crate) fn convicts(&self, j: ReplicaId, first: &Message, second: &Message) -> bool {
        if first == second || first.height != second.height {
            return false;
        }
        if (first.kind, first.view) == (second.kind, second.view) {
            return true;
        }
        let [Some(one), Some(other)] = [first, second].map(|it| self.vote(it)) else {
            return false;
        };
        let height = first.height;
        match one.view.cmp(&other.view) {
            std::cmp::Ordering::Less => self.bars(height, j, &one, &other),
            std::cmp::Ordering::Greater => self.bars(height, j, &other, &one),
            std::cmp::Ordering::Equal => {
                self.bars(height, j, &one, &other) && self.bars(height, j, &other, &one)
            }
        }
    }

    /// The record of a message that is no decision.
    fn vote(&self, message: &Message) -> Option<Record> {
        let rules = &self.replicas.world.setup.rules;
        let kind = rules.named(message.kind.name())?;
        let is_vote = rules.kind(kind).goes == Goes::Sent && !rules.kind(kind).is_final;
        is_vote.then_some(Record {
            kind,
            view: message.view,
            value: message.value,
            justification: message.justification,
        })
    }

    /// Whether who made `early` can do no rule that makes `late`; there is one.
    fn bars(&self, height: Height, j: ReplicaId, early: &Record, late: &Record) -> bool {
        let setup = &self.replicas.world.setup;
        let may = |rule: &&Rule| setup.may(j, rule.who, height, late.view);
        let mut ways = 0;
        for rule in setup.rules.rules.iter().filter(may) {
            for at in ways_to_make(rule, early, late) {
                ways += 1;
                let held = |guard: &Guard| self.holds_on((height, j), guard, &at, (early, late));
                if rule.scope == Scope::Height || !rule.unless.iter().any(held) {
                    return false;
                }
            }
        }
        ways > 0 && setup.may(j, setup.rules.kind(late.kind).by, height, late.view)
    }

    /// Whether a guard that keeps `late` from being made holds since `early` was, whatever else was.
    fn holds_on(
        &self,
        (height, j): (Height, ReplicaId),
        guard: &Guard,
        at: &Letters,
        (early, late): (&Record, &Record),
    ) -> bool {
        let with = |more: Option<Record>| {
            let mut replica = Replica::new(j);
            replica.height = height;
            replica.view = at.v;
            replica.own.insert(*early);
            replica.own.extend(more);
            let world = &self.replicas.world;
            let replica = &replica;
            Reader { world, replica }.holds(guard, at, &[])
        };
        if guard.reads != Reads::LastOwn {
            return guard.reads == Reads::Own && with(None);
        }
        let since = self.since(guard, early, late);
        let could = |it: &Record| it.view == late.view || !self.bars(height, j, early, it);
        with(None) && since.into_iter().filter(could).all(|it| with(Some(it)))
    }

    /// What may have come to be the latest of what a guard reads, between the two records.
    fn since(&self, guard: &Guard, early: &Record, late: &Record) -> Vec<Record> {
        let behind = self.behind(late.kind);
        let fresh = Value::Block {
            view: View(u32::MAX),
            index: 0,
        };
        let mut values: BTreeSet<Value> = [fresh].into();
        let valid = |it: &Value| matches!(it, Value::Block { .. });
        values.extend(
            [early.value, late.value]
                .into_iter()
                .flatten()
                .filter(valid),
        );
        let mut records = Vec::new();
        for &kind in &guard.pattern.kinds {
            for view in (early.view.0 + 1..=late.view.0).map(View) {
                if view == late.view && behind.contains(&kind) {
                    continue;
                }
                let justified = (0..view.0).map(|c| Some(View(c)));
                for justification in std::iter::once(None).chain(justified) {
                    let record = |&value: &Value| Record {
                        kind,
                        view,
                        value: Some(value),
                        justification,
                    };
                    records.extend(values.iter().map(record));
                }
            }
        }
        records
    }

    /// The kinds of a view that name a value only of replicas that made one of that kind before.
    fn behind(&self, kind: KindId) -> BTreeSet<KindId> {
        let rules = &self.replicas.world.setup.rules;
        let mut behind: BTreeSet<KindId> = [kind].into();
        loop {
            let reads = |rule: &Rule| {
                rule.when.iter().any(|guard| {
                    let kinds = &guard.pattern.kinds;
                    let own = matches!(guard.reads, Reads::Own | Reads::LastOwn);
                    own && guard.pattern.view == Views::Own
                        && kinds.iter().all(|it| behind.contains(it))
                })
            };
            let starts = |rule: &Rule| match rule.mode {
                Mode::Timer(timer) => {
                    let arms =
                        |it: &&Rule| matches!(it.head, Head::Arm { timer: it, .. } if it == timer);
                    rules.rules.iter().filter(arms).all(reads)
                }
                Mode::Must | Mode::May => false,
            };
            let names = |rule: &&Rule, it: KindId| matches!(rule.head, Head::Make { kind, value: Made::X, .. } if kind == it);
            let late = |it: KindId| {
                let mut made = rules.rules.iter().filter(|rule| names(rule, it));
                made.all(|rule| reads(rule) || starts(rule))
            };
            let more = (0..rules.kinds.len()).map(KindId);
            let more: Vec<KindId> = more
                .filter(|it| !behind.contains(it) && late(*it))
                .collect();
            if more.is_empty() {
                return behind;
            }
            behind.extend(more);
        }
    }
}

/// The letters with which a rule makes a record, those that its head has not filled in anyhow.
fn ways_to_make(rule: &Rule, early: &Record, late: &Record) -> Vec<Letters> {
    let Head::Make {
        kind,
        value,
        justification,
    } = rule.head
    else {
        return Vec::new();
    };
    let valid = late.value.filter(|it| matches!(it, Value::Block { .. }));
    let named = match value {
        Made::X => valid.is_some(),
        Made::Nil => late.value == Some(Value::Nil),
        Made::None => late.value.is_none(),
    };
    let justified = match justification {
        Justifies::C | Justifies::D => late.justification.is_some(),
        Justifies::Back(back) => late
            .justification
            .is_some_and(|it| it.0 + back == late.view.0),
        Justifies::None => late.justification.is_none(),
    };
    if kind != late.kind || !named || !justified {
        return Vec::new();
    }
    let own = early.value.filter(|it| matches!(it, Value::Block { .. }));
    let fresh = Some(Value::Block {
        view: View(u32::MAX),
        index: 0,
    });
    let xs: BTreeSet<Option<Value>> = match value {
        Made::X => [valid].into(),
        _ => [own, fresh].into_iter().flatten().map(Some).collect(),
    };
    let earlier = |letter| match late.justification {
        Some(view) if justification == letter => vec![Some(view)],
        _ => (0..late.view.0)
            .map(|it| Some(View(it)))
            .chain([None])
            .collect(),
    };
    let mut ways = Vec::new();
    for &x in &xs {
        for c in earlier(Justifies::C) {
            for d in earlier(Justifies::D) {
                ways.push(Letters {
                    v: late.view,
                    x,
                    c,
                    d,
                });
            }
        }
    }
    ways.retain(|at| {
        let has = |letter: Option<View>, it| letter.is_some() || !reads(rule, it);
        has(at.c, Justifies::C)
            && has(at.d, Justifies::D)
            && rule.conditions.iter().all(|it| allows(*it, at))
    });
    ways
}

/// Whether a guard of the rule has the letter.
fn reads(rule: &Rule, letter: Justifies) -> bool {
    use milp_schema::protocol::Justified;
    rule.guards().any(|guard| {
        let pattern = &guard.pattern;
        match letter {
            Justifies::C => {
                matches!(pattern.view, Views::C | Views::AfterC | Views::FromC)
                    || matches!(
                        pattern.justification,
                        Justified::C | Justified::UpToC | Justified::AfterC | Justified::FromC
                    )
            }
            _ => pattern.justification == Justified::D,
        }
    })
}
