//! When an honest replica may make a record or start a timer.

use super::{
    columns::{Deed, Slots, What},
    look_up::parted,
    moments::Moment,
};
use crate::{
    draft::Purpose,
    expr::Expr,
    ground::{Need, Own},
    group::Group,
    program::{FamilyId, Tag},
};
use milp_schema::protocol::Scope;
use std::collections::BTreeMap;

/// Deed number `deed` of height h at replica i.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    pub(super) h: u32,
    pub(super) deed: usize,
    pub(super) i: u32,
}

impl Seat {
    pub(super) fn deed(self, slots: &Slots) -> &Deed {
        slots.deed(self.h, self.deed)
    }

    pub(super) fn did(self, slots: &Slots, t: u32) -> Expr {
        slots.did(self.h, self.deed, self.i, t)
    }

    /// Done in slot t: Δ of the docstrings.
    pub(super) fn now(self, slots: &Slots, t: u32) -> Expr {
        slots.does_in(self.h, self.deed, self.i, t)
    }

    pub(super) fn label(self, slots: &Slots, t: u32) -> String {
        format!("_i{}_h{}{}_t{t}", self.i, self.h, self.deed(slots).label)
    }

    /// What families about it are called.
    pub(super) fn name(self, slots: &Slots) -> String {
        match self.deed(slots).what {
            What::Makes(record) => snake(&slots.kind(self.h, &record)),
            What::Enters | What::Skips => "enter".into(),
            What::Starts(_) => "start".into(),
        }
    }

    /// Whether it has columns.
    pub(super) fn is_told(self, slots: &Slots) -> bool {
        let deed = self.deed(slots);
        !deed.is_plain_start()
            && !deed.doubled
            && deed.act.letters.v < slots.views
            && slots.does(self.h, self.deed, self.i)
    }
}

