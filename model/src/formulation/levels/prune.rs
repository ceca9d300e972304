//! Acts that nobody can do: what they need nobody sends, whoever is Byzantine.

use super::columns::most_byzantine;
use crate::ground::{Act, Ground, Need, Own, Record, Values};
use milp_schema::{Instance, instance::FaultKind};
use std::collections::BTreeSet;

/// Takes away acts that name a value of a later view (E63), and then those whose needs cannot be met,
/// until none is left.
pub(super) fn prune(ground: &mut Ground, instance: &Instance) {
    let most_byzantine = most_byzantine(instance, ground);
    let setting = ground.setting.clone();
    if let Values::Named { per_view } = setting.values {
        let early = |value: Option<u32>, view: u32| value.is_some_and(|it| it / per_view > view);
        ground
            .acts
            .retain(|act| !early(act.letters.x, act.letters.v));
    }
    loop {
        let possible = Possible::of(ground, instance, most_byzantine);
        let can = |act: &Act| act.asks().all(|need| possible.is_met(ground, need));
        let acts: Vec<bool> = ground.acts.iter().map(can).collect();
        let entries: Vec<bool> = ground.entries.iter().map(can).collect();
        let before = acts.len() + entries.len();
        let mut kept = acts.into_iter();
        ground.acts.retain(|_| kept.next() == Some(true));
        let mut kept = entries.into_iter();
        ground.entries.retain(|_| kept.next() == Some(true));
        if ground.acts.len() + ground.entries.len() == before {
            return;
        }
    }
}

/// What can be made.
struct Possible<'a> {
    instance: &'a Instance,
    most_byzantine: u32,
    /// By whom, of honest replicas.
    made: BTreeSet<(Record, u32)>,
}

impl<'a> Possible<'a> {
    fn of(ground: &Ground, instance: &'a Instance, most_byzantine: u32) -> Self {
        let mut made = BTreeSet::new();
        for act in &ground.acts {
            if let Some(record) = act.makes {
                made.extend(ground.actors(act).map(|i| (record, i)));
            }
        }
        Self {
            instance,
            most_byzantine,
            made,
        }
    }

    fn byzantine(&self, i: u32) -> bool {
        self.instance.may_be(FaultKind::Byzantine, i)
    }

    fn is_met(&self, ground: &Ground, need: &Need) -> bool {
        let setting = &ground.setting;
        match need {
            Need::Own(Own::One(records) | Own::Last(records, _)) => {
                let made =
                    |it: &Record| (0..setting.replicas()).any(|i| self.made.contains(&(*it, i)));
                records.iter().any(made)
            }
            Need::Primary(records) => records.iter().any(|it| {
                let primary = setting.primaries[it.view as usize];
                self.byzantine(primary) || self.made.contains(&(*it, primary))
            }),
            Need::Quorum(number) => {
                let quorum = &ground.quorums[*number];
                let sends = |i: &u32| {
                    quorum
                        .records
                        .iter()
                        .any(|it| self.made.contains(&(*it, *i)))
                };
                let honest = (0..setting.replicas()).filter(sends);
                let power: u32 = honest.map(|i| setting.power[i as usize]).sum();
                power + self.most_byzantine >= quorum.at_least
            }
        }
    }
}
