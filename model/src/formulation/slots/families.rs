//! Faults, copies, what they count for, and budgets.

use super::{
    acts::snake,
    columns::{FAULTS, Key, Slots, record_label},
    look_up::parted,
};
use crate::{
    expr::Expr,
    ground::{Own, Record},
    group::Group,
    program::Col,
};
use milp_schema::{
    Act, Kind,
    instance::{FaultKind, Network, Timers, Who},
    protocol::Goes,
    vocabulary::Role,
};

/// Who is faulty: at most so many in each way, by number or by power, everybody in one way only; who
/// crashes is faulty, and stays crashed.
pub(super) fn faults(slots: &mut Slots) {
    for (kind, name) in FAULTS {
        let family = slots
            .draft
            .family(&format!("{name}_at_most"), "E9", &[], Group::BUDGET);
        let faults = slots
            .instance
            .faults
            .iter()
            .filter(|fault| fault.kind == kind);
        let by_power = faults
            .clone()
            .any(|fault| matches!(fault.who, Who::Power(_)));
        let weight = |slots: &Slots, i| if by_power { slots.power(i) } else { 1 };
        let most = if by_power {
            most_faulty(slots, kind)
        } else {
            i64::from(slots.instance.fault_count(kind))
        };
        let all = (0..slots.n)
            .map(|i| slots.faulty(kind, i) * weight(slots, i))
            .sum();
        slots.draft.at_most(family, "", all, most.into());
    }
    let once = slots
        .draft
        .family("faulty_in_one_way", "E9", &[], Group::CRASHES);
    let requires = slots
        .draft
        .family("crash_requires_fault", "E12", &[], Group::CRASHES);
    let stays = slots
        .draft
        .family("crash_stays", "E12", &[], Group::CRASHES);
    for i in 0..slots.n {
        let all = FAULTS.iter().map(|&(kind, _)| slots.faulty(kind, i)).sum();
        slots.draft.at_most(once, &format!("_i{i}"), all, 1.into());
        let may = slots.faulty(FaultKind::Crash, i) + slots.faulty(FaultKind::Network, i);
        let last = slots.crashed(i, slots.horizon);
        slots.draft.at_most(requires, &format!("_i{i}"), last, may);
        for t in slots.slots() {
            let (before, now) = (slots.crashed(i, t - 1), slots.crashed(i, t));
            slots
                .draft
                .at_most(stays, &format!("_i{i}_t{t}"), before, now);
        }
    }
}

/// The most power that can be faulty in a way: by number the most powerful ones.
pub(super) fn most_faulty(slots: &Slots, kind: FaultKind) -> i64 {
    let mut powers: Vec<i64> = (0..slots.n).map(|i| slots.power(i)).collect();
    powers.sort_unstable_by(|a, b| b.cmp(a));
    let faults = slots
        .instance
        .faults
        .iter()
        .filter(|fault| fault.kind == kind);
    let most = faults.map(|fault| match &fault.who {
        Who::Any(count) => powers.iter().take(*count as usize).sum(),
        Who::These(replicas) => replicas.iter().map(|it| slots.power(it.0)).sum(),
        Who::Power(power) => i64::from(*power),
    });
    most.sum()
}

/// What arrives, and what it counts for.
pub(super) fn copies(slots: &mut Slots) {
    for h in 0..slots.heights {
        for record in slots.at[h as usize].records.clone() {
            for (i, j) in slots.pairs() {
                if slots.may_send(h, &record, j) {
                    delivery(slots, (h, i, j), &record);
                }
            }
        }
        for own in 0..slots.at[h as usize].lasts.len() {
            for i in 0..slots.n {
                latest(slots, h, own, i);
            }
        }
    }
    let quorums: Vec<(u32, usize, u32)> = {
        let keys = slots.draft.keys();
        let last = slots.horizon;
        let of = keys.filter_map(|(key, _)| match *key {
            Key::Complete { h, quorum, i, t } if t == last => Some((h, quorum, i)),
            _ => None,
        });
        of.collect()
    };
    for (h, quorum, i) in quorums {
        counts(slots, h, quorum, i);
        completes(slots, h, quorum, i);
        honest_quorum(slots, h, quorum, i);
    }
}

