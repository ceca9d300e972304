//! Which two records of one replica no honest one makes both, whatever it receives.

use super::form::{Act, Ground, Own, Record};
use milp_schema::protocol::{Goes, Scope};
use std::collections::BTreeMap;

/// What convicts of a ground protocol.
#[derive(Debug)]
pub struct Guilt<'a> {
    ground: &'a Ground,
    makers: BTreeMap<Record, Vec<&'a Act>>,
}

impl<'a> Guilt<'a> {
    /// Of all its acts.
    pub fn new(ground: &'a Ground) -> Self {
        let mut makers: BTreeMap<Record, Vec<&Act>> = BTreeMap::new();
        for act in &ground.acts {
            if let Some(record) = act.makes {
                makers.entry(record).or_default().push(act);
            }
        }
        Self { ground, makers }
    }

    /// Whether who made both is guilty: they are two of one kind and view, or one bars the other.
    /// In which order a replica made two of one view nobody knows, so that each must bar the other.
    pub fn convicts(&self, j: u32, first: &Record, second: &Record) -> bool {
        if first == second {
            return false;
        }
        if (first.kind, first.view) == (second.kind, second.view) {
            return true;
        }
        let rules = &self.ground.setting.rules;
        let vote = |it: &Record| {
            let kind = rules.kind(it.kind);
            kind.goes == Goes::Sent && !kind.is_final
        };
        let [early, late] = if first.view <= second.view {
            [first, second]
        } else {
            [second, first]
        };
        let bars = vote(early) && vote(late) && self.bars(j, early, late);
        bars && (early.view < late.view || self.bars(j, late, early))
    }

    /// Whether who made `early` cannot make `late` by any rule.
    fn bars(&self, j: u32, early: &Record, late: &Record) -> bool {
        let acts = self.makers.get(late).into_iter().flatten();
        let mut own = acts.filter(|act| self.ground.actors(act).any(|it| it == j));
        let barred = |act: &Act| {
            act.scope == Scope::View && act.bars.iter().any(|bar| self.holds(j, early, act, bar))
        };
        let first = own.next();
        first.is_some_and(|act| barred(act) && own.all(|act| barred(act)))
    }

    /// Whether what an act reads of the own past holds since `early` was made: nothing that could be
    /// made since comes to stand before it.
    fn holds(&self, j: u32, early: &Record, act: &Act, bar: &Own) -> bool {
        if !bar.matching().contains(early) {
            return false;
        }
        let Own::Last(_, rest) = bar else {
            return true;
        };
        let since =
            |it: &&Record| it.view > early.view && self.ground.place(it) < self.ground.level(act);
        let could = |it: &Record| self.makers.contains_key(it) && !self.bars(j, early, it);
        !rest.iter().filter(since).any(could)
    }
}
