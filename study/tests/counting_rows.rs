//! The rows of `counting`: no execution of the replicas is cut, every family is needed, and the valid
//! ones close the gap as far as written here and no further.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    formulation::counting::{self, Built},
    program::{Col, Program, Tag},
};
use milp_replay::{Options, Protocol, Recovery, Signatures, random, replay};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Sense},
    outcome::Certificate,
};
use milp_solver::Settings;
use std::{collections::BTreeMap, sync::atomic::AtomicBool};
use support::{any, instance, settings};

/// How many random objectives each variant is asked.
const PULLS: u64 = 6;

/// What the families are looked at on.
#[expect(clippy::too_many_lines, reason = "one list")]
fn variants() -> Vec<(&'static str, Instance)> {
    let mut all = vec![];
    let mut push = |name: &'static str, protocol: &str, goal, change: &dyn Fn(&mut Instance)| {
        let mut instance = instance(protocol, 3, 16, goal);
        change(&mut instance);
        all.push((name, instance));
    };
    let byzantine = |i: &mut Instance| i.faults = vec![any(FaultKind::Byzantine, 1)];
    let weighted = |blocks, views, messages| Goal::Weighted {
        sense: Sense::Maximize,
        blocks,
        views,
        messages,
    };
    push("fork", "dbft2", Goal::Fork, &|_| {});
    push("fork, dbft1", "dbft1", Goal::Fork, &|_| {});
    push("fork, Byzantine", "dbft2", Goal::Fork, &byzantine);
    push("fork, eventual", "dbft2", Goal::Fork, &|i| {
        byzantine(i);
        i.network = Network::Eventual;
    });
    push("fork, equivocation", "dbft1", Goal::Fork, &|i| {
        byzantine(i);
        i.blocks_per_proposal = 2;
    });
    push("fork, beyond budget", "dbft2", Goal::Fork, &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 2)];
        i.blocks_per_proposal = 2;
    });
    push("fork, no commit lock", "dbft2", Goal::Fork, &|i| {
        i.mutant = Some("no-commit-lock".into());
    });
    push("fork, small quorum", "dbft2", Goal::Fork, &|i| {
        i.mutant = Some("small-quorum".into());
    });
    push("finality", "dbft2", Goal::Finality, &byzantine);
    push("finality, no timeouts", "dbft1", Goal::Finality, &|i| {
        i.budget.timeouts = Some(0);
    });
    push("views", "dbft2", Goal::Views, &|_| {});
    push("views, Byzantine", "dbft2", Goal::Views, &byzantine);
    push("views, few timeouts", "dbft2", Goal::Views, &|i| {
        i.budget.timeouts = Some(3);
    });
    push(
        "views, few timeouts, Byzantine",
        "dbft2",
        Goal::Views,
        &|i| {
            byzantine(i);
            i.budget.timeouts = Some(3);
        },
    );
    push("finality, equivocation", "dbft1", Goal::Finality, &|i| {
        byzantine(i);
        i.blocks_per_proposal = 2;
    });
    push("views, five of n", "dbft2", Goal::Views, &|i| {
        byzantine(i);
        i.replicas = 5;
    });
    push("weighted", "dbft2", weighted(1000, -100, 0), &byzantine);
    push("weighted, messages", "dbft2", weighted(1, 1, 1), &byzantine);
    push(
        "weighted, blocks and views",
        "dbft2",
        weighted(100, 10, -1),
        &|_| {},
    );
    push(
        "weighted, no blocks",
        "dbft2",
        weighted(-100, 10, 1),
        &|_| {},
    );
    push("weighted, dbft1", "dbft1", weighted(1, 1, 1), &byzantine);
    push("stall", "dbft2", Goal::Stall, &|i| {
        i.network = Network::Eventual;
    });
    push("stall, one view", "dbft2", Goal::Stall, &|i| {
        i.network = Network::Eventual;
        i.views = 1;
    });
    push("stall, dbft1", "dbft1", Goal::Stall, &|i| {
        i.network = Network::Eventual;
    });
    push("stall, Byzantine", "dbft1", Goal::Stall, &|i| {
        byzantine(i);
        i.network = Network::Eventual;
    });
    push("stall, crash", "dbft2", Goal::Stall, &|i| {
        i.faults = vec![any(FaultKind::Crash, 1)];
        i.network = Network::Eventual;
        i.views = 1;
    });
    push("stall, two crashes", "dbft1", Goal::Stall, &|i| {
        i.faults = vec![any(FaultKind::Crash, 2)];
        i.network = Network::Eventual;
        i.views = 1;
    });
    push("stall, no commit lock", "dbft2", Goal::Stall, &|i| {
        i.mutant = Some("no-commit-lock".into());
        i.network = Network::Eventual;
    });
    all
}

