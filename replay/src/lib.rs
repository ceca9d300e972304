//! The independent check: drives real consensus replicas with a schedule, message by message.
//!
//! A [`Schedule`] holds the adversary's choices; they drive. Its predictions are only compared
//! with what the replicas did; each difference is a *divergence*. What follows the last slot, who
//! handles what when and what a final state is: `docs/EXECUTION.md`, cited as E1 to E73. The
//! replicas' rules: `docs/protocols/*.md`, cited by line. No rule here is shared with the
//! optimiser, so a mistake in one cannot hide from the other.
//!
//! ```text
//! Instance, faulty, Schedule
//!   input       what no execution could contain is refused, with its row
//!   run         rows drive a session, slot by slot
//!     session   acts of the adversary on replicas, network and clock; logs every event
//!       network     copies in flight, held back, kept for the heal phase
//!       engine      replicas behind one trait, [`engine::Engine`]: own ones and others
//!         interpreter replicas of any protocol, made from the rules of its file
//!         protocols   dbft1, dbft2, recovery: state machines without clock, network or key
//!         signature   theirs: P-256 or symbolic
//!       heal        synchronous network until decided, stuck or open
//!   compare     predictions against the trace
//!   properties  agreement, finality, validity, integrity, lock, termination
//! -> Replayed { trace, verdict }
//! ```
//!
//! Three more entrances use the same replicas: [`random`] makes random legal executions, [`prompt`]
//! those in which nothing happens but what somebody does, [`search`]
//! finds the best value of a goal exhaustively on small instances. [`tla`] is a second check of
//! its own, for schedules of the TLA+ model, which has no replicas to drive: their events are
//! confirmed action by action.

mod compare;
pub mod engine;
mod error;
mod input;
mod interpreter;
mod network;
pub mod prompt;
mod properties;
mod protocols;
pub mod random;
mod run;
pub mod search;
mod session;
mod signature;
pub mod tla;
mod words;

pub use engine::Recovery;
pub use error::Error;
pub use signature::{Keys, Signatures};

use engine::{
    Engine,
    nspcc::{self, Nspcc, Switches},
};
use input::Driven;
use interpreter::{Interpreter, good::Wasted};
use milp_schema::{
    Height, Instance, Protocol as Vocabulary, ReplicaId, Schedule, TraceEvent, Verdict, View,
    instance::{FaultKind, Goal, Primary},
    verdict::{Holds, Liveness},
};
use properties::{
    AGREEMENT, FINALITY, Facts, INTEGRITY, LOCK, VALIDITY, blame, sometimes, termination,
};
use protocols::{Rules, Table};
use run::Applied;
use session::{Ended, Mirrored, Session};
use std::collections::BTreeSet;

/// Which replicas a replay drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// Those of the instance, its mutant included.
    Own,
    /// Those of another protocol as written (`--as`).
    As(String),
    /// Those made from the rules of the instance's protocol file, its mutant included, even where
    /// there are others.
    Interpreter,
}

/// How to replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whose replicas.
    pub protocol: Protocol,
    /// Whether the predictions are compared with what the replicas did. Say `false` where there
    /// are none: then the verdict has no divergences rather than 0.
    pub compare: bool,
    /// Whether the replicas follow other rules than those the schedule is for: what of it cannot
    /// happen to them is then no fault of the schedule. It is said either way.
    pub foreign: bool,
    /// How messages are signed; the verdict does not depend on it.
    pub signatures: Signatures,
    /// How an engine rebuilds what a recovery message carries; the paper's replicas have one way.
    pub recovery: Recovery,
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
/// they did. Those of engines stand behind [`replay_on`].
///
/// # Errors
/// Input that no execution could contain, or protocols without replicas here. A violated property,
/// a divergence or a row that could not happen is part of the verdict, not an error.
pub fn replay(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
    options: &Options,
) -> Result<Replayed, Error> {
    if tla::covers(instance) {
        if options.protocol != Protocol::Own || !options.compare {
            return Err(Error::PredictionsAreTheBehaviour {
                protocol: instance.protocol.to_string(),
            });
        }
        return tla::replay(instance, faulty, schedule);
    }
    let rules = match &options.protocol {
        Protocol::Own if nspcc::follows(instance) => {
            let mut twin = twin(instance)?;
            return replay_on(&mut twin, instance, faulty, schedule, options);
        }
        Protocol::Own if !interprets(instance) => Rules::of(instance)?,
        Protocol::Own | Protocol::Interpreter => {
            let mut replicas = Interpreter::of(instance)?;
            let about = Replicas {
                driven: Driven::Paper,
                protocol: instance.protocol,
                quorum: replicas.quorum(),
            };
            return drive(&mut replicas, about, instance, faulty, schedule, options);
        }
        Protocol::As(_) if !protocols::NAMES.contains(&instance.protocol.name.as_str()) => {
            return Err(Error::OtherPrimaries {
                protocol: instance.protocol.to_string(),
            });
        }
        Protocol::As(name) => Rules::named(instance, name)?,
    };
    let mut table = Table::new(rules);
    let replicas = Replicas {
        driven: Driven::Paper,
        protocol: rules.protocol(),
        quorum: rules.quorum(),
    };
    drive(&mut table, replicas, instance, faulty, schedule, options)
}

