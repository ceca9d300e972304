use super::*;
use crate::reading::After;
use milp_schema::instance::{Fault, FaultKind};
use milp_schema::{instance::Goal, outcome::Termination};
use proof::SHOWN;

fn instance(goal: Goal) -> Instance {
    Instance::builder("dbft2")
        .faults([Fault::any(FaultKind::Byzantine, 1)])
        .views(4)
        .slots(24)
        .goal(goal)
        .build()
}

fn sentence(instance: &Instance, result: &Found) -> String {
    Said::of(instance, result).sentence("")
}

fn result(termination: Termination, primal: Option<i64>, dual: f64) -> Found {
    Found {
        of_program: true,
        termination,
        primal,
        dual: Some(dual),
        certificate: Certified::No,
        within_slots: true,
        reading: None,
    }
}

#[test]
fn without_slots_the_claim_is_about_any_number_of_them() {
    let timeless = Found {
        within_slots: false,
        ..result(Termination::Optimal, Some(1), 1.0)
    };
    assert_eq!(
        sentence(&instance(Goal::Fork), &timeless),
        "no two blocks can be decided at one height, with 1 Byzantine replica of 4, \
         within 4 views and any number of slots: says the solver, nothing confirms it"
    );
}

#[test]
fn a_proved_fork_bound_reads_as_the_manual_says() {
    let proved = Found {
        certificate: Certified::Exactly(1),
        ..result(Termination::Optimal, Some(1), 1.0)
    };
    assert_eq!(
        sentence(&instance(Goal::Fork), &proved),
        "no two blocks can be decided at one height, with 1 Byzantine replica of 4, \
         within 4 views and 24 slots: proved by a bound in exact integers"
    );
}

#[test]
fn words_are_as_strong_as_what_was_checked() {
    let fork = instance(Goal::Fork);
    let tail = |result: &Found| {
        sentence(&fork, result)
            .split_once(": ")
            .map(|(_, tail)| tail.to_owned())
            .unwrap()
    };
    let optimal = result(Termination::Optimal, Some(2), 2.0);
    assert_eq!(
        tail(&optimal),
        format!("{SHOWN}; nothing worse: says the solver, nothing confirms it")
    );
    let permuted = Found {
        certificate: Certified::Permuted,
        ..optimal
    };
    assert_eq!(
        tail(&permuted),
        format!(
            "{SHOWN}; nothing worse: proved by two searches on different paths, in floating-point \
             arithmetic"
        )
    );
    let cubes = Found {
        certificate: Certified::Cubes {
            all: 12,
            searched: 3,
        },
        ..result(Termination::Optimal, Some(1), 1.0)
    };
    assert_eq!(
        tail(&cubes),
        "proved case by case (12 cases), 3 of them by two searches in floating-point arithmetic"
    );
    let feasible = result(Termination::Feasible, Some(1), 2.999_999_999);
    assert_eq!(
        tail(&feasible),
        "not proved to be the worst, at most 3 says the solver"
    );
    let unlimited = result(Termination::Feasible, Some(1), f64::INFINITY);
    assert_eq!(tail(&unlimited), "not proved to be the worst");
    let infeasible = result(Termination::Infeasible, None, 0.0);
    assert_eq!(tail(&infeasible), "says the solver, nothing confirms it");
    let undecided = result(Termination::Undecided, None, 3.0);
    assert_eq!(tail(&undecided), "nothing was learned about the worst case");
}

#[test]
fn a_feasible_result_never_says_at_most() {
    for goal in [Goal::Fork, Goal::Finality, Goal::Slow, Goal::Views] {
        let said = sentence(
            &instance(goal),
            &result(Termination::Feasible, Some(1), 9.0),
        );
        let claim = said.split_once(": ").unwrap().0;
        assert!(
            !claim.contains("at most") && !claim.contains("at the latest"),
            "{said}"
        );
        assert!(!claim.contains("highest"), "{said}");
    }
}

