//! How it can be seen of what a replica did that it has all that an act needs.

use super::at_once::is_made_at_once;
use super::carried::carried_to;
use super::classes::unclear;
use super::columns::{Group as Place, KNOWS, Key, Levels, made};
use super::way::{Way, come_before, groups, makers, takes};
use crate::{
    expr::Expr,
    ground::{Act, Need, Own, Record},
    group::Group,
};
use milp_schema::{
    protocol::{Mode, Scope},
    vocabulary::By,
};
use std::collections::{BTreeMap, BTreeSet};

/// An act of more ways to see that it must be done has no rows.
const MOST_WAYS: usize = 64;

/// The needs that acts may show to be met, each for acts of a rule, with their numbers.
#[derive(Default)]
pub(super) struct Needs {
    numbers: BTreeMap<(usize, Need, bool), usize>,
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

/// A replica in a view; of what is asked as soon as it is there, or at any time.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) i: u32,
    pub(super) view: u32,
    pub(super) now: bool,
}

/// The ways to see that all that an act needs is met; none where there are too many.
pub(super) fn ways_of_all(levels: &mut Levels, needs: &mut Needs, act: &Act, at: At) -> Vec<Way> {
    if at.now && act.scope == Scope::Height {
        return Vec::new();
    }
    let mut shown = vec![Way::default()];
    let mut all = |mut more: Vec<Way>| {
        more.retain(|way| way.is_possible() && !(at.now && way.waits));
        let both = |so_far: &Way| more.iter().map(|way| so_far.and(way)).collect::<Vec<_>>();
        shown = shown.iter().flat_map(both).collect();
        shown.len() <= MOST_WAYS
    };
    for need in &act.needs {
        if !all(ways(levels, needs, (act, need), at)) {
            return Vec::new();
        }
    }
    for proof in &act.proofs {
        if !all(carried_to(levels, proof, at.i)) {
            return Vec::new();
        }
    }
    shown
}

/// The ways to see that a need of an act is met.
fn ways(levels: &mut Levels, needs: &mut Needs, (act, need): (&Act, &Need), at: At) -> Vec<Way> {
    let At { i, view, .. } = at;
    match need {
        Need::Own(Own::One(records)) => {
            let mut ways = Vec::new();
            for records in groups(records).into_values() {
                let waits = !come_before(levels, view, records.iter().copied());
                ways.push(own(levels, i, &records).waiting(waits));
                if waits && at.now {
                    ways.extend(made_here(levels, needs, &records, at));
                }
            }
            ways
        }
        Need::Own(Own::Last(matching, rest)) => {
            let makers = makers(levels, matching);
            let waits = !come_before(levels, view, matching);
            last(levels, i, view, matching, rest)
                .into_iter()
                .map(|way| Way::new(way, makers.clone()).waiting(waits))
                .collect()
        }
        Need::Primary(_) => knows(levels, needs, (act, need), at).into_iter().collect(),
        Need::Quorum(number) => {
            let mut ways = of_more(levels, needs, (act, *number), at);
            ways.extend(knows(levels, needs, (act, need), at));
            ways.extend(of_two(levels, needs, (act, *number), at));
            ways
        }
    }
}

/// The ways in which a replica makes one of these records as soon as it is in their view.
fn made_here(levels: &mut Levels, needs: &mut Needs, records: &[&Record], at: At) -> Vec<Way> {
    let mut ways = Vec::new();
    for number in makers(levels, records.iter().copied()) {
        let act = levels.ground.acts[number].clone();
        let clear = unclear(levels, &act).is_some_and(|it| it.is_constant());
        if act.letters.v == at.view && act.mode == Mode::Must && clear {
            let did = Way::new(levels.did(number, at.i), [number]);
            let all = ways_of_all(levels, needs, &act, at);
            ways.extend(all.iter().map(|way| did.and(way)));
        }
    }
    ways
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
    at: At,
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
        let known = knows(levels, needs, (act, &Need::Quorum(larger)), at);
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
    at: At,
) -> Option<Way> {
    let At { i, view, .. } = at;
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
        .map(|it| own(levels, i, &it).waiting(!come_before(levels, view, it.iter().copied())));
    let own: Vec<Way> = own.filter(Way::is_possible).collect();
    let [own] = &own[..] else { return None };
    let known = knows(levels, needs, (act, &Need::Primary(proposals)), at)?;
    Some(own.and(&known))
}

