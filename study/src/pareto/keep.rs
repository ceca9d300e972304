//! The folder of a front: a result for each point, and the files about all of them.

use super::{CSV, Effort, Front, HTML, SVG};
use crate::{Error, error::LIST, folder};
use milp_schema::write;
use std::path::{Path, PathBuf};

/// Where the points of an instance go by default: `out/`, its place, and `-pareto-` with the
/// measure.
///
/// # Errors
///
/// When the path has no file name.
pub fn place(instance: &Path, effort: Effort) -> Result<PathBuf, Error> {
    let mut name = folder::place(instance)?.into_os_string();
    name.push(format!("-pareto-{effort}"));
    Ok(Path::new("out").join(name))
}

/// Whether it is the name of a point's folder.
fn is_point(name: &str) -> bool {
    let number = name.strip_prefix("effort-");
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether `milp pareto` writes something of that name.
fn is_ours(name: &str) -> bool {
    is_point(name) || [CSV, HTML, SVG].contains(&name)
}

/// The names of what lies in `dir`, ascending.
fn names(dir: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(Error::io(LIST, dir))? {
        let name = entry.map_err(Error::io(LIST, dir))?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Makes sure that points may go into `dir`: it is not there yet, empty, or holds earlier ones. To
/// be asked before a long solve.
///
/// # Errors
///
/// When something else is there.
pub fn replaceable(dir: &Path) -> Result<(), Error> {
    if !dir.exists() {
        return Ok(());
    }
    if !dir.is_dir() {
        let dir = dir.display();
        return Err(Error::Refused(format!(
            "{dir} is a file, expected a folder"
        )));
    }
    for name in names(dir)? {
        if is_point(&name) {
            folder::replaceable(&dir.join(&name))?;
        } else if !is_ours(write::temporary_of(&name).unwrap_or(&name)) {
            return Err(Error::Refused(format!(
                "{} is not replaced: it holds {name}, which `milp pareto` does not write; give \
                 another --out",
                dir.display()
            )));
        }
    }
    Ok(())
}

/// Writes the results of the points, then the files about them, then takes away the results of
/// earlier points: whoever reads a table finds every folder that it names.
///
/// # Errors
///
/// Whatever the file system reports.
pub fn write(front: &Front, dir: &Path) -> Result<(), Error> {
    replaceable(dir)?;
    write::remove_leftovers(dir, &is_ours);
    let folders = front.folders();
    for (name, files) in &folders {
        folder::write(&dir.join(name), files)?;
    }
    for (name, bytes) in front.files() {
        let path = dir.join(name);
        write::file(&path, &bytes).map_err(Error::io("write", &path))?;
    }
    for name in names(dir)? {
        if is_point(&name) && !folders.contains_key(&name) {
            let old = dir.join(name);
            std::fs::remove_dir_all(&old).map_err(Error::io("remove", &old))?;
        }
    }
    Ok(())
}
