//! Learning from an engine: the rules of the paper against replicas that follow the production rules.

mod support;

use milp_model::formulation::timed::Built;
use milp_replay::{
    Options, Protocol, Recovery, Signatures,
    engine::nspcc::{Nspcc, Switches},
    replay_on,
};
use milp_schema::{
    Choice, Height, Instance, Kind, Message, Prediction, ReplicaId, Schedule, Slot, View,
    instance::{FaultKind, Goal, Network},
    schedule::{Copy, Event},
    trace::{Phase, TraceEvent, What},
};
use milp_study::{
    confirm::Engine,
    learn::{Ending, Learned, Request, TWIN, Witness, cuts::Cuts, learn},
    promote::{self, promote},
    regress::{Again, Asked, regress},
    solve,
};
use std::{collections::BTreeMap, sync::atomic::AtomicBool};
use support::{any, instance, settings};

fn learned(instance: &Instance, witness: &str, limit: usize) -> Learned {
    let settings = settings(120.0, true);
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
    let none = &AtomicBool::new(false);
    learn(&request, none, &mut |_| {}, &mut |_| {}).expect("it solves and replays")
}

fn words(learned: &Learned, instance: &Instance) -> String {
    let cuts = learned.cuts.cuts.iter().map(|cut| cut.sentence.as_str());
    let all: Vec<&str> = cuts.collect();
    format!("{}\n{}", all.join("\n"), learned.words(instance))
}

/// One backup may ask to leave whenever it likes, says the paper.
fn views(slots: u32) -> Instance {
    instance("dbft2", 2, slots, Goal::Views)
}

#[test]
fn own_replicas_and_the_rules_of_the_engine_need_no_cut() {
    let own = views(6);
    let learned_of_own = learned(&own, "own", 9);
    assert_eq!(learned_of_own.ending, Ending::Confirmed);
    assert!(learned_of_own.cuts.cuts.is_empty());
    let engine = Instance {
        protocol: milp_schema::Protocol::shipped("dbft2-nspcc"),
        ..views(8)
    };
    let learned_of_engine = learned(&engine, TWIN, 9);
    let words = words(&learned_of_engine, &engine);
    assert_eq!(learned_of_engine.ending, Ending::Confirmed, "{words}");
    assert!(learned_of_engine.cuts.cuts.is_empty(), "{words}");
    assert!(
        words.contains("confirmed on dbft2-nspcc (0 cuts)"),
        "{words}"
    );
    assert!(!learned_of_engine.files().unwrap().contains_key("cuts.yaml"));
}

#[test]
fn a_lonely_timer_is_learned_and_the_next_schedule_is_followed() {
    let instance = views(8);
    let learned = learned(&instance, TWIN, 60);
    let words = words(&learned, &instance);
    assert_eq!(learned.ending, Ending::Confirmed, "{words}");
    let first = &learned.cuts.cuts[0].sentence;
    assert!(
        first.contains("does not send ChangeView v0 when its timer of view 0 fires, it sends RecoveryRequest v0"),
        "{words}"
    );
    let sentence = &learned.solution.outcome.sentence;
    assert!(sentence.contains("relative to"), "{sentence}");
    assert!(sentence.ends_with("learned from dbft2-nspcc"), "{sentence}");
}

#[test]
fn the_production_engine_teaches_the_same() {
    let instance = views(8);
    let learned = learned(&instance, "nspcc-dbft", 60);
    let words = words(&learned, &instance);
    assert_eq!(learned.ending, Ending::Confirmed, "{words}");
    assert!(words.contains("confirmed on nspcc-dbft ("), "{words}");
    let twin = self::learned(&instance, TWIN, 60);
    let said = |learned: &Learned| {
        let cuts = learned.cuts.cuts.clone().into_iter();
        cuts.map(|cut| (cut.replica, cut.act, cut.literals, cut.does))
            .collect::<Vec<_>>()
    };
    assert_eq!(said(&learned), said(&twin), "{words}");
}