/// Replays `schedule` on an engine that was not started yet, and judges what its replicas did.
///
/// The schedule is one of a protocol whose rotation of primaries is the engine's, say `dbft2-nspcc`, or of
/// dBFT 2.0 `paper` with one height: then the engine's replica i stands for replica (n − i) mod n
/// of the schedule, which makes the rotations the same. Quorums are those of the instance, its
/// mutant included. `options.protocol` says nothing here.
///
/// # Errors
/// Input that no execution could contain or that cannot be renamed; an engine that gives no
/// answer, [`Error::Engine`]. An engine that breaks down on a legal schedule is part of the
/// verdict, as is a violated property or a divergence.
pub fn replay_on(
    engine: &mut dyn Engine,
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
    options: &Options,
) -> Result<Replayed, Error> {
    let (driven, protocol) = drivable(instance)?;
    let replicas = Replicas {
        driven,
        protocol,
        quorum: quorum(instance),
    };
    if driven == Driven::EngineByPaper {
        let mut mirrored = Mirrored::new(engine, instance.replicas);
        return drive(&mut mirrored, replicas, instance, faulty, schedule, options);
    }
    drive(engine, replicas, instance, faulty, schedule, options)
}

/// What is to be known of replicas before they start.
struct Replicas {
    driven: Driven,
    /// Whose kinds of messages they know.
    protocol: Vocabulary,
    quorum: usize,
}

/// Drives replicas with a schedule to the end of the heal phase, and judges them.
fn drive(
    engine: &mut dyn Engine,
    Replicas {
        driven,
        protocol,
        quorum,
    }: Replicas,
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
    options: &Options,
) -> Result<Replayed, Error> {
    let schedule = words::schedule(protocol, schedule);
    input::check(instance, faulty, &schedule, driven)?;
    let theirs = Instance {
        protocol,
        ..instance.clone()
    };
    let how = (options.signatures, options.recovery);
    let mut session = Session::new(engine, &theirs, quorum, faulty, how)?;
    let applied = run::drive(&mut session, instance, &schedule, options.compare)?;
    let (liveness, stuck) = session::heal(&mut session)?;
    let Ended {
        mut engine,
        log,
        faults,
        remarks,
    } = session.end();
    if options.recovery == Recovery::NeoGo && driven != Driven::Paper {
        engine += "+neo-go";
    }
    let facts = Facts {
        quorum,
        power: interpreter::power(instance),
        primary: Box::new(input::rotation(instance)),
        byzantine: byzantine(faulty),
    };
    let course = Course {
        engine,
        trace: log,
        applied,
        foreign: options.foreign,
        faults,
        remarks,
        liveness,
        stuck,
    };
    let mut replayed = judge(&facts, course);
    let good = interpreter::good::wasted(instance, &facts.byzantine, &replayed.trace)?;
    if let Some(Wasted { views, why }) = good.filter(|_| protocol == instance.protocol) {
        let asked = wasted_of(instance.goal);
        let note = format!("{views} of {asked} good views wasted ({why})");
        replayed.verdict.notes.push(note);
        replayed.verdict.wasted = Some(views);
    }
    if instance.goal == Goal::Blame && protocol == instance.protocol {
        let guilty = blame::guilty(instance, &facts.byzantine, &replayed.trace)?;
        let notes = guilty.iter().flatten().map(blame::sentence);
        replayed.verdict.notes.extend(notes);
        replayed.verdict.guilty = guilty.map(|it| it.len() as u32);
    }
    if properties::moves(protocol) {
        replayed.verdict.lock = Holds::NotJudged;
    }
    words::trace(instance.protocol, &mut replayed.trace);
    Ok(replayed)
}

/// The replicas made from the rules of an instance's protocol file, mutant included, not started:
/// what engines of such a protocol are compared with.
///
/// # Errors
/// A protocol without rules, an unknown mutant, or primaries that the adversary chooses.
pub fn interpreter(instance: &Instance) -> Result<impl Engine + Clone + use<>, Error> {
    Interpreter::of(instance)
}

/// How many good views a goal asks for.
fn wasted_of(goal: Goal) -> u32 {
    match goal {
        Goal::Wasted { up_to, .. } => up_to,
        _ => 0,
    }
}

