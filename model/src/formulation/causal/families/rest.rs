//! Final states: everything that was sent has arrived, and no rule is enabled any more.
//!
//! The guards are the rules' own, on the messages that exist in the end. For goal `stall` timers
//! rest as well; for the others under `network: eventual` they need not fire any more.

use super::super::columns::Causal;
use crate::{
    expr::Expr,
    group::Group,
    program::{FamilyId, Tag},
    rule::{Enter, Event, Modality, Requires},
};
use milp_schema::{
    Kind,
    instance::{FaultKind, Goal},
};

/// The rows of a final state, where the instance has one.
pub(in super::super) fn final_states(causal: &mut Causal) {
    let stall = causal.instance.goal == Goal::Stall;
    if !stall && (causal.pools() || !causal.arrives()) {
        return;
    }
    let enter = causal.protocol.enter().cloned();
    if !stall {
        last_view_stays(causal, enter.as_ref());
    }
    if causal.guards() {
        no_actions(causal, &Expr::default(), |causal, e| !causal.in_view(e));
        super::settle::final_states(causal, stall);
        return;
    }
    let over = if causal.pools() {
        over(causal)
    } else {
        Expr::default()
    };
    no_actions(causal, &over, |_, _| true);
    if let Some(enter) = enter {
        no_step(causal, &enter, &over);
        if stall && !causal.pools() {
            everyone_rests(causal, &enter);
        }
    }
}

/// None of the chosen events that happen by themselves, or may happen, is enabled.
fn no_actions(causal: &mut Causal, over: &Expr, chosen: impl Fn(&Causal, usize) -> bool) {
    for e in 0..causal.events.len() {
        let timer = matches!(causal.events[e].modality, Modality::Timer { .. });
        if timer || !chosen(causal, e) {
            continue;
        }
        for v in 0..causal.views {
            for i in 0..causal.n {
                if causal.does(e, i, v) {
                    no_action(causal, Seat { e, i, v }, over);
                }
            }
        }
    }
}

/// The line of the page that says what a final state is.
fn line(causal: &Causal) -> &'static str {
    match (causal.instance.goal, causal.pools()) {
        (Goal::Stall, true) => "E32",
        (Goal::Stall, false) => "E19",
        _ => "E10",
    }
}

/// Nobody asks to leave the last view, `ask_(V−1) = 0`: it takes nobody anywhere, and a quorum of
/// such requests, arriving as everything does, would be outside the horizon.
pub(super) fn last_view_stays(causal: &mut Causal, enter: Option<&Enter>) {
    let Some(enter) = enter else { return };
    let family = causal.draft.family(
        "last_view_is_not_left",
        enter.line,
        &[],
        (Tag::Budget, Group::ORDER),
    );
    let c = causal.channel(&enter.of);
    let all: Expr = (0..causal.n)
        .map(|j| causal.sent(c, j, causal.views - 1, 0))
        .sum();
    causal.draft.at_most(family, "", all, 0.into());
}

/// Event number e of replica i in view v.
#[derive(Debug, Clone, Copy)]
struct Seat {
    e: usize,
    i: u32,
    v: u32,
}

impl Seat {
    fn label(self) -> String {
        format!("_i{}_v{}", self.i, self.v)
    }
}

/// 1 only if a quorum accepted a block and lives, which ends the behaviour in whatever state the
/// others are: `q · over ≤ Σ_i accepted_i`, `accepted_i ≤ decided_i`, `≤ 1 − crashed_i`.
fn over(causal: &mut Causal) -> Expr {
    let family = causal
        .draft
        .family("accept_defines_over", "E32", &[], Tag::Goal);
    let over = causal.goal_column("over", [0; 3]);
    let mut accepted = Expr::default();
    for i in 0..causal.n {
        let decided = causal.decided(i);
        if !causal.may_be(FaultKind::Crash, i) {
            accepted += decided;
            continue;
        }
        let lives = causal.goal_column("accepted", [i, 0, 0]);
        let label = format!("_i{i}");
        causal.draft.at_most(family, &label, lives.clone(), decided);
        let up = 1 - causal.crashed(i);
        causal
            .draft
            .at_most(family, &format!("{label}_up"), lives.clone(), up);
        accepted += lives;
    }
    let quorum = i64::from(causal.instance.quorum());
    causal
        .draft
        .at_most(family, "", over.clone() * quorum, accepted);
    over
}

