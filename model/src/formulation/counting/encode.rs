//! From a schedule to the counts of its execution.

use super::{
    assign::Step,
    book::Book,
    columns::{Counting, Key},
    walk::{Need, Role, To, adopts},
};
use milp_schema::{
    Choice, Message, ReplicaId, Schedule, instance::FaultKind, schedule::Event as Seen,
};
use std::collections::{BTreeMap, BTreeSet};

/// What one replica did in a view: events with their blocks.
type Acts = BTreeSet<(usize, u32)>;

/// What a replica did, by what a schedule predicts of it.
#[derive(Debug, Default)]
struct Life {
    /// By view, adoptions aside.
    acts: BTreeMap<u32, Acts>,
    /// The block it decided, (view, index).
    decided: Option<(u32, u32)>,
    /// The highest view it reached.
    view: u32,
    crashed: bool,
}

/// The counts of what a schedule predicts.
pub(super) fn encode(
    counting: &Counting,
    schedule: &Schedule,
    faulty: &[(ReplicaId, FaultKind)],
) -> Result<Vec<Option<i64>>, String> {
    let byzantine = |i: &u32| faulty.contains(&(ReplicaId(*i), FaultKind::Byzantine));
    let lives = lives(counting, schedule)?;
    let votes = votes(counting, &lives);
    let mut counts: BTreeMap<Key, i64> = BTreeMap::new();
    for i in (0..counting.book.n).filter(byzantine) {
        let view = (0..counting.book.views).find(|&v| counting.book.primary(v) == i);
        let key = view.map_or(Key::ByzantineRest, Key::Byzantine);
        *counts.entry(key).or_default() += 1;
    }
    let forgers = (0..counting.book.n).filter(byzantine).collect();
    let all = Votes {
        counting,
        honest: votes,
        byzantine: forgers,
    };
    for (i, life) in lives.iter().enumerate() {
        if !all.byzantine.contains(&(i as u32)) {
            walk(&all, i as u32, life, &mut counts)?;
        }
    }
    if let Some((key, _)) = counts
        .iter()
        .find(|(key, _)| counting.draft.col(key).is_none())
    {
        return Err(format!("no column for {key:?}"));
    }
    let mut point = vec![];
    for (key, col) in counting.draft.keys() {
        point.push((col, value(&all, &counts, key)));
    }
    point.sort_by_key(|(col, _)| *col);
    Ok(point.into_iter().map(|(_, value)| value).collect())
}

/// Who sent what, when all is over.
struct Votes<'a> {
    counting: &'a Counting,
    honest: BTreeMap<(usize, u32, u32), BTreeSet<u32>>,
    byzantine: BTreeSet<u32>,
}

impl Votes<'_> {
    /// Whether k replicas sent messages of these channels about (v, b), or could have.
    fn reach(&self, of: &[usize], (v, b): (u32, u32), at_least: u32) -> bool {
        let book = &self.counting.book;
        let mut who: BTreeSet<u32> = BTreeSet::new();
        for &c in of {
            who.extend(self.honest.get(&(c, v, b)).into_iter().flatten());
            let can = |i: &&u32| book.protocol.channels[c].forgeable && book.may_send(c, **i, v);
            who.extend(self.byzantine.iter().filter(can));
        }
        who.len() >= at_least as usize
    }

    fn meets(&self, need: &Need, v: u32) -> bool {
        match need {
            Need::Senders { of, b, at_least } => self.reach(of, (v, *b), *at_least),
            Need::Held { c, b } => self.reach(&[*c], (v, *b), 1),
            Need::Decision | Need::Quorum => true, // the rows say it
        }
    }
}

/// A column's value, `None` if it is the goal's.
fn value(all: &Votes<'_>, counts: &BTreeMap<Key, i64>, key: &Key) -> Option<i64> {
    let book = &all.counting.book;
    let count = counts.get(key).copied().unwrap_or(0);
    match key {
        Key::Goal(..) => None,
        Key::Open(v, need) => Some(i64::from(all.meets(need, *v))),
        Key::Request(v, b) => {
            // Made if somebody acted on it.
            let byzantine = all.byzantine.contains(&book.primary(*v));
            let used = counts.iter().any(|(key, taken)| {
                let Key::Took(at, role, arc) = key else {
                    return false;
                };
                let held = |need: &Need| matches!(need, Need::Held { b: of, .. } if of == b);
                let step = &all.counting.walks[*role as usize].arcs[*arc];
                at == v && *taken > 0 && step.needs.iter().any(held)
            });
            Some(i64::from(byzantine && used))
        }
        _ => Some(count),
    }
}

fn votes(counting: &Counting, lives: &[Life]) -> BTreeMap<(usize, u32, u32), BTreeSet<u32>> {
    let mut votes: BTreeMap<(usize, u32, u32), BTreeSet<u32>> = BTreeMap::new();
    for (i, life) in lives.iter().enumerate() {
        for (&v, acts) in &life.acts {
            for &(e, b) in acts {
                if let Some(c) = counting.book.sends(e) {
                    votes.entry((c, v, b)).or_default().insert(i as u32);
                }
            }
        }
    }
    votes
}