/// Whether the replicas of an instance are those made from its protocol file: there are no others,
/// or they count heads where the instance has powers.
fn interprets(instance: &Instance) -> bool {
    let own = protocols::NAMES.contains(&instance.protocol.name.as_str());
    let counts_heads = own && instance.power.is_none();
    !counts_heads && matches!(interpreter::rules(instance), Ok(Some(_)))
}

/// What the replicas of dBFT 2.0 wait for, mutant included.
fn quorum(instance: &Instance) -> usize {
    instance.threshold() as usize
}

/// The own replicas of protocol `dbft2-nspcc`, mutant included.
fn twin(instance: &Instance) -> Result<Nspcc, Error> {
    let mutant = protocols::weakening(instance)?;
    Ok(Nspcc::new(Switches::of(mutant)))
}

/// Whether and how a schedule of the instance drives an engine, and whose words the engine speaks:
/// those of a protocol with engines and the same kinds of messages.
fn drivable(instance: &Instance) -> Result<(Driven, Vocabulary), Error> {
    let &Instance {
        protocol, heights, ..
    } = instance;
    let speaks = |it: &Vocabulary| !it.engines.is_empty() && it.kinds().eq(protocol.kinds());
    let refuse = |why: String| Err(Error::NotDriven { why });
    if instance.primary == Primary::Free {
        return Err(Error::FreePrimary);
    }
    let n = instance.replicas;
    // Primaries come again after n views.
    let everywhere = (0..heights).flat_map(|h| (0..n).map(move |v| (Height(h), View(v))));
    let primaries = |it: &Vocabulary| {
        let places = everywhere.clone();
        places.map(|(h, v)| it.primary(n, h, v)).collect::<Vec<_>>()
    };
    let ours = primaries(&protocol);
    let renamed: Vec<_> = ours.iter().map(|id| session::other_name(*id, n)).collect();
    let engines = [protocol].into_iter().chain(Vocabulary::all());
    let engines: Vec<Vocabulary> = engines.filter(speaks).collect();
    let rotating = |as_these: &[ReplicaId]| engines.iter().find(|it| primaries(it) == as_these);
    if let Some(engine) = rotating(&ours) {
        return Ok((Driven::Engine, *engine));
    }
    if let Some(engine) = rotating(&renamed) {
        return Ok((Driven::EngineByPaper, *engine));
    }
    refuse(if engines.is_empty() {
        format!("it is of protocol `{protocol}`, and the engine is not")
    } else {
        format!(
            "the primaries of `{protocol}` and of the engine, also with its replicas renamed, are \
             not the same in all views of the {heights} heights of the instance"
        )
    })
}

fn byzantine(faulty: &[(ReplicaId, FaultKind)]) -> BTreeSet<ReplicaId> {
    let byzantine = faulty
        .iter()
        .filter(|(_, kind)| *kind == FaultKind::Byzantine);
    byzantine.map(|(id, _)| *id).collect()
}

/// What replicas did and how it ended.
struct Course {
    engine: String,
    trace: Vec<TraceEvent>,
    applied: Applied,
    foreign: bool,
    faults: Vec<String>,
    remarks: Vec<String>,
    liveness: Liveness,
    stuck: Option<String>,
}

/// Every property's outcome.
fn judge(facts: &Facts, course: Course) -> Replayed {
    let trace = course.trace;
    let mut notes = Vec::new();
    let [agreement, finality, validity, integrity, lock] =
        [AGREEMENT, FINALITY, VALIDITY, INTEGRITY, LOCK]
            .map(|property| property.judge(facts, &trace, &mut notes));
    let faults = course.faults.len() as u32;
    notes.extend(course.faults);
    notes.extend(termination(course.liveness, course.stuck));
    let Applied {
        divergences,
        impossible,
    } = course.applied;
    let places = impossible.len() as u32;
    let (word, impossible_places, unapplied) = if course.foreign {
        ("not applied", 0, places)
    } else {
        ("impossible", places, 0)
    };
    notes.extend(impossible.iter().map(|place| format!("{word}: {place}")));
    let differences = divergences.as_ref().map(|all| all.len() as u32);
    notes.extend(divergences.unwrap_or_default());
    notes.extend(course.remarks);
    notes.push(sometimes(&trace));
    let verdict = Verdict {
        format: milp_schema::verdict::FORMAT.to_owned(),
        engine: course.engine,
        agreement,
        finality,
        validity,
        integrity,
        lock,
        termination: course.liveness,
        wasted: None,
        guilty: None,
        divergences: differences,
        impossible: impossible_places,
        unapplied,
        faults,
        notes,
    };
    Replayed { trace, verdict }
}
