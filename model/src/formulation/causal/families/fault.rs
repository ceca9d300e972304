//! Who is faulty (§8.8), and what Byzantine replicas make.

use super::super::columns::{Causal, FAULTS};
use crate::{expr::Expr, group::Group, left_out::LeftOut};
use milp_schema::instance::{Fault, FaultKind};

/// Who is faulty, how many, and what the Byzantine ones make.
pub(in super::super) fn faults(causal: &mut Causal) {
    at_most(causal);
    in_one_way(causal);
    crash_requires_fault(causal);
    makes(causal);
    votes_once(causal);
    injects_at_most(causal);
}

/// At most the instance's number of replicas is faulty in each way: `Σ_i faulty_i ≤ count`.
fn at_most(causal: &mut Causal) {
    for (kind, name) in FAULTS {
        let faults = causal.instance.faults.iter();
        let count: u32 = faults
            .filter(|fault| fault.kind == kind)
            .map(Fault::count)
            .sum();
        let family = causal
            .draft
            .family(&format!("{name}_at_most"), "E9", &[], Group::BUDGET);
        let all: Expr = (0..causal.n).map(|i| causal.faulty(kind, i)).sum();
        causal
            .draft
            .at_most(family, "", all, i64::from(count).into());
    }
}

/// A replica is faulty in one way only: `Σ_kinds faulty_i ≤ 1`.
fn in_one_way(causal: &mut Causal) {
    let family = causal
        .draft
        .family("faulty_in_one_way", "E9", &[], Group::CRASHES);
    for i in 0..causal.n {
        let kinds = FAULTS.iter().map(|&(kind, _)| causal.faulty(kind, i));
        causal
            .draft
            .at_most(family, &format!("_i{i}"), kinds.sum(), 1.into());
    }
}

/// Only a crash-faulty or network-faulty replica crashes: `crashed_i ≤ crashing_i +
/// disconnected_i`. It does so after all it does: nobody sees a crash, so later is the same.
fn crash_requires_fault(causal: &mut Causal) {
    let family = causal
        .draft
        .family("crash_requires_fault", "E12", &[], Group::CRASHES);
    for i in 0..causal.n {
        let may = causal.faulty(FaultKind::Crash, i) + causal.faulty(FaultKind::Network, i);
        causal
            .draft
            .at_most(family, &format!("_i{i}"), causal.crashed(i), may);
    }
}

/// Only a Byzantine replica makes messages of its own, `made_j ≤ byzantine_j`, and one about view v
/// or a later one is there if one about some such view is: `made_u ≤ later_v ≤ Σ_(u≥v) made_u`.
fn makes(causal: &mut Causal) {
    if !causal.makes_for_all() {
        return;
    }
    let requires = causal
        .draft
        .family("make_requires_byzantine", "E11", &[], Group::SIGNATURES);
    let defines = causal
        .draft
        .family("make_defines_make_later", "E11", &[], Group::MEMORY);
    for c in 0..causal.protocol.channels.len() {
        for j in 0..causal.n {
            for v in 0..causal.views {
                for b in causal.channel_blocks(c, v) {
                    let made = causal.made(c, j, v, b);
                    let label = format!("_{c}_i{j}_v{v}_b{b}");
                    causal
                        .draft
                        .at_most(requires, &label, made, causal.byzantine(j));
                }
                if !causal.asked_later(c).contains(&v) || v + 1 == causal.views {
                    continue;
                }
                let later = causal.made_later(c, j, v);
                let mut any = Expr::default();
                for u in v..causal.views {
                    let made = causal.made(c, j, u, 0);
                    let label = format!("_{c}_i{j}_v{v}_u{u}");
                    causal
                        .draft
                        .at_most(defines, &label, made.clone(), later.clone());
                    any += made;
                }
                causal
                    .draft
                    .at_most(defines, &format!("_{c}_i{j}_v{v}"), later, any);
            }
        }
    }
}

/// Where acceptance is guarded a Byzantine replica makes one binding message for everybody, the first
/// being the only one that counts: `Σ made_j ≤ 1` over all views and blocks.
fn votes_once(causal: &mut Causal) {
    let Some(parts) = causal.order.guarded.clone() else {
        return;
    };
    if !causal.makes_for_all() {
        return;
    }
    let family = causal
        .draft
        .leaves_out("byzantine_votes_once", LeftOut::SecondByzantineVote);
    let kind = causal.events[parts.binds].broadcasts;
    let c = causal.channel(&kind.expect("parts broadcast"));
    for j in 0..causal.n {
        let views = 0..causal.views;
        let places = views.flat_map(|v| causal.channel_blocks(c, v).map(move |b| (v, b)));
        let all: Expr = places.map(|(v, b)| causal.made(c, j, v, b)).sum();
        causal
            .draft
            .at_most(family, &format!("_i{j}"), all, 1.into());
    }
}

/// At most so many messages are put into the pool by Byzantine replicas: `Σ made ≤ most`.
fn injects_at_most(causal: &mut Causal) {
    let Some(most) = causal.instance.budget.injects else {
        return;
    };
    let family = causal
        .draft
        .family("inject_at_most", "E9", &[], Group::BUDGET);
    let mut total = Expr::default();
    for c in 0..causal.protocol.channels.len() {
        for j in 0..causal.n {
            for v in 0..causal.views {
                for b in causal.channel_blocks(c, v) {
                    total += causal.made(c, j, v, b);
                }
            }
        }
    }
    causal
        .draft
        .at_most(family, "", total, i64::from(most).into());
}
