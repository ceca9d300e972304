//! What a replica does as soon as it is in a view: before it takes anything there, and before a timer
//! fires; and what it does first when one does.

use super::classes::unclear;
use super::columns::{Group, Levels, group, made};
use super::way::{come_before, groups, makers};
use crate::{
    expr::Expr,
    ground::{Act, Need, Own, Record},
    group::Group as Purpose,
};
use milp_schema::protocol::{Mode, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// Whether whoever makes a record of a kind and view does so as soon as it is in that view: some act
/// needs nothing, and for the latest own record that bars it there is an act that needs that one.
pub(super) fn is_made_at_once(levels: &Levels, place: Group) -> bool {
    let acts = levels.groups.get(&place).into_iter().flatten();
    let acts: Vec<&Act> = acts.map(|&act| &levels.ground.acts[act]).collect();
    let simple = |act: &&Act| {
        let needs_own = |need: &Need| matches!(need, Need::Own(Own::One(_)));
        act.mode == Mode::Must
            && act.scope == Scope::View
            && act.who == acts[0].who
            && act.proofs.is_empty()
            && act.needs.len() <= 1
            && act.needs.iter().all(needs_own)
    };
    let bars = |act: &Act| -> BTreeSet<Record> {
        let all = act.bars.iter().flat_map(Own::matching);
        all.copied().collect()
    };
    let needs = |act: &Act, record: &Record| match &act.needs[..] {
        [Need::Own(own)] => own.matching().contains(record),
        _ => false,
    };
    let Some(first) = acts.iter().find(|it| it.needs.is_empty()) else {
        return false;
    };
    let first = bars(first);
    // What does not bar the act does not bar what could have been done instead.
    let comes = |act: &&Act| {
        let own = bars(act);
        let instead = |record: &Record| {
            let allowed =
                |it: &Record| own.contains(it) || (first.contains(it) && it.view > record.view);
            let mut others = acts.iter().filter(|it| needs(it, record));
            others.any(|it| bars(it).iter().all(allowed))
        };
        act.needs.is_empty() || first.difference(&own).all(instead)
    };
    acts.iter().all(simple) && acts.iter().all(comes)
}

/// What replica i does on firings in a view, by kind.
pub(super) fn firings(levels: &Levels, i: u32, view: u32) -> Vec<Expr> {
    let mut kinds: BTreeMap<Group, Expr> = BTreeMap::new();
    for (number, act) in levels.ground.acts.iter().enumerate() {
        if act.timer().is_some() && act.scope == Scope::View && act.letters.v == view {
            *kinds.entry(group(&made(act))).or_default() += levels.did(number, i);
        }
    }
    kinds.into_values().collect()
}

/// Of the acts of a timer the first of the file is done that can be: none of the others that make a
/// record of its kind if the own records that it needs were there, `Σ did + Σ own ≤ number + Σ bars`.
pub(super) fn first_rules(levels: &mut Levels) {
    let name = "firing_does_the_first_rule";
    let family = levels.draft.family(name, "E55", &[], Purpose::PROMPT);
    for (number, act) in levels.ground.acts.clone().into_iter().enumerate() {
        let clear = unclear(levels, &act).is_some_and(|it| it.is_constant());
        if act.timer().is_none() || !act.proofs.is_empty() || act.scope == Scope::Height || !clear {
            continue;
        }
        for (way, records) in ways(&act).into_iter().enumerate() {
            let others = levels.groups[&group(&made(&act))].iter().copied();
            let others = others.filter(|&it| is_done_instead(levels, (&act, &records), it));
            let others: Vec<usize> = others.collect();
            for i in levels
                .ground
                .actors(&act)
                .filter(|_| !others.is_empty())
                .collect::<Vec<_>>()
            {
                let instead: Expr = others.iter().map(|&it| levels.did(it, i)).sum();
                let own = records.iter().map(|it| levels.makes(i, it));
                let left = own.sum::<Expr>() + instead;
                let bars = act.bars.iter().flat_map(Own::matching);
                let bars = bars.filter(|it| it.view <= act.letters.v);
                let right = levels.makes(i, bars) + records.len() as i64;
                levels.at_most(family, &format!("_i{i}_a{number}_{way}"), left, right);
            }
        }
    }
}

/// The ways in which own records, of a kind and view each, meet what a timer's act needs of them.
fn ways(act: &Act) -> Vec<Vec<Vec<Record>>> {
    let mut ways = vec![Vec::new()];
    for need in &act.needs {
        if let Need::Own(Own::One(records)) = need {
            let groups = groups(records).into_values();
            let groups: Vec<Vec<Record>> =
                groups.map(|it| it.into_iter().copied().collect()).collect();
            let with = |way: &Vec<Vec<Record>>| -> Vec<Vec<Vec<Record>>> {
                let add = |it: &Vec<Record>| [way.clone(), vec![it.clone()]].concat();
                groups.iter().map(add).collect()
            };
            ways = ways.iter().flat_map(with).collect();
        }
    }
    ways
}

/// Whether an act is done on a firing only if another cannot: that one comes first by the rules, and
/// needs nothing but what this one needs and own records that were there.
fn is_done_instead(
    levels: &Levels,
    (first, records): (&Act, &[Vec<Record>]),
    number: usize,
) -> bool {
    let act = &levels.ground.acts[number];
    let view = first.letters.v;
    let other = first
        .letters
        .x
        .is_some_and(|x| levels.ground.setting.is_others(x));
    let same = first.rule == act.rule && first.letters.x == act.letters.x && !other;
    let before = first.rule < act.rule || (same && first.letters.c > act.letters.c);
    let own = |need: &Need| matches!(need, Need::Own(Own::One(_))) || act.needs.contains(need);
    let bars = |maker: usize| {
        let mut bars = levels.ground.acts[maker].bars.iter();
        bars.any(|bar| matches!(bar, Own::One(records) if records.contains(&made(act))))
    };
    let there = |records: &Vec<Record>| {
        come_before(levels, view, records) || makers(levels, records).into_iter().all(bars)
    };
    act.timer() == first.timer()
        && act.scope == Scope::View
        && before
        && first.needs.iter().all(own)
        && records.iter().all(there)
}
