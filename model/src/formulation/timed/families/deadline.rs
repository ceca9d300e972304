//! A timer whose deadline moves, under `timers: protocol`.
//!
//! `due_i^t` is the slot in which the timer of replica i is due, at the end of slot t. A replica
//! that committed, decided, crashed or is Byzantine is *off*: its timer does nothing that the
//! program knows. D is the largest value of `due`; every row that multiplies by it is switched by
//! binaries, and the bounds of `due` imply it. σ = T / q is the unit by which messages put the
//! deadline off. Where that is no whole number of slots, `due` counts in q-ths of a slot: u of them
//! are one slot, u = 1 otherwise.

use super::super::columns::Timed;
use crate::{
    expr::Expr,
    group::Group,
    program::FamilyId,
    rule::{About, Arming},
};
use milp_schema::vocabulary::Role;

/// Replica i and its timer.
#[derive(Debug, Clone, Copy)]
struct Clock<'a> {
    arming: &'a Arming,
    i: u32,
    /// u; T and σ in units, D.
    slot: i64,
    block_time: i64,
    unit: i64,
    most: i64,
}

/// All rows about the timer of replica i.
pub(super) fn deadlines(timed: &mut Timed, arming: &Arming, i: u32) {
    if timed.instance.block_time.is_none() {
        return;
    }
    let clock = Clock::new(timed, arming, i);
    clock.starts(timed);
    for t in timed.slots() {
        clock.not_overdue(timed, t);
        for v in 0..timed.views {
            clock.runs_on(timed, v, t);
            clock.fires_when_due(timed, v, t);
            clock.armed_by_firing(timed, v, t);
            if v > 0 {
                clock.armed_by_entry(timed, v, t);
            }
        }
    }
}

/// The value of `due_i^t` in an execution whose other columns `number` knows: what the rows say,
/// 0 where they say nothing.
pub(in super::super) fn due(timed: &Timed, i: u32, t: u32, number: &dyn Fn(&Expr) -> i64) -> i64 {
    let Some(arming) = timed.protocol.arming() else {
        return 0;
    };
    let clock = Clock::new(timed, arming, i);
    if t == 0 {
        return clock.on_entry(timed, 0);
    }
    if number(&clock.off(timed, t)) > 0 {
        return 0;
    }
    let mut due = number(&timed.due(i, t - 1));
    for v in 0..timed.views {
        let frozen = timed.event(arming.frozen_by);
        let frozen = timed.did_in_view(frozen, i, 0, v, t - 1);
        let enters = timed.entered(i, 0, v, t) - timed.entered(i, 0, v, t - 1);
        if v > 0 && number(&enters) > 0 {
            due =
                clock.at(t) + clock.on_entry(timed, v) + number(&clock.put_off(timed, v, t, true));
        } else if number(&timed.was_in(i, 0, v, t)) > 0 && number(&frozen) == 0 {
            due += number(&clock.put_off(timed, v, t, false));
        }
        for (happens, armed, _) in clock.firings(timed, v, t) {
            if number(&happens) > 0 {
                due = clock.at(t) + armed;
            }
        }
    }
    due
}

impl<'a> Clock<'a> {
    fn new(timed: &Timed, arming: &'a Arming, i: u32) -> Self {
        let slot = timed.units_of_a_slot();
        let block_time = i64::from(timed.block_time()) * slot;
        Self {
            arming,
            i,
            slot,
            block_time,
            unit: block_time / timed.quorum_of_timers(),
            most: timed.latest_due(),
        }
    }

    /// The beginning of slot t in units.
    fn at(self, t: u32) -> i64 {
        i64::from(t) * self.slot
    }

    fn family(self, timed: &mut Timed, name: &str, group: Group) -> FamilyId {
        timed.draft.family(name, self.arming.line, &[], group)
    }

    fn label(self, v: u32, t: u32) -> String {
        format!("_i{}_v{v}_t{t}", self.i)
    }

    /// `left = right` unless `slack`, a sum of switches, is at least 1.
    fn equal(
        self,
        timed: &mut Timed,
        family: FamilyId,
        label: &str,
        [left, right, slack]: [Expr; 3],
    ) {
        let loose = slack * self.most;
        timed.draft.at_most(
            family,
            &format!("{label}_u"),
            left.clone(),
            right.clone() + loose.clone(),
        );
        timed
            .draft
            .at_most(family, &format!("{label}_l"), right, left + loose);
    }

