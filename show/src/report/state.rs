//! What each replica knows at the end of each slot, and how far each quorum is.

use super::{run::Run, words};
use milp_schema::{
    BlockId, Height, Kind, Message, ReplicaId, View,
    trace::{TraceEvent, What},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Votes for one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// What is voted for.
    pub what: String,
    /// From whom the replica has a vote, itself included.
    pub who: Vec<u32>,
    /// How many are needed.
    pub need: u32,
}

/// What one replica has at the end of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct State {
    /// Where it is and what binds it, in a few words each.
    pub words: Vec<String>,
    /// Every tally with at least one vote at its height.
    pub tallies: Vec<Tally>,
}

/// The states of each replica: the slot at whose end one begins, and the state, ascending.
pub type History = Vec<Vec<(u32, State)>>;

/// What a replica has been handed and has done.
#[derive(Debug, Default)]
struct Seat {
    height: u32,
    view: u32,
    down: bool,
    asked: Option<View>,
    committed: Option<BlockId>,
    decided: Vec<BlockId>,
    /// Senders by what they vote for.
    votes: BTreeMap<(u8, String), BTreeSet<u32>>,
    /// The highest view each sender asked for at the height.
    asks: BTreeMap<u32, u32>,
}

/// The state of every replica after each slot in which it changes.
pub fn history(run: &Run) -> History {
    let n = run.instance.replicas;
    let mut seats = (0..n).map(|_| Seat::default()).collect::<Vec<_>>();
    let mut history: History = vec![Vec::new(); n as usize];
    let last = run.trace.iter().map(|event| event.slot.0).max();
    let mut rest = run.trace.as_slice();
    let mut pool: Vec<&TraceEvent> = Vec::new();
    for slot in 0..=last.unwrap_or_default() {
        for event in pool.drain(..) {
            hear(run, &mut seats, event);
        }
        let here = rest.iter().take_while(|event| event.slot.0 <= slot).count();
        let (now, later) = rest.split_at(here);
        rest = later;
        for event in now {
            seats[event.replica.index()].apply(event);
            if run.is_pool() && words::is_sending(event.what) {
                pool.push(event);
            }
        }
        for replica in ReplicaId::all(n) {
            let state = seats[replica.index()].state(run, replica);
            let states = &mut history[replica.index()];
            if states.last().is_none_or(|(_, known)| *known != state) {
                states.push((slot, state));
            }
        }
    }
    history
}

/// The state at the end of a slot.
pub fn at(states: &[(u32, State)], slot: u32) -> Option<&State> {
    let past = states.iter().rev();
    past.map(|(from, state)| (*from, state))
        .find(|(from, _)| *from <= slot)
        .map(|(_, state)| state)
}

/// What lies in the pool is had by all (E26).
fn hear(run: &Run, seats: &mut [Seat], event: &TraceEvent) {
    for replica in ReplicaId::all(run.instance.replicas) {
        if let Some(message) = &event.message {
            seats[replica.index()].count(event.replica, message);
        }
    }
}

impl Seat {
    fn apply(&mut self, event: &TraceEvent) {
        let message = event.message.as_ref();
        match (event.what, message) {
            (What::Deliver | What::HandOver, Some(message)) => {
                if let Some(peer) = event.peer {
                    self.count(peer, message);
                }
            }
            (What::Send, Some(message)) => {
                self.count(event.replica, message);
                match message.kind {
                    Kind::ChangeView => self.asked = message.target,
                    Kind::Commit => self.committed = message.block_id(),
                    _ => {}
                }
            }
            (What::EnterView, _) => {
                if let Some((_, view)) = event.place {
                    self.view = view.0;
                }
            }
            (What::Decide, _) => {
                if let Some(block) = event.decided() {
                    self.decided.push(block);
                    self.start(block.height.next());
                }
            }
            (What::Crash | What::Fault, _) => self.down = true,
            (What::Restart, _) => self.down = false,
            _ => {}
        }
    }

    /// Starts the height: what was of the one before counts no more.
    fn start(&mut self, height: Height) {
        *self = Self {
            height: height.0,
            decided: std::mem::take(&mut self.decided),
            ..Self::default()
        };
    }

