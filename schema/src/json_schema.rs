//! The JSON Schemas of files, for editors and for other programs.
//!
//! It says everything about an instance that JSON Schema can say. What remains for the reader is
//! arithmetic between keys: f and formulas of it, the quorum, sums of faults, `delay_max` against
//! `delay_min`, the views that honest replicas lead.

mod tables;

pub use tables::{choices, predictions};

use crate::{
    limits,
    raw::{RawInstance, RawOutcome},
    read::current_format,
    vocabulary::Protocol,
};
use serde_json::{Map, Value, json};
use std::ops::RangeInclusive;

/// The JSON Schema (draft 2020-12) of the instance file.
///
/// Types, names, documentation and defaults come from the types that write the file; ranges and
/// the conditions between keys, which types do not have, are added here.
pub fn instance() -> Value {
    let mut schema = schemars::schema_for!(RawInstance).to_value();
    ranges(&mut schema);
    faults(&mut schema);
    any(&mut schema);
    let names: Vec<&str> = Protocol::all()
        .map(|protocol| protocol.name.as_str())
        .collect();
    set(
        &mut schema,
        "/properties/format",
        "const",
        json!(current_format("instance")),
    );
    let shipped = json!({"enum": names});
    let file = json!({"type": "string", "pattern": "^\\./"});
    set(
        &mut schema,
        "/properties/protocol",
        "anyOf",
        json!([shipped, file]),
    );
    let refused = json!({"description": "No formulation answers this key yet.", "not": {}});
    set(&mut schema, "/properties", "unit", refused);
    set(&mut schema, "/properties/budget", "default", json!({}));
    set(&mut schema, "/properties/gossip", "default", json!(false));
    set(&mut schema, "", "allOf", conditions());
    schema
}

/// The JSON Schema (draft 2020-12) of `outcome.yaml`; what stands in its `instance` is an instance.
pub fn outcome() -> Value {
    let mut schema = schemars::schema_for!(RawOutcome).to_value();
    let format = json!(current_format("outcome"));
    set(&mut schema, "/properties/format", "const", format);
    schema
}

/// The JSON Schema (draft 2020-12) of the sweep file. Which fields there are and what each
/// combination makes of the instance remains for the reader.
pub fn sweep() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "milp sweep",
        "description": "An instance, and fields of it that take several values each.",
        "type": "object",
        "additionalProperties": false,
        "required": ["format", "base", "over"],
        "properties": {
            "format": {"description": "Kind and version of the file.", "const": current_format("sweep")},
            "base": {
                "description": "The path of an instance, seen from the folder of this file, or an \
                                instance.",
                "oneOf": [{"type": "string"}, {"type": "object"}],
            },
            "over": {
                "description": "Fields with a list of values each; several fields with commas take \
                                a list of lists.",
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"type": "array", "minItems": 1, "uniqueItems": true},
            },
        },
    })
}

/// Sets `key` of the object at `pointer`, which the derived schema has.
fn set(schema: &mut Value, pointer: &str, key: &str, value: Value) {
    object(schema, pointer).insert(key.to_owned(), value);
}

fn object<'a>(schema: &'a mut Value, pointer: &str) -> &'a mut Map<String, Value> {
    schema
        .pointer_mut(pointer)
        .and_then(Value::as_object_mut)
        .expect("the derived schema has this object")
}

/// The ranges that the reader enforces.
fn ranges(schema: &mut Value) {
    let wide = |range: RangeInclusive<u32>| i64::from(*range.start())..=i64::from(*range.end());
    let network = "/$defs/Network/oneOf/2/properties/bounded/properties";
    let good = "/$defs/Goal/oneOf/6/properties/wasted/properties";
    let weights = "/$defs/Goal/oneOf/7/properties/weighted/properties";
    let slot = 0..=*limits::SLOTS.end();
    let id = 0..=*limits::REPLICAS.end() - 1;
    let ranges = [
        ("/properties/replicas".to_owned(), wide(limits::REPLICAS)),
        ("/properties/heights".to_owned(), wide(limits::HEIGHTS)),
        ("/properties/views".to_owned(), wide(limits::VIEWS)),
        (
            "/properties/blocks_per_proposal".to_owned(),
            wide(limits::BLOCKS_PER_PROPOSAL),
        ),
        ("/properties/slots".to_owned(), wide(limits::SLOTS)),
        (
            "/properties/block_time".to_owned(),
            wide(limits::BLOCK_TIME),
        ),
        (format!("{network}/delay_min"), wide(limits::DELAY)),
        (format!("{network}/delay_max"), wide(limits::DELAY)),
        (format!("{network}/gst"), wide(slot)),
        (format!("{good}/bad"), wide(0..=*limits::VIEWS.end())),
        (format!("{good}/up_to"), wide(limits::VIEWS)),
        (format!("{weights}/blocks"), limits::WEIGHT),
        (format!("{weights}/views"), limits::WEIGHT),
        (format!("{weights}/messages"), limits::WEIGHT),
        (
            "/$defs/Budget/properties/late".to_owned(),
            wide(limits::BUDGET),
        ),
        (
            "/$defs/Budget/properties/timeouts".to_owned(),
            wide(limits::BUDGET),
        ),
        (
            "/$defs/Budget/properties/injects".to_owned(),
            wide(limits::BUDGET),
        ),
        ("/$defs/ReplicaId".to_owned(), wide(id)),
        (
            "/$defs/Fault/properties/count".to_owned(),
            wide(0..=*limits::REPLICAS.end()),
        ),
        (
            "/$defs/Fault/properties/power".to_owned(),
            0..=i64::from(*limits::POWER.end()) * i64::from(*limits::REPLICAS.end()),
        ),
        ("/properties/power/items".to_owned(), wide(limits::POWER)),
    ];
    for (pointer, range) in ranges {
        let number = object(schema, &pointer);
        // A key that is given has a number; one that is not wanted is left out.
        number.insert("type".to_owned(), json!("integer"));
        number.insert("minimum".to_owned(), json!(range.start()));
        number.insert("maximum".to_owned(), json!(range.end()));
        number.remove("format");
    }
}

