//! Every shipped protocol file means the same to the program as to the interpreter, and a reading
//! that is wrong is found.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

use milp_model::{
    formulation::levels::{self, Built},
    program::{Program, Row},
};
use milp_schema::{
    Instance, Protocol,
    instance::{Fault, FaultKind, Formulation, Goal, Network},
    protocol, write,
};
use milp_study::protocol_check::{
    Checked, Corners, Difference, Effort, Executions, Fires, Until, check, corners, executions,
    programs,
};
use std::sync::atomic::AtomicBool;

/// Counts, so that a test takes what it takes whatever the machine.
const EFFORT: Effort = Effort {
    replicas: None,
    executions: 25,
    corners: 2,
    states: 12_000,
    search_seconds: 5.0,
    seconds: 3_600.0,
};

fn show(difference: &Difference) -> String {
    let Difference {
        what,
        instance,
        faulty,
        schedule,
    } = difference;
    let (choices, predictions) = (&schedule.choices, &schedule.predictions);
    format!(
        "{what}\n{}{faulty:?}\n{}{}",
        write::instance_yaml(instance),
        write::choices_csv(choices),
        write::predictions_csv(predictions)
    )
}

fn checked(name: &str) -> Checked {
    let never = AtomicBool::new(false);
    let checked = check(Protocol::shipped(name), &EFFORT, &never, &mut |_, _| {});
    let checked = checked.unwrap_or_else(|error| panic!("{name}: {error}"));
    let all: Vec<String> = checked.differences().map(show).collect();
    assert!(all.is_empty(), "{name}: {}", all.join("\n"));
    assert_eq!(checked.refused, Vec::<String>::new(), "{name}");
    checked
}

/// Nothing differs, and enough was looked at; `unseen` rules are done in none of these executions,
/// and `same` mutants have the protocol's optimum in three views.
fn compare(name: &str, unseen: &[&str], same: &[&str]) {
    let checked = checked(name);
    let definition = protocol::named(name).unwrap_or_else(|| panic!("{name} is shipped"));
    let settings = 3 * (1 + definition.rules.mutants.len());
    assert_eq!(checked.executions.len(), settings);
    assert_eq!(checked.corners.len(), 2 * settings);
    let mut points = 0;
    for it in &checked.executions {
        println!("{}: {} points of {}", it.setting, it.points, it.tried);
        assert_eq!(it.tried, EFFORT.executions, "{it:?}");
        assert!(it.points * 100 >= it.tried * 95, "{it:?}");
        points += it.points;
    }
    let (mut followed, mut decide, mut refused) = (0, 0, 0);
    for it in &checked.corners {
        println!("{it:?}");
        (followed, decide) = (followed + it.followed, decide + it.decide);
        refused += it.refused;
    }
    println!("{name}: {points} points, {followed} corners, {refused} points refused");
    assert!(
        followed * 2 >= 2 * settings as u64 * EFFORT.corners,
        "{followed}"
    );
    assert!(decide * 4 >= followed, "{decide}");
    let nowhere = checked.fires.iter().filter(|it| it.nowhere());
    let nowhere: Vec<&str> = nowhere.map(|it| it.text.as_str()).collect();
    assert_eq!(nowhere, unseen);
    for it in &checked.fires {
        assert!(it.open.is_empty(), "{it:?}");
        println!(
            "{}: {:?} {:?} {:?}",
            it.text, it.executions, it.program, it.never
        );
    }
    let mutants = checked.optima.mutants.iter();
    let unchanged = mutants.filter(|it| it.changes() != Some(true));
    let unchanged: Vec<&str> = unchanged.map(|it| it.name.as_str()).collect();
    assert_eq!(unchanged, same);
    println!("{:?}", checked.optima.searched);
    // Views above the first may have too many states.
    assert_eq!(checked.optima.searched.len(), 3);
    assert_eq!(checked.optima.searched[0].found, Some(1));
    assert!(!checked.differs(), "{:?}", checked.optima.searched);
}

#[test]
fn both_readings_of_dbft1_agree() {
    compare("dbft1", &[], &[]);
}

#[test]
fn both_readings_of_dbft2_agree() {
    compare("dbft2", &[], &[]);
}

