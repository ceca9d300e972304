//! Final states: everything under way has arrived, and nothing can be done any more, whichever
//! timers fire.
//!
//! Of an act and a live honest replica that ends in its view, once for each: *what it needs is there
//! ⇒ it is done, or its place is taken, or it is barred, or the replica has decided*:
//! `in the view + Σ truths − number ≤ Σ did + Σ bars + Σ decided + crashed`.

use super::carried::carriers;
use super::columns::{Key, Levels, group};
use super::families::{from_primary, kind_name};
use crate::{
    error::Error,
    expr::Expr,
    formulation::refuse::unsupported,
    ground::{Act, Ground, Need, Own, Record},
    group::Group,
    left_out::may_stay,
    program::FamilyId,
};
use milp_schema::{
    instance::FaultKind,
    protocol::{Rules, Scope},
    vocabulary::Passed,
};
use std::collections::BTreeSet;

pub(super) fn state(levels: &mut Levels) {
    let acts: Vec<Act> = levels.ground.acts.clone();
    let entries: Vec<Act> = levels.ground.entries.clone();
    truths(levels, |_, _| true);
    proposals(levels);
    for act in acts.iter().chain(&entries) {
        if is_lost(&levels.ground, act) {
            continue;
        }
        for i in levels.ground.actors(act).collect::<Vec<_>>() {
            nothing_left(levels, act, i);
        }
    }
}

/// Refuses protocols whose views never end, so that only decisions bring replicas to rest.
pub(super) fn refuse(rules: &Rules) -> Result<(), Error> {
    if may_stay(rules) {
        return Ok(());
    }
    unsupported(
        "levels",
        "goal `stall` of a protocol whose views never end",
        "ask for another goal: nobody is at rest there who has not decided",
    )
}

/// Whether some of what the act reads may have come too late for its replica, which ignored it.
pub(crate) fn is_lost(ground: &Ground, act: &Act) -> bool {
    let view = act.letters.v - u32::from(act.makes.is_none());
    let rules = &ground.setting.rules;
    let late =
        |record: &Record| record.view < view && rules.kind(record.kind).passed == Passed::Ignore;
    act.needs
        .iter()
        .any(|need| need.taken(ground).iter().any(late))
}

/// `enough`: honest senders reach the count, or somebody had the quorum, who then shares it if that
/// is so: `Σ power · sends ≤ q − 1 + (n − q + 1) · enough`, `complete ≤ enough`, and whoever has more.
pub(super) fn truths(levels: &mut Levels, shared: impl Fn(&Levels, usize) -> bool) {
    let family = levels
        .draft
        .family("final_state_knows_quorum", "E19", &[], Group::DELIVERY);
    let all: Vec<usize> = (0..levels.ground.quorums.len()).collect();
    let asked: Vec<usize> = all
        .into_iter()
        .filter(|it| levels.draft.col(&Key::Complete(*it)).is_some())
        .collect();
    for &number in &asked {
        let name = format!("enough_m{number}");
        levels.draft.add(Key::Enough(number), name, 1);
    }
    for &number in &asked {
        let quorum = levels.ground.quorums[number].clone();
        let enough: Expr = levels.draft.get(&Key::Enough(number));
        let sent: Expr = (0..levels.n)
            .map(|j| levels.sends(number, j) * levels.power(j))
            .sum();
        for j in 0..levels.n {
            let Some(sends) = levels.draft.col(&Key::Sends(number, j)) else {
                continue;
            };
            for (at, records) in super::way::groups(&quorum.records)
                .into_values()
                .enumerate()
            {
                let made = levels.makes(j, records);
                levels.at_most(family, &format!("_m{number}_i{j}_{at}"), made, sends.into());
            }
        }
        let (total, least) = (levels.ground.setting.total(), quorum.at_least);
        let short = i64::from(least) - 1;
        let rest = i64::from(total) - short;
        let label = format!("_m{number}");
        levels.at_most(family, &label, sent, enough.clone() * rest + short);
        if shared(levels, number) {
            used(levels, family, number, &enough);
        }
        for &other in &asked {
            let few = &levels.ground.quorums[other];
            let within = few
                .records
                .iter()
                .all(|it| quorum.records.binary_search(it).is_ok());
            if other != number && within && few.at_least >= quorum.at_least {
                let more = levels.draft.get(&Key::Enough(other));
                levels.at_most(family, &format!("{label}_m{other}"), more, enough.clone());
            }
        }
    }
}

/// What anybody took is there for all: `complete ≤ enough`, where it travels with messages `did ≤
/// enough` of those who take it.
fn used(levels: &mut Levels, family: FamilyId, number: usize, enough: &Expr) {
    let label = format!("_m{number}_used");
    let asks = Need::Quorum(number);
    let acts = levels.ground.acts.iter().chain(&levels.ground.entries);
    let mut proofs = acts.flat_map(|act| &act.proofs);
    if !proofs.any(|it| it.of == asks) {
        levels.at_most(family, &label, levels.complete(number), enough.clone());
        return;
    }
    let takes = |act: &Act| act.needs.contains(&asks);
    let mut steps = Vec::new();
    for (act, it) in levels
        .ground
        .acts
        .iter()
        .enumerate()
        .filter(|it| takes(it.1))
    {
        steps.extend(levels.ground.actors(it).map(|i| levels.did(act, i)));
    }
    for (way, it) in levels
        .ground
        .entries
        .iter()
        .enumerate()
        .filter(|it| takes(it.1))
    {
        steps.extend(levels.ground.actors(it).map(|i| levels.way(way, i)));
    }
    steps.retain(|it: &Expr| it.terms().next().is_some());
    for (at, step) in steps.into_iter().enumerate() {
        levels.at_most(family, &format!("{label}_{at}"), step, enough.clone());
    }
}

