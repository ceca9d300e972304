//! The rows of `schedule.csv` and `predictions.csv`.

use super::{
    check::unknown_kind,
    problem::{Place, Problems, Reported, quoted},
    rows::{Row, rows},
};
use crate::{
    ids::{BlockId, Height, ReplicaId, Slot, View},
    schedule::{Choice, Copy, Event, Message, Prediction, Value},
    vocabulary::Protocol,
    write::{CHOICE_COLUMNS, PREDICTION_COLUMNS},
};

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

impl Row {
    /// The message in kind, height, view, value and justification.
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
        let value = self.value(problems);
        let justification = self.optional("justification", problems);
        Some(Message {
            kind: kind?,
            height: Height(height?),
            view: View(view?),
            value: value.ok()?,
            justification: justification.ok()?.map(View),
        })
    }

    /// The value in its column, which may be empty.
    fn value(&self, problems: &mut Problems) -> Result<Option<Value>, Reported> {
        let (place, text) = self.cell("value");
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|()| {
            let what = format!(
                "`value` must be `v` view `b` index, `nil` or `bad`, not {}",
                quoted(text)
            );
            let hint = "write `v0b1` for the second proposal of view 0";
            problems.at(place, what, hint);
            Reported
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
    let used: &[&str] = match act {
        "timeout" => &["height", "view", "timer"],
        "crash" => &[],
        _ => &["backup"],
    };
    let unused = row.only(
        &[&["slot", "choice", "replica"], used].concat(),
        act,
        problems,
    );
    match act {
        "timeout" => {
            let height = row.required("height", act, problems);
            let view = row.required("view", act, problems);
            let timers: Vec<&str> = protocol.timers.iter().map(String::as_str).collect();
            let timer = row.name("timer", &timers, problems);
            let timer = protocol.timers.iter().find(|it| Some(it.as_str()) == timer);
            unused?;
            Some(Choice::Timeout {
                slot: Slot(slot?),
                replica: ReplicaId(replica?),
                timer: timer?,
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
            let backup = row.name("backup", &["yes", "no"], problems);
            unused?;
            Some(Choice::Restart {
                slot: Slot(slot?),
                replica: ReplicaId(replica?),
                backup: backup? == "yes",
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
        row.empty(&["timer", "sent", "delay", "backup"], act, problems)?;
        slot
    } else {
        row.required("sent", act, problems)
    };
    match act {
        "deliver" => {
            row.empty(&["timer", "backup"], act, problems)?;
            delay(row, slot, sent, problems)?;
        }
        "drop" => row.empty(&["timer", "delay", "backup"], act, problems)?,
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
            let unused = row.only(
                &["slot", "event", "replica", "height", "view"],
                act,
                problems,
            );
            let height = row.required("height", act, problems).map(Height);
            let view = row.required("view", act, problems).map(View);
            unused?;
            Event::EnterView {
                height: height?,
                view: view?,
            }
        }
        _ => {
            let unused = row.only(
                &["slot", "event", "replica", "height", "value"],
                act,
                problems,
            );
            let height = row.required("height", act, problems).map(Height);
            let value = row.value(problems).ok()?;
            let Some(Value::Block { view, index }) = value else {
                let (place, text) = row.cell("value");
                let what = match text {
                    "" => format!("`value` is empty; `{act}` needs a block there"),
                    _ => format!("`value` must be a block for `{act}`, not {}", quoted(text)),
                };
                problems.at(place, what, "write `v0b0`, or remove the row");
                return None;
            };
            unused?;
            let height = height?;
            Event::Decide(BlockId {
                height,
                view,
                index,
            })
        }
    };
    Some(Prediction {
        slot: slot?,
        replica: replica?,
        event,
    })
}
