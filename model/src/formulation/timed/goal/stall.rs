//! `stall`: fewest heights decided in a final state (E19).

use super::counted::decided_blocks;
use crate::{error::Error, expr::Expr, formulation::timed::Timed, program::Tag};
use milp_schema::instance::{FaultKind, Network, Sense};

/// The number of heights with a decided block, over the executions that end in a final state:
/// `block_hvb ≤ height_h`, minimised.
pub(super) fn objective(timed: &mut Timed) -> Result<(Sense, Expr), Error> {
    refuse(timed)?;
    match timed.protocol.enter().cloned() {
        Some(enter) if timed.pools() => super::idle::state(timed, &enter),
        enter => {
            nothing_pending(timed);
            match enter {
                Some(enter) if timed.forgets() => super::rest::state(timed, &enter),
                _ => everyone_rests(timed),
            }
            recovery_offers_nothing(timed);
        }
    }
    let family = timed
        .draft
        .family("block_defines_height", "E19", &[], Tag::Goal);
    let heights: Vec<Expr> = (0..timed.heights)
        .map(|h| timed.goal_column("height", [h, 0, 0]))
        .collect();
    for ((h, v, b), block) in decided_blocks(timed) {
        let height = heights[h as usize].clone();
        timed
            .draft
            .at_most(family, &format!("_h{h}_v{v}_b{b}"), block, height);
    }
    Ok((Sense::Minimize, heights.into_iter().sum()))
}

fn refuse(timed: &Timed) -> Result<(), Error> {
    let unsupported = |construct: &str, hint: &str| {
        Err(Error::Unsupported {
            formulation: "timed",
            construct: construct.into(),
            hint: hint.into(),
        })
    };
    if timed.instance.fault_count(FaultKind::Network) > 0 {
        let hint = "use `kind: crash`, a lost copy is offered again by recovery";
        return unsupported("goal `stall` with `faults: {kind: network}`", hint);
    }
    if timed.instance.network == Network::Asynchronous && !timed.pools() {
        let hint = "use `network: eventual`, otherwise silence alone is a stall";
        return unsupported("goal `stall` with `network: asynchronous`", hint);
    }
    if timed.protocol.enter().is_none() {
        return unsupported(
            "goal `stall` without a view change",
            "add one to the protocol",
        );
    }
    Ok(())
}

/// No copy between live honest replicas is under way: `sent_j^T ≤ got_ij^T + crashed_i^T +
/// byzantine_i`.
fn nothing_pending(timed: &mut Timed) {
    let family = timed
        .draft
        .family("final_state_has_nothing_pending", "E19", &[], Tag::Budget);
    let last = timed.horizon;
    for c in 0..timed.protocol.channels.len() {
        for (h, v) in timed.height_views() {
            for b in timed.channel_blocks(c, h, v) {
                for i in 0..timed.n {
                    for j in (0..timed.n).filter(|&j| j != i) {
                        let sent = timed.sent(c, j, h, v, b, last);
                        let got = timed.got(c, i, j, h, v, b, last);
                        let excused = timed.crashed(i, last) + timed.byzantine(i);
                        let label = format!("_{c}_i{i}_j{j}_h{h}_v{v}_b{b}");
                        timed.draft.at_most(family, &label, sent, got + excused);
                    }
                }
            }
        }
    }
}

/// Every live honest replica has decided, is locked, or has asked to leave the view it is in:
/// `in_v^T ≤ asked_v^T + Σ lock^T + decided^T + crashed^T + byzantine`.
///
/// Such a state is a fixpoint: every message is there, so every rule that must fire has; a timer
/// changes nothing for a replica that asked or is locked. A quorum for a view behind the last
/// modelled one would be progress; the horizon's own rows exclude it.
fn everyone_rests(timed: &mut Timed) {
    let family = timed
        .draft
        .family("final_state_has_no_enabled_timer", "E19", &[], Tag::Budget);
    let enter = timed.protocol.enter().cloned().expect("refused without");
    let (c, last) = (timed.channel(&enter.of), timed.horizon);
    for (h, v) in timed.height_views() {
        for i in 0..timed.n {
            let locked: Expr = enter
                .excludes
                .iter()
                .map(|name| {
                    let lock = timed.event(name);
                    timed.did_in(lock, i, h, timed.all_views(), last)
                })
                .sum();
            let rests = timed.sent(c, i, h, v, 0, last)
                + locked
                + timed.decided(i, h, last)
                + timed.crashed(i, last)
                + timed.byzantine(i);
            let is_in = timed.is_in(i, h, v, last);
            timed
                .draft
                .at_most(family, &format!("_i{i}_h{h}_v{v}"), is_in, rests);
        }
    }
}

/// What one live honest replica got from a Byzantine one, every live honest replica got, so that
/// recovery, which repeats it, adds nothing: `got_i'j^T + byzantine_j − 1 ≤ got_ij^T + excused`.
fn recovery_offers_nothing(timed: &mut Timed) {
    let family = timed.draft.family(
        "final_state_is_closed_under_recovery",
        "E19",
        &[],
        Tag::Budget,
    );
    let last = timed.horizon;
    for c in 0..timed.protocol.channels.len() {
        for (h, v) in timed.height_views() {
            for b in timed.channel_blocks(c, h, v) {
                for j in 0..timed.n {
                    if !timed.may_be(FaultKind::Byzantine, j) {
                        continue;
                    }
                    let others: Vec<u32> = (0..timed.n).filter(|&i| i != j).collect();
                    for (&i, &k) in others
                        .iter()
                        .flat_map(|i| others.iter().map(move |k| (i, k)))
                    {
                        let excused = timed.crashed(i, last)
                            + timed.byzantine(i)
                            + timed.crashed(k, last)
                            + timed.byzantine(k);
                        let got = timed.got(c, k, j, h, v, b, last) + timed.byzantine(j) + (-1);
                        let label = format!("_{c}_i{i}_k{k}_j{j}_h{h}_v{v}_b{b}");
                        let has = timed.got(c, i, j, h, v, b, last) + excused;
                        timed.draft.at_most(family, &label, got, has);
                    }
                }
            }
        }
    }
}
