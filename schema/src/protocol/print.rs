//! Rules as they are written, in one spelling: what is printed is read as the same.

use super::{
    Condition, Earlier, Guard, Head, Justified, Justifies, KindId, Lines, Made, Mode, Number,
    Pattern, Reads, Rule, Rules, Scope, TimerId, ValueField, Values, Views,
};
use crate::vocabulary::By;
use std::fmt::{self, Write as _};

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

fn back(name: &str, back: u32) -> String {
    match back {
        0 => name.to_owned(),
        _ => format!("{name}-{back}"),
    }
}

impl Rules {
    /// A rule as it is written.
    pub fn text(&self, rule: &Rule) -> String {
        let mut items = self.words(rule);
        items.extend(rule.when.iter().map(|guard| self.guard_text(guard)));
        let mut text = self.head(&rule.head);
        if !items.is_empty() {
            let _ = write!(text, " <- {}", items.join(", "));
        }
        if !rule.unless.is_empty() {
            let unless = rule.unless.iter().map(|guard| self.guard_text(guard));
            let _ = write!(text, " unless {}", unless.collect::<Vec<_>>().join(", "));
        }
        text
    }

    /// What a rule says between its head and its guards.
    fn words(&self, rule: &Rule) -> Vec<String> {
        let by = match &rule.head {
            Head::Make { kind, .. } => self.kind(*kind).by,
            _ => By::Any,
        };
        let mut words = Vec::new();
        if rule.who != by {
            words.extend(match rule.who {
                By::Any => None,
                By::Primary => Some("primary".to_owned()),
                By::Backup => Some("backup".to_owned()),
            });
        }
        words.extend(match rule.mode {
            Mode::Must => None,
            Mode::May => Some("may".to_owned()),
            Mode::Timer(timer) => Some(format!("timer {}", self.timer(timer))),
        });
        if rule.scope == Scope::Height {
            words.push("height".to_owned());
        }
        words.extend(rule.conditions.iter().map(|condition| match condition {
            Condition::At(view) => format!("v = {view}"),
            Condition::After(view) => format!("v > {view}"),
            Condition::Below(Earlier::C, by) => format!("c < {}", back("v", *by)),
            Condition::Below(Earlier::D, by) => format!("d < {}", back("v", *by)),
        }));
        words
    }

    fn timer(&self, timer: TimerId) -> &str {
        &self.timers[timer.0]
    }

    fn head(&self, head: &Head) -> String {
        match head {
            Head::Enter => "enter(v)".to_owned(),
            Head::Skip => "skip(v)".to_owned(),
            Head::Stop { timer } => format!("stop {}", self.timer(*timer)),
            Head::Arm { timer, lasts } => {
                let lasts = lasts.map(|lasts| format!(" for {lasts}"));
                format!("timer {}{}", self.timer(*timer), lasts.unwrap_or_default())
            }
            Head::Make {
                kind,
                value,
                justification,
            } => {
                let kind = self.kind(*kind);
                let mut fields = vec!["v".to_owned()];
                if kind.value != ValueField::None {
                    fields.push(match value {
                        Made::X => "x".to_owned(),
                        Made::Nil => "nil".to_owned(),
                        Made::None => "-".to_owned(),
                    });
                }
                if kind.justified {
                    fields.push(match justification {
                        Justifies::C => "c".to_owned(),
                        Justifies::Back(by) => back("v", *by),
                        Justifies::None => "-".to_owned(),
                    });
                }
                format!("{}({})", kind.name, fields.join(", "))
            }
        }
    }

    /// A guard as it is written.
    pub fn guard_text(&self, guard: &Guard) -> String {
        let mut text = String::new();
        if guard.proof {
            text.push_str("proof ");
        }
        if guard.each {
            text.push_str("each ");
        }
        let _ = match &guard.reads {
            Reads::Own => write!(text, "own "),
            Reads::LastOwn => write!(text, "last own "),
            Reads::Primary => write!(text, "primary "),
            Reads::Senders(Number::Named(name)) => write!(text, "{name} "),
            Reads::Senders(Number::Exactly(number)) => write!(text, "{number} "),
        };
        self.pattern(&guard.pattern, &mut text);
        text
    }

    fn pattern(&self, pattern: &Pattern, text: &mut String) {
        let all = (0..self.kinds.len()).map(KindId);
        let all = all.filter(|kind| !self.kind(*kind).kept && !self.kind(*kind).is_final);
        if pattern.kinds.len() > 1 && all.eq(pattern.kinds.iter().copied()) {
            text.push('*');
        } else {
            let names = pattern.kinds.iter().map(|kind| &*self.kind(*kind).name);
            text.push_str(&names.collect::<Vec<_>>().join("|"));
        }
        let has = |field: &dyn Fn(KindId) -> bool| pattern.kinds.iter().all(|kind| field(*kind));
        let mut fields = vec![view(pattern.view)];
        if has(&|kind| self.kind(kind).value != ValueField::None) {
            fields.push(value(pattern.value).to_owned());
        }
        if has(&|kind| self.kind(kind).justified) {
            fields.push(justification(pattern.justification));
        }
        let _ = write!(text, "({})", fields.join(", "));
    }
}

fn view(view: Views) -> String {
    match view {
        Views::Own => "v".to_owned(),
        Views::Back(by) => back("v", by),
        Views::C => "c".to_owned(),
        Views::Before => "<v".to_owned(),
        Views::UpTo => "<=v".to_owned(),
        Views::AfterC => ">c".to_owned(),
        Views::FromC => ">=c".to_owned(),
        Views::From(by) => back(">=v", by),
        Views::Any => "*".to_owned(),
    }
}

fn value(value: Values) -> &'static str {
    match value {
        Values::X => "x",
        Values::Other => "!x",
        Values::Nil => "nil",
        Values::Bad => "bad",
        Values::None => "-",
        Values::Any => "*",
    }
}

fn justification(justification: Justified) -> String {
    match justification {
        Justified::C => "c".to_owned(),
        Justified::D => "d".to_owned(),
        Justified::UpToC => "<=c".to_owned(),
        Justified::AfterC => ">c".to_owned(),
        Justified::FromC => ">=c".to_owned(),
        Justified::Back(by) => back("v", by),
        Justified::Some => "+".to_owned(),
        Justified::None => "-".to_owned(),
        Justified::Any => "*".to_owned(),
    }
}