/// Why replica i does nothing in view v whatever exists: it is elsewhere, Byzantine, crashed or has
/// decided, or the behaviour is over.
pub(super) fn away(causal: &Causal, i: u32, v: u32, over: &Expr) -> Expr {
    1 - causal.is_in(i, v) + causal.gone(i) + over.clone()
}

/// The event is not enabled: `1 ≤ away + done + excluded + Σ (1 − r)` over what it requires, and
/// with a number k out of m replicas required `Σ_j exists_j ≤ k − 1 + (m − k + 1) · (the same)`.
///
/// Where two numbers are required, one of them is too small: `too_few_k` says which.
fn no_action(causal: &mut Causal, seat: Seat, over: &Expr) {
    let rule = causal.events[seat.e].clone();
    let name = format!("final_state_has_no_enabled_{}", rule.name);
    let family = causal.draft.family(&name, rule.line, &[], Tag::Budget);
    let place = if causal.in_view(seat.e) {
        away(causal, seat.i, seat.v, over)
    } else {
        causal.gone(seat.i)
    };
    for b in causal.about(seat.e, seat.v) {
        let slack = place.clone() + spent(causal, &rule, seat);
        let numbers = numbers(causal, &rule, seat, b);
        for (way, missing) in ways(causal, &rule, seat, b).into_iter().enumerate() {
            let label = format!("{}_b{b}_{way}", seat.label());
            let slack = slack.clone() + missing;
            match numbers.as_slice() {
                [] => causal.draft.at_most(family, &label, 1.into(), slack),
                [number] => {
                    causal
                        .draft
                        .at_most(family, &label, number.of.clone(), number.limit(slack));
                }
                several => one_is_too_small(causal, family, seat, (way, slack), several),
            }
        }
    }
}

/// Why the event is none any more: it was done already, or an own one excludes it.
fn spent(causal: &Causal, rule: &Event, seat: Seat) -> Expr {
    let Seat { e, i, v } = seat;
    let done: Expr = causal
        .counted_with(e)
        .into_iter()
        .map(|e| causal.did_in(e, i, Causal::up_to(rule.once, v)))
        .sum();
    let excluded: Expr = rule
        .excludes
        .iter()
        .map(|own| causal.did_in(causal.event(own.event), i, Causal::up_to(own.range, v)))
        .sum();
    done + excluded
}

/// A number of replicas that an event requires: k of m, and how many there are.
#[derive(Debug, Clone)]
struct Number {
    at_least: i64,
    most: i64,
    of: Expr,
}

impl Number {
    /// k − 1, or m if `slack` is at least 1.
    fn limit(&self, slack: Expr) -> Expr {
        slack * (self.most - self.at_least + 1) + (self.at_least - 1)
    }
}

/// The numbers an event requires, by what exists in the end.
fn numbers(causal: &Causal, rule: &Event, seat: Seat, b: u32) -> Vec<Number> {
    let mut numbers = vec![];
    for requirement in &rule.requires {
        let (of, at_least, most) = match requirement {
            Requires::Tally { of, at_least } => {
                let held: Vec<Expr> = of
                    .iter()
                    .flat_map(|kind| existing(causal, kind, seat.v, b))
                    .collect();
                let most = held.len() as i64;
                (held.into_iter().sum(), *at_least, most)
            }
            Requires::TallyOverViews { of, at_least } => {
                let c = causal.channel(of);
                let from = |j: u32| -> Expr {
                    let sent: Expr = (0..causal.views).map(|v| causal.sent(c, j, v, 0)).sum();
                    sent + causal.made_later(c, j, 0)
                };
                let all = (0..causal.n).map(from).sum();
                (all, *at_least, i64::from(causal.n))
            }
            _ => continue,
        };
        numbers.push(Number {
            at_least: causal.count(at_least),
            most,
            of,
        });
    }
    numbers
}

/// The messages of that kind about block b of view v that exist in the end, by sender.
fn existing(causal: &Causal, kind: &Kind, v: u32, b: u32) -> Vec<Expr> {
    let c = causal.channel(kind);
    (0..causal.n)
        .filter(|&j| causal.may_send(c, j, v))
        .map(|j| causal.exists(c, j, v, b))
        .collect()
}

