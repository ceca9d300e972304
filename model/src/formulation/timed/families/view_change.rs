//! The step of an honest replica into a later view of its height; (3)–(6) corrected.
//!
//! The paper's `initialized_{i,h,v}^t` is `entered_v^t − entered_(v+1)^t`. Equations (5) and (6)
//! taken together are infeasible; what they were for, one place per replica and slot and no step
//! back, is that `entered` never falls in t and never rises in v.

use super::super::columns::Timed;
use crate::{draft::Purpose, expr::Expr, group::Group, program::Tag, rule::Enter};

/// Replica i and view w of height h; w = V stands for leaving the modelled views.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) i: u32,
    pub(super) h: u32,
    pub(super) w: u32,
}

impl Step {
    pub(super) fn label(self, t: u32) -> String {
        format!("_i{}_h{}_v{}_t{t}", self.i, self.h, self.w)
    }

    fn entered(self, timed: &Timed, t: u32) -> Expr {
        timed.entered(self.i, self.h, self.w, t)
    }

    /// Resting on a permit.
    pub(super) fn permitted(self, timed: &Timed, t: u32) -> Expr {
        timed.permitted_entry(self.i, self.h, self.w, t)
    }

    /// How many replicas are known to ask for the view or a later one.
    ///
    /// Of the own requests only that of the view before counts: a later one is made in the view
    /// itself or behind it and cannot be what led there.
    /// Of a pool, what is in it when slot t begins.
    pub(super) fn asked(self, timed: &Timed, enter: &Enter, t: u32) -> Expr {
        let Self { i, h, w } = self;
        if timed.pools() {
            return timed.pooled_asks(timed.channel(&enter.of), h, w, t - 1);
        }
        let others: Expr = (0..timed.n)
            .filter(|&j| j != i)
            .map(|j| timed.asked(i, j, h, w, t))
            .sum();
        others + timed.sent(timed.channel(&enter.of), i, h, w - 1, 0, t)
    }

    /// Own events of that name in views below w.
    pub(super) fn below(self, timed: &Timed, name: &str, t: u32) -> Expr {
        let e = timed.event(name);
        (0..self.w.min(timed.views))
            .map(|u| timed.did_in_view(e, self.i, self.h, u, t))
            .sum()
    }
}

/// Holding a request for view w or a later one is holding one sent in view w − 1 or later.
///
/// `asked_w = got_(w−1) ∨ asked_(w+1)`, three rows, for every sender j.
pub(super) fn ask_defines_asked(timed: &mut Timed, enter: &Enter, i: u32, h: u32, w: u32) {
    let family = timed.draft.family(
        "change_view_defines_asked",
        enter.line,
        &[],
        Group::CHANGE_VIEWS,
    );
    let c = timed.channel(&enter.of);
    for j in 0..timed.n {
        for t in timed.slots() {
            let asked = timed.asked(i, j, h, w, t);
            let (got, later) = (
                timed.got(c, i, j, h, w - 1, 0, t),
                timed.asked(i, j, h, w + 1, t),
            );
            let label = format!("_i{i}_j{j}_h{h}_v{w}_t{t}");
            timed
                .draft
                .at_most(family, &format!("{label}_a"), got.clone(), asked.clone());
            timed
                .draft
                .at_most(family, &format!("{label}_b"), later.clone(), asked.clone());
            timed
                .draft
                .at_most(family, &format!("{label}_c"), asked, got + later);
        }
    }
}

/// A replica never steps back: `entered_w^(t−1) ≤ entered_w^t ≤ entered_(w−1)^t`.
pub(super) fn stays(timed: &mut Timed, enter: &Enter, step: Step) {
    let family = timed
        .draft
        .family("enter_stays", enter.line, enter.equations(), Group::PLACE);
    for t in timed.slots() {
        let now = step.entered(timed, t);
        timed.draft.at_most(
            family,
            &step.label(t),
            step.entered(timed, t - 1),
            now.clone(),
        );
        let lower = timed.entered(step.i, step.h, step.w - 1, t);
        timed
            .draft
            .at_most(family, &format!("{}_nested", step.label(t)), now, lower);
    }
}

