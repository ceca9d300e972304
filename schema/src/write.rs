//! Writers: canonical text of every file, and folders that appear whole or not at all.

mod atomic;

pub use atomic::{file, folder, remove_leftovers, temporary_of};

use crate::{
    Every,
    certificate::{Evidence, Part},
    instance::Instance,
    outcome::Outcome,
    raw::{RawInstance, RawOutcome},
    schedule::{Choice, Event, Message, Prediction},
    verdict::Verdict,
};
use serde::Serialize;
use serde_yaml::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::{Display, Write as _};

/// The columns of `schedule.csv`; the header is the version of the format.
pub(crate) const CHOICE_COLUMNS: [&str; 14] = [
    "slot",
    "choice",
    "replica",
    "peer",
    "kind",
    "height",
    "view",
    "value",
    "justification",
    "timer",
    "sent",
    "delay",
    "copy",
    "backup",
];

/// The columns of `predictions.csv`; the header is the version of the format.
pub(crate) const PREDICTION_COLUMNS: [&str; 8] = [
    "slot",
    "event",
    "replica",
    "kind",
    "height",
    "view",
    "value",
    "justification",
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

/// The instance file of a question about every number of replicas.
pub fn every_yaml(every: &Every) -> String {
    let one = instance_yaml(&every.instance);
    let n = match every.at_least {
        1 => "any".to_owned(),
        at_least => format!("{{at_least: {at_least}}}"),
    };
    let of_all = one.replace(
        &format!("\nreplicas: {}\n", every.instance.replicas),
        &format!("\nreplicas: {n}\n"),
    );
    let nominal = every
        .byzantine
        .of(every.instance.replicas, every.instance.f());
    let of_all = if every.any_views {
        let views = format!("\nviews: {}\n", every.instance.views);
        of_all.replace(&views, "\nviews: any\n")
    } else {
        of_all
    };
    of_all.replace(
        &format!(" count: {nominal}\n"),
        &format!(" count: {}\n", every.byzantine),
    )
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
        Part::Region { condition } => {
            let words = condition.map(|it| it.to_string()).join(" ");
            vec![row("region", &words, "0".to_owned())]
        }
        Part::Base { column, value } => vec![row("base", column, value.to_string())],
        Part::Step { column, value } => vec![row("step", column, value.to_string())],
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
pub(crate) fn choice_cells(choice: &Choice) -> [String; 14] {
    let replica = choice.replica();
    let mut cells = named(&CHOICE_COLUMNS);
    cells.set("slot", &choice.slot());
    cells.set("replica", &replica);
    match choice {
        Choice::Deliver { copy, .. } | Choice::Drop { copy, .. } | Choice::Inject { copy } => {
            // `replica` is who the row is about, `peer` the other end.
            let others = [copy.sender, copy.receiver];
            cells.set("peer", &others[usize::from(replica == copy.sender)]);
            cells.message(&copy.message);
            cells.set("copy", &copy.copy);
            if !matches!(choice, Choice::Inject { .. }) {
                cells.set("sent", &copy.sent);
            }
        }
        Choice::Timeout {
            timer,
            height,
            view,
            ..
        } => {
            cells.set("timer", timer);
            cells.set("height", height);
            cells.set("view", view);
        }
        Choice::Crash { .. } | Choice::Restart { .. } => {}
    }
    let name = match choice {
        Choice::Deliver { slot, copy } => {
            cells.set("delay", &slot.0.saturating_sub(copy.sent.0));
            "deliver"
        }
        Choice::Drop { .. } => "drop",
        Choice::Inject { .. } => "inject",
        Choice::Timeout { .. } => "timeout",
        Choice::Crash { .. } => "crash",
        Choice::Restart { backup, .. } => {
            cells.set("backup", &if *backup { "yes" } else { "no" });
            "restart"
        }
    };
    cells.set("choice", &name);
    cells.fields
}

/// The fields of a row, by the names of their columns.
struct Cells<const N: usize> {
    columns: &'static [&'static str; N],
    fields: [String; N],
}

/// A row without any value.
fn named<const N: usize>(columns: &'static [&'static str; N]) -> Cells<N> {
    let fields = std::array::from_fn(|_| String::new());
    Cells { columns, fields }
}

impl<const N: usize> Cells<N> {
    fn set(&mut self, column: &str, value: &dyn Display) {
        let at = self.columns.iter().position(|name| *name == column);
        self.fields[at.expect("a column of this file")] = value.to_string();
    }

    fn message(&mut self, message: &Message) {
        self.set("kind", &message.kind.name());
        self.set("height", &message.height);
        self.set("view", &message.view);
        if let Some(value) = message.value {
            self.set("value", &value);
        }
        if let Some(justification) = message.justification {
            self.set("justification", &justification);
        }
    }
}

/// The fields of a row of `predictions.csv`.
pub(crate) fn prediction_cells(prediction: &Prediction) -> [String; 8] {
    let mut cells = named(&PREDICTION_COLUMNS);
    cells.set("slot", &prediction.slot);
    cells.set("replica", &prediction.replica);
    let name = match &prediction.event {
        Event::Send(message) => {
            cells.message(message);
            "send"
        }
        Event::EnterView { height, view } => {
            cells.set("height", height);
            cells.set("view", view);
            "enter_view"
        }
        Event::Decide(block) => {
            cells.set("height", &block.height);
            cells.set("value", &block.value());
            "decide"
        }
    };
    cells.set("event", &name);
    cells.fields
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
