//! From what a search found to a schedule: points that replicas do not follow are cut off, and what
//! a program with few values says is said of no more than them.

use super::request::Request;
use crate::{Error, clock::Clock};
use milp_model::{Built, Decoded, Error::Refused, formulation, program::Row};
use milp_schema::{
    Instance,
    instance::Goal,
    outcome::{Certificate, Termination},
};
use milp_solver::{Progress, Settings, Solved};
use std::sync::atomic::AtomicBool;

/// What a search found as a schedule, and how many points were refused before it.
pub(super) struct Followed {
    pub(super) solved: Solved,
    pub(super) decoded: Option<Decoded>,
    pub(super) refused: u32,
}

/// The schedule of the point; of another one where replicas do not follow it. What was proved of the
/// program stays proved, but of a value that only refused points have.
pub(super) fn followed(
    request: &Request<'_>,
    built: &Built,
    mut solved: Solved,
    clock: &Clock<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Followed, Error> {
    let best = solved.primal;
    let mut program = None;
    let mut refused = 0;
    // At first no value without a number: of such points replicas follow more.
    let mut narrow = built.without_class();
    let decoded = loop {
        let Some(point) = &solved.point else {
            break None;
        };
        let row = match built.decode(point) {
            Err(Refused { row, .. }) => row,
            decoded => break Some(decoded?),
        };
        refused += 1;
        let program = program.get_or_insert_with(|| built.program().clone());
        program.rows.push(*row);
        let mut again = |narrow: Option<&Row>| {
            let all = program.rows.len();
            program.rows.extend(narrow.cloned());
            let settings = Settings {
                prove: false,
                warm_start: None,
                ..clock.settings(request.settings)
            };
            let again = milp_solver::solve(program, &settings, interrupt, progress);
            program.rows.truncate(all);
            again
        };
        let mut found = again(narrow.as_ref())?;
        solved.nodes += found.nodes;
        if narrow.is_some() && found.primal != best {
            narrow = None;
            found = again(None)?;
            solved.nodes += found.nodes;
        }
        (solved.point, solved.primal) = (found.point, found.primal);
    };
    if solved.primal != best {
        solved.termination = match solved.primal {
            Some(_) => Termination::Feasible,
            None => Termination::Undecided,
        };
        unproved(&mut solved);
    }
    Ok(Followed {
        solved,
        decoded,
        refused,
    })
}

fn unproved(solved: &mut Solved) {
    solved.proved = false;
    solved.certificate = Certificate::None;
    solved.multipliers = None;
}

/// Whether more values than the program has might be decided, for all that such a bound says.
pub(crate) fn leaves_values_open(built: &Built, goal: Goal, bound: f64) -> bool {
    let counts = matches!(goal, Goal::Fork | Goal::Finality);
    counts
        && built
            .values()
            .is_some_and(|values| bound >= f64::from(values))
}

/// Takes back what a program with too few values cannot say: that there is nothing better.
pub(crate) fn of_these_values(built: &Built, goal: Goal, solved: &mut Solved) {
    let Some(dual) = solved
        .dual
        .filter(|dual| leaves_values_open(built, goal, *dual))
    else {
        return;
    };
    debug_assert!(dual > 0.0);
    solved.dual = Some(f64::INFINITY);
    if solved.termination == Termination::Optimal {
        solved.termination = Termination::Feasible;
    }
    unproved(solved);
}

/// The key under which `run:` has the number of values of a program, where that is not the first.
pub(crate) const VALUES: &str = "values";

/// The program with one more value and their number, where one with so many as `built` leaves open whether more can
/// be decided.
pub(super) fn with_one_more(
    instance: &Instance,
    built: &Built,
    solved: &Solved,
    clock: &Clock<'_>,
) -> Result<Option<(u32, Built)>, Error> {
    let reached = solved
        .primal
        .is_some_and(|it| leaves_values_open(built, instance.goal, it as f64));
    let optimal = solved.termination == Termination::Optimal;
    let (Some(values), true) = (built.values(), reached && optimal && !clock.over()) else {
        return Ok(None);
    };
    let instance = instance.clone();
    let formulation = built.formulation();
    let more = clock.build(move || formulation::with_values(&instance, formulation, values + 1));
    more.map(|built| Some((values + 1, built)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::settings;
    use milp_model::formulation::levels;

    #[test]
    fn as_many_decided_values_as_the_program_has_prove_nothing() {
        let file = std::path::Path::new("../instances/tendermint/n4-no-lock-fork.yaml");
        let instance = milp_schema::read::instance(file).expect("an instance");
        let settings = settings();
        let never = AtomicBool::new(false);
        let clock = Clock::start(&settings, &never);
        let built = Built::Levels(levels::of(&instance).expect("a program"));
        assert_eq!(built.values(), Some(2));
        let solve = |built: &Built| {
            let solved = milp_solver::solve(built.program(), &settings, &never, &mut |_| {});
            solved.expect("it solves")
        };
        let mut two = solve(&built);
        assert_eq!((two.primal, two.proved), (Some(2), true));
        let more = with_one_more(&instance, &built, &two, &clock).expect("a program");
        let (values, more) = more.expect("one value more may be decided");
        assert_eq!((values, more.values()), (3, Some(3)));
        of_these_values(&built, instance.goal, &mut two);
        assert_eq!(
            (two.termination, two.proved),
            (Termination::Feasible, false)
        );
        assert_eq!(two.certificate, Certificate::None);
        assert!(two.dual.is_some_and(f64::is_infinite));

        let mut three = solve(&more);
        let none = with_one_more(&instance, &more, &three, &clock).expect("no program");
        assert!(none.is_none());
        of_these_values(&more, instance.goal, &mut three);
        assert_eq!((three.primal, three.proved), (Some(2), true));
    }
}
