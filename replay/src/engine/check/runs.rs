//! Executions.

use super::{Bench, Check, Checked, Missing, adversary, demand, group::Group, recovery, start};
use crate::{engine::nspcc::protocol, protocols::Name};
use crate::{
    engine::{Bond, Effect, Engine, MessageId, Recovery, SECOND, Start, State, Working},
    signature::Signatures,
};
use milp_schema::{Height, Message, ReplicaId, View};
use std::collections::BTreeSet;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "at the start timers run and nobody has proposed",
        page: "Methods",
        run: beginning,
    },
    Check {
        name: "n = 4 decides two heights without faults and stops",
        page: "Methods",
        run: |bench| two_heights(bench, 4),
    },
    Check {
        name: "n = 7 decides two heights without faults and stops",
        page: "Methods",
        run: |bench| two_heights(bench, 7),
    },
    Check {
        name: "states tell what was proposed, held and sent",
        page: "State",
        run: states,
    },
    Check {
        name: "a vote that binds its sender is a vote and a bond of it",
        page: "State",
        run: bonds,
    },
    Check {
        name: "a duplicate is legal and changes nothing",
        page: "Methods",
        run: duplicates,
    },
    Check {
        name: "timers fire when told and not by themselves, stale ones do nothing",
        page: "Methods",
        run: timers,
    },
    Check {
        name: "a crash loses everything but the ledger",
        page: "Methods",
        run: adversary::crashes,
    },
    Check {
        name: "a primary that restarts and proposes again makes block 1",
        page: "Numbers and names",
        run: adversary::second_proposal,
    },
    Check {
        name: "an injection changes no replica",
        page: "Methods",
        run: adversary::injections,
    },
    Check {
        name: "what is injected before a proposal names it (symbolic)",
        page: "Methods",
        run: |bench| adversary::named_early(bench, Signatures::Symbolic),
    },
    Check {
        name: "what is injected before a proposal names it (p256)",
        page: "Methods",
        run: |bench| adversary::named_early(bench, Signatures::P256),
    },
    Check {
        name: "a Byzantine primary tells different replicas different things",
        page: "Methods",
        run: adversary::equivocation,
    },
    Check {
        name: "f + 1 commits decide nothing",
        page: "Methods",
        run: adversary::too_few_commits,
    },
    Check {
        name: "a view change leads to another primary and a decision",
        page: "Effects",
        run: recovery::view_change,
    },
    Check {
        name: "a Block decides its height, one of another height nothing",
        page: "Methods",
        run: recovery::blocks,
    },
    Check {
        name: "a RecoveryRequest of a later view and recovery of a later height may come early",
        page: "Early messages",
        run: recovery::early,
    },
    Check {
        name: "recovery `ideal`: what is carried is what was sent",
        page: "Methods",
        run: |bench| recovery::carried(bench, Recovery::Ideal),
    },
    Check {
        name: "recovery `neo-go`: what is carried is what was sent, with commits relabelled",
        page: "Methods",
        run: |bench| recovery::carried(bench, Recovery::NeoGo),
    },
    Check {
        name: "two runs with the same requests give the same bytes, whatever the time",
        page: "Transport",
        run: recovery::same_bytes,
    },
];

pub(super) const FIRST: Height = Height(0);

pub(super) fn lose_nothing(_: ReplicaId, _: &Message) -> bool {
    false
}

/// A message of view 0 at the first height.
pub(super) fn message(name: Name, block: Option<u32>) -> Message {
    Message::new(name.kind(protocol()), FIRST, View(0), block)
}

/// Who proposes first in a group of four, and who does after that one is gone.
pub(super) fn primaries(bench: &Bench) -> Result<(ReplicaId, ReplicaId), Missing> {
    let first = Group::begin(bench, &start(4, 1))?.proposer(FIRST, View(0))?;
    let mut without = Group::begin(bench, &start(4, 1))?;
    without.crash(first)?;
    Ok((first, without.proposer(FIRST, View(1))?))
}

