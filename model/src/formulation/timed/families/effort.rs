//! How much the adversary does, counted act by act.

use super::{
    super::columns::{FAULTS, Timed},
    budget,
};
use crate::{
    expr::Expr,
    rule::{About, Event, Modality},
};
use milp_schema::Act;

/// The number of acts of each kind that can happen at all, in order; two of them are bounded from
/// below only ([`budget::late_copies`], [`budget::made_copies`]), so minimise them.
///
/// `Σ_kinds Σ_i faulty_i`, `Σ made`, `Σ_i crashed_i^T`, `Σ late`, and `Σ did^T` over the events
/// of a timer that are about the view.
pub(crate) fn acts(timed: &mut Timed) -> Vec<(Act, Expr)> {
    let last = timed.horizon;
    let faulty = FAULTS
        .iter()
        .flat_map(|&(kind, _)| (0..timed.n).map(move |i| (kind, i)))
        .map(|(kind, i)| timed.faulty(kind, i))
        .sum::<Expr>();
    let made = budget::made_copies(timed);
    let crashes = (0..timed.n).map(|i| timed.crashed(i, last)).sum::<Expr>();
    let late = if timed.pools() {
        Expr::default()
    } else {
        budget::late_copies(timed)
    };
    // Timers that follow the protocol are nobody's act.
    let timeouts = match timed.instance.block_time {
        None => timeouts(timed),
        Some(_) => Expr::default(),
    };
    [
        (Act::Faulty, faulty),
        (Act::Made, made),
        (Act::Crash, crashes),
        (Act::Late, late),
        (Act::Timeout, timeouts),
    ]
    .into_iter()
    .filter(|(_, count)| !count.is_constant())
    .collect()
}

fn timeouts(timed: &Timed) -> Expr {
    let last = timed.horizon;
    let mut all = Expr::default();
    for (e, event) in timed.events.iter().enumerate() {
        if !leaves(timed, event) {
            continue;
        }
        for (h, v) in timed.height_views() {
            for i in (0..timed.n).filter(|&i| timed.does(event, i, h, v)) {
                all += timed.did_in_view(e, i, h, v, last);
            }
        }
    }
    all
}

/// Whether the event is a timer's, about the view; without timers, the request to leave.
fn leaves(timed: &Timed, event: &Event) -> bool {
    let timer = matches!(event.modality, Modality::Timer { .. });
    let asks = timed.protocol.enter().map(|enter| &enter.of);
    event.about == About::View
        && (timer || event.broadcasts.is_some() && event.broadcasts.as_ref() == asks)
}
