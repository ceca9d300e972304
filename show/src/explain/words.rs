//! Facts as sentences.

use super::{
    Block, Crossing, Ending, Fact, Lock, Missed, Quorum, Story, Tally, Too, facts::Scene, held,
};
use crate::words::{self, count};
use milp_schema::{
    BlockId, Height, ReplicaId, Slot, View,
    instance::FaultKind,
    trace::{Phase, What},
    verdict::Liveness,
};
use std::collections::{BTreeMap, BTreeSet};

/// The story of a schedule, one sentence per line: how it ended, a heading per view, and why.
pub(super) fn lines(story: &Story) -> Vec<String> {
    let scene = story.scene();
    let mut lines = vec![answered(story), String::new(), who(story)];
    let mut views: BTreeMap<(Height, View), Vec<&Fact>> = BTreeMap::new();
    for fact in &story.facts {
        views.entry(place(fact)).or_default().push(fact);
    }
    for ((height, view), facts) in views {
        lines.push(String::new());
        lines.push(if story.instance.heights > 1 {
            format!("Height {height}, view {view}")
        } else {
            format!("View {view}")
        });
        lines.extend(view_lines(story, scene, &facts));
    }
    let of_a_file = words::followers(&story.verdict.engine) == words::INTERPRETER;
    if of_a_file {
        lines.push(String::new());
        lines.extend(held::lines(story));
    }
    lines.push(String::new());
    if !matches!(story.ending, Ending::Other { .. }) {
        lines.push("Why:".to_owned());
    }
    lines.extend(ended(story));
    // What is told is what happened, which is not what the schedule says.
    let said = |note: &&String| note.starts_with("impossible: ");
    let impossible = story.verdict.notes.iter().filter(said).cloned();
    let impossible = impossible.collect::<Vec<_>>();
    if !impossible.is_empty() {
        lines.push(String::new());
        lines.push("The schedule is no execution of these replicas".to_owned());
        lines.extend(impossible.into_iter().map(|note| format!("  {note}")));
    }
    // What is weaker than replicas of one's own is said.
    if of_a_file {
        lines.push(String::new());
        lines.push(format!(
            "Followed by {}, no other replica.",
            words::INTERPRETER
        ));
    }
    let protocol = story.instance.protocol;
    let own = lines.iter().map(|line| words::own(protocol, line));
    own.collect()
}

/// The view a fact belongs to: that of its block, or the one that is left.
fn place(fact: &Fact) -> (Height, View) {
    match fact {
        Fact::Proposed { block, view, .. } => (block.height, *view),
        Fact::Adopted { block, .. } => (block.height, block.view),
        Fact::Asked { height, view, .. } => (*height, *view),
        Fact::Quorum(quorum) => match quorum.of {
            Tally::Prepared(BlockId { height, .. })
            | Tally::Decided(BlockId { height, .. })
            | Tally::Entered(height, _) => (height, quorum.view),
        },
        Fact::Missed(missed) => (missed.message.height, missed.message.view),
        Fact::Crashed { .. } => (Height(0), View(0)),
    }
}

fn who(story: &Story) -> String {
    let instance = &story.instance;
    let faulty = |kind, word: &str| {
        let who = story.faulty.iter().filter(|(_, other)| *other == kind);
        let who = who.map(|(who, _)| *who).collect::<BTreeSet<_>>();
        (!who.is_empty()).then(|| format!("{} {word}", replicas(&who)))
    };
    let kinds = [
        faulty(FaultKind::Byzantine, "Byzantine"),
        faulty(FaultKind::Crash, "may crash"),
        faulty(FaultKind::Network, "badly connected"),
    ];
    let kinds = kinds.into_iter().flatten().collect::<Vec<_>>();
    let mutant = instance.mutant.as_ref();
    format!(
        "{}{}, {} replicas, a quorum is {}; {}.",
        instance.protocol,
        mutant.map_or_else(String::new, |name| format!(", mutant {name}")),
        instance.replicas,
        words::quorum(instance),
        if kinds.is_empty() {
            "nobody is faulty".to_owned()
        } else {
            kinds.join(", ")
        }
    )
}

