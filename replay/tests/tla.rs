//! The TLA+ base model: published liveness locks step by step, errors in them, whole state spaces,
//! and what is written for other tools.

mod common;

use common::{OWN, any, crash, deliver, drop_copy, inject, message, restart, timeout};
use milp_replay::{
    Error, Options, Protocol, Replayed, replay,
    search::best,
    tla::{self, Explored},
};
use milp_schema::{
    Height, Instance, ReplicaId, Schedule, Slot, View,
    instance::{FaultKind, Network, Primary, Timers},
    read,
    schedule::{Event, Prediction},
    trace::TraceEvent,
    verdict::{Holds, Liveness},
};
use std::{collections::BTreeSet, path::Path};

type Faulty = Vec<(ReplicaId, FaultKind)>;

/// A published execution: its instance, who is faulty, the schedule.
fn published(name: &str) -> (Instance, Faulty, Schedule) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/tla")
        .join(name);
    let instance = read::instance(&dir.join("instance.yaml")).expect("a good instance");
    let schedule = read::schedule(instance.protocol, &dir).expect("a good schedule");
    let faulty = match name {
        "one-dead" => vec![(ReplicaId(0), FaultKind::Crash)],
        _ => Vec::new(),
    };
    (instance, faulty, schedule)
}

fn run(instance: &Instance, faulty: &Faulty, schedule: &Schedule) -> Replayed {
    replay(instance, faulty, schedule, &OWN).expect("good input")
}

/// Four replicas of a revision of the model.
fn model(protocol: &str, views: u32) -> Instance {
    common::instance(protocol, 4, views, 60)
}

fn sends(slot: u32, replica: u32, text: &str) -> Prediction {
    Prediction {
        slot: Slot(slot),
        replica: ReplicaId(replica),
        event: Event::Send(message(text)),
    }
}

fn decides(slot: u32, replica: u32, view: u32) -> Prediction {
    let block = message(&format!("Block v{view} b0")).block_id();
    Prediction {
        slot: Slot(slot),
        replica: ReplicaId(replica),
        event: Event::Decide(block.expect("a block")),
    }
}

fn enters(slot: u32, replica: u32, view: u32) -> Prediction {
    Prediction {
        slot: Slot(slot),
        replica: ReplicaId(replica),
        event: Event::EnterView {
            height: Height(0),
            view: View(view),
        },
    }
}

/// Everybody prepares, commits and accepts in view 0, one phase per slot.
fn good_run() -> Vec<Prediction> {
    let mut rows = vec![sends(1, 0, "PrepareRequest v0 b0")];
    rows.extend((1..4).map(|id| sends(2, id, "PrepareResponse v0 b0")));
    rows.extend((0..4).map(|id| sends(3, id, "Commit v0 b0")));
    rows.extend((0..4).map(|id| decides(4, id, 0)));
    rows
}

fn predicted(predictions: Vec<Prediction>) -> Schedule {
    Schedule {
        choices: Vec::new(),
        predictions,
    }
}

#[test]
fn four_good_replicas_lock_where_commits_count_per_view() {
    let (instance, faulty, schedule) = published("four-good");
    let Replayed { trace, verdict } = run(&instance, &faulty, &schedule);
    assert_eq!(trace.len(), 16);
    let observed: Vec<Event> = trace.iter().filter_map(TraceEvent::event).collect();
    let predicted = schedule.predictions.iter().map(|it| it.event.clone());
    assert_eq!(observed, predicted.collect::<Vec<_>>());
    assert_eq!(verdict.engine, "dbft2-tla-per-view");
    assert_eq!(
        (verdict.divergences, verdict.termination, verdict.agreement),
        (Some(0), Liveness::Stuck, Holds::Holds)
    );
    assert_eq!(
        verdict.notes,
        [
            "stuck: replica 0 in v1 asks for v2; replica 1 in v1 asks for v2; \
             replica 2 has committed in v0; replica 3 has committed in v1",
            "no replica decides"
        ]
    );
}

