//! The `format: milp-<kind>/<major>.<minor>` line that starts every YAML file.

use super::{
    fields::Fields,
    problem::{Problems, quoted},
    tree::Value,
};

/// The version this program writes, of every kind of file.
pub(crate) const MAJOR: u32 = 1;
/// See [`MAJOR`]; older minors are read too.
pub(crate) fn minor(kind: &str) -> u32 {
    match kind {
        // 1.1: `faults`; in expected.yaml also replays on engines behind adapters; in outcome.yaml
        // `program`, `certificate_sha256` and the certificate `cubes`; in an instance nothing that
        // is still there; in cuts.yaml what the engine does is allowed, not a cut, and `later` and
        // `history`.
        // 1.2: `divergences` may be null; in a verdict `impossible` and `unapplied`, in expected.yaml
        // `impossible`.
        "verdict" | "expected" => 2,
        "cuts" | "outcome" | "instance" => 1,
        _ => 0,
    }
}

/// The `format` value this program writes for a kind of file.
pub(crate) fn current(kind: &str) -> String {
    format!("milp-{kind}/{MAJOR}.{}", minor(kind))
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
    let parts = version
        .split_once('.')
        .map(|(major, minor)| (major.parse(), minor.parse()));
    let Some((Ok(major), Ok(minor))): Option<(Result<u32, _>, Result<u32, _>)> = parts else {
        let what = format!("`format` must be `{expected}`, not {}", quoted(text));
        problems.at(
            node.place,
            what,
            "the version is two numbers, `<major>.<minor>`",
        );
        return true;
    };
    let newest = self::minor(kind);
    if major == MAJOR && (0..=newest).contains(&minor) {
        return true;
    }
    let age = if (major, minor) > (MAJOR, newest) {
        "newer"
    } else {
        "older"
    };
    let what = format!(
        "the file has format version {major}.{minor}, {age} than this program reads \
         ({MAJOR}.0 to {MAJOR}.{newest})"
    );
    let hint = if age == "newer" {
        "use a newer version of milp for this file".to_owned()
    } else {
        format!("rewrite the file as `{expected}`")
    };
    problems.at(node.place, what, hint);
    false
}
