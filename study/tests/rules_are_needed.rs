//! Changing any one thing about any one rule of a protocol is noticed by the replicas: a random
//! execution then violates a row, or a point of the program does not replay.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    formulation::timed::{self, Built},
    program::{Col, Tag},
    protocols,
    rule::{
        Duration, Enter, Event, Modality, Protocol, Range, Requires, Rotation, Rule, Scope,
        Threshold, Who,
    },
};
use milp_replay::{Options, Protocol as Replicas, Signatures, random, replay};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Sense},
};
use std::sync::atomic::AtomicBool;
use support::{any, instance, settings};

/// Every protocol that differs from `protocol` in one thing, with words for the difference.
fn changed(protocol: &Protocol) -> Vec<(String, Protocol)> {
    let rotation = Rotation::HeightMinusView;
    let mut all = vec![(
        "rotation".to_owned(),
        Protocol {
            rotation,
            ..protocol.clone()
        },
    )];
    for (number, rule) in protocol.rules.iter().enumerate() {
        let changes = match rule {
            Rule::Event(event) => changed_event(event),
            Rule::Enter(enter) => changed_enter(enter),
            _ => vec![],
        };
        for (what, change) in changes {
            let mut other = protocol.clone();
            other.rules[number] = change;
            all.push((what, other));
        }
    }
    assert!(
        all.iter().all(|(_, other)| other != protocol),
        "a change changes something"
    );
    all
}

fn changed_event(event: &Event) -> Vec<(String, Rule)> {
    let mut all: Vec<(String, Rule)> = vec![];
    let mut push = |what: &str, change: &dyn Fn(&mut Event)| {
        let mut other = event.clone();
        change(&mut other);
        all.push((format!("{} {what}", event.name), Rule::Event(other)));
    };
    for left in 0..event.requires.len() {
        push(&format!("without requirement {left}"), &|event| {
            event.requires.remove(left);
        });
        if let Requires::Tally { of, .. } = &event.requires[left] {
            let at_least = Threshold::QuorumLessOne;
            push("with a smaller quorum", &|event| {
                event.requires[left] = Requires::Tally {
                    of: of.clone(),
                    at_least,
                };
            });
        }
    }
    for left in 0..event.excludes.len() {
        push(&format!("without exclusion {left}"), &|event| {
            event.excludes.remove(left);
        });
    }
    if event.who != Who::Any {
        push("by anybody", &|event| event.who = Who::Any);
    }
    let after = Duration::Doubling(1);
    match event.modality {
        Modality::Must => push("by timer", &|event| {
            event.modality = Modality::Timer { after }
        }),
        Modality::Timer { .. } => push("always", &|event| event.modality = Modality::Must),
    }
    if event.scope == Scope::View && event.decides {
        push("in any view", &|event| event.scope = Scope::Height);
    }
    // A primary proposes in one view of two anyway.
    if event.once == Range::View && event.who != Who::Primary {
        push("once per height", &|event| event.once = Range::Height);
    }
    all
}

fn changed_enter(enter: &Enter) -> Vec<(String, Rule)> {
    let at_least = Threshold::QuorumLessOne;
    let smaller = Rule::Enter(Enter {
        at_least,
        ..enter.clone()
    });
    let mut all = vec![("enter with a smaller quorum".to_owned(), smaller)];
    if !enter.excludes.is_empty() {
        let free = Rule::Enter(Enter {
            excludes: vec![],
            ..enter.clone()
        });
        all.push(("enter without the lock".to_owned(), free));
    }
    all
}

fn question(protocol: &str, replicas: u32) -> Instance {
    let mut instance = instance(protocol, 2, 9, Goal::Fork);
    instance.replicas = replicas;
    instance.network = Network::Eventual;
    instance.faults = vec![any(FaultKind::Byzantine, 1)];
    instance
}

/// Whether a random execution of the true replicas breaks a legal row, or has no point.
fn an_execution_breaks_it(instance: &Instance, built: &Built) -> bool {
    (0..400).any(|seed| {
        let execution = random::execution(instance, seed);
        let Ok(point) = built.encode(&execution.schedule, &execution.faulty) else {
            return true;
        };
        let values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
        built.program.rows.iter().any(|row| {
            let known = row
                .terms
                .iter()
                .all(|(col, _)| point[col.index()].is_some());
            built.program.family(row).tag == Tag::Legal && known && !row.holds(&values)
        })
    })
}

/// Whether a point of the program is nothing that the true replicas do: each event in turn is
/// wanted, of everybody or of one replica, and everything else as rarely as possible.
fn a_point_does_not_replay(instance: &Instance, built: &Built) -> bool {
    let mut names: Vec<String> = built
        .program
        .columns
        .iter()
        .filter_map(|column| {
            column
                .name
                .split_once("_i")
                .map(|(name, _)| name.to_owned())
        })
        .filter(|name| name.starts_with("did_") || name == "entered")
        .collect();
    names.sort();
    names.dedup();
    let of_one: Vec<String> = names.iter().map(|name| format!("{name}_i1")).collect();
    names.iter().chain(&of_one).any(|wanted| {
        let mut program = built.program.clone();
        program.sense = Sense::Maximize;
        program.objective = (0..program.columns.len() as u32)
            .map(|col| {
                let name = &program.columns[col as usize].name;
                (
                    Col(col),
                    if name.starts_with(wanted.as_str()) {
                        40
                    } else {
                        -1
                    },
                )
            })
            .collect();
        let stop = AtomicBool::new(false);
        let solved = milp_solver::solve(&program, &settings(10.0, false), &stop, &mut |_| {});
        let Some(point) = solved.ok().and_then(|solved| solved.point) else {
            return false;
        };
        let decoded = built.decode(&point);
        let options = Options {
            protocol: Replicas::Own,
            compare: true,
            signatures: Signatures::Symbolic,
        };
        replay(instance, &decoded.faulty, &decoded.schedule, &options)
            .map_or(true, |replayed| replayed.verdict.divergences > 0)
    })
}

#[test]
fn every_change_of_a_rule_is_noticed() {
    for name in ["dbft1", "dbft2"] {
        let instance = question(name, 4);
        // With four replicas a quorum leaves one out; some rules matter from seven on.
        let larger = question(name, 7);
        let protocol = protocols::of(&instance).expect("a known protocol");
        let whole = timed::build(&instance, &protocol).expect("timed supports it");
        assert!(!an_execution_breaks_it(&instance, &whole));
        let mut unnoticed = vec![];
        let changed = changed(&protocol);
        assert!(changed.len() >= 15, "{}", changed.len());
        for (what, other) in changed {
            let Ok(built) = timed::build(&instance, &other) else {
                continue;
            };
            let breaks_larger = || {
                let built = timed::build(&larger, &other).expect("as for four");
                an_execution_breaks_it(&larger, &built)
            };
            let how = if an_execution_breaks_it(&instance, &built) {
                "an execution breaks it"
            } else if a_point_does_not_replay(&instance, &built) {
                "a point does not replay"
            } else if breaks_larger() {
                "an execution of seven breaks it"
            } else {
                unnoticed.push(what.clone());
                "NOT NOTICED"
            };
            println!("{name}: {what}: {how}");
        }
        assert!(unnoticed.is_empty(), "{name}: {unnoticed:?}");
    }
}
