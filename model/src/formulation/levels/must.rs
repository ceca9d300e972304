//! What must be done, is done: handlers run to completion.
//!
//! If what a replica did shows that it took all that an act needs while it was in the view, the act
//! is done, or its place is taken, or it is barred:
//! `here + Σ knows + Σ own − (number − 1) ≤ Σ did + Σ bars`.

use super::columns::{Key, Levels, group, made};
use super::families::kind_name;
use crate::{
    draft::Purpose,
    expr::Expr,
    ground::{Act, Need, Own, Record},
    group::Group,
};
use milp_schema::protocol::{Head, Mode, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// The needs that acts may show to be met, with their numbers.
#[derive(Default)]
struct Needs {
    numbers: BTreeMap<Need, usize>,
}

pub(super) fn state(levels: &mut Levels) {
    let mut needs = Needs::default();
    let acts = levels.ground.acts.iter().chain(&levels.ground.entries);
    let must: Vec<Act> = acts.filter(|act| act.mode == Mode::Must).cloned().collect();
    let mut said = BTreeSet::new();
    for act in must {
        if act.letters.v - u32::from(act.makes.is_none()) >= levels.views || unclear(levels, &act) {
            continue;
        }
        for i in levels.ground.actors(&act).collect::<Vec<_>>() {
            force(levels, &mut needs, &act, i, &mut said);
        }
    }
}

/// Whether the act compares two records by a value that is a class: then that both name it does not
/// mean that it can be done.
fn unclear(levels: &Levels, act: &Act) -> bool {
    let setting = &levels.ground.setting;
    let Some(x) = act.letters.x.filter(|x| setting.is_others(*x)) else {
        return false;
    };
    let names = |record: &Record| record.value == crate::ground::Value::Of(x);
    let reads = act.needs.iter().filter(|need| match need {
        Need::Own(own) => own.matching().iter().any(names),
        Need::Primary(records) => records.iter().any(names),
        Need::Quorum(number) => levels.ground.quorums[*number].records.iter().any(names),
    });
    let quorum = |need: &&Need| matches!(need, Need::Quorum(_) | Need::Own(Own::Last(..)));
    reads.clone().count() > 1
        || reads.clone().any(|need| quorum(&need))
        || !act.bars.is_empty()
        || !setting.rules.rules[act.rule].unless.is_empty()
}

/// The row of one act and replica, if something can show that the act must be done.
fn force(
    levels: &mut Levels,
    needs: &mut Needs,
    act: &Act,
    i: u32,
    said: &mut BTreeSet<(Vec<(crate::program::Col, i64)>, i64)>,
) {
    // Who enters a view is in the one before.
    let view = act.letters.v - u32::from(act.makes.is_none());
    let mut shown = vec![Vec::new()];
    for need in &act.needs {
        let ways: Vec<Expr> = match need {
            Need::Own(Own::One(records)) => groups(records)
                .into_values()
                .map(|records| levels.makes(i, records))
                .collect(),
            Need::Own(Own::Last(matching, rest)) => last(levels, i, view, matching, rest),
            _ => knows(levels, needs, need, i, view).into_iter().collect(),
        };
        let ways: Vec<&Expr> = ways
            .iter()
            .filter(|way| way.terms().next().is_some())
            .collect();
        let both = |so_far: &Vec<Expr>| -> Vec<Vec<Expr>> {
            let more = |way: &&Expr| so_far.iter().cloned().chain([(*way).clone()]).collect();
            ways.iter().map(more).collect()
        };
        shown = shown.iter().flat_map(both).collect();
        if shown.len() > 64 {
            return;
        }
    }
    let excused = excuses(levels, act, i, view);
    let name = format!("{}_is_done", kind_name(levels, act));
    let purpose = Purpose::from(Group::PROMPT);
    let family = levels.draft.family(&name, "E3", &[], purpose);
    for (number, shown) in shown.into_iter().enumerate() {
        let count = shown.len() as i64;
        let there = match act.scope {
            Scope::View => levels.here(i, view),
            Scope::Height => 1 - levels.byzantine(i),
        };
        let left = there + shown.into_iter().sum::<Expr>() + -count;
        let difference = left.clone() - excused.clone();
        let row = (
            difference.terms().collect::<Vec<_>>(),
            difference.constant(),
        );
        if said.insert(row) {
            let (v, rule) = (act.letters.v, act.rule);
            let x = act.letters.x.map_or(String::new(), |x| format!("_x{x}"));
            let c = act.letters.c.map_or(String::new(), |c| format!("_c{c}"));
            let label = format!("_i{i}_v{v}_r{rule}{x}{c}_{number}_s{}", said.len());
            levels.at_most(family, &label, left, excused.clone());
        }
    }
}

/// Records by kind and view: of each an honest replica makes at most one.
fn groups(records: &[Record]) -> BTreeMap<super::columns::Group, Vec<&Record>> {
    let mut groups: BTreeMap<_, Vec<&Record>> = BTreeMap::new();
    for record in records {
        groups.entry(group(record)).or_default().push(record);
    }
    groups
}

/// That the latest own record matches: one of view u does, and none of a later view does not.
fn last(levels: &Levels, i: u32, view: u32, matching: &[Record], rest: &[Record]) -> Vec<Expr> {
    let latest = |(&(_, u), records): (&super::columns::Group, &Vec<&Record>)| {
        let later = rest.iter().filter(|it| it.view > u && it.view <= view);
        levels.makes(i, records.iter().copied()) - levels.makes(i, later)
    };
    groups(matching).iter().map(latest).collect()
}

/// What excuses: the place is taken, an own record bars, or what the file lists before it led the
/// replica away.
fn excuses(levels: &Levels, act: &Act, i: u32, view: u32) -> Expr {
    let acts = levels.ground.acts.iter().enumerate();
    let is_final = |it: &Act| levels.ground.is_final(made(it).kind);
    let rules = &levels.ground.setting.rules.rules;
    let leaves = |rule: &milp_schema::protocol::Rule| matches!(rule.head, Head::Enter | Head::Skip);
    let left = rules[..act.rule].iter().any(leaves) || act.makes.is_none();
    let mut excused: Expr = acts
        .filter(|(_, other)| match act.makes {
            Some(record) => {
                group(&made(other)) == group(&record)
                    || is_final(other) && (is_final(act) || other.rule < act.rule)
            }
            None => is_final(other),
        })
        .map(|(number, _)| levels.did(number, i))
        .sum();
    if left && view + 1 < levels.views && act.scope == Scope::View {
        excused += levels.here(i, view + 1);
    }
    let bars = act.bars.iter().flat_map(Own::matching);
    excused + levels.makes(i, bars.filter(|it| it.view <= view))
}

/// Whether the act takes what meets the need.
fn takes(levels: &Levels, act: &Act, need: &Need) -> bool {
    let within =
        |few: &[Record], many: &[Record]| few.iter().all(|it| many.binary_search(it).is_ok());
    act.needs.iter().any(|own| match (own, need) {
        (Need::Primary(few), Need::Primary(many)) => within(few, many),
        (Need::Quorum(own), Need::Quorum(need)) => {
            let (own, need) = (&levels.ground.quorums[*own], &levels.ground.quorums[*need]);
            own.at_least >= need.at_least && within(&own.records, &need.records)
        }
        _ => false,
    })
}

/// That the replica took what meets the need, by an act of that view or an earlier one: nothing if
/// no act shows it. A primary has what it made itself.
fn knows(levels: &mut Levels, needs: &mut Needs, need: &Need, i: u32, view: u32) -> Option<Expr> {
    let mut shows: BTreeMap<(usize, u32), Expr> = BTreeMap::new();
    for (number, act) in levels.ground.acts.iter().enumerate() {
        let record = made(act);
        let of_view = act.letters.v <= view && act.scope == Scope::View;
        let counts = of_view && !levels.ground.is_final(record.kind);
        if counts && takes(levels, act, need) {
            let column = levels.did(number, i);
            *shows.entry((record.kind.0, record.view)).or_default() += column;
        }
    }
    for (way, act) in levels.ground.entries.iter().enumerate() {
        if act.letters.v <= view
            && takes(levels, act, need)
            && levels.ways(i, act.letters.v).contains(&way)
        {
            shows.insert((usize::MAX, way as u32), levels.way(way, i));
        }
    }
    if let Need::Primary(records) = need {
        let primaries = &levels.ground.setting.primaries;
        let own = records.iter().filter(|it| primaries[it.view as usize] == i);
        for (&(kind, v), records) in &groups(&own.copied().collect::<Vec<_>>()) {
            *shows.entry((kind.0, v)).or_default() += levels.makes(i, records.iter().copied());
        }
    }
    shows.retain(|_, shows| shows.terms().next().is_some());
    if shows.len() <= 1 {
        return shows.into_values().next();
    }
    let next = needs.numbers.len();
    let number = *needs.numbers.entry(need.clone()).or_insert(next);
    let key = Key::Knows(number, i, view);
    if let Some(col) = levels.draft.col(&key) {
        return Some(col.into());
    }
    let family = levels
        .draft
        .family("knows_what_it_took", "E6", &[], Group::MEMORY);
    let known: Expr = levels
        .draft
        .add(key, format!("knows_i{i}_v{view}_m{number}"), 1)
        .into();
    for (at, shows) in shows.into_values().enumerate() {
        let label = format!("_i{i}_v{view}_m{number}_{at}");
        levels.at_most(family, &label, shows, known.clone());
    }
    Some(known)
}
