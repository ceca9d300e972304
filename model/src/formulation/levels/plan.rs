//! What of a point its value needs: the acts that the goal counts and, backwards, what they need.

use super::columns::{Key, Levels, made};
use crate::{
    expr::Expr,
    ground::{Act, Need, Own, Record, Value},
};
use milp_schema::{
    instance::{FaultKind, Goal},
    protocol::Scope,
};
use std::collections::{BTreeMap, BTreeSet};

/// An act of a replica: of the acts by number, or of the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Into a view.
    Enters(usize),
    /// An act that makes a record.
    Does(usize),
}

/// Who sends what an act needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Support {
    /// Honest senders, with the number of the act by which each sends it.
    pub(super) honest: Vec<(u32, usize)>,
    /// Byzantine senders: one of these each.
    pub(super) byzantine: Vec<(u32, Vec<Record>)>,
}

/// What a step needs: what others send, and the steps that come before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wants {
    pub(super) supports: Vec<Support>,
    pub(super) before: Vec<Place>,
    /// What must have been sent before, for a step that reads it as a proof.
    pub(super) carried: Vec<((u32, Step), Support)>,
    /// The steps that send what carries it.
    carriers: Vec<Place>,
}

/// A replica's step, by its level.
pub(super) type Place = ((u32, usize), u32, Step);

/// What is kept of a point.
pub(super) struct Plan<'a> {
    levels: &'a Levels,
    point: &'a [i64],
    /// What each step needs.
    pub(super) steps: BTreeMap<Place, Wants>,
}

/// What a point's value needs.
pub(super) fn of<'a>(levels: &'a Levels, point: &'a [i64]) -> Plan<'a> {
    let mut plan = Plan {
        levels,
        point,
        steps: BTreeMap::new(),
    };
    let roots = plan.roots().into_iter();
    let mut open: Vec<Place> = roots.map(|(i, step)| plan.place(i, step)).collect();
    while let Some(place) = open.pop() {
        if plan.steps.contains_key(&place) {
            continue;
        }
        let wants = plan.wants(place);
        open.extend(&wants.before);
        plan.steps.insert(place, wants);
    }
    plan.carry();
    plan
}

impl<'a> Plan<'a> {
    /// What travels with a message is sent before it.
    fn carry(&mut self) {
        for wants in self.steps.clone().into_values() {
            let honest = |((_, _), support): &((u32, Step), Support)| support.honest.clone();
            let sent = wants.carried.iter().flat_map(honest);
            let sent: Vec<Place> = sent
                .map(|(j, act)| self.place(j, Step::Does(act)))
                .collect();
            for carrier in &wants.carriers {
                let Some(sends) = self.steps.get_mut(carrier) else {
                    continue;
                };
                sends.before.extend(sent.iter().filter(|it| *it != carrier));
                sends.carried.extend(wants.carried.iter().cloned());
            }
        }
    }

    pub(super) fn is(&self, expr: &Expr) -> bool {
        let terms = expr.terms().map(|(col, k)| k * self.point[col.index()]);
        expr.constant() + terms.sum::<i64>() >= 1
    }

    pub(super) fn byzantine(&self, i: u32) -> bool {
        self.is(&self.levels.byzantine(i))
    }

    /// Whether Byzantine replica j sends the record.
    fn is_forged(&self, j: u32, record: &Record) -> bool {
        let held = || self.is(&self.levels.draft.get(&Key::Held(*record, j)));
        self.byzantine(j) && (self.levels.instance.goal != Goal::Blame || held())
    }

    pub(super) fn crashes(&self, i: u32) -> bool {
        self.is(&self.levels.faulty(FaultKind::Crash, i))
    }

