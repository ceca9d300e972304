//! The proof of an optimum by searches: further ones are asked until two agree.

use crate::{Error, exact::Grid};

/// Re-solves of a proof before it is given up; more than two happen only after a refutation.
const PROOF_ROUNDS: u32 = 8;

/// What a proof asks of a further search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    /// Seed of the permutation and of the solver.
    pub(crate) seed: u64,
    /// The objective must be at least as good as this; `None` asks for any point.
    pub(crate) at_least: Option<i64>,
}

/// What the search answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// There is no such point.
    Nothing,
    /// There is, with this exact objective.
    Better {
        /// The objective.
        value: i64,
        /// Whether the search calls it optimal.
        optimal: bool,
    },
    /// A limit or an interrupt came first.
    Silence,
}

/// What a proof came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Proof {
    /// Seed of the last agreeing search; `None` if nothing is proved.
    pub(crate) seed: Option<u64>,
    /// Whether a certified point refuted an earlier search.
    pub(crate) refuted: bool,
}

/// Asks for something better than `best` until two searches agree that there is nothing.
///
/// The search that found `best` is the first of them. A better point refutes it: counting then
/// begins anew with the search that found that point, if it calls it optimal.
pub(crate) fn prove(
    grid: Grid,
    seed: u32,
    mut best: Option<i64>,
    ask: &mut dyn FnMut(Question) -> Result<Answer, Error>,
) -> Result<Proof, Error> {
    let mut refuted = false;
    let mut agreed = 1;
    for round in 1..=u64::from(PROOF_ROUNDS) {
        let seed = u64::from(seed) + round;
        match ask(Question {
            seed,
            at_least: best.map(|best| grid.better(best)),
        })? {
            Answer::Nothing => agreed += 1,
            Answer::Better { value, optimal } => {
                best = Some(value);
                refuted = true;
                agreed = u32::from(optimal);
            }
            Answer::Silence => break,
        }
        if agreed >= 2 {
            return Ok(Proof {
                seed: Some(seed),
                refuted,
            });
        }
    }
    Ok(Proof {
        seed: None,
        refuted,
    })
}

#[cfg(test)]
mod tests {
    use super::{Answer, Proof, Question, prove};
    use crate::{exact::Grid, support::ring};
    use milp_schema::instance::Sense;

    /// Runs a proof against a solver that gives these answers; what it was asked for, and what
    /// it came to.
    fn against(best: Option<i64>, answers: &[Answer]) -> (Vec<Option<i64>>, Proof) {
        let grid = Grid::of(&ring(Sense::Maximize, 5));
        let mut asked = Vec::new();
        let mut answers = answers.iter().copied();
        let proof = prove(grid, 40, best, &mut |Question { seed, at_least }| {
            asked.push(at_least);
            assert_eq!(seed, 40 + asked.len() as u64);
            Ok(answers.next().expect("no question after the last answer"))
        });
        (asked, proof.expect("no answer is an error"))
    }

    #[test]
    fn one_agreeing_search_is_a_proof() {
        let (asked, proof) = against(Some(5), &[Answer::Nothing]);
        assert_eq!(asked, [Some(6)]);
        assert_eq!(
            proof,
            Proof {
                seed: Some(41),
                refuted: false
            }
        );
        let (asked, proof) = against(None, &[Answer::Nothing]);
        assert_eq!((asked, proof.seed), (vec![None], Some(41)));
    }

    #[test]
    fn a_limit_proves_nothing() {
        let (_, proof) = against(Some(5), &[Answer::Silence]);
        assert_eq!(
            proof,
            Proof {
                seed: None,
                refuted: false
            }
        );
    }

    #[test]
    fn a_better_point_refutes_and_the_count_begins_anew() {
        let optimal = Answer::Better {
            value: 8,
            optimal: true,
        };
        let (asked, proof) = against(Some(5), &[optimal, Answer::Nothing]);
        assert_eq!(asked, [Some(6), Some(9)]);
        assert_eq!(
            proof,
            Proof {
                seed: Some(42),
                refuted: true
            }
        );
        let open = Answer::Better {
            value: 8,
            optimal: false,
        };
        let (asked, proof) = against(Some(5), &[open, Answer::Nothing, Answer::Nothing]);
        assert_eq!(asked, [Some(6), Some(9), Some(9)]);
        assert_eq!(
            proof,
            Proof {
                seed: Some(43),
                refuted: true
            }
        );
    }

    #[test]
    fn a_point_of_an_infeasible_program_is_asked_to_be_bettered() {
        let found = Answer::Better {
            value: 2,
            optimal: true,
        };
        let (asked, proof) = against(None, &[found, Answer::Nothing]);
        assert_eq!(asked, [None, Some(3)]);
        assert_eq!(
            proof,
            Proof {
                seed: Some(42),
                refuted: true
            }
        );
    }

    #[test]
    fn a_solver_that_betters_itself_for_ever_is_given_up() {
        let answers: Vec<Answer> = (6..14)
            .map(|value| Answer::Better {
                value,
                optimal: true,
            })
            .collect();
        let (asked, proof) = against(Some(5), &answers);
        assert_eq!(asked.len(), 8);
        assert_eq!(
            proof,
            Proof {
                seed: None,
                refuted: true
            }
        );
    }
}
