//! The exhaustive search finds the known values, and an independent explorer agrees with it.

mod common;

use common::{any, instance};
use milp_replay::{
    Error,
    search::{Found, Space, State, best},
};
use milp_schema::{
    Instance,
    instance::{Budget, FaultKind, Goal, Network, Sense, Timers},
};
use stateright::{Checker, Model, Property};

fn of(protocol: &str, goal: Goal, views: u32) -> Instance {
    Instance {
        goal,
        ..instance(protocol, 4, views, 12)
    }
}

fn faulty(kind: FaultKind, instance: Instance) -> Instance {
    Instance {
        faults: vec![any(kind, 1)],
        ..instance
    }
}

fn mutant(name: &str, instance: Instance) -> Instance {
    Instance {
        mutant: Some(name.to_owned()),
        ..instance
    }
}

fn value(instance: &Instance) -> Option<i64> {
    let Found { value, states } = best(instance).expect("searched");
    eprintln!(
        "{} {:?} {} views, {:?}, {:?}: {value:?} of {states} states",
        instance.protocol, instance.goal, instance.views, instance.faults, instance.mutant
    );
    value
}

#[test]
fn delays_alone_fork_dbft1_and_not_dbft2() {
    for goal in [Goal::Fork, Goal::Finality] {
        assert_eq!(value(&of("dbft1", goal, 1)), Some(1));
        assert_eq!(value(&of("dbft1", goal, 2)), Some(2));
        assert_eq!(value(&of("dbft2", goal, 2)), Some(1));
    }
}

#[test]
fn delays_alone_fork_the_mutants_of_dbft2() {
    assert_eq!(
        value(&mutant("no-commit-lock", of("dbft2", Goal::Fork, 2))),
        Some(2)
    );
    assert_eq!(
        value(&mutant("small-quorum", of("dbft2", Goal::Fork, 2))),
        Some(2)
    );
}

#[test]
fn one_byzantine_replica_cannot_fork_dbft2() {
    let equivocating = Instance {
        blocks_per_proposal: 2,
        ..of("dbft2", Goal::Fork, 1)
    };
    assert_eq!(
        value(&faulty(FaultKind::Byzantine, equivocating.clone())),
        Some(1)
    );
    let finality = Instance {
        goal: Goal::Finality,
        ..equivocating.clone()
    };
    assert_eq!(value(&faulty(FaultKind::Byzantine, finality)), Some(1));
    let two = Instance {
        faults: vec![any(FaultKind::Byzantine, 2)],
        ..equivocating
    };
    assert_eq!(value(&two), Some(2), "beyond the budget it forks");
}

/// By hand: most messages in one view of four replicas are a request, 3 responses, 4 commits and 4
/// blocks; the cheapest block takes a request, 2 responses, 3 commits and the block; nobody has to
/// do anything.
#[test]
fn weights_count_blocks_views_and_messages() {
    let weighted = |sense, blocks, views, messages| {
        let goal = Goal::Weighted {
            sense,
            blocks,
            views,
            messages,
        };
        value(&of("dbft2", goal, 1))
    };
    assert_eq!(weighted(Sense::Maximize, 1000, 0, 1), Some(1012));
    assert_eq!(weighted(Sense::Maximize, 1000, 0, -1), Some(1000 - 7));
    assert_eq!(weighted(Sense::Minimize, 1000, 0, 1), Some(0));
    assert_eq!(weighted(Sense::Minimize, 1000, 7, -1), Some(7 - 8));
    let goal = Goal::Weighted {
        sense: Sense::Maximize,
        blocks: 10,
        views: 3,
        messages: 0,
    };
    assert_eq!(value(&of("dbft1", goal, 2)), Some(26));
}

#[test]
fn every_modelled_view_is_entered() {
    for views in 1..=2 {
        assert_eq!(
            value(&of("dbft2", Goal::Views, views)),
            Some(i64::from(views))
        );
    }
}

