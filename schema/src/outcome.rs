//! What a solve found, exactly as strong as it is.

use crate::{
    ids::ReplicaId,
    instance::{FaultKind, Instance},
};
use serde::{Deserialize, Serialize};

/// Why the solve ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Termination {
    /// The solver closed the gap.
    Optimal,
    /// A limit or an interrupt came first; there is an incumbent.
    Feasible,
    /// The solver says no schedule satisfies the program.
    Infeasible,
    /// A limit or an interrupt came first; there is no incumbent and nothing was learned.
    Undecided,
}

/// What was checked without trusting the solver's floating point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// Nothing but the solver's word for the bound; the incumbent was re-checked exactly.
    None,
    /// The bound follows from rounded multipliers in exact arithmetic.
    SafeDualBound {
        /// The bound, on the objective's grid.
        bound: i64,
    },
    /// The program was cut into cubes, and in none of them is anything better.
    Cubes {
        /// The bound, on the objective's grid.
        bound: i64,
        /// Cubes closed by rounded multipliers in exact arithmetic.
        exact: u32,
        /// Cubes whose points have mirror images in others.
        symmetric: u32,
        /// Cubes in which two searches found nothing.
        searched: u32,
    },
    /// "One unit better" is infeasible with rows and columns permuted.
    PermutedInfeasible {
        /// Seed of the permutation.
        seed: u64,
    },
}

/// Which program was solved, so that one built again is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramDigest {
    /// Its columns.
    pub columns: u64,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 of its text in the LP format, lower-case hex.
    pub sha256: String,
}

/// What a solve found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Why it ended.
    pub termination: Termination,
    /// Objective of the incumbent, re-evaluated in exact integers.
    pub primal: Option<i64>,
    /// The best bound anything says holds: the certificate's if there is one, else the solver's.
    pub dual: Option<f64>,
    /// Whether a certificate closes the gap.
    pub proved: bool,
    /// Branch-and-bound nodes.
    pub nodes: i64,
    /// Wall-clock seconds of the solve, proof included.
    pub seconds: f64,
    /// Name of the formulation used.
    pub formulation: String,
    /// What the proof rests on.
    pub certificate: Certificate,
    /// The program solved, if it was kept.
    pub program: Option<ProgramDigest>,
    /// SHA-256 of certificate.csv, lower-case hex; `None` where there is nothing to write into
    /// it.
    pub certificate_sha256: Option<String>,
    /// The result in one plain sentence.
    pub sentence: String,
    /// Who the adversary made faulty, and how; ascending.
    pub faulty: Vec<(ReplicaId, FaultKind)>,
    /// SHA-256 of schedule.csv, lower-case hex; `None` without an incumbent.
    pub schedule_sha256: Option<String>,
    /// The whole instance, with as many slots as the schedule takes.
    pub instance: Instance,
    /// The horizon that was asked for, from which that differs where the program has no slots.
    pub asked_slots: u32,
    /// The command line that made this.
    pub command: String,
    /// Versions, seed, threads and host facts, in order.
    pub run: Vec<(String, String)>,
}

impl Outcome {
    /// The question as it was asked.
    pub fn asked(&self) -> Instance {
        Instance {
            slots: self.asked_slots,
            ..self.instance.clone()
        }
    }

    /// |primal − dual| / |primal|, a fraction; `None` where it has no value.
    pub fn gap(&self) -> Option<f64> {
        let (primal, dual) = (self.primal? as f64, self.dual?);
        let distance = (primal - dual).abs();
        if distance == 0.0 {
            return Some(0.0);
        }
        (primal != 0.0).then(|| distance / primal.abs())
    }
}
