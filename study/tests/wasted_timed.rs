//! Goal `wasted` in slots: it has the optima of `levels`, whose executions are points of it; whatever
//! breaks a row about good views is no good view by the replay.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    Decoded, Error, build,
    formulation::slots::{self, Built},
    program::{Col, Program, Row},
};
use milp_replay::{Options, Protocol, Recovery, Signatures, replay};
use milp_schema::{
    Instance, ReplicaId,
    instance::{Fault, FaultKind, Formulation, Goal, Who},
    outcome::Termination,
};
use milp_solver::Solved;
use milp_study::solve::{Request, Solution, solve};
use std::{collections::BTreeMap, path::Path, sync::atomic::AtomicBool};
use support::{instance, settings};

/// After so many bad views, up to so many good ones, in as many slots.
fn question(protocol: &str, slots: u32, bad: u32, up_to: u32) -> Instance {
    instance(protocol, bad + up_to, slots, Goal::Wasted { bad, up_to })
}

/// Replica 0 is Byzantine: it leads the first view, which is bad then.
fn byzantine(mut instance: Instance) -> Instance {
    let (kind, who) = (FaultKind::Byzantine, Who::These(vec![ReplicaId(0)]));
    instance.faults = vec![Fault { kind, who }];
    if matches!(instance.goal, Goal::Wasted { bad: 0, .. }) {
        instance.views += 1;
    }
    instance
}

fn gossip(mut instance: Instance) -> Instance {
    instance.gossip = true;
    instance
}

fn mutant(mut instance: Instance, name: &str) -> Instance {
    instance.mutant = Some(name.to_owned());
    instance
}

/// What `levels` finds, with its schedule, which the replay has counted.
fn by_levels(instance: &Instance) -> (i64, Solution) {
    let instance = Instance {
        formulation: Formulation::Levels,
        ..instance.clone()
    };
    let request = Request {
        instance: &instance,
        settings: &settings(300.0, true),
        warm_start: None,
        adequacy: false,
        command: "test",
    };
    let solution = solve(&request, &AtomicBool::new(false), &mut |_| {}).expect("it is followed");
    (solution.outcome.primal.expect("an execution"), solution)
}

fn optimum(program: &Program) -> Solved {
    let settings = settings(300.0, false);
    let solved = milp_solver::solve(program, &settings, &AtomicBool::new(false), &mut |_| {});
    solved.expect("the solver runs")
}

