//! Words, numbers and signs of the notation, and what is wrong with them.

use super::{KindId, RecordKind, TimerId};
use crate::{
    formula::Count,
    read::problem::{Place, Problems, did_you_mean, quoted},
};
use std::collections::BTreeMap;

/// The shape of a rule, for hints.
pub(super) const RULE: &str = "a rule is `kind(v, …) <- guard, … unless guard, …`";

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

pub(super) struct Reader<'a, 'p> {
    source: Source<'a>,
    /// Words, numbers and signs, each with the character at which it starts.
    pub(super) tokens: Vec<(&'a str, usize)>,
    pub(super) next: usize,
    pub(super) names: Names<'a>,
    problems: &'p mut Problems,
    /// Whether nothing was reported.
    pub(super) sound: bool,
}

pub(super) fn is_number(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_digit())
}

impl<'a, 'p> Reader<'a, 'p> {
    pub(super) fn new(
        source: Source<'a>,
        names: Names<'a>,
        problems: &'p mut Problems,
    ) -> Option<Self> {
        let tokens = Vec::new();
        let mut reader = Self {
            source,
            tokens,
            next: 0,
            names,
            problems,
            sound: true,
        };
        let (mut rest, mut column) = (source.text, 0);
        while let Some(first) = rest.chars().next() {
            let inside = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
            let until = |end: &dyn Fn(char) -> bool| rest.find(end).unwrap_or(rest.len());
            let length = match first {
                'v' if rest[1..].starts_with('-') => 1,
                _ if first.is_ascii_alphabetic() => until(&|it| !inside(it)),
                _ if first.is_ascii_digit() => until(&|it| !it.is_ascii_digit()),
                _ if ["<-", "<=", ">="].iter().any(|it| rest.starts_with(it)) => 2,
                _ if " (),|<>=!*+-^".contains(first) => 1,
                _ => {
                    let what = format!("{} means nothing in a rule", quoted(&first.to_string()));
                    let place = reader.at(column);
                    return reader.report(place, &what, RULE);
                }
            };
            if first != ' ' {
                reader.tokens.push((&rest[..length], column));
            }
            rest = &rest[length..];
            column += length;
        }
        Some(reader)
    }

    fn at(&self, column: usize) -> Place {
        let Source { place, exact, .. } = self.source;
        let column = place.column + if exact { column } else { 0 };
        Place { column, ..place }
    }

    /// The next token; an empty text at the end.
    pub(super) fn peek(&self) -> &'a str {
        self.tokens.get(self.next).map_or("", |(text, _)| text)
    }

    /// The place of the next token, or of the end.
    pub(super) fn place(&self) -> Place {
        let end = || self.source.text.trim_end().chars().count();
        let next = self.tokens.get(self.next).map(|(_, column)| *column);
        self.at(next.unwrap_or_else(end))
    }

    /// Goes on if the next token is that one.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.peek() == text;
        self.next += usize::from(found);
        found
    }

    /// The next token, whatever it is.
    pub(super) fn any(&mut self) -> &'a str {
        let text = self.peek();
        self.next += 1;
        text
    }

    pub(super) fn report<T>(&mut self, place: Place, what: &str, hint: &str) -> Option<T> {
        self.sound = false;
        self.problems.at(place, what, hint);
        None
    }

    /// Reports that the next token is another than what was expected.
    pub(super) fn expected<T>(&mut self, what: &str, hint: &str) -> Option<T> {
        let found = match self.peek() {
            "" => "the end".to_owned(),
            text => quoted(text),
        };
        let what = format!("{what} was expected, not {found}");
        self.report(self.place(), &what, hint)
    }

    pub(super) fn must(&mut self, text: &str, hint: &str) -> Option<()> {
        if self.take(text) {
            return Some(());
        }
        self.expected(&format!("`{text}`"), hint)
    }

    pub(super) fn end(&mut self) -> Option<()> {
        if self.next == self.tokens.len() {
            return Some(());
        }
        self.expected("the end", RULE)
    }

    pub(super) fn word(&mut self, what: &str, hint: &str) -> Option<&'a str> {
        if self.peek().starts_with(|it: char| it.is_ascii_alphabetic()) {
            return Some(self.any());
        }
        self.expected(what, hint)
    }

    /// A word or a number with the signs before it, and `-` and a number behind `v`.
    pub(super) fn operand(&mut self) -> String {
        let mut text = String::new();
        while ["<", "<=", ">", ">=", "=", "!"].contains(&self.peek()) {
            text.push_str(self.any());
        }
        if !["", ",", "(", ")", "|", "<-"].contains(&self.peek()) {
            let last = self.any();
            text.push_str(last);
            if last == "v" && self.take("-") {
                let number = self.any();
                text.push('-');
                text.push_str(number);
            }
        }
        // A view is the same as no view before it.
        text.strip_suffix("v-0")
            .map_or(text.clone(), |start| format!("{start}v"))
    }

    /// The place of a name among those that are known; reading goes on without it.
    pub(super) fn known(
        &mut self,
        what: &str,
        name: &str,
        place: Place,
        known: &[&str],
    ) -> Option<usize> {
        let found = known.iter().position(|it| *it == name);
        if found.is_none() {
            let what = format!("there is no {what} {}", quoted(name));
            return self.report(place, &what, &did_you_mean(name, known));
        }
        found
    }

    pub(super) fn kind(&mut self, name: &str, place: Place) -> Option<KindId> {
        let known: Vec<&str> = self.names.kinds.iter().map(|it| it.name.as_str()).collect();
        self.known("kind", name, place, &known).map(KindId)
    }

    pub(super) fn timer(&mut self) -> Option<TimerId> {
        let place = self.place();
        let name = self.word("the name of a timer", "name one of `timers`")?;
        let known: Vec<&str> = self.names.timers.iter().map(String::as_str).collect();
        let found = self.known("timer", name, place, &known);
        Some(TimerId(found.unwrap_or_default()))
    }
}
