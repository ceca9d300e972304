//! YAML as a tree whose every key and value knows its place in the file.

use super::problem::{Place, Problems, quoted};
use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};
use std::collections::BTreeMap;

/// A value and where it starts.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// Text; `plain` when it was written without quotes and may therefore be a number.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// Keys are distinct; a duplicate was reported and left out.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) value: Node,
}

impl Node {
    /// Whether the value was left out, or spelled as null.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Whether both say the same, wherever they stand.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            _ if self.is_null() || other.is_null() => self.is_null() && other.is_null(),
            (Value::Scalar { text, plain }, Value::Scalar { text: a, plain: b }) => {
                text == a && plain == b
            }
            (Value::List(all), Value::List(others)) => {
                all.len() == others.len() && all.iter().zip(others).all(|(a, b)| a.same(b))
            }
            (Value::Map(all), Value::Map(others)) => {
                let equal = |(a, b): (&Entry, &Entry)| a.key == b.key && a.value.same(&b.value);
                all.len() == others.len() && all.iter().zip(others).all(equal)
            }
            _ => false,
        }
    }

    /// The value as a message names it.
    pub(crate) fn described(&self) -> String {
        match &self.value {
            _ if self.is_null() => "nothing".to_owned(),
            Value::Scalar { text, plain: true } => quoted(text),
            Value::Scalar { text, plain: false } => format!("the text {}", quoted(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// The one document of `text`. Reports everything that is not plain YAML: syntax, duplicate
/// keys, tags, aliases, a second document.
pub(crate) fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    let mut builder = Builder {
        text,
        parser: Parser::new_from_str(text),
        problems,
        depth: 0,
    };
    let root = builder.document()?;
    builder.end()?;
    Some(root)
}

struct Builder<'text, 'problems> {
    text: &'text str,
    parser: Parser<'text, StrInput<'text>>,
    problems: &'problems mut Problems,
    /// How many lists and mappings are open.
    depth: usize,
}

/// No file of ours has more lists and mappings in one another; reading them takes stack.
const DEEPEST: usize = 32;

fn place(marker: &Marker) -> Place {
    Place {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

impl<'text> Builder<'text, '_> {
    /// The next event that is data. `None` after the last one, or when the text is not YAML.
    fn next(&mut self) -> Option<(Event<'text>, Span)> {
        loop {
            match self.parser.next_event()? {
                Ok((Event::Comment(..) | Event::StreamStart, _)) => {}
                Ok(event) => return Some(event),
                Err(error) => {
                    let hint = match error.info() {
                        info if info.contains("tab") => "indent with spaces",
                        info if info.contains("unclosed") || info.contains("EOF") => {
                            "close it; the file may be cut off"
                        }
                        _ => "check the indentation, colons, brackets and quotes around this place",
                    };
                    let what = format!("not valid YAML: {}", error.info());
                    let place = self.on_the_tab(place(error.marker()));
                    self.problems.at(place, what, hint);
                    return None;
                }
            }
        }
    }

    /// The parser complains of a tab when it stands behind it.
    fn on_the_tab(&self, place: Place) -> Place {
        let line = self
            .text
            .lines()
            .nth(place.line.saturating_sub(1))
            .unwrap_or_default();
        let before = place.column.checked_sub(2);
        let behind = before.and_then(|before| line.chars().nth(before)) == Some('\t');
        let column = if behind {
            place.column - 1
        } else {
            place.column
        };
        Place { column, ..place }
    }

    fn document(&mut self) -> Option<Node> {
        if let (Event::DocumentStart(..), _) = self.next()? {
            let (event, span) = self.next()?;
            self.node(event, span)
        } else {
            let hint = "a file starts with `format: milp-<kind>/<version>`";
            self.problems.at(Place::START, "the file is empty", hint);
            None
        }
    }

    /// Nothing but the end of the file may follow.
    fn end(&mut self) -> Option<()> {
        while let Some((event, span)) = self.next() {
            match event {
                Event::DocumentEnd => {}
                Event::StreamEnd => return Some(()),
                _ => {
                    let what = "a second document begins; one was expected";
                    self.problems
                        .at(place(&span.start), what, "remove the line `---`");
                    return None;
                }
            }
        }
        None
    }

    fn node(&mut self, event: Event<'text>, span: Span) -> Option<Node> {
        let place = place(&span.start);
        if event.tag().is_some() {
            let place = span.tag_start().map_or(place, |tag| self::place(&tag));
            let what = "a YAML tag (`!…`) is not used here";
            self.problems.at(place, what, "remove the tag");
        }
        if let Event::Scalar(_, _, 1.., _)
        | Event::SequenceStart(_, 1.., _)
        | Event::MappingStart(_, 1.., _) = event
        {
            let what = "a YAML anchor (`&…`) is not used here";
            self.problems.at(place, what, "remove the anchor");
        }
        let value = match event {
            Event::Scalar(text, style, ..) => Value::Scalar {
                text: text.into_owned(),
                plain: style == ScalarStyle::Plain,
            },
            Event::SequenceStart(..) | Event::MappingStart(..) if self.depth == DEEPEST => {
                let what = format!("more than {DEEPEST} lists and mappings in one another");
                self.problems.at(place, what, "no file here needs that");
                return None;
            }
            Event::SequenceStart(..) => {
                self.depth += 1;
                let list = self.list()?;
                self.depth -= 1;
                Value::List(list)
            }
            Event::MappingStart(..) => {
                self.depth += 1;
                let map = self.map()?;
                self.depth -= 1;
                Value::Map(map)
            }
            Event::Alias(..) => {
                self.problems.at(
                    place,
                    "a YAML alias (`*…`) is not used here",
                    "write the value out instead",
                );
                return None;
            }
            other => {
                self.problems.at(
                    place,
                    format!("not valid YAML: a value was expected, not {other:?}"),
                    "check the indentation, colons, brackets and quotes around this place",
                );
                return None;
            }
        };
        Some(Node { place, value })
    }

    fn list(&mut self) -> Option<Vec<Node>> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Some(nodes),
                (event, span) => nodes.push(self.node(event, span)?),
            }
        }
    }

    fn map(&mut self) -> Option<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut first: BTreeMap<String, Place> = BTreeMap::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => return Some(entries),
                (event, span) => self.node(event, span)?,
            };
            let (event, span) = self.next()?;
            let mut value = self.node(event, span)?;
            if value.is_null() && span.is_empty() {
                // A value that is left out is nowhere; its key is what can be pointed at.
                value.place = key.place;
            }
            let Value::Scalar { text, .. } = key.value else {
                let what = format!("{} cannot be a key", key.described());
                self.problems.at(key.place, what, "write `key: value`");
                continue;
            };
            if let Some(earlier) = first.get(&text) {
                let what = format!("duplicate key {}", quoted(&text));
                let hint = format!("it is already given in line {}; keep one", earlier.line);
                self.problems.at(key.place, what, hint);
                continue;
            }
            first.insert(text.clone(), key.place);
            entries.push(Entry {
                key: text,
                place: key.place,
                value,
            });
        }
    }
}
