//! All honest replicas of a search together.

use super::{
    Searched,
    local::{Local, Locals},
    step::{Said, Step},
    table::Table,
};
use crate::{
    Error,
    engine::EngineError,
    interpreter::{Setup, replica::Record},
};
use milp_schema::{Height, Instance, ReplicaId, Value, View, instance::Goal, protocol::Number};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Renames replicas that have the same part in every view, and the values of a Byzantine primary.
#[derive(Debug, Clone)]
pub(super) struct Renaming {
    pub(super) replicas: Vec<ReplicaId>,
    /// The views whose first two values change places.
    swapped: BTreeSet<View>,
    /// Where the bit of each record goes.
    bits: Vec<usize>,
}

/// What a step of a replica is, replicas and their states by number.
#[derive(Debug)]
struct Move {
    needs: Vec<(usize, u128)>,
    names: Vec<(usize, u128)>,
    to: u32,
    entered: u32,
}

/// The states of a choice of who is Byzantine.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) locals: Locals,
    /// What one act of a replica leads to.
    pub(super) steps: fn(&mut Locals, &Local) -> Result<Vec<Step>, EngineError>,
    goal: Goal,
    pub(super) honest: Vec<ReplicaId>,
    /// States of single replicas by number.
    pub(super) known: Vec<Local>,
    numbers: BTreeMap<Local, u32>,
    said: Vec<u128>,
    decided: Vec<u32>,
    moves: Vec<Option<Arc<[Move]>>>,
    pub(super) renamings: Vec<Renaming>,
    /// What each state is called by each renaming.
    images: Vec<Option<Arc<[u32]>>>,
    /// The records that make a value final together, and of which value.
    ballots: Vec<(Value, u128)>,
}

impl Space {
    pub(super) fn new(
        instance: &Instance,
        setup: &Arc<Setup>,
        byzantine: BTreeSet<ReplicaId>,
    ) -> Result<Self, Error> {
        let sizes = [instance.views, instance.blocks_per_proposal.max(2)];
        let honest = ReplicaId::all(instance.replicas).filter(|id| !byzantine.contains(id));
        let honest: Vec<ReplicaId> = honest.collect();
        let (table, world) = Table::new(setup, sizes, byzantine);
        if table.records.len() > 128 {
            return Err(Error::NotSearched {
                why: "so many messages",
            });
        }
        let mut space = Self {
            renamings: renamings(&table, &honest),
            ballots: ballots(&table),
            locals: Locals {
                table,
                world,
                views: instance.goal == Goal::Views,
                known: BTreeMap::new(),
            },
            steps: Locals::steps,
            goal: instance.goal,
            honest,
            known: Vec::new(),
            numbers: BTreeMap::new(),
            said: Vec::new(),
            decided: Vec::new(),
            moves: Vec::new(),
            images: Vec::new(),
        };
        for id in space.honest.clone() {
            let start = space.locals.start(id)?.ok_or(Error::NotSearched {
                why: "replicas that leave the views as they start",
            })?;
            space.number(start.to)?;
        }
        Ok(space)
    }

    fn number(&mut self, local: Local) -> Result<u32, Error> {
        if let Some(number) = self.numbers.get(&local) {
            return Ok(*number);
        }
        let number = self.known.len() as u32;
        if u64::from(number) >> self.bits() > 0 {
            return Err(Error::NotSearched {
                why: "so many states of a replica",
            });
        }
        self.said.push(local.said);
        let values = &self.locals.table.values;
        let decided = local
            .decided
            .and_then(|value| values.iter().position(|it| *it == value));
        self.decided.push(decided.map_or(0, |value| 1 << value));
        self.moves.push(None);
        self.images.push(None);
        self.known.push(local.clone());
        self.numbers.insert(local, number);
        Ok(number)
    }

    /// How many bits of a joint state stand for a replica's.
    fn bits(&self) -> usize {
        (128 / self.honest.len().max(1)).min(32)
    }

