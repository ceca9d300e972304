//! Formulation `reference`: the published programs of 2020, row by row and constant for constant.
//!
//! They are restated in `docs/protocols/reference-2020.md`. Columns and rows have the published
//! names, indices count from one as there, and a row of a family is `family(indices)`. Where the
//! published rows have fractions (1/M) they are multiplied through, so that every coefficient is
//! an integer; a published column without an upper bound has the one that the rows imply.
//!
//! | column | meaning |
//! |---|---|
//! | `Primary(i,v)` | replica i is the primary of view v; free |
//! | `Send…(t,i,v)`, `BlockRelay(t,i,v)` | i sends, or decides, in slot t of view v |
//! | `Recv…(t,i,j,v)` | i receives in slot t of view v what j sent in that view |
//! | `blockRelayed(v)` | somebody decides in view v |
//! | `changeViewRecvPerNodeAndView(i,v)` | how many requests to leave view v replica i receives |
//! | `totalBlockRelayed`, `numberOfRounds`, `totalNumber…`, `lastRelayedBlock` | sums for the goal |
//!
//! In dBFT 3.0 a priority, 1 or 2, comes first in most indices: that of the primary whose
//! proposal the message is about.
//!
//! An execution of these programs is none of our replicas': the clock restarts in every view, a
//! copy never leaves its view, and Byzantine replicas send everything to everybody. So a point has
//! no schedule; [`Built::table`] lists it instead.

mod columns;
mod families;
mod index;
mod refuse;
mod rows;
mod table;

pub(crate) use columns::Model;

use crate::{
    error::Error,
    limits::{self, Grows},
    program::Program,
};
use milp_schema::{Instance, instance::Published};

/// A program of this formulation.
#[derive(Debug)]
pub struct Built {
    /// The program to solve.
    pub program: Program,
    columns: Vec<table::Meaning>,
}

/// Builds the published program that the instance names.
pub(crate) fn of(instance: &Instance) -> Result<Built, Error> {
    limits::within(instance, Grows::WithSlots, || stated(instance))
}

fn stated(instance: &Instance) -> Result<Built, Error> {
    refuse::unsupported(instance)?;
    let mut model = Model::of(instance);
    match instance.reference.model {
        Published::Liveness => families::liveness(&mut model, instance.goal),
        Published::Fork | Published::ForkByzantine => families::fork(&mut model, instance.goal),
    }
    if instance.reference.valid_inequalities {
        families::valid(&mut model);
    }
    Ok(Built {
        columns: model.meanings(),
        program: model.draft.finish(),
    })
}
