//! What goals, budgets and timing assumptions mean, on small instances whose optimum can be
//! worked out by hand.

mod support;

use milp_model::program::Tag;
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Sense, Timers},
    outcome::Termination,
};
use milp_study::solve::{Request, Solution, solve};
use std::sync::atomic::AtomicBool;
use support::{any, instance, production, settings};

fn solved(instance: &Instance) -> Solution {
    let settings = settings(60.0, true);
    let request = Request {
        instance,
        settings: &settings,
        warm_start: None,
        adequacy: false,
        command: "a test",
    };
    let solution = solve(&request, &AtomicBool::new(false), &mut |_| {}).expect("it solves");
    assert!(solution.outcome.proved, "{}", solution.outcome.sentence);
    solution
}

#[track_caller]
fn check(instance: &Instance, expected: i64) {
    let solution = solved(instance);
    assert_eq!(
        solution.outcome.primal,
        Some(expected),
        "{}",
        solution.outcome.sentence
    );
}

#[test]
fn a_fork_of_dbft1_needs_late_copies() {
    let mut fork = instance("dbft1", 2, 11, Goal::Fork);
    fork.budget.late = Some(0);
    check(&fork, 1);
    fork.budget.late = None;
    check(&fork, 2);
}

#[test]
fn a_view_change_needs_a_quorum_of_timeouts() {
    let mut views = instance("dbft2", 2, 8, Goal::Views);
    views.budget.timeouts = Some(2);
    check(&views, 1);
    views.budget.timeouts = Some(3);
    check(&views, 2);
    // A Byzantine replica asks as well, if it may send anything.
    views.faults = vec![any(FaultKind::Byzantine, 1)];
    views.budget.timeouts = Some(2);
    check(&views, 2);
    views.budget.injects = Some(0);
    check(&views, 1);
}

#[test]
fn equivocation_needs_more_than_f_byzantine_replicas_and_copies_of_theirs() {
    let mut fork = instance("dbft2", 1, 8, Goal::Fork);
    fork.blocks_per_proposal = 2;
    fork.faults = vec![any(FaultKind::Byzantine, 1)];
    check(&fork, 1);
    fork.faults = vec![any(FaultKind::Byzantine, 2)];
    check(&fork, 2);
    // Without copies of theirs it is better for the adversary to have nobody Byzantine.
    fork.budget.injects = Some(0);
    check(&fork, 1);
}

#[test]
fn one_block_takes_four_slots_and_every_message_counts_once() {
    // Slot 1 request, 2 responses, 3 commits, 4 decision.
    let mut fork = instance("dbft2", 1, 3, Goal::Fork);
    check(&fork, 0);
    fork.slots = 4;
    check(&fork, 1);
    // Most messages in one view: a request, 3 responses, 4 commits, 4 blocks.
    let weighted = |sense, blocks, messages| Goal::Weighted {
        sense,
        blocks,
        views: 0,
        messages,
    };
    fork.goal = weighted(Sense::Maximize, 1000, 1);
    fork.slots = 6;
    check(&fork, 1012);
    // Nobody has to do anything.
    fork.goal = weighted(Sense::Minimize, 1000, 1);
    check(&fork, 0);
    // The cheapest decision: a request, 2 responses, 3 commits, 1 block.
    fork.goal = weighted(Sense::Maximize, 1000, -1);
    check(&fork, 1000 - 7);
}

#[test]
fn with_bounded_delays_and_protocol_timers_the_first_decision_is_bounded() {
    // Block time 6, delays of 1 or 2, nobody faulty: request in slot 6, three hops of 2.
    let mut slow = instance("dbft2", 2, 16, Goal::Slow);
    slow.network = Network::Bounded {
        delay_min: 1,
        delay_max: 2,
        gst: 0,
    };
    slow.timers = Timers::Protocol;
    slow.block_time = Some(6);
    check(&slow, 12);
    // Faster network, faster decision.
    slow.network = Network::Bounded {
        delay_min: 1,
        delay_max: 1,
        gst: 0,
    };
    check(&slow, 9);
    // Delays of the order of the timers: nothing is decided within the horizon.
    slow.network = Network::Bounded {
        delay_min: 1,
        delay_max: 4,
        gst: 0,
    };
    slow.block_time = Some(3);
    let solution = solved(&slow);
    assert_eq!(solution.outcome.primal, Some(17));
    assert!(
        solution
            .outcome
            .sentence
            .contains("can be later than slot 16, the last (the execution found decides in slot ")
    );
}

#[test]
fn a_goal_without_any_execution_is_infeasible_and_says_so() {
    // No final state fits into three slots with timers that must have fired and copies under way.
    let mut stall = instance("dbft2", 1, 1, Goal::Stall);
    stall.network = Network::Eventual;
    let outcome = solved(&stall).outcome;
    assert_eq!(outcome.termination, Termination::Infeasible);
    assert_eq!(outcome.primal, None);
}

#[test]
fn a_horizon_that_ends_before_the_last_view_is_entered_bounds_the_views() {
    check(&instance("dbft2", 3, 2, Goal::Views), 2);
    check(&instance("dbft2", 3, 1, Goal::Views), 1);
    check(&instance("dbft2", 3, 4, Goal::Views), 3);
}

#[test]
fn no_proof_of_safety_needs_a_valid_inequality() {
    let mut fork = instance("dbft2", 2, 9, Goal::Fork);
    fork.faults = vec![any(FaultKind::Byzantine, 1)];
    let mut program = milp_model::formulation::timed::of(&fork)
        .expect("timed supports it")
        .program;
    let families = program.families.clone();
    program
        .rows
        .retain(|row| families[row.family.0 as usize].tag != Tag::Valid);
    let stop = AtomicBool::new(false);
    let settings = settings(120.0, true);
    let solved = milp_solver::solve(&program, &settings, &stop, &mut |_| {}).expect("it solves");
    assert_eq!((solved.primal, solved.proved), (Some(1), true));
}

#[test]
fn under_the_production_rules_nobody_leaves_a_view_before_others_were_heard() {
    // Slot 1 questions, since nobody was heard; 2 requests to leave, 3 the next view.
    let mut views = production(3, 2);
    views.goal = Goal::Views;
    check(&views, 1);
    views.slots = 3;
    check(&views, 2);
    // Three of four have to ask.
    views.budget.timeouts = Some(2);
    check(&views, 1);
}

#[test]
fn under_the_production_rules_one_block_takes_four_slots() {
    let mut fork = production(1, 3);
    check(&fork, 0);
    fork.slots = 4;
    check(&fork, 1);
}

#[test]
fn under_the_production_rules_four_replicas_lock_without_a_fault() {
    let mut stall = production(2, 8);
    stall.goal = Goal::Stall;
    stall.network = Network::Eventual;
    check(&stall, 0);
}

#[test]
fn production_timers_bound_the_first_decision_of_a_fast_network() {
    // Block time 3, delays of 1, nobody faulty: request in slot 3, three hops.
    let mut slow = production(1, 9);
    slow.goal = Goal::Slow;
    slow.network = Network::Bounded {
        delay_min: 1,
        delay_max: 1,
        gst: 0,
    };
    slow.timers = Timers::Protocol;
    slow.block_time = Some(3);
    check(&slow, 6);
}
