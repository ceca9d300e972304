//! Replicas made from protocol files: they do what own replicas do, and what the pages say.

#![expect(clippy::print_stdout, reason = "the counts are the result")]

mod common;

use common::{OWN, any, instance};
use milp_replay::{
    Options, Protocol, Replayed,
    random::{self, Executed},
    replay,
};
use milp_schema::{
    Choice, Instance, TraceEvent,
    instance::{Fault, FaultKind, Network, Timers, Who},
    schedule::Event,
    trace::{Phase, What},
    verdict::Liveness,
};
use std::collections::BTreeMap;

const FILE: Options = Options {
    protocol: Protocol::Interpreter,
    ..OWN
};

/// Instances of a dBFT: faults of every kind, networks, timers, heights and mutants.
fn instances(protocol: &str) -> Vec<Instance> {
    let plain = instance(protocol, 4, 3, 12);
    let byzantine = Instance {
        faults: vec![any(FaultKind::Byzantine, 1)],
        blocks_per_proposal: 2,
        ..plain.clone()
    };
    let eventual = Instance {
        network: Network::Eventual,
        slots: 16,
        ..byzantine.clone()
    };
    let bounded = Network::Bounded {
        delay_min: 1,
        delay_max: 3,
        gst: 4,
    };
    let crashing = Instance {
        faults: vec![any(FaultKind::Crash, 1)],
        network: bounded,
        slots: 16,
        ..plain.clone()
    };
    let chain = plain.protocol.definition().is_some_and(|it| it.rules.chain);
    let heights = Instance {
        heights: if chain { 1 } else { 2 },
        faults: vec![any(FaultKind::Network, 1)],
        ..plain.clone()
    };
    let timers = Instance {
        network: bounded,
        timers: Timers::Protocol,
        block_time: Some(3),
        slots: 20,
        ..plain.clone()
    };
    let seven = Instance {
        replicas: 7,
        faults: vec![any(FaultKind::Byzantine, 2)],
        ..plain.clone()
    };
    let mutants = plain.protocol.mutants.keys().map(|mutant| Instance {
        mutant: Some(mutant.clone()),
        ..byzantine.clone()
    });
    let others = [
        &plain, &byzantine, &eventual, &crashing, &heights, &timers, &seven,
    ];
    others.into_iter().cloned().chain(mutants).collect()
}

fn play(instance: &Instance, executed: &Executed, options: &Options) -> Replayed {
    let played = replay(instance, &executed.faulty, &executed.schedule, options);
    played.unwrap_or_else(|error| panic!("{instance:?}: {error}"))
}

/// The events of the slots of the schedule, what is said for recovery left out.
fn acts(replayed: &Replayed) -> Vec<TraceEvent> {
    let schedule =
        |event: &&TraceEvent| event.phase == Phase::Schedule && event.what != What::Recover;
    let mut acts: Vec<TraceEvent> = replayed.trace.iter().filter(schedule).cloned().collect();
    // A decision that is sent is sent first by one and last by the other.
    for place in 1..acts.len() {
        let decides = acts[place - 1].what == What::Decide && acts[place].what == What::Send;
        if decides && acts[place - 1].replica == acts[place].replica {
            acts.swap(place - 1, place);
        }
    }
    acts
}

/// The same rows without firings that do nothing: own replicas have a timer that always runs, and
/// ask for recovery with it.
fn without_idle_firings(instance: &Instance, executed: Executed) -> Executed {
    let trace = acts(&play(instance, &executed, &OWN));
    let mut idle = Vec::new();
    for (place, event) in trace.iter().enumerate() {
        let does = |next: &TraceEvent| {
            next.replica == event.replica && matches!(next.what, What::Send | What::EnterView)
        };
        if event.what == What::Timeout && !trace.get(place + 1).is_some_and(does) {
            idle.push((event.slot, event.replica, event.place));
        }
    }
    let mut executed = executed;
    let mut choices = std::mem::take(&mut executed.schedule.choices);
    // A firing that does nothing comes after every one of its view that does something.
    choices.reverse();
    choices.retain(|choice| {
        let Choice::Timeout {
            slot,
            replica,
            height,
            view,
            ..
        } = choice
        else {
            return true;
        };
        let fired = (*slot, *replica, Some((*height, *view)));
        let found = idle.iter().position(|it| *it == fired);
        found.inspect(|place| {
            idle.remove(*place);
        });
        found.is_none()
    });
    choices.reverse();
    executed.schedule.choices = choices;
    executed
}

