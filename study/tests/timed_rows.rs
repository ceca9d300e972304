//! The valid inequalities of `timed`: none can be weakened without the relaxation showing it, and
//! none strengthened without an execution of the replicas being cut.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::formulation::timed::{self, Built};
use milp_replay::random;
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Sense},
};
use std::collections::{BTreeMap, BTreeSet};
use support::{
    any, instance, replicas_object,
    rows::{self, LeftOut, Looked, Weaker},
};

/// Random executions of each variant.
const EACH: u64 = 150;

/// Slots in which random executions decide and change views.
const ENOUGH_SLOTS: u32 = 14;

type Key = (&'static str, &'static str);

/// What the families are looked at on, with few slots.
fn variants() -> BTreeMap<Key, Instance> {
    let mut all = BTreeMap::new();
    let weighted = |blocks, views, messages| Goal::Weighted {
        sense: Sense::Maximize,
        blocks,
        views,
        messages,
    };
    for (protocol, views, slots) in [
        ("dbft1", 2, 6),
        ("dbft2", 2, 8),
        ("dbft2-nspcc", 2, 8),
        ("dbft2-tla", 2, 6),
        ("dbft2-tla-per-view", 2, 6),
    ] {
        let mut push = |name, goal, byzantine| {
            let mut instance = instance(protocol, views, slots, goal);
            if byzantine > 0 {
                instance.faults = vec![any(FaultKind::Byzantine, byzantine)];
            }
            all.insert((protocol, name), instance);
        };
        push("fork", Goal::Fork, 0);
        push("fork, Byzantine", Goal::Fork, 1);
        push("finality, Byzantine", Goal::Finality, 1);
        push("views", Goal::Views, 0);
        push("weighted", weighted(1000, -100, 0), 0);
        push("weighted, messages", weighted(100, 10, -1), 0);
        if protocol.starts_with("dbft2-tla") {
            // A view below which there is one that is not always there.
            let instance = instance(protocol, 3, slots, Goal::Fork);
            all.insert((protocol, "three views"), instance);
        }
    }
    all
}

fn looked(built: &BTreeMap<Key, Built>) -> Vec<Looked> {
    let programs = built.iter().map(|(&(protocol, name), built)| Looked {
        protocol,
        name,
        program: built.program.clone(),
    });
    programs.collect()
}

fn build(instance: &Instance) -> Built {
    timed::of(instance).expect("timed supports it")
}

