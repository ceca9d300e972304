//! Instances and settings that the tests of this crate share.

#![allow(
    dead_code,
    unused_imports,
    reason = "every test file uses a part of it"
)]

pub(crate) mod canonical;
pub(crate) mod every;
pub(crate) mod instances;
pub(crate) mod kept;
pub(crate) mod levels;
pub(crate) mod rows;
pub(crate) mod search;

use milp_model::{
    Decoded,
    formulation::timed::Built,
    program::{Col, Program, Row, Tag},
};
use milp_replay::{
    Options, Protocol, Recovery, Signatures,
    random::{self, Executed},
    replay,
};
use milp_schema::{
    Instance,
    instance::{Fault, FaultKind, Formulation, Goal, Network, Sense, Timers},
    schedule::Event,
};
pub(crate) use search::{representatives, settings, short, weights};
use std::{collections::BTreeSet, sync::atomic::AtomicBool};

/// n = 4 without faults, asynchronous, free timers; tests change what they are about.
pub(crate) fn instance(protocol: &str, views: u32, slots: u32, goal: Goal) -> Instance {
    Instance::builder(protocol)
        .beyond_budget()
        .views(views)
        .slots(slots)
        .network(Network::Asynchronous)
        .goal(goal)
        .formulation(Formulation::Timed)
        .build()
}

/// At most `count` replicas with that fault.
pub(crate) fn any(kind: FaultKind, count: u32) -> Fault {
    Fault::any(kind, count)
}

/// Nodes of a search for a point near a random corner.
pub(crate) const CORNER_NODES: u32 = 1;

/// Nodes of a search for any point that breaks a row.
const BREAKING_NODES: u32 = 50;

/// The point of a random execution, of a hundred drawn, that satisfies every row; for programs in
/// which the solver finds no point of its own in seconds.
pub(crate) fn start(instance: &Instance, built: &Built, seed: u64) -> Option<Vec<Option<i64>>> {
    let encoded = |executed: Executed| {
        let point = built.encode(&executed.schedule, &executed.faulty);
        point.ok().filter(|_| !executed.left_out)
    };
    (100 * seed..100 * seed + 100)
        .filter_map(|seed| encoded(random::execution(instance, seed)))
        .find(|point| fits(built, point))
}

/// Whether every row among the columns that are known holds; the goal's own are not.
pub(crate) fn fits(built: &Built, point: &[Option<i64>]) -> bool {
    let values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
    built.program.rows.iter().all(|row| {
        let known = |(col, _): &(Col, i64)| point[col.index()].is_some();
        row.holds(&values) || !row.terms.iter().all(known)
    })
}

/// A point of the program (without what is implied by the whole) that breaks `row`; with few
/// events, so that nothing else is in the way.
pub(crate) fn breaking(program: Program, row: &Row) -> Option<Vec<i64>> {
    let mut program = broken(program, row);
    program.sense = Sense::Minimize;
    program.objective = (0..program.columns.len() as u32)
        .map(|col| (Col(col), 1))
        .collect();
    found(&program, BREAKING_NODES, 1)
}

/// Such a point in which the replica that the row is about, told as much as can be, afterwards does
/// the events of that name, and little else happens.
pub(crate) fn with_consequence(program: Program, row: &Row, wanted: &str) -> Option<Vec<i64>> {
    let part = |name: &str, letter: &str| -> Option<u32> {
        let mut parts = name.split('_').filter_map(|part| part.strip_prefix(letter));
        parts.find_map(|number| number.parse().ok())
    };
    let (who, when) = (part(&row.name, "i"), part(&row.name, "t"));
    let mut program = broken(program, row);
    program.sense = Sense::Maximize;
    program.objective = (0..program.columns.len() as u32)
        .map(|col| (Col(col), &program.columns[col as usize].name))
        .map(|(col, name)| {
            let own = part(name, "i") == who;
            let after = part(name, "t") > when;
            let weight = match (name.starts_with(wanted), name.starts_with("got_")) {
                (true, _) if own => {
                    if after {
                        40
                    } else {
                        -40
                    }
                }
                (_, true) if own => 2,
                _ => -1,
            };
            (col, weight)
        })
        .collect();
    found(&program, 1, 5)
}