#[test]
fn both_readings_of_tendermint_agree() {
    compare("tendermint", &[], &["any-lock", "no-valid"]);
}

#[test]
fn both_readings_of_ibft1_agree() {
    // Who is a view behind gets three requests of the next one hardly ever.
    let skip = "skip(v) <- q round_change(v-1)";
    compare("ibft1", &[skip], &["apart", "ceil-quorum"]);
}

#[test]
fn both_readings_of_hotstuff_agree() {
    compare(
        "hotstuff",
        &[],
        &["any-qc", "early-lock", "locked-for-ever"],
    );
}

#[test]
fn both_readings_of_two_phase_hotstuff_agree() {
    compare("hotstuff-two-phase", &[], &["any-qc", "locked-for-ever"]);
}

/// A chain, whose certificates are kept whenever they are there: more corners, fewer demands.
fn compare_chain(name: &str, outside: &[&str]) {
    let effort = Effort {
        corners: 10,
        ..EFFORT
    };
    let never = AtomicBool::new(false);
    let checked = check(Protocol::shipped(name), &effort, &never, &mut |_, _| {});
    let checked = checked.unwrap_or_else(|error| panic!("{error}"));
    let all: Vec<String> = checked.differences().map(show).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
    for it in &checked.executions {
        let left_out: u64 = it.outside.values().sum();
        assert_eq!(it.points + left_out, it.tried);
        assert!(it.outside.keys().all(|why| outside.contains(why)));
        assert!(it.points > it.tried / 2);
    }
    assert!(checked.corners.iter().any(|it| it.followed >= 10));
}

#[test]
fn both_readings_of_hotstuff_with_complaints_agree() {
    compare_chain("hotstuff-complaints", &[]);
}

/// Who voted for the dummy first does not finalize, though he is led on by a block's votes.
#[test]
fn both_readings_of_simplex_agree() {
    compare_chain("simplex", &[]);
}

#[test]
fn both_readings_of_jolteon_agree() {
    compare_chain("jolteon", &["a view skipped by a proof"]);
}

fn asked(name: &str, mutant: Option<&str>) -> Instance {
    let mut instance = Instance::builder(name)
        .faults([Fault::any(FaultKind::Byzantine, 1)])
        .network(Network::Asynchronous)
        .formulation(Formulation::Levels)
        .build();
    instance.mutant = mutant.map(str::to_owned);
    instance
}

fn drawn(instance: &Instance, programs: &[Built]) -> Executions {
    let never = AtomicBool::new(false);
    let until = Until::within(3_600.0, &never);
    let found = executions(instance, programs, 0..200, &until);
    found.unwrap_or_else(|error| panic!("{error}"))
}

fn pulled(instance: &Instance, program: &Built) -> Corners {
    let never = AtomicBool::new(false);
    let until = Until::within(3_600.0, &never);
    let found = corners(instance, program, 6, &until);
    found.unwrap_or_else(|error| panic!("{error}"))
}

fn built(instance: &Instance) -> Vec<Built> {
    programs(instance).unwrap_or_else(|error| panic!("{error}"))
}

/// A program of one of them and the interpreter of the other one: both directions see it, and the
/// schedule that is shown for it has few rows.
#[test]
fn a_program_of_other_rules_is_found_by_executions_and_by_corners() {
    for (name, mutant) in [
        ("tendermint", "no-lock"),
        ("ibft1", "no-lock"),
        ("dbft2", "small-quorum"),
    ] {
        let (protocol, changed) = (asked(name, None), asked(name, Some(mutant)));
        let found = drawn(&protocol, &built(&changed));
        assert!(found.wrong > 0, "{name}: {found:?}");
        let differs = found.differs.expect("it is shown");
        println!(
            "{name}, executions: {} wrong, {}",
            found.wrong,
            show(&differs)
        );
        assert!(differs.schedule.choices.len() <= 30, "{}", show(&differs));
        let program = levels::of(&changed).expect("levels takes it");
        let found = pulled(&protocol, &program);
        println!("{name}, corners: {} wrong", found.wrong);
        assert!(found.wrong > 0, "{name}: {found:?}");
    }
}

/// Whether a row is one of those by which a vote needs a quorum.
fn needs_quorum(program: &Program, row: &Row) -> bool {
    program.family(row).name.ends_with("_requires_quorum")
}

