//! Engines stricter than the rules, laxer, and both: a cut where the engine does not act, an alarm
//! where it acts and the rules forbid it; and whatever ends the search, what is written verifies.

mod support;

use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network},
};
use milp_study::{
    learn::{Ending, Learned, News, Request, TWIN, Witness, learn},
    solve,
    verify::unsolved,
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::Duration,
};
use support::{any, instance, settings};

/// Learns within a limit of cuts and of seconds; `heard` is told how much was learned and may
/// interrupt.
fn learned(
    instance: &Instance,
    witness: &str,
    (limit, seconds): (usize, f64),
    heard: &dyn Fn(usize, &AtomicBool),
) -> Learned {
    let settings = settings(seconds, false);
    let request = Request {
        solve: solve::Request {
            instance,
            settings: &settings,
            warm_start: None,
            adequacy: false,
            command: "a test",
        },
        witness: &witness.parse::<Witness>().expect("a witness"),
        limit,
    };
    let interrupt = AtomicBool::new(false);
    let mut news = 0;
    let mut report = |_: News<'_>| {
        news += 1;
        heard(news, &interrupt);
    };
    learn(&request, &interrupt, &mut |_| {}, &mut report).expect("it solves and replays")
}

fn in_peace(instance: &Instance, witness: &str, limit: usize) -> Learned {
    learned(instance, witness, (limit, 240.0), &|_, _| {})
}

/// What is written, checked again.
fn assert_verifies(learned: &Learned, instance: &Instance) {
    let dir = tempfile::tempdir().expect("a folder");
    let files = learned.files().expect("files");
    milp_study::folder::write(&dir.path().join("out"), &files).expect("it is written");
    let verified = unsolved(&dir.path().join("out")).expect("it is a result");
    let words = learned.words(instance);
    assert_eq!(verified.differences, [""; 0], "{words}");
}

/// One backup may ask to leave whenever it likes, says the paper; the engine asks for recovery.
fn views() -> Instance {
    instance("dbft2", 2, 8, Goal::Views)
}

fn rules_of_the_engine(views: u32, slots: u32, goal: Goal) -> Instance {
    instance("dbft2-nspcc", views, slots, goal)
}

#[test]
fn a_stricter_engine_is_cut_and_raises_no_alarm() {
    // Too short for a request that comes late.
    let instance = Instance {
        slots: 4,
        ..views()
    };
    let learned = in_peace(&instance, TWIN, 60);
    assert_eq!(learned.ending, Ending::Confirmed);
    assert_eq!(learned.alarms, []);
    let cuts = &learned.cuts.cuts;
    assert!(!cuts.is_empty() && cuts.iter().all(|cut| !cut.does));
    assert_verifies(&learned, &instance);
}

#[test]
fn an_engine_that_decides_after_f_plus_1_commits_is_an_alarm_and_its_fork_is_found() {
    let instance = Instance {
        faults: vec![any(FaultKind::Byzantine, 1)],
        ..rules_of_the_engine(2, 8, Goal::Fork)
    };
    let true_engine = in_peace(&instance, TWIN, 9);
    assert_eq!(true_engine.ending, Ending::Confirmed);
    assert_eq!(true_engine.alarms, []);
    assert!(true_engine.cuts.is_empty());
    assert_eq!(true_engine.solution.outcome.primal, Some(1));

    let lax = in_peace(&instance, "dbft2-nspcc:few-commits-decide", 30);
    let words = lax.words(&instance);
    assert_eq!(lax.ending, Ending::Confirmed, "{words}");
    // The engine follows a schedule with two blocks at one height.
    assert_eq!(lax.solution.outcome.primal, Some(2), "{words}");
    assert!(words.contains("left the model"), "{words}");
    assert!(words.contains("the rules forbid): 2 blocks"), "{words}");
    let act = &lax.alarms[0];
    assert!(act.allowed, "{act:?}");
    assert!(act.what.contains("decides v0 b0"), "{act:?}");
    // Two commits, its own one included, and what it takes to commit.
    let steps: Vec<&str> = act.history.iter().map(String::as_str).collect();
    let commits = steps.iter().filter(|step| step.contains("Commit")).count();
    assert_eq!(commits, 2, "{steps:?}");
    assert_eq!(steps.last(), Some(&"decides v0 b0"), "{steps:?}");
    assert!(
        lax.alarms
            .iter()
            .any(|alarm| alarm.what.starts_with("agreement violated")),
        "{:?}",
        lax.alarms
    );
    let sentence = &lax.solution.outcome.sentence;
    assert!(
        sentence.contains("the rules forbid, learned from"),
        "{sentence}"
    );
    assert_verifies(&lax, &instance);
}