fn view_lines(story: &Story, scene: Scene, facts: &[&Fact]) -> Vec<String> {
    let mut lines: Vec<(Slot, String)> = Vec::new();
    let mut asked: BTreeMap<(Slot, bool, View), BTreeSet<ReplicaId>> = BTreeMap::new();
    let mut missed: BTreeMap<(ReplicaId, BlockId), Vec<&Missed>> = BTreeMap::new();
    for fact in facts {
        match fact {
            Fact::Proposed {
                slot, by, block, ..
            } => {
                let how = if scene.byzantine(*by) {
                    ", Byzantine,"
                } else {
                    ""
                };
                lines.push((*slot, format!("replica {by}{how} proposes {block}")));
            }
            Fact::Asked {
                slot,
                by,
                view,
                recovery,
                ..
            } => {
                asked
                    .entry((*slot, *recovery, *view))
                    .or_default()
                    .insert(*by);
            }
            Fact::Quorum(quorum) => lines.push((quorum.slot, reached(story, quorum))),
            Fact::Adopted {
                slot,
                by,
                block,
                from,
            } => lines.push((
                *slot,
                format!("replica {by} takes over {block}, which replica {from} published"),
            )),
            Fact::Crashed { slot, who } => {
                lines.push((*slot, format!("replica {who} crashes")));
            }
            Fact::Missed(late) => {
                if let Some(block) = late.message.block_id() {
                    missed.entry((late.by, block)).or_default().push(late);
                }
            }
        }
    }
    for ((slot, recovery, view), by) in asked {
        let (verb, one) = (if by.len() == 1 { "asks" } else { "ask" }, replicas(&by));
        lines.push((
            slot,
            if recovery {
                format!("{one} {verb} for recovery in view {view}")
            } else {
                format!("{one} {verb} to leave view {view}")
            },
        ));
    }
    lines.sort_by_key(|(slot, _)| *slot);
    let told = lines
        .into_iter()
        .map(|(slot, said)| format!("  slot {slot}: {said}."));
    let late = missed
        .values()
        .map(|late| format!("  too late: {}.", too_late(late)));
    told.chain(late).collect()
}

fn reached(story: &Story, quorum: &Quorum) -> String {
    let at = quorum.at;
    let from = list(&quorum.from);
    let votes = story.instance.protocol.final_tally();
    match quorum.of {
        Tally::Prepared(block) => {
            let locked = if words::locks(&story.instance) {
                ", commits to it and is locked"
            } else {
                " and commits to it"
            };
            let grounds = words::grounds(story.instance.protocol);
            format!("replica {at} holds {grounds} of {block} from {from}{locked}")
        }
        Tally::Decided(block) => {
            format!("replica {at} holds {votes} of {block} from {from} and decides it")
        }
        // Timers alone lead on where nobody asks to leave.
        Tally::Entered(_, view) if quorum.from.is_empty() => {
            format!("replica {at} enters view {view}")
        }
        Tally::Entered(_, view) => {
            format!("replica {at} holds requests to leave from {from} and enters view {view}")
        }
    }
}

/// The messages of one block that one replica missed for good.
fn too_late(late: &[&Missed]) -> String {
    let first = late[0];
    let said = late.iter().map(|late| {
        let arrived = late.arrived.map_or_else(
            || "does not arrive".to_owned(),
            |slot| format!("arrives in slot {slot}"),
        );
        format!(
            "the {} of replica {} (sent in slot {}) {arrived}",
            late.message.kind, late.from, late.sent
        )
    });
    let said = said.collect::<Vec<_>>().join(", ");
    let view = first.message.view;
    let had = match first.too {
        Too::Left(slot) => format!("had left view {view} in slot {slot}"),
        Too::Asked(slot) => format!("had asked to leave view {view} in slot {slot}"),
        Too::Decided(slot) => format!("had decided another block in slot {slot}"),
    };
    format!("at replica {} {said}; it {had}", first.by)
}

/// How it ended: a heading, and sentences that are set in.
pub(super) fn reasons(story: &Story) -> Vec<String> {
    let protocol = story.instance.protocol;
    let lines = ended(story);
    lines
        .iter()
        .map(|line| words::own(protocol, line))
        .collect()
}

