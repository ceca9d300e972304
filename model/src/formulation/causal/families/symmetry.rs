//! Replicas with the same part.

use super::super::columns::{Causal, FAULTS};
use crate::{expr::Expr, program::Tag};
use milp_schema::instance::Who;

/// Of replicas that are primary of no view, with the same possible faults, those with a lower index
/// are faulty, get further and lock first: `key_i ≥ key_k` for i < k with
/// `key = Σ_kinds V(V + 3) · faulty + Σ_w (V + 1) · entered_w + Σ_v (v + 1) · lock_v`.
///
/// Exchanging two of them gives the same execution under other names, so one of them is in order.
pub(in super::super) fn symmetry(causal: &mut Causal) {
    let primaries: Vec<u32> = (0..causal.views).map(|v| causal.primary(v)).collect();
    let named = |i: u32| {
        let faults = causal.instance.faults.iter();
        let listed = |who: &Who| match who {
            Who::Any(_) | Who::Power(_) => false,
            Who::These(replicas) => replicas.iter().any(|replica| replica.0 == i),
        };
        faults.map(|fault| listed(&fault.who)).collect::<Vec<_>>()
    };
    let class: Vec<(u32, Vec<bool>)> = (0..causal.n)
        .filter(|i| !primaries.contains(i))
        .map(|i| (i, named(i)))
        .collect();
    let family = causal
        .draft
        .family("same_part_in_order", "E13", &[], Tag::Symmetry);
    for (i, named) in &class {
        let next = class.iter().find(|(k, other)| k > i && other == named);
        if let Some((k, _)) = next {
            let (first, second) = (key(causal, *i), key(causal, *k));
            causal
                .draft
                .at_most(family, &format!("_i{i}_k{k}"), second, first);
        }
    }
}

fn key(causal: &Causal, i: u32) -> Expr {
    let views = i64::from(causal.views);
    let mut key = Expr::default();
    for (kind, _) in FAULTS {
        key += causal.faulty(kind, i) * (views * (views + 3));
    }
    for w in 1..causal.views {
        key += causal.entered(i, w) * (views + 1);
    }
    let locks = causal
        .protocol
        .enter()
        .map_or(&[][..], |enter| &enter.excludes);
    for name in locks {
        let lock = causal.event(name);
        for v in 0..causal.views {
            key += causal.did_in_view(lock, i, v) * i64::from(v + 1);
        }
    }
    key
}
