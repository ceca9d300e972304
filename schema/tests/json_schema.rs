//! The JSON Schema says what the reader does, as far as JSON Schema can.

use milp_schema::{Protocol, json_schema, read};
use regex::Regex;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

const GOOD: &str = "\
format: milp-instance/2.0
protocol: dbft2
replicas: 4
views: 2
slots: 12
goal: fork
";

/// Whether `value` satisfies `schema`, for the keywords that the instance's schema uses; any
/// other keyword is a failure of the test.
fn valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let Some(schema) = schema.as_object() else {
        return schema
            .as_bool()
            .expect("a schema is an object or a boolean");
    };
    schema
        .iter()
        .all(|(keyword, given)| match keyword.as_str() {
            "$ref" => {
                let pointer = given.as_str().expect("a text").trim_start_matches('#');
                valid(root, root.pointer(pointer).expect("a definition"), value)
            }
            "allOf" => alternatives(root, given, value) == list(given).count(),
            "anyOf" => alternatives(root, given, value) > 0,
            "oneOf" => alternatives(root, given, value) == 1,
            "not" => !valid(root, given, value),
            "if" => {
                let branch = if valid(root, given, value) {
                    "then"
                } else {
                    "else"
                };
                schema
                    .get(branch)
                    .is_none_or(|branch| valid(root, branch, value))
            }
            "items" => list(value).all(|item| valid(root, given, item)),
            "properties" => value.as_object().is_none_or(|object| {
                object
                    .iter()
                    .all(|(key, value)| given.get(key).is_none_or(|it| valid(root, it, value)))
            }),
            "additionalProperties" => {
                let none = Value::Null;
                let known = schema.get("properties").unwrap_or(&none);
                value.as_object().is_none_or(|it| {
                    let mut others = it.iter().filter(|(key, _)| known.get(key).is_none());
                    others.all(|(_, value)| valid(root, given, value))
                })
            }
            "then" | "else" | "$schema" | "$defs" | "title" | "description" | "default" => true,
            _ => simple(keyword, given, value),
        })
}

/// The keywords without schemas in them.
fn simple(keyword: &str, given: &Value, value: &Value) -> bool {
    let number = || given.as_i64().expect("a number");
    match keyword {
        "type" => {
            let mut one = given.as_str().into_iter();
            let is_of = |name: &str| is_of(name, value);
            one.any(is_of) || list(given).filter_map(Value::as_str).any(is_of)
        }
        // How wide the type behind it is.
        "format" => true,
        "const" => value == given,
        "pattern" => {
            let pattern = Regex::new(given.as_str().expect("a text")).expect("a pattern");
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        "enum" => list(given).any(|member| member == value),
        "minimum" => value.as_i64().is_none_or(|it| it >= number()),
        "maximum" => value.as_i64().is_none_or(|it| it <= number()),
        "minItems" => value
            .as_array()
            .is_none_or(|items| items.len() as i64 >= number()),
        "minProperties" => value
            .as_object()
            .is_none_or(|object| object.len() as i64 >= number()),
        "uniqueItems" => {
            let distinct: BTreeSet<_> = list(value).map(Value::to_string).collect();
            distinct.len() == list(value).count()
        }
        "required" => value.as_object().is_none_or(|object| {
            list(given).all(|key| object.contains_key(key.as_str().expect("a key")))
        }),
        other => panic!("unknown keyword {other}"),
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("unknown type {other}"),
    }
}

/// The members of an array, none of anything else.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn alternatives(root: &Value, schemas: &Value, value: &Value) -> usize {
    let schemas = schemas.as_array().expect("schemas");
    schemas
        .iter()
        .filter(|schema| valid(root, schema, value))
        .count()
}

fn schema_accepts(text: &str) -> bool {
    let schema = json_schema::instance();
    let value: Value = serde_yaml::from_str(text).expect("plain YAML");
    valid(&schema, &schema, &value)
}

