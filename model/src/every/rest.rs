//! Final states, for goal `stall`: everything honest replicas sent has arrived, what one got from a
//! Byzantine one all have, timers have fired until that changes nothing, and nobody decided (E19).
//!
//! | column | meaning |
//! |---|---|
//! | `rests_<who>_<state>` | so many rest in that state of their walk |
//! | `enough_m` | the quorum is there for all |
//! | `shown_r` | all have that proposal |
//! | `stuck` | the goal, 1 |
//!
//! Nobody rests where something can be done: `Σ rests ≤ number · Σ (1 − truth)` for each act that the
//! own past of a state allows, over what it needs of others.

use super::{
    affine::{Affine, less, one},
    program::Kind,
    question::unsupported,
    rows::Builder,
    walk::{Node, acts, allows, entries_of, of_place},
};
use crate::{
    error::Error,
    formulation::levels::rest::is_lost,
    ground::{Act, Ground, Need, Own, Record, run::holds},
};
use milp_schema::{
    Instance,
    instance::{Goal, Network},
    protocol::Scope,
};
use std::collections::{BTreeMap, BTreeSet};

/// Refuses final states that are not said here.
pub(super) fn refuse(instance: &Instance, any_views: bool) -> Result<(), Error> {
    if instance.goal != Goal::Stall {
        return Ok(());
    }
    if any_views {
        return Err(unsupported(
            "goal `stall` with `views: any`",
            "ask for a number of views",
        ));
    }
    if instance.network != Network::Eventual {
        return Err(unsupported(
            "goal `stall` on this network",
            "use `network: eventual`",
        ));
    }
    Ok(())
}

/// What an act needs of others, and where it can still be done.
type Enabled = (Vec<usize>, Vec<usize>);

