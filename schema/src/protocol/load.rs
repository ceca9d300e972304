//! A positioned tree becomes [`Rules`], or a list of all that is wrong.

use super::{
    Counts, Edit, Guard, Lines, Mutant, Position, RecordKind, Rule, Rules, ValueField, check,
    notation::{self, Names, RESERVED, SHAPE, Source},
};
use crate::{
    formula::Count,
    read::{
        fields::{self, Fields},
        problem::{Place, Problems, quoted},
        tree::{Entry, Node, Value},
    },
    vocabulary::{Ahead, By, Passed},
};
use std::{collections::BTreeMap, path::Path};

/// Every key of a protocol file; those of words are judged by the vocabulary.
const KEYS: [&str; 17] = [
    "format",
    "name",
    "title",
    "page",
    "words",
    "primary",
    "quorum",
    "counts",
    "messages",
    "engines",
    "repaired_by",
    "mutants",
    "timers",
    "chain",
    "kinds",
    "kept",
    "rules",
];

/// No word is longer.
const WORD: usize = 200;
/// No rule is longer.
const LINE: usize = 1_000;
/// No list of a file is longer.
const MOST: usize = 64;

/// What is read, and where problems of it go.
struct Loader<'a> {
    lines: Vec<&'a str>,
    problems: &'a mut Problems,
}

