//! What honest replicas do: each by its own records, and by those that it was handed.

use super::form::{Act, Ground, Letters, Need, Own, Proof, Record, Value};
use milp_schema::{
    protocol::{Goes, Head, Mode, Scope, TimerId},
    vocabulary::{Ahead, Passed},
};
use std::{cmp::Reverse, collections::BTreeSet};

/// What a replica does, as it does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happens {
    /// It makes a record.
    Makes(Record),
    /// It enters a view.
    Enters(u32),
}

/// An act that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// The number of its rule.
    pub rule: usize,
    /// Its letters.
    pub letters: Letters,
    /// What it made.
    pub makes: Option<Record>,
    /// The view it was done in.
    pub view: u32,
    /// How much its replica had made and taken before.
    pub had: [usize; 2],
}

/// A copy that a replica took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Who sent it.
    pub sender: u32,
    /// What it says.
    pub record: Record,
    /// How many messages there were when it was sent.
    pub existed: usize,
}

/// A replica.
#[derive(Debug, Clone, Default)]
pub struct At {
    /// The view it is in.
    pub view: u32,
    /// What it made, in order.
    pub own: Vec<Record>,
    /// What it did, in order.
    pub done: Vec<Done>,
    /// What it took, in order.
    pub taken: Vec<Taken>,
    /// What the network holds back for it.
    held: Vec<Taken>,
    /// The timers that run.
    running: BTreeSet<TimerId>,
    /// The rules that started a timer, and in which view.
    started: BTreeSet<(usize, u32)>,
}

/// Replicas that follow the rules.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    ground: &'a Ground,
    /// Each replica; a Byzantine one stands still.
    pub at: Vec<At>,
    /// The messages that there are, with their senders, in the order in which they were sent.
    pub posts: Vec<(u32, Record)>,
}

impl<'a> Run<'a> {
    /// All at the start, nothing done yet.
    pub fn new(ground: &'a Ground) -> Self {
        let at = vec![At::default(); ground.setting.power.len()];
        let posts = Vec::new();
        Self { ground, at, posts }
    }

    /// Whether a replica has decided.
    pub fn decided(&self, i: u32) -> bool {
        let own = &self.at[i as usize].own;
        own.iter().any(|it| self.ground.is_final(it.kind))
    }

    /// Whether a replica does nothing more: it has decided, and a decision ends the height.
    pub fn stopped(&self, i: u32) -> bool {
        !self.ground.setting.rules.chain && self.decided(i)
    }

    /// The timers of a replica that run.
    pub fn running(&self, i: u32) -> Vec<TimerId> {
        self.at[i as usize].running.iter().copied().collect()
    }

    /// Whether a timer of a replica runs.
    pub fn runs(&self, i: u32, timer: TimerId) -> bool {
        self.at[i as usize].running.contains(&timer)
    }

    /// A timer of a replica whose firing would change something.
    pub fn able(&self, i: u32) -> Option<TimerId> {
        let running = self.at[i as usize].running.iter().copied();
        let mut able =
            running.filter(|timer| self.first(i, |act| act.timer() == Some(*timer)).is_some());
        able.next()
    }

    /// Does what must be done, the first rule of the file first, until nothing must.
    pub fn complete(&mut self, i: u32) -> Vec<Happens> {
        let mut happens = Vec::new();
        while let Some(act) = self.first(i, |act| act.mode == Mode::Must) {
            self.perform(i, act, &mut happens);
        }
        happens
    }

    /// How many messages there were when one was sent; nothing if it was not.
    pub fn existed(&self, sender: u32, record: &Record) -> Option<usize> {
        let mut posts = self.posts.iter();
        posts.position(|it| *it == (sender, *record))
    }

    /// A Byzantine replica sends a message; it is taken with what there was before.
    pub fn inject(&mut self, sender: u32, record: Record) -> Taken {
        let existed = self.posts.len();
        self.posts.push((sender, record));
        Taken {
            sender,
            record,
            existed,
        }
    }

