//! One honest replica in a search: what is kept of it, and what one act of it leads to.

use super::{
    step::{Said, Step, least},
    table::{Need, Table, Way, is_of_timer},
};
use crate::engine::{Effect, EngineError};
use crate::interpreter::{
    World,
    guard::Reader,
    replica::{RULES_IN_AN_ACT, Replica, Taken},
};
use milp_schema::{
    Height, ReplicaId, Value,
    protocol::{Head, Mode, Reads, Scope, TimerId},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What can matter of an honest replica.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Local {
    pub(super) replica: Replica,
    /// What it sent, by bits.
    pub(super) said: u128,
    pub(super) decided: Option<Value>,
}

/// How an act begins, once all is handed over but the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Must,
    Fires(TimerId),
    Likes,
}

/// Messages handed over for the sake of a way, whose number it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Plan {
    how: How,
    way: usize,
    posts: BTreeSet<usize>,
    /// Whether other things are handed over with them, so that they come first.
    more: bool,
}

/// The replicas of a search.
#[derive(Debug)]
pub(super) struct Locals {
    pub(super) table: Table,
    pub(super) world: World,
    /// Whether somebody looks at the views that are entered.
    pub(super) views: bool,
    /// The steps of states seen before.
    pub(super) known: BTreeMap<Local, Arc<[Step]>>,
}

impl Locals {
    /// A replica at the start; nothing if what it does there leads out of the views.
    pub(super) fn start(&mut self, id: ReplicaId) -> Result<Option<Step>, EngineError> {
        let mut replica = Replica::new(id);
        replica.start_timers(&mut self.world);
        replica.complete(&mut self.world)?;
        let before = Local {
            replica: Replica::new(id),
            said: 0,
            decided: None,
        };
        Ok(self.after(&before, replica, &BTreeSet::new()))
    }

    /// Everything that one act which others can see leads to, and those before it which they
    /// cannot.
    pub(super) fn steps(&mut self, local: &Local) -> Result<Vec<Step>, EngineError> {
        let mut open = vec![Step::nothing(local)];
        let mut unseen: BTreeMap<Local, Vec<Step>> = BTreeMap::new();
        let mut seen = Vec::new();
        while let Some(from) = open.pop() {
            for step in self.acts(&from.to)?.iter() {
                let step = from.then(step);
                let to = &step.to;
                let entered = self.views && to.replica.view != local.replica.view;
                if to.said != local.said || to.decided != local.decided || entered {
                    seen.push(step);
                    continue;
                }
                let others = unseen.entry(step.without_taken()).or_default();
                if !others.iter().any(|other| other.is_within(&step)) {
                    others.push(step.clone());
                    open.push(step);
                }
            }
        }
        Ok(least(seen))
    }

    /// Everything that one act leads to, each with a smallest set of deliveries.
    fn acts(&mut self, local: &Local) -> Result<Arc<[Step]>, EngineError> {
        if let Some(acts) = self.known.get(local) {
            return Ok(Arc::clone(acts));
        }
        let mut plans: Vec<Plan> = Vec::new();
        for (number, way) in self.table.ways.iter().enumerate() {
            let how = match self.table.rule(way.rule).mode {
                Mode::Must => How::Must,
                Mode::May => How::Likes,
                Mode::Timer(timer) if local.replica.timers.contains_key(&timer) => {
                    How::Fires(timer)
                }
                Mode::Timer(_) => continue,
            };
            let plan = |posts| Plan {
                how,
                way: number,
                posts,
                more: false,
            };
            plans.extend(self.smallest(&local.replica, way).into_iter().map(plan));
        }
        let mut done: BTreeSet<Plan> = BTreeSet::new();
        let mut steps: Vec<Step> = Vec::new();
        while let Some(plan) = plans.pop() {
            if done.contains(&plan) {
                continue;
            }
            if let Some(replica) = self.carry_out(local, &plan, &mut plans)? {
                steps.extend(self.after(local, replica, &plan.posts));
            }
            done.insert(plan);
        }
        let acts: Arc<[Step]> = least(steps).into();
        self.known.insert(local.clone(), Arc::clone(&acts));
        Ok(acts)
    }

