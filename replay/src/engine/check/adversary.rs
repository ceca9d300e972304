//! Executions with crashes and Byzantine replicas.

use super::{
    Bench, Checked, Missing, answer, decisions, demand, expected,
    group::Group,
    runs::{FIRST, all_states, lose_nothing, message, other, primaries, proposed, with_byzantine},
    start,
};
use crate::engine::said::{all, some};
use crate::{engine::nspcc::protocol, protocols::Name};
use crate::{
    engine::{Effect, Engine, EngineError, Start, State},
    signature::Signatures,
};
use milp_schema::{Height, Message, ReplicaId, View};

/// A vote of view 0 that binds, for its first proposal.
fn commit() -> Message {
    message(Name::Commit, Some(0))
}

fn binds(message: &Message) -> bool {
    message.kind.does().binds
}

pub(super) fn crashes(bench: &Bench) -> Checked {
    let (mut group, request, primary) = proposed(bench, &start(4, 2))?;
    let who = other(&group, &[primary])?;
    group.deliver(who, request)?;
    let effects = group.crash(who)?;
    let only_timers = |effect: &Effect| matches!(effect, Effect::Timer { .. });
    demand(
        effects.iter().all(only_timers) && group.place(who).timers.is_empty(),
        || {
            expected(
                "no effect but `timer`, and no timer left, of `crash`",
                all(&effects),
            )
        },
    )?;
    let state = group.engine.state(who)?;
    demand(state == State::Down(FIRST), || {
        expected(&format!("replica {who} down: up false"), &state)
    })?;
    let refused = group.engine.deliver(who, request);
    demand(matches!(refused, Err(EngineError::Refused { .. })), || {
        expected(
            "error -32002 of `deliver` to a replica that is down",
            answer(&refused),
        )
    })?;
    group.restart(who)?;
    let state = group.knows(who)?;
    demand(state.votes.is_empty(), || {
        expected(&format!("no votes at replica {who} after a crash"), &state)
    })?;
    group.timers_agree()?;
    let decided = |group: &Group| group.all_decided(FIRST);
    group.drive("a decision of height 0 by all", lose_nothing, decided)?;
    group.crash(who)?;
    group.restart(who)?;
    let state = group.knows(who)?;
    demand(state.height == Height(1), || {
        expected(
            &format!("replica {who} at height 1 after a restart, by its ledger"),
            &state,
        )
    })?;
    let all = |group: &Group| group.all_decided(Height(1));
    group.drive("a decision of height 1 by all", lose_nothing, all)?;
    group.crash(who)?;
    let state = group.engine.state(who)?;
    demand(state == State::Down(Height(2)), || {
        expected(
            &format!("replica {who} down at height 2: its ledger has two blocks"),
            &state,
        )
    })?;
    group.restart(who)?;
    let state = group.engine.state(who)?;
    demand(state == State::Stopped(Height(2)), || {
        expected(&format!("replica {who} stopped at height 2"), &state)
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
                    expected(
                        &format!("number 1 for the second proposal of replica {primary}"),
                        some(block),
                    )
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
        expected(&format!("states as before, {}", all(&before)), all(&after))
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
    let commit = group.inject(byzantine, &commit())?;
    group.deliver(backup, response)?;
    let lost = |to: ReplicaId, message: &Message| {
        to == late || message.kind == Name::RecoveryRequest || message.kind == Name::RecoveryMessage
    };
    let held = group.knows(backup)?.votes;
    demand(held.iter().all(|vote| vote.value.is_none()), || {
        expected(
            &format!("votes with value null at replica {backup}: nothing was proposed"),
            all(&held),
        )
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
        || {
            expected(
                "the response injected before among the votes for the proposal",
                &held,
            )
        },
    )?;
    for who in [primary, backup] {
        group.settle(lost)?;
        group.deliver(who, commit)?;
    }
    group.settle(lost)?;
    let decided = group.decided();
    demand(decided.iter().any(|(who, _)| *who == backup), || {
        expected(
            &format!("a decision at replica {backup}, with the commit injected before"),
            decisions(&decided),
        )
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
            expected(
                &format!("the request for block {block} among the votes of replica {who}"),
                &state,
            )
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
        let honest = sent.filter(|(by, message)| *by != byzantine && binds(message));
        honest.count()
    };
    group.drive(
        "a Commit of all honest replicas",
        |_, message| binds(message),
        |group| commits(group) == group.honest().len(),
    )?;
    let commit = group.inject(byzantine, &commit())?;
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
