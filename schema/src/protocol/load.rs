//! A positioned tree becomes [`Rules`], or a list of all that is wrong.

use super::{
    Counts, Edit, Goes, Guard, Lines, Mutant, RecordKind, Rule, Rules, ValueField,
    notation::{self, RESERVED},
    reader::{Names, Source},
    whole,
};
use crate::{
    formula::Count,
    kind::is_colour,
    read::{
        fields::{self, Fields},
        format,
        problem::{Place, Problems, quoted},
        tree::{Entry, Node, Value},
    },
    vocabulary::{Ahead, By, Passed},
};
use std::{
    collections::BTreeMap,
    path::{Component, Path},
};

/// Every key of a protocol file; what words say is judged by the vocabulary.
const KEYS: &str = "format name title page words primary quorum counts messages engines \
                    repaired_by mutants timers chain kinds kept rules";

const MUTANT: &str = "says quorum counts takes without drop replace only";

pub(super) const VALUES: [(&str, ValueField); 3] = [
    ("value", ValueField::Block),
    ("any_value", ValueField::Any),
    ("nothing", ValueField::None),
];

pub(super) const AHEAD: [(&str, Ahead); 3] = [
    ("hold", Ahead::Hold),
    ("take", Ahead::Take),
    ("lose", Ahead::Lose),
];

pub(super) const PASSED: [(&str, Passed); 2] = [("take", Passed::Take), ("ignore", Passed::Ignore)];

pub(super) const COUNTS: [(&str, Counts); 2] = [("first", Counts::First), ("each", Counts::Each)];

pub(super) const MAKERS: [(&str, By); 3] = [
    ("any", By::Any),
    ("primary", By::Primary),
    ("backup", By::Backup),
];

/// No word is longer, no rule is longer, no list of a file is longer.
const WORD: usize = 200;
const RULE: usize = 1_000;
const MOST: usize = 64;

struct Loader<'a> {
    lines: Vec<&'a str>,
    problems: &'a mut Problems,
}

/// The rules in `node`, which is `text`. Every part is judged even if an earlier one is wrong.
pub(super) fn convert(node: &Node, text: &str, problems: &mut Problems) -> Option<Rules> {
    let keys: Vec<&str> = KEYS.split(' ').collect();
    let fields = Fields::of(node, "a protocol", &keys, problems)?;
    if !format::check(&fields, "protocol", problems) {
        return None;
    }
    let lines = text.lines().collect();
    let mut loader = Loader { lines, problems };
    loader.words(node, WORD);
    if let Some(name) = fields.required("name", "what instances say", loader.problems) {
        loader.named(name, false);
    }
    loader.page(&fields);
    let kinds = loader.kinds(&fields);
    let counts = loader.counts(&fields);
    let timers = loader.each(&fields, "timers", |loader, node| loader.named(node, false));
    let chain = fields.boolean("chain", Some(false), loader.problems);
    let (kinds, counts, timers) = (kinds?, counts?, timers?);
    let names = Names {
        kinds: &kinds,
        counts: &counts,
        timers: &timers,
    };
    let any = fields.required("rules", "a line each", loader.problems);
    let rules = loader.each(&fields, "rules", |loader, node| loader.rule(node, names));
    let mutants = loader.entries(&fields, "mutants", |loader, entry| {
        loader.name(&entry.key, entry.place, false)?;
        Some((entry.key.clone(), loader.mutant(entry, names)?))
    });
    let rules = Rules {
        rules: any.and(rules)?,
        mutants: mutants?.into_iter().collect(),
        chain: chain?,
        counts,
        kinds,
        timers,
    };
    whole::rules(&rules, fields.place("timers").into(), problems).then_some(rules)
}

