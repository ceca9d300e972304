//! When timers fire.

use super::{
    acts::{Seat, barring, family},
    columns::{Slots, What},
    force::{done, ways},
};
use crate::{expr::Expr, group::Group, program::Tag};
use milp_schema::{
    View,
    instance::Timers,
    protocol::{Head, TimerId},
};
use std::collections::BTreeMap;

/// The firings of one timer at one replica in one view.
#[derive(Debug, Clone)]
struct Firing {
    h: u32,
    i: u32,
    timer: TimerId,
    v: u32,
    /// What may be done then.
    deeds: Vec<usize>,
}

impl Firing {
    fn label(&self, slots: &Slots, t: u32) -> String {
        let timers = &slots.at[self.h as usize].ground.setting.rules.timers;
        let Self { h, i, v, timer, .. } = self;
        format!("_{}_i{i}_h{h}_v{v}_t{t}", timers[timer.0])
    }

    fn did(&self, slots: &Slots, t: u32) -> Expr {
        self.deeds
            .iter()
            .map(|deed| slots.did(self.h, *deed, self.i, t))
            .sum()
    }

    fn starts(&self, slots: &Slots) -> Vec<usize> {
        let mut starts = slots.starts(self.h, self.timer, self.v);
        starts.retain(|start| slots.does(self.h, *start, self.i));
        starts
    }

    fn seat(&self, deed: usize) -> Seat {
        Seat {
            h: self.h,
            deed,
            i: self.i,
        }
    }
}

fn firings(slots: &Slots) -> Vec<Firing> {
    let mut all: BTreeMap<(u32, u32, TimerId, u32), Vec<usize>> = BTreeMap::new();
    for h in 0..slots.heights {
        for deed in 0..slots.at[h as usize].deeds.len() {
            let Some((timer, v)) = slots.timer_of(h, deed) else {
                continue;
            };
            for i in (0..slots.n).filter(|&i| slots.does(h, deed, i)) {
                all.entry((h, i, timer, v)).or_default().push(deed);
            }
        }
    }
    let firing = |((h, i, timer, v), deeds)| Firing {
        h,
        i,
        timer,
        v,
        deeds,
    };
    all.into_iter().map(firing).collect()
}

/// What a timer needs to fire, what it does then, and when it must.
pub(super) fn timers(slots: &mut Slots) {
    for firing in firings(slots) {
        first_rule_is_done(slots, &firing);
        match slots.instance.timers {
            Timers::Free => requires_start(slots, &firing),
            Timers::Protocol => fires_when_due(slots, &firing),
        }
    }
}

/// A start gives one firing: `Σ did^t ≤ Σ started^t`.
fn requires_start(slots: &mut Slots, firing: &Firing) {
    let family = slots.draft.family(
        "firing_requires_start",
        "E56",
        &[],
        (Tag::Legal, Group::TIMERS),
    );
    let starts = firing.starts(slots);
    for t in slots.slots() {
        let started = starts
            .iter()
            .map(|start| slots.did(firing.h, *start, firing.i, t))
            .sum();
        let label = firing.label(slots, t);
        slots
            .draft
            .at_most(family, &label, firing.did(slots, t), started);
    }
}

/// A firing does the first of its rules that can be done: of a rule behind another one of the timer,
/// `Σ met^t ≤ needs − 1 + 1 − Δ^t + done^t + barred^t`, with the needs, the record and the bars of
/// the other.
fn first_rule_is_done(slots: &mut Slots, firing: &Firing) {
    let (h, i) = (firing.h, firing.i);
    let rule = |slots: &Slots, deed: usize| slots.deed(h, deed).act.rule;
    let once =
        |slots: &Slots, deed: usize| slots.deed(h, deed).makes().map(|it| (it.kind, it.view));
    for &deed in &firing.deeds {
        let seat = firing.seat(deed);
        if !seat.is_told(slots) {
            continue;
        }
        let family = family(
            slots,
            seat,
            "is_first_of_timer",
            Some("E56"),
            (Tag::Legal, Group::TIMERS),
        );
        for &other in &firing.deeds {
            if rule(slots, other) >= rule(slots, deed) {
                continue;
            }
            let before = firing.seat(other);
            let alike = once(slots, deed).is_some() && once(slots, deed) == once(slots, other);
            for t in slots.slots() {
                let now = seat.now(slots, t);
                let mut excuse =
                    1 - now.clone() + done(slots, before, t) + barred(slots, before, t);
                if alike {
                    excuse = excuse - now;
                }
                for (number, (count, met)) in ways(slots, before, t).into_iter().enumerate() {
                    let label = format!("{}_{other}_{number}", seat.label(slots, t));
                    slots
                        .draft
                        .at_most(family, &label, met - (count - 1).into(), excuse.clone());
                }
            }
        }
    }
    debug_assert!(i < slots.n);
}

