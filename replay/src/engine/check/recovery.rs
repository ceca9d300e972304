//! Executions in which replicas fall behind and catch up.

use super::{
    Bench, Checked, Missing, demand, expected,
    group::Group,
    runs::{FIRST, all_states, lose_nothing, message, other, primaries, with_byzantine},
    start,
};
use crate::engine::said::all;
use crate::protocols::Name;
use crate::{
    engine::{Effect, Engine, Recovery, Start, State},
    signature::Signatures,
};
use milp_schema::{Height, Message, ReplicaId, View};
use std::{collections::BTreeSet, thread, time::Duration};

pub(super) fn view_change(bench: &Bench) -> Checked {
    let (first, second) = primaries(bench)?;
    demand(first != second, || {
        format!("replica {first} is the primary of views 0 and 1")
    })?;
    let mut group = Group::begin(bench, &start(4, 1))?;
    group.crash(first)?;
    let decided = |group: &Group| group.all_decided(FIRST);
    group.drive("a decision by all that are up", lose_nothing, decided)?;
    let entered = |who: ReplicaId| {
        group
            .log
            .iter()
            .any(|effect| matches!(effect, Effect::EnterView { replica, .. } if *replica == who))
    };
    let blocks = group.decided();
    for (who, block) in &blocks {
        demand(block.view > View(0) && entered(*who), || {
            format!("replica {who} decides {block} without a primary in view 0")
        })?;
    }
    let asked = group
        .sent
        .values()
        .any(|(_, message)| message.kind == Name::ChangeView);
    demand(asked, || "no ChangeView was sent".to_owned())?;
    let views: BTreeSet<View> = blocks.iter().map(|(_, block)| block.view).collect();
    let views: Vec<String> = views.iter().map(View::to_string).collect();
    Ok(Some(format!(
        "replica {first}, then replica {second}; decided in view {}",
        views.join(", ")
    )))
}

pub(super) fn blocks(bench: &Bench) -> Checked {
    let mut group = Group::begin(bench, &start(4, 2))?;
    let first = Group::begin(bench, &start(4, 2))?.proposer(FIRST, View(0))?;
    let late = other(&group, &[first])?;
    let lost = |to: ReplicaId, _: &Message| to == late;
    for height in Height::all(2) {
        let others = |group: &Group| {
            let others = group.honest().into_iter().filter(|&who| who != late);
            others
                .into_iter()
                .all(|who| group.place(who).height > height)
        };
        group.drive(
            &format!("a decision of height {height} by three"),
            lost,
            others,
        )?;
    }
    let block = |group: &Group, height: u32| {
        let mut sent = group.sent.iter();
        let found = sent.find(|(_, (_, message))| {
            message.kind == Name::Block && message.height == Height(height)
        });
        found
            .map(|(id, _)| *id)
            .ok_or_else(|| Missing(format!("no Block of height {height} was sent")))
    };
    let (now, next) = (block(&group, 0)?, block(&group, 1)?);
    let early = group.deliver(late, next)?;
    demand(early.is_empty(), || {
        expected(
            &format!("no effects of the Block of height 1 at replica {late}, which is at height 0"),
            all(&early),
        )
    })?;
    let effects = group.deliver(late, now)?;
    let decides = matches!(effects.first(), Some(Effect::Decide { .. }));
    demand(decides && group.place(late).height == Height(1), || {
        expected(
            &format!("a decision of replica {late}, at which the Block of its height arrived"),
            all(&effects),
        )
    })?;
    let again = group.deliver(late, now)?;
    demand(again.is_empty(), || {
        expected(
            &format!("no effects of the Block of height 0 at replica {late}, which has it"),
            all(&again),
        )
    })?;
    group.deliver(late, next)?;
    let state = group.engine.state(late)?;
    demand(state == State::Stopped(Height(2)), || {
        expected(
            &format!("replica {late} stopped: it has every block"),
            &state,
        )
    })?;
    Ok(None)
}

pub(super) fn early(bench: &Bench) -> Checked {
    let (first, second) = primaries(bench)?;
    // Three go on, to a later view or a later height, while one stays behind.
    let later_view: fn(&Message) -> bool =
        |message| message.kind == Name::RecoveryRequest && message.view > View(0);
    let later_height: fn(&Message) -> bool = |message| {
        let recovers = matches!(
            Name::of(message.kind),
            Some(Name::RecoveryRequest | Name::RecoveryMessage)
        );
        recovers && message.height > FIRST
    };
    let mut tried = 0;
    for (height, wanted) in [(FIRST, later_view), (FIRST.next(), later_height)] {
        let mut group = Group::begin(bench, &start(4, 2))?;
        let late = other(&group, &[first, second])?;
        let lost = |to: ReplicaId, message: &Message| {
            // Who hears of others in its view asks to leave it rather than for recovery.
            let about = matches!(
                Name::of(message.kind),
                Some(Name::PrepareRequest | Name::RecoveryMessage)
            );
            to == late || about && message.height == height
        };
        let found = |group: &Group| {
            let mut sent = group.sent.iter();
            let found = sent.find(|(_, (by, message))| *by != late && wanted(message));
            found.map(|(id, _)| *id)
        };
        // An engine without recovery never gets there.
        let _ = group.drive("recovery", lost, |group| found(group).is_some());
        let Some(id) = found(&group) else { continue };
        group.deliver(late, id)?;
        group.timers_agree()?;
        let place = group.place(late);
        demand((place.height, place.view) == (FIRST, View(0)), || {
            expected(
                &format!("replica {late} at height 0, view 0: it received nothing else"),
                place,
            )
        })?;
        tried += 1;
    }
    Ok((tried < 2).then(|| format!("not tried: {} of 2, this engine sends none", 2 - tried)))
}

