//! What the adversary optimises, said of acts without slots.

use super::{
    blame,
    columns::{Key, Levels, made},
    good, rest,
};
use crate::{
    expr::Expr,
    formulation::meet::RESTS_ON,
    ground::{Need, Record, Value},
    program::{FamilyId, Tag},
};
use milp_schema::{
    instance::{Goal, Sense},
    protocol::Goes,
};
use std::collections::BTreeSet;

/// Whether a goal asks for more of values than how many are decided.
pub(super) fn needs_names(goal: Goal) -> bool {
    matches!(
        goal,
        Goal::Stall | Goal::Blame | Goal::Wasted { .. } | Goal::Weighted { .. }
    )
}

/// States the goal of the instance: its columns, its rows and the objective.
pub(super) fn state(levels: &mut Levels) {
    levels.draft.objective = match levels.instance.goal {
        Goal::Fork => {
            let blocks = decided(levels);
            (Sense::Maximize, in_order(levels, blocks))
        }
        Goal::Finality => {
            let certificates = certificates(levels);
            (Sense::Maximize, in_order(levels, certificates))
        }
        Goal::Views => (Sense::Maximize, reached(levels) + 1),
        Goal::Weighted {
            sense,
            blocks,
            views,
            messages,
        } => {
            let decided: Expr = decided(levels).into_iter().sum();
            let reached = reached(levels) + 1;
            let sent = broadcasts(levels);
            (sense, decided * blocks + reached * views + sent * messages)
        }
        Goal::Stall => (Sense::Minimize, stalled(levels)),
        Goal::Blame => {
            let blocks = decided(levels);
            votes_decide(levels);
            (Sense::Minimize, blame::state(levels, blocks))
        }
        Goal::Wasted { bad, up_to } => (Sense::Maximize, good::state(levels, bad, up_to)),
        Goal::Slow => unreachable!("refused before anything is built"),
    };
}

fn family(levels: &mut Levels, name: &str) -> FamilyId {
    levels.draft.family(name, "E13", &[], Tag::Goal)
}

/// The acts that decide a value.
fn deciding(levels: &Levels, value: u32) -> Vec<usize> {
    let decides =
        |record: Record| levels.ground.is_final(record.kind) && record.value == Value::Of(value);
    let acts = levels.ground.acts.iter().enumerate();
    let deciding = acts.filter(|(_, act)| decides(made(act)));
    deciding.map(|(number, _)| number).collect()
}

/// `block_x`: some honest replica decides it, `did ≤ block ≤ Σ did`.
fn decided(levels: &mut Levels) -> Vec<Expr> {
    let family = family(levels, "decide_defines_block");
    let mut blocks = Vec::new();
    for value in 0..levels.ground.setting.valid() {
        let block = levels.goal_column("block", [value, 0]);
        let mut any = Expr::default();
        for i in 0..levels.n {
            let acts = deciding(levels, value);
            let own: Expr = acts.into_iter().map(|act| levels.did(act, i)).sum();
            let label = format!("_i{i}_x{value}");
            levels.at_most(family, &label, own.clone(), block.clone());
            any += own;
        }
        levels.at_most(family, &format!("_x{value}"), block.clone(), any);
        blocks.push(block);
    }
    blocks
}

/// A value, its column, and the quorums by which it is decided, one of each act.
pub(super) type Votes = (u32, Expr, BTreeSet<usize>);

/// The values that are decided by quorums alone.
pub(super) fn votes(levels: &Levels) -> Vec<Votes> {
    let of = |value: u32| {
        let quorum = |act: usize| {
            let mut asks = levels.ground.acts[act].asks();
            asks.find_map(|need| match need {
                Need::Quorum(number) => Some(*number),
                _ => None,
            })
        };
        let quorums = deciding(levels, value).into_iter().map(quorum);
        let block = levels.draft.get(&Key::Goal("block", [value, 0]));
        Some((value, block, quorums.collect::<Option<_>>()?))
    };
    let values = 0..levels.ground.setting.valid();
    values.filter_map(of).collect()
}

