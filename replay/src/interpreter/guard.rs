//! What a guard reads, and whether it holds.

use super::{
    World,
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

/// Whether a guard has a letter that stands for nothing yet, so that it reads records for it.
fn lacks(guard: &Guard, at: &Letters) -> bool {
    let pattern = &guard.pattern;
    let justified = |by| pattern.justification == by;
    let c = pattern.view == Views::C || justified(Justified::C);
    pattern.value == Values::X && at.x.is_none()
        || c && at.c.is_none()
        || justified(Justified::D) && at.d.is_none()
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
pub(super) fn views(pattern: &Pattern, at: &Letters) -> Range<u32> {
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
    pub(super) fn fits(self, pattern: &Pattern, record: &Record, at: &Letters) -> bool {
        let kind = self.world.setup.rules.kind(record.kind);
        (kind.value == ValueField::None || value(pattern, record.value, at))
            && (!kind.justified || justification(pattern, record.justification, at))
    }

    /// What a guard looks at in those views, of messages that existed then where a proof is read.
    fn records(self, guard: &Guard, views: &Range<u32>, existed: Option<usize>) -> Vec<Taken> {
        let (setup, replica) = (&self.world.setup, self.replica);
        let primary = |it: &Taken| setup.primary(replica.height, it.record.view) == it.sender;
        let reads = |it: &Taken| guard.reads != Reads::Primary || primary(it);
        let kinds = &guard.pattern.kinds;
        if let Some(existed) = existed {
            let sent = self.world.posts[..existed].iter();
            let taken = sent.filter_map(|post| post.for_height(setup, replica.height));
            let taken = taken.filter(|it| kinds.contains(&it.record.kind) && reads(it));
            return taken
                .filter(|it| views.contains(&it.record.view.0))
                .collect();
        }
        let mut found = Vec::new();
        for kind in kinds.iter().filter(|_| !views.is_empty()) {
            let [from, to] = [views.start, views.end].map(|view| Record::first(*kind, View(view)));
            if matches!(guard.reads, Reads::Own | Reads::LastOwn) {
                let own = replica.own.range(from..to);
                found.extend(own.map(|record| record.of(replica.me, 0)));
            } else {
                let [from, to] = [from, to].map(|record| record.of(ReplicaId(0), 0));
                found.extend(replica.taken.range(from..to).filter(|it| reads(it)));
            }
        }
        found
    }

    /// Whether the guard holds of what it looks at in the views given.
    pub(super) fn holds_in(
        self,
        guard: &Guard,
        views: &Range<u32>,
        at: &Letters,
        existed: Option<usize>,
    ) -> bool {
        let found = if guard.reads == Reads::LastOwn {
            let mut all = self.records(guard, &(0..u32::MAX), None);
            all.retain(|it| matches!(it.record.value, Some(Value::Block { .. })));
            let last = all.into_iter().max_by_key(|it| it.record.view);
            let here = last.filter(|it| views.contains(&it.record.view.0));
            here.into_iter().collect()
        } else {
            self.records(guard, views, existed)
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
    pub(super) fn holds(self, guard: &Guard, at: &Letters, carriers: &[usize]) -> bool {
        let held = |views: Range<u32>| {
            let holds = |existed| self.holds_in(guard, &views, at, existed);
            if guard.proof {
                return carriers.iter().any(|existed| holds(Some(*existed)));
            }
            holds(None)
        };
        let mut views = views(&guard.pattern, at);
        if guard.each {
            return views.all(|view| held(view..view + 1));
        }
        held(views)
    }

    /// Whether everything that the rule asks for holds, and nothing that it must not find.
    fn all_hold(self, rule: &Rule, at: &Letters) -> bool {
        // A proof travels with what the first other guard reads of anybody.
        let travels = |it: &&Guard| !it.proof && !matches!(it.reads, Reads::Own | Reads::LastOwn);
        let proves = rule.guards().any(|guard| guard.proof);
        let beside = rule.when.iter().find(travels).filter(|_| proves);
        let beside = beside.map(|beside| {
            let read = self.records(beside, &views(&beside.pattern, at), None);
            let fits = read
                .into_iter()
                .filter(|it| self.fits(&beside.pattern, &it.record, at));
            fits.map(|it| it.existed).collect::<Vec<_>>()
        });
        let carriers = beside.unwrap_or_default();
        let holds = |guard: &Guard| self.holds(guard, at, &carriers);
        rule.conditions.iter().all(|it| allows(*it, at))
            && rule.when.iter().all(holds)
            && !rule.unless.iter().any(holds)
    }

    /// A way to fill in the letters that are left so that the rule can be done, the guards from that
    /// place on reading records for them.
    pub(super) fn way(
        self,
        rule: &Rule,
        from: usize,
        at: Letters,
        suits: &dyn Fn(&Letters) -> bool,
    ) -> Option<Letters> {
        let mut rest = rule.when.iter().enumerate().skip(from);
        let Some((place, guard)) = rest.find(|(_, guard)| lacks(guard, &at)) else {
            let bound = !rule.when.iter().any(|guard| lacks(guard, &at));
            return (bound && suits(&at) && self.all_hold(rule, &at)).then_some(at);
        };
        let existed = guard.proof.then_some(self.world.posts.len());
        let read = self.records(guard, &views(&guard.pattern, &at), existed);
        let ways = read
            .iter()
            .filter_map(|it| self.extended(&guard.pattern, &it.record, at));
        // The lowest value first, then the latest view.
        let order = |at: Letters| (at.x, Reverse(at.c), Reverse(at.d));
        let ways: BTreeMap<_, Letters> = ways.map(|at| (order(at), at)).collect();
        let mut ways = ways.into_values();
        ways.find_map(|at| self.way(rule, place + 1, at, suits))
    }

    /// The letters with what a record of a pattern makes of those that stand for nothing.
    fn extended(self, pattern: &Pattern, record: &Record, at: Letters) -> Option<Letters> {
        let kind = self.world.setup.rules.kind(record.kind);
        let earlier = |view: &View| *view < at.v;
        let justified = record.justification.filter(earlier);
        let valid = |value: &Value| matches!(value, Value::Block { .. });
        let mut new = at;
        if pattern.view == Views::C {
            new.c = Some(at.c.or(Some(record.view).filter(earlier))?);
        }
        if pattern.justification == Justified::C {
            new.c = Some(new.c.or(justified)?);
        }
        if pattern.justification == Justified::D {
            new.d = Some(at.d.or(justified)?);
        }
        if pattern.value == Values::X && kind.value != ValueField::None {
            new.x = Some(at.x.or(record.value.filter(valid))?);
        }
        self.fits(pattern, record, &new).then_some(new)
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
