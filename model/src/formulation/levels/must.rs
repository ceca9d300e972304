//! What must be done, is done: handlers run to completion.
//!
//! If what a replica did shows that it took all that an act needs while it was in the view, the act
//! is done, or its place is taken, or it is barred:
//! `here + Σ knows + Σ own − (number − 1) ≤ Σ did + Σ bars`.

use super::carried::carried_to;
use super::columns::{KNOWS, Key, Levels, group, made};
use super::families::kind_name;
use super::way::{Way, groups, makers, takes};
use crate::{
    expr::Expr,
    ground::{Act, Need, Own, Record, Value},
    group::Group,
    program::Col,
};
use milp_schema::{
    protocol::{Guard, Head, Mode, Rule, Scope, Values},
    vocabulary::By,
};
use std::collections::{BTreeMap, BTreeSet};

/// An act of more ways to see that it must be done has no rows.
const MOST_WAYS: usize = 64;

/// The needs that acts may show to be met, each for acts of a rule, with their numbers.
#[derive(Default)]
struct Needs {
    numbers: BTreeMap<(usize, Need), usize>,
    /// The acts that take what meets a need.
    takers: BTreeMap<Need, Vec<usize>>,
}

impl Needs {
    fn takers(&mut self, levels: &Levels, need: &Need) -> Vec<usize> {
        if let Some(known) = self.takers.get(need) {
            return known.clone();
        }
        let acts = levels.ground.acts.iter().enumerate();
        let takers = acts.filter(|(_, act)| takes(levels, act, need));
        let takers: Vec<usize> = takers.map(|(number, _)| number).collect();
        self.takers.insert(need.clone(), takers.clone());
        takers
    }
}

pub(super) fn state(levels: &mut Levels) {
    let mut needs = Needs::default();
    let acts = levels.ground.acts.iter().chain(&levels.ground.entries);
    let must: Vec<Act> = acts.filter(|act| act.mode == Mode::Must).cloned().collect();
    let mut said = BTreeSet::new();
    for act in must {
        let Some(excuse) = unclear(levels, &act) else {
            continue;
        };
        for i in levels.ground.actors(&act).collect::<Vec<_>>() {
            force(levels, &mut needs, (&act, &excuse), i, &mut said);
        }
    }
}

/// What excuses an act that compares records by a value that is a class, so that both may name it
/// and not mean the same: nothing does where one record is read, and that their primary is Byzantine
/// where all of them are of its proposal. `None` where it cannot be told.
fn unclear(levels: &Levels, act: &Act) -> Option<Expr> {
    let setting = &levels.ground.setting;
    let Some(x) = act.letters.x.filter(|x| setting.is_others(*x)) else {
        return Some(Expr::default());
    };
    let rule = &setting.rules.rules[act.rule];
    let compares = |guard: &Guard| matches!(guard.pattern.value, Values::X | Values::Other);
    if rule.unless.iter().any(compares) {
        return None;
    }
    let mut named = Vec::new();
    let (mut reads, mut votes) = (0, 0);
    for need in act.asks() {
        let records = match need {
            Need::Own(Own::Last(..)) => return None,
            Need::Own(own) => own.matching(),
            _ => need.taken(&levels.ground),
        };
        let before = named.len();
        named.extend(
            records
                .iter()
                .filter(|it| it.value == Value::Of(x))
                .copied(),
        );
        reads += usize::from(named.len() > before);
        votes += usize::from(named.len() > before && matches!(need, Need::Quorum(_)));
    }
    if reads <= 1 && votes == 0 {
        return Some(Expr::default());
    }
    let view = named.first()?.view;
    let one = |record: &Record| record.view == view && is_of_proposal(levels, record, 3);
    let primary = setting.primaries[view as usize];
    named.iter().all(one).then(|| levels.byzantine(primary))
}

/// Whether all who make a record repeat what the primary of its view proposed there.
fn is_of_proposal(levels: &Levels, record: &Record, depth: u32) -> bool {
    let makers = levels.makers.get(record).into_iter().flatten();
    let same = |it: &Record| (it.view, it.value) == (record.view, record.value);
    makers.map(|&act| &levels.ground.acts[act]).all(|act| {
        levels.ground.setting.rules.kind(record.kind).by == By::Primary
            || act.needs.iter().any(|need| match need {
                Need::Primary(records) => records.iter().all(same),
                Need::Own(Own::One(own)) => {
                    let repeats = |it: &Record| same(it) && is_of_proposal(levels, it, depth - 1);
                    depth > 0 && own.iter().all(repeats)
                }
                _ => false,
            })
    })
}

