//! Good views (E70 to E73): all honest replicas are in the view before any acts in it, what they send
//! arrives before timers fire and before it ends, and no rule is left undone for a timer.
//!
//! Rows speak of `good_v` alone, so that a view is as good as it has to be. There is one height, and
//! nobody crashes: honest is who is not Byzantine, and who is makes nothing.

use super::{
    columns::{Key, Slots, record_label},
    left::{View, nothing_left},
    look_up::parted,
};
use crate::{
    expr::Expr,
    ground::{Need, Own, Record},
    group::Group,
    program::{FamilyId, Tag},
};
use milp_schema::protocol::Goes;

/// States which views are good and pass without a decision; their number, at most `up_to`.
pub(super) fn state(slots: &mut Slots, bad: u32, up_to: u32) -> Expr {
    let views = wasted(slots, bad, up_to);
    for view in &views {
        nobody_decides(slots, view);
        entered_first(slots, view);
        delivers(slots, view);
        timers_wait(slots, view);
        if slots.instance.gossip {
            shares(slots, view);
        }
        nothing_left(slots, view);
    }
    views.into_iter().map(|view| view.good).sum()
}

/// `together_v`: all honest replicas get to view v, and all good views before were wasted:
/// `together_v ≤ together_(v−1)`, `together_v ≤ entered_v^T + byzantine`; `good_v`: an honest replica
/// leads it, `together_v − byzantine ≤ good_v ≤ together_v, 1 − byzantine`; `Σ good ≤ up_to`.
fn wasted(slots: &mut Slots, bad: u32, up_to: u32) -> Vec<View> {
    let family = slots
        .draft
        .family("good_view_has_all", "E70", &[], Tag::Goal);
    let mut views = Vec::new();
    let mut before: Option<Expr> = None;
    for v in bad..slots.views {
        let together = slots.goal_column("together", [v, 0, 0]);
        let good = slots.goal_column("good", [v, 0, 0]);
        let primary = slots.at[0].ground.setting.primaries[v as usize];
        let byzantine = slots.byzantine(primary);
        let mut rows = vec![
            ("led".to_owned(), good.clone(), 1 - byzantine.clone()),
            ("in".to_owned(), good.clone(), together.clone()),
            ("is".to_owned(), together.clone() - byzantine, good.clone()),
        ];
        for i in 0..slots.n {
            let there = slots.entered(0, i, v, slots.horizon) + slots.byzantine(i);
            rows.push((format!("i{i}"), together.clone(), there));
        }
        rows.extend(before.map(|before| ("after".to_owned(), together.clone(), before)));
        for (name, left, right) in rows {
            let label = format!("_v{v}_{name}");
            slots.draft.at_most(family, &label, left, right);
        }
        before = Some(together);
        views.push(View { v, good });
    }
    let all = views.iter().map(|view| view.good.clone()).sum();
    slots
        .draft
        .at_most(family, "_most", all, i64::from(up_to).into());
    views
}

impl Slots {
    /// Replica i left view v by slot t; nobody leaves the last one.
    fn left(&self, i: u32, v: u32, t: u32) -> Expr {
        if v + 1 < self.views {
            self.entered(0, i, v + 1, t)
        } else {
            Expr::default()
        }
    }

    /// What replicas send in views up to v, parted so that each makes one of a part at most.
    fn sent_up_to(&self, v: u32) -> Vec<(String, Vec<Record>)> {
        let at = &self.at[0];
        let sent = |it: &&Record| {
            it.view <= v
                && at.ground.setting.rules.kind(it.kind).goes == Goes::Sent
                && !at.ground.is_final(it.kind)
        };
        let sent: Vec<Record> = at.makers.keys().filter(sent).copied().collect();
        let parts = parted(&sent).into_iter();
        let named = parts.map(|((kind, u), part)| (format!("_k{}_v{u}", kind.0), part));
        named.collect()
    }
}

/// Nobody has decided while somebody is in a good view: `decided_i^t + good_v ≤ 1 +
/// entered_(v+1)j^(t−1) + byzantine_j`.
fn nobody_decides(slots: &mut Slots, view: &View) {
    let family = slots.draft.family("nobody_decides", "E70", &[], Tag::Goal);
    for t in slots.slots() {
        for i in 0..slots.n {
            let decided = slots.decided(0, i, t);
            if decided.is_constant() {
                continue;
            }
            for j in 0..slots.n {
                let left = slots.left(j, view.v, t - 1) + slots.byzantine(j);
                let label = format!("_v{}_i{i}_j{j}_t{t}", view.v);
                let both = decided.clone() + view.good.clone();
                slots.draft.at_most(family, &label, both, left + 1);
            }
        }
    }
}

