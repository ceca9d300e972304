//! The independent check: drives real consensus replicas with a schedule, message by message.
//!
//! A [`Schedule`] holds the adversary's choices; they drive. Its predictions are only compared
//! with what the replicas did; each difference is a *divergence*. What follows the last slot, who
//! handles what when and what a final state is: `docs/EXECUTION.md`, cited as E1 to E19. The
//! replicas' rules: `docs/protocols/*.md`, cited by line. No rule here is shared with the
//! optimiser, so a mistake in one cannot hide from the other.
//!
//! ```text
//! Instance, faulty, Schedule
//!   input       what no execution could contain is refused, with its row
//!   run         rows drive the world, slot by slot
//!     world     acts of the adversary on replicas, network and clock; logs every event
//!       protocols   dbft1, dbft2, recovery: state machines without clock, network or key
//!       network     copies in flight, held back, kept for the heal phase
//!       clock       the slot and the timers' deadlines
//!       signature   P-256 or symbolic
//!   heal        synchronous network until decided, stuck or open
//!   compare     predictions against the trace
//!   properties  agreement, finality, validity, integrity, lock, termination
//! -> Replayed { trace, verdict }
//! ```
//!
//! Two more entrances use the same replicas: [`random`] makes random legal executions, [`search`]
//! finds the best value of a goal exhaustively on small instances.

mod clock;
mod compare;
mod error;
mod heal;
mod input;
mod network;
mod properties;
mod protocols;
pub mod random;
mod run;
pub mod search;
mod signature;
mod trace;
mod world;

pub use error::Error;
pub use signature::Signatures;
pub use trace::{Phase, TRACE_HEADER, TraceEvent, What, to_ndjson};

use milp_schema::{Instance, ReplicaId, Schedule, Verdict, instance::FaultKind};
use properties::{AGREEMENT, FINALITY, Facts, INTEGRITY, LOCK, VALIDITY, sometimes, termination};
use protocols::Rules;

/// Which replicas a replay drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// Those of the instance, its mutant included.
    Own,
    /// Those of another protocol as written (`--as`), rule set `paper`: `dbft1` or `dbft2`.
    As(String),
}

/// How to replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whose replicas.
    pub protocol: Protocol,
    /// Whether differences between schedule and trace count as divergences; without it a copy that
    /// was never sent is skipped. Say `false` for another protocol than the schedule's own.
    pub compare: bool,
    /// How messages are signed; the verdict does not depend on it.
    pub signatures: Signatures,
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Every event, in order.
    pub trace: Vec<TraceEvent>,
    /// Every property's outcome.
    pub verdict: Verdict,
}

/// Replays `schedule` on the replicas of `instance`, of which `faulty` are faulty, and judges what
/// they did.
///
/// # Errors
/// Input that no execution could contain, or protocols without replicas here. A violated property
/// or a divergence is part of the verdict, not an error.
pub fn replay(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
    options: &Options,
) -> Result<Replayed, Error> {
    let rules = match &options.protocol {
        Protocol::Own => Rules::of(instance)?,
        Protocol::As(name) => Rules::named(instance, name)?,
    };
    let run::Driven {
        mut world,
        divergences,
    } = run::drive(
        instance,
        rules,
        faulty,
        schedule,
        options.compare,
        options.signatures,
    )?;
    let (liveness, stuck) = heal::heal(&mut world, instance.quorum());
    let trace = world.log;
    let byzantine = faulty
        .iter()
        .filter(|(_, kind)| *kind == FaultKind::Byzantine);
    let facts = Facts {
        rules,
        byzantine: byzantine.map(|(id, _)| *id).collect(),
    };
    let mut notes = Vec::new();
    let [agreement, finality, validity, integrity, lock] =
        [AGREEMENT, FINALITY, VALIDITY, INTEGRITY, LOCK]
            .map(|property| property.judge(&facts, &trace, &mut notes));
    notes.extend(termination(liveness, stuck));
    let count = divergences.len() as u32;
    notes.extend(divergences);
    notes.push(sometimes(&trace));
    let verdict = Verdict {
        format: "milp-verdict/1.0".to_owned(),
        engine: rules.engine(),
        agreement,
        finality,
        validity,
        integrity,
        lock,
        termination: liveness,
        divergences: count,
        notes,
    };
    Ok(Replayed { trace, verdict })
}
