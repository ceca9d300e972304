//! Every family of legal rows cuts off something that replicas do not do: without the family the
//! program has a point that breaks one of its rows only there, and the schedule of that point
//! does not replay.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    formulation::timed::{self, Built},
    program::{Program, Row, Tag},
};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Timers},
};
use std::collections::{BTreeMap, BTreeSet};
use support::{any, breaking, production, replicas_object, representatives, with_consequence};

/// Both kinds of fault, so that every row about faults exists.
fn faulty(protocol: &str) -> Instance {
    let mut instance = support::instance(protocol, 2, 7, Goal::Fork);
    instance.faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
    instance.network = Network::Eventual;
    instance
}

/// The instances whose families are tried: together they have every family of the paper's rules.
fn instances() -> Vec<(&'static str, Instance)> {
    let mut timers = faulty("dbft2");
    timers.faults = vec![];
    timers.timers = Timers::Protocol;
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
    vec![
        ("dbft2", faulty("dbft2")),
        ("dbft1", faulty("dbft1")),
        ("protocol timers", timers),
        ("two heights", heights),
        ("small quorum", small_quorum),
        ("no commit lock", no_lock),
        ("three views", three_views),
        ("equivocation", equivocation),
    ]
}

/// Those of the production engine.
fn production_instances() -> Vec<(&'static str, Instance)> {
    let plain = production(2, 7);
    let mut faulty = plain.clone();
    faulty.faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
    let mut equivocation = plain.clone();
    equivocation.faults = vec![any(FaultKind::Byzantine, 1)];
    equivocation.blocks_per_proposal = 2;
    let mut timers = plain.clone();
    timers.timers = Timers::Protocol;
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

/// Rows of a family whose consequences are looked at, about.
const ROWS: usize = 30;

/// What may follow from a row that is broken.
const CONSEQUENCES: [&str; 5] = [
    "did_recovery_request",
    "did_change_view",
    "did_prepare_response",
    "entered",
    "did_commit",
];

/// Families that the others imply in these instances, and why they are there all the same.
const IMPLIED: [(&str, &str); 5] = [
    (
        "adopt_requires_first_block",
        "the first block received is adopted at once; two held back take a fork at a later height",
    ),
    (
        "commit_at_most_once",
        "one own preparation per view, and the lock; states the lock's point",
    ),
    (
        "receive_recovery_request_stays",
        "what is taken in a slot is delivered in it, and stays taken",
    ),
    (
        "take_recovery_request_requires_receive_recovery_request",
        "what is taken in a slot is delivered in it; states the sum over the slots",
    ),
    (
        "take_prepare_response_requires_view",
        "a response counts for nothing outside of its view; states where line 17 is asked",
    ),
];

#[test]
fn without_any_one_family_the_program_allows_what_replicas_do_not_do() {
    let needed = needed(&instances(), &BTreeSet::new());
    assert!(needed.len() > 60, "{}", needed.len());
    assert_needed(&needed);
}

#[test]
fn without_any_one_family_of_the_production_rules_either() {
    let of_paper = instances()
        .iter()
        .flat_map(|(_, instance)| {
            let built = timed::of(instance).expect("timed supports it");
            let families = built.program.families.into_iter();
            families.map(|family| family.name).collect::<Vec<_>>()
        })
        .collect();
    let needed = needed(&production_instances(), &of_paper);
    assert!(needed.len() > 30, "{}", needed.len());
    assert_needed(&needed);
}

/// Which legal families of the instances are needed in one of them, those of `known` aside.
fn needed(
    instances: &[(&'static str, Instance)],
    known: &BTreeSet<String>,
) -> BTreeMap<String, bool> {
    let mut needed: BTreeMap<String, bool> = BTreeMap::new();
    // Consequences take long, so they are for what breaking one row has shown in no instance.
    for ask in [a_broken_row_is_noticed, a_consequence_is_noticed] {
        for (name, instance) in instances {
            let built = timed::of(instance).expect("timed supports it");
            for (number, family) in built.program.families.iter().enumerate() {
                let settled = known.contains(&family.name)
                    || needed.get(&family.name) == Some(&true)
                    || IMPLIED.iter().any(|(name, _)| *name == family.name);
                if family.tag != Tag::Legal || settled {
                    continue;
                }
                if let Some(noticed) = ask(instance, &built, number) {
                    let how = if noticed { "needed" } else { "not seen" };
                    println!("{name}: {}: {how}", family.name);
                    *needed.entry(family.name.clone()).or_default() |= noticed;
                }
            }
        }
    }
    needed
}

/// The rows of a family, if it has any in the instance, and the program without them.
fn parted(built: &Built, number: usize) -> Option<(Vec<&Row>, Program)> {
    let of_family = |row: &&Row| row.family.0 as usize == number;
    let rows: Vec<&Row> = built.program.rows.iter().filter(of_family).collect();
    let mut weaker = built.program.clone();
    weaker.rows.retain(|row| !of_family(&row));
    (!rows.is_empty()).then_some((rows, weaker))
}

/// Whether a point that breaks a row of the family alone is nothing that replicas do.
fn a_broken_row_is_noticed(instance: &Instance, built: &Built, number: usize) -> Option<bool> {
    let (rows, weaker) = parted(built, number)?;
    Some(representatives(rows).into_iter().any(|row| {
        breaking(weaker.clone(), row)
            .is_some_and(|point| replicas_object(instance, &built.decode(&point)))
    }))
}

/// Whether a point that breaks a row of the family, and in which something may follow from that, is
/// nothing that replicas do: a count or a deadline matters only once it changes what somebody does.
fn a_consequence_is_noticed(instance: &Instance, built: &Built, number: usize) -> Option<bool> {
    let (rows, weaker) = parted(built, number)?;
    let step = (rows.len() / ROWS).max(1);
    Some(rows.into_iter().step_by(step).any(|row| {
        CONSEQUENCES.iter().any(|wanted| {
            with_consequence(weaker.clone(), row, wanted)
                .is_some_and(|point| replicas_object(instance, &built.decode(&point)))
        })
    }))
}

fn assert_needed(needed: &BTreeMap<String, bool>) {
    let implied: Vec<&str> = IMPLIED.iter().map(|&(name, _)| name).collect();
    let unexpected: Vec<&String> = needed
        .iter()
        .filter(|(name, needed)| !**needed && !implied.contains(&name.as_str()))
        .map(|(name, _)| name)
        .collect();
    assert!(unexpected.is_empty(), "not needed: {unexpected:?}");
}
