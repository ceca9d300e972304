//! CSV with an exact header; every field knows its place in the file.

use super::check::unknown_kind;
use super::problem::{Place, Problems, Reported, did_you_mean, one_of, quoted};
use crate::{
    ids::{BlockId, Height, ReplicaId, Slot, View},
    schedule::{Choice, Copy, Event, Message, Prediction},
    vocabulary::Protocol,
    write::{CHOICE_COLUMNS, PREDICTION_COLUMNS},
};
use csv::{ReaderBuilder, StringRecord, Terminator};
use std::{borrow::Cow, io::Cursor};

/// The choices of a `schedule.csv` that could be read, each with the places of its fields.
pub(super) fn choices(
    protocol: Protocol,
    text: &str,
    problems: &mut Problems,
) -> Vec<(Vec<Place>, Choice)> {
    let mut choices = Vec::new();
    rows(text, &CHOICE_COLUMNS, problems, &mut |row, problems| {
        choices.extend(choice(protocol, &row, problems).map(|choice| (row.places, choice)));
    });
    choices
}

/// The predictions of a `predictions.csv` that could be read, each with the places of its fields.
pub(super) fn predictions(
    protocol: Protocol,
    text: &str,
    problems: &mut Problems,
) -> Vec<(Vec<Place>, Prediction)> {
    let mut predictions = Vec::new();
    rows(text, &PREDICTION_COLUMNS, problems, &mut |row, problems| {
        predictions.extend(prediction(protocol, &row, problems).map(|event| (row.places, event)));
    });
    predictions
}

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
    let expected = format!("the first line must be the header `{header}`");
    let hint = "the header is the version of the format; ";
    let Some(first) = records.next() else {
        let what = format!("the file is empty; {expected}");
        let hint = format!("{hint}a file without rows has it too");
        problems.at(Place::START, what, hint);
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
        let hint = format!("{hint}rows under another one are not read");
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
    places: Vec<Place>,
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
    fn optional(&self, column: &str, problems: &mut Problems) -> Result<Option<u32>, Reported> {
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
        let what = format!("`{column}` must be {}, not {}", one_of(names), quoted(text));
        problems.at(place, what, did_you_mean(text, names));
        None
    }

    /// The message in kind, height, view, block and target.
    fn message(&self, protocol: Protocol, act: &str, problems: &mut Problems) -> Option<Message> {
        let (place, name) = self.cell("kind");
        let kind = protocol.kind(name);
        if name.is_empty() {
            let what = format!("`kind` is empty; `{act}` needs a message kind there");
            problems.at(place, what, "fill it in, or remove the row");
        } else if kind.is_none() {
            let (what, hint) = unknown_kind(protocol, name);
            problems.at(place, what, hint);
        }
        let height = self.required("height", act, problems);
        let view = self.required("view", act, problems);
        let block = self.optional("block", problems);
        let target = self.optional("target", problems);
        Some(Message {
            kind: kind?,
            height: Height(height?),
            view: View(view?),
            block: block.ok()?,
            target: target.ok()?.map(View),
        })
    }
}

fn choice(protocol: Protocol, row: &Row, problems: &mut Problems) -> Option<Choice> {
    let acts = ["deliver", "drop", "timeout", "inject", "crash", "restart"];
    let act = row.name("choice", &acts, problems);
    let slot = row.required("slot", act.unwrap_or("every row"), problems);
    let act = act?;
    if matches!(act, "deliver" | "drop" | "inject") {
        return copy_choice(protocol, row, act, slot, problems);
    }
    let replica = row.required("replica", act, problems);
    let unused: &[&str] = match act {
        "timeout" => &["peer", "kind", "block", "sent", "delay", "target", "copy"],
        "crash" => &[
            "peer", "kind", "height", "view", "block", "sent", "delay", "target", "copy",
        ],
        _ => &[
            "peer", "height", "view", "block", "sent", "delay", "target", "copy",
        ],
    };
    let unused = row.empty(unused, act, problems);
    match act {
        "timeout" => {
            let height = row.required("height", act, problems);
            let view = row.required("view", act, problems);
            unused?;
            Some(Choice::Timeout {
                slot: Slot(slot?),
                replica: ReplicaId(replica?),
                height: Height(height?),
                view: View(view?),
            })
        }
        "crash" => {
            unused?;
            Some(Choice::Crash {
                slot: Slot(slot?),
                replica: ReplicaId(replica?),
            })
        }
        _ => {
            let kind = row.name("kind", &["backup", "no-backup"], problems);
            unused?;
            Some(Choice::Restart {
                slot: Slot(slot?),
                replica: ReplicaId(replica?),
                backup: kind? == "backup",
            })
        }
    }
}