/// The good views that the replay counts; nothing of the schedule is impossible, or differs from what
/// is predicted.
#[track_caller]
fn counted(what: &str, instance: &Instance, decoded: &Decoded) -> i64 {
    let options = Options {
        protocol: Protocol::Interpreter,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let replayed = replay(instance, &decoded.faulty, &decoded.schedule, &options);
    let verdict = replayed.expect("it is replayed").verdict;
    assert!(verdict.confirms(), "{what}: {:#?}", verdict.notes);
    verdict.wasted.expect("it is counted").into()
}

/// The optimum in slots, which the replay counts as well.
#[track_caller]
fn best(what: &str, instance: &Instance) -> i64 {
    let built = slots::of(instance).unwrap_or_else(|error| panic!("{what}: {error}"));
    let solved = optimum(&built.program);
    println!(
        "{what}: {:?}, {} nodes, {:.1} s, {} columns, {} rows",
        solved.primal,
        solved.nodes,
        solved.seconds,
        built.program.columns.len(),
        built.program.rows.len()
    );
    let (value, point) = (solved.primal, solved.point.expect("an execution"));
    assert_eq!(solved.termination, Termination::Optimal, "{what}");
    assert_eq!(
        Some(counted(what, instance, &built.decode(&point))),
        value,
        "{what}"
    );
    value.expect("an execution")
}

#[track_caller]
fn same(what: &str, instance: &Instance, expected: i64) {
    let (value, solution) = by_levels(instance);
    assert_eq!((value, solution.outcome.proved), (expected, true), "{what}");
    assert_eq!(best(what, instance), expected, "{what}");
}

#[test]
fn good_views_are_wasted_where_levels_wastes_them() {
    for protocol in ["ibft1", "hotstuff-two-phase"] {
        same(protocol, &byzantine(question(protocol, 10, 0, 1)), 1);
        same(protocol, &byzantine(question(protocol, 10, 1, 1)), 1);
        let shared = gossip(byzantine(question(protocol, 10, 1, 1)));
        same(&format!("{protocol}, gossip"), &shared, 1);
    }
    same(
        "tendermint",
        &byzantine(question("tendermint", 12, 1, 1)),
        1,
    );
}

#[test]
fn the_first_good_view_decides_where_levels_says_so() {
    for protocol in ["ibft1", "tendermint", "hotstuff-two-phase", "hotstuff"] {
        same(protocol, &question(protocol, 6, 0, 1), 0);
    }
}

#[test]
fn a_lock_wastes_a_view_and_without_it_the_first_good_one_decides() {
    let of_file = byzantine(question("ibft1", 10, 1, 1));
    same("ibft1, no-lock", &mutant(of_file, "no-lock"), 0);
    let of_file = gossip(byzantine(question("hotstuff", 9, 1, 1)));
    same("hotstuff", &of_file, 0);
    same("hotstuff, early-lock", &mutant(of_file, "early-lock"), 1);
}

/// The file as it is shipped, but that its rules read what was taken where it says `proof`, and that each
/// record of a sender counts.
fn as_taken(folder: &Path, protocol: &str) {
    let text = std::fs::read_to_string(format!("../protocols/{protocol}.yaml")).expect("a file");
    let edits = [
        ("proof ", ""),
        ("counts: first, ", ""),
        (&format!("\nname: {protocol}\n"), "\nname: mine\n"),
    ];
    let edited = edits
        .iter()
        .fold(text, |text, (from, to)| text.replace(from, to));
    std::fs::write(folder.join("mine.yaml"), edited).expect("it is written");
}

#[test]
fn believing_what_is_said_to_be_prepared_wastes_a_view_whoever_gossips() {
    for (protocol, mutant) in [("pbft", "trusting-primary"), ("qbft", "trusting-leader")] {
        let folder = tempfile::tempdir().expect("a folder");
        as_taken(folder.path(), protocol);
        for (mutant, gossip) in [("", false), (&*format!("mutant: {mutant}\n"), true)] {
            let text = format!(
                "format: milp-instance/2.0\nprotocol: ./mine.yaml\n{mutant}replicas: 4\n\
                 faults: {{kind: byzantine, replicas: [0]}}\nviews: 2\nslots: 10\n\
                 goal: {{wasted: {{bad: 1, up_to: 1}}}}\nformulation: timed\ngossip: {gossip}\n"
            );
            let file = folder.path().join("instance.yaml");
            std::fs::write(&file, text).expect("it is written");
            let instance = milp_schema::read::instance(&file).expect("an instance");
            same(
                &format!("{protocol} as taken, gossip: {gossip}"),
                &instance,
                1,
            );
        }
    }
}

/// The best value of a program in which what a schedule says is fixed; `None` where acts of a slot
/// exclude each other (E62).
fn told(built: &Built, solution: &Solution) -> Option<i64> {
    let schedule = solution.schedule.as_ref().expect("a schedule");
    let point = built.encode(schedule, &solution.outcome.faulty);
    let point = point.expect("a point");
    let values: Vec<i64> = point.iter().map(|it| it.unwrap_or(0)).collect();
    let known = |row: &&Row| {
        row.terms
            .iter()
            .all(|(col, _)| point[col.index()].is_some())
    };
    let rows = built.program.rows.iter().filter(known);
    let broken: Vec<&Row> = rows.filter(|row| !row.holds(&values)).collect();
    let exclusive = |row: &&&Row| {
        let mut words = ["_excludes_", "_is_forced_"].iter();
        words.any(|word| row.name.contains(word))
    };
    assert_eq!(broken.iter().find(|row| !exclusive(row)), None);
    if !broken.is_empty() {
        return None;
    }
    let mut program = built.program.clone();
    for (column, value) in program.columns.iter_mut().zip(point) {
        if let Some(value) = value {
            (column.lower, column.upper) = (value, value);
        }
    }
    let told = optimum(&program).primal;
    Some(told.expect("an execution"))
}

/// With more views than are searched in slots.
#[test]
fn executions_of_levels_are_points_of_the_same_value() {
    let mut points = 0;
    for (protocol, mutant) in [
        ("ibft1", None),
        ("ibft1", Some("apart")),
        ("hotstuff-two-phase", None),
        ("hotstuff", None),
        ("hotstuff", Some("early-lock")),
        ("tendermint", None),
        ("tendermint", Some("no-valid")),
    ] {
        for (bad, up_to) in [(0, 1), (1, 1), (1, 2), (1, 3)] {
            for shared in [false, true] {
                let mut instance = byzantine(question(protocol, 100, bad, up_to));
                instance.gossip = shared;
                instance.mutant = mutant.map(str::to_owned);
                let (value, solution) = by_levels(&instance);
                instance.slots = solution.outcome.instance.slots;
                let built = slots::of(&instance).expect("it is taken");
                let told = told(&built, &solution);
                let what = format!("{protocol} {mutant:?}, {bad} bad, {up_to}, {shared}");
                println!("{what}: {value}, told {told:?}");
                if let Some(told) = told {
                    assert_eq!(told, value, "{what}");
                    points += i32::from(value > 0);
                }
            }
        }
    }
    assert!(points > 20, "{points}");
}

/// The rows of families about good views, with the lines of E70 to E73, but for those that say what a
/// column is.
fn about_good_views(program: &Program) -> BTreeMap<String, Vec<Row>> {
    let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in &program.rows {
        let family = program.family(row);
        let defines = family.name.contains("_defines_");
        if !defines && ["E70", "E71", "E72", "E73"].contains(&family.line.as_str()) {
            rows.entry(family.name.clone())
                .or_default()
                .push(row.clone());
        }
    }
    rows
}

/// The program without a family, and with one row of it broken, a good view wasted.
fn broken(program: &Program, name: &str, row: &Row) -> Program {
    let mut program = program.clone();
    let (goal, family) = (program.objective.clone(), row.family);
    let of_family: Vec<bool> = program
        .rows
        .iter()
        .map(|it| program.family(it).name == name)
        .collect();
    let mut of_family = of_family.into_iter();
    program
        .rows
        .retain(|_| !of_family.next().expect("one each"));
    program.rows.push(Row {
        name: "broken".into(),
        lower: row.upper.map(|upper| upper + 1),
        upper: None,
        ..row.clone()
    });
    program.rows.push(Row {
        name: "value".into(),
        family,
        terms: goal,
        lower: Some(1),
        upper: None,
    });
    program.objective = Vec::<(Col, i64)>::new();
    program
}

/// How many rows of each family are broken by a point, of some that are tried; the replay counts no good
/// view in any of them.
fn tried(what: &str, instance: &Instance, some: impl Fn(&str) -> bool) -> BTreeMap<String, u32> {
    let built = slots::of(instance).expect("it is taken");
    let columns = &built.program.columns;
    // One of these columns is at least what it says, and may be more.
    let hazy = |(col, _): &(Col, i64)| columns[col.index()].name.starts_with("shared_");
    let mut all = BTreeMap::new();
    for (name, mut rows) in about_good_views(&built.program) {
        rows.retain(|row| !row.terms.iter().any(hazy));
        if !some(&name) || rows.is_empty() {
            continue;
        }
        let found = all.entry(name.clone()).or_default();
        for at in 0..rows.len().min(30) {
            let row = &rows[at * 7919 % rows.len()];
            let Some(point) = optimum(&broken(&built.program, &name, row)).point else {
                continue;
            };
            let what = format!("{what}, {}", row.name);
            let views = counted(&what, instance, &built.decode(&point));
            assert_eq!(views, 0, "{what}");
            *found += 1;
            if *found == 2 {
                break;
            }
        }
    }
    println!("{what}: {all:?}");
    all
}

#[test]
fn whatever_breaks_a_row_about_good_views_is_none_by_the_replay() {
    let views = |name: &str| !name.ends_with("_is_not_left");
    for protocol in ["hotstuff-two-phase", "ibft1"] {
        // Timers of the good view lead out of it.
        let mut instance = byzantine(question(protocol, 9, 1, 1));
        instance.views = 3;
        let found = tried(protocol, &instance, views);
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found.values().all(|found| *found > 0), "{found:?}");
    }
    // Who prevotes late makes a quorum for who precommitted nil when its timer fired.
    let precommit = |name: &str| name == "precommit_is_not_left";
    let instance = byzantine(question("tendermint", 12, 1, 1));
    let found = tried("tendermint", &instance, precommit);
    assert!(found.values().all(|found| *found > 0), "{found:?}");
}

#[test]
fn what_slots_cannot_say_is_refused_by_name() {
    let crash = Fault::any(FaultKind::Crash, 1);
    for (protocol, construct) in [
        ("qbft", "`proof`"),
        ("hotstuff-chained", "a chain"),
        ("tendermint", "crash"),
    ] {
        let mut instance = question(protocol, 8, 1, 1);
        if protocol == "tendermint" {
            instance.faults = vec![crash.clone()];
        }
        let Err(Error::Unsupported { construct: it, .. }) = build(&instance) else {
            panic!("{protocol}");
        };
        assert!(it.contains(construct), "{protocol}: {it}");
    }
}
