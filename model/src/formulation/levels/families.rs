//! What an execution is, as rows.

use super::columns::{Key, Levels, group, made};
use crate::{
    draft::Purpose,
    expr::Expr,
    ground::{Act, Need, Own, Record, Values},
    group::Group,
    program::FamilyId,
};
use milp_schema::{
    instance::{FaultKind, Who},
    protocol::{Head, Mode, Scope, ValueField},
    vocabulary::By,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn state(levels: &mut Levels) {
    faults(levels);
    once(levels);
    before(levels);
    made_with_its_quorum(levels);
    entries(levels);
    quorums(levels);
    acts(levels);
    new_values(levels);
}

fn family(levels: &mut Levels, name: &str, line: &str, purpose: impl Into<Purpose>) -> FamilyId {
    levels.draft.family(name, line, &[], purpose)
}

/// The same where rows state the rule of an act.
fn family_of(levels: &mut Levels, act: &Act, verb: &str, purpose: impl Into<Purpose>) -> FamilyId {
    let name = format!("{}_{verb}", kind_name(levels, act));
    let family = family(levels, &name, "E3", purpose);
    let rule = &levels.ground.setting.rules.rules[act.rule];
    levels
        .draft
        .cite(family, &levels.instance.protocol.name, rule);
    family
}

/// `Σ byzantine ≤ count`, or `Σ power · byzantine ≤ power`; the same of those that crash.
fn faults(levels: &mut Levels) {
    for (number, fault) in levels.instance.faults.clone().iter().enumerate() {
        let name = match fault.kind {
            FaultKind::Byzantine => "byzantine_at_most",
            FaultKind::Crash => "crashed_at_most",
            FaultKind::Network => continue,
        };
        let family = family(levels, name, "E9", Group::BUDGET);
        let (most, by_power) = match &fault.who {
            Who::Any(count) => (*count, false),
            Who::Power(power) => (*power, true),
            // Nobody else has a column.
            Who::These(_) => continue,
        };
        let all = (0..levels.n).map(|i| {
            let weight = if by_power { levels.power(i) } else { 1 };
            levels.faulty(fault.kind, i) * weight
        });
        let all = all.collect::<Vec<_>>().into_iter().sum();
        levels.at_most(family, &format!("_{number}"), all, i64::from(most).into());
    }
    let family = family(levels, "faulty_in_one_way", "E9", Group::CRASHES);
    for i in 0..levels.n {
        let both = levels.byzantine(i) + levels.faulty(FaultKind::Crash, i);
        levels.at_most(family, &format!("_i{i}"), both, 1.into());
    }
}

/// The rule that an act of the kind happens once.
fn once_group(levels: &Levels, act: &Act) -> Group {
    let kind = levels.ground.setting.rules.kind(made(act).kind);
    match (kind.is_final, kind.value, kind.by) {
        (true, ..) => Group::ONE_DECISION,
        (_, ValueField::None, _) => Group::ONE_REQUEST,
        (_, _, By::Primary) => Group::ONE_PROPOSAL,
        (_, _, By::Backup) => Group::ONE_RESPONSE,
        (_, _, By::Any) => Group::LOCK,
    }
}

/// The name of the kind of an act.
pub(super) fn kind_name(levels: &Levels, act: &Act) -> String {
    let rules = &levels.ground.setting.rules;
    act.makes.map_or_else(
        || "enter".to_owned(),
        |record| {
            rules
                .kind(record.kind)
                .name
                .to_lowercase()
                .replace('-', "_")
        },
    )
}

/// Records of a kind in a view: `Σ did ≤ here`; decisions: `Σ did ≤ 1 − byzantine`, and who decides
/// in its view goes no further, `Σ_(u ≤ v) did + entered_(v+1) ≤ 1`, but in a chain.
fn once(levels: &mut Levels) {
    let mut stops: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for ((kind, v), acts) in levels.groups.clone() {
        let purpose = once_group(levels, &levels.ground.acts[acts[0]]);
        let families: BTreeSet<FamilyId> = acts
            .iter()
            .map(|&act| {
                let act = levels.ground.acts[act].clone();
                family_of(levels, &act, "at_most_once", purpose)
            })
            .collect();
        let Some(&family) = families.first() else {
            continue;
        };
        let in_view = |act: &&usize| levels.ground.acts[**act].scope == Scope::View;
        let bound: Vec<usize> = acts.iter().filter(in_view).copied().collect();
        for i in 0..levels.n {
            let sum = |acts: &[usize]| -> Expr { acts.iter().map(|&a| levels.did(a, i)).sum() };
            let (all, here) = (sum(&acts), sum(&bound));
            let label = format!("_i{i}_v{v}");
            if bound.len() < acts.len() {
                let honest = 1 - levels.byzantine(i);
                levels.at_most(family, &format!("{label}_height"), all, honest);
            }
            let there = levels.here(i, v);
            levels.at_most(family, &label, here, there);
        }
        if levels.ground.is_final(kind) && !levels.ground.setting.rules.chain {
            stops.entry(v).or_default().extend(bound);
        }
    }
    decisions(levels, &stops);
}

fn decisions(levels: &mut Levels, stops: &BTreeMap<u32, Vec<usize>>) {
    let once = family(levels, "decide_at_most_once", "E13", Group::ONE_DECISION);
    let leave = family(levels, "decide_excludes_enter", "E13", Group::STOPS);
    for i in 0..levels.n {
        let all = levels.finals.iter().map(|&act| levels.did(act, i)).sum();
        let honest = 1 - levels.byzantine(i);
        levels.at_most(once, &format!("_i{i}"), all, honest);
        let mut stopped = Expr::default();
        for v in 1..levels.views {
            let here = stops.get(&(v - 1)).into_iter().flatten();
            stopped += here.map(|&act| levels.did(act, i)).sum();
            let left = stopped.clone() + levels.here(i, v);
            levels.at_most(leave, &format!("_i{i}_v{v}"), left, 1.into());
        }
    }
}

/// `entered_v ≤ entered_(v−1)`, `entered_v ≤ Σ way`, and of each way what it needs and what bars it.
fn entries(levels: &mut Levels) {
    let place = family(levels, "enter_requires_view", "E3", Group::PLACE);
    let some = family(levels, "enter_requires_way", "E3", Group::CHANGE_VIEWS);
    for i in 0..levels.n {
        for v in 1..levels.views {
            let entered = levels.here(i, v);
            let label = format!("_i{i}_v{v}");
            let before = levels.here(i, v - 1);
            levels.at_most(place, &label, entered.clone(), before);
            let ways = levels.ways(i, v);
            if ways.len() != 1 {
                let any = ways.iter().map(|&way| levels.way(way, i)).sum();
                levels.at_most(some, &label, entered, any);
            }
            for way in ways {
                let act = levels.ground.entries[way].clone();
                let column = levels.way(way, i);
                guards(levels, &act, i, &column, &format!("{label}_w{way}"));
            }
        }
    }
}

fn acts(levels: &mut Levels) {
    for number in 0..levels.ground.acts.len() {
        let act = levels.ground.acts[number].clone();
        for i in levels.ground.actors(&act).collect::<Vec<_>>() {
            let column = levels.did(number, i);
            let label = format!("_i{i}_v{}_a{number}", act.letters.v);
            guards(levels, &act, i, &column, &label);
        }
    }
}

/// What an act needs and what bars it.
fn guards(levels: &mut Levels, act: &Act, i: u32, column: &Expr, label: &str) {
    let is_final = act.makes.is_some_and(|it| levels.ground.is_final(it.kind));
    for (number, need) in act.asks().enumerate() {
        let label = format!("{label}_n{number}");
        match need {
            Need::Own(Own::One(records)) => {
                let family = family_of(levels, act, "requires_own", Group::PROPOSAL);
                let own = made_by_then(levels, act, i, records);
                levels.at_most(family, &label, column.clone(), own);
            }
            Need::Own(Own::Last(matching, rest)) => {
                requires_last(levels, act, i, column, (matching, rest), &label);
            }
            Need::Primary(records) => {
                let family = family_of(levels, act, "requires_proposal", Group::PROPOSAL);
                let made = from_primary(levels, records);
                levels.at_most(family, &label, column.clone(), made);
            }
            Need::Quorum(quorum) => {
                let purpose = match (act.makes, is_final) {
                    (None, _) => Group::CHANGE_VIEWS,
                    (_, true) => Group::COMMITS,
                    _ => Group::PREPARATIONS,
                };
                let family = family_of(levels, act, "requires_quorum", purpose);
                let complete = levels.complete(*quorum);
                levels.at_most(family, &label, column.clone(), complete);
            }
        }
    }
    for (number, bar) in act.bars.iter().enumerate() {
        excludes(levels, act, i, column, bar, &format!("{label}_b{number}"));
    }
}

/// One of these is made by the primary of its view, or a Byzantine one may make it.
pub(super) fn from_primary(levels: &Levels, records: &[Record]) -> Expr {
    let primaries = &levels.ground.setting.primaries;
    let primary = |record: &Record| primaries[record.view as usize];
    let made = records.iter().map(|it| levels.makes(primary(it), [it]));
    let mut byzantine: BTreeMap<u32, Vec<&Record>> = BTreeMap::new();
    for record in records {
        byzantine.entry(primary(record)).or_default().push(record);
    }
    let forged = byzantine.iter();
    made.chain(forged.map(|(&i, records)| levels.forges_one(records, i)))
        .sum()
}

/// The records of a list by view, those below the level of an act or made in any view.
pub(super) fn by_view<'a>(
    levels: &Levels,
    act: &Act,
    records: &'a [Record],
) -> BTreeMap<u32, Vec<&'a Record>> {
    let level = levels.ground.level(act);
    let mut views: BTreeMap<u32, Vec<&Record>> = BTreeMap::new();
    for record in records {
        let mut makers = levels.makers.get(record).into_iter().flatten();
        let any_view = makers.any(|it| levels.of_any_view.contains(it));
        if any_view || levels.ground.place(record) < level {
            views.entry(record.view).or_default().push(record);
        }
    }
    views
}

