//! What a guard reads, and whether it holds.

use super::{
    World,
    replica::{Record, Replica, Taken},
};
use milp_schema::{
    ReplicaId, Value, View,
    protocol::{
        Condition, Earlier, Goes, Guard, Head, Justified, Justifies, Pattern, Reads, Rule, Rules,
        ValueField, Values, Views,
    },
};
use std::collections::BTreeSet;

/// What the letters of a rule stand for; a letter that it has not stands for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letters {
    pub(super) v: View,
    pub(super) x: Option<Value>,
    pub(super) c: Option<View>,
    pub(super) d: Option<View>,
}

/// Which letters the guards of a rule read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) x: bool,
    pub(super) c: bool,
    pub(super) d: bool,
}

impl Bound {
    pub(super) fn of(rule: &Rule) -> Self {
        let reads = |is: fn(&Pattern) -> bool| rule.guards().any(|guard| is(&guard.pattern));
        let made = matches!(
            rule.head,
            Head::Make {
                justification: Justifies::C,
                ..
            }
        );
        let below = |letter| {
            let is = |it: &Condition| matches!(it, Condition::Below(of, _) if *of == letter);
            rule.conditions.iter().any(is)
        };
        let c = |it: &Pattern| {
            matches!(it.view, Views::C | Views::AfterC | Views::FromC)
                || matches!(
                    it.justification,
                    Justified::C | Justified::UpToC | Justified::AfterC | Justified::FromC
                )
        };
        Self {
            x: reads(|it| matches!(it.value, Values::X | Values::Other)),
            c: made || below(Earlier::C) || reads(c),
            d: below(Earlier::D) || reads(|it| it.justification == Justified::D),
        }
    }
}

/// Whether a condition between views holds.
pub(super) fn allows(condition: Condition, at: &Letters) -> bool {
    match condition {
        Condition::At(view) => at.v.0 == view,
        Condition::After(view) => at.v.0 > view,
        Condition::Below(letter, back) => {
            let earlier = match letter {
                Earlier::C => at.c,
                Earlier::D => at.d,
            };
            earlier.is_some_and(|view| view.0.saturating_add(back) < at.v.0)
        }
    }
}

fn view(pattern: &Pattern, record: View, at: &Letters) -> bool {
    let v = at.v;
    let after_c = |least: u32| {
        let from = at.c.map(|c| c.0 + least);
        from.is_some_and(|from| record.0 >= from) && record < v
    };
    match pattern.view {
        Views::Own => record == v,
        Views::Back(back) => record.0.checked_add(back) == Some(v.0),
        Views::C => at.c == Some(record),
        Views::Before => record < v,
        Views::UpTo => record <= v,
        Views::AfterC => after_c(1),
        Views::FromC => after_c(0),
        Views::From(back) => record.0.saturating_add(back) >= v.0,
        Views::Any => true,
    }
}

fn value(pattern: &Pattern, record: Option<Value>, at: &Letters) -> bool {
    match pattern.value {
        Values::X => record.is_some() && record == at.x,
        Values::Other => !matches!(record, None | Some(Value::Nil)) && record != at.x,
        Values::Nil => record == Some(Value::Nil),
        Values::Bad => record == Some(Value::Bad),
        Values::None => record.is_none(),
        Values::Any => true,
    }
}

fn justification(pattern: &Pattern, record: Option<View>, at: &Letters) -> bool {
    let against = |holds: fn(View, View) -> bool| {
        let both = record.zip(at.c);
        both.is_some_and(|(record, c)| holds(record, c))
    };
    match pattern.justification {
        Justified::C => record.is_some() && record == at.c,
        Justified::D => record.is_some() && record == at.d,
        Justified::UpToC => record.is_none() || against(|record, c| record <= c),
        Justified::AfterC => against(|record, c| record > c),
        Justified::FromC => against(|record, c| record >= c),
        Justified::Back(back) => record.is_some_and(|view| view.0 + back == at.v.0),
        Justified::Some => record.is_some(),
        Justified::None => record.is_none(),
        Justified::Any => true,
    }
}

/// Whether a record is one of a pattern.
fn fits(rules: &Rules, pattern: &Pattern, record: &Record, at: &Letters) -> bool {
    let kind = rules.kind(record.kind);
    pattern.kinds.contains(&record.kind)
        && view(pattern, record.view, at)
        && (kind.value == ValueField::None || value(pattern, record.value, at))
        && (!kind.justified || justification(pattern, record.justification, at))
}

/// The views of a range that `each` goes through.
fn range(pattern: &Pattern, at: &Letters) -> std::ops::Range<u32> {
    let start = match pattern.view {
        Views::AfterC => at.c.map_or(at.v.0, |c| c.0 + 1),
        Views::FromC => at.c.map_or(at.v.0, |c| c.0),
        _ => 0,
    };
    start..at.v.0
}

/// What a replica reads: its own records, and those of anybody.
struct Reader<'a> {
    world: &'a World,
    replica: &'a Replica,
    at: &'a Letters,
}

