//! A scenario for Twins (as relab/hotstuff reads it): per view a leader and a partition of the
//! network, a twin for each Byzantine replica. It is coarser than a schedule, and what is lost is
//! said.

use super::{
    Exported,
    story::{End, Story},
};
use crate::{Error, folder::Driven};
use milp_schema::{Height, Instance, Kind, Message, ReplicaId, View, instance::FaultKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mod skeleton;

pub use skeleton::{Skeleton, read};

/// A file of scenarios. Replica i is node i + 1; twins are numbered after all replicas.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct File {
    num_nodes: u32,
    num_twins: u32,
    partitions: u32,
    views: u32,
    #[serde(default)]
    shuffle: bool,
    #[serde(default)]
    seed: i64,
    scenarios: Vec<Vec<Phase>>,
}

/// One view of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Phase {
    leader: u32,
    partitions: Vec<Vec<u32>>,
}

/// Who leads a view by the rule set's rotation.
fn primary(instance: &Instance, height: Height, view: View) -> u32 {
    let (n, h, v) = (instance.replicas, height.0, view.0);
    match instance.rules.as_str() {
        "nspcc" => (h + n - v % n) % n,
        "tla" | "tla-per-view" => v % n,
        _ => (h + v) % n,
    }
}

/// The scenario of height 0: two nodes are in one part of a view if a proposal or a vote of the
/// view went from one to the other, directly or over others.
pub(super) fn write(driven: &Driven, story: &Story<'_>) -> Result<Exported, Error> {
    let instance = &driven.instance;
    let n = instance.replicas;
    let byzantine = story
        .faulty
        .iter()
        .filter(|(_, kind)| **kind == FaultKind::Byzantine);
    let twins = byzantine
        .enumerate()
        .map(|(number, (id, _))| (*id, n + number as u32))
        .collect::<BTreeMap<_, _>>();
    let phases = View::all(instance.views)
        .map(|view| Phase {
            leader: primary(instance, Height(0), view) + 1,
            partitions: parts(story, &twins, view),
        })
        .collect::<Vec<_>>();
    let lost = lost(story, &twins, &phases);
    let most = phases.iter().map(|phase| phase.partitions.len()).max();
    let file = File {
        num_nodes: n,
        num_twins: twins.len() as u32,
        partitions: most.unwrap_or(1) as u32,
        views: instance.views,
        shuffle: false,
        seed: 0,
        scenarios: vec![phases],
    };
    let text = serde_json::to_string_pretty(&file).map_err(|error| Error::Write {
        what: "the scenario",
        why: error.to_string(),
    })?;
    Ok(Exported {
        text: text + "\n",
        lost,
    })
}

/// Whether a message is one that partitions hold up, of this view.
fn is_vote(message: &Message, view: View) -> bool {
    let votes = [Kind::PrepareRequest, Kind::PrepareResponse, Kind::Commit];
    message.height == Height(0) && message.view == view && votes.contains(&message.kind)
}

/// The node that a copy comes from: of a Byzantine replica the twin makes what names an odd block.
fn source(twins: &BTreeMap<ReplicaId, u32>, sender: ReplicaId, message: &Message) -> u32 {
    let odd = message.block.is_some_and(|index| index % 2 == 1);
    match twins.get(&sender) {
        Some(twin) if odd => *twin,
        _ => sender.0,
    }
}

/// The parts of a view, ascending, in the numbers of the file.
fn parts(story: &Story<'_>, twins: &BTreeMap<ReplicaId, u32>, view: View) -> Vec<Vec<u32>> {
    let nodes = story.instance.replicas + twins.len() as u32;
    // The smallest node of each node's part.
    let mut part = (0..nodes).collect::<Vec<_>>();
    let mut join = |a: u32, b: u32| {
        let (a, b) = (part[a as usize], part[b as usize]);
        let (low, high) = (a.min(b), a.max(b));
        for it in &mut part {
            if *it == high {
                *it = low;
            }
        }
    };
    let mut active = BTreeSet::new();
    for trip in &story.trips {
        let copy = &trip.copy;
        if is_vote(&copy.message, view) && matches!(trip.end, End::Delivered(_)) {
            let from = source(twins, copy.sender, &copy.message);
            active.insert(from);
            join(from, copy.receiver.0);
        }
    }
    for (replica, twin) in twins {
        // A twin without votes of its own says what the other one says.
        if !active.contains(twin) {
            join(replica.0, *twin);
        }
    }
    if story.pool {
        for node in 1..nodes {
            join(0, node);
        }
    }
    let mut parts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (node, low) in part.iter().enumerate() {
        parts.entry(*low).or_default().push(node as u32 + 1);
    }
    parts.into_values().collect()
}

/// What a scenario does not carry of the schedule.
fn lost(story: &Story<'_>, twins: &BTreeMap<ReplicaId, u32>, phases: &[Phase]) -> Vec<String> {
    let mut lost = vec![
        "slots: within a view a part hears everything its members send, and nothing from others"
            .to_owned(),
        "timers: in a scenario every view ends by timeouts that all hear of".to_owned(),
    ];
    let together = |view: usize, a: u32, b: u32| {
        let parts = &phases[view].partitions;
        parts
            .iter()
            .any(|part| part.contains(&(a + 1)) && part.contains(&(b + 1)))
    };
    let held = story.trips.iter().filter(|trip| {
        let copy = &trip.copy;
        let view = copy.message.view;
        is_vote(&copy.message, view)
            && !matches!(trip.end, End::Delivered(_))
            && view.index() < phases.len()
            && together(
                view.index(),
                source(twins, copy.sender, &copy.message),
                copy.receiver.0,
            )
    });
    let held = held.count();
    if held > 0 {
        lost.push(format!(
            "{held} proposals or votes between members of one part never arrive in the schedule, \
             and do in the scenario"
        ));
    }
    if !twins.is_empty() {
        lost.push(
            "Byzantine replicas: a twin follows the protocol, so what else they make is left out"
                .to_owned(),
        );
    }
    let others = story
        .faulty
        .values()
        .filter(|kind| **kind != FaultKind::Byzantine);
    let others = others.count();
    if others > 0 {
        lost.push(format!(
            "{others} replicas with other faults: they are good in the scenario"
        ));
    }
    if story.instance.heights > 1 {
        lost.push("heights above 0".to_owned());
    }
    if story.pool {
        lost.push("the pool: all nodes are in one part".to_owned());
    }
    lost
}
