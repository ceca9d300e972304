//! Under which conditions on n, f and b, the number of Byzantine replicas, no two blocks are decided.

use crate::{Error, every::at_least};
use milp_model::every::{self, Affine, Parametric, Region};
use milp_schema::{Every, certificate::Part, instance::Goal};
use milp_show::words::{count, own};
use milp_solver::{
    Settings,
    every::{Proof, check, prove},
};
use std::sync::atomic::AtomicBool;

/// The most cubes of one proof.
const MOST_CUBES: usize = 300;

/// n up to which every number of Byzantine replicas is asked by itself.
const UP_TO: u32 = 12;

/// What is known.
#[derive(Debug)]
pub struct Resilience {
    /// The weakest conditions n ≥ a·f + c·b + k with a ≤ 3, c ≤ 2 and −1 ≤ k ≤ 3 under which it is
    /// proved for every n: a, c and k, with the certificate.
    pub conditions: Vec<([i64; 3], Vec<Part>)>,
    /// For every n and b whether two blocks can be decided, with f = ⌊(n − 1)/3⌋; none where neither
    /// was found out.
    pub pairs: Vec<([u32; 2], Option<bool>)>,
    /// All of it in a sentence.
    pub sentence: String,
}

impl Resilience {
    /// The pairs for which it is known and which the conditions do not tell from the others.
    pub fn untold(&self) -> impl Iterator<Item = [u32; 2]> + '_ {
        let all = self.pairs.iter();
        let told = |(pair, forks): &&([u32; 2], Option<bool>)| {
            forks.is_none_or(|forks| forks != self.excludes(*pair))
        };
        all.filter(move |it| !told(it)).map(|(pair, _)| *pair)
    }

    /// Whether one of the conditions holds.
    pub fn excludes(&self, [n, b]: [u32; 2]) -> bool {
        let (n, f, b) = (i64::from(n), i64::from((n - 1) / 3), i64::from(b));
        let mut all = self.conditions.iter();
        all.any(|([a, c, k], _)| n >= a * f + c * b + k)
    }
}

/// Looks for the conditions, and asks each n up to twelve by itself.
///
/// # Errors
///
/// As for [`every::solve`](crate::every::solve).
pub fn resilience(
    every: &Every,
    settings: &Settings,
    interrupt: &AtomicBool,
) -> Result<Resilience, Error> {
    if every.instance.goal != Goal::Fork {
        let goal = every.instance.goal.name();
        return Err(Error::Refused(format!(
            "conditions are looked for goal fork, not {goal}: ask for `goal: fork`"
        )));
    }
    let mut conditions: Vec<([i64; 3], Vec<Part>)> = Vec::new();
    for a in 0..=3 {
        for c in 0..=2 {
            for k in -1..=3 {
                let implied =
                    |it: &([i64; 3], Vec<Part>)| it.0[0] <= a && it.0[1] <= c && it.0[2] <= k;
                if conditions.iter().any(implied) {
                    break;
                }
                let region = Region {
                    conditions: vec![Affine([-k, 1, -a, -c]), Affine::F, Affine::B],
                    at_least: every.at_least,
                };
                let programs = every::of(every, &region)?;
                if let Proof::Closed { parts, .. } = prove(
                    &programs,
                    at_least(every.instance.goal),
                    MOST_CUBES,
                    interrupt,
                )? {
                    check(&programs, at_least(every.instance.goal), &parts)
                        .map_err(Error::Refused)?;
                    conditions.push(([a, c, k], parts));
                    break;
                }
            }
        }
    }
    let pairs = pairs(every, settings, interrupt)?;
    let mut found = Resilience {
        conditions,
        pairs,
        sentence: String::new(),
    };
    found.sentence = sentence(every, &found);
    Ok(found)
}

/// n and b, and whether two blocks can be decided there, if that is known.
type Pair = ([u32; 2], Option<bool>);

fn pairs(every: &Every, settings: &Settings, interrupt: &AtomicBool) -> Result<Vec<Pair>, Error> {
    let programs = programs(every)?;
    let mut pairs = Vec::new();
    for n in every.at_least.max(3)..=UP_TO {
        for b in 0..n - 1 {
            let point = [n, (n - 1) / 3, b].map(i64::from);
            let Some(program) = programs.iter().find(|it| it.covers(point)) else {
                continue;
            };
            let program = program.at(point);
            let solved = milp_solver::solve(&program, settings, interrupt, &mut |_| {})?;
            let forks = solved
                .primal
                .is_some_and(|it| it >= at_least(every.instance.goal));
            pairs.push(([n, b], (forks || solved.proved).then_some(forks)));
        }
    }
    Ok(pairs)
}

/// Programs that say what can be done, in a number of views.
fn programs(every: &Every) -> Result<Vec<Parametric>, Error> {
    let mut few = every.clone();
    if let (true, Some(one)) = (every.any_views, every.of(every.at_least)) {
        few.any_views = false;
        few.instance.views = one.views;
    }
    let region = Region {
        conditions: vec![Affine::F, Affine::B],
        at_least: every.at_least,
    };
    Ok(every::of(&few, &region)?)
}

/// `n ≥ 2f + b + 1`.
fn formula([a, c, k]: [i64; 3]) -> String {
    let term = |number: i64, name: &str| match number {
        0 => None,
        1 => Some(name.to_owned()),
        _ => Some(format!("{number}{name}")),
    };
    let constant = (k != 0).then(|| k.to_string());
    let terms = [term(a, "f"), term(c, "b"), constant];
    let sum: Vec<String> = terms.into_iter().flatten().collect();
    let sum = if sum.is_empty() {
        "0".to_owned()
    } else {
        sum.join(" + ")
    };
    format!("n ≥ {}", sum.replace("+ -", "- "))
}

fn sentence(every: &Every, found: &Resilience) -> String {
    let views = if every.any_views {
        "in any number of views".to_owned()
    } else {
        format!("within {}", count(every.instance.views.into(), "view"))
    };
    let formulas: Vec<String> = found.conditions.iter().map(|it| formula(it.0)).collect();
    let proved = if formulas.is_empty() {
        "no condition of this form was proved".to_owned()
    } else {
        format!(
            "at most 1 block can be decided where {}: proved (for every n, f and b, exactly)",
            formulas.join(" or ")
        )
    };
    let known: Vec<[u32; 2]> = (found.pairs.iter())
        .filter(|it| it.1.is_some())
        .map(|it| it.0)
        .collect();
    let untold: Vec<String> = found
        .untold()
        .map(|[n, b]| format!("{n} with b = {b}"))
        .collect();
    let told = known.len() - untold.len();
    let rest = match untold.as_slice() {
        [] => String::new(),
        some => format!("; not so n = {}", some.join(", ")),
    };
    let said = format!(
        "at height 0, with b Byzantine replicas of n, {views}: {proved}; for f = ⌊(n − 1)/3⌋ and n ≤ {UP_TO} \
         2 blocks can be decided exactly where not, {told} of {} programs solved by themselves say{rest}",
        found.pairs.len()
    );
    own(every.instance.protocol, &said)
}