/// All are in it before anybody makes a message of it: `Σ made_i^t + good_v ≤ 1 + entered_vj^t +
/// byzantine_j`.
fn entered_first(slots: &mut Slots, view: &View) {
    let family = slots
        .draft
        .family("good_view_is_entered_first", "E71", &[], Group::PLACE);
    let v = view.v;
    let of_view = |it: &(String, Vec<Record>)| it.1[0].view == v;
    let parts: Vec<_> = slots.sent_up_to(v).into_iter().filter(of_view).collect();
    for (name, part) in parts.iter().filter(|_| v > 0) {
        for t in slots.slots() {
            for (i, j) in slots.pairs() {
                let made = slots.made_any(0, part, i, t);
                if made.is_constant() {
                    continue;
                }
                let there = slots.entered(0, j, v, t) + slots.byzantine(j);
                let label = format!("{name}_i{i}_j{j}_t{t}");
                let both = made + view.good.clone();
                slots.draft.at_most(family, &label, both, there + 1);
            }
        }
    }
}

/// What of a part i sent by a slot and j has not: `Σ made_i^t − Σ got_ji^t`, above 0 for honest i only.
fn under_way(slots: &Slots, part: &[Record], (i, j): (u32, u32), sent: u32, t: u32) -> Expr {
    let got: Expr = part.iter().map(|it| slots.got(0, it, j, i, t)).sum();
    slots.made_any(0, part, i, sent) - got
}

/// What honest replicas send in views up to it arrives by its end: `Σ made_i^T − Σ got_ji^t +
/// entered_(v+1)j^t + good_v ≤ 2 + byzantine_j`, in the last slot whoever is where.
fn delivers(slots: &mut Slots, view: &View) {
    let family = slots
        .draft
        .family("good_view_delivers", "E71", &[], Group::DELIVERY);
    let last = slots.horizon;
    for (name, part) in slots.sent_up_to(view.v) {
        for (i, j) in slots.pairs() {
            if slots.made_any(0, &part, i, last).is_constant() {
                continue;
            }
            for t in slots.slots() {
                let left = if t == last {
                    1.into()
                } else {
                    slots.left(j, view.v, t)
                };
                if t < last && left.is_constant() {
                    continue;
                }
                let missing = under_way(slots, &part, (i, j), last, t);
                let label = format!("_g{}{name}_i{i}_j{j}_t{t}", view.v);
                let sum = missing + left + view.good.clone();
                let right = slots.byzantine(j) + 2;
                slots.draft.at_most(family, &label, sum, right);
            }
        }
    }
}

/// Timers wait for all to be there and for what is under way, but for what is sent on firings:
/// `Δ_i^t ≤ fires_v^t ≤ Σ Δ^t` over the deeds of timers of the view; `fires_v^t + good_v ≤ 1 + entered_vj^t +
/// byzantine_j`; `fires_v^t + good_v + Σ made_i^t − Σ got_ji^t ≤ 2 + fired_i^t + byzantine_j`.
fn timers_wait(slots: &mut Slots, view: &View) {
    let v = view.v;
    let defines = slots
        .draft
        .family("firing_defines_fires", "E71", &[], Tag::Goal);
    let waits = slots
        .draft
        .family("good_view_holds_timers", "E71", &[], Group::TIMERS);
    let deeds = 0..slots.at[0].deeds.len();
    let fires: Vec<usize> = deeds
        .filter(|deed| slots.timer_of(0, *deed).is_some_and(|(_, of)| of == v))
        .collect();
    let parts = slots.sent_up_to(v);
    for t in slots.slots() {
        let mut any = Expr::default();
        for &deed in &fires {
            for i in 0..slots.n {
                let now = slots.does_in(0, deed, i, t);
                if now.is_constant() {
                    continue;
                }
                any += now.clone();
                let label = format!("_{deed}_i{i}_t{t}");
                let column = slots.goal_column("fires", [v, t, 0]);
                slots.draft.at_most(defines, &label, now, column);
            }
        }
        if any.is_constant() {
            continue;
        }
        let fires = slots.goal_column("fires", [v, t, 0]);
        let label = format!("_v{v}_t{t}");
        slots.draft.at_most(defines, &label, fires.clone(), any);
        let fires = fires + view.good.clone();
        for j in (0..slots.n).filter(|_| v > 0) {
            let there = slots.entered(0, j, v, t) + slots.byzantine(j);
            let label = format!("_v{v}_j{j}_t{t}");
            slots.draft.at_most(waits, &label, fires.clone(), there + 1);
        }
        for (name, part) in &parts {
            all_there(slots, waits, (v, &fires), (name, part), t);
        }
    }
}

