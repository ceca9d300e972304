//! What is wrong with a file, and where.

use std::{fmt, path::Path};

/// A file larger than this is not one of ours; the limit keeps a mistyped path such as a device
/// from filling the memory.
const MAX_BYTES: u64 = 256 << 20;

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
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            what,
            hint,
        } = self;
        if *line == 0 {
            write!(out, "{file}: {what}\n  hint: {hint}")
        } else {
            write!(out, "{file}:{line}:{column}: {what}\n  hint: {hint}")
        }
    }
}

/// Everything that is wrong with a file, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The problems; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                writeln!(out)?;
            }
            problem.fmt(out)?;
        }
        Ok(())
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
}

impl Problems {
    pub(crate) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            found: Vec::new(),
        }
    }

    pub(crate) fn at(&mut self, place: Place, what: impl Into<String>, hint: impl Into<String>) {
        self.found.push(Problem {
            file: self.file.clone(),
            line: place.line,
            column: place.column,
            what: what.into(),
            hint: hint.into(),
        });
    }

    /// The problems of another file, which this one names.
    pub(crate) fn also(&mut self, error: ReadError) {
        self.found.extend(error.problems);
    }

    /// The value if nothing was wrong. A reader that yields no value must have said why.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, ReadError> {
        self.found
            .sort_by_key(|problem| (problem.line, problem.column));
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => {
                assert!(
                    !self.found.is_empty(),
                    "a reader that gives up names the problem"
                );
                Err(ReadError {
                    problems: self.found,
                })
            }
        }
    }
}

/// The text of a file and the name to report it under.
pub(crate) fn text_of(path: &Path) -> Result<(String, String), ReadError> {
    use std::io::Read as _;

    let file = path.display().to_string();
    let mut problems = Problems::new(&file);
    let mut bytes = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|open| open.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path; it is relative to where you are",
            std::io::ErrorKind::IsADirectory => "name the file inside this folder",
            _ => "check that the file exists and may be read",
        };
        problems.at(
            Place::WHOLE_FILE,
            format!("cannot read the file: {error}"),
            hint,
        );
        return problems.finish(None);
    }
    if bytes.len() as u64 > MAX_BYTES {
        let what = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        problems.at(
            Place::WHOLE_FILE,
            what,
            "no file of this program is that large",
        );
        return problems.finish(None);
    }
    let text = utf8(&bytes, &mut problems);
    problems.finish(text).map(|text| (file, text))
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
            (
                edits(&name, &candidate.to_lowercase().replace('-', "_")),
                candidate,
            )
        })
        .filter(|&(distance, candidate)| distance <= 1 + candidate.chars().count() / 4)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
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
