//! The partial-order argument against searches in which every single delivery is a step.

use super::*;
use crate::protocols::{Family, Output, Position, Replica, Switches};
use milp_schema::vocabulary::Role;

/// What two searches are compared in: per replica its view, what it decided and what it sent.
type Acts = Vec<(View, Option<(View, u32)>, u64)>;

/// Replica 0 is Byzantine and may propose two blocks, if `byzantine`.
fn space(family: Family, replicas: u32, views: u32, small_quorum: bool, byzantine: bool) -> Space {
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
    let layout = Layout::new(rules.protocol(), [replicas, views, blocks]);
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
                for message in space.layout.messages(state[from.index()].1) {
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
            Output::Send(message) if !message.kind.is(Role::Decision) => {
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
