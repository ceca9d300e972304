//! What an adapter lacks: every paragraph of `docs/ENGINE-PROTOCOL.md` tried on it.
//!
//! Every check runs processes of its own. What depends on the engine, say who proposes first or
//! when a timer is due, is taken from what the adapter reports and never assumed.
//!
//! ```text
//! lines        requests as text: transport, error codes
//! runs         executions: decisions, states, timers, and the list of all
//!   adversary    with crashes and Byzantine replicas
//!   recovery     with replicas that fall behind: view changes, blocks, recovery
//!   group        the caller's side of an execution: delivers, holds back, keeps the clock
//! ```

mod adversary;
mod group;
mod lines;
mod recovery;
mod runs;

use super::{
    CommandLine, EngineError, Recovery, Sidecar, Start, nspcc,
    sidecar::{patience::Patience, text::shown_lines},
};
use crate::signature::Signatures;
use std::{fmt, time::Duration};

/// One check and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked, in words.
    pub name: &'static str,
    /// The part of the page that asks for it.
    pub page: &'static str,
    /// A remark, or what is missing.
    pub result: Result<Option<String>, String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Ok(None) => write!(out, "ok       {}", self.name),
            Ok(Some(remark)) => write!(out, "ok       {} ({remark})", self.name),
            Err(why) => write!(
                out,
                "MISSING  {}: {why} [docs/ENGINE-PROTOCOL.md, {}]",
                self.name, self.page
            ),
        }
    }
}

/// Runs every check on the adapter of that command and hands each finding to `each` as it comes;
/// whether nothing is missing.
pub fn check(command: &CommandLine, limit: Duration, mut each: impl FnMut(&Finding)) -> bool {
    let bench = Bench {
        command: command.clone(),
        patience: Patience::with_a_check(limit),
    };
    let mut passed = true;
    for check in lines::CHECKS.iter().chain(runs::CHECKS) {
        // It may quote answers, which may be anything.
        let result = (check.run)(&bench).map_err(|missing| shown_lines(&missing.0));
        passed &= result.is_ok();
        each(&Finding {
            name: check.name,
            page: check.page,
            result,
        });
    }
    passed
}

/// A check: its name, its place on the page, and what it does.
struct Check {
    name: &'static str,
    page: &'static str,
    run: fn(&Bench) -> Checked,
}

/// A remark, if there is one, or what is missing.
type Checked = Result<Option<String>, Missing>;

/// What is missing, in words.
#[derive(Debug)]
struct Missing(String);

impl From<EngineError> for Missing {
    fn from(error: EngineError) -> Self {
        Self(match error {
            EngineError::Adapter { what, .. } => format!("it {what}"),
            refused @ EngineError::Refused { .. } => refused.to_string(),
        })
    }
}

/// Fails with a reason unless something is so.
fn demand(so: bool, why: impl FnOnce() -> String) -> Result<(), Missing> {
    if so { Ok(()) } else { Err(Missing(why())) }
}

/// The adapter under test.
struct Bench {
    command: CommandLine,
    /// One for all processes: an adapter that hangs is not waited for in every check.
    patience: Patience,
}

impl Bench {
    fn open(&self) -> Result<Sidecar, Missing> {
        let mut sidecar = Sidecar::open_with(&self.command, self.patience.clone())?;
        sidecar.caller().keep_answers();
        Ok(sidecar)
    }
}

/// A run that begins without faults, signatures symbolic; block time 3 s.
fn start(replicas: u32, heights: u32) -> Start {
    Start {
        protocol: nspcc::protocol(),
        replicas,
        power: vec![1; replicas as usize],
        heights,
        byzantine: Vec::new(),
        block_time: 3 * super::SECOND,
        seed: 7,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    }
}
