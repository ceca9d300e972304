//! Which of two deeds of one replica comes first inside a slot.

use super::columns::{Deed, Slots, What};
use crate::ground::{Need, Own, Record};
use milp_schema::protocol::Scope;
use std::collections::BTreeSet;

/// The slot at which a deed that excludes another is looked at: that of the other one, or the one
/// before, where it comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    Now,
    Before,
}

impl Moment {
    pub(super) fn of(self, t: u32) -> u32 {
        match self {
            Self::Now => t,
            Self::Before => t - 1,
        }
    }
}

/// Whether a deed cannot be done before an own record is made, in no way.
fn rests_on(deed: &Deed, made: Option<Record>) -> bool {
    let Some(made) = made else { return false };
    deed.act.needs.iter().any(|need| match need {
        Need::Own(own) => own.matching() == [made],
        Need::Primary(records) => *records == [made],
        Need::Quorum(_) => false,
    })
}

impl Slots {
    fn is_firing(&self, h: u32, deed: usize) -> bool {
        self.timer_of(h, deed).is_some()
    }

    /// Whether what `other` did in the same slot keeps `deed` from being done (`Now`), or comes after
    /// it. What might come in either order is not done in one slot (E62), but that a decision, of a
    /// rule behind that of the deed, ends the height.
    pub(super) fn excludes(&self, h: u32, deed: usize, other: usize) -> Moment {
        let (it, by) = (self.deed(h, deed), self.deed(h, other));
        let decides = by
            .makes()
            .is_some_and(|it| self.at[h as usize].ground.is_final(it.kind));
        if by.view() < it.view() && !decides {
            return Moment::Now;
        }
        if by.view() > it.view() && by.act.scope == Scope::View {
            return Moment::Before; // it had to enter that view first
        }
        if decides && matches!(it.what, What::Starts(_)) {
            return Moment::Before; // who has decided does not look at its timers
        }
        match (self.is_firing(h, deed), self.is_firing(h, other)) {
            (false, true) => Moment::Before,
            (false, false) if decides && !it.is_entry() && it.act.rule < by.act.rule => {
                Moment::Before
            }
            (true, false) if rests_on(by, it.makes()) => Moment::Before,
            _ => Moment::Now,
        }
    }

    /// Whether what `other` did in the same slot excuses that `deed`, which must be done, is not
    /// (`Now`): only if it came first for sure.
    pub(super) fn excuses(&self, h: u32, deed: usize, other: usize) -> Moment {
        let (it, by) = (self.deed(h, deed), self.deed(h, other));
        let decides = by
            .makes()
            .is_some_and(|it| self.at[h as usize].ground.is_final(it.kind));
        if self.is_firing(h, deed) || (by.view() < it.view() && !decides) {
            return Moment::Now;
        }
        Moment::Before
    }

    /// Whether the copies that lead into a view can wait in their slot until what keeps a replica
    /// from entering is done: they are of no use to that.
    pub(super) fn can_wait(&self, h: u32, entry: usize) -> bool {
        let at = &self.at[h as usize];
        let kinds = |deed: &Deed| -> BTreeSet<usize> {
            let needs = deed.act.needs.iter();
            let taken = needs.flat_map(|need| need.taken(&at.ground));
            taken.map(|record| record.kind.0).collect()
        };
        let own = kinds(&at.deeds[entry]);
        let bars: BTreeSet<usize> = at.deeds[entry]
            .act
            .bars
            .iter()
            .flat_map(Own::matching)
            .map(|record| record.kind.0)
            .collect();
        let keeps = |deed: &&Deed| {
            deed.makes()
                .is_some_and(|it| at.ground.is_final(it.kind) || bars.contains(&it.kind.0))
        };
        !own.is_empty()
            && at
                .deeds
                .iter()
                .filter(keeps)
                .all(|it| kinds(it).is_disjoint(&own))
    }
}