/// A group of four with a Byzantine replica that is primary of neither view 0 nor view 1, and who
/// these are.
pub(super) fn with_byzantine(bench: &Bench) -> Result<(Start, ReplicaId, [ReplicaId; 2]), Missing> {
    let (first, second) = primaries(bench)?;
    let mut others = ReplicaId::all(4).filter(|&id| id != first && id != second);
    let byzantine = others
        .next()
        .ok_or_else(|| Missing("four replicas are not enough".to_owned()))?;
    let start = Start {
        byzantine: vec![byzantine],
        ..start(4, 1)
    };
    Ok((start, byzantine, [first, second]))
}

fn beginning(bench: &Bench) -> Checked {
    let start = Start {
        byzantine: vec![ReplicaId(2)],
        ..start(4, 1)
    };
    let mut group = Group::begin(bench, &start)?;
    let others = group
        .log
        .iter()
        .find(|effect| !matches!(effect, Effect::Timer { .. }));
    demand(others.is_none(), || {
        format!("`initialise` does more than start timers: {others:?}")
    })?;
    for who in group.honest() {
        let state = group.knows(who)?;
        demand(!group.place(who).timers.is_empty(), || {
            format!("no timer of replica {who} is reported")
        })?;
        demand(
            (state.height, state.view) == (FIRST, View(0)) && state.votes.is_empty(),
            || format!("replica {who} does not begin at height 0, view 0 with nothing: {state:?}"),
        )?;
    }
    group.timers_agree()?;
    let first = group.proposer(FIRST, View(0))?;
    Ok(Some(format!("replica {first} proposes first")))
}

fn two_heights(bench: &Bench, n: u32) -> Checked {
    let start = Start {
        signatures: Signatures::P256,
        ..start(n, 2)
    };
    let mut group = Group::begin(bench, &start)?;
    for height in Height::all(2) {
        let what = format!("a decision of height {height} by all");
        group.drive(&what, lose_nothing, |group| group.all_decided(height))?;
        if height == FIRST {
            group.timers_agree()?;
        }
    }
    for height in Height::all(2) {
        let decided = group.decided();
        let here = decided.iter().filter(|(_, block)| block.height == height);
        let (who, blocks): (Vec<_>, BTreeSet<_>) = here.copied().unzip();
        demand(who.len() == n as usize && blocks.len() == 1, || {
            format!("height {height}: replicas {who:?} decide {blocks:?}")
        })?;
    }
    for who in group.honest() {
        let state = group.engine.state(who)?;
        demand(state == State::Stopped(Height(2)), || {
            format!("replica {who} decided every height, its state is {state:?}")
        })?;
        demand(group.place(who).timers.is_empty(), || {
            format!("replica {who} has stopped, but its timers were not reported to end")
        })?;
        let place = (Height(1), View(0));
        let stale = group.engine.timeout(who, start.protocol.timer(), place)?;
        demand(stale.is_empty(), || {
            format!("replica {who} has stopped and does something: {stale:?}")
        })?;
    }
    Ok(None)
}

/// A group of four in which the first request was sent, with its number and sender.
pub(super) fn proposed(
    bench: &Bench,
    start: &Start,
) -> Result<(Group, MessageId, ReplicaId), Missing> {
    let mut group = Group::begin(bench, start)?;
    group.proposer(FIRST, View(0))?;
    let (id, by) = group
        .request_at(FIRST, View(0))
        .ok_or_else(|| Missing("nobody proposed".to_owned()))?;
    Ok((group, id, by))
}

fn states(bench: &Bench) -> Checked {
    let (mut group, request, primary) = proposed(bench, &start(4, 1))?;
    let own = group.knows(primary)?;
    let [request_of, response_of] =
        [Name::PrepareRequest, Name::PrepareResponse].map(|name| name.kind(protocol()));
    let first = |state: &Working| state.holds(primary, request_of, 0);
    demand(first(&own), || {
        format!("the primary holds its own request: {own:?}")
    })?;
    let backup = other(&group, &[primary])?;
    let effects = group.deliver(backup, request)?;
    let state = group.knows(backup)?;
    let answered = effects.iter().any(
        |effect| matches!(effect, Effect::Send { message, .. } if message.kind == Name::PrepareResponse),
    );
    demand(first(&state), || {
        format!("replica {backup} accepted the request: {state:?}")
    })?;
    demand(state.holds(backup, response_of, 0) == answered, || {
        format!("replica {backup} answered: {answered}, but its state is {state:?}")
    })?;
    let mut heard: Vec<Option<View>> = vec![None; 4];
    for who in [primary, backup] {
        heard[who.index()] = Some(View(0));
    }
    demand(state.seen.is_empty() || state.seen == heard, || {
        format!("replica {backup} heard replica {primary} in view 0: {state:?}")
    })?;
    Ok(None)
}

