//! Attacks for every n: a base and steps, checked in whole numbers, and what they leave out.

use super::{program_file::program_json, words};
use crate::{
    Error,
    confirm::{Engine, How},
    folder::{ASKED, Driven, FAMILY, MEMBERS, PROGRAM, REST, REST_PROOF},
};
use milp_model::every::{self, Affine, Family, Parametric, Point, Region, at_least};
use milp_schema::{
    Every, Evidence, Verdict,
    certificate::Part,
    instance::Goal,
    verdict::{Holds, Liveness},
    write,
};
use milp_show::words::{count, own};
use milp_solver::{
    Settings, Solved,
    every::{Proof, prove},
    solve,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::atomic::AtomicBool,
};

mod kept;

pub use kept::{is_family, read, verify};

/// The largest f at which a base is looked for.
const MOST_F: i64 = 3;

/// The most cubes of a proof of what is left out.
const MOST_CUBES: usize = 2_000;

/// Seconds for one base and its steps.
const SECONDS: f64 = 30.0;

/// One replica more.
const REPLICA: [i64; 3] = [1, 0, 0];

/// `family.yaml`.
#[derive(Debug, Serialize)]
struct Said {
    format: String,
    /// What can be done for every n, and what is proved of the others.
    pub sentence: String,
    program_sha256: String,
    members_sha256: String,
    /// Of the proof that there is no attack elsewhere, if there is one.
    rest_sha256: Option<String>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Whole {
    /// The question, of a number of views.
    pub every: Every,
    /// The program for all n that are no fewer than the views.
    pub program: Parametric,
    /// Bases and steps.
    pub families: Vec<Family>,
    /// Programs of what they leave out, and why there is no attack.
    rest: Option<(Vec<Parametric>, Vec<Part>)>,
}

/// The steps from one f to the next one.
fn tolerated(every: &Every) -> [i64; 3] {
    [3, 1, every.byzantine.f]
}

/// Where n = 3f + r.
fn place(every: &Every, f: i64, r: i64) -> [i64; 3] {
    [
        3 * f + r,
        f,
        every.byzantine.f * f + every.byzantine.constant,
    ]
}

/// Looks for attacks for every n; none where there is no base, or no step that fits one.
///
/// # Errors
/// When a solver breaks down.
pub(super) fn find(
    every: &Every,
    settings: &Settings,
    interrupt: &AtomicBool,
) -> Result<Option<Whole>, Error> {
    let every = every.in_few_views();
    let programs = every::of(&every, &Region::of(&every))?;
    let Some(program) = programs.last().cloned() else {
        return Ok(None);
    };
    let search =
        |base, steps: &[[i64; 3]]| family(&program, &every, (base, steps), settings, interrupt);
    let tolerated = tolerated(&every);
    let mut families = Vec::new();
    for f in 0..=MOST_F {
        if families.is_empty() {
            families.extend(search(place(&every, f, 1), &[REPLICA, tolerated])?);
        }
    }
    if families.is_empty() {
        for r in 1..=3 {
            let mut found = None;
            for f in 0..=MOST_F {
                if found.is_none() {
                    found = search(place(&every, f, r), &[tolerated])?;
                }
            }
            families.extend(found);
        }
    }
    if families.is_empty() {
        return Ok(None);
    }
    // Where all f ≥ 1 have attacks, so may f = 0.
    if families.iter().all(|it| is_all(it) && it.base.at[1] == 1) {
        let mut found = None;
        for n in 1..=4 {
            if found.is_none() {
                found = search(place(&every, 0, n), &[REPLICA])?;
            }
        }
        families.extend(found);
    }
    let rest = rest(&every, &families)?;
    let rest = match prove(&rest, at_least(every.instance.goal), MOST_CUBES, interrupt)? {
        Proof::Closed { parts, .. } if !rest.is_empty() => Some((rest, parts)),
        _ => None,
    };
    Ok(Some(Whole {
        every,
        program,
        families,
        rest,
    }))
}

/// A base at a place and such steps, if there are.
fn family(
    program: &Parametric,
    every: &Every,
    (base, steps): ([i64; 3], &[[i64; 3]]),
    settings: &Settings,
    interrupt: &AtomicBool,
) -> Result<Option<Family>, Error> {
    if !program.covers(base) {
        return Ok(None);
    }
    let least = at_least(every.instance.goal);
    let all = Family::program(program, least, base, steps);
    let settings = Settings {
        prove: false,
        warm_start: None,
        time_limit_seconds: settings.time_limit_seconds.min(SECONDS),
        ..settings.clone()
    };
    let Solved { point, .. } = solve(&all, &settings, interrupt, &mut |_| {})?;
    let Some(point) = point else { return Ok(None) };
    let family = Family::of(program, base, steps, &point);
    family.check(program, least).map_err(Error::Refused)?;
    // Where replicas complete a quorum by themselves, they may have to do more than rows say.
    let first = driven(every, &family.base, Path::new("."));
    let followed = first.and_then(|it| it.confirm(&Engine::Own, How::default()));
    let shown = followed.is_ok_and(|it| shows(every.instance.goal, &it.verdict));
    Ok(shown.then_some(family))
}

/// The schedule of a point, where f = ⌊(n − 1)/3⌋.
fn driven(every: &Every, point: &Point, dir: &Path) -> Result<Driven, Error> {
    let n = u32::try_from(point.at[0]).unwrap_or(0);
    let instance = every.of(n);
    let mut instance = instance
        .ok_or_else(|| Error::Refused(format!("no instance has {}", count(n.into(), "replica"))))?;
    let decoded = every::decode(every, &instance, point)?;
    instance.slots = decoded.slots;
    Ok(Driven {
        dir: dir.to_owned(),
        instance,
        faulty: decoded.faulty,
        schedule: decoded.schedule,
        predicted: true,
        edited: false,
    })
}

/// Whether replicas did as predicted, and what is bad.
fn shows(goal: Goal, verdict: &Verdict) -> bool {
    verdict.confirms()
        && match goal {
            Goal::Finality => verdict.finality == Holds::Violated,
            Goal::Stall => verdict.termination == Liveness::Stuck,
            _ => verdict.agreement == Holds::Violated,
        }
}

/// Where no attack is claimed: fewer tolerated, and n too large for one.
fn rest(every: &Every, families: &[Family]) -> Result<Vec<Parametric>, Error> {
    let mut conditions = Vec::new();
    let least = families.iter().map(|it| it.base.at[1]).min().unwrap_or(0);
    if let Some(few) = families.iter().find(|it| !grows(it)) {
        let fewer = Affine([few.base.at[0] - 1, -1, 0, 0]);
        if few.base.at[0] > i64::from(every.at_least) {
            conditions.push(vec![-Affine::F, fewer]);
        }
    } else if least > 0 {
        conditions.push(vec![Affine([least - 1, 0, -1, 0])]);
    }
    conditions.extend(left_out(families).into_iter().map(|(r, more)| {
        let n = Affine([-r, 1, -3, 0]);
        if more { vec![n] } else { vec![n, -n] }
    }));
    let mut programs = Vec::new();
    for condition in conditions {
        let mut region = Region::of(every);
        region.conditions.extend(condition);
        programs.extend(every::of(every, &region)?);
    }
    Ok(programs)
}

/// The r such that no family has n = 3f + r, and whether none has more either.
fn left_out(families: &[Family]) -> Vec<(i64, bool)> {
    if families.iter().any(is_all) {
        return Vec::new();
    }
    let residues: BTreeSet<i64> = families.iter().map(residue).collect();
    let last = residues.last().copied().unwrap_or(0);
    let missing = (1..=3).filter(|r| !residues.contains(r));
    let mut all: Vec<(i64, bool)> = missing.map(|r| (r, r > last)).collect();
    all.truncate(
        all.iter()
            .position(|it| it.1)
            .map_or(all.len(), |it| it + 1),
    );
    all
}

/// Whether all n > 3f are members, from some f on.
fn is_all(family: &Family) -> bool {
    family.steps.len() > 1
}

/// Whether there are members of every f, from some f on.
fn grows(family: &Family) -> bool {
    family.steps.iter().any(|it| it.at[1] > 0)
}

/// n − 3f of all members where f grows.
fn residue(family: &Family) -> i64 {
    family.base.at[0] - 3 * family.base.at[1]
}

impl Whole {
    /// All of it in a sentence.
    pub fn sentence(&self) -> String {
        let Self {
            every, families, ..
        } = self;
        let goal = every.instance.goal;
        let places = families.iter().map(|it| {
            let [n, f, _] = it.base.at;
            match (grows(it), is_all(it)) {
                (false, _) => format!("f = {f} and every n ≥ {n}"),
                (true, false) => format!("every f ≥ {f} and n = 3f + {}", residue(it)),
                (true, true) => format!("every f ≥ {f} and every n > 3f"),
            }
        });
        let places: Vec<String> = places.collect();
        let bases = families.iter().map(|it| it.base.at[0]);
        let bases: BTreeSet<String> = bases.map(|n| n.to_string()).collect();
        let bases: Vec<String> = bases.into_iter().collect();
        let steps = families.iter().map(|it| it.steps.len()).max().unwrap_or(0);
        let said = format!(
            "{}, {}, for {}, {}: a point of the program for each of them, in exact integers (a base and {}), \
             which replicas follow where n = {}{}",
            words::bad(goal),
            words::setting(every),
            places.join(", and "),
            words::views(every),
            count(steps as i64, "step"),
            bases.join(" and "),
            self.others()
        );
        own(every.instance.protocol, &said)
    }

