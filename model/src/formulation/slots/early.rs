//! The first slot in which each deed can be done: before it there is no column.

use super::columns::{At, Slots};
use crate::ground::{Need, Own, Record};
use milp_schema::{ReplicaId, protocol::Scope};

impl Slots {
    /// Raises the first slots until each is justified by those of what it needs. Some copy of a
    /// Byzantine replica may arrive in the first slot in which any can.
    pub(super) fn find_first(&mut self) {
        loop {
            let mut raised = false;
            for h in 0..self.heights {
                for deed in 0..self.at[h as usize].deeds.len() {
                    for i in 0..self.n {
                        let first = self.earliest(h, deed, i);
                        let known = &mut self.at[h as usize].first[deed][i as usize];
                        raised |= first > *known;
                        *known = first.max(*known);
                    }
                }
            }
            if !raised {
                return;
            }
        }
    }

    /// Later than any slot.
    fn never(&self) -> u32 {
        self.horizon + 1
    }

    fn earliest(&self, h: u32, deed: usize, i: u32) -> u32 {
        let at = &self.at[h as usize];
        let it = &at.deeds[deed];
        if !self.does(h, deed, i) || it.act.letters.v >= self.views {
            return self.never();
        }
        let view = if it.act.scope == Scope::View {
            it.view()
        } else {
            0
        };
        let place = self.first_in(h, i, view);
        // A view above 0 is left in a later slot than it is entered.
        let place = place + u32::from(it.is_entry() && view > 0);
        let needs = it
            .act
            .needs
            .iter()
            .map(|need| self.first_met(h, at, need, i));
        needs.fold(place.max(1), u32::max).min(self.never())
    }

    /// The first slot of a view.
    pub(super) fn first_in(&self, h: u32, i: u32, v: u32) -> u32 {
        let first = |h: u32, deed: usize| self.at[h as usize].first[deed][i as usize];
        match (h, v) {
            (0, 0) => 0,
            (h, 0) => {
                let deciding = self.deciding(h - 1).into_iter();
                deciding
                    .map(|deed| first(h - 1, deed))
                    .min()
                    .unwrap_or(self.never())
            }
            (h, v) => {
                let ways = self.ways(h, v).into_iter();
                ways.map(|way| first(h, way)).min().unwrap_or(self.never())
            }
        }
    }

    fn first_made(&self, at: &At, record: &Record, i: u32) -> u32 {
        let makers = at.makers.get(record).into_iter().flatten();
        let first = makers.map(|deed| at.first[*deed][i as usize]);
        first.min().unwrap_or(self.never())
    }

    /// The first slot in which i can have j's record.
    pub(super) fn first_got(&self, h: u32, record: &Record, i: u32, j: u32) -> u32 {
        let at = &self.at[h as usize];
        let made = self.first_made(at, record, j);
        if i == j {
            return made;
        }
        let sent = if self.may_forge(h, record, j) {
            1
        } else {
            made
        };
        sent + self.delay_min
    }

    fn first_met(&self, h: u32, at: &At, need: &Need, i: u32) -> u32 {
        let earliest = |firsts: &mut dyn Iterator<Item = u32>| firsts.min().unwrap_or(self.never());
        match need {
            Need::Own(Own::One(records) | Own::Last(records, _)) => {
                earliest(&mut records.iter().map(|it| self.first_made(at, it, i)))
            }
            Need::Primary(records) => {
                let primary = |it: &Record| at.ground.setting.primaries[it.view as usize];
                let travels =
                    |it: &&Record| primary(it) == i || at.records.binary_search(it).is_ok();
                let mut firsts = records
                    .iter()
                    .filter(travels)
                    .map(|it| self.first_got(h, it, i, primary(it)));
                earliest(&mut firsts)
            }
            Need::Quorum(quorum) => {
                let least = self.at_least(h, *quorum);
                let mut senders: Vec<(u32, i64)> = (0..self.n)
                    .map(|j| {
                        let records = self.of_quorum(h, *quorum, i, j);
                        let mut firsts = records.iter().map(|it| self.first_got(h, it, i, j));
                        let power = self.instance.power_of(ReplicaId(j));
                        (earliest(&mut firsts), i64::from(power))
                    })
                    .collect();
                senders.sort_unstable();
                let mut power = 0;
                let enough = senders.into_iter().find(|(_, more)| {
                    power += more;
                    power >= least
                });
                match enough {
                    _ if least <= 0 => 0,
                    Some((first, _)) => first,
                    None => self.never(),
                }
            }
        }
    }

    /// The first slot in which a quorum can be complete at i.
    pub(super) fn first_complete(&self, h: u32, quorum: usize, i: u32) -> u32 {
        self.first_met(h, &self.at[h as usize], &Need::Quorum(quorum), i)
    }
}