impl Reader<'_> {
    fn fits(&self, guard: &Guard, record: &Record, only: Option<View>) -> bool {
        let here = only.is_none_or(|view| record.view == view);
        here && fits(&self.world.setup.rules, &guard.pattern, record, self.at)
    }

    /// The records of anybody that the guard reads, if those are where it looks.
    fn read<'b>(
        &'b self,
        guard: &'b Guard,
        only: Option<View>,
        from: impl Iterator<Item = (ReplicaId, Record)> + 'b,
    ) -> impl Iterator<Item = ReplicaId> + 'b {
        let height = self.replica.height;
        let leads =
            move |sender, record: &Record| sender == self.world.setup.primary(height, record.view);
        from.filter(move |(sender, record)| {
            self.fits(guard, record, only)
                && (guard.reads != Reads::Primary || leads(*sender, record))
        })
        .map(|(sender, _)| sender)
    }

    /// Whether the guard holds of records of anybody.
    fn of_others(
        &self,
        guard: &Guard,
        only: Option<View>,
        from: impl Iterator<Item = (ReplicaId, Record)>,
    ) -> bool {
        let mut senders = self.read(guard, only, from);
        let Reads::Senders(number) = &guard.reads else {
            return senders.next().is_some();
        };
        let setup = &self.world.setup;
        let senders: BTreeSet<ReplicaId> = senders.collect();
        let power = senders.iter().map(|id| setup.power[id.index()]);
        power.sum::<u32>() >= setup.needs(number)
    }

    /// Whether the guard holds, of the one view if one is given; `carriers` are the messages that a
    /// proof may travel with.
    fn holds_in(&self, guard: &Guard, only: Option<View>, carriers: &[usize]) -> bool {
        let own = &self.replica.own;
        match guard.reads {
            Reads::Own => own.iter().any(|record| self.fits(guard, record, only)),
            Reads::LastOwn => {
                let blocks = |it: &&Record| {
                    guard.pattern.kinds.contains(&it.kind)
                        && matches!(it.value, Some(Value::Block { .. }))
                };
                let last = own.iter().filter(blocks).max_by_key(|record| record.view);
                last.is_some_and(|record| self.fits(guard, record, only))
            }
            Reads::Primary | Reads::Senders(_) if guard.proof => carriers.iter().any(|existed| {
                let sent = &self.world.posts[..*existed];
                let of_height = sent
                    .iter()
                    .filter(|post| post.message.height == self.replica.height);
                let records = of_height.filter_map(|post| Some((post.author, post.record?)));
                self.of_others(guard, only, records)
            }),
            Reads::Primary | Reads::Senders(_) => {
                let taken = self.replica.taken.iter();
                self.of_others(guard, only, taken.map(|it| (it.sender, it.record)))
            }
        }
    }

    fn holds(&self, guard: &Guard, carriers: &[usize]) -> bool {
        if guard.each {
            let mut views = range(&guard.pattern, self.at).map(View);
            return views.all(|view| self.holds_in(guard, Some(view), carriers));
        }
        self.holds_in(guard, None, carriers)
    }

    /// When the messages were sent that the first guard beside a proof reads.
    fn carriers(&self, rule: &Rule) -> Vec<usize> {
        let sent =
            |it: &&Guard| !it.proof && matches!(it.reads, Reads::Primary | Reads::Senders(_));
        let Some(beside) = rule.when.iter().find(sent) else {
            return Vec::new();
        };
        let reads = |it: &&Taken| {
            let one = std::iter::once((it.sender, it.record));
            self.read(beside, None, one).next().is_some()
        };
        let taken = self.replica.taken.iter().filter(reads);
        taken.map(|it| it.existed).collect()
    }
}

/// Whether everything that the rule asks for holds, and nothing that it must not find.
pub(super) fn all_hold(world: &World, replica: &Replica, rule: &Rule, at: &Letters) -> bool {
    let reader = Reader { world, replica, at };
    let proves = rule.guards().any(|guard| guard.proof);
    let carriers = if proves {
        reader.carriers(rule)
    } else {
        Vec::new()
    };
    rule.conditions.iter().all(|it| allows(*it, at))
        && rule.when.iter().all(|guard| reader.holds(guard, &carriers))
        && !rule
            .unless
            .iter()
            .any(|guard| reader.holds(guard, &carriers))
}

/// Whether a message can be such a record at all.
pub(super) fn well_formed(rules: &Rules, record: &Record) -> bool {
    let kind = rules.kind(record.kind);
    let value = match (kind.value, record.value) {
        (ValueField::None, value) => value.is_none(),
        (ValueField::Block, Some(Value::Block { view, .. })) => view == record.view,
        (ValueField::Block, _) => false,
        (ValueField::Any, value) => value.is_some() || kind.justified,
    };
    let earlier = |view: View| kind.justified && view < record.view;
    kind.goes == Goes::Sent && value && record.justification.is_none_or(earlier)
}
