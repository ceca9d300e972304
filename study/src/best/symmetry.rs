//! Which replicas are interchangeable: no schedule changes its value when they change places.
//!
//! Their roles are the same as far as the instance fixes any, and the program says so too: with
//! the two exchanged it has the same columns, rows and objective.

use milp_model::{
    Built,
    program::{Col, Program},
};
use milp_schema::{
    Height, Instance, ReplicaId, View,
    instance::{FaultKind, Who},
};
use std::collections::BTreeMap;

/// Replicas that may change places with each other, class by class, each class ascending and of
/// two members at least; the renamings are those that map every class onto itself.
pub fn classes(instance: &Instance, built: &Built) -> Vec<Vec<ReplicaId>> {
    let mut classes: Vec<Vec<ReplicaId>> = Vec::new();
    for group in by_role(instance) {
        let mut parts: Vec<Vec<ReplicaId>> = Vec::new();
        for replica in group {
            // To be exchangeable is transitive: one member stands for its class.
            let alike = parts
                .iter_mut()
                .find(|part| exchange(built, part[0], replica).is_some());
            match alike {
                Some(part) => part.push(replica),
                None => parts.push(vec![replica]),
            }
        }
        classes.extend(parts.into_iter().filter(|part| part.len() > 1));
    }
    classes
}

/// Replicas of one role: primary of no view that occurs, and named by the same faults. Whoever is
/// primary of a view is alone in its role.
fn by_role(instance: &Instance) -> Vec<Vec<ReplicaId>> {
    let mut primaries = Vec::new();
    for height in (0..instance.heights).map(Height) {
        for view in (0..instance.views).map(View) {
            primaries.push(instance.primary(height, view));
        }
    }
    let mut roles: BTreeMap<Vec<FaultKind>, Vec<ReplicaId>> = BTreeMap::new();
    for replica in ReplicaId::all(instance.replicas).filter(|id| !primaries.contains(id)) {
        let named = instance.faults.iter().filter(|fault| match &fault.who {
            Who::These(replicas) => replicas.contains(&replica),
            Who::Any(_) | Who::Power(_) => false,
        });
        let role = named.map(|fault| fault.kind).collect();
        roles.entry(role).or_default().push(replica);
    }
    roles.into_values().collect()
}

/// The columns with two replicas exchanged, if that maps the program onto itself.
fn exchange(built: &Built, first: ReplicaId, second: ReplicaId) -> Option<Vec<Col>> {
    let program = built.program();
    let named = built.exchange(first.0, second.0)?;
    let map = with_goal(built, named)?;
    milp_solver::cubes::is_symmetry(program, &map).ok()?;
    Some(map)
}

/// The map with the columns of the goal, of which nothing says whom they are about, paired by the
/// rows they are in.
fn with_goal(built: &Built, mut map: Vec<Col>) -> Option<Vec<Col>> {
    let goal: Vec<bool> = (0..map.len() as u32)
        .map(|col| built.is_of_goal(Col(col)))
        .collect();
    if !goal.contains(&true) {
        return Some(map);
    }
    let itself: Vec<Col> = (0..map.len() as u32).map(Col).collect();
    let mut targets: BTreeMap<Signature, Vec<Col>> = BTreeMap::new();
    for (col, signature) in signatures(built.program(), &goal, &itself) {
        targets.entry(signature).or_default().push(col);
    }
    for (col, signature) in signatures(built.program(), &goal, &map) {
        let images = targets.get_mut(&signature)?;
        if images.is_empty() {
            return None;
        }
        map[col.index()] = images.remove(0);
    }
    Some(map)
}

/// The rows of a column: its coefficient, the bounds, the other columns that are not the goal's,
/// renamed, and the coefficients of those that are. At last its weight in the objective.
type Signature = (Vec<Appearance>, i64);
type Appearance = (i64, Option<i64>, Option<i64>, Vec<(Col, i64)>, Vec<i64>);

fn signatures(program: &Program, goal: &[bool], map: &[Col]) -> Vec<(Col, Signature)> {
    let mut all: BTreeMap<Col, Signature> = BTreeMap::new();
    for (col, _) in (0..).map(Col).zip(goal).filter(|(_, goal)| **goal) {
        all.insert(col, Signature::default());
    }
    for (col, weight) in &program.objective {
        if let Some(signature) = all.get_mut(col) {
            signature.1 = *weight;
        }
    }
    for row in &program.rows {
        let (goals, others): (Vec<_>, Vec<_>) =
            row.terms.iter().partition(|(col, _)| goal[col.index()]);
        let mut others: Vec<(Col, i64)> = others
            .into_iter()
            .map(|(col, k)| (map[col.index()], k))
            .collect();
        others.sort_unstable();
        let mut weights: Vec<i64> = goals.iter().map(|(_, k)| *k).collect();
        weights.sort_unstable();
        for (col, k) in goals {
            let appearance = (k, row.lower, row.upper, others.clone(), weights.clone());
            all.entry(col).or_default().0.push(appearance);
        }
    }
    for (appearances, _) in all.values_mut() {
        appearances.sort();
    }
    all.into_iter().collect()
}
