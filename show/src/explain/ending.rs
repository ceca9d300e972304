//! How it ended: two blocks, a state that nothing leads out of, or neither.

use super::facts::{Fact, Quorum, Scene, Tally};
use crate::{
    known::{Knowledge, Known},
    words,
};
use milp_schema::{
    BlockId, Height, ReplicaId, Slot, Verdict, View,
    trace::TraceEvent,
    verdict::{Holds, Liveness},
};
use std::collections::{BTreeMap, BTreeSet};

/// A block that honest replicas decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Which.
    pub block: BlockId,
    /// Who decided it, the heal phase included; ascending.
    pub by: BTreeSet<ReplicaId>,
    /// The first quorum that decided it, if one did in the slots of the schedule.
    pub quorum: Option<Quorum>,
}

/// A block that replicas are bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// Which.
    pub block: BlockId,
    /// The live honest replicas that committed to it and decided nothing; ascending.
    pub by: BTreeSet<ReplicaId>,
    /// Everybody whose commit to it exists, crashed and Byzantine replicas included; ascending.
    pub commits: BTreeSet<ReplicaId>,
}

/// A replica that asked to leave a view and committed in it afterwards: others count its request,
/// and it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crossing {
    /// Who.
    pub who: ReplicaId,
    /// When it asked to leave.
    pub asked: Slot,
    /// When it committed.
    pub committed: Slot,
    /// To which block.
    pub block: BlockId,
}

/// A replica that is bound to nothing: in which view, and whether it asked to leave it.
type Free = (ReplicaId, View, bool);

/// Why it ended as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Two blocks at one height.
    Fork {
        /// The blocks, ascending.
        blocks: Vec<Block>,
        /// Who is in the quorums of the first two; ascending. Empty where one is not known.
        both: BTreeSet<ReplicaId>,
    },
    /// No block can be decided any more at this height.
    Stuck {
        /// The height.
        height: Height,
        /// What others decided there all the same, ascending.
        decided: Vec<Block>,
        /// The blocks that somebody is bound to, ascending.
        locks: Vec<Lock>,
        /// Locked replicas whose requests to leave the view still count, ascending.
        crossings: Vec<Crossing>,
        /// Live honest replicas that are bound to none and decided none, each with its view and
        /// whether it asked to leave it; ascending.
        free: Vec<Free>,
        /// Crashed and Byzantine replicas; ascending.
        silent: BTreeSet<ReplicaId>,
        /// Whether that is seen by counting: for every locked block the commits that exist and
        /// the free replicas still in its view that did not ask to leave it are fewer than a
        /// quorum, and so are the free replicas and those silent ones that asked to leave.
        too_few: bool,
    },
    /// Every live honest replica decided, or the heal phase would have gone on.
    Other {
        /// What was decided by whom, the heal phase included; ascending.
        blocks: Vec<Block>,
        /// How the heal phase ended.
        termination: Liveness,
    },
}

pub(super) fn ending(
    scene: Scene,
    trace: &[TraceEvent],
    facts: &[Fact],
    verdict: &Verdict,
) -> Ending {
    let known = Known::after(scene.instance, trace);
    let honest = ReplicaId::all(scene.instance.replicas)
        .filter(|who| !scene.byzantine(*who))
        .map(|who| (who, known.of(who)))
        .collect::<BTreeMap<_, _>>();
    let blocks = blocks(&honest, facts);
    if verdict.agreement == Holds::Violated {
        return fork(blocks);
    }
    if verdict.termination == Liveness::Stuck {
        return stuck(scene, &honest, facts, blocks);
    }
    Ending::Other {
        blocks,
        termination: verdict.termination,
    }
}

fn blocks(honest: &BTreeMap<ReplicaId, &Knowledge>, facts: &[Fact]) -> Vec<Block> {
    let mut by: BTreeMap<BlockId, BTreeSet<ReplicaId>> = BTreeMap::new();
    for (who, replica) in honest {
        for (block, _) in &replica.decided {
            by.entry(*block).or_default().insert(*who);
        }
    }
    let quorum = |block: BlockId| {
        facts.iter().find_map(|fact| match fact {
            Fact::Quorum(quorum) if quorum.of == Tally::Decided(block) => Some(quorum.clone()),
            _ => None,
        })
    };
    by.into_iter()
        .map(|(block, by)| Block {
            block,
            by,
            quorum: quorum(block),
        })
        .collect()
}