#[test]
fn learning_stops_at_its_limit() {
    let instance = views(8);
    let learned = learned(&instance, TWIN, 1);
    assert_eq!(learned.cuts.cuts.len(), 1);
    let words = learned.words(&instance);
    assert!(
        words.ends_with("stopped after 1 cut: that is the limit of cuts"),
        "{words}"
    );
}

#[test]
fn what_is_written_reads_back_and_solves_to_the_same() {
    let instance = views(8);
    let learned = learned(&instance, TWIN, 60);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cuts.yaml");
    std::fs::write(&path, &learned.files().unwrap()["cuts.yaml"]).unwrap();
    let cuts = Cuts::read(&path).unwrap();
    assert_eq!(cuts, learned.cuts);
    let settings = settings(120.0, false);
    let request = solve::Request {
        instance: &instance,
        settings: &settings,
        warm_start: None,
        adequacy: false,
        command: "a test",
    };
    let none = &AtomicBool::new(false);
    let again = solve::solve_with(&request, Some(&cuts), none, &mut |_| {}).unwrap();
    assert_eq!(again.outcome.primal, learned.solution.outcome.primal);
    // A message that no cut can be about is refused with its place.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("kind: ChangeView", "kind: Salute", 1)).unwrap();
    let error = Cuts::read(&path).unwrap_err().to_string();
    assert!(error.contains("cut 1 has"), "{error}");
}

#[test]
fn a_kept_result_keeps_its_cuts_and_is_checked_with_them() {
    // Too short for what the rules forbid and the engine does.
    let short = views(4);
    let learned = learned(&short, TWIN, 30);
    let words = words(&learned, &short);
    assert_eq!(learned.ending, Ending::Confirmed, "{words}");
    assert_eq!(learned.lost.len(), 1, "{words}");
    let dir = tempfile::tempdir().expect("a folder");
    let (from, results) = (dir.path().join("out/kept"), dir.path().join("results"));
    let files = learned.files().expect("files");
    milp_study::folder::write(&from, &files).expect("it is written");
    let request = promote::Request {
        from: &from,
        results: &results,
        name: None,
        engines: None,
        force: false,
        resolve: None,
    };
    promote(&request, &AtomicBool::new(false), &mut |_| ()).expect("own replicas follow it, too");
    let asked = Asked::of(&[Engine::Own]).expect("own replicas");
    let settings = settings(60.0, true);
    let never = AtomicBool::new(false);
    let check = || {
        let cases = regress(
            &results,
            &asked,
            Again::Solves(&settings),
            &never,
            &mut |_| {},
        );
        cases.expect("one result").remove(0).differences
    };
    assert_eq!(check(), [""; 0]);
    std::fs::remove_file(results.join("kept/cuts.yaml")).expect("it was kept");
    let without = check().join("; ");
    assert!(without.contains("primal: expected 1, found 2"), "{without}");
}

/// A seeded generator (splitmix64).
struct Random(u64);

impl Random {
    /// True so many times of a hundred.
    fn percent(&mut self, percent: u64) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % 100 < percent
    }
}

type Faulty = Vec<(ReplicaId, FaultKind)>;

