//! The published optima of the programs of 2020, each from its shipped question.

mod support;

use milp_model::program::{Col, Row, Tag};
use milp_published::{
    Answer, Question, build, certified,
    question::{BigM, Goal, Receipt},
    solve,
};
use milp_schema::{instance::Sense, outcome::Termination};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::AtomicBool,
};
use support::{
    names,
    search::{settings, weights},
    shipped,
};

/// Shipped questions, their optimum, and whether it is proved here or by the longer command of
/// docs/REPRODUCE.md; here the solver's word is enough for the latter.
const OPTIMA: [(&str, i64, bool); 19] = [
    ("dbft1-n4-fork", 2, true),
    ("dbft1-n4-fork-byzantine", 4, true),
    ("dbft2-n4-fork", 1, true),
    ("dbft2-n4-fork-byzantine", 1, true),
    ("dbft3-n4-fork", 1, true),
    ("dbft2-n4-min", 100, true),
    ("dbft2-n4-max-blocks", 900, true),
    ("dbft2-n4-max-all", 1582, true),
    ("dbft2-n7-min", 100, true),
    ("dbft2-n7-max-blocks", 900, true),
    ("dbft2-n7-max-all", 2525, true),
    ("dbft2-n7-max-all-corrected", 2562, true),
    ("dbft3-n4-max-all", 1659, false),
    ("dbft3-n4-max-views", 1323, false),
    ("dbft3-n4-max-blocks", 870, true),
    ("dbft2-n4-commits-delivered", 200, true),
    ("dbft2-n4-all-delivered", 1100, true),
    ("dbft2-n4-lock", 110, true),
    ("dbft2-n4-no-lock", 109, true),
];

fn solved(question: &Question, prove: bool) -> Answer {
    let (settings, stop) = (settings(900.0, prove), AtomicBool::new(false));
    solve(question, &settings, &stop, &mut |_| {}).expect("it solves")
}

/// The optimum, and for a proof that there is one.
#[track_caller]
fn check(question: &Question, expected: i64, proved: bool) -> Answer {
    let answer = solved(question, proved);
    let words = answer.sentence(question);
    assert_eq!(answer.solved.termination, Termination::Optimal, "{words}");
    assert_eq!(answer.solved.primal, Some(expected), "{words}");
    assert_eq!(answer.solved.proved, proved, "{words}");
    answer
}

#[track_caller]
fn all_of(start: &str) {
    let mut seen = 0;
    for (name, optimum, proved) in OPTIMA {
        if name.starts_with(start) {
            check(&shipped(name), optimum, proved);
            seen += 1;
        }
    }
    assert!(seen > 0, "no question starts with {start}");
}

#[test]
fn every_shipped_question_has_its_optimum_here() {
    let known: BTreeSet<String> = OPTIMA.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(BTreeSet::from_iter(names()), known);
}

#[test]
fn forks_are_as_published() {
    all_of("dbft1-n4-fork");
    all_of("dbft2-n4-fork");
    all_of("dbft3-n4-fork");
}

/// The published liveness program under the goal of the fork programs, the third of dBFT 2.0.
#[test]
fn the_liveness_program_of_dbft2_has_no_fork() {
    let mut blocks = shipped("dbft2-n4-max-blocks");
    blocks.goal = Goal {
        sense: Sense::Maximize,
        blocks: 1,
        views: 0,
        messages: 0,
    };
    check(&blocks, 1, true);
}

#[test]
fn the_goals_of_dbft2_with_four_replicas_are_as_published() {
    all_of("dbft2-n4-m");
}

#[test]
fn what_must_arrive_decides_about_liveness_as_published() {
    use Receipt::{ChangeView as V, Commit as C, PrepareRequest as Q, PrepareResponse as P};

    for (name, ..) in OPTIMA {
        if name.starts_with("dbft2-n4") && !shipped(name).deliver.is_empty() {
            all_of(name);
        }
    }
    let few: [(&[Receipt], i64); 6] = [
        (&[Q], 100),
        (&[P], 100),
        (&[Q, P], 100),
        (&[V], 100),
        (&[Q, P, V], 100),
        (&[C, V], 200),
    ];
    for (deliver, optimum) in few {
        let mut question = shipped("dbft2-n4-commits-delivered");
        question.deliver = deliver.to_vec();
        check(&question, optimum, true);
    }
}

