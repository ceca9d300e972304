//! Whether a protocol file means the same to the program as to the interpreter, on small settings.
//!
//! ```text
//! executions  random executions of the interpreter satisfy every legal and valid row
//! corners     random corners of the program are schedules that the interpreter follows
//! search      every state there is has no better value than the program's optimum
//! fires       every rule is done in every view where it can be
//! mutants     each changes the optimum
//! guards      which rule and which guard carries agreement, which liveness
//! ```

mod corners;
mod executions;
mod guards;
mod optima;
mod rules;
mod setting;

pub use corners::{Corners, corners};
pub use executions::{Executions, executions};
pub use guards::{Carried, Effect, Without, guards};
pub use optima::{Changed, Optima, Searched};
pub use rules::Fires;
pub use setting::{Difference, Until, programs};

use crate::Error;
use milp_model::formulation::levels;
use milp_schema::{Instance, Protocol, protocol::Note};
use setting::{everything, variants, words};
use std::{collections::BTreeSet, sync::atomic::AtomicBool};

/// How much to try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Random executions of the protocol and of each mutant, in each setting.
    pub executions: u64,
    /// Random corners, likewise.
    pub corners: u64,
    /// The most states of a search.
    pub states: usize,
    /// The most seconds for a search.
    pub search_seconds: f64,
    /// Seconds for everything; what they leave out is said.
    pub seconds: f64,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            executions: 300,
            corners: 10,
            states: 300_000,
            search_seconds: 10.0,
            seconds: 90.0,
        }
    }
}

/// What was found of a protocol.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Executions, by setting.
    pub executions: Vec<Executions>,
    /// Corners, by setting.
    pub corners: Vec<Corners>,
    /// Optima, of search and of mutants beside them.
    pub optima: Optima,
    /// Every rule of the file.
    pub fires: Vec<Fires>,
    /// What is worth a look in the file.
    pub notes: Vec<Note>,
    /// Settings of which the formulation takes no program, each with why: nothing was compared.
    pub refused: Vec<String>,
    /// Whether the time or somebody ended it before everything was tried.
    pub cut_short: bool,
}

impl Checked {
    /// Every difference found.
    pub fn differences(&self) -> impl Iterator<Item = &Difference> {
        let executions = self.executions.iter().filter_map(|it| it.differs.as_ref());
        let corners = self.corners.iter().filter_map(|it| it.differs.as_ref());
        executions.chain(corners).chain(&self.optima.wrong)
    }

    /// Whether something is wrong.
    pub fn differs(&self) -> bool {
        self.differences().next().is_some() || self.optima.searched.iter().any(Searched::differs)
    }
}

/// Compares the two readings of a protocol file as far as the effort goes.
///
/// # Errors
/// What the formulation refuses of a protocol; a solver that breaks down.
pub fn check(
    protocol: Protocol,
    effort: &Effort,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(f64, &str),
) -> Result<Checked, Error> {
    let until = Until::within(effort.seconds, interrupt);
    let rules = Instance::asking(protocol).build().rules();
    let without = || Error::Refused(format!("protocol `{protocol}` is a file without rules"));
    let rules = rules.ok_or_else(without)?;
    let mutants = rules.mutants.keys().map(Some);
    let mutants = [None].into_iter().chain(mutants);
    let all = mutants.flat_map(|mutant| variants(protocol, &rules, mutant));
    let all: Vec<Instance> = all.collect();
    let mut checked = Checked {
        executions: Vec::new(),
        corners: Vec::new(),
        optima: Optima::default(),
        fires: Vec::new(),
        notes: rules.notes(),
        refused: Vec::new(),
        cut_short: false,
    };
    let mut say = |what: &str| progress(until.clock.spent(), what);
    let mut fired = BTreeSet::new();
    for (done, instance) in all.iter().enumerate() {
        let share = 1.0 / (all.len() - done) as f64;
        let asked = both(
            instance,
            effort,
            until.part(0.45 * share),
            &mut say,
            &mut checked,
        );
        match asked {
            Ok(those) if instance.mutant.is_none() => fired.extend(those),
            Ok(_) => {}
            Err(Error::Model(why)) => checked.refused.push(format!("{}: {why}", words(instance))),
            Err(error) => return Err(error),
        }
    }
    let [few, many, ..] = &all[..] else {
        return Ok(checked);
    };
    if checked.refused.is_empty() {
        say("rules");
        checked.fires = rules::fires(many, &fired, &until.part(0.3))?;
        let search = (effort.states, effort.search_seconds);
        checked.optima = optima::compare(few, search, &until, &mut say)?;
    }
    let mut tried = checked
        .executions
        .iter()
        .map(|it| (it.tried, effort.executions));
    let mut pulled = checked.corners.iter().map(|it| (it.tried, effort.corners));
    checked.cut_short =
        until.over() || tried.any(|(one, all)| one < all) || pulled.any(|(one, all)| one < all);
    Ok(checked)
}

/// Both directions in one setting; the rules that executions did, and in which view.
fn both(
    instance: &Instance,
    effort: &Effort,
    until: Until<'_>,
    say: &mut dyn FnMut(&str),
    checked: &mut Checked,
) -> Result<BTreeSet<(usize, u32)>, Error> {
    say(&format!("executions of {}", words(instance)));
    let built = programs(instance)?;
    let seeds = 0..effort.executions;
    let drawn = executions(instance, &built, seeds, &until.part(0.4))?;
    let fired = drawn.fired.keys().copied().collect();
    checked.executions.push(drawn);
    for (goal, share) in [(instance.clone(), 0.5), (everything(instance), 1.0)] {
        say(&format!("corners of {}", words(instance)));
        let built = levels::of(&goal)?;
        let until = until.part(share);
        checked
            .corners
            .push(corners(&goal, &built, effort.corners, &until)?);
    }
    Ok(fired)
}
