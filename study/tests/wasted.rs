//! Goal `wasted`: the numbers that are known, and that the replay judges good views by itself.

mod support;

use milp_model::{Built, Error, build};
use milp_replay::{Options, Protocol, Recovery, Replayed, Signatures, replay};
use milp_schema::{
    Choice, Instance, ReplicaId, Schedule, Slot,
    instance::{Fault, FaultKind, Formulation, Goal, Network, Who},
    read,
    trace::What,
    verdict::Liveness,
};
use milp_study::solve::{Request, Solution, solve};
use std::{path::Path, sync::atomic::AtomicBool};
use support::settings;

/// After so many bad views, up to so many good ones.
fn question(protocol: &str, views: u32, bad: u32, up_to: u32) -> Instance {
    Instance::builder(protocol)
        .views(views)
        .slots(100)
        .goal(Goal::Wasted { bad, up_to })
        .build()
}

fn byzantine(instance: Instance, replica: u32) -> Instance {
    let (kind, who) = (FaultKind::Byzantine, Who::These(vec![ReplicaId(replica)]));
    Instance {
        faults: vec![Fault { kind, who }],
        ..instance
    }
}

fn gossip(instance: Instance) -> Instance {
    Instance {
        gossip: true,
        ..instance
    }
}

fn solved(instance: &Instance) -> Solution {
    let settings = settings(300.0, true);
    let request = Request {
        instance,
        settings: &settings,
        warm_start: None,
        adequacy: false,
        command: "test",
    };
    let never = AtomicBool::new(false);
    solve(&request, &never, &mut |_| {}).expect("it is solved and followed")
}

