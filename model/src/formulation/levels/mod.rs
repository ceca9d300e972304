//! Formulation `levels`: no slots and no columns for an order. Every guard reads records of lower
//! levels, (view, place of the kind), so that acts can be sorted by level (`docs/MODEL.md`).
//!
//! | column | meaning |
//! |---|---|
//! | `did_<kind>_i_v…_r` | replica i does the act, by that rule of the file |
//! | `before_v_<kind>_i_v…_r` | i does an act of any view before it enters view v |
//! | `entered_i_v`, `way_i_v_r` | i enters view v ≥ 1; by which rule, where there are several |
//! | `complete_<q>_<kinds>_<m>` | the quorum is there, whoever asks |
//! | `sends_<m>_j` | j sends a record that counts in it, where it may send several |
//! | `knows_i_v_<m>` | what i took by then meets a need |
//! | `byzantine_i` | who is faulty |
//! | `held_j_…`, `forged_<m>_j` | goal `blame`: an honest replica has that record of Byzantine j; one that counts in quorum m |

mod at_once;
mod blame;
mod carried;
mod classes;
mod columns;
mod decode;
mod encode;
mod event;
mod families;
mod goal;
mod good;
mod lemmas;
mod meaning;
mod must;
mod plan;
mod prune;
mod refuse;
pub(crate) mod rest;
mod shown;
mod valid;
mod way;

#[cfg(test)]
mod tests;

pub use columns::Key;
pub use encode::{Encoded, Encoder, Unencoded};
pub use lemmas::Question;

use crate::{
    decoded::Decoded,
    error::Error,
    expr::Expr,
    ground::{Act, Beside, Ground, Own, Setting, Value, Values},
    limits::{self, Grows},
    meaning::Meaning,
    program::{Col, Program, Row},
};
use columns::{Levels, made};
use milp_schema::{
    Height, Instance, ReplicaId, Schedule, View,
    instance::{FaultKind, Goal},
    protocol::Rules,
};
use std::collections::{BTreeMap, BTreeSet};

/// A program of this formulation and what its columns mean.
#[derive(Debug)]
pub struct Built {
    /// The program to solve.
    pub program: Program,
    levels: Levels,
}

/// How many values a program has at first.
pub(super) const VALUES: u32 = 2;

/// How many branches the program of a chain has at least: no must rule follows from two blocks of a
/// class being of one branch, and locks are made by such rules, so that a fork has none for a branch.
const BRANCHES: u32 = 3;

/// Builds the program of an instance, with two values.
///
/// # Errors
/// As for [`of_with`].
pub fn of(instance: &Instance) -> Result<Built, Error> {
    of_with(instance, VALUES)
}

/// Builds the program of an instance, with so many values; with fewer where there are no more. An
/// optimum of as many decided values as [`Built::values`] says leaves open whether more can be.
///
/// # Errors
/// [`Error::Unsupported`] names what this formulation cannot express, [`Error::TooLarge`] what
/// makes it too large.
pub fn of_with(instance: &Instance, values: u32) -> Result<Built, Error> {
    let rules = takes(instance)?;
    let setting = setting(instance, rules, values);
    limits::within(instance, Grows::WithoutSlots, || stated(instance, setting))
}

fn stated(instance: &Instance, setting: Setting) -> Result<Built, Error> {
    let mut ground = Ground::new(setting, "levels")?;
    if matches!(instance.goal, Goal::Wasted { .. }) {
        prune::prune(&mut ground, instance);
    }
    of_ground(instance, ground, Beside::default())
}

fn of_ground(instance: &Instance, ground: Ground, beside: Beside<'_>) -> Result<Built, Error> {
    limits::refuse_rows(instance, Grows::WithoutSlots, least_rows(&ground))?;
    let mut levels = Levels::new(instance.clone(), ground);
    levels.goes_on = beside.pair.is_some();
    levels.by_lemmas = levels.goes_on || !beside.lemmas.is_empty();
    blame::columns(&mut levels);
    families::state(&mut levels);
    must::state(&mut levels);
    valid::state(&mut levels);
    match beside.pair {
        Some(_) => {}
        None => goal::state(&mut levels),
    }
    lemmas::state(&mut levels, beside);
    let program = levels.draft.finish();
    Ok(Built { program, levels })
}

