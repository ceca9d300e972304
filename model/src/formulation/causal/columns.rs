//! The index sets and the columns; what is said with them is in `look_up`, the rows in `families`.

use super::order::Order;
use crate::{
    draft::{AboutReplicas, Draft},
    error::Error,
    expr::Expr,
    rule::{About, Enter, Event, Protocol, Requires, Who},
};
use milp_schema::{
    Instance, Kind,
    instance::{FaultKind, Goal, Network},
};

/// What a column stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Replica i is faulty in that way.
    Faulty(FaultKind, u32),
    /// Replica i crashes, after everything it does.
    Crashed(u32),
    /// Replica i does event number e about block b of view v.
    Did(usize, u32, u32, u32),
    /// Replica i enters view v ≥ 1.
    Entered(u32, u32),
    /// The level of an act.
    Level(Act),
    /// Quorum number m is complete.
    Complete(usize),
    /// The level by which quorum number m is complete.
    Since(usize),
    /// In quorum number m the message that j sent by event e in view v counts.
    Counts(usize, usize, u32, u32),
    /// Of two milestones the first comes first.
    Before(usize, usize),
    /// Byzantine j makes the message of channel c about block b of view v, for everybody.
    Made(usize, u32, u32, u32),
    /// Byzantine j makes one of channel c about view v or a later one.
    MadeLater(usize, u32, u32),
    /// Replica i answers in view v before it asks to leave it.
    AnswersFirst(u32, u32),
    /// Replica i has heard j in view v when it asks to leave it.
    Heard(u32, u32, u32),
    /// Replica i takes the answer of j in view v before it binds itself.
    Took(u32, u32, u32),
    /// It takes it before it asks to leave the view.
    TookFirst(u32, u32, u32),
    /// Replica i knows that j is bound in view v when it binds itself.
    Knows(u32, u32, u32),
    /// Replica i counts j as alive in view v when it binds itself.
    Alive(u32, u32, u32),
    /// Replica i counts too few others as alive in view v when it binds itself.
    Lost(u32, u32),
    /// A column of the goal, by name and numbers.
    Goal(&'static str, [u32; 3]),
}

impl AboutReplicas for Key {
    fn replicas(&mut self) -> Vec<&mut u32> {
        match self {
            Self::Faulty(_, i)
            | Self::Crashed(i)
            | Self::Did(_, i, ..)
            | Self::Entered(i, _)
            | Self::Level(Act::Does(_, i, _) | Act::Enters(i, _))
            | Self::Counts(_, _, i, _)
            | Self::Made(_, i, ..)
            | Self::MadeLater(_, i, _)
            | Self::AnswersFirst(i, _)
            | Self::Lost(i, _) => vec![i],
            Self::Heard(i, j, _)
            | Self::Took(i, j, _)
            | Self::TookFirst(i, j, _)
            | Self::Knows(i, j, _)
            | Self::Alive(i, j, _) => vec![i, j],
            Self::Complete(_) | Self::Since(_) | Self::Before(..) | Self::Goal(..) => vec![],
        }
    }
}

/// Something with a level: event number e of replica i in view v, or its step into view v.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Event e of i in view v; a replica does it once in a view, whatever the block.
    Does(usize, u32, u32),
    /// The step of i into view v ≥ 1.
    Enters(u32, u32),
}

/// A number of messages that guards of several replicas ask for. Messages are never unsaid, so that
/// the number is complete from some level on, for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quorum {
    pub(crate) name: String,
    /// The channels; a sender counts once.
    pub(crate) of: Vec<usize>,
    pub(crate) at_least: i64,
    pub(crate) about: Counted,
}

/// Which messages of the channels count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counted {
    /// About block b of view v.
    Block(u32, u32),
    /// About any view.
    AnyView,
    /// About view v; those of Byzantine senders about a later one too.
    ViewOrLater(u32),
}

/// A program under construction, with its index sets.
#[derive(Debug)]
pub(crate) struct Causal {
    pub(crate) instance: Instance,
    pub(crate) protocol: Protocol,
    pub(crate) events: Vec<Event>,
    pub(crate) order: Order,
    pub(crate) n: u32,
    pub(crate) views: u32,
    /// No act has a higher level.
    pub(crate) highest: i64,
    pub(crate) quorums: Vec<Quorum>,
    pub(crate) draft: Draft<Key>,
}