    /// What is proved of the others.
    fn others(&self) -> String {
        let least = self.families.iter().map(|it| it.base.at[1]).min();
        let few = match self.families.iter().find(|it| !grows(it)) {
            Some(none) => {
                let n = none.base.at[0];
                (n > i64::from(self.every.at_least)).then(|| format!("n ≤ {}", n - 1))
            }
            None => least.filter(|it| *it > 0).map(|it| match it {
                1 => "f = 0".to_owned(),
                more => format!("f ≤ {}", more - 1),
            }),
        };
        let others = left_out(&self.families).into_iter();
        let others = others.map(|(r, more)| format!("n {} 3f + {r}", if more { "≥" } else { "=" }));
        let places: Vec<String> = few.into_iter().chain(others).collect();
        let Some((_, parts)) = &self.rest else {
            let silent = if places.is_empty() {
                ""
            } else {
                "; nothing is said of others"
            };
            return silent.to_owned();
        };
        let bounds = parts.iter().filter(|it| matches!(it, Part::Bound { .. }));
        format!(
            "; where {} {}: {}",
            places.join(" or "),
            words::good(self.every.instance.goal),
            words::proved(bounds.count(), 0)
        )
    }

    /// The files, beside those of the smallest n.
    ///
    /// # Errors
    /// When a program has no text.
    pub fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let goal = self.every.instance.goal;
        let program = program_json(std::slice::from_ref(&self.program), goal)?;
        let parts = self.families.iter().flat_map(|it| self.parts(it)).collect();
        let members = write::certificate_csv(&Evidence { parts });
        let mut files = Vec::new();
        let mut rest_sha256 = None;
        if let Some((programs, parts)) = &self.rest {
            let parts = parts.clone();
            let proof = write::certificate_csv(&Evidence { parts });
            rest_sha256 = Some(write::sha256_hex(proof.as_bytes()));
            files.extend([(REST, program_json(programs, goal)?), (REST_PROOF, proof)]);
        }
        let said = Said {
            format: "milp-family/2.0".to_owned(),
            sentence: self.sentence(),
            program_sha256: write::sha256_hex(program.as_bytes()),
            members_sha256: write::sha256_hex(members.as_bytes()),
            rest_sha256,
        };
        files.extend([
            (FAMILY, write::yaml(&said)),
            (ASKED, write::every_yaml(&self.every)),
            (PROGRAM, program),
            (MEMBERS, members),
        ]);
        let files = files.into_iter();
        Ok(files
            .map(|(name, text)| (name.to_owned(), text.into_bytes()))
            .collect())
    }

