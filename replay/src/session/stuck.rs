//! Words for a state called stuck: who is where, why no quorum can form, and what would form one.

use super::Session;
use crate::engine::{Engine, State, Vote, Working};

use milp_schema::{
    Height, Kind, ReplicaId, Value, View,
    instance::FaultKind,
    vocabulary::{Names, Role},
};
use std::collections::{BTreeMap, BTreeSet};

/// A commit's view and block; `None` for a block nobody ever proposed.
type Ballot = (View, Option<u32>);

/// The state in question at the height that is stuck.
struct Table<'a> {
    quorum: usize,
    /// What counts with a proposal is called so.
    prepared: &'static str,
    /// What makes a block final is called so.
    votes: &'static str,
    height: Height,
    /// Who is at work at the height.
    working: BTreeMap<ReplicaId, &'a Working>,
    /// Why everybody else does nothing there.
    absent: BTreeMap<ReplicaId, &'static str>,
    /// Whose last word was a question for recovery.
    recovering: BTreeSet<ReplicaId>,
    /// Every commit that somebody at work holds, its author's among them.
    commits: BTreeMap<Ballot, BTreeSet<ReplicaId>>,
}

/// One sentence about a session that repeats `states`, with nobody deciding.
pub(super) fn describe<E: Engine>(session: &Session<E>, states: &[State]) -> String {
    if !session.habits.says_why {
        let live = session.live().map(|id| {
            let goes_on = ["", " after its decision"][usize::from(session.seat(id).decided)];
            format!("{}{goes_on}", place(id, &states[id.index()]))
        });
        return format!("stuck: {}", live.collect::<Vec<_>>().join("; "));
    }
    let table = Table::of(session, states);
    let parts = table
        .seats()
        .into_iter()
        .chain(table.ballots())
        .chain([table.departure()]);
    format!("stuck: {}", parts.collect::<Vec<_>>().join("; "))
}

/// Where a live replica is and what holds it.
fn place(id: ReplicaId, state: &State) -> String {
    let State::Working(working) = state else {
        return format!("replica {id} has decided");
    };
    let place = format!("replica {id} in h{} v{}", working.height, working.view);
    let own = |vote: &&Vote| {
        let does = vote.kind.does();
        vote.author == id && does.binds && does.names == Names::Value
    };
    let asks = working.asks_to_leave(id);
    let asks = asks.then(|| format!("asks for v{}", working.view.next()));
    if let Some(vote) = working.votes.iter().find(own) {
        let ballot = name(ballot(vote.view, vote.value));
        return format!("{place} has committed {ballot}");
    }
    // What binds to a block of any view may have moved: the last one does.
    let locked = working.bonds.first().and_then(|bond| {
        let (value, kind, view) = (bond.value?, bond.kind, bond.view);
        Some(format!("is locked on {value} by its {kind} of v{view}"))
    });
    let words: Vec<String> = locked.into_iter().chain(asks).collect();
    if words.is_empty() {
        return format!("{place} waits");
    }
    format!("{place} {}", words.join(" and "))
}

