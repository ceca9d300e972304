//! One honest replica that follows the rule list, for whoever wants to know what a delivery or a
//! firing of its timer makes it do.
//!
//! The rules are those of the protocol's list and nothing else; the independent replicas are in the
//! crate `replay` and share nothing with this.

use super::book::Book;
use crate::rule::{About, Modality, Range, Requires, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// Something about (view, block) that has a number: an event or a channel.
pub(super) type At = (usize, u32, u32);

/// What a replica does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Did {
    /// An event of its rules.
    Event {
        /// Its number.
        e: usize,
        /// View of the event.
        v: u32,
        /// Its block, 0 where there is none.
        b: u32,
    },
    /// It reached that view.
    Enter(u32),
}

/// A replica at height 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) me: u32,
    pub(super) view: u32,
    pub(super) decided: bool,
    /// Own events.
    pub(super) done: BTreeSet<At>,
    /// Who sent what it holds, oneself aside; what is held stays held (E6).
    held: BTreeMap<At, BTreeSet<u32>>,
    /// What the network holds back until it gets there (E4), in the order of arrival.
    waiting: Vec<(At, u32)>,
}

impl Seat {
    pub(super) fn new(me: u32) -> Self {
        Self {
            me,
            view: 0,
            decided: false,
            done: BTreeSet::new(),
            held: BTreeMap::new(),
            waiting: vec![],
        }
    }

    /// A copy is handed over, or held back; what follows.
    pub(super) fn deliver(&mut self, book: &Book, copy: At, from: u32) -> Vec<Did> {
        let mut did = vec![];
        self.take(book, copy, from, &mut did);
        did
    }

    fn take(&mut self, book: &Book, copy: At, from: u32, did: &mut Vec<Did>) {
        let (c, v, _) = copy;
        if self.decided {
            return; // E5: a passed height
        }
        if book.waits(c) {
            if v > self.view {
                self.waiting.push((copy, from));
                return;
            }
            if v < self.view {
                return; // E5: a passed view
            }
        }
        self.held.entry(copy).or_default().insert(from);
        self.react(book, did);
    }

    /// The timer fires (E14): the first event it can trigger.
    pub(super) fn timeout(&mut self, book: &Book) -> Vec<Did> {
        let mut did = vec![];
        let timed = |e: &usize| matches!(book.events[*e].modality, Modality::Timer { .. });
        let first = (0..book.events.len())
            .filter(timed)
            .find_map(|e| self.possible(book, e));
        if let Some(act) = first
            && !self.decided
        {
            self.act(book, act, &mut did);
            self.react(book, &mut did);
        }
        did
    }

    /// Everything that must happen does, the first rule that can first (E3).
    fn react(&mut self, book: &Book, did: &mut Vec<Did>) {
        while !self.decided {
            let must = |e: &usize| book.events[*e].modality == Modality::Must;
            let next = (0..book.events.len())
                .filter(must)
                .find_map(|e| self.possible(book, e));
            if let Some(act) = next {
                self.act(book, act, did);
            } else if let Some(w) = self.wanted(book) {
                self.view = w;
                did.push(Did::Enter(w));
                self.hand_over(book, did);
            } else {
                return;
            }
        }
    }

    fn act(&mut self, book: &Book, (e, v, b): At, did: &mut Vec<Did>) {
        self.done.insert((e, v, b));
        self.decided |= book.events[e].decides;
        did.push(Did::Event { e, v, b });
    }

    /// What waited for the view reached is handed over by kind, then by arrival.
    fn hand_over(&mut self, book: &Book, did: &mut Vec<Did>) {
        let here = self.view;
        let due = |(copy, _): &(At, u32)| copy.1 <= here;
        let mut copies: Vec<(At, u32)> = self.waiting.iter().copied().filter(due).collect();
        self.waiting.retain(|waiting| !due(waiting));
        copies.sort_by_key(|&((c, _, _), _)| book.protocol.channels[c].kind);
        for (copy, from) in copies {
            self.take(book, copy, from, did);
        }
    }

