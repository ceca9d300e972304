//! What one honest replica may do in one view: the states it may pass and the steps between them.
//!
//! The walk is found by letting a [`Seat`] try every step an adversary can make it take, from the
//! state in which it reaches a view: its timer fires, or just the copies arrive that an event needs.
//! The same walk serves every view, because nothing a replica did matters in a view it reaches
//! (checked here) and the rules are the same there.

use super::{
    book::{Book, NAME},
    seat::{Did, Seat},
};
use crate::{
    error::Error,
    rule::{Modality, Requires, Who},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Who a replica is in a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Not the primary.
    Backup,
    /// The primary.
    Primary,
}

impl Role {
    pub(super) const ALL: [Self; 2] = [Self::Backup, Self::Primary];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Primary => "primary",
        }
    }
}

/// What the adversary does to make a replica take a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// It lets the timer fire.
    Timer,
    /// It delivers what this event about this block needs, until the replica acts.
    Aim {
        /// The event.
        e: usize,
        /// Index of the block.
        b: u32,
    },
    /// It delivers a block that somebody else decided.
    Adopt {
        /// The event.
        e: usize,
    },
    /// It delivers a quorum of requests for the next view.
    Enter,
}

/// What a step needs others to have sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// The primary's message of channel c about block b.
    Held {
        /// The channel.
        c: usize,
        /// The block.
        b: u32,
    },
    /// Messages of these channels about block b from so many replicas, oneself included.
    Senders {
        /// The channels.
        of: Vec<usize>,
        /// The block.
        b: u32,
        /// How many.
        at_least: u32,
    },
    /// A decision of somebody else.
    Decision,
    /// Requests for the next view from a quorum.
    Quorum,
}

/// Where a step leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum To {
    /// Another state in the view.
    Node(usize),
    /// The end of the height.
    Decided,
    /// The next view.
    Next,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arc {
    pub(super) from: usize,
    pub(super) to: To,
    pub(super) cause: Cause,
    /// The events it makes happen, (event, block), in order.
    pub(super) acts: Vec<(usize, u32)>,
    pub(super) needs: BTreeSet<Need>,
}

/// A state.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// What was done in the view, in words that column names take.
    pub(super) name: String,
    /// Whether the timer changes nothing any more.
    pub(super) rests: bool,
    /// Whether a quorum of requests leads out of it.
    pub(super) leaves: bool,
    seat: Seat,
}

/// All states and steps of one role; node 0 is where it reaches the view.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    pub(super) nodes: Vec<Node>,
    pub(super) arcs: Vec<Arc>,
}

impl Walk {
    /// Finds the walk of a role.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if what a replica did matters in a view it reaches later.
    pub(super) fn of(book: &Book, role: Role) -> Result<Self, Error> {
        let primary = book.primary(0);
        let me = match role {
            Role::Primary => primary,
            Role::Backup => (primary + 1) % book.n,
        };
        let mut walk = Self {
            nodes: vec![],
            arcs: vec![],
        };
        let mut open = VecDeque::from([walk.node(book, &Seat::new(me))]);
        while let Some(from) = open.pop_front() {
            let known = walk.nodes.len();
            walk.timer(book, from);
            for e in 0..book.events.len() {
                for b in book.blocks(0) {
                    walk.aim(book, from, e, b);
                }
                walk.adopt(book, from, e);
            }
            walk.enter(book, from)?;
            open.extend(known..walk.nodes.len());
        }
        walk.one_vote(book)?;
        Ok(walk)
    }

    /// The state of a seat, a new one if need be.
    fn node(&mut self, book: &Book, seat: &Seat) -> usize {
        if let Some(known) = self.nodes.iter().position(|node| node.seat == *seat) {
            return known;
        }
        let own = seat.done.iter();
        let words: Vec<String> = own
            .map(|&(e, _, b)| format!("{}{b}", book.events[e].name))
            .collect();
        let done = if words.is_empty() {
            "idle".to_owned()
        } else {
            words.join("_")
        };
        // States that differ in what is held only.
        let twins = self.nodes.iter();
        let name = match twins.filter(|node| node.seat.done == seat.done).count() {
            0 => done,
            twins => format!("{done}_x{twins}"),
        };
        let mut later = seat.clone();
        let rests = later.timeout(book).is_empty();
        self.nodes.push(Node {
            name,
            rests,
            leaves: false,
            seat: seat.clone(),
        });
        self.nodes.len() - 1
    }