    /// The message to hand over last, so that nothing happens before; none if there is no such.
    fn last(&self, replica: &Replica, posts: &BTreeSet<usize>) -> Option<usize> {
        let quiet = |last: &&usize| {
            let others = posts.iter().filter(|post| post != last);
            self.is_quiet(&self.handed(replica, others))
        };
        posts.iter().find(quiet).copied()
    }

    fn is_quiet(&self, replica: &Replica) -> bool {
        replica.first(&self.world, Mode::Must).is_none()
    }

    /// The replica after a plan, if nothing happens before.
    fn carry_out(
        &mut self,
        local: &Local,
        plan: &Plan,
        plans: &mut Vec<Plan>,
    ) -> Result<Option<Replica>, EngineError> {
        let must = plan.how == How::Must;
        let last = self.last(&local.replica, &plan.posts).filter(|_| must);
        let before = plan.posts.iter().filter(|post| Some(**post) != last);
        let mut replica = self.handed(&local.replica, before);
        if must && last.is_none() || !self.is_quiet(&replica) {
            return Ok(None);
        }
        replica = self.handed(&replica, last.iter());
        let Way { rule, at, .. } = &self.table.ways[plan.way];
        let target = (*rule, *at);
        let mut next = match plan.how {
            How::Must => replica.first(&self.world, Mode::Must),
            How::Likes => Some(target),
            How::Fires(timer) => {
                let first = replica.first(&self.world, Mode::Timer(timer));
                replica.timers.remove(&timer);
                first
            }
        };
        // What else is held matters to the plan of the act that begins.
        let begins = next == Some(target) || plan.more;
        let mut changed = false;
        for _ in 0..RULES_IN_AN_ACT {
            if changed && begins {
                let after = next.map(|(rule, _)| rule);
                let more = self.before(local, &replica, after).into_iter();
                plans.extend(more.map(|more| Plan {
                    posts: &plan.posts | &more,
                    more: true,
                    ..*plan
                }));
            }
            let Some((rule, at)) = next else {
                return Ok(Some(replica));
            };
            // Timers start for whatever else is held.
            changed |= !is_of_timer(self.table.rule(rule));
            replica.perform(&mut self.world, rule, &at);
            next = replica.first(&self.world, Mode::Must);
        }
        Err(EngineError::Refused {
            act: format!("an act at replica {}", replica.me),
            why: "its rules never come to rest".to_owned(),
        })
    }

    /// What else could have been held all the time by who is about to do a rule, so that another
    /// way of it, or a rule above it, comes first and that matters; or, by who is about to rest,
    /// what cannot be handed over afterwards because something else would come first.
    fn before(
        &self,
        local: &Local,
        replica: &Replica,
        next: Option<usize>,
    ) -> Vec<BTreeSet<usize>> {
        let above = |way: &&Way| {
            let first = |next| way.rule <= next && self.table.conflicts[way.rule][next];
            let some = || (0..self.table.conflicts.len()).any(first);
            self.table.rule(way.rule).mode == Mode::Must && next.map_or_else(some, first)
        };
        let ways = self.table.ways.iter().filter(above);
        let sets = ways.flat_map(|way| self.smallest(replica, way));
        let matters = |set: &BTreeSet<usize>| {
            let held = self.is_quiet(&self.handed(&local.replica, set.iter()));
            !set.is_empty() && held && (next.is_some() || self.last(replica, set).is_none())
        };
        sets.filter(matters).collect()
    }

