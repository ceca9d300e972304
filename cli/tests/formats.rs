//! The pages of file formats say what is read and written: every key and every column with its
//! meaning, and examples that are read, written again and replayed.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use milp_schema::{json_schema, read, write};
use serde_json::Value;
use std::collections::BTreeSet;
use support::{Scratch, root};

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The code blocks of one language, in their order.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("```{language}\n");
    let rest = page.split(start.as_str()).skip(1);
    rest.map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The cells of the rows of every table whose first column has that title.
fn rows<'a>(page: &'a str, title: &str) -> Vec<Vec<&'a str>> {
    let start = format!("| {title} | means |");
    let tables = page.split("\n\n").filter(|part| part.starts_with(&start));
    let rows = tables.flat_map(|table| table.lines().skip(2));
    let cells = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect());
    cells.collect()
}

/// The names in the first column of these tables.
fn names(page: &str, title: &str) -> Vec<String> {
    let rows = rows(page, title);
    rows.iter()
        .map(|cells| cells[0].trim_matches('`').to_owned())
        .collect()
}

/// What is between backticks.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The part of a page from that heading to the next one.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// Every key of an instance by its path, with what the JSON Schema says of it.
fn keys(schema: &Value) -> Vec<(String, &Value)> {
    let network = "/$defs/Network/oneOf/2/properties/bounded/properties";
    let good = "/$defs/Goal/oneOf/6/properties/wasted/properties";
    let weights = "/$defs/Goal/oneOf/7/properties/weighted/properties";
    [
        ("", "/properties"),
        ("faults.", "/$defs/Fault/properties"),
        ("network.bounded.", network),
        ("goal.wasted.", good),
        ("goal.weighted.", weights),
        ("budget.", "/$defs/Budget/properties"),
    ]
    .into_iter()
    .flat_map(|(before, pointer)| {
        let keys = schema.pointer(pointer).unwrap().as_object().unwrap();
        keys.iter()
            .map(move |(key, says)| (format!("{before}{key}"), says))
    })
    .collect()
}

#[test]
fn the_page_of_instances_has_every_key_with_its_range_and_default() {
    let page = page("INSTANCE.md");
    let schema = json_schema::instance();
    let keys = keys(&schema);
    let expected: BTreeSet<String> = keys.iter().map(|(key, _)| key.clone()).collect();
    let found: BTreeSet<String> = names(&page, "key").into_iter().collect();
    assert_eq!(found, expected);
    for cells in rows(&page, "key") {
        let [key, _, default, values, _] = cells[..] else {
            panic!("{cells:?}");
        };
        let (_, says) = keys
            .iter()
            .find(|(name, _)| *name == key.trim_matches('`'))
            .unwrap();
        if let (Some(least), Some(most)) = (says.get("minimum"), says.get("maximum")) {
            assert_eq!(values, format!("{least} to {most}"), "{key}");
        }
        match says.get("default") {
            Some(Value::Object(_) | Value::Null) | None => {}
            Some(Value::String(text)) => assert_eq!(default, format!("`{text}`"), "{key}"),
            Some(other) => assert_eq!(default, format!("`{other}`"), "{key}"),
        }
        let required = &schema["required"];
        let named = |it: &&Value| key == format!("`{}`", it.as_str().unwrap());
        let needed = required.as_array().unwrap().iter().any(|it| named(&it));
        assert!(!needed || default == "required", "{key}");
    }
}

#[test]
fn the_examples_of_the_page_of_instances_are_read_and_what_is_not_answered_is_refused() {
    let page = page("INSTANCE.md");
    let [whole] = blocks(&page, "yaml")[..] else {
        panic!("one example of a whole file");
    };
    read::instance_text("INSTANCE.md", whole).unwrap();
    let with = |lines: &[&str]| {
        let keys: Vec<&str> = lines
            .iter()
            .map(|line| line.split_once(':').unwrap().0)
            .collect();
        let kept = whole
            .lines()
            .filter(|line| !keys.iter().any(|key| line.starts_with(&format!("{key}:"))));
        let lines = kept.chain(lines.iter().copied());
        read::instance_text(
            "INSTANCE.md",
            &(lines.collect::<Vec<_>>().join("\n") + "\n"),
        )
    };
    let refused = |lines: &[&str]| {
        let error = with(lines).unwrap_err();
        let [problem] = &error.problems[..] else {
            panic!("{error}");
        };
        assert!(
            problem.what.starts_with("no formulation answers `"),
            "{error}"
        );
    };
    for cells in rows(&page, "key") {
        let example = code(cells[4]);
        let own = cells[0].trim_matches('`').split('.').next().unwrap();
        let about = |line: &&&str| line.starts_with(&format!("{own}:"));
        assert!(example.iter().any(|line| about(&line)), "{cells:?}");
        if cells[3] == "not answered yet" {
            refused(&example);
        } else if let Err(error) = with(&example) {
            panic!("{cells:?}: {error}");
        }
    }
    let later = section(&page, "What the format has and nothing answers yet");
    let values: Vec<&str> = code(later)
        .into_iter()
        .filter(|code| code.contains(": "))
        .collect();
    assert_eq!(values.len(), 3, "{values:?}");
    for value in &values {
        refused(&[value]);
    }
}

