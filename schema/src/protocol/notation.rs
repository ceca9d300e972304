//! The notation of rules: one rule, one line.

use super::{
    Condition, Earlier, Goes, Guard, Head, Justified, Justifies, KindId, Lines, Made, Mode, Number,
    Pattern, Reads, RecordKind, Rule, Scope, ValueField, Values, Views,
    reader::{Names, RULE, Reader, Source, is_number},
};
use crate::{
    formula::Duration,
    read::problem::{Place, Problems, one_of, quoted},
    vocabulary::By,
};
/// Words that mean something in a rule, and are therefore no names.
pub(super) const RESERVED: [&str; 21] = [
    "v", "x", "c", "d", "T", "nil", "bad", "own", "last", "primary", "backup", "proof", "each",
    "may", "height", "timer", "for", "stop", "enter", "skip", "unless",
];

pub(super) const VIEWS: [(&str, Views); 8] = [
    ("v", Views::Own),
    ("c", Views::C),
    ("<v", Views::Before),
    ("<=v", Views::UpTo),
    (">c", Views::AfterC),
    (">=c", Views::FromC),
    (">=v", Views::From(0)),
    ("*", Views::Any),
];

pub(super) const VALUES: [(&str, Values); 6] = [
    ("x", Values::X),
    ("!x", Values::Other),
    ("nil", Values::Nil),
    ("bad", Values::Bad),
    ("-", Values::None),
    ("*", Values::Any),
];

pub(super) const JUSTIFIED: [(&str, Justified); 8] = [
    ("c", Justified::C),
    ("d", Justified::D),
    ("<=c", Justified::UpToC),
    (">c", Justified::AfterC),
    (">=c", Justified::FromC),
    ("+", Justified::Some),
    ("-", Justified::None),
    ("*", Justified::Any),
];

/// The shape of a guard, for hints.
const GUARD: &str = "a guard is `own kind(v, …)`, `last own …`, `primary …` or `count kind(v, …)`";

/// The rule in a text.
pub(super) fn rule(
    source: Source,
    lines: Lines,
    names: Names,
    problems: &mut Problems,
) -> Option<Rule> {
    let mut reader = Reader::new(source, names, problems)?;
    let rule = reader.rule(lines)?;
    reader.sound.then_some(rule)
}

/// The one guard in a text.
pub(super) fn guard(source: Source, names: Names, problems: &mut Problems) -> Option<Guard> {
    let mut reader = Reader::new(source, names, problems)?;
    let guard = reader.guard()?;
    reader.end()?;
    reader.sound.then_some(guard)
}

/// The number below 256 behind a start.
fn number(text: &str, start: &str) -> Option<u32> {
    let number = text.strip_prefix(start)?.parse::<u8>();
    number.ok().map(u32::from)
}

impl Reader<'_, '_> {
    fn rule(&mut self, lines: Lines) -> Option<Rule> {
        let at = self.place().into();
        let (head, who) = self.head()?;
        let mut rule = Rule {
            lines,
            at,
            head,
            who,
            mode: Mode::Must,
            scope: Scope::View,
            conditions: Vec::new(),
            when: Vec::new(),
            unless: Vec::new(),
        };
        let mut more = self.take("<-");
        while more {
            self.item(&mut rule)?;
            more = self.take(",");
        }
        more = self.take("unless");
        while more {
            rule.unless.push(self.guard()?);
            more = self.take(",");
        }
        self.end()?;
        Some(rule)
    }

    /// What the rule does, and who may.
    fn head(&mut self) -> Option<(Head, By)> {
        let place = self.place();
        let head = match self.word("the name of a kind", RULE)? {
            "stop" => Head::Stop {
                timer: self.timer()?,
            },
            "timer" => Head::Arm {
                timer: self.timer()?,
                lasts: if self.take("for") {
                    Some(self.duration()?)
                } else {
                    None
                },
            },
            word @ ("enter" | "skip") => {
                for token in ["(", "v", ")"] {
                    self.must(token, "a view is entered with `enter(v)` or `skip(v)`")?;
                }
                if word == "enter" {
                    Head::Enter
                } else {
                    Head::Skip
                }
            }
            name => return self.makes(name, place),
        };
        Some((head, By::Any))
    }

    fn makes(&mut self, name: &str, place: Place) -> Option<(Head, By)> {
        let kind = self.kind(name, place);
        let fields = self.pattern(kind.into_iter().collect())?;
        let kind = kind?;
        let record = &self.names.kinds[kind.0];
        let value = match fields.value {
            Values::X => Some(Made::X),
            Values::Nil => Some(Made::Nil),
            Values::None => Some(Made::None),
            Values::Any if record.value == ValueField::None => Some(Made::None),
            _ => None,
        };
        let justification = match fields.justification {
            Justified::C => Some(Justifies::C),
            Justified::D => Some(Justifies::D),
            Justified::Back(back) => Some(Justifies::Back(back)),
            Justified::None => Some(Justifies::None),
            Justified::Any if !record.justified => Some(Justifies::None),
            _ => None,
        };
        let (Views::Own, Some(value), Some(justification)) = (fields.view, value, justification)
        else {
            let hint = "its view is `v`, its value `x`, `nil` or `-`, its justification `c`, `d`, `v-1` or `-`";
            return self.report(
                place,
                "a rule makes one record, and tells all its fields",
                hint,
            );
        };
        let head = Head::Make {
            kind,
            value,
            justification,
        };
        Some((head, record.by))
    }