/// How it ended, in the protocol's words.
pub(super) fn answer(story: &Story) -> String {
    words::own(story.instance.protocol, &answered(story))
}

fn answered(story: &Story) -> String {
    let said = match &story.ending {
        Ending::Fork { blocks, .. } => format!(
            "agreement is broken: {}, another block of the same height",
            who_decides(blocks)
        ),
        Ending::Stuck {
            height,
            decided,
            locks,
            free,
            ..
        } => {
            let bound = locks.iter().flat_map(|lock| lock.by.iter().copied());
            let left: BTreeSet<ReplicaId> = bound.chain(free.iter().map(|it| it.0)).collect();
            let what = if decided.is_empty() {
                words::no_more(height)
            } else {
                format!(
                    "{} can decide no block of height {height} any more, though {}",
                    replicas(&left),
                    who_decides(decided)
                )
            };
            format!("liveness is broken: {what}, and that stays so after every message has arrived")
        }
        Ending::Other { .. } => first_decision(story),
    };
    words::capital(&said) + "."
}

/// Who decides what.
fn who_decides(blocks: &[Block]) -> String {
    let each = blocks.iter().map(|block| {
        let verb = ["decide", "decides"][usize::from(block.by.len() == 1)];
        format!("{} {verb} {}", replicas(&block.by), block.block)
    });
    each.collect::<Vec<_>>().join(", and ")
}

/// When somebody decides in the slots of the schedule.
fn first_decision(story: &Story) -> String {
    let in_schedule = story
        .trace
        .iter()
        .filter(|event| event.phase == Phase::Schedule);
    let first = in_schedule
        .filter(|event| event.what == What::Decide)
        .map(|event| event.slot)
        .min();
    match first {
        Some(slot) => format!("the first decision is in slot {slot}"),
        None => "nobody decides in the slots of the schedule".to_owned(),
    }
}

fn ended(story: &Story) -> Vec<String> {
    let scene = story.scene();
    match &story.ending {
        Ending::Fork { blocks, both } => fork(story, scene, blocks, both),
        Ending::Stuck {
            height,
            decided: _,
            locks,
            crossings,
            free,
            silent,
            too_few,
        } => {
            let mut lines = Vec::new();
            let (quorum, votes) = (scene.quorum(), story.instance.protocol.final_tally());
            lines.extend(locks.iter().map(|lock| locked(lock, quorum, votes)));
            lines.extend(crossings.iter().map(crossing));
            if !free.is_empty() {
                lines.push(unlocked(free, scene.quorum()));
                lines.extend(primaries(story, *height, locks, free, silent));
            }
            if !silent.is_empty() {
                lines.push(format!("  {} silent.", be(silent)));
            }
            if *too_few {
                lines.push(
                    "  Neither the commits of one block nor the requests to leave a view can \
                     become a quorum: a locked replica asks for no other view, and every other \
                     one has left the block's view or asked to leave it."
                        .to_owned(),
                );
            }
            lines.push(if story.instance.protocol.pools() {
                "  No action of anybody leads out of this state.".to_owned()
            } else {
                "  Every message arrives in the heal phase, and its state repeats.".to_owned()
            });
            lines
        }
        Ending::Other {
            blocks,
            termination,
        } => other(blocks, *termination),
    }
}

fn fork(story: &Story, scene: Scene, blocks: &[Block], both: &BTreeSet<ReplicaId>) -> Vec<String> {
    let mut lines: Vec<String> = blocks.iter().map(decided).collect();
    if both.is_empty() {
        return lines;
    }
    let two = if blocks.len() > 2 {
        " the first two"
    } else {
        " both"
    };
    lines.push(format!("  {} in the quorums of{two}.", be(both)));
    let byzantine = both.iter().filter(|who| scene.byzantine(**who));
    let byzantine = byzantine.copied().collect::<BTreeSet<_>>();
    let honest = both
        .difference(&byzantine)
        .copied()
        .collect::<BTreeSet<_>>();
    if !byzantine.is_empty() {
        let byzantine = be(&byzantine);
        lines.push(format!("  {byzantine} Byzantine and voted for{two}."));
    }
    if !honest.is_empty() {
        let why = if story.instance.protocol.has_binding_vote() {
            "nothing kept the first vote binding"
        } else {
            "a vote for a block binds nobody to its view in this protocol"
        };
        let honest = be(&honest);
        lines.push(format!("  {honest} honest and voted for{two}: {why}."));
    }
    lines
}

