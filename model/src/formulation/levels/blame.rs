//! Goal `blame`: what honest replicas have of Byzantine ones, and whom it proves guilty.
//!
//! A record of a Byzantine replica has one column whoever has it, because honest replicas put together
//! what they have: who gets it from one replica could get it from all.

use super::columns::{Key, Levels};
use crate::{
    expr::Expr,
    formulation::meet::RESTS_ON,
    ground::{Guilt, Record},
    group::Group,
    program::Tag,
};
use milp_schema::instance::{FaultKind, Goal};
use std::collections::{BTreeMap, BTreeSet};

/// How many blocks are decided where somebody is to blame.
const BLOCKS: i64 = 2;

/// The columns `held_j` and `forged_m_j`: `held ≤ byzantine`, `forged ≤ Σ held`, `forged ≤ byzantine`.
pub(super) fn columns(levels: &mut Levels) {
    if levels.instance.goal != Goal::Blame {
        return;
    }
    let family = levels
        .draft
        .family("held_requires_byzantine", "E9", &[], Group::SIGNATURES);
    let mut records = BTreeSet::new();
    let acts = levels.ground.all();
    for need in acts.flat_map(crate::ground::Act::asks) {
        records.extend(need.taken(&levels.ground).iter().copied());
    }
    let byzantine = |levels: &Levels| -> Vec<u32> {
        let may = |i: &u32| levels.instance.may_be(FaultKind::Byzantine, *i);
        (0..levels.n).filter(may).collect()
    };
    for j in byzantine(levels) {
        for record in &records {
            if !levels.ground.setting.may_make(record, j) {
                continue;
            }
            let name = format!("held_{}", levels.words(record, j));
            let held = levels.draft.add(Key::Held(*record, j), name, 1).into();
            let label = format!("_{}", levels.words(record, j));
            let faulty = levels.byzantine(j);
            levels.at_most(family, &label, held, faulty);
        }
    }
    let quorums = levels.ground.quorums.len();
    for number in (0..quorums)
        .filter(|it| levels.draft.col(&Key::Complete(*it)).is_some())
        .collect::<Vec<_>>()
    {
        for j in byzantine(levels) {
            let records = levels.ground.quorums[number].records.clone();
            let held = records
                .iter()
                .map(|it| levels.draft.get(&Key::Held(*it, j)));
            let held: Expr = held.sum();
            let name = format!("forged_m{number}_i{j}");
            let forged: Expr = levels.draft.add(Key::Forged(number, j), name, 1).into();
            let label = format!("_m{number}_i{j}");
            levels.at_most(family, &label, forged.clone(), held);
            let faulty = levels.byzantine(j);
            levels.at_most(family, &format!("{label}_byzantine"), forged, faulty);
        }
    }
}

/// The number of the guilty: `held_a + held_b ≤ 1 + guilty` of every two records that convict, where
/// `Σ block ≥ 2`.
pub(super) fn state(levels: &mut Levels, blocks: Vec<Expr>) -> Expr {
    let family = levels.draft.family("two_blocks", "E74", &[], Tag::Goal);
    levels.at_most(family, "", BLOCKS.into(), blocks.into_iter().sum());
    let family = levels
        .draft
        .family("guilty_by_two_records", "E74", &[], Tag::Goal);
    let mut held: BTreeMap<u32, Vec<Record>> = BTreeMap::new();
    for key in levels.draft.in_order() {
        if let Key::Held(record, j) = *key {
            held.entry(j).or_default().push(record);
        }
    }
    let pairs = convicting(levels, &held);
    let (mut all, mut power) = (Expr::default(), Expr::default());
    for (j, pairs) in pairs {
        let key = Key::OfReplica("guilty", j, 0);
        let guilty: Expr = levels.draft.add(key, format!("guilty_i{j}"), 1).into();
        for (first, second) in pairs {
            let label = format!("_{}_{}", levels.words(&first, j), levels.words(&second, j));
            let of = |it: Record| levels.draft.get(&Key::Held(it, j));
            let both = of(first) + of(second);
            levels.at_most(family, &label, both, guilty.clone() + 1);
        }
        power += guilty.clone() * levels.power(j);
        all += guilty;
    }
    quorums_convict(levels, &power);
    all
}

/// Of two quorums of which any two records convict, who is in both is guilty:
/// `(q₁ + q₂ − n) · (complete₁ + complete₂ − 1) ≤ Σ power · guilty`.
fn quorums_convict(levels: &mut Levels, guilty: &Expr) {
    let family = levels
        .draft
        .family("two_quorums_convict", "E74", &[], RESTS_ON);
    let guilt = Guilt::new(&levels.ground);
    let quorums = &levels.ground.quorums;
    let total = i64::from(levels.ground.setting.total());
    let asked = |it: &usize| levels.draft.col(&Key::Complete(*it)).is_some();
    let asked: Vec<usize> = (0..quorums.len()).filter(asked).collect();
    let convict = |first: usize, second: usize| {
        let all = |j| {
            let may = |it: &&Record| levels.ground.setting.may_make(it, j);
            quorums[first].records.iter().filter(may).all(|first| {
                let others = quorums[second].records.iter().filter(may);
                others
                    .into_iter()
                    .all(|second| guilt.convicts(j, first, second))
            })
        };
        (0..levels.n).all(all)
    };
    let mut rows = Vec::new();
    for (at, &first) in asked.iter().enumerate() {
        for &second in &asked[at + 1..] {
            let [one, other] = [first, second].map(|it| i64::from(quorums[it].at_least));
            let both = one + other - total;
            if both > 0 && convict(first, second) {
                rows.push((first, second, both));
            }
        }
    }
    for (first, second, both) in rows {
        let two = levels.complete(first) + levels.complete(second) + -1;
        levels.at_most(
            family,
            &format!("_m{first}_m{second}"),
            two * both,
            guilty.clone(),
        );
    }
}

/// Of each replica the pairs that convict it.
fn convicting(
    levels: &Levels,
    held: &BTreeMap<u32, Vec<Record>>,
) -> BTreeMap<u32, Vec<(Record, Record)>> {
    let guilt = Guilt::new(&levels.ground);
    let of = |(&j, records): (&u32, &Vec<Record>)| {
        let pairs = records.iter().enumerate();
        let pairs = pairs.flat_map(|(at, first)| {
            let rest = records[at + 1..].iter();
            rest.map(move |second| (*first, *second))
        });
        let convicts = |(first, second): &(Record, Record)| guilt.convicts(j, first, second);
        (j, pairs.filter(convicts).collect())
    };
    held.iter().map(of).collect()
}
