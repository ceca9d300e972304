//! From counts to replicas with names: who is Byzantine, and which steps each honest one takes.

use super::{
    columns::{Counting, Key},
    walk::{Role, To},
};
use crate::error::Error;
use milp_schema::instance::FaultKind;
use std::collections::BTreeSet;

/// A step in a view: role and number of the step.
pub(super) type Step = (u32, Role, usize);

/// What every replica does.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) byzantine: BTreeSet<u32>,
    /// By replica; none for Byzantine ones.
    pub(super) steps: Vec<Vec<Step>>,
    /// Who crashes after its last step.
    pub(super) crashing: BTreeSet<u32>,
}

fn refused(why: impl Into<String>) -> Error {
    Error::NoSchedule { why: why.into() }
}

fn value(counting: &Counting, point: &[i64], key: &Key) -> i64 {
    counting.draft.col(key).map_or(0, |col| point[col.index()])
}

/// One replica's steps in a view, and whether it goes on into the next or crashes.
struct Path {
    steps: Vec<Step>,
    enters: bool,
    crashes: bool,
}

/// Deals the counts out.
pub(super) fn assign(counting: &Counting, point: &[i64]) -> Result<Plan, Error> {
    let book = &counting.book;
    let mut plan = Plan {
        byzantine: byzantine(counting, point),
        steps: vec![vec![]; book.n as usize],
        crashing: BTreeSet::new(),
    };
    let here = |v: u32| value(counting, point, &Key::Here(v)) == 1;
    let honest = |i: &u32| !plan.byzantine.contains(i);
    let mut present: Vec<u32> = (0..book.n).filter(honest).collect();
    for v in 0..book.views {
        let primary = book.primary(v);
        let acting = here(v);
        if acting != present.contains(&primary) {
            return Err(refused(format!("the primary of view {v} is in two places")));
        }
        let primaries = u32::from(acting);
        let mut paths = paths(counting, point, (v, Role::Primary), primaries)?;
        let mut names = vec![primary; primaries as usize];
        let backups: Vec<u32> = present.iter().copied().filter(|&i| i != primary).collect();
        names.extend(order(counting, v, &backups, &here));
        paths.extend(self::paths(
            counting,
            point,
            (v, Role::Backup),
            backups.len() as u32,
        )?);
        present.clear();
        for (i, path) in names.into_iter().zip(paths) {
            plan.steps[i as usize].extend(path.steps);
            if path.enters {
                present.push(i);
            }
            if path.crashes {
                plan.crashing.insert(i);
            }
        }
        present.sort_unstable();
    }
    Ok(plan)
}

/// The backups of view v in the order in which they are dealt paths, those that stay first: absent
/// primaries, the earliest view first, then whoever has nothing to do later, then the primaries of
/// later views.
fn order(counting: &Counting, v: u32, backups: &[u32], here: &dyn Fn(u32) -> bool) -> Vec<u32> {
    let book = &counting.book;
    let later = |i: u32| (v + 1..book.views).find(|&u| book.primary(u) == i);
    let mut names = backups.to_vec();
    names.sort_by_key(|&i| match later(i) {
        Some(u) if !here(u) => (0, u, i),
        None => (1, 0, i),
        Some(u) => (2, u, i),
    });
    names
}

fn byzantine(counting: &Counting, point: &[i64]) -> BTreeSet<u32> {
    let book = &counting.book;
    let is_byzantine = |v: &u32| value(counting, point, &Key::Byzantine(*v)) == 1;
    let others = value(counting, point, &Key::ByzantineRest) as usize;
    let primaries = (0..book.views)
        .filter(is_byzantine)
        .map(|v| book.primary(v));
    let may = |i: &u32| book.may_be(FaultKind::Byzantine, *i);
    primaries
        .chain(counting.rest().filter(may).take(others))
        .collect()
}

/// The walks of so many replicas of a role through view v, those that stay first.
fn paths(
    counting: &Counting,
    point: &[i64],
    (v, role): (u32, Role),
    count: u32,
) -> Result<Vec<Path>, Error> {
    let walk = &counting.walks[role as usize];
    let left = |key: Key| value(counting, point, &key);
    let mut steps: Vec<i64> = (0..walk.arcs.len())
        .map(|arc| left(Key::Took(v, role, arc)))
        .collect();
    let mut crashes: Vec<i64> = (0..walk.nodes.len())
        .map(|node| left(Key::Crashes(v, role, node)))
        .collect();
    let mut paths = vec![];
    for _ in 0..count {
        let mut path = Path {
            steps: vec![],
            enters: false,
            crashes: false,
        };
        let mut node = 0;
        // Whatever step is left is taken, so none remains: as many leave a state as reach it.
        while let Some(arc) =
            (0..walk.arcs.len()).find(|&arc| walk.arcs[arc].from == node && steps[arc] > 0)
        {
            steps[arc] -= 1;
            path.steps.push((v, role, arc));
            match walk.arcs[arc].to {
                To::Node(next) => node = next,
                To::Next => path.enters = true,
                To::Decided => {}
            }
            if !matches!(walk.arcs[arc].to, To::Node(_)) {
                break;
            }
        }
        let ended = path
            .steps
            .last()
            .is_some_and(|&(_, _, arc)| !matches!(walk.arcs[arc].to, To::Node(_)));
        if !ended && crashes[node] > 0 {
            crashes[node] -= 1;
            path.crashes = true;
        }
        paths.push(path);
    }
    if steps.iter().any(|&left| left > 0) {
        return Err(refused(format!(
            "more steps than {}s in view {v}",
            role.name()
        )));
    }
    paths.sort_by_key(|path| path.enters);
    Ok(paths)
}
