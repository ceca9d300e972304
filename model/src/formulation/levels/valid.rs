//! Valid rows: two quorums share an honest sender, and what one cannot do, both cannot be.
//!
//! Let q₁ + q₂ > n + B. Then some honest replica sent a record of each quorum. If one of the two
//! bars the other, or a later record that lifts the bar needs a third quorum, then of the two quorums
//! one is missing or a third is there: `complete₁ + complete₂ ≤ 1 + Σ complete₃`.

use super::columns::{Key, Levels, group, made};
use crate::{
    expr::Expr,
    ground::{Need, Own, Record},
    group::Group,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many own records lead from a record to what it needs of others.
const DEPTH: u32 = 3;

/// What the proofs rest on.
const RESTS_ON: &[Group] = &[
    Group::LOCK,
    Group::PREPARATIONS,
    Group::COMMITS,
    Group::CHANGE_VIEWS,
    Group::SILENCE,
    Group::ONE_PROPOSAL,
    Group::ONE_RESPONSE,
    Group::ONE_REQUEST,
    Group::ONE_DECISION,
    Group::PROPOSAL,
    Group::STOPS,
];

/// Quorums, one of which is there.
type Some3 = Option<BTreeSet<usize>>;

pub(super) fn state(levels: &mut Levels) {
    one_value(levels);
    pairs(levels);
    if levels.ground.setting.rules.chain {
        parents(levels);
    }
}

/// The quorums of one value or none in one view.
fn plain(levels: &Levels) -> Vec<usize> {
    let one = |number: &usize| {
        let records = &levels.ground.quorums[*number].records;
        let same = |it: &Record| (it.view, it.value) == (records[0].view, records[0].value);
        levels.draft.col(&Key::Complete(*number)).is_some() && records.iter().all(same)
    };
    (0..levels.ground.quorums.len()).filter(one).collect()
}

/// Whether two quorums share an honest sender.
fn share(levels: &Levels, first: usize, second: usize) -> bool {
    let at_least = |number: usize| levels.ground.quorums[number].at_least;
    let most = levels.ground.setting.total() + levels.most_byzantine;
    at_least(first) + at_least(second) > most
}

/// Of one kind and view at most one value has a quorum, and of a value one justification:
/// `Σ complete ≤ 1` over quorums that share no record.
fn one_value(levels: &mut Levels) {
    let family = levels
        .draft
        .family("one_value_has_a_quorum", "E6", &[], RESTS_ON);
    let mut same: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for number in plain(levels) {
        let quorum = &levels.ground.quorums[number];
        let groups: BTreeSet<_> = quorum.records.iter().map(group).collect();
        let first = groups.first().copied().filter(|_| groups.len() == 1);
        if let (Some(place), true) = (first, share(levels, number, number)) {
            let apart = |it: &Record| !quorum.records.contains(it);
            let others = same.entry(place).or_default();
            let mut records = others.iter().map(|&it| &levels.ground.quorums[it].records);
            if records.all(|it| it.iter().all(apart)) {
                others.push(number);
            }
        }
    }
    for ((kind, v), numbers) in same {
        let all: Expr = numbers.iter().map(|&it| levels.complete(it)).sum();
        levels.at_most(family, &format!("_k{}_v{v}", kind.0), all, 1.into());
    }
}

/// A block with a certificate extends one that has one: behind the quorum is an honest sender, who
/// needed a quorum for its parent, `complete₁ ≤ Σ complete₃`.
fn parents(levels: &mut Levels) {
    let family = levels
        .draft
        .family("quorum_extends_a_quorum", "E6", &[], RESTS_ON);
    for number in plain(levels) {
        let quorum = &levels.ground.quorums[number];
        if quorum.at_least <= levels.most_byzantine {
            continue;
        }
        let shown = union(quorum.records.iter().map(|it| shows(levels, it, DEPTH)));
        let Some(shown) = shown.filter(|it| !it.contains(&number)) else {
            continue;
        };
        let any: Expr = shown.iter().map(|&it| levels.complete(it)).sum();
        let one = levels.complete(number);
        levels.at_most(family, &format!("_m{number}"), one, any);
    }
}

fn pairs(levels: &mut Levels) {
    let family = levels
        .draft
        .family("quorums_share_an_honest_sender", "E6", &[], RESTS_ON);
    let plain = plain(levels);
    for (at, &first) in plain.iter().enumerate() {
        for &second in &plain[at + 1..] {
            let thirds = if share(levels, first, second) {
                both(levels, first, second)
            } else {
                None
            };
            let Some(thirds) = thirds.filter(|it| !it.contains(&first) && !it.contains(&second))
            else {
                continue;
            };
            let two = levels.complete(first) + levels.complete(second);
            let third: Expr = thirds.iter().map(|&it| levels.complete(it)).sum();
            levels.at_most(family, &format!("_m{first}_m{second}"), two, third + 1);
        }
    }
}

/// What an honest replica that sent a record of each quorum shows.
fn both(levels: &Levels, first: usize, second: usize) -> Some3 {
    let records = |number: usize| levels.ground.quorums[number].records.iter();
    let mut thirds = BTreeSet::new();
    for one in records(first) {
        for other in records(second) {
            if one == other && levels.makers.contains_key(one) {
                return None;
            }
            thirds.extend(made_both(levels, one, other, DEPTH)?);
        }
    }
    Some(thirds)
}

/// What a replica that made both records shows.
fn made_both(levels: &Levels, one: &Record, other: &Record, depth: u32) -> Some3 {
    let place = |record: &Record| levels.ground.place(record);
    let (one, other) = if place(one) <= place(other) {
        (one, other)
    } else {
        (other, one)
    };
    if !levels.makers.contains_key(one) {
        return Some(BTreeSet::new());
    }
    let makers = levels.makers.get(other).into_iter().flatten();
    union(makers.map(|&act| did_after(levels, one, act, depth)))
}

fn union(all: impl Iterator<Item = Some3>) -> Some3 {
    let mut union = BTreeSet::new();
    for one in all {
        union.extend(one?);
    }
    Some(union)
}

/// What a replica that made a record and did an act of a higher level shows: nothing is possible,
/// or one of these quorums is there.
fn did_after(levels: &Levels, record: &Record, number: usize, depth: u32) -> Some3 {
    let act = &levels.ground.acts[number];
    if made(act) == *record {
        return None;
    }
    if group(&made(act)) == group(record) {
        return Some(BTreeSet::new());
    }
    let mut ways: Vec<BTreeSet<usize>> = Vec::new();
    for bar in &act.bars {
        match bar {
            Own::One(records) if records.contains(record) => return Some(BTreeSet::new()),
            Own::Last(matching, rest) if matching.contains(record) => {
                let lifts = rest
                    .iter()
                    .filter(|it| it.view > record.view && it.view < act.letters.v);
                let shown = union(lifts.map(|it| shows(levels, it, DEPTH)));
                ways.extend(shown);
            }
            _ => {}
        }
    }
    if depth > 0 {
        let own = |need: &Need| match need {
            Need::Own(Own::One(records)) => Some(records.clone()),
            _ => None,
        };
        // What the act needs of the own past is barred, or what the record needed bars the act.
        let needed = act.needs.iter().filter_map(own);
        ways.extend(needed.filter_map(|records| {
            union(
                records
                    .iter()
                    .map(|it| made_both(levels, record, it, depth - 1)),
            )
        }));
        let makers = levels.makers[record].iter();
        ways.extend(union(makers.map(|&maker| {
            let mut needed = levels.ground.acts[maker].needs.iter().filter_map(own);
            needed.find_map(|records| {
                let before = records.iter().filter(|it| levels.makers.contains_key(it));
                union(before.map(|it| did_after(levels, it, number, depth - 1)))
            })
        })));
    }
    let least = ways.into_iter().min_by_key(BTreeSet::len);
    least.or_else(|| act_shows(levels, number, depth))
}

/// Quorums of which one is there if a record is made.
fn shows(levels: &Levels, record: &Record, depth: u32) -> Some3 {
    let makers = levels.makers.get(record).into_iter().flatten();
    union(makers.map(|&act| act_shows(levels, act, depth)))
}

fn act_shows(levels: &Levels, number: usize, depth: u32) -> Some3 {
    let act = &levels.ground.acts[number];
    let needs = &act.needs;
    let quorum = act.asks().find_map(|need| match need {
        Need::Quorum(number) => Some(BTreeSet::from([*number])),
        _ => None,
    });
    quorum.or_else(|| {
        let below = depth.checked_sub(1)?;
        needs.iter().find_map(|need| match need {
            Need::Own(Own::One(records)) => {
                union(records.iter().map(|it| shows(levels, it, below)))
            }
            _ => None,
        })
    })
}
