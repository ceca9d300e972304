//! From a point to a schedule: what its value needs is done level by level, each replica is handed
//! exactly what its acts need, and what it then must do it does.

mod end;
mod good;

use super::{
    columns::{Key, Levels, made},
    event::Words,
    plan::{self, Names, Place, Plan, Step, Support, Wants},
};
use crate::{
    decoded::Decoded,
    error::Error,
    ground::{
        Act, Ground, Need, Record, Value,
        run::{Happens, Run, Taken},
    },
};
use milp_schema::{
    Choice, Height, Prediction, ReplicaId, Slot, View,
    instance::{Goal, Network},
    protocol::{Goes, Mode, Scope, TimerId},
    schedule::Copy,
};
use std::collections::{BTreeMap, BTreeSet};

/// The first slot: what must be done at the start is done in it.
const START: u32 = 1;

/// Why a good view is none: not all of it arrives.
fn missed(j: u32, i: u32) -> String {
    format!("replica {i} leaves a good view before it has all of replica {j}")
}

/// Why a point whose last view is left is none.
const LEADS_OUT: &str = "what it shows leads out of the views";

/// Where a row stands inside its slot: phase, replica, number.
type Order = (u32, u32, u32, usize);

/// How far a replica is: its slot, whether a timer fired in it, and the slot of its last entry.
#[derive(Debug, Clone, Copy)]
struct Clock {
    slot: u32,
    fired: bool,
    entered: u32,
}

impl Clock {
    const START: Self = Self {
        slot: START,
        fired: false,
        entered: 0,
    };
}

/// A schedule in the making.
struct Following<'a> {
    levels: &'a Levels,
    plan: Plan<'a>,
    names: Names,
    /// The steps that were not taken yet.
    open: BTreeMap<Place, Wants>,
    ground: &'a Ground,
    run: Run<'a>,
    clocks: Vec<Clock>,
    /// What honest replicas sent, with its slot.
    sent: BTreeMap<(u32, Record), u32>,
    /// What was handed over: receiver, sender, record.
    handed: BTreeSet<(u32, u32, Record)>,
    rows: Vec<(Order, Choice)>,
    /// Whether proofs travel, and the row that was made last.
    proves: bool,
    now: (u32, u32, u32),
    /// The last good view and the slot in which its last message arrived: its timers fire no earlier.
    settled: (u32, u32),
    /// The good view that is under way or was last, and who left it in which slot.
    good: Option<u32>,
    left: BTreeMap<u32, u32>,
    /// Why that view is none, if it is not.
    late: Option<String>,
    predictions: Vec<Prediction>,
}

/// The schedule of a point.
pub(super) fn decode(levels: &Levels, point: &[i64]) -> Result<Decoded, Error> {
    let plan = plan::of(levels, point);
    let names = plan.names();
    let ground = levels.followed()?;
    let mut following = Following {
        levels,
        run: Run::new(&ground),
        clocks: vec![Clock::START; levels.n as usize],
        sent: BTreeMap::new(),
        handed: BTreeSet::new(),
        rows: Vec::new(),
        proves: ground.all().any(|it| !it.proofs.is_empty()),
        now: (START, 0, 0),
        settled: (0, 0),
        good: None,
        left: BTreeMap::new(),
        late: None,
        predictions: Vec::new(),
        ground: &ground,
        open: plan.steps.clone(),
        plan,
        names,
    };
    following.all().map_err(|why| Error::Refused {
        row: Box::new(following.cut()),
        why,
    })?;
    Ok(following.end())
}

