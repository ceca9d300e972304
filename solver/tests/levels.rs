//! The optima of protocols that are files, without slots.

use milp_model::formulation::levels;
use milp_schema::{
    Instance,
    instance::{Fault, FaultKind, Goal, Network},
    protocol,
};
use milp_solver::{Settings, Solved, solve};
use std::sync::atomic::AtomicBool;

fn settings() -> Settings {
    Settings {
        time_limit_seconds: 120.0,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove: true,
        presolve: true,
        warm_start: None,
        options: vec![],
    }
}

struct Case {
    file: &'static str,
    mutant: Option<&'static str>,
    power: Vec<u32>,
    byzantine: u32,
    views: u32,
}

fn case(file: &'static str, n: u32, byzantine: u32, views: u32) -> Case {
    Case {
        file,
        mutant: None,
        power: vec![1; n as usize],
        byzantine,
        views,
    }
}

fn build(case: &Case, goal: Goal) -> levels::Built {
    let file = protocol::named(case.file).expect("it is shipped");
    let rules = match case.mutant {
        Some(mutant) => file.rules.with(mutant).expect("it has the mutant"),
        None => file.rules.clone(),
    };
    let instance = Instance::asking(file.words)
        .replicas(case.power.len() as u32)
        .views(case.views)
        .goal(goal)
        .network(Network::Asynchronous)
        .faults([Fault::any(FaultKind::Byzantine, case.byzantine)])
        .build();
    levels::build(&instance, &rules, &case.power, 2).expect("levels say it")
}

fn best(case: &Case) -> (i64, Solved) {
    let built = build(case, Goal::Fork);
    let start = std::time::Instant::now();
    let solved = solve(
        &built.program,
        &settings(),
        &AtomicBool::new(false),
        &mut |_| {},
    );
    let solved = solved.expect("the solver runs");
    eprintln!(
        "{} {:?} n{} b{} v{}: {:?} proved {} nodes {} root {:?} cols {} rows {} {:?}",
        case.file,
        case.mutant,
        case.power.len(),
        case.byzantine,
        case.views,
        solved.primal,
        solved.proved,
        solved.nodes,
        solved.root_bound,
        built.program.columns.len(),
        built.program.rows.len(),
        start.elapsed(),
    );
    assert!(solved.proved);
    (solved.primal.expect("feasible"), solved)
}

fn value(file: &'static str, mutant: &'static str, n: u32, byzantine: u32, views: u32) -> i64 {
    let mutant = (!mutant.is_empty()).then_some(mutant);
    best(&Case {
        mutant,
        ..case(file, n, byzantine, views)
    })
    .0
}

#[test]
fn tendermint() {
    assert_eq!(value("tendermint", "", 4, 1, 2), 1);
    assert_eq!(value("tendermint", "", 4, 1, 3), 1);
    assert_eq!(value("tendermint", "no-lock", 4, 1, 2), 2);
    assert_eq!(value("tendermint", "no-pol", 4, 1, 2), 2);
}

#[test]
fn tendermint_five() {
    assert_eq!(value("tendermint", "", 4, 1, 4), 1);
    assert_eq!(value("tendermint", "", 4, 1, 5), 1);
}

#[test]
fn ibft1() {
    assert_eq!(value("ibft1", "", 4, 1, 3), 1);
    assert_eq!(value("ibft1", "", 5, 1, 2), 2);
    assert_eq!(value("ibft1", "", 6, 0, 2), 2);
    assert_eq!(value("ibft1", "ceil-quorum", 5, 1, 3), 1);
    assert_eq!(value("ibft1", "ceil-quorum", 6, 0, 2), 1);
    assert_eq!(value("ibft1", "no-lock", 4, 1, 2), 2);
}

#[test]
fn dbft() {
    assert_eq!(value("dbft1", "", 4, 0, 2), 2);
    assert_eq!(value("dbft2", "", 4, 1, 2), 1);
    assert_eq!(value("dbft2", "", 4, 1, 4), 1);
    assert_eq!(value("dbft2", "no-commit-lock", 4, 1, 2), 2);
    assert_eq!(value("dbft2", "small-quorum", 4, 0, 2), 2);
}
