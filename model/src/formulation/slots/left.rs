//! What timers are no excuse for in a good view: an act that must be done, that honest replicas sent
//! enough for, and whose place or bars only firings of the view took.

use super::{
    acts::{Seat, family},
    columns::{Deed, Key, Slots},
    look_up::parted,
};
use crate::{
    expr::Expr,
    ground::{Need, Own, Record},
    group::Group,
};
use milp_schema::protocol::Scope;

/// A view that is to be good.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) v: u32,
    /// `good_v`.
    pub(super) good: Expr,
}

/// Whether a deed of a timer of view v.
fn is_fired(slots: &Slots, deed: usize, v: u32) -> bool {
    let fired = |it: &Deed| it.act.timer().is_some() && it.view() == v;
    fired(slots.deed(0, deed))
}

/// The rows of a good view, one for each way to meet the needs in the end: `good_v + Σ met ≤ needs +
/// done + barred + byzantine_i`, firings of the view aside.
pub(super) fn nothing_left(slots: &mut Slots, view: &View) {
    for deed in 0..slots.at[0].deeds.len() {
        let it = slots.deed(0, deed);
        let makes = it.makes().is_some() && it.is_must() && it.act.scope == Scope::View;
        if !makes || it.view() != view.v || !may_be_left(slots, deed, view.v) {
            continue;
        }
        for i in 0..slots.n {
            let seat = Seat { h: 0, deed, i };
            if seat.is_told(slots) {
                left(slots, view, seat);
            }
        }
    }
}

/// Whether a firing of the view can take the place of a deed, or bar it.
fn may_be_left(slots: &Slots, deed: usize, v: u32) -> bool {
    let mut others = excusing(slots, deed, v);
    others.any(|it| is_fired(slots, it, v))
}

/// What takes the place of a deed of view v, or bars it as one of several own records.
fn excusing(slots: &Slots, deed: usize, v: u32) -> impl Iterator<Item = usize> {
    let it = slots.deed(0, deed);
    let place = it.makes().map(|it| (it.kind, it.view));
    let bars = it.act.bars.iter().filter(|bar| matches!(bar, Own::One(_)));
    let bars: Vec<Record> = bars.flat_map(Own::matching).copied().collect();
    let excuses = move |record: &Record| {
        Some((record.kind, record.view)) == place || (record.view <= v && bars.contains(record))
    };
    let makers = slots.at[0].makers.iter();
    makers
        .filter(move |(record, _)| excuses(record))
        .flat_map(|(_, deeds)| deeds)
        .copied()
}

fn left(slots: &mut Slots, view: &View, seat: Seat) {
    let Seat { deed, i, .. } = seat;
    let last = slots.horizon;
    let mut ways = vec![(0, Expr::default())];
    for need in slots.deed(0, deed).act.needs.clone() {
        let met = met(slots, view.v, &need, i);
        let both = |(count, sum): &(i64, Expr)| {
            let (count, sum) = (*count, sum.clone());
            let more = move |one: &Expr| (count + 1, sum.clone() + one.clone());
            met.iter().map(more).collect::<Vec<_>>()
        };
        ways = ways.iter().flat_map(both).collect();
    }
    let mut excuse: Expr = excusing(slots, deed, view.v)
        .filter(|&it| !is_fired(slots, it, view.v))
        .map(|it| slots.did(0, it, i, last))
        .sum();
    for bar in &slots.deed(0, deed).act.bars {
        if matches!(bar, Own::Last(..)) {
            excuse += slots.own(0, bar, i, last).into_iter().sum::<Expr>();
        }
    }
    let family = family(slots, seat, "is_not_left", Some("E73"), Group::PROMPT);
    for (number, (count, met)) in ways.into_iter().enumerate() {
        let label = format!("_g{}{}_{number}", view.v, seat.label(slots, last));
        let sum = view.good.clone() + met - slots.byzantine(i);
        slots
            .draft
            .at_most(family, &label, sum, excuse.clone() + count);
    }
}