    /// One of what stands behind `<-`.
    fn item(&mut self, rule: &mut Rule) -> Option<()> {
        let place = self.place();
        let behind = self.tokens.get(self.next + 1).map_or("", |(text, _)| text);
        let alone = ["", ",", "unless"].contains(&behind);
        match self.peek() {
            "primary" | "backup" if alone => {
                let who = [By::Primary, By::Backup][usize::from(self.any() == "backup")];
                if rule.who != By::Any && rule.who != who {
                    let hint = "remove it, or change `by` of the kind";
                    self.report::<()>(place, "the kind is never made by them", hint);
                }
                rule.who = who;
            }
            "height" if alone => (rule.scope, self.next) = (Scope::Height, self.next + 1),
            word if word == "timer" || word == "may" && alone => {
                self.next += 1;
                if rule.mode != Mode::Must {
                    let hint = "keep one of `may` and `timer name`";
                    self.report::<()>(place, "it is told twice when the rule is done", hint);
                }
                rule.mode = match word {
                    "may" => Mode::May,
                    _ => Mode::Timer(self.timer()?),
                };
            }
            "v" | "c" | "d" => rule.conditions.push(self.condition()?),
            _ => rule.when.push(self.guard()?),
        }
        Some(())
    }

    fn condition(&mut self) -> Option<Condition> {
        let (place, letter, relation) = (self.place(), self.any(), self.operand());
        let back = number(&relation, "<v-").or_else(|| (relation == "<v").then_some(0));
        let found = match letter {
            "c" => back.map(|back| Condition::Below(Earlier::C, back)),
            "d" => back.map(|back| Condition::Below(Earlier::D, back)),
            _ => {
                let after = || number(&relation, ">").map(Condition::After);
                number(&relation, "=").map(Condition::At).or_else(after)
            }
        };
        found.or_else(|| {
            let hint = "write `v = 0`, `v > 0`, `c < v-1` or `d < v-1`";
            self.report(place, "a relation between views was expected", hint)
        })
    }

    fn duration(&mut self) -> Option<Duration> {
        let (place, mut text) = (self.place(), String::new());
        while is_number(self.peek()) || ["v", "T", "*", "+", "-", "^"].contains(&self.peek()) {
            text.push_str(self.any());
        }
        text.parse().ok().or_else(|| {
            let what = format!("a duration was expected, not {}", quoted(&text));
            self.report(place, &what, "write a sum like `2*T + v*T + 2^v*T`, or `0`")
        })
    }

    fn guard(&mut self) -> Option<Guard> {
        let at = self.place().into();
        let proof = self.take("proof");
        let each = self.take("each");
        let reads = self.reads()?;
        let kinds = self.kinds()?;
        Some(Guard {
            at,
            proof,
            each,
            reads,
            pattern: self.pattern(kinds)?,
        })
    }

    fn reads(&mut self) -> Option<Reads> {
        if is_number(self.peek()) {
            let number = self.peek().parse::<u8>().ok();
            let number = number.or_else(|| self.expected("a number below 256", GUARD))?;
            self.next += 1;
            return Some(Reads::Senders(Number::Exactly(number.into())));
        }
        let place = self.place();
        match self.word("whose records are read", GUARD)? {
            "last" => self
                .must("own", "write `last own`")
                .map(|()| Reads::LastOwn),
            "own" => Some(Reads::Own),
            "primary" => Some(Reads::Primary),
            name => {
                let counts = self.names.counts.keys().map(String::as_str);
                let known: Vec<&str> = counts.chain(["own", "last own", "primary"]).collect();
                self.known("count", name, place, &known);
                Some(Reads::Senders(Number::Named(name.to_owned())))
            }
        }
    }

    /// The kinds of a pattern, ascending; those that are not known are reported and left out.
    fn kinds(&mut self) -> Option<Vec<KindId>> {
        if self.take("*") {
            return Some(every(self.names.kinds).collect());
        }
        let mut kinds = Vec::new();
        loop {
            let place = self.place();
            let name = self.word("the name of a kind", GUARD)?;
            let kind = self.kind(name, place);
            if kind.is_some_and(|kind| kinds.contains(&kind)) {
                self.report::<()>(place, "the kind is named twice", "name it once");
            }
            kinds.extend(kind);
            if !self.take("|") {
                kinds.sort();
                return Some(kinds);
            }
        }
    }

