//! Behaviours of the formal model as points of the program, and behaviours it does not have as
//! points that a named family cuts off. `docs/protocols/dbft2-tla.md`.

use milp_model::{
    formulation::timed::{self, Built},
    program::Program,
    protocols,
};
use milp_schema::{
    BlockId, Choice, Height, Instance, Message, Prediction, ReplicaId, Schedule, Slot, View,
    instance::{Fault, FaultKind, Formulation, Goal, Network, Sense, Timers},
    schedule::{Copy, Event},
};

/// Slot, replica, what it does, its view; `dies` and `sends …` (of a Byzantine replica) are the
/// adversary's.
type Step = (u32, u32, &'static str, u32);

fn instance(protocol: &str, goal: Goal, fault: Option<FaultKind>) -> Instance {
    Instance::builder(protocol)
        .faults(fault.map(|kind| Fault::any(kind, 1)))
        .slots(20)
        .goal(goal)
        .formulation(Formulation::Timed)
        .build()
}

fn message(what: &str, view: u32) -> Message {
    let (kind, block) = match what {
        "request" => ("PrepareRequest", Some(0)),
        "response" => ("PrepareResponse", Some(0)),
        "commit" => ("Commit", Some(0)),
        "change" => ("ChangeView", None),
        _ => panic!("no message is called {what}"),
    };
    let kind = milp_schema::Protocol::shipped("dbft2-tla").the(kind);
    Message::new(kind, Height(0), View(view), block)
}

fn schedule(steps: &[Step]) -> Schedule {
    let mut schedule = Schedule::default();
    for &(slot, replica, what, view) in steps {
        let (slot, replica) = (Slot(slot), ReplicaId(replica));
        let event = match what.strip_prefix("sends ") {
            Some(what) => {
                let copy = Copy {
                    sender: replica,
                    receiver: ReplicaId(u32::from(replica.0 == 0)),
                    message: message(what, view),
                    sent: slot,
                    copy: 0,
                };
                schedule.choices.push(Choice::Inject { copy });
                continue;
            }
            None if what == "dies" => {
                schedule.choices.push(Choice::Crash { slot, replica });
                continue;
            }
            None if what == "enters" => Event::EnterView {
                height: Height(0),
                view: View(view),
            },
            None if what == "accepts" => Event::Decide(BlockId {
                height: Height(0),
                view: View(view),
                index: 0,
            }),
            None => Event::Send(message(what, view)),
        };
        schedule.predictions.push(Prediction {
            slot,
            replica,
            event,
        });
    }
    schedule.predictions.sort();
    schedule
}

/// The faulty replicas that the steps show.
fn faulty(steps: &[Step]) -> Vec<(ReplicaId, FaultKind)> {
    let mut faulty: Vec<_> = steps
        .iter()
        .filter_map(|&(_, replica, what, _)| match what {
            "dies" => Some((ReplicaId(replica), FaultKind::Crash)),
            what if what.starts_with("sends ") => Some((ReplicaId(replica), FaultKind::Byzantine)),
            _ => None,
        })
        .collect();
    faulty.sort();
    faulty.dedup();
    faulty
}

/// The value of a column of the goal that has a meaning of its own: whether a quorum accepted and
/// lives, whether somebody accepted the block of a view, or any.
fn meant(column: &str, steps: &[Step]) -> Option<i64> {
    let accepted = |view: Option<u32>| {
        steps
            .iter()
            .any(|step| step.2 == "accepts" && view.is_none_or(|view| view == step.3))
    };
    let dies = |replica| {
        steps
            .iter()
            .any(|step| step.1 == replica && step.2 == "dies")
    };
    let lives = |step: &&Step| step.2 == "accepts" && !dies(step.1);
    let value = match column {
        "over_0_0_0" => steps.iter().filter(lives).count() >= 3,
        "height_0_0_0" => accepted(None),
        "block_0_0_0" => accepted(Some(0)),
        "block_0_1_0" => accepted(Some(1)),
        _ => return None,
    };
    Some(i64::from(value))
}

/// The point of the steps. What has no meaning of its own starts at 0 and is raised, one column
/// after the other, while that mends rows.
fn point(built: &Built, steps: &[Step]) -> Vec<i64> {
    let mut partial = built
        .encode(&schedule(steps), &faulty(steps))
        .expect("every step has a column");
    for (value, column) in partial.iter_mut().zip(&built.program.columns) {
        *value = value.or_else(|| meant(&column.name, steps));
    }
    let mut point: Vec<i64> = partial.iter().map(|value| value.unwrap_or(0)).collect();
    let broken = |point: &[i64]| built.program.violations(point).count();
    let mut worst = broken(&point);
    let unknown: Vec<usize> = (0..point.len())
        .filter(|&col| partial[col].is_none())
        .collect();
    loop {
        let before = worst;
        for &col in &unknown {
            let old = std::mem::replace(&mut point[col], 1);
            let now = broken(&point);
            if now < worst {
                worst = now;
            } else {
                point[col] = old;
            }
        }
        if worst == before {
            return point;
        }
    }
}

/// The families whose rows the steps violate, each once.
fn violated(instance: &Instance, steps: &[Step]) -> Vec<String> {
    let built = timed::of(instance).expect("the instance has a program");
    families(&built.program, &point(&built, steps))
}

fn families(program: &Program, point: &[i64]) -> Vec<String> {
    let mut names: Vec<String> = program
        .rows
        .iter()
        .filter(|row| !row.holds(point))
        .map(|row| program.family(row).name.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The lock of four good replicas published of the first revision, in its order.
const FOUR_GOOD: [Step; 16] = [
    (1, 0, "request", 0),
    (2, 1, "response", 0),
    (3, 0, "change", 0),
    (4, 1, "change", 0),
    (5, 2, "response", 0),
    (6, 2, "commit", 0),
    (7, 3, "change", 0),
    (8, 1, "enters", 1),
    (9, 0, "enters", 1),
    (10, 1, "request", 1),
    (11, 0, "response", 1),
    (12, 0, "change", 1),
    (13, 1, "change", 1),
    (14, 3, "enters", 1),
    (15, 3, "response", 1),
    (16, 3, "commit", 1),
];

/// The lock published of the current one: a replica dies in view 0.
const ONE_DEAD: [Step; 7] = [
    (1, 0, "request", 0),
    (2, 0, "dies", 0),
    (3, 1, "response", 0),
    (4, 1, "change", 0),
    (5, 2, "response", 0),
    (6, 2, "commit", 0),
    (7, 3, "change", 0),
];

fn then(steps: &[Step], more: &[Step]) -> Vec<Step> {
    [steps, more].concat()
}

#[test]
fn the_published_lock_of_four_good_replicas_is_final_where_commits_count_per_view() {
    let instance = instance("dbft2-tla-per-view", Goal::Stall, None);
    assert_eq!(violated(&instance, &FOUR_GOOD), Vec::<String>::new());
    let built = timed::of(&instance).unwrap();
    assert_eq!(built.program.value(&point(&built, &FOUR_GOOD)), 0);
}

#[test]
fn where_commits_count_in_every_view_the_same_steps_are_a_behaviour_and_its_end_is_not_final() {
    let behaviour = instance("dbft2-tla", Goal::Fork, None);
    assert_eq!(violated(&behaviour, &FOUR_GOOD), Vec::<String>::new());
    // Two have committed, so 0 may answer again and 1, the primary, has no commit quorum without.
    let stall = instance("dbft2-tla", Goal::Stall, None);
    assert_eq!(
        violated(&stall, &FOUR_GOOD),
        [
            "final_state_has_no_enabled_repeated_response",
            "final_state_has_no_enabled_returning_commit"
        ]
    );
}

#[test]
fn the_published_lock_needs_a_death_where_commits_count_in_every_view() {
    let steps = then(&FOUR_GOOD, &[(17, 0, "dies", 1), (18, 1, "commit", 1)]);
    let crash = Some(FaultKind::Crash);
    let current = instance("dbft2-tla", Goal::Stall, crash);
    assert_eq!(violated(&current, &steps), Vec::<String>::new());
    // The last step comes back from a request to leave, with one commit in the view.
    let per_view = instance("dbft2-tla-per-view", Goal::Fork, crash);
    assert_eq!(
        violated(&per_view, &steps),
        ["returning_commit_requires_commit_more_than_f"]
    );
}

#[test]
fn the_published_lock_of_one_dead_replica_is_final_in_both_revisions() {
    for protocol in ["dbft2-tla", "dbft2-tla-per-view"] {
        let instance = instance(protocol, Goal::Stall, Some(FaultKind::Crash));
        assert_eq!(
            violated(&instance, &ONE_DEAD),
            Vec::<String>::new(),
            "{protocol}"
        );
    }
}

#[test]
fn a_primary_leaves_without_a_proposal_in_the_first_revision_only() {
    let steps = [(1, 0, "change", 0)];
    let per_view = instance("dbft2-tla-per-view", Goal::Fork, None);
    assert_eq!(violated(&per_view, &steps), Vec::<String>::new());
    let current = instance("dbft2-tla", Goal::Fork, None);
    assert_eq!(
        violated(&current, &steps),
        ["change_view_requires_prepare_request_as_primary"]
    );
}

/// A block in view 0, everything as early as it can be.
const BLOCK: [Step; 8] = [
    (1, 0, "request", 0),
    (2, 1, "response", 0),
    (2, 2, "response", 0),
    (2, 3, "response", 0),
    (3, 0, "commit", 0),
    (3, 1, "commit", 0),
    (3, 2, "commit", 0),
    (4, 0, "accepts", 0),
];

#[test]
fn a_behaviour_is_over_when_a_quorum_accepted_and_open_before() {
    let instance = instance("dbft2-tla", Goal::Stall, None);
    assert_eq!(
        violated(&instance, &BLOCK),
        [
            "final_state_has_no_enabled_change_view",
            "final_state_has_no_enabled_commit",
            "final_state_has_no_enabled_decide"
        ]
    );
    let accepted = then(&BLOCK, &[(4, 1, "accepts", 0), (4, 2, "accepts", 0)]);
    assert_eq!(violated(&instance, &accepted), Vec::<String>::new());
    let built = timed::of(&instance).unwrap();
    assert_eq!(built.program.value(&point(&built, &accepted)), 1);
}

#[test]
fn a_dead_replica_that_accepted_is_none_of_the_quorum_that_ends_a_behaviour() {
    let instance = instance("dbft2-tla", Goal::Stall, Some(FaultKind::Crash));
    let steps = then(
        &BLOCK,
        &[
            (4, 1, "accepts", 0),
            (4, 2, "accepts", 0),
            (5, 2, "dies", 0),
        ],
    );
    assert_eq!(
        violated(&instance, &steps),
        [
            "final_state_has_no_enabled_change_view",
            "final_state_has_no_enabled_commit",
            "final_state_has_no_enabled_decide"
        ]
    );
}

#[test]
fn a_quorum_that_leads_out_of_the_modelled_views_is_not_final() {
    let mut instance = instance("dbft2-tla", Goal::Stall, None);
    instance.views = 1;
    let steps = [
        (1, 0, "request", 0),
        (1, 1, "change", 0),
        (1, 2, "change", 0),
        (1, 3, "change", 0),
        (2, 0, "change", 0),
    ];
    assert_eq!(
        violated(&instance, &steps),
        ["final_state_has_no_enabled_enter"]
    );
}

/// What is no behaviour: the protocol, the fault, the steps, the families that say so.
type Not = (
    &'static str,
    Option<FaultKind>,
    &'static [Step],
    &'static [&'static str],
);

const NOT: [Not; 15] = [
    (
        "dbft2-tla",
        None,
        &[
            (1, 0, "request", 0),
            (1, 1, "change", 0),
            (1, 2, "change", 0),
            (1, 3, "change", 0),
            (2, 0, "change", 0),
            (2, 0, "enters", 1),
        ],
        &["act_excludes_crash", "act_excludes_decide"],
    ),
    (
        "dbft2-tla",
        None,
        &[(1, 0, "request", 0), (1, 1, "response", 0)],
        &["prepare_response_requires_prepare_request"],
    ),
    (
        "dbft2-tla",
        None,
        &[
            (1, 1, "change", 0),
            (1, 2, "change", 0),
            (1, 3, "change", 0),
            (1, 0, "enters", 1),
        ],
        &["enter_requires_change_view_quorum"],
    ),
    (
        "dbft2-tla",
        None,
        &[
            (1, 1, "change", 0),
            (2, 2, "change", 0),
            (3, 3, "enters", 1),
        ],
        &["enter_requires_change_view_quorum"],
    ),
    (
        "dbft2-tla",
        None,
        &[(1, 1, "request", 1)],
        &["prepare_request_requires_view"],
    ),
    (
        "dbft2-tla",
        None,
        &[
            (1, 0, "request", 0),
            (2, 1, "change", 0),
            (3, 1, "response", 0),
        ],
        &["returning_response_requires_commit_over_views_more_than_f"],
    ),
    (
        "dbft2-tla-per-view",
        None,
        &[(1, 0, "change", 0), (2, 0, "request", 0)],
        &["prepare_request_excludes_change_view"],
    ),
    (
        "dbft2-tla",
        None,
        &[
            (1, 0, "request", 0),
            (2, 1, "response", 0),
            (3, 1, "commit", 0),
        ],
        &["commit_requires_prepare_request_or_prepare_response_quorum"],
    ),
    (
        "dbft2-tla",
        None,
        &[
            (1, 0, "request", 0),
            (2, 1, "response", 0),
            (2, 2, "response", 0),
            (3, 3, "commit", 0),
        ],
        &["commit_requires_prepare_request_or_prepare_response"],
    ),
    (
        "dbft2-tla",
        None,
        &[
            (1, 0, "request", 0),
            (2, 1, "response", 0),
            (2, 2, "response", 0),
            (3, 1, "commit", 0),
            (4, 1, "change", 0),
        ],
        &[
            "change_view_excludes_commit",
            "change_view_or_commit_at_most_once",
        ],
    ),
    (
        "dbft2-tla",
        None,
        &[
            (1, 0, "request", 0),
            (2, 1, "response", 0),
            (2, 2, "response", 0),
            (3, 0, "commit", 0),
            (3, 1, "commit", 0),
            (4, 0, "accepts", 0),
        ],
        &[
            "block_requires_honest_quorum",
            "decide_requires_commit_quorum",
        ],
    ),
    (
        "dbft2-tla",
        Some(FaultKind::Crash),
        &[
            (1, 0, "request", 0),
            (2, 1, "dies", 0),
            (2, 1, "response", 0),
        ],
        &["act_excludes_crash"],
    ),
    (
        "dbft2-tla",
        None,
        &[
            (1, 0, "request", 0),
            (2, 1, "response", 0),
            (2, 2, "response", 0),
            (2, 3, "response", 0),
            (3, 0, "commit", 0),
            (3, 1, "commit", 0),
            (3, 2, "commit", 0),
            (4, 3, "accepts", 0),
            (5, 3, "change", 0),
        ],
        &["act_excludes_decide"],
    ),
    (
        "dbft2-tla",
        Some(FaultKind::Byzantine),
        &[(1, 3, "sends commit", 1), (2, 3, "sends change", 0)],
        &["inject_excludes_inject_of_later_view"],
    ),
    (
        "dbft2-tla",
        Some(FaultKind::Byzantine),
        &[(1, 3, "sends commit", 0), (2, 3, "change", 0)],
        &[
            "act_excludes_crash",
            "change_view_at_most_once",
            "change_view_or_commit_at_most_once",
        ],
    ),
];

#[test]
fn what_is_no_behaviour_is_cut_off_by_the_family_that_says_so() {
    for (protocol, fault, steps, families) in NOT {
        let instance = instance(protocol, Goal::Fork, fault);
        assert_eq!(violated(&instance, steps), families, "{steps:?}");
    }
}

#[test]
fn a_byzantine_replica_counts_once_however_often_it_commits_and_asks() {
    let byzantine = Some(FaultKind::Byzantine);
    let steps = [
        (1, 0, "request", 0),
        (1, 3, "sends commit", 0),
        (1, 3, "sends commit", 1),
        (1, 1, "change", 0),
        (2, 1, "response", 0),
    ];
    assert_eq!(
        violated(&instance("dbft2-tla", Goal::Fork, byzantine), &steps),
        ["returning_response_requires_commit_over_views_more_than_f"]
    );
    // A request to leave a later view counts for the earlier ones.
    let steps = [
        (1, 3, "sends change", 1),
        (1, 1, "change", 0),
        (1, 2, "change", 0),
        (2, 0, "enters", 1),
    ];
    assert_eq!(
        violated(&instance("dbft2-tla", Goal::Fork, byzantine), &steps),
        Vec::<String>::new()
    );
}

#[test]
fn a_behaviour_is_decoded_as_it_was_encoded() {
    let crash = Some(FaultKind::Crash);
    let injected = [
        (1, 3, "sends response", 0),
        (1, 3, "sends commit", 0),
        (1, 3, "sends change", 1),
        (1, 1, "change", 0),
        (1, 2, "change", 0),
        (2, 0, "enters", 1),
    ];
    // Four good replicas, then the second of two answers again.
    let again = then(&FOUR_GOOD, &[(17, 0, "response", 1)]);
    for (protocol, fault, steps) in [
        ("dbft2-tla-per-view", None, FOUR_GOOD.to_vec()),
        ("dbft2-tla", crash, ONE_DEAD.to_vec()),
        ("dbft2-tla", None, again),
        ("dbft2-tla", None, BLOCK.to_vec()),
        ("dbft2-tla", Some(FaultKind::Byzantine), injected.to_vec()),
    ] {
        let built = timed::of(&instance(protocol, Goal::Fork, fault)).unwrap();
        let point = point(&built, &steps);
        assert_eq!(families(&built.program, &point), Vec::<String>::new());
        let decoded = built.decode(&point);
        assert_eq!(decoded.schedule, schedule(&steps), "{protocol} {steps:?}");
        assert_eq!(decoded.faulty, faulty(&steps));
    }
}

#[test]
fn messages_are_counted_once_however_often_they_are_repeated() {
    let goal = Goal::Weighted {
        sense: Sense::Maximize,
        blocks: 0,
        views: 0,
        messages: 1,
    };
    let built = timed::of(&instance("dbft2-tla", goal, None)).unwrap();
    let again = then(&FOUR_GOOD, &[(17, 0, "response", 1)]);
    let messages = |steps: &[Step]| built.program.value(&point(&built, steps));
    assert_eq!(messages(&FOUR_GOOD), 13);
    assert_eq!(messages(&again), 13);
}

#[test]
fn what_a_pool_does_not_have_is_refused_by_name() {
    type Change = (&'static str, fn(&mut Instance));
    let changes: [Change; 7] = [
        ("several heights", |i| i.heights = 2),
        ("several blocks per proposal", |i| i.blocks_per_proposal = 2),
        ("`network: bounded`", |i| {
            i.network = Network::Bounded {
                delay_min: 1,
                delay_max: 2,
                gst: 0,
            };
        }),
        ("`timers: protocol`", |i| {
            i.timers = Timers::Protocol;
            i.block_time = Some(3);
        }),
        ("network", |i| {
            i.faults = vec![Fault::any(FaultKind::Network, 1)];
        }),
        ("late", |i| i.budget.late = Some(1)),
        ("more than f", |i| {
            i.faults = vec![Fault::any(FaultKind::Byzantine, 2)];
        }),
    ];
    let model = instance("dbft2-tla", Goal::Fork, None);
    for (name, change) in changes {
        let mut instance = model.clone();
        change(&mut instance);
        // The protocol covers none of it either, but for the budget; a pool of another protocol may.
        let pool = protocols::of(&model).unwrap();
        let error = timed::build(&instance, &pool).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}