    fn moves(&mut self, number: u32) -> Result<Arc<[Move]>, Error> {
        if let Some(moves) = &self.moves[number as usize] {
            return Ok(Arc::clone(moves));
        }
        let local = self.known[number as usize].clone();
        let steps = (self.steps)(&mut self.locals, &local)?;
        let seat = |(id, bits): Said| {
            (
                self.honest.iter().position(|it| *it == id).expect("honest"),
                bits,
            )
        };
        let seats: Vec<_> = steps
            .iter()
            .map(|step| {
                let needs = step
                    .needs
                    .iter()
                    .map(|(id, bits)| seat((*id, *bits)))
                    .collect();
                (needs, step.names.iter().copied().map(seat).collect())
            })
            .collect();
        let mut moves = Vec::new();
        for (Step { to, entered, .. }, (needs, names)) in steps.into_iter().zip(seats) {
            let to = self.number(to)?;
            moves.push(Move {
                needs,
                names,
                to,
                entered,
            });
        }
        let moves: Arc<[Move]> = moves.into();
        self.moves[number as usize] = Some(Arc::clone(&moves));
        Ok(moves)
    }

    fn images(&mut self, number: u32) -> Result<Arc<[u32]>, Error> {
        if let Some(images) = &self.images[number as usize] {
            return Ok(Arc::clone(images));
        }
        let local = self.known[number as usize].clone();
        let mut images = Vec::new();
        for place in 0..self.renamings.len() {
            let renamed = self.renamings[place].local(&local);
            images.push(self.number(renamed)?);
        }
        let images: Arc<[u32]> = images.into();
        self.images[number as usize] = Some(Arc::clone(&images));
        Ok(images)
    }

    /// The least of the names of a state, as one number.
    fn canonical(&mut self, state: &[u32]) -> Result<u128, Error> {
        let bits = self.bits();
        let pack = |state: &[u32]| {
            state
                .iter()
                .fold(0, |all, it| all << bits | u128::from(*it))
        };
        if self.renamings.len() == 1 {
            return Ok(pack(state));
        }
        let images = state.iter().map(|it| self.images(*it));
        let images: Vec<Arc<[u32]>> = images.collect::<Result<_, _>>()?;
        let mut least = u128::MAX;
        let mut renamed = vec![0; state.len()];
        for (place, renaming) in self.renamings.iter().enumerate() {
            for (seat, id) in self.honest.iter().enumerate() {
                let to = renaming.replicas[id.index()];
                let to = self.honest.iter().position(|it| *it == to).expect("honest");
                renamed[to] = images[seat][place];
            }
            least = least.min(pack(&renamed));
        }
        Ok(least)
    }

    pub(super) fn unpack(&self, mut packed: u128) -> Vec<u32> {
        let bits = self.bits();
        let mut state = vec![0; self.honest.len()];
        for seat in state.iter_mut().rev() {
            *seat = (packed & ((1 << bits) - 1)) as u32;
            packed >>= bits;
        }
        state
    }

    /// Every state that can be reached, depth first.
    pub(super) fn explore(
        &mut self,
        limit: usize,
        found: &mut Searched,
    ) -> Result<BTreeSet<u128>, Error> {
        let start: Vec<u32> = (0..self.honest.len() as u32).collect();
        let start = self.canonical(&start)?;
        let mut seen = BTreeSet::from([start]);
        let mut open = vec![start];
        if self.goal == Goal::Views {
            found.value = found.value.max(1);
        }
        while let Some(packed) = open.pop() {
            let state = self.unpack(packed);
            if self.goal != Goal::Views {
                found.value = found.value.max(self.value(&state));
            }
            found.waiting = found.waiting.max(open.len());
            for seat in 0..state.len() {
                let moves = self.moves(state[seat])?;
                for step in moves.iter() {
                    if !self.can(&state, step) {
                        continue;
                    }
                    if self.goal == Goal::Views {
                        found.value = found.value.max(i64::from(step.entered) + 1);
                    }
                    let mut next = state.clone();
                    next[seat] = step.to;
                    let next = self.canonical(&next)?;
                    if seen.contains(&next) {
                        continue;
                    }
                    if found.states + seen.len() >= limit {
                        found.complete = false;
                        continue;
                    }
                    seen.insert(next);
                    open.push(next);
                }
            }
        }
        found.states += seen.len();
        found.replicas += self.known.len();
        Ok(seen)
    }

    fn can(&self, state: &[u32], step: &Move) -> bool {
        let said = |seat: usize| self.said[state[seat] as usize];
        step.needs
            .iter()
            .all(|(seat, all)| said(*seat) & all == *all)
            && step.names.iter().all(|(seat, any)| said(*seat) & any != 0)
    }

