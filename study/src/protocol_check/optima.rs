//! The optimum of the program: what search finds, and what mutants change.

use super::setting::{Difference, Until, settings, words};
use crate::{
    Error,
    solve::{Request, solve},
};
use milp_replay::search;
use milp_schema::{Instance, Outcome, Schedule, outcome::Termination};
use std::sync::atomic::AtomicBool;

/// The optimum of an instance beside what a search of its states finds.
#[derive(Debug, Clone)]
pub struct Searched {
    /// The setting in words.
    pub setting: String,
    /// The optimum; nothing if it was left open.
    pub optimum: Option<i64>,
    /// The value that the search found; nothing if it gave none.
    pub found: Option<i64>,
    /// How far it came, or why it did not begin.
    pub how: String,
}

impl Searched {
    /// Whether both are known and not the same.
    pub fn differs(&self) -> bool {
        self.optimum
            .zip(self.found)
            .is_some_and(|(one, other)| one != other)
    }
}

/// What optima showed.
#[derive(Debug, Clone, Default)]
pub struct Optima {
    /// Every mutant.
    pub mutants: Vec<Changed>,
    /// Optimum and search.
    pub searched: Vec<Searched>,
    /// Optima whose schedule the interpreter does not follow.
    pub wrong: Vec<Difference>,
}

/// What a mutant changes.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The mutant.
    pub name: String,
    /// The most views that were looked at.
    pub views: u32,
    /// The optimum of the protocol there.
    pub protocol: Option<i64>,
    /// That of the mutant.
    pub mutant: Option<i64>,
}

impl Changed {
    /// Whether the verdict changes; nothing if that was left open.
    pub fn changes(&self) -> Option<bool> {
        self.protocol
            .zip(self.mutant)
            .map(|(one, other)| one != other)
    }
}

/// The optimum, if it was proved within the time and replicas follow its schedule.
fn optimum(
    instance: &Instance,
    until: &Until<'_>,
    wrong: &mut Vec<Difference>,
) -> Result<Option<i64>, Error> {
    let outcome = outcome(instance, until, wrong)?;
    Ok(outcome.filter(proved).and_then(|it| it.primal))
}

/// Whether nothing is better, by a proof.
pub(super) fn proved(outcome: &Outcome) -> bool {
    outcome.termination == Termination::Optimal && outcome.proved
}

/// What is known of a question within the time; its schedule, if it has one, is one that replicas
/// follow.
pub(super) fn outcome(
    instance: &Instance,
    until: &Until<'_>,
    wrong: &mut Vec<Difference>,
) -> Result<Option<Outcome>, Error> {
    if until.over() {
        return Ok(None);
    }
    let mut settings = settings(until.left());
    settings.prove = true;
    let asked = instance.clone();
    // Replicas whose rules make no sense may heal for a long time.
    let solved = until.aside(until.left(), move || {
        let request = Request {
            instance: &asked,
            settings: &settings,
            warm_start: None,
            adequacy: false,
            command: "protocol check",
        };
        let solved = solve(&request, &AtomicBool::new(false), &mut |_| {});
        solved.map(|it| it.outcome)
    })?;
    match solved {
        Some(Ok(outcome)) => Ok(Some(outcome)),
        None | Some(Err(Error::Stopped { .. })) => Ok(None),
        Some(Err(Error::Refused(what))) => {
            wrong.push(Difference {
                what,
                instance: instance.clone(),
                faulty: Vec::new(),
                schedule: Schedule::default(),
            });
            Ok(None)
        }
        Some(Err(error)) => Err(error),
    }
}

/// What an exhaustive search of so many states finds, in so many seconds.
fn searched(
    instance: &Instance,
    optimum: Option<i64>,
    (states, seconds): (usize, f64),
    until: &Until<'_>,
) -> Result<Searched, Error> {
    let asked = instance.clone();
    let done = until.aside(seconds, move || search::file(&asked, states))?;
    let (found, how) = match done {
        None => (None, "the time was over".to_owned()),
        Some(Err(why)) => (None, why.to_string()),
        Some(Ok(it)) if it.complete => (Some(it.value), format!("all {} states", it.states)),
        Some(Ok(it)) => {
            // What it has seen is an execution even if there are more.
            let beyond = optimum.is_some_and(|optimum| it.value > optimum);
            let how = format!("up to {} in {} states, there are more", it.value, it.states);
            (beyond.then_some(it.value), how)
        }
    };
    Ok(Searched {
        setting: words(instance),
        optimum,
        found,
        how,
    })
}

/// Compares optima: of the protocol with a search, and with those of its mutants.
pub(super) fn compare(
    instance: &Instance,
    search: (usize, f64),
    until: &Until<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Optima, Error> {
    let mut found = Optima::default();
    let of = |views: u32, mutant: Option<&String>| Instance {
        views,
        blocks_per_proposal: if views > 2 { 1 } else { 2 },
        mutant: mutant.cloned(),
        ..instance.clone()
    };
    let rules = instance
        .rules()
        .unwrap_or_else(|| unreachable!("it was built"));
    let mut plain = Vec::new();
    for views in 1..=3 {
        let asked = of(views, None);
        progress(&format!("optimum of {}", words(&asked)));
        plain.push((views, optimum(&asked, &until.part(0.2), &mut found.wrong)?));
    }
    let count = rules.mutants.len();
    for (done, name) in rules.mutants.keys().enumerate() {
        progress(&format!("optima of mutant {name}"));
        let part = until.part(0.7 / (count - done) as f64);
        let mut changed = Changed {
            name: name.clone(),
            views: 0,
            protocol: None,
            mutant: None,
        };
        for &(views, protocol) in &plain {
            let mutant = optimum(&of(views, Some(name)), &part, &mut found.wrong)?;
            if protocol.is_none() || mutant.is_none() {
                break;
            }
            changed = Changed {
                views,
                protocol,
                mutant,
                ..changed
            };
            if changed.changes() == Some(true) {
                break;
            }
        }
        found.mutants.push(changed);
    }
    for (views, optimum) in plain {
        let asked = of(views, None);
        progress(&format!("search of {}", words(&asked)));
        found
            .searched
            .push(searched(&asked, optimum, search, until)?);
    }
    Ok(found)
}
