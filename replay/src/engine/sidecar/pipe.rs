//! A child process that is asked for one line at a time.

use super::{group::Group, patience::Patience, text::shown};
use crate::engine::{CommandLine, EngineError};
use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read, Write},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
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

/// How long the outputs of who was killed may take to close in any case.
const GONE: Duration = Duration::from_millis(300);
/// What is left of an adapter may hold its pipes open.
const LEFT: &str = "; something that it started holds its output and could not be ended";

/// The child with both ends of its pipes. Neither it nor its group outlives this value or this
/// process.
#[derive(Debug)]
pub(crate) struct Pipe {
    command: String,
    child: Child,
    group: Group,
    /// To the thread that writes requests; standard input is closed with it.
    requests: Option<Sender<String>>,
    found: Receiver<Found>,
    /// Whether what it still says is of no use any more.
    deaf: Arc<AtomicBool>,
    tail: Tail,
    patience: Patience,
    answered: bool,
    /// Once it was ended: whether something held its output then.
    left: Option<bool>,
}

impl Pipe {
    /// Starts the child.
    pub(crate) fn open(command: &CommandLine, patience: Patience) -> Result<Self, EngineError> {
        let mut builder = Command::new(&command.program);
        builder
            .args(&command.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let failed = |what: String| EngineError::Adapter {
            command: command.to_string(),
            what,
        };
        if patience.left().is_zero() {
            let what = "is not started again: it kept its caller waiting for too long";
            return Err(failed(what.to_owned()));
        }
        let mut group = Group::open()
            .map_err(|error| failed(format!("cannot be started without /bin/sh: {error}")))?;
        let mut child = group.start(&mut builder).map_err(|error| {
            group.end();
            failed(format!("cannot be started: {error}"))
        })?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            unreachable!("all three were asked for");
        };
        // A full channel stops the reader, so a flood of lines fills a pipe and no memory.
        let (sender, found) = sync_channel(1);
        let deaf = Arc::new(AtomicBool::new(false));
        let ear = Arc::clone(&deaf);
        thread::spawn(move || read_lines(stdout, &sender, &ear));
        // A child that does not read must not stop the caller, whose limit is on the answer.
        let (requests, receiver) = channel();
        thread::spawn(move || write_lines(stdin, &receiver));
        Ok(Self {
            command: command.to_string(),
            child,
            group,
            requests: Some(requests),
            found,
            deaf,
            tail: Tail::follow(stderr),
            patience,
            answered: false,
            left: None,
        })
    }

    /// Sends a line and gives the one that answers it.
    pub(crate) fn ask(&mut self, line: &str) -> Result<String, EngineError> {
        match self.found.try_recv() {
            Ok(Found::Line(text)) => {
                return Err(self.fault(format!("wrote `{}` without being asked", shown(&text))));
            }
            Ok(found) => return self.judge(found),
            Err(TryRecvError::Disconnected) => return self.judge(Found::End),
            Err(TryRecvError::Empty) => {}
        }
        if let Some(requests) = &self.requests {
            // A writer that is gone found the child gone, and so will the reader.
            let _ = requests.send(line.to_owned());
        }
        let limit = self.patience.limit();
        let (most, found) = self.patience.wait(limit, |most| {
            let found = self.found.recv_timeout(most);
            (most, found)
        });
        match found {
            Ok(found) => {
                if matches!(found, Found::Line(_)) {
                    self.patience.grant(!self.answered, line.len());
                    self.answered = true;
                }
                self.judge(found)
            }
            Err(RecvTimeoutError::Disconnected) => self.judge(Found::End),
            Err(RecvTimeoutError::Timeout) => {
                let limit = limit.as_millis();
                Err(self.fault(if most.as_millis() < limit {
                    format!(
                        "is too slow: it kept its caller waiting for more than {limit} ms in all"
                    )
                } else {
                    format!("did not answer within {limit} ms")
                }))
            }
        }
    }

    /// Closes the child's standard input and gives how it ended, if it ends and leaves nothing.
    pub(crate) fn close(&mut self) -> Result<ExitStatus, EngineError> {
        self.requests = None;
        let Some(status) = self.farewell() else {
            return Err(self.fault("does not end".to_owned()));
        };
        match self.end() {
            None => Ok(status),
            Some(left) => Err(self.fault(format!("ended{left}"))),
        }
    }

    /// Ends the child with everything it started; what to add to a sentence about it if something
    /// is left that holds its output.
    pub(crate) fn end(&mut self) -> Option<&'static str> {
        if self.left.is_none() {
            self.requests = None;
            self.deaf.store(true, Ordering::Relaxed);
            self.group.end();
            // It may have left the group.
            let _ = self.child.kill();
            let _ = self.child.wait();
            let closed = (self.patience).wait(FAREWELL, |most| self.silent(most.max(GONE)));
            self.left = Some(!closed);
        }
        self.left.filter(|left| *left).map(|_| LEFT)
    }

    /// Whether both outputs are closed, or are so after a while.
    fn silent(&self, most: Duration) -> bool {
        // The reader may have two lines to get rid of before it is deaf.
        let mut rest = most;
        while !matches!(
            self.found.recv_timeout(LOOK),
            Err(RecvTimeoutError::Disconnected)
        ) {
            if rest.is_zero() {
                return false;
            }
            rest = rest.saturating_sub(LOOK);
        }
        self.tail.is_closed(rest)
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
        let lines = self.patience.wait(FAREWELL, |most| self.tail.lines(most));
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
        let child = &mut self.child;
        self.patience.wait(FAREWELL, |most| {
            for _ in 0..most.as_millis() / LOOK.as_millis() {
                if let Ok(Some(status)) = child.try_wait() {
                    return Some(status);
                }
                thread::sleep(LOOK);
            }
            None
        })
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Who is asked no more has nobody to tell what is left.
        let _ = self.end();
    }
}

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

fn read_lines(stdout: ChildStdout, sender: &SyncSender<Found>, deaf: &AtomicBool) {
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
        if deaf.load(Ordering::Relaxed) {
            // To the end: it says that nobody holds the output any more.
            let _ = io::copy(&mut reader, &mut io::sink());
            return;
        }
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

    /// Whether standard error is closed, or is so after a while.
    fn is_closed(&self, most: Duration) -> bool {
        matches!(
            self.open.recv_timeout(most),
            Err(RecvTimeoutError::Disconnected)
        )
    }

    /// The lines, when standard error is closed or after a while.
    fn lines(&self, most: Duration) -> Vec<String> {
        let _ = self.is_closed(most);
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
        lines.push_back(shown(text.trim_end()));
    }
}