    fn value(&self, state: &[u32]) -> i64 {
        if self.goal == Goal::Fork {
            let decided = state
                .iter()
                .fold(0, |all, it| all | self.decided[*it as usize]);
            return i64::from(decided.count_ones());
        }
        let setup = &self.locals.table.setup;
        let byzantine = self.locals.table.byzantine.iter();
        let byzantine: u32 = byzantine.map(|id| setup.power[id.index()]).sum();
        let quorum = setup.needs(&Number::Named("q".to_owned()));
        let mut certified = BTreeSet::new();
        for (value, bits) in &self.ballots {
            let votes = state.iter().zip(&self.honest);
            let votes = votes.filter(|(it, _)| self.said[**it as usize] & bits != 0);
            let votes: u32 = votes.map(|(_, id)| setup.power[id.index()]).sum();
            if votes > 0 && votes + byzantine >= quorum {
                certified.insert(*value);
            }
        }
        certified.len() as i64
    }
}

/// Of each view and value, the records of kinds that make a value final.
fn ballots(table: &Table) -> Vec<(Value, u128)> {
    let mut ballots: BTreeMap<(View, Value), u128> = BTreeMap::new();
    for (bit, record) in table.records.iter().enumerate() {
        let kind = table.setup.kinds[record.kind.0];
        let counts = kind.is_some_and(|kind| kind.does().is_final);
        if let Some(value @ Value::Block { .. }) = record.value.filter(|_| counts) {
            *ballots.entry((record.view, value)).or_default() |= 1 << bit;
        }
    }
    ballots
        .into_iter()
        .map(|((_, value), bits)| (value, bits))
        .collect()
}

/// All renamings, the one that changes nothing among them.
fn renamings(table: &Table, honest: &[ReplicaId]) -> Vec<Renaming> {
    let setup = &table.setup;
    let primary = |view| setup.primary(Height(0), view);
    let leads = |id: ReplicaId| View::all(table.views).any(|view| primary(view) == id);
    let alike = |one: ReplicaId, other: ReplicaId| {
        one == other
            || !leads(one)
                && !leads(other)
                && setup.power[one.index()] == setup.power[other.index()]
    };
    let mut orders: Vec<Vec<ReplicaId>> = vec![Vec::new()];
    for id in ReplicaId::all(setup.replicas) {
        let byzantine = table.byzantine.contains(&id);
        let with = |order: &Vec<ReplicaId>| {
            let all: Vec<ReplicaId> = if byzantine { vec![id] } else { honest.to_vec() };
            let next = all
                .into_iter()
                .filter(|to| !order.contains(to) && alike(id, *to));
            next.map(|to| [order.as_slice(), &[to]].concat())
                .collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(with).collect();
    }
    let mut swaps: Vec<BTreeSet<View>> = vec![BTreeSet::new()];
    for view in View::all(table.views).filter(|view| table.byzantine.contains(&primary(*view))) {
        let with = |swap: &BTreeSet<View>| swap.iter().copied().chain([view]).collect();
        let more: Vec<BTreeSet<View>> = swaps.iter().map(with).collect();
        swaps.extend(more);
    }
    let mut all = Vec::new();
    for replicas in orders {
        for swapped in &swaps {
            let mut renaming = Renaming {
                replicas: replicas.clone(),
                swapped: swapped.clone(),
                bits: Vec::new(),
            };
            let bits = table.records.iter().map(|record| {
                table
                    .records
                    .binary_search(&renaming.record(*record))
                    .expect("a record by another name")
            });
            renaming.bits = bits.collect();
            all.push(renaming);
        }
    }
    all
}

impl Renaming {
    fn value(&self, value: Value) -> Value {
        match value {
            Value::Block { view, index } if index < 2 && self.swapped.contains(&view) => {
                Value::Block {
                    view,
                    index: 1 - index,
                }
            }
            value => value,
        }
    }

    fn record(&self, record: Record) -> Record {
        Record {
            value: record.value.map(|value| self.value(value)),
            ..record
        }
    }

    pub(super) fn local(&self, local: &Local) -> Local {
        let mut to = local.clone();
        to.replica.me = self.replicas[local.replica.me.index()];
        let own = local.replica.own.iter();
        to.replica.own = own.map(|record| self.record(*record)).collect();
        let taken = local.replica.taken.iter().map(|it| {
            let mut it = *it;
            it.record = self.record(it.record);
            it.sender = self.replicas[it.sender.index()];
            it
        });
        to.replica.taken = taken.collect();
        to.said = (0..self.bits.len())
            .filter(|bit| local.said >> bit & 1 == 1)
            .fold(0, |all, bit| all | 1 << self.bits[bit]);
        to.decided = local.decided.map(|value| self.value(value));
        to
    }
}
