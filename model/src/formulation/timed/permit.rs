//! Acts that an engine was seen to do where the rules forbid them.
//!
//! A [`Permit`] lets one replica do one act without what the rules require of it and in spite of
//! what excludes it. Its column, `permitted_p_t`, is 1 iff the replica did the act by slot t and
//! rests on the permit; the rows of the rules are loosened by it. When it may rest on the permit is
//! for whoever gives it to say, in rows of its own ([`Built::permitted`](super::Built::permitted)).
//! What follows from the rules for every execution (tag `valid`) follows no longer, and is left
//! out.

use super::columns::{Indices, Key, Permitted, Timed, Views};
use crate::{expr::Expr, group::Group, rule::Modality};
use milp_schema::{ReplicaId, instance::Timers, schedule::Event as Seen};

/// An act that a replica may do whatever the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// Who may do it.
    pub replica: ReplicaId,
    /// What.
    pub act: Seen,
}

impl Timed {
    /// Adds the columns of permits, as many as have an act that is a column's.
    pub(super) fn permit(&mut self, permits: &[Permit]) {
        self.permits = permits
            .iter()
            .map(|permit| {
                let place = self.place(&permit.act, permit.replica.0);
                (permit.replica.0, place)
            })
            .collect();
        for (p, (_, place)) in (0..).zip(self.permits.clone()) {
            if place.is_some() {
                for t in self.slots() {
                    let name = format!("permitted_p{p}_t{t}");
                    self.draft.add(Key::Permitted(p, t), name, 1);
                }
            }
        }
    }

    /// The place of an act that replica i does in its view, if it has a column. One that a timer
    /// triggers has none where timers run by themselves: they would have to be permitted, too.
    pub(super) fn place(&self, act: &Seen, i: u32) -> Option<Permitted> {
        if let Seen::EnterView { height, view } = act {
            let entered = self.entered(i, height.0, view.0, self.horizon);
            return (!entered.is_constant()).then_some(Permitted::Entered(height.0, view.0));
        }
        let (h, v, b) = match act {
            Seen::Send(said) => (said.height.0, said.view.0, said.index().unwrap_or(0)),
            Seen::Decide(block) => (block.height.0, block.view.0, block.index),
            Seen::EnterView { .. } => return None,
        };
        let shows = |e: &usize| {
            let event = &self.events[*e];
            let same = match act {
                Seen::Send(said) => event.broadcasts.as_ref() == Some(&said.kind) && !event.decides,
                _ => event.decides,
            };
            let free = self.instance.timers == Timers::Free;
            let happens = match event.modality {
                Modality::Must => true,
                Modality::Timer { .. } => free,
                Modality::May => false,
            };
            same && happens && self.in_view(*e)
        };
        let e = (0..self.events.len()).find(shows)?;
        let did = self.did(e, i, h, v, b, self.horizon);
        (!did.is_constant()).then_some(Permitted::Did(e, Indices { h, v, b, t: 0 }))
    }

    /// Whether some act is permitted that the rules forbid.
    pub(crate) fn is_loose(&self) -> bool {
        !self.permits.is_empty()
    }

    fn permitted_where(&self, i: u32, t: u32, is: impl Fn(Permitted) -> bool) -> Expr {
        (0..)
            .zip(&self.permits)
            .filter(|(_, (replica, place))| *replica == i && place.is_some_and(&is))
            .map(|(p, _)| self.draft.get(&Key::Permitted(p, t)))
            .sum()
    }

    /// Replica i did event e about (h, v, b) by slot t, resting on a permit.
    pub(crate) fn permitted(&self, e: usize, i: u32, h: u32, v: u32, b: u32, t: u32) -> Expr {
        let at = Indices { h, v, b, t: 0 };
        self.permitted_where(i, t, |place| place == Permitted::Did(e, at))
    }

    /// The same about any block of some views.
    pub(crate) fn permitted_in(&self, e: usize, i: u32, h: u32, views: Views, t: u32) -> Expr {
        self.permitted_where(i, t, |place| {
            matches!(place, Permitted::Did(event, at)
                if event == e && at.h == h && views.contains(&at.v))
        })
    }

    /// Replica i reached view w of height h by slot t, resting on a permit.
    pub(crate) fn permitted_entry(&self, i: u32, h: u32, w: u32, t: u32) -> Expr {
        self.permitted_where(i, t, |place| place == Permitted::Entered(h, w))
    }
}

/// A permit is for an act that is done, by one who follows rules, and what rested on it does so for
/// ever: `permitted^t ≤ act^t`, `permitted^(t−1) ≤ permitted^t`, `permitted^T + byzantine_i ≤ 1`.
pub(super) fn permits(timed: &mut Timed) {
    if !timed.is_loose() {
        return;
    }
    let family = timed
        .draft
        .family("permitted_requires_act", "cuts.yaml", &[], Group::MEMORY);
    for (p, (i, place)) in (0..).zip(timed.permits.clone()) {
        let Some(place) = place else {
            continue;
        };
        for t in timed.slots() {
            let now = timed.draft.get(&Key::Permitted(p, t));
            let act = match place {
                Permitted::Did(e, Indices { h, v, b, .. }) => timed.did(e, i, h, v, b, t),
                Permitted::Entered(h, w) => timed.entered(i, h, w, t),
            };
            let label = format!("_p{p}_t{t}");
            timed.draft.at_most(family, &label, now.clone(), act);
            let before = timed.draft.get(&Key::Permitted(p, t - 1));
            timed
                .draft
                .at_most(family, &format!("{label}_stays"), before, now);
        }
        let last = timed.draft.get(&Key::Permitted(p, timed.horizon));
        let both = last + timed.byzantine(i);
        timed
            .draft
            .at_most(family, &format!("_p{p}"), both, 1.into());
    }
}
