//! Final states of protocols whose actions all may happen (E32): nobody has one, or it is over.
//!
//! The guards are the rules' own, on the pool as it is after the last slot: one row says of one
//! action at one replica in one view that it is not enabled. What a Byzantine replica could still
//! send is not asked, it is silent from then on.

use crate::{
    expr::Expr,
    formulation::timed::Timed,
    program::{FamilyId, Tag},
    rule::{Enter, Event, Requires},
};
use milp_schema::{Kind, instance::FaultKind};

/// Everything there is to say of the state after the last slot.
pub(super) fn state(timed: &mut Timed, enter: &Enter) {
    let over = over(timed);
    for e in 0..timed.events.len() {
        for (h, v) in timed.height_views() {
            for i in 0..timed.n {
                if timed.does(&timed.events[e], i, h, v) {
                    no_action(timed, Seat { e, i, h, v }, &over);
                }
            }
        }
    }
    no_step(timed, enter, &over);
}

/// Event number e of replica i in view v of height h.
#[derive(Debug, Clone, Copy)]
struct Seat {
    e: usize,
    i: u32,
    h: u32,
    v: u32,
}

impl Seat {
    fn label(self) -> String {
        format!("_i{}_h{}_v{}", self.i, self.h, self.v)
    }
}

/// 1 only if a quorum accepted a block and lives, which ends the behaviour in whatever state the
/// others are: `q · over ≤ Σ_i accepted_i` with `accepted_i ≤ decided_i^T`, `≤ 1 − crashed_i^T`.
fn over(timed: &mut Timed) -> Expr {
    let family = timed
        .draft
        .family("accept_defines_over", "E32", &[], Tag::Goal);
    let over = timed.goal_column("over", [0; 3]);
    let last = timed.horizon;
    let mut accepted = Expr::default();
    for i in 0..timed.n {
        let decided = timed.decided(i, 0, last);
        if !timed.may_be(FaultKind::Crash, i) {
            accepted += decided;
            continue;
        }
        let lives = timed.goal_column("accepted", [i, 0, 0]);
        let label = format!("_i{i}");
        timed.draft.at_most(family, &label, lives.clone(), decided);
        let up = 1 - timed.crashed(i, last);
        timed
            .draft
            .at_most(family, &format!("{label}_up"), lives.clone(), up);
        accepted += lives;
    }
    let quorum = i64::from(timed.instance.quorum());
    timed
        .draft
        .at_most(family, "", over.clone() * quorum, accepted);
    over
}

/// Why replica i takes no action in view v of height h whatever is in the pool: it is elsewhere,
/// Byzantine, dead or has accepted, or the behaviour is over.
fn away(timed: &Timed, i: u32, h: u32, v: u32, over: &Expr) -> Expr {
    let last = timed.horizon;
    1 - timed.is_in(i, h, v, last)
        + timed.byzantine(i)
        + timed.crashed(i, last)
        + timed.decided(i, h, last)
        + over.clone()
}

/// The action is not enabled: `1 ≤ away + done + excluded + Σ (1 − r)` over what it requires, and
/// with a number k out of m replicas required `Σ_j pool_j ≤ k − 1 + (m − k + 1) · (the same)`.
///
/// Where two numbers are required, one of them is too small: `too_few_k` says which.
fn no_action(timed: &mut Timed, seat: Seat, over: &Expr) {
    let rule = timed.events[seat.e].clone();
    let name = format!("final_state_has_no_enabled_{}", rule.name);
    let family = timed.draft.family(&name, rule.line, &[], Tag::Budget);
    let slack = away(timed, seat.i, seat.h, seat.v, over) + spent(timed, &rule, seat);
    let numbers = numbers(timed, &rule, seat);
    for (way, missing) in ways(timed, &rule, seat).into_iter().enumerate() {
        let label = format!("{}_{way}", seat.label());
        let slack = slack.clone() + missing;
        match numbers.as_slice() {
            [] => timed.draft.at_most(family, &label, 1.into(), slack),
            [number] => timed
                .draft
                .at_most(family, &label, number.of.clone(), number.limit(slack)),
            several => one_is_too_small(timed, family, seat, (way, slack), several),
        }
    }
}

