//! What shows that a proof travelled with the message that a replica took.

use super::columns::Levels;
use super::way::{Way, groups, makers, takes};
use crate::ground::{Act, Need, Proof};

/// The primary of a proof's message, and its acts by which that travels with it. There is only one
/// message, so that whoever took it took this one.
pub(super) fn carriers(levels: &Levels, Proof { of, with }: &Proof) -> Option<(u32, Vec<usize>)> {
    let Need::Primary(records) = with else {
        return None;
    };
    let view = records.first()?.view;
    let carries = |it: &usize| takes(levels, &levels.ground.acts[*it], of);
    let acts = makers(levels, records).into_iter().filter(carries);
    let primary = levels.ground.setting.primaries[view as usize];
    (groups(records).len() == 1).then(|| (primary, acts.collect()))
}

/// The ways to see that a proof travelled with the message that replica i took.
pub(super) fn carried_to(levels: &Levels, proof: &Proof, i: u32) -> Vec<Way> {
    let sent = carriers(levels, proof).map(|(primary, acts)| {
        let sent = acts.iter().map(|&it| levels.did(it, primary)).sum();
        Way::new(sent, acts.into_iter().filter(|_| primary == i))
    });
    // Who did something else by the same message has that, or one that was sent later.
    let one = matches!(&proof.with, Need::Primary(records) if records.len() == 1);
    let used = |act: &Act| {
        let mut proofs = act.proofs.iter();
        proofs.any(|it| it.with == proof.with && it.of.covers(&proof.of, &levels.ground))
    };
    let acts = levels.ground.acts.iter().enumerate();
    let acts = acts.filter(|(_, act)| one && used(act));
    let used = acts.map(|(it, _)| Way::new(levels.did(it, i), [it]).waiting(true));
    sent.into_iter().chain(used).collect()
}