/// What was delivered stays delivered, `got^(t−1) ≤ got^t`; it was sent at least d slots before,
/// unless a Byzantine sender makes it, `got^t ≤ sent_j^(t−d) + byzantine_j`; and it comes in time,
/// `sent_j^s ≤ got^t + crashed_i^t + byzantine_i + disconnected_i + disconnected_j`, with s = T − 1
/// and t = T under `eventual`, t = s + `delay_max` for every s ≥ gst under `bounded`.
fn delivery(slots: &mut Slots, (h, i, j): (u32, u32, u32), record: &Record) {
    let kind = snake(&slots.kind(h, record));
    let stays = slots
        .draft
        .family(&format!("receive_{kind}_stays"), "E6", &[], Group::MEMORY);
    let name = format!("receive_{kind}_requires_send");
    let requires = slots.draft.family(&name, "E2", &[], Group::SIGNATURES);
    let name = format!("send_{kind}_forces_receive");
    let forces = slots.draft.family(&name, "E10", &[], Group::DELIVERY);
    let forged = if slots.may_forge(h, record, j) {
        slots.byzantine(j)
    } else {
        Expr::default()
    };
    let label = |t: u32| format!("_i{i}_j{j}_h{h}{}_t{t}", record_label(record));
    for t in slots.slots() {
        let (before, now) = (
            slots.got(h, record, i, j, t - 1),
            slots.got(h, record, i, j, t),
        );
        slots.draft.at_most(stays, &label(t), before, now.clone());
        let sent = slots.made(h, record, j, t.saturating_sub(slots.delay_min));
        slots
            .draft
            .at_most(requires, &label(t), now, sent + forged.clone());
    }
    let due: Vec<(u32, u32)> = match slots.instance.network {
        Network::Asynchronous => vec![],
        Network::Eventual => vec![(slots.horizon - 1, slots.horizon)],
        Network::Bounded { delay_max, gst, .. } => (gst.max(1)..slots.horizon)
            .map(|s| (s, s + delay_max))
            .take_while(|&(_, t)| t <= slots.horizon)
            .collect(),
    };
    for (s, t) in due {
        let excused = slots.crashed(i, t)
            + slots.byzantine(i)
            + slots.faulty(FaultKind::Network, i)
            + slots.faulty(FaultKind::Network, j);
        let (sent, got) = (slots.made(h, record, j, s), slots.got(h, record, i, j, t));
        slots.draft.at_most(forces, &label(t), sent, got + excused);
    }
}

/// A sender counts once, whatever it sent: `got ≤ counted ≤ Σ got`.
fn counts(slots: &mut Slots, h: u32, quorum: usize, i: u32) {
    let family = slots
        .draft
        .family("receive_defines_counted", "E60", &[], Group::MEMORY);
    for j in (0..slots.n)
        .filter(|&j| slots.several(h, quorum, i, j))
        .collect::<Vec<_>>()
    {
        let records = slots.of_quorum(h, quorum, i, j);
        let parts: Vec<Vec<Record>> = if i == j {
            parted(&records).into_values().collect()
        } else {
            records.into_iter().map(|it| vec![it]).collect()
        };
        for t in slots.slots() {
            let counted = slots.counted(h, quorum, i, j, t);
            let label = format!("_{quorum}_i{i}_j{j}_h{h}_t{t}");
            let mut all = Expr::default();
            for (number, part) in parts.iter().enumerate() {
                let got: Expr = part.iter().map(|it| slots.got(h, it, i, j, t)).sum();
                let label = format!("{label}_{number}");
                slots
                    .draft
                    .at_most(family, &label, got.clone(), counted.clone());
                all += got;
            }
            slots.draft.at_most(family, &label, counted, all);
        }
    }
}

/// A quorum is complete if its power is there: `q · complete ≤ Σ power · counted ≤ q − 1 +
/// (m − q + 1) · complete` with m what there can be; each sender that is enough alone by itself.
fn completes(slots: &mut Slots, h: u32, quorum: usize, i: u32) {
    let family = slots
        .draft
        .family("counted_defines_complete", "E60", &[], Group::MEMORY);
    let (least, most) = (slots.at_least(h, quorum), slots.most(h, quorum, i));
    for t in slots.slots() {
        let complete = slots.complete(h, quorum, i, t);
        let label = format!("_{quorum}_i{i}_h{h}_t{t}");
        let mut all = Expr::default();
        for j in 0..slots.n {
            let counted = slots.counted(h, quorum, i, j, t);
            if slots.power(j) >= least {
                let label = format!("{label}_j{j}");
                slots
                    .draft
                    .at_most(family, &label, counted.clone(), complete.clone());
            }
            all += counted * slots.power(j);
        }
        slots
            .draft
            .at_most(family, &label, complete.clone() * least, all.clone());
        if least > 1 {
            let right = complete * (most - least + 1) + (least - 1);
            slots
                .draft
                .at_most(family, &format!("{label}_forces"), all, right);
        }
    }
}

