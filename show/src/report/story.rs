//! What the adversary did and what came of it, as tables and lists.

use super::{
    run::Run,
    scene::{Fate, Mark, Scene},
    state, words,
};
use crate::{
    acts::Deed,
    explain::{Fact, Story, Tally},
    known::is_sending,
    words::{Does, binds, count, does, grounds, own, quorum as quorum_words, stays},
};
use milp_schema::{
    ReplicaId,
    schedule::End,
    trace::What,
    verdict::{Holds, Liveness},
};
use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

/// A copy that the adversary makes, delays, withholds or loses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied {
    pub(crate) message: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) sent: u32,
    pub(crate) arrives: String,
}

/// Those copies, in the order of their sending.
pub(crate) fn copies(run: &Run, scene: &Scene) -> Vec<Copied> {
    let soonest = run.instance.delays().0;
    let acts = scene.acts.iter();
    let copies = acts.filter_map(|deed| match deed {
        Deed::Made(copy, end) => Some((copy, end, " (made up)")),
        Deed::Late(copy, end) => Some((copy, end, "")),
        _ => None,
    });
    let mut copies = copies.collect::<Vec<_>>();
    copies.sort_by_key(|(copy, ..)| (copy.sent, copy.sender));
    let copied = copies.into_iter().map(|(copy, end, made)| Copied {
        message: words::full(&copy.message),
        from: format!("{}{made}", copy.sender),
        to: copy.receiver.to_string(),
        sent: copy.sent.0,
        arrives: match end {
            End::Arrives(slot) => match slot.0.saturating_sub(copy.sent.0 + soonest) {
                0 => format!("slot {slot}"),
                late => format!("slot {slot}, late by {late}"),
            },
            End::Lost(slot) => format!("never, lost in slot {slot}"),
            End::Open => "withheld".to_owned(),
        },
    });
    copied.collect()
}

/// Every other act of the adversary: timers, crashes. And what is nobody's act, but looks like one.
pub(crate) fn acts(scene: &Scene) -> Vec<String> {
    let mut acts = timers(scene);
    acts.extend(scene.acts.iter().filter_map(|deed| match deed {
        Deed::Crash(slot, replica) => Some(format!("Slot {slot}: replica {replica} crashes.")),
        _ => None,
    }));
    let others = scene
        .marks
        .iter()
        .enumerate()
        .filter(|(_, mark)| matches!(mark.event.what, What::Restart | What::Fault));
    acts.extend(others.map(|(at, _)| format!("{}.", words::sentence(scene, at))));
    acts.extend(recoveries(scene));
    acts
}

/// Recovery messages that wait for the heal phase, in one sentence.
fn recoveries(scene: &Scene) -> Option<String> {
    let waits = |at: usize| {
        let mut own = scene.arrows.iter().filter(|arrow| arrow.from == at);
        own.any(|arrow| matches!(arrow.fate, Fate::Open { .. }))
    };
    let sent = scene.marks.iter().enumerate().filter(|(at, mark)| {
        let message = mark.event.message.as_ref();
        is_sending(mark.event.what)
            && message.is_some_and(|it| does(&it.kind) == Does::Repeats)
            && waits(*at)
    });
    let number = sent.count();
    (number > 0).then(|| {
        format!(
            "Recovery messages arrive in the heal phase only, {} drawn here: so executions of \
             these rules run, and it is no act of the adversary.",
            count(number as i64, "broadcast")
        )
    })
}

/// The timers that make replicas ask, one sentence for each replica.
fn timers(scene: &Scene) -> Vec<String> {
    let mut fired: BTreeMap<ReplicaId, Vec<String>> = BTreeMap::new();
    for deed in &scene.acts {
        if let Deed::Timeout(slot, replica) = deed {
            fired.entry(*replica).or_default().push(slot.to_string());
        }
    }
    let sentence = |(replica, slots): (ReplicaId, Vec<String>)| {
        let word = if slots.len() == 1 { "slot" } else { "slots" };
        format!(
            "The timer of replica {replica} makes it ask in {word} {}.",
            slots.join(", ")
        )
    };
    fired.into_iter().map(sentence).collect()
}

/// Who decided what on whose votes, who is locked, who entered which view.
pub(crate) fn consequences(run: &Run, scene: &Scene, story: Option<&Story>) -> Vec<String> {
    let mut found = forks(run);
    found.extend(stuck(run));
    for decision in state::decisions(run) {
        let state::Decision {
            slot,
            replica,
            block,
            votes,
        } = decision;
        let why = if let Some((what, who)) = votes {
            let who = who.into_iter().map(ReplicaId).collect::<Vec<_>>();
            let need = quorum_words(&run.instance);
            format!(
                "on {what} of replicas {} (quorum {need})",
                words::list(&who)
            )
        } else {
            let passed_on = run.instance.protocol.decision();
            format!("from another replica's {passed_on}")
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
        let commit = event.message.as_ref().is_some_and(binds);
        match event.what {
            What::Send if commit && run.locks => found.push(format!(
                "Replica {} commits in view {view} of height {height} in slot {}{} and is locked{}.",
                event.replica,
                event.slot,
                on(story, mark, grounds(run.instance.protocol)),
                if stays(&run.instance) {
                    ": it leaves that view no more"
                } else {
                    ""
                },
            )),
            What::EnterView => found.push(format!(
                "Replica {} enters view {view} of height {height} in slot {}{}.",
                event.replica,
                event.slot,
                on(story, mark, "requests"),
            )),
            _ => {}
        }
    }
    let protocol = run.instance.protocol;
    found.iter().map(|it| own(protocol, it)).collect()
}

/// `, on requests of replicas 0, 1, 2`, where the story knows the quorum that a mark acts on.
fn on(story: Option<&Story>, mark: &Mark, what: &str) -> String {
    quorum(story, mark).map_or_else(String::new, |who| format!(", on {what} of replicas {who}"))
}

/// Whose messages a replica had when it entered a view or committed.
pub(crate) fn quorum(story: Option<&Story>, mark: &Mark) -> Option<String> {
    let (height, view) = mark.place;
    let event = &mark.event;
    story?.facts.iter().find_map(|fact| match fact {
        Fact::Quorum(quorum) if (quorum.at, quorum.slot) == (event.replica, event.slot) => {
            let same = match quorum.of {
                Tally::Entered(h, v) => event.what == What::EnterView && (h, v) == mark.place,
                Tally::Prepared(block) => {
                    event.what == What::Send && (block.height, quorum.view) == (height, view)
                }
                Tally::Decided(_) => false,
            };
            (same && !quorum.from.is_empty()).then(|| words::list(&quorum.from))
        }
        _ => None,
    })
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
    let mut tallies: BTreeMap<String, (u32, u32, String)> = BTreeMap::new();
    for (replica, states) in state::history(run).iter().enumerate() {
        let Some((_, state)) = states.last() else {
            continue;
        };
        let who = ReplicaId(replica as u32);
        alike.entry(state.words.join(", ")).or_default().push(who);
        for tally in state
            .tallies
            .iter()
            // What is complete somewhere is no obstacle.
            .filter(|it| !it.prepares && it.have < it.need)
        {
            let count = tally.have;
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
                "For ever, after the heal phase, {word} {}: {state}.",
                words::list(&who)
            )
        })
        .collect::<Vec<_>>();
    found.extend(tallies.into_iter().map(|(what, (count, need, who))| {
        format!("No replica ever has more than {count} of the {need} {what} that it takes ({who}).")
    }));
    found
}