/// Who asked to leave takes no request any more, says the paper; the engine does.
fn stalled() -> Instance {
    Instance {
        network: Network::Eventual,
        ..instance("dbft2", 1, 8, Goal::Stall)
    }
}

#[test]
fn an_engine_stricter_and_laxer_gives_cuts_and_alarms() {
    let stalled = stalled();
    let learned = in_peace(&stalled, TWIN, 6);
    let words = learned.words(&stalled);
    let cuts = &learned.cuts.cuts;
    assert!(cuts.iter().any(|cut| !cut.does), "{words}");
    assert!(cuts.iter().any(|cut| cut.does), "{words}");
    assert!(words.contains("left the model"), "{words}");
    // The history is one in which the rules forbid the answer: it asked to leave before.
    let answer = &learned.alarms[0];
    assert!(
        answer.what.contains("sends PrepareResponse v0 b0"),
        "{words}"
    );
    let steps = answer.history.join(", ");
    assert!(
        steps.contains("sends ChangeView v0 when its timer fires"),
        "{steps}"
    );
    assert!(steps.ends_with("sends PrepareResponse v0 b0"), "{steps}");
    // What only rests on tests of such acts is not said to be lost.
    assert_eq!(learned.lost, []);
    assert_verifies(&learned, &stalled);
}

#[test]
fn what_a_timer_makes_an_engine_do_in_place_of_something_else_may_be_forbidden_too() {
    let stalled = Instance {
        network: Network::Eventual,
        ..rules_of_the_engine(2, 10, Goal::Stall)
    };
    let learned = in_peace(&stalled, "dbft2-nspcc:more-than-f-ignored", 2);
    let words = learned.words(&stalled);
    let alarm = &learned.alarms[0].what;
    assert!(
        alarm.contains("sends ChangeView v0 (act"),
        "{alarm}\n{words}"
    );
    assert_verifies(&learned, &stalled);
}

#[test]
fn whatever_ends_it_what_is_written_verifies() {
    // The first schedule parts in more than one place, and only one of them may be learned.
    let stalled = stalled();
    let limited = in_peace(&stalled, TWIN, 1);
    assert_eq!((limited.cuts.cuts.len(), limited.cuts.later.len()), (0, 1));
    let words = limited.words(&stalled);
    assert!(
        words.ends_with("stopped after 1 cut: that is the limit of cuts"),
        "{words}"
    );
    assert_verifies(&limited, &stalled);

    let instance = views();
    let interrupted = learned(&instance, TWIN, (60, 240.0), &|_, interrupt| {
        interrupt.store(true, Ordering::SeqCst);
    });
    assert!(interrupted.solution.interrupted);
    let words = interrupted.words(&instance);
    assert!(words.contains("interrupted, while "), "{words}");
    assert_verifies(&interrupted, &instance);

    // What a phase takes counts, whichever it is: here, to hear of the second cut.
    let late = learned(&instance, TWIN, (60, 30.0), &|news, _| {
        if news == 2 {
            sleep(Duration::from_secs(30));
        }
    });
    let all = late.cuts.cuts.len() + late.cuts.later.len();
    assert_eq!(all, 2);
    let words = late.words(&instance);
    assert!(
        words.contains("the limit of time came first, while "),
        "{words}"
    );
    assert_verifies(&late, &instance);
}
