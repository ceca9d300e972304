//! Damage against effort: the points are those of one solve for each limit, and of sums done by
//! hand; no point is beaten by another; what is not proved is not called so.

mod support;

use milp_schema::{
    Instance, Schedule,
    instance::{Fault, FaultKind, Formulation, Goal, Network, Timers, Who},
    outcome::Termination,
    schedule::{Choice, Event},
};
use milp_study::{
    pareto::{CSV, Effort, Front, HTML, SVG, pareto, replaceable, write},
    solve::{Request, solve},
};
use std::sync::atomic::AtomicBool;
use support::{any, instance, settings};

/// Seven replicas, two of them Byzantine, four views; `counting` takes it.
fn views() -> Instance {
    Instance {
        replicas: 7,
        faults: vec![any(FaultKind::Byzantine, 2)],
        network: Network::Eventual,
        formulation: Formulation::Auto,
        ..instance("dbft2", 4, 12, Goal::Views)
    }
}

/// Delays of one or two slots, timers by the protocol, one view of nine slots.
fn slow() -> Instance {
    Instance {
        network: Network::Bounded {
            delay_min: 1,
            delay_max: 2,
            gst: 0,
        },
        timers: Timers::Protocol,
        block_time: Some(3),
        ..instance("dbft2", 1, 9, Goal::Slow)
    }
}

/// Quorums of two of four, and a Byzantine replica that may propose two blocks.
fn equivocation() -> Instance {
    Instance {
        faults: vec![any(FaultKind::Byzantine, 1)],
        blocks_per_proposal: 2,
        network: Network::Eventual,
        mutant: Some("small-quorum".into()),
        ..instance("dbft2", 1, 6, Goal::Fork)
    }
}

fn front(instance: &Instance, effort: Effort, prove: bool) -> Front {
    pareto(
        (instance, effort),
        &settings(600.0, prove),
        "test",
        &AtomicBool::new(false),
        &mut |_| (),
    )
    .expect("it solves")
}

/// The points as (effort, value).
fn pairs(front: &Front) -> Vec<(u32, i64)> {
    let points = front.points.iter();
    points.map(|point| (point.effort, point.value)).collect()
}

/// The value under a limit, by a solve of its own.
fn alone(front: &Front, limit: u32) -> Option<i64> {
    let mut limited = front.instance.clone();
    match front.effort {
        Effort::Late => limited.budget.late = Some(limit),
        Effort::Timers | Effort::Firings => limited.budget.timeouts = Some(limit),
        Effort::Injects => limited.budget.injects = Some(limit),
        Effort::Faulty | Effort::Of(_) => limited.faults[0].who = Who::Any(limit),
    }
    let request = Request {
        instance: &limited,
        settings: &settings(600.0, true),
        warm_start: None,
        adequacy: false,
        command: "test",
    };
    let solution = solve(&request, &AtomicBool::new(false), &mut |_| ()).expect("it solves");
    let outcome = solution.outcome;
    assert!(outcome.proved, "limit {limit}: {}", outcome.sentence);
    outcome.primal
}

/// The points say for every limit up to `most` what a solve with it says, and each is at the first
/// limit with its value.
fn compare_with_every_limit(front: &Front, most: u32) {
    assert!(front.proved(), "{:?}", front.points);
    let mut last = None;
    for limit in 0..=most {
        let expected = alone(front, limit);
        let reached = front.points.iter().rfind(|it| it.effort <= limit);
        assert_eq!(reached.map(|it| it.value), expected, "limit {limit}");
        let here = front.points.iter().any(|it| it.effort == limit);
        assert_eq!(here, expected != last, "limit {limit}: {:?}", front.points);
        last = expected;
    }
}

/// With f Byzantine replicas a view change takes n − 2f honest requests, here three.
#[test]
fn every_view_change_of_seven_replicas_costs_three_honest_requests() {
    let front = front(&views(), Effort::Timers, true);
    assert_eq!(pairs(&front), [(0, 1), (3, 2), (6, 3), (9, 4)]);
    assert_eq!(
        front.end(),
        "more effort than 9 requests to leave a view brings nothing: proved"
    );
    compare_with_every_limit(&front, 11);
    for point in &front.points {
        let schedule = schedule(&front, point.solve);
        let asks = schedule.predictions.iter().filter(|prediction| {
            matches!(&prediction.event, Event::Send(it) if it.kind.name() == "ChangeView")
        });
        assert_eq!(asks.count() as u32, point.effort);
    }
}

