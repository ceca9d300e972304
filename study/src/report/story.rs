//! What a reader must see first, as lists: what the adversary did and what came of it.

use super::{
    run::Run,
    scene::{Fate, Scene},
    state, words,
};
use milp_replay::What;
use milp_schema::{
    Kind, ReplicaId,
    verdict::{Holds, Liveness},
};
use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

/// Every act of the adversary in the slots drawn: copies that are late, lost or withheld, timers,
/// crashes, what Byzantine replicas make.
pub(crate) fn acts(run: &Run, scene: &Scene) -> Vec<String> {
    let mut acts = Vec::new();
    for (at, mark) in scene.marks.iter().enumerate() {
        let event = &mark.event;
        let Some(message) = event
            .message
            .as_ref()
            .filter(|_| words::is_sending(event.what))
        else {
            continue;
        };
        let own = scene.arrows.iter().filter(|arrow| arrow.from == at);
        let ends = own
            .filter(|arrow| words::is_acted_on(scene, arrow) && worth_saying(scene, at, arrow.fate))
            .map(|arrow| format!("for replica {} it {}", arrow.to, fate(scene, arrow.fate)))
            .collect::<Vec<_>>();
        if !ends.is_empty() {
            let makes = if event.what == What::Inject {
                "made by Byzantine replica"
            } else {
                "of replica"
            };
            acts.push(format!(
                "{} {makes} {} (slot {}): {}.",
                words::full(message),
                event.replica,
                event.slot,
                ends.join("; ")
            ));
        }
    }
    acts.extend(timers(run, scene));
    let others =
        scene.marks.iter().enumerate().filter(|(_, mark)| {
            matches!(mark.event.what, What::Crash | What::Restart | What::Fault)
        });
    acts.extend(others.map(|(at, _)| format!("{}.", words::sentence(scene, at))));
    acts
}

/// Withheld copies that only say once more what was decided change nothing.
fn worth_saying(scene: &Scene, from: usize, fate: Fate) -> bool {
    let kind = scene.marks[from].event.message.as_ref().map(|it| &it.kind);
    !(kind == Some(&Kind::Block) && matches!(fate, Fate::Open { .. }))
}

fn fate(scene: &Scene, fate: Fate) -> String {
    match fate {
        Fate::Arrives { mark, late } => {
            let slot = scene.marks[mark].event.slot;
            match late {
                0 => format!("arrives in slot {slot}"),
                1 => format!("comes 1 slot late, in slot {slot}"),
                late => format!("comes {late} slots late, in slot {slot}"),
            }
        }
        Fate::Lost { slot } => format!("is lost in slot {slot}"),
        Fate::Open { .. } => "does not come in these slots".to_owned(),
    }
}

/// The timers that the adversary fires, one sentence for each replica.
fn timers(run: &Run, scene: &Scene) -> Vec<String> {
    let mut fired: BTreeMap<ReplicaId, Vec<String>> = BTreeMap::new();
    for mark in &scene.marks {
        if mark.event.what == What::Timeout && words::is_act(run, mark) {
            let (height, view) = mark.place;
            let place = if run.instance.heights > 1 {
                format!("{} (h{height} v{view})", mark.event.slot)
            } else {
                format!("{} (view {view})", mark.event.slot)
            };
            fired.entry(mark.event.replica).or_default().push(place);
        }
    }
    fired
        .into_iter()
        .map(|(replica, slots)| {
            let word = if slots.len() == 1 { "slot" } else { "slots" };
            format!(
                "The timer of replica {replica} fires in {word} {}.",
                slots.join(", ")
            )
        })
        .collect()
}

