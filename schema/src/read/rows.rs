//! CSV with an exact header; every field knows its place in the file.

use super::{
    format::VERSION,
    problem::{Place, Problems, Reported, did_you_mean, one_of, quoted},
};
use csv::{ReaderBuilder, StringRecord, Terminator};
use std::{borrow::Cow, io::Cursor};

/// Gives `take` the rows below the header that have the right number of fields, one by one: of a
/// large file no more is kept than what is made of it.
pub(super) fn rows(
    text: &str,
    columns: &'static [&'static str],
    problems: &mut Problems,
    take: &mut dyn FnMut(Row, &mut Problems),
) {
    let header = columns.join(",");
    // A carriage return elsewhere is part of a field, not a second kind of line break.
    let text = text.replace("\r\n", "\n");
    let mut records = Records::of(&text);
    let expected = format!("the first line must be the header of format {VERSION}, `{header}`");
    let Some(first) = records.next() else {
        let what = format!("the file is empty; {expected}");
        problems.at(Place::START, what, "a file without rows has it too");
        return;
    };
    if first.fields != *columns || first.places().is_err() {
        let found = first.written;
        let same = found
            .chars()
            .zip(header.chars())
            .take_while(|(a, b)| a == b)
            .count();
        let place = Place {
            line: 1,
            column: same + 1,
        };
        let what = format!("{expected}, not {}", quoted(found));
        let hint = "rows under another header are not read: write the file anew, or use the version \
                    of milp it is from";
        problems.at(place, what, hint);
        return;
    }
    for record in records {
        if problems.enough() {
            break;
        }
        if let Some(row) = Row::of(record, columns, problems) {
            take(row, problems);
        }
    }
}

/// One record of the file; an empty line is a record without fields.
struct Record<'a> {
    line: usize,
    /// The line as it is in the file.
    written: &'a str,
    fields: StringRecord,
}

/// All records; line breaks are `\n`.
struct Records<'a> {
    text: &'a str,
    reader: csv::Reader<Cursor<&'a str>>,
    /// Empty lines that the reader passed over and that were not yet given: how many, from which on.
    empty: (usize, usize),
    /// What comes behind them.
    ahead: Option<Record<'a>>,
}

impl<'a> Records<'a> {
    fn of(text: &'a str) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Cursor::new(text));
        Self {
            text,
            reader,
            empty: (0, 1),
            ahead: None,
        }
    }

    /// Reads the empty lines ahead and the record behind them; none at the end.
    fn read(&mut self) {
        let in_memory = "a text in memory is read to its end";
        let mut fields = StringRecord::new();
        let mut start = self.reader.position().clone();
        let more = self.reader.read_record(&mut fields).expect(in_memory);
        let end = self.reader.position().byte() as usize;
        let mut line = start.line() as usize;
        let mut rest = &self.text[start.byte() as usize..end];
        // The reader passes over empty lines, which are reported here.
        let full = rest.trim_start_matches('\n');
        self.empty = (rest.len() - full.len(), line);
        line += self.empty.0;
        rest = full;
        if !more {
            return;
        }
        let written = rest.split('\n').next().unwrap_or_default();
        self.ahead = Some(Record {
            line,
            written,
            fields,
        });
        // No value has a line break: the quote was left open, and the next line is its own row.
        let next = end - rest.len() + written.len() + 1;
        if next < end {
            start.set_byte(next as u64).set_line(line as u64 + 1);
            self.reader.seek(start).expect(in_memory);
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        if self.empty.0 == 0 && self.ahead.is_none() {
            self.read();
        }
        if self.empty.0 == 0 {
            return self.ahead.take();
        }
        let (left, line) = self.empty;
        self.empty = (left - 1, line + 1);
        Some(Record {
            line,
            written: "",
            fields: StringRecord::new(),
        })
    }
}

impl Record<'_> {
    /// The place of each field, or of the first one whose quotes are not those of standard CSV:
    /// the reader makes something of any text.
    fn places(&self) -> Result<Vec<Place>, Place> {
        let mut place = Place {
            line: self.line,
            column: 1,
        };
        let mut rest = self.written;
        let mut places = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let spelled = if rest.starts_with('"') {
                Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")))
            } else {
                Cow::Borrowed(field)
            };
            rest = match rest.strip_prefix(&*spelled) {
                Some("") => "",
                Some(rest) => rest.strip_prefix(',').ok_or(place)?,
                None => return Err(place),
            };
            places.push(place);
            place.column += spelled.chars().count() + 1;
        }
        Ok(places)
    }
}