    /// Committed, decided, crashed or Byzantine.
    fn off(self, timed: &Timed, t: u32) -> Expr {
        let stops = timed.event(self.arming.stops);
        timed.did_in(stops, self.i, 0, timed.all_views(), t)
            + timed.decided(self.i, 0, t)
            + timed.crashed(self.i, t)
            + timed.byzantine(self.i)
    }

    /// Units for which the timer is armed on entering view v.
    fn on_entry(self, timed: &Timed, v: u32) -> i64 {
        match (timed.primary(0, v) == self.i, v) {
            (true, 0) => self.block_time,
            (true, _) => 0,
            (false, v) => self.block_time << (v + 1),
        }
    }

    /// What a firing in view v does, as (its happening in slot t, units it is armed for, whether it
    /// may lead into another view).
    fn firings(self, timed: &Timed, v: u32, t: u32) -> Vec<(Expr, i64, bool)> {
        let asks = timed.protocol.enter().map(|enter| enter.of);
        timed
            .timer_events()
            .into_iter()
            .filter(|&e| timed.does(&timed.events[e], self.i, 0, v))
            .map(|e| {
                let event = &timed.events[e];
                let happens = timed.did_in_view(e, self.i, 0, v, t)
                    - timed.did_in_view(e, self.i, 0, v, t - 1);
                let armed = match (event.about == About::Proposal, v) {
                    (true, 0) => self.block_time,
                    (true, v) => self.block_time << (v + 1),
                    (false, v) => self.block_time << (v + 2),
                };
                (happens, armed, event.broadcasts == asks)
            })
            .collect()
    }

    fn fires(self, timed: &Timed, v: u32, t: u32) -> Expr {
        let firings = self.firings(timed, v, t).into_iter();
        firings.map(|(happens, _, _)| happens).sum()
    }

    /// Units by which what was taken in view v in slot t puts the deadline off; with `all` what was
    /// taken in view v until then, for the slot of the entry.
    fn put_off(self, timed: &Timed, v: u32, t: u32, all: bool) -> Expr {
        let i = self.i;
        let mut slots = Expr::default();
        for (kind, count) in &self.arming.extended_by {
            let c = timed.channel(kind);
            let taken = |t: u32| -> Expr {
                if kind.is(Role::Proposal) {
                    // To take the request is to prepare it.
                    let prepares = timed.preparing().into_iter();
                    return prepares
                        .filter(|&e| timed.events[e].about != About::Proposal)
                        .map(|e| timed.did_in_view(e, i, 0, v, t))
                        .sum();
                }
                (0..timed.n)
                    .filter(|&j| j != i)
                    .flat_map(|j| timed.channel_blocks(c, 0, v).map(move |b| (j, b)))
                    .map(|(j, b)| {
                        let took = timed.took(c, i, j, 0, v, b, t);
                        if timed.strays(c, 0, v) {
                            took - timed.stray(i, j, 0, v, b, t)
                        } else {
                            took
                        }
                    })
                    .sum()
            };
            let now = if all {
                taken(t)
            } else {
                taken(t) - taken(t - 1)
            };
            slots += now * (i64::from(*count) * self.unit);
        }
        slots
    }

    /// Every timer runs from slot 0 on: `due^0 = T` for the primary of view 0, 2T otherwise.
    fn starts(self, timed: &mut Timed) {
        let family = self.family(timed, "timer_starts", Group::MEMORY);
        let due = timed.due(self.i, 0);
        let armed = Expr::from(self.on_entry(timed, 0));
        self.equal(
            timed,
            family,
            &format!("_i{}", self.i),
            [due, armed, Expr::default()],
        );
    }

    /// What is due has fired: `u · t + 1 ≤ due^t + (u · t + 1) · off^t`.
    fn not_overdue(self, timed: &mut Timed, t: u32) {
        let family = self.family(timed, "timer_due_forces_firing", Group::TIMERS);
        let next = self.at(t) + 1;
        let right = timed.due(self.i, t) + self.off(timed, t) * next;
        timed
            .draft
            .at_most(family, &format!("_i{}_t{t}", self.i), next.into(), right);
    }

