//! The same program at one n: formulation `counting` of protocol files.
//!
//! Its size does not depend on n. What looks the same to every replica can be counted; primaries of the
//! views have names, and at least one replica leads none of them. A point says how many take which
//! step: who takes which is dealt out, and replicas that run to completion say whether it is an
//! execution (`decode`).

use super::{
    build::not_counted,
    decode::{Counted, followed},
    program::Kind,
    question::{Counts, NAME, VALUES, setting_with},
    rows::{self, Walker},
};
use crate::{
    decoded::Decoded,
    error::Error,
    formulation::{levels, refuse::unsupported},
    ground::{Beside, Ground, Record, Values},
    limits::{self, Grows},
    meaning::{Expression, Meaning},
    program::{Col, Family, FamilyId, Program, Row, Tag},
};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Who},
    protocol::Rules,
};
use std::collections::BTreeMap;

/// The row of points that replicas do not follow.
const NOT_FOLLOWED: FamilyId = FamilyId(1);

/// A program of this formulation and what its columns count.
#[derive(Debug)]
pub struct Built {
    /// The program to solve.
    pub program: Program,
    pub(super) instance: Instance,
    pub(super) ground: Ground,
    pub(super) kinds: Vec<Kind>,
    pub(super) walkers: Vec<Walker>,
    pub(super) anywhere: BTreeMap<usize, usize>,
    pub(super) opens: BTreeMap<usize, usize>,
    pub(super) said: BTreeMap<Vec<Record>, usize>,
}

/// Builds the program of an instance, with two values.
///
/// # Errors
/// As for [`of_one_with`].
pub fn of_one(instance: &Instance) -> Result<Built, Error> {
    of_one_with(instance, VALUES)
}

/// Builds the program of an instance, with so many values; with fewer where there are no more.
///
/// # Errors
/// [`Error::Unsupported`] names what is not counted, [`Error::TooLarge`] what makes it too large.
pub fn of_one_with(instance: &Instance, values: u32) -> Result<Built, Error> {
    let rules = refuse(instance)?;
    limits::within(instance, Grows::WithViews, || {
        stated(instance, rules, values)
    })
}

fn stated(instance: &Instance, rules: Rules, values: u32) -> Result<Built, Error> {
    let ground = Ground::new(setting_with(instance, rules, None, values), NAME)?;
    if let Some((construct, hint)) = not_counted(&ground) {
        unsupported(NAME, &construct, hint)?;
    }
    let none = ground.quorums.iter().any(|it| it.at_least == 0);
    if none {
        let construct = "a count of nobody";
        unsupported(NAME, construct, "use `formulation: levels`")?;
    }
    let beside = (Counts::Numbers, Beside::default());
    let builder = rows::builder(&ground, Vec::new(), instance.goal, beside);
    let byzantine = instance.fault_count(FaultKind::Byzantine);
    let at = [instance.replicas, instance.f(), byzantine].map(i64::from);
    let mut program = builder.program.at(at);
    let family = |name, line, tag| Family::new(name, line, tag);
    program.families = vec![
        family("counts", "E3", Tag::Legal),
        family("not_followed", "E55", Tag::Budget),
    ];
    let kinds = builder.program.columns.iter().map(|it| it.kind).collect();
    let (walkers, anywhere) = (builder.walkers, builder.anywhere);
    let (opens, said) = (builder.opens, builder.said);
    Ok(Built {
        program,
        instance: instance.clone(),
        kinds,
        walkers,
        anywhere,
        opens,
        said,
        ground,
    })
}

/// The rules, if what is asked of them can be counted.
fn refuse(instance: &Instance) -> Result<Rules, Error> {
    let levels = "use `formulation: levels`";
    let counted = matches!(instance.goal, Goal::Fork | Goal::Finality);
    let named = |who: &Who| !matches!(who, Who::Any(_));
    let reasons = [
        (
            instance.power.is_some(),
            "voting power, which is not the same for all",
        ),
        (!counted, "a goal other than `fork` and `finality`"),
        (
            instance.faults.iter().any(|it| named(&it.who)),
            "faulty replicas that have names",
        ),
    ];
    let reason = reasons.iter().find(|(refused, _)| *refused);
    reason.map_or(Ok(()), |(_, construct)| {
        unsupported(NAME, construct, levels)
    })?;
    levels::takes(instance).map_err(|error| match error {
        Error::Unsupported {
            construct, hint, ..
        } => Error::Unsupported {
            formulation: NAME,
            construct,
            hint,
        },
        other => other,
    })
}

impl Built {
    /// The schedule a point of the program stands for.
    ///
    /// # Errors
    /// [`Error::Refused`] if replicas that run to completion do not take these steps, with a row that
    /// cuts off all points with the same quorums and primaries.
    pub fn decode(&self, point: &[i64]) -> Result<Decoded, Error> {
        let counted = Counted {
            walkers: &self.walkers,
            anywhere: &self.anywhere,
        };
        let seats = |walker: &Walker| -> Vec<u32> {
            let all = 0..self.instance.replicas;
            all.filter(|i| std::ptr::eq(self.walker(*i), walker))
                .collect()
        };
        let decoded = followed(&self.instance, self.ground.clone(), &counted, &seats, point);
        decoded.map_err(|error| match error {
            Error::Refused { why, .. } => Error::Refused {
                why,
                row: Box::new(self.cut(point)),
            },
            other => other,
        })
    }

    /// Where a replica is counted: in the first walker, the pool, unless it has a name.
    pub(super) fn walker(&self, i: u32) -> &Walker {
        let mut named = self.walkers.iter().filter(|it| !it.is_pool);
        named
            .find(|it| it.id == i)
            .unwrap_or_else(|| &self.walkers[0])
    }

    /// `Σ (what is 0) + Σ (1 − what is 1) ≥ 1`.
    fn cut(&self, point: &[i64]) -> Row {
        let columns = self.kinds.iter().zip(0..).zip(point);
        let binary = columns.filter(|((kind, _), _)| **kind != Kind::Count);
        let terms: Vec<(Col, i64)> = binary
            .map(|((_, col), value)| (Col(col), 1 - 2 * value))
            .collect();
        let ones = terms.iter().filter(|it| it.1 < 0).count() as i64;
        Row {
            name: "not_followed".to_owned(),
            family: NOT_FOLLOWED,
            terms,
            lower: Some(1 - ones),
            upper: None,
        }
    }

    /// How many values the program has, if an optimum of so many decided leaves open whether more
    /// can be.
    pub fn values(&self) -> Option<u32> {
        match self.ground.setting.values {
            Values::Abstract {
                count,
                others: true,
            } => Some(count),
            _ => None,
        }
    }

    /// What the columns say in words of the protocol: who is Byzantine, which quorums are there, and
    /// how many take a step.
    pub fn meaning(&self) -> Meaning {
        let named = |number: usize| Expression {
            name: self.program.columns[number].name.clone(),
            terms: vec![(Col(number as u32), 1)],
        };
        let byzantine: Vec<usize> = self.walkers.iter().map(|it| it.byzantine).collect();
        let of_kind = |wanted: Kind| {
            let all = self.kinds.iter().enumerate();
            let all = all.filter(move |(_, kind)| **kind == wanted);
            all.map(|it| it.0).filter(|it| !byzantine.contains(it))
        };
        let kinds = [Kind::Binary, Kind::Unit, Kind::Count];
        Meaning {
            faulty_parts: byzantine.iter().copied().map(named).collect(),
            acts: kinds.into_iter().flat_map(of_kind).map(named).collect(),
            ..Meaning::default()
        }
    }
}
