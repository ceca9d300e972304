//! One solve in a process of its own.

use super::{
    request::Request,
    row::{Row, State},
};
use crate::{Error, folder::OUTCOME};
use milp_schema::read;
use milp_solver::Settings;
use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
    process::{ChildStdin, Command, ExitStatus, Stdio},
    time::Duration,
};

/// How often children are looked at.
pub(super) const LOOK: Duration = Duration::from_millis(10);

/// Under this name in its environment a solve takes the end of its standard input for an
/// interrupt. A parent that ends in whatever way closes it, so no solve outlives a sweep for long.
pub const STOP_WITH_STDIN: &str = "MILP_STOP_WITH_STDIN";

/// The most of a child's last words that a row repeats, in bytes.
const WORDS: u64 = 4096;

/// A child at work.
#[derive(Debug)]
pub(crate) struct Child {
    /// Which row it solves.
    pub(crate) row: usize,
    folder: String,
    process: std::process::Child,
    /// Closed to stop the child.
    stdin: Option<ChildStdin>,
    /// What it says on standard error.
    said: File,
}

/// The limits as arguments of `milp solve`.
pub fn limits(settings: &Settings) -> Vec<String> {
    let mut limits = vec![
        format!("--time-limit={}", settings.time_limit_seconds),
        format!("--gap={}", settings.relative_gap),
        format!("--threads={}", settings.threads),
        format!("--seed={}", settings.seed),
    ];
    if !settings.prove {
        limits.push("--no-prove".to_owned());
    }
    limits
}

impl Child {
    pub(crate) fn start(request: &Request<'_>, at: usize, row: &Row) -> Result<Self, Error> {
        let said = tempfile::tempfile().map_err(Error::io("make", "a temporary file"))?;
        let copy = said
            .try_clone()
            .map_err(Error::io("make", "a temporary file"))?;
        let mut process = Command::new(request.program)
            .arg("solve")
            .arg(request.out.join(row.instance_file()))
            .arg("--out")
            .arg(request.out.join(row.folder()))
            .args(limits(request.settings))
            .args(["--no-adequacy", "--quiet"])
            .env(STOP_WITH_STDIN, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(copy)
            .spawn()
            .map_err(Error::io("start", request.program))?;
        Ok(Self {
            row: at,
            folder: row.folder(),
            stdin: process.stdin.take(),
            process,
            said,
        })
    }

    /// Asks the child to end; it keeps incumbent and bound.
    pub(crate) fn stop(&mut self) {
        self.stdin = None;
    }

    /// What became of the row, if the child has ended.
    pub(crate) fn ended(&mut self, out: &Path) -> Result<Option<State>, Error> {
        let status = self.process.try_wait();
        let status = status.map_err(Error::io("wait for", "a solve"))?;
        Ok(status.map(|status| self.state(status, out)))
    }

    fn state(&mut self, status: ExitStatus, out: &Path) -> State {
        let words = self.last_words();
        let with_words = |how: String| match words.as_str() {
            "" => how,
            words => format!("{how}: {words}"),
        };
        match status.code() {
            // Proved, not proved, infeasible, undecided: docs of the command line.
            Some(code @ (0 | 10 | 11 | 13 | 130)) => {
                match read::outcome(&out.join(&self.folder).join(OUTCOME)) {
                    Ok(outcome) if code == 130 => State::Interrupted(Box::new(outcome)),
                    Ok(outcome) => State::Solved(Box::new(outcome)),
                    // The interrupt came before there was anything to keep.
                    Err(_) if code == 130 => State::Missing,
                    Err(error) => {
                        let line = error.to_string().replace('\n', " ");
                        State::Failed(format!("exit code {code} without an outcome: {line}"))
                    }
                }
            }
            Some(2) => State::Invalid(words),
            Some(code) => State::Failed(with_words(format!("exit code {code}"))),
            None => State::Failed(with_words(killed(status))),
        }
    }

    /// The end of what the child said, on one line.
    fn last_words(&mut self) -> String {
        let length = self.said.metadata().map_or(0, |meta| meta.len());
        let from = SeekFrom::Start(length.saturating_sub(WORDS));
        let mut bytes = Vec::new();
        // Words that cannot be read are no reason to lose the row.
        let _ = self
            .said
            .seek(from)
            .and_then(|_| self.said.read_to_end(&mut bytes));
        let text = String::from_utf8_lossy(&bytes);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        words.strip_prefix("milp: ").unwrap_or(&words).to_owned()
    }
}

impl Drop for Child {
    /// A sweep that fails leaves no child behind.
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// How a child ended that has no exit code.
#[cfg(unix)]
fn killed(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;

    match status.signal() {
        Some(9) => "killed by signal 9, as the system does when memory runs out".to_owned(),
        Some(signal) => format!("killed by signal {signal}"),
        None => status.to_string(),
    }
}

/// How a child ended that has no exit code.
#[cfg(not(unix))]
fn killed(status: ExitStatus) -> String {
    status.to_string()
}
