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
    explain(&mut schema, "");
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("milp protocol");
    schema["description"] = json!("The words of a protocol for people, and its rules.");
    schema
}

/// What keys say, by their names; by their paths where a name says several things.
const SAYS: [(&str, &str); 49] = [
    ("format", "Kind and version of the file."),
    ("name", "What instances call it."),
    ("title", "What people call it."),
    (
        "page",
        "The page whose lines the rules cite, seen from the folder of the file.",
    ),
    ("words", "Words of the protocol in place of ours."),
    ("words.view", "What a view is called."),
    ("words.primary", "What a primary is called."),
    (
        "primary",
        "Who is primary: a formula of height `h`, view `v` and `n`.",
    ),
    ("quorum", "How many senders a quorum `q` has."),
    (
        "counts",
        "Further numbers of senders, by the names that rules use.",
    ),
    (
        "kinds.does.counts",
        "Of the different records of a sender in a view, which count.",
    ),
    (
        "mutants.counts",
        "Other numbers of senders than the protocol's.",
    ),
    ("mutants.quorum", "Another quorum than the protocol's."),
    (
        "messages",
        "Whether a broadcast makes a copy for each replica, or fills one pool.",
    ),
    ("engines", "Names of the engines whose rules these are."),
    (
        "repaired_by",
        "The protocol that has a mistake of this one no more.",
    ),
    ("mutants", "Deliberate weakenings, by their names."),
    ("timers", "Names of the timers that rules start and stop."),
    (
        "chain",
        "Whether a value is a branch, and a decision does not end the height.",
    ),
    (
        "kinds",
        "Messages, in the order in which a replica handles copies.",
    ),
    ("kept", "Records that are not sent."),
    (
        "rules",
        "One rule an entry, under the lines of the page that it states; earlier ones come first.",
    ),
    ("kind", "The name of the kind."),
    ("says", "What it is, in few words."),
    (
        "names",
        "Whether it names a value of its own view, any value, or nothing.",
    ),
    ("by", "Who may make it."),
    (
        "justified",
        "Whether it names an earlier view that justifies it.",
    ),
    (
        "final",
        "Whether it is a decision, or a quorum of it makes one.",
    ),
    ("takes", "The safeguard that it takes away."),
    ("without", "Lines whose rules are left out."),
    (
        "only",
        "The lines whose rules the change is for; all of them where nothing is said.",
    ),
    ("drop", "Guards that are taken away."),
    ("replace", "Guards that are put in place of others."),
    ("does", "What replicas do with it."),
    ("role", "What it is for."),
    (
        "ahead",
        "What becomes of a copy of a later view than its receiver's.",
    ),
    ("passed", "What becomes of a copy of an earlier view."),
    (
        "leaving",
        "What becomes of a copy at a replica that has asked to leave its view.",
    ),
    (
        "forgotten",
        "Whether who enters a view forgets those that led there.",
    ),
    (
        "sent",
        "What makes a replica send it, for pictures and stories.",
    ),
    ("tally", "What votes of the kind are called together."),
    ("binds", "Whether one binds its sender."),
    ("mark", "How pictures draw it."),
    ("letters", "Its letters."),
    ("shape", "Its shape."),
    ("colour", "The colour of its lines."),
    (
        "dash",
        "Lengths of strokes and gaps of its lines; none for a whole line.",
    ),
    ("fill", "The colour inside of its shape."),
    ("text", "The colour of its letters."),
];

/// Puts what keys say beside them, whatever they are keys of.
fn explain(schema: &mut Value, path: &str) {
    if let Some(keys) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (key, value) in keys {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let of = |name: &str| SAYS.iter().find(|(known, _)| *known == name);
            if let Some((_, says)) = of(&path).or_else(|| of(key)) {
                value["description"] = json!(says);
            }
            explain(value, &path);
        }
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(inner) {
            explain(inner, path);
        }
    }
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