/// The rows of one act and replica, one for every way in which it can be seen that the act must be
/// done.
fn force(
    levels: &mut Levels,
    needs: &mut Needs,
    (act, excuse): (&Act, &Expr),
    i: u32,
    said: &mut BTreeSet<(Vec<(Col, i64)>, i64)>,
) {
    let view = last_view(levels, act);
    let mut shown = vec![Way::default()];
    for need in &act.needs {
        let mut ways = ways(levels, needs, (act, need), i, view);
        ways.retain(Way::is_possible);
        let both = |so_far: &Way| ways.iter().map(|way| so_far.and(way)).collect::<Vec<_>>();
        shown = shown.iter().flat_map(both).collect();
        if shown.len() > MOST_WAYS {
            return;
        }
    }
    for proof in &act.proofs {
        let mut ways = carried_to(levels, proof, i);
        ways.retain(Way::is_possible);
        let both = |so_far: &Way| ways.iter().map(|way| so_far.and(way)).collect::<Vec<_>>();
        shown = shown.iter().flat_map(both).collect();
    }
    if shown.len() > MOST_WAYS {
        return;
    }
    let name = format!("{}_is_done", kind_name(levels, act));
    let family = levels.draft.family(&name, "E55", &[], Group::PROMPT);
    for way in shown {
        let excused = excuses(levels, act, &way, (i, view)) + excuse.clone();
        let count = way.terms.len() as i64;
        let there = match act.scope {
            Scope::View => levels.here(i, view),
            Scope::Height => 1 - levels.byzantine(i),
        };
        let left = there + way.terms.into_iter().sum::<Expr>() + -count;
        let difference = left.clone() - excused.clone();
        let row = (
            difference.terms().collect::<Vec<_>>(),
            difference.constant(),
        );
        if said.insert(row) {
            let label = format!("_i{i}_v{}_r{}_{}", act.letters.v, act.rule, said.len());
            levels.at_most(family, &label, left, excused);
        }
    }
}

/// The last view in which a replica can do the act: who enters a view is in the one before.
fn last_view(levels: &Levels, act: &Act) -> u32 {
    match act.scope {
        Scope::View => act.letters.v - u32::from(act.makes.is_none()),
        Scope::Height => levels.views - 1,
    }
}

/// The ways to see that a need of an act is met.
fn ways(
    levels: &mut Levels,
    needs: &mut Needs,
    (act, need): (&Act, &Need),
    i: u32,
    view: u32,
) -> Vec<Way> {
    match need {
        Need::Own(Own::One(records)) => groups(records)
            .into_values()
            .map(|records| own(levels, i, &records))
            .collect(),
        Need::Own(Own::Last(matching, rest)) => {
            let makers = makers(levels, matching);
            last(levels, i, view, matching, rest)
                .into_iter()
                .map(|way| Way::new(way, makers.clone()))
                .collect()
        }
        Need::Primary(_) => knows(levels, needs, (act, need), i, view)
            .into_iter()
            .collect(),
        Need::Quorum(number) => {
            let mut ways = of_more(levels, needs, (act, *number), i, view);
            ways.extend(knows(levels, needs, (act, need), i, view));
            ways.extend(of_two(levels, needs, (act, *number), i, view));
            ways
        }
    }
}

/// Replica i makes one of these records, of a kind and view.
fn own(levels: &Levels, i: u32, records: &[&Record]) -> Way {
    let makers = makers(levels, records.iter().copied());
    Way::new(levels.makes(i, records.iter().copied()), makers)
}