impl Loader<'_> {
    /// No word is long or has a character that is no text.
    fn words(&mut self, node: &Node, most: usize) {
        match &node.value {
            Value::Scalar { text, .. } => self.word(text, node.place, most),
            Value::List(nodes) => nodes.iter().for_each(|node| self.words(node, most)),
            Value::Map(entries) => {
                for Entry { key, place, value } in entries {
                    self.word(key, *place, WORD);
                    self.words(value, if key == "rules" { RULE } else { most });
                    if ["colour", "fill", "text"].contains(&key.as_str()) {
                        self.colour(value);
                    }
                }
            }
        }
    }

    fn word(&mut self, text: &str, place: Place, most: usize) {
        let length = text.chars().count();
        if length > most {
            let what = format!("{length} characters; at most {most} were expected");
            self.problems.at(place, what, "say it shorter");
        }
        if text.chars().any(char::is_control) {
            let what = "a control character, such as a line break, within a text";
            self.problems.at(place, what, "write it in one line");
        }
    }

    fn colour(&mut self, node: &Node) {
        if !matches!(&node.value, Value::Scalar { text, .. } if is_colour(text)) {
            let what = format!("a colour was expected, not {}", node.described());
            self.problems.at(node.place, what, "write `'#rrggbb'`");
        }
    }

    /// A page is a path that leads nowhere else.
    fn page(&mut self, fields: &Fields) {
        let Some(text) = fields.text("page", self.problems) else {
            return;
        };
        let inside = |part| matches!(part, Component::Normal(_));
        if !Path::new(text).components().all(inside) || text.contains([':', '\\']) {
            let what = format!(
                "`page` must be a path below the folder, not {}",
                quoted(text)
            );
            let hint = "write `page: docs/protocols/name.md`";
            self.problems.at(fields.place("page"), what, hint);
        }
    }

    fn named(&mut self, node: &Node, capitals: bool) -> Option<String> {
        let text = fields::text(node, "a name", self.problems)?;
        self.name(text, node.place, capitals)
    }

    /// A name that can stand in files and in rules. Kinds may have capital letters.
    fn name(&mut self, text: &str, place: Place, capitals: bool) -> Option<String> {
        let first = |it: char| it.is_ascii_lowercase() || capitals && it.is_ascii_uppercase();
        let inside = |it: char| first(it) || it.is_ascii_digit() || "_-".contains(it);
        if !text.starts_with(first) || !text.chars().all(inside) || text.len() > 32 {
            let what = format!("{} is no name", quoted(text));
            let hint = "a name is a small letter and up to 31 small letters, digits, `_` and `-`";
            self.problems.at(place, what, hint);
            return None;
        }
        if RESERVED.contains(&text) || text.starts_with("v-") {
            let what = format!("{} means something in rules and is no name", quoted(text));
            self.problems.at(place, what, "take another name");
            return None;
        }
        Some(text.to_owned())
    }

    /// What all entries of a list become; nothing if it is not there.
    fn each<T>(
        &mut self,
        fields: &Fields,
        key: &str,
        make: impl Fn(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let what = match fields.get(key).map(|node| &node.value) {
            None => return Some(Vec::new()),
            Some(Value::List(nodes)) if nodes.len() <= MOST => {
                let made: Vec<Option<T>> = nodes.iter().map(|node| make(self, node)).collect();
                return made.into_iter().collect();
            }
            _ => format!("`{key}` must be a list of at most {MOST}"),
        };
        self.problems
            .at(fields.place(key), what, "write `- …`, a line each");
        None
    }

    /// What all entries of a mapping become; nothing if it is not there.
    fn entries<T>(
        &mut self,
        fields: &Fields,
        key: &str,
        mut make: impl FnMut(&mut Self, &Entry) -> Option<T>,
    ) -> Option<Vec<T>> {
        let what = match fields.get(key).map(|node| &node.value) {
            None => return Some(Vec::new()),
            Some(Value::Map(entries)) if entries.len() <= MOST => {
                let made: Vec<Option<T>> = entries.iter().map(|it| make(self, it)).collect();
                return made.into_iter().collect();
            }
            _ => format!("`{key}` must be a mapping of at most {MOST}"),
        };
        self.problems
            .at(fields.place(key), what, "write `name: …`, a line each");
        None
    }

    fn counts(&mut self, fields: &Fields) -> Option<BTreeMap<String, Count>> {
        let quorum = fields.required("quorum", "here `quorum: n - f`", self.problems);
        let quorum = quorum.and_then(|node| self.count(node));
        let counts = self.entries(fields, "counts", |loader, entry| {
            if entry.key == "q" {
                let what = "the count `q` is the key `quorum`";
                loader.problems.at(entry.place, what, "remove it here");
            }
            let name = loader.name(&entry.key, entry.place, false);
            name.zip(loader.count(&entry.value))
        });
        let mut counts: BTreeMap<String, Count> = counts?.into_iter().collect();
        counts.insert("q".to_owned(), quorum?);
        Some(counts)
    }

    fn count(&mut self, node: &Node) -> Option<Count> {
        let text = fields::text(node, "a count", self.problems)?;
        let hint = "write `n - f`, `2f + 1` or `ceil(2n/3)`";
        let refused = |what: String| self.problems.at(node.place, what, hint);
        text.parse().map_err(refused).ok()
    }

    /// The kinds that are sent, then those that are kept.
    fn kinds(&mut self, fields: &Fields) -> Option<Vec<RecordKind>> {
        fields.required("kinds", "a line each", self.problems);
        let sent = self.each(fields, "kinds", |loader, node| {
            let kind = Fields::any(node, "a kind", loader.problems)?;
            let does = kind.required("does", "what it does", loader.problems)?;
            let does = Fields::any(does, "`does`", loader.problems)?;
            loader.kind(node, &kind, &does, false)
        });
        let kept = self.each(fields, "kept", |loader, node| {
            let keys = ["kind", "says", "names", "by", "justified", "final"];
            let kind = Fields::of(node, "a kept kind", &keys, loader.problems)?;
            kind.text("says", loader.problems);
            loader.kind(node, &kind, &kind, true)
        });
        let mut kinds = sent?;
        kinds.extend(kept?);
        Some(kinds)
    }

    fn kind(
        &mut self,
        node: &Node,
        kind: &Fields,
        does: &Fields,
        kept: bool,
    ) -> Option<RecordKind> {
        let name = kind.required("kind", "its name", self.problems);
        let name = name.and_then(|name| self.named(name, true));
        let problems = &mut *self.problems;
        let by = does.choice("by", &MAKERS, kept.then_some(By::Any), problems);
        let value = does.choice("names", &VALUES, None, problems);
        let justified = does.boolean("justified", Some(false), problems);
        let ahead = does.choice("ahead", &AHEAD, kept.then_some(Ahead::Take), problems);
        let passed = does.choice("passed", &PASSED, kept.then_some(Passed::Take), problems);
        let counts = does.choice("counts", &COUNTS, Some(Counts::Each), problems);
        let is_final = kept && kind.boolean("final", Some(false), problems)?;
        let role = does.get("role").map(Node::described).unwrap_or_default();
        if role == "`leave`" && value.is_some_and(|it| it != ValueField::None) {
            let place = does.get("names").map_or(node.place, |it| it.place);
            let what = "a kind of `role: leave` names nothing";
            let hint = "say `names: nothing`, or `role: vote` of one that names a value";
            problems.at(place, what, hint);
        }
        Some(RecordKind {
            at: node.place.into(),
            name: name?,
            by: by?,
            value: value?,
            justified: justified?,
            goes: match role.as_str() {
                _ if kept => Goes::Kept,
                "`question`" | "`answer`" => Goes::Recovery,
                _ => Goes::Sent,
            },
            is_final: is_final || role == "`decision`",
            ahead: ahead?,
            passed: passed?,
            counts: counts?,
        })
    }

    /// A text and where it starts, inside of its quotes; none that is too long, which was reported.
    fn source<'b>(&self, text: &'b str, place: Place) -> Option<Source<'b>> {
        if text.chars().count() > RULE {
            return None;
        }
        let Place { line, column } = place;
        // Whoever writes a whole file in one line finds places in it without help.
        let whole = self.lines.get(line - 1).filter(|_| column <= RULE);
        let whole = whole.copied().unwrap_or_default();
        let mut rest = whole.chars().skip(column - 1).peekable();
        let quotes = usize::from(rest.next_if(|it| "\"'".contains(*it)).is_some());
        let exact = rest.take(text.chars().count()).eq(text.chars());
        let column = if exact { column + quotes } else { column };
        let place = Place { line, column };
        Some(Source { text, place, exact })
    }

    fn rule(&mut self, node: &Node, names: Names) -> Option<Rule> {
        let one = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        let [Entry { key, place, value }] = one else {
            let described = node.described();
            let what = format!("a rule is lines of the page and a text, not {described}");
            let hint = "write `- 22-24: \"kind(v, …) <- guard, … unless guard, …\"`";
            self.problems.at(node.place, what, hint);
            return None;
        };
        let lines = self.lines(key, *place);
        let text = fields::text(value, "a rule", self.problems)?;
        let source = self.source(text, value.place)?;
        notation::rule(source, lines?, names, self.problems)
    }

    fn lines(&mut self, text: &str, place: Place) -> Option<Lines> {
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let range = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (range.0 <= range.1 && range.1 < 10_000).then_some(range)
        };
        let ranges: Option<Vec<(u32, u32)>> = text.split(',').map(range).collect();
        if ranges.is_none() {
            let what = format!("{} does not name lines of the page", quoted(text));
            self.problems.at(place, what, "write them like `22-24,27`");
        }
        let at = place.into();
        Some(Lines {
            at,
            ranges: ranges?,
        })
    }

    fn mutant(&mut self, entry: &Entry, names: Names) -> Option<Mutant> {
        let keys: Vec<&str> = MUTANT.split(' ').collect();
        let fields = Fields::of(&entry.value, "a mutant", &keys, self.problems)?;
        let counts = self.entries(&fields, "counts", |loader, Entry { key, place, value }| {
            if !names.counts.contains_key(key) {
                let what = format!("there is no count {}", quoted(key));
                loader.problems.at(*place, what, "name one of `counts`");
            }
            Some((key.clone(), loader.count(value)?))
        });
        let mut counts: BTreeMap<String, Count> = counts?.into_iter().collect();
        if let Some(quorum) = fields.get("quorum") {
            counts.insert("q".to_owned(), self.count(quorum)?);
        }
        let lines = |loader: &mut Self, node: &Node| {
            let text = fields::text(node, "lines", loader.problems)?;
            loader.lines(text, node.place)
        };
        let without = self.each(&fields, "without", lines);
        let only = self.each(&fields, "only", lines);
        let dropped = self.each(&fields, "drop", |loader, node| {
            let guard = loader.guard(node, names)?;
            Some(Edit { guard, by: None })
        });
        let replaced = self.entries(&fields, "replace", |loader, Entry { key, place, value }| {
            let guard = loader.source(key, *place)?;
            let guard = notation::guard(guard, names, loader.problems);
            let by = Some(loader.guard(value, names)?);
            Some(Edit { guard: guard?, by })
        });
        let mut edits = dropped?;
        edits.extend(replaced?);
        Some(Mutant {
            at: entry.place.into(),
            counts,
            without: without?,
            edits,
            only: only?,
        })
    }

    fn guard(&mut self, node: &Node, names: Names) -> Option<Guard> {
        let text = fields::text(node, "a guard", self.problems)?;
        let source = self.source(text, node.place)?;
        notation::guard(source, names, self.problems)
    }
}