impl Builder<'_> {
    /// All columns and rows of final states.
    pub(super) fn rest(&mut self) {
        let stuck = self
            .program
            .column("stuck".to_owned(), Kind::Binary, Affine::ONE);
        self.program.goal.push(stuck);
        self.nobody_decides();
        let rests = self.rests();
        let shown = self.shown();
        let enough = self.enough();
        let ground = self.ground;
        for at in 0..self.walkers.len() {
            let walker = &self.walkers[at];
            let (id, name, number) = (walker.id, walker.name.clone(), walker.number);
            let nodes = walker.walk.nodes.clone();
            let mut rows: BTreeMap<Vec<usize>, BTreeSet<usize>> = BTreeMap::new();
            for (node, it) in nodes.iter().enumerate() {
                for act in enabled(ground, id, it) {
                    for truths in truths(ground, act, &shown, &enough) {
                        rows.entry(truths).or_default().insert(rests[at][node]);
                    }
                }
            }
            for (row, (truths, rests)) in rows.into_iter().enumerate() {
                let (truths, rests): Enabled = (truths, rests.into_iter().collect());
                let upper = number * truths.len() as i64;
                let terms = rests.into_iter().map(one);
                let terms: Vec<_> = terms
                    .chain(truths.into_iter().map(|it| (it, number)))
                    .collect();
                let name = format!("nobody_rests_{name}_{row}");
                self.program.at_most(name, terms, upper);
            }
        }
    }

    /// `Σ decides ≤ 0`, and a decision that is made anywhere is not to be made: some of what it needs
    /// is not there.
    fn nobody_decides(&mut self) {
        let ground = self.ground;
        let decides = self.makers(|arc| arc.makes.is_some_and(|it| ground.is_final(it.kind)));
        let terms: Vec<_> = decides.into_iter().map(one).collect();
        self.program
            .at_most("nobody_decides".to_owned(), terms, Affine::default());
    }

    /// Who comes into a state leaves it or rests there: `Σ in = Σ out + rests`.
    fn rests(&mut self) -> Vec<Vec<usize>> {
        let mut all = Vec::new();
        for walker in &self.walkers {
            let kind = if walker.is_pool {
                Kind::Count
            } else {
                Kind::Unit
            };
            let mut columns = Vec::new();
            for node in 0..walker.walk.nodes.len() {
                let name = format!("rests_{}_{node}", walker.name);
                let rests = self.program.column(name, kind, walker.number);
                columns.push(rests);
                let steps = || walker.walk.arcs.iter().zip(&walker.took);
                let out = steps().filter(|(arc, _)| arc.from == node);
                let into = steps().filter(|(arc, _)| arc.to == Some(node));
                let mut terms: Vec<_> = out.map(|it| one(*it.1)).collect();
                terms.extend(into.map(|it| less(*it.1)));
                terms.push(one(rests));
                let mut upper = Affine::default();
                if node == 0 {
                    terms.push(one(walker.byzantine));
                    upper = walker.number;
                }
                let back: Vec<_> = terms.iter().map(|&(column, it)| (column, -it)).collect();
                let name = format!("rest_{}_{node}", walker.name);
                self.program.at_most(name.clone(), terms, upper);
                self.program.at_most(format!("{name}_all"), back, -upper);
            }
            all.push(columns);
        }
        all
    }

    /// `Σ did ≤ shown` of an honest primary; what somebody used is shown: `said ≤ Σ shown`.
    fn shown(&mut self) -> BTreeMap<Record, usize> {
        let ground = self.ground;
        let needs = ground.all();
        let needs = needs.flat_map(Act::asks).filter_map(|need| match need {
            Need::Primary(records) => Some(records.clone()),
            _ => None,
        });
        let records: BTreeSet<Record> = needs.flatten().collect();
        let mut shown = BTreeMap::new();
        for (number, record) in records.into_iter().enumerate() {
            let name = format!("shown_{number}");
            let column = self.program.column(name, Kind::Binary, Affine::ONE);
            shown.insert(record, column);
            let primary = ground.setting.primaries[record.view as usize];
            let walkers = self.walkers.iter().filter(|it| it.id == primary);
            let steps = walkers.flat_map(|it| it.walk.arcs.iter().zip(&it.took));
            let sent = steps.filter(|(arc, _)| arc.makes == Some(record));
            let terms: Vec<_> = sent.map(|it| one(*it.1)).chain([less(column)]).collect();
            self.program
                .at_most(format!("sent_is_shown_{number}"), terms, Affine::default());
        }
        for (records, said) in self.said.clone() {
            let all = records.iter().filter_map(|it| shown.get(it));
            let terms: Vec<_> = all.map(|it| less(*it)).chain([one(said)]).collect();
            let name = format!("used_is_shown_{said}");
            self.program.at_most(name, terms, Affine::default());
        }
        shown
    }

    /// `Σ senders ≤ k − 1 + (n − k + 1) · enough`, `open ≤ enough`, and so of whoever has more.
    fn enough(&mut self) -> BTreeMap<usize, usize> {
        let ground = self.ground;
        let acts = ground.all();
        let asked: BTreeSet<usize> = acts
            .flat_map(Act::asks)
            .filter_map(|need| match need {
                Need::Quorum(number) => Some(*number),
                _ => None,
            })
            .collect();
        let mut enough = BTreeMap::new();
        for &number in &asked {
            let name = format!("enough_{number}");
            let column = self.program.column(name, Kind::Binary, Affine::ONE);
            enough.insert(number, column);
            let short = Affine::of_count(ground.quorums[number].count) - Affine::ONE;
            let senders = self.makers(|arc| arc.counts.contains(&number));
            let terms = senders.into_iter().map(one);
            let terms: Vec<_> = terms.chain([(column, short - Affine::N)]).collect();
            self.program
                .at_most(format!("sent_is_there_{number}"), terms, short);
            if let Some(open) = self.opens.get(&number).copied() {
                let name = format!("used_is_there_{number}");
                let terms = [one(open), less(column)];
                self.program.at_most(name, terms, Affine::default());
            }
        }
        for (&few, &first) in &enough {
            for (&many, &then) in &enough {
                let (few_of, many_of) = (&ground.quorums[few], &ground.quorums[many]);
                let mut records = few_of.records.iter();
                let within = records.all(|it| many_of.records.binary_search(it).is_ok());
                if few != many && within && few_of.count == many_of.count {
                    let name = format!("there_is_there_{few}_{many}");
                    let terms = [one(first), less(then)];
                    self.program.at_most(name, terms, Affine::default());
                }
            }
        }
        enough
    }
}

/// What a replica in a state can still do, what it needs of others aside.
fn enabled<'a>(ground: &'a Ground, id: u32, node: &Node) -> Vec<&'a Act> {
    let free = |act: &&Act| {
        let made = act
            .makes
            .is_some_and(|it| holds(&node.own, &Own::One(of_place(ground, &it))));
        !made && allows(&node.own, act)
    };
    let here = acts(ground, id).map(|it| it.1);
    let here = here.filter(|act| act.letters.v == node.view);
    let leave = entries_of(ground, id).filter(|act| act.letters.v == node.view + 1);
    let anywhere = ground.acts.iter().filter(|it| it.scope == Scope::Height);
    let all = here.chain(leave).chain(anywhere);
    all.filter(|act| !is_lost(ground, act))
        .filter(free)
        .collect()
}

/// What must be there for an act, a list for each way.
fn truths(
    ground: &Ground,
    act: &Act,
    shown: &BTreeMap<Record, usize>,
    enough: &BTreeMap<usize, usize>,
) -> Vec<Vec<usize>> {
    let mut ways = vec![Vec::new()];
    for need in act.asks() {
        let truths: Vec<usize> = match need {
            Need::Own(_) => continue,
            Need::Primary(_) => need
                .taken(ground)
                .iter()
                .filter_map(|it| shown.get(it).copied())
                .collect(),
            Need::Quorum(number) => enough.get(number).copied().into_iter().collect(),
        };
        let both = |way: &Vec<usize>| -> Vec<Vec<usize>> {
            let more = |truth: &usize| way.iter().copied().chain([*truth]).collect();
            truths.iter().map(more).collect()
        };
        ways = ways.iter().flat_map(both).collect();
    }
    ways
}
