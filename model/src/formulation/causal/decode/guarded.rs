//! What arrives, and in which order, where acceptance is guarded.

use super::{
    super::{
        columns::{Act, Key},
        families::Seat,
    },
    Reading, Said,
    needs::Wants,
};

impl Reading<'_> {
    /// What arrives for an act under an acceptance guard, in groups.
    pub(super) fn guarded(&self, act: Act) -> Vec<Wants> {
        let (Some(parts), Act::Does(e, i, v)) = (self.causal.order.guarded.clone(), act) else {
            return vec![];
        };
        let seat = Seat::new(self.causal, &parts, i, v);
        if e == parts.leaves {
            vec![self.signs(&seat)]
        } else if e == parts.binds {
            self.for_binding(&seat)
        } else {
            vec![]
        }
    }

    /// What makes a replica hear the others before it asks to leave, and the answers it takes.
    fn signs(&self, seat: &Seat) -> Wants {
        let causal = self.causal;
        let (i, v) = (seat.i, seat.v);
        let calls = causal.events[seat.parts.calls].broadcasts.as_ref();
        let calls = causal.channel(calls.expect("parts broadcast"));
        let mut wants = Wants::default();
        for &j in &seat.others {
            let heard = self.is(&causal.look_up(&Key::Heard(i, j, v)));
            if self.is(&seat.took_first(causal, j)) {
                wants.messages.push(self.answer(seat, j));
            } else if !heard || (j == seat.primary && self.is(&seat.answers_first(causal))) {
                // Not heard, or by its request, which was answered.
            } else if self.byzantine(j) {
                wants.messages.push((seat.asks, j, v, 0));
            } else {
                wants.messages.push((calls, j, v, 0));
            }
        }
        wants
    }

    /// The answer that j gave, or gives as a Byzantine replica about the block of the receiver.
    fn answer(&self, seat: &Seat, j: u32) -> Said {
        let (c, v) = (seat.answers, seat.v);
        let mut blocks = self.causal.blocks(v);
        let honest = |&b: &u32| self.sent_in((c, j, v, b)).is_some();
        let own = self.block(seat.parts.binds, seat.i, v);
        (c, j, v, blocks.find(honest).unwrap_or(own))
    }

    /// Binding messages known, so that too few are alive, and then the answers that are missing.
    fn for_binding(&self, seat: &Seat) -> Vec<Wants> {
        let causal = self.causal;
        let taken: Vec<Said> = seat
            .others
            .iter()
            .filter(|&&j| self.is(&seat.took(causal, j)))
            .map(|&j| self.answer(seat, j))
            .collect();
        let (had, new): (Vec<Said>, Vec<Said>) = taken
            .into_iter()
            .partition(|&said| self.got.contains(&(seat.i, said)));
        let needed = usize::try_from(seat.quorum - seat.own).unwrap_or(0);
        let missing = needed.saturating_sub(had.len());
        let left = self.is(&seat.did(causal, seat.parts.leaves));
        let answers = Wants {
            messages: new.into_iter().take(missing).collect(),
            alone: left,
        };
        let mut known = Wants::default();
        if left && !answers.messages.is_empty() {
            let block = self.block(seat.parts.binds, seat.i, seat.v);
            let knows = |&&j: &&u32| self.is(&seat.knows(causal, j));
            let of = seat.others.iter().filter(knows);
            known.messages = of.map(|&j| (seat.bound, j, seat.v, block)).collect();
        }
        vec![known, answers]
    }

    /// The order in which the rest arrives at replica i in the end, a group a slot: answers that
    /// are to be ignored before what binds others is known, answers that are to be taken after it,
    /// at a replica that asked to leave each in its own slot; requests to leave view by view (E39, E46).
    pub(super) fn in_order(&self, i: u32, pending: Vec<Said>) -> Vec<Vec<Said>> {
        let Some(parts) = &self.causal.order.guarded else {
            return vec![pending];
        };
        let seat = Seat::new(self.causal, parts, i, 0);
        let ignores = (0..self.causal.views)
            .any(|v| self.is(&self.causal.look_up(&Key::Goal("ignores", [i, v, 0]))));
        let left = |v: u32| self.slot(Act::Does(parts.leaves, i, v)).is_some();
        let (answers, others): (Vec<Said>, Vec<Said>) =
            pending.into_iter().partition(|said| said.0 == seat.answers);
        let (alone, together): (Vec<Said>, Vec<Said>) =
            answers.into_iter().partition(|said| left(said.2));
        let (bound, first): (Vec<Said>, Vec<Said>) = others
            .into_iter()
            .partition(|said| said.0 == seat.bound && ignores);
        let asks = |said: &Said| if said.0 == seat.asks { said.2 } else { 0 };
        let mut groups: Vec<Vec<Said>> = (0..self.causal.views)
            .map(|v| first.iter().copied().filter(|it| asks(it) == v).collect())
            .collect();
        groups.push(together);
        groups.extend(alone.into_iter().map(|said| vec![said]));
        groups.push(bound);
        groups.retain(|group| !group.is_empty());
        groups
    }
}
