//! A child process that is asked for one line at a time.

use crate::engine::{CommandLine, EngineError};
use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{
            Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel,
        },
    },
    thread,
    time::Duration,
};

/// The longest line an adapter may write, in bytes.
const MAX_LINE: usize = 16 << 20;
/// How many of the last lines of standard error are shown.
const TAIL_LINES: usize = 5;
/// How much of a line is shown, in characters.
const SHOWN: usize = 200;
/// How long a child may take to end after it closed its output, and its last words to arrive.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often it is looked at in this time.
const LOOK: Duration = Duration::from_millis(5);

/// What the reader found on standard output.
enum Found {
    Line(String),
    TooLong,
    NoText,
    End,
}

/// The child with both ends of its pipes. It does not outlive this value.
#[derive(Debug)]
pub(crate) struct Pipe {
    command: String,
    child: Child,
    /// To the thread that writes requests; standard input is closed with it.
    requests: Option<Sender<String>>,
    found: Receiver<Found>,
    tail: Tail,
    limit: Duration,
}

impl Pipe {
    /// Starts the child; each answer may take as long as `limit`.
    pub(crate) fn open(command: &CommandLine, limit: Duration) -> Result<Self, EngineError> {
        let mut builder = Command::new(&command.program);
        builder
            .args(&command.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        own_group(&mut builder);
        let failed = |what: String| EngineError::Adapter {
            command: command.to_string(),
            what,
        };
        let mut child = builder
            .spawn()
            .map_err(|error| failed(format!("cannot be started: {error}")))?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            unreachable!("all three were asked for");
        };
        // A full channel stops the reader, so a flood of lines fills a pipe and no memory.
        let (sender, found) = sync_channel(1);
        thread::spawn(move || read_lines(stdout, &sender));
        // A child that does not read must not stop the caller, whose limit is on the answer.
        let (requests, receiver) = channel();
        thread::spawn(move || write_lines(stdin, &receiver));
        Ok(Self {
            command: command.to_string(),
            child,
            requests: Some(requests),
            found,
            tail: Tail::follow(stderr),
            limit,
        })
    }

    /// Sends a line and gives the one that answers it.
    pub(crate) fn ask(&mut self, line: &str) -> Result<String, EngineError> {
        match self.found.try_recv() {
            Ok(Found::Line(text)) => {
                return Err(self.fault(format!("wrote `{}` without being asked", start(&text))));
            }
            Ok(found) => return self.judge(found),
            Err(TryRecvError::Disconnected) => return self.judge(Found::End),
            Err(TryRecvError::Empty) => {}
        }
        if let Some(requests) = &self.requests {
            // A writer that is gone found the child gone, and so will the reader.
            let _ = requests.send(line.to_owned());
        }
        match self.found.recv_timeout(self.limit) {
            Ok(found) => self.judge(found),
            Err(RecvTimeoutError::Disconnected) => self.judge(Found::End),
            Err(RecvTimeoutError::Timeout) => {
                let limit = self.limit.as_millis();
                Err(self.fault(format!("did not answer within {limit} ms")))
            }
        }
    }

    /// Closes the child's standard input and gives how it ended, if it ends.
    pub(crate) fn close(&mut self) -> Result<ExitStatus, EngineError> {
        self.requests = None;
        match self.farewell() {
            Some(status) => Ok(status),
            None => Err(self.fault("does not end".to_owned())),
        }
    }

    /// An error about this child.
    pub(crate) fn fault(&self, what: String) -> EngineError {
        EngineError::Adapter {
            command: self.command.clone(),
            what,
        }
    }

    fn judge(&mut self, found: Found) -> Result<String, EngineError> {
        let what = match found {
            Found::Line(text) => return Ok(text),
            Found::TooLong => format!("wrote a line of more than {MAX_LINE} bytes"),
            Found::NoText => "wrote a line that is not UTF-8".to_owned(),
            Found::End => self.last_words(),
        };
        Err(self.fault(what))
    }

    /// How the child ended, with the end of its standard error.
    fn last_words(&mut self) -> String {
        let how = match self.farewell() {
            Some(status) => match status.code() {
                Some(code) => format!("ended with exit code {code}"),
                None => format!("ended: {status}"),
            },
            None => "closed its standard output".to_owned(),
        };
        let lines = self.tail.lines();
        if lines.is_empty() {
            return format!("{how} and said nothing on standard error");
        }
        format!(
            "{how}; the end of its standard error:\n  {}",
            lines.join("\n  ")
        )
    }

    /// Waits for the child to end by itself, not for ever.
    fn farewell(&mut self) -> Option<ExitStatus> {
        for _ in 0..FAREWELL.as_millis() / LOOK.as_millis() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(LOOK);
        }
        None
    }
}

impl Drop for Pipe {
    /// Ends the child with everything it started, and waits so that no zombie is left.
    fn drop(&mut self) {
        self.requests = None;
        end_group(&self.child);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A wrapper around an adapter has children of its own; a group is ended as a whole.
#[cfg(unix)]
fn own_group(builder: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    builder.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

/// Ends what is left of the group, even if its first member is gone. The number of a group is not
/// given away again while it has members or its first member was not waited for.
#[cfg(unix)]
fn end_group(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = Pid::from_raw(child.id() as i32) {
        // Nobody left to end is what is hoped for.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn end_group(_: &Child) {}

fn write_lines(mut stdin: ChildStdin, requests: &Receiver<String>) {
    for line in requests {
        if writeln!(stdin, "{line}")
            .and_then(|()| stdin.flush())
            .is_err()
        {
            return;
        }
    }
}

/// The start of a text, for an error.
pub(crate) fn start(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn read_lines(stdout: ChildStdout, sender: &SyncSender<Found>) {
    let mut reader = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut reader).take(MAX_LINE as u64 + 1);
        let read = bounded.read_until(b'\n', &mut line);
        let found = match read {
            Err(_) | Ok(0) => Found::End,
            Ok(_) if line.last() == Some(&b'\n') => {
                line.pop();
                String::from_utf8(line).map_or(Found::NoText, Found::Line)
            }
            Ok(length) if length > MAX_LINE => Found::TooLong,
            // What was left unfinished is no answer.
            Ok(_) => Found::End,
        };
        let last = !matches!(found, Found::Line(_));
        if sender.send(found).is_err() || last {
            return;
        }
    }
}

/// The last lines a child wrote to standard error.
#[derive(Debug)]
struct Tail {
    lines: Arc<Mutex<VecDeque<String>>>,
    /// Closed when standard error is.
    open: Receiver<()>,
}

impl Tail {
    fn follow(stderr: ChildStderr) -> Self {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let (keep, open) = sync_channel(0);
        let shared = Arc::clone(&lines);
        thread::spawn(move || {
            let _keep = keep;
            follow(stderr, &shared);
        });
        Self { lines, open }
    }

    /// The lines, when standard error is closed or after a while.
    fn lines(&self) -> Vec<String> {
        let _ = self.open.recv_timeout(FAREWELL);
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }
}

fn follow(stderr: ChildStderr, lines: &Mutex<VecDeque<String>>) {
    let mut reader = BufReader::new(stderr);
    loop {
        let mut line = Vec::new();
        // A line without an end is shown in parts rather than kept whole.
        let mut bounded = (&mut reader).take(1 << 16);
        if !matches!(bounded.read_until(b'\n', &mut line), Ok(length) if length > 0) {
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == TAIL_LINES {
            lines.pop_front();
        }
        lines.push_back(start(text.trim_end()));
    }
}