fn fork(blocks: Vec<Block>) -> Ending {
    let height = blocks
        .iter()
        .map(|block| block.block.height)
        .find(|height| {
            let same = blocks.iter().filter(|other| other.block.height == *height);
            same.count() > 1
        });
    let blocks = blocks
        .into_iter()
        .filter(|block| Some(block.block.height) == height)
        .collect::<Vec<_>>();
    let mut quorums = blocks.iter().map(|block| block.quorum.as_ref());
    let both = match (quorums.next().flatten(), quorums.next().flatten()) {
        (Some(one), Some(other)) => one.from.intersection(&other.from).copied().collect(),
        _ => BTreeSet::new(),
    };
    Ending::Fork { blocks, both }
}

fn stuck(
    scene: Scene,
    honest: &BTreeMap<ReplicaId, &Knowledge>,
    facts: &[Fact],
    mut decided: Vec<Block>,
) -> Ending {
    let live = || honest.iter().filter(|(_, replica)| !replica.down);
    let height = (0..scene.instance.heights)
        .map(Height)
        .find(|height| live().any(|(_, replica)| replica.decided_at(*height).is_none()))
        .unwrap_or(Height(0));
    let open = || live().filter(|(_, replica)| replica.decided_at(height).is_none());
    let mut locks: BTreeMap<BlockId, BTreeSet<ReplicaId>> = BTreeMap::new();
    let mut free = Vec::new();
    for (who, replica) in open() {
        if let Some(block) = replica.bound.get(&height) {
            locks.entry(*block).or_default().insert(*who);
        } else {
            let view = replica.view(height);
            free.push((*who, view, replica.asked.contains_key(&(height, view))));
        }
    }
    let everybody = (0..scene.instance.replicas).map(ReplicaId);
    let silent: BTreeSet<ReplicaId> = everybody
        .filter(|who| scene.byzantine(*who) || honest.get(who).is_some_and(|replica| replica.down))
        .collect();
    let replicas = live().map(|(_, replica)| *replica).collect::<Vec<_>>();
    let binding = words::binding(scene.instance.protocol);
    let all = |_: &_| true;
    let locks = locks
        .into_iter()
        .map(|(block, by)| {
            let held = replicas
                .iter()
                .filter_map(|replica| binding.map(|votes| replica.senders(votes, block, &all).1))
                .flatten();
            let own = honest
                .iter()
                .filter(|(_, replica)| replica.bound.get(&height) == Some(&block));
            let commits = held.chain(own.map(|(who, _)| *who)).collect();
            Lock { block, by, commits }
        })
        .collect::<Vec<_>>();
    let too_few =
        words::stays(scene.instance) && too_few(scene, height, (&locks, &free, &silent), &replicas);
    decided.retain(|it| it.block.height == height);
    Ending::Stuck {
        height,
        decided,
        crossings: crossings(facts, &locks),
        locks,
        free,
        silent,
        too_few,
    }
}

fn crossings(facts: &[Fact], locks: &[Lock]) -> Vec<Crossing> {
    let of = |lock: &Lock, who: ReplicaId| {
        let (height, view) = (lock.block.height, lock.block.view);
        let asked = facts.iter().find_map(|fact| match fact {
            Fact::Asked {
                slot,
                by,
                recovery: false,
                height: h,
                view: v,
            } if (*by, *h, *v) == (who, height, view) => Some(*slot),
            _ => None,
        })?;
        let committed = facts.iter().find_map(|fact| match fact {
            Fact::Quorum(quorum)
                if (quorum.at, quorum.of) == (who, Tally::Prepared(lock.block)) =>
            {
                Some(quorum.slot)
            }
            _ => None,
        })?;
        (asked < committed).then_some(Crossing {
            who,
            asked,
            committed,
            block: lock.block,
        })
    };
    let each = locks
        .iter()
        .flat_map(|lock| lock.by.iter().filter_map(move |who| of(lock, *who)));
    each.collect()
}

fn too_few(
    scene: Scene,
    height: Height,
    (locks, free, silent): (&[Lock], &[Free], &BTreeSet<ReplicaId>),
    replicas: &[&Knowledge],
) -> bool {
    let commits = locks.iter().all(|lock| {
        let could = |(_, view, asked): &&Free| *view == lock.block.view && !asked;
        let free = free.iter().filter(could).map(|(who, ..)| *who);
        !scene.enough(&free.chain(lock.commits.iter().copied()).collect())
    });
    let highest = free.iter().map(|(_, view, _)| view.0).max().unwrap_or(0);
    let mut asking = replicas
        .iter()
        .flat_map(|replica| replica.asking(height, View(highest + 1)))
        .filter(|who| silent.contains(who))
        .collect::<BTreeSet<_>>();
    asking.extend(free.iter().map(|(who, _, _)| *who));
    commits && !scene.enough(&asking)
}
