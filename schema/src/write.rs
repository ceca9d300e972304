//! Writers: canonical text of every file, and folders that appear whole or not at all.

mod atomic;

pub use atomic::{file, folder, remove_leftovers, temporary_of};

use crate::{
    certificate::{Evidence, Part},
    instance::Instance,
    outcome::Outcome,
    raw::{RawInstance, RawOutcome},
    schedule::{Choice, Copy, Event, Message, Prediction},
    verdict::Verdict,
};
use serde::Serialize;
use serde_yaml::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The columns of `schedule.csv`; the header is the version of the format.
pub(crate) const CHOICE_COLUMNS: [&str; 12] = [
    "slot", "choice", "replica", "peer", "kind", "height", "view", "block", "sent", "delay",
    "target", "copy",
];

/// The columns of `predictions.csv`; the header is the version of the format.
pub(crate) const PREDICTION_COLUMNS: [&str; 8] = [
    "slot", "event", "replica", "kind", "height", "view", "block", "target",
];

/// The columns of `certificate.csv`; the header is the version of the format.
pub(crate) const CERTIFICATE_COLUMNS: [&str; 3] = ["part", "name", "value"];

/// The instance file; `read::instance_text` gives the same instance back.
pub fn instance_yaml(instance: &Instance) -> String {
    yaml(&RawInstance::from(instance))
}

/// `outcome.yaml`. A dual bound that is not finite is written as `null`.
pub fn outcome_yaml(outcome: &Outcome) -> String {
    yaml(&RawOutcome::from(outcome))
}

/// `verdict.<engine>.yaml`.
pub fn verdict_yaml(verdict: &Verdict) -> String {
    yaml(verdict)
}

/// Any other YAML file of ours, of plain data with text keys.
///
/// The crate behind it is archived. It stays because it writes kept files byte for byte as before and
/// reads none; nothing else writes YAML (`deny.toml`), so that another crate takes its place here.
/// It knows three line breaks that YAML 1.2 does not, and folds them away: they become spaces, as a
/// break within a sentence may.
///
/// # Panics
/// For values that are no plain data.
pub fn yaml<T: Serialize>(value: &T) -> String {
    let mut value = serde_yaml::to_value(value).expect("these types are plain data");
    without_old_line_breaks(&mut value);
    serde_yaml::to_string(&value).expect("these types have text keys and go to memory")
}