/// The model's authors: "needs to include one more step to enter a deadlock: one of the replicas
/// that in the "cv" state must die in the end of the scenario".
/// Reference: nspcc-dev/dbft, message of commit 0ff31fd.
#[test]
fn where_commits_of_all_views_count_the_same_way_goes_on_unless_one_more_dies() {
    let (instance, _, mut schedule) = published("four-good");
    let instance = Instance {
        protocol: milp_schema::Protocol::shipped("dbft2-tla"),
        slots: 18,
        faults: vec![any(FaultKind::Crash, 1)],
        ..instance
    };
    let verdict = run(&instance, &Vec::new(), &schedule).verdict;
    assert_eq!(
        (verdict.divergences, verdict.termination),
        (Some(0), Liveness::Open)
    );
    assert!(
        verdict.notes[0]
            .starts_with("termination open: replica 0 can take RMSendPrepareResponse in v1"),
        "{:?}",
        verdict.notes
    );

    schedule.choices.push(crash(17, 0));
    let dying = vec![(ReplicaId(0), FaultKind::Crash)];
    let verdict = run(&instance, &dying, &schedule).verdict;
    assert_eq!(verdict.termination, Liveness::Open, "replica 1 can commit");
    schedule.predictions.push(sends(18, 1, "Commit v1 b0"));
    let verdict = run(&instance, &dying, &schedule).verdict;
    assert_eq!(
        (verdict.divergences, verdict.termination),
        (Some(0), Liveness::Stuck)
    );
}

#[test]
fn one_dead_replica_locks_the_current_revision() {
    let (instance, faulty, schedule) = published("one-dead");
    let Replayed { trace, verdict } = run(&instance, &faulty, &schedule);
    assert_eq!(trace.len(), 7);
    assert_eq!(verdict.engine, "dbft2-tla");
    assert_eq!(
        (verdict.divergences, verdict.termination),
        (Some(0), Liveness::Stuck)
    );
    assert_eq!(
        verdict.notes[0],
        "stuck: replica 0 is dead; replica 1 in v0 asks for v1; \
         replica 2 has committed in v0; replica 3 in v0 asks for v1"
    );
}

#[test]
fn a_lock_short_of_its_last_step_is_open() {
    for name in ["four-good", "one-dead"] {
        let (instance, faulty, mut schedule) = published(name);
        schedule.predictions.pop();
        let verdict = run(&instance, &faulty, &schedule).verdict;
        assert_eq!(
            (verdict.divergences, verdict.termination),
            (Some(0), Liveness::Open),
            "{name}"
        );
    }
}

/// The published execution with steps `one` and `other` in each other's place.
fn swapped(one: usize, other: usize) -> Schedule {
    let (_, _, mut schedule) = published("four-good");
    let rows = &mut schedule.predictions;
    let (first, second) = (rows[one - 1].slot, rows[other - 1].slot);
    rows.swap(one - 1, other - 1);
    (rows[one - 1].slot, rows[other - 1].slot) = (first, second);
    schedule
}

