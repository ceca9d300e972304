//! Schedules with the fewest acts: proved minimal, replayed, and no smaller one exists.

mod support;

use milp_schema::{Act, read};
use milp_show::acts::counts;
use milp_study::{folder::Folder, minimize::minimize, verify};
use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};
use support::settings;

fn kept(place: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../results")
        .join(place)
}

/// The stall of four replicas needs no late message at all: two timers that fire early are enough.
#[test]
fn the_stall_of_four_replicas_needs_two_early_timers_and_no_delay() {
    let from = Folder::read(&kept("dbft2/n4-stall")).expect("a kept result");
    let minimized = minimize(
        &from,
        &settings(300.0, true),
        "test",
        &AtomicBool::new(false),
        &mut |_| (),
    )
    .expect("it solves");
    assert!(minimized.proved(), "{:?}", minimized.stages);
    let after = |act| {
        let stage = minimized.stages.iter().find(|stage| stage.act == act);
        stage.expect("a stage").after
    };
    assert_eq!(after(Act::Late), 0);
    assert_eq!(after(Act::Timeout), 2);
    assert!(minimized.verdict.confirms());
    // What is written is a result like any other.
    let dir = tempfile::tempdir().expect("a folder");
    for (name, bytes) in minimized.files() {
        std::fs::write(dir.path().join(name), bytes).expect("it can be written");
    }
    let again = Folder::read(dir.path()).expect("a result");
    assert_eq!(again.schedule, minimized.schedule);
    let has = counts(&again.outcome.instance, &again.schedule, &[]);
    assert_eq!(has[&Act::Late], 0);
    let noted = again.outcome.run.iter().any(|(key, words)| {
        key == "acts" && words.starts_with("proved minimal, in this order: 0 late")
    });
    assert!(noted, "{:?}", again.outcome.run);
    read::outcome(&dir.path().join("outcome.yaml")).expect("it is read again");
    // The bound of the result given holds for the point of the new schedule.
    let verified = verify::unsolved(dir.path()).expect("it is checked");
    assert_eq!(verified.differences, Vec::<String>::new());
    assert_eq!(verified.value, from.outcome.primal);
}

/// The bound of a result is kept, so the result has to be of the plain program.
#[test]
fn results_with_cuts_are_refused() {
    let given = Folder::read(&kept("dbft2/n4-stall")).expect("a kept result");
    let refused = |folder: &Folder| {
        let (settings, interrupt) = (settings(60.0, true), AtomicBool::new(false));
        let answer = minimize(folder, &settings, "test", &interrupt, &mut |_| ());
        answer.expect_err("it is refused").to_string()
    };
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("cuts.yaml"), "").expect("it can be written");
    let mut learned = given;
    learned.dir = dir.path().to_owned();
    assert!(refused(&learned).contains("cuts learned from an engine"));
}

/// Two Byzantine replicas of four make the others decide different blocks: each is given a proposal
/// and two votes of both kinds, everything in time. The bound stays that of any number of slots.
#[test]
fn a_fork_of_a_protocol_file_is_proved_to_need_ten_messages_and_no_delay() {
    let mut instance = support::instance("tendermint", 1, 6, milp_schema::instance::Goal::Fork);
    instance.faults = vec![support::any(milp_schema::instance::FaultKind::Byzantine, 2)];
    instance.blocks_per_proposal = 2;
    instance.formulation = milp_schema::instance::Formulation::Auto;
    let settings = settings(300.0, true);
    let request = milp_study::solve::Request {
        instance: &instance,
        settings: &settings,
        warm_start: None,
        adequacy: false,
        command: "test",
    };
    let never = AtomicBool::new(false);
    let solution = milp_study::solve::solve(&request, &never, &mut |_| ()).expect("it solves");
    assert_eq!(solution.outcome.formulation, "levels");
    let dir = tempfile::tempdir().expect("a folder");
    for (name, bytes) in solution.files() {
        std::fs::write(dir.path().join(name), bytes).expect("it can be written");
    }
    let from = Folder::read(dir.path()).expect("a result");
    let minimized = minimize(&from, &settings, "test", &never, &mut |_| ()).expect("it solves");
    assert!(minimized.proved(), "{:?}", minimized.stages);
    let stages = minimized.stages.iter();
    let after: Vec<_> = stages.map(|it| (it.act, it.after)).collect();
    assert_eq!(after, [(Act::Faulty, 2), (Act::Made, 10), (Act::Late, 0)]);
    assert_eq!(minimized.outcome.formulation, "levels");
    for (name, bytes) in minimized.files() {
        std::fs::write(dir.path().join(name), bytes).expect("it can be written");
    }
    let verified = verify::unsolved(dir.path()).expect("it is checked");
    assert_eq!(verified.differences, Vec::<String>::new());
    assert_eq!(verified.value, Some(2));

    // It is a start for the same question, which a schedule that nobody follows is not.
    let start = |folder: &Folder| {
        let asked = milp_study::solve::Request {
            warm_start: Some(folder),
            ..request.clone()
        };
        milp_study::solve::solve(&asked, &never, &mut |_| ()).map(|it| it.started_from)
    };
    let mut folder = Folder::read(dir.path()).expect("a result");
    folder.outcome.program = None;
    assert_eq!(start(&folder).expect("it solves"), Some(2));
    folder.schedule.predictions.pop();
    assert!(start(&folder).is_err());
}

/// A result without slots is stated in the slots that its schedule takes, and its value stays.
#[test]
fn a_result_of_counting_is_minimised_in_slots() {
    let mut instance = support::instance("dbft2", 1, 6, milp_schema::instance::Goal::Fork);
    instance.formulation = milp_schema::instance::Formulation::Auto;
    let settings = settings(120.0, true);
    let request = milp_study::solve::Request {
        instance: &instance,
        settings: &settings,
        warm_start: None,
        adequacy: false,
        command: "test",
    };
    let solution = milp_study::solve::solve(&request, &AtomicBool::new(false), &mut |_| ())
        .expect("it solves");
    assert_eq!(solution.outcome.formulation, "counting");
    let from = Folder {
        dir: PathBuf::from("."),
        outcome: solution.outcome.clone(),
        schedule: solution.schedule.expect("a schedule"),
    };
    let minimized = minimize(
        &from,
        &settings,
        "test",
        &AtomicBool::new(false),
        &mut |_| (),
    )
    .expect("it solves");
    assert!(minimized.proved(), "{:?}", minimized.stages);
    assert_eq!(minimized.outcome.formulation, "timed");
    assert_eq!(minimized.outcome.primal, solution.outcome.primal);
    let dir = tempfile::tempdir().expect("a folder");
    for (name, bytes) in minimized.files() {
        std::fs::write(dir.path().join(name), bytes).expect("it can be written");
    }
    let verified = verify::unsolved(dir.path()).expect("it is checked");
    assert_eq!(verified.differences, Vec::<String>::new());
}
