//! The valid inequalities of `causal`: none can be weakened without the relaxation showing it, and
//! none strengthened without an execution being cut that the replicas follow.

mod support;

use milp_model::formulation::causal::{self, Built};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Sense},
};
use std::collections::BTreeMap;
use support::{
    any, instance, replicas_object,
    rows::{self, LeftOut, Looked, Weaker},
};

/// What the families are looked at on.
fn variants() -> BTreeMap<(&'static str, &'static str), Instance> {
    let mut all = BTreeMap::new();
    let weighted = |blocks, views, messages| Goal::Weighted {
        sense: Sense::Maximize,
        blocks,
        views,
        messages,
    };
    for (rules, protocol, named) in [
        ("dbft1", "dbft1", "paper"),
        ("dbft2", "dbft2", "paper"),
        ("nspcc", "dbft2", "nspcc"),
        ("tla", "dbft2", "tla"),
        ("tla-per-view", "dbft2", "tla-per-view"),
    ] {
        let mut push = |name, goal, byzantine, blocks| {
            let mut instance = instance(protocol, 2, 1, goal);
            instance.rules = named.into();
            instance.blocks_per_proposal = blocks;
            if goal == Goal::Stall {
                instance.network = Network::Eventual;
            }
            if byzantine > 0 {
                instance.faults = vec![any(FaultKind::Byzantine, byzantine)];
            }
            all.insert((rules, name), instance);
        };
        push("fork", Goal::Fork, 0, 1);
        push("finality, Byzantine", Goal::Finality, 1, 1);
        push("weighted", weighted(1000, -100, 0), 0, 1);
        push("weighted, Byzantine", weighted(1000, -100, 0), 1, 1);
        if rules != "nspcc" {
            push("messages, Byzantine", weighted(100, 10, -1), 1, 1);
        }
        if rules == "tla" {
            push("stall", Goal::Stall, 0, 1);
        }
        if !milp_schema::covers::is_formal_model(rules) {
            push("finality, equivocation", Goal::Finality, 1, 2);
        }
    }
    let mut seven = instance("dbft2", 1, 1, Goal::Fork);
    seven.rules = "nspcc".into();
    seven.replicas = 7;
    seven.faults = vec![any(FaultKind::Byzantine, 2)];
    all.insert(("nspcc", "seven replicas"), seven);
    all
}

fn looked(built: &BTreeMap<(&'static str, &'static str), Built>) -> Vec<Looked> {
    let programs = built.iter().map(|(&(rules, name), built)| Looked {
        rules,
        name,
        program: built.program.clone(),
    });
    programs.collect()
}

fn built() -> BTreeMap<(&'static str, &'static str), Built> {
    let build = |instance| causal::of(instance).expect("causal supports it");
    let all = variants();
    all.iter().map(|(key, it)| (*key, build(it))).collect()
}

const WEAKER: &[Weaker] = &[
    (
        "dbft1",
        "block_requires_honest_quorum",
        "messages, Byzantine",
        "",
        [21300, 21727, 21550],
    ),
    (
        "dbft1",
        "certificate_requires_honest_quorum",
        "finality, equivocation",
        "",
        [311, 333, 333],
    ),
    (
        "dbft1",
        "quorum_requires_honest_messages",
        "messages, Byzantine",
        "",
        [21300, 21350, 21350],
    ),
    (
        "dbft2",
        "block_requires_honest_quorum",
        "messages, Byzantine",
        "",
        [17120, 21705, 21350],
    ),
    (
        "dbft2",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_v1_b0_decide",
        [0, 67, 67],
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
        "quorum_requires_honest_messages",
        "messages, Byzantine",
        "",
        [17120, 17160, 17160],
    ),
    (
        "nspcc",
        "block_requires_honest_quorum",
        "weighted",
        "",
        [120_833, 189_500, 185_000],
    ),
    (
        "nspcc",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_v1_b0_decide",
        [0, 67, 67],
    ),
    (
        "nspcc",
        "commit_requires_honest_quorum",
        "seven replicas",
        "commit_requires_honest_quorum_i6_v0",
        [0, 67, 67],
    ),
    (
        "nspcc",
        "decisions_at_most_by_votes",
        "finality, Byzantine",
        "",
        [100, 160, 160],
    ),
    (
        "nspcc",
        "quorum_requires_honest_messages",
        "finality, Byzantine",
        "quorum_requires_honest_messages_ChangeView_3_v0",
        [0, 67, 67],
    ),
    (
        "tla",
        "block_requires_honest_quorum",
        "messages, Byzantine",
        "",
        [17360, 21783, 21600],
    ),
    (
        "tla",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_v1_b0_decide",
        [0, 67, 67],
    ),
    (
        "tla",
        "decisions_at_most_by_votes",
        "finality, Byzantine",
        "",
        [100, 160, 160],
    ),
    (
        "tla",
        "final_state_requires_first_view_left",
        "stall",
        "",
        [14, 0, 0],
    ),
    (
        "tla",
        "final_state_requires_more_than_f_commits",
        "stall",
        "",
        [14, 0, 0],
    ),
    (
        "tla",
        "final_state_requires_prepared_view_left",
        "stall",
        "",
        [14, 0, 0],
    ),
    (
        "tla",
        "quorum_requires_honest_messages",
        "finality, Byzantine",
        "quorum_requires_honest_messages_Commit_3_v1_b0",
        [0, 67, 67],
    ),
    (
        "tla-per-view",
        "block_requires_honest_quorum",
        "messages, Byzantine",
        "",
        [17360, 21783, 21600],
    ),
    (
        "tla-per-view",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_v1_b0_decide",
        [0, 67, 67],
    ),
    (
        "tla-per-view",
        "decisions_at_most_by_votes",
        "finality, Byzantine",
        "",
        [100, 160, 160],
    ),
    (
        "tla-per-view",
        "quorum_requires_honest_messages",
        "finality, Byzantine",
        "quorum_requires_honest_messages_Commit_3_v1_b0",
        [0, 67, 67],
    ),
];

#[test]
fn no_valid_family_can_be_weakened() {
    rows::check_weaker(&looked(&built()), WEAKER);
}

#[test]
fn no_valid_family_can_be_strengthened() {
    let (variants, built) = (variants(), built());
    let seen = rows::check_stronger(
        &looked(&built),
        LeftOut::All,
        &[],
        &[],
        &mut |one, point| {
            let key = (one.rules, one.name);
            let decoded = built[&key].decode(point).expect("an order of acts");
            let mut instance = variants[&key].clone();
            instance.slots = decoded.slots;
            assert!(!replicas_object(&instance, &decoded), "{key:?}");
        },
    );
    assert!(seen >= 20, "{seen}");
}
