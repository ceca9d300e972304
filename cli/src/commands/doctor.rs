//! `milp doctor`: what building and running need, and whether it is here.

use crate::{document, exit, print};
use schemars::JsonSchema;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// How the library of the solver came into this program; `build.rs` knows.
const HIGHS_FROM: &str = env!("MILP_HIGHS_FROM");
/// The word of `build.rs` for a library that `scripts/highs.sh` fetched.
const FETCHED: &str = "fetched compiled";

/// One finding: what was looked for, and what was found or what to do.
type Finding = (&'static str, Result<String, String>);

/// What was looked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// Thing by thing.
    findings: Vec<Thing>,
}

/// One thing that building or running needs.
#[derive(Debug, Serialize, JsonSchema)]
struct Thing {
    /// Its name.
    name: String,
    /// Whether it is here.
    here: bool,
    /// What was found, or what to do.
    words: String,
}

pub(crate) fn run() -> u8 {
    let mut findings = vec![("Rust", rust())];
    if HIGHS_FROM == FETCHED {
        findings.push(("C compiler", first_version(&["cc"], "gcc")));
        findings.push(("pkg-config", first_version(&["pkg-config"], "pkg-config")));
    } else {
        findings.extend(compiling());
    }
    findings.extend([
        ("solver", highs()),
        ("threads", threads()),
        ("out/", writable(Path::new("out"))),
    ]);
    let thing = |(name, found): &Finding| Thing {
        name: (*name).to_owned(),
        here: found.is_ok(),
        words: found.as_ref().unwrap_or_else(|words| words).clone(),
    };
    document::result(&Found {
        findings: findings.iter().map(thing).collect(),
    });
    for (name, found) in &findings {
        let (mark, words) = match found {
            Ok(words) => ("ok     ", words),
            Err(words) => ("MISSING", words),
        };
        print::line(&format!("{mark}  {name:<13} {words}"));
    }
    code(&findings)
}

/// What compiling the solver from source needs.
fn compiling() -> [Finding; 4] {
    [
        (
            "C++ compiler",
            first_version(&["c++", "g++", "clang++"], "g++"),
        ),
        ("cmake", first_version(&["cmake"], "cmake")),
        (
            "ninja",
            first_version(&["ninja", "ninja-build"], "ninja-build"),
        ),
        ("libclang", libclang()),
    ]
}

fn code(findings: &[Finding]) -> u8 {
    if findings.iter().all(|(_, found)| found.is_ok()) {
        exit::DONE
    } else {
        exit::FAILURE
    }
}

/// Rust as new as the workspace asks for.
fn rust() -> Result<String, String> {
    let needed = env!("CARGO_PKG_RUST_VERSION");
    let Some(line) = version_of("rustc") else {
        return Err(format!(
            "no rustc found: install Rust {needed} or newer from https://rustup.rs"
        ));
    };
    let found = line.split_whitespace().nth(1).unwrap_or_default();
    if numbers(found) < numbers(needed) {
        return Err(format!(
            "{found} is too old, {needed} or newer is needed: rustup update"
        ));
    }
    Ok(format!("{found} ({needed} or newer is needed)"))
}

/// The numbers of a version, so that 1.100 is newer than 1.95.
fn numbers(version: &str) -> Vec<u32> {
    let plain = version.split('-').next().unwrap_or_default();
    plain
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect()
}

/// The first of several commands that is there.
fn first_version(commands: &[&str], package: &str) -> Result<String, String> {
    commands
        .iter()
        .find_map(|command| version_of(command))
        .ok_or_else(|| {
            format!(
                "none of {} found: install it, say apt-get install {package}",
                commands.join(", ")
            )
        })
}

/// The first line that `command --version` prints.
fn version_of(command: &str) -> Option<String> {
    let output = Command::new(command).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output
        .status
        .success()
        .then(|| text.lines().next().unwrap_or_default().to_owned())
}

/// The library that the solver's bindings are made with.
fn libclang() -> Result<String, String> {
    if let Some(path) = std::env::var_os("LIBCLANG_PATH") {
        return Ok(format!("LIBCLANG_PATH={}", path.to_string_lossy()));
    }
    let mut folders = vec![
        PathBuf::from("/usr/lib"),
        PathBuf::from("/usr/lib64"),
        PathBuf::from("/usr/local/lib"),
        PathBuf::from("/opt/homebrew/opt/llvm/lib"),
        PathBuf::from("/Library/Developer/CommandLineTools/usr/lib"),
    ];
    for entry in entries(Path::new("/usr/lib")) {
        folders.push(entry.join("lib"));
        folders.push(entry);
    }
    let is_libclang = |path: &PathBuf| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let stem = name.split(".so").next().unwrap_or_default();
        let stem = stem.strip_suffix(".dylib").unwrap_or(stem);
        name != stem
            && (stem == "libclang"
                || stem
                    .strip_prefix("libclang-")
                    .is_some_and(starts_with_digit))
    };
    let mut found = folders
        .iter()
        .flat_map(|folder| entries(folder))
        .filter(is_libclang)
        .collect::<Vec<_>>();
    found.sort();
    match found.first() {
        Some(path) => Ok(path.display().to_string()),
        None => Err(
            "not found: install it, say apt-get install libclang-dev, or set \
                     LIBCLANG_PATH to its folder"
                .to_owned(),
        ),
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

/// What a folder holds; nothing where it is not there.
fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default()
}

/// The solver, by solving something.
fn highs() -> Result<String, String> {
    let versions = milp_study::solve::probe().map_err(|error| error.to_string())?;
    let words = versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"));
    let words = words.collect::<Vec<_>>().join(", ");
    Ok(format!("solves; {words}; {HIGHS_FROM}"))
}

fn threads() -> Result<String, String> {
    match std::thread::available_parallelism() {
        Ok(count) => Ok(format!(
            "{count} for use; results are reproducible with --threads 1"
        )),
        Err(error) => Err(format!(
            "the system does not say how many there are: {error}"
        )),
    }
}

/// Whether a result can be written: by writing one.
fn writable(dir: &Path) -> Result<String, String> {
    let existed = dir.exists();
    let probe = dir.join(format!(".doctor-{}", std::process::id()));
    let tried = std::fs::create_dir_all(&probe).and_then(|()| std::fs::remove_dir(&probe));
    if !existed {
        // Best effort: an empty folder left behind harms nobody.
        let _ = std::fs::remove_dir(dir);
    }
    match tried {
        Ok(()) => Ok("results can be written here".to_owned()),
        Err(error) => Err(format!("cannot be written in this folder: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(numbers("1.100.0") > numbers("1.90"));
        assert!(numbers("1.95.0-nightly") > numbers("1.90"));
        assert!(numbers("1.89.9") < numbers("1.90"));
    }

    #[test]
    fn one_missing_thing_fails_the_whole() {
        assert_eq!(code(&[("a", Ok(String::new()))]), exit::DONE);
        assert_eq!(
            code(&[("a", Ok(String::new())), ("b", Err(String::new()))]),
            exit::FAILURE
        );
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said() {
        let file = std::env::current_exe().unwrap();
        assert!(writable(&file).is_err());
        assert!(writable(&std::env::temp_dir()).is_ok());
    }
}
