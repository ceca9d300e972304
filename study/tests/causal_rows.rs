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
    for protocol in [
        "dbft1",
        "dbft2",
        "dbft2-nspcc",
        "dbft2-tla",
        "dbft2-tla-per-view",
    ] {
        let mut push = |name, goal, byzantine, blocks| {
            let mut instance = instance(protocol, 2, 1, goal);
            instance.blocks_per_proposal = blocks;
            if goal == Goal::Stall {
                instance.network = Network::Eventual;
            }
            if byzantine > 0 {
                instance.faults = vec![any(FaultKind::Byzantine, byzantine)];
            }
            all.insert((protocol, name), instance);
        };
        push("fork", Goal::Fork, 0, 1);
        push("finality, Byzantine", Goal::Finality, 1, 1);
        push("weighted", weighted(1000, -100, 0), 0, 1);
        push("weighted, Byzantine", weighted(1000, -100, 0), 1, 1);
        if protocol != "dbft2-nspcc" {
            push("messages, Byzantine", weighted(100, 10, -1), 1, 1);
        }
        if protocol == "dbft2-tla" {
            push("stall", Goal::Stall, 0, 1);
        }
        if !protocol.starts_with("dbft2-tla") {
            push("finality, equivocation", Goal::Finality, 1, 2);
        }
    }
    let mut seven = instance("dbft2", 1, 1, Goal::Fork);
    seven.protocol = milp_schema::Protocol::shipped("dbft2-nspcc");
    seven.replicas = 7;
    seven.faults = vec![any(FaultKind::Byzantine, 2)];
    all.insert(("dbft2-nspcc", "seven replicas"), seven);
    all
}

fn looked(built: &BTreeMap<(&'static str, &'static str), Built>) -> Vec<Looked> {
    let programs = built.iter().map(|(&(protocol, name), built)| Looked {
        protocol,
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
        "dbft2-nspcc",
        "block_requires_honest_quorum",
        "weighted",
        "",
        [120_833, 189_500, 185_000],
    ),
    (
        "dbft2-nspcc",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_v1_b0_decide",
        [0, 67, 67],
    ),
    (
        "dbft2-nspcc",
        "commit_requires_honest_quorum",
        "seven replicas",
        "commit_requires_honest_quorum_i6_v0",
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
        "quorum_requires_honest_messages",
        "finality, Byzantine",
        "quorum_requires_honest_messages_ChangeView_3_v0",
        [0, 67, 67],
    ),
    (
        "dbft2-tla",
        "block_requires_honest_quorum",
        "messages, Byzantine",
        "",
        [17360, 21783, 21600],
    ),
    (
        "dbft2-tla",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_v1_b0_decide",
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
        "final_state_requires_first_view_left",
        "stall",
        "",
        [14, 0, 0],
    ),
    (
        "dbft2-tla",
        "final_state_requires_more_than_f_commits",
        "stall",
        "",
        [14, 0, 0],
    ),
    (
        "dbft2-tla",
        "final_state_requires_prepared_view_left",
        "stall",
        "",
        [14, 0, 0],
    ),
    (
        "dbft2-tla",
        "quorum_requires_honest_messages",
        "finality, Byzantine",
        "quorum_requires_honest_messages_Commit_3_v1_b0",
        [0, 67, 67],
    ),
    (
        "dbft2-tla-per-view",
        "block_requires_honest_quorum",
        "messages, Byzantine",
        "",
        [17360, 21783, 21600],
    ),
    (
        "dbft2-tla-per-view",
        "certificate_requires_honest_quorum",
        "finality, Byzantine",
        "certificate_requires_honest_quorum_v1_b0_decide",
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
            let key = (one.protocol, one.name);
            let decoded = built[&key].decode(point).expect("an order of acts");
            let mut instance = variants[&key].clone();
            instance.slots = decoded.slots;
            assert!(!replicas_object(&instance, &decoded), "{key:?}");
        },
    );
    assert!(seen >= 20, "{seen}");
}