/// One row; as many fields as columns.
pub(super) struct Row {
    columns: &'static [&'static str],
    fields: StringRecord,
    /// The place of the first character of each field.
    pub(super) places: Vec<Place>,
}

impl Row {
    fn of(
        record: Record,
        columns: &'static [&'static str],
        problems: &mut Problems,
    ) -> Option<Self> {
        let line = record.line;
        if record.written.is_empty() {
            let place = Place { line, column: 1 };
            problems.at(place, "the line is empty", "remove the line");
            return None;
        }
        let places = match record.places() {
            Ok(places) => places,
            Err(place) => {
                let what = "a field that begins with a quote must end with one in the same line, \
                            before a comma or the end of the line";
                problems.at(place, what, "remove the quotes, no value needs them");
                return None;
            }
        };
        let (found, expected) = (places.len(), columns.len());
        let what = format!("the row has {found} fields, {expected} are expected");
        if found < expected {
            let column = record.written.chars().count() + 1;
            let hint = format!("the row is cut off before `{}`", columns[found]);
            problems.at(Place { line, column }, what, hint);
            return None;
        }
        if let Some(excess) = places.get(expected) {
            problems.at(*excess, what, "remove what follows");
            return None;
        }
        Some(Self {
            columns,
            fields: record.fields,
            places,
        })
    }

    pub(super) fn cell(&self, column: &str) -> (Place, &str) {
        let position = self.columns.iter().position(|name| *name == column);
        let position = position.expect("a column of this file");
        (self.places[position], &self.fields[position])
    }

    /// The number in a column that may be empty.
    pub(super) fn optional(
        &self,
        column: &str,
        problems: &mut Problems,
    ) -> Result<Option<u32>, Reported> {
        let (place, text) = self.cell(column);
        if text.is_empty() {
            return Ok(None);
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        // One spelling only, so that equal schedules are equal files.
        let canonical = digits && (text == "0" || !text.starts_with('0'));
        let number = text.parse::<u32>().ok().filter(|_| canonical);
        if number.is_none() {
            let what = format!(
                "`{column}` must be a whole number from 0, not {}",
                quoted(text)
            );
            let hint = if digits && canonical {
                format!("the largest number is {}", u32::MAX)
            } else {
                "write decimal digits without sign, spaces or leading zeros".to_owned()
            };
            problems.at(place, what, hint);
        }
        number.map(Some).ok_or(Reported)
    }

    pub(super) fn required(&self, column: &str, act: &str, problems: &mut Problems) -> Option<u32> {
        let number = self.optional(column, problems).ok()?;
        if number.is_none() {
            let what = format!("`{column}` is empty; `{act}` needs a number there");
            let (place, _) = self.cell(column);
            problems.at(place, what, "fill it in, or remove the row");
        }
        number
    }

    /// Reports every field that is filled in beside those of `used`.
    pub(super) fn only(&self, used: &[&str], act: &str, problems: &mut Problems) -> Option<()> {
        let others = self.columns.iter().filter(|column| !used.contains(column));
        self.empty(&others.copied().collect::<Vec<_>>(), act, problems)
    }

    /// Reports every field of `columns` that is filled in.
    pub(super) fn empty(&self, columns: &[&str], act: &str, problems: &mut Problems) -> Option<()> {
        let mut good = Some(());
        for column in columns {
            let (place, text) = self.cell(column);
            if !text.is_empty() {
                let what = format!("`{column}` must be empty for `{act}`, not {}", quoted(text));
                problems.at(place, what, "remove the value, keep the commas");
                good = None;
            }
        }
        good
    }

    /// One of the `names` of acts or events.
    pub(super) fn name(
        &self,
        column: &str,
        names: &[&str],
        problems: &mut Problems,
    ) -> Option<&str> {
        let (place, text) = self.cell(column);
        if names.contains(&text) {
            return Some(text);
        }
        let expected = one_of(names);
        if text.is_empty() {
            let what = format!("`{column}` is empty; it must be {expected}");
            problems.at(place, what, "fill it in, or remove the row");
        } else {
            let what = format!("`{column}` must be {expected}, not {}", quoted(text));
            problems.at(place, what, did_you_mean(text, names));
        }
        None
    }
}