/// The kinds of fault and the names of their columns.
pub(crate) const FAULTS: [(FaultKind, &str); 3] = [
    (FaultKind::Byzantine, "byzantine"),
    (FaultKind::Crash, "crashing"),
    (FaultKind::Network, "disconnected"),
];

impl Causal {
    pub(crate) fn new(instance: Instance, protocol: Protocol) -> Result<Self, Error> {
        let events: Vec<Event> = protocol.events().cloned().collect();
        let order = Order::of(&protocol)?;
        let mut causal = Self {
            n: instance.replicas,
            views: instance.views,
            highest: 0,
            quorums: vec![],
            events,
            order,
            instance,
            protocol,
            draft: Draft::new(),
        };
        causal.highest = (0..causal.n).map(|i| causal.acts(i).len() as i64).sum();
        causal.add_columns();
        causal.add_quorums();
        Ok(causal)
    }

    // Index sets.

    /// The primary of view v.
    pub(crate) fn primary(&self, v: u32) -> u32 {
        self.protocol
            .rotation
            .of(self.n, milp_schema::Height(0), milp_schema::View(v))
            .0
    }

    /// Whether replica i may have that fault.
    pub(crate) fn may_be(&self, kind: FaultKind, i: u32) -> bool {
        self.instance.may_be(kind, i)
    }

    /// Whether replica i may crash.
    pub(crate) fn may_crash(&self, i: u32) -> bool {
        self.may_be(FaultKind::Crash, i) || self.may_be(FaultKind::Network, i)
    }

    /// The block indices that may be proposed in view v.
    pub(crate) fn blocks(&self, v: u32) -> std::ops::Range<u32> {
        let byzantine = self.may_be(FaultKind::Byzantine, self.primary(v));
        0..if byzantine {
            self.instance.blocks_per_proposal
        } else {
            1
        }
    }

    /// The block indices an event of view v is about; the view itself counts as one.
    pub(crate) fn about(&self, e: usize, v: u32) -> std::ops::Range<u32> {
        match self.events[e].about {
            About::Block => self.blocks(v),
            About::View | About::Proposal => 0..1,
        }
    }

    /// Whether replica i does event e in view v.
    pub(crate) fn does(&self, e: usize, i: u32, v: u32) -> bool {
        match self.events[e].who {
            Who::Primary => self.primary(v) == i,
            Who::Backup => self.primary(v) != i,
            Who::Any => true,
        }
    }

    /// The acts of replica i, in its own order where the rules say one.
    pub(crate) fn acts(&self, i: u32) -> Vec<Act> {
        let mut acts = vec![];
        for v in 0..self.views {
            if v > 0 && self.protocol.enter().is_some() {
                acts.push(Act::Enters(i, v));
            }
            for e in 0..self.events.len() {
                if self.does(e, i, v) {
                    acts.push(Act::Does(e, i, v));
                }
            }
        }
        acts
    }

    /// Number of the channel of that kind.
    pub(crate) fn channel(&self, kind: &Kind) -> usize {
        let position = self
            .protocol
            .channels
            .iter()
            .position(|channel| channel.kind == *kind);
        position.expect("`check_names` found every kind that a rule names")
    }

    /// Number of the event of that name.
    pub(crate) fn event(&self, name: &str) -> usize {
        let position = self.events.iter().position(|event| event.name == name);
        position.expect("`check_names` found every event that a rule names")
    }

    /// Events that broadcast the channel's kind, what only repeats a message in a pool aside.
    pub(crate) fn senders(&self, c: usize) -> Vec<usize> {
        let kind = &self.protocol.channels[c].kind;
        (0..self.events.len())
            .filter(|&e| self.events[e].broadcasts.as_ref() == Some(kind) && !self.order.repeats[e])
            .collect()
    }

    /// Whether messages go into one pool.
    pub(crate) fn pools(&self) -> bool {
        self.protocol.pools()
    }

    /// Whether the rules depend on what a replica ignored: one of them guards acceptance.
    pub(crate) fn guards(&self) -> bool {
        self.order.guarded.is_some()
    }

    /// Whether everything under way arrives in the end.
    pub(crate) fn arrives(&self) -> bool {
        self.pools() || self.instance.network == Network::Eventual
    }