#[test]
fn an_execution_without_a_decision_is_not_a_number_and_never_only_if_replicas_never_decide() {
    let slow = instance(Goal::Slow);
    let reading = |after| Reading {
        after,
        ..Reading::of(&slow, 1, &milp_schema::Schedule::default(), &[])
    };
    for termination in [Termination::Optimal, Termination::Feasible] {
        let said = |after| {
            let found = Found {
                reading: Some(reading(after)),
                ..result(termination, Some(25), 25.0)
            };
            sentence(&slow, &found)
        };
        let never = said(Some(After::Never));
        assert!(
            never.starts_with("it can be that nobody ever decides, with"),
            "{never}"
        );
        let later = said(Some(After::Decides(7)));
        assert!(
            later.contains("later than slot 24, the last (")
                && later.contains("decides in slot 7 of the heal phase"),
            "{later}"
        );
        for after in [Some(After::Decides(7)), Some(After::Unknown), None] {
            assert!(!said(after).contains("nobody ever"), "{}", said(after));
        }
        assert!(!never.contains("25") && !later.contains("25"));
    }
    assert_eq!(value(&slow, 25), "no decision within 24 slots");
    assert_eq!(value(&slow, 24), "slot 24");
    assert_eq!(plain(&slow, 25), ">24");
    assert_eq!(bound(&slow, Some(25), 25.0), None);
    assert_eq!(bound(&slow, Some(24), 25.0).as_deref(), Some("none"));
    assert_eq!(
        bound(&slow, Some(17), 24.0).as_deref(),
        Some("at most slot 24")
    );
    let late = sentence(&slow, &result(Termination::Optimal, Some(17), 17.0));
    assert!(
        late.starts_with("the first block is decided in slot 17 at the latest"),
        "{late}"
    );
    let open = sentence(&slow, &result(Termination::Feasible, Some(17), 25.0));
    assert!(open.ends_with("not proved to be the worst"), "{open}");
}

#[test]
fn faults_that_a_bad_schedule_does_not_use_are_said_to_be_none_of_its() {
    use milp_schema::{Choice, ReplicaId, Schedule, Slot};
    let mut stall = instance(Goal::Stall);
    stall.faults[0].kind = FaultKind::Crash;
    let said = |schedule: &Schedule, value| {
        let faulty = [(ReplicaId(1), FaultKind::Crash)];
        let found = Found {
            reading: Some(Reading::of(&stall, value, schedule, &faulty)),
            ..result(Termination::Optimal, Some(value), value as f64)
        };
        sentence(&stall, &found)
    };
    let mut schedule = Schedule::default();
    let none = said(&schedule, 0);
    assert!(
        none.contains("with 1 replica that may crash of 4 (the schedule uses none), within"),
        "{none}"
    );
    assert!(!said(&schedule, 1).contains("uses"), "nothing bad happens");
    schedule.choices.push(Choice::Crash {
        slot: Slot(1),
        replica: ReplicaId(1),
    });
    assert!(!said(&schedule, 0).contains("uses"), "{none}");
}

#[test]
fn every_kind_of_fault_and_the_mutant_are_named() {
    let mixed = Instance {
        faults: vec![
            Fault::any(FaultKind::Byzantine, 2),
            Fault::any(FaultKind::Crash, 1),
            Fault::any(FaultKind::Network, 1),
        ],
        replicas: 13,
        mutant: Some("small-quorum".into()),
        ..instance(Goal::Stall)
    };
    assert_eq!(
        sentence(&mixed, &result(Termination::Optimal, Some(0), 0.0)),
        format!(
            "after its schedule no block of height 0 can be decided any more, with 2 Byzantine \
             replicas and 1 replica that may crash and 1 replica with network faults of 13 under \
             the mutant small-quorum, within 4 views and 24 slots: {SHOWN}"
        )
    );
    let nobody = Instance {
        faults: vec![],
        ..instance(Goal::Views)
    };
    assert_eq!(
        sentence(&nobody, &result(Termination::Optimal, Some(4), 4.0)),
        "the highest view an honest replica can enter is view 3, with no faulty replica of 4, \
         within 4 views and 24 slots: says the solver, nothing confirms it"
    );
}

