//! What is wrong with a file, and where.

use std::{fmt, path::Path};

/// A YAML file larger than this is not one of ours; the limits keep what is made of a file far below
/// the memory of any machine.
pub(crate) const YAML_BYTES: u64 = 8 << 20;

/// The same for tables.
pub(crate) const CSV_BYTES: u64 = 16 << 20;

/// The same for whatever else is read.
pub(crate) const MOST_BYTES: u64 = 64 << 20;

/// So many problems are shown; who reads more has forgotten the first.
const SHOWN: usize = 20;

/// So many are counted; then nothing further is read.
const ENOUGH: usize = 100_000;

/// No message says more than this in one go.
const WORDS: usize = 600;

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1; 0 when the file as a whole is meant (it cannot be opened, say).
    pub line: usize,
    /// The character within the line, from 1; 0 when the file as a whole is meant.
    pub column: usize,
    /// What is wrong and what was expected.
    pub what: String,
    /// What to do about it.
    pub hint: String,
    /// What stands there, where that is known.
    pub quote: Option<Quote>,
}

/// What stands at a place of a file, and in the lines before and after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The number of the first line below, from 1.
    pub first: usize,
    /// The lines. Long ones are cut on both sides of the place, which `…` says.
    pub text: String,
    /// The character of the place in its line as it stands here, from 1.
    pub column: usize,
}

impl Quote {
    /// So many characters of a line are quoted.
    const WIDTH: usize = 200;

    /// What stands at a line and a character of `text`, both from 1; nothing if there is no such line.
    pub fn of(text: &str, line: usize, column: usize) -> Option<Self> {
        let first = line.checked_sub(1)?.max(1);
        let mut lines = text
            .split('\n')
            .skip(first - 1)
            .take(line + 2 - first)
            .peekable();
        // A long line is cut around the place.
        let from = if column <= Self::WIDTH {
            0
        } else {
            column - Self::WIDTH / 2
        };
        let mut quoted = Vec::new();
        while let Some(next) = lines.next() {
            // Behind the last line break there is no line, unless that is the place.
            let none = next.is_empty() && lines.peek().is_none() && first + quoted.len() > line;
            if !none {
                quoted.push(Self::cut(next.trim_end_matches('\r'), from));
            }
        }
        (first + quoted.len() > line).then(|| Self {
            first,
            text: quoted.join("\n"),
            column: if from == 0 { column } else { column - from + 1 },
        })
    }

    fn cut(line: &str, from: usize) -> String {
        let mut rest = line.chars().skip(from);
        let shown = rest.by_ref().take(Self::WIDTH).collect::<String>();
        let [before, after] =
            [from > 0, rest.next().is_some()].map(|cut| if cut { "…" } else { "" });
        format!("{before}{shown}{after}")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            what,
            hint,
            quote: _,
        } = self;
        if *line == 0 {
            write!(out, "{file}: {what}\n  hint: {hint}")
        } else {
            write!(out, "{file}:{line}:{column}: {what}\n  hint: {hint}")
        }
    }
}

/// What is wrong with a file, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The first problems; never empty.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub more: usize,
}

impl ReadError {
    /// "… and 19,980 more"; nothing if all problems are shown.
    pub fn and_more(&self) -> Option<String> {
        let least = if self.more + SHOWN >= ENOUGH {
            "at least "
        } else {
            ""
        };
        let digits = self.more.to_string();
        let groups = digits.as_bytes().rchunks(3).rev();
        let groups = groups.map(String::from_utf8_lossy).collect::<Vec<_>>();
        (self.more > 0).then(|| format!("… and {least}{} more", groups.join(",")))
    }

    /// Both together.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.problems.extend(other.problems);
        self.more += other.more + self.problems.len().saturating_sub(SHOWN);
        self.problems.truncate(SHOWN);
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                writeln!(out)?;
            }
            problem.fmt(out)?;
        }
        match self.and_more() {
            Some(more) => write!(out, "\n{more}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ReadError {}

/// A position in a file, both numbers from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    pub(crate) const START: Self = Self { line: 1, column: 1 };
    pub(crate) const WHOLE_FILE: Self = Self { line: 0, column: 0 };

    /// The position just after `text`, which starts at the beginning of the file.
    fn after(text: &str) -> Self {
        let line = text.matches('\n').count() + 1;
        let last = text.rsplit('\n').next().unwrap_or_default();
        Self {
            line,
            column: last.chars().count() + 1,
        }
    }
}

/// A value could not be read, and the problem was reported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reported;

/// Collects the problems of one file, so that all are reported together.
#[derive(Debug)]
pub(crate) struct Problems {
    file: String,
    found: Vec<Problem>,
    /// How many there were.
    count: usize,
}

impl Problems {
    pub(crate) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            found: Vec::new(),
            count: 0,
        }
    }

    pub(crate) fn at(&mut self, place: Place, what: impl Into<String>, hint: impl Into<String>) {
        let problem = Problem {
            file: self.file.clone(),
            line: place.line,
            column: place.column,
            what: shortened(what.into()),
            hint: shortened(hint.into()),
            quote: None,
        };
        self.count += 1;
        self.push(problem);
    }

    /// The problems of another file, which this one names.
    pub(crate) fn also(&mut self, error: ReadError) {
        self.count += error.problems.len() + error.more;
        error
            .problems
            .into_iter()
            .for_each(|problem| self.push(problem));
    }

    /// Whether there are so many that the rest of the file need not be read.
    pub(crate) fn enough(&self) -> bool {
        self.count >= ENOUGH
    }

    /// Whether nothing was wrong so far, or nothing in that line.
    pub(crate) fn is_clear(&self, line: Option<usize>) -> bool {
        let there = |problem: &Problem| line.is_none_or(|line| problem.line == line);
        !self.found.iter().any(there)
    }

    fn push(&mut self, problem: Problem) {
        self.found.push(problem);
        if self.found.len() >= 50 * SHOWN {
            self.keep_the_first();
        }
    }

    fn keep_the_first(&mut self) {
        self.found
            .sort_by_key(|problem| (problem.line, problem.column));
        self.found.truncate(SHOWN);
    }

    /// The value if nothing was wrong; else the problems, and what stands at the places of those that
    /// have none yet. A reader that yields no value must have said why.
    pub(crate) fn finish<T>(
        mut self,
        value: Option<T>,
        quote: &dyn Fn(usize, usize) -> Option<Quote>,
    ) -> Result<T, ReadError> {
        self.keep_the_first();
        match value {
            Some(value) if self.count == 0 => Ok(value),
            _ => {
                assert!(
                    !self.found.is_empty(),
                    "a reader that gives up names the problem"
                );
                for problem in &mut self.found {
                    if problem.file == self.file {
                        problem.quote = quote(problem.line, problem.column);
                    }
                }
                Err(ReadError {
                    more: self.count - self.found.len(),
                    problems: self.found,
                })
            }
        }
    }
}