/// The latest is one that matches: `did ≤ Σ match`, `did + rest_u ≤ 1 + Σ_(w > u) match_w`.
fn requires_last(
    levels: &mut Levels,
    act: &Act,
    i: u32,
    column: &Expr,
    (matching, rest): (&[Record], &[Record]),
    label: &str,
) {
    let family = family_of(levels, act, "requires_last", Group::LOCK);
    let matching = by_view(levels, act, matching);
    let sum = |views: std::ops::RangeFrom<u32>| -> Expr {
        let later = matching.range(views).flat_map(|(_, records)| records);
        made_by_then(levels, act, i, later.copied())
    };
    let mut rows = vec![(label.to_owned(), column.clone(), sum(0..))];
    let rest = if act.scope == Scope::View { rest } else { &[] };
    for (u, records) in by_view(levels, act, rest) {
        let left = column.clone() + levels.makes_before((i, view_of(act)), records);
        rows.push((format!("{label}_u{u}"), left, sum(u + 1..) + 1));
    }
    for (label, left, right) in rows {
        levels.at_most(family, &label, left, right);
    }
}

/// The view in which an act is done that is not one of any view: that before the one which it enters.
fn view_of(act: &Act) -> u32 {
    act.letters.v - u32::from(act.makes.is_none())
}