/// Everybody votes as far as a vote that binds, and nobody gets such a vote of another.
fn bonds(bench: &Bench) -> Checked {
    let start = start(4, 1);
    let words = start.protocol.kinds.iter().filter(|words| words.does.binds);
    let binding: Vec<&str> = words.map(|words| words.kind.as_str()).collect();
    let binds = |message: &Message| binding.contains(&message.kind.name());
    let (mut group, ..) = proposed(bench, &start)?;
    group.drive(
        "a vote that binds by all",
        |_, message| binds(message),
        |group| {
            group
                .sent
                .values()
                .filter(|(_, message)| binds(message))
                .count()
                == 4
        },
    )?;
    for who in group.honest() {
        let state = group.knows(who)?;
        let votes = state.votes.iter().filter(|vote| vote.author == who);
        let own = votes.filter(|vote| binding.contains(&vote.kind.name()));
        let own: Vec<Bond> = own.cloned().map(Bond::from).collect();
        let sent = group
            .sent
            .values()
            .filter(|(by, message)| *by == who && binds(message));
        let said = sent.map(|(_, message)| (message.kind, message.view, message.value));
        let known = own.iter().map(|bond| (bond.kind, bond.view, bond.value));
        demand(said.eq(known) && own == state.bonds, || {
            format!("replica {who} sent a vote that binds it: {state:?}")
        })?;
    }
    Ok(None)
}

/// The first honest replica that is none of these.
pub(super) fn other(group: &Group, not: &[ReplicaId]) -> Result<ReplicaId, Missing> {
    let mut honest = group.honest().into_iter();
    honest
        .find(|who| !not.contains(who))
        .ok_or_else(|| Missing("too few honest replicas".to_owned()))
}

fn duplicates(bench: &Bench) -> Checked {
    let (mut group, _, _) = proposed(bench, &start(4, 1))?;
    let mut seen = 0;
    let mut next = 0;
    while let Some((id, (by, message))) = group.sent.iter().nth(next) {
        let (id, by, message) = (*id, *by, message.clone());
        next += 1;
        if message.kind == Name::Block {
            continue;
        }
        for to in group.honest().into_iter().filter(|&to| to != by) {
            group.deliver(to, id)?;
            let before = group.engine.state(to)?;
            let again = group.deliver(to, id)?;
            demand(
                again.is_empty() && group.engine.state(to)? == before,
                || format!("a second {message} at replica {to} does {again:?}"),
            )?;
            seen += 1;
        }
    }
    demand(seen >= 3, || "too little was sent to try".to_owned())?;
    Ok(Some(format!("{seen} tried")))
}

fn timers(bench: &Bench) -> Checked {
    let mut group = Group::begin(bench, &start(4, 1))?;
    let honest = group.honest();
    // Long after every deadline the timers still wait for being told.
    group.advance(1_000 * SECOND)?;
    group.timers_agree()?;
    for &who in &honest {
        for (height, view) in [(0, 5), (0, 1_000)] {
            let place = (Height(height), View(view));
            let effects = group
                .engine
                .timeout(who, group.start.protocol.timer(), place)?;
            demand(effects.is_empty(), || {
                format!("replica {who} is not in view {view}, its timer there does {effects:?}")
            })?;
        }
    }
    let mut did = 0;
    for &who in &honest {
        did += usize::from(!group.fire(who)?.is_empty());
    }
    demand(did > 0, || "no timer does anything".to_owned())?;
    group.timers_agree()?;
    Ok(None)
}

pub(super) fn all_states(group: &mut Group) -> Result<Vec<State>, Missing> {
    let honest = group.honest().into_iter();
    let states = honest.map(|who| Ok(group.engine.state(who)?));
    states.collect()
}