    /// Hands a copy over.
    pub fn deliver(&mut self, i: u32, copy: Taken) -> Vec<Happens> {
        let Taken { sender, record, .. } = copy;
        let kind = self.ground.setting.rules.kind(record.kind);
        let at = &mut self.at[i as usize];
        if record.view > at.view && !kind.is_final && kind.ahead != Ahead::Take {
            if kind.ahead == Ahead::Hold {
                at.held.push(copy);
            }
            return Vec::new();
        }
        if record.view < at.view && !kind.is_final && kind.passed == Passed::Ignore {
            return Vec::new();
        }
        // The same words again may carry more.
        let first = self.ground.counts_first(record.kind);
        let other = |it: &Taken| {
            let place = |of: &Record| (of.kind, of.view);
            it.sender == sender && place(&it.record) == place(&record) && it.record != record
        };
        if !(first && at.taken.iter().any(other)) {
            at.taken.push(copy);
        }
        self.complete(i)
    }

    /// Fires a timer, which then is off: the first of its rules is done that can be.
    pub fn fire(&mut self, i: u32, timer: TimerId) -> Vec<Happens> {
        let mut happens = Vec::new();
        if self.at[i as usize].running.remove(&timer) {
            if let Some(act) = self.first(i, |act| act.timer() == Some(timer)) {
                self.perform(i, act, &mut happens);
            }
            happens.extend(self.complete(i));
        }
        happens
    }