fn without_old_line_breaks(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace(['\u{85}', '\u{2028}', '\u{2029}'], " "),
        Value::Sequence(values) => values.iter_mut().for_each(without_old_line_breaks),
        Value::Mapping(entries) => {
            // Keys cannot be changed in place.
            for (mut key, mut value) in std::mem::take(entries) {
                without_old_line_breaks(&mut key);
                without_old_line_breaks(&mut value);
                entries.insert(key, value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Tagged(_) => {}
    }
}

/// `schedule.csv`. Every schedule has one text: numbers are decimal, unused fields are empty.
pub fn choices_csv(choices: &[Choice]) -> String {
    csv(&CHOICE_COLUMNS, choices.iter().map(choice_cells))
}

/// `predictions.csv`.
pub fn predictions_csv(predictions: &[Prediction]) -> String {
    csv(
        &PREDICTION_COLUMNS,
        predictions.iter().map(prediction_cells),
    )
}

/// `certificate.csv`.
pub fn certificate_csv(evidence: &Evidence) -> String {
    let row = |part: &str, name: &str, value: String| [part.to_owned(), name.to_owned(), value];
    let rows = evidence.parts.iter().flat_map(|part| match part {
        Part::Point { column, value } => vec![row("point", column, value.to_string())],
        Part::Split { expression, at } => vec![row("split", expression, at.to_string())],
        Part::Bound { shift, multipliers } => {
            let multiplier =
                |(name, value): &(String, i64)| row("multiplier", name, value.to_string());
            let rows = multipliers.iter().map(multiplier);
            [row("bound", "", shift.to_string())]
                .into_iter()
                .chain(rows)
                .collect()
        }
        Part::Symmetric {
            replicas: (first, second),
        } => vec![row("symmetric", &first.to_string(), second.to_string())],
        Part::Searched { seed } => vec![row("searched", "", seed.to_string())],
    });
    csv(&CERTIFICATE_COLUMNS, rows)
}

/// No field ever holds a quote or a line break; one with a comma, which names of published programs
/// have, is written in quotes.
fn csv<const N: usize>(columns: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let to_memory = "records of one length go to memory";
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).expect(to_memory);
    for row in rows {
        let whole = |cell: &String| !cell.contains(['"', '\n', '\r']);
        assert!(row.iter().all(whole), "a name is one CSV field");
        writer.write_record(&row).expect(to_memory);
    }
    let bytes = writer.into_inner().expect(to_memory);
    String::from_utf8(bytes).expect("the fields are text")
}

/// The fields of a row of `schedule.csv`.
pub(crate) fn choice_cells(choice: &Choice) -> [String; 12] {
    let none = String::new;
    let slot = choice.slot().to_string();
    let replica = choice.replica().to_string();
    let of_copy = |name: &str, copy: &Copy, sent: String, delay: String| {
        // `replica` is who the row is about, `peer` the other end.
        let peer = if name == "inject" {
            copy.receiver
        } else {
            copy.sender
        };
        let [kind, height, view, block, target] = message_cells(&copy.message);
        let (slot, replica) = (slot.clone(), replica.clone());
        let copy = copy.copy.to_string();
        [
            slot,
            name.to_owned(),
            replica,
            peer.to_string(),
            kind,
            height,
            view,
            block,
            sent,
            delay,
            target,
            copy,
        ]
    };
    match choice {
        Choice::Deliver { slot, copy } => {
            let delay = slot.0.saturating_sub(copy.sent.0).to_string();
            of_copy("deliver", copy, copy.sent.to_string(), delay)
        }
        Choice::Drop { copy, .. } => of_copy("drop", copy, copy.sent.to_string(), none()),
        Choice::Inject { copy } => of_copy("inject", copy, none(), none()),
        Choice::Timeout { height, view, .. } => {
            let mut cells = short(slot, "timeout", replica);
            cells[5] = height.to_string();
            cells[6] = view.to_string();
            cells
        }
        Choice::Crash { .. } => short(slot, "crash", replica),
        Choice::Restart { backup, .. } => {
            let mut cells = short(slot, "restart", replica);
            cells[4] = String::from(if *backup { "backup" } else { "no-backup" });
            cells
        }
    }
}

fn short(slot: String, name: &str, replica: String) -> [String; 12] {
    let mut cells: [String; 12] = std::array::from_fn(|_| String::new());
    cells[0] = slot;
    cells[1] = String::from(name);
    cells[2] = replica;
    cells
}

/// Kind, height, view, block and target.
fn message_cells(message: &Message) -> [String; 5] {
    let optional = |number: Option<u32>| number.map_or_else(String::new, |it| it.to_string());
    [
        message.kind.name().to_owned(),
        message.height.to_string(),
        message.view.to_string(),
        optional(message.block),
        optional(message.target.map(|view| view.0)),
    ]
}

/// The fields of a row of `predictions.csv`.
pub(crate) fn prediction_cells(prediction: &Prediction) -> [String; 8] {
    let none = String::new;
    let (name, [kind, height, view, block, target]) = match &prediction.event {
        Event::Send(message) => ("send", message_cells(message)),
        Event::EnterView { height, view } => (
            "enter_view",
            [none(), height.to_string(), view.to_string(), none(), none()],
        ),
        Event::Decide(block) => {
            let [height, view] = [block.height.to_string(), block.view.to_string()];
            (
                "decide",
                [none(), height, view, block.index.to_string(), none()],
            )
        }
    };
    let [slot, replica] = [prediction.slot.to_string(), prediction.replica.to_string()];
    [
        slot,
        name.to_owned(),
        replica,
        kind,
        height,
        view,
        block,
        target,
    ]
}

/// SHA-256 in lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("writing to a string does not fail");
            hex
        })
}
