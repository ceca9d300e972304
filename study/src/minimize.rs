//! Among all schedules with the same value one with the fewest acts of the adversary.
//!
//! Stage by stage in the order of [`Act::ALL`](milp_schema::Act::ALL): the value is fixed, the counts of the stages
//! before are fixed at their minimum, the next count is minimised. Each stage is a solve with a
//! certificate of its own, so the whole is minimal in this lexicographic order; of a result of
//! formulation `levels` only the first kind is. The schedule is replayed before it is offered: no divergence, and the verdict of the one before.

mod delete;
mod fewest;
mod levels;
mod offer;

use crate::{
    Error,
    clock::Clock,
    deepen::Execution,
    evidence,
    folder::{self, CUTS, Driven, Folder, LEMMAS, RESULTS, SHOWN, is_there},
    solve::{self, Solution},
    start::{self, Point},
};
pub use delete::deleted;
pub use fewest::Stage;
pub use offer::Minimized;

use delete::delete;
use fewest::{Lexicographic, NODES};
use milp_model::{Built, Decoded, formulation};
use milp_schema::{Evidence, Instance, instance::Formulation};
use milp_show::acts;
use milp_solver::{Progress, Settings};
use offer::{Offer, given_evidence};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// The schedule with the fewest acts among those with the value of `from`.
///
/// # Errors
///
/// When the result is none that formulation `timed` can state, its replay diverges, or the replay
/// of the new schedule says anything else than that of the old one.
pub fn minimize(
    from: &Folder,
    settings: &Settings,
    command: &str,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Minimized, Error> {
    statable(from)?;
    let clock = Clock::start(settings, interrupt);
    let given = (from.schedule.clone(), from.outcome.faulty.clone());
    let instance = &from.outcome.instance;
    let bare = delete(instance, &given, &clock, &|_| true);
    let mut found = searched(from, (settings, clock, command), interrupt, progress)?;
    let least = acts::counts(instance, &found.schedule, &found.outcome.faulty);
    let bare = bare.map(|(schedule, faulty)| acts::counts(instance, &schedule, &faulty));
    found.beyond = bare.filter(|has| has.values().lt(least.values()));
    Ok(found)
}

/// What a search in a program finds, from what deleting leaves of it.
fn searched(
    from: &Folder,
    (settings, clock, command): (&Settings, Clock<'_>, &str),
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Minimized, Error> {
    let in_slots = match Formulation::named(&from.outcome.formulation) {
        Some(formulation) if formulation.knows_slots() => None,
        Some(Formulation::Levels) => {
            let how = (settings, clock, command);
            return levels::minimize(from, how, interrupt, progress);
        }
        _ => {
            let from = shorter(from, &clock)?;
            Some(in_slots(&from, settings, command, interrupt, progress)?)
        }
    };
    let asked = from;
    let (from, evidence) = match &in_slots {
        Some((folder, evidence)) => (folder, evidence.clone()),
        None => (from, given_evidence(from)?),
    };
    let given = Driven::from(from).followed()?;
    let instance = &from.outcome.instance;
    let value = from
        .outcome
        .primal
        .ok_or_else(|| Error::Refused(format!("{} holds no value to keep", from.dir.display())))?;
    let of = instance.clone();
    let (built, counted) = clock.build(move || formulation::with_acts(&of))?;
    let before = acts::counts(
        &asked.outcome.instance,
        &asked.schedule,
        &asked.outcome.faulty,
    );
    let lexicographic = Lexicographic {
        program: built.program(),
        settings,
        clock,
        interrupt,
        nodes: NODES,
    };
    let (start, left) = begin((from, &built, value), &lexicographic)?;
    let (point, stages) = lexicographic.solve(value, &counted, &before, start, progress)?;
    let offer = Offer {
        from,
        given: &given,
        command,
        interrupted: interrupt.load(Ordering::SeqCst),
        left,
    };
    let as_given = |stages: Vec<Stage>| {
        let has = acts::counts(instance, &from.schedule, &from.outcome.faulty);
        let whose = (from.schedule.clone(), from.outcome.faulty.clone());
        let stages = stages.into_iter().map(|it| it.untouched(&has));
        offer.checked(whose, evidence.clone(), stages.collect())
    };
    let Some(point) = point else {
        return as_given(stages);
    };
    let decoded = built.decode(&point)?;
    let beside = moved(instance, &evidence, &point, &decoded)?;
    let fewer = offer.checked((decoded.schedule, decoded.faulty), beside, stages.clone());
    match fewer {
        // A search that was cut short leaves a schedule that nobody chose: what was given stands.
        Err(_) if clock.over() => as_given(stages),
        other => other,
    }
}

/// Where the search begins: at the point that is left when acts are undone by replay, with how many
/// there are; else at the schedule given.
fn begin(
    (from, built, value): (&Folder, &Built, i64),
    search: &Lexicographic<'_>,
) -> Result<(Point, Option<i64>), Error> {
    let instance = &from.outcome.instance;
    let given = (from.schedule.clone(), from.outcome.faulty.clone());
    let fits = |it: &Execution| is_start(built, it);
    if let Some((schedule, faulty)) = delete(instance, &given, &search.clock, &fits)
        && let Ok(point) = built.encode(&schedule, &faulty)
        && let Some(point) = search.completed(value, &point)?
    {
        let left = acts::counts(instance, &schedule, &faulty);
        let point = point.into_iter().map(Some).collect();
        return Ok((point, Some(left.into_values().sum())));
    }
    let start = built.encode(&given.0, &given.1).map_err(|why| {
        Error::Refused(format!("the schedule is none of formulation timed: {why}"))
    })?;
    Ok((start, None))
}

/// The same result in the number of slots that was asked, or as few more as its schedule takes with
/// what can be undone by replays undone; as it is where formulation `timed` has no such schedule.
fn shorter(from: &Folder, clock: &Clock<'_>) -> Result<Folder, Error> {
    let mut shorter = from.clone();
    let execution = (from.schedule.clone(), from.outcome.faulty.clone());
    let least = from.outcome.asked_slots;
    let found = delete::sooner(&from.outcome.instance, &execution, least, clock);
    let Some((slots, execution)) = found else {
        return Ok(shorter);
    };
    shorter.outcome.instance.slots = slots;
    let timed = Instance {
        formulation: Formulation::Timed,
        ..shorter.outcome.instance.clone()
    };
    let built = clock.build(move || formulation::in_slots(&timed))?;
    if !is_start(&built, &execution) {
        return Ok(from.clone());
    }
    (shorter.schedule, shorter.outcome.faulty) = execution;
    Ok(shorter)
}

/// Whether an execution is a start of a search in the program.
fn is_start(built: &Built, (schedule, faulty): &Execution) -> bool {
    let point = built.encode(schedule, faulty);
    point.is_ok_and(|point| start::fits(built, &point))
}

/// The result of a formulation without slots, solved again in the slots that its schedule takes:
/// acts are counted in formulation `timed` only. The schedule is the start, so the value is kept.
fn in_slots(
    from: &Folder,
    settings: &Settings,
    command: &str,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(Folder, Evidence), Error> {
    let instance = Instance {
        formulation: Formulation::Timed,
        ..from.outcome.instance.clone()
    };
    let request = solve::Request {
        instance: &instance,
        settings,
        warm_start: Some(from),
        adequacy: false,
        command,
    };
    let solution = solve::solve(&request, interrupt, progress)?;
    let dir = from.dir.display();
    if solution.outcome.primal != from.outcome.primal {
        return Err(Error::Refused(format!(
            "{dir} has the value {:?}, and in slots the search found {:?}: solve the instance \
             with `--formulation timed`",
            from.outcome.primal, solution.outcome.primal
        )));
    }
    let Solution {
        outcome,
        schedule: Some(schedule),
        evidence,
        ..
    } = solution
    else {
        return Err(Error::Refused(format!(
            "the limit came before the schedule of {dir} was stated in slots"
        )));
    };
    let folder = Folder {
        dir: from.dir.clone(),
        outcome,
        schedule,
    };
    Ok((folder, evidence))
}

/// Whether what the result's program proves stays proved of any of its schedules.
fn statable(from: &Folder) -> Result<(), Error> {
    let dir = from.dir.display();
    if is_there(&from.dir.join(CUTS)) {
        return Err(Error::Refused(format!(
            "{dir} rests on cuts learned from an engine, which are not kept here"
        )));
    }
    let counts = Formulation::named(&from.outcome.formulation) == Some(Formulation::Counting);
    if counts && !formulation::is_listed(&from.outcome.instance) {
        return Err(Error::Refused(format!(
            "{dir} counts replicas of a protocol file, and no acts: solve it with `formulation: levels` and \
             minimize that"
        )));
    }
    if is_there(&from.dir.join(LEMMAS)) {
        return Err(Error::Refused(format!(
            "{dir} is proved by lemmas, of which the schedule says nothing: solve it in fewer views"
        )));
    }
    if is_there(&from.dir.join(SHOWN)) {
        return Err(Error::Refused(format!(
            "{dir} is one of several schedules that differ, and one with fewer acts may not: \
             minimise the first of them"
        )));
    }
    Ok(())
}

/// The same bound beside another point. The columns that count acts come last and are left out.
fn moved(
    instance: &Instance,
    given: &Evidence,
    point: &[i64],
    decoded: &Decoded,
) -> Result<Evidence, Error> {
    let plain = formulation::in_slots(instance)?;
    let point = &point[..plain.program().columns.len()];
    let mut parts = evidence::point(&plain, point, &decoded.schedule, &decoded.faulty);
    parts.extend(given.cubes().cloned());
    Ok(Evidence { parts })
}

/// Where the result goes by default: `out/`, the place of what it was made from below `results/`
/// or `out/`, its path otherwise, and `-minimal`.
///
/// # Errors
///
/// When the folder has no name.
pub fn place(from: &Path) -> Result<PathBuf, Error> {
    if from.file_name().is_none() {
        let from = from.display();
        return Err(Error::Refused(format!("{from} names no folder")));
    }
    let below = folder::below(from, RESULTS).or_else(|| folder::below(from, "out"));
    let below = below.map_or_else(|| folder::here(from), Ok)?;
    let mut name = below.into_os_string();
    name.push("-minimal");
    Ok(Path::new("out").join(name))
}
