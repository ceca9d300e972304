//! A program under construction: its columns by what they mean, its families and rows.

use super::{
    book::Book,
    walk::{Arc, Need, Role, To, Walk},
};
use crate::{draft::Draft, expr::Expr};
use milp_schema::instance::{FaultKind, Goal, Network};

/// What a column stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The primary of view v is Byzantine.
    Byzantine(u32),
    /// So many replicas that are primary of no modelled view are Byzantine.
    ByzantineRest,
    /// The primary of view v is honest and reaches view v.
    Here(u32),
    /// So many replicas take step number `arc` of their role in view v.
    Took(u32, Role, usize),
    /// The Byzantine primary of view v makes a request for block b.
    Request(u32, u32),
    /// There are enough senders for what steps of view v need.
    Open(u32, Need),
    /// Somebody reaches view v.
    Reached(u32),
    /// So many replicas end in that state of view v, for good.
    Rests(u32, Role, usize),
    /// So many replicas crash in that state of view v.
    Crashes(u32, Role, usize),
    /// A column of the goal, by name and numbers.
    Goal(&'static str, [u32; 2]),
}

/// A program under construction.
#[derive(Debug)]
pub(super) struct Counting {
    pub(super) book: Book,
    /// The walks of backups and of primaries.
    pub(super) walks: [Walk; 2],
    pub(super) draft: Draft<Key>,
}

impl Counting {
    pub(super) fn new(book: Book, walks: [Walk; 2]) -> Self {
        let mut counting = Self {
            book,
            walks,
            draft: Draft::new(),
        };
        counting.fault_columns();
        for v in 0..counting.book.views {
            if v > 0 {
                counting
                    .draft
                    .add(Key::Reached(v), format!("reached_v{v}"), 1);
            }
            counting.draft.add(Key::Here(v), format!("here_v{v}"), 1);
            for role in Role::ALL {
                counting.step_columns(v, role);
            }
        }
        counting
    }

    fn fault_columns(&mut self) {
        let (views, most) = (self.book.views, i64::from(self.book.byzantine));
        let may = |book: &Book, i: u32| book.may_be(FaultKind::Byzantine, i);
        for v in 0..views {
            if most > 0 && may(&self.book, self.book.primary(v)) {
                self.draft
                    .add(Key::Byzantine(v), format!("byzantine_v{v}"), 1);
                for b in self.book.blocks(v) {
                    self.draft
                        .add(Key::Request(v, b), format!("request_v{v}_b{b}"), 1);
                }
            }
        }
        let rest = self.rest().filter(|&i| may(&self.book, i)).count() as i64;
        if most.min(rest) > 0 {
            self.draft
                .add(Key::ByzantineRest, "byzantine_rest".into(), most.min(rest));
        }
    }

    /// The replicas that are primary of no modelled view.
    pub(super) fn rest(&self) -> impl Iterator<Item = u32> {
        let primaries = move |i: &u32| (0..self.book.views).any(|v| self.book.primary(v) == *i);
        (0..self.book.n).filter(move |i| !primaries(i))
    }

    /// At most so many replicas of a role: one primary, the others backups.
    fn most(&self, role: Role) -> i64 {
        match role {
            Role::Backup => i64::from(self.book.n) - 1,
            Role::Primary => 1,
        }
    }

    fn step_columns(&mut self, v: u32, role: Role) {
        let most = self.most(role);
        for arc in 0..self.walks[role as usize].arcs.len() {
            let step = &self.walks[role as usize].arcs[arc];
            if !self.is_open(v, step) {
                continue;
            }
            let from = &self.walks[role as usize].nodes[step.from].name;
            let acts: Vec<String> = step
                .acts
                .iter()
                .map(|&(e, b)| format!("{}{b}", self.book.events[e].name))
                .collect();
            let to = if step.to == To::Next {
                "enter".to_owned()
            } else {
                acts.join("_")
            };
            let name = format!("took_v{v}_{}_{from}_to_{to}", role.name());
            let needs: Vec<Need> = step.needs.iter().cloned().collect();
            self.draft.add(Key::Took(v, role, arc), name, most);
            for need in needs {
                self.need_column(v, need);
            }
        }
        if self.ends() {
            for node in 0..self.walks[role as usize].nodes.len() {
                let state = &self.walks[role as usize].nodes[node];
                let (name, rests) = (state.name.clone(), state.rests);
                if rests {
                    let name = format!("rests_v{v}_{}_{name}", role.name());
                    self.draft.add(Key::Rests(v, role, node), name, most);
                }
                let crashes = i64::from(self.book.instance.fault_count(FaultKind::Crash));
                if crashes > 0 {
                    let name = format!("crashes_v{v}_{}_{name}", role.name());
                    self.draft
                        .add(Key::Crashes(v, role, node), name, most.min(crashes));
                }
            }
        }
    }

    fn need_column(&mut self, v: u32, need: Need) {
        if let Need::Senders { of, b, at_least } = &need {
            let of: Vec<&str> = of.iter().map(|&c| self.kind(c)).collect();
            let name = format!("open_v{v}_b{b}_{}_{at_least}", of.join("_"));
            if self.draft.col(&Key::Open(v, need.clone())).is_none() {
                self.draft.add(Key::Open(v, need), name, 1);
            }
        }
    }

