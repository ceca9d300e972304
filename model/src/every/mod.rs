//! A program for every number of replicas at once: n, f and b are columns of it.
//!
//! Over the ground form (`ground`) it counts how many replicas take which step. Its coefficients are
//! affine in n, f and b, and all that are no numbers stand at binaries, so that a certificate is a
//! tree over binaries whose leaves are closed by integer combinations of rows, for all n at once
//! (`docs/CERTIFICATES.md`). Built symbolically: n is never a number here but where fewer replicas
//! than views are asked for, since then one leads several of them.

mod affine;
mod decode;
mod family;
mod lemmas;
mod merged;
mod program;
mod rest;
mod rows;
mod walk;

pub use affine::Affine;
pub use decode::decode;
pub use family::{Family, Point};
pub use lemmas::{Lemma, candidates, lemma, with_lemmas};
pub use program::{Kind, Line, Parametric, Unknown};

use crate::{
    error::Error,
    ground::{Ground, Setting, Values},
};
use lemmas::Beside;
use milp_schema::{
    Every, Height, Instance, View,
    formula::Count,
    instance::Goal,
    protocol::{Reads, Rule, Rules},
};
use rows::NAME;
use std::collections::BTreeSet;

/// What an attack on a goal has at least; how many blocks, certificates, or final states without a
/// decision.
pub fn at_least(goal: Goal) -> i64 {
    match goal {
        Goal::Stall => 1,
        _ => 2,
    }
}

/// How many values have a part in a question whether two are decided.
const VALUES: u32 = 2;

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

/// The programs of a question: one for all n that are no fewer than the views, one for each n below.
///
/// # Errors
/// [`Error::Unsupported`] names what does not look the same to every replica, or what is not affine.
pub fn of(every: &Every, region: &Region) -> Result<Vec<Parametric>, Error> {
    let instance = &every.instance;
    let rules = rules_of(instance)?;
    rest::refuse(instance, every.any_views)?;
    if every.any_views {
        return Ok(vec![merged(every, &rules, region)?]);
    }
    let views = instance.views;
    let few = region.at_least..views.max(region.at_least);
    let mut programs = Vec::new();
    for n in few.map(Some).chain([None]) {
        let ground = match n {
            None => numbers(instance, &rules)?,
            few => Ground::new(setting(instance, rules.clone(), few), NAME)?,
        };
        programs.push(part_of(instance, region, &ground, n, Beside::default())?);
    }
    Ok(programs)
}

fn rules_of(instance: &Instance) -> Result<Rules, Error> {
    instance.rules().ok_or_else(|| {
        let construct = format!("protocol `{}`, whose file has no rules", instance.protocol);
        unsupported(&construct, "name a protocol whose file has rules")
    })
}

/// The program of any number of views, of which there may be more than replicas.
fn merged(every: &Every, rules: &Rules, region: &Region) -> Result<Parametric, Error> {
    let mut instance = every.instance.clone();
    instance.views = merged::VIEWS;
    let ground = Ground::new(setting(&instance, rules.clone(), None), NAME)?;
    refuse(&ground)?;
    let n = Affine::N - Affine::number(i64::from(region.at_least));
    let conditions = with_counts(&ground, region, vec![n]);
    merged::state(&ground, conditions, instance.goal)
}

/// The ground form for all n that are no fewer than the views.
fn numbers(instance: &Instance, rules: &Rules) -> Result<Ground, Error> {
    Ground::new(setting(instance, rules.clone(), None), NAME)
}

/// A program over a ground form: for one n, or for all that are no fewer than the views.
fn part_of(
    instance: &Instance,
    region: &Region,
    ground: &Ground,
    few: Option<u32>,
    beside: Beside<'_>,
) -> Result<Parametric, Error> {
    refuse(ground)?;
    let n = |number: u32| Affine::N - Affine::number(i64::from(number));
    let mut conditions = match few {
        Some(few) => vec![n(few), -n(few)],
        None => vec![n(region.at_least.max(instance.views))],
    };
    conditions = with_counts(ground, region, conditions);
    Ok(rows::builder(ground, conditions, instance.goal, beside).program)
}

/// The conditions of a region with these, and that no count of the protocol is below 1.
fn with_counts(ground: &Ground, region: &Region, mut conditions: Vec<Affine>) -> Vec<Affine> {
    conditions.extend(&region.conditions);
    for quorum in &ground.quorums {
        let some = Affine::of_count(quorum.count) - Affine::ONE;
        if !some.is_zero() && !conditions.contains(&some) {
            conditions.push(some);
        }
    }
    conditions
}

fn setting(instance: &Instance, rules: Rules, few: Option<u32>) -> Setting {
    let per_view = instance.blocks_per_proposal;
    let all = instance.views * per_view;
    let values = if Setting::names_blocks_only(&rules) {
        Values::Named { per_view }
    } else {
        Values::Abstract {
            count: VALUES.min(all),
            others: VALUES < all,
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

fn unsupported(construct: &str, hint: &str) -> Error {
    Error::Unsupported {
        formulation: NAME,
        construct: format!("{construct} with `replicas: any`"),
        hint: hint.into(),
    }
}

/// Refuses what is not affine in n and f, and what rows for every n do not say.
fn refuse(ground: &Ground) -> Result<(), Error> {
    let rules = &ground.setting.rules;
    let (n, f) = (ground.setting.total(), ground.setting.f);
    let guards = rules.rules.iter().flat_map(Rule::guards);
    let mut counts: Vec<Count> = Vec::new();
    for guard in guards {
        if let Reads::Senders(number) = &guard.reads {
            let count = rules.count(number);
            if count.divisor != 1 {
                let hint = "use a protocol whose counts are sums of n, f and numbers";
                return Err(unsupported(&format!("the fraction `{count}`"), hint));
            }
            let same = counts.iter().find(|it| it.of(n, f) == count.of(n, f));
            if same.is_some_and(|it| *it != count) {
                let hint = "let the file have one formula for it";
                return Err(unsupported(
                    &format!("`{count}` beside another formula"),
                    hint,
                ));
            }
            counts.push(count);
        }
    }
    if rules.chain {
        let hint = "use a protocol of unrelated values";
        return Err(unsupported("a chain", hint));
    }
    let views = ground.setting.views as usize;
    let named: BTreeSet<u32> = ground.setting.primaries[..views].iter().copied().collect();
    if named.contains(&(n - 1)) {
        let hint = "ask for fewer views";
        return Err(unsupported(&format!("{views} views"), hint));
    }
    rows::reads_own(ground).map_or(Ok(()), |act| {
        let rule = rules.text(&rules.rules[act.rule]);
        let hint = "let it be done in its view";
        Err(unsupported(
            &format!("what is done anywhere and reads own records (rule `{rule}`)"),
            hint,
        ))
    })
}