    fn push(&mut self, arc: Arc) {
        let same = |known: &Arc| {
            (known.from, known.to, &known.acts) == (arc.from, arc.to, &arc.acts)
                && known.needs == arc.needs
        };
        if !self.arcs.iter().any(same) {
            self.arcs.push(arc);
        }
    }

    /// A step to where the seat is after it did something in its view.
    fn step(
        &mut self,
        book: &Book,
        (from, cause, needs): (usize, Cause, BTreeSet<Need>),
        (seat, did): (&Seat, &[Did]),
    ) {
        let acts: Vec<(usize, u32)> = did
            .iter()
            .filter_map(|did| match *did {
                Did::Event { e, b, .. } => Some((e, b)),
                Did::Enter(_) => None,
            })
            .collect();
        let to = if seat.decided {
            To::Decided
        } else {
            To::Node(self.node(book, seat))
        };
        self.push(Arc {
            from,
            to,
            cause,
            acts,
            needs,
        });
    }

    fn timer(&mut self, book: &Book, from: usize) {
        let mut seat = self.nodes[from].seat.clone();
        let did = seat.timeout(book);
        if !did.is_empty() {
            self.step(book, (from, Cause::Timer, BTreeSet::new()), (&seat, &did));
        }
    }

    /// Just what the event needs is delivered, the primary's message first, until the replica acts.
    fn aim(&mut self, book: &Book, from: usize, e: usize, b: u32) {
        if book.events[e].modality != Modality::Must {
            return;
        }
        let mut seat = self.nodes[from].seat.clone();
        let mut needs = BTreeSet::new();
        for (c, sender) in aimed(book, &seat, e, b) {
            let did = seat.deliver(book, (c, 0, b), sender);
            if only_primary(book, c) {
                needs.insert(Need::Held { c, b });
            } else if let Some((of, _)) = book.tally(e) {
                let at_least = seat.senders(book, &of, 0, b).len() as u32;
                needs.retain(|need| !matches!(need, Need::Senders { .. }));
                needs.insert(Need::Senders { of, b, at_least });
            }
            if !did.is_empty() {
                self.step(book, (from, Cause::Aim { e, b }, needs), (&seat, &did));
                return;
            }
        }
    }

    /// Somebody else's block is delivered.
    fn adopt(&mut self, book: &Book, from: usize, e: usize) {
        let Some(c) = adopts(book, e) else { return };
        let mut seat = self.nodes[from].seat.clone();
        let did = seat.deliver(book, (c, 0, 0), (seat.me + 1) % book.n);
        if !did.is_empty() {
            let needs = BTreeSet::from([Need::Decision]);
            self.step(book, (from, Cause::Adopt { e }, needs), (&seat, &did));
        }
    }

    /// A quorum of requests leads to the next view, as a replica that never was in this one.
    fn enter(&mut self, book: &Book, from: usize) -> Result<(), Error> {
        let mut seat = self.nodes[from].seat.clone();
        let c = book.channel(&book.enter.of);
        let others = (0..book.n).filter(|&j| j != seat.me).collect::<Vec<_>>();
        let entered = others
            .into_iter()
            .any(|j| seat.deliver(book, (c, 0, 0), j).contains(&Did::Enter(1)));
        if !entered {
            return Ok(());
        }
        let remembered = self.nodes[from].seat.done.iter();
        if let Some(&(e, _, _)) = remembered.clone().find(|(e, _, _)| book.is_remembered(*e)) {
            return Err(Error::Unsupported {
                formulation: NAME,
                construct: format!(
                    "a view change after `{}`, which matters in later views",
                    book.events[e].name
                ),
                hint: "use `formulation: timed`".into(),
            });
        }
        self.nodes[from].leaves = true;
        self.push(Arc {
            from,
            to: To::Next,
            cause: Cause::Enter,
            acts: vec![],
            needs: BTreeSet::from([Need::Quorum]),
        });
        Ok(())
    }