pub(super) fn decides(levels: &Levels, act: &Act) -> bool {
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
    let latest = |(&(_, u), records): (&Place, &Vec<&Record>)| {
        let later = rest.iter().filter(|it| it.view > u && it.view <= view);
        levels.makes(i, records.iter().copied()) - levels.makes(i, later)
    };
    groups(matching).iter().map(latest).collect()
}

/// What is done that shows something, by kind and view: of each a replica does one; the acts in it, and
/// the last view whose entry is in it; whether all of it is done in later views than a decision is of.
type Shows = (BTreeMap<(usize, u32), Expr>, (BTreeSet<usize>, u32), bool);

/// What a replica did in that view or an earlier one that shows that it took what meets the need of an
/// act. A primary has what it made itself. What a timer's act needs was
/// taken before it fired, and what a rule needs that the file lists later before it was done: that
/// is asked of what is done in later views than a decision is of.
fn shown_by(
    levels: &Levels,
    needs: &mut Needs,
    (act, need): (&Act, &Need),
    At { i, view, now }: At,
) -> Shows {
    let enters = act.makes.is_none();
    let decides = decides(levels, act);
    let later = |other: &Act| other.timer().is_some() || other.rule > act.rule;
    let is_late = |other: &Act| decides && other.letters.v > act.letters.v;
    let (mut by, mut entered, mut late) = (BTreeSet::new(), 0, decides);
    let mut shows: BTreeMap<(usize, u32), Expr> = BTreeMap::new();
    for number in needs.takers(levels, need) {
        let other = &levels.ground.acts[number];
        let record = made(other);
        let of_view = other.letters.v + u32::from(now) <= view && other.scope == Scope::View;
        let of_view = of_view && !levels.ground.is_final(record.kind);
        // Who took what leads out of a view is not in it in the end.
        let counts = of_view || (enters && !now);
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
        let taken_in = v - u32::from(later(other) && !now);
        let counts = taken_in <= view && v < levels.views && (later(other) || !is_late(other));
        if counts && takes(levels, other, need) && levels.ways(i, v).contains(&way) {
            shows.insert((usize::MAX, way as u32), levels.way(way, i));
            entered = entered.max(v);
            late &= is_late(other);
        }
    }
    if let Need::Primary(records) = need {
        let primaries = &levels.ground.setting.primaries;
        let own = records.iter().filter(|it| primaries[it.view as usize] == i);
        for (&(kind, v), records) in &groups(&own.copied().collect::<Vec<_>>()) {
            let early = || come_before(levels, view, records.iter().copied());
            if now && !early() && !is_made_at_once(levels, (kind, v)) {
                continue;
            }
            *shows.entry((kind.0, v)).or_default() += levels.makes(i, records.iter().copied());
            by.extend(makers(levels, records.iter().copied()));
            late = false;
        }
    }
    shows.retain(|_, shows| shows.terms().next().is_some());
    (shows, (by, entered), late)
}

/// That the replica took what meets the need of an act: nothing if nothing shows it.
fn knows(
    levels: &mut Levels,
    needs: &mut Needs,
    (act, need): (&Act, &Need),
    at: At,
) -> Option<Way> {
    let At { i, view, now } = at;
    let (shows, (by, entered), late) = shown_by(levels, needs, (act, need), at);
    let early = At { now: true, ..at };
    if !now && shown_by(levels, needs, (act, need), early).0 == shows {
        return knows(levels, needs, (act, need), early);
    }
    let way = |term: Expr| Way {
        entered,
        late,
        waits: !now,
        ..Way::new(term, by)
    };
    if shows.len() <= 1 {
        return shows.into_values().next().map(way);
    }
    let next = needs.numbers.len();
    let number = *needs
        .numbers
        .entry((act.rule, need.clone(), now))
        .or_insert(next);
    let key = Key::Knows(number, i, view);
    if let Some(col) = levels.draft.col(&key) {
        return Some(way(col.into()));
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
    Some(way(known))
}