    /// What is not 0 of a family.
    fn parts(&self, family: &Family) -> Vec<Part> {
        let values = |point: &Point| -> Vec<(String, i64)> {
            let names = self.program.columns.iter().map(|it| it.name.clone());
            let columns = names
                .zip(point.values.iter().copied())
                .filter(|it| it.1 != 0);
            let at = ["n", "f", "b"].into_iter().map(str::to_owned).zip(point.at);
            at.chain(columns).collect()
        };
        let base = values(&family.base).into_iter();
        let base = base.map(|(column, value)| Part::Base { column, value });
        let steps = family.steps.iter().flat_map(values);
        let steps = steps.map(|(column, value)| Part::Step { column, value });
        base.chain(steps).collect()
    }

    /// The schedule at an n, with f = ⌊(n − 1)/3⌋.
    ///
    /// # Errors
    /// When no member has that n, or replicas do not do what it says.
    pub fn at(&self, n: u32, dir: &Path) -> Result<Driven, Error> {
        let f = i64::from(n.saturating_sub(1) / 3);
        let place = place(&self.every, f, i64::from(n) - 3 * f);
        let members = self.families.iter().filter_map(|it| it.at(place));
        let member = members.into_iter().next();
        let member = member.ok_or_else(|| {
            let n = count(n.into(), "replica");
            Error::Refused(format!("the attack has no member with {n}"))
        })?;
        driven(&self.every, &member, dir)
    }
}
