//! The families of rows, one function each: a sentence, the formula, the scope, the reason.
//!
//! Notation: q is a threshold, B the number of replicas that may be Byzantine, L the highest level;
//! ℓ(x) is the level of an act, ℓ(Q) the level by which a quorum is complete. The level of an act
//! that does not happen lies anywhere above those of what comes before it.

mod fault;
mod guard;
mod own;
mod precede;
mod quorum;
mod require;
mod rest;
mod returning;
mod settle;
mod symmetry;

pub(super) use fault::faults;
pub(super) use guard::{Seat, guards};
pub(super) use own::own;
pub(super) use precede::precedes;
pub(super) use quorum::{members, quorums};
pub(super) use require::{requirements, the_sender};
pub(super) use rest::final_states;
pub(super) use returning::stalls;
pub(super) use symmetry::symmetry;
