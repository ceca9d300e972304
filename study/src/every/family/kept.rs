//! Attacks for every n as they lie in the folder of a result.

use super::{REPLICA, Whole, place, residue, rest, shows, tolerated};
use crate::{
    Error,
    confirm::{Engine, How},
    folder::{ASKED, FAMILY, MEMBERS, REST_PROOF, sha256},
};
use milp_model::every::{self, Family, Parametric, Point, Region, at_least};
use milp_schema::{certificate::Part, read, write};
use milp_solver::every::check;
use std::{collections::BTreeMap, path::Path};

/// Whether a result is one of an attack for every n as well.
pub fn is_family(dir: &Path) -> bool {
    dir.join(FAMILY).is_file()
}

/// Reads the attack for every n in the folder of a result; its base and steps are checked.
///
/// # Errors
/// When a file is missing or broken, or the base and the steps are no attack.
pub fn read(dir: &Path) -> Result<Whole, Error> {
    let question = dir.join(ASKED);
    let every = read::every_of_result(&question)?;
    let every = every.ok_or_else(|| {
        Error::Refused(format!(
            "{} asks for one number of replicas",
            question.display()
        ))
    })?;
    let programs = every::of(&every, &Region::of(&every))?;
    let program = programs.into_iter().next_back();
    let program =
        program.ok_or_else(|| Error::Refused("no program has so many views".to_owned()))?;
    let families = members(&program, &read::certificate(&dir.join(MEMBERS))?.parts)?;
    let least = at_least(every.instance.goal);
    for family in &families {
        family.check(&program, least).map_err(Error::Refused)?;
        let tolerated = tolerated(&every);
        let steps: Vec<[i64; 3]> = family.steps.iter().map(|it| it.at).collect();
        let [_, f, b] = family.base.at;
        let known = steps == [tolerated]
            || (steps == [REPLICA, tolerated] && residue(family) == 1)
            || (steps == [REPLICA] && f == 0);
        if !known || b != place(&every, f, 0)[2] {
            return Err(Error::Refused("the steps lead past some n".to_owned()));
        }
    }
    let rest = if dir.join(REST_PROOF).is_file() {
        let programs = rest(&every, &families)?;
        let parts = read::certificate(&dir.join(REST_PROOF))?.parts;
        check(&programs, least, &parts).map_err(Error::Refused)?;
        Some((programs, parts))
    } else {
        None
    };
    Ok(Whole {
        every,
        program,
        families,
        rest,
    })
}

/// The families of a file.
fn members(program: &Parametric, parts: &[Part]) -> Result<Vec<Family>, Error> {
    let columns = program.columns.iter().enumerate();
    let columns: BTreeMap<&str, usize> = columns.map(|(at, it)| (it.name.as_str(), at)).collect();
    let none = || Point {
        at: [0; 3],
        values: vec![0; program.columns.len()],
    };
    let mut families: Vec<Family> = Vec::new();
    for part in parts {
        let (column, value) = match part {
            Part::Base { column, value } if column == "n" => {
                families.push(Family {
                    base: none(),
                    steps: Vec::new(),
                });
                (column, value)
            }
            Part::Step { column, value } if column == "n" => {
                if let Some(last) = families.last_mut() {
                    last.steps.push(none());
                }
                (column, value)
            }
            Part::Base { column, value } | Part::Step { column, value } => (column, value),
            _ => return Err(Error::Refused("a family has bases and steps".to_owned())),
        };
        let last = families.last_mut();
        let point = match part {
            Part::Step { .. } => last.and_then(|it| it.steps.last_mut()),
            _ => last.filter(|it| it.steps.is_empty()).map(|it| &mut it.base),
        };
        let point = point
            .ok_or_else(|| Error::Refused("a family begins with the n of its base".to_owned()))?;
        let at = ["n", "f", "b"].iter().position(|it| it == column);
        let place = match (at, columns.get(column.as_str())) {
            (Some(at), _) => &mut point.at[at],
            (None, Some(at)) => &mut point.values[*at],
            (None, None) => {
                return Err(Error::Refused(format!(
                    "the program has no column {column}"
                )));
            }
        };
        *place = *value;
    }
    Ok(families)
}

/// What the folder of an attack for every n claims, and what is not so.
///
/// # Errors
/// When a file is missing or broken, or the base and the steps are no attack.
pub fn verify(dir: &Path) -> Result<(String, Vec<String>), Error> {
    let whole = read(dir)?;
    let mut differences = Vec::new();
    for (name, text) in whole.files()? {
        if write::sha256_hex(&text) != sha256(&dir.join(&name))? {
            differences.push(format!("{name} is not what is derived again"));
        }
    }
    let smallest = whole.families.iter().map(|it| it.base.at[0]).min();
    for n in smallest.into_iter().flat_map(|n| [n, n + 3]) {
        let verdict = whole
            .at(n as u32, dir)?
            .confirm(&Engine::Own, How::default())?
            .verdict;
        if !shows(whole.every.instance.goal, &verdict) {
            differences.push(format!(
                "with {n} replicas the replay shows no attack: {}",
                verdict.notes.join("; ")
            ));
        }
    }
    Ok((whole.sentence(), differences))
}
