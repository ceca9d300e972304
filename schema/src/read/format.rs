//! The `format: milp-<kind>/<version>` line that starts every YAML file.

use super::{
    fields::Fields,
    problem::{Problems, quoted},
    tree::Value,
};

/// The version of every kind of file, written and read; no other is read.
pub(super) const VERSION: &str = "2.0";

/// The `format` value of a kind of file.
pub(crate) fn current(kind: &str) -> String {
    format!("milp-{kind}/{VERSION}")
}

/// Whether the rest of the mapping can be judged: its version is one this program knows, or it
/// names none and is taken for the current one (which is reported).
pub(crate) fn check(fields: &Fields, kind: &str, problems: &mut Problems) -> bool {
    let expected = current(kind);
    let Some(node) = fields.required("format", &format!("here `format: {expected}`"), problems)
    else {
        return true;
    };
    let Value::Scalar { text, .. } = &node.value else {
        let what = format!("`format` must be `{expected}`, not {}", node.described());
        problems.at(node.place, what, format!("write `format: {expected}`"));
        return true;
    };
    let (name, version) = text.split_once('/').unwrap_or((text, ""));
    if name != format!("milp-{kind}") {
        let what = format!("`format` must be `{expected}`, not {}", quoted(text));
        let hint = if name.starts_with("milp-") {
            format!("this is another kind of file; a file of kind `milp-{kind}` is read here")
        } else {
            format!("write `format: {expected}`")
        };
        problems.at(node.place, what, hint);
        return !name.starts_with("milp-");
    }
    if version == VERSION {
        return true;
    }
    let what = format!(
        "the file has format version {}, and this program reads {VERSION} only",
        quoted(version)
    );
    let hint =
        format!("write the file anew as `{expected}`, or use the version of milp it is from");
    problems.at(node.place, what, hint);
    false
}
