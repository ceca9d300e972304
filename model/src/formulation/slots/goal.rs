//! What the adversary optimises.

use super::{columns::Slots, families::most_faulty, good, valid};
use crate::{
    error::Error,
    expr::Expr,
    ground::{Need, Own, Record, Value},
    group::Group,
    program::Tag,
};
use milp_schema::{
    instance::{FaultKind, Goal, Sense},
    protocol::Goes,
};

/// States the goal of the instance: its columns, its rows and the objective.
pub(super) fn state(slots: &mut Slots) -> Result<(), Error> {
    slots.draft.objective = match slots.instance.goal {
        Goal::Fork => {
            let blocks = decided(slots);
            (Sense::Maximize, most_at_one_height(slots, blocks))
        }
        Goal::Finality => {
            let certificates = certificates(slots);
            (Sense::Maximize, most_at_one_height(slots, certificates))
        }
        Goal::Views => (Sense::Maximize, reached(slots) + 1),
        Goal::Slow => (Sense::Maximize, undecided(slots)),
        Goal::Weighted {
            sense,
            blocks,
            views,
            messages,
        } => {
            let things = decided(slots);
            let decided: Expr = things.iter().map(|(_, block)| block.clone()).sum();
            votes_fit(slots, &things);
            let reached = reached(slots) + 1;
            let sent = broadcasts(slots);
            (sense, decided * blocks + reached * views + sent * messages)
        }
        Goal::Wasted { bad, up_to } => (Sense::Maximize, good::state(slots, bad, up_to)),
        Goal::Stall | Goal::Blame => {
            return Err(Error::Unsupported {
                formulation: "timed",
                construct: "goal `stall` of a protocol file".into(),
                hint: "ask for another goal".into(),
            });
        }
    };
    Ok(())
}

/// The valid values of a height.
fn values(slots: &Slots, h: u32) -> u32 {
    slots.at[h as usize].ground.setting.valid()
}

/// The decisions of a value.
fn of_value(slots: &Slots, h: u32, x: u32) -> Vec<Record> {
    let at = &slots.at[h as usize];
    let records = at.makers.keys().copied();
    records
        .filter(|it| at.ground.is_final(it.kind) && it.value == Value::Of(x))
        .collect()
}

/// `block_hx`: some honest replica decided x, `did_i^T ≤ block ≤ Σ did^T`.
fn decided(slots: &mut Slots) -> Vec<((u32, u32), Expr)> {
    let family = slots
        .draft
        .family("decide_defines_block", "E13", &[2, 38], Tag::Goal);
    let mut blocks = Vec::new();
    for h in 0..slots.heights {
        for x in 0..values(slots, h) {
            let records = of_value(slots, h, x);
            if records.is_empty() {
                continue;
            }
            let block = slots.goal_column("block", [h, x, 0]);
            let mut all = Expr::default();
            for i in 0..slots.n {
                let did = slots.made_any(h, &records, i, slots.horizon);
                let label = format!("_i{i}_h{h}_x{x}");
                slots
                    .draft
                    .at_most(family, &label, did.clone(), block.clone());
                all += did;
            }
            slots
                .draft
                .at_most(family, &format!("_h{h}_x{x}"), block.clone(), all);
            decision_quorums(slots, h, x, &block);
            blocks.push(((h, x), block));
        }
    }
    blocks
}

/// The quorums of votes that decide a value by a rule that reads no decision, one list for each way.
fn proofs(slots: &Slots, h: u32, x: u32) -> Vec<(usize, Vec<usize>)> {
    let at = &slots.at[h as usize];
    let mut proofs = Vec::new();
    for record in of_value(slots, h, x) {
        for &deed in &at.makers[&record] {
            let needs = at.deeds[deed].act.needs.iter();
            let quorums: Vec<usize> = needs
                .filter_map(|need| match need {
                    Need::Quorum(quorum) => Some(*quorum),
                    _ => None,
                })
                .collect();
            let reads = |quorum: &usize| {
                let mut records = at.ground.quorums[*quorum].records.iter();
                records.any(|it| at.ground.is_final(it.kind))
            };
            if !quorums.iter().any(reads) {
                proofs.push((deed, quorums));
            }
        }
    }
    proofs
}

/// The power behind a quorum of what honest replicas sent by the horizon.
fn honest_votes(slots: &Slots, h: u32, quorum: usize) -> Expr {
    let records = &slots.at[h as usize].ground.quorums[quorum].records;
    let votes = |i| slots.made_any(h, records, i, slots.horizon) * slots.power(i);
    (0..slots.n).map(votes).sum()
}

fn byzantine(slots: &Slots) -> Expr {
    (0..slots.n)
        .map(|i| slots.byzantine(i) * slots.power(i))
        .sum()
}