impl<'a> Table<'a> {
    fn of<E: Engine>(session: &Session<E>, states: &'a [State]) -> Self {
        let at_work = |state: &'a State| match state {
            State::Working(working) => Some(&**working),
            State::Down(_) | State::Stopped(_) => None,
        };
        let lowest = states.iter().filter_map(at_work).map(|w| w.height).min();
        let height = lowest.unwrap_or_default();
        let (mut working, mut absent) = (BTreeMap::new(), BTreeMap::new());
        for (id, state) in session.everybody().zip(states) {
            match at_work(state).filter(|working| working.height == height) {
                Some(state) => {
                    working.insert(id, state);
                }
                None => {
                    absent.insert(id, absence(session, id));
                }
            }
        }
        let mut commits: BTreeMap<Ballot, BTreeSet<ReplicaId>> = BTreeMap::new();
        for state in working.values() {
            for vote in &state.votes {
                if vote.kind.does().binds {
                    let ballot = ballot(vote.view, vote.value);
                    commits.entry(ballot).or_default().insert(vote.author);
                }
            }
        }
        Self {
            quorum: session.quorum,
            prepared: session.protocol.proposal_tally(),
            votes: session.protocol.final_tally(),
            height,
            recovering: recovering(session),
            working,
            absent,
            commits,
        }
    }

    /// The commit that binds a replica, if any does.
    fn bound(&self, id: ReplicaId) -> Option<Ballot> {
        let bonds = &self.working.get(&id)?.bonds;
        bonds.first().map(|bond| ballot(bond.view, bond.value))
    }

    /// Replicas at work that are not bound.
    fn free(&self) -> Vec<ReplicaId> {
        let ids = self.working.keys().copied();
        ids.filter(|&id| self.bound(id).is_none()).collect()
    }

    /// Where everybody is and what they do.
    fn seats(&self) -> Vec<String> {
        let at_work = self.working.iter().map(|(&id, state)| {
            let place = format!("replica {id} in h{} v{}", self.height, state.view);
            let does = match self.bound(id) {
                Some(ballot) => format!("has committed {}", name(ballot)),
                None if state.asks_to_leave(id) => format!("asks for v{}", state.view.next()),
                None if self.recovering.contains(&id) => "asks for recovery".to_owned(),
                None => "waits".to_owned(),
            };
            (id, format!("{place} {does}"))
        });
        let absent = self.absent.iter();
        let absent = absent.map(|(&id, why)| (id, format!("replica {id} {why}")));
        let seats: BTreeMap<ReplicaId, String> = at_work.chain(absent).collect();
        seats.into_values().collect()
    }

    /// Each block that has commits: how many, how many are missing, and what keeps the others from
    /// giving them.
    fn ballots(&self) -> Vec<String> {
        if self.commits.is_empty() {
            return vec!["nobody has committed".to_owned()];
        }
        self.commits
            .iter()
            .map(|(&ballot, by)| {
                let (view, block) = ballot;
                if block.is_none() {
                    // No quorum of these decides anything, so nothing is missing.
                    return format!("{} committed v{view} of no known block", list(by));
                }
                let missing = self.quorum.saturating_sub(by.len());
                let everybody = self.working.keys().chain(self.absent.keys());
                let others: BTreeSet<ReplicaId> =
                    everybody.copied().filter(|id| !by.contains(id)).collect();
                let others = others
                    .into_iter()
                    .map(|id| format!("replica {id} ({})", self.hindrance(id, ballot)));
                format!(
                    "{} has {} of {} {} ({}), {missing} more would decide it, from among {}",
                    name(ballot),
                    by.len(),
                    self.quorum,
                    self.votes,
                    list(by),
                    others.collect::<Vec<_>>().join(", "),
                )
            })
            .collect()
    }

    /// Why a replica has not given the commit.
    fn hindrance(&self, id: ReplicaId, (view, block): Ballot) -> String {
        if let Some(bound) = self.bound(id) {
            return format!("committed {}", name(bound));
        }
        match self.working.get(&id) {
            None => self.absent[&id].to_owned(),
            Some(state) if state.view > view => format!("has left v{view}"),
            Some(state) if state.view < view => format!("still in v{}", state.view),
            Some(state) => {
                let counts = |vote: &&Vote| {
                    vote.kind.does().tally.as_deref() == Some(self.prepared)
                        && ballot(vote.view, vote.value) == (view, block)
                };
                let held = state.votes.iter().filter(counts).count();
                format!(
                    "in v{view} with {held} of {} {}",
                    self.quorum, self.prepared
                )
            }
        }
    }

    /// Why no view is left: who still could, and who asks.
    fn departure(&self) -> String {
        let free = self.free();
        if free.len() < self.quorum {
            let number = free.len();
            let who = if free.is_empty() {
                String::new()
            } else {
                format!(" ({})", list(&free))
            };
            return format!(
                "a view is left by {} replicas that have not committed, and {number} can ask{who}",
                self.quorum
            );
        }
        let views: BTreeSet<View> = free.iter().map(|id| self.working[id].view).collect();
        let views = views.into_iter().map(|view| {
            let asking = |id: &ReplicaId| {
                let state = self.working[id];
                state.view == view && state.asks_to_leave(*id)
            };
            let asking: Vec<ReplicaId> = free.iter().copied().filter(asking).collect();
            format!("v{view} is left by {} of {}", asking.len(), self.quorum)
        });
        views.collect::<Vec<_>>().join(", ")
    }
}

