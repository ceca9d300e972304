//! The Informal Trace Format: a state for each slot, with the adversary's choices and what
//! replicas do in it. It carries the schedule whole, so it can be read again.

use super::{Carried, story::Story};
use crate::{Error, expected, known::Known};
use milp_schema::{
    Schedule, Slot,
    read::{self, Near},
    write,
};
use serde_json::{Map, Value, json};

/// What a file of ours says of itself.
const SOURCE: &str = "milp-schedule/2.0";

/// The variables: the slot, the rows of both files that are of this slot, the view of every
/// replica and what it decided.
const VARS: [&str; 5] = ["slot", "choices", "predictions", "view", "decided"];

pub(super) fn write(carried: &Carried, story: &Story<'_>) -> String {
    let choices = rows(&write::choices_csv(&carried.schedule.choices));
    let predictions = rows(&write::predictions_csv(&carried.schedule.predictions));
    let trace = expected::trace(carried.instance.protocol, &carried.schedule);
    let mut rest = trace.iter().peekable();
    let mut known = Known::new(&carried.instance);
    let states = Slot::all(story.instance.slots + 1).map(|slot| {
        while let Some(event) = rest.next_if(|event| event.slot <= slot) {
            known.event(event);
        }
        let of_slot = |rows: &[Value]| {
            let rows = rows.iter().filter(|row| row["slot"] == slot.0);
            rows.cloned().collect::<Vec<_>>()
        };
        let views = story.replicas().map(|id| {
            let (height, view) = known.of(id).place;
            json!([id.0, {"height": height.0, "view": view.0}])
        });
        let blocks = story.replicas().map(|id| {
            let blocks = known.of(id).decided.iter().map(|(block, _)| {
                json!({"height": block.height.0, "view": block.view.0, "index": block.index})
            });
            json!([id.0, {"#set": blocks.collect::<Vec<_>>()}])
        });
        json!({
            "#meta": {"index": slot.0},
            "slot": slot.0,
            "choices": of_slot(&choices),
            "predictions": of_slot(&predictions),
            "view": {"#map": views.collect::<Vec<_>>()},
            "decided": {"#map": blocks.collect::<Vec<_>>()},
        })
    });
    let mut document = json!({
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "source": SOURCE,
            "description": story.title(),
            "instance": write::instance_yaml(&carried.instance),
            "predicted": carried.predicted,
            "faulty": carried.faulty,
        },
        "vars": VARS,
        "states": states.collect::<Vec<_>>(),
    });
    if let Some(text) = carried.instance.protocol.given() {
        document["#meta"]["protocol"] = text.into();
    }
    format!("{document:#}\n")
}

/// The rows of a CSV of ours as records: numbers where a number stands, fields that are empty left
/// out.
fn rows(csv: &str) -> Vec<Value> {
    let mut lines = csv.lines();
    let header = lines.next().unwrap_or_default().split(',');
    let header = header.collect::<Vec<_>>();
    let row = |line: &str| {
        let cells = header.iter().zip(line.split(','));
        let cells = cells.filter(|(_, cell)| !cell.is_empty());
        let cells = cells.map(|(name, cell)| {
            let value = cell
                .parse::<u32>()
                .map_or_else(|_| cell.into(), Value::from);
            ((*name).to_owned(), value)
        });
        Value::Object(cells.collect::<Map<_, _>>())
    };
    lines.map(row).collect()
}

/// Reads a trace that was written here.
///
/// # Errors
///
/// When it is no such file, or a row of it is none of a schedule.
pub fn read(file: &str, text: &str) -> Result<Carried, Error> {
    let refuse = |why: &str| Error::Refused(format!("{file}: {why}"));
    let document: Value = serde_json::from_str(text).map_err(|error| refuse(&error.to_string()))?;
    let meta = &document["#meta"];
    if meta["source"] != SOURCE {
        return Err(refuse(
            "no trace that `milp export --itf` wrote of a schedule: its `#meta` has another source",
        ));
    }
    let states = document["states"].as_array();
    let states = states.ok_or_else(|| refuse("it has no states"))?;
    let rows = |name: &str| {
        let rows = states.iter().filter_map(|state| state[name].as_array());
        rows.flatten().collect::<Vec<_>>()
    };
    carried(file, meta, &rows("choices"), &rows("predictions"))
}

/// What a trace of the TLA+ model carries in its `#meta` if it was written here; nothing if it was
/// not.
///
/// # Errors
///
/// When a row of it is none of a schedule.
pub fn read_model(file: &str, document: &Value) -> Result<Option<Carried>, Error> {
    let meta = &document["#meta"];
    let rows = |name: &str| meta[name].as_array().map(|rows| rows.iter().collect());
    let (Some(choices), Some(predictions)) = (rows("choices"), rows("predictions")) else {
        return Ok(None);
    };
    let (choices, predictions): (Vec<_>, Vec<_>) = (choices, predictions);
    carried(file, meta, &choices, &predictions).map(Some)
}

/// The `#meta` that [`read_model`] reads.
pub fn model_meta(carried: &Carried) -> Value {
    json!({
        "instance": write::instance_yaml(&carried.instance),
        "predicted": carried.predicted,
        "faulty": carried.faulty,
        "choices": rows(&write::choices_csv(&carried.schedule.choices)),
        "predictions": rows(&write::predictions_csv(&carried.schedule.predictions)),
    })
}

fn carried(
    file: &str,
    meta: &Value,
    choices: &[&Value],
    predictions: &[&Value],
) -> Result<Carried, Error> {
    let refuse = |why: &str| Error::Refused(format!("{file}: {why}"));
    let instance = meta["instance"].as_str();
    let instance = instance.ok_or_else(|| refuse("its `#meta` has no instance"))?;
    let near = Near::text(meta["protocol"].as_str());
    let instance = read::instance_near(file, instance, near)?;
    let csv = |header: String, rows: &[&Value]| {
        let rows = rows.iter().map(|row| line(header.trim_end(), row));
        let rows = rows.collect::<Vec<_>>();
        header + &rows.concat()
    };
    let choices = csv(write::choices_csv(&[]), choices);
    let choices = read::choices_text(instance.protocol, &format!("{file} (choices)"), &choices)?;
    let predictions = csv(write::predictions_csv(&[]), predictions);
    let predictions = read::predictions_text(
        instance.protocol,
        &format!("{file} (predictions)"),
        &predictions,
    )?;
    let schedule = Schedule {
        choices,
        predictions,
    };
    read::check_schedule(&instance, &schedule, file)?;
    let faulty = serde_json::from_value(meta["faulty"].clone())
        .map_err(|error| refuse(&format!("its `#meta` says nothing of faults: {error}")))?;
    Ok(Carried {
        instance,
        faulty,
        schedule,
        predicted: meta["predicted"] == true,
    })
}

/// A record as a row of a CSV.
fn line(header: &str, row: &Value) -> String {
    let cells = header.split(',').map(|name| match &row[name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    cells.collect::<Vec<_>>().join(",") + "\n"
}