/// A value decided has quorums behind it, in one of the ways that decide it: `block ≤ Σ proof`,
/// `(q − B) · proof ≤ Σ power · sent^T`, `q · proof ≤ Σ power · (sent^T + byzantine)`, and the quorum
/// is complete at who decides, `proof ≤ there`.
fn decision_quorums(slots: &mut Slots, h: u32, x: u32, block: &Expr) {
    let name = "block_requires_honest_quorum";
    let family = slots
        .draft
        .family(name, "E13", &[39], Group::BEHIND_A_QUORUM);
    let proofs = proofs(slots, h, x);
    let sole = proofs.len() == 1;
    let mut any = Expr::default();
    for (deed, quorums) in proofs {
        let proof = if sole {
            block.clone()
        } else {
            slots.goal_column("proof", [h, x, deed as u32])
        };
        for quorum in quorums {
            let (least, most) = (
                slots.at_least(h, quorum),
                most_faulty(slots, FaultKind::Byzantine),
            );
            let votes = honest_votes(slots, h, quorum);
            let label = format!("_h{h}_x{x}_{deed}_{quorum}");
            if least > most {
                let left = proof.clone() * (least - most);
                slots.draft.at_most(family, &label, left, votes.clone());
            }
            if let Some(there) = valid::there_of(slots, h, quorum) {
                let label = format!("{label}_there");
                slots.draft.at_most(family, &label, proof.clone(), there);
            }
            let all = votes + byzantine(slots);
            slots
                .draft
                .at_most(family, &format!("{label}_any"), proof.clone() * least, all);
        }
        any += proof;
    }
    if !sole {
        slots
            .draft
            .at_most(family, &format!("_h{h}_x{x}"), block.clone(), any);
    }
}

/// A certificate of a value exists if honest replicas that voted for it and Byzantine ones reach the
/// quorum, in one of the ways that decide it: `q · proof ≤ Σ power · (voted^T + byzantine)`,
/// `certificate ≤ Σ proof`.
fn certificates(slots: &mut Slots) -> Vec<((u32, u32), Expr)> {
    let family = slots
        .draft
        .family("certificate_requires_quorum", "E13", &[1], Tag::Goal);
    let mut certificates = Vec::new();
    for h in 0..slots.heights {
        for x in 0..values(slots, h) {
            let certificate = slots.goal_column("certificate", [h, x, 0]);
            let mut any = Expr::default();
            for (deed, quorums) in proofs(slots, h, x) {
                let proof = slots.goal_column("proof", [h, x, deed as u32]);
                for quorum in quorums {
                    let votes = certified_votes(slots, h, quorum);
                    let least = slots.at_least(h, quorum);
                    let label = format!("_h{h}_x{x}_{deed}_{quorum}");
                    slots
                        .draft
                        .at_most(family, &label, proof.clone() * least, votes);
                }
                any += proof;
            }
            let label = format!("_h{h}_x{x}");
            slots
                .draft
                .at_most(family, &label, certificate.clone(), any);
            certificates.push(((h, x), certificate));
        }
    }
    certificates
}

/// Each replica once: what it sent, or that it is Byzantine.
fn certified_votes(slots: &mut Slots, h: u32, quorum: usize) -> Expr {
    let records = slots.at[h as usize].ground.quorums[quorum].records.clone();
    let parts = super::look_up::parted(&records).len();
    let mut all = Expr::default();
    for i in 0..slots.n {
        let voted = slots.made_any(h, &records, i, slots.horizon);
        let voted = if parts > 1 {
            let family = slots
                .draft
                .family("send_defines_vote", "E13", &[], Tag::Goal);
            let vote = slots.goal_column("vote", [h, quorum as u32, i]);
            slots
                .draft
                .at_most(family, &format!("_h{h}_{quorum}_i{i}"), vote.clone(), voted);
            vote
        } else {
            voted
        };
        all += (voted + slots.byzantine(i)) * slots.power(i);
    }
    all
}

/// The most values that can have a quorum of votes at a height, where rules say that an honest
/// replica votes once: ⌊(P − B) / (q − B)⌋ of all power P.
///
/// With β ≤ B Byzantine power each value has q − β of honest votes, and there are P − β of them.
fn most_decisions(slots: &Slots, h: u32) -> Option<i64> {
    let at = &slots.at[h as usize];
    let most = most_faulty(slots, FaultKind::Byzantine);
    let power: i64 = (0..slots.n).map(|i| slots.power(i)).sum();
    let mut bound = 0;
    for x in 0..values(slots, h) {
        for (_, quorums) in proofs(slots, h, x) {
            let once = quorums.into_iter().find(|quorum| {
                let records = &at.ground.quorums[*quorum].records;
                let kinds: std::collections::BTreeSet<_> =
                    records.iter().map(|it| it.kind).collect();
                kinds.len() == 1 && kinds.iter().all(|kind| votes_once(slots, h, *kind))
            })?;
            let honest = slots.at_least(h, once) - most;
            if honest <= 0 {
                return None;
            }
            bound = bound.max((power - most) / honest);
        }
    }
    (bound > 0).then_some(bound)
}

