//! The published optima of the programs of 2020, each from its shipped instance.

mod support;

use milp_model::program::{Col, Row, Tag};
use milp_schema::{
    Instance,
    instance::{BigM, Goal, REFERENCE_2020, Receipt, Sense},
    outcome::Termination,
    read, write,
};
use milp_study::{
    folder,
    solve::{Request, Solution, solve},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};
use support::{settings, weights};

/// Shipped instances, their optimum, and whether it is proved here or by the longer command of
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

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../instances/reference")
}

fn shipped(name: &str) -> Instance {
    let path = dir().join(name).with_extension("yaml");
    read::instance(&path).expect("a shipped instance is valid")
}

fn solved(instance: &Instance, prove: bool) -> Solution {
    let settings = settings(900.0, prove);
    let request = Request {
        instance,
        settings: &settings,
        warm_start: None,
        adequacy: false,
        command: "a test",
    };
    solve(&request, &AtomicBool::new(false), &mut |_| {}).expect("it solves")
}

/// The optimum, and for a proof that there is one.
#[track_caller]
fn check(instance: &Instance, expected: i64, proved: bool) -> Solution {
    let solution = solved(instance, proved);
    let outcome = &solution.outcome;
    let words = &outcome.sentence;
    assert_eq!(outcome.termination, Termination::Optimal, "{words}");
    assert_eq!(outcome.primal, Some(expected), "{words}");
    assert_eq!(outcome.proved, proved, "{words}");
    solution
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
    assert!(seen > 0, "no instance starts with {start}");
}

#[test]
fn every_shipped_instance_has_its_optimum_here() {
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(dir()).expect("the folder") {
        let path = entry.expect("an entry").path();
        files.insert(
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
        );
    }
    let known: BTreeSet<String> = OPTIMA.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(files, known);
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
    blocks.goal = Goal::Weighted {
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
        if name.starts_with("dbft2-n4") && !shipped(name).reference.deliver.is_empty() {
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
        let mut instance = shipped("dbft2-n4-commits-delivered");
        instance.reference.deliver = deliver.to_vec();
        check(&instance, optimum, true);
    }
}

/// Requests, responses and commits that arrive leave no execution without a block.
#[test]
fn with_everything_delivered_there_is_no_execution_without_a_block() {
    let instance = shipped("dbft2-n4-all-delivered");
    let built = milp_model::build(&instance).expect("it builds");
    let mut program = built.program().clone();
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
    let solution = check(&shipped("dbft2-n4-lock"), 110, true);
    let table = solution.table.as_deref().expect("a table");
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
    let corrected = shipped("dbft2-n7-max-all-corrected").reference.big_m;
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
            let mut instance = shipped("dbft2-n4-max-all");
            (instance.views, instance.slots) = (2, 10);
            instance.goal = Goal::Weighted {
                sense,
                blocks,
                views,
                messages,
            };
            let with = solved(&instance, false).outcome;
            instance.reference.valid_inequalities = false;
            let without = solved(&instance, false).outcome;
            assert_eq!(with.termination, Termination::Optimal, "{}", with.sentence);
            assert_eq!(with.primal, without.primal, "{}", without.sentence);
        }
    }
}

#[test]
fn a_result_has_a_table_in_place_of_a_schedule_and_is_read_back() {
    let instance = shipped("dbft2-n4-min");
    assert_eq!(instance.rules, REFERENCE_2020);
    let solution = check(&instance, 100, true);
    assert_eq!(solution.schedule, None);
    let files = solution.files();
    assert_eq!(
        files.keys().map(String::as_str).collect::<Vec<_>>(),
        [folder::CERTIFICATE, folder::OUTCOME, folder::TABLE]
    );
    let yaml = write::outcome_yaml(&solution.outcome);
    assert_eq!(
        read::outcome_text("outcome.yaml", &yaml),
        Ok(solution.outcome)
    );
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
        let mut instance = shipped(name);
        (instance.views, instance.slots) = (2, 10);
        let built = milp_model::build(&instance).expect("it builds");
        let valid = |row: &&Row| built.program().family(row).tag == Tag::Valid;
        let rows: Vec<&Row> = built.program().rows.iter().filter(valid).collect();
        instance.reference.valid_inequalities = false;
        let plain = milp_model::build(&instance).expect("it builds");
        for seed in 0..4 {
            let mut program = plain.program().clone();
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
