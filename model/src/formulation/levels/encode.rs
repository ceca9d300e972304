//! From an execution to a point: replicas follow its rows, and their acts are columns.

use super::{
    columns::{KNOWS, Key, Levels, made},
    event::Words,
};
use crate::{
    error::Error,
    ground::{
        Act, Ground, Letters, Need, Record, Value, Values,
        run::{At, Done, Run, Taken, holds},
    },
    left_out::skips_by_proof,
    program::{Col, Program},
};
use milp_schema::{
    Choice, Prediction, ReplicaId, Schedule, Slot,
    instance::{FaultKind, Goal},
    protocol::{Goes, Head, Mode},
};
use std::collections::{BTreeMap, BTreeSet};

/// Why an execution is no point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unencoded {
    /// By this reading of the rules replicas do something else, in words.
    Differs(String),
    /// The program has no columns for it.
    Outside(&'static str),
}

/// An execution as a point.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// The columns that the execution gives a value; those of the goal have none.
    pub point: Vec<Option<i64>>,
    /// The rules of the file that were done, by number, and in which view.
    pub fired: BTreeSet<(usize, u32)>,
}

/// Makes points of executions.
#[derive(Debug)]
pub struct Encoder<'a> {
    levels: &'a Levels,
    program: &'a Program,
    ground: Ground,
}

