//! The families of rows, one function each: a sentence, the formula, the scope, the reason.
//!
//! Notation: q is a threshold, B the number of replicas that may be Byzantine, T the horizon, d
//! the smallest delay; `x^t` is the value of a cumulative column at slot t, `Δx^t = x^t − x^(t−1)`
//! the happening in slot t. Names are `<event>_<relation>_<event>`.

mod budget;
mod delivery;
mod event;
mod fault;
mod force;
mod order;
mod strengthen;
mod timer;
mod view_change;

pub(crate) use budget::budgets;
pub(crate) use strengthen::{decision_quorums, most_decisions, reached_quorum};

use super::columns::Timed;

/// Who is faulty, and how many.
pub(super) fn faults(timed: &mut Timed) {
    fault::faulty_at_most(timed);
    fault::faulty_in_one_way(timed);
    for i in 0..timed.n {
        fault::crash_requires_fault(timed, i);
    }
}

/// What arrives, when at the earliest, and what must.
pub(super) fn deliveries(timed: &mut Timed) {
    for c in 0..timed.protocol.channels.len() {
        for (h, v) in timed.height_views() {
            for j in (0..timed.n)
                .filter(|&j| timed.may_send(c, j, h, v))
                .collect::<Vec<_>>()
            {
                for i in (0..timed.n).filter(|&i| i != j).collect::<Vec<_>>() {
                    for b in timed.channel_blocks(c, h, v) {
                        let copy = delivery::Copies { c, i, j, h, v, b };
                        delivery::receive_stays(timed, copy);
                        delivery::receive_requires_send(timed, copy);
                        delivery::send_forces_receive(timed, copy);
                    }
                }
            }
        }
    }
}

/// What an honest replica may and must do, event by event in the order of the rules.
pub(super) fn events(timed: &mut Timed) {
    for e in 0..timed.events.len() {
        for (h, v) in timed.height_views() {
            for i in 0..timed.n {
                if timed.does(&timed.events[e], i, h, v) {
                    let act = event::Act { e, i, h, v };
                    event::stays(timed, act);
                    event::requires_view(timed, act);
                    event::excluded_by_crash(timed, act);
                    event::excluded_by_decision(timed, act);
                    event::excluded_by_own(timed, act);
                    event::requires(timed, act);
                    force::forced(timed, act);
                    order::first_arrival_triggers(timed, act);
                    order::deciding_request_excludes_votes(timed, act);
                    timer::timer(timed, act);
                }
            }
        }
        for i in 0..timed.n {
            event::at_most_once(timed, e, i);
        }
    }
    for h in 0..timed.heights {
        for i in 0..timed.n {
            event::decide_at_most_once(timed, i, h);
        }
    }
    order::start_excludes_receive(timed);
}

/// The step into a later view.
pub(super) fn view_changes(timed: &mut Timed) {
    let Some(enter) = timed.protocol.enter().cloned() else {
        return;
    };
    for h in 0..timed.heights {
        for i in 0..timed.n {
            for w in 1..timed.views {
                view_change::ask_defines_asked(timed, &enter, i, h, w);
                let step = view_change::Step { i, h, w };
                view_change::stays(timed, &enter, step);
                view_change::requires_quorum(timed, &enter, step);
                view_change::excluded(timed, &enter, step);
                view_change::skips_only_together(timed, &enter, step);
            }
            for w in 1..=timed.views {
                view_change::forced(timed, &enter, view_change::Step { i, h, w });
                view_change::quorum_excludes_timeout(timed, &enter, view_change::Step { i, h, w });
            }
        }
    }
}

/// Rows that integer points satisfy anyway.
pub(super) fn strengthening(timed: &mut Timed) {
    for e in 0..timed.events.len() {
        for (h, v) in timed.height_views() {
            for i in 0..timed.n {
                if timed.does(&timed.events[e], i, h, v) {
                    strengthen::honest_quorum(timed, event::Act { e, i, h, v });
                }
            }
        }
    }
    strengthen::enter_requires_honest_quorum(timed);
    strengthen::one_binding_event(timed);
}