/// A view is entered with requests for it or a later one from q replicas:
/// `q · entered_w^t ≤ Σ_j asked_w^t`.
pub(super) fn requires_quorum(timed: &mut Timed, enter: &Enter, step: Step) {
    let family = timed.draft.family(
        "enter_requires_change_view_quorum",
        enter.line,
        enter.equations(),
        Group::CHANGE_VIEWS,
    );
    let count = timed.count(enter.at_least);
    for t in timed.slots() {
        let asked = step.asked(timed, enter, t);
        let entered = step.entered(timed, t) - step.permitted(timed, t);
        timed
            .draft
            .at_most(family, &step.label(t), entered * count, asked);
    }
}

/// A lock forbids the step: `entered_w^T + Σ_(u<w) lock_u^T ≤ 1`, because a locked replica stays,
/// and a replica that left cannot lock in the view it left.
pub(super) fn excluded_by_lock(timed: &mut Timed, enter: &Enter, step: Step) {
    let last = timed.horizon;
    for name in &enter.excludes {
        let family = timed.draft.family(
            &format!("enter_excludes_{name}"),
            enter.line,
            &[],
            timed.protocol.forbidding(name),
        );
        let sum = step.entered(timed, last) + step.below(timed, name, last);
        let most = step.permitted(timed, last) + 1;
        timed.draft.at_most(family, &step.label(last), sum, most);
    }
}

/// A Byzantine replica takes no step by rule: `entered_w^T + byzantine_i ≤ 1`.
pub(super) fn excluded_by_byzantine(timed: &mut Timed, step: Step) {
    let family = timed
        .draft
        .family("enter_excludes_byzantine", "E11", &[], Group::CRASHES);
    let last = timed.horizon;
    let sum = step.entered(timed, last) + timed.byzantine(step.i);
    timed
        .draft
        .at_most(family, &step.label(last), sum, 1.into());
}

/// A lock, a decision, a crash or being Byzantine forbids the step: the rows above and
/// `Δentered_w^t + Σ_(u<w) decided_u^t + adopted^t ≤ 1`; `Δentered_w^t + crashed_i^t ≤ 1`.
pub(super) fn excluded(timed: &mut Timed, enter: &Enter, step: Step) {
    excluded_by_lock(timed, enter, step);
    let Step { i, h, w } = step;
    let decides = timed
        .draft
        .family("enter_excludes_decide", enter.line, &[], Group::STOPS);
    let crash = timed
        .draft
        .family("enter_excludes_crash", "E12", &[], Group::CRASHES);
    for t in timed.slots() {
        let steps = step.entered(timed, t) - step.entered(timed, t - 1);
        let decided: Expr = timed
            .deciding()
            .into_iter()
            .map(|d| {
                let views = if timed.in_view(d) { w } else { timed.views };
                (0..views)
                    .map(|u| timed.did_in_view(d, i, h, u, t))
                    .sum::<Expr>()
            })
            .sum();
        timed
            .draft
            .at_most(decides, &step.label(t), steps.clone() + decided, 1.into());
        let crashed = timed.crashed(i, t);
        timed
            .draft
            .at_most(crash, &step.label(t), steps + crashed, 1.into());
    }
    excluded_by_byzantine(timed, step);
}