#[test]
fn the_page_of_schedules_has_every_column_and_its_examples_are_written_as_they_stand() {
    let page = page("SCHEDULE.md");
    let instance = blocks(&page, "yaml")[0];
    let protocol = read::instance_text("SCHEDULE.md", instance)
        .unwrap()
        .protocol;
    let mut acts = BTreeSet::new();
    for block in blocks(&page, "csv") {
        let header = block.lines().next().unwrap();
        let kind = header.split(',').nth(1).unwrap();
        let file = if kind == "choice" {
            "schedule"
        } else {
            "predictions"
        };
        let again = if kind == "choice" {
            write::choices_csv(&read::choices_text(protocol, file, block).unwrap())
        } else {
            write::predictions_csv(&read::predictions_text(protocol, file, block).unwrap())
        };
        assert_eq!(again, block);
        let section = section(&page, &format!("`{file}.csv`"));
        assert_eq!(names(section, "column").join(","), header);
        let rows = block.lines().skip(1);
        acts.extend(rows.map(|row| row.split(',').nth(1).unwrap().to_owned()));
    }
    let described = names(&page, "`choice`")
        .into_iter()
        .chain(names(&page, "`event`"));
    assert_eq!(acts, described.collect());
}

#[test]
fn the_example_of_the_page_of_schedules_replays_to_the_lines_that_it_shows() {
    let page = page("SCHEDULE.md");
    let scratch = Scratch::new();
    scratch.put("small.yaml", blocks(&page, "yaml")[0]);
    let tables = blocks(&page, "csv");
    scratch.put("by-hand/schedule.csv", tables[0]);
    scratch.put("by-hand/predictions.csv", tables[1]);
    let ran = scratch.run("replay by-hand --instance small.yaml");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("divergences  0"), "{ran:?}");
    let trace = scratch.text("by-hand/trace.dbft2-paper.ndjson");
    let mut lines = trace.lines();
    for shown in blocks(&page, "json")[0].lines() {
        assert!(
            lines.any(|line| line == shown),
            "{shown} is not in\n{trace}"
        );
    }
    let section = section(&page, "`trace.ndjson`");
    let fields: BTreeSet<String> = names(section, "field").into_iter().collect();
    let whats: BTreeSet<String> = names(section, "`what`").into_iter().collect();
    for line in trace.lines().skip(1) {
        let event: Value = serde_json::from_str(line).unwrap();
        for field in event.as_object().unwrap().keys() {
            assert!(fields.contains(field), "{field}");
        }
        assert!(whats.contains(event["what"].as_str().unwrap()), "{line}");
    }
}

/// What `milp schema` prints of files, and where it is kept.
const FILES: [&str; 6] = [
    "instance",
    "outcome-file",
    "predictions-file",
    "protocol-file",
    "schedule-file",
    "sweep-file",
];

fn kept(path: &str, printed: &str) {
    let path = root().join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, printed).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept == printed, "{}: UPDATE=1", path.display());
}

/// Editors and other tools take them from the repository; `UPDATE=1` writes them.
#[test]
fn the_schemas_of_files_and_their_pages_lie_in_the_repository() {
    let scratch = Scratch::new();
    for of in FILES {
        let printed = scratch.run(&format!("schema --of {of}")).stdout;
        kept(&format!("schema/json/{of}.json"), &printed);
        let page = scratch.run(&format!("schema --of {of} --markdown")).stdout;
        kept(&format!("docs/reference/{of}.md"), &page);
        let schema: Value = serde_json::from_str(&printed).unwrap();
        for key in every_key(&schema) {
            let says = format!("| `{key}` |");
            let way = format!("| `{key}: …` |");
            assert!(page.contains(&says) || page.contains(&way), "{of}: {key}");
        }
        // Nothing is left to guess.
        let row = page.lines().find(|line| line.ends_with("|  |"));
        assert_eq!(row, None, "{of}");
    }
    let refused = scratch.run("schema --of solve --markdown");
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

/// The names of all keys, wherever they stand.
fn every_key(schema: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, value) in properties.into_iter().flatten() {
        keys.insert(key.clone());
        keys.extend(every_key(value));
    }
    let inner = ["$defs", "items", "additionalProperties", "oneOf", "anyOf"];
    for inner in inner.iter().filter_map(|inner| schema.get(inner)) {
        match inner {
            Value::Object(defs) => keys.extend(defs.values().flat_map(every_key)),
            Value::Array(all) => keys.extend(all.iter().flat_map(every_key)),
            _ => {}
        }
        keys.extend(every_key(inner));
    }
    keys
}