    pub(super) fn act(&self, step: Step) -> &'a Act {
        match step {
            Step::Enters(way) => &self.levels.ground.entries[way],
            Step::Does(act) => &self.levels.ground.acts[act],
        }
    }

    /// The columns that say that a replica takes a step.
    pub(super) fn columns(&self, (_, i, step): Place) -> Expr {
        match step {
            Step::Enters(way) => self.levels.way(way, i),
            Step::Does(act) => self.levels.did(act, i),
        }
    }

    fn done(&self) -> impl Iterator<Item = (u32, usize)> + '_ {
        let acts = 0..self.levels.ground.acts.len();
        let pairs = acts.flat_map(|act| (0..self.levels.n).map(move |i| (i, act)));
        pairs.filter(|&(i, act)| self.is(&self.levels.did(act, i)))
    }

    /// What the goal counts: one who decides each value, whoever holds what a certificate is made
    /// of, who gets furthest; all that is done where that is weighed.
    fn roots(&self) -> Vec<(u32, Step)> {
        let levels = self.levels;
        let last = |i| (1..levels.views).rev().find_map(|v| self.entry(i, v));
        let furthest = (0..levels.n).filter_map(|i| Some((i, last(i)?)));
        match levels.instance.goal {
            Goal::Fork | Goal::Blame => {
                let mut values: BTreeMap<Value, (u32, Step)> = BTreeMap::new();
                for (i, act) in self.done() {
                    let record = made(&levels.ground.acts[act]);
                    if levels.ground.is_final(record.kind) {
                        values.entry(record.value).or_insert((i, Step::Does(act)));
                    }
                }
                values.into_values().collect()
            }
            Goal::Finality => self.certified(),
            Goal::Views => {
                let view = |(_, step): &(u32, Step)| self.act(*step).letters.v;
                furthest.max_by_key(view).into_iter().collect()
            }
            Goal::Wasted { .. } => self.until_the_last_good_view(),
            Goal::Stall | Goal::Slow | Goal::Weighted { .. } => {
                let acts = self.done().map(|(i, act)| (i, Step::Does(act)));
                acts.chain(furthest).collect()
            }
        }
    }

    /// All that is done before the last good view, and in it what is done without a timer.
    fn until_the_last_good_view(&self) -> Vec<(u32, Step)> {
        let Some(last) = self.good_views().last().copied() else {
            return Vec::new();
        };
        let counts = |(_, number): &(u32, usize)| {
            let act = &self.levels.ground.acts[*number];
            act.letters.v < last || (act.letters.v == last && act.timer().is_none())
        };
        let acts = self.done().filter(counts);
        let acts = acts.map(|(i, act)| (i, Step::Does(act)));
        let entries = (0..self.levels.n).filter_map(|i| Some((i, self.entry(i, last)?)));
        acts.chain(entries).collect()
    }

    /// The views that are good, ascending.
    pub(super) fn good_views(&self) -> Vec<u32> {
        let good = |v: &u32| self.is(&self.levels.draft.get(&Key::Goal("good", [*v, 0])));
        (0..self.levels.views).filter(good).collect()
    }

    /// The votes behind the certificates that exist.
    fn certified(&self) -> Vec<(u32, Step)> {
        let levels = self.levels;
        let mut roots = Vec::new();
        for (number, act) in levels.ground.acts.iter().enumerate() {
            let Value::Of(value) = made(act).value else {
                continue;
            };
            let proof = levels
                .draft
                .get(&Key::Goal("proof", [value, number as u32]));
            if self.is(&proof) {
                for need in act.asks().filter(|it| matches!(it, Need::Quorum(_))) {
                    let votes = self.done().filter(|(_, act)| {
                        let record = made(&levels.ground.acts[*act]);
                        need.taken(&levels.ground).contains(&record)
                    });
                    roots.extend(votes.map(|(i, act)| (i, Step::Does(act))));
                }
            }
        }
        roots
    }

    /// The way in which a replica enters a view, if it does: nothing keeps a way from being open to
    /// who does not take it.
    fn entry(&self, i: u32, v: u32) -> Option<Step> {
        if !self.is(&self.levels.here(i, v)) {
            return None;
        }
        let ways = self.levels.ways(i, v);
        let mut taken = ways
            .into_iter()
            .filter(|&way| self.is(&self.levels.way(way, i)));
        taken.next().map(Step::Enters)
    }

    /// The act by which a replica makes one of these records, if it does.
    fn maker(&self, i: u32, records: &[Record]) -> Option<usize> {
        let acts = records.iter().filter_map(|it| self.levels.makers.get(it));
        let mut acts = acts.flatten().copied();
        acts.find(|&act| self.is(&self.levels.did(act, i)))
    }

    /// A step of a replica with its level; who decides by messages of any view does so in the end, and
    /// what else is done in any view comes last in the one before which it is not there yet.
    fn place(&self, i: u32, step: Step) -> Place {
        let act = self.act(step);
        let decides = act
            .makes
            .is_some_and(|it| self.levels.ground.is_final(it.kind));
        let level = match step {
            _ if decides && act.scope == Scope::Height => (self.levels.views, 0),
            Step::Does(number) if self.levels.of_any_view.contains(&number) => {
                let there = |v: &u32| self.is(&self.levels.draft.get(&Key::Before(number, i, *v)));
                let before = (1..self.levels.views).find(there);
                let last = before.unwrap_or(self.levels.views) - 1;
                self.levels.ground.level(act).max((last, usize::MAX))
            }
            _ => self.levels.ground.level(act),
        };
        (level, i, step)
    }

    /// Who sends what a step needs, and the steps before it.
    fn wants(&self, (_, i, step): Place) -> Wants {
        let act = self.act(step);
        let (mut supports, mut needed) = (Vec::new(), Vec::new());
        let view = act.letters.v - u32::from(act.makes.is_none());
        if act.scope == Scope::View && view > 0 {
            needed.extend(self.entry(i, view).map(|step| (i, step)));
        }
        let own = |records: &[Record]| {
            let act = self.maker(i, records)?;
            Some((i, Step::Does(act)))
        };
        for need in &act.needs {
            match need {
                Need::Own(Own::One(records)) => needed.extend(own(records)),
                Need::Own(Own::Last(matching, _)) => needed.extend(own(&latest(matching))),
                Need::Primary(_) | Need::Quorum(_) => {}
            }
        }
        for bar in &act.bars {
            // A later record is what keeps an earlier one from barring.
            if let Own::Last(matching, rest) = bar {
                let barring = own(matching).is_some();
                needed.extend(own(&latest(rest)).filter(|_| barring));
            }
        }
        let (mut carried, mut carriers) = (Vec::new(), Vec::new());
        for (number, need) in act.asks().enumerate() {
            let support = match need {
                Need::Own(_) => continue,
                Need::Primary(records) => self.primary(records),
                Need::Quorum(number) => self.quorum(*number, i),
            };
            let honest = support.honest.iter();
            let honest = honest.map(|&(j, act)| (j, Step::Does(act)));
            needed.extend(honest.clone());
            if act.proofs.iter().any(|it| it.with == *need) {
                carriers.extend(honest.map(|(j, step)| self.place(j, step)));
            }
            if number < act.needs.len() {
                supports.push(support);
            } else {
                carried.push(((i, step), support));
            }
        }
        let before = needed.into_iter().map(|(j, step)| self.place(j, step));
        Wants {
            supports,
            before: before.collect(),
            carried,
            carriers,
        }
    }

    fn primary(&self, records: &[Record]) -> Support {
        let mut support = Support::default();
        let primaries = &self.levels.ground.setting.primaries;
        for record in records {
            let primary = primaries[record.view as usize];
            if let Some(act) = self.maker(primary, std::slice::from_ref(record)) {
                support.honest.push((primary, act));
                return support;
            }
        }
        let primary = |record: &Record| primaries[record.view as usize];
        let forged = |it: &&Record| self.is_forged(primary(it), it);
        let byzantine = records.iter().find(forged);
        if let Some(first) = byzantine.map(primary) {
            let all = records.iter().filter(|it| primary(it) == first);
            let all = all.filter(forged);
            support.byzantine.push((first, all.copied().collect()));
        }
        support
    }

    /// Enough senders of a quorum for replica i: itself, which has its own record anyway, and of the
    /// honest ones one of each value in turn, so that those of one value are no quorum of their own
    /// where others are there.
    fn quorum(&self, number: usize, i: u32) -> Support {
        let levels = self.levels;
        let quorum = &levels.ground.quorums[number];
        let mut by_value: BTreeMap<Value, Vec<(u32, Option<usize>)>> = BTreeMap::new();
        let mut senders = Vec::new();
        for j in 0..levels.n {
            if let Some(act) = self.maker(j, &quorum.records) {
                let value = made(&levels.ground.acts[act]).value;
                let list = if i == j {
                    &mut senders
                } else {
                    by_value.entry(value).or_default()
                };
                list.push((j, Some(act)));
            }
        }
        let own = senders
            .first()
            .map(|(_, act)| made(&levels.ground.acts[act.unwrap_or(0)]).value);
        let turns = by_value.values().map(Vec::len).max().unwrap_or(0);
        // Who has one of its own value takes others' first.
        let others = by_value.iter().filter(|(value, _)| Some(**value) != own);
        let same = by_value.iter().filter(|(value, _)| Some(**value) == own);
        let values: Vec<_> = others.chain(same).map(|(_, list)| list).collect();
        let honest = (0..turns).flat_map(|turn| values.iter().filter_map(move |it| it.get(turn)));
        let byzantine = (0..levels.n)
            .filter(|&j| self.byzantine(j))
            .map(|j| (j, None));
        // Where any value counts, Byzantine senders name one that helps nothing else.
        let any = quorum
            .records
            .iter()
            .any(|it| it.value != quorum.records[0].value);
        if any {
            senders.extend(byzantine.chain(honest.copied()));
        } else {
            senders.extend(honest.copied().chain(byzantine));
        }
        let mut missing = i64::from(quorum.at_least);
        let mut support = Support::default();
        for (j, act) in senders {
            let may = |it: &&Record| {
                let made = act.is_some() || self.is_forged(j, it);
                made && levels.ground.setting.may_make(it, j)
            };
            let records: Vec<Record> = quorum.records.iter().filter(may).copied().collect();
            if missing <= 0 || records.is_empty() {
                continue;
            }
            missing -= levels.power(j);
            match act {
                Some(act) => support.honest.push((j, act)),
                None => support.byzantine.push((j, records)),
            }
        }
        support
    }

    /// What values are called: each is the number of a proposal. Who proposes a new one in view v
    /// proposes number 0 of v; others get numbers that no honest primary uses.
    pub(super) fn names(&self) -> Names {
        let setting = &self.levels.ground.setting;
        let mut names = Names::default();
        if !setting.renames() {
            names.values = (0..setting.valid()).map(|value| (value, value)).collect();
            return names;
        }
        let per_view = self.levels.instance.blocks_per_proposal;
        for &(_, i, step) in self.steps.keys() {
            let act = self.act(step);
            if let (Some(x), true) = (act.letters.x, self.levels.ground.proposes(act)) {
                let name = act.letters.v * per_view;
                if setting.is_others(x) {
                    names.others.insert((i, step), name);
                } else {
                    names.values.entry(x).or_insert(name);
                }
            }
        }
        for (&(_, i, step), wants) in &self.steps {
            let act = self.act(step);
            let Some(x) = act.letters.x else { continue };
            if names.of(x, (i, step)).is_some() {
                continue;
            }
            let handed_on = self.handed_on(&names, x, (i, step), &wants.supports);
            let name = handed_on.or_else(|| self.free(&names, act.letters.v));
            if setting.is_others(x) {
                names.others.extend(name.map(|name| ((i, step), name)));
            } else {
                names.values.extend(name.map(|name| (x, name)));
            }
        }
        names
    }

    /// The name of a class where the replica, or one that it hears, has one for it.
    fn handed_on(
        &self,
        names: &Names,
        x: u32,
        (i, step): (u32, Step),
        supports: &[Support],
    ) -> Option<u32> {
        let act = self.act(step);
        let own = act.needs.iter().filter_map(|need| match need {
            Need::Own(Own::One(records)) => Some((i, self.maker(i, records)?)),
            _ => None,
        });
        let heard = supports.iter().flat_map(|it| it.honest.iter().copied());
        let mut all = own.chain(heard).map(|(j, act)| (j, Step::Does(act)));
        all.find_map(|from| names.others.get(&from).copied())
            .filter(|_| self.levels.ground.setting.is_others(x))
    }

    /// A name for what a Byzantine primary proposes in view v.
    fn free(&self, names: &Names, v: u32) -> Option<u32> {
        let setting = &self.levels.ground.setting;
        let per_view = self.levels.instance.blocks_per_proposal;
        let honest = |view: u32| !self.byzantine(setting.primaries[view as usize]);
        let reserved = |name: u32| name.is_multiple_of(per_view) && honest(name / per_view);
        let taken: BTreeSet<u32> = names.values.values().copied().collect();
        let order = |name: &u32| (reserved(*name), name / per_view != v, *name);
        let all = 0..setting.views * per_view;
        all.filter(|name| !taken.contains(name)).min_by_key(order)
    }
}

/// What values are called.
#[derive(Debug, Default)]
pub(super) struct Names {
    values: BTreeMap<u32, u32>,
    /// What a class is in a step.
    others: BTreeMap<(u32, Step), u32>,
}

impl Names {
    /// The name of a value in a step.
    pub(super) fn of(&self, value: u32, step: (u32, Step)) -> Option<u32> {
        let own = self
            .others
            .get(&step)
            .filter(|_| !self.values.contains_key(&value));
        own.or_else(|| self.values.get(&value)).copied()
    }
}

/// Records, those of the latest view first.
fn latest(records: &[Record]) -> Vec<Record> {
    records.iter().rev().copied().collect()
}
