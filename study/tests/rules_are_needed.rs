//! Changing any one thing about any one rule of a protocol is noticed by the replicas: a random
//! execution then violates a row, or a point of the program does not replay.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    formulation::timed::{self, Built},
    program::{Col, Row, Tag},
    protocols,
    rule::{
        Arming, Checked, Duration, Enter, Event, Keeps, Modality, Negation, Protocol, Range,
        Requires, Rule, Scope, Threshold, Who,
    },
};
use milp_replay::random;
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Sense, Timers},
};
use std::{collections::BTreeMap, sync::atomic::AtomicBool};
use support::{any, breaking, instance, replicas_object, representatives, short};

/// Every protocol that differs from `protocol` in one thing, with words for the difference.
fn changed(protocol: &Protocol) -> Vec<(String, Protocol)> {
    let rotations =
        ["dbft2", "dbft2-nspcc"].map(|name| milp_schema::Protocol::shipped(name).primary);
    let mut others = rotations.into_iter().filter(|it| *it != protocol.rotation);
    let rotation = others.next().expect("there are two");
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
            Rule::Negation(negation) => changed_count(negation),
            Rule::Timer(arming) => changed_timer(arming),
            _ => vec![],
        };
        for (what, change) in changes {
            let mut other = protocol.clone();
            other.rules[number] = change;
            all.push((what, other));
        }
        if let Rule::Hold(hold) = rule {
            let mut other = protocol.clone();
            other.rules.remove(number);
            all.push((format!("every {} is taken", hold.kind), other));
        }
    }
    for (number, channel) in protocol.channels.iter().enumerate() {
        if channel.lost_ahead {
            let mut other = protocol.clone();
            other.channels[number].lost_ahead = false;
            all.push((format!("{} is not lost ahead", channel.kind), other));
            let mut other = protocol.clone();
            other.channels[number].forgeable = true;
            all.push((format!("{} is forged", channel.kind), other));
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
    let after = Duration::Fixed(["2^v*T"; 2].map(|it| it.parse().expect("a duration")));
    match event.modality {
        Modality::Must => push("by timer", &|event| {
            event.modality = Modality::Timer { after }
        }),
        Modality::Timer { .. } => push("always", &|event| event.modality = Modality::Must),
        Modality::May => {} // protocols without replicas of their own here
    }
    if event.checked != Checked::Always {
        push("looked for all the time", &|event| {
            event.checked = Checked::Always;
        });
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
    if enter.keeps == Keeps::View {
        let keeping = Rule::Enter(Enter {
            keeps: Keeps::Height,
            ..enter.clone()
        });
        all.push(("enter keeps requests".to_owned(), keeping));
    }
    all
}

fn changed_count(negation: &Negation) -> Vec<(String, Rule)> {
    let mut all = vec![];
    let name = negation.name;
    for left in 0..negation.heard.len() {
        let mut other = negation.clone();
        let kind = other.heard.remove(left);
        all.push((format!("{name} does not hear {kind}"), other));
    }
    let deaf = Negation {
        heard_ahead: negation.without,
        ..negation.clone()
    };
    all.push((format!("{name} does not hear change views"), deaf));
    let blind = Negation {
        without: negation.heard[0],
        ..negation.clone()
    };
    all.push((format!("{name} does not see commits"), blind));
    all.into_iter()
        .map(|(what, other)| (what, Rule::Negation(other)))
        .collect()
}

fn changed_timer(arming: &Arming) -> Vec<(String, Rule)> {
    let mut all = vec![];
    for left in 0..arming.extended_by.len() {
        let mut other = arming.clone();
        other.extended_by[left].1 += 1;
        let kind = &arming.extended_by[left].0;
        all.push((format!("timer put off more by {kind}"), other.clone()));
        other.extended_by.remove(left);
        all.push((format!("timer not put off by {kind}"), other));
    }
    let other = Arming {
        frozen_by: "prepare_request",
        ..arming.clone()
    };
    all.push(("timer put off after the own change view".to_owned(), other));
    let other = Arming {
        stops: "change_view",
        ..arming.clone()
    };
    all.push(("timer not stopped by the commit".to_owned(), other));
    all.into_iter()
        .map(|(what, other)| (what, Rule::Timer(other)))
        .collect()
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

/// Nodes of a search for a point with an event that is wanted.
const WANTED_NODES: u32 = 1;

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
        let solved = milp_solver::solve(&program, &short(WANTED_NODES), &stop, &mut |_| {});
        let Some(point) = solved.ok().and_then(|solved| solved.point) else {
            return false;
        };
        replicas_object(instance, &built.decode(&point))
    })
}

