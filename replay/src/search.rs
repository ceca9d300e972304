//! Exhaustive search over the replicas: the best value of a goal on a small instance.
//!
//! An oracle for the optimiser: untimed, one height, asynchronous network, free timers. It drives
//! the same replicas as a replay, so it shares no rule with the program either.
//!
//! # A step is "one replica acts after just the deliveries it needs"
//!
//! Letting every single delivery be a step explodes. Under the paper's rules every guard asks for
//! *at least* so many held messages, and negations look only at what the replica itself sent. So:
//!
//! * **Nothing is lost by delivering late.** Take any execution and look at its acts (broadcasts,
//!   views entered, decisions) in their order. Deliver to each replica, just before each of its
//!   acts, only a smallest set of what it held then that enables the act. Fewer held messages
//!   enable no other rule that had to fire before, so the same acts follow.
//! * **Nothing is gained by forgetting.** What a replica needed for an act stays held and might
//!   force a later one. Preparations and commits do not: the act they completed excludes every
//!   other that they could complete, and a request with one's own response is less than a quorum
//!   or acts at once. Change views do: those above the view entered are remembered.
//! * **Which of several equal senders** made a quorum full does not matter, except where a change
//!   view asks for a later view than was entered, or where it is remembered who got what from a
//!   faulty replica (goal `stall`): these choices are steps of their own.
//! * A decision by somebody else's `Block` adds no block, no certificate and no view, so it is not
//!   a step. It adds a message: where messages have a weight, whoever has not decided may adopt a
//!   block last of all, or not.
//!
//! A state is therefore what every replica sent, its view and the remembered change views. That
//! the argument is right is tested against searches in which every delivery is a step.
//!
//! # Goal `stall`
//!
//! A state is final in the sense of E19 if every live honest replica, after everything that live
//! honest ones sent and everything that any live one got from a faulty one, can do nothing, and
//! its timer can do nothing either. What a crashed replica sent may be lost unless a live one got
//! it: then recovery would hand it on, as it would a Byzantine replica's. A state in which
//! somebody decided counts 1, because its block decides everybody.

use crate::{
    Error,
    protocols::{Family, Output, Replica, Rules},
};
use milp_schema::{
    Height, Instance, Kind, Message, ReplicaId, View,
    instance::{Budget, Fault, FaultKind, Goal, Network, Sense, Timers, Who},
};
use std::collections::{BTreeMap, BTreeSet};

/// What an exhaustive search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The best value for the adversary; `None` if no state has one, that is, for `stall`, if none
    /// is final within the modelled views.
    pub value: Option<i64>,
    /// How many states there are.
    pub states: usize,
}