impl<'a> Following<'a> {
    fn words(&self) -> Words<'a> {
        Words {
            instance: &self.levels.instance,
            ground: self.ground,
        }
    }

    fn all(&mut self) -> Result<(), String> {
        for i in self.honest() {
            let happens = self.run.complete(i);
            self.show(i, &happens);
        }
        for view in self.plan.good_views() {
            self.good_view(view)?;
        }
        while let Some((&place, _)) = self.open.first_key_value() {
            self.place(place)?;
        }
        if let Some(late) = self.late.take() {
            return Err(late);
        }
        if self.levels.instance.network == Network::Eventual {
            self.flood()?;
        }
        if self.levels.instance.goal == Goal::Stall {
            self.rest()?;
        }
        let furthest = self.run.at.iter().map(|at| at.view).max();
        if furthest >= Some(self.levels.views) {
            return Err(LEADS_OUT.into());
        }
        Ok(())
    }

    fn honest(&self) -> Vec<u32> {
        (0..self.levels.n)
            .filter(|&i| !self.plan.byzantine(i))
            .collect()
    }

    /// Takes a step, after those before it and those that it would bar.
    fn place(&mut self, place: Place) -> Result<(), String> {
        let Some(wants) = self.open.remove(&place) else {
            return Ok(());
        };
        for before in wants.before {
            self.place(before)?;
        }
        self.post(&wants.carried);
        while let Some(barred) = self.barred(place, &wants.supports) {
            self.place(barred)?;
        }
        self.take(place, &wants.supports)
    }

    /// An open step of the same replica and view that can no longer be taken after this one.
    fn barred(&mut self, (_, i, step): Place, supports: &[Support]) -> Option<Place> {
        let before = (self.run.at[i as usize].clone(), self.run.posts.len());
        let possible = self.possible(i);
        for (j, record) in self.copies((i, step), supports) {
            if j != i && !self.handed.contains(&(i, j, record)) {
                let existed = self.run.existed(j, &record);
                self.run.deliver(
                    i,
                    Taken {
                        sender: j,
                        record,
                        existed: existed.unwrap_or(before.1),
                    },
                );
            }
        }
        if let Some(timer) = self.plan.act(step).timer() {
            self.run.fire(i, timer);
        }
        let still = self.possible(i);
        let done = |it: &Place| self.is_done((i, it.2), self.plan.act(it.2));
        let barred = possible.into_iter();
        let barred = barred.filter(|it| !still.contains(it)).find(|it| !done(it));
        self.run.at[i as usize] = before.0;
        self.run.posts.truncate(before.1);
        barred
    }

    /// The open steps that a replica can still take in the view it is in.
    fn possible(&self, i: u32) -> Vec<Place> {
        let at = &self.run.at[i as usize];
        let open = self.open.keys().copied();
        let possible = |&(_, j, step): &Place| {
            let act = self.plan.act(step);
            let free = act.makes.is_none_or(|record| {
                let record = self.named(&record, (j, step));
                let same = |it: &Record| (it.kind, it.view) == (record.kind, record.view);
                !at.own.iter().any(|it| same(it) && *it != record)
            });
            let view = act.letters.v - u32::from(act.makes.is_none());
            let decides = act.makes.is_some_and(|it| self.ground.is_final(it.kind));
            j == i
                && act.scope == Scope::View
                && free
                && !decides
                && view == at.view
                && !self.run.stopped(i)
        };
        open.filter(possible).collect()
    }

    /// What a step needs to be handed.
    fn copies(&self, (i, step): (u32, Step), supports: &[Support]) -> Vec<(u32, Record)> {
        let mut copies = Vec::new();
        for support in supports {
            let honest = support.honest.iter().map(|&(j, sent)| {
                let record = made(&self.levels.ground.acts[sent]);
                (j, self.named(&record, (j, Step::Does(sent))))
            });
            copies.extend(honest);
            let byzantine = support.byzantine.iter();
            copies.extend(byzantine.map(|(j, records)| (*j, self.chosen((i, step), *j, records))));
        }
        copies
    }

    /// Takes a step: its replica gets what it needs, and does it, or its timer fires.
    fn take(&mut self, (_, i, step): Place, supports: &[Support]) -> Result<(), String> {
        let act = self.plan.act(step).clone();
        if self.is_done((i, step), &act) {
            return Ok(());
        }
        if matches!(step, Step::Enters(_)) {
            let clock = &mut self.clocks[i as usize];
            if clock.slot == clock.entered && clock.entered > 0 {
                (clock.slot, clock.fired) = (clock.slot + 1, false);
            }
        }
        let copies = self.copies((i, step), supports);
        let known = |it: &(u32, Record)| self.handed.contains(&(i, it.0, it.1));
        let old: Vec<(u32, Record)> = copies.iter().filter(|it| known(it)).copied().collect();
        for (j, record) in copies {
            self.hand(i, j, record)?;
        }
        // The words that a Byzantine replica said before carry more when it says them again.
        let again = !act.proofs.is_empty() && !self.is_done((i, step), &act);
        for (j, record) in old.into_iter().filter(|_| again) {
            if self.plan.byzantine(j) {
                self.deliver(i, j, record)?;
            }
        }
        if let Mode::Timer(timer) = act.mode {
            self.fire(i, timer, &act)?;
        }
        if self.is_done((i, step), &act) {
            return Ok(());
        }
        Err(format!(
            "replica {i} does something else than rule `{}` of view {}",
            self.text(&act),
            act.letters.v
        ))
    }

    fn text(&self, act: &Act) -> String {
        let rules = &self.ground.setting.rules;
        rules.text(&rules.rules[act.rule])
    }

    /// Whether a replica made the record of an act, or is in the view that it enters.
    fn is_done(&self, (i, step): (u32, Step), act: &Act) -> bool {
        let at = &self.run.at[i as usize];
        match act.makes {
            Some(record) => at.own.contains(&self.named(&record, (i, step))),
            None => at.view >= act.letters.v,
        }
    }

    /// A record of a step under the names of its values.
    fn named(&self, record: &Record, step: (u32, Step)) -> Record {
        let value = match record.value {
            Value::Of(value) => Value::Of(self.names.of(value, step).unwrap_or(value)),
            other => other,
        };
        Record { value, ..*record }
    }

    /// The record that Byzantine j sends: one that i has of it already, otherwise one that helps
    /// least else.
    fn chosen(&self, (i, step): (u32, Step), j: u32, records: &[Record]) -> Record {
        let named = records.iter().map(|it| self.named(it, (i, step)));
        let known = named.clone().find(|it| self.handed.contains(&(i, j, *it)));
        let wanted = |it: &Record| {
            let first = self.ground.counts_first(it.kind);
            usize::MAX - if first { self.wanted(i, j, it) } else { 0 }
        };
        let acts = || self.ground.all();
        let helps = |record: &Record| {
            let needs = |it: &&Need| it.taken(self.ground).binary_search(record).is_ok();
            acts().flat_map(Act::asks).filter(needs).count()
        };
        let harmless = |it: &Record| {
            let harm = (it.value != Value::Bad, u32::MAX - it.view, helps(it));
            (wanted(it), harm, *it)
        };
        let chosen = known.or_else(|| named.min_by_key(harmless));
        chosen.expect("a Byzantine replica supports by some record")
    }

    /// How many open steps of replica i can rest on that record of Byzantine j.
    fn wanted(&self, i: u32, j: u32, record: &Record) -> usize {
        let of_replica = self.open.iter().filter(|(place, _)| place.1 == i);
        let rests = |(place, wants): &(&Place, &Wants)| {
            let mut by = wants.supports.iter().flat_map(|it| &it.byzantine);
            by.any(|(by, records)| {
                let mut named = records.iter().map(|it| self.named(it, (i, place.2)));
                *by == j && named.any(|it| it == *record)
            })
        };
        of_replica.filter(rests).count()
    }

    /// Hands a copy over, once.
    fn hand(&mut self, i: u32, j: u32, record: Record) -> Result<(), String> {
        if i == j || !self.handed.insert((i, j, record)) {
            return Ok(());
        }
        self.deliver(i, j, record)
    }

    /// A copy arrives as soon as it can be there; one of a Byzantine sender is made the slot before.
    fn deliver(&mut self, i: u32, j: u32, record: Record) -> Result<(), String> {
        let clock = self.clocks[i as usize];
        let slot = clock.slot + u32::from(clock.fired);
        let (copy, taken) = if self.plan.byzantine(j) {
            self.inject(slot.max(START + 1) - 1, i, j, record)
        } else {
            let sent = self
                .sent
                .get(&(j, record))
                .zip(self.run.existed(j, &record));
            let sent = sent.ok_or_else(|| format!("replica {j} does not send what {i} needs"))?;
            let taken = Taken {
                sender: j,
                record,
                existed: sent.1,
            };
            (self.copy(*sent.0, (i, j), &record), taken)
        };
        let slot = self.turn((slot.max(copy.sent.0 + 1), 1, i));
        (self.clocks[i as usize].slot, self.clocks[i as usize].fired) = (slot, false);
        let at = Slot(slot);
        self.row((slot, 1, i), Choice::Deliver { slot: at, copy });
        let happens = self.run.deliver(i, taken);
        self.show(i, &happens);
        self.leave(i, &happens)
    }

    fn copy(&self, sent: u32, (receiver, sender): (u32, u32), record: &Record) -> Copy {
        Copy {
            sender: ReplicaId(sender),
            receiver: ReplicaId(receiver),
            message: self.words().message(record),
            sent: Slot(sent),
            copy: 0,
        }
    }

    /// A Byzantine replica makes a copy, in that slot or later.
    fn inject(&mut self, slot: u32, i: u32, j: u32, record: Record) -> (Copy, Taken) {
        let slot = self.turn((slot, 3, j));
        let mut copy = self.copy(slot, (i, j), &record);
        let first = |it: &Copy| {
            Copy {
                copy: 0,
                ..it.clone()
            } == copy
        };
        let same =
            |row: &&(Order, Choice)| matches!(&row.1, Choice::Inject { copy } if first(copy));
        copy.copy = self.rows.iter().filter(same).count() as u32;
        self.row((slot, 3, j), Choice::Inject { copy: copy.clone() });
        (copy, self.run.inject(j, record))
    }

    /// What Byzantine replicas add to what travels with a message exists; nobody need take it.
    fn post(&mut self, carried: &[((u32, Step), Support)]) {
        for ((i, step), support) in carried {
            for (j, records) in &support.byzantine {
                let record = self.chosen((*i, *step), *j, records);
                if self.run.existed(*j, &record).is_none() {
                    self.inject(START, *i, *j, record);
                }
            }
        }
    }

    /// Where proofs travel, what is done first comes first in the schedule: the place of a row that is
    /// not before this one.
    fn turn(&mut self, (slot, phase, replica): (u32, u32, u32)) -> u32 {
        if !self.proves {
            return slot;
        }
        let (now, ..) = self.now;
        let later = u32::from((now, phase, replica) < self.now);
        let slot = slot.max(now + later);
        self.now = (slot, phase, replica);
        slot
    }

    fn row(&mut self, (slot, phase, replica): (u32, u32, u32), choice: Choice) {
        let order = (slot, phase, replica, self.rows.len());
        self.rows.push((order, choice));
    }

    fn fire(&mut self, i: u32, timer: TimerId, act: &Act) -> Result<(), String> {
        let view = self.run.at[i as usize].view;
        let there = act.letters.v - u32::from(act.makes.is_none());
        if !self.run.runs(i, timer) || (act.scope == Scope::View && view != there) {
            let text = self.text(act);
            return Err(format!(
                "the timer of rule `{text}` does not run at replica {i}"
            ));
        }
        self.fire_now(i, timer);
        Ok(())
    }

    fn fire_now(&mut self, i: u32, timer: TimerId) {
        let view = self.run.at[i as usize].view;
        let settled = Some(self.settled.1).filter(|_| self.settled.0 == view);
        let slot = self.clocks[i as usize].slot.max(settled.unwrap_or(0));
        let slot = self.turn((slot, 2, i));
        (self.clocks[i as usize].slot, self.clocks[i as usize].fired) = (slot, true);
        let name = &self.ground.setting.rules.timers[timer.0];
        let timers = &self.levels.instance.protocol.timers;
        let name = timers.iter().find(|it| *it == name);
        let row = Choice::Timeout {
            slot: Slot(slot),
            replica: ReplicaId(i),
            timer: name.expect("the words of a file have its timers"),
            height: Height(0),
            view: View(view),
        };
        self.row((slot, 2, i), row);
        let happens = self.run.fire(i, timer);
        self.show(i, &happens);
        // Nothing arrives behind a firing in its slot.
        let waits = self.due(i, &happens).into_iter().next();
        if let Some((j, _)) = waits {
            self.late = Some(missed(j, i));
        }
    }

    /// What an observer sees of what a replica does.
    fn show(&mut self, i: u32, happens: &[Happens]) {
        let slot = self.clocks[i as usize].slot;
        let words = self.words();
        for happened in happens {
            match *happened {
                Happens::Enters(view) => {
                    self.clocks[i as usize].entered = slot;
                    if self.good.is_some_and(|good| view > good) {
                        self.left.entry(i).or_insert(slot);
                    }
                }
                Happens::Makes(record) => {
                    if self.ground.setting.rules.kind(record.kind).goes == Goes::Sent {
                        self.sent.insert((i, record), slot);
                        self.in_time(i, &record, slot);
                    }
                }
            }
            let seen = words.seen(*happened).into_iter();
            self.predictions.extend(seen.map(|event| Prediction {
                slot: Slot(slot),
                replica: ReplicaId(i),
                event,
            }));
        }
    }
}
