//! The optima of protocols that are files, without slots.

use milp_model::formulation::levels;
use milp_schema::{
    Instance,
    instance::{Fault, FaultKind, Goal, Network, Who},
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
    let mut instance = Instance::asking(file.words)
        .replicas(case.power.len() as u32)
        .power(case.power.clone())
        .views(case.views)
        .goal(goal)
        .network(Network::Asynchronous)
        .faults([Fault {
            kind: FaultKind::Byzantine,
            who: Who::Power(case.byzantine),
        }])
        .build();
    instance.mutant = case.mutant.map(str::to_owned);
    levels::of(&instance).expect("levels say it")
}

fn best(case: &Case) -> (i64, Solved) {
    let t0 = std::time::Instant::now();
    let mut built = build(case, Goal::Fork);
    eprintln!("built {:?}", t0.elapsed());
    let mut refused = 0;
    loop {
        let start = std::time::Instant::now();
        let solved = solve(
            &built.program,
            &settings(),
            &AtomicBool::new(false),
            &mut |_| {},
        );
        let solved = solved.expect("the solver runs");
        assert!(solved.proved);
        eprintln!(
            "{} {:?} {:?} b{} v{}: {:?} nodes {} root {:?} cols {} rows {} {:?}",
            case.file,
            case.mutant,
            case.power,
            case.byzantine,
            case.views,
            solved.primal,
            solved.nodes,
            solved.root_bound,
            built.program.columns.len(),
            built.program.rows.len(),
            start.elapsed(),
        );
        match built.decode(solved.point.as_ref().expect("feasible")) {
            Ok(decoded) => {
                let decided: std::collections::BTreeSet<_> = decoded
                    .schedule
                    .predictions
                    .iter()
                    .filter_map(|it| match it.event {
                        milp_schema::schedule::Event::Decide(block) => Some(block),
                        _ => None,
                    })
                    .collect();
                eprintln!(
                    "  decoded: {} slots, {} rows, {} predictions, {:?}, refused {refused}",
                    decoded.slots,
                    decoded.schedule.choices.len(),
                    decoded.schedule.predictions.len(),
                    decided
                );
                assert!(decided.len() as i64 >= solved.primal.expect("feasible"));
                return (solved.primal.expect("feasible"), solved);
            }
            Err(milp_model::Error::Refused { why, row }) => {
                eprintln!("  refused: {why} {} columns", row.terms.len());
                built.program.rows.push(*row);
                refused += 1;
                assert!(refused < 20);
            }
            Err(other) => panic!("{other}"),
        }
    }
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

fn ask(file: &str, mutant: &str, fault: (FaultKind, u32), views: u32, goal: Goal, network: Network) -> Result<(Option<i64>, String), String> {
    let file = protocol::named(file).expect("it is shipped");
    let mut instance = Instance::asking(file.words)
        .views(views)
        .goal(goal)
        .network(network)
        .faults([Fault::any(fault.0, fault.1)])
        .build();
    instance.mutant = (!mutant.is_empty()).then(|| mutant.to_owned());
    let mut built = levels::of(&instance).map_err(|it| it.to_string())?;
    let mut refused = 0;
    loop {
        let solved = solve(&built.program, &settings(), &AtomicBool::new(false), &mut |_| {}).expect("it runs");
        assert!(solved.proved);
        let Some(point) = &solved.point else { return Ok((None, format!("refused {refused}"))) };
        match built.decode(point) {
            Ok(decoded) => {
                let says = decoded.schedule.predictions.iter().map(|it| format!("{} {:?}", it.replica, it.event)).collect::<Vec<_>>();
                let rows = decoded.schedule.choices.len();
                return Ok((solved.primal, format!("refused {refused} slots {} rows {rows} predictions {} {:?}", decoded.slots, says.len(), decoded.faulty)));
            }
            Err(milp_model::Error::Refused { why, row }) => {
                eprintln!("  refused {:?}: {why}", solved.primal);
                built.program.rows.push(*row);
                refused += 1;
                assert!(refused < 20);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn goals() {
    let (byz, crash) = ((FaultKind::Byzantine, 1), (FaultKind::Crash, 1));
    let none = (FaultKind::Crash, 0);
    let (a, e) = (Network::Asynchronous, Network::Eventual);
    let weighted = Goal::Weighted { sense: milp_schema::instance::Sense::Maximize, blocks: 2, views: 1, messages: 1 };
    for (file, mutant, fault, views, goal, network) in [
        ("dbft2", "", none, 2, Goal::Stall, e),
        ("dbft2", "", crash, 2, Goal::Stall, e),
        ("dbft2", "", byz, 2, Goal::Stall, e),
        ("dbft2", "", none, 1, Goal::Stall, e),
        ("dbft1", "", byz, 2, Goal::Stall, e),
        ("tendermint", "", byz, 2, Goal::Stall, e),
        ("ibft1", "", byz, 2, Goal::Stall, e),
        ("dbft2", "", byz, 2, Goal::Fork, e),
        ("dbft1", "", byz, 2, Goal::Fork, e),
        ("dbft1", "", byz, 2, Goal::Finality, e),
        ("dbft2", "", byz, 3, Goal::Finality, e),
        ("dbft2", "", byz, 3, Goal::Views, e),
        ("dbft2", "", byz, 2, weighted, a),
        ("tendermint", "", byz, 3, Goal::Views, e),
        ("tendermint", "", byz, 3, Goal::Finality, e),
        ("tendermint", "", byz, 2, weighted, a),
        ("tendermint", "no-lock", byz, 2, Goal::Fork, e),
        ("ibft1", "no-lock", byz, 2, Goal::Fork, e),
        ("ibft1", "", byz, 3, Goal::Views, e),
    ] {
        let start = std::time::Instant::now();
        let says = ask(file, mutant, fault, views, goal, network);
        eprintln!("{file} {mutant} {fault:?} v{views} {} {network:?}: {says:?} {:?}", goal.name(), start.elapsed());
    }
}

#[test]
fn powers() {
    let of = |power: &[u32], byzantine, views| {
        let power = power.to_vec();
        best(&Case {
            power,
            ..case("tendermint", 4, byzantine, views)
        })
        .0
    };
    assert_eq!(of(&[40, 30, 20, 10], 33, 2), 1);
    assert_eq!(of(&[40, 30, 20, 10], 33, 3), 1);
    assert_eq!(of(&[3, 2, 2, 2, 1], 3, 2), 1);
    assert_eq!(of(&[3, 2, 2, 2, 1], 4, 2), 2);
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
