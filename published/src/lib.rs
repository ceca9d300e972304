//! The programs published in 2020, row by row and constant for constant.
//!
//! They are restated in `docs/PUBLISHED.md`. Columns and rows have the published
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
//! no schedule; [`Built::table`] lists it instead. This crate knows the programs and nothing else
//! knows them: it shares the language of rows and the solver with the rest.

mod columns;
mod families;
mod index;
pub mod question;
mod refuse;
mod rows;
mod sentence;
mod solve;
mod table;

pub use question::Question;
pub use solve::{Answer, certified, solve};

use columns::Model;
use milp_model::{limits, program::Program};
use question::Published;

/// A published program, and what its columns say.
#[derive(Debug)]
pub struct Built {
    /// The program to solve.
    pub program: Program,
    columns: Vec<table::Meaning>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that is no question.
    #[error(transparent)]
    Read(#[from] milp_schema::read::ReadError),
    /// What no published program has.
    #[error("the published programs do not have {construct}: {hint}")]
    Unsupported {
        /// What it is, by name.
        construct: String,
        /// What to do instead.
        hint: String,
    },
    /// A program that is larger than any that is built.
    #[error(transparent)]
    TooLarge(#[from] milp_model::Error),
    /// The solver failed.
    #[error(transparent)]
    Solver(#[from] milp_solver::Error),
    /// A file whose values are no point of the program, and why.
    #[error("{0}")]
    NoPoint(String),
}

/// Builds the published program that the question names.
///
/// # Errors
/// What the published programs do not have, by name, or a program that is too large.
pub fn build(question: &Question) -> Result<Built, Error> {
    refuse::unsupported(question)?;
    let keys = [
        ("replicas", question.replicas),
        ("views", question.views),
        ("slots", question.slots),
    ];
    Ok(limits::bounded(&keys, || stated(question))?)
}

fn stated(question: &Question) -> Built {
    let mut model = Model::of(question);
    match question.model {
        Published::Liveness => families::liveness(&mut model, question.goal),
        Published::Fork | Published::ForkByzantine => families::fork(&mut model, question.goal),
    }
    if question.valid_inequalities {
        families::valid(&mut model);
    }
    Built {
        columns: model.meanings(),
        program: model.draft.finish(),
    }
}
