//! Sweep files: a base, and the values that fields of it take.

use super::{
    fields::Fields,
    format, instance,
    problem::{Place, Problems, Quote, YAML_BYTES, did_you_mean, quoted, text_of},
    tree::{self, Entry, Node, Value},
};
use crate::sweep::{Axis, Sweep};
use std::{collections::BTreeMap, path::Path};

/// More combinations than this are a mistyped file.
const MOST: usize = 10_000;

/// Short names of fields that everybody sweeps.
const SHORT: [(&str, &str); 5] = [
    ("n", "replicas"),
    ("f", "faults.count"),
    ("delay_min", "network.bounded.delay_min"),
    ("delay_max", "network.bounded.delay_max"),
    ("gst", "network.bounded.gst"),
];

/// Fields inside of other fields.
const NESTED: [&str; 15] = [
    "faults.kind",
    "faults.count",
    "faults.replicas",
    "network.bounded",
    "network.bounded.delay_min",
    "network.bounded.delay_max",
    "network.bounded.gst",
    "goal.weighted",
    "goal.weighted.sense",
    "goal.weighted.blocks",
    "goal.weighted.views",
    "goal.weighted.messages",
    "budget.late",
    "budget.timeouts",
    "budget.injects",
];

/// The sweep in `node`; a base that is a path is relative to `folder`.
pub(crate) fn convert(node: &Node, folder: &Path, problems: &mut Problems) -> Option<Sweep> {
    let keys = ["format", "base", "over"];
    let fields = Fields::of(node, "a sweep", &keys, problems)?;
    if !format::check(&fields, "sweep", problems) {
        return None;
    }
    let expected = "the path of an instance, or an instance";
    let base = fields.required("base", expected, problems);
    let file = base.and_then(|node| match &node.value {
        Value::Scalar { text, .. } if !node.is_null() => Some(folder.join(text)),
        _ => None,
    });
    let base = base.and_then(|node| self::base(node, file.as_deref(), problems));
    let expected = "fields with a list of values each, say `over: {n: [4, 7]}`";
    let over = fields.required("over", expected, problems);
    let axes = over.and_then(|node| axes(node, problems));
    Some(Sweep {
        axes: axes?,
        base: base?,
        folder: file.map_or_else(
            || folder.to_owned(),
            |file| super::folder_of(&file).to_owned(),
        ),
    })
}

/// The instance that is changed: written here, or in a file of its own.
fn base(node: &Node, file: Option<&Path>, problems: &mut Problems) -> Option<Node> {
    let path = match (&node.value, file) {
        (Value::Map(_), _) => return Some(node.clone()),
        (_, Some(file)) => file,
        _ => {
            let what = format!(
                "`base` must be the path of an instance or an instance, not {}",
                node.described()
            );
            problems.at(node.place, what, "write `base: n4.yaml`, say");
            return None;
        }
    };
    let mut tree = None;
    match text_of(path, YAML_BYTES) {
        Ok((file, text)) => {
            let mut inner = Problems::new(&file);
            tree = tree::parse(&text, &mut inner);
            let quote = |line, column| Quote::of(&text, line, column);
            if let Err(error) = inner.finish(tree.as_ref().map(|_| ()), &quote) {
                problems.also(error);
                return None;
            }
        }
        Err(error) => {
            for problem in error.problems {
                let what = format!("`base`: {}: {}", problem.file, problem.what);
                let hint = "give the path as seen from the folder of this file";
                problems.at(node.place, what, hint);
            }
        }
    }
    tree
}

/// Every entry of `over`.
fn axes(node: &Node, problems: &mut Problems) -> Option<Vec<Axis>> {
    let fields = Fields::any(node, "`over`", problems)?;
    let Value::Map(entries) = &node.value else {
        return None;
    };
    if fields.is_empty() {
        let what = "`over` names no field, so there is nothing to sweep";
        problems.at(node.place, what, "write `over: {n: [4, 7]}`, say");
        return None;
    }
    let mut seen = BTreeMap::new();
    // Every entry is judged even if an earlier one is wrong.
    let axes: Vec<Option<Axis>> = entries
        .iter()
        .map(|entry| axis(entry, &mut seen, problems))
        .collect();
    let axes = axes.into_iter().collect::<Option<Vec<_>>>()?;
    let all = axes
        .iter()
        .try_fold(1_usize, |all, axis| all.checked_mul(axis.steps.len()));
    if all.is_none_or(|all| all > MOST) {
        let what = format!("`over` has more than {MOST} combinations");
        problems.at(node.place, what, "take values away, or make several sweeps");
        return None;
    }
    Some(axes)
}