    /// A replica is counted once in every tally.
    fn one_vote(&self, book: &Book) -> Result<(), Error> {
        for e in 0..book.events.len() {
            let Some((of, _)) = book.tally(e) else {
                continue;
            };
            for node in &self.nodes {
                let mut votes: BTreeMap<u32, u32> = BTreeMap::new();
                for &(own, _, b) in &node.seat.done {
                    if book.sends(own).is_some_and(|c| of.contains(&c)) {
                        *votes.entry(b).or_default() += 1;
                    }
                }
                if votes.values().any(|&votes| votes > 1) {
                    return Err(Error::Unsupported {
                        formulation: NAME,
                        construct: format!(
                            "two votes of a replica in the tally of `{}`",
                            book.events[e].name
                        ),
                        hint: "use `formulation: timed`".into(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Which event comes after which in a view: everything a step needs, and everything a replica
    /// did before it, before what it does.
    pub(super) fn before(&self, book: &Book) -> BTreeSet<(usize, usize)> {
        let mut pairs = BTreeSet::new();
        for arc in &self.arcs {
            for &(act, _) in &arc.acts {
                let done = self.nodes[arc.from].seat.done.iter().map(|own| own.0);
                pairs.extend(done.map(|own| (own, act)));
                for need in &arc.needs {
                    let channels: Vec<usize> = match need {
                        Need::Held { c, .. } => vec![*c],
                        Need::Senders { of, .. } => of.clone(),
                        Need::Decision | Need::Quorum => vec![],
                    };
                    let sent = channels.into_iter().flat_map(|c| book.senders(c));
                    pairs.extend(sent.map(|sent| (sent, act)));
                }
            }
            // Of one step the first act is what the order places.
            for pair in arc.acts.windows(2) {
                pairs.insert((pair[0].0, pair[1].0));
            }
        }
        pairs
    }

    /// The most often a walk can do what `counts` says of its steps.
    pub(super) fn most(&self, counts: &dyn Fn(&Arc) -> bool) -> u32 {
        // Every step adds to what was done, so the nodes by the number of own events are in order.
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_key(|&node| self.nodes[node].seat.done.len());
        let mut most = vec![0; self.nodes.len()];
        let mut all = 0;
        for from in order {
            for arc in self.arcs.iter().filter(|arc| arc.from == from) {
                let here = most[from] + u32::from(counts(arc));
                all = all.max(here);
                if let To::Node(to) = arc.to {
                    most[to] = most[to].max(here);
                }
            }
        }
        all
    }
}

/// Whether only the primary of a view sends on the channel.
pub(super) fn only_primary(book: &Book, c: usize) -> bool {
    book.senders(c).all(|e| book.events[e].who == Who::Primary)
}

/// The channel of the block that an event adopts, if it is one that does.
pub(super) fn adopts(book: &Book, e: usize) -> Option<usize> {
    book.events[e].requires.iter().find_map(|it| match it {
        Requires::HeldFromAnother(kind) => Some(book.channel(kind)),
        _ => None,
    })
}

/// The copies an event about (view of the seat, b) asks for, in the order in which they are
/// delivered: the primary's, then those of its tally.
pub(super) fn aimed(book: &Book, seat: &Seat, e: usize, b: u32) -> Vec<(usize, u32)> {
    let v = seat.view;
    let mut channels: Vec<usize> = vec![];
    for requirement in &book.events[e].requires {
        match requirement {
            Requires::Held(kind) => channels.push(book.channel(kind)),
            Requires::Tally { of, .. } => channels.extend(of.iter().map(|kind| book.channel(kind))),
            _ => {}
        }
    }
    channels.sort_by_key(|&c| !only_primary(book, c));
    channels.dedup();
    channels
        .into_iter()
        .flat_map(|c| (0..book.n).map(move |j| (c, j)))
        .filter(|&(c, j)| j != seat.me && book.may_send(c, j, v) && !seat.has((c, v, b), j))
        .collect()
}