const WEAKER: &[Weaker] = &[
    (
        "dbft1",
        "block_requires_honest_quorum",
        "weighted",
        "",
        [182_500, 189_977, 185_000],
    ),
    (
        "dbft1",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_h0_v1_b0_decide",
        [0, 67, 67],
    ),
    (
        "dbft1",
        "decide_requires_honest_quorum",
        "finality, Byzantine",
        "decide_requires_honest_quorum_i3_h0_v1_b0_t2",
        [0, 67, 67],
    ),
    (
        "dbft1",
        "enter_requires_honest_change_view_quorum",
        "finality, Byzantine",
        "enter_requires_honest_change_view_quorum_i3_h0_v1_t6_any",
        [0, 262, 100],
    ),
    (
        "dbft1",
        "reached_requires_honest_quorum",
        "weighted, messages",
        "",
        [20900, 20975, 20975],
    ),
    (
        "dbft2",
        "block_requires_honest_quorum",
        "weighted, messages",
        "",
        [11000, 11600, 11200],
    ),
    (
        "dbft2",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_h0_v1_b0_decide",
        [0, 67, 67],
    ),
    (
        "dbft2",
        "change_view_or_commit_at_most_once",
        "finality, Byzantine",
        "change_view_or_commit_at_most_once_i3_h0_v1",
        [100, 200, 200],
    ),
    (
        "dbft2",
        "commit_requires_honest_quorum",
        "finality, Byzantine",
        "commit_requires_honest_quorum_i2_h0_v1_b0_t7",
        [0, 50, 50],
    ),
    (
        "dbft2",
        "decide_requires_honest_quorum",
        "finality, Byzantine",
        "decide_requires_honest_quorum_i2_h0_v1_b0_t7",
        [0, 67, 67],
    ),
    (
        "dbft2",
        "decisions_and_reached_at_most_by_votes",
        "weighted",
        "decisions_and_reached_at_most_by_votes_v1",
        [100, 133, 133],
    ),
    (
        "dbft2",
        "decisions_at_most_by_votes",
        "finality, Byzantine",
        "",
        [100, 160, 160],
    ),
    (
        "dbft2",
        "enter_requires_honest_change_view_quorum",
        "finality, Byzantine",
        "enter_requires_honest_change_view_quorum_i3_h0_v1_t8_any",
        [0, 272, 100],
    ),
    (
        "dbft2",
        "reached_requires_honest_quorum",
        "weighted, messages",
        "",
        [11000, 11075, 11075],
    ),
    (
        "dbft2-nspcc",
        "block_requires_honest_quorum",
        "weighted, messages",
        "",
        [11000, 11598, 11400],
    ),
    (
        "dbft2-nspcc",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_h0_v1_b0_decide",
        [0, 67, 67],
    ),
    (
        "dbft2-nspcc",
        "commit_requires_honest_quorum",
        "finality, Byzantine",
        "commit_requires_honest_quorum_i2_h0_v1_b0_t7",
        [0, 50, 50],
    ),
    (
        "dbft2-nspcc",
        "decide_requires_honest_quorum",
        "finality, Byzantine",
        "decide_requires_honest_quorum_i2_h0_v1_b0_t7",
        [0, 67, 67],
    ),
    (
        "dbft2-nspcc",
        "decisions_at_most_by_votes",
        "finality, Byzantine",
        "",
        [100, 160, 160],
    ),
    (
        "dbft2-nspcc",
        "enter_requires_honest_change_view_quorum",
        "finality, Byzantine",
        "enter_requires_honest_change_view_quorum_i3_h0_v1_t8_any",
        [0, 200, 100],
    ),
    (
        "dbft2-nspcc",
        "reached_requires_honest_quorum",
        "weighted, messages",
        "",
        [11000, 11225, 11100],
    ),
    (
        "dbft2-tla",
        "block_requires_honest_quorum",
        "weighted, messages",
        "",
        [11250, 11588, 11536],
    ),
    (
        "dbft2-tla",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_h0_v1_b0_decide",
        [0, 67, 67],
    ),
    (
        "dbft2-tla",
        "change_view_or_commit_at_most_once",
        "weighted, messages",
        "",
        [11250, 11271, 11271],
    ),
    (
        "dbft2-tla",
        "commit_requires_honest_quorum",
        "finality, Byzantine",
        "commit_requires_honest_quorum_i3_h0_v1_b0_t6",
        [0, 50, 50],
    ),
    (
        "dbft2-tla",
        "decide_requires_honest_quorum",
        "finality, Byzantine",
        "decide_requires_honest_quorum_i3_h0_v1_b0_t6",
        [0, 67, 67],
    ),
    (
        "dbft2-tla",
        "decisions_at_most_by_votes",
        "finality, Byzantine",
        "",
        [100, 160, 160],
    ),
    (
        "dbft2-tla",
        "enter_requires_honest_change_view_quorum",
        "finality, Byzantine",
        "enter_requires_honest_change_view_quorum_i3_h0_v1_t6",
        [0, 133, 100],
    ),
    (
        "dbft2-tla",
        "enter_requires_view_below",
        "three views",
        "enter_requires_view_below_i3_h0_v2_t6",
        [0, 50, 50],
    ),
    (
        "dbft2-tla",
        "reached_requires_honest_quorum",
        "weighted, messages",
        "",
        [11250, 11400, 11371],
    ),
    (
        "dbft2-tla",
        "returning_commit_requires_honest_quorum",
        "finality, Byzantine",
        "returning_commit_requires_honest_quorum_i3_h0_v1_b0_t6",
        [0, 67, 67],
    ),
    (
        "dbft2-tla-per-view",
        "block_requires_honest_quorum",
        "weighted, messages",
        "",
        [11250, 11588, 11536],
    ),
    (
        "dbft2-tla-per-view",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_h0_v1_b0_decide",
        [0, 67, 67],
    ),
    (
        "dbft2-tla-per-view",
        "change_view_or_commit_at_most_once",
        "weighted, messages",
        "",
        [11250, 11271, 11271],
    ),
    (
        "dbft2-tla-per-view",
        "commit_requires_honest_quorum",
        "finality, Byzantine",
        "commit_requires_honest_quorum_i3_h0_v1_b0_t6",
        [0, 50, 50],
    ),
    (
        "dbft2-tla-per-view",
        "decide_requires_honest_quorum",
        "finality, Byzantine",
        "decide_requires_honest_quorum_i3_h0_v1_b0_t6",
        [0, 67, 67],
    ),
    (
        "dbft2-tla-per-view",
        "decisions_at_most_by_votes",
        "finality, Byzantine",
        "",
        [100, 160, 160],
    ),
    (
        "dbft2-tla-per-view",
        "enter_requires_honest_change_view_quorum",
        "finality, Byzantine",
        "enter_requires_honest_change_view_quorum_i3_h0_v1_t6",
        [0, 133, 100],
    ),
    (
        "dbft2-tla-per-view",
        "enter_requires_view_below",
        "three views",
        "enter_requires_view_below_i3_h0_v2_t6",
        [0, 50, 50],
    ),
    (
        "dbft2-tla-per-view",
        "reached_requires_honest_quorum",
        "weighted, messages",
        "",
        [11250, 11400, 11371],
    ),
    (
        "dbft2-tla-per-view",
        "repeated_response_requires_honest_quorum",
        "finality, Byzantine",
        "repeated_response_requires_honest_quorum_i3_h0_v1_b0_t6",
        [0, 50, 50],
    ),
    (
        "dbft2-tla-per-view",
        "returning_commit_requires_honest_quorum",
        "finality, Byzantine",
        "returning_commit_requires_honest_quorum_i3_h0_v1_b0_t6",
        [0, 67, 67],
    ),
    (
        "dbft2-tla-per-view",
        "returning_response_requires_honest_quorum",
        "finality, Byzantine",
        "returning_response_requires_honest_quorum_i3_h0_v1_b0_t6",
        [0, 50, 50],
    ),
];