#[test]
fn a_swapped_step_is_refused_by_name_and_nothing_after_it_is_judged() {
    let (instance, faulty, _) = published("four-good");
    for (one, other, says) in [
        (
            1,
            2,
            "slot 1: replica 1 cannot take step 1, RMSendPrepareResponse: \
             the pool has no PrepareRequest of v0",
        ),
        (
            2,
            4,
            "slot 4: replica 1 cannot take step 4, RMSendPrepareResponse: \
             the replica is cv and sees 0 committed, it would need more than 1",
        ),
        (
            5,
            6,
            "slot 5: replica 2 cannot take step 5, RMSendCommit: the replica is initialized",
        ),
        (
            7,
            8,
            "slot 7: replica 1 cannot take step 7, RMReceiveChangeView: \
             the pool has 2 senders of ChangeViews from or after v0 of 3 needed",
        ),
        (
            9,
            12,
            "slot 9: replica 0 cannot take step 9, RMSendChangeView: \
             in v0 the replica would send ChangeView h0 v0",
        ),
        (
            10,
            11,
            "slot 10: replica 0 cannot take step 10, RMSendPrepareResponse: \
             the pool has no PrepareRequest of v1",
        ),
    ] {
        let schedule = swapped(one, other);
        let Replayed { trace, verdict } = run(&instance, &faulty, &schedule);
        assert!(
            verdict.notes.iter().any(|note| note == says),
            "{:?}",
            verdict.notes
        );
        assert_eq!(
            (verdict.divergences, verdict.termination),
            (Some(1), Liveness::Open)
        );
        assert!(trace.len() < other, "{}", trace.len());
        let error = tla::itf(&instance, &faulty, &schedule).expect_err("no behaviour");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_quorum_of_commits_decides_and_all_properties_hold() {
    let instance = model("dbft2-tla", 2);
    let Replayed { trace, verdict } = run(&instance, &Vec::new(), &predicted(good_run()));
    assert_eq!(trace.len(), 12);
    assert_eq!(verdict.termination, Liveness::Decided);
    assert_eq!(
        verdict.notes,
        ["some replica decides: replica 0 decides h0v0b0 in slot 4"]
    );
    let holds = [
        verdict.agreement,
        verdict.finality,
        verdict.validity,
        verdict.integrity,
        verdict.lock,
    ];
    assert_eq!(holds, [Holds::Holds; 5]);
}

#[test]
fn what_is_sent_in_a_slot_is_not_seen_in_it() {
    let instance = model("dbft2-tla", 2);
    let mut rows = good_run();
    for row in rows.iter_mut().filter(|row| row.slot == Slot(2)) {
        row.slot = Slot(1);
    }
    let verdict = run(&instance, &Vec::new(), &predicted(rows)).verdict;
    let says = "slot 1: replica 1 cannot take step 2, RMSendPrepareResponse: \
                the pool has no PrepareRequest of v0";
    assert!(
        verdict.notes.contains(&says.to_owned()),
        "{:?}",
        verdict.notes
    );
}

#[test]
fn a_replica_that_crashes_acts_no_more_in_that_slot() {
    let instance = Instance {
        faults: vec![any(FaultKind::Crash, 1)],
        ..model("dbft2-tla", 2)
    };
    let schedule = Schedule {
        choices: vec![crash(3, 1)],
        predictions: good_run(),
    };
    let faulty = vec![(ReplicaId(1), FaultKind::Crash)];
    let verdict = run(&instance, &faulty, &schedule).verdict;
    let says = "slot 3: replica 1 cannot take step 7, RMSendCommit: the replica is dead";
    assert!(
        verdict.notes.contains(&says.to_owned()),
        "{:?}",
        verdict.notes
    );
}

#[test]
fn predictions_that_are_no_action_are_refused_with_the_reason() {
    let instance = model("dbft2-tla", 2);
    for (row, why) in [
        (
            sends(3, 1, "Commit v0 b0"),
            "the replica has acted in this slot already",
        ),
        (sends(4, 1, "Block v0 b0"), "the model has no such message"),
        (
            sends(5, 1, "PrepareResponse v0 b1"),
            "would send PrepareResponse h0 v0 b0",
        ),
        (decides(5, 1, 1), "would decide h0v0b0"),
        (decides(5, 1, 0), "it would change nothing"),
        (enters(5, 1, 2), "would enter h0 v1"),
        (enters(5, 1, 1), "the replica is blockAccepted"),
        (sends(5, 4, "Commit v0 b0"), "there is no such replica"),
        (sends(61, 1, "Commit v0 b0"), "is beyond slot 60"),
    ] {
        let mut rows = good_run();
        if row.slot == Slot(4) {
            rows.retain(|it| it.slot < Slot(4));
        }
        rows.push(row);
        rows.sort_unstable();
        let verdict = run(&instance, &Vec::new(), &predicted(rows)).verdict;
        assert_eq!(verdict.divergences, Some(1), "{why}");
        assert!(
            verdict.notes.iter().any(|note| note.ends_with(why)),
            "{why}: {:?}",
            verdict.notes
        );
    }
}

#[test]
fn a_primary_may_ask_to_leave_before_it_proposed_in_the_first_revision_only() {
    let schedule = predicted(vec![sends(1, 0, "ChangeView v0")]);
    for (protocol, divergences) in [("dbft2-tla", 1), ("dbft2-tla-per-view", 0)] {
        let verdict = run(&model(protocol, 2), &Vec::new(), &schedule).verdict;
        assert_eq!(verdict.divergences, Some(divergences), "{protocol}");
    }
}

#[test]
fn a_quorum_out_of_the_last_view_runs_out_of_views_and_is_not_stuck() {
    let rows = |views| {
        let asks = (1..4).map(|id| sends(1, id, "ChangeView v0")).collect();
        run(&model("dbft2-tla", views), &Vec::new(), &predicted(asks)).verdict
    };
    // Replica 0 has not proposed, which it still may.
    assert!(rows(1).notes[0].contains("replica 0 can take RMSendPrepareRequest in v0"));
    let mut asks = vec![sends(1, 0, "PrepareRequest v0 b0")];
    asks.extend((1..4).map(|id| sends(2, id, "ChangeView v0")));
    asks.push(sends(2, 0, "ChangeView v0"));
    let verdict = run(&model("dbft2-tla", 1), &Vec::new(), &predicted(asks)).verdict;
    assert_eq!(verdict.termination, Liveness::Open);
    assert!(
        verdict.notes[0].starts_with(
            "termination open: ran out of views: replica 0 can enter v1, not modelled"
        ),
        "{:?}",
        verdict.notes
    );
    let entered = run(
        &model("dbft2-tla", 1),
        &Vec::new(),
        &predicted(vec![
            sends(1, 1, "ChangeView v0"),
            sends(1, 2, "ChangeView v0"),
            sends(1, 3, "ChangeView v0"),
            enters(2, 1, 1),
        ]),
    );
    assert!(entered.verdict.notes[1].ends_with("v1 is not modelled"));
}

#[test]
fn byzantine_rows_reach_everybody_and_byzantine_replicas_are_bad_from_the_start() {
    let instance = Instance {
        faults: vec![any(FaultKind::Byzantine, 1)],
        ..model("dbft2-tla", 2)
    };
    let faulty = vec![(ReplicaId(0), FaultKind::Byzantine)];
    let mut rows = good_run();
    rows.retain(|row| row.replica != ReplicaId(0));
    let schedule = Schedule {
        choices: vec![
            inject(1, 0, 1, "PrepareRequest v0 b0"),
            // Again, for another receiver: nothing new.
            inject(1, 0, 2, "PrepareRequest v0 b0"),
            inject(2, 0, 1, "Commit v1 b0"),
        ],
        predictions: rows,
    };
    let Replayed { trace, verdict } = run(&instance, &faulty, &schedule);
    assert_eq!(
        (verdict.divergences, verdict.termination),
        (Some(0), Liveness::Decided)
    );
    assert_eq!(trace.len(), 12);
    let itf = tla::itf(&instance, &faulty, &schedule).expect("a behaviour");
    let actions: Vec<&str> = itf["states"]
        .as_array()
        .expect("states")
        .iter()
        .map(|state| state["#meta"]["action"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        actions[..7],
        [
            "Init",
            "RMBeBad(0)",
            "RMFaultySendPReq(0)",
            "RMSendPrepareResponse(1)",
            "RMSendPrepareResponse(2)",
            "RMSendPrepareResponse(3)",
            "RMFaultyDoCV(0)"
        ]
    );
    let silent = Schedule {
        predictions: vec![sends(1, 0, "PrepareRequest v0 b0")],
        ..Schedule::default()
    };
    let verdict = run(&instance, &faulty, &silent).verdict;
    assert_eq!(verdict.divergences, Some(1));
}

#[test]
fn rows_and_instances_that_the_model_does_not_have_are_refused_by_name() {
    let good = Instance {
        faults: vec![any(FaultKind::Byzantine, 1)],
        ..model("dbft2-tla", 2)
    };
    let byzantine = vec![(ReplicaId(3), FaultKind::Byzantine)];
    for (rows, says) in [
        (vec![timeout(1, 0, 0)], "row 1: there is no `timeout`"),
        (
            vec![deliver(2, 1, 0, 1, "ChangeView v0")],
            "row 1: there is no `deliver`",
        ),
        (
            vec![drop_copy(2, 1, 0, 1, "ChangeView v0")],
            "row 1: there is no `drop`",
        ),
        (vec![restart(1, 0, true)], "row 1: there is no `restart`"),
        (
            vec![inject(1, 3, 0, "Commit v2 b0")],
            "its view is not modelled",
        ),
        (
            vec![
                inject(1, 3, 0, "Commit v1 b0"),
                inject(1, 3, 0, "Commit v0 b0"),
            ],
            "its view is below that of an earlier row of the replica",
        ),
        (
            vec![inject(1, 3, 0, "PrepareRequest v0 b0")],
            "the replica is not primary of that view",
        ),
        (
            vec![inject(1, 3, 0, "Commit v0 b1")],
            "there is one block per view, number 0",
        ),
    ] {
        let schedule = Schedule {
            choices: rows,
            ..Schedule::default()
        };
        let error = replay(&good, &byzantine, &schedule, &OWN).expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
    }
    let refused = |change: &dyn Fn(&mut Instance)| {
        let mut instance = good.clone();
        change(&mut instance);
        let error = replay(&instance, &[], &Schedule::default(), &OWN).expect_err("refused");
        error.to_string()
    };
    let none = "protocol `dbft2-tla` does not cover ";
    for (error, what) in [
        (refused(&|i| i.mutant = Some("x".to_owned())), "a mutant"),
        (refused(&|i| i.heights = 2), "more than one height"),
        (refused(&|i| i.replicas = 3), "fewer than four replicas"),
        (refused(&|i| i.views = 4), "more than three views"),
        (refused(&|i| i.blocks_per_proposal = 2), "equivocation"),
        (
            refused(&|i| i.timers = Timers::Protocol),
            "timers with a duration",
        ),
        (refused(&|i| i.primary = Primary::Free), "`primary: free`"),
        (
            refused(&|i| {
                i.network = Network::Bounded {
                    delay_min: 1,
                    delay_max: 2,
                    gst: 0,
                };
            }),
            "a bounded network",
        ),
    ] {
        assert_eq!(error, format!("{none}{what}"));
    }
    let both = vec![
        (ReplicaId(0), FaultKind::Byzantine),
        (ReplicaId(1), FaultKind::Crash),
    ];
    let error = replay(&good, &both, &Schedule::default(), &OWN).expect_err("refused");
    assert_eq!(
        error.to_string(),
        format!("{none}more than f faulty replicas")
    );
}

#[test]
fn neither_other_replicas_nor_missing_predictions_nor_the_paper_s_search_stand_in() {
    let instance = model("dbft2-tla", 2);
    for options in [
        Options {
            protocol: Protocol::As("dbft2".to_owned()),
            ..OWN
        },
        Options {
            compare: false,
            ..OWN
        },
    ] {
        let error = replay(&instance, &[], &Schedule::default(), &options).expect_err("refused");
        assert!(matches!(error, Error::PredictionsAreTheBehaviour { .. }));
    }
    assert!(matches!(
        best(&instance),
        Err(Error::UnknownProtocol { .. })
    ));
}

/// The whole state space with `MaxView` 1. The numbers of states and of steps are those of TLC
/// (docs/protocols/dbft2-tla.md has the commands).
#[test]
fn the_search_visits_the_states_that_tlc_visits_and_finds_the_stuck_ones() {
    let one = |kind, id| vec![(ReplicaId(id), kind)];
    let crash = |id| one(FaultKind::Crash, id);
    let byzantine = |id| one(FaultKind::Byzantine, id);
    for (protocol, faulty, states, generated, stuck) in [
        ("dbft2-tla", Vec::new(), 103_419, 487_785, 0),
        ("dbft2-tla-per-view", Vec::new(), 110_450, 520_514, 30),
        ("dbft2-tla", crash(0), 167_048, 803_442, 684),
        ("dbft2-tla-per-view", crash(1), 179_536, 869_151, 575),
        ("dbft2-tla", byzantine(0), 441_968, 2_482_682, 1256),
        ("dbft2-tla-per-view", byzantine(1), 429_178, 2_345_130, 1380),
    ] {
        let instance = model(protocol, 2);
        let found = tla::explore(&instance, &faulty).expect("covered");
        let what = format!("{protocol} {faulty:?}: {found:?}");
        let numbers = (found.states, found.generated, found.stuck, found.forks);
        assert_eq!(numbers, (states, generated, stuck, 0), "{what}");
        assert_eq!(found.shortest.is_some(), stuck > 0, "{what}");
        replays_as_stuck(&instance, &found);
    }
}

/// What the search found is a behaviour for the replay too, and stuck.
fn replays_as_stuck(instance: &Instance, found: &Explored) {
    let Some(way) = &found.shortest else {
        return;
    };
    let kinds: BTreeSet<FaultKind> = way.faulty.iter().map(|(_, kind)| *kind).collect();
    let instance = Instance {
        slots: way.slots,
        faults: kinds.into_iter().map(|kind| any(kind, 1)).collect(),
        ..instance.clone()
    };
    let verdict = run(&instance, &way.faulty, &way.schedule).verdict;
    assert_eq!(
        (verdict.divergences, verdict.termination),
        (Some(0), Liveness::Stuck),
        "{:?}",
        verdict.notes
    );
    let mut short = way.schedule.clone();
    short.predictions.pop();
    let verdict = run(&instance, &way.faulty, &short).verdict;
    assert_eq!(verdict.termination, Liveness::Open, "it is a shortest way");
}

#[test]
fn the_shortest_lock_of_four_good_replicas_is_the_published_one() {
    let (_, _, schedule) = published("four-good");
    let found = tla::explore(&model("dbft2-tla-per-view", 2), &[]).expect("covered");
    let way = found.shortest.expect("a lock");
    let events = |schedule: &Schedule| {
        let rows = schedule.predictions.iter();
        let rows = rows.map(|row| (row.replica, row.event.clone()));
        rows.collect::<BTreeSet<_>>()
    };
    assert_eq!(
        events(&way.schedule),
        events(&schedule),
        "but for the order"
    );
}

#[test]
fn more_replicas_than_a_packed_state_holds_are_not_searched() {
    let instance = Instance {
        replicas: 10,
        ..model("dbft2-tla", 2)
    };
    let error = tla::explore(&instance, &[]).expect_err("refused");
    assert!(matches!(error, Error::NotSearched { .. }));
}

#[test]
fn the_itf_trace_has_every_state_and_its_integers_as_the_format_wants_them() {
    let (instance, faulty, schedule) = published("one-dead");
    let itf = tla::itf(&instance, &faulty, &schedule).expect("a behaviour");
    assert_eq!(itf["#meta"]["format"], "ITF");
    assert_eq!(itf["vars"], serde_json::json!(["rmState", "msgs"]));
    let states = itf["states"].as_array().expect("states");
    assert_eq!(states.len(), 8);
    let last = &states[7];
    let int = |number: &str| serde_json::json!({ "#bigint": number });
    assert_eq!(
        last["#meta"],
        serde_json::json!({"index": 7, "action": "RMSendChangeView(3)"})
    );
    assert_eq!(
        last["rmState"]["#map"][2],
        serde_json::json!([int("2"), {"type": "commitSent", "view": int("0")}])
    );
    let messages = last["msgs"]["#set"].as_array().expect("a set");
    assert_eq!(messages.len(), 6);
    assert!(messages.contains(&serde_json::json!(
        {"type": "Commit", "rm": int("2"), "view": int("0")}
    )));
}

#[test]
fn the_module_for_tlc_names_every_action_and_the_end() {
    let (instance, faulty, schedule) = published("one-dead");
    let module = tla::module(&instance, &faulty, &schedule).expect("a behaviour");
    for line in [
        "TraceRMDead == {0}",
        "TraceMaxView == 2",
        "EXTENDS dbft",
        "End == 8",
        "  \\/ position = 2 /\\ position' = 3 /\\ RMDie(0)",
        "  \\/ position = 7 /\\ position' = 8 /\\ RMSendChangeView(3)",
        "  /\\ rmState[2] = [type |-> \"commitSent\", view |-> 0]",
        "EndIsStuckOrNot == position = End => Stuck",
    ] {
        assert!(module.lines().any(|it| it == line), "{line}\n{module}");
    }
    let mut open = schedule;
    open.predictions.pop();
    let module = tla::module(&instance, &faulty, &open).expect("a behaviour");
    assert!(module.contains("position = End => ~Stuck"), "{module}");
}