    pub(super) fn kind(&self, c: usize) -> &str {
        self.book.protocol.channels[c].kind.name()
    }

    /// Whether executions have to end in a final state.
    pub(super) fn ends(&self) -> bool {
        self.book.instance.goal == Goal::Stall
    }

    /// Whether the step can be of use in view v: blocks that cannot be proposed there, adopted
    /// blocks where nobody counts them, and steps past the last view are left out.
    fn is_open(&self, v: u32, step: &Arc) -> bool {
        let last = v + 1 == self.book.views;
        let blocks = self.book.blocks(v);
        let proposed = step.acts.iter().all(|(_, b)| blocks.contains(b));
        let adopts = step.needs.contains(&Need::Decision);
        let asks = step.acts.iter().any(|&(e, _)| e == self.book.ask);
        proposed
            && (!adopts || self.counts_adoptions())
            && !(last && step.to == To::Next)
            && !(last && asks && self.avoids_last_requests())
    }

    /// Whether it matters that a replica adopts a block that another one decided.
    fn counts_adoptions(&self) -> bool {
        match self.book.instance.goal {
            Goal::Weighted { messages, .. } => messages != 0,
            _ => self.ends(),
        }
    }

    /// Whether requests to leave the last view are left out: with `eventual` they would arrive and
    /// lead out of the modelled views, and no goal but `stall` needs them.
    fn avoids_last_requests(&self) -> bool {
        self.book.instance.network == Network::Eventual && !self.ends()
    }

    /// A binary column of the goal.
    pub(super) fn goal_column(&mut self, name: &'static str, at: [u32; 2]) -> Expr {
        let [x, y] = at;
        self.draft
            .add(Key::Goal(name, at), format!("{name}_{x}_{y}"), 1)
            .into()
    }

    /// The steps of a role that have a column in view v.
    pub(super) fn steps(&self, v: u32, role: Role) -> impl Iterator<Item = (&Arc, Expr)> {
        let arcs = self.walks[role as usize].arcs.iter().enumerate();
        arcs.filter_map(move |(number, arc)| {
            let col = self.draft.col(&Key::Took(v, role, number))?;
            Some((arc, Expr::from(col)))
        })
    }

    /// The steps of both roles.
    pub(super) fn all_steps(&self, v: u32) -> impl Iterator<Item = (&Arc, Expr)> {
        Role::ALL
            .into_iter()
            .flat_map(move |role| self.steps(v, role))
    }

    /// How many replicas take a step that `counts`.
    pub(super) fn sum(&self, v: u32, counts: &dyn Fn(&Arc) -> bool) -> Expr {
        self.all_steps(v)
            .filter(|(arc, _)| counts(arc))
            .map(|(_, taken)| taken)
            .sum()
    }

    /// The number of honest replicas that do event e about block b of view v.
    pub(super) fn did(&self, e: usize, v: u32, b: u32) -> Expr {
        self.sum(v, &|arc| arc.acts.contains(&(e, b)))
    }

    /// The number of honest replicas that send on one of these channels about (v, b).
    pub(super) fn sent(&self, of: &[usize], v: u32, b: u32) -> Expr {
        let events = of.iter().flat_map(|&c| self.book.senders(c));
        events.map(|e| self.did(e, v, b)).sum()
    }

    /// The number of Byzantine replicas.
    pub(super) fn byzantine(&self) -> Expr {
        (0..self.book.views)
            .map(|v| self.draft.get(&Key::Byzantine(v)))
            .sum::<Expr>()
            + self.draft.get(&Key::ByzantineRest)
    }

    /// The number of Byzantine replicas that can send on one of these channels in view v.
    pub(super) fn forgers(&self, of: &[usize], v: u32) -> Expr {
        let book = &self.book;
        let forgeable = |c: &&usize| book.protocol.channels[**c].forgeable;
        let can = |primary: bool| {
            of.iter()
                .filter(forgeable)
                .any(|&c| book.senders(c).any(|e| book.does(e, primary)))
        };
        let primary = self.draft.get(&Key::Byzantine(v));
        match (can(true), can(false)) {
            (true, true) => self.byzantine(),
            (true, false) => primary,
            (false, true) => self.byzantine() - primary,
            (false, false) => Expr::default(),
        }
    }

    /// The number of replicas that crash in view v.
    pub(super) fn crashing(&self, v: u32) -> Expr {
        let crashes = |(key, col)| matches!(key, &Key::Crashes(of, ..) if of == v).then_some(col);
        let cols = self.draft.keys().filter_map(crashes);
        cols.map(Expr::from).sum()
    }

    /// The number of replicas that go on from view v into the next.
    pub(super) fn entering(&self, v: u32) -> Expr {
        self.sum(v, &|arc| arc.to == To::Next)
    }

    /// The number of honest replicas that reach view v.
    pub(super) fn arriving(&self, v: u32) -> Expr {
        match v {
            0 => self.byzantine() * -1 + i64::from(self.book.n),
            v => self.entering(v - 1),
        }
    }

    /// The number of honest replicas that reach view v in that role.
    pub(super) fn arriving_as(&self, v: u32, role: Role) -> Expr {
        let here = self.draft.get(&Key::Here(v));
        match role {
            Role::Primary => here,
            Role::Backup => self.arriving(v) - here,
        }
    }
}
