//! Rule set `nspcc` at two views: `causal` and `timed` have the same optima, and the same when asked
//! for replicas to do what random weights want them to.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    formulation::{causal, timed},
    program::{Col, Program},
};
use milp_schema::{
    Instance, ReplicaId,
    instance::{Fault, FaultKind, Goal, Network, Sense, Who},
    outcome::Termination,
};
use std::{collections::BTreeMap, sync::atomic::AtomicBool};
use support::{any, instance, replicas_object, settings, weights};

/// Enough for everything that two views hold, timeouts in two rounds included.
const SLOTS: u32 = 12;

fn production(goal: Goal, network: Network, faults: &[Fault]) -> Instance {
    Instance {
        rules: "nspcc".into(),
        network,
        faults: faults.to_vec(),
        ..instance("dbft2", 2, SLOTS, goal)
    }
}

fn faults() -> [(&'static str, Vec<Fault>); 4] {
    let first = |kind| Fault {
        kind,
        who: Who::These(vec![ReplicaId(0)]),
    };
    [
        ("nobody faulty", vec![]),
        ("a Byzantine primary", vec![first(FaultKind::Byzantine)]),
        ("a Byzantine replica", vec![any(FaultKind::Byzantine, 1)]),
        ("a crash", vec![any(FaultKind::Crash, 1)]),
    ]
}

/// The optimum and its point.
#[track_caller]
fn solved(program: &Program) -> (Option<i64>, Option<Vec<i64>>) {
    let stop = AtomicBool::new(false);
    let solved = milp_solver::solve(program, &settings(600.0, false), &stop, &mut |_| {});
    let solved = solved.expect("the solver runs");
    let whole = [Termination::Optimal, Termination::Infeasible];
    assert!(
        whole.contains(&solved.termination),
        "{:?}",
        solved.termination
    );
    (solved.primal, solved.point)
}

/// Both programs, asked by `ask` (of the program and the end of the names of its columns), have one
/// optimum, and the replicas follow the schedule of the one without slots.
#[track_caller]
fn same(what: &str, instance: &Instance, ask: &dyn Fn(&Program, &str) -> Program) {
    let built = causal::of(instance).expect("causal supports it");
    let (mine, point) = solved(&ask(&built.program, ""));
    let theirs = timed::of(instance).expect("timed supports it");
    let end = format!("_t{}", instance.slots);
    let (theirs, _) = solved(&ask(&theirs.program, &end));
    println!("{what}: {mine:?}, timed {theirs:?}");
    assert_eq!(mine, theirs, "{what}");
    let Some(point) = point else { return };
    let decoded = built.decode(&point).expect("an order of acts");
    let mut instance = instance.clone();
    instance.slots = decoded.slots;
    if replicas_object(&instance, &decoded) {
        println!(
            "faulty {:?}\n{}\n{}",
            decoded.faulty,
            milp_schema::write::choices_csv(&decoded.schedule.choices),
            milp_schema::write::predictions_csv(&decoded.schedule.predictions),
        );
        support::explain(&instance, &decoded);
        panic!("{what}: the replicas do something else");
    }
}

/// The instance's own goal.
fn own(program: &Program, _: &str) -> Program {
    program.clone()
}

/// Random weights of what honest replicas do; but for requests for recovery, which `causal` adds
/// where they bind nobody.
fn pulled(program: &Program, end: &str, seed: u64) -> Program {
    let mut weight = weights(seed);
    let mut weights: BTreeMap<String, i64> = BTreeMap::new();
    for v in 0..2 {
        for i in 0..4 {
            let acts = ["prepare_request", "prepare_response", "commit", "decide"];
            for act in acts {
                weights.insert(format!("did_{act}_i{i}_v{v}_b0"), weight());
            }
            weights.insert(format!("did_change_view_i{i}_v{v}"), weight());
            weights.insert(format!("entered_i{i}_v{v}"), weight());
        }
    }
    let mut pulled = program.clone();
    let named = |name: &str| -> Option<i64> {
        let name = name.strip_suffix(end)?.replace("_h0", "");
        let name = name
            .strip_suffix("_b0")
            .filter(|name| name.contains("change_view"))
            .unwrap_or(&name);
        weights.get(name).copied()
    };
    let columns = program.columns.iter().zip(0..);
    let found: Vec<(Col, i64)> = columns
        .filter_map(|(column, at)| named(&column.name).map(|weight| (Col(at), weight)))
        .collect();
    // Per view one request, three responses, and of each replica a commit, a decision and a
    // request to leave; and who enters the second view.
    assert_eq!(found.len(), 2 * (1 + 3 + 4 + 4 + 4) + 4);
    pulled.objective = found.into_iter().filter(|(_, it)| *it != 0).collect();
    (pulled.sense, pulled.constant) = (Sense::Maximize, 0);
    pulled
}

#[test]
fn goals_agree() {
    let weighted = Goal::Weighted {
        sense: Sense::Maximize,
        blocks: 3,
        views: 2,
        messages: 0,
    };
    for (who, faults) in faults() {
        for (goal, network) in [
            (Goal::Fork, Network::Asynchronous),
            (Goal::Finality, Network::Asynchronous),
            (Goal::Views, Network::Asynchronous),
            (Goal::Stall, Network::Eventual),
            (weighted, Network::Asynchronous),
        ] {
            let what = format!("{goal:?}, {who}");
            same(&what, &production(goal, network, &faults), &own);
        }
    }
}

#[test]
fn goals_agree_where_everything_arrives_and_with_few_timeouts() {
    for goal in [Goal::Fork, Goal::Finality, Goal::Views] {
        let mut instance = production(goal, Network::Eventual, &[]);
        same(&format!("{goal:?}, eventual"), &instance, &own);
        instance.network = Network::Asynchronous;
        for timeouts in [3, 5, 6] {
            instance.budget.timeouts = Some(timeouts);
            same(&format!("{goal:?}, {timeouts} timeouts"), &instance, &own);
        }
    }
}

#[test]
fn what_replicas_do_agrees() {
    for (who, faults) in faults() {
        let instance = production(Goal::Views, Network::Asynchronous, &faults);
        for seed in 0..3 {
            let ask = |program: &Program, end: &str| pulled(program, end, seed);
            same(&format!("weights {seed}, {who}"), &instance, &ask);
        }
    }
}