/// A larger set of records has a quorum that the replica took, and nobody made one of those that do
/// not count here.
fn of_more(
    levels: &mut Levels,
    needs: &mut Needs,
    (act, number): (&Act, usize),
    i: u32,
    view: u32,
) -> Vec<Way> {
    let quorum = levels.ground.quorums[number].clone();
    let mut ways = Vec::new();
    for larger in 0..levels.ground.quorums.len() {
        let other = &levels.ground.quorums[larger];
        let within = |it: &Record| other.records.binary_search(it).is_ok();
        let more = other.records.len() > quorum.records.len() && quorum.records.iter().all(within);
        if !more || other.at_least < quorum.at_least {
            continue;
        }
        let counts = |it: &&Record| quorum.records.binary_search(it).is_err();
        let rest: Vec<Record> = other.records.iter().filter(counts).copied().collect();
        let made = |j| levels.makes(j, &rest) + levels.byzantine(j);
        let others: Expr = (0..levels.n).map(made).sum();
        let known = knows(levels, needs, (act, &Need::Quorum(larger)), i, view);
        ways.extend(known.map(|known| {
            let terms = known.terms.into_iter().map(|it| it - others.clone());
            Way {
                terms: terms.collect(),
                ..known
            }
        }));
    }
    ways
}

/// The own record and that of the primary are a quorum.
fn of_two(
    levels: &mut Levels,
    needs: &mut Needs,
    (act, number): (&Act, usize),
    i: u32,
    view: u32,
) -> Option<Way> {
    let quorum = levels.ground.quorums[number].clone();
    let rules = &levels.ground.setting.rules;
    let of_primary = |it: &&Record| rules.kind(it.kind).by == By::Primary;
    let proposals: Vec<Record> = quorum.records.iter().filter(of_primary).copied().collect();
    let primary = levels.ground.setting.primaries[proposals.first()?.view as usize];
    let power = levels.power(i) + levels.power(primary);
    let one_group = groups(&proposals).len() == 1;
    if i == primary || power < i64::from(quorum.at_least) || !one_group {
        return None;
    }
    let own = groups(&quorum.records)
        .into_values()
        .map(|it| own(levels, i, &it));
    let own: Vec<Way> = own.filter(Way::is_possible).collect();
    let [own] = &own[..] else { return None };
    let known = knows(levels, needs, (act, &Need::Primary(proposals)), i, view)?;
    Some(own.and(&known))
}

fn decides(levels: &Levels, act: &Act) -> bool {
    act.makes.is_some_and(|it| levels.ground.is_final(it.kind))
}

/// That the latest own record matches: one of view u does, and none of a later view does not.
pub(super) fn last(
    levels: &Levels,
    i: u32,
    view: u32,
    matching: &[Record],
    rest: &[Record],
) -> Vec<Expr> {
    let latest = |(&(_, u), records): (&super::columns::Group, &Vec<&Record>)| {
        let later = rest.iter().filter(|it| it.view > u && it.view <= view);
        levels.makes(i, records.iter().copied()) - levels.makes(i, later)
    };
    groups(matching).iter().map(latest).collect()
}

/// What excuses: the place is taken, an own record bars that may have come first, or what the file
/// lists before it led the replica away. That it decided is no excuse where it had all that a decision needs before it did
/// something in a later view. In a chain who decided goes on: that excuses from deciding alone.
fn excuses(levels: &Levels, act: &Act, way: &Way, (i, view): (u32, u32)) -> Expr {
    let rules = &levels.ground.setting.rules.rules;
    // Before a timer fires everything else is done.
    let leaves =
        |rule: &Rule| rule.mode == Mode::Must && matches!(rule.head, Head::Enter | Head::Skip);
    let left = rules[..act.rule].iter().any(leaves) || act.makes.is_none();
    let is_final = decides(levels, act);
    let chain = levels.ground.setting.rules.chain;
    let place = act.makes.map(|record| group(&record));
    let taken = place.and_then(|place| levels.groups.get(&place));
    let taken = taken.into_iter().flatten().filter(|_| !is_final);
    let first = |it: &&usize| match place {
        _ if chain => is_final,
        Some(_) if is_final => !way.late,
        Some(_) => levels.ground.acts[**it].rule < act.rule,
        None => true,
    };
    let acts = taken.chain(levels.finals.iter().filter(first));
    let mut excused: Expr = acts.map(|&number| levels.did(number, i)).sum();
    if left && view + 1 < levels.views {
        excused += levels.here(i, view + 1);
    }
    let bars = act.bars.iter().flat_map(Own::matching);
    let first = |it: &&Record| it.view <= view && !comes_later(levels, act, &way.by, it);
    excused + levels.makes(i, bars.filter(first))
}

