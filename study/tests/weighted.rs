//! The valid rows of goal `weighted` close the relaxation and cut off no optimum.

mod support;

use milp_model::program::Program;
use milp_schema::instance::{FaultKind, Goal, Sense};
use milp_solver::Solved;
use std::sync::atomic::AtomicBool;
use support::{any, instance, settings};

const FAMILIES: [&str; 2] = [
    "decisions_at_most_by_votes",
    "decisions_and_reached_at_most_by_votes",
];

fn solve(program: &Program) -> Solved {
    let solved = milp_solver::solve(
        program,
        &settings(300.0, true),
        &AtomicBool::new(false),
        &mut |_| {},
    );
    let solved = solved.expect("the solver runs");
    assert!(solved.proved, "{:?}", solved.termination);
    solved
}

/// Optimum with the rows, without them, and whether the relaxation with them is the optimum.
#[track_caller]
fn check(byzantine: u32, blocks: i64, views: i64, expected: i64) {
    let goal = Goal::Weighted {
        sense: Sense::Maximize,
        blocks,
        views,
        messages: 0,
    };
    let mut instance = instance("dbft2", 2, 9, goal);
    instance.faults = vec![any(FaultKind::Byzantine, byzantine)];
    let built = milp_model::formulation::timed::of(&instance).expect("timed supports it");
    let with = solve(&built.program);
    assert_eq!(with.primal, Some(expected));
    assert_eq!(with.root_bound, Some(expected as f64));

    let mut program = built.program;
    let families = program.families.clone();
    let named = |family: usize| FAMILIES.contains(&families[family].name.as_str());
    let rows = program.rows.len();
    program.rows.retain(|row| !named(row.family.0 as usize));
    assert!(program.rows.len() < rows);
    let without = solve(&program);
    assert_eq!(without.primal, Some(expected));
    assert!(
        without
            .root_bound
            .is_none_or(|bound| bound > expected as f64)
    );
}

#[test]
fn a_block_and_many_views() {
    // The block of the last view, reached through a quorum of requests.
    check(1, 1000, 100, 1200);
}

#[test]
fn a_block_and_few_views() {
    check(1, 1000, -100, 900);
}