fn lives(counting: &Counting, schedule: &Schedule) -> Result<Vec<Life>, String> {
    let book = &counting.book;
    let mut lives: Vec<Life> = (0..book.n).map(|_| Life::default()).collect();
    for choice in &schedule.choices {
        match choice {
            Choice::Crash { replica, .. } => life(&mut lives, *replica)?.crashed = true,
            Choice::Restart { .. } => return Err("the program has no restarts".into()),
            _ => {}
        }
    }
    for prediction in &schedule.predictions {
        let life = life(&mut lives, prediction.replica)?;
        match &prediction.event {
            Seen::EnterView { view, .. } => life.view = life.view.max(view.0),
            Seen::Decide(block) => life.decided = Some((block.view.0, block.index)),
            Seen::Send(message) => {
                let primary = ReplicaId(book.primary(message.view.0)) == prediction.replica;
                if let Some((e, b)) = event(book, message, primary)? {
                    life.acts.entry(message.view.0).or_default().insert((e, b));
                }
            }
        }
    }
    if lives.iter().any(|life| life.view >= book.views) {
        return Err("a view outside of the modelled ones".into());
    }
    Ok(lives)
}

/// What that replica did; a schedule of a larger instance has more of them.
fn life(lives: &mut [Life], replica: ReplicaId) -> Result<&mut Life, String> {
    let life = lives.get_mut(replica.index());
    life.ok_or_else(|| format!("replica {replica} is none of the instance"))
}

/// The event that sends a message; none for the block of a decision, which is known from it.
fn event(book: &Book, message: &Message, primary: bool) -> Result<Option<(usize, u32)>, String> {
    let sends = |e: &usize| book.events[*e].broadcasts.as_ref() == Some(&message.kind);
    let events: Vec<usize> = (0..book.events.len()).filter(sends).collect();
    let does = |e: &&usize| book.does(**e, primary);
    match events.iter().find(does) {
        None => Err(format!("no event sends {message}")),
        Some(&e) if book.events[e].decides => Ok(None),
        Some(&e) => Ok(Some((e, message.index().unwrap_or(0)))),
    }
}

/// Counts the steps of one replica, view by view.
fn walk(
    all: &Votes<'_>,
    i: u32,
    life: &Life,
    counts: &mut BTreeMap<Key, i64>,
) -> Result<(), String> {
    let book = &all.counting.book;
    for v in 0..=life.view {
        let role = if book.primary(v) == i {
            Role::Primary
        } else {
            Role::Backup
        };
        if role == Role::Primary {
            counts.insert(Key::Here(v), 1);
        }
        if v > 0 {
            counts.insert(Key::Reached(v), 1);
        }
        let acts = life.acts.get(&v).cloned().unwrap_or_default();
        let last = v == life.view;
        let decided = life.decided.filter(|_| last);
        let steps =
            ways(all, (v, role), &acts, decided)
                .into_iter()
                .find_map(|(wanted, terminal)| {
                    let to = match (last, terminal) {
                        (false, _) => To::Next,
                        (true, true) => To::Decided,
                        (true, false) => To::Node(0),
                    };
                    path(all, (v, role), 0, &wanted, to)
                });
        let Some((steps, end)) = steps else {
            return Err(format!("no walk of replica {i} in view {v} does {acts:?}"));
        };
        for (v, role, arc) in steps {
            *counts.entry(Key::Took(v, role, arc)).or_default() += 1;
        }
        if let (true, Some(node)) = (all.counting.ends(), end) {
            let state = &all.counting.walks[role as usize].nodes[node];
            let key = match life.crashed {
                true => Key::Crashes(v, role, node),
                false if state.rests => Key::Rests(v, role, node),
                false => return Err(format!("replica {i} does not end in a final state")),
            };
            *counts.entry(key).or_default() += 1;
        }
    }
    Ok(())
}

/// How a replica may have come to decide: by its own tally, by adopting, or, where the program does
/// not count it, not at all; the events to look for, and whether they end the height.
fn ways(
    all: &Votes<'_>,
    (v, role): (u32, Role),
    acts: &Acts,
    decided: Option<(u32, u32)>,
) -> Vec<(Acts, bool)> {
    let Some((w, b)) = decided else {
        return vec![(acts.clone(), false)];
    };
    let book = &all.counting.book;
    let mut ways = vec![];
    for e in (0..book.events.len()).filter(|&e| book.events[e].decides) {
        let adopting = adopts(book, e).is_some();
        if !adopting && w != v {
            continue;
        }
        let mut with = acts.clone();
        with.insert((e, if adopting { 0 } else { b }));
        ways.push((adopting, with));
    }
    ways.sort_by_key(|(adopting, _)| *adopting);
    let counted = all
        .counting
        .steps(v, role)
        .any(|(arc, _)| arc.needs.contains(&Need::Decision));
    let mut ways: Vec<(Acts, bool)> = ways.into_iter().map(|(_, with)| (with, true)).collect();
    if !counted {
        ways.push((acts.clone(), false));
    }
    ways
}

/// Steps from a node that do just these events, and where they end if not beyond the view.
fn path(
    all: &Votes<'_>,
    (v, role): (u32, Role),
    node: usize,
    left: &Acts,
    to: To,
) -> Option<(Vec<Step>, Option<usize>)> {
    let walk = &all.counting.walks[role as usize];
    if left.is_empty() && matches!(to, To::Node(_)) {
        return Some((vec![], Some(node)));
    }
    let here = walk.arcs.iter().enumerate();
    for (number, arc) in here.filter(|(_, arc)| arc.from == node) {
        let fits = arc.acts.iter().all(|act| left.contains(act))
            && all
                .counting
                .draft
                .col(&Key::Took(v, role, number))
                .is_some()
            && arc.needs.iter().all(|need| all.meets(need, v));
        if !fits {
            continue;
        }
        let mut rest = left.clone();
        rest.retain(|act| !arc.acts.contains(act));
        let step = (v, role, number);
        match arc.to {
            To::Node(next) => {
                if let Some((mut steps, end)) = path(all, (v, role), next, &rest, to) {
                    steps.insert(0, step);
                    return Some((steps, end));
                }
            }
            end if end == to && rest.is_empty() => return Some((vec![step], None)),
            _ => {}
        }
    }
    None
}