#[test]
fn what_the_reader_accepts_satisfies_the_schema() {
    let lines = [
        "",
        "mutant: small-quorum",
        "faults: {kind: none}",
        "faults: []",
        "faults: {kind: crash, count: 1}",
        "faults: {kind: network, replicas: [0]}",
        "faults: {kind: crash, count: f}",
        "beyond_budget: true\nfaults: {kind: crash, count: 3 f - 1}",
        "faults: {kind: crash, count: -2f+3}",
        "gossip: false",
        "power: [40, 30, 20, 10]\nfaults: {kind: byzantine, power: 33}",
        "beyond_budget: true\nfaults: [{kind: crash, count: 0}, {kind: byzantine, replicas: [1, 3]}]",
        "heights: 8",
        "blocks_per_proposal: 2",
        "network: asynchronous",
        "network: eventual",
        "network: {bounded: {delay_min: 1, delay_max: 4}}",
        "network: {bounded: {delay_min: 1, delay_max: 4, gst: 12}}",
        "timers: free",
        "timers: protocol\nblock_time: 6",
        "primary: free",
        "formulation: timed",
        "formulation: counting",
        "formulation: causal",
        "formulation: levels",
        "budget: {}",
        "budget: {late: 3, timeouts: 0, injects: 1000000}",
    ];
    let goals = [
        "finality",
        "stall",
        "slow",
        "views",
        "blame",
        "{wasted: {bad: 0, up_to: 2}}",
        "{wasted: {bad: 1, up_to: 1}}\ngossip: true",
        "{weighted: {sense: minimize}}",
        "{weighted: {sense: maximize, blocks: 1000, views: -100, messages: 0}}",
    ];
    let texts = lines.iter().map(|line| format!("{GOOD}{line}\n"));
    let goals = goals.iter().map(|goal| GOOD.replace("fork", goal));
    let names = Protocol::all().map(|protocol| protocol.name.as_str());
    let protocols = names.map(|name| GOOD.replace("dbft2", name));
    for text in texts.chain(goals).chain(protocols) {
        if let Err(error) = read::instance_text("x", &text) {
            panic!("{error}\n{text}");
        }
        assert!(schema_accepts(&text), "{text}");
    }
}

/// Lines that make the good instance bad.
const REFUSED_LINES: [&str; 38] = [
    "mutant: small",
    "rules: nspcc",
    "timeouts: free",
    "power: [1, 1, 0, 1]",
    "unit: 1",
    "gossip: true",
    "faults: {}",
    "faults: {kind: crash}",
    "faults: {kind: none, count: 1}",
    "faults: {kind: crash, count: 1, replicas: [1]}",
    "faults: {kind: crash, replicas: []}",
    "faults: {kind: crash, replicas: [128]}",
    "beyond_budget: true\nfaults: {kind: crash, replicas: [1, 1]}",
    "faults: {kind: crash, count: -1}",
    "faults: {kind: crash, count: n - f}",
    "faults: {kind: crash, count: f +}",
    "faults: {kind: crash, power: 1, count: 1}",
    "faults: {kind: none, power: 1}",
    "faults: {kind: crash, count: 1, who: 1}",
    "faults: none",
    "beyond_budget: 1",
    "heights: 0",
    "heights: 9",
    "blocks_per_proposal: 9",
    "network: {bounded: {delay_min: 0, delay_max: 4}}",
    "network: {bounded: {delay_min: 1}}",
    "network: {bounded: {delay_min: 1, delay_max: 401}}",
    "network: bounded",
    "timers: protocol",
    "block_time: 6",
    "timers: free\nblock_time: 6",
    "timers: protocol\nblock_time: 0",
    "primary: any",
    "formulation: fast",
    "budget: {late: -1}",
    "budget: {late: null}",
    "budget: {early: 1}",
    "extra: 1",
];