/// The truth of a need of replica i in the end, at least; of a list of ways one each.
fn truth(levels: &Levels, need: &Need, i: u32, act: &Act) -> Vec<Expr> {
    let made_by = |records: &[Record]| -> Vec<Expr> {
        let groups = super::way::groups(records).into_values();
        groups.map(|records| levels.makes(i, records)).collect()
    };
    match need {
        Need::Own(Own::One(records)) => made_by(records),
        Need::Own(Own::Last(matching, rest)) => {
            super::shown::last(levels, i, act.letters.v, matching, rest)
        }
        Need::Primary(records) => {
            // What an honest primary sent has arrived; what a Byzantine one showed to anybody, all have.
            let mut ways: Vec<Expr> = records.iter().map(|it| levels.shown(it)).collect();
            ways.retain(|way| way.terms().next().is_some());
            ways
        }
        Need::Quorum(number) => vec![levels.draft.get(&Key::Enough(*number))],
    }
}

/// The rows of one act and replica.
fn nothing_left(levels: &mut Levels, act: &Act, i: u32) {
    let view = act.letters.v - u32::from(act.makes.is_none());
    let mut ways = vec![Vec::new()];
    for need in &act.needs {
        let truths = truth(levels, need, i, act);
        let both = |so_far: &Vec<Expr>| -> Vec<Vec<Expr>> {
            let more = |truth: &Expr| so_far.iter().cloned().chain([truth.clone()]).collect();
            truths.iter().map(more).collect()
        };
        ways = ways.iter().flat_map(both).collect();
    }
    for proof in &act.proofs {
        // What travels with a message of a Byzantine primary may be too little for ever.
        let carriers = carriers(levels, proof);
        let sent = carriers.filter(|(_, acts)| !acts.is_empty());
        let sent = sent.map(|(primary, acts)| -> Expr {
            acts.into_iter().map(|it| levels.did(it, primary)).sum()
        });
        let both = |way: Vec<Expr>| sent.clone().map(|sent| [way, vec![sent]].concat());
        ways = ways.into_iter().filter_map(both).collect();
    }
    let next = |v: u32| {
        if v < levels.views {
            levels.here(i, v)
        } else {
            Expr::default()
        }
    };
    let there = match act.scope {
        Scope::View => levels.here(i, view) - next(view + 1),
        Scope::Height => 1 - levels.byzantine(i),
    };
    let place = act
        .makes
        .and_then(|record| levels.groups.get(&group(&record)));
    let taken: BTreeSet<usize> = place
        .into_iter()
        .flatten()
        .chain(&levels.finals)
        .copied()
        .collect();
    let mut excused: Expr = taken.into_iter().map(|number| levels.did(number, i)).sum();
    let bars = act.bars.iter().flat_map(Own::matching);
    excused +=
        levels.makes(i, bars.filter(|it| it.view <= view)) + levels.faulty(FaultKind::Crash, i);
    let name = format!("final_state_has_no_enabled_{}", kind_name(levels, act));
    let family = levels.draft.family(&name, "E19", &[], Group::PROMPT);
    for (number, way) in ways.into_iter().enumerate() {
        let count = way.len() as i64;
        let left = there.clone() + way.into_iter().sum::<Expr>() + -count;
        let (v, rule) = (act.letters.v, act.rule);
        let x = act.letters.x.map_or(String::new(), |x| format!("_x{x}"));
        let label = format!(
            "_i{i}_v{v}_r{rule}{x}_{number}_c{:?}{:?}",
            act.letters.c, act.letters.d
        );
        let label: String = label
            .chars()
            .filter(|it| it.is_alphanumeric() || *it == '_')
            .collect();
        levels.at_most(family, &label, left, excused.clone());
    }
}

/// That somebody used a proposal, or an honest primary sent it: `did ≤ shown`.
pub(super) fn proposals(levels: &mut Levels) {
    let family = levels
        .draft
        .family("final_state_knows_proposal", "E19", &[], Group::DELIVERY);
    let acts: Vec<Act> = levels.ground.acts.clone();
    let mut records: Vec<Record> = acts
        .iter()
        .flat_map(|act| &act.needs)
        .filter_map(|need| match need {
            Need::Primary(records) => Some(records.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    records.sort_unstable();
    records.dedup();
    for record in &records {
        let primary = levels.ground.setting.primaries[record.view as usize];
        let name = format!("shown_{}", levels.words(record, primary));
        let shown: Expr = levels
            .draft
            .add(Key::Shown(*record), name.clone(), 1)
            .into();
        let sent = levels.makes(primary, [record]);
        levels.at_most(family, &format!("_{name}"), sent, shown.clone());
        let could = from_primary(levels, std::slice::from_ref(record));
        levels.at_most(family, &format!("_{name}_made"), shown, could);
    }
    for (number, act) in acts.iter().enumerate() {
        for (at, need) in act.needs.iter().enumerate() {
            let Need::Primary(records) = need else {
                continue;
            };
            let shown: Expr = records.iter().map(|it| levels.shown(it)).sum();
            for i in levels.ground.actors(act).collect::<Vec<_>>() {
                let label = format!("_a{number}_i{i}_n{at}");
                levels.at_most(family, &label, levels.did(number, i), shown.clone());
            }
        }
    }
}