/// Why the action is none any more: it was done already, or an own one excludes it.
fn spent(timed: &Timed, rule: &Event, seat: Seat) -> Expr {
    let Seat { e, i, h, v } = seat;
    let last = timed.horizon;
    let done: Expr = timed
        .counted_with(e)
        .into_iter()
        .map(|e| timed.did_in(e, i, h, Timed::up_to(rule.once, v), last))
        .sum();
    let excluded: Expr = rule
        .excludes
        .iter()
        .map(|own| {
            let earlier = timed.event(own.event);
            timed.did_in(earlier, i, h, Timed::up_to(own.range, v), last)
        })
        .sum();
    done + excluded
}

/// A number of replicas that an action requires: k of m, and how many there are.
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

/// The numbers an action requires, by what is in the pool after the last slot.
fn numbers(timed: &Timed, rule: &Event, seat: Seat) -> Vec<Number> {
    let after = timed.horizon + 1;
    let mut numbers = vec![];
    for requirement in &rule.requires {
        let (of, at_least, senders) = match requirement {
            Requires::Tally { of, at_least } => {
                let held: Vec<Expr> = of
                    .iter()
                    .flat_map(|kind| pool(timed, kind, seat, after))
                    .collect();
                let senders = held.len() as i64;
                (held.into_iter().sum(), *at_least, senders)
            }
            Requires::TallyOverViews { of, at_least } => {
                let sent = timed.pooled_over_views(timed.channel(of), seat.h, timed.horizon);
                (sent, *at_least, i64::from(timed.n))
            }
            _ => continue,
        };
        numbers.push(Number {
            at_least: timed.count(at_least),
            most: senders,
            of,
        });
    }
    numbers
}

/// The messages of that kind about the view of `seat` that a slot finds in the pool.
fn pool(timed: &Timed, kind: &Kind, seat: Seat, slot: u32) -> Vec<Expr> {
    let Seat { i, h, v, .. } = seat;
    let c = timed.channel(kind);
    (0..timed.n)
        .filter(|&j| timed.may_send(c, j, h, v))
        .map(|j| timed.got(c, i, j, h, v, 0, slot))
        .collect()
}

/// What is missing of the other requirements, once for each way to meet them.
fn ways(timed: &Timed, rule: &Event, seat: Seat) -> Vec<Expr> {
    let Seat { i, h, v, .. } = seat;
    let last = timed.horizon;
    let mut ways = vec![Expr::default()];
    for requirement in &rule.requires {
        let did = |name: &&'static str| timed.did_in_view(timed.event(name), i, h, v, last);
        let met: Vec<Expr> = match requirement {
            Requires::Own(names) => names.iter().map(did).collect(),
            Requires::OwnAsPrimary(name) if timed.primary(h, v) == i => vec![did(name)],
            Requires::Held(kind) => pool(timed, kind, seat, last + 1),
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
    timed: &mut Timed,
    family: FamilyId,
    seat: Seat,
    (way, slack): (usize, Expr),
    numbers: &[Number],
) {
    let mut reasons = slack;
    for (k, number) in numbers.iter().enumerate() {
        let place = [seat.i, seat.v, (way * numbers.len() + k) as u32];
        let too_few = timed.goal_column("too_few", place);
        let label = format!("{}_{way}_{k}", seat.label());
        let limit = number.limit(1 - too_few.clone());
        timed
            .draft
            .at_most(family, &label, number.of.clone(), limit);
        reasons += too_few;
    }
    timed.draft.at_most(
        family,
        &format!("{}_{way}", seat.label()),
        1.into(),
        reasons,
    );
}

/// No quorum leads an unlocked replica out of its view, into the next one or, from the last, out of
/// the modelled ones: `Σ_j ask_j(v)^T ≤ q − 1 + (n − q + 1) · (away + lock_v^T)`.
fn no_step(timed: &mut Timed, enter: &Enter, over: &Expr) {
    let family = timed.draft.family(
        "final_state_has_no_enabled_enter",
        enter.line,
        &[],
        Tag::Budget,
    );
    let (c, last) = (timed.channel(&enter.of), timed.horizon);
    for (h, v) in timed.height_views() {
        let number = Number {
            at_least: timed.count(enter.at_least),
            most: i64::from(timed.n),
            of: timed.pooled_asks(c, h, v + 1, last),
        };
        for i in 0..timed.n {
            let locked: Expr = enter
                .excludes
                .iter()
                .map(|name| timed.did_in_view(timed.event(name), i, h, v, last))
                .sum();
            let slack = away(timed, i, h, v, over) + locked;
            let label = format!("_i{i}_h{h}_v{v}");
            timed
                .draft
                .at_most(family, &label, number.of.clone(), number.limit(slack));
        }
    }
}
