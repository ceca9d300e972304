//! What an answer is made of.

use crate::{lemmas::BY, reading::Reading};
use milp_schema::{
    Outcome,
    outcome::{Certificate, Termination},
};

/// What the sentence is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Why the solve ended.
    pub termination: Termination,
    /// Objective of the incumbent, if there is one.
    pub primal: Option<i64>,
    /// The best bound anything says holds.
    pub dual: Option<f64>,
    /// What was checked without trusting the solver.
    pub certificate: Certified,
    /// Whether the schedule is a point of a program; else replicas are all that it was tried on.
    pub of_program: bool,
    /// Whether the program knows slots; what a program without them says holds for any number.
    pub within_slots: bool,
    /// What the incumbent's schedule says beside its value, if there is one.
    pub reading: Option<Reading>,
}

/// How strong the bound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certified {
    /// Only the solver says so.
    No,
    /// The bound follows in exact arithmetic.
    Exactly(i64),
    /// It does from so many lemmas, which follow one by one.
    ByLemmas(u32),
    /// One unit better is infeasible with rows and columns permuted.
    Permuted,
    /// The program was cut into cubes, of which so many rest on two searches.
    Cubes {
        /// All cubes that were closed.
        all: u32,
        /// Those of them that two searches closed.
        searched: u32,
    },
}

impl Certified {
    /// Whether more than one search says so.
    pub(crate) fn is_there(self) -> bool {
        self != Self::No
    }

    /// The strength of what an outcome says.
    pub(super) fn of_outcome(outcome: &Outcome) -> Self {
        let certified = Self::of(&outcome.certificate, outcome.proved);
        let lemmas = outcome.run.iter().find(|(key, _)| key == BY);
        let lemmas = lemmas.and_then(|(_, count)| count.parse().ok());
        match (certified, lemmas) {
            (Self::Exactly(_), Some(lemmas)) => Self::ByLemmas(lemmas),
            _ => certified,
        }
    }

    /// The strength of a certificate that closes the gap, or none if `proved` is false.
    pub fn of(certificate: &Certificate, proved: bool) -> Self {
        match certificate {
            _ if !proved => Self::No,
            Certificate::None => Self::No,
            Certificate::SafeDualBound { bound } => Self::Exactly(*bound),
            Certificate::PermutedInfeasible { .. } => Self::Permuted,
            Certificate::Cubes {
                exact,
                symmetric,
                searched,
                ..
            } => Self::Cubes {
                all: exact.saturating_add(*symmetric).saturating_add(*searched),
                searched: *searched,
            },
        }
    }
}
