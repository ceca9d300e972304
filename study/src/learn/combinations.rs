//! Combinations of facts that are there or not: all of some, those near by, and some drawn.

use milp_schema::ReplicaId;
use std::collections::BTreeMap;

/// How many combinations are drawn.
const DRAWN: u64 = 600;

/// Every set of so many of these facts, and no other fact.
pub(super) fn subsets(nothing: &[bool], of: &[usize], size: usize) -> Vec<Vec<bool>> {
    let Some((first, others)) = of.split_first() else {
        return if size == 0 {
            vec![nothing.to_vec()]
        } else {
            vec![]
        };
    };
    if size == 0 {
        return vec![nothing.to_vec()];
    }
    let mut with = nothing.to_vec();
    with[*first] = true;
    let mut sets = subsets(&with, others, size - 1);
    sets.extend(subsets(nothing, others, size));
    sets
}

/// Every combination of the free facts.
pub(super) fn all(base: &[bool], free: &[usize]) -> Vec<Vec<bool>> {
    let ways = 0..1_u32 << free.len();
    ways.map(|way| {
        let mut held = base.to_vec();
        for (bit, &at) in free.iter().enumerate() {
            held[at] ^= way >> bit & 1 == 1;
        }
        held
    })
    .collect()
}

/// The situation; each free fact the other way round; and each two of them.
pub(super) fn nearby(base: &[bool], free: &[usize]) -> Vec<Vec<bool>> {
    let flip = |held: &[bool], at: usize| {
        let mut held = held.to_vec();
        held[at] = !held[at];
        held
    };
    let mut ways = vec![base.to_vec()];
    ways.extend(free.iter().map(|&at| flip(base, at)));
    for (number, &one) in free.iter().enumerate() {
        let others = free[..number].iter();
        ways.extend(others.map(|&other| flip(&flip(base, one), other)));
    }
    ways
}

/// Combinations drawn: a few, some or half of the free facts the other way round, or few, half or
/// most of them there.
pub(super) fn drawn(base: &[bool], free: &[usize]) -> Vec<Vec<bool>> {
    let mut random = Random(0);
    let draw = |draw| {
        let mut held = base.to_vec();
        let flips = draw % 2 == 0;
        let in_eight = [1, 2, 4][(draw / 2 % 3) as usize];
        let in_eight = if flips { in_eight } else { 2 * in_eight - 1 };
        for &at in free {
            let drawn = random.below(8) < in_eight;
            held[at] = if flips { held[at] != drawn } else { drawn };
        }
        held
    };
    (0..DRAWN).map(draw).collect()
}

/// A seeded generator (splitmix64): the same seed gives the same tests for ever.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// Uniform in 0..bound, but for a bias below one in 2^32.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % u64::from(bound)) as u32
    }

    /// Other names within a set of replicas.
    pub(super) fn renaming(&mut self, equal: &[ReplicaId]) -> BTreeMap<ReplicaId, ReplicaId> {
        let mut names = equal.to_vec();
        for last in (1..names.len()).rev() {
            let other = self.below(last as u32 + 1) as usize;
            names.swap(last, other);
        }
        equal.iter().copied().zip(names).collect()
    }
}
