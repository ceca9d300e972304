//! The notation of rules: one rule, one line.

use super::{
    Condition, Earlier, Guard, Head, Justifies, KindId, Lines, Made, Mode, Position, RecordKind,
    Rule, Scope, TimerId, Values,
};
use crate::{
    formula::{Count, Duration},
    read::problem::{Place, Problems, did_you_mean, quoted},
    vocabulary::By,
};
use std::collections::BTreeMap;

/// Words that mean something in a rule, and are therefore no names.
pub(super) const RESERVED: [&str; 22] = [
    "v", "x", "c", "d", "T", "nil", "bad", "own", "last", "primary", "backup", "proof", "each",
    "may", "height", "timer", "for", "stop", "enter", "skip", "unless", "when",
];

/// The shape of a rule, for hints.
pub(super) const SHAPE: &str = "a rule is `kind(v, …) <- guard, … unless guard, …`";

/// What names in rules stand for.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) kinds: &'a [RecordKind],
    pub(super) counts: &'a BTreeMap<String, Count>,
    pub(super) timers: &'a [String],
}

/// A text of the notation and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    /// The place of its first character.
    pub(super) place: Place,
    /// Whether the file has it as it is, so that places inside can be told.
    pub(super) exact: bool,
}

impl Source<'_> {
    fn at(&self, column: usize) -> Place {
        let inside = if self.exact { column } else { 0 };
        Place {
            column: self.place.column + inside,
            ..self.place
        }
    }
}

/// A word, a number or a sign, and the character at which it starts.
#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    column: usize,
}

impl Token<'_> {
    fn is_word(&self) -> bool {
        self.text.starts_with(|it: char| it.is_ascii_alphabetic())
    }
}

pub(super) struct Reader<'a, 'p> {
    source: Source<'a>,
    tokens: Vec<Token<'a>>,
    next: usize,
    pub(super) names: Names<'a>,
    problems: &'p mut Problems,
    /// Whether nothing was reported.
    sound: bool,
}

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
    reader.end("a single guard")?;
    reader.sound.then_some(guard)
}

/// The words, numbers and signs of a text.
fn tokens<'a>(source: &Source<'a>, problems: &mut Problems) -> Option<Vec<Token<'a>>> {
    let mut found = Vec::new();
    let (mut rest, mut column) = (source.text, 0);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            ' ' => 1,
            'v' if rest[1..].starts_with('-') => 1,
            _ if first.is_ascii_alphabetic() => {
                let inside = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
                rest.find(|it| !inside(it)).unwrap_or(rest.len())
            }
            _ if first.is_ascii_digit() => {
                let end = rest.find(|it: char| !it.is_ascii_digit());
                end.unwrap_or(rest.len())
            }
            _ if ["<-", "<=", ">="].iter().any(|it| rest.starts_with(it)) => 2,
            _ if "(),|<>=!*+-^".contains(first) => 1,
            _ => {
                let what = format!("{} means nothing in a rule", quoted(&first.to_string()));
                problems.at(source.at(column), what, SHAPE);
                return None;
            }
        };
        if first != ' ' {
            let text = &rest[..length];
            found.push(Token { text, column });
        }
        rest = &rest[length..];
        column += length;
    }
    Some(found)
}

impl<'a, 'p> Reader<'a, 'p> {
    fn new(source: Source<'a>, names: Names<'a>, problems: &'p mut Problems) -> Option<Self> {
        Some(Self {
            source,
            tokens: tokens(&source, problems)?,
            next: 0,
            names,
            problems,
            sound: true,
        })
    }