/// Whether what makes a record of the kind is barred by any of an earlier view.
fn votes_once(slots: &Slots, h: u32, kind: milp_schema::protocol::KindId) -> bool {
    let at = &slots.at[h as usize];
    let makers = at.makers.iter().filter(|(record, _)| record.kind == kind);
    makers.clone().all(|(record, deeds)| {
        let earlier: Vec<&Record> = at
            .makers
            .keys()
            .filter(|it| it.kind == kind && it.view < record.view)
            .collect();
        deeds.iter().all(|deed| {
            let bars = at.deeds[*deed].act.bars.iter();
            let barred: Vec<&Record> = bars
                .filter(|bar| matches!(bar, Own::One(_)))
                .flat_map(Own::matching)
                .collect();
            earlier.iter().all(|it| barred.contains(it))
        })
    })
}

/// At every height only so many quorums of votes fit.
fn votes_fit(slots: &mut Slots, things: &[((u32, u32), Expr)]) {
    for h in 0..slots.heights {
        let Some(most) = most_decisions(slots, h) else {
            continue;
        };
        let name = "decisions_at_most_by_votes";
        let family = slots
            .draft
            .family(name, "E13", &[2], Group::VOTES_FOR_DECISIONS);
        let of = things.iter().filter(|((at, _), _)| *at == h);
        let all = of.map(|(_, thing)| thing.clone()).sum();
        slots
            .draft
            .at_most(family, &format!("_h{h}"), all, most.into());
    }
}

/// At one height chosen by the optimiser, the number of the things: `counted ≤ thing`,
/// `counted ≤ chosen_h`, `Σ chosen ≤ 1`.
fn most_at_one_height(slots: &mut Slots, things: Vec<((u32, u32), Expr)>) -> Expr {
    votes_fit(slots, &things);
    if slots.heights == 1 {
        return things.into_iter().map(|(_, thing)| thing).sum();
    }
    let family = slots
        .draft
        .family("count_at_one_height", "E13", &[2], Tag::Goal);
    let chosen: Vec<Expr> = (0..slots.heights)
        .map(|h| slots.goal_column("chosen", [h, 0, 0]))
        .collect();
    slots
        .draft
        .at_most(family, "", chosen.iter().cloned().sum(), 1.into());
    let mut counted = Expr::default();
    for ((h, x), thing) in things {
        let column = slots.goal_column("counted", [h, x, 0]);
        let label = format!("_h{h}_x{x}");
        slots
            .draft
            .at_most(family, &format!("{label}_a"), column.clone(), thing);
        let here = chosen[h as usize].clone();
        slots
            .draft
            .at_most(family, &format!("{label}_b"), column.clone(), here);
        counted += column;
    }
    counted
}

/// The number of views above 0 that an honest replica entered: `entered ≤ reached ≤ Σ entered`.
fn reached(slots: &mut Slots) -> Expr {
    let family = slots
        .draft
        .family("enter_defines_reached", "E13", &[], Tag::Goal);
    let mut total = Expr::default();
    for v in 1..slots.views {
        let reached = slots.goal_column("reached", [v, 0, 0]);
        let mut all = Expr::default();
        for h in 0..slots.heights {
            for i in 0..slots.n {
                let entered = slots.entered(h, i, v, slots.horizon);
                let label = format!("_i{i}_h{h}_v{v}");
                slots
                    .draft
                    .at_most(family, &label, entered.clone(), reached.clone());
                all += entered;
            }
        }
        slots
            .draft
            .at_most(family, &format!("_v{v}"), reached.clone(), all);
        total += reached;
    }
    total
}

/// The number of slots, slot 0 included, at whose end nobody decided height 0: `Σ_t (1 − first^t)`
/// with `decided_i^t ≤ first^t`; one more than there are where nobody ever does.
fn undecided(slots: &mut Slots) -> Expr {
    let defines = slots
        .draft
        .family("decide_defines_first", "E13", &[], Tag::Goal);
    let stays = slots.draft.family("first_stays", "E13", &[], Tag::Goal);
    let mut undecided = Expr::from(1);
    let mut before = Expr::default();
    for t in slots.slots() {
        let first = slots.goal_column("first", [t, 0, 0]);
        for i in 0..slots.n {
            let decided = slots.decided(0, i, t);
            slots
                .draft
                .at_most(defines, &format!("_i{i}_t{t}"), decided, first.clone());
        }
        slots
            .draft
            .at_most(stays, &format!("_t{t}"), before, first.clone());
        before = first.clone();
        undecided += 1 - first;
    }
    undecided
}

/// The number of honest broadcasts.
fn broadcasts(slots: &Slots) -> Expr {
    let mut all = Expr::default();
    for h in 0..slots.heights {
        let at = &slots.at[h as usize];
        let sent = |it: &&Record| at.ground.setting.rules.kind(it.kind).goes == Goes::Sent;
        for record in at.makers.keys().filter(sent) {
            all += (0..slots.n)
                .map(|i| slots.made(h, record, i, slots.horizon))
                .sum();
        }
    }
    all
}