/// What the twin does with these choices.
fn run(instance: &Instance, faulty: &Faulty, choices: &[Choice]) -> Vec<TraceEvent> {
    let schedule = Schedule {
        choices: choices.to_vec(),
        predictions: vec![],
    };
    let options = Options {
        protocol: Protocol::Own,
        compare: false,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let mut twin = Nspcc::new(Switches::default());
    let replayed = replay_on(&mut twin, instance, faulty, &schedule, &options);
    let mut trace = replayed.expect("the choices are legal").trace;
    trace.retain(|event| event.phase == Phase::Schedule);
    trace
}

/// Copies of what was sent before the slot and is not yet delivered, one for each honest receiver,
/// and of what was injected. The paper has no recovery before the heal phase.
fn in_flight(faulty: &Faulty, slot: u32, trace: &[TraceEvent], choices: &[Choice]) -> Vec<Copy> {
    let sent = trace
        .iter()
        .filter(|event| event.what == What::Send && event.slot.0 < slot)
        .filter_map(|event| Some((event.slot, event.replica, event.message.clone()?)))
        .filter(|(_, _, message)| message.kind.name() != "RecoveryRequest");
    let copies = sent.flat_map(|(sent, sender, message)| {
        honest(faulty)
            .filter(move |&id| id != sender)
            .map(move |receiver| Copy {
                sender,
                receiver,
                message: message.clone(),
                sent,
                copy: 0,
            })
    });
    let made = choices.iter().filter_map(|choice| match choice {
        Choice::Inject { copy } if copy.sent.0 < slot => Some(copy.clone()),
        _ => None,
    });
    let delivered = |copy: &Copy| {
        let mut gone = choices.iter();
        gone.any(|choice| matches!(choice, Choice::Deliver { copy: other, .. } if other == copy))
    };
    let all = copies.chain(made);
    all.filter(|copy| !delivered(copy)).collect()
}

/// The replicas of four that are not Byzantine.
fn honest(faulty: &Faulty) -> impl Iterator<Item = ReplicaId> + '_ {
    ReplicaId::all(4).filter(|&id| !faulty.contains(&(id, FaultKind::Byzantine)))
}

/// A message that a Byzantine replica may make in a view of the paper's rotation.
fn forged(random: &mut Random, by: ReplicaId) -> Message {
    let view = View(u32::from(random.percent(50)));
    let primary = view.0 == by.0;
    let kind = match (random.percent(50), random.percent(50)) {
        (true, _) => "ChangeView",
        (false, true) => "Commit",
        (false, false) if primary => "PrepareRequest",
        (false, false) => "PrepareResponse",
    };
    let asks = kind == "ChangeView";
    let kind = milp_schema::Protocol::shipped("dbft2").the(kind);
    Message::new(kind, Height(0), view, (!asks).then_some(0))
}

/// Every Byzantine replica may make a copy for every other one that it did not make before.
fn inject(random: &mut Random, faulty: &Faulty, slot: Slot, choices: &mut Vec<Choice>) {
    for &(sender, _) in faulty {
        for receiver in honest(faulty) {
            let message = forged(random, sender);
            let known = choices.iter().any(|choice| {
                matches!(choice, Choice::Inject { copy }
                    if (copy.sender, copy.receiver) == (sender, receiver) && copy.message == message)
            });
            if !known && random.percent(30) {
                choices.push(Choice::Inject {
                    copy: Copy {
                        sender,
                        receiver,
                        message,
                        sent: slot,
                        copy: 0,
                    },
                });
            }
        }
    }
}

/// A random execution of the twin: choices drawn slot by slot, from what there is to choose.
fn execution(instance: &Instance, faulty: &Faulty, seed: u64) -> Schedule {
    let mut random = Random(seed);
    // Mostly views are left only if requests and commits are slow and timers are not.
    let slow = [10, 25, 80][(seed % 3) as usize];
    let fast = [50, 95][(seed / 3 % 2) as usize];
    let fire = [10, 30, 60][(seed / 6 % 3) as usize];
    let deliver = |kind: &Kind| {
        let slowly = ["PrepareRequest", "Commit"].contains(&kind.name());
        if slowly { slow } else { fast }
    };
    let mut choices: Vec<Choice> = vec![];
    for slot in 1..=instance.slots {
        let trace = run(instance, faulty, &choices);
        let mut copies = in_flight(faulty, slot, &trace, &choices);
        // The order inside a slot (E7); among change views the highest view first.
        copies.sort_by_key(|copy| {
            let asks = copy.message.kind.name() == "ChangeView";
            let asked = asks.then_some(std::cmp::Reverse(copy.message.view));
            (copy.receiver, copy.message.kind, asked)
        });
        copies.retain(|copy| random.percent(deliver(&copy.message.kind)));
        let slot = Slot(slot);
        choices.extend(
            copies
                .into_iter()
                .map(|copy| Choice::Deliver { slot, copy }),
        );
        for replica in honest(faulty) {
            let entered = trace.iter().filter(|event| event.what == What::EnterView);
            let mut entered = entered.filter(|event| event.replica == replica);
            let view = entered.next_back().and_then(|event| event.place);
            if random.percent(fire) {
                choices.push(Choice::Timeout {
                    slot,
                    replica,
                    timer: "view",
                    height: Height(0),
                    view: view.map_or(View(0), |(_, view)| view),
                });
            }
        }
        inject(&mut random, faulty, slot, &mut choices);
    }
    let trace = run(instance, faulty, &choices);
    let predictions = trace.iter().filter_map(|event| {
        Some(Prediction {
            slot: event.slot,
            replica: event.replica,
            event: event.event()?,
        })
    });
    Schedule {
        // What the paper does not name.
        predictions: predictions
            .filter(|seen| !matches!(&seen.event, Event::Send(said) if said.kind.name() == "RecoveryRequest"))
            .collect(),
        choices,
    }
}

