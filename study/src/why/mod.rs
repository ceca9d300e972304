//! Why no schedule is worse: which rules stand in the way, and what each of them is for.
//!
//! A *rule* is a group of families ([`groups`]). Taking it away is dropping its rows, and with
//! them the valid rows whose proof needs it. What the goal means stays. With fewer rows more
//! schedules are allowed, so both questions here are about programs that get weaker:
//!
//! - [`why_not`]: a set of rules that together make a value impossible and of which none can go,
//!   found by deletion: each rule is taken away in turn and stays away if the value is still
//!   impossible.
//! - [`necessity`]: the optimum without each single rule.

pub mod groups;
mod words;

pub use groups::{GROUPS, Group, group_of};
pub use words::{necessity_words, why_not_words};

use crate::{Error, sentence};
use milp_model::{
    formulation::timed,
    program::{Family, FamilyId, Program, Row, Tag},
};
use milp_schema::{
    Instance,
    instance::{Goal, PROTOCOLS, Sense},
    outcome::Termination,
};
use milp_solver::{Progress, Settings, Solved};
use std::{collections::BTreeSet, sync::atomic::AtomicBool};

/// A rule that a program has, with where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// The rule.
    pub group: Group,
    /// The lines of the protocol page or of `docs/EXECUTION.md` that its rows state; ascending.
    pub lines: Vec<String>,
    /// Its families that have rows; in the program's order.
    pub families: Vec<String>,
    /// How many rows.
    pub rows: usize,
}

/// The rules of a program, in the order of [`GROUPS`]; those without a row are left out.
pub fn present(program: &Program) -> Vec<Present> {
    let mut found = Vec::new();
    for group in GROUPS {
        let mut lines = BTreeSet::new();
        let (mut families, mut rows) = (Vec::new(), 0);
        for (number, family) in program.families.iter().enumerate() {
            if group_of(family) != Some(group) {
                continue;
            }
            let own = |row: &&Row| row.family.0 as usize == number;
            let count = program.rows.iter().filter(own).count();
            if count > 0 {
                families.push(family.name.clone());
                lines.insert(family.line.clone());
                rows += count;
            }
        }
        if rows > 0 {
            found.push(Present {
                group,
                lines: lines.into_iter().collect(),
                families,
                rows,
            });
        }
    }
    found
}

/// The program without these rules, and without what follows from them.
pub fn without(program: &Program, dropped: &[Group]) -> Program {
    let mut weaker = program.clone();
    weaker.rows.retain(|row| {
        let family = program.family(row);
        match group_of(family) {
            Some(group) => !dropped.contains(&group),
            None if family.tag == Tag::Valid => groups::stays(family, dropped),
            None => true,
        }
    });
    weaker
}

/// How to solve.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// Limits of each single solve.
    pub settings: &'a Settings,
    /// Set from elsewhere to stop.
    pub interrupt: &'a AtomicBool,
}

impl std::fmt::Debug for How<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("How").finish_non_exhaustive()
    }
}

impl How<'_> {
    fn solve(
        self,
        program: &Program,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Solved, Error> {
        Ok(milp_solver::solve(
            program,
            self.settings,
            self.interrupt,
            progress,
        )?)
    }
}

/// Why a value is impossible.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyNot {
    /// The value, if one was asked about; without one, any execution.
    pub value: Option<i64>,
    /// Whether the value is possible after all; then the rest is empty.
    pub possible: bool,
    /// The rules that together make it impossible.
    pub needed: Vec<Present>,
    /// The rules it is impossible without.
    pub idle: Vec<Present>,
    /// Rules that stay because a limit came before the answer.
    pub undecided: Vec<Present>,
    /// Whether the impossibility has a certificate.
    pub proved: bool,
}

/// The program with the value as a row and nothing to optimise.
fn asking(instance: &Instance, value: Option<i64>) -> Result<Program, Error> {
    let mut program = timed::of(instance)?.program;
    let terms = std::mem::take(&mut program.objective);
    let constant = std::mem::take(&mut program.constant);
    if let Some(value) = value {
        program.families.push(Family {
            name: "asked_value".into(),
            line: "E13".into(),
            equations: Vec::new(),
            tag: Tag::Goal,
        });
        let (lower, upper) = match program.sense {
            Sense::Maximize => (Some(value - constant), None),
            Sense::Minimize => (None, Some(value - constant)),
        };
        program.rows.push(Row {
            name: "asked_value".into(),
            family: FamilyId(program.families.len() as u32 - 1),
            terms,
            lower,
            upper,
        });
    }
    Ok(program)
}

/// The rules because of which no schedule reaches `value` (or is worse); without a value, because
/// of which there is no execution at all.
///
/// Rules that force something go first, all at once if that is possible. What is found cannot be
/// made smaller by taking away any one rule: every rule that stays comes with a point that
/// satisfies all the others exactly.
///
/// # Errors
///
/// When formulation `timed` cannot build the instance or the solver fails.
pub fn why_not(
    instance: &Instance,
    value: Option<i64>,
    how: How<'_>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<WhyNot, Error> {
    let program = asking(instance, value)?;
    let rules = present(&program);
    let mut answer = WhyNot {
        value,
        possible: false,
        needed: Vec::new(),
        idle: Vec::new(),
        undecided: Vec::new(),
        proved: false,
    };
    let whole = how.solve(&program, progress)?;
    match whole.termination {
        Termination::Infeasible => answer.proved = whole.proved,
        Termination::Optimal | Termination::Feasible => {
            answer.possible = true;
            return Ok(answer);
        }
        Termination::Undecided => {
            answer.undecided = rules;
            return Ok(answer);
        }
    }
    let mut search = Search {
        program: &program,
        how,
        dropped: Vec::new(),
        points: Vec::new(),
        answer,
    };
    let (forcing, guarding): (Vec<_>, Vec<_>) =
        rules.into_iter().partition(|rule| rule.group.forces);
    search.try_without(forcing, progress)?;
    for rule in guarding {
        search.try_without(vec![rule], progress)?;
    }
    search.check()?;
    Ok(search.answer)
}