/// The legal rows and budgets of the program, and that `row` does not hold.
fn broken(mut program: Program, row: &Row) -> Program {
    let tags: Vec<Tag> = program.families.iter().map(|family| family.tag).collect();
    let asks = |row: &Row| matches!(tags[row.family.0 as usize], Tag::Legal | Tag::Budget);
    program.rows.retain(asks);
    let mut broken = row.clone();
    broken.name = "broken".into();
    (broken.lower, broken.upper) = (broken.upper.map(|upper| upper + 1), None);
    program.rows.push(broken);
    program
}

fn found(program: &Program, nodes: u32, improvements: u32) -> Option<Vec<i64>> {
    let mut settings = short(nodes);
    let enough = ("mip_max_improving_sols".into(), improvements.to_string());
    settings.options.push(enough);
    let solved = milp_solver::solve(program, &settings, &AtomicBool::new(false), &mut |_| {});
    solved.ok().and_then(|solved| solved.point)
}

/// The goal's value by what the schedule predicts; `None` where predictions do not say it.
pub(crate) fn value_of(goal: Goal, decoded: &Decoded) -> Option<i64> {
    let (mut blocks, mut views, mut messages) = (BTreeSet::new(), 1, 0);
    for prediction in &decoded.schedule.predictions {
        match &prediction.event {
            Event::Send(_) => messages += 1,
            Event::EnterView { view, .. } => views = views.max(i64::from(view.0) + 1),
            Event::Decide(block) => {
                blocks.insert(*block);
            }
        }
    }
    let decided = blocks.len() as i64;
    match goal {
        // Byzantine replicas' votes are no events.
        Goal::Finality | Goal::Slow | Goal::Blame | Goal::Wasted { .. } => None,
        Goal::Fork => Some(decided),
        Goal::Stall => Some(decided.min(1)),
        Goal::Views => Some(views),
        Goal::Weighted {
            blocks,
            views: by_view,
            messages: by_message,
            ..
        } => Some(decided * blocks + views * by_view + messages * by_message),
    }
}

/// Whether the replicas refuse to follow the schedule.
pub(crate) fn replicas_object(instance: &Instance, decoded: &Decoded) -> bool {
    let options = Options {
        protocol: Protocol::Own,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    match replay(instance, &decoded.faulty, &decoded.schedule, &options) {
        Ok(replayed) => !replayed.verdict.confirms(),
        Err(_) => true,
    }
}

/// Every construct that has rows: protocols, mutants, faults, networks, timers, heights, n.
pub(crate) fn variants(views: u32, slots: u32) -> Vec<(&'static str, Instance)> {
    let mut all = vec![];
    let mut push = |name: &'static str, protocol: &str, change: &dyn Fn(&mut Instance)| {
        let mut instance = instance(protocol, views, slots, Goal::Fork);
        change(&mut instance);
        all.push((name, instance));
    };
    push("dbft1", "dbft1", &|_| {});
    push("dbft2", "dbft2", &|_| {});
    push("eventual", "dbft2", &|i| i.network = Network::Eventual);
    push("equivocation", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 1)];
        i.blocks_per_proposal = 2;
    });
    push("dbft1 equivocation", "dbft1", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 1)];
        i.blocks_per_proposal = 2;
        i.network = Network::Eventual;
    });
    push("beyond budget", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 2)];
        i.blocks_per_proposal = 2;
    });
    push("crash", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Crash, 1)];
        i.network = Network::Eventual;
    });
    push("network faults, two heights", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Network, 1)];
        i.network = Network::Eventual;
        i.heights = 2;
        i.slots += 4;
    });
    push("dbft1, two heights", "dbft1", &|i| {
        i.heights = 2;
        i.slots += 4;
    });
    push("bounded, protocol timers", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Crash, 1)];
        i.network = Network::Bounded {
            delay_min: 1,
            delay_max: 3,
            gst: 2,
        };
        i.timers = Timers::Protocol;
        i.block_time = Some(3);
        i.views = 2;
        i.slots += 6;
    });
    push("slow network, gst", "dbft2", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 1)];
        i.network = Network::Bounded {
            delay_min: 2,
            delay_max: 4,
            gst: 3,
        };
        i.views = 2;
        i.slots += 2;
    });
    push("no commit lock", "dbft2", &|i| {
        i.mutant = Some("no-commit-lock".into());
    });
    push("small quorum", "dbft2", &|i| {
        i.mutant = Some("small-quorum".into());
    });
    push("seven replicas", "dbft2", &|i| {
        i.replicas = 7;
        i.views = 2;
        i.faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
    });
    all
}