/// The rows of a part of what is sent: one for what messages make, one for what is made on firings.
fn all_there(
    slots: &mut Slots,
    family: FamilyId,
    (v, fires): (u32, &Expr),
    (name, part): (&str, &[Record]),
    t: u32,
) {
    for (i, j) in slots.pairs() {
        for (on, made, fired) in by_cause(slots, part, i, t) {
            let got: Expr = part.iter().map(|it| slots.got(0, it, j, i, t)).sum();
            let sum = fires.clone() + made - got;
            let right = fired + slots.byzantine(j) + 2;
            let label = format!("_g{v}{name}_i{i}_j{j}_t{t}_{on}");
            slots.draft.at_most(family, &label, sum, right);
        }
    }
}

/// What i made of a part by slot t, by what made it, and whether that was a firing of the slot: the
/// firing itself, one that made the own record which the deed asks for, or none.
fn by_cause(slots: &Slots, part: &[Record], i: u32, t: u32) -> Vec<(u32, Expr, Expr)> {
    let makers = part.iter().filter_map(|it| slots.at[0].makers.get(it));
    let mut plain = Expr::default();
    let (mut firing, mut fired) = (Expr::default(), Expr::default());
    let mut causes = Vec::new();
    for &deed in makers.flatten() {
        let did = slots.did(0, deed, i, t);
        if did.is_constant() {
            continue;
        }
        if slots.timer_of(0, deed).is_some() {
            firing += did;
            fired += slots.does_in(0, deed, i, t);
            continue;
        }
        let behind = behind(slots, deed, i, t);
        if behind.is_constant() {
            plain += did;
        } else {
            causes.push((2 + deed as u32, did, behind));
        }
    }
    causes.extend([(0, plain, Expr::default()), (1, firing, fired)]);
    causes.retain(|(_, made, _)| !made.is_constant());
    causes
}

/// The firings of a slot that make what a deed asks for, one record of a kind and view: it comes
/// behind them.
fn behind(slots: &Slots, deed: usize, i: u32, t: u32) -> Expr {
    let one = |need: &Need| match need {
        Need::Own(Own::One(records)) if parted(records).len() == 1 => Some(records.clone()),
        _ => None,
    };
    let Some(records) = slots.deed(0, deed).act.needs.iter().find_map(one) else {
        return Expr::default();
    };
    let makers = records.iter().filter_map(|it| slots.at[0].makers.get(it));
    let fires = makers
        .flatten()
        .filter(|it| slots.timer_of(0, **it).is_some());
    fires.map(|&it| slots.does_in(0, it, i, t)).sum()
}

/// What of a Byzantine replica one honest one gets before it leaves the view all have when they do:
/// `got_ij^t − entered_(v+1)i^(t−1) + byzantine_j ≤ 1 + shared + byzantine_i`, `shared +
/// entered_(v+1)k^t + good_v ≤ 2 + got_kj^t + byzantine_k`, in the last slot whoever is where.
fn shares(slots: &mut Slots, view: &View) {
    let family = slots
        .draft
        .family("good_view_shares", "E72", &[], Group::DELIVERY);
    let (v, last) = (view.v, slots.horizon);
    for record in 0..slots.at[0].records.len() {
        let it = slots.at[0].records[record];
        for j in 0..slots.n {
            if !slots.may_forge(0, &it, j) {
                continue;
            }
            let name = format!("shared_j{j}_g{v}_{record}");
            let shared: Expr = slots
                .draft
                .add(Key::Shared { record, j, v }, name, 1)
                .into();
            for i in (0..slots.n).filter(|&i| i != j) {
                for t in slots.slots() {
                    let got = slots.got(0, &it, i, j, t);
                    if got.is_constant() {
                        continue;
                    }
                    let label = format!("_g{v}_i{i}_j{j}{}_{record}_t{t}", record_label(&it));
                    let here = got.clone() - slots.left(i, v, t - 1) + slots.byzantine(j);
                    let right = shared.clone() + slots.byzantine(i) + 1;
                    slots.draft.at_most(family, &label, here, right);
                    let left = if t == last {
                        1.into()
                    } else {
                        slots.left(i, v, t)
                    };
                    let sum = shared.clone() + left + view.good.clone();
                    let right = got + slots.byzantine(i) + 2;
                    slots
                        .draft
                        .at_most(family, &format!("{label}_all"), sum, right);
                }
            }
        }
    }
}