/// A committed replica repeats what it holds: among it a commit and a change view of view 0 by a
/// Byzantine replica.
pub(super) fn carried(bench: &Bench, recovery: Recovery) -> Checked {
    let (start, byzantine, _) = with_byzantine(bench)?;
    let mut group = Group::begin(bench, &Start { recovery, ..start })?;
    let commit = message(Name::Commit, Some(0));
    let wish = message(Name::ChangeView, None);
    group.inject_for_all(byzantine, &commit)?;
    group.inject_for_all(byzantine, &wish)?;
    // View 0 has no request; in view 1 commits do not arrive, so that nobody decides.
    let lost = |_: ReplicaId, message: &Message| {
        message.kind == Name::PrepareRequest && message.view == View(0)
            || message.kind == Name::Commit && message.view > View(0)
            || message.kind == Name::RecoveryMessage
    };
    let repeats = |effect: &Effect| match effect {
        Effect::Send {
            message, carried, ..
        } if message.kind == Name::RecoveryMessage => {
            let both = carried.iter().filter(|(by, _)| *by == byzantine);
            let names = both.filter_map(|(_, message)| Name::of(message.kind));
            let names = names.collect::<BTreeSet<_>>();
            let whole = names.contains(&Name::Commit) && names.contains(&Name::ChangeView);
            whole.then(|| (message.view, carried.clone()))
        }
        _ => None,
    };
    let seen = |group: &Group| group.log.iter().find_map(repeats);
    // That it never happens is judged below.
    let _ = group.drive("recovery", lost, |group| seen(group).is_some());
    let Some((view, carried)) = seen(&group) else {
        let sent = group.sent.values();
        let answers = sent.filter(|(_, message)| message.kind == Name::RecoveryMessage);
        let count = answers.count();
        demand(count == 0, || {
            format!(
                "{count} were sent by replicas that hold commits and led by change views, none carries both"
            )
        })?;
        return Ok(Some(
            "not tried: this engine sends no RecoveryMessage".to_owned(),
        ));
    };
    let expected = |original: &Message| match recovery {
        Recovery::NeoGo if original.kind == Name::Commit => Message {
            view,
            ..original.clone()
        },
        _ => original.clone(),
    };
    let possible = group
        .sent
        .values()
        .map(|(by, original)| (*by, expected(original)));
    let possible = possible.collect::<BTreeSet<_>>();
    match carried.iter().find(|one| !possible.contains(one)) {
        Some((by, message)) => Err(Missing(format!(
            "a RecoveryMessage of view {view} carries {message} by replica {by}"
        ))),
        None => Ok(Some(format!("{} carried", carried.len()))),
    }
}

pub(super) fn same_bytes(bench: &Bench) -> Checked {
    let (start, byzantine, [first, _]) = with_byzantine(bench)?;
    let start = Start {
        heights: 2,
        signatures: Signatures::P256,
        ..start
    };
    let mut runs = Vec::new();
    for pause in [0, 100] {
        let mut group = Group::begin(bench, &start)?;
        thread::sleep(Duration::from_millis(pause));
        group.inject_for_all(byzantine, &message(Name::Commit, Some(0)))?;
        group.crash(first)?;
        let decided = |group: &Group| group.all_decided(FIRST);
        // Two of four and a Byzantine replica decide nothing; the crashed one has to come back.
        let _ = group.drive("sixty effects", lose_nothing, |group| group.log.len() > 60);
        group.restart(first)?;
        group.drive("a decision by all", lose_nothing, decided)?;
        all_states(&mut group)?;
        runs.push(group.engine.caller().answers().to_vec());
    }
    let (one, two) = (&runs[0], &runs[1]);
    let differs = one.iter().zip(two).find(|(one, two)| one != two);
    demand(
        differs.is_none() && one.len() == two.len(),
        || match differs {
            Some((one, two)) => format!("`{one}` in one run is `{two}` in the other"),
            None => "one run is longer".to_owned(),
        },
    )?;
    Ok(Some(format!("{} answers", one.len())))
}
