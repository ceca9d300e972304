//! How an adapter is started, and where the known ones are.

use super::EngineError;
use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program: a path, or a name to look for on `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl CommandLine {
    /// A command line from text: words separated by white space, no quotes. `None` without a word.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace().map(OsString::from);
        Some(Self {
            program: words.next()?,
            arguments: words.collect(),
        })
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.program.to_string_lossy())?;
        for argument in &self.arguments {
            write!(out, " {}", argument.to_string_lossy())?;
        }
        Ok(())
    }
}

/// The command of the adapter of that name, say `nspcc-dbft`: what the environment variable
/// `MILP_ENGINE_NSPCC_DBFT` says, or what `scripts/engines.sh` built.
///
/// # Errors
/// [`EngineError::Adapter`] if there is none, with what to do.
pub fn find(name: &str) -> Result<CommandLine, EngineError> {
    let variable = format!("MILP_ENGINE_{}", name.replace('-', "_").to_uppercase());
    let set = std::env::var(&variable).ok();
    let executable = std::env::current_exe().unwrap_or_default();
    look(name, &variable, set.as_deref(), &executable)
}

/// [`find`], with what it asks the system for.
fn look(
    name: &str,
    variable: &str,
    set: Option<&str>,
    executable: &Path,
) -> Result<CommandLine, EngineError> {
    if let Some(command) = set.and_then(CommandLine::parse) {
        return Ok(command);
    }
    match places(name, executable)
        .into_iter()
        .find(|path| path.is_file())
    {
        Some(path) => Ok(CommandLine {
            program: path.into(),
            arguments: Vec::new(),
        }),
        None => Err(EngineError::Adapter {
            command: name.to_owned(),
            what: format!(
                "was not found: run scripts/engines.sh, or set {variable} to its command line"
            ),
        }),
    }
}

/// Where an adapter may be: `engines/NAME` beside the executable (an installation), beside its
/// folder (`target/debug/milp`) or one above (tests, `target/debug/deps`).
fn places(name: &str, executable: &Path) -> Vec<PathBuf> {
    let folders = executable.ancestors().skip(1).take(3);
    folders
        .map(|folder| folder.join("engines").join(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(set: Option<&str>, executable: &Path) -> Result<String, String> {
        look("nspcc-dbft", "MILP_ENGINE_NSPCC_DBFT", set, executable)
            .map(|command| command.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_variable_comes_first_then_the_folders_beside_the_executable() {
        let root = std::env::temp_dir().join(format!("milp-find-{}", std::process::id()));
        let target = root.join("target");
        std::fs::create_dir_all(target.join("engines")).unwrap();
        let adapter = target.join("engines/nspcc-dbft");
        let executable = target.join("debug/milp");
        let nothing = found(None, &executable).unwrap_err();
        assert!(nothing.contains("scripts/engines.sh"), "{nothing}");
        assert!(nothing.contains("MILP_ENGINE_NSPCC_DBFT"), "{nothing}");
        std::fs::write(&adapter, "").unwrap();
        let path = adapter.to_string_lossy().into_owned();
        for place in ["debug/milp", "milp", "debug/deps/tests"] {
            assert_eq!(
                found(None, &target.join(place)),
                Ok(path.clone()),
                "{place}"
            );
        }
        assert_eq!(found(Some(" "), &executable), Ok(path));
        assert_eq!(
            found(Some("  my adapter "), &executable).unwrap(),
            "my adapter"
        );
        std::fs::remove_dir_all(root).unwrap();
    }
}