/// Whether a record of the act's view comes after what shows that the act must be done: it bars all
/// of that in this view, and who makes it does so on a firing or by a later rule.
fn comes_later(levels: &Levels, act: &Act, by: &BTreeSet<usize>, record: &Record) -> bool {
    let barred = |other: &Act| {
        let bars = |bar: &Own| matches!(bar, Own::One(records) if records.contains(record));
        other.letters.v < record.view || other.bars.iter().any(bars)
    };
    let later = |other: &Act| other.timer().is_some() || other.rule > act.rule;
    let acts = &levels.ground.acts;
    act.scope == Scope::View
        && record.view == act.letters.v
        && by.iter().all(|&it| barred(&acts[it]))
        && makers(levels, [record])
            .into_iter()
            .all(|it| later(&acts[it]))
}

/// What is done that shows something, by kind and view: of each a replica does one; the acts in it;
/// whether all of it is done in later views than a decision is of.
type Shows = (BTreeMap<(usize, u32), Expr>, BTreeSet<usize>, bool);

/// What a replica did in that view or an earlier one that shows that it took what meets the need of an
/// act. A primary has what it made itself. What a timer's act needs was
/// taken before it fired, and what a rule needs that the file lists later before it was done: that
/// is asked of what is done in later views than a decision is of.
fn shown_by(
    levels: &Levels,
    needs: &mut Needs,
    (act, need): (&Act, &Need),
    i: u32,
    view: u32,
) -> Shows {
    let decides = decides(levels, act);
    let later = |other: &Act| other.timer().is_some() || other.rule > act.rule;
    let is_late = |other: &Act| decides && other.letters.v > act.letters.v;
    let (mut by, mut late) = (BTreeSet::new(), decides);
    let mut shows: BTreeMap<(usize, u32), Expr> = BTreeMap::new();
    for number in needs.takers(levels, need) {
        let other = &levels.ground.acts[number];
        let record = made(other);
        let of_view = other.letters.v <= view && other.scope == Scope::View;
        let counts = of_view && !levels.ground.is_final(record.kind);
        if counts
            && (later(other) || !is_late(other))
            && levels.draft.col(&Key::Did(number, i)).is_some()
        {
            let column = levels.did(number, i);
            *shows.entry((record.kind.0, record.view)).or_default() += column;
            by.insert(number);
            late &= is_late(other);
        }
    }
    for (way, other) in levels.ground.entries.iter().enumerate() {
        let v = other.letters.v;
        let taken_in = v - u32::from(later(other));
        let counts = taken_in <= view && v < levels.views && (later(other) || !is_late(other));
        if counts && takes(levels, other, need) && levels.ways(i, v).contains(&way) {
            shows.insert((usize::MAX, way as u32), levels.way(way, i));
            late &= is_late(other);
        }
    }
    if let Need::Primary(records) = need {
        let primaries = &levels.ground.setting.primaries;
        let own = records.iter().filter(|it| primaries[it.view as usize] == i);
        for (&(kind, v), records) in &groups(&own.copied().collect::<Vec<_>>()) {
            *shows.entry((kind.0, v)).or_default() += levels.makes(i, records.iter().copied());
            by.extend(makers(levels, records.iter().copied()));
            late = false;
        }
    }
    shows.retain(|_, shows| shows.terms().next().is_some());
    (shows, by, late)
}

/// That the replica took what meets the need of an act: nothing if nothing shows it.
fn knows(
    levels: &mut Levels,
    needs: &mut Needs,
    (act, need): (&Act, &Need),
    i: u32,
    view: u32,
) -> Option<Way> {
    let (shows, by, late) = shown_by(levels, needs, (act, need), i, view);
    if shows.len() <= 1 {
        let only = shows.into_values().next();
        return only.map(|it| Way {
            late,
            ..Way::new(it, by)
        });
    }
    let next = needs.numbers.len();
    let number = *needs
        .numbers
        .entry((act.rule, need.clone()))
        .or_insert(next);
    let key = Key::Knows(number, i, view);
    if let Some(col) = levels.draft.col(&key) {
        return Some(Way {
            late,
            ..Way::new(col.into(), by)
        });
    }
    let family = levels.draft.family(KNOWS, "E6", &[], Group::MEMORY);
    let known: Expr = levels
        .draft
        .add(key, format!("knows_i{i}_v{view}_m{number}"), 1)
        .into();
    for (at, shows) in shows.into_values().enumerate() {
        let label = format!("_i{i}_v{view}_m{number}_{at}");
        levels.at_most(family, &label, shows, known.clone());
    }
    Some(Way {
        late,
        ..Way::new(known, by)
    })
}