/// The rules in `node`, which is `text`. Every part is judged even if an earlier one is wrong.
pub(super) fn convert(node: &Node, text: &str, problems: &mut Problems) -> Option<Rules> {
    let fields = Fields::of(node, "a protocol", &KEYS, problems)?;
    let lines = text.lines().collect();
    let mut loader = Loader { lines, problems };
    loader.words(node, WORD);
    loader.named(fields.get("name"), false);
    loader.page(&fields);
    let kinds = loader.kinds(&fields);
    let counts = loader.counts(&fields);
    let timers = loader.timers(&fields);
    let chain = fields.boolean("chain", Some(false), loader.problems);
    let (kinds, counts, timers) = (kinds?, counts?, timers?);
    let names = Names {
        kinds: &kinds,
        counts: &counts,
        timers: &timers,
    };
    let rules = loader.rules(&fields, names);
    let mutants = loader.mutants(&fields, names);
    let rules = Rules {
        rules: rules?,
        mutants: mutants?,
        chain: chain?,
        counts,
        kinds,
        timers,
    };
    check::rules(&rules, &fields, problems).then_some(rules)
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
                    self.words(value, if key == "rules" { LINE } else { most });
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
        let digits =
            |text: &str| text.len() == 7 && text[1..].bytes().all(|it| it.is_ascii_hexdigit());
        let sound = matches!(&node.value, Value::Scalar { text, .. }
            if text.is_ascii() && text.starts_with('#') && digits(text));
        if !sound {
            let what = format!("a colour was expected, not {}", node.described());
            self.problems.at(node.place, what, "write `'#rrggbb'`");
        }
    }

    /// A page is a path that leads nowhere else.
    fn page(&mut self, fields: &Fields) {
        let Some(text) = fields.text("page", self.problems) else {
            return;
        };
        let inside = |part| matches!(part, std::path::Component::Normal(_));
        if !Path::new(text).components().all(inside) || text.contains([':', '\\']) {
            let what = format!(
                "`page` must be a path below the folder, not {}",
                quoted(text)
            );
            let hint = "write `page: docs/protocols/name.md`";
            self.problems.at(fields.place("page"), what, hint);
        }
    }

    /// A name that can stand in files and in rules. Kinds may have capital letters.
    fn named(&mut self, node: Option<&Node>, capitals: bool) -> Option<String> {
        let node = node?;
        let text = fields::text(node, "a name", self.problems)?;
        self.name(text, node.place, capitals)
    }

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

    /// A list that is there and not too long.
    fn list<'b>(&mut self, fields: &Fields<'b>, key: &str, needed: bool) -> Option<&'b [Node]> {
        let node = match fields.get(key) {
            None if !needed => return Some(&[]),
            None => fields.required(key, "a list", self.problems)?,
            Some(node) => node,
        };
        let what = match &node.value {
            Value::List(nodes) if nodes.len() <= MOST => return Some(nodes),
            Value::List(nodes) => format!("`{key}` has {} entries, at most {MOST}", nodes.len()),
            _ => format!("`{key}` must be a list, not {}", node.described()),
        };
        self.problems
            .at(node.place, what, "write `- …`, a line each");
        None
    }

    /// The entries of a mapping that is not too long, none if it is not there.
    fn entries<'b>(&mut self, fields: &Fields<'b>, key: &str) -> &'b [Entry] {
        let Some(node) = fields.get(key) else {
            return &[];
        };
        let what = match &node.value {
            Value::Map(entries) if entries.len() <= MOST => return entries,
            Value::Map(entries) => format!("`{key}` has {} entries, at most {MOST}", entries.len()),
            _ => format!("`{key}` must be a mapping, not {}", node.described()),
        };
        self.problems
            .at(node.place, what, "write `name: …`, a line each");
        &[]
    }

    fn counts(&mut self, fields: &Fields) -> Option<BTreeMap<String, Count>> {
        let mut counts = BTreeMap::new();
        let quorum = fields.required("quorum", "here `quorum: n - f`", self.problems);
        let mut sound = self.count(quorum?, "q", &mut counts).is_some();
        for Entry { key, place, value } in self.entries(fields, "counts") {
            let name = self.name(key, *place, false);
            if key == "q" {
                let what = "the count `q` is the key `quorum`";
                self.problems.at(*place, what, "remove it here");
            }
            sound &= name.is_some() && self.count(value, key, &mut counts).is_some();
        }
        sound.then_some(counts)
    }

    fn count(
        &mut self,
        node: &Node,
        name: &str,
        counts: &mut BTreeMap<String, Count>,
    ) -> Option<()> {
        let text = fields::text(node, name, self.problems)?;
        match text.parse() {
            Ok(count) => {
                counts.insert(name.to_owned(), count);
                Some(())
            }
            Err(what) => {
                let hint = "write `n - f`, `2f + 1` or `ceil(2n/3)`";
                self.problems.at(node.place, what, hint);
                None
            }
        }
    }

    fn timers(&mut self, fields: &Fields) -> Option<Vec<String>> {
        let list = self.list(fields, "timers", true)?;
        let names = list.iter().map(|node| self.named(Some(node), false));
        let names = names.collect::<Vec<_>>();
        let found: Option<Vec<String>> = names.into_iter().collect();
        let found = found?;
        for (place, node) in list.iter().enumerate() {
            self.twice(&found[..place], &found[place], node.place);
        }
        Some(found)
    }

    fn twice(&mut self, before: &[String], name: &String, place: Place) {
        if before.contains(name) {
            let what = format!("{} is there twice", quoted(name));
            self.problems
                .at(place, what, "take another name, or remove one");
        }
    }

    /// The kinds that are sent, then those that are kept.
    fn kinds(&mut self, fields: &Fields) -> Option<Vec<RecordKind>> {
        let sent = self.list(fields, "kinds", true);
        let kept = self.list(fields, "kept", false);
        let mut found: Vec<RecordKind> = Vec::new();
        let mut sound = true;
        let sent = sent?.iter().map(|node| (node, false));
        for (node, kept) in sent.chain(kept?.iter().map(|node| (node, true))) {
            let kind = if kept {
                self.kept(node)
            } else {
                self.sent(node)
            };
            sound &= kind.is_some();
            if let Some(kind) = kind {
                let names: Vec<String> = found.iter().map(|kind| kind.name.clone()).collect();
                self.twice(&names, &kind.name, node.place);
                found.push(kind);
            }
        }
        sound.then_some(found)
    }

    fn sent(&mut self, node: &Node) -> Option<RecordKind> {
        let kind = Fields::any(node, "a kind", self.problems)?;
        let name = kind.required("kind", "its name", self.problems);
        let name = self.named(name, true);
        let does = kind.required("does", "what it does", self.problems)?;
        let does = Fields::any(does, "`does`", self.problems)?;
        let problems = &mut *self.problems;
        let value = does.choice("names", &VALUES, None, problems);
        let by = does.choice("by", &MAKERS, None, problems);
        let justified = does.boolean("justified", Some(false), problems);
        let ahead = [
            ("hold", Ahead::Hold),
            ("take", Ahead::Take),
            ("lose", Ahead::Lose),
        ];
        let ahead = does.choice("ahead", &ahead, None, problems);
        let passed = [("take", Passed::Take), ("ignore", Passed::Ignore)];
        let passed = does.choice("passed", &passed, None, problems);
        let counts = [("first", Counts::First), ("each", Counts::Each)];
        let counts = does.choice("counts", &counts, Some(Counts::Each), problems);
        let is_final = does.get("role").is_some_and(|node| says(node, "decision"));
        Some(RecordKind {
            name: name?,
            by: by?,
            value: value?,
            justified: justified?,
            kept: false,
            is_final,
            ahead: ahead?,
            passed: passed?,
            counts: counts?,
        })
    }

    fn kept(&mut self, node: &Node) -> Option<RecordKind> {
        let keys = ["kind", "says", "names", "by", "justified", "final"];
        let kind = Fields::of(node, "a kept kind", &keys, self.problems)?;
        let name = kind.required("kind", "its name", self.problems);
        let name = self.named(name, true);
        let problems = &mut *self.problems;
        kind.text("says", problems);
        let value = kind.choice("names", &VALUES, None, problems);
        let by = kind.choice("by", &MAKERS, Some(By::Any), problems);
        let justified = kind.boolean("justified", Some(false), problems);
        let is_final = kind.boolean("final", Some(false), problems);
        Some(RecordKind {
            name: name?,
            by: by?,
            value: value?,
            justified: justified?,
            kept: true,
            is_final: is_final?,
            ahead: Ahead::Take,
            passed: Passed::Take,
            counts: Counts::Each,
        })
    }

    /// The text of a scalar and where it starts, inside of its quotes.
    fn source<'b>(&mut self, node: &'b Node, what: &str) -> Option<Source<'b>> {
        let text = fields::text(node, what, self.problems)?;
        let Place { line, column } = node.place;
        // Whoever writes a whole file in one line finds places in it without help.
        let whole = self.lines.get(line - 1).filter(|_| column <= LINE);
        let mut rest = whole
            .copied()
            .unwrap_or_default()
            .chars()
            .skip(column - 1)
            .peekable();
        let quotes = usize::from(rest.next_if(|it| "\"'".contains(*it)).is_some());
        let exact = rest.take(text.chars().count()).eq(text.chars());
        let column = if exact { column + quotes } else { column };
        let place = Place { line, column };
        Some(Source { text, place, exact })
    }

    fn rules(&mut self, fields: &Fields, names: Names) -> Option<Vec<Rule>> {
        let mut rules = Vec::new();
        let mut sound = true;
        for node in self.list(fields, "rules", true)? {
            let rule = self.rule(node, names);
            sound &= rule.is_some();
            rules.extend(rule);
        }
        sound.then_some(rules)
    }

    fn rule(&mut self, node: &Node, names: Names) -> Option<Rule> {
        let one = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        let [Entry { key, place, value }] = one else {
            let what = format!(
                "a rule must be lines of the page and a text, not {}",
                node.described()
            );
            let hint = format!("write `- 22-24: \"…\"`; {SHAPE}");
            self.problems.at(node.place, what, hint);
            return None;
        };
        let lines = self.lines(key, *place);
        let source = self.source(value, "a rule")?;
        notation::rule(source, lines?, names, self.problems)
    }

    fn lines(&mut self, text: &str, place: Place) -> Option<Lines> {
        let mut ranges = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.trim().parse().ok().filter(|it| *it < 10_000);
            match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last => ranges.push((first, last)),
                _ => {
                    let what = format!("{} does not name lines of the page", quoted(text));
                    self.problems.at(place, what, "write them like `22-24,27`");
                    return None;
                }
            }
        }
        let Place { line, column } = place;
        let at = Position { line, column };
        Some(Lines { at, ranges })
    }

    fn mutants(&mut self, fields: &Fields, names: Names) -> Option<BTreeMap<String, Mutant>> {
        let mut mutants = BTreeMap::new();
        let mut sound = true;
        for Entry { key, place, value } in self.entries(fields, "mutants") {
            let name = self.name(key, *place, false);
            let mutant = self.mutant(value, names);
            sound &= name.is_some() && mutant.is_some();
            mutants.extend(name.zip(mutant));
        }
        sound.then_some(mutants)
    }

    fn mutant(&mut self, node: &Node, names: Names) -> Option<Mutant> {
        let keys = [
            "says", "quorum", "counts", "takes", "without", "drop", "replace", "only",
        ];
        let fields = Fields::of(node, "a mutant", &keys, self.problems)?;
        let mut mutant = Mutant::default();
        let mut sound = true;
        if let Some(quorum) = fields.get("quorum") {
            sound &= self.count(quorum, "q", &mut mutant.counts).is_some();
        }
        for Entry { key, place, value } in self.entries(&fields, "counts") {
            if !names.counts.contains_key(key) {
                let what = format!("there is no count {}", quoted(key));
                self.problems.at(*place, what, "name one of `counts`");
                sound = false;
            }
            sound &= self.count(value, key, &mut mutant.counts).is_some();
        }
        for (key, lines) in [("without", &mut mutant.without), ("only", &mut mutant.only)] {
            for node in self.list(&fields, key, false)? {
                let text = fields::text(node, key, self.problems)?;
                lines.push(self.lines(text, node.place)?);
            }
        }
        for node in self.list(&fields, "drop", false)? {
            let guard = self.guard(node, names);
            sound &= guard.is_some();
            mutant
                .edits
                .extend(guard.map(|guard| Edit { guard, by: None }));
        }
        for Entry { key, place, value } in self.entries(&fields, "replace") {
            let node = Node {
                place: *place,
                value: Value::Scalar {
                    text: key.clone(),
                    plain: false,
                },
            };
            let guards = self.guard(&node, names).zip(self.guard(value, names));
            sound &= guards.is_some();
            let edit = |(guard, by)| Edit {
                guard,
                by: Some(by),
            };
            mutant.edits.extend(guards.map(edit));
        }
        sound.then_some(mutant)
    }

    fn guard(&mut self, node: &Node, names: Names) -> Option<Guard> {
        let source = self.source(node, "a guard")?;
        notation::guard(source, names, self.problems)
    }
}

/// Whether a node is that word.
fn says(node: &Node, word: &str) -> bool {
    matches!(&node.value, Value::Scalar { text, .. } if text == word)
}

const VALUES: [(&str, ValueField); 3] = [
    ("value", ValueField::Value),
    ("value_or_nil", ValueField::ValueOrNil),
    ("nothing", ValueField::None),
];

const MAKERS: [(&str, By); 3] = [
    ("any", By::Any),
    ("primary", By::Primary),
    ("backup", By::Backup),
];