/// How many rows the guards of acts have at least: what is read of the last own record has one for
/// each view.
fn least_rows(ground: &Ground) -> u64 {
    let rows = |act: &Act| {
        let bars = act.bars.iter().map(|bar| match bar {
            Own::One(_) => 1,
            Own::Last(matching, _) => u64::from(matching.last().map_or(0, |it| it.view)),
        });
        act.asks().count() as u64 + bars.sum::<u64>()
    };
    let all = ground.acts.iter();
    all.map(|act| rows(act) * ground.actors(act).count() as u64)
        .sum()
}

/// What the indices range over.
fn setting(instance: &Instance, rules: Rules, values: u32) -> Setting {
    let per_view = instance.blocks_per_proposal;
    let all = instance.views * per_view;
    let values = if Setting::names_blocks_only(&rules) || goal::needs_names(instance.goal) {
        Values::Named { per_view }
    } else {
        let least = if rules.chain { BRANCHES } else { 1 };
        let values = values.max(least);
        let others = values < all;
        let count = values.min(all);
        Values::Abstract { count, others }
    };
    let primary = |v| instance.primary(Height(0), View(v)).0;
    let power = |i| instance.power_of(ReplicaId(i));
    Setting {
        power: (0..instance.replicas).map(power).collect(),
        f: instance.f(),
        views: instance.views,
        primaries: (0..=instance.views).map(primary).collect(),
        values,
        rules,
        follows: false,
    }
}

/// The rules of an instance, if the formulation has words for what it asks of them.
///
/// # Errors
/// [`Error::Unsupported`] names for what it has none.
pub(crate) fn takes(instance: &Instance) -> Result<Rules, Error> {
    let Some(rules) = instance.rules() else {
        return Err(Error::Unsupported {
            formulation: "levels",
            construct: format!("protocol `{}`, whose file has no rules", instance.protocol),
            hint: "use `formulation: auto`".into(),
        });
    };
    refuse::refuse(instance, &rules)?;
    Ok(rules)
}

/// A step that a replica takes: whether it enters a view, and the number of the entry or act.
pub(crate) type Took = (u32, bool, usize);

/// The schedule in which replicas take these steps, as far as the goal needs them.
///
/// # Errors
/// [`Error::Refused`] if replicas that run to completion do not.
pub(crate) fn follow(
    instance: &Instance,
    ground: Ground,
    steps: &BTreeSet<Took>,
    byzantine: &BTreeSet<u32>,
) -> Result<Decoded, Error> {
    let mut levels = Levels::new(instance.clone(), ground);
    for (number, act) in levels.ground.acts.clone().iter().enumerate() {
        if let (Value::Of(value), true) = (made(act).value, instance.goal == Goal::Finality) {
            levels.goal_column("proof", [value, number as u32]);
        }
    }
    let proofs = levels
        .draft
        .keys()
        .filter(|(key, _)| matches!(key, Key::Goal(..)));
    let proofs: Vec<Expr> = proofs.map(|(_, col)| col.into()).collect();
    let took = steps.iter().map(|&(i, enters, number)| {
        if enters {
            levels.way(number, i) + levels.here(i, levels.ground.entries[number].letters.v)
        } else {
            levels.did(number, i)
        }
    });
    let faulty = byzantine.iter().map(|i| levels.byzantine(*i));
    let mut point = vec![0; levels.draft.keys().count()];
    for expr in took.chain(faulty).chain(proofs) {
        expr.terms().for_each(|(col, _)| point[col.index()] = 1);
    }
    decode::decode(&levels, &point)
}

impl Built {
    /// The schedule a point of the program stands for.
    ///
    /// # Errors
    /// [`Error::Refused`] if replicas that run to completion do not do what the point says, with the
    /// row that cuts it off: nobody does all of that.
    pub fn decode(&self, point: &[i64]) -> Result<Decoded, Error> {
        decode::decode(&self.levels, point)
    }