/// The values of all columns: those of an execution, and of the goal's as large as its rows let them
/// be, one after another.
fn completed(program: &Program, point: &[Option<i64>]) -> Vec<i64> {
    let mut values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
    for col in (0..point.len()).filter(|&col| point[col].is_none()) {
        values[col] = 1;
        let about = |term: &(milp_model::program::Col, i64)| term.0.index() == col;
        let holds = program
            .rows
            .iter()
            .filter(|row| row.terms.iter().any(about))
            .filter(|row| program.family(row).tag != Tag::Valid)
            .all(|row| row.holds(&values));
        values[col] = i64::from(holds);
    }
    values
}

#[test]
fn no_execution_of_the_replicas_is_cut() {
    let mut all = 0;
    for (name, instance) in variants() {
        if instance.network == Network::Eventual {
            // Random executions rarely end in a final state, or ask to leave the last view.
            continue;
        }
        let built = counting::of(&instance).expect("counting supports it");
        let (mut here, mut outside): (u32, BTreeMap<String, u32>) = (0, BTreeMap::new());
        for seed in 0..150 {
            let execution = random::execution(&instance, seed);
            let point = match built.encode(&execution.schedule, &execution.faulty) {
                Ok(point) => point,
                Err(why) => {
                    assert!(execution.left_out, "{name}, seed {seed}: {why}");
                    *outside.entry(why).or_default() += 1;
                    continue;
                }
            };
            let values = completed(&built.program, &point);
            let broken: Vec<&str> = built
                .program
                .rows
                .iter()
                .filter(|row| built.program.family(row).tag != Tag::Budget)
                .filter(|row| !row.holds(&values))
                .map(|row| row.name.as_str())
                .collect();
            assert!(
                broken.is_empty(),
                "{name}, seed {seed}, faulty {:?}: {broken:?}\n{}",
                execution.faulty,
                milp_schema::write::predictions_csv(&execution.schedule.predictions),
            );
            here += 1;
        }
        println!("{name}: {here} of 150 executions are points of the program {outside:?}");
        all += here;
    }
    assert!(all > 2000, "{all}");
}

/// The optimum, or what is wrong with it: no schedule, or one the replicas do not follow.
#[derive(Debug, Clone, PartialEq)]
enum Answer {
    Value(Option<i64>),
    Wrong(String),
}

/// The program with another objective: random weights of what happens.
fn pulled(program: &Program, seed: u64) -> Program {
    let mut pulled = program.clone();
    let mut weight = support::weights(seed);
    let happens = |name: &str| ["took_", "here_"].iter().any(|it| name.starts_with(it));
    pulled.objective = (0..program.columns.len() as u32)
        .map(|col| (Col(col), weight()))
        .filter(|(col, weight)| *weight != 0 && happens(&program.columns[col.index()].name))
        .collect();
    pulled.sense = Sense::Maximize;
    pulled
}

/// The program asked for primaries that get to their views among as few others as may be.
fn lonely(program: &Program) -> Program {
    let mut lonely = program.clone();
    let weight = |name: &str| match name {
        _ if name.starts_with("here_") => 5,
        _ if !name.ends_with("_to_enter") => 0,
        _ if name.contains("_primary_") => -1,
        _ => -2,
    };
    lonely.objective = (0..program.columns.len() as u32)
        .map(|col| (Col(col), weight(&program.columns[col as usize].name)))
        .filter(|(_, weight)| *weight != 0)
        .collect();
    lonely.sense = Sense::Maximize;
    lonely
}

