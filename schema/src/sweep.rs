//! Many instances at once: a base, and fields of it that take several values each.

use crate::read::tree::{Entry, Node, Value};
use std::path::PathBuf;

/// What is swept; build one with `read::sweep` from a file.
#[derive(Debug)]
pub struct Sweep {
    /// What changes, in the order of the file; the last one changes fastest.
    pub axes: Vec<Axis>,
    /// The instance file as a tree, before anything is changed.
    pub(crate) base: Node,
    /// Where it lies: protocol files are named relative to it.
    pub folder: PathBuf,
}

/// One entry of `over`: fields that change together.
#[derive(Debug)]
pub struct Axis {
    /// The fields as the file names them, say `n` or `network.bounded.delay_max`.
    pub fields: Vec<String>,
    /// The paths that these names stand for.
    pub(crate) paths: Vec<Vec<String>>,
    /// One value for each field, as often as the axis takes a step.
    pub(crate) steps: Vec<Vec<Node>>,
}

/// One instance of a sweep, not judged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    /// The value of each field of each axis, in order, as YAML on one line.
    pub values: Vec<String>,
    /// The text of the instance file.
    pub text: String,
}

impl Axis {
    /// The number of steps.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is no step, which no file that was read has.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The values of a step, one for each field, as YAML on one line.
    pub fn values(&self, step: usize) -> Vec<String> {
        self.steps[step].iter().map(flow).collect()
    }
}

impl Sweep {
    /// The names of all fields that change, in order.
    pub fn fields(&self) -> Vec<&str> {
        let names = self.axes.iter().flat_map(|axis| &axis.fields);
        names.map(String::as_str).collect()
    }

    /// The number of combinations.
    pub fn len(&self) -> usize {
        self.axes.iter().map(Axis::len).product()
    }

    /// Whether there is no combination, which no file that was read has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The step of every axis in combination number `at`.
    pub fn steps(&self, at: usize) -> Vec<usize> {
        let mut rest = at;
        let mut steps: Vec<usize> = self.axes.iter().rev().fold(Vec::new(), |mut steps, axis| {
            steps.push(rest % axis.len());
            rest /= axis.len();
            steps
        });
        steps.reverse();
        steps
    }

    /// Combination number `at`, from 0.
    pub fn combination(&self, at: usize) -> Combination {
        let mut tree = self.base.clone();
        let mut values = Vec::new();
        for (axis, step) in self.axes.iter().zip(self.steps(at)) {
            values.extend(axis.values(step));
            for (path, value) in axis.paths.iter().zip(&axis.steps[step]) {
                set(&mut tree, path, value);
            }
        }
        Combination {
            values,
            text: block(&tree),
        }
    }
}

/// Puts `value` at `path`; nothing (`~`) takes away what is there. What stands in the way of the
/// path, say `network: eventual`, gives way to a mapping.
fn set(tree: &mut Node, path: &[String], value: &Node) {
    let [key, below @ ..] = path else {
        *tree = value.clone();
        return;
    };
    if !matches!(tree.value, Value::Map(_)) {
        tree.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut tree.value else {
        return;
    };
    if below.is_empty() && value.is_null() {
        entries.retain(|entry| entry.key != *key);
        return;
    }
    let known = entries.iter().position(|entry| entry.key == *key);
    let at = known.unwrap_or_else(|| {
        entries.push(Entry {
            key: key.clone(),
            place: value.place,
            value: value.clone(),
        });
        entries.len() - 1
    });
    set(&mut entries[at].value, below, value);
}

/// A mapping with one line for each key.
pub(crate) fn block(tree: &Node) -> String {
    match &tree.value {
        Value::Map(entries) => {
            let lines = entries.iter();
            let lines =
                lines.map(|entry| format!("{}: {}", scalar(&entry.key, true), flow(&entry.value)));
            lines.collect::<Vec<_>>().join("\n") + "\n"
        }
        _ => flow(tree) + "\n",
    }
}

/// A value on one line.
fn flow(node: &Node) -> String {
    match &node.value {
        Value::Scalar { .. } if node.is_null() => "~".to_owned(),
        Value::Scalar { text, plain } => scalar(text, *plain),
        Value::List(nodes) => {
            let nodes = nodes.iter().map(flow).collect::<Vec<_>>();
            format!("[{}]", nodes.join(", "))
        }
        Value::Map(entries) => {
            let entries = entries
                .iter()
                .map(|entry| format!("{}: {}", scalar(&entry.key, true), flow(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Text as it was written, in quotes where it had some or needs some: no number, name or truth
/// value does.
fn scalar(text: &str, plain: bool) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+');
    if plain && !text.is_empty() && text.chars().all(harmless) && text != "-" {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let escape = format!("\\u{:04x}", c as u32);
                out += &escape;
            }
            c => out.push(c),
        }
    }
    out + "\""
}