/// The best value of the instance's goal, which is any but `slow`.
///
/// # Errors
/// An instance outside of what is searched: more than one height, network faults, clocks, limits
/// on the adversary's acts, a quorum of Byzantine replicas for `finality`, more than 64 different
/// messages of a replica.
pub fn best(instance: &Instance) -> Result<Found, Error> {
    let space = Space::new(instance)?;
    let mut seen: BTreeSet<State> = space.initial().into_iter().collect();
    let mut open: Vec<State> = seen.iter().cloned().collect();
    let mut value = None;
    while let Some(state) = open.pop() {
        if let Some(here) = space.value(&state) {
            let better = if space.minimizes() {
                i64::min
            } else {
                i64::max
            };
            value = Some(value.map_or(here, |best| better(best, here)));
        }
        for next in space.next(&state) {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    Ok(Found {
        value,
        states: seen.len(),
    })
}

/// The state space of an instance, for any explorer.
#[derive(Debug, Clone)]
pub struct Space {
    rules: Rules,
    layout: Layout,
    goal: Goal,
    faults: Vec<Fault>,
}

/// A joint state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State(Vec<Seat>);

/// One replica's part of a joint state; sets are bits in the order of [`Layout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Seat {
    /// Byzantine, or may stop acting for good.
    faulty: bool,
    byzantine: bool,
    view: View,
    decided: Option<(View, u32)>,
    /// What it broadcast; a Byzantine replica may send everything it can sign.
    said: u64,
    /// Change views of others, above its view, that it was given.
    kept: u64,
    /// What live honest replicas got of it, if it is faulty and the goal asks.
    used: u64,
}

/// Which bit a message of a replica has: per view and block a request, a response and a commit,
/// then per view a change view. Kept change views have one bit per sender and view.
#[derive(Debug, Clone, Copy)]
struct Layout {
    replicas: u32,
    views: u32,
    blocks: u32,
}

impl Layout {
    fn vote(self, kind: &Kind, view: View, block: u32) -> u64 {
        let row = match *kind {
            Kind::PrepareRequest => 0,
            Kind::PrepareResponse => 1,
            Kind::Commit => 2,
            _ => unreachable!("{kind} is not a vote"),
        };
        1 << ((row * self.views + view.0) * self.blocks + block)
    }

    /// The change view sent in `view`, of target `view` + 1.
    fn change(self, view: View) -> u64 {
        1 << (3 * self.views * self.blocks + view.0)
    }

    fn kept(self, author: ReplicaId, view: View) -> u64 {
        1 << (author.0 * self.views + view.0)
    }

    fn bit(self, message: &Message) -> u64 {
        match message.index() {
            Some(block) => self.vote(&message.kind, message.view, block),
            None => self.change(message.view),
        }
    }

    fn fits(self) -> bool {
        (3 * self.blocks + 1) * self.views <= 64 && self.replicas * self.views <= 64
    }

    fn all_views(self) -> impl Iterator<Item = View> {
        View::all(self.views)
    }
}

fn message(kind: Kind, view: View, block: Option<u32>) -> Message {
    Message::new(kind, Height(0), view, block)
}

impl Space {
    /// The state space of the instance.
    ///
    /// # Errors
    /// As [`best`].
    pub fn new(instance: &Instance) -> Result<Self, Error> {
        let rules = Rules {
            recovery: false,
            ..Rules::of(instance)?
        };
        let layout = Layout {
            replicas: instance.replicas,
            views: instance.views,
            blocks: instance.blocks_per_proposal,
        };
        let goal = instance.goal;
        let network = instance.fault_count(FaultKind::Network) > 0;
        let bounded = matches!(instance.network, Network::Bounded { .. });
        let byzantine = instance.fault_count(FaultKind::Byzantine) as usize;
        let why = if instance.heights != 1 {
            "more than one height"
        } else if goal == Goal::Slow {
            "this goal"
        } else if network {
            "network faults"
        } else if bounded || instance.timers == Timers::Protocol {
            "a clock"
        } else if instance.budget != Budget::default() {
            "limits on the adversary's acts"
        } else if goal == Goal::Finality && byzantine >= rules.quorum() {
            "certificates of Byzantine replicas alone"
        } else if !layout.fits() {
            "so many views, blocks or replicas"
        } else {
            return Ok(Self {
                rules,
                layout,
                goal,
                faults: instance.faults.clone(),
            });
        };
        Err(Error::NotSearched { why })
    }

    /// The states an execution may begin with, one per choice of who is faulty.
    pub fn initial(&self) -> Vec<State> {
        let nobody: BTreeMap<ReplicaId, FaultKind> = BTreeMap::new();
        let mut choices = BTreeSet::from([nobody]);
        for fault in &self.faults {
            for _ in 0..fault.count() {
                let mut more = choices.clone();
                for chosen in &choices {
                    for id in ReplicaId::all(self.rules.replicas) {
                        let named = match &fault.who {
                            Who::Any(_) => true,
                            Who::These(these) => these.contains(&id),
                        };
                        if named && !chosen.contains_key(&id) {
                            let mut chosen = chosen.clone();
                            chosen.insert(id, fault.kind);
                            more.insert(chosen);
                        }
                    }
                }
                choices = more;
            }
        }
        choices
            .into_iter()
            .map(|faulty| self.start(&faulty))
            .collect()
    }

    fn start(&self, faulty: &BTreeMap<ReplicaId, FaultKind>) -> State {
        let seat = |id: ReplicaId| {
            let mut seat = Seat {
                faulty: faulty.contains_key(&id),
                byzantine: faulty.get(&id) == Some(&FaultKind::Byzantine),
                view: View(0),
                decided: None,
                said: 0,
                kept: 0,
                used: 0,
            };
            if seat.byzantine {
                seat.said = self.everything(id);
            }
            seat
        };
        State(ReplicaId::all(self.rules.replicas).map(seat).collect())
    }

    /// Everything a Byzantine replica can sign and somebody would listen to.
    fn everything(&self, id: ReplicaId) -> u64 {
        let mut said = 0;
        for view in self.layout.all_views() {
            said |= self.layout.change(view);
            for block in 0..self.layout.blocks {
                said |= self.layout.vote(&Kind::Commit, view, block);
                let primary = id == self.rules.primary(Height(0), view);
                let kind = if primary {
                    Kind::PrepareRequest
                } else {
                    Kind::PrepareResponse
                };
                said |= self.layout.vote(&kind, view, block);
            }
        }
        said
    }

    /// Every state that one act of one replica leads to.
    pub fn next(&self, state: &State) -> Vec<State> {
        let mut states = Vec::new();
        for id in ReplicaId::all(self.rules.replicas) {
            let seat = &state.0[id.index()];
            if seat.byzantine || seat.decided.is_some() {
                continue;
            }
            self.timer(state, id, &mut states);
            for block in 0..self.layout.blocks {
                for kinds in [
                    &[Kind::PrepareRequest][..],
                    &[Kind::PrepareRequest, Kind::PrepareResponse],
                    &[Kind::PrepareRequest, Kind::Commit],
                ] {
                    self.votes(state, id, block, kinds, &mut states);
                }
            }
            for view in (seat.view.0 + 1..self.layout.views).map(View) {
                self.change_views(state, id, view, &mut states);
            }
        }
        states
    }

    /// The timer fires.
    fn timer(&self, state: &State, id: ReplicaId, states: &mut Vec<State>) {
        let mut replica = self.replica(state, id);
        if replica.timeout_matters(&self.rules) {
            let mut out = Vec::new();
            replica.on_timeout(&self.rules, &mut out);
            states.extend(self.after(state, &replica, &out, &[]));
        }
    }

    /// Votes for a block of the replica's view are delivered until it acts, those of faulty
    /// replicas last.
    fn votes(
        &self,
        state: &State,
        id: ReplicaId,
        block: u32,
        kinds: &[Kind],
        states: &mut Vec<State>,
    ) {
        let view = state.0[id.index()].view;
        let mut copies: Vec<(ReplicaId, Message)> = Vec::new();
        for kind in kinds {
            let bit = self.layout.vote(kind, view, block);
            let mut senders: Vec<ReplicaId> = ReplicaId::all(self.rules.replicas)
                .filter(|from| *from != id && state.0[from.index()].said & bit != 0)
                .collect();
            senders.sort_by_key(|from| state.0[from.index()].faulty);
            let vote = message(*kind, view, Some(block));
            copies.extend(senders.into_iter().map(|from| (from, vote.clone())));
        }
        states.extend(self.give(state, id, &copies));
    }

    /// Change views are delivered that make a quorum for `view`: of each sender the earliest that
    /// asks for it, and every choice of senders that matters.
    fn change_views(&self, state: &State, id: ReplicaId, view: View, states: &mut Vec<State>) {
        let asks = |seat: &Seat, from: u32| {
            (from..self.layout.views)
                .map(View)
                .find(|&v| seat.said & self.layout.change(v) != 0)
        };
        let replica = self.replica(state, id);
        let held: BTreeSet<ReplicaId> = replica
            .change_views
            .iter()
            .filter(|(target, _)| *target >= view)
            .map(|&(_, author)| author)
            .collect();
        let Some(needed) = self.rules.quorum().checked_sub(held.len()) else {
            return;
        };
        let others: Vec<(ReplicaId, View)> = ReplicaId::all(self.rules.replicas)
            .filter(|from| *from != id && !held.contains(from))
            .filter_map(|from| Some((from, asks(&state.0[from.index()], view.0 - 1)?)))
            .collect();
        // Honest requests for just this view leave nothing behind, so no other choice does better.
        let plain: Vec<(ReplicaId, View)> = others
            .iter()
            .filter(|(from, v)| v.next() == view && !state.0[from.index()].faulty)
            .copied()
            .collect();
        let choices = if plain.len() >= needed {
            &plain[..needed]
        } else {
            &others[..]
        };
        for chosen in subsets(choices, needed) {
            let copies: Vec<(ReplicaId, Message)> = chosen
                .into_iter()
                .map(|(from, sent_in)| (from, message(Kind::ChangeView, sent_in, None)))
                .collect();
            states.extend(self.give(state, id, &copies));
        }
    }

    /// Delivers copies one by one until the replica acts; the state after the act.
    fn give(&self, state: &State, id: ReplicaId, copies: &[(ReplicaId, Message)]) -> Option<State> {
        let mut replica = self.replica(state, id);
        let mut out = Vec::new();
        for (count, (author, message)) in copies.iter().enumerate() {
            replica.on_receive(&self.rules, *author, message, false, &mut out);
            if !out.is_empty() {
                return self.after(state, &replica, &out, &copies[..=count]);
            }
        }
        None
    }

    /// The replica with what it sent and the change views it remembers, and nothing else held.
    fn replica(&self, state: &State, id: ReplicaId) -> Replica {
        let seat = &state.0[id.index()];
        let mut replica = Replica::new(id);
        replica.view = seat.view;
        for view in self.layout.all_views() {
            if seat.said & self.layout.change(view) != 0 {
                replica.change_views.insert((view.next(), id));
            }
            for from in ReplicaId::all(self.rules.replicas) {
                if seat.kept & self.layout.kept(from, view) != 0 {
                    replica.change_views.insert((view.next(), from));
                }
            }
            for block in 0..self.layout.blocks {
                let said = |kind| seat.said & self.layout.vote(&kind, view, block) != 0;
                if said(Kind::PrepareRequest) {
                    replica.requests.insert((view, block));
                }
                if said(Kind::PrepareResponse) {
                    replica.responses.insert((view, block, id));
                }
                if said(Kind::Commit) {
                    replica.commits.insert((view, block, id));
                }
            }
        }
        replica
    }

    /// The joint state after a replica's act; `None` if it left the modelled views.
    fn after(
        &self,
        state: &State,
        replica: &Replica,
        out: &[Output],
        given: &[(ReplicaId, Message)],
    ) -> Option<State> {
        let mut state = state.clone();
        for (author, message) in given {
            let seat = &mut state.0[author.index()];
            if self.goal == Goal::Stall && seat.faulty {
                seat.used |= self.layout.bit(message);
            }
        }
        let seat = &mut state.0[replica.me.index()];
        for output in out {
            match output {
                Output::Send(message) if message.kind == Kind::Block => {}
                Output::Send(message) => seat.said |= self.layout.bit(message),
                Output::EnterView(view) if view.0 >= self.layout.views => return None,
                Output::EnterView(view) => seat.view = *view,
                Output::Decide(block) => seat.decided = Some((block.view, block.index)),
                Output::Recover { .. } => unreachable!("recovery is switched off"),
            }
        }
        let above = replica.change_views.iter().filter(|(target, author)| {
            *target > replica.view && *author != replica.me && seat.decided.is_none()
        });
        seat.kept = above.fold(0, |kept, &(target, author)| {
            kept | self.layout.kept(author, View(target.0 - 1))
        });
        Some(state)
    }

    /// The value of the goal in a state, if the state has one.
    pub fn value(&self, state: &State) -> Option<i64> {
        let honest = || state.0.iter().filter(|seat| !seat.byzantine);
        let decided: BTreeSet<(View, u32)> = honest().filter_map(|seat| seat.decided).collect();
        let highest = honest().map(|seat| i64::from(seat.view.0) + 1).max();
        let highest = highest.unwrap_or(1);
        match self.goal {
            Goal::Fork => Some(decided.len() as i64),
            Goal::Views => Some(highest),
            Goal::Finality => Some(i64::from(self.certificates(state))),
            Goal::Weighted {
                blocks,
                views,
                messages,
                ..
            } => {
                let sum = blocks * decided.len() as i64 + views * highest;
                Some(sum + self.weight_of_messages(state, messages))
            }
            _ if !decided.is_empty() => Some(1),
            _ => self.is_final(state).then_some(0),
        }
    }

    /// Whether a smaller value is better for the adversary.
    fn minimizes(&self) -> bool {
        match self.goal {
            Goal::Stall => true,
            Goal::Weighted { sense, .. } => sense == Sense::Minimize,
            _ => false,
        }
    }

    /// What the honest broadcasts weigh, blocks included; whoever has not decided adopts a block
    /// if there is one and the adversary is better off.
    fn weight_of_messages(&self, state: &State, weight: i64) -> i64 {
        let honest = || state.0.iter().filter(|seat| !seat.byzantine);
        let sent: u32 = honest().map(|seat| seat.said.count_ones()).sum();
        let decided = honest().filter(|seat| seat.decided.is_some()).count();
        let adopt = decided > 0
            && if self.minimizes() {
                weight < 0
            } else {
                weight > 0
            };
        let blocks = if adopt { honest().count() } else { decided };
        weight * (i64::from(sent) + blocks as i64)
    }

    /// Blocks for which honest votes and Byzantine replicas make a quorum.
    fn certificates(&self, state: &State) -> u32 {
        let kinds = match self.rules.family {
            Family::Dbft1 => &[Kind::PrepareRequest, Kind::PrepareResponse][..],
            Family::Dbft2 => &[Kind::Commit],
        };
        let mut count = 0;
        for view in self.layout.all_views() {
            for block in 0..self.layout.blocks {
                let bits = kinds
                    .iter()
                    .fold(0, |bits, kind| bits | self.layout.vote(kind, view, block));
                let honest = |seat: &&Seat| !seat.byzantine && seat.said & bits != 0;
                let votes = state.0.iter().filter(honest).count();
                let byzantine = state.0.iter().filter(|seat| seat.byzantine).count();
                count += u32::from(votes > 0 && votes + byzantine >= self.rules.quorum());
            }
        }
        count
    }

    /// E19 for a state in which nobody decided.
    fn is_final(&self, state: &State) -> bool {
        let shared = |seat: &Seat| {
            if seat.faulty { seat.used } else { seat.said }
        };
        let last = self.layout.change(View(self.layout.views - 1));
        let leaving = state
            .0
            .iter()
            .filter(|seat| shared(seat) & last != 0)
            .count();
        leaving < self.rules.quorum()
            && ReplicaId::all(self.rules.replicas)
                .filter(|id| !state.0[id.index()].faulty)
                .all(|id| self.is_quiet(state, id, &shared))
    }

    /// Whether a live replica, given everything that is shared, does nothing, timer included.
    fn is_quiet(&self, state: &State, id: ReplicaId, shared: &dyn Fn(&Seat) -> u64) -> bool {
        let mut replica = self.replica(state, id);
        let mut out = Vec::new();
        for from in ReplicaId::all(self.rules.replicas).filter(|from| *from != id) {
            let said = shared(&state.0[from.index()]);
            for message in self.messages(said) {
                // What is ahead waits for a view that is never entered if nothing happens.
                if replica.position(&message) == crate::protocols::Position::Here {
                    replica.on_receive(&self.rules, from, &message, false, &mut out);
                }
            }
        }
        out.is_empty() && !replica.timeout_matters(&self.rules)
    }

    /// The messages of a set of bits.
    fn messages(&self, said: u64) -> Vec<Message> {
        let mut messages = Vec::new();
        for view in self.layout.all_views() {
            messages.push(message(Kind::ChangeView, view, None));
            for block in 0..self.layout.blocks {
                for kind in [Kind::PrepareRequest, Kind::PrepareResponse, Kind::Commit] {
                    messages.push(message(kind, view, Some(block)));
                }
            }
        }
        messages.retain(|message| said & self.layout.bit(message) != 0);
        messages
    }
}

/// All choices of `count` elements, in order.
fn subsets<T: Copy>(items: &[T], count: usize) -> Vec<Vec<T>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, &first) in items.iter().enumerate() {
        for mut rest in subsets(&items[index + 1..], count - 1) {
            rest.insert(0, first);
            all.push(rest);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    //! The partial-order argument against searches in which every single delivery is a step.

    use super::*;
    use crate::protocols::{Position, Switches};

    /// What two searches are compared in: per replica its view, what it decided and what it sent.
    type Acts = Vec<(View, Option<(View, u32)>, u64)>;

    /// Replica 0 is Byzantine and may propose two blocks, if `byzantine`.
    fn space(
        family: Family,
        replicas: u32,
        views: u32,
        small_quorum: bool,
        byzantine: bool,
    ) -> Space {
        let switches = Switches {
            small_quorum,
            ..Switches::default()
        };
        let rules = Rules {
            family,
            switches,
            replicas,
            heights: 1,
            recovery: false,
        };
        let blocks = 1 + u32::from(byzantine);
        let layout = Layout {
            replicas,
            views,
            blocks,
        };
        let (kind, who) = (FaultKind::Byzantine, Who::These(vec![ReplicaId(0)]));
        let faults = if byzantine {
            vec![Fault { kind, who }]
        } else {
            Vec::new()
        };
        Space {
            rules,
            layout,
            goal: Goal::Fork,
            faults,
        }
    }

    /// Everything reachable by steps of one replica acting after just what it needs.
    fn by_acts(space: &Space) -> BTreeSet<Acts> {
        // The last choice is the one with every fault there may be.
        let mut open: Vec<State> = space.initial().into_iter().rev().take(1).collect();
        let mut seen: BTreeSet<State> = open.iter().cloned().collect();
        while let Some(state) = open.pop() {
            for next in space.next(&state) {
                if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        let acts = |seat: &Seat| (seat.view, seat.decided, seat.said);
        seen.iter()
            .map(|state| state.0.iter().map(acts).collect())
            .collect()
    }

    /// One replica with everything it holds, and what it sent even after it decided.
    type Whole = (Replica, u64);

    /// Everything reachable by steps of one delivery or one timer; blocks are never delivered.
    fn by_deliveries(space: &Space) -> (BTreeSet<Acts>, usize) {
        let ids = || ReplicaId::all(space.rules.replicas);
        let byzantine = |id: ReplicaId| id.0 == 0 && !space.faults.is_empty();
        let said = |id| {
            if byzantine(id) {
                space.everything(id)
            } else {
                0
            }
        };
        let start: Vec<Whole> = ids().map(|id| (Replica::new(id), said(id))).collect();
        let mut seen = BTreeSet::from([start.clone()]);
        let mut open = vec![start];
        while let Some(state) = open.pop() {
            for id in ids().filter(|id| !byzantine(*id)) {
                let (replica, _) = &state[id.index()];
                let mut steps: Vec<(Replica, Vec<Output>)> = Vec::new();
                if replica.timeout_matters(&space.rules) {
                    let (mut replica, mut out) = (replica.clone(), Vec::new());
                    replica.on_timeout(&space.rules, &mut out);
                    steps.push((replica, out));
                }
                for from in ids().filter(|from| *from != id) {
                    for message in space.messages(state[from.index()].1) {
                        if replica.position(&message) == Position::Here {
                            let (mut replica, mut out) = (replica.clone(), Vec::new());
                            replica.on_receive(&space.rules, from, &message, false, &mut out);
                            steps.push((replica, out));
                        }
                    }
                }
                for (replica, out) in steps {
                    let next = whole(space, &state, id, replica, &out);
                    if let Some(next) = next
                        && seen.insert(next.clone())
                    {
                        open.push(next);
                    }
                }
            }
        }
        let decided = |replica: &Replica| replica.decided.first().map(|b| (b.view, b.index));
        let view = |replica: &Replica| decided(replica).map_or(replica.view, |(view, _)| view);
        let acts = |(replica, said): &Whole| (view(replica), decided(replica), *said);
        let projected = seen
            .iter()
            .map(|state| state.iter().map(acts).collect())
            .collect();
        (projected, seen.len())
    }

    fn whole(
        space: &Space,
        state: &[Whole],
        id: ReplicaId,
        replica: Replica,
        out: &[Output],
    ) -> Option<Vec<Whole>> {
        let mut next = state.to_vec();
        let said = &mut next[id.index()].1;
        for output in out {
            match output {
                Output::EnterView(view) if view.0 >= space.layout.views => return None,
                Output::Send(message) if message.kind != Kind::Block => {
                    *said |= space.layout.bit(message);
                }
                _ => {}
            }
        }
        next[id.index()].0 = replica;
        Some(next)
    }

    #[test]
    fn acting_after_just_what_is_needed_reaches_the_same_acts_as_single_deliveries() {
        for (family, replicas, views, small_quorum, byzantine) in [
            (Family::Dbft1, 3, 1, false, false),
            (Family::Dbft1, 2, 3, false, false),
            (Family::Dbft1, 3, 2, true, false),
            (Family::Dbft1, 3, 1, true, true),
            (Family::Dbft2, 3, 1, false, false),
            (Family::Dbft2, 3, 1, true, false),
            (Family::Dbft2, 2, 2, false, false),
            (Family::Dbft2, 2, 3, false, false),
            (Family::Dbft2, 3, 1, true, true),
        ] {
            let space = space(family, replicas, views, small_quorum, byzantine);
            let acts = by_acts(&space);
            let (deliveries, states) = by_deliveries(&space);
            let name = format!(
                "{family:?}, {replicas} replicas, {views} views, small quorum {small_quorum}, \
                 byzantine {byzantine}"
            );
            eprintln!("{name}: {} by acts, {states} by deliveries", acts.len());
            assert!(acts.len() > 5, "{name}");
            assert_eq!(acts, deliveries, "{name}");
        }
    }
}
