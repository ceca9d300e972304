//! The program in slots of protocols that are files: against the one written from rule lists, and
//! against the replicas made from the files.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    Decoded,
    formulation::{slots, timed},
    program::Program,
};
use milp_replay::{Options, Protocol, Recovery, Signatures, replay};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Sense, Timers},
};
use milp_solver::Solved;
use std::sync::atomic::AtomicBool;
use support::{any, instance, settings};

/// The optimum, proved.
#[track_caller]
fn optimum(what: &str, program: &Program) -> Solved {
    let settings = settings(300.0, false);
    let solved = milp_solver::solve(program, &settings, &AtomicBool::new(false), &mut |_| {});
    let solved = solved.expect("the solver runs");
    println!(
        "{what}: {:?}, root {:?}, {} nodes, {:.1} s, {} columns, {} rows",
        solved.primal,
        solved.root_bound,
        solved.nodes,
        solved.seconds,
        program.columns.len(),
        program.rows.len()
    );
    solved
}

/// Replicas made from the file do what the schedule says.
#[track_caller]
fn follow(what: &str, instance: &Instance, decoded: &Decoded) {
    let options = Options {
        protocol: Protocol::Interpreter,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let replayed = replay(instance, &decoded.faulty, &decoded.schedule, &options);
    let tables = || {
        format!(
            "{}\n{}",
            milp_schema::write::choices_csv(&decoded.schedule.choices),
            milp_schema::write::predictions_csv(&decoded.schedule.predictions)
        )
    };
    let replayed = replayed.unwrap_or_else(|error| panic!("{what}: {error}\n{}", tables()));
    assert!(
        replayed.verdict.confirms(),
        "{what}, faulty {:?}: {:#?}\n{}",
        decoded.faulty,
        replayed.verdict.notes,
        tables()
    );
}

/// The optimum of a file, which its replicas follow.
#[track_caller]
fn best(what: &str, instance: &Instance) -> Option<i64> {
    let built = slots::of(instance).unwrap_or_else(|error| panic!("{what}: {error}"));
    let solved = optimum(what, &built.program);
    if let Some(point) = &solved.point {
        let decoded = built.decode(point);
        follow(what, instance, &decoded);
        let again = built.encode(&decoded.schedule, &decoded.faulty).expect("its own");
        let again: Vec<i64> = again.iter().map(|it| it.unwrap_or(0)).collect();
        assert_eq!(built.decode(&again), decoded, "{what}");
    }
    solved.primal
}

/// Both programs in slots have the same optimum.
#[track_caller]
fn same(what: &str, instance: &Instance) {
    let old = timed::of(instance).expect("timed supports it");
    let old = optimum(&format!("{what}, rule list"), &old.program);
    assert_eq!(best(what, instance), old.primal, "{what}");
}


/// An optimum that is known.
#[track_caller]
fn check(what: &str, instance: &Instance, expected: i64) {
    assert_eq!(best(what, instance), Some(expected), "{what}");
}

fn byzantine(protocol: &str, slots: u32, mutant: Option<&str>) -> Instance {
    let mut instance = instance(protocol, 2, slots, Goal::Fork);
    instance.faults = vec![any(FaultKind::Byzantine, 1)];
    instance.mutant = mutant.map(str::to_owned);
    instance
}

#[test]
fn dbft_has_the_optima_of_its_rule_list() {
    for goal in [Goal::Fork, Goal::Finality, Goal::Views] {
        same("dbft1", &instance("dbft1", 2, 9, goal));
        same("dbft2", &instance("dbft2", 2, 8, goal));
    }
    same("dbft1", &instance("dbft1", 2, 11, Goal::Fork));
}

#[test]
fn tendermint_decides_one_block() {
    check("tendermint", &byzantine("tendermint", 12, None), 1);
}

#[test]
fn tendermint_without_lock_decides_two() {
    check("no-lock", &byzantine("tendermint", 12, Some("no-lock")), 2);
}

#[test]
fn tendermint_without_proof_of_lock_decides_two() {
    check("no-pol", &byzantine("tendermint", 12, Some("no-pol")), 2);
}

#[test]
fn ibft1_decides_one_block() {
    check("ibft1", &byzantine("ibft1", 12, None), 1);
}

#[test]
fn ibft1_without_lock_decides_two() {
    check("ibft1 no-lock", &byzantine("ibft1", 12, Some("no-lock")), 2);
}