    /// What makes points of executions.
    ///
    /// # Errors
    /// As for [`of`].
    pub fn encoder(&self) -> Result<Encoder<'_>, Error> {
        Encoder::new(&self.levels, &self.program)
    }

    /// The values that a schedule gives to the columns, `None` for those of the goal.
    ///
    /// # Errors
    /// What the program has no columns for, or what replicas do otherwise.
    pub fn encode(
        &self,
        schedule: &Schedule,
        faulty: &[(ReplicaId, FaultKind)],
    ) -> Result<Vec<Option<i64>>, String> {
        let encoder = self.encoder().map_err(|why| why.to_string())?;
        let encoded = encoder.encode(schedule, faulty, 0);
        encoded.map(|it| it.point).map_err(|why| match why {
            Unencoded::Differs(what) => what,
            Unencoded::Outside(what) => format!("the program has no columns for {what}"),
        })
    }

    /// The steps that honest replicas take at a point, and who is Byzantine there.
    pub(crate) fn took(&self, point: &[i64]) -> (BTreeSet<Took>, BTreeSet<u32>) {
        let Levels { ground, n, .. } = &self.levels;
        let is = |expr: Expr| {
            let terms = expr.terms().map(|(col, it)| it * point[col.index()]);
            expr.constant() + terms.sum::<i64>() > 0
        };
        let all = |number: usize| (0..*n).map(move |i| (i, number));
        let does = (0..ground.acts.len()).flat_map(all);
        let does = does.filter(|&(i, act)| is(self.levels.did(act, i)));
        let enters = (0..ground.entries.len()).flat_map(all);
        let enters = enters.filter(|&(i, way)| is(self.levels.way(way, i)));
        let does = does.map(|(i, act)| (i, false, act));
        let steps = does.chain(enters.map(|(i, way)| (i, true, way))).collect();
        let byzantine = (0..*n).filter(|i| is(self.levels.byzantine(*i)));
        (steps, byzantine.collect())
    }

    /// The columns of every rule that acts in this program, by its number in the file and view.
    pub fn acts(&self) -> BTreeMap<(usize, u32), Vec<Col>> {
        self.levels.columns_of_rules()
    }

    /// What the columns say in words of the protocol.
    pub fn meaning(&self) -> Meaning {
        meaning::meaning(&self.levels, &self.program)
    }

    /// The renaming of the columns in which two replicas change places.
    pub fn exchange(&self, first: u32, second: u32) -> Option<Vec<Col>> {
        let power = &self.levels.ground.setting.power;
        let same = power[first as usize] == power[second as usize];
        let exchanged = || self.levels.draft.exchange(first, second);
        same.then(exchanged).flatten()
    }

    /// How many values the program has, if an optimum of so many decided leaves open whether more
    /// can be: then one more is to be asked for.
    pub fn values(&self) -> Option<u32> {
        match self.levels.ground.setting.values {
            Values::Abstract {
                count,
                others: true,
            } => Some(count),
            _ => None,
        }
    }

    /// The row that no honest replica makes a record of the class of values without a number.
    pub(crate) fn without_class(&self) -> Option<Row> {
        let levels = &self.levels;
        let of_class = |act: &Act| match act.makes?.value {
            Value::Of(value) => levels.ground.setting.is_others(value).then_some(()),
            _ => None,
        };
        let acts = levels.ground.acts.iter().enumerate();
        let acts = acts.filter(|(_, act)| of_class(act).is_some());
        let named = acts.flat_map(|(act, _)| (0..levels.n).map(move |i| levels.did(act, i)));
        let columns: BTreeSet<_> = named
            .flat_map(|it| it.terms().collect::<Vec<_>>())
            .collect();
        (!columns.is_empty()).then(|| levels.not_followed("no_class", columns, 0))
    }

    /// What a column stands for.
    pub fn key(&self, col: Col) -> &Key {
        self.levels.draft.key(col)
    }
}