/// The production engine's rules, n = 4 without faults: small enough to find points in seconds.
pub(crate) fn production(views: u32, slots: u32) -> Instance {
    instance("dbft2-nspcc", views, slots, Goal::Fork)
}

/// The same for the production engine's rules, which has one height here.
pub(crate) fn production_variants(views: u32, slots: u32) -> Vec<(&'static str, Instance)> {
    let mut all = vec![];
    let mut push = |name: &'static str, change: &dyn Fn(&mut Instance)| {
        let mut instance = production(views, slots);
        change(&mut instance);
        all.push((name, instance));
    };
    push("nspcc", &|_| {});
    push("nspcc, eventual", &|i| i.network = Network::Eventual);
    push("nspcc, a crash", &|i| {
        i.faults = vec![any(FaultKind::Crash, 1)];
        i.network = Network::Eventual;
    });
    push("nspcc, equivocation", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 1)];
        i.blocks_per_proposal = 2;
    });
    push("nspcc, equivocation, eventual", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 1)];
        i.blocks_per_proposal = 2;
        i.network = Network::Eventual;
    });
    push("nspcc, beyond budget", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 2)];
        i.blocks_per_proposal = 2;
    });
    push("nspcc, network faults", &|i| {
        i.faults = vec![any(FaultKind::Network, 1)];
        i.network = Network::Eventual;
    });
    let bounded = Network::Bounded {
        delay_min: 1,
        delay_max: 3,
        gst: 2,
    };
    push("nspcc, bounded, protocol timers", &|i| {
        i.faults = vec![any(FaultKind::Crash, 1)];
        i.network = bounded;
        i.timers = Timers::Protocol;
        i.block_time = Some(3);
        i.views = 2;
        i.slots += 6;
    });
    push("nspcc, Byzantine, protocol timers", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 1)];
        i.blocks_per_proposal = 2;
        i.timers = Timers::Protocol;
        i.block_time = Some(3);
        i.views = 2;
        i.slots += 6;
    });
    push(
        "nspcc, Byzantine, protocol timers put off by parts of a slot",
        &|i| {
            i.faults = vec![any(FaultKind::Byzantine, 1)];
            i.timers = Timers::Protocol;
            i.block_time = Some(2);
            i.views = 2;
            i.slots += 3;
        },
    );
    push("nspcc, slow network, gst", &|i| {
        i.faults = vec![any(FaultKind::Byzantine, 1)];
        i.network = Network::Bounded {
            delay_min: 2,
            delay_max: 4,
            gst: 3,
        };
        i.views = 2;
        i.slots += 2;
    });
    push("nspcc, small quorum", &|i| {
        i.mutant = Some("small-quorum".into());
    });
    push("nspcc, seven replicas", &|i| {
        i.replicas = 7;
        i.views = 2;
        i.faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
    });
    all
}

/// What the replicas did instead, for whoever looks at a failed test.
#[expect(clippy::print_stdout, reason = "a failed test shows it")]
pub(crate) fn explain(instance: &Instance, decoded: &Decoded) {
    let options = Options {
        protocol: Protocol::Own,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    match replay(instance, &decoded.faulty, &decoded.schedule, &options) {
        Ok(replayed) => println!("{:#?}", replayed.verdict.notes),
        Err(error) => println!("{error}"),
    }
}

/// Whether the replicas end in a state that nothing changes.
pub(crate) fn is_stuck(instance: &Instance, decoded: &Decoded) -> bool {
    let options = Options {
        protocol: Protocol::Own,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    replay(instance, &decoded.faulty, &decoded.schedule, &options)
        .is_ok_and(|replayed| replayed.verdict.termination == milp_schema::verdict::Liveness::Stuck)
}
