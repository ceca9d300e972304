//! What one honest replica may do: the states it may pass and the steps between them.
//!
//! A replica takes steps by ascending level (`ground`), so that its way is a path, and of its past a
//! state keeps what guards of later levels say of it: two pasts of which all later guards say the
//! same lead to the same state.

use crate::ground::{Act, Ground, Need, Own, Record, Value, run::holds};
use milp_schema::protocol::Scope;
use std::collections::{BTreeMap, BTreeSet};

/// A state: where a replica stands, and what later guards say of its past.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) view: u32,
    place: (u32, usize),
    pub(super) own: Vec<Record>,
}

/// A step.
#[derive(Debug, Clone)]
pub(super) struct Arc {
    pub(super) from: usize,
    /// None where the replica has decided and does nothing more.
    pub(super) to: Option<usize>,
    /// The number of the act, or of the entry.
    pub(super) act: usize,
    pub(super) enters: bool,
    /// What it makes.
    pub(super) makes: Option<Record>,
    /// What others must have sent.
    pub(super) needs: BTreeSet<Need>,
    /// The quorums in which the replica counts from here on.
    pub(super) counts: Vec<usize>,
}

/// All states and steps of a replica; state 0 is the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Walk {
    pub(super) nodes: Vec<Node>,
    pub(super) arcs: Vec<Arc>,
}

/// What is asked of the past, and the last level at which it is.
struct Asked {
    guards: BTreeMap<Own, (u32, usize)>,
}

impl Asked {
    /// Where replicas rest in a view, all of its acts ask until it ends, and whether their records
    /// are made.
    fn of(ground: &Ground, i: u32, rests: bool) -> Self {
        let mut guards = BTreeMap::<Own, (u32, usize)>::new();
        let mut ask = |own: Own, (view, place): (u32, usize)| {
            let level = (view, if rests { usize::MAX } else { place });
            let last = guards.entry(own).or_insert(level);
            *last = level.max(*last);
        };
        for act in acts(ground, i)
            .map(|(_, act)| act)
            .chain(entries(ground, i).map(|it| it.1))
        {
            let level = level(ground, act);
            if let Some(record) = act.makes.filter(|_| rests) {
                ask(Own::One(of_place(ground, &record)), level);
            }
            act.asks().for_each(|need| {
                if let Need::Own(own) = need {
                    ask(own.clone(), level);
                }
            });
            act.bars.iter().for_each(|bar| ask(bar.clone(), level));
            for quorum in &ground.quorums {
                if let Some(record) = act.makes
                    && quorum.records.binary_search(&record).is_ok()
                {
                    ask(Own::One(quorum.records.clone()), level);
                }
            }
        }
        Self { guards }
    }

    /// What guards of later levels say of a past.
    fn answers(&self, own: &[Record], place: (u32, usize)) -> Vec<u8> {
        let later = self.guards.iter().filter(|(_, level)| **level > place);
        later.map(|(guard, _)| answer(own, guard)).collect()
    }
}

fn answer(own: &[Record], guard: &Own) -> u8 {
    if holds(own, guard) {
        return 1;
    }
    match guard {
        Own::One(_) => 0,
        Own::Last(_, rest) => {
            let read =
                |it: &Record| matches!(it.value, Value::Of(_)) && rest.binary_search(it).is_ok();
            2 * u8::from(own.iter().any(read))
        }
    }
}

/// The records of the kind and view of one that can be made.
pub(super) fn of_place(ground: &Ground, record: &Record) -> Vec<Record> {
    let made = ground.acts.iter().filter_map(|it| it.makes);
    let same = made.filter(|it| (it.kind, it.view) == (record.kind, record.view));
    let same: BTreeSet<Record> = same.collect();
    same.into_iter().collect()
}

/// Where an act stands; what is entered comes before all that is done there.
fn level(ground: &Ground, act: &Act) -> (u32, usize) {
    act.makes.map_or((act.letters.v, 0), |it| ground.place(&it))
}

/// The acts of a view that a replica can do.
pub(super) fn acts(ground: &Ground, i: u32) -> impl Iterator<Item = (usize, &Act)> {
    let all = ground.acts.iter().enumerate();
    let own = move |it: &(usize, &Act)| has_role(ground, it.1, i);
    all.filter(|(_, act)| act.scope == Scope::View).filter(own)
}

