//! Why a replay has no verdict: bad input or a broken adapter, never a property's outcome.

use crate::engine::EngineError;
use milp_schema::{Message, ReplicaId, instance::FaultKind};

/// What is wrong with the input or the adapter. `row` counts the choices from 1, a header not counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No replicas for that protocol.
    #[error("unknown protocol `{protocol}`: the replicas here are {}", crate::protocols::NAMES.join(" and "))]
    UnknownProtocol {
        /// The name given.
        protocol: String,
    },
    /// No file states the rules of that protocol.
    #[error("no protocol file states the rules of `{protocol}`, so nothing follows them")]
    NoRules {
        /// The name given.
        protocol: String,
    },
    /// Other replicas cannot follow a schedule whose primaries take turns in another order.
    #[error(
        "no other replicas follow a schedule of `{protocol}`: primaries take turns in another order there"
    )]
    OtherPrimaries {
        /// Whose schedule it is.
        protocol: String,
    },
    /// The schedule cannot drive an engine whose primaries rotate by (h − v) mod n.
    #[error("the schedule cannot drive the engine: {why}")]
    NotDriven {
        /// What stands in the way.
        why: String,
    },
    /// A restart of an engine's replica with a backup, which engines do not have.
    #[error("row {row}: replica {replica} restarts with `backup`: an engine keeps its ledger only")]
    NoBackup {
        /// Which row.
        row: usize,
        /// Who.
        replica: ReplicaId,
    },
    /// The engine gave no answer: the run has no verdict.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No such mutant of that protocol.
    #[error("protocol `{protocol}` has no mutant `{mutant}`")]
    UnknownMutant {
        /// The name given.
        mutant: String,
        /// The protocol it was asked of.
        protocol: String,
    },
    /// Replicas rotate the primary; they cannot let the adversary choose it.
    #[error("`primary: free` has no replica")]
    FreePrimary,
    /// A chain grows within one height.
    #[error("blocks of a chain are decided at one height, and the instance has several")]
    HeightsOfChain,
    /// A question about the TLA+ model for other rules.
    #[error(
        "protocol `{protocol}` is not the TLA+ model's; {} are",
        crate::tla::names()
    )]
    NotTheModel {
        /// The protocol.
        protocol: String,
    },
    /// The TLA+ model does not have what the instance asks for (E25).
    #[error("protocol `{protocol}` does not cover {what}")]
    NotInModel {
        /// The protocol.
        protocol: String,
        /// What it does not cover.
        what: &'static str,
    },
    /// A row that a protocol with a shared pool of messages has no use for (E27).
    #[error("row {row}: there is no `{kind}` under this protocol: messages are seen by all")]
    NoSuchRow {
        /// Which row.
        row: usize,
        /// The act of the row.
        kind: &'static str,
    },
    /// A schedule that is no behaviour of the model has none to export (E30).
    #[error("the schedule is no behaviour of the model: {why}")]
    NoBehaviour {
        /// Its first event that is no step.
        why: String,
    },
    /// A trace of another tool that is no behaviour of the model.
    #[error("the trace is no behaviour of the model: {why}")]
    NoTrace {
        /// Its first state that is none, or that no action leads to.
        why: String,
    },
    /// Other replicas, or no predictions, for a schedule whose predictions are the behaviour.
    #[error(
        "under protocol `{protocol}` the predictions are the behaviour: they cannot be left out, and no other replicas can be driven with them"
    )]
    PredictionsAreTheBehaviour {
        /// The protocol.
        protocol: String,
    },
    /// The exhaustive search does not cover the instance.
    #[error("the exhaustive search does not cover {why}")]
    NotSearched {
        /// What it does not cover.
        why: &'static str,
    },
    /// The same replica is listed as faulty twice.
    #[error("replica {replica} is listed as faulty twice")]
    FaultyTwice {
        /// Who.
        replica: ReplicaId,
    },
    /// A faulty replica that does not exist.
    #[error("faulty replica {replica} does not exist: replicas are 0 to {last}")]
    UnknownFaulty {
        /// Who.
        replica: ReplicaId,
        /// The highest replica.
        last: u32,
    },
    /// More faulty replicas of a kind than the instance allows.
    #[error("{listed} replicas are listed as {kind:?}, the instance allows {allowed}")]
    TooManyFaulty {
        /// How faulty.
        kind: FaultKind,
        /// How many are listed.
        listed: u32,
        /// How many there may be.
        allowed: u32,
    },
    /// More voting power faulty than the instance allows.
    #[error(
        "replicas of voting power {listed} are listed as {kind:?}, the instance allows {allowed}"
    )]
    TooMuchPower {
        /// How faulty.
        kind: FaultKind,
        /// How much is listed.
        listed: u32,
        /// How much there may be.
        allowed: u32,
    },
    /// The slot is 0 or beyond the horizon.
    #[error("row {row}: slot {slot} is not one of 1 to {slots}")]
    SlotOutOfRange {
        /// Which row.
        row: usize,
        /// The slot given.
        slot: u32,
        /// The last slot.
        slots: u32,
    },
    /// A row that no schedule can have, such as a delivery before the send.
    #[error("row {row}: {what}")]
    Impossible {
        /// Which row.
        row: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A replica that does not exist.
    #[error("row {row}: replica {replica} does not exist: replicas are 0 to {last}")]
    UnknownReplica {
        /// Which row.
        row: usize,
        /// The replica given.
        replica: ReplicaId,
        /// The highest replica.
        last: u32,
    },
    /// Recovery messages are delivered in the heal phase only.
    #[error("row {row}: {message} belongs to the heal phase, it cannot be delivered by a row")]
    Recovery {
        /// Which row.
        row: usize,
        /// The message.
        message: Message,
    },
    /// An injection by a replica that is not Byzantine.
    #[error("row {row}: replica {replica} injects but is not Byzantine")]
    NotByzantine {
        /// Which row.
        row: usize,
        /// Who.
        replica: ReplicaId,
    },
    /// A Byzantine replica cannot make such a copy (E11).
    #[error("row {row}: a Byzantine replica cannot make `{message}`: {why}")]
    CannotInject {
        /// Which row.
        row: usize,
        /// The message.
        message: Message,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A delivery of a Byzantine replica's copy that no earlier row makes.
    #[error("row {row}: no earlier row injects {message} of Byzantine replica {sender}")]
    NotInjected {
        /// Which row.
        row: usize,
        /// Whose copy.
        sender: ReplicaId,
        /// The message.
        message: Message,
    },
    /// A timer, crash or restart of a Byzantine replica, which has no honest behaviour.
    #[error("row {row}: replica {replica} is Byzantine: it has no timer, crash or restart")]
    IsByzantine {
        /// Which row.
        row: usize,
        /// Who.
        replica: ReplicaId,
    },
    /// A crash of a replica that may not crash.
    #[error("row {row}: replica {replica} crashes but is neither crash- nor network-faulty")]
    MayNotCrash {
        /// Which row.
        row: usize,
        /// Who.
        replica: ReplicaId,
    },
    /// A crash of a replica that is down, or a restart of one that is not.
    #[error("row {row}: replica {replica} is {state} when the row applies")]
    WrongState {
        /// Which row.
        row: usize,
        /// Who.
        replica: ReplicaId,
        /// `up` or `down`.
        state: &'static str,
    },
}

impl Error {
    /// Whether the input is at fault rather than the engine or its adapter.
    pub fn is_input(&self) -> bool {
        !matches!(self, Self::Engine(_))
    }
}
