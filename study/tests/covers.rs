//! What a protocol covers is one list: the reader, the program and the replicas refuse the same.

mod support;

use milp_model::Error;
use milp_replay::{Options, Protocol, Recovery, Signatures, replay};
use milp_schema::{
    Instance, Schedule, covers,
    instance::{FaultKind, Formulation, Goal, Network, Primary, Timers},
    read, write,
};
use support::{any, instance};

const OWN: Options = Options {
    protocol: Protocol::Own,
    compare: true,
    foreign: false,
    signatures: Signatures::Symbolic,
    recovery: Recovery::Ideal,
};

fn model(protocol: &str) -> Instance {
    Instance {
        beyond_budget: true,
        formulation: Formulation::Auto,
        ..instance(protocol, 2, 7, Goal::Fork)
    }
}

/// What makes an instance ask for more, with its name.
type Change = (&'static str, fn(&mut Instance));

/// One thing that the formal model does not have, each.
fn beyond() -> [Change; 10] {
    [
        ("replicas", |it| it.replicas = 3),
        ("views", |it| it.views = 4),
        ("heights", |it| it.heights = 2),
        ("blocks", |it| it.blocks_per_proposal = 2),
        ("primary", |it| it.primary = Primary::Free),
        ("mutant", |it| it.mutant = Some("small-quorum".to_owned())),
        ("network faults", |it| {
            it.faults = vec![any(FaultKind::Network, 1)];
        }),
        ("too many faults", |it| {
            it.faults = vec![any(FaultKind::Byzantine, 2)];
        }),
        ("timers", |it| {
            (it.timers, it.block_time) = (Timers::Protocol, Some(3));
        }),
        ("delays", |it| {
            it.network = Network::Bounded {
                delay_min: 1,
                delay_max: 2,
                gst: 0,
            };
        }),
    ]
}

#[test]
fn what_the_formal_model_does_not_cover_is_refused_by_reader_program_and_replicas() {
    for protocol in ["dbft2-tla", "dbft2-tla-per-view"] {
        for (name, change) in beyond() {
            let mut instance = model(protocol);
            change(&mut instance);
            assert!(!covers::uncovered(&instance).is_empty(), "{name}");
            for formulation in [
                Formulation::Auto,
                Formulation::Timed,
                Formulation::Counting,
                Formulation::Causal,
            ] {
                instance.formulation = formulation;
                let error = milp_model::build(&instance).map(drop);
                let error = error.expect_err("a program of what is not covered");
                assert!(matches!(error, Error::Uncovered { .. }), "{name}: {error}");
            }
            let error = replay(&instance, &[], &Schedule::default(), &OWN);
            let error = error.expect_err("replicas that are not there").to_string();
            assert!(error.contains("does not cover"), "{name}: {error}");
            let text = write::instance_yaml(&instance);
            let error = read::instance_text("file", &text).map(drop);
            let error = error.expect_err("read what is not covered");
            let said = |it: &read::Problem| {
                it.what.contains("does not cover") || it.what.contains("has no mutants")
            };
            assert!(error.problems.iter().any(said), "{name}");
        }
    }
}

#[test]
fn what_the_formal_model_covers_is_taken_by_all() {
    for protocol in ["dbft2-tla", "dbft2-tla-per-view"] {
        for (replicas, views) in [(4, 1), (4, 3), (7, 2)] {
            let mut instance = model(protocol);
            (instance.replicas, instance.views) = (replicas, views);
            assert_eq!(covers::uncovered(&instance), []);
            milp_model::build(&instance).expect("a program");
            replay(&instance, &[], &Schedule::default(), &OWN).expect("a verdict");
            let text = write::instance_yaml(&instance);
            assert_eq!(read::instance_text("file", &text), Ok(instance));
        }
    }
}
