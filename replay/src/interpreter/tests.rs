//! Files of dBFT against own replicas to the end of the heal phase, act by act: both without
//! recovery, on the same stage.

#![expect(clippy::print_stdout, reason = "the counts are the result")]

use super::Interpreter;
use crate::{
    Recovery, Replayed, Replicas, Signatures, drive,
    input::Driven,
    protocols::{self, Table},
    random::{self, Executed},
};
use milp_schema::{
    Instance, TraceEvent,
    instance::{Fault, FaultKind, Network, Timers, Who},
    trace::{Phase, What},
    verdict::Liveness,
};
use std::collections::BTreeMap;

fn instances(protocol: &str) -> Vec<Instance> {
    let of = |kind, network, timers| {
        let instance = Instance::builder(protocol)
            .views(3)
            .slots(12)
            .blocks_per_proposal(if kind == FaultKind::Byzantine { 2 } else { 1 })
            .faults([Fault {
                kind,
                who: Who::Any(1),
            }])
            .network(network)
            .build();
        Instance {
            timers,
            block_time: (timers == Timers::Protocol).then_some(3),
            ..instance
        }
    };
    let bounded = Network::Bounded {
        delay_min: 1,
        delay_max: 3,
        gst: 4,
    };
    let crash = of(FaultKind::Crash, Network::Asynchronous, Timers::Free);
    let two_heights = Instance {
        heights: 2,
        ..of(FaultKind::Network, Network::Asynchronous, Timers::Free)
    };
    vec![
        crash,
        two_heights,
        of(FaultKind::Byzantine, Network::Asynchronous, Timers::Free),
        of(FaultKind::Byzantine, Network::Eventual, Timers::Free),
        of(FaultKind::Byzantine, bounded, Timers::Protocol),
        of(FaultKind::Crash, bounded, Timers::Protocol),
    ]
}

/// What replicas did, firings that do nothing left out: own ones have a timer that always runs.
fn acts(replayed: &Replayed) -> Vec<TraceEvent> {
    let trace = &replayed.trace;
    let mut acts: Vec<TraceEvent> = Vec::new();
    for (place, event) in trace.iter().enumerate() {
        let does = |next: &TraceEvent| {
            next.replica == event.replica && matches!(next.what, What::Send | What::EnterView)
        };
        if event.what != What::Timeout || trace.get(place + 1).is_some_and(does) {
            acts.push(event.clone());
        }
    }
    // A decision is sent first by one and last by the other.
    for place in 1..acts.len() {
        let decides = acts[place - 1].what == What::Decide && acts[place].what == What::Send;
        if decides && acts[place - 1].replica == acts[place].replica {
            acts.swap(place - 1, place);
        }
    }
    acts
}

fn both(instance: &Instance, executed: &Executed) -> [Replayed; 2] {
    let options = crate::Options {
        protocol: crate::Protocol::Own,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let rules = protocols::Rules::of(instance).expect("own replicas");
    let mut own = Table::quiet(rules);
    let mut file = Interpreter::of(instance).expect("a file");
    let engines: [&mut dyn crate::engine::Engine; 2] = [&mut own, &mut file];
    engines.map(|engine| {
        let replicas = Replicas {
            driven: Driven::Paper,
            protocol: instance.protocol,
            quorum: crate::quorum(instance),
        };
        let (faulty, schedule) = (&executed.faulty, &executed.schedule);
        drive(engine, replicas, instance, faulty, schedule, &options).expect("good input")
    })
}

#[test]
fn the_heal_phase_is_the_same_act_by_act() {
    let asked = std::env::var("EXECUTIONS").ok();
    let executions: u64 = asked.and_then(|it| it.parse().ok()).unwrap_or(2_000);
    let all: Vec<Instance> = ["dbft1", "dbft2"].into_iter().flat_map(instances).collect();
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for instance in &all {
        for seed in 0..executions / all.len() as u64 {
            let executed = random::interpreted(instance, seed);
            let [own, file] = both(instance, &executed);
            let show = |events: &[TraceEvent]| milp_schema::trace::to_ndjson(events);
            let [left, right] = [&own, &file].map(acts);
            let differ = left.iter().zip(&right).position(|(a, b)| a != b);
            // Timers armed anew for the heal phase: a primary's second one counts from there for own
            // replicas; a file says only how long it runs after the proposal.
            let second = |it: &TraceEvent| {
                let (height, view) = it.place.unwrap_or_default();
                let leads = instance.primary(height, view) == it.replica;
                it.what == What::Timeout && leads
            };
            let free = instance.timers == Timers::Free;
            if differ.is_some_and(|it| free && (second(&left[it]) || second(&right[it]))) {
                *ends.entry("differ by that timer".to_owned()).or_default() += 1;
                continue;
            }
            if let Some(place) = differ {
                panic!(
                    "seed {seed} of {instance:?}\n{}\n{}",
                    show(&left[..=place]),
                    show(&right[place..=place])
                );
            }
            let ends_alike = own.verdict.termination == file.verdict.termination;
            assert!(ends_alike, "seed {seed} of {instance:?}");
            let heals = file.trace.iter().any(|it| it.phase == Phase::Heal);
            let end = match file.verdict.termination {
                Liveness::Decided if !heals => "decided before".to_owned(),
                liveness => format!("{liveness:?}"),
            };
            *ends.entry(end).or_default() += 1;
        }
    }
    println!("{ends:?}");
}
