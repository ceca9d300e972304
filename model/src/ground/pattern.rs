//! What a pattern matches.

use super::form::{Act, Ground, Letters, Own, Record, Setting, Value, Values};
use milp_schema::protocol::{
    Condition, Earlier, Guard, Head, Justified, Justifies, KindId, Made, Pattern, Rule, ValueField,
    Values as Named, Views,
};

/// How what is not certain counts, where values are classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As met: for what is needed.
    Possible,
    /// As not met: for what bars.
    Certain,
}

impl Setting {
    /// The views of a pattern. Who enters `v` reads earlier views: `>=v-k` and `*` are later ones
    /// too, which help only replicas that come after the first who entered, and what led the first
    /// there, in views before `v`, leads all others as well.
    pub(super) fn views_of(&self, views: Views, letters: &Letters) -> Vec<u32> {
        let Letters { v, c, .. } = *letters;
        let range = match views {
            Views::Own => v..v + 1,
            Views::Back(back) => match v.checked_sub(back) {
                Some(view) => view..view + 1,
                None => 0..0,
            },
            Views::C => c.map_or(0..0, |c| c..c + 1),
            Views::Any if self.follows => 0..self.views,
            Views::From(back) if self.follows => v.saturating_sub(back)..self.views,
            Views::Before | Views::Any => 0..v,
            Views::UpTo => 0..v + 1,
            Views::AfterC => c.map_or(0..0, |c| c + 1..v),
            Views::FromC => c.map_or(0..0, |c| c..v),
            Views::From(back) => v.saturating_sub(back)..v,
        };
        range.filter(|view| *view < self.views).collect()
    }

    /// The valid values that a record of a kind and view may name.
    pub(super) fn valid_of(&self, field: ValueField, view: u32) -> std::ops::Range<u32> {
        match (field, self.values) {
            (ValueField::None, _) => 0..0,
            (ValueField::Block, Values::Named { per_view }) => {
                view * per_view..(view + 1) * per_view
            }
            (ValueField::Block | ValueField::Any, _) => 0..self.valid(),
        }
    }

    fn values_of(
        &self,
        pattern: &Pattern,
        letters: &Letters,
        (kind, view): (KindId, u32),
        reading: Reading,
    ) -> Vec<Value> {
        let said = self.rules.kind(kind);
        if said.value == ValueField::None {
            return vec![Value::None];
        }
        let unclear = |value: u32| self.is_others(value) && letters.x == Some(value);
        let possible = reading == Reading::Possible;
        let same = |value: &u32| letters.x == Some(*value) && (possible || !unclear(*value));
        let other = |value: &u32| letters.x != Some(*value) || (possible && unclear(*value));
        let any = said.value == ValueField::Any;
        let nil = any.then_some(Value::Nil);
        let bad = any.then_some(Value::Bad);
        let none = said.justified.then_some(Value::None);
        let valid = self.valid_of(said.value, view);
        match pattern.value {
            Named::X => valid.filter(same).map(Value::Of).collect(),
            Named::Other => valid.filter(other).map(Value::Of).chain(bad).collect(),
            Named::Nil => nil.into_iter().collect(),
            Named::Bad => bad.into_iter().collect(),
            Named::None => none.into_iter().collect(),
            Named::Any => {
                let valid = valid.map(Value::Of);
                valid.chain(nil).chain(bad).chain(none).collect()
            }
        }
    }

    fn justifications_of(
        &self,
        pattern: &Pattern,
        letters: &Letters,
        (kind, view): (KindId, u32),
    ) -> Vec<Option<u32>> {
        if !self.rules.kind(kind).justified {
            return vec![None];
        }
        let Letters { v, c, d, .. } = *letters;
        let fits = |it: &Option<u32>| match pattern.justification {
            Justified::C => it.is_some() && *it == c,
            Justified::D => it.is_some() && *it == d,
            Justified::UpToC => *it <= c,
            Justified::AfterC => it.is_some() && *it > c,
            Justified::FromC => it.is_some() && *it >= c,
            Justified::Back(back) => it.is_some() && *it == v.checked_sub(back),
            Justified::Some => it.is_some(),
            Justified::None => it.is_none(),
            Justified::Any => true,
        };
        let every = std::iter::once(None).chain((0..view).map(Some));
        every.filter(fits).collect()
    }

    /// The records that a pattern matches in these views, ascending.
    pub(super) fn records(
        &self,
        pattern: &Pattern,
        letters: &Letters,
        views: &[u32],
        reading: Reading,
    ) -> Vec<Record> {
        let mut records = Vec::new();
        for &view in views {
            for &kind in &pattern.kinds {
                let justifications = self.justifications_of(pattern, letters, (kind, view));
                for value in self.values_of(pattern, letters, (kind, view), reading) {
                    // Without a value there is nothing to justify.
                    let justified = justifications
                        .iter()
                        .filter(|it| it.is_none() || value != Value::None);
                    records.extend(justified.map(|&justification| Record {
                        view,
                        kind,
                        value,
                        justification,
                    }));
                }
            }
        }
        records.sort_unstable();
        records
    }