/// The ways in which a need of replica i is met when a good view ends, by what honest replicas sent and
/// what it made itself, but on firings of the view.
fn met(slots: &mut Slots, v: u32, need: &Need, i: u32) -> Vec<Expr> {
    let last = slots.horizon;
    let mut met = match need {
        Need::Own(own @ Own::Last(..)) => slots.own(0, own, i, last),
        Need::Own(Own::One(records)) => {
            let parts = parted(records).into_values();
            parts.map(|part| unfired(slots, v, &part, i)).collect()
        }
        Need::Primary(records) => {
            let primaries = &slots.at[0].ground.setting.primaries;
            let sent = |it: &Record| slots.made(0, it, primaries[it.view as usize], last);
            vec![records.iter().map(sent).sum()]
        }
        Need::Quorum(quorum) => vec![enough(slots, v, *quorum, i)],
    };
    met.retain(|way| !way.is_constant() || way.constant() > 0);
    met
}

/// Replica i made one of the records in the end, not on a firing of view v.
fn unfired(slots: &Slots, v: u32, records: &[Record], i: u32) -> Expr {
    let makers = records.iter().filter_map(|it| slots.at[0].makers.get(it));
    let unfired = makers.flatten().filter(|it| !is_fired(slots, **it, v));
    unfired.map(|&it| slots.did(0, it, i, slots.horizon)).sum()
}

/// `enough`: what honest replicas sent, and i made, is a quorum: `q · enough ≤ Σ power · sends ≤ q − 1 +
/// (m − q + 1) · enough` with m all of it, and `made ≤ sends ≤ Σ made` over kinds and views.
fn enough(slots: &mut Slots, v: u32, quorum: usize, i: u32) -> Expr {
    let least = slots.at_least(0, quorum);
    if least <= 0 {
        return 1.into();
    }
    let family = slots
        .draft
        .family("sent_defines_enough", "E73", &[], Group::DELIVERY);
    let records = slots.at[0].ground.quorums[quorum].records.clone();
    let (mut sent, mut most) = (Expr::default(), 0);
    let known = slots.draft.col(&Key::Enough { quorum, i, v }).is_some();
    for j in 0..slots.n {
        let parts = parted(&records).into_values();
        let parts = parts.map(|part| {
            if j == i {
                unfired(slots, v, &part, i)
            } else {
                slots.made_any(0, &part, j, slots.horizon)
            }
        });
        let mut parts: Vec<Expr> = parts.filter(|it| !it.is_constant()).collect();
        let sends = match parts.len() {
            0 => continue,
            1 => parts.remove(0),
            _ => {
                let key = Key::Sends { quorum, i, j, v };
                let new = slots.draft.col(&key).is_none();
                let sends = slots.about(key, || format!("sends_{quorum}_i{i}_j{j}_g{v}"));
                let label = format!("_{quorum}_i{i}_j{j}_g{v}");
                let any = parts.iter().cloned().sum();
                let rows = parts.into_iter().map(|made| (made, sends.clone()));
                let rows = rows.chain([(sends.clone(), any)]).enumerate();
                for (number, (left, right)) in rows.filter(|_| new) {
                    let label = format!("{label}_{number}");
                    slots.draft.at_most(family, &label, left, right);
                }
                sends
            }
        };
        most += slots.power(j);
        sent += sends * slots.power(j);
    }
    if most < least {
        return Expr::default();
    }
    let enough = slots.about(Key::Enough { quorum, i, v }, || {
        format!("enough_{quorum}_i{i}_g{v}")
    });
    if !known {
        let right = enough.clone() * (most - least + 1) + (least - 1);
        let label = format!("_{quorum}_i{i}_g{v}");
        let all = enough.clone() * least;
        slots.draft.at_most(family, &label, all, sent.clone());
        let label = format!("{label}_forces");
        slots.draft.at_most(family, &label, sent, right);
    }
    enough
}
