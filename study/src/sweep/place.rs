//! The folder of a sweep.

use super::show::{CSV, HTML, SVG};
use crate::{Error, error::LIST, folder};
use milp_schema::write;
use std::path::{Path, PathBuf};

/// The folders in it.
pub(super) const FOLDERS: [&str; 3] = ["instances", "results", "ended"];

/// Makes sure that a sweep may go into `dir`: it is not there yet, empty, or of a sweep.
///
/// # Errors
///
/// When something else is there.
pub fn replaceable(dir: &Path) -> Result<(), Error> {
    if dir.exists() && !dir.is_dir() {
        let dir = dir.display();
        return Err(Error::Refused(format!(
            "{dir} is a file, expected a folder"
        )));
    }
    if !dir.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir).map_err(Error::io(LIST, dir))? {
        let name = entry.map_err(Error::io(LIST, dir))?.file_name();
        let name = name.to_string_lossy();
        if !is_ours(write::temporary_of(&name).unwrap_or(&name)) {
            return Err(Error::Refused(format!(
                "{} is not used: it holds {name}, which `milp sweep` does not write; give another \
                 --out",
                dir.display()
            )));
        }
    }
    Ok(())
}

/// Whether `milp sweep` writes something of that name into its folder.
pub(super) fn is_ours(name: &str) -> bool {
    [CSV, HTML, SVG].contains(&name) || FOLDERS.contains(&name)
}

/// Where a sweep goes by default: `out/` and its path below `instances/`.
///
/// # Errors
///
/// When the path has no file name.
pub fn place(file: &Path) -> Result<PathBuf, Error> {
    Ok(Path::new("out").join(folder::place(file)?))
}