    /// Whether what a Byzantine replica makes is for everybody: in a pool, and where everything
    /// arrives.
    pub(crate) fn makes_for_all(&self) -> bool {
        self.pools() || (self.arrives() && (!self.guards() || self.instance.goal == Goal::Stall))
    }

    /// Whether j may send the channel's kind in view v.
    pub(crate) fn may_send(&self, c: usize, j: u32, v: u32) -> bool {
        self.senders(c).into_iter().any(|e| self.does(e, j, v))
    }

    /// The block indices a message of the channel may name in view v.
    pub(crate) fn channel_blocks(&self, c: usize, v: u32) -> std::ops::Range<u32> {
        let names_block = self
            .senders(c)
            .into_iter()
            .any(|e| self.events[e].about != About::View);
        if names_block { self.blocks(v) } else { 0..1 }
    }

    /// Whether replica j may make a message of the channel about view v as a Byzantine one.
    pub(crate) fn may_make(&self, c: usize, j: u32, v: u32) -> bool {
        self.protocol.channels[c].forgeable
            && self.may_be(FaultKind::Byzantine, j)
            && self.may_send(c, j, v)
    }

    // Columns.

    pub(crate) fn add(&mut self, key: Key, name: String, upper: i64) -> Expr {
        self.draft.add(key, name, upper).into()
    }

    fn add_columns(&mut self) {
        for i in 0..self.n {
            for (kind, name) in FAULTS {
                if self.may_be(kind, i) {
                    self.add(Key::Faulty(kind, i), format!("{name}_i{i}"), 1);
                }
            }
            if self.may_crash(i) {
                self.add(Key::Crashed(i), format!("crashed_i{i}"), 1);
            }
        }
        for i in 0..self.n {
            for act in self.acts(i) {
                match act {
                    Act::Enters(i, v) => {
                        self.add(Key::Entered(i, v), format!("entered_i{i}_v{v}"), 1);
                    }
                    Act::Does(e, i, v) => {
                        let name = self.events[e].name;
                        for b in self.about(e, v) {
                            let block = match self.events[e].about {
                                About::View => String::new(),
                                _ => format!("_b{b}"),
                            };
                            let name = format!("did_{name}_i{i}_v{v}{block}");
                            self.add(Key::Did(e, i, v, b), name, 1);
                        }
                    }
                }
                if !self.guards() {
                    continue;
                }
                let name = match act {
                    Act::Enters(i, v) => format!("level_enter_i{i}_v{v}"),
                    Act::Does(e, i, v) => format!("level_{}_i{i}_v{v}", self.events[e].name),
                };
                self.add(Key::Level(act), name, self.highest);
            }
        }
        if self.makes_for_all() {
            self.add_made();
        }
    }

    /// What Byzantine replicas make, for everybody.
    fn add_made(&mut self) {
        for c in 0..self.protocol.channels.len() {
            let kind = self.protocol.channels[c].kind.name().to_owned();
            for v in 0..self.views {
                for j in 0..self.n {
                    if !self.may_make(c, j, v) {
                        continue;
                    }
                    for b in self.channel_blocks(c, v) {
                        let name = format!("made_{kind}_i{j}_v{v}_b{b}");
                        self.add(Key::Made(c, j, v, b), name, 1);
                    }
                    if v + 1 < self.views && self.asked_later(c).contains(&v) {
                        let name = format!("made_later_{kind}_i{j}_v{v}");
                        self.add(Key::MadeLater(c, j, v), name, 1);
                    }
                }
            }
        }
    }

    /// The views for which somebody asks whether a message of the channel about the view or a
    /// later one was made.
    pub(crate) fn asked_later(&self, c: usize) -> std::ops::Range<u32> {
        let kind = &self.protocol.channels[c].kind;
        if self.protocol.enter().is_some_and(|enter| enter.of == *kind) {
            return 0..self.views;
        }
        let over_views = |requirement: &Requires| matches!(requirement, Requires::TallyOverViews { of, .. } if of == kind);
        let any = self
            .events
            .iter()
            .flat_map(|event| &event.requires)
            .any(over_views);
        0..u32::from(any)
    }

