//! Every family of legal rows cuts off something that replicas do not do: without the family the
//! program has a point that breaks one of its rows only there, and the schedule of that point
//! does not replay.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    Built, build,
    program::{Program, Row, Tag},
};
use milp_replay::{Options, Protocol, Signatures, replay};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Sense, Timeouts},
};
use milp_solver::solve;
use std::{collections::BTreeMap, sync::atomic::AtomicBool};
use support::{any, settings};

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

/// Rows of a family that stand for it: some of those with the most terms, late ones first, because
/// early in an execution little can be broken.
fn representatives(program: &Program, family: usize) -> Vec<&Row> {
    let mut rows: Vec<&Row> = program
        .rows
        .iter()
        .rev()
        .filter(|row| row.family.0 as usize == family)
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.terms.len()));
    let step = (rows.len() / 7).max(1);
    rows.into_iter().step_by(step).collect()
}

/// A point of the program without the family (and without what is implied by the whole), that
/// breaks `row`; with few events, so that nothing else is in the way.
fn breaking(program: &Program, family: usize, row: &Row) -> Option<Vec<i64>> {
    let mut weaker = program.clone();
    weaker.rows.retain(|other| {
        let tag = program.family(other).tag;
        other.family.0 as usize != family && matches!(tag, Tag::Legal | Tag::Budget)
    });
    let mut broken = row.clone();
    broken.name = "broken".into();
    (broken.lower, broken.upper) = (broken.upper.map(|upper| upper + 1), None);
    weaker.rows.push(broken);
    weaker.sense = Sense::Minimize;
    weaker.objective = (0..weaker.columns.len() as u32)
        .map(|col| (milp_model::program::Col(col), 1))
        .collect();
    let mut settings = settings(20.0, false);
    settings.options = vec![("mip_max_improving_sols".into(), "1".into())];
    let solved = solve(&weaker, &settings, &AtomicBool::new(false), &mut |_| {});
    solved.ok().and_then(|solved| solved.point)
}

/// Whether the replicas refuse to follow the schedule of the point.
fn replicas_object(instance: &Instance, built: &Built, point: &[i64]) -> bool {
    let decoded = built.decode(point);
    let options = Options {
        protocol: Protocol::Own,
        compare: true,
        signatures: Signatures::Symbolic,
    };
    match replay(instance, &decoded.faulty, &decoded.schedule, &options) {
        Ok(replayed) => replayed.verdict.divergences > 0,
        Err(_) => true,
    }
}

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
        let built = build(&instance).expect("timed supports it");
        let program = &built.program;
        for (number, family) in program.families.iter().enumerate() {
            if family.tag != Tag::Legal || needed.get(&family.name) == Some(&true) {
                continue;
            }
            let mut why = "no row of it can be broken alone";
            let objected = representatives(program, number).into_iter().any(|row| {
                breaking(program, number, row).is_some_and(|point| {
                    why = "replicas follow what it forbids";
                    replicas_object(&instance, &built, &point)
                })
            });
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
