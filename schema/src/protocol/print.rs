//! Rules as they are written, in one spelling: what is printed is read as the same.

use super::{
    Condition, Earlier, Guard, Head, Justified, Justifies, Lines, Made, Mode, Number, Reads, Rule,
    Rules, Scope, ValueField, Values, Views,
    notation::{JUSTIFIED, VALUES, VIEWS, every},
};
use crate::vocabulary::By;
use std::fmt;

impl fmt::Display for Lines {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.ranges.iter().enumerate() {
            out.write_str(if place > 0 { "," } else { "" })?;
            write!(out, "{first}")?;
            if last > first {
                write!(out, "-{last}")?;
            }
        }
        Ok(())
    }
}

/// How a table has it, or how many views before `start`.
fn name<T: Copy + PartialEq>(table: &[(&str, T)], it: T, start: &str, back: u32) -> String {
    let named = table.iter().find(|(_, other)| *other == it);
    named.map_or_else(|| format!("{start}-{back}"), |(name, _)| (*name).to_owned())
}

impl Rules {
    /// A rule as it is written.
    pub fn text(&self, rule: &Rule) -> String {
        let mut items = self.words(rule);
        items.extend(rule.when.iter().map(|guard| self.guard_text(guard)));
        let mut text = self.head(&rule.head);
        if !items.is_empty() {
            text = format!("{text} <- {}", items.join(", "));
        }
        if !rule.unless.is_empty() {
            let unless = rule.unless.iter().map(|guard| self.guard_text(guard));
            text = format!("{text} unless {}", unless.collect::<Vec<_>>().join(", "));
        }
        text
    }

    /// What a rule says between its head and its guards.
    fn words(&self, rule: &Rule) -> Vec<String> {
        let by = match &rule.head {
            Head::Make { kind, .. } => self.kind(*kind).by,
            _ => By::Any,
        };
        let who = match rule.who {
            who if who == by => "",
            By::Primary => "primary",
            By::Backup => "backup",
            By::Any => "",
        };
        let mode = match rule.mode {
            Mode::Must => String::new(),
            Mode::May => "may".to_owned(),
            Mode::Timer(timer) => format!("timer {}", self.timers[timer.0]),
        };
        let scope = ["", "height"][usize::from(rule.scope == Scope::Height)];
        let mut words = vec![who.to_owned(), mode, scope.to_owned()];
        words.extend(rule.conditions.iter().map(|condition| match *condition {
            Condition::At(view) => format!("v = {view}"),
            Condition::After(view) => format!("v > {view}"),
            Condition::Below(earlier, back) => {
                let letter = ["c", "d"][usize::from(earlier == Earlier::D)];
                format!("{letter} < {}", name(&[("v", 0)], back, "v", back))
            }
        }));
        words.retain(|word| !word.is_empty());
        words
    }

    fn head(&self, head: &Head) -> String {
        let (kind, value, justification) = match *head {
            Head::Enter => return "enter(v)".to_owned(),
            Head::Skip => return "skip(v)".to_owned(),
            Head::Stop { timer } => return format!("stop {}", self.timers[timer.0]),
            Head::Arm { timer, lasts } => {
                let lasts = lasts
                    .map(|lasts| format!(" for {lasts}"))
                    .unwrap_or_default();
                return format!("timer {}{lasts}", self.timers[timer.0]);
            }
            Head::Make {
                kind,
                value,
                justification,
            } => (self.kind(kind), value, justification),
        };
        let value = match value {
            Made::X => ", x",
            Made::Nil => ", nil",
            Made::None if kind.value == ValueField::None => "",
            Made::None => ", -",
        };
        let justification = match justification {
            Justifies::C => ", c".to_owned(),
            Justifies::D => ", d".to_owned(),
            Justifies::Back(back) => format!(", v-{back}"),
            Justifies::None => [", -", ""][usize::from(!kind.justified)].to_owned(),
        };
        format!("{}(v{value}{justification})", kind.name)
    }

    /// A guard as it is written.
    pub fn guard_text(&self, guard: &Guard) -> String {
        let proof = ["", "proof "][usize::from(guard.proof)];
        let each = ["", "each "][usize::from(guard.each)];
        let reads = match &guard.reads {
            Reads::Own => "own".to_owned(),
            Reads::LastOwn => "last own".to_owned(),
            Reads::Primary => "primary".to_owned(),
            Reads::Senders(Number::Named(name)) => name.clone(),
            Reads::Senders(Number::Exactly(number)) => number.to_string(),
        };
        let pattern = &guard.pattern;
        let kinds: Vec<_> = pattern.kinds.iter().map(|kind| self.kind(*kind)).collect();
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
        let names = if kinds.len() > 1 && every(&self.kinds).eq(pattern.kinds.iter().copied()) {
            "*".to_owned()
        } else {
            names.join("|")
        };
        let mut fields = match pattern.view {
            Views::From(back) => name(&VIEWS, pattern.view, ">=v", back),
            Views::Back(back) => name(&VIEWS, pattern.view, "v", back),
            view => name(&VIEWS, view, "", 0),
        };
        let mut valued = kinds.iter().map(|kind| kind.value != ValueField::None);
        let named = pattern.value != Values::Any;
        if valued.clone().all(|it| it) || named && valued.any(|it| it) {
            fields = format!("{fields}, {}", name(&VALUES, pattern.value, "", 0));
        }
        if kinds.iter().all(|kind| kind.justified) {
            let back = match pattern.justification {
                Justified::Back(back) => back,
                _ => 0,
            };
            let justification = name(&JUSTIFIED, pattern.justification, "v", back);
            fields = format!("{fields}, {justification}");
        }
        format!("{proof}{each}{reads} {names}({fields})")
    }
}
