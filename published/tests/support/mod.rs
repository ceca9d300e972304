//! What the tests of this crate share, with those of the study where they ask for the same.

#![allow(dead_code, reason = "every test file uses a part of it")]

#[path = "../../../study/tests/support/canonical.rs"]
pub(crate) mod canonical;
#[path = "../../../study/tests/support/rows.rs"]
pub(crate) mod rows;
#[path = "../../../study/tests/support/search.rs"]
pub(crate) mod search;

use milp_published::Question;
use std::path::{Path, PathBuf};

/// Where the shipped questions are.
pub(crate) fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("instances")
}

/// A shipped question.
pub(crate) fn shipped(name: &str) -> Question {
    let path = dir().join(name).with_extension("yaml");
    Question::read(&path).expect("a shipped question is valid")
}

/// The names of the shipped questions, ascending by file.
pub(crate) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(dir()).expect("the folder");
    let mut paths: Vec<PathBuf> = entries.map(|it| it.expect("an entry").path()).collect();
    paths.sort_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
    let stem = |path: PathBuf| {
        path.file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    paths.into_iter().map(stem).collect()
}