    /// The event where it can happen now: the lowest view and block of those that can.
    fn possible(&self, book: &Book, e: usize) -> Option<At> {
        let rule = &book.events[e];
        let places: Vec<(u32, u32)> = match (rule.scope, rule.about) {
            (Scope::View, About::View | About::Proposal) => vec![(self.view, 0)],
            (Scope::View, About::Block) => book.blocks(self.view).map(|b| (self.view, b)).collect(),
            (Scope::Height, _) => book.view_blocks(),
        };
        let may = |&(v, b): &(u32, u32)| self.may(book, e, v, b);
        places.into_iter().find(may).map(|(v, b)| (e, v, b))
    }

    /// Whether nothing forbids the event and everything it requires is there.
    fn may(&self, book: &Book, e: usize, v: u32, b: u32) -> bool {
        let rule = &book.events[e];
        let primary = book.primary(v) == self.me;
        book.does(e, primary)
            && !self.did(e, rule.once, v)
            && !rule
                .excludes
                .iter()
                .any(|own| self.did(book.event(own.event), own.range, v))
            && rule.requires.iter().all(|it| self.meets(book, it, v, b))
    }

    fn meets(&self, book: &Book, requirement: &Requires, v: u32, b: u32) -> bool {
        let primary = book.primary(v) == self.me;
        match requirement {
            Requires::Own(names) => names
                .iter()
                .any(|name| self.done.contains(&(book.event(name), v, b))),
            Requires::OwnAsPrimary(name) => !primary || self.did(book.event(name), Range::View, v),
            Requires::Held(kind) => !self.senders(book, &[book.channel(kind)], v, b).is_empty(),
            Requires::HeldFromAnother(kind) => self.held.contains_key(&(book.channel(kind), v, b)),
            Requires::Tally { of, at_least } => {
                let of: Vec<usize> = of.iter().map(|kind| book.channel(kind)).collect();
                self.senders(book, &of, v, b).len() >= book.count(*at_least) as usize
            }
            Requires::TallyOverViews { .. } | Requires::When(_) | Requires::Unless(_) => {
                unreachable!("refused before anything is built")
            }
        }
    }

    /// Whether it did the event in view v, or in any.
    fn did(&self, e: usize, range: Range, v: u32) -> bool {
        let within = |&(own, at, _): &At| own == e && (range == Range::Height || at == v);
        self.done.iter().any(within)
    }

    /// From whom it holds messages of these channels about (v, b), oneself included.
    pub(super) fn senders(&self, book: &Book, of: &[usize], v: u32, b: u32) -> BTreeSet<u32> {
        let mut senders = BTreeSet::new();
        for &c in of {
            senders.extend(self.held.get(&(c, v, b)).into_iter().flatten());
            if book.senders(c).any(|e| self.done.contains(&(e, v, b))) {
                senders.insert(self.me);
            }
        }
        senders
    }

    /// Whether it was handed that copy, or it waits for it.
    pub(super) fn has(&self, copy: At, from: u32) -> bool {
        self.held.get(&copy).is_some_and(|who| who.contains(&from))
            || self.waiting.contains(&(copy, from))
    }

    /// The highest view above its own that a quorum asks for, unless a lock keeps it.
    fn wanted(&self, book: &Book) -> Option<u32> {
        let locked = |name: &&'static str| self.did(book.event(name), Range::Height, 0);
        if book.enter.excludes.iter().any(locked) {
            return None;
        }
        let c = book.channel(&book.enter.of);
        let quorum = book.count(book.enter.at_least) as usize;
        let asking = |w: u32| {
            let mut who: BTreeSet<u32> = self
                .held
                .iter()
                .filter(|((of, u, _), _)| *of == c && u + 1 >= w)
                .flat_map(|(_, who)| who.iter().copied())
                .collect();
            if self
                .done
                .iter()
                .any(|&(e, u, _)| e == book.ask && u + 1 >= w)
            {
                who.insert(self.me);
            }
            who.len()
        };
        (self.view + 1..=book.views)
            .rev()
            .find(|&w| asking(w) >= quorum)
    }
}
