//! Formulation `causal`: no slots; one level per act, and a binary "counts before" only where a
//! guard reads a message.
//!
//! An execution is a set of acts of honest replicas and an order in which each finds what it needs.
//! Messages can be withheld, so that nothing has to be said of a message that nobody reads; what is
//! withheld without loss, and why, is in `docs/MODEL.md`. Levels only say that the order has no
//! circle; a schedule gives every act the first slot that the order allows.
//!
//! | column | meaning |
//! |---|---|
//! | `did_<event>_i_v_b` | replica i does the event |
//! | `entered_i_v` | i enters view v ≥ 1 |
//! | `level_<act>` | the level of an act, an integer |
//! | `complete_<messages>`, `since_<messages>` | enough of these messages are sent; the level by which |
//! | `counts_<messages>_<event>_j_v` | the message of j is one of them |
//! | `made_<kind>_j_v_b` | Byzantine j makes the message, for everybody |
//! | `crashed_i`, `byzantine_i`, `crashing_i`, `disconnected_i` | faults |

mod columns;
mod decode;
mod families;
mod goal;
mod look_up;
mod meaning;
mod order;
mod refuse;

pub use columns::{Act, Key};

use crate::{
    decoded::Decoded,
    error::Error,
    limits::{self, Grows},
    meaning::Meaning,
    program::{Col, Program},
    protocols,
    rule::Protocol,
};
use columns::Causal;
use milp_schema::Instance;

/// A program of this formulation and what its columns mean.
#[derive(Debug)]
pub struct Built {
    /// The program to solve.
    pub program: Program,
    causal: Causal,
}

/// Whether this formulation says exactly what the instance asks: it builds it. What it cannot say
/// exactly it refuses by name.
pub fn is_exact(instance: &Instance) -> bool {
    protocols::of(instance).is_ok_and(|protocol| {
        refuse::refuse(instance, &protocol).is_ok() && order::Order::of(&protocol).is_ok()
    })
}

/// Builds the program of an instance whose protocol is one of [`protocols`].
///
/// # Errors
/// As for [`build`], and [`Error::UnknownProtocol`].
pub fn of(instance: &Instance) -> Result<Built, Error> {
    build(instance, &protocols::of(instance)?)
}

/// Builds the program of `protocol` for `instance`.
///
/// # Errors
/// [`Error::Unsupported`] names what this formulation cannot express; [`Error::Dangling`] a rule
/// that names what the protocol does not define.
pub fn build(instance: &Instance, protocol: &Protocol) -> Result<Built, Error> {
    limits::within(instance, Grows::WithoutSlots, || stated(instance, protocol))
}

fn stated(instance: &Instance, protocol: &Protocol) -> Result<Built, Error> {
    refuse::refuse(instance, protocol)?;
    let mut causal = Causal::new(instance.clone(), protocol.clone())?;
    families::faults(&mut causal);
    families::own(&mut causal);
    families::quorums(&mut causal);
    families::requirements(&mut causal);
    families::precedes(&mut causal);
    families::guards(&mut causal);
    families::final_states(&mut causal);
    families::symmetry(&mut causal);
    goal::state(&mut causal);
    let program = causal.draft.finish();
    Ok(Built { program, causal })
}

impl Built {
    /// The schedule a point of the program stands for.
    ///
    /// # Errors
    /// [`Error::NoSchedule`] if the levels of the point are no order of its acts.
    pub fn decode(&self, point: &[i64]) -> Result<Decoded, Error> {
        decode::decode(&self.causal, point)
    }

    /// What the columns say in words of the protocol.
    pub fn meaning(&self) -> Meaning {
        meaning::meaning(&self.causal, &self.program)
    }

    /// The renaming of the columns in which two replicas change places; what serves the goal only
    /// stays where it is.
    pub fn exchange(&self, first: u32, second: u32) -> Option<Vec<Col>> {
        self.causal.draft.exchange(first, second)
    }

    /// What a column stands for; `None` outside the program.
    pub fn key(&self, col: Col) -> Option<Key> {
        let of = |(key, other): (&Key, Col)| (other == col).then_some(*key);
        self.causal.draft.keys().find_map(of)
    }
}