/// How the heal phase ended on both sides.
type Ends = BTreeMap<(&'static str, &'static str), u32>;

fn word(liveness: Liveness) -> &'static str {
    match liveness {
        Liveness::Decided => "decided",
        Liveness::Stuck => "stuck",
        Liveness::Open => "open",
    }
}

fn compare(instance: &Instance, executed: &Executed, ends: &mut Ends, label: &str) {
    let (own, file) = (
        play(instance, executed, &OWN),
        play(instance, executed, &FILE),
    );
    let show = |events: &[TraceEvent]| {
        let lines = events.iter().map(|event| {
            let text = milp_schema::trace::to_ndjson(std::slice::from_ref(event));
            text.lines().last().unwrap_or_default().to_owned()
        });
        lines.collect::<Vec<_>>()
    };
    let (left, right) = (show(&acts(&own)), show(&acts(&file)));
    let differ = left.iter().zip(&right).position(|(a, b)| a != b);
    let differ = differ.or((left.len() != right.len()).then_some(left.len().min(right.len())));
    if let Some(place) = differ {
        panic!(
            "{label}: {instance:?}\n{}\nown  {:?}\nfile {:?}",
            left[..place].join("\n"),
            left.get(place),
            right.get(place)
        );
    }
    assert_eq!(own.verdict.divergences, Some(0), "{label}");
    assert_eq!(
        file.verdict.impossible, own.verdict.impossible,
        "{label}: {:?}",
        file.verdict.notes
    );
    let end = (
        word(own.verdict.termination),
        word(file.verdict.termination),
    );
    *ends.entry(end).or_default() += 1;
}

/// How many executions, more by hand.
fn executions() -> u64 {
    let asked = std::env::var("EXECUTIONS").ok();
    asked.and_then(|it| it.parse().ok()).unwrap_or(10_000)
}

#[test]
fn files_of_dbft_do_act_by_act_what_own_replicas_do() {
    let all: Vec<Instance> = ["dbft1", "dbft2"].into_iter().flat_map(instances).collect();
    let each = executions() / (2 * all.len() as u64) + 1;
    let mut ends = Ends::new();
    for instance in &all {
        for seed in 0..each {
            let executed = without_idle_firings(instance, random::execution(instance, seed));
            compare(instance, &executed, &mut ends, &format!("own, seed {seed}"));
            let executed = random::interpreted(instance, seed);
            compare(
                instance,
                &executed,
                &mut ends,
                &format!("file, seed {seed}"),
            );
        }
    }
    println!("{} executions: {ends:?}", ends.values().sum::<u32>());
}

