//! Signs of life of a solve on standard error.

use milp_solver::{Phase, Progress};
use std::io::{self, IsTerminal, Write};

/// Seconds between two lines where standard error is no terminal.
const SECONDS_BETWEEN_LINES: f64 = 5.0;
/// Seconds between two updates of the line on a terminal.
const SECONDS_BETWEEN_UPDATES: f64 = 0.1;

/// Where progress goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// One line that is written over and over.
    Terminal,
    /// A plain line every few seconds.
    Lines,
    /// Nowhere.
    Quiet,
}

/// Prints progress; the solver's own clock says when.
#[derive(Debug)]
pub(crate) struct Printer {
    style: Style,
    last_seconds: f64,
    /// Length of the line on the terminal, to be wiped.
    shown: usize,
}

impl Printer {
    pub(crate) fn new(quiet: bool) -> Self {
        let style = match (quiet, io::stderr().is_terminal()) {
            (true, _) => Style::Quiet,
            (false, true) => Style::Terminal,
            (false, false) => Style::Lines,
        };
        Self {
            style,
            last_seconds: 0.0,
            shown: 0,
        }
    }

    /// Shows a sign of life, unless the last one is recent.
    pub(crate) fn show(&mut self, progress: &Progress) {
        self.say(progress.seconds, || words(progress));
    }

    /// The same of any command that takes its time.
    pub(crate) fn say(&mut self, seconds: f64, text: impl FnOnce() -> String) {
        let pause = match self.style {
            Style::Quiet => return,
            Style::Terminal => SECONDS_BETWEEN_UPDATES,
            Style::Lines => SECONDS_BETWEEN_LINES,
        };
        // A second solve of the same command starts its clock again.
        let elapsed = seconds - self.last_seconds;
        if (0.0..pause).contains(&elapsed) {
            return;
        }
        self.last_seconds = seconds;
        let text = text();
        let mut stderr = io::stderr().lock();
        // Progress is a courtesy: a closed standard error must not end a solve.
        let _ = match self.style {
            Style::Terminal => write!(stderr, "\r{text:<width$}", width = self.shown),
            Style::Lines | Style::Quiet => writeln!(stderr, "{text}"),
        };
        let _ = stderr.flush();
        self.shown = text.len();
    }

    /// Wipes the line on a terminal.
    pub(crate) fn finish(&mut self) {
        if self.style == Style::Terminal && self.shown > 0 {
            let _ = write!(io::stderr().lock(), "\r{:width$}\r", "", width = self.shown);
            self.shown = 0;
        }
    }
}

/// One line: phase, incumbent, bound, gap, nodes, elapsed.
fn words(progress: &Progress) -> String {
    let phase = match progress.phase {
        Phase::WarmStart => "warm start",
        Phase::Relaxation => "relaxation",
        Phase::Search => "search",
        Phase::Proof => "proof",
    };
    let incumbent = progress
        .incumbent
        .map_or_else(|| "none".to_owned(), |value| value.to_string());
    let bound = if progress.bound.is_finite() {
        format!("{:.3}", progress.bound)
    } else {
        "none".to_owned()
    };
    let gap = progress
        .gap
        .map_or_else(|| "none".to_owned(), |gap| format!("{:.1} %", gap * 100.0));
    format!(
        "{phase}: incumbent {incumbent}, bound {bound}, gap {gap}, {} nodes, {:.1} s",
        progress.nodes, progress.seconds
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_progress_says_what_is_known_and_what_is_not() {
        let start = Progress {
            phase: Phase::Search,
            incumbent: None,
            bound: f64::INFINITY,
            gap: None,
            nodes: 0,
            seconds: 0.04,
        };
        assert_eq!(
            words(&start),
            "search: incumbent none, bound none, gap none, 0 nodes, 0.0 s"
        );
        let later = Progress {
            incumbent: Some(1),
            bound: 1.5,
            gap: Some(0.5),
            nodes: 12,
            seconds: 3.21,
            ..start
        };
        assert_eq!(
            words(&later),
            "search: incumbent 1, bound 1.500, gap 50.0 %, 12 nodes, 3.2 s"
        );
    }
}
