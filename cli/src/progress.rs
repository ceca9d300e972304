//! Signs of life on standard error: on a terminal one line that says the stage, what is known so far
//! in the goal's words and the time, and ticks; elsewhere a line for each stage.

use milp_schema::Instance;
use milp_solver::{Phase, Progress};
use milp_study::sentence;
use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use terminal_size::terminal_size_of;

/// Between two updates of the line on a terminal.
const TICK: Duration = Duration::from_millis(250);
/// In a log a stage is not said that is over sooner after the last one that was.
const SHORT: Duration = Duration::from_secs(5);
/// Letters of the line where the terminal does not say how many it has.
const USUAL: usize = 80;

/// Where progress goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// One line that is written over and over.
    Terminal,
    /// A plain line for each stage.
    Log,
    /// Nowhere.
    Quiet,
}

/// Says how far a command is.
#[derive(Debug)]
pub(crate) struct Printer {
    style: Style,
    /// The question, for its goal's words; without one something else is counted, say acts.
    about: Option<Instance>,
    /// Which part of the command it is.
    part: String,
    line: Arc<Mutex<Line>>,
    /// How many solves began, and the stage of the last one.
    solves: u32,
    stage: u32,
    /// The stage that was said last in a log, and when.
    said: (String, Instant),
}

/// The line on a terminal.
#[derive(Debug)]
struct Line {
    text: String,
    began: Instant,
    limit: Option<f64>,
    /// Its length, to be wiped.
    shown: usize,
    over: bool,
}

#[expect(clippy::disallowed_methods, reason = "progress says how long it takes")]
fn now() -> Instant {
    Instant::now()
}

impl Printer {
    /// Nothing said yet; `limit` is in seconds.
    pub(crate) fn new(quiet: bool, limit: Option<f64>) -> Self {
        let style = match (quiet, io::stderr().is_terminal()) {
            (true, _) => Style::Quiet,
            (false, true) => Style::Terminal,
            (false, false) => Style::Log,
        };
        let line = Arc::new(Mutex::new(Line {
            text: String::new(),
            began: now(),
            limit,
            shown: 0,
            over: false,
        }));
        if style == Style::Terminal {
            let line = Arc::clone(&line);
            thread::spawn(move || {
                while !locked(&line).tick() {
                    thread::sleep(TICK);
                }
            });
        }
        Self {
            style,
            about: None,
            part: String::new(),
            line,
            solves: 0,
            stage: u32::MAX,
            said: (String::new(), now()),
        }
    }

    /// What is asked from now on, and which part of the command that is.
    pub(crate) fn about(&mut self, instance: &Instance, part: &str) {
        self.about = Some(instance.clone());
        part.clone_into(&mut self.part);
        (self.solves, self.stage) = (0, u32::MAX);
        let mut line = locked(&self.line);
        line.began = now();
        "building the program".clone_into(&mut line.text);
    }

    /// Shows how far a solve is.
    pub(crate) fn show(&mut self, progress: &Progress) {
        let (stage, name) = match progress.phase {
            Phase::WarmStart => (1, "completing a start"),
            Phase::Relaxation => (2, "relaxation"),
            Phase::Search => (3, "search"),
            Phase::Proof => (4, "proof by a second search"),
        };
        if stage < self.stage {
            self.solves += 1;
        }
        self.stage = stage;
        let solve = match self.solves {
            0 | 1 => String::new(),
            more => format!("solve {more}, "),
        };
        let so_far = match &self.about {
            Some(instance) => sentence::so_far(instance, progress.incumbent, progress.bound),
            None => counted(progress),
        };
        let label = format!("{}{solve}{name} (stage {stage} of 4)", self.part);
        let known = match progress.nodes {
            0 => so_far,
            nodes => format!("{so_far}; {nodes} nodes"),
        };
        self.say(&label, &known);
    }

    /// Shows how far any command is: at which stage, and what is known.
    pub(crate) fn say(&mut self, stage: &str, known: &str) {
        let text = match known {
            "" => stage.to_owned(),
            known => format!("{stage}: {known}"),
        };
        match self.style {
            Style::Quiet => {}
            Style::Terminal => locked(&self.line).text = text,
            Style::Log => {
                let now = now();
                let (said, when) = &self.said;
                if said != stage && now - *when >= SHORT {
                    // A courtesy: a closed standard error must not end a solve.
                    let _ = writeln!(io::stderr().lock(), "{text}");
                    self.said = (stage.to_owned(), now);
                }
            }
        }
    }

    /// Wipes the line on a terminal, until something is said again.
    pub(crate) fn finish(&mut self) {
        let mut line = locked(&self.line);
        line.text.clear();
        line.wipe();
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.finish();
        locked(&self.line).over = true;
    }
}

/// What is known where it is not a goal that is sought.
fn counted(progress: &Progress) -> String {
    let found = match progress.incumbent {
        Some(number) => format!("{number} found"),
        None => "nothing found".to_owned(),
    };
    if progress.bound.is_finite() {
        format!("{found}, bound {:.0}", progress.bound)
    } else {
        format!("{found}, no bound")
    }
}

fn locked(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    /// Draws the line again; whether it is over.
    fn tick(&mut self) -> bool {
        if self.over || self.text.is_empty() {
            return self.over;
        }
        let width = terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
        let text = self.text(width.unwrap_or(USUAL).max(2) - 1, self.began.elapsed());
        let _ = write!(io::stderr().lock(), "\r{text:<width$}", width = self.shown);
        let _ = io::stderr().flush();
        self.shown = text.chars().count();
        false
    }

    /// The line: the time in front, which must be seen, and as much of the rest as there is room.
    fn text(&self, width: usize, elapsed: Duration) -> String {
        let time = match self.limit {
            Some(limit) => format!("{} of {limit} s", elapsed.as_secs()),
            None => format!("{} s", elapsed.as_secs()),
        };
        let text = format!("{time}, {}", self.text);
        text.chars().take(width).collect()
    }

    fn wipe(&mut self) {
        if self.shown > 0 {
            let _ = write!(io::stderr().lock(), "\r{:width$}\r", "", width = self.shown);
            self.shown = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_the_time_first_and_fits() {
        let line = Line {
            text: "search (stage 3 of 4): 2 blocks found, at most 3 possible".into(),
            began: now(),
            limit: Some(600.0),
            shown: 0,
            over: false,
        };
        let elapsed = Duration::from_millis(12_800);
        assert_eq!(
            line.text(200, elapsed),
            "12 of 600 s, search (stage 3 of 4): 2 blocks found, at most 3 possible"
        );
        assert_eq!(line.text(12, elapsed), "12 of 600 s,");
    }
}