/// How many of these own records a replica may have when it does an act.
fn made_by_then<'a>(
    levels: &Levels,
    act: &Act,
    i: u32,
    records: impl IntoIterator<Item = &'a Record>,
) -> Expr {
    match act.scope {
        Scope::View => levels.makes_before((i, view_of(act) + 1), records),
        Scope::Height => levels.makes(i, records),
    }
}

/// `before_v ≤ before_(v+1) ≤ … ≤ did`.
fn before(levels: &mut Levels) {
    let family = family(levels, "before_implies_later", "E3", Group::MEMORY);
    for number in levels.of_any_view.clone() {
        let act = levels.ground.acts[number].clone();
        for i in levels.ground.actors(&act).collect::<Vec<_>>() {
            for v in 1..levels.views {
                let at = |v| levels.makes_before((i, v), [&made(&act)]);
                let (earlier, later) = (levels.draft.get(&Key::Before(number, i, v)), at(v + 1));
                levels.at_most(family, &format!("_i{i}_v{v}_a{number}"), earlier, later);
            }
        }
    }
}

/// Who did something for which it took a quorum made what any view's rule makes of that quorum alone:
/// `did ≤ Σ before`.
fn made_with_its_quorum(levels: &mut Levels) {
    let rules = &levels.ground.setting.rules.rules;
    let skips = rules.iter().any(|it| matches!(it.head, Head::Skip));
    let family = family(levels, "quorum_makes_record", "E55", Group::PROMPT);
    for number in levels.of_any_view.clone() {
        let made_so = levels.ground.acts[number].clone();
        let alone =
            made_so.mode == Mode::Must && made_so.bars.is_empty() && made_so.proofs.is_empty();
        let ([Need::Quorum(quorum)], true) = (&made_so.needs[..], alone) else {
            continue;
        };
        let place = levels.groups[&group(&made(&made_so))].iter();
        let place: Vec<Record> = place.map(|&it| made(&levels.ground.acts[it])).collect();
        let takes =
            |act: &Act| act.scope == Scope::View && act.needs.contains(&Need::Quorum(*quorum));
        let acts = levels.ground.acts.clone();
        let acts = acts.iter().enumerate().filter(|(_, act)| takes(act));
        let entries = levels.ground.entries.clone();
        let entries = entries
            .iter()
            .enumerate()
            .filter(|(_, act)| !skips && takes(act));
        for (at, act) in acts.chain(entries) {
            for i in levels.ground.actors(act).collect::<Vec<_>>() {
                let column = match act.makes {
                    Some(_) => levels.did(at, i),
                    None => levels.way(at, i),
                };
                let label = format!("_i{i}_v{}_m{quorum}_a{number}_{at}", act.letters.v);
                let then = made_by_then(levels, act, i, &place);
                levels.at_most(family, &label, column, then);
            }
        }
    }
}

