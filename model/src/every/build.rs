//! The programs of a question for every n.

use super::{
    affine::Affine,
    merged,
    program::Parametric,
    question::{Counts, NAME, Region, numbers, rules_of, setting, unsupported, with_counts},
    rest, rows,
};
use crate::{
    error::Error,
    ground::{Beside, Ground},
};
use milp_schema::{
    Every, Instance,
    formula::Count,
    protocol::{Reads, Rule, Rules},
};
use std::collections::BTreeSet;

/// The programs of a question: one for all n that are no fewer than the views, one for each n below.
///
/// # Errors
/// [`Error::Unsupported`] names what does not look the same to every replica, or what is not affine.
pub fn of(every: &Every, region: &Region) -> Result<Vec<Parametric>, Error> {
    let instance = &every.instance;
    let rules = rules_of(instance)?;
    rest::refuse(instance, every.any_views)?;
    if every.any_views {
        return Ok(vec![any_views(every, &rules, region)?]);
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

/// The program of any number of views, of which there may be more than replicas.
fn any_views(every: &Every, rules: &Rules, region: &Region) -> Result<Parametric, Error> {
    let mut instance = every.instance.clone();
    instance.views = merged::VIEWS;
    let ground = Ground::new(setting(&instance, rules.clone(), None), NAME)?;
    refuse(&ground)?;
    let n = Affine::N - Affine::number(i64::from(region.at_least));
    let conditions = with_counts(&ground, region, vec![n]);
    merged::state(&ground, conditions, instance.goal)
}

/// A program over a ground form: for one n, or for all that are no fewer than the views.
pub(super) fn part_of(
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
    Ok(rows::builder(
        ground,
        conditions,
        instance.goal,
        (Counts::Formulas, beside),
    )
    .program)
}

/// Refuses what is not affine in n and f, and what rows for every n do not say.
fn refuse(ground: &Ground) -> Result<(), Error> {
    let unsupported = |(construct, hint): (String, &str)| unsupported(&construct, hint);
    let refused = not_affine(ground).or_else(|| not_counted(ground));
    refused.map(unsupported).map_or(Ok(()), Err)
}

/// A count that is not affine in n and f, or two that are not told apart, and what to do.
fn not_affine(ground: &Ground) -> Option<(String, &'static str)> {
    let rules = &ground.setting.rules;
    let (n, f) = (ground.setting.total(), ground.setting.f);
    let guards = rules.rules.iter().flat_map(Rule::guards);
    let mut counts: Vec<Count> = Vec::new();
    for guard in guards {
        if let Reads::Senders(number) = &guard.reads {
            let count = rules.count(number);
            if count.divisor != 1 {
                let hint = "use a protocol whose counts are sums of n, f and numbers";
                return Some((format!("the fraction `{count}`"), hint));
            }
            let same = counts.iter().find(|it| it.of(n, f) == count.of(n, f));
            if same.is_some_and(|it| *it != count) {
                let hint = "let the file have one formula for it";
                return Some((format!("`{count}` beside another formula"), hint));
            }
            counts.push(count);
        }
    }
    None
}

/// What does not look the same to every replica, or rows do not say, and what to do.
pub(super) fn not_counted(ground: &Ground) -> Option<(String, &'static str)> {
    let rules = &ground.setting.rules;
    if rules.chain {
        return Some(("a chain".to_owned(), "use a protocol of unrelated values"));
    }
    let views = ground.setting.views as usize;
    let named: BTreeSet<u32> = ground.setting.primaries[..views].iter().copied().collect();
    if named.contains(&(ground.setting.replicas() - 1)) {
        return Some((format!("{views} views"), "ask for fewer views"));
    }
    let act = rows::reads_own(ground)?;
    let rule = rules.text(&rules.rules[act.rule]);
    let what = format!("what is done anywhere and reads own records (rule `{rule}`)");
    Some((what, "let it be done in its view"))
}