/// Why a replica takes no part.
fn absence<E: Engine>(session: &Session<E>, id: ReplicaId) -> &'static str {
    let seat = session.seat(id);
    if seat.fault == Some(FaultKind::Byzantine) {
        "is silent"
    } else if seat.up {
        // Its block went to everybody who asked (E24), and they are still here.
        "has decided, and its block is not taken"
    } else {
        "is down"
    }
}

/// Whose last message was a question for recovery.
fn recovering<E: Engine>(session: &Session<E>) -> BTreeSet<ReplicaId> {
    let sent = session.log.iter().filter_map(|event| {
        let message = event.sent()?;
        Some((event.replica, message.kind))
    });
    let last: BTreeMap<ReplicaId, Kind> = sent.collect();
    let asks = last.into_iter();
    asks.filter(|(_, kind)| kind.is(Role::Question))
        .map(|(id, _)| id)
        .collect()
}

/// What a vote of that view is for: a block of another view is none that it can decide.
fn ballot(view: View, value: Option<Value>) -> Ballot {
    let index = match value {
        Some(Value::Block { view: of, index }) if of == view => Some(index),
        _ => None,
    };
    (view, index)
}

fn name((view, block): Ballot) -> String {
    match block {
        Some(block) => format!("v{view} b{block}"),
        None => format!("v{view} of no known block"),
    }
}