fn answer(instance: &Instance, built: &Built, program: &Program) -> Answer {
    let solved = milp_solver::solve(
        program,
        &settings(60.0, false),
        &AtomicBool::new(false),
        &mut |_| {},
    )
    .expect("the solver runs");
    let Some(point) = solved.point else {
        return Answer::Value(None);
    };
    let decoded = match built.decode(&point) {
        Ok(decoded) => decoded,
        Err(error) => return Answer::Wrong(error.to_string()),
    };
    let options = Options {
        protocol: Protocol::Own,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let instance = Instance {
        slots: decoded.slots,
        ..instance.clone()
    };
    match replay(&instance, &decoded.faulty, &decoded.schedule, &options) {
        Ok(replayed) if replayed.verdict.confirms() => Answer::Value(solved.primal),
        Ok(_) => Answer::Wrong("the replicas do something else".into()),
        Err(error) => Answer::Wrong(error.to_string()),
    }
}

/// The program without a family, or with its rows one unit tighter.
fn changed(program: &Program, family: &str, drop: bool) -> Program {
    let mut changed = program.clone();
    let of = |row: &milp_model::program::Row| program.family(row).name == family;
    if drop {
        changed.rows.retain(|row| !of(row));
    } else {
        for row in changed.rows.iter_mut().filter(|row| of(row)) {
            row.upper = row.upper.map(|upper| upper - 1);
        }
    }
    changed
}

#[test]
fn without_any_family_something_impossible_is_optimal_and_a_tighter_one_cuts_an_optimum() {
    let mut needed: BTreeMap<String, Option<&str>> = BTreeMap::new();
    let mut exact: BTreeMap<String, Option<&str>> = BTreeMap::new();
    for (name, instance) in variants() {
        let built = counting::of(&instance).expect("counting supports it");
        // The instance's own question, then random ones.
        let mut questions = vec![built.program.clone(), lonely(&built.program)];
        questions.extend((0..PULLS).map(|seed| pulled(&built.program, seed)));
        let rights: Vec<Answer> = questions
            .iter()
            .map(|question| answer(&instance, &built, question))
            .collect();
        println!("{name}: {rights:?}");
        for right in &rights {
            assert!(matches!(right, Answer::Value(_)), "{name}: {right:?}");
        }
        for family in &built.program.families {
            let noticed = |found: &mut Option<&str>, drop: bool| {
                for (question, right) in questions.iter().zip(&rights) {
                    if found.is_some() {
                        break;
                    }
                    let other = changed(question, &family.name, drop);
                    let other = answer(&instance, &built, &other);
                    let differs = other != *right;
                    if differs {
                        *found = Some(name);
                    }
                }
            };
            if family.tag != Tag::Valid {
                let found = needed.entry(family.name.clone()).or_default();
                noticed(found, true);
            }
            let found = exact.entry(family.name.clone()).or_default();
            noticed(found, false);
        }
    }
    println!("needed: {needed:#?}\ntight: {exact:#?}");
    let idle = |families: &BTreeMap<String, Option<&str>>| -> Vec<String> {
        let unnoticed = families.iter().filter(|(_, found)| found.is_none());
        unnoticed.map(|(family, _)| family.clone()).collect()
    };
    assert_eq!(idle(&needed), Vec::<String>::new(), "not needed");
    assert_eq!(
        idle(&exact),
        Vec::<String>::new(),
        "one unit tighter cuts nothing"
    );
}

/// Optima of the relaxation: valid family, variant, with and without the family, in hundredths.
const ROOTS: &[(&str, &str, i64, i64)] = &[
    ("decisions_at_most_by_votes", "fork", 100, 133),
    ("block_requires_quorum", "fork, dbft1", 267, 300),
    ("decisions_at_most_by_votes", "fork, Byzantine", 100, 171),
    ("decisions_at_most_by_votes", "fork, eventual", 100, 171),
    (
        "quorum_requires_honest_senders",
        "fork, equivocation",
        295,
        330,
    ),
    ("block_requires_quorum", "fork, equivocation", 295, 375),
    (
        "decisions_at_most_by_votes",
        "fork, beyond budget",
        200,
        300,
    ),
    ("block_requires_quorum", "fork, no commit lock", 267, 300),
    ("decisions_at_most_by_votes", "finality", 100, 171),
    (
        "enter_requires_honest_change_view_quorum",
        "views, few timeouts, Byzantine",
        250,
        267,
    ),
    (
        "certificate_requires_honest_quorum",
        "finality, equivocation",
        450,
        500,
    ),
    ("decisions_at_most_by_votes", "weighted", 90_000, 152_857),
    (
        "block_requires_quorum",
        "weighted, blocks and views",
        11_700,
        12_125,
    ),
    (
        "decisions_at_most_by_votes",
        "weighted, blocks and views",
        11_700,
        14_750,
    ),
];

#[test]
fn every_valid_family_moves_the_root_bound_as_written_here() {
    let mut found: Vec<(String, &str, i64, i64)> = vec![];
    for (name, instance) in variants() {
        let built = counting::of(&instance).expect("counting supports it");
        let root = |program: &Program| {
            let solved = milp_solver::solve(
                program,
                &settings(60.0, true),
                &AtomicBool::new(false),
                &mut |_| {},
            );
            let bound = solved.expect("the solver runs").root_bound;
            (bound.expect("the relaxation is solved") * 100.0).round() as i64
        };
        let all = root(&built.program);
        for family in &built.program.families {
            if family.tag == Tag::Valid {
                let without = root(&changed(&built.program, &family.name, true));
                if without != all {
                    found.push((family.name.clone(), name, all, without));
                }
            }
        }
        let valid = built.program.families.iter();
        for family in valid.filter(|family| family.tag == Tag::Valid) {
            let moved = |(moved, ..): &&(&str, &str, i64, i64)| *moved == family.name;
            assert!(ROOTS.iter().any(|root| moved(&root)), "{}", family.name);
        }
    }
    let found: Vec<(&str, &str, i64, i64)> = found
        .iter()
        .map(|(family, name, all, without)| (family.as_str(), *name, *all, *without))
        .collect();
    assert_eq!(found, ROOTS);
}

/// Weights of blocks, views and messages.
const WEIGHTS: [(i64, i64, i64); 14] = [
    (0, 100, -1),
    (1000, -100, 0),
    (1, 1, 1),
    (100, 10, -1),
    (1000, 100, 1),
    (0, 1, -1),
    (10_000, 0, -1),
    (0, 0, 1),
    (-47, -11, 1),
    (-2, 3, 1),
    (-92, 14, 1),
    (-100, 0, 1),
    (11, -9, -1),
    (-3, -100, 2),
];

#[test]
fn weighted_goals_close_at_the_root_for_any_number_of_replicas() {
    let settings = Settings {
        prove: true,
        ..support::short(100)
    };
    for (n, byzantine) in [
        (4, 1),
        (5, 0),
        (7, 2),
        (13, 4),
        (31, 1),
        (31, 10),
        (100, 33),
    ] {
        for (blocks, views, messages) in WEIGHTS {
            for sense in [Sense::Maximize, Sense::Minimize] {
                let goal = Goal::Weighted {
                    sense,
                    blocks,
                    views,
                    messages,
                };
                let mut instance = instance("dbft2", n.min(7), 16, goal);
                instance.replicas = n;
                if byzantine > 0 {
                    instance.faults = vec![any(FaultKind::Byzantine, byzantine)];
                }
                let built = counting::of(&instance).expect("counting supports it");
                let solved = milp_solver::solve(
                    &built.program,
                    &settings,
                    &AtomicBool::new(false),
                    &mut |_| {},
                );
                let solved = solved.expect("the solver runs");
                let bound = matches!(solved.certificate, Certificate::SafeDualBound { .. });
                let found = (solved.primal, solved.root_bound);
                assert!(bound, "n = {n}, {byzantine} Byzantine, {goal:?}: {found:?}");
            }
        }
    }
}