/// Replacements that do.
const REFUSED_CHANGES: [(&str, &str); 16] = [
    ("replicas: 4", "replicas: 129"),
    ("replicas: 4", "replicas: '4'"),
    ("views: 2", "views: 33"),
    ("views: 2", "views: any"),
    ("slots: 12", "slots: 1001"),
    ("slots: 12\n", ""),
    ("goal: fork", "goal: win"),
    ("goal: fork", "goal: {weighted: {blocks: 1}}"),
    ("goal: fork", "goal: {weighted: {sense: up}}"),
    (
        "goal: fork",
        "goal: {weighted: {sense: maximize, blocks: 1000001}}",
    ),
    ("dbft2", "dbft4"),
    ("protocol: dbft2", "protocol: dbft1\nmutant: no-commit-lock"),
    (
        "protocol: dbft2",
        "protocol: dbft2-tla\nmutant: small-quorum",
    ),
    (
        "protocol: dbft2",
        "protocol: dbft2-tla-per-view\nmutant: no-commit-lock",
    ),
    ("instance/2.0", "instance/1.1"),
    ("instance/2.0", "outcome/2.0"),
];

#[test]
fn what_the_schema_refuses_the_reader_refuses_too() {
    let texts = REFUSED_LINES.iter().map(|line| format!("{GOOD}{line}\n"));
    let changed = REFUSED_CHANGES
        .iter()
        .map(|(replace, by)| GOOD.replace(replace, by));
    for text in texts.chain(changed) {
        assert!(!schema_accepts(&text), "the schema accepts\n{text}");
        assert!(
            read::instance_text("x", &text).is_err(),
            "the reader accepts\n{text}"
        );
    }
}

/// What a question for every n may say, and what it may not.
const EVERY: [(&str, bool); 16] = [
    ("", true),
    (
        "faults: {kind: byzantine, count: f + 1}\nbeyond_budget: true",
        true,
    ),
    ("formulation: counting", true),
    ("network: asynchronous", true),
    ("timers: free", true),
    ("heights: 1", true),
    ("primary: rotation", true),
    ("mutant: no-commit-lock", true),
    ("formulation: levels", false),
    ("heights: 2", false),
    ("primary: free", false),
    ("timers: protocol\nblock_time: 4", false),
    ("network: {bounded: {delay_min: 1, delay_max: 4}}", false),
    ("power: [1, 1, 1, 1]", false),
    ("mutant: no", false),
    ("extra: 1", false),
];

#[test]
fn a_question_for_every_n_satisfies_the_schema_where_it_is_read() {
    let replicas = ["any", "{at_least: 7}"].map(|it| (it, "2", "fork"));
    let goals = ["finality", "stall", "views"].map(|it| ("any", "2", it));
    let others = [
        ("any", "any", "fork"),
        ("{at_least: 0}", "2", "fork"),
        ("{more: 1}", "2", "fork"),
    ];
    for (replicas, views, goal) in replicas.into_iter().chain(goals).chain(others) {
        let good = GOOD.replace("replicas: 4", &format!("replicas: {replicas}"));
        let good = good.replace("views: 2", &format!("views: {views}"));
        let good = good.replace("goal: fork", &format!("goal: {goal}"));
        let base = goal != "views" && !replicas.contains('0') && !replicas.contains("more");
        for (line, holds) in EVERY {
            let text = format!("{good}{line}\n");
            let read = read::every_near("x", &text, read::Near::Nothing);
            let read = read.is_ok_and(|it| it.is_some());
            assert_eq!(read, holds && base, "the reader, of\n{text}");
            assert_eq!(
                schema_accepts(&text),
                holds && base,
                "the schema, of\n{text}"
            );
        }
    }
}

#[test]
fn every_object_of_the_schema_is_closed_and_every_default_is_that_of_the_reader() {
    fn objects(value: &Value, found: &mut usize) {
        if value["type"] == "object" && value.get("properties").is_some() {
            assert_eq!(value["additionalProperties"], false, "{value}");
            *found += 1;
        }
        match value {
            Value::Object(entries) => entries.values().for_each(|inner| objects(inner, found)),
            Value::Array(items) => items.iter().for_each(|inner| objects(inner, found)),
            _ => {}
        }
    }
    let schema = json_schema::instance();
    let mut found = 0;
    objects(&schema, &mut found);
    // The instance, a fault, the budget, `at_least`; bounded, wasted and weighted with what is around them.
    assert_eq!(found, 10);

    let mut spelled_out = GOOD.to_owned();
    let mut defaults = 0;
    for (key, property) in schema["properties"].as_object().expect("schemas") {
        if let Some(default) = property.get("default") {
            spelled_out.extend([key, ": ", &default.to_string(), "\n"]);
            defaults += 1;
        }
    }
    assert_eq!(defaults, 10, "{spelled_out}");
    assert_eq!(
        read::instance_text("x", &spelled_out),
        read::instance_text("x", GOOD)
    );
}

