//! A program for every n has, at every n up to forty and with any number of Byzantine replicas, the
//! optimum of the program that is built for that n from the list of rules.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    build,
    every::{self, Region},
    program::Program,
};
use milp_schema::{
    Every, Instance,
    instance::{FaultKind, Goal},
};
use milp_solver::solve;
use std::sync::atomic::AtomicBool;
use support::settings;

/// Of all points every so manieth is solved; all of them with `MILP_FULL=1`.
const STRIDE: usize = 29;

/// The number of Byzantine replicas, for 3f + 1 ≤ n.
const BYZANTINE: [&str; 5] = ["0", "1", "2", "f", "f + 1"];

/// What a replica does at once where its own message and another one are a quorum, rows for every n do
/// not say: then the bound may be larger.
const LEAST_QUORUM: u32 = 3;

const CASES: [(&str, &str, Option<&str>, u32); 10] = [
    ("fork", "dbft1", None, 2),
    ("fork", "dbft2", None, 2),
    ("fork", "dbft2", None, 4),
    ("fork", "dbft2", Some("no-commit-lock"), 2),
    ("fork", "dbft2", Some("small-quorum"), 2),
    ("finality", "dbft1", None, 2),
    ("finality", "dbft2", None, 2),
    ("stall", "dbft1", None, 2),
    ("stall", "dbft2", None, 1),
    ("stall", "dbft2", None, 2),
];

fn question(
    (goal, protocol, mutant, views): (&str, &str, Option<&str>, u32),
    byzantine: &str,
) -> Every {
    let mutant = mutant.map_or(String::new(), |name| format!("mutant: {name}\n"));
    let network = if goal == "stall" {
        "eventual"
    } else {
        "asynchronous"
    };
    let text = format!(
        "format: milp-instance/2.0\nprotocol: {protocol}\nreplicas: any\n\
         faults: {{kind: byzantine, count: {byzantine}}}\nbeyond_budget: true\nviews: {views}\n\
         blocks_per_proposal: 2\nslots: 12\nnetwork: {network}\ngoal: {goal}\n\
         formulation: counting\n{mutant}"
    );
    support::every::every(&text)
}

fn optimum(program: &Program) -> Option<i64> {
    let limits = settings(60.0, false);
    let solved = solve(program, &limits, &AtomicBool::new(false), &mut |_| {});
    solved.expect("it is solved").primal
}

/// The optimum by itself, as a program for every n counts: final states without a decision where they
/// are asked for, and no more than two blocks or certificates.
fn by_itself(instance: &Instance) -> i64 {
    let built = build(instance).expect("a program");
    let found = optimum(built.program());
    match instance.goal {
        Goal::Stall => 1 - found.expect("a final state"),
        _ => found.unwrap_or(0),
    }
}

#[test]
fn at_each_n_up_to_forty_the_optimum_is_that_of_the_list_of_rules() {
    let stride = if std::env::var_os("MILP_FULL").is_some() {
        1
    } else {
        STRIDE
    };
    let (mut at, mut equal, mut wider, mut left_out) = (0, 0, 0, 0);
    for case in CASES {
        for byzantine in BYZANTINE {
            let every = question(case, byzantine);
            let programs = every::of(&every, &Region::of(&every)).expect("programs");
            for n in case.3.max(2)..=40 {
                let Some(one) = every.of(n) else { continue };
                at += 1;
                if at % stride != 0 {
                    continue;
                }
                let b = one.fault_count(FaultKind::Byzantine);
                let point = [n, one.f(), b].map(i64::from);
                let Some(program) = programs.iter().find(|it| it.covers(point)) else {
                    left_out += 1;
                    continue;
                };
                let found = optimum(&program.at(point)).unwrap_or(0);
                let known = by_itself(&one);
                let about = format!("{case:?} n {n} b {b}: {found} and {known}");
                let quorum = n - one.f() - u32::from(case.2 == Some("small-quorum"));
                if quorum >= LEAST_QUORUM {
                    equal += 1;
                    assert_eq!(found, known, "{about}");
                } else {
                    wider += 1;
                    assert!(found >= known, "{about}");
                }
            }
        }
    }
    println!("{at} points: {equal} equal, {wider} with small quorums, {left_out} left out");
    assert!(equal * stride * 10 >= at * 8, "{equal} of {at}");
}
