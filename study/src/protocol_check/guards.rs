//! Which guard carries what: the optimum without each rule, and without each single guard.

use super::{
    optima::{outcome, proved},
    setting::{Until, setting},
};
use crate::Error;
use milp_schema::{
    Instance, Outcome, Protocol,
    outcome::Termination,
    protocol::{Lines, weakened},
};
use std::sync::atomic::AtomicBool;

/// What is taken away, and what becomes of agreement then.
#[derive(Debug, Clone)]
pub struct Without {
    /// The lines of the page that the rule states.
    pub lines: Lines,
    /// The rule in one spelling.
    pub rule: String,
    /// The guard; nothing if the whole rule is gone.
    pub guard: Option<String>,
    /// What becomes of the most blocks of one height.
    pub agreement: Effect,
}

/// What an optimum becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Rules without it make no sense, and why.
    Senseless(String),
    /// It is the same in up to so many views, proved.
    Same {
        /// The views.
        views: u32,
    },
    /// From so many views on it is another.
    Changes {
        /// The fewest views.
        views: u32,
        /// The optimum of the protocol there.
        protocol: i64,
        /// The one without.
        without: i64,
    },
    /// Nothing was proved in more than so many views.
    Open {
        /// The views, 0 if in none.
        views: u32,
        /// Why no program can be built; nothing if a limit came.
        why: Option<String>,
    },
}

/// What every rule and every guard of a protocol carries, one by one in the order of the file, within
/// so many views; `most` seconds for everything.
///
/// # Errors
/// A protocol whose file has no rules; a solver that breaks down.
pub fn guards(
    protocol: Protocol,
    views: u32,
    most: f64,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(f64, &str),
) -> Result<Vec<Without>, Error> {
    let until = Until::within(most, interrupt);
    let without = || Error::Refused(format!("protocol `{protocol}` is a file without rules"));
    let definition = protocol.definition().ok_or_else(without)?;
    let rules = &definition.rules;
    let places = |rule: usize| {
        let it = &rules.rules[rule];
        let guards = 0..it.when.len() + it.unless.len();
        [None].into_iter().chain(guards.map(Some))
    };
    let all = (0..rules.rules.len()).flat_map(|rule| places(rule).map(move |guard| (rule, guard)));
    let all: Vec<_> = all.collect();
    let instance = setting(protocol, rules, views, 1);
    let asked = |protocol: Protocol, views: u32| Instance {
        protocol,
        views,
        slots: 4 + 5 * views,
        blocks_per_proposal: if views > 2 { 1 } else { 2 },
        ..instance.clone()
    };
    let mut plain = Vec::new();
    for views in 1..=views {
        progress(until.clock.spent(), &format!("{protocol}, {views} views"));
        let value = known(&asked(protocol, views), &until.part(0.1))?;
        let value = value.ok().filter(proved);
        plain.push((views, value.and_then(|it| it.primal)));
    }
    let mut found = Vec::new();
    for (done, &(rule, guard)) in all.iter().enumerate() {
        let it = &rules.rules[rule];
        let mut guards = it.guards();
        let guard_text = guard.and_then(|place| guards.nth(place));
        let guard_text = guard_text.map(|guard| rules.guard_text(guard));
        let what = guard_text.as_deref().unwrap_or("the rule");
        let lines = it.lines.clone();
        let said = format!("{} of {}: {lines} without {what}", done + 1, all.len());
        progress(until.clock.spent(), &said);
        let part = until.part(1.0 / (all.len() - done) as f64);
        let agreement = match weakened(definition, rule, guard) {
            Err(error) => Effect::Senseless(error.problems[0].what.clone()),
            Ok(weaker) => effect(&plain, |views| known(&asked(weaker, views), &part))?,
        };
        found.push(Without {
            lines,
            rule: rules.text(it),
            guard: guard_text,
            agreement,
        });
    }
    Ok(found)
}

/// What is known of an optimum, or why nothing is, if that is not a limit.
type Known = Result<Outcome, Option<String>>;

fn known(instance: &Instance, until: &Until<'_>) -> Result<Known, Error> {
    let mut wrong = Vec::new();
    match outcome(instance, until, &mut wrong) {
        Ok(outcome) => Ok(outcome.ok_or_else(|| wrong.pop().map(|it| it.what))),
        Err(Error::Model(why)) => Ok(Err(Some(why.to_string()))),
        Err(error) => Err(error),
    }
}

/// The fewest views in which the optimum is another than the protocol's. More blocks rest on a
/// schedule, fewer and as many on a proof.
fn effect(
    plain: &[(u32, Option<i64>)],
    mut without: impl FnMut(u32) -> Result<Known, Error>,
) -> Result<Effect, Error> {
    let mut same = 0;
    for &(views, protocol) in plain {
        let open = |why| Ok(Effect::Open { views: same, why });
        let Some(protocol) = protocol else {
            return open(None);
        };
        let found = match without(views)? {
            Ok(found) => found,
            Err(why) => return open(why),
        };
        match found.primal {
            Some(without) if without > protocol || (without < protocol && proved(&found)) => {
                return Ok(Effect::Changes {
                    views,
                    protocol,
                    without,
                });
            }
            Some(without) if without == protocol && proved(&found) => same = views,
            None if found.termination == Termination::Infeasible => {
                return open(Some("nothing can happen at all".to_owned()));
            }
            _ => return open(None),
        }
    }
    Ok(Effect::Same { views: same })
}