fn schedule(front: &Front, solve: usize) -> &Schedule {
    let schedule = &front.solves[solve].solution.schedule;
    schedule.as_ref().expect("a point has one")
}

/// Where a decision may be held back for ever, the last value is no number.
/// Where nobody asks to leave a view, a timer that fires leads out of it: f + 1 messages of the next
/// view lead there, too, and one of them is Byzantine.
#[test]
fn a_view_more_of_a_file_whose_replicas_do_not_ask_costs_a_timer() {
    let question = Instance {
        faults: vec![any(FaultKind::Byzantine, 1)],
        ..instance("tendermint", 2, 7, Goal::Views)
    };
    let front = front(&question, Effort::Timers, true);
    assert_eq!(front.effort, Effort::Firings);
    assert_eq!(front.effort.to_string(), "timeouts");
    assert_eq!(pairs(&front), [(0, 1), (1, 2)]);
    assert_eq!(
        front.end(),
        "more effort than 1 timer that fires brings nothing: proved"
    );
    compare_with_every_limit(&front, 2);
}

#[test]
fn late_messages_hold_the_decision_back_step_by_step() {
    let front = front(&slow(), Effort::Late, true);
    compare_with_every_limit(&front, 7);
    let values = front.points.iter().map(|it| it.value).collect::<Vec<_>>();
    assert!(values.is_sorted_by(|a, b| a < b), "{values:?}");
    let last = *values.last().expect("points");
    assert!(
        milp_study::reading::unbounded(&front.instance, last),
        "{values:?}"
    );
    let rows = front.rows();
    assert!(rows.last().expect("rows")[1].starts_with('>'), "{rows:?}");
}

/// A proposal and a commit for each of two backups: four copies. With less, one block.
#[test]
fn a_fork_of_a_quorum_of_two_takes_four_byzantine_messages() {
    let front = front(&equivocation(), Effort::Injects, true);
    assert_eq!(pairs(&front), [(0, 1), (4, 2)]);
    assert!(front.proved());
    let made = schedule(&front, front.points[1].solve);
    let made = made.choices.iter();
    let made = made.filter(|choice| matches!(choice, Choice::Inject { .. }));
    assert_eq!(made.count(), 4);
}

/// The same, counted in replicas: without a Byzantine one nobody proposes two blocks.
#[test]
fn the_number_of_faulty_replicas_is_an_effort_too() {
    let front = front(&equivocation(), Effort::Faulty, true);
    assert_eq!(front.effort, Effort::Of(FaultKind::Byzantine));
    assert_eq!(pairs(&front), [(0, 1), (1, 2)]);
    compare_with_every_limit(&front, 1);
    assert_eq!(
        front.end(),
        "more effort than 1 Byzantine replica brings nothing up to the 1 that the instance \
         allows: proved"
    );
}

/// Fewer blocks are worse for the goal stall; a limit of the instance is the end of the scale.
#[test]
fn fewer_heights_decided_are_more_damage() {
    let mut stall = Instance {
        network: Network::Eventual,
        formulation: Formulation::Auto,
        ..instance("dbft2", 2, 12, Goal::Stall)
    };
    assert_eq!(
        pairs(&front(&stall, Effort::Timers, true)),
        [(0, 1), (2, 0)]
    );
    stall.budget.timeouts = Some(1);
    let limited = front(&stall, Effort::Timers, true);
    assert_eq!(pairs(&limited), [(0, 1)]);
    assert!(
        limited
            .end()
            .contains("up to the 1 that the instance allows")
    );
}