/// `PrepareRequest` → `prepare_request`.
pub(super) fn snake(kind: &str) -> String {
    let mut name = String::new();
    for letter in kind.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The family `<name>_<verb>`.
pub(super) fn family(
    slots: &mut Slots,
    seat: Seat,
    verb: &str,
    line: Option<&str>,
    purpose: impl Into<Purpose>,
) -> FamilyId {
    let name = format!("{}_{verb}", seat.name(slots));
    let family = slots
        .draft
        .family(&name, line.unwrap_or_default(), &[], purpose);
    if line.is_none() {
        let rules = &slots.at[seat.h as usize].ground.setting.rules.rules;
        let rule = &rules[seat.deed(slots).act.rule];
        slots
            .draft
            .cite(family, &slots.instance.protocol.name, rule);
    }
    family
}

/// Every deed at every replica that has its role.
pub(super) fn seats(slots: &Slots) -> Vec<Seat> {
    let mut seats = Vec::new();
    for h in 0..slots.heights {
        for deed in 0..slots.at[h as usize].deeds.len() {
            let all = (0..slots.n).map(|i| Seat { h, deed, i });
            seats.extend(all.filter(|seat| seat.is_told(slots)));
        }
    }
    seats
}

/// Deeds of one replica of which it does at most one, and which decisions exclude alike.
struct Exclusive {
    seats: Vec<Seat>,
    by: Vec<(usize, Moment)>,
}

impl Exclusive {
    fn did(&self, slots: &Slots, t: u32) -> Expr {
        self.seats.iter().map(|seat| seat.did(slots, t)).sum()
    }

    fn now(&self, slots: &Slots, t: u32) -> Expr {
        self.did(slots, t) - self.did(slots, t - 1)
    }
}

fn exclusive(slots: &Slots) -> Vec<Exclusive> {
    let mut all: BTreeMap<_, Vec<Seat>> = BTreeMap::new();
    for seat in seats(slots) {
        let Seat { h, deed, i } = seat;
        let it = seat.deed(slots);
        // Records of a kind in a view, the ways into one, the starts of a rule.
        let what = match it.what {
            What::Makes(record) => (0, record.kind.0),
            What::Enters | What::Skips => (1, 0),
            What::Starts(_) => (2, it.act.rule),
        };
        let deciding = slots.deciding(h).into_iter();
        let by: Vec<_> = deciding
            .map(|by| (by, slots.excludes(h, deed, by)))
            .collect();
        let height = it.act.scope == Scope::Height;
        let key = (by, (h, i, what, it.act.letters.v, height));
        all.entry(key).or_default().push(seat);
    }
    let exclusive = |((by, _), seats)| Exclusive { seats, by };
    all.into_iter().map(exclusive).collect()
}

/// What an honest replica may do, and once.
pub(super) fn deeds(slots: &mut Slots) {
    for seat in seats(slots) {
        stays(slots, seat);
        requires(slots, seat);
        excludes_own(slots, seat);
    }
    for once in exclusive(slots) {
        excludes_crash(slots, &once);
        excludes_decision(slots, &once);
        if !once.seats[0].deed(slots).is_entry() {
            requires_view(slots, &once);
        }
    }
    for h in 0..slots.heights {
        for i in 0..slots.n {
            at_most_once(slots, h, i);
            start_at_most_once(slots, h, i);
        }
    }
}

/// What was done stays done: `did^(t−1) ≤ did^t`.
fn stays(slots: &mut Slots, seat: Seat) {
    let family = family(slots, seat, "stays", Some("E6"), Group::MEMORY);
    for t in slots.slots() {
        let (before, now) = (seat.did(slots, t - 1), seat.did(slots, t));
        slots
            .draft
            .at_most(family, &seat.label(slots, t), before, now);
    }
}

/// A record of a view is made in it, before a step into the next one: `Σ did^t ≤ entered_v^t`,
/// `Σ Δ^t + entered_(v+1)^(t−1) ≤ 1` over what is done at most once. One of the height needs the
/// height only.
fn requires_view(slots: &mut Slots, once: &Exclusive) {
    let seat = once.seats[0];
    let family = family(slots, seat, "requires_view", Some("E55"), Group::PLACE);
    let Seat { h, i, .. } = seat;
    let (view, scope) = (seat.deed(slots).view(), seat.deed(slots).act.scope);
    for t in slots.slots() {
        let label = seat.label(slots, t);
        let entered = slots.entered(h, i, if scope == Scope::View { view } else { 0 }, t);
        slots
            .draft
            .at_most(family, &label, once.did(slots, t), entered);
        if scope == Scope::View {
            let left = slots.entered(h, i, view + 1, t - 1);
            let sum = once.now(slots, t) + left;
            slots
                .draft
                .at_most(family, &format!("{label}_in"), sum, 1.into());
        }
    }
}

/// A crashed replica does nothing: `Σ Δ^t + crashed_i^t ≤ 1`.
fn excludes_crash(slots: &mut Slots, once: &Exclusive) {
    let seat = once.seats[0];
    if !slots.may_crash(seat.i) {
        return;
    }
    let family = family(slots, seat, "excludes_crash", Some("E12"), Group::CRASHES);
    for t in slots.slots() {
        let sum = once.now(slots, t) + slots.crashed(seat.i, t);
        slots
            .draft
            .at_most(family, &seat.label(slots, t), sum, 1.into());
    }
}

/// A decision ends the height: `Σ Δ^t + Σ decided^s ≤ 1`, with s = t − 1 for a decision that comes
/// after it in its slot.
fn excludes_decision(slots: &mut Slots, once: &Exclusive) {
    let seat = once.seats[0];
    let Seat { h, i, .. } = seat;
    let ground = &slots.at[h as usize].ground;
    if seat
        .deed(slots)
        .makes()
        .is_some_and(|it| ground.is_final(it.kind))
    {
        return; // at_most_once says it
    }
    let family = family(slots, seat, "excludes_decision", Some("E58"), Group::STOPS);
    for t in slots.slots() {
        let by = |(other, moment): &(usize, Moment)| slots.did(h, *other, i, moment.of(t));
        let sum = once.now(slots, t) + once.by.iter().map(by).sum::<Expr>();
        slots
            .draft
            .at_most(family, &seat.label(slots, t), sum, 1.into());
    }
}

fn purpose(slots: &Slots, seat: Seat, need: &Need) -> Group {
    let deed = seat.deed(slots);
    let decides = deed
        .makes()
        .is_some_and(|it| slots.at[seat.h as usize].ground.is_final(it.kind));
    match need {
        Need::Quorum(_) if deed.is_entry() => Group::CHANGE_VIEWS,
        Need::Quorum(_) if decides => Group::COMMITS,
        Need::Quorum(_) => Group::PREPARATIONS,
        Need::Primary(_) => Group::PROPOSAL,
        Need::Own(_) => Group::PROPOSES_FIRST,
    }
}

/// What it needs is there: `did^t ≤ Σ met^t`, the ways in which a need can be met; a latest own
/// record may be overtaken, so that it is asked for in the slot of the deed, `Δ^t ≤ Σ met^t`.
fn requires(slots: &mut Slots, seat: Seat) {
    let Seat { h, i, .. } = seat;
    for (number, need) in seat.deed(slots).act.needs.clone().iter().enumerate() {
        let verb = match need {
            Need::Own(Own::Last(..)) => "requires_last_own",
            Need::Own(_) => "requires_own",
            Need::Primary(_) => "requires_primary",
            Need::Quorum(_) => "requires_quorum",
        };
        let group = purpose(slots, seat, need);
        let family = family(slots, seat, verb, None, group);
        for t in slots.slots() {
            let met = slots.met(h, need, i, t).into_iter().sum();
            let did = match need {
                Need::Own(Own::Last(..)) => seat.now(slots, t),
                _ => seat.did(slots, t),
            };
            let label = format!("{}_{number}", seat.label(slots, t));
            slots.draft.at_most(family, &label, did, met);
        }
    }
}

/// What bars a deed at slot t, in parts of which each is 0 or 1; `by` says at which slot a deed that
/// bars it is looked at.
pub(super) fn barring(
    slots: &Slots,
    seat: Seat,
    bar: &Own,
    t: u32,
    by: impl Fn(usize) -> u32,
) -> Vec<Expr> {
    let Seat { h, i, .. } = seat;
    let Own::One(records) = bar else {
        return slots.own(h, bar, i, t);
    };
    let made = |part: &Vec<_>| -> Expr {
        let makers = part
            .iter()
            .filter_map(|record| slots.at[h as usize].makers.get(record));
        makers
            .flatten()
            .map(|&other| slots.did(h, other, i, by(other)))
            .sum()
    };
    parted(records)
        .values()
        .map(made)
        .filter(|it| !it.is_constant())
        .collect()
}

/// What was made before forbids it: `Δ^t + made^s ≤ 1` for each kind and view of the bar, with s =
/// t − 1 for what comes after it in its slot.
fn excludes_own(slots: &mut Slots, seat: Seat) {
    let Seat { h, deed, .. } = seat;
    for (number, bar) in seat.deed(slots).act.bars.clone().iter().enumerate() {
        let Some(first) = bar.matching().first() else {
            continue;
        };
        let earlier = first.view < seat.deed(slots).act.letters.v;
        let group = if earlier { Group::LOCK } else { Group::SILENCE };
        let verb = format!("excludes_{}", snake(&slots.kind(h, first)));
        let family = family(slots, seat, &verb, None, group);
        for t in slots.slots() {
            let by = |other| slots.excludes(h, deed, other).of(t);
            for (part, made) in barring(slots, seat, bar, t, by).into_iter().enumerate() {
                let sum = seat.now(slots, t) + made;
                let label = format!("{}_{number}_{part}", seat.label(slots, t));
                slots.draft.at_most(family, &label, sum, 1.into());
            }
        }
    }
}

/// A replica makes one record of a kind in a view, and one decision of a height; a Byzantine one does
/// nothing by rule: `Σ did^T + byzantine_i ≤ 1`.
fn at_most_once(slots: &mut Slots, h: u32, i: u32) {
    let at = &slots.at[h as usize];
    let records: Vec<_> = at.makers.keys().copied().collect();
    let (finals, others): (Vec<_>, Vec<_>) = records
        .into_iter()
        .partition(|it| at.ground.is_final(it.kind));
    let mut parts: Vec<_> = parted(&others).into_values().collect();
    parts.push(finals);
    for part in parts {
        let Some(first) = part.first() else { continue };
        let decides = slots.at[h as usize].ground.is_final(first.kind);
        let group = if decides {
            Group::ONE_DECISION
        } else {
            Group::ONE_RESPONSE
        };
        let name = format!("{}_at_most_once", snake(&slots.kind(h, first)));
        let family = slots.draft.family(&name, "E55", &[], group);
        let did = slots.made_any(h, &part, i, slots.horizon);
        let label = format!("_i{i}_h{h}_v{}", first.view);
        if !did.is_constant() {
            slots
                .draft
                .at_most(family, &label, did + slots.byzantine(i), 1.into());
        }
    }
}

/// A rule starts a timer once in a view: `Σ started^T + byzantine_i ≤ 1`.
fn start_at_most_once(slots: &mut Slots, h: u32, i: u32) {
    let family = slots.draft.family(
        "start_at_most_once",
        "E56",
        &[],
        (Tag::Legal, Group::TIMERS),
    );
    let rules = slots.at[h as usize].ground.setting.rules.rules.len();
    for rule in 0..rules {
        for v in 0..slots.views {
            let deeds = slots.at[h as usize].deeds.iter().enumerate();
            let starts = deeds.filter(|(_, it)| {
                matches!(it.what, What::Starts(_))
                    && it.act.rule == rule
                    && it.view() == v
                    && !it.is_plain_start()
            });
            let starts: Vec<usize> = starts.map(|(deed, _)| deed).collect();
            let all: Expr = starts
                .into_iter()
                .map(|deed| slots.did(h, deed, i, slots.horizon))
                .sum();
            if !all.is_constant() {
                let label = format!("_i{i}_h{h}_v{v}_r{rule}");
                slots
                    .draft
                    .at_most(family, &label, all + slots.byzantine(i), 1.into());
            }
        }
    }
}