#[test]
fn a_bound_is_never_rounded_past_what_it_implies() {
    assert_eq!(grid(Goal::Fork, 1.9), 1);
    assert_eq!(grid(Goal::Fork, 1.999_999_9), 2);
    assert_eq!(grid(Goal::Stall, 0.1), 1);
    assert_eq!(grid(Goal::Stall, 0.000_000_1), 0);
}

#[test]
fn what_a_program_leaves_out_is_said_in_words_and_listed() {
    let stall = Instance::builder("dbft2-nspcc").views(2).build();
    let safe = result(Termination::Optimal, Some(1), 1.0);
    let said = sentence(&stall, &safe);
    let (_, left_out) = said.split_once(LEFT_OUT).expect("something is left out");
    assert_eq!(left_out.split("; ").count(), 6, "{said}");
    assert!(left_out.contains("no view skipped"), "{said}");
    let listed = patterns(&stall);
    assert_eq!(listed.len(), 1 + 6);
    assert!(
        listed.contains(&"- no view skipped".to_owned()),
        "{listed:?}"
    );
    assert!(patterns(&instance(Goal::Fork)).is_empty());
}

#[test]
fn voting_power_and_the_words_of_the_protocol_are_said() {
    let powers = Instance {
        power: Some(vec![40, 30, 20, 10]),
        ..Instance::builder("tendermint")
            .faults([Fault {
                kind: FaultKind::Byzantine,
                who: milp_schema::instance::Who::Power(33),
            }])
            .views(3)
            .goal(Goal::Fork)
            .build()
    };
    let found = Found {
        within_slots: false,
        ..result(Termination::Optimal, Some(1), 1.0)
    };
    assert_eq!(
        sentence(&powers, &found),
        "no two blocks can be decided at one height, with Byzantine replicas of voting power 33 of \
         100, of 4 replicas (voting power 40, 30, 20, 10), within 3 rounds and any number of \
         slots: says the solver, nothing confirms it"
    );
    let views = Instance {
        goal: Goal::Views,
        power: None,
        faults: vec![],
        ..powers
    };
    let said = sentence(&views, &result(Termination::Optimal, Some(3), 3.0));
    assert!(
        said.starts_with("the highest round an honest replica can enter is round 2"),
        "{said}"
    );
    assert_eq!(value(&views, 3), "3 rounds (the highest is round 2)");
}

#[test]
fn what_is_so_far_known_is_said_in_the_words_of_the_goal() {
    let said = |goal, primal, dual| so_far(&instance(goal), primal, dual);
    assert_eq!(
        said(Goal::Fork, Some(2), 3.2),
        "2 blocks found, at most 3 possible"
    );
    assert_eq!(
        said(Goal::Views, Some(3), 4.0),
        "view 2 found, at most view 3 possible"
    );
    assert_eq!(
        said(Goal::Stall, None, f64::NEG_INFINITY),
        "no schedule found, no bound"
    );
    assert_eq!(
        said(Goal::Slow, Some(17), 25.0),
        "a first decision in slot 17 found, no bound"
    );
}

/// A program that was not asked leaves nothing out, and has no rows that are satisfied.
#[test]
fn of_what_was_only_replayed_nothing_is_said_of_rows() {
    let stall = Instance::builder("dbft2-nspcc")
        .views(2)
        .goal(Goal::Stall)
        .build();
    let of_program = result(Termination::Feasible, Some(0), 0.0);
    let replayed = Found {
        of_program: false,
        ..of_program
    };
    let said = [of_program, replayed].map(|it| Said::of(&stall, &it));
    assert!(said[0].proof.starts_with(SHOWN), "{:?}", said[0]);
    assert!(!said[0].left_out.is_empty());
    assert!(!said[1].proof.contains("row"), "{:?}", said[1]);
    assert_eq!(said[1].left_out, Vec::<String>::new());
}
