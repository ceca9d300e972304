//! The vocabulary and the files of `milp`.
//!
//! Everything the other crates exchange is defined here, and nothing that is a protocol rule:
//! ids and message kinds ([`ids`]), the input ([`instance`]), what protocols cover ([`covers`]), what the adversary can do ([`act`]), what the optimiser hands to the
//! replay ([`schedule`]), what a solve found ([`outcome`]) and why it is
//! so ([`certificate`]), what replicas did with it
//! ([`trace`]) and what a replay found ([`verdict`]).
//! [`protocol`] is the rules of a protocol file as data, [`vocabulary`] its words.
//! [`read`] judges files whole and says of every problem where it is; [`write`](mod@write) makes
//! canonical text, and folders that appear whole or not at all; [`json_schema`] describes the
//! instance file to other programs.
//!
//! Data flows one way: instance → program → outcome → schedule → trace → verdict.

pub mod act;
pub mod builder;
pub mod certificate;
pub mod covers;
pub mod every;
pub mod formula;
pub mod ids;
pub mod instance;
pub mod journey;
pub mod json_schema;
mod kind;
pub mod limits;
pub mod outcome;
pub mod protocol;
mod raw;
pub mod read;
pub mod reference;
pub mod schedule;
pub mod sweep;
pub mod trace;
pub mod verdict;
pub mod vocabulary;
pub mod write;

pub use act::Act;
pub use certificate::Evidence;
pub use every::Every;
pub use ids::{BlockId, Height, ReplicaId, Slot, View};
pub use instance::Instance;
pub use outcome::Outcome;
pub use schedule::{Choice, Message, Prediction, Schedule, Value};
pub use trace::TraceEvent;
pub use verdict::Verdict;
pub use vocabulary::{Kind, Protocol};
