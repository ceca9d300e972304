//! How a schedule ends: what arrives after the last step, and what then is done.

use super::{Following, Key};
use crate::{decoded::Decoded, ground::Record, program::Row};
use milp_schema::{
    Choice, ReplicaId, Schedule, Slot,
    instance::{FaultKind, Goal},
};
use std::collections::BTreeSet;

impl Following<'_> {
    /// Those who are there to the end.
    fn live(&self) -> Vec<u32> {
        let live = |i: &u32| !self.plan.crashes(*i);
        self.honest().into_iter().filter(live).collect()
    }

    /// Everything that honest replicas sent arrives at all that live; of a final state, what they then
    /// send and what one got from a Byzantine one as well. Who crashes does so before.
    pub(super) fn flood(&mut self) -> Result<(), String> {
        let last = self
            .clocks
            .iter()
            .map(|clock| clock.slot)
            .chain([self.now.0])
            .max()
            .unwrap_or(0);
        for clock in &mut self.clocks {
            (clock.slot, clock.fired) = (last + 1, false);
        }
        let shared = self.levels.instance.goal == Goal::Stall;
        loop {
            let mut sent: BTreeSet<(u32, Record)> = self.sent.keys().copied().collect();
            let made = self.handed.iter().map(|&(_, j, record)| (j, record));
            sent.extend(made.filter(|(j, _)| shared && self.plan.byzantine(*j)));
            let mut missing: Vec<(u32, u32, Record)> = Vec::new();
            for i in self.live() {
                let new =
                    |(j, it): &&(u32, Record)| *j != i && !self.handed.contains(&(i, *j, *it));
                missing.extend(sent.iter().filter(new).map(|&(j, it)| (i, j, it)));
            }
            // In one slot where one is enough: replica by replica.
            let first = |i: u32| if shared { 0 } else { i };
            missing.sort_by_key(|&(i, j, it)| (first(i), it.view, it.kind, i, j));
            if missing.is_empty() {
                return Ok(());
            }
            for (i, j, record) in missing {
                self.hand(i, j, record)?;
                if self.run.at[i as usize].view >= self.levels.views {
                    return Ok(());
                }
            }
            // What is sent in the last slot is promised to nobody.
            if !shared {
                return Ok(());
            }
        }
    }

    /// Timers fire as long as that changes anything; nobody decides by it.
    pub(super) fn rest(&mut self) -> Result<(), String> {
        loop {
            let live = self.live().into_iter();
            let mut able = live.filter_map(|i| Some((i, self.run.able(i)?)));
            let Some((i, timer)) = able.next() else {
                break;
            };
            self.fire_now(i, timer);
            self.flood()?;
            if self.run.at[i as usize].view >= self.levels.views {
                return Ok(());
            }
        }
        for i in self.honest() {
            if !self.plan.crashes(i) {
                continue;
            }
            let clock = &self.clocks[i as usize];
            let (slot, replica) = (Slot(clock.slot), ReplicaId(i));
            self.row((slot.0, 0, i), Choice::Crash { slot, replica });
        }
        let height = self.levels.draft.get(&Key::Goal("height", [0; 2]));
        if self.decided() && !self.plan.is(&height) {
            return Err("somebody decides before all are at rest".into());
        }
        Ok(())
    }

    pub(super) fn decided(&self) -> bool {
        self.honest().into_iter().any(|i| self.run.decided(i))
    }

    /// The row that not all of the steps are taken: `Σ steps ≤ number − 1`.
    pub(super) fn cut(&self) -> Row {
        let steps = self
            .plan
            .steps
            .keys()
            .map(|&place| self.plan.columns(place));
        let columns: BTreeSet<_> = steps
            .flat_map(|it| it.terms().collect::<Vec<_>>())
            .collect();
        let most = columns.len() as i64 - 1;
        self.levels.not_followed("not_followed", columns, most)
    }

    pub(super) fn end(mut self) -> Decoded {
        self.rows.sort_by_key(|(order, _)| *order);
        self.predictions.sort();
        let slots = self.rows.last().map_or(1, |((slot, ..), _)| *slot);
        let faulty = |i| {
            let byzantine = self.plan.byzantine(i).then_some(FaultKind::Byzantine);
            let kind = byzantine.or(self.plan.crashes(i).then_some(FaultKind::Crash))?;
            Some((ReplicaId(i), kind))
        };
        Decoded {
            faulty: (0..self.levels.n).filter_map(faulty).collect(),
            schedule: Schedule {
                choices: self.rows.into_iter().map(|(_, choice)| choice).collect(),
                predictions: self.predictions,
            },
            slots: slots.max(1),
        }
    }
}