/// `block_x ≤ Σ complete` over the quorums by which it is decided, one of each act.
pub(super) fn votes_decide(levels: &mut Levels) {
    let family = levels
        .draft
        .family("block_requires_quorum", "E6", &[], RESTS_ON);
    for (value, block, quorums) in votes(levels) {
        let any = quorums.iter().map(|it| levels.complete(*it)).sum();
        levels.at_most(family, &format!("_x{value}"), block, any);
    }
}

/// `certificate_x ≤ Σ proof`, one for each act that decides it: what others sent is there, whoever
/// decides by it.
fn certificates(levels: &mut Levels) -> Vec<Expr> {
    let family = family(levels, "certificate_requires_quorum");
    let mut certificates = Vec::new();
    for value in 0..levels.ground.setting.valid() {
        let certificate = levels.goal_column("certificate", [value, 0]);
        let mut any = Expr::default();
        for act in deciding(levels, value) {
            let proof = levels.goal_column("proof", [value, act as u32]);
            for need in levels.ground.acts[act].asks().cloned().collect::<Vec<_>>() {
                if let Need::Quorum(quorum) = need {
                    let complete = levels.complete(quorum);
                    let label = format!("_x{value}_a{act}_m{quorum}");
                    levels.at_most(family, &label, proof.clone(), complete);
                }
            }
            any += proof;
        }
        let label = format!("_x{value}");
        levels.at_most(family, &label, certificate.clone(), any);
        certificates.push(certificate);
    }
    certificates
}

/// The number of the things. Where values have no names of their own, those that count come first.
fn in_order(levels: &mut Levels, things: Vec<Expr>) -> Expr {
    if levels.ground.setting.renames() {
        let family = levels
            .draft
            .family("values_in_order", "E13", &[], Tag::Symmetry);
        for (at, two) in things.windows(2).enumerate() {
            let label = format!("_{at}");
            levels.at_most(family, &label, two[1].clone(), two[0].clone());
        }
    }
    things.into_iter().sum()
}

/// Whether somebody decides in a final state: `Σ did ≤ height` for each replica.
fn stalled(levels: &mut Levels) -> Expr {
    rest::state(levels);
    let family = family(levels, "decide_defines_height");
    let height = levels.goal_column("height", [0; 2]);
    for i in 0..levels.n {
        let values = 0..levels.ground.setting.valid();
        let acts = values.flat_map(|value| deciding(levels, value));
        let decided = acts.map(|act| levels.did(act, i)).sum();
        levels.at_most(family, &format!("_i{i}"), decided, height.clone());
    }
    height
}

/// The number of views above 0 that an honest replica enters: `entered ≤ reached ≤ Σ entered`.
fn reached(levels: &mut Levels) -> Expr {
    let family = family(levels, "enter_defines_reached");
    let mut all = Expr::default();
    for v in 1..levels.views {
        let reached = levels.goal_column("reached", [v, 0]);
        let mut any = Expr::default();
        for i in 0..levels.n {
            let entered = levels.here(i, v);
            let label = format!("_i{i}_v{v}");
            levels.at_most(family, &label, entered.clone(), reached.clone());
            any += entered;
        }
        levels.at_most(family, &format!("_v{v}"), reached.clone(), any);
        all += reached;
    }
    all
}

/// The number of honest broadcasts.
fn broadcasts(levels: &Levels) -> Expr {
    let rules = &levels.ground.setting.rules;
    let sent = |act: &usize| rules.kind(made(&levels.ground.acts[*act]).kind).goes == Goes::Sent;
    let acts: Vec<usize> = (0..levels.ground.acts.len()).filter(sent).collect();
    let by = |i| acts.iter().map(move |&act| (act, i));
    (0..levels.n)
        .flat_map(by)
        .map(|(act, i)| levels.did(act, i))
        .sum()
}