/// Who decided what on whose votes, who is locked, who entered which view.
pub(crate) fn consequences(run: &Run, scene: &Scene) -> Vec<String> {
    let mut found = forks(run);
    found.extend(stuck(run));
    for decision in state::decisions(run) {
        let state::Decision {
            slot,
            replica,
            block,
            votes,
        } = decision;
        let why = match votes {
            Some((what, who)) => {
                let who = who.into_iter().map(ReplicaId).collect::<Vec<_>>();
                let need = run.quorum();
                format!(
                    "on {what} of replicas {} (quorum {need})",
                    words::list(&who)
                )
            }
            None => "from another replica's Block".to_owned(),
        };
        let when = if slot > run.instance.slots {
            format!("slot {slot}, in the heal phase")
        } else {
            format!("slot {slot}")
        };
        found.push(format!(
            "Replica {replica} decides block h{} v{} b{} in {when}, {why}.",
            block.height, block.view, block.index
        ));
    }
    for mark in &scene.marks {
        let event = &mark.event;
        let (height, view) = mark.place;
        let commit = event
            .message
            .as_ref()
            .is_some_and(|it| it.kind == Kind::Commit);
        match event.what {
            What::Send if commit && run.commit_locks() => found.push(format!(
                "Replica {} commits in view {view} of height {height} in slot {} and is locked: it \
                 leaves that view no more.",
                event.replica, event.slot
            )),
            What::EnterView => found.push(format!(
                "Replica {} enters view {view} of height {height} in slot {}.",
                event.replica, event.slot
            )),
            _ => {}
        }
    }
    found
}

/// Why two blocks of a height could be decided: who voted for both.
fn forks(run: &Run) -> Vec<String> {
    let decisions = state::decisions(run);
    let mut found = Vec::new();
    let voted = decisions.iter().filter(|it| it.votes.is_some());
    let firsts = voted.fold(BTreeMap::new(), |mut firsts, it| {
        firsts.entry(it.block).or_insert(it);
        firsts
    });
    for (block, one) in &firsts {
        for (other_block, other) in firsts.range((Excluded(*block), Unbounded)) {
            if let (Some((what, left)), Some((_, right)), true) =
                (&one.votes, &other.votes, block.height == other_block.height)
            {
                let both = left.iter().filter(|it| right.contains(it));
                let both = both.copied().map(ReplicaId).collect::<Vec<_>>();
                let kept = run.verdict.as_ref().map(|it| it.agreement);
                debug_assert_ne!(kept, Some(Holds::Holds), "two blocks are no agreement");
                found.push(format!(
                    "Two blocks of height {}: v{} b{} and v{} b{}. The {what} of replicas {} are in \
                     both quorums.",
                    block.height,
                    block.view,
                    block.index,
                    other_block.view,
                    other_block.index,
                    words::list(&both)
                ));
            }
        }
    }
    found
}

/// Why nothing can be decided any more: what each replica has after the heal phase.
fn stuck(run: &Run) -> Vec<String> {
    let stuck = run.verdict.as_ref().map(|it| it.termination) == Some(Liveness::Stuck);
    if !stuck {
        return Vec::new();
    }
    let mut alike: BTreeMap<String, Vec<ReplicaId>> = BTreeMap::new();
    let mut tallies: BTreeMap<String, (usize, u32, String)> = BTreeMap::new();
    for (replica, states) in state::history(run).iter().enumerate() {
        let Some((_, state)) = states.last() else {
            continue;
        };
        let who = ReplicaId(replica as u32);
        alike.entry(state.words.join(", ")).or_default().push(who);
        for tally in state
            .tallies
            .iter()
            .filter(|it| !it.what.starts_with("prep"))
        {
            let count = tally.who.len();
            let known = tallies.entry(tally.what.clone()).or_default();
            if count > known.0 {
                let who = tally.who.iter().copied().map(ReplicaId).collect::<Vec<_>>();
                *known = (count, tally.need, words::list(&who));
            }
        }
    }
    let mut found = alike
        .into_iter()
        .map(|(state, who)| {
            let word = if who.len() == 1 {
                "replica"
            } else {
                "replicas"
            };
            format!(
                "In the end, for ever, {word} {}: {state}.",
                words::list(&who)
            )
        })
        .collect::<Vec<_>>();
    found.extend(tallies.into_iter().map(|(what, (count, need, who))| {
        format!("In the end any replica has at most {count} of {need} {what} ({who}).")
    }));
    found
}
