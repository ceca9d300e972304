//! Pages of reference, made of the JSON Schemas of files: every key with what it takes and says.

use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt::Write as _};

/// The page of a file whose schema this is, in Markdown.
///
/// The keys of the file come first, in tables; keys of what stands in a key follow under its path.
pub fn markdown(file: &str, schema: &Value) -> String {
    let mut page = Page {
        root: schema,
        text: format!("# Reference: `{file}`\n\n"),
        later: Vec::new(),
    };
    page.paragraph(schema);
    let _ = writeln!(
        page.text,
        "Made by `milp schema --markdown` from the schema that editors read.\n"
    );
    page.object("", schema);
    while !page.later.is_empty() {
        for (path, schema) in std::mem::take(&mut page.later) {
            let _ = writeln!(page.text, "## `{path}`\n");
            page.paragraph(schema);
            page.choices(&path, schema);
            page.object(&path, schema);
        }
    }
    page.text.truncate(page.text.trim_end().len());
    page.text + "\n"
}

/// A page in the making.
struct Page<'a> {
    root: &'a Value,
    text: String,
    /// What is described further below, by its path.
    later: Vec<(String, &'a Value)>,
}

impl<'a> Page<'a> {
    fn paragraph(&mut self, schema: &Value) {
        if let Some(says) = says(schema) {
            let _ = writeln!(self.text, "{says}\n");
        }
    }

    /// The table of an object's keys.
    fn object(&mut self, path: &str, schema: &'a Value) {
        let schema = self.meant(schema);
        let Some(keys) = schema["properties"].as_object() else {
            return;
        };
        let needed = schema["required"].as_array();
        let needed = |key: &str| needed.is_some_and(|all| all.iter().any(|it| it == key));
        self.text += "| key | takes | default | says |\n|---|---|---|---|\n";
        for (key, value) in keys {
            let path = joined(path, key);
            let takes = self.takes(&path, value);
            let default = match (value.get("default"), needed(key)) {
                (Some(default), _) => format!("`{default}`").replace('"', ""),
                (None, true) => "required".to_owned(),
                (None, false) => String::new(),
            };
            let says = says(value).or_else(|| says(self.meant(value)));
            let says = says.unwrap_or_default();
            let _ = writeln!(self.text, "| `{key}` | {takes} | {default} | {says} |");
        }
        self.text.push('\n');
    }

    /// The table of the values that a key takes, where each has a meaning.
    fn choices(&mut self, path: &str, schema: &'a Value) {
        let schema = self.meant(schema);
        let mut rows = Vec::new();
        for way in ways(schema) {
            let way = self.meant(way);
            let meaning = says(way).unwrap_or_default();
            if let Some(word) = way.get("const") {
                rows.push(format!("| `{}` | {meaning} |", plain(word)));
            } else if let Some(keys) = way["properties"].as_object() {
                // One key names the alternative; more are a mapping that may stand there.
                if keys.len() > 1 {
                    self.object(path, way);
                    continue;
                }
                for (key, value) in keys {
                    let inner = joined(path, key);
                    if self.meant(value)["properties"].is_object() {
                        self.later.push((inner.clone(), value));
                    }
                    rows.push(format!("| `{key}: …` | {meaning} |"));
                }
            }
        }
        if !rows.is_empty() {
            let _ = writeln!(
                self.text,
                "| value | says |\n|---|---|\n{}\n",
                rows.join("\n")
            );
        }
    }

    /// What a key takes, in few words; what needs more is described further below.
    fn takes(&mut self, path: &str, schema: &'a Value) -> String {
        if schema
            .get("not")
            .is_some_and(|not| not == &Value::Object(Map::new()))
        {
            return "nothing yet".to_owned();
        }
        if let Some(items) = schema.get("items") {
            return format!("a list of: {}", self.takes(path, items));
        }
        if schema.get("$ref").is_none()
            && let Some(ways) = schema.get("anyOf").and_then(Value::as_array)
        {
            let ways: Vec<String> = ways.iter().map(|it| self.takes(path, it)).collect();
            return ways.join("; or ");
        }
        let meant = self.meant(schema);
        let described = ways(meant).iter().any(|way| says(way).is_some());
        if described || meant["properties"].is_object() {
            if !self.later.iter().any(|(known, _)| known == path) {
                self.later.push((path.to_owned(), schema));
            }
            return format!("see [{path}](#{})", anchor(path));
        }
        if let Some(inner) = meant
            .get("additionalProperties")
            .filter(|it| it.is_object())
        {
            let inner = self.takes(&joined(path, "…"), inner);
            return format!("a mapping to: {inner}");
        }
        plainly(meant)
    }

    /// What a reference means.
    fn meant(&self, schema: &'a Value) -> &'a Value {
        let name = schema["$ref"].as_str();
        let pointer = name.and_then(|name| name.strip_prefix('#'));
        pointer.map_or(schema, |pointer| {
            self.root.pointer(pointer).unwrap_or(schema)
        })
    }
}

/// What the values of a simple schema are.
fn plainly(schema: &Value) -> String {
    if let Some(word) = schema.get("const") {
        return format!("`{}`", plain(word));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let words: Vec<String> = words.iter().map(|it| format!("`{}`", plain(it))).collect();
        return words.join(", ");
    }
    if let Some(pattern) = schema.get("pattern") {
        return format!("text like `{}`", plain(pattern)).replace('|', "\\|");
    }
    let types: BTreeMap<&str, &str> = BTreeMap::from([
        ("string", "text"),
        ("integer", "a whole number"),
        ("number", "a number"),
        ("boolean", "`true`, `false`"),
        ("array", "a list"),
        ("object", "a mapping"),
        ("null", "`null`"),
    ]);
    let named = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return "anything".to_owned(),
    };
    let named: Vec<&str> = named
        .iter()
        .filter_map(|it| types.get(it).copied())
        .collect();
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("{least} or more"),
        _ => named.join(" or "),
    }
}

/// The alternatives that a schema lists.
fn ways(schema: &Value) -> &[Value] {
    let ways = schema.get("oneOf").or_else(|| schema.get("anyOf"));
    ways.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn says(schema: &Value) -> Option<String> {
    let says = schema.get("description")?.as_str()?;
    Some(says.replace('\n', " ").replace('|', "\\|"))
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn joined(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}

/// What the heading of a path is called in links.
fn anchor(path: &str) -> String {
    let kept = path
        .chars()
        .filter(|it| it.is_alphanumeric() || "_-".contains(*it));
    kept.collect::<String>().to_lowercase()
}
