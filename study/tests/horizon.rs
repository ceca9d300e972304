//! What is said of executions without a decision, and of horizons that end before timers do.

mod support;

use milp_schema::{
    Instance,
    instance::{Fault, FaultKind, Goal, Network, Timers},
    outcome::Termination,
};
use milp_study::{
    reading::After,
    sentence,
    solve::{Adequacy, Request, Solution, solve},
};
use std::sync::atomic::AtomicBool;
use support::{any, instance, settings};

fn solved(instance: &Instance) -> Solution {
    let request = Request {
        instance,
        settings: &settings(300.0, true),
        warm_start: None,
        adequacy: true,
        command: "test",
    };
    let solution = solve(&request, &AtomicBool::new(false), &mut |_| ()).expect("solved");
    assert!(solution.outcome.proved, "{}", solution.outcome.sentence);
    solution
}

/// Four replicas with timers by the protocol and delays of one slot.
fn clocked(protocol: &str, slots: u32, block_time: u32, goal: Goal, faults: &[Fault]) -> Instance {
    Instance {
        faults: faults.to_vec(),
        network: Network::Bounded {
            delay_min: 1,
            delay_max: 1,
            gst: 0,
        },
        timers: Timers::Protocol,
        block_time: Some(block_time),
        ..instance(protocol, 2, slots, goal)
    }
}

#[test]
fn nobody_decides_in_time_is_not_that_nobody_ever_decides() {
    for protocol in ["dbft2", "dbft2-nspcc"] {
        // The primary proposes in slot 15.
        let short = clocked(protocol, 12, 15, Goal::Slow, &[]);
        let solution = solved(&short);
        let outcome = &solution.outcome;
        assert_eq!(outcome.primal, Some(13));
        let said = &outcome.sentence;
        assert!(!said.contains("not bounded"), "{said}");
        let decides = "later than slot 12, the last (the execution found decides in slot ";
        assert!(said.contains(decides), "{said}");
        let adequacy = solution.adequacy.expect("asked for");
        assert_eq!(
            adequacy,
            Adequacy::TimersRunLonger { slots: 30 },
            "{protocol}"
        );
        assert!(!adequacy.is_adequate());
        assert_eq!(sentence::plain(&short, 13), ">12");
    }
}

#[test]
fn an_execution_that_comes_to_rest_undecided_is_not_bounded_whatever_the_horizon() {
    let stuck = Instance {
        beyond_budget: true,
        ..clocked("dbft2", 12, 3, Goal::Slow, &[any(FaultKind::Crash, 2)])
    };
    let solution = solved(&stuck);
    let said = &solution.outcome.sentence;
    assert!(
        said.starts_with("it can be that nobody ever decides"),
        "{said}"
    );
    assert_eq!(solution.adequacy, Some(Adequacy::Undecided(After::Never)));
}

#[test]
fn no_horizon_is_adequate_that_ends_before_the_timers_whatever_the_goal() {
    // Nobody leaves view 0 before slot 10; with fourteen slots nothing is different.
    for (slots, adequate) in [(5, false), (14, true)] {
        let views = clocked("dbft2", slots, 5, Goal::Views, &[any(FaultKind::Crash, 1)]);
        let solution = solved(&views);
        assert_eq!(solution.outcome.termination, Termination::Optimal);
        let adequacy = solution.adequacy.expect("asked for");
        let words = adequacy.words();
        assert_eq!(adequacy.is_adequate(), adequate, "{slots}: {words}");
        assert_eq!(words.starts_with("adequate: "), adequate, "{words}");
    }
}
