//! A scenario for Twins (as relab/hotstuff reads it): per view a leader and a partition of the
//! network, a twin for each Byzantine replica. It is coarser than a schedule, and what is lost is
//! said.
//!
//! That engine names nodes in two ways: as numbers beside `ticks` (May 2022 to October 2025,
//! v0.5.0 among them), and as objects of `ReplicaID` and `TwinID` (since November 2025). In both
//! the first replicas are those with twins.

use super::{Carried, Exported, story::Story};
use crate::{Error, words};
use milp_schema::{Height, Message, ReplicaId, View, instance::FaultKind, schedule::End};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mod node;
mod skeleton;

pub use node::Names;
use node::{Name, Nodes};
pub use skeleton::{Skeleton, read};

/// Ticks of the engine's clock that its command line gives a scenario; a view without progress
/// takes five.
const TICKS: u32 = 150;
const TICKS_OF_A_VIEW: u32 = 20;

/// A file of scenarios.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct File {
    num_nodes: u32,
    num_twins: u32,
    partitions: u32,
    views: u32,
    /// Files from before May 2022 have none.
    #[serde(default)]
    ticks: u32,
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
    /// The engine writes `null` for a part without nodes.
    partitions: Vec<Option<Vec<Name>>>,
}

/// The scenario of height 0: two nodes are in one part of a view if a proposal or a vote of the
/// view went from one to the other, directly or over others.
pub(super) fn write(carried: &Carried, story: &Story<'_>, names: Names) -> Result<Exported, Error> {
    let instance = &carried.instance;
    let n = instance.replicas;
    let byzantine = story
        .faulty
        .iter()
        .filter(|(_, kind)| **kind == FaultKind::Byzantine);
    let twins = byzantine
        .enumerate()
        .map(|(number, (id, _))| (*id, n + number as u32))
        .collect::<BTreeMap<_, _>>();
    // The replicas in the order of the engine: those with twins come first.
    let mut order = twins.keys().copied().collect::<Vec<_>>();
    order.extend(ReplicaId::all(n).filter(|id| !twins.contains_key(id)));
    let place = |id: u32| order.iter().position(|it| it.0 == id).unwrap_or_default() as u32;
    let nodes = Nodes {
        replicas: n,
        twins: twins.len() as u32,
    };
    let name = |node: &u32| {
        let of_twin = twins.iter().find(|(_, twin)| *twin == node);
        let node = of_twin.map_or_else(|| (place(*node), 0), |(id, _)| (place(id.0), 1));
        nodes.name(names, node)
    };
    let views = View::all(instance.views);
    let parts = views.clone().map(|view| parts(story, &twins, view));
    let parts = parts.collect::<Vec<_>>();
    let phases = views.zip(&parts).map(|(view, parts)| Phase {
        leader: place(instance.primary(Height(0), view).0) + 1,
        partitions: parts
            .iter()
            .map(|part| {
                let mut part = part.iter().map(name).collect::<Vec<_>>();
                part.sort();
                Some(part)
            })
            .collect(),
    });
    let most = parts.iter().map(Vec::len).max();
    let file = File {
        num_nodes: n,
        num_twins: twins.len() as u32,
        partitions: most.unwrap_or(1) as u32,
        views: instance.views,
        ticks: TICKS.max(TICKS_OF_A_VIEW * instance.views),
        shuffle: false,
        seed: 0,
        scenarios: vec![phases.collect()],
    };
    let text = serde_json::to_string_pretty(&file).map_err(|error| Error::Write {
        what: "the scenario",
        why: error.to_string(),
    })?;
    let mut lost = lost(story, &twins, &parts);
    if order.iter().zip(0..).any(|(id, place)| id.0 != place) {
        let order = order.iter().map(ToString::to_string).collect::<Vec<_>>();
        lost.push(format!(
            "names: the first replicas of a scenario have the twins, so its replicas 1 to {n} are \
             {} here",
            order.join(", ")
        ));
    }
    Ok(Exported {
        text: text + "\n",
        lost,
    })
}

/// Whether a message is one that partitions hold up, of this view.
fn is_vote(message: &Message, view: View) -> bool {
    let votes = words::votes(message.kind).is_some();
    message.height == Height(0) && message.view == view && votes
}

/// The node that a copy comes from: of a Byzantine replica the twin makes what names an odd block.
fn source(twins: &BTreeMap<ReplicaId, u32>, sender: ReplicaId, message: &Message) -> u32 {
    let odd = message.index().is_some_and(|index| index % 2 == 1);
    match twins.get(&sender) {
        Some(twin) if odd => *twin,
        _ => sender.0,
    }
}

/// The parts of a view, ascending: replicas by their numbers, then twins.
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
        if is_vote(&copy.message, view) && matches!(trip.end, End::Arrives(_)) {
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
        parts.entry(*low).or_default().push(node as u32);
    }
    parts.into_values().collect()
}

/// What a scenario does not carry of the schedule.
fn lost(
    story: &Story<'_>,
    twins: &BTreeMap<ReplicaId, u32>,
    parts: &[Vec<Vec<u32>>],
) -> Vec<String> {
    let mut lost = vec![
        "slots: within a view a part hears everything its members send, and nothing from others"
            .to_owned(),
        "timers: in a scenario every view ends by timeouts that all hear of".to_owned(),
    ];
    let together = |view: usize, a: u32, b: u32| {
        let mut parts = parts[view].iter();
        parts.any(|part| part.contains(&a) && part.contains(&b))
    };
    let held = story.trips.iter().filter(|trip| {
        let copy = &trip.copy;
        let view = copy.message.view;
        is_vote(&copy.message, view)
            && !matches!(trip.end, End::Arrives(_))
            && view.index() < parts.len()
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