/// Requests, responses and commits that arrive leave no execution without a block.
#[test]
fn with_everything_delivered_there_is_no_execution_without_a_block() {
    let question = shipped("dbft2-n4-all-delivered");
    let mut program = build(&question).expect("it builds").program;
    let total = program
        .columns
        .iter_mut()
        .find(|column| column.name == "totalBlockRelayed")
        .expect("the sum of blocks");
    total.upper = 0;
    let stop = AtomicBool::new(false);
    let solved = milp_solver::solve(&program, &settings(200.0, true), &stop, &mut |_| {});
    let solved = solved.expect("it solves");
    assert_eq!(solved.termination, Termination::Infeasible);
    assert!(solved.proved);
}

#[test]
fn the_lock_has_one_commit_in_the_first_view_and_two_in_the_second() {
    let answer = check(&shipped("dbft2-n4-lock"), 110, true);
    let table = answer.table().expect("a table");
    let mut commits: BTreeMap<&str, usize> = BTreeMap::new();
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.splitn(9, ',').collect();
        assert_ne!(cells[4], "BlockRelay", "{row}");
        // The fourth replica is Byzantine.
        if cells[4] == "SendCommit" && cells[3] != "4" {
            *commits.entry(cells[0]).or_default() += 1;
        }
    }
    assert_eq!(commits, BTreeMap::from([("1", 1), ("2", 2)]));
}

#[test]
fn the_goals_of_dbft2_with_seven_replicas_are_as_published() {
    all_of("dbft2-n7");
    let corrected = shipped("dbft2-n7-max-all-corrected").big_m;
    assert_eq!(corrected, BigM::Corrected);
}

#[test]
fn the_goals_of_dbft3_with_speed_up_are_as_published() {
    all_of("dbft3-n4-max");
}

/// With the valid inequalities and without them: the same optimum.
#[test]
fn valid_inequalities_change_no_optimum() {
    let goals = [(1000, 100, 0), (1000, -100, 0), (1000, 100, 1), (0, 1, -1)];
    for (blocks, views, messages) in goals {
        for sense in [Sense::Minimize, Sense::Maximize] {
            let mut question = shipped("dbft2-n4-max-all");
            (question.views, question.slots) = (2, 5);
            question.goal = Goal {
                sense,
                blocks,
                views,
                messages,
            };
            let with = solved(&question, false);
            question.valid_inequalities = false;
            let without = solved(&question, false);
            assert_eq!(with.solved.termination, Termination::Optimal);
            assert_eq!(with.solved.primal, without.solved.primal);
        }
    }
}

/// A point as a solver's file, read back and certified; a file of no point is refused.
#[test]
fn a_point_of_another_solver_is_certified_row_by_row() {
    let mut question = shipped("dbft1-n4-fork");
    // A smaller one, which is solved at once.
    question.views = 1;
    let answer = solved(&question, false);
    let point = answer.solved.point.as_deref().expect("a point");
    let text = milp_solver::solution(&answer.built.program, point, "Optimal");
    let (read, value) = certified(&answer.built, "it.sol", &text).expect("it is a point");
    assert_eq!((&*read, Some(value)), (point, answer.solved.primal));
    let broken = text.replace("totalBlockRelayed 1", "totalBlockRelayed 0");
    assert_ne!(broken, text);
    let error = certified(&answer.built, "it.sol", &broken).expect_err("no point");
    assert!(error.to_string().contains("none of the program"), "{error}");
}

/// Points of the published programs, pulled towards random corners, satisfy every row called
/// valid; those that only remove copies of points are no part of this.
#[test]
fn no_point_of_a_published_program_breaks_a_valid_inequality() {
    let names = [
        "dbft2-n4-max-all",
        "dbft3-n4-max-all",
        "dbft2-n4-fork",
        "dbft2-n4-fork-byzantine",
        "dbft3-n4-fork",
    ];
    let mut points = 0;
    for name in names {
        let mut question = shipped(name);
        (question.views, question.slots) = (2, 5);
        let built = build(&question).expect("it builds");
        let valid = |row: &&Row| built.program.family(row).tag == Tag::Valid;
        let rows: Vec<&Row> = built.program.rows.iter().filter(valid).collect();
        question.valid_inequalities = false;
        let plain = build(&question).expect("it builds");
        for seed in 0..4 {
            let mut program = plain.program.clone();
            let mut weight = weights(seed);
            program.objective = (0..program.columns.len() as u32)
                .map(|col| (Col(col), weight()))
                .filter(|(_, weight)| *weight != 0)
                .collect();
            let stop = AtomicBool::new(false);
            let solved = milp_solver::solve(&program, &settings(5.0, false), &stop, &mut |_| {});
            let Some(point) = solved.expect("it solves").point else {
                continue;
            };
            for row in &rows {
                assert!(row.holds(&point), "{name}, seed {seed}: {}", row.name);
            }
            points += 1;
        }
    }
    assert!(points >= 10, "{points}");
}