    /// The first act of the file that a replica can do, of those that fit: of views skipped to the
    /// highest, of several ways of a rule that of the first value, then that of the latest view `c`.
    pub fn first(&self, i: u32, fits: impl Fn(&Act) -> bool) -> Option<&'a Act> {
        let ground = self.ground;
        let acts = ground
            .acts
            .iter()
            .chain(&ground.entries)
            .chain(&ground.starts);
        let able = acts.filter(|act| fits(act) && self.can(i, act));
        able.min_by_key(|act| {
            let Letters { v, x, c, d } = act.letters;
            (act.rule, Reverse(v), x, Reverse(c), Reverse(d))
        })
    }

    /// Whether a replica can do an act, a timer's act aside from its firing.
    pub fn can(&self, i: u32, act: &Act) -> bool {
        let at = &self.at[i as usize];
        let v = act.letters.v;
        let rules = &self.ground.setting.rules;
        let there = match (&rules.rules[act.rule].head, act.scope) {
            (Head::Enter, _) => at.view + 1 == v,
            (Head::Skip, _) => at.view < v,
            (Head::Arm { .. }, _) => at.view == v && !at.started.contains(&(act.rule, v)),
            (Head::Stop { timer }, _) => at.view == v && at.running.contains(timer),
            (_, Scope::View) => at.view == v,
            (_, Scope::Height) => true,
        };
        let free = |made: Record| {
            let same = |it: &Record| it.kind == made.kind && it.view == made.view;
            !at.own.iter().any(same)
        };
        let decides = |made: Record| self.ground.is_final(made.kind);
        there
            && !self.stopped(i)
            && !(act.makes.is_some_and(decides) && self.decided(i))
            && act.makes.is_none_or(free)
            && self.ground.actors(act).any(|it| it == i)
            && self.has(i, act)
            && !act.bars.iter().any(|bar| holds(&at.own, bar))
    }

    /// Whether what a replica took and made meets what an act needs, proofs included.
    pub fn has(&self, i: u32, act: &Act) -> bool {
        act.needs.iter().all(|need| self.is_met(i, need))
            && act.proofs.iter().all(|proof| self.is_carried(i, proof))
    }

    /// Whether a proof travels with a message that a replica took or sent.
    fn is_carried(&self, i: u32, Proof { of, with }: &Proof) -> bool {
        let at = &self.at[i as usize];
        let messages = with.taken(self.ground);
        let counts = |sender: u32, record: &Record| {
            // Nobody reads messages of views behind the last.
            let primary = self.ground.setting.primaries.get(record.view as usize);
            messages.binary_search(record).is_ok()
                && (Some(&sender) == primary || matches!(with, Need::Quorum(_)))
        };
        let taken = at.taken.iter().filter(|it| counts(it.sender, &it.record));
        let own = at.own.iter().filter(|it| counts(i, it));
        let own = own.filter_map(|it| self.existed(i, it));
        let existed = taken.map(|it| it.existed).chain(own).max();
        existed.is_some_and(|existed| self.meets(of, self.posts[..existed].iter().copied()))
    }

    /// Whether messages meet what is needed of others.
    fn meets(&self, need: &Need, messages: impl Iterator<Item = (u32, Record)>) -> bool {
        let setting = &self.ground.setting;
        let records = need.taken(self.ground);
        let mut counts = messages.filter(|(_, it)| records.binary_search(it).is_ok());
        match need {
            Need::Own(_) => false,
            Need::Primary(_) => counts.any(|(j, it)| setting.primaries[it.view as usize] == j),
            Need::Quorum(number) => {
                let senders: BTreeSet<u32> = counts.map(|(j, _)| j).collect();
                let power = senders.iter().map(|j| setting.power[*j as usize]);
                power.sum::<u32>() >= self.ground.quorums[*number].at_least
            }
        }
    }

    /// Whether what a replica took and made meets a need.
    pub fn is_met(&self, i: u32, need: &Need) -> bool {
        let at = &self.at[i as usize];
        match need {
            Need::Own(own) => holds(&at.own, own),
            Need::Primary(_) | Need::Quorum(_) => {
                let own = at.own.iter().map(|it| (i, *it));
                let taken = at.taken.iter().map(|it| (it.sender, it.record));
                self.meets(need, own.chain(taken))
            }
        }
    }

    fn perform(&mut self, i: u32, act: &Act, happens: &mut Vec<Happens>) {
        let at = &mut self.at[i as usize];
        at.done.push(Done {
            rule: act.rule,
            letters: act.letters,
            makes: act.makes,
            view: at.view,
            had: [at.own.len(), at.taken.len()],
        });
        if let Some(record) = act.makes {
            at.own.push(record);
            if self.ground.setting.rules.kind(record.kind).goes == Goes::Sent {
                self.posts.push((i, record));
            }
            happens.push(Happens::Makes(record));
            return;
        }
        match self.ground.setting.rules.rules[act.rule].head {
            Head::Arm { timer, .. } => {
                at.started.insert((act.rule, act.letters.v));
                at.running.insert(timer);
            }
            Head::Stop { timer } => {
                at.running.remove(&timer);
            }
            _ => self.enter(i, act.letters.v, happens),
        }
    }

    fn enter(&mut self, i: u32, view: u32, happens: &mut Vec<Happens>) {
        let at = &mut self.at[i as usize];
        at.view = view;
        at.running.clear();
        happens.push(Happens::Enters(view));
        let (now, later) = at.held.drain(..).partition(|it| it.record.view <= view);
        at.held = later;
        let mut now: Vec<Taken> = now;
        now.sort_by_key(|it| it.record.kind);
        for copy in now {
            happens.extend(self.complete(i));
            happens.extend(self.deliver(i, copy));
        }
    }
}

/// Whether what a guard reads of the own past holds.
pub(crate) fn holds(own: &[Record], guard: &Own) -> bool {
    match guard {
        Own::One(records) => own.iter().any(|it| records.binary_search(it).is_ok()),
        Own::Last(matching, rest) => {
            let read = own.iter().filter(|it| {
                matches!(it.value, Value::Of(_))
                    && (matching.binary_search(it).is_ok() || rest.binary_search(it).is_ok())
            });
            let last = read.max_by_key(|it| it.view);
            last.is_some_and(|it| matching.binary_search(it).is_ok())
        }
    }
}