/// Behind a quorum stands the power of q − B of honest senders, who sent d slots before, and of q
/// senders that are honest or Byzantine: `(q − B) · complete^t ≤ Σ power · sent_j^(t−d)` and `q ·
/// complete^t ≤ Σ power · (sent_j^(t−d) + byzantine_j)`, the own records as of t.
fn honest_quorum(slots: &mut Slots, h: u32, quorum: usize, i: u32) {
    let family = slots.draft.family(
        "complete_requires_honest_quorum",
        "E60",
        &[],
        Group::BEHIND_A_QUORUM,
    );
    let most = most_faulty(slots, FaultKind::Byzantine);
    let least = slots.at_least(h, quorum);
    let records = &slots.at[h as usize].ground.quorums[quorum].records;
    let kinds: std::collections::BTreeSet<_> = records.iter().map(|it| it.kind).collect();
    if kinds.len() > 2 {
        return; // a replica may have sent all of them
    }
    for t in slots.slots() {
        let (mut sent, mut byzantine) = (Expr::default(), Expr::default());
        for j in 0..slots.n {
            let records = slots.of_quorum(h, quorum, i, j);
            let by = if i == j {
                t
            } else {
                t.saturating_sub(slots.delay_min)
            };
            sent += slots.made_any(h, &records, j, by) * slots.power(j);
            if i != j && records.iter().any(|it| slots.may_forge(h, it, j)) {
                byzantine += slots.byzantine(j) * slots.power(j);
            }
        }
        let complete = slots.complete(h, quorum, i, t);
        let label = format!("_{quorum}_i{i}_h{h}_t{t}");
        if least > most {
            let left = complete.clone() * (least - most);
            slots.draft.at_most(family, &label, left, sent.clone());
        }
        if !byzantine.is_constant() {
            let label = format!("{label}_any");
            slots
                .draft
                .at_most(family, &label, complete * least, sent + byzantine);
        }
    }
}

/// The latest own record is one that a guard reads: `matching_u − Σ_(w>u) rest_w ≤ last ≤ Σ
/// matching`, and `last + rest_u ≤ 1 + Σ_(w>u) matching_w`, for each view u.
fn latest(slots: &mut Slots, h: u32, own: usize, i: u32) {
    let Own::Last(matching, rest) = slots.at[h as usize].lasts[own].clone() else {
        return;
    };
    let family = slots
        .draft
        .family("records_define_last", "E55", &[], Group::MEMORY);
    let (matching, rest) = (parted(&matching), parted(&rest));
    for t in slots.slots() {
        let Some(last) = slots.draft.col(&Key::Last { h, own, i, t }) else {
            return;
        };
        let last = Expr::from(last);
        let label = format!("_{own}_i{i}_h{h}_t{t}");
        let after = |of: &std::collections::BTreeMap<_, Vec<Record>>, view: u32| -> Expr {
            let later = of.iter().filter(|((_, at), _)| *at > view);
            later
                .map(|(_, records)| slots.made_any(h, records, i, t))
                .sum()
        };
        let mut rows = Vec::new();
        let mut any = Expr::default();
        for ((_, view), records) in &matching {
            let made = slots.made_any(h, records, i, t);
            rows.push((made.clone() - after(&rest, *view), last.clone()));
            any += made;
        }
        rows.push((last.clone(), any));
        for ((_, view), records) in &rest {
            let made = slots.made_any(h, records, i, t);
            rows.push((last.clone() + made, after(&matching, *view) + 1));
        }
        for (number, (left, right)) in rows.into_iter().enumerate() {
            slots
                .draft
                .at_most(family, &format!("{label}_{number}"), left, right);
        }
    }
}

/// The families of `budget:`; none without it.
pub(super) fn budgets(slots: &mut Slots) {
    let budget = slots.instance.budget;
    if let Some(most) = budget.late {
        let all = late_copies(slots);
        at_most(slots, "late_at_most", all, most);
    }
    if let Some(most) = budget.timeouts {
        let all = timeouts(slots);
        at_most(slots, "firing_at_most", all, most);
    }
    if let Some(most) = budget.injects {
        let all = made_copies(slots);
        at_most(slots, "inject_at_most", all, most);
    }
}

fn at_most(slots: &mut Slots, name: &str, all: Expr, most: u32) {
    let family = slots.draft.family(name, "E9", &[], Group::BUDGET);
    slots.draft.at_most(family, "", all, i64::from(most).into());
}