#[test]
fn dbft2_can_be_stuck_and_dbft1_cannot_for_want_of_a_lock() {
    // Two committed, two asking to leave: neither makes a quorum.
    assert_eq!(value(&of("dbft2", Goal::Stall, 1)), Some(0));
    assert_eq!(value(&of("dbft2", Goal::Stall, 2)), Some(0));
    assert_eq!(
        value(&faulty(FaultKind::Crash, of("dbft2", Goal::Stall, 1))),
        Some(0)
    );
    assert_eq!(
        value(&faulty(FaultKind::Byzantine, of("dbft2", Goal::Stall, 1))),
        Some(0)
    );
    assert_eq!(value(&of("dbft1", Goal::Stall, 1)), Some(1));
    assert_eq!(
        value(&faulty(FaultKind::Crash, of("dbft1", Goal::Stall, 1))),
        Some(1)
    );
}

#[test]
fn what_is_not_searched_is_refused_by_name() {
    let good = of("dbft2", Goal::Fork, 1);
    for (instance, why) in [
        (
            Instance {
                heights: 2,
                ..good.clone()
            },
            "more than one height",
        ),
        (
            Instance {
                goal: Goal::Slow,
                ..good.clone()
            },
            "this goal",
        ),
        (faulty(FaultKind::Network, good.clone()), "network faults"),
        (
            Instance {
                goal: Goal::Finality,
                faults: vec![any(FaultKind::Byzantine, 3)],
                ..good.clone()
            },
            "certificates of Byzantine replicas alone",
        ),
        (
            Instance {
                network: Network::Bounded {
                    delay_min: 1,
                    delay_max: 2,
                    gst: 0,
                },
                ..good.clone()
            },
            "a clock",
        ),
        (
            Instance {
                timers: Timers::Protocol,
                block_time: Some(3),
                ..good.clone()
            },
            "a clock",
        ),
        (
            Instance {
                budget: Budget {
                    timeouts: Some(1),
                    ..Budget::default()
                },
                ..good.clone()
            },
            "limits on the adversary's acts",
        ),
        (
            Instance { views: 20, ..good },
            "so many views, blocks or replicas",
        ),
    ] {
        assert_eq!(best(&instance), Err(Error::NotSearched { why }));
    }
}

/// The same space for the stateright model checker, which explores it with its own code.
struct Explored {
    space: Space,
    goal: i64,
    /// Whether to look for more than the goal, which takes the whole space if there is no more.
    exceed: bool,
}

impl Model for Explored {
    type State = State;
    type Action = State;

    fn init_states(&self) -> Vec<State> {
        self.space.initial()
    }

    fn actions(&self, state: &State, actions: &mut Vec<State>) {
        actions.extend(self.space.next(state));
    }

    fn next_state(&self, _: &State, next: State) -> Option<State> {
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let reached = |model: &Self, state: &State| model.space.value(state) >= Some(model.goal);
        let exceeded = |model: &Self, state: &State| model.space.value(state) > Some(model.goal);
        let mut properties = vec![Property::sometimes("reached", reached)];
        if self.exceed {
            properties.push(Property::sometimes("exceeded", exceeded));
        }
        properties
    }
}

#[test]
fn stateright_counts_the_same_states_and_finds_the_same_value() {
    for instance in [of("dbft1", Goal::Fork, 2), of("dbft2", Goal::Fork, 2)] {
        let Found { value, states } = best(&instance).expect("searched");
        let goal = value.expect("a fork goal has a value");
        let space = Space::new(&instance).expect("searched");
        let checker = Explored {
            space,
            goal,
            exceed: true,
        }
        .checker()
        .spawn_bfs()
        .join();
        assert_eq!(checker.unique_state_count(), states);
        assert!(checker.discovery("reached").is_some());
        assert!(checker.discovery("exceeded").is_none());
    }
}
