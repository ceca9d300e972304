//! The notation of guards and their patterns.

use super::{
    Guard, Justified, KindId, Number, Pattern, Reads, ValueField, Values, Views, notation::Reader,
};
use crate::read::problem::{did_you_mean, quoted};

const SHAPE: &str = "a guard is `own kind(v, …)`, `last own …`, `primary …` or a count of senders";

/// The fields of a pattern, whatever its kinds.
pub(super) struct Fields {
    pub(super) view: Views,
    pub(super) value: Values,
    pub(super) justification: Justified,
}

impl Reader<'_, '_> {
    pub(super) fn guard(&mut self) -> Option<Guard> {
        let at = self.position();
        let proof = self.take("proof");
        let each = self.take("each");
        let reads = self.reads()?;
        let kinds = self.kinds()?;
        let Fields {
            view,
            value,
            justification,
        } = self.pattern(&kinds)?;
        let pattern = Pattern {
            kinds,
            view,
            value,
            justification,
        };
        Some(Guard {
            at,
            proof,
            each,
            reads,
            pattern,
        })
    }

    fn reads(&mut self) -> Option<Reads> {
        if self.take("last") {
            self.must("own", "write `last own`")?;
            return Some(Reads::LastOwn);
        }
        if self.peek(0).starts_with(|it: char| it.is_ascii_digit()) {
            return Some(Reads::Senders(Number::Exactly(self.number()?)));
        }
        let place = self.place();
        Some(match self.word("whose records are read", SHAPE)? {
            "own" => Reads::Own,
            "primary" => Reads::Primary,
            name => {
                let counts = self.names.counts;
                if !counts.contains_key(name) {
                    let known = ["own", "last own", "primary"];
                    let known = counts.keys().map(String::as_str).chain(known);
                    let known: Vec<&str> = known.collect();
                    let what = format!("there is no count {}", quoted(name));
                    self.report(place, &what, &did_you_mean(name, &known));
                }
                Reads::Senders(Number::Named(name.to_owned()))
            }
        })
    }

    /// The kinds of a pattern, ascending; those that are not known are reported and left out.
    fn kinds(&mut self) -> Option<Vec<KindId>> {
        if self.take("*") {
            let sent = self.names.kinds.iter().enumerate();
            let sent = sent.filter(|(_, kind)| !kind.kept && !kind.is_final);
            return Some(sent.map(|(place, _)| KindId(place)).collect());
        }
        let mut kinds = Vec::new();
        loop {
            let place = self.place();
            let name = self.word("the name of a kind", SHAPE)?;
            if let Some(kind) = self.kind(name, place) {
                if kinds.contains(&kind) {
                    let what = format!("{} is named twice", quoted(name));
                    self.report(place, &what, "name it once");
                }
                kinds.push(kind);
            }
            if !self.take("|") {
                break;
            }
        }
        kinds.sort();
        Some(kinds)
    }

    /// The fields in brackets; those left out match anything.
    pub(super) fn pattern(&mut self, kinds: &[KindId]) -> Option<Fields> {
        let all = self.names.kinds;
        let has =
            |field: &dyn Fn(&super::RecordKind) -> bool| kinds.iter().all(|it| field(&all[it.0]));
        // Kinds that are not known were reported and may have any fields.
        let value = has(&|kind| kind.value != ValueField::None);
        let justified = has(&|kind| kind.justified);
        self.must("(", "the fields stand in brackets: `kind(v, x)`")?;
        let mut fields = Fields {
            view: self.view()?,
            value: Values::Any,
            justification: Justified::Any,
        };
        if value && self.take(",") {
            fields.value = self.value(kinds)?;
        }
        if justified && self.take(",") {
            fields.justification = self.justification()?;
        }
        if self.peek(0) == "," {
            let names: Vec<&str> = ["a value", "a justification"]
                .into_iter()
                .zip([value, justified])
                .filter_map(|(name, has)| has.then_some(name))
                .collect();
            let has = match names.as_slice() {
                [] => "a view only".to_owned(),
                names => format!("a view and {}", names.join(" and ")),
            };
            let hint = format!("what is read here has {has}; remove the rest");
            return self.expected("`)`", &hint);
        }
        self.must(")", "the fields are view, value, justification")?;
        Some(fields)
    }

    fn view(&mut self) -> Option<Views> {
        let hint = "a view is `v`, `v-1`, `c`, `<v`, `<=v`, `>c`, `>=c`, `>=v-1` or `*`";
        let pair = (self.peek(0), self.peek(1));
        let (found, length) = match pair {
            ("*", _) => (Views::Any, 1),
            ("c", _) => (Views::C, 1),
            ("<", "v") => (Views::Before, 2),
            ("<=", "v") => (Views::UpTo, 2),
            (">", "c") => (Views::AfterC, 2),
            (">=", "c") => (Views::FromC, 2),
            (">=", "v") => {
                self.skip();
                self.skip();
                return Some(Views::From(self.back()?));
            }
            ("v", _) => {
                self.skip();
                return Some(match self.back()? {
                    0 => Views::Own,
                    back => Views::Back(back),
                });
            }
            _ => return self.expected("a view", hint),
        };
        (0..length).for_each(|_| self.skip());
        Some(found)
    }

    fn value(&mut self, kinds: &[KindId]) -> Option<Values> {
        let place = self.place();
        let all = self.names.kinds;
        let found = match (self.peek(0), self.peek(1)) {
            ("x", _) => Values::X,
            ("!", "x") => {
                self.skip();
                Values::Other
            }
            ("nil", _) => Values::Nil,
            ("bad", _) => Values::Bad,
            ("-", _) => Values::None,
            ("*", _) => Values::Any,
            _ => {
                let hint = "a value is `x`, `!x`, `nil`, `bad`, `-` or `*`";
                return self.expected("a value", hint);
            }
        };
        self.skip();
        for kind in kinds.iter().map(|it| &all[it.0]) {
            let hint = match found {
                Values::Nil if kind.value != ValueField::ValueOrNil => "names: value_or_nil",
                Values::None if !kind.justified => "justified: true",
                _ => continue,
            };
            let what = format!("no {} is without a value in this way", quoted(&kind.name));
            self.report(place, &what, &format!("the kind needs `{hint}` for that"));
        }
        Some(found)
    }

    fn justification(&mut self) -> Option<Justified> {
        let hint = "a justification is `c`, `d`, `<=c`, `>c`, `>=c`, `v-1`, `+`, `-` or `*`";
        let (found, length) = match (self.peek(0), self.peek(1)) {
            ("c", _) => (Justified::C, 1),
            ("d", _) => (Justified::D, 1),
            ("<=", "c") => (Justified::UpToC, 2),
            (">", "c") => (Justified::AfterC, 2),
            (">=", "c") => (Justified::FromC, 2),
            ("+", _) => (Justified::Some, 1),
            ("-", _) => (Justified::None, 1),
            ("*", _) => (Justified::Any, 1),
            ("v", "-") => {
                self.skip();
                return match self.back()? {
                    0 => self.expected("a number above 0 before this", hint),
                    back => Some(Justified::Back(back)),
                };
            }
            _ => return self.expected("a justification", hint),
        };
        (0..length).for_each(|_| self.skip());
        Some(found)
    }
}