    pub(super) fn peek(&self, ahead: usize) -> &'a str {
        let token = self.tokens.get(self.next + ahead);
        token.map_or("", |token| token.text)
    }

    /// Goes on if the next token is that one.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.peek(0) == text;
        self.next += usize::from(found);
        found
    }

    pub(super) fn skip(&mut self) {
        self.next += 1;
    }

    /// The place of the next token, or of the end.
    pub(super) fn place(&self) -> Place {
        let column = self.tokens.get(self.next).map(|token| token.column);
        let end = || self.source.text.trim_end().chars().count();
        self.source.at(column.unwrap_or_else(end))
    }

    pub(super) fn position(&self) -> Position {
        let Place { line, column } = self.place();
        Position { line, column }
    }

    /// Reports something that does not stop the reading.
    pub(super) fn report(&mut self, place: Place, what: &str, hint: &str) {
        self.sound = false;
        self.problems.at(place, what, hint);
    }

    /// Reports that the next token is another than what was expected.
    pub(super) fn expected<T>(&mut self, what: &str, hint: &str) -> Option<T> {
        let found = match self.peek(0) {
            "" => "the end".to_owned(),
            text => quoted(text),
        };
        let what = format!("{what} was expected, not {found}");
        self.report(self.place(), &what, hint);
        None
    }

    pub(super) fn must(&mut self, text: &str, hint: &str) -> Option<()> {
        if self.take(text) {
            return Some(());
        }
        self.expected(&format!("`{text}`"), hint)
    }

    fn end(&mut self, what: &str) -> Option<()> {
        if self.next == self.tokens.len() {
            return Some(());
        }
        self.expected(&format!("the end of {what}"), SHAPE)
    }

    /// The next word, whatever it stands for.
    pub(super) fn word(&mut self, what: &str, hint: &str) -> Option<&'a str> {
        let token = self.tokens.get(self.next).filter(|token| token.is_word());
        let Some(text) = token.map(|token| token.text) else {
            return self.expected(what, hint);
        };
        self.next += 1;
        Some(text)
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        let number = self.peek(0).parse().ok().filter(|number| *number < 1_000);
        if number.is_none() {
            return self.expected("a number below 1000", "write digits");
        }
        self.next += 1;
        number
    }

    /// What follows `v`: nothing, or `-` and a number.
    pub(super) fn back(&mut self) -> Option<u32> {
        if self.take("-") {
            self.number()
        } else {
            Some(0)
        }
    }

    fn rule(&mut self, lines: Lines) -> Option<Rule> {
        let at = self.position();
        let (head, by) = self.head()?;
        let mut rule = Rule {
            lines,
            at,
            head,
            who: by,
            mode: Mode::Must,
            scope: Scope::View,
            conditions: Vec::new(),
            when: Vec::new(),
            unless: Vec::new(),
        };
        if self.take("<-") {
            self.item(&mut rule)?;
            while self.take(",") {
                self.item(&mut rule)?;
            }
        }
        if self.take("unless") {
            rule.unless.push(self.guard()?);
            while self.take(",") {
                rule.unless.push(self.guard()?);
            }
        }
        self.end("the rule")?;
        Some(rule)
    }

    /// What the rule does, and who may.
    fn head(&mut self) -> Option<(Head, By)> {
        let place = self.place();
        let word = self.word("the name of a kind", SHAPE)?;
        let entry = match word {
            "enter" => Head::Enter,
            "skip" => Head::Skip,
            "stop" => {
                let timer = self.timer()?;
                return Some((Head::Stop { timer }, By::Any));
            }
            "timer" => {
                let timer = self.timer()?;
                let lasts = if self.take("for") {
                    Some(self.duration()?)
                } else {
                    None
                };
                return Some((Head::Arm { timer, lasts }, By::Any));
            }
            _ => return self.makes(word, place),
        };
        for token in ["(", "v", ")"] {
            self.must(token, "a view is entered with `enter(v)` or `skip(v)`")?;
        }
        Some((entry, By::Any))
    }

    fn makes(&mut self, name: &str, place: Place) -> Option<(Head, By)> {
        let kind = self.kind(name, place);
        let fields = self.pattern(&kind.map_or(Vec::new(), |kind| vec![kind]))?;
        let kind = kind?;
        let record = &self.names.kinds[kind.0];
        let value = match fields.value {
            Values::X => Made::X,
            Values::Nil => Made::Nil,
            Values::None => Made::None,
            Values::Any if record.value == super::ValueField::None => Made::None,
            _ => {
                let hint = "a rule makes a record with `x`, `nil` or `-`";
                self.report(place, "the value of what is made is not told", hint);
                return None;
            }
        };
        let justification = match fields.justification {
            super::Justified::C => Justifies::C,
            super::Justified::Back(back) => Justifies::Back(back),
            super::Justified::None => Justifies::None,
            super::Justified::Any if !record.justified => Justifies::None,
            _ => {
                let hint = "a rule makes a record with `c`, `v-1` or `-`";
                self.report(place, "the justification of what is made is not told", hint);
                return None;
            }
        };
        if fields.view != super::Views::Own {
            let hint = "write `v` for the view";
            self.report(place, "a record is made in the view `v` only", hint);
        }
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
        let alone = matches!(self.peek(1), "" | "," | "unless");
        match (self.peek(0), self.peek(1)) {
            (role @ ("primary" | "backup"), _) if alone => {
                let role = [By::Primary, By::Backup][usize::from(role == "backup")];
                self.skip();
                if rule.who != By::Any && rule.who != role {
                    let hint = "remove it, or change `by` of the kind";
                    self.report(place, "the kind is made by others, so never by them", hint);
                }
                rule.who = role;
            }
            ("may", _) if alone => {
                self.skip();
                rule.mode = Mode::May;
            }
            ("height", _) if alone => {
                self.skip();
                rule.scope = Scope::Height;
            }
            ("timer", _) => {
                self.skip();
                rule.mode = Mode::Timer(self.timer()?);
            }
            ("v", "=") => {
                self.next += 2;
                rule.conditions.push(Condition::At(self.number()?));
            }
            ("v", ">") => {
                self.next += 2;
                rule.conditions.push(Condition::After(self.number()?));
            }
            (letter @ ("c" | "d"), _) => {
                let earlier = [Earlier::C, Earlier::D][usize::from(letter == "d")];
                self.skip();
                self.must("<", "write `c < v-1`")?;
                self.must("v", "write `c < v-1`")?;
                let back = self.back()?;
                rule.conditions.push(Condition::Below(earlier, back));
            }
            _ => rule.when.push(self.guard()?),
        }
        Some(())
    }

    fn timer(&mut self) -> Option<TimerId> {
        let place = self.place();
        let name = self.word("the name of a timer", "name one of `timers`")?;
        let found = self.names.timers.iter().position(|timer| timer == name);
        if found.is_none() {
            let known: Vec<&str> = self.names.timers.iter().map(String::as_str).collect();
            let what = format!("there is no timer {}", quoted(name));
            self.report(place, &what, &did_you_mean(name, &known));
        }
        // Reading goes on, so that what is wrong behind it is found as well.
        Some(TimerId(found.unwrap_or_default()))
    }

    pub(super) fn kind(&mut self, name: &str, place: Place) -> Option<KindId> {
        let kinds = self.names.kinds;
        let found = kinds.iter().position(|kind| kind.name == name);
        if found.is_none() {
            let known: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
            let what = format!("there is no kind {}", quoted(name));
            self.report(place, &what, &did_you_mean(name, &known));
        }
        found.map(KindId)
    }

    /// A sum of products with one `T` each.
    fn duration(&mut self) -> Option<Duration> {
        let mut sum = Duration::default();
        let mut sign = if self.take("-") { -1 } else { 1 };
        loop {
            self.product(sign, &mut sum)?;
            sign = match self.peek(0) {
                "+" => 1,
                "-" => -1,
                _ => return Some(sum),
            };
            self.skip();
        }
    }

    fn product(&mut self, mut number: i64, sum: &mut Duration) -> Option<()> {
        let hint = "a duration is a sum like `2*T + v*T + 2^v*T`, or `0`";
        let (mut times, mut views, mut doubled) = (0, 0, 0);
        loop {
            match (self.peek(0), self.peek(1), self.peek(2)) {
                ("2", "^", "v") => {
                    doubled += 1;
                    self.next += 3;
                }
                ("v", ..) => {
                    views += 1;
                    self.skip();
                }
                ("T", ..) => {
                    times += 1;
                    self.skip();
                }
                (digits, ..) if digits.starts_with(|it: char| it.is_ascii_digit()) => {
                    number = number.saturating_mul(i64::from(self.number()?));
                }
                _ => return self.expected("a number, `v`, `2^v` or `T`", hint),
            }
            if !self.take("*") {
                break;
            }
        }
        // Far from where sums over all views could overflow.
        let number = number.clamp(-1_000_000, 1_000_000);
        match (times, views, doubled) {
            (1, 0, 0) => sum.constant += number,
            (1, 1, 0) => sum.per_view += number,
            (1, 0, 1) => sum.doubling += number,
            (0, 0, 0) if number == 0 => {}
            _ => return self.expected("one `T`, and at most one of `v` and `2^v`,", hint),
        }
        Some(())
    }
}