    /// The quorums that guards ask for, with their columns.
    fn add_quorums(&mut self) {
        for e in 0..self.events.len() {
            for requirement in self.events[e].requires.clone() {
                if self.is_pairwise(e, &requirement) {
                    continue;
                }
                for v in 0..self.views {
                    for b in self.about(e, v) {
                        if let Some(quorum) = self.quorum_of(&requirement, v, b) {
                            self.add_quorum(quorum);
                        }
                    }
                }
            }
        }
        if let Some(enter) = self.protocol.enter().cloned() {
            for w in 1..self.views {
                let quorum = self.asks(&enter, w);
                self.add_quorum(quorum);
            }
        }
    }

    fn add_quorum(&mut self, quorum: Quorum) {
        if self.quorums.contains(&quorum) {
            return;
        }
        let m = self.quorums.len();
        let name = quorum.name.clone();
        self.add(Key::Complete(m), format!("complete_{name}"), 1);
        if self.guards() {
            self.add(Key::Since(m), format!("since_{name}"), self.highest);
        }
        for &c in &quorum.of {
            for (e, j, v) in self.counted(c, quorum.about) {
                if self.waits_itself(e, v, &quorum) {
                    continue;
                }
                let event = self.events[e].name;
                let name = format!("counts_{name}_{event}_i{j}_v{v}");
                self.add(Key::Counts(m, e, j, v), name, 1);
            }
        }
        self.quorums.push(quorum);
    }

    /// Whether event e of view v requires the quorum, so that its message comes too late for it.
    fn waits_itself(&self, e: usize, v: u32, quorum: &Quorum) -> bool {
        let requires = |requirement: &Requires| {
            let mut blocks = self.about(e, v);
            blocks.any(|b| self.quorum_of(requirement, v, b).as_ref() == Some(quorum))
        };
        self.events[e].requires.iter().any(requires)
    }

    /// The events that send a message of channel c that counts: (event, sender, view).
    pub(crate) fn counted(&self, c: usize, about: Counted) -> Vec<(usize, u32, u32)> {
        let views = match about {
            Counted::Block(v, _) | Counted::ViewOrLater(v) => v..v + 1,
            Counted::AnyView => 0..self.views,
        };
        let mut all = vec![];
        for v in views {
            for e in self.senders(c) {
                let about_it = match about {
                    Counted::Block(_, b) => self.about(e, v).contains(&b),
                    _ => true,
                };
                let who = (0..self.n).filter(|&j| about_it && self.does(e, j, v));
                all.extend(who.map(|j| (e, j, v)));
            }
        }
        all
    }

    /// The quorum that a requirement about block b of view v asks for, if it asks for one.
    pub(crate) fn quorum_of(&self, requirement: &Requires, v: u32, b: u32) -> Option<Quorum> {
        let (of, at_least, about) = match requirement {
            Requires::Tally { of, at_least } => {
                (of.clone(), self.count(*at_least), Counted::Block(v, b))
            }
            Requires::TallyOverViews { of, at_least } => {
                (vec![*of], self.count(*at_least), Counted::AnyView)
            }
            Requires::HeldFromAnother(kind) => (vec![*kind], 1, Counted::Block(v, b)),
            _ => return None,
        };
        let names: Vec<&str> = of.iter().map(|kind| kind.name()).collect();
        let place = match about {
            Counted::AnyView => String::new(),
            _ => format!("_v{v}_b{b}"),
        };
        Some(Quorum {
            name: format!("{}_{at_least}{place}", names.join("_")),
            of: of.iter().map(|kind| self.channel(kind)).collect(),
            at_least,
            about,
        })
    }

    /// The quorum that leads into view w.
    pub(crate) fn asks(&self, enter: &Enter, w: u32) -> Quorum {
        let at_least = self.count(enter.at_least);
        Quorum {
            name: format!("{}_{at_least}_v{}", enter.of.name(), w - 1),
            of: vec![self.channel(&enter.of)],
            at_least,
            about: Counted::ViewOrLater(w - 1),
        }
    }

    /// Whether a requirement of event e is said pair by pair, because receivers ignore messages.
    pub(crate) fn is_pairwise(&self, e: usize, requirement: &Requires) -> bool {
        let guarded = self.order.guarded.as_ref();
        guarded.is_some_and(|g| g.binds == e) && matches!(requirement, Requires::Tally { .. })
    }

    /// A binary column of the goal.
    pub(crate) fn goal_column(&mut self, name: &'static str, at: [u32; 3]) -> Expr {
        let [x, y, z] = at;
        self.add(Key::Goal(name, at), format!("{name}_{x}_{y}_{z}"), 1)
    }
}