/// Whether a point of the changed program that breaks a row of the whole one is nothing that the
/// replicas do.
fn a_broken_row_does_not_replay(instance: &Instance, whole: &Built, other: &Built) -> bool {
    let names = |built: &Built| -> Vec<String> {
        let columns = built.program.columns.iter();
        columns.map(|column| column.name.clone()).collect()
    };
    if names(whole) != names(other) {
        return false;
    }
    let kept: BTreeMap<&str, &Row> = other
        .program
        .rows
        .iter()
        .map(|row| (row.name.as_str(), row))
        .collect();
    let same = |row: &Row| {
        kept.get(row.name.as_str()).is_some_and(|other| {
            (&other.terms, other.lower, other.upper) == (&row.terms, row.lower, row.upper)
        })
    };
    let legal = |row: &&Row| whole.program.family(row).tag == Tag::Legal;
    let gone = whole
        .program
        .rows
        .iter()
        .filter(legal)
        .filter(|row| !same(row));
    representatives(gone.collect()).into_iter().any(|row| {
        breaking(other.program.clone(), row)
            .is_some_and(|point| replicas_object(instance, &other.decode(&point)))
    })
}

/// The instances that a change is tried on: four replicas, seven, since with four a quorum leaves
/// one out, and timers of the protocol, where a rule is about them.
struct Questions {
    four: Instance,
    seven: Instance,
    timers: Option<Instance>,
    /// Where points are looked for, one after the other.
    points: Vec<Instance>,
}

/// How the replicas notice the change, if they do.
fn noticed(questions: &Questions, other: &Protocol) -> Option<&'static str> {
    let breaks = |instance: &Instance| {
        let built = timed::build(instance, other).expect("as for four");
        an_execution_breaks_it(instance, &built)
    };
    let built = timed::build(&questions.four, other).expect("tried before");
    if an_execution_breaks_it(&questions.four, &built) {
        Some("an execution breaks it")
    } else if questions.timers.as_ref().is_some_and(breaks) {
        Some("an execution with timers breaks it")
    } else if breaks(&questions.seven) {
        Some("an execution of seven breaks it")
    } else {
        let mut points = questions.points.iter();
        points.find_map(|points| a_point_notices(points, other))
    }
}

fn a_point_notices(points: &Instance, other: &Protocol) -> Option<&'static str> {
    let protocol = protocols::of(points).expect("a known protocol");
    let whole = timed::build(points, &protocol).expect("timed supports it");
    let built = timed::build(points, other).expect("as for four");
    if points.protocol.name == "dbft2-nspcc" && a_broken_row_does_not_replay(points, &whole, &built)
    {
        Some("a row that is gone was needed")
    } else if a_point_does_not_replay(points, &built) {
        Some("a point does not replay")
    } else {
        None
    }
}

/// Tries every change of one thing.
fn check(name: &str, questions: &Questions) {
    let protocol = protocols::of(&questions.four).expect("a known protocol");
    let whole = timed::build(&questions.four, &protocol).expect("timed supports it");
    assert!(!an_execution_breaks_it(&questions.four, &whole));
    let mut unnoticed = vec![];
    let changed = changed(&protocol);
    assert!(changed.len() >= 15, "{}", changed.len());
    for (what, other) in changed {
        if timed::build(&questions.four, &other).is_err() {
            continue;
        }
        let how = noticed(questions, &other);
        println!("{name}: {what}: {}", how.unwrap_or("NOT NOTICED"));
        if how.is_none() {
            unnoticed.push(what);
        }
    }
    assert!(unnoticed.is_empty(), "{name}: {unnoticed:?}");
}

#[test]
fn every_change_of_a_rule_is_noticed() {
    for name in ["dbft1", "dbft2"] {
        let questions = Questions {
            four: question(name, 4),
            seven: question(name, 7),
            timers: None,
            points: vec![question(name, 4)],
        };
        check(name, &questions);
    }
}

#[test]
fn every_change_of_a_production_rule_is_noticed() {
    let production = |replicas| {
        let mut instance = question("dbft2", replicas);
        instance.protocol = milp_schema::Protocol::shipped("dbft2-nspcc");
        instance.blocks_per_proposal = if replicas == 4 { 2 } else { 1 };
        instance
    };
    let mut timers = production(4);
    timers.timers = Timers::Protocol;
    timers.block_time = Some(3);
    timers.slots = 16;
    timers.network = Network::Asynchronous;
    // What nobody forges matters only where somebody would.
    let mut byzantine = support::production(1, 7);
    byzantine.faults = vec![any(FaultKind::Byzantine, 1)];
    let questions = Questions {
        four: production(4),
        seven: production(7),
        timers: Some(timers),
        points: vec![support::production(1, 7), byzantine],
    };
    check("nspcc", &questions);
}
