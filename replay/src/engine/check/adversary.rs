//! Executions with crashes and Byzantine replicas.

use super::{
    Bench, Checked, Missing, demand,
    group::Group,
    runs::{FIRST, all_states, lose_nothing, message, other, primaries, proposed, with_byzantine},
    start,
};
use crate::{engine::nspcc::protocol, protocols::Name};
use crate::{
    engine::{Effect, Engine, EngineError, Start, State},
    signature::Signatures,
};
use milp_schema::{Height, Message, ReplicaId, View};

pub(super) fn crashes(bench: &Bench) -> Checked {
    let (mut group, request, primary) = proposed(bench, &start(4, 2))?;
    let who = other(&group, &[primary])?;
    group.deliver(who, request)?;
    let effects = group.crash(who)?;
    let only_timers = |effect: &Effect| matches!(effect, Effect::Timer { .. });
    demand(
        effects.iter().all(only_timers) && group.place(who).timers.is_empty(),
        || format!("a crash ends the timers, and nothing else happens: {effects:?}"),
    )?;
    let state = group.engine.state(who)?;
    demand(state == State::Down(FIRST), || {
        format!("replica {who} is down, its state is {state:?}")
    })?;
    let refused = group.engine.deliver(who, request);
    demand(matches!(refused, Err(EngineError::Refused { .. })), || {
        format!("a message is delivered to a replica that is down: {refused:?}")
    })?;
    group.restart(who)?;
    let state = group.knows(who)?;
    demand(state.votes.is_empty(), || {
        format!("replica {who} remembers across a crash: {state:?}")
    })?;
    group.timers_agree()?;
    let decided = |group: &Group| group.all_decided(FIRST);
    group.drive("a decision of height 0 by all", lose_nothing, decided)?;
    group.crash(who)?;
    group.restart(who)?;
    let state = group.knows(who)?;
    demand(state.height == Height(1), || {
        format!("replica {who} lost its ledger in a crash: {state:?}")
    })?;
    let all = |group: &Group| group.all_decided(Height(1));
    group.drive("a decision of height 1 by all", lose_nothing, all)?;
    group.crash(who)?;
    let state = group.engine.state(who)?;
    demand(state == State::Down(Height(2)), || {
        format!("replica {who} is down with two blocks: {state:?}")
    })?;
    group.restart(who)?;
    let state = group.engine.state(who)?;
    demand(state == State::Stopped(Height(2)), || {
        format!("replica {who} restarts with every height decided: {state:?}")
    })?;
    Ok(None)
}

pub(super) fn second_proposal(bench: &Bench) -> Checked {
    let (mut group, first, primary) = proposed(bench, &start(4, 1))?;
    group.crash(primary)?;
    group.restart(primary)?;
    for _ in 0..3 {
        match group.request_at(FIRST, View(0)) {
            Some((id, _)) if id != first => {
                let block = group.sent[&id].1.index();
                demand(block == Some(1), || {
                    format!("the second proposal of replica {primary} is number {block:?}")
                })?;
                return Ok(None);
            }
            _ => group.fire(primary)?,
        };
    }
    Ok(Some("this engine does not propose again".to_owned()))
}

pub(super) fn injections(bench: &Bench) -> Checked {
    let (start, byzantine, _) = with_byzantine(bench)?;
    let mut group = Group::begin(bench, &start)?;
    let before = all_states(&mut group)?;
    for (kind, block) in [
        (Name::PrepareResponse, Some(0)),
        (Name::PrepareResponse, Some(1)),
        (Name::Commit, Some(0)),
        (Name::Commit, Some(0)),
        (Name::ChangeView, None),
    ] {
        group.inject(byzantine, &message(kind, block))?;
    }
    let after = all_states(&mut group)?;
    demand(before == after, || {
        format!("states {before:?} became {after:?}")
    })?;
    Ok(None)
}

/// With a Byzantine replica's preparation and commit, made before anybody proposed, two of three
/// honest replicas suffice.
pub(super) fn named_early(bench: &Bench, signatures: Signatures) -> Checked {
    let (start, byzantine, [primary, _]) = with_byzantine(bench)?;
    let start = Start {
        signatures,
        ..start
    };
    let mut group = Group::begin(bench, &start)?;
    let backup = other(&group, &[primary])?;
    let late = other(&group, &[primary, backup])?;
    let response = message(Name::PrepareResponse, Some(0));
    let response = group.inject(byzantine, &response)?;
    let commit = group.inject(byzantine, &message(Name::Commit, Some(0)))?;
    group.deliver(backup, response)?;
    let lost = |to: ReplicaId, message: &Message| {
        to == late || message.kind == Name::RecoveryRequest || message.kind == Name::RecoveryMessage
    };
    let held = group.knows(backup)?.votes;
    demand(held.iter().all(|vote| vote.value.is_none()), || {
        format!("nothing was proposed, yet replica {backup} holds {held:?}")
    })?;
    group.proposer(FIRST, View(0))?;
    group.deliver(primary, response)?;
    let (request, _) = group
        .request_at(FIRST, View(0))
        .ok_or_else(|| Missing("nobody proposed".to_owned()))?;
    group.deliver(backup, request)?;
    let held = group.knows(backup)?;
    demand(
        held.holds(byzantine, Name::PrepareResponse.kind(protocol()), 0),
        || format!("the response injected before does not count for the proposal: {held:?}"),
    )?;
    for who in [primary, backup] {
        group.settle(lost)?;
        group.deliver(who, commit)?;
    }
    group.settle(lost)?;
    let decided = group.decided();
    demand(decided.iter().any(|(who, _)| *who == backup), || {
        format!("the commit injected before does not count: decided is {decided:?}")
    })?;
    Ok(None)
}

pub(super) fn equivocation(bench: &Bench) -> Checked {
    let (first, _) = primaries(bench)?;
    let start = Start {
        byzantine: vec![first],
        ..start(4, 1)
    };
    let mut group = Group::begin(bench, &start)?;
    let (honest, name) = (group.honest(), Name::PrepareRequest);
    for (&who, block) in honest.iter().zip([0, 1, 0]) {
        let request = message(name, Some(block));
        let id = group.inject(first, &request)?;
        group.deliver(who, id)?;
        let state = group.knows(who)?;
        demand(state.holds(first, name.kind(protocol()), block), || {
            format!("replica {who} was sent the request for block {block}: {state:?}")
        })?;
    }
    Ok(None)
}

/// Of four everybody honest commits and gets the commit of the Byzantine one besides: two commits,
/// and a quorum is three.
pub(super) fn too_few_commits(bench: &Bench) -> Checked {
    let (start, byzantine, _) = with_byzantine(bench)?;
    let mut group = Group::begin(bench, &start)?;
    let commits = |group: &Group| {
        let sent = group.sent.values();
        let honest = sent.filter(|(by, message)| *by != byzantine && message.kind == Name::Commit);
        honest.count()
    };
    group.drive(
        "a Commit of all honest replicas",
        |_, message| message.kind == Name::Commit,
        |group| commits(group) == group.honest().len(),
    )?;
    let commit = group.inject(byzantine, &message(Name::Commit, Some(0)))?;
    for who in group.honest() {
        group.deliver(who, commit)?;
    }
    let decided = group.decided();
    demand(decided.is_empty(), || {
        let who: Vec<String> = decided.iter().map(|(who, _)| who.to_string()).collect();
        let who = who.join(", ");
        format!("replicas {who} hold commits of two of four, and a block is decided")
    })?;
    Ok(None)
}