fn replayed(solution: &Solution, schedule: &Schedule, instance: &Instance) -> Replayed {
    let options = Options {
        protocol: Protocol::Own,
        compare: false,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let slots = solution.outcome.instance.slots;
    let instance = Instance {
        slots,
        ..instance.clone()
    };
    replay(&instance, &solution.outcome.faulty, schedule, &options).expect("it is replayed")
}

/// The optimum, proved, which the replay counts as well; with the schedule.
fn wasted(instance: &Instance) -> (i64, Solution) {
    let solution = solved(instance);
    let outcome = &solution.outcome;
    assert!(outcome.proved, "{}", outcome.sentence);
    let value = outcome.primal.expect("an execution exists");
    let schedule = solution.schedule.clone().expect("with a schedule");
    let verdict = replayed(&solution, &schedule, instance).verdict;
    assert_eq!(
        verdict.wasted.map(i64::from),
        Some(value),
        "{:?}",
        verdict.notes
    );
    assert_eq!(verdict.impossible, 0, "{:?}", verdict.notes);
    (value, solution)
}

#[test]
fn with_nobody_faulty_and_no_bad_view_the_first_good_one_decides() {
    for protocol in ["tendermint", "ibft1"] {
        let (value, solution) = wasted(&question(protocol, 2, 0, 1));
        assert_eq!(value, 0, "{protocol}");
        let sentence = &solution.outcome.sentence;
        assert!(
            sentence.starts_with("the first good round decides"),
            "{sentence}"
        );
    }
}

#[test]
fn a_silent_replica_wastes_nothing_where_all_views_are_good() {
    for protocol in ["tendermint", "ibft1"] {
        let instance = byzantine(question(protocol, 3, 0, 2), 3);
        assert_eq!(wasted(&instance).0, 0, "{protocol}");
    }
}

#[test]
fn tendermint_with_gossip_wastes_two_good_views_in_a_row_and_no_third() {
    // Replica 0 leads the bad view, the others one good view each.
    let instance = gossip(byzantine(question("tendermint", 4, 1, 3), 0));
    let (value, solution) = wasted(&instance);
    assert_eq!(value, 2);
    let sentence = &solution.outcome.sentence;
    assert!(sentence.contains("at most 2 good"), "{sentence}");
    assert!(sentence.contains("gossip"), "{sentence}");
    assert!(sentence.contains("named before"), "{sentence}");
}

#[test]
fn nobody_has_to_be_faulty_for_that() {
    let instance = gossip(question("tendermint", 4, 1, 3));
    assert_eq!(wasted(&instance).0, 2);
}

#[test]
fn ibft1_can_waste_every_good_view() {
    let instance = byzantine(question("ibft1", 4, 1, 3), 0);
    let (value, solution) = wasted(&instance);
    assert_eq!(value, 3);
    let sentence = &solution.outcome.sentence;
    assert!(
        sentence.contains("after 1 bad round 3 good rounds can pass"),
        "{sentence}"
    );
}

/// Locks stay apart, so that the views after the schedule do the same again. What is said of them is in
/// the trace: three times the acts of four views, and no decision.
#[test]
fn views_that_come_again_are_named_and_are_there_in_the_trace() {
    let instance = byzantine(question("ibft1", 4, 1, 3), 0);
    let (_, solution) = wasted(&instance);
    let schedule = solution.schedule.clone().expect("with a schedule");
    let Replayed { verdict, trace, .. } = replayed(&solution, &schedule, &instance);
    let note = |it: &&String| it.contains("come again");
    let note = verdict.notes.iter().find(note).expect("they are named");
    let numbers: Vec<u32> = note
        .split(|it: char| !it.is_ascii_digit())
        .filter_map(|it| it.parse().ok())
        .collect();
    let [first, last, to] = numbers[..] else {
        panic!("{note}");
    };
    assert_eq!((last - first, to - last), (3, 8), "{note}");
    let acts = |from: u32| {
        let of_views = trace.iter().filter_map(|it| {
            let view = it.message.as_ref()?.view.0.checked_sub(from)?;
            (it.what == What::Send && view < 4).then_some((it.replica, view))
        });
        of_views.collect::<Vec<_>>()
    };
    assert!(acts(first).len() >= 4, "{note}");
    assert_eq!(acts(first), acts(first + 4));
    assert_eq!(acts(first), acts(first + 8));
    assert!(!trace.iter().any(|it| it.what == What::Decide));

    // Tendermint decides when the network is good for long enough.
    let instance = byzantine(question("tendermint", 3, 1, 2), 0);
    let (_, solution) = wasted(&instance);
    let schedule = solution.schedule.clone().expect("with a schedule");
    let verdict = replayed(&solution, &schedule, &instance).verdict;
    assert_eq!(
        verdict.termination,
        Liveness::Decided,
        "{:?}",
        verdict.notes
    );
}

#[test]
fn who_gossips_has_more_in_a_good_view_than_who_does_not() {
    let instance = byzantine(question("tendermint", 3, 1, 2), 0);
    let (value, solution) = wasted(&instance);
    assert_eq!(value, 2);
    let schedule = solution.schedule.clone().expect("a schedule");
    let verdict = replayed(&solution, &schedule, &gossip(instance)).verdict;
    let private = schedule
        .choices
        .iter()
        .any(|it| matches!(it, Choice::Inject { .. }));
    if private {
        assert!(verdict.wasted < Some(2), "{:?}", verdict.notes);
        let said = verdict.notes.iter().any(|it| it.contains("has not"));
        assert!(said, "{:?}", verdict.notes);
    }
}

/// The slot of the first and last row, and of who fires when.
fn firings(schedule: &Schedule, view: u32) -> Vec<(usize, Slot)> {
    let rows = schedule.choices.iter().enumerate();
    let fires = rows.filter_map(|(row, it)| match it {
        Choice::Timeout { slot, view: of, .. } if of.0 == view => Some((row, *slot)),
        _ => None,
    });
    fires.collect()
}

#[test]
fn a_view_is_not_good_without_any_one_delivery_that_it_needs() {
    let instance = byzantine(question("ibft1", 3, 1, 2), 0);
    let (value, solution) = wasted(&instance);
    assert_eq!(value, 2);
    let schedule = solution.schedule.clone().expect("a schedule");
    let mut noticed = 0;
    let honest = |it: &Choice| match it {
        Choice::Deliver { copy, .. } => copy.sender != ReplicaId(0) && copy.message.view.0 == 1,
        _ => false,
    };
    for row in 0..schedule.choices.len() {
        if !honest(&schedule.choices[row]) {
            continue;
        }
        let mut without = schedule.clone();
        without.choices.remove(row);
        let verdict = replayed(&solution, &without, &instance).verdict;
        assert!(verdict.wasted < Some(2), "row {row}: {:?}", verdict.notes);
        noticed += 1;
    }
    assert!(noticed > 3, "{noticed} deliveries of the first good view");
}

#[test]
fn a_view_is_not_good_if_a_timer_comes_early() {
    let instance = byzantine(question("ibft1", 3, 1, 2), 0);
    let (_, solution) = wasted(&instance);
    let schedule = solution.schedule.clone().expect("a schedule");
    let fires = firings(&schedule, 1);
    let (row, slot) = *fires
        .first()
        .expect("who is not locked waits for its timer");
    let entered = schedule.predictions.iter().filter(|it| {
        matches!(&it.event, milp_schema::schedule::Event::EnterView { view, .. } if view.0 == 1)
    });
    let entered = entered.map(|it| it.slot).max().expect("all enter it");
    assert!(entered < slot);
    let mut early = schedule.clone();
    let Choice::Timeout { slot, .. } = &mut early.choices[row] else {
        unreachable!("a firing");
    };
    *slot = entered;
    early.choices.sort_by_key(Choice::slot);
    let verdict = replayed(&solution, &early, &instance).verdict;
    assert_eq!(verdict.wasted, Some(0), "{:?}", verdict.notes);
}

#[test]
fn other_formulations_refuse_the_goal_by_name() {
    for (protocol, formulation) in [
        ("dbft2", Formulation::Timed),
        ("dbft2", Formulation::Counting),
        ("dbft2", Formulation::Causal),
    ] {
        let instance = Instance {
            formulation,
            ..question(protocol, 2, 0, 1)
        };
        let Err(Error::Unsupported { construct, .. }) = build(&instance) else {
            panic!("{protocol} in {formulation:?}");
        };
        assert!(construct.contains("goal `wasted`"), "{construct}");
    }
    let auto = build(&question("tendermint", 2, 0, 1));
    assert!(matches!(auto, Ok(Built::Levels(_))));
    let Err(Error::Unsupported { construct, .. }) = build(&question("dbft2", 2, 0, 1)) else {
        panic!("its primary waits for a timer");
    };
    assert!(
        construct.contains("propose when a timer fires"),
        "{construct}"
    );
}

/// The files as they are shipped, but that certificates travel with what names them, as messages
/// carry them, and that no rule takes a vote of a later phase for an excuse.
fn with_certificates(protocol: &str, folder: &Path) -> Instance {
    let text = std::fs::read_to_string(format!("../protocols/{protocol}.yaml")).expect("a file");
    let edits = [
        (
            "q new_view(v, *, <=c), 1 new_view(v, x, c), q prepare_vote(c, x)",
            "1 new_view(v, x, c), q new_view(v, *, <=c), proof q prepare_vote(c, x)",
        ),
        (
            "primary propose(v, x, c), q prepare_vote(c, x)",
            "primary propose(v, x, c), proof q prepare_vote(c, x)",
        ),
        (
            "[\"q prepare_vote(c, x)\"]",
            "[\"proof q prepare_vote(c, x)\"]",
        ),
        (&format!("\nname: {protocol}\n"), "\nname: mine\n"),
    ];
    let edited = edits
        .iter()
        .fold(text, |text, (from, to)| text.replace(from, to));
    assert_eq!(edited.matches("proof q prepare_vote").count(), 3);
    std::fs::write(folder.join("mine.yaml"), edited).expect("it is written");
    let instance = "format: milp-instance/2.0\nprotocol: ./mine.yaml\nreplicas: 4\n\
                    faults: {kind: byzantine, replicas: [0]}\nviews: 3\nslots: 100\n\
                    goal: {wasted: {bad: 1, up_to: 2}}\n";
    let file = folder.join("instance.yaml");
    std::fs::write(&file, instance).expect("it is written");
    milp_schema::read::instance(&file).expect("an instance")
}

#[test]
fn two_phases_with_certificates_that_travel_decide_in_no_good_view() {
    let folder = tempfile::tempdir().expect("a folder");
    let instance = with_certificates("hotstuff-two-phase", folder.path());
    assert_eq!(wasted(&instance).0, 2);
}

#[test]
fn pbft_and_qbft_decide_in_the_first_good_view() {
    for protocol in ["pbft", "qbft"] {
        let instance = byzantine(question(protocol, 4, 1, 3), 0);
        assert_eq!(wasted(&instance).0, 0, "{protocol}");
    }
}

#[test]
fn a_last_view_that_messages_lead_out_of_is_another_point() {
    // Where all three locked on nothing ask for another round, that quorum leads out of the views: the
    // schedule is one in which fewer do.
    let instance = Instance {
        network: Network::Asynchronous,
        formulation: Formulation::Levels,
        ..question("ibft1", 2, 1, 1)
    };
    assert_eq!(wasted(&instance).0, 1);
}

#[test]
fn what_leads_into_a_view_shows_what_a_replica_has_in_it() {
    // Who entered by a certificate has it, and votes on a proposal that asks for one.
    let file = Path::new("../instances/atlas/n6-no-withdraw-stall.yaml");
    let asked = question("tendermint", 3, 1, 1);
    let instance = Instance {
        mutant: None,
        views: 3,
        slots: 40,
        blocks_per_proposal: 1,
        goal: asked.goal,
        ..read::instance(file).expect("an instance")
    };
    assert_eq!(wasted(&instance).0, 1);
    assert_eq!(wasted(&gossip(instance)).0, 0);
}