#[test]
fn sweep_files_satisfy_their_schema_and_broken_ones_do_not() {
    let schema = json_schema::sweep();
    let accepts = |text: &str| {
        let value: Value = serde_yaml::from_str(text).expect("plain YAML");
        valid(&schema, &schema, &value)
    };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../instances/sweep.yaml");
    assert!(accepts(
        &std::fs::read_to_string(path).expect("the shipped sweep")
    ));
    let good =
        "format: milp-sweep/2.0\nbase: {views: 1}\nover: {n: [4], \"a, b\": [[1, ~], [2, 3]]}\n";
    assert!(accepts(good));
    for (replace, by) in [
        ("2.0", "1.0"),
        ("{views: 1}", "3"),
        ("base: {views: 1}\n", ""),
        ("over:", "over: {}\nmore:"),
        ("[4]", "4"),
        ("[4]", "[]"),
        ("[4]", "[4, 4]"),
    ] {
        let text = good.replace(replace, by);
        assert_ne!(text, good);
        assert!(!accepts(&text), "the schema accepts\n{text}");
        let read = read::sweep_text("x", &text, std::path::Path::new(""));
        assert!(read.is_err(), "the reader accepts\n{text}");
    }
}

/// The folders below that hold a result.
fn results(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.join("outcome.yaml").is_file() {
            found.push(path);
        } else if path.is_dir() {
            results(&path, found);
        }
    }
}

/// Every kept result is as the schemas of its three files say, and with any key or any cell another
/// one they say that it is not.
#[test]
fn kept_results_are_as_their_schemas_say() {
    let (outcome, tables) = (
        json_schema::outcome(),
        [
            ("schedule.csv", json_schema::choices()),
            ("predictions.csv", json_schema::predictions()),
        ],
    );
    let mut dirs = Vec::new();
    results(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../results"),
        &mut dirs,
    );
    let mut rows = BTreeSet::new();
    for dir in dirs {
        let text = std::fs::read_to_string(dir.join("outcome.yaml")).expect("a file");
        let value: Value = serde_yaml::from_str(&text).expect("plain YAML");
        assert!(valid(&outcome, &outcome, &value), "{}", dir.display());
        for key in [
            "termination",
            "primal",
            "proved",
            "sentence",
            "faulty",
            "run",
        ] {
            let mut other = value.clone();
            other[key] = serde_json::json!({"none": [0.5]});
            assert!(!valid(&outcome, &outcome, &other), "{key}");
        }
        for (name, _) in &tables {
            if let Ok(text) = std::fs::read_to_string(dir.join(name)) {
                let header = text.lines().next().expect("a header").to_owned();
                rows.extend(
                    text.lines()
                        .skip(1)
                        .map(|row| (*name, header.clone(), row.to_owned())),
                );
            }
        }
    }
    assert!(rows.len() > 1000, "{}", rows.len());
    for (name, header, row) in rows {
        let (_, schema) = tables
            .iter()
            .find(|(known, _)| *known == name)
            .expect("a table");
        let filled = header
            .split(',')
            .zip(row.split(','))
            .filter(|(_, cell)| !cell.is_empty());
        let cells = filled.map(|(column, cell)| {
            let number = cell.parse::<u64>().map(Value::from);
            (column.to_owned(), number.unwrap_or_else(|_| cell.into()))
        });
        let row = Value::Object(cells.collect());
        assert!(valid(schema, schema, &row), "{name}: {row}");
        for key in row.as_object().expect("an object").keys() {
            let mut other = row.clone();
            other[key] = serde_json::json!(-1);
            assert!(!valid(schema, schema, &other), "{name}: {key} of {row}");
        }
    }
}