#[test]
fn no_valid_family_can_be_weakened() {
    let all = variants();
    let built = all.iter().map(|(key, it)| (*key, build(it))).collect();
    rows::check_weaker(&looked(&built), WEAKER);
}

/// Random executions satisfy every valid row, those about columns of the goal included, and meet
/// one of each family.
#[test]
fn random_executions_leave_no_room_to_strengthen_a_valid_family() {
    let mut met: BTreeMap<(&str, String), u32> = BTreeMap::new();
    for ((protocol, name), mut instance) in variants() {
        if protocol.starts_with("dbft2-tla") {
            continue;
        }
        instance.slots = ENOUGH_SLOTS;
        let built = build(&instance);
        let program = &built.program;
        for family in rows::valid(program) {
            met.entry((protocol, family.name.clone())).or_default();
        }
        let mut here = 0;
        for seed in 0..EACH {
            let execution = random::execution(&instance, seed);
            let encoded = built.encode(&execution.schedule, &execution.faulty);
            let Ok(point) = encoded else { continue };
            if execution.left_out {
                continue;
            }
            here += 1;
            let values = rows::completed(program, &point);
            let mut tight: BTreeSet<&str> = BTreeSet::new();
            for row in rows::valid_rows(program) {
                assert!(
                    row.holds(&values),
                    "{protocol} {name}, seed {seed}: {}",
                    row.name
                );
                if rows::is_tight(row, &values) {
                    tight.insert(&program.family(row).name);
                }
            }
            for family in tight {
                *met.entry((protocol, family.to_owned())).or_default() += 1;
            }
        }
        println!("{protocol} {name}: {here} of {EACH} executions");
    }
    println!("executions that meet a row of the family: {met:#?}");
    let loose: Vec<_> = met.iter().filter(|(_, count)| **count == 0).collect();
    assert!(loose.is_empty(), "one unit tighter cuts nothing: {loose:?}");
}

#[test]
fn behaviours_of_the_formal_model_leave_no_room_to_strengthen_a_valid_family() {
    let mut variants = variants();
    variants.retain(|(protocol, _), _| protocol.starts_with("dbft2-tla"));
    let built = variants.iter().map(|(key, it)| (*key, build(it)));
    let built: BTreeMap<Key, Built> = built.collect();
    let seen = rows::check_stronger(
        &looked(&built),
        LeftOut::All,
        &[],
        &[],
        &mut |one, point| {
            let key = (one.protocol, one.name);
            let decoded = built[&key].decode(point);
            assert!(!replicas_object(&variants[&key], &decoded), "{key:?}");
        },
    );
    println!("{seen} rows");
}