    /// What a guard reads of the own past, once for each view if it says `each`.
    pub(super) fn own(&self, guard: &Guard, letters: &Letters, reading: Reading) -> Vec<Own> {
        let each = self.parts(guard, letters);
        let records = |views: &Vec<u32>| self.records(&guard.pattern, letters, views, reading);
        each.iter().map(records).map(Own::One).collect()
    }

    /// The views of a guard, one by one if it must hold in each of them.
    pub(super) fn parts(&self, guard: &Guard, letters: &Letters) -> Vec<Vec<u32>> {
        let views = self.views_of(guard.pattern.view, letters);
        if guard.each {
            views.into_iter().map(|view| vec![view]).collect()
        } else {
            vec![views]
        }
    }

    /// What it reads of the latest own record that has a value, whatever its view.
    pub(super) fn last_own(&self, guard: &Guard, letters: &Letters, reading: Reading) -> Own {
        let views = self.views_of(guard.pattern.view, letters);
        let mut matching = self.records(&guard.pattern, letters, &views, reading);
        matching.retain(|it| matches!(it.value, Value::Of(_) | Value::Bad));
        let every = Pattern {
            value: Named::Any,
            justification: Justified::Any,
            ..guard.pattern.clone()
        };
        let all: Vec<u32> = (0..self.views.min(letters.v + 1)).collect();
        let mut rest = self.records(&every, letters, &all, reading);
        rest.retain(|it| matches!(it.value, Value::Of(_)) && !matching.contains(it));
        Own::Last(matching, rest)
    }

    /// Every way to fill in the letters of a rule in view `v`.
    pub(super) fn bindings(&self, rule: &Rule, v: u32) -> Vec<Letters> {
        let says = |condition: &Condition| match *condition {
            Condition::At(view) => v == view,
            Condition::After(view) => v > view,
            Condition::Below(..) => true,
        };
        if !rule.conditions.iter().all(says) {
            return Vec::new();
        }
        let (has_x, has_c, has_d) = letters_of(rule);
        let values: Vec<Option<u32>> = if !has_x {
            vec![None]
        } else if let (true, Values::Named { per_view }) = (proposes(rule), self.values) {
            vec![(v < self.views).then_some(v * per_view)]
        } else {
            (0..self.valid()).map(Some).collect()
        };
        let earlier = |letter: Earlier, is_there: bool| -> Vec<Option<u32>> {
            let below = |view: &u32| {
                let mut conditions = rule.conditions.iter();
                conditions.all(|condition| match *condition {
                    Condition::Below(of, back) => of != letter || view + back < v,
                    _ => true,
                })
            };
            if is_there {
                (0..v).filter(below).map(Some).collect()
            } else {
                vec![None]
            }
        };
        let (cs, ds) = (earlier(Earlier::C, has_c), earlier(Earlier::D, has_d));
        let mut bindings = Vec::new();
        for &x in &values {
            for &c in &cs {
                bindings.extend(ds.iter().map(|&d| Letters { v, x, c, d }));
            }
        }
        bindings
    }

    /// The record that a rule makes.
    pub(super) fn made(
        &self,
        (kind, value, justification): (KindId, Made, Justifies),
        letters: &Letters,
    ) -> Option<Record> {
        let value = match value {
            Made::X => Value::Of(letters.x?),
            Made::Nil => Value::Nil,
            Made::None => Value::None,
        };
        if let Value::Of(x) = value {
            let valid = self.valid_of(self.rules.kind(kind).value, letters.v);
            if !valid.contains(&x) {
                return None;
            }
        }
        let justification = match justification {
            Justifies::C => Some(letters.c?),
            Justifies::D => Some(letters.d?),
            Justifies::Back(back) => Some(letters.v.checked_sub(back)?),
            Justifies::None => None,
        };
        Some(Record {
            view: letters.v,
            kind,
            value,
            justification,
        })
    }
}

impl Ground {
    /// Whether an act proposes a new value.
    pub fn proposes(&self, act: &Act) -> bool {
        proposes(&self.setting.rules.rules[act.rule])
    }
}

/// Whether a rule makes a record of a new value: one that no guard reads.
pub(super) fn proposes(rule: &Rule) -> bool {
    let makes_x = matches!(rule.head, Head::Make { value: Made::X, .. });
    let reads_x = |guard: &Guard| matches!(guard.pattern.value, Named::X | Named::Other);
    makes_x && !rule.when.iter().any(reads_x)
}

/// Which of the letters `x`, `c` and `d` a rule has.
pub(super) fn letters_of(rule: &Rule) -> (bool, bool, bool) {
    let (mut x, mut c, mut d) = (false, false, false);
    if let Head::Make {
        value,
        justification,
        ..
    } = rule.head
    {
        x |= value == Made::X;
        c |= justification == Justifies::C;
        d |= justification == Justifies::D;
    }
    for Guard { pattern, .. } in rule.guards() {
        x |= matches!(pattern.value, Named::X | Named::Other);
        c |= matches!(pattern.view, Views::C | Views::AfterC | Views::FromC);
        c |= matches!(
            pattern.justification,
            Justified::C | Justified::UpToC | Justified::AfterC | Justified::FromC
        );
        d |= pattern.justification == Justified::D;
    }
    (x, c, d)
}
