//! What rests on two searches of `HiGHS` is found again by CBC, and so are the optima of published
//! programs.
#![cfg(feature = "cbc")]

use milp_schema::{outcome::Termination, read};
use milp_solver::{Again, Searcher, Settings, again_by};
use milp_study::verify::{Bound, Request, verify};
use std::{path::Path, sync::atomic::AtomicBool};

fn settings() -> Settings {
    Settings {
        time_limit_seconds: 300.0,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove: false,
        presolve: true,
        warm_start: None,
        options: Vec::new(),
    }
}

#[test]
fn a_kept_result_that_two_searches_proved_is_proved_by_cbc() {
    let result = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/dbft2/tla/n4-stall");
    let settings = settings();
    let request = Request {
        path: &result,
        resolve: Some((Searcher::Cbc, &settings)),
    };
    let verified = verify(&request, &AtomicBool::new(false), &mut |_| ()).expect("a check");
    assert_eq!(verified.differences, [""; 0]);
    assert_eq!(verified.bound, Bound::SearchedAgain(1));
}

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
        let instances = Path::new(env!("CARGO_MANIFEST_DIR")).join("../instances/reference");
        let instance = read::instance(&instances.join(format!("{name}.yaml"))).expect(name);
        let built = milp_model::build(&instance).expect(name);
        assert_eq!(built.formulation(), "reference");
        let program = built.program();
        let solved = milp_solver::solve(program, &settings(), &never, &mut |_| {}).expect(name);
        assert_eq!(solved.termination, Termination::Optimal, "{name}");
        let value = solved.primal.expect("an optimum");
        // Without a value to better, CBC is asked for the best of all points.
        let searched = again_by(
            Searcher::Cbc,
            program,
            None,
            1,
            &settings(),
            &never,
            &mut |_| {},
        );
        assert_eq!(searched.expect(name), Again::Better(value), "{name}");
    }
}
