//! Effects and states in the words of `docs/ENGINE-PROTOCOL.md`.

use super::{Bond, Effect, State, Timer, Vote, Working};
use milp_schema::{Value, View};
use std::fmt::{self, Display, Formatter};

/// Several things in brackets.
pub(crate) fn all<T: Display>(these: impl IntoIterator<Item = T>) -> String {
    let these = these.into_iter().map(|it| it.to_string());
    format!("[{}]", these.collect::<Vec<_>>().join(", "))
}

/// One thing, or `nothing`.
pub(crate) fn some<T: Display>(this: Option<T>) -> String {
    this.map_or_else(|| "nothing".to_owned(), |it| it.to_string())
}

/// The view that each replica was heard in.
pub(crate) fn seen(views: &[Option<View>]) -> String {
    let view = |view: &Option<View>| view.map_or_else(|| "null".to_owned(), |it| it.to_string());
    all(views.iter().map(view))
}

fn value(value: Option<Value>) -> String {
    value.map_or_else(String::new, |value| format!(" {value}"))
}

impl Display for Timer {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            height,
            view,
            deadline,
        } = self;
        write!(out, "{name} h{height} v{view} at {deadline} ns")
    }
}

impl Display for Vote {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            author, kind, view, ..
        } = self;
        write!(out, "{kind} v{view}{} of {author}", value(self.value))
    }
}

impl Display for Bond {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{} v{}{}", self.kind, self.view, value(self.value))
    }
}

impl Display for Effect {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send {
                replica,
                message,
                carried,
                ..
            } => {
                write!(out, "{replica} sends {message}")?;
                let mut carried = carried.iter();
                carried.try_for_each(|(author, message)| write!(out, ", {message} of {author}"))
            }
            Self::EnterView {
                replica,
                height,
                view,
            } => write!(out, "{replica} enters h{height} v{view}"),
            Self::Decide { replica, block } => write!(out, "{replica} decides {block}"),
            Self::Timer { replica, timers } => {
                write!(out, "the timers of {replica}: {}", all(timers))
            }
            Self::Fault { replica, text } => write!(out, "{replica} fails: {text}"),
        }
    }
}

impl Display for Working {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self { height, view, .. } = self;
        write!(
            out,
            "height {height}, view {view}, votes {}",
            all(&self.votes)
        )?;
        write!(
            out,
            ", entry {}, bonds {}",
            all(&self.entry),
            all(&self.bonds)
        )?;
        write!(
            out,
            ", seen {}, timers {}",
            seen(&self.seen),
            all(&self.timers)
        )
    }
}

impl Display for State {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down(height) => write!(out, "up false, height {height}"),
            Self::Stopped(height) => write!(out, "up true, stopped true, height {height}"),
            Self::Working(working) => write!(out, "up true, {working}"),
        }
    }
}