/// `replica 2`, `replicas 0, 3`.
fn list<'a>(ids: impl IntoIterator<Item = &'a ReplicaId>) -> String {
    let ids: Vec<String> = ids.into_iter().map(ReplicaId::to_string).collect();
    let noun = if ids.len() == 1 {
        "replica"
    } else {
        "replicas"
    };
    format!("{noun} {}", ids.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::toy::{HOW, Toy};
    use super::*;
    use crate::engine::{Bond, nspcc::protocol};
    use milp_schema::Instance;

    fn instance() -> Instance {
        let text = "format: milp-instance/2.0\nprotocol: dbft2-nspcc\nreplicas: 4\n\
                    views: 3\nslots: 8\ngoal: stall\n";
        milp_schema::read::instance_text("test", text).expect("a good instance")
    }

    /// Replica `me` at work in `view`, with commits (author, view, block) and whether it asks to
    /// leave.
    fn at_work(me: u32, view: u32, commits: &[(u32, u32, Option<u32>)], asks: bool) -> State {
        let vote = |author, kind, view, block: Option<u32>| Vote {
            author: ReplicaId(author),
            kind: protocol().the(kind),
            view: View(view),
            value: block.map(|index| Value::Block {
                view: View(view),
                index,
            }),
        };
        let commits = commits
            .iter()
            .map(|&(author, view, block)| vote(author, "Commit", view, block));
        let own = commits.clone().find(|vote| vote.author == ReplicaId(me));
        let mut votes = vec![
            vote(0, "PrepareResponse", view, Some(0)),
            vote(3, "PrepareRequest", view, Some(0)),
        ];
        votes.extend(commits);
        votes.extend(asks.then(|| vote(me, "ChangeView", view, None)));
        State::Working(Box::new(Working {
            height: Height(0),
            view: View(view),
            votes,
            entry: Vec::new(),
            bonds: own.map(Bond::from).into_iter().collect(),
            seen: Vec::new(),
            timers: Vec::new(),
        }))
    }

    fn words(faulty: &[(ReplicaId, FaultKind)], states: &[State]) -> Vec<String> {
        let mut toy = Toy::default();
        let session = Session::new(&mut toy, &instance(), 3, faulty, HOW).expect("it starts");
        let sentence = describe(&session, states);
        let parts = sentence.strip_prefix("stuck: ").expect("named so");
        parts.split("; ").map(str::to_owned).collect()
    }

    #[test]
    fn commits_in_two_views_say_how_many_are_missing_of_each_and_what_keeps_the_others() {
        let states = [
            at_work(0, 1, &[(3, 1, Some(0))], true),
            at_work(1, 1, &[], true),
            at_work(2, 0, &[(2, 0, Some(0))], false),
            at_work(3, 1, &[(3, 1, Some(0))], false),
        ];
        assert_eq!(
            words(&[], &states),
            [
                "replica 0 in h0 v1 asks for v2",
                "replica 1 in h0 v1 asks for v2",
                "replica 2 in h0 v0 has committed v0 b0",
                "replica 3 in h0 v1 has committed v1 b0",
                "v0 b0 has 1 of 3 commits (replica 2), 2 more would decide it, from among replica \
                 0 (has left v0), replica 1 (has left v0), replica 3 (committed v1 b0)",
                "v1 b0 has 1 of 3 commits (replica 3), 2 more would decide it, from among replica \
                 0 (in v1 with 2 of 3 preparations), replica 1 (in v1 with 2 of 3 preparations), \
                 replica 2 (committed v0 b0)",
                "a view is left by 3 replicas that have not committed, and 2 can ask (replicas 0, \
                 1)",
            ]
        );
    }

    /// Whatever the protocol calls its votes: what binds to a block of any view is a lock.
    #[test]
    fn a_lock_is_told_by_the_vote_that_made_it() {
        let protocol = milp_schema::Protocol::shipped("ibft1");
        let (kind, leave) = (protocol.the("commit"), protocol.the("round_change"));
        let State::Working(mut state) = at_work(1, 3, &[], false) else {
            unreachable!("it is at work");
        };
        let (view, index) = (View(0), 1);
        state.votes.clear();
        state.bonds = vec![Bond {
            kind,
            view: View(2),
            value: Some(Value::Block { view, index }),
        }];
        let say = |state: &Working| place(ReplicaId(1), &State::Working(Box::new(state.clone())));
        let locked = "replica 1 in h0 v3 is locked on v0b1 by its commit of v2";
        assert_eq!(say(&state), locked);
        state.votes.push(Vote {
            author: ReplicaId(1),
            kind: leave,
            view: View(3),
            value: None,
        });
        assert_eq!(say(&state), format!("{locked} and asks for v4"));
        state.bonds.clear();
        assert_eq!(say(&state), "replica 1 in h0 v3 asks for v4");
    }

    #[test]
    fn nobody_bound_says_who_asks_to_leave_each_view() {
        let states = [
            at_work(0, 0, &[], true),
            at_work(1, 0, &[], false),
            at_work(2, 1, &[], true),
            State::Stopped(Height(1)),
        ];
        assert_eq!(
            words(&[], &states)[3..],
            [
                "replica 3 has decided, and its block is not taken",
                "nobody has committed",
                "v0 is left by 1 of 3, v1 is left by 1 of 3",
            ]
        );
    }

    #[test]
    fn a_commit_of_no_known_block_decides_nothing() {
        let states = [
            at_work(0, 1, &[(1, 0, None), (0, 0, Some(0))], false),
            State::Down(Height(0)),
            at_work(2, 0, &[], false),
            at_work(3, 0, &[], false),
        ];
        let faulty = [(ReplicaId(1), FaultKind::Byzantine)];
        assert_eq!(
            words(&faulty, &states)[4..],
            [
                "replica 1 committed v0 of no known block",
                "v0 b0 has 1 of 3 commits (replica 0), 2 more would decide it, from among replica \
                 1 (is silent), replica 2 (in v0 with 2 of 3 preparations), replica 3 (in v0 with \
                 2 of 3 preparations)",
                "a view is left by 3 replicas that have not committed, and 2 can ask (replicas 2, \
                 3)",
            ]
        );
    }
}
