//! Questions to formulations of protocol files without slots, answered by points that replicas made from
//! the file follow.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs a test by hand"
)]

use super::{settings, value_of};
use milp_model::{
    Decoded, Error,
    formulation::{levels, with_values},
};
use milp_replay::{Options, Protocol, Recovery, Signatures, replay};
use milp_schema::{
    Instance,
    instance::{Fault, FaultKind, Formulation, Goal, Network},
    protocol::beside,
};
use milp_solver::{Settings, Solved, solve};
use std::{path::Path, sync::atomic::AtomicBool};

/// How often a point may be refused before one is followed.
const MOST_REFUSALS: u32 = 10;

/// The question of a name: `tendermint`, `tendermint no-lock`, or `./qbft.yaml` of the tests.
pub(crate) fn question(name: &str, n: u32, byzantine: u32, views: u32) -> Instance {
    let (protocol, mutant) = name.split_once(' ').unwrap_or((name, ""));
    let files = Path::new("../model/tests/fixtures");
    let protocol = match protocol.strip_prefix("./") {
        Some(_) => beside(files, protocol).expect("a sound file"),
        None => milp_schema::Protocol::shipped(protocol),
    };
    let mut instance = Instance::asking(protocol)
        .replicas(n)
        .views(views)
        .network(Network::Asynchronous)
        .faults([Fault::any(FaultKind::Byzantine, byzantine)])
        .build();
    instance.mutant = (!mutant.is_empty()).then(|| mutant.to_owned());
    instance
}

pub(crate) fn run(built: &levels::Built, settings: &Settings) -> Solved {
    let stop = AtomicBool::new(false);
    solve(&built.program, settings, &stop, &mut |_| {}).expect("the solver runs")
}

/// What is found and followed: the optimum and the schedule.
pub(crate) struct Found {
    pub(crate) value: Option<i64>,
    pub(crate) decoded: Option<Decoded>,
}

/// The optimum of `levels`, of a point that is followed.
pub(crate) fn best(instance: &Instance, values: u32) -> Found {
    best_in(Formulation::Levels, instance, values)
}

/// The same of another formulation.
pub(crate) fn best_in(formulation: Formulation, instance: &Instance, values: u32) -> Found {
    let mut built = with_values(instance, formulation, values).expect("it says it");
    for refused in 0..MOST_REFUSALS {
        let stop = AtomicBool::new(false);
        let settings = settings(120.0, true);
        let solved = solve(built.program(), &settings, &stop, &mut |_| {});
        let solved = solved.expect("the solver runs");
        assert!(solved.proved, "{}", instance.protocol);
        println!(
            "{} {:?} n {} views {}: {:?}, {} nodes, root {:?}, {} columns, {} rows, refused {refused}",
            instance.protocol,
            instance.mutant,
            instance.replicas,
            instance.views,
            solved.primal,
            solved.nodes,
            solved.root_bound,
            built.program().columns.len(),
            built.program().rows.len(),
        );
        let Some(point) = &solved.point else {
            let (value, decoded) = (None, None);
            return Found { value, decoded };
        };
        match built.decode(point) {
            Ok(decoded) => {
                follow(instance, &decoded);
                let (value, decoded) = (solved.primal, Some(decoded));
                return Found { value, decoded };
            }
            Err(Error::Refused { why, row }) => {
                println!("refused: {why}");
                assert!(!row.holds(point), "the row cuts the point off");
                built.program_mut().rows.push(*row);
            }
            Err(other) => panic!("{other}"),
        }
    }
    panic!("refused again and again");
}

/// Replicas made from the file do what the schedule predicts.
pub(crate) fn follow(instance: &Instance, decoded: &Decoded) {
    let options = Options {
        protocol: Protocol::Interpreter,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let mut instance = instance.clone();
    instance.slots = decoded.slots;
    let replayed = replay(&instance, &decoded.faulty, &decoded.schedule, &options);
    let replayed = replayed.unwrap_or_else(|error| panic!("{error}: {:#?}", decoded.schedule));
    assert!(
        replayed.verdict.confirms(),
        "{:#?}\n{:#?}",
        replayed.verdict,
        decoded.schedule
    );
}

/// The most values decided at once; one more is asked for while that leaves more open.
pub(crate) fn fork(instance: &Instance) -> i64 {
    fork_in(Formulation::Levels, instance)
}

/// The same of another formulation.
pub(crate) fn fork_in(formulation: Formulation, instance: &Instance) -> i64 {
    for values in 2.. {
        let found = best_in(formulation, instance, values);
        let decoded = found.decoded.expect("nobody need decide");
        assert_eq!(value_of(Goal::Fork, &decoded), found.value);
        let built = with_values(instance, formulation, values).expect("it says it");
        let optimum = found.value.expect("it is feasible");
        if built
            .values()
            .is_none_or(|values| optimum < i64::from(values))
        {
            return optimum;
        }
    }
    unreachable!("there are only so many values")
}
