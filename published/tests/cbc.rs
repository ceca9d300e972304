//! CBC finds the optima of published programs, too.
#![cfg(feature = "cbc")]

mod support;

use milp_schema::outcome::Termination;
use milp_solver::{Again, Searcher, again_by};
use std::sync::atomic::AtomicBool;
use support::{search::settings, shipped};

#[test]
fn both_solvers_find_the_optimum_of_published_programs() {
    let never = AtomicBool::new(false);
    for name in [
        "dbft1-n4-fork",
        "dbft2-n4-fork",
        "dbft2-n4-max-all",
        "dbft2-n4-max-blocks",
        "dbft2-n4-min",
        "dbft3-n4-max-blocks",
    ] {
        let built = milp_published::build(&shipped(name)).expect(name);
        let program = &built.program;
        let solved =
            milp_solver::solve(program, &settings(300.0, false), &never, &mut |_| {}).expect(name);
        assert_eq!(solved.termination, Termination::Optimal, "{name}");
        let value = solved.primal.expect("an optimum");
        // Without a value to better, CBC is asked for the best of all points.
        let searched = again_by(
            Searcher::Cbc,
            program,
            None,
            1,
            &settings(300.0, false),
            &never,
            &mut |_| {},
        );
        assert_eq!(searched.expect(name), Again::Better(value), "{name}");
    }
}
