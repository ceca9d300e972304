//! The JSON Schema of a protocol file, for editors and for other programs.

use super::load::{AHEAD, COUNTS, MAKERS, PASSED, VALUES};
use crate::read::format::current;
use serde_json::{Value, json};

/// The JSON Schema (draft 2020-12) of a protocol file. The notation of rules, and whether they make
/// sense, remain for the reader.
pub fn json_schema() -> Value {
    let name = |first: &str| {
        let pattern = format!("^[{first}][{first}0-9_-]{{0,31}}$");
        json!({"type": "string", "pattern": pattern})
    };
    let word = json!({"type": "string", "maxLength": 200});
    let list = |items: &Value| json!({"type": "array", "maxItems": 64, "items": items});
    let lines = "^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$";
    let rule = json!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "propertyNames": {"pattern": lines},
        "additionalProperties": {"type": "string", "maxLength": 1000},
    });
    let counts = json!({
        "type": "object",
        "maxProperties": 64,
        "propertyNames": name("a-z"),
        "additionalProperties": count(),
    });
    let strings = list(&word);
    let kept = object(
        &["kind", "says", "names"],
        &json!({
            "kind": name("a-zA-Z"), "says": word, "names": one(&VALUES), "by": one(&MAKERS),
            "justified": {"type": "boolean"}, "final": {"type": "boolean"},
        }),
    );
    let mutant = object(
        &["says"],
        &json!({
            "says": word, "quorum": count(), "counts": counts, "takes": {"enum": ["lock"]},
            "without": strings, "only": strings, "drop": strings,
            "replace": {"type": "object", "maxProperties": 64, "additionalProperties": word},
        }),
    );
    let words = object(
        &["view", "primary"],
        &json!({"view": word, "primary": word}),
    );
    let needed = [
        "format", "name", "title", "page", "words", "primary", "quorum", "messages", "engines",
        "mutants", "timers", "kinds", "rules",
    ];
    let mut schema = object(
        &needed,
        &json!({
            "format": {"const": current("protocol")},
            "name": name("a-z"), "title": word, "page": word, "words": words,
            "primary": word, "quorum": count(), "counts": counts,
            "messages": {"enum": ["copies", "pool"]},
            "engines": strings, "repaired_by": word,
            "mutants": {
                "type": "object", "maxProperties": 64,
                "propertyNames": name("a-z"), "additionalProperties": mutant,
            },
            "timers": list(&name("a-z")),
            "chain": {"type": "boolean"},
            "kinds": list(&kind(&name("a-zA-Z"), &word)),
            "kept": list(&kept),
            "rules": list(&rule),
        }),
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("milp protocol");
    schema["description"] = json!("The words of a protocol for people, and its rules.");
    schema
}

/// An object with these keys and no others.
fn object(needed: &[&str], properties: &Value) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": needed,
        "properties": properties,
    })
}

fn count() -> Value {
    json!({"type": ["string", "integer"]})
}

/// One of the names that the reader knows.
fn one<T>(table: &[(&str, T)]) -> Value {
    let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    json!({"enum": names})
}

/// A kind of messages.
fn kind(name: &Value, word: &Value) -> Value {
    let flag = json!({"type": "boolean"});
    let take = one(&PASSED);
    let colour = json!({"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"});
    let shapes = [
        "square", "circle", "diamond", "triangle", "frame", "ring", "hexagon",
    ];
    let roles = [
        "proposal", "vote", "leave", "decision", "question", "answer",
    ];
    let does = object(
        &["names", "by", "role", "ahead", "passed", "sent"],
        &json!({
            "names": one(&VALUES), "by": one(&MAKERS), "role": {"enum": roles},
            "ahead": one(&AHEAD), "passed": take, "leaving": take,
            "forgotten": flag, "sent": {"enum": ["rule", "timer"]}, "tally": word,
            "justified": flag, "binds": flag, "final": flag,
            "counts": one(&COUNTS),
        }),
    );
    let mark = object(
        &["letters", "shape", "colour", "dash"],
        &json!({
            "letters": word, "shape": {"enum": shapes}, "colour": colour,
            "dash": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "fill": colour, "text": colour,
        }),
    );
    object(
        &["kind", "says", "does", "mark"],
        &json!({"kind": name, "says": word, "does": does, "mark": mark}),
    )
}