/// What is missing of the other requirements, once for each way to meet them.
fn ways(causal: &Causal, rule: &Event, seat: Seat, b: u32) -> Vec<Expr> {
    let Seat { i, v, .. } = seat;
    let mut ways = vec![Expr::default()];
    for requirement in &rule.requires {
        let did = |name: &&'static str| causal.did(causal.event(name), i, v, b);
        let met: Vec<Expr> = match requirement {
            Requires::Own(names) => vec![names.iter().map(did).sum()],
            Requires::OwnAsPrimary(name) if causal.primary(v) == i => {
                vec![causal.did_in_view(causal.event(name), i, v)]
            }
            Requires::Held(kind) => existing(causal, kind, v, b),
            Requires::HeldFromAnother(kind) => {
                let c = causal.channel(kind);
                let others = (0..causal.n).filter(|&j| j != i);
                others.map(|j| causal.exists(c, j, v, b)).collect()
            }
            _ => continue,
        };
        ways = ways
            .iter()
            .flat_map(|way| met.iter().map(|met| way.clone() + (1 - met.clone())))
            .collect();
    }
    ways
}

/// Of several numbers one is too small: `1 ≤ slack + Σ_k too_few_k` and
/// `of_k ≤ k − 1 + (m − k + 1) · (1 − too_few_k)`.
fn one_is_too_small(
    causal: &mut Causal,
    family: FamilyId,
    seat: Seat,
    (way, slack): (usize, Expr),
    numbers: &[Number],
) {
    let mut reasons = slack;
    for (k, number) in numbers.iter().enumerate() {
        let place = [seat.i, seat.v, (way * numbers.len() + k) as u32];
        let too_few = causal.goal_column("too_few", place);
        let label = format!("{}_{way}_{k}", seat.label());
        let limit = number.limit(1 - too_few.clone());
        causal
            .draft
            .at_most(family, &label, number.of.clone(), limit);
        reasons += too_few;
    }
    let label = format!("{}_{way}", seat.label());
    causal.draft.at_most(family, &label, 1.into(), reasons);
}

/// No quorum leads an unlocked replica out of its view, into the next one or, from the last, out of
/// the modelled ones: `Σ_j ask_j(v) ≤ q − 1 + (n − q + 1) · (away + lock_v)`.
///
/// Of honest replicas those that asked to leave v itself are counted: one that asked to leave a
/// later view entered it, so a quorum asked to leave v before.
fn no_step(causal: &mut Causal, enter: &Enter, over: &Expr) {
    let name = "final_state_has_no_enabled_enter";
    let family = causal.draft.family(name, enter.line, &[], Tag::Budget);
    let c = causal.channel(&enter.of);
    for v in 0..causal.views {
        let asks = (0..causal.n).map(|j| causal.sent(c, j, v, 0) + causal.made_later(c, j, v));
        let number = Number {
            at_least: causal.count(enter.at_least),
            most: i64::from(causal.n),
            of: asks.sum(),
        };
        for i in 0..causal.n {
            let locked: Expr = enter
                .excludes
                .iter()
                .map(|name| causal.did_in_view(causal.event(name), i, v))
                .sum();
            let slack = away(causal, i, v, over) + locked;
            let label = format!("_i{i}_v{v}");
            causal
                .draft
                .at_most(family, &label, number.of.clone(), number.limit(slack));
        }
    }
}

/// Every live honest replica has decided, is locked, or has asked to leave the view it is in:
/// `in_v ≤ asked_v + Σ lock + decided + crashed + byzantine`.
fn everyone_rests(causal: &mut Causal, enter: &Enter) {
    let family = causal.draft.family(
        "final_state_has_no_enabled_timer",
        line(causal),
        &[],
        Tag::Budget,
    );
    let c = causal.channel(&enter.of);
    for v in 0..causal.views {
        for i in 0..causal.n {
            let locked: Expr = enter
                .excludes
                .iter()
                .map(|name| causal.did_in(causal.event(name), i, 0..causal.views))
                .sum();
            let rests = causal.sent(c, i, v, 0) + locked + causal.gone(i);
            causal
                .draft
                .at_most(family, &format!("_i{i}_v{v}"), causal.is_in(i, v), rests);
        }
    }
}
