//! Points of the program are schedules that the interpreter follows.

use super::{
    executions::interpret,
    setting::{Difference, Until, settings, words},
};
use crate::Error;
use milp_model::{
    Decoded,
    Error::Refused,
    formulation::levels::{Built, Key},
    program::{Col, FamilyId, Program, Row},
};
use milp_schema::{Instance, instance::Goal, schedule::Event};
use milp_solver::Settings;
use std::collections::BTreeMap;

/// A point that is refused so often is given up.
const MOST_REFUSED: u64 = 30;

/// What random corners of one program showed.
#[derive(Debug, Clone, Default)]
pub struct Corners {
    /// The setting in words.
    pub setting: String,
    /// How many objectives were drawn.
    pub tried: u64,
    /// How many of their points the interpreter followed.
    pub followed: u64,
    /// How many of those decide something.
    pub decide: u64,
    /// How often a point was refused and the program solved again.
    pub refused: u64,
    /// Why, as often as it was said.
    pub reasons: BTreeMap<String, u64>,
    /// How many objectives had a point that was refused.
    pub again: u64,
    /// How many had all the points refused that were tried.
    pub given_up: u64,
    /// How many had no point within what a search may take.
    pub none: u64,
    /// How many points the interpreter did not follow.
    pub wrong: u64,
    /// The shortest of them.
    pub differs: Option<Difference>,
}

/// Pulls a program towards random corners, and follows what comes out.
///
/// # Errors
/// A solver that breaks down.
pub fn corners(
    instance: &Instance,
    built: &Built,
    seeds: u64,
    until: &Until<'_>,
) -> Result<Corners, Error> {
    let everything = !matches!(instance.goal, Goal::Fork);
    let mut found = Corners {
        setting: format!(
            "{}, {}",
            words(instance),
            if everything {
                "everything"
            } else {
                "decisions"
            }
        ),
        ..Corners::default()
    };
    for seed in 0..seeds {
        if until.over() {
            break;
        }
        found.tried += 1;
        corner(instance, built, seed, until, &mut found)?;
    }
    Ok(found)
}

/// The program, pulled towards a corner: by small weights, of what decides or of everything.
fn pulled(instance: &Instance, built: &Built, seed: u64) -> Program {
    let mut program = built.program.clone();
    let mut weight = milp_solver::weights(seed);
    let decides = instance.goal == Goal::Fork || seed % 4 == 3;
    let is_block = |col: &Col| matches!(built.key(*col), Key::Goal("block", _));
    let more = |col: Col| if decides && is_block(&col) { 15 } else { 0 };
    let all = (0..program.columns.len() as u32).map(Col);
    if instance.goal == Goal::Fork {
        let blocks = all.clone().filter(is_block);
        program.rows.push(Row {
            name: "something_is_decided".into(),
            family: FamilyId(0),
            terms: blocks.map(|col| (col, 1)).collect(),
            lower: Some(1),
            upper: None,
        });
    }
    program.objective = all
        .map(|col| (col, weight() + more(col)))
        .filter(|&(_, weight)| weight != 0)
        .collect();
    program
}

/// The schedule of a point near the corner; points that are refused are cut off.
fn drawn(
    built: &Built,
    mut program: Program,
    until: &Until<'_>,
    found: &mut Corners,
) -> Result<Option<Decoded>, Error> {
    for refused in 0..MOST_REFUSED {
        if refused > 0 && until.over() {
            break;
        }
        // Any good point will do: the first two of a few nodes, not the best.
        let option = |name: &str, value: u32| (name.to_owned(), value.to_string());
        let settings = Settings {
            options: vec![
                option("mip_max_nodes", 20),
                option("mip_max_improving_sols", 2),
            ],
            ..settings(until.left().max(0.1))
        };
        let solved = milp_solver::solve(&program, &settings, until.clock.interrupt, &mut |_| {})?;
        let Some(point) = solved.point else {
            found.none += 1;
            return Ok(None);
        };
        match built.decode(&point) {
            Err(Refused { row, why }) => {
                *found.reasons.entry(why).or_default() += 1;
                program.rows.push(*row);
            }
            decoded => return decoded.map(Some).map_err(Error::from),
        }
        found.refused += 1;
        found.again += u64::from(refused == 0);
    }
    found.given_up += 1;
    Ok(None)
}

fn corner(
    instance: &Instance,
    built: &Built,
    seed: u64,
    until: &Until<'_>,
    found: &mut Corners,
) -> Result<(), Error> {
    let decoded = drawn(built, pulled(instance, built, seed), until, found)?;
    let Some(decoded) = decoded else {
        return Ok(());
    };
    let instance = &Instance {
        slots: decoded.slots,
        ..instance.clone()
    };
    let (faulty, schedule) = (decoded.faulty, decoded.schedule);
    let what = match interpret(instance, &faulty, &schedule) {
        Ok(replayed) if replayed.verdict.confirms() => {
            found.followed += 1;
            let mut events = schedule.predictions.iter().map(|it| &it.event);
            found.decide += u64::from(events.any(|it| matches!(it, Event::Decide(_))));
            return Ok(());
        }
        Ok(replayed) => replayed.verdict.notes.join("; "),
        Err(why) => why.to_string(),
    };
    found.wrong += 1;
    let length = schedule.choices.len();
    let shorter = |it: &Difference| it.schedule.choices.len() <= length;
    if !found.differs.as_ref().is_some_and(shorter) {
        found.differs = Some(Difference {
            what,
            instance: instance.clone(),
            faulty,
            schedule,
        });
    }
    Ok(())
}
