//! What the tests of the command share: a scratch folder, a small instance, a way to run.

#![allow(
    dead_code,
    reason = "each test file is a crate of its own and uses a part of this"
)]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Solved in well under a second: nobody is faulty, one view, one block.
pub(crate) const SMALL: &str = "\
format: milp-instance/2.0
protocol: dbft2
replicas: 4
faults: {kind: none}
heights: 1
views: 1
blocks_per_proposal: 1
slots: 6
network: eventual
timers: free
primary: rotation
goal: fork
formulation: auto
";

/// Takes long enough to be killed or interrupted on any machine.
pub(crate) const LARGE: &str = "\
format: milp-instance/2.0
protocol: dbft2
replicas: 7
faults: {kind: byzantine, count: 2}
heights: 1
views: 4
blocks_per_proposal: 2
slots: 24
network: eventual
timers: free
primary: rotation
goal: {weighted: {sense: maximize, blocks: 1000, views: -100, messages: 1}}
formulation: auto
";

/// A folder that is gone when the test ends, and the command run in it.
pub(crate) struct Scratch {
    dir: tempfile::TempDir,
}

impl Scratch {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// The path of something in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts a file into it, folders included.
    pub(crate) fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The text of a file in it.
    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in a folder of it, ascending; temporary names included.
    pub(crate) fn names(&self, dir: &str) -> Vec<String> {
        let mut names = std::fs::read_dir(self.path(dir))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>();
        names.sort();
        names
    }

    /// The command with these arguments, separated by spaces, not yet run.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_milp"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }
}

/// What a run left.
pub(crate) struct Ran {
    /// Exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl std::fmt::Debug for Ran {
    /// With the start of long output only: a failed test must stay readable.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start = |text: &str| text.chars().take(2000).collect::<String>();
        let (stdout, stderr) = (start(&self.stdout), start(&self.stderr));
        write!(
            out,
            "exit code {:?}\nstdout:\n{stdout}\nstderr:\n{stderr}",
            self.code
        )
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