/// The copies that have columns, by their place: height, record, receiver, sender.
fn all_copies(slots: &Slots) -> Vec<(u32, usize, u32, u32)> {
    let last = slots.horizon;
    let keys = slots.draft.keys();
    let copies = keys.filter_map(|(key, _)| match *key {
        Key::Got { h, record, i, j, t } if t == last => Some((h, record, i, j)),
        _ => None,
    });
    copies.collect()
}

/// Copies of honest messages that are late or not within the horizon, where it leaves room for them:
/// `late ≥ sent_j^s − got^(s+d)`, from above only.
fn late_copies(slots: &mut Slots) -> Expr {
    let family = slots
        .draft
        .family("late_defines_late", "E2", &[], Group::BUDGET);
    let mut total = Expr::default();
    for (number, (h, record, i, j)) in all_copies(slots).into_iter().enumerate() {
        let record = slots.at[h as usize].records[record];
        if !slots.may_make(h, &record, j) {
            continue;
        }
        let number = number as u32;
        let new = slots
            .draft
            .col(&Key::Goal("late", [number, 0, 0]))
            .is_none();
        let late = slots.goal_column("late", [number, 0, 0]);
        for s in 1..=slots.horizon.saturating_sub(slots.delay_min) {
            let sent = slots.made(h, &record, j, s);
            let got = slots.got(h, &record, i, j, s + slots.delay_min);
            if new {
                let label = format!("_{number}_t{s}");
                slots
                    .draft
                    .at_most(family, &label, sent - got, late.clone());
            }
        }
        total += late;
    }
    total
}

/// Copies that Byzantine replicas make: `made ≥ got^T + byzantine_j − 1`, from above only.
fn made_copies(slots: &mut Slots) -> Expr {
    let family = slots
        .draft
        .family("inject_defines_inject", "E11", &[], Group::BUDGET);
    let mut total = Expr::default();
    for (number, (h, record, i, j)) in all_copies(slots).into_iter().enumerate() {
        let record = slots.at[h as usize].records[record];
        if !slots.may_forge(h, &record, j) {
            continue;
        }
        let number = number as u32;
        let new = slots
            .draft
            .col(&Key::Goal("made", [number, 0, 0]))
            .is_none();
        let made = slots.goal_column("made", [number, 0, 0]);
        if new {
            let got = slots.got(h, &record, i, j, slots.horizon);
            let both = got + slots.byzantine(j) + (-1);
            slots
                .draft
                .at_most(family, &format!("_{number}"), both, made.clone());
        }
        total += made;
    }
    total
}

/// Requests to leave a view, and for recovery; where nobody asks, views are left by timers, and all
/// firings count.
fn timeouts(slots: &Slots) -> Expr {
    let asks = |kind: Kind| kind.is(Role::Leave) || kind.is(Role::Question);
    let firings = !slots
        .instance
        .protocol
        .kinds()
        .any(|kind| kind.is(Role::Leave));
    let mut all = Expr::default();
    for h in 0..slots.heights {
        let at = &slots.at[h as usize];
        let sent = |it: &Record| at.ground.setting.rules.kind(it.kind).goes == Goes::Sent;
        for (deed, it) in at.deeds.iter().enumerate() {
            let asked = it.makes().filter(sent);
            let asked = asked.is_some_and(|it| asks(slots.message_kind(h, &it)));
            if asked || (firings && slots.timer_of(h, deed).is_some()) {
                all += (0..slots.n)
                    .map(|i| slots.did(h, deed, i, slots.horizon))
                    .sum();
            }
        }
    }
    all
}

/// How much the adversary does, kind by kind; two of the counts are bounded from below only, so
/// minimise them.
pub(super) fn adversary(slots: &mut Slots) -> Vec<(Act, Expr)> {
    let keys = slots.draft.keys();
    let faulty = keys.filter(|(key, _)| matches!(key, Key::Faulty(..)));
    let faulty: Vec<Col> = faulty.map(|(_, col)| col).collect();
    let faulty = faulty.into_iter().map(Expr::from).sum();
    let made = made_copies(slots);
    let crashes = (0..slots.n).map(|i| slots.crashed(i, slots.horizon)).sum();
    let late = late_copies(slots);
    // Timers that follow the protocol are nobody's act.
    let timeouts = match slots.instance.timers {
        Timers::Free => timeouts(slots),
        Timers::Protocol => Expr::default(),
    };
    let acts: [(Act, Expr); 5] = [
        (Act::Faulty, faulty),
        (Act::Made, made),
        (Act::Crash, crashes),
        (Act::Late, late),
        (Act::Timeout, timeouts),
    ];
    acts.into_iter()
        .filter(|(_, count)| !count.is_constant())
        .collect()
}
