//! What each replica knows at the end of each slot, and how far each quorum is.

use super::run::Run;
use crate::{
    known::{Knowledge, Known},
    words::{self, Does, Votes},
};
use milp_schema::{BlockId, Protocol, ReplicaId, Slot, View};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Votes for one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// What is voted for.
    pub what: String,
    /// From whom the replica has a vote, itself included.
    pub who: Vec<u32>,
    /// How many votes they have together.
    pub have: u32,
    /// How many are needed.
    pub need: u32,
    /// Whether a quorum of them only lets a replica bind itself.
    #[serde(skip)]
    pub prepares: bool,
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

/// The state of every replica after each slot in which it changes.
pub fn history(run: &Run) -> History {
    let n = run.instance.replicas;
    let mut known = Known::new(&run.instance);
    let mut history: History = vec![Vec::new(); n as usize];
    // Between two events nothing becomes of what is known but in the slot after the first, and who
    // waits twice as long each time leaves more slots than there is time for.
    let last = run.trace.iter().map(|event| event.slot).max();
    let with_next = |slot: Slot| [slot, Slot(slot.0 + 1)];
    let slots = run.trace.iter().flat_map(|event| with_next(event.slot));
    let slots = slots.filter(|slot| Some(*slot) <= last);
    let slots: BTreeSet<Slot> = slots.chain([Slot(0)]).collect();
    let mut rest = run.trace.iter().peekable();
    for slot in slots {
        known.begin(slot);
        while let Some(event) = rest.next_if(|event| event.slot <= slot) {
            known.event(event);
        }
        for replica in ReplicaId::all(n) {
            let state = state(run, known.of(replica), run.is_byzantine(replica));
            let states = &mut history[replica.index()];
            if states.last().is_none_or(|(_, known)| *known != state) {
                states.push((slot.0, state));
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

fn state(run: &Run, replica: &Knowledge, byzantine: bool) -> State {
    if byzantine {
        return State {
            words: vec!["Byzantine".to_owned()],
            tallies: Vec::new(),
        };
    }
    let mut words = Vec::new();
    let (height, view) = replica.place;
    let done = height.0 >= run.instance.heights;
    if replica.down {
        words.push("crashed".to_owned());
    }
    if !done {
        words.push(format!("in h{height} v{view}"));
    }
    for (block, _) in &replica.decided {
        let BlockId {
            height,
            view,
            index,
        } = block;
        words.push(format!("decided h{height} v{view} b{index}"));
    }
    if let Some(block) = replica.bound.get(&height) {
        let lock = if run.locks { ", locked" } else { "" };
        words.push(format!("committed v{} b{}{lock}", block.view, block.index));
    }
    if let Some(target) = replica.wants.filter(|target| *target > view) {
        words.push(format!("asked for v{target}"));
    }
    let tallies = if done {
        Vec::new()
    } else {
        tallies(run, replica)
    };
    State { words, tallies }
}

/// The votes of a replica's height, then the requests for views above its own.
fn tallies(run: &Run, replica: &Knowledge) -> Vec<Tally> {
    let need = run.instance.threshold();
    let (_, view) = replica.place;
    let mut votes: BTreeMap<(Votes, String), Vec<u32>> = BTreeMap::new();
    // The highest view that each sender asked for.
    let mut asks: BTreeMap<u32, View> = BTreeMap::new();
    for (sender, message) in replica.held() {
        if let Some(vote) = words::votes(message.kind) {
            let value = super::words::value(message).unwrap_or_default();
            let of = format!("{} of v{} {value}", vote.name(), message.view);
            let who = votes.entry((vote, of)).or_default();
            if who.last() != Some(&sender.0) {
                who.push(sender.0);
            }
        } else if words::does(&message.kind) == Does::Leaves {
            let target = message.view.next();
            let known = asks.entry(sender.0).or_default();
            *known = target.max(*known);
        }
    }
    let votes = votes.into_iter();
    let have = |who: &[u32]| {
        let who = who.iter().copied().map(ReplicaId).collect::<Vec<_>>();
        words::power(&run.instance, &who)
    };
    let votes = votes.map(|((vote, what), who)| Tally {
        what,
        have: have(&who),
        who,
        need,
        prepares: Some(vote) == words::leading(run.instance.protocol),
    });
    let targets = asks.values().copied().collect::<BTreeSet<_>>();
    let asks = targets
        .into_iter()
        .filter(|target| *target > view)
        .map(|target| {
            let asked = asks.iter().filter(|(_, asked)| **asked >= target);
            let who: Vec<u32> = asked.map(|(who, _)| *who).collect();
            Tally {
                what: format!("requests for v{target}"),
                have: have(&who),
                who,
                need,
                prepares: false,
            }
        });
    votes.chain(asks).collect()
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
    let mut known = Known::new(&run.instance);
    let mut decisions = Vec::new();
    for event in &run.trace {
        known.begin(event.slot);
        if let Some(block) = event.decided() {
            decisions.push(Decision {
                slot: event.slot.0,
                replica: event.replica,
                block,
                votes: quorum(run, known.of(event.replica), block),
            });
        }
        known.event(event);
    }
    decisions
}

/// The votes for a block, if they are a quorum.
fn quorum(run: &Run, replica: &Knowledge, block: BlockId) -> Option<(&'static str, Vec<u32>)> {
    // Whoever acted may follow another protocol than the instance's.
    let named = |protocol: &Protocol| run.engine.starts_with(&protocol.name);
    let protocol = Protocol::all().filter(named).last();
    let protocol = protocol.unwrap_or(run.instance.protocol);
    let votes = words::called(run.instance.protocol, words::decisive(protocol)?.name())?;
    let need = run.instance.threshold();
    let enough = |who: &BTreeSet<ReplicaId>| words::power(&run.instance, who) >= need;
    let (_, who) = replica.senders(votes, block, &enough);
    enough(&who).then(|| (votes.name(), who.iter().map(|it| it.0).collect()))
}