/// The paths of the fields seen so far, and where they are named.
type Seen = BTreeMap<String, Place>;

fn axis(entry: &Entry, seen: &mut Seen, problems: &mut Problems) -> Option<Axis> {
    let fields: Vec<String> = entry
        .key
        .split(',')
        .map(|it| it.trim().to_owned())
        .collect();
    let paths: Vec<Option<String>> = fields
        .iter()
        .map(|name| path(name, entry.place, seen, problems))
        .collect();
    let steps = steps(entry, fields.len(), problems);
    let paths = paths.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Axis {
        fields,
        paths: paths
            .iter()
            .map(|path| path.split('.').map(str::to_owned).collect())
            .collect(),
        steps: steps?,
    })
}

/// The path that a name stands for, unless it is no field or overlaps with another one.
fn path(name: &str, place: Place, seen: &mut Seen, problems: &mut Problems) -> Option<String> {
    let long = SHORT.iter().find(|(short, _)| *short == name);
    let path = long.map_or(name, |(_, long)| *long);
    let known = instance::KEYS.iter().skip(1).chain(&NESTED);
    if !known.clone().any(|known| *known == path) {
        let known = SHORT.iter().map(|(short, _)| short).chain(known);
        let known: Vec<&str> = known.copied().collect();
        let what = format!("{} is no field of an instance", quoted(name));
        problems.at(place, what, did_you_mean(name, &known));
        return None;
    }
    let inside = |outer: &str, inner: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let other = seen
        .iter()
        .find(|(other, _)| inside(other, path) || inside(path, other));
    if let Some((other, earlier)) = other {
        let what = format!("{} changes what `{other}` changes already", quoted(name));
        let hint = format!("it is named in line {}; keep one", earlier.line);
        problems.at(place, what, hint);
        return None;
    }
    seen.insert(path.to_owned(), place);
    Some(path.to_owned())
}

/// The values; where several fields change together, a list of lists.
fn steps(entry: &Entry, fields: usize, problems: &mut Problems) -> Option<Vec<Vec<Node>>> {
    let name = quoted(&entry.key);
    let Value::List(nodes) = &entry.value.value else {
        let what = format!(
            "the values of {name} must be a list, not {}",
            entry.value.described()
        );
        let hint = "write them as `[…, …]`";
        problems.at(entry.value.place, what, hint);
        return None;
    };
    if nodes.is_empty() {
        let what = format!("{name} has no values");
        problems.at(entry.value.place, what, "give one or more, or remove it");
        return None;
    }
    let mut steps: Vec<Vec<Node>> = Vec::new();
    let mut good = true;
    for node in nodes {
        let step = match &node.value {
            _ if fields == 1 => vec![node.clone()],
            Value::List(values) if values.len() == fields => values.clone(),
            _ => {
                let what = format!(
                    "{name} has {fields} fields, so a list of {fields} values is expected, not {}",
                    match &node.value {
                        Value::List(values) => format!("one of {}", values.len()),
                        _ => node.described(),
                    }
                );
                problems.at(node.place, what, "write one value for each field");
                good = false;
                continue;
            }
        };
        let twice = |other: &Vec<Node>| other.iter().zip(&step).all(|(a, b)| a.same(b));
        if let Some(earlier) = steps.iter().find(|other| twice(other)) {
            let place = earlier.first().map_or(node.place, |node| node.place);
            let hint = format!("it stands at {}:{} already", place.line, place.column);
            problems.at(node.place, "this value is in the list twice", hint);
            good = false;
        }
        steps.push(step);
    }
    good.then_some(steps)
}