    fn count(&mut self, sender: ReplicaId, message: &Message) {
        if message.height.0 != self.height {
            return;
        }
        let block = message.block.unwrap_or_default();
        let of = |what: &str| format!("{what} of v{} b{block}", message.view);
        let vote = match &message.kind {
            Kind::PrepareRequest | Kind::PrepareResponse => (0, of("preparations")),
            Kind::Commit => (2, of("commits")),
            Kind::Other(name) => (1, of(name)),
            Kind::ChangeView => {
                let target = message.target.map_or(message.view.0 + 1, |target| target.0);
                let known = self.asks.entry(sender.0).or_default();
                *known = target.max(*known);
                return;
            }
            Kind::Block | Kind::RecoveryRequest | Kind::RecoveryMessage => return,
        };
        self.votes.entry(vote).or_default().insert(sender.0);
    }

    fn state(&self, run: &Run, replica: ReplicaId) -> State {
        if run.is_byzantine(replica) {
            return State {
                words: vec!["Byzantine".to_owned()],
                tallies: Vec::new(),
            };
        }
        let mut words = Vec::new();
        let done = self.height >= run.instance.heights;
        if self.down {
            words.push("crashed".to_owned());
        }
        if !done {
            words.push(format!("in h{} v{}", self.height, self.view));
        }
        for block in &self.decided {
            let BlockId {
                height,
                view,
                index,
            } = block;
            words.push(format!("decided h{height} v{view} b{index}"));
        }
        if let Some(block) = self.committed {
            let lock = if run.commit_locks() { ", locked" } else { "" };
            words.push(format!("committed v{} b{}{lock}", block.view, block.index));
        }
        if let Some(target) = self.asked.filter(|target| target.0 > self.view) {
            words.push(format!("asked for v{target}"));
        }
        let tallies = if done { Vec::new() } else { self.tallies(run) };
        State { words, tallies }
    }

    fn tallies(&self, run: &Run) -> Vec<Tally> {
        let need = run.quorum();
        let votes = self.votes.iter().map(|((_, what), who)| Tally {
            what: what.clone(),
            who: who.iter().copied().collect(),
            need,
        });
        let targets = self.asks.values().copied().collect::<BTreeSet<_>>();
        let views = targets.into_iter().filter(|target| *target > self.view);
        let asks = views.map(|target| Tally {
            what: format!("requests for v{target}"),
            who: self
                .asks
                .iter()
                .filter(|(_, asked)| **asked >= target)
                .map(|(who, _)| *who)
                .collect(),
            need,
        });
        votes.chain(asks).collect()
    }
}

/// A block decided, and on whose votes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub slot: u32,
    /// Who.
    pub replica: ReplicaId,
    /// What.
    pub block: BlockId,
    /// Of what the quorum consists, say `commits`; nothing when there is none.
    pub votes: Option<(&'static str, Vec<u32>)>,
}

/// Every decision, with the votes that its replica had.
pub fn decisions(run: &Run) -> Vec<Decision> {
    let n = run.instance.replicas;
    let mut seats = (0..n).map(|_| Seat::default()).collect::<Vec<_>>();
    let mut decisions = Vec::new();
    let mut now = 0;
    let mut pool: Vec<&TraceEvent> = Vec::new();
    for event in &run.trace {
        if event.slot.0 > now {
            now = event.slot.0;
            for said in pool.drain(..) {
                hear(run, &mut seats, said);
            }
        }
        if let Some(block) = event.decided() {
            decisions.push(Decision {
                slot: event.slot.0,
                replica: event.replica,
                block,
                votes: seats[event.replica.index()].quorum(run, block),
            });
        }
        seats[event.replica.index()].apply(event);
        if run.is_pool() && words::is_sending(event.what) {
            pool.push(event);
        }
    }
    decisions
}

impl Seat {
    /// The votes for a block, if they are a quorum.
    fn quorum(&self, run: &Run, block: BlockId) -> Option<(&'static str, Vec<u32>)> {
        let of = |order, what: &'static str| {
            let vote = (order, format!("{what} of v{} b{}", block.view, block.index));
            let who = self.votes.get(&vote)?;
            let enough = who.len() as u32 >= run.quorum();
            enough.then(|| (what, who.iter().copied().collect()))
        };
        // Protocols without commits decide on preparations.
        if run.instance.protocol == "dbft1" || run.engine.starts_with("dbft1") {
            of(0, "preparations")
        } else {
            of(2, "commits")
        }
    }
}
