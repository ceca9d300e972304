//! The families of rows, one function each: a sentence, the formula, the scope, the reason.
//!
//! Notation: q is a threshold, B the number of replicas that may be Byzantine, T the horizon, d
//! the smallest delay; `x^t` is the value of a cumulative column at slot t, `Δx^t = x^t − x^(t−1)`
//! the happening in slot t. Names are `<event>_<relation>_<event>`.

mod budget;
mod deadline;
mod delivery;
mod effort;
mod event;
mod fault;
mod force;
mod heard;
mod hold;
mod keep;
mod order;
mod pool;
mod strengthen;
mod timer;
mod view_change;

pub(crate) use budget::budgets;
pub(super) use deadline::due;
pub(crate) use effort::acts;
pub(crate) use strengthen::{asks_or_votes_once, decision_quorums, most_decisions, reached_quorum};

use super::columns::Timed;
use crate::rule::{Enter, Keeps, Rule};

/// Who is faulty, and how many.
pub(super) fn faults(timed: &mut Timed) {
    fault::faulty_at_most(timed);
    fault::faulty_in_one_way(timed);
    for i in 0..timed.n {
        fault::crash_requires_fault(timed, i);
    }
}

/// What arrives, when at the earliest, and what must; or what is in the pool.
pub(super) fn deliveries(timed: &mut Timed) {
    if timed.pools() {
        pool::injections(timed);
        return;
    }
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

/// What is taken of what arrives, where a rule guards it, and who counts as alive.
pub(super) fn holds(timed: &mut Timed) {
    let rules = timed.protocol.rules.clone();
    for c in 0..timed.protocol.channels.len() {
        let kind = timed.protocol.channels[c].kind;
        let hold = timed.protocol.hold(&kind).cloned();
        for (h, v) in timed.height_views() {
            for (i, j) in pairs(timed.n) {
                if !timed.may_send(c, j, h, v) {
                    continue;
                }
                for b in timed.channel_blocks(c, h, v) {
                    let copy = delivery::Copies { c, i, j, h, v, b };
                    if timed.guards(c) {
                        hold::take_requires_receive(timed, copy);
                        hold::lost_ahead(timed, copy);
                    }
                    if let Some(hold) = &hold {
                        hold::guarded(timed, copy, hold);
                    }
                    hold::cleared(timed, copy);
                    hold::stray(timed, copy);
                    hold::not_before_proposal(timed, copy);
                }
            }
        }
    }
    for rule in &rules {
        match rule {
            Rule::Hold(hold) => hold::arrives_alone(timed, hold),
            Rule::Timer(arming) => {
                for i in 0..timed.n {
                    deadline::deadlines(timed, arming, i);
                }
            }
            Rule::Negation(negation) => {
                for (h, v) in timed.height_views() {
                    for i in 0..timed.n {
                        let seat = heard::Seat { i, h, v };
                        heard::receive_defines_heard(timed, negation, seat);
                        heard::heard_defines_alive(timed, negation, seat);
                        heard::alive_defines_lost(timed, negation, seat);
                    }
                }
            }
            _ => {}
        }
    }
    hold::one_vote_from_byzantine(timed);
}

/// All (i, j) with i ≠ j.
fn pairs(n: u32) -> Vec<(u32, u32)> {
    (0..n)
        .flat_map(|i| (0..n).map(move |j| (i, j)))
        .filter(|(i, j)| i != j)
        .collect()
}

/// What an honest replica may and must do, event by event in the order of the rules.
pub(super) fn events(timed: &mut Timed) {
    for e in 0..timed.events.len() {
        for (h, v) in timed.height_views() {
            for i in 0..timed.n {
                if timed.does(&timed.events[e], i, h, v) {
                    let act = event::Act { e, i, h, v };
                    event::stays(timed, act);
                    if timed.pools() {
                        pool::requires_view(timed, act);
                    } else {
                        event::requires_view(timed, act);
                        event::excluded_by_crash(timed, act);
                        event::excluded_by_decision(timed, act);
                    }
                    event::excluded_by_own(timed, act);
                    event::requires(timed, act);
                    event::requires_vote(timed, act);
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
    if timed.pools() {
        pool::one_action(timed);
    } else {
        order::start_excludes_receive(timed);
    }
}

/// The step into a later view.
pub(super) fn view_changes(timed: &mut Timed) {
    let Some(enter) = timed.protocol.enter().cloned() else {
        return;
    };
    if timed.pools() {
        pool_view_changes(timed, &enter);
        return;
    }
    if enter.keeps == Keeps::View {
        forgetful_view_changes(timed, &enter);
        return;
    }
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

/// The step into the next view on what is in the pool; nothing forces it.
fn pool_view_changes(timed: &mut Timed, enter: &Enter) {
    for (h, w) in timed.height_views().into_iter().filter(|&(_, w)| w > 0) {
        for i in 0..timed.n {
            let step = view_change::Step { i, h, w };
            view_change::stays(timed, enter, step);
            view_change::requires_quorum(timed, enter, step);
            view_change::excluded_by_lock(timed, enter, step);
            view_change::excluded_by_byzantine(timed, step);
            pool::enters_one_by_one(timed, enter.line, step);
        }
    }
}

/// The step into a later view where requests are forgotten on entering one.
fn forgetful_view_changes(timed: &mut Timed, enter: &Enter) {
    for (h, v) in timed.height_views() {
        for i in 0..timed.n {
            keep::receive_defines_kept(timed, enter, i, h, v);
            keep::no_overtaking(timed, enter, i, h, v);
            keep::no_skip(timed, enter, i, h, v);
            let step = view_change::Step { i, h, w: v + 1 };
            if v + 1 < timed.views {
                keep::keep_defines_asked(timed, enter, i, h, v);
                view_change::stays(timed, enter, step);
                view_change::requires_quorum(timed, enter, step);
                view_change::excluded(timed, enter, step);
                keep::requires_trigger(timed, enter, step);
                keep::forced(timed, enter, step);
            } else {
                view_change::forced(timed, enter, step);
            }
            keep::quorum_excludes_timeout(timed, enter, step);
        }
    }
}

/// Rows that integer points satisfy anyway; of replicas that may do what the rules forbid they need
/// not hold.
pub(super) fn strengthening(timed: &mut Timed) {
    if timed.is_loose() {
        return;
    }
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
