//! Proofs for every n: what they say of one n, what they do not prove, and who checks them.

mod support;

use milp_model::{
    build,
    every::{self, Affine, Parametric, Region},
};
use milp_schema::{
    Every, Instance,
    certificate::Part,
    instance::Formulation,
    read::{self, Near},
};
use milp_solver::{
    every::{Proof, check, prove},
    solve,
};
use std::sync::atomic::AtomicBool;
use support::settings;

/// A question of a protocol, under a mutant if there is one, about so many Byzantine replicas.
fn question(protocol: &str, mutant: Option<&str>, views: u32, byzantine: &str) -> Every {
    let mutant = mutant.map_or(String::new(), |name| format!("mutant: {name}\n"));
    let text = format!(
        "format: milp-instance/2.0\nprotocol: {protocol}\nreplicas: any\n\
         faults: {{kind: byzantine, count: {byzantine}}}\nbeyond_budget: true\nviews: {views}\n\
         blocks_per_proposal: 2\nslots: 12\nnetwork: asynchronous\ngoal: fork\n{mutant}"
    );
    let every = read::every_near("question", &text, Near::Nothing);
    every.expect("a question").expect("for every n")
}

fn programs(every: &Every) -> Vec<Parametric> {
    every::of(every, &Region::of(every)).expect("programs")
}

fn proved(programs: &[Parametric]) -> Option<(Vec<Part>, usize)> {
    match prove(programs, 2, 2000, &AtomicBool::new(false)).expect("a solver") {
        Proof::Closed { parts, cubes } => Some((parts, cubes)),
        Proof::Open { .. } | Proof::Stopped => None,
    }
}

/// The optimum of a program for all n at one of them.
fn at(programs: &[Parametric], n: u32, f: u32, b: u32) -> Option<i64> {
    let point = [n, f, b].map(i64::from);
    let program = programs.iter().find(|it| it.covers(point))?.at(point);
    let solved = solve(
        &program,
        &settings(60.0, false),
        &AtomicBool::new(false),
        &mut |_| {},
    );
    solved.expect("it is solved").primal
}

fn optimum(instance: &Instance) -> Option<i64> {
    let built = build(instance).expect("a program");
    let solved = solve(
        built.program(),
        &settings(60.0, false),
        &AtomicBool::new(false),
        &mut |_| {},
    );
    solved.expect("it is solved").primal
}

/// `counting` of a list of rules, or `levels` of a file, has the same optimum at one n.
fn agrees(protocol: &str, mutant: Option<&str>, views: u32, formulation: Formulation, ns: &[u32]) {
    for byzantine in ["0", "1", "2", "f", "f + 1"] {
        let mut every = question(protocol, mutant, views, byzantine);
        every.instance.formulation = formulation;
        let programs = programs(&every);
        for &n in ns {
            let Some(instance) = every.of(n) else {
                continue;
            };
            let b = instance.fault_count(milp_schema::instance::FaultKind::Byzantine);
            if let Some(found) = at(&programs, n, instance.f(), b) {
                let known = optimum(&instance);
                assert_eq!(
                    Some(found),
                    known,
                    "{protocol} {mutant:?} n {n} b {byzantine}"
                );
            }
        }
    }
}
#[test]
fn scratch() {
    let v = std::env::var("TRY").unwrap();
    for line in v.split(';') {
        let w: Vec<&str> = v.split_whitespace().collect();
        let ns: Vec<u32> = w[4].split(',').map(|x| x.parse().unwrap()).collect();
        let form = if w[3] == "counting" {
            Formulation::Counting
        } else {
            Formulation::Levels
        };
        agrees(
            w[0],
            (w[1] != "-").then_some(w[1]),
            w[2].parse().unwrap(),
            form,
            &ns,
        );
        println!("{line} ok");
    }
}
