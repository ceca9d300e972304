//! Whether a horizon is long enough, in words.

use crate::reading::After;
use milp_schema::outcome::Termination;

/// Whether the horizon is long enough for what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adequacy {
    /// Timers of the protocol run for longer: without firing them nobody leaves the views before
    /// the last one, or nothing begins.
    TimersRunLonger {
        /// The slots that they take.
        slots: u32,
    },
    /// Nobody decides within the horizon, and what its execution goes on to do says the rest.
    Undecided(After),
    /// The optimum with more slots.
    Longer {
        /// The longer horizon.
        slots: u32,
        /// Why the second solve ended.
        termination: Termination,
        /// Its incumbent's objective, in words.
        primal: Option<String>,
        /// Whether both solves ended optimal with the same answer.
        unchanged: bool,
    },
}

impl Adequacy {
    /// The check in words.
    pub fn words(&self) -> String {
        match self {
            Self::TimersRunLonger { slots } => {
                format!("not adequate: the timers of the views take {slots} slots")
            }
            Self::Undecided(After::Never) => {
                "adequate: the execution found never decides".to_owned()
            }
            Self::Undecided(After::Decides(_)) => {
                "not adequate: the execution found decides after it".to_owned()
            }
            Self::Undecided(After::Unknown) => {
                "not known: the execution found may decide after it".to_owned()
            }
            Self::Longer {
                slots,
                termination,
                primal,
                unchanged,
            } => match (termination, primal) {
                (Termination::Optimal, Some(_)) if *unchanged => {
                    format!("adequate: the optimum is the same with {slots} slots")
                }
                (Termination::Optimal, Some(value)) => {
                    format!("not adequate: the optimum is {value} with {slots} slots")
                }
                (Termination::Infeasible, _) => {
                    format!("not adequate: infeasible with {slots} slots")
                }
                _ => format!("not known: the limit came first with {slots} slots"),
            },
        }
    }

    /// Whether the horizon is known to be long enough.
    pub fn is_adequate(&self) -> bool {
        match self {
            Self::TimersRunLonger { .. } => false,
            Self::Undecided(after) => *after == After::Never,
            Self::Longer { unchanged, .. } => *unchanged,
        }
    }

    /// Whether a solve with more slots came to an end.
    pub(crate) fn is_settled(&self) -> bool {
        let ends = [Termination::Optimal, Termination::Infeasible];
        matches!(self, Self::Longer { termination, .. } if ends.contains(termination))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_horizon_is_adequate_only_if_two_optima_agree() {
        let adequacy = |termination, unchanged| {
            Adequacy::Longer {
                slots: 28,
                termination,
                primal: Some("1".to_owned()),
                unchanged,
            }
            .words()
        };
        assert_eq!(
            adequacy(Termination::Optimal, true),
            "adequate: the optimum is the same with 28 slots"
        );
        assert_eq!(
            adequacy(Termination::Optimal, false),
            "not adequate: the optimum is 1 with 28 slots"
        );
        assert_eq!(
            adequacy(Termination::Feasible, false),
            "not known: the limit came first with 28 slots"
        );
    }
}
