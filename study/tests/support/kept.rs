//! The results that the repository keeps.

use milp_study::folder::OUTCOME;
use std::path::{Path, PathBuf};

/// The folder of them all.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../results")
}

/// The folder of each that is an outcome, ascending.
pub(crate) fn folders() -> Vec<PathBuf> {
    fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).expect("a folder of the repository") {
            let path = entry.expect("a readable entry").path();
            if path.join(OUTCOME).is_file() {
                found.push(path);
            } else if path.is_dir() {
                collect(&path, found);
            }
        }
    }
    let mut found = Vec::new();
    collect(&root(), &mut found);
    found.sort();
    assert!(found.len() > 30, "{}", found.len());
    found
}