fn shortened(words: String) -> String {
    match words.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

/// The bytes of a file that is one, and no larger than `most`.
pub(crate) fn bytes_of(path: &Path, most: u64) -> Result<Vec<u8>, ReadError> {
    use std::io::Read as _;

    let refused = |what: String, hint: &str| {
        let mut problems = Problems::new(&path.display().to_string());
        problems.at(Place::WHOLE_FILE, what, hint);
        problems.finish(None, &|_, _| None)
    };
    // Looked at before it is opened, because opening a pipe waits for its other end.
    let read = std::fs::metadata(path).and_then(|found| {
        let mut bytes = Vec::new();
        if found.is_file() && found.len() <= most {
            let open = std::fs::File::open(path)?;
            open.take(most + 1).read_to_end(&mut bytes)?;
        }
        Ok((found, bytes))
    });
    match read {
        Err(error) => {
            let hint = match error.kind() {
                std::io::ErrorKind::NotFound => "check the path; it is relative to where you are",
                _ => "check that the file exists and may be read",
            };
            refused(format!("cannot read the file: {error}"), hint)
        }
        Ok((found, _)) if found.is_dir() => {
            let hint = "name the file inside this folder";
            refused("cannot read the file: it is a folder".to_owned(), hint)
        }
        Ok((found, _)) if !found.is_file() => {
            let what = "it is no regular file but a pipe, a device or a socket";
            refused(
                what.to_owned(),
                "put what it gives into a file and name that",
            )
        }
        Ok((found, bytes)) if found.len().max(bytes.len() as u64) > most => {
            let what = format!("the file is larger than {} MiB", most >> 20);
            refused(what, "no file of this kind is that large")
        }
        Ok((_, bytes)) => Ok(bytes),
    }
}

/// The text of a file and the name to report it under.
pub(crate) fn text_of(path: &Path, most: u64) -> Result<(String, String), ReadError> {
    let bytes = bytes_of(path, most)?;
    let file = path.display().to_string();
    let mut problems = Problems::new(&file);
    let text = utf8(&bytes, &mut problems);
    let text = problems.finish(text, &|_, _| None)?;
    Ok((file, text))
}

fn utf8(bytes: &[u8], problems: &mut Problems) -> Option<String> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let what = format!(
                "byte 0x{:02x} is not part of a UTF-8 character",
                bytes[error.valid_up_to()]
            );
            problems.at(Place::after(&valid), what, "save the file as UTF-8 text");
            None
        }
    }
}

/// The member of `known` that `name` was probably meant to be.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase().replace('-', "_");
    known
        .iter()
        .map(|&candidate| {
            let plain = candidate.to_lowercase().replace('-', "_");
            (edits(&name, &plain), shared(&name, &plain), candidate)
        })
        .filter(|&(distance, shared, candidate)| {
            distance <= 1 + candidate.chars().count() / 4 + usize::from(shared >= 4)
        })
        .min_by_key(|&(distance, ..)| distance)
        .map(|(.., candidate)| candidate)
}

/// How many letters both begin with.
fn shared(left: &str, right: &str) -> usize {
    let both = left.bytes().zip(right.bytes());
    both.take_while(|(left, right)| left == right).count()
}

/// Levenshtein's distance.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    // A long name is far from every known one; its prefix says so as well.
    for (i, left) in left.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &right) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}

/// "`a`, `b` or `c`".
pub(crate) fn one_of(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

/// What to do about an unknown name.
pub(crate) fn did_you_mean(name: &str, known: &[&str]) -> String {
    nearest(name, known).map_or_else(
        || format!("use {}", one_of(known)),
        |candidate| format!("did you mean `{candidate}`?"),
    )
}

/// A name as messages quote it, shortened when it is long.
pub(crate) fn quoted(name: &str) -> String {
    const SHOWN: usize = 40;
    if name.chars().count() > SHOWN {
        format!(
            "`{}…`",
            name.chars().take(SHOWN).collect::<String>().escape_debug()
        )
    } else {
        format!("`{}`", name.escape_debug())
    }
}