fn barred(slots: &Slots, seat: Seat, t: u32) -> Expr {
    let bars = seat.deed(slots).act.bars.iter();
    bars.flat_map(|bar| barring(slots, seat, bar, t, |_| t))
        .sum()
}

/// How long a timer runs, in slots; one that outlasts the horizon is as good as any.
fn lasts(slots: &Slots, h: u32, start: usize) -> u32 {
    let it = slots.deed(h, start);
    let head = &slots.at[h as usize].ground.setting.rules.rules[it.act.rule].head;
    let block_time = slots
        .instance
        .block_time
        .expect("validated with the instance");
    let times = match head {
        Head::Arm {
            lasts: Some(lasts), ..
        } => lasts.of(View(it.view())),
        _ => unreachable!("refused before anything is built"),
    };
    let lasts = times.saturating_mul(u64::from(block_time));
    lasts.min(u64::from(slots.horizon) + 1) as u32
}

/// The start makes the timer fire in slot t: it happened so many slots before.
fn due(slots: &Slots, firing: &Firing, start: usize, t: u32) -> Expr {
    let lasts = lasts(slots, firing.h, start);
    let by = |ago: u32| match t.checked_sub(ago) {
        Some(s) => slots.did(firing.h, start, firing.i, s),
        None => Expr::default(),
    };
    by(lasts) - by(lasts + 1)
}

/// A timer fires exactly when its time is over, unless its replica left the view by then:
/// `Σ Δ^t ≤ Σ due^t`, and for each start and deed, with its needs and bars,
/// `due^t + Σ met^t ≤ needs + done^t + barred^t + Σ Δother^t + 1 − entered_v^t + entered_(v+1)^t +
/// decided^t + crashed_i^t + byzantine_i`.
///
/// Who would leave the last view is outside the horizon.
fn fires_when_due(slots: &mut Slots, firing: &Firing) {
    let requires = slots.draft.family(
        "firing_requires_due",
        "E56",
        &[],
        (Tag::Legal, Group::TIMERS),
    );
    let starts = firing.starts(slots);
    let (h, i, v) = (firing.h, firing.i, firing.v);
    for t in slots.slots() {
        let label = firing.label(slots, t);
        let now = firing.did(slots, t) - firing.did(slots, t - 1);
        let due_now: Expr = starts
            .iter()
            .map(|start| due(slots, firing, *start, t))
            .sum();
        slots.draft.at_most(requires, &label, now, due_now);
    }
    for &deed in &firing.deeds {
        let seat = firing.seat(deed);
        let ends = seat.deed(slots).act.letters.v >= slots.views;
        let (verb, tag) = if ends {
            ("ends_horizon", Tag::Budget)
        } else {
            ("is_due", Tag::Legal)
        };
        let family = family(
            slots,
            seat,
            verb,
            None,
            (tag, if ends { Group::ORDER } else { Group::TIMERS }),
        );
        let rule = seat.deed(slots).act.rule;
        let others: Vec<usize> = firing
            .deeds
            .iter()
            .copied()
            .filter(|&other| other != deed && slots.deed(h, other).act.rule <= rule)
            .collect();
        for t in slots.slots() {
            let mut excuse = 1 - slots.entered(h, i, v, t)
                + slots.entered(h, i, v + 1, t)
                + slots.decided(h, i, t)
                + slots.crashed(i, t)
                + slots.byzantine(i)
                + barred(slots, seat, t);
            excuse += others
                .iter()
                .map(|&other| slots.does_in(h, other, i, t))
                .sum();
            if matches!(seat.deed(slots).what, What::Makes(_)) {
                excuse += done(slots, seat, t);
            }
            for &start in &starts {
                let due = due(slots, firing, start, t);
                for (number, (count, met)) in ways(slots, seat, t).into_iter().enumerate() {
                    let label = format!("{}_{start}_{number}", seat.label(slots, t));
                    let left = due.clone() + met - count.into();
                    slots.draft.at_most(family, &label, left, excuse.clone());
                }
            }
        }
    }
}
