//! How many deliveries per second the replicas take that a schedule can drive, on the same random
//! executions: those of the paper, the twin of the production engine, and the engine itself
//! behind its adapter.
//!
//! `cargo bench --profile dev -p milp-replay --bench deliveries` measures, in the one profile that
//! is built anyway; `cargo test` runs a few executions only, so that this keeps working. Engines are started once per execution, which is part of what they cost.

#![expect(clippy::print_stdout, reason = "the table is the result")]

use milp_replay::{
    Error, Options, Protocol, Recovery, Replayed, Signatures,
    engine::{
        ANSWER_LIMIT, Sidecar, find,
        nspcc::{Nspcc, Switches},
    },
    random::{Executed, execution},
    replay, replay_on,
};
use milp_schema::{
    Instance,
    instance::{Fault, FaultKind, Network},
    trace::What,
};
use std::time::Instant;

/// One group of replicas, f of them Byzantine, with room for three views.
fn instance(replicas: u32) -> Instance {
    Instance::builder("dbft2")
        .replicas(replicas)
        .faults([Fault::any(FaultKind::Byzantine, (replicas - 1) / 3)])
        .views(3)
        .blocks_per_proposal(2)
        .slots(16)
        .network(Network::Asynchronous)
        .build()
}

/// Who takes the deliveries.
#[derive(Debug, Clone, Copy)]
enum Driven {
    Paper,
    Twin,
    Engine,
}

fn drive(
    driven: Driven,
    signatures: Signatures,
    instance: &Instance,
    executed: &Executed,
) -> Result<Replayed, Error> {
    let options = Options {
        protocol: Protocol::Own,
        compare: false,
        foreign: false,
        signatures,
        recovery: Recovery::Ideal,
    };
    let Executed {
        faulty, schedule, ..
    } = executed;
    match driven {
        Driven::Paper => replay(instance, faulty, schedule, &options),
        Driven::Twin => {
            let mut twin = Nspcc::new(Switches::default());
            replay_on(&mut twin, instance, faulty, schedule, &options)
        }
        Driven::Engine => {
            let mut engine = Sidecar::open(&find("nspcc-dbft")?, ANSWER_LIMIT)?;
            replay_on(&mut engine, instance, faulty, schedule, &options)
        }
    }
}

/// Deliveries per second over all executions.
fn pace(
    driven: Driven,
    signatures: Signatures,
    instance: &Instance,
    executions: &[Executed],
) -> Result<f64, Error> {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    let began = Instant::now();
    let mut deliveries = 0_usize;
    for executed in executions {
        let replayed = drive(driven, signatures, instance, executed)?;
        let delivered = replayed.trace.iter();
        deliveries += delivered
            .filter(|event| event.what == What::Deliver)
            .count();
    }
    assert!(deliveries > 0, "nothing was delivered");
    Ok(deliveries as f64 / began.elapsed().as_secs_f64())
}

fn main() -> Result<(), Error> {
    // Cargo says `--bench` when it measures and nothing when it tests.
    let measures = std::env::args().any(|argument| argument == "--bench");
    let count = if measures { 40 } else { 2 };
    let rows = [
        ("paper, symbolic", Driven::Paper, Signatures::Symbolic),
        ("paper, P-256", Driven::Paper, Signatures::P256),
        ("twin", Driven::Twin, Signatures::Symbolic),
        ("nspcc-dbft, symbolic", Driven::Engine, Signatures::Symbolic),
        ("nspcc-dbft, P-256", Driven::Engine, Signatures::P256),
    ];
    for replicas in [4, 7] {
        let instance = instance(replicas);
        let executions: Vec<Executed> = (0..count).map(|seed| execution(&instance, seed)).collect();
        println!(
            "{replicas} replicas, {count} executions: deliveries per second, and how many times those of the engine with P-256"
        );
        let mut paces = Vec::new();
        for (_, driven, signatures) in rows {
            paces.push(pace(driven, signatures, &instance, &executions)?);
        }
        let slowest = paces[rows.len() - 1];
        for ((name, ..), pace) in rows.iter().zip(&paces) {
            println!("  {name:<22}{pace:>12.0}{:>10.1}", pace / slowest);
        }
    }
    Ok(())
}
