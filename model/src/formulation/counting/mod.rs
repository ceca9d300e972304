//! Formulation `counting`: no slots and no names, only how many replicas do what in which view.
//!
//! An honest replica's way through the views is a walk over a few states per view (`walk.rs`), found
//! by trying the rules themselves. The program counts how many replicas take each step: a flow, so
//! its size depends on the views and the blocks per proposal and not on the number of replicas.
//! Replicas differ only in which view they are primary of; two families say when such counts can be
//! dealt out to replicas with names (`families.rs`). What a step needs others to have sent is a
//! binary per tally. Causality is the order of views and, inside a view, of the kinds of events;
//! `docs/MODEL.md` has the proofs, `refuse.rs` what they do not cover.
//!
//! | column | meaning |
//! |---|---|
//! | `took_v_<role>_<state>_to_<events>` | so many replicas take that step in view v |
//! | `here_v` | the primary of view v is honest and reaches view v |
//! | `reached_v` | somebody reaches view v |
//! | `open_v_b_<kinds>_k` | k replicas send messages of these kinds about (v, b) |
//! | `byzantine_v`, `byzantine_rest`, `request_v_b` | the primary of v is Byzantine; so many others are; it makes a request |
//! | `rests_v_…`, `crashes_v_…` | so many replicas end there for good (goal `stall`) |

mod assign;
mod book;
mod columns;
mod encode;
mod families;
mod goals;
mod meaning;
mod refuse;
mod seat;
mod unfold;
mod walk;

use crate::{
    decoded::Decoded,
    error::Error,
    limits::{self, Grows},
    meaning::Meaning,
    program::{Program, Tag},
    protocols,
    rule::Protocol,
};
use book::Book;
use columns::Counting;
use milp_schema::{Instance, ReplicaId, Schedule, instance::FaultKind};
use walk::{Role, Walk};

/// A program of this formulation and what its columns mean.
#[derive(Debug)]
pub struct Built {
    /// The program to solve.
    pub program: Program,
    counting: Counting,
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
/// [`Error::Unsupported`] names a construct, network, primary, budget or goal this formulation
/// cannot express exactly; [`Error::Dangling`] a rule that names what the protocol does not define.
pub fn build(instance: &Instance, protocol: &Protocol) -> Result<Built, Error> {
    limits::within(instance, Grows::WithViews, || stated(instance, protocol))
}

fn stated(instance: &Instance, protocol: &Protocol) -> Result<Built, Error> {
    refuse::refuse(instance, protocol)?;
    let book = Book::new(instance, protocol)?;
    let general = book.with_all_blocks();
    let walks = [
        Walk::of(&general, Role::Backup)?,
        Walk::of(&general, Role::Primary)?,
    ];
    refuse::refuse_walks(&book, &walks)?;
    let mut counting = Counting::new(book, walks);
    families::all(&mut counting);
    goals::state(&mut counting);
    let program = counting.draft.finish();
    debug_assert!(
        program
            .families
            .iter()
            .any(|family| family.tag == Tag::Legal)
    );
    Ok(Built { program, counting })
}

impl Built {
    /// The schedule a point of the program stands for. Certify the point first.
    ///
    /// # Errors
    /// [`Error::NoSchedule`] if the counts cannot be dealt out to replicas, or their steps have no
    /// order in which each finds what it needs.
    pub fn decode(&self, point: &[i64]) -> Result<Decoded, Error> {
        let plan = assign::assign(&self.counting, point)?;
        unfold::unfold(&self.counting, &plan)
    }

    /// The counts of an execution, `None` for the columns that serve the goal only.
    ///
    /// # Errors
    /// What happens in the schedule that no walk has.
    pub fn encode(
        &self,
        schedule: &Schedule,
        faulty: &[(ReplicaId, FaultKind)],
    ) -> Result<Vec<Option<i64>>, String> {
        encode::encode(&self.counting, schedule, faulty)
    }

    /// What the columns say in words of the protocol.
    pub fn meaning(&self) -> Meaning {
        meaning::meaning(&self.counting, &self.program)
    }
}
