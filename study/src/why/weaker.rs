//! Programs with fewer rules, and solving them.

use crate::{Error, clock::Clock};
use milp_model::{
    Built, formulation,
    group::Group,
    program::{Family, Program, Tag},
};
use milp_schema::Instance;
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

/// The rules of a program, in the order of [`Group::ALL`]; those without a row are left out.
pub fn present(program: &Program) -> Vec<Present> {
    let mut counts = vec![0; program.families.len()];
    for row in &program.rows {
        counts[row.family.0 as usize] += 1;
    }
    let rule = |group| {
        let of_group = || {
            let families = program.families.iter().zip(&counts);
            families.filter(|(family, rows)| **rows > 0 && family.group == Some(group))
        };
        let lines = of_group().map(|(family, _)| family.line.clone());
        Present {
            group,
            lines: lines.collect::<BTreeSet<_>>().into_iter().collect(),
            families: of_group().map(|(family, _)| family.name.clone()).collect(),
            rows: of_group().map(|(_, rows)| rows).sum(),
        }
    };
    let rules = Group::ALL.iter().map(|&group| rule(group));
    rules.filter(|rule| rule.rows > 0).collect()
}

/// The program without these rules, and without what follows from them.
pub fn without(program: &Program, dropped: &[Group]) -> Program {
    let stays = |row: &milp_model::program::Row| {
        let family = program.family(row);
        match family.group {
            Some(group) => !dropped.contains(&group),
            None if family.tag == Tag::Valid => self::stays(family, dropped),
            None => true,
        }
    };
    let mut weaker = Program {
        rows: Vec::new(),
        ..program.clone()
    };
    weaker.rows = program
        .rows
        .iter()
        .filter(|row| stays(row))
        .cloned()
        .collect();
    weaker
}

/// Whether a valid family still follows from the rules when `dropped` are taken away, by the
/// proofs in `docs/MODEL.md`: none of them needs a rule that forces something. Where one is not
/// known to hold, it goes.
pub fn stays(valid: &Family, dropped: &[Group]) -> bool {
    dropped.iter().all(|group| match valid.rests_on {
        Some(rules) => !rules.contains(group) && !Group::EVERY_PROOF.contains(group),
        None => group.forces,
    })
}

/// How to solve.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// Limits; that of time is for all solves about an instance together.
    pub settings: &'a Settings,
    /// Set from elsewhere to stop.
    pub interrupt: &'a AtomicBool,
}

impl std::fmt::Debug for How<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("How").finish_non_exhaustive()
    }
}

impl<'a> How<'a> {
    /// From now on time runs.
    pub(super) fn start(self) -> Going<'a> {
        Going {
            settings: self.settings,
            clock: Clock::start(self.settings, self.interrupt),
            interrupt: self.interrupt,
        }
    }
}

/// [`How`], and what is left of the time.
#[derive(Clone, Copy)]
pub(super) struct Going<'a> {
    settings: &'a Settings,
    pub(super) clock: Clock<'a>,
    interrupt: &'a AtomicBool,
}

impl Going<'_> {
    /// The program of the instance that is asked about its rules, with so many values to decide.
    pub(super) fn build(self, instance: &Instance, values: u32) -> Result<Built, Error> {
        let of = instance.clone();
        self.clock.build(move || formulation::of_rules(&of, values))
    }

    pub(super) fn solve(
        self,
        program: &Program,
        prove: bool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Solved, Error> {
        let settings = Settings {
            prove: prove && self.settings.prove,
            ..self.clock.settings(self.settings)
        };
        Ok(milp_solver::solve(
            program,
            &settings,
            self.interrupt,
            progress,
        )?)
    }
}