/// Random executions of the twin with two Byzantine replicas, who get the others anywhere, as
/// points.
fn executions(instance: &Instance, built: &Built) -> Vec<Vec<i64>> {
    let mut done = BTreeMap::new();
    let mut points = vec![];
    for seed in 0..2000 {
        let pairs = [(2, 3), (1, 3), (0, 3), (1, 2), (0, 2)];
        let (one, other) = pairs[(seed % 5) as usize];
        let byzantine = [one, other].map(|id| (ReplicaId(id), FaultKind::Byzantine));
        let faulty = byzantine.to_vec();
        let execution = execution(instance, &faulty, seed);
        let Ok(point) = built.encode(&execution, &faulty) else {
            continue; // beyond the views of the program
        };
        points.push(point.into_iter().map(|value| value.unwrap_or(0)).collect());
        for prediction in execution.predictions {
            if let Event::Send(said) = prediction.event {
                *done.entry((said.kind.name(), said.view)).or_insert(0) += 1;
            }
        }
    }
    for kind in ["PrepareResponse", "Commit", "ChangeView"] {
        for view in [View(0), View(1)] {
            let count = done.get(&(kind, view)).copied().unwrap_or(0);
            assert!(count >= 20, "{kind} v{view}: {count} times in {done:?}");
        }
    }
    points
}

/// How many learned rows hold on executions, and the first that does not.
fn against(points: &[Vec<i64>], built: &Built) -> (usize, Option<String>) {
    let mut held = 0;
    for (number, point) in points.iter().enumerate() {
        let rows = built.program.rows.iter();
        for row in rows.filter(|row| row.name.starts_with("learned_")) {
            if !row.holds(point) {
                return (held, Some(format!("{} in execution {number}", row.name)));
            }
            held += 1;
        }
    }
    (held, None)
}

#[test]
fn no_cut_removes_an_execution_of_the_engine_and_one_too_strong_would() {
    let stalled = Instance {
        network: Network::Eventual,
        ..instance("dbft2", 2, 10, Goal::Stall)
    };
    let learned = learned(&stalled, TWIN, 30);
    let words = words(&learned, &stalled);
    let besieged = Instance {
        faults: vec![any(FaultKind::Byzantine, 2)],
        network: Network::Asynchronous,
        goal: Goal::Fork,
        ..stalled
    };
    let with = |cuts: &Cuts| cuts.program(&besieged).expect("it can be built");
    let built = with(&learned.cuts);
    let points = executions(&besieged, &built);
    let (held, broken) = against(&points, &built);
    assert_eq!(broken, None, "{words}");
    assert!(held > 100_000, "{held} with\n{words}");
    // A cut without its conditions is too strong, whichever it is.
    for cut in learned.cuts.cuts.iter().filter(|cut| !cut.does) {
        let mut strong = Cuts::of(TWIN);
        strong.cuts.push(cut.clone());
        strong.cuts[0].literals.clear();
        let (_, broken) = against(&points, &with(&strong));
        assert!(broken.is_some(), "{}", cut.sentence);
    }
}