/// A point in the making.
struct Point<'a> {
    levels: &'a Levels,
    /// What values are called in the program.
    names: BTreeMap<u32, u32>,
    byzantine: BTreeSet<u32>,
    crashes: BTreeSet<u32>,
    /// What honest replicas have of Byzantine ones, where the goal asks.
    held: BTreeSet<(Record, u32)>,
    own: Vec<BTreeSet<Record>>,
    /// With the view that the replica was in.
    did: BTreeMap<(usize, u32), u32>,
    entered: BTreeSet<(u32, u32)>,
    ways: BTreeSet<(usize, u32)>,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(levels: &'a Levels, program: &'a Program) -> Result<Self, Error> {
        let ground = levels.followed()?;
        Ok(Self {
            levels,
            program,
            ground,
        })
    }

    fn words(&self) -> Words<'_> {
        Words {
            instance: &self.levels.instance,
            ground: &self.ground,
        }
    }

    /// The choices with what replicas do on them by this reading of the rules.
    ///
    /// # Errors
    /// Choices that it has no words for, or that lead out of the views.
    pub fn follow(
        &self,
        choices: &[Choice],
        faulty: &[(ReplicaId, FaultKind)],
    ) -> Result<Schedule, Unencoded> {
        let (_, mut predictions) = self.run(choices, faulty)?;
        predictions.sort();
        Ok(Schedule {
            choices: choices.to_vec(),
            predictions,
        })
    }

    fn run(
        &self,
        choices: &[Choice],
        faulty: &[(ReplicaId, FaultKind)],
    ) -> Result<(Run<'_>, Vec<Prediction>), Unencoded> {
        self.has_replicas_of(choices)?;
        let (words, mut run) = (self.words(), Run::new(&self.ground));
        let byzantine = |i: ReplicaId| faulty.contains(&(i, FaultKind::Byzantine));
        let (mut crashed, mut injected) = (BTreeSet::new(), BTreeMap::new());
        let mut predictions = Vec::new();
        // Who crashes in the first slot does nothing at all.
        let at_once = |it: &&Choice| matches!(it, Choice::Crash { slot: Slot(1), .. });
        let before = choices.iter().take_while(at_once);
        crashed.extend(before.filter_map(|it| match it {
            Choice::Crash { replica, .. } => Some(*replica),
            _ => None,
        }));
        for i in ReplicaId::all(self.ground.setting.replicas()) {
            if !byzantine(i) && !crashed.contains(&i) {
                let happens = run.complete(i.0);
                show(words, (Slot(1), i), happens, &mut predictions);
            }
        }
        for choice in choices {
            let (slot, i, happens) = match choice {
                Choice::Crash { replica, .. } => {
                    crashed.insert(*replica);
                    continue;
                }
                Choice::Drop { .. } => continue,
                Choice::Inject { copy } => {
                    if let Some(record) = words.record(&copy.message) {
                        injected.insert(copy, run.inject(copy.sender.0, record));
                    }
                    continue;
                }
                Choice::Restart { .. } => return Err(Unencoded::Outside("a restart")),
                Choice::Deliver { slot, copy } => {
                    let record = words.record(&copy.message);
                    let record = record.ok_or(Unencoded::Outside("a kind without rules"))?;
                    let i = copy.receiver;
                    if crashed.contains(&i) || byzantine(i) {
                        continue;
                    }
                    let sender = copy.sender.0;
                    let taken = injected.get(copy).copied().unwrap_or_else(|| Taken {
                        sender,
                        record,
                        existed: run.existed(sender, &record).unwrap_or(0),
                    });
                    (*slot, i, run.deliver(i.0, taken))
                }
                Choice::Timeout {
                    slot,
                    replica: i,
                    timer,
                    ..
                } => {
                    let running = words.timer(timer).filter(|it| run.runs(i.0, *it));
                    let running = running.ok_or_else(|| stopped(*i, timer))?;
                    (*slot, *i, run.fire(i.0, running))
                }
            };
            show(words, (slot, i), happens, &mut predictions);
        }
        if run.at.iter().any(|at| at.view >= self.ground.setting.views) {
            return Err(Unencoded::Outside("more views"));
        }
        Ok((run, predictions))
    }

    fn has_replicas_of(&self, choices: &[Choice]) -> Result<(), Unencoded> {
        let there = |i: ReplicaId| i.0 < self.ground.setting.replicas();
        let known = |choice: &Choice| match choice {
            Choice::Deliver { copy, .. } | Choice::Drop { copy, .. } | Choice::Inject { copy } => {
                there(copy.sender) && there(copy.receiver)
            }
            other => there(other.replica()),
        };
        let outside = Unencoded::Outside("so many replicas");
        choices.iter().all(known).then_some(()).ok_or(outside)
    }

    /// The point of an execution. Decided values get numbers of their own first; `turn` says which
    /// of the others do where there are too few.
    ///
    /// # Errors
    /// [`Unencoded`].
    pub fn encode(
        &self,
        schedule: &Schedule,
        faulty: &[(ReplicaId, FaultKind)],
        turn: u64,
    ) -> Result<Encoded, Unencoded> {
        let (run, predictions) = self.run(&schedule.choices, faulty)?;
        let ours: BTreeSet<Prediction> = predictions.into_iter().collect();
        let theirs = schedule.predictions.iter().cloned().collect();
        if let Some(other) = ours.symmetric_difference(&theirs).next() {
            let (slot, i) = (other.slot, other.replica);
            let what = format!("replica {i} does something else in slot {slot}");
            return Err(Unencoded::Differs(what));
        }
        let kind = |kind| {
            let all = faulty.iter().filter(move |it| it.1 == kind);
            all.map(|(i, _)| i.0).collect::<BTreeSet<u32>>()
        };
        let mut point = Point {
            levels: self.levels,
            names: self.names(&run, turn),
            byzantine: kind(FaultKind::Byzantine),
            crashes: kind(FaultKind::Crash),
            held: BTreeSet::new(),
            own: vec![BTreeSet::new(); run.at.len()],
            did: BTreeMap::new(),
            entered: BTreeSet::new(),
            ways: BTreeSet::new(),
        };
        point.hold(self.words(), &schedule.choices);
        let all = || {
            (0..)
                .zip(&run.at)
                .flat_map(|(i, at)| at.done.iter().map(move |it| (i, it)))
        };
        for (i, done) in all() {
            point.act(&run, i, done)?;
        }
        point.walk(&run)?;
        let fired = all().map(|(_, it)| (it.rule, it.letters.v));
        Ok(Encoded {
            point: point.columns(self.program),
            fired: fired.collect(),
        })
    }

    /// What values are called in the program.
    fn names(&self, run: &Run<'_>, turn: u64) -> BTreeMap<u32, u32> {
        let all = 0..self.ground.setting.valid();
        let Values::Abstract { count, others } = self.levels.ground.setting.values else {
            return all.map(|it| (it, it)).collect();
        };
        let decided = |x: &u32| {
            let mut own = run.at.iter().flat_map(|at| &at.own);
            own.any(|it| it.value == Value::Of(*x) && self.ground.is_final(it.kind))
        };
        let (mut order, mut rest): (Vec<u32>, Vec<u32>) = all.partition(decided);
        let turns = turn as usize % rest.len().max(1);
        rest.rotate_left(turns);
        order.extend(rest);
        let last = count - u32::from(others);
        let named = order.into_iter().zip(0..);
        named.map(|(x, at)| (x, at.min(last))).collect()
    }
}

fn show(
    words: Words<'_>,
    (slot, replica): (Slot, ReplicaId),
    happens: Vec<crate::ground::run::Happens>,
    predictions: &mut Vec<Prediction>,
) {
    let seen = happens.into_iter().flat_map(|it| words.seen(it));
    predictions.extend(seen.map(|event| Prediction {
        slot,
        replica,
        event,
    }));
}

