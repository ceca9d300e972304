//! From a point at one n to a schedule: who takes which steps, and then what replicas do.

use super::{
    family::Point,
    question::{Counts, NAME, rules_of, setting, unsupported},
    rows::{self, Walker},
};
use crate::{
    decoded::Decoded,
    error::Error,
    formulation::levels,
    ground::{Act, Beside, Ground},
};
use milp_schema::{Every, Height, Instance, View};
use std::collections::{BTreeMap, BTreeSet};

/// The schedule of a point of the program for all n that are no fewer than the views; `instance` is
/// the question for its n.
///
/// # Errors
/// [`Error::Refused`] if replicas do not do what the point says; [`Error::Unsupported`] where the
/// protocol has no program for every n, or other acts at this n.
pub fn decode(every: &Every, instance: &Instance, point: &Point) -> Result<Decoded, Error> {
    let rules = rules_of(instance)?;
    let nominal = Ground::new(setting(&every.instance, rules.clone(), None), NAME)?;
    let ground = Ground::new(setting(instance, rules, None), NAME)?;
    let same = |a: &[Act], b: &[Act]| {
        let words = |it: &Act| (it.rule, it.letters, it.makes);
        a.len() == b.len() && a.iter().map(words).eq(b.iter().map(words))
    };
    if !same(&nominal.acts, &ground.acts) || !same(&nominal.entries, &ground.entries) {
        return Err(unsupported("acts that n changes", "ask for another n"));
    }
    let builder = rows::builder(
        &nominal,
        Vec::new(),
        instance.goal,
        (Counts::Formulas, Beside::default()),
    );
    let counted = Counted {
        walkers: &builder.walkers,
        anywhere: &builder.anywhere,
    };
    let seats = |walker: &Walker| seats(every, instance, walker);
    followed(instance, ground, &counted, &seats, &point.values)
}

/// What the columns of a point count.
pub(super) struct Counted<'a> {
    pub(super) walkers: &'a [Walker],
    /// The columns of acts that are done wherever one is.
    pub(super) anywhere: &'a BTreeMap<usize, usize>,
}

/// The schedule in which the replicas of each walker's seats take the steps that a point counts.
///
/// # Errors
/// [`Error::Refused`] if replicas do not.
pub(super) fn followed(
    instance: &Instance,
    ground: Ground,
    counted: &Counted<'_>,
    seats: &dyn Fn(&Walker) -> Vec<u32>,
    values: &[i64],
) -> Result<Decoded, Error> {
    let mut dealt = Dealt::default();
    for walker in counted.walkers {
        dealt.deal(walker, seats(walker), values);
    }
    for (act, column) in counted.anywhere {
        if values[*column] > 0 {
            dealt.decide(*act, instance.replicas);
        }
    }
    levels::follow(instance, ground, &dealt.steps, &dealt.byzantine)
}

/// The replicas at an n that a walker stands for: primaries of the same views, or of none.
fn seats(every: &Every, instance: &Instance, walker: &Walker) -> Vec<u32> {
    let led = |n: u32, i: u32| {
        let primary = move |v: &u32| instance.protocol.primary(n, Height(0), View(*v)).0 == i;
        (0..instance.views).filter(primary).collect::<Vec<_>>()
    };
    let views = led(every.instance.replicas, walker.id);
    let mut all = 0..instance.replicas;
    all.by_ref()
        .filter(|i| led(instance.replicas, *i) == views)
        .collect()
}

/// Who takes which steps.
#[derive(Default)]
struct Dealt {
    steps: BTreeSet<levels::Took>,
    byzantine: BTreeSet<u32>,
    decided: BTreeSet<u32>,
}

impl Dealt {
    /// Each seat is Byzantine or goes its way along steps that are left.
    fn deal(&mut self, walker: &Walker, seats: Vec<u32>, values: &[i64]) {
        let mut left: Vec<i64> = walker.took.iter().map(|it| values[*it]).collect();
        let byzantine = usize::try_from(values[walker.byzantine]).unwrap_or(0);
        self.byzantine.extend(seats.iter().take(byzantine));
        for i in seats.into_iter().skip(byzantine) {
            let mut at = Some(0);
            while let Some(node) = at {
                let arcs = walker.walk.arcs.iter().enumerate();
                let mut out = arcs.filter(|(number, arc)| arc.from == node && left[*number] > 0);
                let Some((number, arc)) = out.next() else {
                    break;
                };
                left[number] -= 1;
                self.steps.insert((i, arc.enters, arc.act));
                if arc.to.is_none() {
                    self.decided.insert(i);
                }
                at = arc.to;
            }
        }
    }

    /// An honest replica that decides nothing yet does so by an act.
    fn decide(&mut self, act: usize, n: u32) {
        let free = |i: &u32| !self.byzantine.contains(i) && !self.decided.contains(i);
        if let Some(i) = (0..n).rev().find(free) {
            self.decided.insert(i);
            self.steps.insert((i, false, act));
        }
    }
}
