//! The search for a proof: without lemmas where that takes few cubes, else with those that are found.

use crate::Error;
use milp_model::every::{self, Lemma, Parametric, Region, at_least};
use milp_schema::{Every, certificate::Part, instance::Goal};
use milp_solver::every::{Proof, prove};
use std::sync::atomic::AtomicBool;

/// The most cubes of a proof.
pub(super) const MOST_CUBES: usize = 20_000;

/// So many cubes are tried without lemmas.
const WITHOUT_LEMMAS: usize = 100;

/// The most cubes of a lemma.
const OF_A_LEMMA: usize = 400;

/// What the search came to, and of which programs.
pub(super) struct Searched {
    pub(super) programs: Vec<Parametric>,
    /// Those that the first programs prove.
    pub(super) lemmas: Vec<Lemma>,
    pub(super) proof: Proof,
}

/// Looks for a proof.
pub(super) fn search(every: &Every, interrupt: &AtomicBool) -> Result<Searched, Error> {
    let region = Region::of(every);
    let goal = every.instance.goal;
    let programs = every::of(every, &region)?;
    let pairs = if every.any_views || goal == Goal::Stall {
        Vec::new()
    } else {
        every::candidates(every)?
    };
    let most = if pairs.is_empty() {
        MOST_CUBES
    } else {
        WITHOUT_LEMMAS
    };
    let proof = prove(&programs, at_least(goal), most, interrupt)?;
    if proof != Proof::Stopped || pairs.is_empty() {
        return Ok(Searched {
            programs,
            lemmas: Vec::new(),
            proof,
        });
    }
    let (lemmas, mut parts, mut cubes) = mined(every, &region, pairs, interrupt)?;
    let programs = every::with_lemmas(every, &region, &lemmas)?;
    let rest = &programs[lemmas.len()..];
    let proof = match prove(rest, at_least(goal), MOST_CUBES, interrupt)? {
        Proof::Closed {
            parts: more,
            cubes: of_more,
        } => {
            parts.extend(more);
            cubes += of_more;
            Proof::Closed { parts, cubes }
        }
        other => other,
    };
    Ok(Searched {
        programs,
        lemmas,
        proof,
    })
}

/// The pairs that are proved, with their certificates one after the other and their cubes.
fn mined(
    every: &Every,
    region: &Region,
    pairs: Vec<Lemma>,
    interrupt: &AtomicBool,
) -> Result<(Vec<Lemma>, Vec<Part>, usize), Error> {
    let (mut lemmas, mut parts, mut cubes) = (Vec::new(), Vec::new(), 0);
    for pair in pairs {
        let program = every::lemma(every, region, &lemmas, pair)?;
        let proof = prove(&[program], at_least(Goal::Fork), OF_A_LEMMA, interrupt)?;
        if let Proof::Closed {
            parts: of_lemma,
            cubes: more,
        } = proof
        {
            lemmas.push(pair);
            parts.extend(of_lemma);
            cubes += more;
        }
    }
    Ok((lemmas, parts, cubes))
}
