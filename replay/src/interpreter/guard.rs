//! What a guard reads, and whether it holds.

use super::{
    Post, World,
    replica::{Record, Replica, Taken},
};
use milp_schema::{
    ReplicaId, Value, View,
    protocol::{
        Condition, Earlier, Goes, Guard, Justified, Pattern, Reads, Rule, Rules, ValueField,
        Values, Views,
    },
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// What the letters of a rule stand for; a letter that it has not stands for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letters {
    pub(super) v: View,
    pub(super) x: Option<Value>,
    pub(super) c: Option<View>,
    pub(super) d: Option<View>,
}

/// Which letters a guard, or a rule, reads records for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    x: bool,
    c: bool,
    d: bool,
}

impl Bound {
    fn by(guard: &Guard) -> Self {
        let Pattern {
            view,
            value,
            justification,
            ..
        } = &guard.pattern;
        Self {
            x: *value == Values::X,
            c: *view == Views::C || *justification == Justified::C,
            d: *justification == Justified::D,
        }
    }

    pub(super) fn of(rule: &Rule) -> Self {
        let bound = || rule.when.iter().map(Self::by);
        Self {
            x: bound().any(|it| it.x),
            c: bound().any(|it| it.c),
            d: bound().any(|it| it.d),
        }
    }

    /// Whether some of them stand for nothing yet.
    fn lacks(self, at: &Letters) -> bool {
        self.x && at.x.is_none() || self.c && at.c.is_none() || self.d && at.d.is_none()
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

/// The views that a pattern looks at; `c` is any earlier view while it stands for nothing.
fn views(pattern: &Pattern, at: &Letters) -> Range<u32> {
    let v = at.v.0;
    let one = |view: Option<u32>| view.map_or(0..0, |view| view..view + 1);
    match (pattern.view, at.c) {
        (Views::Own, _) => one(Some(v)),
        (Views::Back(back), _) => one(v.checked_sub(back)),
        (Views::C, Some(c)) => one(Some(c.0)),
        (Views::AfterC, Some(c)) => c.0 + 1..v,
        (Views::FromC, Some(c)) => c.0..v,
        (Views::C | Views::AfterC | Views::FromC | Views::Before, _) => 0..v,
        (Views::UpTo, _) => 0..v + 1,
        (Views::From(back), _) => v.saturating_sub(back)..u32::MAX,
        (Views::Any, _) => 0..u32::MAX,
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
        record.is_some_and(|record| at.c.is_none_or(|c| holds(record, c)))
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

/// What a replica reads: its own records, and those of anybody.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) world: &'a World,
    pub(super) replica: &'a Replica,
}

impl Reader<'_> {
    /// Whether a record is one of a pattern, its view aside.
    fn fits(self, pattern: &Pattern, record: &Record, at: &Letters) -> bool {
        let kind = self.world.setup.rules.kind(record.kind);
        (kind.value == ValueField::None || value(pattern, record.value, at))
            && (!kind.justified || justification(pattern, record.justification, at))
    }

    /// Whether a sender may be whom the guard reads.
    fn reads(self, guard: &Guard, sender: ReplicaId, record: &Record) -> bool {
        let primary = || self.world.setup.primary(self.replica.height, record.view);
        guard.reads != Reads::Primary || sender == primary()
    }

    /// What a guard looks at, of the views given: senders, records, and when they were sent.
    fn records(self, guard: &Guard, views: Range<u32>, from: Option<usize>) -> Vec<Taken> {
        let kinds = &guard.pattern.kinds;
        if let Some(existed) = from {
            let sent = &self.world.posts[..existed];
            let here = |post: &&Post| post.message.height == self.replica.height;
            let taken = sent.iter().filter(here).filter_map(|post| {
                let record = post.record?;
                let known = kinds.contains(&record.kind) && views.contains(&record.view.0);
                known.then_some(Taken {
                    record,
                    sender: post.author,
                    existed,
                })
            });
            return taken.collect();
        }
        if views.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for kind in kinds {
            let [from, to] = [views.start, views.end].map(|view| Record::first(*kind, View(view)));
            let own = matches!(guard.reads, Reads::Own | Reads::LastOwn);
            if own {
                let mine = self.replica.own.range(from..to);
                found.extend(mine.map(|record| record.taken(self.replica.me, 0)));
            } else {
                let [from, to] = [from, to].map(|record| record.taken(ReplicaId(0), 0));
                let taken = self.replica.taken.range(from..to);
                found.extend(taken.filter(|it| self.reads(guard, it.sender, &it.record)));
            }
        }
        found
    }

    /// Whether the guard holds of what it looks at in the views given.
    fn holds_in(self, guard: &Guard, views: Range<u32>, at: &Letters, from: Option<usize>) -> bool {
        let found = if guard.reads == Reads::LastOwn {
            let mut all = self.records(guard, 0..u32::MAX, from);
            all.retain(|it| matches!(it.record.value, Some(Value::Block { .. })));
            let last = all.into_iter().max_by_key(|it| it.record.view);
            let here = last.filter(|it| views.contains(&it.record.view.0));
            here.into_iter().collect()
        } else {
            self.records(guard, views, from)
        };
        let fits = |it: &&Taken| self.fits(&guard.pattern, &it.record, at);
        let Reads::Senders(number) = &guard.reads else {
            return found.iter().any(|it| fits(&it));
        };
        let setup = &self.world.setup;
        let senders: BTreeSet<ReplicaId> = found.iter().filter(fits).map(|it| it.sender).collect();
        let power = senders.iter().map(|id| setup.power[id.index()]);
        power.sum::<u32>() >= setup.needs(number)
    }

    /// Whether the guard holds; `carriers` are the messages that a proof may travel with.
    fn holds(self, guard: &Guard, at: &Letters, carriers: &[usize]) -> bool {
        let views = views(&guard.pattern, at);
        let held = |views: Range<u32>| {
            if guard.proof {
                let mut carriers = carriers.iter();
                carriers.any(|it| self.holds_in(guard, views.clone(), at, Some(*it)))
            } else {
                self.holds_in(guard, views, at, None)
            }
        };
        if guard.each {
            return views.into_iter().all(|view| held(view..view + 1));
        }
        held(views)
    }

    /// When the messages were sent that the first guard beside a proof reads.
    fn carriers(self, rule: &Rule, at: &Letters) -> Vec<usize> {
        let sent =
            |it: &&Guard| !it.proof && matches!(it.reads, Reads::Primary | Reads::Senders(_));
        let Some(beside) = rule.when.iter().find(sent) else {
            return Vec::new();
        };
        let read = self.records(beside, views(&beside.pattern, at), None);
        let fits = |it: &Taken| self.fits(&beside.pattern, &it.record, at);
        let read = read.into_iter().filter(fits);
        read.map(|it| it.existed).collect()
    }

    /// Whether everything that the rule asks for holds, and nothing that it must not find.
    fn all_hold(self, rule: &Rule, at: &Letters) -> bool {
        let proves = rule.guards().any(|guard| guard.proof);
        let carriers = if proves {
            self.carriers(rule, at)
        } else {
            Vec::new()
        };
        let holds = |guard: &Guard| self.holds(guard, at, &carriers);
        rule.conditions.iter().all(|it| allows(*it, at))
            && rule.when.iter().all(holds)
            && !rule.unless.iter().any(holds)
    }

    /// A way to fill in the letters that are left so that the rule can be done, the guards from that
    /// place on reading records for them.
    pub(super) fn way(self, rule: &Rule, from: usize, at: Letters) -> Option<Letters> {
        let mut rest = rule.when.iter().enumerate().skip(from);
        let binds = |(_, guard): &(usize, &Guard)| Bound::by(guard).lacks(&at);
        let Some((place, guard)) = rest.find(binds) else {
            let bound = !Bound::of(rule).lacks(&at);
            return (bound && self.all_hold(rule, &at)).then_some(at);
        };
        let from_posts = guard.proof.then_some(self.world.posts.len());
        let read = self.records(guard, views(&guard.pattern, &at), from_posts);
        let ways = read
            .iter()
            .filter_map(|it| self.extended(guard, &it.record, at));
        // The lowest value first, then the latest view.
        let order = |at: Letters| (at.x, Reverse(at.c), Reverse(at.d));
        let ways: BTreeMap<_, Letters> = ways.map(|at| (order(at), at)).collect();
        let mut ways = ways.into_values();
        ways.find_map(|at| self.way(rule, place + 1, at))
    }

    /// The letters with what the record of a guard makes of those that stand for nothing.
    fn extended(self, guard: &Guard, record: &Record, at: Letters) -> Option<Letters> {
        let (pattern, mut at) = (&guard.pattern, at);
        let kind = self.world.setup.rules.kind(record.kind);
        let bound = Bound::by(guard);
        let earlier = |view: Option<View>| view.filter(|view| *view < at.v);
        let justified = earlier(record.justification);
        let c = if pattern.view == Views::C {
            earlier(Some(record.view))
        } else {
            justified
        };
        let valid = |value: &Value| matches!(value, Value::Block { .. });
        let x = record.value.filter(valid);
        if bound.c && at.c.is_none() {
            at.c = Some(c?);
        }
        if bound.d && at.d.is_none() {
            at.d = Some(justified?);
        }
        if bound.x && at.x.is_none() && kind.value != ValueField::None {
            at.x = Some(x?);
        }
        self.fits(pattern, record, &at).then_some(at)
    }
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
