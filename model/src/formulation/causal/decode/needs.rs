//! What an act needs to have arrived.

use super::{
    super::{
        columns::{Act, Counted, Key, Quorum},
        families::{members, the_sender},
    },
    Reading, Said,
};
use crate::{error::Error, rule::Requires};

/// Messages that arrive together, before those of the next group.
#[derive(Debug, Default)]
pub(super) struct Wants {
    pub(super) messages: Vec<Said>,
    /// Each in a slot in which nothing else arrives (E45).
    pub(super) alone: bool,
}

impl Reading<'_> {
    /// What arrives for an act about block b, in order.
    pub(super) fn wants(&self, act: Act, b: u32) -> Result<Vec<Wants>, Error> {
        let causal = self.causal;
        let mut wants = Wants::default();
        let (e, i, v) = match act {
            Act::Does(e, i, v) => (e, i, v),
            Act::Enters(i, w) => {
                let enter = causal
                    .protocol
                    .enter()
                    .expect("views are entered by a rule");
                let quorum = causal.asks(enter, w);
                wants.messages = self.of_quorum(i, &quorum)?;
                return Ok(vec![wants]);
            }
        };
        for requirement in &causal.events[e].requires {
            if causal.is_pairwise(e, requirement) {
                continue;
            }
            if let Requires::Held(kind) = requirement {
                let c = causal.channel(kind);
                let (_, j) = the_sender(causal, c, v);
                wants.messages.push((c, j, v, b));
            } else if let Some(quorum) = causal.quorum_of(requirement, v, b) {
                wants.messages.extend(self.of_quorum(i, &quorum)?);
            }
        }
        wants.messages.retain(|&(_, j, ..)| j != i);
        let mut all = self.guarded(act);
        all.push(wants);
        Ok(all)
    }

    /// As many messages of a quorum as replica i needs beside its own: those it has, those
    /// sent first, then Byzantine ones.
    fn of_quorum(&self, i: u32, quorum: &Quorum) -> Result<Vec<Said>, Error> {
        let causal = self.causal;
        let m = causal.quorum_number(quorum);
        let block = match quorum.about {
            Counted::Block(_, b) => b,
            _ => 0,
        };
        let mut own = 0;
        let mut sent: Vec<(bool, u32, Said)> = vec![];
        for (e, j, v) in members(causal, quorum) {
            let kind = causal.events[e].broadcasts.as_ref();
            let c = causal.channel(kind.expect("what counts is a message"));
            let about = match quorum.about {
                Counted::Block(..) => self.is(&causal.did(e, j, v, block)),
                _ => true,
            };
            let slot = self.slot(Act::Does(e, j, v)).filter(|_| about);
            match slot {
                Some(_) if i == j => own = 1,
                Some(slot) => {
                    let said = (c, j, v, block);
                    let has = self.got.contains(&(i, said));
                    if has || self.is(&causal.look_up(&Key::Counts(m, e, j, v))) {
                        sent.push((!has, slot, said));
                    }
                }
                None => {}
            }
        }
        // A Byzantine message that is there counts at once, any other only where it is needed.
        let forged = (0..causal.n).filter_map(|j| self.forged(quorum, j, block));
        sent.extend(forged.map(|said| (!self.got.contains(&(i, said)), u32::MAX, said)));
        sent.sort_unstable();
        let needed = usize::try_from(quorum.at_least - own).unwrap_or(0);
        let all: Vec<Said> = sent.into_iter().map(|it| it.2).take(needed).collect();
        if all.len() < needed {
            let why = format!("replica {i} waits for {}", quorum.name);
            return Err(Error::NoSchedule { why });
        }
        Ok(all)
    }

    /// The message of Byzantine j that counts in the quorum, if there is one.
    fn forged(&self, quorum: &Quorum, j: u32, block: u32) -> Option<Said> {
        let causal = self.causal;
        if !self.byzantine(j) || !self.is(&causal.forged_vote(quorum, j)) {
            return None;
        }
        let views = match quorum.about {
            Counted::Block(v, _) => v..v + 1,
            Counted::ViewOrLater(v) => v..causal.views,
            Counted::AnyView => 0..causal.views,
        };
        let made = |&&(c, v): &&(usize, u32)| {
            causal.may_make(c, j, v)
                && (!causal.makes_for_all() || self.is(&causal.made(c, j, v, block)))
        };
        let places: Vec<(usize, u32)> = views
            .flat_map(|v| quorum.of.iter().map(move |&c| (c, v)))
            .collect();
        places.iter().find(made).map(|&(c, v)| (c, j, v, block))
    }
}