impl Point<'_> {
    fn named(&self, record: &Record) -> Record {
        let value = match record.value {
            Value::Of(x) => Value::Of(self.names[&x]),
            other => other,
        };
        Record { value, ..*record }
    }

    /// What honest replicas got of Byzantine ones.
    fn hold(&mut self, words: Words<'_>, choices: &[Choice]) {
        for choice in choices {
            let Choice::Deliver { copy, .. } = choice else {
                continue;
            };
            let (i, j) = (copy.receiver.0, copy.sender.0);
            if self.byzantine.contains(&j) && !self.byzantine.contains(&i) {
                let record = words.record(&copy.message).map(|it| self.named(&it));
                self.held.extend(record.map(|it| (it, j)));
            }
        }
    }

    /// What a replica had made and taken before something was done, in the program's values.
    fn before(&self, at: &At, done: &Done) -> At {
        let [own, taken] = done.had;
        let own = at.own[..own].iter().map(|it| self.named(it));
        let taken = at.taken[..taken].iter();
        let mut before = At::default();
        before.view = done.view;
        before.own = own.collect();
        let named = |it: &Taken| Taken {
            record: self.named(&it.record),
            ..*it
        };
        before.taken = taken.map(named).collect();
        before
    }

    /// The column of what was done, if the program has one. Nobody reads adopted decisions, and
    /// timers that start show in what they do.
    fn act(&mut self, run: &Run<'_>, i: u32, done: &Done) -> Result<(), Unencoded> {
        let levels = self.levels;
        let ground = &levels.ground;
        let rule = &ground.setting.rules.rules[done.rule];
        match rule.head {
            Head::Arm { .. } | Head::Stop { .. } => return Ok(()),
            Head::Skip if skips_by_proof(rule) => {
                return Err(Unencoded::Outside("a view skipped by a proof"));
            }
            Head::Skip => {
                self.entered.insert((i, done.letters.v));
                return Ok(());
            }
            Head::Enter | Head::Make { .. } => {}
        }
        let letters = Letters {
            x: done.letters.x.map(|x| self.names[&x]),
            ..done.letters
        };
        let same = |act: &Act| act.rule == done.rule && act.letters == letters;
        let mut mapped = Run::new(ground);
        let posts = run.posts.iter().map(|(j, it)| (*j, self.named(it)));
        mapped.posts = posts.collect();
        mapped.at[i as usize] = self.before(&run.at[i as usize], done);
        let at = &mapped.at[i as usize];
        let can = |act: &Act| {
            ground.actors(act).any(|it| it == i)
                && mapped.has(i, act)
                && !act.bars.iter().any(|bar| holds(&at.own, bar))
        };
        let list = match done.makes {
            Some(_) => &ground.acts,
            None => &ground.entries,
        };
        let mut fits = list.iter().enumerate().filter(|(_, act)| same(act));
        let adopts = fits.clone().next().is_none();
        if adopts && done.makes.is_some_and(|it| ground.is_final(it.kind)) {
            return Ok(());
        }
        let Some((number, act)) = fits.find(|(_, act)| can(act)) else {
            let rules = &ground.setting.rules;
            let what = format!(
                "the program has no act of rule `{}` for replica {i} in view {}",
                rules.text(&rules.rules[done.rule]),
                letters.v
            );
            return Err(Unencoded::Differs(what));
        };
        if act.makes.is_some() {
            self.did.insert((number, i), done.view);
            self.own[i as usize].insert(made(act));
        } else {
            self.entered.insert((i, letters.v));
            self.ways.insert((number, i));
        }
        Ok(())
    }

    /// Who skipped views walked through them, in a way in which anybody could.
    fn walk(&mut self, run: &Run<'_>) -> Result<(), Unencoded> {
        let ground = &self.levels.ground;
        let last: Vec<(u32, u32)> = (0..).zip(run.at.iter().map(|at| at.view)).collect();
        for (i, view) in last {
            let entered = |v: u32| v == 0 || self.entered.contains(&(i, v));
            let skipped: Vec<u32> = (1..view).filter(|v| !entered(*v)).collect();
            for v in 1..=view {
                self.entered.insert((i, v));
                let ways = self.levels.ways(i, v);
                if ways.iter().any(|&way| self.ways.contains(&(way, i))) {
                    continue;
                }
                let met = |need: &Need| match need {
                    Need::Own(own) => {
                        let own_records = self.own[i as usize].iter().copied();
                        holds(&own_records.collect::<Vec<_>>(), own)
                    }
                    Need::Primary(_) => true,
                    Need::Quorum(number) => self.is_there(*number),
                };
                let could = |way: &&usize| ground.entries[**way].asks().all(met);
                let way = ways.iter().find(could);
                let way = way.ok_or(Unencoded::Outside("a view skipped that is not entered"))?;
                self.ways.insert((*way, i));
            }
            for v in skipped {
                self.pass(i, v);
            }
        }
        Ok(())
    }

    /// What a replica would have done in a view that it skipped, by its own records alone.
    fn pass(&mut self, i: u32, v: u32) {
        let ground = &self.levels.ground;
        let per_view = self.levels.instance.blocks_per_proposal;
        let new = Some(self.names[&(v * per_view)]);
        let mut run = Run::new(ground);
        run.at[i as usize].view = v;
        // Who had decided would not have gone on.
        let before = |it: &&Record| it.view <= v && !ground.is_final(it.kind);
        let own = self.own[i as usize].iter().filter(before);
        run.at[i as usize].own = own.copied().collect();
        let must = |act: &Act| {
            let named = !ground.proposes(act) || act.letters.x == new;
            act.mode == Mode::Must && act.makes.is_some() && named
        };
        while let Some(act) = run.first(i, must) {
            let number = ground.acts.iter().position(|it| std::ptr::eq(it, act));
            self.did.extend(number.map(|number| ((number, i), v)));
            let record = made(act);
            self.own[i as usize].insert(record);
            run.at[i as usize].own.push(record);
        }
    }

    /// Whether a replica sends what counts in a quorum.
    fn sends(&self, number: usize, j: u32) -> bool {
        let setting = &self.levels.ground.setting;
        let records = &self.levels.ground.quorums[number].records;
        let may = records.iter().filter(|it| setting.may_make(it, j));
        if self.byzantine.contains(&j) {
            let any = self.levels.instance.goal != Goal::Blame;
            return may
                .into_iter()
                .any(|it| any || self.held.contains(&(*it, j)));
        }
        let own = &self.own[j as usize];
        let mut sent = may.filter(|it| setting.rules.kind(it.kind).goes == Goes::Sent);
        sent.any(|it| own.contains(it))
    }

    fn is_there(&self, number: usize) -> bool {
        let senders = (0..self.levels.n).filter(|&j| self.sends(number, j));
        let power: i64 = senders.map(|j| self.levels.power(j)).sum();
        power >= i64::from(self.levels.ground.quorums[number].at_least)
    }

    fn columns(&self, program: &Program) -> Vec<Option<i64>> {
        let keys = self.levels.draft.in_order();
        let of = |key: &Key| match *key {
            Key::Faulty(FaultKind::Byzantine, i) => Some(self.byzantine.contains(&i)),
            Key::Faulty(_, i) => Some(self.crashes.contains(&i)),
            Key::Did(act, i) => Some(self.did.contains_key(&(act, i))),
            Key::Before(act, i, v) => {
                Some(self.did.get(&(act, i)).is_some_and(|&in_view| in_view < v))
            }
            Key::Entered(i, v) => Some(self.entered.contains(&(i, v))),
            Key::Way(way, i) => Some(self.ways.contains(&(way, i))),
            Key::Complete(number) => Some(self.is_there(number)),
            Key::Sends(number, j) => Some(!self.byzantine.contains(&j) && self.sends(number, j)),
            Key::Held(record, j) => Some(self.held.contains(&(record, j))),
            Key::Forged(number, j) => Some(self.byzantine.contains(&j) && self.sends(number, j)),
            Key::Knows(..) => Some(false),
            Key::Enough(_) | Key::Shown(_) | Key::Goal(..) | Key::OfReplica(..) => None,
        };
        let mut point: Vec<Option<i64>> = keys.iter().map(|it| of(it).map(i64::from)).collect();
        for row in &program.rows {
            if program.family(row).name != KNOWS {
                continue;
            }
            let value = |col: Col| point[col.index()].unwrap_or(0);
            let sum: i64 = row.terms.iter().map(|&(col, k)| k * value(col)).sum();
            let known = row.terms.iter().find(|(_, k)| *k < 0);
            if let (Some((col, _)), true) = (known, row.upper.is_some_and(|most| sum > most)) {
                point[col.index()] = Some(1);
            }
        }
        point
    }
}

fn stopped(i: ReplicaId, timer: &str) -> Unencoded {
    Unencoded::Differs(format!("the timer `{timer}` of replica {i} does not run"))
}