/// Instances of a protocol that only its file states.
fn of_file(protocol: &str) -> Vec<Instance> {
    let plain = Instance {
        faults: vec![any(FaultKind::Byzantine, 1)],
        blocks_per_proposal: 2,
        ..instance(protocol, 4, 3, 20)
    };
    let eventual = Instance {
        network: Network::Eventual,
        ..plain.clone()
    };
    let bounded = Network::Bounded {
        delay_min: 1,
        delay_max: 3,
        gst: 4,
    };
    let timers = Instance {
        faults: vec![any(FaultKind::Crash, 1)],
        network: bounded,
        timers: Timers::Protocol,
        block_time: Some(3),
        slots: 24,
        ..plain.clone()
    };
    let chain = plain.protocol.definition().is_some_and(|it| it.rules.chain);
    let heights = Instance {
        heights: if chain { 1 } else { 2 },
        ..plain.clone()
    };
    let powers = Instance {
        power: Some(vec![40, 30, 20, 10]),
        faults: vec![Fault {
            kind: FaultKind::Byzantine,
            who: Who::Power(33),
        }],
        ..plain.clone()
    };
    let mutants = plain.protocol.mutants.keys().map(|mutant| Instance {
        mutant: Some(mutant.clone()),
        ..plain.clone()
    });
    let others = [&plain, &eventual, &timers, &heights, &powers];
    others.into_iter().cloned().chain(mutants).collect()
}

#[test]
fn random_executions_of_files_replay_identically_and_make_every_record() {
    for protocol in [
        "tendermint",
        "ibft1",
        "hotstuff-chained",
        "jolteon",
        "simplex",
    ] {
        let all = of_file(protocol);
        let each = executions() / 20 / all.len() as u64;
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let mut ends = BTreeMap::new();
        for instance in &all {
            let mut beyond = 0;
            for seed in 0..each {
                let executed = random::execution(instance, seed);
                beyond += u32::from(executed.left_out);
                let replayed = play(instance, &executed, &OWN);
                let verdict = &replayed.verdict;
                assert!(
                    verdict.confirms(),
                    "{instance:?}: seed {seed}: {:?}",
                    verdict.notes
                );
                *ends.entry(word(verdict.termination)).or_insert(0) += 1;
                for prediction in &executed.schedule.predictions {
                    let name = match &prediction.event {
                        Event::Send(message) => format!("{} v{}", message.kind, message.view),
                        Event::EnterView { view, .. } => format!("enter v{view}"),
                        Event::Decide(block) => format!("decide v{}", block.view),
                    };
                    *counts.entry(name).or_default() += 1;
                }
            }
            println!(
                "{} {:?} {:?}: {beyond} of {each} beyond",
                protocol, instance.mutant, instance.timers
            );
        }
        println!("{protocol}: {ends:?} {counts:?}");
        for kind in instance(protocol, 4, 1, 1).protocol.kinds() {
            let name = format!("{kind} v1");
            assert!(counts.contains_key(&name), "{name}: {counts:?}");
        }
    }
}

/// What a replica may do when it likes has no row: predictions say when it did.
#[test]
fn executions_with_rules_that_may_be_done_replay_identically() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let text = include_str!("fixtures/qbft.yaml");
    let text = text.replace("name: qbft-of-tests", "name: at-leisure");
    let text = text.replace("<- v = 0\"", "<- may, v = 0\"");
    let text = text.replace(
        "enter(v) <- timer round",
        "enter(v) <- may, own prepare(v-1, *)",
    );
    let text = text.replace("- 1: \"timer round for 2^v*T\"\n", "");
    let text = text.replace("timers: [round]", "timers: []");
    std::fs::write(folder.join("may.yaml"), text).expect("a file is written");
    let file = milp_schema::protocol::beside(folder, "./may.yaml");
    let instance = Instance {
        protocol: file.unwrap_or_else(|error| panic!("{error}")),
        ..instance("tendermint", 4, 3, 16)
    };
    let mut counts = [0; 2];
    for seed in 0..50 {
        let executed = random::execution(&instance, seed);
        let verdict = play(&instance, &executed, &OWN).verdict;
        assert!(verdict.confirms(), "seed {seed}: {:?}", verdict.notes);
        for prediction in &executed.schedule.predictions {
            match &prediction.event {
                Event::Send(message) if message.justification.is_none() => counts[0] += 1,
                Event::EnterView { .. } => counts[1] += 1,
                _ => {}
            }
        }
    }
    assert!(counts.iter().all(|count| *count >= 20), "{counts:?}");
}
