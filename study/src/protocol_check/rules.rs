//! Every rule is done in every view where it can be.

use super::setting::{Until, programs, settings};
use crate::Error;
use milp_model::program::{FamilyId, Row};
use milp_schema::{
    Instance,
    outcome::Termination,
    protocol::{Lines, Position},
};
use std::collections::BTreeSet;

/// Where a rule is done.
#[derive(Debug, Clone)]
pub struct Fires {
    /// The lines of the page that it states.
    pub lines: Lines,
    /// Where it stands.
    pub at: Position,
    /// The rule in one spelling.
    pub text: String,
    /// Views in which random executions do it.
    pub executions: BTreeSet<u32>,
    /// Views in which only points of the program do.
    pub program: BTreeSet<u32>,
    /// Views in which nothing can, as was proved of the program.
    pub never: BTreeSet<u32>,
    /// Views that were left open.
    pub open: BTreeSet<u32>,
}

impl Fires {
    /// Whether it is done in no view.
    pub fn nowhere(&self) -> bool {
        self.executions.is_empty() && self.program.is_empty()
    }
}

/// Where every rule of the file is done: by executions, otherwise by the program of an instance.
///
/// # Errors
/// What the formulation refuses; a solver that breaks down.
pub(super) fn fires(
    instance: &Instance,
    fired: &BTreeSet<(usize, u32)>,
    until: &Until<'_>,
) -> Result<Vec<Fires>, Error> {
    let asked = instance.clone();
    let Some(built) = until
        .built(move || programs(&asked))?
        .and_then(|mut it| it.pop())
    else {
        return Ok(Vec::new());
    };
    let rules = instance
        .rules()
        .unwrap_or_else(|| unreachable!("it was built"));
    let views = |number: usize| {
        let own = fired.iter().filter(move |it| it.0 == number);
        own.map(|it| it.1).collect::<BTreeSet<u32>>()
    };
    let mut all: Vec<Fires> = (0..)
        .zip(&rules.rules)
        .map(|(number, rule)| Fires {
            lines: rule.lines.clone(),
            at: rule.at,
            text: rules.text(rule),
            executions: views(number),
            program: BTreeSet::new(),
            never: BTreeSet::new(),
            open: BTreeSet::new(),
        })
        .collect();
    for ((rule, view), cols) in built.acts() {
        if all[rule].executions.contains(&view) {
            continue;
        }
        let fires = &mut all[rule];
        if until.over() {
            fires.open.insert(view);
            continue;
        }
        let mut program = built.program.clone();
        program.objective.clear();
        program.constant = 0;
        program.rows.push(Row {
            name: "it_is_done".into(),
            family: FamilyId(0),
            terms: cols
                .iter()
                .copied()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .map(|col| (col, 1))
                .collect(),
            lower: Some(1),
            upper: None,
        });
        let settings = settings(until.left());
        let solved = milp_solver::solve(&program, &settings, until.clock.interrupt, &mut |_| {})?;
        let list = match (solved.point, solved.termination) {
            (Some(_), _) => &mut fires.program,
            (None, Termination::Infeasible) => &mut fires.never,
            _ => &mut fires.open,
        };
        list.insert(view);
    }
    Ok(all)
}
