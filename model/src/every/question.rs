//! A question for every n as data: its region, its ground form, what it asks beside its goal.

use super::affine::Affine;
use crate::{
    error::Error,
    ground::{Ground, Setting, Values},
};
use milp_schema::{Every, Height, Instance, View, formula::Count, instance::Goal, protocol::Rules};

/// What refusals call the formulation.
pub(super) const NAME: &str = "counting";

/// What an attack on a goal has at least; how many blocks, certificates, or final states without a
/// decision.
pub fn at_least(goal: Goal) -> i64 {
    match goal {
        Goal::Stall => 1,
        _ => 2,
    }
}

/// How many values have a part in a question whether two are decided.
pub(super) const VALUES: u32 = 2;

/// The region that a question is about, as far as its file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Conditions beside n ≥ `at_least`, each at least 0.
    pub conditions: Vec<Affine>,
    /// The smallest n.
    pub at_least: u32,
}

impl Region {
    /// n > 3f, and b as the question says.
    pub fn of(every: &Every) -> Self {
        let Count { f, constant, .. } = every.byzantine;
        let most = Affine([constant, 0, f, 0]);
        Self {
            conditions: vec![
                Affine([-1, 1, -3, 0]),
                Affine::F,
                Affine::B,
                most - Affine::B,
            ],
            at_least: every.at_least,
        }
    }
}

/// What the rows of a program say of the counts of its protocol.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counts {
    /// Their formulas, for every n.
    Formulas,
    /// What they are at one n.
    Numbers,
}

pub(super) fn rules_of(instance: &Instance) -> Result<Rules, Error> {
    instance.rules().ok_or_else(|| {
        let construct = format!("protocol `{}`, whose file has no rules", instance.protocol);
        unsupported(&construct, "name a protocol whose file has rules")
    })
}

/// The ground form for all n that are no fewer than the views.
pub(super) fn numbers(instance: &Instance, rules: &Rules) -> Result<Ground, Error> {
    Ground::new(setting(instance, rules.clone(), None), NAME)
}

/// The conditions of a region with these, and that no count of the protocol is below 1.
pub(super) fn with_counts(
    ground: &Ground,
    region: &Region,
    mut conditions: Vec<Affine>,
) -> Vec<Affine> {
    conditions.extend(&region.conditions);
    for quorum in &ground.quorums {
        let some = Affine::of_count(quorum.count) - Affine::ONE;
        if !some.is_zero() && !conditions.contains(&some) {
            conditions.push(some);
        }
    }
    conditions
}

pub(super) fn setting(instance: &Instance, rules: Rules, few: Option<u32>) -> Setting {
    setting_with(instance, rules, few, VALUES)
}

/// What the indices range over, with so many values where they have no names of their own.
pub(super) fn setting_with(
    instance: &Instance,
    rules: Rules,
    few: Option<u32>,
    values: u32,
) -> Setting {
    let per_view = instance.blocks_per_proposal;
    let all = instance.views * per_view;
    let values = if Setting::names_blocks_only(&rules) {
        Values::Named { per_view }
    } else {
        Values::Abstract {
            count: values.min(all),
            others: values < all,
        }
    };
    let n = few.unwrap_or(instance.replicas);
    let primary = |v| instance.protocol.primary(n, Height(0), View(v)).0;
    Setting {
        power: vec![1; instance.replicas as usize],
        f: instance.f(),
        views: instance.views,
        primaries: (0..=instance.views).map(primary).collect(),
        values,
        rules,
        follows: false,
    }
}

pub(super) fn unsupported(construct: &str, hint: &str) -> Error {
    Error::Unsupported {
        formulation: NAME,
        construct: format!("{construct} with `replicas: any`"),
        hint: hint.into(),
    }
}
