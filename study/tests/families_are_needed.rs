//! Every family of legal rows cuts off something that replicas do not do: without the family the
//! program has a point that breaks one of its rows only there, and the schedule of that point
//! does not replay.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{formulation::timed, program::Tag};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Timeouts},
};
use std::collections::BTreeMap;
use support::{any, breaking, corners, production, replicas_object, representatives};

/// Both kinds of fault, so that every row about faults exists.
fn faulty(protocol: &str) -> Instance {
    let mut instance = support::instance(protocol, 2, 7, Goal::Fork);
    instance.faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
    instance.network = Network::Eventual;
    instance
}

/// The instances whose families are tried: together they have every family.
fn instances() -> Vec<(&'static str, Instance)> {
    let mut timers = faulty("dbft2");
    timers.faults = vec![];
    timers.timeouts = Timeouts::Protocol;
    timers.block_time = Some(3);
    timers.slots = 9;
    timers.network = Network::Bounded {
        delay_min: 1,
        delay_max: 3,
        gst: 0,
    };
    let mut heights = faulty("dbft2");
    heights.faults = vec![];
    heights.heights = 2;
    heights.views = 1;
    heights.slots = 8;
    heights.network = Network::Asynchronous;
    let mut small_quorum = faulty("dbft2");
    small_quorum.mutant = Some("small-quorum".into());
    let mut no_lock = faulty("dbft2");
    no_lock.mutant = Some("no-commit-lock".into());
    no_lock.faults = vec![];
    let mut equivocation = faulty("dbft2");
    equivocation.faults = vec![any(FaultKind::Byzantine, 1)];
    equivocation.blocks_per_proposal = 2;
    let mut three_views = faulty("dbft2");
    three_views.views = 3;
    three_views.faults = vec![];
    let mut all = vec![
        ("dbft2", faulty("dbft2")),
        ("dbft1", faulty("dbft1")),
        ("protocol timers", timers),
        ("two heights", heights),
        ("small quorum", small_quorum),
        ("no commit lock", no_lock),
        ("three views", three_views),
        ("equivocation", equivocation),
    ];
    all.extend(production_instances());
    all
}

/// Those of rule set `nspcc`.
fn production_instances() -> Vec<(&'static str, Instance)> {
    let plain = production(2, 7);
    let mut faulty = plain.clone();
    faulty.faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
    let mut equivocation = plain.clone();
    equivocation.faults = vec![any(FaultKind::Byzantine, 1)];
    equivocation.blocks_per_proposal = 2;
    let mut timers = plain.clone();
    timers.timeouts = Timeouts::Protocol;
    timers.block_time = Some(3);
    timers.slots = 10;
    let mut stray = timers.clone();
    stray.faults.clone_from(&equivocation.faults);
    stray.blocks_per_proposal = 2;
    vec![
        ("nspcc", plain),
        ("nspcc, faults", faulty),
        ("nspcc, equivocation", equivocation),
        ("nspcc, protocol timers", timers),
        ("nspcc, stray responses", stray),
    ]
}

/// Random corners tried where no broken row is noticed.
const CORNERS: u64 = 6;

/// Families that the others imply in these instances, and why they are there all the same.
const IMPLIED: [(&str, &str); 4] = [
    (
        "adopt_requires_first_block",
        "the first block received is adopted at once; two held back take a fork at a later height",
    ),
    (
        "adopt_stays",
        "the block stays received and forces the adoption again; states (33)",
    ),
    (
        "decide_stays",
        "the quorum stays received and forces the decision again; states (33)",
    ),
    (
        "commit_at_most_once",
        "one own preparation per view, and the lock; states the lock's point",
    ),
];

#[test]
fn without_any_one_family_the_program_allows_what_replicas_do_not_do() {
    let mut needed: BTreeMap<String, bool> = BTreeMap::new();
    for (name, instance) in instances() {
        let built = timed::of(&instance).expect("timed supports it");
        let program = &built.program;
        for (number, family) in program.families.iter().enumerate() {
            if family.tag != Tag::Legal || needed.get(&family.name) == Some(&true) {
                continue;
            }
            let mut why = "no row of it can be broken alone";
            let rows = program.rows.iter();
            let rows = rows.filter(|row| row.family.0 as usize == number);
            let mut weaker = program.clone();
            weaker.rows.retain(|row| row.family.0 as usize != number);
            let mut objected = representatives(rows.collect()).into_iter().any(|row| {
                breaking(weaker.clone(), row).is_some_and(|point| {
                    why = "replicas follow what it forbids";
                    replicas_object(&instance, &built.decode(&point))
                })
            });
            if !objected && instance.rules == "nspcc" {
                // What follows from the happenings, a count or a deadline, matters only once
                // something else follows from it.
                objected = corners(&instance, &built, &weaker, CORNERS)
                    .any(|point| replicas_object(&instance, &built.decode(&point)));
            }
            let has_rows = program
                .rows
                .iter()
                .any(|row| row.family.0 as usize == number);
            if has_rows {
                let note = if objected { "needed" } else { why };
                println!("{name}: {}: {note}", family.name);
                *needed.entry(family.name.clone()).or_default() |= objected;
            }
        }
    }
    let not_needed: Vec<&str> = needed
        .iter()
        .filter(|(_, needed)| !**needed)
        .map(|(name, _)| name.as_str())
        .collect();
    let implied: Vec<&str> = IMPLIED.iter().map(|&(name, _)| name).collect();
    let unexpected: Vec<&&str> = not_needed
        .iter()
        .filter(|name| !implied.contains(name))
        .collect();
    assert!(unexpected.is_empty(), "not needed: {unexpected:?}");
    assert!(needed.len() > 60, "{}", needed.len());
}