/// `did + own ≤ 1` for each kind and view; of the latest record `did + match_u ≤ 1 + Σ_(w > u) rest_w`.
/// What comes later in the same view is no bar: it comes later. An act of any view may come before all
/// that bars it; a record of any view bars what comes in later views.
fn excludes(levels: &mut Levels, act: &Act, i: u32, column: &Expr, bar: &Own, label: &str) {
    if act.scope == Scope::Height {
        return;
    }
    let later = bar.matching().iter().all(|it| it.view < act.letters.v);
    let purpose = if later { Group::LOCK } else { Group::SILENCE };
    match bar {
        Own::One(records) => {
            let family = family_of(levels, act, "excludes_own", purpose);
            let mut groups: BTreeMap<_, Vec<&Record>> = BTreeMap::new();
            for record in by_view(levels, act, records).into_values().flatten() {
                groups.entry(group(record)).or_default().push(record);
            }
            for ((kind, u), records) in groups {
                let left = column.clone() + levels.makes_before((i, view_of(act)), records);
                let label = format!("{label}_k{}_u{u}", kind.0);
                levels.at_most(family, &label, left, 1.into());
            }
        }
        Own::Last(matching, rest) => {
            let family = family_of(levels, act, "excludes_last", purpose);
            let rest = by_view(levels, act, rest);
            for (u, records) in by_view(levels, act, matching) {
                let left = column.clone() + levels.makes_before((i, view_of(act)), records);
                let later = rest.range(u + 1..).flat_map(|(_, records)| records);
                let later = made_by_then(levels, act, i, later.copied());
                let right = later + 1;
                levels.at_most(family, &format!("{label}_u{u}"), left, right);
            }
        }
    }
}

/// `q · complete ≤ Σ power · sends + Σ power · byzantine`, of those held where the goal asks, and of them enough are honest:
/// `(q − B) · complete ≤ Σ power · sends`.
fn quorums(levels: &mut Levels) {
    let union = family(levels, "sends_requires_record", "E6", Group::SIGNATURES);
    let all = family(levels, "quorum_requires_senders", "E6", Group::SIGNATURES);
    let honest = family(
        levels,
        "quorum_requires_honest_senders",
        "E6",
        Group::BEHIND_A_QUORUM,
    );
    for number in 0..levels.ground.quorums.len() {
        let Some(complete) = levels.draft.col(&Key::Complete(number)).map(Expr::from) else {
            continue;
        };
        let quorum = levels.ground.quorums[number].clone();
        let (mut sent, mut byzantine) = (Expr::default(), Expr::default());
        for j in 0..levels.n {
            let may = |record: &&Record| levels.ground.setting.may_make(record, j);
            let own: Vec<&Record> = quorum.records.iter().filter(may).collect();
            if own.is_empty() {
                continue;
            }
            let groups: BTreeSet<_> = own.iter().map(|it| group(it)).collect();
            if groups.len() > 1 {
                let made = levels.makes(j, own);
                let name = format!("sends_m{number}_i{j}");
                let column = levels.draft.add(Key::Sends(number, j), name, 1).into();
                levels.at_most(union, &format!("_m{number}_i{j}"), column, made);
            }
            sent += levels.sends(number, j) * levels.power(j);
            byzantine += levels.forges(number, j) * levels.power(j);
        }
        let label = format!("_m{number}");
        let need = i64::from(quorum.at_least);
        levels.at_most(
            all,
            &label,
            complete.clone() * need,
            sent.clone() + byzantine,
        );
        let least = need - i64::from(levels.most_byzantine);
        if levels.most_byzantine > 0 && least > 0 {
            levels.at_most(honest, &label, complete * least, sent);
        }
    }
}

/// A value that has a number of its own is new once: `Σ did ≤ 1` over those who propose it as new.
fn new_values(levels: &mut Levels) {
    let Values::Abstract { count, .. } = levels.ground.setting.values else {
        return;
    };
    let family = family(levels, "new_value_at_most_once", "E11", Group::MEMORY);
    for x in 0..count {
        if levels.ground.setting.is_others(x) {
            continue;
        }
        let new = |act: &&usize| {
            let act = &levels.ground.acts[**act];
            act.letters.x == Some(x) && levels.ground.proposes(act)
        };
        let numbers: Vec<usize> = (0..levels.ground.acts.len()).collect();
        let proposals = numbers.iter().filter(new);
        let all = proposals
            .flat_map(|&act| (0..levels.n).map(move |i| (act, i)))
            .map(|(act, i)| levels.did(act, i))
            .sum();
        levels.at_most(family, &format!("_x{x}"), all, 1.into());
    }
}
