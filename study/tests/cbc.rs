//! What rests on two searches of `HiGHS` is found again by CBC.
#![cfg(feature = "cbc")]

use milp_solver::{Searcher, Settings};
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
    let result =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/dbft2/n4-stall-nspcc-one-view");
    let settings = settings();
    let request = Request {
        path: &result,
        resolve: Some((Searcher::Cbc, &settings)),
    };
    let verified = verify(&request, &AtomicBool::new(false), &mut |_| ()).expect("a check");
    assert_eq!(verified.differences, [""; 0]);
    assert_eq!(verified.bound, Bound::SearchedAgain(1));
}