    fn handed<'a>(&self, replica: &Replica, posts: impl Iterator<Item = &'a usize>) -> Replica {
        let mut replica = replica.clone();
        for post in posts {
            if let Some(taken) = replica.takes(&self.world, *post) {
                replica.taken.insert(taken);
            }
        }
        replica
    }

    /// The smallest sets of messages that must be handed over for a way to be open.
    pub(super) fn smallest(&self, replica: &Replica, way: &Way) -> Vec<BTreeSet<usize>> {
        let rule = self.table.rule(way.rule);
        let v = way.at.v;
        let here = match rule.head {
            Head::Enter => v == replica.view.next(),
            Head::Skip => v > replica.view,
            _ => v == replica.view || rule.scope == Scope::Height,
        };
        if !here || replica.stopped(&self.world) || !replica.is_open(&self.world, way.rule, rule, v)
        {
            return Vec::new();
        }
        let reader = Reader {
            world: &self.world,
            replica,
        };
        let own = rule
            .when
            .iter()
            .filter(|it| matches!(it.reads, Reads::Own | Reads::LastOwn));
        if rule.unless.iter().any(|it| reader.holds(it, &way.at, &[]))
            || !own.clone().all(|it| reader.holds(it, &way.at, &[]))
        {
            return Vec::new();
        }
        let mut sets = BTreeSet::new();
        self.extend(replica, &way.needs, &BTreeSet::new(), &mut sets);
        let smaller = |set: &BTreeSet<usize>| {
            let mut smaller = sets.iter().filter(|other| other.len() < set.len());
            smaller.any(|other| other.is_subset(set))
        };
        sets.iter().filter(|set| !smaller(set)).cloned().collect()
    }

    /// Every smallest way to meet the first need, and so on.
    fn extend(
        &self,
        replica: &Replica,
        needs: &[Need],
        chosen: &BTreeSet<usize>,
        sets: &mut BTreeSet<BTreeSet<usize>>,
    ) {
        let Some((need, rest)) = needs.split_first() else {
            sets.insert(chosen.clone());
            return;
        };
        let author = |post: &usize| self.world.posts[*post].author;
        let taken = |post: &usize| {
            let record = self.world.posts[*post].record;
            record.is_some_and(|it| replica.taken.contains(&it.of(author(post), 0)))
        };
        let there = need
            .posts
            .iter()
            .filter(|post| chosen.contains(post) || taken(post));
        let there: BTreeSet<ReplicaId> = there.map(author).collect();
        let power = |id: &ReplicaId| self.table.setup.power[id.index()];
        let missing = need.power.saturating_sub(there.iter().map(power).sum());
        let mut offers: BTreeMap<ReplicaId, Vec<usize>> = BTreeMap::new();
        if missing > 0 {
            for post in &need.posts {
                let sender = author(post);
                let new = sender != replica.me && !there.contains(&sender);
                if new && replica.takes(&self.world, *post).is_some() {
                    offers.entry(sender).or_default().push(*post);
                }
            }
        }
        let offers: Vec<(ReplicaId, Vec<usize>)> = offers.into_iter().collect();
        for senders in enough(&offers, missing, &power) {
            let mut choices = vec![chosen.clone()];
            for sender in senders {
                let with = |set: &BTreeSet<usize>| {
                    let set = set.clone();
                    sender.iter().map(move |post| {
                        let mut set = set.clone();
                        set.insert(*post);
                        set
                    })
                };
                choices = choices.iter().flat_map(with).collect();
            }
            for choice in choices {
                self.extend(replica, rest, &choice, sets);
            }
        }
    }

    /// The state after an act; none if it left the modelled views or nobody could hand that over.
    pub(super) fn after(
        &mut self,
        before: &Local,
        replica: Replica,
        posts: &BTreeSet<usize>,
    ) -> Option<Step> {
        let mut to = Local {
            replica,
            ..before.clone()
        };
        let mut entered = 0;
        for effect in std::mem::take(&mut self.world.effects) {
            match effect {
                Effect::Send { id, .. } => {
                    let record = self.world.posts[id.0 as usize - 1].record;
                    let bit = record.and_then(|it| self.table.records.binary_search(&it).ok());
                    to.said |= bit.map_or(0, |bit| 1 << bit);
                }
                Effect::Decide { block, .. } => {
                    let (view, index) = (block.view, block.index);
                    to.decided = Some(Value::Block { view, index });
                }
                Effect::EnterView { view, .. } => entered = entered.max(view.0),
                _ => {}
            }
        }
        self.world.started.clear();
        self.world.posts.truncate(self.table.readers.len());
        if entered >= self.table.views {
            return None;
        }
        let mut step = Step::nothing(&to);
        step.entered = entered;
        for post in posts {
            let post = &self.world.posts[*post];
            let record = post.record?;
            if !self.table.byzantine.contains(&post.author) {
                let bit = self.table.records.binary_search(&record).ok()?;
                *step.needs.entry(post.author).or_default() |= 1 << bit;
            } else if let Some(Value::Block { view, .. }) = record.value {
                let maker = self.table.setup.primary(Height(0), view);
                if !self.table.byzantine.contains(&maker) {
                    step.names.insert((maker, self.naming(record.value)));
                }
            }
        }
        let me = before.replica.me;
        if step
            .names
            .iter()
            .any(|(maker, any)| *maker == me && before.said & any == 0)
        {
            return None;
        }
        let met = |(maker, any): &Said| {
            *maker == me || step.needs.get(maker).is_some_and(|all| all & any != 0)
        };
        let names = step.names.iter().filter(|it| !met(it)).copied();
        step.names = names.collect();
        self.forget(&mut step.to);
        Some(step)
    }

    /// The records of a value.
    fn naming(&self, value: Option<Value>) -> u128 {
        let records = self.table.records.iter().enumerate();
        let of = records.filter(|(_, record)| record.value == value);
        of.fold(0, |all, (bit, _)| all | 1 << bit)
    }

    /// What cannot matter any more is forgotten.
    pub(super) fn forget(&self, local: &mut Local) {
        let (table, world) = (&self.table, &self.world);
        let replica = &mut local.replica;
        if local.decided.is_some() && !table.setup.rules.chain {
            let height = replica.height;
            *replica = Replica::new(replica.me);
            replica.height = height;
            return;
        }
        let heads = || table.setup.rules.rules.iter().enumerate();
        for timer in (0..table.setup.rules.timers.len()).map(TimerId) {
            if table.is_of_use(world, replica, Mode::Timer(timer)) {
                replica.timers.entry(timer).and_modify(|lasts| *lasts = 0);
            } else {
                replica.timers.remove(&timer);
                let starts = heads().filter(
                    |(_, rule)| matches!(rule.head, Head::Arm { timer: of, .. } if of == timer),
                );
                replica.started.extend(starts.map(|(place, _)| place));
            }
        }
        let open: BTreeSet<Taken> = {
            let read = |it: &&Taken| {
                let post = table.posts.get(&(it.sender, it.record));
                let mut readers = post.iter().flat_map(|post| &table.readers[**post]);
                readers.any(|(rule, v)| table.is_open(world, replica, *rule, *v))
            };
            replica.taken.iter().filter(read).copied().collect()
        };
        replica.taken = open;
    }
}

/// All choices of senders that are enough and of whom nobody is too many.
fn enough<'a>(
    offers: &'a [(ReplicaId, Vec<usize>)],
    missing: u32,
    power: &dyn Fn(&ReplicaId) -> u32,
) -> Vec<Vec<&'a Vec<usize>>> {
    let mut all = Vec::new();
    let mut open: Vec<(usize, Vec<usize>)> = vec![(0, Vec::new())];
    while let Some((from, chosen)) = open.pop() {
        let of = |place: &usize| power(&offers[*place].0);
        let sum: u32 = chosen.iter().map(of).sum();
        if sum >= missing {
            if chosen.iter().all(|place| sum - of(place) < missing) {
                all.push(chosen.iter().map(|place| &offers[*place].1).collect());
            }
            continue;
        }
        for next in from..offers.len() {
            let chosen = [chosen.as_slice(), &[next]].concat();
            open.push((next + 1, chosen));
        }
    }
    all
}