/// A row about one copy: deliver, drop or inject.
fn copy_choice(
    protocol: Protocol,
    row: &Row,
    act: &str,
    slot: Option<u32>,
    problems: &mut Problems,
) -> Option<Choice> {
    let replica = row.required("replica", act, problems).map(ReplicaId);
    let peer = row.required("peer", act, problems).map(ReplicaId);
    let message = row.message(protocol, act, problems);
    let copy = row.required("copy", act, problems);
    // The slot of an injection is when the copy is made; a second number could only contradict.
    let sent = if act == "inject" {
        row.empty(&["sent", "delay"], act, problems)?;
        slot
    } else {
        row.required("sent", act, problems)
    };
    match act {
        "deliver" => delay(row, slot, sent, problems)?,
        "drop" => row.empty(&["delay"], act, problems)?,
        _ => {}
    }
    let slot = Slot(slot?);
    let (sender, receiver) = if act == "inject" {
        (replica?, peer?)
    } else {
        (peer?, replica?)
    };
    let copy = Copy {
        sender,
        receiver,
        message: message?,
        sent: Slot(sent?),
        copy: copy?,
    };
    Some(match act {
        "deliver" => Choice::Deliver { slot, copy },
        "drop" => Choice::Drop { slot, copy },
        _ => Choice::Inject { copy },
    })
}

/// Delay is slot − sent. Where that is not positive the row is impossible, which is reported
/// of the row as a whole.
fn delay(row: &Row, slot: Option<u32>, sent: Option<u32>, problems: &mut Problems) -> Option<()> {
    let (place, text) = row.cell("delay");
    if let (Some(slot), Some(sent)) = (slot, sent)
        && sent >= slot
    {
        return Some(());
    }
    let delay = row.required("delay", "deliver", problems)?;
    if let (Some(slot), Some(sent)) = (slot, sent)
        && delay != slot - sent
    {
        let what = format!(
            "`delay` must be slot − sent = {slot} − {sent} = {}, not {}",
            slot - sent,
            quoted(text)
        );
        problems.at(place, what, "correct whichever of the three is wrong");
        return None;
    }
    Some(())
}

fn prediction(protocol: Protocol, row: &Row, problems: &mut Problems) -> Option<Prediction> {
    let act = row.name("event", &["send", "enter_view", "decide"], problems);
    let slot = row
        .required("slot", act.unwrap_or("every row"), problems)
        .map(Slot);
    let replica = row
        .required("replica", act.unwrap_or("every row"), problems)
        .map(ReplicaId);
    let act = act?;
    let event = match act {
        "send" => Event::Send(row.message(protocol, act, problems)?),
        "enter_view" => {
            let unused = row.empty(&["kind", "block", "target"], act, problems);
            let height = row.required("height", act, problems).map(Height);
            let view = row.required("view", act, problems).map(View);
            unused?;
            Event::EnterView {
                height: height?,
                view: view?,
            }
        }
        _ => {
            let unused = row.empty(&["kind", "target"], act, problems);
            let height = row.required("height", act, problems).map(Height);
            let view = row.required("view", act, problems).map(View);
            let index = row.required("block", act, problems);
            unused?;
            Event::Decide(BlockId {
                height: height?,
                view: view?,
                index: index?,
            })
        }
    };
    Some(Prediction {
        slot: slot?,
        replica: replica?,
        event,
    })
}