/// `replicas` and `views` are numbers, or all.
fn any(schema: &mut Value) {
    let at_least = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["at_least"],
        "properties": {"at_least": {
            "type": "integer",
            "minimum": limits::REPLICAS.start(),
            "maximum": crate::every::NOMINAL,
        }},
    });
    let all = json!({"const": "any"});
    for (key, more) in [
        ("replicas", vec![all.clone(), at_least]),
        ("views", vec![all]),
    ] {
        let number = object(schema, &format!("/properties/{key}"));
        let description = number.remove("description");
        let one = std::mem::take(number);
        let any: Vec<Value> = std::iter::once(Value::Object(one)).chain(more).collect();
        *number = Map::from_iter([
            ("description".to_owned(), json!(description)),
            ("anyOf".to_owned(), json!(any)),
        ]);
    }
}

/// A fault has a count, members or a power, or is none and has none of them; a count may be a formula.
fn faults(schema: &mut Value) {
    let number = object(schema, "/$defs/Fault/properties/count");
    let description = number.remove("description");
    let (digits, sign) = ("([0-9]* *f|[0-9]+)", " *[+-] *");
    let formula = format!("^ *-? *{digits}({sign}{digits})* *$");
    *number = Map::from_iter([
        ("description".to_owned(), json!(description)),
        (
            "anyOf".to_owned(),
            json!([number, {"type": "string", "pattern": formula}]),
        ),
    ]);
    let members = object(schema, "/$defs/Fault/properties/replicas");
    members.insert("minItems".to_owned(), json!(1));
    members.insert("uniqueItems".to_owned(), json!(true));
    let none = json!({"properties": {"kind": {"const": "none"}}});
    let who = json!([
        {"allOf": [none, {"not": {"required": ["count"]}}, {"not": {"required": ["replicas"]}}, {"not": {"required": ["power"]}}]},
        {"not": none, "required": ["count"]},
        {"not": none, "required": ["replicas"]},
        {"not": none, "required": ["power"]},
    ]);
    set(schema, "/$defs/Fault", "oneOf", who);
}

/// Mutants by protocol; block time if and only if the timers follow the protocol; gossip only where
/// views are good; of every number of replicas not everything is answered.
fn conditions() -> Value {
    let by_protocol = Protocol::all().map(|protocol| {
        let mutants: Vec<&String> = protocol.mutants.keys().collect();
        let mutant = if mutants.is_empty() {
            json!(false)
        } else {
            json!({"enum": mutants})
        };
        json!({
            "if": {"properties": {"protocol": {"const": protocol.name}}},
            "then": {"properties": {"mutant": mutant}},
        })
    });
    let clock = json!({
        "if": {"properties": {"timers": {"const": "protocol"}}, "required": ["timers"]},
        "then": {"required": ["block_time"]},
        "else": {"not": {"required": ["block_time"]}},
    });
    let gossip = json!({
        "if": {"properties": {"gossip": {"const": true}}, "required": ["gossip"]},
        "then": {"properties": {"goal": {"type": "object", "required": ["wasted"]}}},
    });
    let every = json!({
        "if": {"properties": {"replicas": {"type": "integer"}}},
        "then": {"properties": {"views": {"type": "integer"}}},
        "else": {"properties": {
            "goal": {"enum": ["fork", "finality", "stall"]},
            "formulation": {"enum": ["auto", "counting"]},
            "heights": {"const": 1},
            "primary": {"const": "rotation"},
            "timers": {"const": "free"},
            "network": {"enum": ["eventual", "asynchronous"]},
            "power": false,
        }},
    });
    by_protocol.chain([clock, gossip, every]).collect()
}