    /// In a view that it stays in, without firing, a replica's deadline moves by what it takes
    /// until it asks to leave: `due^t = due^(t−1) + put off^t`, afterwards `due^t = due^(t−1)`.
    fn runs_on(self, timed: &mut Timed, v: u32, t: u32) {
        let family = self.family(timed, "timer_runs_on", Group::MEMORY);
        let (was, is) = (timed.was_in(self.i, 0, v, t), timed.is_in(self.i, 0, v, t));
        let frozen = timed.event(self.arming.frozen_by);
        let frozen = timed.did_in_view(frozen, self.i, 0, v, t - 1);
        let slack = 2 - was - is + self.fires(timed, v, t) + self.off(timed, t);
        let (now, before) = (timed.due(self.i, t), timed.due(self.i, t - 1));
        let later = before.clone() + self.put_off(timed, v, t, false);
        let label = self.label(v, t);
        let moving = [now.clone(), later, slack.clone() + frozen.clone()];
        self.equal(timed, family, &label, moving);
        let standing = [now, before, slack + (1 - frozen)];
        self.equal(timed, family, &format!("{label}_frozen"), standing);
    }

    /// A timer of a view entered earlier fires in the slot in which it is due after what the slot
    /// brought: `due^(t−1) + put off^t ≤ u · t + D · (1 − fires^t)`; what comes after the own request to
    /// leave does not count.
    fn fires_when_due(self, timed: &mut Timed, v: u32, t: u32) {
        let family = self.family(timed, "firing_requires_due", Group::TIMERS);
        let frozen = timed.event(self.arming.frozen_by);
        let frozen = timed.did_in_view(frozen, self.i, 0, v, t - 1);
        let fires = self.fires(timed, v, t);
        let was = timed.was_in(self.i, 0, v, t);
        let before = timed.due(self.i, t - 1);
        let slack = 2 - fires.clone() - was;
        let label = self.label(v, t);
        let right = slack.clone() * self.most + self.at(t);
        timed
            .draft
            .at_most(family, &label, before.clone(), right.clone());
        let later = before + self.put_off(timed, v, t, false);
        let right = right + frozen * self.most;
        timed
            .draft
            .at_most(family, &format!("{label}_moved"), later, right);
        if v > 0 {
            // In the slot of the entry only the primary's timer of duration 0 fires.
            let enters = timed.entered(self.i, 0, v, t) - timed.entered(self.i, 0, v, t - 1);
            let armed = self.put_off(timed, v, t, true) + self.on_entry(timed, v);
            let right = (2 - fires - enters) * self.most;
            timed
                .draft
                .at_most(family, &format!("{label}_entry"), armed, right);
        }
    }

    /// A firing arms the timer anew, unless it leads into the next view: `due^t = u · t + duration`.
    fn armed_by_firing(self, timed: &mut Timed, v: u32, t: u32) {
        let family = self.family(timed, "firing_arms_timer", Group::MEMORY);
        let off = self.off(timed, t);
        for (number, (happens, armed, leaves)) in self.firings(timed, v, t).into_iter().enumerate()
        {
            let mut slack = 1 - happens + off.clone();
            if leaves {
                slack +=
                    timed.entered(self.i, 0, v + 1, t) - timed.entered(self.i, 0, v + 1, t - 1);
            }
            let label = format!("{}_{number}", self.label(v, t));
            let due = Expr::from(self.at(t) + armed);
            self.equal(timed, family, &label, [timed.due(self.i, t), due, slack]);
        }
    }

    /// Entering a view arms it, and what waited for the replica there puts it off:
    /// `due^t = u · t + duration + put off`, unless the primary proposes in the same slot.
    fn armed_by_entry(self, timed: &mut Timed, v: u32, t: u32) {
        let family = self.family(timed, "enter_arms_timer", Group::MEMORY);
        let enters = timed.entered(self.i, 0, v, t) - timed.entered(self.i, 0, v, t - 1);
        let slack = 1 - enters + self.fires(timed, v, t) + self.off(timed, t);
        let due = self.put_off(timed, v, t, true) + (self.at(t) + self.on_entry(timed, v));
        let label = self.label(v, t);
        self.equal(timed, family, &label, [timed.due(self.i, t), due, slack]);
    }
}