    /// The fields in brackets; those left out match anything.
    fn pattern(&mut self, kinds: Vec<KindId>) -> Option<Pattern> {
        let record = |kind: &KindId| &self.names.kinds[kind.0];
        // Kinds that are not known were reported and may have any fields.
        let has_value = |kind: &KindId| record(kind).value != ValueField::None;
        let valued = kinds.is_empty() || kinds.iter().any(has_value);
        let mixed = valued && !kinds.iter().all(has_value);
        let justified = kinds.iter().all(|kind| record(kind).justified);
        let any = kinds
            .iter()
            .all(|kind| record(kind).value == ValueField::Any);
        self.must("(", "the fields stand in brackets: `kind(v, x)`")?;
        let view = self.field("a view", &VIEWS, |text| {
            let later = number(text, ">=v-").map(Views::From);
            later.or_else(|| number(text, "v-").map(Views::Back))
        })?;
        let (mut value, mut justification) = (Values::Any, Justified::Any);
        if valued && self.take(",") {
            let place = self.place();
            value = self.field("a value", &VALUES, |_| None)?;
            let allowed = match value {
                Values::Nil | Values::Bad => any,
                Values::None => justified,
                _ => true,
            };
            if mixed && !matches!(value, Values::Other | Values::Any) {
                let hint = "write `!x`, for another value or for none, or leave the value out";
                self.report::<()>(place, "some of these kinds have no value", hint);
            } else if !allowed {
                let hint =
                    "nil and bad need `names: any_value` of the kind, `-` needs `justified: true`";
                self.report::<()>(place, "what is read here never has that value", hint);
            }
        }
        if justified && self.take(",") {
            justification = self.field("a justification", &JUSTIFIED, |text| {
                number(text, "v-").map(Justified::Back)
            })?;
        }
        let fields = match (valued, justified) {
            (false, false) => "it has a view only",
            (true, false) => "its fields are view and value",
            (false, true) => "its fields are view and justification",
            (true, true) => "its fields are view, value and justification",
        };
        self.must(")", fields)?;
        Some(Pattern {
            kinds,
            view,
            value,
            justification,
        })
    }

    fn field<T: Copy>(
        &mut self,
        what: &str,
        table: &[(&str, T)],
        other: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (place, text) = (self.place(), self.operand());
        let found = table.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, found)| *found)
            .or_else(|| other(&text))
            .or_else(|| {
                let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
                let what = format!("{what} was expected, not {}", quoted(&text));
                self.report(place, &what, &format!("write {}", one_of(&names)))
            })
    }
}

/// The kinds that `*` stands for: those that are sent, but decisions and recovery.
pub(super) fn every(kinds: &[RecordKind]) -> impl Iterator<Item = KindId> {
    let all = kinds.iter().enumerate();
    let sent = all.filter(|(_, kind)| kind.goes == Goes::Sent && !kind.is_final);
    sent.map(|(place, _)| KindId(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{Counts, Rules},
        vocabulary::{Ahead, Passed},
    };
    use std::collections::BTreeMap;

    fn rules() -> Rules {
        let kind = |name: &str, goes| RecordKind {
            at: Place::START.into(),
            name: name.to_owned(),
            by: By::Any,
            value: ValueField::Any,
            justified: true,
            goes,
            is_final: false,
            ahead: Ahead::Take,
            passed: Passed::Take,
            counts: Counts::Each,
        };
        let count = "n - f".parse().expect("a count");
        Rules {
            counts: BTreeMap::from([("q".to_owned(), count)]),
            kinds: vec![
                kind("a", Goes::Sent),
                kind("b-1", Goes::Sent),
                kind("k", Goes::Kept),
            ],
            timers: Vec::new(),
            chain: false,
            rules: Vec::new(),
            mutants: BTreeMap::new(),
        }
    }

    #[test]
    fn every_guard_is_printed_as_it_is_read() {
        let rules = rules();
        let names = Names {
            kinds: &rules.kinds,
            counts: &rules.counts,
            timers: &rules.timers,
        };
        let all = |texts: &[&'static str], more: &[&'static str]| [texts, more].concat();
        let reads = [
            "own",
            "last own",
            "primary",
            "q",
            "3",
            "proof q",
            "each q",
            "proof each q",
        ];
        let views = all(&VIEWS.map(|(name, _)| name), &["v-1", "v-255", ">=v-2"]);
        let values = VALUES.map(|(name, _)| name);
        let justified = all(&JUSTIFIED.map(|(name, _)| name), &["v-7"]);
        let mut number = 0;
        for (reads, kinds) in reads
            .iter()
            .flat_map(|it| ["a", "b-1", "*", "a|k"].map(|to| (it, to)))
        {
            for (view, value) in views.iter().flat_map(|it| values.map(|to| (it, to))) {
                for justified in &justified {
                    let text = format!("{reads} {kinds}({view}, {value}, {justified})");
                    let mut problems = Problems::new("here");
                    let place = Place::START;
                    let source = Source {
                        text: &text,
                        place,
                        exact: true,
                    };
                    let read = guard(source, names, &mut problems);
                    let read = read.unwrap_or_else(|| panic!("{text}: {problems:?}"));
                    assert_eq!(rules.guard_text(&read), text);
                    number += 1;
                }
            }
        }
        assert_eq!(number, 8 * 4 * 11 * 6 * 9);
    }
}