/// A row too many cuts executions; without a family there are points that nobody follows, and they
/// are refused.
#[test]
fn a_program_with_other_rows_is_found() {
    for name in ["tendermint", "dbft1"] {
        let instance = asked(name, None);
        let mut strict = built(&instance);
        for Built { program, .. } in &mut strict {
            let rows: Vec<bool> = program
                .rows
                .iter()
                .map(|it| needs_quorum(program, it))
                .collect();
            assert!(rows.iter().filter(|it| **it).count() > 10);
            // Nobody does it any more.
            let needing = program.rows.iter_mut().zip(rows).filter(|it| it.1);
            for (row, _) in needing {
                row.terms.retain(|(_, factor)| *factor > 0);
            }
        }
        let found = drawn(&instance, &strict);
        let differs = found.differs.expect("executions are cut");
        println!("{name}: {} cut, {}", found.wrong, show(&differs));
        assert!(
            differs.what.contains("requires_quorum"),
            "{}",
            show(&differs)
        );
        assert!(differs.schedule.choices.len() <= 12, "{}", show(&differs));

        let mut loose = levels::of(&instance).expect("levels takes it");
        let before = pulled(&instance, &loose);
        let all = loose.program.clone();
        loose.program.rows.retain(|it| !needs_quorum(&all, it));
        let after = pulled(&instance, &loose);
        println!("{name}: {before:?}, without quorums {after:?}");
        assert_eq!(before.wrong + after.wrong, 0, "{before:?} {after:?}");
        assert!(after.given_up > before.given_up, "{after:?}");
        assert!(before.followed > after.followed, "{after:?}");
    }
}

/// A file that no list has: what is compared needs nothing but its text.
#[test]
fn both_readings_of_a_file_of_ones_own_agree() {
    let text = include_str!("../../cli/tests/own_protocol/ladder.yaml");
    let protocol = protocol::embedded(text).unwrap_or_else(|error| panic!("{error}"));
    let never = AtomicBool::new(false);
    let checked = check(protocol, &EFFORT, &never, &mut |_, _| {});
    let checked = checked.unwrap_or_else(|error| panic!("{error}"));
    let all: Vec<String> = checked.differences().map(show).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
    assert!(!checked.fires.iter().any(Fires::nowhere));
    assert_eq!(checked.optima.mutants[0].changes(), Some(true));
    assert!(!checked.cut_short);
}

/// What a rule makes in any view may be made late: after an act that it would have barred, and that is
/// no execution the less.
#[test]
fn an_own_record_of_any_view_may_come_after_what_it_bars() {
    let mut text = include_str!("../../cli/tests/own_protocol/ladder.yaml").to_owned();
    for (was, is) in [
        (
            "kept:\n",
            "kept:\n- {kind: seen, says: a quorum, names: any_value}\n",
        ),
        ("own second_vote(<v, *)", "own seen(<v, *)"),
        ("last own second_vote(<v, x)", "last own seen(<v, x)"),
        (
            "unless last own second_vote(<v, !x)",
            "unless last own seen(<v, !x)",
        ),
        ("drop: [\"last own second_vote", "drop: [\"last own seen"),
        (
            "- 7: \"decide",
            "- 7: \"seen(v, x) <- height, q first-vote(v, x)\"\n- 7: \"decide",
        ),
    ] {
        assert_eq!(text.matches(was).count(), 1, "{was}");
        text = text.replace(was, is);
    }
    let protocol = protocol::embedded(&text).unwrap_or_else(|error| panic!("{error}"));
    for (views, per_view) in [(2, 2), (3, 1)] {
        let mut instance = Instance::asking(protocol)
            .views(views)
            .blocks_per_proposal(per_view)
            .faults([Fault::any(FaultKind::Byzantine, 1)])
            .network(Network::Asynchronous)
            .formulation(Formulation::Levels)
            .build();
        let found = drawn(&instance, &built(&instance));
        assert_eq!((found.wrong, found.points), (0, found.tried), "{found:?}");
        instance.goal = Goal::Wasted { bad: 1, up_to: 1 };
        instance.network = Network::Eventual;
        let refused = levels::of(&instance).expect_err("a good view knows no such record");
        assert!(refused.to_string().contains("`height`"), "{refused}");
    }
}
