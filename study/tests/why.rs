//! Which rules stand in the way, on instances small enough to know the answer.

mod support;

use milp_model::{formulation::timed, program::Tag};
use milp_schema::instance::{FaultKind, Goal};
use milp_study::why::{self, How, group_of, necessity, necessity_words, why_not, why_not_words};
use std::{collections::BTreeSet, sync::atomic::AtomicBool};
use support::{any, instance, production, settings};

#[test]
fn every_legal_and_budget_family_is_part_of_one_rule_or_of_the_goal() {
    let mut faulty = instance("dbft2", 2, 7, Goal::Fork);
    faulty.faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
    for question in [
        instance("dbft1", 2, 6, Goal::Fork),
        faulty,
        production(2, 7),
    ] {
        let program = timed::of(&question).expect("timed supports it").program;
        let named = why::present(&program);
        let rows: usize = named.iter().map(|rule| rule.rows).sum();
        let ruled = program.rows.iter().filter(|row| {
            let family = program.family(row);
            matches!(family.tag, Tag::Legal | Tag::Budget)
                && !family.name.starts_with("final_state_")
        });
        assert_eq!(rows, ruled.count());
        // Only forcing rules may keep every valid row.
        for rule in &named {
            let weaker = why::without(&program, &[rule.group]);
            let lost = program.rows.len() - weaker.rows.len();
            assert!(lost >= rule.rows, "{}", rule.group.name);
            assert_eq!(
                weaker
                    .rows
                    .iter()
                    .filter(|row| group_of(weaker.family(row)) == Some(rule.group))
                    .count(),
                0
            );
        }
    }
}

#[test]
fn the_lock_and_the_quorums_are_why_dbft2_does_not_fork_by_delays() {
    // A second view needs seven slots: propose, respond, commit, enter and propose, respond, commit,
    // decide. With six of them the lock would not be needed.
    let question = instance("dbft2", 2, 7, Goal::Fork);
    let settings = settings(120.0, true);
    let how = How {
        settings: &settings,
        interrupt: &AtomicBool::new(false),
    };
    let possible = why_not(&question, Some(1), how, &mut |_| ()).expect("it solves");
    assert!(possible.possible);
    let answer = why_not(&question, Some(2), how, &mut |_| ()).expect("it solves");
    assert!(!answer.possible && answer.proved, "{answer:?}");
    assert!(answer.undecided.is_empty(), "{answer:?}");
    let needed = answer
        .needed
        .iter()
        .map(|rule| rule.group.name)
        .collect::<BTreeSet<_>>();
    assert!(needed.contains("commit lock"), "{needed:?}");
    assert!(needed.contains("quorum size, commits"), "{needed:?}");
    assert!(!needed.contains("prompt reactions"), "{needed:?}");
    let words = why_not_words(&question, &answer);
    assert!(words[0].starts_with("Why can the adversary reach 2 blocks at one height not?"));
    assert!(words.iter().any(|line| line.starts_with("- commit lock (")));
}

#[test]
fn the_table_names_the_lock_and_the_quorum_size_and_says_what_every_rule_is_for() {
    // A second view needs seven slots: propose, respond, commit, enter and propose, respond, commit,
    // decide. With six of them the lock would not be needed.
    let question = instance("dbft2", 2, 7, Goal::Fork);
    let settings = settings(120.0, true);
    let how = How {
        settings: &settings,
        interrupt: &AtomicBool::new(false),
    };
    let table = necessity(&question, how, &mut |_| ()).expect("it solves");
    assert_eq!(table.whole.primal, Some(1));
    let better = |name: &str| {
        let found = table.rules.iter().find(|(rule, _)| rule.group.name == name);
        let (_, found) = found.unwrap_or_else(|| panic!("no rule {name}"));
        table.better(found)
    };
    assert_eq!(better("commit lock"), Some(true));
    assert_eq!(better("quorum size, commits"), Some(true));
    assert_eq!(better("prompt reactions"), Some(false));
    let mutant = |name: &str| {
        let found = table.mutants.iter().find(|(mutant, _)| mutant == name);
        table.better(&found.expect("a mutant").1)
    };
    assert_eq!(mutant("no-commit-lock"), Some(true));
    let rows = necessity_words(&question, &table);
    assert_eq!(rows.len(), 1 + table.rules.len() + table.mutants.len());
    assert!(rows.iter().skip(1).all(|row| !row[4].is_empty()));
}

/// What stays of the valid rows follows from the rules that stay: without any valid row the
/// optimum is the same.
#[test]
fn valid_rows_that_stay_change_no_optimum() {
    let question = instance("dbft2", 2, 5, Goal::Fork);
    let program = timed::of(&question).expect("timed supports it").program;
    let settings = settings(60.0, false);
    let mut compared = 0;
    for rule in why::present(&program) {
        let weaker = why::without(&program, &[rule.group]);
        let mut bare = weaker.clone();
        bare.rows.retain(|row| weaker.family(row).tag != Tag::Valid);
        let solve = |program| {
            milp_solver::solve(program, &settings, &AtomicBool::new(false), &mut |_| ())
                .expect("it solves")
        };
        let (with, without) = (solve(&weaker), solve(&bare));
        if let (Some(one), Some(other)) = (with.primal, without.primal) {
            let closed = |solved: &milp_solver::Solved| {
                solved.termination == milp_schema::outcome::Termination::Optimal
            };
            if closed(&with) && closed(&without) {
                assert_eq!(one, other, "{}", rule.group.name);
                compared += 1;
            }
        }
    }
    assert!(compared >= 8, "{compared}");
}