/// A deletion under way.
struct Search<'a> {
    program: &'a Program,
    how: How<'a>,
    dropped: Vec<Group>,
    /// A point for each rule that stays: the value without it.
    points: Vec<(Group, Vec<i64>)>,
    answer: WhyNot,
}

impl Search<'_> {
    /// Takes the rules away if the value stays impossible; if not, one by one.
    fn try_without(
        &mut self,
        rules: Vec<Present>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(), Error> {
        if rules.is_empty() {
            return Ok(());
        }
        let mut dropped = self.dropped.clone();
        dropped.extend(rules.iter().map(|rule| rule.group));
        let weaker = without(self.program, &dropped);
        let solved = self.how.solve(&weaker, progress)?;
        match (solved.termination, solved.point) {
            (Termination::Infeasible, _) => {
                self.answer.proved = solved.proved;
                self.dropped = dropped;
                self.answer.idle.extend(rules);
            }
            _ if rules.len() > 1 => {
                for rule in rules {
                    self.try_without(vec![rule], progress)?;
                }
            }
            (_, Some(point)) => {
                self.points.push((rules[0].group, point));
                self.answer.needed.extend(rules);
            }
            (_, None) => self.answer.undecided.extend(rules),
        }
        Ok(())
    }

    /// Every point satisfies all that is left but its own rule.
    fn check(&self) -> Result<(), Error> {
        for (group, point) in &self.points {
            let mut dropped = self.dropped.clone();
            dropped.push(*group);
            let weaker = without(self.program, &dropped);
            if let Some(broken) = weaker.violations(point).next() {
                return Err(Error::Refused(format!(
                    "the point without `{}` breaks {broken}: a defect here",
                    group.name
                )));
            }
        }
        Ok(())
    }
}

/// What a program gives, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimum {
    /// Why the solve ended.
    pub termination: Termination,
    /// The best value found.
    pub primal: Option<i64>,
    /// The bound.
    pub dual: Option<f64>,
    /// Whether a certificate closes the gap.
    pub proved: bool,
}

impl From<&Solved> for Optimum {
    fn from(solved: &Solved) -> Self {
        Self {
            termination: solved.termination,
            primal: solved.primal,
            dual: solved.dual,
            proved: solved.proved,
        }
    }
}

/// The optimum without each rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Necessity {
    /// The goal.
    pub goal: Goal,
    /// With all rules.
    pub whole: Optimum,
    /// One entry per rule.
    pub rules: Vec<(Present, Optimum)>,
    /// The protocol's mutants, each a rule weakened rather than taken away.
    pub mutants: Vec<(String, Optimum)>,
}

impl Necessity {
    /// Whether the adversary does better than with all rules; `None` if that is not known.
    pub fn better(&self, without: &Optimum) -> Option<bool> {
        let (Some(whole), Some(found)) = (self.whole.primal, without.primal) else {
            return match (self.whole.termination, without.termination) {
                (Termination::Infeasible, Termination::Infeasible) => Some(false),
                (Termination::Infeasible, _) => without.primal.map(|_| true),
                _ => None,
            };
        };
        let better = match sentence::sense(self.goal) {
            Sense::Maximize => found > whole,
            Sense::Minimize => found < whole,
        };
        // A better point is one whatever the bound; the contrary needs a closed gap.
        if better || without.termination == Termination::Optimal {
            Some(better)
        } else {
            None
        }
    }
}

/// The optimum without each single rule, and of each mutant of the protocol.
///
/// # Errors
///
/// When formulation `timed` cannot build the instance or the solver fails.
pub fn necessity(
    instance: &Instance,
    how: How<'_>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Necessity, Error> {
    let program = timed::of(instance)?.program;
    let whole = Optimum::from(&how.solve(&program, progress)?);
    let mut rules = Vec::new();
    for rule in present(&program) {
        let weaker = without(&program, &[rule.group]);
        let solved = how.solve(&weaker, progress)?;
        rules.push((rule, Optimum::from(&solved)));
    }
    let mut mutants = Vec::new();
    let known = PROTOCOLS
        .iter()
        .filter(|(name, _, _)| instance.mutant.is_none() && *name == instance.protocol);
    for mutant in known.flat_map(|(_, _, mutants)| mutants.iter()) {
        let weakened = Instance {
            mutant: Some((*mutant).to_owned()),
            ..instance.clone()
        };
        // A rule set without mutants has none to show.
        if let Ok(built) = timed::of(&weakened) {
            let solved = how.solve(&built.program, progress)?;
            mutants.push(((*mutant).to_owned(), Optimum::from(&solved)));
        }
    }
    Ok(Necessity {
        goal: instance.goal,
        whole,
        rules,
        mutants,
    })
}
