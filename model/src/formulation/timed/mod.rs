//! Formulation `timed`: the paper's, one binary per event, indices and slot, in cumulative form.
//!
//! Every column is a binary "by slot t": the paper's action variables are differences
//! (`Send^t = sent^t − sent^(t−1)`), so its recurrences (22), (25), (29), (32), (33), (36) hold by
//! substitution and what is left of them is that a column never falls (family `<event>_stays`).
//! Columns of slot 0, and receipts before a copy can arrive, do not exist: equations (7)–(18).
//!
//! | column | meaning at the end of slot t | paper |
//! |---|---|---|
//! | `did_<event>_i_h_v_b_t` | replica i did the event | `sent…` |
//! | `got_<kind>_i_j_h_v_b_t` | a copy from j was delivered to i | `recvd…` |
//! | `entered_i_h_v_t` | i reached view v ≥ 1 of height h or a later one | `initialized` |
//! | `asked_i_j_h_w_t` | i holds a request of j for view w or a later one | – |
//! | `injected_<kind>_j_h_v_b_t` | Byzantine j put the message into the pool | – |
//! | `since_<kind>_j_h_v_t` | it put one about view v or a later one there | – |
//! | `permitted_p_t` | an act that the rules forbid rests on permit number p | – |
//! | `crashed_i_t`, `byzantine_i`, `crashing_i`, `disconnected_i` | faults | R^BYZ |
//!
//! Replica i is *in* view v at t iff `entered_v − entered_(v+1) = 1`; it started height h iff it
//! decided a block of height h − 1.

mod behaviour;
mod columns;
mod decode;
mod derive;
mod encode;
mod families;
mod first;
mod further;
mod goal;
mod index_sets;
mod key;
mod look_up;
mod meaning;
mod permit;
mod refuse;
mod seen;

pub(crate) use columns::Timed;
pub use columns::{Indices, Key};
pub use permit::Permit;

use crate::{
    decoded::Decoded,
    error::Error,
    expr::Expr,
    formulation::projection::{Line, Projection, stated},
    limits::{self, Grows},
    meaning::Meaning,
    program::{Col, Program, Tag},
    protocols,
    rule::Protocol,
};
use milp_schema::{Act, Instance, ReplicaId, Schedule, instance::FaultKind};

/// A program of this formulation and what its columns mean.
#[derive(Debug)]
pub struct Built {
    /// The program to solve.
    pub program: Program,
    timed: Timed,
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
/// [`Error::Unsupported`] names a construct, network, primary or goal this formulation cannot
/// express; [`Error::Dangling`] a rule that names what the protocol does not define.
pub fn build(instance: &Instance, protocol: &Protocol) -> Result<Built, Error> {
    limits::within(instance, Grows::WithSlots, || {
        Ok(close(open(instance, protocol, &[])?))
    })
}

/// Builds the program of an instance in which replicas may do what [`Permit`]s say, whatever the
/// rules say.
///
/// # Errors
/// As for [`of`].
pub fn with_permits(instance: &Instance, permits: &[Permit]) -> Result<Built, Error> {
    limits::within(instance, Grows::WithSlots, || {
        let protocol = protocols::of(instance)?;
        Ok(close(open(instance, &protocol, permits)?))
    })
}

/// Builds the program of an instance and counts in it what the adversary does, kind by kind: the
/// objectives of a schedule with the fewest acts. The program's own objective is the instance's.
///
/// # Errors
/// As for [`of`].
pub fn with_acts(instance: &Instance) -> Result<(Built, Vec<(Act, Expr)>), Error> {
    limits::within(instance, Grows::WithSlots, || {
        said(instance, families::acts)
    })
}

/// The same with the columns that a projection asks for, which come last, and its lines.
pub(super) fn projected(
    instance: &Instance,
    projection: Projection,
) -> Result<(Built, Vec<Line>), Error> {
    limits::within(instance, Grows::WithSlots, || {
        said(instance, |timed| stated(timed, projection))
    })
}

/// The same with what is said of the columns before they are closed.
fn said<T>(instance: &Instance, say: impl FnOnce(&mut Timed) -> T) -> Result<(Built, T), Error> {
    let mut timed = open(instance, &protocols::of(instance)?, &[])?;
    let said = say(&mut timed);
    Ok((close(timed), said))
}

/// All families but none closed yet.
fn open(instance: &Instance, protocol: &Protocol, permits: &[Permit]) -> Result<Timed, Error> {
    refuse::refuse(instance, protocol)?;
    let mut timed = Timed::new(instance.clone(), protocol.clone())?;
    timed.permit(permits);
    permit::permits(&mut timed);
    families::faults(&mut timed);
    families::deliveries(&mut timed);
    families::holds(&mut timed);
    families::events(&mut timed);
    families::view_changes(&mut timed);
    families::strengthening(&mut timed);
    families::budgets(&mut timed);
    goal::state(&mut timed)?;
    Ok(timed)
}

fn close(mut timed: Timed) -> Built {
    let program = timed.draft.finish();
    debug_assert!(
        program
            .families
            .iter()
            .any(|family| family.tag == Tag::Legal)
    );
    Built { program, timed }
}

impl Built {
    /// The schedule a point of the program stands for.
    ///
    /// Certify the point first: what is decoded from a point outside the program is a schedule,
    /// but not one that replicas follow.
    pub fn decode(&self, point: &[i64]) -> Decoded {
        decode::decode(&self.timed, point)
    }

    /// The values a schedule gives to the columns, `None` for those that serve the goal only: a
    /// warm start, or the point of an execution.
    ///
    /// # Errors
    /// The first row of the schedule that has no column (its indices are outside the program).
    pub fn encode(
        &self,
        schedule: &Schedule,
        faulty: &[(ReplicaId, FaultKind)],
    ) -> Result<Vec<Option<i64>>, String> {
        encode::encode(&self.timed, schedule, faulty)
    }

    /// What the columns say in words of the protocol.
    pub fn meaning(&self) -> Meaning {
        meaning::meaning(&self.timed)
    }

    /// The renaming of the columns in which two replicas change places; what serves the goal only
    /// stays where it is.
    pub fn exchange(&self, first: u32, second: u32) -> Option<Vec<Col>> {
        self.timed.draft.exchange(first, second)
    }

    /// What a column stands for.
    pub fn key(&self, col: Col) -> &Key {
        self.timed.draft.key(col)
    }
}
