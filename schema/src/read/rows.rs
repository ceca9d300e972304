//! CSV with an exact header; every field knows its place in the file.

use super::problem::{Place, Problems, Reported, did_you_mean, one_of, quoted};
use crate::{
    ids::{BlockId, Height, Kind, ReplicaId, Slot, View},
    schedule::{Choice, Copy, Event, Message, Prediction},
    write::{CHOICE_COLUMNS, PREDICTION_COLUMNS},
};

/// The choices of a `schedule.csv` that could be read, each with its line.
pub(super) fn choices(text: &str, problems: &mut Problems) -> Vec<(usize, Choice)> {
    let rows = rows(text, &CHOICE_COLUMNS, problems);
    rows.iter()
        .filter_map(|row| Some((row.line, choice(row, problems)?)))
        .collect()
}

/// The predictions of a `predictions.csv` that could be read, each with its line.
pub(super) fn predictions(text: &str, problems: &mut Problems) -> Vec<(usize, Prediction)> {
    let rows = rows(text, &PREDICTION_COLUMNS, problems);
    rows.iter()
        .filter_map(|row| Some((row.line, prediction(row, problems)?)))
        .collect()
}

/// The rows below the header that have the right number of fields.
fn rows<'a>(
    text: &'a str,
    columns: &'static [&'static str],
    problems: &mut Problems,
) -> Vec<Row<'a>> {
    let header = columns.join(",");
    let mut lines = text.lines().enumerate();
    let expected = format!("the first line must be the header `{header}`");
    match lines.next() {
        None => {
            let hint = "the header is the version of the format; a file without rows has it too";
            problems.at(Place::START, format!("the file is empty; {expected}"), hint);
            return Vec::new();
        }
        Some((_, found)) if found != header => {
            let same = found
                .chars()
                .zip(header.chars())
                .take_while(|(a, b)| a == b)
                .count();
            let what = format!("{expected}, not {}", quoted(found));
            let hint = "the header is the version of the format; rows under another one are not \
                        read";
            problems.at(
                Place {
                    line: 1,
                    column: same + 1,
                },
                what,
                hint,
            );
            return Vec::new();
        }
        Some(_) => {}
    }
    lines
        .filter_map(|(position, line)| Row::of(position + 1, line, columns, problems))
        .collect()
}

/// One row; as many cells as columns.
struct Row<'a> {
    line: usize,
    columns: &'static [&'static str],
    /// Position of the first character, from 1, and text.
    cells: Vec<(usize, &'a str)>,
}

impl<'a> Row<'a> {
    fn of(
        line: usize,
        text: &'a str,
        columns: &'static [&'static str],
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut column = 1;
        let mut cells = Vec::with_capacity(columns.len());
        for cell in text.split(',') {
            cells.push((column, cell));
            column += cell.chars().count() + 1;
        }
        let (found, expected) = (cells.len(), columns.len());
        if found == expected {
            return Some(Self {
                line,
                columns,
                cells,
            });
        }
        let what = format!("the row has {found} fields, {expected} are expected");
        if text.is_empty() {
            problems.at(
                Place { line, column: 1 },
                "the line is empty",
                "remove the line",
            );
        } else if found < expected {
            let place = Place {
                line,
                column: column - 1,
            };
            let hint = format!("the row is cut off before `{}`", columns[found]);
            problems.at(place, what, hint);
        } else {
            let place = Place {
                line,
                column: cells[expected].0,
            };
            problems.at(place, what, "remove what follows, fields are not quoted");
        }
        None
    }

    fn cell(&self, column: &str) -> (Place, &'a str) {
        let position = self.columns.iter().position(|name| *name == column);
        let (start, text) = self.cells[position.expect("a column of this file")];
        (
            Place {
                line: self.line,
                column: start,
            },
            text,
        )
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

    fn required(&self, column: &str, act: &str, problems: &mut Problems) -> Option<u32> {
        let number = self.optional(column, problems).ok()?;
        if number.is_none() {
            let what = format!("`{column}` is empty; `{act}` needs a number there");
            let (place, _) = self.cell(column);
            problems.at(place, what, "fill it in, or remove the row");
        }
        number
    }

    /// Reports every field of `columns` that is filled in.
    fn empty(&self, columns: &[&str], act: &str, problems: &mut Problems) -> Option<()> {
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
    fn name(&self, column: &str, names: &[&str], problems: &mut Problems) -> Option<&'a str> {
        let (place, text) = self.cell(column);
        if names.contains(&text) {
            return Some(text);
        }
        let what = format!("`{column}` must be {}, not {}", one_of(names), quoted(text));
        problems.at(place, what, did_you_mean(text, names));
        None
    }

    /// The message in kind, height, view, block and target.
    fn message(&self, act: &str, problems: &mut Problems) -> Option<Message> {
        let (place, kind) = self.cell("kind");
        if kind.is_empty() {
            let what = format!("`kind` is empty; `{act}` needs a message kind there");
            problems.at(place, what, "fill it in, or remove the row");
        }
        let height = self.required("height", act, problems);
        let view = self.required("view", act, problems);
        let block = self.optional("block", problems);
        let target = self.optional("target", problems);
        if kind.is_empty() {
            return None;
        }
        Some(Message {
            kind: Kind::named(kind),
            height: Height(height?),
            view: View(view?),
            block: block.ok()?,
            target: target.ok()?.map(View),
        })
    }
}

fn choice(row: &Row, problems: &mut Problems) -> Option<Choice> {
    let acts = ["deliver", "drop", "timeout", "inject", "crash", "restart"];
    let act = row.name("choice", &acts, problems);
    let slot = row.required("slot", act.unwrap_or("every row"), problems);
    let act = act?;
    if matches!(act, "deliver" | "drop" | "inject") {
        return copy_choice(row, act, slot, problems);
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
fn copy_choice(row: &Row, act: &str, slot: Option<u32>, problems: &mut Problems) -> Option<Choice> {
    let replica = row.required("replica", act, problems).map(ReplicaId);
    let peer = row.required("peer", act, problems).map(ReplicaId);
    let message = row.message(act, problems);
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

fn prediction(row: &Row, problems: &mut Problems) -> Option<Prediction> {
    let act = row.name("event", &["send", "enter_view", "decide"], problems);
    let slot = row
        .required("slot", act.unwrap_or("every row"), problems)
        .map(Slot);
    let replica = row
        .required("replica", act.unwrap_or("every row"), problems)
        .map(ReplicaId);
    let act = act?;
    let event = match act {
        "send" => Event::Send(row.message(act, problems)?),
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
