//! Typed access to the keys of a mapping; whatever does not fit is reported with its place.

use super::{
    problem::{Place, Problems, did_you_mean, one_of, quoted},
    tree::{Entry, Node, Value},
};
use std::ops::RangeInclusive;

/// A mapping whose keys are all known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    place: Place,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// The mapping `node` with any of the keys `known`; `what` names it in messages.
    pub(crate) fn of(
        node: &'a Node,
        what: &str,
        known: &[&str],
        problems: &mut Problems,
    ) -> Option<Self> {
        let fields = Self::any(node, what, problems)?;
        for entry in fields.entries {
            if problems.enough() {
                break;
            }
            if !known.contains(&entry.key.as_str()) {
                let what = format!("unknown key {} of {what}", quoted(&entry.key));
                problems.at(entry.place, what, did_you_mean(&entry.key, known));
            }
        }
        Some(fields)
    }

    /// The mapping `node`, whatever its keys.
    pub(crate) fn any(node: &'a Node, what: &str, problems: &mut Problems) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            let what = format!("{what} must be a mapping, not {}", node.described());
            problems.at(node.place, what, "give it as `key: value`");
            return None;
        };
        Some(Self {
            place: node.place,
            entries,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Where to point for a problem of `key`: its value, or the mapping when it is left out.
    pub(crate) fn place(&self, key: &str) -> Place {
        self.get(key).map_or(self.place, |node| node.place)
    }

    /// The value of a key that must be there.
    pub(crate) fn required(
        &self,
        key: &str,
        expected: &str,
        problems: &mut Problems,
    ) -> Option<&'a Node> {
        let node = self.get(key);
        if node.is_none() {
            let hint = format!("add `{key}: …`, {expected}");
            problems.at(self.place, format!("the key `{key}` is missing"), hint);
        }
        node
    }

    /// A whole number within `range`; the key is required when there is no `default`.
    pub(crate) fn number(
        &self,
        key: &str,
        range: RangeInclusive<i64>,
        default: Option<i64>,
        problems: &mut Problems,
    ) -> Option<i64> {
        match (self.get(key), default) {
            (Some(node), _) => number(node, key, range, problems),
            (None, Some(default)) => Some(default),
            (None, None) => {
                self.required(key, &whole_number(&range), problems)?;
                None
            }
        }
    }

    /// [`Self::number`] for ranges within `u32`.
    pub(crate) fn count(
        &self,
        key: &str,
        range: RangeInclusive<u32>,
        default: Option<u32>,
        problems: &mut Problems,
    ) -> Option<u32> {
        let range = i64::from(*range.start())..=i64::from(*range.end());
        let number = self.number(key, range, default.map(i64::from), problems)?;
        u32::try_from(number).ok()
    }

    /// One of the `names`; the key is required when there is no `default`.
    pub(crate) fn choice<T: Copy>(
        &self,
        key: &str,
        names: &[(&str, T)],
        default: Option<T>,
        problems: &mut Problems,
    ) -> Option<T> {
        match (self.get(key), default) {
            (Some(node), _) => choice(node, key, names, problems),
            (None, Some(default)) => Some(default),
            (None, None) => {
                let known: Vec<&str> = names.iter().map(|&(name, _)| name).collect();
                self.required(key, &one_of(&known), problems)?;
                None
            }
        }
    }

    /// True or false; the key is required when there is no `default`.
    pub(crate) fn boolean(
        &self,
        key: &str,
        default: Option<bool>,
        problems: &mut Problems,
    ) -> Option<bool> {
        self.choice(key, &[("true", true), ("false", false)], default, problems)
    }

    /// Any text; the key is required.
    pub(crate) fn text(&self, key: &str, problems: &mut Problems) -> Option<&'a str> {
        text(self.required(key, "a text", problems)?, key, problems)
    }
}

/// The text of a scalar, whether or not it looks like something else.
pub(crate) fn text<'a>(node: &'a Node, key: &str, problems: &mut Problems) -> Option<&'a str> {
    match &node.value {
        Value::Scalar { text, .. } if !node.is_null() => Some(text),
        _ => {
            let what = format!("`{key}` must be a text, not {}", node.described());
            problems.at(node.place, what, format!("write `{key}: \"…\"`"));
            None
        }
    }
}

/// A whole number within `range`.
pub(crate) fn number(
    node: &Node,
    key: &str,
    range: RangeInclusive<i64>,
    problems: &mut Problems,
) -> Option<i64> {
    let expected = whole_number(&range);
    let mut refuse = |hint: &str| {
        let what = format!("`{key}` must be {expected}, not {}", node.described());
        problems.at(node.place, what, hint);
        None
    };
    let Value::Scalar { text, plain } = &node.value else {
        return refuse("give one number");
    };
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return refuse("write decimal digits only");
    }
    if !plain {
        return refuse("remove the quotes");
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return refuse("remove the leading zeros; some readers take them for octal");
    }
    match text.parse::<i64>() {
        Ok(value) if range.contains(&value) => Some(value),
        Ok(value) if value < *range.start() => {
            refuse(&format!("raise it to {} or more", range.start()))
        }
        _ => refuse(&format!("lower it to {} or less", range.end())),
    }
}

/// One of the `names`.
pub(crate) fn choice<T: Copy>(
    node: &Node,
    key: &str,
    names: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    let known: Vec<&str> = names.iter().map(|&(name, _)| name).collect();
    if let Value::Scalar { text, .. } = &node.value {
        if let Some(&(_, value)) = names.iter().find(|&(name, _)| name == text) {
            return Some(value);
        }
        let what = format!(
            "`{key}` must be {}, not {}",
            one_of(&known),
            node.described()
        );
        problems.at(node.place, what, did_you_mean(text, &known));
    } else {
        let what = format!(
            "`{key}` must be {}, not {}",
            one_of(&known),
            node.described()
        );
        problems.at(node.place, what, format!("write `{key}: {}`", known[0]));
    }
    None
}

fn whole_number(range: &RangeInclusive<i64>) -> String {
    match (*range.start(), *range.end()) {
        (i64::MIN, i64::MAX) => "a whole number".to_owned(),
        (start, i64::MAX) => format!("a whole number of at least {start}"),
        (start, end) => format!("a whole number from {start} to {end}"),
    }
}