/// A quorum of requests for w or a later view is followed at once.
///
/// `Σ_j asked_w^t ≤ q − 1 + (n − q + 1) · (entered_w^t + lock^t + decided^t + crashed_i^t +
/// byzantine_i + 1 − started_h^t)`. For w = V, behind the last modelled view, nobody can enter:
/// such executions are outside the horizon, so that row is the instance's budget.
pub(super) fn forced(timed: &mut Timed, enter: &Enter, step: Step) {
    let Step { i, h, w } = step;
    let outside = w == timed.views;
    let (name, purpose) = if outside {
        (
            "change_view_quorum_ends_horizon",
            Purpose::from((Tag::Budget, Group::ORDER)),
        )
    } else {
        ("change_view_quorum_forces_enter", Group::PROMPT.into())
    };
    let family = timed.draft.family(name, enter.line, &[], purpose);
    let count = timed.count(enter.at_least);
    for t in timed.slots() {
        let locked: Expr = enter
            .excludes
            .iter()
            .map(|name| step.below(timed, name, t))
            .sum();
        let excused = step.entered(timed, t)
            + locked
            + timed.decided(i, h, t)
            + timed.crashed(i, t)
            + timed.byzantine(i)
            + (1 - timed.entered(i, h, 0, t));
        let factor = i64::from(timed.n) - count + 1;
        let right = excused * factor + (count - 1);
        timed
            .draft
            .at_most(family, &step.label(t), step.asked(timed, enter, t), right);
    }
}

/// A timer does not fire for a view that deliveries make the replica leave in the same slot (E8).
///
/// `Σ_(j≠i) asked_w^t ≤ q − 1 + (n − q) · (1 − Δask_(w−1)^t)` for the own request of view w − 1.
pub(super) fn quorum_excludes_timeout(timed: &mut Timed, enter: &Enter, step: Step) {
    let Step { i, h, w } = step;
    let family = timed.draft.family(
        "change_view_quorum_excludes_timeout",
        "E8",
        &[],
        Group::ORDER,
    );
    let count = timed.count(enter.at_least);
    let c = timed.channel(&enter.of);
    for t in timed.slots() {
        let others: Expr = (0..timed.n)
            .filter(|&j| j != i)
            .map(|j| timed.asked(i, j, h, w, t))
            .sum();
        let asks = timed.sent(c, i, h, w - 1, 0, t) - timed.sent(c, i, h, w - 1, 0, t - 1);
        let right = (1 - asks) * (i64::from(timed.n) - count) + (count - 1);
        timed.draft.at_most(family, &step.label(t), others, right);
    }
}

/// A view is skipped only if its own quorum is not complete before the later view's (E8).
///
/// A replica that enters w in slot t and was below u < w before has nobody's request for u alone:
/// `entered_w^t − entered_u^(t−1) + asked_iju^(t−1) − asked_ijw^t ≤ 1` for every other j, and
/// `entered_w^t − entered_u^(t−1) + ask_(u−1)^(t−1) ≤ 1` for the own request, which asks for u at
/// most. In the slot in which the replica starts a height the rows are off: what was held back for
/// it is handed over highest target first. Requests arrive one by one: with such a request held, the quorum for u is complete
/// before the one for w, and the replica enters both, which takes two slots here.
pub(super) fn skips_only_together(timed: &mut Timed, enter: &Enter, step: Step) {
    let Step { i, h, w } = step;
    let family = timed
        .draft
        .family("enter_excludes_lower_quorum", "E8", &[], Group::ORDER);
    let c = timed.channel(&enter.of);
    for u in 1..w {
        for t in timed.slots() {
            let starts = timed.entered(i, h, 0, t) - timed.entered(i, h, 0, t - 1);
            let jumps = step.entered(timed, t) - timed.entered(i, h, u, t - 1) - starts;
            let label = format!("_u{u}{}", step.label(t));
            for j in (0..timed.n).filter(|&j| j != i) {
                let lower = timed.asked(i, j, h, u, t - 1) - timed.asked(i, j, h, w, t);
                timed.draft.at_most(
                    family,
                    &format!("{label}_j{j}"),
                    jumps.clone() + lower,
                    1.into(),
                );
            }
            let own = timed.sent(c, i, h, u - 1, 0, t - 1);
            timed.draft.at_most(family, &label, jumps + own, 1.into());
        }
    }
}