fn entries(ground: &Ground, i: u32) -> impl Iterator<Item = (usize, &Act)> {
    let inside = |it: &(usize, &Act)| it.1.letters.v < ground.setting.views;
    let own = move |it: &(usize, &Act)| has_role(ground, it.1, i);
    ground.entries.iter().enumerate().filter(inside).filter(own)
}

/// The ways of a replica into views, that after the last included.
pub(super) fn entries_of(ground: &Ground, i: u32) -> impl Iterator<Item = &Act> {
    let own = move |it: &&Act| has_role(ground, it, i);
    ground.entries.iter().filter(own)
}

/// Whether a replica has the roles that an act asks for.
fn has_role(ground: &Ground, act: &Act, i: u32) -> bool {
    let mut roles = act.who.iter();
    roles.all(|&(role, view)| ground.setting.has_role(role, view, i))
}

impl Walk {
    /// What replica i may do; whether it may come to rest in any view.
    pub(super) fn of(ground: &Ground, i: u32, rests: bool) -> Self {
        let asked = Asked::of(ground, i, rests);
        let mut walk = Self::default();
        let mut known = BTreeMap::new();
        let mut name = |walk: &mut Self, view: u32, place, own: Vec<Record>| {
            let key = (view, place, asked.answers(&own, place));
            *known.entry(key).or_insert_with(|| {
                walk.nodes.push(Node { view, place, own });
                walk.nodes.len() - 1
            })
        };
        name(&mut walk, 0, (0, 0), Vec::new());
        let mut at = 0;
        while at < walk.nodes.len() {
            let Node { view, place, own } = walk.nodes[at].clone();
            for (act, it) in acts(ground, i) {
                let Some(record) = it.makes.filter(|_| it.letters.v == view) else {
                    continue;
                };
                let there = ground.place(&record);
                if there <= place || !allows(&own, it) {
                    continue;
                }
                let stops = ground.is_final(record.kind) && !ground.setting.rules.chain;
                let to = (!stops).then(|| {
                    let mut own = own.clone();
                    own.push(record);
                    name(&mut walk, view, there, own)
                });
                walk.step(ground, (at, to), (act, it), &own);
            }
            for (way, it) in entries(ground, i) {
                if it.letters.v == view + 1 && allows(&own, it) {
                    let to = name(&mut walk, view + 1, (view + 1, 0), own.clone());
                    walk.step(ground, (at, Some(to)), (way, it), &own);
                }
            }
            at += 1;
        }
        walk
    }

    /// The states in which a view is begun.
    pub(super) fn starts(&self, view: u32) -> impl Iterator<Item = usize> {
        let nodes = self.nodes.iter().enumerate();
        let starts = nodes.filter(move |(_, it)| it.view == view && it.place == (view, 0));
        starts.map(|(at, _)| at)
    }

    /// What was made in a view on the way to a state.
    pub(super) fn done(&self, node: usize, view: u32) -> Vec<Record> {
        let own = self.nodes[node].own.iter();
        own.filter(|it| it.view == view).copied().collect()
    }

    fn step(
        &mut self,
        ground: &Ground,
        (from, to): (usize, Option<usize>),
        (act, it): (usize, &Act),
        own: &[Record],
    ) {
        let others = it.asks().filter(|need| !matches!(need, Need::Own(_)));
        let counts = ground.quorums.iter().enumerate().filter(|(_, quorum)| {
            let within = |record: &Record| quorum.records.binary_search(record).is_ok();
            it.makes.as_ref().is_some_and(within) && !own.iter().any(within)
        });
        self.arcs.push(Arc {
            from,
            to,
            act,
            enters: it.makes.is_none(),
            makes: it.makes,
            needs: others.cloned().collect(),
            counts: counts.map(|(number, _)| number).collect(),
        });
    }
}

/// Whether its own past lets a replica do an act.
pub(super) fn allows(own: &[Record], act: &Act) -> bool {
    let met = |need: &Need| match need {
        Need::Own(guard) => holds(own, guard),
        Need::Primary(_) | Need::Quorum(_) => true,
    };
    act.asks().all(met) && !act.bars.iter().any(|bar| holds(own, bar))
}
