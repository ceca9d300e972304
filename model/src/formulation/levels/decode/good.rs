//! A good view as part of a schedule: all enter it in one slot, what honest replicas send arrives, and
//! timers fire when nothing is under way.

use super::{Following, LEADS_OUT, Place, Step, missed};
use crate::ground::{
    Record, Value,
    run::{Happens, Taken},
};
use std::collections::{BTreeMap, BTreeSet};

impl Following<'_> {
    /// Does what is open up to the end of a good view.
    pub(super) fn good_view(&mut self, view: u32) -> Result<(), String> {
        while let Some(place) = self.first(|place| place.0.0 < view) {
            self.place(place)?;
        }
        (self.good, self.left) = (Some(view), BTreeMap::new());
        let entries = self.open.keys().copied();
        let entries = entries.filter(|it| it.0.0 == view && is_entry(it));
        let fires = |it: &Place| self.plan.act(it.2).timer().is_some();
        let fires: Vec<Place> = entries.filter(fires).collect();
        self.arm(&fires)?;
        self.meet();
        while let Some(place) = self.first(|place| place.0.0 == view && is_entry(place)) {
            self.place(place)?;
        }
        loop {
            while let Some(place) = self
                .first(|it| it.0.0 == view)
                .and_then(|_| self.untimed(view))
            {
                self.place(place)?;
            }
            self.spread(view, false)?;
            let fires: Vec<Place> = self.able_to_fire(view);
            if fires.is_empty() {
                break;
            }
            if self.proves {
                self.arm(&fires)?;
            }
            self.meet();
            for place in fires {
                self.place(place)?;
            }
            self.meet();
        }
        if let Some((_, i, step)) = self.first(|place| place.0.0 == view) {
            let text = self.text(self.plan.act(step));
            return Err(format!(
                "replica {i} never comes to rule `{text}` of view {view}"
            ));
        }
        if self.levels.instance.gossip {
            self.spread(view, true)?;
        }
        let last = self.clocks.iter().map(|clock| clock.slot).max();
        self.settled = (view, last.unwrap_or(0));
        if self.decided() {
            return Err(format!("somebody decides by the end of view {view}"));
        }
        Ok(())
    }

    /// What a replica that goes from a good view to the next one lacks of what was sent by then.
    pub(super) fn due(&self, i: u32, happens: &[Happens]) -> Vec<(u32, Record)> {
        let leaves = |good: &u32| happens.contains(&Happens::Enters(good + 1));
        let Some(good) = self.good.filter(leaves) else {
            return vec![];
        };
        let due = |(j, it): &&(u32, Record)| {
            *j != i && it.view <= good && !self.handed.contains(&(i, *j, *it))
        };
        self.sent.keys().filter(due).copied().collect()
    }

    /// What leads a replica out of a good view was withheld; the rest of it arrives in that slot.
    pub(super) fn leave(&mut self, i: u32, happens: &[Happens]) -> Result<(), String> {
        for (j, record) in self.due(i, happens) {
            if self.sent[&(j, record)] >= self.clocks[i as usize].entered {
                return Err(missed(j, i));
            }
            self.hand(i, j, record)?;
        }
        Ok(())
    }

    /// What is sent in a good view arrives before anybody leaves it.
    pub(super) fn in_time(&mut self, i: u32, record: &Record, slot: u32) {
        let of_view = self.good.is_some_and(|good| record.view <= good);
        let gone = self
            .left
            .iter()
            .find(|(j, left)| **j != i && **left <= slot);
        if let Some((&j, _)) = gone.filter(|_| of_view && self.left.len() < self.honest().len()) {
            self.late = Some(missed(i, j));
        }
    }

    /// What firings need arrives, so that all are in one slot.
    fn arm(&mut self, fires: &[Place]) -> Result<(), String> {
        for &(at, i, step) in fires {
            let supports = self.open[&(at, i, step)].supports.clone();
            for (j, record) in self.copies((i, step), &supports) {
                self.hand(i, j, record)?;
            }
        }
        Ok(())
    }

    fn first(&self, fits: impl Fn(&Place) -> bool) -> Option<Place> {
        self.open.keys().find(|place| fits(place)).copied()
    }

    /// From now on everybody acts in a slot in which nobody acted yet.
    fn meet(&mut self) {
        let last = self.clocks.iter().map(|clock| clock.slot).max();
        for clock in &mut self.clocks {
            (clock.slot, clock.fired) = (last.unwrap_or(0) + 1, false);
        }
    }

    /// An open step of the view that is taken before any timer fires: neither what it needs nor what
    /// it would bar waits for one.
    fn untimed(&mut self, view: u32) -> Option<Place> {
        let all: Vec<Place> = self.open.keys().copied().collect();
        let of_view = all.into_iter().filter(|place| place.0.0 == view);
        of_view
            .into_iter()
            .find(|place| !self.waits(*place, &mut BTreeSet::new()))
    }

    /// Whether a step, one before it, or one that it would bar is a timer's and open.
    fn waits(&mut self, place: Place, seen: &mut BTreeSet<Place>) -> bool {
        let Some(wants) = self.open.get(&place).cloned() else {
            return false;
        };
        if !seen.insert(place) {
            return false;
        }
        if self.plan.act(place.2).timer().is_some() {
            return true;
        }
        if wants.before.iter().any(|it| self.waits(*it, seen)) {
            return true;
        }
        let barred = self.barred(place, &wants.supports);
        barred.is_some_and(|barred| barred != place && self.waits(barred, seen))
    }

    /// The open firings of the view that wait for no other.
    fn able_to_fire(&mut self, view: u32) -> Vec<Place> {
        let all: Vec<Place> = self.open.keys().copied().collect();
        let fires = all
            .into_iter()
            .filter(|place| place.0.0 == view && self.plan.act(place.2).timer().is_some());
        let fires: Vec<Place> = fires.collect();
        let free = |place: &Place| {
            let before = self.open[place].before.clone();
            !before
                .into_iter()
                .any(|it| self.waits(it, &mut BTreeSet::new()))
        };
        let mut able = Vec::new();
        let mut free = free;
        for place in fires {
            if free(&place) {
                able.push(place);
            }
        }
        // Where proofs travel, rows are made in their order.
        if self.proves {
            able.sort_by_key(|place| place.1);
        }
        able
    }

    /// What honest replicas sent arrives at all others, what they then send included, but what leads
    /// out of the view; with `all`, what one took of a Byzantine one as well.
    fn spread(&mut self, view: u32, all: bool) -> Result<(), String> {
        loop {
            let mut sent: BTreeSet<(u32, Record)> = self.sent.keys().copied().collect();
            let made = self.handed.iter().map(|&(_, j, record)| (j, record));
            sent.extend(made.filter(|(j, _)| all && self.plan.byzantine(*j)));
            let mut missing: Vec<(u32, u32, Record)> = Vec::new();
            for i in self.honest() {
                let new =
                    |(j, it): &&(u32, Record)| *j != i && !self.handed.contains(&(i, *j, *it));
                missing.extend(sent.iter().filter(new).map(|&(j, it)| (i, j, it)));
            }
            missing.sort_by_key(|&(i, j, it)| (i, it.view, it.kind, j));
            let mut changed = false;
            for (i, j, record) in missing {
                self.hide(i, j, record)?;
                if !self.leads_out(view, (i, j, record)) {
                    self.hand(i, j, record)?;
                    changed = true;
                } else if view + 1 == self.levels.views {
                    return Err(LEADS_OUT.into());
                }
            }
            if !changed {
                return Ok(());
            }
        }
    }

    /// Where the first counts, a replica for which no step rests on a Byzantine one's vote takes another
    /// before.
    fn hide(&mut self, i: u32, j: u32, record: Record) -> Result<(), String> {
        let place = |it: &Record| (it.kind, it.view);
        let first = self.plan.byzantine(j) && self.ground.counts_first(record.kind);
        let held = |it: &(u32, u32, Record)| (it.0, it.1, place(&it.2)) == (i, j, place(&record));
        if !first || self.handed.iter().any(held) || self.wanted(i, j, &record) > 0 {
            return Ok(());
        }
        let other = Record {
            value: Value::Bad,
            ..record
        };
        self.hand(i, j, other)
    }

    /// Whether a copy leads its receiver out of a view.
    fn leads_out(&mut self, view: u32, (i, j, record): (u32, u32, Record)) -> bool {
        let (before, posts) = (self.run.at[i as usize].clone(), self.run.posts.len());
        let existed = self.run.existed(j, &record).unwrap_or(posts);
        let copy = Taken {
            sender: j,
            record,
            existed,
        };
        self.run.deliver(i, copy);
        let left = self.run.at[i as usize].view > view;
        self.run.at[i as usize] = before;
        self.run.posts.truncate(posts);
        left
    }
}

fn is_entry(place: &Place) -> bool {
    matches!(place.2, Step::Enters(_))
}
