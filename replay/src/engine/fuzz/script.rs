//! A script: everything that was done to the engines, in words.

use crate::engine::{Nanos, Recovery, Start};
use milp_schema::{Height, Message, ReplicaId, View};
use std::fmt;

/// A message by what it says: the `nth` of its author with that label, counted from 0.
///
/// Numbers of messages would not survive when earlier acts are taken out of a script.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Who sent it.
    pub author: ReplicaId,
    /// What it says.
    pub message: Message,
    /// How many of the same came before.
    pub nth: usize,
}

/// One act on both engines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The clock moves forward by so much.
    Advance(Nanos),
    /// A message is handed over; skipped if nobody sent it or its receiver must not have it yet.
    Deliver {
        /// Its receiver.
        to: ReplicaId,
        /// Which.
        named: Named,
    },
    /// A timer fires.
    Timeout {
        /// Whose.
        at: ReplicaId,
        /// For which height.
        height: Height,
        /// For which view.
        view: View,
    },
    /// A Byzantine replica makes a message.
    Inject {
        /// Who.
        by: ReplicaId,
        /// What it says.
        message: Message,
    },
    /// A replica crashes.
    Crash(ReplicaId),
    /// A crashed replica starts again.
    Restart(ReplicaId),
}

impl fmt::Display for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} of {}", self.message, self.author)?;
        if self.nth > 0 {
            write!(out, " (number {})", self.nth)?;
        }
        Ok(())
    }
}

impl fmt::Display for Act {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Advance(by) => write!(out, "advance by {by}"),
            Self::Deliver { to, named } => write!(out, "deliver to {to}: {named}"),
            Self::Timeout { at, height, view } => write!(out, "timeout at {at}: h{height} v{view}"),
            Self::Inject { by, message } => write!(out, "inject by {by}: {message}"),
            Self::Crash(who) => write!(out, "crash {who}"),
            Self::Restart(who) => write!(out, "restart {who}"),
        }
    }
}

/// The acts of one run and how it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// How it began.
    pub start: Start,
    /// What followed.
    pub acts: Vec<Act>,
}

impl fmt::Display for Script {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Start {
            protocol: _,
            replicas,
            power: _,
            heights,
            byzantine,
            block_time,
            seed,
            signatures,
            recovery,
        } = &self.start;
        let byzantine: Vec<String> = byzantine.iter().map(ReplicaId::to_string).collect();
        let recovery = match recovery {
            Recovery::Ideal => "ideal",
            Recovery::NeoGo => "neo-go",
        };
        writeln!(
            out,
            "start: {replicas} replicas, Byzantine [{}], {heights} heights, block time \
             {block_time} ns, seed {seed}, signatures {signatures:?}, recovery {recovery}",
            byzantine.join(", ")
        )?;
        for (number, act) in self.acts.iter().enumerate() {
            writeln!(out, "{:>4}  {act}", number + 1)?;
        }
        Ok(())
    }
}