#[test]
fn without_a_proof_nothing_is_called_proved() {
    let front = front(&views(), Effort::Timers, false);
    assert_eq!(pairs(&front), [(0, 1), (3, 2), (6, 3), (9, 4)]);
    assert!(front.points.iter().all(|point| !point.proved));
    assert!(front.points[1..].iter().all(|point| !point.fewest));
    assert!(!front.proved());
    assert!(front.end().ends_with("is not proved"), "{}", front.end());
    let svg = String::from_utf8(front.files()[SVG].clone()).expect("text");
    assert!(svg.contains("<g class=\"open\">"));
}

/// A search that ends before anything was found has no points, and says so.
#[test]
fn an_interrupt_ends_the_search() {
    let found = pareto(
        (&slow(), Effort::Late),
        &settings(600.0, true),
        "test",
        &AtomicBool::new(true),
        &mut |_| (),
    );
    let front = found.expect("no failure");
    assert!(front.interrupted);
    assert_eq!(front.solves.len(), 1);
    assert!(
        !front
            .points
            .iter()
            .any(|point| point.fewest && point.effort > 0)
    );
    if front.termination() == Termination::Undecided {
        assert!(front.end().contains("no schedule was found"));
    }
}

#[test]
fn what_cannot_be_counted_is_refused() {
    let refused = |instance: &Instance, effort: Effort| {
        let (settings, interrupt) = (settings(60.0, true), AtomicBool::new(false));
        let answer = pareto(
            (instance, effort),
            &settings,
            "test",
            &interrupt,
            &mut |_| (),
        );
        answer.expect_err("it is refused").to_string()
    };
    assert!(refused(&slow(), Effort::Faulty).contains("has no faults"));
    let crash = Effort::Of(FaultKind::Crash);
    assert!(refused(&views(), crash).contains("no fault of kind crash"));
    let mut named = views();
    named.faults = vec![Fault {
        kind: FaultKind::Byzantine,
        who: Who::These(vec![milp_schema::ReplicaId(3)]),
    }];
    assert!(refused(&named, Effort::Faulty).contains("give `count`"));
    let mut several = views();
    several.faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
    assert!(refused(&several, Effort::Faulty).contains("several kinds"));
    // A formulation without slots knows no late messages.
    let mut timeless = views();
    timeless.formulation = Formulation::Counting;
    assert!(refused(&timeless, Effort::Late).contains("`budget: {late: …}`"));
}

/// Two runs write the same bytes but for seconds, every folder is a result, and what an earlier
/// run left is gone.
#[test]
fn a_folder_has_the_points_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("front");
    let front_of = || front(&views(), Effort::Timers, true);
    let first = front_of();
    write(&first, &out).expect("it is written");
    std::fs::rename(out.join("effort-3"), out.join("effort-5")).expect("an older point");
    write(&front_of(), &out).expect("it is written again");
    let mut names = std::fs::read_dir(&out)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect::<Vec<_>>();
    names.sort();
    let expected = [
        "effort-0", "effort-3", "effort-6", "effort-9", CSV, HTML, SVG,
    ];
    assert_eq!(names, expected);
    for (name, bytes) in first.files() {
        let again = std::fs::read(out.join(&name)).expect("a file");
        assert!(again == bytes, "{name} differs");
    }
    let folder = milp_study::folder::Folder::read(&out.join("effort-6")).expect("a result");
    assert_eq!(folder.outcome.primal, Some(3));
    let verified = milp_study::verify::unsolved(&folder.dir).expect("it is checked");
    assert_eq!(verified.differences, Vec::<String>::new());
    // A page stands alone, and a picture is well-formed.
    let text = |name: &str| String::from_utf8(first.files()[name].clone()).expect("text");
    let (svg, html) = (text(SVG), text(HTML));
    roxmltree::Document::parse(&svg).expect("well-formed");
    let names = html.matches("xmlns=\"http://www.w3.org").count();
    assert_eq!(html.matches("://").count(), names);
    assert!(text(CSV).starts_with("effort,value,bound,proved,fewest,"));
    std::fs::write(out.join("mine.txt"), "").expect("a file");
    let refused = replaceable(&out)
        .expect_err("it is not replaced")
        .to_string();
    assert!(refused.contains("mine.txt"), "{refused}");
}
