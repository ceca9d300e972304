//! Protocol `dbft2-nspcc` at two and three views: `causal` and `timed` have the same optima, and the same when asked
//! for replicas to do what random weights want them to; what `causal` finds is a point of `timed`.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    Decoded,
    formulation::{causal, timed},
    program::{Col, FamilyId, Program, Tag},
};
use milp_schema::{
    Instance, ReplicaId,
    instance::{Fault, FaultKind, Goal, Network, Sense, Who},
    outcome::Termination,
};
use milp_solver::{Settings, Solved};
use std::{collections::BTreeMap, sync::atomic::AtomicBool};
use support::{any, fits, instance, replicas_object, settings, weights};

/// Slots for everything that two views hold, timeouts in two rounds included, and three.
const SLOTS: [(u32, u32); 2] = [(2, 12), (3, 16)];

/// Draws of weights for each kind of fault.
const DRAWS: [u64; 2] = [1, 11];

/// With two views.
fn production(goal: Goal, network: Network, faults: &[Fault]) -> Instance {
    let (views, slots) = SLOTS[0];
    Instance {
        network,
        faults: faults.to_vec(),
        ..instance("dbft2-nspcc", views, slots, goal)
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

#[track_caller]
fn solved(program: &Program, start: Option<Vec<Option<i64>>>) -> Solved {
    let stop = AtomicBool::new(false);
    let settings = Settings {
        warm_start: start,
        ..settings(600.0, false)
    };
    let solved = milp_solver::solve(program, &settings, &stop, &mut |_| {});
    let solved = solved.expect("the solver runs");
    let whole = [Termination::Optimal, Termination::Infeasible];
    let how = solved.termination;
    assert!(whole.contains(&how), "{how:?}");
    solved
}

/// Both programs, asked by `ask` (of the program and the end of the names of its columns), have one
/// optimum, the schedule of the one without slots is a point of the other, and replicas follow it.
#[track_caller]
fn same(what: &str, instance: &Instance, ask: &dyn Fn(&Program, &str) -> Program) {
    let mut instance = instance.clone();
    let built = causal::of(&instance).expect("causal supports it");
    let mine = solved(&ask(&built.program, ""), None);
    let decode = |point: &Vec<i64>| built.decode(point).expect("an order of acts");
    let decoded = mine.point.as_ref().map(decode);
    let slots = decoded.as_ref().map_or(0, |decoded| decoded.slots);
    instance.slots = instance.slots.max(slots);
    let built = timed::of(&instance).expect("timed supports it");
    let start = decoded.as_ref().map(|decoded| point_of(&built, decoded));
    let end = format!("_t{}", instance.slots);
    let theirs = solved(&ask(&built.program, &end), start);
    println!(
        "{what}: {:?}, timed {:?} from {:?}, {} nodes, {:.2} s",
        mine.primal, theirs.primal, theirs.started_from, theirs.nodes, theirs.seconds
    );
    assert_eq!(mine.primal, theirs.primal, "{what}");
    let Some(decoded) = decoded else { return };
    assert_eq!(theirs.started_from, mine.primal, "{what}");
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

#[track_caller]
fn point_of(built: &timed::Built, decoded: &Decoded) -> Vec<Option<i64>> {
    let point = built.encode(&decoded.schedule, &decoded.faulty);
    let point = point.expect("every row of the schedule has a column");
    assert!(fits(built, &point), "a row of the timed program is broken");
    point
}

/// The instance's own goal.
fn own(program: &Program, _: &str) -> Program {
    program.clone()
}

/// Random weights of what honest replicas do, every other time as many against it as for it; but for
/// requests for recovery, which `causal` adds where they bind nobody.
fn pulled(program: &Program, end: &str, views: u32, seed: u64) -> Program {
    let mut draw = weights(seed);
    let mut weight = || draw() - i64::from(seed % 2 == 1);
    let mut weights: BTreeMap<String, i64> = BTreeMap::new();
    for v in 0..views {
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
    // request to leave; and who enters a later view.
    let views = views as usize;
    assert_eq!(found.len(), views * (1 + 3 + 4 + 4 + 4) + 4 * (views - 1));
    pulled.objective = found.into_iter().filter(|(_, it)| *it != 0).collect();
    // The weights tell replicas apart.
    let symmetry = |family: FamilyId| program.families[family.0 as usize].tag == Tag::Symmetry;
    pulled.rows.retain(|row| !symmetry(row.family));
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
        for (who, faults) in faults() {
            let instance = production(goal, Network::Eventual, &faults);
            same(&format!("{goal:?}, eventual, {who}"), &instance, &own);
        }
        let mut instance = production(goal, Network::Asynchronous, &[]);
        for timeouts in [3, 5, 6] {
            instance.budget.timeouts = Some(timeouts);
            same(&format!("{goal:?}, {timeouts} timeouts"), &instance, &own);
        }
    }
}

/// The optima with random weights, for each kind of fault.
#[track_caller]
fn pulls_agree(what: &str, of: impl Fn(&[Fault]) -> Instance) {
    for (who, faults) in faults() {
        let instance = of(&faults);
        for seed in DRAWS {
            let ask = |program: &Program, end: &str| pulled(program, end, instance.views, seed);
            same(&format!("weights {seed}, {what}, {who}"), &instance, &ask);
        }
    }
}

#[test]
fn what_replicas_do_agrees() {
    pulls_agree("two views", |faults| {
        production(Goal::Views, Network::Asynchronous, faults)
    });
}

#[test]
fn what_replicas_do_in_three_views_agrees() {
    let (views, slots) = SLOTS[1];
    pulls_agree("three views", |faults| Instance {
        views,
        slots,
        ..production(Goal::Views, Network::Asynchronous, faults)
    });
}

#[test]
fn what_replicas_do_before_everything_rests_agrees() {
    pulls_agree("at rest", |faults| {
        production(Goal::Stall, Network::Eventual, faults)
    });
}

#[test]
fn goals_agree_under_a_mutant() {
    for (goal, network) in [
        (Goal::Fork, Network::Asynchronous),
        (Goal::Views, Network::Asynchronous),
        (Goal::Stall, Network::Eventual),
    ] {
        // Where four replicas are, the quorum is too small for `causal`.
        let instance = Instance {
            mutant: Some("small-quorum".to_owned()),
            replicas: 5,
            ..production(goal, network, &[any(FaultKind::Byzantine, 1)])
        };
        same(&format!("{goal:?}, small-quorum"), &instance, &own);
    }
}
