//! The program in slots of protocols that are files: against the one written from rule lists, and
//! against the replicas made from the files.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    Decoded,
    formulation::{slots, timed},
    program::{Col, Program, Row, Tag},
};
use milp_replay::{Options, Protocol, Recovery, Signatures, replay};
use milp_schema::{
    Choice, Instance, Schedule,
    instance::{FaultKind, Goal, Network, Sense, Timers},
    schedule::Event,
};
use milp_solver::Solved;
use std::{collections::BTreeSet, sync::atomic::AtomicBool};
use support::{any, instance, settings, short, weights};

/// The optimum, proved.
#[track_caller]
fn optimum(what: &str, program: &Program) -> Solved {
    let settings = settings(300.0, false);
    let solved = milp_solver::solve(program, &settings, &AtomicBool::new(false), &mut |_| {});
    let solved = solved.expect("the solver runs");
    println!(
        "{what}: {:?}, root {:?}, {} nodes, {:.1} s, {} columns, {} rows",
        solved.primal,
        solved.root_bound,
        solved.nodes,
        solved.seconds,
        program.columns.len(),
        program.rows.len()
    );
    solved
}

/// Replicas made from the file do what the schedule says.
#[track_caller]
fn follow(what: &str, instance: &Instance, decoded: &Decoded) {
    let options = Options {
        protocol: Protocol::Interpreter,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let replayed = replay(instance, &decoded.faulty, &decoded.schedule, &options);
    let tables = || {
        format!(
            "{}\n{}",
            milp_schema::write::choices_csv(&decoded.schedule.choices),
            milp_schema::write::predictions_csv(&decoded.schedule.predictions)
        )
    };
    let replayed = replayed.unwrap_or_else(|error| panic!("{what}: {error}\n{}", tables()));
    assert!(
        replayed.verdict.confirms(),
        "{what}, faulty {:?}: {:#?}\n{}",
        decoded.faulty,
        replayed.verdict.notes,
        tables()
    );
}

/// The optimum of a file, which its replicas follow.
#[track_caller]
fn best(what: &str, instance: &Instance) -> Option<i64> {
    let built = slots::of(instance).unwrap_or_else(|error| panic!("{what}: {error}"));
    let solved = optimum(what, &built.program);
    if let Some(point) = &solved.point {
        let decoded = built.decode(point);
        follow(what, instance, &decoded);
        let again = built
            .encode(&decoded.schedule, &decoded.faulty)
            .expect("its own");
        let again: Vec<i64> = again.iter().map(|it| it.unwrap_or(0)).collect();
        // Which of the copies of a slot comes first is no part of a point.
        let sorted = |mut decoded: Decoded| {
            let choices = &mut decoded.schedule.choices;
            choices.sort_by_cached_key(|choice| (choice.slot(), format!("{choice:?}")));
            decoded
        };
        assert_eq!(sorted(built.decode(&again)), sorted(decoded), "{what}");
    }
    solved.primal
}

/// Both programs in slots have the same optimum.
#[track_caller]
fn same(what: &str, instance: &Instance) {
    let old = timed::of(instance).expect("timed supports it");
    let old = optimum(&format!("{what}, rule list"), &old.program);
    assert_eq!(best(what, instance), old.primal, "{what}");
}

/// An optimum that is known.
#[track_caller]
fn check(what: &str, instance: &Instance, expected: i64) {
    assert_eq!(best(what, instance), Some(expected), "{what}");
}

fn byzantine(protocol: &str, slots: u32, mutant: Option<&str>) -> Instance {
    let mut instance = instance(protocol, 2, slots, Goal::Fork);
    instance.faults = vec![any(FaultKind::Byzantine, 1)];
    instance.mutant = mutant.map(str::to_owned);
    instance
}

#[test]
fn dbft_has_the_optima_of_its_rule_list() {
    for goal in [Goal::Fork, Goal::Finality, Goal::Views] {
        same("dbft1", &instance("dbft1", 2, 9, goal));
        same("dbft2", &instance("dbft2", 2, 8, goal));
    }
    same("dbft1", &instance("dbft1", 2, 11, Goal::Fork));
}

#[test]
fn tendermint_decides_one_block() {
    check("tendermint", &byzantine("tendermint", 12, None), 1);
}

#[test]
fn tendermint_without_lock_decides_two() {
    check("no-lock", &byzantine("tendermint", 12, Some("no-lock")), 2);
}

#[test]
fn tendermint_without_proof_of_lock_decides_two() {
    check("no-pol", &byzantine("tendermint", 12, Some("no-pol")), 2);
}

#[test]
fn ibft1_decides_one_block() {
    check("ibft1", &byzantine("ibft1", 12, None), 1);
}

#[test]
fn ibft1_without_lock_decides_two() {
    check("ibft1 no-lock", &byzantine("ibft1", 12, Some("no-lock")), 2);
}

/// Whether every row but those of budgets holds, of the columns that are known; the families of those
/// that do not.
fn broken(program: &Program, point: &[Option<i64>]) -> BTreeSet<String> {
    let values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
    let known = |row: &Row| {
        row.terms
            .iter()
            .all(|(col, _)| point[col.index()].is_some())
    };
    let asked = |row: &&Row| program.family(row).tag != Tag::Budget;
    let rows = program.rows.iter().filter(asked);
    let broken = rows.filter(|row| known(row) && !row.holds(&values));
    broken.map(|row| program.family(row).name.clone()).collect()
}

/// Whether what happens in the slot of a prediction may as well not, or is said twice.
fn is_free(schedule: &Schedule, place: usize) -> bool {
    let it = &schedule.predictions[place];
    let fires = |choice: &Choice| {
        matches!(choice, Choice::Timeout { slot, replica, .. }
            if (*slot, *replica) == (it.slot, it.replica))
    };
    matches!(it.event, Event::Decide(_)) || schedule.choices.iter().any(fires)
}

/// Random executions of replicas made from a file are points, but for what excludes one another in a
/// slot (E62) and values named early (E63); without one of its reactions none is.
fn two_ways(what: &str, instance: &Instance, each: u64) {
    let built = slots::of(instance).unwrap_or_else(|error| panic!("{what}: {error}"));
    let (mut points, mut outside, mut exclusive, mut dropped) = (0, 0, 0, 0);
    for seed in 0..each {
        let execution = milp_replay::random::execution(instance, seed);
        let Ok(point) = built.encode(&execution.schedule, &execution.faulty) else {
            outside += 1;
            continue;
        };
        let families = broken(&built.program, &point);
        if !families.is_empty() {
            let known = |it: &String| {
                it.ends_with("_is_forced") || it.contains("_excludes_") || it.starts_with("enter_")
            };
            assert!(
                families.iter().all(known),
                "{what}, seed {seed}: {families:?}"
            );
            exclusive += 1;
            continue;
        }
        points += 1;
        if points > 20 {
            continue;
        }
        for place in 0..execution.schedule.predictions.len() {
            if is_free(&execution.schedule, place) {
                continue;
            }
            let mut schedule = execution.schedule.clone();
            schedule.predictions.remove(place);
            let without = built.encode(&schedule, &execution.faulty);
            let legal = without.is_ok_and(|point| broken(&built.program, &point).is_empty());
            assert!(!legal, "{what}, seed {seed}, prediction {place}");
            dropped += 1;
        }
    }
    println!(
        "{what}: {points} of {each} are points, {outside} outside, {exclusive} exclude, {dropped} dropped"
    );
    assert!(
        points * 10 >= (each - outside) * 9,
        "{what}: {points} of {each}"
    );
    assert!(
        outside * 3 < each && dropped > 30,
        "{what}: {outside}, {dropped}"
    );
}

#[test]
fn random_executions_are_points() {
    for protocol in ["dbft2", "dbft1", "ibft1", "tendermint"] {
        two_ways(protocol, &byzantine(protocol, 12, None), 300);
        let mut eventual = instance(protocol, 3, 12, Goal::Fork);
        eventual.network = Network::Eventual;
        eventual.faults = vec![any(FaultKind::Crash, 1)];
        two_ways(&format!("{protocol}, eventual"), &eventual, 200);
        two_ways(
            &format!("{protocol}, by the clock"),
            &bounded(protocol, 14, Goal::Fork),
            200,
        );
        let mut heights = instance(protocol, 2, 12, Goal::Fork);
        heights.heights = 2;
        heights.faults = vec![any(FaultKind::Network, 1)];
        two_ways(&format!("{protocol}, two heights"), &heights, 200);
    }
}

/// Faults of every kind, networks, heights, budgets and timers.
#[test]
fn variants_of_dbft_have_the_optima_of_their_rule_list() {
    for (name, instance) in support::variants(2, 7) {
        // The largest of them takes minutes.
        if name != "seven replicas" {
            same(name, &instance);
        }
    }
}

/// Delays and timers by the clock.
fn bounded(protocol: &str, slots: u32, goal: Goal) -> Instance {
    let mut instance = instance(protocol, 2, slots, goal);
    instance.network = Network::Bounded {
        delay_min: 1,
        delay_max: 2,
        gst: 0,
    };
    instance.timers = Timers::Protocol;
    instance.block_time = Some(3);
    instance
}

#[test]
fn dbft_by_the_clock_has_the_optimum_of_its_rule_list() {
    for goal in [Goal::Slow, Goal::Views] {
        same("dbft1 by the clock", &bounded("dbft1", 14, goal));
        same("dbft2 by the clock", &bounded("dbft2", 14, goal));
    }
}

#[test]
fn tendermint_by_the_clock_is_slow() {
    let mut slow = bounded("tendermint", 14, Goal::Slow);
    slow.network = Network::Bounded {
        delay_min: 1,
        delay_max: 1,
        gst: 0,
    };
    slow.block_time = Some(1);
    check("tendermint by the clock, nobody faulty", &slow, 7);
    slow.faults = vec![any(FaultKind::Byzantine, 1)];
    check("tendermint by the clock", &slow, 13);
}

#[test]
fn powers_count() {
    let mut powers = instance("tendermint", 1, 6, Goal::Fork);
    powers.power = Some(vec![40, 30, 20, 10]);
    powers.faults = vec![milp_schema::instance::Fault {
        kind: FaultKind::Byzantine,
        who: milp_schema::instance::Who::Power(33),
    }];
    powers.blocks_per_proposal = 2;
    check("powers", &powers, 1);
    powers.faults[0].who = milp_schema::instance::Who::Power(40);
    check("powers, too many", &powers, 2);
}

/// Points of the program near random corners, and what happens in them.
fn corners(what: &str, instance: &Instance, seeds: u64) -> u32 {
    let built = slots::of(instance).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut points = 0;
    for seed in 0..seeds {
        let mut program = built.program.clone();
        let mut weight = weights(seed);
        // Copies are many and deeds few.
        let of = |name: &str, weight: i64| match name.split('_').next() {
            Some("did") if seed % 3 == 2 => weight * 3,
            Some("got") if seed % 2 == 1 => weight - 2,
            _ => weight,
        };
        program.objective = (0..program.columns.len() as u32)
            .map(|col| (Col(col), of(&program.columns[col as usize].name, weight())))
            .filter(|&(_, weight)| weight != 0)
            .collect();
        let mut settings = short(1);
        settings.time_limit_seconds = 20.0;
        let two = ("mip_max_improving_sols".into(), "2".into());
        settings.options.push(two);
        let solved = milp_solver::solve(&program, &settings, &AtomicBool::new(false), &mut |_| {});
        let Some(point) = solved.expect("the solver runs").point else {
            continue;
        };
        let decoded = built.decode(&point);
        follow(&format!("{what}, seed {seed}"), instance, &decoded);
        points += 1;
    }
    println!("{what}: {points} of {seeds} corners");
    points
}

#[test]
fn random_corners_replay() {
    let mut points = 0;
    for protocol in ["tendermint", "ibft1", "dbft2", "dbft1"] {
        points += corners(protocol, &byzantine(protocol, 7, None), 10);
        let mut eventual = instance(protocol, 2, 8, Goal::Views);
        eventual.network = Network::Eventual;
        points += corners(&format!("{protocol}, eventual"), &eventual, 5);
        let mut clock = bounded(protocol, 9, Goal::Slow);
        clock.faults = vec![any(FaultKind::Crash, 1)];
        points += corners(&format!("{protocol}, by the clock"), &clock, 5);
        let mut heights = instance(protocol, 1, 9, Goal::Fork);
        heights.heights = 2;
        points += corners(&format!("{protocol}, two heights"), &heights, 5);
    }
    assert!(points >= 80, "{points}");
}

/// What the program counts of the adversary's acts is what the schedule has.
#[test]
fn acts_are_counted_as_schedules_are_read() {
    for protocol in ["ibft1", "tendermint"] {
        let mut views = instance(protocol, 2, 7, Goal::Views);
        views.faults = vec![any(FaultKind::Byzantine, 1)];
        let (built, acts) = slots::with_acts(&views).expect("it builds");
        let mut program = built.program.clone();
        let goal = std::mem::take(&mut program.objective);
        let family = program.rows[0].family;
        program.rows.push(Row {
            name: "value".into(),
            family,
            terms: goal,
            lower: Some(1),
            upper: None,
        });
        program.sense = Sense::Minimize;
        let all: milp_model::expr::Expr = acts.iter().map(|(_, count)| count.clone()).sum();
        program.objective = all.terms().collect();
        let solved = optimum(protocol, &program);
        let point = solved.point.expect("a view can be left");
        let decoded = built.decode(&point);
        follow(protocol, &views, &decoded);
        let counts = milp_show::acts::counts(&views, &decoded.schedule, &decoded.faulty);
        for (act, count) in acts {
            let value: i64 = count.terms().map(|(col, k)| k * point[col.index()]).sum();
            assert_eq!(
                value + count.constant(),
                counts[&act],
                "{protocol}: {act:?}"
            );
        }
    }
}