fn decided(block: &Block) -> String {
    let verb = if block.by.len() == 1 {
        "decides"
    } else {
        "decide"
    };
    let quorum = block.quorum.as_ref().map_or_else(String::new, |quorum| {
        format!(
            ", first in slot {} by votes of {}",
            quorum.slot,
            list(&quorum.from)
        )
    });
    format!("  {} {verb} {}{quorum}.", replicas(&block.by), block.block)
}

/// `votes` is what those that make a block final are called together.
fn locked(lock: &Lock, quorum: usize, votes: &str) -> String {
    format!(
        "  {} locked on {}: {} of the {quorum} it takes to decide it.",
        be(&lock.by),
        lock.block,
        count(lock.commits.len() as i64, votes.trim_end_matches('s')),
    )
}

fn crossing(crossing: &Crossing) -> String {
    let Crossing {
        who,
        asked,
        committed,
        block,
    } = crossing;
    format!(
        "  replica {who} asked to leave view {} in slot {asked} and committed to {block} in slot \
         {committed}: its request counts for others, and it stays.",
        block.view
    )
}

/// Who would have to propose in the views of the free replicas and is not there.
fn primaries(
    story: &Story,
    height: Height,
    locks: &[Lock],
    free: &[(ReplicaId, View, bool)],
    silent: &BTreeSet<ReplicaId>,
) -> Vec<String> {
    let views = free.iter().map(|(_, view, _)| *view);
    let views = views.collect::<BTreeSet<_>>();
    let absent = views.into_iter().filter_map(|view| {
        let primary = story.instance.primary(height, view);
        let locked = locks.iter().find(|lock| lock.by.contains(&primary));
        let why = match locked {
            Some(lock) if lock.block.view != view => {
                format!("is locked in view {}", lock.block.view)
            }
            _ if silent.contains(&primary) => "is silent".to_owned(),
            _ => return None,
        };
        Some(format!(
            "  The primary of view {view} is replica {primary}, which {why}."
        ))
    });
    absent.collect()
}

fn unlocked(free: &[(ReplicaId, View, bool)], quorum: usize) -> String {
    let each = free.iter().map(|(who, view, asked)| {
        let asked = if *asked { " and wants to leave it" } else { "" };
        format!("replica {who} is in view {view}{asked}")
    });
    format!(
        "  {}: {} not locked, and it takes {quorum} to leave a view.",
        each.collect::<Vec<_>>().join(", "),
        if free.len() == 1 {
            "1 is".to_owned()
        } else {
            format!("{} are", free.len())
        }
    )
}

fn other(blocks: &[Block], termination: Liveness) -> Vec<String> {
    let mut lines = vec![
        match termination {
            Liveness::Decided => "Once every message arrives, all that follow the rules decide:",
            Liveness::Stuck => "No more is decided:",
            Liveness::Open => "Where it would end is open; decided so far:",
        }
        .to_owned(),
    ];
    if blocks.is_empty() {
        lines.push("  no block.".to_owned());
    }
    lines.extend(blocks.iter().map(decided));
    lines
}

/// `replica 1`, `replicas 1, 2 and 3`.
fn replicas(who: &BTreeSet<ReplicaId>) -> String {
    if who.len() == 1 {
        format!("replica {}", list(who))
    } else {
        format!("replicas {}", list(who))
    }
}

/// `replica 1 is`, `replicas 1 and 2 are`.
fn be(who: &BTreeSet<ReplicaId>) -> String {
    let verb = if who.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", replicas(who))
}

pub(super) fn list(who: &BTreeSet<ReplicaId>) -> String {
    let mut names = who.iter().map(ReplicaId::to_string).collect::<Vec<_>>();
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        Some(last) => last,
        None => "nobody".to_owned(),
    }
}
